"""The leakage audit finds leaks that are planted, passes what is honest, and runs when it must."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from riskml.errors import RiskmlError
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.discrimination import auc
from riskml.validation.forecast import NotEstimable
from riskml.validation.leakage_audit import (
    future_shift_control,
    leakage_audit,
    shifted_cohort,
    shuffled_label_control,
    shuffled_labels,
    single_feature_control,
)
from riskml.validation.logistic import fit_logistic
from riskml.validation.single_features import clustered_auc, single_feature_aucs
from riskml.validation.verdict import worst


def _rows(people=500, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 4)
    margin = signal * (rng.normal(0, 1, len(person)) + rng.normal(0, 0.5, people)[person]) - 1.5
    y = (rng.random(len(person)) < expit(margin)).astype(float)
    return y, margin, person


def _delong(y, x):
    """AUC and its variance, pair by pair."""
    events, others = x[y > 0], x[y == 0]
    wins = (events[:, None] > others) + 0.5 * (events[:, None] == others)
    return wins.mean(), wins.mean(axis=1).var(ddof=1) / len(events) + wins.mean(axis=0).var(ddof=1) / len(
        others
    )


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(6, 60))
def test_with_one_row_for_each_person_the_interval_is_delongs(seed, n):
    rng = np.random.default_rng(seed)
    y, x = np.append([0, 0, 1, 1], rng.integers(0, 2, n)), rng.integers(0, 12, n + 4).astype(float)
    value, variance = _delong(y, x)
    estimate, low, high = clustered_auc(y, x, np.arange(n + 4))
    assert estimate == pytest.approx(value, abs=1e-12)
    assert estimate == pytest.approx(roc_auc_score(y, x), abs=1e-12)
    if 0 < value < 1:
        reach = 1.959963984540054 * np.sqrt(variance) / (value * (1 - value))
        centre = np.log(value / (1 - value))
        assert (low, high) == pytest.approx((expit(centre - reach), expit(centre + reach)), abs=1e-9)


def test_with_several_rows_the_interval_is_near_that_of_the_bootstrap_over_people():
    y, margin, people = _rows()
    estimate, low, high = clustered_auc(y, margin, people)
    found = cluster_bootstrap({"auc": auc}, y, {"m": expit(margin)}, people, replicates=400, seed=0)
    assert estimate == pytest.approx(found.estimates.loc["m", "auc"], abs=1e-12)
    assert (low, high) == pytest.approx(found.interval("m", "auc"), abs=0.006)
    once = clustered_auc(y[::4], margin[::4], people[::4])
    again = clustered_auc(np.repeat(y[::4], 4), np.repeat(margin[::4], 4), people)
    assert again == pytest.approx(once, abs=1e-12)  # the same person's same row again says nothing new


def test_a_score_that_separates_has_a_one_sided_interval():
    y = np.repeat([1.0, 0.0], 10)
    assert clustered_auc(y, y, np.arange(20)) == (1.0, pytest.approx(0.025**0.1), 1.0)
    assert clustered_auc(y, -y, np.arange(20)) == (0.0, 0.0, pytest.approx(1 - 0.025**0.1))
    with pytest.raises(NotEstimable, match="one class"):
        clustered_auc(np.ones(3), np.ones(3), np.arange(3))
    with pytest.raises(NotEstimable, match="1 aggressors"):
        clustered_auc([1, 1, 0, 0], [1, 2, 3, 4], ["a", "a", "b", "c"])


def test_features_are_listed_by_strength_with_their_missingness():
    y, margin, people = _rows()
    rng = np.random.default_rng(5)
    design = pd.DataFrame(
        {
            "noise": rng.normal(size=len(y)),
            "protects": -margin,
            "leak": np.where(y > 0, np.nan, margin),
            "constant": 1.0,
        }
    )
    found = single_feature_aucs(design, y, people)
    assert list(found["column"][:2]) == ["leak", "protects"]
    assert list(found["part"][:2]) == ["missing", "value"]
    assert found.loc[0, "auc"] == 1
    assert found.loc[1, "auc"] == pytest.approx(auc(y, expit(-margin)))
    assert found.loc[1, "strength"] == pytest.approx(1 - found.loc[1, "auc"])
    assert "constant" not in set(found["column"])
    noise = found.set_index("column").loc["noise"]
    assert noise["low"] < 0.5 < noise["high"]
    values = found[(found["column"] == "leak") & (found["part"] == "value")].iloc[0]
    assert "one class" in values["reason"].words("en")  # known only where there is no event
    check = single_feature_control(design, y, people)
    assert check.verdict == "fail"
    assert "the absence of the feature leak" in check.words["en"]
    with pytest.raises(RiskmlError, match="column word holds no numbers"):
        single_feature_aucs(pd.DataFrame({"word": ["a"] * len(y)}), y, people)
    with pytest.raises(RiskmlError, match="no column varies"):
        single_feature_control(design[["constant"]], y, people)


@pytest.mark.parametrize(("signal", "verdict"), [(0.6, "pass"), (1.05, "concern"), (3.0, "fail")])
def test_one_feature_may_not_know_more_than_honest_models(signal, verdict):
    y, margin, people = _rows(people=2000, signal=signal)
    design = pd.DataFrame({"strong": margin, "noise": np.random.default_rng(1).normal(size=len(y))})
    check = single_feature_control(design, y, people)
    assert check.verdict == verdict
    assert check.figures["compared"] == 2
    assert "2 comparisons" in check.figures["multiplicity"]["en"]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=20), st.integers(0, 1000))
def test_shuffled_people_get_all_outcomes_of_one_other(people, seed):
    people = np.array(people)
    y = np.arange(len(people))
    shuffled = shuffled_labels(y, np.random.default_rng(seed), people=people)
    givers = []
    for who in np.unique(people):
        got = shuffled[people == who]
        giver = np.unique(people[got])
        assert len(giver) == 1
        assert list(got) == list(np.resize(y[people == giver[0]], len(got)))
        givers.append(giver[0])
    assert sorted(givers) == sorted(np.unique(people))
    rows = shuffled_labels(y, np.random.default_rng(seed))
    assert sorted(rows) == list(y)


def _recipe(leak):
    """A recipe that learns honestly, or knows the held-out outcomes by a column made from them."""
    y, margin, _ = _rows()
    held_out, learnt = np.arange(1000, 2000), np.arange(1000)

    def learn(labels, seed):
        columns = [np.ones(len(y)), margin]
        if leak:
            columns.append(labels + np.random.default_rng(seed).normal(0, 2, len(y)))
        design = np.column_stack(columns)
        fitted = fit_logistic(design[learnt], np.ones(1000), labels[learnt])
        return expit(design[held_out] @ fitted)

    return {"learn": learn, "y": y, "held_out": held_out}


def test_shuffled_outcomes_are_not_predicted_unless_something_leaks():
    honest = shuffled_label_control(**_recipe(leak=False), seed=0)
    assert honest.verdict == "pass"
    assert honest.figures["auc"]["low"] <= 0.5 <= honest.figures["auc"]["high"]
    assert "holds 0.5" in honest.words["en"]
    leaky = shuffled_label_control(**_recipe(leak=True), seed=0)
    assert leaky.verdict == "fail"
    assert leaky.figures["auc"]["low"] > 0.55
    assert leaky.title("es") == "Resultados barajados: no superado"
    with pytest.raises(RiskmlError, match="at least two"):
        shuffled_label_control(**_recipe(leak=False), shuffles=1, seed=0)


def test_an_honest_recipe_seldom_fails_the_shuffling():
    y, _, _ = _rows()
    verdicts = []
    for seed in range(40):
        noise = lambda labels, own: np.random.default_rng(own).random(1000)  # noqa: E731
        found = shuffled_label_control(noise, y, np.arange(1000), shuffles=6, seed=seed)
        verdicts.append(found.verdict)
    assert verdicts.count("pass") >= 33


def test_recognising_people_is_a_concern_of_its_own():
    y, _, people = _rows()
    first, held_out = np.arange(0, len(y), 2), np.arange(1, len(y), 2)

    def memory(labels, seed):
        seen = np.bincount(people[first], weights=labels[first], minlength=people.max() + 1)
        return (seen[people[held_out]] + 0.5) / 3

    assert shuffled_label_control(memory, y, held_out, seed=0).verdict == "pass"
    by_person = shuffled_label_control(memory, y, held_out, people=people, seed=0)
    assert by_person.verdict == "concern"
    assert by_person.code == "shuffled_people"
    assert "never seen" in by_person.words["en"]


def test_reading_later_must_raise_the_auc():
    y, margin, people = _rows(signal=1.0)
    p = expit(margin)
    later = {30: expit(margin + 0.5 * y), 90: expit(margin + 2 * y)}
    found = future_shift_control(y, p, people, later=later, replicates=40, seed=0)
    assert found.verdict == "pass"
    assert list(found.figures["auc"]) == ["0", "30", "90"]
    assert found.figures["rise"]["low"] > 0
    assert found.figures["rise"]["days"] == 90
    flat = future_shift_control(y, p, people, later={90: p}, replicates=40, seed=0)
    assert flat.verdict == "concern"  # an honest AUC that reading later does not raise
    leaked = expit(margin + 3 * y)
    assert (
        future_shift_control(y, leaked, people, later={90: leaked}, replicates=40, seed=0).verdict == "fail"
    )
    with pytest.raises(RiskmlError, match="above 0 days"):
        future_shift_control(y, p, people, later={-3: p}, seed=0)


def test_a_future_that_is_easier_than_the_past_is_a_leak():
    y, margin, people = _rows()
    past = np.random.default_rng(9).integers(0, 2, len(y)).astype(float)
    past[:100] = np.nan
    leaked = expit(margin + 3 * y)
    found = future_shift_control(
        y, leaked, people, later={90: expit(margin + 9 * y)}, past=past, replicates=40, seed=0
    )
    assert found.verdict == "fail"
    assert "features hold the future" in found.words["en"]
    known = future_shift_control(y, expit(margin), people, later={90: leaked}, past=y, replicates=40, seed=0)
    assert known.verdict == "pass"
    empty = future_shift_control(
        y, expit(margin), people, later={90: leaked}, past=np.zeros(len(y)), replicates=40, seed=0
    )
    assert empty.figures["past"] is None


def test_a_cohort_is_read_some_days_later_or_earlier():
    cohort = pd.DataFrame({"case_id": ["a"], "as_of": pd.array(["2025-03-01"], dtype="datetime64[us]")})
    assert shifted_cohort(cohort, 30).loc[0, "as_of"] == pd.Timestamp("2025-03-31")
    assert shifted_cohort(cohort, -1).loc[0, "as_of"] == pd.Timestamp("2025-02-28")
    assert shifted_cohort(cohort, 30)["as_of"].dtype == cohort["as_of"].dtype


def test_the_audit_runs_above_080_or_when_asked_and_computes_nothing_before():
    y, margin, people = _rows()
    calls = []

    def design():
        calls.append("design")
        return pd.DataFrame({"m": margin})

    quiet = leakage_audit(y, expit(margin), people, design=design, seed=0)
    assert (quiet.ran, quiet.verdict, calls) == (False, "pass", [])
    asked = leakage_audit(y, expit(margin), people, design=design, always=True, seed=0)
    assert (asked.ran, len(asked.checks), calls) == (True, 2, ["design"])
    leaked = expit(margin + 3 * y)
    loud = leakage_audit(
        y,
        leaked,
        people,
        design=design,
        learn=lambda: _recipe(leak=True),
        later=lambda: {"later": {30: leaked}},
        replicates=30,
        seed=0,
    )
    assert loud.ran
    assert loud.verdict == "fail"
    assert [check.code for check in loud.checks] == [
        "auc",
        "single_features",
        "shuffled_labels",
        "future_shift",
    ]
    document = json.loads(json.dumps(loud.document()))
    assert document["verdict"] == "fail"
    assert "does not show that there is no leakage" in document["words"]["en"]
    assert all(set(check["words"]) == {"es", "en"} for check in document["checks"])
    assert worst(()) == "pass"
