"""Reviewed cases compared with the living: what was recorded of them before the event, and of others.

Only what the registry held by the day before the event is compared, of case and controls alike. What a review
found out besides is left out: the files of a femicide are searched as no living case is.
"""

import numpy as np
from scipy.stats import norm

from riskml.fatality.comparison.compared_states import EVER, exposures
from riskml.fatality.comparison.comparison_words import comparison_notes, comparison_summary, said
from riskml.fatality.comparison.conditional_logistic import joint_model, members_of
from riskml.fatality.comparison.exact_conditional import exact_conditional, mantel_haenszel, tables_of_sets
from riskml.fatality.comparison.risk_sets import EXCLUDED, RELAXED, matched_sets
from riskml.fatality.comparison.shrinkage import COMMON_FLOOR, FEW_SETS, common_spread, posterior_odds
from riskml.fatality.comparison.stated_power import recorded_shares, stated_power
from riskml.fatality.form import PRESENT
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import plain
from riskml.models.priors import PriorFile, load_priors
from riskml.progress import progress
from riskml.registry.history import History
from riskml.validation.multiplicity import false_discovery_rates

__all__ = ["FORMAT", "compare"]

FORMAT = "riskml fatality comparison 1"
_STEPS = 4
_READINGS = ("recorded", "known")


def compare(
    reviews, history, catalogue, items, *, controls=5, lookback=EVER, priors=None, seed=0, language="es"
):
    """Compare reviewed cases with relationships that were at risk on the same day and came to no harm.

    Parameters
    ----------
    reviews : Reviews
    history : History, or what `History.of` takes
    catalogue : Catalogue
    items : sequence of ReviewItem    the 41 items
    controls : int        for each case
    lookback : str        "ever", or a length such as "365d": the same for case and control
    priors : PriorFile, path or name of one, or None    published odds ratios; None: those that are shipped
    seed : int            of the controls drawn
    language : str        of the progress bar

    Returns
    -------
    dict    plain JSON, power first: power, matching, sets, cases, controls, reviewed, excluded,
        after_only_left_out, recording, not_read, shrinkage, rows, joint, words, notes. Where no case can be
        compared: missing, beside who was left out and why. Odds ratios without bound are null, and say so

    Raises
    ------
    RiskmlError    a lookback that is no length, no control asked for, priors that do not read, a table or
        column that the history lacks

    References
    ----------
    Breslow & Day (1980), Statistical Methods in Cancer Research 1. Benjamini & Hochberg (1995), Journal of
    the Royal Statistical Society B 57:289.
    """
    history = History.of(history)
    priors = priors if isinstance(priors, PriorFile) else load_priors(priors or "lethal")
    with progress(message("fatality_comparison.comparing", language), total=_STEPS) as step:
        sets = matched_sets(reviews, history, controls=controls, seed=seed)
        step()
        about = _about(reviews, sets, catalogue, lookback)
        if not sets.cases:
            return plain({"format": FORMAT, "missing": said("nobody", count=sets.reviewed), **about})
        found, frame, not_read = exposures(history, sets, catalogue, items, priors, lookback=lookback)
        power, recording = stated_power(sets, found), recorded_shares(sets, found)
        step()
        rows, shrinkage = _rows(found, sets, priors)
        step()
        joint = joint_model(frame, sets, priors, catalogue.factors) or {"missing": said("no_joint")}
        step()
    synthetic = history.manifest.get("synthetic") or reviews.about.get("synthetic")
    return plain(
        {
            "format": FORMAT,
            "power": power,
            **about,
            "recording": recording,
            "not_read": [{"factor": name, "label": label} for name, label in not_read],
            "shrinkage": shrinkage,
            "rows": rows,
            "joint": joint,
            "words": [
                power["words"],
                power["known"]["words"],
                about["matching"]["words"],
                recording["words"],
                comparison_summary(rows),
            ],
            "notes": comparison_notes(rows, shrinkage, lookback, synthetic),
        }
    )


def _about(reviews, sets, catalogue, lookback):
    """Who is compared with whom, who is not, and what is left out of it."""
    total = int(sets.controls.sum())
    steps = [(name, int((sets.step == name).sum())) for name in RELAXED]
    matched = {
        "controls_asked": sets.asked,
        "full_sets": int((sets.controls == sets.asked).sum()),
        "matched_on": ["relationship", "municipality", "length_of_record", "day"],
        "lookback": lookback,
        "relaxed": [
            {"step": name, "sets": n, "of": sets.cases, "words": said(f"relaxed_{name}")} for name, n in steps
        ],
        "controls": total,
        "words": said(
            "matching",
            count=sets.cases,
            of=sets.reviewed,
            controls=total,
            full=int((sets.controls == sets.asked).sum()),
            asked=sets.asked,
            strict=steps[0][1],
        ),
    }
    excluded = [
        {"reason": reason, "n": sets.excluded[reason], "of": sets.reviewed, "words": said(reason)}
        for reason in EXCLUDED
    ]
    return {
        "matching": matched,
        "sets": sets.cases,
        "cases": sets.cases,
        "controls": total,
        "reviewed": sets.reviewed,
        "excluded": excluded,
        "after_only_left_out": _after_only(reviews, catalogue.factors),
    }


