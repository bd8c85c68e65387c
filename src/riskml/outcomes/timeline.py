"""Times as whole microseconds, and the facts of each case in the order in which they happened."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["FOREVER", "CaseTimes", "Times", "microseconds", "moment_us"]

FOREVER = np.iinfo(np.int64).max  # later than any time of the registry


@dataclass(frozen=True)
class Times:
    """One column of times: `values` in microseconds since 1970, meaningful where `known`."""

    values: np.ndarray
    known: np.ndarray

    def or_forever(self):
        """The times, with those that are not known put after every other: array of int64."""
        return np.where(self.known, self.values, FOREVER)


def microseconds(column):
    """A column of an Arrow table, of timestamps, as Times."""
    known = pc.is_valid(column).to_numpy(zero_copy_only=False)
    values = pc.fill_null(column.cast(pa.int64()), 0).to_numpy()
    return Times(values, known)


def moment_us(moment):
    """One timestamp in microseconds since 1970, int."""
    return int(moment.to_datetime64().astype("datetime64[us]").astype(np.int64))


class CaseTimes:
    """Facts in order of (case, time), so that many (case, time) questions are answered by one search.

    Parameters
    ----------
    code : array of int, shape (n,)     the facts' cases, as numbers from 0
    time : array of int64, shape (n,)   when they happened, microseconds

    Attributes
    ----------
    order : array of int, shape (n,)    positions of the facts, by case, time and then given order
    code, time : arrays, shape (n,)     as given, in that order
    """

    def __init__(self, code, time):
        self.order = np.lexsort((time, code))
        self.code, self.time = np.asarray(code)[self.order], np.asarray(time)[self.order]
        self._moments = np.unique(self.time)
        # A time is told by its rank among all times, so that case and rank fit into one whole number.
        self._keys = self._key(self.code, np.searchsorted(self._moments, self.time, side="left"))

    def _key(self, code, rank):
        return np.asarray(code, np.int64) * (len(self._moments) + 1) + rank

    def __len__(self):
        return len(self.time)

    def count_through(self, code, time):
        """Position, in order, behind the case's last fact at or before the time: array of int."""
        rank = np.searchsorted(self._moments, time, side="right")
        return np.searchsorted(self._keys, self._key(code, rank), side="left")

    def first_after(self, code, time):
        """Position, in order, of the case's first fact strictly after the time; -1 where there is none."""
        position = self.count_through(code, time)
        found = np.append(self.code, -1)[position] == code
        return np.where(found, position, -1)

    def time_at(self, position, missing=FOREVER):
        """Times at positions; `missing` at -1."""
        return np.append(self.time, missing)[position]
