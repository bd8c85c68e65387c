"""The runs below a training run and the data behind it: one for each candidate, one for each origin."""

import hashlib
import json
import math
from dataclasses import dataclass, field

from riskml.messages import message
from riskml.models.bundle import plain
from riskml.validation.metrics import METRICS

__all__ = [
    "NestedRun",
    "candidate_runs",
    "dataset_inputs",
    "numbers",
    "numbers_of",
    "origin_runs",
    "record",
    "with_intervals",
]

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


def numbers_of(row):
    """A candidate's row of the comparison, each metric before its interval: dict of name -> float."""
    order = [name for metric in METRICS for name in (metric, f"{metric}_low", f"{metric}_high")]
    ordered = {name: row[name] for name in order if name in row} | row
    return numbers({key: value for key, value in ordered.items() if not isinstance(value, dict)})


def with_intervals(rows, prefix=""):
    """Estimates with their intervals as `name`, `name_low`, `name_high`: dict of str -> float.

    Parameters
    ----------
    rows : dict of name -> dict    with estimate or mean, low, high
    prefix : str
    """
    found = {}
    for name, row in rows.items():
        found[name] = row.get("estimate", row.get("mean"))
        found |= {f"{name}_low": row.get("low"), f"{name}_high": row.get("high")}
    return numbers(found, prefix)


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
                numbers_of(row),
                {"tuning.json": list(tried)} if tried else {},
            )
        )
    return runs


def origin_runs(validation, language):
    """One run for each origin of the backtest, its candidates below it.

    Parameters
    ----------
    validation : dict    of `riskml.training.validate.validate`
    language : str

    Returns
    -------
    list of NestedRun, in order of time; empty where there is no backtest
    """
    backtest = validation.get("backtest", {})
    windows = {}
    for row in backtest.get("origins", ()):
        windows.setdefault(row["origin"], []).append(row)
    recipes = {recipe["origin"]: recipe for recipe in backtest.get("recipe", ())}
    return [
        _origin_run(place, origin, rows, recipes.get(origin, {}), backtest, language)
        for place, (origin, rows) in enumerate(windows.items(), start=1)
    ]


def _origin_run(place, origin, windows, recipe, backtest, language):
    """One origin: the metrics of the candidate that the bundle holds, the sizes of its windows, all below."""
    candidates = backtest.get("candidates", {})
    judging = next((row for row in windows if row["window"] == "evaluate"), windows[-1])
    fields = {"origin": origin, "first": judging["first"], "last": judging["last"]}
    fields["share"] = f"{judging['events']:,}/{judging['assessments']:,}"
    words = [message("tracking.origin", language, **fields)]
    if "missing" in recipe:
        words.append(message("tracking.origin_left_out", language, reason=recipe["missing"][language]))
    if recipe.get("selected") in candidates:
        chosen = _label({"candidate": recipe["selected"], **candidates[recipe["selected"]]}, language)
        words.append(message("tracking.origin_selected", language, candidate=chosen))
    tags = {"riskml.kind": "origin", "riskml.origin": origin}
    sizes = {f"window/{row['window']}/{key}": row[key] for row in windows for key in _COUNTS if key in row}
    judged = {name: _at_origin(document, origin) for name, document in candidates.items()}
    below = [
        NestedRun(
            message(
                "tracking.candidate_at_origin",
                language,
                place=number,
                candidate=_label({"candidate": name, **candidates[name]}, language),
            ),
            message("tracking.candidate_at_origin_text", language, **fields),
            tags | {"riskml.kind": "candidate at origin", "riskml.candidate": name},
            metrics=metrics,
        )
        for number, (name, metrics) in enumerate(judged.items(), start=1)
        if metrics
    ]
    return NestedRun(
        message("tracking.origin_title", language, place=place, origin=origin),
        "\n\n".join(words),
        tags,
        _settings({key: value for key, value in recipe.items() if key not in ("origin", "missing")}),
        judged.get(backtest.get("chosen"), {}) | numbers(sizes),
        {"windows.json": windows},
        below,
    )


def _at_origin(document, origin):
    """A candidate's metrics at one origin, with their intervals: dict of name -> float."""
    rows = [row for row in document.get("by_origin", ()) if row["origin"] == origin]
    return with_intervals({row["metric"]: row for row in rows})


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

    for nested in reversed(runs):  # MLflow lists the last one made first
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
    history = card["history"].get("hash", "")
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
