"""Critical patterns: combinations of recorded facts of which one record is enough (`models/critical.yml`).

The fatality review proposes them and the Task Force approves them; only an approved pattern has an effect. A
pattern is judged in three states: matched, not matched, or undetermined, where what nobody mentioned decides.
It reads facts alone, no risk and no earlier record: most deadly cases had no earlier contact with the police
(EVIDENCE 9.5, [S:17]).
"""

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from riskml.errors import RiskmlError
from riskml.features.factor_states import DENIED, PRESENT, factor_states, in_scope, says_state
from riskml.features.formulas import formula_values, gives_truth, named_columns, parse_formula
from riskml.parts import Line, Part, Relationship, Words, read_part
from riskml.vocabulary import STATES, did_you_mean

__all__ = [
    "MATCHED",
    "NOT_MATCHED",
    "UNDETERMINED",
    "Condition",
    "CriticalFile",
    "CriticalPattern",
    "CriticalPatterns",
    "load_critical",
    "read_critical",
]

UNDETERMINED, NOT_MATCHED, MATCHED = -1, 0, 1
_ROLES = 2  # different roles that approve a pattern, as they do a model version
_PRESENT = STATES[1]


def _tag(tag):
    if not re.fullmatch(r"S:[0-9]+b?|M|D|A", str(tag)):
        raise ValueError(
            f'unknown tag "{tag}": S:n, M, D or A (M? was not checked and stands behind nothing)'
        )
    return str(tag)


def _person(code):
    if not re.fullmatch(r"(?=.*[A-Z])(?=.*[0-9])[A-Z0-9-]{2,20}", code):
        raise ValueError("people stand here by a code of capital letters and digits, such as FGJ-07: no name")
    return code


Text = Annotated[str, BeforeValidator(str)]
Count = Annotated[int, Field(ge=0, strict=True)]
Person = Annotated[Line, AfterValidator(_person)]


class Condition(Part):
    """When a pattern holds: one of all_of, any_of, `at_least: k` with `of`, or a formula.

    Members are codes of factors, or conditions themselves.
    """

    all_of: tuple["str | Condition", ...] | None = None
    any_of: tuple["str | Condition", ...] | None = None
    at_least: Annotated[int, Field(ge=1, strict=True)] | None = None
    of: tuple["str | Condition", ...] | None = None
    formula: Line | None = None

    @model_validator(mode="after")
    def _one_kind(self):
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if given not in ({"all_of"}, {"any_of"}, {"at_least", "of"}, {"formula"}):
            raise ValueError("a condition is all_of, any_of, at_least with of, or formula: one of them")
        if self.formula is None and not self.members:
            raise ValueError("the list of factors is empty")
        if self.at_least is not None and self.at_least > len(self.of):
            raise ValueError(f"at least {self.at_least} of {len(self.of)} can never hold")
        return self

    @property
    def members(self):
        """The codes and conditions that it counts: tuple."""
        return self.all_of or self.any_of or self.of or ()

    @property
    def wanted(self):
        """How many members have to hold, int."""
        return len(self.all_of) if self.all_of else self.at_least or 1

    def leaves(self):
        """Codes of factors and formulas below it: iterator of (kind, text)."""
        if self.formula is not None:
            yield "formula", self.formula
        for member in self.members:
            if isinstance(member, Condition):
                yield from member.leaves()
            else:
                yield "factor", member


class Finding(Part):
    """One finding behind a pattern, with its provenance tag."""

    study: Line
    effect: Line
    tag: Annotated[str, BeforeValidator(_tag)]


class Caught(Part):
    """Reviewed cases that the pattern would have caught on what was known before: n of N."""

    caught: Count
    of: Annotated[int, Field(ge=1, strict=True)]

    @model_validator(mode="after")
    def _not_more(self):
        if self.caught > self.of:
            raise ValueError(f"{self.caught} of {self.of} cases cannot be caught")
        return self


class Approval(Part):
    """Who approved or rejected a pattern, by role and code, when and why. No personal name."""

    role: Line
    by: Person
    date: Text
    reason: Line | None = None


