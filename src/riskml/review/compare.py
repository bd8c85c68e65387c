"""Two versions of one model on the same cases: how far they agree, and who would change level."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from riskml.errors import RiskmlError
from riskml.features.matrix import build_features
from riskml.registry.history import History
from riskml.scoring.score import score
from riskml.validation.agreement import weighted_kappa
from riskml.validation.bootstrap import cluster_weights, percentile_interval
from riskml.validation.forecast import NotEstimable
from riskml.vocabulary import ABSTAINED, LEVELS

__all__ = ["SIDES", "SUGGESTED", "Comparison", "compare_versions"]

SIDES = ("champion", "challenger")
SUGGESTED = (ABSTAINED, *LEVELS)  # what a version may suggest
METRICS = (
    "auc",
    "average_precision",
    "scaled_brier",
    "calibration_intercept",
    "calibration_slope",
    "ici",
    "recall_at_capacity",
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two versions say of the same open cases.

    Attributes
    ----------
    name : str                of the model
    as_of : Timestamp         the moment of assessment, on the registry's visible timeline
    history_hash : str
    versions : dict of side -> str        sides: champion, challenger
    cases : DataFrame, index case_id (pseudonyms), in the challenger's order of risk
        champion_risk, challenger_risk (calibrated), champion_rank, challenger_rank (1 highest),
        champion_level, challenger_level (of SUGGESTED), change (levels up, or down where negative; missing
        where one of them suggests none)
    figures : dict of name -> (estimate, low, high) or NotEstimable
        kappa (quadratic-weighted, of the levels), rank_correlation (Spearman), difference (mean challenger
        minus champion risk), all with 95 % intervals over aggressors
    capacity : (common, k)    cases that both have among their k highest risks, k the model's capacity
    flows : DataFrame         cases by champion's level (rows) and challenger's (columns)
    by_rules_alone : bool     the versions read different catalogues: the levels are those that the rules give
        on the day, without those that are held through a silence and without abstention
    judged : DataFrame        index metric; for each side its value, low and high as its own report has them
    windows : dict of side -> dict    first, last, assessments, events of the window it was judged on
    """

    name: str
    as_of: pd.Timestamp
    history_hash: str
    versions: dict
    cases: pd.DataFrame
    figures: dict
    capacity: tuple
    flows: pd.DataFrame
    judged: pd.DataFrame
    windows: dict
    by_rules_alone: bool = False

    @property
    def changed(self):
        """The cases whose level differs: those without one on a side first, then those that rise most."""
        moved = self.cases[self.cases["champion_level"] != self.cases["challenger_level"]]
        order = ["change", "challenger_rank"]
        return moved.sort_values(order, ascending=[False, True], kind="stable", na_position="first")


def compare_versions(
    champion, challenger, history, as_of, *, levels, catalogue, others=(), replicates=200, seed=0
):
    """Score all open cases with two versions of a model, everything else equal.

    Where all models read the workspace's catalogue, each side's level is what scoring would suggest. Versions
    of different catalogues can be compared too: each reads the features that it was trained on, rules on
    columns read the workspace's, and the levels are those of the rules alone.

    Parameters
    ----------
    champion, challenger : Model    of one name
    history : History
    as_of : Timestamp               in the registry's local time
    levels : LevelRules
    catalogue : Catalogue           the workspace's
    others : list of Model          the other models that the rules of the levels read
    replicates, seed : int          of the bootstrap over aggressors

    Returns
    -------
    Comparison

    Raises
    ------
    RiskmlError    one and the same version, no open case, a model without a catalogue, one that gives no risk

    Notes
    -----
    Only what was visible at `as_of` is read; outcomes are never read. The reports' own figures were measured
    on each version's own window, which may differ.
    """
    if champion.version == challenger.version:
        raise RiskmlError(
            f"version {champion.version} cannot be compared with itself",
            where=f'model "{champion.name}"',
            mend="Name another with --challenger, or train one.",
        )
    history, moment = History.of(history), pd.Timestamp(as_of).as_unit("us")
    cohort = history.open_cases(moment)
    if not len(cohort):
        raise RiskmlError(f"no case is open on {moment:%Y-%m-%d}", where="as_of")
    read = _Matrices(history, cohort)
    fixed = [m for m in others if m.name != champion.name]
    every = {_catalogue(m).hash for m in (champion, challenger, *fixed)} | {catalogue.hash}
    judge = _as_scored if len(every) == 1 else _by_rules
    columns = {}
    for side, model in zip(SIDES, (champion, challenger), strict=True):
        risk, level = judge(read, model, fixed, moment, levels, catalogue)
        columns |= {
            f"{side}_risk": risk,
            f"{side}_rank": rankdata(-risk, method="min").astype(int),
            f"{side}_level": level,
        }
    cases = pd.DataFrame(columns, index=pd.Index(cohort["case_id"].to_numpy(), name="case_id"))
    place = {level: number for number, level in enumerate(LEVELS)}
    places = {side: cases[f"{side}_level"].map(place) for side in SIDES}
    cases["change"] = (places["challenger"] - places["champion"]).astype("Int64")
    people = _aggressors(history, cohort, moment)
    figures = _figures(cases, people, replicates, seed)
    judged = {side: _judged(m) for side, m in zip(SIDES, (champion, challenger), strict=True)}
    k = int(challenger.report.get("model", {}).get("capacity") or min(40, len(cases)))
    return Comparison(
        champion.name,
        moment,
        history.hash,
        {"champion": champion.version, "challenger": challenger.version},
        cases.sort_values("challenger_rank", kind="stable"),
        figures,
        (_common(cases, k), min(k, len(cases))),
        pd.crosstab(cases["champion_level"], cases["challenger_level"]).reindex(
            index=SUGGESTED, columns=SUGGESTED, fill_value=0
        ),
        pd.concat(judged, axis=1).dropna(how="all"),
        {side: _window(m) for side, m in zip(SIDES, (champion, challenger), strict=True)},
        by_rules_alone=judge is _by_rules,
    )


