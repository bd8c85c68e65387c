"""The candidates of one training run: tuned in a window, or on held-out people of the develop window."""

from dataclasses import dataclass, field, replace

import numpy as np

from riskml.models.calibration import Calibrator, choose_calibrator
from riskml.models.estimators import one_number
from riskml.models.likelihood import log_loss
from riskml.models.linear import elastic_net_path, prepare
from riskml.models.search import search_trees
from riskml.models.trees import boost
from riskml.training.crossfit import cross_fit

__all__ = [
    "Candidate",
    "Inputs",
    "calibrated",
    "candidates_of_split",
    "cross_fitted",
    "elastic_net",
    "learn_candidates",
]

PATIENCE = 3  # weaker penalties that may be worse before the path ends


@dataclass(frozen=True)
class Inputs:
    """What the candidates read of each assessment.

    Attributes
    ----------
    design : float array, shape (n, p)
    baselines : dict of candidate -> float array, shape (n,)    the number that each plain baseline reads
    """

    design: np.ndarray
    baselines: dict

    @property
    def simple(self):
        """Names of the plain baselines, from simple to informed; the first reads nothing: tuple of str."""
        return ("base_rate", *self.baselines)

    def of(self, name, rows):
        """What one candidate reads of some rows: float array of shape (rows, columns)."""
        if name in self.baselines:
            return self.baselines[name][rows][:, None]
        return self.design[rows, :0] if name == "base_rate" else self.design[rows]


@dataclass(frozen=True)
class Candidate:
    """One way of predicting, and how it came about.

    Attributes
    ----------
    name : str                    "base_rate", "incidents", "days_since", "analyst_level", a proxy instrument,
        "elastic_net", "by_relationship", "lightgbm" or "blend"
    learner : BoostedTrees, LinearModel, ByStratum or Blend
    calibrator : Calibrator
    tuning : list of dict         settings with their log loss in the tune window or on held-out people
    calibrators : list of dict    calibrators with their cross-validated Brier scores
    calibrate_risk : float array  cross-validated risk in the calibrate (develop) window
    """

    name: str
    learner: object
    calibrator: Calibrator = field(default_factory=Calibrator)
    tuning: list = field(default_factory=list)
    calibrators: list = field(default_factory=list)
    calibrate_risk: np.ndarray | None = None

    def margin(self, inputs, rows):
        """Log-odds before calibration of some rows of Inputs: float array."""
        return self.learner.margin(inputs.of(self.name, rows))

    def risk(self, inputs, rows):
        """Calibrated risk of some rows of Inputs: float array."""
        return self.calibrator.risk(self.margin(inputs, rows))


def elastic_net(design, outcome, rows, settings, directions=()):
    """Elastic-net logistic regression, both penalties tuned on the tune window, then refitted with them.

    Parameters
    ----------
    design : float array, shape (n, p)
    outcome : array of {0, 1}, shape (n,)
    rows : (train, tune, refit)    positions
    settings : ElasticNetPart
    directions : sequence of {-1, 0, 1}    monotone direction of each design column

    Returns
    -------
    Candidate    before calibration
    """
    train, tune, refit = rows
    tuning, shared = [], {"directions": directions}
    prepared = prepare(design[train], directions=directions)
    held = prepared[0].transform(design[tune])
    for l1_ratio in settings.l1_ratio:
        losses = []

        def worse_again(model, losses=losses):
            losses.append(log_loss(outcome[tune], model.margin_of(held)))
            return len(losses) > PATIENCE and min(losses[-PATIENCE:]) > min(losses)

        path = elastic_net_path(
            design[train],
            outcome[train],
            l1_ratio=l1_ratio,
            prepared=prepared,
            enough=worse_again,
            **shared,
        )
        tuning += [
            {"l1_ratio": l1_ratio, "strength": strength, "log_loss": loss}
            for (strength, _), loss in zip(path, losses, strict=True)
        ]
    best = min(tuning, key=lambda row: row["log_loss"])
    same = [row for row in tuning if row["l1_ratio"] == best["l1_ratio"]]
    strengths = [row["strength"] for row in same if row["strength"] >= best["strength"]]
    path = elastic_net_path(
        design[refit], outcome[refit], strengths=strengths, l1_ratio=best["l1_ratio"], **shared
    )
    return Candidate("elastic_net", path[-1][1], tuning=[dict(row, chosen=row is best) for row in tuning])


def _lightgbm(design, outcome, rows, people, settings, directions, rows_per_person, seed):
    """Settings, and size by early stopping, tuned on the tune window and refitted with the chosen ones."""
    train, tune, refit = rows
    shared = {
        "directions": directions,
        "seed": seed,
        "rows_per_person": rows_per_person,
    }
    tuning = search_trees(
        design,
        outcome,
        (train, tune),
        people,
        settings.grid,
        trials=settings.trials,
        rounds=settings.rounds,
        early_stopping=settings.early_stopping,
        **shared,
    )
    best = next(row for row in tuning if row["chosen"])
    learner = boost(design[refit], outcome[refit], best["settings"], best["rounds"], **shared)
    return Candidate("lightgbm", learner, tuning=tuning)


