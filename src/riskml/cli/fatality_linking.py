"""`riskml fatality candidates` and `riskml fatality staged`: between the review and the registry."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from riskml.cli.options import HistoryOption, LanguageOption, ReviewsOption, WorkspaceOption, console, say
from riskml.messages import check_language, message
from riskml.workspace import open_workspace

__all__ = ["candidates", "staged"]

_say = partial(say, room="fatality_coders")


def candidates(
    reviews: ReviewsOption = None,
    days: Annotated[int, typer.Option(min=0, max=365, help="Days to either side of the event.")] = 7,
    most: Annotated[int, typer.Option(min=1, max=50, help="Cases shown for each review.")] = 5,
    history: HistoryOption = None,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """List cases of the registry that a reviewed case without a link may be, with why. Nothing is linked.

    The team looks at them; what it recognises it writes into the form, as the registry id or as the
    pseudonym that is shown, and loads the form again.

    Example: riskml fatality candidates --days 14
    """
    from riskml.fatality.coding.candidates import candidates as candidates_of

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    coded = ws.reviews(reviews)
    unlinked = int(coded.cases["case_id"].isna().sum())
    if not unlinked:
        _say("all_linked", language, count=len(coded))
        return
    found = candidates_of(coded, ws.history(history), days=days, most=most, language=language)
    for review, rows in found.groupby("review_id"):
        table = Table(title=message("fatality_coders.candidates_title", language, review=review))
        for name in ("case", "why"):
            table.add_column(message(f"fatality_coders.candidates_{name}", language), overflow="fold")
        for row in rows.to_dict("records"):
            table.add_row(row["case_id"], row[language])
        console.print(table)
    _say("candidates_found", language, found=found["review_id"].nunique(), unlinked=unlinked)


def staged(language: LanguageOption = None, workspace: WorkspaceOption = Path(".")):
    """Say what outcomes wait for the registry's owner, and print the statements that accept them.

    riskml never writes the registry's `outcomes`: whoever owns the registry looks at the rows of
    riskml_outcomes_staging and runs the statements, the moment of acceptance in them, or does not.

    One that is wrong is refused with the statement above them, and is not proposed again.

    Example: riskml fatality staged
    """
    from riskml.registry.staged_outcomes import acceptance, is_waiting, refusal, staged_outcomes

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    rows = staged_outcomes(ws.connect())
    waiting = rows[is_waiting(rows)]
    decided = {name: int(rows[f"{name}_at"].notna().sum()) for name in ("accepted", "refused")}
    _say("staged_rows", language, waiting=len(waiting), **decided)
    if len(waiting):
        now = ws.settings.now()
        _say("staged_refuse", language)
        console.print(refusal(now, waiting["review_id"].iloc[0]), markup=False, highlight=False)
        _say("staged_next", language)
        console.print(acceptance(now), markup=False, highlight=False)
