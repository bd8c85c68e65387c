"""A trained model as a section of a report: comparison table, figures, and what to know of them."""

import math

from riskml.messages import message

__all__ = ["SHOWN_METRICS", "comparison_rows", "model_section"]

SHOWN_METRICS = (
    "auc",
    "average_precision",
    "brier",
    "scaled_brier",
    "calibration_intercept",
    "calibration_slope",
    "ici",
    "recall_at_capacity",
)


def _number(value, digits=3):
    return f"{value:.{digits}f}"


def _cell(row, metric, language):
    """One figure with its interval; where it cannot be estimated, so in words."""
    value = row.get(metric)
    if value is None or math.isnan(value):
        return {"value": message("reports.not_estimable", language), "interval": ""}
    low, high = row.get(f"{metric}_low"), row.get(f"{metric}_high")
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return {"value": _number(value), "interval": ""}
    return {"value": _number(value), "interval": f"{_number(low)} – {_number(high)}"}


def _row(row, report, metrics, language):
    label = row["label"][language] if isinstance(row["label"], dict) else row["label"]
    if row.get("refused"):
        cells = [{"value": "–", "interval": ""} for _ in metrics]
        reason = row["refused"][language]
        both = f"{label}. {reason}"
        return {"kind": "refused", "label": both, "name": label, "reason": reason, "cells": cells}
    return {
        "kind": "main" if row["candidate"] == report["chosen"] else "",
        "label": label,
        "cells": [_cell(row, metric, language) for metric in metrics],
    }


def comparison_rows(report, language="es", metrics=SHOWN_METRICS):
    """The one table of all candidates; those that were refused say why and have no figures.

    Parameters
    ----------
    report : dict            `Model.report`
    language : str
    metrics : tuple of str

    Returns
    -------
    (names, rows)    of the metrics in words; of dict with kind ("main", "refused" or ""), label, cells;
        where refused, name and reason make up the label
    """
    names = [message(f"reports.metric_{metric}", language) for metric in metrics]
    return names, [_row(row, report, metrics, language) for row in report["comparison"]]


def _truth_row(truth, metrics, language):
    cells = [{"value": "", "interval": ""} for _ in metrics]
    cells[metrics.index("auc")] = {
        "value": _number(truth["auc"]),
        "interval": f"{_number(truth['low'])} – {_number(truth['high'])}",
    }
    return {"kind": "truth", "label": message("reports.truth_row", language), "cells": cells}


def model_section(model, images, language="es", *, truth=None, metrics=SHOWN_METRICS):
    """What a report shows of one trained model.

    Parameters
    ----------
    model : Model            its `.report` holds what was measured, on assessments that it did not learn from
    images : dict            "calibration" and "importance" -> Markup of the figure
    language : str           "es" or "en"
    truth : dict or None     auc, low, high of the best possible predictor; simulated registries only
    metrics : tuple of str   which figures of the comparison, "auc" among them

    Returns
    -------
    dict    the fields that the templates read
    """
    report = model.report
    names, rows = comparison_rows(report, language, metrics)
    if truth is not None:
        rows.append(_truth_row(truth, metrics, language))
    judged = next(row for row in report["comparison"] if row["candidate"] == report["chosen"])
    window = next(w for w in report["split"]["windows"] if w["window"] == "evaluate")
    return {
        "label": model.card["label"][language],
        "estimand": model.card["estimand"][language],
        "events": f"{judged['events']:,}",
        "assessments": f"{judged['n']:,}",
        "people": f"{judged['groups']:,}",
        "first": window["first"],
        "last": window["last"],
        "capacity": model.card["capacity"],
        "metrics": names,
        "rows": rows,
        "figures": [
            {
                "image": images[name],
                "useful": message(f"reports.{name}_useful", language),
                "read": message(f"reports.{name}_read", language),
                "do": message(f"reports.{name}_do", language),
            }
            for name in ("calibration", "importance")
            if name in images
        ],
        "notes": [note[language] for note in report["notes"]],
    }
