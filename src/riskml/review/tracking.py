"""Training runs in MLflow: what was measured, the figures, and the bundle as a registered model version.

Nothing is pickled and nothing leaves the machine: the model version holds the bundle's own text and JSON,
which MLflow reads through `riskml.models.flavour`. No case, no person and no row of a matrix is logged.
"""

import json
import tempfile
from pathlib import Path

import pandas as pd

from riskml.messages import message
from riskml.reporting.figures import report_figures
from riskml.review.nested_runs import (
    candidate_runs,
    dataset_inputs,
    numbers,
    numbers_of,
    origin_runs,
    record,
    with_intervals,
)
from riskml.review.store import ARTIFACTS, experiment_of, mlflow_at, registered_version

__all__ = [
    "ARTIFACTS",
    "described",
    "experiment_of",
    "log_training",
    "log_validation",
    "mlflow_at",
    "register_bundle",
    "registered_version",
    "training_tags",
]

FLAVOUR = "riskml.models.flavour"
LONGEST_PARAMETER = 500


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
    """Numbers of the chosen candidate by their bare names, then the windows, then all `candidate/metric`."""
    rows = {row["candidate"]: numbers_of(row) for row in report["comparison"]}
    metrics = dict(rows[report["chosen"]])
    for window in report.get("split", {}).get("windows", ()):
        for key in ("assessments", "aggressors", "events"):
            metrics[f"window/{window['window']}/{key}"] = float(window[key])
    for candidate, own in rows.items():
        metrics |= {f"{candidate}/{key}": value for key, value in own.items()}
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


def training_tags(model, trainer):
    """Tags of a training run of any bundle: what it is, what it was made of, and by whom.

    Parameters
    ----------
    model : Model or LethalBundle
    trainer : str or None    code of who trained it, never a name

    Returns
    -------
    dict of str -> str
    """
    card = model.card
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
        "riskml.notes": ", ".join(entry["code"] for entry in model.report["notes"]),
    }


def _tags(model, trainer):
    card, report = model.card, model.report
    return training_tags(model, trainer) | {
        "riskml.prospective": str(report["split"]["prospective"]).lower(),
        "riskml.chosen": report["chosen"],
        "riskml.simplest_not_worse": report["simplest_not_worse"],
        **({"riskml.base": card["base"]} if "base" in card else {}),
    }


def _shared(model):
    """Tags of the runs below a training run."""
    return {
        "mlflow.user": "-",
        "mlflow.source.name": "riskml",
        "riskml.model": model.name,
        "riskml.version": model.version,
    }


def described(model, language):
    """The run in words: title, estimand, limits, and what a reader must notice."""
    card = model.card
    parts = [f"**{card['label'][language]}**", card["estimand"][language], card["limits"].get(language, "")]
    parts += [f"- {entry[language]}" for entry in model.report["notes"]]
    return "\n\n".join(part for part in parts if part)


