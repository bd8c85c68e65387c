"""A training run in MLflow: everything there, nothing pickled, nobody named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.models.spec import load_model_file
from riskml.registry.history import History
from riskml.review.tracking import log_training, mlflow_at
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
    row = next(r for r in model.report["comparison"] if r["candidate"] == "lightgbm")
    assert found.data.metrics["auc"] == pytest.approx(row["auc"])
    assert found.data.metrics["lightgbm/auc_low"] == pytest.approx(row["auc_low"])
    assert found.data.metrics["base_rate/brier"] > 0
    assert found.data.params["outcome.horizon"] == "90d"
    assert found.data.tags["riskml.version"] == model.version == version.tags["riskml.version"]
    assert found.data.tags["riskml.catalogue"] == model.catalogue.hash
    # MLflow would fill in the account's name and the path of the script.
    assert (found.data.tags["mlflow.user"], found.info.user_id) == ("-", "-")
    assert found.data.tags["mlflow.source.name"] == "riskml train"
    assert found.inputs.dataset_inputs[0].dataset.name == "history"
    assert artifacts >= {"figures", "tables", "report.json", "catalogue.json"}
    assert figures == {
        f"figures/{name}.png"
        for name in ("calibration", "roc", "precision_recall", "importance", "comparison")
    }
    assert model.card["estimand"]["es"] in version.description


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
    again = log_training(model, settings, language="en")
    assert int(again["number"]) == int(run["number"]) + 1


def test_a_store_that_cannot_be_written_is_one_message(tmp_path, logged):
    (tmp_path / "file").write_text("in the way")
    settings = Settings(folder=tmp_path, mlflow_uri=f"sqlite:///{tmp_path}/file/mlflow.db")
    with pytest.raises(RiskmlError, match="MLflow"):
        log_training(logged[1], settings)
