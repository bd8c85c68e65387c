"""Critical patterns are proposed on what was known before, counted exactly, and judged on cases unseen."""

from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hand_cases import history
from riskml.errors import RiskmlError
from riskml.fatality.patterns.case_facts import RegistryPart
from riskml.fatality.patterns.held_out import held_out
from riskml.fatality.patterns.living_flags import living_cases, poisson_interval
from riskml.fatality.patterns.proposals import propose
from riskml.fatality.patterns.search import Combination, combinations_of, search, triple_counts
from riskml.fatality.reviews import Reviews
from riskml.features.catalogue import load_catalogue
from riskml.models.critical import CriticalPattern, CriticalPatterns
from small_opinion import FEATURES

AS_OF = pd.Timestamp("2026-06-01")
_COLUMNS = (
    "separation",
    "stalking",
    "breach",
    "weapon_used",
    "jealousy",
    "prior_arrest",
    "incidents_ever",
    "relationship",
)


@pytest.fixture(scope="module")
def catalogue():
    """A part of the shipped catalogue: factors of all kinds, a response, a count, the relationship."""
    return load_catalogue(FEATURES).part(*_COLUMNS)


# ------------------------------------------------------------------------------------------------ the search


def slow_combinations(factors):
    """Every combination: each factor, each two, each three, and two of each three."""
    for size in (1, 2, 3):
        yield from (Combination(c, size) for c in combinations(range(factors), size))
    yield from (Combination(c, 2) for c in combinations(range(factors), 3))


def slow_front(cases, living, support):
    """Combinations that no other outdoes, one by one: (caught, flagged) -> fewest factors."""
    counted = {
        c: (int(c.holds(cases).sum()), int(c.holds(living).sum())) for c in slow_combinations(cases.shape[1])
    }
    good = {
        c: (n, f)
        for c, (n, f) in counted.items()
        if n >= support and n / len(cases) > f / len(living) and all(cases[:, c.factors].sum(0) >= support)
    }
    best = {
        pair
        for pair in good.values()
        if not any((n >= pair[0] and f <= pair[1] and (n, f) != pair) for n, f in good.values())
    }
    return {pair: min(len(c.factors) for c, found in good.items() if found == pair) for pair in best}


shown = st.tuples(st.integers(2, 7), st.integers(1, 12), st.integers(1, 5)).flatmap(
    lambda s: st.tuples(arrays(bool, (s[0], s[2])), arrays(bool, (s[1], s[2])))
)


@settings(max_examples=40, deadline=None)
@given(shown, st.integers(1, 3))
def test_the_search_finds_what_looking_at_every_combination_finds(tables, support):
    cases, living = tables
    found = search(cases, living, cap=10_000, support=support)
    pairs = [(int(c.holds(cases).sum()), int(c.holds(living).sum())) for c in found.front]
    expected = slow_front(cases, living, support)
    assert set(pairs) == set(expected)
    assert len(pairs) == len(expected)
    assert [len(c.factors) for c in found.front] == [expected[pair] for pair in pairs]
    assert pairs == sorted(pairs, reverse=True)
    assert all(c.wanted in (2, len(c.factors)) for c in found.kept)


@settings(max_examples=40, deadline=None)
@given(shown)
def test_what_is_chosen_adds_cases_that_nothing_before_it_caught(tables):
    cases, living = tables
    left = np.ones(len(cases), bool)
    for combination in search(cases, living, cap=10_000).selected:
        new = combination.holds(cases) & left
        assert new.sum() >= 2
        left &= ~new


def test_counts_of_three_are_those_of_counting():
    present = np.random.default_rng(0).random((50, 4)) < 0.5
    counts = triple_counts(present)
    for a, b, c in np.ndindex(4, 4, 4):
        assert counts[a, b, c] == (present[:, a] & present[:, b] & present[:, c]).sum()


@pytest.mark.parametrize(("cap", "factors"), [(7, 2), (8, 3), (4925, 25), (5000, 25)])
def test_the_cap_is_never_passed_and_the_number_looked_at_is_told(cap, factors):
    draw = np.random.default_rng(1)
    cases, living = draw.random((30, 30)) < 0.5, draw.random((100, 30)) < 0.2
    found = search(cases, living, cap=cap)
    assert len(found.pool) == factors
    assert found.searched == len(combinations_of(factors)[0]) <= cap


