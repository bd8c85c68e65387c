"""Exact odds ratios of matched sets: against scipy, statsmodels, published tables and plain enumeration."""

from itertools import product
from math import comb

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import beta, fisher_exact
from scipy.stats.contingency import odds_ratio
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.stats.contingency_tables import StratifiedTable, mcnemar

from riskml.errors import RiskmlError
from riskml.fatality.comparison.exact_conditional import exact_conditional, mantel_haenszel, tables_of_sets

MARGINS = ((0, 5), (1, 5), (1, 5), (2, 5), (1, 4), (3, 5), (1, 5), (2, 5), (1, 5), (4, 5), (1, 3), (2, 5))


def _sets(margins, exposed_cases):
    """Tables of sets with (exposed, controls) margins, of which so many cases are exposed."""
    rows, left = [], exposed_cases
    for exposed, controls in margins:
        case = int(left > 0 and exposed > 0)
        left -= case
        rows.append((case, 1 - case, exposed - case, controls - exposed + case))
    assert not left
    return np.array(rows)


# ------------------------------------------------------------------ one table


@pytest.mark.parametrize(
    "table", [(8, 4, 10, 90), (3, 9, 12, 48), (1, 9, 20, 30), (7, 3, 5, 5), (2, 40, 30, 170), (12, 3, 1, 14)]
)
def test_one_table_is_analysed_as_scipy_does(table):
    square = np.array(table).reshape(2, 2)
    ours, reference = exact_conditional([table]), odds_ratio(square, kind="conditional")
    assert ours.estimate == pytest.approx(reference.statistic, rel=1e-6)
    assert ours.interval() == pytest.approx(tuple(reference.confidence_interval(0.95)), rel=1e-6)
    assert ours.interval(0.8) == pytest.approx(tuple(reference.confidence_interval(0.8)), rel=1e-6)
    assert ours.fisher_p == pytest.approx(fisher_exact(square).pvalue, rel=1e-6)
    tails = [fisher_exact(square, alternative=side).pvalue for side in ("less", "greater")]
    assert ours.p_value() == pytest.approx(min(1, 2 * min(tails)), rel=1e-6)


@pytest.mark.parametrize(("table", "bound"), [((5, 0, 10, 40), np.inf), ((0, 9, 20, 30), 0.0)])
def test_an_empty_cell_leaves_one_end_open_and_the_other_where_scipy_has_it(table, bound):
    ours = exact_conditional([table])
    reference = odds_ratio(np.array(table).reshape(2, 2), kind="conditional").confidence_interval(0.95)
    assert ours.estimate == bound
    low, high = ours.interval()
    assert bound in (low, high)
    assert [low, high] == pytest.approx([reference.low, reference.high], rel=1e-6)
    assert ours.interval(mid_p=True)[0] >= low
    assert ours.interval(mid_p=True)[1] <= high


def test_nothing_is_estimated_where_no_set_says_anything():
    assert exact_conditional([(1, 0, 5, 0), (0, 1, 0, 5), (0, 0, 2, 3), (1, 0, 0, 0)]) is None
    assert exact_conditional(np.zeros((0, 4), int)) is None


@pytest.mark.parametrize("tables", [[(1, 0, -1, 3)], [(1, 0, 2)], [(0.5, 0, 2, 3)]])
def test_what_is_no_table_is_refused(tables):
    with pytest.raises(RiskmlError, match="tables must hold counts"):
        exact_conditional(tables)


# ------------------------------------------------------------------ matched sets


