"""The model card: what a version is, how well it does and what it must not be used for, on one page."""

from riskml.messages import check_language, message
from riskml.reporting.blocks import Review
from riskml.reporting.lethal_review import prior_table
from riskml.reporting.model_review import front, is_lethal_report, preflight_shown
from riskml.reporting.model_section import comparison_rows
from riskml.reporting.preflight import preflight
from riskml.reporting.render import render
from riskml.reporting.review_background import abstract_facts
from riskml.reporting.review_performance import candidate_cells
from riskml.reporting.review_use import prohibited_uses

__all__ = ["model_card"]

TEMPLATE = "model_card.html.j2"
METRICS = ("auc", "brier", "calibration_slope", "ici", "recall_at_capacity")
MOST_ROWS = 8  # a card is one page: of a lethal model the factors that the data moved furthest


def _figures(review):
    """The comparison, or a lethal model's factors: dict of title, head, rows."""
    if is_lethal_report(review.report):
        found = prior_table(review)
        moved = [abs(row.get("moved") or 0.0) for row in review.report["table"]]
        order = sorted(range(len(moved)), key=lambda place: -moved[place])[:MOST_ROWS]
        return found | {"rows": [found["rows"][place] for place in sorted(order)]}
    if not review.own("comparison"):
        return None
    names, rows = comparison_rows(review.report, review.language, METRICS)
    cells = [{"kind": row["kind"], "cells": candidate_cells(row)} for row in rows]
    head = [message("reports.candidate", review.language), *names]
    return {"title": review.t("card_figures"), "head": head, "rows": cells, "dense": True}


def model_card(model, validation, templates, *, language="es"):
    """Render the card of one version.

    Parameters
    ----------
    model : Model or LethalBundle
    validation : dict    of `riskml.training.validate`; {} where there is none
    templates : path     the workspace's `reports/`
    language : "es" or "en"

    Returns
    -------
    str    HTML, one self-contained file without scripts, a page of A4

    Raises
    ------
    RiskmlError    an unknown language, a template that is missing or broken
    """
    check_language(language)
    review = Review(model, validation, language)
    shown = preflight_shown(preflight(model, validation), language)
    facts = [pair for pair in abstract_facts(review, shown["counts"]) if pair[1]]
    return render(
        templates,
        TEMPLATE,
        language,
        room="model_review",
        front=front(review),
        facts=facts,
        table=_figures(review),
        preflight=shown,
        forbidden=prohibited_uses(review),
    )
