"""The sweep against a slow version that is written straight from the definition, one assessment at a time."""

import re
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskml.features.catalogue import load_catalogue
from riskml.features.formulas import with_formulas
from riskml.features.matrix import build_features
from riskml.registry.contract import TABLES
from riskml.registry.history import ARROW_TYPES

DAY = timedelta(days=1)
# What happened this long before the assessment is in the window: the near end is in it, the far end is not.
WINDOWS = {
    "12h": (timedelta(0), DAY / 2),
    "3d": (timedelta(0), 3 * DAY),
    "ever": (timedelta(0), None),
    "12h-3d": (DAY / 2, 3 * DAY),
    "2d-ever": (2 * DAY, None),
}
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
    facts = [("count", None), ("any", None), ("distinct", "occurred_on"), ("mean", "recording_lag")]
    facts += [(f"days_since{which}", None) for which in ("", "_first", "_second", "_third")]
    columns = {
        "incidents": [(a, "severity") for a in ("sum", "mean", "max", "distinct", "latest")]
        + [("distinct", "source"), ("latest", "source"), ("distinct", "incident_id")]
        + [(a, "recording_lag") for a in ("sum", "max", "latest")],
        "factors": [("max", "state"), ("latest", "state"), ("distinct", "factor")],
        "measures": [(a, None) for a in ("in_force", "days_to_expiry", "days_since_expiry")]
        + [("latest", "kind")],
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


# Formulas over the columns of some blocks, and what they mean; missing is None.


def _ratio(few, more):
    return few / more if more else None


def _both(a, b):
    """And of SQL: unknown and false is false, unknown and true is unknown."""
    if a is False or b is False:
        return 0.0
    return None if None in (a, b) else 1.0


def _present_and_recent(state, days):
    return _both(None if state is None else state == "present", None if days is None else days < 2)


def _ends_soon_or_is_not_there(days, in_force):
    return float(0 <= (-1 if days is None else days) <= 3 or in_force == 0)


def _bent(mean):
    if mean is None:
        return None
    return max(mean, 2) if mean > 1.5 else abs(mean - 3)


def _known_and_not_denied(relationship, state):
    return _both(relationship is not None or None, None if state is None else state != "denied")


def _least(total, days):
    return min(x for x in (total, days) if x is not None) + 0.1


FORMULAS = {
    "{incidents count}_12h / {incidents count}_12h_3d": _ratio,
    "{factors latest state} = 'present' and {incidents days_since} < 2": _present_and_recent,
    "coalesce({measures days_to_expiry}, -1) between 0 and 3 or {measures in_force} = 0": (
        _ends_soon_or_is_not_there
    ),
    "case when {incidents mean severity}_ever > 1.5 then greatest({incidents mean severity}_ever, 2) "
    "when {incidents mean severity}_ever is not null then abs({incidents mean severity}_ever - 3) end": _bent,
    "{cases latest relationship} in ('partner', 'son') and not {factors latest state} = 'denied'": (
        _known_and_not_denied
    ),
    "least({incidents sum severity}_ever, {incidents days_since}) + 0.1": _least,
}


def _formulas():
    """The formulas with the names of the columns that they are made of: (text, names, meaning)."""
    plain = {
        " ".join(filter(None, (table, aggregate, column))): f"f{k}"
        for k, (table, aggregate, column, over, where) in reversed(list(enumerate(_blocks())))
        if over == "case" and where is None
    }
    for text, meaning in FORMULAS.items():
        names = dict.fromkeys(re.findall(r"\{[^}]*\}\w*", text))
        written = {name: plain[name[1 : name.index("}")]] + name[name.index("}") + 1 :] for name in names}
        for name, column in written.items():
            text = text.replace(name, column)
        yield text, [written[name] for name in names], meaning


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
    lines.append("- dimension: acts\n  features:\n")
    lines += [f'    g{k}: {{formula: "{text}"}}\n' for k, (text, *_) in enumerate(_formulas())]
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


def _reads(column):
    """What a column gives of a fact: its own, or what the two clocks give."""
    derived = {
        "recording_lag": lambda r: max(0, (r["recorded_at"] - r["occurred_at"]) // DAY),
        "occurred_on": lambda r: r["occurred_at"].date(),
    }
    return derived.get(column, lambda r: r[column])


def _value(facts, column, t):
    feature = column.feature
    near, far = WINDOWS.get(column.window, (timedelta(0), None))
    facts = [r for r in facts if r["occurred_at"] <= t - near]
    facts = [r for r in facts if far is None or r["occurred_at"] > t - far]
    aggregate = feature.aggregate
    if aggregate in ("count", "any"):
        return len(facts) if aggregate == "count" else int(bool(facts))
    latest = sorted(facts, key=lambda r: (r["occurred_at"], r["recorded_at"], r["position"]))
    if aggregate == "days_since":
        return (t - latest[-1]["occurred_at"]) / DAY if latest else None
    if aggregate == "days_since_first":
        return (t - latest[0]["occurred_at"]) / DAY if latest else None
    if aggregate in ("days_since_second", "days_since_third"):
        episode = None
        for _ in range(2 if aggregate == "days_since_second" else 3):
            before = [r["occurred_at"] for r in facts if episode is None or r["occurred_at"] <= episode - DAY]
            if not before:
                return None
            episode = max(before)
        return (t - episode) / DAY
    if aggregate == "days_since_expiry":
        ends = [
            r["expires_at"]
            for r in facts
            if r["expires_at"] is not None
            and r["expires_at"] <= t
            and (r["ended_at"] is None or r["ended_at"] >= r["expires_at"])
        ]
        return (t - max(ends)) / DAY if ends else None
    if aggregate in ("in_force", "days_to_expiry"):
        standing = [r for r in facts if all(r[e] is None or t < r[e] for e in ("expires_at", "ended_at"))]
        ends = [r["expires_at"] for r in standing if r["expires_at"] is not None]
        if aggregate == "in_force":
            return int(bool(standing))
        return (min(ends) - t) / DAY if ends else None
    known = [r for r in map(_reads(feature.column), latest) if r is not None]
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
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(history=histories, cohort=cohorts)
def test_every_aggregate_scope_and_window_is_what_the_definition_says(history, cohort):
    catalogue = _catalogue()
    for rows in history.values():
        for position, row in enumerate(rows):
            row["position"] = position
    matrix = build_features(_arrow(history), _cohort(cohort), catalogue)
    conditions = [where for *_, where in _blocks()]
    found = {}

    def facts(feature, case, t):
        where = conditions[int(feature.name.removeprefix("f"))]
        key = (feature.table, feature.over, where, case, t)
        if key not in found:
            found[key] = _facts(history, feature, where, case, t)
        return found[key]

    expected = {
        column.name: [_value(facts(column.feature, case, t), column, t) for case, t in cohort]
        for column in catalogue.columns
        if not column.feature.is_formula
    }
    for k, (_, names, meaning) in enumerate(_formulas()):
        expected[f"g{k}"] = [meaning(*row) for row in zip(*(expected[name] for name in names), strict=True)]
    assert list(matrix.columns) == list(expected)
    for column in catalogue.columns:
        built = [None if pd.isna(value) else value for value in matrix[column.name]]
        assert built == expected[column.name], (column.name, column.feature)
    edited = matrix.drop(columns=["g1", "g4"]).assign(g0=7.0)
    pd.testing.assert_frame_equal(with_formulas(edited, catalogue), matrix)


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
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(history=histories, cohort=cohorts, end=times)
def test_what_comes_later_changes_nothing(history, cohort, end):
    catalogue = _catalogue()
    cohort = _cohort([(case, t) for case, t in cohort if t <= end])
    whole = build_features(_arrow(history), cohort, catalogue)
    cut = build_features(_arrow(_cut(history, end)), cohort, catalogue)
    pd.testing.assert_frame_equal(whole, cut)