class CriticalPattern(Part):
    """One pattern of `models/critical.yml`.

    Attributes
    ----------
    label : dict                     language -> words
    when : Condition
    relationships : tuple            to whom it applies; empty: all
    status : str                     proposed, approved or rejected; only approved ones have an effect
    evidence : tuple of Finding
    cases : Caught or None           n of N reviewed cases, on what was known before; of a pattern that was
        found in them, those that the search caught without having seen them
    defined_in : tuple of str        content hashes of the reviews that it was found in, or that stood when it
        was written: it is never validated on their cases
    approved_by : tuple of Approval  of a proposed one: who has approved it so far
    rejected_by : Approval or None
    reasons : str or None            why it was approved or rejected
    """

    label: Words
    when: Condition
    relationships: tuple[Relationship, ...] = ()
    status: Literal["proposed", "approved", "rejected"] = "proposed"
    evidence: tuple[Finding, ...] = ()
    cases: Caught | None = None
    defined_in: tuple[Text, ...] = ()
    approved_by: tuple[Approval, ...] = ()
    rejected_by: Approval | None = None
    reasons: Line | None = None

    @model_validator(mode="after")
    def _decided_with_reasons(self):
        if self.status != "proposed" and not self.reasons:
            raise ValueError(f"status {self.status} needs reasons")
        if self.status != "approved":
            return self
        if len({a.role for a in self.approved_by}) < _ROLES or len({a.by for a in self.approved_by}) < _ROLES:
            raise ValueError(f"status approved needs approved_by of {_ROLES} people with different roles")
        if not self.cases and not any(f.tag == "D" or f.tag.startswith("S:") for f in self.evidence):
            raise ValueError("status approved needs evidence tagged S:n or D, or reviewed cases (n of N)")
        return self


class Change(Part):
    """One entry of the change log."""

    version: Annotated[int, Field(ge=1, strict=True)]
    date: Text
    change: Line
    by: Person | None = None


def _code(code):
    if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
        raise ValueError("a pattern's id is small letters, digits and _")
    return code


class CriticalFile(Part):
    """`models/critical.yml`: a version, patterns by id, and what changed from version to version."""

    version: Annotated[int, Field(ge=1, strict=True)]
    patterns: dict[Annotated[str, AfterValidator(_code)], CriticalPattern] = Field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    @field_validator("patterns", mode="before")
    @classmethod
    def _may_be_empty(cls, value):
        return {} if value is None else value

    @model_validator(mode="after")
    def _logged(self):
        if [c.version for c in self.changes][-1:] != [self.version]:
            raise ValueError(f"the change log has to end with version {self.version}")
        return self


