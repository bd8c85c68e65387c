"""The parts of item 23a: comparison, calibration, utility, agreement, stability, fairness, leakage."""

from riskml.messages import message
from riskml.reporting.blocks import heading, listing, plain_cell, table, text
from riskml.reporting.model_section import comparison_rows
from riskml.reporting.numbers import cell, count, interval_words, number, percent, three, whole_or_tenth
from riskml.validation.subgroups import Minimum

__all__ = ["candidate_cells", "performance"]

_BEST = {"high": "ideal_high", "low": "ideal_low"}
_GROUP_METRICS = ("observed_expected", "calibration_slope")


def _shares(values, review, why=None):
    return cell(values, review.language, shown=percent, digits=0, why=why)


def candidate_cells(row):
    """The cells of a row of the comparison; one that was refused has its reason in place of figures."""
    if row["kind"] == "refused":
        return [plain_cell(row["name"]), plain_cell(row["reason"]) | {"span": len(row["cells"])}]
    return [plain_cell(row["label"]), *row["cells"]]


def _comparison(review):
    t, rows = review.t, review.own("comparison")
    if not rows:
        return [review.absent("comparison")]
    names, shown = comparison_rows(review.report, review.language)
    head = [message("reports.candidate", review.language), *names]
    made = [{"cells": candidate_cells(row), "kind": row["kind"]} for row in shown]
    blocks = [table(t("comparison_table"), head, made, dense=True), text(t("comparison_note"))]
    said = review.words(review.own("selection", "words"))
    simplest = review.own("simplest_not_worse")
    if said:
        blocks.append(text(said))
    if simplest:
        blocks.append(text(t("simplest_words", simplest=review.label_of(simplest))))
    return [*blocks, review.figure("comparison"), *_measures(review), *_unseen(review)]


def _measures(review):
    metrics, best = review.part("performance", "metrics"), review.part("performance", "best") or {}
    if not metrics:
        return [review.absent("performance")]
    t, rows = review.t, []
    for name, found in metrics.items():
        aim = best.get(name) or {}
        ideal = (
            number(aim["target"], 0)
            if aim.get("target") is not None
            else t(_BEST.get(aim.get("best"), "no_date"))
        )
        value = cell(three(found), review.language, why=found.get("not_estimable"))
        rows.append([t(f"metric_{name}"), value, ideal])
    return [table(t("performance_table"), [t("measure"), t("estimate"), t("ideal")], rows)]


def _unseen(review):
    found, own = review.part("unseen"), review.own("unseen_aggressors")
    if found:
        counts, auc = found, three(found["metrics"]["auc"])
        n = found["n"]
    elif own and own.get("auc") is not None:
        counts, auc, n = (
            own | {"people": own["aggressors"]},
            (own["auc"], own["low"], own["high"]),
            own["assessments"],
        )
    else:
        return [review.absent("unseen")]
    words = review.t(
        "unseen_words",
        auc=interval_words(auc, review.language),
        events=count(counts["events"]),
        assessments=count(n),
        people=count(counts["people"]),
    )
    return [text(words)]


def _relationship(review):
    found = review.own("relationship")
    if not found:
        return []
    t, strata = review.t, found.get("strata") or ()
    blocks = [heading(t("part_relationship")), text(review.words(found.get("words")))]
    if strata:
        windows = {w["window"]: review.words(w["label"]) for w in review.own("split", "windows") or ()}
        rows = [
            [
                review.words(row["label"]),
                windows.get(row["window"], row["window"]),
                count(row["assessments"]),
                count(row["aggressors"]),
                count(row["events"]),
            ]
            for row in strata
        ]
        head = [t(name) for name in ("stratum", "window", "assessments", "people", "events")]
        blocks.append(table(t("strata_table"), head, rows))
    return blocks


def _calibration(review):
    t = review.t
    groups = review.part("calibration", "groups") or review.own("calibration_groups") or ()
    rows = [
        [
            percent(row["predicted"], 1),
            f"{count(row['events'])}/{count(row['total'])}",
            _tenths(three({**row, "estimate": row["observed"]}), review),
        ]
        for row in groups
    ]
    head = [t("predicted"), f"{t('events')} / {t('assessments')}", t("observed")]
    blocks = [heading(t("part_calibration")), review.figure("calibration", "calibration")]
    if rows:
        blocks.append(table(t("calibration_table"), head, rows))
    blocks.append(review.figure("calibration_by_group", "calibration", "by_group"))
    note = review.words(review.part("calibration", "by_group", "multiplicity"))
    return [*blocks, *([text(note)] if note else [])]


def _tenths(values, review):
    return cell(values, review.language, shown=percent, digits=1)


