"""The interval sweep: facts enter at the left end of their interval and leave at its right end.

Compiled kernels over plain arrays. Times are whole microseconds (int64); nothing here knows tables or the
catalogue. All kernels stand in this one file because the compiler's cache on disk is checked file by file.

A fact is visible in [start, end): start is the later of its two clocks and of the moment at which its case
joined the group; end is the earlier of its correction and of the moment at which its case left the group. In
a window it is there in [start, min(occurred + window, end)). Within a group these moments are turned, once,
into positions among the group's assessments; a fact is then there at the assessments [enter, leave), and
each column costs its facts plus its assessments:

- count, sum, mean, any: add at `enter`, take away at `leave`, and run along;
- distinct: the same, over the union of the intervals of each value;
- max, latest, days since, days to expiry: facts claim their assessments from the highest rank down, and what
  is claimed is never visited again (a forest of "next one free");
- days since the second and third episode: the same, but an assessment that was claimed comes back once the
  facts are a day older (a tree of those that may be claimed).

A window with a near end begins that long after a fact occurred: facts enter it later, in [max(start,
occurred + near), min(occurred + far, end)). Where many conditions choose among the facts, each fact's bits
are walked once, instead of once for each condition.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

__all__ = [
    "ANY",
    "BY_TIME",
    "COUNT",
    "DAYS_FROM",
    "DAYS_SINCE",
    "DAYS_SINCE_SECOND",
    "DAYS_SINCE_THIRD",
    "DAYS_TO",
    "DISTINCT",
    "ENDLESS",
    "MEAN",
    "OLDEST_FIRST",
    "OWN",
    "SUM",
    "TOP",
    "TOP_WORD",
    "UNKNOWN",
    "UNTIL",
    "VALUES_DOWN",
    "VALUES_UP",
    "Grouped",
    "Plan",
    "Segments",
    "SweptFacts",
    "grouped",
    "read_groups",
    "sweep",
]

ENDLESS = 2**62  # later than any time, and far enough from the end of int64 for one addition
UNTIL = -1  # a window that ends not by age but at a time that each fact has of its own
OWN = -1  # a near end that is not an age but a time that each fact has of its own
UNKNOWN = -(2**63)  # a value that is not known
DAY = 86_400_000_000.0
APART = 86_400_000_000  # what occurred less than this before an episode belongs to it

# What a column gives.
COUNT, SUM, MEAN, ANY, DISTINCT, TOP, TOP_WORD, DAYS_SINCE, DAYS_TO, DAYS_FROM = range(10)
DAYS_SINCE_SECOND, DAYS_SINCE_THIRD = 10, 11
# In which order its facts are taken: the last to occur first, or by value (then by when they enter), or the
# first to occur first.
BY_TIME, VALUES_UP, VALUES_DOWN, OLDEST_FIRST = range(4)

_FEW = 4  # conditions: facts are looked through once for each of them
# A whole number with one bit, times this, has the bit's place in a table of its upper six bits (de Bruijn).
_SPREAD = np.uint64(0x03F79D71B4CB0A89)
_PLACES = np.argsort([(int(_SPREAD) << bit & 2**64 - 1) >> 58 for bit in range(64)])


class Grouped(NamedTuple):
    """Positions by group: those of group g are positions[offsets[g]:offsets[g + 1]], ascending."""

    offsets: np.ndarray  # int64, (groups + 1,)
    positions: np.ndarray  # int32


class Segments(NamedTuple):
    """Who belongs to group g: entity[k] during [start[k], end[k]), for k in offsets[g]:offsets[g + 1]."""

    offsets: np.ndarray  # int64, (groups + 1,)
    entity: np.ndarray  # int32
    start: np.ndarray  # int64
    end: np.ndarray  # int64


class SweptFacts(NamedTuple):
    """The facts of one table."""

    by_entity: Grouped
    occurred: np.ndarray  # int64, (facts,)
    recorded: np.ndarray  # int64, (facts,)
    superseded: np.ndarray  # int64, (facts,); ENDLESS where it stands
    values: np.ndarray  # int64, (V, facts); what columns read, UNKNOWN where it is not known
    since: np.ndarray  # int64, (facts,), or (0,) where no near end is OWN; the own beginning of each fact
    until: np.ndarray  # int64, (facts,), or (0,) where no window is UNTIL; the own end of each fact
    marks: np.ndarray  # uint64, (facts, B); bit b % 64 of word b // 64: whether a fact satisfies condition b


class Plan(NamedTuple):
    """What is read. Value V is 1 for every fact."""

    bits: np.ndarray  # int64, (S,); the condition of each stream, -1: every fact
    nears: np.ndarray  # int64, (N,); near ends of windows, or OWN; the first is 0
    windows: np.ndarray  # int64, (W, 2); place among the near ends; far end, ENDLESS or UNTIL
    orders: np.ndarray  # int64, (K, 3); by what facts are taken, place among the values and the near ends
    columns: (
        np.ndarray
    )  # int64, (C, 7); stream, gives, window, value, order, place in the result, whether the
    #   result holds already what the column gives of nothing; by order, then stream


def _compiled(function):
    """Compile without the interpreter lock, keeping the machine code on disk where some folder takes it."""
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder to write to: compile in each process
        return njit(nogil=True, error_model="numpy")(function)


@_compiled
def grouped(codes, groups):
    """Positions of each code, in order: a counting sort.

    Parameters
    ----------
    codes : array of int32, shape (n,)    group of each position; -1: none
    groups : int                          number of groups

    Returns
    -------
    Grouped
    """
    offsets = np.zeros(groups + 2, np.int64)
    for code in codes:
        offsets[code + 2] += 1
    offsets[1] = 0
    for g in range(2, groups + 2):
        offsets[g] += offsets[g - 1]
    positions = np.empty(offsets[groups + 1], np.int32)
    for i in range(len(codes)):
        if codes[i] >= 0:
            slot = offsets[codes[i] + 1]
            positions[slot] = i
            offsets[codes[i] + 1] = slot + 1
    return Grouped(offsets[: groups + 1], positions)


@_compiled
def read_groups(cases, times, offsets, start, end, group, nobody):
    """The group that each assessment asks about; `nobody` where its case is not visible.

    Parameters
    ----------
    cases : array of int32, times : array of int64, shape (n,)    the assessments; case -1: unknown
    offsets : array of int64                  segments of each case, as of `grouped`
    start, end, group : arrays                a case is `group`'s during [start, end); disjoint, ascending
    nobody : int

    Returns
    -------
    array of int32, shape (n,)
    """
    groups = np.empty(len(cases), np.int32)
    for i in range(len(cases)):
        groups[i] = nobody
        if cases[i] < 0:
            continue
        first, high = offsets[cases[i]], offsets[cases[i] + 1]
        low = first
        while low < high:  # the last segment that starts at or before the assessment
            middle = (low + high) >> 1
            if start[middle] <= times[i]:
                low = middle + 1
            else:
                high = middle
        if low > first and times[i] < end[low - 1]:
            groups[i] = group[low - 1]
    return groups


@_compiled
def _before(a, b, c, i, j):
    if a[i] != a[j]:
        return a[i] < a[j]
    if b[i] != b[j]:
        return b[i] < b[j]
    return c[i] < c[j]


@_compiled
def _arrange(order, spare, n, a, b, c):
    """Sort order[:n] by the keys (a, b, c) at the positions that it holds; one look if it is sorted."""
    k = 1
    while k < n and not _before(a, b, c, order[k], order[k - 1]):
        k += 1
    if k >= n:
        return
    run = 12
    for low in range(0, n, run):
        for k in range(low + 1, min(low + run, n)):
            moved = order[k]
            j = k - 1
            while j >= low and _before(a, b, c, moved, order[j]):
                order[j + 1] = order[j]
                j -= 1
            order[j + 1] = moved
    while run < n:
        for low in range(0, n, 2 * run):
            middle, high = min(low + run, n), min(low + 2 * run, n)
            left, right = low, middle
            for k in range(low, high):
                if left < middle and (right >= high or not _before(a, b, c, order[right], order[left])):
                    spare[k] = order[left]
                    left += 1
                else:
                    spare[k] = order[right]
                    right += 1
        for k in range(n):
            order[k] = spare[k]
        run *= 2


@_compiled
def _first_at(times, low, n, moment):
    """The first position from `low` on whose time is `moment` or later; n where there is none."""
    if low >= n or times[low] >= moment:
        return low
    high = n
    while low < high:
        middle = (low + high) >> 1
        if times[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@_compiled
def _by_level(order, spare, n, value):
    """Sort order[:n] by the value at the positions that it holds, greatest first."""
    low, high = value[order[0]], value[order[0]]
    for k in range(n):
        low, high = min(low, value[order[k]]), max(high, value[order[k]])
    if high - low > 2 * n + 16:  # far between: sort by comparing, then turn around
        _arrange(order, spare, n, value, order, order)
        for k in range(n >> 1):
            order[k], order[n - 1 - k] = order[n - 1 - k], order[k]
        return
    place = np.zeros(high - low + 2, np.int64)
    for k in range(n):
        place[high - value[order[k]] + 1] += 1
    for level in range(1, high - low + 1):
        place[level] += place[level - 1]
    for k in range(n):
        level = high - value[order[k]]
        spare[place[level]] = order[k]
        place[level] += 1
    for k in range(n):
        order[k] = spare[k]


@_compiled
def _counted(chosen, n, enter, leave, number, low, high):
    """How many facts are there at each assessment, into `number`: what entered minus what left."""
    number[low : high + 1] = 0
    for k in range(n):
        number[enter[chosen[k]]] += 1
        number[leave[chosen[k]]] -= 1
    there = 0
    for r in range(low, high):
        there += number[r]
        number[r] = there


@_compiled
def _summed(chosen, n, enter, leave, value, total, low, high):
    """The sum of the values of the facts that are there, into `total`."""
    total[low : high + 1] = 0
    for k in range(n):
        i = chosen[k]
        total[enter[i]] += value[i]
        total[leave[i]] -= value[i]
    there = 0
    for r in range(low, high):
        there += total[r]
        total[r] = there


@_compiled
def _distinct(chosen, n, enter, leave, value, number, low, high):
    """How many values are there, into `number`. Facts come by value, then by when they enter."""
    number[low : high + 1] = 0
    last, covered = UNKNOWN, 0
    for k in range(n):
        i = chosen[k]
        if value[i] != last:
            last, covered = value[i], 0
        begin = max(enter[i], covered)
        if begin < leave[i]:
            number[begin] += 1
            number[leave[i]] -= 1
            covered = leave[i]
    there = 0
    for r in range(low, high):
        there += number[r]
        number[r] = there


@_compiled
def _next_free(free, r):
    while free[r] != r:
        free[r] = free[free[r]]
        r = free[r]
    return r


@_compiled
def _claimed(chosen, n, enter, leave, free, owner, low, high):
    """The first fact of `chosen` that is there at each assessment, into `owner`; -1 where there is none."""
    for r in range(low, high + 1):
        free[r] = r
    owner[low:high] = -1
    remaining = high - low
    for k in range(n):
        i = chosen[k]
        if enter[i] >= leave[i]:
            continue
        r = _next_free(free, enter[i])
        while r < leave[i]:
            owner[r] = i
            remaining -= 1
            free[r] = r + 1
            r = _next_free(free, r + 1)
        if remaining == 0:
            break


@_compiled
def _next_there(there, size, r):
    """The first position from `r` on that is in the tree; `size` or more where there is none."""
    if r >= size:
        return size
    node = size + r
    while not there[node]:
        while node & 1:  # the last of its parent: nothing is left below it
            node >>= 1
        if node == 0:
            return size
        node += 1
    while node < size:
        node *= 2
        if not there[node]:
            node += 1
    return node - size


@_compiled
def _put(there, size, r, present):
    """Put a position into the tree, or take it out."""
    node = size + r
    there[node] = present
    node >>= 1
    while node:
        there[node] = there[2 * node] or there[2 * node + 1]
        node >>= 1


@_compiled
def _episodes(chosen, n, enter, leave, happened, wanted, room, owner, n_reads):
    """The fact that begins the `wanted`-th latest episode at each assessment, into `owner`; -1: none.

    Facts come latest first. An assessment that was claimed waits until the facts are APART older than its
    claim; claims are in that order, so the waiting ones are a queue.
    """
    there, seen, last, waiting = room
    size = 1
    while size < n_reads:
        size *= 2
    for r in range(size):
        there[size + r] = r < n_reads
    for node in range(size - 1, 0, -1):
        there[node] = there[2 * node] or there[2 * node + 1]
    seen[:n_reads] = 0
    owner[:n_reads] = -1
    head, tail = 0, 0
    for k in range(n):
        i = chosen[k]
        while head < tail and last[waiting[head]] - APART >= happened[i]:
            _put(there, size, waiting[head], True)
            head += 1
        r = _next_there(there, size, enter[i])
        while r < leave[i]:
            _put(there, size, r, False)
            seen[r] += 1
            if seen[r] == wanted:
                owner[r] = i
            else:
                last[r] = happened[i]
                waiting[tail] = r
                tail += 1
            r = _next_there(there, size, r + 1)


@_compiled
def _gathered(ranked, n, mark, stream_of, first, members):
    """The facts of each stream, in their order: those of stream s are members[first[s]:first[s + 1]].

    Every fact's bits are walked once. `stream_of` is the stream of each bit, -1 where nothing asks for it.
    """
    first[:] = 0
    for k in range(n):
        for w in range(mark.shape[1]):
            word = mark[ranked[k], w]
            while word:
                lowest = word & (~word + np.uint64(1))
                s = stream_of[64 * w + _PLACES[(lowest * _SPREAD) >> np.uint64(58)]]
                if s >= 0:
                    first[s + 2] += 1
                word ^= lowest
    for s in range(2, len(first)):
        first[s] += first[s - 1]
    if first[-1] > len(members):
        members = np.empty(2 * first[-1], np.int64)
    for k in range(n):
        for w in range(mark.shape[1]):
            word = mark[ranked[k], w]
            while word:
                lowest = word & (~word + np.uint64(1))
                s = stream_of[64 * w + _PLACES[(lowest * _SPREAD) >> np.uint64(58)]]
                if s >= 0:
                    members[first[s + 1]] = ranked[k]
                    first[s + 1] += 1
                word ^= lowest
    return members


@_compiled
def _reach(chosen, n, enter, leave, n_reads):
    """Between which assessments any of the facts is there: low, high; 0, 0 where none ever is."""
    low, high = n_reads, 0
    for k in range(n):
        i = chosen[k]
        if enter[i] < leave[i]:
            low, high = min(low, enter[i]), max(high, leave[i])
    return min(low, high), high


@_compiled
def _read(op, number, total, owner, value, happened, times, low, high, line):
    """What a column gives at each assessment, into `line`."""
    if op == COUNT or op == DISTINCT:  # noqa: SIM109    (a chain of comparisons compiles to less)
        for r in range(low, high):
            line[r] = number[r]
    elif op == SUM:
        for r in range(low, high):
            line[r] = total[r]
    elif op == MEAN:
        for r in range(low, high):
            line[r] = total[r] / number[r] if number[r] > 0 else np.nan
    elif op == ANY:
        for r in range(low, high):
            line[r] = 1.0 if number[r] > 0 else 0.0
    elif op == DAYS_SINCE or op == DAYS_SINCE_SECOND or op == DAYS_SINCE_THIRD:  # noqa: SIM109
        for r in range(low, high):
            line[r] = (times[r] - happened[owner[r]]) / DAY if owner[r] >= 0 else np.nan
    elif op == DAYS_TO:
        for r in range(low, high):
            line[r] = (value[owner[r]] - times[r]) / DAY if owner[r] >= 0 else np.nan
    elif op == DAYS_FROM:
        for r in range(low, high):
            line[r] = (times[r] - value[owner[r]]) / DAY if owner[r] >= 0 else np.nan
    else:
        for r in range(low, high):
            line[r] = value[owner[r]] if owner[r] >= 0 else np.nan


@_compiled
def _write(line, rows, low, high, neighbours, out):
    if neighbours:
        out[rows[0] + low : rows[0] + high] = line[low:high]
    else:
        for r in range(low, high):
            out[rows[r]] = line[r]


@_compiled
def _streams_of_bits(plan, n_marks):
    """The stream of each bit in each order, -1 where no column of the order asks for it; and how many do."""
    stream_of = np.full((len(plan.orders), 64 * n_marks), -1, np.int64)
    asking = np.zeros(len(plan.orders), np.int64)
    for c in range(len(plan.columns)):
        stream, order = plan.columns[c, 0], plan.columns[c, 4]
        bit = plan.bits[stream]
        if bit >= 0 and stream_of[order, bit] < 0:
            stream_of[order, bit] = stream
            asking[order] += 1
    return stream_of, asking


@_compiled
def _ranked(by, n, value, enter, ranked, spare):
    """The facts whose value is known, in an order: how many, and which into `ranked`."""
    m = 0
    if by == OLDEST_FIRST:
        for i in range(n):
            ranked[i] = i
        return n
    for i in range(n - 1, -1, -1):
        if value[i] != UNKNOWN:
            ranked[m] = i
            m += 1
    if m > 0 and by == VALUES_UP:
        _arrange(ranked, spare, m, value, enter, enter)
    elif m > 0 and by == VALUES_DOWN:
        _by_level(ranked, spare, m, value)
    return m


@_compiled
def sweep(groups, reads, times_read, segments, facts, plan, out, words):
    """Read every column at every assessment of some groups.

    Parameters
    ----------
    groups : array of int32             the groups to do; each has an assessment
    reads : Grouped                     assessments of each group
    times_read : array of int64         time of every assessment
    segments : Segments                 the entities (cases, persons) of each group
    facts : SweptFacts
    plan : Plan
    out : array of float64, (columns, assessments)    where numbers are written; NaN: missing
    words : array of int32, (columns, assessments)    where codes of words are written; -1: missing
    """
    occurred, recorded, superseded = facts.occurred, facts.recorded, facts.superseded
    values, marks, fact_offsets = facts.values, facts.marks, facts.by_entity.offsets
    bits, nears, windows, orders, columns = plan.bits, plan.nears, plan.windows, plan.orders, plan.columns
    most_facts, most_reads = 0, 0
    for g in groups:
        most_reads = max(most_reads, reads.offsets[g + 1] - reads.offsets[g])
        n = 0
        for k in range(segments.offsets[g], segments.offsets[g + 1]):
            n += fact_offsets[segments.entity[k] + 1] - fact_offsets[segments.entity[k]]
        most_facts = max(most_facts, n)
    n_values, n_marks = len(values), marks.shape[1]
    rows, as_read = np.empty(most_reads, np.int64), np.empty(most_reads, np.int64)
    times, time_read = np.empty(most_reads, np.int64), np.empty(most_reads, np.int64)
    number, total = np.empty(most_reads + 1, np.int64), np.empty(most_reads + 1, np.int64)
    line = np.empty(most_reads)
    free, owner = np.empty(most_reads + 1, np.int64), np.empty(most_reads + 1, np.int64)
    there, waiting = np.empty(4 * most_reads, np.bool_), np.empty(2 * most_reads, np.int64)
    found = np.empty((5, most_facts), np.int64)  # occurred, recorded, position, start, end
    happened, value = np.empty(most_facts, np.int64), np.ones((n_values + 1, most_facts), np.int64)
    enter, end = np.empty((len(nears), most_facts), np.int64), np.empty(most_facts, np.int64)
    leave = np.empty((len(windows), most_facts), np.int64)
    mark = np.empty((most_facts, n_marks), np.uint64)
    ranked, chosen = np.empty(most_facts, np.int64), np.empty(most_facts, np.int64)
    most = max(most_facts, most_reads)
    order, spare = np.empty(most, np.int64), np.empty(most, np.int64)
    stream_of, asking = _streams_of_bits(plan, n_marks)
    first, members = np.empty(len(bits) + 2, np.int64), np.empty(4 * most_facts, np.int64)

    for g in groups:
        n_reads = reads.offsets[g + 1] - reads.offsets[g]
        for r in range(n_reads):
            as_read[r] = reads.positions[reads.offsets[g] + r]
            time_read[r] = times_read[as_read[r]]
            order[r] = r
        _arrange(order, spare, n_reads, time_read, as_read, as_read)
        for r in range(n_reads):
            rows[r], times[r] = as_read[order[r]], time_read[order[r]]
        neighbours = True
        for r in range(1, n_reads):
            neighbours = neighbours and rows[r] == rows[r - 1] + 1

        n = 0
        for k in range(segments.offsets[g], segments.offsets[g + 1]):
            entity, since, til = segments.entity[k], segments.start[k], segments.end[k]
            for f in range(fact_offsets[entity], fact_offsets[entity + 1]):
                p = facts.by_entity.positions[f]
                begin, over = max(occurred[p], recorded[p], since), min(superseded[p], til)
                # What no assessment can see is left out.
                if begin < over and begin <= times[n_reads - 1] and times[0] < over:
                    found[0, n], found[1, n], found[2, n] = occurred[p], recorded[p], p
                    found[3, n], found[4, n] = begin, over
                    order[n] = n
                    n += 1
        _arrange(order, spare, n, found[0], found[1], found[2])

        r = 0
        for k in range(n):
            i = order[k]
            p = found[2, i]
            happened[k] = occurred[p]
            while r < n_reads and times[r] < happened[k]:
                r += 1
            enter[0, k] = _first_at(times, r, n_reads, found[3, i])
            end[k] = n_reads
            if found[4, i] <= times[n_reads - 1]:
                end[k] = _first_at(times, enter[0, k], n_reads, found[4, i])
            for v in range(n_values):
                value[v, k] = values[v, p]
            for b in range(n_marks):
                mark[k, b] = marks[p, b]
            for w in range(1, len(nears)):
                if nears[w] == OWN:
                    enter[w, k] = _first_at(times, enter[0, k], n_reads, facts.since[p])
            for w in range(len(windows)):
                if windows[w, 1] == UNTIL:
                    leave[w, k] = min(end[k], _first_at(times, enter[0, k], n_reads, facts.until[p]))
        for w in range(1, len(nears)):
            if nears[w] != OWN:
                r = 0
                for k in range(n):
                    old = happened[k] + nears[w]
                    while r < n_reads and times[r] < old:
                        r += 1
                    enter[w, k] = max(enter[0, k], r)
        for w in range(len(windows)):
            if windows[w, 1] != UNTIL:
                r, entered = 0, enter[windows[w, 0]]
                for k in range(n):
                    old = happened[k] + windows[w, 1]
                    while r < n_reads and times[r] < old:
                        r += 1
                    leave[w, k] = max(entered[k], min(end[k], r))

        stream, by, n_ranked, m = -1, -1, 0, 0
        for c in range(len(columns)):
            op, window, place = columns[c, 1], columns[c, 2], columns[c, 5]
            entered, lasting, taken = enter[windows[window, 0]], leave[window], value[columns[c, 3]]
            if columns[c, 4] != by:
                stream, by = -1, columns[c, 4]
                known, later = value[orders[by, 1]], enter[orders[by, 2]]
                n_ranked = _ranked(orders[by, 0], n, known, later, ranked, spare)
                if asking[by] > _FEW:
                    members = _gathered(ranked, n_ranked, mark, stream_of[by], first, members)
            if columns[c, 0] != stream:
                stream, m = columns[c, 0], 0
                if bits[stream] < 0:
                    m = n_ranked
                    chosen[:m] = ranked[:m]
                elif asking[by] > _FEW:
                    m = first[stream + 1] - first[stream]
                    chosen[:m] = members[first[stream] : first[stream + 1]]
                else:
                    word, bit = bits[stream] >> 6, np.uint64(1) << np.uint64(bits[stream] & 63)
                    for k in range(n_ranked):
                        if mark[ranked[k], word] & bit:
                            chosen[m] = ranked[k]
                            m += 1
            low, high = 0, n_reads
            if columns[c, 6]:
                low, high = _reach(chosen, m, entered, lasting, n_reads)
                if low == high:
                    continue
            if op == COUNT or op == ANY or op == MEAN:  # noqa: SIM109
                _counted(chosen, m, entered, lasting, number, low, high)
            if op == SUM or op == MEAN:  # noqa: SIM109
                _summed(chosen, m, entered, lasting, taken, total, low, high)
            elif op == DISTINCT:
                _distinct(chosen, m, entered, lasting, taken, number, low, high)
            elif op >= DAYS_SINCE_SECOND:
                wanted = 2 if op == DAYS_SINCE_SECOND else 3
                room = (there, number, total, waiting)
                _episodes(chosen, m, entered, lasting, happened, wanted, room, owner, n_reads)
            elif op >= TOP:
                _claimed(chosen, m, entered, lasting, free, owner, low, high)
            if op == TOP_WORD:
                for r in range(low, high):
                    words[place, rows[r]] = taken[owner[r]] if owner[r] >= 0 else -1
            else:
                _read(op, number, total, owner, taken, happened, times, low, high, line)
                _write(line, rows, low, high, neighbours, out[place])
