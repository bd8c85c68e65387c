"""`riskml review`: open a review of a model version, approve, reject, show, verify and compare."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from riskml.cli.options import HistoryOption, LanguageOption, SeedOption, WorkspaceOption, console, moment_of
from riskml.errors import RiskmlError
from riskml.messages import check_language, message
from riskml.vocabulary import did_you_mean
from riskml.workspace import open_workspace

__all__ = ["review", "version_asked"]

review = typer.Typer(
    no_args_is_help=True,
    help="Review of model versions: two people with different roles approve before one is used. "
    "Reviewers appear by codes, never by names.",
)

ModelArgument = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="A trained model; a version may be shortened.")
]
AsOption = Annotated[
    str, typer.Option("--as", metavar="CODE", help="Your code, such as FGJ-07; never a personal name.")
]
RoleOption = Annotated[str, typer.Option(metavar="ROLE", help="Your role, as models/review.yml lists them.")]
ReasonsOption = Annotated[
    Path | None, typer.Option("--reasons", help="A form that was filled in: `riskml review form`.")
]
ReasonOption = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="SECTION=TEXT", help="The reason on one section; may be repeated."),
]
_HASH = 12  # characters of a hash in a table and in the minutes


@review.callback()
def _group():
    """Review of model versions."""


def _print(text, style=None):
    console.print(Text(text, style or ""), soft_wrap=True)


def _say(name, language, **fields):
    _print(message(f"review.{name}", language, **fields))


def version_asked(text):
    """The parts of NAME[@VERSION]: (name, version or None)."""
    name, _, version = text.partition("@")
    return name, version or None


def _under_review(ws, text):
    """The model that a decision is on: the version asked for, or else that of the review opened last."""
    from riskml.review.ledger import open_ledger

    name, version = version_asked(text)
    if version is None:
        ws.trained(name)  # tells of a name that is not known
        with open_ledger(ws.settings, name) as ledger:
            opened = [s.version for s in ledger.statements() if s.kind == "open"]
        version = opened[-1] if opened else None
    return ws.trained(name, version)


def _reasons(file, given):
    from riskml.review.checklist import read_reasons

    reasons = read_reasons(file) if file else {}
    for entry in given or ():
        section, equals, text = entry.partition("=")
        if not equals:
            raise RiskmlError(
                "not SECTION=TEXT", where="--reason", mend='Write it like --reason "data=What was looked at."'
            )
        reasons[section.strip()] = text
    return reasons


def _recorded(ws, entry):
    language, statement = ws.settings.language, entry.statement
    fields = {"model": statement.model, "version": statement.version}
    _say("recorded", language, number=statement.number, **fields)
    short = f"{statement.number}:{statement.hash[:_HASH]}"
    _say("head_to_note", language, head=f"{statement.number}:{statement.hash}")
    _say("bring_head", language, model=statement.model, short=short)
    _standings(ws, statement.model, [statement.version])


@review.command("open")
def open_(
    model: ModelArgument,
    person: AsOption,
    trained_by: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Who trained it. Default: as its training run says, or you."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Another report to attach. Default: the one that `riskml report` made of the version."
        ),
    ] = None,
    workspace: WorkspaceOption = Path("."),
):
    """Open the review of a version: its reports and the checklist are attached in MLflow, with their hashes.

    `riskml report NAME@VERSION` makes the model review report that reviewers read.

    Example: riskml review open escalation --as FGJ-01
    """
    from riskml.review.decisions import open_review
    from riskml.review.reports import kept_report
    from riskml.review.statements import check_code

    check_code(person, where="--as")
    ws = open_workspace(workspace)
    trained = ws.trained(*version_asked(model))
    attached = report or kept_report(ws.settings, trained)
    entry = open_review(ws.settings, trained, person=person, trained_by=trained_by, report=attached)
    _recorded(ws, entry)


@review.command()
def form(
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Print an empty form with the checklist's questions, for --reasons.

    Example: riskml review form
    """
    from riskml.review.checklist import load_checklist

    settings = open_workspace(workspace).settings
    checklist = load_checklist(settings.models)
    print(checklist.form(check_language(language or settings.language)))


