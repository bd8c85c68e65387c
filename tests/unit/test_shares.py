"""Shares with one interval for each person, differences of shares, and many comparisons at once."""

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from riskml.errors import RiskmlError
from riskml.validation.forecast import NotEstimable
from riskml.validation.multiplicity import false_discovery_rates, multiplicity_note, two_sided_p
from riskml.validation.shares import clustered_share, share_difference


@pytest.mark.parametrize(("n", "total"), [(0, 8), (1, 9), (8, 12), (12, 12)])
def test_with_one_row_for_each_person_the_interval_is_the_exact_one(n, total):
    found = clustered_share(np.arange(total) < n, np.arange(total))
    low, high = proportion_confint(n, total, method="beta")
    effect = total / (total - 1)  # people vary about their mean, of which one degree of freedom is spent
    assert (found.n, found.total, found.people) == (n, total, total)
    if n in (0, total):
        assert (found.low, found.high) == pytest.approx((np.nan_to_num(low), high), abs=1e-6)
    else:
        assert found.effective == pytest.approx(total / effect)
        assert found.low <= low + 1e-12
        assert found.high >= high - 1e-12


def test_rows_of_one_person_say_no_more_than_the_person():
    values, people = np.repeat([1, 0, 0, 1, 0, 1, 0, 0], 50), np.repeat(np.arange(8), 50)
    clustered = clustered_share(values, people)
    alone = clustered_share(values[::50], people[::50])
    assert clustered.share == alone.share
    assert (clustered.low, clustered.high) == pytest.approx((alone.low, alone.high), abs=1e-6)
    nothing = clustered_share(np.zeros(400), people)
    assert nothing.high == pytest.approx(1 - 0.025 ** (1 / 8))


def test_a_difference_keeps_its_width_where_one_share_is_nothing():
    none = clustered_share(np.zeros(20), np.arange(20))
    some = clustered_share(np.arange(20) < 5, np.arange(20))
    estimate, low, high = share_difference(none, some)
    assert estimate == -0.25
    assert low < estimate < high
    assert high > -0.25 + none.high - 1e-9
    assert share_difference(some, none) == pytest.approx((0.25, -high, -low))


def test_intervals_of_shares_cover_about_as_often_as_they_say():
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        person = rng.beta(1, 3, 60)
        people = np.repeat(np.arange(60), 6)
        found = clustered_share(rng.random(360) < person[people], people)
        held += found.low <= 0.25 <= found.high
    assert 0.92 <= held / 300 <= 1


def test_what_is_no_share_is_one_message():
    with pytest.raises(NotEstimable, match="0/0"):
        clustered_share([], [])
    with pytest.raises(RiskmlError, match="do not pair"):
        clustered_share([1, 0], [1])


def test_false_discovery_rates_are_those_of_statsmodels():
    p = np.array([0.001, 0.2, np.nan, 0.03, 0.04, 0.9])
    known = ~np.isnan(p)
    expected = multipletests(p[known], method="fdr_bh")[1]
    assert false_discovery_rates(p)[known] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(false_discovery_rates(p)[2])
    assert len(false_discovery_rates([])) == 0


def test_a_p_value_is_read_from_its_interval():
    assert two_sided_p(1.0, 1 - 1.959963985, 1 + 1.959963985) == pytest.approx(2 * norm.sf(1), abs=1e-9)
    assert two_sided_p(0.0, -1, 1) == 1
    assert np.isnan(two_sided_p(0.3, 0.3, 0.3))


def test_the_note_counts_what_was_compared_and_what_chance_gives():
    note = multiplicity_note([0.001, 0.04, 0.5, np.nan] + [0.5] * 37)
    assert "40 comparisons" in note["en"]
    assert "In 2 the interval" in note["en"]
    assert "about 2.0 would by chance" in note["en"]
    assert "1 stand" in note["en"]
    assert "Se hicieron 40 comparaciones" in note["es"]
