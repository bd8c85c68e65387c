"""Silence lowers no level: a level falls by what is recorded, never by the passing of days.

A case was judged, as it were, whenever something was recorded of it. Since then time passes, something may be
learnt of it (factors, proceedings, its data), institutions may do something, records may be corrected, and
new incidents may be recorded. Of these, the first alone is silence, and new violence lowers nothing. So where
the rules give less today than they gave at an earlier record, the case is judged once more as of that record,
with all that was learnt of it, done and corrected since put back to that moment: what is missing from there
to the level of today is owed to the days, and is not taken off.

    level before silence = over the records at which the case stood higher than today, the highest of: the
                           lower of its level then, as it was known then, and its level as of then with what
                           was learnt, done and corrected since
    suggested level      = the higher of: the level of today, and the level before silence

What lowers a held level is what was recorded: a factor denied, a correction, a measure or a response in so
far as the models see less risk where there is one, a case that is closed. A record without such content does
not: an answer that changes nothing leaves the level where it was. Of each level the latest record is judged.
"""

import numpy as np
import pandas as pd

from riskml.explain.alterations import Copy, copied_matrices
from riskml.vocabulary import LEVELS

__all__ = ["STOOD", "before_silence", "higher_level", "level_ranks", "records_of"]

STOOD = ("case_id", "level", "at")
_TELLING = ("cases", "incidents", "factors", "proceedings")  # of the case, not of what was done about it


def level_ranks(levels):
    """Places of levels in LEVELS, from 0 for the lowest: int array."""
    return np.array([LEVELS.index(level) for level in levels], dtype=int)


def higher_level(first, second):
    """The higher of two levels, case by case: str array."""
    return np.array(LEVELS)[np.maximum(level_ranks(first), level_ranks(second))]


def records_of(history, ids, as_of):
    """When something was recorded of each case, on the visible timeline: DataFrame of case_id, as_of.

    Parameters
    ----------
    history : History
    ids : array of case_id
    as_of : Timestamp    later records do not count
    """
    found = []
    for name in _TELLING:
        if name in history.tables:
            facts = history.table(name).select(["case_id", "occurred_at", "recorded_at"]).to_pandas()
            seen = facts[["occurred_at", "recorded_at"]].max(axis=1, skipna=False)
            found.append(pd.DataFrame({"case_id": facts["case_id"], "as_of": seen}))
    records = pd.concat(found, ignore_index=True)
    records = records[records["case_id"].isin(ids) & (records["as_of"] <= as_of)]
    records["as_of"] = records["as_of"].astype("datetime64[us]")
    return records.drop_duplicates(ignore_index=True)


def before_silence(history, cohort, level, records, judge, catalogue):
    """The level that the passing of days cannot take from each case.

    Parameters
    ----------
    history : History
    cohort : DataFrame of case_id, as_of       assessments; scoring gives one moment, each case once
    level : str array, shape (n,)              level at each assessment
    records : DataFrame of case_id, as_of, level    of `records_of`, with the level of the case as of then;
        those after an assessment do not count for it
    judge : callable                           matrix -> level of each row, str array
    catalogue : Catalogue

    Returns
    -------
    before : DataFrame, n rows in the cohort's order
        level (before silence; the lowest where no record led higher) and at (of the record that it goes back
        to, on the visible timeline; NaT)
    stood : DataFrame of STOOD    the latest record at which each assessment had each level above the lowest
    """
    asked = pd.DataFrame({"case_id": cohort["case_id"].to_numpy(), "now": cohort["as_of"].to_numpy()})
    asked["row"] = np.arange(len(asked))
    seen = records.sort_values("as_of", kind="stable").merge(asked, on="case_id")
    seen = seen[seen["as_of"] <= seen["now"]].drop_duplicates(["row", "level"], keep="last")
    latest = seen[seen["level"] != LEVELS[0]].rename(columns={"as_of": "at"}).reset_index(drop=True)
    above = latest[level_ranks(latest["level"]) > level_ranks(level)[latest["row"]]].copy()
    if len(above):
        copies = [Copy(row.case_id, row.at, known_until=row.now) for row in above.itertuples()]
        then = [judge(matrix) for _, matrix in copied_matrices(history, copies, catalogue)]
        since = level_ranks(np.concatenate(then))
        above["rank"] = np.minimum(since, level_ranks(above["level"]))
        above = above.sort_values(["rank", "at"], ascending=False, kind="stable").drop_duplicates("row")
        above = above.set_index("row").reindex(np.arange(len(asked)))
    else:
        above = pd.DataFrame({"rank": np.nan, "at": pd.NaT}, index=np.arange(len(asked)))
    held = above["rank"].fillna(0).to_numpy(dtype=int)
    before = pd.DataFrame({"level": np.array(LEVELS)[held], "at": above["at"].to_numpy("datetime64[us]")})
    return before, latest[list(STOOD)]
