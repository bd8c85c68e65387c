"""`riskml report`: the validation document of a version, its review report and its card."""

from pathlib import Path
from typing import Annotated

import typer

from riskml.cli.options import HistoryOption, LanguageOption, WorkspaceOption, console
from riskml.cli.review import version_asked
from riskml.messages import check_language, message
from riskml.workspace import open_workspace

__all__ = ["report"]

STEPS = 2


def _print(words, style=None):
    console.print(words, markup=False, highlight=False, style=style)


def _asked(ws, model, history, refits, seed):
    """What a kept document must have been made with to stand for the one asked for."""
    return {
        "model": {"name": model.name, "version": model.version},
        "history": history.hash,
        "refits": refits,
        "seed": seed,
        "levels": ws.levels.hash,
    }


def _validation(ws, model, history, *, refits, seed, again, language):
    """The validation document, and whether it was kept from before."""
    from riskml.reporting.files import kept_validation
    from riskml.training.validate import FORMAT, validate

    about = {"format": FORMAT, "model": {"name": model.name, "version": model.version}}
    if not hasattr(model, "calibrator"):  # a lethal model: its own report holds what there is to judge
        return about | {"history": history.hash}, False
    asked = _asked(ws, model, history, refits, seed)
    kept = None if again else kept_validation(ws.settings, model)
    if kept is not None and kept.get("asked") == asked:
        return kept, True
    found = validate(model, history, levels=ws.levels, refits=refits, seed=seed, language=language)
    return found | {"asked": asked}, False


def report(
    model: Annotated[
        str, typer.Argument(metavar="NAME[@VERSION]", help="A trained model; a version may be shortened.")
    ],
    history: HistoryOption = None,
    language: LanguageOption = None,
    refits: Annotated[
        int, typer.Option(min=20, help="Refits behind stability; fewer than 200 are a concern.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="Seed of every draw of the validation.")] = 0,
    again: Annotated[
        bool, typer.Option("--again", help="Validate anew, also where a document is kept.")
    ] = False,
    log: Annotated[bool, typer.Option(help="Attach it to the version's training run in MLflow.")] = True,
    workspace: WorkspaceOption = Path("."),
):
    """Validate a trained version and write its review report and card below reports/out.

    The validation is computed once; another language, or the same command again, reads it. Without --history
    the version is judged on the history that it was trained on.

    Example: riskml report escalation

    Example: riskml report escalation@1f3a --language en
    """
    from riskml.progress import progress
    from riskml.reporting.files import keep_validation, write_model_reports
    from riskml.reporting.validation_figures import validation_figures

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    trained = ws.trained(*version_asked(model))
    taken = ws.history(history or (trained.card.get("history") or {}).get("hash"))
    found, kept = _validation(ws, trained, taken, refits=refits, seed=seed, again=again, language=language)
    if kept:
        _print(message("report.kept", language))
    else:
        keep_validation(ws.settings, trained, found)
    with progress(message("report.writing", language), total=STEPS) as step:
        figures = validation_figures(trained.report, found, language)
        step()
        files = write_model_reports(trained, found, ws.settings, language=language, figures=figures)
        step()
    _summary(trained, found, files, language)
    if log and hasattr(trained, "calibrator"):
        from riskml.review.tracking import log_validation

        logged = log_validation(trained, found, ws.settings, files=files, figures=figures, language=language)
        _print(message("report.logged", language, run=logged["run_id"]))


def _summary(model, validation, files, language):
    """Where the files are, the pre-flight's verdicts, and what failed."""
    from riskml.reporting.model_review import preflight_shown
    from riskml.reporting.preflight import preflight

    shown = preflight_shown(preflight(model, validation), language)
    _print(message("report.title", language, name=model.name, version=model.version), style="bold")
    _print(message("report.preflight", language, counts=shown["counts"]))
    for domain in shown["domains"]:
        _print(f"  {domain['name']}: {domain['verdict_name']}")
    for row in shown["first"]:
        _print(f"- {row['verdict_name']}: {row['question']} {row['why']}")
    for path in files:
        _print(message("report.written", language, path=path))
