"""Levels decided on cases written by hand: abstention, the next best question, silence, critical patterns."""

import numpy as np
import pandas as pd
import pytest

from hand_cases import LEVELS_FILE, NOW, HandModel, catalogue, history, rules
from riskml.explain.case import because_words
from riskml.explain.what_if import what_would_change
from riskml.features.surroundings import case_surroundings
from riskml.scoring.batch import opinion_rows
from riskml.scoring.score import score

APPROVED = """
version: 2
patterns:
  both:
    label: {es: Estrangulamiento y amenaza de muerte, en: Strangulation and threat to kill}
    when: {all_of: [strangulation, death_threat]}
    status: approved
    evidence: [{study: Glass et al. 2008, effect: strangulation OR 6.70, tag: "S:1"}]
    approved_by:
      - {role: prosecutor, by: FGJ-07, date: 2027-03-01}
      - {role: police, by: SSP-02, date: 2027-03-02}
    reasons: Eight of twelve reviewed cases had both on record before.
changes:
  - {version: 2, date: 2027-03-02, change: Approved the first pattern.}
"""
PROPOSED = APPROVED.replace("status: approved", "status: proposed")
DENIED = {"state": "denied"}


@pytest.fixture(scope="module")
def small():
    return catalogue()


def is_present(matrix, code):
    return (matrix[code] == "present").to_numpy(dtype=float)


def weighted(small, start=-3.0, **weights):
    """A model that adds a weight for each factor present, and for numbers of columns."""

    def margin(matrix):
        total = np.full(len(matrix), start)
        for name, weight in weights.items():
            column = matrix[name]
            value = (
                column.to_numpy(float) if small.column(name).kind == "number" else is_present(matrix, name)
            )
            total = total + weight * value
        return total

    return HandModel("harm", small, margin, tuple(weights))


def opinion_on(model, facts, folder, small, *, levels=LEVELS_FILE, patterns=None):
    return score(model, facts, NOW, levels=rules(folder, levels, patterns, of=small))


def level_of(opinion, case="A"):
    return opinion.cases.loc[case, "suggested_level"]


def codes_of(opinion, case="A"):
    return {caution.code for caution in opinion.cautions[case]}


# ------------------------------------------------------------------------ abstention and the next question


def test_little_known_and_one_answer_that_would_lift_the_level_is_no_level(small, tmp_path):
    model = weighted(small, strangulation=1.0, death_threat=4.0, separation=1.2, alcohol=0.2)
    opinion = opinion_on(model, history(incidents=[("A", "2026-05-30")]), tmp_path, small)
    assert level_of(opinion) == "insufficient_data"
    assert opinion.cases.loc["A", "level_today"] == "low"
    # -3 + 4 is critical; -3 + 1.2 and -3 + 1 are medium, the riskier first; -3 + 0.2 moves nothing.
    assert opinion.questions["factor"].tolist() == ["death_threat", "separation", "strangulation"]
    assert opinion.questions["level_if_present"].tolist() == ["critical", "medium", "medium"]
    said = next(c for c in opinion.cautions["A"] if c.code == "insufficient_data").text("es")
    assert "Amenaza de muerte" in said
    assert "crítico" in said
    assert because_words(opinion, "A").startswith("con lo registrado se llega a bajo")
    assert opinion.level_counts() == {"critical": 0, "high": 0, "medium": 0, "low": 0, "insufficient_data": 1}
    assert "datos insuficientes 1" in opinion.text("es")


def test_what_cannot_move_the_level_is_no_reason_to_abstain(small, tmp_path):
    model = weighted(small, strangulation=0.5, incidents_90d=0.1)
    opinion = opinion_on(model, history(incidents=[("A", "2026-05-30")]), tmp_path, small)
    assert level_of(opinion) == "low"
    assert opinion.questions.empty


