"""Second opinions in the registry: a run is written whole, in one transaction, or not at all; and read back.

A history knows pseudonyms only. The registry's own ids are found again by hashing them on the registry's side
of the connection; no table of pairs is kept. Only riskml's own tables are written.
"""

import json
import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import inspect, select

from riskml.errors import RiskmlError
from riskml.registry.content import ContentHash, combined_hash
from riskml.registry.database import insert_rows, reading, writing
from riskml.registry.reading import own_case_ids
from riskml.registry.written import OPINIONS, REASONS, RUNS, WRITTEN

__all__ = ["Run", "list_runs", "read_opinions", "read_reasons", "write_run"]

_LOCK = 7_214_955_011  # any number: writers of runs to one PostgreSQL registry wait for each other
_OPINION_ROW = pa.schema(
    [
        (name, pa.string())
        for name in ("run_id", "case_id", "suggested_level", "risks", "patterns", "cautions")
    ]
)
_REASON_ROW = pa.schema(
    [
        *((name, pa.string()) for name in ("run_id", "case_id", "model", "dimension", "direction")),
        ("rank", pa.int64()),
        *((name, pa.string()) for name in ("text_es", "text_en", "feature", "value")),
        ("contribution", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Run:
    """What a run of batch scoring says of itself.

    Attributes
    ----------
    run_id : str             the same for the same models, history and moment
    as_of : datetime         the moment that was judged, on the registry's visible timeline
    models : dict            model -> version
    history_hash : str       content hash of the history that was read
    key_fingerprint : str    of the key of that history's pseudonyms (its manifest holds it)
    language : str           "es" or "en"
    created_at : datetime    in the registry's local time; it does not belong to what makes two runs equal
    """

    run_id: str
    as_of: datetime
    models: dict
    history_hash: str
    key_fingerprint: str
    language: str
    created_at: datetime


def write_run(engine, run, opinions, reasons, *, key):
    """Write a run, its second opinions and their reasons, in one transaction.

    Parameters
    ----------
    engine : Engine
    run : Run
    opinions : DataFrame    case_id (pseudonym), suggested_level (of LEVELS, "insufficient_data"; None: none),
        risks (dict of model -> {risk, low, high, n, events}), patterns (list), cautions (list); one row per
        case
    reasons : DataFrame     case_id (pseudonym), model, dimension, direction, rank, text_es, text_en, feature,
        value (number, text or None), contribution (log-odds)
    key : Key               the key of the history's pseudonyms

    Returns
    -------
    bool    True: written; False: this very run was there already, and nothing was changed

    Raises
    ------
    RiskmlError    wrong key, cases that the registry does not have, a run of the same id with other content,
        or the database refused. Nothing was written.
    """
    if run.key_fingerprint != key.fingerprint:
        raise RiskmlError(
            f"wrong key: the history was taken with key {run.key_fingerprint}, this is key {key.fingerprint}",
            where="key of the pseudonyms",
            mend="Set RISKML_KEY or the key file to the key that the history was taken with.",
        )
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        WRITTEN.create_all(connection)
        _check_written(connection)
        own = _own_ids(connection, key, {*opinions["case_id"], *reasons["case_id"]})
        opinion_rows = _opinion_rows(run, opinions, own)
        reason_rows = _reason_rows(run, reasons, own)
        content = _content_hash(run, opinion_rows, reason_rows)
        written = connection.execute(select(RUNS).where(RUNS.c.run_id == run.run_id)).mappings().first()
        if written:
            _check_same(connection, run, written["content_hash"], content, opinion_rows, reason_rows)
            return False
        connection.execute(
            RUNS.insert().values(
                run_id=run.run_id,
                as_of=pd.Timestamp(run.as_of).to_pydatetime(),
                created_at=pd.Timestamp(run.created_at).to_pydatetime(),
                models=_json(run.models),
                history_hash=run.history_hash,
                key_fingerprint=run.key_fingerprint,
                language=run.language,
                opinions=opinion_rows.num_rows,
                reasons=reason_rows.num_rows,
                content_hash=content,
            )
        )
        insert_rows(connection, OPINIONS.name, opinion_rows)
        insert_rows(connection, REASONS.name, reason_rows)
    return True


def _check_written(connection):
    """riskml's tables as an older version left them lack columns: all of them in one message."""
    inspector = inspect(connection)
    missing = [
        f"{table.name}.{column.name}"
        for table in WRITTEN.sorted_tables
        for held in [{c["name"] for c in inspector.get_columns(table.name)}]
        for column in table.columns
        if column.name not in held
    ]
    if missing:
        raise RiskmlError(
            f"riskml's own tables lack columns: {', '.join(missing)}",
            where="registry",
            mend="They were made by another version of riskml: rename those tables, and score again.",
        )


def _own_ids(connection, key, wanted):
    """The registry's own id of each pseudonym that is wanted: dict."""
    own = own_case_ids(connection, key, wanted)
    unknown = len(wanted) - len(own)
    if unknown:
        raise RiskmlError(
            f"{unknown} of {len(wanted)} cases of this run are not in this registry",
            where="registry",
            mend="The history was taken from another registry, or the cases were deleted: take it again.",
        )
    return own


def _plain(value):
    """A value as JSON can hold it: numpy's numbers as Python's, to nine decimals; not-a-number as null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 9)
    return None if value is pd.NaT or value is pd.NA else value


def _json(value):
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, allow_nan=False)


def _opinion_rows(run, opinions, own):
    """The rows of riskml_second_opinions, sorted by case: pyarrow.Table."""
    levels = [_plain(level) for level in opinions["suggested_level"]]
    columns = {
        "run_id": [run.run_id] * len(opinions),
        "case_id": [own[case] for case in opinions["case_id"]],
        "suggested_level": levels,
        **{name: [_json(value) for value in opinions[name]] for name in ("risks", "patterns", "cautions")},
    }
    rows = pa.table(columns, schema=_OPINION_ROW).sort_by("case_id")
    if len(set(columns["case_id"])) < rows.num_rows:
        raise RiskmlError(
            "a case has more than one second opinion", where="opinions", mend="Give one row per case."
        )
    return rows


def _reason_rows(run, reasons, own):
    """The rows of riskml_reasons, sorted: pyarrow.Table."""
    columns = {name: reasons[name].to_list() for name in _REASON_ROW.names if name in reasons.columns}
    columns |= {
        "run_id": [run.run_id] * len(reasons),
        "case_id": [own[case] for case in reasons["case_id"]],
        "value": [_json(value) for value in reasons["value"]],
    }
    rows = pa.table({name: columns[name] for name in _REASON_ROW.names}, schema=_REASON_ROW)
    return rows.sort_by(
        [(name, "ascending") for name in ("case_id", "model", "direction", "rank", "feature")]
    )


def _content_hash(run, *tables):
    """Hash of all that makes two runs equal: what they say of themselves, but for when, and every row."""
    summaries = []
    for table in tables:
        content = ContentHash(table.schema)
        for batch in table.to_batches():
            content.update(batch)
        summaries.append(content.summary())
    about = [run.run_id, pd.Timestamp(run.as_of).isoformat(), run.models, run.history_hash, run.language]
    return combined_hash([about, summaries])


def _check_same(connection, run, written, content, *tables):
    """A run that is there already has to be this very run, and whole."""
    counts = [
        connection.exec_driver_sql(
            f"SELECT count(*) FROM {table.name} WHERE run_id = {mark}", (run.run_id,)
        ).scalar()
        for table in (OPINIONS, REASONS)
        for mark in ["%s" if connection.dialect.name == "postgresql" else "?"]
    ]
    if written != content or counts != [t.num_rows for t in tables]:
        raise RiskmlError(
            f'run "{run.run_id}" is in the registry with other content',
            where=RUNS.name,
            mend="A run is never changed. Score under another run id, or find out who altered its rows.",
        )


def _rows(engine, statement):
    """Rows of riskml's tables as a DataFrame; empty where nothing was ever written."""
    with reading(engine) as connection:
        table = statement.get_final_froms()[0]
        names = [column.name for column in statement.selected_columns]
        if not inspect(connection).has_table(table.name):
            return pd.DataFrame(columns=names)
        return pd.DataFrame(connection.execute(statement).all(), columns=names)


def list_runs(engine):
    """The runs in the registry, oldest first: DataFrame of riskml_runs, `models` as dict."""
    runs = _rows(engine, select(RUNS).order_by(RUNS.c.as_of, RUNS.c.created_at))
    return runs.assign(models=[json.loads(text) for text in runs["models"]])


def read_opinions(engine, run_id):
    """The second opinions of a run.

    Parameters
    ----------
    engine : Engine
    run_id : str

    Returns
    -------
    DataFrame    case_id (the registry's own), suggested_level, risks (dict), patterns and cautions (lists),
        sorted by case_id

    Raises
    ------
    RiskmlError    no such run
    """
    columns = [c for c in OPINIONS.columns if c.name != "run_id"]
    opinions = _of_run(engine, select(*columns).where(OPINIONS.c.run_id == run_id), run_id)
    for name in ("risks", "patterns", "cautions"):
        opinions[name] = pd.Series([json.loads(text) for text in opinions[name]], dtype=object)
    return opinions.sort_values("case_id", ignore_index=True)


def read_reasons(engine, run_id, *, case_id=None):
    """The reasons of a run, or of one of its cases.

    Parameters
    ----------
    engine : Engine
    run_id : str
    case_id : str or None    the registry's own id; None: all cases

    Returns
    -------
    DataFrame    the columns of riskml_reasons without run_id, sorted by case, model, direction and rank

    Raises
    ------
    RiskmlError    no such run
    """
    statement = select(*(c for c in REASONS.columns if c.name != "run_id")).where(REASONS.c.run_id == run_id)
    if case_id is not None:
        statement = statement.where(REASONS.c.case_id == case_id)
    reasons = _of_run(engine, statement, run_id)
    reasons["value"] = pd.Series([json.loads(text) for text in reasons["value"]], dtype=object)
    return reasons.sort_values(["case_id", "model", "direction", "rank", "feature"], ignore_index=True)


def _of_run(engine, statement, run_id):
    runs = list_runs(engine)["run_id"].tolist()
    if run_id not in runs:
        raise RiskmlError(
            f'no run "{run_id}"', where=RUNS.name, mend=f"The last are: {', '.join(runs[-5:]) or 'none'}."
        )
    return _rows(engine, statement)
