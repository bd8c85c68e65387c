"""The model review report and the card: TRIPOD+AI's order, every figure explained, nothing hidden."""

import copy
import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from reported_models import reported_model, validation_document
from reviewed_models import small_model
from riskml.errors import RiskmlError
from riskml.messages import all_messages
from riskml.models.encoding import Encoding, infer_columns
from riskml.models.linear import elastic_net_path
from riskml.reporting.cited import SOURCES, cited_tags
from riskml.reporting.document import missing_words, part
from riskml.reporting.model_card import model_card
from riskml.reporting.model_review import model_review
from riskml.reporting.model_section import comparison_rows, model_section
from riskml.reporting.numbers import cell, percent
from riskml.reporting.preflight import preflight
from riskml.reporting.review_use import FORBIDDEN, INSTRUCTIONS
from riskml.reporting.tripod import BLOCKS, SECTIONS
from riskml.reporting.validation_figures import FIGURES, validation_figures
from small_opinion import REPOSITORY

TEMPLATES = REPOSITORY / "reports"
HOSTILE = '<script>alert("$x$")</script>'
# 27 items of TRIPOD+AI with their parts, as EVIDENCE 5.1 lists them.
_ITEMS = "1 2 3abc 4 5ab 6abc 7 8abc 9abc 10 11 12abcdefg 13 14 15 16 17 18abcdef 19 20abc 21 22 23ab 24"
_LAST = "25 26 27abc"
ORDER = [
    number + letter
    for number, letters in re.findall(r"(\d+)([a-g]*)", f"{_ITEMS} {_LAST}")
    for letter in (letters or [""])
]


@pytest.fixture(scope="module")
def model():
    return reported_model()


@pytest.fixture(scope="module")
def validation(model):
    return validation_document(model)


@pytest.fixture(scope="module")
def figures(model, validation):
    return validation_figures(model.report, validation, "es")


@pytest.fixture(scope="module")
def pages(model, validation, figures):
    """The page in Spanish, and in English with two of the figures: drawing them takes longest."""
    two = {name: figures[name] for name in ("comparison", "capacity")}
    drawn = {"es": figures, "en": two}
    return {
        language: model_review(model, validation, TEMPLATES, language=language, figures=shown)
        for language, shown in drawn.items()
    }


def texts(html):
    """The page's words, without pictures and marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r'src="data:[^"]*"', "", html)))


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_item_stands_in_its_order_under_its_title(pages, language):
    found = re.findall(
        r'<h3 id="item-(\w+)"><span class="no">(\w+)</span>([^<]+)</h3>(.*?)(?=<h[23])', pages[language], re.S
    )
    assert [number for number, _, _, _ in found] == ORDER
    for number, shown, title, content in found:
        assert shown == number
        assert title == all_messages()[f"model_review.item_{number}"][language].replace("'", "&#39;")
        assert len(texts(content).strip()) > 20, f"item {number} is empty"


def test_the_sections_hold_the_items_of_the_statement():
    assert [number for numbers in SECTIONS.values() for number in numbers] == ORDER
    assert set(BLOCKS) == set(ORDER)


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_figure_is_there_with_its_three_texts(pages, language):
    html = pages[language]
    drawn = FIGURES if language == "es" else ("comparison", "capacity")
    for name in drawn:
        figure = re.search(f'<figure id="figure-{name}">(.*?)</figure>', html, re.S)
        assert figure, name
        assert "data:image/png;base64," in figure[1]
        shown = texts(figure[1])
        for text in ("useful", "read", "do"):
            words = all_messages()[f"model_review.{name}_{text}"][language]
            assert words.split("«")[0].split('"')[0].split("'")[0][:40] in shown, (name, text)


def test_what_only_people_can_say_has_a_line_to_fill_in(pages):
    for number in ("18a", "18b", "19", "8c", "9c", "17"):
        item = re.search(rf'id="item-{number}".*?(?=<h3)', pages["es"], re.S)[0]
        assert 'class="line"' in item, number
        assert "Por completar por una persona" in item


def test_the_page_stands_alone_is_printable_and_small_enough_to_mail(pages):
    for html in pages.values():
        assert not re.search(r'(src|href)="(?!data:|#)', html), "nothing is fetched from elsewhere"
        assert "<script" not in html
        assert "@media print" in html
        assert len(html) < 5_000_000


def test_no_text_of_a_model_or_of_a_registry_enters_unescaped(validation):
    """Labels of a model file, and places of a registry, are somebody else's words."""
    hostile = reported_model(HOSTILE)
    document = json.loads(json.dumps(validation).replace("Villanueva", HOSTILE.replace('"', "'")))
    figures = validation_figures(hostile.report, document, "en")
    assert set(figures) == set(FIGURES), "a formula's dollar signs stop no figure"
    shown = {name: figures[name] for name in ("comparison", "fairness", "importance")}
    html = model_review(hostile, document, TEMPLATES, language="en", figures=shown)
    card = model_card(hostile, document, TEMPLATES, language="en")
    for page in (html, card):
        assert "<script" not in page
        assert page.count("&lt;script&gt;") >= 3


