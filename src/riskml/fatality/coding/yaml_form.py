"""The review form as a text: the same sheets and columns, read by the same checks."""

import os
import tempfile
import textwrap
from datetime import date
from pathlib import Path

import yaml

from riskml.fatality.coding.form_example import example_row
from riskml.fatality.coding.form_words import heading, sheet_title, value_words
from riskml.fatality.form import SHEETS
from riskml.messages import check_language, message

__all__ = ["write_form"]

_WIDTH = 100


def write_form(path, vocabulary, *, language="es"):
    """Write the form as YAML, with what every column asks for and an example row on each sheet.

    Parameters
    ----------
    path : path of the .yml; what stands there is replaced in one step
    vocabulary : FactorVocabulary
    language : "es" or "en"

    Returns
    -------
    Path
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_form_text(vocabulary, check_language(language)))
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
    return path


def _form_text(vocabulary, language):
    names = ("known", "states", "personal", "closed", "example_yaml", "dates", "load_yaml")
    lines = _comment(message("fatality_load.instructions_title", language))
    lines += _comment(message("fatality_load.instruction_purpose", language))
    for name in names:
        lines += ["#", *_comment("- " + message(f"fatality_load.instruction_{name}", language))]
    for name in SHEETS:
        lines += ["", *_comment(message(f"fatality_form.sheet_{name}_help", language))]
        lines.append(f"{_scalar(sheet_title(name, language))}:")
        lines += _example(name, vocabulary, language)
    return "\n".join([*lines, "", *_factor_list(vocabulary, language)]) + "\n"


def _example(name, vocabulary, language):
    """The example row, with what each column asks for above it."""
    row, lines, mark = example_row(name, vocabulary, language), [], "- "
    for field in SHEETS[name].fields:
        lines += _comment(message(f"fatality_form.{name}_{field.name}_help", language), "  ")
        if field.values:
            words = " | ".join(value_words(code, language) for code in field.values)
            lines += _comment(words, "    ")
        key = _scalar(heading(name, field, language).removesuffix(" *"))
        lines.append(f"{mark}{key}: {_said(field, row.get(field.name), vocabulary, language)}".rstrip())
        mark = "  "
    return lines


def _said(field, value, vocabulary, language):
    if value is None:
        return ""
    if field.kind == "code":
        value = value_words(value, language)
    elif field.kind in ("factor", "factors"):
        value = "; ".join(vocabulary[code].label[language] for code in value.split("; "))
    elif isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return _scalar(str(value))


def _scalar(text):
    """A text as YAML writes it on one line, in quotes where it needs them."""
    return yaml.safe_dump(text, allow_unicode=True, width=10_000).removesuffix("\n").removesuffix("\n...")


def _factor_list(vocabulary, language):
    """The factors to choose from, as a comment."""
    lines = _comment(message("fatality_load.factor_list", language))
    return lines + [f"#   {factor.code}: {factor.label[language]}" for factor in vocabulary]


def _comment(text, indent=""):
    return [f"{indent}# {line}" for line in textwrap.wrap(text, _WIDTH)]
