"""The connection to the registry: engines, transactions, its tables, and rows written in bulk.

Reading happens in one read-only transaction (a consistent snapshot), writing in one that is kept whole or not
at all. Messages never repeat what a row or a password holds.
"""

import re
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from sqlalchemy import Engine, create_engine, exc, func, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from riskml.errors import RiskmlError
from riskml.registry.contract import CONTRACT_VERSION, TABLES, Kind
from riskml.registry.schema import SYNTHETIC_MARK, registry_schema
from riskml.vocabulary import did_you_mean

__all__ = [
    "check_registry",
    "connect",
    "create_tables",
    "database_error",
    "insert_rows",
    "is_synthetic",
    "mark_synthetic",
    "reading",
    "write_registry",
    "writing",
]

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_CHUNK = 100_000


def _shown(url):
    """A URL fit for a message: without its password, and without its query, which may hold one."""
    return url.difference_update_query(url.query).render_as_string(hide_password=True)


def connect(url, *, create=False):
    """An engine for a registry's URL, tried out with one connection.

    Parameters
    ----------
    url : str        `sqlite:///registry.db` or `postgresql+psycopg://user@host/registry`, or an Engine
    create : bool    whether a SQLite file that does not exist may be made; otherwise it is an error

    Returns
    -------
    sqlalchemy.Engine

    Raises
    ------
    RiskmlError    not a URL, unknown kind of database, driver not installed, or it cannot be reached
    """
    if isinstance(url, Engine):
        return url
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise RiskmlError(
            "not a database URL", where="registry url", mend='Write it like "sqlite:///registry.db".'
        ) from None
    dialect = parsed.get_backend_name()
    if dialect not in _DRIVERS:
        raise RiskmlError(
            f'unknown kind of database "{dialect}"',
            where="registry url",
            mend=f"{did_you_mean(dialect, _DRIVERS)} Use sqlite or postgresql+psycopg.".strip(),
        )
    if "+" not in parsed.drivername:
        parsed = parsed.set(drivername=_DRIVERS[dialect])
    if dialect == "sqlite" and not create:
        _check_file(parsed)
    try:
        # No pool: a connection is closed when its transaction ends, and no server keeps an idle one of ours.
        in_memory = dialect == "sqlite" and parsed.database in (None, "", ":memory:")
        engine = create_engine(parsed, **({} if in_memory else {"poolclass": NullPool}))
        with engine.connect() as connection:
            if dialect == "sqlite":
                connection.exec_driver_sql(
                    "PRAGMA schema_version"
                )  # SQLite opens a file when it is asked something
    except (ImportError, exc.NoSuchModuleError):
        raise RiskmlError(
            f"the driver of {parsed.drivername} is not installed",
            where="registry url",
            mend="Install it with: pip install 'riskml[postgresql]'",
        ) from None
    except exc.DBAPIError as error:
        raise RiskmlError(
            f"cannot reach the registry ({_reason(error)})",
            where=_shown(parsed),
            mend="Check its address, the user's rights, and that the server is running.",
        ) from None
    return engine


def _check_file(url):
    """SQLite makes an empty database of any path: a registry that is to be read has to exist."""
    path = url.database
    if path in (None, "", ":memory:") or path.startswith("file:"):
        return
    if not Path(path).is_file():
        raise RiskmlError(
            "no registry here: no such file",
            where=path,
            mend="Set registry.url in riskml.toml, or make a synthetic registry with `riskml simulate`.",
        )


def _reason(error):
    """Why a database refused, in words that cannot hold the content of a row or a password."""
    cause = error.orig
    state = getattr(cause, "sqlstate", None)
    if state:
        return f"{type(cause).__name__}, SQLSTATE {state}"
    if type(cause).__module__.startswith("sqlite3"):
        return re.sub(r"'[^']*'", "'...'", str(cause).splitlines()[0])
    if isinstance(error, exc.OperationalError) and "connection" in str(cause):
        # libpq names host, port and user here, never the password.
        return " ".join(str(cause).split())[:300]
    return type(cause).__name__


