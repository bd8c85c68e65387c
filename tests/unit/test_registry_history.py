import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskml.errors import RiskmlError
from riskml.registry.history import History

WHEN = pd.Timestamp("2025-01-01")


def frames():
    clock = {"occurred_at": [WHEN] * 2, "recorded_at": [WHEN, pd.Timestamp("2025-03-01")]}
    return {
        "cases": pd.DataFrame(
            {"case_id": ["a", "b"], "aggressor_id": ["x", "y"], "victim_id": ["v", "w"], **clock}
        ),
        "incidents": pd.DataFrame(
            {"incident_id": ["1", "2"], "case_id": ["a", "b"], "severity": [2.0, None], **clock}
        ),
    }


def stored(folder, tables=None):
    for name, frame in (tables or frames()).items():
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{name}.parquet")
    return folder


def test_a_folder_and_a_dict_of_frames_say_the_same(tmp_path):
    read, given = History.of(stored(tmp_path)), History.of(frames())
    assert list(read.tables) == list(given.tables)
    for name in given.tables:
        assert read.tables[name].equals(given.tables[name])
    assert read.observed_until == given.observed_until == pd.Timestamp("2025-03-01")
    assert History.of(read) is read


def test_all_missing_columns_are_in_one_message_before_a_row_is_read(tmp_path):
    tables = {name: frame.drop(columns=["case_id", "recorded_at"]) for name, frame in frames().items()}
    for source in (stored(tmp_path, tables), tables):
        with pytest.raises(RiskmlError) as caught:
            History.of(source)
        for column in ("cases.case_id", "cases.recorded_at", "incidents.case_id", "incidents.recorded_at"):
            assert column in str(caught.value)


def test_text_in_a_date_is_one_message(tmp_path):
    tables = frames()
    tables["incidents"]["occurred_at"] = ["ayer", "hoy"]
    for source in (stored(tmp_path, tables), tables):
        with pytest.raises(RiskmlError, match="column occurred_at of table incidents"):
            History.of(source).table("incidents")


def test_a_damaged_history_is_one_message(tmp_path):
    stored(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"hash": "h", "rows": {"cases": 2, "incidents": 3}}))
    with pytest.raises(RiskmlError, match="not the rows that its manifest says: incidents"):
        History.read(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(RiskmlError, match="not valid JSON"):
        History.read(tmp_path)
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "incidents.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(RiskmlError, match="not readable as Parquet"):
        History.read(tmp_path)


def test_no_history_is_one_message(tmp_path):
    with pytest.raises(RiskmlError, match="no history here"):
        History.of(tmp_path)


def test_an_unknown_table_is_one_message():
    with pytest.raises(RiskmlError, match='Did you mean "incidents"'):
        History.of({"incident": frames()["incidents"]})
    with pytest.raises(RiskmlError, match='the history has no table "levels"'):
        History.of(frames()).table("levels")
    with pytest.raises(RiskmlError, match=r"missing columns: incidents\.source"):
        History.of(frames()).table("incidents", ["source", "severity"])


def test_open_cases_are_those_known_and_not_closed():
    tables = frames()
    tables["cases"]["closed_at"] = [pd.Timestamp("2025-02-01"), None]
    history = History.of(tables)
    assert history.open_cases("2024-12-31")["case_id"].tolist() == []
    assert history.open_cases("2025-01-15")["case_id"].tolist() == ["a"]
    assert history.open_cases("2025-02-01")["case_id"].tolist() == []
    assert history.open_cases("2025-03-01")["case_id"].tolist() == ["b"]
