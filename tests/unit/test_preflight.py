"""The pre-flight: every verdict follows from what was measured, and what people must answer says so."""

import copy

import pytest

from reported_models import reported_model, validation_document
from reviewed_models import small_model
from riskml.messages import all_messages
from riskml.reporting.model_review import preflight_shown
from riskml.reporting.preflight import (
    DOMAINS,
    LETHAL_QUESTIONS,
    QUESTIONS,
    domain_verdicts,
    preflight,
)


@pytest.fixture(scope="module")
def model():
    return reported_model()


@pytest.fixture(scope="module")
def validation(model):
    return validation_document(model)


def verdicts(model, validation):
    return {found["code"]: found["verdict"] for found in preflight(model, validation)}


def changed(document, *path, to):
    """A copy of a document with one thing in it changed."""
    document = copy.deepcopy(document)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return document


def with_report(model, *path, to):
    other = copy.copy(model)
    other.__dict__.pop("_files", None)
    other.report = changed(model.report, *path, to=to)
    return other


def with_card(model, **entries):
    other = copy.copy(model)
    other.__dict__.pop("_files", None)
    other.card = model.card | entries
    return other


def test_every_domain_is_asked_in_order_with_a_verdict_and_its_reason(model, validation):
    found = preflight(model, validation)
    domains = [entry["domain"] for entry in found]
    assert list(dict.fromkeys(domains)) == list(DOMAINS)
    assert domains == sorted(domains, key=DOMAINS.index)
    for entry in found:
        assert entry["verdict"] in ("pass", "concern", "fail")
        for language in ("es", "en"):
            assert entry["question"][language].endswith("?")
            assert entry["why"][language].strip()


def test_what_only_people_can_answer_is_a_concern_that_says_what_to_look_at(model, validation):
    found = {entry["code"]: entry for entry in preflight(model, validation)}
    for code in ("represents", "same_meaning", "blind", "recording", "ratified"):
        assert found[code]["verdict"] == "concern"
        assert found[code]["why"]["es"].startswith("Debe responder una persona")


def test_a_fail_of_the_leakage_audit_is_a_fail_with_its_words(model, validation):
    assert verdicts(model, validation)["leakage"] == "pass"
    check = {
        "code": "shuffled_labels",
        "verdict": "fail",
        "words": {"es": "sabe", "en": "it knows"},
        "figures": {},
    }
    leaking = changed(validation, "leakage", to={"verdict": "fail", "checks": [check], "words": {}})
    found = {entry["code"]: entry for entry in preflight(model, leaking)}
    assert found["leakage"]["verdict"] == "fail"
    assert "it knows" in found["leakage"]["why"]["en"]
    assert domain_verdicts(preflight(model, leaking))["analysis"] == "fail"
    first = preflight_shown(preflight(model, leaking), "en")["first"]
    assert any("it knows" in row["why"] for row in first), "a fail is what to look at first"


def test_a_feature_that_knows_the_future_fails_the_question_on_timing(model, validation):
    check = {"code": "single_features", "verdict": "fail", "words": {"es": "x", "en": "one feature"}}
    leaking = changed(validation, "leakage", "checks", to=[check])
    assert verdicts(model, leaking)["timing"] == "fail"
    assert verdicts(model, changed(validation, "leakage", "checks", to=[]))["timing"] == "concern"


def test_synthetic_data_fail_and_data_without_a_history_are_a_concern(model, validation):
    assert verdicts(model, validation)["real"] == "pass"
    assert verdicts(with_card(model, history={"hash": "a", "synthetic": True}), validation)["real"] == "fail"
    assert verdicts(with_card(model, history={}), validation)["real"] == "concern"


def test_windows_nearer_than_horizon_and_lag_fail(model, validation):
    assert verdicts(model, validation)["outcome_apart"] == "pass"
    near = with_report(model, "split", "gap_days", to=134.0)
    assert verdicts(near, validation)["outcome_apart"] == "fail"
    by_person = with_report(model, "split", "prospective", to=False)
    assert verdicts(by_person, validation)["outcome_apart"] == "concern"


def test_too_few_people_are_a_concern_and_a_flexible_learner_on_them_a_fail(model, validation):
    assert verdicts(model, validation)["enough_to_learn"] == "concern"
    assert verdicts(with_report(model, "chosen", to="lightgbm"), validation)["enough_to_learn"] == "fail"
    met = model.report["sample_size"]["development"] | {"met": True}
    assert (
        verdicts(with_report(model, "sample_size", "development", to=met), validation)["enough_to_learn"]
        == "pass"
    )


def test_fewer_than_a_hundred_events_to_judge_fail(model, validation):
    assert verdicts(model, validation)["enough_to_judge"] == "concern"
    windows = copy.deepcopy(model.report["split"]["windows"])
    windows[-1]["events"] = 99
    assert (
        verdicts(with_report(model, "split", "windows", to=windows), validation)["enough_to_judge"] == "fail"
    )


