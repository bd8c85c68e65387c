"""The training of a lethal model in MLflow: the table of prior, data and posterior, and the bundle's version.

As `riskml.review.tracking`: nothing is pickled, and no case, no person and no row of a matrix is logged.
"""

import json

import pandas as pd

from riskml.models.flavour import RELATIVE_COLUMNS
from riskml.review.tracking import described, experiment_of, mlflow_at, register_bundle, training_tags

__all__ = ["log_lethal"]

LONGEST_PARAMETER = 500
TABLE = "tables/prior_data_posterior.csv"


def log_lethal(bundle, settings, *, language=None, trainer=None):
    """Log the training of a lethal model and register its version.

    Parameters
    ----------
    bundle : LethalBundle    of `riskml.train`
    settings : Settings      of the workspace
    language : str or None   of descriptions; None: the workspace's
    trainer : str or None    code of who trained it, never a name: who may not approve it

    Returns
    -------
    dict    run_id, model (registered name), number (its version in MLflow), version (of the bundle)

    Raises
    ------
    RiskmlError    the store cannot be reached or written
    """
    language = language or settings.language
    report = bundle.report
    with mlflow_at(settings) as mlflow:
        experiment = experiment_of(mlflow, settings)
        with mlflow.start_run(
            experiment_id=experiment,
            run_name=f"{bundle.name} {bundle.version}",
            description=_description(bundle, language),
            tags=_tags(bundle, trainer),
        ) as run:
            mlflow.log_params(_parameters(bundle))
            number, model_id = register_bundle(
                mlflow, bundle, language, signature=_signature(bundle), example=_example(bundle)
            )
            mlflow.log_metrics(_metrics(report), model_id=model_id)
            _log_history(mlflow, bundle)
            mlflow.log_dict(report, "report.json")
            mlflow.log_dict(bundle.catalogue.to_document(), "catalogue.json")
            table = pd.json_normalize(report["table"])
            mlflow.log_text(table.to_csv(index=False), TABLE)
            mlflow.log_text("\n".join(report["words"][language]) + "\n", "table.txt")
    return {"run_id": run.info.run_id, "model": bundle.name, "number": number, "version": bundle.version}


def _description(bundle, language):
    """The run in words: title, estimand, limits, notes, and the table's sentences."""
    lines = "\n".join(f"- {line}" for line in bundle.report["words"][language])
    return f"{described(bundle, language)}\n\n{lines}"


def _tags(bundle, trainer):
    card = bundle.card
    return training_tags(bundle, trainer) | {"riskml.kind": card["kind"], "riskml.priors": card["priors"]}


def _parameters(bundle):
    file = bundle.report["model"]
    parts = {f"sampling.{key}": value for key, value in file["sampling"].items()}
    parts |= {f"sample_size.{key}": value for key, value in file["sample_size"].items()}
    parts |= {key: file[key] for key in ("priors", "minimum_cases", "bootstrap")}
    parts |= {"outcome.horizon": bundle.card["horizon"], "seed": bundle.card["seed"]}
    return {key: json.dumps(value).strip('"')[:LONGEST_PARAMETER] for key, value in parts.items()}


def _metrics(report):
    """Counts, how cases rank, and each factor's odds ratios: dict of name -> float."""
    metrics = {name: report[name] for name in ("cases", "controls", "events")}
    metrics |= {f"excluded/{row['reason']}": row["events"] for row in report["exclusions"]}
    left_out = report["leave_one_out"]
    kept = ("sets", "auc", "auc_low", "auc_high", "among_top", "among_top_low", "among_top_high")
    metrics |= {f"leave_one_out/{name}": left_out.get(name) for name in kept}
    for row in report["table"]:
        for name in ("prior", "data", "posterior", "moved", "from_data"):
            metrics[f"{row['factor']}/{name}"] = row[name]
    for row in report["competition"].get("candidates", ()):
        metrics |= {f"{row['name']}/{key}": row[key] for key in ("auc", "low", "high", "log_score")}
    return {name: float(value) for name, value in metrics.items() if value is not None}


def _signature(bundle):
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    return ModelSignature(
        inputs=Schema([ColSpec(DataType.string, name, required=False) for name in bundle.columns]),
        outputs=Schema([ColSpec(DataType.double, name) for name in RELATIVE_COLUMNS]),
    )


def _example(bundle):
    """An input that belongs to nobody: every factor is denied."""
    first = next(iter(bundle.relative.relationships), "partner")
    row = dict.fromkeys(bundle.columns, "denied") | {"relationship": first}
    return pd.DataFrame([row])


def _log_history(mlflow, bundle):
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    digest = bundle.card["history"]["hash"]
    source = CodeDatasetSource(tags={"riskml.history": digest})
    mlflow.log_input(
        MetaDataset(source, name="history", digest=(digest or "unnamed")[:32]), context="training"
    )
