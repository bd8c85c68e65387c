"""From a history to a trained, calibrated and validated model."""

import numpy as np

from riskml.errors import RiskmlError
from riskml.explain.dimensions import dimension_parts
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import Model, plain
from riskml.models.encoding import Encoding, columns_of
from riskml.models.profiles import risk_profiles
from riskml.models.riskgroups import risk_groups
from riskml.models.spec import ModelFile
from riskml.progress import progress
from riskml.registry.history import History
from riskml.training.data import training_data
from riskml.training.found_leaks import leakage_found
from riskml.training.learn import Inputs, candidates_of_split
from riskml.training.rebuilt import Rebuilt
from riskml.training.report import (
    comparison_report,
    importance,
    libraries,
    note,
    refused_row,
    split_report,
)
from riskml.training.sample_size import (
    development_verdict,
    evaluation_verdict,
    refused,
    sample_size_report,
)
from riskml.training.selection import ORDER, kept_learner, select
from riskml.training.strata import BY_RELATIONSHIP, by_relationship, strata_of, words

__all__ = ["reference_of", "train"]

STEPS = 11
AUDIT_REPLICATES, AUDIT_SHUFFLES = 100, 5  # `riskml report` runs the audit at full length
FLEXIBLE = ("lightgbm", "blend")
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
        "exclusions": dict(spec.exclusions or {}),
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

    Baselines, logistic regression and, where the sample size allows it, LightGBM are learnt in the train
    window, tuned in the tune window, refitted on both, calibrated in the calibrate window and judged in the
    evaluate window, with a gap of horizon plus reporting lag between each and the next. With `shares:
    {develop:, evaluate:}` folds of people in the develop window take the place of the first three, and one
    gap that of three. Which candidate the bundle holds is settled before the evaluate window is looked at
    (`riskml.training.selection`). The model that is judged is the model that is returned.

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
        `.report` holds what was measured, plain JSON: split (windows, events as n/N, exits), sample_size
        (asked before anything is learnt), comparison (all candidates with intervals, and those refused),
        leakage_audit (where the AUC is above 0.80), selection, relationship (one model or two), chosen,
        simplest_not_worse, calibrators, calibration_curve, calibration_groups, roc, precision_recall, tuning,
        importance, unseen_aggressors, notes, model (the file)

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
        inputs = Inputs(design, data.yardsticks)
        size, why_refused = _sample_size(spec, data, encoding)
        candidates = candidates_of_split(
            data, inputs, spec, encoding, flexible=size["development"]["met"], seed=seed, step=step
        )
        strata = strata_of(encoding, design)
        apart = strata and by_relationship(data, inputs, spec, encoding, strata, seed=seed)
        if apart:
            candidates[BY_RELATIONSHIP] = apart
        step()
    people, at, later = data.aggressor, split.calibrate, split.rows["evaluate"]
    selected = select(candidates, data.outcome[at], people[at], encoding, spec, seed=seed, language=language)
    chosen = candidates[selected["chosen"]]
    learner = kept_learner(chosen, encoding, spec)
    risks = {name: candidates[name].risk(inputs, later) for name in in_order(candidates)}
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
    judged["comparison"] += [
        refused_row(judged["comparison"][0], name, why_refused) for name in size["refused"]
    ]
    listed = importance(learner, encoding, design[later], catalogue, seed=seed)
    report = {
        "model": spec.to_document(),
        "split": {"by": spec.split.by, **split_report(data)},
        **judged,
        "sample_size": size,
        "selection": selected,
        "relationship": _relationship(data, candidates, strata, selected),
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
    model = Model(
        spec.name,
        learner,
        encoding,
        chosen.calibrator,
        catalogue=catalogue,
        risk_groups=plain(groups),
        reference=reference_of(risks[chosen.name]),
        card=plain(_card(spec, history, catalogue, seed)),
        report=report,
    )
    model.reference["profiles"] = _profiles(model, data, later, seed)
    if any(entry["code"] == "leakage" for entry in notes):
        _audit(Rebuilt(model, spec, history, data, seed, language), report)
        return model.with_report(report)
    return model


def _profiles(model, data, later, seed):
    """What became of assessments of similar profile in the window that judges: dict for the bundle."""
    parts = dimension_parts(model, data.matrix.iloc[later])
    return risk_profiles(parts, data.outcome[later], data.aggressor[later], seed=seed)


def _audit(found, report):
    """Run the leakage audit of an AUC that is too good, and add what it found to the report."""
    audit = leakage_found(found, replicates=AUDIT_REPLICATES, shuffles=AUDIT_SHUFFLES)
    report["leakage_audit"] = audit
    failed = [c for c in audit.get("checks", ()) if c["code"] != "auc" and c["verdict"] != "pass"]
    report["notes"] = report["notes"] + [
        {"code": f"leakage_{check['verdict']}", **check["words"]} for check in failed
    ]


def in_order(candidates):
    """Names of candidates from simple to flexible: the yardsticks as they come, then those of ORDER."""
    place = {name: i for i, name in enumerate(ORDER)}
    first = [name for name in candidates if place.get(name, -1) < place["elastic_net"]]
    return first + sorted(set(candidates) - set(first), key=place.get)


def _sample_size(spec, data, encoding):
    """Riley's criteria and which candidates they refuse, for the report; and why, by language: two dicts."""
    learnt, later = data.split.refit, data.split.rows["evaluate"]
    asked = spec.sample_size
    development = development_verdict(
        len(encoding.columns),
        data.outcome[learnt],
        data.aggressor[learnt],
        c_statistic=asked.c_statistic,
        shrinkage=asked.shrinkage,
    )
    evaluation = evaluation_verdict(data.outcome[later], data.aggressor[later], c_statistic=asked.c_statistic)
    flexible = FLEXIBLE if data.split.cross_fitted else FLEXIBLE[:1]
    document = sample_size_report(development, evaluation, () if development.met else flexible)
    return document, refused(development)


def _relationship(data, candidates, strata, selected):
    """Whether partners and the rest share one model, and why: dict for the report."""
    if strata is None or BY_RELATIONSHIP not in candidates:
        why = "relationship_unknown" if strata is None else "relationship_few"
        return {"strata": strata.counts(data) if strata else [], "chosen": "one_model", "words": words(why)}
    loss = {row["candidate"]: row[selected["score"]] for row in selected["scores"]}
    two = selected["chosen"] == BY_RELATIONSHIP
    shown = {"apart": f"{loss[BY_RELATIONSHIP]:.4f}", "together": f"{loss['elastic_net']:.4f}"}
    return {
        "strata": strata.counts(data),
        "chosen": "two_models" if two else "one_model",
        "words": words("relationship_two_models" if two else "relationship_one_model", **shown),
    }


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
