"""Refits with other people: the index, each case's interval and flips, and the data of the plots."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from riskml.errors import RiskmlError
from riskml.validation.calibration import calibration_slope
from riskml.validation.forecast import NotEstimable
from riskml.validation.instability_curves import (
    calibration_instability,
    decision_instability,
    metric_instability,
    prediction_instability,
)
from riskml.validation.logistic import fit_logistic
from riskml.validation.stability import bootstrap_refits, resampled_rows, stability
from riskml.validation.utility import net_benefit


def _learner(people=200, seed=0):
    """A logistic regression on simulated people: design, outcome, people, refit."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 3)
    design = np.column_stack([np.ones(len(person)), rng.normal(0, 1, (len(person), 2))])
    outcome = (rng.random(len(person)) < expit(design @ [-1.0, 1.0, 0.0])).astype(float)

    def refit(rows, seed):
        fitted = fit_logistic(design[rows], np.ones(len(rows)), outcome[rows])
        return lambda cases: expit(cases @ fitted)

    return design, outcome, person, refit


def _levels(risk):
    return np.select([risk >= 0.5, risk >= 0.25], ["high", "medium"], "low")


def _found(people=200, replicates=60, suggest=_levels, **arguments):
    design, outcome, person, refit = _learner(people)
    risk = refit(np.arange(len(person)), 0)(design)
    found = stability(
        refit,
        design,
        risk,
        person,
        train_people=person,
        suggest=suggest,
        replicates=replicates,
        seed=1,
        **arguments,
    )
    return found, outcome


@settings(max_examples=50)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=12), st.integers(0, 1000))
def test_whole_people_are_drawn_as_many_as_there_are(people, seed):
    people = np.array([f"a{i}" for i in people])
    if len(np.unique(people)) < 2:
        with pytest.raises(RiskmlError, match="nobody else"):
            resampled_rows(people, np.random.default_rng(seed))
        return
    rows = resampled_rows(people, np.random.default_rng(seed))
    times = np.bincount(rows, minlength=len(people))
    drawn = 0
    for who in np.unique(people):
        own = times[people == who]
        assert (own == own[0]).all()
        drawn += own[0]
    assert drawn == len(np.unique(people))


def test_each_cases_figures_are_those_of_its_refits():
    found, _ = _found(replicates=40)
    cases = found.cases()
    assert len(found.refits) == 40
    i = 7
    assert cases.loc[i, "instability"] == pytest.approx(np.mean(np.abs(found.refits[:, i] - found.risk[i])))
    assert (cases.loc[i, "low"], cases.loc[i, "high"]) == pytest.approx(
        tuple(np.quantile(found.refits[:, i], (0.025, 0.975)))
    )
    flips = sum(_levels(np.array([r]))[0] != cases.loc[i, "level"] for r in found.refits[:, i])
    assert (cases.loc[i, "flips"], cases.loc[i, "refits"]) == (flips, 40)
    assert (cases["flip_low"] <= cases["flip_chance"]).all()
    assert (cases["flip_chance"] <= cases["flip_high"]).all()
    near = np.abs(found.risk - 0.25) < 0.01
    far = np.abs(found.risk - 0.25) > 0.15
    far &= np.abs(found.risk - 0.5) > 0.15
    assert cases["flip_chance"][near].mean() > 0.3 > 0.02 > cases["flip_chance"][far].mean()


def test_the_index_has_an_interval_and_falls_with_more_people():
    small, _ = _found(people=100)
    large, _ = _found(people=1600)
    one, other = small.summary(), large.summary()
    index = "mean_absolute_instability"
    assert one.loc[index, "estimate"] == pytest.approx(np.abs(small.refits - small.risk).mean())
    for table in (one, other):
        assert (table["low"] <= table["estimate"]).all()
        assert (table["estimate"] <= table["high"]).all()
    # Sixteen times as many people: a quarter of the instability.
    ratio = one.loc[index, "estimate"] / other.loc[index, "estimate"]
    assert 2.8 < ratio < 5.5
    assert one.loc["mean_flip_chance", "low"] > other.loc["mean_flip_chance", "high"]
    often = one.loc["cases_that_flip_often"]
    assert often["n"] == (small.cases()["flip_chance"] >= 0.1).sum()
    assert often["total"] == len(small.risk)


def test_transitions_are_shares_of_refits():
    found, _ = _found(replicates=20)
    table = found.transitions()
    assert table.drop(columns="cases").sum(axis=1).to_numpy() == pytest.approx(np.ones(len(table)))
    assert table["cases"].sum() == len(found.risk)
    assert (np.diag(table[table.index]) > 0.5).all()


def test_the_same_seed_gives_the_same_and_a_report_is_plain_json_without_cases():
    first, _ = _found(replicates=10)
    again, _ = _found(replicates=10)
    assert np.array_equal(first.refits, again.refits)
    document = json.loads(json.dumps(first.document()))
    assert document == json.loads(json.dumps(again.document()))
    assert (document["refits"], document["cases"]) == (10, 600)
    assert "puntos porcentuales (10 reajustes)" in document["words"]["es"]
    assert "/600 cases the suggested level changes" in document["words"]["en"]
    assert "flip_chance" not in json.dumps(document["transitions"])


