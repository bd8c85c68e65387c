"""What stands in a file of the form, before anybody judges it: sheets, headings, rows, places."""

import hashlib
import re
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries

from riskml.errors import RiskmlError
from riskml.fatality.coding.form_words import folded, headings, sheet_titles

__all__ = ["ErrorValue", "Formula", "RawForm", "RawSheet", "raw_file", "raw_form", "titles"]

MANIFEST_SHEET = "riskml"  # of a workbook of rejected rows: where each came from
MANIFEST_FORMAT = "riskml rejected rows 1"
_LARGEST, _LARGEST_UNPACKED = 200_000_000, 2_000_000_000  # bytes
_HEADING_WITHIN = 10  # rows from the top
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # how .xls and password-protected workbooks begin
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')


@dataclass(frozen=True)
class Formula:
    """A cell that holds a formula: what it would come to is not known."""

    text: str


@dataclass(frozen=True)
class ErrorValue:
    """A cell that shows an error of the spreadsheet, such as #N/A."""

    text: str


@dataclass
class RawSheet:
    """A sheet as somebody filled it in.

    Attributes
    ----------
    title : str
    name : str or None           of SHEETS; None: no sheet of the form is called so
    headings : list              as written, one for each column; None where there is none
    heading_row : int            its row or line
    rows : list of (int, tuple)  row or line, and the values under the headings; none is empty
    merged : list of tuple       (first column, first row, last column, last row), counted from 1
    lines : dict or None         of a YAML form: (line of the row, position of the column) -> line
    near : dict                  position -> column that its heading was probably meant for
    """

    title: str
    name: str | None
    headings: list
    heading_row: int
    rows: list
    merged: list = field(default_factory=list)
    lines: dict | None = None
    near: dict = field(default_factory=dict)

    def __post_init__(self):
        widest = max((len(values) for _, values in self.rows), default=0)
        self.headings += [None] * (widest - len(self.headings))

    def place(self, number, position=None):
        """Where a value stands: "D12", "A12" for a whole row, or the line of a YAML form: str."""
        if self.lines is not None:
            return str(self.lines.get((number, position), number))
        return f"{get_column_letter((position or 0) + 1)}{number}"


@dataclass
class RawForm:
    """A file of the form.

    Attributes
    ----------
    path : Path
    digest : str             SHA-256 of its bytes
    sheets : list of RawSheet
    sources : tuple          of a workbook of rejected rows: (name, digest) of the files that they come from
    replaced : frozenset     (digest, title, row) of the rows that stand here instead
    """

    path: Path
    digest: str
    sheets: list
    sources: tuple = ()
    replaced: frozenset = frozenset()

    @property
    def origin(self):
        """Digest of the one file whose rows stand here corrected, else its own: str."""
        return self.sources[0][1] if len(self.sources) == 1 else self.digest

    @property
    def in_lines(self):
        """Whether places are lines of a text and not cells."""
        return self.path.suffix.lower() in (".yml", ".yaml")


def raw_form(path):
    """Read a file of the form: RawForm.

    Parameters
    ----------
    path : path of an .xlsx workbook or of a .yml form

    Raises
    ------
    RiskmlError    it cannot be read at all, or no sheet of the form is in it
    """
    form = raw_file(path)
    if not any(sheet.name for sheet in form.sheets):
        raise _unreadable(
            form.path,
            "no sheet of the review form is in this file",
            "`riskml fatality template` writes the form; keep the titles of its sheets.",
        )
    return form


def raw_file(path):
    """Read a file of whatever sheets, the form's or others: RawForm.

    Raises
    ------
    RiskmlError    it cannot be read at all
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise _unreadable(
                path, "the file is too large for a form", "Divide the cases into several files."
            )
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(
            path, f"cannot be read: {error.strerror}", "Give the path of a filled form."
        ) from None
    form = RawForm(path, hashlib.sha256(content).hexdigest(), [])
    if form.in_lines:
        form.sheets = _yaml_sheets(path, content)
    else:
        _read_workbook(form, content)
    return form


def titles(path):
    """The titles of a workbook's sheets, without reading what stands on them: list of str.

    Empty where the file is no workbook that reads: `raw_form` says why.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(path, read_only=True)
    except Exception:  # openpyxl lets through whatever a damaged part makes it stumble over
        return []
    try:
        return book.sheetnames
    finally:
        book.close()


def _unreadable(path, what, mend):
    return RiskmlError(what, where=path.name, mend=mend)


def _read_workbook(form, content):
    path = form.path
    if not content:
        raise _unreadable(path, "the file is empty", "Save the workbook again, as .xlsx.")
    if content.startswith(_OLD_OFFICE):
        raise _unreadable(
            path,
            "the workbook is protected by a password, or of the old .xls kind",
            "Save it as .xlsx without a password.",
        )
    not_xlsx = _unreadable(
        path, "this is not an .xlsx workbook", "Save it as .xlsx (or write the form as .yml)."
    )
    try:
        with zipfile.ZipFile(path) as archive, warnings.catch_warnings():
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST_UNPACKED:
                raise _unreadable(path, "the workbook is too large", "Divide the cases into several files.")
            warnings.simplefilter("ignore")  # of parts that openpyxl leaves out: pictures, themes
            book = load_workbook(path, read_only=True)
            try:
                for sheet in book.worksheets:
                    if sheet.title == MANIFEST_SHEET:
                        form.sources, form.replaced = _manifest(sheet)
                    else:
                        form.sheets += _worksheet(sheet, archive)
            finally:
                book.close()
    except RiskmlError:
        raise
    except Exception:  # openpyxl lets through whatever a damaged part makes it stumble over
        raise not_xlsx from None


