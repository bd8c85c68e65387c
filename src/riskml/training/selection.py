"""Which candidate the bundle holds: the simplest whose score does not differ from the best one's."""

from riskml.messages import LANGUAGES, message
from riskml.models.estimators import OneColumn
from riskml.training.report import SCORES, candidate_label
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.comparison import Comparison
from riskml.validation.forecast import NotEstimable
from riskml.validation.metrics import METRICS

__all__ = ["ORDER", "kept_learner", "select"]

# From simple to flexible. What is not among them is no model of a bundle: the analyst's level and the proxy
# instruments stand in the comparison, and in the registry, as they are.
ORDER = ("base_rate", "incidents", "days_since", "elastic_net", "by_relationship", "lightgbm", "blend")
SCORE = SCORES[0]  # whose best value names the best candidate


def _positions(encoding, spec):
    """Where the numbers of the plain baselines stand in the design: dict of candidate -> int."""
    columns = {"incidents": spec.baselines.incidents, "days_since": spec.baselines.days_since}
    places = {c.name: i for i, c in enumerate(encoding.columns) if c.rule == "number"}
    return {name: places[column] for name, column in columns.items() if column in places}


def kept_learner(candidate, encoding, spec):
    """The learner of a candidate as a bundle holds it: one that reads the whole design."""
    if candidate.name not in ("incidents", "days_since"):
        return candidate.learner
    return OneColumn(_positions(encoding, spec)[candidate.name], candidate.learner)


def select(candidates, outcome, people, encoding, spec, *, seed=0, language="es"):
    """Choose on predictions for people whom no candidate has learnt from, before the last window is seen.

    With `learners: {main: simplest}` it is the simplest of ORDER whose log loss and AUC do not differ from
    those of the one with the lowest log loss: the intervals of the differences, over aggressors, hold 0. A
    model file may also name one learner; where the sample size refused it, the penalised regression takes its
    place.

    Parameters
    ----------
    candidates : dict of name -> Candidate    with their cross-validated risk in the calibrate (develop)
        window
    outcome : array of {0, 1}, shape (n,)     of that window
    people : array, shape (n,)                aggressors
    encoding : Encoding
    spec : ModelFile
    seed : int
    language : str                            of the progress bar

    Returns
    -------
    dict    chosen, pinned (bool), refused (the learner that the file names, or None), score, order (those
        eligible), scores (candidate, log_loss, low, high, auc, worse_by, worse_low, worse_high: log loss than
        the best one's, auc_by, auc_low, auc_high: AUC less the best one's), words by language
    """
    plain = _positions(encoding, spec)
    eligible = [
        name
        for name in ORDER
        if name in candidates and (name not in ("incidents", "days_since") or name in plain)
    ]
    risks = {name: candidates[name].calibrate_risk for name in eligible}
    found = cluster_bootstrap(
        {name: METRICS[name].function for name in SCORES},
        outcome,
        risks,
        people,
        replicates=spec.bootstrap,
        seed=seed,
        language=language,
    )
    simplest = Comparison(found, {}).simplest(eligible, metric=SCORES)
    best = found.estimates[SCORE].idxmin()
    main = spec.learners.main
    refused = main if main != "simplest" and main not in candidates else None
    chosen = simplest if main == "simplest" else ("elastic_net" if refused else main)
    return {
        "chosen": chosen,
        "pinned": main != "simplest",
        "refused": refused,
        "score": SCORE,
        "order": eligible,
        "best": best,
        "scores": [_score(found, name, best) for name in eligible],
        "words": _words(main, chosen, best, refused),
    }


def _score(found, name, best):
    row = {"candidate": name, SCORE: float(found.estimates.loc[name, SCORE])}
    row["low"], row["high"] = _estimated(found.interval, name, SCORE)[:2]
    row["auc"] = float(found.estimates.loc[name, "auc"])
    for key, metric in (("worse", SCORE), ("auc", "auc")):
        by, low, high = (0.0, 0.0, 0.0) if name == best else _estimated(found.difference, name, best, metric)
        row |= {f"{key}_by": by, f"{key}_low": low, f"{key}_high": high}
    return row


def _estimated(asked, *of):
    """What the bootstrap says, as floats; three times None where it cannot."""
    try:
        return tuple(float(value) for value in asked(*of))
    except NotEstimable:
        return None, None, None


def _words(main, chosen, best, refused):
    labels = {name: candidate_label(name) for name in (chosen, best)}
    kind = "pinned" if main != "simplest" else ("simplest_is_best" if chosen == best else "simplest")
    said = {
        language: message(
            f"training.selection_{kind}",
            language,
            chosen=labels[chosen][language],
            best=labels[best][language],
        )
        for language in LANGUAGES
    }
    if refused:
        for language in LANGUAGES:
            said[language] += " " + message(
                "training.selection_refused", language, name=candidate_label(refused)[language]
            )
    return said
