"""Lead time: when, before each event, its case first stood on the list."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.validation.intervals import exact_interval
from riskml.validation.lead_time import lead_times, listed_cases

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2025-01-06")  # a Monday


def _times(days):
    return pd.array([START + float(d) * DAY for d in days], dtype="datetime64[us]")


def _scored(rows):
    return pd.DataFrame(
        {
            "case_id": [r[0] for r in rows],
            "as_of": _times([r[1] for r in rows]),
            "risk": [r[2] for r in rows],
        }
    )


def _events(rows):
    return pd.DataFrame(
        {
            "case_id": [r[0] for r in rows],
            "event_at": _times([r[1] for r in rows]),
            "person": [f"p{r[0]}" for r in rows],
        }
    )


def _by_hand():
    scored = _scored(
        [("A", week * 7, 0.9 if week >= 2 else 0.1) for week in range(6)]
        + [("B", week * 7, 0.5) for week in range(6)]
        + [("C", week * 7, 0.2) for week in range(6)]
    )
    # A stands first from week 2 on, B in weeks 0 and 1; C never; D is in no list.
    events = _events([("A", 30), ("A", 40), ("B", 14), ("B", 20), ("C", 20), ("D", 20), ("A", 0)])
    return lead_times(scored, events, capacity=1, lookback="365d", seed=0)


def test_a_table_worked_out_by_hand():
    found = _by_hand().events
    # A's event of day 40 came after that of day 30: lists before that one belong to that one.
    assert list(found["status"]) == [
        "listed",
        "listed",
        "listed",
        "never_listed",
        "never_listed",
        "never_assessed",
        "never_assessed",
    ]
    assert list(found["lead_days"].fillna(-1)) == [16, 5, 14, -1, -1, -1, -1]
    assert list(found["lists"]) == [5, 1, 2, 1, 3, 0, 0]
    assert list(found["cut"]) == [False, False, True, False, True, True, True]


def test_the_summary_counts_n_of_n_with_intervals():
    found = _by_hand().summary(days=(7,), replicates=50, seed=0)
    assert (found.loc["listed", "n"], found.loc["listed", "total"]) == (3, 7)
    assert (found.loc["listed_of_assessed", "n"], found.loc["listed_of_assessed", "total"]) == (3, 5)
    assert (found.loc["never_listed", "n"], found.loc["never_assessed", "n"]) == (2, 2)
    assert (found.loc["at_least_7_days", "n"], found.loc["at_least_7_days", "total"]) == (2, 7)
    assert tuple(found.loc["listed", ["exact_low", "exact_high"]]) == pytest.approx(exact_interval(3, 7))
    assert found.loc["listed", "low"] <= 3 / 7 <= found.loc["listed", "high"]
    assert found.loc["median_lead_days", "estimate"] == 14
    assert found.loc["lower_quartile_lead_days", "estimate"] == 5
    assert found.loc["upper_quartile_lead_days", "estimate"] == 16
    assert found.loc["median_lead_days", "n"] == 3


def test_a_report_names_no_case():
    document = json.loads(json.dumps(_by_hand().document(replicates=20, seed=0)))
    assert (document["events"], document["people"], document["cut"]) == (7, 4, 4)
    assert '"pA"' not in json.dumps(document)
    assert "primera lista semanal de 1 casos" in document["words"]["es"]
    assert "365d before" in document["words"]["en"]


def test_the_median_over_people_has_an_interval_that_holds_the_truth():
    rng, people = np.random.default_rng(0), 150
    lead = rng.integers(1, 60, people)
    cases = [f"c{i}" for i in range(people)]
    # Everybody is on a list of his own from the day of his lead on.
    scored = pd.concat(
        [
            _scored([(case, 100 - 100 * i / people / 1000 - int(days), 0.5)])
            for i, (case, days) in enumerate(zip(cases, lead, strict=True))
        ]
    )
    events = _events([(case, 100 - 100 * i / people / 1000) for i, case in enumerate(cases)])
    found = lead_times(scored, events, capacity=people, lookback="90d", seed=0).summary(
        replicates=200, seed=1
    )
    row = found.loc["median_lead_days"]
    assert row["estimate"] == np.sort(lead)[(people - 1) // 2]
    assert row["low"] < 30 < row["high"]
    assert row["high"] - row["low"] < 20


def _slowly(scored, events, capacity, lookback):
    lists = {}
    for when, rows in scored.groupby("as_of"):
        lists[when] = set(rows.sort_values("risk", ascending=False)["case_id"].head(capacity))
    found = []
    for _, event in events.iterrows():
        own = events[(events["case_id"] == event["case_id"]) & (events["event_at"] < event["event_at"])]
        start = event["event_at"] - lookback
        if len(own):
            start = max(start, own["event_at"].max())
        rows = scored[scored["case_id"] == event["case_id"]]
        dates = sorted(rows["as_of"][(rows["as_of"] >= start) & (rows["as_of"] < event["event_at"])])
        listed = [when for when in dates if event["case_id"] in lists[when]]
        if listed:
            found.append(("listed", (event["event_at"] - listed[0]) / DAY, len(dates)))
        else:
            found.append(("never_listed" if dates else "never_assessed", -1.0, len(dates)))
    return found


@settings(max_examples=60)
@given(st.data())
def test_lead_times_are_those_of_a_slow_look(data):
    cells = st.tuples(st.sampled_from("ABCD"), st.integers(0, 4))
    rows = data.draw(st.lists(cells, min_size=1, max_size=14, unique=True), label="scored")
    risks = data.draw(st.permutations(range(len(rows))), label="risks")
    scored = _scored([(case, 7 * week, risk / 100) for (case, week), risk in zip(rows, risks, strict=True)])
    happened = st.tuples(st.sampled_from("ABCDE"), st.integers(0, 35))
    events = _events(data.draw(st.lists(happened, min_size=1, max_size=8), label="events"))
    capacity = data.draw(st.integers(1, 3), label="capacity")
    found = lead_times(scored, events, capacity=capacity, lookback="14d", seed=0).events
    got = zip(found["status"], found["lead_days"].fillna(-1.0), found["lists"], strict=True)
    assert list(got) == _slowly(scored, events, capacity, 14 * DAY)


def test_ties_at_the_end_of_a_list_are_drawn_by_lot():
    when, risk = _times([0] * 10 + [7] * 10), np.full(20, 0.3)
    risk[0] = 0.9
    drawn = np.array([listed_cases(when, risk, 3, seed=seed) for seed in range(400)])
    assert (drawn[:, :10].sum(axis=1) == 3).all()
    assert (drawn[:, 10:].sum(axis=1) == 3).all()
    assert drawn[:, 0].all()
    assert drawn[:, 1:10].mean(axis=0) == pytest.approx(np.full(9, 2 / 9), abs=0.07)
    assert drawn[:, 10:].mean(axis=0) == pytest.approx(np.full(10, 0.3), abs=0.08)
    assert np.array_equal(drawn[3], listed_cases(when, risk, 3, seed=3))


def test_nobody_listed_or_one_person_alone_says_so():
    scored = _scored([("A", 0, 0.1), ("B", 0, 0.9)])
    none = lead_times(scored, _events([("A", 5)]), capacity=1, seed=0).summary(seed=0)
    assert none.loc["listed", "n"] == 0
    assert none.loc["listed", "exact_high"] == pytest.approx(0.975)
    assert "0/0" in none.loc["median_lead_days", "reason"].words("en")
    one = lead_times(scored, _events([("B", 5)]), capacity=1, seed=0).summary(seed=0)
    assert one.loc["median_lead_days", "estimate"] == 5
    assert "1 aggressors" in one.loc["median_lead_days", "reason"].words("en")
    empty = lead_times(scored, _events([]), capacity=1, seed=0).summary(seed=0)
    assert "0/0" in empty.loc["listed", "reason"].words("en")


def test_what_is_no_list_is_one_message():
    scored, events = _scored([("A", 0, 0.1)]), _events([("A", 5)])
    for one, other, said in (
        (scored.drop(columns="risk"), events, "missing columns: risk"),
        (scored, events.drop(columns="person"), "missing columns: person"),
        (pd.concat([scored, scored]), events, "assessed twice"),
        (scored.assign(risk=np.nan), events, "none missing"),
        (scored, events.assign(event_at=pd.NaT), "naive timestamps"),
        (scored.assign(as_of="monday"), events, "naive timestamps"),
    ):
        with pytest.raises(RiskmlError, match=said):
            lead_times(one, other, capacity=1, seed=0)
    with pytest.raises(RiskmlError, match="at least one case"):
        lead_times(scored, events, capacity=0, seed=0)
