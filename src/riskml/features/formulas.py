"""Formulas: features that are computed from other columns of the matrix.

A formula is a small SQL expression over columns of the same catalogue. It reads no fact, so it knows of an
assessment exactly what these columns know. What is missing is null, with SQL's three-valued logic: unknown
and false is false, unknown and true is unknown, and a formula that comes out unknown is missing.
"""

from dataclasses import dataclass
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa
import sqlglot
from sqlglot import exp

from riskml.errors import RiskmlError
from riskml.features.expressions import KnownColumn, Part, Reader, fitted, shown
from riskml.registry.contract import Kind
from riskml.vocabulary import did_you_mean

__all__ = [
    "Formula",
    "evaluate",
    "formula_columns",
    "formula_values",
    "gives_truth",
    "named_columns",
    "parse_formula",
    "says_whether",
    "with_formulas",
]

_SLICE = 500_000  # assessments that are evaluated at a time


@dataclass(frozen=True)
class Formula:
    """A formula that was read and found safe.

    Attributes
    ----------
    sql : str           canonical, as it is shown and hashed
    columns : tuple     the columns of the matrix that it names, sorted
    """

    sql: str
    columns: tuple


class _FormulaReader(Reader):
    """Reads formulas: beside what every expression may hold, arithmetic and choices between values."""

    noun = "formula"
    gives = ("number", "truth")
    chains = True
    allowed = (
        "Allowed: columns of the matrix, fixed values, + - * /, =, <>, <, <=, >, >=, in (...), between, "
        "is null, and, or, not, true, false, case when ... then ... else ... end, coalesce, greatest, "
        "least, abs, parentheses."
    )

    def _read_boolean(self, node):
        return Part("TRUE" if node.this else "FALSE", "truth")

    def _read_add(self, node):
        return self._arithmetic(node, "+")

    def _read_sub(self, node):
        return self._arithmetic(node, "-")

    def _read_mul(self, node):
        return self._arithmetic(node, "*")

    def _read_div(self, node):
        return self._arithmetic(node, "/")

    def _read_neg(self, node):
        self._only(node, "this")
        part = self._number_of(node.this)
        return Part(f"(-{part.sql})", "number", value=None if part.value is None else -part.value)

    def _read_abs(self, node):
        self._only(node, "this")
        return Part(f"abs({self._number_of(node.this).sql})", "number")

    def _read_greatest(self, node):
        return self._most(node, "greatest")

    def _read_least(self, node):
        return self._most(node, "least")

    def _read_coalesce(self, node):
        self._only(node, "this", "expressions")
        parts = self._alike([self._part(given) for given in (node.this, *node.expressions)], node)
        return Part(f"coalesce({', '.join(part.sql for part in parts)})", parts[0].type)

    def _read_case(self, node):
        self._only(node, "ifs", "default")
        tests = [self._truth(branch.this) for branch in node.args["ifs"]]
        results = [branch.args["true"] for branch in node.args["ifs"]]
        otherwise = node.args.get("default")
        if any(isinstance(result, exp.Null) for result in (*results, otherwise)):
            raise RiskmlError(
                "a case gives no null", mend="Leave `else` out: what no `when` meets is missing."
            )
        results = [self._part(result) for result in (*results, *filter(None, [otherwise]))]
        results = self._alike(results, node)
        written = " ".join(f"WHEN {t.sql} THEN {r.sql}" for t, r in zip(tests, results, strict=False))
        last = f" ELSE {results[-1].sql}" if otherwise is not None else ""
        return Part(f"(CASE {written}{last} END)", results[0].type)

    def _number_of(self, node):
        part = self._part(node)
        if part.type != "number":
            mend = "A truth becomes a number by: case when ... then 1 else 0 end." * (part.type == "truth")
            raise RiskmlError(f"{shown(node)} is no number", mend=mend or self.allowed)
        return part

    def _arithmetic(self, node, sign):
        self._only(node, "this", "expression", "typed", "safe")
        left, right = self._number_of(node.this).sql, self._number_of(node.expression).sql
        alike = (exp.Add, exp.Sub) if sign in "+-" else (exp.Mul, exp.Div)
        return Part(self._computed(self._before(left, node, *alike), sign, right), "number")

    def _computed(self, left, sign, right):
        return f"({left} {sign} {right})"

    def _most(self, node, name):
        self._only(node, "this", "expressions", "ignore_nulls")
        parts = [self._number_of(given) for given in (node.this, *node.expressions)]
        return Part(f"{name}({', '.join(part.sql for part in parts)})", "number")

    def _alike(self, parts, node):
        """Parts of which one will be taken, once they are known to be of one kind."""
        kinds = {part.type for part in parts} - {"text"} or {"word"}
        if len(kinds) > 1:
            raise RiskmlError(f"{shown(node)} gives now a {' now a '.join(sorted(kinds))}", mend=self.allowed)
        example = Part("", kinds.pop())
        return [fitted(part, example) for part in parts]


