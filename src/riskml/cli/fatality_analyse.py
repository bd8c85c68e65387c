"""`riskml fatality analyse`: what the reviewed cases say, and how they compare with the living."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from riskml.cli.options import (
    HistoryOption,
    LanguageOption,
    ReviewsOption,
    SeedOption,
    WorkspaceOption,
    console,
    say,
)
from riskml.errors import RiskmlError
from riskml.messages import check_language, message
from riskml.workspace import open_workspace

__all__ = ["analyse"]

_say = partial(say, room="fatality_findings")


def _history(ws, asked):
    """The history to compare with; None where none was asked for and there is none."""
    if asked is None and not (ws.settings.histories / "latest").is_file():
        return None
    return ws.history(asked)


def _check_keys(reviews, history):
    """Raise where reviews and history were pseudonymised with different keys: no case could be found."""
    keys = [about.get("key_fingerprint") for about in (reviews.about, history.manifest)]
    if all(keys) and keys[0] != keys[1]:
        raise RiskmlError(
            f"these reviews were linked with key {keys[0]}, the history was taken with key {keys[1]}",
            where=f"reviews {reviews.hash[:12]}, history {history.hash[:12]}",
            mend="Load the workbook again with the key of the history.",
        )


def _compared(ws, reviews, items, history, *, controls, seed, language):
    """The comparison with the living, where there is a linked case and a history; else None."""
    from riskml.fatality.comparison.comparison import compare

    if not len(reviews.linked):
        if history is not None:
            raise RiskmlError(
                "no reviewed case is linked to the registry, so there is nothing to compare",
                where=f"reviews {reviews.hash[:12]}, --history",
                mend="Give the registry's case_id in the form and load it again, or leave --history out.",
            )
        return None
    taken = _history(ws, history)
    if taken is None:
        return None
    _check_keys(reviews, taken)
    # The workspace's own published figures, where it has the file of the lethal model that names them.
    priors = ws.model("lethal").spec.priors if "lethal" in ws.model_names else None
    return compare(
        reviews,
        taken,
        ws.catalogue,
        items,
        controls=controls,
        priors=priors,
        seed=seed,
        language=language,
    )


def analyse(
    reviews: ReviewsOption = None,
    history: HistoryOption = None,
    controls: Annotated[int, typer.Option(min=1, max=50, help="Living controls for each reviewed case.")] = 5,
    seed: SeedOption = 0,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Count what the reviewed cases hold, compare them with the living, and keep it all as a document.

    Shares are n/N with exact intervals; unknown is never counted as absent, and the bounds say what it could
    hide. Cases that are linked to the registry are compared with living ones at risk on the same day; what
    the number of cases can show is printed before any result. Works without a registry, too.

    Example: riskml fatality analyse

    Example: riskml fatality analyse --reviews 1f3a --controls 10 --language en
    """
    from riskml.cli.fatality_tables import print_findings
    from riskml.fatality.findings.findings import findings
    from riskml.features.review_items import load_review_items
    from riskml.progress import progress
    from riskml.reporting.fatality_places import write_document

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    coded = ws.reviews(reviews)
    items = load_review_items(ws.settings.features / "factors.yml", ws.catalogue)
    comparison = _compared(ws, coded, items, history, controls=controls, seed=seed, language=language)
    with progress(message("fatality_findings.counting", language)):
        found = findings(coded, ws.catalogue.factors, items, comparison=comparison)
    path = write_document(ws.settings, "findings", found)
    print_findings(console, found, language)
    _say("written", language, path=path)
