"""A metric over several origins: its mean, how much it differs between them beyond chance, and its trend."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2
from scipy.stats import t as student

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import plain
from riskml.progress import progress
from riskml.validation.bootstrap import cluster_weights, percentile_interval
from riskml.validation.forecast import Forecast, NotEstimable
from riskml.validation.metrics import on_totals
from riskml.validation.verdict import every_language

__all__ = ["OriginsSummary", "between_origins", "over_origins"]


def between_origins(estimates, errors, *, level=0.95):
    """Random-effects summary of estimates that have standard errors of their own.

    Parameters
    ----------
    estimates : array of float, shape (k,), k at least 3
    errors : array of float > 0, shape (k,)    standard errors
    level : float

    Returns
    -------
    dict    mean, low, high (Hartung-Knapp: Student's t with k - 1 degrees of freedom), tau (standard
        deviation between origins), q and q_p_value (of no difference between them), i2 (share of the
        variation that is not chance), expected_low and expected_high (prediction interval: where a new
        origin's value would lie)

    Raises
    ------
    NotEstimable    (a ValueError) fewer than three, or an error that is not above 0

    References
    ----------
    DerSimonian & Laird (1986), Controlled Clinical Trials 7:177. Higgins et al. (2009), JRSS A 172:137.
    """
    estimates, errors = np.asarray(estimates, float), np.asarray(errors, float)
    k = len(estimates)
    if k < 3:
        raise NotEstimable("few_origins", count=k)
    if not (errors > 0).all():
        raise NotEstimable("no_error")
    weight = errors**-2.0
    fixed = weight @ estimates / weight.sum()
    q = float(weight @ (estimates - fixed) ** 2)
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    tau2 = max(0.0, (q - (k - 1)) / scale)
    random = 1 / (errors**2 + tau2)
    mean = float(random @ estimates / random.sum())
    variance = float(random @ (estimates - mean) ** 2 / ((k - 1) * random.sum()))
    reach = student.ppf((1 + level) / 2, k - 1) * np.sqrt(variance)
    wide = student.ppf((1 + level) / 2, k - 2) * np.sqrt(tau2 + 1 / random.sum())
    return {
        "mean": mean,
        "low": mean - reach,
        "high": mean + reach,
        "tau": float(np.sqrt(tau2)),
        "q": q,
        "q_p_value": float(chi2.sf(q, k - 1)),
        "i2": max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0,
        "expected_low": mean - wide,
        "expected_high": mean + wide,
    }


@dataclass(frozen=True)
class OriginsSummary:
    """Metrics at each origin and over all of them.

    Attributes
    ----------
    by_origin : DataFrame of origin, metric, estimate, low, high, error, n, events, people, reason
    overall : DataFrame, index metric, of mean, low, high (bootstrap over aggressors, each drawn with all
        his assessments at every origin), lowest, highest, change, change_low, change_high (last origin minus
        first); tau, i2, q_p_value, expected_low, expected_high of `between_origins`; reason (NotEstimable or
        None)
    """

    by_origin: pd.DataFrame
    overall: pd.DataFrame

    def document(self):
        """Plain JSON: by_origin, overall, words; reasons in every language."""
        parts = {}
        for name, frame in (("by_origin", self.by_origin), ("overall", self.overall.reset_index())):
            parts[name] = frame.to_dict(orient="records")
            for row in parts[name]:
                reason = row.pop("reason")
                known = isinstance(reason, NotEstimable)
                row["not_estimable"] = {lang: reason.words(lang) for lang in LANGUAGES} if known else None
                if "origin" in row:
                    row["origin"] = str(row["origin"])
        count = self.by_origin["origin"].nunique()
        return plain({**parts, "words": every_language("backtest", origins=count)})


def _or_nan(kernel, forecast, weights):
    if not weights.any():
        return np.nan
    try:
        return kernel(forecast.at(weights))
    except NotEstimable:
        return np.nan


def over_origins(metrics, judged, *, replicates=200, seed, level=0.95, language="es"):
    """Summarise a backtest.

    People who stand in several origins are drawn once for all of them, so that the interval of the mean knows
    that origins are not independent. The heterogeneity figures take them as independent, as is usual, and
    then find somewhat less of it than there is.

    Parameters
    ----------
    metrics : dict of name -> callable `function(y, p, *, weights=None)`
    judged : dict of origin -> (y, p, people)    outcomes, risks and aggressors of the rows that the model of
        that origin was judged on; in order of time
    replicates, seed, level    of the bootstrap
    language : str             of the progress bar

    Returns
    -------
    OriginsSummary

    Raises
    ------
    RiskmlError    fewer than two origins, lengths that differ, predictions that are no probabilities
    """
    if len(judged) < 2:
        raise RiskmlError(f"{len(judged)} origin; a summary needs several", where="judged")
    kernels = {name: on_totals(function) for name, function in metrics.items()}
    forecasts = {origin: Forecast(y, p) for origin, (y, p, _) in judged.items()}
    people = np.concatenate([np.asarray(who).astype(str) for _, _, who in judged.values()])
    ends = np.cumsum([len(forecast.y) for forecast in forecasts.values()])
    if len(people) != ends[-1]:
        raise RiskmlError("each row needs its aggressor", where="judged")
    values = np.full((replicates, len(judged), len(kernels)), np.nan)
    with progress(message("validation.bootstrap", language), total=replicates) as advance:
        for replicate, weights in enumerate(cluster_weights(people, replicates, seed=seed)):
            for i, (forecast, own) in enumerate(
                zip(forecasts.values(), np.split(weights, ends[:-1]), strict=True)
            ):
                values[replicate, i] = [_or_nan(kernel, forecast, own) for kernel in kernels.values()]
            advance()
    rows, overall = [], {}
    for place, (name, kernel) in enumerate(kernels.items()):
        of_metric = [
            _origin_row(
                origin, name, kernel, forecasts[origin], judged[origin][2], values[:, i, place], level
            )
            for i, origin in enumerate(judged)
        ]
        rows += of_metric
        overall[name] = _overall(of_metric, values[:, :, place], level)
    return OriginsSummary(
        pd.DataFrame(rows), pd.DataFrame.from_dict(overall, orient="index").rename_axis("metric")
    )


def _origin_row(origin, name, kernel, forecast, people, values, level):
    row = {
        "origin": origin,
        "metric": name,
        "estimate": np.nan,
        "low": np.nan,
        "high": np.nan,
        "error": np.nan,
    }
    row |= {"n": len(forecast.y), "events": int(forecast.y.sum()), "people": len(np.unique(people))}
    try:
        row["estimate"] = kernel(forecast.at())
        row["low"], row["high"] = percentile_interval(values, level=level)
        row["error"] = float(np.nanstd(values, ddof=1))
    except NotEstimable as reason:
        return row | {"reason": reason}
    return row | {"reason": None}


_BETWEEN = ("tau", "i2", "q_p_value", "expected_low", "expected_high")


def _overall(rows, values, level):
    estimates = np.array([row["estimate"] for row in rows])
    names = ("mean", "low", "high", "lowest", "highest", "change", "change_low", "change_high", *_BETWEEN)
    found = dict.fromkeys(names, np.nan) | {"reason": None}
    if np.isnan(estimates).any():
        return found | {"reason": next(row["reason"] for row in rows if row["reason"])}
    found |= {"mean": estimates.mean(), "lowest": estimates.min(), "highest": estimates.max()}
    found["change"] = estimates[-1] - estimates[0]
    try:
        found["low"], found["high"] = percentile_interval(values.mean(axis=1), level=level)
        change = percentile_interval(values[:, -1] - values[:, 0], level=level)
        found["change_low"], found["change_high"] = change
        between = between_origins(estimates, [row["error"] for row in rows], level=level)
    except NotEstimable as reason:
        return found | {"reason": reason}
    return found | {name: between[name] for name in _BETWEEN}
