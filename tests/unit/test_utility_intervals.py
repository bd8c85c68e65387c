"""Net benefit as dcurves gives it, decision curves with intervals, and what a weekly list brings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.validation.forecast import NotEstimable
from riskml.validation.utility import (
    decision_curve,
    net_benefit,
    net_benefit_at_capacity,
    precision_at_capacity,
    recall_at_capacity,
    standardised_net_benefit,
    standardised_net_benefit_at_capacity,
)
from riskml.validation.utility_intervals import capacity_utility, decision_curve_intervals

# Net benefit of _example() by dcurves 1.1.7 (Sjoberg, Vickers), of p and of acting on all, from
# dca(data, outcome="y", modelnames=["p"], thresholds=...).
DCURVES = {
    0.05: (0.3710526316, 0.4035087719),
    0.10: (0.3074074074, 0.3703703704),
    0.15: (0.2617647059, 0.3333333333),
    0.25: (0.1944444444, 0.2444444444),
    0.40: (0.1666666667, 0.0555555556),
    0.60: (0.0500000000, -0.4166666667),
}


def _example():
    """Sixty rows from whole numbers alone, the same on every machine: 26 events."""
    i = np.arange(60)
    p = ((i * 37) % 101 + 1) / 103
    return ((i * 53) % 97 / 97 < p * 0.8).astype(float), p


def test_net_benefit_is_that_of_dcurves():
    y, p = _example()
    assert y.sum() == 26
    curve = decision_curve(y, {"p": p}, list(DCURVES))
    for threshold, (model, everyone) in DCURVES.items():
        assert curve.loc[threshold, "p"] == pytest.approx(model, abs=1e-9)
        assert curve.loc[threshold, "all"] == pytest.approx(everyone, abs=1e-9)
        assert standardised_net_benefit(y, p, threshold=threshold) == pytest.approx(model * 60 / 26, abs=1e-8)


def test_the_curve_with_intervals_has_the_same_values_and_a_gain_over_the_better_rule():
    y, p = _example()
    people = np.arange(60) // 2
    found = decision_curve_intervals(y, {"p": p}, people, list(DCURVES), replicates=100, seed=0)
    assert set(found["candidate"]) == {"p", "all"}
    model = found[found["candidate"] == "p"].set_index("threshold")
    for threshold, (value, everyone) in DCURVES.items():
        row = model.loc[threshold]
        assert row["net_benefit"] == pytest.approx(value, abs=1e-9)
        assert row["low"] < row["net_benefit"] < row["high"]
        assert row["standardised_low"] < row["standardised"] < row["standardised_high"]
        assert row["gain"] == pytest.approx(value - max(everyone, 0), abs=1e-9)
        assert row["gain_low"] < row["gain_high"]
    assert model.loc[0.05, "gain"] < 0 < model.loc[0.4, "gain"]
    assert (found[found["candidate"] == "all"]["gain"] <= 0).all()


def test_without_events_standardised_net_benefit_is_missing_and_the_rest_is_not():
    _, p = _example()
    found = decision_curve_intervals(np.zeros(60), {"p": p}, np.arange(60), [0.2], replicates=20, seed=0)
    assert found["standardised"].isna().all()
    assert found["net_benefit"].notna().all()
    with pytest.raises(RiskmlError, match="threshold"):
        decision_curve_intervals(np.ones(60), {"p": p}, np.arange(60), [1.0], replicates=2, seed=0)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 8))
def test_a_list_brings_what_going_through_it_says(seed, n, capacity):
    rng = np.random.default_rng(seed)
    y = np.append(1.0, rng.integers(0, 2, n - 1))
    p = rng.permutation(n) / n  # no ties: the list is one list
    week = rng.integers(0, 3, n)
    true = false = 0
    for one in np.unique(week):
        for row in sorted(np.flatnonzero(week == one), key=lambda i: -p[i])[:capacity]:
            true, false = true + y[row], false + 1 - y[row]
    lists = {"as_of": week, "capacity": capacity}
    assert recall_at_capacity(y, p, **lists) == pytest.approx(true / y.sum())
    assert precision_at_capacity(y, p, **lists) == pytest.approx(true / (true + false))
    benefit = true / n - false / n * 0.2 / 0.8
    assert net_benefit_at_capacity(y, p, threshold=0.2, **lists) == pytest.approx(benefit)
    standardised = standardised_net_benefit_at_capacity(y, p, threshold=0.2, **lists)
    assert standardised == pytest.approx(benefit * n / y.sum())


def test_with_room_for_all_net_benefit_at_capacity_is_acting_on_all():
    y, p = _example()
    for threshold, (_, everyone) in DCURVES.items():
        found = net_benefit_at_capacity(y, p, capacity=60, threshold=threshold)
        assert found == pytest.approx(everyone, abs=1e-9)
    # As many places as the threshold chooses: the same as net benefit at that threshold.
    chosen = int((p >= 0.25).sum())
    assert net_benefit_at_capacity(y, p, capacity=chosen, threshold=0.25) == pytest.approx(
        net_benefit(y, p, threshold=0.25)
    )


def test_capacity_is_told_for_each_candidate_with_intervals():
    y, p = _example()
    week = np.datetime64("2025-03-03", "us") + (np.arange(60) // 20) * np.timedelta64(7, "D")
    candidates = {"p": p, "lots": np.full(60, 0.5)}
    found = capacity_utility(
        y, candidates, np.arange(60) // 2, as_of=week, capacity=5, threshold=0.2, replicates=60, seed=0
    )
    row = found.loc["p"]
    assert row["listed"] == 15
    assert row["found"] == pytest.approx(row["recall"] * 26)
    assert row["precision"] == pytest.approx(row["found"] / 15)
    assert row["recall"] > found.loc["lots", "recall"]
    assert found.loc["lots", "recall"] == pytest.approx(0.25)
    for name in ("recall", "precision", "net_benefit", "standardised_net_benefit"):
        assert row[f"{name}_low"] < row[f"{name}_high"]
    none = capacity_utility(
        np.zeros(60), {"p": p}, np.arange(60), capacity=5, threshold=0.2, replicates=20, seed=0
    )
    assert none.loc["p", "found"] == 0
    assert np.isnan(none.loc["p", "recall"])
    assert none.loc["p", "net_benefit"] < 0
    with pytest.raises(NotEstimable, match="no event"):
        standardised_net_benefit_at_capacity(np.zeros(60), p, capacity=5, threshold=0.2)
    with pytest.raises(RiskmlError, match="threshold"):
        net_benefit_at_capacity(y, p, capacity=5, threshold=0)
    with pytest.raises(RiskmlError, match="capacity"):
        precision_at_capacity(y, p, capacity=0)
