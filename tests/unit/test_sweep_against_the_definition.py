"""The sweep against a slow version that is written straight from the definition, one assessment at a time."""

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.registry.contract import TABLES
from riskml.registry.history import ARROW_TYPES

DAY = timedelta(days=1)
WINDOWS = {"12h": DAY / 2, "3d": 3 * DAY, "ever": None}
SOURCES = ("911", "banevim", "police_report")
FACTORS = ("threat", "strangulation")
ORDER = {"state": ("denied", "present"), "level": ("low", "medium", "high", "critical")}

# Conditions of the catalogue below, and what they mean.
CONDITIONS = {
    "severity >= 2": lambda r: r["severity"] is not None and r["severity"] >= 2,
    "source = '911' or severity is null": lambda r: r["source"] == "911" or r["severity"] is None,
    "factor = 'threat' and state = 'present'": lambda r: r["factor"] == "threat" and r["state"] == "present",
    "kind <> 'custody'": lambda r: r["kind"] is not None and r["kind"] != "custody",
    "recorded_at > occurred_at + interval '1 day'": lambda r: r["recorded_at"] - r["occurred_at"] > DAY,
}


def _blocks():
    """Every aggregate in every scope and table that takes it: (table, aggregate, column, over, where)."""
    facts = [("count", None), ("any", None), ("days_since", None)]
    columns = {
        "incidents": [(a, "severity") for a in ("sum", "mean", "max", "distinct", "latest")]
        + [("distinct", "source"), ("latest", "source"), ("distinct", "incident_id")],
        "factors": [("max", "state"), ("latest", "state"), ("distinct", "factor")],
        "measures": [("in_force", None), ("days_to_expiry", None), ("latest", "kind")],
        "levels": [("max", "level"), ("latest", "level")],
        "cases": [("distinct", "victim_id"), ("latest", "relationship")],
        "aggressors": [("latest", "birth_year"), ("latest", "occupation"), ("max", "birth_year")],
        "victims": [("latest", "birth_year"), ("mean", "birth_year")],
    }
    conditions = {
        "incidents": ["severity >= 2", "source = '911' or severity is null", *list(CONDITIONS)[-1:]],
        "factors": ["factor = 'threat' and state = 'present'"],
        "measures": ["kind <> 'custody'"],
    }
    scopes = {"aggressors": ("case", "aggressor"), "victims": ("case", "victim")}
    for table, own in columns.items():
        for over in scopes.get(table, ("case", "aggressor", "victim")):
            for where in (None, *conditions.get(table, ())):
                for aggregate, column in facts + own:
                    yield table, aggregate, column, over, where


@cache
def _catalogue():
    lines = []
    for k, (table, aggregate, column, over, where) in enumerate(_blocks()):
        entry = {"aggregate": aggregate, "over": over}
        if column:
            entry["column"] = column
        if where:
            entry["where"] = where
        if aggregate in ("count", "sum", "mean", "max", "any", "distinct"):
            entry["windows"] = list(WINDOWS)
        body = ", ".join(
            f"{key}: {value if isinstance(value, list) else repr(value)}" for key, value in entry.items()
        )
        body = body.replace("'", '"') if not where else body
        lines.append(f"- dimension: acts\n  table: {table}\n  features:\n    f{k}: {{{body}}}\n")
    with TemporaryDirectory() as folder:
        (Path(folder) / "acts.yml").write_text("".join(lines), encoding="utf-8")
        return load_catalogue(folder)


# The definition


def _visible(row, t):
    if row["occurred_at"] is None or row["recorded_at"] is None:
        return False
    known = max(row["recorded_at"], row["occurred_at"]) <= t
    return known and (row["superseded_at"] is None or row["superseded_at"] > t)


def _speaking(history, t):
    """The version of each case that is in force at t."""
    best = {}
    for position, row in enumerate(history["cases"]):
        if _visible(row, t):
            key = (row["recorded_at"], row["occurred_at"], position)
            if row["case_id"] not in best or key > best[row["case_id"]][0]:
                best[row["case_id"]] = key, row
    return {case: row for case, (_, row) in best.items()}


def _facts(history, feature, where, case, t):
    speaking = _speaking(history, t)
    if case not in speaking:
        return []
    if feature.table in ("aggressors", "victims"):
        of = {"aggressors": "aggressor_id", "victims": "victim_id"}[feature.table]
        rows = [r for r in history[feature.table] if r[of] == speaking[case][of]]
    else:
        if feature.over == "case":
            cases = {case}
        else:
            person = f"{feature.over}_id"
            cases = {c for c, row in speaking.items() if row[person] == speaking[case][person]}
        rows = [r for r in history[feature.table] if r["case_id"] in cases]
    return [r for r in rows if _visible(r, t) and (where is None or CONDITIONS[where](r))]


