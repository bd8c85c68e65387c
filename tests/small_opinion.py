"""A small made-up registry, its history and two models on it: what tests of scoring start from."""

from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from registries import KEY, ZONE, fill
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.bundle import Model, plain
from riskml.models.calibration import Calibrator
from riskml.models.encoding import Encoding, columns_of
from riskml.models.linear import elastic_net_path
from riskml.models.riskgroups import risk_groups
from riskml.models.trees import BoostedTrees
from riskml.registry.contract import TABLES
from riskml.registry.database import connect
from riskml.registry.take import take_history

__all__ = ["AS_OF", "FEATURES", "LEVELS_FILE", "SmallRegistry", "small_registry"]

REPOSITORY = Path(__file__).parents[1]
FEATURES = REPOSITORY / "features"
LEVELS_FILE = REPOSITORY / "models" / "levels.yml"
AS_OF = pd.Timestamp("2026-10-26")
_FACTORS = [
    "strangulation",
    "weapon_threat",
    "death_threat",
    "confinement",
    "alcohol",
    "jealousy",
    "separation",
]


@dataclass(frozen=True)
class SmallRegistry:
    """A registry's URL, the history taken from it, the catalogue, and two models trained on it."""

    url: str
    history: object
    catalogue: object
    models: list


def _rows(cases, seed=3):
    """Rows of every table over two years, with late records and factors present, denied or not said."""
    rng = np.random.default_rng(seed)
    start, end = pd.Timestamp("2025-01-06"), pd.Timestamp("2026-11-01")
    rows = {name: [] for name in TABLES}

    def clock(day, lag):
        occurred = start + pd.Timedelta(days=float(day))
        return {"occurred_at": occurred, "recorded_at": occurred + pd.Timedelta(days=float(lag))}

    for i in range(cases):
        opened = rng.uniform(0, 500)
        ids = {"case_id": f"C{i}", "aggressor_id": f"A{i % (cases - 10)}", "victim_id": f"V{i}"}
        first = clock(opened, 0.5)
        person = {"birth_year": int(rng.integers(1960, 2005)), **first}
        rows["aggressors"].append(
            {"aggressor_id": ids["aggressor_id"], "sex": "male", "occupation": "albañil", **person}
        )
        rows["victims"].append({"victim_id": ids["victim_id"], "sex": "female", **person})
        relationship = str(rng.choice(["partner", "ex-partner", "son"], p=[0.5, 0.45, 0.05]))
        closed = first["occurred_at"] + pd.Timedelta(days=200) if rng.random() < 0.1 else None
        rows["cases"].append(
            {**ids, "relationship": relationship, "locality": "urban", "closed_at": closed, **first}
        )
        case = {"case_id": ids["case_id"]}
        days = np.sort(rng.uniform(opened, (end - start).days, rng.poisson(rng.gamma(0.6, 4.0))))
        for k, day in enumerate([opened, *days]):
            when = clock(day, rng.exponential(3))
            incident = {"incident_id": f"I{i}-{k}", **case, "source": "911", **when}
            rows["incidents"].append({**incident, "severity": int(rng.integers(0, 6))})
            for factor in rng.choice(_FACTORS, rng.integers(0, 4), replace=False):
                state = "present" if rng.random() < 0.8 else "denied"
                said = {"factor": str(factor), "state": state, "source": "police_report"}
                rows["factors"].append({**case, "incident_id": f"I{i}-{k}", **said, **when})
        if rng.random() < 0.4:
            granted = clock(opened + 20, 1)
            expires = granted["occurred_at"] + pd.Timedelta(days=700)
            measure = {"measure_id": f"M{i}", **case, "kind": "protection", "expires_at": expires}
            rows["measures"].append({**measure, **granted})
        rows["responses"].append({**case, "kind": "visit", **clock(opened + 5, 0)})
        rows["proceedings"].append({**case, "stage": "file_opened", **clock(opened + 2, 1)})
        rows["levels"].append({**case, "level": "medium", **clock(opened + 3, 0)})
    rows["outcomes"].append({"case_id": "C0", "kind": "attempted_femicide", **clock(300, 5)})
    return rows


def _model(name, matrix, catalogue, outcome, learner):
    encoding = Encoding.fit(matrix, columns_of(catalogue))
    design = encoding.design(matrix)
    if learner == "trees":
        settings = {
            "objective": "binary",
            "verbosity": -1,
            "max_depth": 3,
            "num_leaves": 8,
            "min_data_in_leaf": 5,
            "num_threads": 1,
            "seed": 0,
        }
        booster = lgb.train(settings, lgb.Dataset(design, outcome, params={"verbosity": -1}), 25)
        fitted = BoostedTrees(booster.model_to_string(), design.shape[1])
    else:
        fitted = elastic_net_path(design, outcome, strengths=[0.003])[0][1]
    calibrator = Calibrator("sigmoid", {"slope": 0.9, "intercept": -0.1})
    risk = calibrator.risk(fitted.margin(design))
    people = matrix.index.get_level_values("case_id").to_numpy()
    return Model(
        name,
        fitted,
        encoding,
        calibrator,
        catalogue=catalogue,
        risk_groups=plain(risk_groups(risk, outcome, people)),
        reference=plain({"mean_risk": risk.mean(), "quantiles": np.quantile(risk, np.linspace(0, 1, 201))}),
        card={
            "label": {"es": f"Desenlace {name}", "en": f"Outcome {name}"},
            "outcome": {"event": ["incident"], "horizon": "90d"},
        },
        report={"notes": [], "split": {"windows": []}},
    )


def small_registry(folder, cases=120):
    """Make it below a folder: SmallRegistry. A few seconds."""
    folder = Path(folder)
    url = f"sqlite:///{folder}/registry.db"
    fill(connect(url, create=True), _rows(cases), extra=None)
    catalogue = load_catalogue(FEATURES)
    history = take_history(
        connect(url), folder / "histories", key=KEY, factors=catalogue.factors, timezone=ZONE
    )
    cohort = pd.concat(
        [history.open_cases(day) for day in pd.date_range("2025-06-02", "2026-10-05", freq="28D")],
        ignore_index=True,
    )
    matrix = build_features(history, cohort, catalogue)
    rng = np.random.default_rng(0)
    score = matrix["incidents_365d"] + (matrix["strangulation"] == "present") + rng.normal(0, 1, len(matrix))
    repeat = (score > 1.5).to_numpy(dtype=float)
    escalation = (score + matrix["severity_highest_ever"].fillna(0) > 5).to_numpy(dtype=float)
    models = [
        _model("repeat", matrix, catalogue, repeat, "trees"),
        _model("escalation", matrix, catalogue, escalation, "linear"),
    ]
    return SmallRegistry(url, history, catalogue, models)
