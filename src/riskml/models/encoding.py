"""From a matrix of features to the numeric design that learners take, and back to the features it came from.

Numbers stay as they are, missing values included; ordered codes become ranks; other categories become one
indicator column for each category with enough cases in the training rows, one for the rest and one for
missing. Fitted on training rows only; plain JSON when stored.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.vocabulary import did_you_mean

__all__ = ["DesignColumn", "Encoding", "SourceColumn", "columns_of", "infer_columns"]

KINDS = ("number", "ordered", "category")
MINIMUM_CASES = 20
MOST_CATEGORIES = 30
OTHER, MISSING = "other", "missing"


@dataclass(frozen=True)
class SourceColumn:
    """One column of a matrix: its name, what it holds, its ordered values, its monotone direction."""

    name: str
    kind: str  # "number", "ordered" or "category"
    values: tuple = ()
    direction: str | None = None  # "increasing", "decreasing" or None


@dataclass(frozen=True)
class DesignColumn:
    """One column of a design: its name, the matrix column it comes from, and the category it indicates."""

    name: str
    source: str
    rule: str  # "number", "rank", "is", "other" or "missing"
    value: str | None = None


def columns_of(catalogue, names=None):
    """The columns that a catalogue gives to a matrix.

    Parameters
    ----------
    catalogue : Catalogue
    names : iterable of str or None    only these, in the catalogue's order

    Returns
    -------
    tuple of SourceColumn
    """
    wanted = None if names is None else set(names)
    found = []
    for column in catalogue.columns:
        if wanted is not None and column.name not in wanted:
            continue
        ordered = tuple(column.values or ())
        kind = "number" if column.kind == "number" else ("ordered" if ordered else "category")
        found.append(SourceColumn(column.name, kind, ordered if kind == "ordered" else (), column.direction))
    return tuple(found)


def infer_columns(frame):
    """The columns of anyone's feature frame, by their types: numbers, ordered categoricals, the rest.

    Raises
    ------
    RiskmlError    a column name twice, a column of times, or one that holds neither numbers nor words
    """
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise RiskmlError(
            f"column names twice: {', '.join(twice)}", where="X", mend="Give each column its own name."
        )
    found = []
    for name, dtype in zip(names, frame.dtypes, strict=True):
        if isinstance(dtype, pd.CategoricalDtype):
            values = tuple(str(v) for v in dtype.categories)
            found.append(
                SourceColumn(name, "ordered", values) if dtype.ordered else SourceColumn(name, "category")
            )
        elif pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype):
            found.append(SourceColumn(name, "number"))
        elif pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
            found.append(SourceColumn(name, "category"))
        else:
            raise RiskmlError(
                f'column "{name}" holds {dtype}, neither numbers nor categories',
                where="X",
                mend="Turn times into a number such as days since the event, or leave the column out.",
            )
    return tuple(found)


def _numbers(values, name, where):
    """A column as float64, missing as NaN."""
    if not (pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype)):
        try:  # object columns of numbers, as some readers return them
            if not pd.api.types.is_object_dtype(values.dtype):
                raise TypeError
            numbers = values.astype(float).to_numpy()
        except (TypeError, ValueError):
            raise RiskmlError(
                f'column "{name}" holds {values.dtype} where the model was trained on numbers',
                where=where,
                mend="Give it as numbers; missing values as NaN.",
            ) from None
    else:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        raise RiskmlError(
            f'column "{name}" holds infinite values', where=where, mend="Give them as missing (NaN)."
        )
    return numbers


def _codes(values, categories, name, where):
    """Positions of a column's values among `categories`; -1 missing, -2 not among them."""
    if pd.api.types.is_float_dtype(values.dtype) and not values.isna().all():
        raise RiskmlError(
            f'column "{name}" holds {values.dtype} where the model was trained on categories',
            where=where,
            mend="Give it as text or as a categorical.",
        )
    positions, uniques = pd.factorize(values)
    place = {category: i for i, category in enumerate(categories)}
    lookup = np.array([place.get(str(value), -2) for value in uniques] + [-1])
    return lookup[positions]


