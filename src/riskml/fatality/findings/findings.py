"""What the reviewed cases say: one document of counts with exact intervals, for tables and the report."""

import pandas as pd

from riskml.errors import RiskmlError
from riskml.fatality.findings.contacts_timed import institutions_that_knew, last_contact, timeline
from riskml.fatality.findings.cooccurrence import FACTORS_COMPARED, FEWEST_PRESENT, cooccurrence
from riskml.fatality.findings.earlier import earlier
from riskml.fatality.findings.item_counts import item_rows, items_per_case
from riskml.fatality.findings.missed_matrix import missed_matrix, recommendations
from riskml.fatality.findings.prevalence import after_only, prevalence, said, states_by_clock
from riskml.models.bundle import plain

__all__ = ["FORMAT", "findings"]

FORMAT = "riskml fatality findings 1"
_NOTES = (
    "note_unknown",
    "note_bounds",
    "note_before",
    "note_after_only",
    "note_items",
    "note_contacts",
    "note_cooccurrence",
    "note_selected",
)


def findings(reviews, vocabulary, items, *, comparison=None, as_of=None):
    """Count what coded reviews hold: plain JSON, no ids, no free text but cleared recommendations.

    Parameters
    ----------
    reviews : Reviews
    vocabulary : FactorVocabulary
    items : sequence of ReviewItem    empty: no rows of items
    comparison : dict or None         of `comparison.compare`
    as_of : date-like or None         on which deadlines count as over; None: today

    Returns
    -------
    dict
        reviews, prevalence, items, counts, after_only, earlier, last_contact, institutions, timeline,
        cooccurrence, missed, recommendations, comparison, words, notes; a part that cannot be estimated is
        {"missing": words}

    Raises
    ------
    RiskmlError    no reviewed case
    """
    if not len(reviews):
        raise RiskmlError(
            "there is no reviewed case to count",
            where=f"reviews {reviews.hash[:12]}",
            mend="`riskml fatality load` says which rows were rejected, and why.",
        )
    as_of = pd.Timestamp.today().normalize() if as_of is None else pd.Timestamp(as_of)
    codes = vocabulary.codes
    clocks = states_by_clock(reviews, codes)
    rows = prevalence(clocks, vocabulary)
    of_items, item_states = item_rows(clocks, reviews, codes, items)
    counts = {"missing": said("no_items" if len(reviews.factors) else "no_factors")}
    if items and len(reviews.factors):
        counts = items_per_case(item_states["ever"], items)
        counts["before"] = items_per_case(item_states["before"], items)
    return plain(
        {
            "format": FORMAT,
            "as_of": as_of.date().isoformat(),
            "reviews": _about(reviews),
            "prevalence": rows,
            "items": of_items,
            "counts": counts,
            "after_only": after_only(rows),
            "earlier": earlier(reviews),
            "last_contact": last_contact(reviews) if len(reviews.contacts) else {"missing": said("no_log")},
            "institutions": _who_knew(reviews),
            "timeline": timeline(reviews),
            "cooccurrence": cooccurrence(clocks["ever"], codes),
            "missed": missed_matrix(reviews) if len(reviews.missed) else {"missing": said("no_missed")},
            "recommendations": recommendations(reviews, as_of),
            "comparison": comparison or {"missing": said("not_compared")},
            "words": said("summary", count=len(reviews), linked=len(reviews.linked)),
            "notes": _notes(reviews),
        }
    )


def _about(reviews):
    """What was reviewed: counts, first and last event, links, coders."""
    cases = reviews.cases
    kinds = cases["kind"].value_counts(sort=False)
    days = cases["event_on"].dropna()
    to_month = reviews.about.get("event_on_precision") == "month"
    first, last = (day.strftime("%Y-%m" if to_month else "%Y-%m-%d") for day in (days.min(), days.max()))
    coders = reviews.factors["coders"].max()
    return {
        "hash": reviews.hash,
        "n": len(cases),
        "kinds": [{"kind": kind, "n": int(n)} for kind, n in kinds.items()],
        "first": first,
        "last": last,
        "linked": len(reviews.linked),
        "coders": None if pd.isna(coders) else int(coders),
        "synthetic": bool(reviews.about.get("synthetic")),
    }


def _who_knew(reviews):
    # A sheet that nobody filled is no finding that nobody knew.
    if len(reviews.contacts) or reviews.factors["known_by"].notna().any():
        return institutions_that_knew(reviews)
    return {"missing": said("nobody_asked")}


def _notes(reviews):
    notes = [said(name, shown=FACTORS_COMPARED, fewest=FEWEST_PRESENT) for name in _NOTES]
    if reviews.about.get("event_on_precision") == "month":
        notes.append(said("note_month"))
    if reviews.about.get("synthetic"):
        notes.insert(0, said("note_synthetic"))
    return notes
