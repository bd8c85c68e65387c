"""Restricted cubic splines: smooth between their knots, straight beyond them."""

import numpy as np

__all__ = ["restricted_cubic_spline", "spline_knots"]

_PLACES = {4: (0.05, 0.35, 0.65, 0.95), 3: (0.10, 0.50, 0.90)}  # Harrell's quantiles


def spline_knots(x):
    """Knots at Harrell's quantiles: four, three where fewer are distinct, none where even those are not.

    Parameters
    ----------
    x : array, shape (n,)

    Returns
    -------
    array, shape (4,), (3,) or (0,), ascending

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, 2nd ed., section 2.4.6.
    """
    for places in _PLACES.values():
        knots = np.quantile(x, places)
        if (np.diff(knots) > 1e-6).all():
            return knots
    return np.array([])


def restricted_cubic_spline(x, knots):
    """Design of a restricted cubic spline: intercept, x, and a column for each knot but two.

    Parameters
    ----------
    x : array, shape (n,)
    knots : array, shape (k,), ascending; (0,): a straight line

    Returns
    -------
    array, shape (n, k) or (n, 2)
    """
    columns = [np.ones(len(x)), x]
    if len(knots):
        last, before = knots[-1], knots[-2]

        def cube(knot):
            return np.maximum(x - knot, 0) ** 3

        for knot in knots[:-2]:
            tail = (cube(before) * (last - knot) - cube(last) * (before - knot)) / (last - before)
            columns.append((cube(knot) - tail) / (last - knots[0]) ** 2)
    return np.column_stack(columns)
