"""What one cell says, or what is wrong with it."""

import re
from datetime import date, datetime
from difflib import get_close_matches

from riskml.fatality.coding.form_problems import Both
from riskml.fatality.coding.form_words import choices, folded, value_words
from riskml.fatality.coding.personal import masked_text
from riskml.fatality.coding.raw_form import ErrorValue, Formula

__all__ = ["CellReader", "Mistake", "near_words"]

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}")
_ID = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,39}")
_AGE = re.compile(r"(\d{1,3})(?:\s*(?:-|–|a|to)\s*(\d{1,3}))?(?:\s*(?:años|anos|years))?", re.IGNORECASE)
_EARLIEST = {"event_on": 1990, "deadline_on": 1990}
_EARLIEST_OTHER = 1930
_OLDEST = 110
_LONGEST_ID, _LONGEST_TEXT, _LONGEST_CATEGORY = 40, 4000, 60


class Mistake(ValueError):
    """What is wrong with a cell: a message of `fatality_load.wrong_<name>` and what it asks for."""

    def __init__(self, name, **fields):
        self.name, self.fields = name, fields
        super().__init__(name)


def near_words(written, known):
    """The nearest of the known words, as they are said: list of str.

    Parameters
    ----------
    written : str
    known : dict of folded text -> what is said
    """
    near = get_close_matches(folded(written), list(known), n=3, cutoff=0.6)
    return list(dict.fromkeys(known[text] for text in near))


class CellReader:
    """Reads the cells of one column.

    Parameters
    ----------
    field : Field
    factors : dict       folded text -> code of the vocabulary
    labels : dict        code -> {language: words} of the vocabulary
    today : date
    """

    def __init__(self, field, factors, labels, today):
        self.field, self.factors, self.labels, self.today = field, factors, labels, today
        self._read = {}

    def __call__(self, value):
        """The value as the form's frames hold it, and the kinds of personal data that were masked in it.

        Raises
        ------
        Mistake
        """
        key = (type(value), value)
        if key not in self._read:
            try:
                self._read[key] = self._judged(value)
            except Mistake as mistake:
                self._read[key] = mistake
        found = self._read[key]
        if isinstance(found, Mistake):
            raise found
        return found

    def _judged(self, value):
        if isinstance(value, Formula):
            raise Mistake("formula")
        if isinstance(value, ErrorValue):
            raise Mistake("error_value")
        if value is None:
            if self.field.required:
                raise Mistake("missing")
            return self.field.missing, ()
        read = getattr(self, f"_{self.field.kind}")
        return read(value)

    # ------------------------------------------------------------------ words

    def _text(self, value):
        text = _as_text(value)
        if len(text) > _LONGEST_TEXT:
            raise Mistake("too_long", most=_LONGEST_TEXT)
        return masked_text(text)

    def _category(self, value):
        text = _as_text(value)
        if len(text) > _LONGEST_CATEGORY:
            raise Mistake("too_long", most=_LONGEST_CATEGORY)
        # Two capitalised words are what many a municipality is called.
        place = self.field.name == "municipality"
        kinds = [kind for kind in masked_text(text)[1] if not (place and kind == "name")]
        if kinds or re.search(r"\d{4,}", text):
            raise Mistake("personal_data")
        return text, ()

    def _id(self, value):
        text = _as_text(value)
        if self.field.name == "case_id":
            if len(text) > 2 * _LONGEST_ID or re.search(r"[\s@]", text) or _curp(text):
                raise Mistake("registry_id")
            return text, ()
        text = text.upper()
        if not _ID.fullmatch(text) or not re.search(r"\d", text) or re.search(r"\d{7,}", text) or _curp(text):
            raise Mistake("review_id")
        return text, ()

    def _person(self, value):
        text = _as_text(value).upper()
        if (
            len(text) > 20
            or not _ID.fullmatch(text)
            or not re.search(r"\d", text)
            or re.search(r"\d{7,}", text)
        ):
            raise Mistake("coder")
        return text, ()

    # ------------------------------------------------------------------ codes

    def _code(self, value):
        if isinstance(value, bool):
            value = "yes" if value else "no"
        known = choices(self.field)
        code = known.get(folded(_as_text(value)))
        if code is None:
            raise _not_listed(_as_text(value), {text: _said(code) for text, code in known.items()})
        return code, ()

    def _factor(self, value):
        return self._one_factor(_as_text(value)), ()

    def _factors(self, value):
        entries = [entry for entry in re.split(r"[;\n]", _as_text(value)) if entry.strip()]
        return "; ".join(dict.fromkeys(self._one_factor(entry) for entry in entries)), ()

    def _one_factor(self, written):
        code = self.factors.get(folded(written))
        if code is None:
            said = {text: self.labels[code] for text, code in self.factors.items()}
            name = "factor" if self.field.kind == "factor" else "factors"
            raise _not_listed(written, {t: Both(w) for t, w in said.items()}, name)
        return code

    # ------------------------------------------------------------------ dates and numbers

    def _date(self, value):
        found = _day(value)
        earliest = _EARLIEST.get(self.field.name, _EARLIEST_OTHER)
        if found.year < earliest:
            raise Mistake("too_early", year=earliest)
        if found > self.today and self.field.name != "deadline_on":
            raise Mistake("future")
        if found.year > self.today.year + 30:
            raise Mistake("too_late")
        return found, ()

    def _age(self, value):
        if isinstance(value, date):
            raise Mistake("age_as_date")
        match = _AGE.fullmatch(_as_text(value))
        if not match:
            raise Mistake("age")
        low, high = int(match[1]), int(match[2] or match[1])
        if max(low, high) > _OLDEST:
            raise Mistake("age_range", oldest=_OLDEST)
        if low > high:
            raise Mistake("age_order")
        return (str(low) if low == high else f"{low}-{high}"), ()


def _said(code):
    return Both({language: value_words(code, language) for language in ("es", "en")})


def _not_listed(written, known, name="value"):
    near = near_words(written, known)
    if near:
        return Mistake(f"{name}_near", near=tuple(near))
    return Mistake(f"{name}_unknown")


def _as_text(value):
    """A value as text: a whole number without its decimals, blanks as one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else str(value)


def _curp(text):
    return bool(re.fullmatch(r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3,8}", text, re.IGNORECASE))


def _day(value):
    """The day that somebody meant: date.

    Raises
    ------
    Mistake    no day, or one that two people would read differently
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise Mistake("date_number")
    if _SHORT_YEAR.fullmatch(value):
        raise Mistake("date_short_year")
    iso, day_first = _ISO.fullmatch(value), _DAY_FIRST.fullmatch(value)
    if not iso and not day_first:
        raise Mistake("date")
    year, month, day = (int(part) for part in (iso.groups() if iso else day_first.groups()[::-1]))
    try:
        return date(year, month, day)
    except ValueError:
        if day_first and month > 12 >= day:
            raise Mistake("date_month_first") from None
        raise Mistake("date_impossible") from None
