"""What a model's lists and thresholds bring: decision curves, weekly lists, and how early they warn."""

import numpy as np
import pandas as pd

from riskml.features.matrix import build_features
from riskml.models.bundle import plain
from riskml.models.estimators import one_number
from riskml.outcomes.cohort import assessments
from riskml.outcomes.events import event_times
from riskml.outcomes.facts import aggressor_codes, incidents_of
from riskml.outcomes.timeline import CaseTimes, moment_us
from riskml.training.learn import Candidate, Inputs, calibrated
from riskml.training.validation_words import in_words, missing
from riskml.validation.forecast import NotEstimable
from riskml.validation.lead_time import lead_times
from riskml.validation.utility_intervals import capacity_utility, decision_curve_intervals

__all__ = ["incidents_risk", "lead_time", "outcome_events", "thresholds_of", "usefulness"]

POINTS = 25
REACH = 4.0  # thresholds from a quarter of the base rate to four times as much
WEEK = "7d"
MODEL, COUNTS = "model", "incidents"


def thresholds_of(prevalence, *, points=POINTS):
    """Thresholds around a base rate, in equal ratios: float array, ascending, all below 0.9."""
    low, high = prevalence / REACH, min(prevalence * REACH, 0.9)
    return np.geomspace(low, max(high, 2 * low), points).clip(max=0.9)


def incidents_risk(found):
    """Risk of the rows that judge by their number of recent incidents alone: float array, or None.

    As the candidate of that name: a regression on one number, calibrated where the split has a window for it.
    """
    data, spec = found.data, found.spec
    if COUNTS not in data.yardsticks:
        return None
    inputs = Inputs(np.empty((len(data.outcome), 0)), data.yardsticks)
    refit = data.split.refit
    candidate = Candidate(COUNTS, one_number(inputs.of(COUNTS, refit), data.outcome[refit]))
    if not data.split.cross_fitted:
        at, seed = data.split.calibrate, found.model.card["seed"]
        kinds = {"kinds": spec.calibrators, "seed": seed}
        candidate = calibrated(candidate, inputs, data.outcome, at, data.aggressor, **kinds)
    return candidate.risk(inputs, found.later)


def usefulness(found, *, replicates):
    """Decision curve and weekly lists of the model, beside acting on all, on none and by incidents.

    Parameters
    ----------
    found : Rebuilt
    replicates : int    of the bootstrap over aggressors

    Returns
    -------
    dict    decision_curve, capacity (lists of half, once and twice the capacity), threshold (behind the net
        benefit of lists), prevalence, words
    """
    outcome, risk, people = found.judged
    predictions = {MODEL: risk}
    counts = incidents_risk(found)
    if counts is not None:
        predictions[COUNTS] = counts
    shared = {"replicates": replicates, "seed": found.seed, "language": found.language}
    prevalence = float(outcome.mean())
    curve = decision_curve_intervals(outcome, predictions, people, thresholds_of(prevalence), **shared)
    return plain(
        {
            "decision_curve": _curve_rows(curve, predictions),
            "capacity": _capacity_rows(found, predictions, prevalence, shared),
            "threshold": prevalence,
            "prevalence": prevalence,
            "words": in_words("usefulness", threshold=f"{100 * prevalence:.1f}"),
        }
    )


def _curve_rows(curve, predictions):
    """One row for each threshold, the candidates side by side."""
    by = {name: rows.set_index("threshold") for name, rows in curve.groupby("candidate")}
    rows = []
    for threshold in by[MODEL].index:
        row = {"threshold": threshold, "all": by["all"].loc[threshold, "net_benefit"], "none": 0.0}
        for name in predictions:
            own = by[name].loc[threshold]
            row |= {name: own["net_benefit"], f"{name}_low": own["low"], f"{name}_high": own["high"]}
        own = by[MODEL].loc[threshold]
        row |= {name: own[name] for name in ("gain", "gain_low", "gain_high")}
        rows.append(row)
    return rows


_SHOWN = ("recall", "precision", "net_benefit")


def _capacity_rows(found, predictions, threshold, shared):
    """What weekly lists of three lengths bring: the model's figures, and those of its yardsticks beside."""
    outcome, _, people = found.judged
    compared = predictions | {"lots": np.full(len(outcome), outcome.mean())}
    capacity, rows = found.spec.capacity, []
    for k in sorted({max(capacity // 2, 1), capacity, 2 * capacity}):
        table = capacity_utility(
            outcome,
            compared,
            people,
            as_of=found.data.as_of[found.later],
            capacity=k,
            threshold=threshold,
            **shared,
        )
        own = {name: _list_row(table.loc[name]) for name in compared}
        rows.append({"k": k, **own.pop(MODEL), "yardsticks": own})
    return rows


def _list_row(row):
    found = {"events": row["events"], "found": row["found"], "listed": row["listed"]}
    for name in _SHOWN:
        found |= {name: row[name], f"{name}_low": row[f"{name}_low"], f"{name}_high": row[f"{name}_high"]}
    return found | {"low": row["recall_low"], "high": row["recall_high"]}


def outcome_events(history, definition, start, end):
    """The outcome's events between two moments, as they stand at the end of observation.

    Reports of one event, at most `same_event_within` after its first one, are that event.

    Parameters
    ----------
    history : History
    definition : OutcomeDefinition
    start, end : timestamps    events strictly after `start` and up to `end`

    Returns
    -------
    DataFrame of case_id, event_at (occurred_at), person (a number for each aggressor), in order of case, time
    """
    ids = pd.Index(history.table("cases")["case_id"].to_pandas().unique())
    until, incidents = moment_us(history.observed_until), incidents_of(history, ids)
    kinds = [event_times(kind, history, ids, incidents, definition, until) for kind in definition.event]
    times = CaseTimes(np.concatenate([k.code for k in kinds]), np.concatenate([k.time for k in kinds]))
    first = np.ones(len(times), bool)
    first[1:] = (times.code[1:] != times.code[:-1]) | (
        times.time[1:] - times.time[:-1] > definition.same_event_us
    )
    inside = (
        first & (times.time > moment_us(pd.Timestamp(start))) & (times.time <= moment_us(pd.Timestamp(end)))
    )
    code = times.code[inside]
    return pd.DataFrame(
        {
            "case_id": ids[code],
            "event_at": times.time[inside].view("datetime64[us]"),
            "person": aggressor_codes(history, ids, until)[code],
        }
    )


def lead_time(found, *, replicates):
    """How early weekly lists of the evaluate window held the cases that had an event in it.

    Every open case is scored each week of the window with features of that moment, whatever the model file's
    own rhythm of assessments.

    Parameters
    ----------
    found : Rebuilt
    replicates : int    of the bootstrap over aggressors

    Returns
    -------
    dict    as `LeadTimes.document`; or why it is missing
    """
    data, definition = found.data, found.spec.outcome
    if not data.split.prospective:
        return missing("lead_time_not_prospective")
    start, end = (pd.Timestamp(moment) for moment in data.split.bounds["evaluate"])
    weekly = assessments(found.history, every=WEEK, start=start.normalize(), end=end)
    events = outcome_events(found.history, definition, weekly["as_of"].min(), weekly["as_of"].max())
    if not len(events):
        return missing("no_events_in_window")
    matrix = build_features(found.history, weekly, found.model.catalogue)
    listed = lead_times(
        weekly.assign(risk=found.model.predict(matrix)),
        events,
        capacity=found.spec.capacity,
        lookback=definition.horizon,
        seed=found.seed,
    )
    try:
        return listed.document(replicates=replicates, seed=found.seed)
    except NotEstimable as reason:
        return missing(reason)
