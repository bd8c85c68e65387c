"""Silence lowers no level: the level of a case at its last record, and whether only silence lowered it since.

What tells of a case are its own records: of the case, of incidents, factors and proceedings. Since the last
of them, time passes, the aggressor's other cases may be recorded, institutions may do something, and records
may be corrected. Of these, the first alone is silence. So a case whose level fell is judged once more as of
its last record, with all that institutions did since and all that was corrected since put back to that
moment: what is missing from there to the level of today is owed to the passing of days without news, and is
not taken off.

    level at last record = the lower of: the level as of the last record, and the same with what was done
                           (measures, responses, proceedings, of all cases of its people) and corrected since
    suggested level      = the higher of: the level of today, and the level at the last record

A held level falls with the next record, with a correction, with a response or a measure in so far as the
models see less risk where there is one, or when the case is closed.
"""

import numpy as np
import pandas as pd

from riskml.explain.alterations import Copy, copied_matrix
from riskml.vocabulary import LEVELS

__all__ = ["higher_level", "level_at_last_record", "level_ranks"]


def level_ranks(levels):
    """Places of levels in LEVELS, from 0 for the lowest: int array."""
    return np.array([LEVELS.index(level) for level in levels], dtype=int)


def higher_level(first, second):
    """The higher of two levels, case by case: str array."""
    return np.array(LEVELS)[np.maximum(level_ranks(first), level_ranks(second))]


def level_at_last_record(history, cohort, recorded, level, judge, catalogue, build):
    """The level of each case at its last record, with what was done and corrected since where that lowers it.

    Parameters
    ----------
    history : History
    cohort : DataFrame of case_id, as_of
    recorded : datetime64 array, shape (n,)    of `last_recorded`; NaT: nothing was ever recorded
    level : str array, shape (n,)              level of today
    judge : callable                           matrix -> level of each row, str array
    catalogue : Catalogue
    build : callable                           what builds features of (history, cohort, catalogue)

    Returns
    -------
    str array, shape (n,)    today's level where nothing was ever recorded
    """
    then, known = np.array(level, dtype=object), np.flatnonzero(~np.isnat(recorded))
    ids = cohort["case_id"].to_numpy()
    if len(known):
        at = pd.DataFrame({"case_id": ids[known], "as_of": recorded[known]})
        then[known] = judge(build(history, at, catalogue))
    fallen = np.flatnonzero(level_ranks(then) > level_ranks(level))
    if len(fallen):
        now = cohort["as_of"].iloc[0]
        copies = [
            Copy(ids[row], pd.Timestamp(recorded[row]), known_until=pd.Timestamp(now)) for row in fallen
        ]
        since = judge(copied_matrix(history, copies, catalogue))
        lower = np.minimum(level_ranks(since), level_ranks(then[fallen]))
        then[fallen] = np.array(LEVELS, dtype=object)[lower]
    return then.astype(str)
