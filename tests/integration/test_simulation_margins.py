"""The simulator's margins beside the figures that they were tuned to, and its two extremes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sqlalchemy import text

from riskml.errors import RiskmlError
from riskml.outcomes.cohort import assessments
from riskml.outcomes.labels import label_outcomes
from riskml.registry.contract import TABLES
from riskml.registry.database import connect, is_synthetic
from riskml.registry.history import History
from riskml.simulation.margins import margins
from riskml.simulation.pages import PAGE_CASES, PAGE_SEED, margins_table
from riskml.simulation.simulate import simulate
from riskml.simulation.writing import EXTRA_COLUMNS, write_registry

REPEAT = {"event": "incident", "horizon": "90d", "reporting_lag": "45d"}

# Margin -> sane range: the anchor where it is met, wider where the settings cannot meet it.
# docs/simulation.md says which.
SANE = {
    "recurrence_30d": (0.045, 0.09),
    "recurrence_90d": (0.08, 0.15),
    "recurrence_12_months": (0.21, 0.29),
    "repeats_by_month_3_of_320_days": (0.46, 0.62),
    "no_repeat": (0.66, 0.80),
    "severe_per_pair_year": (0.02, 0.05),
    "severe_on_first_or_second_contact": (0.38, 0.62),
    "harm_of_top_2_percent": (0.40, 0.90),
    "femicides_per_10000_pair_years": (0.5, 12.0),
    "serial_aggressors": (0.055, 0.10),
    "custody_per_pair_year": (0.01, 0.06),
    "low_severity_reported": (0.12, 0.30),
    "lag_median_days": (0.6, 1.8),
    "lag_95_percent_days": (35.0, 60.0),
    "second_rows_per_event": (0.25, 0.38),
}


@pytest.fixture(scope="module")
def registry():
    return simulate(PAGE_CASES, seed=PAGE_SEED)


def test_margins_beside_their_anchors(registry, capsys):
    found = margins(registry)
    with capsys.disabled():
        print(f"\n{found.round(3).to_string()}")
    off = {
        name: found.loc[name, "value"]
        for name, (low, high) in SANE.items()
        if not low <= found.loc[name, "value"] <= high
    }
    assert not off
    calls = found.loc["calls_911_per_month"]
    assert calls["value"] == pytest.approx(calls["low"], rel=0.15)


def test_the_page_shows_the_margins_as_they_are(registry):
    page = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text(encoding="utf-8")
    missing = [row for row in margins_table(margins(registry)).splitlines() if row not in page]
    assert not missing, "render it again: python -m riskml.simulation.pages docs/simulation.md"


def test_strangulation_is_as_common_as_its_source_says():
    found = margins(simulate(6000, seed=1, recording="complete"))["value"]
    assert 0.06 <= found["strangulation_not_severe"] <= 0.13
    assert 0.35 <= found["strangulation_severe"] <= 0.55


def test_there_is_no_monotone_ramp_of_severity(registry):
    events = registry.truth.events.sort_values(["case_id", "occurred_at"])
    rank = events.groupby("case_id").cumcount()
    many = events.groupby("case_id")["severity"].transform("size") >= 6
    by_rank = events[many & (rank >= 1) & (rank < 6)].groupby(rank)["severity"].mean()
    assert by_rank.max() - by_rank.min() < 0.25


def _labelled(simulation):
    history = History.of(dict(simulation.tables))
    cohort = assessments(history, every="28d")
    outcome = label_outcomes(history, cohort, REPEAT)["outcome"].to_numpy()
    known = ~np.isnan(outcome)
    return cohort[known].reset_index(drop=True), outcome[known]


def _seen(simulation, cohort):
    """What baselines look at: incidents so far and days since the last, as recorded at each assessment."""
    incidents = simulation.tables["incidents"].dropna(subset=["occurred_at"])
    known = incidents.assign(known=incidents[["occurred_at", "recorded_at"]].max(axis=1)).sort_values("known")
    known["count"] = known.groupby("case_id").cumcount() + 1
    rows = cohort.reset_index().sort_values("as_of")
    joined = pd.merge_asof(
        rows,
        known[["case_id", "known", "occurred_at", "count"]],
        left_on="as_of",
        right_on="known",
        by="case_id",
    )
    joined = joined.set_index("index").sort_index()
    since = (joined["as_of"] - joined["occurred_at"]).dt.total_seconds()
    return joined["count"].fillna(0).to_numpy(), since.fillna(since.max()).to_numpy()


def test_without_signal_nothing_predicts_a_new_incident():
    flat = simulate(8000, seed=1, signal=0.0)
    cohort, outcome = _labelled(flat)
    count, since = _seen(flat, cohort)
    assert 0.48 <= roc_auc_score(outcome, count) <= 0.52
    assert 0.48 <= roc_auc_score(outcome, since) <= 0.52


def test_with_signal_the_truth_predicts_better_than_what_is_seen(registry):
    cohort, outcome = _labelled(registry)
    count, since = _seen(registry, cohort)
    truth = roc_auc_score(outcome, registry.truth.risk(cohort, 90))
    assert truth > roc_auc_score(outcome, count) + 0.1
    assert truth > roc_auc_score(outcome, -since) + 0.1
    assert 0.55 < roc_auc_score(outcome, -since) < 0.80


def test_with_complete_recording_the_truth_is_calibrated():
    seen = simulate(5000, seed=1, recording="complete")
    cohort, outcome = _labelled(seen)
    risk = seen.truth.risk(cohort, 90)
    assert outcome.mean() == pytest.approx(risk.mean(), rel=0.05)


def test_what_is_written_is_what_is_simulated(tmp_path):
    written, truth = write_registry(
        f"sqlite:///{tmp_path}/r.db", 400, seed=9, truth_folder=tmp_path / "truth"
    )
    made = simulate(400, seed=9)
    engine = connect(f"sqlite:///{tmp_path}/r.db")
    with engine.connect() as connection:
        assert is_synthetic(connection)
        for name in TABLES:
            rows = pd.read_sql(text(f"select * from {name}"), connection)
            expected = made.tables[name]
            assert written[name] == len(rows) == len(expected)
            for column in expected:
                if "datetime" in str(expected[column].dtype):
                    found = pd.to_datetime(rows[column]).astype("datetime64[us]")
                    assert found.equals(expected[column]), (name, column)
                else:
                    both = rows[column].isna() == expected[column].isna()
                    assert both.all(), (name, column)
                    there = expected[column].notna().to_numpy()
                    kind = float if column in ("birth_year", "severity") else str
                    found, wanted = (frame[column][there].astype(kind) for frame in (rows, expected))
                    assert (found.to_numpy() == wanted.to_numpy()).all(), (name, column)
        names = pd.read_sql(text("select name from sqlite_master where type = 'table'"), connection)["name"]
    assert set(names) == {*TABLES, "riskml_synthetic"}
    pd.testing.assert_frame_equal(truth.states, made.truth.states)
    assert set(EXTRA_COLUMNS) == {"aggressors", "victims"}


def test_a_registry_that_is_there_is_not_overwritten_unasked(tmp_path):
    url = f"sqlite:///{tmp_path}/r.db"
    write_registry(url, 20)
    with pytest.raises(RiskmlError, match="already holds"):
        write_registry(url, 30)
    written, truth = write_registry(url, 30, replace=True)
    assert written["cases"] >= 30
    assert truth is None
