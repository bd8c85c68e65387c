"""A lethal model's part of a case in words: times the registry's average, and the factors that make it up."""

import numpy as np

from riskml.messages import message
from riskml.models.relative_risk import outside_scope

__all__ = ["relative_section", "relative_sections"]

_STATES = ("present", "denied", "unknown")


def relative_sections(relatives, matrix, language="es"):
    """The sections of every lethal model: list of (heading, lines), as `CaseExplanation` holds them.

    Parameters
    ----------
    relatives : dict of name -> LethalBundle
    matrix : DataFrame, one row    the case's features
    language : str
    """
    return [relative_section(model, matrix, language) for model in relatives.values()]


def relative_section(model, matrix, language="es"):
    """What a lethal model says of one case: (heading, lines); a line may be a list of lines below it.

    Parameters
    ----------
    model : LethalBundle
    matrix : DataFrame, one row
    language : str

    Notes
    -----
    Never a probability: what stands there is a multiple of the average, its interval, and which of the
    model's factors are present, denied, or were mentioned by nobody, the weightiest first.
    """
    row = model.score(matrix).iloc[0]
    heading = message(
        "lethal.case_heading", language, label=model.card["label"][language], version=model.version
    )
    first = model.relative.words(row, language)
    lines = [f"{first[0].upper()}{first[1:]}."]
    if outside_scope(row):
        return heading, lines
    pattern = model.pattern(matrix).iloc[0]
    weightiest = np.argsort(-np.abs(model.relative.coefficients), kind="stable")
    for state in _STATES:
        names = [pattern.index[place] for place in weightiest if pattern.iloc[place] == state]
        if names:
            said = [_factor(model, name, language) for name in names]
            lines.append((message(f"lethal.case_{state}", language, count=len(names)), said))
    lines.append(message("lethal.case_limit", language))
    return heading, lines


def _factor(model, name, language):
    """A factor's label; of one that goes with less risk, so said."""
    label = model.labels[name][language]
    place = list(model.relative.definitions).index(name)
    lowers = model.relative.coefficients[place] < 0
    return message("lethal.case_lowers", language, label=label) if lowers else label
