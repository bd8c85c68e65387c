"""A history: an immutable, pseudonymised copy of the registry's tables, identified by its content hash."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskml.errors import RiskmlError
from riskml.registry.contract import TABLES, Kind
from riskml.vocabulary import did_you_mean

__all__ = ["ARROW_TYPES", "History"]

TIME = pa.timestamp("us")  # microseconds reach from before 1900 to after 9999
ARROW_TYPES = {
    Kind.ID: pa.string(),
    Kind.PERSON: pa.string(),
    Kind.CODE: pa.string(),
    Kind.CATEGORY: pa.string(),
    Kind.QUOTE: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.TIME: TIME,
}


def _column(table, column, data, where):
    """One column of `data` cast to the contract's type; None where it is absent and may be null."""
    if column.name not in data.column_names:
        return pa.nulls(data.num_rows, ARROW_TYPES[column.kind]) if column.nullable else None
    values = data.column(column.name)
    wanted = ARROW_TYPES[column.kind]
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if values.type == wanted:
        return values
    try:
        if wanted == TIME and pa.types.is_timestamp(values.type) and values.type.tz is None:
            return values.cast(TIME, safe=False)  # finer than a microsecond is cut off
        if wanted == pa.int64() and pa.types.is_floating(values.type):
            values = pc.if_else(pc.is_nan(values), None, values)
        return values.cast(wanted)
    except pa.ArrowInvalid:
        raise RiskmlError(
            f"column {column.name} of table {table.name} holds {values.type}; it does not read as {wanted}",
            where=where,
            mend=f"Give {column.name} as {'naive timestamps' if wanted == TIME else wanted}.",
        ) from None


def _normalised(tables, where, *, partial=False):
    """The tables in the contract's columns and types; all that is missing is listed in one error.

    `partial`: the tables hold some of their columns only, which is no error.
    """
    unknown = [name for name in tables if name not in TABLES]
    if unknown:
        raise RiskmlError(
            f'unknown table "{unknown[0]}"',
            where=where,
            mend=did_you_mean(unknown[0], TABLES) or f"Known: {', '.join(TABLES)}.",
        )
    normal, missing = {}, []
    for name, data in tables.items():
        table = TABLES[name]
        if isinstance(data, pd.DataFrame):
            data = pa.Table.from_pandas(data, preserve_index=False)
        columns = {}
        for column in table.history_columns:
            values = _column(table, column, data, where)
            if values is None:
                required = column.kind is Kind.ID or column.kind is Kind.TIME
                if required and not partial:
                    missing.append(f"{name}.{column.name}")
                continue
            columns[column.name] = values
        normal[name] = pa.table(columns)
    if missing:
        raise RiskmlError(
            f"missing columns: {', '.join(missing)}",
            where=where,
            mend="Add them; docs/registry.md lists every table and column.",
        )
    return normal


def _readable(file, read):
    """What `read` makes of a Parquet file, or one message when it makes nothing of it."""
    try:
        return read(file)
    except (pa.ArrowException, OSError) as error:
        raise RiskmlError(
            f"not readable as Parquet ({type(error).__name__})",
            where=str(file),
            mend="Take the history again.",
        ) from None


def _read_manifest(folder):
    """A history's manifest; empty where there is none: dict."""
    file = folder / "manifest.json"
    if not file.is_file():
        return {}
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise RiskmlError("not valid JSON", where=str(file), mend="Take the history again.") from None


class _Stored(Mapping):
    """The tables of a folder, each read when it is first asked for and then kept.

    What can be told from the files' heads is told at once: columns that are missing, and files with other
    numbers of rows than the manifest says.
    """

    def __init__(self, files, where, rows):
        self._files, self._where, self._read = files, where, {}
        heads = {name: _readable(file, pq.read_metadata) for name, file in files.items()}
        empty = {name: head.schema.to_arrow_schema().empty_table() for name, head in heads.items()}
        self.heads = _normalised(empty, where)
        self.row_counts = {name: head.num_rows for name, head in heads.items()}
        damaged = [name for name in rows if name in heads and heads[name].num_rows != rows[name]]
        damaged += [name for name in rows if name in TABLES and name not in heads]
        if damaged:
            raise RiskmlError(
                f"not the rows that its manifest says: {', '.join(damaged)}",
                where=where,
                mend="Remove this history and take it again.",
            )

    def __getitem__(self, name):
        if name not in self._read:
            table = _readable(self._files[name], pq.read_table)
            self._read[name] = _normalised({name: table}, self._where)[name]
        return self._read[name]

    def cuts(self, name, rows):
        """Neighbouring row groups of about so many rows: list of (first, one after the last)."""
        head = _readable(self._files[name], pq.read_metadata)
        sizes = np.array([head.row_group(g).num_rows for g in range(head.num_row_groups)], np.int64)
        piece = (np.cumsum(sizes) - sizes) // rows
        first = np.flatnonzero(np.diff(piece, prepend=-1))
        return list(zip(first.tolist(), [*first[1:].tolist(), len(sizes)], strict=True)) if len(sizes) else []

    def piece(self, name, cut, columns):
        """The rows of one of the cuts, in some of the contract's columns."""
        file = self._files[name]
        present = [c for c in _readable(file, pq.read_schema).names if c in columns]

        def read(path):
            with pq.ParquetFile(path) as opened:
                return opened.read_row_groups(range(*cut), columns=present)

        wanted = _normalised({name: _readable(file, read)}, self._where, partial=True)[name]
        return wanted.select([c for c in columns if c in wanted.column_names])

    def __contains__(self, name):
        return name in self._files

    def __iter__(self):
        return iter(self._files)

    def __len__(self):
        return len(self._files)


