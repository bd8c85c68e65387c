"""Facts altered on copies of cases, and the features computed again: what every "what if" rests on.

A copy is a case with its surroundings (all cases of its aggressor and of its victim) under ids of its own, so
that copies of any cases, altered in any way, go through the same features in one step.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.features.matrix import build_features
from riskml.registry.contract import TABLES, Kind
from riskml.registry.history import History

__all__ = ["SOURCE", "Alteration", "Copy", "copied_matrices", "copied_matrix", "factor_answer"]

SOURCE = "police_report"  # of what is added
_IDS = ("case_id", "aggressor_id", "victim_id")
_AT_ONCE = 20_000  # copies whose features are computed at a time
_DONE = ("measures", "responses", "proceedings")  # what institutions did


@dataclass(frozen=True)
class Alteration:
    """Facts added to a case at the moment of assessment, and whether its measures end then.

    Attributes
    ----------
    code : str              what it is called
    rows : tuple            (table, dict of column -> value), times and ids left out
    end_measures : tuple    kinds of measures in force that end
    """

    code: str
    rows: tuple = ()
    end_measures: tuple = ()
    fields: dict = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Copy:
    """One case, judged at a moment, as it is or altered.

    Attributes
    ----------
    case_id : str
    as_of : Timestamp
    alterations : tuple of Alteration    all recorded at `as_of`
    known_until : Timestamp or None      what was learnt of the case between `as_of` and then, what was
        corrected, and what institutions did in any case of its people, counts as if it had been at `as_of`;
        new incidents do not. None: nothing after `as_of` counts
    """

    case_id: str
    as_of: pd.Timestamp
    alterations: tuple = ()
    known_until: pd.Timestamp | None = None


def factor_answer(code, state):
    """The alteration that a factor is recorded as present or denied: Alteration."""
    return Alteration(f"{code} {state}", (("factors", {"factor": code, "state": state, "source": SOURCE}),))


def _related(cases, wanted):
    """Every case that ever was of the aggressor or of the victim of each wanted one: case_id, related."""
    own = cases[cases["case_id"].isin(wanted)]
    found = [
        own[["case_id", person]].dropna().merge(cases[["case_id", person]], on=person, suffixes=("", "_"))
        for person in ("aggressor_id", "victim_id")
    ]
    pairs = pd.concat([f[["case_id", "case_id_"]] for f in found] + [own.assign(case_id_=own["case_id"])])
    pairs = pairs[["case_id", "case_id_"]].drop_duplicates()
    return pairs.rename(columns={"case_id_": "related"})


class _Copies:
    """The tables of a history, copied and altered."""

    def __init__(self, history, copies):
        self.history, self.copies = history, copies
        cases = history.table("cases").select(list(_IDS)).to_pandas().drop_duplicates()
        asked = pd.DataFrame({"copy": np.arange(len(copies)), "case_id": [c.case_id for c in copies]})
        related = _related(cases, set(asked["case_id"]))
        self.pairs = asked.merge(related, on="case_id")[["copy", "related"]]
        people = self.pairs.merge(cases, left_on="related", right_on="case_id")
        self.members = {
            "case_id": self.pairs.rename(columns={"related": "case_id"}),
            **{person: people[["copy", person]].drop_duplicates() for person in _IDS[1:]},
        }
        self.as_of = _moments([c.as_of for c in copies])
        self.until = _moments([c.known_until for c in copies])
        self.case_ids = np.array([c.case_id for c in copies], dtype=object)

    def table(self, name):
        """One table of all copies: pyarrow.Table."""
        table, entity = self.history.table(name), TABLES[name].entity
        rows = pd.DataFrame({entity: table[entity].to_pandas(), "row": np.arange(table.num_rows)})
        taken = rows.merge(self.members[entity], on=entity).sort_values(["copy", "row"])
        copy = taken["copy"].to_numpy()
        table = table.take(pa.array(taken["row"].to_numpy()))
        own = (
            taken[entity].to_numpy() == self.case_ids[copy]
            if entity == "case_id"
            else np.zeros(len(copy), bool)
        )
        table = self._known_until(name, table, copy, own)
        if name == "measures":
            table = self._ended(table, copy, own)
        table = self._added(name, table, copy)
        return table

    def _known_until(self, name, table, copy, own):
        """What was learnt, done and corrected until `known_until` moved to `as_of`."""
        if not len(copy) or np.isnat(self.until[copy]).all():
            return table
        at, until = self.as_of[copy], self.until[copy]
        moved = (own & (name != "incidents")) | (name in _DONE)
        starts = {c: _numpy(table[c]) for c in ("occurred_at", "recorded_at")}
        seen = moved & np.all([values <= until for values in starts.values()], axis=0)
        ends = {c: _numpy(table[c]) for c in ("superseded_at", "ended_at") if c in table.column_names}
        for column, values in starts.items():
            table = _replaced(table, column, np.where(seen & (values > at), at, values))
        for column, values in ends.items():
            table = _replaced(table, column, np.where(moved & (values > at) & (values <= until), at, values))
        return table

    def _ended(self, table, copy, own):
        kinds = table["kind"].to_pandas().to_numpy()
        ending = [{k for a in c.alterations for k in a.end_measures} for c in self.copies]
        if not any(ending):
            return table
        at, ended = self.as_of[copy], _numpy(table["ended_at"])
        ends = own & np.array([kind in ending[c] for c, kind in zip(copy, kinds, strict=True)], bool)
        ends &= np.isnat(ended) | (ended > at)
        return _replaced(table, "ended_at", np.where(ends, at, ended))

    def _added(self, name, table, copy):
        """The table under ids of the copies, with the rows that alterations add."""
        added = [
            (k, row)
            for k, c in enumerate(self.copies)
            for alteration in c.alterations
            for of, row in alteration.rows
            if of == name
        ]
        mark = np.concatenate([copy, np.array([k for k, _ in added], dtype=int)])
        if added:
            rows = _rows(
                name, table.schema, [row for _, row in added], self.case_ids, self.as_of, mark[len(copy) :]
            )
            table = pa.concat_tables([table, rows])
        marks = pa.array(mark.astype(str))
        for column in _IDS:
            if column in table.column_names:
                renamed = pc.binary_join_element_wise(table[column].combine_chunks(), marks, "#")
                table = table.set_column(table.column_names.index(column), column, renamed)
        return table


def _rows(name, schema, rows, case_ids, as_of, mark):
    """Rows that are recorded at each copy's moment: pyarrow.Table."""
    columns = {}
    contract = {column.name: column for column in TABLES[name].history_columns}
    for position, column in enumerate(schema.names):
        if column in ("occurred_at", "recorded_at"):
            values = as_of[mark]
        elif column == "case_id":
            values = list(case_ids[mark])
        else:
            of = contract.get(column)
            made = f"{name}-at-the-assessment" if of and of.kind is Kind.ID and not of.nullable else None
            values = [row.get(column, f"{made}-{k}" if made else None) for k, row in enumerate(rows)]
        columns[column] = pa.array(values, schema.field(position).type)
    return pa.table(columns, schema=schema)


