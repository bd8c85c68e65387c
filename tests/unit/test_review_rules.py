"""Who may say what of a model version, and what then holds."""

from datetime import date

import pytest

from riskml.errors import RiskmlError
from riskml.review.decisions import months_later
from riskml.review.index import champion_statement, expected_tags
from riskml.review.rules import check_may_decide, check_may_open, replay_faults, standing
from riskml.review.statements import BEGINNING, Statement

V1, V2 = "1" * 16, "2" * 16


class Chain(list):
    """Statements made up one after the other, without hashes: the rules do not look at them."""

    def says(self, kind, version=V1, person="A-1", role="", *, expires=None, synthetic=False, **more):
        number = len(self) + 1
        opened = [s.number for s in self if s.kind == "open" and s.version == version]
        content = {
            "kind": kind,
            "model": "trial",
            "version": version,
            "mlflow_version": version[0],
            "person": person,
            "review": str(number if kind == "open" else opened[-1]),
            "synthetic": str(synthetic).lower(),
        }
        content |= {"role": role} if role else {}
        content |= {"trained_by": "T-1", "months": "12", "approvals": "2"} if kind == "open" else {}
        content |= {"approved_on": "2026-11-02", "expires_on": expires} if expires else {}
        self.append(Statement(number, BEGINNING, content | more, str(number)))
        return self


def approved(version=V1, expires="2027-11-02", chain=None):
    chain = (chain or Chain()).says("open", version)
    chain.says("approve", version, "A-1", "police")
    return chain.says("approve", version, "B-2", "prosecutor", expires=expires)


def refused(chain, kind="approve", person="C-3", role="health", version=V1, **more):
    with pytest.raises(RiskmlError) as error:
        check_may_decide(chain, version, kind, person, role, **more)
    return error.value.what


def test_nothing_is_decided_before_a_review_is_opened():
    assert "no review of this version" in refused(Chain())
    assert "no review of this version" in refused(Chain().says("open", V2))
    assert "no review of this version" in refused(Chain(), kind="reject")


def test_who_trained_it_does_not_approve_it():
    assert "trained this model" in refused(Chain().says("open"), person="T-1")


def test_who_trained_it_may_stop_it():
    check_may_decide(Chain().says("open"), V1, "reject", "T-1", "prosecutor")


def test_one_person_approves_once_in_whatever_role():
    chain = Chain().says("open").says("approve", person="A-1", role="police")
    assert "A-1 has approved this version already" in refused(chain, person="A-1", role="prosecutor")


def test_two_of_one_role_are_not_enough():
    chain = Chain().says("open").says("approve", person="A-1", role="police")
    assert 'role "police" has approved' in refused(chain, person="B-2", role="police")
    check_may_decide(chain, V1, "approve", "B-2", "health")


def test_one_rejection_stops_a_review_until_another_is_opened():
    chain = Chain().says("open").says("approve", person="A-1", role="police")
    chain.says("reject", person="B-2", role="health")
    assert standing(chain, V1).status == "rejected"
    assert "stopped by a rejection" in refused(chain)
    assert "stopped by a rejection" in refused(chain, kind="reject")
    check_may_open(chain, V1)
    chain.says("open")
    now = standing(chain, V1)
    assert (now.status, now.approvals) == ("open", ()), "earlier approvals do not count in the new review"
    check_may_decide(chain, V1, "approve", "A-1", "police")


def test_a_second_review_is_not_opened_beside_an_open_one():
    with pytest.raises(RiskmlError, match="is open"):
        check_may_open(Chain().says("open"), V1)
    check_may_open(Chain().says("open"), V2)


def test_an_approval_holds_until_its_date_and_not_on_it():
    now = standing(approved(), V1)
    assert now.status == "approved"
    assert now.in_force(date(2027, 11, 1))
    assert not now.in_force(date(2027, 11, 2))
    assert "is approved already" in refused(approved())


