"""Utility: what a list or a threshold brings at the Task Force's capacity, and what it costs."""

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.validation.forecast import Forecast, NotEstimable

__all__ = [
    "decision_curve",
    "net_benefit",
    "net_benefit_at_capacity",
    "precision_at_capacity",
    "recall_at_capacity",
    "standardised_net_benefit",
    "standardised_net_benefit_at_capacity",
]


def _listed(totals, as_of, capacity):
    """Events and assessments on the weekly lists, as (weighted) numbers."""
    if not capacity > 0:
        raise RiskmlError(
            f"capacity must be a number of cases a week above 0, not {capacity}", where="capacity"
        )
    order, ties, week = totals.forecast.by_week(as_of)
    weights = totals.weights[order]
    listed = np.add.reduceat(weights, ties)
    events = np.add.reduceat(weights * totals.forecast.y[order], ties)
    before = np.cumsum(listed) - listed
    before -= before[np.searchsorted(week, week, side="left")]  # what stands above it in its own week's list
    share = np.clip(np.divide(capacity - before, listed, out=np.zeros_like(listed), where=listed > 0), 0, 1)
    return float(events @ share), float(listed @ share)


def _recall_at_capacity(totals, *, as_of=None, capacity):
    found, _ = _listed(totals, as_of, capacity)
    if not totals.n_events:
        raise NotEstimable("no_event")
    return found / totals.n_events


def recall_at_capacity(y, p, *, as_of=None, capacity, weights=None):
    """Share of all events that fall among the `capacity` highest predictions of each week.

    Higher is better. Each week (from Monday) has its own list of all its assessments. Where predictions tie
    at the end of the list, the places left are shared among them in proportion: the mean over every order of
    the ties, so that a constant prediction gets what drawing lots gets.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon
    p : array of float in [0, 1], shape (n,)   predicted risk
    as_of : array of datetime64, or of any labels of weeks, shape (n,), or None    None: all in one list
    capacity : number > 0                      cases a week that can be attended to
    weights : array >= 0, shape (n,), or None  how often each assessment counts, in the lists too

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    NotEstimable    (a ValueError) there is no event
    """
    return _recall_at_capacity(Forecast(y, p).at(weights), as_of=as_of, capacity=capacity)


def _precision_at_capacity(totals, *, as_of=None, capacity):
    found, listed = _listed(totals, as_of, capacity)
    return found / listed


def precision_at_capacity(y, p, *, as_of=None, capacity, weights=None):
    """Share of those on the weekly lists that have an event (positive predictive value of the list).

    Higher is better; its inverse is the number of visits for each case with an event. Parameters and ties as
    `recall_at_capacity`.

    Returns
    -------
    float in [0, 1]
    """
    return _precision_at_capacity(Forecast(y, p).at(weights), as_of=as_of, capacity=capacity)


def _check_threshold(threshold):
    if not 0 < threshold < 1:
        raise RiskmlError(f"a threshold is a risk between 0 and 1, not {threshold}", where="threshold")


def _net_benefit_at_capacity(totals, *, as_of=None, capacity, threshold):
    _check_threshold(threshold)
    found, listed = _listed(totals, as_of, capacity)
    return (found - (listed - found) * threshold / (1 - threshold)) / totals.n


def net_benefit_at_capacity(y, p, *, as_of=None, capacity, threshold, weights=None):
    """Net benefit of attending to the `capacity` highest predictions of each week, whatever their risk.

    TP/n - FP/n * t/(1-t), where TP and FP are counted on the lists: the places are given, and the threshold t
    only says how many cases without event one is ready to attend to for one with, (1-t)/t. Higher is better;
    below 0 the visits cost more than the events found are worth at that rate.

    Parameters
    ----------
    y, p, as_of, capacity, weights    as `recall_at_capacity`
    threshold : float in (0, 1)

    Returns
    -------
    float, at most the share of events

    References
    ----------
    Vickers & Elkin (2006), Medical Decision Making 26:565; EVIDENCE 5.4 ("NB at fixed review slots").
    """
    totals = Forecast(y, p).at(weights)
    return _net_benefit_at_capacity(totals, as_of=as_of, capacity=capacity, threshold=threshold)


