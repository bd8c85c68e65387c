import pandas as pd
import pytest
from sqlalchemy import create_engine

from registries import EXTRA, registry_rows
from riskml.errors import RiskmlError
from riskml.registry.contract import TABLES
from riskml.registry.database import (
    check_registry,
    connect,
    create_tables,
    insert_rows,
    is_synthetic,
    mark_synthetic,
    reading,
    write_registry,
    writing,
)


@pytest.fixture
def engine(tmp_path):
    return connect(f"sqlite:///{tmp_path}/registry.db", create=True)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "not a database URL"),
        ("oracle://joe:secret@host/x", 'unknown kind of database "oracle"'),
        ("postgresql+psycopg2://joe:secret@host/x", "driver"),
        ("postgresql+nodriver://joe:secret@host/x", "driver"),
        ("postgresql://joe:secret@127.0.0.1:1/x?password=secret", "cannot reach the registry"),
    ],
)
def test_a_registry_out_of_reach_is_one_message_without_its_password(url, words):
    with pytest.raises(RiskmlError, match=words) as caught:
        connect(url)
    assert "secret" not in str(caught.value)


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(RiskmlError, match="no such file"):
        connect(f"sqlite:///{tmp_path}/absent.db")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_one_message(tmp_path):
    (tmp_path / "registry.db").write_text("not a database " * 100)
    with pytest.raises(RiskmlError, match="not a database"):
        check_registry(connect(f"sqlite:///{tmp_path}/registry.db"))


def test_all_missing_tables_and_columns_are_in_one_message(engine):
    create_tables(engine)
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE levels")
        connection.exec_driver_sql("DROP TABLE responses")
        connection.exec_driver_sql("ALTER TABLE cases DROP COLUMN closed_at")
        connection.exec_driver_sql("ALTER TABLE incidents RENAME COLUMN severity TO severty")
    with pytest.raises(RiskmlError) as caught:
        check_registry(engine)
    for word in ("levels", "responses", "cases.closed_at", "incidents.severity", 'Did you mean "severty"'):
        assert word in str(caught.value)


def test_views_and_further_tables_and_columns_are_fine(engine):
    create_tables(engine, extra=EXTRA)
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE something_else (a TEXT)")
        connection.exec_driver_sql("ALTER TABLE levels RENAME TO niveles")
        connection.exec_driver_sql("CREATE VIEW levels AS SELECT * FROM niveles")
    check_registry(engine)


def test_reading_cannot_write(engine):
    create_tables(engine)
    with pytest.raises(RiskmlError, match="readonly"), reading(engine) as connection:
        connection.exec_driver_sql("DELETE FROM cases")
    with writing(engine) as connection:
        connection.exec_driver_sql("DELETE FROM cases")


def test_an_interrupted_write_leaves_the_registry_as_it_was(engine):
    def chunks():
        yield "cases", pd.DataFrame(registry_rows()["cases"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_registry(engine, chunks(), note="test", extra=EXTRA)
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0


def test_a_registry_is_written_in_chunks_and_marked(engine):
    rows = registry_rows()
    halves = [("cases", pd.DataFrame(rows["cases"][:2])), ("cases", pd.DataFrame(rows["cases"][2:]))]
    written = write_registry(
        engine, [*halves, ("aggressors", pd.DataFrame(rows["aggressors"]))], note="x", extra=EXTRA
    )
    assert written["cases"] == 4
    assert set(written) == set(TABLES)
    with reading(engine) as connection:
        assert is_synthetic(connection)


def test_only_a_synthetic_registry_is_replaced_and_only_when_asked(engine):
    cases = pd.DataFrame(registry_rows()["cases"])
    write_registry(engine, [("cases", cases)])
    for replace in (False, True):
        with pytest.raises(RiskmlError, match="already holds tables"):
            write_registry(engine, [("cases", cases[:1])], replace=replace)
    mark_synthetic(engine, "test", seed=3)
    with pytest.raises(RiskmlError, match="already holds tables"):
        write_registry(engine, [("cases", cases[:1])])
    write_registry(engine, [("cases", cases[:1])], note="again", replace=True)
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM cases").scalar() == 1
        assert connection.exec_driver_sql("SELECT note FROM riskml_synthetic").scalars().all() == ["again"]


def test_nulls_empty_texts_and_whole_numbers_arrive_as_they_are(engine):
    frame = pd.DataFrame(
        {
            "incident_id": ["a", "b"],
            "case_id": ["1", "1"],
            "institution": ["", None],
            "severity": [3.0, float("nan")],
            "narrative": ['said "no", twice\nand left', None],
            "occurred_at": pd.to_datetime(["2025-01-01 10:00:00.5", None]),
        }
    )
    create_tables(engine)
    with writing(engine) as connection:
        insert_rows(connection, "incidents", frame)
    with reading(engine) as connection:
        rows = connection.exec_driver_sql(
            "SELECT institution, severity, narrative, occurred_at FROM incidents ORDER BY incident_id"
        ).all()
    assert rows == [
        ("", 3, 'said "no", twice\nand left', "2025-01-01 10:00:00.500000"),
        (None, None, None, None),
    ]


def test_a_disk_that_cannot_be_written_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RiskmlError, match="unable to open"):
        create_tables(create_engine(f"sqlite:///{tmp_path}/file/registry.db"))
