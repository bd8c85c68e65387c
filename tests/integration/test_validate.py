"""A whole validation of small models: what it says is what the report says, and nothing later is used."""

import json
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.models.levels import default_levels
from riskml.models.spec import ModelFile, load_model_file
from riskml.outcomes.labels import label_outcomes
from riskml.registry.history import History
from riskml.simulation.simulate import simulate
from riskml.training import backtested
from riskml.training.found_leaks import leakage_found
from riskml.training.rebuilt import rebuilt
from riskml.training.train import train
from riskml.training.validate import FORMAT, validate
from riskml.validation.metrics import METRICS

ROOT = Path(__file__).parents[2]
COLUMNS = (
    "incidents_90d",
    "days_since_incident",
    "severity_total_365d",
    "factors_present_ever",
    "days_since_measure",
    "measures_365d",
    "incident_since_measure",
)
PARTS = (
    "sample_size",
    "performance",
    "unseen",
    "backtest",
    "calibration",
    "utility",
    "levels",
    "agreement",
    "stability",
    "fairness",
    "leakage",
    "treatment",
    "recalibration",
)


def small_spec(name="repeat", *, main="elastic_net", **parts):
    """A model file of few columns and replicates: these tests do not read how good a model is."""
    document = load_model_file(ROOT / "models" / f"{name}.yml").to_document()
    document |= {"bootstrap": 20, "minimum": {"events_to_learn": 20, "events_to_judge": 5}}
    document["features"] |= {"include": list(COLUMNS)}
    trees = {"trials": 0, "grid": document["learners"]["lightgbm"]["grid"][:1], "rounds": 60}
    document["learners"] = {"main": main, "lightgbm": trees, "elastic_net": {"l1_ratio": [0.5]}}
    document |= {"baselines": {"instruments": []}, "calibrators": ["none", "sigmoid"]}
    return ModelFile.of(document | parts)


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(ROOT / "features").part(*COLUMNS)


@pytest.fixture(scope="module")
def history():
    tables = History.of(dict(simulate(700, seed=4).tables)).tables
    return History(tables, {"hash": "a" * 64, "synthetic": True})


@pytest.fixture(scope="module")
def model(history, catalogue):
    return train(small_spec(), history, catalogue=catalogue, seed=3)


@pytest.fixture(scope="module")
def watched(model, history):
    """The document, and what the recipe was given to learn from at each origin."""
    learnt, recipe = [], backtested.candidates_of_split

    def seen(data, *args, **more):
        learnt.append(data)
        return recipe(data, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtested, "candidates_of_split", seen)
        return validate(model, history, levels=default_levels(), refits=5, seed=2), learnt


@pytest.fixture(scope="module")
def document(watched):
    return watched[0]


def test_every_part_is_there_or_says_why_not(document, model, history):
    assert document["format"] == FORMAT
    assert document["model"] == {"name": "repeat", "version": model.version}
    assert document["history"] == history.hash
    assert set(PARTS) < set(document)
    estimated = {name for name in PARTS if "missing" not in document[name]}
    assert estimated == set(PARTS)
    text = json.dumps(document, allow_nan=False)
    assert "NaN" not in text


def test_performance_is_the_row_of_the_report(document, model):
    row = next(r for r in model.report["comparison"] if r["candidate"] == model.report["chosen"])
    found = document["performance"]
    assert (found["n"], found["events"], found["people"]) == (row["n"], row["events"], row["groups"])
    assert set(found["metrics"]) == set(METRICS)
    for name, figure in found["metrics"].items():
        assert figure["estimate"] == pytest.approx(row[name], abs=1e-12), name
        assert figure["low"] == pytest.approx(row[f"{name}_low"], abs=1e-12), name
        assert figure["high"] == pytest.approx(row[f"{name}_high"], abs=1e-12), name
    on_list = next(r for r in document["utility"]["capacity"] if r["k"] == model.card["capacity"])
    assert on_list["recall"] == pytest.approx(row["recall_at_capacity"], abs=1e-12)
    unseen = document["unseen"]
    assert unseen["metrics"]["auc"]["estimate"] == pytest.approx(model.report["unseen_aggressors"]["auc"])


def test_yardsticks_of_the_lists_are_those_of_the_comparison(document, model):
    rows = {r["candidate"]: r for r in model.report["comparison"]}
    on_list = next(r for r in document["utility"]["capacity"] if r["k"] == model.card["capacity"])
    recall = on_list["yardsticks"]["incidents"]["recall"]
    assert recall == pytest.approx(rows["incidents"]["recall_at_capacity"], abs=1e-12)
    for row in document["utility"]["decision_curve"]:
        assert row["model_low"] <= row["model"] <= row["model_high"]


def test_groups_of_calibration_and_of_fairness_are_one_computation(document):
    fair = {(r["grouping"], r["group"], r["metric"]): r["estimate"] for r in document["fairness"]["rows"]}
    rows = document["calibration"]["by_group"]["rows"]
    assert {r["grouping"] for r in rows} == {"year", "municipality", "source", "relationship", "partner"}
    assert all(fair[r["grouping"], r["group"], r["metric"]] == r["estimate"] for r in rows)
    assert "false_negative_rate" in {r["metric"] for r in document["fairness"]["rows"]}
    point = document["fairness"]["operating_point"]
    assert point["listed"] == document["utility"]["capacity"][1]["listed"]


