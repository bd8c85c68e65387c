"""What a model file may say under `outcome:`, and what an analyst reads when it says something else."""

import pytest

from riskml.errors import RiskmlError
from riskml.outcomes.definition import OutcomeDefinition
from riskml.vocabulary import duration


def test_the_defaults_are_those_of_the_design():
    outcome = OutcomeDefinition.of({"event": "incident", "horizon": "90d"})
    assert outcome.event == ("incident",)
    assert outcome.horizon_us == duration("90d")
    assert outcome.reporting_lag == "45d"
    assert outcome.same_event_within == "24h"
    assert outcome.competing_exits == ("death", "custody", "closed")
    assert "respuesta institucional" in outcome.estimand_text("es")
    assert OutcomeDefinition.of(outcome) is outcome


def test_a_composite_outcome_lists_its_events_and_states_its_estimand():
    outcome = OutcomeDefinition.of(
        {
            "event": ["severe_incident", "lethal"],
            "minimum_severity": 4,
            "horizon": "365d",
            "same_event_within": "0h",
            "competing_exits": [],
            "estimand": {"es": "Riesgo", "en": "Risk"},
        }
    )
    assert outcome.same_event_us == 0
    assert outcome.estimand_text("en") == "Risk"
    assert OutcomeDefinition.of(outcome.model_dump()) == outcome


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"event": "incdent"}, 'Did you mean "incident"'),
        ({"event": "incident", "horizn": "90d"}, 'unknown key "horizn". Did you mean "horizon"?'),
        ({"event": "incident", "horizon": "three months"}, "90d or 72h"),
        ({"event": "incident", "horizon": 90}, "90d or 72h"),
        ({"event": "incident", "horizon": "0d"}, "longer than 0"),
        ({"event": "incident", "horizon": None}, "90d or 72h"),
        ({"event": []}, "at least 1 item"),
        ({"event": "severe_incident"}, "needs minimum_severity"),
        ({"event": "severe_incident", "minimum_severity": 7}, "less than or equal to 6"),
        ({"event": "severe_incident", "minimum_severity": "high"}, "valid integer"),
        ({"event": "incident", "minimum_severity": 4}, "belongs to the event severe_incident"),
        ({"event": "incident", "sources": ["banavim"]}, 'Did you mean "banevim"'),
        ({"event": "lethal", "sources": ["911"]}, "sources belongs to incidents"),
        ({"event": "incident", "competing_exits": ["prison"]}, "Known: death, custody, closed."),
        ({"event": "incident", "estimand": {"es": "Riesgo"}}, "both es and en"),
        ("incident", "a list of keys and values"),
        (None, "a list of keys and values"),
    ],
)
def test_what_cannot_be_read_is_one_message_that_says_where(given, said):
    if isinstance(given, dict):
        given = {"horizon": "90d"} | given
    with pytest.raises(RiskmlError) as error:
        OutcomeDefinition.of(given, where="models/repeat.yml, outcome")
    assert said in str(error.value)
    assert str(error.value).startswith("models/repeat.yml, outcome")
    assert "pydantic" not in str(error.value)


def test_all_problems_are_named_at_once():
    with pytest.raises(RiskmlError) as error:
        OutcomeDefinition.of({"event": "incdent", "horizon": "90", "reporting_lag": "soon"})
    assert all(key in str(error.value) for key in ("event", "horizon", "reporting_lag"))


@pytest.mark.parametrize("text", ["", "d", "1.5d", "-3d", "90 d", "40000d", "1w"])
def test_a_length_of_time_is_whole_days_or_hours(text):
    with pytest.raises(RiskmlError, match="length of time"):
        duration(text)
