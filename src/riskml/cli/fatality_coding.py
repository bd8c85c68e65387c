"""`riskml fatality template` and `load`: the review form, and what was filled in."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from riskml.cli.options import LanguageOption, WorkspaceOption, say
from riskml.errors import RiskmlError
from riskml.messages import check_language, message
from riskml.vocabulary import load_factors
from riskml.workspace import open_workspace

__all__ = ["load", "template"]

FORM = "review"

_say = partial(say, room="fatality_load")


def template(
    out: Annotated[Path, typer.Option(help="The folder to write to.", show_default="this folder")] = Path(
        "."
    ),
    cases: Annotated[
        Path | None,
        typer.Option(help="A form whose cases are filled in: lays out their factors, with suggestions."),
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Filled in from a synthetic registry's lethal events.")
    ] = False,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Write the review form: a workbook and, for who prefers a text, the same form as YAML.

    With --cases the workbook holds what that form holds, a factor row for each factor of each case, and, for
    cases that name the registry's id, what their narratives suggest: with the quoted words, never as codes.
    With --simulated it is filled in from a synthetic registry, two coders and all, to try the review out. A
    file that somebody may have filled in is never replaced.

    Example: riskml fatality template --out reviews

    Example: riskml fatality template --cases cases.xlsx --out coding --language en

    Example: riskml fatality template --simulated --out try
    """
    from riskml.fatality.coding.form_files import write_new
    from riskml.fatality.coding.workbook import write_workbook
    from riskml.fatality.coding.yaml_form import write_form
    from riskml.progress import progress

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    vocabulary = _vocabulary(ws)
    if simulated and cases is not None:
        raise RiskmlError("--cases and --simulated are two forms", where="--simulated", mend="Leave one out.")
    sheets, suggestions = (None, None) if cases is None else _begun(ws, cases, language)
    sheets = _simulated(ws) if simulated else sheets
    with progress(message("fatality_load.writing_form", language), total=2) as step:
        written = [
            write_new(
                out / f"{FORM}.xlsx",
                lambda path: write_workbook(
                    path, vocabulary, language=language, sheets=sheets, suggestions=suggestions
                ),
            )
        ]
        step()
        if sheets is None:
            written.append(
                write_new(out / f"{FORM}.yml", lambda path: write_form(path, vocabulary, language=language))
            )
        step()
    for path in written:
        _say("written", language, path=path)
    if suggestions is not None and len(suggestions):
        _say("suggested", language, count=len(suggestions))
    _say("written_next", language, file=written[0].name)


def _simulated(ws):
    """What a team might have coded of a synthetic registry, by today."""
    from riskml.fatality.simulated import lethal_tables, simulated_sheets

    sheets = simulated_sheets(lethal_tables(ws.connect()), _vocabulary(ws).codes)
    factors = sheets["factors"]
    factors["known_on"] = factors["known_on"].where(factors["known_on"] <= ws.settings.now())
    return sheets


def _begun(ws, path, language):
    """The sheets of a form whose cases are filled in, and what their narratives suggest."""
    from riskml.fatality.coding.reading import read_form
    from riskml.fatality.coding.suggestions import suggestion_sheet, suggestions_for
    from riskml.narratives.rules import NARRATIVES_FILE, load_rules

    vocabulary = _vocabulary(ws)
    loaded = read_form(path, vocabulary, today=ws.settings.now().date())
    if loaded.rejected:
        raise RiskmlError(
            f"{len(loaded.rejected)} of {loaded.filled} rows have mistakes, the first: "
            f"{loaded.problems[0].words(language)}",
            where=path.name,
            mend=f"`riskml fatality load {path.name}` names them all; correct them first.",
        )
    cases = loaded.sheets["cases"]
    if not len(cases):
        raise RiskmlError("no case is filled in", where=path.name, mend="Fill in the sheet of cases first.")
    rules_there = (ws.settings.features / NARRATIVES_FILE).is_file()
    if not rules_there or not cases["case_id"].notna().any():
        return loaded.sheets, None
    rules = load_rules(ws.settings.features, vocabulary)
    found = suggestions_for(cases, ws.connect(), rules, key=ws.key, language=language)
    return loaded.sheets, suggestion_sheet(found, vocabulary, language)


def _vocabulary(ws):
    """The factors that are coded: of the whole catalogue nothing else is needed here."""
    return load_factors(ws.settings.features / "factors.yml")


