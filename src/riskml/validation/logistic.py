"""Logistic regression on totals, for recalibration models of a few columns."""

import numpy as np
from scipy.special import expit

__all__ = ["fit_logistic"]

_STEPS, _HALVINGS = 50, 30
_ENOUGH = 1e-10  # expected gain in log likelihood, per assessment, at which the fit is done


def _log_likelihood(eta, total, events):
    return float((events * eta - total * (np.maximum(eta, 0) + np.log1p(np.exp(-np.abs(eta))))).sum())


def _linear(columns, coefficients, offset):
    """The linear predictor by columns: the threads of a matrix product cost more than so few of them."""
    eta = np.zeros(len(columns[0])) + offset
    for column, coefficient in zip(columns, coefficients, strict=True):
        eta += coefficient * column
    return eta


def _slope_and_information(columns, total, events, eta):
    """Gradient and expected information of the log likelihood."""
    risk = expit(eta)
    away, spread = events - total * risk, total * risk * (1 - risk)
    gradient = np.array([(column * away).sum() for column in columns])
    information = np.empty((len(columns), len(columns)))
    for i, column in enumerate(columns):
        weighted = column * spread
        for j in range(i + 1):
            information[i, j] = information[j, i] = (weighted * columns[j]).sum()
    return gradient, information


def fit_logistic(design, total, events, *, offset=0.0, start=None):
    """Maximum likelihood by Newton's steps, halved where one does not gain.

    Where the classes are separated the maximum lies at infinity; steps end once they gain nothing measurable.

    Parameters
    ----------
    design : array, shape (m, k)
    total, events : arrays, shape (m,)    assessments and events in each row; any weights >= 0
    offset : array, shape (m,), or 0      added to the linear predictor as it is
    start : array, shape (k,), or None    where to begin; None: at 0

    Returns
    -------
    array, shape (k,)
    """
    coefficients = np.zeros(design.shape[1]) if start is None else np.array(start, float)
    columns = np.ascontiguousarray(design.T)
    eta = _linear(columns, coefficients, offset)
    reached = _log_likelihood(eta, total, events)
    for _ in range(_STEPS):
        gradient, information = _slope_and_information(columns, total, events, eta)
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        expected = gradient @ step / 2
        for _ in range(_HALVINGS):
            eta = _linear(columns, coefficients + step, offset)
            gained = _log_likelihood(eta, total, events) - reached
            if gained >= -1e-12 * abs(reached):
                break
            step = step / 2
        coefficients, reached = coefficients + step, reached + gained
        if expected < _ENOUGH * total.sum():  # close by, each step squares the error: this one was the last
            break
    return coefficients
