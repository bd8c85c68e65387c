"""Critical patterns are judged in three states, and only what was approved with reasons has an effect."""

from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.models.critical import (
    MATCHED,
    NOT_MATCHED,
    UNDETERMINED,
    CriticalPattern,
    CriticalPatterns,
    load_critical,
)
from small_opinion import FEATURES, LEVELS_FILE

PATTERN = """
version: 1
patterns:
  one:
    label: {es: Uno, en: One}
    when: {all_of: [strangulation, death_threat]}
changes:
  - {version: 1, date: 2026-11-22, change: Began.}
"""
APPROVAL = """
    status: approved
    reasons: Counted by the review.
    evidence: [{study: A study, effect: OR 2, tag: "S:1"}]
    approved_by:
      - {role: prosecutor, by: FGJ-07, date: 2027-03-01}
      - {role: police, by: SSP-02, date: 2027-03-02}
"""


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(FEATURES)


def read(folder, text, **more):
    (folder / "critical.yml").write_text(text, encoding="utf-8")
    return load_critical(folder / "critical.yml", **more)


def patterns_of(when, **more):
    pattern = CriticalPattern(
        label={"es": "Uno", "en": "One"},
        when=when,
        status="approved",
        reasons="Counted.",
        cases={"caught": 8, "of": 12},
        approved_by=[
            {"role": "prosecutor", "by": "FGJ-07", "date": "2027-03-01"},
            {"role": "police", "by": "SSP-02", "date": "2027-03-02"},
        ],
        **more,
    )
    return CriticalPatterns(1, {"one": pattern})


def state(when, states, **more):
    return patterns_of(when, **more).states(pd.DataFrame([states], dtype=object))["one"][0]


BOTH = {"all_of": ["a", "b"]}


@pytest.mark.parametrize(
    ("when", "states", "expected"),
    [
        (BOTH, {"a": "present", "b": "present"}, MATCHED),
        (BOTH, {"a": "present", "b": "denied"}, NOT_MATCHED),
        (BOTH, {"a": "present", "b": None}, UNDETERMINED),
        (BOTH, {"a": "denied", "b": None}, NOT_MATCHED),
        (BOTH, {"a": "present"}, UNDETERMINED),
        ({"any_of": ["a", "b"]}, {"a": "present", "b": None}, MATCHED),
        ({"any_of": ["a", "b"]}, {"a": "denied", "b": None}, UNDETERMINED),
        ({"any_of": ["a", "b"]}, {"a": "denied", "b": "denied"}, NOT_MATCHED),
        ({"at_least": 2, "of": ["a", "b", "c"]}, {"a": "present", "b": None, "c": "denied"}, UNDETERMINED),
        ({"at_least": 2, "of": ["a", "b", "c"]}, {"a": "present", "b": None, "c": "present"}, MATCHED),
        ({"at_least": 2, "of": ["a", "b", "c"]}, {"a": "denied", "b": None, "c": "denied"}, NOT_MATCHED),
        ({"all_of": ["a", {"any_of": ["b", "c"]}]}, {"a": "present", "b": "denied", "c": "present"}, MATCHED),
    ],
)
def test_three_states(when, states, expected):
    assert state(when, states) == expected


def test_a_pattern_speaks_only_of_the_relationships_it_is_for():
    both = {"a": "present", "b": "present"}
    scope = {"relationships": ["partner"]}
    assert state(BOTH, {**both, "relationship": "partner"}, **scope) == MATCHED
    assert state(BOTH, {**both, "relationship": "son"}, **scope) == NOT_MATCHED
    assert state(BOTH, {**both, "relationship": None}, **scope) == UNDETERMINED


CODES = ("a", "b", "c")
CONDITIONS = st.recursive(
    st.sampled_from(CODES),
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda members: st.one_of(
            st.just({"all_of": members}),
            st.just({"any_of": members}),
            st.integers(1, len(members)).map(lambda k: {"at_least": k, "of": members}),
        )
    ),
    max_leaves=6,
).filter(lambda drawn: isinstance(drawn, dict))


def holds(when, present):
    """Whether a condition holds where every factor is known: the slow way."""
    if isinstance(when, str):
        return present[when]
    members = when.get("all_of") or when.get("any_of") or when["of"]
    wanted = len(members) if "all_of" in when else when.get("at_least", 1)
    return sum(holds(member, present) for member in members) >= wanted


@settings(max_examples=80, deadline=None)
@given(CONDITIONS, st.tuples(*[st.sampled_from(["present", "denied", None])] * 3))
def test_a_state_is_what_every_answer_to_the_unknown_would_give(when, told):
    states = dict(zip(CODES, told, strict=True))
    answers = [
        dict(zip(CODES, answer, strict=True))
        for answer in product([True, False], repeat=3)
        if all(s is None or a == (s == "present") for s, a in zip(told, answer, strict=True))
    ]
    given_by = {holds(when, answer) for answer in answers}
    expected = UNDETERMINED if len(given_by) == 2 else MATCHED if given_by == {True} else NOT_MATCHED
    patterns, frame = patterns_of(when), pd.DataFrame([states], dtype=object)
    assert patterns.states(frame)["one"][0] == expected
    # A factor decides alone where its presence settles the pattern whatever else is answered.
    deciding = {
        code
        for code in CODES
        if states[code] is None
        and expected == UNDETERMINED
        and all(holds(when, answer) for answer in answers if answer[code])
    }
    assert set(patterns.deciding(frame)["one"][0]) == deciding


