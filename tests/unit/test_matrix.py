"""The matrix: what goes in, what comes out, and the edge cases that a registry will have."""

import time
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from riskml.errors import RiskmlError
from riskml.features import matrix as matrix_module
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.registry.contract import TABLES
from riskml.registry.history import ARROW_TYPES

DAY = 86_400_000_000

CATALOGUE = """
- dimension: acts
  table: incidents
  features:
    incidents: {aggregate: count, windows: [30d, ever]}
    severity_sum: {aggregate: sum, column: severity, windows: [30d, ever]}
    severity_mean: {aggregate: mean, column: severity}
    severity_max: {aggregate: max, column: severity, windows: [30d, ever]}
    sources: {aggregate: distinct, column: source}
    days_since_incident: {aggregate: days_since}
    last_source: {aggregate: latest, column: source}
    his_incidents: {aggregate: count, over: aggressor}
    grave: {aggregate: any, where: "severity >= 4", windows: [30d, ever]}
- dimension: response
  table: measures
  features:
    protected: {aggregate: in_force}
    protection_ends_in: {aggregate: days_to_expiry}
- dimension: aggressor
  table: aggressors
  features:
    birth_year: {aggregate: latest, column: birth_year}
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    (folder / "acts.yml").write_text(CATALOGUE, encoding="utf-8")
    return load_catalogue(folder)


def table(name, *rows, **columns):
    """Rows of one table: what a test does not speak of is null, recorded at once and never corrected."""
    frame = pd.DataFrame(list(rows)) if rows else pd.DataFrame(columns)
    if "recorded_at" not in frame and "occurred_at" in frame:
        frame["recorded_at"] = frame["occurred_at"]
    built = {}
    for column in TABLES[name].history_columns:
        given = frame[column.name] if column.name in frame else [None] * len(frame)
        values = given if isinstance(given, list) else list(given)
        if pa.types.is_timestamp(ARROW_TYPES[column.kind]):
            values = [None if pd.isna(v) else pd.Timestamp(v).to_pydatetime() for v in values]
        built[column.name] = pa.array(values, ARROW_TYPES[column.kind])
    return pa.table(built)


def history(**tables):
    known = {name: table(name) for name in ("cases", "incidents", "measures", "aggressors")}
    return known | tables


def case(case_id, aggressor="p", victim="v", occurred_at="2024-01-01", **columns):
    ids = {"case_id": case_id, "aggressor_id": aggressor, "victim_id": victim}
    return ids | {"occurred_at": occurred_at, "recorded_at": occurred_at} | columns


def cohort(*pairs):
    return pd.DataFrame(
        {"case_id": [c for c, _ in pairs], "as_of": pd.to_datetime([t for _, t in pairs], format="ISO8601")}
    )


NOTHING = {
    "incidents_30d": 0.0,
    "incidents_ever": 0.0,
    "severity_sum_30d": 0.0,
    "severity_sum_ever": 0.0,
    "severity_mean_ever": None,
    "severity_max_30d": None,
    "severity_max_ever": None,
    "sources_ever": 0.0,
    "days_since_incident": None,
    "last_source": None,
    "his_incidents_ever": 0.0,
    "grave_30d": 0.0,
    "grave_ever": 0.0,
    "protected": 0.0,
    "protection_ends_in": None,
    "birth_year": None,
}


def row(matrix, position=0):
    return {name: None if pd.isna(value) else value for name, value in matrix.iloc[position].items()}


# What a case without facts gives


def test_a_case_with_no_incident_counts_nothing_and_misses_the_rest(catalogue):
    matrix = build_features(history(cases=table("cases", case("A"))), cohort(("A", "2024-06-01")), catalogue)
    assert row(matrix) == NOTHING


def test_a_case_known_by_a_measure_alone(catalogue):
    known = history(
        cases=table("cases", case("A")),
        measures=table(
            "measures",
            {"case_id": "A", "kind": "protection", "occurred_at": "2024-05-01", "expires_at": "2024-06-30"},
        ),
    )
    matrix = build_features(known, cohort(("A", "2024-06-01"), ("A", "2024-06-30")), catalogue)
    assert row(matrix, 0) == NOTHING | {"protected": 1.0, "protection_ends_in": 29.0}
    assert row(matrix, 1) == NOTHING  # it expires at that very moment


def test_a_case_that_is_not_yet_known_sees_nothing_even_of_the_aggressor(catalogue):
    known = history(
        cases=table("cases", case("A"), case("B", occurred_at="2024-07-01")),
        incidents=table("incidents", {"case_id": "A", "occurred_at": "2024-05-01"}),
        aggressors=table(
            "aggressors", {"aggressor_id": "p", "birth_year": 1990, "occurred_at": "2024-01-01"}
        ),
    )
    matrix = build_features(known, cohort(("B", "2024-06-01"), ("B", "2024-07-01")), catalogue)
    assert row(matrix, 0) == NOTHING
    assert row(matrix, 1) == NOTHING | {"his_incidents_ever": 1.0, "birth_year": 1990.0}


def test_a_case_that_the_history_does_not_hold_sees_nothing(catalogue):
    # A history cut before the case was registered must give what the whole history gives as of then.
    matrix = build_features(history(cases=table("cases", case("A"))), cohort(("Z", "2024-06-01")), catalogue)
    assert row(matrix) == NOTHING


def test_a_cohort_of_strangers_is_refused_without_naming_them(catalogue):
    strangers = cohort(*((f"secret{k}", "2024-06-01") for k in range(20)))
    with pytest.raises(RiskmlError, match="none of its 20 cases is in the history") as refused:
        build_features(history(cases=table("cases", case("A"))), strangers, catalogue)
    assert "secret" not in str(refused.value)


def test_empty_tables_give_nothing(catalogue):
    assert row(build_features(history(), cohort(("A", "2024-06-01")), catalogue)) == NOTHING


@pytest.mark.parametrize(
    "nobody",
    [
        pd.DataFrame({"case_id": [], "as_of": []}),
        pd.DataFrame({"case_id": pd.Series(dtype="str"), "as_of": pd.Series(dtype="datetime64[us]")}),
    ],
)
def test_an_empty_cohort_gives_an_empty_matrix_with_every_column(catalogue, nobody):
    matrix = build_features(history(cases=table("cases", case("A"))), nobody, catalogue)
    assert matrix.shape == (0, len(catalogue.columns))
    assert list(matrix.columns) == [c.name for c in catalogue.columns]
    assert matrix.index.names == ["case_id", "as_of"]


# Times


def test_facts_of_the_same_instant_all_count_and_the_last_in_the_table_is_the_latest(catalogue):
    same = {"case_id": ["A", "A"], "source": ["911", "banevim"], "severity": [0, 1]}
    incidents = table("incidents", **same, occurred_at=["2024-05-01", "2024-05-01"])
    known = history(cases=table("cases", case("A")), incidents=incidents)
    found = row(build_features(known, cohort(("A", "2024-05-01")), catalogue))
    assert (found["incidents_30d"], found["severity_max_30d"], found["days_since_incident"]) == (2, 1, 0)
    assert found["last_source"] == "banevim"


def test_windows_run_across_leap_days_by_the_hour(catalogue):
    known = history(
        cases=table("cases", case("A")),
        incidents=table("incidents", {"case_id": "A", "severity": 5, "occurred_at": "2024-02-01 06:00"}),
    )
    moments = ["2024-02-29", "2024-03-02 05:59:59.999999", "2024-03-02 06:00"]
    matrix = build_features(known, cohort(*(("A", t) for t in moments)), catalogue)
    assert matrix["incidents_30d"].tolist() == [1, 1, 0]
    assert matrix["days_since_incident"].tolist() == [27.75, pytest.approx(30), 30]


def test_years_1900_and_9999(catalogue):
    known = history(
        cases=table("cases", case("A", occurred_at="1900-01-01")),
        incidents=table("incidents", {"case_id": "A", "severity": 3, "occurred_at": "1900-01-01"}),
        measures=table(
            "measures",
            {"case_id": "A", "kind": "custody", "occurred_at": "1900-01-01", "expires_at": "9999-12-31"},
        ),
    )
    pairs = pd.DataFrame(
        {
            "case_id": "A",
            "as_of": np.array(["1899-12-31", "1900-01-01", "9999-12-30", "9999-12-31"], "M8[us]"),
        }
    )
    matrix = build_features(known, pairs, catalogue)
    assert matrix["incidents_30d"].tolist() == [0, 1, 0, 0]
    assert matrix["incidents_ever"].tolist() == [0, 1, 1, 1]
    assert matrix["protected"].tolist() == [0, 1, 1, 0]
    assert matrix["protection_ends_in"].iloc[2] == 1
    assert matrix["days_since_incident"].iloc[2] == (date(9999, 12, 30) - date(1900, 1, 1)).days


def test_times_that_no_calendar_holds_are_refused(catalogue):
    beyond = pa.table(
        {"incident_id": ["i"], "case_id": ["A"], "source": ["911"], "severity": [1]}
        | {
            name: pa.array([2**62], pa.int64()).cast(pa.timestamp("us"))
            for name in ("occurred_at", "recorded_at")
        }
    )
    known = history(cases=table("cases", case("A")), incidents=beyond)
    with pytest.raises(RiskmlError, match="36000"):
        build_features(known, cohort(("A", "2024-06-01")), catalogue)


# The aggressor's other cases


def test_a_case_that_was_given_another_aggressor_takes_its_facts_along(catalogue):
    known = history(
        cases=table(
            "cases",
            case("A", "p", superseded_at="2024-04-01"),
            case("A", "q", recorded_at="2024-04-01"),
            case("B", "p"),
            case("C", "q"),
        ),
        incidents=table("incidents", {"case_id": "A", "occurred_at": "2024-02-01"}),
    )
    pairs = cohort(*((c, t) for c in "ABC" for t in ("2024-03-31", "2024-04-01")))
    matrix = build_features(known, pairs, catalogue)
    assert matrix["his_incidents_ever"].tolist() == [1, 1, 1, 0, 0, 1]
    assert matrix["incidents_ever"].tolist() == [1, 1, 0, 0, 0, 0]


def test_an_aggressor_who_is_a_victim_elsewhere_is_two_persons_of_the_registry(catalogue):
    known = history(
        cases=table("cases", case("A", "p", "v"), case("B", "q", "p")),
        incidents=table("incidents", *({"case_id": c, "occurred_at": "2024-02-01"} for c in "ABB")),
    )
    matrix = build_features(known, cohort(("A", "2024-03-01"), ("B", "2024-03-01")), catalogue)
    assert matrix["his_incidents_ever"].tolist() == [1, 2]


# What the caller may hand over


def incidents_of(n, seed=0):
    rng = np.random.default_rng(seed)
    start = np.datetime64("2024-01-01", "us").astype(np.int64)
    occurred = start + rng.integers(0, 700 * 24, n) * (DAY // 24)
    recorded = occurred + np.where(rng.random(n) < 0.5, rng.integers(0, 90 * 24, n) * (DAY // 24), 0)
    superseded = recorded + rng.integers(0, 200 * 24, n) * (DAY // 24)
    return occurred, recorded, superseded, rng.random(n) < 0.2, rng


def big_history(cases, facts):
    occurred, recorded, superseded, corrected, rng = incidents_of(facts)

    def moments(values, mask=None):
        return pa.array(values, pa.int64(), mask=mask).cast(pa.timestamp("us"))

    sources = np.array(["911", "banevim", "police_report"])
    incidents = pa.table(
        {
            "incident_id": pa.array(np.arange(facts)).cast(pa.string()),
            "case_id": pa.array(rng.integers(0, cases, facts)).cast(pa.string()),
            "source": pa.array(sources[rng.integers(0, 3, facts)]),
            "severity": pa.array(rng.integers(0, 7, facts), mask=rng.random(facts) < 0.1),
            "occurred_at": moments(occurred),
            "recorded_at": moments(recorded),
            "superseded_at": moments(superseded, ~corrected),
        }
    )
    opened = np.full(cases, np.datetime64("2023-01-01"), "M8[us]")
    known = {
        "case_id": [str(k) for k in range(cases)],
        "aggressor_id": [str(k // 2) for k in range(cases)],
        "victim_id": [str(k) for k in range(cases)],
        "occurred_at": opened,
        "recorded_at": opened,
    }
    return history(cases=pa.table(known), incidents=incidents)


@pytest.fixture(scope="module")
def some(catalogue):
    pairs = pd.DataFrame(
        {
            "case_id": np.repeat([str(k) for k in range(20)], 10),
            "as_of": np.tile(pd.date_range("2024-02-01", periods=10, freq="28D"), 20),
        }
    )
    known = big_history(20, 800)
    return known, pairs, build_features(known, pairs, catalogue)


def test_the_index_is_the_cohort_in_its_own_order_with_its_duplicates(catalogue, some):
    known, pairs, expected = some
    shuffled = pd.concat([pairs, pairs.iloc[:7]]).sample(frac=1, random_state=1)
    matrix = build_features(known, shuffled, catalogue)
    assert matrix.index.get_level_values("case_id").tolist() == shuffled["case_id"].tolist()
    assert matrix.index.get_level_values("as_of").tolist() == shuffled["as_of"].tolist()
    assert matrix.index.levels[1].dtype == shuffled["as_of"].dtype
    once = matrix[~matrix.index.duplicated()].sort_index()
    pd.testing.assert_frame_equal(once, expected.sort_index())


def test_numbers_are_float64_in_one_piece_and_words_are_text(some):
    *_, matrix = some
    numbers = matrix.drop(columns="last_source")
    assert set(numbers.dtypes) == {np.dtype("float64")}
    assert matrix["last_source"].dtype == "str"
    assert np.shares_memory(matrix["incidents_30d"].to_numpy(), matrix.iloc[:, 1].to_numpy().base)


@pytest.mark.parametrize(
    "as_given",
    [
        lambda c: c.assign(as_of=c["as_of"].astype("datetime64[ns]")),
        lambda c: c.assign(as_of=c["as_of"].astype("datetime64[s]")),
        lambda c: c.assign(as_of=c["as_of"].astype(str)),
        lambda c: c.assign(as_of=c["as_of"].astype(object)),
        lambda c: c.assign(as_of=c["as_of"].dt.date),
        lambda c: c.assign(case_id=c["case_id"].astype("category")),
        lambda c: c.assign(case_id=c["case_id"].astype(object), more="columns are ignored"),
        lambda c: c.assign(case_id=c["case_id"].astype(int)),
        lambda c: c.set_index(pd.Index(range(len(c), 0, -1))),
        lambda c: pa.Table.from_pandas(c),
    ],
    ids=["ns", "s", "text", "object", "date", "category", "object ids", "whole numbers", "index", "arrow"],
)
def test_a_cohort_may_come_in_any_form_that_says_the_same(catalogue, some, as_given):
    known, pairs, expected = some
    matrix = build_features(known, as_given(pairs), catalogue)
    pd.testing.assert_frame_equal(matrix.reset_index(drop=True), expected.reset_index(drop=True))


def _dictionary(known):
    def encoded(column):
        return column.dictionary_encode() if pa.types.is_string(column.type) else column

    return {name: pa.table({c: encoded(t[c]) for c in t.column_names}) for name, t in known.items()}


def _recast(known, time, text):
    def cast(column):
        if pa.types.is_timestamp(column.type):
            return column.cast(time)
        return column.cast(text) if pa.types.is_string(column.type) else column

    return {name: pa.table({c: cast(t[c]) for c in t.column_names}) for name, t in known.items()}


@pytest.mark.parametrize(
    "as_given",
    [
        _dictionary,
        lambda known: _recast(known, pa.timestamp("ns"), pa.large_string()),
        lambda known: _recast(known, pa.string(), pa.string()),
        lambda known: {name: t.to_pandas() for name, t in known.items()},
        lambda known: {name: pa.concat_tables([t.slice(0, 3), t.slice(3)]) for name, t in known.items()},
        lambda known: {name: pa.concat_tables([t, t]).slice(t.num_rows) for name, t in known.items()},
    ],
    ids=["dictionaries", "ns and large text", "times as text", "pandas", "in pieces", "a slice"],
)
def test_a_history_may_come_in_any_form_that_says_the_same(catalogue, some, as_given):
    known, pairs, expected = some
    pd.testing.assert_frame_equal(build_features(as_given(known), pairs, catalogue), expected)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda c: c.rename(columns={"as_of": "as_off"}), 'missing columns: as_of\nDid you mean "as_off"'),
        (lambda c: c[[]], "missing columns: case_id, as_of"),
        (lambda c: c.assign(as_of=c["as_of"].where(c.index != 3)), "as_of is empty in 1 of 200 rows"),
        (lambda c: c.assign(case_id=c["case_id"].where(c.index > 1)), "case_id is empty in 2 of 200 rows"),
        (
            lambda c: c.assign(as_of=c["as_of"].dt.tz_localize("America/Mexico_City")),
            "timezone America/Mexico_City",
        ),
        (lambda c: c.assign(as_of="soon"), "does not read as times"),
        (lambda c: c.assign(as_of=20240101), "does not read as times"),
        (lambda c: c["case_id"], "a cohort is a frame, not Series"),
    ],
)
def test_a_cohort_that_cannot_be_read_is_refused(catalogue, some, wrong, what):
    known, pairs, _ = some
    with pytest.raises(RiskmlError) as refused:
        build_features(known, wrong(pairs), catalogue)
    assert str(refused.value).startswith("cohort: ")
    assert what in str(refused.value)


def test_all_that_the_history_lacks_is_named_at_once(catalogue):
    lacking = history(cases=table("cases", case("A")))
    del lacking["aggressors"]
    lacking["incidents"] = lacking["incidents"].drop_columns(["source"])
    with pytest.raises(RiskmlError, match=r"incidents\.source.*|table aggressors") as refused:
        build_features(lacking, cohort(("A", "2024-06-01")), catalogue)
    assert "table aggressors" in str(refused.value)
    assert "incidents.source" in str(refused.value)


# Size


def test_threads_and_parts_change_nothing(catalogue, some, monkeypatch):
    known, pairs, expected = some
    monkeypatch.setattr(matrix_module, "_SMALL", 0)
    pd.testing.assert_frame_equal(build_features(known, pairs, catalogue), expected)


def test_an_aggressor_with_200_000_facts_takes_no_longer_per_fact(catalogue):
    def seconds(facts):
        known = big_history(2, facts)  # two cases of one aggressor
        pairs = pd.DataFrame(
            {"case_id": "0", "as_of": pd.date_range("2023-06-01", periods=facts, freq="5min")}
        )
        begun = time.process_time()
        build_features(known, pairs, catalogue)
        return time.process_time() - begun

    few = min(seconds(20_000) for _ in range(3))
    assert seconds(200_000) < 40 * few  # ten times the facts and ten times the assessments