class _Evaluated(_FormulaReader):
    """Writes formulas as they are evaluated: all numbers with fractions, no division by zero."""

    def _number(self, digits):
        return f"{digits}e0"

    def _computed(self, left, sign, right):
        return f"({left} / nullif({right}, 0e0))" if sign == "/" else f"({left} {sign} {right})"


def _column_of(columns, factors):
    """What a formula may do with a column of the matrix: function of its name."""
    codes = tuple(getattr(factors, "codes", factors))

    def column(name):
        if name not in columns:
            raise RiskmlError(f'unknown column "{name}" of the matrix', mend=_near(name, columns))
        known = columns[name]
        if known.feature.is_formula:
            raise RiskmlError(
                f'column "{name}" is a formula itself',
                mend="Write out what it computes.",
            )
        if known.kind == "number":
            return KnownColumn(name, "number")
        reads = known.feature.reads
        values = codes if (known.feature.table, reads.name) == ("factors", "factor") else reads.values
        return KnownColumn(name, "word", values if reads.kind is Kind.CODE or reads.name == "factor" else ())

    return column


def _near(name, columns):
    """Which column was meant: a feature with windows has several, none under its own name."""
    own = [column.name for column in columns.values() if column.feature.name == name]
    return f"Its columns: {', '.join(own)}." if own else did_you_mean(name, columns)


def parse_formula(text, columns, factors=()):
    """Read one `formula:` of the catalogue.

    Parameters
    ----------
    text : str                                  the formula as written
    columns : dict of name -> FeatureColumn     the columns of the catalogue
    factors : FactorVocabulary or container of codes

    Returns
    -------
    Formula

    Raises
    ------
    RiskmlError    not a formula, anything outside the allow-list, a column that is unknown or a formula
                   itself, a word that the column can never hold
    """
    reader = _FormulaReader(_column_of(columns, factors))
    part = reader.read(text)
    return Formula(part.sql, tuple(sorted(reader.columns)))


