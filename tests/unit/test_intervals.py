"""Exact intervals: the values of EVIDENCE 6.5 and the identities that define them."""

import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from riskml.errors import RiskmlError
from riskml.validation.forecast import NotEstimable
from riskml.validation.intervals import exact_interval, mid_p_interval, share_in_words


@pytest.mark.parametrize(
    ("n", "total", "low", "high"),
    [  # EVIDENCE 6.5 [D]
        (0, 8, 0, 36.9),
        (0, 12, 0, 26.5),
        (6, 12, 21.1, 78.9),
        (8, 12, 34.9, 90.1),
        (10, 12, 51.6, 97.9),
        (12, 12, 73.5, 100),
        (15, 20, 50.9, 91.3),
    ],
)
def test_the_intervals_of_the_evidence_base(n, total, low, high):
    assert [round(100 * bound, 1) for bound in exact_interval(n, total)] == [low, high]


@pytest.mark.parametrize(("n", "total"), [(0, 1), (1, 1), (3, 10), (50, 400), (400, 400)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_exact_intervals_are_those_of_statsmodels(n, total, level):
    expected = proportion_confint(n, total, alpha=1 - level, method="beta")
    assert exact_interval(n, total, level=level) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n", "total"), [(1, 5), (3, 10), (9, 10)])
def test_mid_p_intervals_hold_half_of_what_was_seen_in_each_tail(n, total):
    low, high = mid_p_interval(n, total)
    assert binom.sf(n, total, low) + binom.pmf(n, total, low) / 2 == pytest.approx(0.025)
    assert binom.cdf(n - 1, total, high) + binom.pmf(n, total, high) / 2 == pytest.approx(0.025)
    exact_low, exact_high = exact_interval(n, total)
    assert exact_low < low < n / total < high < exact_high


def test_mid_p_at_the_ends():
    assert mid_p_interval(0, 10)[0] == 0
    assert mid_p_interval(10, 10)[1] == 1
    assert mid_p_interval(0, 10)[1] == pytest.approx(1 - 0.05 ** (1 / 10))


def test_a_share_is_shown_with_its_numbers():
    assert share_in_words(8, 12) == "8/12 (34.9-90.1 %)"
    assert share_in_words(0, 0) == "0/0 (no estimable)"
    assert share_in_words(0, 0, language="en") == "0/0 (not estimable)"


def test_what_is_no_share_is_refused():
    for n, total in ((3, 2), (-1, 2), (1.5, 2)):
        with pytest.raises(RiskmlError, match="no share"):
            exact_interval(n, total)
    with pytest.raises(NotEstimable, match="0/0"):
        exact_interval(0, 0)
    with pytest.raises(RiskmlError, match="level"):
        exact_interval(1, 2, level=95)
