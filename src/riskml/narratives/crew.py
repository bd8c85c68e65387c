"""Many narratives at once, on all processors: texts in parts to processes that hold a reader each."""

import os
from collections import deque
from itertools import islice

from riskml.narratives.reading import Reader

__all__ = ["Crew", "processors"]

_PART = 500  # narratives handed over at once
_FEW = 5_000  # narratives that are read sooner than processes are started
_reader = None  # of a process of the crew


def processors():
    """How many processors this process may use, int."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare(rules):
    global _reader
    _reader = Reader(rules)


def _work(task, texts):
    return [task(_reader, text) for text in texts]


class Crew:
    """Reads parts of many texts, in this process where they are few and in several where they are many.

    A context manager: the processes end with it. At most two parts for each process are under way, so the
    memory does not grow with the number of texts.

    Parameters
    ----------
    rules : Rules or Reader
    processes : int or None    None: as many as there are processors
    """

    def __init__(self, rules, processes=None):
        self._own = rules if isinstance(rules, Reader) else None
        self._rules = self._own.rules if self._own else rules
        self._processes = processes or processors()
        self._executor, self._seen = None, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None

    def parts(self, task, texts):
        """Read texts.

        Parameters
        ----------
        task : callable           (Reader, text) -> result, defined in a module
        texts : list of str or None

        Yields
        ------
        list of results, in the order of the texts
        """
        self._seen += len(texts)
        parts = (texts[first : first + _PART] for first in range(0, len(texts), _PART))
        if self._processes == 1 or (self._seen <= _FEW and self._executor is None):
            self._own = self._own or Reader(self._rules)
            for part in parts:
                yield [task(self._own, text) for text in part]
            return
        executor = self._started()
        waiting = deque(executor.submit(_work, task, part) for part in islice(parts, 2 * self._processes))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(executor.submit(_work, task, part) for part in islice(parts, 1))
            yield done

    def _started(self):
        # Processes that are neither forked (other threads run here) nor need the caller's file to be guarded.
        from loky import ProcessPoolExecutor

        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._processes, initializer=_prepare, initargs=(self._rules,), timeout=None
            )
        return self._executor
