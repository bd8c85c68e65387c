"""Labels: what came after an assessment, on both clocks, held against a slow and obvious version."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.outcomes.definition import OutcomeDefinition
from riskml.outcomes.labels import check_two_classes, label_outcomes
from riskml.registry.history import History
from riskml.validation.follow_up import exits_summary

START = pd.Timestamp("2025-01-01")
REPEAT = {"event": "incident", "horizon": "90d"}
COLUMNS = {
    "cases": ["case_id", "closed_at"],
    "incidents": ["case_id", "severity", "source"],
    "measures": ["case_id", "kind"],
    "proceedings": ["case_id", "stage"],
    "outcomes": ["case_id", "kind"],
}
CLOCK = ["occurred_at", "recorded_at", "superseded_at"]


def _at(days):
    return pd.NaT if pd.isna(days) else START + pd.Timedelta(hours=round(24 * days))


def _history(**tables):
    """Rows of each table: its columns of COLUMNS, then occurred, recorded, superseded in days since START, or
    None.

    A last incident, of a case of its own, keeps the registry observed for 1,000 days.
    """
    tables = {"cases": [], "incidents": [], **tables}
    tables["cases"] = [*tables["cases"], ("Z", None, 0, 0, None)]
    tables["incidents"] = [*tables["incidents"], ("Z", 0, "911", 1000, 1000, None)]
    frames = {}
    for name, rows in tables.items():
        frame = pd.DataFrame(rows, columns=[*COLUMNS[name], *CLOCK])
        for column in frame.columns:
            if column.endswith("_at"):
                frame[column] = pd.Series([_at(days) for days in frame[column]], dtype="datetime64[us]")
        frames[name] = frame.astype({"severity": "Int64"} if name == "incidents" else {})
    frames["cases"] = frames["cases"].assign(aggressor_id="a", victim_id="v")
    frames["incidents"] = frames["incidents"].assign(
        incident_id=[f"i{n}" for n in range(len(frames["incidents"]))]
    )
    if "measures" in frames:
        frames["measures"] = frames["measures"].assign(measure_id="m", expires_at=pd.NaT)
    return History.of(frames)


CASE = [("A", None, 0, 0, None)]


def _label(history, day, definition=None, **changes):
    cohort = pd.DataFrame({"case_id": ["A"], "as_of": [_at(day)]})
    return label_outcomes(history, cohort, (definition or REPEAT) | changes).iloc[0]


def _outcome(incidents, day=0.0, **changes):
    rows = [("A", *row) if len(row) > 2 else ("A", row[0], "911", row[1], row[1], None) for row in incidents]
    return _label(_history(cases=CASE, incidents=rows), day, **changes)["outcome"]


def test_an_event_counts_strictly_after_the_assessment_and_through_the_horizon():
    assert _outcome([(1, 10)], 10) == 0  # on the boundary: a feature, never both
    assert _outcome([(1, 12)], 10) == 1
    assert _outcome([(1, 100)], 10) == 1
    assert _outcome([(1, 100 + 1 / 24)], 10) == 0


def test_the_first_event_is_named():
    history = _history(cases=CASE, incidents=[("A", 1, "911", day, day, None) for day in (40, 30, 5)])
    row = _label(history, 10)
    assert row["event_at"] == _at(30)
    assert row["followed_until"] == _at(100)
    assert (row["status"], row["exit"]) == ("event", "none")


def test_an_assault_before_the_assessment_that_is_recorded_after_it_is_no_new_event():
    assert _outcome([(5, "911", 9, 30, None)], 10) == 0


def test_a_report_soon_after_one_already_visible_is_the_same_event():
    incidents = [(1, 10), (4, "banevim", 10.5, 40, None)]
    assert _outcome(incidents, 10) == 0
    assert _outcome(incidents, 10, same_event_within="0h") == 1
    assert _outcome([(1, 10), (4, 11)], 10) == 0  # 24 hours later is still within 24 hours
    assert _outcome([(1, 10), (4, 11.5)], 10) == 1


def test_a_report_not_yet_visible_hides_nothing():
    assert _outcome([(1, "911", 9.9, 20, None), (1, "911", 10.5, 10.5, None)], 10) == 1
    assert _outcome([(1, "911", 9.9, 9.9, 9.95), (1, "911", 10.5, 10.5, None)], 10) == 1  # withdrawn by then


def test_what_was_corrected_does_not_count_and_its_correction_does():
    withdrawn = (4, "911", 20, 20, 200)
    assert _outcome([withdrawn], 10) == 0
    assert _outcome([withdrawn, (2, "911", 21, 200, None)], 10) == 1
    assert _outcome([withdrawn, (2, "911", 5, 200, None)], 10) == 0
    severe = {"event": "severe_incident", "minimum_severity": 4}
    assert _outcome([withdrawn, (2, "911", 21, 200, None)], 10, **severe) == 0


def test_a_correction_after_the_end_of_observation_is_not_known():
    history = _history(cases=CASE, incidents=[("A", 4, "911", 20, 20, 500)])
    cohort = pd.DataFrame({"case_id": ["A"], "as_of": [_at(10)]})
    assert label_outcomes(history, cohort, REPEAT)["outcome"].iloc[0] == 0
    assert label_outcomes(history, cohort, REPEAT, known_at=_at(400))["outcome"].iloc[0] == 1
    assert label_outcomes(history, cohort, REPEAT, known_at=_at(19))["status"].iloc[0] == "censored"


def test_an_assessment_not_fully_followed_up_is_censored_even_with_an_event():
    incidents = [(1, 870)]
    assert _outcome(incidents, 865) == 1  # 865 + 90 + 45 days is the last moment observed
    assert np.isnan(_outcome(incidents, 865 + 1 / 24))
    row = _label(_history(cases=CASE, incidents=[("A", 1, "911", 870, 870, None)]), 866)
    assert row["status"] == "censored"
    assert (row["exit"], row["followed_until"]) == ("none", _at(955))
    assert pd.isna(row["event_at"])
    assert _label(_history(cases=CASE), 990)["followed_until"] == _at(990)


def test_a_severity_that_is_not_known_is_never_severe():
    severe = {"event": "severe_incident", "minimum_severity": 0}
    assert _outcome([(None, 20)], 10) == 1
    assert _outcome([(None, 20)], 10, **severe) == 0
    assert _outcome([(0, 20)], 10, **severe) == 1


def test_only_the_sources_asked_for_make_an_event():
    incidents = [(3, "911", 20, 20, None)]
    assert _outcome(incidents, 10, sources=["banevim"]) == 0
    assert _outcome(incidents, 10, sources=["banevim", "911"]) == 1
    assert _outcome(incidents, 10, event="escalation", sources=["banevim"]) == 0
    assert (
        _outcome([*incidents, (0, "banevim", 20.5, 90, None)], 10, event="escalation", sources=["banevim"])
        == 1
    )


def test_lethal_events_come_from_the_reviews():
    history = _history(
        cases=CASE,
        incidents=[("A", 6, "911", 20, 20, None)],
        outcomes=[("A", "attempted_femicide", 30, 300, None)],
    )
    lethal = {"event": "lethal", "horizon": "365d"}
    row = _label(history, 10, lethal)
    assert (row["outcome"], row["event_at"]) == (1, _at(30))
    assert (row["exit"], row["exit_at"]) == ("death", _at(20))
    assert _label(history, 30, lethal)["outcome"] == 0
    both = {"event": ["severe_incident", "lethal"], "minimum_severity": 5, "horizon": "365d"}
    assert _label(history, 10, both)["event_at"] == _at(20)


def test_an_outcome_that_needs_a_table_says_so():
    with pytest.raises(RiskmlError, match="outcomes"):
        _label(_history(cases=CASE), 10, {"event": "lethal", "horizon": "365d"})


@pytest.mark.parametrize(
    ("before", "then", "escalates"),
    [
        ([], (3, 100), True),  # nothing before: severity 3 stands above 0
        ([], (2, 100), False),
        ([(3, 10)], (3, 100), False),
        ([(3, 10)], (4, 100), True),
        ([(5, 10)], (4, 380), True),  # the severe one is more than 365 days ago
        ([(5, 10)], (4, 374), False),
        ([(5, 10)], (4, 375), True),  # exactly 365 days ago is out of the window
        ([(0, 10), (1, 40)], (2, 100), True),  # two rises in a row
        ([(0, 10), (0, 40)], (1, 100), False),
        ([(0, 10), (None, 40)], (2, 100), False),  # not known: no rise
        ([(5, 1), (2, 10), (2, 60)], (2, 80), True),  # 20 days after 50: under half
        ([(5, 1), (2, 10), (2, 60)], (2, 85), False),  # 25 days after 50: half
        ([(5, 1), (2, 10), (2, 60)], (1, 80), False),  # too light
        ([(2, 10), (2, 60)], (None, 80), False),
        ([(3, 10), (3, 10.5), (3, 60)], (3, 80), True),  # a second report makes no interval
        ([(3, 10), (3, 59.5), (3, 60)], (3, 80), True),
    ],
)
def test_escalation_is_that_of_the_evidence_base(before, then, escalates):
    day = then[1] - 3
    assert _outcome([*before, then], day, event="escalation") == escalates


def test_a_second_report_gives_an_event_its_highest_severity():
    assert _outcome([(1, 20), (4, "banevim", 20.5, 300, None)], 10, event="escalation") == 1
    assert _outcome([(1, 20), (4, "banevim", 20.5, 300, None)], 20.2, event="escalation") == 0


def test_exits_are_reported_before_any_event_and_are_no_events():
    measures, proceedings = [("A", "custody", 30, 300, None)], [("A", "detained", 25, 25, None)]
    history = _history(cases=[("A", 40, 0, 0, None)], measures=measures, proceedings=proceedings)
    row = _label(history, 10)
    assert (row["outcome"], row["exit"], row["exit_at"]) == (0, "custody", _at(25))
    assert _label(history, 27)["exit_at"] == _at(30)
    assert _label(history, 30)["exit"] == "closed"
    assert _label(history, 40)["exit"] == "none"
    assert _label(history, 10, competing_exits=["closed"])["exit_at"] == _at(40)
    assert _label(history, 10, competing_exits=[])["exit"] == "none"


def test_an_exit_after_the_event_or_a_withdrawn_one_is_none():
    incidents = [("A", 1, "911", 20, 20, None)]
    history = _history(cases=CASE, incidents=incidents, measures=[("A", "custody", 20, 20, None)])
    assert (_label(history, 10)["outcome"], _label(history, 10)["exit"]) == (1, "none")
    history = _history(cases=CASE, measures=[("A", "custody", 20, 20, 50), ("A", "protection", 20, 20, None)])
    assert _label(history, 10)["exit"] == "none"


def test_death_goes_before_other_exits_of_the_same_moment():
    history = _history(cases=[("A", 20, 0, 0, None)], outcomes=[("A", "femicide", 20, 90, None)])
    assert _label(history, 10)["exit"] == "death"


def test_a_case_that_was_opened_again_was_not_closed():
    history = _history(cases=[("A", 20, 0, 0, None), ("A", None, 0, 30, None)])
    assert _label(history, 10)["exit"] == "none"


def test_of_two_versions_recorded_at_once_the_later_row_says_whether_the_case_was_closed():
    versions = [("A", 20, 0, 0, None), ("A", None, 0, 0, None)]
    assert _label(_history(cases=versions), 10)["exit"] == "none"
    assert _label(_history(cases=versions[::-1]), 10)["exit"] == "closed"


def test_a_fact_withdrawn_at_the_end_of_observation_does_not_stand():
    cohort = pd.DataFrame({"case_id": ["A"], "as_of": [_at(10)]})
    history = _history(cases=CASE, incidents=[("A", 4, "911", 20, 20, 400)])
    assert label_outcomes(history, cohort, REPEAT, known_at=_at(400))["outcome"].iloc[0] == 0


def test_labels_stand_in_the_cohorts_order_and_keep_its_repetitions():
    history = _history(
        cases=[("A", None, 0, 0, None), ("B", None, 0, 0, None)], incidents=[("B", 1, "911", 20, 20, None)]
    )
    cohort = pd.DataFrame({"case_id": ["B", "A", "B"], "as_of": [_at(10), _at(10), _at(10)]}, index=[7, 3, 7])
    labels = label_outcomes(history, cohort, REPEAT)
    assert list(labels.index) == [("B", _at(10)), ("A", _at(10)), ("B", _at(10))]
    assert labels.index.names == ["case_id", "as_of"]
    assert list(labels["outcome"]) == [1, 0, 1]
    assert len(label_outcomes(history, cohort[:0], REPEAT)) == 0


@pytest.mark.parametrize(
    ("cohort", "said"),
    [
        (pd.DataFrame({"case_id": ["A"]}), "no column as_of"),
        (pd.DataFrame({"case_id": ["A"], "as_of": ["2025-01-01"]}), "naive timestamps"),
        (pd.DataFrame({"case_id": ["A"], "as_of": [pd.NaT]}), "naive timestamps"),
        (pd.DataFrame({"case_id": ["A", "Q"], "as_of": [START, START]}), "1 of 2 assessments"),
    ],
)
def test_a_cohort_that_cannot_be_labelled_is_one_message(cohort, said):
    with pytest.raises(RiskmlError, match=said):
        label_outcomes(_history(cases=CASE), cohort, REPEAT)


def test_one_class_alone_is_an_error():
    check_two_classes([0, 1, np.nan])
    with pytest.raises(RiskmlError, match="0/2 assessments have an event"):
        check_two_classes([0, 0, np.nan], where="models/repeat.yml")
    with pytest.raises(RiskmlError, match="none of the 2 assessments"):
        check_two_classes([np.nan, np.nan])


def test_exits_are_counted_as_shares_with_exact_intervals():
    history = _history(
        cases=CASE, incidents=[("A", 1, "911", 20, 20, None)], measures=[("A", "custody", 150, 150, None)]
    )
    cohort = pd.DataFrame({"case_id": "A", "as_of": [_at(day) for day in (0, 10, 30, 100, 300, 950)]})
    summary = exits_summary(label_outcomes(history, cohort, REPEAT), language="en")
    assert list(summary.index) == ["censored", "event", "death", "custody", "closed"]
    assert list(summary["n"]) == [1, 2, 0, 1, 0]
    assert list(summary["total"]) == [6, 5, 5, 5, 5]
    assert summary.loc["event", "low"] == pytest.approx(0.0527, abs=1e-4)
    assert summary.loc["death", "high"] == pytest.approx(0.5218, abs=1e-4)
    assert (
        exits_summary(label_outcomes(history, cohort[5:], REPEAT)).loc["event", ["share", "low"]].isna().all()
    )


# ------------------------------------------------------------------- the slow and obvious version

UNTIL = 60  # in half days


def _standing(row, t):
    occurred, recorded, superseded = row[-3:]
    known = occurred is not None and recorded is not None
    return known and max(occurred, recorded) <= t and (superseded is None or superseded > t)


def _true_events(incidents, within):
    """(time, highest severity) of each event, in order."""
    events = []
    for row in sorted(incidents, key=lambda row: row[-3]):
        if events and row[-3] - events[-1][0] <= within:
            events[-1][1].append(row[1])
        else:
            events.append((row[-3], [row[1]]))
    return [
        (time, max((s for s in severities if s is not None), default=None)) for time, severities in events
    ]


def _escalating(events, year):
    for k, (time, severity) in enumerate(events):
        if severity is None:
            continue
        known = [s for at, s in events[:k] if time - year < at and s is not None]
        above = severity >= max(known, default=0) + 1 and severity >= 3
        last = [s for _, s in events[max(k - 2, 0) : k]]
        rising = len(last) == 2 and None not in last and last[0] < last[1] < severity
        shorter = (
            k >= 2 and 2 * (time - events[k - 1][0]) < events[k - 1][0] - events[k - 2][0] and severity >= 2
        )
        if above or rising or shorter:
            yield time


def _slow(rows, case, t, definition, known_at):
    """(status, event time, exit, exit time) in half days."""
    horizon, lag, within, year = (
        int(us // 43_200_000_000)
        for us in (
            definition.horizon_us,
            definition.reporting_lag_us,
            definition.same_event_us,
            365 * 86_400_000_000,
        )
    )
    if t + horizon + lag > known_at:
        return "censored", None, "none", None
    mine = {name: [r for r in table if r[0] == case] for name, table in rows.items()}
    stand = {name: [r for r in table if _standing(r, known_at)] for name, table in mine.items()}
    visible = [r[-3] for r in mine["incidents"] if _standing(r, t)]
    times = {
        "incident": [r[-3] for r in stand["incidents"]],
        "severe_incident": [
            r[-3]
            for r in stand["incidents"]
            if r[1] is not None and r[1] >= (definition.minimum_severity or 0)
        ],
        "escalation": list(_escalating(_true_events(stand["incidents"], within), year)),
        "lethal": [r[-3] for r in stand["outcomes"]],
    }
    found = [
        at
        for kind in definition.event
        for at in times[kind]
        if t < at <= t + horizon and (kind == "lethal" or all(at - seen > within for seen in visible))
    ]
    event = min(found, default=None)
    last = max(stand["cases"], key=lambda r: (r[-2], r[-3], mine["cases"].index(r)), default=None)
    exits = [("death", r[-3]) for r in stand["outcomes"] if r[1] == "femicide"]
    exits += [("death", r[-3]) for r in stand["incidents"] if r[1] == 6]
    exits += [("custody", r[-3]) for r in stand["measures"] if r[1] == "custody"]
    exits += [("custody", r[-3]) for r in stand["proceedings"] if r[1] == "detained"]
    exits += [("closed", last[1])] if last and last[1] is not None else []
    exits = [(at, ("death", "custody", "closed").index(kind), kind) for kind, at in exits]
    exits = [e for e in exits if t < e[0] <= t + horizon and (event is None or e[0] < event)]
    at, _, kind = min(exits, default=(None, 0, "none"))
    return "no_event" if event is None else "event", event, kind, at


moments = st.one_of(st.integers(0, UNTIL), st.integers(0, UNTIL // 10).map(lambda n: 10 * n))
maybe = st.one_of(st.none(), moments)
clock = (moments, moments, st.one_of(st.none(), st.none(), moments))
cases = st.sampled_from("AB")
tables = st.fixed_dictionaries(
    {
        "cases": st.lists(st.tuples(cases, maybe, *clock), max_size=4),
        "incidents": st.lists(
            st.tuples(cases, st.one_of(st.none(), st.integers(0, 6)), st.just("911"), *clock), max_size=14
        ),
        "measures": st.lists(
            st.tuples(cases, st.sampled_from(("custody", "protection")), *clock), max_size=3
        ),
        "proceedings": st.lists(
            st.tuples(cases, st.sampled_from(("detained", "released")), *clock), max_size=3
        ),
        "outcomes": st.lists(
            st.tuples(cases, st.sampled_from(("femicide", "attempted_femicide")), *clock), max_size=2
        ),
    }
)
definitions = st.sampled_from(
    [
        {"event": "incident", "horizon": "10d"},
        {"event": "incident", "horizon": "10d", "same_event_within": "0h"},
        {"event": "incident", "horizon": "5d", "same_event_within": "72h"},
        {"event": "severe_incident", "minimum_severity": 3, "horizon": "10d"},
        {"event": "escalation", "horizon": "10d"},
        {"event": "escalation", "horizon": "20d", "same_event_within": "0h"},
        {"event": ["lethal", "severe_incident"], "minimum_severity": 5, "horizon": "10d"},
    ]
).map(lambda definition: OutcomeDefinition.of(definition | {"reporting_lag": "3d"}))


def _half_days(rows):
    """The rows with their times in days."""
    return {
        name: [
            tuple(
                v / 2 if isinstance(v, int) and (i >= len(row) - 3 or (name == "cases" and i == 1)) else v
                for i, v in enumerate(row)
            )
            for row in table
        ]
        for name, table in rows.items()
    }


def _labelled(rows, definition, known_at):
    everyone = [
        ("A", None, None, 0, None),
        ("B", None, None, 0, None),
    ]  # never visible; the cohort may name them
    history = _history(**_half_days({**rows, "cases": [*rows["cases"], *everyone]}))
    cohort = pd.DataFrame({"case_id": ["A", "B"] * 20, "as_of": [_at(t / 2) for t in range(40)]})
    return label_outcomes(history, cohort, definition, known_at=_at(known_at / 2))


@settings(max_examples=150, deadline=None)
@given(tables, definitions, st.integers(30, UNTIL))
def test_labels_are_the_slow_and_obvious_ones(rows, definition, known_at):
    labels = _labelled(rows, definition, known_at)
    for (case, as_of), label in labels.iterrows():
        t = round((as_of - START) / pd.Timedelta("12h"))
        status, event, kind, at = _slow(rows, case, t, definition, known_at)
        assert (label["status"], label["exit"]) == (status, kind), (case, t)
        for column, expected in (("event_at", event), ("exit_at", at)):
            assert pd.isna(label[column]) if expected is None else label[column] == _at(expected / 2), (
                case,
                t,
            )


@settings(max_examples=30, deadline=None)
@given(tables, definitions, moments, st.integers(1, 6))
def test_no_fact_up_to_the_assessment_makes_a_label_positive(rows, definition, t, severity):
    fact = ("A", severity, "911", t, t, None)
    before = _labelled(rows, definition, UNTIL)
    after = _labelled({**rows, "incidents": [*rows["incidents"], fact]}, definition, UNTIL)
    event = after["event_at"].dropna()
    assert (event > event.index.get_level_values("as_of")).all()
    if "escalation" not in definition.event:  # an escalation is held against the past by its definition
        later = after.index.get_level_values("as_of") >= _at(t / 2)
        assert (after["outcome"].fillna(-1)[later] <= before["outcome"].fillna(-1)[later]).all()


@settings(max_examples=30, deadline=None)
@given(tables, definitions, moments, st.integers(0, 6))
def test_no_fact_behind_the_horizon_changes_a_label(rows, definition, t, severity):
    before = _labelled(rows, definition, UNTIL)
    after = _labelled(
        {
            **rows,
            "incidents": [*rows["incidents"], ("A", severity, "911", t, t, None)],
            "outcomes": [*rows["outcomes"], ("A", "femicide", t, t, None)],
            "measures": [*rows["measures"], ("A", "custody", t, t, None)],
        },
        definition,
        UNTIL,
    )
    as_of = before.index.get_level_values("as_of")
    reached = (as_of + pd.Timedelta(definition.horizon_us, "us") < _at(t / 2)) & (
        before["status"] != "censored"
    )
    pd.testing.assert_frame_equal(before[reached], after[reached])
