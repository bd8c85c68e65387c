"""Logistic regression under published priors: against references, against itself, and in simulation."""

import warnings

import numpy as np
import pytest
from firthmodels import FirthLogisticRegression
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from statsmodels.api import GLM, families
from statsmodels.discrete.conditional_models import ConditionalLogit

from riskml.errors import RiskmlError
from riskml.models.prior_logistic import (
    data_alone,
    fit_prior_logistic,
    leave_one_out,
    restored_intercept,
)
from riskml.models.reviewed_cases import Review, shares_without_event

MEAN = np.log([6.7, 5.4, 4.1, 2.6, 4.0, 0.33])
SD = np.full(6, 0.5)


def _drawn(rng, b, cases, controls, *, shares=0.2, unknown=(0.0, 0.0)):
    """A case-control sample: factors independent among controls, tilted by exp(b) among cases."""
    shares = np.broadcast_to(shares, b.shape)
    tilted = shares * np.exp(b) / (1 - shares + shares * np.exp(b))
    y = np.repeat([1.0, 0.0], [cases, controls])
    x = (rng.random((len(y), len(b))) < np.where(y[:, None] == 1, tilted, shares)).astype(float)
    hidden = rng.random(x.shape) < np.where(y[:, None] == 1, *unknown)
    return np.where(hidden, np.nan, x), y


@pytest.fixture
def sample():
    return _drawn(np.random.default_rng(0), MEAN, 40, 120)


# ------------------------------------------------------------------ against references


def test_a_common_prior_around_zero_is_ridge(sample):
    x, y = sample
    fit = fit_prior_logistic(Review.of(x, y), np.zeros(6), np.full(6, 0.7))
    ridge = LogisticRegression(C=0.7**2, tol=1e-12, max_iter=10_000).fit(x, y)
    assert fit.coefficients == pytest.approx(ridge.coef_[0], abs=1e-6)
    assert fit.intercept == pytest.approx(ridge.intercept_[0], abs=1e-6)


def test_without_priors_it_is_maximum_likelihood_with_weights_and_offset(sample):
    x, y = sample
    rng = np.random.default_rng(1)
    weights, offset = rng.integers(1, 5, len(y)).astype(float), rng.normal(0, 0.5, len(y))
    review = Review.of(x, y, weights=weights, offset=offset)
    fit = fit_prior_logistic(review, np.zeros(6), np.full(6, np.inf))
    reference = GLM(
        y,
        np.column_stack([np.ones(len(y)), x]),
        family=families.Binomial(),
        offset=offset,
        freq_weights=weights,
    ).fit(tol=1e-14, maxiter=200)
    assert np.append(fit.intercept, fit.coefficients) == pytest.approx(reference.params, abs=1e-6)
    assert fit.sd == pytest.approx(reference.bse[1:], abs=1e-6)


def test_risk_sets_without_priors_are_conditional_logistic_regression():
    rng = np.random.default_rng(2)
    x = (rng.random((200, 3)) < 0.4).astype(float)
    sets = np.repeat(np.arange(40), 5)
    y = np.zeros(200)
    for members in range(40):
        rows = np.flatnonzero(sets == members)
        y[rng.choice(rows, p=np.exp(x[rows] @ [1, 0.5, -0.5]) / np.exp(x[rows] @ [1, 0.5, -0.5]).sum())] = 1
    review = Review.of(x, y, sets=sets + 100)
    fit = fit_prior_logistic(review, np.zeros(3), np.full(3, np.inf))
    reference = ConditionalLogit(y, x, groups=sets).fit(method="newton", tol=1e-14)
    assert fit.coefficients == pytest.approx(reference.params, abs=1e-6)
    assert fit.sd == pytest.approx(reference.bse, abs=1e-5)
    near = fit_prior_logistic(review, np.ones(3), np.full(3, 0.01))
    assert near.coefficients == pytest.approx(np.ones(3), abs=0.01)


def test_the_data_alone_are_firths_estimate(sample):
    x, y = sample
    rng = np.random.default_rng(3)
    weights, offset = rng.integers(1, 4, len(y)).astype(float), rng.normal(0, 0.5, len(y))
    reference = FirthLogisticRegression(
        backend="numpy", gtol=1e-11, xtol=1e-11, max_iter=500, max_halfstep=100
    )
    found, sd = data_alone(Review.of(x, y))
    reference.fit(x, y)
    assert found == pytest.approx(reference.coef_, abs=1e-6)
    risk = expit(reference.intercept_ + x @ reference.coef_)
    design = np.column_stack([np.ones(len(y)), x])
    information = design.T @ (design * (risk * (1 - risk))[:, None])
    assert sd == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information)))[1:], abs=1e-6)
    reference.fit(x, y, sample_weight=weights, offset=offset)
    found = data_alone(Review.of(x, y, weights=weights, offset=offset))[0]
    assert found == pytest.approx(reference.coef_, abs=1e-6)


