"""The lethal model: published log-odds, moved by reviewed cases as far as these can; both stay in sight."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import norm

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.models.prior_logistic import (
    PriorLogistic,
    data_alone,
    fit_prior_logistic,
    leave_one_out,
    restored_intercept,
)
from riskml.models.priors import UNCHECKED, PriorFile, load_priors
from riskml.models.relative_risk import RelativeRisk, combined_states
from riskml.models.reviewed_cases import Review, shares_without_event

__all__ = ["LethalModel", "fit_lethal", "priors_alone"]


@dataclass(frozen=True)
class LethalModel:
    """A lethal model with what it was made of. Scoring takes `relative` and nothing else of it.

    Attributes
    ----------
    priors : PriorFile
    review : Review or None   None: nobody was reviewed, the priors stand alone
    fit : PriorLogistic       posterior
    relative : RelativeRisk   what may be scored and stored: it holds no intercept and no base rate
    base_rate : float or None    share of the population with the event in the horizon
    index : pandas.Index      of the reviewed rows
    shares_from : str         where shares come from that no study gives: controls, or registry
    """

    priors: PriorFile
    review: Review | None
    fit: PriorLogistic
    relative: RelativeRisk
    base_rate: float | None
    index: pd.Index
    shares_from: str = "controls"

    @cached_property
    def data(self):
        """The data alone, by Firth's estimate: (log-odds, sd), NaN where they cannot tell."""
        if self.review is None:
            return np.full((2, len(self.priors.factors)), np.nan)
        return data_alone(self.review)

    @property
    def cases(self):
        """Reviewed cases, int."""
        return 0 if self.review is None else int(self.review.y.sum())

    @property
    def population_intercept(self):
        """Intercept with the base rate restored, to check the calibration of the whole; None without one.

        It is no part of `relative`, and no figure of a person follows from it on any screen.
        """
        if self.base_rate is None or self.review is None or self.review.sets is not None:
            return None
        sampled = np.average(self.review.y, weights=self.review.weights)
        return restored_intercept(self.fit.intercept, sampled, self.base_rate)

    def leave_one_out(self):
        """Each reviewed row as judged without it (without its risk set): DataFrame, index of the review.

        Returns
        -------
        DataFrame with outcome, and log_relative : log of the risk relative to the registry's average

        Raises
        ------
        RiskmlError    fewer than two cases: nothing is left to learn from without one
        """
        if self.review is None:
            raise RiskmlError("no reviewed case: nobody to leave out", where="review")
        estimated = np.isnan(self.priors.shares) & (self.shares_from == "controls")
        margins = leave_one_out(self.review, self.fit.prior_mean, self.fit.prior_sd, estimated=estimated)
        margins = margins - self.review.offset - self.fit.intercept - self.relative.average
        return pd.DataFrame({"outcome": self.review.y, "log_relative": margins}, index=self.index)

    def table(self, *, level=0.95):
        """Prior, data alone and posterior of each factor, as odds ratios, and how far it moved.

        Parameters
        ----------
        level : float    of all intervals

        Returns
        -------
        DataFrame, index the factors
            tag, prior_only : how far the prior's figure was checked
            cases_present, cases_known, controls_present, controls_known : int    rows, not weighted
            share, share_from : share without the event that unknown factors take, and its tag, or "controls"
                or "registry"
            prior, data, posterior, each with _low and _high : odds ratios; those of the data are NaN where
                they cannot tell
            moved : float         of the log-odds, in the prior's standard deviations
            from_data : float     share of the posterior's precision that did not come from the prior
        """
        priors, fit = list(self.priors.factors.values()), self.fit
        frame = pd.DataFrame(
            {
                "tag": [prior.tag for prior in priors],
                "prior_only": [prior.prior_only for prior in priors],
                **self._counts(),
                "share": fit.shares,
                "share_from": [prior.without.tag if prior.without else self.shares_from for prior in priors],
            },
            index=pd.Index(self.priors.factors, name="factor"),
        )
        reach = norm.ppf((1 + level) / 2)
        columns = {"prior": (fit.prior_mean, fit.prior_sd), "data": self.data}
        for name, (mean, sd) in {**columns, "posterior": (fit.coefficients, fit.sd)}.items():
            frame[name] = np.exp(mean)
            frame[f"{name}_low"], frame[f"{name}_high"] = np.exp(mean - reach * sd), np.exp(mean + reach * sd)
        frame["moved"] = (fit.coefficients - fit.prior_mean) / fit.prior_sd
        frame["from_data"] = np.clip(1 - (fit.sd / fit.prior_sd) ** 2, 0, 1)
        return frame

    def _counts(self):
        counts = {}
        nobody = np.empty((0, len(self.priors.factors)))
        for who, value in (("cases", 1), ("controls", 0)):
            rows = nobody if self.review is None else self.review.x[self.review.y == value]
            counts[f"{who}_present"] = (rows == 1).sum(axis=0)
            counts[f"{who}_known"] = (~np.isnan(rows)).sum(axis=0)
        return counts

    def words(self, language="es", *, factors=None):
        """The table in sentences, the sum of it first: tuple of str.

        Parameters
        ----------
        language : str
        factors : FactorVocabulary or None    for the labels of factors that are one code; None: their codes
        """
        table, label = self.table(), self.priors.label[language]
        if self.review is None:
            first = message("lethal.summary_alone", language, label=label)
        else:
            first = message(
                "lethal.summary",
                language,
                label=label,
                cases=self.cases,
                controls=len(self.review.y) - self.cases,
                share=f"{100 * table['from_data'].median():.0f}",
            )
        lines = [first, self.priors.limits[language]]
        return (*lines, *(self._line(name, row, language, factors) for name, row in table.iterrows()))

    def _line(self, name, row, language, factors):
        prior, label = self.priors.factors[name], self.priors.label_of(name, factors)[language]
        data = message("lethal.cannot_tell", language) if np.isnan(row["data"]) else _ratio(row, "data")
        doubt = {UNCHECKED: "lethal.unchecked", "M": "lethal.to_be_verified"}.get(prior.tag)
        return message(
            "lethal.factor",
            language,
            label=label,
            prior=_ratio(row, "prior"),
            tag=f"[{prior.tag}]" + (f" {message(doubt, language)}" if doubt else ""),
            cases=f"{row['cases_present']}/{row['cases_known']}",
            controls=f"{row['controls_present']}/{row['controls_known']}",
            data=data,
            posterior=_ratio(row, "posterior"),
            moved=f"{row['moved']:+.1f}",
        )


