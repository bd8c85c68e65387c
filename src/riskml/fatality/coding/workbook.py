"""The review form as a workbook: instructions, a sheet for each of the form's, drop-downs, an example row."""

import os
import re
import tempfile
import zipfile
from datetime import date, datetime
from pathlib import Path

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from riskml.fatality.coding.form_example import example_row
from riskml.fatality.coding.form_words import heading, sheet_title, value_words
from riskml.fatality.form import SHEETS
from riskml.messages import check_language, message

__all__ = ["FormBook", "safe_cell", "write_table", "write_workbook"]

_DATE_FORMAT, _TEXT_FORMAT = "DD/MM/YYYY", "@"
_MOST_NOTES = 500  # on a sheet: every one is a drawing, and the reason stands in its column as well
_SPARE_ROWS = 2000  # below what is filled in, with drop-downs
_HEAD = {"font": Font(bold=True, color="FFFFFF"), "fill": PatternFill("solid", fgColor="4A3B63")}
_EXAMPLE = {"font": Font(italic=True, color="6B6B6B"), "fill": PatternFill("solid", fgColor="EDEDED")}
_WRONG = PatternFill("solid", fgColor="FFE08A")
_WIDTHS = {"text": 44, "factor": 44, "factors": 44, "code": 24, "date": 14, "age": 10, "id": 16, "person": 12}
_INSTRUCTIONS = (
    "purpose",
    "known",
    "states",
    "personal",
    "closed",
    "rows",
    "count",
    "coders",
    "example",
    "dates",
    "missed",
    "load",
)
# The moment that every workbook says it was written at: the same content gives the same file.
_MOMENT = "2000-01-01T00:00:00Z"


def write_workbook(path, vocabulary, *, language="es", sheets=None, suggestions=None):
    """Write the form as a workbook.

    Parameters
    ----------
    path : path of the .xlsx; what stands there is replaced in one step
    vocabulary : FactorVocabulary
    language : "es" or "en"
    sheets : dict of sheet -> DataFrame, or None
        what is filled in already, in the form's columns and codes; with cases and without factors, one row
        stands ready for each factor of each case
    suggestions : DataFrame or None
        what narratives suggest (`fatality.coding.suggestions`): a sheet beside the factors, never read back

    Returns
    -------
    Path
    """
    book = FormBook(vocabulary, language)
    filled = dict(sheets or {})
    if len(filled.get("cases", ())) and not len(filled.get("factors", ())):
        filled["factors"] = _laid_out(filled["cases"], vocabulary)
    for name in SHEETS:
        frame = filled.get(name)
        rows = [] if frame is None else _records(frame, SHEETS[name].names)
        book.add(name, rows)
    if suggestions is not None and len(suggestions):
        book.add_table(message("fatality_load.suggestions", check_language(language)), suggestions)
    return book.save(path)


def write_table(path, frame):
    """Write a table as a workbook of one sheet: Path. What looks like a formula stays text."""
    book = Workbook(write_only=True)
    _add_table(book, "1", frame)
    return _saved(book, path)


def _laid_out(cases, vocabulary):
    """A factor row that waits to be coded for each case and factor."""
    return pd.DataFrame(
        [{"review_id": review, "factor": code} for review in cases["review_id"] for code in vocabulary.codes]
    )


def _records(frame, names):
    """Rows as dicts, with None where a cell is empty."""
    columns = {name: frame[name].tolist() if name in frame.columns else [None] * len(frame) for name in names}
    return [
        {name: None if _empty(values[i]) else values[i] for name, values in columns.items()}
        for i in range(len(frame))
    ]


def _empty(value):
    return value is None or value == "" or pd.isna(value)


