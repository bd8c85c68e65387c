"""The facts behind a number: the number comes out of them again, and what is left out says why."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.facts_behind import REASONS, facts_behind
from riskml.features.matrix import build_features
from riskml.features.surroundings import case_surroundings
from riskml.messages import all_messages
from riskml.registry.contract import TABLES
from riskml.registry.history import ARROW_TYPES, History

DAY = pd.Timedelta(days=1)
MIDNIGHT = pd.Timestamp("2024-02-27")  # the grid crosses a leap day

CATALOGUE = """
- dimension: acts
  table: incidents
  features:
    incidents: {aggregate: count, windows: [12h, 3d, ever]}
    any_grave: {aggregate: any, where: severity >= 2, windows: [3d, ever]}
    days_since_incident: {aggregate: days_since}
    severity_sum: {aggregate: sum, column: severity, windows: [3d, ever]}
    severity_mean: {aggregate: mean, column: severity, windows: [3d, ever]}
    severity_max: {aggregate: max, column: severity, windows: [3d, ever]}
    severity_latest: {aggregate: latest, column: severity}
    sources: {aggregate: distinct, column: source, windows: [3d, ever]}
    last_source: {aggregate: latest, column: source, over: victim}
    his_incidents: {aggregate: count, over: aggressor, where: source = '911' or severity is null}
    his_days_since: {aggregate: days_since, over: aggressor}
    her_severity_max: {aggregate: max, column: severity, over: victim}
    incidents_before: {aggregate: count, windows: [1d-3d, 2d-ever], over: aggressor}
    days_since_first: {aggregate: days_since_first}
    days_since_second: {aggregate: days_since_second}
    days_since_third: {aggregate: days_since_third, over: aggressor}
    lag: {aggregate: mean, column: recording_lag, windows: [3d, ever]}
    lag_max: {aggregate: max, column: recording_lag}
    days_with: {aggregate: distinct, column: occurred_on, windows: [3d, 1d-ever]}
- dimension: acts
  table: factors
  features:
    threat: {aggregate: latest, column: state, where: factor = 'threat'}
    threat_highest: {aggregate: max, column: state, where: factor = 'threat', over: aggressor}
- dimension: response
  table: measures
  features:
    protected: {aggregate: in_force, where: kind <> 'custody'}
    his_protected: {aggregate: in_force, over: aggressor}
    protection_ends_in: {aggregate: days_to_expiry}
    days_since_expiry: {aggregate: days_since_expiry}
    measure_kinds: {aggregate: distinct, column: kind}
- dimension: relationship
  table: cases
  features:
    relation: {aggregate: latest, column: relationship}
    his_victims: {aggregate: distinct, column: victim_id, over: aggressor}
    case_age: {aggregate: days_since}
- dimension: aggressor
  table: aggressors
  features:
    birth_year: {aggregate: latest, column: birth_year}
    occupation: {aggregate: latest, column: occupation, over: aggressor}
- dimension: victim
  table: victims
  features:
    her_birth_year: {aggregate: mean, column: birth_year}
- dimension: acts
  features:
    more_often: {formula: incidents_3d > incidents_before_1d_3d and threat = 'present'}
