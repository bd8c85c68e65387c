"""Small SQL expressions: read against an allow-list and written back in one safe form.

What conditions and formulas have in common: columns, fixed values, comparisons, and, or, not. Everything that
is not on the list is refused, so that a feature file can neither read another table or file nor call
anything. What is evaluated is never the text that somebody wrote but what a reader writes from it.
"""

import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate

import sqlglot
from sqlglot import exp

from riskml.errors import RiskmlError
from riskml.vocabulary import did_you_mean

__all__ = ["KnownColumn", "Part", "Reader", "fitted", "matched", "moment_of", "shown"]

# It writes to standard error about syntax that is refused here in words.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())

_LONGEST = 2_000  # characters, as written; what is made of it may be so many times as long:
_LONGER = 4
_DEEPEST = 40  # parentheses within each other
_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}


@dataclass(frozen=True)
class KnownColumn:
    """What an expression may do with one column."""

    name: str
    type: str  # number, time, word, id
    values: tuple = ()  # the only words it can hold; empty: open
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True)
class Part:
    """A piece of an expression: its SQL and what it evaluates to."""

    sql: str
    type: str  # number, time, word, id, interval, truth, text (a quoted value not yet matched to a column)
    column: KnownColumn | None = None
    value: object = None


class Reader:
    """Walks the tree that sqlglot makes of an expression and writes it back, refusing what it does not know.

    A kind of expression adds a method `_read_<node>` for each further node of the tree that it allows.

    Parameters
    ----------
    column : callable    name -> KnownColumn, or raises RiskmlError

    Attributes
    ----------
    columns : set of str    the columns that were read so far
    """

    noun = "expression"
    allowed = ""  # how to mend what is refused
    gives = ("truth",)  # what the whole may evaluate to
    chains = False  # whether what is joined from the left is written without parentheses of its own

    def __init__(self, column):
        self.column = column
        self.columns = set()

    def read(self, text):
        """The whole expression: Part.

        Raises
        ------
        RiskmlError    anything outside the allow-list, or what `column` raises
        """
        part = self._whole(text, _LONGEST)
        # What is written here is read again when it is evaluated: it has to pass, too.
        type(self)(self.column)._whole(part.sql, _LONGER * _LONGEST)
        return part

    def read_again(self, sql):
        """An expression in the form that `read` gave: Part; it is checked like any other."""
        return self._whole(sql, _LONGER * _LONGEST)

    def _whole(self, text, longest):
        if not isinstance(text, str) or not text.strip():
            raise RiskmlError(f"the {self.noun} is empty", mend=self.allowed)
        depth = accumulate({"(": 1, ")": -1}.get(character, 0) for character in text)
        if len(text) > longest or max(depth) > _DEEPEST:
            raise self._too_deep()
        if not text.isprintable() and not text.replace("\n", " ").isprintable():
            raise RiskmlError(f"the {self.noun} holds a character that cannot be printed", mend=self.allowed)
        try:
            part = self._valued_or_true(sqlglot.parse_one(text, into=exp.Condition, dialect="duckdb"))
        except RecursionError:
            raise self._too_deep() from None
        except sqlglot.errors.SqlglotError:
            raise RiskmlError(f"not a {self.noun}: {shown(text)}", mend=self.allowed) from None
        if not self.columns:
            raise RiskmlError(f"the {self.noun} reads no column: {shown(text)}", mend=self.allowed)
        return part

    def _too_deep(self):
        return RiskmlError(
            f"the {self.noun} is too long or too deep",
            mend=f"At most {_LONGEST:,} characters and {_DEEPEST} parentheses within each other: "
            "make it several features.",
        )

    def _valued_or_true(self, tree):
        """The whole, once it is known to evaluate to what this kind of expression gives."""
        part = self._part(tree)
        if part.type in self.gives:
            return part
        if self.gives == ("truth",):
            raise RiskmlError(f"{shown(tree)} is neither true nor false", mend="Compare it with a value.")
        raise RiskmlError(f"{shown(tree)} is a {part.type}", mend=f"A {self.noun} gives a number or a truth.")

    def refused(self, node, mend=None):
        """The error on a node that is not on the list."""
        return RiskmlError(f"a {self.noun} may not hold {_named(node)}", mend=mend or self.allowed)

    def _part(self, node):
        if node.comments:
            raise RiskmlError(f"a comment inside a {self.noun}", mend="Write the comment in YAML, after a #.")
        kind = type(node)
        if kind in _COMPARISONS:
            return self._comparison(node)
        reader = getattr(self, f"_read_{kind.__name__.lower()}", None)
        if reader is None:
            raise self.refused(node)
        return reader(node)

    def _only(self, node, *names):
        """Refuse any argument of a node that is not on its list."""
        for name, value in node.args.items():
            if name not in names and value not in (None, False, []):
                raise self.refused(node)

    def _truth(self, node):
        part = self._part(node)
        if part.type != "truth":
            raise RiskmlError(f"{shown(node)} is neither true nor false", mend="Compare it with a value.")
        return part

    def _valued(self, node):
        """A part that holds a value, not a truth."""
        part = self._part(node)
        if part.type == "truth":
            raise RiskmlError(f"{shown(node)} is true or false and cannot be compared", mend=self.allowed)
        return part

    def _joined(self, node, word):
        self._only(node, "this", "expression")
        left, right = self._truth(node.this).sql, self._truth(node.expression).sql
        return Part(f"({self._before(left, node, type(node))} {word} {right})", "truth")

    def _before(self, left, node, *alike):
        """What stands on the left of a node: a chain is as deep as its deepest link."""
        return left[1:-1] if self.chains and isinstance(node.this, alike) else left

    def _read_and(self, node):
        return self._joined(node, "AND")

    def _read_or(self, node):
        return self._joined(node, "OR")

    def _read_not(self, node):
        self._only(node, "this")
        return Part(f"(NOT {self._truth(node.this).sql})", "truth")

    def _read_paren(self, node):
        self._only(node, "this")
        return self._part(node.this)

    def _read_is(self, node):
        self._only(node, "this", "expression")
        if not isinstance(node.expression, exp.Null):
            raise self.refused(node, "After `is` stands null or not null.")
        return Part(f"({self._valued(node.this).sql} IS NULL)", "truth")

    def _read_column(self, node):
        self._only(node, "this")
        if not isinstance(node.this, exp.Identifier):
            raise self.refused(node)
        try:
            column = self.column(node.name)
        except RiskmlError as error:
            quoted = f" Words stand in single quotes: '{node.name}'." if node.this.args.get("quoted") else ""
            raise RiskmlError(error.what, mend=(error.mend + quoted).strip()) from None
        self.columns.add(column.name)
        return Part(f'"{column.name}"', column.type, column)

    def _read_literal(self, node):
        if node.is_string:
            return Part("'" + node.this.replace("'", "''") + "'", "text", value=node.this)
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", node.this):
            raise RiskmlError(f"the number {node.this} is too long", mend="At most 9 digits and 6 decimals.")
        return Part(self._number(node.this), "number", value=float(node.this))

    def _number(self, digits):
        return digits

    def _read_neg(self, node):
        self._only(node, "this")
        part = self._part(node.this)
        if part.value is None or part.type != "number":
            raise self.refused(node, "A minus stands before a number.")
        return Part(f"(-{part.sql})", "number", value=-part.value)

    def _read_null(self, node):
        raise RiskmlError("nothing equals null", mend="Write `is null` or `is not null`.")

    def _read_between(self, node):
        self._only(node, "this", "low", "high")
        part = self._valued(node.this)
        part, low = matched(part, self._valued(node.args["low"]), self.noun, ordered=True)
        part, high = matched(part, self._valued(node.args["high"]), self.noun, ordered=True)
        return Part(f"({part.sql} BETWEEN {low.sql} AND {high.sql})", "truth")

    def _read_in(self, node):
        self._only(node, "this", "expressions")
        part = self._valued(node.this)
        values = [matched(part, self._valued(value), self.noun)[1] for value in node.expressions]
        if not values or any(value.value is None for value in values):
            raise RiskmlError(
                "`in` takes a list of fixed values", mend="Write it like source in ('911', 'banevim')."
            )
        return Part(f"({part.sql} IN ({', '.join(value.sql for value in values)}))", "truth")

    def _comparison(self, node):
        self._only(node, "this", "expression")
        ordered = not isinstance(node, exp.EQ | exp.NEQ)
        left, right = matched(
            self._valued(node.this), self._valued(node.expression), self.noun, ordered=ordered
        )
        return Part(f"({left.sql} {_COMPARISONS[type(node)]} {right.sql})", "truth")


