"""Candidates learnt on some people and judged on others: in folds, later, or from another folder."""

from dataclasses import dataclass

import numpy as np

from riskml.models.encoding import Encoding, columns_of
from riskml.models.splits import grouped_folds, split_by_person
from riskml.training.learn import Inputs, calibrated, learn_candidates
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.comparison import compare
from riskml.validation.metrics import METRICS, NotEstimable, auc

__all__ = ["CrossFitted", "Learnt", "cross_fit", "groups_table", "learn", "table_of"]

MAIN = "lightgbm"
SLOPE = (0.8, 1.2)
CHANCE = 0.5  # AUC of a ranking by lot
FEWEST_EVENTS = 10  # of a group


class Learnt:
    """The candidates of one model file, learnt and calibrated on some people.

    Parameters
    ----------
    encoding : Encoding
    candidates : dict of name -> Candidate
    plain : iterable of str    names of those that read a number of their own
    """

    def __init__(self, encoding, candidates, plain):
        self._encoding, self._candidates, self._plain = encoding, candidates, tuple(plain)

    def risks(self, matrix, baselines):
        """Risks of assessments: dict of candidate -> float array, shape (n,).

        Parameters
        ----------
        matrix : DataFrame, shape (n, columns)
        baselines : dict of candidate -> float array, shape (n,)    of `training.yardsticks`; a plain baseline
            that these assessments do not allow is left out
        """
        inputs, rows = Inputs(self._encoding.design(matrix), baselines), np.arange(len(matrix))
        return {
            name: candidate.risk(inputs, rows)
            for name, candidate in self._candidates.items()
            if name in inputs.simple or name not in self._plain
        }


def learn(data, spec, catalogue, rows, *, seed):
    """Learn, tune and calibrate every candidate on some rows, as `riskml train` does with its windows.

    Parameters
    ----------
    data : TrainingData
    spec : ModelFile
    catalogue : Catalogue
    rows : int array    positions of the assessments to learn from: divided by person into train, tune and
        calibrate
    seed : int

    Returns
    -------
    Learnt

    Raises
    ------
    RiskmlError    too few people with an event
    """
    # Nobody is set apart to be judged here: the fourth window is joined to the first.
    shares = dict(spec.split.shares)
    shares["evaluate"] = shares["train"] = shares["train"] / 2
    inside = split_by_person(data.aggressor[rows], data.outcome[rows], shares=shares, seed=seed).rows
    train = np.sort(np.concatenate([rows[inside["train"]], rows[inside["evaluate"]]]))
    tune, at = rows[inside["tune"]], rows[inside["calibrate"]]
    refit = np.sort(np.concatenate([train, tune]))
    encoding = Encoding.fit(data.matrix.iloc[train], columns_of(catalogue, spec.features.chosen(catalogue)))
    inputs, people = Inputs(encoding.design(data.matrix), data.yardsticks), data.aggressor
    candidates = learn_candidates(
        inputs, data.outcome, (train, tune, refit), people, spec, encoding, seed=seed
    )
    kept = {
        c.name: calibrated(c, inputs, data.outcome, at, people, kinds=spec.calibrators, seed=seed)
        for c in candidates
    }
    return Learnt(encoding, kept, inputs.simple)


@dataclass(frozen=True)
class CrossFitted:
    """Every person judged by candidates that were learnt, tuned and calibrated on other people, repeatedly.

    How people fall into folds moves the figures by as much as candidates differ: repeats even that
    out. The repeats of one person stay together in the bootstrap: nobody counts for more than one.

    Attributes
    ----------
    rows : int array, shape (repeats * n,)    positions of the assessments, once for each repeat
    risks : dict of candidate -> float array, shape (repeats * n,)
    apparent_auc : float    mean over the folds of LightGBM's AUC on the very people it learnt from
    judged_auc : float      mean over the folds of its AUC on the others
    """

    rows: np.ndarray
    risks: dict
    apparent_auc: float
    judged_auc: float

    @property
    def optimism(self):
        """By how much the AUC on the people learnt from overstates it, float."""
        return self.apparent_auc - self.judged_auc


def cross_fit(data, spec, catalogue, *, folds, repeats=1, seed, step=lambda: None):
    """Judge the procedure of a model file on every person.

    Parameters
    ----------
    data : TrainingData    its own split is not used
    spec, catalogue
    folds : int            of different people
    repeats : int          how often people are divided into folds anew
    seed : int
    step : callable        called after each fold

    Returns
    -------
    CrossFitted

    Raises
    ------
    RiskmlError    too few people with an event in a fold
    """
    n = len(data.outcome)
    risks, apparent, judged = {}, [], []
    for repeat in range(repeats):
        fold = grouped_folds(data.aggressor, data.outcome, folds=folds, seed=seed + repeat)
        for k in np.unique(fold):
            inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            learnt = learn(data, spec, catalogue, inside, seed=seed + repeat * folds + int(k))
            found = learnt.risks(data.matrix, data.yardsticks)
            for name, risk in found.items():
                every = risks.setdefault(name, np.full(repeats * n, np.nan))
                every[repeat * n + outside] = risk[outside]
            for rows, values in ((inside, apparent), (outside, judged)):
                try:
                    values.append(auc(data.outcome[rows], found[MAIN][rows]))
                except NotEstimable:
                    continue
            step()
    # A baseline whose column was constant in some fold cannot be held against the others.
    risks = {name: risk for name, risk in risks.items() if not np.isnan(risk).any()}
    means = [float(np.mean(values)) if values else float("nan") for values in (apparent, judged)]
    return CrossFitted(np.tile(np.arange(n), repeats), risks, *means)


