"""Streams: the facts of one table that satisfy one condition, with everything that columns read of them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskml.features import sweep as s
from riskml.features.arrays import codes_among, frozen, microseconds, numbers, row_count, word_codes
from riskml.features.conditions import condition_masks
from riskml.registry.contract import TABLES, Kind

__all__ = ["Facts", "facts_of", "scope_of", "stream_order"]

_AGGREGATES = {
    "count": s.COUNT,
    "sum": s.SUM,
    "mean": s.MEAN,
    "distinct": s.DISTINCT,
    "any": s.ANY,
    "max": s.MAX,
    "days_since": s.DAYS_SINCE,
    "latest": s.LATEST,
    "in_force": s.IN_FORCE,
    "days_to_expiry": s.DAYS_TO,
}
_PERSONS = {"aggressors": "aggressor", "victims": "victim"}


def scope_of(feature):
    """Whose facts a feature reads: "case", "aggressor" or "victim"; the person's own where the table is of persons."""
    return _PERSONS.get(feature.table, feature.over)


def stream_order(columns):
    """Columns brought together by the condition that their facts satisfy: list of FeatureColumn."""
    first = {}
    for column in columns:
        first.setdefault(column.feature.where, len(first))
    return sorted(columns, key=lambda column: first[column.feature.where])


def _reads(column):
    """What a column reads of each fact, beyond its times: (how, contract column), or None where nothing."""
    feature = column.feature
    if feature.aggregate in ("sum", "mean", "max"):
        known = TABLES[feature.table][feature.column]
        return ("rank" if known.ordered else "number"), feature.column
    if feature.aggregate == "distinct":
        return "word", feature.column
    if feature.aggregate == "latest":
        return ("word" if column.kind == "category" else "number"), feature.column
    if feature.aggregate == "days_to_expiry":
        return "expiry", "expires_at"
    return None


@dataclass(frozen=True)
class Facts:
    """The facts of one table as the sweep takes them.

    Attributes
    ----------
    offsets, rows                               facts of each entity (case, aggressor or victim)
    occurred, recorded, superseded              arrays of int64, microseconds
    values : array of int64, (V, facts)         what columns read; UNKNOWN where it is not known
    marks : array of uint8, (facts, B)          one bit for each condition
    places : dict                               what columns read -> place among `values`
    bits : dict                                 condition -> its bit; None: -1
    words : dict                                contract column -> its distinct words, pyarrow.Array
    """

    offsets: np.ndarray
    rows: np.ndarray
    occurred: np.ndarray
    recorded: np.ndarray
    superseded: np.ndarray
    values: np.ndarray
    marks: np.ndarray
    places: dict
    bits: dict
    words: dict

    def columns(self, columns, places):
        """Columns, in stream order, as the kernel takes them.

        Parameters
        ----------
        columns : list of FeatureColumn     as of `stream_order`
        places : dict                       name of a column -> its place in the result

        Returns
        -------
        bits : array of int64, (streams,);  columns : array of int64, (columns, 6);  held_size : int
        """
        streams, lines, held = {}, [], 0
        counted = len(self.values)  # the kernel puts the value 1 behind the values
        for column in columns:
            feature = column.feature
            stream = streams.setdefault(feature.where, len(streams))
            op = _AGGREGATES[feature.aggregate]
            if op == s.LATEST and column.kind == "category":
                op = s.LATEST_WORD
            if op == s.DISTINCT:
                held = max(held, len(self.words[feature.column]))
            window = s.ENDLESS if column.window_us is None else column.window_us
            value = self.places.get(_reads(column), counted)
            lines.append(
                (stream, op, window, value, self.places.get(("until", ""), counted), places[column.name])
            )
        bits = np.array([self.bits[where] for where in streams], np.int64)
        return frozen(bits), frozen(np.array(lines, np.int64)), held


def facts_of(table, name, ids, columns):
    """Everything that some columns read of one table.

    Parameters
    ----------
    table : pyarrow.Table                 its rows, in the contract's types
    name : str                            its name in the contract
    ids : pyarrow.Array of string         the entities (cases or persons) that facts are looked up among
    columns : list of FeatureColumn       columns over this table

    Returns
    -------
    Facts    facts without one of the two times, or of an unknown entity, are in no list
    """
    row_count(table, name)
    occurred, recorded = microseconds(table, "occurred_at", None), microseconds(table, "recorded_at", None)
    entity = codes_among(table[TABLES[name].entity], ids)
    if table["occurred_at"].null_count or table["recorded_at"].null_count:
        entity = frozen(np.where((occurred == -s.ENDLESS) | (recorded == -s.ENDLESS), np.int32(-1), entity))
    offsets, rows = s.grouped(entity, len(ids))
    del entity
    values, places, words = _values(table, columns)
    marks, bits = _marks(table, columns)
    superseded = microseconds(table, "superseded_at", s.ENDLESS)
    return Facts(offsets, rows, occurred, recorded, superseded, values, marks, places, bits, words)


def _values(table, columns):
    wanted = dict.fromkeys(read for column in columns if (read := _reads(column)))
    if any(column.feature.aggregate in ("in_force", "days_to_expiry") for column in columns):
        wanted["until", ""] = None
    values = np.empty((len(wanted), table.num_rows), np.int64)
    places, words = {}, {}
    for place, (how, name) in enumerate(wanted):
        places[how, name] = place
        if how == "number":
            values[place] = numbers(table[name])
        elif how == "rank":
            values[place] = _ranks(table[name], name, columns)
        elif how == "word":
            words[name], values[place] = word_codes(table[name])
            values[place][values[place] < 0] = s.UNKNOWN
        elif how == "expiry":
            values[place] = microseconds(table, name, s.UNKNOWN)
        else:
            np.minimum(
                microseconds(table, "expires_at", s.ENDLESS),
                microseconds(table, "ended_at", s.ENDLESS),
                out=values[place],
            )
    return frozen(values), places, words


def _ranks(column, name, columns):
    contract = next(TABLES[c.feature.table] for c in columns)
    order = pa.array(contract[name].values, column.type)
    return numbers(pc.index_in(column, value_set=order))


def _marks(table, columns):
    conditions = list(dict.fromkeys(c.feature.where for c in columns if c.feature.where is not None))
    bits = {where: bit for bit, where in enumerate(conditions)} | {None: -1}
    marks = np.empty((table.num_rows, (len(conditions) + 7) // 8), np.uint8)
    for byte, first in enumerate(range(0, len(conditions), 8)):
        masks = condition_masks(table, conditions[first : first + 8])
        marks[:, byte] = 0
        for bit, mask in enumerate(masks):
            marks[:, byte] |= mask.view(np.uint8) << np.uint8(bit)
    return frozen(marks), bits
