"""The 41 items of fatality reviews, counted from factors and, where they follow from them, from ages."""

import numpy as np

from riskml.fatality.findings.prevalence import any_of, row_of, share
from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN
from riskml.vocabulary import PARTNER_RELATIONSHIPS

__all__ = ["MANY_ITEMS", "YEARS_APART", "YOUNG", "item_rows", "items_per_case"]

YOUNG, YEARS_APART = (15, 24), 9  # EVIDENCE 6.2, items 3 and 4
MANY_ITEMS = 7  # EVIDENCE 6.1 [S:9]: the share with seven or more is what others print


def item_rows(clocks, reviews, codes, items):
    """One row for each item, as `prevalence` has for factors, and the states behind them.

    An item is present where any of its factors is, absent where all of them are absent, else unknown. Two
    follow from ages: a couple of 15 to 24 years, and nine or more between them. They take the first victim
    and the first aggressor of the form and speak of couples only (other relationships: absent). They stay
    unknown where spans of ages leave it open, and count as known before the event, for ages need no finding.

    Parameters
    ----------
    clocks : dict of `states_by_clock` for `codes`
    reviews : Reviews
    codes : sequence of str
    items : sequence of ReviewItem

    Returns
    -------
    list of dict, dict of clock -> int8 array of shape (cases, items)
    """
    place = {code: column for column, code in enumerate(codes)}
    by_age = _by_age(reviews)
    states = {name: np.empty((len(reviews), len(items)), np.int8) for name in clocks}
    rows = []
    for column, item in enumerate(items):
        for name, of_factors in clocks.items():
            if item.factors:
                states[name][:, column] = any_of(of_factors[:, [place[code] for code in item.factors]])
            else:
                states[name][:, column] = _from_ages(item, by_age)
        own = {name: of_items[:, column] for name, of_items in states.items()}
        rows.append({"item": item.number, "concept": item.concept} | row_of(own))
    return rows, states


def items_per_case(states, items):
    """How many items were present in each case, and how many cases had seven or more: dict.

    Items that count as one (the two on depression, the two on suicide) count once. Unknown items add nothing,
    so the figures are what was there at least; `most` adds them, and says what there was at most.

    Parameters
    ----------
    states : int8 array, shape (cases, items)
    items : sequence of ReviewItem

    Returns
    -------
    dict
        median, q1, q3    items present per case; of: how many can count
        most              median, q1, q3, were all that is unknown present
        seven_or_more     n, of, share, low; undecided: cases that could have as many; high: the exact upper
            end were all of those to have them
    """
    groups = dict.fromkeys(frozenset((item.number, *item.counts_with)) for item in items)
    columns = [[i for i, item in enumerate(items) if item.number in group] for group in groups]
    once = np.column_stack([any_of(states[:, group]) for group in columns])
    least, most = (once == PRESENT).sum(axis=1), (once != DENIED).sum(axis=1)
    surely, possibly = (
        share((least >= MANY_ITEMS).sum(), len(least)),
        share((most >= MANY_ITEMS).sum(), len(most)),
    )
    undecided = possibly["n"] - surely["n"]
    many = surely | {"undecided": undecided, "high": possibly["high"]}
    return _quartiles(least) | {"of": len(columns), "most": _quartiles(most), "seven_or_more": many}


def _quartiles(counts):
    q1, median, q3 = (float(q) for q in np.percentile(counts, (25, 50, 75)))
    return {"median": median, "q1": q1, "q3": q3}


def _first_ages(reviews, role):
    """Lowest and highest age of each case's first person of a role: two arrays, NaN where not known."""
    first = reviews.people[reviews.people["role"] == role].drop_duplicates("review_id").set_index("review_id")
    ages = first.reindex(reviews.cases["review_id"])
    return ages["age_low"].to_numpy(float), ages["age_high"].to_numpy(float)


def _young(low, high):
    """Whether an age lies within YOUNG, in three states."""
    inside = (low >= YOUNG[0]) & (high <= YOUNG[1])
    outside = (high < YOUNG[0]) | (low > YOUNG[1])
    return np.where(inside, PRESENT, np.where(outside, DENIED, UNKNOWN))


def _by_age(reviews):
    """What follows from ages: dict of features of the catalogue -> int array, shape (cases,)."""
    victim, aggressor = (_first_ages(reviews, role) for role in ("victim", "aggressor"))
    # Both young: absent as soon as one is not, and unknown stands between absent and present.
    order = {DENIED: 0, UNKNOWN: 1, PRESENT: 2}
    pair = [np.vectorize(order.get, otypes=[int])(_young(*ages)) for ages in (victim, aggressor)]
    young = np.array([DENIED, UNKNOWN, PRESENT])[np.minimum(*pair)]
    least = np.maximum(victim[0] - aggressor[1], aggressor[0] - victim[1])
    most = np.maximum(victim[1] - aggressor[0], aggressor[1] - victim[0])
    apart = np.where(least >= YEARS_APART, PRESENT, np.where(most < YEARS_APART, DENIED, UNKNOWN))
    relationship = reviews.cases["relationship"]
    no_couple = ~relationship.isin((*PARTNER_RELATIONSHIPS, "unknown")) & relationship.notna()
    states = {"aggressor_birth_year": young, "age_difference": apart}
    return {name: np.where(no_couple, DENIED, value) for name, value in states.items()}


def _from_ages(item, by_age):
    """States of an item that is kept in features; unknown where the form does not hold them."""
    name = next((name for name in by_age if name in item.features), None)
    return UNKNOWN if name is None else by_age[name]
