"""One rule of a level: its kind, and the smallest risk of a model that meets it."""

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from riskml.errors import RiskmlError
from riskml.vocabulary import duration

__all__ = ["KINDS", "LevelRule", "cases_a_list", "level_threshold", "rule_threshold"]

# What a kind of rule is written with, and how it is written.
KINDS = {
    "share": (("model", "share"), "{model: NAME, share: 0.02}"),
    "per_week": (("model", "per_week"), "{model: NAME, per_week: 40}"),
    "visits_per_event": (("model", "visits_per_event"), "{model: NAME, visits_per_event: 20}"),
    "column": (("column", "at_least"), "{column: NAME, at_least: 2}"),
    "pattern": (("pattern",), "{pattern: approved}"),
}
_DAY = duration("1d")


class LevelRule(BaseModel):
    """One rule of `models/levels.yml`; see there, and KINDS.

    Attributes
    ----------
    model : str or None                with one of:
    share : float in (0, 1)            of the assessments of the window that judged the model
    per_week : float > 0               cases of a week's list of all open cases, in that window
    visits_per_event : float > 0       visits without event that one with an event is worth
    column : str or None               with at_least: float, a column of the catalogue
    pattern : "approved" or None       any approved critical pattern
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = None
    share: float | None = Field(default=None, gt=0, lt=1)
    per_week: float | None = Field(default=None, gt=0)
    visits_per_event: float | None = Field(default=None, gt=0)
    column: str | None = None
    at_least: float | None = None
    pattern: str | None = None

    @model_validator(mode="after")
    def _one_kind(self):
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if given not in [set(keys) for keys, _ in KINDS.values()]:
            *first, last = (written for _, written in KINDS.values())
            raise ValueError(f"a rule is {', '.join(first)} or {last}")
        if self.pattern not in (None, "approved"):
            raise ValueError("only approved patterns have an effect: {pattern: approved}")
        return self

    @property
    def kind(self):
        """One of KINDS, str."""
        return next(k for k in KINDS if getattr(self, k) is not None)


def cases_a_list(model):
    """How many open cases a list of the window held that judged a model; None where that is not known.

    Its report says how many fully followed-up assessments stood in the window and from when to when, and the
    model file how far apart they were. Cases whose follow-up was cut short are not among them, so that the
    number is, if anything, too small.

    Parameters
    ----------
    model : Model

    Returns
    -------
    float, or None    assessed one by one, at contacts, or on a frame: there were no lists
    """
    report = model.report
    cohort = report.get("model", {}).get("cohort", {})
    windows = [w for w in report.get("split", {}).get("windows", ()) if w.get("window") == "evaluate"]
    if not windows or not cohort.get("every") or cohort.get("at_contacts"):
        return None
    if report["split"].get("by") != "time" or not (windows[0].get("first") and windows[0].get("last")):
        return None
    days = (pd.Timestamp(windows[0]["last"]) - pd.Timestamp(windows[0]["first"])).days
    return windows[0]["assessments"] / (1 + round(days / (duration(cohort["every"]) / _DAY)))


def level_threshold(reference, share):
    """The smallest risk of the highest `share` of a model's last window.

    Where many assessments share one risk, the threshold lies above them all rather than let them all in: a
    level does not hold more than its capacity.

    Parameters
    ----------
    reference : dict    `quantiles` of calibrated risk at equal steps from 0 to 1, as a bundle keeps them
    share : float in (0, 1)

    Returns
    -------
    float    infinite where no risk is as rare as that
    """
    quantiles = np.asarray(reference["quantiles"], dtype=float)
    threshold = float(np.interp(1 - share, np.linspace(0, 1, len(quantiles)), quantiles))
    step = 1 / (len(quantiles) - 1)
    if np.mean(quantiles >= threshold) <= share + 2 * step:
        return threshold
    above = quantiles[quantiles > threshold]
    return float(above[0]) if len(above) else np.inf


def rule_threshold(rule, model):
    """The smallest risk of a model that meets a rule on it.

    Parameters
    ----------
    rule : LevelRule    on that model
    model : Model

    Returns
    -------
    float, or None    the bundle does not say what the rule needs: how risks were spread, or how many cases a
        list held. With `visits_per_event: v` it is 1 / (1 + v): one event is worth v visits without one, so
        that acting from there on has a net benefit (Vickers & Elkin 2006, Medical Decision Making 26:565)

    Raises
    ------
    RiskmlError    the rule is not on a model
    """
    if rule.kind == "visits_per_event":
        return 1 / (1 + rule.visits_per_event)
    if rule.kind not in ("share", "per_week"):
        raise RiskmlError(f"a rule of kind {rule.kind} has no threshold of risk", where="levels.yml")
    share = rule.share
    if rule.kind == "per_week":
        cases = cases_a_list(model)
        share = None if cases is None else rule.per_week / cases
    if share is None or not model.reference.get("quantiles"):
        return None
    return level_threshold(model.reference, share) if share < 1 else 0.0
