"""Bad input is told in one readable message: what, where, how to mend it; exit code 2; nothing written."""

import contextlib
import json
import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from riskml.registry.pseudonyms import make_key
from workspaces import AS_OF, copy_of, riskml, rows_of, state_of

SCORE = ("score", "--as-of", AS_OF)
EXPLAIN = ("explain", "SIM-C00000001", "--as-of", AS_OF)


def refused(folder, *arguments):
    """Run a command that has to be refused; the message, once it is known to be one, with nothing written."""
    before = state_of(folder)
    said = riskml(*arguments, "--workspace", folder)
    assert said.code == 2, (said.code, said.out, said.err)
    assert "Traceback" not in said.err
    assert 1 <= len(said.err.strip().splitlines()) <= 12, said.err
    mends = len(said.err.strip().splitlines()) > 1 or re.search("Did you mean|at least|less than", said.err)
    assert mends, f"it says how to mend it: {said.err}"
    assert said.out == ""
    assert state_of(folder) == before, "something was written"
    return said.err


def change(folder, *statements):
    """Change a workspace's registry by hand."""
    with contextlib.closing(sqlite3.connect(folder / "registry.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


# -- the registry ----------------------------------------------------------------------------------------


def test_no_registry(new):
    said = refused(new, "history")
    assert "registry.db" in said
    assert "riskml simulate" in said
    assert not (new / "registry.db").exists()


def test_all_missing_tables_and_columns_are_listed(small):
    change(
        small,
        "ALTER TABLE incidents RENAME COLUMN severity TO gravedad",
        "ALTER TABLE incidents DROP COLUMN source",
        "DROP TABLE levels",
        "ALTER TABLE measures RENAME TO measure",
    )
    said = refused(small, "history")
    for missing in ("incidents.severity", "incidents.source", "levels", "measures"):
        assert missing in said
    assert 'Did you mean "measure"?' in said


def test_text_in_a_date(small):
    change(small, "UPDATE incidents SET occurred_at = 'ayer, en casa de Leticia' WHERE incident_id = '1-2'")
    said = refused(small, "history")
    assert "incidents" in said
    assert "occurred_at" in said
    assert "Leticia" not in said
    assert "--set-aside" in said


def test_rows_set_aside_when_asked_leave_a_history(small):
    """What the message offers works."""
    change(small, "UPDATE incidents SET occurred_at = 'ayer' WHERE incident_id = '1-2'")
    said = riskml("history", "--set-aside", "-w", small)
    assert said.code == 0, said.err


def test_an_unknown_factor(small):
    change(small, "UPDATE factors SET factor = 'strangulaton' WHERE case_id = '2'")
    said = refused(small, "history")
    assert "factors" in said
    assert "factor" in said


def test_an_empty_registry(small):
    tables = ("aggressors", "victims", "cases", "incidents", "factors", "measures")
    change(small, *(f"DELETE FROM {table}" for table in tables))
    assert "no cases" in refused(small, "history")


def test_a_file_that_is_no_database(new):
    (new / "registry.db").write_text("this is not a database " * 100)
    assert "registry.db" in refused(new, "history")


def test_a_locked_registry(small, monkeypatch):
    """Somebody else is writing: readers are told so, after the driver's patience."""
    monkeypatch.setattr(
        "sqlalchemy.dialects.sqlite.pysqlite.SQLiteDialect_pysqlite.create_connect_args", _at_once
    )
    holder = sqlite3.connect(small / "registry.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        said = refused(small, "history")
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert "locked" in said


def _at_once(self, url):
    return [url.database], {"timeout": 0.01, "check_same_thread": False}


def test_a_server_that_does_not_answer(new, monkeypatch):
    monkeypatch.setenv("RISKML_REGISTRY_URL", "postgresql+psycopg://analyst:s3cret@127.0.0.1:9/registry")
    said = refused(new, "history")
    assert "s3cret" not in said
    assert "127.0.0.1" in said


@pytest.mark.parametrize("command", [["simulate", "--cases", "5"], ["demo", "--cases", "700"]], ids=" ".join)
def test_a_registry_that_is_not_synthetic_is_never_replaced(small, command):
    before = rows_of(small, "cases")
    said = refused(small, *command)
    assert "synthetic" in said
    assert rows_of(small, "cases") == before


def test_the_demo_keeps_off_a_server(new, monkeypatch):
    monkeypatch.setenv("RISKML_REGISTRY_URL", "postgresql+psycopg://analyst@127.0.0.1:9/registry")
    assert "another database" in refused(new, "demo", "--cases", "700")


# -- the key ---------------------------------------------------------------------------------------------


def test_no_key(small):
    (small / "riskml.key").unlink()
    assert "riskml doctor --make-key" in refused(small, "history")


def test_a_key_file_that_others_may_read(small):
    (small / "riskml.key").chmod(0o644)
    assert "chmod 600" in refused(small, "history")


def test_a_key_that_is_too_short(small, monkeypatch):
    monkeypatch.setenv("RISKML_KEY", "corta")
    said = refused(small, "history")
    assert "RISKML_KEY" in said
    assert "corta" not in said


@pytest.mark.parametrize("command", [("history",), SCORE, EXPLAIN, ("demo", "--cases", "700")], ids=" ".join)
def test_another_key_than_that_of_the_histories(workspace, command):
    (workspace / "riskml.key").unlink()
    make_key(workspace / "riskml.key")
    said = refused(workspace, *command)
    assert "wrong key" in said
    assert "riskml.key" in said
    assert (workspace / "riskml.key").read_text().strip() not in said


# -- settings, names, moments ----------------------------------------------------------------------------


COMMANDS = [
    ("doctor", "--make-key"),
    ("simulate",),
    ("demo",),
    ("history",),
    ("features", "list"),
    ("train", "repeat"),
    SCORE,
    EXPLAIN,
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_workspace(tmp_path, command):
    said = refused(tmp_path, *command)
    assert "no riskml.toml" in said
    assert "riskml init" in said


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('langauge = "es"', ['unknown setting "langauge"', 'Did you mean "language"']),
        ('[registry]\nulr = "x"', ['unknown setting "registry.ulr"', 'Did you mean "registry.url"']),
        ('[registy]\nurl = "x"', ['unknown setting "registy.url"', 'Did you mean "registry.url"']),
        ('language = "fr"', ['unknown language "fr"']),
        ('timezone = "America/Mexico"', ["unknown timezone", "America/Mexico_City"]),
        ('engine = "dask"', ["unknown engine"]),
        ("language = es", ["riskml.toml", "not valid TOML"]),
        ("language = 3", ["riskml.toml", '"language" is not text']),
        ("registry = 3", ["riskml.toml", "registry"]),
        ("[registry]\nurl = 3", ["riskml.toml", "registry.url"]),
        ('key_file = ["a"]', ["riskml.toml", "key_file"]),
        ("[mlflow]\nuri = true", ["riskml.toml", "mlflow.uri"]),
        ('[registry]\nurl = "oracle://x/y"', ["oracle"]),
        ('[registry]\nurl = "registry.db"', ["not a database URL"]),
    ],
)
def test_settings_that_do_not_read(new, settings, words):
    (new / "riskml.toml").write_text(settings, encoding="utf-8")
    said = refused(new, "history")
    for word in words:
        assert word in said


def test_settings_that_are_not_text(new):
    (new / "riskml.toml").write_bytes(b"\xff\xfe\x00language")
    assert "riskml.toml" in refused(new, "history")


def test_an_unknown_model(workspace):
    assert 'Did you mean "escalation"' in refused(workspace, "train", "escalaton")
    assert 'Did you mean "escalation"' in refused(workspace, *SCORE, "--model", "escalaton")
    assert "riskml train" in refused(workspace, *EXPLAIN, "--model", "../../repeat")


def test_an_unknown_history(workspace):
    known = (workspace / "histories" / "latest").read_text()[:12]
    for text in ("0000", "../bundles", "/", "*"):
        assert known in refused(workspace, "train", "repeat", "--history", text)


def test_nothing_trained_nothing_taken(small):
    assert "riskml train" in refused(small, *SCORE)
    assert "riskml history" in refused(small, "train", "repeat")
    assert "riskml history" in refused(small, "features", "build", "--out", small / "m.parquet")


@pytest.mark.parametrize("text", ["nonsense", "", "2026-13-01", "2026-10-26T08:00Z", "31/31/2026"])
def test_a_moment_that_is_none(workspace, text):
    for command in (SCORE[:1], EXPLAIN[:2], ("features", "build", "--out", workspace / "m.parquet")):
        said = refused(workspace, *command, "--as-of", text)
        assert "--as-of" in said
        assert "2026-01-05" in said


def test_a_moment_before_the_registry_began(workspace):
    said = refused(workspace, "score", "--as-of", "1999-01-01", "--history", _latest(workspace))
    assert "no case is open on 1999-01-01" in said
    assert "no case is open on 1999-01-01" in refused(workspace, *EXPLAIN[:2], "--as-of", "1999-01-01")


def _latest(folder):
    return (folder / "histories" / "latest").read_text().strip()


def test_a_case_that_is_not_there(workspace):
    said = refused(workspace, "explain", "C-404", "--as-of", AS_OF)
    assert 'no case "C-404"' in said
    assert "riskml history" in said


def test_a_language_that_is_not_spoken(workspace):
    for command in (("features", "list"), EXPLAIN, ("demo", "--cases", "700")):
        assert 'unknown language "fr"' in refused(workspace, *command, "--language", "fr")


@pytest.mark.parametrize("text", ["often", "0d", "-3d"])
def test_a_step_that_is_none(workspace, text):
    refused(workspace, "features", "build", "--out", workspace / "m.parquet", "--every", text)


@pytest.mark.parametrize(
    "options", [["--start", "soon"], ["--end", "2020-01-01"], ["--recording", "perfect"]], ids=" ".join
)
def test_a_simulation_that_cannot_be(new, options):
    refused(new, "simulate", "--cases", "5", *options)


# -- the catalogue and model files -----------------------------------------------------------------------


def test_a_catalogue_with_a_fault_stops_every_command_before_it_writes(workspace):
    path = workspace / "features" / "acts.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("aggregate: count", "aggregate: coutn", 1))
    for command in (("demo", "--cases", "700"), ("history",), ("train", "repeat"), SCORE, EXPLAIN):
        said = refused(workspace, *command)
        assert "features/acts.yml, line" in said
        assert "count" in said


def test_a_bundle_whose_catalogue_changed(workspace):
    path = workspace / "features" / "acts.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("windows: [30d, 90d", "windows: [31d, 90d", 1), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    said = refused(workspace, *SCORE)
    assert "another catalogue" in said
    assert "riskml train" in said
    assert "another catalogue" in refused(workspace, *EXPLAIN)


def test_a_model_file_with_a_fault(workspace):
    path = workspace / "models" / "repeat.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("horizon:", "horizont:"), encoding="utf-8")
    said = refused(workspace, "train", "repeat")
    assert "models/repeat.yml" in said
    assert 'Did you mean "horizon"' in said


def test_levels_with_a_fault(workspace):
    path = workspace / "models" / "levels.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("escalation, share: 0.02", "escalation, share: 2"),
        encoding="utf-8",
    )
    assert "levels.yml" in refused(workspace, *SCORE)
    assert "levels.yml" in refused(workspace, *EXPLAIN)


def test_an_outcome_of_one_class(workspace):
    """No incident at all: nothing to learn from, and no model of it."""
    change(workspace, "DELETE FROM incidents", "DELETE FROM factors WHERE incident_id IS NOT NULL")
    assert riskml("history", "-w", workspace).code == 0
    said = refused(workspace, "train", "repeat")
    assert "models/repeat.yml" in said
    assert "outcome" in said or "class" in said


def test_a_history_that_is_too_short(small):
    assert riskml("history", "-w", small).code == 0
    assert "models/repeat.yml" in refused(small, "train", "repeat")


# -- bundles and histories that were damaged -------------------------------------------------------------


def _bundle(folder):
    (version,) = (path for path in (folder / "bundles" / "repeat").iterdir() if path.is_dir())
    return version


@pytest.mark.parametrize("name", ["bundle.json", "catalogue.json", "report.json"])
@pytest.mark.parametrize("damage", ["a byte", "half", "gone"])
def test_a_damaged_bundle(workspace, name, damage):
    path = _bundle(workspace) / name
    if damage == "gone":
        path.unlink()
    elif damage == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    said = refused(workspace, *SCORE)
    assert str(_bundle(workspace)) in said
    assert "train" in said


def test_a_bundle_that_is_a_pickle(workspace):
    (_bundle(workspace) / "model.pkl").write_bytes(b"\x80\x04K\x01.")
    assert "model.pkl" in refused(workspace, *SCORE)


@pytest.mark.parametrize("content", ["", "../../elsewhere", "0123456789abcdef"])
def test_a_latest_that_points_nowhere(workspace, content):
    (workspace / "bundles" / "repeat" / "latest").write_text(content)
    assert "repeat" in refused(workspace, *SCORE, "--dry-run")
    (workspace / "histories" / "latest").write_text(content)
    refused(workspace, "train", "escalation")


def test_a_damaged_history(workspace):
    folder = workspace / "histories" / _latest(workspace)
    (folder / "incidents.parquet").write_bytes(b"PAR1 and nothing else")
    said = refused(workspace, "train", "repeat")
    assert "incidents.parquet" in said
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["rows"]["incidents"]


# -- disks that refuse -----------------------------------------------------------------------------------


def test_a_disk_that_cannot_be_written(workspace):
    """A file stands where a folder is needed: to a program, a disk on which nothing can be made."""
    shutil.rmtree(workspace / "histories")
    (workspace / "histories").write_text("")
    said = refused(workspace, "history")
    assert "histories" in said

    (workspace / "taken").write_text("")
    said = refused(workspace, "features", "build", "--out", workspace / "taken" / "m.parquet")
    assert "taken" in said


def test_init_where_nothing_can_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    before = state_of(tmp_path)
    for folder in (tmp_path / "file", tmp_path / "file" / "padron", tmp_path):
        said = riskml("init", folder)
        assert said.code == 2
        assert len(said.err.strip().splitlines()) == 2, said.err
        assert str(folder) in said.err or str(tmp_path / "file") in said.err
        assert state_of(tmp_path) == before


def test_a_disk_that_fills_while_a_command_writes(workspace, monkeypatch):
    def full(source, target):
        raise OSError(28, os.strerror(28), str(target))

    before = state_of(workspace)
    monkeypatch.setattr("pathlib.Path.replace", full)
    said = riskml(*("features", "build", "--out", workspace / "m.parquet", "--as-of", AS_OF, "-w", workspace))
    assert said.code == 2
    assert "No space left on device" in said.err
    assert state_of(workspace) == before


def test_a_registry_that_may_not_be_written(workspace, monkeypatch):
    """The batch is refused whole: no run, no second opinion, no reason."""
    runs = rows_of(workspace, "riskml_runs")

    def read_only(connection, _):
        connection.execute("PRAGMA query_only = ON")

    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    event.listen(Pool, "connect", read_only)
    try:
        said = riskml("score", "--as-of", "2026-10-19", "-w", workspace)
    finally:
        event.remove(Pool, "connect", read_only)
    assert said.code == 2, said.err
    assert "readonly" in said.err
    assert len(said.err.strip().splitlines()) == 2
    assert rows_of(workspace, "riskml_runs") == runs


def test_an_mlflow_store_that_cannot_be_reached(workspace):
    (workspace / "riskml.toml").write_text(
        f'[registry]\nurl = "sqlite:///registry.db"\n[mlflow]\nuri = "sqlite:///{workspace}/riskml.key/m.db"\n'
    )
    said = riskml("train", "repeat", "-w", workspace)
    assert said.code == 2, said.err
    assert "MLflow" in said.err or "mlflow" in said.err
    assert "Traceback" not in said.err


# -- what is riskml's own fault --------------------------------------------------------------------------


def test_a_defect_says_so_without_anybodys_data(workspace, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("Leticia Quintanar, 492 555 1234")

    monkeypatch.setattr("riskml.scoring.batch.score_batch", broken)
    said = riskml(*SCORE, "-w", workspace)
    assert said.code == 1
    assert "RuntimeError" in said.err
    assert "Leticia" not in said.err
    assert "--debug" in said.err


def test_a_database_error_shows_no_row(workspace, monkeypatch):
    from sqlalchemy.exc import IntegrityError

    def broken(*_, **__):
        raise IntegrityError(
            "INSERT", {"name": "Leticia"}, RuntimeError('invalid input: "Leticia Quintanar"')
        )

    monkeypatch.setattr("riskml.scoring.batch.score_batch", broken)
    said = riskml(*SCORE, "-w", workspace)
    assert said.code == 2
    assert "Leticia" not in said.err


def test_copies_differ_only_in_their_folder(workspace, tmp_path):
    """The guard of this page works: a copy is equal, and one more file is seen."""
    other = copy_of(workspace, tmp_path / "other")
    assert state_of(other) == state_of(workspace)
    Path(other / "one-more").write_text("")
    assert state_of(other) != state_of(workspace)
