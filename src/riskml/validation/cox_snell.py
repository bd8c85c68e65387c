"""Cox-Snell's R2 of a model that is not there yet, from the c-statistic (AUC) that is expected of it."""

from math import exp, isfinite, log, sqrt

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from riskml.errors import RiskmlError

__all__ = ["checked_share", "cox_snell_from_c", "linear_predictor_of", "maximum_cox_snell"]

TAIL = 12.0  # standard deviations at which integrals over a normal end


def checked_share(value, name, low=0.0, high=1.0):
    """The value, as a float; RiskmlError where it does not lie between the two."""
    if not isfinite(value) or not low < value < high:
        raise RiskmlError(f"{name} must lie between {low:g} and {high:g}, not {value:g}", where=name)
    return float(value)


def maximum_cox_snell(prevalence):
    """The highest Cox-Snell R2 that an outcome of this prevalence allows, float.

    >>> round(maximum_cox_snell(0.174), 2)
    0.6
    """
    prevalence = checked_share(prevalence, "prevalence")
    null = prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)
    return 1 - exp(2 * null)


def linear_predictor_of(c_statistic, prevalence):
    """Mean and variance of the log-odds of those without the outcome, where predictions are calibrated.

    Log-odds are taken as normal with one variance in both groups; those with the outcome lie one variance
    higher. Then the variance is 2 (probit c)^2 and calibration leaves one mean that gives the prevalence.

    Returns
    -------
    (mean, variance) : floats

    References
    ----------
    Riley et al. (2021), Statistics in Medicine 40:4230.
    """
    c = checked_share(c_statistic, "c_statistic", 0.5, 1.0)
    variance = 2 * norm.ppf(c) ** 2
    prevalence = checked_share(prevalence, "prevalence")
    return log(prevalence / (1 - prevalence)) - variance / 2, variance


def cox_snell_from_c(c_statistic, prevalence):
    """Cox-Snell R2 of a calibrated model with a c-statistic (AUC), by the binormal approximation.

    The published method simulates a million people from two normals with one variance and fits a logistic
    regression; this is the value which that simulation scatters around, by numerical integration.

    Parameters
    ----------
    c_statistic : float in (0.5, 1)
    prevalence : float in (0, 1)

    Returns
    -------
    float

    References
    ----------
    Riley, Van Calster & Collins (2021), Statistics in Medicine 40:859.
    """
    mean, variance = linear_predictor_of(c_statistic, prevalence)
    spread = sqrt(variance)

    def expected(loss, centre):
        low, high = centre - TAIL * spread, centre + TAIL * spread
        return quad(lambda x: norm.pdf(x, centre, spread) * loss(x), low, high, limit=200)[0]

    with_outcome = expected(lambda x: -np.logaddexp(0, -x), mean + variance)
    without = expected(lambda x: -np.logaddexp(0, x), mean)
    null = prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)
    return float(1 - exp(-2 * (prevalence * with_outcome + (1 - prevalence) * without - null)))
