"""What fired when: versions and patterns at each past contact, and the table over all reviewed cases."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from riskml.fatality.findings.prevalence import share, spread

__all__ = ["ANY", "GROUPS", "ReplayedRule", "any_rule", "days_lost", "first_days", "table_rows"]

ANY = "any"
GROUPS = ALL, HONEST = ("all", "honest")


@dataclass(frozen=True, eq=False)
class ReplayedRule:
    """A version, several together, or a pattern, at every contact.

    Attributes
    ----------
    name : str
    kind : "together", "version", "pattern", "any" or "analyst"
    status : str or None          of a pattern
    effect : bool                 whether it has one today: versions and approved patterns
    cases : dict of GROUPS -> bool array, shape (cases,)      of which it could have said something
    judged : dict of GROUPS -> bool array, shape (contacts,)  at which it could
    fired : dict of GROUPS -> bool array, shape (contacts,)   at which it did: critical, or matched

    "honest" leaves out what the rule learnt from: contacts before its data end, or cases that defined it.
    """

    name: str
    kind: str
    status: str | None
    effect: bool
    cases: dict
    judged: dict
    fired: dict


def any_rule(rules):
    """Whether any of some rules fired: ReplayedRule; None of no rules."""
    if not rules:
        return None
    joined = {
        what: {g: reduce(np.logical_or, [getattr(rule, what)[g] for rule in rules]) for g in GROUPS}
        for what in ("cases", "judged", "fired")
    }
    return ReplayedRule(ANY, ANY, None, True, **joined)


def first_days(review, day, inside, cases):
    """How many days before the event each case's first of some contacts was.

    Parameters
    ----------
    review, day : int array, shape (contacts,)    whose contact it is, and days before the event
    inside : bool array, shape (contacts,)
    cases : int                                   how many there are

    Returns
    -------
    float array, shape (cases,)    NaN where a case has no such contact
    """
    first = np.full(cases, -np.inf)
    np.maximum.at(first, review[inside], day[inside])
    return np.where(np.isfinite(first), first, np.nan)


def days_lost(fired, critical):
    """Days from the first day on which a rule fired to the analysts' critical level, or to the event.

    Parameters
    ----------
    fired, critical : float array, shape (cases,)    days before the event; NaN: never

    Returns
    -------
    float array    0 where the analysts came first or on the same day; NaN where nothing fired
    """
    return np.where(np.isnan(fired), np.nan, np.maximum(fired - np.nan_to_num(critical), 0))


def table_rows(rules, contacts, critical):
    """The table over all cases: one row for each rule and group.

    Parameters
    ----------
    rules : list of ReplayedRule
    contacts : DataFrame of `contacts.CONTACTS`
    critical : float array, shape (cases,)    days before the event of the analysts' critical level; NaN

    Returns
    -------
    list of dict
        rule, kind, status, group; with_contact (cases with a contact at which it could be judged), fired
        (of all cases), first_contact (fired at the case's first contact, of those judged there): each n, of,
        share, low, high; days_before (of those in which it fired) and days_lost: n, median, q1, q3,
        median_low, median_high
    """
    review, day = contacts["review"].to_numpy(int), contacts["day"].to_numpy(int)
    rows = []
    for rule in rules:
        for group in GROUPS:
            cases = rule.cases[group]
            inside = cases[review]
            judged, fired = rule.judged[group] & inside, rule.fired[group] & inside
            met = first_days(review, day, judged, len(cases))
            first = first_days(review, day, fired, len(cases))
            # Where the rule learnt from the first contact, a later one is none.
            began = cases & (met == first_days(review, day, rule.judged[ALL], len(cases)))
            lost = days_lost(first, critical)
            rows.append(
                {
                    "rule": rule.name,
                    "kind": rule.kind,
                    "status": rule.status,
                    "group": group,
                    "with_contact": share((~np.isnan(met)).sum(), cases.sum()),
                    "fired": share((~np.isnan(first)).sum(), cases.sum()),
                    "first_contact": share((began & (first == met)).sum(), began.sum()),
                    "days_before": spread(first[~np.isnan(first)]),
                    "days_lost": spread(lost[~np.isnan(lost)]),
                }
            )
    return rows