def _manifest(sheet):
    rows = list(sheet.iter_rows(values_only=True))
    if not rows or rows[0][0] != MANIFEST_FORMAT:
        return (), frozenset()
    sources = tuple((row[1], row[2]) for row in rows if row[0] == "source")
    return sources, frozenset((row[1], row[2], int(row[3])) for row in rows if row[0] == "row")


def _worksheet(sheet, archive):
    """The sheet as a RawSheet, in a list; empty where it is the instructions or holds nothing."""
    name = sheet_titles().get(folded(sheet.title))
    sheet.reset_dimensions()  # what some programs write there is wrong
    rows = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        values = tuple(_value(cell) for cell in cells)
        if any(value is not None for value in values):
            rows.append((number, values))
    if folded(sheet.title) in _OWN_SHEETS or (name is None and not rows):
        return []
    heading_row, written = _headings(name, rows)
    below = [(number, values) for number, values in rows if number > heading_row]
    written = [None if value is None else str(getattr(value, "text", value)) for value in written]
    return [RawSheet(sheet.title, name, written, heading_row, below, _merged(sheet, archive))]


# Sheets that the form brings along and nobody fills in.
_OWN_SHEETS = frozenset(
    ("instrucciones", "instructions", "listas", "lists", "sugerencias", "suggestions", "avisos", "notices")
)


def _value(cell):
    """What a cell holds; blanks around a text are nobody's intention."""
    value = cell.value
    if isinstance(value, str):
        kind = cell.data_type
        if kind == "f":
            return Formula(value)
        if kind == "e":
            return ErrorValue(value)
        return value.replace("\xa0", " ").strip() or None
    if value is not None and cell.data_type == "f":  # an array formula is no text
        return Formula("=")
    return value


def _headings(name, rows):
    """The row of the headings, and what it holds: the first with two known ones, else the first of all."""
    known = headings(name) if name else {}
    for number, values in rows:
        if number > _HEADING_WITHIN:
            break
        if sum(folded(value) in known for value in values if isinstance(value, str)) >= 2:
            return number, values
    return rows[0] if rows else (1, ())


def _merged(sheet, archive):
    """Merged ranges, which stand behind the rows in the sheet's own part."""
    part = archive.read(sheet._worksheet_path.lstrip("/"))
    tail = part[part.rfind(b"sheetData>") :]
    return [range_boundaries(found.decode()) for found in _MERGED.findall(tail)]


def _yaml_sheets(path, content):
    try:
        root = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise _unreadable(path, "the file is not UTF-8 text", "Save it as UTF-8.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise RiskmlError(
            f"not valid YAML: {getattr(error, 'problem', None) or 'it does not read'}",
            where=f"{path.name}, line {mark.line + 1}" if mark else path.name,
            mend="Write texts that hold : or # in quotes.",
        ) from None
    if root is None:
        raise _unreadable(path, "the file is empty", "`riskml fatality template` writes the form.")
    if not isinstance(root, yaml.MappingNode):
        raise _unreadable(path, "the form is not a list of sheets with rows", "Begin from the template.")
    return [_yaml_sheet(path, key, node) for key, node in root.value]


def _yaml_sheet(path, key, node):
    """One sheet of a YAML form; every value stays the text that was written: no 0012 becomes a number."""
    title = str(key.value)
    name = sheet_titles().get(folded(title))
    empty = isinstance(node, yaml.ScalarNode) and _scalar(path, node) is None
    rows = [] if empty else node.value
    if not empty and not isinstance(node, yaml.SequenceNode):
        raise _misplaced(path, node)
    written, found, lines, seen = [], [], {}, set()
    for row in rows:
        if not isinstance(row, yaml.MappingNode) or id(row) in seen:
            raise _misplaced(path, row)
        seen.add(id(row))
        line = row.start_mark.line + 1
        values = {}
        for column, value in row.value:
            heading = str(column.value)
            position = _position(written, heading, values)
            lines[(line, position)] = column.start_mark.line + 1
            values[position] = _scalar(path, value)
        if any(value is not None for value in values.values()):
            found.append((line, values))
    tuples = [(line, tuple(values.get(i) for i in range(len(written)))) for line, values in found]
    return RawSheet(title, name, written, key.start_mark.line + 1, tuples, lines=lines)


def _position(written, heading, values):
    """The position of a heading; a column that stands twice in one row gets a second position."""
    for i, known in enumerate(written):
        if known == heading and i not in values:
            return i
    written.append(heading)
    return len(written) - 1


def _scalar(path, node):
    if isinstance(node, yaml.SequenceNode) and all(isinstance(n, yaml.ScalarNode) for n in node.value):
        return "; ".join(n.value for n in node.value) or None
    if not isinstance(node, yaml.ScalarNode):
        raise _misplaced(path, node)
    if node.tag == "tag:yaml.org,2002:null":
        return None
    return " ".join(node.value.split()) or None


def _misplaced(path, node):
    return RiskmlError(
        "a sheet is a list of rows, and a row is a list of `column: value`",
        where=f"{path.name}, line {node.start_mark.line + 1}",
        mend="Begin each row with a dash, as in the template; write everything out, without & and *.",
    )
