"""`riskml features`: what the models see, and the facts behind it."""

from pathlib import Path
from typing import Annotated

import typer

from riskml.cli.options import (
    AsOfOption,
    HistoryOption,
    LanguageOption,
    WorkspaceOption,
    console,
    moment_of,
    say,
)
from riskml.errors import RiskmlError
from riskml.messages import check_language, message
from riskml.workspace import open_workspace

__all__ = ["features"]

features = typer.Typer(no_args_is_help=True, help="The feature catalogue: what the models see.")

_PREFIX = 12  # characters of a pseudonym that are taken for it: what `why` prints of other cases


@features.command("list")
def list_columns(
    workspace: WorkspaceOption = Path("."),
    language: LanguageOption = None,
):
    """List the columns that the catalogue defines.

    Example: riskml features list --language en
    """
    from riskml.cli.showing import print_columns

    ws = open_workspace(workspace)
    print_columns(console, ws.catalogue, check_language(language or ws.settings.language))


@features.command("build")
def build(
    out: Annotated[
        Path,
        typer.Option(
            help="What to write: one file (NAME.parquet), whose matrix is held in memory, or a folder of "
            "Parquet files, written part by part."
        ),
    ],
    every: Annotated[str, typer.Option(help="Step of the assessments.")] = "28d",
    as_of: Annotated[str | None, typer.Option(help="One moment instead: all cases open then.")] = None,
    history: HistoryOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Build the matrix of assessments by features and write it as Parquet.

    Example: riskml features build --every 28d --out matrix.parquet

    Example: riskml features build --every 7d --out matrix
    """
    from riskml.engines.features import build_features, write_features
    from riskml.outcomes.cohort import assessments
    from riskml.progress import progress

    moment = moment_of(as_of) if as_of is not None else None
    ws = open_workspace(workspace)
    if not out.parent.is_dir():
        raise RiskmlError("no such folder", where=str(out.parent), mend="Make it, or give another --out.")
    taken, engine = ws.history(history), ws.settings.engine
    if out.suffix != ".parquet":
        rule = {"every": every} if moment is None else {"as_of": moment}
        with progress(message("cli.building", ws.settings.language)):
            written = write_features(taken, rule, ws.catalogue, out, engine=engine)
        columns = len(written.manifest["columns"])
        say("built", ws.settings.language, assessments=f"{written.rows:,}", columns=columns, path=out)
        return
    cohort = taken.open_cases(moment) if moment is not None else assessments(taken, every=every)
    with progress(message("cli.building", ws.settings.language)):
        matrix = build_features(taken, cohort, ws.catalogue, engine=engine)
    partial = out.with_name(out.name + ".partial")
    try:
        matrix.reset_index().to_parquet(partial, index=False)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    rows = f"{len(matrix):,}"
    say("built", ws.settings.language, assessments=rows, columns=matrix.shape[1], path=out)


@features.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A feature, or one of its columns.")],
    as_of: Annotated[
        str | None, typer.Option(help="Over the cases open then. Default: at the end of the history.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="Over assessments of the whole history at this step, such as 28d.")
    ] = None,
    history: HistoryOption = None,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Show one feature: its definition, labels and evidence, and its distribution on a history.

    Example: riskml features show incidents

    Example: riskml features show strangulation --every 28d --language en
    """
    from riskml.cli.exploring import print_definition, print_distribution, print_no_history
    from riskml.features.distribution import feature_distribution

    if as_of and every:
        raise RiskmlError("two choices of assessments", where="--as-of, --every", mend="Give one of them.")
    moment = moment_of(as_of) if as_of is not None else None
    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    feature = _feature(ws.catalogue, name)
    print_definition(console, feature, ws.catalogue, language)
    if history is None and not any(ws.settings.histories.glob("*/manifest.json")):
        print_no_history(console, language)
        return
    taken = ws.history(history)
    cohort = _cohort(taken, moment, every)
    spread = feature_distribution(taken, cohort, ws.catalogue, feature.name) if len(cohort) else None
    print_distribution(console, spread, feature, taken, cohort, every, language, factors=ws.catalogue.factors)


def _feature(catalogue, name):
    """The feature of that name, or the one that gives the column of that name."""
    by_column = {column.name: column.feature for column in catalogue.columns}
    return by_column[name] if name in by_column else catalogue.feature(name)


def _cohort(history, moment, every):
    if every:
        from riskml.outcomes.cohort import assessments

        return assessments(history, every=every)
    return history.open_cases(history.observed_until if moment is None else moment)


@features.command("why")
def why(
    case: Annotated[str, typer.Argument(help="A case: the registry's own id, or its pseudonym.")],
    as_of: AsOfOption,
    feature: Annotated[str, typer.Option(help="A column of the matrix, such as incidents_90d.")],
    limit: Annotated[int, typer.Option(min=1, help="Facts to print, the most recent ones.")] = 40,
    every_fact: Annotated[
        bool, typer.Option("--all", help="Also the facts that the feature's condition leaves out.")
    ] = False,
    history: HistoryOption = None,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Show the very facts behind one number of one case, with both dates, and why the others do not count.

    Example: riskml features why C0000123 --as-of 2026-10-26 --feature incidents_90d
    """
    import pandas as pd

    from riskml.cli.exploring import print_facts, print_formula
    from riskml.features.facts_behind import facts_behind
    from riskml.features.formulas import formula_columns
    from riskml.features.matrix import build_features
    from riskml.features.surroundings import case_surroundings

    moment = moment_of(as_of)
    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    column = _column(ws.catalogue, feature)
    taken = ws.history(history)
    case = _case(ws, taken, case)
    alone = ws.catalogue.part(column.name)
    around = case_surroundings(taken, case, alone.tables_read)
    cohort = pd.DataFrame({"case_id": [case], "as_of": [moment]})
    values = build_features(around, cohort, alone).iloc[0]
    behind = [column]
    if column.feature.is_formula:
        print_formula(console, column, values[column.name], moment, language)
        behind = [alone.column(name) for name in formula_columns(column.feature)]
    for one in behind:
        print_facts(
            console,
            facts_behind(around, alone, case, moment, one.name),
            one,
            values[one.name],
            case,
            moment,
            language,
            limit=limit,
            every_fact=every_fact,
            factors=alone.factors,
        )


def _column(catalogue, name):
    """The column of that name; a feature with one column only is as good as it."""
    columns = [column for column in catalogue.columns if column.feature.name == name]
    if len(columns) > 1 and name not in {column.name for column in columns}:
        raise RiskmlError(
            f'feature "{name}" gives several columns',
            where="--feature",
            mend=f"Give one of {', '.join(column.name for column in columns)}.",
        )
    return columns[0] if len(columns) == 1 else catalogue.column(name)


def _case(workspace, history, given):
    """The case as the history names it: of its pseudonym, the beginning of that, or the registry's own id."""
    import pyarrow.compute as pc

    ids = pc.unique(history.table("cases")["case_id"])
    if pc.any(pc.equal(ids, given)).as_py():
        return given
    if len(given) >= _PREFIX:
        found = ids.filter(pc.starts_with(ids, given))
        if len(found) == 1:
            return found[0].as_py()
    workspace.check_key(history)
    return workspace.key.pseudonym("case_id", given)


@features.command("diff")
def diff(
    first: Annotated[
        str, typer.Argument(help="A folder of feature files, a workspace, a bundle, or a trained model.")
    ],
    second: Annotated[str, typer.Argument(help="What it is compared with; a model as NAME or NAME@VERSION.")],
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Compare two catalogues: what was added, removed or defined anew, and apart from it what was reworded.

    Example: riskml features diff ../padron-2025/features features

    Example: riskml features diff escalation features
    """
    from riskml.cli.exploring import print_differences
    from riskml.features.differences import catalogue_differences

    catalogues = [_catalogue(given, workspace) for given in (first, second)]
    if language is None:
        here = (Path(workspace) / "riskml.toml").is_file()
        language = open_workspace(workspace).settings.language if here else "es"
    print_differences(console, catalogue_differences(*catalogues), check_language(language))


def _catalogue(given, workspace):
    from riskml.features.catalogue import load_catalogue
    from riskml.models.bundle import Model

    folder = Path(given)
    if (folder / "bundle.json").is_file():
        model = Model.load(folder)
    elif (folder / "riskml.toml").is_file():
        return open_workspace(folder).catalogue
    elif folder.is_dir():
        return load_catalogue(folder)
    else:
        name, _, version = given.partition("@")
        ws = open_workspace(workspace)
        if name not in ws.trained_names:
            raise RiskmlError(
                f'"{given}" is neither a folder nor a model trained here',
                where="features diff",
                mend=f"Trained: {', '.join(ws.trained_names) or 'none'}.",
            )
        model = ws.trained(name, version or None)
    if model.catalogue is None:
        raise RiskmlError(
            f'model "{model.name}" has no catalogue: it was trained on a frame of unknown origin', where=given
        )
    return model.catalogue
