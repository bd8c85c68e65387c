"""A small model with a training report and a validation document: what tests of review reports start from.

The documents are those of the pieces themselves on a few hundred made-up assessments, so that a piece whose
document changes its shape is noticed here.
"""

import copy
from functools import cache

import numpy as np
import pandas as pd

from reviewed_models import small_model
from riskml.models.bundle import plain
from riskml.training.report import comparison_report, refused_row
from riskml.validation.agreement import agreement
from riskml.validation.calibration_curve import calibration_curve, calibration_groups
from riskml.validation.fairness import fairness_audit, flagged_by_capacity
from riskml.validation.heterogeneity import over_origins
from riskml.validation.instability_curves import calibration_instability, prediction_instability
from riskml.validation.lead_time import lead_times
from riskml.validation.leakage_audit import leakage_audit
from riskml.validation.level_costs import level_costs
from riskml.validation.metrics import METRICS
from riskml.validation.recalibration import recalibrate
from riskml.validation.stability import Stability
from riskml.validation.subgroups import Minimum, calibration_by_group
from riskml.validation.utility_intervals import capacity_utility, decision_curve_intervals

__all__ = ["reported_model", "validation_document"]

N, PEOPLE, WEEKS, REPLICATES = 900, 300, 12, 25
CHOSEN = "elastic_net"
SETTINGS = {"replicates": REPLICATES, "seed": 1}


class _Drawn:
    """Made-up outcomes, risks, people and dates."""

    def __init__(self):
        rng = np.random.default_rng(5)
        self.margin = rng.normal(-1.6, 1.0, N)
        self.risk = 1 / (1 + np.exp(-self.margin))
        self.outcome = (rng.random(N) < self.risk).astype(float)
        self.people = rng.integers(0, PEOPLE, N).astype(str)
        self.as_of = np.datetime64("2026-01-05", "us") + rng.integers(0, WEEKS, N) * np.timedelta64(7, "D")
        self.simple = np.clip(self.risk + rng.normal(0, 0.15, N), 0.01, 0.99)
        self.refits = np.clip(self.risk + rng.normal(0, 0.04, (12, N)), 0.001, 0.999)
        self.rng = rng


def _words(text):
    return {"es": text, "en": text}


def _window(name, first, last, drawn, share=1.0):
    rows = int(N * share)
    events = int(drawn.outcome[:rows].sum())
    return {
        "window": name,
        "label": _words(name),
        "first": first,
        "last": last,
        "assessments": rows,
        "aggressors": PEOPLE,
        "events": events,
        "share": events / rows,
        "low": events / rows - 0.03,
        "high": events / rows + 0.03,
        "exits": {"custody": 7, "death": 1, "closed": 20},
    }


def _report(drawn, label):
    risks = {"base_rate": np.full(N, drawn.outcome.mean()), "incidents": drawn.simple, CHOSEN: drawn.risk}
    judged, notes = comparison_report(
        drawn.outcome, risks, drawn.people, chosen=CHOSEN, as_of=drawn.as_of, capacity=10, **SETTINGS
    )
    judged["comparison"].append(refused_row(judged["comparison"][0], "lightgbm", _words(f"refused {label}")))
    for row in judged["comparison"]:
        row["label"] = _words(f"{row['candidate']} {label}")
    size = {"met": False, "words": _words(f"size {label}"), "details": {"es": ["a"], "en": ["a"]}}
    return plain(
        {
            "model": {"cohort": {"every": "7d", "at_contacts": True}, "features": {"include": ["*"]}},
            "split": {
                "by": "time",
                "prospective": True,
                "gap_days": 135.0,
                "refitted_on": 500,
                "cohort": {"assessments": 2400, "followed_up": 2000, "censored": 400},
                "windows": [
                    _window("train", "2024-01-01", "2024-12-30", drawn, 0.8),
                    _window("evaluate", "2026-01-05", "2026-03-23", drawn),
                ],
            },
            **judged,
            "sample_size": {"development": size, "evaluation": size, "refused": ["lightgbm"]},
            "selection": {
                "chosen": CHOSEN,
                "words": _words(f"rule {label}"),
                "scores": [{"candidate": CHOSEN, "log_loss": 0.4, "low": 0.3, "high": 0.5, "worse_by": 0.0}],
            },
            "relationship": {
                "strata": [
                    {
                        "stratum": "partner",
                        "label": _words("partner"),
                        "window": "train",
                        "assessments": 90,
                        "aggressors": 40,
                        "events": 9,
                    }
                ],
                "words": _words(f"one model {label}"),
            },
            "tuning": {CHOSEN: [{"chosen": True, "l1_ratio": 0.1, "strength": 0.02, "log_loss": 0.4}]},
            "calibrators": {CHOSEN: [{"kind": "sigmoid", "brier": 0.1, "chosen": True}]},
            "importance": [
                {
                    "column": "count",
                    "mean_abs_shap": 0.4,
                    "label": _words(f"count {label}"),
                    "dimension": "acts",
                    "exposure": False,
                },
                {"column": "age", "mean_abs_shap": 0.1, "label": _words("age"), "exposure": True},
            ],
            "constant_columns": ["x"],
            "unseen_aggressors": {
                "assessments": 90,
                "aggressors": 30,
                "events": 12,
                "auc": 0.7,
                "low": 0.6,
                "high": 0.8,
            },
            "notes": [*notes, {"code": "n", **_words(f"note {label}")}],
        }
    )


