"""The matrix: assessments x features, computed from a history on both clocks."""

from collections import defaultdict
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.errors import RiskmlError
from riskml.features.arrays import WORKERS, in_threads
from riskml.features.assessments import Assessments
from riskml.features.membership import Membership
from riskml.features.streams import facts_of, scope_of, stream_order
from riskml.features.sweep import sweep
from riskml.registry.contract import TABLES
from riskml.registry.history import History

__all__ = ["build_features"]

_PIECES = 8  # parts of the work for each thread, so that one that is done early finds more
_SMALL = 20_000  # assessments that are not worth a second thread


def build_features(history, cohort, catalogue):
    """The features of each assessment, as they could be known at its time.

    A fact counts from the moment at which it has both happened and been recorded until it is superseded, and
    in a window until that long after it happened; docs/spec.md shows every rule by example. An assessment of
    a case that is not (not yet, or no longer) in the registry at its time sees nothing: counts are 0, the
    rest is missing.

    Parameters
    ----------
    history : History, folder of Parquet files, or dict of table name -> pyarrow.Table or pandas.DataFrame
    cohort : DataFrame    assessments: `case_id`, `as_of` (naive times on the registry's clock); in any order,
        with or without duplicates; other columns are ignored
    catalogue : Catalogue

    Returns
    -------
    DataFrame, shape (assessments, columns)
        index (`case_id`, `as_of`) in the cohort's order; columns in the catalogue's order: float64, and str
        for the latest of a word; missing is NaN

    Raises
    ------
    RiskmlError    the history lacks tables or columns that the catalogue reads (all are named); the cohort
                   lacks a column, a case or a time, its times have a timezone, or it is of another history
                   altogether
    """
    history = History.of(history)
    _check_tables(history, catalogue)
    assessments = Assessments.of(cohort)
    numbers, words, vocabulary = _swept(history, assessments, catalogue.columns)
    return _frame(assessments.index, catalogue.columns, numbers, words, vocabulary)


def _check_tables(history, catalogue):
    missing = []
    for name, columns in sorted(catalogue.tables_read.items()):
        held = history.tables[name].column_names if name in history.tables else None
        if held is None:
            missing.append(f"table {name}")
        else:
            missing += [f"{name}.{column}" for column in sorted(columns) if column not in held]
    if missing:
        raise RiskmlError(
            f"the catalogue reads what is not there: {', '.join(missing)}",
            where=str(history.folder or "history"),
            mend="Add them (a table may be empty), or leave the features that read them out.",
        )


def _swept(history, assessments, columns):
    """Numbers and codes of words, arrays (columns, assessments), and the words that the codes stand for."""
    places = {"number": {}, "category": {}}
    for column in columns:
        places[column.kind][column.name] = len(places[column.kind])
    numbers = np.empty((len(places["number"]), len(assessments)))
    words = np.empty((len(places["category"]), len(assessments)), np.int32)
    place = {name: k for kind in places.values() for name, k in kind.items()}
    vocabulary = {}

    membership = Membership(history.table("cases"))

    @cache
    def scope(over):
        return membership.scope(over, assessments)

    by_table = defaultdict(list)
    for column in columns:
        by_table[column.feature.table].append(column)
    for name, of_table in by_table.items():
        persons = TABLES[name].entity != "case_id"
        ids = scope(scope_of(of_table[0].feature)).ids if persons else membership.case_ids
        facts = facts_of(history.table(name), name, ids, of_table)
        for column in of_table:
            if column.kind == "category":
                vocabulary[column.name] = facts.words[column.feature.column]
        for over in dict.fromkeys(scope_of(column.feature) for column in of_table):
            plan = facts.plan(stream_order([c for c in of_table if scope_of(c.feature) == over]), place)
            members = scope(over).persons if persons else scope(over).cases
            _sweep(scope(over), members, assessments.times, facts.swept, plan, numbers, words)
    return numbers, words, vocabulary


def _sweep(scope, members, times, facts, plan, numbers, words):
    """Read the columns of a plan at every assessment, in threads over parts of the groups."""
    pieces = WORKERS * _PIECES if len(times) > _SMALL else 1
    done = np.cumsum(np.diff(scope.reads.offsets)[scope.groups])
    cuts = np.searchsorted(done, np.linspace(0, len(times), pieces + 1)[1:-1])
    parts = [part for part in np.split(scope.groups, cuts) if len(part)]
    in_threads(lambda part: sweep(part, scope.reads, times, members, facts, plan, numbers, words), parts)


def _frame(index, columns, numbers, words, vocabulary):
    """The result, around the arrays that hold it: numbers are not copied."""
    names = [c.name for c in columns if c.kind == "number"]
    frame = pd.DataFrame(numbers.T, index=index, columns=names, copy=False)
    place = 0
    for position, column in enumerate(columns):
        if column.kind == "category":
            codes = pa.array(words[place], mask=words[place] < 0)
            text = pc.take(vocabulary[column.name].cast(pa.large_string()), codes)
            frame.insert(
                position, column.name, pd.Series(pd.array(text, dtype="str"), index=index, copy=False)
            )
            place += 1
    return frame
