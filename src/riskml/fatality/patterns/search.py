"""Search for combinations of factors that many reviewed cases showed and few living ones show.

A combination is a factor, two or three factors together, or two of three. All of them are counted at once
from the products of the matrix of who shows what: no combination is judged by a loop over cases.
"""

from dataclasses import dataclass
from math import comb

import numpy as np

__all__ = ["LARGEST_SET", "SUPPORT", "Combination", "Found", "combinations_of", "search", "triple_counts"]

SUPPORT = 2  # reviewed cases that a combination has to be seen in: one case is no pattern
LARGEST_SET = 5  # patterns of a set
_Z = 1.959964  # of the limits by which the set is chosen


@dataclass(frozen=True, order=True)
class Combination:
    """At least `wanted` of some factors.

    Attributes
    ----------
    factors : tuple of int    columns, ascending
    wanted : int              all of them, or 2 of 3
    """

    factors: tuple
    wanted: int

    def holds(self, present):
        """In whom it holds: bool array (n,) of who shows what, bool array (n, factors)."""
        return present[:, list(self.factors)].sum(axis=1) >= self.wanted


@dataclass(frozen=True)
class Found:
    """What one search came to.

    Attributes
    ----------
    pool : tuple of int              factors that were combined
    searched : int                   combinations that were looked at
    front : tuple of Combination     no other catches as many cases for fewer flagged; from most caught
    selected : tuple of Combination  set that catches most, in the order in which it was chosen
    """

    pool: tuple
    searched: int
    front: tuple
    selected: tuple

    @property
    def kept(self):
        """Front and set together, each once: tuple of Combination."""
        return tuple(dict.fromkeys((*self.front, *self.selected)))


def triple_counts(present):
    """How many show three factors together, for every three.

    Parameters
    ----------
    present : bool array, shape (n, factors)

    Returns
    -------
    int array, shape (factors, factors, factors)    [a, a, a] counts a alone, [a, a, b] a and b together

    Notes
    -----
    Of each factor, the rows that show it, as a product of matrices. Exact below 2**24 rows, beyond which a
    float32 no longer tells whole numbers apart.
    """
    shown = present.astype(np.float32)
    counts = np.zeros((shown.shape[1],) * 3, np.int64)
    for factor in range(shown.shape[1]):
        part = shown[present[:, factor]]
        counts[factor] = np.rint(part.T @ part).astype(np.int64)
    return counts


def combinations_of(factors):
    """Every combination of so many factors: columns, int array (c, 3); how many are wanted, int array (c,).

    A single factor stands as (a, a, a), a pair as (a, a, b); each three stand twice: all, and two of them.
    """
    one = [(a, a, a) for a in range(factors)]
    two = [(a, a, b) for a in range(factors) for b in range(a + 1, factors)]
    three = [(a, b, c) for a in range(factors) for b in range(a + 1, factors) for c in range(b + 1, factors)]
    columns = np.array([*one, *two, *three, *three], dtype=int).reshape(-1, 3)
    return columns, np.repeat([1, 2, 3, 2], [len(one), len(two), len(three), len(three)])


def _counted(counts, columns, wanted):
    """How many each combination holds in, by the counts of every three: int array (c,)."""
    a, b, c = columns.T
    together = counts[a, b, c]
    of_three = (a != b) & (wanted == 2)
    pairs = counts[a, a, b] + counts[a, a, c] + counts[b, b, c]
    return np.where(of_three, pairs - 2 * together, together)


def _pool_size(cap):
    """How many factors can be combined in every way without looking at more than `cap` combinations."""
    size = 1
    while (size + 1) + comb(size + 1, 2) + 2 * comb(size + 1, 3) <= cap:
        size += 1
    return size


def _limits(n, total):
    """Limits of shares by Wilson's score, vectorised: two arrays."""
    share, z2 = n / total, _Z**2
    middle = share + z2 / (2 * total)
    half = _Z * np.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return (middle - half) / (1 + z2 / total), (middle + half) / (1 + z2 / total)


