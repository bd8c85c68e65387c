"""Take a history: one consistent reading of the registry, checked, pseudonymised, masked and sorted.

The copy is made in a folder of its own beside the histories and moved into place in one step, so that a
history is there whole or not at all. The registry is only read.
"""

import json
import os
import platform
import shutil
import tempfile
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.progress import progress
from riskml.registry.canonical import POSITION, Sorter
from riskml.registry.checks import FaultReport, check_rows
from riskml.registry.content import combined_hash
from riskml.registry.contract import CONTRACT_VERSION, TABLES, Kind
from riskml.registry.database import check_registry, connect, is_synthetic, reading
from riskml.registry.history import ARROW_TYPES, History
from riskml.registry.masking import MASK, QuoteMask, mask_values, masked_categories, open_categories
from riskml.registry.narrated import NarratedFactors
from riskml.registry.reading import category_counts, count_rows, personal_entries, read_texts

__all__ = ["take_history"]

_STAGING = ".taking-"
_REJECTED = pa.schema([(name, pa.string()) for name in ("table", "id", "column", "reason")])
# Rows that carry an id of their own: one more row that says the same is a fault, not a second event.
_IDENTIFIED = {"incidents": "incident_id", "measures": "measure_id"}


def take_history(registry, folder, *, key, factors, timezone, set_aside=False, language="es", read=None):
    """Copy the registry to an immutable history, `<folder>/<content hash>/`.

    The same registry gives the same hash, whatever the order of its rows and the database that holds it;
    taken again, nothing is rewritten.

    Parameters
    ----------
    registry : Engine or str    the registry, or its URL
    folder : path               of the histories; made when it does not exist
    key : Key                   of the pseudonyms
    factors : FactorVocabulary  the codes that `factors.factor` may hold, and the words that a quote may keep
    timezone : str              the registry's; its times are naive and in this zone
    set_aside : bool            keep rows that break the contract apart in `rejected.parquet`, counted in the
        manifest, instead of stopping at them
    language : str              of the progress bars
    read : callable or None     reads what narratives state, as `registry.narrated` says: factors that the
        registry has not coded for an incident are added from its narrative. None: no narrative is asked for

    Returns
    -------
    History

    Raises
    ------
    RiskmlError    missing tables or columns (all at once), rows that break the contract (all counted), no
        cases, a database or disk that refuses. Nothing was written.
    """
    engine = connect(registry)
    folder = Path(folder)
    report = FaultReport()
    with _disk_errors(folder), _staging(folder) as stage:
        narrated = NarratedFactors(read, stage, factors) if read else None
        copy = _Copy(stage, key, factors, timezone, report, narrated)
        with reading(engine) as connection:
            check_registry(connection)
            synthetic = is_synthetic(connection)
            copy.everything(connection, language)
        if not set_aside:
            report.raise_rejected("registry")
        if not copy.kept["cases"]:
            raise RiskmlError(
                "no case is left: every one was set aside"
                if report.rejected
                else "the registry has no cases",
                where="registry",
                mend="Check registry.url in riskml.toml, or make a registry with `riskml simulate`.",
            )
        with progress(message("registry.sorting", language), len(TABLES)) as advance:
            contents = copy.sort(advance)
        if not set_aside:
            report.raise_rejected("registry")
        content = {
            "contract_version": CONTRACT_VERSION,
            "timezone": timezone,
            "synthetic": synthetic,
            "key_fingerprint": key.fingerprint,
            "faults": report.as_dict(),
        }
        if narrated:
            content["narratives"] = narrated.summary()
        manifest = {
            "hash": combined_hash({**content, "tables": contents}),
            **content,
            "rows": {name: summary["rows"] for name, summary in contents.items()},
            "taken_at": datetime.now(ZoneInfo(timezone)).replace(tzinfo=None).isoformat(timespec="seconds"),
        }
        taken = _publish(stage / "history", folder, manifest)
    return History.read(taken)


