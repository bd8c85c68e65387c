"""`riskml fatality report`: the page of the review, for publication or for the team alone."""

from pathlib import Path
from typing import Annotated

import typer

from riskml.cli.options import LanguageOption, WorkspaceOption, say
from riskml.messages import check_language, message
from riskml.workspace import open_workspace

__all__ = ["report"]


def report(
    internal: Annotated[
        bool,
        typer.Option("--internal", help="With small counts and a timeline of each case: for the team alone."),
    ] = False,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Write the review's page below reports/out/fatality, from what analyse, criteria and replay left there.

    Without --internal the page may be published: counts under five are suppressed, dates are years, no single
    case is shown, and only cleared recommendations are quoted.

    Example: riskml fatality report

    Example: riskml fatality report --internal --language en
    """
    from riskml.progress import progress
    from riskml.reporting.fatality_places import commands_left
    from riskml.reporting.fatality_review import write_fatality_review

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    with progress(message("fatality_report.writing", language), total=1) as step:
        path = write_fatality_review(ws.settings, language=language, internal=internal)
        step()
    for command in commands_left(ws.settings):
        say("not_made", language, room="fatality_report", command=command)
    say("written_internal" if internal else "written_public", language, room="fatality_report", path=path)
