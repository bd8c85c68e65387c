"""`riskml fatality`: the review of closed femicides and attempts, from the form to the report."""

import typer

from riskml.cli.fatality_analyse import analyse
from riskml.cli.fatality_coding import load, template
from riskml.cli.fatality_criteria import criteria
from riskml.cli.fatality_linking import candidates, staged
from riskml.cli.fatality_replay import nearest, replay
from riskml.cli.fatality_report import report

__all__ = ["fatality"]

fatality = typer.Typer(
    no_args_is_help=True,
    help="Fatality review: code closed cases, count what was known, compare with the living, propose "
    "critical patterns, replay them, report. Works with ten cases and with a thousand.",
)

fatality.command()(template)
fatality.command()(load)
fatality.command()(candidates)
fatality.command()(staged)
fatality.command()(analyse)
fatality.command()(replay)
fatality.command()(nearest)
fatality.add_typer(criteria, name="criteria")
fatality.command()(report)
