"""What a search catches of cases that it has not seen: the whole search and choice again without them."""

from dataclasses import dataclass

import numpy as np

from riskml.fatality.patterns.search import SUPPORT, search, triple_counts

__all__ = ["EACH_UP_TO", "FOLDS", "HeldOut", "held_out"]

EACH_UP_TO = 100  # reviewed cases of which each is left out by itself; of more, a tenth at a time
FOLDS = 10


@dataclass(frozen=True)
class HeldOut:
    """What searches without a case kept, and whether they catch it.

    Attributes
    ----------
    folds : int                        searches
    fold : int array, shape (n,)       in which search each case was left out
    kept : tuple of frozenset          combinations of the front or the set of each search
    caught : bool array, shape (n,)    whether the set chosen without a case catches it
    """

    folds: int
    fold: np.ndarray
    kept: tuple
    caught: np.ndarray

    def catches(self, combination, cases):
        """Of which cases the search found the combination without them, and it holds in them: bool array."""
        found = np.array([combination in kept for kept in self.kept], bool)
        return found[self.fold] & combination.holds(cases)


def held_out(cases, living, *, cap=5000, support=SUPPORT, groups=None, seed=0, step=None):
    """Search again without each case: of up to 100 cases one by one, of more by tenths.

    Cases of one aggressor are left out together: those of one event tell of each other.

    Parameters
    ----------
    cases, living, cap, support    as `search`
    groups : int array (n,) or None    whose cases are left out together; None: each stands alone
    seed : int                  of which cases are left out together, where there are more than 100
    step : callable or None     called after each search

    Returns
    -------
    HeldOut
    """
    groups = np.arange(len(cases)) if groups is None else groups
    together = np.unique(groups, return_inverse=True)[1]
    of_group = np.arange(len(np.unique(together)))
    if len(of_group) > EACH_UP_TO:
        of_group = np.random.default_rng(seed).permutation(of_group) % FOLDS
    fold = of_group[together]
    folds = len(np.unique(of_group))
    kept, caught, counts = [], np.zeros(len(cases), bool), triple_counts(living)
    for number in range(folds):
        out = fold == number
        found = search(cases[~out], living, cap=cap, support=support, living_counts=counts)
        kept.append(frozenset(found.kept))
        for combination in found.selected:
            caught[out] |= combination.holds(cases[out])
        if step is not None:
            step()
    return HeldOut(folds, fold, tuple(kept), caught)
