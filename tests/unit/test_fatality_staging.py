"""Whatever is loaded, corrected, withdrawn and accepted in whatever order: what stands staged is what was
said last, once, and nothing is ever deleted."""

import shutil

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from registries import KEY, fill, registry_rows
from riskml.fatality.reviews import Reviews
from riskml.registry.database import connect, writing
from riskml.registry.staged_outcomes import acceptance, is_waiting, refusal, stage_outcomes, staged_outcomes

START = pd.Timestamp("2026-01-05")
OUTCOME = st.sampled_from(
    [
        ("2", "femicide", "2025-05-04"),
        ("2", "femicide", "2025-05-05"),
        ("2", "attempted_femicide", "2025-05-04"),
        (None, "femicide", "2025-05-04"),
        ("2", "other_death", "2025-05-04"),
    ]
)
LOAD = st.dictionaries(st.sampled_from(["R1", "R2"]), OUTCOME, min_size=1)
STEPS = st.lists(st.one_of(LOAD, st.sampled_from(["accept", "refuse"])), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A registry without outcomes, to be copied."""
    path = tmp_path_factory.mktemp("staging") / "registry.db"
    engine = fill(connect(f"sqlite:///{path}", create=True), registry_rows() | {"outcomes": []})
    engine.dispose()
    return path


def load(engine, said, now):
    cases = [
        {
            "review_id": review,
            "case_id": own and KEY.pseudonym("case_id", own),
            "kind": kind,
            "event_on": day,
            "status": "closed",
        }
        for review, (own, kind, day) in sorted(said.items())
    ]
    return stage_outcomes(engine, Reviews.of({"cases": cases}), KEY, now=now)


def accept(engine, now):
    with writing(engine) as connection:
        for statement in acceptance(now).split(";"):
            if statement.strip() not in ("", "BEGIN", "COMMIT"):
                connection.exec_driver_sql(statement)


def refuse(engine, now):
    """The owner refuses what waits of the first review."""
    with writing(engine) as connection:
        connection.exec_driver_sql(refusal(now, "R1"))


def held(engine):
    """What `outcomes` holds that stands: list of (case, kind, day)."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT case_id, kind, occurred_at FROM outcomes WHERE superseded_at IS NULL")
        )
        return sorted((case, kind, str(day)[:10]) for case, kind, day in rows)


OWNERS = {"accept": accept, "refuse": refuse}


@settings(max_examples=12)
@given(STEPS)
def test_what_stands_is_what_was_said_last_and_nothing_is_deleted(filled, steps):
    path = filled.with_name("copy.db")
    shutil.copy(filled, path)
    engine = connect(f"sqlite:///{path}")
    said, before = {}, pd.DataFrame()
    try:
        for number, step in enumerate(steps):
            now = START + pd.Timedelta(days=number)
            if isinstance(step, str):
                if len(staged_outcomes(engine)):
                    OWNERS[step](engine, now)
            else:
                load(engine, step, now)
                said |= step
            rows = staged_outcomes(engine)
            _check_kept(before, rows)
            _check_standing(rows, said, held(engine), () if isinstance(step, str) else step)
            before = rows
        last = steps[-1]
        if not isinstance(last, str):
            load(engine, last, START + pd.Timedelta(days=99))
            pd.testing.assert_frame_equal(staged_outcomes(engine), before)
    finally:
        engine.dispose()


def _check_kept(before, rows):
    """Every former row is still there; what was accepted or superseded has not changed at all."""
    if not len(before):
        return
    key, fixed = ["review_id", "version"], ["case_id", "kind", "occurred_at", "staged_at", "reviews_hash"]
    again = rows.set_index(key).loc[pd.MultiIndex.from_frame(before[key])]
    former = before.set_index(key)
    pd.testing.assert_frame_equal(again[fixed], former[fixed])
    for moment in ("accepted_at", "refused_at", "superseded_at"):
        done = former[moment].notna()
        assert again.loc[done, moment].tolist() == former.loc[done, moment].tolist()
    for moment, other in (("accepted_at", "refused_at"), ("refused_at", "accepted_at")):
        decided = former[moment].notna()
        assert again.loc[decided, [other, "superseded_at"]].isna().all(axis=None), (
            "decided rows are not touched"
        )


def _check_standing(rows, said, outcomes, loaded):
    """What waits is what its review says; every outcome that was just loaded waits, is held or was refused,
    once."""
    waiting = rows[is_waiting(rows)]
    assert not waiting["review_id"].duplicated().any()
    of_review = {
        review: (own, kind, day)
        for review, (own, kind, day) in said.items()
        if own is not None and kind != "other_death"
    }
    found, refused = (
        [(row.case_id, row.kind, str(row.occurred_at)[:10]) for row in some.itertuples()]
        for some in (waiting, rows[rows["refused_at"].notna()])
    )
    for review, outcome in zip(waiting["review_id"], found, strict=True):
        assert of_review[review] == outcome
    assert {of_review[review] for review in loaded if review in of_review} <= {
        *found,
        *outcomes,
        *refused,
    }
    assert len(set(outcomes)) == len(outcomes), "the owner never takes in the same outcome twice"
