"""TRIPOD+AI's items on methods (5 to 17), filled from a model's card and report."""

from riskml.messages import message
from riskml.reporting.blocks import facts, fill, heading, listing, missing, plain_cell, table, text
from riskml.reporting.numbers import cell, count, interval_words, number, percent, three

__all__ = ["METHODS"]

_WIDEST = 12  # settings of one candidate that are printed


def _sources(review):
    t, history = review.t, review.card.get("history") or {}
    if not history.get("hash"):
        return [text(t("sources_frame")), fill(t("fill_represent"))]
    kind = t("is_synthetic") if history.get("synthetic") else t("is_real")
    pairs = [
        (t("synthetic_label"), kind),
        (t("history"), history["hash"]),
        (t("catalogue"), review.card.get("catalogue")),
    ]
    return [text(t("sources_words")), facts(pairs), text(t("hash_words")), fill(t("fill_represent"))]


def windows_table(review):
    """The windows with sizes and exits: a table, or None."""
    windows = review.own("split", "windows")
    if not windows:
        return None
    t, rows = review.t, []
    for window in windows:
        exits = window.get("exits") or {}
        rows.append(
            [
                review.words(window["label"]),
                t("from_to", first=window["first"], last=window["last"]),
                count(window["assessments"]),
                count(window["aggressors"]),
                count(window["events"]),
                " / ".join(count(exits.get(kind, 0)) for kind in ("custody", "death", "closed")),
            ]
        )
    head = [t(name) for name in ("window", "dates", "assessments", "people", "events", "exits")]
    return table(t("windows_table"), head, rows)


def _dates(review):
    windows, gap = review.own("split", "windows") or (), (review.own("split") or {}).get("gap_days")
    if not windows:
        return [fill(review.t("item_5b"))]
    pairs = [
        (review.words(w["label"]), review.t("from_to", first=w["first"], last=w["last"])) for w in windows
    ]
    blocks = [facts(pairs)]
    return [*blocks, text(review.t("dates_gap", days=f"{gap:g}"))] if gap is not None else blocks


def _setting(review):
    return [fill(review.t("fill_setting"))]


def _eligibility(review):
    t, cohort = review.t, review.own("model", "cohort") or {}
    said = [t("cohort_every", every=cohort["every"])] if cohort.get("every") else []
    said += [t("cohort_contacts")] if cohort.get("at_contacts") else []
    counts = review.own("split", "cohort")
    if counts and "followed_up" in counts:
        shown = {
            name: count(counts[key])
            for name, key in (
                ("assessments", "assessments"),
                ("followed", "followed_up"),
                ("censored", "censored"),
            )
        }
        said.append(t("cohort_counts", **shown))
    exclusions = review.words(review.card.get("exclusions"))
    return [listing([*said, exclusions, t("exits_words")])]


def _treatments(review):
    t, listed = review.t, [e for e in review.own("importance") or () if e.get("exposure")]
    labels = [review.words(e.get("label")) or e["column"] for e in listed]
    blocks = [text(t("treatment_words"))]
    if not labels:
        return [*blocks, text(t("treatment_none"))]
    shown = "; ".join(labels[:_WIDEST]) + (f"; … ({len(labels)})" if len(labels) > _WIDEST else "")
    return [*blocks, text(t("treatment_exposures", listed=shown))]


def _preparation(review):
    constant = review.own("constant_columns") or ()
    blocks = [text(review.t("preparation_words"))]
    if constant:
        blocks.append(text(review.t("constant_columns", count=len(constant))))
    return [*blocks, fill(review.t("fill_quality"))]


def _outcome(review):
    t, outcome = review.t, review.card.get("outcome") or {}
    if not outcome.get("horizon"):
        return [fill(t("item_8a"))]
    events = outcome.get("event") or ()
    events = (events,) if isinstance(events, str) else events
    exits = ", ".join(t(f"exit_{kind}") for kind in outcome.get("competing_exits") or ())
    pairs = [
        (t("estimand"), review.words(review.card.get("estimand"))),
        (t("outcome_event"), ", ".join(_known(t, f"event_{event}", event) for event in events)),
        (t("outcome_horizon"), outcome["horizon"]),
        (t("outcome_lag"), outcome.get("reporting_lag")),
        (t("outcome_same"), outcome.get("same_event_within")),
        (t("outcome_exits"), exits),
        (t("outcome_over"), _known(t, f"over_{outcome.get('over')}", outcome.get("over"))),
        (t("outcome_severity"), outcome.get("minimum_severity")),
    ]
    return [facts(pairs), text(t("outcome_strict"))]


