"""The small SQL conditions of the catalogue: which facts of one table a feature takes.

A condition compares columns of its table with fixed values; `expressions` says how it is read and why nothing
else can be in it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
from sqlglot import exp

from riskml.errors import RiskmlError
from riskml.features.expressions import KnownColumn, Part, Reader, moment_of, shown
from riskml.features.predictors import DERIVED, column_refusal
from riskml.registry.contract import TABLES, Kind
from riskml.vocabulary import did_you_mean

__all__ = ["Condition", "parse_condition", "read_condition"]

_UNITS = {"MINUTE", "HOUR", "DAY", "WEEK"}
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


class _ConditionReader(Reader):
    """Reads conditions: beside what every expression may hold, times and their differences."""

    noun = "condition"
    allowed = (
        "Allowed: columns of the table, fixed values, =, <>, <, <=, >, >=, in (...), between, is null, and, "
        "or, not, parentheses; and for times also + and - with interval '7 days'."
    )

    def _read_cast(self, node):
        typed = node.to.this in (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)
        if not typed or not isinstance(node.this, exp.Literal) or not node.this.is_string:
            raise RiskmlError(f"a condition may not hold {shown(node)}", mend=self.allowed)
        return moment_of(node.this.this)

    def _read_interval(self, node):
        amount = node.this.this if isinstance(node.this, exp.Literal) else ""
        unit = node.unit.name.upper().removesuffix("S") if isinstance(node.unit, exp.Var) else ""
        if unit not in _UNITS or not re.fullmatch(r"[0-9]{1,5}", str(amount)):
            raise RiskmlError(
                f"an interval that is not understood: {shown(node)}",
                mend="Write a whole number of minutes, hours, days or weeks: interval '7 days'.",
            )
        return Part(f"INTERVAL '{amount}' {unit}", "interval")

    def _read_add(self, node):
        return self._arithmetic(node, "+", {("time", "interval"): "time", ("number", "number"): "number"})

    def _read_sub(self, node):
        return self._arithmetic(
            node,
            "-",
            {("time", "interval"): "time", ("number", "number"): "number", ("time", "time"): "interval"},
        )

    def _arithmetic(self, node, sign, results):
        self._only(node, "this", "expression")
        left, right = self._part(node.this), self._part(node.expression)
        result = results.get((left.type, right.type))
        if result is None:
            raise RiskmlError(f"{shown(node)} cannot be computed", mend=self.allowed)
        return Part(f"({left.sql} {sign} {right.sql})", result)


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
        if name in DERIVED:
            raise RiskmlError(
                f"{name} is for `column:` alone",
                mend="Compare the two clocks: recorded_at - occurred_at > interval '7 days'.",
            )
        refusal = column_refusal(table, name, codes)
        if refusal:
            raise RiskmlError(refusal[0], mend=refusal[1])
        known = contract[name]
        values = codes if (table, name) == ("factors", "factor") else known.values
        return KnownColumn(name, _KINDS[known.kind], values, known.minimum, known.maximum)

    reader = _ConditionReader(column)
    part = reader.read(text)
    return Condition(part.sql, tuple(sorted(reader.columns)))


@lru_cache(maxsize=4096)  # a matrix that is built part by part reads the same conditions in every part
def read_condition(sql, schema):
    """Read a condition in canonical form over the columns of an Arrow table: Condition.

    Parameters
    ----------
    sql : str                  in the form that `parse_condition` gives; it is read against the list again
    schema : pyarrow.Schema

    Raises
    ------
    RiskmlError    the condition is refused, or reads a column that the table does not have
    """

    def column(name):
        if name not in schema.names:
            raise RiskmlError(f'unknown column "{name}"', mend=did_you_mean(name, schema.names))
        return KnownColumn(name, _arrow_type(schema.field(name).type))

    reader = _ConditionReader(column)
    part = reader.read_again(sql)
    return Condition(part.sql, tuple(sorted(reader.columns)))


def _arrow_type(type_):
    if pa.types.is_timestamp(type_):
        return "time"
    return "number" if pa.types.is_integer(type_) or pa.types.is_floating(type_) else "word"