@contextmanager
def database_error(engine, doing):
    """Turn a database's refusal into one readable message.

    Parameters
    ----------
    engine : Engine    named in the message, without its password
    doing : str        what was being done
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise RiskmlError(
            f"{doing} failed ({_reason(error)})",
            where=_shown(engine.url),
            mend="Nothing was written. Check the disk, the user's rights, and whether it is in use.",
        ) from None


@contextmanager
def reading(engine):
    """One read-only transaction: everything read within it is of one moment.

    PostgreSQL: REPEATABLE READ, READ ONLY. SQLite: one transaction with writing switched off.

    Yields
    ------
    sqlalchemy.Connection
    """
    with database_error(engine, "reading"), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        try:
            yield connection
        finally:
            connection.rollback()
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = OFF")


@contextmanager
def writing(engine):
    """One transaction: all of it is written when the block ends, nothing when it raises or the process dies.

    Yields
    ------
    sqlalchemy.Connection
    """
    with database_error(engine, "writing"), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # The driver would open the transaction only at the first row, after the tables were made.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def create_tables(connection, *, extra=None):
    """Make those of the registry's tables that do not exist yet.

    Parameters
    ----------
    connection : Connection within `writing(engine)`, or an Engine
    extra : dict of table name -> names of further text columns (a name, a phone), which the contract ignores
    """
    if isinstance(connection, Engine):
        with writing(connection) as opened:
            create_tables(opened, extra=extra)
        return
    schema = registry_schema(extra)
    schema.create_all(connection, tables=[schema.tables[name] for name in TABLES])


def mark_synthetic(connection, note, *, seed=None):
    """Mark the registry as synthetic; every history taken from it says so.

    Parameters
    ----------
    connection : Connection within `writing(engine)`, or an Engine
    note : str            what made it
    seed : int or None    with what seed
    """
    if isinstance(connection, Engine):
        with writing(connection) as opened:
            mark_synthetic(opened, note, seed=seed)
        return
    mark = registry_schema().tables[SYNTHETIC_MARK]
    mark.create(connection, checkfirst=True)
    connection.execute(mark.delete())
    connection.execute(insert(mark).values(note=note, seed=seed, version=CONTRACT_VERSION))


def is_synthetic(connection):
    """Whether the registry is marked as synthetic: bool."""
    if not inspect(connection).has_table(SYNTHETIC_MARK):
        return False
    return bool(connection.scalar(select(func.count()).select_from(registry_schema().tables[SYNTHETIC_MARK])))


def check_registry(engine):
    """Raise when tables or columns of the contract are missing: all of them in one message.

    Views count as tables. Further tables and columns are ignored.

    Parameters
    ----------
    engine : Engine or Connection

    Raises
    ------
    RiskmlError    names every missing table and column
    """
    if isinstance(engine, Engine):
        with reading(engine) as connection:
            return check_registry(connection)
    inspector = inspect(engine)
    present = {*inspector.get_table_names(), *inspector.get_view_names()}
    if engine.dialect.name == "postgresql":
        present |= set(inspector.get_materialized_view_names())
    tables = [name for name in TABLES if name not in present]
    columns, hints = [], []
    for table in TABLES.values():
        if table.name in tables:
            near = did_you_mean(table.name, present - set(TABLES))
            hints += [f"{table.name}: {near}"] if near else []
            continue
        held = {c["name"] for c in inspector.get_columns(table.name)}
        for name in table.names:
            if name not in held:
                columns.append(f"{table.name}.{name}")
                near = did_you_mean(name, held - set(table.names))
                hints += [f"{table.name}.{name}: {near}"] if near else []
    if tables or columns:
        missing = [f"missing tables: {', '.join(tables)}"] if tables else []
        missing += [f"missing columns: {', '.join(columns)}"] if columns else []
        raise RiskmlError(
            "; ".join(missing),
            where=_shown(engine.engine.url),
            mend="\n".join(
                [*hints, "Make them, or views of these names; docs/registry.md lists every column."]
            ),
        )


def _as_arrow(name, rows):
    """Rows as an Arrow table of plain columns; whole numbers where the contract wants them."""
    try:
        table = pa.Table.from_pandas(rows, preserve_index=False) if isinstance(rows, pd.DataFrame) else rows
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise RiskmlError(
            "a column holds values of several types",
            where=f"rows of {name}",
            mend="Give one type per column.",
        ) from None
    kinds = {c.name: c.kind for c in TABLES[name].columns} if name in TABLES else {}
    columns = {}
    for column in table.column_names:
        values = table[column]
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if kinds.get(column) is Kind.INTEGER and pa.types.is_floating(values.type):
            values = pc.if_else(pc.is_nan(values), None, values).cast(pa.int64())
        if pa.types.is_timestamp(values.type):
            values = values.cast(pa.timestamp("us"), safe=False)
        columns[column] = values
    return pa.table(columns)


def insert_rows(connection, name, rows):
    """Write rows into one table, in chunks; they stand when the transaction of `connection` ends.

    PostgreSQL takes them by COPY, SQLite by one prepared statement.

    Parameters
    ----------
    connection : Connection within `writing(engine)`
    name : str    the table
    rows : DataFrame or pyarrow.Table    any of its columns; the others stay null

    Returns
    -------
    int    the number of rows written
    """
    table = _as_arrow(name, rows)
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(c) for c in table.column_names)
    for start in range(0, table.num_rows, _CHUNK):
        chunk = table.slice(start, _CHUNK)
        if connection.dialect.name == "postgresql":
            _copy(connection, f"COPY {quote(name)} ({columns}) FROM STDIN (FORMAT csv)", chunk)
        else:
            marks = ", ".join("?" * chunk.num_columns)
            values = zip(*(_sqlite_values(c) for c in chunk.columns), strict=True)
            connection.exec_driver_sql(
                f"INSERT INTO {quote(name)} ({columns}) VALUES ({marks})", list(values)
            )
    return table.num_rows


def _sqlite_values(column):
    """A column as Python values; times as the text in which SQLAlchemy writes them to SQLite."""
    return (column.cast(pa.string()) if pa.types.is_timestamp(column.type) else column).to_pylist()


def _copy(connection, statement, chunk):
    buffer = BytesIO()
    # Strings are quoted and nulls are not, so that PostgreSQL tells an empty text from no text.
    pa_csv.write_csv(chunk, buffer, pa_csv.WriteOptions(include_header=False))
    with (
        _driver_errors(),
        connection.connection.driver_connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.write(buffer.getvalue())


@contextmanager
def _driver_errors():
    """The driver's own errors, raised beside SQLAlchemy, in SQLAlchemy's clothes."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise exc.DBAPIError("COPY", None, error) from None


