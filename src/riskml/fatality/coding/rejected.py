"""Rows that were rejected, in a workbook of the same layout: corrected there, they are loaded again."""

from functools import partial

import pandas as pd

from riskml.fatality.coding.form_columns import ADDED_COLUMNS, added_headings
from riskml.fatality.coding.form_files import place_beside
from riskml.fatality.coding.form_words import folded, heading, headings
from riskml.fatality.coding.raw_form import MANIFEST_FORMAT, MANIFEST_SHEET
from riskml.fatality.coding.workbook import FormBook, write_table
from riskml.fatality.form import SHEETS
from riskml.messages import message

__all__ = ["write_rejected", "write_rejected_table"]


def write_rejected(folder, loaded, vocabulary, *, language="es"):
    """Write what was rejected to `rejected.xlsx`, never over a file that somebody may have corrected.

    Every row stands as it was written, with its reasons, the cells that they speak of, and a mark on each
    faulty cell. The workbook remembers which rows of which files it holds: loaded with those files, its rows
    stand for theirs.

    Parameters
    ----------
    folder : path of the folder to write to
    loaded : Loaded
    vocabulary : FactorVocabulary
    language : "es" or "en"

    Returns
    -------
    Path or None    `rejected.xlsx`, or `rejected-2.xlsx` and so on; None where nothing was rejected
    """
    if not loaded.rejected:
        return None
    return place_beside(
        folder, "rejected", lambda path: _rejected_book(loaded, vocabulary, language).save(path)
    )


def _rejected_book(loaded, vocabulary, language):
    """The workbook of the rejected rows: FormBook."""
    added = [message(f"fatality_load.column_{name}", language) for name in ADDED_COLUMNS]
    book = FormBook(vocabulary, language, added)
    groups = {}
    for row in loaded.rejected:
        groups.setdefault(row.sheet.name or row.sheet.title, []).append(row)
    for title, rows in groups.items():
        name = rows[0].sheet.name
        sheets = {id(row.sheet): row.sheet for row in rows}
        meant_in = {key: (sheet, _meant(sheet)) for key, sheet in sheets.items()}
        columns = _columns(name, meant_in, language)
        shown = message(f"fatality_form.sheet_{name}", language) if name else title
        written = [_written(row, columns, meant_in[id(row.sheet)][1], language) for row in rows]
        book.add_written(name, shown, list(columns.values()), written)
    if loaded.notices:
        book.add_table(message("fatality_load.notices", language), _notices(loaded, language, added))
    book.add_hidden(MANIFEST_SHEET, _manifest(loaded))
    return book


def _columns(name, meant_in, language):
    """The columns of a sheet of rejected rows: dict of what stands in it -> heading.

    The form's own come first, in its order. One whose heading was misspelt stands under the heading as it
    was written, so that mending the heading mends it.
    """
    near = {column for sheet, _ in meant_in.values() for column in sheet.near.values()}
    near -= {column for _, meant in meant_in.values() for column in meant}
    own = SHEETS[name].fields if name else ()
    columns = {f.name: heading(name, f, language) for f in own if f.name not in near}
    for sheet, meant in meant_in.values():
        for position, column in enumerate(meant):
            if column is not None and column not in columns:
                columns[column] = sheet.headings[position]
    return columns


def _meant(sheet):
    """What stands in each column of a sheet, in order.

    The name of the form's column; or how it is headed, and how often that came before; None for what an
    earlier workbook of rejected rows added.
    """
    known = headings(sheet.name) if sheet.name else {}
    meant = []
    for written in sheet.headings:
        text = folded(written) if isinstance(written, str) else written
        column = known.get(text)
        if text in added_headings():
            meant.append(None)
        elif column and column not in meant:
            meant.append(column)
        else:
            meant.append((text, sum(isinstance(m, tuple) and m[0] == text for m in meant)))
    return meant


def _written(row, columns, meant, language):
    """A row under the columns: its values, the reasons at each, and what stands under the added headings."""
    at = {column: i for i, column in enumerate(columns)}
    values, reasons = [None] * len(columns), {}
    said = {}
    for problem in row.problems:
        if problem.name != "case_rejected":  # nothing on the row itself is to be mended
            said.setdefault(problem.column, []).append(problem.reason(language))
    for position, value in enumerate(row.values):
        if meant[position] is not None:
            values[at[meant[position]]] = value
    for position, column in enumerate(meant):
        written = str(row.sheet.headings[position] or "").removesuffix(" *")
        if column is not None and written and written in said:
            reasons[at[column]] = "\n".join(said[written])
    return values, reasons, _added(row, language)


def _added(row, language):
    """The reasons of a row, and the file, sheet and cells that they speak of."""
    reasons = "\n".join(dict.fromkeys(problem.reason(language) for problem in row.problems))
    cells = ", ".join(dict.fromkeys(problem.place for problem in row.problems))
    return reasons, f"{row.form.path.name}: {row.sheet.title}, {cells}"


def _notices(loaded, language, headings_):
    """What was worth saying, as a table: the reason and where."""
    rows = [
        (notice.reason(language), f"{notice.file}: {notice.sheet}, {notice.place}")
        for notice in loaded.notices
    ]
    return pd.DataFrame(rows, columns=headings_)


def _manifest(loaded):
    """Which rows of which files the workbook holds."""
    files = {row.form.digest: row.form.path.name for row in loaded.rejected}
    rows = [(MANIFEST_FORMAT, None, None, None)]
    rows += [("source", name, digest, None) for digest, name in files.items()]
    return rows + [("row", row.form.digest, row.sheet.title, row.number) for row in loaded.rejected]


def write_rejected_table(folder, rejected, *, language="es"):
    """Write what was rejected of another register's table, as it was, with the row and the reasons.

    Parameters
    ----------
    folder : path
    rejected : DataFrame    of `mapping.read_mapped`
    language : "es" or "en"

    Returns
    -------
    Path or None    None where nothing was rejected
    """
    wrong = rejected[rejected["why"] == "rejected"].drop(columns="why")
    if not len(wrong):
        return None
    named = {
        "row": message("fatality_load.mapped_row", language),
        "reasons": message("fatality_load.column_reason", language),
    }
    return place_beside(folder, "rejected", partial(write_table, frame=wrong.rename(columns=named)))
