"""Candidates side by side, in one table with intervals, and the rule by which one of them wins."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.validation.bootstrap import Bootstrap, cluster_bootstrap
from riskml.validation.forecast import NotEstimable
from riskml.validation.metrics import METRICS
from riskml.vocabulary import did_you_mean

__all__ = ["Comparison", "compare", "comparison_table"]


@dataclass(frozen=True)
class Comparison:
    """Candidates judged on the same assessments.

    Attributes
    ----------
    bootstrap : Bootstrap
    counts : dict    n (assessments), events, groups (aggressors)
    """

    bootstrap: Bootstrap
    counts: dict

    def table(self, language="es"):
        """One row per candidate.

        Returns
        -------
        DataFrame, index candidate, of n, events, groups; of each metric `<metric>`, `<metric>_low` and
        `<metric>_high`; and of `not_estimable`, the metrics that are NaN and why, empty where there is none
        """
        rows = {}
        for candidate, estimates in self.bootstrap.estimates.iterrows():
            row, why = dict(self.counts), []
            for metric, estimate in estimates.items():
                try:
                    low, high = self.bootstrap.interval(candidate, metric)
                except NotEstimable as reason:
                    low = high = np.nan
                    why.append(f"{metric}: {reason.words(language)}")
                row |= {metric: estimate, f"{metric}_low": low, f"{metric}_high": high}
            rows[candidate] = {**row, "not_estimable": "; ".join(why)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("candidate")

    def simplest(self, order, *, metric="brier"):
        """The simplest candidate whose score does not differ from the best one's.

        A score differs when the interval of the paired difference leaves out 0 on the worse side. Of several
        metrics none may differ from that of the candidate that is best by the first.

        Parameters
        ----------
        order : list of candidates, the simplest first; those not named are not eligible
        metric : str or tuple of str    metrics whose best value is the highest or the lowest

        Returns
        -------
        str    the candidate

        Raises
        ------
        RiskmlError    a candidate or the metric is not in the comparison
        NotEstimable   no candidate has the metric
        """
        known = list(self.bootstrap.estimates.index)
        for candidate in order:
            if candidate not in known:
                raise RiskmlError(
                    f'unknown candidate "{candidate}"', where="order", mend=did_you_mean(candidate, known)
                )
        metrics = (metric,) if isinstance(metric, str) else tuple(metric)
        for name in metrics:
            if name not in self.bootstrap.estimates or METRICS[name].best == "target":
                raise RiskmlError(f'no winner can be named by "{name}"', where="metric")
        scores = self.bootstrap.estimates.loc[list(order), metrics[0]].dropna()
        if scores.empty:
            raise next(iter(self.bootstrap.reasons.values()))
        best = (_sign(metrics[0]) * scores).idxmax()
        for candidate in scores.index:
            if candidate == best or not any(self._worse(candidate, best, name) for name in metrics):
                return candidate
        return best

    def _worse(self, candidate, best, metric):
        """Whether a candidate's metric is worse beyond the interval; one that is not estimable is not."""
        try:
            _, low, high = self.bootstrap.difference(candidate, best, metric)
        except NotEstimable:
            return False
        return max(_sign(metric) * low, _sign(metric) * high) < 0


def _sign(metric):
    return 1 if METRICS[metric].best == "high" else -1


def compare(
    y, predictions, groups, *, as_of=None, capacity=None, replicates=200, seed, level=0.95, language="es"
):
    """Judge candidates on the same fully followed-up assessments.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)
    predictions : dict of candidate -> array of float in [0, 1], shape (n,)
    groups : array of labels, shape (n,)       the aggressor of each assessment
    as_of : array of datetime64, shape (n,), or None    for the weekly lists of `recall_at_capacity`
    capacity : number > 0 or None              cases a week; None: no such metric
    replicates, seed, level, language          of `cluster_bootstrap`

    Returns
    -------
    Comparison    of the metrics of `validation.metrics.METRICS`

    Raises
    ------
    RiskmlError    as `cluster_bootstrap`
    """
    metrics = {name: metric.function for name, metric in METRICS.items()}
    if capacity is None:
        del metrics["recall_at_capacity"]
    else:
        as_of = None if as_of is None else np.asarray(as_of)
        metrics["recall_at_capacity"] = partial(metrics["recall_at_capacity"], as_of=as_of, capacity=capacity)
    bootstrap = cluster_bootstrap(
        metrics, y, predictions, groups, replicates=replicates, seed=seed, level=level, language=language
    )
    counts = {"n": len(y), "events": int(np.sum(y)), "groups": int(pd.Series(groups).nunique())}
    return Comparison(bootstrap, counts)


def comparison_table(
    y, predictions, groups, as_of=None, capacity=None, *, replicates=200, seed, language="es"
):
    """`compare(...).table(language)`: one row per candidate, columns metric, metric_low, metric_high.

    Parameters, Returns, Raises
    ---------------------------
    As `compare` and `Comparison.table`.
    """
    judged = compare(
        y,
        predictions,
        groups,
        as_of=as_of,
        capacity=capacity,
        replicates=replicates,
        seed=seed,
        language=language,
    )
    return judged.table(language)
