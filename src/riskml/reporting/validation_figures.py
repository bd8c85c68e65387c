"""The figures of a model review, drawn from a training report and a validation document."""

from riskml.messages import message
from riskml.reporting.document import part
from riskml.reporting.drawing import BLUE, GREY, ORANGE, band, canvas, plain_text
from riskml.reporting.forest_figures import (
    calibration_by_group,
    comparison,
    fairness,
    importance,
    leakage,
    treatment,
)
from riskml.reporting.lethal_figures import priors

__all__ = ["FIGURES", "LETHAL_FIGURES", "figure_title", "validation_figures"]

_YARDSTICKS = ("incidents", "days_since", "analyst_level")  # more lines than these cannot be told apart


def figure_title(name, language="es"):
    """What a figure shows, in words: str."""
    return message(f"model_review.figure_{name}", language)


def _axis(name, language):
    return message(f"model_review.axis_{name}", language)


def _same_scale(axes, top, language):
    """Observed over predicted risk, both from 0 to the same end."""
    labels = {"xlabel": _axis("predicted", language), "ylabel": _axis("observed", language)}
    axes.set(xlim=(0, top), ylim=(0, top), **labels)


def _calibration(report, validation, language):
    curve = part(validation, "calibration", "curve") or part(report, "calibration_curve") or []
    groups = part(validation, "calibration", "groups") or part(report, "calibration_groups") or []
    if not curve and not groups:
        return None
    figure, (axes,) = canvas(figure_title("calibration", language), (5.6, 4.4))
    reached = [row["high"] for row in groups] + [row["predicted"] for row in (*groups, *curve)]
    top = min(1.0, 1.05 * max(reached))
    axes.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle="--")
    band(axes, curve, "predicted", "low", "high")
    axes.plot([row["predicted"] for row in curve], [row["observed"] for row in curve], color=BLUE)
    for row in groups:
        axes.plot([row["predicted"]] * 2, [row["low"], row["high"]], color=BLUE, linewidth=1)
        axes.plot(row["predicted"], row["observed"], "o", color=BLUE, markersize=4)
    _same_scale(axes, top, language)
    return figure


def _decision_curve(report, validation, language):
    rows = part(validation, "utility", "decision_curve")
    if not rows:
        return None
    figure, (axes,) = canvas(figure_title("decision_curve", language), (6.2, 4.0))
    at = [row["threshold"] for row in rows]
    band(axes, rows, "threshold", "model_low", "model_high")
    lines = (("model", BLUE, "-"), ("incidents", ORANGE, "-."), ("all", GREY, "--"), ("none", "black", ":"))
    for name, colour, style in lines:
        values = [row.get(name) for row in rows]
        if any(value is not None for value in values):
            label = message(f"model_review.curve_{name}", language)
            axes.plot(at, [_number(v) for v in values], color=colour, linestyle=style, label=label)
    top = max([_number(row["model"], 0.0) for row in rows] + [0.0])
    axes.set_ylim(-0.35 * max(top, 1e-3), 1.2 * max(top, 1e-3))
    axes.set(xlabel=_axis("threshold", language), ylabel=_axis("net_benefit", language))
    axes.legend(fontsize=8, frameon=False)
    return figure


def _number(value, otherwise=float("nan")):
    return otherwise if value is None else value


def _capacity(report, validation, language):
    rows = part(validation, "utility", "capacity")
    if not rows:
        return None
    figure, (axes,) = canvas(figure_title("capacity", language), (6.2, 3.8))
    for name, colour, style in (("recall", BLUE, "-"), ("precision", ORANGE, "-.")):
        low, high = ("low", "high") if name == "recall" else ("precision_low", "precision_high")
        band(axes, rows, "k", low, high, colour)
        axes.plot(
            [row["k"] for row in rows],
            [_number(row.get(name)) for row in rows],
            color=colour,
            linestyle=style,
            marker="o",
            markersize=3,
            label=message(f"model_review.curve_{name}", language),
        )
    axes.set_ylim(0, 1)
    axes.set(xlabel=_axis("capacity", language), ylabel=_axis("share", language))
    axes.legend(fontsize=8, frameon=False)
    return figure


def _origin_rows(document, metric):
    rows = [row for row in document.get("by_origin", ()) if row["metric"] == metric]
    return [row for row in rows if row["estimate"] is not None]