class FormBook:
    """A workbook of the form that is being written, sheet by sheet.

    Parameters
    ----------
    vocabulary : FactorVocabulary
    language : "es" or "en"
    added : tuple of str    headings that stand after the form's own on every sheet
    """

    def __init__(self, vocabulary, language, added=()):
        self.vocabulary, self.language, self.added = vocabulary, check_language(language), tuple(added)
        self.book = Workbook(write_only=True)
        self._lists = {}  # values -> column of the hidden sheet
        self._lists_title = message("fatality_load.lists", language)
        self._labels = {factor.code: factor.label[language] for factor in vocabulary}
        self._instructions()

    # ------------------------------------------------------------------ sheets

    def add(self, name, rows, *, example=True):
        """Add a sheet of the form with rows in codes: list of dict of column -> value."""
        fields = SHEETS[name].fields
        sheet = self._sheet(sheet_title(name, self.language), name, fields, len(rows))
        if example:
            shown = example_row(name, self.vocabulary, self.language)
            sheet.append([self._cell(sheet, f, shown.get(f.name), **_EXAMPLE) for f in fields])
        for row in rows:
            sheet.append([self._cell(sheet, f, row.get(f.name)) for f in fields])

    def add_written(self, name, title, headings, rows):
        """Add a sheet as somebody wrote it.

        Parameters
        ----------
        name : str or None     of SHEETS; None: a sheet that the form does not have
        title : str
        headings : list        as written
        rows : list of (values, reasons, added)
            values as written; position of a faulty cell -> its reason; what stands under the added headings
        """
        fields = SHEETS[name].fields if name else ()
        sheet = self._sheet(title, name, fields, len(rows), headings)
        noted = 0
        for values, reasons, added in rows:
            cells = [
                self._written(sheet, v, reasons.get(i), note=noted < _MOST_NOTES)
                for i, v in enumerate(values)
            ]
            noted += len(reasons)
            sheet.append(
                cells + [None] * (len(headings) - len(cells)) + [safe_cell(sheet, text) for text in added]
            )

    def add_table(self, title, frame):
        """Add a table that is shown and never read back."""
        _add_table(self.book, title, frame)

    def add_hidden(self, title, rows):
        """Add a hidden sheet of plain rows."""
        sheet = self.book.create_sheet(title)
        sheet.sheet_state = "hidden"
        for row in rows:
            sheet.append([safe_cell(sheet, value) for value in row])

    def save(self, path):
        """Write the workbook in one step, the same bytes for the same content: Path."""
        self._write_lists()
        return _saved(self.book, path)

    # ------------------------------------------------------------------ pieces

    def _instructions(self):
        sheet = self.book.create_sheet(message("fatality_load.instructions", self.language))
        sheet.column_dimensions["A"].width = 30
        sheet.column_dimensions["B"].width = 110
        sheet.append(
            [
                _styled(
                    sheet,
                    message("fatality_load.instructions_title", self.language),
                    font=Font(bold=True, size=14),
                )
            ]
        )
        for name in _INSTRUCTIONS:
            title = message(f"fatality_load.instruction_{name}_title", self.language)
            words = message(f"fatality_load.instruction_{name}", self.language)
            strong = Font(bold=True, color="A11D33") if name == "known" else Font(bold=True)
            sheet.append([_styled(sheet, title, font=strong), _styled(sheet, words, font=Font())])
        for name in SHEETS:
            words = message(f"fatality_form.sheet_{name}_help", self.language)
            title = sheet_title(name, self.language)
            sheet.append([_styled(sheet, title, font=Font(bold=True)), _styled(sheet, words, font=Font())])

    def _sheet(self, title, name, fields, rows, headings=None):
        """A sheet with its headings, widths, helps and drop-downs."""
        sheet = self.book.create_sheet(title)
        sheet.freeze_panes = "B2"
        written = headings if headings is not None else [heading(name, f, self.language) for f in fields]
        by_heading = {heading(name, f, self.language): f for f in fields}
        last = rows + 2 + _SPARE_ROWS
        cells = []
        for position, words in enumerate(written, start=1):
            letter, field = get_column_letter(position), by_heading.get(words)
            sheet.column_dimensions[letter].width = _WIDTHS.get(field.kind, 24) if field else 24
            cell = safe_cell(sheet, words, **_HEAD)
            if field:
                self._dress(sheet, letter, field, last)
                help_ = message(f"fatality_form.{name}_{field.name}_help", self.language)
                cell.comment = Comment(help_, "riskml", width=340, height=120)
            cells.append(cell)
        for position, words in enumerate(self.added, start=len(written) + 1):
            sheet.column_dimensions[get_column_letter(position)].width = (
                60 if position == len(written) + 1 else 24
            )
            cells.append(_styled(sheet, words, **_HEAD))
        sheet.append(cells)
        return sheet

    def _dress(self, sheet, letter, field, last):
        """The format of a column's empty cells, and what may be chosen in it."""
        column = sheet.column_dimensions[letter]
        column.number_format = _DATE_FORMAT if field.kind == "date" else _TEXT_FORMAT
        check = None
        if field.kind in ("code", "factor", "factors"):
            check = DataValidation(type="list", formula1=self._list(field), allow_blank=True)
            check.showErrorMessage = field.kind != "factors"  # several stand in one cell
        elif field.kind == "date":
            check = DataValidation(
                type="date", operator="between", formula1="DATE(1930,1,1)", formula2="DATE(2100,1,1)"
            )
            check.showErrorMessage = True
        if check is not None:
            check.errorTitle = message("fatality_load.choose_title", self.language)
            check.error = message(
                f"fatality_load.choose_{'date' if field.kind == 'date' else 'list'}", self.language
            )
            check.add(f"{letter}2:{letter}{last}")
            sheet.data_validations.append(check)

    def _list(self, field):
        """Where the words to choose from stand: a range of the hidden sheet."""
        values = field.values or self.vocabulary.codes
        position = self._lists.setdefault(values, len(self._lists) + 1)
        letter = get_column_letter(position)
        return f"{quote_sheetname(self._lists_title)}!${letter}$1:${letter}${len(values)}"

    def _write_lists(self):
        sheet = self.book.create_sheet(self._lists_title)
        sheet.sheet_state = "hidden"
        factors = self.vocabulary.codes  # one of them may be called as an answer of the form is
        columns = [
            [self._said(code) if values == factors else value_words(code, self.language) for code in values]
            for values in self._lists
        ]
        for i in range(max(map(len, columns), default=0)):
            sheet.append([column[i] if i < len(column) else None for column in columns])

    def _said(self, factor):
        return self._labels.get(factor, factor)

    def _cell(self, sheet, field, value, **style):
        """A cell with a value of the form, in words."""
        if value is None:
            return _styled(sheet, None, **style) if style else None
        if field.kind == "code":
            value = value_words(value, self.language)
        elif field.kind in ("factor", "factors"):
            value = "; ".join(self._labels.get(code.strip(), code) for code in str(value).split(";"))
        elif field.kind != "date":
            value = str(value)
        return safe_cell(sheet, value, **style)

    def _written(self, sheet, value, reason, note):
        """A cell as somebody wrote it, marked where it is wrong, and the reason noted on it."""
        cell = safe_cell(sheet, getattr(value, "text", value))
        if reason:
            cell = cell if isinstance(cell, Cell) else WriteOnlyCell(sheet, cell)
            cell.fill = _WRONG
            cell.comment = Comment(reason, "riskml", width=340, height=120) if note else None
        return cell


