"""The commands of `riskml`, each a thin layer over the public functions."""

from pathlib import Path
from typing import Annotated

import typer

from riskml.cli.fatality import fatality
from riskml.cli.features import features
from riskml.cli.narratives import narratives
from riskml.cli.options import (
    AsOfOption,
    HistoryOption,
    LanguageOption,
    SeedOption,
    WorkspaceOption,
    console,
    moment_of,
    say,
)
from riskml.cli.recalibrating import recalibrate
from riskml.cli.report import report
from riskml.cli.review import review, version_asked
from riskml.errors import RiskmlError
from riskml.messages import check_language, message
from riskml.workspace import init_workspace, open_workspace

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Risk prediction and fatality review for a registry of domestic-violence aggressors. "
    "A second opinion: analysts assign the level. --debug on any command shows where an error comes from.",
)
app.add_typer(features, name="features")
app.add_typer(fatality, name="fatality")
app.add_typer(narratives, name="narratives")
app.add_typer(review, name="review")
app.command()(report)
app.command()(recalibrate)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")]):
    """Make a workspace: catalogue, model files, reports, notebooks, settings and a new key.

    Example: riskml init padron
    """
    workspace = init_workspace(folder)
    language = workspace.settings.language
    say("workspace_made", language, folder=workspace.settings.folder)
    say("key_made", language, file=workspace.settings.key_file.name)
    say("workspace_next", language, folder=folder)


@app.command()
def demo(
    cases: Annotated[
        int, typer.Option(min=700, help="Simulated cases. Far fewer than 3,500 leave wide intervals.")
    ] = 3500,
    seed: SeedOption = 0,
    workspace: WorkspaceOption = Path("."),
    language: LanguageOption = None,
):
    """The whole path on a simulated registry, ending in reports/out/demo.html.

    Example: riskml demo --cases 3500
    """
    from riskml.cli.demo import run_demo

    run_demo(open_workspace(workspace), cases=cases, seed=seed, language=language, console=console)


@app.command()
def simulate(
    cases: Annotated[int, typer.Option(min=1, help="Cases to simulate.")] = 3500,
    seed: SeedOption = 0,
    start: Annotated[str, typer.Option(help="First day of the series.")] = "2023-01-02",
    end: Annotated[str, typer.Option(help="Last day of the series.")] = "2026-11-02",
    signal: Annotated[
        float, typer.Option(min=0.0, help="Scale of every effect; 0: nothing predicts anything.")
    ] = 1.0,
    recording: Annotated[str, typer.Option(help='"realistic" or "complete".')] = "realistic",
    truth: Annotated[
        Path | None, typer.Option(help="Folder for the truth, which never enters the registry.")
    ] = None,
    workspace: WorkspaceOption = Path("."),
):
    """Fill the workspace's registry with a synthetic one, marked so. A real registry is never replaced.

    Example: riskml simulate --cases 3500 --seed 1
    """
    from sqlalchemy import make_url

    from riskml.cli.showing import print_counts
    from riskml.simulation.writing import write_registry

    ws = open_workspace(workspace)
    written, _ = write_registry(
        ws.settings.registry_url,
        cases,
        seed=seed,
        start=start,
        end=end,
        signal=signal,
        recording=recording,
        truth_folder=truth,
        replace=True,
        language=ws.settings.language,
    )
    ws.ensure_key()
    language = ws.settings.language
    where = make_url(ws.settings.registry_url).database
    print_counts(console, message("cli.simulated", language, where=where), written, language)


@app.command()
def history(
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Keep rows that break the contract apart, with their reasons.")
    ] = False,
    workspace: WorkspaceOption = Path("."),
):
    """Copy the registry to Parquet: pseudonymous, without free text, named by its content hash.

    Example: riskml history
    """
    from riskml.cli.showing import print_counts

    ws = open_workspace(workspace)
    taken = ws.take_history(set_aside=set_aside)
    language = ws.settings.language
    title = message(
        "cli.history_taken", language, history=taken.hash[:12], date=f"{taken.observed_until:%Y-%m-%d}"
    )
    print_counts(console, title, taken.manifest["rows"], language)
    if said := taken.manifest.get("narratives"):
        rows = sum(sum(states.values()) for states in said["rows"].values())
        already = sum(said["coded_already"].values())
        say("history_narratives", language, count=said["read"], rows=rows, already=already)
    say("history_folder", language, folder=taken.folder)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="A model file's name under models/.")],
    history: HistoryOption = None,
    seed: SeedOption = 0,
    log: Annotated[bool, typer.Option(help="Log the run and register the version in MLflow.")] = True,
    person: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="CODE",
            help="Your code, such as FGJ-01: who trains a version does not approve it.",
        ),
    ] = None,
    workspace: WorkspaceOption = Path("."),
):
    """Train, calibrate and validate a model; keep it under bundles/ and log it in MLflow.

    Example: riskml train escalation --as FGJ-01
    """
    from riskml.cli.showing import print_training
    from riskml.workspace import train as train_plan

    ws = open_workspace(workspace)
    plan = ws.model(name)
    model = train_plan(plan, ws.history(history), seed=seed, log=log, trainer=person)
    print_training(console, model, ws.settings.bundles / model.name / model.version, ws.settings.language)