def test_without_levels_there_are_risks_alone():
    found, _ = _found(replicates=10, suggest=None)
    assert list(found.cases().columns) == ["risk", "low", "high", "instability"]
    assert list(found.summary().index) == ["mean_absolute_instability"]
    assert found.document()["transitions"] == []
    assert "kept the model's settings" not in found.words()["en"]
    held, _ = _found(replicates=10, suggest=None, settings_held=True)
    assert "kept the model's settings" in held.document()["words"]["en"]
    with pytest.raises(RiskmlError, match="no levels"):
        found.transitions()


def test_samples_that_cannot_be_fitted_are_counted_and_many_are_too_many():
    people, calls = np.arange(50), []

    def refit(rows, seed):
        calls.append(seed)
        if len(calls) % every == 0:
            raise NotEstimable("one_class", events=0, count=50)
        return lambda cases: np.full(cases, 0.2)

    every = 20
    assert len(bootstrap_refits(refit, 3, people, replicates=40, seed=0)) == 38
    assert len(set(calls)) == 40
    every = 5
    with pytest.raises(NotEstimable, match="of 40 samples"):
        bootstrap_refits(refit, 3, people, replicates=40, seed=0)


def test_what_a_refit_may_not_return_is_one_message():
    people, sizes = np.arange(10), iter((3, 4))
    with pytest.raises(RiskmlError, match="no probabilities"):
        bootstrap_refits(lambda r, s: lambda c: np.array([1.2]), None, people, replicates=2, seed=0)
    with pytest.raises(RiskmlError, match=r"shape \(4,\)"):
        bootstrap_refits(lambda r, s: lambda c: np.full(next(sizes), 0.1), None, people, replicates=2, seed=0)
    with pytest.raises(RiskmlError, match="have no person"):
        bootstrap_refits(lambda r, s: None, None, [None, "a", "b"], replicates=2, seed=0)
    refit = lambda r, s: lambda c: np.full(3, 0.1)  # noqa: E731
    with pytest.raises(RiskmlError, match="do not pair"):
        stability(refit, None, np.full(3, 0.1), np.arange(2), train_people=people, replicates=2, seed=0)
    with pytest.raises(RiskmlError, match="3 cases, not 2"):
        stability(refit, None, np.full(2, 0.1), np.arange(2), train_people=people, replicates=2, seed=0)
    with pytest.raises(RiskmlError, match="levels of shape"):
        stability(
            refit,
            None,
            np.full(3, 0.1),
            np.arange(3),
            train_people=people,
            suggest=lambda risk: ["low"],
            replicates=2,
            seed=0,
        )


def test_the_prediction_plot_has_a_band_around_the_diagonal():
    found, _ = _found(people=400)
    band, dots = prediction_instability(found, points=10, drawn=100)
    assert (len(band), len(dots)) == (10, 100)
    assert band["cases"].sum() == len(found.risk)
    assert (band["low"] < band["risk"]).all()
    assert (band["risk"] < band["high"]).all()
    pairs = set(
        zip(np.broadcast_to(found.risk, found.refits.shape).ravel(), found.refits.ravel(), strict=True)
    )
    assert set(zip(dots["risk"], dots["refitted"], strict=True)) <= pairs


def test_calibration_metric_and_decision_plots_are_those_of_each_refit():
    found, outcome = _found(people=300, replicates=30)
    band, single = calibration_instability(found, outcome, points=9, curves=4)
    assert single["refit"].nunique() == 4
    reached = band[band["curves"] > 15]
    assert (reached["low"] <= reached["high"]).all()
    assert (
        (reached["low"] <= reached["observed"] + 0.02) & (reached["observed"] <= reached["high"] + 0.02)
    ).all()
    table = metric_instability(found, outcome, metrics=("calibration_slope", "auc"))
    slopes = [calibration_slope(outcome, risk) for risk in found.refits]
    assert table.loc["calibration_slope", "estimate"] == pytest.approx(1, abs=1e-4)  # its own training rows
    assert tuple(table.loc["calibration_slope", ["low", "high"]]) == pytest.approx(
        tuple(np.quantile(slopes, (0.025, 0.975)))
    )
    curve = decision_instability(found, outcome, [0.2, 0.4])
    benefit = [net_benefit(outcome, risk, threshold=0.4) for risk in found.refits]
    assert tuple(curve.loc[0.4, ["low", "high"]]) == pytest.approx(
        tuple(np.quantile(benefit, (0.025, 0.975)))
    )
    assert curve.loc[0.2, "net_benefit"] == pytest.approx(net_benefit(outcome, found.risk, threshold=0.2))
    with pytest.raises(NotEstimable, match="one class"):
        calibration_instability(found, np.zeros(len(found.risk)))
    missing = metric_instability(found, np.zeros(len(found.risk)), metrics=("auc",))
    assert pd.isna(missing.loc["auc", "estimate"])
    assert "one class" in missing.loc["auc", "reason"].words("en")