@dataclass(frozen=True, eq=False)
class History:
    """An immutable copy of the registry's tables.

    Times are on the registry's two clocks: `occurred_at` (when it happened) and `recorded_at` (when the
    registry learnt it); naive, in microseconds.

    Attributes
    ----------
    tables : mapping of table name -> pyarrow.Table    the contract's columns and types; no free text
    manifest : dict    content hash, rows, faults counted, contract version, whether synthetic
    folder : Path or None    where it was read from
    """

    tables: Mapping
    manifest: dict = field(default_factory=dict)
    folder: Path | None = None

    @classmethod
    def of(cls, source):
        """A history of whatever holds one.

        Parameters
        ----------
        source : History, path of a folder of `<table>.parquet`, or dict of table name -> pyarrow.Table or
            pandas.DataFrame. Tables that are not needed may be left out; columns that may be null may be left
            out; columns that the contract does not know are ignored.

        Returns
        -------
        History

        Raises
        ------
        RiskmlError    no such folder, an unknown table, missing columns (all in one message), wrong types
        """
        if isinstance(source, History):
            return source
        if isinstance(source, dict):
            return cls(_normalised(source, "history"))
        return cls.read(source)

    @classmethod
    def read(cls, folder):
        """Read a folder of Parquet files in the contract's layout, with or without a manifest."""
        folder = Path(folder)
        files = {name: folder / f"{name}.parquet" for name in TABLES}
        present = {name: file for name, file in files.items() if file.is_file()}
        if not present:
            raise RiskmlError(
                "no history here: none of its tables is a Parquet file",
                where=str(folder),
                mend="`riskml history` takes one from the registry.",
            )
        manifest = _read_manifest(folder)
        return cls(_Stored(present, str(folder), manifest.get("rows", {})), manifest, folder)

    @property
    def hash(self):
        """Content hash, str; empty for a history that was not taken from a registry."""
        return self.manifest.get("hash", "")

    def table(self, name, columns=()):
        """One table; an error names what is missing when it, or one of `columns`, is not in the history."""
        if name not in self.tables:
            raise RiskmlError(
                f'the history has no table "{name}"',
                where=str(self.folder or "history"),
                mend=f"It holds: {', '.join(self.tables)}.",
            )
        table = self.tables[name]
        absent = [c for c in columns if c not in table.column_names]
        if absent:
            raise RiskmlError(
                f"missing columns: {', '.join(f'{name}.{c}' for c in absent)}",
                where=str(self.folder or "history"),
                mend="Add them; docs/registry.md lists every table and column.",
            )
        return table

    def heads(self):
        """The same tables without their rows, which are not read: History."""
        if isinstance(self.tables, _Stored):
            return History(self.tables.heads, self.manifest, self.folder)
        return History({n: t.slice(0, 0) for n, t in self.tables.items()}, self.manifest, self.folder)

    def row_count(self, name):
        """Number of rows of a table, which is not read: int."""
        if isinstance(self.tables, _Stored):
            return self.tables.row_counts[name]
        return self.tables[name].num_rows

    def cuts(self, name, rows=500_000):
        """Where a table may be cut into pieces of about so many rows: list of pairs that `piece` takes."""
        if isinstance(self.tables, _Stored):
            return self.tables.cuts(name, rows)
        total = self.tables[name].num_rows
        return [(first, min(first + rows, total)) for first in range(0, total, rows)]

    def piece(self, name, cut, columns):
        """One piece of a table, in the table's order; of a history on disk nothing else is read.

        Parameters
        ----------
        name : str
        cut : pair of int          one of `cuts`
        columns : iterable of str  those that the table does not hold are left out

        Returns
        -------
        pyarrow.Table    the contract's types
        """
        if isinstance(self.tables, _Stored):
            return self.tables.piece(name, cut, list(columns))
        table = self.tables[name]
        return table.select([c for c in columns if c in table.column_names]).slice(cut[0], cut[1] - cut[0])

    @cached_property
    def observed_until(self):
        """The last moment that the registry speaks for: the latest `recorded_at`, pandas.Timestamp or NaT."""
        latest = [
            pc.max(self.piece(name, cut, ["recorded_at"])["recorded_at"]).as_py()
            for name, head in self.heads().tables.items()
            if "recorded_at" in head.column_names
            for cut in self.cuts(name)
        ]
        latest = [moment for moment in latest if moment is not None]
        return pd.Timestamp(max(latest)).as_unit("us") if latest else pd.NaT

    def open_cases(self, as_of):
        """The cases that are visible and not closed at a moment.

        Parameters
        ----------
        as_of : timestamp    on the registry's visible timeline

        Returns
        -------
        DataFrame of case_id, as_of, sorted by case_id: a cohort of one assessment each
        """
        t = np.datetime64(pd.Timestamp(as_of).as_unit("us").to_datetime64())
        cases = (
            self.table("cases")
            .select(["case_id", "closed_at", "occurred_at", "recorded_at", "superseded_at"])
            .to_pandas()
        )
        known = cases[["occurred_at", "recorded_at"]].max(axis=1, skipna=False) <= t
        standing = cases["superseded_at"].isna() | (cases["superseded_at"] > t)
        # Of several standing versions of a case the one recorded last speaks.
        current = cases[known & standing].sort_values(["recorded_at", "occurred_at"], kind="stable")
        current = current.drop_duplicates("case_id", keep="last")
        still_open = current["closed_at"].isna() | (current["closed_at"] > t)
        ids = np.sort(current.loc[still_open, "case_id"].to_numpy())
        return pd.DataFrame({"case_id": ids, "as_of": np.full(len(ids), t)})