def test_what_is_denied_is_known_and_not_asked_again(small, tmp_path):
    model = weighted(small, death_threat=4.0, strangulation=1.0)
    day = "2026-05-30"
    denied = [("A", day, {"factor": code, **DENIED}) for code in ("alcohol", "jealousy", "separation")]
    opinion = opinion_on(model, history(incidents=[("A", day)], factors=denied), tmp_path, small)
    assert level_of(opinion) == "low", "three factors are known: no longer too few"
    denied = [("A", day, {"factor": "death_threat", **DENIED})]
    opinion = opinion_on(model, history(incidents=[("A", day)], factors=denied), tmp_path, small)
    assert opinion.questions["factor"].tolist() == ["strangulation"]


def test_a_level_that_recorded_facts_reach_stands(small, tmp_path):
    model = weighted(small, incidents_90d=2.0, death_threat=4.0)
    opinion = opinion_on(model, history(incidents=[("A", "2026-05-30")]), tmp_path, small)
    assert level_of(opinion) == "high"  # -3 + 2; a threat to kill would make it critical
    medium = weighted(small, incidents_90d=1.0, death_threat=4.0)
    opinion = opinion_on(medium, history(incidents=[("A", "2026-05-30")]), tmp_path, small)
    assert level_of(opinion) == "insufficient_data"
    lower = LEVELS_FILE + "abstention: {stands_from: medium}\n"
    opinion = opinion_on(medium, history(incidents=[("A", "2026-05-30")]), tmp_path, small, levels=lower)
    assert level_of(opinion) == "medium"
    never = LEVELS_FILE + "abstention: {fewer_known_than: 0}\n"
    opinion = opinion_on(medium, history(incidents=[("A", "2026-05-30")]), tmp_path, small, levels=never)
    assert level_of(opinion) == "medium"


def test_a_factor_counted_by_a_rule_is_asked_though_no_model_reads_it(small, tmp_path):
    levels = LEVELS_FILE.replace("medium:", "  - {column: grave_acts_90d, at_least: 1}\nmedium:")
    model = weighted(small, incidents_90d=0.1)
    opinion = opinion_on(model, history(incidents=[("A", "2026-05-30")]), tmp_path, small, levels=levels)
    assert level_of(opinion) == "insufficient_data"
    assert set(opinion.questions["factor"]) == {"strangulation", "death_threat"}
    assert set(opinion.questions["level_if_present"]) == {"high"}


def test_cases_without_a_level_are_listed_right_below_those_that_stand(small, tmp_path):
    model = weighted(small, incidents_90d=1.0, death_threat=4.0)
    day, told = "2026-05-30", ("alcohol", "jealousy", "separation")
    facts = history(
        incidents=[("open", day), ("known", day), ("high", day), ("high", day)],
        factors=[(case, day, {"factor": f, **DENIED}) for case in ("known",) for f in told],
    )
    opinion = opinion_on(model, facts, tmp_path, small)
    assert opinion.cases["suggested_level"].to_dict() == {
        "high": "high",
        "open": "insufficient_data",
        "known": "medium",
    }
    assert opinion.cases.index.tolist() == ["high", "open", "known"]


def test_pieces_give_what_one_piece_gives(small, tmp_path, monkeypatch):
    model = weighted(small, incidents_30d=2.0, strangulation=1.0, death_threat=4.0)
    facts = history(
        cases=[("D", "2026-03-01")],
        incidents=[("A", "2026-05-30"), ("B", "2025-06-02"), ("B", "2025-06-03"), ("C", "2026-03-01")],
        factors=[("C", "2026-03-02", {"factor": "strangulation"})],
    )
    whole = opinion_on(model, facts, tmp_path, small)
    monkeypatch.setattr("riskml.explain.alterations._AT_ONCE", 2)
    monkeypatch.setattr("riskml.scoring.score._AT_ONCE", 1)
    pieces = opinion_on(model, facts, tmp_path, small)
    pd.testing.assert_frame_equal(whole.cases, pieces.cases)
    pd.testing.assert_frame_equal(whole.questions, pieces.questions)
    pd.testing.assert_frame_equal(whole.matrix, pieces.matrix)
    assert whole.held
    assert len(whole.questions)


