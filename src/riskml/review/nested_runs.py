"""The runs below a training run and the data behind it: one for each candidate, one for each origin."""

import hashlib
import json
import math
from dataclasses import dataclass, field

from riskml.messages import message
from riskml.models.bundle import plain

__all__ = ["NestedRun", "candidate_runs", "dataset_inputs", "numbers", "origin_runs", "record"]

DIGEST = 32  # MLflow keeps up to 36 characters
LONGEST_PARAMETER = 500
LONGEST_TAG = 5000
_COUNTS = ("assessments", "aggressors", "people", "events")


@dataclass(frozen=True)
class NestedRun:
    """A run that stands below another.

    Attributes
    ----------
    title, description : str
    tags, params : dict of str -> str
    metrics : dict of str -> float
    tables : dict of file name -> plain JSON    kept as artifacts
    below : list of NestedRun
    """

    title: str
    description: str
    tags: dict = field(default_factory=dict)
    params: dict = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)
    tables: dict = field(default_factory=dict)
    below: list = field(default_factory=list)


def numbers(document, prefix=""):
    """The finite numbers of a document, lists left out: dict of `part/part` -> float.

    Parameters
    ----------
    document : dict    plain JSON
    prefix : str       before every name
    """
    found = {}
    for key, value in document.items():
        if isinstance(value, dict):
            found |= numbers(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found[f"{prefix}{key}"] = float(value)
    return found


def _settings(document):
    return {
        key: (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:LONGEST_PARAMETER]
        for key, value in document.items()
    }


def _label(row, language):
    return row.get("label", {}).get(language, row["candidate"])


def candidate_runs(report, language):
    """One run for each candidate of the comparison, in its order, refused ones with their reason.

    Parameters
    ----------
    report : dict      `model.report`
    language : str

    Returns
    -------
    list of NestedRun    metrics with `_low` and `_high`; the setting that was chosen as parameters; all
        settings that were tried as `tuning.json`
    """
    runs = []
    for place, row in enumerate(report["comparison"], start=1):
        name, refused = row["candidate"], row.get("refused")
        tags = {"riskml.kind": "candidate", "riskml.candidate": name}
        tags["riskml.chosen"] = str(name == report["chosen"]).lower()
        title = message("tracking.candidate_title", language, place=place, label=_label(row, language))
        if refused:
            tags["riskml.refused"] = refused[language][:LONGEST_TAG]
            runs.append(
                NestedRun(title, message("tracking.refused", language, reason=refused[language]), tags)
            )
            continue
        tried = report.get("tuning", {}).get(name, ())
        chosen = next((setting for setting in tried if setting.get("chosen")), {})
        parts = [message("tracking.candidate", language, label=_label(row, language))]
        parts += [message("tracking.is_chosen", language)] if name == report["chosen"] else []
        parts += [message("tracking.is_simplest", language)] if name == report["simplest_not_worse"] else []
        if row.get("not_estimable"):
            parts.append(message("tracking.not_estimable", language, reason=row["not_estimable"]))
        runs.append(
            NestedRun(
                title,
                "\n\n".join(parts),
                tags,
                _settings({key: value for key, value in chosen.items() if key != "chosen"}),
                numbers({key: value for key, value in row.items() if not isinstance(value, dict)}),
                {"tuning.json": list(tried)} if tried else {},
            )
        )
    return runs


def origin_runs(validation, chosen, language):
    """One run for each origin of the backtest, its candidates below it.

    Parameters
    ----------
    validation : dict    of `riskml.training.validate.validate`
    chosen : str         the bundle's candidate, whose metrics the origin's own run shows
    language : str

    Returns
    -------
    list of NestedRun, in order of time; empty where there is no backtest
    """
    backtest = validation.get("backtest", {})
    windows = {}
    for row in backtest.get("origins", ()):
        windows.setdefault(str(row["origin"])[:10], []).append(row)
    runs = []
    for place, (origin, rows) in enumerate(windows.items(), start=1):
        judged = {
            name: _at_origin(document, origin) for name, document in backtest.get("candidates", {}).items()
        }
        tags = {"riskml.kind": "origin", "riskml.origin": origin}
        shown = {f"window/{row['window']}/{key}": row[key] for row in rows for key in _COUNTS if key in row}
        judging = next((row for row in rows if row["window"] == "evaluate"), rows[-1])
        fields = {"first": str(judging["first"])[:10], "last": str(judging["last"])[:10]}
        fields["share"] = f"{judging['events']:,}/{judging['assessments']:,}"
        runs.append(
            NestedRun(
                message("tracking.origin_title", language, place=place, origin=origin),
                message("tracking.origin", language, origin=origin, **fields),
                tags,
                metrics=judged.get(chosen, {}) | numbers(shown),
                tables={"windows.json": rows},
                below=[
                    NestedRun(
                        message("tracking.candidate_at_origin", language, candidate=name, origin=origin),
                        message("tracking.candidate_at_origin_text", language, origin=origin, **fields),
                        tags | {"riskml.kind": "candidate at origin", "riskml.candidate": name},
                        metrics=metrics,
                    )
                    for name, metrics in judged.items()
                ],
            )
        )
    return runs


def _at_origin(document, origin):
    """A candidate's metrics at one origin, with their intervals: dict of name -> float."""
    found = {}
    for row in document.get("by_origin", ()):
        if str(row["origin"])[:10] == origin:
            values = {"": row.get("estimate"), "_low": row.get("low"), "_high": row.get("high")}
            found |= {f"{row['metric']}{end}": value for end, value in values.items()}
    return numbers(found)


def record(client, experiment, parent, runs, *, shared):
    """Record runs, and those below them.

    Parameters
    ----------
    client : MlflowClient
    experiment : str    its id
    parent : str        id of the run that they stand below
    runs : list of NestedRun
    shared : dict       tags of all of them
    """
    from mlflow.entities import Metric, Param, RunTag

    for nested in runs:
        tags = {"mlflow.parentRunId": parent, "mlflow.note.content": nested.description}
        made = client.create_run(experiment, run_name=nested.title, tags=tags)
        run_id, moment = made.info.run_id, made.info.start_time
        client.log_batch(
            run_id,
            metrics=[Metric(name, value, moment, 0) for name, value in nested.metrics.items()],
            params=[Param(name, value) for name, value in nested.params.items()],
            tags=[RunTag(name, value) for name, value in (shared | nested.tags).items()],
        )
        for file, table in nested.tables.items():
            client.log_dict(run_id, plain(table), file)
        record(client, experiment, run_id, nested.below, shared=shared)
        client.set_terminated(run_id)


def dataset_inputs(model, language, *, only=None):
    """The history and the windows of a model's matrix, as MLflow lists them beside a run.

    A window's digest names what gives it, content for content: history, catalogue, cohort, outcome, and the
    window's own dates and counts. No row of it is kept.

    Parameters
    ----------
    model : Model        with a report of `riskml.train`
    language : str
    only : str or None   a window: that one and the history

    Returns
    -------
    list of mlflow.entities.DatasetInput
    """
    card, report = model.card, model.report
    history = card["history"]["hash"]
    split = report.get("split", {})
    found = [
        _input(
            "history",
            history or "unnamed",
            split.get("cohort", {}),
            "",
            message("tracking.dataset_history", language),
            {"riskml.history": history, "riskml.synthetic": str(card["history"]["synthetic"]).lower()},
        )
    ]
    windows = split.get("windows", ())
    columns = [
        {"name": source.name, "type": "double" if source.kind == "number" else "string", "required": False}
        for source in (model.encoding.sources if windows else ())
    ]
    for window in windows:
        if only not in (None, window["window"]):
            continue
        identity = [history, card["catalogue"], report["model"].get("cohort"), card["outcome"]]
        identity += [window[key] for key in ("window", "first", "last", "assessments", "events")]
        size = {"num_rows": window["assessments"], "num_elements": window["assessments"] * len(columns)}
        size |= {key: window[key] for key in ("aggressors", "events")}
        found.append(
            _input(
                f"matrix, {window['window']}",
                hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest(),
                size,
                json.dumps({"mlflow_colspec": columns}),
                window["label"][language],
                {"riskml.history": history, **{key: window[key] for key in ("first", "last")}},
            )
        )
    return found


def _input(name, digest, profile, schema, context, tags):
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name, digest[:DIGEST], "code", json.dumps({"tags": tags}), schema or None, json.dumps(profile)
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
