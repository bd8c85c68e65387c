"""Assessments by rule: on common dates, at each new contact, or both; each part makes its own."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.errors import RiskmlError
from riskml.outcomes.cohort import assessments
from riskml.vocabulary import did_you_mean, duration, moment_of

__all__ = ["CohortRule", "rule_of"]

_CLOCK = ("occurred_at", "recorded_at", "superseded_at")


@dataclass(frozen=True)
class CohortRule:
    """The arguments of `riskml.assessments`; a part's assessments are those that it makes of the part."""

    every: str | None = "28d"
    start: object = None
    end: object = None
    at_contacts: bool = False
    first: object = None  # the first common date, once it is known

    def resolved(self, history):
        """The same rule with its dates, which follow from the whole history.

        Raises
        ------
        RiskmlError    as `riskml.assessments`
        """
        moments = [
            _begins(history.piece("cases", cut, ("case_id", *_CLOCK))) for cut in history.cuts("cases")
        ]
        earliest = min((m for m in moments if m is not None), default=None)
        sample = {name: table.slice(0, 0) for name, table in history.heads().tables.items()}
        if earliest is not None:
            sample["cases"] = _one_case(sample["cases"], earliest)
        end = moment_of(self.end, "end") if self.end is not None else history.observed_until
        # One case that opens with the first: every mistake is told before anything is written.
        assessments(sample, every=self.every, start=self.start, end=earliest, at_contacts=self.at_contacts)
        first = moment_of(self.start, "start") if self.start is not None else earliest.ceil("D")
        return replace(self, end=end, first=first)

    @property
    def reads(self):
        """What it reads of the history: dict of table -> columns."""
        read = {"cases": {"case_id", "closed_at", *_CLOCK}}
        if self.at_contacts:
            read["incidents"] = {"incident_id", "case_id", *_CLOCK}
        return read

    def numbers(self, ids, cases, codes):
        """About how many assessments each of the distinct cases `ids` has: array of float.

        Contacts are not counted: there are few of them beside common dates.
        """
        each = np.ones(len(ids))
        if self.every is None:
            return each
        begin = _latest(cases, "occurred_at", "recorded_at")
        end = np.fmin(_times(cases, "superseded_at"), _times(cases, "closed_at"))
        begin, end = np.fmax(begin, _micro(self.first)), np.fmin(end, _micro(self.end))
        dates = np.nan_to_num(np.maximum(end - begin, 0)) / duration(self.every)
        known = codes >= 0
        return each + np.bincount(codes[known], weights=dates[known], minlength=len(ids))

    def frame(self, history):
        """The assessments of one part, by case and time: DataFrame of case_id and as_of."""
        frames = [_NOBODY]
        if _begins(history.table("cases")) is not None:
            if self.every is not None:
                frames.append(assessments(history, every=self.every, start=self.first, end=self.end))
            if self.at_contacts:
                frames.append(
                    assessments(history, every=None, start=self.start, end=self.end, at_contacts=True)
                )
        found = pd.concat([f for f in frames if len(f)] or [_NOBODY], ignore_index=True)
        return found.drop_duplicates().sort_values(["case_id", "as_of"], ignore_index=True)


_NOBODY = pd.DataFrame({"case_id": pd.array([], dtype="str"), "as_of": pd.array([], dtype="datetime64[us]")})


def rule_of(given):
    """A rule of what a user gave: CohortRule, or a mapping of the arguments of `riskml.assessments`.

    Raises
    ------
    RiskmlError    an argument that there is not
    """
    if isinstance(given, CohortRule):
        return given
    known = ("every", "start", "end", "at_contacts")
    for name in given:
        if name not in known:
            raise RiskmlError(
                f'unknown argument "{name}" of a cohort',
                where="cohort",
                mend=did_you_mean(name, known) or f"Known: {', '.join(known)}.",
            )
    return CohortRule(**given)


def _micro(moment):
    return float(np.datetime64(pd.Timestamp(moment).as_unit("us"), "us").astype(np.int64))


def _times(table, name):
    """A column of times as microseconds: array of float, NaN where it is null."""
    column = table[name].cast(pa.int64()).cast(pa.float64(), safe=False)
    return pc.fill_null(column, np.nan).to_numpy()


def _latest(table, *names):
    return np.maximum(*(_times(table, name) for name in names))


def _begins(cases):
    """The first moment at which a case is visible: Timestamp, or None where none ever is."""
    begins = pc.max_element_wise(cases["occurred_at"], cases["recorded_at"], skip_nulls=False)
    seen = pc.or_kleene(pc.is_null(cases["superseded_at"]), pc.less(begins, cases["superseded_at"]))
    known = pc.and_(pc.is_valid(begins), pc.is_valid(cases["case_id"]))
    first = pc.min(pc.filter(begins, pc.and_kleene(seen, known))).as_py()
    return None if first is None else pd.Timestamp(first).as_unit("us")


def _one_case(cases, moment):
    """A table `cases` with one case that opens at a moment."""
    known = {
        "case_id": "case",
        "aggressor_id": "",
        "victim_id": "",
        "occurred_at": moment,
        "recorded_at": moment,
    }
    columns = {f.name: pa.array([known.get(f.name)], f.type) for f in cases.schema}
    return pa.table(columns)
