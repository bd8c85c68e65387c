"""When, in each case, something happened that an outcome counts, or that ends its follow-up."""

import numpy as np

from riskml.outcomes.escalation import escalations
from riskml.outcomes.facts import current_cases, facts_of
from riskml.outcomes.timeline import CaseTimes, microseconds
from riskml.vocabulary import SEVERITY

__all__ = ["event_times", "exit_times"]

_DEATH = max(SEVERITY)


def _times(facts, which):
    return CaseTimes(facts.code[which], facts.occurred[which])


def _lethal(history, ids, until, kinds=None, owner=None):
    facts = facts_of(history, "outcomes", ids, ("kind",))
    if owner is not None:
        facts = facts.of_aggressors(owner)
    which = facts.standing(until)
    if kinds is not None:
        which &= np.isin(facts.columns["kind"], kinds)
    return facts, which


def event_times(kind, history, ids, incidents, definition, until, owner=None):
    """The events of one kind, as they stand at the end of observation.

    Parameters
    ----------
    kind : str            one of `definition.EVENTS`
    history : History
    ids : pandas.Index of the history's case ids
    incidents : Facts
    definition : OutcomeDefinition
    until : int           end of observation, microseconds
    owner : array or None    the aggressor of each case, where events and `incidents` are by aggressor

    Returns
    -------
    CaseTimes    of cases, or of aggressors
    """
    if kind == "lethal":
        return _times(*_lethal(history, ids, until, owner=owner))
    which = incidents.standing(until)
    if kind == "escalation":
        return escalations(incidents, which, definition.same_event_us, definition.sources)
    if definition.sources:
        which &= np.isin(incidents.columns["source"], definition.sources)
    if kind == "severe_incident":
        which &= incidents.columns["severity"] >= definition.minimum_severity  # not known: never
    return _times(incidents, which)


def _joined(first, second):
    return CaseTimes(np.append(first.code, second.code), np.append(first.time, second.time))


def _closures(history, ids, until):
    """When cases were closed, by the version of each that speaks at the end of observation: CaseTimes."""
    code, row = current_cases(history, ids, until)
    at = microseconds(history.table("cases", ("closed_at",))["closed_at"]).or_forever()[row]
    ended = at <= until
    return CaseTimes(code[ended], at[ended])


def exit_times(kind, history, ids, incidents, until):
    """The exits of one kind at the end of observation; none where the history lacks their table.

    Parameters
    ----------
    kind : str    `death` (a femicide, or an incident of severity 6), `custody` (a measure of custody granted,
        or proceedings that reached `detained`) or `closed` (the case)
    history, ids, incidents, until    as in `event_times`

    Returns
    -------
    CaseTimes
    """
    if kind == "closed":
        return _closures(history, ids, until)
    if kind == "death":
        deaths = _times(incidents, incidents.standing(until) & (incidents.columns["severity"] >= _DEATH))
        if "outcomes" not in history.tables:
            return deaths
        return _joined(deaths, _times(*_lethal(history, ids, until, ("femicide",))))
    found = CaseTimes(np.array([], np.int64), np.array([], np.int64))
    for table, column, word in (("measures", "kind", "custody"), ("proceedings", "stage", "detained")):
        if table in history.tables:
            facts = facts_of(history, table, ids, (column,))
            found = _joined(found, _times(facts, facts.standing(until) & (facts.columns[column] == word)))
    return found
