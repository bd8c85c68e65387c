"""The level that a case would be given under alterations, silence held as in scoring."""

from dataclasses import replace

import numpy as np

from riskml.explain.alterations import Copy, copied_matrix
from riskml.vocabulary import LEVELS

__all__ = ["level_moves", "levels_then", "rules_levels"]


def rules_levels(matrix, models, rules):
    """The level that the rules give each row of a matrix: str array; silence is not judged here."""
    risks = {name: model.predict(matrix) for name, model in models.items()}
    return rules.suggest(risks, rules.thresholds(models), matrix)[0]


def level_moves(levels, now):
    """How many levels each of some levels lies above the one now, or below where negative: int array."""
    return np.array([LEVELS.index(level) for level in levels], dtype=int) - LEVELS.index(now)


def levels_then(surroundings, case_id, as_of, tried, models, rules, stood):
    """The features and levels of a case as it is, and under each of some alterations.

    Parameters
    ----------
    surroundings : History        of `case_surroundings`
    case_id : str
    as_of : Timestamp
    tried : list of tuple of Alteration    recorded together at the assessment
    models : dict of name -> Model
    rules : LevelRules
    stood : DataFrame of case_id, level, at    the case's rows of `Opinion.stood`

    Returns
    -------
    matrix : DataFrame, 1 + tried rows    at the assessment; the first is the case as it is
    levels : list of level, 1 + tried     a level falls by what is recorded, neither by the days that passed
        nor by a new incident
    """
    catalogue = next(iter(models.values())).catalogue
    sets = [(), *tried]
    copies = [Copy(case_id, as_of, alterations) for alterations in sets]
    for row in stood.itertuples():
        copies += [Copy(case_id, row.at, tuple(map(_without_incidents, a)), as_of) for a in sets]
    both = copied_matrix(surroundings, copies, catalogue)
    ranks = np.array([LEVELS.index(level) for level in rules_levels(both, models, rules)])
    ranks = ranks.reshape(1 + len(stood), len(sets))
    for place, level in enumerate(stood["level"], start=1):
        ranks[0] = np.maximum(ranks[0], np.minimum(ranks[place], LEVELS.index(level)))
    return both.iloc[: len(sets)], [LEVELS[rank] for rank in ranks[0]]


def _without_incidents(alteration):
    """What an alteration adds but for incidents: new violence is not put back to an earlier record."""
    return replace(alteration, rows=tuple(row for row in alteration.rows if row[0] != "incidents"))
