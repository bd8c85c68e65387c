"""A case's own values in words: what it is now, and what it was some days ago.

Three states are kept apart: a factor is present, denied, or not mentioned; what was never recorded is "not on
record", never "no".
"""

import math

from riskml.features.definitions import window_words
from riskml.features.formulas import says_whether
from riskml.messages import all_messages, message

__all__ = [
    "EARLIER_DAYS",
    "code_words",
    "day_words",
    "fact_words",
    "factor_label",
    "is_silent",
    "value_words",
]

EARLIER_DAYS = 90  # what a value is compared with
_FEW_DAYS, _MANY_DAYS = 60, 730
# What is a number of days: told in days, months or years.
_ELAPSED = (
    "days_since",
    "days_since_first",
    "days_since_second",
    "days_since_third",
    "days_to_expiry",
    "days_since_expiry",
)
_LARGE = 10  # from here on what a formula gives needs no decimals
_SINCE = {
    "es": "Días ",
    "en": "Days ",
}  # "Días desde el último incidente: 5" reads better without its first word


def _missing(value):
    return value is None or (isinstance(value, float) and math.isnan(value))


def day_words(days, language="es"):
    """A number of days in plain words: "menos de un día", "12 días", "unos 5 meses".

    Parameters
    ----------
    days : float    fractions are cut off; negative: as 0
    """
    if days < 1:
        return message("reasons.less_than_a_day", language)
    if days < _FEW_DAYS:
        return message("reasons.days", language, count=int(days))
    if days < _MANY_DAYS:
        return message("reasons.months", language, count=round(days / 30.44))
    return message("reasons.years", language, count=round(days / 365.25))


def code_words(code, language="es"):
    """The words of a code of the vocabulary; a code without words stays as it is."""
    key = f"reasons.code_{code}"
    return message(key, language) if key in all_messages() else str(code)


def _is_state(column):
    feature = column.feature
    return feature.table == "factors" and feature.column == "state" and feature.aggregate in ("latest", "max")


def is_silent(column, value):
    """Whether a value only says that nothing was recorded: not mentioned, never counted, not on record."""
    if _missing(value):
        return True
    if column.feature.is_formula:  # what it is made of may just not have been recorded
        return value == 0
    return column.feature.aggregate in ("count", "distinct", "any", "sum") and value == 0


def _is_of_case(column):
    return column.feature.table == "cases" and column.window is None


def _is_days(column):
    """Whether a column is a length of time in days."""
    feature = column.feature
    lag = feature.column == "recording_lag" and feature.aggregate != "distinct"
    return feature.aggregate in _ELAPSED or lag


def _number(value):
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def _of_formula(feature, value, language):
    """What a formula comes out as: yes, no as far as is known, or its number."""
    if says_whether(feature):
        return message("reasons.holds" if value else "reasons.holds_not", language)
    if abs(value) >= _LARGE:
        return f"{value:.0f}"
    return _number(value) if float(value).is_integer() else f"{value:.2f}"


def value_words(column, value, language="es"):
    """One value of a column in words.

    Parameters
    ----------
    column : FeatureColumn
    value : float, str or missing
    language : str

    Returns
    -------
    str
    """
    feature = column.feature
    if _is_state(column):
        if not _missing(value) and not isinstance(value, str):
            value = feature.reads.values[int(value)]  # max of an ordered code is its rank
        return message(f"reasons.state_{'unknown' if _missing(value) else value}", language)
    if _missing(value):
        return message("reasons.unknown", language)
    if feature.aggregate in ("any", "in_force"):
        return message("reasons.recorded_yes" if value else "reasons.recorded_no", language)
    if _is_days(column):
        return day_words(value, language)
    if feature.is_formula:
        return _of_formula(feature, value, language)
    if isinstance(value, str):
        return code_words(value, language)
    if feature.aggregate == "max" and feature.reads.ordered:
        return code_words(feature.reads.values[int(value)], language)
    return _number(value)


def _window_words(window, language):
    words = window_words(window, language)
    if words is None:
        return message("reasons.in_window_ever", language)
    return words if "-" in window else message("reasons.in_window", language, window=words)


def _lower_first(words):
    """The first letter small, unless the word is an acronym."""
    return words if words[1:2].isupper() or not words[1:2].isalpha() else words[0].lower() + words[1:]


def _now_words(column, value, language):
    feature, label = column.feature, column.feature.label[language]
    words = value_words(column, value, language)
    if feature.aggregate in ("count", "distinct") and value == 0:
        words = message("reasons.none_recorded", language)
    if feature.aggregate in _ELAPSED and label.startswith(_SINCE[language]):
        label = label.removeprefix(_SINCE[language])
        label = label[0].upper() + label[1:]
    if column.window is None:
        return message("reasons.stated", language, label=label, value=words)
    window = _window_words(column.window, language)
    plural = label.split()[0].endswith("s")
    if feature.aggregate in ("count", "distinct") and plural and not _missing(value) and value >= 2:
        return message("reasons.counted", language, count=words, label=_lower_first(label), window=window)
    return message("reasons.valued", language, label=label, window=window, value=words)


def fact_words(column, value, earlier=None, *, compare=False, language="es"):
    """A column's value in one sentence, with what it was EARLIER_DAYS ago.

    Parameters
    ----------
    column : FeatureColumn
    value : float, str or missing      at the assessment
    earlier : float, str or missing    EARLIER_DAYS before it
    compare : bool                     whether to say what it was: the case was in the registry then
    language : str

    Returns
    -------
    str    such as "3 incidentes en 90 días; hace 90 días: 1"
    """
    now = _now_words(column, value, language)
    # A person's data, a case's age and its relationship do not surprise by having been other then.
    if not compare or column.feature.table in ("aggressors", "victims") or _is_of_case(column):
        return now
    was, words = value_words(column, earlier, language), value_words(column, value, language)
    if was == words and (_missing(value) or column.feature.aggregate in _ELAPSED):
        return now
    if was == words:
        return message("reasons.unchanged", language, now=now, days=EARLIER_DAYS)
    return message("reasons.compared", language, now=now, days=EARLIER_DAYS, earlier=was)


def factor_label(catalogue, code, language="es"):
    """What a factor is called, str."""
    if code in catalogue.factors:
        return catalogue.factors[code].label[language]
    return catalogue.column(code).feature.label[language]
