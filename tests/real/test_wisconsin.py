"""The Wisconsin court records along the whole path: what the mapping keeps and hides, what comes of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from marked_page import held
from wisconsin_registry.coverage import COVERAGE_END, LATER_END
from wisconsin_registry.mapping import map_records
from wisconsin_registry.page import figures
from wisconsin_registry.records import read_records

from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.spec import load_model_file
from riskml.outcomes.cohort import assessments
from riskml.outcomes.labels import label_outcomes
from riskml.registry.contract import TABLES
from riskml.registry.history import History
from riskml.training.report import libraries

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks" / "wisconsin.py"
MODELS = ROOT / "benchmarks" / "wisconsin_registry" / "models"
PAGE = ROOT / "docs" / "evaluation.md"
INDEX = pd.Timestamp("2015-06-21")
HORIZON = pd.Timedelta(days=180)


@pytest.fixture(scope="module")
def records(wisconsin):
    return read_records(wisconsin)


@pytest.fixture(scope="module")
def tables(records):
    return map_records(records)


@pytest.fixture(scope="module")
def as_of_coverage_end(records):
    return History.of(map_records(records, until=COVERAGE_END))


def _clocks(rows):
    return rows[["occurred_at", "recorded_at"]].max(axis=1, skipna=False)


def test_every_table_of_the_contract_is_there_in_its_columns(tables):
    assert {name: list(rows.columns) for name, rows in tables.items()} == {
        name: list(table.names) for name, table in TABLES.items()
    }


def test_everyone_has_one_domestic_case_opened_at_his_first_domestic_filing(records, tables):
    tagged = records.charges[records.charges["domestic_abuse"]]
    first = tagged.groupby("person_id")["filing_date"].min()
    cases = tables["cases"].set_index("case_id")
    assert cases.index.is_unique
    opened = cases.loc[first.index + "-domestic", "occurred_at"].to_numpy()
    # A file may hold a domestic charge without date.
    assert (opened == first.to_numpy()).mean() > 0.999
    assert tables["aggressors"]["aggressor_id"].is_unique


def test_every_domestic_charge_is_in_an_incident_of_its_file_and_day(records, tables):
    tagged = records.charges[records.charges["domestic_abuse"]].dropna(subset=["offense_date", "filing_date"])
    wanted = tagged["case_id"] + "-" + tagged["offense_date"].dt.strftime("%Y%m%d")
    incidents = tables["incidents"]
    assert incidents["incident_id"].is_unique
    assert set(wanted) <= set(incidents.loc[incidents["case_id"].str.endswith("-domestic"), "incident_id"])
    assert incidents["severity"].between(0, 6).all()


def test_nothing_is_visible_before_it_was_filed(records, tables):
    filed = records.cases.set_index("case_id")["filing_date"]
    incidents = tables["incidents"]
    file = incidents["incident_id"].str.rsplit("-", n=1).str[0]
    assert (_clocks(incidents) >= filed[file].to_numpy()).all()
    opened = tables["cases"].set_index("case_id")["recorded_at"]
    domestic = tables["measures"]
    assert (_clocks(domestic) >= opened[domestic["case_id"]].to_numpy()).all()
    for name in ("measures", "proceedings", "factors"):
        assert (tables[name]["recorded_at"] >= filed.min()).all()


def test_audit_columns_are_no_predictors(records, tables):
    words = set(records.cases["group"])
    for rows in tables.values():
        for column in rows.columns:
            assert not words & set(rows[column].dropna().astype(str))
    read = load_catalogue(ROOT / "features").tables_read
    assert "municipality" not in read.get("cases", set())


def test_features_at_the_index_date_do_not_know_what_came_after(tables, as_of_coverage_end):
    catalogue = load_catalogue(ROOT / "features")
    cohort = assessments(as_of_coverage_end, every="1d", start=INDEX, end=INDEX)
    cohort = cohort.sample(500, random_state=0).reset_index(drop=True)
    then = build_features(as_of_coverage_end, cohort, catalogue)
    now = build_features(History.of(tables), cohort, catalogue)
    pd.testing.assert_frame_equal(then, now)


def test_the_outcome_is_what_counting_charges_by_hand_gives(records, as_of_coverage_end):
    spec = load_model_file(MODELS / "domestic_180d.yml")
    cohort = assessments(as_of_coverage_end, every="1d", start=INDEX, end=INDEX)
    labels = label_outcomes(as_of_coverage_end, cohort, spec.outcome, known_at=COVERAGE_END)
    charges = records.charges
    known = charges[["offense_date", "filing_date"]].max(axis=1)
    tagged = charges["domestic_abuse"]
    first = charges[tagged & (charges["filing_date"] <= INDEX)]["person_id"].unique()
    assert set(cohort["case_id"]) == {f"{person}-domestic" for person in first}
    within = (charges["offense_date"] > INDEX) & (charges["offense_date"] <= INDEX + HORIZON)
    events = charges[tagged & within & (known <= COVERAGE_END)]
    # An offence on the day after one that the registry already shows is the same event.
    shown = charges[tagged & (charges["offense_date"] == INDEX) & (known <= INDEX)]["person_id"]
    repeated = events["person_id"].isin(set(shown)) & (events["offense_date"] <= INDEX + pd.Timedelta(days=1))
    expected = set(events.loc[~repeated, "person_id"]) & set(first)
    found = cohort.loc[labels["outcome"].to_numpy() == 1, "case_id"].str.removesuffix("-domestic")
    assert set(found) == expected


def test_follow_up_ends_before_the_gap():
    for file in MODELS.glob("*.yml"):
        spec = load_model_file(file)
        end = pd.Timestamp(spec.split.index_date) + pd.Timedelta(spec.outcome.horizon_us, "us")
        assert end + pd.Timedelta(spec.outcome.reporting_lag_us, "us") <= COVERAGE_END < LATER_END


def test_the_page_names_the_command_and_holds_figures():
    text = PAGE.read_text(encoding="utf-8")
    assert "python benchmarks/wisconsin.py --data DIR --page docs/evaluation.md" in text
    assert SCRIPT.is_file()
    for file in MODELS.glob("*.yml"):
        assert f"`{file.stem}`" in held(text, SCRIPT.name)


def _run(*arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_folder_without_records_is_one_readable_message(tmp_path):
    code, out, err = _run("--data", tmp_path)
    assert (code, out) == (2, "")
    assert "cases.parquet" in err
    assert "Traceback" not in err


def test_a_handful_of_people_is_counted_and_nothing_is_estimated(wisconsin, tmp_path):
    cases = pd.read_parquet(wisconsin / "cases.parquet")
    people = np.random.default_rng(0).choice(cases["person_id"].unique(), 150, replace=False)
    for name in ("cases", "charges", "docket"):
        rows = pd.read_parquet(wisconsin / f"{name}.parquet")
        rows[rows["person_id"].isin(people)].to_parquet(tmp_path / f"{name}.parquet")
    code, out, err = _run("--data", tmp_path, "--json")
    assert code == 0, err
    questions = json.loads(out)["questions"]
    assert all("people" in q["cohort"] and "not_estimable" in q for q in questions.values())
    assert _run("--data", tmp_path)[0] == 0


def _lightgbm_auc(parts):
    """The first AUC of LightGBM in each question's part of the page."""
    found = [re.search(r"^\| LightGBM \| (\d\.\d+)", part, re.MULTILINE) for part in parts[1:]]
    return [float(match[1]) for match in found if match]


