"""Silence lowers no level: days without a new recorded incident are not taken off.

Since the last recorded incident of a case, time passes, something may be learnt of it (factors, proceedings,
its data), institutions may do something, records may be corrected, and the aggressor's other cases may be
recorded. Of these, the first alone is silence. So a case whose level fell is judged once more as of its last
recorded incident, with all that was learnt of it, done and corrected since put back to that moment: what is
missing from there to the level of today is owed to the passing of days, and is not taken off.

    level before silence = the lower of: the highest level of the case at its last incident and at every
                           record of it since, each as it was known then; and its level as of its last
                           incident with what was learnt, done and corrected since
    suggested level      = the higher of: the level of today, and the level before silence

What lowers a held level is what was recorded: a factor denied, a correction, a measure or a response in so
far as the models see less risk where there is one, a case that is closed. A record without such content does
not: an answer that changes nothing leaves the level where it was. With a new incident the case is judged
anew.
"""

import numpy as np
import pandas as pd

from riskml.explain.alterations import Copy, copied_matrix
from riskml.vocabulary import LEVELS

__all__ = ["before_silence", "higher_level", "level_ranks"]

_TELLING = ("cases", "incidents", "factors", "proceedings")  # of the case, not of what was done about it


def level_ranks(levels):
    """Places of levels in LEVELS, from 0 for the lowest: int array."""
    return np.array([LEVELS.index(level) for level in levels], dtype=int)


def higher_level(first, second):
    """The higher of two levels, case by case: str array."""
    return np.array(LEVELS)[np.maximum(level_ranks(first), level_ranks(second))]


def _moments(history, ids, as_of):
    """When each case had its last incident and records since: DataFrame of case_id, as_of, incident."""
    found = []
    for name in _TELLING:
        if name in history.tables:
            facts = history.table(name).select(["case_id", "occurred_at", "recorded_at"]).to_pandas()
            seen = facts[["occurred_at", "recorded_at"]].max(axis=1, skipna=False)
            found.append(pd.DataFrame({"case_id": facts["case_id"], "as_of": seen, "table": name}))
    records = pd.concat(found, ignore_index=True)
    records = records[records["case_id"].isin(ids) & (records["as_of"] <= as_of)]
    last = records[records["table"] == "incidents"].groupby("case_id")["as_of"].max()
    # Without an incident on record, the case's own entry is what is known of it.
    first = records[records["table"] == "cases"].groupby("case_id")["as_of"].min()
    records["incident"] = records["case_id"].map(last.combine_first(first))
    records = records[records["as_of"] >= records["incident"]]
    records["as_of"] = records["as_of"].astype("datetime64[us]")
    records["incident"] = records["incident"].astype("datetime64[us]")
    return records[["case_id", "as_of", "incident"]].drop_duplicates(ignore_index=True)


def before_silence(history, cohort, level, judge, catalogue, build):
    """The level that days without a new recorded incident cannot take from each case.

    Parameters
    ----------
    history : History
    cohort : DataFrame of case_id, as_of       one moment, each case once
    level : str array, shape (n,)              level of today
    judge : callable                           matrix -> level of each row, str array
    catalogue : Catalogue
    build : callable                           what builds features of (history, cohort, catalogue)

    Returns
    -------
    DataFrame, n rows in the cohort's order
        highest (level of the case since its last incident), level (before silence), at (when it had the
        highest), incident (when its last incident was known, or else the case)
    """
    ids, now = cohort["case_id"].to_numpy(), pd.Timestamp(cohort["as_of"].iloc[0])
    moments = _moments(history, set(ids), now)
    moments["rank"] = level_ranks(judge(build(history, moments[["case_id", "as_of"]], catalogue)))
    ordered = moments.sort_values(["rank", "as_of"], ascending=False, kind="stable")
    highest = ordered.drop_duplicates("case_id").set_index("case_id").reindex(ids)
    rank = highest["rank"].fillna(0).to_numpy(dtype=int)
    fallen = np.flatnonzero(rank > level_ranks(level))
    lower = rank.copy()
    if len(fallen):
        incident = highest["incident"].iloc[fallen]
        copies = [Copy(ids[row], at, known_until=now) for row, at in zip(fallen, incident, strict=True)]
        since = level_ranks(judge(copied_matrix(history, copies, catalogue)))
        lower[fallen] = np.minimum(since, rank[fallen])
    names = np.array(LEVELS)
    return pd.DataFrame(
        {
            "highest": names[rank],
            "level": names[lower],
            "at": highest["as_of"].to_numpy(),
            "incident": highest["incident"].to_numpy(),
        }
    )
