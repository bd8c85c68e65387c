"""Second opinions in a real SQLite and a real PostgreSQL: whole or not at all, and never twice."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import inspect

from registries import FACTORS, KEY, ZONE, fill, registry_rows
from riskml.errors import RiskmlError
from riskml.registry import opinions as module
from riskml.registry.contract import TABLES
from riskml.registry.database import connect, reading, writing
from riskml.registry.opinions import Run, list_runs, read_opinions, read_reasons, write_run
from riskml.registry.pseudonyms import Key
from riskml.registry.take import take_history

AS_OF = pd.Timestamp("2025-06-01")


def made(cases=4, *, run_id="run-1", risk=0.25, key=KEY):
    """A run over the registry's cases, with its opinions and reasons."""
    pseudonyms = [KEY.pseudonym("case_id", str(i)) for i in range(1, cases + 1)]
    opinions = pd.DataFrame(
        {
            "case_id": pseudonyms,
            "suggested_level": ["insufficient_data", None] * (cases // 2),
            "risks": [{"repeat": {"risk": risk, "low": 0.1, "high": 0.4, "n": 80, "events": 20}}] * cases,
            "patterns": [["strangulation"]] * cases,
            "cautions": [["Sin datos del último año"]] * cases,
        }
    )
    reasons = pd.DataFrame(
        {
            "case_id": pseudonyms * 2,
            "model": "repeat",
            "dimension": "acts",
            "direction": ["raises"] * cases + ["lowers"] * cases,
            "rank": 1,
            "text_es": "3 incidentes en 90 días",
            "text_en": "3 incidents in 90 days",
            "feature": "incidents_90d",
            "value": [3.0] * cases + ["urban"] * cases,
            "contribution": 0.31,
        }
    )
    run = Run(
        run_id, AS_OF, {"repeat": "v1"}, "abc", key.fingerprint, "es", pd.Timestamp("2025-06-02 03:04:05")
    )
    return run, opinions, reasons


def state(engine):
    """Everything in the database: dict of table -> sorted rows."""
    with reading(engine) as connection:
        return {
            name: sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {name}").all()))
            for name in inspect(connection).get_table_names()
        }


@pytest.fixture
def registry(engine):
    return fill(engine, registry_rows())


def test_a_run_is_written_by_the_registrys_own_ids_and_read_back(registry):
    before = state(registry)
    assert write_run(registry, *made(), key=KEY) is True
    after = state(registry)
    assert {name: after[name] for name in TABLES} == before
    assert set(after) - set(before) == {
        "riskml_runs",
        "riskml_second_opinions",
        "riskml_reasons",
        "riskml_decisions",
    }

    (run,) = list_runs(registry).to_dict("records")
    assert run["as_of"] == AS_OF
    assert run["models"] == {"repeat": "v1"}
    assert (run["opinions"], run["reasons"]) == (4, 8)
    opinions = read_opinions(registry, "run-1")
    assert opinions["case_id"].tolist() == ["1", "2", "3", "4"]
    assert opinions["risks"][0]["repeat"] == {"risk": 0.25, "low": 0.1, "high": 0.4, "n": 80, "events": 20}
    assert opinions["suggested_level"].tolist()[0] == "insufficient_data"
    assert opinions["suggested_level"].isna().tolist() == [False, True, False, True]
    assert opinions["patterns"][0] == ["strangulation"]
    reasons = read_reasons(registry, "run-1", case_id="2")
    assert reasons["direction"].tolist() == ["lowers", "raises"]
    assert reasons["value"].tolist() == ["urban", 3.0]
    assert reasons["contribution"].tolist() == [0.31, 0.31]


def test_the_same_run_again_changes_nothing(registry):
    run, opinions, reasons = made()
    write_run(registry, run, opinions, reasons, key=KEY)
    before = state(registry)
    shuffled = opinions.sample(frac=1, random_state=1), reasons.sample(frac=1, random_state=1)
    later = Run(**{**run.__dict__, "created_at": pd.Timestamp("2025-07-01")})
    assert write_run(registry, later, *shuffled, key=KEY) is False
    assert state(registry) == before


def test_a_run_of_the_same_id_with_other_content_is_refused(registry):
    write_run(registry, *made(), key=KEY)
    before = state(registry)
    with pytest.raises(RiskmlError, match="other content"):
        write_run(registry, *made(risk=0.26), key=KEY)
    assert state(registry) == before


def test_a_run_whose_rows_were_altered_is_noticed(registry):
    write_run(registry, *made(), key=KEY)
    with writing(registry) as connection:
        connection.exec_driver_sql("DELETE FROM riskml_reasons WHERE case_id = '2'")
    with pytest.raises(RiskmlError, match="other content"):
        write_run(registry, *made(), key=KEY)


def test_another_run_stands_beside_the_first(registry):
    write_run(registry, *made(), key=KEY)
    write_run(registry, *made(run_id="run-2", risk=0.5), key=KEY)
    assert list_runs(registry)["run_id"].tolist() == ["run-1", "run-2"]
    assert read_opinions(registry, "run-1")["risks"][0]["repeat"]["risk"] == 0.25


def test_a_wrong_key_is_one_message_and_nothing_is_written(registry):
    before = state(registry)
    wrong = Key("fedcba9876543210" * 4)
    with pytest.raises(RiskmlError, match="wrong key"):
        write_run(registry, *made(), key=wrong)
    with pytest.raises(RiskmlError, match="4 of 4 cases of this run are not in this registry"):
        write_run(registry, *made(key=wrong), key=wrong)
    assert state(registry) == before


def test_cases_that_the_registry_does_not_have_are_one_message(registry):
    with pytest.raises(RiskmlError, match="2 of 6 cases"):
        write_run(registry, *made(6), key=KEY)
    assert "riskml_runs" not in state(registry)


@pytest.mark.parametrize("calls", [0, 1])
def test_an_interrupted_run_leaves_the_old_state(registry, monkeypatch, calls):
    write_run(registry, *made(), key=KEY)
    before, done, insert_rows = state(registry), [], module.insert_rows

    def interrupted(*arguments):
        if len(done) == calls:
            raise KeyboardInterrupt
        done.append(arguments)
        return insert_rows(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, "insert_rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_run(registry, *made(run_id="run-2"), key=KEY)
    assert state(registry) == before
    assert write_run(registry, *made(run_id="run-2"), key=KEY) is True


def test_a_killed_run_leaves_the_old_state_and_runs_again(registry, tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        from registries import KEY
        from riskml.registry import opinions
        from riskml.registry.database import connect
        from integration_runs import made
        insert = opinions.insert_rows
        def killed(connection, name, rows):
            insert(connection, name, rows)
            if name == "riskml_reasons":
                os.kill(os.getpid(), signal.SIGKILL)
        opinions.insert_rows = killed
        opinions.write_run(connect(sys.argv[1]), *made(), key=KEY)
        """
    )
    (tmp_path / "integration_runs.py").write_text(Path(__file__).read_text())
    before = state(registry)
    url = registry.url.render_as_string(hide_password=False)
    paths = f"{Path(__file__).parents[1]}{os.pathsep}{tmp_path}"
    done = subprocess.run([sys.executable, "-c", script, url], env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == -signal.SIGKILL
    assert state(registry) == before
    assert write_run(registry, *made(), key=KEY) is True


def test_a_run_does_not_change_the_next_history(registry, tmp_path):
    settings = {"key": KEY, "factors": FACTORS, "timezone": ZONE}
    before = take_history(registry, tmp_path / "histories", **settings)
    write_run(registry, *made(), key=KEY)
    assert take_history(registry, tmp_path / "histories", **settings).hash == before.hash


def test_tables_of_another_version_are_one_message(registry):
    with writing(registry) as connection:
        connection.exec_driver_sql("CREATE TABLE riskml_runs (run_id TEXT, as_of TEXT)")
    with pytest.raises(RiskmlError, match=r"riskml_runs\.models, riskml_runs\.history_hash"):
        write_run(registry, *made(), key=KEY)


def test_a_registry_that_was_never_scored_has_no_runs(registry):
    assert list_runs(registry).empty
    with pytest.raises(RiskmlError, match='no run "run-1"'):
        read_opinions(registry, "run-1")


def test_one_opinion_per_case(registry):
    run, opinions, reasons = made()
    with pytest.raises(RiskmlError, match="more than one second opinion"):
        write_run(registry, run, pd.concat([opinions, opinions]), reasons, key=KEY)


def test_a_registry_that_cannot_be_written_is_one_message(sqlite_engine, tmp_path):
    fill(sqlite_engine, registry_rows())
    before = state(sqlite_engine)
    read_only = connect(f"sqlite:///file:{tmp_path}/registry.db?mode=ro&uri=true")
    with pytest.raises(RiskmlError, match="readonly database"):
        write_run(read_only, *made(), key=KEY)
    assert state(sqlite_engine) == before
    settings = {"key": KEY, "factors": FACTORS, "timezone": ZONE}
    assert take_history(read_only, tmp_path / "histories", **settings).manifest["rows"]["cases"] == 4
