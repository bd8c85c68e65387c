"""Calibration: of those given a risk of 10 in 100, do 10 in 100 have an event?

The flexible curve behind ICI, E50, E90 and ECI is a logistic regression on a restricted cubic spline of the
log-odds of the prediction, with knots at quantiles of the predictions (four; fewer where predictions are
few). It takes any weights, stays within [0, 1], and is straight in the tails, where a local smoother follows
single events.
"""

import numpy as np

from riskml.validation.forecast import Forecast, NotEstimable
from riskml.validation.logistic import fit_logistic

__all__ = [
    "calibration_intercept",
    "calibration_slope",
    "e50",
    "e90",
    "estimated_calibration_index",
    "integrated_calibration_index",
    "observed_expected",
]


def _observed_expected(totals):
    expected = totals.total @ totals.forecast.distinct
    if not expected > 0:
        raise NotEstimable("nothing_expected")
    return float(totals.n_events / expected)


def observed_expected(y, p, *, weights=None):
    """Observed events by expected ones (O:E).

    1 is calibrated in the large; above 1 the risk is underestimated, below 1 overestimated.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon
    p : array of float in [0, 1], shape (n,)   predicted risk
    weights : array >= 0, shape (n,), or None  how often each assessment counts

    Returns
    -------
    float >= 0

    Raises
    ------
    NotEstimable    (a ValueError) every prediction is 0
    """
    return _observed_expected(Forecast(y, p).at(weights))


def _calibration_intercept(totals):
    totals.both_classes()
    forecast = totals.forecast
    ones = np.ones((len(totals.total), 1))
    start, offset = forecast.own_intercept, forecast.log_odds
    return float(fit_logistic(ones, totals.total, totals.events, offset=offset, start=start)[0])


def calibration_intercept(y, p, *, weights=None):
    """Calibration in the large: intercept of a logistic recalibration whose slope is held at 1.

    0 is calibrated in the large; above 0 the risk is underestimated, below 0 overestimated. In log-odds.
    Predictions nearer than 1e-8 to 0 or 1 count as that near.

    Parameters
    ----------
    As `observed_expected`.

    Returns
    -------
    float

    Raises
    ------
    NotEstimable    (a ValueError) y has one class only

    References
    ----------
    Van Calster et al. (2016), Journal of Clinical Epidemiology 74:167.
    """
    return _calibration_intercept(Forecast(y, p).at(weights))


def _calibration_slope(totals):
    totals.both_classes()
    log_odds = totals.forecast.log_odds
    counted = log_odds[totals.total > 0]
    if np.ptp(counted) < 1e-9:
        raise NotEstimable("one_prediction")
    at_events, at_others = log_odds[totals.events > 0], log_odds[totals.total > totals.events]
    if at_events.min() >= at_others.max() or at_others.min() >= at_events.max():
        raise NotEstimable("separated")
    line, start = totals.forecast.line_design, totals.forecast.own_line
    return float(fit_logistic(line, totals.total, totals.events, start=start)[1])


def calibration_slope(y, p, *, weights=None):
    """Slope of a logistic recalibration on the log-odds of the prediction, intercept free.

    1 is neither too extreme nor too flat; below 1 predictions are too extreme (the mark of overfitting),
    above 1 too moderate. Predictions nearer than 1e-8 to 0 or 1 count as that near.

    Parameters
    ----------
    As `observed_expected`.

    Returns
    -------
    float

    Raises
    ------
    NotEstimable    (a ValueError) y has one class only, every prediction is the same, or predictions separate
                    events from the others completely

    References
    ----------
    Cox (1958), Biometrika 45:562. Van Calster et al. (2016), Journal of Clinical Epidemiology 74:167.
    """
    return _calibration_slope(Forecast(y, p).at(weights))


def _quantile(values, counts, share):
    """Quantile of values that each stand `counts` times, interpolated as numpy's default does."""
    order = np.argsort(values, kind="stable")
    values, through = values[order], np.cumsum(counts[order])
    place = (through[-1] - 1) * share
    below = np.floor(place)
    low, high = (
        values[np.minimum(np.searchsorted(through, at, side="right"), len(values) - 1)]
        for at in (below, below + 1)
    )
    return float(low + (place - below) * (high - low))


def _integrated_calibration_index(totals):
    return float(totals.total @ totals.distance / totals.n)


def integrated_calibration_index(y, p, *, weights=None):
    """Mean absolute distance between predicted risk and a smoothed observed risk (ICI).

    Lower is better; 0 is perfect. Fully followed-up assessments only: drop or weight censored ones first.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon
    p : array of float in [0, 1], shape (n,)   predicted risk
    weights : array >= 0, shape (n,), or None  how often each assessment counts; knots stay where they are
        without

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    NotEstimable    (a ValueError) y has one class only

    References
    ----------
    Austin & Steyerberg (2019), Statistics in Medicine 38:4051 (there with loess).
    """
    return _integrated_calibration_index(Forecast(y, p).at(weights))


def _e50(totals):
    return _quantile(totals.distance, totals.total, 0.5)


def e50(y, p, *, weights=None):
    """Median absolute distance between predicted risk and a smoothed observed risk (E50).

    Lower is better. Parameters, errors and reference as `integrated_calibration_index`.
    """
    return _e50(Forecast(y, p).at(weights))


def _e90(totals):
    return _quantile(totals.distance, totals.total, 0.9)


def e90(y, p, *, weights=None):
    """Ninth decile of the absolute distance between predicted risk and a smoothed observed risk (E90).

    Lower is better. Parameters, errors and reference as `integrated_calibration_index`.
    """
    return _e90(Forecast(y, p).at(weights))


def _estimated_calibration_index(totals):
    return float(totals.total @ totals.distance**2 / totals.n)


def estimated_calibration_index(y, p, *, weights=None):
    """Mean squared distance between predicted risk and a smoothed observed risk (ECI), not multiplied by 100.

    Lower is better. Parameters and errors as `integrated_calibration_index`.

    References
    ----------
    Van Hoorde et al. (2015), Journal of Biomedical Informatics 54:283.
    """
    return _estimated_calibration_index(Forecast(y, p).at(weights))


KERNELS = {
    observed_expected: _observed_expected,
    calibration_intercept: _calibration_intercept,
    calibration_slope: _calibration_slope,
    integrated_calibration_index: _integrated_calibration_index,
    e50: _e50,
    e90: _e90,
    estimated_calibration_index: _estimated_calibration_index,
}
