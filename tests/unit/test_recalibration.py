"""Recalibration: learnt as statsmodels would, judged on others, versioned, and in the form a bundle holds."""

import json
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from riskml.errors import RiskmlError
from riskml.models.calibration import CALIBRATORS, Calibrator, fit_calibrator
from riskml.validation.calibration import calibration_intercept, calibration_slope
from riskml.validation.forecast import NotEstimable, logit
from riskml.validation.recalibration import Recalibration, advised_kind, recalibrate, recalibrated


def _window(people=700, shift=0.0, stretch=1.0, seed=0):
    """Log-odds that should be shifted and stretched to be right: margin, outcome, people."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 4)
    margin = rng.normal(-1.5, 1.0, len(person))
    outcome = (rng.random(len(person)) < expit(shift + stretch * margin)).astype(float)
    return margin, outcome, person


def _learnt(kind, *window, **arguments):
    return recalibrate(*window, kind=kind, **{"replicates": 30, "seed": 0, **arguments})


def test_what_is_learnt_is_that_of_statsmodels():
    margin, outcome, people = _window(shift=0.5, stretch=0.7)
    both = _learnt("intercept_slope", margin, outcome, people)
    reference = sm.GLM(outcome, sm.add_constant(margin), family=sm.families.Binomial()).fit(tol=1e-12)
    assert (both.intercept, both.slope) == pytest.approx(tuple(reference.params), abs=1e-6)
    one = _learnt("intercept", margin, outcome, people)
    reference = sm.GLM(outcome, np.ones(len(margin)), family=sm.families.Binomial(), offset=margin)
    assert one.intercept == pytest.approx(reference.fit(tol=1e-12).params[0], abs=1e-6)
    assert one.slope == 1
    low, high = both.intervals["slope"]
    assert low < 0.7 < high


def test_risk_is_right_afterwards_and_judged_on_others():
    margin, outcome, people = _window(shift=0.6, stretch=0.8)
    found = _learnt(
        "intercept_slope", margin, outcome, people, base="abc", first="2025-01-01", last="2025-06-30"
    )
    moved = found.risk(expit(margin))
    assert calibration_intercept(outcome, moved) == pytest.approx(0, abs=1e-6)
    assert calibration_slope(outcome, moved) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(np.argsort(moved), np.argsort(margin))
    assert found.before["calibration_intercept"]["low"] > 0.4
    assert abs(found.after["calibration_intercept"]["estimate"]) < 0.1
    assert found.differences["log_loss"]["high"] < 0
    assert found.judged_on == "cross_fitted"
    # Judged on people it was not learnt from: never quite as well as on its own.
    assert found.after["log_loss"]["estimate"] > -np.mean(
        outcome * np.log(moved) + (1 - outcome) * np.log1p(-moved)
    )
    assert found.window == {
        "first": "2025-01-01",
        "last": "2025-06-30",
        "assessments": 2800,
        "people": 700,
        "events": int(outcome.sum()),
    }
    assert "se multiplican por 0." in found.words()["es"]


def test_a_later_window_judges_where_one_is_given():
    found = _learnt("intercept", *_window(shift=0.6), later=_window(shift=0.6, seed=9))
    assert found.judged_on == "later"
    assert abs(found.after["calibration_intercept"]["estimate"]) < 0.15
    assert found.differences["brier"]["estimate"] < 0
    none = _learnt("intercept", *_window(shift=0.6), later=_window(seed=9))
    assert none.differences["log_loss"]["low"] > 0  # what has moved back is made worse, and shown


def test_the_least_that_calibration_asks_for_is_advised():
    def advised(**window):
        return advised_kind(_learnt("intercept", *_window(**window), replicates=60).before)

    assert [advised(seed=seed) for seed in range(6)].count("none") >= 5
    assert advised(shift=0.5) == "intercept"
    assert advised(shift=0.2, stretch=0.6) == "intercept_slope"


def test_equal_content_has_an_equal_version_and_a_changed_one_is_refused():
    window = _window(shift=0.3)
    found = _learnt("intercept", *window)
    assert found.version == _learnt("intercept", *window).version
    assert found.version != replace(found, intercept=found.intercept + 1e-9).version
    document = json.loads(json.dumps(found.to_document()))
    again = Recalibration.from_document(document)
    assert (again, again.version) == (found, found.version)
    for changed, said in (
        ({"intercept": 0.0}, "changed after"),
        ({"format": "other"}, "format"),
        ({"more": 1}, "not a recalibration"),
    ):
        with pytest.raises(RiskmlError, match=said):
            Recalibration.from_document({**document, **changed})


@settings(max_examples=40)
@given(st.integers(0, 1000), st.sampled_from(CALIBRATORS), st.floats(-1.5, 1.5), st.floats(0.3, 2.0))
def test_a_bundles_calibrator_takes_it_in_whatever_its_kind(seed, kind, shift, stretch):
    rng = np.random.default_rng(seed)
    margin = rng.normal(-1, 1.5, 300)
    outcome = (rng.random(300) < expit(0.8 * margin)).astype(float)
    calibrator = fit_calibrator(kind, margin, outcome)
    step = Recalibration("intercept_slope", shift, stretch, {})
    composed = recalibrated(calibrator, step)
    stored = Calibrator.from_document(json.loads(json.dumps(composed.to_document())))
    asked = np.concatenate([margin, rng.normal(-1, 3, 200)])
    wanted = np.clip(expit(shift + stretch * logit(calibrator.risk(asked))), 1e-6, 1 - 1e-6)
    assert stored.risk(asked) == pytest.approx(wanted, abs=2e-6)
    assert stored.risk(asked) == pytest.approx(step.risk(calibrator.risk(asked)), abs=2e-6)
    ordered = np.argsort(asked, kind="stable")
    assert (np.diff(stored.risk(asked)[ordered]) >= -1e-12).all()


def test_what_cannot_be_learnt_says_why():
    margin, outcome, people = _window()
    few = np.zeros(len(outcome))
    few[np.arange(19) * 4] = 1
    with pytest.raises(NotEstimable, match="19 aggressors with an event; the minimum is 20"):
        _learnt("intercept", margin, few, people)
    with pytest.raises(NotEstimable, match="trained again"):
        _learnt("intercept_slope", -margin, outcome, people)
    with pytest.raises(NotEstimable, match="the same"):
        _learnt("intercept_slope", np.zeros(len(margin)), outcome, people)
    with pytest.raises(NotEstimable, match="separate"):
        _learnt("intercept_slope", outcome * 2 - 1, outcome, people)
    with pytest.raises(RiskmlError, match='unknown kind "slope"'):
        _learnt("slope", margin, outcome, people)
    with pytest.raises(RiskmlError, match="finite"):
        _learnt("intercept", np.where(margin > 0, np.inf, margin), outcome, people)
    with pytest.raises(RiskmlError, match="do not pair"):
        _learnt("intercept", margin, outcome, people[:-1])