def _known(t, name, otherwise):
    try:
        return t(name)
    except KeyError:
        return otherwise


def _assessors(review):
    return [text(review.t("assessor_words")), fill(review.t("fill_assessor"))]


def _blinding(review):
    return [text(review.t("blinding_words")), fill(review.t("fill_blinding"))]


def _predictors(review):
    t, columns = review.t, len(review.model.columns)
    if review.model.catalogue is None:
        return [text(t("predictors_counts_frame", columns=columns))]
    read, per = set(review.model.columns), {}
    for column in review.model.catalogue.columns:
        if column.name in read:
            per[column.dimension] = per.get(column.dimension, 0) + 1
    dimensions = "; ".join(f"{_known(t, f'dimension_{name}', name)}: {n}" for name, n in per.items())
    chosen = review.own("model", "features") or {}
    patterns = {key: ", ".join(chosen.get(key) or ()) or t("none") for key in ("include", "exclude")}
    return [
        text(t("predictors_counts", columns=columns, dimensions=dimensions, **patterns)),
        text(t("audit_only_words")),
    ]


def _timing(review):
    return [text(review.t("timing_words"))]


def _coders(review):
    return [fill(review.t("fill_coders"))]


def _size(review):
    t, blocks = review.t, [text(review.t("size_words"))]
    judged = review.part("sample_size") or review.own("sample_size", "evaluation")
    parts = (("size_development", review.own("sample_size", "development")), ("size_evaluation", judged))
    for name, found in parts:
        if not found:
            continue
        details = found.get("details") or {}
        blocks += [
            heading(t(name)),
            text(review.words(found.get("words"))),
            listing(details.get(review.language, ())),
        ]
    if len(blocks) == 1:
        blocks.append(missing(t("not_in_document")))
    refused = review.own("sample_size", "refused") or ()
    if refused:
        blocks.append(text(t("size_refused", names=", ".join(review.label_of(n) for n in refused))))
    return blocks


def _missing_data(review):
    return [text(review.t("missing_words"))]


def _partition(review):
    split = review.own("split")
    if not split:
        return [missing(review.t("not_in_document"))]
    prospective = split.get("prospective")
    blocks = [text(review.t("split_time" if prospective else "split_person")), windows_table(review)]
    if split.get("refitted_on"):
        blocks.append(text(review.t("refitted_words", rows=count(split["refitted_on"]))))
    return [block for block in blocks if block]


def _handling(review):
    return [text(review.t("handling_words"))]


def _settings_words(settings):
    shown = {k: v for k, v in settings.items() if k not in ("log_loss", "chosen", "label")}
    flat = {}
    for key, value in shown.items():
        flat |= value if isinstance(value, dict) else {key: value}
    return ", ".join(
        f"{k} = {number(v, 4).rstrip('0').rstrip('.') if isinstance(v, float) else v}"
        for k, v in list(flat.items())[:_WIDEST]
    )


def _tuning_lines(review):
    lines = []
    for name, tried in (review.own("tuning") or {}).items():
        kept = [row for row in tried if row.get("chosen")]
        settings = "; ".join(_settings_words(row) for row in kept)
        if settings:
            label = review.label_of(name)
            lines.append(review.t("tuning_line", label=label, tried=len(tried), settings=settings))
    chosen = review.report.get("chosen")
    table_of = (review.own("calibrators") or {}).get(chosen) or ()
    for row in table_of:
        if row.get("chosen"):
            kind = _known(review.t, f"calibrator_{row['kind']}", row["kind"])
            label = review.label_of(chosen)
            lines.append(review.t("calibrator_line", label=label, kind=kind, tried=len(table_of)))
    return lines


