"""The figures of a fatality review, drawn from its documents or from what of them may be published."""

from matplotlib.colors import to_rgba
from matplotlib.ticker import MaxNLocator, PercentFormatter

from riskml.reporting.document import part
from riskml.reporting.drawing import BLUE, GREY, ORANGE, canvas, forest_height, plain_text
from riskml.reporting.fatality_timelines import case_timelines
from riskml.reporting.fatality_words import Page, is_number

__all__ = ["FIGURES", "fatality_figures"]

_FACTORS, _LABEL = 25, 72
_PALE = to_rgba(GREY, 0.25)


def _prevalence(page):
    """Factors known before in most cases: known before, share of the known, what the unknown allows."""
    rows = [row for row in page.part("findings", "prevalence") or () if is_number(row.get("share"))]
    rows = [row for row in rows if row["present"]]
    order = sorted(rows, key=lambda row: (-_before(row), -row["share"]))[:_FACTORS]
    if not order:
        return None
    figure, (axes,) = canvas(page.t("figure_prevalence"), (8.2, forest_height(len(order)) + 0.7))
    for place, row in enumerate(reversed(order)):
        ends = row["bound_low"], row["bound_high"]
        axes.plot(ends, [place] * 2, color=_PALE, linewidth=9, solid_capstyle="butt", zorder=1)
        axes.plot([row["low"], row["high"]], [place] * 2, color=BLUE, linewidth=1.6, zorder=2)
        axes.plot(row["share"], place, "o", color=BLUE, markersize=4.5, zorder=3)
        if is_number(row["before"]["present"]):
            axes.plot(_before(row), place, "D", color=ORANGE, markersize=4, zorder=4)
    labels = [
        f"{plain_text(page.words(row['label']), _LABEL)}  {page.of(row['present'], row['known'])}"
        for row in reversed(order)
    ]
    axes.set_yticks(range(len(order)), labels, fontsize=8)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.7, len(order) - 0.3), xlabel=page.t("axis_share"))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.plot([], [], "D", color=ORANGE, markersize=4, label=page.t("legend_before"))
    axes.plot([], [], "o-", color=BLUE, linewidth=1.6, markersize=4.5, label=page.t("legend_of_known"))
    axes.plot([], [], color=_PALE, linewidth=9, label=page.t("legend_bounds"))
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=3)
    return figure


def _before(row):
    n = row["before"]["present"]
    return n / row["n"] if is_number(n) and row["n"] else 0.0


def _swimlanes(page):
    """Cases with a contact, by institution and days before the event; the event at the right edge."""
    rows = page.part("findings", "timeline")
    if not rows:
        return None
    lanes = list(dict.fromkeys(row["institution"] for row in rows))
    bands = list(dict.fromkeys(row["band"] for row in rows))[::-1]
    cases = page.part("findings", "reviews", "n") or 1
    figure, (axes,) = canvas(page.t("figure_swimlanes"), (7.6, 0.5 * len(lanes) + 1.5))
    for row in rows:
        x, y = bands.index(row["band"]), len(lanes) - 1 - lanes.index(row["institution"])
        if is_number(row["n"]):
            size = 40 + 1100 * (row["n"] / cases) ** 0.8 if row["n"] else 4
            axes.scatter(
                x, y, s=size, color=BLUE if row["n"] else GREY, alpha=0.35 if row["n"] else 1, linewidths=0
            )
        if row["n"] != 0:
            axes.text(x, y, page.n(row["n"]), ha="center", va="center", fontsize=8)
    for y in range(len(lanes)):
        axes.axhline(y, color=_PALE, linewidth=0.8, zorder=0)
    axes.axvline(len(bands) - 0.45, color=ORANGE, linewidth=2)
    axes.text(
        len(bands) - 0.4,
        (len(lanes) - 1) / 2,
        page.t("event"),
        color=ORANGE,
        rotation=270,
        va="center",
        fontsize=9,
    )
    axes.set_xticks(range(len(bands)), [page.band(band) for band in bands])
    axes.set_yticks(range(len(lanes)), [page.code(name) for name in reversed(lanes)])
    axes.set(xlim=(-0.6, len(bands) - 0.1), ylim=(-0.7, len(lanes) - 0.3), xlabel=page.t("axis_days_before"))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=6)
    return figure


