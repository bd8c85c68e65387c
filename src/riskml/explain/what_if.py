"""What would change a case's risk: its facts altered one at a time, its features and risks computed again."""

import re

import numpy as np
import pandas as pd

from riskml.explain.alterations import SOURCE, Alteration, factor_answer
from riskml.explain.levels_then import level_moves, levels_then
from riskml.explain.smallest_change import change_sets, smallest_changes
from riskml.features.formulas import formula_columns
from riskml.messages import message

__all__ = ["askable", "unmentioned", "what_would_change"]

_OF_ONE_FACTOR = re.compile(r"""[("\s]*factor["\s]*=\s*'([^']+)'[)\s]*""")
_QUOTED = re.compile(r"'([^']+)'")


def _factor_of(column):
    """The factor that a column says the state of; None for any other column."""
    feature = column.feature
    if feature.table != "factors" or feature.column != "state" or feature.aggregate != "latest":
        return None
    match = _OF_ONE_FACTOR.fullmatch(feature.where or "")
    return match[1] if match else None


def askable(catalogue, models, rules):
    """The factors whose answer could change a risk or a level: dict of code -> FeatureColumn of its state.

    A model reads the factor's state, a formula on it, or nothing of it while a rule counts it or an approved
    critical pattern needs it.

    Parameters
    ----------
    catalogue : Catalogue
    models : dict of name -> Model
    rules : LevelRules
    """
    columns = {column.name: column for column in catalogue.columns}
    read = {name for model in models.values() for name in model.columns}
    rules_read = {r.column for level in rules.rules.values() for r in level if r.column in columns}
    read |= rules_read | rules.patterns.columns_read()
    formulas = [c.feature for c in catalogue.columns if c.feature.is_formula and c.name in read]
    read |= {name for formula in formulas for name in formula_columns(formula)}
    counted = {
        code
        for name in rules_read
        if columns[name].feature.table == "factors"
        for code in _QUOTED.findall(columns[name].feature.where or "")
    }
    found = {}
    for column in catalogue.columns:
        code = _factor_of(column)
        if code is not None and (column.name in read or code in counted):
            found.setdefault(code, column)
    return found


def unmentioned(values, asked, catalogue):
    """The factors of `askable` that nobody mentioned and that the case's relationship admits: list of codes.

    Parameters
    ----------
    values : Series         the case's features
    asked : dict of code -> FeatureColumn
    catalogue : Catalogue
    """
    relationship, found = values.get("relationship"), []
    for code, column in asked.items():
        applies = catalogue.factors[code].relationships if code in catalogue.factors else ()
        known = isinstance(values[column.name], str)
        if not known and (not applies or not isinstance(relationship, str) or relationship in applies):
            found.append(code)
    return found


def _effects(matrix, models):
    """Margins' changes and the risks' ratios against the first row: {model: (float array, float array)}."""
    effects = {}
    for name, model in models.items():
        margin = model.margin(matrix)
        risk = model.calibrator.risk(margin)
        effects[name] = (margin[1:] - margin[0], risk[1:] / risk[0])
    return effects


def _simple_changes(now, catalogue):
    """Simple changes that a registry may record of a case any day."""
    incident = {"source": SOURCE}
    changes = [
        Alteration(
            "new_incident",
            (("incidents", {**incident, "severity": severity}),),
            fields={"severity": severity},
        )
        for severity in (2, 4)
    ]
    if "breach" in catalogue.factors:
        changes.append(Alteration("breach", factor_answer("breach", "present").rows))
    if now.get("measures_in_force"):
        kinds = ("protection", "precautionary")
        if (
            not now.get("custody_in_force")
            or now.get("protection_in_force")
            or now.get("precautionary_in_force")
        ):
            changes.append(Alteration("measures_end", end_measures=kinds))
    if now.get("custody_in_force"):
        release = (("proceedings", {"stage": "released"}),)
        changes.append(Alteration("released", release, end_measures=("custody",)))
    return changes


def what_would_change(surroundings, now, as_of, models, rules, stood, language="es", *, smallest=0.1):
    """The next best questions, the risk if a simple thing were recorded today, and what would move the level.

    Each factor that nobody mentioned is tried as present and as denied: a question is worth asking when the
    two answers differ. Nothing is assumed of what is not mentioned, and silence is not among the changes.

    Parameters
    ----------
    surroundings : History    of `case_surroundings`
    now : Series              the case's features
    as_of : Timestamp
    models : dict of name -> Model
    rules : LevelRules
    stood : DataFrame         the case's rows of `Opinion.stood`: no level falls by the days that passed
    language : str
    smallest : float          log-odds: answers that differ by less are left out, unless one moves the level

    Returns
    -------
    questions : DataFrame, first those that could move the level most, up before down; then by the risk
        factor, label, model (which it moves most), present and denied (the risk's ratio to what it is now),
        level_if_present, level_if_denied, swing (difference between the answers in log-odds)
    changes : DataFrame
        change (in words), <model> (the risk's ratio to what it is now) for each model, level_then
    smallest : DataFrame      see `riskml.explain.smallest_change.smallest_changes`
    """
    catalogue, case_id = next(iter(models.values())).catalogue, now.name[0]
    asked = askable(catalogue, models, rules)
    unknown, simple = unmentioned(now, asked, catalogue), _simple_changes(now, catalogue)
    tried = [factor_answer(code, state) for code in unknown for state in ("present", "denied")] + simple
    sets, alone = change_sets(now, as_of), [(alteration,) for alteration in tried]
    matrix, levels = levels_then(surroundings, case_id, as_of, alone + sets, models, rules, stood)
    effects, rows = _effects(matrix, models), []
    for k, code in enumerate(unknown):
        present, denied = 2 * k, 2 * k + 1
        swings = {name: abs(moved[present] - moved[denied]) for name, (moved, _) in effects.items()}
        name = max(swings, key=swings.get)
        times = effects[name][1]
        up, down = level_moves((levels[1 + present], levels[1 + denied]), levels[0])
        rows.append(
            {
                "factor": code,
                "label": asked[code].feature.label[language],
                "model": name,
                "present": times[present],
                "denied": times[denied],
                "level_if_present": levels[1 + present],
                "level_if_denied": levels[1 + denied],
                "swing": swings[name],
                "up": max(up, down, 0),
                "moves": max(abs(up), abs(down)),
            }
        )
    changes = pd.DataFrame(
        {
            "change": [message(f"reasons.change_{a.code}", language, **a.fields) for a in simple],
            **{name: times[2 * len(unknown) : len(tried)] for name, (_, times) in effects.items()},
            "level_then": levels[1 + 2 * len(unknown) : 1 + len(tried)],
        }
    )
    return (
        _telling(rows, smallest),
        changes,
        smallest_changes(sets, levels[1 + len(tried) :], levels[0], language),
    )


_QUESTION = (
    "factor",
    "label",
    "model",
    "present",
    "denied",
    "level_if_present",
    "level_if_denied",
    "swing",
)


def _telling(rows, smallest):
    """The questions whose answers matter, the most telling first."""
    questions = pd.DataFrame(rows, columns=[*_QUESTION, "up", "moves"])
    # A calibrator may level out what the log-odds do; such a question would have no answer to show.
    shown = np.abs(np.log(questions[["present", "denied"]].to_numpy(dtype=float))).max(axis=1, initial=0.0)
    telling = questions["moves"].gt(0) | ((shown >= smallest / 2) & (questions["swing"] >= smallest))
    ordered = questions[telling].sort_values(["moves", "up", "swing"], ascending=False, kind="stable")
    return ordered.reset_index(drop=True)[list(_QUESTION)]
