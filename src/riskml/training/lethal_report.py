"""What training a lethal model shows to people: plain JSON, n/N with exact intervals, no probability."""

from math import ceil

import numpy as np
from scipy.stats import chi2

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, in_every_language, message
from riskml.outcomes.definition import EXITS
from riskml.outcomes.labels import label_outcomes
from riskml.outcomes.timeline import FOREVER, moment_us
from riskml.training.lethal_sets import DAY, EXCLUSIONS
from riskml.training.report import note
from riskml.validation.bootstrap import percentile_interval
from riskml.validation.intervals import exact_interval
from riskml.validation.sample_size import development_sample_size

__all__ = ["concordance", "drawn_people", "lethal_report", "rate_interval", "words_of"]

STEP = 28 * DAY  # between two counts of who is at risk
TOP = 0.2  # of a set
FEWEST_PEOPLE = 5  # a bootstrap over fewer says nothing
FEW_CASES = 25  # EVIDENCE 6.5: with 10 to 25 cases only very strong factors can be shown [D]


def words_of(key, **fields):
    """A message of `lethal` in every language: dict of language -> str."""
    return in_every_language(f"lethal.{key}", **fields)


def _note(code, **fields):
    return {"code": code, **words_of(f"note_{code}", **fields)}


def rate_interval(events, years):
    """Exact interval of a rate per year of a count of events: (low, high).

    References
    ----------
    Garwood (1936), Biometrika 28:437.
    """
    low = chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    return float(low / years), float(chi2.ppf(0.975, 2 * events + 2) / 2 / years)


def lethal_report(spec, history, at_risk, sets, model, reference, catalogue, *, seed):
    """Everything that a reviewer of a lethal model has to see, but the competition.

    Parameters
    ----------
    spec : LethalSpec
    history : History
    at_risk : AtRisk
    sets : RiskSets
    model : LethalModel
    reference : DataFrame    factors of the relationships that are open now
    catalogue : Catalogue
    seed : int

    Returns
    -------
    dict    plain JSON but for numpy's numbers: model (the file), cases, controls, matching, exclusions,
        registry, exits, table, leave_one_out, sample_size, notes, words
    """
    size = _sample_size(spec, at_risk, sets)
    table = model.table().reset_index()
    labels = [spec.priors.label_of(name, catalogue.factors) for name in table["factor"]]
    rows = table.assign(label=labels).to_dict(orient="records")
    return {
        "kind": spec.file.kind,
        "model": spec.to_document(),
        "cases": sets.cases,
        "controls": int(sets.controls.sum()),
        "events": sets.events,
        "matching": _matching(spec, sets),
        "exclusions": [
            {
                "reason": reason,
                "events": sets.excluded[reason],
                "of": sets.events,
                "words": words_of(f"excluded_{reason}"),
            }
            for reason in EXCLUSIONS
        ],
        "registry": _registry(spec, history, at_risk, sets, reference),
        "exits": _exits(spec, history, sets),
        "table": rows,
        "leave_one_out": _left_out(model, sets, spec.file.bootstrap, seed),
        "sample_size": size,
        "notes": _notes(history, sets, model),
        "words": {lang: list(model.words(lang, factors=catalogue.factors)) for lang in LANGUAGES},
    }


def _matching(spec, sets):
    asked, controls = spec.file.sampling.controls, sets.controls
    return {
        "controls_asked": asked,
        "full_sets": int((controls == asked).sum()),
        "sets": sets.cases,
        "fewest_controls": int(controls.min()) if sets.cases else None,
        "people_drawn_as_controls": len(np.unique(sets.people[sets.outcome == 0].astype(str))),
        "matched_on": list(spec.file.sampling.matched_on),
        "words": {
            language: message(
                "lethal.matching",
                language,
                asked=asked,
                full=int((controls == asked).sum()),
                sets=sets.cases,
                matched=", ".join(
                    message(f"lethal.matched_{name}", language) for name in spec.file.sampling.matched_on
                )
                or message("lethal.matched_nothing", language),
            )
            for language in LANGUAGES
        },
    }


def _registry(spec, history, at_risk, sets, reference):
    """Counts of the registry behind its average: no rate is stored beside the relative risks."""
    until = moment_us(history.observed_until) - spec.outcome.reporting_lag_us
    first, allowed, open_together = int(at_risk.first.min(initial=FOREVER)), spec.priors.relationships, 0
    for moment in range(first, until, STEP):
        relationship = at_risk.relationship[at_risk.at(moment)[1]]
        inside = np.isin(relationship.astype(str), allowed) if allowed else np.ones(len(relationship), bool)
        open_together += int(inside.sum())
    return {
        "events": sets.cases + sets.excluded["no_control"],
        "relationship_years": round(open_together * STEP / (365.25 * DAY), 1),
        "open_now": len(reference),
        "relationships": list(allowed),
    }


