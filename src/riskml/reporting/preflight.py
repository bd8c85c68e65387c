"""The pre-flight of a review: questions in PROBAST+AI's structure, answered from what was measured.

A working checklist, a paraphrase ([M]) of PROBAST and its AI additions (EVIDENCE 5.2). No verdict is fixed:
each is computed from the model's report and its validation document. Where only people can answer, the
verdict is a concern that says what to look at. Limits marked [A] are proposals, to be ratified by the Task
Force.
"""

from dataclasses import dataclass

from riskml.messages import in_every_language
from riskml.reporting.document import part
from riskml.reporting.numbers import interval_words, percent, three
from riskml.reporting.preflight_validation import CONCERN, FAIL, PASS, VALIDATION_ANSWERS, answer
from riskml.vocabulary import AUDIT_ONLY, duration

__all__ = ["DOMAINS", "domain_verdicts", "preflight"]

DOMAINS = ("participants", "predictors", "outcome", "analysis", "fairness", "use")
FOLLOWED = 2 / 3  # [A]: share of assessments that are followed up in full
EXITS = 0.1  # [A]: share of assessments that leave before any event
FLEXIBLE = ("lightgbm", "blend")
FEWEST_EVENTS = 100  # EVIDENCE 5.5: events behind a calibration curve, the traditional rule [M]
_DAY = duration("1d")


def _person(name):
    """An answer that only people can give."""
    return lambda model, validation: answer(CONCERN, f"{name}_concern")


def _real(model, validation):
    history = model.card.get("history") or {}
    if history.get("synthetic"):
        return answer(FAIL, "real_fail")
    if not history.get("hash"):
        return answer(CONCERN, "real_concern")
    return answer(PASS, "real_pass", hash=history["hash"][:12])


def _followed(model, validation):
    counts = part(model.report, "split", "cohort") or {}
    if not counts.get("assessments") or "followed_up" not in counts:
        return answer(CONCERN, "followed_unknown")
    share = counts["followed_up"] / counts["assessments"]
    verdict = PASS if share >= FOLLOWED else CONCERN
    shown = {"followed": f"{counts['followed_up']:,}", "assessments": f"{counts['assessments']:,}"}
    return answer(verdict, f"followed_{verdict}", share=percent(share), **shown)


def evaluation_window(model):
    """The window that judged, or None."""
    windows = part(model.report, "split", "windows") or ()
    return next((w for w in windows if w["window"] == "evaluate"), None)


def _exits(model, validation):
    window = evaluation_window(model)
    exits = (window or {}).get("exits")
    if not exits or not window["assessments"]:
        return answer(CONCERN, "exits_unknown")
    left = sum(exits.values())
    share = left / window["assessments"]
    verdict = PASS if share <= EXITS else CONCERN
    shown = {"exits": f"{left:,}", "assessments": f"{window['assessments']:,}"}
    return answer(verdict, f"exits_{verdict}", share=percent(share, 1), **shown)


def _timing(model, validation):
    checks = part(validation, "leakage", "checks") or ()
    found = [check for check in checks if check["code"] in ("future_shift", "single_features")]
    if not found:
        return answer(CONCERN, "timing_unknown")
    return answer(
        max((check["verdict"] for check in found), key=(PASS, CONCERN, FAIL).index),
        "timing_found",
        words=lambda language: " ".join(check["words"][language] for check in found),
    )


def _audit_only(model, validation):
    if model.catalogue is None:
        return answer(CONCERN, "audit_only_concern")
    read = set(model.columns)
    held = sorted(
        column.name
        for column in model.catalogue.columns
        if column.name in read
        and not {(column.feature.table, column.feature.column), ("*", column.feature.column)}.isdisjoint(
            AUDIT_ONLY
        )
    )
    if held:
        return answer(FAIL, "audit_only_fail", names=", ".join(held))
    return answer(PASS, "audit_only_pass", columns=len(read))


def _outcome_fixed(model, validation):
    outcome = model.card.get("outcome") or {}
    named = model.card.get("estimand") and outcome.get("horizon") and outcome.get("reporting_lag")
    if not named or "competing_exits" not in outcome:
        return answer(CONCERN, "outcome_fixed_concern")
    return answer(PASS, "outcome_fixed_pass", horizon=outcome["horizon"], lag=outcome["reporting_lag"])


def _outcome_apart(model, validation):
    split, outcome = part(model.report, "split"), model.card.get("outcome") or {}
    if not split:
        return answer(CONCERN, "outcome_apart_unknown")
    if not split.get("prospective"):
        return answer(CONCERN, "outcome_apart_concern")
    if split.get("gap_days") is None or not outcome.get("reporting_lag"):
        return answer(CONCERN, "outcome_apart_unknown")
    needed = (duration(outcome["horizon"]) + duration(outcome["reporting_lag"])) / _DAY
    verdict = PASS if split["gap_days"] >= needed else FAIL
    return answer(verdict, f"outcome_apart_{verdict}", gap=f"{split['gap_days']:g}", needed=f"{needed:g}")


def _enough_to_learn(model, validation):
    found = part(model.report, "sample_size", "development")
    if not found or "words" not in found:
        return answer(CONCERN, "enough_to_learn_unknown")
    flexible = model.report.get("chosen") in FLEXIBLE
    verdict = PASS if found["met"] else (FAIL if flexible else CONCERN)
    return answer(verdict, f"enough_to_learn_{verdict}", words=found["words"].get)


