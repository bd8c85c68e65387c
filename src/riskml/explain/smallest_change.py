"""The smallest recorded change that would move a case's level: one changeable fact, or else two together.

Changeable is what institutions can still do: responses, measures, proceedings. Age, sex, the past and what
the victim or the aggressor did are not. What is found is an association under the response usually given:
that similar cases with such a record have another level. It is no promise that the act would bring it about.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from riskml.explain.alterations import Alteration
from riskml.explain.levels_then import level_moves
from riskml.messages import message
from riskml.vocabulary import MEASURE_KINDS, RESPONSE_KINDS

__all__ = ["COLUMNS", "change_sets", "changeable", "smallest_changes"]

COLUMNS = ("size", "codes", "change", "level_then", "moves")
MEASURE_DAYS = 60  # how long a measure that is tried is in force: EVIDENCE 9.8
_STAGES = ("file_opened", "charged", "detained")


def changeable(now, as_of):
    """What institutions could record of a case today: list of Alteration.

    Parameters
    ----------
    now : Series         the case's features
    as_of : Timestamp
    """
    found = [Alteration(f"response_{kind}", (("responses", {"kind": kind}),)) for kind in RESPONSE_KINDS]
    expires = as_of + pd.Timedelta(days=MEASURE_DAYS)
    for kind in MEASURE_KINDS:
        if now.get(f"{kind}_in_force"):
            ends = (("proceedings", {"stage": "released"}),) if kind == "custody" else ()
            found.append(Alteration(f"end_{kind}", ends, end_measures=(kind,)))
        else:
            granted = {"kind": kind, "expires_at": expires.to_pydatetime()}
            found.append(
                Alteration(f"measure_{kind}", (("measures", granted),), fields={"days": MEASURE_DAYS})
            )
    return found + [Alteration(f"stage_{stage}", (("proceedings", {"stage": stage}),)) for stage in _STAGES]


def change_sets(now, as_of):
    """Every one of the changeable facts, and every two: list of tuple of Alteration. Parameters as above."""
    single = changeable(now, as_of)
    return [*((alteration,) for alteration in single), *combinations(single, 2)]


def smallest_changes(sets, levels, level, language="es"):
    """The smallest of some sets of changes that move the level.

    Parameters
    ----------
    sets : list of tuple of Alteration    of `change_sets`
    levels : list of level                under each of them; a level falls by what is recorded, not by days
    level : level                         as it is
    language : str

    Returns
    -------
    DataFrame of COLUMNS, those that lower the level most first
        size (1 or 2), codes (tuple), change (in words), level_then, moves (levels up, or down where
        negative). Pairs stand here for a direction in which no single change moves the level. Empty: no one
        and no two of these changes move it
    """
    moves = level_moves(levels, level)
    alone = {int(np.sign(m)) for changes, m in zip(sets, moves, strict=True) if len(changes) == 1}
    rows = [
        (len(changes), tuple(a.code for a in changes), _words(changes, language), then, int(moved))
        for changes, then, moved in zip(sets, levels, moves, strict=True)
        if moved and (len(changes) == 1 or np.sign(moved) not in alone)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.sort_values(["moves", "size"], kind="stable", ignore_index=True)


def _words(changes, language):
    words = [message(f"explain.change_{a.code}", language, **a.fields) for a in changes]
    return f" {message('explain.and', language)} ".join(words)
