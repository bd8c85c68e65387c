"""The severity of an event.

A latent normal, cut into the ordinal scale, whose location follows the pair's path.
"""

import numpy as np
from scipy.special import ndtr

__all__ = ["draw_severity", "severity_location", "severity_probabilities"]

_LONGEST_PATH = 5  # events over which a path moves


def severity_location(pairs, when, settings, signal):
    """Location of the latent severity of an event at `when`: array of float, shape (n,)."""
    steps = np.minimum(pairs.events, _LONGEST_PATH)
    drift = np.asarray(settings.path_step)[pairs.path.astype(int)] * steps
    alarm = np.where(when < pairs.alarm_until, settings.alarm_shift, 0.0)
    opening = np.where(pairs.events == 0, settings.opening_shift, 0.0)
    return pairs.severity + signal * (drift + alarm + opening)


def _spread(pairs, settings):
    fluctuating = pairs.path.astype(int) == 2
    return np.where(fluctuating, np.hypot(1.0, settings.fluctuation), 1.0)


def severity_probabilities(pairs, when, settings, signal):
    """Probability of each severity 0-5 of an event at `when`: array of float, shape (n, 6)."""
    location, spread = severity_location(pairs, when, settings, signal), _spread(pairs, settings)
    below = ndtr((np.asarray(settings.severity_cuts) - location[:, None]) / spread[:, None])
    edges = np.concatenate([np.zeros((len(location), 1)), below, np.ones((len(location), 1))], axis=1)
    return np.diff(edges, axis=1)


def draw_severity(pairs, when, settings, signal, rng):
    """Severity 0-5 of one event per pair: array of int, shape (n,). Death is drawn apart from it."""
    location, spread = severity_location(pairs, when, settings, signal), _spread(pairs, settings)
    latent = location + spread * rng.standard_normal(len(location))
    return np.searchsorted(np.asarray(settings.severity_cuts), latent, side="right")
