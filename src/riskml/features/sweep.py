"""The interval sweep: facts enter at the left end of their interval, leave at its right end, and are read between.

Compiled kernels over plain arrays. Times are whole microseconds (int64); nothing here knows tables or catalogues.
All kernels stand in this one file because the compiler's cache on disk is checked file by file.

A fact is visible in [start, end): start is the later of its two clocks and of the moment at which its case joined the
group; end is the earlier of its correction and of the moment at which its case left the group. In a window it is there
in [start, min(occurred + window, end)). Facts stand in the order in which they occurred, which is therefore also the
order in which they grow too old, for every window; three lists of positions (by start, by age, by end) serve all
columns of a stream, so that each column costs its facts plus its assessments.
"""

import numpy as np
from numba import njit

__all__ = [
    "ANY",
    "COUNT",
    "DAYS_SINCE",
    "DAYS_TO",
    "DISTINCT",
    "ENDLESS",
    "IN_FORCE",
    "LATEST",
    "LATEST_WORD",
    "MAX",
    "MEAN",
    "SUM",
    "UNKNOWN",
    "grouped",
    "read_groups",
    "scope_segments",
    "sweep",
    "versions_in_force",
]

ENDLESS = 2**62  # later than any time, and far enough from the end of int64 for one addition
UNKNOWN = -(2**63)  # a value that is not known
DAY = 86_400_000_000.0

COUNT, SUM, MEAN, DISTINCT, ANY, MAX, DAYS_SINCE, LATEST, LATEST_WORD, IN_FORCE, DAYS_TO = range(11)


def _compiled(function):
    """Compile without the interpreter lock, keeping the machine code on disk where some folder takes it."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to write to: compile in each process
        return njit(nogil=True)(function)


@_compiled
def grouped(codes, groups):
    """Positions of each code, in order: a counting sort.

    Parameters
    ----------
    codes : array of int32, shape (n,)    group of each position; -1: none
    groups : int                          number of groups

    Returns
    -------
    offsets : array of int64, shape (groups + 1,)
    positions : array of int32    those of group g are positions[offsets[g]:offsets[g + 1]], ascending
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
    return offsets[: groups + 1], positions


@_compiled
def _before(a, b, c, i, j):
    if a[i] != a[j]:
        return a[i] < a[j]
    if b[i] != b[j]:
        return b[i] < b[j]
    return c[i] < c[j]


@_compiled
def _arrange(order, spare, n, a, b, c):
    """Sort order[:n] by the keys (a, b, c) at the positions that it holds: a merge sort, one look where sorted."""
    sorted_already = True
    for k in range(1, n):
        if _before(a, b, c, order[k], order[k - 1]):
            sorted_already = False
            break
    if sorted_already:
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
def _push(keys, ends, items, size, key, end, item):
    """Add one entry to a heap with the greatest key on top; its new size."""
    k = size
    while k > 0:
        parent = (k - 1) >> 1
        if keys[parent] >= key:
            break
        keys[k], ends[k], items[k] = keys[parent], ends[parent], items[parent]
        k = parent
    keys[k], ends[k], items[k] = key, end, item
    return size + 1


@_compiled
def _pop(keys, ends, items, size):
    """Remove the top of the heap; its new size."""
    size -= 1
    key, end, item = keys[size], ends[size], items[size]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] > keys[child]:
            child += 1
        if keys[child] <= key:
            break
        keys[k], ends[k], items[k] = keys[child], ends[child], items[child]
        k = child
    keys[k], ends[k], items[k] = key, end, item
    return size


