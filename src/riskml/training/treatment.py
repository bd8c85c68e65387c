"""Responses as exposures: what the risk is a risk under, and how much of it hangs on what was done."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from riskml.features.formulas import with_formulas
from riskml.features.streams import of_nothing
from riskml.messages import LANGUAGES
from riskml.models.bundle import plain
from riskml.training.held_recipe import held_recipe, learning_rows, reading
from riskml.training.rebuilt import thinned
from riskml.training.refits import MOST_LEARNT
from riskml.training.validation_words import in_words, missing
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.fairness import flagged_by_capacity
from riskml.validation.forecast import NotEstimable
from riskml.validation.metrics import METRICS

__all__ = ["at_reference", "exposures_of", "treatment_sensitivity"]

_METRICS = ("auc", "brier", "log_loss")


def exposures_of(model):
    """The columns that a model reads of what institutions did: tuple of FeatureColumn."""
    read = set(model.columns)
    return tuple(column for column in model.catalogue.columns if column.exposure and column.name in read)


def at_reference(matrix, catalogue):
    """A matrix as if no response had ever been recorded: counts 0, states absent, days since missing.

    Formulas follow, also those that join responses with other facts.

    Parameters
    ----------
    matrix : DataFrame    of `build_features`, with the whole catalogue
    catalogue : Catalogue

    Returns
    -------
    DataFrame    a new frame
    """
    changed = {}
    for column in catalogue.columns:
        if column.exposure and not column.feature.is_formula:
            nothing = of_nothing(column) if column.kind == "number" else None
            changed[column.name] = pd.Series(nothing, index=matrix.index, dtype=matrix[column.name].dtype)
    return with_formulas(matrix.assign(**changed), catalogue)


def treatment_sensitivity(found, *, replicates):
    """What becomes of risks with responses at their reference, and of the recipe without response columns.

    Neither is the risk had nothing been done: that would need what drives responses to be known and recorded.

    Parameters
    ----------
    found : Rebuilt
    replicates : int    of the bootstrap over aggressors

    Returns
    -------
    dict    estimand (words), exposures (column, label), days (blocks in which each case counts once),
        at_reference, without_exposures, words; or why it is missing
    """
    exposures = exposures_of(found.model)
    if not exposures:
        return missing("no_exposures")
    rows, days = thinned(found.cohort, found.later)
    return plain(
        {
            "estimand": {language: found.spec.outcome.estimand_text(language) for language in LANGUAGES},
            "exposures": [{"column": c.name, "label": dict(c.feature.label)} for c in exposures],
            "days": days,
            "at_reference": _at_reference(found, rows, replicates),
            "without_exposures": _without(found, rows, exposures, replicates),
            "words": in_words("treatment"),
        }
    )


def _mean(y, p, *, weights=None):
    return float(np.average(p, weights=weights))


def _sides(found, rows, risks, replicates):
    """Metrics and mean risk of two predictions on the same rows, and the second minus the first."""
    first, second = risks
    outcome, people = found.data.outcome[rows], found.data.aggressor[rows]
    judged = cluster_bootstrap(
        {**{name: METRICS[name].function for name in _METRICS}, "mean_risk": _mean},
        outcome,
        risks,
        people,
        replicates=replicates,
        seed=found.seed,
        language=found.language,
    )
    found_of = {}
    for metric in judged.estimates.columns:
        try:
            sides = {
                name: (judged.estimates.loc[name, metric], *judged.interval(name, metric)) for name in risks
            }
            sides["difference"] = judged.difference(second, first, metric)
        except NotEstimable as reason:
            found_of[metric] = missing(reason)
            continue
        found_of[metric] = {
            name: dict(zip(("estimate", "low", "high"), values, strict=True))
            for name, values in sides.items()
        }
    as_of, capacity = found.data.as_of[rows], found.spec.capacity
    lists = [flagged_by_capacity(risk, capacity, as_of=as_of) for risk in risks.values()]
    varied = all(np.ptp(risk) > 0 for risk in risks.values())
    return {
        "metrics": found_of,
        "rank_correlation": float(spearmanr(*risks.values()).statistic) if varied else None,
        "same_on_list": float(np.minimum(*lists).sum() / lists[0].sum()),
        "listed": float(lists[0].sum()),
    }


def _at_reference(found, rows, replicates):
    matrix = found.data.matrix.iloc[rows]
    changed = found.model.predict(at_reference(matrix, found.model.catalogue))
    own = found.risk[np.isin(found.later, rows)]
    sides = _sides(found, rows, {"model": own, "at_reference": changed}, replicates)
    return {**sides, "words": in_words("treatment_at_reference")}


def _without(found, rows, exposures, replicates):
    """The recipe with its settings held, learnt with and without the response columns on the same rows."""
    names = {column.name for column in exposures}
    encoding = found.model.encoding
    keep = np.array([i for i, c in enumerate(encoding.columns) if c.source not in names], dtype=int)
    every = np.union1d(found.data.split.refit, found.data.split.calibrate)
    learnt, days = thinned(found.cohort, every, most=MOST_LEARNT)
    seed, risks = found.model.card["seed"], {}
    try:
        for name, columns in (("with_exposures", None), ("without_exposures", keep)):
            learning = learning_rows(found, learnt, keep=columns)
            predict = held_recipe(found, keep=columns).fit(learning, np.arange(len(learnt)), seed)
            risks[name] = predict(reading(found, rows, keep=columns))
    except NotEstimable as reason:
        return missing(reason)
    sides = _sides(found, rows, risks, replicates)
    return {**sides, "learnt_days": days, "words": in_words("treatment_without")}
