"""Escalation of violence within a case (EVIDENCE 5.6, [A]: a proposal that the Task Force has to ratify)."""

import numpy as np

from riskml.outcomes.timeline import CaseTimes
from riskml.vocabulary import duration

__all__ = ["escalations", "violent_events"]

_YEAR = duration("365d")
_SERIOUS = 3  # a rise above the year before counts from this severity
_FELT = 2  # shorter and shorter intervals count from this severity


def violent_events(incidents, which, within):
    """The true events of each case: reports at most `within` after an event's first report belong to it.

    Parameters
    ----------
    incidents : Facts    with the column severity
    which : array of bool, shape (n,)    the reports to take
    within : int         microseconds

    Returns
    -------
    CaseTimes of the events' first reports, and array of float: the highest severity reported of each, NaN if
    none is known
    """
    reports = CaseTimes(incidents.code[which], incidents.occurred[which])
    severity = incidents.columns["severity"][which][reports.order]
    starts = np.ones(len(reports), bool)
    starts[1:] = reports.code[1:] != reports.code[:-1]
    if len(reports):
        # Only where a report follows the one before it closely may it belong to an event already begun.
        close = ~starts
        close[1:] &= reports.time[1:] - reports.time[:-1] <= within
        starts = ~close
        anchor = -1
        for position in np.flatnonzero(close):
            if starts[position - 1]:
                anchor = position - 1
            if reports.time[position] - reports.time[anchor] > within:
                starts[position], anchor = True, position
    first = np.flatnonzero(starts)
    highest = np.fmax.reduceat(severity, first) if len(first) else severity
    return CaseTimes(reports.code[first], reports.time[first]), highest


def _highest_before(events, severity, span):
    """Highest known severity among the same case's events in (time - span, time); 0 where there is none."""
    first = events.count_through(events.code, events.time - span)
    count = np.arange(len(events)) - first
    event = np.repeat(np.arange(len(events)), count)
    earlier = np.arange(len(event)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    highest = np.zeros(len(events))
    np.fmax.at(highest, event, severity[earlier])
    return highest


def _before(events, values, steps):
    """Value of the same case's event so many steps earlier; NaN where there is none."""
    shifted = np.full(len(events), np.nan)
    if len(events) > steps:
        same = events.code[steps:] == events.code[:-steps]
        shifted[steps:] = np.where(same, values[:-steps], np.nan)
    return shifted


def escalations(incidents, which, within, sources=()):
    """The events that escalate, each held against all true events of its case before it.

    An event escalates when its severity is at least 3 and above every severity of the 365 days before it (0
    where none is known), or when severity rose twice in a row, or when its severity is at least 2 and the
    interval since the event before it is less than half of the interval before that. A severity that is not
    known never rises.

    Parameters
    ----------
    incidents, which, within    as in `violent_events`
    sources : names of sources; where given, an event counts when one of them reported it

    Returns
    -------
    CaseTimes    of the events that escalate
    """
    events, severity = violent_events(incidents, which, within)
    above = (severity >= _highest_before(events, severity, _YEAR) + 1) & (severity >= _SERIOUS)
    before, before_that = _before(events, severity, 1), _before(events, severity, 2)
    rising = (severity > before) & (before > before_that)
    time = events.time.astype(float)
    interval, interval_before = (
        time - _before(events, time, 1),
        _before(events, time, 1) - _before(events, time, 2),
    )
    shortening = (interval < interval_before / 2) & (severity >= _FELT)
    chosen = above | rising | shortening
    if sources:
        chosen &= _reported_by(incidents, which, events, sources)
    return CaseTimes(events.code[chosen], events.time[chosen])


def _reported_by(incidents, which, events, sources):
    """Which events one of the sources reported: array of bool."""
    theirs = which & np.isin(incidents.columns["source"], sources)
    event = events.count_through(incidents.code[theirs], incidents.occurred[theirs]) - 1
    reported = np.zeros(len(events), bool)
    reported[event] = True
    return reported
