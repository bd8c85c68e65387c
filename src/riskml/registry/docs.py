"""`docs/registry.md`, rendered from the contract by `python -m riskml.registry.docs docs/registry.md`."""

import sys
from importlib.resources import files
from pathlib import Path

from riskml.registry.checks import REASONS
from riskml.registry.contract import CONTRACT_VERSION, TABLES, Kind
from riskml.registry.staged_outcomes import acceptance, refusal
from riskml.registry.written import REVIEWED, WRITTEN

__all__ = ["registry_page"]

_BECOMES = {
    Kind.ID: "keyed hash",
    Kind.PERSON: "keyed hash",
    Kind.CODE: "as it is",
    Kind.CATEGORY: "as it is; masked where it looks personal",
    Kind.INTEGER: "as it is",
    Kind.TIME: "as it is",
    Kind.QUOTE: "only words of the vocabulary survive",
    Kind.TEXT: "never enters",
}


def _values(column):
    if column.values:
        return ", ".join(f"`{value}`" for value in column.values)
    if column.minimum is not None:
        return f"{column.minimum} to {column.maximum}"
    return ""


def _read_table(table):
    lines = [
        f"\n### {table.name}\n\n{table.description[0].upper()}{table.description[1:]}.\n",
        "| column | kind | null | what it holds | values | in a history |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for column in table.columns:
        null = "yes" if column.nullable else ""
        late = "; may be filled in later" if column.revealed_later else ""
        becomes = "as it is, after the check" if column.name == "factor" else _BECOMES[column.kind]
        lines.append(
            f"| {column.name} | {column.kind.value} | {null} | {column.description}{late} "
            f"| {_values(column)} | {becomes} |"
        )
    return "\n".join(lines)


def _written_table(table):
    lines = [
        f"\n### {table.name}\n\n{table.comment[0].upper()}{table.comment[1:]}.\n",
        "| column | type | null | what it holds |",
        "| --- | --- | --- | --- |",
    ]
    for column in table.columns:
        kind = {"DATETIME": "timestamp", "FLOAT": "double precision"}.get(
            str(column.type), str(column.type).lower()
        )
        lines.append(f"| {column.name} | {kind} | {'yes' if column.nullable else ''} | {column.comment} |")
    return "\n".join(lines)


def registry_page():
    """The page, Markdown: str."""
    prose = (files("riskml.registry") / "page.md").read_text(encoding="utf-8")
    return prose.format(
        version=CONTRACT_VERSION,
        read="\n".join(_read_table(table) for table in TABLES.values()),
        reasons="\n".join(f"| {reason} | {words} |" for reason, words in REASONS.items()),
        written="\n".join(_written_table(table) for table in WRITTEN.tables.values()),
        staged="\n".join(_written_table(table) for table in REVIEWED.tables.values()),
        refusal=refusal("2026-01-05 08:00", "R07"),
        acceptance=acceptance("2026-01-05 08:00"),
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(registry_page(), encoding="utf-8")