def cross_fitted(inputs, outcome, rows, people, spec, encoding, *, flexible=True, seed=0, step=lambda: None):
    """The same candidates and their mixture, tuned and calibrated on held-out people of one window.

    Parameters
    ----------
    inputs : Inputs
    outcome : array of {0, 1}, shape (n,)
    rows : int array              positions of the develop window
    people : array, shape (n,)    groups that are kept whole
    spec : ModelFile
    encoding : Encoding           of the design
    flexible : bool               False: without LightGBM, and so without a mixture
    seed : int
    step : callable               called after each of three parts

    Returns
    -------
    list of Candidate, calibrated, from simple to flexible
    """
    trees, linear = spec.learners.lightgbm, spec.learners.elastic_net
    fitted = cross_fit(
        inputs.design[rows],
        outcome[rows],
        people[rows],
        seed=seed,
        grid=trees.grid,
        l1_ratios=linear.l1_ratio,
        directions=encoding.directions if spec.learners.monotone else (),
        baselines={name: inputs.of(name, rows) for name in inputs.baselines},
        kinds=spec.calibrators,
        flexible=flexible,
        step=step,
    )
    return [
        Candidate(
            name,
            learner,
            fitted.fitted[name],
            fitted.tuning.get(name, []),
            fitted.calibrators[name],
            fitted.risks[name],
        )
        for name, learner in fitted.learners.items()
    ]


def learn_candidates(
    inputs,
    outcome,
    rows,
    people,
    spec,
    encoding,
    *,
    flexible=True,
    rows_per_person=1.0,
    seed=0,
    step=lambda: None,
):
    """The plain baselines, the logistic regression and LightGBM, before calibration.

    Parameters
    ----------
    inputs : Inputs
    outcome : array of {0, 1}, shape (n,)
    rows : (train, tune, refit)    positions
    people : array, shape (n,)     whose row it is
    spec : ModelFile
    encoding : Encoding            of the design
    flexible : bool                False: without LightGBM
    rows_per_person : float        mean number of training rows of one person
    seed : int
    step : callable                called after each candidate

    Returns
    -------
    list of Candidate, from simple to flexible
    """
    refit = rows[2]
    design = inputs.design
    directions = encoding.directions if spec.learners.monotone else ()
    candidates = [
        Candidate(name, one_number(inputs.of(name, refit), outcome[refit])) for name in inputs.simple
    ]
    step()
    candidates.append(elastic_net(design, outcome, rows, spec.learners.elastic_net, directions))
    step()
    if flexible:
        candidates.append(
            _lightgbm(
                design,
                outcome,
                rows,
                people,
                spec.learners.lightgbm,
                directions,
                rows_per_person,
                seed,
            )
        )
    step()
    return candidates


def candidates_of_split(data, inputs, spec, encoding, *, flexible=True, seed=0, step=lambda: None):
    """Every candidate, learnt, tuned and calibrated as the split of the assessments says.

    Parameters
    ----------
    data : TrainingData    its `split` and `outcome` say what may be learnt from
    inputs : Inputs
    spec : ModelFile
    encoding : Encoding    of the design
    flexible : bool        False: without LightGBM and its mixture, where the sample size refuses them
    seed : int
    step : callable        called after each of three parts

    Returns
    -------
    dict of name -> Candidate, calibrated, from simple to flexible
    """
    rows, people = data.split.rows, data.aggressor
    shared = {"flexible": flexible, "seed": seed, "step": step}
    if data.split.cross_fitted:
        made = cross_fitted(inputs, data.outcome, rows["develop"], data.group, spec, encoding, **shared)
        return {candidate.name: candidate for candidate in made}
    made = learn_candidates(
        inputs,
        data.outcome,
        (rows["train"], rows["tune"], data.split.refit),
        people,
        spec,
        encoding,
        rows_per_person=len(rows["train"]) / len(np.unique(people[rows["train"]])),
        **shared,
    )
    at = rows["calibrate"]
    return {
        c.name: calibrated(c, inputs, data.outcome, at, people, kinds=spec.calibrators, seed=seed)
        for c in made
    }


def calibrated(candidate, inputs, outcome, rows, people, *, kinds, seed=0):
    """The candidate with the calibrator that has the lowest Brier score in the calibrate window.

    Parameters
    ----------
    candidate : Candidate
    inputs, outcome, people : of all rows
    rows : int array           positions of the calibrate window
    kinds : iterable of str    calibrators to choose among
    seed : int

    Returns
    -------
    Candidate
    """
    calibrator, table, risk = choose_calibrator(
        candidate.margin(inputs, rows), outcome[rows], people[rows], kinds=kinds, seed=seed
    )
    return replace(candidate, calibrator=calibrator, calibrators=table, calibrate_risk=risk)
