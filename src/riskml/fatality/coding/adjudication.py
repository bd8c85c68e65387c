"""The adjudication sheet: where coders differ, both codings side by side, and what the team decides.

What is left empty stays undecided: the state is then unknown, as `coders.joined` says.
"""

from collections import defaultdict
from datetime import date
from pathlib import Path

import pandas as pd
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from riskml.errors import RiskmlError
from riskml.fatality.coding.cell_values import CellReader, Mistake
from riskml.fatality.coding.coders import DIFFERING, disagreements
from riskml.fatality.coding.form_problems import Problem
from riskml.fatality.coding.form_words import factor_choices, folded, value_words
from riskml.fatality.coding.raw_form import raw_file, titles
from riskml.fatality.coding.workbook import FormBook, safe_cell
from riskml.fatality.form import SHEETS, Field
from riskml.messages import LANGUAGES, check_language, message

__all__ = ["ADJUDICATED", "is_adjudication", "read_adjudication", "write_adjudication"]

_FACTORS = SHEETS["factors"]
_KEY = (_FACTORS["review_id"], _FACTORS["factor"])
# What the team fills in; where known, known_on or known_by is left empty it follows from the codings.
_DECIDED = (
    _FACTORS["state"],
    Field("known", "code", values=_FACTORS["known"].values),
    _FACTORS["known_on"],
    _FACTORS["known_by"],
    Field("adjudicated_by", "person", required=True),
)
ADJUDICATED = tuple(field.name for field in (*_KEY, *_DECIDED))
_CODING = ("coder", *DIFFERING, "evidence")
_HEAD = {"font": Font(bold=True, color="FFFFFF"), "fill": PatternFill("solid", fgColor="4A3B63")}
_TO_FILL = {"font": Font(bold=True), "fill": PatternFill("solid", fgColor="FFE08A")}
_WIDTH = {"factor": 44, "evidence": 44, "differs": 28}


def write_adjudication(path, coding, vocabulary, *, language="es", adjudicated=None):
    """Write the rows on which coders differ, with their codings and columns for what the team decides.

    Parameters
    ----------
    path : path of the .xlsx; what stands there is replaced in one step
    coding : DataFrame             the form's factor sheet: a row for each review, coder and factor
    vocabulary : FactorVocabulary
    language : "es" or "en"
    adjudicated : DataFrame or None    of `read_adjudication`: what was decided before, filled in again

    Returns
    -------
    Path or None    None where coders differ in nothing: no file is written then
    """
    differing = disagreements(coding)
    if not len(differing):
        return None
    coding = coding.sort_values("coder", kind="stable")
    codings = defaultdict(list)
    for row in coding.to_dict("records"):
        codings[row["review_id"], row["factor"]].append(row)
    decided = {}
    if adjudicated is not None:
        decided = {(row["review_id"], row["factor"]): row for row in adjudicated.to_dict("records")}
    rows = [(key, what, codings[key], decided.get(key, {})) for key, what in differing.items()]
    book = _AdjudicationBook(vocabulary, check_language(language))
    book.add_rows(rows)
    return book.save(path)


def _title(language):
    return message("fatality_coders.adjudication", language)


def _heading(name, language):
    words = message(f"fatality_coders.adjudicated_{name}", language)
    return f"{words} *" if any(f.name == name and f.required for f in _DECIDED) else words


class _AdjudicationBook(FormBook):
    """The workbook of the adjudication sheet: its own instructions, and one sheet."""

    def _instructions(self):
        sheet = self.book.create_sheet(message("fatality_load.instructions", self.language))
        sheet.column_dimensions["A"].width = 110
        for name in ("purpose", "rule", "empty", "load"):
            words = message(f"fatality_coders.adjudication_{name}", self.language)
            cell = safe_cell(sheet, words, font=Font(bold=name == "purpose"))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            sheet.append([cell])

    def add_rows(self, rows):
        """Add the sheet: rows of ((review, factor), differing columns, codings, what was decided)."""
        most = max(len(codings) for _, _, codings, _ in rows)
        sheet = self.book.create_sheet(_title(self.language))
        sheet.freeze_panes = "D2"
        headings = [
            (name, _heading(name, self.language), _HEAD) for name in ("review_id", "factor", "differs")
        ]
        headings += [(field.name, _heading(field.name, self.language), _TO_FILL) for field in _DECIDED]
        headings += [
            (name, message(f"fatality_coders.coding_{name}", self.language, number=number), _HEAD)
            for number in range(1, most + 1)
            for name in _CODING
        ]
        cells = []
        for position, (name, words, style) in enumerate(headings, start=1):
            sheet.column_dimensions[get_column_letter(position)].width = _WIDTH.get(name, 20)
            cells.append(safe_cell(sheet, words, **style))
        for position, field in enumerate(_DECIDED, start=4):
            self._dress(sheet, get_column_letter(position), field, len(rows) + 1)
            help_ = message(f"fatality_coders.adjudicated_{field.name}_help", self.language)
            cells[position - 1].comment = Comment(help_, "riskml", width=340, height=120)
        sheet.append(cells)
        for (review, factor), differing, codings, decided in rows:
            what = ", ".join(message(f"fatality_coders.differs_{n}", self.language) for n in differing)
            values = [review, self._said(factor), what]
            values += [self._shown(field, decided.get(field.name)) for field in _DECIDED]
            for coding in codings:
                values += [self._shown(_FACTORS[name], coding.get(name)) for name in _CODING]
            sheet.append([safe_cell(sheet, value) for value in values])

    def _shown(self, field, value):
        if value is None or pd.isna(value):
            return None
        return value_words(value, self.language) if field.kind == "code" else value


