import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from riskml.errors import RiskmlError
from riskml.models.calibration import CALIBRATORS, Calibrator, choose_calibrator, fit_calibrator


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    margin = rng.normal(-1.5, 1.2, 4000)
    return margin, (rng.random(4000) < expit(0.5 * margin - 0.6)).astype(float)


@pytest.mark.parametrize("kind", CALIBRATORS)
def test_the_ranking_is_kept_and_no_risk_is_certain(data, kind):
    margin, outcome = data
    calibrator = fit_calibrator(kind, margin, outcome)
    grid = np.linspace(-12, 12, 2001)
    risk = calibrator.risk(grid)
    assert (np.diff(risk) >= 0).all()
    assert len(np.unique(calibrator.risk(np.linspace(-8, 8, 500)))) == 500
    assert 0 < risk.min() < risk.max() < 1
    again = Calibrator.from_document(json.loads(json.dumps(calibrator.to_document())))
    np.testing.assert_array_equal(again.risk(grid), risk)


@pytest.mark.parametrize("kind", ["sigmoid", "beta", "isotonic"])
def test_miscalibrated_log_odds_are_put_right(data, kind):
    margin, outcome = data
    rng = np.random.default_rng(1)
    new = rng.normal(-1.5, 1.2, 20_000)
    error = np.abs(fit_calibrator(kind, margin, outcome).risk(new) - expit(0.5 * new - 0.6)).mean()
    assert error < 0.02 < np.abs(expit(new) - expit(0.5 * new - 0.6)).mean()


def test_sigmoid_recovers_slope_and_intercept(data):
    parameters = fit_calibrator("sigmoid", *data).parameters
    assert parameters["slope"] == pytest.approx(0.5, abs=0.08)
    assert parameters["intercept"] == pytest.approx(-0.6, abs=0.15)


def test_the_lowest_cross_validated_brier_score_wins(data):
    margin, outcome = data
    chosen, table, risk = choose_calibrator(margin, outcome, np.arange(4000))
    briers = {row["kind"]: row["brier"] for row in table}
    assert chosen.kind == min(briers, key=briers.get) != "none"
    assert [row["kind"] for row in table if row["chosen"]] == [chosen.kind]
    assert np.mean((risk - outcome) ** 2) == pytest.approx(briers[chosen.kind])


def test_isotonic_does_not_win_by_overfitting():
    rng = np.random.default_rng(3)
    wins = 0
    for _ in range(6):
        margin = rng.normal(-1, 1, 300)
        outcome = (rng.random(300) < expit(margin)).astype(float)
        wins += choose_calibrator(margin, outcome, np.arange(300))[0].kind == "isotonic"
    assert wins <= 2


def test_a_cautious_choice_leaves_calibrated_log_odds_alone():
    rng = np.random.default_rng(4)
    kept = 0
    for _ in range(6):
        margin = rng.normal(-1, 1, 1000)
        outcome = (rng.random(1000) < expit(margin)).astype(float)
        kept += choose_calibrator(margin, outcome, np.arange(1000), cautious=True)[0].kind == "none"
    assert kept >= 4


def test_one_risk_for_everyone_is_moved_to_the_share_of_events():
    outcome = np.repeat([1.0, 0.0], [30, 70])
    for kind in ("sigmoid", "beta", "isotonic"):
        np.testing.assert_allclose(
            fit_calibrator(kind, np.full(100, -3.0), outcome).risk(np.zeros(1) - 3), 0.3
        )


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-8, 8), min_size=8, max_size=60),
    st.integers(0, 1000),
    st.sampled_from(["sigmoid", "beta", "isotonic"]),
)
def test_any_margins_give_an_increasing_map(margins, seed, kind):
    margin = np.array(margins)
    outcome = (np.random.default_rng(seed).random(len(margin)) < 0.5).astype(float)
    outcome[:2] = (0, 1)
    risk = fit_calibrator(kind, margin, outcome).risk(np.linspace(-9, 9, 200))
    assert (np.diff(risk) >= 0).all()
    assert (risk > 0).all()
    assert (risk < 1).all()


def test_an_unknown_calibrator_is_refused():
    with pytest.raises(RiskmlError, match="unknown calibrator"):
        Calibrator.from_document({"kind": "magic", "parameters": {}})