def reported_model(label="plain", *, synthetic=False):
    """A logistic regression with the report of a training and a full card: Model.

    Parameters
    ----------
    label : str    stands in every text that comes from a model or its report
    """
    model = copy.copy(small_model("trial"))
    model.__dict__.pop("_files", None)
    model.report = _report(_Drawn(), label)
    model.card = {
        "label": _words(f"Trial {label}"),
        "estimand": _words(f"estimand {label}"),
        "limits": _words(f"limits {label}"),
        "outcome": {
            "event": ["incident"],
            "horizon": "90d",
            "reporting_lag": "45d",
            "same_event_within": "24h",
            "competing_exits": ["death", "custody", "closed"],
            "over": "case",
        },
        "capacity": 10,
        "history": {"hash": "a1" * 32, "synthetic": synthetic},
        "catalogue": "b2" * 32,
        "seed": 0,
        "libraries": {"python": "3.11"},
    }
    return model


def _utility(drawn):
    curve = decision_curve_intervals(
        drawn.outcome, {"model": drawn.risk}, drawn.people, [0.1, 0.2, 0.3], **SETTINGS
    )
    every = curve[curve["candidate"] == "all"].set_index("threshold")["net_benefit"]
    rows = [
        {
            "threshold": row["threshold"],
            "model": row["net_benefit"],
            "model_low": row["low"],
            "model_high": row["high"],
            "gain": row["gain"],
            "gain_low": row["gain_low"],
            "all": every[row["threshold"]],
            "none": 0.0,
        }
        for row in curve[curve["candidate"] == "model"].to_dict(orient="records")
    ]
    lists = []
    for k in (5, 10):
        own = capacity_utility(
            drawn.outcome,
            {"m": drawn.risk},
            drawn.people,
            as_of=drawn.as_of,
            capacity=k,
            threshold=0.2,
            **SETTINGS,
        ).loc["m"]
        lists.append({"k": k, **own.to_dict(), "low": own["recall_low"], "high": own["recall_high"]})
    first = pd.DataFrame({"case_id": drawn.people, "as_of": drawn.as_of, "risk": drawn.risk})
    first = first.drop_duplicates(["case_id", "as_of"])
    events = pd.DataFrame(
        {
            "case_id": drawn.people[:60],
            "event_at": drawn.as_of[:60] + np.timedelta64(20, "D"),
            "person": drawn.people[:60],
        }
    )
    lead = lead_times(first, events, capacity=10, lookback="365d", seed=1).document(**SETTINGS)
    return {"decision_curve": rows, "capacity": lists, "words": _words("utility"), "lead_time": lead}


def _stability(drawn):
    def levels(risk):
        return np.select([risk > 0.4, risk > 0.2], ["critical", "high"], "low")

    found = Stability(
        drawn.risk, drawn.refits, drawn.people, levels(drawn.risk), levels(drawn.refits), seed=1
    )
    band, dots = prediction_instability(found, points=10, drawn=60)
    curve, single = calibration_instability(found, drawn.outcome, points=10, curves=3)
    parts = {"prediction": (band, dots), "calibration": (curve, single)}
    names = {"prediction": ("band", "dots"), "calibration": ("band", "single")}
    curves = {
        part: {name: frame.to_dict(orient="records") for name, frame in zip(names[part], frames, strict=True)}
        for part, frames in parts.items()
    }
    return {**found.document(replicates=REPLICATES), **curves}


