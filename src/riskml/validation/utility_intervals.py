"""Utility with intervals: decision curves, and what the weekly list brings at the Task Force's capacity."""

from functools import partial

import numpy as np
import pandas as pd

from riskml.validation.bootstrap import cluster_bootstrap, percentile_interval
from riskml.validation.forecast import NotEstimable, weeks
from riskml.validation.utility import (
    net_benefit,
    net_benefit_at_capacity,
    precision_at_capacity,
    recall_at_capacity,
    standardised_net_benefit,
    standardised_net_benefit_at_capacity,
)

__all__ = ["capacity_utility", "decision_curve_intervals"]

EVERYONE = "all"


def decision_curve_intervals(
    y, predictions, people, thresholds, *, replicates=200, seed, level=0.95, language="es"
):
    """Net benefit of each candidate and of acting on all over thresholds, with intervals.

    Intervals are pointwise, by bootstrap over aggressors. `gain` is the net benefit over that of the better
    of acting on all and on none, on the same draws: only where its interval lies above 0 does the candidate
    help at that threshold.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)
    predictions : dict of candidate -> array of float in [0, 1], shape (n,)
    people : array of labels, shape (n,)           the aggressor of each assessment
    thresholds : array of float in (0, 1), shape (t,)
    replicates, seed, level, language              of `cluster_bootstrap`

    Returns
    -------
    DataFrame of candidate, threshold, net_benefit, low, high, standardised, standardised_low,
        standardised_high, gain, gain_low, gain_high; NaN where there is no event. `all` is a candidate too;
        acting on none has net benefit 0

    Raises
    ------
    RiskmlError    a candidate is named "all", a threshold outside (0, 1), or as `cluster_bootstrap`

    References
    ----------
    Vickers & Elkin (2006), Medical Decision Making 26:565. Kerr et al. (2016), Journal of Clinical Oncology
    34:2534.
    """
    y, thresholds = np.asarray(y, float), [float(t) for t in thresholds]
    metrics = {("net_benefit", t): partial(net_benefit, threshold=t) for t in thresholds}
    metrics |= {("standardised", t): partial(standardised_net_benefit, threshold=t) for t in thresholds}
    judged = cluster_bootstrap(
        {f"{name} {t!r}": function for (name, t), function in metrics.items()},
        y,
        {**predictions, EVERYONE: np.ones(len(y))},
        people,
        replicates=replicates,
        seed=seed,
        level=level,
        language=language,
    )
    names = list(judged.estimates.index)
    rows = []
    for i, candidate in enumerate(names):
        for t in thresholds:
            row = {"candidate": candidate, "threshold": t}
            for name, prefix in (("net_benefit", ""), ("standardised", "standardised_")):
                metric = f"{name} {t!r}"
                row[name] = judged.estimates.loc[candidate, metric]
                row[f"{prefix}low"], row[f"{prefix}high"] = _interval(judged, candidate, metric)
            at = judged.estimates.columns.get_loc(f"net_benefit {t!r}")
            values = judged.replicates[:, :, at]
            gain = values[:, i] - np.maximum(values[:, -1], 0)
            row["gain"] = row["net_benefit"] - max(judged.estimates.iloc[-1, at], 0)
            row["gain_low"], row["gain_high"] = percentile_interval(gain, level=level)
            rows.append(row)
    return pd.DataFrame(rows)


def _interval(judged, candidate, metric):
    try:
        return judged.interval(candidate, metric)
    except NotEstimable:
        return np.nan, np.nan


def capacity_utility(
    y,
    predictions,
    people,
    *,
    as_of=None,
    capacity,
    threshold,
    replicates=200,
    seed,
    level=0.95,
    language="es",
):
    """What lists of `capacity` cases a week bring under each candidate.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)
    predictions : dict of candidate -> array of float in [0, 1], shape (n,)
    people : array of labels, shape (n,)    the aggressor of each assessment
    as_of : array of datetime64 or labels of weeks, shape (n,), or None    None: all in one list
    capacity : number > 0                   cases a week
    threshold : float in (0, 1)             (1-t)/t visits to cases without event are accepted for one with
    replicates, seed, level, language       of `cluster_bootstrap`

    Returns
    -------
    DataFrame, index candidate, of events (all), found and listed (numbers on the lists; not whole where a tie
        is shared), and recall, precision, net_benefit, standardised_net_benefit each with `_low` and `_high`;
        NaN where there is no event

    Raises
    ------
    RiskmlError    capacity or threshold out of range, or as `cluster_bootstrap`
    """
    as_of = None if as_of is None else np.asarray(as_of)
    lists = {"as_of": as_of, "capacity": capacity}
    functions = {
        "recall": partial(recall_at_capacity, **lists),
        "precision": partial(precision_at_capacity, **lists),
        "net_benefit": partial(net_benefit_at_capacity, threshold=threshold, **lists),
        "standardised_net_benefit": partial(
            standardised_net_benefit_at_capacity, threshold=threshold, **lists
        ),
    }
    judged = cluster_bootstrap(
        functions,
        y,
        predictions,
        people,
        replicates=replicates,
        seed=seed,
        level=level,
        language=language,
    )
    events, rows = float(np.sum(y)), {}
    for candidate, estimates in judged.estimates.iterrows():
        found = 0.0 if np.isnan(estimates["recall"]) else estimates["recall"] * events
        row = {"events": events, "found": found, "listed": _list_length(len(y), as_of, capacity)}
        for name in functions:
            low, high = _interval(judged, candidate, name)
            row |= {name: estimates[name], f"{name}_low": low, f"{name}_high": high}
        rows[candidate] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("candidate")


def _list_length(n, as_of, capacity):
    """Number of places that the lists fill: at most the capacity of each week."""
    if as_of is None:
        return float(min(n, capacity))
    return float(np.minimum(np.unique(weeks(as_of, n), return_counts=True)[1], capacity).sum())
