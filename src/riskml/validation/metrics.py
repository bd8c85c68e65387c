"""Every metric in one place: `metric(y, p, *, weights=None)`, or with keywords of its own."""

from dataclasses import dataclass
from functools import partial

from riskml.validation import accuracy, calibration, discrimination, utility
from riskml.validation.accuracy import brier_score, log_loss, scaled_brier
from riskml.validation.calibration import (
    calibration_intercept,
    calibration_slope,
    e50,
    e90,
    estimated_calibration_index,
    integrated_calibration_index,
    observed_expected,
)
from riskml.validation.discrimination import auc, average_precision
from riskml.validation.forecast import NotEstimable
from riskml.validation.utility import net_benefit, recall_at_capacity, standardised_net_benefit

__all__ = [
    "METRICS",
    "Metric",
    "NotEstimable",
    "auc",
    "average_precision",
    "brier_score",
    "calibration_intercept",
    "calibration_slope",
    "e50",
    "e90",
    "estimated_calibration_index",
    "integrated_calibration_index",
    "log_loss",
    "net_benefit",
    "observed_expected",
    "on_totals",
    "recall_at_capacity",
    "scaled_brier",
    "standardised_net_benefit",
]

_KERNELS = {**accuracy.KERNELS, **calibration.KERNELS, **discrimination.KERNELS, **utility.KERNELS}


@dataclass(frozen=True)
class Metric:
    """A metric that every candidate is given, and which value of it is best.

    Attributes
    ----------
    function : callable      `function(y, p, *, weights=None)`
    best : str               "high", "low", or "target": the nearer to `target` the better
    target : float or None
    """

    function: object
    best: str
    target: float | None = None


METRICS = {
    "auc": Metric(auc, "high"),
    "average_precision": Metric(average_precision, "high"),
    "brier": Metric(brier_score, "low"),
    "scaled_brier": Metric(scaled_brier, "high"),
    "log_loss": Metric(log_loss, "low"),
    "calibration_intercept": Metric(calibration_intercept, "target", 0.0),
    "calibration_slope": Metric(calibration_slope, "target", 1.0),
    "ici": Metric(integrated_calibration_index, "low"),
    "e50": Metric(e50, "low"),
    "e90": Metric(e90, "low"),
    "observed_expected": Metric(observed_expected, "target", 1.0),
    "recall_at_capacity": Metric(recall_at_capacity, "high"),  # with its keywords `as_of` and `capacity`
}


def on_totals(function):
    """A metric as a function of `Totals`, so that sorting is done once for any number of weights.

    Parameters
    ----------
    function : callable `function(y, p, *, weights=None)`, one of this page, such a one with keywords through
        `functools.partial`, or any other

    Returns
    -------
    callable    `f(totals) -> float`
    """
    if isinstance(function, partial) and not function.args and function.func in _KERNELS:
        return partial(_KERNELS[function.func], **function.keywords)
    if function in _KERNELS:
        return _KERNELS[function]
    return lambda totals: float(function(totals.forecast.y, totals.forecast.p, weights=totals.weights))
