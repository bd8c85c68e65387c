"""Metrics against scikit-learn, statsmodels, frozen values, and what each must do at its ends."""

from functools import partial

import numpy as np
import pytest
import sklearn.metrics
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.validation.forecast import Forecast, logit
from riskml.validation.leakage import leakage_flag
from riskml.validation.metrics import (
    METRICS,
    NotEstimable,
    auc,
    average_precision,
    brier_score,
    calibration_intercept,
    calibration_slope,
    e50,
    e90,
    estimated_calibration_index,
    integrated_calibration_index,
    log_loss,
    net_benefit,
    observed_expected,
    on_totals,
    recall_at_capacity,
    scaled_brier,
    standardised_net_benefit,
)
from riskml.validation.utility import decision_curve


def _example(n=400, seed=0, ties=True):
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1.5, 1.2, n)
    p = 1 / (1 + np.exp(-(0.2 + 1.3 * log_odds)))
    y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)
    return y, np.round(p, 2).clip(0.01, 0.99) if ties else p, rng.integers(0, 4, n).astype(float)


# ten assessments, small enough to be worked out by hand
Y = np.array([1, 0, 1, 1, 0, 0, 1, 0, 0, 0])
P = np.array([0.9, 0.8, 0.8, 0.6, 0.5, 0.4, 0.3, 0.3, 0.2, 0.1])


def test_values_worked_out_by_hand():
    assert auc(Y, P) == pytest.approx((6 + 5.5 + 5 + 2.5) / 24)
    assert average_precision(Y, P) == pytest.approx((1 + 2 / 3 + 3 / 4 + 4 / 8) / 4)
    assert brier_score(Y, P) == pytest.approx(
        (0.01 + 0.64 + 0.04 + 0.16 + 0.25 + 0.16 + 0.49 + 0.09 + 0.04 + 0.01) / 10
    )
    assert scaled_brier(Y, P) == pytest.approx(1 - 0.189 / 0.24)
    assert observed_expected(Y, P) == pytest.approx(4 / 4.9)
    assert net_benefit(Y, P, threshold=0.3) == pytest.approx(4 / 10 - 4 / 10 * 3 / 7)
    assert standardised_net_benefit(Y, P, threshold=0.3) == pytest.approx((4 - 4 * 3 / 7) / 4)
    assert recall_at_capacity(Y, P, capacity=2) == pytest.approx((1 + 1 / 2) / 4)
    assert recall_at_capacity(Y, P, capacity=100) == 1


def test_values_stay_what_they_were():
    y, p, _ = _example(ties=False)
    frozen = {
        "auc": 0.7948006537,
        "average_precision": 0.5143609600,
        "brier": 0.1333643359,
        "scaled_brier": 0.1889972349,
        "log_loss": 0.4157193469,
        "calibration_intercept": -0.0769848111,
        "calibration_slope": 0.8335451445,
        "ici": 0.0326027704,
        "e50": 0.0282427484,
        "e90": 0.0833945871,
        "observed_expected": 0.9562768187,
    }
    found = {name: METRICS[name].function(y, p) for name in frozen}
    assert found == pytest.approx(frozen, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True])
def test_discrimination_and_accuracy_are_those_of_scikit_learn(seed, weighted):
    y, p, counts = _example(seed=seed)
    weights = counts if weighted else None
    for ours, theirs in (
        (auc, sklearn.metrics.roc_auc_score),
        (average_precision, sklearn.metrics.average_precision_score),
        (brier_score, sklearn.metrics.brier_score_loss),
        (log_loss, sklearn.metrics.log_loss),
    ):
        assert ours(y, p, weights=weights) == pytest.approx(theirs(y, p, sample_weight=weights), abs=1e-10)


def _logistic(y, design, weights, **arguments):
    return sm.GLM(y, design, family=sm.families.Binomial(), freq_weights=weights, **arguments).fit(tol=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True])
