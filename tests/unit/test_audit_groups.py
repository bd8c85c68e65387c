"""Groups for audits: what the registry showed at each moment, small ones joined, unknown kept apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.registry.history import History
from riskml.validation import audit_groups as module
from riskml.validation.audit_groups import GROUPINGS, age_band, audit_groups, facts_in_force, join_small

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2025-01-01")


def _t(*days):
    return pd.array([pd.NaT if d is None else START + d * DAY for d in days], dtype="datetime64[us]")


def _history():
    clock = {"superseded_at": _t(None, None, None)}
    return History.of(
        {
            "cases": pd.DataFrame(
                {
                    "case_id": ["A", "A", "B"],
                    "aggressor_id": ["x", "x", "y"],
                    "victim_id": ["v", "v", "w"],
                    "relationship": ["partner", "ex-partner", None],
                    "municipality": ["Fresnillo", "Fresnillo", "Jerez"],
                    "locality": ["urban", "rural", None],
                    "closed_at": _t(None, None, None),
                    "occurred_at": _t(0, 0, 1),
                    "recorded_at": _t(2, 20, 3),
                    **clock,
                }
            ),
            "incidents": pd.DataFrame(
                {
                    "incident_id": ["1", "2", "3"],
                    "case_id": ["A", "A", "A"],
                    "source": ["911", "banevim", "police_report"],
                    "severity": [1, 2, 3],
                    "occurred_at": _t(1, 5, 3),
                    "recorded_at": _t(2, 30, 4),
                    **clock,
                }
            ),
            "aggressors": pd.DataFrame(
                {
                    "aggressor_id": ["x", "y"],
                    "birth_year": [1990, None],
                    "sex": ["male", None],
                    "occurred_at": _t(0, 0),
                    "recorded_at": _t(2, 30),
                    "superseded_at": _t(None, None),
                }
            ),
            "victims": pd.DataFrame(
                {
                    "victim_id": ["v", "w"],
                    "birth_year": [2003, 1950],
                    "sex": ["female", "female"],
                    "occurred_at": _t(0, 0),
                    "recorded_at": _t(2, 3),
                    "superseded_at": _t(None, None),
                }
            ),
        }
    )


def _groups(*moments, **arguments):
    cohort = pd.DataFrame({"case_id": [c for c, _ in moments], "as_of": _t(*[d for _, d in moments])})
    return audit_groups(_history(), cohort, **arguments)


def test_groups_are_those_that_the_registry_showed_at_the_moment():
    found = _groups(("A", 10), ("A", 25), ("A", 40), ("B", 10), ("A", 1), minimum_people=1)
    assert list(found.columns) == list(GROUPINGS)
    assert list(found["relationship"]) == ["partner", "ex-partner", "ex-partner", "unknown", "unknown"]
    assert list(found["partner"]) == ["partner", "partner", "partner", "unknown", "unknown"]
    assert list(found["locality"]) == ["urban", "rural", "rural", "unknown", "unknown"]
    # The incident of the 5th is the latest to have happened, but nobody knew it before the 30th.
    assert list(found["source"]) == [
        "police_report",
        "police_report",
        "banevim",
        "none_recorded",
        "none_recorded",
    ]
    assert list(found["age_band"]) == ["35-44", "35-44", "35-44", "unknown", "unknown"]
    assert list(found["victim_age_band"]) == ["<25", "<25", "<25", "60+", "unknown"]
    assert list(found["victim_sex"]) == ["female"] * 4 + ["unknown"]
    assert list(found["municipality"]) == ["Fresnillo"] * 3 + ["Jerez", "unknown"]
    assert list(found["year"]) == ["2025"] * 5
    assert found.index.names == ["case_id", "as_of"]
    assert list(found.index.get_level_values(0)) == ["A", "A", "A", "B", "A"]


def test_only_what_is_asked_for_is_formed_and_a_misspelling_is_answered():
    assert list(_groups(("A", 10), groupings=("source", "year")).columns) == ["source", "year"]
    assert list(_groups(("A", 10), groupings=("victim_sex",)).columns) == ["victim_sex"]
    with pytest.raises(RiskmlError, match='Did you mean "municipality"'):
        _groups(("A", 10), groupings=("municipalty",))


def test_age_bands_hold_their_borders_and_what_is_not_known():
    born = [2001, 2000, 1991, 1990, 1966, 1965, 1900, None, 2030]
    as_of = np.repeat(np.datetime64("2025-06-01", "us"), len(born))
    assert list(age_band(born, as_of)) == [
        "<25",
        "25-34",
        "25-34",
        "35-44",
        "45-59",
        "60+",
        "60+",
        "unknown",
        "unknown",
    ]


def test_small_groups_are_joined_by_people_and_never_stand_alone():
    labels = ["big"] * 10 + ["mid"] * 4 + ["s1"] * 30 + ["s2"] + [None] * 2
    people = [*range(10), *range(10, 14), *([20] * 30), 21, 22, 23]
    assert set(join_small(labels, people, minimum=3)[:14]) == {"big", "joined"}
    assert list(join_small(labels, people, minimum=2)[14:]) == ["joined"] * 31 + ["unknown"] * 2
    # Two small ones are two people together: the smallest large one joins them.
    assert list(join_small(labels, people, minimum=3)[10:]) == ["joined"] * 35 + ["unknown"] * 2
    assert list(join_small(labels[:14], people[:14], minimum=3)) == labels[:14]


def _slowly(rows, ids, when, by):
    found = []
    for who, t in zip(ids, when, strict=True):
        best, value = None, None
        for position, row in enumerate(rows):
            recorded, occurred, ended = row["recorded_at"], row["occurred_at"], row["superseded_at"]
            if row["case_id"] != who or pd.isna(recorded) or pd.isna(occurred):
                continue
            if max(recorded, occurred) <= t and (pd.isna(ended) or ended > t):
                first, then = (recorded, occurred) if by == "recorded_at" else (occurred, recorded)
                if best is None or (first, then, position) > best:
                    best, value = (first, then, position), row["source"]
        found.append(value)
    return found


@settings(max_examples=60)
@given(st.data())
def test_the_fact_that_speaks_is_the_one_that_a_slow_look_finds(data):
    day = st.integers(0, 6)
    some = st.one_of(st.none(), day)
    facts = data.draw(
        st.lists(st.tuples(st.sampled_from("AB"), some, some, some), min_size=1, max_size=8), label="facts"
    )
    asked = data.draw(st.lists(st.tuples(st.sampled_from("ABC"), day), min_size=1, max_size=6), label="asked")
    frame = pd.DataFrame(
        {
            "incident_id": [str(i) for i in range(len(facts))],
            "case_id": [f[0] for f in facts],
            "source": [str(i) for i in range(len(facts))],
            "severity": 1,
            "occurred_at": _t(*[f[1] for f in facts]),
            "recorded_at": _t(*[f[2] for f in facts]),
            "superseded_at": _t(*[f[3] for f in facts]),
        }
    )
    history = History.of({"incidents": frame})
    ids, when = [a[0] for a in asked], _t(*[a[1] for a in asked])
    for by in ("recorded_at", "occurred_at"):
        found = facts_in_force(history, "incidents", ids, when, ("source",), by=by)
        expected = _slowly(frame.to_dict(orient="records"), ids, list(when), by)
        assert [None if pd.isna(v) else v for v in found["source"]] == expected
        assert list(found["found"]) == [value is not None for value in expected]


def test_many_assessments_are_looked_at_in_pieces_with_the_same_result(monkeypatch):
    moments = [("A", d) for d in range(50)] + [("B", d) for d in range(50)]
    whole = _groups(*moments)
    monkeypatch.setattr(module, "_CHUNK", 3)
    assert _groups(*moments).equals(whole)
