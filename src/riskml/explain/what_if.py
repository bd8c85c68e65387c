"""What would change a case's risk: its facts altered one at a time, its features and risks computed again.

Every alteration is tried on a copy of the case's own surroundings (all cases of its aggressor and of its
victim), under ids of its own, so that all copies go through the same features and models in one step.
"""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.features.formulas import formula_columns
from riskml.features.matrix import build_features
from riskml.messages import message
from riskml.registry.contract import TABLES, Kind
from riskml.registry.history import History

__all__ = ["Alteration", "altered_matrix", "what_would_change"]

_ENTITIES = ("case_id", "aggressor_id", "victim_id")
_OF_ONE_FACTOR = re.compile(r"""[("\s]*factor["\s]*=\s*'([^']+)'[)\s]*""")
_SOURCE = "police_report"


@dataclass(frozen=True)
class Alteration:
    """Facts added to a case at the moment of assessment, and whether its measures end then.

    Attributes
    ----------
    code : str              what it is called
    rows : tuple            (table, dict of column -> value), times and ids left out
    end_measures : tuple    kinds of measures in force that end
    """

    code: str
    rows: tuple = ()
    end_measures: tuple = ()
    fields: dict = field(default_factory=dict, hash=False)


def _suffixed(table, copy):
    """The table with its people and cases under names of this copy."""
    for name in _ENTITIES:
        if name in table.column_names:
            place = table.column_names.index(name)
            renamed = pc.binary_join_element_wise(table[name], str(copy), "#")
            table = table.set_column(place, name, renamed)
    return table


def _added(table, name, rows, case_id, as_of):
    """The table with rows that happen and are recorded at the assessment."""
    columns = {}
    for column in TABLES[name].history_columns:
        if column.name not in table.column_names:
            continue
        kind = table.schema.field(column.name).type
        if column.name in ("occurred_at", "recorded_at"):
            values = [as_of] * len(rows)
        elif column.name == "case_id":
            values = [case_id] * len(rows)
        else:
            made = f"{name}-at-the-assessment" if column.kind is Kind.ID and not column.nullable else None
            values = [row.get(column.name, made) for row in rows]
        columns[column.name] = pa.array(values, kind)
    return pa.concat_tables([table, pa.table(columns, schema=table.schema)])


def _ended(measures, kinds, case_id, as_of):
    """The measures of a case with those of some kinds ended at the assessment."""
    ends = pc.and_(
        pc.and_(pc.equal(measures["case_id"], case_id), pc.is_in(measures["kind"], pa.array(kinds))),
        pc.fill_null(pc.greater(measures["ended_at"], as_of), True),
    )
    place = measures.column_names.index("ended_at")
    moment = pa.scalar(as_of, measures.schema.field("ended_at").type)
    return measures.set_column(place, "ended_at", pc.if_else(ends, moment, measures["ended_at"]))


def altered_matrix(surroundings, case_id, as_of, alterations, catalogue):
    """The features of one case as it is, and under each alteration.

    Parameters
    ----------
    surroundings : History    of `case_surroundings`
    case_id : str
    as_of : Timestamp
    alterations : list of Alteration
    catalogue : Catalogue

    Returns
    -------
    DataFrame, 1 + alterations rows    the first is the case as it is
    """
    moment = as_of.to_pydatetime()
    copies = {name: [] for name in surroundings.tables}
    for copy, alteration in enumerate([Alteration("as it is"), *alterations]):
        for name, table in surroundings.tables.items():
            rows = [row for of, row in alteration.rows if of == name]
            if rows:
                table = _added(table, name, rows, case_id, moment)
            if name == "measures" and alteration.end_measures:
                table = _ended(table, alteration.end_measures, case_id, moment)
            copies[name].append(_suffixed(table, copy))
    history = History(
        {name: pa.concat_tables(parts) for name, parts in copies.items()}, surroundings.manifest
    )
    ids = [f"{case_id}#{copy}" for copy in range(1 + len(alterations))]
    return build_features(history, pd.DataFrame({"case_id": ids, "as_of": as_of}), catalogue)


def _factor_of(column):
    """The factor that a column says the state of; None for any other column."""
    feature = column.feature
    if feature.table != "factors" or feature.column != "state" or feature.aggregate != "latest":
        return None
    match = _OF_ONE_FACTOR.fullmatch(feature.where or "")
    return match[1] if match else None


