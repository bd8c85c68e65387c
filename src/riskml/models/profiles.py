"""What became of assessments of similar profile: groups by what each dimension adds to the risk.

Two cases of equal risk may have it for other reasons. Profiles are groups of assessments whose dimensions
(acts, aggressor, victim, response) raised and lowered the log-odds alike, with their events as n of N; no
case and no person is kept.
"""

import numpy as np
from sklearn.cluster import KMeans

from riskml.errors import RiskmlError
from riskml.models.bundle import plain
from riskml.models.riskgroups import clustered_interval, design_effect

__all__ = ["nearest_profile", "risk_profiles"]

MOST = 12
SMALLEST_GROUP, FEWEST_EVENTS = 100, 5
_ROWS = 20_000  # centres are sought on so many rows at most


def risk_profiles(parts, outcome, people, *, seed=0):
    """Groups of assessments of similar profile with what became of them.

    Groups hold at least 100 assessments and 5 events; one that does not joins the nearest.

    Parameters
    ----------
    parts : DataFrame, n rows, a column for each dimension    added log-odds, of rows that the learner was not
        trained on; `riskml.explain.dimensions.dimension_parts` gives them
    outcome : array of {0, 1}, shape (n,)
    people : array, shape (n,)    whose rows they are
    seed : int                    of the first centres, and of the rows on which they are sought

    Returns
    -------
    dict, plain JSON
        dimensions (names), mean (of each), groups: list of centre, events, size, people, low and high (exact
        95 % interval of the event share, clustered by person). No groups where there are too few rows or
        events for two

    Raises
    ------
    RiskmlError    lengths that differ

    References
    ----------
    Korn & Graubard (1998), Survey Methodology 24:193 (intervals).
    """
    values, outcome, people = parts.to_numpy(dtype=float), np.asarray(outcome, float), np.asarray(people)
    if not len(values) == len(outcome) == len(people):
        raise RiskmlError("rows, outcomes and people do not pair", where="parts")
    document = {"dimensions": list(parts.columns), "mean": values.mean(axis=0) if len(values) else []}
    most = int(min(MOST, len(values) // SMALLEST_GROUP, outcome.sum() // FEWEST_EVENTS))
    if most < 2:
        return plain({**document, "groups": []})
    rng = np.random.default_rng(seed)
    sought = values if len(values) <= _ROWS else values[rng.choice(len(values), _ROWS, replace=False)]
    most = min(most, len(np.unique(sought, axis=0)))
    centres = KMeans(most, n_init=4, random_state=seed).fit(sought).cluster_centers_
    member = _joined(_nearest(values, centres), centres, outcome)
    groups = [_group(values, outcome, people, member == k) for k in np.unique(member)]
    return plain({**document, "groups": groups})


def _nearest(values, centres):
    return np.argmin(((values[:, None, :] - centres[None]) ** 2).sum(axis=2), axis=1)


def _joined(member, centres, outcome):
    """Members of groups of which each is large enough: those that are not join the nearest group."""
    member = member.copy()
    while True:
        size = np.bincount(member, minlength=len(centres))
        events = np.bincount(member, weights=outcome, minlength=len(centres))
        there = size > 0
        small = np.flatnonzero(there & ((size < SMALLEST_GROUP) | (events < FEWEST_EVENTS)))
        if not len(small) or there.sum() == 1:
            return member
        k = small[np.argmin(size[small])]
        distance = ((centres - centres[k]) ** 2).sum(axis=1)
        distance[~there] = distance[k] = np.inf
        member[member == k] = int(np.argmin(distance))


def _group(values, outcome, people, inside):
    events, size = int(outcome[inside].sum()), int(inside.sum())
    effect = design_effect(outcome[inside], people[inside])
    low, high = clustered_interval(events, size, effect)
    return {
        "centre": values[inside].mean(axis=0),
        "events": events,
        "size": size,
        "people": len(np.unique(people[inside])),
        "low": low,
        "high": high,
    }


def nearest_profile(profiles, parts):
    """The profile nearest to a case; None where there is none.

    Parameters
    ----------
    profiles : dict      of `risk_profiles`
    parts : Series       added log-odds by dimension

    Returns
    -------
    dict, or None    the group; centre and mean as dicts of dimension -> log-odds
    """
    groups = (profiles or {}).get("groups") or []
    if not groups:
        return None
    names = profiles["dimensions"]
    own = parts[names].to_numpy(dtype=float)
    centres = np.array([group["centre"] for group in groups], dtype=float)
    group = groups[int(_nearest(own[None], centres)[0])]
    pair = {"centre": group["centre"], "mean": profiles["mean"]}
    return {**group, **{k: dict(zip(names, v, strict=True)) for k, v in pair.items()}}
