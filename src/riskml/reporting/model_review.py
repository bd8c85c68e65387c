"""The model review report: what a Task Force reads before it approves or rejects a version."""

from collections import Counter

from riskml.messages import check_language, message
from riskml.reporting.blocks import Review
from riskml.reporting.cited import cited_sources
from riskml.reporting.lethal_review import lethal_items
from riskml.reporting.preflight import domain_verdicts, preflight
from riskml.reporting.render import figure_image, render
from riskml.reporting.review_background import abstract_facts
from riskml.reporting.tripod import tripod_items
from riskml.reporting.validation_figures import figure_title, validation_figures

__all__ = ["is_lethal_report", "model_review", "preflight_shown", "review_images"]

TEMPLATE = "model_review.html.j2"
SCALE = 0.8  # two figures on a page of A4
GLOSSARY = (
    *("auc", "calibration", "ratio", "ici", "brier", "benefit", "recall", "interval", "origin"),
    *("refit", "exposure", "shap", "q", "kappa"),
)
# Where the sections of the review's checklist find their answers.
TO_SIGN = {
    "data": "5a, 5b, 6, 7, 20",
    "outcome": "8, 12a",
    "predictors": "9, 11, 22",
    "validation": "10, 12, 23, 24",
    "fairness": "3c, 14, 20b, 23a",
    "use": "15, 25, 26, 27",
}


def is_lethal_report(report):
    """Whether a bundle's report is a lethal model's: prior, data and posterior instead of a comparison."""
    return "table" in report and "comparison" not in report


def review_images(figures, language="es"):
    """Drawn figures as images inside the page, without the title that the page prints beside them.

    Parameters
    ----------
    figures : dict of name -> Figure    of `validation_figures`
    language : str

    Returns
    -------
    dict of name -> Markup
    """
    images = {}
    for name, figure in figures.items():
        title = figure.get_suptitle()
        figure.suptitle("")
        images[name] = figure_image(figure, figure_title(name, language), scale=SCALE)
        figure.suptitle(title, fontsize=11)
    return images


def preflight_shown(answers, language):
    """The pre-flight as a page shows it.

    Parameters
    ----------
    answers : list of dict    of `preflight`
    language : str

    Returns
    -------
    dict    rows, domains (with their worst verdict), counts (in words), first (what to look at first)
    """
    names = {verdict: message(f"validation.verdict_{verdict}", language) for verdict in ("pass", "concern")}
    names["fail"] = message("validation.verdict_fail", language)
    rows, previous = [], None
    for found in answers:
        domain = message(f"model_review.domain_{found['domain']}", language)
        rows.append(
            {
                "domain": "" if domain == previous else domain,
                "question": found["question"][language],
                "verdict": found["verdict"],
                "verdict_name": names[found["verdict"]],
                "why": found["why"][language],
            }
        )
        previous = domain
    counts = Counter(found["verdict"] for found in answers)
    return {
        "rows": rows,
        "domains": [
            {
                "name": message(f"model_review.domain_{domain}", language),
                "verdict": verdict,
                "verdict_name": names[verdict],
            }
            for domain, verdict in domain_verdicts(answers).items()
        ],
        "counts": message(
            "model_review.preflight_counts",
            language,
            passed=counts["pass"],
            concern=counts["concern"],
            failed=counts["fail"],
            total=len(answers),
        ),
        "first": [row for row in rows if row["verdict"] == "fail"],
    }


def _numbered(sections):
    """Number tables and figures through the report, as people cite them."""
    counts = Counter()
    for section in sections:
        for item in section["items"]:
            for block in item["blocks"]:
                if block["kind"] in ("table", "figure"):
                    counts[block["kind"]] += 1
                    block["number"] = counts[block["kind"]]
    return sections


def front(review):
    """Title, version and dates of a page: dict."""
    card, window = review.card, review.window()
    history = card.get("history") or {}
    between = review.t("from_to", first=window["first"], last=window["last"]) if window else None
    return {
        "label": review.words(card.get("label", {})) or review.model.name,
        "name": review.model.name,
        "version": review.model.version,
        "synthetic": bool(history.get("synthetic")),
        "history": (history.get("hash") or review.t("no_date"))[:16],
        "catalogue": (card.get("catalogue") or review.t("no_date"))[:16],
        "between": between,
    }


def _provenance(review):
    t, card = review.t, review.card
    libraries = ", ".join(f"{name} {version}" for name, version in (card.get("libraries") or {}).items())
    settings = review.words((review.validation.get("settings") or {}).get("words"))
    pairs = [
        (t("model"), f"{review.model.name} {review.model.version}"),
        (t("history"), (card.get("history") or {}).get("hash")),
        (t("catalogue"), card.get("catalogue")),
        (t("seed"), card.get("seed")),
        (t("validation_settings"), settings),
        (t("libraries"), libraries),
    ]
    return [(label, value) for label, value in pairs if value not in (None, "")]


def model_review(model, validation, templates, *, language="es", figures=None):
    """Render the review report of one version.

    Parameters
    ----------
    model : Model or LethalBundle
    validation : dict    of `riskml.training.validate`; {} where there is none: its parts then say so
    templates : path     the workspace's `reports/`
    language : "es" or "en"
    figures : dict of name -> Figure, or None    of `validation_figures`, where they have been drawn already

    Returns
    -------
    str    HTML, one self-contained file without scripts

    Raises
    ------
    RiskmlError    an unknown language, a template that is missing or broken
    """
    check_language(language)
    if figures is None:
        figures = validation_figures(model.report, validation, language)
    review = Review(model, validation, language, review_images(figures, language))
    shown = preflight_shown(preflight(model, validation), language)
    lethal = is_lethal_report(model.report)
    sections = _numbered(lethal_items(review) if lethal else tripod_items(review))
    abstract = [pair for pair in abstract_facts(review, shown["counts"]) if pair[1]]
    for section in sections:
        for item in section["items"]:
            if item["number"] == "2":
                item["blocks"] = [{"kind": "facts", "items": abstract}]
    lead = review.t("tripod_lead") + review.t("preflight_people")
    return render(
        templates,
        TEMPLATE,
        language,
        room="model_review",
        front=front(review),
        preflight=shown,
        sections=sections,
        sign=[
            {"section": review.t(f"sign_{name}"), "where": review.t("sign_items", items=items)}
            for name, items in TO_SIGN.items()
        ],
        glossary=[(review.t(f"term_{term}"), review.t(f"meaning_{term}")) for term in GLOSSARY],
        provenance=_provenance(review),
        sources=cited_sources(f"{sections}{shown}{lead}", language),
    )
