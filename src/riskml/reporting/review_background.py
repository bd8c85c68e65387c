"""TRIPOD+AI's items on title, abstract and background (1 to 4), filled from a model's card and report."""

from riskml.reporting.blocks import facts, fill, table, text
from riskml.reporting.numbers import count, interval_words, percent, three

__all__ = ["BACKGROUND", "abstract_facts"]

_PUBLISHED = (
    ("turner", "0.748, 0.763"),
    ("oxrec", "0.68 (0.66 – 0.70)"),
    ("odara", "0.666"),
    ("vpr", "0.80"),
)


def study(review):
    """What kind of study it is, in words."""
    prospective = review.own("split") and review.report["split"].get("prospective")
    kind = "unknown" if prospective is None else ("prospective" if prospective else "by_person")
    return review.t(f"study_{kind}")


def _title(review):
    label = review.words(review.card.get("label", {})) or review.model.name
    return [text(review.t("title_sentence", label=label, study=study(review)))]


def abstract_facts(review, preflight_words):
    """The abstract as label and value: list of pairs."""
    t, row, window = review.t, review.chosen_row(), review.window()
    pairs = [
        (t("abstract_purpose"), t("abstract_purpose_words")),
        (t("abstract_estimand"), review.words(review.card.get("estimand"))),
    ]
    if window and row:
        sizes = {
            "events": count(row["events"]),
            "assessments": count(row["n"]),
            "people": count(row["groups"]),
        }
        sizes |= {"first": window["first"], "last": window["last"]}
        pairs.append((t("abstract_data"), t("abstract_data_words", **sizes)))
    if row:
        judged = sum(1 for other in review.report["comparison"] if not other.get("refused"))
        chosen = review.label_of(row["candidate"])
        pairs.append((t("abstract_method"), t("abstract_method_words", candidates=judged, chosen=chosen)))
        pairs.append((t("abstract_discrimination"), interval_words(review.metric("auc"), review.language)))
    unseen = unseen_auc(review)
    if unseen:
        pairs.append((t("abstract_unseen"), interval_words(unseen, review.language)))
    if row:
        words = t(
            "abstract_calibration_words",
            slope=interval_words(review.metric("calibration_slope"), review.language),
            ratio=interval_words(review.metric("observed_expected"), review.language),
        )
        pairs.append((t("abstract_calibration"), words))
    recall = review.metric("recall_at_capacity")
    if recall[0] is not None and review.card.get("capacity"):
        shown = interval_words(recall, review.language, shown=percent, digits=0)
        words = t("abstract_capacity_words", capacity=review.card["capacity"], recall=shown)
        pairs.append((t("abstract_capacity"), words))
    pairs.append((t("abstract_preflight"), preflight_words))
    pairs.append((t("abstract_limits"), review.words(review.card.get("limits"))))
    return pairs


def unseen_auc(review):
    """AUC on aggressors never seen: (estimate, low, high), or None."""
    found = review.part("unseen", "metrics", "auc")
    if found:
        return three(found)
    found = review.own("unseen_aggressors") or {}
    return (found["auc"], found["low"], found["high"]) if found.get("auc") is not None else None


def _abstract(review):
    return [facts(abstract_facts(review, ""))]


def _context(review):
    t = review.t
    rows = [[t(f"published_{name}"), figure] for name, figure in _PUBLISHED]
    return [
        text(t("context_words")),
        table(t("published_title"), [t("published_study"), t("published_figure")], rows),
        text(t("published_reading")),
    ]


def _pathway(review):
    return [text(review.t("pathway_words")), fill(review.t("fill_pathway"))]


def _inequalities(review):
    return [text(review.t("inequalities_words")), fill(review.t("fill_inequalities"))]


def _objectives(review):
    estimand = review.words(review.card.get("estimand"))
    return [text(review.t("objectives_words")), facts([(review.t("estimand"), estimand)])]


BACKGROUND = {
    "1": _title,
    "2": _abstract,
    "3a": _context,
    "3b": _pathway,
    "3c": _inequalities,
    "4": _objectives,
}