@review.command()
def approve(
    model: ModelArgument,
    person: AsOption,
    role: RoleOption,
    reasons: ReasonsOption = None,
    reason: ReasonOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Approve a version, with a reason on every section of the checklist.

    Two people with different roles have to, neither of whom trained it. The last approval moves the alias
    "champion".

    Example: riskml review approve escalation --as FGJ-07 --role prosecutor --reasons reasons.yml
    """
    from riskml.review.decisions import approve as record

    ws = open_workspace(workspace)
    said = _reasons(reasons, reason)
    trained = _under_review(ws, model)
    _recorded(ws, record(ws.settings, trained, person=person, role=role, reasons=said))


@review.command()
def reject(
    model: ModelArgument,
    person: AsOption,
    role: RoleOption,
    reasons: ReasonsOption = None,
    reason: ReasonOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Reject a version, or withdraw its approval, with a reason on one section at least.

    One rejection is enough: the version is not used until another review approves it.

    Example: riskml review reject escalation --as SSP-02 --role police --reasons reasons.yml
    """
    from riskml.review.decisions import reject as record

    ws = open_workspace(workspace)
    said = _reasons(reasons, reason)
    trained = _under_review(ws, model)
    _recorded(ws, record(ws.settings, trained, person=person, role=role, reasons=said))


@review.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A trained model.")],
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Show every statement on a model with its reasons, and where each version stands.

    Example: riskml review show escalation
    """
    from riskml.review.checklist import load_checklist
    from riskml.review.ledger import open_ledger

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    _known(ws, name)
    with open_ledger(ws.settings, name) as ledger:
        statements = ledger.statements()
    if not statements:
        _say("no_statements", language, model=name)
    else:
        console.print(_table(statements, load_checklist(ws.settings.models), language))
        for statement in statements:
            for section, text in statement.reasons.items():
                _print(f"{statement.number}. {section}: {text}")
    _standings(ws, name, dict.fromkeys(s.version for s in statements), language)


def _known(ws, name):
    if name not in ws.trained_names:
        raise RiskmlError(
            f'model "{name}" has not been trained here',
            where=str(ws.settings.bundles),
            mend=f"{did_you_mean(name, ws.trained_names)} Known: {', '.join(ws.trained_names)}.".strip(),
        )


def _table(statements, checklist, language):
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("number", "kind", "version", "person", "role", "date", "hash"):
        table.add_column(message(f"review.heading_{heading}", language), no_wrap=heading != "role")
    for s in statements:
        role = checklist.roles[s.role][language] if s.role in checklist.roles else s.role
        cells = (str(s.number), message(f"review.kind_{s.kind}", language), s.version[:8], s.person, role)
        table.add_row(*map(Text, (*cells, s.said_at[:16].replace("T", " "), s.hash[:_HASH])))
    return table


def _standings(ws, name, versions, language=None):
    from riskml.review.index import champion_statement
    from riskml.review.ledger import open_ledger
    from riskml.review.rules import missing_approvals, standing

    language = language or ws.settings.language
    today = ws.settings.now().date()
    with open_ledger(ws.settings, name) as ledger:
        statements = ledger.statements()
    champion = champion_statement(statements)
    for version in versions:
        now = standing(statements, version)
        date = now.approval.expires_on if now.approval else ""
        status = "expired" if now.status == "approved" and not now.in_force(today) else now.status
        words = message(f"review.status_{status}", language, date=date, count=missing_approvals(now))
        parts = [message("review.standing", language, model=name, version=version, status=words) + "."]
        if now.status == "open" and now.in_force(today):
            parts.append(message("review.renewal", language, date=date))
        if champion is not None and champion.version == version:
            parts.append(message("review.is_champion", language))
        if now.opening is not None and now.opening.synthetic:
            parts.append(message("review.is_synthetic", language))
        _print(" ".join(parts))


@review.command()
def verify(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A trained model.")],
    head: Annotated[
        str | None, typer.Option(help="A hash from the minutes, such as 3:ab12cd34ef56: is it still there?")
    ] = None,
    index: Annotated[
        bool, typer.Option("--index", help="Write tags and alias again as the statements say, then verify.")
    ] = False,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Say whether anything was changed since it was recorded: statements, reports, bundles; exit code 2 then.

    Example: riskml review verify escalation
    """
    from riskml.review.index import keep_index
    from riskml.review.ledger import open_ledger
    from riskml.review.verification import verify as verify_model

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    if index:
        with open_ledger(ws.settings, name) as ledger:
            keep_index(ledger)
    found = verify_model(ws.settings, name, head=head)
    if not found.statements:
        _known(ws, name)
    _print(found.text(language))
    if not found.intact:
        raise typer.Exit(2)


@review.command()
def compare(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A trained model.")],
    challenger: Annotated[str | None, typer.Option(help="A version. Default: the one trained last.")] = None,
    champion: Annotated[str | None, typer.Option(help="A version. Default: the approved one in use.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="The moment of assessment. Default: the history's last day.")
    ] = None,
    history: HistoryOption = None,
    out: Annotated[Path | None, typer.Option(help="Also write every case, by pseudonym, to a .csv.")] = None,
    seed: SeedOption = 0,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Set the version in use beside another on the same cases: risks, levels, who changes level.

    Example: riskml review compare escalation --as-of 2026-10-26
    """
    from riskml.cli.comparing import print_comparison
    from riskml.review.approval import champion_version
    from riskml.review.compare import compare_versions

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    moment = moment_of(as_of) if as_of else None
    newer = ws.trained(name, challenger)
    older = champion or champion_version(ws.settings, name)
    if older is None:
        raise RiskmlError(
            f'no version of model "{name}" is in use',
            where="--champion",
            mend="Name one, or approve one: `riskml review open`.",
        )
    taken = ws.history(history)
    others = [ws.trained(other) for other in ws.trained_names if other != name and other in ws.levels.models]
    found = compare_versions(
        ws.trained(name, older),
        newer,
        taken,
        taken.observed_until.normalize() if moment is None else moment,
        levels=ws.levels,
        catalogue=ws.catalogue,
        others=others,
        seed=seed,
    )
    print_comparison(console, found, language)
    if out is not None:
        found.cases.to_csv(out)
        _say("cases_written", language, count=len(found.cases), path=out)
