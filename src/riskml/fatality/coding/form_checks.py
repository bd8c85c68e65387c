"""What is wrong between the rows of a review: repeated, without a case, at odds with the event."""

from collections import defaultdict

from riskml.fatality.coding.cell_values import near_words
from riskml.fatality.coding.form_words import folded
from riskml.fatality.form import SHEETS, UNKNOWN

__all__ = ["check_rows"]

_CLOSED = "closed"
_LOGS = ("contacts", "missed", "recommendations")  # where the same row twice counts something twice


def check_rows(rows):
    """Note on each row what is wrong with it beside the others, and let what two files say alike count once.

    Cases first: what a row's case is, and the day of its event, decides on the rows that hang on it.

    Parameters
    ----------
    rows : list of Row    of all files of one load

    Returns
    -------
    list of (name, Row, column or None)    worth saying, not wrong: what may be the same contact in two files
        or the same row written twice, what was known on the day of the event itself, a second aggressor, and
        a factor that nobody could establish and yet somebody knew
    """
    by_sheet = {name: [] for name in SHEETS}
    for row in rows:
        if row.sheet.name:
            by_sheet[row.sheet.name].append(row)
    cases = by_sheet["cases"]
    for row in cases:
        if row.coded.get("status", _CLOSED) != _CLOSED:
            row.refuse("not_closed", "status")
    _check_repeated(cases, ("review_id",))
    _check_open_elsewhere(cases)
    known = _known_cases(cases)
    for name, sheet in SHEETS.items():
        if name == "cases":
            continue
        for row in by_sheet[name]:
            _check_against_event(row, known)
        if sheet.key:
            _check_repeated(by_sheet[name], sheet.key)
        else:
            _count_once([row for row in by_sheet[name] if not _is_victim(row)])
    # A case is one aggressor and one victim: of two victims nobody can tell which the factors are about.
    victims = [row for row in by_sheet["people"] if _is_victim(row)]
    _check_repeated(victims, ("review_id", "role"), differs="victim_second")
    for name in by_sheet:
        if name != "cases":
            for row in by_sheet[name]:
                _check_case(row, known)
    return [
        *(("known_that_day", row, "known_on") for row in by_sheet["factors"] if _known_that_day(row, known)),
        *(("unknown_yet_known", row, "known") for row in by_sheet["factors"] if _unknown_yet_known(row)),
        *(("aggressor_second", row, "role") for row in _further_aggressors(by_sheet["people"])),
        *(("contact_twice", row, None) for row in _told_apart(by_sheet["contacts"])),
        *(("row_alike", row, None) for name in _LOGS for row in _alike(by_sheet[name])),
    ]


def _check_open_elsewhere(cases):
    """A case that one file says is not closed is not reviewed, whatever another says."""
    still_open = {}
    for row in cases:
        if row.coded.get("status", _CLOSED) != _CLOSED:
            still_open.setdefault(row.coded.get("review_id"), row)
    for row in cases:
        other = still_open.get(row.coded.get("review_id"))
        if other is not None and row.accepted and row.coded.get("review_id"):
            row.refuse("files_differ", "status", file=other.form.path.name, place=other.place("status"))


def _known_cases(cases):
    """The case of each review id: dict of id -> Row; an accepted row before a rejected one."""
    known = {}
    for row in sorted(cases, key=lambda row: not row.accepted):
        if row.coded.get("review_id"):
            known.setdefault(row.coded["review_id"], row)
    return known


def _check_case(row, known):
    """A row counts only with its case."""
    review = row.coded.get("review_id")
    if review is None:
        return
    case = known.get(review)
    if case is None:
        near = tuple(near_words(review, {folded(name): name for name in known}))
        row.refuse("no_case_near" if near else "no_case", "review_id", **({"near": near} if near else {}))
    elif case.problems:
        row.refuse("case_rejected", "review_id", file=case.form.path.name, place=case.place("review_id"))


