"""Follow-up: how many assessments had an event, an exit or no complete follow-up, as n/N."""

import numpy as np
import pandas as pd

from riskml.messages import message
from riskml.outcomes.definition import EXITS
from riskml.validation.forecast import NotEstimable
from riskml.validation.intervals import exact_interval

__all__ = ["exits_summary"]


def _row(what, n, total, level):
    try:
        low, high = exact_interval(n, total, level=level)
    except NotEstimable:
        low = high = np.nan
    return {
        "what": what,
        "n": n,
        "total": total,
        "share": n / total if total else np.nan,
        "low": low,
        "high": high,
    }


def exits_summary(labels, *, level=0.95, language="es"):
    """Events, exits and censored assessments, counted.

    An exit is the first one before any event; custody, death and closure are follow-up without event, not
    errors. The intervals are exact and take assessments as independent.

    Parameters
    ----------
    labels : DataFrame of `outcomes.labels.label_outcomes`
    level : float    of the intervals

    Returns
    -------
    DataFrame, index censored, event, death, custody, closed; columns what (in words), n, total, share, low,
    high. `censored` is of all assessments, the others of those followed up. share, low and high are NaN where
    total is 0.
    """
    followed = labels[labels["status"] != "censored"]
    counts = {
        "censored": (len(labels) - len(followed), len(labels)),
        "event": (int((followed["status"] == "event").sum()), len(followed)),
        **{name: (int((followed["exit"] == name).sum()), len(followed)) for name in EXITS},
    }
    rows = {
        name: _row(message(f"validation.follow_up_{name}", language), *count, level)
        for name, count in counts.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")
