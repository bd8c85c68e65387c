"""`riskml report`: files where a review looks for them, a kept validation, errors that can be read."""

import json

import pytest
from typer.testing import CliRunner

from reported_models import reported_model, validation_document
from riskml.cli.app import app
from riskml.errors import RiskmlError
from riskml.reporting.files import kept_validation, write_model_reports
from riskml.reporting.places import report_folder
from riskml.settings import Settings
from small_opinion import REPOSITORY


@pytest.fixture
def settings(tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    for template in (REPOSITORY / "reports").glob("*.j2"):
        (folder / template.name).write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    return Settings(folder=tmp_path)


@pytest.fixture(scope="module")
def model():
    return reported_model()


def test_a_version_has_its_files_in_its_own_folder(settings, model):
    document = validation_document(model) | {"asked": {"refits": 12}}
    files = write_model_reports(model, document, settings, language="en", figures={})
    folder = report_folder(settings, model.name, model.version)
    assert folder == settings.reports / "out" / f"trial-{model.version}"
    assert [path.name for path in files] == ["validation.json", "review.en.html", "card.en.html"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in files)
    assert kept_validation(settings, model) == json.loads(json.dumps(document))


def test_a_broken_template_leaves_nothing_behind(settings, model):
    (settings.reports / "model_card.html.j2").write_text("{% if %}", encoding="utf-8")
    with pytest.raises(RiskmlError, match="does not render"):
        write_model_reports(model, {}, settings, figures={})
    assert not report_folder(settings, model.name, model.version).exists()


def test_a_validation_that_is_none_says_how_to_mend_it(settings, model):
    assert kept_validation(settings, model) is None
    path = report_folder(settings, model.name, model.version) / "validation.json"
    path.parent.mkdir(parents=True)
    for content in ("{", "[]", '{"model": 3}', "{}"):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(RiskmlError, match="not a validation document") as error:
            kept_validation(settings, model)
        assert "--again" in error.value.mend


def test_the_command_has_an_example():
    shown = CliRunner().invoke(app, ["report", "--help"])
    assert shown.exit_code == 0
    assert "riskml report escalation" in shown.stdout
