"""Labels: what came after each assessment, as the registry knows it once follow-up is over."""

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.outcomes.definition import EXITS, OutcomeDefinition
from riskml.outcomes.events import event_times, exit_times
from riskml.outcomes.facts import aggressor_codes, incidents_of
from riskml.outcomes.timeline import FOREVER, CaseTimes, moment_us
from riskml.registry.history import History

__all__ = ["check_two_classes", "label_outcomes"]

STATUSES = ("event", "no_event", "censored")


def _cohort_arrays(cohort, ids):
    """Case numbers and moments of a cohort's assessments; an error where one cannot be read."""
    missing = [name for name in ("case_id", "as_of") if name not in getattr(cohort, "columns", ())]
    if missing:
        raise RiskmlError(
            f"the cohort has no column {' and no column '.join(missing)}",
            where="cohort",
            mend="Give a frame of case_id and as_of; riskml.assessments(history) makes one.",
        )
    when = pd.Series(cohort["as_of"])
    if not pd.api.types.is_datetime64_dtype(when.dtype) or when.isna().any():
        raise RiskmlError(
            "as_of must be naive timestamps without gaps",
            where="cohort",
            mend="Convert it with pandas.to_datetime.",
        )
    code = ids.get_indexer(pd.Index(cohort["case_id"]))
    if (code < 0).any():
        raise RiskmlError(
            f"{(code < 0).sum()} of {len(code)} assessments are of cases that the history does not hold",
            where="cohort",
            mend="Build the cohort from this history: pseudonyms of two keys never agree.",
        )
    return code, when.to_numpy().astype("datetime64[us]").astype(np.int64)


def _known_until(history, known_at):
    if known_at is not None:
        return moment_us(pd.Timestamp(known_at))
    if history.observed_until is pd.NaT:
        raise RiskmlError(
            "the history is empty: nothing was ever recorded", where="history", mend="Take it again."
        )
    return moment_us(history.observed_until)


