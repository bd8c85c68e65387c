"""Reviewed cases beside the living: relationships of the registry that were at risk on the same day."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.outcomes.events import exit_times
from riskml.outcomes.facts import facts_of, incidents_of
from riskml.outcomes.timeline import moment_us
from riskml.training.lethal_sets import DAY, AtRisk, first_times, lethal_events
from riskml.vocabulary import OUTCOME_KINDS, PARTNER_RELATIONSHIPS

__all__ = ["EXCLUDED", "RECORD_LENGTHS", "RELAXED", "MatchedSets", "matched_sets"]

# Why a reviewed case is not compared, in the order in which it is asked.
EXCLUDED = (
    "unlinked",
    "other_kind",
    "on_trial",
    "not_in_history",
    "outside_history",
    "later_event",
    "first_record",
    "not_open",
    "no_control",
)
# What controls are like their case in, from the strictest step to the loosest. Partners and former partners
# are one kind: matching each word apart would take away what separation does.
RELAXED = ("municipality", "locality", "anywhere", "relationship_group", "any_length")
RECORD_LENGTHS = (30, 180, 365, 730)  # days at which one band of the length of record ends


@dataclass(frozen=True)
class MatchedSets:
    """Cases and their controls, case first in each set, with how they were matched and who was left out.

    Attributes
    ----------
    cohort : DataFrame of case_id, as_of    one row for each member: what was known is read at `as_of`
    outcome : array of {0, 1}, (rows,)      1: the case of its set
    sets : int array, (rows,)               set of each row, from 0
    relationship : object array, (rows,)    as the registry had it that day; None where nobody recorded it
    step : object array, (sets,)            of RELAXED: what the controls had to share
    asked : int                             controls that were asked for, for each case
    excluded : dict of reason -> int        reviewed cases left out, for EXCLUDED
    reviewed : int                          reviewed cases there are
    """

    cohort: pd.DataFrame
    outcome: np.ndarray
    sets: np.ndarray
    relationship: np.ndarray
    step: np.ndarray
    asked: int
    excluded: dict
    reviewed: int

    @property
    def cases(self):
        """Reviewed cases that are compared, int."""
        return len(self.step)

    @property
    def controls(self):
        """Controls of each set: int array."""
        return np.bincount(self.sets, 1 - self.outcome, minlength=self.cases).astype(int)


class _Registry:
    """Who is open when, and what each is like: everything that is asked of each reviewed case."""

    def __init__(self, reviews, history):
        table = history.table("cases", ("municipality", "locality"))
        self.ids = pd.Index(sorted(history.table("cases")["case_id"].to_pandas().dropna().unique()))
        self.at_risk = AtRisk(history, self.ids)
        known = pd.Series(self.at_risk.relationship)
        known = known.where(known.notna(), None)
        group = np.where(known.isin(PARTNER_RELATIONSHIPS), "partner", "other").astype(object)
        group[known.isna().to_numpy()] = None
        exact = np.where(group == "partner", "partner", known.to_numpy(object))
        self.relationship = known.to_numpy(object)
        self.alike = {
            "relationship_group": _codes(group),
            "relationship": _codes(exact),
            "aggressor": _codes(self.at_risk.aggressor),
            "victim": _codes(self.at_risk.victim),
            **{
                name: _codes(table[name].to_pandas().to_numpy(object)[self.at_risk.row])
                for name in ("municipality", "locality")
            },
        }
        self.until = moment_us(history.observed_until)
        self.died = exit_times("death", history, self.ids, incidents_of(history, self.ids), self.until)
        self.first_death = first_times(self.died.code, self.died.time, len(self.ids))
        self.first_event = self._first_events(reviews, history)
        self.recorded = facts_of(history, "outcomes", self.ids) if "outcomes" in history.tables else None

    def _first_events(self, reviews, history):
        """The day of each case's first lethal event, of the registry's outcomes or of any review."""
        codes, times = lethal_events(history, self.ids, self.until)
        linked = reviews.linked
        reviewed = self.ids.get_indexer(linked["case_id"])
        days = linked["event_on"].to_numpy("datetime64[us]").astype(np.int64)
        there = (reviewed >= 0) & linked["event_on"].notna().to_numpy()
        codes, times = np.append(codes, reviewed[there]), np.append(times, days[there])
        return first_times(codes, times - times % DAY, len(self.ids))

    def had_event(self, code, day):
        """Whether the registry knew of an event of a case by a moment."""
        if self.recorded is None:
            return False
        known = self.recorded.start <= day
        return bool((known & (self.recorded.code == code)).any())


def _codes(values):
    """Numbers for words; -1 where nobody recorded one."""
    return pd.factorize(pd.Series(values, dtype=object))[0]


def matched_sets(reviews, history, *, controls=5, seed=0):
    """Draw the controls of every reviewed case that can be compared.

    The index day is the day before the event, at its first midnight. A control is a relationship that is open
    and visible that day, without a lethal event (of the registry or of any review) on the day of the case's
    event or before it and without a death until the index day, of another aggressor and another victim. It
    may become a case later, and may be drawn for several (incidence-density sampling: the odds ratio of the
    sets is the rate ratio).

    Controls are like their case in relationship (partners and former partners together; any other exactly),
    in municipality and in the band of the length of record. Where fewer than asked are alike, what they share
    is relaxed step by step, in the order of RELAXED: to the same kind of locality, to any place, to the group
    of relationships; length of record alone is given up only where nobody else is left.

    Parameters
    ----------
    reviews : Reviews
    history : History
    controls : int    for each case
    seed : int

    Returns
    -------
    MatchedSets

    Raises
    ------
    RiskmlError    fewer than one control asked for

    References
    ----------
    Prentice & Breslow (1978), Biometrika 65:153. Langholz & Goldstein (1996), Statistical Science 11:35.
    """
    if controls < 1:
        raise RiskmlError(f"{controls} controls for each case", where="controls", mend="Ask for 1 or more.")
    registry = _Registry(reviews, history)
    excluded, members, steps, seen = dict.fromkeys(EXCLUDED, 0), [], [], set()
    for case in reviews.cases.sort_values(["event_on", "review_id"]).itertuples():
        code = registry.ids.get_indexer([case.case_id])[0] if case.case_id is not None else -1
        reason, drawn = _reason(case, code, registry, seen), None
        if code >= 0 and not pd.isna(case.event_on):
            seen.add(code)
        if reason is None:
            # A generator for each review: one more reviewed case draws nobody else's controls anew.
            rng = np.random.default_rng([seed, *case.review_id.encode()])
            reason, drawn, step = _drawn(case, code, registry, controls, rng)
        if reason is not None:
            excluded[reason] += 1
            continue
        members.append(drawn)
        steps.append(step)
    return _assembled(registry, members, steps, controls, excluded, len(reviews))


def _index_day(case):
    return moment_us(case.event_on.normalize()) - DAY


def _reason(case, code, registry, seen):
    """Why a case cannot be compared, of EXCLUDED, as far as no control is needed to tell; None: it can."""
    if case.case_id is None:
        return "unlinked"
    if case.kind not in OUTCOME_KINDS:
        return "other_kind"
    if case.status == "on_trial":
        return "on_trial"
    if code < 0:
        return "not_in_history"
    if pd.isna(case.event_on) or _index_day(case) + DAY > registry.until:
        return "outside_history"
    day = _index_day(case)
    if code in seen or registry.had_event(code, day):
        return "later_event"
    return "first_record" if registry.at_risk.first[code] > day else None


def _drawn(case, code, registry, controls, rng):
    """Why there is no set, or the versions and codes of its members, case first, and the step of RELAXED."""
    day = _index_day(case)
    codes, version = registry.at_risk.at(day)
    place = np.searchsorted(codes, code)
    if place == len(codes) or codes[place] != code:
        return "not_open", None, None
    alike = {name: of_version[version] for name, of_version in registry.alike.items()}
    free = (registry.first_event[codes] > day + DAY) & (registry.first_death[codes] > day)
    for people in ("aggressor", "victim"):
        free &= alike[people] != alike[people][place]
    ends = np.array(RECORD_LENGTHS) * DAY
    alike["length"] = np.searchsorted(ends, day - registry.at_risk.first[codes], side="right")
    found = _relaxed(free, alike, place, controls)
    if found is None:
        return "no_control", None, None
    step, candidates = found
    if len(candidates) > controls:
        candidates = np.sort(rng.choice(candidates, controls, replace=False))
    chosen = np.append(place, candidates)
    return None, (codes[chosen], version[chosen], day), step


def _relaxed(free, alike, place, controls):
    """The first step at which enough are alike, and who; the last that leaves anybody where none does."""

    def same(*names):
        kept = free.copy()
        for name in names:
            # What nobody recorded of the case is like nothing, but a relationship that is not known either.
            known = alike[name][place] >= 0 or name.startswith("relationship")
            kept &= (alike[name] == alike[name][place]) & known
        return np.flatnonzero(kept)

    shared = {
        "municipality": ("relationship", "municipality", "length"),
        "locality": ("relationship", "locality", "length"),
        "anywhere": ("relationship", "length"),
        "relationship_group": ("relationship_group", "length"),
        "any_length": ("relationship_group",),
    }
    found = None
    for step in RELAXED:
        candidates = same(*shared[step])
        if step == "any_length":
            # A few controls of the same length of record say more than many who were in it longer.
            return found or ((step, candidates) if len(candidates) else None)
        if len(candidates) >= controls:
            return step, candidates
        if len(candidates) > (len(found[1]) if found else 0):
            found = step, candidates
    return found


def _assembled(registry, members, steps, controls, excluded, reviewed):
    nothing = np.array([], np.int64)
    codes, version = (np.concatenate([m[i] for m in members]) if members else nothing for i in (0, 1))
    sizes = [len(m[0]) for m in members]
    sets = np.repeat(np.arange(len(sizes)), sizes)
    day = np.repeat(np.array([m[2] for m in members], np.int64), sizes)
    outcome = np.ones(len(sets), np.int64)
    outcome[1:] = sets[1:] != sets[:-1]
    cohort = pd.DataFrame({"case_id": registry.ids.to_numpy()[codes], "as_of": day.view("datetime64[us]")})
    relationship = registry.relationship[version]
    step = np.array(steps, dtype=object)
    return MatchedSets(cohort, outcome, sets, relationship, step, controls, excluded, reviewed)
