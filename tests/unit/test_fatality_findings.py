"""What the findings count: unknown is never absent, what came to light later is never known before."""

import json
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.fatality.findings.cooccurrence import cooccurrence
from riskml.fatality.findings.findings import findings
from riskml.fatality.findings.item_counts import item_rows
from riskml.fatality.findings.prevalence import median_interval, prevalence, share, states_by_clock
from riskml.fatality.reviews import Reviews
from riskml.features.review_items import ReviewItem
from riskml.vocabulary import Factor, FactorVocabulary

CODES = (
    "strangulation",
    "separation",
    "depression",
    "depression_diagnosed",
    "suicidality",
    "suicide_attempt",
)
WORDS = {"es": "x", "en": "x"}
VOCABULARY = FactorVocabulary({code: Factor(code, WORDS, "acts") for code in CODES})
ITEMS = (
    ReviewItem(3, WORDS, features=("aggressor_birth_year", "victim_birth_year")),
    ReviewItem(4, WORDS, features=("age_difference",)),
    ReviewItem(6, WORDS, ("separation",)),
    ReviewItem(12, WORDS, ("depression",), counts_with=(13,)),
    ReviewItem(13, WORDS, ("depression_diagnosed",), counts_with=(12,)),
    ReviewItem(15, WORDS, ("suicidality",), counts_with=(16,)),
    ReviewItem(16, WORDS, ("suicide_attempt",), counts_with=(15,)),
    ReviewItem(32, WORDS, ("strangulation", "separation")),
)
EVENT = pd.Timestamp("2025-06-10")
AS_OF = "2025-12-01"


def reviews(cases=1, **sheets):
    """Reviews of so many femicides on one day, and rows of other sheets."""
    rows = [
        {"review_id": f"R{n}", "kind": "femicide", "event_on": EVENT, "relationship": "partner"}
        for n in range(1, cases + 1)
    ]
    for row in rows:
        row |= sheets.get("answers", {}).get(row["review_id"], {})
    given = {name: frame for name, frame in sheets.items() if name != "answers"}
    return Reviews.of({"cases": pd.DataFrame(rows), **given})


def found(coded, items=ITEMS):
    return findings(coded, VOCABULARY, items, as_of=AS_OF)


def row_of(rows, key, value):
    return next(row for row in rows if row[key] == value)


# ---------------------------------------------------------------- exact intervals


@pytest.mark.parametrize(
    ("n", "of", "low", "high"),
    [
        (0, 8, 0, 36.9),
        (0, 12, 0, 26.5),
        (6, 12, 21.1, 78.9),
        (8, 12, 34.9, 90.1),
        (10, 12, 51.6, 97.9),
        (12, 12, 73.5, 100),
        (15, 20, 50.9, 91.3),
    ],
)
def test_the_exact_intervals_of_the_evidence_are_printed(n, of, low, high):
    row = share(n, of)
    assert (round(100 * row["low"], 1), round(100 * row["high"], 1)) == (low, high)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60, unique=True))
@settings(max_examples=60, deadline=None)
def test_the_median_lies_between_order_statistics_as_often_as_promised(values):
    ordered, n = sorted(values), len(values)

    def covered(k):  # that the median lies between the k-th and the k-th from the end
        return 1 - 2 * sum(comb(n, i) for i in range(k)) / 2**n

    low, high = median_interval(values)
    if low is None:
        assert covered(1) < 0.95
        return
    k = ordered.index(low) + 1
    assert high == ordered[-k]
    assert covered(k) >= 0.95
    assert covered(k + 1) < 0.95


def test_two_factors_go_together_as_in_fishers_tea_party():
    states = np.array([[1, 1]] * 3 + [[1, 0]] + [[0, 1]] + [[0, 0]] * 3 + [[1, -1]] * 5, np.int8)
    row = cooccurrence(states, ("a", "b"))[0]
    assert (row["both"], row["a_only"], row["b_only"], row["neither"], row["of"]) == (3, 1, 1, 3, 8)
    # With margins of four, k of four are both with weights C(4, k)^2 x odds^k: the estimate makes 3 the mean,
    # the ends leave 2.5 % beyond it.
    k, weights = np.arange(5), np.array([comb(4, i) ** 2 for i in range(5)])

    def chances(odds):
        return weights * odds**k / (weights * odds**k).sum()

    assert chances(row["odds_ratio"]) @ k == pytest.approx(3, abs=1e-6)
    assert chances(row["low"])[3:].sum() == pytest.approx(0.025, abs=1e-6)
    assert chances(row["high"])[:4].sum() == pytest.approx(0.025, abs=1e-6)
    # As R's fisher.test prints it, to the digits that its optimiser reaches.
    assert row["odds_ratio"] == pytest.approx(6.408309, abs=1e-4)
    assert row["p"] == row["q"] == pytest.approx(17 / 35, abs=1e-9)