def write_registry(engine, chunks, *, note=None, seed=None, extra=None, replace=False):
    """Fill a registry in one transaction: interrupted, it is as it was.

    Parameters
    ----------
    engine : Engine
    chunks : iterable of (table name, DataFrame or pyarrow.Table)    a table may come in many chunks
    note : str or None     marks the registry as synthetic, and says what made it
    seed : int or None     kept with the note
    extra : dict of table name -> names of further text columns
    replace : bool         whether a synthetic registry that is there may be replaced; a real one never is

    Returns
    -------
    dict of table name -> rows written

    Raises
    ------
    RiskmlError    the registry already holds tables of the contract, or the database refused
    """
    written = dict.fromkeys(TABLES, 0)
    with writing(engine) as connection:
        present = set(inspect(connection).get_table_names()) & set(TABLES)
        if present:
            if not (replace and is_synthetic(connection)):
                raise RiskmlError(
                    f"the registry already holds tables: {', '.join(t for t in TABLES if t in present)}",
                    where=_shown(engine.url),
                    mend="Write to another database; only a synthetic registry is replaced, when asked.",
                )
            registry_schema().drop_all(connection)
        create_tables(connection, extra=extra)
        for name, rows in chunks:
            written[name] += insert_rows(connection, name, rows)
        if note is not None:
            mark_synthetic(connection, note, seed=seed)
    return written