@app.command()
def score(
    as_of: AsOfOption,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[@VERSION]", help="A trained model; may be repeated. Default: all of them."
        ),
    ] = None,
    history: Annotated[
        str | None, typer.Option(help="Content hash of a history. Default: take one from the registry now.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Score and show, write nothing to the registry.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A folder for the risks alone, as Parquet, written part by part; nothing to the registry."
        ),
    ] = None,
    workspace: WorkspaceOption = Path("."),
):
    """Write the second opinions of all open cases, with their reasons, in one transaction.

    The same run again changes nothing. The registry's own tables are never touched. Of each model only the
    approved version in use writes (`riskml review`); --dry-run shows what the one trained last would say.

    Example: riskml score --as-of 2026-10-26

    Example: riskml score --as-of 2026-10-26 --out risks
    """
    from functools import partial

    from riskml.engines.building import builder
    from riskml.review.approval import require_approved
    from riskml.scoring.batch import score_batch
    from riskml.scoring.score import check_catalogues

    moment = moment_of(as_of)
    if dry_run and out is not None:
        raise RiskmlError(
            "a dry run writes no folder either", where="--out", mend="Leave out --dry-run or --out."
        )
    ws = open_workspace(workspace)
    models = _trained(ws, model) if dry_run else _to_write(ws, model)
    check_catalogues({m.name: m for m in models}, ws.catalogue)
    taken = ws.history(history) if history else ws.take_history()
    if out is not None:
        _write_scores(ws, models, taken, moment, out)
        return
    result = score_batch(
        ws.connect(),
        models,
        taken,
        moment,
        key=ws.key,
        permit=partial(require_approved, ws.settings),
        settings=ws.settings,
        dry_run=dry_run,
        build=builder(ws.settings.engine),
    )
    console.print(result.text(ws.settings.language), markup=False, highlight=False)


def _write_scores(ws, models, history, moment, out):
    from riskml.engines.scores import write_scores
    from riskml.progress import progress

    with progress(message("scoring.scoring", ws.settings.language)):
        written = write_scores(
            models, history, moment, out, engine=ws.settings.engine, catalogue=ws.catalogue
        )
    cases, names = f"{written.rows:,}", ", ".join(written.manifest["models"])
    say("risks_written", ws.settings.language, cases=cases, models=names, path=out)


def _to_write(ws, asked):
    """The versions asked for, and where none is, the approved one in use; refused unless all are approved."""
    from riskml.review.approval import champion_version, require_approved

    models = []
    for name, version in map(version_asked, _names(ws, asked)):
        known = name in ws.trained_names
        models.append(ws.trained(name, version or (champion_version(ws.settings, name) if known else None)))
    require_approved(ws.settings, models)
    return models


def _names(ws, asked):
    names = asked or ws.trained_names
    if not names:
        raise RiskmlError(
            "no model has been trained here",
            where=str(ws.settings.bundles),
            mend="`riskml train repeat` trains one.",
        )
    return names


def _trained(ws, asked):
    return [ws.trained(*version_asked(name)) for name in _names(ws, asked)]


@app.command()
def explain(
    case: Annotated[str, typer.Argument(help="A case: the registry's own id, or its pseudonym.")],
    as_of: AsOfOption,
    model: Annotated[list[str] | None, typer.Option(help="Name of a trained model; may be repeated.")] = None,
    history: HistoryOption = None,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Say in words why a case's risk is what it is, and what would change it.

    Example: riskml explain C0000123 --as-of 2026-10-26
    """
    from riskml.explain.case import explain as explain_case
    from riskml.scoring.score import score as score_models

    moment = moment_of(as_of)
    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    models = _trained(ws, model)
    taken = ws.history(history)
    opinion = score_models(models, taken, moment, levels=ws.levels, catalogue=ws.catalogue)
    known = case
    if known not in opinion.cases.index:
        ws.check_key(taken)
        known = ws.key.pseudonym("case_id", case)
    if known not in opinion.cases.index:
        raise RiskmlError(
            f'no case "{case}" is open on {moment:%Y-%m-%d}',
            where=f"history {taken.hash[:12]}",
            mend="Give the registry's own case_id or its pseudonym, and a day on which the case is open. "
            "What was recorded since is seen after `riskml history`.",
        )
    console.print(explain_case(opinion, known, language=language).text, markup=False, highlight=False)


@app.command()
def doctor(
    make_key: Annotated[bool, typer.Option("--make-key", help="Make a key where there is none.")] = False,
    workspace: WorkspaceOption = Path("."),
):
    """Look over the installation and the workspace, and say how to mend what is wrong; exit code 2 then.

    Example: riskml doctor
    """
    from riskml.cli.doctor import findings

    if make_key:
        open_workspace(workspace).ensure_key()
    seen = findings(workspace)
    for finding in seen:
        console.print(
            f"{'ok     ' if finding.good else 'to mend'}  {finding.name}: {finding.seen}",
            markup=False,
            highlight=False,
        )
        if finding.mend and not finding.good:
            console.print(f"         {finding.mend}", markup=False, highlight=False)
    if not all(finding.good for finding in seen):
        raise typer.Exit(2)
