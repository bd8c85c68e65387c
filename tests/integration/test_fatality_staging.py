"""Confirmed outcomes staged in a real SQLite and a real PostgreSQL: once, whole or not at all, never accepted
by riskml itself."""

import pandas as pd
import pytest
from sqlalchemy import inspect

from registries import FACTORS, KEY, ZONE, fill, registry_rows
from riskml.errors import RiskmlError
from riskml.fatality.coding.linking import link
from riskml.fatality.coding.suggestions import suggestions_for
from riskml.fatality.reviews import Reviews
from riskml.narratives.rules import starting_rules
from riskml.registry import staged_outcomes as module
from riskml.registry.contract import TABLES
from riskml.registry.database import reading, writing
from riskml.registry.pseudonyms import Key
from riskml.registry.staged_outcomes import acceptance, refusal, stage_outcomes, staged_outcomes
from riskml.registry.take import take_history

NOW, LATER = pd.Timestamp("2026-01-05 08:00"), pd.Timestamp("2026-02-02 09:30")
STAGING = "riskml_outcomes_staging"


def reviews(*rows, key=KEY):
    """Reviews of (review, the registry's own case id or None, kind, day)."""
    cases = [
        {
            "review_id": review,
            "case_id": None if own is None else key.pseudonym("case_id", own),
            "kind": kind,
            "event_on": day,
            "status": "closed",
        }
        for review, own, kind, day in rows
    ]
    return Reviews.of({"cases": cases}, {"key_fingerprint": key.fingerprint})


ONE = ("R1", "2", "femicide", "2025-05-04")
TWO = ("R2", "3", "attempted_femicide", "2025-04-04")


def stage(registry, *rows, now=NOW):
    """What was counted, without the zeros."""
    counts = stage_outcomes(registry, reviews(*rows), KEY, now=now)
    return {name: count for name, count in counts.items() if count}


def staged(registry):
    """Rows of the staging table: (review, version, case, kind, day, whether superseded, whether accepted)."""
    return [
        (
            row.review_id,
            row.version,
            row.case_id,
            row.kind,
            str(row.occurred_at)[:10],
            pd.notna(row.superseded_at),
            pd.notna(row.accepted_at),
        )
        for row in staged_outcomes(registry).itertuples()
    ]


def state(registry):
    """Everything in the database: dict of table -> sorted rows."""
    with reading(registry) as connection:
        return {
            name: sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {name}").all()))
            for name in inspect(connection).get_table_names()
        }


def accept(registry, now=LATER):
    """What the owner does: the statements as they are printed."""
    with writing(registry) as connection:
        for statement in acceptance(now).split(";"):
            if statement.strip() not in ("", "BEGIN", "COMMIT"):
                connection.exec_driver_sql(statement)


def refuse(registry, review, now=LATER):
    """What the owner does with a row that is wrong."""
    with writing(registry) as connection:
        connection.exec_driver_sql(refusal(now, review))


def outcomes(registry):
    """Rows of `outcomes`: (case, kind, review, day, whether superseded)."""
    with reading(registry) as connection:
        rows = connection.exec_driver_sql(
            "SELECT case_id, kind, review_id, occurred_at, superseded_at FROM outcomes"
        ).all()
    return sorted((c, k, r, str(at)[:10], gone is not None) for c, k, r, at, gone in rows)


@pytest.fixture
def registry(engine):
    return fill(engine, registry_rows())


def test_linked_outcomes_are_staged_by_the_registrys_own_ids_and_nothing_else_is_touched(registry):
    assert staged_outcomes(registry).empty
    before = state(registry)
    found = stage(
        registry, ONE, TWO, ("R3", None, "femicide", "2025-01-09"), ("R4", "4", "child_death", "2025-01-09")
    )
    assert found == {"staged": 2, "not_linked": 1, "other_kind": 1}
    after = state(registry)
    assert {name: after[name] for name in TABLES} == before
    assert set(after) - set(before) == {STAGING}
    assert staged(registry) == [
        ("R1", 1, "2", "femicide", "2025-05-04", False, False),
        ("R2", 1, "3", "attempted_femicide", "2025-04-04", False, False),
    ]
    assert set(staged_outcomes(registry)["reviews_hash"].str.len()) == {64}
    assert set(staged_outcomes(registry)["staged_at"]) == {NOW}


