from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.models.splits import (
    CROSS_FITTED,
    WINDOWS,
    connected_people,
    grouped_folds,
    one_assessment_each,
    split_by_person,
    split_by_time,
)

DAY = np.timedelta64(1, "D")
SHARES = dict(zip(WINDOWS, (0.4, 0.2, 0.2, 0.2), strict=True))


def dates(days, step=7, start="2020-01-06"):
    return np.datetime64(start, "us") + np.arange(0, days + 1, step) * DAY


@settings(max_examples=60, deadline=None)
@given(
    days=st.integers(1300, 3000),  # the smallest share of 0.1 : 3 needs 868 days, and the gaps up to 405
    step=st.integers(1, 28),
    horizon=st.integers(1, 90),
    lag=st.integers(0, 45),
    shares=st.lists(st.floats(0.1, 1.0), min_size=4, max_size=4),
)
def test_no_outcome_of_one_window_is_open_when_the_next_begins(days, step, horizon, lag, shares):
    as_of = dates(days, step)
    split = split_by_time(as_of, shares=dict(zip(WINDOWS, shares, strict=True)), gap=(horizon + lag) * DAY)
    for window, following in pairwise(WINDOWS):
        known = as_of[split.rows[window]].max() + (horizon + lag) * DAY
        assert known <= as_of[split.rows[following]].min()
    assert as_of[split.refit].max() + (horizon + lag) * DAY <= as_of[split.rows["calibrate"]].min()
    assert set(split.rows["train"]) | set(split.rows["tune"]) <= set(split.refit)
    assert split.prospective


@settings(max_examples=40, deadline=None)
@given(
    days=st.integers(800, 3000),
    step=st.integers(1, 28),
    horizon=st.integers(1, 365),
    develop=st.floats(0.2, 0.8),
)
def test_a_develop_window_costs_one_gap(days, step, horizon, develop):
    as_of, gap = dates(days, step), (horizon + 45) * DAY
    split = split_by_time(as_of, shares={"develop": develop, "evaluate": 1 - develop}, gap=gap)
    assert tuple(split.rows) == CROSS_FITTED
    assert split.cross_fitted
    assert split.prospective
    assert as_of[split.rows["develop"]].max() + gap <= as_of[split.rows["evaluate"]].min()
    np.testing.assert_array_equal(split.refit, split.rows["develop"])
    np.testing.assert_array_equal(split.calibrate, split.first)


def test_too_short_a_history_for_four_windows_says_that_two_cost_one_gap():
    with pytest.raises(RiskmlError, match=r"develop: 0\.7, evaluate: 0\.3"):
        split_by_time(dates(1300), shares=SHARES, gap=410 * DAY)
    two = {"develop": 0.7, "evaluate": 0.3}
    assert split_by_time(dates(1300), shares=two, gap=410 * DAY).cross_fitted
    with pytest.raises(RiskmlError, match="1 gap of 410 days") as error:
        split_by_time(dates(420), shares=two, gap=410 * DAY)
    assert "develop" not in str(error.value)


def test_windows_take_their_shares_of_what_the_gaps_leave():
    as_of = dates(2000, 1)
    split = split_by_time(as_of, shares=SHARES, gap=100 * DAY)
    sizes = {name: len(rows) for name, rows in split.rows.items()}
    usable = 2000 - 300
    assert {name: round(size / usable, 2) for name, size in sizes.items()} == SHARES


def test_too_short_a_history_says_how_long_it_must_be():
    with pytest.raises(RiskmlError) as error:
        split_by_time(dates(400), shares=SHARES, gap=135 * DAY)
    text = str(error.value)
    assert "399 days" in text or "400 days" in text
    assert "545" in text  # three gaps of 135 days and windows of which the smallest lasts 28
    assert "by: person" in text


def test_no_assessment_followed_up_is_an_error():
    with pytest.raises(RiskmlError, match="followed up"):
        split_by_time(np.array([], "datetime64[us]"), shares=SHARES, gap=DAY)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(60, 300))
def test_no_aggressor_and_no_victim_crosses_between_windows(seed, n):
    rng = np.random.default_rng(seed)
    aggressor, victim = rng.integers(0, n, n).astype(str), rng.integers(0, n, n).astype(str)
    people = connected_people(aggressor, victim)
    outcome = (rng.random(n) < 0.4).astype(float)
    groups = np.unique(people)
    events = len(np.unique(people[outcome > 0]))
    if events < 4 or len(groups) - events < 4:
        return
    split = split_by_person(people, outcome, shares=SHARES, seed=seed)
    assert not split.prospective
    together = np.concatenate(list(split.rows.values()))
    assert sorted(together) == list(range(n))
    for ids in (aggressor, victim):
        seen = [set(ids[rows]) for rows in split.rows.values()]
        assert sum(len(s) for s in seen) == len(set.union(*seen))


def test_people_linked_through_others_are_one_group():
    people = connected_people(["a", "a", "b", "c"], ["u", "v", "v", "w"])
    assert people[0] == people[1] == people[2] != people[3]
    assert len(set(connected_people(["a", "a", "b"]))) == 2


def test_events_are_spread_over_windows_of_people():
    outcome = np.repeat([1.0, 0.0], [40, 360])
    split = split_by_person(np.arange(400), outcome, shares=SHARES, seed=3)
    assert {name: int(outcome[rows].sum()) for name, rows in split.rows.items()} == {
        "train": 16,
        "tune": 8,
        "calibrate": 8,
        "evaluate": 8,
    }


def test_too_few_people_with_an_event_is_an_error():
    with pytest.raises(RiskmlError, match="3 people with an event"):
        split_by_person(np.arange(50), np.repeat([1.0, 0.0], [3, 47]), shares=SHARES)


@pytest.mark.parametrize(("index_date", "wanted"), [("first", [0, 3]), ("last", [2, 4])])
def test_one_assessment_for_each_person(index_date, wanted):
    as_of = np.array(["2020-01-01", "2020-02-01", "2020-03-01", "2020-01-05", "2020-06-01"], "datetime64[us]")
    people = np.array([0, 0, 0, 1, 1])
    assert list(one_assessment_each(as_of, people, index_date=index_date)) == wanted
    assert len(one_assessment_each(as_of, people, index_date="random", seed=5)) == 2
    assert list(one_assessment_each(as_of, people, index_date="2020-02-01")) == [1]


def test_folds_keep_people_whole_and_spread_events():
    rng = np.random.default_rng(0)
    groups, outcome = rng.integers(0, 100, 1000), np.zeros(1000)
    outcome[np.isin(groups, np.arange(20))] = 1
    fold = grouped_folds(groups, outcome, folds=5, seed=1)
    assert all(len(np.unique(fold[groups == g])) == 1 for g in np.unique(groups))
    assert [len(np.unique(groups[(fold == k) & (outcome > 0)])) for k in range(5)] == [4] * 5