def test_the_factors_looked_at_are_those_that_tell_most():
    cases, living = np.zeros((10, 3), bool), np.zeros((100, 3), bool)
    cases[:, 0], living[:90, 0] = True, True  # everybody has it
    cases[:6, 2], cases[:5, 1] = True, True
    assert search(cases, living, cap=5).pool == (1, 2)


def test_one_case_is_no_pattern():
    cases, living = np.zeros((8, 2), bool), np.zeros((50, 2), bool)
    cases[0] = True
    assert search(cases, living).kept == ()


# ---------------------------------------------------------------------------------------- cases left out


def unique_factor():
    """Ten cases, of which one alone shows a factor that no living case shows."""
    cases, living = np.zeros((10, 3), bool), np.zeros((2000, 3), bool)
    cases[0, 0] = True
    cases[1:6, 1] = living[:20, 1] = True
    return cases, living


def test_a_case_that_is_left_out_is_not_seen():
    cases, living = unique_factor()
    own = Combination((0,), 1)
    assert own in search(cases, living, support=1).kept
    apart = held_out(cases, living, support=1)
    assert own.holds(cases).sum() == 1
    assert not apart.catches(own, cases).any()
    assert not apart.caught[0]
    assert own not in apart.kept[0]
    assert own in apart.kept[9]


def test_what_is_found_without_a_case_may_catch_it():
    cases, living = unique_factor()
    common = Combination((1,), 1)
    apart = held_out(cases, living, support=1)
    assert apart.catches(common, cases).tolist() == cases[:, 1].tolist()
    assert apart.caught.tolist() == cases[:, 1].tolist()


def test_each_search_without_a_case_is_a_search_without_it():
    draw = np.random.default_rng(3)
    cases, living = draw.random((12, 6)) < 0.5, draw.random((200, 6)) < 0.2
    apart = held_out(cases, living, cap=100)
    for out in range(12):
        alone = search(np.delete(cases, out, axis=0), living, cap=100)
        assert apart.kept[out] == set(alone.kept)
        assert apart.caught[out] == any(c.holds(cases[[out]])[0] for c in alone.selected)


def test_cases_of_one_aggressor_are_left_out_together():
    cases, living = np.zeros((10, 2), bool), np.zeros((2000, 2), bool)
    cases[:2, 0] = True  # two victims of one event
    cases[2:6, 1] = True
    assert held_out(cases, living, support=1).caught[:2].all()
    together = held_out(cases, living, support=1, groups=np.array([7, 7, *range(8, 16)]))
    assert together.folds == 9
    assert together.caught.tolist() == [False, False, *[True] * 4, *[False] * 4]


def test_more_than_a_hundred_cases_are_left_out_by_tenths():
    draw = np.random.default_rng(4)
    cases, living = draw.random((101, 4)) < 0.5, draw.random((50, 4)) < 0.1
    apart, again = held_out(cases, living), held_out(cases, living)
    assert apart.folds == 10
    assert np.bincount(apart.fold).tolist() == [11] + [10] * 9
    assert (apart.fold == again.fold).all()
    assert held_out(cases[:100], living).folds == 100


def test_the_interval_of_a_count_is_exact():
    assert poisson_interval(0) == pytest.approx((0, 3.688879), abs=1e-6)
    assert poisson_interval(10) == pytest.approx((4.795389, 18.390356), abs=1e-6)


# --------------------------------------------------------------------------------------------- proposals


@cache
def registry():
    """Six cases that end, A to F, and forty that live on; what is recorded of each."""
    factors = [
        (case, "2026-01-10", {"factor": code}) for case in "ABCD" for code in ("separation", "stalking")
    ]
    factors += [("A", "2026-04-29T20:00", {"factor": "breach"})]  # when the day before the event has begun
    factors += [(f"L{n}", "2025-06-01", {"factor": "separation"}) for n in range(10)]
    factors += [(f"L{n}", "2026-05-01", {"factor": "stalking"}) for n in range(2)]
    factors += [(f"L{n}", "2026-02-01", {"factor": "stalking", "state": "denied"}) for n in range(2, 40)]
    incidents = [(f"{case}", "2026-01-08") for case in "ABCDEF"] + [
        (f"L{n}", "2025-02-01") for n in range(40)
    ]
    return history(factors=factors, incidents=incidents)


