"""The timeline of one reviewed case: its contacts, the levels then, what would have been said, the event."""

from textwrap import fill

from matplotlib.ticker import NullLocator

from riskml.reporting.document import part
from riskml.reporting.drawing import BLUE, GREY, ORANGE, canvas, plain_text
from riskml.vocabulary import LEVELS

__all__ = ["MOST_TIMELINES", "case_timelines", "cases_in_order"]

MOST_TIMELINES = 60  # more would make a page that no mail takes
_TICKS = (1, 7, 30, 90, 365, 1095, 3650)
_LONGEST, _WIDE = 150, 50  # letters of a pattern's name, and of each of its lines
_NEAREST = 0.6  # days: where the event stands on the scale


def cases_in_order(document):
    """The cases that have a contact, those with most days lost first: list of dict."""
    cases = [case for case in part(document, "cases") or () if case["contacts"]]
    return sorted(cases, key=lambda case: (-(case["days_lost"] or 0), case["review_id"]))


def case_timelines(page):
    """A timeline of each case with contacts, MOST_TIMELINES at most: dict of `case_<review id>` -> Figure."""
    document = page.part("replay")
    rule = _asked(document)
    shown = cases_in_order(document)[:MOST_TIMELINES]
    return {f"case_{case['review_id']}": _timeline(page, case, rule) for case in shown}


def _asked(document):
    """The versions whose level is drawn: those asked together, else the first; None where there is none."""
    versions = [row for row in part(document, "versions") or () if row["kind"] in ("together", "version")]
    together = [row["name"] for row in versions if row["kind"] == "together"]
    return (together or [row["name"] for row in versions] or [None])[0]


def _timeline(page, case, rule):
    contacts = sorted(case["contacts"], key=lambda contact: -contact["day"])
    labels = {row["pattern"]: _named(page, row) for row in page.part("replay", "patterns") or ()}
    lanes = [name for name in labels if any(_state(contact, name) != "not_matched" for contact in contacts)]
    figure, (axes,) = canvas(page.t("figure_case", case=case["review_id"]), (8.0, 2.75 + 0.36 * len(lanes)))
    axes.set_xscale("log")
    axes.set_xlim(max(1.4 * contacts[0]["day"], 10), _NEAREST * 0.78)
    places = _lanes(page, axes, len(lanes))
    _contacts(page, axes, contacts, places["contacts"])
    _levels(
        axes, contacts, [_analyst(contact) for contact in contacts], ORANGE, "-", page.t("legend_analyst")
    )
    if rule is not None:
        said = [contact["suggested"].get(rule) for contact in contacts]
        learnt = [rule in contact["learnt_by"] for contact in contacts]
        _suggested(page, axes, contacts, said, learnt)
    for place, name in enumerate(lanes, start=1):
        _pattern(page, axes, contacts, name, -place - 1)
    ticks = [*range(len(LEVELS)), -1, *(-place - 1 for place in range(1, len(lanes) + 1))]
    words = [page.code(level) for level in LEVELS] + [page.t("lane_contacts")]
    axes.set_yticks(ticks, [*words, *(labels[name] for name in lanes)], fontsize=8)
    axes.set_ylim(-len(lanes) - 1.6, len(LEVELS) - 0.4)
    axes.axhline(-0.5, color=GREY, linewidth=0.6)
    axes.axvline(_NEAREST, color="black", linewidth=2)
    middle = (len(LEVELS) - len(lanes) - 2) / 2
    axes.text(_NEAREST * 0.94, middle, page.t("event"), rotation=270, ha="left", va="center", fontsize=8)
    first = [day for day in _TICKS if day <= axes.get_xlim()[0]]
    axes.set_xticks(first, [str(day) for day in first])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(page.t("axis_days_before"))
    figure.legend(fontsize=7.5, frameon=False, loc="outside lower center", ncols=3)
    return figure


def _named(page, pattern):
    words = f"{page.words(pattern['label'])} ({page.t('status_' + pattern['status'])})"
    return fill(plain_text(words, _LONGEST), _WIDE)


def _lanes(page, axes, patterns):
    for place in (-1, *(-k - 1 for k in range(1, patterns + 1))):
        axes.axhline(place, color=GREY, alpha=0.25, linewidth=0.8, zorder=0)
    return {"contacts": -1}


def _state(contact, name):
    return next((found["state"] for found in contact["patterns"] if found["pattern"] == name), "not_matched")


def _analyst(contact):
    """The analyst's level at a contact: the registry's, else the form's."""
    then = contact["analyst_level"] or contact["level_then"]
    return then if then in LEVELS else None


def _contacts(page, axes, contacts, place):
    for source, marker in (("registry", "|"), ("form", "x")):
        days = [max(contact["day"], 1) for contact in contacts if contact["source"] == source]
        if days:
            size = 10 if marker == "|" else 5
            axes.plot(
                days,
                [place] * len(days),
                marker,
                color="black",
                markersize=size,
                label=page.t(f"legend_{source}"),
            )


def _steps(contacts, levels):
    """Days and places of levels that are known, held until the next one: two lists; up to the event."""
    known = [
        (max(c["day"], 1), LEVELS.index(level))
        for c, level in zip(contacts, levels, strict=True)
        if level in LEVELS
    ]
    days, places = [day for day, _ in known], [place for _, place in known]
    return ([*days, _NEAREST], [*places, places[-1]]) if known else ([], [])


def _levels(axes, contacts, levels, colour, line, label):
    days, places = _steps(contacts, levels)
    if days:
        axes.step(days, places, where="post", color=colour, linestyle=line, linewidth=2, label=label)
        axes.plot(days[:-1], places[:-1], "o", color=colour, markersize=3)


def _suggested(page, axes, contacts, said, learnt):
    """What the versions would have said; hollow where they had learnt from data of that time."""
    days, places = _steps(contacts, said)
    if not days:
        return
    shifted = [place + 0.14 for place in places]
    axes.step(days, shifted, where="post", color=BLUE, linewidth=1.4, label=page.t("legend_suggested"))
    marks = [flag for flag, level in zip(learnt, said, strict=True) if level in LEVELS]
    for day, place, flag in zip(days[:-1], shifted[:-1], marks, strict=True):
        axes.plot(day, place, "s", color=BLUE, markerfacecolor="white" if flag else BLUE, markersize=4)
    if any(marks):
        axes.plot(
            [], [], "s", color=BLUE, markerfacecolor="white", markersize=4, label=page.t("legend_learnt")
        )


def _pattern(page, axes, contacts, name, place):
    for state, face in (("undetermined", "white"), ("matched", ORANGE)):
        days = [max(contact["day"], 1) for contact in contacts if _state(contact, name) == state]
        if days:
            known = {text.get_label() for text in axes.lines}
            label = page.t(f"legend_{state}")
            axes.plot(
                days,
                [place] * len(days),
                "o",
                color=ORANGE,
                markerfacecolor=face,
                markersize=6 if state == "matched" else 4.5,
                label=None if label in known else label,
            )
