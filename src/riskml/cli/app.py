"""The commands of `riskml`, each a thin layer over the public functions."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from riskml.errors import RiskmlError
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
features = typer.Typer(no_args_is_help=True, help="The feature catalogue: what the models see.")
app.add_typer(features, name="features")

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace's folder.", show_default="this folder")
]
HistoryOption = Annotated[
    str | None, typer.Option("--history", help="Content hash, or its beginning. Default: the latest history.")
]
SeedOption = Annotated[int, typer.Option(help="Seed of every random choice.")]
LanguageOption = Annotated[str | None, typer.Option(help='"es" or "en". Default: as riskml.toml says.')]

console = Console(soft_wrap=True)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")]):
    """Make a workspace: catalogue, model files, reports, notebooks, settings and a new key.

    Example: riskml init padron
    """
    workspace = init_workspace(folder)
    console.print(f"Workspace made in {workspace.settings.folder}.")
    console.print("Next: cd there, set the registry's URL in riskml.toml, then `riskml doctor`.")


@app.command()
def demo(
    cases: Annotated[int, typer.Option(min=200, help="Simulated cases.")] = 3500,
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
    _show_counts("Synthetic registry", "rows", written)


def _show_counts(title, column, counts):
    table = Table(title=title, title_justify="left")
    table.add_column("table")
    table.add_column(column, justify="right")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    console.print(table)


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
    ws = open_workspace(workspace)
    taken = ws.take_history(set_aside=set_aside)
    _show_counts(
        f"History {taken.hash[:12]}, observed until {taken.observed_until:%Y-%m-%d}",
        "rows",
        {name: table.num_rows for name, table in taken.tables.items()},
    )
    console.print(f"In {taken.folder}")


@features.command("list")
def features_list(
    workspace: WorkspaceOption = Path("."),
    language: LanguageOption = None,
):
    """List the columns that the catalogue defines.

    Example: riskml features list --language en
    """
    ws = open_workspace(workspace)
    language = language or ws.settings.language
    table = Table(title=f"{len(ws.catalogue.columns)} columns", title_justify="left")
    for heading in ("column", "label", "dimension", "direction", "exposure"):
        table.add_column(heading, overflow="fold")
    for column in ws.catalogue.columns:
        table.add_row(
            column.name,
            column.label(language),
            column.dimension,
            column.direction or "",
            "exposure" if column.exposure else "",
        )
    console.print(table)


@features.command("build")
def features_build(
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    every: Annotated[str, typer.Option(help="Step of the assessments.")] = "28d",
    as_of: Annotated[str | None, typer.Option(help="One moment instead: all cases open then.")] = None,
    history: HistoryOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Build the matrix of assessments by features and write it as Parquet.

    Example: riskml features build --every 28d --out matrix.parquet
    """
    from riskml.features.matrix import build_features
    from riskml.outcomes.cohort import assessments
    from riskml.progress import progress

    ws = open_workspace(workspace)
    taken = ws.history(history)
    cohort = taken.open_cases(as_of) if as_of else assessments(taken, every=every)
    with progress("features"):
        matrix = build_features(taken, cohort, ws.catalogue)
    partial = out.with_name(out.name + ".partial")
    try:
        matrix.reset_index().to_parquet(partial, index=False)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    console.print(f"{len(matrix):,} assessments x {matrix.shape[1]} columns in {out}")


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="A model file's name under models/.")],
    history: HistoryOption = None,
    seed: SeedOption = 0,
    log: Annotated[bool, typer.Option(help="Log the run and register the version in MLflow.")] = True,
    workspace: WorkspaceOption = Path("."),
):
    """Train, calibrate and validate a model; keep it under bundles/ and log it in MLflow.

    Example: riskml train escalation
    """
    from riskml.progress import progress
    from riskml.workspace import train as train_plan

    ws = open_workspace(workspace)
    plan = ws.model(name)
    taken = ws.history(history)
    with progress(f"train {name}"):
        model = train_plan(plan, taken, seed=seed, log=log)
    show_model(model, ws.settings.language)


def show_model(model, language):
    """Print what a training measured: windows, exits, and the table of candidates with their intervals."""
    from riskml.training.report import training_text

    console.print(training_text(model, language))


@app.command()
def score(
    as_of: Annotated[str, typer.Option(help="The moment of assessment, such as 2026-10-26.")],
    model: Annotated[
        list[str] | None, typer.Option(help="Name of a trained model; may be repeated. Default: all of them.")
    ] = None,
    history: Annotated[
        str | None, typer.Option(help="Content hash of a history. Default: take one from the registry now.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Score and show, write nothing to the registry.")
    ] = False,
    workspace: WorkspaceOption = Path("."),
):
    """Write the second opinions of all open cases, with their reasons, in one transaction.

    The same run again changes nothing. The registry's own tables are never touched.

    Example: riskml score --as-of 2026-10-26
    """
    from riskml.scoring.batch import score_batch

    ws = open_workspace(workspace)
    models = _trained(ws, model)
    taken = ws.history(history) if history else ws.take_history()
    result = score_batch(
        ws.connect(), models, taken, as_of, key=ws.key, settings=ws.settings, dry_run=dry_run
    )
    console.print(result.text(ws.settings.language))


def _trained(ws, names):
    names = names or ws.trained_names
    if not names:
        raise RiskmlError(
            "no model has been trained here",
            where=str(ws.settings.bundles),
            mend="`riskml train repeat` trains one.",
        )
    return [ws.trained(name) for name in names]


@app.command()
def explain(
    case: Annotated[str, typer.Argument(help="A case: the registry's own id, or its pseudonym.")],
    as_of: Annotated[str, typer.Option(help="The moment of assessment.")],
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

    ws = open_workspace(workspace)
    models = _trained(ws, model)
    opinion = score_models(models, ws.history(history), as_of)
    if case not in opinion.cases.index:
        case = ws.key.pseudonym("case_id", case)
    console.print(explain_case(opinion, case, language=language or ws.settings.language).text)


@app.command()
def doctor(
    make_key: Annotated[bool, typer.Option("--make-key", help="Make a key where there is none.")] = False,
    workspace: WorkspaceOption = Path("."),
):
    """Look for what is missing here, and say how to mend it. Exit code 2 when something is.

    Example: riskml doctor
    """
    from riskml.cli.doctor import findings

    if make_key:
        open_workspace(workspace).ensure_key()
    seen = findings(workspace)
    for finding in seen:
        console.print(
            f"{'ok     ' if finding.good else 'missing'}  {finding.name}: {finding.seen}", markup=False
        )
        if finding.mend and not finding.good:
            console.print(f"         {finding.mend}", markup=False)
    if not all(finding.good for finding in seen):
        raise typer.Exit(2)
