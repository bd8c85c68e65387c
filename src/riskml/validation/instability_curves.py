"""Data of instability plots: what refitted models predict, their calibration and their net benefit."""

import numpy as np
import pandas as pd
from scipy.special import expit

from riskml.validation.bootstrap import percentile_interval
from riskml.validation.forecast import Forecast, NotEstimable
from riskml.validation.metrics import METRICS, on_totals
from riskml.validation.utility import decision_curve

__all__ = ["calibration_instability", "decision_instability", "metric_instability", "prediction_instability"]


def prediction_instability(found, *, points=100, drawn=2000, seed=0):
    """Refitted predictions over the model's own: the wider around the diagonal, the less stable.

    No case is told apart: the band is of cases of like risk together, and dots are drawn at random.

    Parameters
    ----------
    found : Stability
    points : int    places of the band, at equal steps of the cases' ranks
    drawn : int     dots, each a pair of a case and a refit
    seed : int      of the dots

    Returns
    -------
    band : DataFrame of risk (mean of the place's cases), low, high (percentiles of their refits), cases
    dots : DataFrame of risk, refitted

    References
    ----------
    Riley & Collins (2023), Biometrical Journal 65:2200302 [M].
    """
    order = np.argsort(found.risk, kind="stable")
    tail, rows = (1 - found.level) / 2, []
    for place in np.array_split(order, min(points, len(order))):
        low, high = np.quantile(found.refits[:, place], (tail, 1 - tail))
        rows.append({"risk": found.risk[place].mean(), "low": low, "high": high, "cases": len(place)})
    rng = np.random.default_rng(seed)
    total = found.refits.size
    cells = rng.choice(total, min(drawn, total), replace=False)
    refit, case = np.unravel_index(cells, found.refits.shape)
    dots = pd.DataFrame({"risk": found.risk[case], "refitted": found.refits[refit, case]})
    return pd.DataFrame(rows), dots


def _curve(forecast, at):
    return expit(forecast.spline_design(at) @ forecast.own_curve)


def calibration_instability(found, y, *, points=50, curves=50):
    """Calibration curves of the refitted models on the same cases, beside the model's own.

    Each curve reaches from the 1st to the 99th percentile of its own model's predictions.

    Parameters
    ----------
    found : Stability
    y : array of {0, 1}, shape (m,)    outcome of the cases, which no refit has seen
    points : int                       length of each curve
    curves : int                       at most so many single curves

    Returns
    -------
    band : DataFrame of predicted, observed (the model's curve), low, high (percentiles of the refits' curves
        that reach there), curves (how many do)
    single : DataFrame of refit, predicted, observed

    Raises
    ------
    NotEstimable    (a ValueError) y has one class only
    """
    forecast = Forecast(y, found.risk)
    at = np.unique(np.linspace(*np.quantile(found.risk, (0.01, 0.99)), points))
    observed = _curve(forecast, at)
    values, single = np.full((len(found.refits), len(at)), np.nan), []
    for position, risk in enumerate(found.refits):
        own = Forecast(y, risk)
        low, high = np.quantile(risk, (0.01, 0.99))
        reached = (at >= low) & (at <= high)
        if reached.any():
            values[position, reached] = _curve(own, at[reached])
        if position < curves:
            place = np.unique(np.linspace(low, high, points))
            single.append(
                pd.DataFrame({"refit": position, "predicted": place, "observed": _curve(own, place)})
            )
    reaching = (~np.isnan(values)).sum(axis=0)
    tail = (1 - found.level) / 2
    bounds = np.full((2, len(at)), np.nan)
    if (reaching > 0).any():
        bounds[:, reaching > 0] = np.nanquantile(values[:, reaching > 0], (tail, 1 - tail), axis=0)
    band = pd.DataFrame(
        {"predicted": at, "observed": observed, "low": bounds[0], "high": bounds[1], "curves": reaching}
    )
    return band, pd.concat(single, ignore_index=True)


def metric_instability(found, y, *, metrics=("auc", "calibration_slope", "ici", "scaled_brier")):
    """How far metrics on the same cases differ between refitted models.

    This is the spread over training samples; the intervals of the comparison are over evaluation samples.

    Parameters
    ----------
    found : Stability
    y : array of {0, 1}, shape (m,)
    metrics : names of `validation.metrics.METRICS`

    Returns
    -------
    DataFrame, index metric, of estimate (the model's), low, high (percentiles over refits), reason
        (NotEstimable or None)
    """
    own, rows = Forecast(y, found.risk).at(), {}
    totals = [Forecast(y, risk).at() for risk in found.refits]
    for name in metrics:
        kernel = on_totals(METRICS[name].function)
        row = {"estimate": np.nan, "low": np.nan, "high": np.nan, "reason": None}
        try:
            row["estimate"] = kernel(own)
            row["low"], row["high"] = percentile_interval(
                [_or_nan(kernel, t) for t in totals], level=found.level
            )
        except NotEstimable as reason:
            row["reason"] = reason
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("metric")


def _or_nan(kernel, totals):
    try:
        return kernel(totals)
    except NotEstimable:
        return np.nan


def decision_instability(found, y, thresholds):
    """Net benefit of the refitted models on the same cases, beside the model's own and acting on all.

    Parameters
    ----------
    found : Stability
    y : array of {0, 1}, shape (m,)
    thresholds : array of float in (0, 1)

    Returns
    -------
    DataFrame, index threshold, of net_benefit (the model's), low, high (percentiles over refits), all
    """
    own = decision_curve(y, {"net_benefit": found.risk}, thresholds)
    refits = decision_curve(y, {str(i): risk for i, risk in enumerate(found.refits)}, thresholds)
    tail = (1 - found.level) / 2
    low, high = np.quantile(refits.drop(columns=["all", "none"]).to_numpy(), (tail, 1 - tail), axis=1)
    return pd.DataFrame(
        {"net_benefit": own["net_benefit"], "low": low, "high": high, "all": own["all"]}, index=own.index
    )
