"""Many factors and few cases: each odds ratio drawn towards its prior, by the exact likelihood.

A factor of which literature speaks begins at its published log-odds. The others share one prior around no
effect, as wide as they turn out to differ: what stands out by chance among 41 factors is drawn in.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import norm

__all__ = ["COMMON_FLOOR", "COMMON_SCALE", "FEW_SETS", "Posterior", "common_spread", "posterior_odds"]

FEW_SETS = 25  # below: the data cannot say how far factors differ, and might say "not at all"
COMMON_FLOOR = (
    0.5  # then at least this sd of the log-odds: within a factor of 2.7 (95 %), as for published ones
)
COMMON_SCALE = 1.0  # of the half-normal prior on that sd [A]: up to 2 (95 %), effects of up to 50 times
_LEAST, _MOST = 0.05, 2.5  # where the spread is looked for
_REACH, _POINTS = 9.0, 2001  # prior standard deviations either side of the mode, and points between
_WIDEST, _ALL_POINTS = 12.0, 4801  # log-odds over which the spread is judged: steps a tenth of the least


@dataclass(frozen=True)
class Posterior:
    """What is known of one odds ratio once prior and data are joined.

    Attributes
    ----------
    odds_ratio, low, high : float    the median and the interval of equal tails
    mean, sd : float                 of the log-odds
    moved : float                    of the log-odds' mean, in the prior's standard deviations
    from_data : float in [0, 1]      share of the precision that did not come from the prior
    log_evidence : float             logarithm of the marginal likelihood, without its constant
    """

    odds_ratio: float
    low: float
    high: float
    mean: float
    sd: float
    moved: float
    from_data: float
    log_evidence: float


def _no_data(log_odds):
    return np.zeros_like(np.asarray(log_odds, float))


def _grid(log_likelihood, mean, sd):
    """Points over all that is likely, the log posterior there, and their distance.

    The likelihood's logarithm is concave, so the posterior is nowhere wider than its prior.
    """
    reach, centre = _REACH * sd, mean
    b = None
    for _ in range(40):
        b = np.linspace(centre - reach, centre + reach, _POINTS)
        logs = log_likelihood(b) + norm.logpdf(b, mean, sd)
        top = int(np.argmax(logs))
        if 0 < top < len(b) - 1 and abs(b[top] - centre) < reach / 2:
            break
        centre = b[top]
    likely = np.flatnonzero(logs > logs.max() - _REACH**2 / 2)
    b = np.linspace(b[max(likely[0] - 1, 0)], b[min(likely[-1] + 1, len(b) - 1)], _POINTS)
    return b, log_likelihood(b) + norm.logpdf(b, mean, sd), b[1] - b[0]


def posterior_odds(found, mean, sd, *, level=0.95):
    """Exact conditional likelihood times a normal prior on the log-odds, by quadrature.

    Parameters
    ----------
    found : ExactConditional, or None where the data say nothing: the prior comes back
    mean, sd : float    of the prior on the log-odds
    level : float       of the interval

    Returns
    -------
    Posterior

    References
    ----------
    Greenland (2007), International Journal of Epidemiology 36:195 (normal priors on log odds ratios).
    """
    b, logs, step = _grid(_no_data if found is None else found.log_likelihood, mean, sd)
    density = np.exp(logs - logs.max())
    total = np.trapezoid(density, dx=step)
    density /= total
    centre = np.trapezoid(density * b, dx=step)
    spread = np.sqrt(np.trapezoid(density * (b - centre) ** 2, dx=step))
    through = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) * step / 2)])
    median, low, high = np.interp([0.5, (1 - level) / 2, (1 + level) / 2], through / through[-1], b)
    return Posterior(
        *(float(np.exp(value)) for value in (median, low, high)),
        mean=float(centre),
        sd=float(spread),
        moved=float((centre - mean) / sd),
        from_data=float(np.clip(1 - (spread / sd) ** 2, 0, 1)),
        log_evidence=float(np.log(total) + logs.max()),
    )


def common_spread(found, *, sets):
    """How far the factors without literature differ: sd of their common normal prior around no effect.

    It is what makes their data most likely together (empirical Bayes), taken as independent of each other,
    held in by a half-normal prior of scale COMMON_SCALE: a case or two seem to say that factors differ
    without bound, for all of them speak of the same people. With fewer than FEW_SETS sets it is at least
    COMMON_FLOOR: so few would often say that all are the same.

    Parameters
    ----------
    found : list of ExactConditional    of the factors that tell anything
    sets : int                          matched sets there are

    Returns
    -------
    (sd, estimated) : float, and what was estimated, float or None where no factor tells anything

    References
    ----------
    Gelman (2006), Bayesian Analysis 1:515 (weak priors on how far effects differ).
    Efron & Morris (1975), Journal of the American Statistical Association 70:311.
    """
    floor = COMMON_FLOOR if sets < FEW_SETS else _LEAST
    if not found:
        return max(floor, COMMON_FLOOR), None

    b = np.linspace(-_WIDEST, _WIDEST, _ALL_POINTS)
    logs = np.array([one.log_likelihood(b) for one in found])
    likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))

    def unlikely(log_spread):
        spread = np.exp(log_spread)
        held_in = spread**2 / (2 * COMMON_SCALE**2)
        return held_in - np.log(likelihood @ norm.pdf(b, 0.0, spread)).sum()

    bounds = np.log(_LEAST), np.log(_MOST)
    estimated = float(np.exp(minimize_scalar(unlikely, bounds=bounds, method="bounded").x))
    return max(floor, estimated), estimated
