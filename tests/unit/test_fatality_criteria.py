"""Every decision on a critical pattern is a version of the file: two people, nothing lost, one step."""

import os
from datetime import date

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hand_cases import NOW, HandModel, history, rules
from riskml.errors import RiskmlError
from riskml.fatality.patterns.criteria import Criteria, condition_given
from riskml.fatality.patterns.critical_file import kept_versions, read_document, written
from riskml.features.catalogue import load_catalogue
from riskml.models.critical import load_critical, read_critical
from riskml.review.checklist import load_checklist
from riskml.scoring.score import score
from small_opinion import FEATURES, LEVELS_FILE
from workspaces import state_of

TODAY = date(2027, 3, 1)
REASON = "Counted by the review, and the unit can visit those it flags."
SHIPPED = LEVELS_FILE.parent / "critical.yml"
CHECKLIST = load_checklist(SHIPPED.parent)
HASH = "ab" * 32


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(FEATURES)


@pytest.fixture
def file(tmp_path):
    """The shipped file in a folder of its own."""
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "critical.yml"
    path.write_bytes(SHIPPED.read_bytes())
    return path


@pytest.fixture
def as_(file, catalogue):
    """Whoever decides, by code; reads the file as it stands."""
    return lambda by="FGJ-07": Criteria(file, catalogue, by=by, today=TODAY, language="en")


def share(n, of):
    return {"n": n, "of": of, "low": None, "high": None}


def proposals(*, caught=8, left_out=3, origin="searched", when=None, name="found", of=12):
    row = {
        "id": name,
        "origin": origin,
        "label": {"es": "Uno", "en": "One"},
        "when": when or {"all_of": ["separation", "stalking"]},
        "caught": share(caught, of),
        "left_out": share(left_out, of),
        "living": {"flagged": 5, "of": 100},
    }
    return {
        "reviews": HASH,
        "searched": 4925,
        "synthetic": False,
        "synthetic_history": False,
        "rows": [row],
    }


def approved_by_two(as_, name):
    as_("SSP-02").approve(name, role="police", reason=REASON, checklist=CHECKLIST)
    return as_("FGJ-07").approve(name, role="prosecutor", reason=REASON, checklist=CHECKLIST)


# --------------------------------------------------------------------------------------------------- the file


def test_a_file_that_is_written_says_what_it_said_before(file, catalogue):
    before, content = read_document(file)
    written(file, before, {"date": "2027-03-01", "change": "Nothing."}, read=content, catalogue=catalogue)
    after, again = read_document(file)
    assert after["patterns"] == before["patterns"]
    assert after["version"] == 2
    assert after["changes"][:-1] == before["changes"]
    head = content.decode().split("\nversion:")[0]
    assert head.startswith("# Critical patterns")
    assert again.decode().split("\nversion:")[0] == head
    assert [path.read_bytes() for path in kept_versions(file)] == [content]


def test_words_that_yaml_would_read_otherwise_come_back(file, catalogue, as_):
    label = {"es": "no: «sí», # 'y' \"n\"; 2027-03-01", "en": "yes"}
    as_().add("own", when={"all_of": ["stalking"]}, label=label)
    assert load_critical(file, catalogue=catalogue).patterns["own"].label == label
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["patterns"]["own"]["label"] == label


lines = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40
).filter(str.strip)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines, lines)
def test_whatever_is_written_comes_back(file, catalogue, spanish, english):
    file.write_bytes(SHIPPED.read_bytes())
    label = {"es": spanish, "en": english}
    person = Criteria(file, catalogue, by="FGJ-07", today=TODAY)
    person.add("own", when={"all_of": ["stalking"]}, label=label)
    found = read_critical(file).patterns["own"].label
    assert found == {"es": spanish.strip(), "en": english.strip()}


def test_every_kind_of_condition_comes_back(file, as_):
    for number, when in enumerate(
        (
            {
                "any_of": [
                    "stalking",
                    {"all_of": ["breach", {"at_least": 2, "of": ["alcohol", "drugs", "jealousy"]}]},
                ]
            },
            {"formula": "grave_acts_90d >= 2 and separation = 'present'"},
        )
    ):
        as_().add(f"own{number}", when=when, label={"es": "Uno", "en": "One"}, relationships=["partner"])
        assert read_document(file)[0]["patterns"][f"own{number}"]["when"] == when


