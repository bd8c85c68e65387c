"""How a level is suggested from several models and from recorded facts: the rules of `models/levels.yml`.

The models stand on two clocks (how soon again, how grave) and are never averaged: each risk is compared with
its own threshold, and the highest level of which a rule is met is suggested. A threshold is fixed with the
model: the risk that its capacity's share of the assessments in its last window reached, or the one from which
on acting has a net benefit. Critical patterns and rules on columns need no model and no earlier record.

What is done where nothing was recorded for long, and where too little is known, is not a rule of a level:
`riskml.scoring.silence` and `riskml.scoring.abstention` come after these rules.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from riskml.documents import read_documents
from riskml.errors import RiskmlError
from riskml.models.critical import MATCHED, CriticalPatterns, load_critical
from riskml.models.level_rule import KINDS, LevelRule, level_threshold, rule_threshold
from riskml.vocabulary import LEVELS, did_you_mean

__all__ = [
    "Abstention",
    "CautionLimits",
    "LevelRule",
    "LevelRules",
    "default_levels",
    "level_threshold",
    "load_levels",
]

_KEYS = (*LEVELS, "otherwise", "abstention", "cautions")
_PATTERNS = "critical.yml"


class CautionLimits(BaseModel):
    """From when on an opinion carries a caution."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    few_known_factors: Annotated[int, Field(ge=0)] = 3
    quiet_days: Annotated[int, Field(ge=1)] = 180
    stale_days: Annotated[int, Field(ge=1)] = 14


class Abstention(BaseModel):
    """When no level is suggested: too little is known, and one answer could lift the level.

    Attributes
    ----------
    fewer_known_than : int    factors known (present or denied); 0: only a critical pattern that hangs on one
        answer makes an opinion abstain
    stands_from : level       a level that recorded facts reach from here up stands, whatever is unknown
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fewer_known_than: Annotated[int, Field(ge=0)] = 3
    stands_from: Literal[LEVELS] = "high"


@dataclass(frozen=True)
class LevelRules:
    """The rules of each level.

    Attributes
    ----------
    rules : dict of level -> tuple of LevelRule    from the highest level to the lowest
    otherwise : str                                the level of a case that meets none
    cautions : CautionLimits
    abstention : Abstention
    patterns : CriticalPatterns                    of `models/critical.yml`
    """

    rules: dict
    otherwise: str = LEVELS[0]
    cautions: CautionLimits = field(default_factory=CautionLimits)
    abstention: Abstention = field(default_factory=Abstention)
    patterns: CriticalPatterns = field(default_factory=CriticalPatterns)

    @property
    def hash(self):
        """Content hash of all that decides a level, 64 hexadecimal digits: comments do not change it."""
        document = {
            "rules": {
                level: [r.model_dump(exclude_none=True) for r in rules] for level, rules in self.rules.items()
            },
            "otherwise": self.otherwise,
            "cautions": self.cautions.model_dump(),
            "abstention": self.abstention.model_dump(),
            "patterns": self.patterns.hash,
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

    @property
    def models(self):
        """Names of the models that the rules read: set of str."""
        return {rule.model for rule in self._all if rule.model}

    @property
    def _all(self):
        return [rule for rules in self.rules.values() for rule in rules]

    def on(self, catalogue):
        """The same rules with critical patterns that read the columns of a catalogue: LevelRules."""
        return replace(self, patterns=self.patterns.on(catalogue))

    def thresholds(self, models):
        """The smallest risk that meets each rule on a model: dict of LevelRule -> float.

        Parameters
        ----------
        models : dict of name -> Model    rules on other models are left out, and those that a bundle does not
            say enough for
        """
        found = {r: rule_threshold(r, models[r.model]) for r in self._all if r.model in models}
        return {rule: threshold for rule, threshold in found.items() if threshold is not None}

    def level_thresholds(self, model):
        """The smallest risk of one model that reaches each level: dict of level -> float.

        Levels that no rule on the model leads to, and whose threshold is not known, are left out.

        Parameters
        ----------
        model : Model
        """
        known = self.thresholds({model.name: model})
        found = {level: [known[r] for r in rules if r in known] for level, rules in self.rules.items()}
        return {level: min(thresholds) for level, thresholds in found.items() if thresholds}

    def left_out(self, thresholds, columns):
        """The rules that cannot be judged: their model is not scored, or their column is not there.

        A pattern rule stands while no pattern is approved: there is nothing to judge.
        """
        absent = self.patterns.columns_read() - set(columns) if self.patterns.approved else set()

        def judged(rule):
            if rule.kind == "pattern":
                return not absent
            return rule in thresholds if rule.model else rule.column in columns

        return [rule for rule in self._all if not judged(rule)]

    def suggest(self, risks, thresholds, matrix):
        """The level that the rules give each case, and the rule that it comes from.

        Silence and what is unknown are not judged here; scoring does, on top of it.

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
                met = self._met(rule, risks, thresholds, matrix)
                level[met], chosen[met] = name, rule
        return level.astype(str), chosen

    def _met(self, rule, risks, thresholds, matrix):
        nobody = np.zeros(len(matrix), bool)
        if rule.kind == "pattern":
            return np.logical_or.reduce(
                [nobody, *(s == MATCHED for s in self.patterns.states(matrix).values())]
            )
        if rule.kind == "column":
            values = matrix[rule.column].to_numpy(dtype=float) if rule.column in matrix.columns else None
            return nobody if values is None else values >= rule.at_least
        if rule not in thresholds:
            return nobody
        return np.asarray(risks[rule.model]) >= thresholds[rule]


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
    catalogue : Catalogue or None    to check the columns that the rules name, and the critical patterns

    Returns
    -------
    LevelRules    with the patterns of `critical.yml` beside it, where that stands

    Raises
    ------
    RiskmlError    file and line: unknown key or level, a rule that is no single kind, an unknown column,
        capacities that do not grow from the highest level to the lowest; a problem of `critical.yml`
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
    _check_capacities(rules, problem)
    limits = _settings(CautionLimits, "cautions", value, problem)
    abstention = _settings(Abstention, "abstention", value, problem)
    beside = Path(path).with_name(_PATTERNS)
    patterns = load_critical(beside, catalogue=catalogue) if beside.is_file() else CriticalPatterns()
    return LevelRules({level: r for level, r in rules.items() if r}, otherwise, limits, abstention, patterns)


def _settings(part, key, value, problem):
    try:
        return part.model_validate(value.get(key) or {})
    except ValidationError as error:
        first = error.errors()[0]
        name = f", {first['loc'][0]}" if first["loc"] else ""
        raise problem(f"{key}{name}: {first['msg']}", key) from None


def _rule(entry, problem, level, position, catalogue):
    if not isinstance(entry, dict):
        raise problem("a rule is a mapping", level, position, mend=KINDS["share"][1])
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


def _check_capacities(rules, problem):
    """A lower level of the same model must hold more than a higher one, or it could never be suggested."""
    smallest = {}
    for level in reversed(LEVELS):
        for position, rule in enumerate(rules[level]):
            if rule.model is None:
                continue
            size = getattr(rule, rule.kind)
            if size <= smallest.get((rule.model, rule.kind), 0.0):
                raise problem(
                    f'model "{rule.model}": {rule.kind} {size:g} is not larger than that of a higher level',
                    level,
                    position,
                    mend="Capacities and visits per event grow from critical to medium.",
                )
            smallest[rule.model, rule.kind] = size