@pytest.mark.parametrize(("for_it", "against"), [(9, 2), (1, 7), (15, 14)])
def test_pairs_are_mcnemars_test(for_it, against):
    tables = [(1, 0, 0, 1)] * for_it + [(0, 1, 1, 0)] * against + [(1, 0, 1, 0)] * 4 + [(0, 1, 0, 1)] * 30
    ours = exact_conditional(tables)
    reference = mcnemar([[4, for_it], [against, 30]], exact=True).pvalue
    assert ours.informative == for_it + against
    assert ours.estimate == pytest.approx(for_it / against, rel=1e-9)
    assert ours.p_value() == pytest.approx(reference, rel=1e-6)
    assert ours.fisher_p == pytest.approx(reference, rel=1e-6)
    n = for_it + against
    share = [beta.ppf(0.025, for_it, against + 1), beta.ppf(0.975, for_it + 1, n - for_it)]
    assert ours.interval() == pytest.approx([p / (1 - p) for p in share], rel=1e-6)
    mid = reference - comb(n, for_it) / 2**n
    assert ours.p_value(mid_p=True) == pytest.approx(mid, rel=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_sets_of_many_are_what_conditional_regression_and_stratified_tables_say(seed):
    rng = np.random.default_rng(seed)
    sets = np.repeat(np.arange(60), rng.integers(2, 8, 60))
    outcome = (np.diff(sets, prepend=-1) > 0).astype(int)
    exposed = (rng.random(len(sets)) < np.where(outcome, 0.5, 0.25)).astype(float)
    tables = tables_of_sets(exposed, outcome, sets)
    ours = exact_conditional(tables)
    model = ConditionalLogit(outcome, exposed[:, None], groups=sets)
    # Where the reference's own slope is 0 it is at its maximum; its optimiser stops a little before.
    best = brentq(lambda b: model.score(np.array([b]))[0], -5, 5, xtol=1e-10)
    assert np.log(ours.estimate) == pytest.approx(best, abs=1e-6)
    assert model.fit(disp=False).params[0] == pytest.approx(best, abs=1e-3)
    b = np.array([-1.0, 0.3, 2.0])
    rise = [model.loglike(np.array([x])) - model.loglike(np.zeros(1)) for x in b]
    assert ours.log_likelihood(b) - ours.log_likelihood(0.0) == pytest.approx(rise, abs=1e-8)
    reference = StratifiedTable([table.reshape(2, 2) for table in tables])
    found = mantel_haenszel(tables)
    assert found[0] == pytest.approx(reference.oddsratio_pooled, rel=1e-6)
    assert found[1:] == pytest.approx(reference.oddsratio_pooled_confint(), rel=1e-6)


def test_smoking_in_eight_cities_has_the_pooled_odds_ratio_that_was_published():
    frame = sm.datasets.china_smoking.load_pandas().data
    tables = frame[
        ["smoking_yes_cancer_yes", "smoking_no_cancer_yes", "smoking_yes_cancer_no", "smoking_no_cancer_no"]
    ].to_numpy()
    estimate, low, high = mantel_haenszel(tables)
    # Agresti (1996): 2.17; its interval as Robins, Breslow and Greenland have it: 1.98 to 2.38.
    assert (round(estimate, 2), round(low, 2), round(high, 2)) == (2.17, 1.98, 2.38)


def test_sets_that_all_speak_for_one_side_have_no_pooled_interval():
    assert mantel_haenszel([(1, 0, 0, 3), (1, 0, 1, 2)]) is None
    assert mantel_haenszel(np.zeros((0, 4))) is None


def test_rows_of_whom_it_is_not_known_leave_their_set():
    exposed = np.array([1, 0, np.nan, np.nan, 1, 0, 1.0, 1.0, np.nan])
    outcome, sets = np.array([1, 0, 0, 1, 0, 0, 1, 0, 0]), np.repeat([0, 1, 2], 3)
    assert tables_of_sets(exposed, outcome, sets).tolist() == [[1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 1, 0]]
    assert exact_conditional(tables_of_sets(exposed, outcome, sets)).informative == 1


# ------------------------------------------------------------------ the exact distribution


def _enumerated(tables, log_odds):
    """Chances of each number of exposed cases, by listing what could have happened in every set."""
    strata = []
    for a, b, c, d in tables:
        ways = {
            k: comb(a + b, k) * comb(c + d, a + c - k) for k in range(a + b + 1) if 0 <= a + c - k <= c + d
        }
        strata.append([(k, w * np.exp(log_odds * k)) for k, w in ways.items() if w])
    chances = {}
    for outcome in product(*strata):
        total = sum(k for k, _ in outcome)
        chances[total] = chances.get(total, 0) + np.prod([w for _, w in outcome])
    whole = sum(chances.values())
    return {k: w / whole for k, w in sorted(chances.items())}


_CELLS = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=40, deadline=None)
@given(st.lists(_CELLS, min_size=1, max_size=5), st.floats(-3, 3))
def test_the_distribution_is_that_of_all_that_could_have_happened(tables, log_odds):
    ours = exact_conditional(tables)
    if ours is None:
        return
    chances = _enumerated(ours.tables.tolist(), log_odds)
    assert ours.support.tolist() == list(chances)
    assert ours.probabilities(log_odds) == pytest.approx(list(chances.values()), abs=1e-12)
    for own, mid_p in ((1.0, False), (0.5, True)):
        low, high = ours.interval(mid_p=mid_p)
        if low > 0:
            at = _enumerated(ours.tables.tolist(), np.log(low))
            above = sum(p * (1 if k > ours.observed else own) for k, p in at.items() if k >= ours.observed)
            assert above == pytest.approx(0.025, rel=1e-6)
        if high < np.inf:
            at = _enumerated(ours.tables.tolist(), np.log(high))
            below = sum(p * (1 if k < ours.observed else own) for k, p in at.items() if k <= ours.observed)
            assert below == pytest.approx(0.025, rel=1e-6)
        # The interval and the p of one kind agree on whether 1 stands.
        p = ours.p_value(mid_p=mid_p)
        if abs(p - 0.05) > 1e-9:
            assert (p < 0.05) == (not low <= 1 <= high)