def _same_event_until(incidents, code, when, within):
    """Until when an incident is the same event as one already visible: array of int64, at least `when`."""
    seen = CaseTimes(incidents.code, incidents.occurred)
    first = seen.count_through(code, when - within)
    count = seen.count_through(code, when) - first  # only incidents this recent reach beyond the assessment
    assessment = np.repeat(np.arange(len(code)), count)
    fact = np.arange(len(assessment)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    row = seen.order[fact]
    visible = (incidents.start[row] <= when[assessment]) & (when[assessment] < incidents.end[row])
    until = when.copy()
    np.maximum.at(until, assessment[visible], incidents.occurred[row[visible]] + within)
    return until


def _timestamps(values):
    """Microseconds as timestamps, FOREVER as NaT: array of datetime64[us]."""
    return np.where(values == FOREVER, np.iinfo(np.int64).min, values).view("datetime64[us]")


def label_outcomes(history, cohort, definition, *, known_at=None):
    """What came after each assessment.

    An event counts when it happened strictly after `as_of` and at most the horizon later (`occurred_at`), and
    is no second report of an incident that the registry already showed at `as_of`. Facts are taken as they
    stand at the end of observation: a corrected row counts as its correction says, and not at all as it was.
    With `over: aggressor` events in any case of the case's aggressor count, by the pairs as they stand then;
    exits are always the assessed case's own.

    An assessment is followed up when its horizon and the reporting lag behind it end within observation. One
    that is not is censored, also where an event was seen already: were those kept, the recent past would hold
    events alone. Custody, death and closure of the case are reported as exits when they come before any
    event. They are follow-up without event, not errors: the risk is the absolute risk under the response
    usually given.

    Parameters
    ----------
    history : History, or what `History.of` takes
    cohort : DataFrame of case_id, as_of
    definition : OutcomeDefinition, or dict as under `outcome:` in a model file
    known_at : timestamp or None    end of observation, as if the registry had been read then; None: the last
        moment that the history speaks for

    Returns
    -------
    DataFrame, index (case_id, as_of) in the cohort's order, of

        outcome : float             1 event, 0 none, NaN censored
        event_at : datetime64[us]   when the first event happened; NaT without one
        followed_until : datetime64[us]    end of the horizon, or of complete reporting where that is earlier
        status : str                event, no_event, censored
        exit : str                  none, death, custody, closed: the first exit before any event, of those
            followed up
        exit_at : datetime64[us]    when; NaT without one

    Raises
    ------
    RiskmlError    a cohort without case_id or as_of, or of another history's cases; a table or column is
        missing
    """
    history, definition = History.of(history), OutcomeDefinition.of(definition)
    ids = pd.Index(history.table("cases")["case_id"].to_pandas().unique())
    code, when = _cohort_arrays(cohort, ids)
    until = _known_until(history, known_at)
    horizon_end = when + definition.horizon_us
    complete = until - definition.reporting_lag_us
    followed = horizon_end <= complete

    incidents = incidents_of(history, ids)
    owner, counted, who = None, incidents, code
    if definition.over == "aggressor":
        owner = aggressor_codes(history, ids, until)
        counted, who = incidents.of_aggressors(owner), owner[code]
    new_after = _same_event_until(counted, who, when, definition.same_event_us)
    event_at = np.full(len(code), FOREVER)
    for kind in definition.event:
        times = event_times(kind, history, ids, counted, definition, until, owner)
        after = when if kind == "lethal" else new_after
        event_at = np.minimum(event_at, times.time_at(times.first_after(who, after)))
    event_at = np.where(followed & (event_at <= horizon_end), event_at, FOREVER)

    exit_at, exit_kind = np.full(len(code), FOREVER), np.full(len(code), -1)
    for rank, kind in enumerate(EXITS):
        if kind in definition.competing_exits:
            times = exit_times(kind, history, ids, incidents, until)
            at = times.time_at(times.first_after(code, when))
            first = followed & (at <= horizon_end) & (at < event_at) & (at < exit_at)
            exit_at, exit_kind = np.where(first, at, exit_at), np.where(first, rank, exit_kind)

    happened = event_at < FOREVER
    status = np.where(followed, np.where(happened, 0, 1), 2)
    index = pd.MultiIndex.from_arrays(
        [pd.Series(cohort["case_id"]).array, when.view("datetime64[us]")], names=["case_id", "as_of"]
    )
    return pd.DataFrame(
        {
            "outcome": np.where(followed, happened.astype(float), np.nan),
            "event_at": _timestamps(event_at),
            "followed_until": np.where(followed, horizon_end, np.clip(complete, when, horizon_end)).view(
                "datetime64[us]"
            ),
            "status": pd.array(STATUSES, dtype="str").take(status),
            "exit": pd.array((*EXITS, "none"), dtype="str").take(exit_kind % (len(EXITS) + 1)),
            "exit_at": _timestamps(exit_at),
        },
        index=index,
    )


def check_two_classes(outcome, *, where="outcome"):
    """Raise RiskmlError unless both classes are there: nothing can be learnt or validated from one alone.

    Parameters
    ----------
    outcome : array of {0, 1, NaN}, shape (n,)    NaN (censored) is left out
    where : str    the model file, or the window, for the error
    """
    values = np.asarray(outcome, float)
    followed = values[~np.isnan(values)]
    events = int(followed.sum())
    if not len(followed):
        raise RiskmlError(
            f"none of the {len(values)} assessments is followed up to its horizon and reporting lag",
            where=where,
            mend="Use a longer history, a shorter horizon, or earlier assessments.",
        )
    if events in (0, len(followed)):
        raise RiskmlError(
            f"one class only: {events}/{len(followed)} assessments have an event",
            where=where,
            mend="Check event, minimum_severity and horizon of the outcome, or use a longer history.",
        )
