"""What a charge says: its severity, whether it is violence against a person, and the risk factors it
names."""

import re
from functools import cache
from pathlib import Path

import pandas as pd
import yaml

__all__ = ["docket_rules", "read_charges", "read_dispositions"]

WEAPON_SHOWN, WEAPON_USED = 3, 4  # severities


@cache
def _rules():
    return yaml.safe_load(Path(__file__).with_name("statutes.yml").read_text(encoding="utf-8"))


def docket_rules():
    """Docket event -> what it means: dict with any of `measure`, `ends`, `stage`, `factors`."""
    return _rules()["docket"]


@cache
def _statute_rule(statute):
    """The longest entry that a statute number starts with, whole parts only; None where there is none."""
    for length in range(len(statute), 0, -1):
        follows = statute[length : length + 1]
        whole = not (statute[length - 1].isalnum() and follows.isalnum())
        if whole and statute[:length] in _rules()["statutes"]:
            return _rules()["statutes"][statute[:length]]
    return None


@cache
def _reading(description, statute, penalty):
    """Severity, violent, and factors of a kind of charge, before the modifiers of weapon and attempt."""
    # Local ordinances adopt state statutes under their own numbers: "32.03/947.01(1)".
    adopted = re.search(r"9[0-9]{2}\.[0-9]+(\([0-9a-z]+\))*$", statute)
    rule = _statute_rule(statute) or (_statute_rule(adopted[0]) if adopted else None)
    if rule is None and "disorderly" in description.lower():
        rule = _rules()["statutes"]["947.01"]
    rule = rule or {"severity": _rules()["classes"].get(penalty, 1)}
    factors = set(rule.get("factors", ()))
    for entry in _rules()["descriptions"]:
        if entry["words"] in description.lower():
            factors |= set(entry["factors"])
    return rule["severity"], rule.get("violent", False), tuple(sorted(factors))


def _modified(severity, weapon, attempt):
    if weapon:
        severity = max(severity, WEAPON_USED if severity >= WEAPON_SHOWN else WEAPON_SHOWN)
    if attempt and severity >= WEAPON_USED:
        severity -= 1
    return severity


def read_charges(charges):
    """What each charge says.

    Parameters
    ----------
    charges : DataFrame of description, statute, severity (penalty class), domestic_abuse, attempt, weapon

    Returns
    -------
    DataFrame, index as `charges`, of `level` (severity 0-6), `violent` (against a person), `felony`, and
    `factors` (tuple of codes)
    """
    words = charges[["description", "statute", "severity"]].astype(object)
    words = words.where(words.notna(), "")
    levels, violent, factors = [], [], []
    for (description, statute, penalty), weapon, attempt in zip(
        words.itertuples(index=False, name=None), charges["weapon"], charges["attempt"], strict=True
    ):
        level, against_person, named = _reading(description, statute.strip(), penalty)
        if weapon:
            named = (*named, "weapon_used" if against_person else "weapon_threat")
        levels.append(_modified(level, weapon, attempt))
        violent.append(against_person)
        factors.append(named)
    return pd.DataFrame(
        {
            "level": levels,
            "violent": violent,
            "felony": words["severity"].str.startswith("Felony").to_numpy(bool),
            "factors": factors,
        },
        index=charges.index,
    )


def read_dispositions(dispositions):
    """The stage that each disposition reaches: list of str, None where there is none."""

    @cache
    def stage(disposition):
        return next(s for start, s in _rules()["dispositions"].items() if disposition.startswith(start))

    return [None if pd.isna(d) else stage(d) for d in dispositions]
