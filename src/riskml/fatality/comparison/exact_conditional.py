"""Exact odds ratios of a yes-or-no exposure in matched sets: no approximation, however few the cases.

Given how many of a set were exposed, which of them is the case depends on the odds ratio alone. So the number
of exposed cases over all sets has a distribution that is known to the digit: the product of the sets' own.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import norm

from riskml.errors import RiskmlError

__all__ = ["ExactConditional", "exact_conditional", "mantel_haenszel", "tables_of_sets"]

_FARTHEST = 200.0  # log odds ratio beyond which no bound is looked for
_SAME = 1e-7  # relative distance at which two probabilities are taken for equal


def tables_of_sets(exposed, outcome, sets):
    """The 2 x 2 table of each matched set.

    Parameters
    ----------
    exposed : float array, shape (n,)    1, 0, or NaN: this row is left out of its set
    outcome : array of {0, 1}, (n,)      1: a case
    sets : int array, (n,)               set of each row, from 0

    Returns
    -------
    int array, shape (sets, 4)    exposed and other cases, exposed and other controls
    """
    exposed, outcome, sets = np.asarray(exposed, float), np.asarray(outcome), np.asarray(sets)
    count = int(sets.max()) + 1 if len(sets) else 0
    cells = [(outcome == y) & (exposed == x) for y in (1, 0) for x in (1, 0)]
    return np.column_stack([np.bincount(sets, cell, minlength=count) for cell in cells]).astype(int)


def _log_sum(logs):
    """Log of the sum over the first axis of what these are the logs of."""
    highest = logs.max(axis=0)
    return highest + np.log(np.exp(logs - highest).sum(axis=0))


def _log_choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _stratum(cases, controls, exposed):
    """Fewest exposed cases of a set with these margins, and the logs of the ways to have so many or more."""
    fewest = max(0, exposed - controls)
    a = np.arange(fewest, min(cases, exposed) + 1)
    return fewest, _log_choose(cases, a) + _log_choose(controls, exposed - a)


@dataclass(frozen=True, eq=False)
class ExactConditional:
    """The exact conditional distribution of the number of exposed cases, and what follows from it.

    Attributes
    ----------
    tables : int array, shape (sets, 4)    the sets that say something: both exposed and other, cases and
        controls
    """

    tables: np.ndarray

    @property
    def informative(self):
        """Sets that say something, int."""
        return len(self.tables)

    @cached_property
    def _margins(self):
        """Sets with the same margins together: list of (fewest, log ways), and how many of each."""
        a, b, c, d = self.tables.T
        distinct, count = np.unique(np.column_stack([a + b, c + d, a + c]), axis=0, return_counts=True)
        return [_stratum(*row) for row in distinct.tolist()], count

    @cached_property
    def _ways(self):
        """Support of the number of exposed cases and the log of the ways to have so many, over all sets."""
        total, fewest = np.zeros(1), 0
        strata, count = self._margins
        for (least, ways), times in zip(strata, count.tolist(), strict=True):
            fewest += least * times
            for _ in range(times):
                wider = np.full((len(ways), len(total) + len(ways) - 1), -np.inf)
                for k, way in enumerate(ways):
                    wider[k, k : k + len(total)] = total + way
                total = wider[0] if len(ways) == 1 else np.logaddexp.reduce(wider, axis=0)
        return np.arange(fewest, fewest + len(total)), total

    @property
    def observed(self):
        """Exposed cases, int."""
        return int(self.tables[:, 0].sum())

    @property
    def support(self):
        """The numbers of exposed cases that the margins allow: int array."""
        return self._ways[0]

    def probabilities(self, log_odds=0.0):
        """Chance of each number of the support at an odds ratio: float array."""
        return np.exp(self._log_probabilities(log_odds))

    def _log_probabilities(self, log_odds):
        support, ways = self._ways
        logs = ways + support * log_odds
        return logs - _log_sum(logs)

    def log_likelihood(self, log_odds):
        """Logarithm of the conditional likelihood, without its constant: float array of the shape given."""
        b = np.asarray(log_odds, float)
        total = self.observed * b
        strata, count = self._margins
        for (least, ways), times in zip(strata, count.tolist(), strict=True):
            a = least + np.arange(len(ways))
            logs = np.multiply.outer(a, b) + ways.reshape(-1, *[1] * b.ndim)
            total = total - times * _log_sum(logs)
        return total

    @cached_property
    def estimate(self):
        """Conditional maximum likelihood, float: 0 or infinity where the exposed cases are as few, or as
        many, as can be."""
        support, _ = self._ways
        if self.observed == support[0]:
            return 0.0
        if self.observed == support[-1]:
            return np.inf
        return float(np.exp(_root(lambda b: support @ self.probabilities(b) - self.observed)))

    def _tails(self, log_odds, own):
        """Logs of the chances of as few, and of as many, exposed cases; those seen count for `own`."""
        logs, place = self._log_probabilities(log_odds), self.observed - self.support[0]
        here = logs[place] + np.log(own)
        below = np.logaddexp(_log_sum(logs[:place]), here) if place else here
        above = np.logaddexp(_log_sum(logs[place + 1 :]), here) if place + 1 < len(logs) else here
        return below, above

    def interval(self, level=0.95, *, mid_p=False):
        """Exact interval of the odds ratio, or the mid-p one: (low, high), 0 and infinity where unbounded.

        Each end is where the tail beyond what was seen has half of 1 - level. The exact one covers at least
        at its level, the mid-p one about at its level; both leave out 1 where the p of the same kind is
        below 1 - level.

        References
        ----------
        Cornfield (1956), Third Berkeley Symposium 4:135. Mehta, Patel & Gray (1985), Journal of the American
        Statistical Association 80:969.
        """
        own, target = (0.5 if mid_p else 1.0), np.log((1 - level) / 2)
        low, high = 0.0, np.inf
        if self.observed > self.support[0]:
            low = float(np.exp(_root(lambda b: self._tails(b, own)[1] - target)))
        if self.observed < self.support[-1]:
            high = float(np.exp(_root(lambda b: target - self._tails(b, own)[0])))
        return low, high

    def p_value(self, *, mid_p=False):
        """Two-sided p of no effect, twice the smaller tail, so that it goes with `interval`: float."""
        return float(min(1.0, 2 * np.exp(min(self._tails(0.0, 0.5 if mid_p else 1.0)))))

    @property
    def fisher_p(self):
        """Two-sided p as Fisher's test counts it: all that is no likelier than what was seen, float.

        It may be below 0.05 where the interval, whose tails are counted apart, still holds 1.
        """
        chances = self.probabilities()
        seen = chances[self.observed - self.support[0]]
        return float(min(1.0, chances[chances <= seen * (1 + _SAME)].sum()))


def _root(rising):
    """Where a function that rises from below 0 to above it is 0."""
    reach = 4.0
    while reach < _FARTHEST and not (rising(-reach) < 0 < rising(reach)):
        reach *= 2
    return brentq(rising, -reach, reach, xtol=1e-12, rtol=1e-12)


def exact_conditional(tables):
    """The exact analysis of matched sets, or of strata, of a yes-or-no exposure.

    Parameters
    ----------
    tables : int array, shape (sets, 4)    exposed and other cases, exposed and other controls of each set

    Returns
    -------
    ExactConditional, or None where no set says anything: none has both cases and controls, exposed and others

    Raises
    ------
    RiskmlError    cells that are no counts

    References
    ----------
    Breslow & Day (1980), Statistical Methods in Cancer Research 1, chapters 4 and 5.

    >>> table = exact_conditional([[8, 4, 10, 90]])
    >>> low, high = table.interval()
    >>> f"{table.estimate:.1f} ({low:.1f}-{high:.1f})"
    '17.1 (3.8-92.8)'
    """
    tables = np.asarray(tables)
    counts = tables.ndim == 2 and tables.shape[1] == 4 and (tables >= 0).all() and (tables % 1 == 0).all()
    if not counts:
        raise RiskmlError("tables must hold counts: a row of four for each set", where="tables")
    a, b, c, d = tables.astype(int).T
    says = (a + b > 0) & (c + d > 0) & (a + c > 0) & (b + d > 0)
    if not says.any():
        return None
    return ExactConditional(tables.astype(int)[says])


def mantel_haenszel(tables, *, level=0.95):
    """Mantel and Haenszel's odds ratio with the interval of Robins, Breslow and Greenland.

    Parameters
    ----------
    tables : as `exact_conditional`
    level : float

    Returns
    -------
    (estimate, low, high) : floats, or None where all sets that differ speak for one side

    References
    ----------
    Mantel & Haenszel (1959), Journal of the National Cancer Institute 22:719. Robins, Breslow & Greenland
    (1986), Biometrics 42:311.
    """
    a, b, c, d = np.asarray(tables, float).T
    n = np.maximum(a + b + c + d, 1)
    for_it, against = a * d / n, b * c / n
    r, s = for_it.sum(), against.sum()
    if not r or not s:
        return None
    p, q = (a + d) / n, (b + c) / n
    mixed = (p * against + q * for_it).sum()
    error = np.sqrt((p * for_it).sum() / (2 * r**2) + mixed / (2 * r * s) + (q * against).sum() / (2 * s**2))
    reach, centre = norm.ppf((1 + level) / 2) * error, np.log(r / s)
    return tuple(float(np.exp(value)) for value in (centre, centre - reach, centre + reach))
