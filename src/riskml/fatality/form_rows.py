"""The rows of a filled form, one by one: what each says, and every mistake in it with its cell."""

from dataclasses import dataclass, field
from datetime import date

from riskml.fatality.cell_values import CellReader, Mistake, near_words
from riskml.fatality.form import SHEETS
from riskml.fatality.form_example import EXAMPLE_IDS, example_row
from riskml.fatality.form_words import factor_choices, folded, heading, headings, sheet_titles, value_words
from riskml.messages import LANGUAGES, message

__all__ = ["ADDED_COLUMNS", "FormReader", "Problem", "Row", "added_headings"]

# What a workbook of rejected rows adds to the form's columns.
ADDED_COLUMNS = ("reason", "cell")
_NOT_CODED = frozenset(("review_id", "coder", "factor"))  # of a factor row that waits to be coded


@dataclass(frozen=True)
class Problem:
    """Something wrong, or worth saying, and where.

    Attributes
    ----------
    file : str      name of the file, without its folder
    sheet : str     title of the sheet, as it stands there
    place : str     cell, row or line
    column : str    heading, as it stands there; empty of a whole row or sheet
    name : str      `fatality_load.wrong_<name>`
    fields : dict   what the message asks for; texts in both languages as dicts
    in_lines : bool whether the place is a line of a YAML form
    """

    file: str
    sheet: str
    place: str
    column: str
    name: str
    fields: dict = field(default_factory=dict)
    in_lines: bool = False

    def reason(self, language):
        """What is wrong and how to mend it, str. It never repeats what was written."""
        fields = {key: _worded(value, language) for key, value in self.fields.items()}
        return message(f"fatality_load.wrong_{self.name}", language, **fields)

    def words(self, language):
        """The place and the reason, str."""
        kind = "line" if self.in_lines else "cell"
        where = message(
            f"fatality_load.at_{kind}", language, file=self.file, sheet=self.sheet, place=self.place
        )
        named = f"{where} ({self.column})" if self.column else where
        return f"{named}: {self.reason(language)}"


def _worded(value, language):
    if isinstance(value, dict):
        return value[language]
    if isinstance(value, list):
        return ", ".join(_worded(entry, language) for entry in value)
    if isinstance(value, tuple):
        divider = " o " if language == "es" else " or "
        return divider.join(f"“{_worded(entry, language)}”" for entry in value)
    return value


@dataclass(slots=True)
class Row:
    """A row that somebody filled in.

    Attributes
    ----------
    form, sheet : RawForm, RawSheet
    number : int        row or line
    values : tuple      as written, under the sheet's headings
    coded : dict        column -> value as the form's frames hold it; what is wrong is left out
    problems : list     of Problem; none: the row is accepted
    same_as : Row or None    another file says the same, there it counts
    """

    form: object
    sheet: object
    number: int
    values: tuple
    coded: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)
    same_as: object = None

    @property
    def accepted(self):
        """Whether the row counts, bool."""
        return not self.problems and self.same_as is None

    def place(self, column=None):
        """Where the row stands, or its cell in a column of the form: str."""
        return self.sheet.place(self.number, self._position(column))

    def _position(self, column):
        known = headings(self.sheet.name) if self.sheet.name else {}
        for i, written in enumerate(self.sheet.headings):
            if column and known.get(folded(written or "")) == column:
                return i
        return None

    def refuse(self, name, column=None, **fields):
        """Note something wrong with the row, at its cell in a column where one is named."""
        self.problems.append(self.notice(name, column, **fields))

    def notice(self, name, column=None, **fields):
        """Something to say of the row, at its cell in a column where one is named: Problem."""
        position = self._position(column)
        written = str(self.sheet.headings[position]).removesuffix(" *") if position is not None else ""
        return _problem(self.form, self.sheet, self.place(column), written, name, fields)


def _problem(form, sheet, place, column, name, fields=None):
    return Problem(form.path.name, sheet.title, place, column, name, fields or {}, form.in_lines)