@_compiled
def versions_in_force(offsets, rows, occurred, recorded, superseded):
    """The version of each case that speaks at each time: of those visible the one recorded last.

    Parameters
    ----------
    offsets, rows : as of `grouped`                       the rows of each case
    occurred, recorded, superseded : arrays of int64      of all rows; superseded is ENDLESS where the row stands

    Returns
    -------
    offsets : array of int64    segments of each case
    start, end : arrays of int64, row : array of int32    disjoint, ascending; the row speaks in [start, end)
    """
    cases = len(offsets) - 1
    most, longest = 0, 0
    for c in range(cases):
        n = offsets[c + 1] - offsets[c]
        most += max(2 * n - 1, 0)
        longest = max(longest, n)
    start, end = np.empty(most, np.int64), np.empty(most, np.int64)
    row = np.empty(most, np.int32)
    segments = np.zeros(cases + 1, np.int64)
    o, r, place = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    left, right = np.empty(longest, np.int64), np.empty(longest, np.int64)
    rank, enter = np.empty(longest, np.int32), np.empty(longest, np.int32)
    leave, spare = np.empty(longest, np.int32), np.empty(longest, np.int32)
    keys, ends = np.empty(longest, np.int64), np.empty(longest, np.int64)
    items = np.empty(longest, np.int32)
    found = 0
    for c in range(cases):
        n = 0
        for k in range(offsets[c], offsets[c + 1]):
            p = rows[k]
            s = max(occurred[p], recorded[p])
            if s < superseded[p]:
                o[n], r[n], place[n], left[n], right[n] = occurred[p], recorded[p], p, s, superseded[p]
                rank[n] = enter[n] = leave[n] = n
                n += 1
        _arrange(rank, spare, n, r, o, place)
        for k in range(n):  # the key of a row is how late it was recorded among the case's rows
            spare[rank[k]] = k
        for k in range(n):
            rank[k] = spare[k]
        _arrange(enter, spare, n, left, place, place)
        _arrange(leave, spare, n, right, place, place)
        size, p, q = 0, 0, 0
        speaks, since = -1, 0
        while q < n:
            now = right[leave[q]]
            if p < n and left[enter[p]] < now:
                now = left[enter[p]]
            while p < n and left[enter[p]] <= now:
                i = enter[p]
                size = _push(keys, ends, items, size, rank[i], right[i], i)
                p += 1
            while q < n and right[leave[q]] <= now:
                q += 1
            while size > 0 and ends[0] <= now:
                size = _pop(keys, ends, items, size)
            top = items[0] if size > 0 else -1
            if top != speaks:
                if speaks >= 0:
                    start[found], end[found], row[found] = since, now, place[speaks]
                    found += 1
                speaks, since = top, now
        segments[c + 1] = found
    return segments, start[:found], end[:found], row[:found]


@_compiled
def scope_segments(offsets, start, end, row, codes):
    """When each case belongs to which group: neighbouring segments of one group are joined.

    Parameters
    ----------
    offsets, start, end, row : as of `versions_in_force`
    codes : array of int32    group of each row (case, aggressor or victim); -1: none

    Returns
    -------
    group, case : arrays of int32; start, end : arrays of int64
    """
    group, case = np.empty(len(row), np.int32), np.empty(len(row), np.int32)
    since, until = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    n = 0
    for c in range(len(offsets) - 1):
        first = n
        for k in range(offsets[c], offsets[c + 1]):
            g = codes[row[k]]
            if g < 0:
                continue
            if n > first and group[n - 1] == g and until[n - 1] == start[k]:
                until[n - 1] = end[k]
                continue
            group[n], case[n], since[n], until[n] = g, c, start[k], end[k]
            n += 1
    return group[:n], case[:n], since[:n], until[:n]


@_compiled
def read_groups(cases, times, offsets, start, end, row, codes, nobody):
    """The group that each assessment asks about; `nobody` where its case is not visible.

    Parameters
    ----------
    cases : array of int32, times : array of int64, shape (n,)    the assessments; case -1: unknown
    offsets, start, end, row, codes : as of `scope_segments`
    nobody : int

    Returns
    -------
    array of int32, shape (n,)
    """
    groups = np.empty(len(cases), np.int32)
    for i in range(len(cases)):
        groups[i] = nobody
        c, t = cases[i], times[i]
        if c < 0:
            continue
        low, high = offsets[c], offsets[c + 1]
        while low < high:  # the last segment that starts at or before t
            middle = (low + high) >> 1
            if start[middle] <= t:
                low = middle + 1
            else:
                high = middle
        if low > offsets[c] and t < end[low - 1] and codes[row[low - 1]] >= 0:
            groups[i] = codes[row[low - 1]]
    return groups


@_compiled
def _total(op, window, enter, age, leave, n, n_leave, start, end, occurred, value, times, rows, n_reads, out):
    """count, sum, mean: what entered minus what left."""
    p, q, c = 0, 0, 0
    number, total = 0, 0
    for r in range(n_reads):
        t = times[r]
        while p < n and start[enter[p]] <= t:
            i = enter[p]
            if value[i] != UNKNOWN and start[i] < occurred[i] + window:
                number += 1
                total += value[i]
            p += 1
        while q < n and occurred[age[q]] + window <= t:
            i = age[q]
            old = occurred[i] + window
            if value[i] != UNKNOWN and start[i] < old and old <= end[i]:
                number -= 1
                total -= value[i]
            q += 1
        while c < n_leave and end[leave[c]] <= t:
            i = leave[c]
            if value[i] != UNKNOWN and end[i] < occurred[i] + window:
                number -= 1
                total -= value[i]
            c += 1
        if op == COUNT:
            out[rows[r]] = number
        elif op == SUM:
            out[rows[r]] = total
        else:
            out[rows[r]] = total / number if number > 0 else np.nan


