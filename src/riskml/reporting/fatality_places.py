"""Where a workspace keeps the documents and the pages of the fatality review."""

import json
from pathlib import Path

from riskml.errors import RiskmlError
from riskml.reporting.render import write_report

__all__ = ["DOCUMENTS", "commands_left", "fatality_folder", "kept_documents", "review_page", "write_document"]

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


def write_document(settings, name, document, *, indent=1):
    """Keep a document of the review, readable by its owner only: single cases stand in it. Returns its path.

    Parameters
    ----------
    settings : Settings
    name : str           findings, patterns or replay
    document : dict      plain JSON
    indent : int or None    of each level; None: all on one line
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent) + "\n"
    return write_report(fatality_folder(settings) / DOCUMENTS[name][0], text, private=True)


def kept_documents(settings):
    """The review's documents that have been made: dict of name -> dict, or None where there is none yet.

    Raises
    ------
    RiskmlError    a file that is not such a document
    """
    return {name: _kept(fatality_folder(settings) / file, *rest) for name, (file, *rest) in DOCUMENTS.items()}


def commands_left(settings):
    """The commands whose document has not been made yet: list of str."""
    folder = fatality_folder(settings)
    return [command for file, _, command in DOCUMENTS.values() if not (folder / file).is_file()]


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
