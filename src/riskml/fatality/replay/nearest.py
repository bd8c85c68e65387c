"""The reviewed cases most like a living one, on what was known of them before the event.

Likeness is told, not weighed against an outcome: a case that is like one that ended badly need not end so,
and no probability follows from it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.explain.wording import factor_label
from riskml.fatality.findings.prevalence import share
from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN, factor_states
from riskml.features.matrix import build_features
from riskml.features.surroundings import case_surroundings
from riskml.messages import LANGUAGES, in_every_language
from riskml.models.bundle import plain
from riskml.registry.history import History
from riskml.scoring.cautions import state_columns
from riskml.vocabulary import PARTNER_RELATIONSHIPS, STATES, moment_of

__all__ = ["FORMAT", "Likeness", "likeness", "nearest", "rarity"]

FORMAT = "riskml fatality nearest 1"
_GROUPS = ("partner", "family", "unknown")
_NOTES = ("not_same", "known_both", "before_only", "silence", "selected")


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike two cases are on the factors that are known of both.

    Attributes
    ----------
    similarity : float or None    weight of the factors present in both, of those present in either; None
        where none is present in either
    place : float                 the same with one more factor of average weight in which they differ, so
        that two cases of which little is known do not outrank two of which much is: what ranks
    shared, differing : array of int    places of factors present in both; present in one, denied in the other
    known : int                   factors known (present or denied) of both
    """

    similarity: float | None
    place: float
    shared: np.ndarray
    differing: np.ndarray
    known: int


def likeness(first, second, weights):
    """Weighted Jaccard likeness of two cases; what is unknown of either counts neither way.

    Parameters
    ----------
    first, second : int array, shape (p,)    PRESENT, DENIED, UNKNOWN; in any order, the result is the same
    weights : float array, shape (p,)        above 0; `rarity`

    Returns
    -------
    Likeness

    References
    ----------
    Gower (1971), Biometrics 27:857 (asymmetric binary variables, missing values left out).
    """
    both_known = (first != UNKNOWN) & (second != UNKNOWN)
    shared = both_known & (first == PRESENT) & (second == PRESENT)
    differing = both_known & (first != second)
    common, either = weights[shared].sum(), weights[shared | differing].sum()
    return Likeness(
        float(common / either) if either else None,
        float(common / (either + weights.mean())),
        np.flatnonzero(shared),
        np.flatnonzero(differing),
        int(both_known.sum()),
    )


def rarity(history, codes, as_of):
    """How much each factor weighs: the rarer it is in the registry, the more that two cases share it says.

    Parameters
    ----------
    history : History
    codes : sequence of str
    as_of : Timestamp    what became visible later does not count

    Returns
    -------
    float array, shape (codes,)    -log of the share of registered cases in which it is on record as present,
        half a case added on either side: always above 0
    """
    columns = ["case_id", "occurred_at", "recorded_at", "superseded_at"]
    facts = history.table("factors").select([*columns, "factor", "state"]).to_pandas()
    seen = _visible(facts, as_of) & (facts["state"] == STATES[1]) & facts["factor"].isin(codes)
    cases = history.table("cases").select(columns).to_pandas()
    everybody = cases.loc[_visible(cases, as_of), "case_id"].nunique()
    present = facts[seen].drop_duplicates(["case_id", "factor"])["factor"].value_counts()
    count = present.reindex(list(codes)).fillna(0).to_numpy(float)
    return -np.log((count + 0.5) / (np.maximum(everybody, count) + 1))


def _visible(facts, as_of):
    seen = facts[["occurred_at", "recorded_at"]].max(axis=1, skipna=False)
    return (seen <= as_of) & (facts["superseded_at"].isna() | (facts["superseded_at"] > as_of))


def nearest(case_id, as_of, reviews, history, catalogue, *, n=5):
    """The reviewed cases most like a case at a moment, and why.

    Parameters
    ----------
    case_id : str          pseudonym of a case of the history
    as_of : date-like      the moment of assessment; reviewed events from its day on do not count
    reviews : Reviews
    history : History, folder, or dict of tables
    catalogue : Catalogue    with the factors' states
    n : int                how many

    Returns
    -------
    dict, plain JSON
        as_of, reviews (hash, n, compared), group (of the relationship), known (factors known of the case, n
        of so many), cases: list, the most alike first, of review_id, kind, relationship, relationship_match
        ("yes", "no", "unknown"), similarity, shared (n of the factors known of both), shared_factors,
        differing, unknown_here (present there before the event, and nobody has asked here), known_before
        (factor, known_by, days), missed (how, institution); missed_among: how opportunities were missed,
        n of the cases shown; notes

    Raises
    ------
    RiskmlError    no such case at that moment, or no reviewed event before it
    """
    history, moment = History.of(history), moment_of(as_of)
    columns = {c.name: c for c in state_columns(catalogue)}
    codes = list(columns)
    here = _case_then(history, case_id, moment, catalogue, codes)
    own = factor_states(here, codes)[0]
    relationship = here["relationship"].iloc[0] if "relationship" in here.columns else None
    group = _group(relationship)
    cases = reviews.cases.assign(row=np.arange(len(reviews)))
    cases = cases[(cases["event_on"] < moment.normalize()) & (cases["case_id"] != case_id)]
    if not len(cases):
        raise RiskmlError(
            f"no reviewed event before {moment:%Y-%m-%d} to compare with",
            where=f"reviews {reviews.hash[:12]}",
            mend="`riskml fatality load` loads reviews; --as-of says the day.",
        )
    chosen = _of_group(cases, group)
    weights = rarity(history, codes, moment)
    states = reviews.states(codes, known="before")
    alike = [likeness(own, states[row], weights) for row in chosen["row"]]
    order = sorted(range(len(alike)), key=lambda k: (-alike[k].place, -alike[k].known, k))[:n]
    labels = {c: {lang: factor_label(catalogue, c, lang) for lang in LANGUAGES} for c in codes}
    shown = [
        _shown(chosen.iloc[k], alike[k], own, states[chosen["row"].iloc[k]], labels, group, reviews)
        for k in order
    ]
    return plain(
        {
            "format": FORMAT,
            "as_of": f"{moment:%Y-%m-%d}",
            "reviews": {"hash": reviews.hash, "n": len(reviews), "compared": len(chosen)},
            "group": group,
            "known": {"n": int((own != UNKNOWN).sum()), "of": len(codes)},
            "cases": shown,
            "missed_among": _missed_among(shown),
            "words": _words(f"nearest_group_{group}"),
            "notes": [_words(f"nearest_{name}") for name in _notes(reviews, chosen, group)],
        }
    )


