"""The sections of a fatality review's page on the living, on patterns, on the replay, and on what follows."""

from collections import Counter

from riskml.reporting.blocks import facts, heading, listing, table, text
from riskml.reporting.document import part
from riskml.reporting.fatality_published import mattered
from riskml.reporting.fatality_timelines import cases_in_order
from riskml.reporting.fatality_words import is_number
from riskml.reporting.numbers import count, percent

__all__ = ["pattern_sections"]


def pattern_sections(page):
    """Sections from the comparison to the provenance: list of {"code", "title", "blocks"}."""
    sections = {
        "comparison": _comparison,
        "patterns": _patterns,
        "replay": _replay,
        "recommendations": _recommendations,
        "provenance": _provenance,
    }
    return page.sections(sections)


def _comparison(page):
    found = page.part("findings", "comparison")
    blocks = [text(page.t("comparison_lead"))]
    if not found:
        return [*blocks, page.absent("findings", "comparison")]
    power = found["power"]
    blocks += [heading(page.t("power_first")), text(page.words(power["words"]))]
    head = [page.t("true_odds_ratio"), *(f"{row['odds_ratio']:g}" for row in power["rows"])]
    row = [page.t("power"), *(percent(row["power"]) for row in power["rows"])]
    blocks.append(table(page.t("table_power"), head, [row]))
    if page.internal:
        blocks.append(text(page.words(found["matching"]["words"])))
        left = [
            f"{page.words(row['words'])}: {page.of(row['n'], row['of'])}"
            for row in found["excluded"]
            if row["n"]
        ]
        blocks += [text(page.t("excluded_title")), listing(left)] if left else []
    else:
        blocks.append(
            text(page.t("matching_public", cases=found["cases"], controls=count(found["controls"])))
        )
    rows = [row for row in found["rows"] if row.get("open", True) and part(row, "posterior")]
    if not rows:
        return [*blocks, text(page.t("comparison_none_open"))]
    hidden = len(found["rows"]) - len(rows)
    silent = [page.words(row["label"]) for row in rows if not _says(row)]
    rows = sorted(filter(_says, rows), key=lambda row: -(row["posterior"]["low"] or 0))
    names = (
        "factor",
        "cases_present",
        "controls_present",
        "recorded_or",
        "known_or",
        "prior_or",
        "posterior_or",
    )
    body = [_compared(page, row) for row in rows]
    blocks.append(
        table(page.t("table_comparison"), [page.t(n) for n in (*names, "q_value")], body, dense=True)
    )
    if hidden:
        blocks.append(text(page.t("rows_hidden", count=hidden)))
    if silent:
        blocks.append(text(page.t("rows_silent", listed="; ".join(silent))))
    blocks += _joint(page, part(found, "joint", "rows") or ())
    return [*blocks, listing([page.t(f"comparison_read_{i}") for i in range(1, 5)])]


def _joint(page, rows):
    """The factors named beforehand, estimated together: prior, data and posterior."""
    if not rows:
        return []
    body = [
        [
            page.words(row["label"]),
            *(
                f"{count(row[group]['present'])}/{count(row[group]['known'])}"
                for group in ("cases", "controls")
            ),
            page.ratio(row["prior"]) | {"why": f"[{row['tag']}]"},
            page.ratio(row["data"]),
            page.ratio(row["posterior"]) | {"why": page.t("from_data", share=percent(row["from_data"]))},
        ]
        for row in rows
    ]
    names = ("factor", "cases_present", "controls_present", "prior_or", "data_or", "posterior_or")
    return [table(page.t("table_joint"), [page.t(name) for name in names], body, dense=True)]


def _says(row):
    """Whether anything was found or is known of a factor: data that tell, or a published odds ratio."""
    return bool(row.get("prior") or part(row, "recorded", "informative") or part(row, "known", "informative"))


def _compared(page, row):
    prior = page.ratio(row.get("prior"))
    if part(row, "prior", "tag"):
        prior = prior | {"why": f"[{row['prior']['tag']}]"}
    moved = row.get("from_data")
    posterior = page.ratio(row["posterior"])
    if is_number(moved):
        posterior = posterior | {"why": page.t("from_data", share=percent(moved))}
    return [
        page.words(row["label"]),
        *(_present(page, row[group]) for group in ("cases", "controls")),
        page.ratio(row.get("recorded")),
        page.ratio(row.get("known")),
        prior,
        posterior,
        f"{row['q']:.2f}" if is_number(row.get("q")) else "–",
    ]


