"""The tables that `riskml fatality replay` and `riskml fatality nearest` print."""

from rich.table import Table

from riskml.messages import message
from riskml.vocabulary import LEVELS

__all__ = ["print_case", "print_nearest", "print_replay"]

_LEAST = {"rule": 24, "patterns": 16}  # characters, in a terminal of 80
_OF_CONTACT = ("day", "contact", "analyst", "suggested", "patterns", "unknown")
_IN_WORDS = _OF_CONTACT[1:]
_SHORT = 8  # characters of a version that tell it from the others on a screen


def _t(name, language, **fields):
    return message(f"fatality_replay.{name}", language, **fields)


def _line(console, words, style=None):
    console.print(words, markup=False, highlight=False, style=style)


def _code(code, language):
    return message(f"fatality_form.value_{code}", language) if code else ""


def _level(level, language):
    return message(f"levels.level_{level}", language) if level else ""


def _short(name):
    """A version's name with less of its hash; what is no version stays as it is."""
    versions = [part.split("@") for part in name.split(" + ")]
    return " + ".join(v[0] if len(v) == 1 else f"{v[0]}@{v[1][:_SHORT]}" for v in versions)


def _share(row, language, between=", "):
    if not row["of"]:
        return _t("none_there", language)
    return f"{row['n']}/{row['of']}{between}{100 * row['low']:.0f}-{100 * row['high']:.0f} %"


def _days(row):
    if row["median"] is None:
        return "-"
    span = "" if row["median_low"] is None else f"\n{row['median_low']:.0f}-{row['median_high']:.0f}"
    return f"{row['median']:.0f}{span}"


def _table(title, headings, language):
    table = Table(title=title, title_justify="left")
    for place, name in enumerate(headings):
        words, first = _t(f"heading_{name}", language), place == 0
        side = "left" if first or name in _IN_WORDS else "right"
        table.add_column(words, justify=side, min_width=_LEAST.get(name), overflow="fold")
    return table


def _rule_words(row, patterns, language):
    if row["kind"] in ("any", "analyst"):
        return _t(f"rule_{row['kind']}", language)
    if row["kind"] == "pattern":
        status = _t(f"status_{row['status']}", language)
        return f"{patterns[row['rule']][language]} ({status})"
    return _short(row["rule"])


def print_replay(console, found, language):
    """Print the table over all cases, then what has to be known to read it."""
    patterns = {p["pattern"]: p["label"] for p in found["patterns"]}
    _line(console, found["words"][language], "bold")
    for group in ("all", "honest"):
        table = _table(
            _t(f"group_{group}", language),
            ("rule", "fired", "first_contact", "days_before", "days_lost"),
            language,
        )
        for row in [r for r in found["table"] if r["group"] == group]:
            table.add_row(
                _rule_words(row, patterns, language),
                _share(row["fired"], language, "\n"),
                _share(row["first_contact"], language, "\n"),
                _days(row["days_before"]),
                _days(row["days_lost"]),
            )
        console.print(table)
    for version in found["versions"]:
        until = version["learnt_until"]
        words = version.get("missing", {}).get(language) or (
            _t("learnt_until", language, date=until[:10]) if until else _t("learnt_unsaid", language)
        )
        _line(console, f"- {_short(version['name'])}: {words}")
    for note in found["notes"]:
        _line(console, f"- {note[language]}")


def print_case(console, case, found, language):
    """Print one case, contact by contact."""
    asked = [v["name"] for v in found["versions"] if v["kind"] in ("together", "version")]
    labels = {p["pattern"]: p["label"][language] for p in found["patterns"]}
    title = _t(
        "case_title",
        language,
        review=case["review_id"],
        kind=_code(case["kind"], language),
        date=case["event_on"],
    )
    rows = [_contact_row(contact, asked, labels, found, language) for contact in case["contacts"]]
    shown = [name for name in _OF_CONTACT if any(row[name] for row in rows)]
    table = _table(title, shown, language)
    for row in rows:
        table.add_row(*(row[name] for name in shown))
    console.print(table)
    _line(console, _t("learnt_mark", language))
    _line(console, _first_words(case, labels, language))
    for name in ("unknown_that_mattered", "known_only_after", "known_unsaid"):
        if case[name]:
            _line(console, _t(name, language), "bold")
        for entry in case[name]:
            _line(console, f"- {_mattered_words(entry, found, language)}")


