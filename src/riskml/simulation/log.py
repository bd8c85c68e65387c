"""What is noted while the pairs run: growing columns, joined once at the end."""

from dataclasses import fields

import numpy as np

from riskml.simulation.hazard import Pairs

__all__ = ["Log"]

# States are kept in single precision except for times, which need whole seconds.
_SMALL = {"severity", "path", "events", "reporting"}


class Log:
    """Columns by topic: events, mentions, levels, measures, responses, proceedings, outcomes, states."""

    def __init__(self):
        self._parts, self._sizes = {}, {}

    def add(self, topic, **columns):
        """Append rows; each column is an array of the same length. A topic keeps its columns."""
        length = len(next(iter(columns.values())))
        if length:
            self._parts.setdefault(topic, []).append(columns)
            self._sizes[topic] = self._sizes.get(topic, 0) + length

    def size(self, topic):
        """Rows of a topic so far, int."""
        return self._sizes.get(topic, 0)

    def state(self, pairs, rows, when):
        """Note the state of these pairs from `when` on."""
        taken = pairs.take(rows)
        columns = {
            f.name: getattr(taken, f.name).astype(np.float32 if f.name in _SMALL else np.float64)
            for f in fields(Pairs)
        }
        self.add("states", case=rows.astype(np.int32), time=when, **columns)

    def topic(self, name, *empty):
        """The columns of a topic: dict of str -> array; `empty` names them where nothing was noted."""
        parts = self._parts.get(name)
        if not parts:
            return {column: np.array([]) for column in empty}
        return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
