"""What scoring may hold of a lethal model: risk relative to the registry's average, and its factors.

There is no intercept and no base rate in it, so that it cannot give anybody's probability, nor can whoever
reads its file. For events as rare as these the odds relative to the average are the relative risk.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.features.factor_states import DENIED, PRESENT, factor_states, in_scope, is_long, widened
from riskml.messages import message

__all__ = ["RelativeRisk", "combined_states", "factor_terms", "outside_scope"]

_DRAWS, _CHUNK = 2000, 2000  # of the coefficients and unknown factors; distinct rows at a time
_LEAST_SHOWN, _MOST_SHOWN = 0.1, 20  # times the average: beyond them a number says more than is known


def factor_terms(x, b, shares):
    """What each row's factors add to its log-odds, with first and second derivatives in the coefficients.

    A factor that is present adds b, one that is denied nothing, an unknown one log(1 - s + s exp(b)).

    Parameters
    ----------
    x : float array, shape (n, p)    1, 0 or NaN
    b, shares : float arrays, shape (p,)

    Returns
    -------
    total : (n,); slope, curvature : (n, p)
    """
    unknown = np.isnan(x)
    marginal = np.logaddexp(np.log1p(-shares), np.log(shares) + b)
    tilted = np.exp(np.log(shares) + b - marginal)
    total = np.where(unknown, marginal, x * b).sum(axis=1)
    slope = np.where(unknown, tilted, x)
    curvature = np.where(unknown, tilted * (1 - tilted), 0.0)
    return total, slope, curvature


def combined_states(frame, definitions):
    """Factors that may be made of several codes, in three states.

    Any of several: present where one is, denied where all are. All of several: denied where one is, present
    where all are. Anything else is unknown.

    Parameters
    ----------
    frame : DataFrame, wide or long, as `riskml.instruments.score` takes it
    definitions : dict of name -> (how, codes)    how: any or all

    Returns
    -------
    x : float array, shape (rows, names)    1 present, 0 denied, NaN unknown
    index : pandas.Index
    """
    frame = widened(frame) if is_long(frame) else frame
    codes = tuple(dict.fromkeys(code for _, of_name in definitions.values() for code in of_name))
    if len(frame) and not set(codes) & set(frame.columns):
        raise RiskmlError(
            "none of the factors is a column",
            where="frame",
            mend=f"A factor's column has its code as name: {', '.join(codes)}.",
        )
    states = dict(zip(codes, factor_states(frame, codes).T, strict=True))
    x = np.full((len(frame), len(definitions)), np.nan)
    for position, (how, of_name) in enumerate(definitions.values()):
        together = np.array([states[code] for code in of_name])
        decisive, other = (PRESENT, DENIED) if how == "any" else (DENIED, PRESENT)
        x[(together == other).all(axis=0), position] = other == PRESENT
        x[(together == decisive).any(axis=0), position] = decisive == PRESENT
    return x, frame.index


@dataclass(frozen=True)
class RelativeRisk:
    """Risk relative to the registry's average.

    Attributes
    ----------
    definitions : dict of name -> (how, codes)
    relationships : tuple of str        to whom it applies; empty: all
    coefficients : float array, (p,)    posterior log-odds
    covariance : float array, (p, p)
    shares : float array, (p,)          in whom each factor is present among those without the event
    average : float                     logarithm of the mean odds of the registry, without its intercept
    centre : float array, (p,)          slope of `average` in each coefficient
    """

    definitions: dict
    relationships: tuple
    coefficients: np.ndarray
    covariance: np.ndarray
    shares: np.ndarray
    average: float
    centre: np.ndarray

    @classmethod
    def of(cls, definitions, relationships, fit, reference, weights=None):
        """Relative to the average of a reference.

        Parameters
        ----------
        fit : PriorLogistic
        reference : float array, (n, p)     factors of the registry's cases, 1, 0 or NaN
        weights : float array, (n,), or None    how many of the registry each row stands for
        """
        total, slope, _ = factor_terms(reference, fit.coefficients, fit.shares)
        weights = np.ones(len(total)) if weights is None else np.asarray(weights, float)
        highest = total.max()
        odds = weights * np.exp(total - highest)
        average = highest + np.log(odds.sum() / weights.sum())
        centre = odds @ slope / odds.sum()
        return cls(
            dict(definitions),
            tuple(relationships),
            fit.coefficients,
            fit.covariance,
            fit.shares,
            float(average),
            centre,
        )

    def score(self, frame, *, level=0.95, seed=0):
        """Risk of each assessment as a multiple of the registry's average.

        The interval holds what the model does not know (its coefficients) and what nobody recorded (an
        unknown factor is present in its share of those without the event). So an unknown factor widens it.

        Parameters
        ----------
        frame : DataFrame    as `riskml.instruments.score` takes it
        level : float
        seed : int           of the draws that the interval is made of

        Returns
        -------
        DataFrame, index as the frame's
            relative : float       1 is the registry's average; missing where it does not apply
            low, high : float      interval of it, never without `relative`
            least, most : float    what it would be if every unknown factor turned out to be in the state
                that gives less, or more
            present, denied, unknown : int    of its factors
            applicable : boolean   missing where the relationship is not known
        """
        frame = widened(frame) if is_long(frame) else frame
        x, index = combined_states(frame, self.definitions)
        distinct, back = np.unique(np.nan_to_num(x, nan=-1.0), axis=0, return_inverse=True)
        distinct = np.where(distinct < 0, np.nan, distinct)
        values = self._values(distinct, level, seed)[:, back.ravel()]
        applicable = in_scope(frame, self.relationships)
        values[:, (~applicable).to_numpy(bool, na_value=False)] = np.nan
        names = ("relative", "low", "high", "least", "most")
        counts = {"present": x == 1, "denied": x == 0, "unknown": np.isnan(x)}
        result = pd.DataFrame(dict(zip(names, values, strict=True)), index=index)
        result = result.assign(**{name: which.sum(axis=1) for name, which in counts.items()})
        return result.assign(applicable=applicable)

    def _values(self, x, level, seed):
        """relative, low, high, least and most of distinct rows: float array (5, n)."""
        unknown, raising = np.isnan(x), self.coefficients > 0
        filled = (x, np.where(unknown, ~raising, x), np.where(unknown, raising, x))
        relative, least, most = (
            np.exp(factor_terms(part.astype(float), self.coefficients, self.shares)[0] - self.average)
            for part in filled
        )
        rng, drawn = np.random.default_rng(seed), len(self.coefficients)
        spread = np.linalg.cholesky(self.covariance)
        b = self.coefficients + rng.standard_normal((_DRAWS, drawn)) @ spread.T
        average = self.average + (b - self.coefficients) @ self.centre
        present = b * (rng.random(b.shape) < self.shares)
        tails = (1 - level) / 2, (1 + level) / 2
        ends = [
            np.quantile(np.nan_to_num(x[part]) @ b.T + unknown[part] @ present.T - average, tails, axis=1)
            for part in np.array_split(np.arange(len(x)), len(x) // _CHUNK + 1)
        ]
        low, high = np.exp(np.hstack(ends))
        return np.array([relative, np.minimum(low, relative), np.maximum(high, relative), least, most])

    def pattern(self, frame):
        """Which factors make up each assessment: DataFrame of present, denied, unknown; a column for each."""
        x, index = combined_states(frame, self.definitions)
        words = np.array(["denied", "present", "unknown"], dtype=object)
        states = words[np.where(np.isnan(x), 2, x).astype(int)]
        return pd.DataFrame(states, index=index, columns=list(self.definitions))

    def words(self, row, language="es"):
        """One row of `score` as an analyst reads it: times the average, never a probability."""
        if outside_scope(row):
            return message("lethal.not_applicable", language)
        words = _relative(row, language)
        if row["unknown"]:
            count = int(row["unknown"])
            words += "; " + _between(row, "least", "most", "lethal.depends", language, count=count)
        return words

    def to_document(self):
        """Plain JSON."""
        arrays = {name: np.asarray(getattr(self, name)).tolist() for name in _ARRAYS}
        # A list: canonical JSON sorts the keys of a mapping, and coefficients go by position.
        definitions = [[name, how, list(codes)] for name, (how, codes) in self.definitions.items()]
        rest = {"relationships": list(self.relationships), "average": self.average}
        return {"definitions": definitions, **rest, **arrays}

    @classmethod
    def from_document(cls, document):
        """What `to_document` stored."""
        definitions = {name: (how, tuple(codes)) for name, how, codes in document["definitions"]}
        arrays = {name: np.array(document[name], float) for name in _ARRAYS}
        rest = {"relationships": tuple(document["relationships"]), "average": float(document["average"])}
        return cls(definitions=definitions, **rest, **arrays)


_ARRAYS = ("coefficients", "covariance", "shares", "centre")


def outside_scope(row):
    """Whether one row of `score` is of a relationship to which the model does not apply; unknown: no."""
    return row["applicable"] is not pd.NA and not row["applicable"]


def _relative(row, language):
    times, low, high = (_times(row[name], language) for name in ("relative", "low", "high"))
    if low == high:
        return message("lethal.relative", language, times=times)
    return message("lethal.relative_interval", language, times=times, low=low, high=high)


def _between(row, low, high, key, language, **fields):
    ends = [_times(row[low], language), _times(row[high], language)]
    words = ends[0] if ends[0] == ends[1] else message("lethal.between", language, low=ends[0], high=ends[1])
    return message(key, language, times=words, **fields)


def _times(value, language):
    if value > _MOST_SHOWN:
        return message("lethal.more_than", language, times=_MOST_SHOWN)
    if value < _LEAST_SHOWN:
        return message("lethal.less_than", language, times=_LEAST_SHOWN)
    return f"{value:.2g}" if value < 1 else f"{value:.1f}"
