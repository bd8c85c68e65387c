"""The check of the registry's rows against the contract, a chunk at a time, and the account of it.

Every value arrives as text, whatever the database calls its type, and is read by the same rules: so SQLite,
where a date column may hold anything, and PostgreSQL give the same history. Faults are named by table, column
and row, never by what the row holds.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.errors import RiskmlError
from riskml.registry.contract import Kind
from riskml.vocabulary import did_you_mean

__all__ = ["REASONS", "FaultReport", "check_rows"]

# Why a row is refused, in words.
REASONS = {
    "missing": "a required value is missing",
    "not_a_time": "not a date or time",
    "not_an_integer": "not a whole number",
    "out_of_range": "out of range",
    "unknown_code": "unknown code",
    "unknown_factor": "a factor that is not in features/factors.yml",
    "duplicate": "the same record once more",
}

_PLAIN_TIME = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$"
_ANY_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(\.\d+)?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_INTEGER = r"^[+-]?\d{1,15}(\.0*)?$"
_TIME = pa.timestamp("us")
# The two clocks of a fact; an expiry may be as far away as the database can write it.
_CLOCKS = ("occurred_at", "recorded_at")
_CLOCK_RANGE = (datetime(1900, 1, 1), datetime(2200, 1, 1))
_NAMED_ROWS = 3


@dataclass
class FaultReport:
    """What was found while a registry was read.

    Attributes
    ----------
    rejected : Counter of (table, column, reason)    rows that break the contract
    rows : dict of (table, column, reason) -> the first few row positions, counted from 1 as read
    hints : dict of (table, column, reason) -> set of "did you mean"
    notes : dict of note -> Counter of table    what was kept or mended, and has to be known
    """

    rejected: Counter = field(default_factory=Counter)
    rows: dict = field(default_factory=dict)
    hints: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)

    def note(self, what, where, count):
        """Count something that is kept: a missing time that was replaced, a masked value."""
        if count:
            self.notes.setdefault(what, Counter())[where] += int(count)

    def reject(self, table, column, reason, positions, hint=""):
        """Count rows that break the contract."""
        if not len(positions):
            return
        key = (table, column, reason)
        self.rejected[key] += len(positions)
        named = self.rows.setdefault(key, [])
        named += [int(p) for p in positions[: _NAMED_ROWS - len(named)]]
        if hint:
            self.hints.setdefault(key, set()).add(hint)

    def as_dict(self):
        """For the manifest: dict of what -> {where: count}, sorted."""
        faults = {what: dict(sorted(counter.items())) for what, counter in self.notes.items()}
        if self.rejected:
            faults["set_aside"] = {
                f"{table}.{column}: {reason}": n
                for (table, column, reason), n in sorted(self.rejected.items())
            }
        return dict(sorted(faults.items()))

    def raise_rejected(self, where):
        """One message for all rows that break the contract.

        Raises
        ------
        RiskmlError    there are any
        """
        if not self.rejected:
            return
        lines = []
        for key, count in sorted(self.rejected.items()):
            table, column, reason = key
            rows = ", ".join(str(p) for p in self.rows[key]) + (
                ", ..." if count > len(self.rows[key]) else ""
            )
            line = (
                f"{table}.{column}: {REASONS[reason]} in {count} {'row' if count == 1 else 'rows'} ({rows})"
            )
            lines.append(". ".join([line, *sorted(self.hints.get(key, ()))[:_NAMED_ROWS]]))
        raise RiskmlError(
            "\n  ".join(["rows that break the contract; nothing was written", *lines]),
            where=where,
            mend="Correct them in the registry, or keep them apart with their reasons: --set-aside.",
        )


def _zoned(text, zone):
    """A time that is not written plainly: with an offset, or finer than a microsecond. None: not a time."""
    match = _ANY_TIME.fullmatch(text.strip())
    if not match:
        return None
    day, minutes, seconds, fraction, offset = match.groups(default="")
    try:
        moment = datetime.fromisoformat(f"{day} {minutes or '00:00'}{seconds or ':00'}{fraction}{offset}")
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if offset else moment
    except (ValueError, OverflowError):
        return None


def _times(texts, zone):
    """Times of a column of texts, with nulls, and which of the texts are no time."""
    try:
        return texts.cast(_TIME), np.zeros(len(texts), bool)
    except pa.ArrowInvalid:
        pass
    # "infinity" is PostgreSQL's way to write that there is no end.
    texts = pc.if_else(pc.fill_null(pc.equal(texts, "infinity"), False), None, texts)
    plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN_TIME), False).to_numpy(zero_copy_only=False)
    held = texts.is_valid().to_numpy(zero_copy_only=False)
    series = pd.Series(texts.to_pandas().where(plain))
    moments = (
        pd.to_datetime(series, format="ISO8601", errors="coerce").astype("datetime64[us]").to_numpy().copy()
    )
    for i in np.flatnonzero(held & ~plain):
        moment = _zoned(texts[i].as_py(), zone)
        if moment is not None:
            moments[i] = np.datetime64(moment, "us")
    return pa.array(moments, _TIME, mask=np.isnat(moments)), held & np.isnat(moments)


def _integers(texts):
    """Whole numbers of a column of texts, with nulls, and which of the texts are none."""
    whole = pc.fill_null(pc.match_substring_regex(texts, _INTEGER), True)
    kept = pc.if_else(whole, texts, None)
    kept = pc.replace_substring_regex(kept, r"^\+|\.0*$", "")
    return kept.cast(pa.int64()), ~whole.to_numpy(zero_copy_only=False)


def _outside(values, low, high):
    """Which values lie outside a closed range; nulls do not."""
    outside = np.zeros(len(values), bool)
    for bound, test in ((low, pc.less), (high, pc.greater)):
        if bound is not None:
            outside |= pc.fill_null(test(values, pa.scalar(bound, values.type)), False).to_numpy(
                zero_copy_only=False
            )
    return outside


def _strangers(values, known):
    """Which values are not among the known ones; nulls are not strangers."""
    stranger = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, pa.array(known, pa.string()))))
    return stranger.to_numpy(zero_copy_only=False)


def _hint(values, stranger, known):
    """What a stranger may have been meant to be; the known word is named, the stranger itself is not."""
    unknown = pc.unique(values.filter(pa.array(stranger))).to_pylist()[:20]
    return next((near for near in (did_you_mean(word, known) for word in unknown) if near), "")


def _read_column(column, texts, factors, zone):
    """One column's values in the contract's type, and its faults: list of (reason, mask, hint)."""
    faults = []
    if column.kind is Kind.TIME:
        values, bad = _times(texts, zone)
        faults.append(("not_a_time", bad, ""))
        if column.name in _CLOCKS:
            faults.append(("out_of_range", _outside(values, *_CLOCK_RANGE), ""))
    elif column.kind is Kind.INTEGER:
        values, bad = _integers(texts)
        faults.append(("not_an_integer", bad, ""))
        faults.append(("out_of_range", _outside(values, column.minimum, column.maximum), ""))
    else:
        values = pc.utf8_trim_whitespace(texts)
        values = pc.if_else(pc.equal(pc.utf8_length(values), 0), None, values)
        bad = np.zeros(len(values), bool)
        if column.values:
            stranger = _strangers(values, column.values)
            hint = _hint(values, stranger, column.values) if stranger.any() else ""
            faults.append(("unknown_code", stranger, hint))
        elif column.name == "factor" and factors is not None:
            stranger = _strangers(values, factors.codes)
            hint = _hint(values, stranger, factors.codes) if stranger.any() else ""
            faults.append(("unknown_factor", stranger, hint))
    if not column.nullable and column.name != "occurred_at":
        faults.append(("missing", values.is_null().to_numpy(zero_copy_only=False) & ~bad, ""))
    return values, faults


def check_rows(table, texts, first, report, *, factors=None, timezone):
    """Read a chunk of rows by the contract.

    A row that broke the contract is counted in the report and marked. A missing `occurred_at` is replaced by
    `recorded_at` and counted; a `recorded_at` before its `occurred_at`, or a `superseded_at` not after its
    `recorded_at`, is counted and kept.

    Parameters
    ----------
    table : contract.Table
    texts : dict of column name -> pyarrow.StringArray, shape (n,)    every column that enters a history
    first : int    position of the chunk's first row, from 1
    report : FaultReport    to be added to
    factors : FactorVocabulary or None    None: factor codes are not checked
    timezone : str    the registry's; a time with an offset is brought to it

    Returns
    -------
    columns : dict of column name -> pyarrow.Array of the contract's type, shape (n,)
    broken : list of (column name, reason, bool array of shape (n,))    one entry for each fault found
    """
    columns, broken = {}, []
    rows = len(next(iter(texts.values())))
    positions = np.arange(first, first + rows)
    for column in table.history_columns:
        columns[column.name], faults = _read_column(column, texts[column.name], factors, timezone)
        for reason, bad, hint in faults:
            if bad.any():
                report.reject(table.name, column.name, reason, positions[bad], hint)
                broken.append((column.name, reason, bad))

    sound = np.ones(rows, bool)
    for _, _, bad in broken:
        sound &= ~bad
    occurred, recorded = columns["occurred_at"], columns["recorded_at"]
    absent = occurred.is_null()
    report.note("occurred_at_missing", table.name, _count(absent, sound))
    columns["occurred_at"] = occurred = pc.if_else(absent, recorded, occurred)
    report.note("recorded_before_occurred", table.name, _count(pc.less(recorded, occurred), sound))
    superseded = columns["superseded_at"]
    report.note("superseded_before_recorded", table.name, _count(pc.less_equal(superseded, recorded), sound))
    return columns, broken


def _count(condition, sound):
    return int((pc.fill_null(condition, False).to_numpy(zero_copy_only=False) & sound).sum())
