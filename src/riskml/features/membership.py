"""Who belongs to whom, and when: the segments of time in which each case speaks for its aggressor and its victim."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskml.features.arrays import codes_among, frozen, microseconds, row_count
from riskml.features.sweep import ENDLESS, grouped, read_groups, scope_segments, versions_in_force

__all__ = ["Membership", "Reads", "Scope"]


@dataclass(frozen=True)
class Scope:
    """The groups of one scope (cases, aggressors or victims), and who belongs to each of them when.

    The last group is nobody's: no fact reaches it, and assessments of cases that are not visible read it.

    Attributes
    ----------
    ids : pyarrow.Array of string              the id of each group
    row_group : array of int32                 group of each row of `cases`; -1: none
    offsets : array of int64                   segments of each group, nobody's among them
    entity : array of int32                    what belongs to the group: a case, or the person himself
    start, end : arrays of int64               during [start, end)
    """

    ids: pa.Array
    row_group: np.ndarray
    offsets: np.ndarray
    entity: np.ndarray
    start: np.ndarray
    end: np.ndarray

    @property
    def nobody(self):
        """Number of the group that is nobody's."""
        return len(self.offsets) - 2

    def of_persons(self):
        """The same groups, holding the facts of the persons themselves instead of their cases': Scope."""
        persons = len(self.ids)
        offsets = np.append(np.arange(persons + 1, dtype=np.int64), persons)
        always = np.full(persons, -ENDLESS, np.int64), np.full(persons, ENDLESS, np.int64)
        return Scope(self.ids, self.row_group, offsets, np.arange(persons, dtype=np.int32), *always)


@dataclass(frozen=True)
class Reads:
    """The assessments of each group.

    Attributes
    ----------
    groups : array of int32      the groups that are read, in the cohort's order
    offsets, rows                assessments of group g: rows[offsets[g]:offsets[g + 1]]
    """

    groups: np.ndarray
    offsets: np.ndarray
    rows: np.ndarray


class Membership:
    """The versions of each case: whose it is at any moment.

    Parameters
    ----------
    cases : pyarrow.Table    the table `cases` of a history
    """

    def __init__(self, cases):
        row_count(cases, "cases")
        occurred, recorded = (
            microseconds(cases, "occurred_at", None),
            microseconds(cases, "recorded_at", None),
        )
        self.case_ids, codes = _distinct(cases["case_id"])
        self._codes = {"case": codes}
        self._ids = {"case": self.case_ids}
        self._cases = cases
        known = (occurred != -ENDLESS) & (recorded != -ENDLESS)
        offsets, rows = grouped(frozen(np.where(known, codes, -1).astype(np.int32)), len(self.case_ids))
        superseded = microseconds(cases, "superseded_at", ENDLESS)
        self._segments = versions_in_force(offsets, rows, occurred, recorded, superseded)

    def scope(self, over):
        """The groups of a scope: Scope. `over` is "case", "aggressor" or "victim"."""
        if over not in self._codes:
            self._ids[over], self._codes[over] = _distinct(self._cases[f"{over}_id"])
        ids, codes = self._ids[over], self._codes[over]
        group, case, start, end = scope_segments(*self._segments, codes)
        offsets, order = grouped(frozen(group), len(ids) + 1)
        return Scope(ids, codes, offsets, case[order], start[order], end[order])

    def reads(self, scope, case_codes, times):
        """The assessments of each group of a scope.

        Parameters
        ----------
        scope : Scope
        case_codes : array of int32    position of each assessment's case in `case_ids`; -1: unknown
        times : array of int64         as_of, microseconds

        Returns
        -------
        Reads
        """
        groups = read_groups(case_codes, times, *self._segments, scope.row_group, scope.nobody)
        offsets, rows = grouped(frozen(groups), scope.nobody + 1)
        read = np.flatnonzero(np.diff(offsets))
        in_order = np.argsort(rows[offsets[read]], kind="stable")
        return Reads(frozen(read[in_order].astype(np.int32)), offsets, rows)


def _distinct(column):
    """The distinct ids of a column, and the position of each row's among them; -1 where there is none."""
    ids = pc.drop_null(pc.unique(column))
    return ids, codes_among(column, ids)
