"""Lead time: how many days before an event the case first stood on the unit's list."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import plain
from riskml.outcomes.timeline import CaseTimes
from riskml.progress import progress
from riskml.validation.bootstrap import cluster_weights, percentile_interval
from riskml.validation.forecast import NotEstimable
from riskml.validation.intervals import exact_interval
from riskml.validation.shares import clustered_share
from riskml.validation.verdict import every_language
from riskml.vocabulary import duration

__all__ = ["STATUSES", "LeadTimes", "lead_times", "listed_cases"]

STATUSES = ("listed", "never_listed", "never_assessed")
_DAY = duration("1d")


def _times(values, where):
    """Times as whole microseconds; an error where one is missing or is none."""
    values = pd.Series(values)
    if not pd.api.types.is_datetime64_dtype(values.dtype) or values.isna().any():
        raise RiskmlError(
            "naive timestamps without gaps are needed",
            where=where,
            mend="Convert them with pandas.to_datetime.",
        )
    return values.to_numpy().astype("datetime64[us]").astype(np.int64)


def listed_cases(as_of, risk, capacity, *, seed):
    """Whether each assessment is among the `capacity` highest risks of its list.

    Each distinct `as_of` is one list; give weekly ones for weekly lists. Where risks tie at the end of a
    list, lots are drawn.

    Parameters
    ----------
    as_of : array of datetime64, shape (n,)
    risk : array of float, shape (n,)
    capacity : int >= 1    places on each list
    seed : int

    Returns
    -------
    array of bool, shape (n,)

    Raises
    ------
    RiskmlError    capacity below 1, a risk is missing, lengths that differ
    """
    when, risk = _times(as_of, "as_of"), np.asarray(risk, float)
    if when.shape != risk.shape or np.isnan(risk).any():
        raise RiskmlError("each as_of needs its risk, none missing", where="risk")
    if not capacity >= 1:
        raise RiskmlError(f"capacity must be at least one case, not {capacity}", where="capacity")
    order = np.lexsort((np.random.default_rng(seed).random(len(risk)), -risk, when))
    first = np.append(True, when[order][1:] != when[order][:-1]) if len(order) else np.array([], bool)
    begins = np.flatnonzero(first)
    place = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    listed = np.empty(len(risk), bool)
    listed[order] = place < capacity
    return listed


@dataclass(frozen=True)
class LeadTimes:
    """What the lists knew before each event.

    Attributes
    ----------
    events : DataFrame    one row per event, as given: status (of STATUSES), lead_days (event minus first
        list, NaN unless listed), lists (assessments of the case in its window), cut (whether the window
        reaches back before the first list, so that the lead may be longer), person
    capacity : int
    lookback : str
    """

    events: pd.DataFrame
    capacity: int
    lookback: str

    def summary(self, *, days=(7, 30), replicates=200, seed, level=0.95, language="es"):
        """Recall and lead time with intervals.

        Parameters
        ----------
        days : tuple of int    leads of at least so many days are counted
        replicates, seed : int    of the bootstrap over people, for the lead in days
        level : float
        language : str         of the progress bar

        Returns
        -------
        DataFrame, index listed, listed_of_assessed, never_listed, never_assessed, at_least_<d>_days, of
            estimate (share of events), n, total, low, high (exact, each person counted once), exact_low,
            exact_high (as if events were independent); and lower_quartile_lead_days, median_lead_days,
            upper_quartile_lead_days of estimate, low, high (bootstrap over people), n (listed events). What
            cannot be estimated is NaN and says why in `reason` (NotEstimable or None)
        """
        status, person = self.events["status"].to_numpy(), self.events["person"].to_numpy()
        lead = self.events["lead_days"].to_numpy(float)
        assessed = status != "never_assessed"
        everyone = np.ones(len(status), bool)
        asked = {
            "listed": (status == "listed", everyone),
            "listed_of_assessed": (status == "listed", assessed),
            "never_listed": (status == "never_listed", everyone),
            "never_assessed": (status == "never_assessed", everyone),
            **{f"at_least_{d}_days": (lead >= d, everyone) for d in days},
        }
        rows = {name: _share_row(held[of], person[of], level) for name, (held, of) in asked.items()}
        rows |= _lead_rows(lead, person, replicates, seed, level, language)
        return pd.DataFrame.from_dict(rows, orient="index")

    def document(self, *, days=(7, 30), replicates=200, seed, level=0.95):
        """Plain JSON of the summary, with what it means; no case is named."""
        frame = self.summary(days=days, replicates=replicates, seed=seed, level=level)
        rows = []
        for name, row in frame.iterrows():
            record = row.to_dict()
            reason = record.pop("reason")
            known = isinstance(reason, NotEstimable)
            record["not_estimable"] = {lang: reason.words(lang) for lang in LANGUAGES} if known else None
            rows.append({"figure": name, **record})
        return plain(
            {
                "rows": rows,
                "capacity": self.capacity,
                "lookback": self.lookback,
                "events": len(self.events),
                "people": int(self.events["person"].nunique()),
                "cut": int(self.events["cut"].sum()),
                "words": every_language("lead_time", capacity=self.capacity, lookback=self.lookback),
            }
        )


def _share_row(held, people, level):
    try:
        share = clustered_share(held, people, level=level)
    except NotEstimable as reason:
        return {"n": 0, "total": 0, "reason": reason}
    low, high = exact_interval(int(share.n), share.total, level=level)
    row = share.row()
    return {"estimate": row.pop("share"), **row, "exact_low": low, "exact_high": high, "reason": None}


def _weighted_quantile(ordered, weights, share):
    """The least of ascending values, each standing `weights` times, with at least that share through it."""
    through = np.cumsum(weights)
    return ordered[np.searchsorted(through, share * through[-1] - 1e-9, side="left")]


def _lead_rows(lead, people, replicates, seed, level, language):
    names = {"lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75}
    listed = np.flatnonzero(~np.isnan(lead))
    order = listed[np.argsort(lead[listed], kind="stable")]
    blank = {"n": len(listed), "estimate": np.nan, "low": np.nan, "high": np.nan}
    if not len(order):
        return {f"{name}_lead_days": blank | {"reason": NotEstimable("nobody")} for name in names}
    few = len(np.unique(people)) < 2
    values = np.full((len(names), 0 if few else replicates), np.nan)
    if not few:
        with progress(message("validation.bootstrap", language), total=replicates) as advance:
            for replicate, weights in enumerate(cluster_weights(people, replicates, seed=seed)):
                drawn = weights[order]
                if drawn.any():
                    values[:, replicate] = [_weighted_quantile(lead[order], drawn, s) for s in names.values()]
                advance()
    rows = {}
    for position, (name, share) in enumerate(names.items()):
        row = blank | {
            "estimate": _weighted_quantile(lead[order], np.ones(len(order)), share),
            "reason": None,
        }
        try:
            if few:
                raise NotEstimable("few_people", people=len(np.unique(people)), minimum=2)
            row["low"], row["high"] = percentile_interval(values[position], level=level)
        except NotEstimable as reason:
            row["reason"] = reason
        rows[f"{name}_lead_days"] = row
    return rows


def lead_times(scored, events, *, capacity, lookback="365d", seed):
    """When, before each event, its case first stood on a list of the `capacity` highest risks.

    Counted are lists at or after the previous event of the same case, within the lookback, and strictly
    before the event. An event whose case was on no such list of open cases at all (a first record) is
    `never_assessed`: no ranking could have found it.

    Parameters
    ----------
    scored : DataFrame of case_id, as_of, risk    every open case at each weekly date, on the visible timeline
    events : DataFrame of case_id, event_at, person    when each event happened (`occurred_at`), and its
        aggressor
    capacity : int     places on each list
    lookback : str     how far before an event a list may lie, such as "365d"
    seed : int         of the lots that decide ties

    Returns
    -------
    LeadTimes

    Raises
    ------
    RiskmlError    a column is missing, a case is assessed twice at one moment, times or risks with gaps
    """
    for frame, name, columns in (
        (scored, "scored", ("case_id", "as_of", "risk")),
        (events, "events", ("case_id", "event_at", "person")),
    ):
        absent = [column for column in columns if column not in frame.columns]
        if absent:
            raise RiskmlError(f"missing columns: {', '.join(absent)}", where=name)
    when, happened = _times(scored["as_of"], "scored.as_of"), _times(events["event_at"], "events.event_at")
    code, cases = pd.factorize(pd.Series(scored["case_id"]).to_numpy(dtype=object))
    own = pd.Index(cases).get_indexer(pd.Index(pd.Series(events["case_id"]).to_numpy(dtype=object)))
    if pd.DataFrame({"code": code, "when": when}).duplicated().any():
        raise RiskmlError("a case is assessed twice at one moment", where="scored")
    listed = listed_cases(scored["as_of"], scored["risk"], capacity, seed=seed)
    reach = happened - duration(lookback)
    start = np.maximum(reach, _previous(own, happened))
    everything, on_list = CaseTimes(code, when), CaseTimes(code[listed], when[listed])
    lists = _between(everything, own, start, happened)
    first = on_list.count_through(own, start - 1)
    found = _between(on_list, own, start, happened) > 0
    first_at = on_list.time_at(np.where(found, first, -1))
    frame = pd.DataFrame(
        {
            "status": np.where(found, "listed", np.where(lists > 0, "never_listed", "never_assessed")),
            "lead_days": np.where(found, (happened - np.where(found, first_at, 0)) / _DAY, np.nan),
            "lists": lists,
            "cut": start < (when.min() if len(when) else np.iinfo(np.int64).max),
            "person": events["person"].to_numpy(),
        },
        index=events.index,
    )
    return LeadTimes(frame, int(capacity), lookback)


def _between(times, own, start, end):
    """Number of a case's times in [start, end)."""
    return times.count_through(own, end - 1) - times.count_through(own, start - 1)


def _previous(own, happened):
    """When the event before each one happened in its case (not those of its own moment); else long ago."""
    distinct = pd.DataFrame({"own": own, "at": happened}).drop_duplicates().sort_values(["own", "at"])
    before = distinct.groupby("own")["at"].shift(fill_value=np.iinfo(np.int64).min // 2)
    keyed = before.set_axis(pd.MultiIndex.from_frame(distinct))
    return keyed.reindex(pd.MultiIndex.from_arrays([own, happened])).to_numpy(np.int64)
