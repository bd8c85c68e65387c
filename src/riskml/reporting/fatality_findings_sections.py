"""The sections of a fatality review's page that say what was found in the reviewed cases."""

from riskml.reporting.blocks import facts, heading, listing, plain_cell, table, text
from riskml.reporting.document import part
from riskml.reporting.fatality_words import is_number
from riskml.reporting.numbers import percent

__all__ = ["findings_sections"]

_PAIRS = _LISTED = 20
_NAMED = 30


def findings_sections(page):
    """Sections of what was found: list of {"code", "title", "blocks"}, in the order of reading."""
    sections = {
        "method": _method,
        "cases": _cases,
        "prevalence": _prevalence,
        "after_only": _after_only,
        "earlier": _earlier,
        "last_contact": _last_contact,
        "institutions": _institutions,
        "cooccurrence": _cooccurrence,
        "missed": _missed,
    }
    return page.sections(sections)


def _method(page):
    notes = [page.words(note) for note in page.part("findings", "notes") or ()]
    names = ("small", "blame") if notes else ("selected", "before", "unknown", "small", "contacts", "blame")
    blocks = [listing([*notes, *(page.t(f"method_{name}") for name in names)])]
    if not page.internal:
        blocks += [heading(page.t("marks_title")), listing([page.t(f"marks_{i}") for i in range(1, 6)])]
    return blocks


def _cases(page):
    about = page.part("findings", "reviews")
    if not about:
        return [page.absent("findings", "reviews")]
    rows = [[page.code(row["kind"]), page.share(row["n"], about["n"])] for row in about["kinds"]]
    pairs = [
        (page.t("events_between"), page.t("from_to", first=about["first"], last=about["last"])),
        (page.t("linked_cases"), page.of(about["linked"], about["n"])),
    ]
    blocks = [facts(pairs)]
    if len(rows) > 1 or page.internal:
        blocks.insert(0, table(page.t("table_kinds"), [page.t("kind"), page.t("n_share")], rows))
    counts = page.part("findings", "counts")
    if not counts:
        return [*blocks, page.absent("findings", "counts")]
    clocks = [("clock_ever", counts)] + [("clock_before", counts["before"])] * bool(part(counts, "before"))
    body = []
    for name, found in clocks:
        many = found["seven_or_more"]
        surely, maybe = page.share(many["n"], many["of"]), page.of(many["undecided"], many["of"])
        body.append([page.t(name), _median(page, found), _median(page, found["most"]), surely, maybe])
    head = [page.t(name) for name in ("clock", "items_least", "items_most", "items_many", "items_maybe")]
    return [*blocks, table(page.t("table_items", items=counts["of"]), head, body), text(page.t("items_read"))]


def _median(page, found):
    """A median with its quartiles as a cell."""
    quartiles = is_number(found.get("q1")) and is_number(found.get("q3"))
    words = page.t("quartiles", q1=page.days(found["q1"]), q3=page.days(found["q3"])) if quartiles else ""
    return {"value": page.days(found.get("median")), "interval": words}


def _of_known(row, yes):
    """The share among those of whom it is known, as a cell; nothing where a count behind it is suppressed."""
    if not is_number(row.get("share")):
        return {"value": "–", "interval": ""}
    words = f"{percent(row['low'])} – {percent(row['high'])}"
    return {"value": f"{row[yes]}/{row['known']} ({percent(row['share'])})", "interval": words}


def _bounds(row):
    """What the share of all could be, given the unknown, with the outer ends of the exact intervals."""
    if not (is_number(row.get("bound_low")) and is_number(row.get("bound_high"))):
        return "–"
    outer = row.get("bound_low_low"), row.get("bound_high_high")
    words = f"{percent(outer[0])} – {percent(outer[1])}" if all(map(is_number, outer)) else ""
    return {"value": f"{percent(row['bound_low'])} – {percent(row['bound_high'])}", "interval": words}


def _order(row):
    """Factors known before in most cases first; suppressed counts below those that are printed."""
    return tuple(-(n if is_number(n) else 0.5) for n in (row["before"]["present"], row["present"]))


def _prevalence(page):
    rows = page.part("findings", "prevalence")
    if not rows:
        return [page.absent("findings", "prevalence")]
    said = [row for row in rows if row["unknown"] != row["n"]]
    silent = [page.words(row["label"]) for row in rows if row["unknown"] == row["n"]]
    names = ("factor", "known_before", "ever_present", "state_absent", "state_unknown", "of_known", "bounds")
    body = [
        [
            page.words(row["label"]),
            page.share(row["before"]["present"], row["n"]),
            page.n(row["present"]),
            page.n(row["absent"]),
            page.n(row["unknown"]),
            _of_known(row, "present"),
            _bounds(row),
        ]
        for row in sorted(said, key=_order)
    ]
    blocks = [
        page.figure("prevalence", "findings", "prevalence"),
        table(
            page.t("table_prevalence", count=rows[0]["n"]), [page.t(name) for name in names], body, dense=True
        ),
    ]
    return blocks + [text(_silent(page, silent))] * bool(silent)


def _silent(page, labels):
    """Factors of which nothing is known: by name, or how many where names would fill the page."""
    if len(labels) > _NAMED:
        return page.t("silent_many", count=len(labels))
    return page.t("silent_factors", listed="; ".join(labels))


def _after_only(page):
    rows = page.part("findings", "after_only")
    if not rows:
        return [text(page.t("after_only_lead")), page.absent("findings", "after_only")]
    said = [(page.words(row["label"]), page.of(row["n"], row["of"])) for row in rows]
    head = [page.t("factor"), page.t("after_of_present")]
    body = [list(pair) for pair in said[:_LISTED]]
    blocks = [text(page.t("after_only_lead")), table(page.t("table_after_only"), head, body, dense=True)]
    rest = "; ".join(f"{label} {n}" for label, n in said[_LISTED:])
    return blocks + [text(page.t("after_only_rest", listed=rest))] * bool(rest)


