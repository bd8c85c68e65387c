"""Levels follow the rules of levels.yml: the highest met wins, thresholds are fixed with the model."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.models.level_rule import cases_a_list
from riskml.models.levels import LevelRule, default_levels, level_threshold, load_levels
from riskml.validation.utility import net_benefit
from small_opinion import FEATURES, LEVELS_FILE


def rules_of(tmp_path, text, **more):
    path = tmp_path / "levels.yml"
    path.write_text(text, encoding="utf-8")
    return load_levels(path, **more)


def models(**risks):
    return {
        name: SimpleNamespace(reference={"quantiles": np.quantile(risk, np.linspace(0, 1, 201)).tolist()})
        for name, risk in risks.items()
    }


TWO_CLOCKS = """
critical:
  - {model: escalation, share: 0.02}
  - {column: grave, at_least: 3}
high:
  - {model: repeat, share: 0.10}
medium:
  - {model: repeat, share: 0.50}
"""


def suggested(tmp_path, repeat, escalation, grave):
    rules = rules_of(tmp_path, TWO_CLOCKS)
    spread = np.linspace(0, 1, 10_001)
    thresholds = rules.thresholds(models(repeat=spread, escalation=spread))
    risks = {"repeat": np.array(repeat), "escalation": np.array(escalation)}
    return rules.suggest(risks, thresholds, pd.DataFrame({"grave": grave}))


def test_the_highest_rule_that_is_met_wins(tmp_path):
    level, rule = suggested(tmp_path, [0.95, 0.95, 0.6, 0.1], [0.99, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0])
    assert level.tolist() == ["critical", "high", "medium", "low"]
    assert [r.model if r else None for r in rule] == ["escalation", "repeat", "repeat", None]


def test_the_models_are_never_averaged(tmp_path):
    level, _ = suggested(tmp_path, [0.0, 0.89], [0.99, 0.97], [0.0, 0.0])
    assert level.tolist() == ["critical", "medium"]  # two near misses make no hit


def test_critical_is_reached_by_recorded_facts_alone(tmp_path):
    level, rule = suggested(tmp_path, [0.0, 0.0], [0.0, 0.0], [3.0, np.nan])
    assert level.tolist() == ["critical", "low"]
    assert rule[0].column == "grave"


def test_a_share_is_a_capacity():
    spread = np.random.default_rng(0).beta(1, 20, 50_000)
    threshold = level_threshold({"quantiles": np.quantile(spread, np.linspace(0, 1, 201))}, 0.02)
    assert np.mean(spread >= threshold) == pytest.approx(0.02, abs=0.003)


def test_equal_risks_are_not_let_in_above_the_capacity():
    tied = np.repeat([0.1, 0.3], [9_000, 1_000])
    quantiles = np.quantile(tied, np.linspace(0, 1, 201))
    assert level_threshold({"quantiles": quantiles}, 0.02) == np.inf
    assert 0.1 < level_threshold({"quantiles": quantiles}, 0.11) <= 0.3
    assert level_threshold({"quantiles": np.full(201, 0.2)}, 0.5) == np.inf


def test_rules_that_cannot_be_judged_are_named(tmp_path):
    rules = rules_of(tmp_path, TWO_CLOCKS)
    thresholds = rules.thresholds(models(repeat=np.linspace(0, 1, 100)))
    left = rules.left_out(thresholds, ["incidents_90d"])
    assert [(r.model, r.column) for r in left] == [("escalation", None), (None, "grave")]
    level, _ = rules.suggest({"repeat": np.array([0.2])}, thresholds, pd.DataFrame({"other": [1.0]}))
    assert level.tolist() == ["low"]


def test_the_shipped_rules_read_columns_of_the_shipped_catalogue():
    from riskml.features.catalogue import load_catalogue

    rules = load_levels(LEVELS_FILE, catalogue=load_catalogue(FEATURES))
    assert rules.models == {"escalation", "repeat", "severe_harm"}
    assert any(rule.column for rule in rules.rules["critical"]), "a first record alone can be critical"
    assert rules.hash == default_levels().hash


def test_the_hash_follows_the_rules_and_not_the_comments(tmp_path):
    rules = rules_of(tmp_path, TWO_CLOCKS)
    assert rules.hash == rules_of(tmp_path, "# reviewed\n" + TWO_CLOCKS).hash
    assert rules.hash != rules_of(tmp_path, TWO_CLOCKS.replace("0.02", "0.03")).hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("critcal: []", r'line 1: unknown level or key "critcal"\nDid you mean "critical"'),
        ("critical:\n  - {modle: repeat, share: 0.1}", r'line 2: unknown key "modle"\nDid you mean "model"'),
        ("critical:\n  - {model: repeat}", r"line 2: a rule is \{model: NAME"),
        ("critical:\n  - {model: repeat, share: 0.1, column: x, at_least: 1}", "line 2: a rule is"),
        ("critical:\n  - {model: repeat, share: 2}", "line 2: share: Input should be less than 1"),
        ("critical: high", "line 1: critical needs a list of rules"),
        ("critical:\n  - high", "line 2: a rule is a mapping"),
        ("otherwise: none", 'line 1: unknown level "none"'),
        ("cautions: {quiet_days: 0}", "cautions, quiet_days"),
        ("- a", "a mapping of levels to rules is expected"),
        (
            "critical:\n  - {model: a, share: 0.2}\nhigh:\n  - {model: a, share: 0.1}",
            'line 4: model "a": share 0.1 is not larger than that of a higher level',
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, message):
    with pytest.raises(RiskmlError, match=message):
        rules_of(tmp_path, text)


def test_an_unknown_column_is_answered_with_the_nearest(tmp_path):
    columns = (
        SimpleNamespace(name="grave_acts_90d", kind="number"),
        SimpleNamespace(name="weapon", kind="category"),
    )
    catalogue = SimpleNamespace(columns=columns)
    with pytest.raises(RiskmlError, match='unknown column "grave_act_90d"\nDid you mean "grave_acts_90d"'):
        rules_of(tmp_path, "critical:\n  - {column: grave_act_90d, at_least: 1}", catalogue=catalogue)
    with pytest.raises(RiskmlError, match="holds words"):
        rules_of(tmp_path, "critical:\n  - {column: weapon, at_least: 1}", catalogue=catalogue)


def test_a_rule_is_one_kind():
    with pytest.raises(ValueError, match="a rule is"):
        LevelRule(model="repeat", at_least=2)


# ------------------------------------------------------------------------------------------- kinds of rules


def judged_model(name="repeat", *, assessments=5600, every="28d", **more):
    """A model whose window of eight lists, 28 days apart, held so many assessments."""
    window = {"window": "evaluate", "first": "2026-01-05", "last": "2026-07-20", "assessments": assessments}
    report = {
        "split": {"by": "time", "windows": [window]},
        "model": {"cohort": {"every": every, "at_contacts": False}},
    }
    for key, value in more.items():
        report["split" if key == "by" else "model"] |= {key: value}
    spread = np.linspace(0, 1, 201).tolist()
    return SimpleNamespace(name=name, report=report, reference={"quantiles": spread})


def test_capacity_in_cases_a_week_is_a_share_of_the_lists_that_judged_the_model(tmp_path):
    rules = rules_of(tmp_path, "high:\n  - {model: repeat, per_week: 35}\n")
    model = judged_model()
    assert cases_a_list(model) == 700
    assert rules.level_thresholds(model) == {"high": pytest.approx(1 - 35 / 700)}
    everyone = rules_of(tmp_path, "high:\n  - {model: repeat, per_week: 900}\n")
    assert everyone.level_thresholds(model) == {"high": 0.0}


@pytest.mark.parametrize(
    "model",
    [
        judged_model(by="person"),
        judged_model(cohort={"every": None, "at_contacts": True}),
        SimpleNamespace(name="repeat", report={}, reference={"quantiles": [0.0, 1.0]}),
    ],
)
def test_without_lists_a_capacity_in_cases_cannot_be_judged(tmp_path, model):
    rules = rules_of(tmp_path, "high:\n  - {model: repeat, per_week: 35}\n  - {model: repeat, share: 0.1}\n")
    thresholds = rules.thresholds({"repeat": model})
    assert [rule.kind for rule in thresholds] == ["share"]
    assert [rule.kind for rule in rules.left_out(thresholds, [])] == ["per_week"]


def test_net_benefit_gives_the_risk_from_which_on_a_visit_pays(tmp_path):
    rules = rules_of(tmp_path, "high:\n  - {model: repeat, visits_per_event: 20}\n")
    assert rules.level_thresholds(judged_model()) == {"high": pytest.approx(1 / 21)}
    thresholds = rules.thresholds({"repeat": judged_model()})
    level, _ = rules.suggest({"repeat": np.array([0.047, 0.048])}, thresholds, pd.DataFrame(index=[0, 1]))
    assert level.tolist() == ["low", "high"]
    # Of a population in which exactly that share has the event, visiting all neither gains nor loses.
    y = np.repeat([1.0, 0.0], [1, 20])
    assert net_benefit(y, np.full(21, 0.5), threshold=1 / 21) == pytest.approx(0)


def test_a_level_is_reached_by_the_easier_of_its_rules(tmp_path):
    text = "high:\n  - {model: repeat, share: 0.1}\n  - {model: repeat, visits_per_event: 4}\n"
    assert rules_of(tmp_path, text).level_thresholds(judged_model()) == {"high": pytest.approx(0.2)}
    assert rules_of(tmp_path, text).level_thresholds(judged_model("escalation")) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("high:\n  - {pattern: proposed}", "only approved patterns have an effect"),
        ("high:\n  - {model: a, per_week: 4, share: 0.1}", "line 2: a rule is"),
        (
            "high:\n  - {model: a, per_week: 40}\nmedium:\n  - {model: a, per_week: 40}",
            "line 4: .*per_week 40 is not larger",
        ),
        (
            "high:\n  - {model: a, visits_per_event: 20}\nmedium:\n  - {model: a, visits_per_event: 10}",
            "visits_per_event 10 is not larger",
        ),
        ("abstention: {stands_from: grave}", "line 1: abstention, stands_from"),
        ("abstention: {fewer: 2}", "line 1: abstention, fewer"),
    ],
)
def test_rules_that_make_no_sense_are_refused(tmp_path, text, message):
    with pytest.raises(RiskmlError, match=message):
        rules_of(tmp_path, text)


def test_the_hash_follows_abstention_and_approved_patterns(tmp_path):
    rules = rules_of(tmp_path, TWO_CLOCKS)
    assert rules.hash != rules_of(tmp_path, TWO_CLOCKS + "abstention: {fewer_known_than: 5}\n").hash
    approved = replace(rules, patterns=SimpleNamespace(hash="other"))
    assert approved.hash != rules.hash
