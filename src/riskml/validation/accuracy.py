"""Accuracy over all: proper scores, which reward discrimination and calibration together."""

import numpy as np

from riskml.validation.forecast import Forecast

__all__ = ["brier_score", "log_loss", "scaled_brier"]


def _brier_score(totals):
    p, without = totals.forecast.distinct, totals.total - totals.events
    return float((totals.events @ (1 - p) ** 2 + without @ p**2) / totals.n)


def brier_score(y, p, *, weights=None):
    """Mean squared difference between outcome and predicted risk.

    Lower is better; 0 is perfect. Fully followed-up assessments only.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon
    p : array of float in [0, 1], shape (n,)   predicted risk
    weights : array >= 0, shape (n,), or None  how often each assessment counts

    Returns
    -------
    float in [0, 1]

    References
    ----------
    Brier (1950), Monthly Weather Review 78:1.
    """
    return _brier_score(Forecast(y, p).at(weights))


def _scaled_brier(totals):
    totals.both_classes()
    return 1 - _brier_score(totals) / (totals.prevalence * (1 - totals.prevalence))


def scaled_brier(y, p, *, weights=None):
    """Scaled Brier score, or index of prediction accuracy (IPA): share of the base rate's Brier score
    removed.

    Higher is better; 1 is perfect, 0 is predicting the share of events for all, below 0 is worse than that.

    Parameters, Returns
    -------------------
    As `brier_score`; float, at most 1.

    Raises
    ------
    NotEstimable    (a ValueError) y has one class only

    References
    ----------
    Kattan & Gerds (2018), Diagnostic and Prognostic Research 2:7.
    """
    return _scaled_brier(Forecast(y, p).at(weights))


def _log_loss(totals):
    smallest = np.finfo(float).eps
    p, without = np.clip(totals.forecast.distinct, smallest, 1 - smallest), totals.total - totals.events
    return float(-(totals.events @ np.log(p) + without @ np.log1p(-p)) / totals.n)


def log_loss(y, p, *, weights=None):
    """Mean negative log likelihood of the outcomes. Predictions of 0 and 1 count as 2.2e-16 away from them.

    Lower is better; 0 is perfect.

    Parameters, Returns
    -------------------
    As `brier_score`; float, at least 0.
    """
    return _log_loss(Forecast(y, p).at(weights))


KERNELS = {brier_score: _brier_score, scaled_brier: _scaled_brier, log_loss: _log_loss}
