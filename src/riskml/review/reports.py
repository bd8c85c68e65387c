"""The model review report that a review attaches: where it is kept, and whether it is of this version."""

import json

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES
from riskml.reporting.places import VALIDATION_FILE, card_file, report_folder, review_file

__all__ = ["kept_report"]


def kept_report(settings, model):
    """The files that `riskml report` made of a version: its validation, its review reports, its cards.

    Parameters
    ----------
    settings : Settings
    model : Model

    Returns
    -------
    list of Path

    Raises
    ------
    RiskmlError    there is none, it is not whole, or it is of another version
    """
    folder = report_folder(settings, model.name, model.version)
    make = f"`riskml report {model.name}@{model.version}` makes it; --report FILE attaches another one."
    names = [VALIDATION_FILE, *map(review_file, LANGUAGES), *map(card_file, LANGUAGES)]
    present = [folder / name for name in names if (folder / name).is_file()]
    pages = [path for path in present if path.name in map(review_file, LANGUAGES)]
    if not pages or not (folder / VALIDATION_FILE).is_file():
        raise RiskmlError(
            f"version {model.version} has no model review report yet: reviewers would have nothing to read",
            where=str(folder),
            mend=make,
        )
    try:
        about = json.loads((folder / VALIDATION_FILE).read_text(encoding="utf-8"))["model"]
        same = (about["name"], about["version"]) == (model.name, model.version)
    except (ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise RiskmlError(
            f"this validation is not of {model.name}@{model.version}",
            where=str(folder / VALIDATION_FILE),
            mend=make,
        )
    return present
