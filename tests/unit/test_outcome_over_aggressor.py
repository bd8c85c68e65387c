"""Events of the assessed case, or of all of its aggressor's cases."""

import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.outcomes.definition import OutcomeDefinition
from riskml.outcomes.labels import label_outcomes

DAY = pd.Timestamp("2025-03-01")
DEFINITION = {"event": "incident", "horizon": "90d", "reporting_lag": "0d"}


def _history(incidents, cases=(("A", "x"), ("B", "x"), ("C", "y")), outcomes=()):
    start = pd.Timestamp("2025-01-01")
    cases = pd.DataFrame(
        [(c, a, f"victim of {c}", start, start) for c, a in cases],
        columns=["case_id", "aggressor_id", "victim_id", "occurred_at", "recorded_at"],
    )
    incidents = pd.DataFrame(
        [(f"i{i}", c, "911", 3, pd.Timestamp(t), pd.Timestamp(t)) for i, (c, t) in enumerate(incidents)],
        columns=["incident_id", "case_id", "source", "severity", "occurred_at", "recorded_at"],
    )
    outcomes = pd.DataFrame(
        [(c, "attempted_femicide", pd.Timestamp(t), pd.Timestamp(t)) for c, t in outcomes],
        columns=["case_id", "kind", "occurred_at", "recorded_at"],
    ).astype({"occurred_at": "datetime64[us]", "recorded_at": "datetime64[us]"})
    return {"cases": cases, "incidents": incidents, "outcomes": outcomes}


def _labels(history, **changes):
    cohort = pd.DataFrame({"case_id": ["A", "B", "C"], "as_of": [DAY] * 3})
    found = label_outcomes(history, cohort, {**DEFINITION, **changes}, known_at="2026-01-01")
    return found["outcome"].tolist()


def test_an_incident_against_another_victim_counts_only_over_the_aggressor():
    history = _history([("B", "2025-03-10")])
    assert _labels(history) == [0, 1, 0]
    assert _labels(history, over="aggressor") == [1, 1, 0]


def test_a_second_report_of_an_incident_of_his_other_case_is_no_new_event():
    history = _history([("B", "2025-02-28 20:00"), ("A", "2025-03-01 02:00")])
    assert _labels(history, same_event_within="24h") == [1, 0, 0]
    assert _labels(history, over="aggressor", same_event_within="24h") == [0, 0, 0]


def test_a_lethal_event_of_his_other_case_counts_over_the_aggressor():
    history = _history([("A", "2025-02-01")], outcomes=[("B", "2025-03-10")])
    assert _labels(history, event="lethal") == [0, 1, 0]
    assert _labels(history, event="lethal", over="aggressor") == [1, 1, 0]


def test_a_pair_that_was_corrected_counts_for_the_aggressor_that_stands():
    history = _history([("B", "2025-03-10")])
    corrected = history["cases"].assign(superseded_at=pd.NaT)
    corrected.loc[corrected["case_id"] == "B", "superseded_at"] = pd.Timestamp("2025-05-01")
    again = corrected[corrected["case_id"] == "B"].assign(
        aggressor_id="y", recorded_at=pd.Timestamp("2025-05-01"), superseded_at=pd.NaT
    )
    history["cases"] = pd.concat([corrected, again], ignore_index=True)
    assert _labels(history, over="aggressor") == [0, 1, 1]


def test_one_case_for_each_aggressor_makes_no_difference():
    history = _history([("B", "2025-03-10"), ("C", "2025-04-01")], cases=(("A", "x"), ("B", "y"), ("C", "z")))
    assert _labels(history, over="aggressor") == _labels(history) == [0, 1, 1]


def test_an_unknown_scope_is_answered_with_the_nearest():
    with pytest.raises(RiskmlError, match="aggressor"):
        OutcomeDefinition.of({**DEFINITION, "over": "agressor"})
