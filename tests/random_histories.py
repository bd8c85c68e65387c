"""Random histories of every table whose times collide: drawn from a seed, small, full of rare rows."""

import numpy as np
import pandas as pd
import pyarrow as pa

from riskml.registry.contract import TABLES, Kind
from riskml.registry.history import ARROW_TYPES

__all__ = ["random_cohort", "random_history", "union"]

HALF_DAY = 43_200_000_000
MIDNIGHT = np.datetime64("2024-02-27", "us").astype(np.int64)  # the grid crosses a leap day
FAR = [np.datetime64(day, "us").astype(np.int64) for day in ("1900-01-01", "9999-12-31")]
ODD = np.datetime64("2024-03-01T07:15:00.123457", "us").astype(np.int64)
IDS = {
    "case_id": ["A", "B", "C", "D", "E"],
    "aggressor_id": ["p", "q", "r"],
    "victim_id": ["p", "v", "w"],  # p is an aggressor and a victim
}
WORDS = {"relationship": ["partner", "ex-partner", "son"], "occupation": ["farmer", "none"]}


def _moments(rng, n, nulls=0.0):
    """Times on a grid of half days, some far away, some between, some null."""
    moments = MIDNIGHT + rng.integers(0, 30, n) * HALF_DAY
    rare = rng.random(n)
    moments = np.where(rare < 0.06, rng.choice(FAR, n), moments)
    moments = np.where((rare > 0.06) & (rare < 0.12), ODD, moments)
    return pa.array(moments, pa.timestamp("us"), mask=rng.random(n) < nulls)


def _values(rng, n, table, column, factors):
    if column.kind is Kind.TIME:
        return _moments(rng, n, 0.05 if column.name in ("occurred_at", "recorded_at") else 0.6)
    if column.kind is Kind.INTEGER:
        low, high = column.minimum or 0, min(column.maximum or 9, (column.minimum or 0) + 130)
        return pa.array(rng.integers(low, high + 1, n), mask=rng.random(n) < 0.2)
    if column.name == "factor":
        words = factors
    else:
        words = IDS.get(column.name) or column.values or WORDS.get(column.name) or ["x", "y", "z"]
    nulls = 0.05 if column.name in IDS else 0.2
    return pa.array(rng.choice(np.array(list(words), object), n), mask=rng.random(n) < nulls)


def random_history(seed, factors, most=14):
    """A history of up to so many rows a table: dict of table name -> pyarrow.Table.

    Parameters
    ----------
    seed : int
    factors : iterable of str    codes that its factors may have; some have none of them
    """
    rng = np.random.default_rng(seed)
    codes = [
        *rng.choice(np.array(sorted(factors), object), min(6, len(factors)), replace=False),
        "unheard_of",
    ]
    tables = {}
    for name, table in TABLES.items():
        n = int(rng.integers(0, most + 1)) if name != "cases" else int(rng.integers(1, most + 1))
        columns = {
            c.name: _values(rng, n, name, c, codes).cast(ARROW_TYPES[c.kind]) for c in table.history_columns
        }
        tables[name] = pa.table(columns)
    return tables


def random_cohort(seed, rows=25):
    """Assessments of known cases and of one that nobody knows, some of them twice: DataFrame."""
    rng = np.random.default_rng([seed, 1])
    moments = _moments(rng, rows).to_numpy(zero_copy_only=False)
    return pd.DataFrame({"case_id": rng.choice([*IDS["case_id"], "Z"], rows), "as_of": moments})


def union(histories, cohorts):
    """Several histories and cohorts as one, their ids made different: (dict of tables, DataFrame)."""
    ids = {c.name for t in TABLES.values() for c in t.columns if c.kind is Kind.ID}
    parts = {name: [] for name in TABLES}
    for number, tables in enumerate(histories):
        for name, table in tables.items():
            for place, field in enumerate(table.schema):
                if field.name in ids:
                    named = [None if v is None else f"{number}:{v}" for v in table[field.name].to_pylist()]
                    table = table.set_column(place, field, pa.array(named, pa.string()))
            parts[name].append(table)
    cohort = pd.concat(
        [c.assign(case_id=[f"{number}:{v}" for v in c["case_id"]]) for number, c in enumerate(cohorts)],
        ignore_index=True,
    )
    return {name: pa.concat_tables(tables) for name, tables in parts.items()}, cohort
