"""Shares of a few, where one person may stand for several rows: n/N with intervals that know it."""

from dataclasses import asdict, dataclass

import numpy as np

from riskml.errors import RiskmlError
from riskml.models.riskgroups import clustered_interval, design_effect
from riskml.validation.forecast import NotEstimable

__all__ = ["Share", "clustered_share", "share_difference"]


@dataclass(frozen=True)
class Share:
    """A share of rows with its interval.

    Attributes
    ----------
    n, total : float    n of total; whole numbers unless places are shared among ties
    people : int        persons behind the rows
    share, low, high : float in [0, 1]
    effective : float   so many independent rows would say as much
    """

    n: float
    total: int
    people: int
    share: float
    low: float
    high: float
    effective: float

    def row(self):
        """n, total, share, low, high: dict."""
        return {key: value for key, value in asdict(self).items() if key not in ("people", "effective")}


def clustered_share(values, people, *, level=0.95):
    """The share of rows that hold something, with an exact interval that takes each person once.

    The interval is that of Clopper and Pearson with the number of rows divided by the design effect, so that
    it is honest at 0/N and N/N too, where a bootstrap shows no width. With one row for each person it is the
    exact binomial interval of (N - 1) rows at that share, a little wider than that of N: a degree of freedom
    is spent on the people's mean.

    Parameters
    ----------
    values : array of float in [0, 1], shape (n,)    whether the row holds it
    people : array of labels, shape (n,)             whose row it is
    level : float

    Returns
    -------
    Share

    Raises
    ------
    NotEstimable    (a ValueError) no row
    RiskmlError     lengths that differ

    References
    ----------
    Korn & Graubard (1998), Survey Methodology 24:193.
    """
    values, people = np.asarray(values, float), np.asarray(people)
    if values.shape != people.shape:
        raise RiskmlError(f"{len(people)} people do not pair with {len(values)} rows", where="people")
    if not len(values):
        raise NotEstimable("nobody")
    n, total = float(values.sum()), len(values)
    effect = max(design_effect(values, people), 1.0)
    low, high = clustered_interval(n, total, effect, level)
    return Share(n, total, len(np.unique(people)), n / total, low, high, total / effect)


def share_difference(first, second):
    """One share minus another, of two groups: (estimate, low, high).

    The interval joins those of the two shares, so that it keeps its width where one of them is 0 or 1. It
    takes the groups as different people; where some stand in both, it is somewhat too wide.

    Parameters
    ----------
    first, second : Share    at the same level

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17:873 (method 10, here with exact intervals).
    """
    estimate = first.share - second.share
    below = np.hypot(first.share - first.low, second.high - second.share)
    above = np.hypot(first.high - first.share, second.share - second.low)
    return estimate, max(-1.0, float(estimate - below)), min(1.0, float(estimate + above))
