"""A registry in which some relationships end in a lethal event, by log-odds that are known."""

import numpy as np
import pandas as pd

from riskml.models.priors import load_priors
from training_history import small_history

__all__ = ["END", "START", "lethal_tables", "true_log_odds"]

PRIORS = load_priors("lethal")
START, END = pd.Timestamp("2022-01-03"), pd.Timestamp("2025-11-03")
DAY = pd.Timedelta(days=1)


def true_log_odds(times=1.0):
    """The priors' log-odds, so many times as strong: dict of factor -> float."""
    return {name: times * float(b) for name, b in zip(PRIORS.factors, PRIORS.mean, strict=True)}


def lethal_tables(cases=300, events=10, *, log_odds=None, share=0.25, unknown=0.2, seed=0):
    """Tables of a registry: factors are recorded a week after each case is opened, events come a year on.

    Parameters
    ----------
    cases, events : int    relationships of partners, and how many of them end so
    log_odds : dict of factor -> float    None: those of the priors. A factor made of several codes is
        recorded by its first; the others are known, and leave the matter to that one
    share, unknown : float    in how many a factor is present; of how many it is not known

    Returns
    -------
    dict of table -> DataFrame
    """
    rng = np.random.default_rng(seed)
    log_odds = true_log_odds() if log_odds is None else log_odds
    tables = small_history(2)
    ids = [f"c{i}" for i in range(cases)]
    opened = START + pd.to_timedelta(rng.integers(0, 200, cases), unit="D")
    clock = {"occurred_at": opened, "recorded_at": opened, "superseded_at": pd.NaT}
    tables["cases"] = pd.DataFrame(
        {
            "case_id": ids,
            "aggressor_id": [f"a{i}" for i in range(cases)],
            "victim_id": [f"v{i}" for i in range(cases)],
            "relationship": rng.choice(["partner", "ex-partner"], cases),
            "municipality": "m1",
            "locality": "urban",
            "closed_at": pd.NaT,
            **clock,
        }
    )
    x = rng.random((cases, len(log_odds))) < share
    known = rng.random(x.shape) >= unknown
    rows = []
    for place, name in enumerate(log_odds):
        how, codes = PRIORS.definition(name)
        for code in codes:
            state = x[:, place] if code == codes[0] else np.full(cases, how == "all")
            rows.append(
                pd.DataFrame(
                    {
                        "case_id": ids,
                        "incident_id": None,
                        "factor": code,
                        "state": np.where(state, "present", "denied"),
                        "source": "police_report",
                        "occurred_at": opened + 7 * DAY,
                        "recorded_at": opened + 7 * DAY,
                        "superseded_at": pd.NaT,
                    }
                )[known[:, place]]
            )
    tables["factors"] = pd.concat(rows, ignore_index=True)
    tables["incidents"] = pd.DataFrame(
        {
            "incident_id": [f"i{i}" for i in range(cases)],
            "case_id": ids,
            "source": "911",
            "institution": "x",
            "severity": 2,
            **clock,
        }
    )
    odds = np.exp(x @ np.array(list(log_odds.values())))
    ended = rng.choice(cases, events, replace=False, p=odds / odds.sum())
    happened = START + pd.to_timedelta(400 + rng.random(events) * 700, unit="D")
    tables["outcomes"] = pd.DataFrame(
        {
            "case_id": np.array(ids)[ended],
            "kind": rng.choice(["femicide", "attempted_femicide"], events, p=[0.3, 0.7]),
            "review_id": [f"r{i}" for i in range(events)],
            "occurred_at": happened.as_unit("us"),
            "recorded_at": (happened + 60 * DAY).as_unit("us"),
            "superseded_at": pd.NaT,
        }
    )
    last = {"case_id": ids[:1], "kind": ["visit"], "result": [None], "superseded_at": pd.NaT}
    tables["responses"] = pd.DataFrame(last | {"occurred_at": [END], "recorded_at": [END]})
    return tables
