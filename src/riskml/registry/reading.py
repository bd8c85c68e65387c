"""The registry's rows as text, a chunk at a time: each value as the database writes it.

All of it within one transaction of `database.reading`. Free text is not asked for, except the incidents'
narratives where they are to be read; what they say is taken down as codes before anything is written.
"""

import pyarrow as pa

from riskml.registry.contract import TABLES
from riskml.registry.masking import personal_columns

__all__ = ["case_ids", "category_counts", "count_rows", "own_case_ids", "personal_entries", "read_texts"]

_CHUNK = 50_000


def _rows(connection, statement):
    """Partitions of rows, streamed: the driver never holds more than a chunk."""
    options = {"stream_results": True, "yield_per": _CHUNK}
    with connection.exec_driver_sql(statement, execution_options=options) as result:
        yield from result.partitions(_CHUNK)


def _as_text(connection, columns):
    quote = connection.dialect.identifier_preparer.quote
    return ", ".join(f"CAST({quote(name)} AS TEXT)" for name in columns)


def _name(connection, table):
    return connection.dialect.identifier_preparer.quote(table)


def count_rows(connection, table):
    """Number of rows of a table, int."""
    return connection.exec_driver_sql(f"SELECT count(*) FROM {_name(connection, table)}").scalar()


def read_texts(connection, table, *, also=()):
    """The rows of one table.

    Parameters
    ----------
    connection : Connection within `reading(engine)`
    table : contract.Table
    also : sequence of str    columns to read that do not enter a history

    Yields
    ------
    dict of column name -> pyarrow.StringArray, shape (n,), n at most 50,000: every column that enters a
    history, and those of `also`
    """
    names = [*(column.name for column in table.history_columns), *also]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL DateStyle TO ISO")
    statement = f"SELECT {_as_text(connection, names)} FROM {_name(connection, table.name)}"
    for rows in _rows(connection, statement):
        columns = zip(*rows, strict=True)
        yield {name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True)}


def category_counts(connection, table, column):
    """The values of an open category, without blanks around them, and how many rows hold each: dict."""
    counts = {}
    expression = _as_text(connection, [column])
    for rows in _rows(
        connection, f"SELECT {expression}, count(*) FROM {_name(connection, table)} GROUP BY 1"
    ):
        for value, number in rows:
            if value is not None and value.strip():
                counts[value.strip()] = counts.get(value.strip(), 0) + number
    return counts


def personal_entries(connection):
    """Every name, address and other personal entry that stands in columns which the contract does not know.

    A person's name columns are put together in the table's order, so that a whole name is known as one.

    Yields
    ------
    (kind, text)
    """
    for table in TABLES:
        columns = personal_columns(connection, table)
        if not columns:
            continue
        kinds = list(columns.values())
        several = kinds.count("name") > 1
        for rows in _rows(
            connection, f"SELECT {_as_text(connection, columns)} FROM {_name(connection, table)}"
        ):
            for row in rows:
                entries = [
                    (kind, text) for kind, text in zip(kinds, row, strict=True) if text and text.strip()
                ]
                yield from entries
                if several:
                    yield "name", " ".join(text for kind, text in entries if kind == "name")


def case_ids(connection):
    """The registry's own case ids, each once, as text.

    Yields
    ------
    pyarrow.StringArray
    """
    for rows in _rows(connection, f"SELECT DISTINCT {_as_text(connection, ['case_id'])} FROM cases"):
        yield pa.array([text for (text,) in rows if text is not None], pa.string())


def own_case_ids(connection, key, wanted):
    """The registry's own id of each pseudonym that is wanted, found by hashing all of them again.

    Parameters
    ----------
    connection : Connection within a transaction of the registry
    key : Key
    wanted : set of str    pseudonyms of cases

    Returns
    -------
    dict of pseudonym -> str    without those that the registry does not have
    """
    own = {}
    for texts in case_ids(connection):
        for pseudonym, text in zip(
            key.pseudonyms("case_id", texts).to_pylist(), texts.to_pylist(), strict=True
        ):
            if pseudonym in wanted:
                own[pseudonym] = text
    return own
