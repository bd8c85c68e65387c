"""`docs/registry.md`, rendered from the contract: `python -m riskml.registry.docs docs/registry.md` writes it."""

import sys
from pathlib import Path

from riskml.registry.checks import REASONS
from riskml.registry.contract import CONTRACT_VERSION, TABLES, Kind
from riskml.registry.written import WRITTEN

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

_HEAD = f"""# The registry

This page is rendered from `src/riskml/registry/contract.py`, contract version {CONTRACT_VERSION}; a test keeps it
fresh.

The registry is another system. `riskml` reads ten tables, or views of these names, and writes four of its own. Ids
are text, times are `timestamp` without a zone in the registry's local time (`timezone` in `riskml.toml`). Further
tables and columns are ignored; whatever is missing is listed in one error.

Every fact has two clocks: `occurred_at`, when it happened, and `recorded_at`, when the registry learnt it. A
correction does not change a row: it fills in `superseded_at`, and a new row says what is now known.

SQLite is embedded; PostgreSQL needs `pip install 'riskml[postgresql]'` and the URL in `riskml.toml`
(`postgresql+psycopg://user@host/registry`, or RISKML_REGISTRY_URL). `riskml` reads within one read-only transaction
(REPEATABLE READ), so a user that may only SELECT is enough to take a history; scoring needs to create and fill the
four tables below.
"""

_HISTORY = """
## What becomes of it in a history

`riskml history` copies the registry to `histories/<content hash>/`: a Parquet file for each table and a
`manifest.json`. The same registry gives the same hash, whatever the order of its rows and whichever of the two
databases holds it. Without a change nothing is rewritten.

| kind | in a history |
| --- | --- |
| id, person | HMAC-SHA256 of the id, cut to 128 bits, with a key from RISKML_KEY or the key file (mode 600). Each kind of id is hashed apart: case 7 and victim 7 have nothing in common |
| code, integer, time | as it is, after the check below |
| category | as it is; the whole value becomes `[…]` where it holds five digits or more, an address of the net, a sentence, or a name or address of the registry's own further columns (`name`, `apellido_paterno`, `phone`, `domicilio`, ...) |
| quote | words of the Spanish labels and phrases of `features/factors.yml` and a closed list of function words survive; everything else, every number included, becomes `[…]` |
| text | never read |

Further columns of names, phones and addresses are read for one purpose: to find them in categories. They are not
copied.

## The check of the rows

A row that breaks the contract stops the history, with all faults counted in one message that names table, column
and row but never what the row holds. With `--set-aside` such rows are kept apart in `rejected.parquet` (table,
pseudonym, column, reason) and counted in the manifest.

| reason | meaning |
| --- | --- |
"""

_NOTES = """
Kept, and counted in the manifest under `faults`:

| note | what is done |
| --- | --- |
| occurred_at_missing | `recorded_at` takes its place |
| recorded_before_occurred | kept; the fact is visible at the later of its two times |
| superseded_before_recorded | kept; the fact is never visible |
| repeated_rows | rows equal in every column, of a table without ids of its own: kept |
| without_case | facts of a case that is not in `cases`: kept; never visible |
| masked | values masked as above |

A time with an offset is brought to the registry's zone. PostgreSQL's `infinity` reads as no end. A row whose
`recorded_at` is missing, or whose clocks lie outside 1900-2200, is refused. Two incidents or measures that are
equal in every column, their own id included, are one record twice: the second is refused.

## Tables that riskml writes

Nothing else is ever written. A run is written whole, in one transaction, or not at all; the same run again changes
nothing. `riskml_synthetic` (note, seed, version) marks a registry that the simulator made; every history taken from
it says so.
"""


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
            f"| {column.name} | {column.kind.value} | {null} | {column.description}{late} | {_values(column)} "
            f"| {becomes} |"
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
    read = "\n".join(_read_table(table) for table in TABLES.values())
    reasons = "\n".join(f"| {reason} | {words} |" for reason, words in REASONS.items())
    written = "\n".join(_written_table(table) for table in WRITTEN.tables.values())
    return f"{_HEAD}\n## Tables that riskml reads\n{read}\n{_HISTORY}{reasons}\n{_NOTES}{written}\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(registry_page(), encoding="utf-8")
