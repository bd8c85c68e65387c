"""Which assessments there are: common dates, new contacts, open and visible cases only."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.outcomes.cohort import assessments
from riskml.registry.history import History

DAY = pd.Timedelta("1D")
START = pd.Timestamp("2025-01-01")


def _time(hours):
    return pd.NaT if pd.isna(hours) else START + pd.Timedelta(hours=int(hours))


def _history(cases, incidents=()):
    """cases: (case, occurred, recorded, superseded, closed); incidents: (incident, case, occurred, recorded,
    superseded).

    Times in hours since START, or None.
    """
    case_columns = ["case_id", "occurred_at", "recorded_at", "superseded_at", "closed_at"]
    incident_columns = ["incident_id", "case_id", "occurred_at", "recorded_at", "superseded_at"]
    frames = {
        "cases": pd.DataFrame(cases, columns=case_columns),
        "incidents": pd.DataFrame(incidents, columns=incident_columns),
    }
    for frame in frames.values():
        for name in frame.columns:
            if name.endswith("_at"):
                frame[name] = pd.to_datetime(
                    pd.Series([_time(hours) for hours in frame[name]], dtype="datetime64[us]")
                )
            else:
                frame[name] = frame[name].astype("str")
    frames["cases"] = frames["cases"].assign(aggressor_id="a", victim_id="v")
    frames["incidents"] = frames["incidents"].assign(source="911", severity=1)
    return History.of(frames)


def _pairs(cohort):
    return list(zip(cohort["case_id"], cohort["as_of"], strict=True))


def test_a_case_is_assessed_from_its_recording_until_it_is_closed():
    history = _history([("A", 0, 30, None, 24 * 4), ("B", 0, 24 * 9, None, None)])
    cohort = assessments(history, every="1d", end=START + 10 * DAY)
    assert _pairs(cohort) == [
        ("A", START + 2 * DAY),
        ("A", START + 3 * DAY),
        ("B", START + 9 * DAY),
        ("B", START + 10 * DAY),
    ]
    assert cohort["as_of"].dtype == "datetime64[us]"


def test_the_grid_starts_where_it_is_told_and_ends_with_the_history():
    history = _history([("A", 0, 0, None, None)], [("i", "A", 24 * 100, 24 * 100, None)])
    cohort = assessments(history, every="28d", start="2024-12-30 08:00")
    assert list(cohort["as_of"]) == [pd.Timestamp("2024-12-30 08:00") + k * 28 * DAY for k in (1, 2, 3)]


def test_each_new_contact_is_an_assessment_once_the_registry_shows_it():
    history = _history(
        [("A", 0, 0, None, None), ("B", 0, 50, None, None), ("C", 0, 0, None, 10)],
        [
            ("late", "A", 5, 20, None),
            ("early", "A", 12, 11, None),  # recorded before it occurred: the later of the two
            ("corrected", "A", 6, 30, 40),
            ("corrected", "A", 7, 40, None),  # a correction is no new contact
            ("before its case", "B", 1, 2, None),
            ("withdrawn before its case", "B", 1, 2, 49),
            ("closed", "C", 11, 12, None),
            ("unknown case", "D", 11, 12, None),
            ("no time", "A", None, 60, None),
        ],
    )
    cohort = assessments(history, every=None, at_contacts=True)
    assert _pairs(cohort) == [("A", _time(12)), ("A", _time(20)), ("A", _time(30)), ("B", _time(50))]


def test_dates_and_contacts_together_name_no_assessment_twice():
    history = _history([("A", 0, 0, None, None)], [("i", "A", 24, 24, None), ("j", "A", 30, 30, None)])
    cohort = assessments(history, every="1d", at_contacts=True)
    assert _pairs(cohort) == [("A", START), ("A", START + DAY), ("A", _time(30))]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"every": "month"}, "length of time"),
        ({"every": "0d"}, "no assessment is asked for"),
        ({"every": None}, "no assessment is asked for"),
        ({"start": "soon"}, "start"),
        ({"end": pd.Timestamp("2025-01-01", tz="UTC")}, "registry time"),
    ],
)
def test_what_cannot_be_asked_is_said(asked, said):
    with pytest.raises(RiskmlError, match=said):
        assessments(_history([("A", 0, 0, None, None)]), **asked)


def test_of_several_versions_the_one_recorded_last_speaks():
    versions = [("A", 0, 0, None, 50), ("A", 0, 0, None, None), ("A", 0, 60, None, 100)]
    days = [_time(hours) for hours in (0, 24, 48, 72, 96)]
    for rows, expected in (
        (versions, days),  # of two recorded at the same moment the later row: open until another closes it
        ([versions[1], versions[0]], days[:3]),  # a closed version hides the open one before it
        ([versions[1], ("A", 0, 30, 60, 36)], [days[0], days[1], days[3], days[4]]),  # until it is withdrawn
    ):
        assert list(assessments(_history(rows), every="1d", end=_time(100))["as_of"]) == expected


def test_an_incident_withdrawn_as_its_case_appears_was_never_seen():
    history = _history([("A", 0, 50, None, None)], [("i", "A", 1, 2, 50)])
    assert len(assessments(history, every=None, at_contacts=True)) == 0


@pytest.mark.parametrize("cases", [[], [("A", None, 3, None, None)], [("A", 5, 3, 5, None)]])
def test_a_registry_without_a_visible_case_is_an_error(cases):
    with pytest.raises(RiskmlError, match="no case is ever visible"):
        assessments(_history(cases))


def test_the_cohort_does_not_depend_on_the_order_of_rows():
    cases = [(f"c{i}", i, 3 * i % 50, None, None) for i in range(20)]
    assert assessments(_history(cases), every="1d").equals(assessments(_history(cases[::-1]), every="1d"))


hours = st.integers(0, 9).map(lambda n: 12 * n)  # few moments, so that many facts meet
known = st.one_of(hours, hours, hours, hours, hours, st.none())
maybe = st.one_of(st.none(), hours)
case_rows = st.lists(st.tuples(st.sampled_from("AAB"), known, known, maybe, maybe), min_size=1, max_size=7)
incident_rows = st.lists(
    st.tuples(st.sampled_from("ijk"), st.sampled_from("AAB"), known, known, maybe), max_size=7
)


def _visible(row, t):
    occurred, recorded, superseded = row
    return (
        occurred is not None
        and recorded is not None
        and max(occurred, recorded) <= t
        and (superseded is None or superseded > t)
    )


def _open(cases, case, t):
    mine = [row for row in cases if row[0] == case]
    seen = [(r[2], r[1], place, r[4]) for place, r in enumerate(mine) if _visible(r[1:4], t)]
    closed = max(seen, key=lambda version: version[:3])[3] if seen else t
    return closed is None or closed > t


@settings(max_examples=120, deadline=None)
@given(case_rows, incident_rows)
def test_the_cohort_is_the_slow_and_obvious_one(cases, incidents):
    history = _history(cases, incidents)
    if not any(_visible(row[1:4], t) for row in cases for t in range(0, 121, 12)):
        with pytest.raises(RiskmlError):
            assessments(history)
        return
    end = 120
    cohort = assessments(history, every="1d", start=START, end=_time(end), at_contacts=True)
    contacts = set()
    for case in "AB":
        for incident in "ijk":
            moments = [
                t
                for t in range(0, end + 1, 12)
                if any(_visible(row[1:4], t) for row in cases if row[0] == case)
                and any(_visible(row[2:5], t) for row in incidents if row[:2] == (incident, case))
            ]
            contacts |= {(case, t) for t in moments[:1]}
    grid = {(case, t) for case in "AB" for t in range(0, end + 1, 24)}
    expected = sorted((t, case) for case, t in grid | contacts if _open(cases, case, t))
    assert _pairs(cohort) == [(case, _time(t)) for t, case in expected]
    periodic = assessments(history, every="1d", start=START, end=_time(end))
    for t in range(0, end + 1, 24):
        at = periodic[periodic["as_of"] == _time(t)]
        assert np.array_equal(at["case_id"], history.open_cases(_time(t))["case_id"])
