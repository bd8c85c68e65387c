"""MLflow as a workspace uses it: its store, its experiments, and the registered version of a bundle."""

import logging
import os
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from riskml.errors import RiskmlError
from riskml.messages import message

__all__ = ["ARTIFACTS", "experiment_of", "mlflow_at", "registered_version", "registered_versions"]

ARTIFACTS = "mlartifacts"


@contextmanager
def mlflow_at(settings):
    """MLflow with the workspace's store, without telemetry, banners and global traces of our use.

    Parameters
    ----------
    settings : Settings

    Yields
    ------
    the module mlflow

    Raises
    ------
    RiskmlError    the store cannot be reached or written
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    # A server that does not answer is told of within seconds rather than minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it tells notebooks that it draws no progress bars
        import mlflow
    from sqlalchemy.exc import SQLAlchemyError

    levels = {name: logging.getLogger(name).level for name in ("mlflow", "alembic")}
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        mlflow.set_tracking_uri(settings.mlflow_uri)
        mlflow.set_registry_uri(settings.mlflow_uri)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's and its libraries' own deprecations
            yield mlflow
    except (mlflow.exceptions.MlflowException, SQLAlchemyError, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise RiskmlError(
            f"MLflow: {reason}",
            where=settings.mlflow_uri.split("@")[-1],
            mend="Check that the store exists and can be written; `riskml doctor` tries it.",
        ) from None
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def experiment_of(mlflow, settings, name=None, *, tags=None):
    """An experiment, made where there is none; a local store keeps its files in the workspace.

    MLflow writes where an experiment was made, and cannot be told otherwise: in a workspace that was copied
    or moved since, that experiment is kept under another name and a new one is made, so that the copy never
    writes into the original.

    Parameters
    ----------
    mlflow : module         of `mlflow_at`
    settings : Settings
    name : str or None      None: `mlflow_experiment`
    tags : dict or None     of the experiment; None: a line on what a training run is

    Returns
    -------
    str    its id
    """
    name, local = name or settings.mlflow_experiment, settings.mlflow_uri.startswith("sqlite:")
    location = (Path(settings.folder) / ARTIFACTS).resolve().as_uri() if local else None
    # Without its kind, MLflow opens an experiment in its pages for conversations.
    note = {"mlflow.note.content": message("tracking.experiment", settings.language)}
    tags = {"mlflow.experimentKind": "custom_model_development"} | (note if tags is None else tags)
    found = mlflow.get_experiment_by_name(name)
    if found is not None and location in (None, found.artifact_location):
        for key in tags.keys() - found.tags.keys():
            mlflow.MlflowClient().set_experiment_tag(found.experiment_id, key, tags[key])
        return found.experiment_id
    if found is not None:
        made = datetime.fromtimestamp(found.creation_time / 1000, UTC)
        elsewhere = f"{name} (made elsewhere, {made:%Y-%m-%d %H:%M:%S})"
        mlflow.MlflowClient().rename_experiment(found.experiment_id, elsewhere)
    return mlflow.create_experiment(name, artifact_location=location, tags=tags)


def registered_versions(client, name, version):
    """MLflow's versions of a registered model that hold a bundle, one for each time that it was logged.

    Parameters
    ----------
    client : MlflowClient
    name : str       of the model
    version : str    of the bundle

    Returns
    -------
    list of MLflow's ModelVersion, the latest last

    Raises
    ------
    RiskmlError    it was not logged
    """
    found = [
        v for v in client.search_model_versions(f"name = '{name}'") if v.tags.get("riskml.version") == version
    ]
    if not found:
        raise RiskmlError(
            f"version {version} is not registered in MLflow",
            where=f'model "{name}"',
            mend=f"`riskml train {name}` logs it; the same history and seed give the same version.",
        )
    return sorted(found, key=lambda v: int(v.version))


def registered_version(client, name, version):
    """The latest of `registered_versions`."""
    return registered_versions(client, name, version)[-1]
