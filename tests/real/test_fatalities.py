"""The public tables of femicides through their mappings: no row lost, no unknown taken for "no"."""

import csv
import os
from pathlib import Path

import pandas as pd
import pytest
from fatality_evaluation import (
    FEATURES,
    HERE,
    TABLES,
    evaluated,
    mapped,
    official,
    page,
)
from marked_page import rewritten

from riskml.fatality.coding.mapping import read_mapped
from riskml.fatality.findings.earlier import earlier
from riskml.features.catalogue import load_catalogue

ROOT = HERE.parent
DATA = Path(os.environ.get("RISKML_REAL_DATA", ROOT.parent / "shared" / "data")) / "fatalities"
REPORT, RECORD = "Previous Abuse Report", "antecedentes_ley_vif"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data: {DATA} is absent")


@pytest.fixture(scope="module")
def reviewed():
    """Each table as reviews: dict of name -> Reviews."""
    vocabulary = load_catalogue(FEATURES).factors
    return {name: mapped(name, DATA, vocabulary)[0] for name in TABLES}


@pytest.fixture(scope="module")
def table():
    """A function: name -> the table's rows, read without the mapping."""

    def rows(name):
        with (DATA / TABLES[name]).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    return rows


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_a_case_or_stands_apart_with_its_reason(name, table):
    sheets, rejected = read_mapped(DATA / TABLES[name], HERE / f"fatality_{name}.yml")
    places = [*sheets["cases"]["source_row"].unique(), *rejected["row"]]
    assert sorted(places) == list(range(2, len(table(name)) + 2))
    assert (rejected["reasons"] != "").all()
    assert not (rejected["why"] == "rejected").any(), "the mapping names every value of the table"


def test_spains_share_with_an_earlier_report_stands_beside_the_official_one(table, reviewed):
    rows = [row for row in table("spain") if row["Year"] >= "2006" for _ in range(int(row["Victims"]))]
    reported = sum(row[REPORT] in ("Yes", "Ex-officio") for row in rows)
    years = official(reviewed["spain"])["years"]
    assert (years["yes"], years["n"], years["unknown"]) == (reported, len(rows), 0)
    assert years["low"] < 0.261 < years["high"], "officially 26.1 % of 2006-2019"
    assert years["share"] == pytest.approx(0.261, abs=0.01)


@pytest.mark.parametrize(
    ("name", "column", "no"),
    [("spain", REPORT, {"No"}), ("chile", RECORD, {"Sin antecedentes"})],
)
def test_no_is_counted_only_where_the_table_says_no(name, column, no, table, reviewed):
    reviews = reviewed[name]
    sheets, _ = read_mapped(DATA / TABLES[name], HERE / f"fatality_{name}.yml")
    source = pd.Series([row[column] for row in table(name)], index=range(2, len(table(name)) + 2))
    said = sheets["cases"]["source_row"].map(source)
    for field in {"earlier_report", "measure_in_force"} & set(sheets["cases"].columns):
        denied = sheets["cases"][field] == "no"
        assert set(said[denied]) <= no, field
    row = next(row for row in earlier(reviews) if row["field"] == "earlier_report")
    assert row["no"] == int(said.isin(no).sum())
    assert row["unknown"] == int(said.str.startswith(("Unknown", "Desconocido")).sum()) > 0
    assert row["bound_low"] < row["share"] < row["bound_high"]
    for by in ("year", "relationship"):
        groups = [group for group in row["by"] if group["by"] == by]
        assert sum(group["n"] for group in groups) == row["n"] == len(reviews)
        assert sum(group["unknown"] for group in groups) == row["unknown"]


@pytest.mark.slow
def test_the_page_holds_these_figures_and_no_text_of_the_tables(table):
    written = (ROOT / "docs" / "fatality_evaluation.md").read_text(encoding="utf-8")
    assert written == rewritten(written, "fatality_evaluation.py", page(evaluated(DATA))), (
        "run: python benchmarks/fatality_evaluation.py --data DIR --page docs/fatality_evaluation.md"
    )
    stories = (row[column] for row in table("chile") for column in row if column.startswith("informacion"))
    assert not [story for story in stories if len(story) > 40 and story[:40] in written]
