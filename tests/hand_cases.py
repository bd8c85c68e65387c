"""Cases written by hand, and a model whose every weight is in the test: what tests of levels start from."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.special import expit

from riskml.features.catalogue import load_catalogue
from riskml.models.calibration import Calibrator
from riskml.models.levels import load_levels
from riskml.registry.history import History
from small_opinion import FEATURES

__all__ = ["LEVELS_FILE", "NOW", "HandModel", "catalogue", "cut_at", "history", "rules"]

NOW = pd.Timestamp("2026-06-01")
# Risk thresholds of 1/2, 1/5 and 1/10: log-odds of 0, -1.39 and -2.20.
LEVELS_FILE = """
critical:
  - {pattern: approved}
  - {model: harm, visits_per_event: 1}
high:
  - {model: harm, visits_per_event: 4}
medium:
  - {model: harm, visits_per_event: 9}
"""
_COLUMNS = (
    "relationship",
    "incidents_30d",
    "incidents_90d",
    "incidents_ever",
    "strangulation",
    "death_threat",
    "alcohol",
    "jealousy",
    "separation",
    "grave_acts_90d",
    "protection_in_force",
    "custody_in_force",
    "measures_in_force",
    "visits_90d",
)
_NEEDED = {
    "incidents": {"source": "911", "severity": 2},
    "factors": {"factor": None, "state": "present", "source": "911"},
    "cases": {"relationship": "partner", "closed_at": None},
    "measures": {"kind": "protection", "expires_at": None, "ended_at": None},
    "responses": {"kind": "visit"},
    "proceedings": {"stage": "file_opened"},
}


def catalogue():
    """A small part of the shipped catalogue."""
    return load_catalogue(FEATURES).part(*_COLUMNS)


def history(**tables):
    """A history of rows such as `incidents=[("A", "2026-05-30", {...})]`: case, day known and done, columns.

    Every case that is named has a version of 2025-01-01 unless `cases` gives one.
    """
    rows = {name: [] for name in _NEEDED}
    named = {entry[0] for entries in tables.values() for entry in entries}
    given = {entry[0] for entry in tables.get("cases", ())}
    tables = dict(tables)
    tables["cases"] = [*tables.get("cases", ()), *((case, "2025-01-01") for case in sorted(named - given))]
    for name, entries in tables.items():
        for k, (case, day, *more) in enumerate(entries):
            row = {"case_id": case, "occurred_at": pd.Timestamp(day), "recorded_at": pd.Timestamp(day)}
            row |= {"superseded_at": None, **_NEEDED[name], **(more[0] if more else {})}
            if name == "cases":
                row |= {"aggressor_id": f"a-{case}", "victim_id": f"v-{case}"}
            if name in ("incidents", "measures"):
                row[f"{name[:-1]}_id"] = f"{case}-{k}"
            rows[name].append(row)
    frames = {}
    for name, found in rows.items():
        columns = list(found[0]) if found else ["case_id", "occurred_at", "recorded_at", "superseded_at"]
        if not found:
            columns += list(_NEEDED[name]) + (
                [f"{name[:-1]}_id"] if name in ("incidents", "measures") else []
            )
        frame = pd.DataFrame(found, columns=columns)
        for column in [c for c in frame.columns if c.endswith("_at")]:
            frame[column] = pd.to_datetime(frame[column])
        frames[name] = frame
    return History.of(frames)


class HandModel:
    """A model of one outcome whose log-odds are a function of the matrix.

    Parameters
    ----------
    name : str
    of : Catalogue
    margin : callable    matrix -> float array, log-odds
    reads : tuple        the columns that it reads
    """

    version = "by-hand"

    def __init__(self, name, of, margin, reads):
        self.name, self.catalogue, self.columns, self._margin = name, of, reads, margin
        self.calibrator = Calibrator("none", {})
        self.encoding = SimpleNamespace(columns=())
        self.reference = {"mean_risk": 0.1, "quantiles": np.linspace(0, 1, 201).tolist()}
        self.report, self.card = {}, {"label": {"es": f"Desenlace {name}", "en": f"Outcome {name}"}}

    def margin(self, matrix):
        return np.asarray(self._margin(matrix), dtype=float)

    def predict(self, matrix):
        return expit(self.margin(matrix))

    def interval(self, *, risk):
        n = len(risk)
        same = {"low": 0.0, "high": 1.0, "events": 1, "size": 10, "people": 5}
        return pd.DataFrame({name: [value] * n for name, value in same.items()})


def rules(folder, text, patterns=None, *, of):
    """The rules of a `levels.yml`, with a `critical.yml` beside it where one is given: LevelRules."""
    (folder / "levels.yml").write_text(text, encoding="utf-8")
    if patterns is not None:
        (folder / "critical.yml").write_text(patterns, encoding="utf-8")
    return load_levels(folder / "levels.yml", catalogue=of)


def cut_at(facts, moment):
    """The history as somebody would have taken it at a moment."""
    tables = {}
    for name, table in facts.tables.items():
        frame = table.to_pandas()
        frame = frame[frame[["occurred_at", "recorded_at"]].max(axis=1) <= moment].copy()
        for column in {"superseded_at", "ended_at", "closed_at"} & set(frame.columns):
            frame[column] = frame[column].where(frame[column] <= moment)
        tables[name] = frame
    return History.of(tables)