class _Copy:
    """The registry's rows on their way into a history.

    They are checked, pseudonymised and masked as they are read (below `read`), then sorted (below `history`).
    """

    def __init__(self, stage, key, factors, timezone, report, narrated=None):
        self._read, self._history = stage / "read", stage / "history"
        self._read.mkdir()
        self._history.mkdir()
        self._key, self._factors, self._timezone, self._report = key, factors, timezone, report
        self._quote, self._unfit, self._narrated = QuoteMask(), {}, narrated
        self._rejected = None
        self.kept = {}

    def everything(self, connection, language):
        """Copy every table of the contract."""
        with progress(message("registry.looking_for_names", language)):
            counts = {where: category_counts(connection, *where) for where in open_categories()}
            self._unfit, names = masked_categories(
                counts,
                personal_entries(connection),
                QuoteMask.of(self._factors).words,
                self._narrated and self._narrated.may_show,
            )
            self._quote = QuoteMask.of(self._factors, names)
            if self._narrated:
                self._narrated.mask(names)
        for table in TABLES.values():
            doing = message("registry.reading", language, table=table.name)
            with progress(doing, count_rows(connection, table.name)) as advance:
                if table.name == "incidents" and self._narrated:
                    with self._narrated as narrated:
                        chunks = read_texts(connection, table, also=["narrative"])
                        self._table(table, chunks, advance, narrated)
                else:
                    self._table(table, read_texts(connection, table), advance)

    def _table(self, table, chunks, advance, narrated=None):
        schema = pa.schema(
            [(c.name, ARROW_TYPES[c.kind]) for c in table.history_columns] + [(POSITION, pa.int64())]
        )
        first, self.kept[table.name] = 1, 0
        with pq.ParquetWriter(self._read / f"{table.name}.parquet", schema) as writer:
            for texts in chunks:
                narratives = texts.pop("narrative") if narrated else None
                rows = len(texts["recorded_at"])
                columns, broken = check_rows(
                    table, texts, first, self._report, factors=self._factors, timezone=self._timezone
                )
                columns = {c.name: self._private(table, c, columns[c.name]) for c in table.history_columns}
                batch = pa.table({**columns, POSITION: np.arange(first, first + rows)}, schema=schema)
                for column, reason, bad in broken:
                    self._reject(table.name, batch[table.entity].filter(pa.array(bad)), column, reason)
                if broken:
                    sound = pa.array(~np.logical_or.reduce([bad for _, _, bad in broken]))
                    batch = batch.filter(sound)
                    narratives = narratives.filter(sound) if narrated else None
                writer.write_table(batch)
                self.kept[table.name] += batch.num_rows
                first += rows
                if narrated:
                    narrated.add(batch, narratives, advance)
                    advance(rows - batch.num_rows)
                else:
                    advance(rows)

    def _private(self, table, column, values):
        """A column as it may enter a history."""
        if column.kind in (Kind.ID, Kind.PERSON):
            return self._key.pseudonyms(column.name, values)
        unfit = self._unfit.get((table.name, column.name))
        if column.kind is Kind.QUOTE:
            values, masked = mask_values(values, self._quote)
        elif unfit:
            values, masked = mask_values(values, lambda value: MASK if value in unfit else value)
        else:
            return values
        self._report.note("masked", f"{table.name}.{column.name}", masked)
        return values

    def _reject(self, table, ids, column, reason):
        """Keep apart rows that broke the contract: by table, pseudonym, column and reason."""
        if self._rejected is None:
            self._rejected = pq.ParquetWriter(self._read / "rejected.parquet", _REJECTED)
        same = [pa.repeat(pa.scalar(text), len(ids)) for text in (table, column, reason)]
        self._rejected.write_table(pa.table([same[0], ids, same[1], same[2]], schema=_REJECTED))

    def _repeated(self, table):
        """What becomes of rows that equal another in every column: told to the sorter, and counted."""

        def on_repeated(batch):
            column = _IDENTIFIED.get(table.name)
            if column is None:
                self._report.note("repeated_rows", table.name, batch.num_rows)
                return False
            self._report.reject(table.name, column, "duplicate", batch[POSITION].to_pylist())
            self._reject(table.name, pa.chunked_array([batch[table.entity]]), column, "duplicate")
            return True

        return on_repeated

    def sort(self, advance):
        """Sort and write every table: dict of file name -> rows and digests."""
        contents = {}
        with Sorter(self._read) as sorter:
            if self._narrated:
                self._narrated.join(sorter, self._read / "factors.parquet")
            for table in TABLES.values():
                file = f"{table.name}.parquet"
                order = [table.entity, "occurred_at", "recorded_at"]
                contents[table.name] = sorter.write(
                    self._read / file, self._history / file, order=order, on_repeated=self._repeated(table)
                )
                advance()
            cases = self._history / "cases.parquet"
            for table in TABLES.values():
                if table.entity == "case_id" and table.name != "cases":
                    facts = self._history / f"{table.name}.parquet"
                    self._report.note(
                        "without_case", table.name, sorter.count_without(facts, cases, "case_id")
                    )
            if self._rejected is not None:
                self._rejected.close()
                contents["rejected"] = sorter.write(
                    self._read / "rejected.parquet", self._history / "rejected.parquet", order=["table"]
                )
        return contents


@contextmanager
def _disk_errors(folder):
    """A disk that refuses, in one readable message."""
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise RiskmlError(
            f"cannot write the history ({getattr(error, 'strerror', None) or type(error).__name__})",
            where=str(folder),
            mend="Check that the folder can be written to and that the disk has room. Nothing was kept.",
        ) from None


@contextmanager
def _staging(folder):
    """A folder to work in, on the same disk as the histories; it never outlives the work.

    What a killed process left behind is removed by the next one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    here = (
        f"{_STAGING}{combined_hash(platform.node())[:8]}-"  # another machine's processes cannot be told alive
    )
    for left in folder.glob(f"{here}*"):
        owner = left.name.removeprefix(here).split("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    stage = Path(tempfile.mkdtemp(prefix=f"{here}{os.getpid()}-", dir=folder))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _publish(made, folder, manifest):
    """Move a finished history into place in one step; one that is there stays as it is: its folder."""
    target = folder / manifest["hash"]
    if target.is_dir():
        return target
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True)
    (made / "manifest.json").write_text(text + "\n", encoding="utf-8")
    for file in made.iterdir():
        with open(file, "rb") as stream:
            os.fsync(stream.fileno())
    try:
        made.rename(target)
    except OSError:
        # Another process took the same history at the same time: it holds the same content.
        if not target.is_dir():
            raise
    return target
