"""Smallest changes and groups of similar earlier cases, against what can be counted by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from hand_cases import NOW, HandModel, catalogue, history, rules
from riskml.errors import RiskmlError
from riskml.explain.dimensions import DIMENSIONS
from riskml.explain.smallest_change import changeable
from riskml.explain.what_if import what_would_change
from riskml.features.surroundings import case_surroundings
from riskml.models.bundle import plain
from riskml.models.profiles import nearest_profile, risk_profiles
from riskml.scoring.score import score

LEVELS = "high:\n  - {model: harm, visits_per_event: 4}\nmedium:\n  - {model: harm, visits_per_event: 9}\n"


# ---------------------------------------------------------------------------------------- the smallest change


@pytest.fixture(scope="module")
def small():
    return catalogue()


def smallest(small, folder, start, weights, **facts):
    """The smallest changes of case A under a model that adds a weight for each column of the matrix."""

    def margin(matrix):
        return start + sum(weight * (matrix[name].to_numpy(float) > 0) for name, weight in weights.items())

    model = HandModel("harm", small, margin, tuple(weights))
    levels = rules(folder, LEVELS, of=small)
    opinion = score(model, history(**{"incidents": [("A", "2026-05-30")], **facts}), NOW, levels=levels)
    around, now = case_surroundings(opinion.history, "A"), opinion.matrix.iloc[0]
    found = what_would_change(around, now, opinion.as_of, opinion.models, levels, opinion.stood)[2]
    return opinion.cases.loc["A", "suggested_level"], found


def test_one_change_that_moves_the_level_is_the_smallest(small, tmp_path):
    level, found = smallest(small, tmp_path, -1.0, {"protection_in_force": -2.0, "visits_90d": -0.1})
    assert level == "high"
    assert found["codes"].tolist()[0] == ("measure_protection",)
    assert found["level_then"].tolist()[0] == "low"
    assert found["moves"].tolist()[0] == -2
    assert found["change"].iloc[0] == "una medida de protección por 60 días"
    assert (found["size"] == 1).all()


def test_two_changes_where_none_alone_is_enough(small, tmp_path):
    weights = {"protection_in_force": -0.3, "custody_in_force": -0.3}
    level, found = smallest(small, tmp_path, -1.0, weights)
    assert level == "high"  # -1.6 is medium, -1.3 is not
    assert [set(codes) for codes in found["codes"]] == [{"measure_protection", "measure_custody"}]
    assert found["level_then"].tolist() == ["medium"]
    assert "y la custodia del agresor" in found["change"].iloc[0]


def test_the_end_of_a_measure_may_raise_the_level(small, tmp_path):
    measures = [("A", "2026-05-29", {"kind": "protection", "expires_at": pd.Timestamp("2026-08-01")})]
    level, found = smallest(small, tmp_path, -1.0, {"protection_in_force": -2.0}, measures=measures)
    assert level == "low"
    assert found["codes"].tolist() == [("end_protection",)]
    assert found["level_then"].tolist() == ["high"]


def test_where_nothing_that_institutions_do_counts_nothing_is_offered(small, tmp_path):
    level, found = smallest(small, tmp_path, -1.0, {"incidents_90d": -5.0, "incidents_ever": 5.0})
    assert (level, len(found)) == ("high", 0)


def test_a_change_lowers_a_level_that_is_held_against_silence(small, tmp_path):
    weights = {"incidents_30d": 2.0, "protection_in_force": -2.5}
    level, found = smallest(small, tmp_path, -3.0, weights, incidents=[("A", "2025-06-02")])
    assert level == "high"
    assert found.iloc[0][["codes", "level_then"]].tolist() == [("measure_protection",), "low"]


def test_only_what_institutions_can_still_do_is_changeable():
    now = pd.Series({"custody_in_force": 1.0})
    tried = changeable(now, NOW)
    assert {table for a in tried for table, _ in a.rows} == {"responses", "measures", "proceedings"}
    codes = [a.code for a in tried]
    assert "end_custody" in codes
    assert "measure_custody" not in codes


# ------------------------------------------------------------------------------------- similar earlier cases


def cohort(seed=2, n=3000):
    """Assessments of two kinds: where acts raise the risk, and where the aggressor does."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, 600, n)
    acts = rng.random(n) < 0.5
    parts = pd.DataFrame({d: rng.normal(0, 0.05, n) for d in DIMENSIONS})
    parts["acts"] += np.where(acts, 2.0, 0.0)
    parts["aggressor"] += np.where(acts, 0.0, 2.0)
    return parts, (rng.random(n) < np.where(acts, 0.30, 0.10)).astype(float), people


def test_profiles_count_what_became_of_assessments_alike():
    parts, outcome, people = cohort()
    profiles = risk_profiles(parts, outcome, people, seed=0)
    assert profiles == plain(risk_profiles(parts, outcome, people, seed=0))
    assert sum(g["size"] for g in profiles["groups"]) == len(outcome)
    assert sum(g["events"] for g in profiles["groups"]) == outcome.sum()
    assert all(g["size"] >= 100 and g["events"] >= 5 for g in profiles["groups"])
    zero = dict.fromkeys(DIMENSIONS, 0.0)
    by_acts = nearest_profile(profiles, pd.Series({**zero, "acts": 2.0}))
    by_him = nearest_profile(profiles, pd.Series({**zero, "aggressor": 2.0}))
    assert by_acts["events"] / by_acts["size"] > 0.2 > by_him["events"] / by_him["size"]
    assert by_acts["low"] < by_acts["events"] / by_acts["size"] < by_acts["high"]


def test_an_interval_of_a_profile_is_exact_where_every_row_is_another_person():
    parts, outcome, _ = cohort()
    groups = risk_profiles(parts, outcome, np.arange(len(outcome)))["groups"]
    for group in groups:
        n, size = group["events"], group["size"]
        exact = beta.ppf(0.025, n, size - n + 1), beta.ppf(0.975, n + 1, size - n)
        assert (group["low"], group["high"]) == pytest.approx(exact, rel=0.05)


def test_groups_that_are_too_small_join_and_too_few_rows_have_none():
    parts, outcome, people = cohort(n=260)
    assert len(risk_profiles(parts, outcome, people)["groups"]) <= 2
    assert risk_profiles(parts.iloc[:150], outcome[:150], people[:150])["groups"] == []
    assert nearest_profile({"groups": []}, parts.iloc[0]) is None
    assert nearest_profile(None, parts.iloc[0]) is None
    alike = parts * 0.0
    assert len(risk_profiles(alike, outcome, people)["groups"]) <= 1
    with pytest.raises(RiskmlError, match="do not pair"):
        risk_profiles(parts, outcome[:3], people)
