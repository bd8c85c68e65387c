"""A recalibration as a version of its own: what it moves, what it leaves, and what it refuses."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.bundle import Model
from riskml.models.calibration import Calibrator
from riskml.models.spec import ModelFile
from riskml.outcomes.cohort import assessments
from riskml.outcomes.labels import label_outcomes
from riskml.registry.history import History
from riskml.training.recalibrated import recalibrate_model
from riskml.training.train import train
from riskml.validation.calibration import calibration_intercept
from training_history import small_history

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "features")
TRIAL = {
    "name": "trial",
    "label": {"es": "Prueba", "en": "Trial"},
    "outcome": {"event": "incident", "horizon": "90d", "reporting_lag": "30d"},
    "features": {"include": ["incidents_*", "days_since_incident"]},
    "learners": {"main": "elastic_net"},
    "bootstrap": 20,
}


@pytest.fixture(scope="module")
def history():
    return History.of(small_history(500, seed=3))


@pytest.fixture(scope="module")
def model(history):
    return train(ModelFile.of(TRIAL), history, catalogue=CATALOGUE)


@pytest.fixture(scope="module")
def too_low(model):
    """The same model with every risk at about a third of what it was."""
    other = copy.copy(model)
    other.__dict__.pop("_files", None)
    other.calibrator = Calibrator("sigmoid", {"slope": 1.0, "intercept": -1.1})
    return other


@pytest.fixture(scope="module")
def judged(history, model):
    """The window that judged: matrix and outcome."""
    window = next(w for w in model.report["split"]["windows"] if w["window"] == "evaluate")
    cohort = assessments(history, every="28d")
    cohort = cohort[cohort["as_of"] >= pd.Timestamp(window["first"])].reset_index(drop=True)
    outcome = label_outcomes(history, cohort, ModelFile.of(TRIAL).outcome)["outcome"].to_numpy()
    known = ~np.isnan(outcome)
    return build_features(history, cohort[known].reset_index(drop=True), CATALOGUE), outcome[known]


def test_risks_that_are_too_low_are_moved_up_and_the_ranking_stays(too_low, history, judged):
    moved = recalibrate_model(too_low, history, kind="intercept")
    matrix, outcome = judged
    before, after = too_low.predict(matrix), moved.predict(matrix)
    assert calibration_intercept(outcome, before) > 0.5
    assert abs(calibration_intercept(outcome, after)) < 1e-6
    np.testing.assert_array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))
    assert moved.reference["mean_risk"] == pytest.approx(outcome.mean(), abs=1e-6)


def test_it_is_a_version_of_its_own_that_says_what_it_began_from(too_low, history, tmp_path):
    moved = recalibrate_model(too_low, history)  # asked to judge for itself, it moves them
    assert moved.version != too_low.version
    assert moved.card["base"] == too_low.version
    assert moved.card["recalibration"]["base"] == too_low.version
    assert too_low.version in moved.report["notes"][-1]["es"]
    assert Model.load(moved.save(tmp_path / "moved")).version == moved.version


def test_where_calibration_asks_for_nothing_no_version_is_made(too_low, history):
    moved = recalibrate_model(too_low, history, kind="intercept_slope")
    assert recalibrate_model(moved, history) is None


def test_what_the_model_was_learnt_on_cannot_judge_its_calibration(model, history):
    learnt = next(w for w in model.report["split"]["windows"] if w["window"] == "calibrate")
    with pytest.raises(RiskmlError, match="learnt on assessments up to"):
        recalibrate_model(model, history, since=learnt["last"])


def test_a_window_that_nobody_could_follow_up_yet_is_refused(model, history):
    with pytest.raises(RiskmlError, match="followed up"):
        recalibrate_model(model, history, since=f"{history.observed_until:%Y-%m-%d}")