def safe_cell(sheet, value, **style):
    """A cell that a spreadsheet takes for a text or a day, and never for a formula."""
    if isinstance(value, date | datetime):
        day = value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
        return _styled(sheet, day, number_format=_DATE_FORMAT, **style)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        cell = _styled(sheet, value, **style)
        cell.data_type = "s"
        cell.quotePrefix = True
        return cell
    return _styled(sheet, value, **style) if style else value


def _styled(sheet, value, *, number_format=None, font=None, fill=None):
    cell = WriteOnlyCell(sheet, value)
    if font:
        cell.font = font
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    if fill:
        cell.fill = fill
    if number_format:
        cell.number_format = number_format
    return cell


def _add_table(book, title, frame):
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for position in range(1, len(frame.columns) + 1):
        sheet.column_dimensions[get_column_letter(position)].width = 28
    sheet.append([_styled(sheet, column, **_HEAD) for column in frame.columns])
    for row in frame.itertuples(index=False):
        sheet.append([safe_cell(sheet, None if _empty(value) else value) for value in row])


def _saved(book, path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        first, plain = Path(folder) / "first.xlsx", Path(folder) / "plain.xlsx"
        book.save(first)
        _without_moments(first, plain)
        os.replace(plain, path)
    return path


def _without_moments(written, plain):
    """Write a workbook again without the moments at which it was made."""
    with zipfile.ZipFile(written) as archive, zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in archive.infolist():
            content = archive.read(entry)
            if entry.filename == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", _MOMENT.encode(), content)
            part = zipfile.ZipInfo(entry.filename)  # of 1980
            part.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(part, content)
