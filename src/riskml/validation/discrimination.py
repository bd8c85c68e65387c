"""Discrimination: do those who have an event get higher predictions than those who have none?"""

import numpy as np

from riskml.validation.forecast import Forecast

__all__ = ["auc", "average_precision"]


def _auc(totals):
    totals.both_classes()
    without = totals.total - totals.events
    below = np.cumsum(without) - without
    return float(totals.events @ (below + without / 2) / (totals.n_events * without.sum()))


def auc(y, p, *, weights=None):
    """Area under the ROC curve: chance that an event is predicted higher than a non-event, ties half.

    Higher is better; 0.5 is no discrimination. Fully followed-up assessments only.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon
    p : array of float in [0, 1], shape (n,)   predicted risk
    weights : array >= 0, shape (n,), or None  how often each assessment counts

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    NotEstimable    (a ValueError) y has one class only

    References
    ----------
    Hanley & McNeil (1982), Radiology 143:29.
    """
    return _auc(Forecast(y, p).at(weights))


def _average_precision(totals):
    totals.both_classes()
    found = np.cumsum(totals.events[::-1])
    listed = np.cumsum(totals.total[::-1])
    precision = np.divide(found, listed, out=np.zeros_like(found), where=listed > 0)
    return float(totals.events[::-1] @ precision / totals.n_events)


def average_precision(y, p, *, weights=None):
    """Area under the precision-recall curve, as a sum over its steps (not interpolated).

    Higher is better; a prediction that tells nothing has the share of events. As scikit-learn's
    `average_precision_score`.

    Parameters, Returns, Raises
    ---------------------------
    As `auc`.

    References
    ----------
    Davis & Goadrich (2006), ICML, 233.
    """
    return _average_precision(Forecast(y, p).at(weights))


KERNELS = {auc: _auc, average_precision: _average_precision}
