"""Another register's table as sheets of the review form: each row taken, or kept apart with its reasons."""

import csv
from pathlib import Path

import pandas as pd

from riskml.errors import RiskmlError
from riskml.fatality.coding.mapping_parts import AGE, plain_value, read_mapping
from riskml.fatality.form import SHEETS, UNKNOWN
from riskml.messages import message

__all__ = ["about_mapping", "mapped_narratives", "read_mapped"]

_CODER = "REG-01"  # who coded: the register, through its mapping
_YEARS = (0, 110)
_SHOWN = 40  # characters of a value that a reason quotes


class _RejectedRow(Exception):
    """Why a row cannot be taken; every reason of a row is collected before it is raised."""

    def __init__(self, reasons):
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def read_mapped(csv_path, mapping_path, vocabulary=None, *, language="es"):
    """Read another register's table through a mapping file.

    A source value that the mapping does not name rejects its row: it is never silently unknown. Capitals and
    outer spaces of values do not count. Narratives become nothing here (`mapped_narratives`).

    Parameters
    ----------
    csv_path : path of a CSV file in UTF-8 with a header
    mapping_path : path of a YAML file
    vocabulary : FactorVocabulary or None    that factors of the mapping are checked against
    language : str    of the reasons

    Returns
    -------
    sheets : dict of sheet -> DataFrame
        in the form's columns; beside them, cases have event_precision ("day", or "month" where the day is not
        known and the first of the month stands for it) and source_row (as `row` below)
    rejected : DataFrame    row (line of the table, the header being 1), why ("rejected", or "left_out" by a
        stated filter), reasons, and the row's own columns as they were

    Raises
    ------
    RiskmlError    the table or the mapping does not read; they do not fit each other
    """
    table, mapping = _read(csv_path, mapping_path, vocabulary)
    rows = {name: [] for name in SHEETS}
    rejected, taken, source_rows = [], set(), []
    for number, source in zip(_numbers(table), table.to_dict("records"), strict=True):
        reasons = _left_out(source, mapping, language)
        why = "left_out"
        if not reasons:
            why = "rejected"
            try:
                found = _row(source, number, mapping, taken, language)
            except _RejectedRow as problem:
                reasons = problem.reasons
        if reasons:
            rejected.append({"row": number, "why": why, "reasons": "; ".join(reasons)} | source)
            continue
        for name, of_sheet in found.items():
            rows[name] += of_sheet
        source_rows += [number] * len(found["cases"])
    sheets = {name: _sheet(name, of_sheet) for name, of_sheet in rows.items()}
    sheets["cases"]["event_precision"] = mapping.event_on.precision
    sheets["cases"]["source_row"] = source_rows
    return sheets, pd.DataFrame(rejected, columns=["row", "why", "reasons", *table.columns])


def about_mapping(mapping_path):
    """What a mapping says of its source, for the `about` of `Reviews`: dict.

    Returns
    -------
    dict    source (words by language), mapping (the file's name), event_on_precision ("day" or "month"),
        left_out (column -> why), only (list of words: the filters)
    """
    path = Path(mapping_path)
    mapping = read_mapping(path)
    return {
        "source": mapping.source,
        "mapping": path.name,
        "event_on_precision": mapping.event_on.precision,
        "left_out": dict(mapping.left_out),
        "only": [part.why for part in mapping.only],
    }


def mapped_narratives(csv_path, mapping_path, vocabulary=None):
    """The free texts of the rows that `read_mapped` takes: what suggestions are read from, never codes.

    Returns
    -------
    DataFrame    review_id, narrative (the mapping's columns, one after the other); no empty ones
    """
    table, mapping = _read(csv_path, mapping_path, vocabulary)
    found, taken = [], set()
    for number, source in zip(_numbers(table), table.to_dict("records"), strict=True):
        if _left_out(source, mapping, "es"):
            continue
        try:
            cases = _row(source, number, mapping, taken, "es")["cases"]
        except _RejectedRow:
            continue
        texts = [
            source[column].strip().rstrip(".") + "."
            for column in mapping.narratives
            if source[column].strip()
        ]
        if texts:
            found += [{"review_id": case["review_id"], "narrative": " ".join(texts)} for case in cases]
    return pd.DataFrame(found, columns=["review_id", "narrative"])


