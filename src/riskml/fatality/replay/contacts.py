"""Past contacts of reviewed cases, and what level the analysts had given by then.

A contact is a day on which something of the case became visible in the registry, or one of the form's contact
log. What stands in the registry is judged at the last record of that day; the log knows days alone, so that a
contact of the log is judged at the end of its day, with what was recorded on account of it.
"""

import numpy as np
import pandas as pd

from riskml.scoring.silence import records_of
from riskml.vocabulary import LEVELS

__all__ = ["CONTACTS", "critical_by_analyst", "in_history", "listed_codes", "reviewed_contacts"]

CONTACTS = (
    "review",
    "review_id",
    "case_id",
    "at",
    "day",
    "source",
    "institution",
    "records",
    "standing",
    "analyst_level",
    "level_then",
    "known_factors",
)
_DAY = pd.Timedelta(days=1)
_FORM_ORDER = {level: place for place, level in enumerate(("unknown", "not_assessed", *LEVELS))}
_TIMES = ["occurred_at", "recorded_at", "superseded_at"]


def reviewed_contacts(reviews, history):
    """Every contact of each reviewed case before the first midnight of its event.

    Parameters
    ----------
    reviews : Reviews
    history : History    of which the reviewed cases are wanted; others are not read

    Returns
    -------
    DataFrame of CONTACTS, by review, then time; the registry before the log
        review : int             place in `reviews.cases`
        review_id, case_id : str    case_id missing where the case does not stand in the history
        at : datetime64          the moment that is judged, on the registry's visible timeline
        day : int                days from the contact to the day of the event, at least 1
        source : "registry" or "form"
        institution : str        of the log; missing for the registry, which says `records`: of which sources
            incidents became visible that day (tuple, else empty)
        standing : "open", "closed" (no opinion is given on a closed case), "not_visible" (the registry had
            the record, not yet the case) or "not_in_history"
        analyst_level : str      the latest level that was visible then, missing where there was none
        level_then : str         of the log
        known_factors : frozenset of str    that the log says the institution knew at that contact
    """
    cases = reviews.cases[["review_id", "case_id", "event_on"]].assign(review=np.arange(len(reviews)))
    cases["case_id"] = cases["case_id"].where(in_history(reviews, history), None)
    rows = pd.concat(
        [_of_registry(cases, history), _of_form(cases, reviews.contacts)], ignore_index=True
    ).sort_values(["review", "at", "source"], kind="stable", ascending=[True, True, False])
    rows = rows.reset_index(drop=True)
    rows["at"] = rows["at"].astype("datetime64[us]")
    rows["day"] = (rows["event_on"] - rows["at"].dt.normalize()).dt.days.astype(int)
    rows["standing"] = _standing(rows, history)
    rows["analyst_level"] = _analyst_level(rows, history)
    return rows[list(CONTACTS)]


def in_history(reviews, history):
    """Which reviewed cases stand in a history, by their pseudonym: bool array, shape (cases,)."""
    known = set(history.table("cases")["case_id"].to_pylist()) - {None}
    return reviews.cases["case_id"].isin(known).to_numpy(bool)


def listed_codes(text):
    """The codes of a cell that holds several, divided by ; : list of str."""
    return [code.strip() for code in text.split(";") if code.strip()] if isinstance(text, str) else []


def _of_registry(cases, history):
    """The last record of each day on which something of a case became visible."""
    linked = cases[cases["case_id"].notna()]
    until = linked["event_on"].max() if len(linked) else pd.Timestamp.min
    seen = records_of(history, linked["case_id"].to_numpy(), until).merge(linked, on="case_id")
    seen = seen[seen["as_of"] < seen["event_on"]]
    by_day = seen.groupby(["review", seen["as_of"].dt.normalize().rename("date")], sort=False)
    rows = by_day.agg(
        at=("as_of", "max"),
        review_id=("review_id", "first"),
        case_id=("case_id", "first"),
        event_on=("event_on", "first"),
    ).reset_index()
    sources = _incident_sources(history, set(linked["case_id"]))
    rows["records"] = [sources.get(key, ()) for key in zip(rows["case_id"], rows["date"], strict=True)]
    rows["known_factors"] = [frozenset()] * len(rows)
    return rows.drop(columns="date").assign(source="registry", institution=None, level_then=None)


def _incident_sources(history, ids):
    """Sources of the incidents that became visible on each day: dict of (case_id, day) -> tuple."""
    if "incidents" not in history.tables:
        return {}
    facts = history.table("incidents").select(["case_id", "source", *_TIMES[:2]]).to_pandas()
    facts = facts[facts["case_id"].isin(ids)]
    facts["date"] = _seen(facts).dt.normalize()
    by_day = facts.dropna(subset=["date", "source"]).groupby(["case_id", "date"])["source"]
    return {key: tuple(sorted(set(found))) for key, found in by_day}


