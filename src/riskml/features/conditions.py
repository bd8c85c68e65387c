"""The small SQL conditions of the catalogue: read against an allow-list, written in one safe form, evaluated.

A condition compares columns of one table with fixed values. Everything that is not on the list is refused, so
that a feature file can neither read another table or file nor call anything. What is evaluated is never the
text that somebody wrote but what this module writes from it.
"""

import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import sqlglot
from sqlglot import exp

from riskml.errors import RiskmlError
from riskml.features.predictors import column_refusal
from riskml.registry.contract import TABLES, Kind
from riskml.vocabulary import did_you_mean

__all__ = ["Condition", "condition_masks", "parse_condition"]

# It writes to standard error about syntax that is refused here in words.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())

_LONGEST = 2_000  # characters
_DEEPEST = 40  # parentheses
_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_UNITS = {"MINUTE", "HOUR", "DAY", "WEEK"}
_ALLOWED = (
    "Allowed: columns of the table, fixed values, =, <>, <, <=, >, >=, in (...), between, is null, and, or, "
    "not, parentheses; and for times also + and - with interval '7 days'."
)
_KINDS = {
    Kind.INTEGER: "number",
    Kind.TIME: "time",
    Kind.CODE: "word",
    Kind.CATEGORY: "word",
    Kind.ID: "id",
    Kind.PERSON: "id",
    Kind.QUOTE: "id",
}


@dataclass(frozen=True)
class Condition:
    """A condition that was read and found safe.

    Attributes
    ----------
    sql : str           canonical DuckDB SQL over the table's columns
    columns : tuple     the columns that it reads, sorted
    """

    sql: str
    columns: tuple


@dataclass(frozen=True)
class _Column:
    """What a condition may do with one column."""

    name: str
    type: str  # number, time, word, id
    values: tuple = ()  # the only words it can hold; empty: open
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True)
class _Part:
    """A piece of the condition: its SQL and what it evaluates to."""

    sql: str
    type: str  # number, time, word, id, interval, truth, text (a quoted value not yet matched to a column)
    column: _Column | None = None
    value: object = None


def parse_condition(text, table, factors=()):
    """Read one `where:` of the catalogue.

    Parameters
    ----------
    text : str      the condition as written
    table : str     the table of the contract whose rows it selects
    factors : FactorVocabulary or container of codes; where it is not empty, codes compared with the column
        `factor` have to be among them

    Returns
    -------
    Condition

    Raises
    ------
    RiskmlError    not a condition, anything outside the allow-list, a column that is unknown or may not be a
                   predictor, a value that the column can never hold
    """
    codes = tuple(getattr(factors, "codes", factors))
    contract = TABLES[table]

    def column(name):
        refusal = column_refusal(table, name, codes)
        if refusal:
            raise RiskmlError(refusal[0], mend=refusal[1])
        known = contract[name]
        values = codes if (table, name) == ("factors", "factor") else known.values
        return _Column(name, _KINDS[known.kind], values, known.minimum, known.maximum)

    return _Reader(column).read(text)


