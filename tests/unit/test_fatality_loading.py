"""What coders differ in is put before the team, be it a state or only since when it was known."""

import pandas as pd
import pytest

from riskml.fatality.coding.loading import load_reviews
from riskml.fatality.form import SHEETS


def sheets(*rows):
    names = ("coder", "factor", "state", "known", "known_on")
    frames = {name: pd.DataFrame(columns=list(sheet.names), dtype=object) for name, sheet in SHEETS.items()}
    case = {"review_id": "R1", "kind": "femicide", "event_on": pd.Timestamp("2025-06-10"), "status": "closed"}
    frames["cases"] = pd.DataFrame([case], columns=list(SHEETS["cases"].names))
    coded = [{"review_id": "R1", **dict(zip(names, row, strict=True))} for row in rows]
    frames["factors"] = pd.DataFrame(coded, columns=list(SHEETS["factors"].names))
    return frames


DAY = pd.Timestamp("2025-01-15")
STATE = (("A1", "alcohol", "present", "before", DAY), ("B1", "alcohol", "absent", "before", DAY))
WHEN = (("A1", "drugs", "present", "before", DAY), ("B1", "drugs", "present", "after", None))
SAME = (("A1", "anger", "present", "before", DAY), ("B1", "anger", "present", "before", DAY))


@pytest.mark.parametrize(
    ("rows", "undecided", "to_adjudicate"),
    [((*STATE, *WHEN, *SAME), 1, 2), ((*WHEN, *SAME), 0, 1), (SAME, 0, 0)],
)
def test_differences_of_state_and_of_when_it_was_known_wait_for_the_team(rows, undecided, to_adjudicate):
    made = load_reviews(sheets(*rows))
    assert (made.undecided, made.to_adjudicate) == (undecided, to_adjudicate)


def test_what_was_adjudicated_waits_no_more():
    row = {
        "review_id": "R1",
        "factor": "drugs",
        "state": "present",
        "known": "before",
        "adjudicated_by": "C1",
    }
    decided = pd.DataFrame([row])
    made = load_reviews(sheets(*STATE, *WHEN), adjudicated=decided)
    assert (made.undecided, made.to_adjudicate) == (1, 1)
    assert made.reviews.factors.set_index("factor").loc["drugs", "known"] == "before"
    assert made.reviews.about["adjudicated"] == {"rows": 1, "by": ["C1"]}
