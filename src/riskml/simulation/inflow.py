"""When cases enter the registry: seasons of the 911 calls of Zacatecas, and the years' levels."""

import numpy as np
import pandas as pd

__all__ = ["expected_monthly_calls", "opening_days", "seasonal_index"]


def _monthly_calls(settings):
    """The calls that count, one row per month: DataFrame of year, month, calls."""
    rows = [("2019", m, c) for m, c in enumerate(settings.calls_2019, 1)]
    rows += [("2020", m, c) for m, c in enumerate(settings.calls_2020, 1)]
    left_out = set(settings.calls_left_out)
    return pd.DataFrame([r for r in rows if (r[0], r[1]) not in left_out], columns=["year", "month", "calls"])


def seasonal_index(settings):
    """Calls per day of each month relative to the year, mean 1: array of float, shape (12,)."""
    calls = _monthly_calls(settings)
    days = pd.to_datetime(calls["year"] + "-" + calls["month"].astype(str) + "-01").dt.days_in_month
    calls["rate"] = calls["calls"] / days
    calls["rate"] /= calls.groupby("year")["rate"].transform("mean")
    index = calls.groupby("month")["rate"].mean().reindex(range(1, 13)).to_numpy()
    return index / index.mean()


def expected_monthly_calls(settings):
    """Registered 911 calls a month that the pilot area should show: float.

    The mean of the state's monthly calls, times the pilot area's share, times the share that reaches a
    known pair.
    """
    return float(_monthly_calls(settings)["calls"].mean() * settings.pilot_share * settings.linked_share)


def opening_days(count, start, end, settings, rng):
    """When each case's first recorded event happens: array of float, shape (count,), days since `start`,
    sorted.

    Parameters
    ----------
    start, end : Timestamp    first and last day of the simulated registry
    """
    days = pd.date_range(start.normalize(), end, freq="D")
    years = dict(settings.yearly_inflow)
    first, last = min(years), max(years)
    level = np.array([years[min(max(year, first), last)] for year in days.year])
    weight = level * seasonal_index(settings)[days.month - 1]
    length = (end - start) / pd.Timedelta(days=1)
    edges = np.minimum(np.arange(len(days) + 1, dtype=float), length)
    mass = np.concatenate([[0.0], np.cumsum(weight * np.diff(edges))])
    return np.sort(np.interp(rng.random(count) * mass[-1], mass, edges))
