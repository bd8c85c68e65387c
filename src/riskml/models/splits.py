"""Which assessments train, tune, calibrate and evaluate a model: by time with gaps, or by person."""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from riskml.errors import RiskmlError

__all__ = [
    "CROSS_FITTED",
    "WINDOWS",
    "Split",
    "connected_people",
    "grouped_folds",
    "one_assessment_each",
    "split_by_person",
    "split_by_time",
]

WINDOWS = ("train", "tune", "calibrate", "evaluate")
CROSS_FITTED = ("develop", "evaluate")  # where three gaps of a long horizon would leave no time for windows
DAY = np.timedelta64(86_400_000_000, "us")
MINIMUM_WINDOW = np.timedelta64(28, "D").astype("timedelta64[us]")


@dataclass(frozen=True)
class Split:
    """The windows of one training run: of WINDOWS, or of CROSS_FITTED.

    Attributes
    ----------
    rows : dict of window -> int array    positions of its assessments, ascending
    refit : int array    positions that the chosen size is refitted on: train, tune and, by time, the gap
        between them, whose outcomes too are fully known before the calibrate window begins; with CROSS_FITTED
        the develop window
    bounds : dict of window -> (start, end) or None    first and last as_of that the window may hold, by time
        only
    prospective : bool   whether later assessments judge a model that was made from earlier ones
    gap : timedelta64 or None    time between two windows: horizon plus reporting lag
    """

    rows: dict
    refit: np.ndarray
    bounds: dict = field(default_factory=dict)
    prospective: bool = True
    gap: np.timedelta64 | None = None

    @property
    def cross_fitted(self):
        """Whether people, not times, divide what is learnt, tuned and calibrated on."""
        return "develop" in self.rows

    @property
    def first(self):
        """Positions of the first window: what an encoding may be fitted to."""
        return self.rows["develop" if self.cross_fitted else "train"]

    @property
    def calibrate(self):
        """Positions of the window in which the calibrator is learnt."""
        return self.rows["develop" if self.cross_fitted else "calibrate"]


def _days(span):
    return float(span / DAY)


def _date(moment):
    return str(moment.astype("datetime64[D]"))


def _windows(shares):
    """The windows of some shares, in order: tuple of str."""
    return CROSS_FITTED if "develop" in shares else WINDOWS


def split_by_time(as_of, *, shares, gap):
    """Chronological windows with a gap between each and the next.

    An assessment at t has its outcome in (t, t + horizon], and the registry has learnt it by t + horizon +
    reporting lag. With a gap of that length, whatever one window's labels say was known before the next
    window's first assessment: no later window can look into an earlier one's outcome, nor share a piece of
    it.

    Parameters
    ----------
    as_of : datetime64 array, shape (n,)    times of fully followed-up assessments, on the visible timeline
    shares : dict of window -> float    shares of the usable time (what is left when the gaps are taken out),
        for each of WINDOWS or of CROSS_FITTED
    gap : timedelta64    horizon plus reporting lag

    Returns
    -------
    Split

    Raises
    ------
    RiskmlError    no assessments, or too short a time for the windows and their gaps: says how long it must
        be
    """
    as_of = np.asarray(as_of).astype("datetime64[us]")
    gap = np.timedelta64(gap).astype("timedelta64[us]")
    if as_of.size == 0:
        raise RiskmlError(
            "no assessment has been followed up for the whole horizon and reporting lag",
            where="split",
            mend="The history is too short for this outcome: wait, or choose a shorter horizon.",
        )
    windows = _windows(shares)
    gaps = len(windows) - 1
    first, last = as_of.min(), as_of.max()
    span = last - first
    usable = span - gaps * gap
    total = sum(shares[name] for name in windows)
    smallest = min(shares[name] for name in windows) / total
    needed = np.timedelta64(int(MINIMUM_WINDOW.astype(np.int64) / smallest), "us")
    if usable < needed:
        missing = needed + gaps * gap - span
        fewer = (
            "" if gaps == 1 else "write `split: {shares: {develop: 0.7, evaluate: 0.3}}` (one gap instead), "
        )
        raise RiskmlError(
            f"the followed-up assessments reach over {_days(span):.0f} days, from {_date(first)} to "
            f"{_date(last)}; {gaps} gap{'s' * (gaps > 1)} of {_days(gap):.0f} days (horizon plus reporting "
            f"lag) and {len(windows)} windows need at least {_days(needed + gaps * gap):.0f}",
            where="split: {by: time}",
            mend=f"Wait until the history reaches {_days(missing):.0f} days further, choose a shorter "
            f"horizon, {fewer}or write `split: {{by: person}}` in the model file: its report then says that "
            "it is not prospective.",
        )
    rows, bounds, start, spent = {}, {}, first, 0.0
    for position, name in enumerate(windows):
        spent += shares[name] / total
        end = (
            last
            if name == windows[-1]
            else first + position * gap + np.timedelta64(int(spent * usable.astype(np.int64)), "us")
        )
        bounds[name] = (start, end)
        rows[name] = np.flatnonzero((as_of >= start) & (as_of <= end))
        start = end + gap
    empty = [name for name in windows if not rows[name].size]
    if empty:
        raise RiskmlError(
            f"no assessment falls into the window {', '.join(empty)}",
            where="split: {by: time}",
            mend="Assess more often (`cohort: {every: 28d}`), or change the windows' shares.",
        )
    refit = rows["develop"] if windows is CROSS_FITTED else np.flatnonzero(as_of <= bounds["tune"][1])
    return Split(rows, refit, bounds, True, gap)


