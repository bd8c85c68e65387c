"""From a history to a trained, calibrated and validated model."""

import numpy as np

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import Model, plain
from riskml.models.encoding import Encoding, columns_of
from riskml.models.riskgroups import risk_groups
from riskml.models.spec import ModelFile
from riskml.progress import progress
from riskml.registry.history import History
from riskml.training.data import training_data
from riskml.training.learn import Inputs, calibrated, cross_fitted, learn_candidates
from riskml.training.report import comparison_report, importance, libraries, note, split_report

__all__ = ["reference_of", "train"]

STEPS = 10
QUANTILES = 201


def reference_of(risk):
    """How calibrated risk is spread in the last window: what one risk is relative to."""
    return plain(
        {
            "mean_risk": risk.mean(),
            "quantiles": np.quantile(risk, np.linspace(0, 1, QUANTILES)),
            "size": len(risk),
        }
    )


def _card(spec, history, catalogue, seed):
    return {
        "label": dict(spec.label),
        "limits": dict(spec.limits or {}),
        "outcome": spec.outcome.model_dump(mode="json"),
        "estimand": {language: spec.outcome.estimand_text(language) for language in LANGUAGES},
        "horizon": spec.outcome.horizon,
        "capacity": spec.capacity,
        "history": {"hash": history.hash, "synthetic": bool(history.manifest.get("synthetic", False))},
        "catalogue": catalogue.hash,
        "seed": seed,
        "libraries": libraries(),
    }


def train(spec, history, *, catalogue, seed=0, language="es"):
    """Train, calibrate and validate a model on one history.

    Baselines, logistic regression and LightGBM are learnt in the train window, tuned in the tune window,
    refitted on both, calibrated in the calibrate window and judged in the evaluate window, with a gap of
    horizon plus reporting lag between each and the next. With `shares: {develop:, evaluate:}` folds of people
    in the develop window take the place of the first three, and one gap that of three. The model that is
    judged is the model that is returned.

    Parameters
    ----------
    spec : ModelFile, or dict as in a model file
    history : History, or what `History.of` takes
    catalogue : Catalogue
    seed : int         of every random choice: the same inputs and seed give the same version
    language : str     of progress bars and of what cannot be estimated

    Returns
    -------
    Model
        `.report` holds what was measured, plain JSON: split (windows, events as n/N, exits), comparison (all
        candidates with intervals), chosen, simplest_not_worse, calibrators, calibration_curve,
        calibration_groups, roc, precision_recall, tuning, importance, unseen_aggressors, notes, model (the
        file)

    Raises
    ------
    RiskmlError    an empty history, too short a time, one class only, too few events, a history without what
        the catalogue reads

    Notes
    -----
    Features are read on the visible timeline up to each assessment, labels strictly after it and as they were
    known when the next window began.
    """
    spec, history = ModelFile.of(spec), History.of(history)
    names = spec.features.chosen(catalogue)
    with progress(message("training.training", language, name=spec.label[language]), total=STEPS) as step:
        data = training_data(spec, history, catalogue, seed=seed, step=step)
        split = data.split
        encoding = Encoding.fit(data.matrix.iloc[split.first], columns_of(catalogue, names))
        if not encoding.columns:
            raise RiskmlError(
                "no feature varies among the training assessments",
                where=f"models/{spec.name}.yml",
                mend="Check that the history holds incidents, factors and measures, not cases alone.",
            )
        design = encoding.design(data.matrix)
        step()
        people, at, later = data.aggressor, split.calibrate, split.rows["evaluate"]
        inputs = Inputs(design, data.yardsticks)
        learn = _cross_fitted if split.cross_fitted else _in_windows
        candidates = learn(data, inputs, spec, encoding, seed, step)
        step()
    risks = {name: c.risk(inputs, later) for name, c in candidates.items()}
    chosen = candidates[spec.learners.main]
    seen = np.unique(people[np.concatenate([split.refit, at])])
    judged, notes = comparison_report(
        data.outcome[later],
        risks,
        people[later],
        chosen=chosen.name,
        as_of=data.as_of[later],
        capacity=spec.capacity,
        replicates=spec.bootstrap,
        seed=seed,
        unseen=~np.isin(people[later], seen),
        language=language,
    )
    listed = importance(chosen.learner, encoding, design[later], catalogue, seed=seed)
    report = {
        "model": spec.to_document(),
        "split": {"by": spec.split.by, **split_report(data)},
        **judged,
        "tuning": {c.name: plain(c.tuning) for c in candidates.values() if c.tuning},
        "calibrators": {c.name: plain(c.calibrators) for c in candidates.values()},
        "importance": listed,
        "constant_columns": list(encoding.constant),
        "notes": _notes(spec, history, candidates, listed, data) + notes,
    }
    both = np.concatenate([at, later])
    groups = risk_groups(
        np.concatenate([chosen.calibrate_risk, risks[chosen.name]]), data.outcome[both], people[both]
    )
    return Model(
        spec.name,
        chosen.learner,
        encoding,
        chosen.calibrator,
        catalogue=catalogue,
        risk_groups=plain(groups),
        reference=reference_of(risks[chosen.name]),
        card=plain(_card(spec, history, catalogue, seed)),
        report=report,
    )


def _in_windows(data, inputs, spec, encoding, seed, step):
    """Candidates learnt, tuned and calibrated in windows of their own: dict of name -> Candidate."""
    rows, people = data.split.rows, data.aggressor
    candidates = learn_candidates(
        inputs,
        data.outcome,
        (rows["train"], rows["tune"], data.split.refit),
        people,
        spec,
        encoding,
        rows_per_person=len(rows["train"]) / len(np.unique(people[rows["train"]])),
        seed=seed,
        step=step,
    )
    return {
        c.name: calibrated(
            c, inputs, data.outcome, rows["calibrate"], people, kinds=spec.calibrators, seed=seed
        )
        for c in candidates
    }


def _cross_fitted(data, inputs, spec, encoding, seed, step):
    """Candidates tuned and calibrated on held-out people of the develop window: dict of name -> Candidate."""
    made = cross_fitted(
        inputs,
        data.outcome,
        data.split.rows["develop"],
        data.group,
        spec,
        encoding,
        seed=seed,
        step=step,
    )
    return {candidate.name: candidate for candidate in made}


def _notes(spec, history, candidates, listed, data):
    """What a reader must know before looking at any figure."""
    notes = []
    if history.manifest.get("synthetic"):
        notes.append(note("synthetic"))
    if not data.split.prospective:
        notes.append(note("not_prospective"))
    for name, column in (("incidents", spec.baselines.incidents), ("days_since", spec.baselines.days_since)):
        if name not in candidates:
            notes.append(note("baseline_missing", column=column))
    exposures = sum(1 for entry in listed if entry.get("exposure"))
    if exposures:
        notes.append(note("exposures_used", count=exposures))
    return notes
