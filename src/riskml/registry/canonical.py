"""The canonical order of a history's tables: the same rows give the same content, however they were read."""

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskml.registry.content import ContentHash

__all__ = ["POSITION", "Sorter"]

POSITION = "__position"  # a row's place as it was read, from 1; it does not enter the history

_BATCH = 65_536
_MEMORY = "1GB"  # what does not fit is sorted on disk


class Sorter:
    """Sorts Parquet files larger than memory, on disk below a folder.

    Parameters
    ----------
    folder : Path    for what does not fit into memory; removed by the caller
    """

    def __init__(self, folder):
        self._connection = duckdb.connect(
            config={"memory_limit": _MEMORY, "temp_directory": str(folder / "sort"), "threads": 2}
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def write(self, source, target, *, order, on_repeated=None):
        """Sort a file by all of its columns, beginning with those of `order`, and write and hash it.

        Parameters
        ----------
        source, target : Path of Parquet files
        order : list of str          the columns to sort by first
        on_repeated : callable or None    told of rows equal to the one before them in every column:
            `on_repeated(batch) -> bool`, whether they are left out

        Returns
        -------
        dict of rows and, by column, type and digest
        """
        schema = pq.read_schema(source).remove_metadata()
        names = [name for name in schema.names if name != POSITION]
        by = [*order, *(n for n in names if n not in order), *(n for n in schema.names if n == POSITION)]
        keys = ", ".join(f'"{name}" ASC NULLS FIRST' for name in by)
        rows = self._connection.sql(f"SELECT * FROM read_parquet(?) ORDER BY {keys}", params=[str(source)])
        reader = rows.to_arrow_reader(_BATCH)
        kept = pa.schema([schema.field(name) for name in names])
        content, last = ContentHash(kept), None
        with pq.ParquetWriter(target, kept, compression="zstd") as writer:
            for batch in reader:
                batch = pa.RecordBatch.from_arrays(batch.columns, names=batch.schema.names)
                whole = batch.select(names).cast(kept)
                repeated = _repeated(whole, last)
                last = whole.slice(whole.num_rows - 1) if whole.num_rows else last
                if repeated.any() and on_repeated and on_repeated(batch.filter(pa.array(repeated))):
                    whole = whole.filter(pa.array(~repeated))
                content.update(whole)
                writer.write_batch(whole)
        return content.summary()

    def batches(self, query, parameters):
        """The rows that a query makes of files: iterator of pyarrow.RecordBatch, never all at once."""
        for batch in self._connection.sql(query, params=parameters).to_arrow_reader(_BATCH):
            yield pa.RecordBatch.from_arrays(batch.columns, names=batch.schema.names)

    def count_without(self, facts, persons, column):
        """How many rows of one file hold an id that no row of another holds: int."""
        return self._connection.execute(
            f"""SELECT count(*) FROM read_parquet(?) AS f
            WHERE f."{column}" IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM read_parquet(?) AS p WHERE p."{column}" = f."{column}")""",
            [str(facts), str(persons)],
        ).fetchall()[0][0]


def _repeated(batch, last):
    """Which rows equal the row before them in every column: bool array of shape (n,)."""
    if not batch.num_rows:
        return np.zeros(0, bool)
    before = batch.slice(0, batch.num_rows - 1)
    same = np.ones(batch.num_rows, bool)
    if last is None:
        same[0] = False
    for name in batch.schema.names:
        column = batch.column(name)
        if last is None:
            same[1:] &= _equal(column.slice(1), before.column(name))
        else:
            previous = pa.concat_arrays([last.column(name), before.column(name)])
            same &= _equal(column, previous)
    return same


def _equal(a, b):
    """Whether values are equal, two nulls included."""
    both_null = pc.and_(a.is_null(), b.is_null())
    return pc.or_(pc.fill_null(pc.equal(a, b), False), both_null).to_numpy(zero_copy_only=False)
