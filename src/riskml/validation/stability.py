"""Stability: had other aggressors of the same kind been registered, how different would each risk be?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import plain
from riskml.progress import progress
from riskml.validation.bootstrap import percentile_interval
from riskml.validation.forecast import NotEstimable
from riskml.validation.intervals import exact_interval
from riskml.validation.shares import clustered_share
from riskml.validation.verdict import every_language

__all__ = ["Stability", "bootstrap_refits", "resampled_rows", "stability"]

FLIPS_OFTEN = 0.1  # [A]: from this chance on a case's level is called unstable
_ENOUGH = 0.9


class _Rows:
    """Rows of each person, to be drawn whole."""

    def __init__(self, people):
        code, labels = pd.factorize(pd.Series(people).array)
        if (code < 0).any():
            raise RiskmlError(f"{(code < 0).sum()} rows have no person", where="train_people")
        if len(labels) < 2:
            raise RiskmlError(
                f"{len(labels)} person: there is nobody else to draw",
                where="train_people",
                mend="Give one label for each aggressor.",
            )
        self.order = np.argsort(code, kind="stable")
        self.size = np.bincount(code)
        self.begin = np.cumsum(self.size) - self.size

    def drawn(self, rng):
        people = rng.integers(0, len(self.size), len(self.size))
        size = self.size[people]
        place = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        return self.order[np.repeat(self.begin[people], size) + place]


def resampled_rows(people, rng):
    """Rows of as many people as there are, drawn with replacement, each with all their rows.

    Parameters
    ----------
    people : array of labels, shape (n,)    the aggressor of each training row
    rng : numpy.random.Generator

    Returns
    -------
    array of int    positions of rows; a person drawn twice has each row twice
    """
    return _Rows(people).drawn(rng)


def bootstrap_refits(refit, cases, train_people, *, replicates=200, seed, language="es"):
    """Predictions of models that are each refitted to a bootstrap sample of the training rows.

    Parameters
    ----------
    refit : callable `refit(rows, seed) -> predict`    repeats everything that made the model, tuning and
        calibration too, on these training rows (positions, with repetitions), and returns `predict(cases)`,
        risks of shape (m,). It may raise NotEstimable where a sample cannot be fitted
    cases : anything that `predict` takes              the cases to be judged, m of them
    train_people : array of labels, shape (n,)         the aggressor of each training row
    replicates : int    at least 200 are advised
    seed : int          of the draws; each refit gets a seed of its own
    language : str      of the progress bar

    Returns
    -------
    array of float in [0, 1], shape (fitted, m)

    Raises
    ------
    NotEstimable    (a ValueError) fewer than nine of ten samples could be fitted
    RiskmlError     a prediction is no probability, or refits disagree about the number of cases
    """
    rows, refits = _Rows(train_people), []
    streams = np.random.SeedSequence(seed).spawn(replicates)
    with progress(message("validation.refits", language), total=replicates) as advance:
        for stream in streams:
            rng = np.random.default_rng(stream)
            drawn, own_seed = rows.drawn(rng), int(rng.integers(0, 2**31 - 1))
            try:
                risk = np.asarray(refit(drawn, own_seed)(cases), float)
            except NotEstimable:
                risk = None
            if risk is not None:
                if risk.ndim != 1 or (refits and len(risk) != len(refits[0])):
                    raise RiskmlError(f"a refit predicted shape {risk.shape}", where="refit")
                if not ((risk >= 0) & (risk <= 1)).all():
                    raise RiskmlError("a refit predicted no probabilities between 0 and 1", where="refit")
                refits.append(risk)
            advance()
    if len(refits) < _ENOUGH * replicates:
        raise NotEstimable("few_refits", count=len(refits), total=replicates)
    return np.array(refits)


@dataclass(frozen=True)
class Stability:
    """Each case's risk beside what refitted models say of it.

    Attributes
    ----------
    risk : array of float, shape (m,)            of the model itself
    refits : array of float, shape (b, m)        of the refitted models
    people : array of labels, shape (m,)         the aggressor of each case
    suggested : array of str, shape (m,), or None       level suggested by the model's risk
    refit_levels : array of str, shape (b, m), or None
    seed : int
    level : float                                of the intervals
    settings_held : bool    the refits took over the model's settings instead of tuning anew
    """

    risk: np.ndarray
    refits: np.ndarray
    people: np.ndarray
    suggested: np.ndarray | None
    refit_levels: np.ndarray | None
    seed: int
    level: float = 0.95
    settings_held: bool = False

    def cases(self, index=None):
        """Each case's interval, instability and chance that its level flips.

        Parameters
        ----------
        index : Index or None    of the cases

        Returns
        -------
        DataFrame, m rows, of risk, low, high (percentiles of the refits), instability (mean absolute
            difference of the refits from the risk); with levels also level, flips, refits (n/N), flip_chance,
            flip_low, flip_high (exact interval of what more refits would give)
        """
        tail = (1 - self.level) / 2
        low, high = np.quantile(self.refits, (tail, 1 - tail), axis=0)
        frame = pd.DataFrame(
            {
                "risk": self.risk,
                "low": low,
                "high": high,
                "instability": np.abs(self.refits - self.risk).mean(axis=0),
            },
            index=index,
        )
        if self.suggested is None:
            return frame
        total = len(self.refits)
        flips = (self.refit_levels != self.suggested).sum(axis=0)
        counts = np.unique(flips)
        bounds = dict(zip(counts, (exact_interval(n, total, level=self.level) for n in counts), strict=True))
        frame["level"], frame["flips"], frame["refits"] = self.suggested, flips, total
        frame["flip_chance"] = flips / total
        frame["flip_low"] = [bounds[n][0] for n in flips]
        frame["flip_high"] = [bounds[n][1] for n in flips]
        return frame

    def transitions(self):
        """Of the cases at each suggested level, the mean share of refits that suggest each level.

        Returns
        -------
        DataFrame, index level suggested, columns level of the refits (shares, rows add to 1) and `cases`
        """
        if self.suggested is None:
            raise RiskmlError("no levels: `stability` was given no `suggest`", where="transitions")
        names = np.unique(np.append(self.refit_levels.ravel(), self.suggested))
        rows = {}
        for name in np.unique(self.suggested):
            given = self.refit_levels[:, self.suggested == name]
            rows[name] = {other: float((given == other).mean()) for other in names}
            rows[name]["cases"] = int((self.suggested == name).sum())
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("level")

    def _two_way(self, values, replicates):
        """Interval of the mean of values, shape (b, m), over other refits and other people."""
        rng = np.random.default_rng(self.seed)
        member = pd.factorize(pd.Series(self.people).array)[0]
        order, size = np.argsort(member, kind="stable"), np.bincount(member)
        totals = np.add.reduceat(values[:, order], np.cumsum(size) - size, axis=1)
        means = []
        for _ in range(replicates):
            refit = np.bincount(rng.integers(0, len(values), len(values)), minlength=len(values))
            person = np.bincount(rng.integers(0, len(size), len(size)), minlength=len(size))
            means.append(refit @ totals @ person / (len(values) * (size @ person)))
        return percentile_interval(means, level=self.level)

    def summary(self, *, replicates=200):
        """The instability index and how often levels flip, with intervals.

        Returns
        -------
        DataFrame, index mean_absolute_instability (MAPE index of Riley & Collins: lower is better),
            mean_flip_chance, cases_that_flip_often (share of cases whose level flips in at least one of ten
            refits), of estimate, low, high; n and total for shares
        """
        distance = np.abs(self.refits - self.risk)
        rows = {"mean_absolute_instability": _bounded(distance.mean(), self._two_way(distance, replicates))}
        if self.suggested is not None:
            flips = (self.refit_levels != self.suggested).astype(float)
            rows["mean_flip_chance"] = _bounded(flips.mean(), self._two_way(flips, replicates))
            often = clustered_share(flips.mean(axis=0) >= FLIPS_OFTEN, self.people, level=self.level)
            rows["cases_that_flip_often"] = {**often.row(), "estimate": often.share}
            del rows["cases_that_flip_often"]["share"]
        return pd.DataFrame.from_dict(rows, orient="index")

    def document(self, *, replicates=200):
        """Plain JSON for a report: no case is named. summary, transitions, refits, cases, words."""
        summary = self.summary(replicates=replicates)
        return plain(
            {
                "summary": summary.reset_index(names="figure").to_dict(orient="records"),
                "transitions": (
                    self.transitions().reset_index().to_dict(orient="records")
                    if self.suggested is not None
                    else []
                ),
                "refits": len(self.refits),
                "cases": len(self.risk),
                "level": self.level,
                "settings_held": self.settings_held,
                "words": self.words(),
            }
        )

    def words(self):
        """What the refits say and what they do not, in every language: dict of language -> str."""
        index = np.abs(self.refits - self.risk).mean()
        found = every_language("stability", index=f"{100 * index:.1f}", refits=len(self.refits))
        if self.settings_held:
            held = every_language("stability_settings_held")
            found = {language: f"{found[language]} {held[language]}" for language in LANGUAGES}
        if self.suggested is None:
            return found
        flips = (self.refit_levels != self.suggested).mean(axis=0)
        often = int((flips >= FLIPS_OFTEN).sum())
        more = every_language(
            "stability_levels", count=often, total=len(flips), share=f"{100 * FLIPS_OFTEN:.0f}"
        )
        return {language: f"{found[language]} {more[language]}" for language in LANGUAGES}


def _bounded(estimate, interval):
    return {"estimate": float(estimate), "low": interval[0], "high": interval[1]}


def stability(
    refit,
    cases,
    risk,
    people,
    *,
    train_people,
    suggest=None,
    replicates=200,
    seed,
    level=0.95,
    settings_held=False,
    language="es",
):
    """How much each case's risk and suggested level would change with other training people.

    Parameters
    ----------
    refit, cases, train_people, replicates, seed, language    as `bootstrap_refits`
    risk : array of float in [0, 1], shape (m,)    what the model itself predicts for the cases
    people : array of labels, shape (m,)           the aggressor of each case
    suggest : callable `suggest(risk) -> levels of shape (m,)`, or None    asked for the model's risk and for
        that of each refit. With thresholds fixed in the model the levels move with the risks alone; to let
        thresholds move too, take them from the risks inside
    level : float                                  of the intervals
    settings_held : bool    say so where `refit` takes over the model's settings to save time: what tuning
        adds to the instability is then not in it, and the words say that

    Returns
    -------
    Stability

    Raises
    ------
    NotEstimable, RiskmlError    as `bootstrap_refits`

    References
    ----------
    Riley & Collins (2023), Biometrical Journal 65:2200302 [M].
    """
    risk, people = np.asarray(risk, float), np.asarray(people)
    if risk.ndim != 1 or risk.shape != people.shape:
        raise RiskmlError(f"{risk.shape} risks do not pair with {people.shape} people", where="risk, people")
    refits = bootstrap_refits(refit, cases, train_people, replicates=replicates, seed=seed, language=language)
    if refits.shape[1] != len(risk):
        raise RiskmlError(f"refits predict {refits.shape[1]} cases, not {len(risk)}", where="refit")
    suggested = levels = None
    if suggest is not None:
        suggested = np.asarray(suggest(risk)).astype(str)
        levels = np.array([np.asarray(suggest(row)).astype(str) for row in refits])
        if levels.shape != refits.shape:
            raise RiskmlError(f"levels of shape {levels.shape[1:]} for {len(risk)} cases", where="suggest")
    return Stability(risk, refits, people, suggested, levels, seed, level, settings_held)
