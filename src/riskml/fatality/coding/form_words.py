"""The words of the form and the way back: from a title, heading or answer as somebody wrote it to its code.

Whatever language a form was written in, Spanish, English and the codes themselves are all understood; case,
accents and signs do not matter.
"""

from functools import cache

from riskml.fatality.form import SHEETS
from riskml.messages import LANGUAGES, all_messages, message
from riskml.registry.masking import plain_words

__all__ = [
    "choices",
    "factor_choices",
    "folded",
    "heading",
    "headings",
    "sheet_title",
    "sheet_titles",
    "value_words",
]


def folded(text):
    """A text without case, accents, signs and doubled blanks: str.

    >>> folded("  ¿Se sabía ANTES del hecho? *")
    'se sabia antes del hecho'
    """
    return " ".join(plain_words(str(text).replace("_", " ")))


def sheet_title(name, language):
    """The title of a sheet, str."""
    return message(f"fatality_form.sheet_{name}", language)


def heading(name, field, language):
    """The heading of a column, with a star where it must be filled in: str."""
    words = message(f"fatality_form.{name}_{field.name}", language)
    return f"{words} *" if field.required else words


def value_words(code, language):
    """The words of a code of the form, or the code itself where it is none: str."""
    return message(f"fatality_form.value_{code}", language) if _is_code(code) else str(code)


def _is_code(code):
    return f"fatality_form.value_{code}" in all_messages()


@cache
def sheet_titles():
    """Every way to write a sheet's title: dict of folded text -> name of the sheet."""
    return {
        folded(text): name
        for name in SHEETS
        for text in (name, *(sheet_title(name, language) for language in LANGUAGES))
    }


@cache
def headings(name):
    """Every way to write a heading of a sheet: dict of folded text -> name of the column."""
    return {
        folded(text): field.name
        for field in SHEETS[name].fields
        for text in (field.name, *(heading(name, field, language) for language in LANGUAGES))
    }


@cache
def choices(field):
    """Every way to write an answer to a column of codes: dict of folded text -> code."""
    return {
        folded(text): code
        for code in field.values
        for text in (code, *(value_words(code, language) for language in LANGUAGES))
    }


def factor_choices(vocabulary):
    """Every way to write a factor of the vocabulary: dict of folded text -> code."""
    return {
        folded(text): factor.code for factor in vocabulary for text in (*factor.label.values(), factor.code)
    }