def _check_against_event(row, known):
    """Contacts end with the event, and what was known before it was not learnt after it."""
    case = known.get(row.coded.get("review_id"))
    event = case.coded.get("event_on") if case else None
    if event is None:
        return
    for column in ("contact_on", "missed_on"):
        day = row.coded.get(column)
        if day is not None and day > event:
            row.refuse("after_event", column, place=case.place("event_on"))
    deadline = row.coded.get("deadline_on")
    if deadline is not None and deadline < event:
        row.refuse("deadline_before_event", "deadline_on", place=case.place("event_on"))
    day, known_when = row.coded.get("known_on"), row.coded.get("known")
    if day is not None and known_when == "before" and day > event:
        row.refuse("before_but_later", "known_on", place=case.place("event_on"))
    if day is not None and known_when == "after" and day < event:
        row.refuse("after_but_earlier", "known_on", place=case.place("event_on"))


def _known_that_day(row, known):
    if not row.accepted or row.coded["known"] != "before" or row.coded["known_on"] is None:
        return False
    return row.coded["known_on"] == known[row.coded["review_id"]].coded["event_on"]


def _unknown_yet_known(row):
    return row.accepted and row.coded["state"] == UNKNOWN and row.coded["known"] == "before"


def _is_victim(row):
    return row.coded.get("role") == "victim"


def _further_aggressors(people):
    """The aggressors who count, without the first of each case: list of Row."""
    seen, further = set(), []
    for row in people:
        if row.accepted and row.coded["role"] == "aggressor":
            if row.coded["review_id"] in seen:
                further.append(row)
            seen.add(row.coded["review_id"])
    return further


def _check_repeated(rows, key, *, differs="repeated_differs"):
    """No key twice: what two files say alike counts once; what contradicts is refused on both sides.

    Within one file a row that repeats another to the letter is refused; of two that differ nobody can tell
    which is meant, and both are.
    """
    groups = defaultdict(list)
    for row in rows:
        name = tuple(row.coded.get(column) for column in key)
        if None not in name:
            groups[name].append(row)
    for group in groups.values():
        if len(group) > 1:
            _judge_group(group, key, differs)


def _judge_group(group, key, differs):
    by_file = defaultdict(list)
    for row in group:
        by_file[row.form.origin].append(row)
    firsts = []
    for same_file in by_file.values():
        first, *others = same_file
        unlike = any(row.coded != first.coded for row in others)
        for row in others:
            row.refuse(differs if unlike else "repeated", key[-1], place=first.place(key[-1]))
        if unlike:
            first.refuse(differs, key[-1], place=others[0].place(key[-1]))
        firsts.append(first)
    sound = [row for row in firsts if not row.problems]
    for row in sound[1:]:
        _join(sound[0], row, key)


def _join(first, row, key):
    """Let two files' rows of one key count once, or refuse both where they contradict each other."""
    sheet = SHEETS[first.sheet.name]
    silent = {f.name: (None, f.missing, UNKNOWN) for f in sheet.fields}
    for column, said in row.coded.items():
        before = first.coded.get(column)
        if said == before or said in silent[column]:
            continue
        if before not in silent[column]:
            other = {"file": row.form.path.name, "place": row.place(column)}
            first.refuse("files_differ", column, **other)
            row.refuse("files_differ", column, file=first.form.path.name, place=first.place(column))
    if row.problems:
        return
    for column, said in row.coded.items():
        if first.coded.get(column) in silent[column] and said not in silent[column]:
            first.coded[column] = said
    row.same_as = first


def _count_once(rows):
    """Rows of two files that say the same to the letter count once."""
    counted = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if not row.problems:
            counted[tuple(row.coded.items())][row.form.origin].append(row)
    for by_file in counted.values():
        if len(by_file) > 1:
            most = max(by_file.values(), key=len)
            for same_file in by_file.values():
                if same_file is not most:
                    for row in same_file:
                        row.same_as = most[0]


def _alike(rows):
    """Rows that repeat another of their file to the letter: list of Row. Two calls of one day may be so."""
    seen, alike = set(), []
    for row in rows:
        if row.accepted:
            said = (row.form.origin, *row.coded.items())
            if said in seen:
                alike.append(row)
            seen.add(said)
    return alike


def _told_apart(contacts):
    """Contacts of one case, day and institution that two files tell apart: list of Row."""
    seen, apart = {}, []
    for row in contacts:
        if not row.accepted:
            continue
        name = tuple(row.coded.get(column) for column in ("review_id", "contact_on", "institution"))
        if seen.setdefault(name, row.form.origin) != row.form.origin:
            apart.append(row)
    return apart