def _sheets(path):
    """The sheets of a file that are headed as the adjudication sheet: list of RawSheet."""
    titles = {folded(_title(language)) for language in LANGUAGES}
    return [sheet for sheet in raw_file(path).sheets if folded(sheet.title) in titles]


def is_adjudication(path):
    """Whether a file is an adjudication sheet and not a form, by its titles alone: bool."""
    known = {folded(_title(language)) for language in LANGUAGES}
    return any(folded(title) in known for title in titles(path))


def read_adjudication(path, vocabulary, *, today=None):
    """Read back what the team decided.

    Parameters
    ----------
    path : path of the .xlsx
    vocabulary : FactorVocabulary
    today : date or None    no day lies after it; None: the day it is

    Returns
    -------
    (DataFrame, list of Problem)
        rows of ADJUDICATED that read: codes, known_on as datetime64[us], None where empty; and what is wrong,
        with its cell. A row in which nothing is filled in is undecided, and neither; one with a mistake is
        left out

    Raises
    ------
    RiskmlError    the file cannot be read, has no such sheet, or lacks one of its columns
    """
    path, today = Path(path), today or date.today()
    sheets = _sheets(path)
    if len(sheets) != 1:
        raise RiskmlError(
            "no adjudication sheet is in this file",
            where=path.name,
            mend="`riskml fatality load` writes it where coders differ; keep the title of its sheet.",
        )
    (sheet,) = sheets
    position = _positions(sheet, path)
    factors = factor_choices(vocabulary)
    labels = {factor.code: factor.label for factor in vocabulary}
    readers = {f.name: CellReader(f, factors, labels, today) for f in (*_KEY, *_DECIDED)}
    found, problems, seen = [], [], {}
    for number, values in sheet.rows:
        given = {name: values[at] if at < len(values) else None for name, at in position.items()}
        if all(given[field.name] is None for field in _DECIDED):
            continue
        row, wrong = {}, []

        def refuse(column, name, number=number, wrong=wrong, **fields):
            heading = str(sheet.headings[position[column]]).removesuffix(" *")
            place = sheet.place(number, position[column])
            wrong.append(Problem(path.name, sheet.title, place, heading, name, fields))

        for column, reader in readers.items():
            try:
                row[column], _ = reader(given[column])
            except Mistake as mistake:
                refuse(column, mistake.name, **mistake.fields)
        key = row.get("review_id"), row.get("factor")
        if None not in key:
            first = seen.setdefault(key, sheet.place(number, position["factor"]))
            if first != sheet.place(number, position["factor"]):
                refuse("factor", "repeated", place=first)
        problems += wrong
        if not wrong:
            found.append(row)
    rows = pd.DataFrame(found, columns=list(ADJUDICATED)).astype(object)
    rows["known_on"] = pd.to_datetime(rows["known_on"]).astype("datetime64[us]")
    return rows.where(rows.notna(), None).astype({"known_on": "datetime64[us]"}), problems


def _positions(sheet, path):
    """Where each column stands: dict of name -> position."""
    known = {
        folded(_heading(field.name, language)): field.name
        for field in (*_KEY, *_DECIDED)
        for language in LANGUAGES
    }
    position = {}
    for at, heading in enumerate(sheet.headings):
        name = known.get(folded(heading)) if isinstance(heading, str) else None
        if name:
            position.setdefault(name, at)
    missing = [name for name in ADJUDICATED if name not in position]
    if missing:
        headings = ", ".join(f'"{_heading(name, "es")}"' for name in missing)
        raise RiskmlError(
            f"columns are missing: {headings}",
            where=f"{path.name}, {sheet.title}",
            mend="Keep the headings of the sheet as they were written.",
        )
    return position
