"""A version's validation document and pages on disk, each written in one step."""

import json

from riskml.errors import RiskmlError
from riskml.reporting.model_card import model_card
from riskml.reporting.model_review import model_review
from riskml.reporting.places import VALIDATION_FILE, card_file, report_folder, review_file
from riskml.reporting.render import write_report

__all__ = ["keep_validation", "kept_validation", "write_model_reports"]


def kept_validation(settings, model):
    """The validation document that was kept for a version: dict, or None where there is none.

    Raises
    ------
    RiskmlError    the file is not a validation document
    """
    path = report_folder(settings, model.name, model.version) / VALIDATION_FILE
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document["model"], dict):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError):
        raise RiskmlError(
            "not a validation document that riskml wrote",
            where=str(path),
            mend=f"`riskml report {model.name}@{model.version} --again` writes it anew.",
        ) from None
    return document


def keep_validation(settings, model, validation):
    """Keep a version's validation document, which took minutes, before anything is drawn: Path."""
    text = json.dumps(validation, ensure_ascii=False, allow_nan=False) + "\n"
    return write_report(report_folder(settings, model.name, model.version) / VALIDATION_FILE, text)


def write_model_reports(model, validation, settings, *, language="es", figures=None):
    """Write a version's validation document, review report and card.

    Parameters
    ----------
    model : Model or LethalBundle
    validation : dict    of `riskml.training.validate`
    settings : Settings
    language : "es" or "en"
    figures : dict of name -> Figure, or None    of `validation_figures`, where they have been drawn already

    Returns
    -------
    list of Path    validation.json, the review report, the card

    Raises
    ------
    RiskmlError    a template that is missing or broken; no page was written then
    """
    folder, templates = report_folder(settings, model.name, model.version), settings.reports
    pages = {
        review_file(language): model_review(model, validation, templates, language=language, figures=figures),
        card_file(language): model_card(model, validation, templates, language=language),
    }
    document = keep_validation(settings, model, validation)
    return [document, *(write_report(folder / name, content) for name, content in pages.items())]