def _contact_row(contact, asked, labels, found, language):
    """One line of a case's table: dict of column -> words."""
    levels = dict.fromkeys(contact["suggested"].get(name) for name in asked)
    factors = [found["factors"][code][language] for code in contact["unknown_decides"]]
    return {
        "day": str(contact["day"]),
        "contact": _contact_words(contact, language),
        "analyst": _level(contact["analyst_level"], language) or _code(contact["level_then"], language),
        "suggested": _suggested_words([level for level in levels if level], contact, language),
        "patterns": "; ".join(labels[p["pattern"]] for p in contact["patterns"] if p["state"] == "matched"),
        "unknown": ", ".join(factors),
    }


def _contact_words(contact, language):
    if contact["source"] == "form":
        return _code(contact["institution"], language)
    records = ", ".join(message(f"reasons.code_{r}", language) for r in contact["records"])
    words = f"{_t('registry', language)} ({records})" if records else _t("registry", language)
    if contact["standing"] == "open":
        return words
    return f"{words}: {_t('standing_' + contact['standing'], language)}"


def _suggested_words(levels, contact, language):
    """The levels that would have been suggested, the highest first; a star where versions learnt from it."""
    if not levels:
        return _t("no_opinion", language)
    order = {level: place for place, level in enumerate(reversed(LEVELS))}
    words = ", ".join(_level(v, language) for v in sorted(levels, key=lambda v: order.get(v, len(order))))
    return f"{words} *" if contact["learnt_from_it"] else words


def _first_words(case, labels, language):
    first = case["first_fired"]
    if first is None:
        return _t("never_fired", language)
    rule = labels.get(first["rule"], _short(first["rule"]))
    return _t(
        f"first_fired_{case['days_lost_to']}",
        language,
        rule=rule,
        day=first["day"],
        lost=int(case["days_lost"]),
    )


def _mattered_words(entry, found, language):
    labels = {p["pattern"]: p["label"][language] for p in found["patterns"]}
    patterns = ", ".join(labels[p] for p in entry["patterns"])
    factor = found["factors"][entry["factor"]][language]
    to = _code(entry["known_to"], language) or _t("nobody_said", language)
    return _t("mattered", language, factor=factor, to=to, patterns=patterns, count=entry["contacts"])


def print_nearest(console, found, language):
    """Print the reviewed cases most like a living one."""
    _line(console, found["words"][language], "bold")
    known = found["known"]
    _line(console, _t("nearest_known", language, count=known["n"], total=known["of"]))
    for place, case in enumerate(found["cases"], start=1):
        _line(console, f"\n{place}. {_nearest_title(case, language)}", "bold")
        shared = case["shared"]
        _line(console, f"   {_t('nearest_shared', language, count=shared['n'], total=shared['of'])}")
        for name in ("shared_factors", "unknown_here"):
            if case[name]:
                factors = ", ".join(entry["label"][language] for entry in case[name])
                _line(console, f"   {_t(f'nearest_{name}', language, factors=factors)}")
        for side in ("here", "there"):
            factors = [e["label"][language] for e in case["differing"] if e[side] == "present"]
            if factors:
                words = _t(f"nearest_only_{side}", language, factors=", ".join(factors))
                _line(console, f"   {words}")
        _line(console, f"   {_t('nearest_known_before', language, count=len(case['known_before']))}")
        for entry in case["known_before"]:
            _line(console, f"     - {_known_words(entry, language)}")
        for entry in case["missed"]:
            how, where = _code(entry["how"], language), _code(entry["institution"], language)
            _line(console, f"   {_t('nearest_missed', language, how=how, institution=where)}")
    for row in found["missed_among"]:
        words = _t("nearest_among", language, how=_code(row["how"], language), share=_share(row, language))
        _line(console, f"\n{words}" if row is found["missed_among"][0] else words)
    for note in found["notes"]:
        _line(console, f"- {note[language]}")


def _nearest_title(case, language):
    similarity = case["similarity"]
    words = "-" if similarity is None else f"{similarity:.2f}"
    title = _t(
        "nearest_title",
        language,
        review=case["review_id"],
        kind=_code(case["kind"], language),
        relationship=_code(case["relationship"], language),
        similarity=words,
    )
    return title if case["relationship_match"] == "yes" else f"{title} ({_t('other_relationship', language)})"


def _known_words(entry, language):
    by = _code(entry["known_by"], language) or _t("nobody_said", language)
    days = (
        _t("day_unsaid", language)
        if entry["days"] is None
        else _t("days_before", language, count=entry["days"])
    )
    return f"{entry['label'][language]}: {by}, {days}"
