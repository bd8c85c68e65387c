"""`riskml recalibrate`: a trained model's risks moved onto newer assessments, as a version of its own."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from riskml.cli.options import HistoryOption, SeedOption, WorkspaceOption, console, say
from riskml.cli.review import version_asked
from riskml.messages import message
from riskml.vocabulary import moment_of
from riskml.workspace import open_workspace

__all__ = ["recalibrate"]


def recalibrate(
    model: Annotated[
        str, typer.Argument(metavar="NAME[@VERSION]", help="A trained model; a version may be shortened.")
    ],
    since: Annotated[
        str | None,
        typer.Option(help="First assessment of the window. Default: that of the window that judged it."),
    ] = None,
    kind: Annotated[
        Literal["intercept", "intercept_slope"] | None,
        typer.Option(help="Move the level, or level and spread. Default: the least that is needed, if any."),
    ] = None,
    person: Annotated[
        str | None, typer.Option("--as", metavar="CODE", help="Your code, such as FGJ-01; never a name.")
    ] = None,
    history: HistoryOption = None,
    seed: SeedOption = 0,
    workspace: WorkspaceOption = Path("."),
):
    """Move a model's risks onto newer assessments: a version of its own, kept and logged, to be reviewed.

    Example: riskml recalibrate repeat
    """
    from riskml.review.statements import check_code
    from riskml.review.tracking import log_training
    from riskml.training.recalibrated import recalibrate_model

    if person is not None:
        check_code(person, where="--as")
    if since is not None:
        moment_of(since, "--since", "2026-01-05")
    ws = open_workspace(workspace)
    language = ws.settings.language
    before = ws.trained(*version_asked(model))
    after = recalibrate_model(
        before, ws.history(history), since=since, kind=kind, seed=seed, language=language
    )
    if after is None:
        say("recalibration_none", language, model=before.name, version=before.version)
        return
    folder = ws.keep(after)
    log_training(after, ws.settings, trainer=person)
    console.print(after.report["notes"][-1][language], markup=False, highlight=False)
    kept = message("cli.model_kept", language, name=after.name, version=after.version, folder=folder)
    console.print(kept, markup=False, highlight=False)