def test_the_same_reviews_twice_add_nothing(registry):
    stage(registry, ONE, TWO)
    before = state(registry)
    assert stage(registry, ONE, TWO, now=LATER) == {"unchanged": 2}
    assert stage(registry, TWO, now=LATER) == {"unchanged": 1}  # a workbook of one case withdraws no other
    assert state(registry) == before


def test_a_corrected_review_supersedes_what_was_staged_and_deletes_nothing(registry):
    stage(registry, ONE)
    assert stage(registry, ("R1", "2", "femicide", "2025-05-05"), now=LATER) == {"corrected": 1}
    assert stage(registry, ONE, now=LATER) == {"corrected": 1}
    assert staged(registry) == [
        ("R1", 1, "2", "femicide", "2025-05-04", True, False),
        ("R1", 2, "2", "femicide", "2025-05-05", True, False),
        ("R1", 3, "2", "femicide", "2025-05-04", False, False),
    ]


def test_a_review_that_no_longer_is_a_linked_outcome_is_withdrawn(registry):
    stage(registry, ONE, TWO)
    found = stage(registry, ("R1", None, "femicide", "2025-05-04"), ("R2", "3", "other_death", "2025-04-04"))
    assert found == {"withdrawn": 2, "not_linked": 1, "other_kind": 1}
    assert [row[5] for row in staged(registry)] == [True, True]


def test_what_the_registry_holds_already_is_not_staged(registry):
    held = ("R1", "1", "attempted_femicide", "2025-01-05")
    assert stage(registry, held) == {"already_held": 1}
    assert staged(registry) == []
    assert stage(registry, ("R1", "1", "attempted_femicide", "2025-01-07")) == {"staged": 1}
    assert stage(registry, held) == {"already_held": 1}
    assert [row[5] for row in staged(registry)] == [True]  # what was staged of another day stands no more


def test_two_reviews_of_one_event_stage_it_once(registry):
    twin = ("R9", *ONE[1:])
    assert stage(registry, ONE, twin) == {"staged": 1, "repeated": 1}
    assert stage(registry, twin) == {"repeated": 1}
    assert stage(registry, ("R1", "4", "femicide", "2025-05-04"), twin) == {"corrected": 1, "staged": 1}


def test_the_owner_accepts_with_the_printed_statements_and_accepted_rows_are_never_touched(
    registry, tmp_path
):
    former = outcomes(registry)
    stage(registry, ONE, TWO)
    accept(registry)
    assert outcomes(registry) == sorted(
        [
            *former,
            ("2", "femicide", "R1", "2025-05-04", False),
            ("3", "attempted_femicide", "R2", "2025-04-04", False),
        ]
    )
    taken = take_history(registry, tmp_path, key=KEY, factors=FACTORS, timezone=ZONE)
    assert taken.row_count("outcomes") == len(former) + 2
    accepted = state(registry)
    assert stage(registry, ONE, TWO) == {"unchanged": 2}
    assert stage(registry, ("R1", None, "femicide", "2025-05-04")) == {
        "withdrawn_after_acceptance": 1,
        "not_linked": 1,
    }
    assert state(registry) == accepted

    assert stage(registry, ("R1", "2", "femicide", "2025-05-05")) == {"corrected": 1}
    assert set(accepted[STAGING]) <= set(state(registry)[STAGING])
    accept(registry, LATER + pd.Timedelta(days=1))
    found = outcomes(registry)
    assert ("2", "femicide", "R1", "2025-05-04", True) in found
    assert ("2", "femicide", "R1", "2025-05-05", False) in found
    assert set(former) <= set(found), "another review of the same name is another's"
    assert stage(registry, ("R1", "2", "femicide", "2025-05-05")) == {"unchanged": 1}
    accept(registry, LATER + pd.Timedelta(days=2))
    assert outcomes(registry) == found