def _value(history, column, where, case, t):
    feature = column.feature
    facts = _facts(history, feature, where, case, t)
    if column.window in WINDOWS and WINDOWS[column.window] is not None:
        facts = [r for r in facts if r["occurred_at"] > t - WINDOWS[column.window]]
    aggregate = feature.aggregate
    if aggregate in ("count", "any"):
        return len(facts) if aggregate == "count" else int(bool(facts))
    latest = sorted(facts, key=lambda r: (r["occurred_at"], r["recorded_at"], r["position"]))
    if aggregate == "days_since":
        return (t - latest[-1]["occurred_at"]) / DAY if latest else None
    if aggregate in ("in_force", "days_to_expiry"):
        standing = [r for r in facts if all(r[e] is None or t < r[e] for e in ("expires_at", "ended_at"))]
        ends = [r["expires_at"] for r in standing if r["expires_at"] is not None]
        if aggregate == "in_force":
            return int(bool(standing))
        return (min(ends) - t) / DAY if ends else None
    known = [r[feature.column] for r in latest if r[feature.column] is not None]
    if aggregate == "distinct":
        return len(set(known))
    if aggregate == "latest":
        return known[-1] if known else None
    if feature.column in ORDER:
        known = [ORDER[feature.column].index(word) for word in known]
    if aggregate == "sum":
        return sum(known)
    if not known:
        return None
    return max(known) if aggregate == "max" else sum(known) / len(known)


# Small histories whose times collide

MIDNIGHT = datetime(2024, 2, 27)  # the grid crosses a leap day
FAR = (datetime(1900, 1, 1), datetime(9999, 12, 31))
times = st.integers(0, 13).map(lambda k: MIDNIGHT + k * DAY / 2)
when = st.one_of(times, times, times, times, times, times, st.sampled_from((*FAR, None)))
later = st.one_of(st.none(), st.none(), times, st.just(FAR[1]))
of = {
    "case_id": st.sampled_from("ABC"),
    "aggressor_id": st.sampled_from(["p", "q"]),
    "victim_id": st.sampled_from(["p", "v"]),  # p is an aggressor and a victim
    "incident_id": st.sampled_from("1234"),
    "measure_id": st.just("m"),
    "relationship": st.sampled_from(["partner", "son", None]),
    "occupation": st.sampled_from(["farmer", "none", None]),
    "source": st.sampled_from(SOURCES),
    "factor": st.sampled_from(FACTORS),
    "state": st.sampled_from(ORDER["state"]),
    "level": st.sampled_from(ORDER["level"]),
    "kind": st.sampled_from(["protection", "custody"]),
    "severity": st.sampled_from([0, 1, 2, 6, None]),
    "birth_year": st.sampled_from([1900, 1980, 2000, None]),
    "occurred_at": when,
    "recorded_at": when,
    "superseded_at": later,
    "expires_at": later,
    "ended_at": later,
    "closed_at": later,
}
READ = ("cases", "incidents", "factors", "measures", "levels", "aggressors", "victims")


def _rows(table, most):
    names = [c.name for c in TABLES[table].history_columns if c.name in of]
    return st.lists(st.fixed_dictionaries({name: of[name] for name in names}), max_size=most)


histories = st.fixed_dictionaries({name: _rows(name, 9 if name == "incidents" else 5) for name in READ})
cohorts = st.lists(st.tuples(st.sampled_from("ABC"), st.one_of(times, times, st.just(FAR[1]))), max_size=8)


def _arrow(history):
    tables = {}
    for name, rows in history.items():
        columns = [c for c in TABLES[name].history_columns if c.name in of]
        schema = pa.schema([(c.name, ARROW_TYPES[c.kind]) for c in columns])
        tables[name] = pa.Table.from_pylist(rows, schema=schema)
    return tables


def _cohort(rows):
    return pd.DataFrame(
        {"case_id": [c for c, _ in rows], "as_of": pd.array([t for _, t in rows], dtype="datetime64[us]")}
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(history=histories, cohort=cohorts)
def test_every_aggregate_scope_and_window_is_what_the_definition_says(history, cohort):
    catalogue = _catalogue()
    for rows in history.values():
        for position, row in enumerate(rows):
            row["position"] = position
    matrix = build_features(_arrow(history), _cohort(cohort), catalogue)
    conditions = [where for *_, where in _blocks()]
    expected = {
        column.name: [
            _value(history, column, conditions[int(column.feature.name.removeprefix("f"))], case, t)
            for case, t in cohort
        ]
        for column in catalogue.columns
    }
    assert list(matrix.columns) == list(expected)
    for column in catalogue.columns:
        found = [None if pd.isna(value) else value for value in matrix[column.name]]
        assert found == expected[column.name], (column.name, column.feature)


def _cut(history, end):
    """What the history would have held at a moment."""
    cut = {}
    for name, rows in history.items():
        kept = []
        for row in rows:
            moments = [row["occurred_at"], row["recorded_at"]]
            if None in moments or max(moments) > end:
                continue
            revealed = ("superseded_at", "ended_at", "closed_at")
            kept.append(
                {k: None if k in revealed and v is not None and v > end else v for k, v in row.items()}
            )
        cut[name] = kept
    return cut


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(history=histories, cohort=cohorts, end=times)
def test_what_comes_later_changes_nothing(history, cohort, end):
    catalogue = _catalogue()
    cohort = _cohort([(case, t) for case, t in cohort if t <= end])
    whole = build_features(_arrow(history), cohort, catalogue)
    cut = build_features(_arrow(_cut(history, end)), cohort, catalogue)
    pd.testing.assert_frame_equal(whole, cut)