def _utility(review):
    t = review.t
    blocks = [
        heading(t("part_utility")),
        review.figure("decision_curve", "utility", "decision_curve"),
        review.figure("capacity", "utility", "capacity"),
    ]
    lists = review.part("utility", "capacity") or ()
    rows = [
        [
            count(row["k"]),
            f"{whole_or_tenth(row.get('found'))}/{count(row.get('events'))}" if row.get("events") else "–",
            _shares((row.get("recall"), row.get("low"), row.get("high")), review),
            _shares(three(row, "precision"), review),
            cell(three(row, "net_benefit"), review.language, digits=4),
        ]
        for row in lists
    ]
    if rows:
        head = [t(name) for name in ("places", "caught", "recall", "precision", "net_benefit")]
        blocks.append(table(t("capacity_table"), head, rows))
    said = review.words(review.part("utility", "words"))
    return [*blocks, *([text(said)] if said else []), *_lead_time(review)]


def _lead_name(figure, review):
    if figure.startswith("at_least_"):
        return review.t("lead_at_least", days=figure.split("_")[2])
    return review.t(f"lead_{figure}")


def _lead_time(review):
    found = review.part("utility", "lead_time")
    if not found:
        return [review.absent("utility", "lead_time")]
    t, rows = review.t, []
    for row in found["rows"]:
        days = row["figure"].endswith("_lead_days")
        shown, digits = (number, 0) if days else (percent, 0)
        value = cell(three(row), review.language, shown=shown, digits=digits, why=row.get("not_estimable"))
        total = row.get("total")
        share = count(row.get("n")) + (f"/{count(total)}" if total is not None else "")
        rows.append([_lead_name(row["figure"], review), share, value])
    head = [t("measure"), "n/N", t("estimate")]
    return [table(t("lead_table"), head, rows), text(review.words(found.get("words")))]


def _agreement(review):
    t, found = review.t, review.part("agreement")
    blocks = [heading(t("part_agreement"))]
    if not found:
        return [*blocks, review.absent("agreement")]
    kappa, same = found["kappa"], found.get("exact")
    shown = _joined(cell(three(kappa), review.language, digits=2, why=kappa.get("not_estimable")))
    share = f"{count(same['n'])}/{count(same['total'])}" if same else t("not_estimable")
    blocks.append(text(t("kappa_words", kappa=shown, same=share)))
    rows = []
    for row in found["kinds"]:
        if row["n"]:
            later = (row.get("event_share"), row.get("event_low"), row.get("event_high"))
            events = f"{count(row['events'])}/{count(row['followed'])}"
            if row["followed"]:
                found_share = _shares(later, review)
                events = found_share | {"value": f"{events} ({found_share['value']})"}
            cases = f"{count(row['n'])}/{count(row['total'])}"
            rows.append([review.words(row["what"]), cases, events, review.words(row["look_at"])])
    head = [t(name) for name in ("kind", "cases", "later_events", "look_at")]
    said = [review.words(found.get(name)) for name in ("words", "clock")]
    return [*blocks, table(t("agreement_table"), head, rows), *(text(words) for words in said if words)]


def _joined(found):
    return f"{found['value']} ({found['interval']})" if found["interval"] else found["value"]


def _stability(review):
    t, found = review.t, review.part("stability")
    blocks = [heading(t("part_stability"))]
    if not found:
        return [*blocks, review.absent("stability")]
    rows = []
    for row in found["summary"]:
        n = f"{count(row['n'])}/{count(row['total'])}" if row.get("total") else ""
        value = cell(three(row), review.language, shown=percent, digits=1)
        rows.append([t(f"stability_{row['figure']}"), n, value])
    title = t("stability_table", refits=count(found["refits"]), cases=count(found["cases"]))
    blocks += [table(title, [t("measure"), "n/N", t("estimate")], rows), text(review.words(found["words"]))]
    said = review.words((found.get("rows") or {}).get("words"))
    blocks += [text(said)] if said else []
    blocks += [
        review.figure("prediction_instability", "stability", "prediction"),
        review.figure("calibration_instability", "stability", "calibration"),
        review.figure("level_flips", "levels"),
    ]
    metrics = found.get("metrics") or ()
    if metrics and not isinstance(metrics, dict):
        made = [
            [t(f"metric_{row['metric']}"), cell(three(row), review.language, why=row.get("not_estimable"))]
            for row in metrics
        ]
        blocks.append(table(t("instability_metrics_table"), [t("measure"), t("estimate")], made))
    return blocks