def selection_table(review):
    """The scores of the choice, each beside the best: a table, or None."""
    scores = review.own("selection", "scores")
    if not scores:
        return None
    t, rows = review.t, []
    for row in scores:
        value = (row.get("log_loss"), row.get("low"), row.get("high"))
        worse = (row.get("worse_by"), row.get("worse_low"), row.get("worse_high"))
        cells = [plain_cell(review.label_of(row["candidate"]))]
        cells += [cell(value, review.language, digits=4), cell(worse, review.language, digits=4)]
        kind = "main" if row["candidate"] == review.report.get("chosen") else ""
        rows.append({"cells": cells, "kind": kind})
    head = [message("reports.candidate", review.language), t("metric_log_loss"), t("worse_by")]
    return table(t("selection_table"), head, rows)


def _building(review):
    t, rows = review.t, review.own("comparison") or ()
    if not rows:
        return [missing(t("not_in_document"))]
    blocks = [text(t("candidates_words", names="; ".join(review.words(r["label"]) for r in rows)))]
    blocks += [heading(t("selection_title")), text(review.words(review.own("selection", "words")))]
    if review.own("selection"):
        blocks.append(text(t("selection_window")))
    blocks.append(text(t("chosen_words", chosen=review.label_of(review.report.get("chosen")))))
    blocks += [selection_table(review), listing(_tuning_lines(review))]
    return [b for b in blocks if b and b.get("text", True) and b.get("items", True)]


def _heterogeneity(review):
    return [text(review.t("heterogeneity_words"))]


def _measures(review):
    return [text(review.t("measures_words"))]


def _updating(review):
    return [text(review.t("updating_words"))]


def _computing(review):
    return [text(review.t("computing_words"))]


def _imbalance(review):
    window = review.window()
    share = (window["share"], window["low"], window["high"]) if window else (None,) * 3
    shown = interval_words(share, review.language, shown=percent, digits=1)
    return [text(review.t("imbalance_words", share=shown))]


def _fairness(review):
    t, blocks = review.t, [text(review.t("fairness_words"))]
    said = review.words(review.part("fairness", "operating_point", "words"))
    if said:
        blocks.append(text(said))
    elif review.card.get("capacity"):
        blocks.append(text(t("operating_point", capacity=review.card["capacity"])))
    return blocks


def _output(review):
    return [text(review.t("output_words")), *_levels(review)]


def _levels(review):
    t, rows = review.t, review.part("levels", "rows")
    if not rows:
        return [review.absent("levels")]
    made, as_percent = [], {"shown": percent, "digits": 0}
    for row in rows:
        why = row.get("not_estimable") or {}
        made.append(
            [
                review.words(row["label"]),
                number(row["threshold"], 3) or "–",
                number(row["visits_per_week"], 1),
                count(row["busiest_week"]),
                f"{count(row['caught'])}/{count(row['events'])}",
                count(row["missed"]),
                cell(three(row, "recall"), review.language, **as_percent, why=why.get("recall")),
                cell(three(row, "precision"), review.language, **as_percent, why=why.get("precision")),
                number(row["visits_per_event"], 1) or "–",
            ]
        )
    names = ("level", "threshold", "visits_week", "busiest_week", "caught", "missed")
    head = [t(name) for name in (*names, "recall", "precision", "visits_event")]
    return [
        table(t("levels_table"), head, made, dense=True),
        text(review.words(review.part("levels", "words"))),
    ]


def _differences(review):
    return [text(review.t("differences_words"))]


def _ethics(review):
    return [text(review.t("ethics_words")), fill(review.t("fill_ethics"))]


METHODS = {
    "5a": _sources,
    "5b": _dates,
    "6a": _setting,
    "6b": _eligibility,
    "6c": _treatments,
    "7": _preparation,
    "8a": _outcome,
    "8b": _assessors,
    "8c": _blinding,
    "9a": _predictors,
    "9b": _timing,
    "9c": _coders,
    "10": _size,
    "11": _missing_data,
    "12a": _partition,
    "12b": _handling,
    "12c": _building,
    "12d": _heterogeneity,
    "12e": _measures,
    "12f": _updating,
    "12g": _computing,
    "13": _imbalance,
    "14": _fairness,
    "15": _output,
    "16": _differences,
    "17": _ethics,
}
