"""The page of the fatality review: whole for the team, less for everybody else, and never silent on a gap."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from fatality_documents import comparison, document, patterns, replay
from riskml.errors import RiskmlError
from riskml.messages import all_messages
from riskml.reporting.fatality_figures import FIGURES, fatality_figures
from riskml.reporting.fatality_places import fatality_folder, kept_documents
from riskml.reporting.fatality_published import mattered, patterns_published, replay_published
from riskml.reporting.fatality_review import fatality_review, write_fatality_review
from riskml.settings import Settings
from workspaces import riskml

TEMPLATES = Path(__file__).parents[2] / "reports"
SECTIONS = (
    *("method", "cases", "prevalence", "after_only", "earlier", "last_contact", "institutions"),
    *("cooccurrence", "missed", "comparison", "patterns", "replay", "recommendations", "provenance"),
)
HOSTILE = '<script>alert("x")</script> & $x_1$'


@cache
def documents():
    findings = document(5) | {"comparison": comparison()}
    return {"findings": findings, "patterns": patterns(), "replay": replay()}


@cache
def page(language="es", internal=False):
    return fatality_review(documents(), TEMPLATES, language=language, internal=internal)


def texts(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&#34;", '"').replace("&#39;", "'").split())


def section(html, code):
    return html.split(f'<h2 id="{code}"')[1].split("<h2 ")[0]


@pytest.mark.parametrize(("language", "internal"), [("es", False), ("en", True)])
def test_every_section_is_there_in_its_order_with_its_title(language, internal):
    html = page(language, internal)
    assert tuple(re.findall(r'<h2 id="(\w+)"', html)) == SECTIONS
    for code in SECTIONS:
        assert all_messages()[f"fatality_report.section_{code}"][language] in texts(html)


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_figure_says_what_for_how_to_read_it_and_what_to_do(language):
    html = page(language, True)
    assert set(FIGURES) | {"case_R0007"} == set(re.findall(r'<figure id="figure-(\w+)"', html))
    for name in (*FIGURES, "case_R0007"):
        figure = texts(re.search(f'<figure id="figure-{name}">(.*?)</figure>', html, re.S)[1])
        for line in ("useful", "read", "do"):
            message = all_messages()[f"fatality_report.{name.split('_')[0]}_{line}"][language]
            assert message in figure, (name, line)


def test_the_page_stands_alone_and_prints():
    for html in (page(), page("en", True)):
        assert not re.search(r'(src|href)="(?!data:|#)', html), "nothing is fetched from elsewhere"
        assert "<script" not in html
        assert "@media print" in html
        assert "DATOS SINT" in html or "SYNTHETIC DATA" in html


def test_the_first_page_answers_the_four_questions():
    first = texts(page("es", True).split('<h2 id="method"')[0])
    found = documents()["findings"]
    contact = found["last_contact"]["with_contact"]
    assert f"{contact['n']}/{contact['of']} (" in first
    assert "Los elegidos por la búsqueda señalan juntos 14/23" in first
    assert "buscando sin cada caso, 6/23" in first
    assert "Pregunte por asfixia" in first
    assert "probabilidad de feminicidio" in first


def test_power_is_said_before_any_odds_ratio():
    compared = section(page("en", True), "comparison")
    said, shown = compared.index("only odds ratios above about 5.9"), compared.index("Odds ratio, recorded")
    assert said < shown
    assert "[S:1]" in compared


def test_single_cases_and_small_counts_are_for_the_team_alone():
    whole, public = texts(page("es", True)), texts(page("es"))
    assert "Caso R0007" in whole
    assert "R0008" in whole, "a case without contacts is named, too"
    assert not re.search(r"\bR\d{4}\b", public)
    assert "No difundir." in whole
    assert "No difundir." not in public
    assert "3/23" in section(page("es", True), "patterns")
    assert "3/23" not in section(page("es"), "patterns")


def test_a_pattern_of_few_cases_is_published_without_what_would_give_them_back():
    many, few, cheap = patterns_published(patterns())["rows"]
    assert many["caught"]["n"] == 12
    assert many["days_before"]["median"] == 101.5
    assert few["caught"] == {
        "n": {"mark": "below", "than": 5},
        "of": 23,
        "share": None,
        "low": None,
        "high": None,
    }
    assert few["days_before"]["median"] is None
    assert cheap["living"]["flagged"]["mark"] == "below", "the living have a right to it, too"
    assert cheap["living"]["per_week"] is None


def test_a_pattern_of_one_factor_does_not_tell_how_often_that_was_known_before():
    """13 had it: a pattern of it alone that catches 12 would say that one came to light afterwards."""
    hidden = {"mark": "hidden", "than": None}
    factor = {"factor": "separation", "present": 13, "before": {"present": hidden, "n": 23}}
    alone, several = patterns()["rows"][0], patterns()["rows"][2]
    several["when"] = {"all_of": ["separation", "strangulation"]}
    close = {**several, "caught": several["caught"] | {"n": 10}}
    document = patterns() | {"rows": [alone, several, close]}
    shown = [row["caught"]["n"] for row in patterns_published(document, [factor])["rows"]]
    assert shown == [hidden, 8, hidden]
    assert (
        patterns_published(document, [factor | {"before": {"present": 12, "n": 23}}])["rows"][0]["caught"][
            "n"
        ]
        == 12
    )


def test_a_step_that_adds_a_few_cases_is_left_out_of_the_trade_off():
    """12 cases by one pattern and 14 by two would say that the second catches two others."""
    assert [row["patterns"] for row in patterns_published(patterns())["tradeoff"]] == [["separation"]]


def test_the_comparison_is_published_for_factors_with_enough_cases():
    public = section(page("en"), "comparison")
    assert "strangulation (en)" in texts(public)
    assert "jealousy (en)" not in texts(public)
    assert "1 more factor was compared" in texts(public)
    assert "no record at all" not in public, "how many were left out, and why, may be few"
    assert "0.04" not in public, "a q-value hangs on the rows that are not shown"


def test_the_replay_is_published_as_a_table_over_all_cases():
    shown = replay_published(replay())
    assert [row["days_before"]["median"] for row in shown["table"]] == [41.0, None]
    assert shown["table"][1]["fired"]["n"]["mark"] == "below"
    assert shown["mattered"] == []
    assert mattered(replay()) == [{"factor": "separation", "n": 1, "of": 2}]
    assert "cases" not in shown


@pytest.mark.parametrize("internal", [False, True])
def test_a_document_that_is_not_there_yet_is_said_with_its_command(internal):
    only = {
        "findings": documents()["findings"] | {"comparison": {"missing": {"es": "ninguno", "en": "none"}}}
    }
    html = fatality_review(
        only | {"patterns": None, "replay": None}, TEMPLATES, language="es", internal=internal
    )
    assert "lo elabora «riskml fatality criteria propose»" in texts(section(html, "patterns"))
    assert "lo elabora «riskml fatality replay»" in texts(section(html, "replay"))
    assert ("ninguno" in section(html, "comparison")) == internal, "a reason may hold a count"
    drawn = fatality_figures(only | {"patterns": None, "replay": None}, "es", internal=True)
    assert "tradeoff" not in drawn


def test_parts_that_another_register_does_not_hold_are_said_to_be_missing():
    gap = {"missing": {"es": "no se llenó", "en": "not filled"}}
    found = documents()["findings"] | dict.fromkeys(("last_contact", "institutions", "missed", "counts"), gap)
    found |= {"timeline": [], "cooccurrence": [], "recommendations": [], "after_only": []}
    for internal in (False, True):
        html = fatality_review(
            {"findings": found, "patterns": None, "replay": None}, TEMPLATES, language="en", internal=internal
        )
        assert tuple(re.findall(r'<h2 id="(\w+)"', html)) == SECTIONS
        assert html.count("not filled") == (4 if internal else 0)


def test_nobodys_words_enter_unescaped():
    found = json.loads(json.dumps(documents()["findings"]))
    found["recommendations"][0]["recommendation"] = HOSTILE
    for row in found["prevalence"]:
        row["label"] = {"es": HOSTILE, "en": HOSTILE}
    for internal in (False, True):
        html = fatality_review(
            {"findings": found, "patterns": None, "replay": None}, TEMPLATES, internal=internal
        )
        assert "<script" not in html
        assert "&lt;script&gt;" in html


@pytest.fixture
def folder(tmp_path):
    """A workspace's folder with the review's three documents."""
    (tmp_path / "riskml.toml").write_text('[registry]\nurl = "sqlite:///registry.db"\n', encoding="utf-8")
    (tmp_path / "reports").mkdir()
    for template in TEMPLATES.glob("*.j2"):
        (tmp_path / "reports" / template.name).write_bytes(template.read_bytes())
    out = tmp_path / "reports" / "out" / "fatality"
    out.mkdir(parents=True)
    for name, made in documents().items():
        (out / f"{name}.json").write_text(json.dumps(made), encoding="utf-8")
    return tmp_path


def test_the_command_writes_the_page_for_publication_unless_told_otherwise(folder):
    run = riskml("fatality", "report", "--workspace", folder)
    out = folder / "reports" / "out" / "fatality"
    assert run.code == 0, run.err
    assert "review.es.html" in run.out
    assert not (out / "internal.es.html").exists()
    assert "R0007" not in (out / "review.es.html").read_text(encoding="utf-8")
    run = riskml("fatality", "report", "--internal", "--language", "en", "--workspace", folder)
    assert run.code == 0, run.err
    assert "R0007" in (out / "internal.en.html").read_text(encoding="utf-8")


def test_without_documents_or_with_a_broken_one_the_command_says_how_to_make_it(folder):
    settings = Settings(folder=folder)
    out = folder / "reports" / "out" / "fatality"
    (out / "replay.json").write_text('{"format": "something else"}', encoding="utf-8")
    run = riskml("fatality", "report", "--workspace", folder)
    assert run.code == 2
    assert "`riskml fatality replay` writes it anew" in run.err
    for path in out.iterdir():
        path.unlink()
    run = riskml("fatality", "report", "--workspace", folder)
    assert run.code == 2
    assert "riskml fatality analyse" in run.err
    assert kept_documents(settings) == dict.fromkeys(("findings", "patterns", "replay"))
    assert fatality_folder(settings) == out
    with pytest.raises(RiskmlError, match="nothing to report yet"):
        write_fatality_review(settings)


def drawn_texts(figure):
    """The words that are drawn: ticks beyond the ends of an axis exist, and are not."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
            yield from (label for at, label in ticks if low <= at <= high)
            yield axis.label
        yield from axes.texts
    for legend in figure.legends:
        yield from legend.get_texts()


@pytest.mark.parametrize("language", ["es", "en"])
def test_no_words_of_a_figure_are_cut_off_at_its_edge(language):
    """A legend of too many columns, or a long name, runs out of the picture without a warning."""
    long = json.loads(json.dumps(documents()))
    name = "Al menos 2 de: amenaza con arma; agresión durante el embarazo; celos intensos"
    for row in long["replay"]["patterns"]:
        row["label"] = {"es": name, "en": name}
    for figure in fatality_figures(long, language, internal=True).values():
        figure.canvas.draw()
        edge = figure.bbox.padded(1)
        for text in drawn_texts(figure):
            box = text.get_window_extent()
            inside = edge.x0 <= box.x0 and box.x1 <= edge.x1 and edge.y0 <= box.y0 and box.y1 <= edge.y1
            assert inside or not text.get_text().strip(), text.get_text()
