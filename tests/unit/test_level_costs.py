"""What a level costs, counted by hand: visits a week, events found and missed, and what they are worth."""

import numpy as np
import pytest

from riskml.errors import RiskmlError
from riskml.validation.forecast import NotEstimable
from riskml.validation.level_costs import level_costs
from riskml.validation.shares import clustered_share

# Two weekly lists of five cases; person c stands in both.
WEEKS = np.repeat(np.array(["2026-01-05", "2026-01-12"], dtype="datetime64[D]"), 5)
PEOPLE = np.array(list("abcdefghci"))
RISK = np.array([0.9, 0.4, 0.4, 0.1, 0.1, 0.8, 0.5, 0.1, 0.1, 0.1])
Y = np.array([1, 0, 1, 0, 1, 1, 0, 0, 0, 0])


def costs(thresholds, **more):
    return level_costs(Y, RISK, PEOPLE, thresholds, as_of=WEEKS, **more)


def test_visits_and_events_are_those_counted_by_hand():
    table = costs({"medium": 0.05, "high": 0.4, "critical": 0.8}).table
    assert table.index.tolist() == ["critical", "high", "medium"]
    assert table["flagged"].tolist() == [2, 5, 10]
    assert table["visits_per_week"].tolist() == [1.0, 2.5, 5.0]
    assert table["busiest_week"].tolist() == [1, 3, 5]
    assert table["people_per_week"].tolist() == [1.0, 2.5, 5.0]
    assert table["caught"].tolist() == [2, 3, 4]
    assert table["missed"].tolist() == [2, 1, 0]
    assert table["recall"].tolist() == [0.5, 0.75, 1.0]
    assert table["precision"].tolist() == [1.0, 0.6, 0.4]
    assert table["visits_per_event"].tolist() == pytest.approx([1.0, 5 / 3, 2.5])
    assert table.loc["high", "net_benefit"] == pytest.approx(3 / 10 - 2 / 10 * 0.4 / 0.6)


def test_intervals_take_each_person_once_and_hold_the_estimate():
    table = costs({"high": 0.4}).table.loc["high"]
    events = Y == 1
    share = clustered_share(RISK[events] >= 0.4, PEOPLE[events])
    assert (table["recall_low"], table["recall_high"]) == (share.low, share.high)
    for figure in ("share", "recall", "precision", "net_benefit"):
        assert table[f"{figure}_low"] < table[figure] < table[f"{figure}_high"]
    narrow = costs({"high": 0.4}, level=0.5).table.loc["high"]
    assert narrow["net_benefit_high"] < table["net_benefit_high"]


def test_net_benefit_covers_at_its_level():
    rng = np.random.default_rng(4)
    # Truth: flagged with risk r give r - (1 - r) * 3 / 7 on average, over all risks of that law.
    drawn = rng.beta(2, 6, 500_000)
    truth = np.mean((drawn >= 0.3) * (drawn - (1 - drawn) * 3 / 7))
    inside = 0
    for _ in range(200):
        person = np.repeat(np.arange(150), 4)
        risk = np.repeat(rng.beta(2, 6, 150), 4)
        y = rng.random(600) < risk
        row = level_costs(y.astype(float), risk, person, {"high": 0.3}).table.loc["high"]
        inside += row["net_benefit_low"] <= truth <= row["net_benefit_high"]
    assert 0.90 <= inside / 200 <= 0.99


def test_a_level_that_nobody_reaches_costs_nothing_and_says_what_cannot_be_told():
    found = costs({"critical": np.inf})
    row = found.table.loc["critical"]
    assert (row["flagged"], row["missed"], row["visits_per_week"]) == (0, 4, 0.0)
    assert row["recall"] == 0.0
    assert np.isnan(row["precision"])
    document = found.document()["rows"][0]
    assert set(document["not_estimable"]) == {"precision", "net_benefit"}
    assert document["label"]["es"] == "Crítico"
    assert document["threshold"] is None  # JSON has no infinity
    without = level_costs(np.zeros(10), RISK, PEOPLE, {"high": 0.4})
    assert isinstance(without.reasons["high", "recall"], NotEstimable)
    assert without.table.loc["high", "weeks"] == 1


def test_what_does_not_pair_is_refused():
    with pytest.raises(RiskmlError, match="3 people do not pair"):
        level_costs(Y, RISK, PEOPLE[:3], {"high": 0.4})
    with pytest.raises(RiskmlError, match='unknown level "urgent"'):
        costs({"urgent": 0.4})
    with pytest.raises(NotEstimable):
        level_costs([], [], [], {"high": 0.4})
