"""Predictions beside their outcomes, sorted once, so that every metric can be asked again for any weights."""

from functools import cached_property

import numpy as np
from scipy.special import expit

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.validation.logistic import fit_logistic
from riskml.validation.splines import restricted_cubic_spline, spline_knots

__all__ = ["Forecast", "NotEstimable", "Totals", "logit", "weeks"]

_CLOSEST = 1e-8  # predictions of exactly 0 or 1 count as this close to it where log-odds are needed


class NotEstimable(RiskmlError):
    """A figure that these data cannot give, and why. A ValueError.

    Parameters
    ----------
    reason : str    name of a message `validation.not_estimable_<reason>`
    fields          what stands in its braces
    """

    def __init__(self, reason, **fields):
        self.reason, self.fields = reason, fields
        super().__init__(self.words("en"))

    def words(self, language="es"):
        """The reason in words, str."""
        return message(f"validation.not_estimable_{self.reason}", language, **self.fields)


def logit(p):
    """Log-odds of probabilities, finite: those nearer than 1e-8 to 0 or 1 count as that near."""
    p = np.clip(p, _CLOSEST, 1 - _CLOSEST)
    return np.log(p) - np.log1p(-p)


def _checked(y, p):
    y, p = np.asarray(y, float), np.asarray(p, float)
    if y.ndim != 1 or y.shape != p.shape:
        raise RiskmlError(
            f"outcomes of shape {y.shape} and predictions of shape {p.shape} do not pair", where="y, p"
        )
    if not len(y):
        raise NotEstimable("empty")
    if not np.isin(y, (0, 1)).all():
        raise RiskmlError(
            "outcomes must be 0 or 1",
            where="y",
            mend="Leave censored assessments (NaN) out before validation.",
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise RiskmlError("predictions must be probabilities between 0 and 1, none missing", where="p")
    return y, p


class Forecast:
    """Outcomes and predictions, reduced to the distinct predictions in ascending order.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon
    p : array of float in [0, 1], shape (n,)   predicted risk

    Attributes
    ----------
    distinct : array of float, shape (m,)      the distinct predictions, ascending

    Raises
    ------
    RiskmlError     shapes differ, an outcome is not 0 or 1, a prediction is none
    NotEstimable    there is no assessment at all
    """

    def __init__(self, y, p):
        self.y, self.p = _checked(y, p)
        self.order = np.argsort(self.p, kind="stable")
        ascending = self.p[self.order]
        self.first = np.flatnonzero(np.append(True, ascending[1:] > ascending[:-1]))
        self.distinct = ascending[self.first]
        self._dates = {}

    def at(self, weights=None):
        """The totals at each distinct prediction, each assessment counted `weights` times (None: once).

        Parameters
        ----------
        weights : array of float >= 0, shape (n,), or None

        Returns
        -------
        Totals
        """
        if weights is None:
            weights = np.ones(len(self.y))
        else:
            weights = np.asarray(weights, float)
            if weights.shape != self.y.shape or not (weights >= 0).all() or not weights.any():
                raise RiskmlError(
                    "weights must be one number for each assessment, none negative", where="weights"
                )
        return Totals(self, weights)

    @cached_property
    def log_odds(self):
        """Log-odds of the distinct predictions: array, shape (m,)."""
        return logit(self.distinct)

    @cached_property
    def _spline(self):
        """Centre, scale and knots of the log-odds, for the flexible calibration curve."""
        each = np.repeat(self.log_odds, np.diff(np.append(self.first, len(self.y))))
        scale = each.std()
        if not scale > 1e-9:
            return each.mean(), 0.0, np.array([])
        return each.mean(), scale, spline_knots((each - each.mean()) / scale)

    def spline_design(self, p):
        """Design of the flexible calibration curve at predictions: array, shape (len(p), 1 to 4)."""
        centre, scale, knots = self._spline
        if not scale:
            return np.ones((len(p), 1))
        return restricted_cubic_spline((logit(p) - centre) / scale, knots)

    @cached_property
    def own_design(self):
        """Design of the flexible calibration curve at the distinct predictions."""
        return self.spline_design(self.distinct)

    @cached_property
    def own_intercept(self):
        """Intercept beside a slope of 1, each assessment counted once: a near start for any weights."""
        totals, ones = self.at(), np.ones((len(self.log_odds), 1))
        return fit_logistic(ones, totals.total, totals.events, offset=self.log_odds)

    @cached_property
    def own_line(self):
        """Intercept and slope on the log-odds, each assessment counted once: a near start for any weights."""
        totals = self.at()
        return fit_logistic(self.line_design, totals.total, totals.events, start=(0.0, 1.0))

    @cached_property
    def line_design(self):
        """Design of a logistic recalibration at the distinct predictions: array, shape (m, 2)."""
        return np.column_stack([np.ones(len(self.log_odds)), self.log_odds])

    @cached_property
    def own_curve(self):
        """Coefficients of the flexible curve, each assessment counted once: a near start for any weights."""
        return self.at()._curve(None)

    def by_week(self, as_of):
        """Assessments in the order in which each week's list is worked through: order, week starts, tie
        starts.

        Parameters
        ----------
        as_of : array of datetime64, shape (n,), or None    None: all in one list
        """
        found = self._dates.get(id(as_of))
        if found is None or found[0] is not as_of:
            week = np.zeros(len(self.y), np.int64) if as_of is None else weeks(as_of, len(self.y))
            order = np.lexsort((-self.p, week))
            new_week = np.append(True, week[order][1:] != week[order][:-1])
            new_tie = new_week | np.append(True, self.p[order][1:] != self.p[order][:-1])
            ties = np.flatnonzero(new_tie)
            found = self._dates[id(as_of)] = (as_of, order, ties, np.cumsum(new_week)[ties] - 1)
        return found[1:]


def weeks(as_of, n):
    """The week of each assessment, from Monday, as a number: array of int, shape (n,).

    Parameters
    ----------
    as_of : array of datetime64, or of any labels of weeks, shape (n,)
    n : int    assessments

    Raises
    ------
    RiskmlError    as_of has another shape
    """
    as_of = np.asarray(as_of)
    if as_of.shape != (n,):
        raise RiskmlError(f"as_of has shape {as_of.shape}, the outcomes {(n,)}", where="as_of")
    if np.issubdtype(as_of.dtype, np.datetime64):
        monday = np.datetime64("1970-01-05", "D")
        return (as_of.astype("datetime64[D]") - monday).astype(np.int64) // 7
    return np.unique(as_of, return_inverse=True)[1]


class Totals:
    """What a Forecast adds up to for given weights.

    Attributes
    ----------
    forecast : Forecast
    weights : array, shape (n,)    how often each assessment counts
    total, events : arrays, shape (m,)    assessments and events at each distinct prediction
    """

    def __init__(self, forecast, weights):
        self.forecast, self.weights = forecast, weights
        ascending = weights[forecast.order]
        self.total = np.add.reduceat(ascending, forecast.first)
        self.events = np.add.reduceat(ascending * forecast.y[forecast.order], forecast.first)

    @cached_property
    def n(self):
        """Number of assessments, float."""
        return float(self.total.sum())

    @cached_property
    def n_events(self):
        """Number of events, float."""
        return float(self.events.sum())

    @property
    def prevalence(self):
        """Share of events, float."""
        return self.n_events / self.n

    def both_classes(self):
        """Raise NotEstimable unless there are events and assessments without."""
        if not 0 < self.n_events < self.n:
            raise NotEstimable("one_class", events=int(self.n_events), count=int(self.n))

    def _curve(self, start):
        self.both_classes()
        return fit_logistic(self.forecast.own_design, self.total, self.events, start=start)

    @cached_property
    def curve(self):
        """Coefficients of the flexible calibration curve: array."""
        return self._curve(self.forecast.own_curve)

    @cached_property
    def distance(self):
        """Distance between each distinct prediction and the smoothed observed risk: array, shape (m,)."""
        observed = expit(self.forecast.own_design @ self.curve)
        return np.abs(observed - self.forecast.distinct)
