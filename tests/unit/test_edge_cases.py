"""The rows that a registry will have sooner or later, each with what it must and must not change.

Some are also looked at one aggregate at a time in test_matrix.py; here the project's own catalogue reads
them.
"""

import time
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from registries import FACTORS, KEY, ZONE, fill, registry_rows
from riskml.features.catalogue import load_catalogue
from riskml.features.facts_behind import facts_behind
from riskml.features.matrix import build_features
from riskml.registry.contract import TABLES
from riskml.registry.database import connect
from riskml.registry.history import History
from riskml.registry.take import take_history

LAST = pd.Timestamp("9999-12-31")


@cache
def catalogue():
    return load_catalogue(Path(__file__).parents[2] / "features")


def row(occurred, recorded=None, **columns):
    clock = {"occurred_at": pd.Timestamp(occurred), "recorded_at": pd.Timestamp(recorded or occurred)}
    return clock | columns


def case(case_id="A", aggressor="p", victim="v", occurred="2024-01-01", recorded=None, **columns):
    return row(occurred, recorded, case_id=case_id, aggressor_id=aggressor, victim_id=victim, **columns)


def incident(occurred, recorded=None, case_id="A", **columns):
    return row(occurred, recorded, case_id=case_id, **{"source": "911", "severity": 3} | columns)


def history(**rows):
    """A history of rows by table; the rest of the tables are empty."""
    tables = {}
    for name, table in TABLES.items():
        given = pd.DataFrame(rows.get(name, []))
        for column in table.history_columns:
            if column.name not in given:
                given[column.name] = pd.Series([None] * len(given), dtype="object")
            if column.name.endswith("_at"):
                given[column.name] = pd.to_datetime(given[column.name]).astype("datetime64[us]")
        tables[name] = given
    return History.of(tables)


def at(known, *pairs):
    """The matrix of the workspace's catalogue at (case, moment) pairs."""
    cohort = pd.DataFrame(
        {"case_id": [c for c, _ in pairs], "as_of": np.array([t for _, t in pairs], "M8[us]")}
    )
    return build_features(known, cohort, catalogue())


def silent(matrix):
    """Columns of facts that say anything but nothing: not missing, not 0."""
    said = matrix.iloc[0].replace(0.0, np.nan).dropna()
    return sorted(name for name in said.index if not catalogue().column(name).feature.is_formula)


def test_a_case_with_no_incident_is_silent_but_for_its_age():
    said = silent(at(history(cases=[case(relationship="partner")]), ("A", "2024-06-01")))
    tables = {catalogue().column(name).feature.table for name in said}
    assert tables == {"cases"}


def test_a_case_known_by_a_measure_alone_speaks_of_it_alone():
    measure = row("2024-05-01", case_id="A", kind="protection", expires_at=pd.Timestamp("2024-06-30"))
    said = silent(at(history(cases=[case()], measures=[measure]), ("A", "2024-06-01")))
    tables = {catalogue().column(name).feature.table for name in said}
    assert tables == {"cases", "measures"}


def test_a_fact_recorded_before_it_occurred_is_visible_at_the_later_and_says_so():
    known = history(cases=[case()], incidents=[incident("2024-03-10", "2024-03-05")])
    matrix = at(known, *(("A", t) for t in ("2024-03-05", "2024-03-09T23:59:59.999999", "2024-03-10")))
    assert matrix["incidents_ever"].tolist() == [0, 0, 1]
    early = facts_behind(known, catalogue(), "A", "2024-03-07", "incidents_ever")
    assert early["reason"].tolist() == ["not_yet_occurred"]


def test_a_fact_recorded_before_it_occurred_is_counted_in_the_manifest(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'registry.db'}", create=True)
    dirty = {"occurred_at": "2025-02-01 10:00:00", "recorded_at": "2025-01-20 10:00:00"}
    rows = registry_rows()
    rows["incidents"][0] |= dirty
    fill(engine, rows)
    taken = take_history(engine, tmp_path / "histories", key=KEY, factors=FACTORS, timezone=ZONE)
    engine.dispose()
    assert taken.manifest["faults"]["recorded_before_occurred"] == {"incidents": 1}


def test_events_of_the_same_instant_all_count_whatever_their_order():
    same = [incident("2024-03-10T12:00", source=s, severity=g) for s, g in (("911", 1), ("banevim", 5))]
    for order in (same, same[::-1]):
        matrix = at(history(cases=[case()], incidents=order), ("A", "2024-03-10T12:00"))
        assert matrix["incidents_30d"].tolist() == [2]
        assert matrix["severity_highest_ever"].tolist() == [5]
        assert matrix["days_since_incident"].tolist() == [0]


def test_a_superseded_case_takes_everything_with_it_until_its_correction_speaks():
    gone, back = pd.Timestamp("2024-03-01"), "2024-04-01"
    cases = [case(superseded_at=gone), case(recorded=back)]
    known = history(cases=cases, incidents=[incident("2024-01-10")])
    matrix = at(known, *(("A", t) for t in ("2024-02-01", "2024-03-01", "2024-04-01")))
    assert matrix["incidents_ever"].tolist() == [1, 0, 1]
    facts = facts_behind(known, catalogue(), "A", "2024-03-15", "incidents_ever")
    assert facts["reason"].tolist() == ["case_not_known"]


