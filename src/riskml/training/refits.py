"""Stability: the model's recipe learnt again on other people of the same kind, at least two hundred times."""

import numpy as np

from riskml.models.bundle import plain
from riskml.training.held_recipe import held_recipe, learning_rows, reading
from riskml.training.levels_agreed import suggester
from riskml.training.rebuilt import thinned
from riskml.training.usefulness import thresholds_of
from riskml.training.validation_words import in_words, missing
from riskml.validation.forecast import NotEstimable
from riskml.validation.instability_curves import (
    calibration_instability,
    decision_instability,
    metric_instability,
    prediction_instability,
)
from riskml.validation.stability import stability

__all__ = ["refitted"]

MOST_LEARNT = 20_000  # rows of one refit
MOST_CASES = 4_000  # rows that refits judge
CURVES, POINTS, DOTS = 30, 40, 600


def refitted(found, levels=None, *, refits):
    """How far risks and levels would move with other people in the registry.

    Each refit draws aggressors with replacement and repeats the recipe on their rows, calibration included,
    with the model's settings held. To be affordable, each case counts once in a block of days, in what is
    learnt from and in what is judged; how much that alone moves risks is said beside the figures.

    Parameters
    ----------
    found : Rebuilt
    levels : LevelRules or None    to say how often the suggested level flips
    refits : int                   200 at least are advised

    Returns
    -------
    dict    as `Stability.document`, with rows {learnt, of, days, judged, judged_days, distance}, prediction
        {band, dots}, calibration {band, single}, metrics, decision; or why it is missing
    """
    data = found.data
    every = np.union1d(data.split.refit, data.split.calibrate)
    rows, days = thinned(found.cohort, every, most=MOST_LEARNT)
    cases, cases_days = thinned(found.cohort, found.later, most=MOST_CASES)
    learning, recipe = learning_rows(found, rows), held_recipe(found)
    inside = np.isin(found.later, cases)
    risk, outcome, people = found.risk[inside], data.outcome[cases], data.aggressor[cases]
    read = reading(found, cases)
    try:
        alone = recipe.fit(learning, np.arange(len(rows)), found.model.card["seed"])(read)
        judged = stability(
            lambda drawn, seed: recipe.fit(learning, drawn, seed),
            read,
            risk,
            people,
            train_people=learning.people,
            suggest=suggester(found.model, levels),
            replicates=refits,
            seed=found.seed,
            settings_held=True,
            language=found.language,
        )
    except NotEstimable as reason:
        return missing(reason)
    shown = {
        "learnt": len(rows),
        "of": len(every),
        "days": days,
        "judged": len(cases),
        "judged_days": cases_days,
        "distance": float(np.abs(alone - risk).mean()),
    }
    thin = {"rows": f"{len(rows):,}", "of": f"{len(every):,}", "days": days}
    shown["words"] = in_words("refit_rows", distance=f"{100 * shown['distance']:.2f}", **thin)
    return plain({**judged.document(), "rows": shown, **_curves(judged, outcome, found.seed)})


def _curves(judged, outcome, seed):
    """The data of the instability plots, as lists of rows; a part that cannot be estimated says why."""
    band, dots = prediction_instability(judged, points=POINTS, drawn=DOTS, seed=seed)
    parts = {"prediction": {"band": _rows(band), "dots": _rows(dots)}}
    try:
        curve, single = calibration_instability(judged, outcome, points=POINTS, curves=CURVES)
        parts["calibration"] = {"band": _rows(curve), "single": _rows(single)}
    except NotEstimable as reason:
        parts["calibration"] = missing(reason)
    metrics = metric_instability(judged, outcome).reset_index(names="metric")
    parts["metrics"] = [
        {
            **{name: row[name] for name in ("metric", "estimate", "low", "high")},
            "not_estimable": missing(row["reason"])["missing"]
            if isinstance(row["reason"], NotEstimable)
            else None,
        }
        for row in metrics.to_dict(orient="records")
    ]
    if outcome.any():
        decision = decision_instability(judged, outcome, thresholds_of(float(outcome.mean())))
        parts["decision"] = _rows(decision.reset_index(names="threshold"))
    else:
        parts["decision"] = missing("no_events_in_window")
    return parts


def _rows(frame):
    return frame.reset_index(drop=True).to_dict(orient="records")
