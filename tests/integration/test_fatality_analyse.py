"""`riskml fatality analyse` from the terminal: ten reviews without a registry, and a document of it all."""

import json

import pandas as pd
import pytest

from riskml.cli.fatality_analyse import _check_keys
from riskml.errors import RiskmlError
from riskml.fatality.form import SHEETS
from riskml.fatality.reviews import Reviews
from riskml.workspace import init_workspace
from workspaces import riskml

PRIVATE = "La señora del local de enfrente"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A workspace with ten reviews, without a registry, a history or a key."""
    folder = tmp_path_factory.mktemp("reviews") / "ws"
    init_workspace(folder)
    ids = [f"R{n}" for n in range(1, 11)]
    sheets = {
        "cases": [
            {"review_id": r, "kind": "femicide", "event_on": "2025-03-02", "earlier_report": "unknown"}
            for r in ids
        ],
        "factors": [
            {"review_id": r, "factor": "strangulation", "state": state, "known": "after", "evidence": PRIVATE}
            for r, state in zip(ids, ["present"] * 6 + ["absent"] * 2 + ["unknown"] * 2, strict=True)
        ],
        "contacts": [
            {
                "review_id": "R1",
                "contact_on": "2025-02-20",
                "institution": "health",
                "what_was_known": PRIVATE,
            }
        ],
    }
    Reviews.of({name: pd.DataFrame(sheets.get(name, [])) for name in SHEETS}).save(folder / "reviews")
    return folder


def test_ten_reviews_are_counted_without_a_registry(folder):
    done = riskml("fatality", "analyse", "--workspace", folder)
    assert done.code == 0, done.err
    assert "6/8" in done.out
    assert "Traceback" not in done.err
    assert "68 factores" not in done.out
    assert "1/10 (0-45 %)" in done.out, "one had a contact; the interval is rounded outwards"
    assert "ningún caso revisado está vinculado" in done.out
    document = json.loads((folder / "reports/out/fatality/findings.json").read_text(encoding="utf-8"))
    assert document["format"] == "riskml fatality findings 1"
    row = next(row for row in document["prevalence"] if row["factor"] == "strangulation")
    assert (row["present"], row["absent"], row["unknown"], row["after_only"]) == (6, 2, 2, 6)
    assert row["before"]["present"] == 0
    assert len(document["items"]) == 41
    assert PRIVATE not in done.out + json.dumps(document, ensure_ascii=False)


def test_english_says_the_same(folder):
    done = riskml("fatality", "analyse", "--workspace", folder, "--language", "en")
    assert done.code == 0, done.err
    assert "no reviewed case is linked to the registry" in done.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--reviews", "ffff"), 'no reviews "ffff"'),
        (("--language", "fr"), "unknown language"),
        (("--history", "abcd"), "linked"),
        (("--controls", "0"), "--controls"),
    ],
)
def test_a_mistake_is_told_in_one_message(folder, options, words):
    done = riskml("fatality", "analyse", "--workspace", folder, *options)
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_workspace_without_reviews_says_where_they_come_from(tmp_path):
    init_workspace(tmp_path / "ws")
    done = riskml("fatality", "analyse", "--workspace", tmp_path / "ws")
    assert done.code == 2
    assert "riskml fatality load" in done.err


class _History:
    hash, manifest = "a" * 64, {"key_fingerprint": "first"}


def test_reviews_linked_with_another_key_are_not_compared_with_nobody():
    reviews = Reviews.of({"cases": [{"review_id": "R1"}]}, {"key_fingerprint": "second"})
    with pytest.raises(RiskmlError, match=r"key second.*key first"):
        _check_keys(reviews, _History)
    _check_keys(Reviews.of({}, {"key_fingerprint": "first"}), _History)
    _check_keys(Reviews.of({}), _History)