def connected_people(aggressor, victim=None):
    """Groups of assessments that share a person, directly or through others.

    Parameters
    ----------
    aggressor : array of ids, shape (n,)
    victim : array of ids, shape (n,), or None    without them, one group for each aggressor

    Returns
    -------
    int array, shape (n,)    group of each assessment: no aggressor and no victim is in two groups
    """
    first, names = np.unique(np.asarray(aggressor, dtype=object).astype(str), return_inverse=True)
    if victim is None:
        return names
    second, others = np.unique(np.asarray(victim, dtype=object).astype(str), return_inverse=True)
    size = len(first) + len(second)
    edges = coo_array((np.ones(len(names), dtype=np.int8), (names, others + len(first))), shape=(size, size))
    return connected_components(edges, directed=False)[1][names]


def one_assessment_each(as_of, people, *, index_date, seed=0):
    """One index assessment for each person.

    Parameters
    ----------
    as_of : datetime64 array, shape (n,)
    people : int array, shape (n,)     group of each assessment
    index_date : "first", "last", "random", or a date
        of each person's assessments; with a date, all assessments of that day: one for each case
    seed : int

    Returns
    -------
    int array    positions kept, ascending
    """
    as_of = np.asarray(as_of).astype("datetime64[us]")
    if index_date not in ("first", "last", "random"):
        return np.flatnonzero(as_of.astype("datetime64[D]") == np.datetime64(str(index_date), "D"))
    shuffled = np.random.default_rng(seed).permutation(len(as_of))
    if index_date == "random":
        order = shuffled
    else:
        times = as_of[shuffled].astype(np.int64)
        order = shuffled[np.argsort(times if index_date == "first" else -times, kind="stable")]
    _, at = np.unique(np.asarray(people)[order], return_index=True)
    return np.sort(order[at])


def split_by_person(people, outcome, *, shares, seed=0):
    """Windows of different people, the share of people with an event alike in each.

    Not prospective: the windows overlap in time, and whatever changes with time is seen by all of them.

    Parameters
    ----------
    people : int array, shape (n,)            group of each assessment, kept whole
    outcome : array of {0, 1}, shape (n,)     spreads people with an event evenly over the windows
    shares : dict of window -> float          shares of people, for each of WINDOWS or of CROSS_FITTED
    seed : int

    Returns
    -------
    Split

    Raises
    ------
    RiskmlError    fewer people than would put one with and one without an event into each window
    """
    rng = np.random.default_rng(seed)
    people = np.asarray(people)
    groups, member = np.unique(people, return_inverse=True)
    with_event = np.zeros(len(groups), dtype=bool)
    np.logical_or.at(with_event, member, np.asarray(outcome) > 0)
    windows = _windows(shares)
    count = len(windows)
    total = sum(shares[name] for name in windows)
    cuts = np.cumsum([shares[name] / total for name in windows])[:-1]
    window = np.empty(len(groups), dtype=int)
    for stratum in (with_event, ~with_event):
        chosen = rng.permutation(np.flatnonzero(stratum))
        if len(chosen) < count:
            raise RiskmlError(
                f"{int(with_event.sum())} people with an event and {int((~with_event).sum())} without: "
                f"too few for {count} windows of different people",
                where="split: {by: person}",
                mend="A rarer outcome needs more people or a longer horizon.",
            )
        borders = np.clip(
            np.round(cuts * len(chosen)).astype(int),
            np.arange(1, count),
            len(chosen) - np.arange(count - 1, 0, -1),
        )
        window[chosen] = np.searchsorted(borders, np.arange(len(chosen)), side="right")
    rows = {name: np.flatnonzero(window[member] == i) for i, name in enumerate(windows)}
    refit = rows["develop"] if windows is CROSS_FITTED else np.flatnonzero(window[member] <= 1)
    return Split(rows, refit, {}, False, None)


def grouped_folds(groups, outcome, *, folds=5, seed=0):
    """Folds that keep each person whole, with the share of people with an event alike in each.

    Parameters
    ----------
    groups : array, shape (n,)
    outcome : array of {0, 1}, shape (n,)
    folds : int
    seed : int

    Returns
    -------
    int array, shape (n,)    fold of each row; fewer folds where there are fewer people
    """
    rng = np.random.default_rng(seed)
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    with_event = np.zeros(len(names), dtype=bool)
    np.logical_or.at(with_event, member, np.asarray(outcome) > 0)
    fold, dealt = np.empty(len(names), dtype=int), 0
    for stratum in (with_event, ~with_event):
        chosen = rng.permutation(np.flatnonzero(stratum))
        fold[chosen] = (np.arange(len(chosen)) + dealt) % folds
        dealt += len(chosen)
    return fold[member]