def _standardised_net_benefit_at_capacity(totals, *, as_of=None, capacity, threshold):
    if not totals.n_events:
        raise NotEstimable("no_event")
    found = _net_benefit_at_capacity(totals, as_of=as_of, capacity=capacity, threshold=threshold)
    return found / totals.prevalence


def standardised_net_benefit_at_capacity(y, p, *, as_of=None, capacity, threshold, weights=None):
    """Net benefit at the capacity as a share of the most that is possible without limits of capacity.

    Higher is better; at most 1. Parameters and errors as `net_benefit_at_capacity`.

    Raises
    ------
    NotEstimable    (a ValueError) there is no event
    """
    totals = Forecast(y, p).at(weights)
    return _standardised_net_benefit_at_capacity(totals, as_of=as_of, capacity=capacity, threshold=threshold)


def _net_benefit(totals, *, threshold):
    _check_threshold(threshold)
    chosen = totals.forecast.distinct >= threshold
    true = totals.events[chosen].sum()
    false = totals.total[chosen].sum() - true
    return float((true - false * threshold / (1 - threshold)) / totals.n)


def net_benefit(y, p, *, threshold, weights=None):
    """Net benefit of acting on predictions at or above a threshold: TP/n - FP/n * t/(1-t).

    Higher is better; acting on nobody gives 0, and a perfect prediction the share of events. The threshold t
    says how many cases without event one is ready to attend to for one with: (1-t)/t.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon
    p : array of float in [0, 1], shape (n,)   predicted risk
    threshold : float in (0, 1)
    weights : array >= 0, shape (n,), or None  how often each assessment counts

    Returns
    -------
    float, at most the share of events

    References
    ----------
    Vickers & Elkin (2006), Medical Decision Making 26:565.
    """
    return _net_benefit(Forecast(y, p).at(weights), threshold=threshold)


def _standardised_net_benefit(totals, *, threshold):
    if not totals.n_events:
        raise NotEstimable("no_event")
    return _net_benefit(totals, threshold=threshold) / totals.prevalence


def standardised_net_benefit(y, p, *, threshold, weights=None):
    """Net benefit as a share of the most that is possible, which is the share of events.

    Higher is better; at most 1. Parameters as `net_benefit`.

    Raises
    ------
    NotEstimable    (a ValueError) there is no event

    References
    ----------
    Kerr et al. (2016), Journal of Clinical Oncology 34:2534.
    """
    return _standardised_net_benefit(Forecast(y, p).at(weights), threshold=threshold)


def decision_curve(y, predictions, thresholds, *, weights=None):
    """Net benefit of each candidate over thresholds, beside acting on all and on none.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)
    predictions : dict of candidate -> array of float in [0, 1], shape (n,)
    thresholds : array of float in (0, 1), shape (t,)
    weights : array >= 0, shape (n,), or None

    Returns
    -------
    DataFrame, index threshold, one column for each candidate, and `all` and `none`
    """
    y = np.asarray(y, float)
    totals = {name: Forecast(y, p).at(weights) for name, p in predictions.items()}
    totals["all"] = Forecast(y, np.ones(len(y))).at(weights)
    columns = {name: [_net_benefit(t, threshold=at) for at in thresholds] for name, t in totals.items()}
    columns["none"] = np.zeros(len(thresholds))
    return pd.DataFrame(columns, index=pd.Index(thresholds, name="threshold"))


KERNELS = {
    recall_at_capacity: _recall_at_capacity,
    precision_at_capacity: _precision_at_capacity,
    net_benefit_at_capacity: _net_benefit_at_capacity,
    standardised_net_benefit_at_capacity: _standardised_net_benefit_at_capacity,
    net_benefit: _net_benefit,
    standardised_net_benefit: _standardised_net_benefit,
}
