"""Reviewed cases and their controls, in three states: what a lethal model learns from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from riskml.errors import RiskmlError
from riskml.models.relative_risk import factor_terms

__all__ = ["Review", "shares_without_event"]


@dataclass(frozen=True)
class Review:
    """Reviewed cases and their controls.

    Attributes
    ----------
    x : float array, shape (n, p)        1 present, 0 denied, NaN unknown
    y : array of {0, 1}, shape (n,)      1: the event
    shares : float array, shape (p,)     share in whom each factor is present among those without the event
    weights : float array, shape (n,)    how many people a row stands for; all 1 by default
    offset : float array, shape (n,)     known part of the log-odds; 0 by default
    sets : int array, shape (n,), or None    risk set of each row: one case and the controls drawn for it.
        None: cases and controls were drawn apart (case-control), or everybody is there (a cohort)
    """

    x: np.ndarray
    y: np.ndarray
    shares: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    sets: np.ndarray | None = None

    @classmethod
    def of(cls, x, y, *, shares=None, weights=None, offset=None, sets=None):
        """A review of arrays.

        Parameters
        ----------
        shares : float array, shape (p,), or None    NaN, or None for all: estimated by
            `shares_without_event`
        x, y, weights, offset, sets : as the attributes

        Raises
        ------
        RiskmlError    shapes differ, values that are none of 0, 1 and NaN, one class only, weights that are
            not positive, a risk set without just one case and a control
        """
        x, y = np.asarray(x, float), np.asarray(y, float)
        n = len(y)
        weights = np.ones(n) if weights is None else np.asarray(weights, float)
        offset = np.zeros(n) if offset is None else np.asarray(offset, float)
        if x.ndim != 2 or y.shape != (len(x),) or weights.shape != (n,) or offset.shape != (n,):
            raise RiskmlError(f"{x.shape} factors, {y.shape} outcomes, weights and offset do not pair")
        if not np.isin(y, (0, 1)).all() or not y.any() or y.all():
            raise RiskmlError("outcomes must be 0 or 1, and both must be there", where="y")
        if not (np.isnan(x) | np.isin(x, (0, 1))).all():
            raise RiskmlError("factors must be 1 (present), 0 (denied) or NaN (unknown)", where="x")
        if not (np.isfinite(weights).all() and (weights > 0).all() and np.isfinite(offset).all()):
            raise RiskmlError("weights must be positive, offsets finite", where="weights, offset")
        if sets is not None:
            sets = _checked_sets(sets, y, weights)
        estimated = shares_without_event(x, y, weights)
        given = np.full(x.shape[1], np.nan) if shares is None else np.asarray(shares, float)
        if given.shape != estimated.shape or not ((given > 0) & (given < 1) | np.isnan(given)).all():
            raise RiskmlError("shares must lie between 0 and 1, one for each factor", where="shares")
        return cls(x, y, np.where(np.isnan(given), estimated, given), weights, offset, sets)

    def rows(self, chosen):
        """The review of some rows, bool array; shares stay."""
        sets = None if self.sets is None else self.sets[chosen]
        parts = (self.x[chosen], self.y[chosen], self.shares, self.weights[chosen], self.offset[chosen])
        return Review(*parts, sets)

    @cached_property
    def unknown(self):
        """Where a factor is unknown, bool array (n, p)."""
        return np.isnan(self.x)

    @cached_property
    def membership(self):
        """Which rows each risk set has, for sums over sets: sparse 0/1 array, shape (sets, n)."""
        size = int(self.sets.max()) + 1, len(self.sets)
        return csr_array((np.ones(size[1]), (self.sets, np.arange(size[1]))), shape=size)

    def terms(self, b):
        """What factors add to the log-odds, with derivatives: `factor_terms` of this review."""
        return factor_terms(self.x, b, self.shares)


def _checked_sets(sets, y, weights):
    sets = np.asarray(sets)
    if sets.shape != y.shape:
        raise RiskmlError("sets must name the risk set of each row", where="sets")
    codes = np.unique(sets, return_inverse=True)[1]
    cases, people = np.bincount(codes, y), np.bincount(codes)
    wrong = int(((cases != 1) | (people < 2)).sum())
    if wrong:
        raise RiskmlError(f"{wrong} of {len(people)} risk sets are not one case with controls", where="sets")
    if (weights != 1).any():
        raise RiskmlError("rows of risk sets stand for one person each", where="weights")
    return codes


def shares_without_event(x, y, weights=None):
    """Share in whom each factor is present, among those without the event of whom it is known.

    Half a person is added on either side (Jeffreys), so that no share is 0 or 1. Where presence is recorded
    more readily than absence, the share is too high.

    Returns
    -------
    float array, shape (p,)
    """
    x = np.asarray(x, float)
    without = np.asarray(y) == 0
    weight = (np.ones(len(x)) if weights is None else np.asarray(weights, float))[without, None]
    known = ~np.isnan(x[without])
    present = (weight * (x[without] == 1)).sum(axis=0)
    return (present + 0.5) / ((weight * known).sum(axis=0) + 1)