def reviewed(coded=(), *, cases=None, **more):
    """Reviews of the six, events on the last day of April; rows of (case, factor, state, known, on)."""
    rows = [
        {
            "review_id": f"R-{case}",
            "case_id": case,
            "kind": "femicide",
            "event_on": "2026-04-30",
            "relationship": "partner",
            "defined_critical": "no",
            **more.get(case, {}),
        }
        for case in (cases or "ABCDEF")
    ]
    names = ("review_id", "factor", "state", "known", "known_on")
    factors = [dict(zip(names, (f"R-{case}", *rest), strict=False)) for case, *rest in coded]
    return Reviews.of({"cases": rows, "factors": factors})


def pattern(*codes, **more):
    return CriticalPattern(label={"es": "Uno", "en": "One"}, when={"all_of": codes}, **more)


BOTH = CriticalPatterns(1, {"both": pattern("separation", "stalking")})


def row_of(document, name):
    return next(row for row in document["rows"] if row["id"] == name)


def proposed(catalogue, reviews, patterns=BOTH, **more):
    return propose(reviews, registry(), catalogue, patterns, as_of=AS_OF, **more)


def test_a_pattern_tells_what_it_catches_and_what_it_asks(catalogue):
    row = row_of(proposed(catalogue, reviewed()), "both")
    assert (row["caught"]["n"], row["caught"]["of"], row["caught"]["undetermined"]) == (4, 6, 2)
    assert row["caught"]["low"] == pytest.approx(0.2228, abs=1e-4)
    assert row["caught_registry"]["n"] == 4
    assert row["caught_form"]["n"] == 0
    assert row["left_out"]["n"] == 4  # written beforehand: it has seen no case
    assert row["days_before"] == {"median": 110, "q1": 110, "q3": 110, "n": 4, "undated": 0}
    assert (row["first_record"]["n"], row["first_record"]["of"]) == (0, 6)  # opened a year before
    living = row["living"]
    assert (living["flagged"], living["of"]) == (2, 40)
    assert living["undetermined"] == 0  # the others deny stalking
    assert (living["newly"], living["weeks"]) == (2, 26)
    assert living["per_week"] == pytest.approx(2 / 26)
    assert living["per_week_high"] == pytest.approx(poisson_interval(2)[1] / 26)


def test_reviewed_cases_are_not_among_the_living(catalogue):
    row = row_of(proposed(catalogue, reviewed(cases="AB")), "both")
    assert (row["living"]["flagged"], row["living"]["of"]) == (4, 44)  # C and D are open like any other


def test_a_factor_known_only_after_the_event_changes_nothing(catalogue):
    plain = proposed(catalogue, reviewed())
    after = [
        (case, code, "present", "after", "2026-05-20") for case in "EF" for code in ("separation", "stalking")
    ]
    after += [
        ("A", "weapon_used", "present", "after", None),
        ("B", "weapon_used", "present", "unknown", None),
    ]
    after += [("C", "weapon_used", "present", "before", "2026-04-30")]  # dated the day of the event
    later = proposed(catalogue, reviewed(after))
    assert later["reviews"] != plain["reviews"]
    assert later["rows"] == plain["rows"]
    assert later["factors_combined"] == plain["factors_combined"]


def test_what_the_registry_learnt_when_the_day_before_had_begun_does_not_count(catalogue):
    patterns = CriticalPatterns(1, {"breach": pattern("breach")})
    row = row_of(proposed(catalogue, reviewed(), patterns), "breach")
    assert (row["caught"]["n"], row["caught"]["undetermined"]) == (0, 6)


def test_what_the_review_dates_counts_from_that_day(catalogue):
    coded = [
        ("E", "separation", "present", "before", "2026-04-01"),
        ("E", "stalking", "present", "before", "2026-04-20"),
        ("F", "separation", "present", "before", None),
        ("F", "stalking", "present", "before", "2026-04-20"),
    ]
    row = row_of(proposed(catalogue, reviewed(coded, cases="EF")), "both")
    assert row["caught"]["n"] == row["caught_form"]["n"] == 2
    assert row["caught_registry"]["n"] == 0
    assert row["days_before"] == {"median": 10, "q1": 10, "q3": 10, "n": 1, "undated": 1}