def _read(csv_path, mapping_path, vocabulary):
    """The table, all text, and its mapping."""
    path = Path(csv_path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
        twice = sorted({column for column in header if header.count(column) > 1})
        if twice:
            raise RiskmlError(f"columns stand twice: {', '.join(twice)}", where=path.name)
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except OSError as error:
        raise RiskmlError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError:
        raise RiskmlError("not UTF-8", where=str(path), mend="Save it as CSV in UTF-8.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise RiskmlError(f"is no CSV table: {error}", where=str(path)) from None
    return table.fillna(""), read_mapping(Path(mapping_path), header, vocabulary)


def _sheet(name, rows):
    """Rows of a sheet in the form's columns; what is not said stands for what an empty cell does."""
    frame = pd.DataFrame(rows, columns=list(SHEETS[name].names)).astype(object)
    missing = {field.name: field.missing for field in SHEETS[name].fields if field.missing is not None}
    return frame.where(frame.notna(), None).fillna(missing)


def _numbers(table):
    """The number of each row, the header being row 1."""
    return range(2, len(table) + 2)


def _left_out(source, mapping, language):
    """Why the mapping's filters leave a row out: list of str."""
    return [
        part.why[language]
        for part in mapping.only
        if plain_value(source[part.column]) not in {plain_value(value) for value in part.values}
    ]


def _row(source, number, mapping, taken, language):
    """Rows of the form from one of the table: dict of sheet -> list of dict.

    Raises
    ------
    _RejectedRow    with every reason
    """
    reasons = []

    def of(part, kind=None):
        value, reason = _value(source, part, kind, language)
        reasons.extend([reason] if reason else [])
        return value

    case = {name: of(part, SHEETS["cases"][name].kind) for name, part in mapping.cases.items()}
    case["event_on"], reason = _day(source, mapping.event_on, language)
    reasons += [reason] if reason else []
    people = [
        {"role": part.role}
        | {
            key: of(getattr(part, key), SHEETS["people"][key].kind)
            for key in ("age", "sex", "occupation")
            if getattr(part, key)
        }
        for part in mapping.people
    ]
    factors = [
        {"coder": _CODER, "factor": part.factor, "state": of(part, "code")}
        | {"known": part.known, "known_by": part.known_by}
        for part in mapping.factors
    ]
    times = _times(source, mapping, reasons, language)
    ids = _ids(source, number, mapping, times, taken, reasons, language)
    if reasons:
        raise _RejectedRow(reasons)
    taken.update(ids)
    return {
        "cases": [{"review_id": review} | case for review in ids],
        "people": [{"review_id": review} | person for review in ids for person in people],
        "factors": [{"review_id": review} | factor for review in ids for factor in factors],
    }


def _said(name, language, **fields):
    return message(f"fatality_mapping.{name}", language, **fields)


def _value(source, part, kind, language):
    """A cell in the form's words, and the reason why it has none: (value or None, str or None)."""
    if getattr(part, "constant", None) is not None:
        return part.constant, None
    cell = source[part.column]
    plain = plain_value(cell)
    for value, code in part.values.items():
        if plain_value(value) == plain:
            return code, None
    if plain in map(plain_value, part.unknown):
        return (UNKNOWN if kind == "code" else None), None
    if kind == "age":
        years = plain.removesuffix(".0")
        if AGE.fullmatch(years) and "-" not in years and _YEARS[0] <= int(years) <= _YEARS[1]:
            return years, None
    if kind in ("id", "category") and not part.values:
        return (cell.strip() or None), None
    return None, _said("not_mapped", language, column=part.column, value=cell.strip()[:_SHOWN])


def _day(source, part, language):
    """The day of the event, and the reason why there is none."""
    if part.column is not None:
        text = source[part.column].strip()
        day = pd.to_datetime(text, format=part.format, errors="coerce")
        column = part.column
    else:
        year, month = source[part.year].strip(), source[part.month].strip()
        if part.months is not None:
            names = [plain_value(name) for name in part.months]
            place = plain_value(month)
            month = str(names.index(place) + 1) if place in names else ""
        text = f"{source[part.month].strip()} {year}"
        day = pd.to_datetime(f"{year}-{month}-1", format="%Y-%m-%d", errors="coerce")
        column = f"{part.month}, {part.year}"
    if pd.isna(day):
        return None, _said("no_day", language, column=column, value=text[:_SHOWN])
    return day, None


def _times(source, mapping, reasons, language):
    """How many cases a row stands for."""
    if mapping.cases_per_row is None:
        return 1
    text = source[mapping.cases_per_row].strip()
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 100:
        return int(text)
    reasons.append(_said("no_count", language, column=mapping.cases_per_row, value=text[:_SHOWN]))
    return 1


def _ids(source, number, mapping, times, taken, reasons, language):
    """The review ids of a row's cases."""
    column = mapping.review_id.column
    own = source[column].strip() if column is not None else f"{number:05d}"
    if not own:
        reasons.append(_said("no_id", language, column=column))
    review = f"{mapping.review_id.prefix}{own}"
    ids = [review] + [f"{review}-{more}" for more in range(2, times + 1)]
    if taken.intersection(ids):
        reasons.append(_said("id_twice", language, value=review[:_SHOWN]))
    return ids
