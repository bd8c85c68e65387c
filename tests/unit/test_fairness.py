"""Figures by group: who is missed, whose risk is misjudged, what recording can hide, and what is too few."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.validation import subgroups
from riskml.validation.audit_groups import GROUPINGS
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.fairness import (
    fairness_audit,
    false_negative_rates,
    flagged_by_capacity,
    flagged_by_threshold,
    missed_if_recorded,
    recording_sensitivity,
)
from riskml.validation.forecast import NotEstimable
from riskml.validation.group_names import group_name, grouping_name, metric_name
from riskml.validation.metrics import auc, calibration_intercept, observed_expected, recall_at_capacity
from riskml.validation.subgroups import Minimum, calibration_by_group, group_estimates

SMALL = Minimum(people=5, events=2, curve_events=5)


def _registry(n=3000, people=600, seed=0):
    rng = np.random.default_rng(seed)
    person = rng.integers(0, people, n)
    margin = rng.normal(-1.5, 1, n) + rng.normal(0, 0.5, people)[person]
    group = np.where(person % 3 == 0, "rural", "urban")
    # In the rural group risk is underestimated: its events are more frequent than its features say.
    y = (rng.random(n) < 1 / (1 + np.exp(-(margin + 0.8 * (group == "rural"))))).astype(float)
    return y, 1 / (1 + np.exp(-margin)), person, pd.DataFrame({"locality": group})


def test_a_group_whose_risk_is_underestimated_is_found():
    y, p, people, groups = _registry()
    found = fairness_audit(
        y, p, people, groups, flagged=flagged_by_threshold(p, 0.2), replicates=60, seed=0, minimum=SMALL
    )
    table = found.table("en").set_index(["group", "metric"])
    rural = table.loc["rural"]
    assert rural.loc["calibration_intercept", "estimate"] == pytest.approx(0.8, abs=0.2)
    assert rural.loc["observed_expected", "low"] > 1.2
    assert rural.loc["calibration_intercept", "difference_low"] > 0.4
    assert rural.loc["ici", "difference_low"] > 0
    assert (rural["q_value"].loc[["observed_expected", "calibration_intercept", "ici"]] < 0.05).all()
    inside = (groups["locality"] == "rural").to_numpy()
    missed = (p < 0.2) & (y > 0) & inside
    assert rural.loc["false_negative_rate", "estimate"] == pytest.approx(missed.sum() / y[inside].sum())
    assert (table["low"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["high"]).all()
    # Of two groups each is the other's rest.
    mirrored = table.loc["urban", "difference"] + table.loc["rural", "difference"]
    assert mirrored.abs().max() < 1e-12
    document = json.loads(json.dumps(found.document()))
    assert len(document["rows"]) == 10
    assert document["rows"][0]["group_name"] == {"es": "rural", "en": "rural"}
    assert document["rows"][0]["metric_name"]["es"] == "eventos no atendidos"
    assert len(document["cautions"]) == 4
    assert "no dicen dónde" in document["cautions"][0]["es"]
    assert "10 comparisons" in document["multiplicity"]["en"]


def test_intervals_of_a_group_are_near_those_of_a_bootstrap_of_the_group_alone():
    y, p, people, groups = _registry()
    inside = (groups["locality"] == "rural").to_numpy()
    metrics = {"observed_expected": observed_expected, "calibration_intercept": calibration_intercept}
    ours = group_estimates(metrics, y, p, people, groups, replicates=300, seed=1).table("en")
    alone = cluster_bootstrap(metrics, y[inside], {"m": p[inside]}, people[inside], replicates=300, seed=2)
    for _, row in ours[ours["group"] == "rural"].iterrows():
        assert row["estimate"] == pytest.approx(alone.estimates.loc["m", row["metric"]], abs=1e-9)
        low, high = alone.interval("m", row["metric"])
        assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.25 * (high - low))


def test_reading_predictions_to_a_hundredth_of_log_odds_moves_no_interval(monkeypatch):
    y, p, people, groups = _registry()
    coarse = calibration_by_group(y, p, people, groups, replicates=40, seed=1).table("en")
    monkeypatch.setattr(subgroups, "_DECIMALS", 15)
    fine = calibration_by_group(y, p, people, groups, replicates=40, seed=1).table("en")
    for name in ("estimate", "low", "high", "difference_low", "difference_high"):
        assert coarse[name].to_numpy() == pytest.approx(fine[name].to_numpy(), abs=2e-3)


def test_below_the_minimum_nothing_is_shown_and_the_reason_is():
    y, p, people, groups = _registry(600, 120)
    groups["municipality"] = np.where(people < 4, "tiny", "large")
    table = calibration_by_group(y, p, people, groups, replicates=20, seed=0).table("es")
    tiny = table[table["group"] == "tiny"]
    assert tiny["estimate"].isna().all()
    assert (tiny["not_estimable"] == "4 personas agresoras; el mínimo es 50").all()
    large = table[table["group"] == "large"].set_index("metric")
    assert np.isfinite(large.loc["observed_expected", "estimate"])
    assert large.loc["ici", "not_estimable"].endswith("personas agresoras con evento; el mínimo es 100")
    assert np.isnan(large.loc["ici", "estimate"])


def test_a_group_without_events_or_without_a_rest_says_so():
    p, people = np.linspace(0.1, 0.5, 40), np.arange(40)
    y = (np.arange(40) < 20).astype(float) * (np.arange(40) % 2)
    groups = pd.DataFrame({"half": np.where(people < 20, "a", "b"), "all": "everyone"})
    none = Minimum(people=2, events=0, curve_events=0)
    flagged = flagged_by_threshold(p, 0.2)
    table = false_negative_rates(y, flagged, people, groups, minimum=none).table("en").set_index("group")
    assert table.loc["b", "not_estimable"] == "the group is empty (0/0)"
    assert np.isfinite(table.loc["everyone", "estimate"])
    assert np.isnan(table.loc["everyone", "difference"])
    assert table.loc["a", "not_estimable"] == "the group is empty (0/0)"  # no event among the rest
    found = group_estimates({"auc": auc}, y, p, people, groups, minimum=none, replicates=5, seed=0).table(
        "en"
    )
    assert "one class only: 0/20" in found.set_index("group").loc["b", "not_estimable"]


def test_groups_are_named_in_words():
    assert group_name("relationship", "partner") == "pareja"
    assert group_name("partner", "partner") == "pareja o expareja"
    assert group_name("municipality", "joined", "en") == "others (joined, being small)"
    assert group_name("municipality", "Fresnillo") == "Fresnillo"
    assert group_name("age_band", "60+", "en") == "60 and over"
    assert group_name("source", "911") == "llamada al 911"
    assert group_name("mine", "unknown") == "no consta"
    assert grouping_name("locality", "en") == "Locality"
    assert grouping_name("mine") == "mine"
    assert metric_name("false_negative_rate") == "eventos no atendidos"
    assert metric_name("ici", "en") == "ICI"
    for grouping in GROUPINGS:
        assert grouping_name(grouping) != grouping


def test_unknown_is_a_group_and_groups_of_others_are_refused():
    y, p, people, groups = _registry(400, 100)
    index = pd.MultiIndex.from_arrays([[f"c{i}" for i in range(400)], np.arange(400)])
    groups.index = index
    groups.loc[groups.index[:200], "locality"] = None
    flagged = flagged_by_threshold(p, 0.2)
    found = false_negative_rates(y, flagged, people, groups, index=index).table("en")
    assert set(found["group"]) == {"unknown", "rural", "urban"}
    with pytest.raises(RiskmlError, match="in another order"):
        false_negative_rates(y, flagged, people, groups.iloc[::-1], index=index)
    for bad, said in ((groups.iloc[:3], "do not pair"), (groups["locality"], "frame with a column")):
        with pytest.raises(RiskmlError, match=said):
            false_negative_rates(y, flagged, people, bad)
    with pytest.raises(RiskmlError, match="between 0 and 1"):
        false_negative_rates(y, flagged + 1, people, groups)
    with pytest.raises(RiskmlError, match="outcomes must be 0 or 1"):
        false_negative_rates(np.where(y > 0, np.nan, y), flagged, people, groups)
    with pytest.raises(RiskmlError, match="do not pair"):
        false_negative_rates(y, flagged[:-1], people, groups)
    with pytest.raises(RiskmlError, match="a threshold is a risk"):
        flagged_by_threshold(p, 1)
    with pytest.raises(RiskmlError, match="capacity"):
        flagged_by_capacity(p, 0)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 12))
def test_flags_by_capacity_find_what_recall_at_capacity_says(seed, n, capacity):
    rng = np.random.default_rng(seed)
    y, p = np.append(1.0, rng.integers(0, 2, n - 1)), rng.integers(0, 5, n) / 5
    week = np.datetime64("2025-03-03", "us") + rng.integers(0, 30, n) * np.timedelta64(1, "D")
    for as_of in (None, week):
        flagged = flagged_by_capacity(p, capacity, as_of=as_of)
        assert flagged @ y / y.sum() == pytest.approx(
            recall_at_capacity(y, p, as_of=as_of, capacity=capacity), abs=1e-12
        )


@settings(max_examples=40)
@given(st.integers(0, 4), st.integers(1, 5), st.integers(0, 4), st.integers(0, 4), st.integers(0, 6))
def test_recording_bounds_are_the_worst_and_best_of_every_way_to_hide_events(
    missed, events, flagged, unflagged, hidden
):
    missed = min(missed, events)
    recorded = events / (events + hidden)
    if hidden > flagged + unflagged:
        with pytest.raises(NotEstimable, match="more events than assessments"):
            missed_if_recorded(missed, events, flagged, unflagged, recorded)
        return
    places = [1] * unflagged + [0] * flagged  # 1: not attended to
    rates = [(missed + sum(chosen)) / (events + hidden) for chosen in combinations(places, hidden)]
    found = missed_if_recorded(missed, events, flagged, unflagged, recorded)
    assert found == pytest.approx((min(rates), max(rates)), abs=1e-9)


def test_recording_is_shown_with_bounds_intervals_and_what_would_explain_a_difference():
    y, p, people, groups = _registry()
    flagged = flagged_by_threshold(p, 0.2)
    found = recording_sensitivity(y, flagged, people, groups, recorded=(1.0, 0.5))
    rates = false_negative_rates(y, flagged, people, groups).table("en").set_index("group")
    for group, rows in found.groupby("group"):
        whole, half = rows.iloc[0], rows.iloc[1]
        assert whole["lowest"] == whole["highest"] == pytest.approx(rates.loc[group, "estimate"])
        assert (whole["low"], whole["high"]) == pytest.approx(
            (rates.loc[group, "low"], rates.loc[group, "high"])
        )
        assert half["low"] < half["lowest"] < half["highest"] < half["high"]
        # At the share that explains the difference one bound is the rest's rate.
        inside = (groups["locality"] == group).to_numpy()
        without = inside & (y == 0)
        bounds = missed_if_recorded(
            whole["missed"],
            whole["events"],
            flagged[without].sum(),
            (1 - flagged[without]).sum(),
            whole["explains"],
        )
        rest = rates.loc[group, "estimate"] - rates.loc[group, "difference"]
        assert min(abs(bound - rest) for bound in bounds) < 1e-9
    with pytest.raises(RiskmlError, match="above 0"):
        recording_sensitivity(y, flagged, people, groups, recorded=(0.0,))


def test_too_few_for_any_recorded_share_is_a_row_with_its_reason():
    y, people = np.array([1.0, 1, 1, 0] * 20), np.arange(80)
    flagged, groups = np.tile([1.0, 0, 1, 0], 20), pd.DataFrame({"g": ["a"] * 60 + ["b"] * 20})
    found = recording_sensitivity(y, flagged, people, groups, recorded=(0.5,), minimum=Minimum(people=40))
    rows = found.set_index("group")
    assert "20 aggressors" in rows.loc["b", "reason"].words("en")
    assert "50%" in rows.loc["a", "reason"].words("en")
    assert np.isnan(rows.loc["a", "lowest"])
