"""Rolling origins look back only, and a metric over origins is summed up as statsmodels would."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from statsmodels.stats.meta_analysis import combine_effects

from riskml.errors import RiskmlError
from riskml.models.splits import CROSS_FITTED, WINDOWS
from riskml.validation.backtest import labels_as_known, origins_table, rolling_origins
from riskml.validation.forecast import NotEstimable
from riskml.validation.heterogeneity import between_origins, over_origins
from riskml.validation.metrics import auc, calibration_intercept, calibration_slope

DAY = np.timedelta64(1, "D").astype("timedelta64[us]")
START = np.datetime64("2022-01-03", "us")
FOUR = dict(zip(WINDOWS, (0.5, 0.2, 0.3, 1.0), strict=True))
TWO = {"develop": 0.7, "evaluate": 0.3}


def _weekly(days=1400, cases=5):
    return np.repeat(START + np.arange(0, days, 7) * DAY, cases)


@settings(max_examples=60)
@given(
    st.integers(1200, 2000),
    st.integers(10, 90),
    st.integers(4, 7),
    st.sampled_from([FOUR, TWO]),
    st.sampled_from([None, 500]),
)
def test_no_window_sees_what_the_next_one_is_for(days, gap, origins, shares, length):
    as_of, gap = _weekly(days), gap * DAY
    reach = None if length is None else length * DAY
    found = rolling_origins(as_of, shares=shares, gap=gap, origins=origins, length=reach)
    assert len(found) == origins
    judged = np.concatenate([origin.split.rows["evaluate"] for origin in found])
    # Evaluation windows follow each other without overlap up to the end.
    assert np.array_equal(judged, np.flatnonzero(as_of >= found[0].at))
    names = [name for name in shares if name != "evaluate"]
    for origin in found:
        rows = origin.split.rows
        assert as_of[rows["evaluate"]].min() >= origin.at
        for name, following in zip(names, [*names[1:], "evaluate"], strict=True):
            begins = origin.split.bounds[following][0]
            # What a window's labels say was known when the next one begins; as of then they are read.
            assert as_of[rows[name]].max() + gap <= begins
            if name not in ("train",):
                assert origin.known_at[name] == begins
        assert (
            as_of[origin.split.refit].max() + gap
            <= origin.split.bounds["evaluate" if origin.split.cross_fitted else "calibrate"][0]
        )
        assert set(rows[names[0]]) <= set(origin.split.refit)
        if reach is not None:
            assert as_of[rows[names[0]]].min() >= origin.at - gap - reach
        assert origin.known_at["evaluate"] is None
        assert origin.split.prospective


def test_windows_share_the_time_as_asked():
    found = rolling_origins(_weekly(), shares=FOUR, gap=30 * DAY)
    spans = []
    for origin in found:
        bounds = origin.split.bounds
        lengths = [float((bounds[n][1] - bounds[n][0]) / DAY) for n in ("train", "tune", "calibrate")]
        assert np.array(lengths) / sum(lengths) == pytest.approx([0.5, 0.2, 0.3], abs=1e-6)
        spans.append(bounds["evaluate"][1] - bounds["evaluate"][0])
    assert np.ptp(np.array(spans)).astype(int) <= 1  # one microsecond belongs to the next window
    assert found[0].at == START + np.timedelta64(int(0.5 * 1393 * 86400e6), "us")


def test_what_is_too_short_or_too_few_is_one_message():
    as_of = _weekly(400)
    with pytest.raises(RiskmlError, match="too short for 4 origins") as error:
        rolling_origins(as_of, shares=FOUR, gap=90 * DAY)
    assert "develop, evaluate" in error.value.mend
    with pytest.raises(RiskmlError, match="at least 4"):
        rolling_origins(as_of, shares=FOUR, gap=DAY, origins=3)
    with pytest.raises(RiskmlError, match="least must lie"):
        rolling_origins(as_of, shares=FOUR, gap=DAY, least=1.0)
    with pytest.raises(RiskmlError, match="no assessment"):
        rolling_origins(as_of[:0], shares=FOUR, gap=DAY)
    with pytest.raises(RiskmlError, match="shares need all"):
        rolling_origins(as_of, shares={"train": 1.0}, gap=DAY)
    sparse = np.append(_weekly(200), START + 1400 * DAY)
    with pytest.raises(RiskmlError, match="no assessment falls into the window"):
        rolling_origins(sparse, shares=TWO, gap=DAY)


@pytest.mark.parametrize("shares", [FOUR, TWO])
def test_labels_are_read_as_they_were_known(shares):
    as_of = _weekly()
    outcome = (np.arange(len(as_of)) % 3 == 0).astype(float)
    gap, asked = 40 * DAY, []
    origin = rolling_origins(as_of, shares=shares, gap=gap)[1]

    def label(rows, known_at):
        asked.append(known_at)
        values = 1 - outcome[rows]  # a correction came later
        return np.where(as_of[rows] + gap <= known_at, values, np.nan)

    known = labels_as_known(label, origin, outcome)
    evaluate = origin.split.rows["evaluate"]
    assert np.array_equal(known[evaluate], outcome[evaluate])
    learnt = np.setdiff1d(np.flatnonzero(~np.isnan(known)), evaluate)
    assert np.array_equal(known[learnt], 1 - outcome[learnt])
    assert set(origin.split.refit) <= set(learnt)
    assert max(asked) == origin.at
    assert np.isnan(known[as_of > origin.split.bounds["evaluate"][1]]).all()
    with pytest.raises(RiskmlError, match="were not known in full"):
        labels_as_known(lambda rows, at: np.full(len(rows), np.nan), origin, outcome)


def test_the_windows_are_told_in_numbers():
    as_of = _weekly()
    outcome, people = (np.arange(len(as_of)) % 10 == 0).astype(float), np.arange(len(as_of)) % 5
    found = rolling_origins(as_of, shares=TWO, gap=30 * DAY)
    table = origins_table(found, outcome, people)
    assert list(table["window"]) == list(CROSS_FITTED) * 4
    rows = found[2].split.rows["evaluate"]
    row = table[(table["origin"] == pd.Timestamp(found[2].at)) & (table["window"] == "evaluate")].iloc[0]
    assert (row["assessments"], row["people"], row["events"]) == (len(rows), 5, outcome[rows].sum())


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(3, 8), st.floats(0.0, 0.2))
def test_between_origins_is_that_of_statsmodels(seed, k, spread):
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.01, 0.05, k)
    estimates = 0.7 + rng.normal(0, spread, k) + rng.normal(0, errors)
    found = between_origins(estimates, errors)
    with np.errstate(invalid="ignore"):  # statsmodels lets the variance between origins fall below 0
        reference = combine_effects(estimates, errors**2, method_re="chi2", use_t=True)
    assert found["q"] == pytest.approx(reference.q, rel=1e-9)
    assert found["i2"] == pytest.approx(max(0.0, reference.i2), abs=1e-9)
    if reference.tau2 <= 0:
        assert found["tau"] == 0
        assert found["mean"] == pytest.approx(reference.mean_effect_fe, abs=1e-9)
        return
    assert found["tau"] ** 2 == pytest.approx(reference.tau2, abs=1e-9)
    assert found["mean"] == pytest.approx(reference.mean_effect_re, abs=1e-9)
    low, high = reference.conf_int(use_t=True)[3]
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=1e-6)
    assert found["expected_low"] <= found["mean"] <= found["expected_high"]


def test_too_few_origins_or_no_error_is_said():
    with pytest.raises(NotEstimable, match="2 origins"):
        between_origins([0.7, 0.8], [0.1, 0.1])
    with pytest.raises(NotEstimable, match="no standard error"):
        between_origins([0.7, 0.8, 0.6], [0.1, 0.0, 0.1])


def _judged(drift=0.0, origins=4, people=400, seed=0):
    rng, judged = np.random.default_rng(seed), {}
    person_effect = rng.normal(0, 0.5, people)
    for i in range(origins):
        person = rng.choice(people, 300, replace=False)
        margin = rng.normal(-1, 1, 300) + person_effect[person]
        y = (rng.random(300) < expit(margin + drift * i)).astype(float)
        judged[f"2025-0{i + 1}-01"] = (y, expit(margin), person)
    return judged


def test_a_drift_between_origins_is_found_and_none_is_not_made_up():
    metrics = {"auc": auc, "calibration_intercept": calibration_intercept}
    steady = over_origins(metrics, _judged(), replicates=100, seed=0).overall
    drifting = over_origins(metrics, _judged(drift=0.5), replicates=100, seed=0).overall
    assert steady.loc["calibration_intercept", "low"] < 0 < steady.loc["calibration_intercept", "high"]
    assert (
        steady.loc["calibration_intercept", "change_low"]
        < 0
        < steady.loc["calibration_intercept", "change_high"]
    )
    row = drifting.loc["calibration_intercept"]
    assert row["change_low"] > 0.8
    assert row["tau"] > 0.3
    assert row["q_p_value"] < 0.001
    assert row["lowest"] < row["mean"] < row["highest"]
    assert row["expected_low"] < row["low"]
    assert drifting.loc["auc", "tau"] < 0.05


def test_each_origin_has_its_own_figures_and_a_report_is_plain_json():
    judged = _judged()
    found = over_origins({"auc": auc}, judged, replicates=40, seed=0)
    for origin, (y, p, people) in judged.items():
        row = found.by_origin.set_index("origin").loc[origin]
        assert row["estimate"] == pytest.approx(auc(y, p))
        assert row["low"] < row["estimate"] < row["high"]
        assert (row["n"], row["events"], row["people"]) == (300, y.sum(), len(set(people)))
    assert found.overall.loc["auc", "mean"] == pytest.approx(found.by_origin["estimate"].mean())
    document = json.loads(json.dumps(found.document()))
    assert document["by_origin"][0]["origin"] == "2025-01-01"
    assert "4 orígenes" in document["words"]["es"]


def test_an_origin_without_the_figure_is_named_and_nothing_is_summed_up():
    judged = _judged()
    y, p, people = judged["2025-02-01"]
    judged["2025-02-01"] = (y, np.full(300, 0.3), people)
    found = over_origins({"slope": calibration_slope}, judged, replicates=20, seed=0)
    assert np.isnan(found.overall.loc["slope", "mean"])
    assert "the same" in found.overall.loc["slope", "reason"].words("en")
    assert found.document()["by_origin"][1]["not_estimable"]["en"] == "every predicted risk is the same"
    with pytest.raises(RiskmlError, match="needs several"):
        over_origins({"auc": auc}, {"one": judged["2025-01-01"]}, seed=0)
    judged["2025-02-01"] = (y, p, people[:-1])
    with pytest.raises(RiskmlError, match="needs its aggressor"):
        over_origins({"auc": auc}, judged, seed=0)
