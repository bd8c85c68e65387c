"""TRIPOD+AI's items for a lethal model: prior, data and posterior side by side, and nobody's probability."""

from riskml.reporting.blocks import facts, fill, heading, listing, missing, table, text
from riskml.reporting.numbers import count, interval_words, number, percent
from riskml.reporting.tripod import tripod_items

__all__ = ["lethal_items"]


def _ratio(row, name):
    value = row.get(name)
    if value is None:
        return {"value": "–", "interval": ""}
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return {"value": number(value, 2), "interval": f"{number(low, 2)} – {number(high, 2)}"}


def prior_table(review):
    """Literature, data and posterior of each factor: a table."""
    t, rows = review.t, []
    for row in review.report["table"]:
        label = review.words(row.get("label")) or str(row["factor"])
        rows.append(
            [
                label,
                f"[{row['tag']}]",
                _ratio(row, "prior"),
                f"{count(row['cases_present'])}/{count(row['cases_known'])}",
                f"{count(row['controls_present'])}/{count(row['controls_known'])}",
                _ratio(row, "data"),
                _ratio(row, "posterior"),
                f"{row['moved']:+.1f}" if row.get("moved") is not None else "–",
            ]
        )
    names = ("factor", "tag", "prior", "in_cases", "in_controls", "data_alone", "posterior", "moved")
    return table(t("lethal_title"), [t(name) for name in names], rows, dense=True)


def _comparison(review):
    blocks = [text(review.t("lethal_words")), prior_table(review), review.figure("priors")]
    found = review.report.get("leave_one_out") or {}
    if "missing" in found:
        blocks.append(missing(review.words(found["missing"])))
    elif found:
        auc = (found["auc"], found.get("auc_low"), found.get("auc_high"))
        words = review.t(
            "lethal_left_out",
            auc=interval_words(auc, review.language),
            among=count(found["among_top"]),
            sets=count(found["sets"]),
            share=percent(found["top_share"]),
        )
        blocks.append(text(words))
        if found.get("auc_missing"):
            blocks.append(missing(review.words(found["auc_missing"])))
    competition = review.report.get("competition") or {}
    said = review.words(competition.get("refused")) or review.words(competition.get("words"))
    return [*blocks, *([heading(review.t("lethal_competition")), text(said)] if said else [])]


def _cases(review):
    t, report = review.t, review.report
    matching = report.get("matching", {}).get("words")
    counts = {name: count(report.get(name)) for name in ("cases", "events", "controls")}
    blocks = [
        text(t("lethal_counts", **counts)),
        text(review.words(matching)),
    ]
    rows = [
        [review.words(row["words"]), f"{count(row['events'])}/{count(row['of'])}"]
        for row in report.get("exclusions", ())
    ]
    if rows:
        blocks.append(table(t("lethal_excluded"), [t("lethal_reason"), "n/N"], rows))
    return [block for block in blocks if block.get("text", True)]


def _size(review):
    found = review.report.get("sample_size") or {}
    details = (found.get("details") or {}).get(review.language, ())
    return [text(review.words(found.get("words"))), listing(details)]


def _interpretation(review):
    said = (review.report.get("words") or {}).get(review.language, ())
    return [listing([*said, review.t("reading_treatment")])]


def _limitations(review):
    t = review.t
    notes = [review.words(note) for note in review.report.get("notes", ())]
    limits = facts([(t("limits_label"), review.words(review.card.get("limits")))])
    said = [*notes, t("limits_recorded"), t("limits_cause"), t("limits_place"), t("limits_literature")]
    return [limits, listing(said)]


def _files(review):
    rows = [[name, digest] for name, digest in review.model.digests.items()]
    return [table(review.t("files_table"), [review.t("file"), "sha256"], rows)]


def _dates(review):
    until = (review.card.get("history") or {}).get("observed_until")
    return [facts([(review.t("observed_until"), until)])] if until else [fill(review.t("item_5b"))]


def _sampling(review):
    return [text(review.words((review.report.get("matching") or {}).get("words")))]


_OWN = {
    "5b": _dates,
    "13": _sampling,
    "21": _cases,
    "10": _size,
    "12c": _cases,
    "12g": lambda review: [text(review.t("lethal_computing"))],
    "15": lambda review: [text(review.t("lethal_output"))],
    "20a": _cases,
    "22": _files,
    "23a": _comparison,
    "25": _interpretation,
    "26": _limitations,
}
_NOT_APPLICABLE = ("12a", "14", "16", "20b", "20c", "23b", "24")


def lethal_items(review):
    """The report's items for a lethal bundle, in TRIPOD+AI's order: as `tripod_items`."""
    own = _OWN | {number: lambda review: [missing(review.t("not_for_lethal"))] for number in _NOT_APPLICABLE}
    return tripod_items(review, own)