def test_the_explanation_asks_in_the_same_order_and_says_where_an_answer_leads(small, tmp_path):
    model = weighted(small, strangulation=1.0, death_threat=4.0, jealousy=0.6)
    facts = history(incidents=[("A", "2026-05-30")])
    levels = rules(tmp_path, LEVELS_FILE, of=small)
    opinion = score(model, facts, NOW, levels=levels)
    around, now = case_surroundings(opinion.history, "A"), opinion.matrix.iloc[0]
    questions, changes, _ = what_would_change(
        around, now, opinion.as_of, opinion.models, levels, opinion.stood, "es"
    )
    assert questions["factor"].tolist() == ["death_threat", "strangulation", "jealousy"]
    assert questions["level_if_present"].tolist() == ["critical", "medium", "low"]
    assert set(questions["level_if_denied"]) == {"low"}
    odds = np.exp([-3.0, -2.4])
    assert questions["present"].iloc[2] == pytest.approx(np.divide(*(odds / (1 + odds))[::-1]))
    assert set(changes["level_then"]) == {"low"}


# ------------------------------------------------------------------------------------------------- silence


def was_high(**more):
    """A case that two incidents a year ago made critical, and of which nothing was heard since."""
    return history(incidents=[("A", "2025-06-01"), ("A", "2025-06-02")], **more)


@pytest.fixture(scope="module")
def recent(small):
    """A model that sees risk in recent incidents and strangulation, and less of it under a measure."""
    return weighted(small, incidents_30d=2.0, strangulation=1.5, alcohol=0.0, protection_in_force=-1.5)


def test_silence_lowers_no_level_and_says_so(recent, small, tmp_path):
    opinion = opinion_on(recent, was_high(), tmp_path, small)
    row = opinion.cases.loc["A"]
    assert (row["level_today"], row["suggested_level"]) == ("low", "critical")
    assert row["before_silence_at"] == pd.Timestamp("2025-06-02")
    assert opinion.held == ["A"]
    said = next(c for c in opinion.cautions["A"] if c.code == "level_held").text("es")
    assert "2025-06-02" in said
    assert "crítico" in said
    assert "2025-06-02" in because_words(opinion, "A", "en")


def test_a_record_that_changes_nothing_does_not_lower_a_held_level(recent, small, tmp_path):
    told = was_high(factors=[("A", "2026-05-20", {"factor": "alcohol", **DENIED})])
    assert level_of(opinion_on(recent, told, tmp_path, small)) == "critical"


def test_new_violence_does_not_lower_a_held_level(recent, small, tmp_path):
    again = history(incidents=[("A", "2025-06-01"), ("A", "2025-06-02"), ("A", "2026-05-31")])
    opinion = opinion_on(recent, again, tmp_path, small)
    assert opinion.cases.loc["A", "level_today"] == "high"  # one recent incident of two
    assert level_of(opinion) == "critical"


def test_what_is_learnt_done_or_corrected_does_lower_it(recent, small, tmp_path):
    strangled = {"factor": "strangulation"}
    first = {"incidents": [("A", "2025-06-02")], "factors": [("A", "2025-06-02", strangled)]}
    assert level_of(opinion_on(recent, history(**first), tmp_path, small)) == "critical"  # -3 + 2 + 1.5
    denied = [*first["factors"], ("A", "2026-01-10", {**strangled, **DENIED})]
    opinion = opinion_on(recent, history(**{**first, "factors": denied}), tmp_path, small)
    assert level_of(opinion) == "high", "without strangulation, as of the incident: -3 + 2"
    withdrawn = [("A", "2025-06-02", {**strangled, "superseded_at": pd.Timestamp("2026-01-10")})]
    opinion = opinion_on(recent, history(**{**first, "factors": withdrawn}), tmp_path, small)
    assert level_of(opinion) == "high"
    protected = [("A", "2026-01-10", {"expires_at": pd.Timestamp("2026-12-01")})]
    opinion = opinion_on(recent, history(**first, measures=protected), tmp_path, small)
    assert level_of(opinion) == "high", "under the measure, as of the incident: -3 + 2 + 1.5 - 1.5"


