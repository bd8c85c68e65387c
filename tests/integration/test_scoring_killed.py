"""Batch scoring against a real database: whole or not at all, never twice, killed at any moment."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from registries import KEY
from riskml.errors import RiskmlError
from riskml.registry.contract import TABLES
from riskml.registry.database import connect, reading
from riskml.registry.opinions import list_runs, read_opinions, read_reasons
from riskml.registry.pseudonyms import Key
from riskml.scoring.batch import score_batch
from small_opinion import AS_OF, small_registry

KILLS = 50


def anybody(models):
    """No review stands before the writing that is looked at here."""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return small_registry(tmp_path_factory.mktemp("registry"))


def state(url):
    """Everything in the database but for when it was written: dict of table -> set of rows."""
    engine = connect(url)
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA quick_check").scalar() == "ok"
        found = {}
        for name in inspect(connection).get_table_names():
            columns = [c["name"] for c in inspect(connection).get_columns(name) if c["name"] != "created_at"]
            listed = ", ".join(columns)
            rows = connection.exec_driver_sql(f"SELECT {listed} FROM {name}").cursor.fetchall()
            found[name] = sorted(rows, key=repr) if name in TABLES else set(rows)
            assert len(found[name]) == len(rows), "rows that are doubled"
    engine.dispose()
    return found


def test_a_run_is_written_whole_and_the_same_run_changes_nothing(registry):
    engine = connect(registry.url)
    before = state(registry.url)
    dry = score_batch(engine, registry.models, registry.history, AS_OF, key=KEY, permit=anybody, dry_run=True)
    assert state(registry.url) == before
    assert "no se escribió nada" in dry.text("es")
    first = score_batch(engine, registry.models, registry.history, AS_OF, key=KEY, permit=anybody)
    assert first.written
    written = state(registry.url)
    assert {name: written[name] for name in TABLES} == {name: before[name] for name in TABLES}
    opinions = read_opinions(engine, first.run_id)
    assert len(opinions) == len(first.opinion.cases)
    assert set(opinions["case_id"]) <= {f"C{i}" for i in range(200)}, "the registry's own ids"
    assert len(read_reasons(engine, first.run_id)) == len(first.opinion.reasons)
    again = score_batch(engine, registry.models, registry.history, AS_OF, key=KEY, permit=anybody)
    assert not again.written
    assert again.run_id == first.run_id == dry.run_id
    assert "no se cambió nada" in again.text("es")
    assert state(registry.url) == written
    assert len(list_runs(engine)) == 1


def test_what_is_no_longer_permitted_when_it_would_be_written_is_not(registry):
    """Risks and reasons take minutes, in which an approval may be withdrawn or expire."""
    before, asked = state(registry.url), []

    def withdrawn(models):
        asked.append([model.version for model in models])
        if len(asked) == 2:
            raise RiskmlError("was rejected")

    with pytest.raises(RiskmlError, match="was rejected"):
        score_batch(
            connect(registry.url), registry.models, registry.history, "2026-10-12", key=KEY, permit=withdrawn
        )
    assert asked == [[model.version for model in registry.models]] * 2
    assert state(registry.url) == before


def test_a_wrong_key_writes_nothing(registry):
    before = state(registry.url)
    with pytest.raises(RiskmlError, match="wrong key"):
        score_batch(
            connect(registry.url),
            registry.models,
            registry.history,
            "2026-10-19",
            key=Key("9e2b7d" * 8),
            permit=anybody,
        )
    assert state(registry.url) == before


# One process forks for each run, so that fifty runs do not cost fifty starts. In the child `score_batch` is
# the real one; where it says "written", `score` gives an opinion made beforehand, moved to the date. Nothing
# that starts OpenMP's threads may happen before a fork whose child needs them.
WORKER = """
import dataclasses, os, sys
import pandas
import riskml.scoring.batch as batch
from registries import KEY
from riskml.models.bundle import Model
from riskml.registry.database import connect
from riskml.registry.history import History

url, folder, *bundles = sys.argv[1:]
history, prepared = History.read(folder), None

def loaded():
    return [Model.load(b) for b in bundles]

