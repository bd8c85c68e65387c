"""Exact intervals for a share of a few: n/N is always printed beside them."""

from scipy.optimize import brentq
from scipy.stats import beta, binom

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.validation.forecast import NotEstimable

__all__ = ["exact_interval", "mid_p_interval", "share_in_words"]


def _check(n, total, level):
    if not 0 <= n <= total or n != int(n) or total != int(total):
        raise RiskmlError(f"{n}/{total} is no share of whole numbers", where="n, total")
    if not total:
        raise NotEstimable("nobody")
    if not 0 < level < 1:
        raise RiskmlError(f"level must lie between 0 and 1, not {level}", where="level")


def exact_interval(n, total, *, level=0.95):
    """Clopper-Pearson interval of a share: it covers the truth at least at its level, however few there are.

    Independent observations are assumed: several assessments of one aggressor are not.

    Parameters
    ----------
    n, total : int    n of total
    level : float

    Returns
    -------
    (low, high) : floats in [0, 1]

    Raises
    ------
    NotEstimable    (a ValueError) the group is empty

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26:404.

    >>> low, high = exact_interval(8, 12)
    >>> f"{low:.1%} {high:.1%}"
    '34.9% 90.1%'
    """
    _check(n, total, level)
    tail = (1 - level) / 2
    low = beta.ppf(tail, n, total - n + 1) if n else 0.0
    high = beta.ppf(1 - tail, n + 1, total - n) if n < total else 1.0
    return float(low), float(high)


def mid_p_interval(n, total, *, level=0.95):
    """Mid-p interval of a share: narrower than the exact one, and near its level on average rather than above
    it.

    Parameters, Returns, Raises
    ---------------------------
    As `exact_interval`.

    References
    ----------
    Berry & Armitage (1995), The Statistician 44:417.
    """
    _check(n, total, level)
    tail = (1 - level) / 2

    def above(share):
        return binom.sf(n, total, share) + binom.pmf(n, total, share) / 2

    low = brentq(lambda share: above(share) - tail, 0, n / total) if n else 0.0
    high = brentq(lambda share: above(share) - (1 - tail), n / total, 1) if n < total else 1.0
    return float(low), float(high)


def share_in_words(n, total, *, level=0.95, language="es"):
    """A share as analysts see it: "8/12 (34.9-90.1 %)"; n/N and why not, where the group is empty."""
    try:
        low, high = exact_interval(n, total, level=level)
    except NotEstimable:
        return f"{n}/{total} ({message('validation.not_estimable', language)})"
    return f"{n}/{total} ({100 * low:.1f}-{100 * high:.1f} %)"