@pytest.mark.slow
def test_two_runs_give_the_same_bytes(document, model, history):
    again = validate(model, history, levels=default_levels(), refits=5, seed=2)
    first, second = (json.dumps(d, sort_keys=True, ensure_ascii=False).encode() for d in (document, again))
    assert first == second


def test_nobody_is_named(document, history):
    text = json.dumps(document, ensure_ascii=False)
    for table, column in (("cases", "case_id"), ("cases", "aggressor_id"), ("cases", "victim_id")):
        names = history.table(table)[column].to_pandas().unique()
        assert len(names) > 300
        assert not [name for name in names if str(name) in text]


def test_another_history_and_another_bundle_are_refused(model, history, catalogue):
    other = History(history.tables, {"hash": "b" * 64})
    with pytest.raises(RiskmlError, match="was trained on history"):
        validate(model, other)
    moved = copy(model)
    moved.learner = replace(moved.learner, intercept=moved.learner.intercept + 0.5)
    with pytest.raises(RiskmlError, match="predicts otherwise"):
        validate(moved, history)
    moved.catalogue = None
    with pytest.raises(RiskmlError, match="does not say how it was made"):
        validate(moved, history)


def _as_it_stood(history, moment):
    """The history as a reader at a moment would have taken it: nothing recorded or corrected later."""
    tables = {}
    for name in history.tables:
        frame = history.table(name).to_pandas()
        frame = frame[frame["recorded_at"] <= moment].copy()
        frame.loc[frame["superseded_at"] > moment, "superseded_at"] = pd.NaT
        if "closed_at" in frame:
            frame.loc[frame["closed_at"] > moment, "closed_at"] = pd.NaT
        tables[name] = frame
    return History.of(tables)


def test_no_label_known_after_an_origin_enters_learning_at_it(model, history, watched):
    found, learnt = watched[0]["backtest"], watched[1]
    assert [row["origin"] for row in found["recipe"]] == sorted({row["origin"] for row in found["origins"]})
    assert len(learnt) == 4
    for data, row in zip(learnt, found["recipe"], strict=True):
        split, at = data.split, pd.Timestamp(data.split.bounds["evaluate"][0])
        assert str(at.date()) == row["origin"]
        then = _as_it_stood(history, at)
        rows = np.union1d(split.refit, split.calibrate)
        assert data.as_of[rows].max() + split.gap <= at
        cohort = data.matrix.index.to_frame(index=False).iloc[rows]
        known = label_outcomes(then, cohort, model.card["outcome"], known_at=at)["outcome"].to_numpy()
        before = pd.Timestamp(split.bounds["calibrate"][0])
        earlier = label_outcomes(then, cohort, model.card["outcome"], known_at=before)["outcome"].to_numpy()
        wanted = np.where(np.isin(rows, split.refit), earlier, known)
        assert np.array_equal(data.outcome[rows], wanted)
        outside = np.setdiff1d(np.arange(len(data.outcome)), np.union1d(rows, split.rows["evaluate"]))
        assert np.isnan(data.outcome[outside]).all()
    assert set(found["candidates"]) >= {"base_rate", "incidents", "days_since", "elastic_net", "selected"}


def test_a_model_that_reads_the_outcome_fails_the_leakage_audit(history, catalogue):
    tables = {name: history.table(name).to_pandas() for name in history.tables}
    incidents = tables["incidents"].drop_duplicates("incident_id")
    opened = tables["cases"].groupby("case_id")["recorded_at"].min()
    early = incidents["occurred_at"] - pd.Timedelta(days=60)
    rows = incidents[early > incidents["case_id"].map(opened)]
    # A measure that is entered because of an event, and dated two months before it.
    leak = tables["measures"].iloc[:1].reindex(range(len(rows)), method="ffill")
    when = (rows["occurred_at"] - pd.Timedelta(days=60)).to_numpy().astype("datetime64[us]")
    leak = leak.assign(
        measure_id=[f"leak{i}" for i in range(len(rows))],
        case_id=rows["case_id"].to_numpy(),
        occurred_at=when,
        recorded_at=when,
        superseded_at=pd.NaT,
    )
    tables["measures"] = pd.concat([tables["measures"], leak], ignore_index=True)
    leaked = History.of(tables)
    model = train(small_spec(), leaked, catalogue=catalogue, seed=3)
    audit = leakage_found(rebuilt(model, leaked), replicates=20)
    assert audit["verdict"] == "fail"
    verdicts = {check["code"]: check["verdict"] for check in audit["checks"]}
    assert verdicts["single_features"] == "fail"
    assert verdicts["auc"] == "concern"


def test_an_honest_model_does_not_fail_the_leakage_audit(document):
    verdicts = {check["code"]: check["verdict"] for check in document["leakage"]["checks"]}
    assert set(verdicts) == {"auc", "single_features", "shuffled_labels", "future_shift"}
    assert document["leakage"]["ran"]
    assert verdicts["shuffled_labels"] != "fail"
    assert verdicts["future_shift"] == "pass"


@pytest.mark.slow
def test_a_long_horizon_is_developed_and_backtested_in_one_window(history, catalogue):
    spec = small_spec("severe_harm", minimum={"events_to_learn": 10, "events_to_judge": 5})
    model = train(spec, history, catalogue=catalogue, seed=3)
    found = validate(model, history, refits=5)
    assert {row["window"] for row in found["backtest"]["origins"]} == {"develop", "evaluate"}
    assert not found["backtest"]["fallback"]  # they are the model's own windows
    assert found["stability"]["settings_held"]
    assert found["levels"] == found["agreement"]  # no rules were given