@pytest.mark.parametrize("sets", [None, np.append(np.arange(15), np.repeat(np.arange(15), 4))])
def test_firths_estimate_is_where_its_own_penalised_likelihood_is_highest(sets):
    x, y = _drawn(np.random.default_rng(16), MEAN[:2], 15, 60, unknown=(0.2, 0.4) if sets is None else (0, 0))
    review = Review.of(x, y, sets=sets)
    found = data_alone(review, recording_sd=1.0)[0]

    def profile(b):
        """The highest log-likelihood with Jeffreys' penalty over everything but the effects."""
        design = np.column_stack([np.ones(len(y)), *np.isnan(x).T.astype(float)])
        s, unknown = review.shares, np.isnan(x)
        tilt = s * np.exp(b) / (1 - s + s * np.exp(b))
        terms = np.where(unknown, np.log(1 - s + s * np.exp(b)), np.nan_to_num(x) * b).sum(axis=1)
        slope = np.where(unknown, tilt, x)

        def value(nuisance):
            eta, jacobian = terms + design @ nuisance, np.column_stack([slope, design])
            risk, rest = expit(eta), 0.5 * (nuisance[1:] ** 2).sum()
            information = jacobian.T @ (jacobian * (risk * (1 - risk))[:, None])
            information += np.diag([0, 0, 0, 1, 1])
            return (
                -(y @ np.log(risk) + (1 - y) @ np.log(1 - risk))
                + rest
                - np.linalg.slogdet(information)[1] / 2
            )

        if sets is None:
            return minimize(value, [-1.0, 0, 0], method="BFGS", options={"gtol": 1e-9}).fun
        chance = np.exp(terms) / np.bincount(sets, np.exp(terms))[sets]
        mean = np.array([chance[sets == i] @ slope[sets == i] for i in range(15)])
        information = slope.T @ (slope * chance[:, None]) - mean.T @ mean
        return -np.log(chance[y == 1]).sum() - np.linalg.slogdet(information)[1] / 2

    slow = minimize(profile, found + 0.3, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-13}).x
    assert found == pytest.approx(slow, abs=1e-5)


def test_firths_estimate_is_finite_where_the_likelihood_is_not():
    x, y = np.array([[0], [0], [0], [1], [1], [1]]), np.array([0, 0, 0, 1, 1, 1])
    assert data_alone(Review.of(x, y))[0] == pytest.approx(
        [np.log(49)], abs=1e-6
    )  # half a person added to each cell


def _slow_objective(review, mean, sd, recording_sd):
    """Minus the log posterior, term by term: intercept, factors, recording of every factor."""
    p = len(mean)

    def value(theta):
        total = 0.5 * (((theta[1 : p + 1] - mean) / sd) ** 2).sum()
        total += 0.5 * ((theta[p + 1 :] / recording_sd) ** 2).sum()
        for row, outcome in zip(review.x, review.y, strict=True):
            eta = theta[0]
            for j in range(p):
                if np.isnan(row[j]):
                    s = review.shares[j]
                    eta += np.log((1 - s) + s * np.exp(theta[1 + j])) + theta[p + 1 + j]
                else:
                    eta += row[j] * theta[1 + j]
            total -= np.log(expit(eta) if outcome else expit(-eta))
        return total

    return value


def test_a_slow_optimiser_finds_the_same_with_unknown_factors():
    x, y = _drawn(np.random.default_rng(4), MEAN[:3], 15, 45, unknown=(0.2, 0.4))
    review = Review.of(x, y, shares=[0.1, np.nan, np.nan])
    mean, sd = MEAN[:3], np.array([0.5, 0.5, 1.0])
    fit = fit_prior_logistic(review, mean, sd, recording_sd=1.5)
    objective = _slow_objective(review, mean, sd, 1.5)
    slow = minimize(objective, np.zeros(7), method="BFGS", jac="3-point", options={"gtol": 1e-8}).x
    assert np.append(fit.intercept, fit.coefficients) == pytest.approx(slow[:4], abs=1e-6)
    hessian = np.array(
        [[_second(objective, slow, i, j) for j in range(7)] for i in range(7)]
    )  # by differences
    assert fit.covariance == pytest.approx(np.linalg.inv(hessian)[1:4, 1:4], abs=1e-4)


