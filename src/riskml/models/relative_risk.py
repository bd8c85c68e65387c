"""What scoring may hold of a lethal model: risk relative to the registry's average, and its factors.

There is no intercept and no base rate in it, so that it cannot give anybody's probability, nor can whoever
reads its file. For events as rare as these the odds relative to the average are the relative risk.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from riskml.errors import RiskmlError
from riskml.features.factor_states import DENIED, PRESENT, factor_states, is_long, widened
from riskml.messages import message

__all__ = ["RelativeRisk", "combined_states", "factor_terms"]

_MOST_SHOWN = 20  # times the average: beyond it a number would say more than is known


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

    def score(self, frame, *, level=0.95):
        """Risk of each assessment as a multiple of the registry's average.

        The interval holds both what the model does not know (its coefficients) and what nobody recorded:
        its low end takes every unknown factor in the state that gives less, its high end in the one that
        gives more. So an unknown factor widens it, and never lowers the high end.

        Parameters
        ----------
        frame : DataFrame    as `riskml.instruments.score` takes it
        level : float

        Returns
        -------
        DataFrame, index as the frame's
            relative, low, high : float    1 is the registry's average; missing where it does not apply
            present, denied, unknown : int    of its factors
            applicable : boolean           missing where the relationship is not known
        """
        x, index = combined_states(frame, self.definitions)
        wide = widened(frame) if is_long(frame) else frame
        unknown = np.isnan(x)
        raising = self.coefficients > 0
        middle = self._log_relative(x)[0]
        reach = norm.ppf((1 + level) / 2)
        low, low_sd = self._log_relative(np.where(unknown, ~raising, x))
        high, high_sd = self._log_relative(np.where(unknown, raising, x))
        applicable = self._applicable(wide)
        outside = applicable.eq(False).fillna(False).to_numpy(bool)
        values = np.exp([middle, low - reach * low_sd, high + reach * high_sd])
        values[:, outside] = np.nan
        frame = pd.DataFrame(dict(zip(("relative", "low", "high"), values, strict=True)), index=index)
        counts = {"present": (x == 1), "denied": (x == 0), "unknown": unknown}
        frame = frame.assign(**{name: which.sum(axis=1) for name, which in counts.items()})
        return frame.assign(applicable=applicable.array)

    def _log_relative(self, x):
        total, slope, _ = factor_terms(np.asarray(x, float), self.coefficients, self.shares)
        away = slope - self.centre
        return total - self.average, np.sqrt(np.einsum("ij,jk,ik->i", away, self.covariance, away))

    def _applicable(self, frame):
        rows = range(len(frame))
        if not self.relationships:
            return pd.Series(True, index=rows, dtype="boolean")
        if "relationship" not in frame.columns:
            return pd.Series(pd.NA, index=rows, dtype="boolean")
        known = frame["relationship"].reset_index(drop=True)
        return known.isin(self.relationships).astype("boolean").mask(known.isna())

    def pattern(self, frame):
        """Which factors make up each assessment: DataFrame of present, denied, unknown; a column for each."""
        x, index = combined_states(frame, self.definitions)
        words = np.array(["denied", "present", "unknown"], dtype=object)
        states = words[np.where(np.isnan(x), 2, x).astype(int)]
        return pd.DataFrame(states, index=index, columns=list(self.definitions))

    def words(self, row, language="es"):
        """One row of `score` as an analyst reads it: times the average, never a probability."""
        if row["applicable"] is not pd.NA and not row["applicable"]:
            return message("lethal.not_applicable", language)
        shown = [_times(row[name], language) for name in ("low", "high")]
        key = "lethal.relative_one" if shown[0] == shown[1] else "lethal.relative"
        return message(key, language, low=shown[0], high=shown[1], unknown=int(row["unknown"]))

    def to_document(self):
        """Plain JSON."""
        arrays = {name: np.asarray(getattr(self, name)).tolist() for name in _ARRAYS}
        definitions = {name: [how, list(codes)] for name, (how, codes) in self.definitions.items()}
        rest = {"relationships": list(self.relationships), "average": self.average}
        return {"definitions": definitions, **rest, **arrays}

    @classmethod
    def from_document(cls, document):
        """What `to_document` stored."""
        definitions = {name: (how, tuple(codes)) for name, (how, codes) in document["definitions"].items()}
        arrays = {name: np.array(document[name], float) for name in _ARRAYS}
        rest = {"relationships": tuple(document["relationships"]), "average": float(document["average"])}
        return cls(definitions=definitions, **rest, **arrays)


_ARRAYS = ("coefficients", "covariance", "shares", "centre")


def _times(value, language):
    if value > _MOST_SHOWN:
        return message("lethal.more_than", language, times=_MOST_SHOWN)
    return f"{value:.2g}" if value < 1 else f"{value:.1f}"