def test_instructions_and_prohibited_uses_are_all_there(pages):
    catalogue = all_messages()
    shown = texts(pages["en"]).replace("&#34;", '"').replace("&#39;", "'")
    for name, size in (("use", INSTRUCTIONS), ("forbidden", FORBIDDEN)):
        assert f"model_review.{name}_{size + 1}" not in catalogue, "one that no page shows"
        for i in range(1, size + 1):
            assert catalogue[f"model_review.{name}_{i}"]["en"] in shown


def test_the_refused_candidate_stands_in_the_table_with_its_reason(model, pages):
    assert "refused plain" in pages["es"]
    _, rows = comparison_rows(model.report)
    refused = next(row for row in rows if row["kind"] == "refused")
    assert {found["value"] for found in refused["cells"]} == {"–"}
    section = model_section(model, {}, "en")
    assert [row["kind"] for row in section["rows"]].count("main") == 1


def test_a_small_group_is_not_estimable_with_the_reason(pages):
    row = re.search(r"<tr[^>]*><td[^>]*>Pareja o no: otra relación.*?</tr>", pages["es"], re.S)
    rows = re.findall(r"<tr[^>]*><td[^>]*>Pareja o no: otra relación.*?</tr>", pages["es"], re.S)
    assert row
    assert any("no estimable" in found and "el mínimo es 150" in found for found in rows)


def test_a_document_of_missing_parts_says_why_each_is_missing(model):
    reason = {"missing": {"es": "no alcanza el tiempo", "en": "time is too short"}}
    names = ("backtest", "levels", "agreement", "stability", "fairness", "leakage", "treatment", "unseen")
    document = dict.fromkeys(names, reason) | {"model": {"version": model.version}}
    html = model_review(model, document, TEMPLATES, language="en")
    assert html.count("time is too short") >= len(names)
    assert "Not computed for this version." in html, "a part that the document does not name"
    for name in ("backtest", "level_flips", "leakage"):
        assert f'id="figure-{name}"' not in html
    assert 'id="figure-calibration"' in html, "the training report has it"


def test_a_model_without_any_report_renders_too():
    html = model_review(small_model(), {}, TEMPLATES, language="es")
    assert re.findall(r'id="item-(\w+)"', html) == ORDER
    assert "Prueba" in model_card(small_model(), {}, TEMPLATES, language="es")


def test_the_card_shows_what_counts(model, validation):
    html = model_card(model, validation, TEMPLATES, language="es")
    shown = texts(html)
    assert model.version in shown
    assert "estimand plain" in shown
    assert all_messages()["model_review.forbidden_1"]["es"] in shown
    assert "sensibilidad" in shown
    assert len(html) < 40_000


def test_synthetic_data_are_announced_on_every_page():
    model = reported_model(synthetic=True)
    for page in (model_review(model, {}, TEMPLATES, figures={}), model_card(model, {}, TEMPLATES)):
        assert "DATOS SINTÉTICOS" in page


def test_only_what_the_documents_hold_is_drawn(model, figures):
    assert set(figures) == set(FIGURES)
    assert set(validation_figures(model.report, {})) == {"comparison", "calibration", "importance"}
    assert validation_figures({}, {}) == {}


def test_every_source_that_is_cited_is_listed():
    """A tag without its source would be a figure that nobody can check."""
    words = str({k: v for k, v in all_messages().items() if k.split(".")[0] in ("model_review", "preflight")})
    words += (REPOSITORY / "models" / "priors" / "lethal.yml").read_text(encoding="utf-8")
    assert {"17", "6b"} <= set(cited_tags(words))
    assert set(cited_tags(words)) <= set(SOURCES)


def test_a_page_lists_the_sources_that_it_cites(pages):
    assert "[S:17]" in texts(pages["es"]).split("Fuentes citadas")[1]


