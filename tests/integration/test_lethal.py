"""The lethal model by its commands and in MLflow: printed side by side, registered, nobody's probability."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lethal_history import lethal_tables
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.lethal_spec import load_lethal_file
from riskml.registry.history import History
from riskml.review.lethal_tracking import log_lethal
from riskml.review.tracking import mlflow_at
from riskml.settings import Settings
from riskml.training.lethal import train_lethal
from riskml.workspace import open_workspace
from workspaces import riskml

ROOT = Path(__file__).parents[2]


# ------------------------------------------------------------------ MLflow


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    settings = Settings(folder=folder, mlflow_uri=f"sqlite:///{folder}/mlflow.db")
    history = History.of(lethal_tables(120, 10))
    spec = load_lethal_file(ROOT / "models" / "lethal.yml")
    bundle = train_lethal(spec, history, catalogue=load_catalogue(ROOT / "features"))
    return settings, bundle, log_lethal(bundle, settings, trainer="FGJ-01"), history


def test_the_registered_version_serves_relative_risk_as_the_bundle_gives_it(logged):
    settings, bundle, run, history = logged
    matrix = build_features(history, history.open_cases("2024-06-03"), bundle.catalogue)
    with mlflow_at(settings) as mlflow:
        served = mlflow.pyfunc.load_model(f"models:/{run['model']}/{run['number']}")
        found = served.predict(matrix[list(bundle.columns)].astype(object).reset_index(drop=True))
    assert list(found) == ["relative", "low", "high", "present", "denied", "unknown"]
    np.testing.assert_array_equal(found["relative"], bundle.score(matrix)["relative"])


def test_the_run_holds_the_table_and_its_words_and_nobody(logged):
    settings, bundle, run, history = logged
    with mlflow_at(settings) as mlflow:
        client = mlflow.MlflowClient()
        found = client.get_run(run["run_id"])
        version = client.get_model_version(run["model"], run["number"])
        folder = Path(client.download_artifacts(run["run_id"], "", str(settings.folder / "seen")))
    row = bundle.report["table"][0]
    assert found.data.metrics["strangulation/posterior"] == pytest.approx(row["posterior"])
    assert found.data.metrics["cases"] == 10
    assert found.data.metrics["leave_one_out/auc"] == pytest.approx(bundle.report["leave_one_out"]["auc"])
    assert found.data.params["sampling.controls"] == "10"
    assert found.data.tags["riskml.trained_by"] == found.data.tags["mlflow.user"] == "FGJ-01"
    assert found.data.tags["riskml.version"] == bundle.version == version.tags["riskml.version"]
    assert found.data.tags["riskml.kind"] == "lethal"
    assert bundle.card["estimand"]["es"] in version.description
    table = pd.read_csv(folder / "tables" / "prior_data_posterior.csv")
    assert table["posterior"].tolist() == pytest.approx([r["posterior"] for r in bundle.report["table"]])
    said = (folder / "table.txt").read_text(encoding="utf-8")
    assert said.splitlines() == bundle.report["words"]["es"]
    held = " ".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.*") if path.suffix != ".png")
    cases = history.table("cases")["case_id"].to_pylist()
    assert not [case for case in cases if re.search(rf'"{case}"|,{case},', held)]


# ------------------------------------------------------------------ the commands, on a simulated registry


@pytest.fixture(scope="module")
def trained(demo_workspace, tmp_path_factory):
    """A workspace of the demo's in which the lethal model was trained too, and what the command said."""
    from workspaces import copy_of

    folder = copy_of(demo_workspace, tmp_path_factory.mktemp("lethal") / "padron")
    return folder, riskml("train", "lethal", "--no-log", "--workspace", folder)


def test_training_on_the_simulators_reviews_prints_the_table(trained):
    folder, said = trained
    assert said.code == 0, said.err
    bundle = open_workspace(folder).trained("lethal")
    assert f"Modelo lethal {bundle.version}" in said.out
    known = open_workspace(folder).history().row_count("outcomes")
    assert bundle.report["events"] == known
    assert bundle.report["cases"] + sum(row["events"] for row in bundle.report["exclusions"]) == known
    flat = re.sub(r"[│\s]+", " ", said.out)
    for words in (
        "Feminicidio o tentativa",
        "previo",
        "posterior",
        "[S:1]",
        "No da ni puede dar",
        "sintéticos",
    ):
        assert words in flat
    assert bundle.card["history"]["synthetic"]