def _after_only(reviews, factors):
    """Factors that came to light only after the event, in how many reviewed cases: left out of everything."""
    rows = reviews.factors.merge(reviews.cases[["review_id", "event_on"]], on="review_id")
    late = (rows["known"] == "after") | (rows["known_on"] >= rows["event_on"])
    counted = rows[late & (rows["state"] == PRESENT)].groupby("factor")["review_id"].nunique()
    order = counted.sort_values(ascending=False, kind="stable")
    return [
        {
            "factor": code,
            "label": dict(factors[code].label) if code in factors else dict.fromkeys(LANGUAGES, code),
            "n": int(n),
            "of": len(reviews),
        }
        for code, n in order.items()
    ]


def _rows(found, sets, priors):
    """Every item with its two readings, its prior and its posterior, and how they were drawn together."""
    rows = []
    exact = {name: [] for name in _READINGS}
    for exposure in found:
        row = {
            "factor": exposure.name,
            "item": exposure.item,
            "label": exposure.label,
            "response": exposure.response,
            "cases": exposure.counts(sets.outcome == 1),
            "controls": exposure.counts(sets.outcome == 0),
        }
        for name in _READINGS:
            row[name], one = _reading(getattr(exposure, name), sets)
            exact[name].append(one)
        rows.append(row)
    shrinkage = _shrunk(rows, found, exact, sets, priors)
    for name in _READINGS:
        q = false_discovery_rates([row[name].get("mid_p", np.nan) for row in rows])
        for row, value in zip(rows, q, strict=True):
            row[name]["q"] = value
    for row in rows:
        # What is said of a factor rests on those of whom it is known; what was recorded stands beside it.
        row["mantel_haenszel"], row["q"] = row["known"].pop("mantel_haenszel"), row["known"]["q"]
    return rows, shrinkage


def _reading(exposed, sets):
    """One reading of an item, plain, and its exact distribution or None where no set says anything."""
    tables = tables_of_sets(exposed, sets.outcome, sets.sets)
    exact = exact_conditional(tables)
    if exact is None:
        missing = {"missing": said("no_set")}
        return {"informative": 0, "mantel_haenszel": dict(missing)} | missing, None
    low, high = exact.interval()
    mid_low, mid_high = exact.interval(mid_p=True)
    reading = {
        "informative": exact.informative,
        "odds_ratio": exact.estimate,
        "low": low,
        "high": high,
        "p": exact.p_value(),
        "fisher_p": exact.fisher_p,
        "mid_p": exact.p_value(mid_p=True),
        "mid_low": mid_low,
        "mid_high": mid_high,
        "bound": None,
    }
    if exact.estimate == 0:
        reading |= {"bound": "below", "words": said("below", ratio=_two_digits(high))}
    elif np.isinf(exact.estimate):
        reading |= {"bound": "above", "words": said("above", ratio=_two_digits(low))}
    ends = mantel_haenszel(tables)
    reading["mantel_haenszel"] = (
        {"missing": said("one_side")}
        if ends is None
        else dict(zip(("odds_ratio", "low", "high"), ends, strict=True))
    )
    return reading, exact


def _two_digits(ratio):
    return f"{ratio:.{2 if ratio < 1 else 1}f}"


def _shrunk(rows, found, exact, sets, priors):
    """Write prior, posterior, moved and from_data into rows; how wide the common prior came out."""
    of_codes = {
        frozenset(priors.definition(name)[1]): place
        for place, name in enumerate(priors.factors)
        if priors.definition(name)[0] == "any"
    }
    names = list(priors.factors)
    inside = members_of(sets.relationship, sets.sets, sets.outcome, priors.relationships)
    published, spread = {}, {}
    for place, exposure in enumerate(found):
        # An item is that of a published factor where it is made of the same codes, whatever its name.
        prior = of_codes.get(frozenset(exposure.codes)) if exposure.item else names.index(exposure.name)
        if prior is not None:
            published[place] = prior
    for reading in _READINGS:
        tell = [
            one
            for place, one in enumerate(exact[reading])
            if one is not None and (place not in published or reading == "recorded")
        ]
        spread[reading] = (*common_spread(tell, sets=sets.cases), len(tell))
    for place, row in enumerate(rows):
        common = posterior_odds(exact["recorded"][place], 0.0, spread["recorded"][0])
        row["recorded"] |= _posterior(common)
        if place in published:
            prior = published[place]
            known = np.where(inside, found[place].known, np.nan)
            _, one = _reading(known, sets)
            joined = posterior_odds(one, priors.mean[prior], priors.sd[prior])
            row["prior"] = _prior(names[prior], priors)
        else:
            one = exact["known"][place]
            joined = posterior_odds(one, 0.0, spread["known"][0])
            row["prior"] = None
        row |= _posterior(joined)
        row["posterior"]["sets"] = 0 if one is None else one.informative
    return {
        "floor": COMMON_FLOOR if sets.cases < FEW_SETS else None,
        **{
            reading: {"sd": sd, "estimated": estimated, "factors": factors}
            for reading, (sd, estimated, factors) in spread.items()
        },
    }


def _posterior(found):
    return {
        "posterior": {"odds_ratio": found.odds_ratio, "low": found.low, "high": found.high},
        "moved": found.moved,
        "from_data": found.from_data,
    }


def _prior(name, priors):
    prior, place = priors.factors[name], list(priors.factors).index(name)
    mean, reach = priors.mean[place], norm.ppf(0.975) * priors.sd[place]
    return {
        "odds_ratio": float(np.exp(mean)),
        "low": float(np.exp(mean - reach)),
        "high": float(np.exp(mean + reach)),
        "tag": prior.tag,
        "study": prior.study,
        "starting_value": prior.prior_only,
    }