class FormReader:
    """Reads raw forms row by row.

    Parameters
    ----------
    vocabulary : FactorVocabulary
    today : date

    Attributes
    ----------
    notices : list of Problem    what was masked, left out or not yet coded: nothing to correct
    waiting : int                factor rows that nobody has coded yet
    """

    def __init__(self, vocabulary, today):
        self.today = today
        self._factors = factor_choices(vocabulary)
        self._labels = {factor.code: _Label(factor.label) for factor in vocabulary}
        self._readers = {}
        self._examples = {
            name: {
                _comparable(value)
                for language in LANGUAGES
                for value in _as_shown(example_row(name, vocabulary, language), name, vocabulary, language)
            }
            for name in SHEETS
        }
        self.notices, self.waiting = [], 0

    def rows(self, form, replaced=frozenset()):
        """The filled rows of a form: list of Row.

        Parameters
        ----------
        form : RawForm
        replaced : set of (digest, title, row)    rows that another file holds, corrected
        """
        found = []
        for sheet in form.sheets:
            if sheet.name is None:
                found += self._unknown_sheet(form, sheet, replaced)
            else:
                found += self._sheet(form, sheet, replaced)
        return found

    def _unknown_sheet(self, form, sheet, replaced):
        """Rows of a sheet that the form does not have: kept, with the nearest title."""
        titles = {text: _Label(_titles(name)) for text, name in sheet_titles().items()}
        near = tuple(near_words(sheet.title, titles))
        rows = [
            Row(form, sheet, number, values)
            for number, values in sheet.rows
            if (form.digest, sheet.title, number) not in replaced
        ]
        for row in rows:
            row.refuse("sheet_near" if near else "sheet_unknown", **({"near": near} if near else {}))
        return rows

    def _sheet(self, form, sheet, replaced):
        columns = _Columns(form, sheet)
        self.notices += columns.notices
        readers = {
            position: self._reader(sheet.name, column) for position, column in columns.position_of.items()
        }
        found = []
        for number, values in sheet.rows:
            if (form.digest, sheet.title, number) in replaced:
                continue
            row = Row(form, sheet, number, values)
            if not columns.filled(values) or self._is_example(row, columns):
                continue
            if self._waits(row, columns):
                self.waiting += 1
                continue
            self._read(row, columns, readers)
            found.append(row)
        return found

    def _reader(self, name, column):
        if (name, column) not in self._readers:
            field_ = SHEETS[name][column]
            self._readers[name, column] = CellReader(field_, self._factors, self._labels, self.today)
        return self._readers[name, column]

    def _is_example(self, row, columns):
        """Whether the row is the form's example; one that somebody wrote over is refused."""
        own = columns.value(row.values, "review_id")
        if not isinstance(own, str) or own.upper() not in EXAMPLE_IDS.values():
            return False
        shown = self._examples[row.sheet.name]
        return all(_comparable(v) in shown for v in columns.filled(row.values))

    def _waits(self, row, columns):
        """Whether a factor row was laid out and nobody has coded it yet."""
        if row.sheet.name != "factors" or columns.value(row.values, "state") is not None:
            return False
        written = {columns.position_of.get(i) for i, value in enumerate(row.values) if value is not None}
        return written - {None} <= _NOT_CODED and columns.value(row.values, "factor") is not None

    def _read(self, row, columns, readers):
        if str(columns.value(row.values, "review_id")).upper() in EXAMPLE_IDS.values():
            row.refuse("example_filled", "review_id")
        for position, reader in readers.items():
            value = row.values[position] if position < len(row.values) else None
            try:
                row.coded[reader.field.name], masked = reader(value)
            except Mistake as mistake:
                if mistake.name == "review_id" and any(p.name == "example_filled" for p in row.problems):
                    continue
                row.refuse(mistake.name, reader.field.name, **mistake.fields)
                continue
            if masked:
                kinds = [_kind_words(kind) for kind in masked]
                place = row.sheet.place(row.number, position)
                written = str(row.sheet.headings[position]).removesuffix(" *")
                self.notices.append(_problem(row.form, row.sheet, place, written, "masked", {"kinds": kinds}))
        columns.refuse(row)
        for low_column, low, high_column, high in row.sheet.merged:
            filled = any(v is not None for v in row.values[low_column - 1 : high_column])
            if low <= row.number <= high and filled:
                place = row.sheet.place(low, low_column - 1)
                row.problems.append(_problem(row.form, row.sheet, place, "", "merged"))
        row.coded |= {f.name: f.missing for f in columns.absent}


class _Label(dict):
    """Words in both languages that can stand in a set."""

    def __hash__(self):
        return hash(tuple(sorted(self.items())))


def _titles(name):
    return {language: message(f"fatality_form.sheet_{name}", language) for language in LANGUAGES}


def _kind_words(kind):
    return {language: message(f"fatality_load.personal_{kind}", language) for language in LANGUAGES}


