"""Progress bars for anything that takes over a second; silent where nobody watches."""

from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

__all__ = ["progress"]


@contextmanager
def progress(description, total=None):
    """Show one bar on standard error while the block runs.

    Parameters
    ----------
    description : str      what is being done, in the reader's language
    total : int or None    number of steps; None shows a spinner

    Yields
    ------
    callable    `advance(steps=1)`, to be called as the work proceeds
    """
    console = Console(stderr=True)
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    if total is not None:
        columns.insert(3, MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=total)
        yield lambda steps=1: bar.advance(task, steps)