@dataclass(frozen=True)
class CriticalPatterns:
    """The patterns of a workspace.

    Attributes
    ----------
    version : int
    patterns : dict of id -> CriticalPattern    all of them, whatever their status
    columns : dict of name -> FeatureColumn     of the catalogue, which formulas read
    """

    version: int = 0
    patterns: dict = field(default_factory=dict)
    columns: dict = field(default_factory=dict)

    @property
    def approved(self):
        """The patterns that have an effect: dict of id -> CriticalPattern."""
        return {name: p for name, p in self.patterns.items() if p.status == "approved"}

    @property
    def hash(self):
        """Content hash of what decides levels: of the approved patterns' conditions and scopes."""
        deciding = {
            name: p.model_dump(include={"when", "relationships"}, exclude_none=True)
            for name, p in self.approved.items()
        }
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()

    def on(self, catalogue):
        """The same patterns, which read the columns of a catalogue: CriticalPatterns."""
        return replace(self, columns={c.name: c for c in catalogue.columns})

    def columns_read(self):
        """The columns of the matrix that approved patterns read: set of str."""
        return {name for pattern in self.approved.values() for name in _names(pattern)}

    def states(self, matrix):
        """The state of each approved pattern in each case.

        Parameters
        ----------
        matrix : DataFrame, n rows    the cases' features; what is missing is unknown

        Returns
        -------
        dict of id -> int8 array, shape (n,)    MATCHED, NOT_MATCHED, UNDETERMINED. What the matrix or the
            catalogue does not have is unknown
        """
        return {name: self._state(pattern, matrix) for name, pattern in self.approved.items()}

    def state(self, name, matrix):
        """The state of one pattern in each case, whatever its status: int8 array (n,), as of `states`."""
        return self._state(self.patterns[name], matrix)

    def _state(self, pattern, matrix):
        certain, possible = self._bounds(pattern.when, matrix)
        scope = in_scope(matrix, pattern.relationships)
        certain = certain & scope.fillna(False).to_numpy(bool) if pattern.relationships else certain
        possible = possible & scope.fillna(True).to_numpy(bool) if pattern.relationships else possible
        return np.where(certain, MATCHED, np.where(possible, UNDETERMINED, NOT_MATCHED)).astype(np.int8)

    def _bounds(self, node, matrix):
        """Whether a node holds for certain, and whether it may hold: two bool arrays."""
        if isinstance(node, str):
            state = factor_states(matrix, [node])[:, 0]
            return state == PRESENT, state != DENIED
        if node.formula is not None:
            if not set(named_columns(node.formula)) <= set(matrix.columns) & set(self.columns):
                return np.zeros(len(matrix), bool), np.ones(len(matrix), bool)
            formula = parse_formula(node.formula, self.columns)
            values = formula_values(formula, matrix, self.columns)
            return values == 1, values != 0
        bounds = [self._bounds(member, matrix) for member in node.members]
        counts = (np.sum(side, axis=0) for side in zip(*bounds, strict=True))
        return tuple(count >= node.wanted for count in counts)

    def deciding(self, matrix):
        """Which unknown factor alone would make an undetermined pattern match, were it present.

        A factor's answer changes its own state here, and what a formula computes from it.

        Parameters
        ----------
        matrix : DataFrame, n rows

        Returns
        -------
        dict of id -> list of n tuples of codes    of approved patterns; empty where no single answer does it
        """
        found = {}
        for name, pattern in self.approved.items():
            state = self._state(pattern, matrix)
            rows = np.flatnonzero(state == UNDETERMINED)
            deciding = [()] * len(matrix)
            for code in self._codes(pattern) if len(rows) else ():
                part = matrix.iloc[rows]
                asked = part[code].isna().to_numpy() if code in part.columns else np.ones(len(rows), bool)
                told = part.assign(**{code: _PRESENT})
                for row in rows[asked & (self._state(pattern, told) == MATCHED)]:
                    deciding[row] = (*deciding[row], code)
            found[name] = deciding
        return found

    def factors_read(self, name):
        """The factors whose states one pattern reads, whatever its status: list of str."""
        return self._codes(self.patterns[name])

    def _codes(self, pattern):
        """The factors whose states a pattern reads, in its order: list of str."""
        return [n for n in _names(pattern) if n not in self.columns or says_state(self.columns[n])]


def _names(pattern):
    """The columns of the matrix that a pattern reads, in its order: list of str."""
    names = {}
    for kind, text in pattern.when.leaves():
        names |= dict.fromkeys((text,) if kind == "factor" else named_columns(text))
    return list(names)


def _check_leaf(name, kind, text, columns, factors):
    where = f'models/critical.yml, pattern "{name}"'
    if kind == "factor":
        if text in columns and says_state(columns[text]):
            return
        known = [c for c, column in columns.items() if says_state(column)]
        mend = did_you_mean(text, known) or "Give it a feature of its state under features/."
        raise RiskmlError(f'unknown factor "{text}"', where=where, mend=mend)
    try:
        truth = gives_truth(parse_formula(text, columns, factors).sql)
    except RiskmlError as error:
        raise RiskmlError(error.what, where=where, mend=error.mend) from None
    if not truth:
        raise RiskmlError(
            f"the formula is neither true nor false: {text[:80]}",
            where=where,
            mend="Compare it with a value, such as grave_acts_90d >= 2.",
        )


def read_critical(path):
    """The file of critical patterns as it stands, with its log: CriticalFile. Errors as `load_critical`."""
    return read_part(CriticalFile, path)


def load_critical(path, *, catalogue=None):
    """Read `models/critical.yml`.

    Parameters
    ----------
    path : path of the file
    catalogue : Catalogue or None    to check the factors and formulas that the patterns name

    Returns
    -------
    CriticalPatterns

    Raises
    ------
    RiskmlError    every problem with its line: unknown keys or status, a condition that is no single kind, an
        approved pattern without approvers of two roles, reasons or evidence; an unknown factor or column
    """
    file = read_critical(path)
    patterns = CriticalPatterns(file.version, dict(file.patterns))
    if catalogue is None:
        return patterns
    patterns = patterns.on(catalogue)
    for name, pattern in patterns.patterns.items():
        for kind, text in pattern.when.leaves():
            _check_leaf(name, kind, text, patterns.columns, catalogue.factors)
    return patterns
