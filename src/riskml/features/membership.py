"""Who belongs to whom, and when: the segments of time in which a case is one aggressor's and one victim's."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskml.features import sweep as s
from riskml.features.arrays import codes_among, frozen, microseconds, row_count

__all__ = ["Membership", "Scope"]


@dataclass(frozen=True)
class Scope:
    """The groups of one scope (cases, aggressors or victims), their members, and who reads them.

    The last group is nobody's: no fact reaches it, and assessments of cases that are not visible read it.

    Attributes
    ----------
    ids : pyarrow.Array of string    the id of each group but nobody's
    cases : Segments                 the cases of each group, and when
    reads : Grouped                  the assessments of each group
    groups : array of int32          the groups that are read at all, in the cohort's order
    """

    ids: pa.Array
    cases: s.Segments
    reads: s.Grouped
    groups: np.ndarray

    @property
    def persons(self):
        """The person himself as the only member of his group, always: Segments."""
        n = len(self.ids)
        offsets = np.append(np.arange(n + 1), n)
        return s.Segments(
            offsets, np.arange(n, dtype=np.int32), np.full(n, -s.ENDLESS), np.full(n, s.ENDLESS)
        )


class Membership:
    """The versions of each case: whose it is at any moment.

    Parameters
    ----------
    cases : pyarrow.Table    the table `cases` of a history
    """

    def __init__(self, cases):
        self._named = {over: _distinct(cases[f"{over}_id"]) for over in ("case", "aggressor", "victim")}
        self._segments = _versions_in_force(cases, self._named["case"][1], len(self.ids("case")))

    def ids(self, over):
        """The ids of the groups of a scope, as they first stand in the table: pyarrow.Array of string."""
        return self._named[over][0]

    def scope(self, over, assessments):
        """The groups of a scope.

        Parameters
        ----------
        over : "case", "aggressor" or "victim"
        assessments : Assessments

        Returns
        -------
        Scope
        """
        ids, codes = self._named[over]
        case, group, start, end = _joined(self._segments, codes)
        nobody = len(ids)
        offsets, order = s.grouped(frozen(group), nobody + 1)
        segments = s.Segments(offsets, case[order], start[order], end[order])

        by_case, _ = s.grouped(frozen(case), len(self.ids("case")))
        cases = assessments.among(self.ids("case"))
        read = s.read_groups(cases, assessments.times, by_case, start, end, group, nobody)
        reads = s.grouped(frozen(read), nobody + 1)
        groups = np.flatnonzero(np.diff(reads.offsets))
        in_order = np.argsort(reads.positions[reads.offsets[groups]], kind="stable")
        return Scope(ids, segments, reads, frozen(groups[in_order].astype(np.int32)))


def _distinct(column):
    """The distinct ids of a column, and the position of each row's among them; -1 where there is none."""
    ids = pc.drop_null(pc.unique(column))
    return ids, codes_among(column, ids)


def _versions_in_force(cases, codes, n_cases):
    """Which version of each case speaks when: of those visible the one recorded last.

    It is the latest row of the case at each moment at which one of its rows begins or ends; the sweep reads
    it.

    Returns
    -------
    case : array of int32; start, end : arrays of int64; row : array of int64
        disjoint segments by case and time: the row of `cases` speaks during [start, end)
    """
    n = row_count(cases, "cases")
    occurred, recorded = microseconds(cases, "occurred_at", None), microseconds(cases, "recorded_at", None)
    superseded = microseconds(cases, "superseded_at", s.ENDLESS)
    begins = np.maximum(occurred, recorded)
    sound = (occurred > -s.ENDLESS) & (recorded > -s.ENDLESS) & (begins < superseded) & (codes >= 0)
    ended = sound & (superseded < s.ENDLESS)
    case = np.concatenate([codes[sound], codes[ended]])
    moment = np.concatenate([begins[sound], superseded[ended]])
    by_time = np.lexsort((moment, case))
    case, moment = frozen(case[by_time]), frozen(moment[by_time])

    # Here the row recorded last is sought, not the one that occurred last: the two clocks change places.
    facts = s.SweptFacts(
        by_entity=s.grouped(frozen(np.where(sound, codes, np.int32(-1))), n_cases),
        occurred=recorded,
        recorded=occurred,
        superseded=superseded,
        values=frozen(np.arange(n).reshape(1, n)),
        since=frozen(np.empty(0, np.int64)),
        until=frozen(np.empty(0, np.int64)),
        marks=frozen(np.empty((n, 0), np.uint64)),
    )
    everyone = np.arange(n_cases, dtype=np.int32)
    segments = s.Segments(
        np.arange(n_cases + 1), everyone, np.full(n_cases, -s.ENDLESS), np.full(n_cases, s.ENDLESS)
    )
    latest = ([-1], [0], [(0, s.ENDLESS)], [(s.BY_TIME, 0, 0)], [(0, s.TOP, 0, 0, 0, 0, 0)])
    plan = s.Plan(*(frozen(np.array(part, np.int64)) for part in latest))
    reads = s.grouped(case, n_cases)
    row = np.empty((1, len(moment)))
    read = frozen(everyone[np.diff(reads.offsets) > 0])
    s.sweep(read, reads, moment, segments, facts, plan, row, np.empty((0, len(moment)), np.int32))

    end = np.full(len(moment), s.ENDLESS, np.int64)
    end[:-1] = np.where(case[1:] == case[:-1], moment[1:], s.ENDLESS)
    speaks = ~np.isnan(row[0]) & (moment < end)
    return case[speaks], moment[speaks], end[speaks], row[0, speaks].astype(np.int64)


def _joined(segments, codes):
    """When each case belongs to which group; neighbouring segments of one case and group are one.

    Parameters
    ----------
    segments : as of `_versions_in_force`
    codes : array of int32    group of each row of `cases`; -1: none

    Returns
    -------
    case, group : arrays of int32; start, end : arrays of int64; by case and time
    """
    case, start, end, row = segments
    group = codes[row]
    known = group >= 0
    case, start, end, group = case[known], start[known], end[known], group[known]
    follows = (case[1:] == case[:-1]) & (group[1:] == group[:-1]) & (start[1:] == end[:-1])
    first = np.append(True, ~follows)[: len(case)]
    last = np.append(~follows, True)[: len(case)]
    return case[first], group[first], start[first], end[last]
