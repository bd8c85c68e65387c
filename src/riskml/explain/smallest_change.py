"""The smallest recorded change that would move a case's level: one changeable fact, or else two together.

Changeable is what institutions can still do: responses, measures, proceedings. Age, sex, the past and what
the victim or the aggressor did are not. What is found is an association under the response usually given:
that similar cases with such a record have another level. It is no promise that the act would bring it about.
"""

from itertools import combinations

import pandas as pd

from riskml.explain.alterations import Alteration
from riskml.explain.levels_then import level_moves, levels_then
from riskml.messages import message
from riskml.vocabulary import MEASURE_KINDS, RESPONSE_KINDS

__all__ = ["COLUMNS", "changeable", "smallest_changes"]

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


def smallest_changes(surroundings, now, as_of, models, rules, before, language="es"):
    """The smallest sets of changeable facts that move the suggested level, each tried on a copy of the case.

    Parameters
    ----------
    surroundings : History    of `case_surroundings`
    now : Series              the case's features, its name (case_id, as_of)
    as_of : Timestamp
    models : dict of name -> Model
    rules : LevelRules
    before : BeforeSilence    of the case: a level falls by what is recorded, not by the days that passed
    language : str

    Returns
    -------
    DataFrame of COLUMNS, those that lower the level most first
        size (1 or 2), codes (tuple), change (in words), level_then, moves (levels up, or down where
        negative). Pairs stand here for a direction in which no single change moves the level. Empty: no one
        and no two of these changes move it
    """
    single = changeable(now, as_of)
    sets = [(alteration,) for alteration in single]
    found = _moving(surroundings, now, as_of, models, rules, before, sets, language)
    if not found["moves"].lt(0).any():
        pairs = list(combinations(single, 2))
        both = _moving(surroundings, now, as_of, models, rules, before, pairs, language)
        up = found["moves"].gt(0).any()
        both = both[both["moves"].lt(0) | (both["moves"].gt(0) & (not up))]
        found = pd.concat([f for f in (both, found) if len(f)] or [found], ignore_index=True)
    return found.sort_values("moves", kind="stable", ignore_index=True)


def _moving(surroundings, now, as_of, models, rules, before, sets, language):
    _, levels = levels_then(surroundings, now.name[0], as_of, sets, models, rules, before)
    moves = level_moves(levels[1:], levels[0])
    rows = [
        (len(changes), tuple(a.code for a in changes), _words(changes, language), level, int(moved))
        for changes, level, moved in zip(sets, levels[1:], moves, strict=True)
        if moved
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _words(changes, language):
    words = [message(f"explain.change_{a.code}", language, **a.fields) for a in changes]
    return f" {message('explain.and', language)} ".join(words)
