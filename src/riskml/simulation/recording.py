"""What reaches the registry of an event.

Whether it is reported, by which source, when, and which factors it names.
"""

import numpy as np
import pandas as pd

from riskml.simulation.hazard import in_seconds
from riskml.simulation.settings import FACTORS

__all__ = ["Recorder", "draw_lags", "log_reporting", "reporting_probability"]

_MENTION = np.array([f.mention for f in FACTORS])
_911 = 0
_HIGHEST = 0.98


def log_reporting(pairs, when, settings, signal):
    """Log ratio of the reporting of an event at `when` to that of an urban pair never visited: array, shape
    (n,).

    Reporting rises in the days after a visit, whatever the visit does to violence; it falls after a
    withdrawal.
    """
    log = pairs.reporting + np.where(pairs.withdrawn <= when, settings.reported_withdrawn, 0.0)
    for visit in (pairs.visit_before, pairs.visit_last):
        recent = (visit <= when) & (when < visit + settings.visit_reporting_days)
        log = np.where(recent, log + np.log(settings.visit_reporting), log)
    return signal * log


def reporting_probability(pairs, when, severity, settings, signal, complete=False):
    """Probability that an event at `when` of this severity reaches the registry: array of float, shape (n,).

    Without signal it is the same for all; with complete recording it is 1.
    """
    if complete:
        return np.ones(len(when))
    by_severity = np.asarray(settings.reported_by_severity)
    typical = np.log(by_severity[2])
    log = (
        typical
        + signal * (np.log(by_severity)[severity] - typical)
        + log_reporting(pairs, when, settings, signal)
    )
    return np.minimum(np.exp(log), _HIGHEST)


def draw_lags(source, settings, rng):
    """Days from the event to its record: array of float, as `source`."""
    fast, slow = settings.fast_lag, settings.slow_lag
    median = np.where(source == _911, fast[0], slow[0])
    spread = np.where(source == _911, fast[1], slow[1])
    lag = median * np.exp(spread * rng.standard_normal(len(source)))
    return np.clip(lag, 2.0 / 1440.0, settings.longest_lag)


class Recorder:
    """Writes events and mentions into the log, and keeps what the registry knows of each case.

    Attributes
    ----------
    observed : int8, (n, 25)    -1 not mentioned, 0 denied, 1 present: the last word on each factor
    incidents : int, (n,)       reported events so far
    worst : int, (n,)           highest severity reported
    """

    def __init__(self, count, start, length, settings, signal, complete, rng):
        self.observed = np.full((count, len(FACTORS)), -1, np.int8)
        self.incidents = np.zeros(count, int)
        self.worst = np.zeros(count, int)
        self._settings, self._signal, self._complete, self._rng = settings, signal, complete, rng
        self._length = length
        self._new_form = (pd.Timestamp(settings.new_form) - start) / pd.Timedelta(days=1)

    def report(self, pairs, when, severity, first):
        """Which events are reported: array of bool. A case's first event is the one that opens it."""
        chance = reporting_probability(pairs, when, severity, self._settings, self._signal, self._complete)
        return (self._rng.random(len(when)) < chance) | first

    def note(self, log, event, rows, when, severity, factors, separated, reported):
        """Note events and what they mention. Returns when each is recorded, NaN where it is not."""
        source = self._rng.choice(
            len(self._settings.source_shares), size=len(rows), p=self._settings.source_shares
        )
        lag = 0.0 if self._complete else draw_lags(source, self._settings, self._rng)
        first = self.incidents[rows] == 0
        latest = np.where(first, np.maximum(self._length - 1.0 / 24.0, when), np.inf)
        recorded = np.where(reported, np.minimum(in_seconds(when + lag), in_seconds(latest)), np.nan)
        log.add(
            "events",
            case=rows,
            time=when,
            severity=severity,
            recorded=recorded,
            source=source,
            separated=separated,
        )
        known = np.flatnonzero(reported)
        self._mention(log, event[known], rows[known], when[known], source[known], factors[known])
        self.incidents[rows[known]] += 1
        self.worst[rows[known]] = np.maximum(self.worst[rows[known]], severity[known])
        return recorded

    def _mention(self, log, event, rows, when, source, factors):
        if self._complete:
            named = self.observed[rows] != factors
        else:
            settings = self._settings
            form = np.where(when >= self._new_form, settings.new_form_mention, 1.0)
            chance = np.asarray(settings.source_mention)[source] * form
            present = np.minimum(chance[:, None] * _MENTION, 0.95)
            named = self._rng.random(factors.shape) < np.where(factors, present, settings.denial)
        at, factor = np.nonzero(named)
        state = factors[at, factor].astype(np.int8)
        self.observed[rows[at], factor] = state
        log.add("mentions", event=event[at], factor=factor.astype(np.int8), state=state)