def load(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Filled forms (.xlsx, .yml), rejected rows, an adjudication sheet."
        ),
    ],
    mapping: Annotated[
        Path | None, typer.Option(help="A mapping file: FILE is another register's table (.csv).")
    ] = None,
    unlinked: Annotated[
        bool, typer.Option("--unlinked", help="Do not look the cases up in the registry.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the intervals of the coders' agreement.")] = 0,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Load coded reviews: check every row, join the coders, link to the registry, keep.

    Every load makes one set of reviews of the files that it is given: give all files of the review together.
    Rows with a mistake are kept in rejected.xlsx beside the first file, with their reasons; corrected there,
    load it together with the files that it came from (or alone, where those stand beside it). Where coders
    differ, adjudication.xlsx asks the team. Confirmed outcomes of linked cases are staged for the owner of
    the registry to accept.

    Example: riskml fatality load coder_1.xlsx coder_2.xlsx

    Example: riskml fatality load coder_1.xlsx rejected.xlsx adjudication.xlsx

    Example: riskml fatality load deaths.csv --mapping deaths.yml
    """
    from riskml.cli.fatality_loaded import print_loaded
    from riskml.fatality.coding.loading import load_reviews
    from riskml.progress import progress
    from riskml.registry.staged_outcomes import stage_outcomes

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    if mapping is not None:
        sheets, about = _mapped(ws, files, mapping, language)
        adjudicated = decided = None
    else:
        forms, decided = _apart(files)
        loaded = _read(ws, forms, language)
        adjudicated = _adjudicated(ws, decided, language)
        sheets, about = loaded.sheets, {"files": [form.path.name for form in loaded.forms]}
    asked = bool(sheets["cases"]["case_id"].notna().any())
    engine, key = _registry(ws) if asked and not unlinked else (None, None)
    with progress(message("fatality_load.joining", language)):
        made = load_reviews(sheets, adjudicated=adjudicated, engine=engine, key=key, about=about, seed=seed)
        folder = made.reviews.save(ws.settings.reviews)
    counts = stage_outcomes(engine, made.reviews, key, now=ws.settings.now()) if engine is not None else None
    sheet = _to_adjudicate(ws, files[0].parent, sheets, adjudicated, language) if made.to_adjudicate else None
    print_loaded(made, _vocabulary(ws), language, asked=asked, adjudication=sheet, staged=counts)
    _say("kept", language, hash=made.reviews.hash[:12], path=folder)
    _say("kept_next", language)


def _registry(ws):
    """The registry and the key that cases are linked with: the key that the latest history was taken with."""
    try:
        ws.check_key()
        return ws.connect(), ws.key
    except RiskmlError as error:
        mend = f"{error.mend} A team without the registry loads its cases with --unlinked.".strip()
        raise RiskmlError(error.what, where=error.where, mend=mend) from error


def _apart(files):
    """Forms, and adjudication sheets."""
    from riskml.fatality.coding.adjudication import is_adjudication

    forms, decided = [], []
    for path in files:
        (decided if is_adjudication(path) else forms).append(path)
    if not forms:
        raise RiskmlError(
            "an adjudication sheet alone is no review",
            where=files[0].name,
            mend="Load it together with the filled forms.",
        )
    if len(decided) > 1:
        raise RiskmlError(
            f"{len(decided)} adjudication sheets",
            where=", ".join(path.name for path in decided),
            mend="Give the one that the team decided in last.",
        )
    return forms, decided


def _read(ws, forms, language):
    """What the forms hold; what was rejected is kept and said before anything else."""
    from riskml.cli.fatality_loaded import print_read
    from riskml.fatality.coding.reading import read_forms
    from riskml.fatality.coding.rejected import write_rejected
    from riskml.progress import progress

    vocabulary = _vocabulary(ws)
    with progress(message("fatality_load.reading_forms", language)):
        loaded = read_forms(forms, vocabulary, today=ws.settings.now().date())
        rejected = write_rejected(forms[0].parent, loaded, vocabulary, language=language)
    if not loaded.filled:
        raise RiskmlError(
            "nothing is filled in here",
            where=", ".join(p.name for p in forms),
            mend="Fill in the form first.",
        )
    print_read(loaded, rejected, language)
    return loaded


def _adjudicated(ws, decided, language):
    """What the team decided, or None; rows with mistakes are named and stay undecided."""
    from riskml.cli.fatality_loaded import print_problems
    from riskml.fatality.coding.adjudication import read_adjudication

    if not decided:
        return None
    rows, problems = read_adjudication(decided[0], _vocabulary(ws), today=ws.settings.now().date())
    if problems:
        _say("adjudicated_wrong", language, style="bold")
        print_problems(problems, language)
    return rows


def _to_adjudicate(ws, folder, sheets, adjudicated, language):
    """The sheet on which the team decides where coders differ: Path."""
    from riskml.fatality.coding.adjudication import write_adjudication
    from riskml.fatality.coding.form_files import place_beside

    return place_beside(
        folder,
        "adjudication",
        lambda path: write_adjudication(
            path, sheets["factors"], _vocabulary(ws), language=language, adjudicated=adjudicated
        ),
    )


def _mapped(ws, files, mapping, language):
    """The sheets of another register's table, and what is said of it; what was rejected is kept and said."""
    from riskml.cli.fatality_loaded import print_mapped
    from riskml.fatality.coding.mapping import about_mapping, read_mapped
    from riskml.fatality.coding.rejected import write_rejected_table

    if len(files) != 1:
        raise RiskmlError(
            "a mapping reads one table", where="--mapping", mend="Load the tables one after the other."
        )
    (path,) = files
    sheets, rejected = read_mapped(path, mapping, _vocabulary(ws), language=language)
    kept = write_rejected_table(path.parent, rejected, language=language)
    print_mapped(path, sheets, rejected, kept, language)
    return sheets, about_mapping(mapping) | {"files": [path.name]}