@_compiled
def _distinct(
    window, enter, age, leave, n, n_leave, start, end, occurred, value, times, rows, n_reads, held, out
):
    """How many values are held by at least one fact; `held` counts facts by value, all 0 before and after."""
    p, q, c = 0, 0, 0
    distinct = 0
    for r in range(n_reads):
        t = times[r]
        while p < n and start[enter[p]] <= t:
            i = enter[p]
            if value[i] != UNKNOWN and start[i] < occurred[i] + window:
                held[value[i]] += 1
                if held[value[i]] == 1:
                    distinct += 1
            p += 1
        while q < n and occurred[age[q]] + window <= t:
            i = age[q]
            old = occurred[i] + window
            if value[i] != UNKNOWN and start[i] < old and old <= end[i]:
                held[value[i]] -= 1
                if held[value[i]] == 0:
                    distinct -= 1
            q += 1
        while c < n_leave and end[leave[c]] <= t:
            i = leave[c]
            if value[i] != UNKNOWN and end[i] < occurred[i] + window:
                held[value[i]] -= 1
                if held[value[i]] == 0:
                    distinct -= 1
            c += 1
        out[rows[r]] = distinct
    for k in range(n):
        if value[age[k]] != UNKNOWN:
            held[value[age[k]]] = 0


@_compiled
def _top(
    op,
    window,
    enter,
    n,
    start,
    end,
    occurred,
    value,
    until,
    times,
    rows,
    n_reads,
    keys,
    ends,
    items,
    place,
    out,
    words,
):
    """any, max, days_since, latest, in_force, days_to_expiry: the greatest key among the facts that are there.

    A heap whose top is dropped once its interval is over. A fact that is outranked by the top for the whole of its
    interval is never kept, nor is a top that is outranked by a newer fact: mostly the heap holds one entry.
    """
    p, size = 0, 0
    for r in range(n_reads):
        t = times[r]
        while p < n and start[enter[p]] <= t:
            i = enter[p]
            p += 1
            last = min(end[i], occurred[i] + window)
            if op == IN_FORCE or op == DAYS_TO:
                last = min(last, until[i])
            if last <= t or value[i] == UNKNOWN:  # over before anybody asked
                continue
            if op == MAX:
                key = value[i]
            elif op == DAYS_SINCE or op == LATEST or op == LATEST_WORD:
                key = np.int64(i)  # facts stand in the order in which they occurred
            elif op == DAYS_TO:
                key = -value[i]
            else:
                key = np.int64(0)
            while size > 0 and keys[0] <= key and ends[0] <= last:
                size = _pop(keys, ends, items, size)
            if size == 0 or keys[0] < key or ends[0] < last:
                size = _push(keys, ends, items, size, key, last, i)
        while size > 0 and ends[0] <= t:
            size = _pop(keys, ends, items, size)
        if op == LATEST_WORD:
            words[place, rows[r]] = value[items[0]] if size > 0 else -1
        elif op == ANY or op == IN_FORCE:
            out[place, rows[r]] = 1.0 if size > 0 else 0.0
        elif size == 0:
            out[place, rows[r]] = np.nan
        elif op == DAYS_SINCE:
            out[place, rows[r]] = (t - occurred[items[0]]) / DAY
        elif op == DAYS_TO:
            out[place, rows[r]] = (value[items[0]] - t) / DAY
        else:
            out[place, rows[r]] = value[items[0]]


