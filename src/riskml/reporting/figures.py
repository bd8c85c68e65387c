"""Figures of a training run's report, drawn without a screen."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from riskml.messages import message

__all__ = ["report_figures"]

COLOUR, QUIET = "#1f4e79", "#9aa5b1"
SHOWN = 20


def _axes(language, title, x, y, size=(6.4, 4.8)):
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    figure.suptitle(message(f"training.figure_{title}", language), fontsize=12)
    axes.set_xlabel(message(f"training.axis_{x}", language) if x else "")
    axes.set_ylabel(message(f"training.axis_{y}", language) if y else "")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _calibration(report, language):
    figure, axes = _axes(language, "calibration", "predicted", "observed")
    groups, curve = report["calibration_groups"], report["calibration_curve"]
    top = max([g["high"] for g in groups] + [g["predicted"] for g in groups]) * 1.05
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1, linestyle="--")
    if curve:
        predicted = [p["predicted"] for p in curve]
        axes.fill_between(
            predicted,
            [p["low"] for p in curve],
            [p["high"] for p in curve],
            color=COLOUR,
            alpha=0.15,
            linewidth=0,
        )
        axes.plot(predicted, [p["observed"] for p in curve], color=COLOUR)
    for g in groups:
        axes.plot([g["predicted"]] * 2, [g["low"], g["high"]], color=COLOUR, linewidth=1)
        axes.plot(g["predicted"], g["observed"], "o", color=COLOUR, markersize=4)
    axes.set_xlim(0, top)
    axes.set_ylim(0, min(top, 1.0) if top < 1 else 1.0)
    return figure


def _roc(report, language):
    figure, axes = _axes(language, "roc", "false_positive_rate", "true_positive_rate", (4.8, 4.8))
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--")
    axes.plot(report["roc"]["false_positive_rate"], report["roc"]["true_positive_rate"], color=COLOUR)
    return figure


def _precision_recall(report, language):
    figure, axes = _axes(language, "precision_recall", "true_positive_rate", "precision", (4.8, 4.8))
    curve = report["precision_recall"]
    axes.plot(curve["recall"], curve["precision"], color=COLOUR)
    chosen = next(row for row in report["comparison"] if row["candidate"] == report["chosen"])
    axes.axhline(chosen["events"] / chosen["n"], color=QUIET, linewidth=1, linestyle="--")
    axes.set_ylim(0, 1)
    return figure


def _importance(report, language):
    listed = [entry for entry in report["importance"] if entry["mean_abs_shap"]][:SHOWN][::-1]
    figure, axes = _axes(language, "importance", "shap", None, (7.5, 0.28 * max(len(listed), 4) + 1))
    labels = [entry.get("label", {}).get(language, entry["column"]) for entry in listed]
    axes.barh(range(len(listed)), [entry["mean_abs_shap"] for entry in listed], color=COLOUR)
    axes.set_yticks(range(len(listed)), labels, fontsize=8)
    return figure


def _comparison(report, language):
    rows = [row for row in report["comparison"] if row.get("auc") is not None][::-1]
    figure, axes = _axes(language, "comparison", None, None, (7.5, 0.45 * len(rows) + 1))
    for position, row in enumerate(rows):
        colour = COLOUR if row["candidate"] == report["chosen"] else QUIET
        if row["auc_low"] is not None:
            axes.plot([row["auc_low"], row["auc_high"]], [position] * 2, color=colour, linewidth=3)
        axes.plot(row["auc"], position, "o", color=colour)
    axes.set_yticks(range(len(rows)), [row["label"][language] for row in rows], fontsize=8)
    return figure


def report_figures(report, language="es"):
    """The figures of one report.

    Parameters
    ----------
    report : dict      `Model.report`
    language : str

    Returns
    -------
    dict of name -> matplotlib Figure    calibration, roc, precision_recall, importance, comparison
    """
    drawn = {
        "calibration": _calibration,
        "roc": _roc,
        "precision_recall": _precision_recall,
        "importance": _importance,
        "comparison": _comparison,
    }
    return {name: draw(report, language) for name, draw in drawn.items()}
