"""Bootstrap over aggressors: how much would a metric change with other aggressors of the same kind?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.progress import progress
from riskml.validation.forecast import Forecast, NotEstimable
from riskml.validation.metrics import on_totals

__all__ = ["Bootstrap", "cluster_bootstrap", "cluster_weights", "percentile_interval"]

_ENOUGH = 0.9  # share of replicates that must give a metric before its interval is believed


def percentile_interval(values, *, level=0.95):
    """Percentile interval of a bootstrap: (low, high).

    Parameters
    ----------
    values : array of float, shape (replicates,)    NaN where a replicate does not give the figure
    level : float

    Raises
    ------
    NotEstimable    (a ValueError) fewer than nine of ten replicates give it
    """
    values = np.asarray(values, float)
    given = values[~np.isnan(values)]
    if len(given) < _ENOUGH * len(values):
        raise NotEstimable("few_replicates", count=len(given), total=len(values))
    tail = (1 - level) / 2
    low, high = np.quantile(given, (tail, 1 - tail))
    return float(low), float(high)


@dataclass(frozen=True)
class Bootstrap:
    """Metrics of several candidates on the same assessments, and on the same replicates of them.

    Attributes
    ----------
    estimates : DataFrame, candidate x metric, of float    NaN where `reasons` says why not
    replicates : array, shape (replicates, candidates, metrics)    NaN where a replicate does not give the
        metric
    reasons : dict of (candidate, metric) -> NotEstimable
    level : float    of the intervals
    """

    estimates: pd.DataFrame
    replicates: np.ndarray
    reasons: dict
    level: float

    def _values(self, candidate, metric):
        return self.replicates[
            :, self.estimates.index.get_loc(candidate), self.estimates.columns.get_loc(metric)
        ]

    def _percentiles(self, values):
        return percentile_interval(values, level=self.level)

    def interval(self, candidate, metric):
        """Percentile interval of a metric: (low, high).

        Raises
        ------
        NotEstimable    the metric is not estimable, or in under nine of ten replicates
        """
        if (candidate, metric) in self.reasons:
            raise self.reasons[candidate, metric]
        return self._percentiles(self._values(candidate, metric))

    def difference(self, candidate, other, metric):
        """A metric of one candidate minus that of another, on the same replicates: (estimate, low, high).

        Raises
        ------
        NotEstimable    as `interval`
        """
        for name in (candidate, other):
            if (name, metric) in self.reasons:
                raise self.reasons[name, metric]
        estimate = self.estimates.loc[candidate, metric] - self.estimates.loc[other, metric]
        return float(estimate), *self._percentiles(
            self._values(candidate, metric) - self._values(other, metric)
        )


def cluster_weights(groups, replicates, *, seed):
    """Draw groups with replacement, as many as there are, and say how often each assessment then counts.

    Parameters
    ----------
    groups : array of labels, shape (n,)    the aggressor of each assessment
    replicates : int
    seed : int

    Yields
    ------
    array of float, shape (n,)    for each replicate

    Raises
    ------
    RiskmlError    a group is missing, or there is only one
    """
    code, labels = pd.factorize(pd.Series(groups).array)
    if (code < 0).any():
        raise RiskmlError(f"{(code < 0).sum()} assessments have no group", where="groups")
    if len(labels) < 2:
        raise RiskmlError(
            f"{len(labels)} group: intervals over groups need more",
            where="groups",
            mend="Give one label for each aggressor.",
        )
    rng = np.random.default_rng(seed)
    for _ in range(replicates):
        drawn = np.bincount(rng.integers(0, len(labels), len(labels)), minlength=len(labels))
        yield drawn.astype(float)[code]


def _or_nan(kernel, totals):
    try:
        return kernel(totals)
    except NotEstimable:
        return np.nan


def cluster_bootstrap(metrics, y, predictions, groups, *, replicates=200, seed, level=0.95, language="es"):
    """Metrics of several candidates with intervals that respect repeated assessments of the same aggressor.

    Aggressors are drawn with replacement, each with all his assessments; every candidate is judged on the
    same draws, so that differences between candidates have intervals too.

    Parameters
    ----------
    metrics : dict of name -> callable `function(y, p, *, weights=None)`    of `validation.metrics` (sorted
        once), such a one with keywords through `functools.partial`, or any other
    y : array of {0, 1}, shape (n,)
    predictions : dict of candidate -> array of float in [0, 1], shape (n,)
    groups : array of labels, shape (n,)    the aggressor of each assessment
    replicates : int
    seed : int
    level : float       of the intervals
    language : str      of the progress bar

    Returns
    -------
    Bootstrap

    Raises
    ------
    RiskmlError    shapes differ, a prediction is no probability, there is one group only
    """
    if replicates < 1 or not 0 < level < 1:
        raise RiskmlError(
            "replicates must be at least 1 and level between 0 and 1", where="replicates, level"
        )
    if len(groups) != len(y):
        raise RiskmlError(f"{len(groups)} groups do not pair with {len(y)} outcomes", where="groups")
    forecasts = {}
    for name, p in predictions.items():
        try:
            forecasts[name] = Forecast(y, p)
        except NotEstimable:
            raise
        except RiskmlError as error:
            raise RiskmlError(error.what, where=f"{name}: {error.where}", mend=error.mend) from None
    kernels = {name: on_totals(function) for name, function in metrics.items()}
    estimates, reasons = pd.DataFrame(np.nan, index=list(forecasts), columns=list(kernels)), {}
    for candidate, forecast in forecasts.items():
        totals = forecast.at()
        for metric, kernel in kernels.items():
            try:
                estimates.loc[candidate, metric] = kernel(totals)
            except NotEstimable as reason:
                reasons[candidate, metric] = reason
    values = np.full((replicates, len(forecasts), len(kernels)), np.nan)
    with progress(message("validation.bootstrap", language), total=replicates) as advance:
        for replicate, weights in enumerate(cluster_weights(groups, replicates, seed=seed)):
            for i, forecast in enumerate(forecasts.values()):
                totals = forecast.at(weights)
                values[replicate, i] = [_or_nan(kernel, totals) for kernel in kernels.values()]
            advance()
    return Bootstrap(estimates, values, reasons, level)
