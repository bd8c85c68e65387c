"""The parts of a history on Apache Spark: the same code in its workers, rows passed on as Arrow bytes.

Executors read the history piece by piece, cut each piece into the rows that each part wants, and pass these
on packed; Spark brings together what belongs to one part, and a worker does the task with it. No value of the
history ever takes a type of Spark's, so that no timezone, calendar or null rule of its own can touch it.

The history's folder, and where a folder is written the place where it is to stand, have to be there under the
same path on every worker; a history in memory is passed on by the driver.
"""

import pyarrow as pa

from riskml.engines.blobs import packed, unpacked
from riskml.engines.session import quiet_about_pandas, spark_session
from riskml.engines.tasks import COHORT
from riskml.errors import RiskmlError
from riskml.registry.contract import TABLES
from riskml.registry.history import History

__all__ = ["spark_session", "work_on_spark"]

_ROWS = "part int, name string, piece int, data binary"
_RESULT = "part int, data binary"
_ROWS_ARROW = pa.schema(
    [("part", pa.int32()), ("name", pa.string()), ("piece", pa.int32()), ("data", pa.binary())]
)
_RESULT_ARROW = pa.schema([("part", pa.int32()), ("data", pa.binary())])
_SLICE_BYTES = 16 * 2**20  # of a result that travels in one row


def work_on_spark(spark, work, task):
    """Do a task with every part of a piece of work.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    work : Work
    task : callable of dict of table name -> pyarrow.Table    gives a pyarrow.Table

    Returns
    -------
    list of (part, pyarrow.Table)    of parts with something to give; in no particular order, one part's
        table may come in several pieces

    Raises
    ------
    RiskmlError    a worker failed; its own words
    """
    with quiet_about_pandas():
        return _done(spark, work, task)


def _done(spark, work, task):
    rows = _driver_rows(spark, work)
    if work.history.folder is not None:
        read = _executor_rows(spark, work)
        rows = read if rows is None else rows.unionByName(read)
    if rows is None:
        return []
    number = work.parts.number + 1
    empty = work.complete({})
    only_given = work.given

    def do(key, group):
        tables = _tables(group)
        if only_given and COHORT not in tables:
            return _RESULT_ARROW.empty_table()
        found = task({**empty, **tables})
        part = group["part"][0].as_py()
        return _result_rows(part, found)

    done = rows.repartition(number, "part").groupBy("part").applyInArrow(do, _RESULT)
    try:
        collected = done.collect()
    except Exception as error:
        raise _told(error) from error
    return [(line["part"], unpacked(bytes(line["data"]))) for line in collected]


def _driver_rows(spark, work):
    """What the driver holds, packed for its parts: DataFrame, or None where it holds nothing."""
    found = [(part, COHORT, 0, packed(table)) for part, table in work.cohort_split()]
    if work.history.folder is None:
        for piece, (name, cut) in enumerate(work.cuts()):
            rows = work.history.piece(name, cut, work.reads[name])
            found += [(p, name, piece, packed(table)) for p, table in work.parts.split(name, rows)]
    if not found:
        return None
    arrays = [
        pa.array(values, f.type) for values, f in zip(zip(*found, strict=True), _ROWS_ARROW, strict=True)
    ]
    return spark.createDataFrame(pa.table(arrays, schema=_ROWS_ARROW), _ROWS)


def _executor_rows(spark, work):
    """What the executors read of the history's folder, packed for its parts: DataFrame."""
    pieces = [(piece, name, *cut) for piece, (name, cut) in enumerate(work.cuts())]
    folder, reads, parts = str(work.history.folder.absolute()), work.reads, work.parts
    whereabouts = parts.whereabouts  # made once, on the driver

    def read(batches):
        history = History.read(folder)
        for batch in batches:
            for line in batch.to_pylist():
                name = line["name"]
                rows = history.piece(name, (line["first"], line["end"]), reads[name])
                for part, table in whereabouts[TABLES[name].entity].split(rows, TABLES[name].entity):
                    yield _row(part, name, line["piece"], table)

    listed = spark.createDataFrame(pieces, "piece int, name string, first int, end int")
    # One piece to a task: they are few and large.
    return listed.repartition(max(1, len(pieces)), "piece").mapInArrow(read, _ROWS)


def _row(part, name, piece, table):
    values = [[part], [name], [piece], [packed(table)]]
    arrays = [pa.array(v, f.type) for v, f in zip(values, _ROWS_ARROW, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_ROWS_ARROW)


def _tables(group):
    """The tables of one part, their rows in the history's order."""
    found = {}
    lines = sorted(group.select(["name", "piece", "data"]).to_pylist(), key=lambda line: line["piece"])
    for line in lines:
        found.setdefault(line["name"], []).append(unpacked(line["data"]))
    return {name: pa.concat_tables(pieces) for name, pieces in found.items()}


def _result_rows(part, table):
    """A table as rows of bytes that travel well."""
    step = max(1, int(table.num_rows * _SLICE_BYTES / max(table.nbytes, 1)))
    data = [packed(table.slice(first, step)) for first in range(0, table.num_rows, step)]
    arrays = [pa.array([part] * len(data), pa.int32()), pa.array(data, pa.binary())]
    return pa.table(arrays, schema=_RESULT_ARROW)


def _told(error):
    """What failed in a worker, in one message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    own = [line for line in lines if line.startswith("riskml.errors.RiskmlError: ")]
    said = (
        own[-1].removeprefix("riskml.errors.RiskmlError: ") if own else (lines or [type(error).__name__])[0]
    )
    return RiskmlError(
        f"Spark did not finish: {said[:500]}",
        where='engine "spark"',
        mend="--debug shows the whole error; docs/scale.md says what the workers need.",
    )
