"""How well each feature alone ranks the outcome: a feature that knows the answer stands at the top."""

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from riskml.errors import RiskmlError
from riskml.validation.forecast import NotEstimable
from riskml.validation.multiplicity import false_discovery_rates, two_sided_p

__all__ = ["clustered_auc", "single_feature_aucs"]

_SELDOM = 0.01  # missing less often, or more often than 1 minus this: missingness ranks nobody


def _components(y, score):
    """Of each row, the share of the other class that it is ranked rightly against, ties half."""
    event = y > 0
    values, place = np.unique(score, return_inverse=True)
    at_event = np.bincount(place, weights=event, minlength=len(values))
    at_other = np.bincount(place, weights=~event, minlength=len(values))
    below = np.cumsum(at_other) - at_other + at_other / 2  # non-events below a score, ties half
    above = at_event.sum() - np.cumsum(at_event) + at_event / 2  # events above it
    return np.where(event, below[place] / at_other.sum(), above[place] / at_event.sum())


def clustered_auc(y, score, people, *, level=0.95):
    """AUC of any score with an interval that takes each person once: (estimate, low, high).

    The interval is symmetric in log-odds. Where the score separates the classes it is one-sided: what as many
    people as the rarer class has could all have shown by chance.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)
    score : array of float, shape (n,), none missing
    people : array of labels, shape (n,)    the aggressor of each assessment
    level : float

    Raises
    ------
    NotEstimable    (a ValueError) one class only, or one person in a class

    References
    ----------
    Obuchowski (1997), Biometrics 53:567; with one row for each person, DeLong et al. (1988), Biometrics
    44:837.
    """
    y, score = np.asarray(y, float), np.asarray(score, float)
    event = y > 0
    if not 0 < event.sum() < len(y):
        raise NotEstimable("one_class", events=int(event.sum()), count=len(y))
    part = _components(y, score)
    estimate = float(part[event].mean())
    member = np.unique(people, return_inverse=True)[1]
    away = part - estimate
    of_events = np.bincount(member, weights=np.where(event, away, 0)) / event.sum()
    of_others = np.bincount(member, weights=np.where(event, 0, away)) / (~event).sum()
    with_event, without = (len(np.unique(member[rows])) for rows in (event, ~event))
    if min(with_event, without) < 2:
        raise NotEstimable("few_people", people=min(with_event, without), minimum=2)
    k = len(of_events)
    variance = (
        with_event / (with_event - 1) * (of_events**2).sum()
        + without / (without - 1) * (of_others**2).sum()
        + 2 * k / (k - 1) * (of_events * of_others).sum()
    )
    if not 0 < estimate < 1:
        edge = ((1 - level) / 2) ** (1 / min(with_event, without))
        return (estimate, edge, 1.0) if estimate else (estimate, 0.0, 1 - edge)
    centre = np.log(estimate / (1 - estimate))
    reach = norm.ppf((1 + level) / 2) * np.sqrt(max(variance, 0.0)) / (estimate * (1 - estimate))
    return estimate, float(expit(centre - reach)), float(expit(centre + reach))


def _row(column, part, y, score, people, missing, level):
    row = {"column": column, "part": part, "n": len(y), "events": int(y.sum()), "missing": missing}
    row["people_with_event"] = len(np.unique(people[y > 0]))
    row |= dict.fromkeys(("auc", "low", "high", "strength", "p_value"), np.nan) | {"reason": None}
    try:
        auc, low, high = clustered_auc(y, score, people, level=level)
    except NotEstimable as reason:
        return row | {"reason": reason}
    p = two_sided_p(auc, low, high, null=0.5, level=level)
    return row | {"auc": auc, "low": low, "high": high, "strength": max(auc, 1 - auc), "p_value": p}


def single_feature_aucs(design, y, people, *, level=0.95):
    """The AUC of each column alone, and of its being missing, strongest first.

    Parameters
    ----------
    design : DataFrame of numbers, n rows    encoded features of the evaluation rows; missing values allowed
    y : array of {0, 1}, shape (n,)
    people : array of labels, shape (n,)     the aggressor of each assessment
    level : float                            of the intervals

    Returns
    -------
    DataFrame of column, part ("value": over rows where it is known; "missing": of its being missing), n,
        events, people_with_event, missing (share), auc, low, high, strength (auc or 1 - auc, whichever is
        larger), p_value (of 0.5), q_value, reason (NotEstimable or None); constant columns are left out

    Raises
    ------
    RiskmlError    a column that holds no numbers, lengths that differ
    """
    y, people = np.asarray(y, float), np.asarray(people)
    if len(design) != len(y) or len(people) != len(y):
        raise RiskmlError(f"{len(design)} rows do not pair with {len(y)} outcomes", where="design")
    rows = []
    for column in design.columns:
        try:
            values = design[column].to_numpy(dtype=float)
        except (TypeError, ValueError):
            raise RiskmlError(
                f"column {column} holds no numbers", where="design", mend="Encode the matrix first."
            ) from None
        known = ~np.isnan(values)
        share = 1 - known.mean()
        if known.any() and np.ptp(values[known]) > 0:
            rows.append(_row(column, "value", y[known], values[known], people[known], share, level))
        if _SELDOM < share < 1 - _SELDOM:
            rows.append(_row(column, "missing", y, (~known).astype(float), people, share, level))
    columns = [
        "column",
        "part",
        "n",
        "events",
        "people_with_event",
        "missing",
        "auc",
        "low",
        "high",
        "strength",
        "p_value",
        "reason",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    frame["q_value"] = false_discovery_rates(frame["p_value"])
    return frame.sort_values("strength", ascending=False, kind="stable", ignore_index=True)
