"""Filled forms read row by row: what is accepted, and every other row with its reasons. Nothing is lost."""

from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from riskml.errors import RiskmlError
from riskml.fatality.coding.form_checks import check_rows
from riskml.fatality.coding.form_rows import FormReader
from riskml.fatality.coding.raw_form import raw_form
from riskml.fatality.form import SHEETS

__all__ = ["Loaded", "read_form", "read_forms"]


@dataclass(frozen=True)
class Loaded:
    """What was read.

    Attributes
    ----------
    sheets : dict of sheet -> DataFrame     accepted rows in the form's columns and codes; dates as
        datetime64[us], everything else as text or None
    rejected : list of Row                  with their problems, in the order of the files
    forms : list of RawForm                 the files, those included that a workbook of rejected rows names
    notices : list of Problem               worth saying, nothing to correct
    filled : int                            rows that somebody filled in
    twice : int                             of those, rows that another file says alike
    waiting : int                           factor rows that nobody has coded yet; not among the filled
    """

    sheets: dict
    rejected: list
    forms: list = field(default_factory=list)
    notices: list = field(default_factory=list)
    filled: int = 0
    twice: int = 0
    waiting: int = 0

    @property
    def accepted(self):
        """How many rows were accepted, int."""
        return sum(len(frame) for frame in self.sheets.values())

    @property
    def problems(self):
        """Every mistake, row by row: list of Problem."""
        return [problem for row in self.rejected for problem in row.problems]


def read_form(path, vocabulary, *, today=None):
    """Read a filled form: Loaded. See `read_forms`."""
    return read_forms([path], vocabulary, today=today)


def read_forms(paths, vocabulary, *, today=None):
    """Read filled forms as one review.

    A workbook of rejected rows stands for those rows of the files that it came from. Those files are read as
    well; where they are not among the paths they are looked for beside it.

    Parameters
    ----------
    paths : list of path              .xlsx or .yml
    vocabulary : FactorVocabulary
    today : date or None              no event, contact or finding lies after it; None: the day it is

    Returns
    -------
    Loaded

    Raises
    ------
    RiskmlError    a file cannot be read at all, or the file behind a workbook of rejected rows is not there
        or was changed since
    """
    forms = _with_sources([raw_form(path) for path in paths])
    replaced = frozenset().union(*(form.replaced for form in forms))
    reader = FormReader(vocabulary, today or date.today())
    rows = [row for form in forms for row in reader.rows(form, replaced)]
    notices = [row.notice(name, column) for name, row, column in check_rows(rows)]
    accepted = {name: [] for name in SHEETS}
    for row in rows:
        if row.accepted:
            accepted[row.sheet.name].append(row.coded)
    return Loaded(
        sheets={name: _frame(name, coded) for name, coded in accepted.items()},
        rejected=[row for row in rows if row.problems],
        forms=forms,
        notices=reader.notices + notices,
        filled=len(rows),
        twice=sum(row.same_as is not None for row in rows),
        waiting=reader.waiting,
    )


def _frame(name, coded):
    sheet = SHEETS[name]
    frame = pd.DataFrame(coded, columns=list(sheet.names), dtype=object)
    for column in (f.name for f in sheet.fields if f.kind == "date"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
    return frame.where(frame.notna(), None) if not len(frame) else frame


def _with_sources(forms):
    """The forms, each once, after the files that workbooks of rejected rows among them came from."""
    known, ordered = {form.digest for form in forms}, []
    for form in forms:
        for name, digest in form.sources:
            if digest not in known:
                known.add(digest)
                ordered += _with_sources([_source(form, name, digest)])
    seen = set()
    return [form for form in (*ordered, *forms) if not (form.digest in seen or seen.add(form.digest))]


def _source(form, name, digest):
    beside = form.path.parent / name
    if not beside.is_file():
        raise RiskmlError(
            f"these are rows that were rejected of {name}, which is not here",
            where=form.path.name,
            mend=f"Load both together: riskml fatality load {name} {form.path.name}",
        )
    source = raw_form(beside)
    if source.digest != digest:
        raise RiskmlError(
            f"{name} was changed since these rows of it were rejected",
            where=form.path.name,
            mend=f"Correct in one of the two: load {name} alone again, or put it back as it was.",
        )
    return source