def _moments(values):
    return np.array(
        [np.datetime64("NaT") if v is None else v.to_datetime64() for v in values], "datetime64[us]"
    )


def _numpy(column):
    return column.to_numpy().astype("datetime64[us]")


def _replaced(table, name, values):
    place = table.column_names.index(name)
    return table.set_column(place, name, pa.array(values, table.schema.field(name).type))


def copied_matrix(history, copies, catalogue):
    """The features of copies of cases.

    Parameters
    ----------
    history : History         in which the copied cases stand with all cases of their people
    copies : list of Copy
    catalogue : Catalogue

    Returns
    -------
    DataFrame, one row per copy, in their order; index case_id ("<id>#<place>") and as_of
    """
    made = _Copies(history, copies)
    tables = {name: made.table(name) for name in history.tables}
    ids = [f"{c.case_id}#{k}" for k, c in enumerate(copies)]
    cohort = pd.DataFrame({"case_id": ids, "as_of": made.as_of})
    return build_features(History(tables, history.manifest), cohort, catalogue)


def copied_matrices(history, copies, catalogue):
    """The features of any number of copies, in pieces that memory holds: iterator of (slice, DataFrame)."""
    for start in range(0, len(copies), _AT_ONCE):
        part = slice(start, min(start + _AT_ONCE, len(copies)))
        yield part, copied_matrix(history, copies[part], catalogue)
