"""What is done with one part: its matrix, or the risks that models give it."""

import json
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from riskml.engines.moments import ROW, cohort_frame
from riskml.features.catalogue import Catalogue
from riskml.features.matrix import build_features
from riskml.registry.history import History

__all__ = ["MatrixTask", "as_text", "catalogue_of", "matrix_schema"]

COHORT = "cohort"  # beside the names of the contract's tables


def as_text(catalogue):
    """A catalogue as JSON text, which goes to other processes; `catalogue_of` reads it."""
    return json.dumps(catalogue.to_document(), sort_keys=True)


@lru_cache(maxsize=8)
def catalogue_of(text):
    """The catalogue of a text, read once in each process: Catalogue."""
    return Catalogue.from_document(json.loads(text))


def matrix_schema(catalogue):
    """How a matrix is written: pyarrow.Schema of case_id, as_of and the catalogue's columns."""
    kinds = {"number": pa.float64(), "category": pa.string()}
    columns = [pa.field(c.name, kinds[c.kind]) for c in catalogue.columns]
    return pa.schema([pa.field("case_id", pa.string()), pa.field("as_of", pa.timestamp("us")), *columns])


def matrix_of(tables, cohort, catalogue):
    """The matrix of one part.

    Parameters
    ----------
    tables : dict of table name -> pyarrow.Table    the facts of the part, in the contract's types, and under
        COHORT the assessments where they were given
    cohort : GivenCohort, or what has `frame(history)`    how the part makes its assessments
    catalogue : Catalogue

    Returns
    -------
    (DataFrame of case_id and as_of, DataFrame of features, array of rows or None)
    """
    history = History({name: table for name, table in tables.items() if name != COHORT})
    given = tables.get(COHORT)
    frame = cohort.frame(history) if given is None else cohort_frame(given)
    rows = None if given is None else given[ROW]
    return frame, build_features(history, frame, catalogue), rows


@dataclass(frozen=True)
class MatrixTask:
    """The matrix of a part, as an Arrow table.

    Attributes
    ----------
    catalogue : str      of `as_text`
    cohort : object      what has `frame(history)`; None: the assessments are given
    rows : bool          with the column ROW: where each assessment stands in the cohort that was given
    """

    catalogue: str
    cohort: object = None
    rows: bool = False

    @property
    def schema(self):
        """The schema of what it gives: pyarrow.Schema."""
        schema = matrix_schema(catalogue_of(self.catalogue))
        return schema.append(pa.field(ROW, pa.int64())) if self.rows else schema

    def __call__(self, tables):
        """The matrix of one part: pyarrow.Table, missing is null."""
        frame, matrix, rows = matrix_of(tables, self.cohort, catalogue_of(self.catalogue))
        columns = {"case_id": frame["case_id"], "as_of": frame["as_of"]}
        columns |= {name: matrix[name] for name in matrix.columns}
        if self.rows:
            columns[ROW] = rows
        return arrow_table(columns, self.schema)


def arrow_table(columns, schema):
    """Columns of pandas or Arrow as a table of a schema; not-a-number is null."""
    arrays = []
    for field in schema:
        values = columns[field.name]
        if not isinstance(values, pa.Array | pa.ChunkedArray):
            values = pa.array(values, from_pandas=True)
        arrays.append(values if values.type == field.type else values.cast(field.type))
    return pa.table(arrays, schema=schema)
