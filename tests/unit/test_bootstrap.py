"""Intervals over aggressors, and the table and rule that stand on them."""

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.validation.bootstrap import cluster_bootstrap, cluster_weights
from riskml.validation.calibration_curve import calibration_curve, calibration_groups
from riskml.validation.comparison import compare, comparison_table
from riskml.validation.intervals import exact_interval
from riskml.validation.metrics import METRICS, NotEstimable, auc, brier_score, calibration_slope


def _registry(aggressors=200, each=6, seed=0):
    """Assessments of aggressors who have a risk of their own: y, true risk, aggressor, as_of."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(aggressors), each)
    log_odds = np.repeat(rng.normal(-1.2, 1.2, aggressors), each) + rng.normal(0, 0.3, aggressors * each)
    p = 1 / (1 + np.exp(-log_odds))
    y = (rng.random(len(p)) < p).astype(float)
    as_of = np.tile(np.datetime64("2025-01-06") + np.arange(each) * np.timedelta64(28, "D"), aggressors)
    return y, p, groups, as_of


def _noisy(p, amount, seed=9):
    rng = np.random.default_rng(seed)
    return 1 / (1 + np.exp(-(np.log(p / (1 - p)) + rng.normal(0, amount, len(p)))))


def test_a_replicate_is_aggressors_drawn_with_all_their_assessments():
    groups = np.array(["x", "y", "x", "z", "z"])
    for weights in cluster_weights(groups, 20, seed=0):
        assert weights[0] == weights[2]
        assert weights[3] == weights[4]
        assert weights[0] + weights[1] + weights[3] == 3


def test_the_estimate_and_replicates_are_those_of_the_metric_itself():
    y, p, groups, _ = _registry(40)
    found = cluster_bootstrap({"auc": auc}, y, {"model": p}, groups, replicates=5, seed=3)
    assert found.estimates.loc["model", "auc"] == auc(y, p)
    expected = []
    for weights in cluster_weights(groups, 5, seed=3):
        rows = np.repeat(np.arange(len(y)), weights.astype(int))
        expected.append(auc(y[rows], p[rows]))
    assert found.replicates[:, 0, 0] == pytest.approx(expected)
    assert found.interval("model", "auc") == pytest.approx(tuple(np.quantile(expected, (0.025, 0.975))))


def test_the_same_seed_gives_the_same_intervals_and_another_does_not():
    y, p, groups, _ = _registry(40)
    intervals = [
        cluster_bootstrap({"auc": auc}, y, {"model": p}, groups, replicates=20, seed=seed).interval(
            "model", "auc"
        )
        for seed in (1, 1, 2)
    ]
    assert intervals[0] == intervals[1] != intervals[2]


def test_repeated_assessments_of_one_aggressor_do_not_narrow_the_interval():
    y, p, groups, _ = _registry(150, each=1)
    many = [np.repeat(values, 8) for values in (y, p, groups)]
    once, often = (
        np.ptp(cluster_bootstrap({"auc": auc}, y, {"m": p}, g, replicates=300, seed=0).interval("m", "auc"))
        for y, p, g in ((y, p, groups), many)
    )
    alone = np.ptp(
        cluster_bootstrap(
            {"auc": auc}, many[0], {"m": many[1]}, np.arange(1200), replicates=300, seed=0
        ).interval("m", "auc")
    )
    assert often == pytest.approx(once, rel=1e-9)
    assert alone < once / 2


def test_the_interval_covers_at_about_its_level():
    y, p, _, _ = _registry(100_000, each=4)
    truth = brier_score(y, p)
    covered = 0
    for repetition in range(100):
        y, p, groups, _ = _registry(100, each=4, seed=1000 + repetition)
        found = cluster_bootstrap({"brier": brier_score}, y, {"m": p}, groups, replicates=100, seed=0)
        low, high = found.interval("m", "brier")
        covered += low <= truth <= high
    assert 88 <= covered <= 99


def test_differences_are_paired():
    y, p, groups, _ = _registry()
    near = _noisy(p, 0.05)
    found = cluster_bootstrap({"auc": auc}, y, {"a": p, "b": near, "c": near}, groups, replicates=100, seed=0)
    estimate, low, high = found.difference("a", "b", "auc")
    assert estimate == pytest.approx(auc(y, p) - auc(y, near))
    assert low <= estimate <= high
    assert high - low < np.ptp(found.interval("a", "auc")) / 3
    assert found.difference("b", "c", "auc") == (0, 0, 0)


def test_what_cannot_be_resampled_is_one_message():
    y, p, groups, _ = _registry(10)
    metrics = {"auc": auc}
    for arguments, said in (
        ((metrics, y, {"m": p}, np.zeros(len(y))), "1 group"),
        ((metrics, y, {"m": p}, groups[:3]), "do not pair"),
        ((metrics, y, {"m": p}, np.where(groups == 0, np.nan, groups)), "have no group"),
        ((metrics, y, {"bad": p + 1}, groups), "bad: p"),
    ):
        with pytest.raises(RiskmlError, match=said):
            cluster_bootstrap(*arguments, replicates=2, seed=0)
    with pytest.raises(RiskmlError, match="replicates"):
        cluster_bootstrap(metrics, y, {"m": p}, groups, replicates=0, seed=0)


def test_an_interval_from_too_few_replicates_is_not_given():
    y, p = np.array([1, 0, 0, 0]), np.array([0.4, 0.1, 0.2, 0.3])
    found = cluster_bootstrap({"auc": auc}, y, {"m": p}, np.arange(4), replicates=50, seed=0)
    with pytest.raises(NotEstimable, match="of 50 replicates"):
        found.interval("m", "auc")
    with pytest.raises(NotEstimable, match="replicates"):
        found.difference("m", "m", "auc")


def test_the_table_has_a_row_for_each_candidate_and_an_interval_for_each_metric():
    y, p, groups, as_of = _registry()
    candidates = {"base_rate": np.full(len(y), y.mean()), "model": p}
    table = comparison_table(y, candidates, groups, as_of, 20, replicates=30, seed=0, language="en")
    assert list(table.index) == ["base_rate", "model"]
    assert (table.loc["model", ["n", "events", "groups"]] == [len(y), y.sum(), 200]).all()
    for name in METRICS:
        assert {name, f"{name}_low", f"{name}_high"} <= set(table.columns)
        low, value, high = table.loc["model", [f"{name}_low", name, f"{name}_high"]]
        assert low < high
        assert np.isfinite(value)
    assert table.loc["model", "not_estimable"] == ""
    assert table.loc["base_rate", "not_estimable"] == "calibration_slope: every predicted risk is the same"
    missing = table.loc["base_rate"].drop("not_estimable").isna()
    assert list(missing[missing].index) == [
        "calibration_slope",
        "calibration_slope_low",
        "calibration_slope_high",
    ]
    assert "recall_at_capacity" not in comparison_table(y, candidates, groups, replicates=2, seed=0)


def test_the_simplest_whose_score_does_not_differ_wins():
    y, p, groups, _ = _registry(400)
    candidates = {"flat": np.full(len(y), y.mean()), "near": _noisy(p, 0.02), "best": p, "wild": _noisy(p, 2)}
    judged = compare(y, candidates, groups, replicates=100, seed=0)
    assert judged.simplest(["flat", "near", "best"]) == "near"
    assert judged.simplest(["flat", "near", "best"], metric="auc") == "near"
    assert judged.simplest(["best", "near"]) == "best"
    assert judged.simplest(["wild", "best"]) == "best"
    assert judged.simplest(["flat"]) == "flat"
    with pytest.raises(RiskmlError, match='Did you mean "best"'):
        judged.simplest(["bset"])
    for metric in ("calibration_slope", "anything"):
        with pytest.raises(RiskmlError, match="no winner"):
            judged.simplest(["best"], metric=metric)


def test_without_events_the_table_says_so_everywhere():
    p = np.linspace(0.1, 0.4, 20)
    judged = compare(np.zeros(20), {"m": p}, np.arange(20), capacity=3, replicates=5, seed=0)
    row = judged.table("es").loc["m"]
    assert np.isnan(row["auc"])
    assert "auc: una sola clase: 0/20 valoraciones con evento" in row["not_estimable"]
    assert "recall_at_capacity: no hubo ningún evento" in row["not_estimable"]
    assert row["brier_high"] > row["brier_low"]
    with pytest.raises(NotEstimable):
        judged.simplest(["m"], metric="auc")


def test_the_calibration_curve_has_a_band_that_holds_the_truth():
    y, p, groups, _ = _registry(1500)
    curve = calibration_curve(y, p, groups, points=20, replicates=60, seed=0)
    assert list(curve.columns) == ["predicted", "observed", "low", "high"]
    assert len(curve) == 20
    assert ((curve["low"] <= curve["observed"]) & (curve["observed"] <= curve["high"])).all()
    assert ((curve["low"] <= curve["predicted"]) & (curve["predicted"] <= curve["high"])).mean() > 0.5
    assert (curve["observed"] - curve["predicted"]).abs().max() < 0.05
    constant = calibration_curve(y, np.full(len(y), 0.3), groups, replicates=20, seed=0)
    assert len(constant) == 1
    assert constant.loc[0, "observed"] == pytest.approx(y.mean())
    with pytest.raises(NotEstimable, match="one class"):
        calibration_curve(np.zeros(len(y)), p, groups, seed=0)


def test_calibration_groups_are_counts_with_exact_intervals():
    y, p, _, _ = _registry()
    table = calibration_groups(y, p, groups=10)
    assert len(table) == 10
    assert table["total"].sum() == len(y)
    assert table["events"].sum() == y.sum()
    assert (table["total"] == len(y) / 10).all()
    assert table["predicted"].is_monotonic_increasing
    row = table.iloc[3]
    assert (row["low"], row["high"]) == exact_interval(row["events"], row["total"])
    tied = calibration_groups(y, np.where(p < 0.5, 0.2, 0.7), groups=10)
    assert len(tied) == 2
    assert list(tied["total"]) == [(p < 0.5).sum(), (p >= 0.5).sum()]


def test_a_slope_that_some_replicates_lack_keeps_its_estimate():
    y = np.array([1, 0] * 30)
    p = np.where(np.arange(60) == 0, 0.3, 0.2)
    found = cluster_bootstrap({"s": calibration_slope}, y, {"m": p}, np.arange(60), replicates=60, seed=0)
    assert np.isnan(found.replicates).any()
    assert pd.isna(found.estimates.loc["m", "s"]) == (("m", "s") in found.reasons)
