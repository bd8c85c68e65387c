"""The parts of a history one after the other on this machine, in memory that the size of a part bounds.

The history is read once, piece by piece, and each piece's rows go to the parts that want them, as bytes in
one file beside the result; then each part's bytes are read back in the order in which the rows stood.
"""

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from riskml.engines.blobs import packed, unpacked
from riskml.engines.tasks import COHORT
from riskml.features.arrays import WORKERS

__all__ = ["work_here"]

_AT_ONCE = 2  # parts that are worked on at once: one is computed while another is written


def work_here(work, task, scratch):
    """Do a task with every part of a piece of work.

    Parameters
    ----------
    work : Work
    task : callable of dict of table name -> pyarrow.Table    gives a pyarrow.Table
    scratch : Path    a folder on a disk that takes the history once more, compressed

    Returns
    -------
    list of (part, pyarrow.Table)    parts with assessments to make; in no particular order
    """
    with _Spilled(scratch / "rows") as spilled:
        for name, cut in work.cuts():
            piece = work.history.piece(name, cut, work.reads[name])
            for part, table in work.parts.split(name, piece):
                spilled.add(part, name, table)
        for part, table in work.cohort_split():
            spilled.add(part, COHORT, table)

        def done(part):
            return part, task(work.complete(spilled.tables(part)))

        parts = [part for part in spilled.parts if not work.given or spilled.holds(part, COHORT)]
        with ThreadPoolExecutor(min(_AT_ONCE, WORKERS)) as pool:
            return list(pool.map(done, parts))


class _Spilled:
    """Tables of parts as bytes in one file."""

    def __init__(self, path):
        self._path, self._end = path, 0
        self._places = defaultdict(lambda: defaultdict(list))

    def __enter__(self):
        self._file = open(self._path, "w+b", buffering=0)
        return self

    def __exit__(self, *_):
        self._file.close()
        self._path.unlink(missing_ok=True)

    @property
    def parts(self):
        """The parts that hold something, ascending: list of int."""
        return sorted(self._places)

    def holds(self, part, name):
        """Whether a part has rows of a table, bool."""
        return name in self._places[part]

    def add(self, part, name, table):
        """Keep further rows of a table for a part."""
        data = packed(table)
        self._file.write(data)
        self._places[part][name].append((self._end, len(data)))
        self._end += len(data)

    def tables(self, part):
        """The tables of a part, their rows in the order in which they were added."""
        descriptor = self._file.fileno()
        return {
            name: pa.concat_tables([unpacked(os.pread(descriptor, size, start)) for start, size in places])
            for name, places in self._places[part].items()
        }
