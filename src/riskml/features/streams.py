"""Streams: the facts of one table that satisfy one condition, with everything that columns read of them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskml.features import sweep as s
from riskml.features.arrays import codes_among, frozen, microseconds, numbers, row_count, word_codes
from riskml.features.definitions import ENDING_AGGREGATES
from riskml.features.masks import condition_marks
from riskml.features.predictors import DERIVED
from riskml.registry.contract import TABLES

__all__ = ["Facts", "facts_of", "is_sparse", "of_nothing", "scope_of"]

# What each aggregate gives, and the order in which it takes its facts.
_AGGREGATES = {
    "count": (s.COUNT, s.BY_TIME),
    "sum": (s.SUM, s.BY_TIME),
    "mean": (s.MEAN, s.BY_TIME),
    "any": (s.ANY, s.BY_TIME),
    "in_force": (s.ANY, s.BY_TIME),
    "distinct": (s.DISTINCT, s.VALUES_UP),
    "max": (s.TOP, s.VALUES_DOWN),
    "latest": (s.TOP, s.BY_TIME),
    "days_since": (s.DAYS_SINCE, s.BY_TIME),
    "days_since_first": (s.DAYS_SINCE, s.OLDEST_FIRST),
    "days_since_second": (s.DAYS_SINCE_SECOND, s.BY_TIME),
    "days_since_third": (s.DAYS_SINCE_THIRD, s.BY_TIME),
    "days_to_expiry": (s.DAYS_TO, s.VALUES_UP),
    "days_since_expiry": (s.DAYS_FROM, s.VALUES_DOWN),
}
_ZERO = ("count", "sum", "any", "in_force", "distinct")  # what they give of nothing; the others: missing
_UNTIL = ("in_force", "days_to_expiry")  # what ends by itself, not by age
_DAY = 86_400_000_000  # microseconds
_PERSONS = {"aggressors": "aggressor", "victims": "victim"}


def scope_of(feature):
    """Whose facts a feature reads: "case", "aggressor" or "victim"; a table of persons has its own."""
    return _PERSONS.get(feature.table, feature.over)


def is_sparse(column):
    """Whether a column mostly speaks of nothing, so that the result is filled with that beforehand."""
    return column.feature.where is not None


def of_nothing(column):
    """The number that a column gives where there is no fact, float: 0 or NaN."""
    return 0.0 if column.feature.aggregate in _ZERO else np.nan


def _reads(column):
    """What a column reads of each fact, beyond its times: (how, contract column), or None where nothing."""
    feature = column.feature
    if feature.aggregate in ("sum", "mean", "max"):
        if feature.column in DERIVED:
            return "derived", feature.column
        return ("rank" if feature.reads.ordered else "number"), feature.column
    if feature.aggregate == "distinct":
        return ("derived" if feature.column in DERIVED else "word"), feature.column
    if feature.aggregate == "latest":
        if feature.column in DERIVED:
            return "derived", feature.column
        return ("word" if column.kind == "category" else "number"), feature.column
    if feature.aggregate == "days_to_expiry":
        return "expiry", "expires_at"
    if feature.aggregate == "days_since_expiry":
        return "expired", "expires_at"
    return None


@dataclass(frozen=True)
class Facts:
    """The facts of one table, and where in them each column finds what it reads.

    Attributes
    ----------
    swept : SweptFacts
    of_persons : bool    whether they are the facts of persons, not of cases
    places : dict    what columns read -> its place among the values
    bits : dict      condition -> its bit; None: -1
    words : dict     contract column -> its distinct words, pyarrow.Array
    """

    swept: s.SweptFacts
    of_persons: bool
    places: dict
    bits: dict
    words: dict

    def plan(self, columns, places):
        """Columns as the sweep takes them.

        Parameters
        ----------
        columns : list of FeatureColumn     over this table and one scope
        places : dict                       name of a column -> its place in the result

        Returns
        -------
        Plan
        """
        streams, nears, windows, orders, lines = {}, {0: 0}, {}, {}, []
        for column in columns:
            feature = column.feature
            op, order = _AGGREGATES[feature.aggregate]
            if column.kind == "category":
                op = s.TOP_WORD
            value = self.places.get(_reads(column), len(self.swept.values))
            stream = streams.setdefault(feature.where, len(streams))
            begins, ends = _window(column)
            near = nears.setdefault(begins, len(nears))
            window = windows.setdefault((near, ends), len(windows))
            order = orders.setdefault((order, value, near), len(orders))
            line = (stream, op, window, value, order, places[column.name], is_sparse(column))
            lines.append(line)
        lines.sort(key=lambda line: (line[4], line[0]))  # facts are picked once for each order and stream
        bits = [self.bits[where] for where in streams]
        parts = (bits, nears, windows, orders, lines)
        return s.Plan(*(frozen(np.array(list(part), np.int64)) for part in parts))


def _window(column):
    """After how long a fact enters the column's window, and after how long it leaves it."""
    if column.feature.aggregate in _UNTIL:
        return 0, s.UNTIL
    begins = s.OWN if column.feature.aggregate == "days_since_expiry" else column.near_us
    return begins, s.ENDLESS if column.window_us is None else column.window_us


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
    by_entity = s.grouped(entity, len(ids))
    del entity
    coded = cache(lambda column: word_codes(table[column]))
    values, places, words = _values(table, columns, occurred, recorded, coded)
    conditions = list(dict.fromkeys(c.feature.where for c in columns if c.feature.where is not None))
    marks = condition_marks(table, conditions, coded)
    bits = {where: bit for bit, where in enumerate(conditions)} | {None: -1}
    superseded = microseconds(table, "superseded_at", s.ENDLESS)
    read = {column.feature.aggregate for column in columns}.intersection(ENDING_AGGREGATES)
    none = frozen(np.empty(0, np.int64))
    until = _until(table) if read.intersection(_UNTIL) else none
    since = _expired(table, s.ENDLESS) if "days_since_expiry" in read else none
    swept = s.SweptFacts(by_entity, occurred, recorded, superseded, values, since, until, marks)
    return Facts(swept, name in _PERSONS, places, bits, words)