def test_calibration_is_that_of_statsmodels(seed, weighted):
    y, p, counts = _example(seed=seed)
    weights = counts if weighted else np.ones(len(y))
    x = np.log(p / (1 - p))
    ones = np.ones((len(y), 1))
    intercept = _logistic(y, ones, weights, offset=x).params[0]
    slope = _logistic(y, np.column_stack([ones, x]), weights).params[1]
    assert calibration_intercept(y, p, weights=weights) == pytest.approx(intercept, abs=1e-7)
    assert calibration_slope(y, p, weights=weights) == pytest.approx(slope, abs=1e-7)
    curve = _logistic(y, Forecast(y, p).spline_design(p), weights).fittedvalues
    distance = np.repeat(np.abs(curve - p), weights.astype(int))
    for ours, theirs in (
        (integrated_calibration_index, np.mean(distance)),
        (e50, np.quantile(distance, 0.5)),
        (e90, np.quantile(distance, 0.9)),
        (estimated_calibration_index, np.mean(distance**2)),
    ):
        assert ours(y, p, weights=weights) == pytest.approx(theirs, abs=1e-7)


def test_the_spline_is_harrells():
    y, p, _ = _example(ties=False)
    x = logit(p)
    knots = np.quantile(x, (0.05, 0.35, 0.65, 0.95))
    cube = lambda k: np.maximum(x - k, 0) ** 3  # noqa: E731
    a, b, c, d = knots
    columns = [
        (cube(k) - cube(c) * (d - k) / (d - c) + cube(d) * (c - k) / (d - c)) / (d - a) ** 2 for k in (a, b)
    ]
    fitted = _logistic(y, np.column_stack([np.ones_like(x), x, *columns]), np.ones_like(x)).fittedvalues
    assert integrated_calibration_index(y, p) == pytest.approx(np.abs(fitted - p).mean(), abs=1e-7)


def test_perfect_calibration_is_near_its_targets_and_a_known_miss_is_found():
    rng = np.random.default_rng(1)
    p = rng.beta(1, 8, 60_000)
    y = (rng.random(len(p)) < p).astype(float)
    assert integrated_calibration_index(y, p) < 0.004
    assert calibration_slope(y, p) == pytest.approx(1, abs=0.04)
    assert observed_expected(y, p) == pytest.approx(1, abs=0.03)
    assert integrated_calibration_index(y, p / 2) == pytest.approx(np.mean(p) / 2, abs=0.004)
    bent = p**2
    assert integrated_calibration_index(y, bent) == pytest.approx(np.abs(p - bent).mean(), abs=0.004)


def test_a_constant_prediction_at_the_base_rate():
    y, _, _ = _example()
    p = np.full(len(y), y.mean())
    assert auc(y, p) == 0.5
    assert average_precision(y, p) == pytest.approx(y.mean())
    assert scaled_brier(y, p) == pytest.approx(0)
    assert calibration_intercept(y, p) == pytest.approx(0, abs=1e-9)
    assert integrated_calibration_index(y, p) == pytest.approx(0, abs=1e-9)
    assert recall_at_capacity(y, p, capacity=40) == pytest.approx(0.1)
    with pytest.raises(NotEstimable, match="the same"):
        calibration_slope(y, p)


def test_predictions_of_few_values_or_of_0_and_1_are_taken():
    y, _, _ = _example()
    for values in ((0.1, 0.4), (0.1, 0.2, 0.5), (0.0, 1.0), (0.0, 0.2, 0.3, 1.0)):
        p = np.resize(values, len(y))
        assert all(
            np.isfinite(METRICS[name].function(y, p)) for name in METRICS if name != "recall_at_capacity"
        )


def test_what_cannot_be_estimated_says_why():
    p = np.array([0.1, 0.2, 0.3])
    for name in (
        "auc",
        "average_precision",
        "scaled_brier",
        "calibration_intercept",
        "calibration_slope",
        "ici",
        "e90",
    ):
        with pytest.raises(NotEstimable, match="0/3 assessments") as error:
            METRICS[name].function(np.zeros(3), p)
    assert error.value.words("es") == "una sola clase: 0/3 valoraciones con evento"
    with pytest.raises(ValueError, match="no event"):
        recall_at_capacity(np.zeros(3), p, capacity=1)
    with pytest.raises(NotEstimable, match="every predicted risk is 0"):
        observed_expected([0, 1], [0.0, 0.0])
    with pytest.raises(NotEstimable, match="separate"):
        calibration_slope([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])
    with pytest.raises(NotEstimable, match="no assessment"):
        auc([], [])


@pytest.mark.parametrize(
    ("y", "p", "said"),
    [
        ([0, 1, np.nan], [0.1, 0.2, 0.3], "censored"),
        ([0, 2], [0.1, 0.2], "must be 0 or 1"),
        ([0, 1], [0.1, np.nan], "probabilities"),
        ([0, 1], [0.1, 1.2], "probabilities"),
        ([0, 1], [0.1, 0.2, 0.3], "do not pair"),
    ],
)
def test_what_is_no_forecast_is_one_message(y, p, said):
    with pytest.raises(RiskmlError, match=said):
        auc(y, p)


