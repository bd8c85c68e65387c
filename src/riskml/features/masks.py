"""Which facts of a table satisfy which conditions.

Most conditions read columns of few words (factor, state, source, kind, severity): these are evaluated once
for each combination of words, and every fact takes the answer of its combination. The rest is evaluated row
by row. Rows come back from DuckDB in any order (a long IN list is a join, pieces are read by several
threads), so each carries its place.
"""

from functools import cache, reduce
from operator import mul

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskml.features.arrays import frozen, word_codes
from riskml.features.conditions import read_condition

__all__ = ["WORD_BITS", "condition_marks", "condition_masks"]

WORD_BITS = 64  # conditions that one word of a fact's marks holds
_FEW = 1_000  # different values of a column that is read by combinations
_COMBINATIONS = 20_000  # at most so many of them at once
_LOOKED_AT = 20_000  # rows by which a column of many values is told
_SMALL = 2_000  # rows that are not worth being looked at by combinations
_AT_ONCE = 64  # conditions of one query over all rows: each takes a byte of a fact until it is packed
_SLICE = 1_000_000  # rows that take their answers at a time


def condition_masks(table, conditions):
    """Evaluate conditions over the rows of one table.

    Parameters
    ----------
    table : pyarrow.Table       rows of one table of a history
    conditions : list of str    in the form that `parse_condition` gives; each is read against the list again

    Returns
    -------
    list of bool arrays, shape (rows,)    in the order of the conditions; what is null in SQL is False

    Raises
    ------
    RiskmlError    a condition is refused, or reads a column that the table does not have
    """
    marks = condition_marks(table, conditions)
    places = ((marks[:, k // WORD_BITS], np.uint64(k % WORD_BITS)) for k in range(len(conditions)))
    return [(word >> bit & np.uint64(1)).astype(bool) for word, bit in places]


def condition_marks(table, conditions, coded=None):
    """Evaluate conditions over the rows of one table, packed into bits.

    Parameters
    ----------
    table, conditions : as of `condition_masks`
    coded : callable    name of a column -> (words, codes), of `word_codes`; None: they are looked up here

    Returns
    -------
    array of uint64, shape (rows, words)    bit k % 64 of word k // 64: whether the row satisfies condition k

    Raises
    ------
    RiskmlError    as of `condition_masks`
    """
    marks = np.zeros((table.num_rows, -(-len(conditions) // WORD_BITS)), np.uint64)
    if not conditions:
        return marks
    read = [read_condition(sql, table.schema) for sql in conditions]
    coded = coded or cache(lambda name: word_codes(table[name]))
    few = cache(lambda name: _few(table[name]))
    by_row = []
    by_columns = {}
    for place, condition in enumerate(read):
        if table.num_rows > _SMALL and all(map(few, condition.columns)):
            by_columns.setdefault(condition.columns, []).append(place)
        else:
            by_row.append(place)
    for columns, places in _merged(by_columns, lambda name: len(coded(name)[0]) + 1):
        _mark_by_combination(marks, table.schema, columns, [(p, read[p].sql) for p in places], coded)
    for first in range(0, len(by_row), _AT_ONCE):
        some = by_row[first : first + _AT_ONCE]
        for place, mask in zip(some, _evaluated(table, [read[p] for p in some]), strict=True):
            marks[:, place // WORD_BITS] |= mask.astype(np.uint64) << np.uint64(place % WORD_BITS)
    return frozen(marks)


def _few(column):
    """Whether a column has few values: words or whole numbers, judged by its first rows."""
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        return False
    return pc.count_distinct(column.slice(0, _LOOKED_AT)).as_py() <= _FEW


def _merged(by_columns, size):
    """The sets of columns whose combinations are gone through together: (columns, places of conditions)."""
    merged = []
    for columns, places in sorted(by_columns.items(), key=lambda item: -len(item[0])):
        for group in merged:
            union = group[0] | set(columns)
            if reduce(mul, map(size, union)) <= _COMBINATIONS:
                group[0], group[1] = union, group[1] + places
                break
        else:
            merged.append([set(columns), list(places)])
    return [(sorted(columns), places) for columns, places in merged]


def _mark_by_combination(marks, schema, columns, conditions, coded):
    """Set the bits of conditions over columns of few values: each row takes those of its combination."""
    words = [coded(name)[0] for name in columns]
    sizes = [len(of_column) + 1 for of_column in words]  # and null
    combinations = np.indices(sizes).reshape(len(sizes), -1) - 1
    every = pa.table(
        {
            name: of_column.take(pa.array(codes, mask=codes < 0)).cast(schema.field(name).type)
            for name, of_column, codes in zip(columns, words, combinations, strict=True)
        }
    )
    answers = np.zeros((every.num_rows, marks.shape[1]), np.uint64)
    read = [read_condition(sql, every.schema) for _, sql in conditions]
    for (place, _), mask in zip(conditions, _evaluated(every, read), strict=True):
        answers[:, place // WORD_BITS] |= mask.astype(np.uint64) << np.uint64(place % WORD_BITS)
    for first in range(0, len(marks), _SLICE):
        combination = np.zeros(min(_SLICE, len(marks) - first), np.int64)
        for name, size in zip(columns, sizes, strict=True):
            combination *= size
            combination += coded(name)[1][first : first + _SLICE]
            combination += 1
        for word in range(marks.shape[1]):
            marks[first : first + _SLICE, word] |= answers[combination, word]


def _evaluated(table, conditions):
    """Conditions over all rows, in one query: bool array, shape (conditions, rows)."""
    columns = sorted({name for condition in conditions for name in condition.columns})
    selected = ", ".join(
        f"coalesce({condition.sql}, false) AS c{i}" for i, condition in enumerate(conditions)
    )
    placed = table.select(columns).append_column("row_", pa.array(np.arange(table.num_rows)))
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        connection.register("facts", placed)
        result = connection.sql(f"SELECT {selected}, row_ FROM facts").to_arrow_table()
    rows = result["row_"].to_numpy()
    masks = np.empty((len(conditions), table.num_rows), dtype=bool)
    for mask, given in zip(masks, result.columns, strict=False):
        mask[rows] = given.to_numpy()
    return masks
