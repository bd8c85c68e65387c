"""`riskml fatality replay` and `riskml fatality nearest`: the past of reviewed cases, a case beside them."""

from pathlib import Path
from typing import Annotated

import typer

from riskml.cli.options import (
    AsOfOption,
    HistoryOption,
    LanguageOption,
    ReviewsOption,
    WorkspaceOption,
    console,
    moment_of,
    say,
)
from riskml.errors import RiskmlError
from riskml.messages import check_language
from riskml.vocabulary import did_you_mean
from riskml.workspace import open_workspace

__all__ = ["every_version", "nearest", "replay"]


def every_version(ws):
    """Every version kept under `bundles/`; of each name, the one that counts today last: list."""
    found = []
    for name in ws.trained_names:
        latest = ws.trained(name)
        kept = sorted(p.name for p in (ws.settings.bundles / name).iterdir() if p.is_dir())
        others = [v for v in kept if not v.startswith(".") and v != latest.version]
        found += [*(ws.trained(name, version) for version in others), latest]
    return found


def _defining(ws, patterns):
    """The cases of the reviews that patterns were found in: dict of hash -> set of review_id.

    Reviews that are not kept any more are left out: every case then counts as one that defined the pattern.
    """
    wanted = {content for pattern in patterns.patterns.values() for content in pattern.defined_in}
    found = {}
    for content in wanted:
        try:
            found[content] = set(ws.reviews(content).cases["review_id"])
        except RiskmlError:
            continue
    return found


def _history(ws, asked, reviews):
    """The history in which the cases stand; None where no case is linked, and there is none."""
    if asked is None and not len(reviews.linked) and not (ws.settings.histories / "latest").is_file():
        return None
    return ws.history(asked)


def replay(
    reviews: ReviewsOption = None,
    history: HistoryOption = None,
    case: Annotated[
        str | None, typer.Option("--case", metavar="REVIEW_ID", help="Show this case, contact by contact.")
    ] = None,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Say what patterns and every kept version would have said at each past contact of each reviewed case.

    Only what was recorded by then is read. Contacts before a version's data end are marked: it learnt from
    them. Writes reports/out/fatality/replay.json, which is internal: it follows cases day by day.

    Example: riskml fatality replay

    Example: riskml fatality replay --case R0003 --language en
    """
    from riskml.cli.fatality_replay_tables import print_case, print_replay
    from riskml.fatality.replay.replay import replay as replay_reviews
    from riskml.reporting.fatality_places import write_document

    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    coded = ws.reviews(reviews)
    known = list(coded.cases["review_id"])
    if case is not None and case not in known:
        raise RiskmlError(
            f'no reviewed case "{case}"',
            where=f"reviews {coded.hash[:12]}",
            mend=f"{did_you_mean(case, known)} There are {len(known)} reviewed cases.".strip(),
        )
    taken, patterns = _history(ws, history, coded), ws.levels.patterns
    found = replay_reviews(
        coded,
        taken,
        every_version(ws),
        ws.levels,
        ws.catalogue,
        defining=_defining(ws, patterns),
        language=language,
    )
    path = write_document(ws.settings, "replay", found, indent=None)
    print_replay(console, found, language)
    if case is not None:
        print_case(console, next(c for c in found["cases"] if c["review_id"] == case), found, language)
    say("written", language, room="fatality_replay", path=path)


def nearest(
    case: Annotated[str, typer.Argument(help="A case: the registry's own id, or its pseudonym.")],
    as_of: AsOfOption,
    n: Annotated[int, typer.Option("-n", min=1, max=50, help="How many reviewed cases to show.")] = 5,
    reviews: ReviewsOption = None,
    history: HistoryOption = None,
    language: LanguageOption = None,
    workspace: WorkspaceOption = Path("."),
):
    """Show the reviewed cases most like a living one, why, and what was known of them before.

    Likeness says nothing of the outcome: no probability and no level follows from it.

    Example: riskml fatality nearest C0000123 --as-of 2026-10-26 -n 3
    """
    from riskml.cli.fatality_replay_tables import print_nearest
    from riskml.fatality.replay.nearest import nearest as nearest_reviews

    moment = moment_of(as_of)
    ws = open_workspace(workspace)
    language = check_language(language or ws.settings.language)
    taken = ws.history(history)
    known = case
    if known not in set(taken.table("cases")["case_id"].to_pylist()):
        ws.check_key(taken)
        known = ws.key.pseudonym("case_id", case)
    found = nearest_reviews(known, moment, ws.reviews(reviews), taken, ws.catalogue, n=n)
    print_nearest(console, found, language)