def test_a_response_cannot_raise_the_level_of_an_earlier_day(small, tmp_path):
    # Visits go where the risk is highest: the model sees more risk where there was one.
    model = weighted(small, incidents_30d=1.0, protection_in_force=4.0)
    facts = history(
        incidents=[("A", "2025-06-02")],
        measures=[("A", "2026-01-10", {"ended_at": pd.Timestamp("2026-02-01")})],
    )
    opinion = opinion_on(model, facts, tmp_path, small)
    assert opinion.cases.loc["A", "level_before_silence"] == "medium", "-3 + 1, as it stood then"


def test_grave_acts_do_not_wear_off_with_the_days(small, tmp_path):
    levels = "critical:\n  - {column: grave_acts_90d, at_least: 2}\n"
    day = "2025-06-02"
    facts = history(
        incidents=[("A", day)],
        factors=[("A", day, {"factor": f}) for f in ("strangulation", "death_threat")],
    )
    opinion = opinion_on(weighted(small, incidents_90d=0.1), facts, tmp_path, small, levels=levels)
    assert opinion.matrix["grave_acts_90d"].tolist() == [0.0]
    assert level_of(opinion) == "critical"


# --------------------------------------------------------------------------------------- critical patterns


def first_record(*told, day="2026-05-31", state=None):
    said = [("A", day, {"factor": code, **(state or {})}) for code in told]
    return history(incidents=[("A", day)], factors=said)


def test_an_approved_pattern_makes_a_single_first_record_critical(small, tmp_path):
    facts = first_record("strangulation", "death_threat")
    opinion = opinion_on(weighted(small, incidents_90d=0.1), facts, tmp_path, small, patterns=APPROVED)
    assert level_of(opinion) == "critical"
    assert "single_record" in codes_of(opinion)
    assert "no_patterns" not in codes_of(opinion)
    (found,) = opinion.patterns["A"]
    assert (found["pattern"], found["state"], found["version"]) == ("both", "matched", 2)
    assert "Estrangulamiento y amenaza de muerte" in because_words(opinion, "A")
    assert opinion_rows(opinion, "es")["patterns"].iloc[0][0]["pattern"] == "both"


def test_a_proposed_pattern_has_no_effect(small, tmp_path):
    facts = first_record("strangulation", "death_threat", "alcohol")
    model = weighted(small, incidents_90d=0.1)
    opinion = opinion_on(model, facts, tmp_path, small, patterns=PROPOSED)
    assert level_of(opinion) == "low"
    assert opinion.patterns == {"A": []}
    assert "no_patterns" in codes_of(opinion)


def test_a_pattern_that_hangs_on_one_answer_is_asked_however_much_is_known(small, tmp_path):
    facts = first_record("strangulation", "alcohol", "jealousy", "separation")
    model = weighted(small, incidents_90d=0.1)
    opinion = opinion_on(model, facts, tmp_path, small, patterns=APPROVED)
    assert level_of(opinion) == "insufficient_data"
    assert opinion.questions["factor"].tolist() == ["death_threat"]
    assert opinion.questions["level_if_present"].tolist() == ["critical"]
    (found,) = opinion.patterns["A"]
    assert (found["state"], found["deciding"]) == ("undetermined", ["death_threat"])
    assert {"pattern_undetermined", "insufficient_data"} <= codes_of(opinion)
    # Two answers away is not asked for by the pattern; denied is settled.
    far = opinion_on(
        model, first_record("alcohol", "jealousy", "separation"), tmp_path, small, patterns=APPROVED
    )
    assert (level_of(far), far.patterns["A"]) == ("low", [])


def test_a_pattern_whose_columns_are_missing_is_left_out_and_said(small, tmp_path):
    levels = rules(tmp_path, LEVELS_FILE, APPROVED, of=small)
    fewer = small.part("incidents_90d", "incidents_ever", "strangulation")
    model = weighted(fewer, incidents_90d=0.1)
    opinion = score(model, first_record("strangulation"), NOW, levels=levels)
    said = [c.text("es") for c in opinion.cautions["A"] if c.code == "rule_left_out"]
    assert any("patrón crítico" in text for text in said)