def _present(page, counts):
    """Present of those of whom it is known, with how many are unknown."""
    known = counts["present"] + counts["denied"]
    return {
        "value": f"{count(counts['present'])}/{count(known)}",
        "interval": "",
        "why": page.t("unknown_n", count=count(counts["unknown"])),
    }


def _patterns(page):
    document = page.part("patterns")
    blocks = [text(page.t("patterns_lead"))]
    if document is None:
        return [*blocks, page.absent("patterns")]
    pairs = [
        (page.t("patterns_searched"), count(document["searched"])),
        (page.t("patterns_cap"), count(document["cap"])),
        (
            page.t("patterns_shown"),
            page.t("shown_of", kept=document["kept"], written=document["prespecified"]),
        ),
        (page.t("patterns_as_of"), str(document["as_of"])[:10]),
    ]
    chosen = part(document, "selected") or {}
    for name in ("caught", "left_out"):
        if part(chosen, name):
            pairs.append(
                (page.t(f"selected_{name}"), page.share_words(chosen[name]["n"], chosen[name]["of"]))
            )
    blocks += [facts(pairs), page.figure("tradeoff", "patterns", "tradeoff")]
    if page.internal:
        blocks.append(listing([page.words(words) for words in document.get("words") or ()]))
    names = (
        "pattern",
        "origin",
        "caught",
        "left_out",
        "first_record",
        "days_before_median",
        "living_flagged",
    )
    head = [page.t(name) for name in (*names, "per_week")]
    blocks.append(
        table(
            page.t("table_patterns"),
            head,
            [_pattern(page, number, row) for number, row in enumerate(document["rows"], start=1)],
            dense=True,
        )
    )
    return [*blocks, listing([page.t(f"patterns_read_{i}") for i in range(1, 5)])]


def _share(page, found):
    return page.share(found["n"], found["of"]) if part(found) else "–"


def _pattern(page, number, row):
    living = part(row, "living") or {}
    weekly = living.get("per_week")
    week = {"value": f"{weekly:.1f}" if is_number(weekly) else "–", "interval": ""}
    if is_number(weekly) and is_number(living.get("per_week_low")):
        week["interval"] = f"{living['per_week_low']:.1f} – {living['per_week_high']:.1f}"
    flagged = _share(page, {"n": living["flagged"], "of": living["of"]}) if living else "–"
    if living and is_number(living.get("undetermined")):
        flagged = flagged | {"why": page.t("undetermined_n", count=count(living["undetermined"]))}
    label = {
        "value": f"{number}. {page.words(row['label'])}",
        "interval": "",
        "why": page.t(f"status_{row['status']}"),
    }
    if part(row, "defined", "n"):
        label["why"] += "; " + page.t("defined_n", count=row["defined"]["n"])
    return [
        label,
        page.t(f"origin_{row['origin']}"),
        _share(page, row["caught"]),
        _share(page, row["left_out"]) if row["origin"] == "searched" else "–",
        _share(page, row["first_record"]),
        page.days((row.get("days_before") or {}).get("median")),
        flagged,
        week,
    ]


def _replay(page):
    document = page.part("replay")
    blocks = [text(page.t("replay_lead"))]
    if document is None:
        return [*blocks, page.absent("replay")]
    labels = {row["pattern"]: page.words(row["label"]) for row in part(document, "patterns") or ()}
    rows = [_replayed(page, row, labels) for row in document["table"] if row["fired"] and row["fired"]["of"]]
    names = ("rule", "fired", "first_contact", "days_before_median", "days_lost_median")
    blocks.append(table(page.t("table_replay"), [page.t(name) for name in names], rows, dense=True))
    found = document["mattered"] if "mattered" in document else mattered(document)
    if found:
        label = {row["factor"]: page.words(row["label"]) for row in page.part("findings", "prevalence") or ()}
        body = [[label.get(row["factor"], row["factor"]), page.share(row["n"], row["of"])] for row in found]
        blocks.append(table(page.t("table_mattered"), [page.t("factor"), page.t("n_share")], body))
    blocks.append(listing([page.t(f"replay_read_{i}") for i in range(1, 5)]))
    if page.internal:
        blocks += [heading(page.t("timelines_title")), text(page.t("timelines_lead"))]
        blocks += _timelines(page, document)
    return blocks


