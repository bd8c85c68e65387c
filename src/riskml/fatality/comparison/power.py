"""What so many cases can show at all: exact power of a comparison, stated before any result."""

from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import binom

from riskml.errors import RiskmlError

__all__ = ["PLANNED_PREVALENCE", "fisher_power", "smallest_odds_ratio"]

PLANNED_PREVALENCE = 0.10  # among the living, as EVIDENCE 6.5 [D] reckons: fixed before the data are seen
_LARGEST = 1000.0  # odds ratio beyond which none is looked for
_NEGLECTED = 1e-10  # chance, at either end of each count, that is not enumerated
_SAME = 1e-7


def _likely(n, share):
    """The counts of n that are not too unlikely: (first, last)."""
    first, last = binom.ppf([_NEGLECTED, 1 - _NEGLECTED], n, share)
    return int(first), int(last)


@cache
def _rejected(cases, controls, exposed, alpha):
    """Numbers of exposed cases that Fisher's test rejects, of so many exposed: (fewest, bool array)."""
    fewest = max(0, exposed - controls)
    a = np.arange(fewest, min(cases, exposed) + 1)
    logs = -(gammaln(a + 1) + gammaln(cases - a + 1))
    logs -= gammaln(exposed - a + 1) + gammaln(controls - exposed + a + 1)
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    order = np.argsort(chance, kind="stable")
    through = np.cumsum(chance[order])
    # As likely as another, to the digit: counted with it.
    last = np.searchsorted(chance[order], chance * (1 + _SAME), side="right") - 1
    return fewest, through[last] <= alpha


def fisher_power(cases, controls, prevalence, odds_ratio, *, alpha=0.05):
    """Chance that Fisher's two-sided test shows an odds ratio, exactly, by enumeration.

    Exposed cases and controls are binomial. Sets are not kept: matched ones show a little less, or a little
    more, as those of a set are alike.

    Parameters
    ----------
    cases, controls : int
    prevalence : float in (0, 1)    share of the exposed among controls
    odds_ratio : float
    alpha : float

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    RiskmlError    no case, no control, or no share

    >>> f"{fisher_power(10, 50, 0.10, 7):.0%}"
    '63%'
    """
    if cases < 1 or controls < 1 or not 0 < prevalence < 1 or not 0 < odds_ratio < np.inf:
        raise RiskmlError("power needs cases, controls, a share and an odds ratio", where="power")
    odds = odds_ratio * prevalence / (1 - prevalence)
    shares = odds / (1 + odds), prevalence
    first, last = _likely(cases, shares[0])
    a = np.arange(first, last + 1)
    first, last = _likely(controls, shares[1])
    c = np.arange(first, last + 1)
    chance = np.outer(binom.pmf(a, cases, shares[0]), binom.pmf(c, controls, shares[1]))
    exposed = a[:, None] + c[None, :]
    power = 0.0
    for total in range(exposed.min(), exposed.max() + 1):
        fewest, rejected = _rejected(cases, controls, total, alpha)
        here = a[(total - a >= c[0]) & (total - a <= c[-1])]
        shown = here[rejected[here - fewest]]
        power += chance[shown - a[0], total - shown - c[0]].sum()
    return float(min(power, 1.0))


def smallest_odds_ratio(cases, controls, prevalence, *, power=0.8, alpha=0.05):
    """The odds ratio above 1 that is shown with a given power: float, or None where none is.

    Parameters
    ----------
    cases, controls, prevalence, alpha : as `fisher_power`
    power : float

    Returns
    -------
    float or None
    """

    def short_of(log_odds):
        return fisher_power(cases, controls, prevalence, np.exp(log_odds), alpha=alpha) - power

    farthest = np.log(_LARGEST)
    if short_of(farthest) < 0:
        return None
    return float(np.exp(brentq(short_of, 1e-6, farthest, xtol=1e-4)))
