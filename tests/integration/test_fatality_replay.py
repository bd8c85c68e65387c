"""`riskml fatality replay` and `nearest` from the command line, on a workspace with trained models."""

import json
import re
import sqlite3

import pandas as pd
import pytest

import riskml as library
from riskml.cli.fatality_replay import every_version
from riskml.fatality.reviews import Reviews
from workspaces import AS_OF, copy_of, riskml


@pytest.fixture(scope="module")
def reviewed(demo_workspace, tmp_path_factory):
    """A copy of the demo's workspace with reviews of three cases, one of them outside the registry."""
    folder = copy_of(demo_workspace, tmp_path_factory.mktemp("reviewed") / "padron")
    ws = library.open_workspace(folder)
    incidents = ws.history().table("incidents").to_pandas()
    most = incidents["case_id"].value_counts().index[:2]
    last = incidents.groupby("case_id")["recorded_at"].max()
    cases = [
        {"review_id": f"R{k}", "case_id": case, "event_on": last[case].normalize() + pd.Timedelta(days=20)}
        for k, case in enumerate(most)
    ]
    cases.append({"review_id": "R2", "case_id": None, "event_on": pd.Timestamp("2026-03-01")})
    same = {"kind": "femicide", "relationship": "partner", "status": "closed", "defined_critical": "no"}
    log = [
        {
            "review_id": "R2",
            "contact_on": "2026-01-10",
            "institution": "health",
            "known_factors": "strangulation; death_threat",
        }
    ]
    factors = [
        {
            "review_id": "R0",
            "factor": code,
            "state": "present",
            "known": "before",
            "known_by": "family",
            "evidence": "dicho de la hermana",
        }
        for code in ("strangulation", "death_threat", "separation")
    ]
    reviews = Reviews.of({"cases": [c | same for c in cases], "contacts": log, "factors": factors})
    reviews.save(ws.settings.reviews)
    return folder


def kept(folder):
    return json.loads((folder / "reports" / "out" / "fatality" / "replay.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(reviewed):
    return riskml("fatality", "replay", "--case", "R0", "--workspace", reviewed)


def test_replay_prints_the_table_and_keeps_the_document(reviewed, run):
    assert run.code == 0, run.err
    for words in (
        "3 casos revisados",
        "Cualquier regla con",
        "Nivel crítico del",
        "(propuesto",
        "R0: Feminicidio",
    ):
        assert words in " ".join(run.out.split()), run.out
    document = kept(reviewed)
    assert document["format"] == "riskml fatality replay 1"
    assert [c["linked"] for c in document["cases"]] == [True, True, False]
    (outside,) = document["cases"][2]["contacts"]
    states = {p["pattern"]: p["state"] for p in outside["patterns"]}
    assert states["strangulation_and_death_threat"] == "matched"
    assert outside["suggested"] == {}


def test_the_document_names_no_case_of_the_registry_and_quotes_nobody(reviewed, run):
    assert run.code == 0, run.err
    text = json.dumps(kept(reviewed), ensure_ascii=False)
    linked = library.open_workspace(reviewed).reviews().linked["case_id"]
    assert not [case for case in linked if case in text]
    assert "hermana" not in text


def test_every_version_that_was_kept_is_replayed(demo_workspace, tmp_path):
    ws = library.open_workspace(copy_of(demo_workspace, tmp_path / "padron"))
    model = ws.trained("repeat")
    other = model.with_report(model.report | {"notes": [{"code": "another"}]})
    other.save(ws.settings.bundles / "repeat" / other.version)
    found = [(m.name, m.version) for m in every_version(ws)]
    assert {("repeat", model.version), ("repeat", other.version)} <= set(found)
    assert [version for name, version in found if name == "repeat"][-1] == model.version, "today's comes last"
    assert len(found) == len(set(found))


def test_a_review_outside_any_registry_needs_no_history(reviewed, tmp_path):
    folder = tmp_path / "padron"
    assert riskml("init", folder).code == 0
    ws = library.open_workspace(folder)
    coded = library.open_workspace(reviewed).reviews()
    outside = {
        name: coded.sheet(name) for name in ("people", "missed", "contacts", "factors", "recommendations")
    }
    Reviews.of(outside | {"cases": coded.cases.iloc[[2]]}).save(ws.settings.reviews)
    run = riskml("fatality", "replay", "--workspace", folder)
    assert run.code == 0, run.err
    row = next(r for r in kept(folder)["table"] if r["rule"] == "strangulation_and_death_threat")
    assert (row["fired"]["n"], row["fired"]["of"]) == (1, 1)


def test_an_unknown_review_or_no_review_is_one_readable_message(reviewed, demo_workspace):
    run = riskml("fatality", "replay", "--case", "R9", "--workspace", reviewed)
    assert (run.code, run.out) == (2, "")
    assert 'no reviewed case "R9"' in run.err
    run = riskml("fatality", "replay", "--workspace", demo_workspace)
    assert run.code == 2
    assert "no reviews yet" in run.err
    assert "Traceback" not in run.err


def test_nearest_takes_the_registrys_own_id_or_the_pseudonym(reviewed):
    ws = library.open_workspace(reviewed)
    taken = ws.history()
    still_open = set(taken.open_cases(AS_OF)["case_id"])
    with sqlite3.connect(reviewed / "registry.db") as connection:
        own = [case for (case,) in connection.execute("SELECT DISTINCT case_id FROM cases ORDER BY 1")]
    known = set(taken.table("cases")["case_id"].to_pylist())
    case = next(c for c in own if ws.key.pseudonym("case_id", c) in still_open & known)
    by_own = riskml("fatality", "nearest", case, "--as-of", AS_OF, "-n", 2, "--workspace", reviewed)
    assert by_own.code == 0, by_own.err
    by_pseudonym = riskml(
        "fatality",
        "nearest",
        ws.key.pseudonym("case_id", case),
        "--as-of",
        AS_OF,
        "-n",
        2,
        "--workspace",
        reviewed,
    )
    assert by_own.out == by_pseudonym.out
    assert "no se sigue ninguna probabilidad" in by_own.out
    assert re.search(r"1\. R\d: Feminicidio", by_own.out)
    assert "hermana" not in by_own.out


def test_nearest_refuses_a_case_that_nobody_knows(reviewed):
    run = riskml("fatality", "nearest", "nobody", "--as-of", AS_OF, "--workspace", reviewed)
    assert (run.code, run.out) == (2, "")
    assert "does not stand in the registry" in run.err
