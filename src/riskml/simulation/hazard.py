"""The hazard of a new violent event: a Weibull clock since the last one, times everything that is in force.

Times are days on the simulation's clock, as float, in whole seconds. Between two events nothing is drawn:
the hazard
is piecewise a constant times the clock, so that the next event is found by inverting its integral, exactly.
"""

from dataclasses import dataclass, fields

import numpy as np

from riskml.simulation.settings import FACTORS

__all__ = ["NEVER", "Pairs", "clock_integral", "clock_rate", "in_seconds", "log_modifier", "next_event"]

NEVER = 1e9  # days: later than anything that is simulated
_SEPARATION = next(f.hazard for f in FACTORS if f.code == "separation")
_REFERENCE = 90.0  # days on the clock at which the base rate holds


def in_seconds(days):
    """Times rounded up to whole seconds, still in days.

    What the registry can hold is what the simulator uses.
    """
    return np.ceil(np.asarray(days, float) * 86_400.0 - 1e-6) / 86_400.0


@dataclass
class Pairs:
    """What decides the hazard of each pair at this moment; every attribute is an array of float, shape (n,).

    Attributes
    ----------
    constant : log of the rate at 90 days on the clock, frailty, factors, relationship and age included
    clock : last violent event, recorded or not
    separated : when the couple separated; NEVER where it did not
    visit_before, visit_last : the last two visits, one of which may still lie ahead; -NEVER where there is
        none
    protection_from, protection_until, precautionary_from, precautionary_until, custody_from, custody_until :
        what is or will be in force; -NEVER where nothing is
    exit : when the pair leaves for good, known to nobody before it happens
    severity : location of the next event's latent severity
    alarm_until : end of the pattern of alarm
    path : index of the severity path
    events : violent events so far
    reporting : log ratio of the reporting probability that stays with the pair
    withdrawn : when the victim withdrew; NEVER where she did not
    """

    constant: np.ndarray
    clock: np.ndarray
    separated: np.ndarray
    visit_before: np.ndarray
    visit_last: np.ndarray
    protection_from: np.ndarray
    protection_until: np.ndarray
    precautionary_from: np.ndarray
    precautionary_until: np.ndarray
    custody_from: np.ndarray
    custody_until: np.ndarray
    exit: np.ndarray
    severity: np.ndarray
    alarm_until: np.ndarray
    path: np.ndarray
    events: np.ndarray
    reporting: np.ndarray
    withdrawn: np.ndarray

    def take(self, rows):
        """The pairs at these positions, as a copy."""
        return Pairs(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def _shape(settings, signal):
    return 1.0 + signal * (settings.weibull_shape - 1.0)


def _running(days, settings):
    """Days on the clock once the time in which nothing counts as a second event is over."""
    return np.maximum(np.asarray(days, float) - settings.same_event, 0.0)


def clock_rate(days, settings, signal):
    """The clock's factor on the base rate, `days` after the last event: 1 at 90 days, array of float.

    No event starts within `settings.same_event` of another.
    """
    shape = _shape(settings, signal)
    age = (_running(days, settings) + settings.clock_offset) / (_REFERENCE + settings.clock_offset)
    return np.where(np.asarray(days) < settings.same_event, 0.0, age ** (shape - 1.0))


def clock_integral(days, settings, signal):
    """Integral of `clock_rate` from 0 to `days`, in days: array of float."""
    shape = _shape(settings, signal)
    unit = _REFERENCE + settings.clock_offset
    age = (_running(days, settings) + settings.clock_offset) / unit
    return unit / shape * (age**shape - (settings.clock_offset / unit) ** shape)


def _inverse_clock(integral, settings, signal):
    """Days on the clock at which its integral reaches a value."""
    shape = _shape(settings, signal)
    unit = _REFERENCE + settings.clock_offset
    age = (integral * shape / unit + (settings.clock_offset / unit) ** shape) ** (1.0 / shape)
    return age * unit - settings.clock_offset + settings.same_event


def log_modifier(pairs, when, settings, signal):
    """Log of what visits, measures, custody and a recent separation make of the hazard.

    Parameters
    ----------
    pairs : Pairs of n
    when : array of float, shape (n, m)    days; exits are not part of it

    Returns
    -------
    array of float, shape (n, m)
    """

    def between(start, end):
        return (start[:, None] <= when) & (when < end[:, None])

    visited = between(pairs.visit_before, pairs.visit_before + settings.visit_days)
    visited |= between(pairs.visit_last, pairs.visit_last + settings.visit_days)
    log = np.where(visited, np.log(settings.visit_violence), 0.0)
    for name in ("protection", "precautionary", "custody"):
        force = between(getattr(pairs, f"{name}_from"), getattr(pairs, f"{name}_until"))
        log += np.where(force, np.log(getattr(settings, f"{name}_violence")), 0.0)
    apart = when - pairs.separated[:, None]
    (recent, full), (late, part) = settings.separation_decay
    share = np.where(apart < recent, full, np.where(apart < late, part, 0.0))
    log += np.where(apart >= 0.0, _SEPARATION * share, 0.0)
    return signal * log


def _breaks(pairs, now, until, settings):
    """The moments from `now` to `until` at which the hazard may jump, ascending: array, shape (n, m)."""
    (recent, _), (late, _) = settings.separation_decay
    moments = np.stack(
        [
            now,
            pairs.visit_before,
            pairs.visit_before + settings.visit_days,
            pairs.visit_last,
            pairs.visit_last + settings.visit_days,
            pairs.protection_from,
            pairs.protection_until,
            pairs.precautionary_from,
            pairs.precautionary_until,
            pairs.custody_from,
            pairs.custody_until,
            pairs.separated,
            pairs.separated + recent,
            pairs.separated + late,
            np.minimum(pairs.exit, until),
        ],
        axis=1,
    )
    last = np.maximum(np.minimum(pairs.exit, until), now)
    moments = np.clip(moments, now[:, None], last[:, None])
    moments.sort(axis=1)
    return moments


def next_event(pairs, now, until, settings, signal, rng):
    """When each pair's next violent event happens, if it does before `until` and before it leaves.

    Parameters
    ----------
    pairs : Pairs of n
    now : array of float, shape (n,)    no event starts before it
    until : float                       end of the stretch that is simulated

    Returns
    -------
    array of float, shape (n,)    days, whole seconds; NEVER where there is none
    """
    moments = _breaks(pairs, now, until, settings)
    rate = np.exp(pairs.constant[:, None] + log_modifier(pairs, moments[:, :-1], settings, signal))
    clock = clock_integral(moments - pairs.clock[:, None], settings, signal)
    mass = np.cumsum(rate * np.diff(clock, axis=1), axis=1)
    target = rng.standard_exponential(len(now))
    found = target < mass[:, -1]
    piece = np.minimum((mass <= target[:, None]).sum(axis=1), mass.shape[1] - 1)
    row = np.arange(len(now))
    before = np.where(piece > 0, mass[row, piece - 1], 0.0)
    with np.errstate(over="ignore"):
        integral = clock[row, piece] + (target - before) / rate[row, piece]
    integral = np.where(found, integral, 0.0)
    when = in_seconds(pairs.clock + _inverse_clock(integral, settings, signal))
    return np.where(found & (when < until), when, NEVER)
