"""Columns of Arrow tables as the plain arrays that the sweep reads."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskml.errors import RiskmlError
from riskml.features.sweep import ENDLESS, UNKNOWN

__all__ = ["codes_among", "frozen", "in_threads", "microseconds", "numbers", "row_count", "word_codes"]

# Microseconds, some 36,000 years from 1970: no sum of a time and a window overflows.
_FURTHEST = 2**60
_SLICE = 500_000  # rows that one thread looks up at a time

WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(function, items):
    """What a function that leaves the interpreter lock gives for each item, in order: list."""
    items = list(items)
    if len(items) < 2 or WORKERS < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(function, items))


def frozen(array):
    """The array, not to be written to: compiled kernels take all their input so, wherever it came from."""
    view = array.view()
    view.flags.writeable = False
    return view


def _plain(column):
    """A column without gaps as one array, without copying where it already is one piece."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return column.to_numpy(zero_copy_only=False)


def row_count(table, name):
    """Number of rows, int; RiskmlError where positions would not fit into 32 bits."""
    if table.num_rows >= 2**31:
        raise RiskmlError(
            f"{table.num_rows:,} rows in one piece",
            where=name,
            mend="Build the matrix by parts of the aggressors.",
        )
    return table.num_rows


def microseconds(table, name, missing):
    """A column of times in microseconds since 1970: array of int64.

    Parameters
    ----------
    table : pyarrow.Table
    name : str
    missing : int or None    what stands for null; None: -ENDLESS, which no fact that is known has

    Raises
    ------
    RiskmlError    a time more than 36,000 years away
    """
    column = table[name].cast(pa.int64())
    spread = pc.min_max(column)
    first, last = spread["min"].as_py(), spread["max"].as_py()
    if first is not None and not -_FURTHEST <= first <= last <= _FURTHEST:
        raise RiskmlError(
            "times beyond the year 36000", where=name, mend="Correct them, or leave them empty."
        )
    if column.null_count:
        column = pc.fill_null(column, -ENDLESS if missing is None else missing)
    return frozen(_plain(column))


def numbers(column):
    """A column of whole numbers: array of int64, UNKNOWN where it is null."""
    return _plain(pc.fill_null(column.cast(pa.int64()), UNKNOWN))


def codes_among(column, ids):
    """The position of each value among `ids`: array of int32, -1 where it is not among them or null."""
    if isinstance(column, pa.Array):
        column = pa.chunked_array([column])

    def look_up(start):
        found = pc.index_in(column.slice(start, _SLICE), value_set=ids)
        return _plain(pc.fill_null(found, -1))

    found = in_threads(look_up, range(0, len(column), _SLICE))
    return frozen(np.concatenate(found) if found else np.empty(0, np.int32))


def word_codes(column):
    """A column of words as numbers.

    Returns
    -------
    words : pyarrow.Array        the distinct words
    codes : array of int32       position of each row's word; -1 where it is null
    """
    words = pc.drop_null(pc.unique(column))
    return words, codes_among(column, words)
