"""The figure of a lethal model: what the literature said, what the data say, and what follows."""

from riskml.messages import message
from riskml.reporting.drawing import BLUE, GREY, canvas, forest_height, plain_text

__all__ = ["priors"]

_LEAST, _MOST = 0.05, 100.0  # odds ratios that the axis holds; an interval beyond is cut at its edge
_TICKS = (0.1, 1, 10, 100)
_SHOWN = (("prior", GREY, 0.22, "s"), ("data", "black", 0.0, "x"), ("posterior", BLUE, -0.22, "o"))


def priors(report, validation, language):
    """Odds ratios of each factor with their intervals, the prior above, the posterior below."""
    rows = report.get("table")
    if not rows:
        return None
    figure, (axes,) = canvas(
        message("model_review.figure_priors", language), (7.2, 1.6 * forest_height(len(rows))), panels=1
    )
    axes.axvline(1.0, color=GREY, linewidth=1, linestyle="--")
    for position, row in enumerate(reversed(rows)):
        for name, colour, offset, marker in _SHOWN:
            if row.get(name) is None:
                continue
            low, high = max(row[f"{name}_low"], _LEAST), min(row[f"{name}_high"], _MOST)
            axes.plot([low, high], [position + offset] * 2, color=colour, linewidth=1.5, alpha=0.7)
            if _LEAST <= row[name] <= _MOST:
                axes.plot(row[name], position + offset, marker, color=colour, markersize=4)
    for name, colour, _, marker in _SHOWN:
        label = message(f"model_review.curve_{name}", language)
        axes.plot([], [], marker, color=colour, markersize=4, label=label)
    labels = [(row.get("label") or {}).get(language) or str(row["factor"]) for row in reversed(rows)]
    axes.set_yticks(range(len(rows)), [plain_text(label) for label in labels], fontsize=8)
    axes.set_xscale("log")
    axes.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.set(xlim=(_LEAST, _MOST), ylim=(-0.7, len(rows) - 0.3))
    axes.set_xlabel(message("model_review.axis_odds_ratio", language))
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=3)
    return figure
