"""A small history for tests of training: people with different rates of incidents, no simulator needed."""

import numpy as np
import pandas as pd

from riskml.registry.contract import TABLES

__all__ = ["small_history"]

DAY = np.timedelta64(1, "D")


def small_history(cases=500, *, days=1400, seed=0, signal=1.0, start="2022-01-03"):
    """Tables of a registry in which earlier incidents foretell later ones: dict of table -> DataFrame.

    `signal=0` makes every case's rate the same, whatever its past.
    """
    rng = np.random.default_rng(seed)
    start = np.datetime64(start, "us")
    opened = start + rng.integers(0, days // 2, cases) * DAY
    aggressor = rng.integers(0, int(cases * 0.9), cases)
    rate = np.exp(signal * rng.normal(0, 1.1, cases)) * 0.0015
    tables = {
        "cases": pd.DataFrame(
            {
                "case_id": [f"c{i}" for i in range(cases)],
                "aggressor_id": [f"a{i}" for i in aggressor],
                "victim_id": [f"v{i}" for i in range(cases)],
                "relationship": rng.choice(["partner", "ex-partner", "son"], cases),
                "municipality": "m1",
                "locality": rng.choice(["urban", "rural"], cases),
                "occurred_at": opened,
                "recorded_at": opened,
                "closed_at": pd.NaT,
                "superseded_at": pd.NaT,
            }
        )
    }
    case, when = [], []
    for i in range(cases):
        left = float((start + days * DAY - opened[i]) / DAY)
        times = np.append(0.0, np.sort(rng.uniform(0, left, rng.poisson(rate[i] * left))))
        case += [f"c{i}"] * len(times)
        when += list(opened[i] + (times * 86_400_000_000).astype("timedelta64[us]"))
    when = np.array(when)
    lag = (rng.exponential(2.0, len(when)) * 86_400_000_000).astype("timedelta64[us]")
    tables["incidents"] = pd.DataFrame(
        {
            "incident_id": [f"i{i}" for i in range(len(when))],
            "case_id": case,
            "source": rng.choice(["911", "police_report"], len(when)),
            "institution": "x",
            "severity": rng.choice([0, 1, 2, 3, 4], len(when), p=[0.2, 0.3, 0.3, 0.15, 0.05]),
            "occurred_at": when,
            "recorded_at": when + lag,
            "superseded_at": pd.NaT,
        }
    )
    tables["incidents"] = tables["incidents"][tables["incidents"]["recorded_at"] <= start + days * DAY]
    for name, table in TABLES.items():
        if name not in tables:
            empty = {c.name: pd.Series(dtype=_TYPES.get(c.kind.value, "str")) for c in table.history_columns}
            tables[name] = pd.DataFrame(empty)
    return tables


_TYPES = {"time": "datetime64[us]", "integer": "Int64"}