def test_a_thousand_sets_keep_every_digit():
    margins = [(1, 20)] * 500 + [(19, 20)] * 500
    found = exact_conditional(_sets(margins, 900))
    low, high = found.interval()
    assert low < found.estimate < high
    chances = np.exp(np.log(found.estimate)) * np.array([1 / 20, 19 / 2])
    assert 500 * (chances / (1 + chances)).sum() == pytest.approx(900, rel=1e-6)
    assert found.probabilities(5.0).sum() == pytest.approx(1, rel=1e-12)


# ------------------------------------------------------------------ how often intervals hold the truth


@pytest.mark.parametrize("margins", [MARGINS, MARGINS[:6], ((1, 5),) * 25])
def test_exact_intervals_hold_the_truth_at_least_as_often_as_they_say_and_mid_p_ones_about_so(margins):
    can = sum(exposed > 0 for exposed, _ in margins)
    found = [exact_conditional(_sets(margins, t)) for t in range(can + 1)]
    truths = np.linspace(-1.0, 3.5, 46)
    held = {}
    for mid_p in (False, True):
        ends = np.log(np.maximum([one.interval(mid_p=mid_p) for one in found], 1e-300))
        chances = np.array([found[0].probabilities(b) for b in truths])
        inside = (ends[:, 0] <= truths[:, None]) & (truths[:, None] <= ends[:, 1])
        held[mid_p] = (chances * inside).sum(axis=1)
    assert held[False].min() >= 0.95
    assert 0.945 <= held[True].mean() <= 0.985
    assert held[True].min() >= 0.90
    assert held[True].mean() < held[False].mean()


@pytest.mark.slow
@pytest.mark.parametrize("controls", [1, 5])
def test_intervals_hold_the_truth_in_sets_drawn_from_a_population(controls):
    rng, truth, held = np.random.default_rng(0), np.log(4.0), {False: [], True: []}
    for _ in range(1500):
        n = int(rng.integers(8, 40))
        odds = np.exp(truth) * 0.2 / 0.8
        case, others = rng.random(n) < odds / (1 + odds), rng.binomial(controls, 0.2, n)
        found = exact_conditional(np.column_stack([case, ~case, others, controls - others]))
        for mid_p, of_kind in held.items():
            low, high = (0, np.inf) if found is None else found.interval(mid_p=mid_p)
            of_kind.append(low <= np.exp(truth) <= high)
    assert np.mean(held[False]) >= 0.95
    assert 0.94 <= np.mean(held[True]) <= 0.98
