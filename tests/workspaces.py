"""A small simulated workspace for tests of the commands, and what they leave in it."""

import contextlib
import hashlib
import io
import re
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from riskml.cli import main

__all__ = ["AS_OF", "CASES", "Result", "copy_of", "quicken", "riskml", "rows_of", "state_of"]

CASES = 700  # the fewest that `riskml demo` takes
AS_OF = "2026-10-26"


@dataclass(frozen=True)
class Result:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


def riskml(*arguments):
    """Run one command in this process, as the terminal would."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code or 0
    return Result(code, out.getvalue(), err.getvalue())


def quicken(folder):
    """Fewer replicates, candidates and events in the model files: tests do not read how good a model is."""
    for path in (folder / "models").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"bootstrap: \d+", "bootstrap: 20", text)
        if "kind: lethal" in text:  # it has no windows to judge in
            path.write_text(text, encoding="utf-8")
            continue
        text = text.replace(
            "bootstrap: 20\n", "bootstrap: 20\nminimum: {events_to_learn: 20, events_to_judge: 5}\n"
        )
        text = text.replace("l1_ratio: [0.1, 0.9]", "l1_ratio: [0.5]")
        text = text.replace("main: lightgbm", "main: lightgbm\n  lightgbm: {trials: 1}")
        path.write_text(text.replace("[none, sigmoid, beta, isotonic]", "[none, sigmoid]"), encoding="utf-8")


def copy_of(workspace, folder):
    """A copy that a test may change: the new folder."""
    return Path(shutil.copytree(workspace, folder, dirs_exist_ok=True))


def state_of(folder):
    """Every file below a folder with the digest of its content: equal states, nothing written."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def rows_of(folder, table):
    """The rows of one of the registry's tables, sorted: list of tuples; empty where it does not exist."""
    with contextlib.closing(sqlite3.connect(Path(folder) / "registry.db")) as connection:
        known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        return sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) if table in known else []
