"""`riskml report`: files where a review looks for them, a kept validation, errors that can be read."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from reported_models import reported_model, validation_document
from riskml.cli.app import app
from riskml.errors import RiskmlError
from riskml.reporting.files import kept_validation, write_model_reports
from riskml.reporting.places import report_folder
from riskml.settings import Settings
from riskml.workspace import open_workspace
from small_opinion import REPOSITORY
from workspaces import riskml


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


@pytest.fixture
def small_workspace(settings, model, monkeypatch):
    """A workspace with one kept version, in which a validation costs nothing and is counted."""
    (settings.folder / "riskml.toml").write_text('language = "es"\n', encoding="utf-8")
    folder = model.save(settings.bundles / model.name / model.version)
    (folder.parent / "latest").write_text(model.version, encoding="utf-8")
    asked = []

    def validate(validated, history, **options):
        asked.append(options)
        return validation_document(validated)

    history = SimpleNamespace(hash="a1" * 32)
    monkeypatch.setattr("riskml.workspace.Workspace.history", lambda self, content_hash=None: history)
    monkeypatch.setattr("riskml.workspace.Workspace.levels", SimpleNamespace(hash="levels 1"))
    monkeypatch.setattr("riskml.training.validate.validate", validate)
    monkeypatch.setattr("riskml.reporting.validation_figures.validation_figures", lambda *_: {})
    return settings.folder, asked


def run(folder, *options):
    done = CliRunner().invoke(app, ["report", "trial", "--no-log", "--workspace", str(folder), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_validation_is_computed_once_and_read_again(small_workspace, model, monkeypatch):
    folder, asked = small_workspace
    shown = run(folder)
    assert "Revisión previa" in shown
    assert "review.es.html" in shown.replace("\n", "")
    out = report_folder(Settings(folder=folder), model.name, model.version)
    first = (out / "validation.json").read_bytes()
    assert "ya estaba calculada" not in shown

    assert "had been computed" in run(folder, "--language", "en")
    assert len(asked) == 1
    assert (out / "validation.json").read_bytes() == first
    assert {"review.es.html", "review.en.html", "card.es.html", "card.en.html"} < {
        p.name for p in out.iterdir()
    }

    run(folder, "--again")
    assert len(asked) == 2
    run(folder, "--refits", "50")
    assert asked[-1]["refits"] == 50
    run(folder, "--refits", "50", "--seed", "3")
    assert len(asked) == 4
    monkeypatch.setattr("riskml.workspace.Workspace.levels", SimpleNamespace(hash="levels 2"))
    run(folder, "--refits", "50", "--seed", "3")
    assert len(asked) == 5, "other levels cost something else"


@pytest.mark.slow
def test_a_trained_model_has_a_whole_report(workspace):
    done = riskml("report", "repeat", "--refits", 20, "--language", "en", "--workspace", workspace)
    assert done.code == 0, done.err
    (folder,) = (workspace / "reports" / "out").glob("repeat-*")
    document = json.loads((folder / "validation.json").read_text(encoding="utf-8"))
    html = (folder / "review.en.html").read_text(encoding="utf-8")
    assert document["model"]["version"] in html
    assert html.count("<figure id=") >= 10
    people = open_workspace(workspace).history().table("cases").to_pydict()
    for column in ("case_id", "aggressor_id", "victim_id"):
        assert not any(name in html or name in str(document) for name in people[column][:200]), column
