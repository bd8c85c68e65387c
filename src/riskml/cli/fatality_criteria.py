"""`riskml fatality criteria`: critical patterns from proposal to decision."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from riskml.cli.options import (
    HistoryOption,
    LanguageOption,
    ReviewsOption,
    SeedOption,
    WorkspaceOption,
    console,
    moment_of,
    say,
)
from riskml.errors import RiskmlError
from riskml.messages import check_language, message
from riskml.workspace import open_workspace

__all__ = ["criteria"]

criteria = typer.Typer(
    no_args_is_help=True,
    help="Critical patterns: propose them with their evidence, write them down, approve or reject. Two "
    "people with different roles approve; they appear by codes, never by names.",
)

PatternArgument = Annotated[str, typer.Argument(metavar="ID", help="The pattern's id.")]
ByOption = Annotated[
    str, typer.Option("--by", metavar="CODE", help="Your code, such as FGJ-07; never a personal name.")
]
RoleOption = Annotated[str, typer.Option(metavar="ROLE", help="Your role, as models/review.yml lists them.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="What was looked at, and why so.")
]
WhenOption = Annotated[
    str | None,
    typer.Option(
        "--when", metavar="CONDITION", help='"separation, stalking" (all), or YAML as critical.yml has it.'
    ),
]
SpanishOption = Annotated[
    str | None, typer.Option("--label-es", metavar="WORDS", help="Its words in Spanish.")
]
EnglishOption = Annotated[
    str | None, typer.Option("--label-en", metavar="WORDS", help="Its words in English.")
]
PrespecifiedOption = Annotated[
    bool,
    typer.Option("--prespecified", help="Written before anybody read the cases: it may be judged on them."),
]


@criteria.callback()
def _group():
    """Critical patterns, from proposal to decision."""


_say = partial(say, room="fatality_criteria")


def _file(ws):
    return ws.settings.models / "critical.yml"


@criteria.command()
def propose(
    reviews: ReviewsOption = None,
    history: HistoryOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="Of the living cases. Default: the end of the history.")
    ] = None,
    cap: Annotated[int, typer.Option(min=10, max=200_000, help="Combinations to look at, at most.")] = 5000,
    seed: SeedOption = 0,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Propose critical patterns: those that stand written, and those that a search under a cap finds.

    Each with the reviewed cases that it catches on what was known before the event, the same with each case
    left out, how long before, on the first record alone, and how many living cases it flags today and a week.
    Nothing is written to models/critical.yml.

    Example: riskml fatality criteria propose

    Example: riskml fatality criteria propose --cap 1000 --as-of 2026-10-26
    """
    from riskml.cli.fatality_criteria_tables import print_proposals
    from riskml.fatality.patterns.proposals import propose as proposed
    from riskml.models.critical import CriticalPatterns, load_critical
    from riskml.reporting.fatality_places import write_document

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    moment = moment_of(as_of) if as_of else None
    coded, taken = ws.reviews(reviews), ws.history(history)
    file = _file(ws)
    patterns = load_critical(file, catalogue=ws.catalogue) if file.is_file() else CriticalPatterns()
    found = proposed(
        coded,
        taken,
        ws.catalogue,
        patterns,
        as_of=moment,
        cap=cap,
        seed=seed,
        earlier=_earlier(ws, patterns),
        language=language,
    )
    path = write_document(ws.settings, "patterns", found)
    print_proposals(console, found, language)
    _say("kept", language, path=path)
    _say("next_add", language)


def _earlier(ws, patterns):
    """The reviews in which patterns were found, those that are still kept: dict of hash -> Reviews."""
    kept = {}
    for name in {name for pattern in patterns.patterns.values() for name in pattern.defined_in}:
        if (ws.settings.reviews / name).is_dir():
            kept[name] = ws.reviews(name)
    return kept


@criteria.command()
def add(
    name: PatternArgument,
    by: ByOption,
    when: WhenOption = None,
    label_es: SpanishOption = None,
    label_en: EnglishOption = None,
    relationship: Annotated[
        list[str] | None, typer.Option(help="To whom it applies; may be repeated. Default: to all.")
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(metavar='"STUDY | EFFECT | TAG"', help="Literature behind it; may be repeated."),
    ] = None,
    prespecified: PrespecifiedOption = False,
    workspace: WorkspaceOption = Path("."),
):
    """Write a pattern into models/critical.yml as a proposal: a row of the last `propose`, or your own.

    Of a pattern that stands written already, a row adds what was counted of it. Your own takes --when; unless
    it is --prespecified, it is never judged on the cases of the reviews that are loaded now.

    Example: riskml fatality criteria add separation_and_stalking --by SSP-02

    Example: riskml fatality criteria add breach_and_weapon --when breach,weapon_threat --by SSP-02
    """
    from riskml.fatality.patterns.criteria import condition_given

    ws = open_workspace(workspace)
    ours = _criteria(ws, by)
    if when is None:
        if label_es or label_en or relationship or evidence or prespecified:
            raise RiskmlError(
                "words, relationships and evidence of a proposal stand in its row",
                where="riskml fatality criteria add",
                mend="Give --when for a pattern of your own, or change the words with `criteria edit`.",
            )
        patterns = ours.add_proposal(name, _proposals(ws))
    else:
        patterns = ours.add(
            name,
            when=condition_given(when),
            label=_both(label_es, label_en),
            relationships=relationship or (),
            evidence=[_evidence(text) for text in evidence or ()],
            defined_in=None if prespecified else _read_by_authors(ws),
        )
    _recorded(ws, patterns, name)


