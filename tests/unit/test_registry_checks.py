"""The check of rows, held against a slow and obvious reading of one value at a time."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registries import FACTORS, ZONE
from riskml.errors import RiskmlError
from riskml.registry.checks import FaultReport, check_rows
from riskml.registry.content import ContentHash
from riskml.registry.contract import TABLES

PROCEEDINGS = TABLES["proceedings"]
MOMENTS = st.datetimes(datetime(1850, 1, 1), datetime(2250, 1, 1))
WRITTEN = st.one_of(
    MOMENTS.map(str),
    MOMENTS.map(lambda t: t.isoformat(timespec="minutes")),
    MOMENTS.map(lambda t: f"{t.date()}"),
    MOMENTS.map(lambda t: f"{t}+00"),
    MOMENTS.map(lambda t: f"{t.isoformat()}-06:00"),
    MOMENTS.map(lambda t: f"{t.replace(microsecond=0)}.123456789"),
    st.sampled_from(
        ["2025-02-30", "ayer", "20250301", "12", "2025", "2025-1-1", "2025-01-01 25:00", "", " ", "infinity"]
    ),
    st.none(),
)


def obvious(text):
    """A time by the letter: a datetime, None for null, or the word "bad"."""
    if text is None or text == "infinity":
        return None
    head = text.replace("T", " ")
    offset = None
    for mark, hours in (("+00", 0), ("-06:00", -6)):
        if head.endswith(mark):
            head, offset = head.removesuffix(mark), timedelta(hours=hours)
    for shape in ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        cut = head[:26] if shape.endswith("%f") else head
        try:
            moment = datetime.strptime(cut, shape)
        except ValueError:
            continue
        if len(head) < 10 or head[:10] != f"{moment:%Y-%m-%d}".zfill(10):
            continue
        if offset is None:
            return moment
        utc = (moment - offset).replace(tzinfo=ZoneInfo("UTC"))
        return utc.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)
    return "bad"


@settings(max_examples=150, deadline=None)
@given(st.lists(WRITTEN, min_size=1, max_size=12))
def test_times_are_read_as_one_would_read_them_one_at_a_time(texts):
    count = len(texts)
    rows = {
        "case_id": ["1"] * count,
        "stage": ["charged"] * count,
        "occurred_at": ["2025-01-01"] * count,
        "recorded_at": ["2025-01-01"] * count,
        "superseded_at": texts,
    }
    report = FaultReport()
    columns, broken = check_rows(
        PROCEEDINGS, {n: pa.array(v, pa.string()) for n, v in rows.items()}, 1, report, timezone=ZONE
    )
    expected = [obvious(text) for text in texts]
    bad = next((mask for column, _, mask in broken if column == "superseded_at"), np.zeros(count, bool))
    assert bad.tolist() == [value == "bad" for value in expected]
    values = columns["superseded_at"].to_pylist()
    assert values == [None if value == "bad" else value for value in expected]


def checked(table, **changes):
    """A sound row of a table, changed: the columns, the faults found, the report."""
    sound = {
        "incidents": {
            "incident_id": "1",
            "case_id": "1",
            "source": "911",
            "severity": "3",
            "institution": "x",
        },
        "factors": {"case_id": "1", "factor": "strangulation", "state": "denied", "source": "911"},
        "aggressors": {"aggressor_id": "1", "birth_year": "1980", "sex": "male"},
    }[table]
    row = {**sound, "occurred_at": "2025-01-01", "recorded_at": "2025-01-02", **changes}
    texts = {c.name: pa.array([row.get(c.name)], pa.string()) for c in TABLES[table].history_columns}
    report = FaultReport()
    columns, broken = check_rows(TABLES[table], texts, 7, report, factors=FACTORS, timezone=ZONE)
    return {n: c[0].as_py() for n, c in columns.items()}, [(c, r) for c, r, _ in broken], report


@pytest.mark.parametrize(
    ("table", "changes", "fault"),
    [
        ("incidents", {"case_id": None}, ("case_id", "missing")),
        ("incidents", {"case_id": "  "}, ("case_id", "missing")),
        ("incidents", {"recorded_at": None}, ("recorded_at", "missing")),
        ("incidents", {"recorded_at": "1899-12-31"}, ("recorded_at", "out_of_range")),
        ("incidents", {"recorded_at": "2999-01-01"}, ("recorded_at", "out_of_range")),
        ("incidents", {"severity": "7"}, ("severity", "out_of_range")),
        ("incidents", {"severity": "-1"}, ("severity", "out_of_range")),
        ("incidents", {"severity": "3.5"}, ("severity", "not_an_integer")),
        ("incidents", {"severity": "grave"}, ("severity", "not_an_integer")),
        ("incidents", {"severity": "0x1"}, ("severity", "not_an_integer")),
        ("incidents", {"source": "Police_Report"}, ("source", "unknown_code")),
        ("incidents", {"source": None}, ("source", "missing")),
        ("factors", {"state": "not mentioned"}, ("state", "unknown_code")),
        ("factors", {"factor": "strangulations"}, ("factor", "unknown_factor")),
        ("aggressors", {"birth_year": "80"}, ("birth_year", "out_of_range")),
    ],
)
def test_a_row_that_breaks_the_contract(table, changes, fault):
    _, broken, report = checked(table, **changes)
    assert broken == [fault]
    assert report.rows == {(table, *fault): [7]}
    with pytest.raises(RiskmlError, match=r"in 1 row \(7\)"):
        report.raise_rejected("registry")


@pytest.mark.parametrize(
    ("table", "changes", "column", "value"),
    [
        ("incidents", {"severity": "3.0"}, "severity", 3),
        ("incidents", {"severity": None}, "severity", None),
        ("incidents", {"institution": " C5 "}, "institution", "C5"),
        ("incidents", {"institution": ""}, "institution", None),
        ("incidents", {"case_id": " 7 "}, "case_id", "7"),
        ("incidents", {"occurred_at": None}, "occurred_at", datetime(2025, 1, 2)),
    ],
)
def test_a_row_that_keeps_it(table, changes, column, value):
    columns, broken, report = checked(table, **changes)
    assert not broken
    assert columns[column] == value
    report.raise_rejected("registry")


def test_no_message_repeats_what_a_row_holds():
    for table, changes in (
        ("incidents", {"recorded_at": "Leticia Quintanar"}),
        ("incidents", {"source": "Leticia Quintanar"}),
        ("factors", {"factor": "Leticia Quintanar"}),
        ("aggressors", {"birth_year": "4925551234"}),
    ):
        *_, report = checked(table, **changes)
        with pytest.raises(RiskmlError) as caught:
            report.raise_rejected("registry")
        assert "Leticia" not in str(caught.value)
        assert "4925551234" not in str(caught.value)


def digest(frame, cuts=()):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.cast(pa.schema([("a", pa.string()), ("n", pa.int64()), ("t", pa.timestamp("us"))]))
    content = ContentHash(table.schema)
    for start, end in zip((0, *cuts), (*cuts, len(frame)), strict=True):
        for batch in table.slice(start, end - start).combine_chunks().to_batches():
            content.update(batch)
    return content.summary()


def test_a_content_hash_does_not_see_how_rows_were_cut_but_sees_every_change():
    frame = pd.DataFrame(
        {"a": ["ab", "", None, "c"], "n": pd.array([1, None, 0, 4], "Int64"), "t": pd.Timestamp("2025-01-01")}
    )
    whole = digest(frame)
    assert digest(frame, (1, 3)) == digest(frame, (2,)) == whole
    changes = [
        frame.assign(a=["a", "b", None, "c"]),
        frame.assign(a=["ab", None, "", "c"]),
        frame.assign(n=pd.array([1, 0, None, 4], "Int64")),
        frame.assign(t=pd.Timestamp("2025-01-01 00:00:00.000001")),
        frame.iloc[::-1],
        frame.iloc[:3],
    ]
    assert len({str(digest(changed)) for changed in changes} | {str(whole)}) == 7
