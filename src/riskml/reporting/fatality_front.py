"""The first page of a fatality review: what a Task Force reads in two minutes."""

from riskml.reporting.document import part
from riskml.reporting.fatality_grouped import OTHERS
from riskml.reporting.fatality_words import is_number

__all__ = ["front_page"]

_SHOWN = 3


def front_page(page):
    """Four questions with answers: how many cases, what was known and by whom, what was missed, what next.

    Parameters
    ----------
    page : Page

    Returns
    -------
    list of dict    title, points (list of str)
    """
    answers = {"cases": _cases, "known": _known, "missed": _missed, "proposed": _proposed}
    boxes = []
    for name, answer in answers.items():
        points = [point for point in answer(page) if point] or [page.t("front_nothing")]
        boxes.append({"title": page.t(f"front_{name}"), "points": points})
    return boxes


def _cases(page):
    about = page.part("findings", "reviews")
    if not about:
        return []
    between = page.t("front_between", first=about["first"], last=about["last"])
    named = [
        f"{page.code(row['kind']).lower()}: {page.n(row['n'])}"
        for row in about["kinds"]
        if row["kind"] != OTHERS
    ]
    points = [f"{page.t('front_reviewed', count=about['n'])} {between}", "; ".join(named)]
    return [*points, page.t("front_linked", linked=page.of(about["linked"], about["n"]))]


def _top(rows, key, size=_SHOWN):
    """The rows of the largest printed counts."""
    there = [row for row in rows if is_number(key(row)) and key(row)]
    return sorted(there, key=key, reverse=True)[:size]


def _known(page):
    points = []
    found = page.part("findings", "last_contact")
    if found and is_number(found["with_contact"]["n"]):
        contact = found["with_contact"]
        points.append(page.t("front_contact", share=page.share_words(contact["n"], contact["of"])))
        if is_number(found["days"].get("median")):
            points[-1] += " " + page.t("front_days", days=page.days(found["days"]["median"]))
    elif page.part("findings", "earlier"):
        points += _asked(page)
    who = page.part("findings", "institutions") or ()
    for community, name in ((False, "front_knew"), (True, "front_community")):
        knew = _top([row for row in who if row.get("community", False) == community], lambda row: row["knew"])
        if knew:
            listed = [f"{page.code(row['institution'])} {page.of(row['knew'], row['of'])}" for row in knew]
            points.append(page.t(name, listed="; ".join(listed)))
    factors = _top(page.part("findings", "prevalence") or (), lambda row: row["before"]["present"])
    if factors:
        listed = [
            f"{page.words(row['label'])} {page.of(row['before']['present'], row['n'])}" for row in factors
        ]
        points.append(page.t("front_factors", listed="; ".join(listed)))
    return points


def _asked(page):
    """Earlier reports and measures where there is no contact log."""
    points = []
    for row in page.part("findings", "earlier")[:2]:
        if is_number(row["yes"]) and row["yes"]:
            question = page.t(f"field_{row['field']}")
            known = page.share_words(row["yes"], row["known"])
            points.append(
                page.t("front_asked", question=question, known=known, unknown=page.n(row["unknown"]))
            )
    return points


def _missed(page):
    found = page.part("findings", "missed")
    if not found:
        return []
    whole = found["cases_with_any"]
    points = []
    if is_number(whole["n"]):
        points.append(page.t("front_any_missed", share=page.share_words(whole["n"], whole["of"])))
    ways = _top(found["by_how"], lambda row: row["n"])
    if ways:
        listed = [f"{page.code(row['how']).lower()} {page.of(row['n'], row['of'])}" for row in ways]
        points.append(page.t("front_ways", listed="; ".join(listed)))
    return points


def _proposed(page):
    points = []
    rows = page.part("patterns", "rows")
    if rows:
        points.append(page.t("front_patterns", count=len(rows)))
        chosen = part(page.documents, "patterns", "selected") or {}
        if part(chosen, "caught") and part(chosen, "left_out"):
            words = {
                name: page.share_words(chosen[name]["n"], chosen[name]["of"])
                for name in ("caught", "left_out")
            }
            points.append(page.t("front_chosen", **words))
        steps = page.part("patterns", "tradeoff")
        if steps and is_number(steps[-1].get("per_week")) and len(steps[-1]["patterns"]) > 1:
            points[-1] += " " + page.t("front_weekly", weekly=f"{steps[-1]['per_week']:.1f}")
    advice = page.part("findings", "recommendations") or ()
    if advice:
        total = sum(row["n"] for row in advice)
        late = sum(row["n"] for row in advice if row["overdue"])
        points.append(page.t("front_advice", count=total, late=late))
        cleared = [row for row in advice if row.get("recommendation")][:_SHOWN]
        points += [f"{page.code(row['addressee'])}: {row['recommendation']}" for row in cleared]
    return points
