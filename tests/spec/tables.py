"""Histories written as tables in text: what a spec test shows is what it runs on."""

import pandas as pd
import pyarrow as pa

from riskml.registry.contract import TABLES, Kind
from riskml.registry.history import ARROW_TYPES

__all__ = ["history_of"]

_SHORT = {"case": "case_id", "aggressor": "aggressor_id", "victim": "victim_id"}
_OPENED = "2020-01-01"  # when cases that a test does not describe were opened
_DEFAULTS = {
    "incidents": {"source": "911"},
    "factors": {"state": "present", "source": "911"},
    "measures": {"kind": "protection"},
    "proceedings": {"stage": "file_opened"},
    "responses": {"kind": "visit"},
    "cases": {"relationship": "partner"},
}


def history_of(text):
    """Every table of the contract, as Arrow tables, from tables in text.

    A block is a table's name, a line of columns and a line for each row; `-` is null. What is left out:
    `recorded_at` is `occurred_at`; a case that no row of `cases` describes was opened in 2020, with an
    aggressor and a victim of its own; codes take a plain value.
    """
    rows = {name: [] for name in TABLES}
    for block in _blocks(text):
        name, header, *lines = block
        columns = [_SHORT.get(c, c) for c in _cells(header)]
        unknown = [c for c in columns if c not in TABLES[name].names]
        assert not unknown, f"the example has unknown columns: {unknown}"
        rows[name] += [
            _row(name, dict(zip(columns, _cells(line), strict=True)), i) for i, line in enumerate(lines)
        ]
    described = {row["case_id"] for row in rows["cases"]}
    named = dict.fromkeys(row["case_id"] for found in rows.values() for row in found if "case_id" in row)
    rows["cases"] += [
        _row("cases", {"case_id": case, "occurred_at": _OPENED}, 0) for case in named if case not in described
    ]
    return {name: _arrow(name, found) for name, found in rows.items()}


def _blocks(text):
    block = []
    for line in [*text.splitlines(), ""]:
        if line.strip():
            block.append(line.strip())
        elif block:
            yield block
            block = []


def _cells(line):
    return [cell.strip() for cell in line.split("|")]


def _row(table, given, position):
    row = _DEFAULTS.get(table, {}) | {key: None if value == "-" else value for key, value in given.items()}
    row.setdefault("recorded_at", row.get("occurred_at"))
    if table == "cases":
        row.setdefault("aggressor_id", f"aggressor of {row['case_id']}")
        row.setdefault("victim_id", f"victim of {row['case_id']}")
    if table in ("incidents", "measures"):
        row.setdefault(f"{table[:-1]}_id", f"{row['case_id']}-{position}")
    return row


def _arrow(name, rows):
    columns = {}
    for column in TABLES[name].history_columns:
        values = [row.get(column.name) for row in rows]
        if column.kind is Kind.TIME:
            values = [None if v is None else pd.Timestamp(v).to_pydatetime() for v in values]
        if column.kind is Kind.INTEGER:
            values = [None if v is None else int(v) for v in values]
        columns[column.name] = pa.array(values, ARROW_TYPES[column.kind])
    return pa.table(columns)