@pytest.mark.parametrize("step", ["replace", "rmtree", "write"])
def test_an_interrupted_write_leaves_the_file_as_it_was(file, as_, step, monkeypatch):
    before = file.read_bytes()
    person = as_()

    def fail(*args, **more):
        raise KeyboardInterrupt

    if step == "replace":
        real = os.replace
        monkeypatch.setattr(os, "replace", lambda a, b: fail() if str(b) == str(file) else real(a, b))
    elif step == "rmtree":
        monkeypatch.setattr("riskml.fatality.patterns.critical_file.shutil.copymode", fail)
    else:
        monkeypatch.setattr("riskml.fatality.patterns.critical_file.load_critical", fail)
    with pytest.raises(KeyboardInterrupt):
        person.add("own", when={"all_of": ["stalking"]})
    assert file.read_bytes() == before
    left = {path.name for path in file.parent.iterdir()}
    assert left <= {"critical.yml", "critical_versions"}  # at most the copy of what still stands
    monkeypatch.undo()
    as_().add("own", when={"all_of": ["stalking"]})
    assert [path.read_bytes() for path in kept_versions(file)] == [before]


def test_two_who_write_at_once_do_not_undo_each_other(file, as_):
    first, second = as_("FGJ-07"), as_("SSP-02")
    first.add("own", when={"all_of": ["stalking"]})
    with pytest.raises(RiskmlError, match="changed by somebody else meanwhile"):
        second.add("other", when={"all_of": ["breach"]})
    assert "own" in read_document(file)[0]["patterns"]


def test_what_would_not_load_is_not_written(file, as_):
    before = state_of(file.parent)
    for when, said in (
        ({"all_of": ["stalkin"]}, "labels"),
        ({"all_of": ["stalking"], "any_of": ["breach"]}, "one of them"),
        ({"at_least": 3, "of": ["stalking", "breach"]}, "can never hold"),
    ):
        with pytest.raises(RiskmlError, match=said):
            as_().add("own", when=when)
    with pytest.raises(RiskmlError, match='unknown factor "stalkin"'):
        as_().add("own", when={"all_of": ["stalkin"]}, label={"es": "Uno", "en": "One"})
    with pytest.raises(RiskmlError, match="small letters"):
        as_().add("Own Pattern", when={"all_of": ["stalking"]})
    with pytest.raises(RiskmlError, match="unknown tag"):
        as_().add("own", when={"all_of": ["stalking"]}, evidence=[{"study": "A", "effect": "B", "tag": "M?"}])
    with pytest.raises(RiskmlError, match="--by: not a reviewer's code"):
        as_("Ana Ruiz")
    assert state_of(file.parent) == before


def test_every_change_is_a_version_with_a_line_and_the_former_one_is_kept(file, as_):
    contents = [file.read_bytes()]
    for act in (
        lambda: as_("SSP-01").add("own", when={"all_of": ["stalking"]}),
        lambda: as_("SSP-01").edit("own", label={"es": "Acecho reciente"}),
        lambda: as_("SSP-02").reject("own", role="police", reason=REASON, checklist=CHECKLIST),
    ):
        act()
        contents.append(file.read_bytes())
    found = read_critical(file)
    assert [change.version for change in found.changes] == [1, 2, 3, 4]
    assert [change.by for change in found.changes] == [None, "SSP-01", "SSP-01", "SSP-02"]
    assert all("own" in change.change and change.date == "2027-03-01" for change in found.changes[1:])
    assert [path.read_bytes() for path in kept_versions(file)] == contents[:-1]


# ------------------------------------------------------------------------------------------------- proposals


def test_a_searched_pattern_brings_the_cases_that_it_had_not_seen(file, as_):
    found = as_().add_proposal("found", proposals()).patterns["found"]
    assert found.status == "proposed"
    assert (found.cases.caught, found.cases.of) == (3, 12)  # not the eight in which it was searched
    (finding,) = found.evidence
    assert finding.tag == "D"
    assert HASH[:12] in finding.study
    assert "8/12" in finding.effect
    assert "4925" in finding.effect
    assert found.defined_in == (HASH,)


def test_a_written_pattern_gets_what_was_counted_of_it_and_keeps_its_findings(file, as_):
    name = "strangulation_and_death_threat"
    when = {"all_of": ["strangulation", "death_threat"]}
    given = proposals(origin="prespecified", name=name, when=when, left_out=8)
    before = read_critical(file).patterns[name].evidence
    for _ in range(2):  # again: the same finding stands once
        after = as_().add_proposal(name, given).patterns[name]
        assert (after.cases.caught, after.cases.of) == (8, 12)
        assert after.evidence[:-1] == before
        assert after.defined_in == ()