def _unmentioned(values, catalogue, models):
    """Factors that nobody mentioned, some model reads and the relationship admits: {code: column}."""
    read = {name for model in models.values() for name in model.columns}
    formulas = [column.feature for column in catalogue.columns if column.feature.is_formula]
    read |= {name for formula in formulas if formula.name in read for name in formula_columns(formula)}
    found = {}
    for column in catalogue.columns:
        code = _factor_of(column)
        if code is None or column.name not in read or isinstance(values[column.name], str):
            continue
        applies = catalogue.factors[code].relationships if code in catalogue.factors else ()
        relationship = values.get("relationship")
        if not applies or not isinstance(relationship, str) or relationship in applies:
            found.setdefault(code, column)
    return found


def _effects(matrix, models):
    """Margins' changes and the risks' ratios against the first row: {model: (float array, float array)}."""
    effects = {}
    for name, model in models.items():
        margin = model.margin(matrix)
        risk = model.calibrator.risk(margin)
        effects[name] = (margin[1:] - margin[0], risk[1:] / risk[0])
    return effects


def _levels(matrix, models, rules):
    risks = {name: model.predict(matrix) for name, model in models.items()}
    return rules.suggest(risks, rules.thresholds(models), matrix)[0]


def _simple_changes(now, catalogue):
    """Simple changes that a registry may record of a case any day."""
    incident = {"source": _SOURCE}
    changes = [
        Alteration(
            "new_incident",
            (("incidents", {**incident, "severity": severity}),),
            fields={"severity": severity},
        )
        for severity in (2, 4)
    ]
    if "breach" in catalogue.factors:
        breach = {"factor": "breach", "state": "present", "source": _SOURCE}
        changes.append(Alteration("breach", (("factors", breach),)))
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


def what_would_change(surroundings, now, as_of, models, rules, language="es", *, smallest=0.1):
    """The next best questions, and what the risk would be if a simple thing were recorded today.

    Each factor that nobody mentioned is tried as present and as denied: a question is worth asking when the
    two answers differ. Nothing is assumed of what is not mentioned, and silence is not among the changes.

    Parameters
    ----------
    surroundings : History    of `case_surroundings`
    now : Series              the case's features
    as_of : Timestamp
    models : dict of name -> Model
    rules : LevelRules
    language : str
    smallest : float          log-odds: answers that differ by less are left out

    Returns
    -------
    questions : DataFrame, the most telling first
        factor, label, model (which it moves most), present and denied (the risk's ratio to what it is now),
        level_if_present, swing (difference between the answers in log-odds)
    changes : DataFrame
        change (in words), <model> (the risk's ratio to what it is now) for each model, level_then
    """
    catalogue = next(iter(models.values())).catalogue
    unknown, simple = _unmentioned(now, catalogue, models), _simple_changes(now, catalogue)
    answers = [
        Alteration(f"{code} {state}", (("factors", {"factor": code, "state": state, "source": _SOURCE}),))
        for code in unknown
        for state in ("present", "denied")
    ]
    matrix = altered_matrix(surroundings, now.name[0], as_of, [*answers, *simple], catalogue)
    effects, levels = _effects(matrix, models), _levels(matrix, models, rules)[1:]
    rows = []
    for k, (code, column) in enumerate(unknown.items()):
        present, denied = 2 * k, 2 * k + 1
        swings = {name: abs(moved[present] - moved[denied]) for name, (moved, _) in effects.items()}
        name = max(swings, key=swings.get)
        times = effects[name][1]
        label = column.feature.label[language]
        rows.append((code, label, name, times[present], times[denied], levels[present], swings[name]))
    questions = pd.DataFrame(
        rows, columns=["factor", "label", "model", "present", "denied", "level_if_present", "swing"]
    )
    # A calibrator may level out what the log-odds do; such a question would have no answer to show.
    shown = np.abs(np.log(questions[["present", "denied"]].to_numpy(dtype=float))).max(axis=1, initial=0.0)
    telling = questions[(shown >= smallest / 2) & (questions["swing"] >= smallest)]
    changes = pd.DataFrame(
        {
            "change": [message(f"reasons.change_{a.code}", language, **a.fields) for a in simple],
            **{name: times[len(answers) :] for name, (_, times) in effects.items()},
            "level_then": levels[len(answers) :],
        }
    )
    return telling.sort_values("swing", ascending=False, ignore_index=True), changes
