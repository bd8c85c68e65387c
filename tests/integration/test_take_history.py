"""A history is taken from a real SQLite and a real PostgreSQL: the same, whole, without anybody's name."""

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from registries import EXTRA, FACTORS, KEY, PERSONAL, ZONE, fill, registry_rows
from riskml.errors import RiskmlError
from riskml.registry import take
from riskml.registry.database import check_registry, create_tables, mark_synthetic, reading, writing
from riskml.registry.history import History
from riskml.registry.pseudonyms import Key
from riskml.registry.take import take_history


@pytest.fixture
def histories(tmp_path):
    return tmp_path / "histories"


def taken(engine, folder, **changes):
    return take_history(engine, folder, **{"key": KEY, "factors": FACTORS, "timezone": ZONE, **changes})


def words_of(folder):
    """Everything that stands in a history's files, decompressed, as one text."""
    texts = [path.read_text() for path in folder.glob("*.json")]
    for path in folder.glob("*.parquet"):
        table = pq.read_table(path)
        texts += [str(table.schema), str(pq.read_metadata(path).metadata)]
        texts += [str(value) for column in table.columns for value in column.to_pylist()]
    return "\n".join(texts)


def test_a_history_holds_the_registry_and_nobodys_name(engine, histories):
    rows = registry_rows()
    rows["aggressors"][0]["occupation"] = "empleado de Ramiro Escobedo Luján"
    rows["cases"][0]["relationship"] = "tel. 492 555 1234"
    rows["cases"][1]["municipality"] = "Privada Zaragoza 118, Centro"
    rows["incidents"][0]["institution"] = "ramiro@example.org"
    rows["responses"][0]["result"] = "habló con Leticia Quintanar"
    history = taken(fill(engine, rows), histories)
    assert {name: table.num_rows for name, table in history.tables.items()} == {
        n: len(r) for n, r in rows.items()
    }
    words = words_of(history.folder)
    for personal in PERSONAL:
        assert personal not in words
    assert "narrative" not in words
    assert "basis" not in words
    assert history.table("factors")["evidence"][0].as_py() == "[…] LA TOMÓ DEL CUELLO en […]"
    assert history.manifest["faults"]["masked"] == {
        "aggressors.occupation": 1,
        "cases.municipality": 1,
        "cases.relationship": 1,
        "factors.evidence": 4,
        "incidents.institution": 1,
        "responses.result": 1,
    }


def test_ids_are_keyed_hashes_that_still_join(engine, histories):
    history = taken(fill(engine, registry_rows()), histories)
    cases = set(history.table("cases")["case_id"].to_pylist())
    assert cases == {KEY.pseudonym("case_id", i) for i in "1234"}
    assert set(history.table("incidents")["case_id"].to_pylist()) == cases
    assert set(history.table("factors")["incident_id"].to_pylist()) < set(
        history.table("incidents")["incident_id"].to_pylist()
    )
    assert history.table("levels")["analyst"][0].as_py() == KEY.pseudonym("analyst", "Leticia Quintanar")


def test_sqlite_and_postgresql_give_the_same_hash(sqlite_engine, postgresql_engine, tmp_path):
    rows = registry_rows(20)
    one = taken(fill(sqlite_engine, rows), tmp_path / "one")
    for entries in rows.values():
        random.Random(3).shuffle(entries)
    two = taken(fill(postgresql_engine, rows), tmp_path / "two")
    assert one.hash == two.hash
    for name, table in one.tables.items():
        assert table.equals(two.tables[name])