def register_bundle(mlflow, model, language, *, signature, example):
    """The bundle as a version of the registered model of its name: (version's number, MLflow's model id).

    Parameters
    ----------
    mlflow : module            of `mlflow_at`, in a run
    model : Model or LethalBundle
    language : str
    signature : ModelSignature
    example : DataFrame        an input that belongs to nobody
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = model.save(Path(scratch) / "bundle")
        logged = mlflow.pyfunc.log_model(
            name="bundle",
            loader_module=FLAVOUR,
            data_path=str(folder),
            signature=signature,
            input_example=example,
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
        description=described(model, language),
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
            description=described(model, language),
            tags=_tags(model, trainer),
        ) as run:
            mlflow.log_params(_parameters(model))
            number, model_id = register_bundle(
                mlflow, model, language, signature=_signature(model), example=_example(model)
            )
            mlflow.log_metrics(_metrics(model.report), model_id=model_id)
            client = mlflow.MlflowClient()
            client.log_inputs(run.info.run_id, datasets=dataset_inputs(model, language))
            for name, figure in report_figures(model.report, language).items():
                mlflow.log_figure(figure, f"figures/{name}.png")
            mlflow.log_dict(model.report, "report.json")
            if model.catalogue is not None:
                mlflow.log_dict(model.catalogue.to_document(), "catalogue.json")
            for name in ("comparison", "calibration_groups", "importance"):
                table = pd.json_normalize(model.report[name])
                mlflow.log_text(table.to_csv(index=False), f"tables/{name}.csv")
            below = candidate_runs(model.report, language)
            record(client, experiment, run.info.run_id, below, shared=_shared(model))
    return {"run_id": run.info.run_id, "model": model.name, "number": number, "version": model.version}


def _verdicts(validation):
    """What the parts of a validation conclude, as tags."""
    leakage = validation.get("leakage", {})
    concluded = {
        "leakage": leakage.get("verdict"),
        "sample_size_met": validation.get("sample_size", {}).get("met"),
        "recalibration_advised": validation.get("recalibration", {}).get("advised"),
        **{f"leakage.{check['code']}": check["verdict"] for check in leakage.get("checks", ())},
    }
    return {
        f"riskml.validation.{name}": str(value).lower()
        for name, value in concluded.items()
        if value is not None
    }


def _validation_text(validation, version, files, language):
    report = next((path.name for path in files if path.name == f"review.{language}.html"), None)
    text = "validation" if report else "validation_no_report"
    parts = [message(f"tracking.{text}", language, version=version, **({"report": report} if report else {}))]
    lacking = [
        message("tracking.part_missing", language, part=part, reason=document["missing"][language])
        for part, document in validation.items()
        if isinstance(document, dict) and "missing" in document
    ]
    return "\n\n".join([*parts, "\n".join(lacking)]).strip()


def log_validation(model, validation, settings, *, files=(), figures=None, language=None):
    """Log a validation below the training run of its version: one run, and one for each origin below that.

    A second validation of a version is another run; the first stays.

    Parameters
    ----------
    model : Model              logged by `riskml.train`
    validation : dict          of `riskml.training.validate.validate`
    settings : Settings        of the workspace
    files : list of path       the validation document and the pages rendered from it
    figures : dict of name -> matplotlib Figure, or None
    language : str or None     of titles and descriptions; None: the workspace's

    Returns
    -------
    dict    run_id, training_run, model, version, origins (count)

    Raises
    ------
    RiskmlError    the version was not logged, or the store cannot be reached or written
    """
    language = language or settings.language
    files = [Path(path) for path in files]
    with mlflow_at(settings) as mlflow:
        client = mlflow.MlflowClient()
        registered = registered_version(client, model.name, model.version)
        # The training run's own experiment may be that of a workspace that this one was copied from.
        experiment = experiment_of(mlflow, settings)
        origins = origin_runs(validation, language)
        with mlflow.start_run(
            experiment_id=experiment,
            parent_run_id=registered.run_id or None,
            run_name=message(
                "tracking.validation_title", language, model=model.name, version=model.version[:8]
            ),
            description=_validation_text(validation, model.version, files, language),
            tags=_shared(model) | {"riskml.kind": "validation"} | _verdicts(validation),
        ) as run:
            run_id = run.info.run_id
            settings_of = {"seed": validation.get("seed"), **validation.get("settings", {})}
            mlflow.log_params({key: value for key, value in settings_of.items() if key != "words"})
            mlflow.log_metrics({f"validation/{name}": value for name, value in _judged(validation).items()})
            client.log_inputs(run_id, datasets=dataset_inputs(model, language, only="evaluate"))
            for name, figure in (figures or {}).items():
                mlflow.log_figure(figure, f"figures/{name}.png")
            for path in files:
                mlflow.log_artifact(str(path))
            record(client, experiment, run_id, origins, shared=_shared(model))
        if registered.run_id:
            client.set_tag(registered.run_id, "riskml.validation", run_id)
    return {
        "run_id": run_id,
        "training_run": registered.run_id,
        "model": model.name,
        "version": model.version,
        "origins": len(origins),
    }


def _judged(validation):
    """The figures of a validation that stand by themselves, with their intervals: dict of name -> float."""
    shown = {}
    for part, prefix in (("performance", ""), ("unseen", "unseen/")):
        document = validation.get(part, {})
        counts = {key: document[key] for key in ("n", "events", "people") if key in document}
        shown |= with_intervals(document.get("metrics", {}), prefix) | numbers(counts, prefix)
    backtest = validation.get("backtest", {})
    chosen = backtest.get("candidates", {}).get(backtest.get("chosen"), {})
    overall = {row["metric"]: row for row in chosen.get("overall", ())}
    summary = {row["figure"]: row for row in validation.get("stability", {}).get("summary", ())}
    kappa = validation.get("agreement", {}).get("kappa")
    shown |= with_intervals(overall, "over_origins/") | with_intervals(summary, "stability/")
    return shown | with_intervals({"kappa": kappa} if kappa else {}, "agreement/")