@dataclass(frozen=True)
class Encoding:
    """How a matrix becomes a design.

    Attributes
    ----------
    sources : tuple of SourceColumn        the matrix columns it reads
    columns : tuple of DesignColumn        the design's columns, in order
    constant : tuple of str                design columns left out: one value only in the training rows
    """

    sources: tuple
    columns: tuple
    constant: tuple = ()

    @classmethod
    def fit(cls, matrix, columns, *, minimum_cases=MINIMUM_CASES):
        """Learn the categories worth a column, and the columns worth keeping, from the training rows.

        Parameters
        ----------
        matrix : DataFrame    training rows
        columns : iterable of SourceColumn
        minimum_cases : int   rows that a category needs for a column of its own; the rest share one

        Returns
        -------
        Encoding
        """
        sources, planned = tuple(columns), []
        for source in sources:
            if source.kind == "number":
                planned.append(DesignColumn(source.name, source.name, "number"))
            elif source.kind == "ordered":
                planned.append(DesignColumn(source.name, source.name, "rank"))
            else:
                values = matrix[source.name].dropna()
                counts = values.astype(str).value_counts()
                frequent = sorted(counts[counts >= minimum_cases].index[:MOST_CATEGORIES])
                planned += [DesignColumn(f"{source.name}={v}", source.name, "is", v) for v in frequent]
                planned.append(DesignColumn(f"{source.name}:{OTHER}", source.name, OTHER))
                planned.append(DesignColumn(f"{source.name}:{MISSING}", source.name, MISSING))
        full = cls(sources, tuple(planned))
        design = full.design(matrix)
        varies = [_varies(design[:, i]) for i in range(design.shape[1])]
        kept = tuple(c for c, v in zip(planned, varies, strict=True) if v)
        dropped = tuple(c.name for c, v in zip(planned, varies, strict=True) if not v)
        return cls(sources, kept, dropped)

    @property
    def names(self):
        """The design's column names: tuple of str."""
        return tuple(c.name for c in self.columns)

    @property
    def source_names(self):
        """The matrix columns that it reads: tuple of str."""
        return tuple(s.name for s in self.sources)

    @property
    def directions(self):
        """Monotone direction of each design column: tuple of 1 (risk rises), -1 (falls), 0 (free)."""
        sign = {"increasing": 1, "decreasing": -1, None: 0}
        direction = {s.name: sign[s.direction] for s in self.sources}
        return tuple(direction[c.source] if c.rule in ("number", "rank") else 0 for c in self.columns)

    @property
    def source_positions(self):
        """For each design column, the position of its matrix column in `source_names`: int array.

        SHAP values of a design sum back to the matrix's columns with `np.add.reduceat` or `np.add.at` over
        these.
        """
        place = {name: i for i, name in enumerate(self.source_names)}
        return np.array([place[c.source] for c in self.columns], dtype=int)

    def check(self, matrix, where="matrix"):
        """Refuse a matrix that lacks columns, all of them named in one message."""
        absent = [name for name in self.source_names if name not in matrix.columns]
        if absent:
            shown = ", ".join(absent[:12]) + (f" and {len(absent) - 12} more" if len(absent) > 12 else "")
            raise RiskmlError(
                f"missing columns: {shown}",
                where=where,
                mend=did_you_mean(absent[0], matrix.columns)
                or "Build the matrix with the catalogue that the model was trained on.",
            )

    def design(self, matrix, where="matrix"):
        """The design of a matrix.

        Parameters
        ----------
        matrix : DataFrame    one row per assessment; further columns are ignored
        where : str           how an error names the matrix

        Returns
        -------
        float64 array, shape (rows, design columns)    missing numbers and ranks are NaN; indicators are 0 or
        1

        Raises
        ------
        RiskmlError    missing columns, text where numbers were, unknown ordered codes, infinite values
        """
        if not isinstance(matrix, pd.DataFrame):
            raise RiskmlError(
                f"{type(matrix).__name__} instead of a DataFrame",
                where=where,
                mend="Give a pandas DataFrame.",
            )
        if not all(isinstance(name, str) for name in matrix.columns):
            matrix = matrix.rename(columns=str)
        self.check(matrix, where)
        out = np.empty((len(matrix), len(self.columns)))
        wanted = {}
        for position, column in enumerate(self.columns):
            wanted.setdefault(column.source, []).append((position, column))
        for source in self.sources:
            targets = wanted.get(source.name, ())
            if targets:
                self._fill(out, source, targets, matrix[source.name], where)
        return out

    @staticmethod
    def _fill(out, source, targets, values, where):
        if source.kind == "number":
            out[:, targets[0][0]] = _numbers(values, source.name, where)
            return
        if source.kind == "ordered":
            codes = _codes(values, source.values, source.name, where)
            if (codes == -2).any():
                unknown = int((codes == -2).sum())
                raise RiskmlError(
                    f'column "{source.name}" holds {unknown} values outside {list(source.values)}',
                    where=where,
                    mend="Correct them, or give them as missing.",
                )
            out[:, targets[0][0]] = np.where(codes < 0, np.nan, codes)
            return
        frequent = [column.value for _, column in targets if column.rule == "is"]
        codes = _codes(values, frequent, source.name, where)
        for position, column in targets:
            wanted = {
                "is": frequent.index(column.value) if column.rule == "is" else None,
                OTHER: -2,
                MISSING: -1,
            }
            out[:, position] = codes == wanted[column.rule]

    def to_document(self):
        """Plain JSON from which `from_document` makes the same encoding."""
        return {
            "sources": [
                {"name": s.name, "kind": s.kind, "values": list(s.values), "direction": s.direction}
                for s in self.sources
            ],
            "columns": [
                {"name": c.name, "source": c.source, "rule": c.rule, "value": c.value} for c in self.columns
            ],
            "constant": list(self.constant),
        }

    @classmethod
    def from_document(cls, document):
        """The encoding that `to_document` stored."""
        return cls(
            tuple(
                SourceColumn(s["name"], s["kind"], tuple(s["values"]), s["direction"])
                for s in document["sources"]
            ),
            tuple(DesignColumn(c["name"], c["source"], c["rule"], c["value"]) for c in document["columns"]),
            tuple(document["constant"]),
        )


def _varies(values):
    """Whether a design column says anything: two values, or one value and missing ones."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return False
    return bool(known.size < values.size or known.min() != known.max())
