"""Odds ratios drawn towards their priors: against plain integration, and right as often as they say."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from riskml.fatality.comparison.exact_conditional import exact_conditional
from riskml.fatality.comparison.shrinkage import COMMON_FLOOR, FEW_SETS, common_spread, posterior_odds

PRIORS = [(np.log(6.7), 0.5), (0.0, 0.5), (np.log(0.33), 1.0), (0.0, 2.5)]


def _found(exposed_cases, sets=12, controls=5, exposed_controls=1):
    rows = [
        (case, 1 - case, exposed_controls + 1 - case, controls - 1 - exposed_controls + case)
        for case in (np.arange(sets) < exposed_cases).astype(int)
    ]
    return exact_conditional(rows)


@pytest.mark.parametrize(("mean", "sd"), PRIORS)
@pytest.mark.parametrize("exposed", [0, 4, 12])
def test_the_posterior_is_likelihood_times_prior(mean, sd, exposed):
    found = _found(exposed)
    ours = posterior_odds(found, mean, sd)
    scale = float(found.log_likelihood(np.log(ours.odds_ratio)))

    def density(b, power=0):
        return b**power * np.exp(found.log_likelihood(b) - scale) * norm.pdf(b, mean, sd)

    ends = mean - 9 * sd, mean + 9 * sd
    settings = {"points": [ours.mean - ours.sd, ours.mean, ours.mean + ours.sd], "epsabs": 1e-13}
    whole, first, second = (quad(density, *ends, args=(k,), limit=400, **settings)[0] for k in range(3))
    assert ours.mean == pytest.approx(first / whole, abs=1e-6)
    assert ours.sd == pytest.approx(np.sqrt(second / whole - (first / whole) ** 2), rel=1e-5)
    assert ours.log_evidence - scale == pytest.approx(np.log(whole), abs=1e-6)
    below = [
        quad(density, ends[0], np.log(x), limit=400, epsabs=1e-13)[0] / whole for x in (ours.low, ours.high)
    ]
    assert below == pytest.approx([0.025, 0.975], abs=1e-5)
    assert ours.moved == pytest.approx((ours.mean - mean) / sd)
    assert ours.from_data == pytest.approx(1 - (ours.sd / sd) ** 2, abs=1e-9)


def test_without_data_the_prior_comes_back():
    ours = posterior_odds(None, np.log(4.0), 0.5)
    ends = np.exp(np.log(4.0) + norm.ppf([0.025, 0.975]) * 0.5)
    assert (ours.odds_ratio, ours.low, ours.high) == pytest.approx((4.0, *ends), rel=1e-4)
    assert ours.moved == pytest.approx(0, abs=1e-9)
    assert ours.from_data == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("mean", "sd"), PRIORS)
def test_intervals_hold_the_truth_95_times_of_100_when_it_is_drawn_from_the_prior(mean, sd):
    found = [_found(t, sets=10) for t in range(11)]
    ends = np.log([(p.low, p.high) for p in (posterior_odds(one, mean, sd) for one in found)])
    truths = np.linspace(mean - 6 * sd, mean + 6 * sd, 1201)
    weight = norm.pdf(truths, mean, sd)
    chances = np.array([found[0].probabilities(b) for b in truths])
    inside = (ends[:, 0] <= truths[:, None]) & (truths[:, None] <= ends[:, 1])
    held = ((chances * inside).sum(axis=1) * weight).sum() / weight.sum()
    assert held == pytest.approx(0.95, abs=0.004)


def _drawn(spread, factors, sets, seed):
    rng = np.random.default_rng(seed)
    odds = np.exp(rng.normal(0, spread, factors)) * 0.3 / 0.7
    return [
        exact_conditional(np.column_stack([case, ~case, others, 5 - others]))
        for case, others in ((rng.random(sets) < o / (1 + o), rng.binomial(5, 0.3, sets)) for o in odds)
    ]


def test_many_factors_tell_how_far_they_differ_and_few_cases_are_not_believed():
    sd, estimated = common_spread(_drawn(0.8, 34, 150, 0), sets=150)
    assert sd == estimated == pytest.approx(0.8, abs=0.25)
    alike = common_spread(_drawn(0.0, 34, 150, 0), sets=150)
    assert alike[0] < 0.25
    few = common_spread(_drawn(0.0, 34, 12, 0), sets=12)
    assert few[0] == COMMON_FLOOR > few[1]
    assert common_spread([], sets=FEW_SETS + 1) == (COMMON_FLOOR, None)
    # One case with ten of its factors: no bound in sight, but for the prior of the spread.
    assert common_spread([_found(1, sets=1)] * 10, sets=1)[0] < 1.6


def test_what_stands_out_by_chance_is_drawn_in():
    found = _drawn(0.0, 41, 15, 3)
    highest = max(found, key=lambda one: one.estimate)
    sd, _ = common_spread(found, sets=15)
    assert highest.estimate > 3
    assert posterior_odds(highest, 0.0, sd).odds_ratio < 2
