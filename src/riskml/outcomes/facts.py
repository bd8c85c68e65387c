"""A table's facts on both clocks, by case, as outcomes read them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.outcomes.timeline import microseconds

__all__ = ["Facts", "facts_of", "incidents_of"]


@dataclass(frozen=True)
class Facts:
    """Facts of one table whose case and both times are known, in the table's order.

    Attributes
    ----------
    code : array of int, shape (n,)            position of the case among the history's cases
    occurred, start, end : array of int64      when it happened; the stretch [start, end) in which it is
        visible
    columns : dict of name -> array            the other columns asked for
    """

    code: np.ndarray
    occurred: np.ndarray
    start: np.ndarray
    end: np.ndarray
    columns: dict

    def standing(self, until):
        """Which facts are visible at a moment: array of bool."""
        return (self.start <= until) & (until < self.end)


def facts_of(history, name, ids, columns=()):
    """The facts of one table.

    Parameters
    ----------
    history : History
    name : str
    ids : pandas.Index of the history's case ids
    columns : names of the columns to bring along
    """
    table = history.table(name, columns)
    occurred, recorded, superseded = (
        microseconds(table[column]) for column in ("occurred_at", "recorded_at", "superseded_at")
    )
    code = ids.get_indexer(pd.Index(table["case_id"].to_pandas()))
    keep = (code >= 0) & occurred.known & recorded.known
    return Facts(
        code[keep],
        occurred.values[keep],
        np.maximum(occurred.values, recorded.values)[keep],
        superseded.or_forever()[keep],
        {column: table[column].to_pandas().to_numpy()[keep] for column in columns},
    )


def incidents_of(history, ids):
    """The incidents, with `severity` as floats (NaN: not known) and `source`: Facts."""
    facts = facts_of(history, "incidents", ids, ("severity", "source"))
    facts.columns["severity"] = facts.columns["severity"].astype(float)
    return facts
