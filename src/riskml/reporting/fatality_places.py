"""Where a workspace keeps the documents and the pages of the fatality review."""

import json
from pathlib import Path

from riskml.errors import RiskmlError

__all__ = ["DOCUMENTS", "fatality_folder", "kept_documents", "review_page"]

# Each document by its name: its file, how its format begins, the command that makes it.
DOCUMENTS = {
    "findings": ("findings.json", "riskml fatality findings", "riskml fatality analyse"),
    "patterns": ("patterns.json", "riskml fatality patterns", "riskml fatality criteria propose"),
    "replay": ("replay.json", "riskml fatality replay", "riskml fatality replay"),
}


def fatality_folder(settings):
    """The folder of the review's documents and pages, `reports/out/fatality`: Path."""
    return Path(settings.reports) / "out" / "fatality"


def review_page(language, *, internal=False):
    """File name of the review's page, for publication or for the team alone: str."""
    return f"{'internal' if internal else 'review'}.{language}.html"


def kept_documents(settings):
    """The review's documents that have been made: dict of name -> dict, or None where there is none yet.

    Raises
    ------
    RiskmlError    a file that is not such a document
    """
    return {name: _kept(fatality_folder(settings) / file, *rest) for name, (file, *rest) in DOCUMENTS.items()}


def _kept(path, begins, command):
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not document["format"].startswith(begins):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RiskmlError(
            "not a document of the fatality review that riskml wrote",
            where=str(path),
            mend=f"`{command}` writes it anew.",
        ) from None
    return document
