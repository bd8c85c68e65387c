"""Groups that are too small to print, put together until they are not."""

from riskml.reporting.fatality_disclosure import HIDDEN, SMALLEST
from riskml.validation.intervals import exact_interval

__all__ = ["OTHERS", "answers_by_group", "merged_bands", "merged_groups"]

OTHERS = "others"  # rare categories together; which they are is not said
_ANSWERS = ("yes", "no", "unknown")


def merged_groups(groups):
    """Groups without order: the rare ones together, with the smallest of the rest until they are enough.

    Parameters
    ----------
    groups : list of (name, n)

    Returns
    -------
    list of (name or OTHERS, n)    largest first, the others last
    """
    return [(name, sum(dict(groups)[member] for member in members)) for name, members in _together(groups)]


def _together(groups):
    kept = sorted((group for group in groups if group[1]), key=lambda group: -group[1])
    rare = [group for group in kept if group[1] < SMALLEST]
    kept = kept[: len(kept) - len(rare)]
    while rare and kept and sum(n for _, n in rare) < SMALLEST:
        rare.append(kept.pop())
    made = [(name, [name]) for name, _ in kept]
    return [*made, (OTHERS, [name for name, _ in rare])] if rare else made


def _runs(groups):
    """Groups in an order, neighbours together: list of lists of names, each with SMALLEST or more."""
    runs, size = [[]], 0
    for name, n in groups:
        if size >= SMALLEST:
            runs.append([])
            size = 0
        runs[-1].append(name)
        size += n
    if size < SMALLEST and len(runs) > 1:
        last = runs.pop()
        runs[-1] += last
    return runs


def merged_bands(bands, *, apart):
    """Bands of days, neighbours together; the cases without contact stand apart or at the far end.

    Parameters
    ----------
    bands : list of {"band", "n"}    in order, "none" last
    apart : bool    whether the cases without contact may be printed by themselves

    Returns
    -------
    list of {"bands": list of band, "n"}
    """
    counts = {row["band"]: row["n"] for row in bands}
    timed = [(band, n) for band, n in counts.items() if band != "none" or not apart]
    runs = _runs(timed) + ([["none"]] if apart and "none" in counts else [])
    return [{"bands": run, "n": sum(counts[band] for band in run)} for run in runs]


def answers_by_group(rows):
    """Answers by year, relationship and kind, for groups that are large enough.

    A group is printed whole or not at all: with one that holds a small count another is hidden, as all groups
    together are printed too. A breakdown of which nothing would be left is left out.

    Parameters
    ----------
    rows : list of dict    by, group, yes, no, unknown, n

    Returns
    -------
    list of dict    by, group, n; yes, no, unknown, share, low, high and bounds, or marks and None
    """
    made = []
    for by in dict.fromkeys(row["by"] for row in rows):
        made += _breakdown(by, [row for row in rows if row["by"] == by])
    return made


def _breakdown(by, rows):
    counts = {row["group"]: row for row in rows}
    sizes = [(row["group"], row["n"]) for row in rows]
    if by == "year":
        members = {_span(run): run for run in _runs(sorted(sizes))}
    else:
        members = dict(_together(sizes))
    groups = [
        {"by": by, "group": name, "n": sum(counts[m]["n"] for m in own)}
        | {answer: sum(counts[m][answer] for m in own) for answer in _ANSWERS}
        for name, own in members.items()
    ]
    hidden = [group for group in groups if any(0 < group[answer] < SMALLEST for answer in _ANSWERS)]
    rest = sorted((group for group in groups if group not in hidden), key=lambda group: group["n"])
    if len(hidden) == 1:
        hidden += rest[:1]
    if len(groups) < 2 or len(hidden) == len(groups):
        return []
    # An answer that nobody in the hidden groups gave is 0 in each of them: the others and the sum say so.
    nobody = {answer for answer in _ANSWERS if not sum(group[answer] for group in hidden)}
    marks = {answer: 0 if answer in nobody else HIDDEN for answer in _ANSWERS}
    return [group | marks if group in hidden else group | _shares(group) for group in groups]


def _shares(group):
    known, total = group["yes"] + group["no"], group["n"]
    low, high = exact_interval(group["yes"], known) if known else (None, None)
    most = total - group["no"]
    return {
        "known": known,
        "share": group["yes"] / known if known else None,
        "low": low,
        "high": high,
        "bound_low": group["yes"] / total,
        "bound_high": most / total,
        "bound_low_low": exact_interval(group["yes"], total)[0],
        "bound_high_high": exact_interval(most, total)[1],
    }


def _span(years):
    """The years of a run: "2019" or "2019-2021"."""
    return years[0] if len(years) == 1 else f"{years[0]}\N{EN DASH}{years[-1]}"