def _exits(spec, history, sets):
    """What ended the controls' follow-up, as n/N of those followed for the whole horizon."""
    controls = sets.cohort[sets.outcome == 0].reset_index(drop=True)
    if not len(controls):
        return {"controls": 0, "followed": 0, **dict.fromkeys((*EXITS, "event"), 0)}
    labels = label_outcomes(history, controls, spec.outcome)
    counted = {kind: int((labels["exit"] == kind).sum()) for kind in EXITS}
    followed = int((labels["status"] != "censored").sum())
    events = int((labels["outcome"] == 1).sum())
    return {"controls": len(controls), "followed": followed, **counted, "event": events}


def concordance(margin, outcome, sets):
    """Of each set, the share of controls that stand below the case, ties half: float array (sets,).

    The mean over sets is the area under the ROC curve within sets: 0.5 is no discrimination.
    """
    case = np.empty(sets.max() + 1)
    case[sets[outcome == 1]] = margin[outcome == 1]
    controls = outcome == 0
    below = (margin[controls] < case[sets[controls]]) + 0.5 * (margin[controls] == case[sets[controls]])
    return np.bincount(sets[controls], below) / np.bincount(sets[controls])


def drawn_people(person, replicates, seed):
    """How often each set counts when the people of the cases are drawn again: float arrays (sets,)."""
    names, member = np.unique(person.astype(str), return_inverse=True)
    rng = np.random.default_rng(seed)
    for _ in range(replicates):
        drawn = rng.integers(0, len(names), len(names))
        yield np.bincount(drawn, minlength=len(names)).astype(float)[member]


def _left_out(model, sets, replicates, seed):
    """How each case ranks in its own set, judged without the set; with its interval, or why there is none."""
    if sets.cases < 2 or model.review is None:
        return {"missing": words_of("left_out_too_few", count=sets.cases)}
    try:
        margin = model.leave_one_out()["log_relative"].to_numpy()
    except RiskmlError:
        return {"missing": words_of("left_out_too_few", count=sets.cases)}
    each = concordance(margin, sets.outcome, sets.sets)
    # Half of those at the case's own height stand above it.
    controls = np.bincount(sets.sets[sets.outcome == 0])
    among_top = int(((1 - each) * controls / (controls + 1) < TOP).sum())
    low, high = exact_interval(among_top, sets.cases)
    found = {
        "sets": sets.cases,
        "people": len(np.unique(sets.person.astype(str))),
        "auc": float(each.mean()),
        "auc_low": None,
        "auc_high": None,
        "top_share": TOP,
        "among_top": among_top,
        "among_top_low": low,
        "among_top_high": high,
    }
    if found["people"] < FEWEST_PEOPLE or np.ptp(each) == 0:
        return found | {"auc_missing": words_of("auc_too_few", count=sets.cases)}
    means = [np.average(each, weights=w) for w in drawn_people(sets.person, replicates, seed)]
    found["auc_low"], found["auc_high"] = percentile_interval(means)
    return found


def _sample_size(spec, at_risk, sets):
    """Whether a flexible learner may be tried: Riley's criteria, and events for each factor."""
    settings, factors = spec.file.sample_size, len(spec.priors.factors)
    allowed = spec.priors.relationships
    inside = np.isin(at_risk.relationship.astype(str), allowed) if allowed else slice(None)
    people = len(np.unique(at_risk.aggressor[inside].astype(str)))
    events = len(np.unique(sets.person.astype(str)))
    verdict = development_sample_size(
        factors,
        settings.share_with_event,
        c_statistic=settings.c_statistic,
        shrinkage=settings.shrinkage,
    ).verdict(people, min(events, people))
    asked = settings.events_per_factor * factors
    flexible = bool(verdict.met and events >= asked)
    fields = {
        "people": f"{people:,}",
        "events": f"{events:,}",
        "factors": factors,
        "needed": f"{verdict.n:,}",
        "needed_events": f"{ceil(verdict.events):,}",
        "asked": f"{asked:,}",
    }
    return {
        "needed": verdict.n,
        "needed_events": ceil(verdict.events - 1e-9),
        "people": people,
        "events": events,
        "parameters": factors,
        "met": verdict.met,
        "events_for_flexible": asked,
        "flexible": flexible,
        "words": words_of("flexible_allowed" if flexible else "flexible_refused", **fields),
        "details": {language: list(verdict.words(language)) for language in LANGUAGES},
    }


def _notes(history, sets, model):
    """What a reader must know before looking at any figure."""
    notes = [note("synthetic")] if history.manifest.get("synthetic") else []
    if model.review is None:
        notes.append(_note("priors_alone", cases=sets.cases))
    elif sets.cases < FEW_CASES:
        notes.append(_note("few_cases", count=sets.cases))
    notes.append(_note("before_the_event"))
    if model.review is not None:
        notes.append(_note("reviewed_themselves"))
    return notes
