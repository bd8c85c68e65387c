"""A trained model with its risks moved onto newer assessments: a version of its own, not a new model."""

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.features.matrix import build_features
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import Model, plain
from riskml.models.lethal_bundle import LethalBundle
from riskml.models.likelihood import logit
from riskml.models.riskgroups import risk_groups
from riskml.models.spec import ModelFile
from riskml.outcomes.cohort import assessments
from riskml.outcomes.labels import label_outcomes
from riskml.registry.history import History
from riskml.training.data import people_of
from riskml.training.train import reference_of
from riskml.validation.recalibration import advised_kind, recalibrate, recalibrated

__all__ = ["recalibrate_model"]


def recalibrate_model(model, history, *, since=None, kind=None, seed=0, language="es"):
    """Move a model's risks onto the newest assessments whose outcomes are known in full.

    Ranking, reasons and candidates stay those of the model; what changes is the height of its risks (and,
    with `intercept_slope`, their spread). The result is reviewed as any version is.

    Parameters
    ----------
    model : Model
    history : History, or what `History.of` takes
    since : date as text, or None    first assessment of the window; None: the first of the window that judged
        the model. None may be one that the model was learnt or calibrated on
    kind : "intercept", "intercept_slope" or None    None: the least that the window's calibration asks for
    seed : int                       of folds and bootstrap
    language : str                   of progress bars

    Returns
    -------
    Model or None    None where calibration asks for nothing and no kind was named; `.card["recalibration"]`
        holds the step with its own version, `.card["base"]` the version that it began from

    Raises
    ------
    RiskmlError     a window that reaches into what the model was learnt on, or holds no assessment; a lethal
        model, which has no risk to move
    NotEstimable    (a ValueError) too few events, or a ranking that no longer holds
    """
    if isinstance(model, LethalBundle):
        raise RiskmlError(
            "a lethal model gives relative risk: there is no height of risks to move",
            where=model.name,
            mend=f"`riskml train {model.name}` learns from the cases that were reviewed since.",
        )
    history, spec = History.of(history), ModelFile.of(model.report["model"])
    windows = {w["window"]: w for w in model.report["split"]["windows"]}
    if "evaluate" not in windows:
        raise RiskmlError("was trained on a frame, not on a history", where=model.name)
    learnt = max(w["last"] for name, w in windows.items() if name != "evaluate")
    first = pd.Timestamp(since or windows["evaluate"]["first"])
    if first <= pd.Timestamp(learnt):
        raise RiskmlError(
            f"the model was learnt on assessments up to {learnt}",
            where=f"window from {first:%Y-%m-%d}",
            mend="Recalibrate on later ones: predictions for what it was learnt on are too good.",
        )
    cohort, outcome = _followed_up(spec, history, first)
    people = people_of(history, cohort)["aggressor_id"].to_numpy(dtype=object).astype(str)
    risk = model.predict(build_features(history, cohort, model.catalogue))
    if kind is None:
        step = _step(risk, outcome, people, cohort, "intercept", model, seed, language)
        kind = advised_kind(step.before)
        if kind == "none":
            return None
    step = _step(risk, outcome, people, cohort, kind, model, seed, language)
    return _moved(model, step, risk, outcome, people)


def _followed_up(spec, history, first):
    """The assessments from a day on whose outcome is known in full, with it."""
    cohort = assessments(
        history, every=spec.cohort.every, at_contacts=spec.cohort.at_contacts, start=spec.cohort.start
    )
    cohort = cohort[cohort["as_of"] >= first].reset_index(drop=True)
    outcome = label_outcomes(history, cohort, spec.outcome)["outcome"].to_numpy(dtype=float)
    known = ~np.isnan(outcome)
    if not known.any():
        raise RiskmlError(
            "no assessment has been followed up for the whole horizon and reporting lag",
            where=f"window from {first:%Y-%m-%d}",
            mend="Take an earlier window, or wait until the history reaches further.",
        )
    return cohort[known].reset_index(drop=True), outcome[known]


def _step(risk, outcome, people, cohort, kind, model, seed, language):
    dates = cohort["as_of"].dt.strftime("%Y-%m-%d")
    return recalibrate(
        logit(risk),
        outcome,
        people,
        kind=kind,
        base=model.version,
        first=dates.min(),
        last=dates.max(),
        seed=seed,
        language=language,
    )


def _moved(model, step, risk, outcome, people):
    """The model with the step behind its calibrator, and with what follows from its risks made anew."""
    moved = step.risk(risk)
    remark = {
        language: message("training.recalibrated", language, base=model.version, words=step.words()[language])
        for language in LANGUAGES
    }
    kept = [entry for entry in model.report["notes"] if entry["code"] not in ("slope_off", "recalibrated")]
    return Model(
        model.name,
        model.learner,
        model.encoding,
        recalibrated(model.calibrator, step),
        catalogue=model.catalogue,
        risk_groups=plain(risk_groups(moved, outcome, people)),
        reference=model.reference | reference_of(moved),
        thresholds=model.thresholds,
        card=model.card | {"base": model.version, "recalibration": plain(step.to_document())},
        report=model.report | {"notes": [*kept, {"code": "recalibrated", **remark}]},
    )