def _words(name):
    return in_every_language(f"fatality_replay.{name}")


def _notes(reviews, chosen, group):
    """What has to be said: list of str."""
    found = ["synthetic"] if reviews.about.get("synthetic") else []
    if group != "unknown" and not (chosen["relationship"].map(_group) == group).any():
        found.append("no_group")
    return [*found, *_NOTES]


def _case_then(history, case_id, moment, catalogue, codes):
    """The case's factors and relationship at a moment: DataFrame of one row."""
    names = {c.name for c in catalogue.columns}
    part = catalogue.part(*codes, *(["relationship"] if "relationship" in names else []))
    around = case_surroundings(history, case_id, part.tables_read)
    known = around.table("cases").to_pandas()
    if not (_visible(known, moment) & (known["case_id"] == case_id)).any():
        raise RiskmlError(
            f"the case does not stand in the registry on {moment:%Y-%m-%d}",
            where=f"history {history.hash[:12]}",
            mend="Give the registry's own case_id or its pseudonym. What was recorded since is seen after "
            "`riskml history`.",
        )
    return build_features(around, pd.DataFrame({"case_id": [case_id], "as_of": [moment]}), part)


def _group(relationship):
    """Partner, family, or unknown: of whom the patterns of lethal violence differ."""
    if not isinstance(relationship, str) or relationship == "unknown":
        return _GROUPS[2]
    return _GROUPS[0] if relationship in PARTNER_RELATIONSHIPS else _GROUPS[1]


def _of_group(cases, group):
    """The reviewed cases of the same group of relationships; all where there is none, or it is unknown."""
    same = cases[cases["relationship"].map(_group) == group]
    return same if len(same) and group != "unknown" else cases


def _shown(case, alike, own, there, labels, group, reviews):
    """One reviewed case beside the living one: dict."""
    codes = list(labels)
    theirs = _group(case["relationship"])
    unasked = np.flatnonzero((there == PRESENT) & (own == UNKNOWN))
    return {
        "review_id": case["review_id"],
        "kind": case["kind"],
        "relationship": case["relationship"],
        "relationship_match": "unknown"
        if "unknown" in (group, theirs)
        else "yes"
        if group == theirs
        else "no",
        "similarity": alike.similarity,
        "shared": {"n": len(alike.shared), "of": alike.known},
        "shared_factors": [_named(codes[k], labels) for k in alike.shared],
        "differing": [
            {**_named(codes[k], labels), "here": _state(own[k]), "there": _state(there[k])}
            for k in alike.differing
        ],
        "unknown_here": [_named(codes[k], labels) for k in unasked],
        "known_before": _known_before(case, reviews, labels),
        "missed": [
            {"how": row.how, "institution": row.institution}
            for row in reviews.missed[reviews.missed["review_id"] == case["review_id"]].itertuples()
        ],
    }


def _named(code, labels):
    return {"factor": code, "label": labels[code]}


def _state(value):
    return {PRESENT: "present", DENIED: "absent"}[value]


def _known_before(case, reviews, labels):
    """What somebody knew of a reviewed case before its event, the earliest first: list of dict."""
    rows = reviews.known_before()
    rows = rows[(rows["review_id"] == case["review_id"]) & (rows["state"] == "present")]
    rows = rows[rows["factor"].isin(labels)].sort_values("known_on", kind="stable")
    return [
        {
            **_named(row.factor, labels),
            "known_by": None if pd.isna(row.known_by) else row.known_by,
            "days": None if pd.isna(row.known_on) else (case["event_on"] - row.known_on).days,
        }
        for row in rows.itertuples()
    ]


def _missed_among(shown):
    """How opportunities were missed in the cases shown, n of them: list of dict, the most frequent first."""
    ways = {}
    for case in shown:
        for how in {entry["how"] for entry in case["missed"]}:
            ways[how] = ways.get(how, 0) + 1
    found = [{"how": how, **share(n, len(shown))} for how, n in ways.items()]
    return sorted(found, key=lambda row: (-row["n"], row["how"]))