def test_what_is_present_in_every_case_goes_together_with_nothing():
    row = cooccurrence(np.array([[1, 1], [1, 1], [1, 1], [1, 0]], np.int8), ("a", "b"))[0]
    assert np.isnan(row["odds_ratio"])
    assert np.isnan(row["q"])


# ---------------------------------------------------------------- three states, three clocks

_ROW = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["present", "absent", "unknown"]),
        "known": st.sampled_from(["before", "after", "unknown"]),
        "days": st.sampled_from([None, -30, -1, 0, 40]),
        "known_by": st.sampled_from([None, "health", "family"]),
    }
)
_SHEET = st.dictionaries(st.tuples(st.sampled_from(["R1", "R2", "R3", "R4"]), st.sampled_from(CODES)), _ROW)


def _factors(sheet):
    return [
        {
            "review_id": review,
            "factor": code,
            "state": row["state"],
            "known": row["known"],
            "known_by": row["known_by"],
            "known_on": None if row["days"] is None else EVENT + pd.Timedelta(days=row["days"]),
        }
        for (review, code), row in sheet.items()
    ]


def _when(row):
    """What a reader of the sheet would say: before, after, or nobody said."""
    if row["days"] is not None:
        if row["days"] >= 0 or row["known"] == "after":
            return "after"
        return "before"
    return {"before": "before", "after": "after", "unknown": "undated"}[row["known"]]


@given(_SHEET)
@settings(max_examples=20, deadline=None)
def test_counts_are_those_of_somebody_who_goes_through_the_sheet(sheet):
    rows = prevalence(states_by_clock(reviews(4, factors=_factors(sheet)), CODES), VOCABULARY)
    for code in CODES:
        own = [row for (_, factor), row in sheet.items() if factor == code]
        row = row_of(rows, "factor", code)
        present = [r for r in own if r["state"] == "present"]
        absent = [r for r in own if r["state"] == "absent"]
        assert (row["present"], row["absent"]) == (len(present), len(absent))
        assert row["unknown"] == 4 - len(present) - len(absent)
        assert row["before"]["present"] == sum(_when(r) == "before" for r in present)
        assert row["before"]["absent"] == sum(_when(r) == "before" for r in absent)
        assert row["after_only"] == sum(_when(r) == "after" for r in present)
        assert row["undated"] == sum(_when(r) == "undated" for r in present)
        assert row["bound_low"] == len(present) / 4
        assert row["bound_high"] == 1 - len(absent) / 4


def _of_before(document):
    """All that the findings say of the time before the event."""
    return {
        "factors": [row["before"] for row in document["prevalence"]],
        "items": [row["before"] for row in document["items"]],
        "counts": document["counts"].get("before"),
        "knew": "missing" in document["institutions"]
        or [
            {key: value for key, value in row.items() if key != "after_only"}
            for row in document["institutions"]
        ],
        "contacts": (document["last_contact"], document["timeline"]),
    }


@given(_SHEET, st.data())
@settings(max_examples=8, deadline=None)
def test_what_came_to_light_after_the_death_changes_nothing_of_before(sheet, data):
    late = [key for key, row in sheet.items() if _when(row) == "after"]
    flipped = {key: dict(row) for key, row in sheet.items()}
    for key in late:
        flipped[key]["state"] = data.draw(st.sampled_from(["present", "absent", "unknown"]))
    documents = [found(reviews(4, factors=_factors(s))) for s in (sheet, flipped)]
    assert _of_before(documents[0]) == _of_before(documents[1])


def test_nothing_known_is_not_estimable_and_its_bounds_say_all():
    row = found(reviews(3))["prevalence"][0]
    assert (row["present"], row["absent"], row["unknown"], row["known"]) == (0, 0, 3, 0)
    assert row["share"] is None
    assert row["low"] is None
    assert set(row["missing"]) == {"es", "en"}
    assert (row["bound_low"], row["bound_high"]) == (0, 1)
    assert row["bound_high_high"] == 1


def test_an_unknown_answer_is_never_counted_as_no():
    answers = {f"R{n}": {"earlier_report": "yes" if n < 3 else "unknown"} for n in range(1, 11)}
    row = row_of(found(reviews(10, answers=answers))["earlier"], "field", "earlier_report")
    assert (row["yes"], row["no"], row["unknown"], row["known"]) == (2, 0, 8, 2)
    assert (row["share"], row["bound_low"], row["bound_high"]) == (1, 0.2, 1)
    assert row["only_present"], "the share of the known is all by making"
    of_year = row_of(row["by"], "by", "year")
    assert (of_year["group"], of_year["n"], of_year["unknown"]) == ("2025", 10, 8)


