"""Rolling origins: the same recipe learnt again at several moments, each time judged on what came next."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.models.splits import CROSS_FITTED, WINDOWS, Split

__all__ = ["FEWEST_ORIGINS", "Origin", "labels_as_known", "origins_table", "rolling_origins"]

FEWEST_ORIGINS = 4
MINIMUM_WINDOW = np.timedelta64(28, "D").astype("timedelta64[us]")
_DAY = np.timedelta64(1, "D").astype("timedelta64[us]")


@dataclass(frozen=True)
class Origin:
    """One moment at which a model is made, as if nothing later were known.

    Attributes
    ----------
    at : datetime64[us]    the origin: the first as_of that judges
    split : Split          windows of positions; `evaluate` begins at the origin, the others end a gap before
    known_at : dict of window -> datetime64[us] or None    when the labels of each window are read: at the
        next window's first assessment; None (evaluate): at the end of observation
    """

    at: np.datetime64
    split: Split
    known_at: dict


def _windows(shares):
    windows = CROSS_FITTED if set(shares) == set(CROSS_FITTED) else WINDOWS
    if set(shares) != set(windows) or not all(share > 0 for share in shares.values()):
        raise RiskmlError(
            f"shares need all of {', '.join(WINDOWS)}, or of {', '.join(CROSS_FITTED)}, each above 0",
            where="shares",
        )
    return windows[:-1]


def _learning(as_of, begin, end, windows, shares, gap):
    """Bounds of the learning windows from `begin` to `end`, or None where they are too short."""
    usable = end - begin - (len(windows) - 1) * gap
    total = sum(shares[name] for name in windows)
    if usable < 0 * _DAY or min(shares[name] for name in windows) / total * usable < MINIMUM_WINDOW:
        return None
    bounds, start, spent = {}, begin, 0.0
    for position, name in enumerate(windows):
        spent += shares[name] / total
        stop = begin + position * gap + np.timedelta64(int(spent * usable.astype(np.int64)), "us")
        bounds[name] = (start, end if name == windows[-1] else stop)
        start = stop + gap
    return bounds


def _too_short(first, last, origins, gap, at):
    return RiskmlError(
        f"the followed-up assessments reach over {float((last - first) / _DAY):.0f} days: too short for "
        f"{origins} origins whose windows last 28 days at least, with gaps of {float(gap / _DAY):.0f} days "
        f"(origin {np.datetime64(at, 'D')})",
        where="rolling_origins",
        mend="Wait for a longer history, choose a shorter horizon, a later first origin (`least`), or "
        "the windows {develop, evaluate}, which need one gap alone.",
    )


def rolling_origins(as_of, *, shares, gap, origins=FEWEST_ORIGINS, least=0.5, length=None):
    """Splits of the same assessments at several origins, for a backtest.

    The time after the share `least` is cut into as many evaluation windows as there are origins, of equal
    length and without overlap. At each origin the learning windows share the time from the first assessment
    (or `length` before) to one gap before the origin, with a gap between each and the next: whatever their
    labels say was known at the origin.

    Parameters
    ----------
    as_of : datetime64 array, shape (n,)    times of fully followed-up assessments, on the visible timeline
    shares : dict of window -> float        of WINDOWS or CROSS_FITTED, as in a model file; that of `evaluate`
        is not read
    gap : timedelta64     horizon plus reporting lag
    origins : int         at least 4
    least : float in (0, 1)    share of the time before the first origin
    length : timedelta64 or None    how far learning reaches back; None: to the first assessment

    Returns
    -------
    tuple of Origin, ascending

    Raises
    ------
    RiskmlError    fewer than 4 origins, no assessments, too short a time, a window without assessments
    """
    as_of, gap = np.asarray(as_of).astype("datetime64[us]"), np.timedelta64(gap).astype("timedelta64[us]")
    if origins < FEWEST_ORIGINS:
        raise RiskmlError(f"{origins} origins; at least {FEWEST_ORIGINS} are needed", where="origins")
    if not 0 < least < 1:
        raise RiskmlError(f"least must lie between 0 and 1, not {least}", where="least")
    if not as_of.size:
        raise RiskmlError("no assessment has been followed up", where="as_of")
    windows, first, last = _windows(shares), as_of.min(), as_of.max()
    span = (last - first).astype(np.int64)
    edges = first + (np.linspace(least, 1, origins + 1) * span).astype(np.int64).astype("timedelta64[us]")
    found = []
    for position, (at, until) in enumerate(pairwise(edges)):
        end = at - gap
        begin = (
            first if length is None else max(first, end - np.timedelta64(length).astype("timedelta64[us]"))
        )
        bounds = None if until - at < MINIMUM_WINDOW else _learning(as_of, begin, end, windows, shares, gap)
        if bounds is None:
            raise _too_short(first, last, origins, gap, at)
        final = position == origins - 1
        until = last if final else until - np.timedelta64(1, "us")
        found.append(_origin(as_of, at, bounds | {"evaluate": (at, until)}, gap))
    return tuple(found)


def _origin(as_of, at, bounds, gap):
    rows = {name: np.flatnonzero((as_of >= start) & (as_of <= end)) for name, (start, end) in bounds.items()}
    empty = [name for name in rows if not rows[name].size]
    if empty:
        raise RiskmlError(
            f"no assessment falls into the window {', '.join(empty)} of origin {np.datetime64(at, 'D')}",
            where="rolling_origins",
            mend="Assess more often, or take fewer origins.",
        )
    if "develop" in rows:
        refit, known_at = rows["develop"], {"develop": at, "evaluate": None}
    else:
        begin, end = bounds["train"][0], bounds["tune"][1]
        refit = np.flatnonzero((as_of >= begin) & (as_of <= end))
        known_at = dict.fromkeys(("train", "tune"), bounds["calibrate"][0]) | {
            "calibrate": at,
            "evaluate": None,
        }
    return Origin(at, Split(rows, refit, bounds, True, gap), known_at)


def labels_as_known(label, origin, outcome):
    """Outcomes as they may be learnt from at an origin, and as they are judged at the end of observation.

    Parameters
    ----------
    label : callable `label(rows, known_at) -> float array`    outcomes of these positions as the registry was
        read at a moment, NaN where they were not known in full (`label_outcomes(..., known_at=...)`)
    origin : Origin
    outcome : float array, shape (n,)    at the end of observation

    Returns
    -------
    float array, shape (n,)    rows of no window are NaN; those between train and tune are read with them

    Raises
    ------
    RiskmlError    a label that was not known in full when the gap says that it was
    """
    known = np.full(len(outcome), np.nan)
    known[origin.split.rows["evaluate"]] = np.asarray(outcome, float)[origin.split.rows["evaluate"]]
    parts = {"develop": origin.split.refit} if origin.split.cross_fitted else {"tune": origin.split.refit}
    if "calibrate" in origin.split.rows:
        parts["calibrate"] = origin.split.rows["calibrate"]
    for name, rows in parts.items():
        values = np.asarray(label(rows, origin.known_at[name]), float)
        if np.isnan(values).any():
            raise RiskmlError(
                f"{int(np.isnan(values).sum())} outcomes of the window {name} were not known in full at "
                f"{np.datetime64(origin.known_at[name], 'D')}",
                where=f"origin {np.datetime64(origin.at, 'D')}",
                mend="The gap must be horizon plus reporting lag at least.",
            )
        known[rows] = values
    return known


def origins_table(origins, outcome, people):
    """The origins' windows in numbers: DataFrame of origin, window, first, last, assessments, people, events.

    Parameters
    ----------
    origins : tuple of Origin
    outcome : float array, shape (n,)    at the end of observation
    people : array of labels, shape (n,)
    """
    outcome, people, rows = np.asarray(outcome, float), np.asarray(people), []
    for origin in origins:
        for name, (first, last) in origin.split.bounds.items():
            inside = origin.split.rows[name]
            rows.append(
                {
                    "origin": pd.Timestamp(origin.at),
                    "window": name,
                    "first": pd.Timestamp(first),
                    "last": pd.Timestamp(last),
                    "assessments": len(inside),
                    "people": len(np.unique(people[inside])),
                    "events": int(np.nansum(outcome[inside])),
                }
            )
    return pd.DataFrame(rows)
