"""Which counts may be printed: small ones are suppressed, others with them where arithmetic gives them back.

Someone who subtracts all that is printed from all that is printed, and knows these rules, is left with more
than one possible value of every small count.
"""

__all__ = ["BELOW", "HIDDEN", "NEAR_ALL", "SMALLEST", "covered", "is_open", "parts_of", "single"]

# Fewest cases that a published count may stand for, other than none. [A]: no Mexican rule for such reviews
# was found; disclosure rules commonly ask for 3 to 10. A Task Force may set it higher.
SMALLEST = 5

BELOW = {"mark": "below", "than": SMALLEST}  # 1 to SMALLEST - 1
HIDDEN = {"mark": "hidden", "than": None}  # any count
NEAR_ALL = "near_all"  # all but 1 to SMALLEST - 1


def is_open(*printed):
    """Whether all of these were printed as they are: bool."""
    return all(isinstance(value, int) for value in printed)


def _small(value):
    return 0 < value < SMALLEST


def single(n, of):
    """A count of so many that stands by itself.

    Few left over tell as much as few counted, so that all but a few is suppressed too. Of fewer than SMALLEST
    nothing is said: a mark of one or two would be the count itself.

    Returns
    -------
    int, or a mark {"mark", "than"}
    """
    n, of = int(n), int(of)
    if _small(of):
        return HIDDEN
    if _small(n):
        return BELOW
    return {"mark": NEAR_ALL, "than": of - SMALLEST} if _small(of - n) else n


def parts_of(values, total):
    """Counts that add up to a total that is printed.

    One small part is printed as "below", and the last part that is neither small nor zero is hidden with it,
    if together they could hold any small count beside one that is not. Several small parts are printed as
    "below" and all others hidden. Where the total is too little for either, every part is hidden.

    Parameters
    ----------
    values : list of int    what is best kept first; hidden from the end
    total : int

    Returns
    -------
    list of int or mark
    """
    values, total = [int(value) for value in values], int(total)
    small = [place for place, value in enumerate(values) if _small(value)]
    if not small:
        return values
    printed = [BELOW if place in small else value for place, value in enumerate(values)]
    if len(small) == 1:
        large = [place for place, value in enumerate(values) if value >= SMALLEST]
        if large and values[large[-1]] + values[small[0]] >= 2 * SMALLEST - 1:
            printed[large[-1]] = HIDDEN
            return printed
    elif total >= len(small) * (SMALLEST - 1) + SMALLEST and len(small) < len(values):
        return [BELOW if place in small else HIDDEN for place in range(len(values))]
    return [HIDDEN] * len(values)


def covered(parts, total, of):
    """Counts of cases, and of the cases in at least one of them, which may overlap.

    The total is hidden where it comes near the most that its parts can cover: it would say how large the
    small ones are. Where the marks still leave something a single value, all are hidden.

    Parameters
    ----------
    parts : list of int
    total : int     cases in at least one part
    of : int        all cases

    Returns
    -------
    (list of int or mark, int or mark)    the parts, the total
    """
    printed = [single(part, of) for part in parts]
    whole = single(total, of)
    kept = sum(value for value in printed if isinstance(value, int))
    marked = sum(not isinstance(value, int) for value in printed)
    if marked and (not isinstance(whole, int) or total - kept > marked * (SMALLEST - 1) // 2):
        whole = BELOW if whole is BELOW else HIDDEN
    return ([HIDDEN] * len(parts), HIDDEN) if _pinned(printed, whole, of) else (printed, whole)


def _bounds(value, of):
    if isinstance(value, int):
        return value, value
    if value["mark"] == "below":
        return 1, SMALLEST - 1
    return (of - SMALLEST + 1, of - 1) if value["mark"] == NEAR_ALL else (0, of)


def _pinned(parts, total, of):
    """Whether parts and their cover leave something that is not printed a single value."""
    low, high = _bounds(total, of)
    bounds = [_bounds(part, of) for part in parts]
    low = max([low, *(least for least, _ in bounds)])
    high = min(high, sum(most for _, most in bounds))
    if not isinstance(total, int) and low >= high:
        return True
    for place, (least, most) in enumerate(bounds):
        others = sum(found[1] for other, found in enumerate(bounds) if other != place)
        if not isinstance(parts[place], int) and max(least, low - others) >= min(most, high):
            return True
    return False
