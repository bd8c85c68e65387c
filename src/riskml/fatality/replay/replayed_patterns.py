"""What critical patterns would have said at past contacts, and which unrecorded factors would have mattered.

Proposed patterns are judged as if they were approved, and told apart: they have no effect.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from riskml.fatality.form import ABSENT, PRESENT
from riskml.features.factor_states import factor_states
from riskml.models.critical import MATCHED
from riskml.vocabulary import STATES

__all__ = ["BEFORE", "KNOWLEDGE", "Mattered", "form_states", "judged_patterns", "said_present", "would_match"]

# What the review says of a factor that is present: known to somebody by the contact, known before the event
# but nobody says when, not said when, or known only after the event.
KNOWLEDGE = BEFORE, AFTER, UNSAID = ("before", "after", "unknown")
_MOST_TOGETHER = 3  # unrecorded factors that together make a pattern match; beyond, too much is supposed
_DENIED, _PRESENT = STATES


def judged_patterns(patterns, catalogue):
    """Approved and proposed patterns, all judged as if approved: CriticalPatterns on the catalogue.

    The statuses that they have stay with the patterns that are given; rejected ones are left out.
    """
    judged = {
        name: pattern.model_copy(update={"status": "approved"})
        for name, pattern in patterns.patterns.items()
        if pattern.status != "rejected"
    }
    return replace(patterns, patterns=judged).on(catalogue)


def form_states(contacts, reviews, codes):
    """What the form says was known by each contact: for cases that do not stand in the registry.

    Parameters
    ----------
    contacts : DataFrame of `contacts.CONTACTS`, n rows
    reviews : Reviews
    codes : sequence of str    factors

    Returns
    -------
    DataFrame, n rows    a column for each factor, `present`, `denied` or missing, and relationship; a factor
        counts from its `known_on`, and where an institution's contact lists it, from the day of that contact
    """
    place = pd.Index(list(codes))
    states = np.full((len(contacts), len(place)), -1, np.int8)
    rows = contacts.reset_index(drop=True).assign(row=np.arange(len(contacts)))
    dated = reviews.factors[reviews.factors["known_on"].notna()]
    known = rows[["row", "review_id", "at"]].merge(dated, on="review_id")
    known = known[(known["known_on"] <= known["at"]) & known["state"].isin((PRESENT, ABSENT))]
    _write(
        states, known["row"], place.get_indexer(known["factor"]), (known["state"] == PRESENT).to_numpy(int)
    )
    listed = rows[rows["known_factors"].map(len) > 0][["review_id", "at", "known_factors"]]
    listed = rows[["row", "review_id", "at"]].merge(listed, on="review_id", suffixes=("", "_then"))
    listed = listed[listed["at_then"] <= listed["at"]].explode("known_factors")
    _write(states, listed["row"], place.get_indexer(listed["known_factors"]), np.ones(len(listed), int))
    words = np.array([_DENIED, _PRESENT, None], dtype=object)[states]
    frame = pd.DataFrame(words, columns=list(codes))
    relationship = reviews.cases["relationship"].iloc[rows["review"].to_numpy(int)].to_numpy(object)
    return frame.assign(relationship=pd.Series(relationship).where(relationship != "unknown", None))


def _write(states, rows, columns, values):
    here = columns >= 0
    np.maximum.at(states, (rows.to_numpy(int)[here], columns[here]), values[here].astype(np.int8))


def said_present(contacts, reviews, codes):
    """Which factors the review found present, and to whom they were known by each contact.

    Parameters
    ----------
    contacts : DataFrame of `contacts.CONTACTS`, n rows
    reviews : Reviews
    codes : sequence of str

    Returns
    -------
    dict of KNOWLEDGE -> bool array, shape (n, codes)
        "before": somebody knew by then, or before the event on a day that nobody noted; "after": nobody could
        have recorded it; "unknown": the review does not say when it came to be known. What somebody learnt
        between the contact and the event is in none of them
    """
    event = reviews.factors["review_id"].map(reviews.cases.set_index("review_id")["event_on"])
    factors = reviews.factors.assign(
        before=reviews.factors.index.isin(reviews.known_before().index),
        late=(reviews.factors["known"] == "after") | (reviews.factors["known_on"] >= event),
    )
    present = factors[factors["state"] == PRESENT]
    rows = contacts[["review_id", "at"]].reset_index(drop=True)
    rows = rows.assign(row=np.arange(len(rows))).merge(present, on="review_id")
    by_then = rows["known_on"].isna() | (rows["known_on"] <= rows["at"])
    held = {
        BEFORE: rows["before"] & by_then,
        AFTER: ~rows["before"] & rows["late"],
        UNSAID: ~rows["before"] & ~rows["late"],
    }
    place, said = pd.Index(list(codes)), {}
    for name, inside in held.items():
        said[name] = np.zeros((len(contacts), len(place)), bool)
        column = place.get_indexer(rows["factor"][inside])
        said[name][rows["row"].to_numpy(int)[inside][column >= 0], column[column >= 0]] = True
    return said


@dataclass(frozen=True)
class Mattered:
    """Unrecorded factors that would have made a pattern match at a contact, had they been on record.

    Attributes
    ----------
    row : int               the contact
    pattern : str
    factors : tuple of str  all of them together, and none to spare
    """

    row: int
    pattern: str
    factors: tuple


def would_match(patterns, matrix, said, codes):
    """The factors that the review found, that were not on record, and that would have made a pattern match.

    Parameters
    ----------
    patterns : CriticalPatterns    of `judged_patterns`
    matrix : DataFrame, n rows     what was on record at each contact
    said : bool array, shape (n, codes)    factors that are supposed to have been recorded
    codes : sequence of str

    Returns
    -------
    list of Mattered    the smallest sets, of three factors at most; none for a pattern that matched anyway
    """
    asked = said & (factor_states(matrix, codes) < 0)
    states, found = patterns.states(matrix), []
    place = {code: k for k, code in enumerate(codes)}
    for name in patterns.approved:
        own = [code for code in patterns.factors_read(name) if code in place]
        waiting = states[name] != MATCHED
        settled = {}
        for size in range(1, min(_MOST_TOGETHER, len(own)) + 1):
            for chosen in combinations(own, size):
                rows = waiting & asked[:, [place[c] for c in chosen]].all(axis=1)
                for smaller, done in settled.items():
                    if set(smaller) < set(chosen):
                        rows &= ~done
                if not rows.any():
                    continue
                told = matrix[rows].assign(**dict.fromkeys(chosen, _PRESENT))
                matched = np.flatnonzero(rows)[patterns.states(told)[name] == MATCHED]
                settled[chosen] = np.isin(np.arange(len(matrix)), matched)
                found += [Mattered(int(row), name, chosen) for row in matched]
    return found
