"""A table's facts on both clocks, by case, as outcomes read them."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from riskml.outcomes.timeline import microseconds

__all__ = ["Facts", "aggressor_codes", "current_cases", "facts_of", "incidents_of"]


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

    def of_aggressors(self, owner):
        """The same facts with `code` telling aggressors apart; `owner` gives that of each case."""
        return replace(self, code=owner[self.code])


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


def current_cases(history, ids, until):
    """The version of each case that speaks at a moment.

    Parameters
    ----------
    history : History
    ids : pandas.Index of the history's case ids
    until : int    microseconds

    Returns
    -------
    code : array of int    the cases that are visible then, as positions in `ids`, ascending
    row : array of int     position of the version of each in the table cases
    """
    table = history.table("cases", ("occurred_at", "recorded_at"))
    facts = facts_of(history, "cases", ids)
    known = microseconds(table["occurred_at"]).known & microseconds(table["recorded_at"]).known
    rows = np.flatnonzero(known)
    recorded = microseconds(table["recorded_at"]).values[known]
    which = np.flatnonzero(facts.standing(until))
    order = which[np.lexsort((which, facts.occurred[which], recorded[which], facts.code[which]))]
    last = np.ones(len(order), bool)
    last[:-1] = facts.code[order][1:] != facts.code[order][:-1]
    return facts.code[order][last], rows[order][last]


def aggressor_codes(history, ids, until):
    """The aggressor of each case, by the version that speaks at a moment.

    Parameters
    ----------
    history, ids, until    as in `current_cases`

    Returns
    -------
    array of int, as long as `ids`    a number for each aggressor; a case without a visible one has its own
    """
    code, row = current_cases(history, ids, until)
    names = history.table("cases", ("aggressor_id",))["aggressor_id"].to_pandas().to_numpy()[row]
    owner = np.arange(len(ids)) + len(ids)
    names = pd.factorize(names)[0]
    owner[code[names >= 0]] = names[names >= 0]
    return owner