def test_what_the_owner_refuses_is_not_accepted_and_not_staged_again(registry):
    former = outcomes(registry)
    stage(registry, ONE, TWO)
    refuse(registry, "R1")
    accept(registry)
    assert outcomes(registry) == sorted([*former, ("3", "attempted_femicide", "R2", "2025-04-04", False)])
    decided = state(registry)
    refuse(registry, "R2")
    assert state(registry) == decided, "what was accepted is not refused afterwards"
    assert stage(registry, ONE, TWO) == {"refused": 1, "unchanged": 1}
    assert stage(registry, ("R1", None, "femicide", "2025-05-04")) == {"not_linked": 1}
    assert state(registry) == decided

    assert stage(registry, ("R1", "2", "femicide", "2025-05-05")) == {"corrected": 1}
    assert stage(registry, ONE) == {"refused": 1}, "the correction was taken back before anybody accepted it"
    accept(registry, LATER + pd.Timedelta(days=1))
    assert [row for row in outcomes(registry) if row[2] == "R1" and row not in former] == []
    assert set(decided[STAGING]) <= set(state(registry)[STAGING])


@pytest.mark.parametrize("calls", [0, 1])
def test_interrupted_staging_leaves_the_registry_as_it_was(registry, monkeypatch, calls):
    if calls:
        stage(registry, ("R1", "2", "femicide", "2025-06-01"))
    before, stage_one, done = state(registry), module._stage, []

    def failing(*arguments):
        if len(done) == calls:
            raise KeyboardInterrupt
        done.append(stage_one(*arguments))

    monkeypatch.setattr(module, "_stage", failing)
    with pytest.raises(KeyboardInterrupt):
        stage(registry, ONE, TWO)
    assert state(registry) == before


def test_a_wrong_key_and_cases_of_another_registry_are_one_message_without_ids(registry):
    before = state(registry)
    wrong = Key("fedcba9876543210" * 4)
    with pytest.raises(RiskmlError, match="wrong key"):
        stage_outcomes(registry, reviews(ONE, key=wrong), KEY, now=NOW)
    with pytest.raises(RiskmlError, match="1 linked cases of these reviews are not in this registry"):
        stage_outcomes(registry, reviews(ONE, ("R7", "77", "femicide", "2025-05-04")), KEY, now=NOW)
    assert state(registry) == before


def test_reviews_are_linked_and_narratives_read_in_either_database(engine):
    rows = registry_rows()
    for incident in rows["incidents"]:
        incident["narrative"] = "LA AMENAZO DE MUERTE"
    registry = fill(engine, rows)
    cases = pd.DataFrame(
        {
            "review_id": ["R1", "R2", "R3"],
            "case_id": ["2", KEY.pseudonym("case_id", "1"), "77"],
            "kind": "femicide",
            "event_on": pd.Timestamp("2025-01-04"),
            "relationship": "son",
        }
    )
    linked, found = link(cases, registry, KEY)
    assert linked["case_id"].tolist() == [KEY.pseudonym("case_id", "2"), KEY.pseudonym("case_id", "1"), None]
    assert found["code"].tolist() == [
        "before_opened",
        "relationship_differs",
        "before_opened",
        "relationship_differs",
        "outcome_differs",
        "unknown_id",
    ]
    suggestions = suggestions_for(cases, registry, starting_rules(), key=KEY)
    assert suggestions[["review_id", "factor"]].to_numpy().tolist() == [
        ["R1", "death_threat"],
        ["R2", "death_threat"],
    ]
    assert set(suggestions["suggested_known"]) == {"after"}