def _values(table, columns, occurred, recorded, coded):
    wanted = dict.fromkeys(read for column in columns if (read := _reads(column)))
    values = np.empty((len(wanted), table.num_rows), np.int64)
    places, words = {}, {}
    for place, (how, name) in enumerate(wanted):
        places[how, name] = place
        if how == "number":
            values[place] = numbers(table[name])
        elif how == "rank":
            values[place] = _ranks(table[name], TABLES[columns[0].feature.table][name])
        elif how == "word":
            words[name], values[place] = coded(name)
            values[place][values[place] < 0] = s.UNKNOWN
        elif how == "derived":
            values[place] = _derived(name, occurred, recorded)
        elif how == "expired":
            values[place] = _expired(table, s.UNKNOWN)
        else:
            values[place] = microseconds(table, name, s.UNKNOWN)
    return frozen(values), places, words


def _derived(name, occurred, recorded):
    """What each fact gives beside its own columns; any number where it lacks one of its times."""
    if name == "occurred_on":
        return occurred // _DAY
    return np.maximum(recorded - occurred, 0) // _DAY


def _until(table):
    """When each measure stops being in force: at its expiry or at its end, whichever comes first."""
    expires, ended = (microseconds(table, name, s.ENDLESS) for name in ("expires_at", "ended_at"))
    return frozen(np.minimum(expires, ended))


def _expired(table, never):
    """When each measure expired; `never` where it has no expiry or ended before it."""
    expires, ended = (microseconds(table, name, s.ENDLESS) for name in ("expires_at", "ended_at"))
    return frozen(np.where((expires < s.ENDLESS) & (ended >= expires), expires, never))


def _ranks(column, contract):
    """Words with an order as their ranks, from 0; UNKNOWN for what is not among them."""
    return numbers(pc.index_in(column, value_set=pa.array(contract.values, column.type)))
