"""Reports: every value escaped, nothing fetched from elsewhere, both languages, readable errors."""

import copy
import re

import pytest
from markupsafe import Markup

from riskml.errors import RiskmlError
from riskml.reporting.demo import demo_report
from riskml.reporting.render import figure_image, render, write_report
from riskml.scoring.score import score
from small_opinion import AS_OF, REPOSITORY, small_registry

TEMPLATES = REPOSITORY / "reports"
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return small_registry(tmp_path_factory.mktemp("registry"))


def judged(model, label):
    """The model with the report of a training, as far as a page shows it."""
    other = copy.copy(model)
    row = {
        "candidate": "lightgbm",
        "label": {"es": label, "en": label},
        "events": 90,
        "n": 800,
        "groups": 300,
    }
    figures = ("auc", "average_precision", "brier", "scaled_brier", "calibration_slope", "ici")
    other.report = {
        "comparison": [row | dict.fromkeys(figures, 0.5) | {f"{name}_low": 0.4 for name in figures}],
        "chosen": "lightgbm",
        "split": {"windows": [{"window": "evaluate", "first": "2026-01-01", "last": "2026-06-01"}]},
        "notes": [{"code": "note", "es": label, "en": label}],
    }
    other.card = other.card | {
        "label": {"es": label, "en": label},
        "estimand": {"es": label, "en": label},
        "capacity": 40,
    }
    return other


def page(registry, path, language, label):
    models = [judged(model, label) for model in registry.models]
    opinion = score(models, registry.history, AS_OF)
    demo_report(
        path,
        TEMPLATES,
        opinion=opinion,
        case=opinion.cases.index[0],
        questions=[label],
        counts=[("card_cases", 120)],
        images={model.name: {"calibration": Markup("<img>")} for model in models},
        truths={"repeat": {"auc": 0.8, "low": 0.7, "high": 0.9}},
        commands=[("next_features", label)],
        language=language,
    )
    return opinion, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["es", "en"])
def test_hostile_text_is_escaped_everywhere(registry, tmp_path, language):
    _, html = page(registry, tmp_path / "out" / "demo.html", language, HOSTILE)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 6
    assert f'<html lang="{language}">' in html


def test_a_page_stands_alone_and_shows_what_it_must(registry, tmp_path):
    opinion, html = page(registry, tmp_path / "demo.html", "es", "Desenlace")
    assert not re.search(r'(src|href)="(?!data:)', html), "nothing is fetched from elsewhere"
    assert "DATOS SINTÉTICOS" in html
    first = opinion.cases.index[0]
    assert first[:12] in html
    assert first not in html, "a list shows the beginning of a pseudonym"
    assert "casos parecidos" in html
    assert "de cada 100" in html
    assert opinion.models["repeat"].version in html
    for case in opinion.cases.index[:15]:
        risk = opinion.cases.loc[case, "repeat_risk"]
        assert f"{risk:.3f}" not in html, "no one's own probability"


def test_a_value_that_is_missing_is_an_error_with_its_place(tmp_path):
    (tmp_path / "a.html.j2").write_text("<p>{{ absent }}</p>", encoding="utf-8")
    with pytest.raises(RiskmlError, match=r"does not render \(UndefinedError\)"):
        render(tmp_path, "a.html.j2")
    (tmp_path / "b.html.j2").write_text("<p>\n{% if %}</p>", encoding="utf-8")
    with pytest.raises(RiskmlError, match="line 2"):
        render(tmp_path, "b.html.j2")
    with pytest.raises(RiskmlError, match='no template "c'):
        render(tmp_path, "c.html.j2")


def test_a_value_is_escaped_in_any_template(tmp_path):
    (tmp_path / "a.html.j2").write_text('<p title="{{ words }}">{{ words }}</p>', encoding="utf-8")
    assert "<script" not in render(tmp_path, "a.html.j2", words=HOSTILE)


def test_a_report_is_written_in_one_step(tmp_path):
    path = write_report(tmp_path / "out" / "r.html", "<p>one</p>")
    write_report(path, "<p>two</p>")
    assert path.read_text(encoding="utf-8") == "<p>two</p>"
    assert [p.name for p in path.parent.iterdir()] == ["r.html"]


def test_a_figure_stands_inside_the_page_with_words_for_those_who_do_not_see_it():
    from matplotlib.figure import Figure

    image = figure_image(Figure(figsize=(1, 1)), 'a "figure"')
    assert image.startswith('<img alt="a &#34;figure&#34;" src="data:image/png;base64,')


def test_an_interrupted_report_leaves_the_old_page_and_nothing_else(tmp_path, monkeypatch):
    path = write_report(tmp_path / "r.html", "<p>old</p>")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("riskml.reporting.render.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(path, "<p>new</p>")
    assert path.read_text(encoding="utf-8") == "<p>old</p>"
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_a_template_that_is_missing_or_broken_is_named_with_its_line(tmp_path):
    with pytest.raises(RiskmlError, match=r'no template "none\.html\.j2"') as error:
        render(tmp_path, "none.html.j2")
    assert "riskml init" in error.value.mend
    (tmp_path / "broken.html.j2").write_text("<p>\n{% if %}\n</p>")
    with pytest.raises(RiskmlError, match="does not render") as error:
        render(tmp_path, "broken.html.j2")
    assert error.value.where.endswith("broken.html.j2, line 2")


def test_a_page_on_single_cases_is_for_its_owner_alone(tmp_path):
    public, private = (write_report(tmp_path / f"{kind}.html", "x", private=kind) for kind in (False, True))
    assert public.stat().st_mode & 0o777 == 0o644
    assert private.stat().st_mode & 0o777 == 0o600
