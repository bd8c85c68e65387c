"""A rolling-origin backtest: the recipe learnt anew at several moments, each judged on what came next."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.models.bundle import plain
from riskml.models.splits import CROSS_FITTED
from riskml.outcomes.labels import label_outcomes
from riskml.progress import progress
from riskml.training.learn import candidates_of_split
from riskml.training.rebuilt import BLOCK, encoded, rows_of, thinned
from riskml.training.report import candidate_label
from riskml.training.sample_size import development_verdict
from riskml.training.selection import select
from riskml.training.strata import BY_RELATIONSHIP, by_relationship, strata_of
from riskml.training.validation_words import in_words, missing
from riskml.validation.backtest import labels_as_known, origins_table, rolling_origins
from riskml.validation.heterogeneity import over_origins
from riskml.validation.metrics import METRICS

__all__ = ["backtest", "days_needed", "origins_of"]

LEAST = 0.5  # share of the time before the first origin
DEVELOP = {"develop": 1.0, "evaluate": 1.0}
SELECTED = "selected"  # whatever the recipe itself would have kept at each origin
JUDGED_BY = (
    "auc",
    "average_precision",
    "brier",
    "scaled_brier",
    "log_loss",
    "calibration_intercept",
    "calibration_slope",
    "ici",
    "observed_expected",
)


def days_needed(gap_days, windows, smallest, origins):
    """Days that followed-up assessments must reach over for so many origins: int.

    Parameters
    ----------
    gap_days : float      horizon plus reporting lag
    windows : int         learning windows, each followed by a gap
    smallest : float      the smallest share of the learning windows' time
    origins : int
    """
    learning = windows * gap_days + BLOCK / smallest
    return int(np.ceil(max(learning / LEAST, BLOCK * origins / (1 - LEAST))))


def origins_of(as_of, shares, gap, origins):
    """Origins by the model's own windows; by one window in folds of people where these find no room.

    Parameters
    ----------
    as_of : array of datetime64, shape (n,)
    shares : dict         of the model file
    gap : timedelta64
    origins : int

    Returns
    -------
    (origins, fallback) : tuple of Origin (empty: there is no room at all), bool
    """
    asked = ((shares, False), (DEVELOP, True))
    for own, fallback in asked[:1] if set(shares) == set(CROSS_FITTED) else asked:
        try:
            return rolling_origins(as_of, shares=own, gap=gap, origins=origins, least=LEAST), fallback
        except RiskmlError as error:
            if error.where == "origins":
                raise
    return (), True


def backtest(found, *, origins, replicates):
    """Learn all candidates anew at several origins, and judge each on the time up to the next.

    At each origin the whole recipe runs on what was known then: labels as the registry had them, encoding,
    sample-size criteria, tuning in its own windows, choice of the learner, calibration. The grid of settings
    is the model file's, declared before any data; the search beyond it is left out. Each case counts once in
    28 days.

    Parameters
    ----------
    found : Rebuilt
    origins : int       at least 4
    replicates : int    of the bootstrap over aggressors

    Returns
    -------
    dict    origins (windows as `origins_table`), recipe (of each origin: refused and selected candidates, or
        why it was left out), candidates: name -> label and `OriginsSummary.document`, chosen, days, fallback,
        words; or why it is missing
    """
    data, spec = found.data, found.spec
    if not data.split.prospective:
        return missing("backtest_not_prospective")
    rows, days = thinned(found.cohort, np.arange(len(data.outcome)))
    cohort = found.cohort.iloc[rows].reset_index(drop=True)
    final = label_outcomes(found.history, cohort, spec.outcome)["outcome"].to_numpy()
    places, fallback = origins_of(data.as_of[rows], spec.split.shares, data.split.gap, origins)
    if not places:
        return _too_short(data, origins)
    known = rows_of(data, rows, final, None)

    def label(positions, known_at):
        part = cohort.iloc[positions]
        at = pd.Timestamp(known_at)
        return label_outcomes(found.history, part, spec.outcome, known_at=at)["outcome"].to_numpy()

    learnt = []
    with progress(message("validated.backtesting", found.language), total=origins) as advance:
        for place in places:
            own = replace(known, outcome=labels_as_known(label, place, final), split=place.split)
            learnt.append(_learnt(own, found))
            advance()
    judged, recipes = {}, []
    for place, (select_among, recipe, risks) in zip(places, learnt, strict=True):
        name, later = str(np.datetime64(place.at, "D")), place.split.rows["evaluate"]
        if risks:
            recipe = {"selected": select_among()["chosen"], **recipe}
            risks = risks | {SELECTED: risks[recipe["selected"]]}
        recipes.append({"origin": name, **recipe})
        for candidate, risk in risks.items():
            judged.setdefault(candidate, {})[name] = (final[later], risk, known.aggressor[later])
    return plain(
        {
            "origins": _origin_rows(places, final, known.aggressor),
            "recipe": recipes,
            "candidates": _summaries(judged, found, replicates),
            "chosen": found.chosen,
            "days": days,
            "fallback": fallback,
            "words": in_words("backtest_fallback" if fallback else "backtest", days=days, origins=origins),
        }
    )


def _too_short(data, origins):
    """Why there is no backtest, with the days that it would need."""
    as_of, day = data.as_of, np.timedelta64(1, "D")
    gap = float(data.split.gap / day)
    return missing(
        "backtest_too_short",
        origins=origins,
        days=int((as_of.max() - as_of.min()) / day),
        needed=days_needed(gap, 1, 1.0, origins),
    )


def _learnt(own, found):
    """Candidates of one origin.

    Returns
    -------
    select_among : callable, asked once no other progress bar is shown: what `select` says of the candidates
    recipe : dict    what is said of this origin; why it was left out
    risks : dict of name -> float array    on its evaluate rows; empty where it was left out
    """
    spec, split, seed = found.spec, own.split, found.model.card["seed"]
    few = _few_events(own, spec)
    if few:
        return None, few, {}
    encoding, inputs = encoded(own, spec, found.model.catalogue)
    size = development_verdict(
        len(encoding.columns),
        own.outcome[split.refit],
        own.aggressor[split.refit],
        c_statistic=spec.sample_size.c_statistic,
        shrinkage=spec.sample_size.shrinkage,
    )
    spec = _without_search(spec)
    candidates = candidates_of_split(own, inputs, spec, encoding, flexible=size.met, seed=seed)
    strata = strata_of(encoding, inputs.design)
    apart = strata and by_relationship(own, inputs, spec, encoding, strata, seed=seed)
    if apart:
        candidates[BY_RELATIONSHIP] = apart
    at, later = split.calibrate, split.rows["evaluate"]
    risks = {name: candidate.risk(inputs, later) for name, candidate in candidates.items()}
    select_among = partial(
        select,
        candidates,
        own.outcome[at],
        own.aggressor[at],
        encoding,
        spec,
        seed=seed,
        language=found.language,
    )
    return select_among, {"flexible": bool(size.met), "needed": size.n, "people": size.had}, risks


def _without_search(spec):
    """The recipe with the grid that the file declares and nothing searched beyond it."""
    trees = spec.learners.lightgbm.model_copy(update={"trials": 0})
    return spec.model_copy(update={"learners": spec.learners.model_copy(update={"lightgbm": trees})})


def _few_events(own, spec):
    """Why an origin is left out: too few events in one of its windows; else None."""
    learnt = int(own.outcome[own.split.refit].sum())
    fewest = min(int(own.outcome[rows].sum()) for rows in own.split.rows.values())
    if learnt >= spec.minimum.events_to_learn and fewest >= spec.minimum.events_to_judge:
        return None
    return missing("origin_few_events", learnt=learnt, fewest=fewest)


def _origin_rows(places, outcome, people):
    """`origins_table` with dates in place of times."""
    table = origins_table(places, outcome, people)
    for name in ("origin", "first", "last"):
        table[name] = table[name].dt.strftime("%Y-%m-%d")
    return table.to_dict(orient="records")


def _summaries(judged, found, replicates):
    """What each candidate did over the origins that it was learnt at."""
    metrics = {name: METRICS[name].function for name in JUDGED_BY}
    summaries = {}
    for name, own in judged.items():
        label = in_words("candidate_selected") if name == SELECTED else candidate_label(name)
        if len(own) < 2:
            summaries[name] = {"label": label, **missing("few_origins", origins=len(own))}
            continue
        shared = {"replicates": replicates, "seed": found.seed, "language": found.language}
        summaries[name] = {"label": label, **over_origins(metrics, own, **shared).document()}
    return summaries
