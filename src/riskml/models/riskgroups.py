"""What became of similar cases: groups of calibrated risk with their events, as natural frequencies."""

import numpy as np
import pandas as pd
from scipy.stats import beta

__all__ = ["clustered_interval", "design_effect", "frequency_of", "risk_groups"]

# Tenths, and the highest cut once more: the weekly list is read at the top, where cases differ most.
SHARES = (*np.arange(0.1, 0.95, 0.1), 0.95, 0.98, 1.0)
SMALLEST_GROUP = 100
FEWEST_EVENTS = 5
CONFIDENCE = 0.95


def clustered_interval(events, size, design_effect=1.0, confidence=CONFIDENCE):
    """Exact binomial interval with the sample size divided by the design effect.

    Assessments of one person are alike, so that n of them say less than n people would.

    Parameters
    ----------
    events, size : int
    design_effect : float    variance of the share over what it would be with independent rows; 1: independent

    Returns
    -------
    (low, high) : floats in [0, 1]

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26:404. Korn & Graubard (1998), Survey Methodology 24:193.
    """
    effective = size / max(design_effect, 1.0)
    count = events / size * effective
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else float(beta.ppf(tail, count, effective - count + 1))
    high = 1.0 if events == size else float(beta.ppf(1 - tail, count + 1, effective - count))
    return low, high


def design_effect(outcome, people):
    """Variance of an event share from people's totals over its binomial variance, at least 1."""
    share, n = outcome.mean(), len(outcome)
    if share in (0.0, 1.0):
        return n / len(np.unique(people))
    _, member = np.unique(people, return_inverse=True)
    totals = np.bincount(member, weights=outcome - share)
    count = len(totals)
    variance = np.square(totals).sum() * count / max(count - 1, 1) / n**2
    return max(1.0, float(variance / (share * (1 - share) / n)))


def risk_groups(risk, outcome, people):
    """Groups of similar calibrated risk with what became of them.

    Groups hold at least 100 assessments and, where there are so many, 5 events: tenths, the highest cut again
    at 5 % and 2 %.

    Parameters
    ----------
    risk : float array, shape (n,)            calibrated risk of rows that the learner was not trained on
    outcome : array of {0, 1}, shape (n,)
    people : array, shape (n,)                whose rows they are

    Returns
    -------
    list of dict, from low to high risk
        from (lowest risk of the group), mean_risk, events, size, people, low and high (95 % interval of the
        event share, clustered by person)
    """
    risk, outcome, people = np.asarray(risk), np.asarray(outcome, dtype=float), np.asarray(people)
    order = np.argsort(risk, kind="stable")
    cuts = np.round(np.array(SHARES) * len(risk)).astype(int)
    groups, start = [], 0
    while start < len(order):
        end = min(max(start + SMALLEST_GROUP, cuts[cuts > start][0]), len(order))
        while end < len(order) and outcome[order[start:end]].sum() < FEWEST_EVENTS:
            end = min(end + SMALLEST_GROUP, len(order))
        while end < len(order) and risk[order[end]] == risk[order[end - 1]]:
            end += 1  # equal risks belong together
        rest = outcome[order[end:]]
        if len(rest) < SMALLEST_GROUP or rest.sum() < FEWEST_EVENTS:
            end = len(order)
        rows = order[start:end]
        events = int(outcome[rows].sum())
        low, high = clustered_interval(events, len(rows), design_effect(outcome[rows], people[rows]))
        groups.append(
            {
                "from": float(risk[rows[0]]) if start else 0.0,
                "mean_risk": float(risk[rows].mean()),
                "events": events,
                "size": len(rows),
                "people": len(np.unique(people[rows])),
                "low": low,
                "high": high,
            }
        )
        start = end
    return groups


def frequency_of(groups, risk, index=None):
    """The group that each risk falls into.

    Parameters
    ----------
    groups : list of dict             of `risk_groups`
    risk : float array, shape (n,)
    index : index of the result

    Returns
    -------
    DataFrame    low, high (95 % interval of the events' share among similar cases), events, size, people
    """
    place = np.searchsorted([g["from"] for g in groups], np.asarray(risk), side="right") - 1
    place = np.clip(place, 0, len(groups) - 1)
    return pd.DataFrame(
        {
            name: np.array([g[name] for g in groups])[place]
            for name in ("low", "high", "events", "size", "people")
        },
        index=index,
    )
