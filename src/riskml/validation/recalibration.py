"""Recalibration: a model's risks moved onto a newer window, as a step with a version of its own."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

import numpy as np
from scipy.special import expit

from riskml.errors import RiskmlError
from riskml.models.bundle import plain
from riskml.models.calibration import SMALLEST, SMALLEST_SLOPE, Calibrator
from riskml.models.likelihood import logit as exact_logit
from riskml.models.splits import grouped_folds
from riskml.validation.bootstrap import cluster_bootstrap, cluster_weights, percentile_interval
from riskml.validation.forecast import Forecast, NotEstimable, logit
from riskml.validation.logistic import fit_logistic
from riskml.validation.metrics import METRICS
from riskml.validation.verdict import every_language

__all__ = ["KINDS", "Recalibration", "advised_kind", "recalibrate", "recalibrated"]

KINDS = ("intercept", "intercept_slope")  # from simple to flexible
FORMAT = "riskml recalibration 1"
FEWEST_EVENTS = 20  # [A]: aggressors with an event below which nothing is learnt
_FOLDS = 5
_METRICS = ("observed_expected", "calibration_intercept", "calibration_slope", "ici", "brier", "log_loss")
_PROPER = ("brier", "log_loss")
_MOST_KNOTS = 200_000
_CLOSE = 1e-7  # how near the composed isotonic calibrator must come to the step that it stands for


@dataclass(frozen=True)
class Recalibration:
    """A shift, or a shift and a stretch, of a model's log-odds, and what it did.

    Attributes
    ----------
    kind : str                 of KINDS
    intercept, slope : float   new log-odds = intercept + slope * log-odds of the model's calibrated risk
    intervals : dict           intercept, slope -> (low, high), bootstrap over aggressors
    base : str                 version of the bundle that it belongs to
    window : dict              first, last (dates), assessments, people, events: what it was learnt on
    before, after : dict       metric -> estimate, low, high; `after` on people that it was not learnt from
    differences : dict         brier, log_loss -> after minus before: estimate, low, high
    judged_on : str            "cross_fitted" (the same window, by folds of people) or "later"
    seed : int
    level : float              of the intervals
    """

    kind: str
    intercept: float
    slope: float
    intervals: dict
    base: str = ""
    window: dict = field(default_factory=dict)
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    differences: dict = field(default_factory=dict)
    judged_on: str = "cross_fitted"
    seed: int = 0
    level: float = 0.95

    @property
    def version(self):
        """First 16 hexadecimal digits of the content's hash: equal content, equal version."""
        text = json.dumps(self._content(), sort_keys=True, ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _content(self):
        return {"format": FORMAT, **plain(asdict(self))}

    def to_document(self):
        """Plain JSON, with its version."""
        return {**self._content(), "version": self.version}

    @classmethod
    def from_document(cls, document):
        """The recalibration that `to_document` stored.

        Raises
        ------
        RiskmlError    another format, missing or unknown keys, or a content that its version does not match
        """
        content = dict(document)
        version, format_ = content.pop("version", None), content.pop("format", None)
        if format_ != FORMAT:
            raise RiskmlError(f'format "{str(format_)[:40]}" instead of "{FORMAT}"', where="recalibration")
        try:
            found = cls(**content)
        except TypeError:
            raise RiskmlError(
                "not a recalibration that riskml wrote", where="recalibration", mend="Learn it again."
            ) from None
        if found.version != version:
            raise RiskmlError("changed after it was written", where="recalibration", mend="Learn it again.")
        return found

    def risk(self, risk):
        """Recalibrated risk of the model's calibrated risk: array in (0, 1), ranking kept."""
        shifted = self.intercept + self.slope * logit(np.asarray(risk, float))
        return np.clip(expit(shifted), SMALLEST, 1 - SMALLEST)

    def words(self):
        """What was done and what it brought, in every language: dict of language -> str."""
        gain = self.differences.get("log_loss", {})
        shown = {name: f"{gain.get(name, float('nan')):+.4f}" for name in ("estimate", "low", "high")}
        return every_language(
            f"recalibration_{self.kind}",
            intercept=f"{self.intercept:+.2f}",
            slope=f"{self.slope:.2f}",
            events=self.window.get("events", 0),
            **shown,
        )


def _fit(margin, total, events, kind):
    """Intercept and slope by maximum likelihood."""
    if not 0 < events.sum() < total.sum():
        raise NotEstimable("one_class", events=int(events.sum()), count=int(total.sum()))
    ones = np.ones((len(margin), 1))
    if kind == "intercept":
        return float(fit_logistic(ones, total, events, offset=margin)[0]), 1.0
    if np.ptp(margin[total > 0]) < 1e-9:
        raise NotEstimable("one_prediction")
    at_events, at_others = margin[events > 0], margin[total > events]
    if at_events.min() >= at_others.max() or at_others.min() >= at_events.max():
        raise NotEstimable("separated")
    design = np.column_stack([ones, margin])
    intercept, slope = fit_logistic(design, total, events, start=(0.0, 1.0))
    return float(intercept), float(slope)


def _intervals(margin, outcome, people, kind, replicates, seed, level):
    values = np.full((replicates, 2), np.nan)
    for replicate, weights in enumerate(cluster_weights(people, replicates, seed=seed)):
        try:
            values[replicate] = _fit(margin, weights, weights * outcome, kind)
        except NotEstimable:
            continue
    low, high = np.transpose([percentile_interval(column, level=level) for column in values.T])
    return {name: [float(low[i]), float(high[i])] for i, name in enumerate(("intercept", "slope"))}


def _cross_fitted(margin, outcome, people, kind, seed):
    fold, moved = grouped_folds(people, outcome, folds=_FOLDS, seed=seed), np.empty(len(margin))
    for k in np.unique(fold):
        inside = fold != k
        intercept, slope = _fit(margin[inside], np.ones(inside.sum()), outcome[inside], kind)
        moved[~inside] = intercept + slope * margin[~inside]
    return expit(moved)


def _judged(before, after, outcome, people, replicates, seed, level, language):
    """Metrics before and after with intervals, and how proper scores differ."""
    judged = cluster_bootstrap(
        {name: METRICS[name].function for name in _METRICS},
        outcome,
        {"before": before, "after": after},
        people,
        replicates=replicates,
        seed=seed,
        level=level,
        language=language,
    )
    sides = {"before": {}, "after": {}}
    for side, found in sides.items():
        for name in _METRICS:
            try:
                low, high = judged.interval(side, name)
            except NotEstimable:
                low = high = np.nan
            found[name] = {"estimate": judged.estimates.loc[side, name], "low": low, "high": high}
    differences = {
        name: dict(zip(("estimate", "low", "high"), judged.difference("after", "before", name), strict=True))
        for name in _PROPER
    }
    return plain(sides["before"]), plain(sides["after"]), plain(differences)


def _checked(margin, outcome, people, where):
    margin, outcome, people = np.asarray(margin, float), np.asarray(outcome, float), np.asarray(people)
    if not np.isfinite(margin).all():
        raise RiskmlError("log-odds must be finite", where=where)
    Forecast(outcome, expit(margin))  # pairs, 0 or 1, none missing
    if people.shape != outcome.shape:
        raise RiskmlError(f"{len(people)} people do not pair with {len(outcome)} outcomes", where=where)
    return margin, outcome, people


def recalibrate(
    margin,
    outcome,
    people,
    *,
    kind,
    base="",
    first="",
    last="",
    later=None,
    replicates=200,
    seed,
    level=0.95,
    language="es",
):
    """Learn a recalibration on a window that is newer than the model, and say what it brings.

    Parameters
    ----------
    margin : array of float, shape (n,)        log-odds of the model's calibrated risk, `logit(risk)`
    outcome : array of {0, 1}, shape (n,)      fully followed-up assessments of the window
    people : array of labels, shape (n,)       the aggressor of each assessment
    kind : "intercept" (the level of risk has moved) or "intercept_slope" (its spread too)
    base : str                                 version of the bundle that it belongs to
    first, last : str                          dates of the window
    later : (margin, outcome, people), or None    a window after this one, to judge on; None: folds of people
    replicates, seed, level, language          of the bootstrap over aggressors

    Returns
    -------
    Recalibration

    Raises
    ------
    RiskmlError     an unknown kind, log-odds that are not finite, outcomes that are not 0 or 1
    NotEstimable    (a ValueError) one class, fewer than 20 aggressors with an event, or a slope that is not
        above 0: the ranking no longer holds, and only training again helps

    References
    ----------
    Steyerberg et al. (2004), Statistics in Medicine 23:2567. Vergouwe et al. (2017), Statistics in Medicine
    36:4529.
    """
    if kind not in KINDS:
        raise RiskmlError(f'unknown kind "{kind}"', where="kind", mend=f"Known: {', '.join(KINDS)}.")
    margin, outcome, people = _checked(margin, outcome, people, "margin, outcome, people")
    with_event = len(np.unique(people[outcome > 0]))
    if with_event < FEWEST_EVENTS:
        raise NotEstimable("few_events", events=with_event, minimum=FEWEST_EVENTS)
    intercept, slope = _fit(margin, np.ones(len(margin)), outcome, kind)
    if slope <= SMALLEST_SLOPE:
        raise NotEstimable("slope_lost", slope=f"{slope:.2f}")
    if later is None:
        judge = margin, outcome, people
        after = _cross_fitted(margin, outcome, people, kind, seed)
    else:
        judge = _checked(*later, "later")
        after = expit(intercept + slope * judge[0])
    before, after, differences = _judged(
        expit(judge[0]), after, *judge[1:], replicates, seed, level, language
    )
    return Recalibration(
        kind,
        intercept,
        slope,
        _intervals(margin, outcome, people, kind, replicates, seed, level),
        base,
        {
            "first": str(first),
            "last": str(last),
            "assessments": len(outcome),
            "people": len(np.unique(people)),
            "events": int(outcome.sum()),
        },
        before,
        after,
        differences,
        "cross_fitted" if later is None else "later",
        seed,
        level,
    )


def advised_kind(before):
    """The least that calibration asks for: "none", "intercept" or "intercept_slope".

    The slope where its interval leaves out 1; else the intercept where its interval leaves out 0. A slope
    that cannot be estimated asks for nothing.

    Parameters
    ----------
    before : dict    `calibration_intercept` and `calibration_slope` -> estimate, low, high, as a
        Recalibration's `before`
    """

    def leaves_out(name, target):
        low, high = before[name]["low"], before[name]["high"]
        return low is not None and high is not None and not low <= target <= high

    if leaves_out("calibration_slope", 1.0):
        return "intercept_slope"
    return "intercept" if leaves_out("calibration_intercept", 0.0) else "none"


def recalibrated(calibrator, recalibration):
    """A bundle's calibrator with a recalibration behind it, in the form that a bundle holds.

    Exact for none, sigmoid and beta, whose log-odds are linear in their parameters. An isotonic one gets
    more knots, until half-way between two of them the risk is within 1e-7 of the recalibrated one.

    Parameters
    ----------
    calibrator : Calibrator          from the learner's log-odds to risk
    recalibration : Recalibration    from that risk's log-odds to new ones

    Returns
    -------
    Calibrator    of the same kind, but sigmoid for none: `.to_document()` is the bundle's JSON form
    """
    shift, stretch, p = recalibration.intercept, recalibration.slope, calibrator.parameters or {}
    if calibrator.kind == "none":
        return Calibrator("sigmoid", {"slope": stretch, "intercept": shift})
    if calibrator.kind == "sigmoid":
        return Calibrator(
            "sigmoid", {"slope": stretch * p["slope"], "intercept": shift + stretch * p["intercept"]}
        )
    if calibrator.kind == "beta":
        return Calibrator(
            "beta", {"a": stretch * p["a"], "b": stretch * p["b"], "c": shift + stretch * p["c"]}
        )
    knots, values = np.array(p["margin"], float), np.array(p["risk"], float)
    return Calibrator("isotonic", _moved_steps(knots, values, shift, stretch))


def _moved_steps(knots, values, shift, stretch):
    def moved(risk):
        return expit(shift + stretch * exact_logit(risk))

    while len(knots) > 1:
        middle = (knots[:-1] + knots[1:]) / 2
        value = (values[:-1] + values[1:]) / 2
        off = np.abs(moved(value) - (moved(values[:-1]) + moved(values[1:])) / 2) > _CLOSE
        if not off.any() or len(knots) > _MOST_KNOTS:
            break
        knots = np.insert(knots, np.flatnonzero(off) + 1, middle[off])
        values = np.insert(values, np.flatnonzero(off) + 1, value[off])
    # The calibrator adds a slight slope of its own, which must not be added twice.
    own = SMALLEST_SLOPE * knots
    values = expit(shift + stretch * (exact_logit(values) + own) - own)
    return {"margin": knots.tolist(), "risk": values.tolist()}