# ---------------------------------------------------------------- the 41 items


def _item(coded, number):
    _, states = item_rows(states_by_clock(coded, CODES), coded, CODES, ITEMS)
    return states["ever"][0, [item.number for item in ITEMS].index(number)]


def _people(victim, aggressor):
    return [
        {"review_id": "R1", "role": role, "age_low": ages[0], "age_high": ages[1]}
        for role, ages in (("victim", victim), ("aggressor", aggressor))
    ]


@pytest.mark.parametrize(
    ("victim", "aggressor", "young", "apart"),
    [
        ((19, 19), (24, 24), 1, 0),
        ((19, 19), (25, 25), 0, 0),
        ((18, 20), (21, 30), -1, -1),
        ((31, 40), (21, 30), 0, -1),
        ((31, 40), (51, 64), 0, 1),
        ((40, 40), (31, 31), 0, 1),
        ((None, None), (40, 40), 0, -1),
        ((None, None), (20, 20), -1, -1),
    ],
)
def test_ages_in_spans_say_no_more_than_they_can(victim, aggressor, young, apart):
    coded = reviews(people=_people(victim, aggressor))
    assert (_item(coded, 3), _item(coded, 4)) == (young, apart)


def test_a_son_and_his_mother_are_no_couple():
    coded = reviews(people=_people((60, 60), (20, 20)), answers={"R1": {"relationship": "son"}})
    assert (_item(coded, 3), _item(coded, 4)) == (0, 0)


def _coded(**states):
    return [
        {"review_id": "R1", "factor": code, "state": state, "known": "before"}
        for code, state in states.items()
    ]


def test_depression_and_suicide_count_once_each():
    states = dict.fromkeys(
        ("depression", "depression_diagnosed", "suicidality", "suicide_attempt"), "present"
    )
    counts = found(reviews(factors=_coded(**states)))["counts"]
    assert (counts["median"], counts["of"]) == (2, len(ITEMS) - 2)


def test_seven_or_more_is_undecided_where_the_unknown_could_make_it_so(monkeypatch):
    monkeypatch.setattr("riskml.fatality.findings.item_counts.MANY_ITEMS", 2)
    denied = dict.fromkeys(CODES, "absent")
    sheets = [
        {"review_id": review, "factor": code, "state": state, "known": "before"}
        for review, states in (
            ("R1", {"separation": "present"}),  # it makes items 6 and 32 present
            ("R2", {"depression": "present"}),  # the rest unknown
            ("R3", denied),  # ages unknown: items 3 and 4 could both be present
            ("R4", denied),
        )
        for code, state in states.items()
    ]
    people = [
        {"review_id": "R4", "role": role, "age_low": 40, "age_high": 40} for role in ("victim", "aggressor")
    ]
    many = found(reviews(4, factors=sheets, people=people))["counts"]["seven_or_more"]
    assert (many["n"], many["of"], many["undecided"]) == (1, 4, 2)
    assert (many["low"], many["high"]) == (share(1, 4)["low"], share(3, 4)["high"])


def test_an_item_is_absent_only_where_all_its_factors_are():
    assert _item(reviews(factors=_coded(strangulation="absent")), 32) == -1
    assert _item(reviews(factors=_coded(strangulation="absent", separation="absent")), 32) == 0
    assert _item(reviews(factors=_coded(strangulation="absent", separation="present")), 32) == 1


# ---------------------------------------------------------------- contacts, opportunities, recommendations


def _contacts(*rows):
    return [
        {
            "review_id": review,
            "contact_on": EVENT - pd.Timedelta(days=days),
            "institution": institution,
            "known_factors": known,
        }
        for review, days, institution, known in rows
    ]


def test_a_contact_on_the_day_of_the_event_or_later_is_no_earlier_contact():
    contacts = _contacts(
        ("R1", 0, "emergency_911", "strangulation"),
        ("R2", -3, "prosecutor", "strangulation"),
        ("R3", 1, "health", "strangulation; separation"),
        ("R3", 400, "court", None),
    )
    document = found(reviews(4, contacts=contacts))
    last = document["last_contact"]
    assert (last["with_contact"]["n"], last["with_contact"]["of"]) == (1, 4)
    assert (last["on_the_day"], last["after"]) == (1, 1)
    assert {row["band"]: row["n"] for row in last["bands"] if row["n"]} == {"0-1": 1, "none": 3}
    assert [row["institution"] for row in last["by_institution"]] == ["health"]
    cells = {(row["institution"], row["band"]) for row in document["timeline"] if row["n"]}
    assert cells == {("health", "0-1"), ("court", "over_365")}
    knew = {row["institution"]: row for row in document["institutions"]}
    assert (knew["health"]["knew"], knew["health"]["factors_median"], knew["health"]["days_median"]) == (
        1,
        2,
        1,
    )
    assert knew["court"]["knew"] == knew["emergency_911"]["knew"] == knew["prosecutor"]["knew"] == 0
    assert knew["prosecutor"]["after_only"] == 1


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (1, "0-1"),
        (2, "2-7"),
        (7, "2-7"),
        (8, "8-30"),
        (31, "31-90"),
        (91, "91-365"),
        (365, "91-365"),
        (366, "over_365"),
    ],
)
def test_bands_of_days_end_where_they_say(days, band):
    last = found(reviews(contacts=_contacts(("R1", days, "court", None))))["last_contact"]
    assert [row["band"] for row in last["bands"] if row["n"]] == [band]


