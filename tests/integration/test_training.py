"""Training from a simulated registry, from the model file to the report."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.bundle import Model
from riskml.models.spec import ModelFile, load_model_file
from riskml.models.splits import WINDOWS
from riskml.outcomes.cohort import assessments
from riskml.registry.history import History
from riskml.simulation.simulate import simulate
from riskml.training.train import train

ROOT = Path(__file__).parents[2]


def quick(name, *, bootstrap):
    """A model file with fewer replicates and settings tried: these tests do not read how good a model is."""
    document = load_model_file(ROOT / "models" / f"{name}.yml").to_document() | {"bootstrap": bootstrap}
    trees = document["learners"]["lightgbm"]
    document["learners"]["lightgbm"] = trees | {"trials": 1, "grid": trees["grid"][:1]}
    document["minimum"] = {"events_to_learn": 20, "events_to_judge": 5}
    return ModelFile.of(document)


def table_of(model):
    return pd.DataFrame(model.report["comparison"]).set_index("candidate")


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(ROOT / "features")


@pytest.fixture(scope="module")
def spec():
    return quick("repeat", bootstrap=40)


@pytest.fixture(scope="module")
def history():
    return History.of(dict(simulate(1200, seed=4).tables))


@pytest.fixture(scope="module")
def model(spec, history, catalogue):
    return train(spec, history, catalogue=catalogue, seed=1)


@pytest.fixture(scope="module")
def comparison(model):
    return table_of(model)


YARDSTICKS = [
    "base_rate",
    "incidents",
    "days_since",
    "analyst_level",
    "proxy_epv_r",
    "proxy_lethality_screen",
]


def test_all_candidates_stand_in_one_table_with_intervals(comparison):
    assert list(comparison.index) == [*YARDSTICKS, "elastic_net", "by_relationship", "lightgbm"]
    for metric in ("auc", "average_precision", "brier", "scaled_brier", "ici", "recall_at_capacity"):
        learnt = comparison.drop(index=["base_rate", "lightgbm"])  # one without width, one refused
        assert (learnt[f"{metric}_low"] < learnt[metric]).all()
        assert (learnt[metric] < learnt[f"{metric}_high"]).all()
    assert comparison["n"].nunique() == 1


def test_the_model_beats_drawing_lots_and_is_not_worse_than_the_plain_baselines(comparison):
    assert comparison.loc["elastic_net", "auc_low"] > 0.5
    for baseline in ("base_rate", "incidents", "days_since"):
        assert comparison.loc["elastic_net", "auc_high"] > comparison.loc[baseline, "auc"]
        assert comparison.loc["elastic_net", "brier_low"] < comparison.loc[baseline, "brier"]


def test_too_few_people_refuse_the_flexible_learner_with_the_numbers(model, comparison):
    size = model.report["sample_size"]
    asked = size["development"]
    assert size["refused"] == ["lightgbm"]
    assert not asked["met"]
    assert asked["people"] < asked["needed"]
    assert asked["parameters"] == len(model.encoding.columns)
    refused = comparison.loc["lightgbm"]
    assert np.isnan(refused["auc"])
    for number in ("parameters", "needed", "people", "events"):
        assert f"{asked[number]:,}" in refused["refused"]["es"]
    assert model.learner.kind == "linear"
    assert model.report["chosen"] == "elastic_net"


def test_with_people_enough_for_its_columns_lightgbm_competes(history, catalogue):
    spec = quick("repeat", bootstrap=20).to_document()
    spec["features"]["include"] = ["incidents_90d", "days_since_incident", "severity_total_365d"]
    spec["sample_size"]["c_statistic"] = 0.9
    spec["learners"]["main"] = "lightgbm"
    model = train(spec, history, catalogue=catalogue, seed=1)
    assert model.report["sample_size"]["refused"] == []
    assert model.learner.kind == "trees"
    assert model.report["selection"]["pinned"]
    assert table_of(model).loc["lightgbm", "auc_low"] > 0.5


def test_the_choice_is_made_on_the_calibrate_window_and_told(model):
    told = model.report["selection"]
    scores = {row["candidate"]: row for row in told["scores"]}
    best = min(scores, key=lambda name: scores[name]["log_loss"])
    assert told["best"] == best
    simpler = told["order"][: told["order"].index(told["chosen"])]
    assert all(scores[name]["worse_low"] > 0 or scores[name]["auc_high"] < 0 for name in simpler)
    assert scores[told["chosen"]]["worse_low"] <= 0
    assert scores[told["chosen"]]["auc_high"] >= 0
    assert set(told["order"]).isdisjoint({"analyst_level", "proxy_epv_r"})


def test_partners_and_others_are_compared_together_and_apart(model):
    found = model.report["relationship"]
    assert found["chosen"] == ("two_models" if model.report["chosen"] == "by_relationship" else "one_model")
    for window in WINDOWS:
        strata = [row for row in found["strata"] if row["window"] == window]
        total = next(w for w in model.report["split"]["windows"] if w["window"] == window)
        assert sum(row["assessments"] for row in strata) == total["assessments"]
        assert sum(row["events"] for row in strata) == total["events"]
    assert found["words"]["es"] != found["words"]["en"]


def test_the_report_says_what_it_rests_on(model, history, catalogue):
    windows = model.report["split"]["windows"]
    assert [w["window"] for w in windows] == list(WINDOWS)
    for window in windows:
        assert 0 < window["events"] < window["assessments"]
        assert window["low"] < window["share"] < window["high"]
    assert model.report["split"]["prospective"]
    assert model.report["split"]["gap_days"] == 135
    assert model.card["catalogue"] == catalogue.hash
    assert model.card["history"]["hash"] == history.hash
    assert (
        model.report["simplest_not_worse"] in pd.DataFrame(model.report["comparison"])["candidate"].tolist()
    )
    assert sum(row["chosen"] for row in model.report["calibrators"]["elastic_net"]) == 1
    assert {"es", "en", "code"} <= set(model.report["notes"][0])


def test_no_id_of_a_case_or_a_person_is_in_the_bundle(model, history):
    cases = history.table("cases").to_pandas()
    text = "".join(model._files.values())
    for column in ("case_id", "aggressor_id", "victim_id"):
        assert not any(value in text for value in cases[column].head(300))


def test_the_same_inputs_and_seed_give_the_same_version(model, spec, history, catalogue):
    assert train(spec, history, catalogue=catalogue, seed=1).version == model.version


def test_the_saved_model_predicts_for_new_assessments(model, history, catalogue, tmp_path):
    again = Model.load(model.save(tmp_path / "repeat"))
    day = history.observed_until.normalize()
    matrix = build_features(history, assessments(history, every="1d", start=day, end=day), catalogue)
    risk = again.predict(matrix)
    np.testing.assert_array_equal(risk, model.predict(matrix))
    assert ((risk > 0) & (risk < 1)).all()
    around = again.interval(matrix)
    assert (around["low"] <= around["high"]).all()
    assert (around.index == matrix.index).all()


def test_monotone_constraints_hold_in_the_trained_model(model, history, catalogue):
    day = history.observed_until.normalize()
    matrix = build_features(history, assessments(history, every="1d", start=day, end=day), catalogue)
    column = next(c.name for c in catalogue.columns if c.direction == "increasing" and c.name in matrix)
    more = matrix.assign(**{column: matrix[column] + 1})
    assert (model.margin(more) >= model.margin(matrix) - 1e-9).all()


def test_a_registry_without_signal_gives_an_auc_of_one_half_and_the_base_rate_wins(spec, catalogue):
    history = History.of(dict(simulate(1500, seed=2, signal=0.0).tables))
    model = train(spec, history, catalogue=catalogue)
    report = model.report
    rows = {row["candidate"]: row for row in report["comparison"]}
    assert rows["elastic_net"]["auc_low"] < 0.5 + 0.03
    assert rows["elastic_net"]["auc_high"] > 0.5 - 0.03
    assert report["chosen"] == "base_rate"
    assert np.ptp(model.learner.margin(np.zeros((3, len(model.encoding.columns))))) == 0
    assert "leakage" not in {note["code"] for note in report["notes"]}


def test_by_person_the_report_says_that_it_is_not_prospective(history, catalogue, spec):
    document = spec.to_document() | {
        "split": {"by": "person", "index_date": "random"},
        "minimum": {"events_to_learn": 10, "events_to_judge": 2},
    }
    report = train(document, history, catalogue=catalogue).report
    assert not report["split"]["prospective"]
    assert "not_prospective" in {note["code"] for note in report["notes"]}


def test_a_long_horizon_is_developed_on_folds_of_people_and_judged_later(history, catalogue):
    model = train(quick("severe_harm", bootstrap=20), history, catalogue=catalogue, seed=1)
    table = table_of(model)
    assert list(table.index) == [*YARDSTICKS, "elastic_net", "lightgbm", "blend"]
    assert model.report["sample_size"]["refused"] == ["lightgbm", "blend"]
    windows = {w["window"]: w for w in model.report["split"]["windows"]}
    assert tuple(windows) == ("develop", "evaluate")
    assert model.report["split"]["prospective"]
    gap = pd.Timestamp(windows["evaluate"]["first"]) - pd.Timestamp(windows["develop"]["last"])
    assert gap >= pd.Timedelta(days=410)
    assert table.loc["elastic_net", "auc"] > table.loc["incidents", "auc"]


def test_a_mixture_without_a_develop_window_is_refused():
    document = load_model_file(ROOT / "models" / "repeat.yml").to_document()
    document["learners"]["main"] = "blend"
    with pytest.raises(RiskmlError, match="develop"):
        ModelFile.of(document)