def _metrics(drawn):
    found = {}
    for name, metric in METRICS.items():
        given = {"capacity": 10, "as_of": drawn.as_of} if name == "recall_at_capacity" else {}
        estimate = metric.function(drawn.outcome, drawn.risk, **given)
        found[name] = {"estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1}
    return {"metrics": found, "best": {n: {"best": m.best, "target": m.target} for n, m in METRICS.items()}}


def _sides(first, second):
    three = {"estimate": 0.7, "low": 0.65, "high": 0.75}
    metrics = {
        name: {first: three, second: three, "difference": three | {"estimate": 0.0}}
        for name in ("auc", "brier", "mean_risk")
    }
    return {"metrics": metrics, "rank_correlation": 0.98}


def validation_document(model):
    """The validation document of a model, as `riskml.training.validate` makes it: dict."""
    about = {"format": "riskml validation 1", "model": {"name": model.name, "version": model.version}}
    return about | copy.deepcopy(_judged())


@cache
def _judged():
    drawn = _Drawn()
    groups = pd.DataFrame(
        {
            "municipality": np.where(drawn.rng.random(N) < 0.5, "Villanueva", "Jerez"),
            "partner": np.where(drawn.rng.random(N) < 0.9, "partner", "non-partner"),
        }
    )
    minimum = Minimum(people=50, events=10, curve_events=30)
    by_group = calibration_by_group(
        drawn.outcome, drawn.risk, drawn.people, groups, minimum=minimum, **SETTINGS
    )
    fairness = fairness_audit(
        drawn.outcome,
        drawn.risk,
        drawn.people,
        groups,
        flagged=flagged_by_capacity(drawn.risk, 10, as_of=drawn.as_of),
        minimum=Minimum(people=150, events=10),
        **SETTINGS,
    )
    leakage = leakage_audit(
        drawn.outcome,
        drawn.risk,
        drawn.people,
        design=lambda: pd.DataFrame({"count": drawn.margin + drawn.rng.normal(0, 2, N)}),
        later=lambda: {"later": {30: np.clip(drawn.risk + 0.3 * drawn.outcome, 0, 1)}},
        always=True,
        **SETTINGS,
    )
    thirds = np.array_split(np.arange(N), 4)
    judged = {
        f"2025-0{i + 1}-01": (drawn.outcome[r], drawn.risk[r], drawn.people[r]) for i, r in enumerate(thirds)
    }
    metrics = {name: METRICS[name].function for name in ("auc", "calibration_slope", "observed_expected")}
    backtest = over_origins(metrics, judged, **SETTINGS).document()
    levels = level_costs(
        drawn.outcome, drawn.risk, drawn.people, {"critical": 0.4, "high": 0.2}, as_of=drawn.as_of
    )
    suggested = np.where(drawn.risk > 0.2, "high", "low")
    analyst = np.where(drawn.simple > 0.2, "high", "low")
    agreed = agreement(analyst, suggested, drawn.people, outcome=drawn.outcome, **SETTINGS)
    moved = recalibrate(drawn.margin, drawn.outcome, drawn.people, kind="intercept", **SETTINGS)
    return plain(
        {
            "history": "a1" * 32,
            "seed": 0,
            "settings": {"refits": 12, "origins": 4, "words": _words("settings")},
            "sample_size": {
                "met": False,
                "words": _words("evaluation size"),
                "details": {"es": [], "en": []},
            },
            "performance": _metrics(drawn),
            "unseen": {"n": 90, "events": 12, "people": 30, "metrics": _metrics(drawn)["metrics"]},
            "backtest": {
                "origins": [
                    {
                        "origin": "2025-01-01",
                        "window": "evaluate",
                        "assessments": 200,
                        "people": 90,
                        "events": 9,
                    }
                ],
                "candidates": {CHOSEN: {"label": _words("x"), **backtest}},
                "words": _words("backtest"),
            },
            "calibration": {
                "curve": calibration_curve(
                    drawn.outcome, drawn.risk, drawn.people, points=20, **SETTINGS
                ).to_dict(orient="records"),
                "groups": calibration_groups(drawn.outcome, drawn.risk).to_dict(orient="records"),
                "by_group": by_group.document(),
            },
            "utility": _utility(drawn),
            "levels": levels.document(),
            "agreement": agreed.document(),
            "stability": _stability(drawn),
            "fairness": {**fairness.document(), "operating_point": {"words": _words("the list")}},
            "leakage": leakage.document(),
            "treatment": {
                "estimand": _words("usual response"),
                "at_reference": _sides("model", "at_reference"),
                "without_exposures": _sides("with_exposures", "without_exposures"),
                "words": _words("treatment"),
            },
            "recalibration": {
                "advised": "intercept",
                "words": _words("advised"),
                "recalibration": moved.to_document(),
                "brings": moved.words(),
            },
        }
    )