def _missed(page):
    """Ways by institutions, each cell with its number of cases."""
    found = page.part("findings", "missed")
    if not found or not found["institutions"]:
        return None
    names, ways = found["institutions"], found["how"]
    size = (max(5.2, 0.85 * len(names) + 2.6), 0.42 * len(ways) + 1.9)
    figure, (axes,) = canvas(page.t("figure_missed"), size)
    values = [[cell if is_number(cell) else 0 for cell in row] for row in found["matrix"]]
    top = max([1, *(cell for row in values for cell in row)])
    axes.imshow(values, cmap="Blues", vmin=0, vmax=top, aspect="auto")
    for i, row in enumerate(found["matrix"]):
        for j, cell in enumerate(row):
            dark = is_number(cell) and cell > 0.55 * top
            if cell != 0:
                axes.text(
                    j,
                    i,
                    page.n(cell),
                    ha="center",
                    va="center",
                    fontsize=9,
                    color="white" if dark else "black",
                )
    axes.set_xticks(
        range(len(names)),
        [page.code(name) for name in names],
        rotation=28,
        ha="right",
        rotation_mode="anchor",
    )
    axes.set_yticks(range(len(ways)), [page.code(name) for name in ways])
    axes.spines[:].set_visible(False)
    return figure


def _tradeoff(page):
    """Cases caught against living cases newly flagged a week (today, where no week was counted)."""
    document = page.part("patterns")
    if not document:
        return None
    shown = []
    for number, row in enumerate(document["rows"], start=1):
        living, caught = part(row, "living") or {}, part(row, "caught") or {}
        shown.append(
            (number, row, living.get("per_week"), living.get("flagged"), caught.get("n"), caught.get("of"))
        )
    sets = part(document, "tradeoff") or ()
    weekly = any(is_number(found[2]) for found in shown)
    points = [
        (found[2] if weekly else found[3], found[4] / found[5], found[0], found[1]["origin"])
        for found in shown
        if is_number(found[2] if weekly else found[3]) and is_number(found[4]) and found[5]
    ]
    line = [
        (row["per_week"] if weekly else row["flagged"], row["caught"] / row["of"])
        for row in sets
        if is_number(row["per_week"] if weekly else row["flagged"]) and is_number(row["caught"])
    ]
    if not points and not line:
        return None
    figure, (axes,) = canvas(page.t("figure_tradeoff"), (7.4, 4.4))
    if line:
        axes.plot(
            *zip(*line, strict=True),
            color=ORANGE,
            marker="s",
            markersize=5,
            label=page.t("legend_sets"),
            zorder=2,
        )
    for origin, marker in (("prespecified", "o"), ("searched", "^")):
        own = [point for point in points if point[3] == origin]
        if own:
            x, y = [point[0] for point in own], [point[1] for point in own]
            axes.plot(x, y, marker, color=BLUE, markersize=6, label=page.t(f"legend_{origin}"), zorder=3)
    right = max([x for x, *_ in points] + [x for x, _ in line]) or 1.0
    axes.set(xlim=(-0.03 * right, 1.1 * right), ylim=(-0.04, 1.06), ylabel=page.t("axis_caught"))
    axes.set_xlabel(page.t("axis_per_week" if weekly else "axis_flagged"))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.xaxis.set_major_locator(MaxNLocator(8))
    for x, y, numbers in _apart(points, right):
        axes.annotate(numbers, (x, y), xytext=(6, 5), textcoords="offset points", fontsize=8, zorder=4)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=3)
    return figure


def _apart(points, right):
    """Numbers of points with their places; those of points too close to tell apart stand together."""
    groups = []
    for x, y, number, _ in sorted(points, key=lambda point: (point[0], point[1])):
        near = next((g for g in groups if abs(g[0] - x) < 0.045 * right and abs(g[1] - y) < 0.055), None)
        if near is None:
            groups.append([x, y, [number]])
        else:
            near[0], near[1] = max(near[0], x), max(near[1], y)
            near[2].append(number)
    return [(x, y, ", ".join(str(n) for n in sorted(numbers))) for x, y, numbers in groups]


FIGURES = {"prevalence": _prevalence, "swimlanes": _swimlanes, "missed": _missed, "tradeoff": _tradeoff}


def fatality_figures(documents, language="es", *, internal=False):
    """The figures of a review.

    Parameters
    ----------
    documents : dict       findings, patterns, replay (or None), as published or the team's own
    language : "es" or "en"
    internal : bool        with a timeline of each case, `case_<review id>`

    Returns
    -------
    dict of name -> matplotlib Figure    what the documents do not hold is not drawn
    """
    page = Page(documents, language, internal)
    drawn = {name: draw(page) for name, draw in FIGURES.items()}
    if internal:
        drawn |= case_timelines(page)
    return {name: figure for name, figure in drawn.items() if figure is not None}
