"""`riskml fatality candidates` and `staged`: the team finds its case, the registry's owner accepts."""

import re
import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from registries import fill, registry_rows
from riskml.fatality.reviews import Reviews
from riskml.registry.database import connect
from riskml.registry.staged_outcomes import stage_outcomes
from riskml.workspace import open_workspace
from workspaces import copy_of, riskml


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace with a registry, its history, and two reviews, one of them linked and staged."""
    folder = tmp_path_factory.mktemp("linking") / "padron"
    riskml("init", folder)
    rows = registry_rows()
    rows["incidents"][4] |= {"severity": 6}
    fill(connect(f"sqlite:///{folder}/registry.db", create=True), rows)
    made = riskml("history", "-w", folder)
    assert made.code == 0, made.err
    ws = open_workspace(folder)
    case = {"kind": "femicide", "status": "closed", "relationship": "ex-partner", "municipality": "guadalupe"}
    cases = [
        case | {"review_id": "R1", "case_id": ws.key.pseudonym("case_id", "2"), "event_on": "2025-05-04"},
        case | {"review_id": "R2", "event_on": str(rows["incidents"][4]["occurred_at"])[:10]},
    ]
    reviews = Reviews.of({"cases": cases}, {"key_fingerprint": ws.key.fingerprint})
    reviews.save(ws.settings.reviews)
    stage_outcomes(ws.connect(), reviews, ws.key, now=pd.Timestamp("2026-01-05"))
    return folder


@pytest.fixture
def own(workspace, tmp_path):
    """A copy of it, for a test that writes."""
    return copy_of(workspace, tmp_path / "padron")


def test_the_team_is_shown_candidates_by_pseudonym_and_nothing_is_linked(workspace):
    said = riskml("fatality", "candidates", "--language", "en", "-w", workspace)
    assert said.code == 0, said.err
    words = " ".join(said.out.split())
    ws = open_workspace(workspace)
    assert ws.key.pseudonym("case_id", "3") in words
    assert "a very grave record 0 days away" in words
    assert "Candidates for 1 of 1 reviews" in words
    assert len(ws.reviews().linked) == 1


def test_the_owner_is_given_the_statements_and_they_accept(own):
    said = riskml("fatality", "staged", "-w", own)
    assert said.code == 0, said.err
    assert "1 esperan, 0 aceptados, 0 rechazados" in said.out
    statements = re.search(r"BEGIN;.*COMMIT;", said.out, re.DOTALL)[0]
    with closing(sqlite3.connect(own / "registry.db", isolation_level=None)) as registry:
        registry.executescript(statements)
        rows = registry.execute(
            "SELECT case_id, kind, occurred_at FROM outcomes WHERE review_id = 'R1' AND case_id = '2'"
        )
        assert rows.fetchall() == [("2", "femicide", "2025-05-04 00:00:00.000000")]
    again = riskml("fatality", "staged", "--language", "en", "-w", own)
    assert "0 waiting, 1 accepted, 0 refused" in again.out
    assert "BEGIN" not in again.out


def test_a_row_that_the_owner_refuses_waits_no_more(own):
    said = riskml("fatality", "staged", "-w", own)
    statement = re.search(r"UPDATE riskml_outcomes_staging SET refused_at.*?;", said.out, re.DOTALL)[0]
    assert said.out.index("refused_at") < said.out.index("BEGIN;")
    with closing(sqlite3.connect(own / "registry.db", isolation_level=None)) as registry:
        registry.executescript(statement)
    again = riskml("fatality", "staged", "-w", own)
    assert "0 esperan, 0 aceptados, 1 rechazados" in again.out
    assert "BEGIN" not in again.out