def test_a_first_record_is_what_its_first_day_told(catalogue):
    coded = [("X", code, "present", "before", "2026-04-01") for code in ("separation", "stalking")]
    coded += [("Y", "separation", "present", "before", "2026-04-01")]
    coded += [("Y", "stalking", "present", "before", "2026-04-02")]
    none = {"X": {"case_id": None}, "Y": {"case_id": None}, "Z": {"case_id": None}}
    row = row_of(proposed(catalogue, reviewed(coded, cases="XYZ", **none)), "both")
    assert (row["caught"]["n"], row["caught"]["of"]) == (2, 3)
    assert (row["first_record"]["n"], row["first_record"]["of"]) == (1, 2)  # of Z nothing was recorded
    assert row["caught_registry"] == {"n": 0, "of": 0, "low": None, "high": None}


def test_a_pattern_is_not_validated_on_the_cases_that_defined_it(catalogue):
    defining = {case: {"defined_critical": "yes"} for case in "ABC"}
    row = row_of(proposed(catalogue, reviewed(**defining)), "both")
    assert (
        (row["caught"]["n"], row["caught"]["of"]) == (1, 3) == (row["left_out"]["n"], row["left_out"]["of"])
    )
    assert row["defined"] == {"n": 3, "caught": 3}
    assert row["first_record"]["of"] == 3


def test_nor_on_those_of_the_reviews_that_it_was_found_in(catalogue):
    before = reviewed(cases="ABCE")
    patterns = CriticalPatterns(1, {"both": pattern("separation", "stalking", defined_in=[before.hash])})
    row = row_of(proposed(catalogue, reviewed(), patterns, earlier={before.hash: before}), "both")
    assert (row["caught"]["n"], row["caught"]["of"], row["defined"]["n"]) == (1, 2, 4)
    lost = row_of(proposed(catalogue, reviewed(), patterns), "both")  # nobody can tell which cases they were
    assert (lost["caught"]["of"], lost["defined"]["n"]) == (0, 6)
    assert lost["caught"]["low"] is None


def test_a_renumbered_case_is_known_again_by_its_case_of_the_registry(catalogue):
    before = reviewed(cases="ABCE")
    patterns = CriticalPatterns(1, {"both": pattern("separation", "stalking", defined_in=[before.hash])})
    renumbered = reviewed(A={"review_id": "N-1"})
    row = row_of(proposed(catalogue, renumbered, patterns, earlier={before.hash: before}), "both")
    assert row["defined"]["n"] == 4


def test_a_found_pattern_that_stands_written_has_one_row(catalogue):
    document = proposed(catalogue, reviewed())
    conditions = [str(row["when"]) for row in document["rows"]]
    assert len(set(conditions)) == len(conditions)
    assert document["kept"] == len(document["rows"]) - 1


def test_the_search_reads_no_response_and_nothing_that_the_registry_never_records(catalogue):
    coded = [(case, "jealousy", "present", "before", None) for case in "ABCDEF"]
    coded += [(case, "prior_arrest", "present", "before", None) for case in "ABCDEF"]
    document = proposed(catalogue, reviewed(coded))
    assert document["not_recorded"] == ["jealousy"]  # known to a family, asked of no living case
    assert set(document["factors_combined"]) == {"separation", "stalking"}


def test_five_proposals_written_beforehand_are_judged_at_a_time(catalogue):
    many = {f"p{n}": pattern("separation", status="proposed") for n in range(7)}
    many["no"] = pattern("stalking", status="rejected", reasons="Flags too many.")
    document = proposed(catalogue, reviewed(), CriticalPatterns(1, many))
    assert document["not_judged"] == ["p5", "p6"]
    assert document["prespecified"] == 5
    again = [row for row in document["rows"] if row["when"] == {"all_of": ["stalking"]}]
    assert [(row["id"], row["status"], row["origin"]) for row in again] == [("no", "rejected", "searched")]


def test_the_set_grows_and_flags_no_less(catalogue):
    document = proposed(catalogue, reviewed())
    points = document["tradeoff"]
    assert [len(p["patterns"]) for p in points] == list(range(1, len(points) + 1))
    assert points
    assert all(p["of"] == 6 and p["living_of"] == 40 for p in points)
    for before, after in pairwise(points):
        assert after["caught"] > before["caught"]
        assert after["flagged"] >= before["flagged"]
    assert document["selected"]["caught"]["n"] == points[-1]["caught"]
    assert {p for point in points for p in point["patterns"]} <= {row["id"] for row in document["rows"]}


