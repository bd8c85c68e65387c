"""`docs/spec.md`, rendered by `python -m riskml.features.spec_page tests/spec docs/spec.md`.

What the tests run is what the page shows: titles from the names, tables and expectations from the sources.
"""

import ast
import sys
import textwrap
from pathlib import Path

import yaml

from riskml.errors import RiskmlError

__all__ = ["spec_page"]

_INTRODUCTION = """# What the features mean, by example

Rendered from `tests/spec/`; every line below is run by the tests. Edit those, then render this page
again (`make docs`).

The rule: a fact is known from the later of `recorded_at` and `occurred_at` until `superseded_at`, as
long as its case is known; it is in a window until that long after it occurred. In the tables, what is
left out takes a plain value: `recorded_at` is `occurred_at`, and a case without a row of its own was
opened in 2020 with an aggressor and a victim of its own. `-` is null.

The first chapters read a small catalogue of their own, which stands at the end of this page. The chapters
called *Catalogue* read the workspace's; [catalogue.md](catalogue.md) says what it rests on.
"""
# The order of the chapters; those that are not named here follow by name.
_CHAPTERS = (
    "visibility",
    "windows",
    "corrections",
    "aggregates",
    "factors",
    "measures",
    "scopes",
    "formulas",
    "starting_catalogue",
)
_READ = {"feature", "of", "at", "is_", "is_missing"}


def spec_page(folder):
    """The page of a folder of spec tests, in Markdown.

    Parameters
    ----------
    folder : path of a folder of `test_*.py` and of `features/*.yml`, the catalogue that they read

    Returns
    -------
    str

    Raises
    ------
    RiskmlError    no spec tests there
    """
    folder = Path(folder)
    chapters = {path.stem.removeprefix("test_"): path for path in sorted(folder.glob("test_*.py"))}
    if not chapters:
        raise RiskmlError("no spec tests here", where=str(folder), mend="They are named test_*.py.")
    order = [name for name in _CHAPTERS if name in chapters]
    order += [name for name in chapters if name not in order]
    parts = [_INTRODUCTION]
    for name in order:
        parts.append(_chapter(ast.parse(chapters[name].read_text(encoding="utf-8")), chapters[name]))
    parts.append(_features(folder / "features"))
    return "\n".join(parts)


def _chapter(module, path):
    lines = path.read_text(encoding="utf-8").splitlines()
    title, _, rest = ast.get_docstring(module).partition(":")
    parts = [f"## {title}\n\n{_sentence(rest.strip())}\n"]
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            parts.append(_example(node, lines))
    return "\n".join(parts)


def _sentence(text):
    return text[:1].upper() + text[1:]


def _example(function, lines):
    title = function.name.removeprefix("test_").replace("_", " ")
    parts = [f"### {_sentence(title)}\n"]
    note = ast.get_docstring(function)
    if note:
        parts.append(f"{note}\n")
    rows = []
    for statement in function.body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call):
            continue
        if call.func.attr == "history":
            parts += [*_read_table(rows), f"```text\n{textwrap.dedent(call.args[0].value).strip()}\n```\n"]
            rows = []
        elif call.func.attr in ("is_", "is_missing"):
            rows.append(_expectation(call, lines[call.end_lineno - 1][call.end_col_offset :]))
    return "\n".join([*parts, *_read_table(rows)])


def _expectation(call, after):
    """What one line expects: dict of `feature`, `of`, `at`, `is_` and the comment beside it."""
    read = {"comment": after.partition("#")[2].strip()}
    while isinstance(call, ast.Call) and call.func.attr in _READ:
        read[call.func.attr] = _given(call.args[0]) if call.args else "missing"
        call = call.func.value
    return read


def _given(argument):
    """What stands in a call: a value, or the expression that gives it."""
    return argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument)


def _read_table(rows):
    """The expectations as a table, without the columns that no row fills."""
    if not rows:
        return []
    columns = {
        "feature": [f"`{row['feature']}`" for row in rows],
        "case": [row.get("of", "") for row in rows],
        "as of": [row["at"] for row in rows],
        "is": [f"**{row.get('is_', 'missing')}**" for row in rows],
        "because": [row["comment"] for row in rows],
    }
    columns = {name: values for name, values in columns.items() if any(values)}
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(cells)} |" for cells in zip(*columns.values(), strict=True)]
    return ["\n".join(lines) + "\n"]


def _features(folder):
    """The definitions that the examples read."""
    lines = ["## The features of these examples\n", "| feature | table | definition |", "| --- | --- | --- |"]
    for path in sorted(folder.glob("*.yml")):
        for block in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for name, entry in block["features"].items():
                words = ", ".join(f"{key}: {_shown(value)}" for key, value in entry.items() if key != "label")
                lines.append(f"| `{name}` | {block.get('table', '-')} | `{words}` |")
    return "\n".join(lines) + "\n"


def _shown(value):
    return f"[{', '.join(value)}]" if isinstance(value, list) else value


if __name__ == "__main__":
    source, target = sys.argv[1:]
    Path(target).write_text(spec_page(source), encoding="utf-8")
