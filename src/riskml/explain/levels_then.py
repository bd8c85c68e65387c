"""The level that a case would be given under alterations, silence held as in scoring."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.explain.alterations import Copy, copied_matrix
from riskml.vocabulary import LEVELS

__all__ = ["BeforeSilence", "level_moves", "levels_then", "rules_levels"]


@dataclass(frozen=True)
class BeforeSilence:
    """What days without a new incident cannot lower of a case; see `riskml.scoring.silence`.

    Attributes
    ----------
    highest : level                  the highest since the last incident
    incident : Timestamp or None     when that was known; None: nothing is on record
    """

    highest: str = LEVELS[0]
    incident: pd.Timestamp | None = None

    @classmethod
    def of(cls, row):
        """That of a case of `Opinion.cases`: BeforeSilence."""
        incident = row["incident_known_at"]
        return cls(row["highest_since_incident"], None if pd.isna(incident) else pd.Timestamp(incident))


def rules_levels(matrix, models, rules):
    """The level that the rules give each row of a matrix: str array; silence is not judged here."""
    risks = {name: model.predict(matrix) for name, model in models.items()}
    return rules.suggest(risks, rules.thresholds(models), matrix)[0]


def level_moves(levels, now):
    """How many levels each of some levels lies above the one now, or below where negative: int array."""
    return np.array([LEVELS.index(level) for level in levels], dtype=int) - LEVELS.index(now)


def levels_then(surroundings, case_id, as_of, tried, models, rules, before):
    """The features and levels of a case as it is, and under each of some alterations.

    Parameters
    ----------
    surroundings : History        of `case_surroundings`
    case_id : str
    as_of : Timestamp
    tried : list of tuple of Alteration    recorded together at the assessment
    models : dict of name -> Model
    rules : LevelRules
    before : BeforeSilence

    Returns
    -------
    matrix : DataFrame, 1 + tried rows    at the assessment; the first is the case as it is
    levels : list of level, 1 + tried     with a new incident the case is judged anew; else a level falls by
        what is recorded, not by the days that passed
    """
    catalogue = next(iter(models.values())).catalogue
    sets = [(), *tried]
    copies = [Copy(case_id, as_of, alterations) for alterations in sets]
    then = [] if before.incident is None else [Copy(case_id, before.incident, a, as_of) for a in sets]
    both = copied_matrix(surroundings, copies + then, catalogue)
    found = [LEVELS.index(level) for level in rules_levels(both, models, rules)]
    today, at_incident = found[: len(sets)], found[len(sets) :]
    highest = LEVELS.index(before.highest)
    for k, alterations in enumerate(sets if then else ()):
        if not any(table == "incidents" for a in alterations for table, _ in a.rows):
            today[k] = max(today[k], min(highest, at_incident[k]))
    return both.iloc[: len(sets)], [LEVELS[rank] for rank in today]
