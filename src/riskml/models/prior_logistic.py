"""Logistic regression whose coefficients begin at published log-odds: for few cases and chosen factors.

Factors are present (1), denied (0) or unknown (NaN), and an unknown one is not taken for denied. If x
multiplies the odds of the event by exp(b) and is present in a share s of those without it, then not knowing x
multiplies them by the mean of exp(b x) over those, 1 - s + s exp(b): exactly, in a cohort as in case-control
sampling, if factors are independent among those without the event and being recorded does not depend on x.

Being recorded may depend on the event: the files of a femicide are searched as no living case is. So in the
review each factor's being unknown also has a term of its own, with a normal prior around 0, which takes up
what recording alone would say of the outcome. Whoever is scored has no such term. With it, effects rest on
those of whom the factor is known, so that presence may also be recorded more readily than absence, which
changes shares and no odds ratio.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, qr
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from riskml.errors import RiskmlError
from riskml.models.likelihood import logit
from riskml.models.relative_risk import factor_terms
from riskml.models.reviewed_cases import shares_without_event

__all__ = [
    "PriorLogistic",
    "data_alone",
    "fit_prior_logistic",
    "leave_one_out",
    "restored_intercept",
]

_STEPS, _HALVINGS = 100, 40
_PIECE = 400  # rows multiplied at a time
_ENOUGH = 1e-11  # size of the gradient, against that of the objective, at which the fit is done
RECORDING_SD = 2.0  # unknown up to 50 times as often, or as seldom, among cases (95 %)
_FAR = 15.0  # log-odds beyond which an estimate has run away: the data do not bound it


def restored_intercept(intercept, sampled, population):
    """The intercept in the population, from one fitted to cases and controls that were drawn apart.

    Drawing by outcome moves the intercept alone, by log[((1 - t)/t) (s/(1 - s))], with t the share of events
    in the population and s that in the sample; the slopes hold as they are.

    Parameters
    ----------
    intercept : float
    sampled, population : float in (0, 1)

    Returns
    -------
    float

    References
    ----------
    King & Zeng (2001), Political Analysis 9:137, prior correction. Prentice & Pyke (1979), Biometrika 66:403.
    """
    if not (0 < sampled < 1 and 0 < population < 1):
        raise RiskmlError("shares of events must lie between 0 and 1", where="sampled, population")
    return float(intercept - np.log((1 - population) / population * sampled / (1 - sampled)))


@dataclass(frozen=True)
class PriorLogistic:
    """What a fit gives.

    Attributes
    ----------
    intercept : float                     of the sample; 0 where risk sets leave none
    coefficients : float array, (p,)      posterior mode of the log-odds
    covariance : float array, (p, p)      of the coefficients, by Laplace's approximation
    prior_mean, prior_sd : float arrays, (p,)
    shares : float array, (p,)            that unknown factors were marginalised with
    """

    intercept: float
    coefficients: np.ndarray
    covariance: np.ndarray
    prior_mean: np.ndarray
    prior_sd: np.ndarray
    shares: np.ndarray

    @property
    def sd(self):
        """Posterior standard deviations, float array (p,)."""
        return np.sqrt(np.diag(self.covariance))

    def intervals(self, level=0.95):
        """Credible intervals of the coefficients: (low, high), float arrays (p,)."""
        reach = norm.ppf((1 + level) / 2) * self.sd
        return self.coefficients - reach, self.coefficients + reach

    def margin(self, x, offset=0.0):
        """Log-odds in the sample, not in the population: float array (n,)."""
        return self.intercept + factor_terms(np.asarray(x, float), self.coefficients, self.shares)[0] + offset


class _Objective:
    """Minus the log posterior with its derivatives: in intercept (without risk sets), factors, recording."""

    def __init__(self, review, mean, sd, intercept_sd, recording_sd):
        self.review = review
        self.free = review.sets is None
        self.first, self.last = int(self.free), int(self.free) + len(mean)
        mixed = review.unknown.any(axis=0) & (~review.unknown).any(axis=0)
        self.recording = review.unknown[:, mixed & (recording_sd > 0)].astype(float)
        terms = self.recording.shape[1]
        self.mean = np.concatenate([np.zeros(self.first), mean, np.zeros(terms)])
        spread = np.concatenate([[intercept_sd][: self.first], sd, np.full(terms, recording_sd)])
        self.precision = 1 / spread**2

    def _margin(self, theta):
        """Log-odds of each row, with their slope and curvature in every part of theta."""
        total, slope, curvature = self.review.terms(theta[self.first : self.last])
        ones = np.ones((len(total), self.first))
        margin = total + self.review.offset + ones @ theta[: self.first] + self.recording @ theta[self.last :]
        slope = np.hstack([ones, slope, self.recording])
        return margin, slope, np.hstack([0 * ones, curvature, 0 * self.recording])

    def parts(self, theta):
        """Value, gradient, exact Hessian, and the Hessian without the curvature of unknown factors."""
        review, (margin, slope, curvature) = self.review, self._margin(theta)
        if self.free:
            loss = review.weights @ (np.logaddexp(0, margin) - review.y * margin)
            risk = expit(margin)
            information = _crossed(slope, slope * (review.weights * risk * (1 - risk))[:, None])
        else:
            loss, risk, information = _of_sets(review, margin, slope)
        residual = review.weights * (risk - review.y)
        away = theta - self.mean
        value = loss + 0.5 * (self.precision * away**2).sum()
        gradient = slope.T @ residual + self.precision * away
        plain = information + np.diag(self.precision)
        return value, gradient, plain + np.diag(residual @ curvature), plain

    def determinant_slope(self, theta, plain):
        """Slope of half the logarithm of the information's determinant."""
        margin, slope, curvature = self._margin(theta)
        if self.free:
            risk = expit(margin)
            weight, third = self.review.weights * risk * (1 - risk), 0.5 - risk
        else:
            weight, third = _of_sets(self.review, margin, slope)[1], 0.5
            slope = slope - (self.review.membership @ (slope * weight[:, None]))[self.review.sets]
        solved = slope @ _inverse(plain, plain)
        leverage = weight * (solved * slope).sum(axis=1)
        return (leverage * third) @ slope + (weight[:, None] * curvature * solved).sum(axis=0)

    def begin(self, b):
        """Where to begin: these coefficients, and an intercept that gives the share of events."""
        review = self.review
        rate = np.average(review.y, weights=review.weights)
        behind = np.average(review.terms(b)[0] + review.offset, weights=review.weights)
        return np.concatenate([[logit(rate) - behind][: self.first], b, np.zeros(self.recording.shape[1])])


