"""The field's words, used by the registry, the catalogue, the models and the reasons alike.

Closed sets of codes stand here; the risk factors themselves are the agency's decision and are read from
`features/factors.yml`.
"""

import re
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from riskml.documents import Document, read_documents
from riskml.errors import RiskmlError

__all__ = [
    "ABSTAINED",
    "AUDIT_ONLY",
    "DIMENSIONS",
    "LEVELS",
    "LOCALITIES",
    "MEASURE_KINDS",
    "OUTCOME_KINDS",
    "PARTNER_RELATIONSHIPS",
    "RECORDED_IN",
    "RELATIONSHIPS",
    "RESPONSE_KINDS",
    "SEVERITY",
    "SEXES",
    "SOURCES",
    "STAGES",
    "STATES",
    "Evidence",
    "Factor",
    "FactorVocabulary",
    "did_you_mean",
    "duration",
    "load_factors",
    "moment_of",
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
ABSTAINED = "insufficient_data"  # suggested instead of a level: too little is known
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
RELATIONSHIPS = (
    "partner",
    "ex-partner",
    "son",
    "daughter",
    "father",
    "mother",
    "brother",
    "sister",
    "in-law",
    "other",
)
PARTNER_RELATIONSHIPS = ("partner", "ex-partner")

# Where a factor usually stands: a field of the registry, a narrative, a prosecutor's file, another
# register, or nowhere until somebody asks.
RECORDED_IN = ("structured", "narrative", "file", "other_register", "question")

DIMENSIONS = ("aggressor", "victim", "acts", "relationship", "response")

# Severity of an incident, ordinal, to be ratified by the Task Force ([A]: a proposal).
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


def duration(text):
    """Length of a time such as "90d" or "72h" in microseconds, int.

    Raises
    ------
    RiskmlError    not a whole number of days or hours, or longer than a century

    >>> duration("90d") == 90 * 24 * duration("1h")
    True
    """
    match = re.fullmatch(r"([0-9]{1,7})([dh])", str(text))
    hours = int(match[1]) * (24 if match[2] == "d" else 1) if match else 0
    if not match or hours > 36_525 * 24:
        raise RiskmlError(
            f'"{text}" is not a length of time',
            mend="Write a whole number of days or hours, such as 90d or 72h.",
        )
    return hours * 3_600_000_000


def moment_of(value, where="as_of", example="2026-01-05 or 2026-01-05 08:00"):
    """A moment in the registry's local time: pandas.Timestamp in microseconds.

    Parameters
    ----------
    value : date, datetime, timestamp or str
    where : str      how the error names what was given
    example : str    how the error shows it written

    Raises
    ------
    RiskmlError    no moment, or one with a timezone
    """
    import pandas as pd  # here, because every command reads this page and few of them a moment

    try:
        found = pd.Timestamp(value)
    except (TypeError, ValueError):
        found = pd.NaT
    if found is pd.NaT or found.tzinfo is not None:
        raise RiskmlError(
            f'"{value}" is not a moment of the registry\'s local time',
            where=where,
            mend=f"Write it like {example}, without a timezone.",
        )
    return found.as_unit("us")


@dataclass(frozen=True)
class Evidence:
    """One finding behind a factor: the study, the effect as it gives it, and how far that was checked."""

    study: str
    effect: str
    tag: str  # S:n seen in source n, M or M? from memory, D derived, A assumed
    prior_only: bool = False  # not checked: a starting value for a model, never shown as a fact


@dataclass(frozen=True)
class Factor:
    """One coded risk factor: its words, the dimension it speaks for, and the evidence behind it."""

    code: str
    label: dict  # language -> words
    dimension: str
    phrases: tuple = ()  # Spanish words by which a record says it
    evidence: tuple = ()  # of Evidence
    relationships: tuple = ()  # to whom it applies; empty: all
    recorded_in: tuple = ()  # of RECORDED_IN


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

    def to_document(self):
        """The vocabulary as plain values, JSON-able; `from_document` reads it."""
        return [asdict(factor) for factor in self]

    @classmethod
    def from_document(cls, document):
        """A vocabulary of what `to_document` gave."""
        factors = {}
        for entry in document:
            evidence = tuple(Evidence(**finding) for finding in entry["evidence"])
            lists = {key: tuple(entry[key]) for key in ("phrases", "relationships", "recorded_in")}
            factors[entry["code"]] = Factor(**{**entry, **lists, "evidence": evidence})
        return cls(factors)


def load_factors(path):
    """Read `factors.yml`.

    Parameters
    ----------
    path : path of a YAML file: code -> {label, dimension, phrases, evidence, relationships, recorded_in}

    Returns
    -------
    FactorVocabulary

    Raises
    ------
    RiskmlError    the file is missing or not YAML; or, all in one message with their lines: a factor without
                   both labels, an unknown dimension, key, relationship or place, a finding without its tag
    """
    path = Path(path)
    if not path.is_file():
        raise RiskmlError(
            "no such file",
            where=str(path),
            mend="`riskml init DIR` makes a workspace with a starting vocabulary.",
        )
    documents = read_documents(path)
    document = documents[0] if documents else Document({})
    value = document.value or {}
    at = ("factors",) if isinstance(value, dict) and "factors" in value else ()
    entries = value["factors"] if at else value
    if not isinstance(entries, dict):
        raise RiskmlError(
            "factors are a mapping of codes", where=str(path), mend="strangulation: {label: ...}"
        )
    name = f"{path.parent.name}/{path.name}"
    problems = [f'{name}, line {line}: "{key}" stands twice' for line, key in document.repeated]
    factors = {}
    for code, entry in entries.items():
        found = list(_factor_problems(code, entry))
        for key, what in found:
            line = document.line(*at, code, *([key] if key else []))
            problems.append(f'{name}, line {line}, factor "{code}": {what}'.strip())
        if not found:
            lists = {key: tuple(entry.get(key) or ()) for key in ("phrases", "relationships", "recorded_in")}
            evidence = tuple(Evidence(**finding) for finding in entry.get("evidence") or ())
            factors[code] = Factor(code, dict(entry["label"]), entry["dimension"], evidence=evidence, **lists)
    if len(problems) == 1:
        where, _, what = problems[0].partition(": ")
        raise RiskmlError(what, where=where)
    if problems:
        raise RiskmlError(f"{len(problems)} problems in the factors\n" + "\n".join(problems))
    return FactorVocabulary(factors)


def _factor_problems(code, entry):
    """What is wrong with one factor: pairs of the key at fault and the problem in words."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
        yield "", "a code is written in lower-case letters, digits and underscores"
    if ("*", code) in AUDIT_ONLY:
        yield "", f'"{code}" is for audits only and may be no factor'
    if not isinstance(entry, dict):
        yield "", "a factor is a mapping with label and dimension"
        return
    known = ("label", "dimension", "phrases", "evidence", "relationships", "recorded_in")
    for key in entry:
        if key not in known:
            yield key, f'unknown key "{key}". {did_you_mean(key, known)}'
    label = entry.get("label")
    words = isinstance(label, dict) and all(isinstance(w, str) and w.strip() for w in label.values())
    if not words or set(label) != {"es", "en"}:
        yield "label", "label needs words in es and in en"
    if entry.get("dimension") not in DIMENSIONS:
        dimension = entry.get("dimension")
        yield "dimension", f'unknown dimension "{dimension}". {did_you_mean(dimension, DIMENSIONS)}'
    for key, values in (("phrases", None), ("relationships", RELATIONSHIPS), ("recorded_in", RECORDED_IN)):
        yield from _list_problems(key, entry.get(key) or [], values)
    findings = entry.get("evidence") or []
    if not isinstance(findings, list):
        yield "evidence", "evidence is a list of findings {study, effect, tag}"
        return
    for finding in findings:
        yield from _finding_problems(finding)


def _list_problems(key, given, values):
    if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
        yield key, f"{key} is a list of words"
        return
    for position, word in enumerate(given):
        if values is not None and word not in values:
            yield key, f'unknown word "{word}" in {key}. {did_you_mean(word, values)}'
        if word in given[:position]:
            yield key, f'"{word}" stands twice in {key}'


def _finding_problems(finding):
    keys = {"study", "effect", "tag"}
    if not isinstance(finding, dict) or not keys <= set(finding) <= keys | {"prior_only"}:
        yield "evidence", "a finding has study, effect, tag and, where it was not checked, prior_only"
        return
    tag = str(finding["tag"])
    if not re.fullmatch(r"S:[0-9]+b?|M\??|D|A", tag):
        yield "evidence", f'unknown tag "{tag}": S:n, M, M?, D or A'
    if tag == "M?" and finding.get("prior_only") is not True:
        yield "evidence", "a finding tagged M? was not checked: mark it prior_only: true"
