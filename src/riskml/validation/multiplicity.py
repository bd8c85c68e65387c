"""Many comparisons at once: some intervals leave out equality by chance, and readers are told how many."""

import numpy as np
from scipy.stats import false_discovery_control, norm

from riskml.validation.verdict import every_language

__all__ = ["false_discovery_rates", "multiplicity_note", "two_sided_p"]


def two_sided_p(estimate, low, high, *, null=0.0, level=0.95):
    """The chance of an estimate at least this far from `null`, read from its interval as if it were normal.

    Parameters
    ----------
    estimate, low, high : float    with its interval at `level`
    null : float

    Returns
    -------
    float in [0, 1]; NaN where the interval has no width or is not known
    """
    width = high - low
    if not width > 0:
        return float("nan")
    error = width / (2 * norm.ppf((1 + level) / 2))
    return float(2 * norm.sf(abs(estimate - null) / error))


def false_discovery_rates(p_values):
    """The share of false findings to be expected when this one and all clearer ones are believed (q).

    Parameters
    ----------
    p_values : array of float, shape (k,)    NaN: not compared

    Returns
    -------
    array of float, shape (k,)    NaN where p is

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57:289.
    """
    p_values = np.asarray(p_values, float)
    q, known = np.full(len(p_values), np.nan), ~np.isnan(p_values)
    if known.any():
        q[known] = false_discovery_control(p_values[known])
    return q


def multiplicity_note(p_values, *, level=0.95):
    """How many comparisons were made, how many differ, and how many would by chance: words by language.

    Parameters
    ----------
    p_values : array of float, shape (k,)    NaN: not compared
    level : float    of the intervals

    Returns
    -------
    dict of language -> str
    """
    p_values = np.asarray(p_values, float)
    compared = p_values[~np.isnan(p_values)]
    q = false_discovery_rates(compared)
    return every_language(
        "multiplicity",
        compared=len(compared),
        differing=int((compared < 1 - level).sum()),
        expected=f"{(1 - level) * len(compared):.1f}",
        standing=int((q < 1 - level).sum()),
        rate=f"{100 * (1 - level):.0f}",
    )
