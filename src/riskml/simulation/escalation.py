"""How likely the simulated world makes an escalation, by letting each pair run on many times.

Escalation is that of EVIDENCE 5.6 [A], over reported events: severity of at least 3 and above the highest
of the year
before; or two rises in a row; or, from severity 2, an interval shorter than half of the one before.
"""

from dataclasses import dataclass

import numpy as np

from riskml.simulation.hazard import NEVER, Pairs, next_event
from riskml.simulation.recording import reporting_probability
from riskml.simulation.severity import draw_severity

__all__ = ["Past", "escalation_share"]

_YEAR = 365.0
_SERIOUS, _FELT = 3, 2
_MOST_EVENTS = 60  # within one horizon


@dataclass
class Past:
    """What was reported of each pair before the assessment; arrays of float, shape (n,), NaN where there is
    nothing.

    Attributes
    ----------
    last, before : severity of the last two events
    last_at, before_at : when they happened, days
    highest : highest severity in the year before, 0 where there is none
    """

    last: np.ndarray
    before: np.ndarray
    last_at: np.ndarray
    before_at: np.ndarray
    highest: np.ndarray

    @classmethod
    def of(cls, code, when, event_code, event_time, event_severity):
        """The past of assessments, from all reported events.

        Parameters
        ----------
        code, when : arrays, shape (n,)    case number and day of each assessment
        event_code, event_time, event_severity : arrays, shape (m,)    of the reported events
        """
        order = np.lexsort((event_time, event_code))
        cases, times, severity = event_code[order], event_time[order], event_severity[order].astype(float)
        # Case and day become one number that sorts by case and then by day.
        keys = cases * 2.0**17 + times
        end = np.searchsorted(keys, code * 2.0**17 + when, side="right")

        def back(values, steps):
            at = end - steps
            there = (at >= 0) & (np.append(cases, -1)[at] == code)
            return np.where(there, np.append(values, np.nan)[at], np.nan)

        highest = np.zeros(len(code))
        steps, going = 1, np.ones(len(code), bool)
        while going.any() and steps <= len(cases):
            at = back(times, steps)
            going = at > when - _YEAR
            highest = np.where(going, np.fmax(highest, back(severity, steps)), highest)
            steps += 1
        return cls(back(severity, 1), back(severity, 2), back(times, 1), back(times, 2), highest)

    def repeat(self, times):
        """Each pair's past as often as given."""
        return Past(**{name: np.repeat(values, times) for name, values in self.__dict__.items()})

    def escalated_by(self, rows, when, severity):
        """Whether an event of these rows escalates; the past then moves on. Array of bool, as `rows`."""
        last, before = self.last[rows], self.before[rows]
        with np.errstate(invalid="ignore"):
            above = (severity > self.highest[rows]) & (severity >= _SERIOUS)
            rising = (severity > last) & (last > before)
            shorter = (when - self.last_at[rows]) < (self.last_at[rows] - self.before_at[rows]) / 2.0
        self.before[rows], self.before_at[rows] = last, self.last_at[rows]
        self.last[rows], self.last_at[rows] = severity, when
        self.highest[rows] = np.maximum(self.highest[rows], severity)
        return above | rising | (shorter & (severity >= _FELT))


def escalation_share(pairs, now, past, horizon, settings, signal, complete, exit_rate, draws, rng):
    """Share of simulated futures in which an escalation is reported within the horizon.

    A future keeps the state of the assessment: factors, measures and visits as they are or are already
    decided; each event, reported or not, sets the clock back and moves the path of severity on.

    Parameters
    ----------
    pairs : Pairs of n;  now : array of float, shape (n,);  past : Past of n
    horizon : float    days
    draws : int        futures per pair; the standard error of a share p is sqrt(p (1 - p) / draws)

    Returns
    -------
    array of float, shape (n,)
    """
    n = len(now)
    many = pairs.take(np.repeat(np.arange(n), draws))
    clock, until, past = np.repeat(now, draws), np.repeat(now + horizon, draws), past.repeat(draws)
    gone = many.exit <= clock
    if exit_rate > 0.0:
        many.exit = np.where(gone, many.exit, clock + rng.exponential(1.0 / exit_rate, len(clock)))
    else:
        many.exit = np.where(gone, many.exit, NEVER)
    escalated = np.zeros(len(clock), bool)
    running = np.flatnonzero(~gone)
    for _ in range(_MOST_EVENTS):
        if not len(running):
            break
        when = next_event(many.take(running), clock[running], until[running], settings, signal, rng)
        happens = when < NEVER
        running, when = running[happens], when[happens]
        taken: Pairs = many.take(running)
        severity = draw_severity(taken, when, settings, signal, rng)
        chance = reporting_probability(taken, when, severity, settings, signal, complete)
        reported = rng.random(len(running)) < chance
        at = running[reported]
        escalated[at] |= past.escalated_by(at, when[reported], severity[reported].astype(float))
        many.clock[running], clock[running] = when, when
        many.events[running] += 1.0
        running = running[~escalated[running]]
    return escalated.reshape(n, draws).mean(axis=1)