def _crossed(a, b):
    """a.T @ b, in pieces: of larger ones BLAS makes threads, which wait longer than they work here."""
    if len(a) <= _PIECE:
        return a.T @ b
    return sum(a[at : at + _PIECE].T @ b[at : at + _PIECE] for at in range(0, len(a), _PIECE))


def _of_sets(review, margin, slope):
    """Conditional likelihood of one case in each risk set: (loss, chance to be the case, information)."""
    count = review.sets.max() + 1
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, review.sets, margin)
    total = np.bincount(review.sets, np.exp(margin - highest[review.sets]), minlength=count)
    logs = highest + np.log(total)
    chance = np.exp(margin - logs[review.sets])
    weighted = slope * chance[:, None]
    mean = review.membership @ weighted
    information = _crossed(slope, weighted) - _crossed(mean, mean)
    return float(logs.sum() - review.y @ margin), chance, information


def _minimum(objective, theta):
    """Newton's steps with the exact Hessian, halved where one does not gain."""
    value, gradient, exact, plain = objective.parts(theta)
    for _ in range(_STEPS):
        if np.abs(gradient).max() <= _ENOUGH * max(1.0, abs(value)):
            break
        step = _direction(exact, plain, gradient)
        for _ in range(_HALVINGS):
            tried = objective.parts(theta - step)
            if tried[0] <= value + 1e-14 * abs(value):
                break
            step = step / 2
        else:
            break
        theta = theta - step
        value, gradient, exact, plain = tried
    return theta, exact, plain


def _direction(exact, plain, gradient):
    for hessian in (exact, plain):
        try:
            return cho_solve(cho_factor(hessian), gradient)
        except LinAlgError:
            continue
    return np.linalg.lstsq(plain, gradient, rcond=None)[0]


def _inverse(exact, plain):
    for hessian in (exact, plain):
        try:
            return cho_solve(cho_factor(hessian), np.eye(len(hessian)))
        except LinAlgError:
            continue
    return np.linalg.pinv(plain)


def fit_prior_logistic(
    review, prior_mean, prior_sd, *, intercept_sd=np.inf, recording_sd=RECORDING_SD, start=None
):
    """Posterior mode and Laplace approximation under independent normal priors on the log-odds.

    Parameters
    ----------
    review : Review
    prior_mean, prior_sd : float arrays, shape (p,)    log-odds and their sd; infinity is flat
    intercept_sd : float    of a normal prior around 0; infinity: flat, so that the base rate is the data's
    recording_sd : float    of the priors on how much more often a factor is unknown among cases, in log-odds;
        0: recording does not depend on the event
    start : float array, (p,), or None    coefficients to begin at; None: the prior's

    Returns
    -------
    PriorLogistic

    Raises
    ------
    RiskmlError    priors that do not pair with the factors, or an sd that is not positive

    References
    ----------
    Greenland (2007), International Journal of Epidemiology 36:195 (normal priors on log odds ratios).
    Satten & Kupper (1993), Journal of the American Statistical Association 88:200 (unobserved exposures).
    """
    mean, sd = np.asarray(prior_mean, float), np.asarray(prior_sd, float)
    if mean.shape != (review.x.shape[1],) or sd.shape != mean.shape:
        raise RiskmlError(f"{len(mean)} priors for {review.x.shape[1]} factors", where="prior_mean, prior_sd")
    if not np.isfinite(mean).all() or not (sd > 0).all() or not intercept_sd > 0:
        raise RiskmlError("a prior is a finite log-odds with a positive sd", where="prior_mean, prior_sd")
    objective = _Objective(review, mean, sd, intercept_sd, recording_sd)
    start = objective.begin(mean if start is None else np.asarray(start, float))
    theta, exact, plain = _minimum(objective, start)
    factors = slice(objective.first, objective.last)
    covariance = _inverse(exact, plain)[factors, factors]
    intercept = float(theta[0]) if objective.free else 0.0
    return PriorLogistic(intercept, theta[factors], covariance, mean, sd, review.shares)