def moved(date):
    cases = prepared.cases.head(30)
    other = dataclasses.replace(prepared, as_of=pandas.Timestamp(date), cases=cases)
    other.__dict__["reasons"] = prepared.reasons[prepared.reasons["case_id"].isin(cases.index)]
    return other

for line in sys.stdin:
    kind, date = line.split()
    if kind == "written" and prepared is None:
        prepared = batch.score(loaded(), history, "2026-10-26")
        prepared.reasons
    child = os.fork()
    if child == 0:
        try:
            write = batch.write_run
            def announced(*arguments, **named):
                print("writing", flush=True)
                return write(*arguments, **named)
            batch.write_run = announced
            if kind == "written":
                batch.score = lambda *arguments, **named: moved(date)
            models = [] if kind == "written" else loaded()
            batch.score_batch(connect(url), models, history, date, key=KEY, permit=lambda models: None)
        finally:
            os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("done", flush=True)
"""


@pytest.fixture
def untouched(registry, tmp_path):
    """A copy of the registry, in which no other test has written: the dates of the kills are free."""
    shutil.copy(make_url(registry.url).database, tmp_path / "registry.db")
    return replace(registry, url=f"sqlite:///{tmp_path / 'registry.db'}")


@pytest.fixture
def worker(untouched, tmp_path):
    """A process that runs `score_batch` in a child for each date that it is told."""
    for model in untouched.models:
        model.save(tmp_path / model.name)
    bundles = [str(tmp_path / model.name) for model in untouched.models]
    command = [sys.executable, "-c", textwrap.dedent(WORKER), untouched.url, str(untouched.history.folder)]
    with subprocess.Popen(
        [*command, *bundles],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONWARNINGS": "ignore"},
    ) as process:
        yield process
        process.stdin.close()


def run(worker, kind, date, delay=None):
    """One run, whole or only what is written; killed `delay` seconds after it started, or began to write.

    Returns
    -------
    (seconds that it took, seconds until it began to write)
    """
    worker.stdin.write(f"{kind} {date}\n")
    worker.stdin.flush()
    child = int(worker.stdout.readline())
    after_writing = kind == "written"
    start, writing = time.monotonic(), None
    if delay is not None and not after_writing:
        time.sleep(delay)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    while True:
        line = worker.stdout.readline().strip()
        if line == "writing":
            writing = time.monotonic() - start
            if delay is not None and after_writing:
                time.sleep(delay)
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        elif line == "done":
            return time.monotonic() - start, writing
        else:
            raise AssertionError(f"the worker said {line!r}")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(
    ("kind", "kills"), [("whole", 6), ("written", 10), pytest.param("written", KILLS, marks=pytest.mark.slow)]
)
def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(untouched, worker, kind, kills):
    year = {"whole": 2025, "written": 2026}[kind]
    seconds, writing = run(worker, kind, f"{year}-12-28")
    longest = 1.2 * (seconds if kind == "whole" else seconds - writing)
    rng = np.random.default_rng(0)
    old, finished = state(untouched.url), 0
    for kill in range(kills):
        date = f"{year}-{7 + kill % 5:02d}-{1 + kill // 5:02d}"
        run(worker, kind, date, rng.uniform(0, longest))
        killed = state(untouched.url)
        if killed != old:
            finished += 1
            assert {name: killed[name] for name in TABLES} == {name: old[name] for name in TABLES}
            assert_whole(untouched.url, one_more_than=old)
        if kill % 5 == 0:
            run(worker, kind, date)
            again = state(untouched.url)
            if killed == old:
                assert_whole(untouched.url, one_more_than=old)
            else:
                assert again == killed
            killed = again
        old = killed
    assert finished < kills, "no kill came before the end"


def assert_whole(url, *, one_more_than):
    """Every run in the database has all its rows, no row is without a run, and there is one run more."""
    engine = connect(url)
    runs = list_runs(engine).set_index("run_id")
    assert len(runs) == len(one_more_than["riskml_runs"]) + 1
    with reading(engine) as connection:
        for name, stated in (("riskml_second_opinions", "opinions"), ("riskml_reasons", "reasons")):
            counted = connection.exec_driver_sql(f"SELECT run_id, count(*) FROM {name} GROUP BY run_id").all()
            assert dict(map(tuple, counted)) == runs[stated].to_dict()
    engine.dispose()
