"""Assessments that are given, or that follow from one moment; which of them each part makes itself."""

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.features.assessments import Assessments

__all__ = ["ROW", "GivenCohort", "OpenCases", "cohort_frame"]

ROW = "__row"  # an assessment's place in the cohort that was given
_CASE = ("case_id", "occurred_at", "recorded_at", "superseded_at", "closed_at")


@dataclass(frozen=True, eq=False)
class GivenCohort:
    """The assessments of a frame.

    Attributes
    ----------
    assessments : Assessments
    """

    assessments: Assessments

    @classmethod
    def of(cls, cohort, history):
        """The cohort of a frame with `case_id` and `as_of`; refused where it is of another history.

        Parameters
        ----------
        cohort : DataFrame
        history : History    only the ids of its cases are read
        """
        given = cls(Assessments.of(cohort))
        pieces = [history.piece("cases", cut, ["case_id"])["case_id"] for cut in history.cuts("cases")]
        if pieces:
            ids = pc.drop_null(pc.unique(pa.chunked_array([c for p in pieces for c in p.chunks])))
            given.assessments.among(ids)
        return given

    def __len__(self):
        return len(self.assessments)

    @property
    def reads(self):
        """What it reads of the history: dict of table -> columns."""
        return {}

    def numbers(self, ids, cases, codes):
        """How many assessments each of the distinct cases `ids` has: array of int64."""
        at = self.assessments.among(ids) if len(ids) else np.empty(0, np.int32)
        return np.bincount(at[at >= 0], minlength=len(ids))

    def split(self, parts):
        """The assessments of each part, with their rows: yields (part, pyarrow.Table)."""
        at = self.assessments.among(parts.case_ids) if len(parts.case_ids) else np.full(len(self), -1)
        # Cases that the history does not know see nothing: a part without facts of its own.
        part = np.append(parts.case_part, np.int32(parts.number))[at]
        order = np.argsort(part, kind="stable")
        of_part = part[order]
        bounds = np.flatnonzero(np.diff(of_part, prepend=-1, append=-1))
        cases = self.assessments.cases.cast(pa.string())
        for first, end in itertools.pairwise(bounds):
            row = order[first:end]
            codes, times = self.assessments.case_codes[row], self.assessments.times[row]
            columns = {"case_id": cases.take(pa.array(codes)), "as_of": pa.array(times, pa.timestamp("us"))}
            yield int(of_part[first]), pa.table({**columns, ROW: pa.array(row.astype(np.int64))})


@dataclass(frozen=True)
class OpenCases:
    """All cases that are visible and open at one moment, as `History.open_cases` says.

    Attributes
    ----------
    as_of : Timestamp    on the registry's visible timeline
    """

    as_of: pd.Timestamp

    @property
    def reads(self):
        """What it reads of the history: dict of table -> columns."""
        return {"cases": set(_CASE)}

    def numbers(self, ids, cases, codes):
        """How many assessments each of the distinct cases `ids` has at most: array of int64."""
        return np.ones(len(ids), np.int64)

    def frame(self, history):
        """The assessments of one part: DataFrame of case_id and as_of."""
        return history.open_cases(self.as_of)


def cohort_frame(table):
    """The assessments of one part as `build_features` takes them: DataFrame."""
    times = table["as_of"].to_numpy()
    return pd.DataFrame({"case_id": pd.array(table["case_id"], dtype="str"), "as_of": times})
