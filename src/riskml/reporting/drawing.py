"""What the figures of a review share: a canvas without a screen, text that is only text, and forests."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["BLUE", "GREY", "ORANGE", "SHADES", "band", "canvas", "forest", "forest_height", "plain_text"]

BLUE, ORANGE, GREY = "#1f4e79", "#b4551a", "#8a949e"
SHADES = {"aggressor": BLUE, "victim": "#5b8a72", "acts": ORANGE, "relationship": "#7a5195", "response": GREY}
_ROW = 0.235  # inches of a forest's row
_LONGEST = 72


def plain_text(words, longest=_LONGEST):
    """Words as matplotlib shall print them: cut to a length; no dollar sign of a label starts a formula."""
    text = " ".join(str(words).split())
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return text.replace("$", r"\$")


def canvas(title, size, panels=1):
    """An empty figure: (figure, list of its axes), side by side.

    Parameters
    ----------
    title : str
    size : (float, float)    inches
    panels : int
    """
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    figure.suptitle(plain_text(title), fontsize=11)
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.tick_params(labelsize=8)
        each.xaxis.label.set_fontsize(9)
        each.yaxis.label.set_fontsize(9)
    return figure, list(axes)


def band(axes, rows, x, low, high, colour=BLUE):
    """Shade the interval of a curve where it is known."""
    known = [row for row in rows if row.get(low) is not None and row.get(high) is not None]
    if known:
        axes.fill_between(
            [row[x] for row in known],
            [row[low] for row in known],
            [row[high] for row in known],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )


def forest(axes, rows, *, reference=None, labels=True):
    """Estimates with their intervals, one below the other, the first on top.

    Parameters
    ----------
    axes : matplotlib Axes
    rows : list of dict    label, estimate, low, high (None: no interval), colour
    reference : float or None    a dashed line
    labels : bool          False: the panel beside shows them
    """
    if reference is not None:
        axes.axvline(reference, color=GREY, linewidth=1, linestyle="--")
    for position, row in enumerate(reversed(rows)):
        colour = row.get("colour", BLUE)
        if row.get("low") is not None and row.get("high") is not None:
            axes.plot([row["low"], row["high"]], [position] * 2, color=colour, linewidth=2, alpha=0.6)
        axes.plot(row["estimate"], position, "o", color=colour, markersize=4)
    shown = [plain_text(row["label"]) for row in reversed(rows)] if labels else [""] * len(rows)
    axes.set_yticks(range(len(rows)), shown, fontsize=8)
    axes.set_ylim(-0.7, len(rows) - 0.3)


def forest_height(rows):
    """Inches that a forest of so many rows needs."""
    return _ROW * max(rows, 4) + 1.0