def test_what_was_changed_or_cannot_be_counted_is_not_taken_over(as_):
    name = "strangulation_and_death_threat"
    with pytest.raises(RiskmlError, match="was changed since it was judged"):
        as_().add_proposal(name, proposals(origin="prespecified", name=name))
    when = {"all_of": ["strangulation", "death_threat"]}
    none = proposals(origin="prespecified", name=name, when=when, caught=0, left_out=0, of=0)
    with pytest.raises(RiskmlError, match="they all defined it"):
        as_().add_proposal(name, none)
    with pytest.raises(RiskmlError, match='no proposal "fond"'):
        as_().add_proposal("fond", proposals())


def test_simulated_reviews_stand_behind_no_pattern_of_a_real_registry(as_):
    with pytest.raises(RiskmlError, match="simulated reviews"):
        as_().add_proposal("found", proposals() | {"synthetic": True})
    both = as_().add_proposal("found", proposals() | {"synthetic": True, "synthetic_history": True})
    assert "Simulated" in both.patterns["found"].evidence[0].study


def test_what_a_team_writes_after_reading_the_cases_says_so(as_, catalogue):
    own = as_().add("own", when={"all_of": ["stalking"]}, defined_in=HASH).patterns["own"]
    assert own.defined_in == (HASH,)
    assert own.label == catalogue.factors["stalking"].label


def test_at_most_five_proposals_written_beforehand_wait(as_):
    for code in ("stalking", "breach"):  # three stand in the shipped file
        as_().add(code, when={"all_of": [code]})
    with pytest.raises(RiskmlError, match="one more than 5"):
        as_().add("sixth", when={"all_of": ["alcohol"]})
    as_().add("read", when={"all_of": ["alcohol"]}, defined_in=HASH)
    as_("SSP-02").reject("breach", role="police", reason=REASON, checklist=CHECKLIST)
    as_().add("sixth", when={"all_of": ["alcohol"]})


def test_another_condition_is_another_proposal(file, as_):
    as_().add_proposal("found", proposals())
    approved_by_two(as_, "found")
    found = (
        as_().edit("found", when={"all_of": ["separation", "breach"]}, defined_in="cd" * 32).patterns["found"]
    )
    assert (found.status, found.approved_by, found.cases, found.evidence) == ("proposed", (), None, ())
    assert found.defined_in == (HASH, "cd" * 32)
    assert "Separa" in found.label["es"]
    former = read_critical(kept_versions(file)[-1]).patterns["found"]
    assert former.status == "approved"


def test_other_words_leave_an_approval_as_it_is(as_):
    as_().add_proposal("found", proposals())
    approved_by_two(as_, "found")
    found = as_().edit("found", label={"en": "Other words"}).patterns["found"]
    assert found.status == "approved"
    assert found.label == {"es": "Uno", "en": "Other words"}
    with pytest.raises(RiskmlError, match="would stay as it is"):
        as_().edit("found")


# ------------------------------------------------------------------------------------------------- decisions


def test_it_takes_two_people_with_different_roles(as_):
    as_().add_proposal("found", proposals())
    first = as_("SSP-02").approve("found", role="police", reason=REASON, checklist=CHECKLIST)
    assert first.approved == {}
    assert [a.by for a in first.patterns["found"].approved_by] == ["SSP-02"]
    with pytest.raises(RiskmlError, match="approved by police already"):
        as_("SSP-03").approve("found", role="police", reason=REASON, checklist=CHECKLIST)
    with pytest.raises(RiskmlError, match="approved by SSP-02 already"):
        as_("SSP-02").approve("found", role="prosecutor", reason=REASON, checklist=CHECKLIST)
    with pytest.raises(RiskmlError, match='unknown role "polise"'):
        as_("SSP-04").approve("found", role="polise", reason=REASON, checklist=CHECKLIST)
    both = as_("FGJ-07").approve("found", role="prosecutor", reason="It fits the files.", checklist=CHECKLIST)
    found = both.approved["found"]
    assert [(a.role, a.reason) for a in found.approved_by] == [
        ("police", REASON),
        ("prosecutor", "It fits the files."),
    ]
    assert REASON in found.reasons
    with pytest.raises(RiskmlError, match="is approved: there is nothing to approve"):
        as_("SSZ-01").approve("found", role="health", reason=REASON, checklist=CHECKLIST)


