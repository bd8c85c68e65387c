"""The field's words, used by the registry, the catalogue, the models and the reasons alike.

Closed sets of codes stand here; the risk factors themselves are the agency's decision and are read from
`features/factors.yml`.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

import yaml

from riskml.errors import RiskmlError

__all__ = [
    "AUDIT_ONLY",
    "DIMENSIONS",
    "Factor",
    "FactorVocabulary",
    "LEVELS",
    "LOCALITIES",
    "MEASURE_KINDS",
    "OUTCOME_KINDS",
    "PARTNER_RELATIONSHIPS",
    "RELATIONSHIPS",
    "RESPONSE_KINDS",
    "SEVERITY",
    "SEXES",
    "SOURCES",
    "STAGES",
    "STATES",
    "did_you_mean",
    "load_factors",
]

SOURCES = (
    "911",
    "police_report",
    "protection_measure",
    "investigation_file",
    "precautionary_measure",
    "banevim",
)
STATES = ("denied", "present")  # in order: a factor that is present outranks one that is denied
LEVELS = ("low", "medium", "high", "critical")  # in order
MEASURE_KINDS = ("protection", "precautionary", "custody")
STAGES = ("file_opened", "charged", "detained", "released", "withdrawn", "convicted", "closed")
RESPONSE_KINDS = (
    "visit",
    "deterrent_message",
    "referral_aggressor",
    "referral_victim",
    "var_activation",
    "surveillance",
)
OUTCOME_KINDS = ("femicide", "attempted_femicide")
LOCALITIES = ("urban", "rural")
SEXES = ("female", "male")
# The relationship says who the aggressor is to the victim. Registries may hold others: this column is open.
RELATIONSHIPS = ("partner", "ex-partner", "son", "daughter", "father", "mother", "brother", "sister", "in-law", "other")
PARTNER_RELATIONSHIPS = ("partner", "ex-partner")

DIMENSIONS = ("aggressor", "victim", "acts", "relationship", "response")

# Severity of an incident, ordinal, to be ratified by the Task Force (EVIDENCE 5.6, [A]).
SEVERITY = {
    0: "verbal",
    1: "threat, psychological, economic, damage",
    2: "push or slap, stalking, breach",
    3: "injury under 15 days, confinement, weapon shown, death threat with means",
    4: "serious injury, hospital, strangulation, sexual assault, weapon used",
    5: "life-threatening",
    6: "death",
}

# For audits only. A catalogue that uses one of these as a predictor is refused.
AUDIT_ONLY = {
    ("victims", "sex"),
    ("cases", "municipality"),
    ("*", "ethnicity"),
    ("*", "language"),
    ("*", "nationality"),
    ("*", "municipality"),
    ("*", "neighbourhood"),
}


def did_you_mean(word, known):
    """Nearest known words, as a sentence; empty when nothing is near.

    >>> did_you_mean("wepon_used", ["weapon_used", "severity"])
    'Did you mean "weapon_used"?'
    """
    near = get_close_matches(str(word), [str(k) for k in known], n=3, cutoff=0.6)
    quoted = [f'"{word}"' for word in near]
    return f"Did you mean {' or '.join(quoted)}?" if near else ""


@dataclass(frozen=True)
class Factor:
    """One coded risk factor: its words, the dimension it speaks for, and the evidence behind it."""

    code: str
    label: dict  # language -> words
    dimension: str
    phrases: tuple = ()
    evidence: tuple = ()  # each: {study, effect, tag}
    relationships: tuple = ()  # empty: all
    recorded_in: tuple = ()


@dataclass(frozen=True)
class FactorVocabulary:
    """The agency's risk factors, by code."""

    factors: dict = field(default_factory=dict)

    def __contains__(self, code):
        return code in self.factors

    def __iter__(self):
        return iter(self.factors.values())

    def __len__(self):
        return len(self.factors)

    def __getitem__(self, code):
        return self.factors[code]

    @cached_property
    def codes(self):
        """The codes, in the file's order: tuple of str."""
        return tuple(self.factors)


def load_factors(path):
    """Read `factors.yml`.

    Parameters
    ----------
    path : path of a YAML file: code -> {label: {es, en}, dimension, phrases, evidence, ...}

    Returns
    -------
    FactorVocabulary

    Raises
    ------
    RiskmlError    the file is missing, is not YAML, or a factor lacks its labels or a known dimension
    """
    path = Path(path)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise RiskmlError(
            "no such file", where=str(path), mend="`riskml init DIR` makes a workspace with a starting vocabulary."
        ) from None
    except yaml.YAMLError as error:
        raise RiskmlError(f"not valid YAML: {error}", where=str(path)) from None
    entries = document.get("factors", document)
    factors, problems = {}, []
    for code, entry in entries.items():
        label = (entry or {}).get("label") or {}
        if not {"es", "en"} <= set(label):
            problems.append(f'factor "{code}": label needs both es and en')
        dimension = (entry or {}).get("dimension")
        if dimension not in DIMENSIONS:
            problems.append(
                f'factor "{code}": unknown dimension "{dimension}". {did_you_mean(dimension, DIMENSIONS)}'.strip()
            )
        if not problems:
            factors[code] = Factor(
                code=code,
                label=dict(label),
                dimension=dimension,
                phrases=tuple(entry.get("phrases") or ()),
                evidence=tuple(entry.get("evidence") or ()),
                relationships=tuple(entry.get("relationships") or ()),
                recorded_in=tuple(entry.get("recorded_in") or ()),
            )
    if problems:
        raise RiskmlError("; ".join(problems), where=str(path))
    return FactorVocabulary(factors)
