"""Power stated before results: exact, and what it makes of the published table."""

import pytest
from scipy.stats import binom, fisher_exact

from riskml.errors import RiskmlError
from riskml.fatality.comparison.power import fisher_power, smallest_odds_ratio

# EVIDENCE 6.5 [D], 5 controls for each case, 10 % of controls exposed: cases, odds ratio, per cent.
PUBLISHED = {
    10: {2: 9, 4: 33, 7: 64},
    15: {2: 15, 4: 48, 7: 81},
    25: {2: 21, 4: 70, 7: 96},
}
# By enumeration, every table judged by scipy's test: per cent.
ENUMERATED = {
    10: {2: 8.6, 4: 32.0, 7: 62.8},
    15: {2: 13.3, 4: 48.1, 7: 81.5},
    25: {2: 20.2, 4: 68.5, 7: 95.3},
}


@pytest.mark.parametrize("cases", [10, 15, 25])
@pytest.mark.parametrize("ratio", [2, 4, 7])
def test_power_is_enumerated_and_lies_beside_the_published_table(cases, ratio):
    found = 100 * fisher_power(cases, 5 * cases, 0.10, ratio)
    assert round(found, 1) == ENUMERATED[cases][ratio]
    assert found == pytest.approx(
        PUBLISHED[cases][ratio], abs=2.0
    )  # those figures are rounded, and simulated


@pytest.mark.parametrize(
    ("cases", "controls", "share", "ratio"), [(5, 11, 0.3, 6), (8, 8, 0.5, 0.1), (3, 30, 0.1, 20)]
)
def test_power_is_the_sum_over_all_tables_that_scipys_test_rejects(cases, controls, share, ratio):
    odds = ratio * share / (1 - share)
    exposed = odds / (1 + odds)
    by_hand = sum(
        binom.pmf(a, cases, exposed) * binom.pmf(c, controls, share)
        for a in range(cases + 1)
        for c in range(controls + 1)
        if fisher_exact([[a, cases - a], [c, controls - c]]).pvalue <= 0.05
    )
    assert fisher_power(cases, controls, share, ratio) == pytest.approx(by_hand, abs=1e-8)


def test_the_smallest_odds_ratio_is_where_power_is_reached():
    least = smallest_odds_ratio(12, 60, 0.10)
    assert fisher_power(12, 60, 0.10, least) == pytest.approx(0.8, abs=1e-3)
    assert 7 < least < 9
    assert smallest_odds_ratio(1000, 5000, 0.10) < 1.5 < smallest_odds_ratio(100, 500, 0.10) < least
    assert smallest_odds_ratio(2, 10, 0.10) is None


def test_without_effect_the_test_keeps_its_level():
    for cases in (6, 12, 40):
        assert fisher_power(cases, 5 * cases, 0.2, 1.0) <= 0.05


@pytest.mark.parametrize("wrong", [(0, 5, 0.1, 2), (5, 0, 0.1, 2), (5, 5, 0.0, 2), (5, 5, 0.1, 0)])
def test_what_power_cannot_be_reckoned_of_is_refused(wrong):
    with pytest.raises(RiskmlError, match="power needs"):
        fisher_power(*wrong)
