"""Where a workspace keeps what is rendered for one version of a model."""

from pathlib import Path

__all__ = ["VALIDATION_FILE", "card_file", "report_folder", "review_file"]

VALIDATION_FILE = "validation.json"


def report_folder(settings, name, version):
    """The folder of one version's validation document and pages, `reports/out/<name>-<version>`: Path.

    Parameters
    ----------
    settings : Settings
    name, version : str    of the model; the whole version
    """
    return Path(settings.reports) / "out" / f"{name}-{version}"


def review_file(language):
    """File name of the model review report in a language: str."""
    return f"review.{language}.html"


def card_file(language):
    """File name of the model card in a language: str."""
    return f"card.{language}.html"