def test_an_aggressor_who_is_a_victim_elsewhere_does_not_answer_for_what_was_done_to_him():
    cases = [case("A", "p", "v"), case("B", "q", "p")]
    known = history(cases=cases, incidents=[incident("2024-02-01", case_id=c) for c in "ABB"])
    name = next(
        c.name
        for c in catalogue().columns
        if c.feature.over == "aggressor"
        and (c.feature.table, c.feature.aggregate, c.feature.where, c.window)
        == ("incidents", "count", None, "ever")
    )
    assert at(known, ("A", "2024-03-01"), ("B", "2024-03-01"))[name].tolist() == [1, 2]
    assert facts_behind(known, catalogue(), "A", "2024-03-01", name)["case_id"].tolist() == ["A"]


@pytest.mark.parametrize(
    ("occurred", "as_of", "days"),
    [
        ("2024-02-28", "2024-03-01", 2),
        ("2023-02-28", "2023-03-01", 1),
        ("2000-02-28", "2000-03-01", 2),  # a century that is a leap year
        ("2100-02-28", "2100-03-01", 1),  # one that is not
        ("2024-02-29", "2025-02-28", 365),
    ],
)
def test_days_are_days_across_leap_days(occurred, as_of, days):
    known = history(cases=[case(occurred="2000-01-01")], incidents=[incident(occurred)])
    matrix = at(known, ("A", as_of))
    assert matrix["days_since_incident"].tolist() == [days]
    assert matrix["incidents_365d"].tolist() == [float(days < 365)]


def test_years_1900_and_9999_are_times_like_any_other():
    known = history(
        cases=[case(occurred="1900-01-01")],
        incidents=[incident("1900-01-01"), incident("2024-05-01", LAST)],
        measures=[row("2024-05-01", case_id="A", kind="protection", expires_at=LAST)],
    )
    matrix = at(known, *(("A", t) for t in ("1899-12-31", "1900-01-01", "2024-06-01", "9999-12-31")))
    assert matrix["incidents_ever"].tolist() == [0, 1, 1, 2]
    facts = facts_behind(known, catalogue(), "A", "2024-06-01", "incidents_30d")
    assert facts["reason"].tolist() == ["outside_window", "not_yet_recorded"]
    span = (pd.Timestamp("2024-06-01").as_unit("us") - pd.Timestamp("1900-01-01").as_unit("us")).days
    assert matrix["days_since_incident"].tolist()[1:3] == [0, span]


def test_an_aggressor_with_200_000_facts_is_read_and_explained():
    facts, rng = 200_000, np.random.default_rng(0)
    occurred = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 1500 * 24, facts)), "h")
    tables = dict(history(cases=[case("A"), case("B", victim="w")]).tables)
    tables["cases"] = history(cases=[case(c, occurred="2019-01-01", victim=c) for c in "AB"]).table("cases")
    tables["incidents"] = pd.DataFrame(
        {
            "incident_id": np.arange(facts).astype(str),
            "case_id": rng.choice(list("AB"), facts),
            "source": "911",
            "severity": rng.integers(0, 7, facts),
            "occurred_at": occurred.astype("datetime64[us]"),
            "recorded_at": (occurred + pd.Timedelta(hours=5)).astype("datetime64[us]"),
        }
    )
    known = History.of(tables)
    moments = [("A", t) for t in pd.date_range("2020-06-01", periods=1000, freq="36h")]
    begun = time.process_time()
    matrix = at(known, *moments)
    column = next(
        c for c in catalogue().columns if c.feature.over == "aggressor" and c.feature.table == "incidents"
    )
    behind = facts_behind(known, catalogue(), "A", moments[-1][1], column.name)
    assert time.process_time() - begun < 60
    assert len(behind) == facts
    if column.feature.aggregate == "count":
        assert behind["counted"].sum() == matrix[column.name].iloc[-1]


def test_days_since_episodes_stay_fast_where_nearly_all_facts_are_of_one_episode(tmp_path):
    """200,000 facts within a day: no assessment that was claimed is visited by each of them again."""
    (tmp_path / "acts.yml").write_text(
        "dimension: acts\ntable: incidents\nfeatures:\n"
        "  second: {aggregate: days_since_second}\n  third: {aggregate: days_since_third}\n"
        "  earlier: {aggregate: distinct, column: severity, windows: [1d-30d]}\n",
        encoding="utf-8",
    )
    facts, first, last = 200_000, pd.Timestamp("2020-01-01"), pd.Timestamp("2020-02-01")
    occurred = last + pd.to_timedelta(np.linspace(0, 23.9, facts), "h")
    occurred = pd.DatetimeIndex([first, *occurred]).astype("datetime64[us]")
    incidents = {"case_id": "A", "severity": np.arange(facts + 1) % 7, "source": "911"}
    incidents |= {"incident_id": "i", "occurred_at": occurred, "recorded_at": occurred}
    cases = history(cases=[case("A", occurred="2019-01-01")]).table("cases")
    known = History.of({"cases": cases, "incidents": pd.DataFrame(incidents)})
    moments = pd.date_range(last + pd.Timedelta(days=1), periods=3_000, freq="6h").astype("datetime64[us]")
    cohort = pd.DataFrame({"case_id": "A", "as_of": moments})
    few = load_catalogue(tmp_path)
    build_features(known, cohort.head(1), few)  # compiled
    begun = time.process_time()
    matrix = build_features(known, cohort, few)
    assert time.process_time() - begun < 10
    # The last fact begins the last episode; all others within 24 hours belong to it.
    expected = (cohort["as_of"] - first) / pd.Timedelta(days=1)
    np.testing.assert_allclose(matrix["second"], expected)
    assert matrix["third"].isna().all()