def _second(function, at, i, j, step=1e-3):
    a, b = np.eye(len(at))[i] * step, np.eye(len(at))[j] * step
    return (
        function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b)
    ) / (4 * step**2)  # fmt: skip


# ------------------------------------------------------------------ what unknown means


def test_unknown_adds_the_mean_effect_over_those_without_the_event():
    x, y = _drawn(np.random.default_rng(5), MEAN, 40, 120)
    fit = fit_prior_logistic(Review.of(x, y, shares=np.full(6, 0.2)), MEAN, SD)
    absent, present = np.zeros((1, 6)), np.zeros((1, 6))
    present[0, 0] = 1
    unknown = np.array([[np.nan, 0, 0, 0, 0, 0]])
    odds = [np.exp(fit.margin(row))[0] for row in (absent, unknown, present)]
    assert odds[1] == pytest.approx(0.8 * odds[0] + 0.2 * odds[2])
    assert odds[0] < odds[1] < odds[2]  # silence is not absence


def test_unknown_at_random_costs_precision_and_no_bias():
    rng, estimates, sds = np.random.default_rng(6), [], []
    for hidden in (0.0, 0.4):
        x, y = _drawn(rng, MEAN, 1500, 6000, unknown=(hidden, hidden))
        fit = fit_prior_logistic(Review.of(x, y), np.zeros(6), np.full(6, np.inf))
        estimates.append(fit.coefficients)
        sds.append(fit.sd)
    assert estimates[0] == pytest.approx(MEAN, abs=0.2)
    assert estimates[1] == pytest.approx(MEAN, abs=0.25)
    assert (sds[1] > sds[0]).all()


def test_recording_that_depends_on_the_event_does_not_move_effects():
    """A femicide's file is searched as no living case is: unknown in 10 % of cases, in 60 % of controls."""
    rng, flat = np.random.default_rng(7), np.full(6, np.inf)
    away = {"robust": [], "naive": [], "as denied": []}
    for _ in range(6):
        x, y = _drawn(rng, MEAN, 1500, 6000, unknown=(0.1, 0.6))
        fits = {
            "robust": fit_prior_logistic(Review.of(x, y), np.zeros(6), flat),
            "naive": fit_prior_logistic(Review.of(x, y), np.zeros(6), flat, recording_sd=0),
            "as denied": fit_prior_logistic(Review.of(np.nan_to_num(x), y), np.zeros(6), flat),
        }
        for name, fit in fits.items():
            away[name].append((fit.coefficients - MEAN)[:5])  # those that raise the risk
    mean = {name: np.mean(rows, axis=0) for name, rows in away.items()}
    assert np.abs(mean["robust"]).max() < 0.2
    assert (mean["naive"] < -0.15).all()
    assert (mean["as denied"] > 0.2).all()


def test_presence_that_is_recorded_more_readily_than_absence_does_not_move_effects():
    rng, away = np.random.default_rng(17), []
    for _ in range(6):
        x, y = _drawn(rng, MEAN, 1500, 6000)
        x[rng.random(x.shape) > np.where(x == 1, 0.6, 0.2)] = np.nan
        fit = fit_prior_logistic(Review.of(x, y), np.zeros(6), np.full(6, np.inf))
        away.append(fit.coefficients - MEAN)
    assert np.abs(np.mean(away, axis=0)).max() < 0.2


def test_shares_are_those_of_the_controls_of_whom_it_is_known():
    x = np.array([[1, 1], [1, 0], [0, np.nan], [np.nan, np.nan], [1, 0]])
    y = np.array([1, 0, 0, 0, 0])
    assert shares_without_event(x, y) == pytest.approx([2.5 / 4, 0.5 / 3])
    assert Review.of(x, y, shares=[0.1, np.nan]).shares == pytest.approx([0.1, 0.5 / 3])


# ------------------------------------------------------------------ prior against data