def _as_scored(read, model, others, moment, levels, catalogue):
    """Risk of each case and the level that scoring suggests: two arrays, in the cohort's order."""
    opinion = score(
        [model, *others], read.history, moment, levels=levels, catalogue=catalogue, build=read.build
    )
    found = opinion.cases.loc[read.cohort["case_id"].to_numpy()]
    return found[f"{model.name}_risk"].to_numpy(), found["suggested_level"].to_numpy()


def _by_rules(read, model, others, moment, levels, catalogue):
    """Risk of each case and the level that the rules give it on the day: two arrays, as `_as_scored`."""
    models = {m.name: m for m in (*others, model)}
    risks = {name: m.predict(read.of(_catalogue(m))) for name, m in models.items()}
    rules = levels.on(catalogue)
    level, _ = rules.suggest(risks, rules.thresholds(models), read.of(catalogue))
    return risks[model.name], level


class _Matrices:
    """The features of one cohort by each catalogue, computed once."""

    def __init__(self, history, cohort):
        self.history, self.cohort, self.known = history, cohort, {}

    def of(self, catalogue):
        if catalogue.hash not in self.known:
            self.known[catalogue.hash] = build_features(self.history, self.cohort, catalogue)
        return self.known[catalogue.hash]

    def build(self, history, cohort, catalogue):
        """Features of any cohort, as `score` asks for them; those of this one are computed once."""
        own = history is self.history and cohort.equals(self.cohort)
        return self.of(catalogue) if own else build_features(history, cohort, catalogue)


def _catalogue(model):
    if not hasattr(model, "predict"):
        raise RiskmlError(
            f'model "{model.name}" ({model.version}) gives relative risk and pattern, no risk and no level',
            where="riskml review compare",
            mend="Each version's report holds its table of prior, data and posterior: lay them side by side.",
        )
    if model.catalogue is None:
        raise RiskmlError(
            f'model "{model.name}" ({model.version}) was trained on a frame: it has no catalogue',
            where="riskml review compare",
            mend="Compare models that `riskml train` made.",
        )
    return model.catalogue


def _aggressors(history, cohort, moment):
    """The aggressor of each case by the version of the case in force at the moment: array of labels."""
    columns = ["case_id", "aggressor_id", "occurred_at", "recorded_at", "superseded_at"]
    versions = history.table("cases").select(columns).to_pandas()
    known = versions[["occurred_at", "recorded_at"]].max(axis=1, skipna=False) <= moment
    standing = versions["superseded_at"].isna() | (versions["superseded_at"] > moment)
    current = versions[known & standing].sort_values(["recorded_at", "occurred_at"], kind="stable")
    current = current.drop_duplicates("case_id", keep="last").set_index("case_id")["aggressor_id"]
    return current.reindex(cohort["case_id"].to_numpy()).to_numpy()


def _figures(cases, people, replicates, seed):
    first, second = (cases[f"{side}_risk"].to_numpy() for side in SIDES)
    levels = [cases[f"{side}_level"].to_numpy() for side in SIDES]
    statistics = {
        "rank_correlation": lambda rows: _spearman(first[rows], second[rows]),
        "difference": lambda rows: float(np.mean(second[rows] - first[rows])),
    }
    try:
        kappa = weighted_kappa(*levels, people, replicates=replicates, seed=seed)
    except NotEstimable as reason:
        kappa = reason
    figures, everyone = {"kappa": kappa}, np.arange(len(cases))
    try:
        draws = [np.repeat(everyone, w.astype(int)) for w in cluster_weights(people, replicates, seed=seed)]
    except RiskmlError:
        return figures | dict.fromkeys(statistics, NotEstimable("few_replicates", count=0, total=replicates))
    for name, statistic in statistics.items():
        estimate = statistic(everyone)
        if np.isnan(estimate):
            figures[name] = NotEstimable("few_replicates", count=0, total=replicates)
            continue
        try:
            figures[name] = (estimate, *percentile_interval([statistic(rows) for rows in draws]))
        except NotEstimable as reason:
            figures[name] = reason
    return figures


def _spearman(first, second):
    """Rank correlation, float; not a number where one of them says the same of everybody."""
    a, b = rankdata(first), rankdata(second)
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else float("nan")


def _common(cases, k):
    """How many cases stand among the k highest risks of both."""
    highest = [
        set(cases.sort_values([f"{side}_rank"], kind="stable").index[: min(k, len(cases))]) for side in SIDES
    ]
    return len(highest[0] & highest[1])


def _judged(model):
    """What a version's own report says of it: DataFrame, index METRICS; value, low, high."""
    report = model.report
    rows = [r for r in report.get("comparison", ()) if r.get("candidate") == report.get("chosen")]
    row = rows[0] if rows else {}
    return pd.DataFrame(
        {
            "value": [row.get(metric, np.nan) for metric in METRICS],
            "low": [row.get(f"{metric}_low", np.nan) for metric in METRICS],
            "high": [row.get(f"{metric}_high", np.nan) for metric in METRICS],
        },
        index=pd.Index(METRICS, name="metric"),
        dtype=float,
    )


def _window(model):
    windows = model.report.get("split", {}).get("windows", ())
    found = [w for w in windows if w["window"] == "evaluate"]
    keys = ("first", "last", "assessments", "events")
    return {key: found[0].get(key) for key in keys} if found else {}