def test_a_formula_is_judged_in_three_states_too(catalogue, tmp_path):
    text = PATTERN.replace(
        "{all_of: [strangulation, death_threat]}",
        "{formula: \"grave_acts_90d >= 2 and separation = 'present'\"}",
    )
    patterns = read(
        tmp_path, text.replace("changes:", APPROVAL.strip("\n") + "\nchanges:"), catalogue=catalogue
    )
    frame = pd.DataFrame(
        {
            "grave_acts_90d": [2.0, 2.0, 1.0, 1.0],
            "separation": pd.array(["present", None, None, "present"], dtype="str"),
        }
    )
    assert patterns.states(frame)["one"].tolist() == [MATCHED, UNDETERMINED, NOT_MATCHED, NOT_MATCHED]
    assert patterns.deciding(frame)["one"] == [(), ("separation",), (), ()]
    assert patterns.columns_read() == {"grave_acts_90d", "separation"}
    without = patterns.states(frame[["separation"]])["one"]
    assert (without == UNDETERMINED).all(), "a column that is not there is unknown"


def test_what_is_shipped_has_no_effect_until_it_is_approved(catalogue):
    shipped = load_critical(LEVELS_FILE.with_name("critical.yml"), catalogue=catalogue)
    assert shipped.patterns
    assert not shipped.approved
    assert all(p.evidence for p in shipped.patterns.values())


def test_the_hash_follows_what_decides_levels(tmp_path):
    approved = PATTERN.replace("changes:", APPROVAL.strip("\n") + "\nchanges:")
    first = read(tmp_path, approved).hash
    assert read(tmp_path, approved.replace("es: Uno", "es: Otro")).hash == first
    assert read(tmp_path, approved.replace("death_threat", "weapon_threat")).hash != first
    assert read(tmp_path, PATTERN).hash == CriticalPatterns().hash


def without(text, line):
    return "\n".join(entry for entry in text.splitlines() if line not in entry)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PATTERN.replace("all_of", "all_off"), 'line 6: .*unknown key "all_off". Did you mean "all_of"'),
        (PATTERN.replace("{all_of: [strangulation, death_threat]}", "{}"), "one of them"),
        (
            PATTERN.replace("all_of: [strangulation, death_threat]", "at_least: 3, of: [a, b]"),
            "can never hold",
        ),
        (PATTERN.replace("all_of: [strangulation, death_threat]", "any_of: []"), "list of factors is empty"),
        (PATTERN.replace("changes:", "    status: aproved\nchanges:"), 'Did you mean "approved"'),
        (PATTERN.replace("changes:", "    status: rejected\nchanges:"), "status rejected needs reasons"),
        (PATTERN.replace("version: 1\npatterns", "version: 2\npatterns"), "has to end with version 2"),
        (without(PATTERN + "", "en: One"), "label"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, message):
    with pytest.raises(RiskmlError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("SSP-02", "2 people with different roles"),
        ("reasons:", "needs reasons"),
        ("evidence:", "needs evidence tagged S:n or D, or reviewed cases"),
    ],
)
def test_approval_needs_people_reasons_and_evidence(tmp_path, left_out, message):
    approved = PATTERN.replace("changes:", APPROVAL.strip("\n") + "\nchanges:")
    assert list(read(tmp_path, approved).approved) == ["one"]
    with pytest.raises(RiskmlError, match=message):
        read(tmp_path, without(approved, left_out))
    named = approved.replace("SSP-02", "Ana Ruiz")
    with pytest.raises(RiskmlError, match="no name"):
        read(tmp_path, named)
    unchecked = approved.replace('"S:1"', '"M?"')
    with pytest.raises(RiskmlError, match="M\\? was not checked"):
        read(tmp_path, unchecked)


def test_factors_and_columns_are_those_of_the_catalogue(catalogue, tmp_path):
    with pytest.raises(RiskmlError, match='pattern "one": unknown factor "strangulatoin"\nDid you mean'):
        read(tmp_path, PATTERN.replace("strangulation", "strangulatoin"), catalogue=catalogue)
    formula = PATTERN.replace("{all_of: [strangulation, death_threat]}", "{formula: grave_act_90d >= 2}")
    with pytest.raises(RiskmlError, match="unknown column"):
        read(tmp_path, formula, catalogue=catalogue)
    number = PATTERN.replace("{all_of: [strangulation, death_threat]}", "{formula: grave_acts_90d + 2}")
    with pytest.raises(RiskmlError, match="neither true nor false"):
        read(tmp_path, number, catalogue=catalogue)