def _enough_to_judge(model, validation):
    window = evaluation_window(model)
    if window and window["events"] < FEWEST_EVENTS:
        return answer(FAIL, "enough_to_judge_fail", events=window["events"])
    found = part(validation, "sample_size") or part(model.report, "sample_size", "evaluation")
    if not found or "words" not in found:
        return answer(CONCERN, "enough_to_judge_unknown")
    verdict = PASS if found["met"] else CONCERN
    return answer(verdict, f"enough_to_judge_{verdict}", words=found["words"].get)


def _beats_simple(model, validation):
    report = model.report
    rows = {row["candidate"]: row for row in report.get("comparison", ())}
    chosen, simplest = report.get("chosen"), report.get("simplest_not_worse")
    if chosen not in rows or simplest is None:
        return answer(CONCERN, "beats_simple_unknown")

    def label(name):
        return lambda language: rows[name]["label"][language] if name in rows else str(name)

    low = rows[chosen].get("auc_low")
    if low is None or low <= 0.5:
        return answer(FAIL, "beats_simple_fail", chosen=label(chosen))
    if simplest != chosen:
        return answer(CONCERN, "beats_simple_concern", chosen=label(chosen), simplest=label(simplest))
    return answer(PASS, "beats_simple_pass", chosen=label(chosen))


def _new_people(model, validation):
    found, own = part(validation, "unseen", "metrics", "auc"), part(model.report, "unseen_aggressors") or {}
    values = three(found) if found else (own.get("auc"), own.get("low"), own.get("high"))
    if values[0] is None or values[1] is None:
        return answer(CONCERN, "new_people_unknown")
    prospective = (part(model.report, "split") or {}).get("prospective")
    verdict = PASS if values[1] > 0.5 and prospective else CONCERN
    return answer(verdict, f"new_people_{verdict}", auc=lambda language: interval_words(values, language))


def _capacity(model, validation):
    metric = part(validation, "performance", "metrics", "recall_at_capacity")
    rows = {row["candidate"]: row for row in model.report.get("comparison", ())}
    values = three(metric) if metric else three(rows.get(model.report.get("chosen")), "recall_at_capacity")
    capacity = model.card.get("capacity")
    if values[0] is None or not capacity:
        return answer(CONCERN, "capacity_unknown")
    verdict = PASS if values[0] >= 0.5 and part(validation, "levels", "rows") else CONCERN
    return answer(
        verdict,
        f"capacity_{verdict}",
        capacity=capacity,
        recall=lambda language: interval_words(values, language, shown=percent, digits=0),
    )


def _priors(model, validation):
    rows = model.report["table"]
    shares = sorted(row["from_data"] for row in rows if row.get("from_data") is not None)
    median = shares[len(shares) // 2] if shares else 0.0
    verdict = PASS if median >= EXITS else CONCERN
    return answer(verdict, f"priors_{verdict}", factors=len(rows), share=percent(median))


@dataclass(frozen=True)
class Question:
    """A question with its domain, and the function that answers it from a model and a validation."""

    code: str
    domain: str
    answered: object


QUESTIONS = (
    Question("real", "participants", _real),
    Question("represents", "participants", _person("represents")),
    Question("followed", "participants", _followed),
    Question("exits", "participants", _exits),
    Question("audit_only", "predictors", _audit_only),
    Question("timing", "predictors", _timing),
    Question("same_meaning", "predictors", _person("same_meaning")),
    Question("outcome_fixed", "outcome", _outcome_fixed),
    Question("outcome_apart", "outcome", _outcome_apart),
    Question("blind", "outcome", _person("blind")),
    Question("enough_to_learn", "analysis", _enough_to_learn),
    Question("enough_to_judge", "analysis", _enough_to_judge),
    Question("beats_simple", "analysis", _beats_simple),
    Question("new_people", "analysis", _new_people),
    *(Question(code, "analysis", answered) for code, answered in VALIDATION_ANSWERS["analysis"].items()),
    *(Question(code, "fairness", answered) for code, answered in VALIDATION_ANSWERS["fairness"].items()),
    Question("recording", "fairness", _person("recording")),
    Question("capacity", "use", _capacity),
    Question("ratified", "use", _person("ratified")),
)
# A lethal model is judged by other means: relative risk beside its priors; no list, threshold or candidate.
LETHAL_QUESTIONS = (
    *(q for q in QUESTIONS if q.code in ("real", "represents", "audit_only", "same_meaning")),
    *(q for q in QUESTIONS if q.code in ("outcome_fixed", "blind", "recording", "ratified")),
    Question("priors", "analysis", _priors),
)


def preflight(model, validation):
    """Answer the pre-flight's questions.

    Parameters
    ----------
    model : Model or LethalBundle
    validation : dict    of `riskml.training.validate`; {} where there is none

    Returns
    -------
    list of dict    domain (of DOMAINS), code, question (language -> str), verdict ("pass", "concern" or
        "fail"), why (language -> str); in the order of DOMAINS
    """
    lethal = "table" in model.report and "comparison" not in model.report
    questions = LETHAL_QUESTIONS if lethal else QUESTIONS
    found = []
    for question in sorted(questions, key=lambda q: DOMAINS.index(q.domain)):
        verdict, why = question.answered(model, validation)
        asked = in_every_language(f"preflight.ask_{question.code}")
        found.append(
            {
                "domain": question.domain,
                "code": question.code,
                "question": asked,
                "verdict": verdict,
                "why": why,
            }
        )
    return found


def domain_verdicts(answers):
    """The worst verdict of each domain: dict of domain -> verdict, in order.

    Parameters
    ----------
    answers : list of dict    of `preflight`
    """
    ranks = (PASS, CONCERN, FAIL)
    worst = {}
    for found in answers:
        known = worst.get(found["domain"], PASS)
        worst[found["domain"]] = max(known, found["verdict"], key=ranks.index)
    return worst