def _group_rows(review, rows):
    """One row for each group, its metrics side by side; why a group is too small stands below its name."""
    groups = {}
    for row in rows:
        groups.setdefault((row["grouping"], row["group"]), {})[row["metric"]] = row
    made = []
    for found in groups.values():
        first = found.get("false_negative_rate") or next(iter(found.values()))
        name = f"{review.words(first['grouping_name'])}: {review.words(first['group_name'])}"
        why = review.words(first.get("not_estimable")) if first["estimate"] is None else ""
        counts = [count(first[key]) for key in ("n", "people", "events")]
        q = number(first.get("q_value"), 3) or "–"
        difference = (first.get("difference"), first.get("difference_low"), first.get("difference_high"))
        shares = [_shares(three(first), review), _shares(difference, review), q]
        others = [cell(three(found.get(metric)), review.language, digits=2) for metric in _GROUP_METRICS]
        made.append([plain_cell(name, why), *counts, *shares, *others])
    return made


def _fairness(review):
    t, found = review.t, review.part("fairness")
    blocks = [heading(t("part_fairness"))]
    if not found:
        return [*blocks, review.absent("fairness")]
    names = ("group", "assessments", "people", "events", "missed_share", "difference", "q_value")
    head = [t(name) for name in names]
    head += [t("metric_observed_expected"), t("metric_calibration_slope")]
    blocks += [
        review.figure("fairness", "fairness"),
        table(t("fairness_table"), head, _group_rows(review, found["rows"]), dense=True),
        text(t("fairness_minimum", events=Minimum().curve_events)),
        text(review.words(found.get("multiplicity"))),
        listing([review.words(words) for words in found.get("cautions") or ()]),
        *_recording(review, found.get("recording") or ()),
    ]
    return blocks


def _recording(review, rows):
    """The bounds at half of the events recorded, for groups that have them."""
    names = {
        (row["grouping"], row["group"]): f"{review.words(row['grouping_name'])}: "
        f"{review.words(row['group_name'])}"
        for row in review.part("fairness", "rows") or ()
    }
    made, by_group = [], {}
    for row in rows:
        if row.get("recorded") is not None:
            by_group.setdefault((row["grouping"], row["group"]), {})[row["recorded"]] = row
    shares = sorted({share for found in by_group.values() for share in found}, reverse=True)
    for key, found in by_group.items():
        cells = [names.get(key, key[1])]
        for share in shares:
            row = found.get(share) or {}
            known = row.get("lowest") is not None
            cells.append(f"{percent(row['lowest'])} – {percent(row['highest'])}" if known else "–")
        made.append(cells)
    if not made:
        return []
    head = [review.t("group"), *(f"{review.t('recorded_share')} {percent(share)}" for share in shares)]
    return [table(review.t("recording_table"), head, made, dense=True)]


def _leakage(review):
    t, found = review.t, review.part("leakage")
    blocks = [heading(t("part_leakage"))]
    if not found:
        return [*blocks, review.absent("leakage")]
    rows = []
    for check in found["checks"]:
        verdict = message(f"validation.verdict_{check['verdict']}", review.language)
        name = message(f"validation.check_{check['code']}", review.language)
        rows.append({"cells": [name, verdict, review.words(check["words"])], "kind": check["verdict"]})
    said = [review.words(found.get(name)) for name in ("words", "settings_held")]
    return [
        *blocks,
        table(t("part_leakage"), [t("check"), t("verdict"), t("why")], rows),
        *(text(words) for words in said if words),
        review.figure("leakage", "leakage"),
    ]


_SIDES = (
    ("at_reference", "model", "treatment_all"),
    ("at_reference", "at_reference", "treatment_reference"),
    ("without_exposures", "with_exposures", "treatment_with"),
    ("without_exposures", "without_exposures", "treatment_without"),
)


def _treatment(review):
    t, found = review.t, review.part("treatment")
    blocks = [heading(t("part_treatment"))]
    if not found:
        return [*blocks, review.absent("treatment")]
    rows = []
    for where, side, label in _SIDES:
        metrics = review.part("treatment", where, "metrics")
        if not metrics:
            continue
        values = [metrics.get(name) or {} for name in ("auc", "brier", "mean_risk")]
        cells = [cell(three(value.get(side)), review.language) for value in values]
        moved = (
            "–"
            if side in ("model", "with_exposures")
            else number(review.part("treatment", where).get("rank_correlation"), 2)
        )
        rows.append([t(label), *cells, moved or "–"])
    head = [t("part_treatment"), t("metric_auc"), t("metric_brier"), t("treatment_mean_risk")]
    blocks.append(table(t("treatment_table"), [*head, t("treatment_rank")], rows))
    blocks.append(text(review.words(found.get("words"))))
    return [*blocks, review.figure("treatment", "treatment")]


def performance(review):
    """The blocks of item 23a."""
    importance = [heading(review.t("part_importance")), review.figure("importance")]
    return [
        heading(review.t("part_comparison")),
        *_comparison(review),
        *_relationship(review),
        *_calibration(review),
        *_utility(review),
        *_agreement(review),
        *_stability(review),
        *_fairness(review),
        *_leakage(review),
        *_treatment(review),
        *importance,
    ]