def leave_one_out(
    review, prior_mean, prior_sd, *, estimated=None, intercept_sd=np.inf, recording_sd=RECORDING_SD
):
    """Log-odds of each row from a fit without it; with risk sets, without its whole set: exact refits.

    Parameters
    ----------
    review, prior_mean, prior_sd, intercept_sd, recording_sd : as `fit_prior_logistic`
    estimated : bool array, (p,), or None    factors whose share without the event is estimated again each
        time; None: all of them keep the review's

    Returns
    -------
    float array, shape (n,)    in the sample's log-odds; comparable among rows, no risk of anybody

    Raises
    ------
    RiskmlError    a single case: nothing is left to learn from without it
    """
    groups = np.arange(len(review.y)) if review.sets is None else review.sets
    if review.y.sum() < 2 or (review.y == 0).sum() < 2:
        raise RiskmlError("leaving one out needs two cases and two controls", where="review")
    settings = {"intercept_sd": intercept_sd, "recording_sd": recording_sd}
    whole = fit_prior_logistic(review, prior_mean, prior_sd, **settings)
    margins = np.empty(len(review.y))
    for group in np.unique(groups):
        out = groups == group
        rest = review.rows(~out)
        if rest.sets is not None:
            rest = replace(rest, sets=np.unique(rest.sets, return_inverse=True)[1])
        if estimated is not None:
            fresh = shares_without_event(rest.x, rest.y, rest.weights)
            rest = replace(rest, shares=np.where(estimated, fresh, rest.shares))
        fit = fit_prior_logistic(rest, prior_mean, prior_sd, start=whole.coefficients, **settings)
        margins[out] = fit.margin(review.x[out], review.offset[out])
    return margins


def data_alone(review, *, recording_sd=RECORDING_SD):
    """What the data say without any prior on effects: Firth's estimate, finite in small samples.

    Parameters
    ----------
    review : Review
    recording_sd : float    as `fit_prior_logistic`: without unknown factors it plays no part

    Returns
    -------
    coefficients, sd : float arrays, shape (p,)    NaN where the data cannot tell: a factor that is not both
        present and denied somewhere, that others determine, or whose estimate runs away

    References
    ----------
    Firth (1993), Biometrika 80:27. Heinze & Schemper (2002), Statistics in Medicine 21:2409.
    """
    p = review.x.shape[1]
    coefficients, sd = np.full(p, np.nan), np.full(p, np.nan)
    chosen = _estimable(review)
    if len(chosen):
        part = replace(review, x=review.x[:, chosen], shares=review.shares[chosen])
        found, spread = _firth(part, recording_sd)
        bounded = (np.abs(found) < _FAR) & np.isfinite(spread)
        coefficients[chosen[bounded]], sd[chosen[bounded]] = found[bounded], spread[bounded]
    return coefficients, sd


def _estimable(review):
    """Positions of the factors that vary where known and that no earlier ones determine."""
    varying = np.flatnonzero((review.x == 1).any(axis=0) & (review.x == 0).any(axis=0))
    filled = np.where(review.unknown, review.shares, review.x)[:, varying]
    if review.sets is None:
        filled = filled - filled.mean(axis=0)
    else:
        members = review.membership
        filled = filled - ((members @ filled) / members.sum(axis=1)[:, None])[review.sets]
    kept = []
    for position in range(len(varying)):
        triangle = qr(filled[:, [*kept, position]], mode="r")[0]
        if abs(np.diag(triangle)[-1] if len(triangle) > len(kept) else 0) > 1e-8:
            kept.append(position)
    return varying[kept]


def _firth(review, recording_sd):
    p = review.x.shape[1]
    objective = _Objective(review, np.zeros(p), np.full(p, np.inf), np.inf, recording_sd)

    def penalised(theta):
        value, _, _, information = objective.parts(theta)
        sign, log_determinant = np.linalg.slogdet(information)
        return value - 0.5 * log_determinant if sign > 0 else np.inf

    def slope(theta):
        _, gradient, _, information = objective.parts(theta)
        return gradient - objective.determinant_slope(theta, information)

    options = {"gtol": 1e-9}
    theta = minimize(penalised, objective.begin(np.zeros(p)), jac=slope, method="BFGS", options=options).x
    _, _, exact, plain = objective.parts(theta)
    factors = slice(objective.first, objective.last)
    return theta[factors], np.sqrt(np.diag(_inverse(plain, exact)))[factors]
