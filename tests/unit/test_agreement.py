"""Agreement of levels: kappa as scikit-learn and statsmodels give it, and every kind of disagreement."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from sklearn.metrics import confusion_matrix as sklearn_matrix
from statsmodels.stats.inter_rater import cohens_kappa

from riskml.errors import RiskmlError
from riskml.validation.agreement import (
    KINDS,
    agreement,
    confusion_matrix,
    disagreement_kinds,
    weighted_kappa,
)
from riskml.validation.forecast import NotEstimable
from riskml.validation.intervals import exact_interval
from riskml.vocabulary import LEVELS

LEVEL = st.sampled_from(LEVELS)


def _pairs(n=600, noise=0.8, seed=0):
    rng = np.random.default_rng(seed)
    danger = rng.normal(size=n)
    cuts = (-0.3, 0.8, 1.6)
    names = np.array(LEVELS, dtype=object)
    return (names[np.digitize(danger + rng.normal(0, noise, n), cuts)] for _ in range(2))


@settings(max_examples=60)
@given(st.lists(st.tuples(LEVEL, LEVEL), min_size=3, max_size=40))
def test_kappa_and_matrix_are_those_of_scikit_learn(pairs):
    analyst, suggested = (np.array(side, dtype=object) for side in zip(*pairs, strict=True))
    matrix = confusion_matrix(analyst, suggested)
    assert np.array_equal(
        matrix.loc[list(LEVELS), list(LEVELS)].to_numpy(),
        sklearn_matrix(analyst.astype(str), suggested.astype(str), labels=LEVELS),
    )
    people = np.arange(len(pairs))
    if len(set(analyst) | set(suggested)) == 1:
        with pytest.raises(NotEstimable, match="the same level"):
            weighted_kappa(analyst, suggested, people, replicates=2, seed=0)
        return
    ranks = [np.array([LEVELS.index(name) for name in side]) for side in (analyst, suggested)]
    expected = cohen_kappa_score(*ranks, weights="quadratic", labels=range(4))
    found = agreement(analyst, suggested, people, replicates=30, seed=0)
    if found.kappa is not None:
        assert found.kappa[0] == pytest.approx(expected, abs=1e-9)


def test_kappa_and_its_interval_are_near_those_of_statsmodels():
    analyst, suggested = _pairs()
    found = weighted_kappa(analyst, suggested, np.arange(600), replicates=400, seed=0)
    table = confusion_matrix(analyst, suggested).loc[list(LEVELS), list(LEVELS)]
    reference = cohens_kappa(table.to_numpy(), wt="quadratic")
    assert found[0] == pytest.approx(reference.kappa, abs=1e-9)
    assert found[1:] == pytest.approx((reference.kappa_low, reference.kappa_upp), abs=0.02)


def test_cases_of_one_person_widen_the_interval():
    analyst, suggested = _pairs(150)
    people = np.arange(150)
    alone = weighted_kappa(analyst, suggested, people, replicates=300, seed=0)
    again = weighted_kappa(
        np.tile(analyst, 6), np.tile(suggested, 6), np.tile(people, 6), replicates=300, seed=0
    )
    assert again == pytest.approx(alone, abs=1e-9)
    free = weighted_kappa(np.tile(analyst, 6), np.tile(suggested, 6), np.arange(900), replicates=300, seed=0)
    assert free[2] - free[1] < 0.6 * (alone[2] - alone[1])


def test_each_kind_of_disagreement():
    cases = {
        ("low", "low"): "same",
        ("critical", "critical"): "same",
        ("low", "medium"): "tool_one_higher",
        ("high", "medium"): "tool_one_lower",
        ("low", "high"): "tool_far_higher",
        ("high", "low"): "tool_far_lower",
        ("high", "critical"): "critical_for_tool_alone",
        ("low", "critical"): "critical_for_tool_alone",
        ("critical", "high"): "critical_for_analyst_alone",
        ("critical", "low"): "critical_for_analyst_alone",
        ("critical", "insufficient_data"): "tool_abstained",
        (None, "critical"): "no_analyst_level",
        (None, "insufficient_data"): "no_analyst_level",
        ("low", None): "tool_abstained",
    }
    analyst, suggested = zip(*cases, strict=True)
    assert list(disagreement_kinds(analyst, suggested)) == list(cases.values())
    assert set(cases.values()) == set(KINDS)
    matrix = confusion_matrix(analyst, suggested)
    assert matrix.to_numpy().sum() == len(cases)
    assert matrix.loc["no_analyst_level", "insufficient_data"] == 1
    assert matrix.loc["critical", "insufficient_data"] == 1
    assert matrix.loc["low", "insufficient_data"] == 1


def test_kinds_are_counted_with_intervals_later_events_and_causes():
    analyst = np.array(["low"] * 10 + ["critical"] * 4, dtype=object)
    suggested = np.array(["low"] * 7 + ["high"] * 3 + ["critical"] * 3 + ["low"], dtype=object)
    outcome = np.array([0] * 7 + [1, 0, np.nan] + [1, 0, 0] + [1.0])
    late = pd.DataFrame({"recorded_since": np.arange(14) >= 8})
    found = agreement(analyst, suggested, np.arange(14), outcome=outcome, causes=late, replicates=40, seed=0)
    kinds = found.kinds
    assert kinds["n"].sum() == 14
    assert (kinds["total"] == 14).all()
    row = kinds.loc["tool_far_higher"]
    assert (row["n"], row["events"], row["followed"]) == (3, 1, 2)
    assert (row["recorded_since"], row["recorded_since_of"]) == (2, 3)
    assert row["low"] <= exact_interval(3, 14)[0] + 1e-9
    assert kinds.loc["critical_for_analyst_alone", "n"] == 1
    assert np.isnan(kinds.loc["tool_abstained", "event_share"])
    assert (found.exact.n, found.exact.total) == (10, 14)
    table = found.table("es")
    assert table.loc["same", "what"] == "Mismo nivel"
    assert table.loc["critical_for_analyst_alone", "look_at"].startswith("El nivel crítico se mantiene")
    document = json.loads(json.dumps(found.document()))
    assert document["kappa"]["low"] <= document["kappa"]["estimate"] <= document["kappa"]["high"]
    assert "no es un error" in document["words"]["es"]
    assert len(document["kinds"]) == len(KINDS)


def test_where_no_case_has_both_levels_the_reason_is_shown():
    found = agreement([None, None], ["low", "high"], [1, 2], replicates=5, seed=0)
    assert found.kappa is None
    assert found.exact is None
    assert found.document()["kappa"]["not_estimable"]["en"] == "the group is empty (0/0)"
    assert found.kinds.loc["no_analyst_level", "n"] == 2


def test_what_is_no_level_is_one_message():
    with pytest.raises(RiskmlError, match='Did you mean "critical"'):
        disagreement_kinds(["critcal"], ["low"])
    with pytest.raises(RiskmlError, match="suggested"):
        disagreement_kinds(["low"], ["grave"])
    with pytest.raises(RiskmlError, match="do not pair"):
        disagreement_kinds(["low"], ["low", "low"])
    with pytest.raises(RiskmlError, match="outcomes must be"):
        agreement(["low"] * 2, ["low"] * 2, [1, 2], outcome=[0, 2], replicates=2, seed=0)
    with pytest.raises(RiskmlError, match="causes need 2 rows"):
        agreement(
            ["low"] * 2,
            ["low"] * 2,
            [1, 2],
            causes=pd.DataFrame({"late": [True]}),
            replicates=2,
            seed=0,
        )