def test_a_pattern_with_a_formula_and_a_scope_is_judged(catalogue):
    patterns = CriticalPatterns(
        1,
        {
            "often": CriticalPattern(
                label={"es": "Uno", "en": "One"},
                when={"formula": "incidents_ever >= 1"},
                relationships=["partner"],
            ),
            "son": pattern("separation", relationships=["son"]),
        },
    )
    reviews = reviewed(E={"case_id": None}, F={"relationship": "unknown", "case_id": None})
    document = proposed(catalogue, reviews, patterns)
    often, son = row_of(document, "often")["caught"], row_of(document, "son")["caught"]
    assert (often["n"], often["undetermined"]) == (4, 2)  # of E and F no record is known
    assert (son["n"], son["undetermined"]) == (0, 1)  # F may be a son


def test_without_a_femicide_or_a_living_case_nothing_is_proposed(catalogue):
    with pytest.raises(RiskmlError, match="no femicide and no attempt among 1"):
        proposed(catalogue, reviewed(cases="A", A={"kind": "victim_suicide"}))
    with pytest.raises(RiskmlError, match="no case is open"):
        propose(reviewed(), registry(), catalogue, BOTH, as_of=pd.Timestamp("2020-01-01"))


# ---------------------------------------------------------------------------------- newly flagged each week


def moved(catalogue, **tables):
    """Who is flagged by separation today, and who newly so: two sets of the cases of a registry by hand."""
    facts = history(**tables)
    part = RegistryPart(facts, catalogue.part("separation", "relationship"), ("separation",))
    living = living_cases(part, AS_OF)
    flags = [
        (frame["separation"] == "present").to_numpy() for frame in (living.today, living.start, living.moves)
    ]
    return int(flags[0].sum()), living.newly(*flags[1:])


def told(case, day, state="present"):
    return (case, day, {"factor": "separation", "state": state})


BEFORE, WITHIN, LATER = "2025-11-01", "2026-02-01", "2026-03-01"  # 26 weeks begin on 2025-12-01


@pytest.mark.parametrize(
    ("factors", "closed", "today", "newly"),
    [
        ([told("A", BEFORE)], None, 1, 0),
        ([told("A", WITHIN)], None, 1, 1),
        ([told("A", WITHIN), told("A", LATER)], None, 1, 1),  # once
        ([told("A", BEFORE), told("A", WITHIN)], None, 1, 0),
        ([told("A", BEFORE), told("A", WITHIN, "denied"), told("A", LATER)], None, 1, 0),
        ([told("A", BEFORE, "denied"), told("A", WITHIN)], None, 1, 1),
        ([told("A", WITHIN), told("A", LATER, "denied")], None, 0, 1),  # it was to be visited then
        ([told("A", WITHIN)], LATER, 0, 1),
        ([told("A", LATER)], WITHIN, 0, 0),
        ([told("A", "2026-06-02")], None, 0, 0),
    ],
)
def test_newly_flagged_is_who_was_not_when_the_weeks_began(catalogue, factors, closed, today, newly):
    cases = [("A", "2025-01-01", {"closed_at": pd.Timestamp(closed) if closed else None})]
    flagged, found = moved(catalogue, factors=factors, cases=[*cases, ("B", "2025-01-01")])
    assert (flagged, found["newly"], found["weeks"]) == (today, newly, 26)
    assert found["per_week_low"] * 26 == pytest.approx(poisson_interval(newly)[0])


def test_a_young_registry_looks_back_on_the_weeks_that_it_has(catalogue):
    opened = [("A", "2026-05-10"), ("B", "2026-05-12")]
    _, found = moved(catalogue, cases=opened, factors=[told("A", "2026-05-20")])
    assert (found["newly"], found["weeks"], found["per_week"]) == (1, 3, pytest.approx(1 / 3))
    opened = [("A", "2026-05-30"), ("B", "2026-05-30")]
    _, found = moved(catalogue, cases=opened, factors=[told("A", "2026-05-30")])
    assert (found["weeks"], found["per_week"]) == (0, None)