def _as_shown(row, name, vocabulary, language):
    """The values of an example as the form shows them."""
    for column, value in row.items():
        kind = SHEETS[name][column].kind
        if kind == "code":
            value = value_words(value, language)
        elif kind in ("factor", "factors"):
            value = "; ".join(vocabulary[code].label[language] for code in value.split("; "))
        elif kind == "date":
            yield value.strftime("%d/%m/%Y")
        yield value


def _comparable(value):
    """A value of an example and the cell that it became, alike."""
    if isinstance(value, date):
        return (value.year, value.month, value.day)
    return folded(value) if isinstance(value, str) else value


class _Columns:
    """Which column of a sheet stands where, and what is wrong with its headings.

    Attributes
    ----------
    position_of : dict       position -> column of the form
    notices : list of Problem
    """

    def __init__(self, form, sheet):
        self.form, self.sheet = form, sheet
        known = headings(sheet.name)
        self.position_of, self.twice, self.notices, self._added = {}, {}, [], set()
        unknown = []
        for position, written in enumerate(sheet.headings):
            column = known.get(folded(written)) if isinstance(written, str) else None
            if column in self.position_of.values():
                self.twice[position] = column
            elif column:
                self.position_of[position] = column
            elif isinstance(written, str) and folded(written) in added_headings():
                self._added.add(position)
            elif written is not None:
                unknown.append(position)
        self.at = {column: position for position, column in self.position_of.items()}
        self.absent = [f for f in SHEETS[sheet.name].fields if f.name not in self.at]
        self._judge(unknown)

    def _judge(self, unknown):
        """Unknown headings: near to a column that is missing, or of the team's own.

        In a text, where each row has headings of its own, and among rejected rows of several files a column
        may be there for one row and misspelt in the next: any column counts as near.
        """
        every = self.form.in_lines or self.form.sources
        missing = {
            folded(text): f.name
            for f in (SHEETS[self.sheet.name].fields if every else self.absent)
            for text in (f.name, *(heading(self.sheet.name, f, language) for language in LANGUAGES))
        }
        for position in unknown:
            near = near_words(str(self.sheet.headings[position]), missing)
            if near:
                self.sheet.near[position] = near[0]
            elif any(
                len(values) > position and values[position] is not None for _, values in self.sheet.rows
            ):
                self._notice(position, "column_left_out")
        # A row of a text names only what it says.
        for absent in () if self.form.in_lines or not self.sheet.rows else self.absent:
            if not absent.required and absent.name not in self.sheet.near.values():
                self._notice(None, "column_absent", column=self._label(absent.name))

    def _label(self, column):
        field_ = SHEETS[self.sheet.name][column]
        return _Label({la: heading(self.sheet.name, field_, la).removesuffix(" *") for la in LANGUAGES})

    def _notice(self, position, name, **fields):
        place = self.sheet.place(self.sheet.heading_row, position)
        written = str(self.sheet.headings[position]) if position is not None else ""
        self.notices.append(_problem(self.form, self.sheet, place, written, name, fields))

    def value(self, values, column):
        """What a row holds in a column of the form; None where it holds nothing."""
        position = self.at.get(column)
        return values[position] if position is not None and position < len(values) else None

    def filled(self, values):
        """The values of a row that somebody wrote: list."""
        return [v for i, v in enumerate(values) if v is not None and i not in self._added]

    def refuse(self, row):
        """Note on a row what is wrong with the headings that it stands under."""
        for position, value in enumerate(row.values):
            if value is None or position in self._added or position in self.position_of:
                continue
            written = self.sheet.headings[position] if position < len(self.sheet.headings) else None
            own = written is None or self.form.in_lines
            place = self.sheet.place(row.number if own else self.sheet.heading_row, position)
            if written is None:
                row.problems.append(_problem(self.form, self.sheet, place, "", "no_heading"))
            elif position in self.twice:
                row.problems.append(_problem(self.form, self.sheet, place, str(written), "column_twice"))
            elif position in self.sheet.near:
                fields = {"near": (self._label(self.sheet.near[position]),)}
                row.problems.append(
                    _problem(self.form, self.sheet, place, str(written), "column_near", fields)
                )
        for required in (f for f in self.absent if f.required):
            place = row.place() if self.form.in_lines else self.sheet.place(self.sheet.heading_row)
            row.problems.append(
                _problem(
                    self.form, self.sheet, place, "", "column_missing", {"column": self._label(required.name)}
                )
            )


def added_headings():
    """The headings that a workbook of rejected rows adds, folded, in both languages: set of str."""
    return {
        folded(message(f"fatality_load.column_{name}", language))
        for name in ADDED_COLUMNS
        for language in LANGUAGES
    }