@criteria.command()
def edit(
    name: PatternArgument,
    by: ByOption,
    when: WhenOption = None,
    label_es: SpanishOption = None,
    label_en: EnglishOption = None,
    prespecified: PrespecifiedOption = False,
    workspace: WorkspaceOption = Path("."),
):
    """Change a pattern's condition or words; another condition is a new proposal, approved by nobody.

    Example: riskml fatality criteria edit stalking_when_apart --when separation,stalking --by SSP-02
    """
    from riskml.fatality.patterns.criteria import condition_given

    ws = open_workspace(workspace)
    ours = _criteria(ws, by)
    label = {language: words for language, words in (("es", label_es), ("en", label_en)) if words}
    patterns = ours.edit(
        name,
        when=None if when is None else condition_given(when),
        label=label,
        defined_in=None if prespecified else _read_by_authors(ws),
    )
    _recorded(ws, patterns, name)


@criteria.command()
def approve(
    name: PatternArgument,
    role: RoleOption,
    by: ByOption,
    reason: ReasonOption,
    workspace: WorkspaceOption = Path("."),
):
    """Approve a pattern. It takes two people with different roles; the second approval gives it its effect.

    What is behind it is printed. Where only the cases that defined it speak for it, it is refused.

    Example: riskml fatality criteria approve separation_and_stalking --role police --by SSP-02 --reason TEXT
    """
    from riskml.cli.fatality_criteria_tables import print_evidence
    from riskml.review.checklist import load_checklist

    ws = open_workspace(workspace)
    ours = _criteria(ws, by)
    patterns = ours.approve(name, role=role, reason=reason, checklist=load_checklist(ws.settings.models))
    print_evidence(console, name, patterns.patterns[name], ws.settings.language)
    _recorded(ws, patterns, name)


@criteria.command()
def reject(
    name: PatternArgument,
    role: RoleOption,
    by: ByOption,
    reason: ReasonOption,
    workspace: WorkspaceOption = Path("."),
):
    """Reject a pattern, or withdraw its approval; one person is enough. It stays written, with the reason.

    Example: riskml fatality criteria reject weapon_and_separation --role health --by SSZ-03 --reason TEXT
    """
    from riskml.review.checklist import load_checklist

    ws = open_workspace(workspace)
    ours = _criteria(ws, by)
    patterns = ours.reject(name, role=role, reason=reason, checklist=load_checklist(ws.settings.models))
    _recorded(ws, patterns, name)


@criteria.command()
def show(language: LanguageOption = None, workspace: WorkspaceOption = Path(".")):
    """Show every pattern with where it stands, what is behind it, who decided, and all changes.

    Example: riskml fatality criteria show
    """
    from riskml.cli.fatality_criteria_tables import print_criteria
    from riskml.models.critical import read_critical

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    if not _file(ws).is_file():
        _say("no_patterns", language)
        return
    print_criteria(console, read_critical(_file(ws)), language)


def _criteria(ws, by):
    from riskml.fatality.patterns.criteria import Criteria

    today = ws.settings.now().date()
    return Criteria(_file(ws), ws.catalogue, by=by, today=today, language=ws.settings.language)


def _proposals(ws):
    from riskml.reporting.fatality_places import kept_documents

    found = kept_documents(ws.settings)["patterns"]
    if found is None:
        raise RiskmlError(
            "nothing has been proposed yet",
            where="reports/out/fatality",
            mend="`riskml fatality criteria propose` does; --when writes a pattern of your own.",
        )
    return found


def _read_by_authors(ws):
    """Content hash of the reviews that whoever writes a pattern now may have read; None: there are none."""
    if not (ws.settings.reviews / "latest").is_file():
        return None
    return ws.reviews().hash


def _both(spanish, english):
    if bool(spanish) != bool(english):
        raise RiskmlError(
            "words in one language only", where="--label-es, --label-en", mend="Give both, or neither."
        )
    return {"es": spanish, "en": english} if spanish else None


def _evidence(text):
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != 3:
        raise RiskmlError(
            "not STUDY | EFFECT | TAG",
            where="--evidence",
            mend='Write it like "Glass et al. 2008 | OR 7.48 (4.53-12.35) | S:1".',
        )
    return dict(zip(("study", "effect", "tag"), parts, strict=True))


def _recorded(ws, patterns, name):
    from riskml.models.critical import read_critical

    language = ws.settings.language
    last = read_critical(_file(ws)).changes[-1]
    _say("recorded", language, version=last.version, change=last.change)
    status = patterns.patterns[name].status
    if status == "approved":
        _say("in_force", language, style="bold", name=name)
    else:
        words = message(f"fatality_criteria.status_{status}", language)
        _say("no_effect", language, name=name, status=words)
