"""Answers of the pre-flight that come from the validation document alone."""

from riskml.messages import LANGUAGES, message
from riskml.reporting.document import part
from riskml.reporting.numbers import interval_words, number, three

__all__ = ["CONCERN", "FAIL", "PASS", "VALIDATION_ANSWERS", "answer"]

PASS, CONCERN, FAIL = "pass", "concern", "fail"
REFITS = 200  # EVIDENCE 5.4: refits that stability asks for [M]
OFTEN, FAR_TOO_OFTEN = 0.25, 0.5  # [A]: shares of cases whose level often flips
OFF = (0.8, 1.25)  # [A]: slope and observed by expected beyond which frequencies mislead
ORIGINS = 4
MOVED = 0.02  # [A]: change of the AUC by responses that is worth a word


def answer(verdict, name, /, **fields):
    """A verdict with its words by language.

    Parameters
    ----------
    verdict : "pass", "concern" or "fail"
    name : str    message of `preflight`
    fields        what stands in its braces; callables are asked for each language

    Returns
    -------
    (verdict, dict of language -> str)
    """
    words = {}
    for language in LANGUAGES:
        shown = {k: v(language) if callable(v) else v for k, v in fields.items()}
        words[language] = message(f"preflight.{name}", language, **shown)
    return verdict, words


def _shown(values):
    return lambda language: interval_words(values, language)


def _over_time(model, validation):
    candidates = part(validation, "backtest", "candidates") or {}
    found = candidates.get(model.report.get("chosen")) or candidates.get("selected") or {}
    rows = [row for row in found.get("by_origin", ()) if row["metric"] == "auc"]
    rows = [row for row in rows if row["estimate"] is not None]
    if not rows:
        return answer(CONCERN, "over_time_unknown")
    overall = next((row for row in found["overall"] if row["metric"] == "auc"), {})
    falls = overall.get("change_high") is not None and overall["change_high"] < 0
    firm = all(row["low"] is not None and row["low"] > 0.5 for row in rows)
    verdict = PASS if firm and not falls and len(rows) >= ORIGINS else CONCERN
    estimates = [row["estimate"] for row in rows]
    shown = {"lowest": number(min(estimates), 2), "highest": number(max(estimates), 2)}
    return answer(verdict, f"over_time_{verdict}", origins=len(rows), **shown)


def _off(values):
    """Whether a figure whose ideal is 1 is far from it, with its whole interval away from 1."""
    estimate, low, high = values
    return low is not None and not low <= 1 <= high and not OFF[0] <= estimate <= OFF[1]


def _calibrated(model, validation):
    rows = {row["candidate"]: row for row in model.report.get("comparison", ())}
    own, found = rows.get(model.report.get("chosen")), part(validation, "performance", "metrics") or {}
    values = {
        name: three(found[name]) if name in found else three(own, name)
        for name in ("calibration_slope", "observed_expected")
    }
    if any(value is None for three_values in values.values() for value in three_values):
        return answer(CONCERN, "calibrated_unknown")
    verdict = PASS
    if any(not low <= 1 <= high for _, low, high in values.values()):
        verdict = FAIL if any(_off(value) for value in values.values()) else CONCERN
    slope, ratio = (_shown(value) for value in values.values())
    return answer(verdict, f"calibrated_{verdict}", slope=slope, ratio=ratio)


def _leakage(model, validation):
    found = part(validation, "leakage")
    if not found:
        return answer(CONCERN, "leakage_unknown")
    worst = [check for check in found["checks"] if check["verdict"] == found["verdict"]]
    return answer(
        found["verdict"],
        "leakage_found",
        verdict=lambda language: message(f"validation.verdict_{found['verdict']}", language),
        words=lambda language: " ".join(check["words"][language] for check in worst),
    )


def _stable(model, validation):
    found = part(validation, "stability")
    if not found:
        return answer(CONCERN, "stable_unknown")
    summary = {row["figure"]: row for row in found["summary"]}
    often = (summary.get("cases_that_flip_often") or {}).get("estimate")
    verdict = PASS if found["refits"] >= REFITS and (often is None or often <= OFTEN) else CONCERN
    verdict = FAIL if often is not None and often > FAR_TOO_OFTEN else verdict
    return answer(verdict, f"stable_{verdict}", words=found["words"].get)


def _useful(model, validation):
    rows = part(validation, "utility", "decision_curve") or ()
    rows = [row for row in rows if row.get("model") is not None]
    if not rows:
        return answer(CONCERN, "useful_unknown")
    helps = 0
    for row in rows:
        gain = row.get("gain_low")
        if gain is None and row.get("model_low") is not None:
            gain = row["model_low"] - max(row.get("all") or 0.0, 0.0)
        helps += gain is not None and gain > 0
    if not helps:
        return answer(CONCERN, "useful_concern", total=len(rows))
    return answer(PASS, "useful_pass", count=helps, total=len(rows))


def _same_version(model, validation):
    version = part(validation, "model", "version")
    if not version:
        return answer(CONCERN, "same_version_unknown")
    if version != model.version:
        return answer(FAIL, "same_version_fail", version=model.version, other=str(version))
    return answer(PASS, "same_version_pass", version=version)


def _treatment(model, validation):
    auc = part(validation, "treatment", "at_reference", "metrics", "auc")
    if not auc:
        exposed = any(entry.get("exposure") for entry in model.report.get("importance", ()))
        none = isinstance(validation.get("treatment"), dict) and not exposed
        return answer(PASS, "treatment_none") if none else answer(CONCERN, "treatment_unknown")
    moved = auc["difference"]["estimate"]
    verdict = PASS if abs(moved) <= MOVED else CONCERN
    shown = {"auc": _shown(three(auc["model"])), "reference": _shown(three(auc["at_reference"]))}
    return answer(verdict, f"treatment_{verdict}", **shown)


def _groups(model, validation):
    rows = part(validation, "fairness", "rows")
    if not rows:
        return answer(CONCERN, "groups_unknown")
    missed = [row for row in rows if row["metric"] == "false_negative_rate"]
    estimable = sum(row["estimate"] is not None for row in missed)
    standing = [row for row in rows if row.get("q_value") is not None and row["q_value"] < 0.05]
    counts = {"estimable": estimable, "total": len(missed)}
    if standing:

        def names(language):
            listed = dict.fromkeys(
                f"{row['grouping_name'][language]}: {row['group_name'][language]}" for row in standing
            )
            return "; ".join(listed)

        return answer(CONCERN, "groups_concern", standing=len(standing), names=names, **counts)
    if 2 * estimable < len(missed):
        return answer(CONCERN, "groups_few", **counts)
    return answer(PASS, "groups_pass", **counts)


VALIDATION_ANSWERS = {
    "analysis": {
        "over_time": _over_time,
        "calibrated": _calibrated,
        "leakage": _leakage,
        "stable": _stable,
        "useful": _useful,
        "same_version": _same_version,
        "treatment": _treatment,
    },
    "fairness": {"groups": _groups},
}
