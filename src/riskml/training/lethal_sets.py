"""Risk sets: each lethal event beside relationships of the registry that were at risk on the same day."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.outcomes.events import exit_times
from riskml.outcomes.facts import facts_of, incidents_of
from riskml.outcomes.timeline import FOREVER, microseconds, moment_us
from riskml.vocabulary import PARTNER_RELATIONSHIPS, duration

__all__ = ["EXCLUSIONS", "AtRisk", "RiskSets", "first_times", "lethal_events", "risk_sets"]

DAY = duration("1d")
# In the order in which they are asked: an event is excluded for the first that holds.
EXCLUSIONS = ("later_event", "too_recent", "first_record", "other_relationship", "no_control")


class AtRisk:
    """Which relationships are open and visible at a moment, as `History.open_cases` says, asked many times.

    Parameters
    ----------
    history : History
    ids : pandas.Index of the history's case ids, sorted

    Attributes
    ----------
    relationship, aggressor, victim : object arrays    of the versions, in the order in which they outrank
    row : int array    of each version, its position in the table cases
    first : int64 array, (ids,)    when each case first shows, microseconds; FOREVER: never
    """

    def __init__(self, history, ids):
        words = ("aggressor_id", "victim_id", "relationship")
        table = history.table("cases", ("case_id", "occurred_at", "recorded_at", "closed_at", *words))
        occurred, recorded, superseded, closed = (
            microseconds(table[name]) for name in ("occurred_at", "recorded_at", "superseded_at", "closed_at")
        )
        code = ids.get_indexer(pd.Index(table["case_id"].to_pandas()))
        known = (code >= 0) & occurred.known & recorded.known
        order = np.lexsort((np.arange(len(code)), occurred.values, recorded.values))
        order = order[known[order]]
        self._code, self._start = code[order], np.maximum(occurred.values, recorded.values)[order]
        self._end, self._closed = superseded.or_forever()[order], closed.or_forever()[order]
        self._cases, self.row = len(ids), order
        self.aggressor, self.victim, self.relationship = (
            table[name].to_pandas().to_numpy(object)[order] for name in words
        )
        self.first = first_times(self._code, self._start, len(ids))

    def at(self, moment):
        """Open cases at a moment.

        Parameters
        ----------
        moment : int    microseconds

        Returns
        -------
        code : int array       positions in `ids`, ascending
        version : int array    of each, a position in `relationship`, `aggressor`, `victim`
        """
        standing = np.flatnonzero((self._start <= moment) & (moment < self._end))
        speaks = np.full(self._cases, -1)
        speaks[self._code[standing]] = standing  # the last of several outranks the others
        code = np.flatnonzero(speaks >= 0)
        still_open = self._closed[speaks[code]] > moment
        return code[still_open], speaks[code[still_open]]


@dataclass(frozen=True)
class RiskSets:
    """Cases and their controls, with what was left out and what the registry holds.

    Attributes
    ----------
    cohort : DataFrame of case_id, as_of    one row for each member of a set
    outcome : array of {0, 1}               1: the case of its set
    sets : int array                        set of each row, from 0
    person : object array, (sets,)          aggressor of each set's case: the unit of every interval
    people : object array, (rows,)          aggressor of each row
    excluded : dict of reason -> int        lethal events left out, for EXCLUSIONS
    events : int                            lethal events that the history knows
    """

    cohort: pd.DataFrame
    outcome: np.ndarray
    sets: np.ndarray
    person: np.ndarray
    people: np.ndarray
    excluded: dict
    events: int

    @property
    def cases(self):
        """Reviewed cases that are learnt from, int."""
        return len(self.person)

    @property
    def controls(self):
        """Controls of each set: int array."""
        return np.bincount(self.sets, 1 - self.outcome, minlength=self.cases).astype(int)


def lethal_events(history, ids, until):
    """The lethal events as they stand at the end of observation, in order of time.

    Returns
    -------
    code, time : int arrays    case, as a position in `ids`, and when it happened, microseconds
    """
    if "outcomes" not in history.tables:
        return np.array([], np.int64), np.array([], np.int64)
    facts = facts_of(history, "outcomes", ids)
    which = np.flatnonzero(facts.standing(until) & (facts.occurred <= until))
    order = which[np.lexsort((facts.code[which], facts.occurred[which]))]
    return facts.code[order], facts.occurred[order]


def first_times(code, time, count):
    """The earliest of the times of each of so many codes; FOREVER where it has none: int array, (count,)."""
    first = np.full(count, FOREVER)
    np.minimum.at(first, code, time)
    return first


def _groups(relationships):
    """Whether each is of partners or former partners; what nobody recorded is neither."""
    return np.isin(relationships.astype(str), PARTNER_RELATIONSHIPS)


def risk_sets(spec, history, ids, at_risk, *, seed=0):
    """Draw the controls of every lethal event that can be learnt from.

    The index day is the day before the event, at its first midnight: for case and controls alike only what
    the registry showed by then is read. A control is a relationship that was open and visible that day,
    without a lethal event or a death until the case's event, of another aggressor and another victim; it may
    become a case later, and may be drawn for several cases (incidence-density sampling: the odds ratio of
    the sets is the hazard ratio).

    Parameters
    ----------
    spec : LethalSpec
    history : History
    ids : pandas.Index of the history's case ids, sorted
    at_risk : AtRisk
    seed : int

    Returns
    -------
    RiskSets

    References
    ----------
    Prentice & Breslow (1978), Biometrika 65:153. Langholz & Goldstein (1996), Statistical Science 11:35.
    """
    until = moment_us(history.observed_until)
    codes, times = lethal_events(history, ids, until)
    died = exit_times("death", history, ids, incidents_of(history, ids), until)
    deaths = first_times(died.code, died.time, len(ids))
    first_event = first_times(codes, times, len(ids))
    reported_until = until - spec.outcome.reporting_lag_us
    excluded, rows, person = dict.fromkeys(EXCLUSIONS, 0), [], []
    rng, seen = np.random.default_rng(seed), set()
    for code, time in zip(codes.tolist(), times.tolist(), strict=True):
        day = time - time % DAY - DAY
        members = _Members.at(at_risk, day, code, spec.priors.relationships)
        reason = "later_event" if code in seen else members.reason(time, reported_until)
        seen.add(code)
        controls = members.place[:0]
        if reason is None:
            free = (first_event[members.code] > time) & (deaths[members.code] > day)
            controls = members.controls(at_risk, free, spec.file.sampling, rng)
            reason = None if len(controls) else "no_control"
        if reason is not None:
            excluded[reason] += 1
            continue
        chosen = np.append(members.place, controls)
        rows.append((members.code[chosen], members.version[chosen], np.full(len(chosen), day)))
        person.append(at_risk.aggressor[members.version[members.place[0]]])
    return _assembled(ids, at_risk, rows, person, excluded, len(codes))


@dataclass(frozen=True)
class _Members:
    """Who is open and visible on an index day, and where the case of the event stands among them.

    code, version: of `AtRisk.at`; applicable: of a relationship that the priors speak of; place: position of
    the case, empty where it is not open; day: microseconds.
    """

    code: np.ndarray
    version: np.ndarray
    applicable: np.ndarray
    place: np.ndarray
    day: int

    @classmethod
    def at(cls, at_risk, day, code, allowed):
        open_codes, version = at_risk.at(day)
        relationship = at_risk.relationship[version].astype(str)
        applicable = np.isin(relationship, allowed) if allowed else np.ones(len(version), bool)
        return cls(open_codes, version, applicable, np.flatnonzero(open_codes == code), day)

    def reason(self, time, reported_until):
        """Why the event at a time is left out, of EXCLUSIONS; None where it is not."""
        if time > reported_until:
            return "too_recent"
        if not len(self.place):
            return "first_record"
        return None if self.applicable[self.place[0]] else "other_relationship"

    def controls(self, at_risk, free, sampling, rng):
        """Positions of the controls drawn, of those without event or death: other people, alike."""
        case = self.place[0]
        can = self.applicable & free
        for people in (at_risk.aggressor[self.version], at_risk.victim[self.version]):
            can &= people != people[case]
        alike = {
            "relationship_group": lambda: _groups(at_risk.relationship[self.version]),
            "length_of_record": lambda: np.searchsorted(
                sampling.band_ends, self.day - at_risk.first[self.code], side="right"
            ),
        }
        for name in sampling.matched_on:
            kind = alike[name]()
            can &= kind == kind[case]
        drawn = np.flatnonzero(can)
        if len(drawn) > sampling.controls:
            drawn = np.sort(rng.choice(drawn, sampling.controls, replace=False))
        return drawn


def _assembled(ids, at_risk, rows, person, excluded, events):
    sizes = [len(codes) for codes, _, _ in rows]
    codes, version, day = (
        np.concatenate([part[i] for part in rows]) if rows else np.array([], np.int64) for i in range(3)
    )
    starts = np.append(0, np.cumsum(sizes))[:-1].astype(int)
    outcome = np.zeros(len(codes))
    outcome[starts] = 1.0
    cohort = pd.DataFrame({"case_id": ids.to_numpy()[codes], "as_of": day.view("datetime64[us]")})
    sets = np.repeat(np.arange(len(sizes)), sizes)
    people = np.asarray(at_risk.aggressor[version], dtype=object)
    return RiskSets(cohort, outcome, sets, np.array(person, dtype=object), people, excluded, events)
