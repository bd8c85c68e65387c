"""All pre-specified factors together: a penalised conditional logistic regression of the matched sets."""

import numpy as np
from scipy.stats import norm

from riskml.models.prior_logistic import data_alone, fit_prior_logistic
from riskml.models.relative_risk import combined_states
from riskml.models.reviewed_cases import Review

__all__ = ["joint_model", "members_of"]

_REACH = norm.ppf(0.975)


def members_of(relationship, sets, outcome, allowed):
    """The rows of the sets of which a case is one of these relationships, where a control is left.

    Parameters
    ----------
    relationship : object array, (n,)
    sets : int array, (n,)
    outcome : array of {0, 1}, (n,)
    allowed : sequence of str    empty: all

    Returns
    -------
    bool array, shape (n,)
    """
    inside = np.isin(relationship.astype(str), list(allowed)) if len(allowed) else np.ones(len(sets), bool)
    count = int(sets.max()) + 1 if len(sets) else 0
    complete = [np.bincount(sets, inside & (outcome == y), minlength=count) > 0 for y in (0, 1)]
    return inside & (complete[0] & complete[1])[sets]


def joint_model(frame, sets, priors, factors=None):
    """Prior, data and posterior of each pre-specified factor, all in one model.

    Parameters
    ----------
    frame : DataFrame    states of the factors in every member of the sets, `relationship` among them
    sets : MatchedSets
    priors : PriorFile
    factors : FactorVocabulary or None    for labels

    Returns
    -------
    dict or None    sets, cases, controls and rows, each of factor, label, tag, study, starting_value, cases
        and controls (present, known), prior, data (odds_ratio None: the data cannot tell) and posterior with
        their intervals, moved and from_data; None where no set is of a relationship that the priors speak of

    Notes
    -----
    Unknown factors are marginalised, never taken for denied: `models.prior_logistic`.
    """
    inside = members_of(sets.relationship, sets.sets, sets.outcome, priors.relationships)
    if not inside.any():
        return None
    definitions = {name: priors.definition(name) for name in priors.factors}
    x = combined_states(frame[inside], definitions)[0]
    review = Review.of(x, sets.outcome[inside], shares=priors.shares, sets=sets.sets[inside])
    fit = fit_prior_logistic(review, priors.mean, priors.sd)
    alone, alone_sd = data_alone(review)
    rows = []
    for place, (name, prior) in enumerate(priors.factors.items()):
        shrink = (fit.sd[place] / fit.prior_sd[place]) ** 2
        rows.append(
            {
                "factor": name,
                "label": dict(priors.label_of(name, factors)),
                "tag": prior.tag,
                "study": prior.study,
                "starting_value": prior.prior_only,
                **{who: _counted(x[review.y == y, place]) for who, y in (("cases", 1), ("controls", 0))},
                "prior": _ratio(fit.prior_mean[place], fit.prior_sd[place]),
                "data": _ratio(alone[place], alone_sd[place]),
                "posterior": _ratio(fit.coefficients[place], fit.sd[place]),
                "moved": (fit.coefficients[place] - fit.prior_mean[place]) / fit.prior_sd[place],
                "from_data": float(np.clip(1 - shrink, 0, 1)),
            }
        )
    cases = int(review.y.sum())
    return {"sets": cases, "cases": cases, "controls": len(review.y) - cases, "rows": rows}


def _counted(states):
    return {"present": int((states == 1).sum()), "known": int((~np.isnan(states)).sum())}


def _ratio(mean, sd):
    if np.isnan(mean):
        return {"odds_ratio": None, "low": None, "high": None}
    return {
        "odds_ratio": float(np.exp(mean)),
        "low": float(np.exp(mean - _REACH * sd)),
        "high": float(np.exp(mean + _REACH * sd)),
    }
