"""Numbers as a report prints them: each estimate with its interval, or that it is not estimable."""

import math

from riskml.messages import message

__all__ = ["cell", "count", "interval_words", "number", "percent", "three", "whole_or_tenth"]


def _known(value):
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def number(value, digits=3):
    """A number with so many decimals; empty where there is none."""
    return f"{value:z.{digits}f}" if _known(value) else ""


def percent(value, digits=0):
    """A share as a percentage, its sign kept on the same line; empty where there is none."""
    return f"{100 * value:z.{digits}f}\N{NO-BREAK SPACE}%" if _known(value) else ""


def count(value):
    """A whole number with thousands set apart; empty where there is none."""
    return f"{value:,.0f}" if _known(value) else ""


def whole_or_tenth(value):
    """A count that ties may have split: whole where it is, else with one decimal."""
    if not _known(value):
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def three(found, name=None):
    """Estimate, low and high of a dict: of keys estimate, low, high, or of `name` and its bounds."""
    found = found or {}
    keys = ("estimate", "low", "high") if name is None else (name, f"{name}_low", f"{name}_high")
    return tuple(found.get(key) for key in keys)


def cell(values, language, *, shown=number, digits=3, why=None):
    """An estimate with its interval as a table's cell.

    Parameters
    ----------
    values : (estimate, low, high)    None where there is none
    language : str
    shown : callable `shown(value, digits)`
    digits : int
    why : dict of language -> str, or None    why it is not estimable

    Returns
    -------
    dict    value, interval, why
    """
    estimate, low, high = values
    if not _known(estimate):
        words = why[language] if why else ""
        return {
            "value": message("model_review.not_estimable", language),
            "interval": "",
            "why": words,
        }
    bounds = f"{shown(low, digits)} – {shown(high, digits)}" if _known(low) and _known(high) else ""
    return {"value": shown(estimate, digits), "interval": bounds, "why": ""}


def interval_words(values, language, *, shown=number, digits=2):
    """An estimate with its interval in one line: "0.71 (0.66 – 0.76)"."""
    found = cell(values, language, shown=shown, digits=digits)
    return f"{found['value']} ({found['interval']})" if found["interval"] else found["value"]
