"""Calibration curves for figures: a smooth one with its band, and groups with exact intervals."""

import numpy as np
import pandas as pd
from scipy.special import expit

from riskml.validation.bootstrap import cluster_weights
from riskml.validation.forecast import Forecast, NotEstimable
from riskml.validation.intervals import exact_interval

__all__ = ["calibration_curve", "calibration_groups"]


def calibration_curve(y, p, groups, *, points=100, replicates=200, seed, level=0.95):
    """Smoothed observed risk over the predicted one, with a pointwise band by bootstrap over aggressors.

    The curve is that of `integrated_calibration_index`. It runs from the 1st to the 99th percentile of the
    predictions: beyond, there is nothing to hold it.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon
    p : array of float in [0, 1], shape (n,)   predicted risk
    groups : array of labels, shape (n,)       the aggressor of each assessment
    points : int                               length of the curve
    replicates, seed, level                    of the band

    Returns
    -------
    DataFrame of predicted, observed, low, high; `points` rows, one where every prediction is the same

    Raises
    ------
    NotEstimable    (a ValueError) y has one class only, or too many replicates have
    """
    forecast = Forecast(y, p)
    ends = np.quantile(forecast.p, (0.01, 0.99))
    predicted = np.unique(np.linspace(*ends, points))
    design = forecast.spline_design(predicted)
    observed = expit(design @ forecast.own_curve)
    curves = []
    for weights in cluster_weights(groups, replicates, seed=seed):
        try:
            curves.append(expit(design @ forecast.at(weights).curve))
        except NotEstimable:
            continue
    if len(curves) < 0.9 * replicates:
        raise NotEstimable("few_replicates", count=len(curves), total=replicates)
    tail = (1 - level) / 2
    low, high = np.quantile(curves, (tail, 1 - tail), axis=0)
    return pd.DataFrame({"predicted": predicted, "observed": observed, "low": low, "high": high})


def calibration_groups(y, p, *, groups=10, level=0.95):
    """Observed share of events in groups of similar predictions, as n/N with exact intervals.

    Equal predictions stay together, so that groups may be fewer and unequal. The intervals take assessments
    as independent; those of `calibration_curve` do not.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)
    p : array of float in [0, 1], shape (n,)
    groups : int      number of groups, of about the same size
    level : float

    Returns
    -------
    DataFrame of predicted (mean), events, total, observed, low, high; one row per group, ascending
    """
    forecast = Forecast(y, p)
    totals = forecast.at()
    middle = np.cumsum(totals.total) - totals.total / 2
    group = np.minimum((middle * groups / totals.n).astype(int), groups - 1)
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    total = np.add.reduceat(totals.total, first).astype(int)
    events = np.add.reduceat(totals.events, first).astype(int)
    predicted = np.add.reduceat(totals.total * forecast.distinct, first) / total
    bounds = [exact_interval(n, of, level=level) for n, of in zip(events, total, strict=True)]
    low, high = np.transpose(bounds)
    return pd.DataFrame(
        {
            "predicted": predicted,
            "events": events,
            "total": total,
            "observed": events / total,
            "low": low,
            "high": high,
        }
    )
