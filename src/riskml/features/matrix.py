"""The matrix: assessments x features, computed from a history on both clocks."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.errors import RiskmlError
from riskml.features.arrays import WORKERS, in_threads
from riskml.features.assessments import Assessments
from riskml.features.formulas import evaluate, formula_columns
from riskml.features.membership import Membership
from riskml.features.streams import facts_of, is_sparse, of_nothing, scope_of
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
    with ThreadPoolExecutor(1) as beside:
        # The cohort's ids are looked up while the facts are laid out.
        awaited = beside.submit(Assessments.of, cohort)
        membership = Membership(history.table("cases"))
        of_facts = [column for column in catalogue.columns if not column.feature.is_formula]
        tables = _facts_by_table(history, membership, of_facts)
        tables = chain(list(islice(tables, 1)), tables)
        assessments = awaited.result()
    result = _Result.of(catalogue.columns, assessments)
    scope = cache(lambda over: membership.scope(over, assessments))
    for facts, columns in tables:
        for over in dict.fromkeys(scope_of(column.feature) for column in columns):
            of_scope = [column for column in columns if scope_of(column.feature) == over]
            _sweep(scope(over), assessments.times, facts, facts.plan(of_scope, result.places), result)
        result.name_words(facts, columns)
        del facts  # before the next table is laid out
    result.compute_formulas()
    return result.frame()


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


def _facts_by_table(history, membership, columns):
    """The facts of each table that columns read, one table at a time, with its columns."""
    by_table = defaultdict(list)
    for column in columns:
        by_table[column.feature.table].append(column)
    for name, of_table in by_table.items():
        owner = TABLES[name].entity.removesuffix("_id")
        yield facts_of(history.table(name), name, membership.ids(owner), of_table), of_table


def _sweep(scope, times, facts, plan, result):
    """Read the columns of a plan at every assessment, in threads over parts of the groups."""
    pieces = WORKERS * _PIECES if len(times) > _SMALL else 1
    done = np.cumsum(np.diff(scope.reads.offsets)[scope.groups])
    cuts = np.searchsorted(done, np.linspace(0, len(times), pieces + 1)[1:-1])
    parts = [part for part in np.split(scope.groups, cuts) if len(part)]
    members = scope.persons if facts.of_persons else scope.cases

    def part_swept(part):
        sweep(part, scope.reads, times, members, facts.swept, plan, result.numbers, result.words)

    in_threads(part_swept, parts)


@dataclass(frozen=True)
class _Result:
    """What is being built.

    Attributes
    ----------
    columns : tuple of FeatureColumn
    index : pandas.MultiIndex
    places : dict                                  name of a column -> its place among numbers, or words
    numbers : array of float64, (columns, rows)    the frame is made around it, without a copy
    words : array of int32, (columns, rows)        codes of words, -1 where missing
    vocabulary : dict                              name of a column -> the words of its codes, pyarrow.Array
    """

    columns: tuple
    index: pd.MultiIndex
    places: dict
    numbers: np.ndarray
    words: np.ndarray
    vocabulary: dict

    @classmethod
    def of(cls, columns, assessments):
        """The result of some columns at some assessments, still empty."""
        names = {kind: [c.name for c in columns if c.kind == kind] for kind in ("number", "category")}
        places = {name: place for of_kind in names.values() for place, name in enumerate(of_kind)}
        numbers = np.empty((len(names["number"]), len(assessments)))
        words = np.empty((len(names["category"]), len(assessments)), np.int32)
        result = cls(columns, assessments.index, places, numbers, words, {})
        in_threads(result.prefill, [column for column in columns if is_sparse(column)])
        return result

    def prefill(self, column):
        """Write what a column gives where there is no fact."""
        if column.kind == "category":
            self.words[self.places[column.name]] = -1
        else:
            self.numbers[self.places[column.name]] = of_nothing(column)

    def name_words(self, facts, columns):
        """Keep what the codes of a table's words stand for."""
        for column in columns:
            if column.kind == "category":
                self.vocabulary[column.name] = facts.words[column.feature.column]

    def compute_formulas(self):
        """Fill in what is computed from other columns."""
        formulas = [column for column in self.columns if column.feature.is_formula]
        if not formulas or not len(self.index):
            return
        known = {column.name: column for column in self.columns}
        named = dict.fromkeys(name for column in formulas for name in formula_columns(column.feature))
        given = {
            name: self.numbers[self.places[name]]
            if known[name].kind == "number"
            else self._coded(known[name])
            for name in named
        }
        lines = [self.numbers[self.places[column.name]] for column in formulas]
        evaluate([column.feature.formula for column in formulas], known, given, lines)

    def _coded(self, column):
        """The words of a column by their codes: pyarrow.DictionaryArray."""
        codes = self.words[self.places[column.name]]
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), self._vocabulary(column))

    def _vocabulary(self, column):
        words = self.vocabulary[column.name].cast(pa.large_string())
        return words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words

    def _text(self, column):
        """The words of a column, null where missing: pyarrow.Array."""
        codes = self.words[self.places[column.name]]
        return pc.take(self._vocabulary(column), pa.array(codes, mask=codes < 0))

    def frame(self):
        """The matrix: DataFrame."""
        names = [c.name for c in self.columns if c.kind == "number"]
        frame = pd.DataFrame(self.numbers.T, index=self.index, columns=names, copy=False)
        words = [column for column in self.columns if column.kind == "category"]
        for column, text in zip(words, in_threads(self._text, words), strict=True):
            text = pd.Series(pd.array(text, dtype="str"), index=self.index, copy=False)
            frame.insert(self.columns.index(column), column.name, text)
        return frame
