"""The rows of `incidents`.

From events to what several institutions wrote down, late, twice and not always right.
"""

from dataclasses import dataclass

import numpy as np

from riskml.simulation.hazard import in_seconds
from riskml.simulation.recording import draw_lags
from riskml.vocabulary import SOURCES

__all__ = ["INSTITUTIONS", "IncidentRows", "incident_rows"]

INSTITUTIONS = ("C5 911", "Policía Estatal", "FGJEZ Derechos Humanos", "FGJEZ Fiscalía", "UMECA", "BANEVIM")


@dataclass
class IncidentRows:
    """One row per version of a record of an event; arrays of length m, times in days.

    Attributes
    ----------
    event : position of the event in the log
    case : position of the pair
    incident : number of the incident within the block; a correction keeps it
    primary : bool, the event's first record
    source, severity, occurred, recorded, superseded
    known : when the registry learnt of the incident, before any fault of typing
    """

    event: np.ndarray
    case: np.ndarray
    incident: np.ndarray
    primary: np.ndarray
    source: np.ndarray
    severity: np.ndarray
    occurred: np.ndarray
    recorded: np.ndarray
    superseded: np.ndarray
    known: np.ndarray

    def __len__(self):
        return len(self.event)

    def join(self, other):
        """These rows and then the others."""
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__dict__}
        return IncidentRows(**both)

    def take(self, rows):
        """The rows at these positions, or where a mask holds, as a copy."""
        return IncidentRows(**{name: getattr(self, name)[rows] for name in self.__dict__})


def _told_late(events, settings, rng):
    """Unreported events that come out when the next one is reported.

    The records' times with theirs filled in.
    """
    case, time, recorded = events["case"], events["time"], events["recorded"]
    order = np.lexsort((time, case))
    position = np.arange(len(case))
    reported = ~np.isnan(recorded[order])
    # The next reported event of the same case: the smallest such position at or after this one.
    ahead = np.where(reported, position, len(case))
    ahead = np.minimum.accumulate(ahead[::-1])[::-1]
    there = ahead < len(case)
    following = order[np.where(there, ahead, 0)]
    same = there & (case[following] == case[order])
    told = ~reported & same & (rng.random(len(case)) < settings.told_late)
    filled = recorded.copy()
    filled[order[told]] = recorded[following[told]]
    return filled


def _first_records(events, recorded, calendar):
    event = np.flatnonzero(calendar.known(recorded))
    return IncidentRows(
        event=event,
        case=events["case"][event],
        incident=np.arange(len(event)),
        primary=np.ones(len(event), bool),
        source=events["source"][event],
        severity=events["severity"][event],
        occurred=events["time"][event],
        recorded=recorded[event],
        superseded=np.full(len(event), np.nan),
        known=recorded[event],
    )


def _duplicates(rows, settings, calendar, rng):
    """Second records of the same events from other sources, with the hour or only the day, entered later."""
    twice = rows.take(rng.random(len(rows)) < settings.duplicates)
    n = len(twice)
    twice.source = (twice.source + rng.integers(1, len(SOURCES), n)) % len(SOURCES)
    unit = np.where(rng.random(n) < 0.5, 24.0, 1.0)
    rounded = np.floor(twice.occurred * unit + 1e-9) / unit
    own = rounded + draw_lags(np.ones(n, int), settings, rng)
    twice.recorded = in_seconds(np.maximum(twice.recorded + 1.0 / 24.0, own))
    twice.known = twice.recorded.copy()
    twice.occurred = in_seconds(rounded)
    other = np.clip(twice.severity + rng.choice((-1, 1), n), 0, 5)
    changed = (rng.random(n) < 0.15) & (twice.severity < 6)
    twice.severity = np.where(changed, other, twice.severity)
    twice.incident = len(rows) + np.arange(n)
    twice.primary = np.zeros(n, bool)
    return twice.take(calendar.known(twice.recorded))


def _corrected(rows, settings, calendar, rng):
    """Some severities stand wrong until a second version replaces them."""
    n = len(rows)
    since = in_seconds(rows.recorded + 0.5 + rng.exponential(settings.correction_delay, n))
    wrong = (rng.random(n) < settings.severity_corrected) & (rows.severity < 6) & calendar.known(since)
    right = rows.take(wrong)
    right.recorded = since[wrong]
    slip = np.where(rng.random(n) < 0.5, 1, -1)
    slip = np.where((rows.severity == 0) | (rows.severity == 5), np.where(rows.severity == 0, 1, -1), slip)
    rows.severity = np.where(wrong, rows.severity + slip, rows.severity)
    rows.superseded = np.where(wrong, since, rows.superseded)
    return rows.join(right)


def _faulty(rows, settings, rng):
    """Missing dates, and dates typed so that the record precedes the event."""
    n = len(rows)
    rows.occurred = np.where(rng.random(n) < settings.missing_occurred, np.nan, rows.occurred)
    early = (rng.random(n) < settings.recorded_before) & np.isnan(rows.superseded)
    typed = in_seconds(rows.occurred - rng.uniform(0.05, 2.0, n))
    rows.recorded = np.where(
        early & (typed > 0), np.where(np.isnan(typed), rows.recorded, typed), rows.recorded
    )
    return rows


def incident_rows(events, settings, calendar, complete, rng):
    """What the registry holds of a block's events.

    Parameters
    ----------
    events : dict of columns of the log's topic `events`
    complete : bool    each event once, at once, right

    Returns
    -------
    IncidentRows
    """
    recorded = events["recorded"] if complete else _told_late(events, settings, rng)
    rows = _first_records(events, recorded, calendar)
    if complete:
        return rows
    rows = rows.join(_duplicates(rows, settings, calendar, rng))
    return _faulty(_corrected(rows, settings, calendar, rng), settings, rng)
