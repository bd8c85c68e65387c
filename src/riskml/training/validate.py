"""Validate a trained model: everything that a reviewer needs to judge it, in one document."""

from threadpoolctl import threadpool_limits

from riskml.messages import check_language, message
from riskml.models.bundle import plain
from riskml.progress import progress
from riskml.training.backtested import backtest
from riskml.training.found_leaks import SHUFFLES, leakage_found
from riskml.training.groups_audited import audited
from riskml.training.judged_figures import (
    calibration_figures,
    evaluation_size,
    performance,
    recalibration_advice,
    unseen_performance,
)
from riskml.training.levels_agreed import costs_of_levels, level_agreement
from riskml.training.rebuilt import rebuilt
from riskml.training.refits import refitted
from riskml.training.report import libraries
from riskml.training.treatment import treatment_sensitivity
from riskml.training.usefulness import lead_time, usefulness
from riskml.training.validation_words import in_words

__all__ = ["FORMAT", "validate"]

FORMAT = "riskml validation 1"
STEPS = 4


def validate(model, history, *, levels=None, refits=200, origins=4, seed=0, language="es"):
    """Judge a model on the window that it was judged on, and on what its figures hang.

    The rows are rebuilt from what the model says of itself (its file, catalogue and seed); nothing is judged
    where the bundle predicts otherwise than its report says.

    Parameters
    ----------
    model : Model                   of `riskml.train`
    history : History, or what `History.of` takes    the one that it was trained on
    levels : LevelRules or None     rules of the levels; only those on this model are looked at
    refits : int                    bootstrap refits behind stability; 200 at least are advised
    origins : int                   origins of the backtest, at least 4
    seed : int                      of every draw; the same arguments give the same document
    language : str                  of progress bars

    Returns
    -------
    dict    plain JSON: format, model, history, seed, libraries, settings; sample_size, performance, unseen,
        backtest, calibration, utility, levels, agreement, stability, fairness, leakage, treatment,
        recalibration. What cannot be estimated is {"missing": {es, en}}. No case and no person is named

    Raises
    ------
    RiskmlError    another history, a model of a frame, fewer than 4 origins
    """
    check_language(language)
    # Its thousands of small fits wait for threads longer than they compute: up to four times as long.
    with threadpool_limits(limits=1, user_api="blas"):
        return _document(model, history, levels, refits, origins, seed, language)


def _document(model, history, levels, refits, origins, seed, language):
    with progress(message("validated.rebuilding", language), total=STEPS) as step:
        found = rebuilt(model, history, seed=seed, language=language, step=step)
    replicates = found.spec.bootstrap
    shared = {"replicates": replicates}
    performed = performance(found)
    by_group, fairness = audited(found, **shared)
    utility = {**usefulness(found, **shared), "lead_time": lead_time(found, **shared)}
    return plain(
        {
            "format": FORMAT,
            "model": {"name": model.name, "version": model.version},
            "history": found.history.hash,
            "seed": seed,
            "libraries": libraries(),
            "settings": _settings(refits, origins, replicates),
            "sample_size": evaluation_size(found),
            "performance": performed,
            "unseen": unseen_performance(found, **shared),
            "backtest": backtest(found, origins=origins, **shared),
            "calibration": {**calibration_figures(found), "by_group": by_group},
            "utility": utility,
            "levels": costs_of_levels(found, levels),
            "agreement": level_agreement(found, levels, **shared),
            "stability": refitted(found, levels, refits=refits),
            "fairness": fairness,
            "leakage": leakage_found(found, **shared),
            "treatment": treatment_sensitivity(found, **shared),
            "recalibration": recalibration_advice(found, performed["metrics"], **shared),
        }
    )


def _settings(refits, origins, replicates):
    return {
        "refits": refits,
        "origins": origins,
        "replicates": replicates,
        "shuffles": SHUFFLES,
        "words": in_words("settings", refits=refits, origins=origins, replicates=replicates),
    }
