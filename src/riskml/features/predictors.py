"""Which columns of the registry a feature may read, and why the others may not."""

from riskml.registry.contract import TABLES, Column, Kind
from riskml.vocabulary import AUDIT_ONLY, did_you_mean

__all__ = ["DERIVED", "column_refusal", "read_column"]

# Whole numbers that every table with the two clocks gives beside its own columns.
DERIVED = {
    "recording_lag": Column(
        "recording_lag",
        Kind.INTEGER,
        "whole days from occurred_at to recorded_at; 0 where it was recorded before",
    ),
    "occurred_on": Column("occurred_on", Kind.INTEGER, "the day of occurred_at, counted from 1970"),
}


def read_column(table, name):
    """What a feature reads under a name: Column, of the contract or derived from the two clocks."""
    return DERIVED[name] if name in DERIVED else TABLES[table][name]


def column_refusal(table, column, factors=()):
    """Why a feature may not read a column, as (what, mend); None where it may.

    Parameters
    ----------
    table : str      a table of the contract
    column : str     the name that the catalogue gives
    factors : container of factor codes, for the hint where a factor was meant
    """
    if (table, column) in AUDIT_ONLY or ("*", column) in AUDIT_ONLY:
        return (
            f'column "{column}" of table {table} is for audits only and may not be a predictor',
            "Leave it out; reports by group read it by themselves.",
        )
    if column in DERIVED:
        return None
    contract = TABLES[table]
    if column not in contract.names:
        return f'unknown column "{column}" of table {table}', _near(column, contract, factors)
    known = contract[column]
    if known.kind is Kind.TEXT:
        return (
            f'column "{column}" of table {table} is free text, which never enters a history',
            "What a text says enters as factors.",
        )
    if known.revealed_later:
        return (
            f'column "{column}" of table {table} may be filled in after the row was recorded: '
            "it would leak the future",
            "Read what was known when the row was recorded; `in_force` and `days_to_expiry` handle endings.",
        )
    return None


def _near(word, contract, factors):
    known = [c.name for c in contract.columns if column_refusal(contract.name, c.name) is None]
    hint = did_you_mean(word, [*known, *DERIVED]) or f"Columns: {', '.join(known)}."
    codes = did_you_mean(word, factors).removeprefix("Did you mean ").removesuffix("?")
    if codes:
        first = codes.split('"')[1]
        hint += f" Or the factor {codes}? (table: factors, where: factor = '{first}')"
    return hint
