"""`riskml fatality criteria` from the terminal: from a proposal to an approved pattern that scoring shows."""

import json

import pytest

from riskml.fatality.reviews import Reviews
from riskml.models.critical import load_critical
from riskml.workspace import open_workspace
from workspaces import AS_OF, riskml, rows_of, state_of

REASON = "Contado por la revisión, y la unidad puede visitar a quienes señala."
PRIVATE = "La señora del local de enfrente"


def reviewed(folder):
    """Eight reviews of cases that the registry does not hold: all knew of a separation and of jealousy."""
    ids = [f"R{n}" for n in range(1, 9)]
    cases = [{"review_id": r, "kind": "femicide", "event_on": "2026-05-02"} for r in ids]
    factors = [
        {"review_id": r, "factor": f, "state": "present", "known": "before", "known_on": "2026-03-01"}
        | {"evidence": PRIVATE}
        for r in ids
        for f in ("separation", "jealousy")
    ]
    Reviews.of({"cases": cases, "factors": factors}).save(folder / "reviews")


def criteria(folder, *arguments):
    return riskml("fatality", "criteria", *arguments, "-w", folder)


@pytest.mark.slow
def test_a_proposal_is_approved_by_two_and_shown_by_scoring(workspace):
    reviewed(workspace)
    before = state_of(workspace / "models")
    said = criteria(workspace, "propose", "--as-of", AS_OF, "--cap", 200)
    assert said.code == 0, said.err
    assert state_of(workspace / "models") == before
    kept = (workspace / "reports/out/fatality/patterns.json").read_text(encoding="utf-8")
    assert PRIVATE not in kept + said.out
    document = json.loads(kept)
    assert document["format"] == "riskml fatality patterns 1"
    found = document["selected"]["patterns"][0]
    assert "jealousy" in found or "separation" in found
    assert "separation" in said.out

    name = ("--by", "FGJ-07", "--role", "prosecutor", "--reason", REASON)
    assert criteria(workspace, "add", found, "--by", "ANA-01").code == 0
    first = criteria(workspace, "approve", found, "--by", "SSP-02", "--role", "police", "--reason", REASON)
    assert first.code == 0, first.err
    assert "no tiene efecto" in first.out
    refused = criteria(workspace, "approve", found, "--by", "SSP-03", "--role", "police", "--reason", REASON)
    assert (refused.code, "two people with different roles" in refused.err) == (2, True)
    second = criteria(workspace, "approve", found, *name)
    assert (second.code, "tiene efecto" in second.out) == (0, True), second.err
    ws = open_workspace(workspace)
    assert list(load_critical(ws.settings.models / "critical.yml", catalogue=ws.catalogue).approved) == [
        found
    ]

    row = next(r for r in document["rows"] if r["id"] == found)
    assert riskml("score", "--as-of", AS_OF, "-w", workspace).code == 0
    patterns = [
        text for line in rows_of(workspace, "riskml_second_opinions") for text in line if _matched(text)
    ]
    assert sum(found in text for text in patterns) == row["living"]["flagged"] > 0

    shown = criteria(workspace, "show", "--language", "en")
    assert "approved" in shown.out
    assert "SSP-02" in shown.out
    assert criteria(workspace, "reject", found, *name).code == 0
    assert "rechazado" in criteria(workspace, "show").out


def _matched(text):
    return isinstance(text, str) and text.startswith("[") and '"matched"' in text


def test_a_pattern_of_the_teams_own_says_that_the_cases_had_been_read(workspace):
    assert criteria(workspace, "add", "own", "--when", "breach, stalking", "--by", "ANA-01").code == 0
    reviewed(workspace)
    more = ("--when", "{any_of: [breach, stalking]}", "--evidence", "Matias et al. 2020 | significant | S:5")
    assert criteria(workspace, "add", "late", *more, "--by", "ANA-01").code == 0
    assert (
        criteria(workspace, "edit", "own", "--label-en", "Breach while stalking", "--by", "ANA-01").code == 0
    )
    ws = open_workspace(workspace)
    found = load_critical(ws.settings.models / "critical.yml").patterns
    assert found["own"].defined_in == ()
    assert found["late"].defined_in == (ws.reviews().hash,)
    assert found["own"].label["en"] == "Breach while stalking"


def test_bad_input_ends_with_2_and_one_message(workspace):
    before = state_of(workspace)
    for arguments, words in (
        (("propose",), "no reviews yet"),
        (("add", "found", "--by", "ANA-01"), "nothing has been proposed yet"),
        (("add", "own", "--by", "Ana", "--when", "breach"), "not a reviewer's code"),
        (
            ("add", "own", "--by", "ANA-01", "--when", "breach", "--label-es", "Uno"),
            "words in one language only",
        ),
        (("add", "own", "--by", "ANA-01", "--label-es", "Uno"), "stand in its row"),
        (("add", "own", "--by", "ANA-01", "--when", "brech"), "labels"),
        (("add", "own", "--by", "ANA-01", "--when", "breach", "--evidence", "x"), "not STUDY | EFFECT | TAG"),
        (("edit", "nobody", "--by", "ANA-01", "--when", "breach"), 'no critical pattern "nobody"'),
        (("propose", "--as-of", "soon"), "--as-of"),
    ):
        said = criteria(workspace, *arguments)
        assert said.code == 2, arguments
        assert words in said.err, said.err
        assert "Traceback" not in said.err
    assert state_of(workspace) == before
