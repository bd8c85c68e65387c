"""Training runs in MLflow: what was measured, the figures, and the bundle as a registered model version.

Nothing is pickled and nothing leaves the machine: the model version holds the bundle's own text and JSON,
which MLflow reads through `riskml.models.flavour`. No case, no person and no row of a matrix is logged.
"""

import json
import logging
import os
import tempfile
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from riskml.errors import RiskmlError
from riskml.reporting.figures import report_figures

__all__ = ["ARTIFACTS", "experiment_of", "log_training", "mlflow_at"]

ARTIFACTS = "mlartifacts"
FLAVOUR = "riskml.models.flavour"
LONGEST_PARAMETER = 500


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
    tags : dict or None     of a new experiment

    Returns
    -------
    str    its id
    """
    name, local = name or settings.mlflow_experiment, settings.mlflow_uri.startswith("sqlite:")
    location = (Path(settings.folder) / ARTIFACTS).resolve().as_uri() if local else None
    found = mlflow.get_experiment_by_name(name)
    if found is not None and location in (None, found.artifact_location):
        return found.experiment_id
    if found is not None:
        made = datetime.fromtimestamp(found.creation_time / 1000, UTC)
        elsewhere = f"{name} (made elsewhere, {made:%Y-%m-%d %H:%M:%S})"
        mlflow.MlflowClient().rename_experiment(found.experiment_id, elsewhere)
    return mlflow.create_experiment(name, artifact_location=location, tags=tags)


def _flat(document, prefix=""):
    """Nested settings as `part.key` -> text."""
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parameters(model):
    skipped = ("label", "limits", "outcome.estimand")
    settings = {
        key: value[:LONGEST_PARAMETER]
        for key, value in _flat(model.report["model"])
        if not key.startswith(skipped)
    }
    for name, tuning in model.report["tuning"].items():
        chosen = next(row for row in tuning if row["chosen"])
        settings |= {f"{name}.{key}": value for key, value in _flat({"chosen": chosen})}
    return settings | {
        "seed": str(model.card["seed"]),
        "calibrator": model.calibrator.kind,
        "learner": model.learner.kind,
        "design_columns": str(len(model.encoding.columns)),
    }


def _metrics(report):
    """Numbers of the comparison as `candidate/metric`; those of the chosen one by their bare names too."""
    metrics = {}
    for row in report["comparison"]:
        for key, value in row.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                metrics[f"{row['candidate']}/{key}"] = float(value)
                if row["candidate"] == report["chosen"]:
                    metrics[key] = float(value)
    for window in report.get("split", {}).get("windows", ()):
        for key in ("assessments", "aggressors", "events"):
            metrics[f"window/{window['window']}/{key}"] = float(window[key])
    return metrics


def _example(model):
    """An input that belongs to nobody: no record at all, the first category of each word."""
    row = {}
    first = {
        column.source: column.value for column in reversed(model.encoding.columns) if column.rule == "is"
    }
    for source in model.encoding.sources:
        if source.kind == "number":
            row[source.name] = 0.0
        else:
            row[source.name] = source.values[0] if source.values else first.get(source.name, "other")
    return pd.DataFrame([row])


def _signature(model):
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs = [
        ColSpec(
            DataType.double if source.kind == "number" else DataType.string,
            source.name,
            required=source.kind == "number",
        )
        for source in model.encoding.sources
    ]
    return ModelSignature(
        inputs=Schema(inputs),
        outputs=Schema([ColSpec(DataType.double, name) for name in ("risk", "low", "high")]),
    )


def _tags(model, trainer):
    card, report = model.card, model.report
    return {
        # MLflow would fill in the account's name and the script's path: who trained stands there as a code.
        "mlflow.user": trainer or "-",
        "mlflow.source.name": "riskml train",
        "riskml.trained_by": trainer or "-",
        "riskml.model": model.name,
        "riskml.version": model.version,
        "riskml.outcome": json.dumps(card["outcome"]["event"]),
        "riskml.horizon": card["horizon"],
        "riskml.history": card["history"]["hash"],
        "riskml.synthetic": str(card["history"]["synthetic"]).lower(),
        "riskml.catalogue": card["catalogue"],
        "riskml.prospective": str(report["split"]["prospective"]).lower(),
        "riskml.chosen": report["chosen"],
        "riskml.simplest_not_worse": report["simplest_not_worse"],
        "riskml.notes": ", ".join(entry["code"] for entry in report["notes"]),
    }


def _description(model, language):
    """The run in words: title, estimand, limits, and what a reader must notice."""
    card = model.card
    parts = [f"**{card['label'][language]}**", card["estimand"][language], card["limits"].get(language, "")]
    parts += [f"- {entry[language]}" for entry in model.report["notes"]]
    return "\n\n".join(part for part in parts if part)


def _log_dataset(mlflow, model):
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    digest = model.card["history"]["hash"]
    source = CodeDatasetSource(tags={"riskml.history": digest})
    mlflow.log_input(
        MetaDataset(source, name="history", digest=(digest or "unnamed")[:32]), context="training"
    )


def _log_model(mlflow, model, language):
    """The bundle as a version of the registered model of its name: (version's number, MLflow's model id)."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = model.save(Path(scratch) / "bundle")
        logged = mlflow.pyfunc.log_model(
            name="bundle",
            loader_module=FLAVOUR,
            data_path=str(folder),
            signature=_signature(model),
            input_example=_example(model),
            pip_requirements=[f"riskml=={model.card['libraries']['riskml']}"],
            metadata={"version": model.version},
        )
    client = mlflow.MlflowClient()
    if not client.search_registered_models(f"name = '{model.name}'"):
        client.create_registered_model(model.name, description=model.card["label"][language])
    registered = client.create_model_version(
        model.name,
        logged.model_uri,
        run_id=logged.run_id,
        model_id=logged.model_id,
        tags={"riskml.version": model.version},
        description=_description(model, language),
    )
    return str(registered.version), logged.model_id


def log_training(model, settings, *, language=None, trainer=None):
    """Log a training run and register its model version.

    Parameters
    ----------
    model : Model          of `riskml.train`
    settings : Settings    of the workspace: `mlflow_uri`, `mlflow_experiment`; files of a local store go to
        `mlartifacts` in the workspace
    language : str or None    of figures and descriptions; None: the workspace's
    trainer : str or None     code of who trained it, never a name: who may not approve it

    Returns
    -------
    dict    run_id, model (registered name), number (its version in MLflow), version (of the bundle)

    Raises
    ------
    RiskmlError    the store cannot be reached or written
    """
    language = language or settings.language
    with mlflow_at(settings) as mlflow:
        experiment = experiment_of(mlflow, settings)
        with mlflow.start_run(
            experiment_id=experiment,
            run_name=f"{model.name} {model.version}",
            description=_description(model, language),
            tags=_tags(model, trainer),
        ) as run:
            mlflow.log_params(_parameters(model))
            number, model_id = _log_model(mlflow, model, language)
            mlflow.log_metrics(_metrics(model.report), model_id=model_id)
            _log_dataset(mlflow, model)
            for name, figure in report_figures(model.report, language).items():
                mlflow.log_figure(figure, f"figures/{name}.png")
            mlflow.log_dict(model.report, "report.json")
            if model.catalogue is not None:
                mlflow.log_dict(model.catalogue.to_document(), "catalogue.json")
            for name in ("comparison", "calibration_groups", "importance"):
                table = pd.json_normalize(model.report[name])
                mlflow.log_text(table.to_csv(index=False), f"tables/{name}.csv")
    return {"run_id": run.info.run_id, "model": model.name, "number": number, "version": model.version}
