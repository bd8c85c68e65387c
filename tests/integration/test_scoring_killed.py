"""Batch scoring against a real database: whole or not at all, never twice, killed at any moment."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import inspect

from registries import KEY
from riskml.errors import RiskmlError
from riskml.registry.contract import TABLES
from riskml.registry.database import connect, reading
from riskml.registry.opinions import list_runs, read_opinions, read_reasons
from riskml.registry.pseudonyms import Key
from riskml.scoring.batch import score_batch
from small_opinion import AS_OF, small_registry

KILLS = 50


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return small_registry(tmp_path_factory.mktemp("registry"))


def state(url):
    """Everything in the database, sorted, but for when it was written: dict of table -> rows."""
    engine = connect(url)
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        found = {}
        for name in inspect(connection).get_table_names():
            columns = [c["name"] for c in inspect(connection).get_columns(name) if c["name"] != "created_at"]
            listed = ", ".join(columns)
            found[name] = sorted(map(str, connection.exec_driver_sql(f"SELECT {listed} FROM {name}").all()))
    engine.dispose()
    return found


def test_a_run_is_written_whole_and_the_same_run_changes_nothing(registry):
    engine = connect(registry.url)
    before = state(registry.url)
    dry = score_batch(engine, registry.models, registry.history, AS_OF, key=KEY, dry_run=True)
    assert state(registry.url) == before
    assert "no se escribió nada" in dry.text("es")
    first = score_batch(engine, registry.models, registry.history, AS_OF, key=KEY)
    assert first.written
    written = state(registry.url)
    assert {name: written[name] for name in TABLES} == {name: before[name] for name in TABLES}
    opinions = read_opinions(engine, first.run_id)
    assert len(opinions) == len(first.opinion.cases)
    assert set(opinions["case_id"]) <= {f"C{i}" for i in range(200)}, "the registry's own ids"
    assert len(read_reasons(engine, first.run_id)) == len(first.opinion.reasons)
    again = score_batch(engine, registry.models, registry.history, AS_OF, key=KEY)
    assert not again.written
    assert again.run_id == first.run_id == dry.run_id
    assert "no se cambió nada" in again.text("es")
    assert state(registry.url) == written
    assert len(list_runs(engine)) == 1


def test_a_wrong_key_writes_nothing(registry):
    before = state(registry.url)
    with pytest.raises(RiskmlError, match="wrong key"):
        score_batch(
            connect(registry.url), registry.models, registry.history, "2026-10-19", key=Key("9e2b7d" * 8)
        )
    assert state(registry.url) == before


# One process imports everything and forks for each run, so that fifty runs do not cost fifty starts.
WORKER = """
import os, sys
import riskml.scoring.batch as batch
import lightgbm, duckdb, pandas
from registries import KEY
from riskml.models.bundle import Model
from riskml.registry.database import connect
from riskml.registry.history import History

url, history, *bundles = sys.argv[1:]
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            models = [Model.load(folder) for folder in bundles]
            write = batch.write_run
            def announced(*arguments, **named):
                print("writing", flush=True)
                return write(*arguments, **named)
            batch.write_run = announced
            batch.score_batch(connect(url), models, History.read(history), line.strip(), key=KEY)
        finally:
            os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("done", flush=True)
"""


@pytest.fixture
def worker(registry, tmp_path):
    """A process that runs `score_batch` in a child for each date that it is told."""
    for model in registry.models:
        model.save(tmp_path / model.name)
    bundles = [str(tmp_path / model.name) for model in registry.models]
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WORKER), registry.url, str(registry.history.folder), *bundles],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONWARNINGS": "ignore"},
    )
    yield process
    process.stdin.close()
    process.wait(timeout=60)


def run(worker, date, delay=None, *, after_writing=False):
    """One run, killed `delay` seconds after its start, or after it began to write: (seconds, writing)."""
    worker.stdin.write(f"{date}\n")
    worker.stdin.flush()
    child = int(worker.stdout.readline())
    start, writing = time.monotonic(), None
    if delay is not None and not after_writing:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    while True:
        line = worker.stdout.readline().strip()
        if line == "writing":
            writing = time.monotonic() - start
            if after_writing:
                time.sleep(delay)
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        elif line == "done":
            return time.monotonic() - start, writing
        else:
            raise AssertionError(f"the worker said {line!r}")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_killed_at_fifty_moments_nothing_is_lost_and_nothing_doubled(registry, worker):
    whole, writing = run(worker, "2026-08-03")
    rng = np.random.default_rng(0)
    old, outcomes = state(registry.url), []
    for kill in range(KILLS):
        date = f"2026-{1 + kill % 7:02d}-{1 + kill // 7:02d}"
        if kill % 5 == 0:  # anywhere in the run; the others where it writes
            run(worker, date, rng.uniform(0, whole))
        else:
            run(worker, date, rng.uniform(0, 1.2 * (whole - writing)), after_writing=True)
        after_kill = state(registry.url)
        run(worker, date)
        new = state(registry.url)
        assert after_kill in (old, new), f"kill {kill}: neither the old state nor the new"
        assert len(new["riskml_runs"]) == len(old["riskml_runs"]) + 1
        outcomes.append(after_kill == new)
        old = new
    assert {name: old[name] for name in TABLES} == {name: state(registry.url)[name] for name in TABLES}
    assert not all(outcomes), "no kill came before the end"
    engine = connect(registry.url)
    for written in list_runs(engine).itertuples():
        assert len(read_opinions(engine, written.run_id)) == written.opinions
        assert len(read_reasons(engine, written.run_id)) == written.reasons
