"""LightGBM beside the penalised regression on the same reviewed rows, where there are cases enough for it."""

import numpy as np

from riskml.models.prior_logistic import fit_prior_logistic
from riskml.models.reviewed_cases import Review
from riskml.models.splits import grouped_folds
from riskml.models.trees import boost
from riskml.training.lethal_report import concordance, drawn_people, words_of
from riskml.validation.bootstrap import percentile_interval

__all__ = ["compete", "competition_report"]

# Declared before any data are seen: shallow, slow, and each leaf of many people.
TREES = {"num_leaves": 6, "learning_rate": 0.05, "min_people_in_leaf": 30, "lambda_l2": 5.0}
ROUNDS = 200


def competition_report(spec, model, sets, sample_size, *, seed):
    """The competition, or why there is none.

    Parameters
    ----------
    spec : LethalSpec
    model : LethalModel
    sets : RiskSets
    sample_size : dict    of the report
    seed : int

    Returns
    -------
    dict    `refused` in words; or as `compete`
    """
    if not sample_size["flexible"] or model.review is None:
        return {"refused": sample_size["words"]}
    priors = spec.priors.mean, spec.priors.sd
    return compete(model.review, priors, sets.person, sets.people, replicates=spec.file.bootstrap, seed=seed)


def compete(review, priors, person, people, *, replicates=500, seed=0):
    """Both learners on people whom neither has seen, within the same risk sets.

    The trees read what the regression reads: an unknown factor stands between denied and present, at its
    share without the event, and effects go the way the priors say, so that how often a factor is recorded
    tells neither of them anything.

    Parameters
    ----------
    review : Review           with risk sets
    priors : (mean, sd)       float arrays, (p,)
    person : array, (sets,)   the person of each set's case
    people : array, (n,)      the person of each row
    replicates, seed : int

    Returns
    -------
    dict
        candidates : list of name, auc, low, high (within sets), log_score (mean log of the chance that the
            set's members give to its case)
        difference : LightGBM's log score minus the regression's, with its interval
        verdict : lightgbm, no_difference or regression; words
    """
    mean, sd = priors
    fold_of_set = grouped_folds(person, np.ones(len(person)), seed=seed)
    margins = {name: np.empty(len(review.y)) for name in ("regression", "lightgbm")}
    filled = np.where(review.unknown, review.shares, review.x)
    directions = [int(direction) for direction in np.sign(mean)]
    for fold in np.unique(fold_of_set):
        held = fold_of_set[review.sets] == fold
        train = _others(review, held, people)
        part = review.rows(train)
        part = Review(part.x, part.y, part.shares, part.weights, part.offset, _numbered(part.sets))
        fit = fit_prior_logistic(part, mean, sd)
        margins["regression"][held] = fit.margin(review.x[held])
        repeated = train.sum() / len(np.unique(people[train].astype(str)))
        trees = boost(
            filled[train],
            review.y[train],
            TREES,
            ROUNDS,
            directions=directions,
            seed=seed,
            rows_per_person=repeated,
        )
        margins["lightgbm"][held] = trees.margin(filled[held])
    return _judged(margins, review, person, replicates, seed)


def _others(review, held, people):
    """Rows of whole sets without anybody of the held ones: bool array."""
    held_people = np.unique(people[held].astype(str))
    free = ~held & ~np.isin(people.astype(str), held_people)
    count = review.sets.max() + 1
    whole = (np.bincount(review.sets[free], review.y[free], count) == 1) & (
        np.bincount(review.sets[free], 1 - review.y[free], count) > 0
    )
    return free & whole[review.sets]


def _numbered(sets):
    return np.unique(sets, return_inverse=True)[1]


def _log_scores(margin, review):
    """Log of the chance that each set gives to its case: float array (sets,)."""
    highest = np.full(review.sets.max() + 1, -np.inf)
    np.maximum.at(highest, review.sets, margin)
    total = np.bincount(review.sets, np.exp(margin - highest[review.sets]))
    case = review.y == 1
    score = np.empty(len(highest))
    score[review.sets[case]] = margin[case]
    return score - highest - np.log(total)


def _judged(margins, review, person, replicates, seed):
    drawn = list(drawn_people(np.asarray(person, dtype=object), replicates, seed))
    scores = {name: _log_scores(margin, review) for name, margin in margins.items()}
    candidates = []
    for name, margin in margins.items():
        each = concordance(margin, review.y, review.sets)
        low, high = percentile_interval([np.average(each, weights=w) for w in drawn])
        row = {"name": name, "label": words_of(f"candidate_{name}"), "auc": each.mean()}
        candidates.append(row | {"low": low, "high": high, "log_score": scores[name].mean()})
    gain = scores["lightgbm"] - scores["regression"]
    low, high = percentile_interval([np.average(gain, weights=w) for w in drawn])
    verdict = "lightgbm" if low > 0 else "regression" if high < 0 else "no_difference"
    fields = {"gain": f"{gain.mean():+.3f}", "low": f"{low:+.3f}", "high": f"{high:+.3f}"}
    return {
        "candidates": candidates,
        "difference": {"log_score": gain.mean(), "low": low, "high": high},
        "verdict": verdict,
        "words": words_of(f"competition_{verdict}", **fields),
    }