def _of_form(cases, contacts):
    """One row for each day and institution of the log."""
    rows = contacts.merge(cases, on="review_id")
    rows = rows[rows["contact_on"] < rows["event_on"]]
    if not len(rows):
        return pd.DataFrame()
    # Of several notes of one institution on one day, the highest level is what it went by.
    rows = rows.assign(
        rank=[_FORM_ORDER.get(level, 0) for level in rows["level_then"]],
        known_factors=rows["known_factors"].map(listed_codes),
    )
    by_day = rows.sort_values("rank", kind="stable").groupby(
        ["review", "contact_on", "institution"], sort=False
    )
    rows = by_day.agg(
        review_id=("review_id", "first"),
        case_id=("case_id", "first"),
        event_on=("event_on", "first"),
        level_then=("level_then", "last"),
        known_factors=("known_factors", lambda lists: frozenset().union(*lists)),
    ).reset_index()
    rows["at"] = rows["contact_on"] + _DAY - pd.Timedelta(microseconds=1)
    rows["records"] = [()] * len(rows)
    return rows.drop(columns="contact_on").assign(source="form")


def _seen(facts):
    """From when each fact is visible: Series of Timestamp, NaT where a clock is missing."""
    return facts[_TIMES[:2]].max(axis=1, skipna=False)


def _visible_then(rows, history, name, columns):
    """The facts of a table that were visible at each contact, with `row`: DataFrame."""
    at = rows[["case_id", "at"]].dropna().assign(row=lambda frame: frame.index)
    facts = history.table(name).select(["case_id", *columns, *_TIMES]).to_pandas()
    facts = facts.assign(seen=_seen(facts)).merge(at, on="case_id")
    standing = facts["superseded_at"].isna() | (facts["superseded_at"] > facts["at"])
    return facts[(facts["seen"] <= facts["at"]) & standing]


def _standing(rows, history):
    """What the registry held of the case at each contact: see `reviewed_contacts`."""
    versions = _visible_then(rows, history, "cases", ["closed_at"])
    # Of several standing versions of a case the one recorded last speaks, as in `History.open_cases`.
    speaks = versions.sort_values(["recorded_at", "occurred_at"], kind="stable").drop_duplicates(
        "row", keep="last"
    )
    still_open = speaks["closed_at"].isna() | (speaks["closed_at"] > speaks["at"])
    said = pd.Series(np.where(still_open, "open", "closed"), index=speaks["row"]).reindex(rows.index)
    return np.where(rows["case_id"].isna(), "not_in_history", said.fillna("not_visible"))


def _analyst_level(rows, history):
    """The latest level of the analysts that was visible at each contact: object array, None."""
    if "levels" not in history.tables:
        return np.full(len(rows), None, dtype=object)
    levels = _visible_then(rows, history, "levels", ["level"])
    last = levels.sort_values(["occurred_at", "recorded_at"], kind="stable").drop_duplicates(
        "row", keep="last"
    )
    found = last.set_index("row")["level"].reindex(rows.index).astype(object)
    return found.where(found.notna(), None).to_numpy()


def critical_by_analyst(reviews, history):
    """When analysts first held each reviewed case for critical, before its event.

    Parameters
    ----------
    reviews : Reviews
    history : History

    Returns
    -------
    DataFrame, one row per reviewed case, in their order
        at : datetime64    when the level was visible in the registry, or the day of the log's contact; NaT
        source : "registry", "form" or None
    """
    cases = reviews.cases[["review_id", "case_id", "event_on"]].assign(review=np.arange(len(reviews)))
    found = [_critical_in_form(cases, reviews.contacts)]
    if "levels" in history.tables:
        found.append(_critical_in_registry(cases, history))
    every = pd.concat(found, ignore_index=True).sort_values("at", kind="stable")
    first = every.drop_duplicates("review").set_index("review").reindex(cases["review"])
    source = first["source"].astype(object)
    return pd.DataFrame(
        {"at": first["at"].astype("datetime64[us]"), "source": source.where(source.notna(), None)}
    )


def _critical_in_form(cases, contacts):
    rows = contacts[contacts["level_then"] == LEVELS[-1]].merge(cases, on="review_id")
    rows = rows[rows["contact_on"] < rows["event_on"]]
    return pd.DataFrame({"review": rows["review"], "at": rows["contact_on"], "source": "form"})


def _critical_in_registry(cases, history):
    levels = history.table("levels").select(["case_id", "level", *_TIMES]).to_pandas()
    levels = levels[levels["level"] == LEVELS[-1]]
    levels = levels.assign(seen=_seen(levels)).merge(cases[cases["case_id"].notna()], on="case_id")
    visible = (levels["seen"] < levels["event_on"]) & (
        levels["superseded_at"].isna() | (levels["superseded_at"] > levels["seen"])
    )
    rows = levels[visible]
    return pd.DataFrame({"review": rows["review"], "at": rows["seen"], "source": "registry"})