def condition_masks(table, conditions):
    """Evaluate conditions over the rows of one table, all of them in one query.

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
    if not conditions:
        return []

    def column(name):
        if name not in table.column_names:
            raise RiskmlError(f'unknown column "{name}"', mend=did_you_mean(name, table.column_names))
        return _Column(name, _arrow_type(table.schema.field(name).type))

    read = [_Reader(column).read(text) for text in conditions]
    columns = sorted({name for condition in read for name in condition.columns})
    selected = ", ".join(f"coalesce({condition.sql}, false) AS c{i}" for i, condition in enumerate(read))
    # Rows come back in any order (a long IN list is a join, pieces are read by several threads): each carries
    # its place.
    placed = table.select(columns).append_column("row_", pa.array(np.arange(table.num_rows)))
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        connection.register("facts", placed)
        result = connection.sql(f"SELECT {selected}, row_ FROM facts").to_arrow_table()
    rows = result["row_"].to_numpy()
    masks = np.empty((len(read), table.num_rows), dtype=bool)
    for mask, given in zip(masks, result.columns, strict=False):
        mask[rows] = given.to_numpy()
    return list(masks)


def _arrow_type(type_):
    if pa.types.is_timestamp(type_):
        return "time"
    return "number" if pa.types.is_integer(type_) or pa.types.is_floating(type_) else "word"


class _Reader:
    """Walks the tree that sqlglot makes of a condition and writes it back, refusing what it does not know."""

    def __init__(self, column):
        self.column = column  # name -> _Column, or raises
        self.columns = set()

    def read(self, text):
        if not isinstance(text, str) or not text.strip():
            raise RiskmlError("the condition is empty", mend=_ALLOWED)
        if len(text) > _LONGEST or text.count("(") > _DEEPEST:
            raise RiskmlError(
                "the condition is too long or too deep",
                mend=f"At most {_LONGEST} characters and {_DEEPEST} parentheses: make it several features.",
            )
        if not text.isprintable() and not text.replace("\n", " ").isprintable():
            raise RiskmlError("the condition holds a character that cannot be printed", mend=_ALLOWED)
        try:
            tree = sqlglot.parse_one(text, into=exp.Condition, dialect="duckdb")
            part = self._truth(tree)
        except (sqlglot.errors.SqlglotError, RecursionError):
            raise RiskmlError(f"not a condition: {_shown(text)}", mend=_ALLOWED) from None
        if not self.columns:
            raise RiskmlError(f"the condition reads no column: {_shown(text)}", mend=_ALLOWED)
        return Condition(part.sql, tuple(sorted(self.columns)))

    def _part(self, node):
        if node.comments:
            raise RiskmlError("a comment inside a condition", mend="Write the comment in YAML, after a #.")
        kind = type(node)
        if kind in _COMPARISONS:
            return self._comparison(node)
        reader = getattr(self, f"_read_{kind.__name__.lower()}", None)
        if reader is None:
            raise RiskmlError(f"a condition may not hold {_named(node)}", mend=_ALLOWED)
        return reader(node)

    def _truth(self, node):
        part = self._part(node)
        if part.type != "truth":
            raise RiskmlError(f"{_shown(node)} is neither true nor false", mend="Compare it with a value.")
        return part

    def _read_and(self, node):
        _only(node, "this", "expression")
        return _Part(f"({self._truth(node.this).sql} AND {self._truth(node.expression).sql})", "truth")

    def _read_or(self, node):
        _only(node, "this", "expression")
        return _Part(f"({self._truth(node.this).sql} OR {self._truth(node.expression).sql})", "truth")

    def _read_not(self, node):
        _only(node, "this")
        return _Part(f"(NOT {self._truth(node.this).sql})", "truth")

    def _read_paren(self, node):
        _only(node, "this")
        return self._part(node.this)

    def _read_is(self, node):
        _only(node, "this", "expression")
        if not isinstance(node.expression, exp.Null):
            raise RiskmlError(
                f"a condition may not hold {_shown(node)}", mend="After `is` stands null or not null."
            )
        return _Part(f"({self._valued(node.this).sql} IS NULL)", "truth")

    def _read_column(self, node):
        _only(node, "this")
        if not isinstance(node.this, exp.Identifier):
            raise RiskmlError(f"a condition may not hold {_shown(node)}", mend=_ALLOWED)
        name = node.name
        try:
            column = self.column(name)
        except RiskmlError as error:
            quoted = f" Words stand in single quotes: '{name}'." if node.this.args.get("quoted") else ""
            raise RiskmlError(error.what, mend=(error.mend + quoted).strip()) from None
        self.columns.add(column.name)
        return _Part(f'"{column.name}"', column.type, column)

    def _read_literal(self, node):
        if node.is_string:
            return _Part("'" + node.this.replace("'", "''") + "'", "text", value=node.this)
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", node.this):
            raise RiskmlError(f"the number {node.this} is too long", mend="At most 9 digits and 6 decimals.")
        return _Part(node.this, "number", value=float(node.this))

    def _read_neg(self, node):
        _only(node, "this")
        part = self._part(node.this)
        if part.value is None or part.type != "number":
            raise RiskmlError(
                f"a condition may not hold {_shown(node)}", mend="A minus stands before a number."
            )
        return _Part(f"(-{part.sql})", "number", value=-part.value)

    def _read_null(self, node):
        raise RiskmlError("nothing equals null", mend="Write `is null` or `is not null`.")

    def _read_cast(self, node):
        typed = node.to.this in (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)
        if not typed or not isinstance(node.this, exp.Literal) or not node.this.is_string:
            raise RiskmlError(f"a condition may not hold {_shown(node)}", mend=_ALLOWED)
        return _time(node.this.this)

    def _read_interval(self, node):
        amount = node.this.this if isinstance(node.this, exp.Literal) else ""
        unit = node.unit.name.upper().removesuffix("S") if isinstance(node.unit, exp.Var) else ""
        if unit not in _UNITS or not re.fullmatch(r"[0-9]{1,5}", str(amount)):
            raise RiskmlError(
                f"an interval that is not understood: {_shown(node)}",
                mend="Write a whole number of minutes, hours, days or weeks: interval '7 days'.",
            )
        return _Part(f"INTERVAL '{amount}' {unit}", "interval")

    def _read_add(self, node):
        return self._arithmetic(node, "+", {("time", "interval"): "time", ("number", "number"): "number"})

    def _read_sub(self, node):
        return self._arithmetic(
            node,
            "-",
            {("time", "interval"): "time", ("number", "number"): "number", ("time", "time"): "interval"},
        )

    def _arithmetic(self, node, sign, results):
        _only(node, "this", "expression")
        left, right = self._part(node.this), self._part(node.expression)
        result = results.get((left.type, right.type))
        if result is None:
            raise RiskmlError(f"{_shown(node)} cannot be computed", mend=_ALLOWED)
        return _Part(f"({left.sql} {sign} {right.sql})", result)

    def _read_between(self, node):
        _only(node, "this", "low", "high")
        part = self._valued(node.this)
        part, low = _matched(part, self._valued(node.args["low"]), ordered=True)
        part, high = _matched(part, self._valued(node.args["high"]), ordered=True)
        return _Part(f"({part.sql} BETWEEN {low.sql} AND {high.sql})", "truth")

    def _read_in(self, node):
        _only(node, "this", "expressions")
        part = self._valued(node.this)
        values = [_matched(part, self._valued(value))[1] for value in node.expressions]
        if not values or any(value.value is None for value in values):
            raise RiskmlError(
                "`in` takes a list of fixed values", mend="Write it like source in ('911', 'banevim')."
            )
        return _Part(f"({part.sql} IN ({', '.join(value.sql for value in values)}))", "truth")

    def _comparison(self, node):
        _only(node, "this", "expression")
        ordered = not isinstance(node, exp.EQ | exp.NEQ)
        left, right = _matched(self._valued(node.this), self._valued(node.expression), ordered)
        return _Part(f"({left.sql} {_COMPARISONS[type(node)]} {right.sql})", "truth")

    def _valued(self, node):
        """A part that holds a value, not a truth."""
        part = self._part(node)
        if part.type == "truth":
            raise RiskmlError(f"{_shown(node)} is true or false and cannot be compared", mend=_ALLOWED)
        return part


def _matched(left, right, ordered=False):
    """Two parts as they stand on both sides of a comparison, once they are known to be comparable."""
    for part in (left, right):
        if part.type == "id":
            raise RiskmlError(
                f"{part.column.name} cannot be compared: it holds keyed hashes or quoted words",
                mend="Ask only whether it is null.",
            )
    left, right = _fitted(left, right), _fitted(right, left)
    if left.type != right.type:
        raise RiskmlError(
            f"{left.sql} and {right.sql} cannot be compared: one is a {left.type}, one a {right.type}"
        )
    if ordered and left.type == "word":
        name = next((p.column.name for p in (left, right) if p.column), "the column")
        raise RiskmlError(f"words have no order in a condition ({name})", mend=f"List them: {name} in (...).")
    for part, other in ((left, right), (right, left)):
        if part.column is not None and other.value is not None:
            _check_value(part.column, other.value)
    return left, right


def _fitted(part, other):
    """A part as it reads beside another: quoted text is a word or a time, as the other side has it."""
    if part.type == "number" and other.type == "word" and part.value is not None:
        raise RiskmlError(f"the number {part.sql} is compared with words", mend=f"Quote it: '{part.sql}'.")
    if part.type != "text":
        return part
    if other.type == "number":
        raise RiskmlError(
            f"the text {part.sql} is compared with a number", mend="Write a number, without quotes."
        )
    return _time(part.value) if other.type == "time" else replace(part, type="word")


def _check_value(column, value):
    """Refuse a value that the column can never hold."""
    if column.type == "word" and column.values and value not in column.values:
        near = did_you_mean(value, column.values)
        what = "factor" if column.name == "factor" else column.name
        raise RiskmlError(
            f'unknown {what} "{value}"',
            mend=near
            or (f"Known: {', '.join(column.values)}." if len(column.values) <= 12 else "See factors.yml."),
        )
    low, high = column.minimum, column.maximum
    if column.type == "number" and ((low is not None and value < low) or (high is not None and value > high)):
        raise RiskmlError(f"{column.name} never is {value:g}", mend=f"It runs from {low} to {high}.")


def _time(text):
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RiskmlError(
            f'"{text}" is not a date', mend="Write it like '2025-02-01' or '2025-02-01 14:30'."
        ) from None
    if moment.tzinfo is not None:
        raise RiskmlError(
            f'"{text}" names a timezone', mend="Times are naive, in the registry's own timezone."
        )
    return _Part(f"TIMESTAMP '{moment.isoformat(sep=' ')}'", "time", value=moment)


def _only(node, *allowed):
    """Refuse any part of a node that is not on its list."""
    for name, value in node.args.items():
        if name not in allowed and value not in (None, False, []):
            raise RiskmlError(f"a condition may not hold {_shown(node)}", mend=_ALLOWED)


def _named(node):
    if node.find(exp.Query):
        return f"a query inside it: {_shown(node)}"
    return f"{'the function ' if isinstance(node, exp.Func) else ''}{_shown(node)}"


def _shown(node):
    text = node if isinstance(node, str) else node.sql(dialect="duckdb", comments=False)
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."
