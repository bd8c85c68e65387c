"""`riskml demo`: simulate, take a history, train two models, score, write back, and report."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import inspect, make_url

from riskml.errors import RiskmlError
from riskml.explain.case import explain
from riskml.messages import check_language, message
from riskml.outcomes.cohort import assessments
from riskml.outcomes.labels import label_outcomes
from riskml.registry.contract import TABLES
from riskml.registry.database import connect, is_synthetic, reading
from riskml.reporting.demo import demo_report
from riskml.reporting.figures import report_figures
from riskml.reporting.render import figure_image
from riskml.review.approval import require_approved
from riskml.review.decisions import approve_synthetic
from riskml.scoring.batch import score_batch
from riskml.simulation.writing import write_registry
from riskml.training.data import people_of
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.metrics import auc
from riskml.workspace import train

__all__ = ["MODELS", "run_demo", "truth_auc"]

MODELS = ("repeat", "escalation")
_FIGURES = ("calibration", "importance")


def truth_auc(truth, plan, model, history, *, seed=0):
    """AUC of the best possible predictor on the assessments that the model was judged on.

    Parameters
    ----------
    truth : Truth          of the simulation, keyed by the history's pseudonyms
    plan : ModelPlan       with an outcome of new incidents
    model : Model
    history : History
    seed : int             of the bootstrap

    Returns
    -------
    dict    auc, low, high (95 % interval, resampling aggressors)
    """
    window = next(w for w in model.report["split"]["windows"] if w["window"] == "evaluate")
    spec = plan.spec
    cohort = assessments(
        history, every=spec.cohort.every, at_contacts=spec.cohort.at_contacts, start=spec.cohort.start
    )
    last = pd.Timestamp(window["last"]) + pd.Timedelta(days=1)
    cohort = cohort[(cohort["as_of"] >= pd.Timestamp(window["first"])) & (cohort["as_of"] < last)]
    outcome = label_outcomes(history, cohort, spec.outcome)["outcome"].to_numpy()
    known = ~np.isnan(outcome)
    cohort = cohort[known].reset_index(drop=True)
    days = spec.outcome.horizon_us / 86_400_000_000
    risk = np.asarray(truth.risk(cohort, days))
    people = people_of(history, cohort)["aggressor_id"].to_numpy()
    boot = cluster_bootstrap({"auc": auc}, outcome[known], {"truth": risk}, people, replicates=200, seed=seed)
    low, high = boot.interval("truth", "auc")
    return {"auc": auc(outcome[known], risk), "low": low, "high": high}


def _refuse_real_registry(workspace):
    """The demo writes a registry: only where there is none, or a synthetic one."""
    url = workspace.settings.registry_url
    if not url.startswith("sqlite"):
        raise RiskmlError(
            "the demo writes a synthetic registry in SQLite, and this workspace names another database",
            where="riskml.toml, registry.url",
            mend="Make a workspace for it: `riskml init DIR`, then `riskml demo --workspace DIR`.",
        )
    path = Path(make_url(url).database or "")
    if path.is_file():
        with reading(connect(url)) as connection:
            present = set(inspect(connection).get_table_names()) & set(TABLES)
            if present and not is_synthetic(connection):
                raise RiskmlError(
                    "this registry is not marked as synthetic: the demo does not replace it",
                    where=str(path),
                    mend="Make another workspace: `riskml init DIR`, then `riskml demo --workspace DIR`.",
                )
    return url


def run_demo(workspace, *, cases=3500, seed=0, language=None, console):
    """The whole path in one workspace, on a simulated registry; says what it does as it goes.

    Parameters
    ----------
    workspace : Workspace    its registry is made, or replaced where it is synthetic
    cases : int
    seed : int
    language : "es", "en" or None    None: the workspace's
    console : rich.console.Console

    Returns
    -------
    Path    of the report

    Raises
    ------
    RiskmlError    the workspace's registry is a real one
    """
    language = check_language(language or workspace.settings.language)

    def say(name, **fields):
        console.print(message(f"reports.{name}", language, **fields), markup=False, highlight=False)

    url = _refuse_real_registry(workspace)
    # Whatever of the workspace does not read is told before anything is written.
    plans = {name: workspace.model(name) for name in MODELS}
    workspace.levels  # noqa: B018
    key = workspace.ensure_key()
    workspace.check_key()
    engine = connect(url, create=True)
    written, truth = write_registry(
        engine,
        cases,
        seed=seed,
        truth_folder=workspace.settings.folder / "truth",
        replace=True,
        language=language,
    )
    say("step_simulate", cases=f"{written['cases']:,}", incidents=f"{written['incidents']:,}")
    history = workspace.take_history()
    say("step_history", history=history.hash[:12])
    truth = truth.for_history(key)

    models, truths, images = [], {}, {}
    for name in MODELS:
        plan = plans[name]
        model = train(plan, history, seed=seed)
        models.append(model)
        drawn = report_figures(model.report, language)
        images[name] = {
            figure: figure_image(drawn[figure], message(f"training.figure_{figure}", language))
            for figure in _FIGURES
        }
        if tuple(plan.spec.outcome.event) == ("incident",):
            truths[name] = truth_auc(truth, plan, model, history, seed=seed)
        _say_model(say, model, truths.get(name), language)
        approve_synthetic(workspace.settings, model)
    console.print(message("review.demo_step", language), markup=False, highlight=False)

    as_of = history.observed_until.normalize()
    result = score_batch(
        engine,
        models,
        history,
        as_of,
        key=key,
        permit=partial(require_approved, workspace.settings),
        settings=workspace.settings,
        language=language,
    )
    opinion = result.opinion
    say("step_score", cases=f"{len(opinion.cases):,}", date=f"{as_of:%Y-%m-%d}")
    case = opinion.cases.index[0]
    commands = [
        ("next_explain", f"riskml explain {case} --as-of {as_of:%Y-%m-%d}"),
        ("next_features", "riskml features list"),
        ("next_notebook", "make lab"),
        ("next_mlflow", "mlflow ui --backend-store-uri sqlite:///mlflow.db"),
    ]
    path = demo_report(
        workspace.settings.reports / "out" / "demo.html",
        workspace.settings.reports,
        opinion=opinion,
        case=case,
        questions=_questions(explain(opinion, case, language)),
        counts=[
            ("card_cases", written["cases"]),
            ("card_incidents", written["incidents"]),
            ("card_assessments", models[0].report["split"]["cohort"]["assessments"]),
            ("card_columns", len(workspace.catalogue.columns)),
            ("card_open", len(opinion.cases)),
        ],
        images=images,
        truths=truths,
        commands=commands,
        language=language,
    )
    say("step_report", path=path)
    console.print(f"\n{message('reports.next_title', language)}:", markup=False, highlight=False)
    for name, command in commands:
        console.print(f"  {message(f'reports.{name}', language)}: {command}", markup=False, highlight=False)
    return path


def _questions(explanation):
    """The case's next best questions, in words: list of str."""
    return explanation.questions["label"].head(3).to_list()


def _say_model(say, model, truth, language):
    rows = {row["candidate"]: row for row in model.report["comparison"]}
    best = rows[model.report["chosen"]]
    fields = {
        "label": model.card["label"][language],
        "version": model.version,
        "auc": f"{best['auc']:.2f}",
        "low": f"{best['auc_low']:.2f}",
        "high": f"{best['auc_high']:.2f}",
        "baseline": f"{rows['incidents']['auc']:.2f}" if "incidents" in rows else "-",
    }
    if truth is None:
        say("step_train_no_truth", **fields)
    else:
        say("step_train", truth=f"{truth['auc']:.2f} ({truth['low']:.2f}-{truth['high']:.2f})", **fields)