@pytest.mark.slow
def test_the_page_holds_what_a_run_gives(wisconsin):
    code, out, err = _run("--data", wisconsin, "--json")
    assert code == 0, err
    results = json.loads(out)
    found = results["questions"]["domestic_180d"]["cross_fitted"]
    for name in ("base_rate", "incidents", "days_since"):
        for metric in ("auc", "brier"):
            assert not found["lightgbm_against"][name][metric]["worse_by_more_than_the_interval"]
    low, high = (found["candidates"]["lightgbm"][f"calibration_slope_{end}"] for end in ("low", "high"))
    assert low <= 1 <= high
    assert all(
        q["cross_fitted"]["candidates"]["lightgbm"]["auc"] < 0.8 for q in results["questions"].values()
    )
    text = PAGE.read_text(encoding="utf-8")
    versions = ", ".join(f"{name} {version}" for name, version in libraries().items())
    if versions not in text:
        pytest.skip(f"the page was written with other versions than {versions}")
    written, fresh = (
        part.strip("\n").split("\n### ") for part in (held(text, SCRIPT.name), figures(results))
    )
    # Records, faults and cohorts to the letter; the models may differ a little between processors.
    assert written[0] == fresh[0]
    assert [part.split("\n")[0] for part in written] == [part.split("\n")[0] for part in fresh]
    for before, now in zip(_lightgbm_auc(written), _lightgbm_auc(fresh), strict=True):
        assert before == pytest.approx(now, abs=0.02)