def test_taken_again_nothing_is_rewritten(engine, histories):
    fill(engine, registry_rows())
    first = taken(engine, histories)
    before = {path.name: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    again = taken(engine, histories)
    assert again.hash == first.hash == first.folder.name
    assert {path.name: path.stat().st_mtime_ns for path in again.folder.iterdir()} == before
    assert [path.name for path in histories.iterdir()] == [first.hash]
    assert History.read(first.folder).manifest == first.manifest


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE incidents SET severity = 6 WHERE incident_id = '1-2'",
        "UPDATE incidents SET severity = NULL WHERE incident_id = '1-2'",
        "DELETE FROM responses WHERE case_id = '2'",
        "UPDATE cases SET closed_at = '2025-06-01' WHERE case_id = '2'",
        "UPDATE factors SET recorded_at = '2025-02-20 00:00:00.000001' WHERE case_id = '2'",
    ],
)
def test_any_change_gives_another_hash(engine, histories, change):
    before = taken(fill(engine, registry_rows()), histories)
    with writing(engine) as connection:
        connection.exec_driver_sql(change)
    assert taken(engine, histories).hash != before.hash


def test_another_key_or_timezone_gives_another_history(engine, histories):
    fill(engine, registry_rows())
    hashes = {
        taken(engine, histories).hash,
        taken(engine, histories, key=Key("0123456789abcdef" * 4)).hash,
        taken(engine, histories, timezone="America/Tijuana").hash,
    }
    assert len(hashes) == 3


def test_a_synthetic_registry_gives_a_history_that_says_so(engine, histories):
    fill(engine, registry_rows())
    assert taken(engine, histories).manifest["synthetic"] is False
    mark_synthetic(engine, "test", seed=1)
    assert taken(engine, histories).manifest["synthetic"] is True