def _ratio(row, name):
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{_plain(row[name])} ({_plain(low)}-{_plain(high)})"


def _plain(ratio):
    """An odds ratio to two digits or so; beyond 1,000, or below 0.01, it says that it is."""
    if ratio < 0.01:
        return "<0.01"
    return ">1000" if ratio > 1000 else f"{ratio:.{2 if ratio < 1 else 1 if ratio < 10 else 0}f}"


def fit_lethal(
    frame,
    outcome,
    priors="lethal",
    *,
    base_rate=None,
    reference=None,
    sets=None,
    weights=None,
    offset=None,
    shares_from="controls",
):
    """Fit a lethal model on reviewed cases and their controls.

    Factors have to be taken from records before the event, for controls up to the same day: what became
    known only after a death would otherwise count as its cause.

    Parameters
    ----------
    frame : DataFrame    factors of cases and controls, as `riskml.instruments.score` takes it
    outcome : array of {0, 1}, shape (rows,)    1: femicide or attempt within the horizon
    priors : PriorFile, path of one, or name of one that riskml is shipped with
    base_rate : float or None    share of the registry with the event in the horizon, to restore what drawing
        by outcome took away
    reference : DataFrame or None    factors of the registry's cases, whose average is 1. None: the reviewed
        rows, weighted back by `base_rate`
    sets : array or None       risk set of each row (one case with its controls): conditional likelihood
    weights, offset : arrays or None    as `Review`
    shares_from : "controls" or "registry"    whom shares without the event are taken from where no study
        gives one: controls are few and like the cases; the registry's cases, of the reference, are many, and
        nearly all of them are without the event

    Returns
    -------
    LethalModel

    Raises
    ------
    RiskmlError    rows outside the priors' relationships; neither a reference nor a base rate to make one of;
        anything that `Review.of` refuses
    """
    priors = priors if isinstance(priors, PriorFile) else load_priors(priors)
    if base_rate is not None and not 0 < base_rate < 1:
        raise RiskmlError(f"base_rate must lie between 0 and 1, not {base_rate}", where="base_rate")
    definitions = {name: priors.definition(name) for name in priors.factors}
    _check_relationships(frame, priors)
    x, index = combined_states(frame, definitions)
    rows = None if reference is None else combined_states(reference, definitions)[0]
    shares = _registry_shares(priors, rows) if shares_from == "registry" else priors.shares
    review = Review.of(x, outcome, shares=shares, weights=weights, offset=offset, sets=sets)
    fit = fit_prior_logistic(review, priors.mean, priors.sd)
    standing = None
    if reference is None:
        if base_rate is None or sets is not None:
            raise RiskmlError(
                "what risk is relative to is not given",
                where="reference",
                mend="Give the registry's matrix as reference, or, without risk sets, the base rate.",
            )
        rows, share = x, np.average(review.y, weights=review.weights)
        back = np.where(review.y == 1, base_rate / share, (1 - base_rate) / (1 - share))
        standing = review.weights * back
    relative = RelativeRisk.of(definitions, priors.relationships, fit, rows, standing)
    return LethalModel(priors, review, fit, relative, base_rate, index, shares_from)


def priors_alone(priors, reference):
    """The model before any case was reviewed: what was published, and nothing learnt here.

    Parameters
    ----------
    priors : PriorFile
    reference : DataFrame    factors of the registry's cases, whose average is 1; shares that no study gives
        are taken from them, nearly all of whom are without the event

    Returns
    -------
    LethalModel    without a review
    """
    definitions = {name: priors.definition(name) for name in priors.factors}
    rows, index = combined_states(reference, definitions)
    shares = _registry_shares(priors, rows)
    fit = PriorLogistic(0.0, priors.mean, np.diag(priors.sd**2), priors.mean, priors.sd, shares)
    relative = RelativeRisk.of(definitions, priors.relationships, fit, rows)
    return LethalModel(priors, None, fit, relative, None, index[:0], "registry")


def _registry_shares(priors, rows):
    """The shares that studies give, and otherwise those of the registry's cases: float array."""
    if rows is None:
        raise RiskmlError("shares of the registry need a reference", where="reference")
    return np.where(np.isnan(priors.shares), shares_without_event(rows, np.zeros(len(rows))), priors.shares)


def _check_relationships(frame, priors):
    if not priors.relationships or "relationship" not in frame.columns:
        return
    known = frame["relationship"].dropna()
    outside = int((~known.isin(priors.relationships)).sum())
    if outside:
        words = ", ".join(priors.relationships)
        raise RiskmlError(
            f"{outside} of {len(frame)} rows are of other relationships than {words}",
            where="frame",
            mend="Leave them out: the published odds ratios do not speak of them.",
        )
