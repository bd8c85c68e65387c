"""TRIPOD+AI's items on openness, involvement, discussion and use (18, 19, 25 to 27)."""

from riskml import __version__
from riskml.reporting.blocks import facts, fill, heading, listing, text
from riskml.reporting.numbers import interval_words, percent

__all__ = ["FORBIDDEN", "INSTRUCTIONS", "USE", "prohibited_uses"]

INSTRUCTIONS, FORBIDDEN = 9, 10  # sentences of each in the catalogue
_POOR_INPUT, _NEXT = 4, 4
_LOW, _HONEST, _LEAKING = 0.65, 0.76, 0.80  # EVIDENCE 3.1 [D]


def _numbered(review, name, size):
    return [review.t(f"{name}_{i}") for i in range(1, size + 1)]


def prohibited_uses(review):
    """What the model must not be used for: list of str."""
    return _numbered(review, "forbidden", FORBIDDEN)


def _funding(review):
    return [fill(review.t("fill_funding"))]


def _conflicts(review):
    return [fill(review.t("fill_conflicts"))]


def _protocol(review):
    return [text(review.t("protocol_words")), fill(review.t("fill_protocol"))]


def _registration(review):
    return [text(review.t("registration_words")), fill(review.t("fill_registration"))]


def _data_access(review):
    return [text(review.t("data_access_words")), fill(review.t("fill_data_access"))]


def _code_access(review):
    return [text(review.t("code_access_words", version=__version__))]


def _involvement(review):
    return [fill(review.t("fill_involvement"))]


def reading(review):
    """What the main figures mean, in sentences: list of str."""
    t, auc = review.t, review.metric("auc")
    said = []
    if auc[0] is not None:
        place = (
            "high"
            if auc[0] > _LEAKING
            else "upper"
            if auc[0] > _HONEST
            else "usual"
            if auc[0] >= _LOW
            else "low"
        )
        said.append(t(f"reading_auc_{place}", auc=interval_words(auc, review.language)))
    recall, capacity = review.metric("recall_at_capacity"), review.card.get("capacity")
    if recall[0] is not None and capacity:
        shown = interval_words(recall, review.language, shown=percent, digits=0)
        said.append(t("reading_recall", capacity=capacity, recall=shown))
    return [*said, t("reading_fairness"), t("reading_treatment")]


def _interpretation(review):
    return [listing(reading(review))]


def _limitations(review):
    t = review.t
    notes = [review.words(note) for note in review.report.get("notes", ())]
    audit = review.words(review.part("leakage", "words"))
    said = [*notes, t("limits_recorded"), t("limits_cause"), t("limits_place"), audit, t("limits_literature")]
    return [facts([(t("limits_label"), review.words(review.card.get("limits")))]), listing(said)]


def _poor_input(review):
    return [listing(_numbered(review, "poor_input", _POOR_INPUT))]


def _instructions(review):
    return [
        heading(review.t("use_title")),
        {"kind": "steps", "items": _numbered(review, "use", INSTRUCTIONS)},
        heading(review.t("forbidden_title")),
        {"kind": "forbidden", "items": prohibited_uses(review)},
    ]


def _next(review):
    return [listing(_numbered(review, "next", _NEXT)), fill(review.t("fill_next"))]


USE = {
    "18a": _funding,
    "18b": _conflicts,
    "18c": _protocol,
    "18d": _registration,
    "18e": _data_access,
    "18f": _code_access,
    "19": _involvement,
    "25": _interpretation,
    "26": _limitations,
    "27a": _poor_input,
    "27b": _instructions,
    "27c": _next,
}
