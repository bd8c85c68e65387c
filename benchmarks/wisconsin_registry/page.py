"""The figures of docs/evaluation.md: written by the run that measured them, never by hand."""

from wisconsin_registry.printing import METRICS, value_of

__all__ = ["figures"]

NAMES = {
    "base_rate": "base rate",
    "incidents": "incidents in 90 days",
    "days_since": "days since the last incident",
    "elastic_net": "elastic-net logistic regression",
    "lightgbm": "LightGBM",
}


def _table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _candidates(candidates):
    header = ["candidate", *(label for _, label, _ in METRICS)]
    rows = [[NAMES.get(name, name), *_figures(row)] for name, row in candidates.items()]
    return _table(header, rows)


def _figures(row):
    if row.get("refused"):
        return ["refused: too few people for so many columns", *[""] * (len(METRICS) - 1)]
    return [value_of(row, metric, digits) for metric, _, digits in METRICS]


def _against(found):
    rows = []
    for name, metrics in found.items():
        cells = [NAMES.get(name, name)]
        for metric, digits in (("auc", 3), ("brier", 5)):
            d = metrics[metric]
            if "not_estimable" in d:
                cells += ["not estimable", ""]
                continue
            cells.append(f"{d['difference']:+.{digits}f} ({d['low']:+.{digits}f} to {d['high']:+.{digits}f})")
            cells.append("yes" if d["worse_by_more_than_the_interval"] else "no")
        rows.append(cells)
    return _table(["LightGBM against", "AUC", "worse?", "Brier score", "worse?"], rows)


def _cohorts(questions):
    rows = []
    for name, found in questions.items():
        if "cohort" not in found:
            rows.append([name, "not estimable", *[""] * 6])
            continue
        cohort, edges = found["cohort"], found["edges"]
        rows.append(
            [
                f"`{name}`",
                cohort["index_date"],
                cohort["followed_until"],
                str(cohort["people"]),
                str(cohort["events"]),
                f"{cohort['share']:.1%} ({cohort['share_low']:.1%} to {cohort['share_high']:.1%})",
                str(edges["filed_later_for_an_earlier_offence"]),
                str(edges["offence_within_filed_after_coverage"]),
                str(edges["uncovered_misdemeanour_days"]),
            ]
        )
    header = ["question", "index date", "followed until", "people", "with the event", "share"]
    return _table(
        [*header, "filed then for an earlier offence", "filed after coverage", "days without misdemeanours"],
        rows,
    )


def _filings(coverage):
    kinds = ("felony_domestic", "felony_other", "misdemeanour_domestic", "misdemeanour_other")
    rows = [[row["quarter"], *(str(row.get(kind, 0)) for kind in kinds)] for row in coverage["filings"]]
    header = [
        "quarter",
        "felonies, domestic",
        "felonies, other",
        "misdemeanours, domestic",
        "misdemeanours, other",
    ]
    return _table(header, rows)


def _judged(title, found):
    if "not_estimable" in found:
        return [f"{title}: not estimable. {found['not_estimable']}", ""]
    return [
        f"{title} ({found['events']}/{found['n']} people with the event):",
        "",
        *_candidates(found["candidates"]),
        *_against(found["lightgbm_against"]),
        f"Calibration of LightGBM: {found['calibration']}.",
        "",
    ]


def _audits(audits):
    rows = []
    for by, groups in audits.items():
        for group in groups:
            cells = [by, group["group"], f"{group['events']}/{group['n']}"]
            if "not_estimable" in group:
                cells += ["not estimable", "not estimable"]
            else:
                cells += [value_of(group, "auc", 2), value_of(group, "observed_expected", 2)]
            rows.append(cells)
    return [
        "LightGBM in groups, in the folds:",
        "",
        *_table(["by", "group", "events", "AUC", "observed/expected"], rows),
    ]


def _question(name, found):
    lines = [f"### {found.get('label', name)} (`{name}`)", ""]
    if "not_estimable" in found:
        return [*lines, f"Not estimable: {found['not_estimable']}", ""]
    folds = found["cross_fitted"]
    lines += _judged(
        f"In {folds.get('folds', '')} folds, drawn {folds.get('repeats', '')} times, each judged by "
        "candidates learnt on other people",
        folds,
    )
    if "optimism" in folds:
        optimism = folds["optimism"]
        lines += [
            f"Optimism: LightGBM's AUC is {optimism['apparent_auc']:.3f} on the people it learnt from and "
            f"{optimism['judged_auc']:.3f} on others, {optimism['optimism']:.3f} less (means of the folds).",
            "",
        ]
    own = found["own_split"]
    if "not_estimable" in own:
        lines += [f"The model file's own split: not estimable. {own['not_estimable']}", ""]
    else:
        last = own["windows"][-1]
        lines += [
            "The model file's own split, judged on its evaluate window "
            f"({last['events']}/{last['assessments']} people with the event):",
            "",
            *_candidates({row["candidate"]: row for row in own["comparison"]}),
        ]
    if "seven_years_later" in found:
        lines += _judged("Seven years later, people first filed against in 2022", found["seven_years_later"])
    return lines + (_audits(folds["audits"]) if "audits" in folds else [])


def figures(results):
    """The figures of a run as Markdown, without what changes from run to run."""
    records = results["records"]
    versions = ", ".join(f"{name} {version}" for name, version in results["libraries"].items())
    lines = [
        f"Seed {results['seed']}; catalogue {results['catalogue']['hash'][:12]} with "
        f"{results['catalogue']['columns']} columns; {versions}.",
        "",
        f"Records: {records['people']} people, {records['court_files']} court files, "
        f"{records['charges']} charges, {records['docket_events']} docket events. "
        f"Registry as of {results['coverage']['end']}: "
        + ", ".join(f"{count} {table}" for table, count in results["registry"]["rows"].items() if count)
        + ".",
        "",
        "#### Faults of the records",
        "",
        *_table(["fault", "rows"], [[what, str(count)] for what, count in results["faults"].items()]),
        "#### Court files by quarter of filing",
        "",
        *_filings(results["coverage"]),
        "#### Cohorts",
        "",
        *_cohorts(results["questions"]),
    ]
    for name, found in results["questions"].items():
        lines += _question(name, found)
    return "\n".join(lines)
