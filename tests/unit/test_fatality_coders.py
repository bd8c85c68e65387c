"""Two coders: what stands of their codings is never more than both bear out, and kappa is Cohen's."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from riskml.errors import RiskmlError
from riskml.fatality.coding.coders import agreement, cohen_kappa, disagreements, joined
from riskml.fatality.form import STATES_CODED
from riskml.fatality.reviews import Reviews

EVENT = pd.Timestamp("2025-06-10")
BEFORE, LATER, AFTER = "2025-01-15", "2025-03-01", "2025-07-01"


def sheets(*rows, cases=("R1", "R2", "R3")):
    """Sheets whose factor rows are (review, coder, factor, state, known, known_on, known_by, evidence)."""
    names = ("review_id", "coder", "factor", "state", "known", "known_on", "known_by", "evidence")
    factors = [dict(zip(names, row, strict=False)) for row in rows]
    events = [{"review_id": r, "kind": "femicide", "event_on": EVENT, "status": "closed"} for r in cases]
    return {"cases": pd.DataFrame(events), "factors": pd.DataFrame(factors, columns=list(names))}


def one(*rows, adjudicated=None):
    """The single row that `joined` makes of codings (coder, state, known, known_on, known_by, evidence)."""
    given_rows = [("R1", coder, "strangulation", *more) for coder, *more in rows]
    found, _ = joined(sheets(*given_rows), adjudicated)
    assert len(found) == 1
    return found.iloc[0]


def decided(**columns):
    return pd.DataFrame([{"review_id": "R1", "factor": "strangulation", **columns}])


def test_one_coder_stands_as_coded():
    row = one(("A", "present", "before", BEFORE, "health", "expediente"))
    assert (row["state"], row["known"], row["known_by"], row["evidence"]) == (
        "present",
        "before",
        "health",
        "expediente",
    )
    assert row["known_on"] == pd.Timestamp(BEFORE)
    assert (row["coders"], row["agreed"]) == (1, "yes")


def test_coders_who_differ_leave_the_factor_unknown_and_undated():
    row = one(("A", "present", "before", BEFORE, "health"), ("B", "absent", "before", BEFORE, "health"))
    assert (row["state"], row["known"], row["agreed"], row["coders"]) == ("unknown", "unknown", "no", 2)
    assert pd.isna(row["known_on"])
    assert row["known_by"] is None


def test_two_against_one_is_still_a_difference():
    row = one(("A", "present"), ("B", "present"), ("C", "absent"))
    assert (row["state"], row["agreed"], row["coders"]) == ("unknown", "no", 3)


@pytest.mark.parametrize(
    ("first", "second", "known", "known_on"),
    [
        (("before", BEFORE), ("before", BEFORE), "before", BEFORE),
        (("before", BEFORE), ("before", LATER), "before", LATER),  # by then both say that it was known
        (("before", BEFORE), ("before", None), "before", None),
        (("before", BEFORE), ("after", AFTER), "unknown", AFTER),
        (("before", BEFORE), ("after", None), "unknown", None),
        (("before", BEFORE), ("unknown", LATER), "before", LATER),  # both days lie before the event
        (("before", None), ("unknown", None), "unknown", None),
        (("after", AFTER), ("after", AFTER), "after", AFTER),
    ],
)
def test_when_it_was_known_is_never_more_than_both_coders_bear_out(first, second, known, known_on):
    row = one(("A", "present", *first), ("B", "present", *second))
    assert (row["state"], row["agreed"], row["known"]) == ("present", "yes", known)
    assert pd.isna(row["known_on"]) if known_on is None else row["known_on"] == pd.Timestamp(known_on)


def test_a_day_on_which_one_coder_alone_places_it_before_the_event_counts_as_known_before_nowhere():
    given_sheets = sheets(
        ("R1", "A", "strangulation", "present", "before", BEFORE),
        ("R1", "B", "strangulation", "present", "unknown", None),
    )
    factors, _ = joined(given_sheets)
    reviews = Reviews.of({**given_sheets, "factors": factors})
    assert not len(reviews.known_before())


def test_institutions_that_differ_are_left_out_and_what_coders_wrote_is_kept():
    row = one(
        ("A", "present", "before", BEFORE, "health", "uno"),
        ("B", "present", "before", BEFORE, "court", "dos"),
    )
    assert row["known_by"] is None
    assert row["evidence"] == "uno | dos"


def test_what_the_team_adjudicated_stands_instead():
    coded = (("A", "present", "before", BEFORE, "health"), ("B", "absent", "after", AFTER, "court"))
    row = one(*coded, adjudicated=decided(state="present", known="before", known_on=pd.Timestamp(LATER)))
    assert (row["state"], row["known"], row["agreed"]) == ("present", "before", "yes")
    assert row["known_on"] == pd.Timestamp(LATER)


def test_an_adjudicated_state_alone_leaves_the_rest_to_the_rule():
    coded = (("A", "present", "before", BEFORE, "health"), ("B", "absent", "before", LATER, "health"))
    row = one(*coded, adjudicated=decided(state="present"))
    assert (row["state"], row["known"], row["known_by"]) == ("present", "before", "health")
    assert row["known_on"] == pd.Timestamp(LATER)


@pytest.mark.parametrize("known", ["unknown", "after"])
def test_a_coders_day_never_contradicts_what_was_adjudicated(known):
    coded = (("A", "present", "before", BEFORE), ("B", "absent", "before", LATER))
    row = one(*coded, adjudicated=decided(state="present", known=known))
    assert row["known"] == known
    assert pd.isna(row["known_on"])


def test_an_adjudicated_row_that_nobody_coded_is_refused():
    with pytest.raises(RiskmlError, match="review R9, factor strangulation"):
        joined(
            sheets(("R1", "A", "strangulation", "present")), decided(state="present").assign(review_id="R9")
        )


def test_a_factor_that_one_coder_has_twice_is_refused():
    with pytest.raises(RiskmlError, match=r"stand twice|factors, review R1"):
        joined(sheets(("R1", "A", "strangulation", "present"), ("R1", "A", "strangulation", "absent")))


def test_nothing_coded_is_nothing_joined():
    factors, rows = joined(sheets())
    assert (len(factors), rows) == (0, [])


def test_what_coders_differ_in_is_named_and_dates_of_unknowns_are_no_difference():
    coding = sheets(
        ("R1", "A", "strangulation", "present", "before", BEFORE, "health"),
        ("R1", "B", "strangulation", "present", "after", None, "health"),
        ("R2", "A", "strangulation", "unknown", "before", BEFORE),
        ("R2", "B", "strangulation", "unknown", "after", None),
        ("R3", "A", "strangulation", "absent"),
    )["factors"]
    assert disagreements(coding).to_dict() == {("R1", "strangulation"): ("known", "known_on")}


ROW = st.tuples(
    st.sampled_from(["R1", "R2"]),
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from(["strangulation", "separation"]),
    st.sampled_from(STATES_CODED),
    st.sampled_from(["before", "after", "unknown", None]),
    st.sampled_from([None, BEFORE, LATER, AFTER, "2025-06-10"]),
    st.sampled_from([None, "health", "court"]),
    st.sampled_from([None, "uno", "dos"]),
)


def slowly(rows):
    """`joined`, coding by coding: dict of (review, factor) -> values."""
    made = {}
    for key in {(r[0], r[2]) for r in rows}:
        own = sorted((r for r in rows if (r[0], r[2]) == key), key=lambda r: r[1])
        states, days = {r[3] for r in own}, [r[5] for r in own]
        knowns, bys = {r[4] or "unknown" for r in own}, {r[6] for r in own}
        texts = list(dict.fromkeys(r[7] for r in own if r[7]))
        day = max(days) if all(days) else None
        if len(knowns) == 1:
            (known,) = knowns
        else:
            known = "before" if all(d is not None and pd.Timestamp(d) < EVENT for d in days) else "unknown"
        by = next(iter(bys)) if len(bys) == 1 else None
        state, agreed = next(iter(states)), "yes"
        if len(states) > 1:
            state, agreed, known, day, by = "unknown", "no", "unknown", None, None
        made[key] = (state, agreed, len(own), known, day, by, " | ".join(texts) or None)
    return made


@settings(max_examples=15)
@given(st.lists(ROW, max_size=8, unique_by=lambda r: r[:3]), st.randoms(use_true_random=False))
def test_joining_is_what_going_through_the_codings_one_by_one_gives(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    factors, _ = joined(sheets(*shuffled))
    assert list(zip(factors["review_id"], factors["factor"], strict=True)) == sorted(slowly(rows))
    found = {
        (r.review_id, r.factor): (
            r.state,
            r.agreed,
            int(r.coders),
            r.known,
            None if pd.isna(r.known_on) else str(r.known_on.date()),
            r.known_by,
            r.evidence,
        )
        for r in factors.itertuples()
    }
    assert found == slowly(rows)


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.sampled_from(STATES_CODED)] * 2), min_size=1, max_size=30))
def test_kappa_is_that_of_scikit_learn(pairs):
    first, second = zip(*pairs, strict=True)
    table = pd.crosstab(
        pd.Categorical(first, STATES_CODED), pd.Categorical(second, STATES_CODED), dropna=False
    )
    found = cohen_kappa(table.to_numpy())
    if len({*first, *second}) == 1:
        assert np.isnan(found), "undefined, and never full agreement"
    else:
        assert found == pytest.approx(cohen_kappa_score(first, second, labels=list(STATES_CODED)), abs=1e-12)


def coded(pairs, factor="strangulation", coders=("A", "B")):
    """Codings of as many cases as there are pairs of states."""
    return pd.DataFrame(
        [
            {"review_id": f"R{i}", "coder": coder, "factor": factor, "state": state}
            for i, states in enumerate(pairs)
            for coder, state in zip(coders, states, strict=True)
        ]
    )


MIXED = (
    [("present", "present")] * 8
    + [("absent", "absent")] * 6
    + [("present", "absent")] * 2
    + [("unknown", "unknown")] * 4
)


def test_agreement_has_its_counts_and_intervals():
    _, row = agreement(coded(MIXED), seed=1)
    assert (row["factor"], row["first"], row["second"], row["cases"]) == ("strangulation", "A", "B", 20)
    assert (row["exact"]["n"], row["exact"]["total"]) == (18, 20)
    assert row["exact"]["low"] == pytest.approx(0.683017, abs=1e-6)
    assert row["exact"]["high"] == pytest.approx(0.987651, abs=1e-6)
    first, second = zip(*MIXED, strict=True)
    assert row["kappa"]["estimate"] == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert 0.5 < row["kappa"]["low"] < row["kappa"]["estimate"] < row["kappa"]["high"] <= 1
    assert (row["present_first"], row["present_second"]) == (10, 8)
    assert agreement(coded(MIXED), seed=1) == agreement(coded(MIXED).sample(frac=1, random_state=3), seed=1)


def test_few_cases_and_one_state_have_no_kappa_and_say_why():
    for pairs, words in ((MIXED[:9], "9 cases"), ([("absent", "absent")] * 12, "same state")):
        for row in agreement(coded(pairs)):
            assert set(row["kappa"]) == {"missing"}
            assert words in row["kappa"]["missing"]["en"]
            assert row["exact"]["total"] == len(pairs)


def test_full_agreement_of_a_few_is_no_certainty():
    pairs = [("present", "present")] * 6 + [("absent", "absent")] * 6
    kappa = agreement(coded(pairs))[0]["kappa"]
    assert (kappa["estimate"], kappa["high"]) == (1.0, 1.0)
    assert kappa["low"] == pytest.approx(2 * 0.735351 - 1, abs=1e-5)  # 12/12: 73.5 % to 100 %


def test_kappa_that_misleads_says_so():
    rare = [("absent", "absent")] * 34 + [("present", "absent"), ("absent", "present")] * 3
    (note,) = agreement(coded(rare))[0]["notes"]
    assert "coincidencia exacta" in note["es"]
    biased = [("present", "present")] * 6 + [("absent", "absent")] * 6 + [("present", "absent")] * 8
    (note,) = agreement(coded(biased))[0]["notes"]
    assert "8 times the first alone, 0 the second" in note["en"]
    assert agreement(coded(MIXED))[0]["notes"] == []


def test_more_than_two_coders_are_compared_in_pairs_over_the_cases_that_both_coded():
    coding = pd.concat([coded(MIXED[:12]), coded(MIXED[:6], coders=("C", "D"))[lambda f: f["coder"] == "C"]])
    rows = [r for r in agreement(coding) if r["factor"] is None]
    assert [(r["first"], r["second"], r["cases"]) for r in rows] == [
        ("A", "B", 12),
        ("A", "C", 6),
        ("B", "C", 6),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("cases", [20, 60])
def test_the_interval_of_kappa_covers_the_truth_about_as_often_as_it_says(cases):
    cells = np.array([[0.20, 0.06, 0.04], [0.06, 0.20, 0.06], [0.04, 0.06, 0.28]])
    truth, rng, covered = float(cohen_kappa(cells)), np.random.default_rng(5), []
    for seed in range(200):
        drawn = rng.choice(9, size=cases, p=cells.ravel())
        pairs = [(STATES_CODED[cell // 3], STATES_CODED[cell % 3]) for cell in drawn]
        kappa = agreement(coded(pairs), seed=seed)[1]["kappa"]
        covered.append(kappa["low"] <= truth <= kappa["high"])
    assert 0.90 <= np.mean(covered) <= 0.99