def matched(left, right, noun, *, ordered=False):
    """Two parts as they stand on both sides of a comparison, once they are known to be comparable."""
    for part in (left, right):
        if part.type == "id":
            raise RiskmlError(
                f"{part.column.name} cannot be compared: it holds keyed hashes or quoted words",
                mend="Ask only whether it is null.",
            )
    left, right = fitted(left, right), fitted(right, left)
    if left.type != right.type:
        raise RiskmlError(
            f"{left.sql} and {right.sql} cannot be compared: one is a {left.type}, one a {right.type}"
        )
    if ordered and left.type == "word":
        name = next((p.column.name for p in (left, right) if p.column), "the column")
        raise RiskmlError(f"words have no order in a {noun} ({name})", mend=f"List them: {name} in (...).")
    for part, other in ((left, right), (right, left)):
        if part.column is not None and other.value is not None:
            _check_value(part.column, other.value)
    return left, right


def fitted(part, other):
    """A part as it reads beside another: quoted text is a word or a time, as the other side has it."""
    if part.type == "number" and other.type == "word" and part.value is not None:
        raise RiskmlError(f"the number {part.sql} is compared with words", mend=f"Quote it: '{part.sql}'.")
    if part.type != "text":
        return part
    if other.type == "number":
        raise RiskmlError(
            f"the text {part.sql} is compared with a number", mend="Write a number, without quotes."
        )
    return moment_of(part.value) if other.type == "time" else replace(part, type="word")


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


def moment_of(text):
    """A quoted moment as a part."""
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
    return Part(f"TIMESTAMP '{moment.isoformat(sep=' ')}'", "time", value=moment)


def _named(node):
    if node.find(exp.Query):
        return f"a query inside it: {shown(node)}"
    return f"{'the function ' if isinstance(node, exp.Func) else ''}{shown(node)}"


def shown(node):
    """A node, or a text, on one short line."""
    text = node if isinstance(node, str) else node.sql(dialect="duckdb", comments=False)
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."
