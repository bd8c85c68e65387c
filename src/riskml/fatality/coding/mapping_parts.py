"""The file that says how another register's columns become the review form's, checked line by line."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from riskml.documents import read_documents
from riskml.errors import RiskmlError
from riskml.fatality.form import KNOWN, KNOWN_BY, ROLES, SHEETS, STATES_CODED
from riskml.parts import Line, Part, Words, known_word, read_part
from riskml.vocabulary import did_you_mean

__all__ = ["AGE", "ColumnValues", "Day", "FactorColumn", "Filter", "Mapping", "Person", "read_mapping"]

AGE = re.compile(r"\d{1,3}(-\d{1,3})?")
_FROM_ELSEWHERE = ("review_id", "event_on")  # columns of the cases that have a part of their own


class ColumnValues(Part):
    """Where a column of the form comes from: a column of the table with its values, or one constant."""

    column: Line | None = None
    values: dict[str, str] = Field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    constant: Line | None = None

    @model_validator(mode="after")
    def _one_source(self):
        if (self.column is None) == (self.constant is None):
            raise ValueError("give `column` or `constant`, one of them")
        if self.constant is not None and (self.values or self.unknown):
            raise ValueError("a constant has no `values` and no `unknown`")
        _told_apart([*self.values, *self.unknown])
        return self


class FactorColumn(Part):
    """A factor that a column of the table speaks of."""

    factor: Line
    column: Line
    values: dict[str, Literal[STATES_CODED]]
    unknown: tuple[str, ...] = ()
    known: Literal[KNOWN] = "unknown"
    known_by: Literal[KNOWN_BY] | None = None

    @model_validator(mode="after")
    def _values_apart(self):
        _told_apart([*self.values, *self.unknown])
        return self


class Person(Part):
    """One person of each case."""

    role: Literal[ROLES]
    age: ColumnValues | None = None
    sex: ColumnValues | None = None
    occupation: ColumnValues | None = None


class Day(Part):
    """The day of the event: one column, or year and month, of which the day is then not known."""

    column: Line | None = None
    format: Line = "%Y-%m-%d"
    year: Line | None = None
    month: Line | None = None
    months: Annotated[tuple[Line, ...], Field(min_length=12, max_length=12)] | None = None

    @model_validator(mode="after")
    def _one_way(self):
        by_month = self.year is not None and self.month is not None
        if (self.column is not None) == by_month or (self.column is None) != by_month:
            raise ValueError("give `column`, or `year` and `month`")
        return self

    @property
    def precision(self):
        """What is known of the date: "day" or "month"."""
        return "day" if self.column is not None else "month"


class Numbering(Part):
    """Review ids: a prefix with a column's value, or with the number of the row."""

    prefix: str = ""
    column: Line | None = None


class Filter(Part):
    """Rows that are taken: those with some values of a column. Why the rest is left out is said."""

    column: Line
    values: Annotated[tuple[str, ...], Field(min_length=1)]
    why: Words


def _form_column(name):
    known = [field for field in SHEETS["cases"].names if field not in _FROM_ELSEWHERE]
    return known_word(name, known)


class Mapping(Part):
    """The whole file."""

    source: Words
    review_id: Numbering
    event_on: Day
    cases: dict[Annotated[str, AfterValidator(_form_column)], ColumnValues]
    people: tuple[Person, ...] = ()
    factors: tuple[FactorColumn, ...] = ()
    only: tuple[Filter, ...] = ()
    cases_per_row: Line | None = None
    narratives: tuple[Line, ...] = ()
    left_out: dict[str, Line] = Field(default_factory=dict)

    @property
    def columns(self):
        """Columns of the table that the file names, each with the path of the key: list of (path, column)."""
        found = [(("review_id", "column"), self.review_id.column)]
        found += [(("event_on", key), getattr(self.event_on, key)) for key in ("column", "year", "month")]
        found += [(("cases", name, "column"), part.column) for name, part in self.cases.items()]
        for number, person in enumerate(self.people):
            parts = [(key, getattr(person, key)) for key in ("age", "sex", "occupation")]
            found += [(("people", number, key, "column"), part.column) for key, part in parts if part]
        found += [(("factors", number, "column"), part.column) for number, part in enumerate(self.factors)]
        found += [(("only", number, "column"), part.column) for number, part in enumerate(self.only)]
        found.append((("cases_per_row",), self.cases_per_row))
        found += [(("narratives", number), column) for number, column in enumerate(self.narratives)]
        found += [(("left_out", column), column) for column in self.left_out]
        return [(path, column) for path, column in found if column is not None]


