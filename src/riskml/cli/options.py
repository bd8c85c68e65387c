"""Options that several commands take, and the terminal they print to."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from riskml import vocabulary
from riskml.messages import message

__all__ = [
    "AsOfOption",
    "HistoryOption",
    "LanguageOption",
    "ReviewsOption",
    "SeedOption",
    "WorkspaceOption",
    "console",
    "moment_of",
    "say",
]

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace's folder.", show_default="this folder")
]
HistoryOption = Annotated[
    str | None, typer.Option("--history", help="Content hash, or its beginning. Default: the latest history.")
]
ReviewsOption = Annotated[
    str | None, typer.Option("--reviews", help="Content hash, or its beginning. Default: the latest loaded.")
]
SeedOption = Annotated[int, typer.Option(help="Seed of every random choice.")]
LanguageOption = Annotated[str | None, typer.Option(help='"es" or "en". Default: as riskml.toml says.')]
AsOfOption = Annotated[str, typer.Option(help="The moment of assessment, such as 2026-10-26.")]

console = Console(soft_wrap=True)


def say(name, language, /, *, room="cli", style=None, **fields):
    """Print one message of a room of the catalogue, as it is."""
    words = message(f"{room}.{name}", language, **fields)
    console.print(words, markup=False, highlight=False, style=style)


def moment_of(text):
    """A moment that a user wrote: Timestamp. Told before anything is read or written."""
    return vocabulary.moment_of(text, "--as-of", "2026-01-05 or 2026-01-05T08:00")