def test_a_part_and_why_it_is_missing():
    document = {"a": {"missing": {"es": "no hay", "en": "none"}}, "b": {"c": []}, "d": {"e": 0}}
    assert part(document, "a", "x") is None
    assert part(document, "b", "c") is None
    assert part(document, "d", "e") == 0
    assert missing_words(document, "a", "x", language="es") == "no hay"
    assert missing_words(document, "z", language="en") == "Not computed for this version."


def test_what_is_not_estimable_is_no_number():
    why = {"es": "0 eventos", "en": "0 events"}
    assert cell((None, None, None), "en", why=why) == {
        "value": "not estimable",
        "interval": "",
        "why": "0 events",
    }
    assert cell((float("nan"), None, None), "es")["value"] == "no estimable"
    assert cell((0.5, 0.4, 0.6), "es", digits=1)["interval"] == "0.4 – 0.6"
    assert percent(-0.001) == "0\N{NO-BREAK SPACE}%", "no minus before a zero"


def test_an_unknown_language_is_refused(model):
    with pytest.raises(RiskmlError, match='unknown language "fr"'):
        model_review(model, {}, TEMPLATES, language="fr")


def lethal_bundle():
    """What a page reads of a lethal bundle, with two factors and a few cases."""
    row = {"tag": "M", "cases_present": 3, "cases_known": 4, "controls_present": 2, "controls_known": 20}
    for name, value in (("prior", 4.0), ("posterior", 4.5)):
        row |= {name: value, f"{name}_low": value / 2, f"{name}_high": 2 * value}
    row |= {"data": None, "data_low": None, "data_high": None, "moved": 0.4, "from_data": 0.05}
    words = {"es": "palabras", "en": "said words"}
    return SimpleNamespace(
        name="lethal",
        version="c" * 16,
        catalogue=None,
        columns=("strangulation",),
        digests={"bundle.json": "d" * 64},
        card={
            "label": {"es": "Letal", "en": "Lethal"},
            "limits": words,
            "estimand": words,
            "history": {"hash": "e" * 64, "observed_until": "2026-10-01"},
        },
        report={
            "cases": 4,
            "events": 5,
            "controls": 40,
            "table": [
                row | {"factor": "strangulation", "label": {"es": HOSTILE, "en": HOSTILE}},
                row | {"factor": "firearm", "label": words},
            ],
            "matching": {"words": words},
            "exclusions": [{"reason": "x", "events": 1, "of": 5, "words": words}],
            "leave_one_out": {"missing": words},
            "sample_size": {"words": words, "details": {"es": ["uno"], "en": ["one"]}},
            "competition": {"refused": words},
            "notes": [],
            "words": {"es": ["una"], "en": ["one sentence"]},
        },
    )


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_lethal_model_shows_prior_data_and_posterior_and_no_probability(language):
    bundle = lethal_bundle()
    html = model_review(bundle, {}, TEMPLATES, language=language)
    card = model_card(bundle, {}, TEMPLATES, language=language)
    assert re.findall(r'id="item-(\w+)"', html) == ORDER
    for page in (html, card):
        assert "<script" not in page
        assert "4.50" in page
        assert "2.25 – 9.00" in page
        assert "3/4" in page
        assert all_messages()["model_review.forbidden_1"][language].replace("'", "&#39;") in page
    figure = re.search('<figure id="figure-priors">(.*?)</figure>', html, re.S)[1]
    for text in ("useful", "read", "do"):
        assert all_messages()[f"model_review.priors_{text}"][language] in texts(figure)
    assert {found["code"] for found in preflight(bundle, {})} >= {"priors", "real"}
    assert "AUC" not in texts(card)


def test_every_coefficient_of_a_regression_that_bends_is_named():
    model = copy.copy(small_model())
    rng = np.random.default_rng(2)
    matrix = pd.DataFrame({"count": rng.poisson(2, 400).astype(float), "age": rng.normal(40, 9, 400)})
    matrix.loc[:40, "age"] = np.nan
    outcome = (rng.random(400) < np.where(matrix["age"] > 45, 0.6, 0.2)).astype(float)
    model.encoding = Encoding.fit(matrix, infer_columns(matrix))
    design = model.encoding.design(matrix)
    model.learner = elastic_net_path(design, outcome, strengths=[0.0001], curves=True)[0][1]
    model.__dict__.pop("_files", None)
    html = texts(model_review(model, {}, TEMPLATES, language="en", figures={}))
    assert len(model.learner.preparation.bent), "nothing bends: this test would show nothing"
    assert "age: change of slope from" in html
    assert "age: not known" in html
