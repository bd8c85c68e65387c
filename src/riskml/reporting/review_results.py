"""TRIPOD+AI's items on results (20 to 24), filled from a training report and a validation document."""

from math import expm1

from riskml.messages import message
from riskml.reporting.blocks import missing, plain_cell, table, text
from riskml.reporting.numbers import cell, count, number, percent, three
from riskml.reporting.review_performance import performance

__all__ = ["RESULTS"]

_COEFFICIENTS = 30
_ORIGIN_METRICS = ("auc", "calibration_slope", "observed_expected")


def _flow(review):
    t, split = review.t, review.own("split")
    if not split:
        return [missing(t("not_in_document"))]
    counts, rows = split.get("cohort") or {}, []
    for name, key in (("all", "assessments"), ("censored", "censored"), ("followed", "followed_up")):
        if counts.get(key) is not None:
            rows.append([t(f"flow_{name}"), count(counts[key])])
    used = sum(window["assessments"] for window in split["windows"])
    if counts.get("followed_up") is not None:
        rows.append([t("flow_gaps"), count(counts["followed_up"] - used)])
    for window in split["windows"]:
        rows.append([t("flow_window", name=review.words(window["label"])), count(window["assessments"])])
    return [table(t("flow_table"), [t("flow_step"), t("assessments")], rows)]


def _groups(review):
    t, rows = review.t, review.part("fairness", "rows")
    if not rows:
        return [review.absent("fairness")]
    seen = {}
    for row in rows:
        seen.setdefault((row["grouping"], row["group"]), row)
    made = [
        [
            f"{review.words(row['grouping_name'])}: {review.words(row['group_name'])}",
            count(row["n"]),
            count(row["people"]),
            count(row["events"]),
            count(row["people_with_event"]),
            percent(row["events"] / row["n"], 1) if row["n"] else "",
        ]
        for row in seen.values()
    ]
    head = [t(name) for name in ("group", "assessments", "people", "events", "with_event", "share")]
    return [table(t("groups_table"), head, made, dense=True)]


def _compared(review):
    t, windows = review.t, review.own("split", "windows")
    if not windows:
        return [missing(t("not_in_document"))]
    rows = [
        [
            review.words(window["label"]),
            f"{count(window['events'])}/{count(window['assessments'])}",
            cell((window["share"], window["low"], window["high"]), review.language, shown=percent, digits=1),
        ]
        for window in windows
    ]
    head = [t("window"), f"{t('events')} / {t('assessments')}", t("share")]
    return [table(t("event_share_table"), head, rows), text(t("event_share_words"))]


def _numbers(review):
    """What each analysis rests on: assessments, people and events."""
    t, rows = review.t, []
    for window in review.own("split", "windows") or ():
        name = t("flow_window", name=review.words(window["label"]))
        rows.append([name, *(count(window[key]) for key in ("assessments", "aggressors", "events"))])
    unseen = review.part("unseen")
    if unseen:
        rows.append(
            [t("analysis_unseen"), count(unseen["n"]), count(unseen["people"]), count(unseen["events"])]
        )
    rows += _origin_numbers(review)
    stability, lead = review.part("stability"), review.part("utility", "lead_time")
    if stability:
        rows.append([t("analysis_stability", refits=count(stability["refits"])), count(stability["cases"])])
    if lead:
        rows.append([t("analysis_lead_time"), "–", count(lead["people"]), count(lead["events"])])
    if not rows:
        return [missing(t("not_in_document"))]
    rows = [[*row, *["–"] * (4 - len(row))] for row in rows]
    head = [t(name) for name in ("analysis", "assessments", "people", "events")]
    return [table(t("analyses_table"), head, rows)]


def _origin_numbers(review):
    origins = [row for row in review.part("backtest", "origins") or () if row["window"] == "evaluate"]
    return [
        [
            review.t("analysis_origin", date=row["origin"][:10]),
            *(count(row[key]) for key in ("assessments", "people", "events")),
        ]
        for row in origins
    ]


def _full_model(review):
    t, model = review.t, review.model
    calibrator = review.t(f"calibrator_{model.calibrator.kind}") if hasattr(model, "calibrator") else "–"
    kind = review.label_of(review.report.get("chosen")) if review.report.get("chosen") else model.name
    files = [[name, plain_cell(digest)] for name, digest in model.digests.items()]
    return [
        text(t("full_model_words", kind=kind, calibrator=calibrator)),
        table(t("files_table"), [t("file"), "sha256"], files),
        *_coefficients(review),
    ]