@pytest.mark.parametrize("reason", ["", "Yes.", "Call her at 4921234567 first, please."])
def test_a_decision_has_a_reason_that_tells_of_nobody(as_, reason):
    with pytest.raises(RiskmlError, match="--reason"):
        as_().approve("weapon_and_separation", role="police", reason=reason, checklist=CHECKLIST)
    with pytest.raises(RiskmlError, match="--reason"):
        as_().reject("weapon_and_separation", role="police", reason=reason, checklist=CHECKLIST)


def test_what_only_the_cases_that_defined_it_speak_for_is_not_approved(as_):
    as_().add_proposal("found", proposals(left_out=0))
    with pytest.raises(RiskmlError, match=r"nothing behind it but the cases that defined it .*0/12"):
        as_().approve("found", role="police", reason=REASON, checklist=CHECKLIST)
    as_().add("own", when={"all_of": ["stalking"]}, defined_in=HASH)
    with pytest.raises(RiskmlError, match="no case was counted"):
        as_().approve("own", role="police", reason=REASON, checklist=CHECKLIST)
    seen = [{"study": "Matias et al. 2020", "effect": "significant", "tag": "S:5"}]
    as_().add("read", when={"all_of": ["breach"]}, defined_in=HASH, evidence=seen)
    assert approved_by_two(as_, "read").approved


def test_one_rejection_is_enough_and_takes_an_approval_back(file, as_):
    as_().add_proposal("found", proposals())
    approved_by_two(as_, "found")
    after = as_("SSZ-01").reject("found", role="health", reason=REASON, checklist=CHECKLIST)
    assert after.approved == {}
    found = after.patterns["found"]
    assert (found.status, found.reasons, found.rejected_by.by) == ("rejected", REASON, "SSZ-01")
    assert len(found.approved_by) == 2  # who had approved it stays written
    for again in (
        lambda: as_().reject("found", role="police", reason=REASON, checklist=CHECKLIST),
        lambda: as_().approve("found", role="police", reason=REASON, checklist=CHECKLIST),
        lambda: as_().add_proposal("found", proposals()),
    ):
        with pytest.raises(RiskmlError, match="rejected"):
            again()


def test_an_unknown_pattern_is_told_with_the_nearest(as_):
    with pytest.raises(
        RiskmlError, match=r'(?s)no critical pattern "weapon_and_separaton".*weapon_and_separation'
    ):
        as_().reject("weapon_and_separaton", role="police", reason=REASON, checklist=CHECKLIST)


def test_an_approved_pattern_is_shown_when_cases_are_scored(file, catalogue, as_):
    as_().add_proposal("found", proposals())
    part = catalogue.part("separation", "stalking", "relationship", "incidents_90d")
    facts = history(
        factors=[("A", "2026-05-30", {"factor": "separation"}), ("A", "2026-05-30", {"factor": "stalking"})],
        incidents=[("A", "2026-05-30"), ("B", "2026-05-30")],
    )
    model = HandModel("repeat", part, lambda m: np.full(len(m), -3.0), ("incidents_90d",))
    levels = (
        "critical:\n  - {pattern: approved}\notherwise: low\n"
        "abstention: {fewer_known_than: 0, stands_from: high}\n"
    )

    def opinion():
        kept = {n: p for n, p in read_document(file)[0]["patterns"].items() if n == "found"}
        text = yaml.safe_dump({**read_document(file)[0], "patterns": kept}, allow_unicode=True)
        (file.parent.parent / "scored").mkdir(exist_ok=True)
        return score(model, facts, NOW, levels=rules(file.parent.parent / "scored", levels, text, of=part))

    assert opinion().patterns["A"] == []
    approved_by_two(as_, "found")
    now = opinion()
    assert [(p["pattern"], p["state"]) for p in now.patterns["A"]] == [("found", "matched")]
    assert now.patterns["B"] == []
    assert now.cases.loc["A", "suggested_level"] == "critical"


# ------------------------------------------------------------------------------------------- what users write


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("separation, stalking", {"all_of": ["separation", "stalking"]}),
        ("separation", {"all_of": ["separation"]}),
        ("[separation, stalking]", {"all_of": ["separation", "stalking"]}),
        ("{at_least: 2, of: [a, b, c]}", {"at_least": 2, "of": ["a", "b", "c"]}),
        ("any_of: [a, b]", {"any_of": ["a", "b"]}),
    ],
)
def test_a_condition_may_be_written_short_or_as_the_file_has_it(text, when):
    assert condition_given(text) == when


@pytest.mark.parametrize("text", ["", "3", "{a: [", "!!python/name:os.system"])
def test_what_is_no_condition_is_told(text):
    with pytest.raises(RiskmlError, match="not a condition"):
        condition_given(text)
