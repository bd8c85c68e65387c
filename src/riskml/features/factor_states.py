"""The three states of factors in a frame: present, denied, or unknown, which is never taken for denied."""

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.vocabulary import STATES, did_you_mean

__all__ = [
    "DENIED",
    "PRESENT",
    "UNKNOWN",
    "factor_states",
    "in_scope",
    "is_long",
    "says_state",
    "state_codes",
    "widened",
]

UNKNOWN, DENIED, PRESENT = -1, *range(len(STATES))  # places in STATES
_ID = ("case_id", "as_of")


def factor_states(frame, codes):
    """State of each factor in each row.

    Parameters
    ----------
    frame : DataFrame    a column for each factor, named by its code, in the words `present` and `denied`;
        missing where nobody mentioned it
    codes : sequence of str

    Returns
    -------
    int8 array, shape (rows, codes): PRESENT, DENIED, UNKNOWN; factors that the frame lacks are unknown

    Raises
    ------
    RiskmlError    a state that is neither
    """
    states = np.full((len(frame), len(codes)), UNKNOWN, np.int8, order="F")
    for position, code in enumerate(codes):
        if code in frame.columns:
            states[:, position] = _states(frame[code], code)
    return states


def _states(series, name):
    states = pd.Index(STATES).get_indexer(series.array)
    if (series.notna().to_numpy() & (states < 0)).any():
        raise RiskmlError(
            f'column "{name}" holds what is neither present nor denied',
            where="frame",
            mend="Leave missing what nobody mentioned.",
        )
    return states


def is_long(frame):
    """Whether a frame holds factors one below the other: columns `factor` and `state`."""
    return {"factor", "state"} <= set(frame.columns)


def widened(frame):
    """A long frame of factors as one row for each assessment, a column for each factor.

    A factor that is present anywhere outranks one that is denied.

    Parameters
    ----------
    frame : DataFrame    case_id, factor, state and, where there are several, as_of; relationship, if there

    Returns
    -------
    DataFrame    index case_id (and as_of), in order of first appearance

    Raises
    ------
    RiskmlError    no case_id; a state that is neither present nor denied
    """
    ids = [name for name in _ID if name in frame.columns]
    if "case_id" not in ids:
        near = did_you_mean("case_id", frame.columns)
        raise RiskmlError("missing column: case_id", where="frame", mend=near)
    states = _states(frame["state"], "state")
    places = pd.MultiIndex.from_frame(frame[ids]) if len(ids) == 2 else pd.Index(frame["case_id"])
    index = places.unique()
    rows = index.get_indexer(places)
    columns = {}
    for code, of_factor in frame.groupby("factor", observed=True, sort=False).indices.items():
        highest = np.full(len(index), UNKNOWN)
        np.maximum.at(highest, rows[of_factor], states[of_factor])
        columns[code] = np.array([*STATES, None], dtype=object)[highest]
    if "relationship" in frame.columns:
        first = ~pd.Series(rows).duplicated().to_numpy()
        columns["relationship"] = frame["relationship"].to_numpy(object)[first]
    return pd.DataFrame(columns, index=index)


def in_scope(frame, relationships):
    """Whether each row is of one of some relationships: boolean array, missing where it is not recorded.

    Parameters
    ----------
    frame : DataFrame    with `relationship`; without it, it is recorded of nobody
    relationships : tuple of str    empty: all
    """
    if not relationships:
        return pd.array([True] * len(frame), dtype="boolean")
    if "relationship" not in frame.columns:
        return pd.array([pd.NA] * len(frame), dtype="boolean")
    word = frame["relationship"].reset_index(drop=True)
    return word.isin(relationships).astype("boolean").mask(word.isna()).array


def says_state(column):
    """Whether a column of the catalogue holds the state of a factor: bool."""
    feature = column.feature
    return (feature.table, feature.column, feature.aggregate) == ("factors", "state", "latest")


def state_codes(catalogue):
    """Factors whose state is a column of the catalogue: tuple of str."""
    return tuple(c.name for c in catalogue.columns if says_state(c) and c.name in catalogue.factors)
