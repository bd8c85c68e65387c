"""Parts of a history that can be worked on alone: no feature of a case in one part reads a fact of another.

A case and its aggressor belong together where a feature is taken over all cases of the aggressor, a case and
its victim where one is taken over those of the victim; what hangs together in this way is a component, and a
part is a number of whole components.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from riskml.features.arrays import codes_among
from riskml.registry.contract import TABLES

__all__ = ["Parts", "Whereabouts", "links_of", "parts_of"]

_PERSONS = ("aggressor", "victim")
_PERSON_TABLES = ("aggressors", "victims")


@dataclass(frozen=True)
class Whereabouts:
    """In which parts each id is wanted: a case in one, a person in that of each of his cases.

    Attributes
    ----------
    ids : pyarrow.Array of string
    offsets : array of int64, shape (ids + 1,)
    parts : array of int32    those of id i are parts[offsets[i]:offsets[i + 1]], ascending
    """

    ids: pa.Array
    offsets: np.ndarray
    parts: np.ndarray

    @classmethod
    def of(cls, ids, codes, parts):
        """Of pairs of an id's position and a part; -1: no id."""
        known = codes >= 0
        most = int(parts.max(initial=0)) + 1
        pairs = np.unique(codes[known].astype(np.int64) * most + parts[known])
        offsets = np.searchsorted(pairs // most, np.arange(len(ids) + 1))
        return cls(ids, offsets, (pairs % most).astype(np.int32))

    def split(self, table, column):
        """The rows of a table that each part wants, in the table's order.

        Yields
        ------
        (part, pyarrow.Table)    by part; rows of unknown ids are in none
        """
        codes = codes_among(table[column], self.ids)
        counts = np.append(np.diff(self.offsets), 0)[codes]
        row = np.repeat(np.arange(len(codes)), counts)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        part = self.parts[self.offsets[codes[row]] + nth]
        order = np.argsort(part, kind="stable")
        taken, part = table.take(pa.array(row[order])), part[order]
        bounds = np.flatnonzero(np.diff(part, prepend=-1, append=-1))
        for first, end in itertools.pairwise(bounds):
            yield int(part[first]), taken.slice(first, end - first)


@dataclass(frozen=True)
class Parts:
    """The parts of a history.

    Attributes
    ----------
    number : int                  how many; what no case of the history belongs to goes to one more, the last
    case_ids : pyarrow.Array      the distinct cases
    case_part : array of int32    the part of each
    case_codes, person_codes      position of the case, aggressor and victim of each row of `cases`
    person_ids : dict of "aggressor" or "victim" -> pyarrow.Array
    largest : int                 cases of the largest component
    largest_share : float         its share of the work
    largest_bytes : float         its work
    """

    number: int
    case_ids: pa.Array
    case_part: np.ndarray
    case_codes: np.ndarray
    person_ids: dict
    person_codes: dict
    largest: int
    largest_share: float
    largest_bytes: float

    @cached_property
    def whereabouts(self):
        """By entity (`case_id`, `aggressor_id`, `victim_id`): dict of Whereabouts."""
        found = {"case_id": Whereabouts.of(self.case_ids, np.arange(len(self.case_ids)), self.case_part)}
        known = self.case_codes >= 0
        for person in _PERSONS:
            codes, part = self.person_codes[person][known], self.case_part[self.case_codes[known]]
            found[f"{person}_id"] = Whereabouts.of(self.person_ids[person], codes, part)
        return found

    def split(self, name, table):
        """The rows of a table of the contract that each part wants: see `Whereabouts.split`."""
        entity = TABLES[name].entity
        return self.whereabouts[entity].split(table, entity)


def links_of(catalogue):
    """What ties cases to each other: the persons over whose cases some feature is taken, tuple of str."""
    # A person's own facts may be read in several parts at once; they tie nothing.
    facts = [f for f in catalogue.features if f.table in TABLES and f.table not in _PERSON_TABLES]
    return tuple(person for person in _PERSONS if any(f.over == person for f in facts))


def parts_of(history, links, work, number):
    """Cut a history into parts.

    Parameters
    ----------
    history : History
    links : iterable of "aggressor", "victim"    of `links_of`
    work : callable    of (ids, cases, codes) -> float array: work of each of the distinct cases `ids`; from
        the rows of `cases` and the position of each row's case among them
    number : callable  of the whole work -> how many parts there should be, int

    Returns
    -------
    Parts    of about equal work; a component is never cut, so that one part may be larger
    """
    columns = ["case_id", "aggressor_id", "victim_id", "occurred_at", "recorded_at", "superseded_at"]
    pieces = [history.piece("cases", cut, [*columns, "closed_at"]) for cut in history.cuts("cases")]
    cases = pa.concat_tables(pieces or [history.heads().tables["cases"]])
    ids, codes = _coded(cases["case_id"])
    persons = {person: _coded(cases[f"{person}_id"]) for person in _PERSONS}
    component = _components(len(ids), codes, [persons[person] for person in links])
    each = np.asarray(work(ids, cases, codes), float) if len(ids) else np.empty(0)
    size = np.bincount(component, weights=each) if len(ids) else np.empty(0)
    total = size.sum()
    # Components stand in the order of their first case, so that a part's rows lie together.
    middle = np.cumsum(size) - size / 2
    wanted = max(1, min(int(number(total)), len(size) or 1))
    place = np.floor(middle / total * wanted).astype(np.int64) if total else np.zeros(len(size), np.int64)
    used, part = np.unique(np.minimum(place, wanted - 1), return_inverse=True)
    cases_of = np.bincount(component) if len(ids) else np.zeros(1, int)
    heaviest = float(size[cases_of.argmax()]) if len(ids) else 0.0
    return Parts(
        number=len(used),
        case_ids=ids,
        case_part=part[component].astype(np.int32) if len(ids) else np.empty(0, np.int32),
        case_codes=codes,
        person_ids={person: ids_of for person, (ids_of, _) in persons.items()},
        person_codes={person: of_rows for person, (_, of_rows) in persons.items()},
        largest=int(cases_of.max()),
        largest_share=float(heaviest / total) if total else 0.0,
        largest_bytes=heaviest,
    )


def _coded(column):
    """The distinct ids, as they first stand, and the position of each row's: -1 where there is none."""
    ids = pc.drop_null(pc.unique(column))
    return ids, codes_among(column, ids)


def _components(n_cases, codes, persons):
    """The component of each case, numbered as they first stand: array of int64."""
    rows, columns, size = [], [], n_cases
    for ids, of_rows in persons:
        both = (codes >= 0) & (of_rows >= 0)
        rows.append(codes[both].astype(np.int64))
        columns.append(of_rows[both].astype(np.int64) + size)
        size += len(ids)
    edges = (np.concatenate(rows), np.concatenate(columns)) if rows else (np.empty(0, int), np.empty(0, int))
    graph = coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(size, size))
    found = connected_components(graph, directed=False)[1][:n_cases]
    _, first, number = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]