def test_a_simpler_rule_that_is_not_worse_is_a_concern_and_chance_a_fail(model, validation):
    same = with_report(model, "simplest_not_worse", to=model.report["chosen"])
    assert verdicts(same, validation)["beats_simple"] == "pass"
    assert (
        verdicts(with_report(model, "simplest_not_worse", to="incidents"), validation)["beats_simple"]
        == "concern"
    )
    rows = copy.deepcopy(model.report["comparison"])
    next(row for row in rows if row["candidate"] == model.report["chosen"])["auc_low"] = 0.49
    assert verdicts(with_report(model, "comparison", to=rows), validation)["beats_simple"] == "fail"


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [
        ({"estimate": 0.9, "low": 0.7, "high": 1.1}, "pass"),
        ({"estimate": 0.9, "low": 0.81, "high": 0.99}, "concern"),
        ({"estimate": 0.6, "low": 0.5, "high": 0.7}, "fail"),
        ({"estimate": 0.6, "low": 0.1, "high": 1.1}, "pass"),
        ({"estimate": None, "low": None, "high": None}, "concern"),
    ],
)
def test_calibration_follows_its_interval(model, validation, slope, verdict):
    ideal = {"estimate": 1.0, "low": 0.9, "high": 1.1}
    document = changed(validation, "performance", "metrics", "observed_expected", to=ideal)
    document = changed(document, "performance", "metrics", "calibration_slope", to=slope)
    assert verdicts(model, document)["calibrated"] == verdict


@pytest.mark.parametrize(
    ("refits", "often", "verdict"),
    [(200, 0.2, "pass"), (199, 0.2, "concern"), (200, 0.3, "concern"), (200, 0.6, "fail")],
)
def test_levels_that_flip_often_are_told(model, validation, refits, often, verdict):
    summary = [{"figure": "cases_that_flip_often", "estimate": often}]
    document = changed(validation, "stability", "summary", to=summary)
    document = changed(document, "stability", "refits", to=refits)
    assert verdicts(model, document)["stable"] == verdict


def test_another_versions_validation_fails(model, validation):
    assert verdicts(model, validation)["same_version"] == "pass"
    other = changed(validation, "model", "version", to="f" * 16)
    assert verdicts(model, other)["same_version"] == "fail"


def test_no_threshold_at_which_the_model_helps_is_a_concern(model, validation):
    rows = [row | {"gain_low": -0.01} for row in validation["utility"]["decision_curve"]]
    assert verdicts(model, changed(validation, "utility", "decision_curve", to=rows))["useful"] == "concern"
    rows[0]["gain_low"] = 0.001
    assert verdicts(model, changed(validation, "utility", "decision_curve", to=rows))["useful"] == "pass"


def test_a_difference_between_groups_that_stands_is_named(model, validation):
    rows = copy.deepcopy(validation["fairness"]["rows"])
    for row in rows:
        row["q_value"] = None
    calm = changed(validation, "fairness", "rows", to=rows)
    assert verdicts(model, calm)["groups"] == "pass"
    rows[0]["q_value"] = 0.01
    found = {e["code"]: e for e in preflight(model, changed(validation, "fairness", "rows", to=rows))}[
        "groups"
    ]
    assert found["verdict"] == "concern"
    assert rows[0]["group_name"]["es"] in found["why"]["es"]


def test_performance_that_falls_or_holds_chance_over_time_is_a_concern(model, validation):
    candidates = copy.deepcopy(validation["backtest"]["candidates"])
    chosen = candidates[model.report["chosen"]]
    rows = [row for row in chosen["by_origin"] if row["metric"] == "auc"]
    overall = next(row for row in chosen["overall"] if row["metric"] == "auc")
    for row in rows:
        row["low"] = 0.6
    overall["change_high"] = 0.1
    firm = changed(validation, "backtest", "candidates", to=candidates)
    assert verdicts(model, firm)["over_time"] == "pass"
    overall["change_high"] = -0.01
    assert verdicts(model, changed(firm, "backtest", "candidates", to=candidates))["over_time"] == "concern"
    overall["change_high"], rows[0]["low"] = 0.1, 0.49
    assert verdicts(model, changed(firm, "backtest", "candidates", to=candidates))["over_time"] == "concern"


def test_responses_that_carry_the_ranking_are_a_concern(model, validation):
    assert verdicts(model, validation)["treatment"] == "pass"
    moved = {"estimate": -0.05, "low": -0.06, "high": -0.04}
    path = ("treatment", "at_reference", "metrics", "auc", "difference")
    assert verdicts(model, changed(validation, *path, to=moved))["treatment"] == "concern"


def test_nothing_measured_passes_nothing_that_needs_measuring():
    found = verdicts(small_model(), {})
    assert "pass" not in found.values()
    assert found["real"] == "fail", "its card says that it is synthetic"


def test_every_message_belongs_to_a_question_and_every_question_has_its_own():
    codes = {question.code for question in (*QUESTIONS, *LETHAL_QUESTIONS)}
    names = [key.partition(".")[2] for key in all_messages() if key.startswith("preflight.")]
    assert {name.removeprefix("ask_") for name in names if name.startswith("ask_")} == codes
    for name in names:
        asked = name.removeprefix("ask_")
        assert any(asked == code or asked.startswith(f"{code}_") for code in codes), name