def test_all_missing_columns_are_in_one_message(engine, histories):
    fill(engine, registry_rows())
    with writing(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE cases DROP COLUMN locality")
        connection.exec_driver_sql("ALTER TABLE measures DROP COLUMN ended_at")
        connection.exec_driver_sql("DROP TABLE outcomes")
    with pytest.raises(
        RiskmlError, match=r"tables: outcomes; missing columns: cases\.locality, measures\.ended_at"
    ):
        taken(engine, histories)
    assert not list(histories.iterdir())


def test_an_empty_registry_is_one_message(engine, histories):
    create_tables(engine)
    with pytest.raises(RiskmlError, match="no cases"):
        taken(engine, histories)
    assert not list(histories.iterdir())


def broken(engine):
    """A registry with a fault of each kind that either database can hold."""
    rows = registry_rows()
    rows["incidents"][0]["severity"] = 9
    rows["incidents"][1]["source"] = "rumour"
    rows["factors"][0]["factor"] = "strangulaton"
    rows["cases"][3]["recorded_at"] = None
    rows["measures"].append(rows["measures"][0])
    rows["levels"][0]["recorded_at"] = "1492-01-01 00:00:00"
    return fill(engine, rows)


def test_faults_are_counted_in_one_message_that_repeats_no_value(engine, histories):
    with pytest.raises(RiskmlError) as caught:
        taken(broken(engine), histories)
    message = str(caught.value)
    for part in (
        "cases.recorded_at: a required value is missing in 1 row (4)",
        "factors.factor: a factor that is not in features/factors.yml in 1 row (1)",
        'Did you mean "strangulation"?',
        "incidents.severity: out of range in 1 row (1)",
        "incidents.source: unknown code in 1 row (2)",
        "levels.recorded_at: out of range in 1 row (1)",
        "--set-aside",
    ):
        assert part in message
    for content in ("rumour", "strangulaton", "1492", " 9"):
        assert content not in message
    assert not list(histories.iterdir())


def test_faults_are_set_aside_when_asked_and_named_by_pseudonym(engine, histories):
    history = taken(broken(engine), histories, set_aside=True)
    rejected = pq.read_table(history.folder / "rejected.parquet").to_pylist()
    case = {i: KEY.pseudonym("case_id", i) for i in "14"}
    assert {(r["table"], r["id"], r["column"], r["reason"]) for r in rejected} == {
        ("cases", case["4"], "recorded_at", "missing"),
        ("factors", case["1"], "factor", "unknown_factor"),
        ("incidents", case["1"], "severity", "out_of_range"),
        ("incidents", case["1"], "source", "unknown_code"),
        ("levels", case["1"], "recorded_at", "out_of_range"),
        ("measures", case["1"], "measure_id", "duplicate"),
    }
    assert history.manifest["rows"]["incidents"] == 6
    assert history.manifest["rows"]["measures"] == 4
    assert sum(history.manifest["faults"]["set_aside"].values()) == 6
    assert history.manifest["faults"]["without_case"]["incidents"] == 2
    again = taken(engine, histories, set_aside=True)
    assert again.hash == history.hash


def test_one_record_twice_is_a_fault(engine, histories):
    rows = registry_rows()
    rows["measures"].append(rows["measures"][0])
    with pytest.raises(RiskmlError, match=r"measures\.measure_id: the same record once more in 1 row"):
        taken(fill(engine, rows), histories)


def test_text_in_a_date_is_a_fault_in_sqlite(sqlite_engine, histories):
    rows = registry_rows()
    rows["incidents"][2]["occurred_at"] = "el lunes pasado"
    rows["incidents"][3]["occurred_at"] = "2025-02-30"
    rows["cases"][0]["closed_at"] = "pronto"
    fill(sqlite_engine, rows)
    with writing(sqlite_engine) as connection:
        connection.exec_driver_sql("UPDATE aggressors SET birth_year = 'mil' WHERE aggressor_id = '2'")
    with pytest.raises(RiskmlError) as caught:
        taken(sqlite_engine, histories)
    message = str(caught.value)
    assert "incidents.occurred_at: not a date or time in 2 rows (3, 4)" in message
    assert "cases.closed_at: not a date or time in 1 row (1)" in message
    assert "aggressors.birth_year: not a whole number in 1 row (2)" in message
    assert "lunes" not in message


def test_dirty_clocks_are_mended_or_kept_and_counted(engine, histories):
    rows = registry_rows()
    rows["incidents"][0]["occurred_at"] = None
    rows["incidents"][1]["recorded_at"] = "2025-03-01 00:00:00"
    rows["incidents"][2]["superseded_at"] = "2025-01-01 00:00:00"
    rows["responses"] += [rows["responses"][0]]
    rows["levels"][0]["case_id"] = "999"
    history = taken(fill(engine, rows), histories)
    faults = history.manifest["faults"]
    assert faults["occurred_at_missing"] == {"incidents": 1}
    assert faults["recorded_before_occurred"] == {"incidents": 1}
    assert faults["superseded_before_recorded"] == {"incidents": 1}
    assert faults["repeated_rows"] == {"responses": 1}
    assert faults["without_case"] == {"levels": 1}
    assert "set_aside" not in faults
    incidents = history.table("incidents").to_pandas().set_index("incident_id")
    mended = incidents.loc[KEY.pseudonym("incident_id", "1-2")]
    assert mended["occurred_at"] == mended["recorded_at"] == pd.Timestamp("2025-02-11 07:00:00")


def test_times_with_an_offset_and_without_end_are_read(postgresql_engine, sqlite_engine, tmp_path):
    rows = registry_rows()
    fill(postgresql_engine, rows)
    fill(sqlite_engine, rows)
    plain = taken(sqlite_engine, tmp_path / "plain")
    with writing(postgresql_engine) as connection:
        connection.exec_driver_sql("SET LOCAL TimeZone TO 'America/Mexico_City'")
        connection.exec_driver_sql("ALTER TABLE incidents ALTER recorded_at TYPE timestamptz")
        connection.exec_driver_sql("ALTER TABLE cases ALTER case_id TYPE integer USING case_id::integer")
        connection.exec_driver_sql("ALTER TABLE cases ALTER relationship TYPE char(40)")
        connection.exec_driver_sql("ALTER TABLE incidents ALTER severity TYPE numeric(4, 2)")
        connection.exec_driver_sql("UPDATE cases SET closed_at = 'infinity'")
    with writing(sqlite_engine) as connection:
        connection.exec_driver_sql(
            "UPDATE incidents SET recorded_at = replace(recorded_at, ' ', 'T') || '-06:00'"
        )
    assert taken(postgresql_engine, tmp_path / "pg").hash == plain.hash
    assert taken(sqlite_engine, tmp_path / "sqlite").hash == plain.hash


def test_the_registry_is_only_read(sqlite_engine, histories, tmp_path):
    fill(sqlite_engine, registry_rows())
    before = (tmp_path / "registry.db").read_bytes()
    taken(sqlite_engine, histories)
    assert (tmp_path / "registry.db").read_bytes() == before


def test_a_reader_without_other_rights_is_enough(postgresql_engine, histories):
    fill(postgresql_engine, registry_rows())
    with writing(postgresql_engine) as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS reader")
        connection.exec_driver_sql("CREATE ROLE reader LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    url = postgresql_engine.url.set(username="reader")
    assert taken(url, histories).manifest["rows"]["cases"] == 4


def test_rows_that_arrive_meanwhile_do_not_tear_the_history(postgresql_engine, histories, monkeypatch):
    fill(postgresql_engine, registry_rows())
    counting = take.count_rows

    def count_rows(connection, table):
        if table == "incidents":
            with writing(postgresql_engine) as other:
                other.exec_driver_sql("DELETE FROM incidents")
        return counting(connection, table)

    monkeypatch.setattr(take, "count_rows", count_rows)
    assert taken(postgresql_engine, histories).manifest["rows"]["incidents"] == 8


def test_a_disk_that_cannot_be_written_is_one_message(engine, tmp_path):
    fill(engine, registry_rows())
    (tmp_path / "file").write_text("")
    with pytest.raises(RiskmlError, match="cannot write the history"):
        taken(engine, tmp_path / "file" / "histories")


def test_a_full_disk_leaves_nothing_behind(sqlite_engine, histories, monkeypatch):
    fill(sqlite_engine, registry_rows())

    def write_table(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", write_table)
    with pytest.raises(RiskmlError, match="No space left"):
        taken(sqlite_engine, histories)
    assert not list(histories.iterdir())


@pytest.mark.parametrize("step", ["check_registry", "check_rows", "combined_hash", "_publish"])
def test_an_interruption_leaves_no_half_history(sqlite_engine, histories, monkeypatch, step):
    fill(sqlite_engine, registry_rows())

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(take, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            taken(sqlite_engine, histories)
    assert not list(histories.iterdir())
    assert taken(sqlite_engine, histories).manifest["rows"]["cases"] == 4


def test_what_a_killed_process_left_is_removed_by_the_next(sqlite_engine, histories, tmp_path):
    fill(sqlite_engine, registry_rows())
    script = textwrap.dedent(
        """
        import os, signal, sys
        from registries import FACTORS, KEY, ZONE
        from riskml.registry import take
        take._publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        take.take_history(sys.argv[1], sys.argv[2], key=KEY, factors=FACTORS, timezone=ZONE)
        """
    )
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script, str(sqlite_engine.url), str(histories)],
        env={**os.environ, "PYTHONPATH": tests},
    )
    assert done.returncode == -signal.SIGKILL
    assert [path.name.startswith(".taking-") for path in histories.iterdir()] == [True]
    history = taken(sqlite_engine, histories)
    assert [path.name for path in histories.iterdir()] == [history.hash]


def test_the_manifest_says_what_it_has_to(engine, histories):
    history = taken(fill(engine, registry_rows()), histories)
    manifest = json.loads((history.folder / "manifest.json").read_text())
    assert manifest["hash"] == history.hash
    assert manifest["key_fingerprint"] == KEY.fingerprint
    assert manifest["timezone"] == ZONE
    assert manifest["contract_version"] == "1"
    assert manifest["rows"]["incidents"] == 8


def test_names_are_looked_for_in_columns_that_the_contract_does_not_know(engine):
    from riskml.registry.reading import personal_entries

    fill(engine, registry_rows(), extra=EXTRA)
    check_registry(engine)
    with reading(engine) as connection:
        entries = set(personal_entries(connection))
    assert ("name", "Ramiro Escobedo Luján") in entries
    assert ("name", "Leticia Quintanar") in entries
    assert ("address", "Privada Zaragoza 118, Centro") in entries
    assert ("other", "492 555 1234") in entries