def _timelines(page, document):
    """The timeline of each case that has one, and which have none."""
    drawn = [name for name in page.images if name.startswith("case_")]
    blocks = [page.case_figure(name) for name in drawn]
    with_contacts = len(cases_in_order(document))
    if len(drawn) < with_contacts:
        blocks.append(text(page.t("timelines_shown", shown=len(drawn), count=with_contacts)))
    without = [case["review_id"] for case in document["cases"] if not case["contacts"]]
    return blocks + [text(page.t("timelines_without", listed=", ".join(without)))] * bool(without)


def _replayed(page, row, labels):
    kind = row["kind"]
    name = (
        page.t(f"rule_{kind}") if kind in ("any", "analyst") else labels.get(row["rule"], _short(row["rule"]))
    )
    remarks = [page.t(f"group_{row['group']}")]
    if row.get("status"):
        remarks.append(page.t(f"status_{row['status']}"))
    return [
        {"value": name, "interval": "", "why": "; ".join(remarks)},
        _share(page, row["fired"]),
        _share(page, row["first_contact"]),
        page.days(row["days_before"]["median"]),
        page.days(row["days_lost"]["median"]),
    ]


def _short(rule):
    """Versions by their first eight signs: NAME@VERSION, joined by +."""
    named = [name.split("@") for name in rule.split(" + ")]
    return " + ".join("@".join((name, *(version[:8] for version in rest))) for name, *rest in named)


def _recommendations(page):
    rows = page.part("findings", "recommendations")
    if not rows:
        return [page.absent("findings", "recommendations")]
    progress = Counter()
    for row in rows:
        progress[row["progress"]] += row["n"]
    total = sum(progress.values())
    listed = "; ".join(f"{page.code(name).lower()} {n}" for name, n in progress.items())
    late = sum(row["n"] for row in rows if row["overdue"])
    blocks = [text(page.t("advice_counts", count=total, listed=listed, late=late))]
    body = [
        [
            page.code(row["addressee"]),
            row["recommendation"] or page.t("not_cleared"),
            count(row["n"]),
            page.quarter(row["deadline_on"]),
            {
                "value": page.code(row["progress"]),
                "interval": "",
                "why": page.t("overdue") if row["overdue"] else "",
            },
        ]
        for row in rows
    ]
    head = [page.t(name) for name in ("addressee", "recommendation", "how_many", "deadline", "progress")]
    return [*blocks, table(page.t("table_advice"), head, body)]


def _provenance(page):
    about = page.part("findings", "reviews") or {}
    comparison, patterns, replay = (
        page.part("findings", "comparison"),
        page.part("patterns"),
        page.part("replay"),
    )
    pairs = [(page.t("reviews_hash"), about.get("hash"))]
    pairs.append((page.t("coders"), about.get("coders") and str(about["coders"])))
    if comparison:
        pairs.append((page.t("compared"), page.of(comparison["cases"], about.get("n"))))
    if patterns:
        version = patterns.get("patterns_version")
        pairs += [(page.t("history_hash"), patterns.get("history"))]
        pairs += [(page.t("patterns_version"), None if version is None else str(version))]
    if replay:
        for row in replay["versions"]:
            until = str(row.get("learnt_until") or "")[: None if page.internal else 7][:10]
            words = page.t("learnt_until", until=until) if until else "–"
            pairs.append((_short(row["name"]), words))
    made = {name: page.documents.get(name) for name in ("findings", "patterns", "replay")}
    same = {str(_reviews_of(document))[:8] for document in made.values() if document}
    blocks = [facts(pairs)]
    if len(same) > 1:
        blocks.append(text(page.t("different_reviews", listed=", ".join(sorted(same)))))
    return blocks


def _reviews_of(document):
    found = document["reviews"]
    return found["hash"] if isinstance(found, dict) else found