def _told_apart(values):
    """ValueError where two source values are one once capitals and outer spaces are put aside."""
    seen = set()
    for value in values:
        if plain_value(value) in seen:
            raise ValueError(f'"{value}" stands twice; capitals and outer spaces do not count')
        seen.add(plain_value(value))


def plain_value(value):
    """A source value without outer and doubled spaces and without capitals: str."""
    return " ".join(value.split()).casefold()


def _wrong_codes(mapping, vocabulary):
    """Codes that the form does not know: (path, words)."""
    for field in SHEETS["cases"].fields:
        part = mapping.cases.get(field.name)
        if part is None:
            if field.required and field.name not in _FROM_ELSEWHERE:
                yield ("cases",), f"cases.{field.name} is missing: the form needs it"
            continue
        yield from _wrong_values(("cases", field.name), part, field.values)
    for number, person in enumerate(mapping.people):
        if person.sex:
            yield from _wrong_values(("people", number, "sex"), person.sex, SHEETS["people"]["sex"].values)
        for value, age in person.age.values.items() if person.age else ():
            if not AGE.fullmatch(age):
                path = ("people", number, "age", "values", value)
                yield path, f'"{age}" is no age: write years, or a span such as 31-40'
    for number, part in enumerate(mapping.factors):
        if vocabulary is not None and part.factor not in vocabulary:
            near = did_you_mean(part.factor, vocabulary.codes)
            yield ("factors", number, "factor"), f'factor "{part.factor}" is not in the vocabulary. {near}'


def _wrong_values(path, part, known):
    if not known:
        return
    codes = [((*path, "constant"), part.constant)] if part.constant else []
    codes += [((*path, "values", value), code) for value, code in part.values.items()]
    for where, code in codes:
        if code not in known:
            near = did_you_mean(code, known) or f"Known: {', '.join(known)}."
            yield where, f'{path[-1]}: "{code}" is not known here. {near}'


def read_mapping(path, header=None, vocabulary=None):
    """Read a mapping file.

    Parameters
    ----------
    path : path of a YAML file
    header : sequence of str or None    the table's columns: the file has to speak of each of them
    vocabulary : FactorVocabulary or None    that factors are checked against

    Returns
    -------
    Mapping

    Raises
    ------
    RiskmlError    all problems at once, each with its line: unknown keys, codes that the form does not know,
        columns that the table does not have, columns of the table that the file does not speak of
    """
    mapping = read_part(Mapping, path)
    problems = list(_wrong_codes(mapping, vocabulary))
    if header is not None:
        named = [column for _, column in mapping.columns]
        for where, column in mapping.columns:
            if column not in header:
                problems.append(
                    (where, f'the table has no column "{column}". {did_you_mean(column, header)}')
                )
        problems += [
            ((), f'column "{column}" of the table is not spoken of: use it, or say under left_out why not')
            for column in header
            if column not in named
        ]
    if problems:
        document, where = read_documents(path)[0], f"{path.parent.name}/{path.name}"
        lines = [f"{where}, line {document.line(*place)}: {words.strip()}" for place, words in problems]
        if len(lines) == 1:
            place, words = lines[0].split(": ", 1)
            raise RiskmlError(words, where=place)
        raise RiskmlError(f"{len(lines)} problems\n" + "\n".join(lines), where=where)
    return mapping
