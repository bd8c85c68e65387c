"""The results as readable tables."""

__all__ = ["METRICS", "readable", "value_of"]

METRICS = (
    ("auc", "AUC", 3),
    ("average_precision", "avg.prec.", 3),
    ("brier", "Brier", 4),
    ("scaled_brier", "scaled", 4),
    ("calibration_intercept", "intercept", 2),
    ("calibration_slope", "slope", 2),
    ("ici", "ICI", 4),
    ("recall_at_capacity", "recall@40", 3),
)
NONE = "not estimable"


def value_of(row, metric, digits):
    """An estimate with its interval, as text."""
    estimate, low, high = (row.get(metric + end) for end in ("", "_low", "_high"))
    if estimate is None:
        return NONE
    interval = f" ({low:.{digits}f} to {high:.{digits}f})" if low is not None and high is not None else ""
    return f"{estimate:.{digits}f}{interval}"


def _rows(header, rows):
    widths = [max(len(line[i]) for line in (header, *rows)) for i in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (header, *rows)
    ]


def _table(candidates):
    header = ("candidate", *(label for _, label, _ in METRICS))
    return _rows(
        header, [(name, *(value_of(row, m, d) for m, _, d in METRICS)) for name, row in candidates.items()]
    )


def _against(results):
    lines = []
    for name, metrics in results["lightgbm_against"].items():
        parts = []
        for metric, digits in (("auc", 3), ("brier", 5)):
            found = metrics[metric]
            if "not_estimable" in found:
                parts.append(f"{metric} {NONE}")
                continue
            verdict = ", WORSE" if found["worse_by_more_than_the_interval"] else ""
            parts.append(
                f"{metric} {found['difference']:+.{digits}f} "
                f"({found['low']:+.{digits}f} to {found['high']:+.{digits}f}){verdict}"
            )
        lines.append(f"  LightGBM minus {name}: {'; '.join(parts)}")
    return lines


def _judged(title, results):
    if "not_estimable" in results:
        return [f"{title}: {NONE}. {results['not_estimable']}", ""]
    return [
        f"{title}: {results['events']}/{results['n']} people with the event",
        *_table(results["candidates"]),
        *_against(results),
        f"  LightGBM's calibration: {results['calibration']}",
        "",
    ]


def _own(results):
    if "not_estimable" in results:
        return [f"The model file's own split: {NONE}. {results['not_estimable']}", ""]
    last = results["windows"][-1]
    return [
        f"The model file's own split, judged on {last['events']}/{last['assessments']} people",
        *_table({row["candidate"]: row for row in results["comparison"]}),
        *(f"  note: {note}" for note in results["notes"]),
        "",
    ]


def _audits(audits):
    lines = ["LightGBM in groups (for audits only)"]
    rows = []
    for by, groups in audits.items():
        for group in groups:
            count = f"{group['events']}/{group['n']}"
            if "not_estimable" in group:
                rows.append((by, group["group"], count, NONE, NONE))
            else:
                rows.append(
                    (
                        by,
                        group["group"],
                        count,
                        value_of(group, "auc", 2),
                        value_of(group, "observed_expected", 2),
                    )
                )
    return [*lines, *_rows(("by", "group", "events", "AUC", "observed/expected"), rows), ""]


def _question(name, results):
    if "cohort" not in results:
        return [f"## {name}", f"{NONE}: {results['not_estimable']}", ""]
    cohort, edges = results["cohort"], results["edges"]
    lines = [
        f"## {name}: {results['label']}",
        f"index date {cohort['index_date']}, followed until {cohort['followed_until']}: {cohort['events']}/"
        f"{cohort['people']} people with the event, {cohort['share']:.1%} ({cohort['share_low']:.1%} to "
        f"{cohort['share_high']:.1%}); before any event: {cohort['exits_before_an_event'] or 'no exits'}",
        f"people filed against then for an earlier offence alone or too, which is no event: "
        f"{edges['filed_later_for_an_earlier_offence']}; with an offence then that was filed after coverage: "
        f"{edges['offence_within_filed_after_coverage']}; days without misdemeanours, at most: "
        f"{edges['uncovered_misdemeanour_days']}",
        "",
    ]
    if "not_estimable" in results:
        return [*lines, f"{NONE}: {results['not_estimable']}", ""]
    judged = results["cross_fitted"]
    lines += _judged(
        f"Judged in {judged.get('folds', '')} folds of people, drawn {judged.get('repeats', '')} times",
        judged,
    )
    if "optimism" in judged:
        o = judged["optimism"]
        lines += [
            f"  optimism of LightGBM's AUC: {o['optimism']:.3f} "
            f"({o['apparent_auc']:.3f} on the people learnt from, {o['judged_auc']:.3f} on others)",
            "",
        ]
    if "held_out" in results:
        lines += _judged("Learnt from the other folder, judged on this one's people", results["held_out"])
    lines += _own(results["own_split"])
    if "seven_years_later" in results:
        lines += _judged(
            "Seven years later, people first filed against in 2022", results["seven_years_later"]
        )
    return lines + (_audits(judged["audits"]) if "audits" in judged else [])


def readable(results):
    """The results of a run as text."""
    records, lines = results["records"], ["# Wisconsin court records", ""]
    lines += [f"- {limit}" for limit in results["limits"]]
    lines += [
        "",
        f"{records['people']} people, {records['court_files']} court files, {records['charges']} charges, "
        f"{records['docket_events']} docket events",
        "",
        "Faults of the records:",
        *(f"  {count:6d} {what}" for what, count in results["faults"].items()),
        "",
        f"The registry as of {results['coverage']['end']}: "
        + ", ".join(f"{count} {table}" for table, count in results["registry"]["rows"].items() if count),
        "Court files by quarter of filing:",
    ]
    filings = results["coverage"]["filings"]
    kinds = [kind for kind in filings[0] if kind != "quarter"] if filings else []
    lines += _rows(
        ("quarter", *kinds), [(row["quarter"], *(str(row[kind]) for kind in kinds)) for row in filings]
    )
    lines.append("")
    for name, question in results["questions"].items():
        lines += _question(name, question)
    versions = ", ".join(f"{name} {version}" for name, version in results["libraries"].items())
    lines += [
        f"seed {results['seed']}, {results['catalogue']['columns']} columns; {versions}",
        f"{results['seconds']} s",
    ]
    return "\n".join(lines)
