"""The analyst's level beside the one that a model's own rules suggest, and what these rules cost."""

import numpy as np
import pandas as pd

from riskml.training.rebuilt import thinned
from riskml.training.validation_words import in_words, missing
from riskml.validation.agreement import agreement
from riskml.validation.forecast import NotEstimable
from riskml.validation.level_costs import level_costs
from riskml.vocabulary import LEVELS

__all__ = ["costs_of_levels", "level_agreement", "suggester"]


def suggester(model, levels):
    """The level that the rules on this model alone suggest: callable risk -> array of str, or None.

    Parameters
    ----------
    model : Model
    levels : LevelRules or None    rules on other models and on recorded facts are left out

    Returns
    -------
    callable `suggest(risk) -> levels, shape (n,)`; None: no rules, or none on this model
    """
    thresholds = {} if levels is None else levels.thresholds({model.name: model})
    if not thresholds:
        return None

    def suggest(risk):
        nothing = pd.DataFrame(index=range(len(risk)))
        return levels.suggest({model.name: np.asarray(risk)}, thresholds, nothing)[0]

    return suggest


def costs_of_levels(found, levels):
    """What each level's threshold on this model costs: as `LevelCosts.document`, or why it is missing."""
    if suggester(found.model, levels) is None:
        return missing("no_levels")
    outcome, risk, people = found.judged
    thresholds = levels.level_thresholds(found.model)
    as_of = found.data.as_of[found.later]
    return level_costs(outcome, risk, people, thresholds, as_of=as_of).document()


def level_agreement(found, levels, *, replicates):
    """How the level that stood in the registry agrees with the suggested one, and what happened to each kind.

    Parameters
    ----------
    found : Rebuilt
    levels : LevelRules or None
    replicates : int    of the bootstrap over aggressors

    Returns
    -------
    dict    as `Agreement.document`, with days (blocks of which each case counts once) and clock (what the
        levels were and that they were given without seeing the suggestion); or why it is missing
    """
    suggest, given = suggester(found.model, levels), found.data.yardsticks.get("analyst_level")
    if suggest is None:
        return missing("no_levels")
    if given is None:
        return missing("no_analyst_level")
    rows, days = thinned(found.cohort, found.later)
    rank = given[rows]
    analyst = np.full(len(rows), None, dtype=object)
    known = ~np.isnan(rank)
    analyst[known] = np.array(LEVELS, dtype=object)[rank[known].astype(int)]
    inside = np.isin(found.later, rows)
    try:
        judged = agreement(
            analyst,
            suggest(found.risk[inside]),
            found.data.aggressor[rows],
            outcome=found.data.outcome[rows],
            replicates=replicates,
            seed=found.seed,
        )
    except NotEstimable as reason:
        return missing(reason)
    return {**judged.document(), "days": days, "clock": in_words("agreement_clock", days=days)}
