"""The cohort: at which moments each open case is assessed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.outcomes.timeline import microseconds, moment_us
from riskml.registry.history import History
from riskml.vocabulary import duration

__all__ = ["assessments"]

_DAY = duration("1d")


@dataclass(frozen=True)
class _Versions:
    """The versions of every case that are ever visible, in order of (case, rank); a later rank outranks.

    ids: the case ids, sorted; code: position in ids; start, end: visible in [start, end); closed: closed from
    then on.
    """

    ids: np.ndarray
    code: np.ndarray
    start: np.ndarray
    end: np.ndarray
    closed: np.ndarray


def _versions(history):
    table = history.table("cases")
    occurred, recorded, superseded, closed = (
        microseconds(table[name]) for name in ("occurred_at", "recorded_at", "superseded_at", "closed_at")
    )
    end, closed = superseded.or_forever(), closed.or_forever()
    start = np.maximum(occurred.values, recorded.values)
    seen = occurred.known & recorded.known & (start < end)
    code, ids = pd.factorize(table["case_id"].to_pandas(), sort=True)
    order = np.lexsort((np.arange(len(code)), occurred.values, recorded.values, code))
    order = order[seen[order] & (code[order] >= 0)]
    return _Versions(np.asarray(ids), code[order], start[order], end[order], closed[order])


def _in_force(versions, code, when, row):
    """Keep, of candidate pairs, the assessments whose version in force is open.

    code, when, row: case and moment of an assessment, and a version visible at it; one for each pair.
    Returns code and when of the assessments that stand.
    """
    order = np.lexsort((row, code, when))
    code, when, row = code[order], when[order], row[order]
    last = np.ones(len(code), bool)
    last[:-1] = (code[1:] != code[:-1]) | (when[1:] != when[:-1])
    keep = last & (when < versions.closed[row])
    return code[keep], when[keep]


def _periodic(versions, grid):
    """Open cases at each date of the grid: code, when."""
    several = np.bincount(versions.code, minlength=len(versions.ids))[versions.code] > 1
    # A case with one version is assessed until it is closed; among several, one that is closed may hide an
    # open one.
    end = np.where(several, versions.end, np.minimum(versions.end, versions.closed))
    first = np.searchsorted(grid, versions.start, side="left")
    count = np.maximum(np.searchsorted(grid, end, side="left") - first, 0)
    row = np.repeat(np.arange(len(count)), count)
    at = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return _in_force(versions, versions.code[row], grid[at], row)


def _contacts(history, versions):
    """Open cases at the first moment that each incident is visible: code, when."""
    table = history.table("incidents")
    occurred, recorded, superseded = (
        microseconds(table[name]) for name in ("occurred_at", "recorded_at", "superseded_at")
    )
    code = pd.Index(versions.ids).get_indexer(table["case_id"].to_pandas())
    start = np.maximum(occurred.values, recorded.values)
    seen = occurred.known & recorded.known & (code >= 0)
    incident = pd.factorize(table["incident_id"].to_pandas())[0]
    incident = np.where(incident >= 0, incident, len(incident) + np.arange(len(incident)))
    rows = pd.DataFrame({"code": code, "incident": incident, "start": start, "end": superseded.or_forever()})[
        seen
    ]
    span = pd.DataFrame(
        {
            "code": versions.code,
            "row": np.arange(len(versions.code)),
            "from": versions.start,
            "until": versions.end,
        }
    )
    # An incident is seen once its case is: with each version of the case it shares one stretch of time.
    pairs = rows.merge(span, on="code")
    pairs["when"] = np.maximum(pairs["start"], pairs["from"])
    pairs = pairs[pairs["when"] < np.minimum(pairs["end"], pairs["until"])]
    contact = pairs.groupby(["code", "incident"], sort=False)["when"].min().reset_index()
    contact = contact[["code", "when"]].drop_duplicates()
    candidates = contact.merge(span, on="code")
    candidates = candidates[
        (candidates["from"] <= candidates["when"]) & (candidates["when"] < candidates["until"])
    ]
    return _in_force(versions, *(candidates[name].to_numpy() for name in ("code", "when", "row")))


def _moment(value, name):
    try:
        moment = pd.Timestamp(value)
    except (TypeError, ValueError):
        moment = pd.NaT
    if moment is pd.NaT or moment.tzinfo is not None:
        raise RiskmlError(
            f'"{value}" is not a moment in registry time',
            where=name,
            mend="Write it like 2025-03-01 or 2025-03-01 08:00.",
        )
    return moment_us(moment)


def assessments(history, *, every="28d", start=None, end=None, at_contacts=False):
    """The moments at which open cases are assessed: on common dates, at each new contact, or both.

    A case is assessed while the registry shows it and it is not closed, as `History.open_cases` says for one
    moment. A contact is the first moment at which the registry shows an incident: when it has happened, has
    been recorded, and its case is visible. A correction of an incident (same `incident_id`) is no new
    contact.

    Parameters
    ----------
    history : History, or what `History.of` takes
    every : str or None       step of the common dates, such as "28d"; None: no common dates
    start : timestamp or None    first common date; None: the first midnight at which a case is visible
    end : timestamp or None      nothing is assessed after it; None: the last moment that the history speaks
        for
    at_contacts : bool        assess at each new contact too

    Returns
    -------
    DataFrame of case_id, as_of (datetime64[us], on the visible timeline), one row per assessment, sorted by
    as_of and case_id; no assessment twice

    Raises
    ------
    RiskmlError    no case is ever visible, `every` is no length of time, neither dates nor contacts asked for
    """
    history = History.of(history)
    versions = _versions(history)
    if not len(versions.code):
        raise RiskmlError(
            "no case is ever visible: the table cases is empty, or its times are missing",
            where="history",
            mend="Check that the registry holds cases with both times, and take the history again.",
        )
    step = duration(every) if every is not None else None
    if step == 0 or (step is None and not at_contacts):
        raise RiskmlError(
            "no assessment is asked for", where="every", mend='Give every="28d", at_contacts=True, or both.'
        )
    earliest = int(versions.start.min())
    first = _moment(start, "start") if start is not None else -(-earliest // _DAY) * _DAY
    last = _moment(end, "end") if end is not None else moment_us(history.observed_until)
    code, when = np.array([], np.int64), np.array([], np.int64)
    if step is not None:
        skipped = max(0, -(-(earliest - first) // step))  # dates before the first visible case
        code, when = _periodic(versions, np.arange(first + skipped * step, last + 1, step, dtype=np.int64))
    if at_contacts:
        more_code, more_when = _contacts(history, versions)
        within = (more_when <= last) & (more_when >= (first if start is not None else earliest))
        code, when = np.append(code, more_code[within]), np.append(when, more_when[within])
    order = np.lexsort((code, when))
    code, when = code[order], when[order]
    once = np.ones(len(code), bool)
    once[1:] = (code[1:] != code[:-1]) | (when[1:] != when[:-1])
    ids = pd.array(versions.ids, dtype="str").take(code[once])
    return pd.DataFrame({"case_id": ids, "as_of": when[once].view("datetime64[us]")})