def test_weights_and_parameters_are_checked():
    for weights in ([1, -1], [1], [0, 0], [1, np.nan]):
        with pytest.raises(RiskmlError, match="weights"):
            auc([0, 1], [0.1, 0.2], weights=weights)
    with pytest.raises(RiskmlError, match="threshold"):
        net_benefit([0, 1], [0.1, 0.2], threshold=1)
    with pytest.raises(RiskmlError, match="capacity"):
        recall_at_capacity([0, 1], [0.1, 0.2], capacity=0)
    with pytest.raises(RiskmlError, match="as_of"):
        recall_at_capacity([0, 1], [0.1, 0.2], capacity=1, as_of=np.array([1]))


def test_each_week_has_its_own_list_from_monday():
    week = np.array(
        ["2025-03-03T00:00", "2025-03-09T23:00", "2025-03-10T00:00"], "datetime64[us]"
    )  # Mon, Sun, Mon
    y, p = np.array([0, 1, 1]), np.array([0.9, 0.8, 0.1])
    assert recall_at_capacity(y, p, as_of=week, capacity=1) == 0.5
    assert recall_at_capacity(y, p, as_of=week, capacity=2) == 1
    assert recall_at_capacity(y, p, capacity=1) == 0
    assert recall_at_capacity(y, p, as_of=np.array(["a", "b", "b"]), capacity=1) == 0.5


def test_recall_is_the_mean_over_every_order_of_ties():
    rng = np.random.default_rng(3)
    y, p, week = rng.integers(0, 2, 60), rng.integers(0, 4, 60) / 4, rng.integers(0, 3, 60)
    drawn = []
    for _ in range(4000):
        order = np.lexsort((rng.random(60), -p, week))
        place = np.concatenate([np.arange((week == w).sum()) for w in range(3)])
        drawn.append(y[order][place < 6].sum() / y.sum())
    assert recall_at_capacity(y, p, as_of=week, capacity=6) == pytest.approx(np.mean(drawn), abs=0.005)


def test_a_decision_curve_has_all_and_none():
    curve = decision_curve(Y, {"model": P}, [0.1, 0.3])
    assert list(curve.columns) == ["model", "all", "none"]
    assert curve.loc[0.3, "all"] == pytest.approx(0.4 - 0.6 * 3 / 7)
    assert (curve["none"] == 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60))
def test_weights_count_as_repetitions(seed, n):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, 2, n), rng.integers(1, 20, n) / 20
    week, counts = rng.integers(0, 3, n), rng.integers(0, 4, n)
    repeated = np.repeat(np.arange(n), counts)
    # Knots of the flexible curve stand at the quantiles of the predictions, however often each counts.
    of_the_curve = ("ici", "e50", "e90")
    for name, metric in METRICS.items():
        if name in of_the_curve:
            continue
        listed = name == "recall_at_capacity"
        keywords = {"capacity": 4, "as_of": week} if listed else {}
        again = {"capacity": 4, "as_of": week[repeated]} if listed else {}
        try:
            expected = metric.function(y[repeated], p[repeated], **again)
        except NotEstimable:
            with pytest.raises(RiskmlError):
                metric.function(y, p, weights=counts, **keywords)
            continue
        assert metric.function(y, p, weights=counts, **keywords) == pytest.approx(expected, abs=1e-6), name


def test_on_totals_gives_what_the_metric_gives():
    y, p, counts = _example()
    totals = Forecast(y, p).at(counts)
    for function in (auc, e90, partial(net_benefit, threshold=0.2), partial(recall_at_capacity, capacity=9)):
        assert on_totals(function)(totals) == function(y, p, weights=counts)
    own = lambda y, p, weights: np.average(p, weights=weights)  # noqa: E731
    assert on_totals(own)(totals) == pytest.approx(np.average(p, weights=counts))


def test_an_auc_above_80_carries_the_leakage_message():
    assert leakage_flag((0.80, 0.78, 0.82)) == ""
    assert leakage_flag((float("nan"), 0.7, 0.9)) == ""
    said = leakage_flag((0.83, 0.81, 0.85), language="en")
    assert "0.83 (interval 0.81-0.85)" in said
    assert said == message("validation.leakage_flag", "en", auc="0.83", low="0.81", high="0.85")