def _coefficients(review):
    """The largest coefficients of a regression; nothing for other learners."""
    learner = getattr(review.model, "learner", None)
    if getattr(learner, "kind", "") != "linear" or learner.preparation is None:
        return []
    labels = [_design_label(review, column) for column in review.model.encoding.columns]
    names = list(zip(labels, review.model.encoding.names, strict=True))
    unknown, prepared = review.t("not_known"), learner.preparation
    names += [(f"{names[i][0]}: {unknown}", names[i][1]) for i in prepared.indicators]
    for i, knot in zip(prepared.bent, prepared.knots, strict=True):
        at = expm1(knot) if prepared.logarithm[i] else knot
        names.append((review.t("bend_from", label=names[i][0], at=f"{at:.3g}"), names[i][1]))
    pairs = [(n, float(c)) for n, c in zip(names, learner.coefficients, strict=True) if c]
    largest = sorted(pairs, key=lambda pair: -abs(pair[1]))[:_COEFFICIENTS]
    rows = [[plain_cell(label, code), number(value, 3)] for (label, code), value in largest]
    title = review.t("coefficients_table", count=len(rows))
    return [table(title, [review.t("feature"), review.t("coefficient")], rows)] if rows else []


def _design_label(review, column):
    """A column of the design in the catalogue's words, with the category that it indicates."""
    if review.model.catalogue is None:
        return column.name
    label = review.model.catalogue.column(column.source).label(review.language)
    return label if column.rule in ("number", "rank") else f"{label}: {column.value or column.rule}"


def _backtest(review):
    candidates = review.part("backtest", "candidates")
    if not candidates:
        return [review.absent("backtest")]
    chosen = review.report.get("chosen")
    blocks = [review.figure("backtest", "backtest")]
    summarised = {n: f for n, f in candidates.items() if f.get("overall")}
    own = chosen if chosen in summarised else next(iter(summarised), None)
    if own is not None:
        blocks += [_by_origin(review, summarised[own]), _overall(review, summarised)]
    said = [review.words(review.part("backtest", "words"))]
    said += [review.words(summarised[own].get("words"))] if own is not None else []
    return [*blocks, *(text(words) for words in said if words)]


def _by_origin(review, found):
    t, origins = review.t, {}
    for row in found["by_origin"]:
        origins.setdefault(row["origin"], {})[row["metric"]] = row
    rows = []
    for origin, metrics in origins.items():
        first = next(iter(metrics.values()))
        day = origin[:10].replace("-", "\N{NON-BREAKING HYPHEN}")
        cells = [day, f"{count(first['events'])}/{count(first['n'])}", count(first["people"])]
        for name in _ORIGIN_METRICS:
            row = metrics.get(name) or {}
            cells.append(cell(three(row), review.language, digits=2, why=row.get("not_estimable")))
        rows.append(cells)
    head = [t("origin"), f"{t('events')} / {t('assessments')}", t("people")]
    head += [t(f"metric_{name}") for name in _ORIGIN_METRICS]
    return table(t("backtest_table"), head, rows)


def _overall(review, summarised):
    t, rows = review.t, []
    for name, found in summarised.items():
        row = next((row for row in found["overall"] if row["metric"] == "auc"), None)
        if row is None:
            continue
        label = review.words(found.get("label")) or review.label_of(name)
        why = row.get("not_estimable")
        mean = cell((row["mean"], row["low"], row["high"]), review.language, digits=2, why=why)
        change = (row["change"], row["change_low"], row["change_high"])
        expected = "–"
        if row.get("expected_low") is not None:
            low, high = max(row["expected_low"], 0.0), min(row["expected_high"], 1.0)
            expected = f"{number(low, 2)} – {number(high, 2)}"
        cells = [label, mean, expected, cell(change, review.language, digits=2)]
        rows.append({"cells": cells, "kind": "main" if name == review.report.get("chosen") else ""})
    candidate = message("reports.candidate", review.language)
    head = [candidate, f"AUC: {t('mean')}", t("expected_range"), t("change")]
    return table(t("overall_table"), head, rows)


def _recalibration(review):
    t, found = review.t, review.part("recalibration")
    if not found:
        return [review.absent("recalibration")]
    blocks = [text(review.words(found.get("words")) or t(f"recalibration_{found['advised']}"))]
    document = review.part("recalibration", "recalibration")
    if document is None:
        return (
            blocks
            if found["advised"] == "none"
            else [
                *blocks,
                review.absent("recalibration", "recalibration"),
            ]
        )
    rows = [
        [
            _metric_name(review, name),
            cell(three(document["before"][name]), review.language),
            cell(three(document["after"].get(name)), review.language),
        ]
        for name in document["before"]
    ]
    blocks.append(table(t("recalibration_table"), [t("measure"), t("before"), t("after")], rows))
    brings = review.words(found.get("brings"))
    return [*blocks, *([text(brings)] if brings else [])]


def _metric_name(review, name):
    try:
        return review.t(f"metric_{name}")
    except KeyError:
        return name


RESULTS = {
    "20a": _flow,
    "20b": _groups,
    "20c": _compared,
    "21": _numbers,
    "22": _full_model,
    "23a": performance,
    "23b": _backtest,
    "24": _recalibration,
}
