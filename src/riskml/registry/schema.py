"""The registry's ten tables as SQLAlchemy sees them: they follow from the contract and from nothing else."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, Text

from riskml.errors import RiskmlError
from riskml.registry.contract import TABLES, Kind

__all__ = ["SYNTHETIC_MARK", "registry_schema"]

SYNTHETIC_MARK = "riskml_synthetic"

_TYPES = {
    Kind.ID: Text,
    Kind.PERSON: Text,
    Kind.CODE: Text,
    Kind.CATEGORY: Text,
    Kind.QUOTE: Text,
    Kind.TEXT: Text,
    Kind.INTEGER: Integer,
    Kind.TIME: DateTime,
}


def registry_schema(extra=None):
    """The contract as SQLAlchemy tables, with the mark of a synthetic registry.

    No column is NOT NULL: a registry holds what was typed into it, faults included, and the check of its rows
    is what finds them.

    Parameters
    ----------
    extra : dict of table name -> names of further text columns, which the contract ignores

    Returns
    -------
    sqlalchemy.MetaData

    Raises
    ------
    RiskmlError    `extra` names a table that is not of the contract, or a column that is
    """
    extra = extra or {}
    schema = MetaData()
    for name in extra:
        if name not in TABLES:
            raise RiskmlError(f'unknown table "{name}"', where="extra", mend=f"Known: {', '.join(TABLES)}.")
    for table in TABLES.values():
        further = extra.get(table.name, ())
        taken = [name for name in further if name in table.names]
        if taken:
            raise RiskmlError(
                f"already a column of the contract: {', '.join(taken)}", where=f"extra, {table.name}"
            )
        Table(
            table.name,
            schema,
            *(Column(c.name, _TYPES[c.kind](), comment=c.description) for c in table.columns),
            *(Column(name, Text()) for name in further),
        )
    Table(
        SYNTHETIC_MARK,
        schema,
        Column("note", Text(), nullable=False),
        Column("seed", BigInteger()),
        Column("version", Text(), nullable=False),
    )
    return schema
