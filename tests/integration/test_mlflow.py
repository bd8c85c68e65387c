"""A training run in MLflow: everything there, nothing pickled, nobody named."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.models.spec import load_model_file
from riskml.registry.history import History
from riskml.reporting.figures import report_figures
from riskml.review.tracking import log_training, log_validation, mlflow_at
from riskml.settings import Settings
from riskml.training.train import train
from training_history import small_history
from workspaces import copy_of, state_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    settings = Settings(folder=folder, mlflow_uri=f"sqlite:///{folder}/mlflow.db")
    spec = load_model_file(ROOT / "models" / "repeat.yml").model_copy(update={"bootstrap": 30})
    history = History.of(small_history(400))
    model = train(spec, history, catalogue=load_catalogue(ROOT / "features"), seed=1)
    return settings, model, log_training(model, settings), history


def test_the_registered_version_predicts_as_the_model_does(logged):
    settings, model, run, _ = logged
    rows = pd.DataFrame({s.name: [0.0, 2.0, np.nan] for s in model.encoding.sources if s.kind == "number"})
    for source in model.encoding.sources:
        if source.kind != "number":
            rows[source.name] = [source.values[0] if source.values else "partner", None, None]
    with mlflow_at(settings) as mlflow:
        served = mlflow.pyfunc.load_model(f"models:/{run['model']}/{run['number']}")
        found = served.predict(rows)
    np.testing.assert_array_equal(found["risk"].to_numpy(), model.predict(rows))
    assert (found["low"] <= found["high"]).all()


def test_the_run_holds_parameters_metrics_figures_dataset_and_catalogue(logged):
    settings, model, run, _ = logged
    with mlflow_at(settings) as mlflow:
        client = mlflow.MlflowClient()
        found = client.get_run(run["run_id"])
        version = client.get_model_version(run["model"], run["number"])
        artifacts = {a.path for a in client.list_artifacts(run["run_id"])}
        figures = {a.path for a in client.list_artifacts(run["run_id"], "figures")}
    chosen = model.report["chosen"]
    row = next(r for r in model.report["comparison"] if r["candidate"] == chosen)
    assert found.data.metrics["auc"] == pytest.approx(row["auc"])
    assert found.data.metrics[f"{chosen}/auc_low"] == pytest.approx(row["auc_low"])
    assert found.data.metrics["base_rate/brier"] > 0
    assert found.data.params["outcome.horizon"] == "90d"
    assert found.data.tags["riskml.version"] == model.version == version.tags["riskml.version"]
    assert found.data.tags["riskml.catalogue"] == model.catalogue.hash
    # MLflow would fill in the account's name and the path of the script.
    assert (found.data.tags["mlflow.user"], found.info.user_id) == ("-", "-")
    assert found.data.tags["mlflow.source.name"] == "riskml train"
    inputs = {given.dataset.name: given.dataset for given in found.inputs.dataset_inputs}
    assert (model.card["history"]["hash"] or "unnamed").startswith(inputs["history"].digest)
    for window in model.report["split"]["windows"]:
        profile = json.loads(inputs[f"matrix, {window['window']}"].profile)
        assert profile["num_rows"] == window["assessments"]
        assert profile["num_elements"] == window["assessments"] * len(model.encoding.sources)
    assert len({data.digest for data in inputs.values()}) == len(inputs)
    assert artifacts >= {"figures", "tables", "report.json", "catalogue.json"}
    assert figures == {
        f"figures/{name}.png"
        for name in ("calibration", "roc", "precision_recall", "importance", "comparison")
    }
    assert model.card["estimand"]["es"] in version.description


def _below(client, run_id):
    """The runs below a run, by title: dict of str -> Run."""
    experiment = client.get_run(run_id).info.experiment_id
    found = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'")
    return {run.info.run_name: run for run in found}


def test_every_candidate_is_a_run_below(logged):
    settings, model, run, _ = logged
    with mlflow_at(settings) as mlflow:
        below = _below(mlflow.MlflowClient(), run["run_id"])
    rows = model.report["comparison"]
    assert len(below) == len(rows)
    for place, row in enumerate(rows, start=1):
        found = below[f"{place}. {row['label']['es']}"]
        assert found.data.tags["riskml.chosen"] == str(row["candidate"] == model.report["chosen"]).lower()
        if row.get("refused"):
            assert found.data.tags["riskml.refused"] == row["refused"]["es"]
            assert row["refused"]["es"] in found.data.tags["mlflow.note.content"]
            assert found.data.metrics == {}
        else:
            assert found.data.metrics["auc_high"] == pytest.approx(row["auc_high"])
            assert row["not_estimable"] in found.data.tags["mlflow.note.content"]
        assert found.data.tags["mlflow.user"] == "-"
    assert {found.info.status for found in below.values()} == {"FINISHED"}


def _validation(chosen):
    """A validation document with two origins, and a part that could not be estimated."""
    moments = ("2025-01-01", "2025-07-01")
    size = {"first": "2025-01-01", "last": "2025-06-30", "assessments": 100, "people": 50, "events": 9}
    rows = [
        {"origin": at, "metric": "auc", "estimate": value, "low": 0.5, "high": None}
        for at, value in zip(moments, (0.6, 0.7), strict=True)
    ]
    return {
        "format": "riskml validation 1",
        "seed": 3,
        "settings": {"refits": 5, "origins": 2},
        "performance": {"n": 100, "metrics": {"auc": {"estimate": 0.65, "low": 0.6, "high": None}}},
        "leakage": {"verdict": "pass", "checks": [{"code": "auc", "verdict": "concern"}]},
        "agreement": {"missing": {"es": "nadie asignó niveles", "en": "nobody assigned levels"}},
        "backtest": {
            "origins": [
                {"origin": at, "window": window, **size} for at in moments for window in ("train", "evaluate")
            ],
            "recipe": [
                {"origin": moments[0], "missing": {"es": "faltan eventos", "en": "events are missing"}},
                {"origin": moments[1], "selected": "base_rate", "flexible": False},
            ],
            "candidates": {
                name: {
                    "label": {"es": name.upper(), "en": name},
                    "by_origin": rows,
                    "overall": [{"metric": "auc", "mean": 0.65, "low": 0.6, "high": 0.7}],
                }
                for name in ("base_rate", chosen)
            },
            "chosen": chosen,
        },
    }


def test_a_validation_stands_below_its_training_run_with_one_run_for_each_origin(logged, tmp_path):
    settings, model, *_ = logged
    chosen = model.report["chosen"]
    page = tmp_path / "review.es.html"
    page.write_text("<h1>Informe</h1>", encoding="utf-8")
    figures = {"calibration": report_figures(model.report, "es")["calibration"]}
    done = log_validation(model, _validation(chosen), settings, files=[page], figures=figures)
    again = log_validation(model, _validation(chosen), settings)
    assert done["run_id"] != again["run_id"], "the first validation stays as it was"
    with mlflow_at(settings) as mlflow:
        client = mlflow.MlflowClient()
        found = client.get_run(done["run_id"])
        parent = client.get_run(done["training_run"])
        origins = _below(client, done["run_id"])
        candidates = _below(client, origins["Origen 2: 2025-07-01"].info.run_id)
        artifacts = {a.path for a in client.list_artifacts(done["run_id"])}
    assert parent.data.tags["riskml.version"] == model.version
    assert found.data.tags["mlflow.parentRunId"] == done["training_run"]
    assert found.data.metrics["validation/auc_low"] == pytest.approx(0.6)
    assert "validation/auc_high" not in found.data.metrics, "what is not known is left out"
    assert found.data.metrics["validation/over_origins/auc"] == pytest.approx(0.65)
    assert found.data.tags["riskml.validation.leakage"] == "pass"
    assert found.data.tags["riskml.validation.leakage.auc"] == "concern"
    assert "nadie asignó niveles" in found.data.tags["mlflow.note.content"]
    assert {given.dataset.name for given in found.inputs.dataset_inputs} == {"history", "matrix, evaluate"}
    assert artifacts == {"figures", "review.es.html"}
    assert set(origins) == {"Origen 1: 2025-01-01", "Origen 2: 2025-07-01"}
    assert origins["Origen 2: 2025-07-01"].data.metrics["auc"] == pytest.approx(0.7)
    assert origins["Origen 1: 2025-01-01"].data.metrics["window/evaluate/events"] == 9
    assert {r.data.tags["riskml.candidate"] for r in candidates.values()} == {"base_rate", chosen}
    assert "1. BASE_RATE" in candidates
    assert "faltan eventos" in origins["Origen 1: 2025-01-01"].data.tags["mlflow.note.content"]
    assert "habría elegido: BASE_RATE" in origins["Origen 2: 2025-07-01"].data.tags["mlflow.note.content"]


def test_a_version_that_was_not_logged_has_no_validation_run(logged, tmp_path):
    settings, model, _, _ = logged
    other = model.with_thresholds({"high": 0.5})
    with pytest.raises(RiskmlError, match=f"{other.version} is not registered in MLflow"):
        log_validation(other, _validation("base_rate"), settings)


def test_nothing_is_pickled_and_nobody_is_named(logged):
    settings, _, _, history = logged
    files = [path for path in settings.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")]
    text = b"".join(path.read_bytes() for path in files)
    assert b"cloudpickle" not in text
    people = history.table("cases").to_pandas()
    # Quoted, as JSON and CSV write text: c12 alone may stand in any digest.
    assert not any(f'"{value}"'.encode() in text for value in people["case_id"])
    assert {path.relative_to(settings.folder).parts[0] for path in files} == {"mlflow.db", "mlartifacts"}


def test_a_copied_workspace_logs_to_itself(logged, tmp_path):
    settings, model, first, _ = logged
    before = state_of(settings.folder)
    copied = copy_of(settings.folder, tmp_path / "copy")
    here = Settings(folder=copied, mlflow_uri=f"sqlite:///{copied}/mlflow.db")
    run = log_training(model, here)
    again = log_training(model, here)
    assert state_of(settings.folder) == before
    with mlflow_at(here) as mlflow:
        client = mlflow.MlflowClient()
        for logged_run in (run, again):
            location = client.get_run(logged_run["run_id"]).info.artifact_uri
            assert location.startswith((copied / "mlartifacts").as_uri())
        assert client.get_run(first["run_id"]).data.tags["riskml.version"] == model.version
        assert len(client.search_experiments(filter_string="name LIKE 'riskml%'")) == 2


def test_logging_leaves_mlflow_as_it_was(logged):
    import mlflow

    settings = logged[0]
    before = mlflow.get_tracking_uri()
    with mlflow_at(settings):
        assert mlflow.get_tracking_uri() == settings.mlflow_uri
    assert mlflow.get_tracking_uri() == before


def test_a_second_run_is_the_next_version(logged):
    settings, model, run, _ = logged
    again = log_training(model, settings, language="en", trainer="MOD-3")
    assert int(again["number"]) == int(run["number"]) + 1
    with mlflow_at(settings) as mlflow:
        tags = mlflow.MlflowClient().get_run(again["run_id"]).data.tags
    assert (tags["riskml.trained_by"], tags["mlflow.user"]) == ("MOD-3", "MOD-3")


def test_a_store_that_cannot_be_written_is_one_message(tmp_path, logged):
    (tmp_path / "file").write_text("in the way")
    settings = Settings(folder=tmp_path, mlflow_uri=f"sqlite:///{tmp_path}/file/mlflow.db")
    with pytest.raises(RiskmlError, match="MLflow"):
        log_training(logged[1], settings)