@cache
def _tree(sql):
    """What a formula reads, as (columns, whether it gives a truth), told from its text alone."""
    try:
        tree = sqlglot.parse_one(sql, into=exp.Condition, dialect="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError, AttributeError, TypeError):
        raise RiskmlError(f"not a formula: {shown(str(sql))}") from None
    return tuple(sorted({node.name for node in tree.find_all(exp.Column)})), _truthful(tree)


def _truthful(node):
    """Whether a node gives true or false, or the numbers 1 or 0 in their place."""
    if isinstance(node, exp.Paren):
        return _truthful(node.this)
    if isinstance(node, exp.Case):
        results = [branch.args["true"] for branch in node.args["ifs"]]
        return all(map(_truthful, filter(None, [*results, node.args.get("default")])))
    if isinstance(node, exp.Coalesce):
        return all(map(_truthful, [node.this, *node.expressions]))
    if isinstance(node, exp.Literal):
        return not node.is_string and node.this in ("0", "1")
    return isinstance(node, exp.Predicate | exp.Boolean | exp.Connector | exp.Not)


def named_columns(sql):
    """The columns of the matrix that a formula names: tuple of str, sorted."""
    return _tree(sql)[0]


def formula_columns(feature):
    """The columns of the matrix that a formula feature names: tuple of str, sorted."""
    return named_columns(feature.formula)


def gives_truth(sql):
    """Whether a formula answers yes or no: it gives 1 or 0, or is missing."""
    return _tree(sql)[1]


def says_whether(feature):
    """Whether a feature is a formula that answers yes or no: it gives 1 or 0, or is missing."""
    return feature.is_formula and gives_truth(feature.formula)


def evaluate(formulas, columns, given, out):
    """Evaluate formulas over assessments.

    Parameters
    ----------
    formulas : list of str                       in canonical form; each is read against the list again
    columns : dict of name -> FeatureColumn      the columns of the catalogue
    given : dict of name -> array, shape (n,)    float64 with NaN where missing, or pyarrow.Array of words;
        the columns that formulas name
    out : list of float64 array, shape (n,)      where each formula is written: 1 for true, 0 for false, NaN
        for missing and for what is no finite number

    Raises
    ------
    RiskmlError    a formula is refused
    """
    column = _column_of(columns, ())
    written = [_Evaluated(column).read_again(sql).sql for sql in formulas]
    selected = ", ".join(f"CAST({sql} AS DOUBLE) AS f{i}" for i, sql in enumerate(written))
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        for first in range(0, len(out[0]), _SLICE):
            piece = {name: _nulled(values[first : first + _SLICE]) for name, values in given.items()}
            rows = len(next(iter(piece.values())))
            connection.register("matrix", pa.table(piece | {"row_": pa.array(np.arange(rows))}))
            result = connection.sql(f"SELECT {selected}, row_ FROM matrix").to_arrow_table()
            connection.unregister("matrix")
            _place(result, [line[first : first + rows] for line in out])


def formula_values(formula, frame, columns):
    """What a formula outside the catalogue gives of each row of a matrix.

    Parameters
    ----------
    formula : Formula                            of `parse_formula`
    frame : DataFrame, n rows                    with the columns that it names
    columns : dict of name -> FeatureColumn      the columns of the catalogue

    Returns
    -------
    float array, shape (n,)    1 for true, 0 for false, NaN where it is unknown
    """
    values = np.full(len(frame), np.nan)
    if len(frame):
        given = {name: _values(frame[name], columns[name].kind) for name in formula.columns}
        evaluate([formula.sql], columns, given, [values])
    return values


def _place(result, lines):
    """Write columns of a result into arrays: rows come in any order, and each carries its place."""
    for batch in result.to_batches():
        place = batch.column(len(lines)).to_numpy()
        together = len(place) and place[-1] - place[0] == len(place) - 1 and (np.diff(place) == 1).all()
        at = slice(place[0], place[-1] + 1) if together else place
        for line, found in zip(lines, batch.columns, strict=False):
            numbers = found.to_numpy(zero_copy_only=False)
            line[at] = np.where(np.isfinite(numbers), numbers, np.nan)


def _nulled(values):
    """A piece of a column as Arrow has it, null where it is missing."""
    return pa.array(values, from_pandas=True) if isinstance(values, np.ndarray) else values


def with_formulas(frame, catalogue):
    """A matrix with its formulas computed from its other columns as they stand now.

    For whatever edits a matrix: after an edit, the formulas follow.

    Parameters
    ----------
    frame : DataFrame        columns of the catalogue that are no formulas, at least those that formulas name;
        formulas that are there are computed again, others are added in the catalogue's order; further columns
        stay as they are
    catalogue : Catalogue

    Returns
    -------
    DataFrame    a new frame; the given one is not changed

    Raises
    ------
    RiskmlError    a column that a formula names is not there
    """
    formulas = [column for column in catalogue.columns if column.feature.is_formula]
    named = sorted({name for column in formulas for name in formula_columns(column.feature)})
    absent = [name for name in named if name not in frame.columns]
    if absent:
        raise RiskmlError(
            f"formulas name columns that are not there: {', '.join(absent)}",
            where="matrix",
            mend="Build the matrix with the whole catalogue.",
        )
    known = {column.name: column for column in catalogue.columns}
    given = {name: _values(frame[name], known[name].kind) for name in named}
    values = np.empty((len(formulas), len(frame)))
    if formulas and len(frame):
        evaluate([column.feature.formula for column in formulas], known, given, list(values))
    frame = frame.copy()
    order = [column.name for column in catalogue.columns]
    for column, line in zip(formulas, values, strict=True):
        if column.name in frame.columns:
            frame[column.name] = line
        else:
            before = set(order[: order.index(column.name)])
            frame.insert(sum(name in before for name in frame.columns), column.name, line)
    return frame


def _values(column, kind):
    if kind == "number":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pa.array(column, pa.string(), from_pandas=True)