def _number(value):
    return None if value is None or np.isnan(value) else float(value)


def _difference(bootstrap, other, metric):
    """A metric of LightGBM minus that of another candidate; whether it is worse by more than the interval."""
    try:
        estimate, low, high = bootstrap.difference(MAIN, other, metric)
    except NotEstimable as reason:
        return {"not_estimable": reason.words("en")}
    worse = high < 0 if METRICS[metric].best == "high" else low > 0
    return {"difference": estimate, "low": low, "high": high, "worse_by_more_than_the_interval": bool(worse)}


def _calibration_in_words(row):
    slope, low, high = (row[f"calibration_slope{end}"] for end in ("", "_low", "_high"))
    if slope is None:
        return "not estimable"
    place = f"slope {slope:.2f}"
    if low is None:
        return f"{place}, interval not estimable: {row['events']} events"
    place += f" ({low:.2f} to {high:.2f})"
    if SLOPE[0] <= slope <= SLOPE[1]:
        return f"{place}: within {SLOPE[0]} to {SLOPE[1]}"
    outside = f"{place}: outside {SLOPE[0]} to {SLOPE[1]}"
    if low <= 1 <= high:
        return f"{outside}, but {row['events']} events do not tell it from 1"
    if row["auc_low"] is None or row["auc_low"] <= CHANCE:
        return (
            f"{outside}; the ranking is not told from chance, so there is nothing that a slope could spread"
        )
    return f"{place}: off; predicted risks are {'too far apart' if slope < 1 else 'too close together'}"


def table_of(outcome, risks, people, *, as_of=None, capacity=None, replicates, seed):
    """All candidates on the same people with intervals, and LightGBM against each of the others.

    Parameters
    ----------
    outcome : array of {0, 1}, shape (n,)    one for each person, repeated where he is judged repeatedly
    risks : dict of candidate -> float array, shape (n,)
    people : array, shape (n,)    the unit of the bootstrap
    as_of : datetime64 array or None
    capacity : int or None
    replicates, seed : int

    Returns
    -------
    dict    n, events, candidates (name -> metric, metric_low, metric_high; None where not estimable),
        lightgbm_against (name -> auc and brier: difference, low, high), calibration (in words)
    """
    judged = compare(
        outcome,
        risks,
        people,
        as_of=as_of,
        capacity=capacity,
        replicates=replicates,
        seed=seed,
        language="en",
    )
    table = judged.table("en")
    rows = {
        name: {key: value if isinstance(value, str) else _number(value) for key, value in row.items()}
        for name, row in table.to_dict(orient="index").items()
    }
    # Each person has one outcome, however often he is judged.
    _, first = np.unique(people, return_index=True)
    counts = {"n": len(first), "events": int(outcome[first].sum())}
    for row in rows.values():
        row |= counts
        del row["groups"]
    return {
        **counts,
        "candidates": rows,
        "lightgbm_against": {
            name: {metric: _difference(judged.bootstrap, name, metric) for metric in ("auc", "brier")}
            for name in risks
            if name != MAIN
        },
        "calibration": _calibration_in_words(rows[MAIN]),
    }


def groups_table(outcome, risk, people, labels, *, replicates, seed):
    """LightGBM's AUC and observed over expected events in groups of people.

    Parameters
    ----------
    outcome, risk, people : arrays, shape (n,)
    labels : array of str, shape (n,)    the group of each
    replicates, seed : int

    Returns
    -------
    list of dict    group, n, events, and auc, observed_expected with `_low`, `_high`; "not estimable" below
        10 events
    """
    rows = []
    for label in sorted(set(labels)):
        inside = labels == label
        _, first = np.unique(people[inside], return_index=True)
        row = {"group": str(label), "n": len(first), "events": int(outcome[inside][first].sum())}
        if min(row["events"], row["n"] - row["events"]) < FEWEST_EVENTS:
            rows.append(
                row | {"not_estimable": f"under {FEWEST_EVENTS} people with the event, or without it"}
            )
            continue
        metrics = {name: METRICS[name].function for name in ("auc", "observed_expected")}
        found = cluster_bootstrap(
            metrics,
            outcome[inside],
            {MAIN: risk[inside]},
            people[inside],
            replicates=replicates,
            seed=seed,
            language="en",
        )
        for metric in metrics:
            try:
                low, high = found.interval(MAIN, metric)
            except NotEstimable:
                low = high = np.nan
            row |= {
                metric: _number(found.estimates.loc[MAIN, metric]),
                f"{metric}_low": _number(low),
                f"{metric}_high": _number(high),
            }
        rows.append(row)
    return rows
