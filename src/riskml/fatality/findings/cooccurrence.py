"""Which factors go together in the reviewed cases: exact conditional odds ratios, with q-values."""

from itertools import combinations

import numpy as np
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio

from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN
from riskml.validation.multiplicity import false_discovery_rates

__all__ = ["FACTORS_COMPARED", "FEWEST_PRESENT", "cooccurrence"]

# Exact intervals of all pairs of 72 factors would take minutes and say less: 2,556 comparisons at once.
FACTORS_COMPARED, FEWEST_PRESENT = 15, 3


def cooccurrence(states, codes):
    """Pairs of the factors that are present most often: list of dict.

    Only cases where both are known count. The q-value is of Fisher's exact test over all pairs shown.

    Parameters
    ----------
    states : int array, shape (cases, factors)
    codes : sequence of str

    Returns
    -------
    list of dict    a, b, both, a_only, b_only, neither, of; odds_ratio (conditional likelihood; infinite
        where a cell is empty), low, high (exact), p, q; NaN where one is present in none or all of the cases;
        the clearest first
    """
    present = (states == PRESENT).sum(axis=0)
    order = np.argsort(-present, kind="stable")[:FACTORS_COMPARED]
    chosen = sorted(column for column in order if present[column] >= FEWEST_PRESENT)
    rows = [_pair(states, codes, a, b) for a, b in combinations(chosen, 2)]
    q = false_discovery_rates([row["p"] for row in rows]) if rows else []
    for row, value in zip(rows, q, strict=True):
        row["q"] = float(value)
    return sorted(rows, key=lambda row: (np.isnan(row["p"]), row["p"], -row["both"]))


def _pair(states, codes, a, b):
    first, second = states[:, a], states[:, b]
    known = (first != UNKNOWN) & (second != UNKNOWN)
    first, second = first[known], second[known]
    cells = [
        [int(((first == x) & (second == y)).sum()) for y in (PRESENT, DENIED)] for x in (PRESENT, DENIED)
    ]
    (both, a_only), (b_only, neither) = cells
    row = {"a": codes[a], "b": codes[b], "both": both, "a_only": a_only, "b_only": b_only, "neither": neither}
    row |= {"of": int(known.sum()), "odds_ratio": np.nan, "low": np.nan, "high": np.nan, "p": np.nan}
    if 0 in (both + a_only, b_only + neither, both + b_only, a_only + neither):
        return row
    found = odds_ratio(cells)
    low, high = found.confidence_interval()
    row |= {"odds_ratio": found.statistic, "low": low, "high": high, "p": float(fisher_exact(cells).pvalue)}
    return row