@_compiled
def sweep(
    groups,
    read_offsets,
    read_rows,
    read_times,
    segment_offsets,
    segment_entity,
    segment_start,
    segment_end,
    fact_offsets,
    fact_rows,
    occurred,
    recorded,
    superseded,
    values,
    marks,
    bits,
    columns,
    held_size,
    out,
    words,
):
    """Read every column of every stream at every assessment of some groups.

    Parameters
    ----------
    groups : array of int32                                  the groups to do
    read_offsets, read_rows : as of `grouped`                assessments of each group; read_times: of all of them
    segment_offsets, segment_entity, segment_start, segment_end
        which entities belong to each group, and when
    fact_offsets, fact_rows : as of `grouped`                facts of each entity
    occurred, recorded, superseded : arrays of int64         of all facts
    values : array of int64, shape (V, facts)                what columns read; UNKNOWN where it is not known
    marks : array of uint8, shape (facts, B)                 bit b of a fact: whether it satisfies condition b
    bits : array of int64, shape (S,)                        condition of each stream; -1: every fact
    columns : array of int64, shape (C, 6), by stream        stream, aggregate, window, value, until, place in the result
    held_size : int                                          more than the greatest code of a distinct column
    out, words : arrays of float64 and int32, shape (columns, assessments)    where the results are written
    """
    longest, most = 0, 0
    for g in groups:
        most = max(most, read_offsets[g + 1] - read_offsets[g])
        n = 0
        for k in range(segment_offsets[g], segment_offsets[g + 1]):
            n += fact_offsets[segment_entity[k] + 1] - fact_offsets[segment_entity[k]]
        longest = max(longest, n)
    times, unsorted_times = np.empty(most, np.int64), np.empty(most, np.int64)
    rows, unsorted_rows = np.empty(most, np.int32), np.empty(most, np.int64)
    read_order, read_spare = np.empty(most, np.int32), np.empty(most, np.int32)
    raw = np.empty((5, longest), np.int64)  # as found: occurred, recorded, row, start, end
    happened, start, end = (
        np.empty(longest, np.int64),
        np.empty(longest, np.int64),
        np.empty(longest, np.int64),
    )
    value = np.empty((len(values) + 1, longest), np.int64)
    value[len(values)] = 1  # the value of a fact that is merely counted
    mark = np.empty((longest, marks.shape[1]), np.uint8)
    order, spare = np.empty(longest, np.int32), np.empty(longest, np.int32)
    by_start, by_end = np.empty(longest, np.int32), np.empty(longest, np.int32)
    enter, age, leave = np.empty(longest, np.int32), np.empty(longest, np.int32), np.empty(longest, np.int32)
    keys, ends, items = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int32)
    held = np.zeros(held_size, np.int32)

    for g in groups:
        n_reads = read_offsets[g + 1] - read_offsets[g]
        ascending = True
        for k in range(n_reads):
            rows[k] = read_rows[read_offsets[g] + k]
            times[k] = read_times[rows[k]]
            ascending = ascending and (k == 0 or times[k - 1] <= times[k])
        if not ascending:
            for k in range(n_reads):
                unsorted_times[k], unsorted_rows[k], read_order[k] = times[k], rows[k], k
            _arrange(read_order, read_spare, n_reads, unsorted_times, unsorted_rows, unsorted_rows)
            for k in range(n_reads):
                times[k], rows[k] = unsorted_times[read_order[k]], unsorted_rows[read_order[k]]
        first, last = times[0], times[n_reads - 1]

        n = 0
        for k in range(segment_offsets[g], segment_offsets[g + 1]):
            entity, since, until = segment_entity[k], segment_start[k], segment_end[k]
            for f in range(fact_offsets[entity], fact_offsets[entity + 1]):
                p = fact_rows[f]
                s = max(occurred[p], recorded[p], since)
                e = min(superseded[p], until)
                if s < e and s <= last and first < e:  # what no assessment can see is left out
                    raw[0, n], raw[1, n], raw[2, n], raw[3, n], raw[4, n] = occurred[p], recorded[p], p, s, e
                    order[n] = n
                    n += 1
        _arrange(order, spare, n, raw[0], raw[1], raw[2])
        n_end = 0
        for k in range(n):
            i = order[k]
            happened[k], start[k], end[k] = raw[0, i], raw[3, i], raw[4, i]
            p = raw[2, i]
            for v in range(len(values)):
                value[v, k] = values[v, p]
            for b in range(marks.shape[1]):
                mark[k, b] = marks[p, b]
            by_start[k] = k
            if end[k] < ENDLESS:
                by_end[n_end] = k
                n_end += 1
        _arrange(by_start, spare, n, start, start, start)
        _arrange(by_end, spare, n_end, end, end, end)

        stream = -1
        n_enter, n_leave = 0, 0
        for c in range(len(columns)):
            if columns[c, 0] != stream:
                stream = columns[c, 0]
                byte, bit = bits[stream] >> 3, np.uint8(1 << (bits[stream] & 7))
                n_enter, n_age, n_leave = 0, 0, 0
                for k in range(n):
                    if bits[stream] < 0 or mark[by_start[k], byte] & bit:
                        enter[n_enter] = by_start[k]
                        n_enter += 1
                    if bits[stream] < 0 or mark[k, byte] & bit:
                        age[n_age] = k
                        n_age += 1
                for k in range(n_end):
                    if bits[stream] < 0 or mark[by_end[k], byte] & bit:
                        leave[n_leave] = by_end[k]
                        n_leave += 1
            op, window, place = columns[c, 1], columns[c, 2], columns[c, 5]
            if op <= MEAN:
                _total(
                    op, window, enter, age, leave, n_enter, n_leave, start, end, happened, value[columns[c, 3]],
                    times, rows, n_reads, out[place],
                )  # fmt: skip
            elif op == DISTINCT:
                _distinct(
                    window, enter, age, leave, n_enter, n_leave, start, end, happened, value[columns[c, 3]],
                    times, rows, n_reads, held, out[place],
                )  # fmt: skip
            else:
                _top(
                    op, window, enter, n_enter, start, end, happened, value[columns[c, 3]], value[columns[c, 4]],
                    times, rows, n_reads, keys, ends, items, place, out, words,
                )  # fmt: skip
