"""Metrics against a second, independent way to the same figure, each to 1e-6."""

import numpy as np
import patsy
import pytest
import statsmodels.api as sm
from scipy.stats import mannwhitneyu
from sklearn.dummy import DummyClassifier
from sklearn.metrics import brier_score_loss, recall_score

from riskml.validation.metrics import (
    auc,
    e50,
    e90,
    integrated_calibration_index,
    observed_expected,
    recall_at_capacity,
    scaled_brier,
)

CLOSE = 1e-6


@pytest.fixture(params=[(0, 400), (1, 1500), (2, 5000)], ids=lambda p: f"{p[1]} rows")
def forecast(request):
    seed, n = request.param
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1.5, 1.1, n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)
    return outcome, 1 / (1 + np.exp(-(0.3 + 1.4 * log_odds)))


def test_the_calibration_curve_is_that_of_patsys_natural_splines(forecast):
    """Natural cubic splines in the parametrisation of Wood (2006), with the knots of rms: 5, 35, 65, 95 %."""
    outcome, risk = forecast
    x = np.log(risk) - np.log1p(-risk)
    first, *inner, last = np.quantile(x, (0.05, 0.35, 0.65, 0.95))
    columns = patsy.cr(x, knots=inner, lower_bound=first, upper_bound=last)
    fitted = sm.GLM(outcome, np.asarray(columns), family=sm.families.Binomial()).fit(tol=1e-13).fittedvalues
    distance = np.abs(fitted - risk)
    assert integrated_calibration_index(outcome, risk) == pytest.approx(distance.mean(), abs=CLOSE)
    assert e50(outcome, risk) == pytest.approx(np.quantile(distance, 0.5), abs=CLOSE)
    assert e90(outcome, risk) == pytest.approx(np.quantile(distance, 0.9), abs=CLOSE)


def test_observed_to_expected_is_a_poisson_regression_with_the_risks_as_offset(forecast):
    outcome, risk = forecast
    ones = np.ones((len(risk), 1))
    fitted = sm.GLM(outcome, ones, family=sm.families.Poisson(), offset=np.log(risk)).fit(tol=1e-13)
    assert observed_expected(outcome, risk) == pytest.approx(np.exp(fitted.params[0]), abs=CLOSE)


def test_auc_is_the_share_of_pairs_in_order(forecast):
    outcome, risk = forecast
    for p in (risk, np.round(risk, 1)):
        pairs = mannwhitneyu(p[outcome == 1], p[outcome == 0]).statistic
        assert auc(outcome, p) == pytest.approx(pairs / outcome.sum() / (1 - outcome).sum(), abs=CLOSE)


def test_the_scaled_brier_score_is_against_the_share_for_all(forecast):
    outcome, risk = forecast
    prior = DummyClassifier(strategy="prior").fit(risk[:, None], outcome).predict_proba(risk[:, None])[:, 1]
    expected = 1 - brier_score_loss(outcome, risk) / brier_score_loss(outcome, prior)
    assert scaled_brier(outcome, risk) == pytest.approx(expected, abs=CLOSE)


def test_recall_at_capacity_is_the_recall_of_the_list(forecast):
    outcome, risk = forecast
    listed = np.zeros(len(risk))
    listed[np.argsort(-risk)[:40]] = 1
    assert recall_at_capacity(outcome, risk, capacity=40) == pytest.approx(
        recall_score(outcome, listed), abs=CLOSE
    )