"""
FACTORS = "threat: {label: {es: Amenaza, en: Threat}, dimension: acts}\n"


@cache
def the_catalogue():
    with TemporaryDirectory() as folder:
        (Path(folder) / "acts.yml").write_text(CATALOGUE, encoding="utf-8")
        (Path(folder) / "factors.yml").write_text(FACTORS, encoding="utf-8")
        return load_catalogue(folder)


# Small histories whose times collide

times = st.integers(0, 11).map(lambda k: (MIDNIGHT + k * DAY / 2).to_pydatetime())
when = st.one_of(times, times, times, times, times, st.none())
later = st.one_of(st.none(), st.none(), times)
OF = {
    "case_id": st.sampled_from("ABC"),
    "aggressor_id": st.sampled_from(["p", "p", "q", None]),
    "victim_id": st.sampled_from(["p", "v"]),
    "incident_id": st.sampled_from("1234"),
    "measure_id": st.just("m"),
    "relationship": st.sampled_from(["partner", "son", None]),
    "occupation": st.sampled_from(["farmer", None]),
    "source": st.sampled_from(["911", "banevim"]),
    "factor": st.sampled_from(["threat", "other"]),
    "state": st.sampled_from(["denied", "present"]),
    "kind": st.sampled_from(["protection", "custody"]),
    "severity": st.sampled_from([0, 1, 2, 6, None]),
    "birth_year": st.sampled_from([1980, 2000, None]),
    "occurred_at": when,
    "recorded_at": when,
    "superseded_at": later,
    "expires_at": later,
    "ended_at": later,
}
READ = {"cases": 5, "incidents": 7, "factors": 4, "measures": 4, "aggressors": 3, "victims": 3}


def arrow(name, rows):
    columns = [c for c in TABLES[name].history_columns if c.name in OF]
    return pa.Table.from_pylist(rows, schema=pa.schema([(c.name, ARROW_TYPES[c.kind]) for c in columns]))


def rows_of(name, most):
    names = [c.name for c in TABLES[name].history_columns if c.name in OF]
    return st.lists(st.fixed_dictionaries({n: OF[n] for n in names}), max_size=most)


histories = st.fixed_dictionaries({name: rows_of(name, most) for name, most in READ.items()})


def recomputed(facts, column, t):
    """The number, from nothing but the facts that are listed as counted."""
    feature, counted = column.feature, facts[facts["counted"]]
    aggregate = feature.aggregate
    if aggregate in ("count", "any", "in_force"):
        return float(len(counted) if aggregate == "count" else len(counted) > 0)
    if aggregate == "distinct":
        return float(counted[feature.column].nunique())
    if aggregate == "sum":
        return float(counted[feature.column].sum())
    if counted.empty:
        return None
    if aggregate == "days_since":
        return (t - counted["occurred_at"].max()) / DAY
    if aggregate.startswith("days_since_") and aggregate != "days_since_expiry":
        decides = counted.loc[counted["decides"], "occurred_at"]
        return (t - decides.iloc[0]) / DAY if len(decides) else None
    if aggregate == "days_since_expiry":
        return (t - counted["expires_at"].max()) / DAY
    if aggregate == "days_to_expiry":
        return (counted["expires_at"].min() - t) / DAY
    if aggregate == "mean":
        return sum(counted[feature.column]) / len(counted)
    [value] = counted.loc[counted["decides"], feature.column].unique()
    if aggregate == "max":
        values = [
            feature.reads.values.index(v) if feature.reads.ordered else v for v in counted[feature.column]
        ]
        assert max(values) == (feature.reads.values.index(value) if feature.reads.ordered else value)
        return float(max(values))
    assert counted.loc[counted["decides"], "occurred_at"].eq(counted["occurred_at"].max()).all()
    return value if isinstance(value, str) else float(value)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(history=histories, case=st.sampled_from("ABC"), t=times)
def test_the_number_comes_out_of_the_facts_that_are_listed(history, case, t):
    assume(any(row["case_id"] == case for row in history["cases"]))
    history = {name: arrow(name, rows) for name, rows in history.items()}
    t = pd.Timestamp(t)
    catalogue = the_catalogue()
    matrix = build_features(history, pd.DataFrame({"case_id": [case], "as_of": [t]}), catalogue)
    for column in catalogue.columns:
        facts = facts_behind(history, catalogue, case, t, column.name)
        if column.feature.is_formula:
            for name, listed in facts.groupby("column"):
                assert len(listed) == len(facts_behind(history, catalogue, case, t, name))
            continue
        number = matrix[column.name].iloc[0]
        assert recomputed(facts, column, t) == (None if pd.isna(number) else number), column.name
        assert (facts["counted"] == (facts["reason"] == "")).all()
        assert set(facts["reason"]) <= {"", *REASONS}
        assert not (facts["decides"] & ~facts["counted"]).any()
        if column.feature.aggregate not in ("days_since_second", "days_since_third"):
            assert facts["decides"].any() == facts["counted"].any()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(history=histories, case=st.sampled_from("ABC"))
def test_a_cases_surroundings_are_all_that_its_features_depend_on(history, case):
    history = History.of({name: arrow(name, rows) for name, rows in history.items()})
    catalogue = the_catalogue()
    moments = [(MIDNIGHT + k * DAY / 2).to_pydatetime() for k in range(0, 14, 3)]
    cohort = pd.DataFrame({"case_id": case, "as_of": pd.array(moments, dtype="datetime64[us]")})
    around = case_surroundings(history, case, catalogue.tables_read)
    pd.testing.assert_frame_equal(
        build_features(around, cohort, catalogue), build_features(history, cohort, catalogue)
    )


def test_a_case_that_went_to_another_person_stays_his_no_longer_in_its_surroundings():
    """Its later version names neither person: without it the case would still seem to be his."""
    moved = {"recorded_at": pd.Timestamp("2024-02-01").to_pydatetime()}
    known = history(
        cases=[case(), case("C"), case("C", "q", **moved)], incidents=[fact("2024-01-02", case_id="C")]
    )
    around = case_surroundings(History.of(known), "A")
    cohort = pd.DataFrame({"case_id": ["A"], "as_of": [pd.Timestamp("2024-03-01")]})
    assert build_features(around, cohort, the_catalogue())["his_incidents_ever"].tolist() == [0.0]


# What is left out, and why


def case(case_id="A", aggressor="p", occurred="2024-01-01", **more):
    at = pd.Timestamp(occurred).to_pydatetime()
    ids = {"case_id": case_id, "aggressor_id": aggressor, "victim_id": f"v{case_id}"}
    return ids | {"occurred_at": at, "recorded_at": at} | more


def fact(occurred, recorded=None, case_id="A", **more):
    occurred, recorded = (
        None if moment is None else pd.Timestamp(moment).to_pydatetime()
        for moment in (occurred, recorded or occurred)
    )
    return {"case_id": case_id, "occurred_at": occurred, "recorded_at": recorded} | more


def history(cases=None, **tables):
    rows = {name: [] for name in READ} | {"cases": cases or [case()]} | tables
    return {name: arrow(name, of_table) for name, of_table in rows.items()}


def reasons(known, column, t="2024-03-01", case_id="A"):
    return facts_behind(known, the_catalogue(), case_id, t, column)["reason"].tolist()


def test_each_fact_that_is_left_out_says_why():
    at = pd.Timestamp("2024-02-20").to_pydatetime()
    known = history(
        incidents=[
            fact("2024-01-05"),
            fact("2024-02-10", superseded_at=at),
            fact("2024-02-27 01:00"),
            fact("2024-02-28", "2024-03-05"),
            fact("2024-03-02", "2024-02-28"),
            fact(None, "2024-02-01"),
        ]
    )
    assert reasons(known, "incidents_3d") == [
        "outside_window",
        "superseded",
        "",
        "not_yet_recorded",
        "not_yet_occurred",
        "undated",
    ]


def test_measures_that_are_over_and_values_that_are_not_known_say_so():
    t = pd.Timestamp("2024-02-20").to_pydatetime()
    known = history(
        measures=[
            fact("2024-01-02", expires_at=t),
            fact("2024-01-03", ended_at=t),
            fact("2024-01-04"),
            fact("2024-01-05", kind="custody"),
        ],
        incidents=[fact("2024-01-02"), fact("2024-01-03", severity=1), fact("2024-01-04", severity=3)],
    )
    assert reasons(known, "protection_ends_in") == ["expired", "ended", "no_expiry", "no_expiry"]
    # A kind that is null meets no condition.
    assert reasons(known, "protected") == ["condition_not_met"] * 4
    assert reasons(known, "severity_sum_ever") == ["value_unknown", "", ""]
    assert reasons(known, "any_grave_ever") == ["condition_not_met", "condition_not_met", ""]


def test_a_near_end_and_an_expiry_say_why_a_fact_does_not_count():
    moments = {day: pd.Timestamp(f"2024-02-{day}").to_pydatetime() for day in (10, 20)}
    known = history(
        incidents=[fact("2024-02-27 12:00"), fact("2024-02-28"), fact("2024-02-28 00:01")],
        measures=[
            fact("2024-01-02", expires_at=moments[10]),
            fact("2024-01-03", expires_at=moments[20], ended_at=moments[10]),
            fact("2024-01-04", expires_at=pd.Timestamp("2024-03-02").to_pydatetime()),
            fact("2024-01-05"),
        ],
    )
    assert reasons(known, "incidents_before_2d_ever", "2024-03-01") == ["", "", "too_recent"]
    assert reasons(known, "incidents_before_1d_3d", "2024-03-01") == ["", "", ""]
    assert reasons(known, "incidents_before_1d_3d", "2024-03-02") == ["outside_window", "outside_window", ""]
    expected = ["", "ended_before_expiry", "not_yet_expired", "no_expiry"]
    assert reasons(known, "days_since_expiry", "2024-03-01") == expected


def test_the_fact_that_begins_an_episode_decides():
    moments = ("2024-01-01", "2024-01-05", "2024-01-05 12:00", "2024-01-06 11:00", "2024-01-07")
    known = history(incidents=[fact(moment) for moment in moments])
    for which, decides in (("first", "2024-01-01"), ("second", "2024-01-05 12:00"), ("third", "2024-01-01")):
        facts = facts_behind(known, the_catalogue(), "A", "2024-03-01", f"days_since_{which}")
        assert facts["counted"].all()
        assert facts.loc[facts["decides"], "occurred_at"].tolist() == [pd.Timestamp(decides)]


def test_a_formula_shows_the_facts_behind_each_column_that_it_names():
    state = {"factor": "threat", "state": "present"}
    known = history(
        incidents=[fact("2024-02-27 01:00"), fact("2024-02-28")], factors=[fact("2024-02-20", **state)]
    )
    facts = facts_behind(known, the_catalogue(), "A", "2024-03-01", "more_often")
    assert facts[["column", "table", "counted"]].to_numpy().tolist() == [
        ["incidents_3d", "incidents", True],
        ["incidents_3d", "incidents", True],
        ["incidents_before_1d_3d", "incidents", True],
        ["incidents_before_1d_3d", "incidents", True],
        ["threat", "factors", True],
    ]
    assert facts["state"].tolist()[-1] == "present"


def test_cases_that_are_not_his_or_not_known_yet_are_named_as_such():
    moved = pd.Timestamp("2024-02-01").to_pydatetime()
    known = history(
        cases=[
            case(),
            case("B", occurred="2024-04-01"),
            case("C", superseded_at=moved),
            case("C", "q", recorded_at=moved),
            case("D", "q"),
        ],
        incidents=[fact(f"2024-01-0{day}", case_id=c) for day, c in enumerate("ABCD", start=2)],
    )
    assert reasons(known, "his_incidents_ever") == ["", "other_case_not_known", "another_person"]
    assert reasons(known, "his_incidents_ever", "2024-01-20") == ["", "other_case_not_known", ""]
    assert reasons(known, "incidents_ever", "2024-03-01", "B") == ["case_not_known"]


def test_the_facts_show_both_dates_whose_they_are_and_what_the_feature_reads():
    facts = facts_behind(
        history(incidents=[fact("2024-01-05", "2024-02-01", source="911", severity=3)]),
        the_catalogue(),
        "A",
        "2024-03-01",
        "any_grave_ever",
    )
    assert facts.loc[0].to_dict() == {
        "table": "incidents",
        "case_id": "A",
        "occurred_at": pd.Timestamp("2024-01-05"),
        "recorded_at": pd.Timestamp("2024-02-01"),
        "superseded_at": pd.NaT,
        "severity": 3,
        "in_window": True,
        "counted": True,
        "decides": True,
        "reason": "",
    }


def test_the_latest_decides_and_of_the_same_instant_the_last_in_the_table():
    known = history(incidents=[fact("2024-01-05", source=s) for s in ("911", "banevim")])
    facts = facts_behind(known, the_catalogue(), "A", "2024-03-01", "last_source")
    assert facts["counted"].tolist() == [True, True]
    assert facts.loc[facts["decides"], "source"].tolist() == ["banevim"]


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (("secret", "2024-03-01", "incidents_3d"), "holds no such case"),
        (("A", "soon", "incidents_3d"), "not a moment"),
        (("A", "2024-03-01T00:00+00:00", "incidents_3d"), "not a moment"),
        (("A", "2024-03-01", "incidents_4d"), 'Did you mean "incidents_3d"'),
    ],
)
def test_what_cannot_be_answered_is_refused_without_naming_anybody(asked, what):
    with pytest.raises(RiskmlError) as refused:
        facts_behind(history(), the_catalogue(), *asked)
    assert what in str(refused.value)
    assert "secret" not in str(refused.value)


def test_every_reason_has_its_words():
    assert {f"explore.reason_{reason}" for reason in REASONS} <= set(all_messages())