def search(cases, living, *, cap=5000, support=SUPPORT, living_counts=None):
    """The combinations that catch most reviewed cases for few living ones flagged.

    Looked at are all combinations of the factors whose share among the cases lies furthest above their share
    among the living, of as many as fit under the cap.

    Parameters
    ----------
    cases : bool array, shape (n, factors)      who of the reviewed cases was known to show what, before
    living : bool array, shape (m, factors)     the same of the living
    cap : int                                   combinations that are looked at, at most
    support : int                               cases that each has to catch
    living_counts : int array or None           `triple_counts(living)`, where several searches share it

    Returns
    -------
    Found
        A combination is kept only where its share among the cases is above that among the living. Ties go
        to fewer factors, then to the order of columns. The set is chosen one by one: each is the one of
        which, among those not caught or flagged yet, the lower limit of the share of cases is largest
        beside the upper limit of the share of the living, as long as it is above it and `support` new cases
        are caught.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22:209: the limits.
    """
    total = {"cases": len(cases), "living": len(living)}
    shown = cases.sum(axis=0)
    among = np.flatnonzero(shown >= support)
    if not len(among) or not len(living):
        return Found((), 0, (), ())
    counts = triple_counts(living) if living_counts is None else living_counts
    everywhere = counts[among, among, among]
    lead = shown[among] / total["cases"] - everywhere / total["living"]
    pool = np.sort(among[np.argsort(-lead, kind="stable")][: _pool_size(cap)])
    columns, wanted = combinations_of(len(pool))
    size = 1 + (np.diff(columns, axis=1) > 0).sum(axis=1)
    combinations = _Named(pool, columns, wanted)
    caught = _counted(triple_counts(cases[:, pool]), columns, wanted)
    flagged = _counted(counts[np.ix_(pool, pool, pool)], columns, wanted)
    told_apart = caught * total["living"] > flagged * total["cases"]
    possible = np.flatnonzero((caught >= support) & told_apart)
    front = tuple(combinations[p] for p in _front(possible, caught, flagged, size))
    selected, left = [], {"cases": np.ones(len(cases), bool), "living": np.ones(len(living), bool)}
    while len(selected) < LARGEST_SET:
        low, high = _limits(caught, total["cases"])[0], _limits(flagged, total["living"])[1]
        possible = np.flatnonzero((caught >= support) & (low > high))
        if not len(possible):
            break
        order = np.lexsort((possible, size[possible], -(low / high)[possible]))
        chosen = combinations[int(possible[order[0]])]
        selected.append(chosen)
        # What it catches and flags no longer counts: it is taken off, not all the rest counted again.
        caught, flagged = (
            before - _counted(triple_counts(_taken(chosen, who, left[name])[:, pool]), columns, wanted)
            for name, who, before in (("cases", cases, caught), ("living", living, flagged))
        )
    return Found(tuple(int(f) for f in pool), len(wanted), front, tuple(selected))


@dataclass(frozen=True)
class _Named:
    """Combinations by their place."""

    pool: np.ndarray
    columns: np.ndarray
    wanted: np.ndarray

    def __getitem__(self, place):
        factors = self.pool[np.unique(self.columns[place])]
        return Combination(tuple(int(f) for f in factors), int(self.wanted[place]))


def _taken(chosen, present, left):
    """Rows of those left in whom the combination holds; they are left no longer."""
    taken = left & chosen.holds(present)
    left &= ~taken
    return present[taken]


def _front(possible, caught, flagged, size):
    """Places of what is not outdone: as many caught for fewer flagged, or as many flagged for more caught."""
    order = possible[np.lexsort((possible, size[possible], flagged[possible], -caught[possible]))]
    kept, fewest = [], np.inf
    for place in order:
        if flagged[place] < fewest:
            kept.append(int(place))
            fewest = flagged[place]
    return kept
