"""Figures of estimates one below the other: groups, candidates, controls, features."""

from matplotlib.patches import Patch

from riskml.messages import message
from riskml.reporting.document import part
from riskml.reporting.drawing import BLUE, GREY, ORANGE, SHADES, canvas, forest, forest_height, plain_text

__all__ = ["calibration_by_group", "comparison", "fairness", "importance", "leakage", "treatment"]

MOST_GROUPS = 36  # as many as a page holds; the table has them all
MOST_FEATURES = 20
STRONGEST = 12


def _words(name, language):
    return message(f"model_review.{name}", language)


def comparison(report, validation, language):
    """All candidates that were judged: AUC and Brier score with intervals."""
    rows = [row for row in report.get("comparison", ()) if row.get("auc") is not None]
    if not rows:
        return None
    size = (7.4, forest_height(len(rows)))
    figure, panels = canvas(_words("figure_comparison", language), size, panels=2)
    for place, (axes, metric) in enumerate(zip(panels, ("auc", "brier"), strict=True)):
        shown = [
            {
                "label": row["label"][language],
                "estimate": row[metric],
                "low": row.get(f"{metric}_low"),
                "high": row.get(f"{metric}_high"),
                "colour": BLUE if row["candidate"] == report["chosen"] else GREY,
            }
            for row in rows
            if row.get(metric) is not None
        ]
        forest(axes, shown, reference=0.5 if metric == "auc" else None, labels=place == 0)
        axes.set_xlabel(_words(f"metric_{metric}", language))
    return figure


def _groups(rows, metric):
    """The metric's groups that have an estimate; of many, those with the most events."""
    known = [row for row in rows if row["metric"] == metric and row["estimate"] is not None]
    largest = sorted(known, key=lambda row: -row["events"])[:MOST_GROUPS]
    return [row for row in known if row in largest]


def _cut(label, longest=58):
    return label if len(label) <= longest else label[: longest - 1] + "…"


def _group_forest(rows, metric, language, *, title, axis, reference, of="n"):
    rows = _groups(rows or (), metric)
    if not rows:
        return None
    figure, (axes,) = canvas(_words(title, language), (7.0, forest_height(len(rows))))
    shown = []
    for row in rows:
        q = row.get("q_value")
        label = f"{row['grouping_name'][language]}: {row['group_name'][language]}"
        shown.append(
            {
                "label": f"{_cut(label)} ({row['events']:,}/{row[of]:,})",
                "estimate": row["estimate"],
                "low": row["low"],
                "high": row["high"],
                "colour": ORANGE if q is not None and q < 0.05 else BLUE,
            }
        )
    forest(axes, shown, reference=reference)
    axes.set_xlabel(_words(axis, language))
    return figure


def calibration_by_group(report, validation, language):
    """Observed by expected events of each group, whose intervals ought to hold 1."""
    rows = part(validation, "calibration", "by_group", "rows")
    return _group_forest(
        rows,
        "observed_expected",
        language,
        title="figure_calibration_by_group",
        axis="axis_observed_expected",
        reference=1.0,
    )


def fairness(report, validation, language):
    """Share of each group's events that the operating point misses, with n."""
    rows = part(validation, "fairness", "rows")
    return _group_forest(
        rows,
        "false_negative_rate",
        language,
        title="figure_fairness",
        axis="axis_missed",
        reference=None,
    )


def _interval_row(label, found, colour=BLUE):
    return {"label": label, **{key: found.get(key) for key in ("estimate", "low", "high")}, "colour": colour}


def _control_rows(checks, language):
    rows, features = [], []
    for check in checks:
        figures, code = check.get("figures") or {}, check["code"]
        name = message(f"validation.check_{code}", language)
        colour = {"pass": BLUE, "concern": GREY, "fail": ORANGE}[check["verdict"]]
        if code == "future_shift":
            for days, found in (figures.get("auc") or {}).items():
                if days != "0":
                    label = message("model_review.control_later", language, days=days)
                    rows.append(_interval_row(label, found, colour))
            if figures.get("past"):
                rows.append(_interval_row(_words("control_past", language), figures["past"], colour))
        elif code == "single_features":
            features = (figures.get("features") or [])[:STRONGEST]
        elif part(figures, "auc"):
            rows.append(_interval_row(name, figures["auc"], colour))
    return rows, features


