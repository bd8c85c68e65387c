"""A small model, registered in a workspace's MLflow: what tests of the review start from."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from riskml.models.bundle import Model
from riskml.models.calibration import Calibrator
from riskml.models.encoding import Encoding, infer_columns
from riskml.models.linear import elastic_net_path
from riskml.reporting.places import VALIDATION_FILE, card_file, report_folder, review_file
from riskml.review.tracking import experiment_of, mlflow_at
from riskml.settings import Settings

__all__ = ["NOW", "REASONS", "keep_report", "register", "reviewed_settings", "small_model"]

NOW = datetime(2026, 11, 2, 16, tzinfo=UTC)
REASONS = {
    name: f"Se revisó «{name}» con el informe a la vista."
    for name in ("data", "outcome", "predictors", "validation", "fairness", "use")
}


def small_model(name="trial", *, seed=0, synthetic=True):
    """A logistic regression on two columns: Model. Another seed gives another version."""
    rng = np.random.default_rng(seed)
    matrix = pd.DataFrame({"count": rng.poisson(1, 200).astype(float), "age": rng.normal(40, 9, 200)})
    outcome = (rng.random(200) < 0.2 + 0.1 * matrix["count"].clip(0, 4)).astype(float)
    encoding = Encoding.fit(matrix, infer_columns(matrix))
    learner = elastic_net_path(encoding.design(matrix), outcome, strengths=[0.01])[0][1]
    return Model(
        name,
        learner,
        encoding,
        Calibrator("sigmoid", {"slope": 1.0, "intercept": 0.0}),
        card={"label": {"es": "Prueba", "en": "Trial"}, "history": {"synthetic": synthetic}},
        report={"notes": []},
    )


def reviewed_settings(folder, uri=None, **more):
    """Settings of a workspace with nothing in it yet, whose store is SQLite or a server's."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    return Settings(folder=folder, mlflow_uri=uri or f"sqlite:///{folder}/mlflow.db", **more)


def register(settings, model, *, trained_by="-", base=None):
    """Keep a model's bundle in the workspace and register it, as `riskml train` does, without its figures."""
    folder = model.save(settings.bundles / model.name / model.version)
    with mlflow_at(settings) as mlflow:
        tags = {"riskml.trained_by": trained_by} | ({"riskml.base": base} if base else {})
        with mlflow.start_run(experiment_id=experiment_of(mlflow, settings), run_name="training", tags=tags):
            logged = mlflow.pyfunc.log_model(
                name="bundle",
                loader_module="riskml.models.flavour",
                data_path=str(folder),
                pip_requirements=["riskml"],
            )
        client = mlflow.MlflowClient()
        if not client.search_registered_models(f"name = '{model.name}'"):
            client.create_registered_model(model.name)
        registered = client.create_model_version(
            model.name,
            logged.model_uri,
            run_id=logged.run_id,
            model_id=logged.model_id,
            tags={"riskml.version": model.version},
        )
    return str(registered.version)


def keep_report(settings, model):
    """What `riskml report` leaves of a version, without what it says: list of Path."""
    folder = report_folder(settings, model.name, model.version)
    folder.mkdir(parents=True, exist_ok=True)
    about = {"format": "riskml validation 1", "model": {"name": model.name, "version": model.version}}
    files = {VALIDATION_FILE: json.dumps(about)}
    files |= {review_file("es"): "<h1>Informe</h1>", card_file("es"): "<h1>Ficha</h1>"}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]
