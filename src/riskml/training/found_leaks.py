"""The leakage audit of a trained model: every control, whatever its AUC."""

import numpy as np
import pandas as pd

from riskml.features.matrix import build_features
from riskml.models.bundle import plain
from riskml.outcomes.labels import label_outcomes
from riskml.training.held_recipe import held_recipe, learning_rows, reading
from riskml.training.rebuilt import thinned
from riskml.training.validation_words import in_words, missing
from riskml.validation.forecast import NotEstimable
from riskml.validation.leakage_audit import leakage_audit, shifted_cohort
from riskml.vocabulary import duration

__all__ = ["leakage_found"]

SHUFFLES = 8
MOST_SHUFFLED = 6_000  # rows that are learnt from with shuffled outcomes, and rows that then judge
MOST_JUDGED = 12_000
_DAY = duration("1d")


def leakage_found(found, *, replicates, shuffles=SHUFFLES):
    """Single features, shuffled outcomes and looking into the future, on the rows that judge.

    Parameters
    ----------
    found : Rebuilt
    replicates : int    of the bootstrap over aggressors
    shuffles : int      times that the recipe, its settings held, learns from shuffled outcomes

    Returns
    -------
    dict    as `LeakageAudit.document`, with days (blocks in which each case counts once) and settings_held
        (words); or why it is missing
    """
    data = found.data
    if np.ptp(found.risk) == 0:
        return missing("same_risk_for_all")
    rows, days = thinned(found.cohort, found.later, most=MOST_JUDGED)
    encoding = found.model.encoding
    cohort = found.cohort.iloc[rows].reset_index(drop=True)

    def design():
        return pd.DataFrame(encoding.design(data.matrix.iloc[rows]), columns=list(encoding.names))

    try:
        audit = leakage_audit(
            data.outcome[rows],
            found.risk[np.isin(found.later, rows)],
            data.aggressor[rows],
            design=design,
            learn=lambda: _shuffled(found),
            later=lambda: _shifted(found, cohort),
            always=True,
            shuffles=shuffles,
            replicates=replicates,
            seed=found.seed,
            language=found.language,
        )
    except NotEstimable as reason:
        return missing(reason)
    return plain({**audit.document(), "days": days, "settings_held": in_words("shuffles_held")})


def _shuffled(found):
    """Arguments of the shuffled-label control: the recipe with settings held, on thinned rows."""
    every = np.union1d(found.data.split.refit, found.data.split.calibrate)
    learnt, _ = thinned(found.cohort, every, most=MOST_SHUFFLED)
    judge, _ = thinned(found.cohort, found.later, most=MOST_SHUFFLED)
    learning, recipe = learning_rows(found, learnt), held_recipe(found)
    held_out = len(learnt) + np.arange(len(judge))
    read = reading(found, judge)

    def learn(labels, seed):
        own = labels[: len(learnt)]
        return recipe.fit(learning, np.arange(len(learnt)), seed, outcome=own)(read)

    outcome = found.data.outcome[np.concatenate([learnt, judge])]
    return {"learn": learn, "y": outcome, "held_out": held_out}


def _shifted(found, cohort):
    """Arguments of the future-shift control: risks by features read later, and outcomes of the past."""
    definition = found.spec.outcome
    horizon = definition.horizon_us / _DAY
    model, history = found.model, found.history
    shifts = sorted({min(30.0, horizon), horizon})
    later = {
        days: model.predict(build_features(history, shifted_cohort(cohort, days), model.catalogue))
        for days in shifts
    }
    past = label_outcomes(history, shifted_cohort(cohort, -horizon), definition)["outcome"].to_numpy()
    return {"later": later, "past": past}