def _earlier(page):
    rows = page.part("findings", "earlier")
    if not rows:
        return [page.absent("findings", "earlier")]
    names = ("question", "answer_yes", "answer_no", "state_unknown", "yes_of_known", "bounds")
    body = [[page.t(f"field_{row['field']}"), *_answers(page, row)] for row in rows]
    blocks = [
        text(page.t("earlier_lead")),
        table(page.t("table_earlier"), [page.t(name) for name in names], body),
        text(page.t("published_beside")),
    ]
    for row in rows:
        groups = [group for group in row["by"] if group["unknown"] != group["n"]]
        if not groups or row["unknown"] == row["n"]:
            continue
        body = [
            [page.t(f"by_{group['by']}"), page.code(group["group"]), *_answers(page, group)]
            for group in groups
        ]
        head = [page.t(name) for name in ("by", "group", *names[1:])]
        title = page.t("table_earlier_by", question=page.t(f"field_{row['field']}"))
        blocks.append(table(title, head, body, dense=True))
    return blocks


def _answers(page, row):
    return [*(page.n(row[name]) for name in ("yes", "no", "unknown")), _of_known(row, "yes"), _bounds(row)]


def _last_contact(page):
    found = page.part("findings", "last_contact")
    if not found:
        return [page.absent("findings", "last_contact")]
    contact, days = found["with_contact"], found["days"]
    pairs = [(page.t("with_contact"), page.share_words(contact["n"], contact["of"]))]
    if is_number(days.get("median")):
        words = page.days(days["median"])
        if is_number(days.get("median_low")):
            ends = page.days(days["median_low"]), page.days(days["median_high"])
            words += f" ({ends[0]} – {ends[1]})"
        pairs.append((page.t("days_to_event"), words))
        if is_number(days.get("q1")):
            quartiles = f"{page.days(days['q1'])} – {page.days(days['q3'])}"
            pairs.append((page.t("days_quartiles"), quartiles))
    blocks = [facts(pairs)]
    if found["bands"]:
        rows = [
            [page.band(row.get("bands", row.get("band"))), page.share(row["n"], contact["of"])]
            for row in found["bands"]
        ]
        blocks.append(table(page.t("table_bands"), [page.t("days_before"), page.t("n_share")], rows))
    if found["by_institution"]:
        rows = [
            [page.code(row["institution"]), page.share(row["n"], row["of"]), page.days(row["median_days"])]
            for row in found["by_institution"]
        ]
        head = [page.t(name) for name in ("institution", "last_was_with", "days_median")]
        blocks.append(table(page.t("table_last_institution"), head, rows))
    return [*blocks, text(page.t("contact_read"))]


def _institutions(page):
    blocks = [page.figure("swimlanes", "findings", "timeline")]
    rows = page.part("findings", "institutions")
    if not rows:
        return [*blocks, page.absent("findings", "institutions")]
    names = ["institution", "knew", "factors_median"]
    shown = [row for row in rows if row["knew"] or row.get("after_only")]
    body = [
        [page.code(row["institution"]), page.share(row["knew"], row["of"]), page.days(row["factors_median"])]
        for row in shown
    ]
    if page.internal:
        names += ["days_since_known", "learnt_after"]
        for cells, row in zip(body, shown, strict=True):
            cells += [page.days(row["days_median"]), page.n(row["after_only"])]
    none = [page.code(row["institution"]) for row in rows if row not in shown]
    blocks.append(table(page.t("table_institutions"), [page.t(name) for name in names], body))
    return blocks + [text(page.t("nobody_knew", listed="; ".join(none)))] * bool(none)


def _cooccurrence(page):
    rows = page.part("findings", "cooccurrence")
    lead = page.t("cooccurrence_lead") + (" " + page.t("cooccurrence_q")) * page.internal
    if not rows:
        return [text(lead), page.absent("findings", "cooccurrence")]
    label = {row["factor"]: page.words(row["label"]) for row in page.part("findings", "prevalence") or ()}
    names = ("first_factor", "second_factor", "both", "only_first", "only_second", "neither", "odds_ratio")
    head = [page.t(name) for name in names] + [page.t("q_value")] * page.internal
    body = []
    for row in rows[:_PAIRS]:
        counts = [page.n(row[key]) for key in ("a_only", "b_only", "neither")]
        cells = [
            label.get(row["a"], row["a"]),
            label.get(row["b"], row["b"]),
            page.of(row["both"], row["of"]),
        ]
        cells += [*counts, page.ratio(row)]
        body.append(cells + [f"{row['q']:.2f}" if is_number(row.get("q")) else "–"] * page.internal)
    title = page.t("table_pairs", shown=len(body), count=len(rows))
    return [text(lead), table(title, head, body, dense=True)]


def _missed(page):
    found = page.part("findings", "missed")
    blocks = [text(page.t("missed_lead")), page.figure("missed", "findings", "missed")]
    if not found:
        return blocks
    whole = found["cases_with_any"]
    body = [[page.code(row["how"]), page.share(row["n"], row["of"])] for row in found["by_how"]]
    total = [page.t("any_of_them"), page.share(whole["n"], whole["of"])]
    rows = [*body, {"cells": [plain_cell(total[0]), total[1]], "kind": "main"}]
    return [*blocks, table(page.t("table_missed"), [page.t("way"), page.t("n_share")], rows)]
