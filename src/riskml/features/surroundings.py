"""The part of a history that the features of one case, or of several, can depend on."""

import pyarrow as pa
import pyarrow.compute as pc

from riskml.registry.contract import TABLES
from riskml.registry.history import History

__all__ = ["case_surroundings"]


def case_surroundings(history, case_id, tables=None):
    """The part of a history that the features of some cases can depend on, at any moment.

    Parameters
    ----------
    history : History
    case_id : str, or sequence of str    one case, or several
    tables : iterable of str or None    the tables that are needed; None: all

    Returns
    -------
    History    every case that ever was of their aggressors or victims, in all versions, with its facts
    """
    cases = history.table("cases")
    asked = pa.array([case_id] if isinstance(case_id, str) else list(case_id), cases["case_id"].type)
    own = cases.filter(pc.is_in(cases["case_id"], asked))
    same = pc.or_kleene(
        pc.is_in(cases["aggressor_id"], pc.unique(own["aggressor_id"])),
        pc.is_in(cases["victim_id"], pc.unique(own["victim_id"])),
    )
    # All versions: which of them speaks, and whose the case was then, only shows beside the others.
    inside = cases.filter(pc.is_in(cases["case_id"], pc.unique(cases["case_id"].filter(same))))
    wanted = history.tables if tables is None else [name for name in tables if name in history.tables]
    parts = {}
    for name in dict.fromkeys(["cases", *wanted]):
        table, entity = history.table(name), TABLES[name].entity
        parts[name] = table.filter(pc.is_in(table[entity], pc.unique(inside[entity])))
    # Not through History.of: the tables are in the contract's form already.
    return History(parts, history.manifest)
