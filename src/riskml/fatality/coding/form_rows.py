"""The rows of a filled form, one by one: what each says, and every mistake in it with its cell."""

from dataclasses import dataclass, field
from datetime import date

from riskml.fatality.coding.cell_values import CellReader, Mistake, near_words
from riskml.fatality.coding.form_columns import Columns
from riskml.fatality.coding.form_example import EXAMPLE_IDS, example_row
from riskml.fatality.coding.form_problems import Both, problem_at
from riskml.fatality.coding.form_words import factor_choices, folded, headings, sheet_titles, value_words
from riskml.fatality.form import SHEETS
from riskml.messages import LANGUAGES, in_every_language

__all__ = ["FormReader", "Row"]

_NOT_CODED = frozenset(("review_id", "coder", "factor"))  # of a factor row that waits to be coded


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
        return problem_at(self.form, self.sheet, self.place(column), written, name, fields)


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
        self._labels = {factor.code: Both(factor.label) for factor in vocabulary}
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
        """Rows of a sheet that the form does not have.

        One that is titled or headed nearly as a sheet of the form is refused with its name; any other is the
        team's own, and left where it is.
        """
        near = _meant_sheets(form, sheet)
        if not near:
            place = sheet.place(sheet.heading_row)
            self.notices.append(problem_at(form, sheet, place, "", "sheet_left_out"))
            return []
        rows = [
            Row(form, sheet, number, values)
            for number, values in sheet.rows
            if (form.digest, sheet.title, number) not in replaced
        ]
        for row in rows:
            row.refuse("sheet_near", near=tuple(Both(_titles(name)) for name in near))
        return rows

    def _sheet(self, form, sheet, replaced):
        columns = Columns(form, sheet)
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
                self.notices.append(
                    problem_at(row.form, row.sheet, place, written, "masked", {"kinds": kinds})
                )
        columns.refuse(row)
        for low_column, low, high_column, high in row.sheet.merged:
            filled = any(v is not None for v in row.values[low_column - 1 : high_column])
            if low <= row.number <= high and filled:
                place = row.sheet.place(low, low_column - 1)
                row.problems.append(problem_at(row.form, row.sheet, place, "", "merged"))
        row.coded |= {f.name: f.missing for f in columns.absent}


def _meant_sheets(form, sheet):
    """The sheets of the form that an unknown one was probably meant for: list of names.

    Those whose headings it has; else those that its title is near to and that are missing from the file.
    """
    written = {folded(text) for text in sheet.headings if isinstance(text, str)}
    headed = {name: len(written & headings(name).keys()) for name in SHEETS}
    most = max(headed.values())
    if most >= 2:
        return [name for name, count in headed.items() if count == most]
    there = {other.name for other in form.sheets}
    return [name for name in near_words(sheet.title, sheet_titles()) if name not in there]


def _titles(name):
    return in_every_language(f"fatality_form.sheet_{name}")


def _kind_words(kind):
    return in_every_language(f"fatality_load.personal_{kind}")


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