def test_a_sheet_that_nobody_filled_is_no_finding_of_nothing():
    document = found(reviews(5))
    for part in ("last_contact", "institutions", "missed", "comparison"):
        assert set(document[part]["missing"]) == {"es", "en"}, part


def test_who_knew_counts_what_is_present_and_said_when():
    rows = [
        ("R1", "present", "before", "2025-06-01"),
        ("R2", "present", "unknown", None),  # nobody said when
        ("R3", "absent", "before", "2025-06-01"),
        ("R4", "present", "after", None),
        ("R5", "present", "before", None),
    ]
    names = ("review_id", "state", "known", "known_on")
    coded = [
        dict(zip(names, row, strict=True)) | {"factor": "separation", "known_by": "family"} for row in rows
    ]
    row = row_of(found(reviews(5, factors=coded))["institutions"], "institution", "family")
    assert (row["community"], row["knew"], row["of"], row["after_only"]) == (True, 2, 5, 1)
    assert (row["factors_median"], row["days_median"]) == (1, 9)


def test_missed_opportunities_count_cases_not_rows():
    missed = [
        {"review_id": review, "institution": institution, "how": how}
        for review, institution, how in (
            ("R1", "court", "not_linked"),
            ("R1", "court", "not_linked"),
            ("R1", "health", "not_linked"),
            ("R2", "court", "no_action"),
        )
    ]
    found_missed = found(reviews(3, missed=missed))["missed"]
    assert found_missed["institutions"] == ["court", "health"] or found_missed["institutions"] == [
        "health",
        "court",
    ]
    matrix = pd.DataFrame(found_missed["matrix"], found_missed["how"], found_missed["institutions"])
    assert (matrix.loc["not_linked", "court"], matrix.loc["not_linked", "health"]) == (1, 1)
    assert matrix.to_numpy().sum() == 3
    assert (found_missed["cases_with_any"]["n"], found_missed["cases_with_any"]["of"]) == (2, 3)
    assert row_of(found_missed["by_how"], "how", "not_linked")["n"] == 1


def test_a_recommendation_is_overdue_only_while_it_is_open():
    advice = [
        {
            "recommendation": "a",
            "addressee": "court",
            "progress": progress,
            "deadline_on": day,
            "publish": "no",
        }
        for progress, day in (
            ("open", "2025-11-30"),
            ("done", "2025-11-30"),
            ("open", "2025-12-01"),
            ("open", None),
        )
    ]
    rows = found(reviews(recommendations=advice))["recommendations"]
    assert [(row["progress"], row["deadline_on"]) for row in rows if row["overdue"]] == [
        ("open", "2025-11-30")
    ]
    assert sum(row["n"] for row in rows) == 4


def test_no_free_text_and_no_id_stands_in_the_document_but_cleared_recommendations():
    private = "Texto que nadie ha autorizado"
    coded = reviews(
        answers={"R1": {"case_id": "a1b2c3d4", "municipality": private}},
        people=[{"review_id": "R1", "role": "victim", "occupation": private}],
        contacts=[
            {"review_id": "R1", "contact_on": EVENT - pd.Timedelta(days=3), "institution": "court"}
            | dict.fromkeys(("what_was_known", "action", "next_step_not_done"), private)
        ],
        factors=[
            {
                "review_id": "R1",
                "factor": "separation",
                "state": "present",
                "evidence": private,
                "known": "before",
            }
        ],
        missed=[{"review_id": "R1", "institution": "court", "how": "no_action", "note": private}],
        recommendations=[
            {"recommendation": private, "addressee": "court", "progress": "open", "publish": "no"},
            {"recommendation": "Se publica", "addressee": "court", "progress": "open", "publish": "yes"},
        ],
    )
    text = json.dumps(found(coded), ensure_ascii=False, allow_nan=False)
    assert private not in text
    assert "a1b2c3d4" not in text
    assert '"R1"' not in text
    assert "Se publica" in text


def test_no_reviewed_case_is_said():
    with pytest.raises(RiskmlError, match="no reviewed case"):
        findings(Reviews.of({}), VOCABULARY, ITEMS)
