"""How a model did on the rows that judge it: performance, people it never saw, sample size, recalibration."""

import numpy as np

from riskml.messages import LANGUAGES
from riskml.models.bundle import plain
from riskml.training.sample_size import evaluation_verdict, sample_size_report
from riskml.training.validation_words import in_words, missing
from riskml.validation.calibration_curve import calibration_curve, calibration_groups
from riskml.validation.comparison import compare
from riskml.validation.forecast import NotEstimable, logit
from riskml.validation.metrics import METRICS
from riskml.validation.recalibration import advised_kind, recalibrate
from riskml.validation.subgroups import Minimum, group_counts

__all__ = [
    "calibration_figures",
    "evaluation_size",
    "performance",
    "recalibration_advice",
    "unseen_performance",
]


def _figures(judged, name):
    """The metrics of one candidate of a Comparison, each with its interval or why there is none."""
    found = {}
    for metric, estimate in judged.bootstrap.estimates.loc[name].items():
        row = {"estimate": estimate, "low": None, "high": None, "not_estimable": None}
        try:
            row["low"], row["high"] = judged.bootstrap.interval(name, metric)
        except NotEstimable as reason:
            row["not_estimable"] = {language: reason.words(language) for language in LANGUAGES}
        found[metric] = row
    return found


def performance(found):
    """All metrics of the model on the rows that judge, by the same draws as its report.

    Parameters
    ----------
    found : Rebuilt

    Returns
    -------
    dict    n, events, people, candidate, metrics: name -> estimate, low, high, not_estimable; best and target
        of each
    """
    outcome, risk, people = found.judged
    judged = compare(
        outcome,
        {found.chosen: risk},
        people,
        as_of=found.data.as_of[found.later],
        capacity=found.spec.capacity,
        replicates=found.spec.bootstrap,
        seed=found.model.card["seed"],
        language=found.language,
    )
    return plain(
        {
            "candidate": found.chosen,
            "n": len(outcome),
            "events": int(outcome.sum()),
            "people": len(np.unique(people)),
            "metrics": _figures(judged, found.chosen),
            "best": {name: {"best": m.best, "target": m.target} for name, m in METRICS.items()},
        }
    )


def calibration_figures(found):
    """Calibration curve and groups of the rows that judge: those of the report, or of a version moved since.

    Parameters
    ----------
    found : Rebuilt

    Returns
    -------
    dict    curve, groups, curve_missing (why the curve is empty, or None); judged_on (words) where the
        version was recalibrated on these rows
    """
    report = found.model.report
    if "recalibration" not in found.model.card:
        return {
            "curve": report["calibration_curve"],
            "groups": report["calibration_groups"],
            "curve_missing": report.get("calibration_curve_missing"),
        }
    outcome, risk, people = found.judged
    curve = calibration_curve(
        outcome, risk, people, replicates=found.spec.bootstrap, seed=found.model.card["seed"]
    )
    window = found.model.card["recalibration"]["window"]
    return plain(
        {
            "curve": curve.to_dict(orient="records"),
            "groups": calibration_groups(outcome, risk).to_dict(orient="records"),
            "curve_missing": None,
            "judged_on": in_words("recalibrated_on", first=window["first"], last=window["last"]),
        }
    )


def unseen_performance(found, *, replicates):
    """The same metrics on the assessments of aggressors that no earlier window held.

    Parameters
    ----------
    found : Rebuilt
    replicates : int    of the bootstrap over aggressors

    Returns
    -------
    dict    n, events, people, of_people (all that were judged), metrics without the one of weekly lists; or
        why they are missing
    """
    outcome, risk, people = found.judged
    rows = np.flatnonzero(~np.isin(people, found.seen))
    counts = group_counts(outcome[rows], people[rows])
    try:
        Minimum().check(counts)
        judged = compare(
            outcome[rows],
            {found.chosen: risk[rows]},
            people[rows],
            replicates=replicates,
            seed=found.seed,
            language=found.language,
        )
    except NotEstimable as reason:
        return missing(reason)
    return plain(
        {
            "n": counts.n,
            "events": counts.events,
            "people": counts.people,
            "people_with_event": counts.people_with_event,
            "of_people": len(np.unique(people)),
            "metrics": _figures(judged, found.chosen),
        }
    )


def evaluation_size(found):
    """Whether the people who judge the model are enough: as the evaluation part of `sample_size_report`."""
    outcome, _, people = found.judged
    verdict = evaluation_verdict(outcome, people, c_statistic=found.spec.sample_size.c_statistic)
    return sample_size_report(verdict, verdict)["evaluation"]


def recalibration_advice(found, metrics, *, replicates):
    """Whether calibration on the rows that judge asks for a recalibration, and what one would bring.

    Parameters
    ----------
    found : Rebuilt
    metrics : dict      of `performance`
    replicates : int

    Returns
    -------
    dict    advised (none, intercept, intercept_slope), words, recalibration (its document, None, or why it
        is missing), brings (words by language, or None)
    """
    kind = advised_kind(metrics)
    document = brings = None
    if kind != "none":
        outcome, risk, people = found.judged
        as_of = found.data.as_of[found.later]
        try:
            learnt = recalibrate(
                logit(risk),
                outcome,
                people,
                kind=kind,
                base=found.model.version,
                first=str(np.datetime64(as_of.min(), "D")),
                last=str(np.datetime64(as_of.max(), "D")),
                replicates=replicates,
                seed=found.seed,
                language=found.language,
            )
            document, brings = learnt.to_document(), learnt.words()
        except NotEstimable as reason:
            document = missing(reason)
    return plain(
        {
            "advised": kind,
            "words": in_words(f"recalibration_{kind}"),
            "recalibration": document,
            "brings": brings,
        }
    )
