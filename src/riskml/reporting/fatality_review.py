"""The page of the fatality review: what is published of it, and the team's own with single cases."""

from collections import Counter

from riskml.errors import RiskmlError
from riskml.messages import check_language
from riskml.reporting.cited import cited_sources
from riskml.reporting.document import part
from riskml.reporting.fatality_anonymised import published
from riskml.reporting.fatality_figures import fatality_figures
from riskml.reporting.fatality_findings_sections import findings_sections
from riskml.reporting.fatality_front import front_page
from riskml.reporting.fatality_pattern_sections import pattern_sections
from riskml.reporting.fatality_places import fatality_folder, kept_documents, review_page
from riskml.reporting.fatality_words import Page
from riskml.reporting.render import figure_image, render, write_report

__all__ = ["TEMPLATE", "fatality_review", "write_fatality_review"]

TEMPLATE = "fatality_review.html.j2"
_SCALE, _CASE_SCALE = 0.84, 0.8


def fatality_review(documents, templates, *, language="es", internal=False):
    """Render the page of a review.

    Parameters
    ----------
    documents : dict       findings, patterns, replay: the team's own, or None where there is none yet
    templates : path       the workspace's `reports/`
    language : "es" or "en"
    internal : bool        with small counts, review ids and a timeline of each case; False: what may be
        published of it

    Returns
    -------
    str    HTML, one self-contained file without scripts

    Raises
    ------
    RiskmlError    too few cases to publish, an unknown language, a template that is missing or broken
    """
    check_language(language)
    shown = documents if internal else published(documents)
    page = Page(
        shown, language, internal, _images(fatality_figures(shown, language, internal=internal), language)
    )
    sections = _numbered([*findings_sections(page), *pattern_sections(page)])
    synthetic = any(_synthetic(document) for document in shown.values() if document)
    return render(
        templates,
        TEMPLATE,
        language,
        room="fatality_report",
        internal=internal,
        synthetic=synthetic,
        reviewed=page.part("findings", "reviews"),
        between=_between(page),
        boxes=front_page(page),
        sections=sections,
        sources=cited_sources(str(sections), language),
    )


def write_fatality_review(settings, *, language="es", internal=False):
    """Write the page of what stands below reports/out/fatality: its Path.

    Parameters
    ----------
    settings : Settings
    language : "es" or "en"
    internal : bool

    Raises
    ------
    RiskmlError    no document yet, one that does not read, and as `fatality_review`
    """
    documents = kept_documents(settings)
    if not any(documents.values()):
        raise RiskmlError(
            "there is nothing to report yet",
            where=str(fatality_folder(settings)),
            mend="`riskml fatality analyse` counts what the reviews hold, and leaves it there.",
        )
    html = fatality_review(documents, settings.reports, language=language, internal=internal)
    page = fatality_folder(settings) / review_page(language, internal=internal)
    return write_report(page, html, private=internal)


def _images(figures, language):
    """Figures inside the page, without the title that the page prints beside them."""
    images = {}
    for name, figure in figures.items():
        title = figure.get_suptitle()
        figure.suptitle("")
        scale = _CASE_SCALE if name.startswith("case_") else _SCALE
        images[name] = figure_image(figure, title, scale=scale)
    return images


def _synthetic(document):
    about = document["reviews"]
    return bool((isinstance(about, dict) and about.get("synthetic")) or document.get("synthetic"))


def _between(page):
    about = part(page.documents, "findings", "reviews")
    return page.t("from_to", first=about["first"], last=about["last"]) if about else None


def _numbered(sections):
    """Number tables and figures through the page, as people cite them."""
    counts = Counter()
    for section in sections:
        for block in section["blocks"]:
            if block["kind"] in ("table", "figure"):
                counts[block["kind"]] += 1
                block["number"] = counts[block["kind"]]
    return sections
