"""Elastic-net logistic regression on a design: imputation, scaling and coefficients, stored as plain JSON."""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from scipy.special import expit

from riskml.models.likelihood import log_loss, logit

__all__ = ["LinearModel", "Preparation", "constant_model", "elastic_net_path", "penalties", "prepare"]

SKEWED = 1.0
BENDS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # quantiles of a column at which its effect may bend
FEWEST_VALUES = 5  # below, a column is a code or a flag, and has no curve
MOST_STEPS = 50
SMALLEST_STEP = 1e-4
CURVED_ROWS = 20_000  # rows behind the shape of a Newton step


@dataclass(frozen=True)
class Preparation:
    """What a linear model does to a design before its coefficients: learnt from training rows only.

    Missing values take the median and set an indicator; values beyond the training range stop at its ends;
    non-negative columns with a long right tail are taken as log(1 + x); with curves, a column may bend at
    quantiles of its values; all are standardised.

    Attributes
    ----------
    median, low, high : float arrays, shape (columns,)
    logarithm : bool array, shape (columns,)
    indicators : int array         columns that had missing values, each with an indicator behind the columns
    mean, scale : float arrays, shape (columns + indicators + bends,)
    bent : int array               column of each bend; the bends stand behind the indicators
    knots : float array            where it bends: max(x - knot, 0) of the column, after its logarithm
    """

    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    logarithm: np.ndarray
    indicators: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    bent: np.ndarray
    knots: np.ndarray

    @classmethod
    def fit(cls, design, *, curves=False, directions=()):
        """Learn it from the training rows of a design.

        With `curves`, columns may bend, but for those that have a direction (1 or -1) to keep.
        """
        missing = np.isnan(design)
        columns = design.shape[1]
        median, low, high = np.zeros(columns), np.zeros(columns), np.zeros(columns)
        logarithm = np.zeros(columns, dtype=bool)
        for i in range(columns):
            known = design[~missing[:, i], i]
            if known.size:
                median[i], low[i], high[i] = np.median(known), known.min(), known.max()
                spread = known.std()
                # An indicator's skewness says how rare it is, not that its tail is long.
                if low[i] >= 0 and high[i] > 1 and spread > 0:
                    logarithm[i] = np.mean(((known - known.mean()) / spread) ** 3) > SKEWED
        indicators = np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))
        bends = _bends(design, logarithm) if curves else {}
        bends = {column: at for column, at in bends.items() if not (directions and directions[column])}
        bent = np.repeat(np.array(list(bends), dtype=int), [len(at) for at in bends.values()])
        size = columns + len(indicators) + len(bent)
        bare = cls(
            median,
            low,
            high,
            logarithm,
            indicators,
            np.zeros(size),
            np.ones(size),
            bent,
            np.concatenate([np.empty(0), *bends.values()]),
        )
        prepared = bare.transform(design)
        scale = prepared.std(axis=0)
        return replace(bare, mean=prepared.mean(axis=0), scale=np.where(scale > 1e-12, scale, 1.0))

    @property
    def owners(self):
        """The design column that each prepared column comes from: int array, columns first, then the rest."""
        return np.concatenate([np.arange(len(self.median)), self.indicators, self.bent])

    def transform(self, design):
        """The prepared design: float array, shape (rows, columns + indicators + bends)."""
        missing = np.isnan(design)
        columns, known = design.shape[1], design.shape[1] + len(self.indicators)
        # Filled in place: on hundreds of thousands of rows each copy costs more than the arithmetic.
        values = np.empty((len(design), len(self.scale)))
        own = values[:, :columns]
        np.copyto(own, design)
        np.copyto(own, self.median, where=missing)
        np.clip(own, self.low, self.high, out=own)
        own[:, self.logarithm] = np.log1p(own[:, self.logarithm])
        values[:, columns:known] = missing[:, self.indicators]
        values[:, known:] = np.maximum(own[:, self.bent] - self.knots, 0.0)
        values -= self.mean
        values /= self.scale
        return values

    def to_document(self):
        """Plain JSON."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}

    @classmethod
    def from_document(cls, document):
        """The preparation that `to_document` stored."""
        kinds = {"logarithm": bool, "indicators": int, "bent": int}
        straight = {"bent": [], "knots": []}  # as a bundle written before curves has it
        stored = straight | document
        return cls(**{n: np.array(stored[n], dtype=kinds.get(n, float)) for n in cls.__dataclass_fields__})


def _bends(design, logarithm):
    """Where columns of many values may bend: dict of column -> float array of knots within their range."""
    found = {}
    for i in range(design.shape[1]):
        known = design[~np.isnan(design[:, i]), i]
        if len(np.unique(known)) < FEWEST_VALUES:
            continue
        at = np.unique(np.quantile(known, BENDS))
        at = at[(at > known.min()) & (at < known.max())]
        found[i] = np.log1p(at) if logarithm[i] else at
    return found


@dataclass(frozen=True)
class LinearModel:
    """A logistic regression: log-odds are the intercept plus coefficients times prepared columns.

    Attributes
    ----------
    preparation : Preparation or None     None: no columns, the same risk for everyone
    intercept : float                     log-odds of an average training row
    coefficients : float array            one for each prepared column
    """

    preparation: Preparation | None
    intercept: float
    coefficients: np.ndarray

    kind = "linear"

    def _prepared(self, design):
        return self.preparation.transform(design)

    def margin(self, design):
        """Log-odds, float array, shape (n,)."""
        if self.preparation is None:
            return np.full(len(design), self.intercept)
        return self.margin_of(self._prepared(design))

    def margin_of(self, prepared):
        """Log-odds of rows that its preparation has transformed already, float array, shape (n,)."""
        return self.intercept + prepared @ self.coefficients

    def predict(self, design):
        """Risk before calibration, float array, shape (n,)."""
        return expit(self.margin(design))

    def contributions(self, design):
        """Each design column's part of the log-odds, and the part that everyone shares.

        These are exact SHAP values of a linear model whose columns are taken one by one: coefficient times
        distance from the training mean; indicators of missing and bends belong to their column.

        Returns
        -------
        values : float array, shape (n, design columns)
        base : float    the intercept: values summed over a row plus this are the log-odds
        """
        values = np.zeros(design.shape)
        if self.preparation is not None:
            parts = self._prepared(design) * self.coefficients
            for position, owner in enumerate(self.preparation.owners):
                values[:, owner] += parts[:, position]
        return values, self.intercept

    def to_document(self):
        """Plain JSON."""
        return {
            "preparation": None if self.preparation is None else self.preparation.to_document(),
            "intercept": float(self.intercept),
            "coefficients": [float(c) for c in self.coefficients],
        }

    @classmethod
    def from_document(cls, document):
        """The model that `to_document` stored."""
        return cls(
            None if document["preparation"] is None else Preparation.from_document(document["preparation"]),
            float(document["intercept"]),
            np.array(document["coefficients"], dtype=float),
        )


def constant_model(outcome):
    """The base rate: the same risk for everyone."""
    return LinearModel(None, float(logit(np.mean(outcome))), np.zeros(0))


def _penalty(coefficients, l1, l2):
    return l1 * np.abs(coefficients).sum() + 0.5 * l2 * np.square(coefficients).sum()


@njit(cache=True)
def _descend(hessian, target, coefficients, signs, l1, l2, tolerance, passes):
    """Coordinate descent on 1/2 b'Hb - b't + l1 |b|_1 + l2/2 |b|^2, from `coefficients`, which it changes.

    Where a sign is 1 or -1 the coefficient is kept at or above, at or below 0.
    """
    product = hessian @ coefficients
    for _ in range(passes):
        largest = 0.0
        for j in range(len(coefficients)):
            old = coefficients[j]
            pull = target[j] - product[j] + hessian[j, j] * old
            new = np.sign(pull) * max(abs(pull) - l1, 0.0) / (hessian[j, j] + l2 + 1e-12)
            if new * signs[j] < 0:
                new = 0.0
            if new != old:
                coefficients[j] = new
                product += hessian[j] * (new - old)
                largest = max(largest, abs(new - old) * np.sqrt(hessian[j, j]))
        if largest < tolerance:
            break


def _newton_direction(prepared, outcome, margin, coefficients, signs, l1, l2, curvature):
    """Steps to where the penalised quadratic model of the loss has its minimum: (intercept, coefficients)."""
    residual = expit(margin) - outcome
    gradient, slope = prepared.T @ residual / len(outcome), float(residual.mean())
    hessian, cross, weight = curvature
    # The intercept is free, so it is solved for and leaves a quadratic in the coefficients alone.
    target = hessian @ coefficients - (gradient - cross * (slope / weight))
    aim = coefficients.copy()
    _descend(hessian, target, aim, signs, l1, l2, 1e-6, 1000)
    moved = aim - coefficients
    return -(slope + float(cross @ moved)) / weight, moved


def _curvature(prepared, margin):
    """The loss's second derivative with the intercept solved for; its cross terms; the mean weight.

    Of every so-manieth row where there are many: steps are shaped by it, but where they end is set by the
    gradient, which is of all rows.
    """
    risk = expit(margin)
    weights = np.maximum(risk * (1 - risk), 1e-5)
    weight = float(weights.mean())
    cross = prepared.T @ weights / len(prepared)
    every = -(-len(prepared) // CURVED_ROWS)
    thin, sampled = prepared[::every], weights[::every]
    scaled = thin * np.sqrt(sampled / len(thin))[:, None]
    hessian = scaled.T @ scaled
    if every > 1:  # a rare flag may be missing from the sample: its own curvature is that of all rows
        own = np.einsum("ij,ij,i->j", prepared, prepared, weights) / len(prepared)
        np.fill_diagonal(hessian, np.maximum(np.diag(hessian), own))
    return hessian - np.outer(cross, cross) / weight, cross, weight


def _strengths(prepared, outcome, l1_ratio):
    gradient = np.abs(prepared.T @ (outcome - outcome.mean()) / len(outcome)).max()
    return max(gradient / l1_ratio, 1e-6) * np.logspace(-0.3, -3.3, 12)


def prepare(design, *, curves=False, directions=()):
    """The preparation of training rows and the rows prepared, for any number of paths on them.

    Parameters
    ----------
    design : float array, shape (n, p)      may hold NaN
    curves : bool                           whether the effect of a column of many values may bend
    directions : sequence of {-1, 0, 1}     monotone direction of each column; empty: none

    Returns
    -------
    (Preparation, float array of shape (n, prepared columns))
    """
    preparation = Preparation.fit(design, curves=curves, directions=directions)
    return preparation, preparation.transform(design)


def penalties(prepared, outcome, l1_ratio):
    """Strengths of the penalty to try, from half of one that leaves nothing down to a thousandth of that.

    Parameters
    ----------
    prepared : float array, shape (n, columns)    of `prepare`
    outcome : array of {0, 1}, shape (n,)
    l1_ratio : float in (0, 1]

    Returns
    -------
    float array, descending
    """
    return _strengths(prepared, np.asarray(outcome, dtype=float), l1_ratio)


def elastic_net_path(
    design,
    outcome,
    *,
    strengths=None,
    l1_ratio=0.5,
    curves=False,
    directions=(),
    prepared=None,
    tolerance=1e-7,
    enough=None,
):
    """Elastic-net logistic regressions from strong to weak penalty.

    Minimises mean log loss + strength * (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|_2^2) by proximal Newton steps
    whose inner problem is solved by coordinate descent; each penalty starts where the one before it ended.
    One whole path takes about as long as scikit-learn's saga takes for one penalty, which is C = 1 /
    (strength * rows) there.

    Parameters
    ----------
    design : float array, shape (n, p)      may hold NaN
    outcome : array of {0, 1}, shape (n,)
    strengths : iterable of float or None   penalties, descending; None: 12 from the smallest that leaves
        nothing
    l1_ratio : float in (0, 1]
    curves : bool                           whether the effect of a column of many values may bend
    directions : sequence of {-1, 0, 1}     monotone direction of each column; empty: none
    prepared : what `prepare` gave for these rows, curves and directions, or None    None: prepared here
    enough : callable or None               asked with each model; the path ends where it says so

    Returns
    -------
    list of (strength, LinearModel)

    References
    ----------
    Lee, Sun & Saunders (2014), SIAM Journal on Optimization 24:1420. Friedman, Hastie & Tibshirani (2010),
    Journal of Statistical Software 33(1).
    """
    outcome = np.asarray(outcome, dtype=float)
    preparation, prepared = prepared or prepare(design, curves=curves, directions=directions)
    signs = np.zeros(prepared.shape[1])  # whether a value is known, and where a curve bends, has no direction
    signs[: len(directions)] = directions
    intercept, coefficients = float(logit(outcome.mean())), np.zeros(prepared.shape[1])
    if strengths is None:
        strengths = _strengths(prepared, outcome, l1_ratio)
    path, margin = [], np.full(len(outcome), intercept)
    for strength in strengths:
        l1, l2 = strength * l1_ratio, strength * (1 - l1_ratio)
        curvature = _curvature(prepared, margin)
        objective = log_loss(outcome, margin) + _penalty(coefficients, l1, l2)
        for _ in range(MOST_STEPS):
            shift, moved = _newton_direction(
                prepared, outcome, margin, coefficients, signs, l1, l2, curvature
            )
            change, step = shift + prepared @ moved, 1.0
            value = log_loss(outcome, margin + change) + _penalty(coefficients + moved, l1, l2)
            while value > objective and step > SMALLEST_STEP:
                step /= 2
                value = log_loss(outcome, margin + step * change) + _penalty(
                    coefficients + step * moved, l1, l2
                )
            gained = objective - value
            if gained <= 0:
                break
            intercept, coefficients = intercept + step * shift, coefficients + step * moved
            margin, objective = margin + step * change, value
            if gained < tolerance:
                break
        path.append((float(strength), LinearModel(preparation, intercept, coefficients)))
        if enough is not None and enough(path[-1][1]):
            break
    return path
