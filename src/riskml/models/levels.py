"""How a level is suggested from several models and from recorded facts: the rules of `models/levels.yml`.

The models stand on two clocks (how soon again, how grave) and are never averaged: each risk is compared with
its own threshold, and the highest level of which a rule is met is suggested. A threshold is the risk that a
share of the assessments in the model's last window reached: the unit's capacity, fixed with the model.
"""

import hashlib
import json
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from riskml.documents import read_documents
from riskml.errors import RiskmlError
from riskml.vocabulary import LEVELS, did_you_mean

__all__ = ["CautionLimits", "LevelRule", "LevelRules", "default_levels", "level_threshold", "load_levels"]

_KEYS = (*LEVELS, "otherwise", "cautions")


class LevelRule(BaseModel):
    """One rule: a share of the highest risks of a model, or a least value of a column of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = None
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    column: str | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _one_kind(self):
        of_model = self.model is not None and self.share is not None
        of_column = self.column is not None and self.at_least is not None
        if of_model == of_column or None not in (
            (self.column, self.at_least) if of_model else (self.model, self.share)
        ):
            raise ValueError("a rule is {model: NAME, share: 0.02} or {column: NAME, at_least: 2}")
        return self


class CautionLimits(BaseModel):
    """From when on an opinion carries a caution."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    few_known_factors: Annotated[int, Field(ge=0)] = 3
    quiet_days: Annotated[int, Field(ge=1)] = 180
    stale_days: Annotated[int, Field(ge=1)] = 14