def _backtest(report, validation, language):
    candidates = part(validation, "backtest", "candidates")
    if not candidates:
        return None
    chosen = part(report, "chosen")
    known = {name: found for name, found in candidates.items() if part(found, "by_origin")}
    own = chosen if chosen in known else next(iter(known), None)
    if own is None:
        return None
    others = [name for name in _YARDSTICKS if name in known and name != own]
    labels = {row["candidate"]: row["label"][language] for row in report.get("comparison", ())}
    figure, panels = canvas(figure_title("backtest", language), (7.4, 3.8), panels=2)
    dates = sorted({row["origin"][:10] for name in (own, *others) for row in known[name]["by_origin"]})
    for axes, metric in zip(panels, ("auc", "calibration_slope"), strict=True):
        for place, name in enumerate((own, *others) if metric == "auc" else (own,)):
            rows = _origin_rows(known[name], metric)
            at = [dates.index(row["origin"][:10]) + 0.08 * (place - 1) for row in rows]
            colour = BLUE if name == own else GREY
            for x, row in zip(at, rows, strict=True):
                if row["low"] is not None:
                    axes.plot([x, x], [row["low"], row["high"]], color=colour, linewidth=1.5, alpha=0.6)
            label = labels.get(name, name) if metric == "auc" else None
            marker, style = "osv^"[place], "-" if name == own else ":"
            axes.plot(
                at,
                [row["estimate"] for row in rows],
                color=colour,
                marker=marker,
                markersize=4,
                linestyle=style,
                label=None if label is None else plain_text(label, 36),
            )
        axes.axhline(0.5 if metric == "auc" else 1.0, color="black", linewidth=0.8, linestyle="--")
        axes.set_xticks(range(len(dates)), dates, rotation=30, fontsize=7)
        axes.set_ylabel(message(f"model_review.metric_{metric}", language))
    figure.legend(fontsize=7, frameon=False, loc="outside lower center", ncols=2)
    return figure


def _prediction_instability(report, validation, language):
    found = part(validation, "stability", "prediction")
    if not part(found, "band"):
        return None
    figure, (axes,) = canvas(figure_title("prediction_instability", language), (5.6, 4.4))
    dots, rows = found.get("dots") or [], found["band"]
    axes.plot(
        [dot["risk"] for dot in dots],
        [dot["refitted"] for dot in dots],
        ".",
        color=GREY,
        markersize=1.5,
        alpha=0.5,
        rasterized=True,
    )
    top = min(1.0, 1.05 * max([dot["refitted"] for dot in dots] + [row["high"] for row in rows]))
    axes.plot([0, top], [0, top], color="black", linewidth=0.8, linestyle="--")
    for edge in ("low", "high"):
        axes.plot([row["risk"] for row in rows], [row[edge] for row in rows], color=BLUE)
    axes.set(
        xlim=(0, top),
        ylim=(0, top),
        xlabel=_axis("predicted", language),
        ylabel=_axis("refitted", language),
    )
    return figure


def _calibration_instability(report, validation, language):
    found = part(validation, "stability", "calibration")
    if not part(found, "band"):
        return None
    figure, (axes,) = canvas(figure_title("calibration_instability", language), (5.6, 4.4))
    curves = {}
    for point in found.get("single") or []:
        curves.setdefault(point["refit"], []).append((point["predicted"], point["observed"]))
    for points in curves.values():
        axes.plot(*zip(*points, strict=True), color=GREY, linewidth=0.5, alpha=0.5)
    rows = found["band"]
    band(axes, rows, "predicted", "low", "high")
    axes.plot([row["predicted"] for row in rows], [row["observed"] for row in rows], color=BLUE, linewidth=2)
    top = min(1.0, 1.1 * max(_number(row[key], 0.0) for row in rows for key in ("predicted", "high")))
    axes.plot([0, top], [0, top], color="black", linewidth=0.8, linestyle="--")
    _same_scale(axes, top, language)
    return figure


def _level_flips(report, validation, language):
    rows = part(validation, "stability", "transitions")
    if not rows:
        return None
    names = [level for level in ("critical", "high", "medium", "low") if any(level in row for row in rows)]
    rows = sorted(
        (row for row in rows if row["level"] in names),
        key=lambda row: names.index(row["level"]),
    )
    figure, (axes,) = canvas(figure_title("level_flips", language), (5.6, 0.55 * len(rows) + 1.6))
    shares = [[row.get(name) or 0.0 for name in names] for row in rows]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            axes.text(
                j,
                i,
                f"{100 * share:.0f} %",
                ha="center",
                va="center",
                color="white" if share > 0.5 else "black",
                fontsize=9,
            )
    labels = [message(f"levels.level_{name}", language) for name in names]
    axes.set_xticks(range(len(names)), labels)
    axes.set_yticks(
        range(len(rows)),
        [f"{message('levels.level_' + row['level'], language)} (n = {row['cases']:,})" for row in rows],
    )
    axes.set(xlabel=_axis("level_refitted", language), ylabel=_axis("level_suggested", language))
    axes.spines[:].set_visible(False)
    return figure


FIGURES = {
    "comparison": comparison,
    "calibration": _calibration,
    "calibration_by_group": calibration_by_group,
    "decision_curve": _decision_curve,
    "capacity": _capacity,
    "backtest": _backtest,
    "prediction_instability": _prediction_instability,
    "calibration_instability": _calibration_instability,
    "level_flips": _level_flips,
    "fairness": fairness,
    "leakage": leakage,
    "importance": importance,
    "treatment": treatment,
}


LETHAL_FIGURES = {"priors": priors}


def validation_figures(report, validation, language="es"):
    """The figures of one version's review.

    Parameters
    ----------
    report : dict        `Model.report`
    validation : dict    of `riskml.training.validate`
    language : "es" or "en"

    Returns
    -------
    dict of name -> matplotlib Figure    of FIGURES, or of a lethal model's report of LETHAL_FIGURES; what the
        documents do not hold is not drawn
    """
    figures = LETHAL_FIGURES if "table" in report else FIGURES
    drawn = {name: draw(report, validation, language) for name, draw in figures.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}