def test_an_approval_can_be_withdrawn_by_anybody_even_who_gave_it():
    chain = approved()
    check_may_decide(chain, V1, "reject", "A-1", "police")
    chain.says("reject", person="A-1", role="police")
    assert not standing(chain, V1).in_force(date(2026, 12, 1))


def test_a_renewal_leaves_the_earlier_approval_in_force_until_it_is_decided():
    chain = approved().says("open")
    now = standing(chain, V1)
    assert now.status == "open"
    assert now.in_force(date(2026, 12, 1))
    chain.says("reject", person="C-3", role="health")
    assert not standing(chain, V1).in_force(date(2026, 12, 1))


def test_versions_stand_each_for_itself():
    chain = approved(V1)
    assert standing(chain, V2).status == "none"
    chain.says("open", V2).says("reject", V2, "C-3", "health")
    assert standing(chain, V1).in_force(date(2026, 12, 1))


def test_synthetic_reviewers_and_people_are_not_mixed():
    chain = Chain().says("open", synthetic=True)
    assert "never mixed" in refused(chain)
    assert "never mixed" in refused(Chain().says("open"), synthetic=True)
    check_may_decide(chain, V1, "reject", "C-3", "health")


def test_more_approvals_than_two_can_be_asked_for_and_fewer_cannot():
    three = Chain().says("open", approvals="3").says("approve", person="A-1", role="police")
    assert not replay_faults(Chain(three).says("approve", person="B-2", role="health"))
    one = (
        Chain().says("open", approvals="1").says("approve", person="A-1", role="police", expires="2027-11-02")
    )
    assert [number for number, _ in replay_faults(one)] == [2]


def test_the_champion_moves_on_approval_and_does_not_come_back_by_itself():
    chain = approved(V1)
    assert champion_statement(chain).version == V1
    chain.says("open", V2).says("approve", V2, "A-1", "police")
    assert champion_statement(chain).version == V1
    chain.says("approve", V2, "B-2", "prosecutor", expires="2027-12-01")
    assert champion_statement(chain).version == V2
    chain.says("reject", V2, "C-3", "health")
    assert champion_statement(chain) is None
    assert standing(chain, V1).in_force(date(2026, 12, 1)), "which may be named, but is not the champion"
    approved(V1, "2028-01-01", chain)
    assert champion_statement(chain).version == V1


def test_the_tags_of_each_version_follow_from_its_statements():
    chain = approved(V1).says("open", V2)
    tags = expected_tags(chain)
    assert tags[V1, "1"] == {
        "riskml.review.status": "approved",
        "riskml.review.expires_on": "2027-11-02",
        "riskml.review.last": "3:3",
    }
    assert tags[V2, "2"]["riskml.review.expires_on"] == "-"


@pytest.mark.parametrize(
    "forged",
    [
        lambda c: c.says("approve", person="A-1", role="police", expires="2027-11-02"),
        lambda c: c.says("approve", person="T-1", role="police"),
        lambda c: c.says("approve", person="B-2", role="police", review="7"),
        lambda c: c.says("open"),
        lambda c: c.says("approve", V1, "B-2", "police").says("approve", V1, "C-3", "police"),
        lambda c: c.says("approve", V1, "B-2", "police").says("approve", V1, "C-3", "health"),
        lambda c: c.says("praise", person="B-2", role="police"),
    ],
    ids=["too few", "trainer", "another review", "opened twice", "same role", "no expiry", "no such kind"],
)
def test_statements_that_the_rules_do_not_allow_are_found_even_where_every_hash_agrees(forged):
    assert len(replay_faults(forged(Chain().says("open")))) == 1


def test_what_the_rules_allow_replays_without_fault():
    chain = approved(V1).says("open", V2).says("reject", V2, "C-3", "health")
    chain.says("reject", V1, "C-3", "health").says("open", V1)
    assert replay_faults(chain) == []


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 11, 2), 12, date(2027, 11, 2)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_months_end_on_the_same_day_or_on_the_last(day, months, later):
    assert months_later(day, months) == later