@dataclass(frozen=True)
class LevelRules:
    """The rules of each level.

    Attributes
    ----------
    rules : dict of level -> tuple of LevelRule    from the highest level to the lowest
    otherwise : str                                the level of a case that meets none
    cautions : CautionLimits
    """

    rules: dict
    otherwise: str = LEVELS[0]
    cautions: CautionLimits = field(default_factory=CautionLimits)

    @property
    def hash(self):
        """Content hash of the rules, 64 hexadecimal digits: comments do not change it."""
        document = {
            "rules": {level: [r.model_dump() for r in rules] for level, rules in self.rules.items()},
            "otherwise": self.otherwise,
            "cautions": self.cautions.model_dump(),
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

    @property
    def models(self):
        """Names of the models that the rules read: set of str."""
        return {rule.model for rules in self.rules.values() for rule in rules if rule.model}

    def thresholds(self, models):
        """The smallest risk that meets each rule on a model: dict of LevelRule -> float.

        Parameters
        ----------
        models : dict of name -> Model    rules on other models are left out
        """
        return {
            rule: level_threshold(models[rule.model].reference, rule.share)
            for rules in self.rules.values()
            for rule in rules
            if rule.model in models and models[rule.model].reference.get("quantiles")
        }

    def left_out(self, thresholds, columns):
        """The rules that cannot be judged: their model is not scored, or their column is not there."""
        return [
            rule
            for rules in self.rules.values()
            for rule in rules
            if (rule not in thresholds if rule.model else rule.column not in columns)
        ]

    def suggest(self, risks, thresholds, matrix):
        """The suggested level of each case, and the rule that it comes from.

        Parameters
        ----------
        risks : dict of model -> float array, shape (n,)    calibrated risks
        thresholds : dict of LevelRule -> float    of `thresholds`
        matrix : DataFrame, n rows            the cases' features

        Returns
        -------
        level : str array, shape (n,)
        rule : object array, shape (n,)    LevelRule, or None where no rule is met
        """
        level = np.full(len(matrix), self.otherwise, dtype=object)
        chosen = np.full(len(matrix), None, dtype=object)
        for name in sorted(self.rules, key=LEVELS.index):
            for rule in reversed(self.rules[name]):
                met = _met(rule, risks, thresholds, matrix)
                level[met], chosen[met] = name, rule
        return level.astype(str), chosen


def _met(rule, risks, thresholds, matrix):
    if rule.column is not None:
        values = matrix[rule.column].to_numpy(dtype=float) if rule.column in matrix.columns else None
        return np.zeros(len(matrix), bool) if values is None else values >= rule.at_least
    if rule not in thresholds:
        return np.zeros(len(matrix), bool)
    return np.asarray(risks[rule.model]) >= thresholds[rule]


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


def default_levels():
    """The rules that riskml is shipped with: LevelRules."""
    shipped = files("riskml") / "_workspace" / "models" / "levels.yml"
    path = Path(str(shipped)) if shipped.is_file() else Path(__file__).parents[3] / "models" / "levels.yml"
    return load_levels(path)


def load_levels(path, *, catalogue=None):
    """Read `models/levels.yml`.

    Parameters
    ----------
    path : path of the file
    catalogue : Catalogue or None    to check the columns that the rules name

    Returns
    -------
    LevelRules

    Raises
    ------
    RiskmlError    file and line: unknown key or level, a rule that is neither kind, an unknown column, shares
        that do not grow from the highest level to the lowest
    """
    documents = read_documents(path)
    value = documents[0].value if documents else None
    where = str(path)
    if not isinstance(value, dict):
        raise RiskmlError("a mapping of levels to rules is expected", where=where)

    def problem(what, *at, mend=""):
        return RiskmlError(what, where=f"{where}, line {documents[0].line(*at)}", mend=mend)

    for key in value:
        if key not in _KEYS:
            near = did_you_mean(key, _KEYS) or f"Known: {', '.join(_KEYS)}."
            raise problem(f'unknown level or key "{key}"', key, mend=near)
    otherwise = value.get("otherwise", LEVELS[0])
    if otherwise not in LEVELS:
        raise problem(f'unknown level "{otherwise}"', "otherwise", mend=did_you_mean(otherwise, LEVELS))
    rules = {}
    for level in reversed(LEVELS):
        entries = value.get(level, [])
        if not isinstance(entries, list):
            raise problem(f"{level} needs a list of rules", level, mend="- {model: NAME, share: 0.02}")
        rules[level] = tuple(_rule(entry, problem, level, i, catalogue) for i, entry in enumerate(entries))
    _check_shares(rules, problem)
    try:
        limits = CautionLimits.model_validate(value.get("cautions") or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise problem(f"cautions, {first['loc'][0]}: {first['msg']}", "cautions") from None
    return LevelRules({level: r for level, r in rules.items() if r}, otherwise, limits)


def _rule(entry, problem, level, position, catalogue):
    if not isinstance(entry, dict):
        raise problem("a rule is a mapping", level, position, mend="{model: NAME, share: 0.02}")
    for key in entry:
        if key not in LevelRule.model_fields:
            near = did_you_mean(key, LevelRule.model_fields)
            raise problem(f'unknown key "{key}"', level, position, key, mend=near)
    try:
        rule = LevelRule.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{first['loc'][0]}: " if first["loc"] else ""
        raise problem(f"{name}{first['msg'].removeprefix('Value error, ')}", level, position) from None
    if rule.column is not None and catalogue is not None:
        known = {c.name: c for c in catalogue.columns}
        if rule.column not in known:
            near = did_you_mean(rule.column, known)
            raise problem(f'unknown column "{rule.column}"', level, position, "column", mend=near)
        if known[rule.column].kind != "number":
            raise problem(f'column "{rule.column}" holds words, not numbers', level, position, "column")
    return rule


def _check_shares(rules, problem):
    """A lower level of the same model must hold more than a higher one, or it could never be suggested."""
    smallest = {}
    for level in reversed(LEVELS):
        for position, rule in enumerate(rules[level]):
            if rule.model is None:
                continue
            if rule.share <= smallest.get(rule.model, 0.0):
                raise problem(
                    f'model "{rule.model}": share {rule.share:g} is not larger than that of a higher level',
                    level,
                    position,
                    mend="Shares grow from critical to medium.",
                )
            smallest[rule.model] = rule.share