def test_ten_cases_stay_near_the_priors_and_three_hundred_follow_the_data():
    truth = MEAN + 1.5  # three standard deviations away from every prior
    few = fit_prior_logistic(Review.of(*_drawn(np.random.default_rng(8), truth, 10, 50)), MEAN, SD)
    many = fit_prior_logistic(Review.of(*_drawn(np.random.default_rng(9), truth, 300, 1500)), MEAN, SD)
    assert np.abs(few.coefficients - MEAN).mean() < 0.75 * np.abs(few.coefficients - truth).mean()
    assert np.abs(many.coefficients - truth).mean() < 0.5 * np.abs(many.coefficients - MEAN).mean()
    assert (few.sd > many.sd).all()
    assert (few.sd < 0.5).all()


@pytest.mark.parametrize(
    ("cases", "controls", "unknown"),
    [(10, 50, (0.0, 0.0)), (25, 125, (0.1, 0.5)), (100, 400, (0.3, 0.3))],
)
def test_intervals_cover_at_their_nominal_rate(cases, controls, unknown):
    rng, inside, half = np.random.default_rng(10), [], []
    for _ in range(200):
        truth = rng.normal(MEAN, SD)
        x, y = _drawn(rng, truth, cases, controls, unknown=unknown)
        fit = fit_prior_logistic(Review.of(x, y), MEAN, SD)
        for level, hits in ((0.95, inside), (0.5, half)):
            low, high = fit.intervals(level)
            hits.append((low <= truth) & (truth <= high))
    assert 0.93 <= np.mean(inside) <= 0.97
    assert 0.45 <= np.mean(half) <= 0.55


def test_known_log_odds_at_their_published_value_are_covered():
    rng, inside = np.random.default_rng(11), []
    for _ in range(200):
        fit = fit_prior_logistic(Review.of(*_drawn(rng, MEAN, 15, 75)), MEAN, SD)
        low, high = fit.intervals()
        inside.append((low <= MEAN) & (high >= MEAN))
    assert np.mean(inside, axis=0).min() >= 0.95


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_the_posterior_is_surer_than_the_prior_and_no_order_matters(seed):
    rng = np.random.default_rng(seed)
    x, y = _drawn(rng, MEAN[:3], 6, 18, unknown=(0.2, 0.5))
    if not (~np.isnan(x)).any():
        return
    review = Review.of(x, y)
    fit = fit_prior_logistic(review, MEAN[:3], SD[:3])
    assert (fit.sd <= 0.5 * 1.2).all()
    rows, columns = rng.permutation(len(y)), rng.permutation(3)
    again = fit_prior_logistic(Review.of(x[rows][:, columns], y[rows]), MEAN[:3][columns], SD[:3])
    assert again.coefficients == pytest.approx(fit.coefficients[columns], abs=1e-7)
    twice = fit_prior_logistic(
        Review.of(np.vstack([x, x]), np.append(y, y), shares=review.shares), MEAN[:3], SD[:3]
    )
    weighted = fit_prior_logistic(
        Review.of(x, y, shares=review.shares, weights=np.full(len(y), 2.0)), MEAN[:3], SD[:3]
    )
    assert weighted.coefficients == pytest.approx(twice.coefficients, abs=1e-7)  # fmt: skip


# ------------------------------------------------------------------ leave one out, base rate


def test_leaving_one_out_is_refitting_without_it():
    x, y = _drawn(np.random.default_rng(12), MEAN[:3], 6, 20, unknown=(0.2, 0.2))
    review = Review.of(x, y, shares=[0.1, np.nan, np.nan])
    margins = leave_one_out(review, MEAN[:3], SD[:3], estimated=np.array([False, True, True]))
    for row in (0, 3, 10):
        rest = np.arange(len(y)) != row
        fit = fit_prior_logistic(Review.of(x[rest], y[rest], shares=[0.1, np.nan, np.nan]), MEAN[:3], SD[:3])
        assert margins[row] == pytest.approx(fit.margin(x[[row]])[0], abs=1e-7)
    kept = fit_prior_logistic(review, MEAN[:3], SD[:3]).margin(x)
    assert margins[:6].mean() < kept[:6].mean()  # a case is judged lower without its own help


def test_leaving_one_out_takes_whole_risk_sets():
    x, y = _drawn(np.random.default_rng(13), MEAN[:2], 8, 32)
    sets = np.append(np.arange(8), np.repeat(np.arange(8), 4))
    review = Review.of(x, y, sets=sets)
    margins = leave_one_out(review, MEAN[:2], SD[:2])
    rest = sets != 3
    fit = fit_prior_logistic(
        Review.of(x[rest], y[rest], shares=review.shares, sets=sets[rest]), MEAN[:2], SD[:2]
    )
    assert margins[sets == 3] == pytest.approx(fit.margin(x[sets == 3]), abs=1e-7)


