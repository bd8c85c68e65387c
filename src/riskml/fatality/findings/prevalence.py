"""How often a factor was there: n/N with exact intervals, and what the unknown could still make of it."""

from dataclasses import replace
from functools import cache

import numpy as np
from scipy.stats import binom

from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN
from riskml.messages import in_every_language
from riskml.validation.intervals import exact_interval

__all__ = [
    "after_only",
    "any_of",
    "counted",
    "median_interval",
    "prevalence",
    "row_of",
    "said",
    "share",
    "spread",
    "states_by_clock",
]


def said(name, **fields):
    """A sentence of the findings in every language: dict of language -> str."""
    return in_every_language(f"fatality_findings.{name}", **fields)


@cache
def _interval(n, of):
    return exact_interval(n, of)


def share(n, of):
    """n of so many, with its exact interval: dict of n, of, share, low, high; None of nobody."""
    n, of = int(n), int(of)
    low, high = _interval(n, of) if of else (None, None)
    return {"n": n, "of": of, "share": n / of if of else None, "low": low, "high": high}


def counted(states, names=("present", "absent", "unknown")):
    """Counts of three states, the share among those of whom it is known, and its bounds.

    Unknown is never counted as absent. What it could hide is told by the bounds: the share of all cases if
    every unknown were absent, and if every one were present, each with the outer end of its exact interval.

    Parameters
    ----------
    states : int array, shape (n,)    PRESENT, DENIED or UNKNOWN of `features.factor_states`
    names : three str                 what the counts are called

    Returns
    -------
    dict    the three counts, n, known; share, low, high (None where nothing is known, with `missing`: why);
        bound_low, bound_high, bound_low_low, bound_high_high (None without cases); only_present: of nobody it
        is said that it was absent, and of some it is unknown, so that the share of the known says nothing
    """
    states = np.asarray(states)
    present, absent = int((states == PRESENT).sum()), int((states == DENIED).sum())
    total, known = len(states), present + absent
    of_known = share(present, known)
    least, most = share(present, total), share(total - absent, total)
    row = dict(zip(names, (present, absent, total - known), strict=True))
    row |= {"n": total, "known": known}
    row |= {key: of_known[key] for key in ("share", "low", "high")}
    row |= {"bound_low": least["share"], "bound_high": most["share"]}
    row |= {"bound_low_low": least["low"], "bound_high_high": most["high"]}
    if not known:
        row["missing"] = said("nothing_known")
    # Where only what is there gets written down, the share of the known is all by making.
    row["only_present"] = bool(present and not absent and known < total)
    return row


def states_by_clock(reviews, codes):
    """The states of factors on three clocks, each an int8 array of shape (cases, codes).

    Returns
    -------
    dict
        ever      all that was found out
        before    what was known before the event (`Reviews.known_before`)
        undated   that, and what nobody said of when it became known; what is in `ever` and not here came to
            light only after the event
    """
    before = reviews.known_before()
    rest = reviews.factors.drop(index=before.index)
    after = rest[(rest["known"] == "after") | rest["known_on"].notna()]
    undated = replace(reviews, factors=reviews.factors.drop(index=after.index))
    return {
        "ever": reviews.states(codes),
        "before": reviews.states(codes, known="before"),
        "undated": undated.states(codes),
    }


def row_of(clocks):
    """The figures of one factor or item from its states on three clocks: dict.

    Parameters
    ----------
    clocks : dict of "ever", "before", "undated" -> int array, shape (cases,)

    Returns
    -------
    dict    `counted` of ever; before: `counted` of before; after_only, undated: cases
    """
    ever, before, undated = (clocks[name] for name in ("ever", "before", "undated"))
    late = (ever == PRESENT) & (undated != PRESENT)
    return counted(ever) | {
        "before": counted(before),
        "after_only": int(late.sum()),
        "undated": int(((undated == PRESENT) & (before != PRESENT)).sum()),
    }


def prevalence(clocks, vocabulary):
    """One row for each factor of the vocabulary: list of dict.

    Parameters
    ----------
    clocks : dict of `states_by_clock` for `vocabulary.codes`
    vocabulary : FactorVocabulary

    Returns
    -------
    list of dict    factor, label, dimension, `counted` of all that was found out; `before`: the same of what
        was known before the event; after_only: cases in which its presence came to light only afterwards;
        undated: cases in which it was present and nobody said since when that was known
    """
    rows = []
    for column, factor in enumerate(vocabulary):
        own = {name: states[:, column] for name, states in clocks.items()}
        rows.append(
            {"factor": factor.code, "label": factor.label, "dimension": factor.dimension} | row_of(own)
        )
    return rows


def after_only(rows):
    """Factors whose presence came to light only after the event, apart from all comparisons: list of dict.

    Parameters
    ----------
    rows : list of dict    of `prevalence`

    Returns
    -------
    list of dict    factor, label, n of the `of` cases in which it was present; the most first
    """
    found = [
        {"factor": row["factor"], "label": row["label"], "n": row["after_only"], "of": row["present"]}
        for row in rows
        if row["after_only"]
    ]
    return sorted(found, key=lambda row: -row["n"])


def any_of(states):
    """Whether any of several is there, in three states: int8 array, shape (cases,).

    Present where any is present; absent where all are absent; else unknown.

    Parameters
    ----------
    states : int array, shape (cases, factors)
    """
    absent = (states == DENIED).all(axis=1)
    return np.where((states == PRESENT).any(axis=1), PRESENT, np.where(absent, DENIED, UNKNOWN)).astype(
        np.int8
    )


def median_interval(values, *, level=0.95):
    """Interval of a median from the order of the values alone: (low, high); (None, None) of too few.

    Whatever the distribution, it covers the median at least at its level. Fewer than six values cannot say
    that at 95 %.

    Parameters
    ----------
    values : array of float, shape (n,)
    level : float

    References
    ----------
    Conover (1999), Practical Nonparametric Statistics, 3rd ed., section 3.2.

    >>> median_interval([1, 2, 3, 4, 5, 6])
    (1.0, 6.0)
    """
    values = np.sort(np.asarray(values, float))
    # The largest k for which fewer than k of n fair coins come up with a chance of at most half of 1 - level.
    out = int(binom.ppf((1 - level) / 2, len(values), 0.5)) if len(values) else 0
    if not out:
        return None, None
    return float(values[out - 1]), float(values[-out])


def spread(values):
    """Median with its interval, and quartiles: n, median, q1, q3, median_low, median_high; None of none."""
    values = np.asarray(values, float)
    if not len(values):
        return {"n": 0, "median": None, "q1": None, "q3": None, "median_low": None, "median_high": None}
    q1, median, q3 = (float(q) for q in np.percentile(values, (25, 50, 75)))
    low, high = median_interval(values)
    return {"n": len(values), "median": median, "q1": q1, "q3": q3, "median_low": low, "median_high": high}