def leakage(report, validation, language):
    """The controls' AUC, and the strongest features alone."""
    checks = part(validation, "leakage", "checks")
    if not checks:
        return None
    rows, features = _control_rows(checks, language)
    labels = {entry["column"]: entry.get("label", {}).get(language) for entry in report.get("importance", ())}
    for found in features:
        name = labels.get(found["column"]) or found["column"]
        if found["part"] != "value":
            name = f"{name}: {_words('not_known', language)}"
        low, high = found["low"], found["high"]
        if found["auc"] < 0.5 and low is not None:  # a reverse ranking is as strong
            low, high = 1 - high, 1 - low
        rows.append(
            {"label": name, "estimate": found["strength"], "low": low, "high": high, "colour": "black"}
        )
    rows = [row for row in rows if row["estimate"] is not None]
    if not rows:
        return None
    figure, (axes,) = canvas(_words("figure_leakage", language), (7.0, forest_height(len(rows))))
    forest(axes, rows, reference=0.5)
    axes.axvline(0.8, color=ORANGE, linewidth=1, linestyle=":")
    axes.set_xlabel(_words("metric_auc", language))
    return figure


def importance(report, validation, language):
    """The features that weigh most, in their dimension's colour, with each dimension's share."""
    entries = [entry for entry in report.get("importance", ()) if entry["mean_abs_shap"]]
    if not entries:
        return None
    total = sum(entry["mean_abs_shap"] for entry in entries)
    shares = {}
    for entry in entries:
        dimension = entry.get("dimension") or "other"
        shares[dimension] = shares.get(dimension, 0.0) + entry["mean_abs_shap"] / total
    shown = entries[:MOST_FEATURES][::-1]
    figure, (axes,) = canvas(_words("figure_importance", language), (7.4, forest_height(len(shown))))
    for position, entry in enumerate(shown):
        colour = SHADES.get(entry.get("dimension"), BLUE)
        axes.barh(position, entry["mean_abs_shap"], color=colour)
    labels = [entry.get("label", {}).get(language, entry["column"]) for entry in shown]
    axes.set_yticks(range(len(shown)), [plain_text(label) for label in labels], fontsize=8)
    patches = []
    for dimension, share in sorted(shares.items(), key=lambda item: -item[1]):
        name = _words(f"dimension_{dimension}", language)
        patches.append(Patch(color=SHADES.get(dimension, BLUE), label=f"{name}: {100 * share:.0f} %"))
    axes.set_ylim(-0.7, len(shown) - 0.3)
    axes.legend(handles=patches, fontsize=8, frameon=False, loc="lower right")
    axes.set_xlabel(_words("axis_shap", language))
    return figure


_SIDES = (
    ("at_reference", "model", "treatment_all", BLUE),
    ("at_reference", "at_reference", "treatment_reference", GREY),
    ("without_exposures", "with_exposures", "treatment_with", BLUE),
    ("without_exposures", "without_exposures", "treatment_without", GREY),
)


def treatment(report, validation, language):
    """AUC as it is and with responses at their reference; the recipe learnt with and without them."""
    rows = []
    for where, side, label, colour in _SIDES:
        found = part(validation, "treatment", where, "metrics", "auc", side)
        if found and found.get("estimate") is not None:
            rows.append(_interval_row(_words(label, language), found, colour))
    if not rows:
        return None
    figure, (axes,) = canvas(_words("figure_treatment", language), (7.0, forest_height(len(rows))))
    forest(axes, rows)
    axes.set_xlabel(_words("metric_auc", language))
    return figure