def test_the_base_rate_is_restored_by_prior_correction():
    rng, n = np.random.default_rng(14), 400_000
    x = (rng.random((n, 2)) < 0.3).astype(float)
    y = (rng.random(n) < expit(-7 + x @ [1.5, 1.0])).astype(float)
    cases = np.flatnonzero(y)
    chosen = np.append(cases, rng.choice(np.flatnonzero(y == 0), 5 * len(cases), replace=False))
    fit = fit_prior_logistic(Review.of(x[chosen], y[chosen]), np.array([1.5, 1.0]), np.full(2, 0.5))
    intercept = restored_intercept(fit.intercept, 1 / 6, y.mean())
    assert intercept == pytest.approx(-7, abs=0.15)
    assert expit(intercept + x @ fit.coefficients).mean() == pytest.approx(y.mean(), rel=0.1)
    by_hand = fit.intercept - np.log((1 - 0.001) / 0.001 * (1 / 6) / (5 / 6))
    assert restored_intercept(fit.intercept, 1 / 6, 0.001) == pytest.approx(by_hand)


# ------------------------------------------------------------------ what cannot be told, and bad input


def test_what_the_data_cannot_tell_is_missing_and_keeps_its_prior():
    x, y = _drawn(np.random.default_rng(15), MEAN[:4], 12, 48)
    x[:, 1] = np.nan  # nobody recorded it
    x[:, 2] = 0  # never present
    x[:, 3] = x[:, 0]  # told by another
    review = Review.of(x, y)
    found, sd = data_alone(review)
    assert np.isnan(found[1:]).all()
    assert np.isnan(sd[1:]).all()
    assert np.isfinite(found[0])
    fit = fit_prior_logistic(review, MEAN[:4], SD[:4])
    assert (fit.coefficients[1], fit.sd[1]) == (
        pytest.approx(MEAN[1], abs=0.02),
        pytest.approx(0.5, abs=0.02),
    )


def test_a_separated_sample_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        review = Review.of(np.repeat([[1.0, np.nan], [0.0, 0.0]], [3, 9], axis=0), np.repeat([1, 0], [3, 9]))
        fit = fit_prior_logistic(review, MEAN[:2], SD[:2])
        data_alone(review)
    assert np.isfinite(fit.coefficients).all()
    assert fit.coefficients[0] > MEAN[0]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"y": [0, 0, 0, 0]}, "both must be there"),
        ({"y": [0, 1, 2, 0]}, "outcomes must be 0 or 1"),
        ({"x": [[0.5], [1], [0], [1]]}, "factors must be 1"),
        ({"x": [[0], [1], [0]]}, "do not pair"),
        ({"weights": [1, 1, 0, 1]}, "weights must be positive"),
        ({"offset": [0, 0, np.inf, 0]}, "offsets finite"),
        ({"shares": [1.5]}, "shares must lie between 0 and 1"),
        ({"sets": [0, 0, 1, 1]}, "1 of 2 risk sets are not one case with controls"),
        ({"sets": [0, 0, 0, 0], "weights": [1, 1, 2, 1]}, "one person each"),
        ({"sets": [0, 0]}, "risk set of each row"),
    ],
)
def test_a_review_that_cannot_be_read_is_refused(given, what):
    review = {"x": [[0], [1], [0], [1]], "y": [1, 0, 0, 0], **given}
    with pytest.raises(RiskmlError, match=what):
        Review.of(**review)


@pytest.mark.parametrize(
    ("mean", "sd", "what"),
    [
        ([0.0], [0.5], "1 priors for 6 factors"),
        ([np.nan] * 6, SD, "finite log-odds"),
        (MEAN, SD * 0, "positive"),
    ],
)
def test_priors_that_are_none_are_refused(sample, mean, sd, what):
    with pytest.raises(RiskmlError, match=what):
        fit_prior_logistic(Review.of(*sample), mean, sd)


def test_leaving_one_out_needs_two_of_each(sample):
    x, y = sample
    with pytest.raises(RiskmlError, match="two cases and two controls"):
        leave_one_out(Review.of(x[39:], y[39:]), MEAN, SD)
    with pytest.raises(RiskmlError, match="between 0 and 1"):
        restored_intercept(0.0, 0.2, 0.0)
