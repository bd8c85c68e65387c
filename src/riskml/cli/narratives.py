"""`riskml narratives`: see what the rules read in narratives, and where."""

import io
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from riskml.errors import RiskmlError
from riskml.messages import check_language, message
from riskml.vocabulary import did_you_mean

__all__ = ["narratives", "narratives_of"]

narratives = typer.Typer(
    no_args_is_help=True, help="Narratives: which factors they say or deny, and in which words."
)
console = Console(soft_wrap=True)

_STYLE = {"present": "bold black on orange1", "denied": "black on light_sky_blue1"}


@narratives.callback()
def _group():
    """Narratives: which factors they say or deny."""


def _decoded(path):
    """A file's text: UTF-8, or the Windows code page in which spreadsheets export."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def narratives_of(path, column=None):
    """The narratives of a file.

    Parameters
    ----------
    path : path    .csv with a column of narratives, or any text file with one narrative per line
    column : str or None    of a .csv; None: "narrative"

    Returns
    -------
    list of str

    Raises
    ------
    RiskmlError    no such file, or no such column
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise RiskmlError(
            "no such file", where=str(path), mend="Give a text file, one narrative per line, or a .csv."
        )
    text = _decoded(path)
    if path.suffix.lower() != ".csv":
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        frame = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        raise RiskmlError(
            "not a CSV file that reads", where=str(path), mend="Export it again, with commas."
        ) from None
    wanted = column or "narrative"
    if wanted not in frame.columns:
        raise RiskmlError(
            f'no column "{wanted}"',
            where=str(path),
            mend=f"{did_you_mean(wanted, frame.columns)} --column names the one to read.".strip(),
        )
    return [value for value in frame[wanted] if value.strip()]


def _reader(workspace):
    """A reader by the workspace's rules; by those that riskml comes with where no workspace is."""
    from riskml.narratives.reading import Reader, starting_reader
    from riskml.narratives.rules import load_rules
    from riskml.settings import load_settings

    if not (workspace / "riskml.toml").is_file():
        return starting_reader(), "es"
    settings = load_settings(workspace)
    return Reader(load_rules(settings.features)), settings.language


def _show(number, text, mentions, rules, language):
    from riskml.narratives.page import segments, words_of
    from riskml.narratives.stated import stated

    console.print(Text(message("narratives.narrative", language, number=number), style="bold"))
    line = Text()
    for piece, over in segments(text, mentions):
        states = {m.state for m in over}
        line.append(piece, style=_STYLE["present" if "present" in states else "denied"] if states else "")
    console.print(line)
    if not mentions:
        console.print(Text(message("narratives.nothing", language), style="dim"))
        return
    table = Table(show_edge=False)
    for heading in ("factor", "state", "about", "reported_by", "when", "enters", "quote", "rule"):
        table.add_column(message(f"narratives.{heading}", language), overflow="fold")
    entering = stated(mentions, rules)
    for m in mentions:
        words = words_of(m, m in entering, rules.factors, language)
        shown = ("label", "state_words", "about", "by", "when", "enters", "quote", "rule")
        table.add_row(*(Text(words[name]) for name in shown))
    console.print(table)


@narratives.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A text file, one narrative per line, or a .csv.")],
    column: Annotated[str | None, typer.Option(help='The column of a .csv. Default: "narrative".')] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page with what was found where.")] = None,
    workspace: Annotated[
        Path,
        typer.Option("--workspace", "-w", help="Whose rules are read.", show_default="this folder"),
    ] = Path("."),
    language: Annotated[str | None, typer.Option(help='"es" or "en". Default: as riskml.toml says.')] = None,
):
    """Show which factors the rules find in narratives, in which words, and by which rule.

    Example: riskml narratives check narrativas.csv --column narrativa --html narrativas.html
    """
    from riskml.narratives.page import check_page

    texts = narratives_of(file, column)
    reader, default = _reader(workspace)
    language = check_language(language or default)
    shown = []
    for number, text in enumerate(texts, start=1):
        mentions = reader.mentions(text)
        shown.append((message("narratives.narrative", language, number=number), text, mentions))
        _show(number, text, mentions, reader.rules, language)
    rows = sum(len(mentions) for _, _, mentions in shown)
    console.print(message("narratives.summary", language, count=len(texts), rows=rows))
    if html is not None:
        html.write_text(check_page(shown, reader.rules, language=language), encoding="utf-8")
        console.print(message("narratives.written", language, path=html))
