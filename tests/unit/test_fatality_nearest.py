"""The nearest reviewed cases: alike on what was known before, the same both ways, not on what came after."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hand_cases import NOW, catalogue, history
from riskml.errors import RiskmlError
from riskml.fatality.replay.nearest import likeness, nearest, rarity
from riskml.fatality.reviews import Reviews
from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN

STATES = arrays(np.int8, 8, elements=st.sampled_from([PRESENT, DENIED, UNKNOWN]))
WEIGHTS = arrays(float, 8, elements=st.floats(0.01, 9.0))
DAY = "2026-05-01"


@pytest.fixture(scope="module")
def small():
    return catalogue()


@given(STATES, STATES, WEIGHTS)
@settings(max_examples=100, deadline=None)
def test_two_cases_are_as_alike_the_one_way_as_the_other(first, second, weights):
    there, back = likeness(first, second, weights), likeness(second, first, weights)
    assert (there.similarity, there.place, there.known) == (back.similarity, back.place, back.known)
    assert there.shared.tolist() == back.shared.tolist()
    assert there.differing.tolist() == back.differing.tolist()


@given(STATES, STATES, WEIGHTS)
@settings(max_examples=100, deadline=None)
def test_likeness_is_the_weight_of_what_is_shared_among_what_is_known_of_both(first, second, weights):
    common = either = 0.0
    for a, b, w in zip(first, second, weights, strict=True):
        if UNKNOWN not in (a, b) and PRESENT in (a, b):
            either += w
            common += w * (a == b)
    found = likeness(first, second, weights)
    assert found.similarity == (pytest.approx(common / either) if either else None)
    assert 0 <= found.place < 1


def test_of_two_that_are_equally_alike_the_one_of_which_more_is_known_comes_first():
    own, weights = np.full(4, PRESENT), np.ones(4)
    little = likeness(own, np.array([PRESENT, UNKNOWN, UNKNOWN, UNKNOWN]), weights)
    much = likeness(own, np.full(4, PRESENT), weights)
    assert little.similarity == much.similarity == 1
    assert much.place > little.place


def a_history(**more):
    """Case A with strangulation and a threat, and others in which threats are common."""
    factors = [("A", DAY, {"factor": code}) for code in ("strangulation", "death_threat")]
    factors += [("A", DAY, {"factor": "alcohol", "state": "denied"})]
    factors += [(f"B{k}", DAY, {"factor": "death_threat"}) for k in range(8)]
    return history(incidents=[("A", DAY)], factors=[*factors, *more.pop("factors", ())], **more)


def reviews_of(*told, relationship="partner", event="2026-01-10", **more):
    """Reviewed cases, each a list of (factor, state, known, known_on)."""
    cases, factors = [], []
    for k, rows in enumerate(told):
        case = {"review_id": f"R{k}", "kind": "femicide", "event_on": event, "relationship": relationship}
        cases.append(case | {"status": "closed"} | more)
        factors += [
            {
                "review_id": f"R{k}",
                "factor": f,
                "state": s,
                "known": known,
                "known_on": on,
                "known_by": "family",
            }
            for f, s, known, on in rows
        ]
    missed = [{"review_id": "R0", "institution": "health", "how": "not_recorded"}]
    return Reviews.of({"cases": cases, "factors": factors, "missed": missed})


THREAT = ("death_threat", "present", "before", "2025-12-01")
STRANGLED = ("strangulation", "present", "before", "2025-12-20")


def test_a_rare_factor_in_common_says_more_than_a_common_one(small):
    facts = a_history()
    threat, strangled = rarity(facts, ["death_threat", "strangulation"], NOW)
    assert strangled == pytest.approx(-np.log(1.5 / 10))
    assert threat == pytest.approx(-np.log(9.5 / 10))
    not_strangled = ("strangulation", "absent", "before", "2025-12-01")
    not_threatened = ("death_threat", "absent", "before", "2025-12-01")
    found = nearest("A", NOW, reviews_of([THREAT, not_strangled], [STRANGLED, not_threatened]), facts, small)
    assert [c["review_id"] for c in found["cases"]] == ["R1", "R0"]


def test_rarity_counts_only_what_was_visible_then():
    late = [("B0", "2026-05-20", {"factor": "jealousy"}), ("A", "2026-05-01", {"factor": "separation"})]
    late[1][2]["superseded_at"] = pd.Timestamp("2026-05-10")
    facts = a_history(factors=late)
    codes = ["jealousy", "separation"]
    np.testing.assert_allclose(rarity(facts, codes, pd.Timestamp("2026-05-15")), -np.log(0.5 / 10))
    np.testing.assert_allclose(rarity(facts, codes, NOW), -np.log([1.5 / 10, 0.5 / 10]))


def test_what_is_shown_says_why_and_what_was_known_before(small):
    told = [THREAT, ("alcohol", "present", "before", None), ("jealousy", "present", "before", "2026-01-02")]
    found = nearest("A", NOW, reviews_of(told), a_history(), small)
    (case,) = found["cases"]
    assert case["shared"] == {"n": 1, "of": 2}
    assert [e["factor"] for e in case["shared_factors"]] == ["death_threat"]
    assert [(e["factor"], e["here"], e["there"]) for e in case["differing"]] == [
        ("alcohol", "absent", "present")
    ]
    assert [e["factor"] for e in case["unknown_here"]] == ["jealousy"]
    before = [(e["factor"], e["days"], e["known_by"]) for e in case["known_before"]]
    assert before == [("death_threat", 40, "family"), ("jealousy", 8, "family"), ("alcohol", None, "family")]
    assert case["missed"] == [{"how": "not_recorded", "institution": "health"}]
    (among,) = found["missed_among"]
    assert (among["n"], among["of"], among["low"], among["high"]) == (1, 1, pytest.approx(0.025), 1.0)
    assert "probabilidad" in " ".join(note["es"] for note in found["notes"])


def test_what_came_to_be_known_after_the_event_changes_nothing(small):
    first = nearest("A", NOW, reviews_of([THREAT]), a_history(), small)
    after = [
        ("strangulation", "present", "after", "2026-02-01"),
        ("alcohol", "present", "unknown", None),
        ("jealousy", "present", "before", "2026-01-10"),  # on the day of the event itself
    ]
    second = nearest("A", NOW, reviews_of([THREAT, *after]), a_history(), small)
    apart = {"reviews"}  # the content hash is another
    assert {k: v for k, v in first.items() if k not in apart} == {
        k: v for k, v in second.items() if k not in apart
    }


def test_what_the_registry_learns_later_of_the_case_changes_nothing(small):
    later = [("A", "2026-06-02", {"factor": "jealousy"}), ("B1", "2026-06-02", {"factor": "strangulation"})]
    reviews = reviews_of([THREAT, ("jealousy", "present", "before", "2025-12-01")])
    assert nearest("A", NOW, reviews, a_history(), small) == nearest(
        "A", NOW, reviews, a_history(factors=later), small
    )


def test_only_events_before_the_moment_and_other_cases_are_compared(small):
    reviews = reviews_of([THREAT], [STRANGLED])
    reviews.cases.loc[1, "event_on"] = NOW
    assert [c["review_id"] for c in nearest("A", NOW, reviews, a_history(), small)["cases"]] == ["R0"]
    with pytest.raises(RiskmlError, match="no reviewed event before"):
        nearest("A", "2026-01-09", reviews_of([THREAT]), history(incidents=[("A", "2026-01-01")]), small)
    with pytest.raises(RiskmlError, match="no reviewed event before"):
        nearest("A", NOW, reviews_of([THREAT], case_id="A"), a_history(), small)


@pytest.mark.parametrize(
    ("theirs", "group", "match"),
    [("ex-partner", "partner", "yes"), ("son", "partner", "no"), ("unknown", "partner", "unknown")],
)
def test_another_kind_of_relationship_is_said(small, theirs, group, match):
    found = nearest("A", NOW, reviews_of([THREAT], relationship=theirs), a_history(), small)
    assert (found["group"], found["cases"][0]["relationship_match"]) == (group, match)
    said = any("misma clase de relación" in note["es"] for note in found["notes"])
    assert said == (match != "yes")


def test_cases_of_the_same_kind_of_relationship_stand_alone_where_there_are_some(small):
    reviews = reviews_of([THREAT], [THREAT, STRANGLED])
    reviews.cases.loc[1, "relationship"] = "son"
    found = nearest("A", NOW, reviews, a_history(), small)
    assert [c["review_id"] for c in found["cases"]] == ["R0"]
    assert found["reviews"]["compared"] == 1


def test_a_case_that_is_not_there_yet_is_refused(small):
    with pytest.raises(RiskmlError, match="does not stand in the registry on 2024-06-01"):
        nearest("A", "2024-06-01", reviews_of([THREAT], event="2024-01-01"), a_history(), small)


def test_the_document_holds_no_pseudonym_and_no_free_text(small):
    reviews = reviews_of([THREAT], case_id="another")
    reviews.factors["evidence"] = "dicho de la hermana"
    reviews.missed["note"] = "nota"
    text = json.dumps(nearest("A", NOW, reviews, a_history(), small), ensure_ascii=False)
    for word in ("another", "hermana", "nota", '"A"'):
        assert word not in text
