"""The very facts behind one number of the matrix: which count, which do not, and why.

Written straight from the definition, for one case at one moment; the sweep computes the same for millions.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.errors import RiskmlError
from riskml.features.conditions import parse_condition
from riskml.features.definitions import ENDING_AGGREGATES
from riskml.features.formulas import formula_columns
from riskml.features.masks import condition_masks
from riskml.features.predictors import DERIVED
from riskml.features.streams import scope_of
from riskml.registry.contract import TABLES
from riskml.registry.history import History
from riskml.vocabulary import moment_of

__all__ = ["REASONS", "facts_behind"]

# Why a fact of the scope does not count, in the order in which they are looked at.
REASONS = (
    "condition_not_met",  # not what the feature speaks of, at any time
    "undated",  # one of its two times is missing
    "case_not_known",  # the assessed case was not in the registry
    "person_not_known",  # the assessed case names no such person
    "other_case_not_known",  # it belongs to a case of the person that was not in the registry
    "another_person",  # it belongs to a case, or is of a person, that was not the assessed case's then
    "not_yet_recorded",
    "not_yet_occurred",
    "superseded",
    "too_recent",  # after the near end of the window
    "outside_window",
    "expired",
    "ended",
    "no_expiry",
    "not_yet_expired",
    "ended_before_expiry",
    "value_unknown",
)
_OF_OWNERS = ("case_not_known", "person_not_known", "other_case_not_known", "another_person")
_STANDING = ("in_force", "days_to_expiry")
_LAST = ("latest", "days_since")
_EPISODES = {"days_since_second": 2, "days_since_third": 3}
_OF_ONE = (*_LAST, *_EPISODES, "days_since_first", "max", "days_to_expiry", "days_since_expiry")
_DAY = pd.Timedelta(days=1)


def facts_behind(history, catalogue, case_id, as_of, column):
    """The facts of a column's scope for one case at one moment, and what each is to its number.

    The scope is every fact of the table that ever belonged to the case or, with `over: aggressor` or
    `over: victim`, to any case that ever was the person's: what was not yet known is listed with its reason.

    Parameters
    ----------
    history : whatever `History.of` takes
    catalogue : Catalogue
    case_id : str          the case, as the history names it
    as_of : timestamp      the moment of assessment, naive, on the registry's visible timeline
    column : str           name of a column of the matrix

    Returns
    -------
    DataFrame, a row for each fact, by the time at which it occurred; of a formula, the facts behind each
        column that it names, one column after the other
        column        of a formula alone: the column that it names
        table         its table
        case_id, or aggressor_id or victim_id    whose it is
        occurred_at, recorded_at, superseded_at  both clocks, and when it was corrected
        ...           what the feature reads of it: its column and those of its condition, endings of measures
        in_window     whether it occurred in the window; where there is none: up to `as_of`
        counted       whether the number is made of it
        decides       whether it gives the number: the highest, the latest, the first, the one that begins the
                      episode, the soonest to expire; for an aggregate of all of them the same as `counted`
        reason        of REASONS, why it is not counted; empty where it is

    Raises
    ------
    RiskmlError    no such column or case, a table that the history lacks, a moment that does not read
    """
    history, column, t = History.of(history), catalogue.column(column), moment_of(as_of)
    feature = column.feature
    if feature.is_formula:
        return _behind_each(history, catalogue, case_id, t, formula_columns(feature))
    owners = _owners(history.table("cases"), feature, case_id, t)
    owner = TABLES[feature.table].entity
    table = history.table(feature.table, sorted(catalogue.tables_read[feature.table]))
    table = table.filter(pc.is_in(table[owner], value_set=pa.array(list(owners), pa.string())))
    facts = _frame(table)
    if feature.column in DERIVED:
        facts[feature.column] = _derived(facts, feature.column)
    near, far = (
        None if us is None else pd.Timedelta(us, unit="us") for us in (column.near_us, column.window_us)
    )
    facts["too_recent"] = facts["occurred_at"] > t - near
    facts["in_window"] = (facts["occurred_at"] <= t - near) & (
        True if far is None else facts["occurred_at"] > t - far
    )
    meets = np.ones(len(facts), bool) if feature.where is None else condition_masks(table, [feature.where])[0]
    facts["reason"] = _reasons(facts, feature, facts[owner].map(owners).to_numpy(), meets, t)
    facts["counted"] = facts["reason"] == ""
    facts["decides"] = _decides(facts, feature)
    facts.insert(0, "table", feature.table)
    read = parse_condition(feature.where, feature.table, catalogue.factors).columns if feature.where else ()
    endings = ("expires_at", "ended_at") if feature.aggregate in ENDING_AGGREGATES else ()
    shown = ["table", owner, "occurred_at", "recorded_at", "superseded_at"]
    shown += [feature.column] * bool(feature.column) + [*read, *endings]
    shown += ["in_window", "counted", "decides", "reason"]
    facts = facts.sort_values(["occurred_at", "recorded_at"], kind="stable", ignore_index=True)
    return facts[list(dict.fromkeys(shown))]


def _behind_each(history, catalogue, case_id, t, names):
    """The facts behind several columns, one after the other, each under the column's name."""
    parts = []
    for name in names:
        facts = facts_behind(history, catalogue, case_id, t, name)
        facts.insert(0, "column", name)
        parts.append(facts)
    columns = list(dict.fromkeys(column for part in parts for column in part.columns))
    last = ["in_window", "counted", "decides", "reason"]
    order = [column for column in columns if column not in last] + last
    rows = [row for part in parts for row in part.to_dict(orient="records")]
    return pd.DataFrame(rows, columns=order)


def _derived(facts, column):
    """What the two clocks give of each fact: the day on which it occurred, or how many it was on the way."""
    if column == "occurred_on":
        return facts["occurred_at"].dt.normalize()
    return ((facts["recorded_at"] - facts["occurred_at"]) // _DAY).clip(lower=0)


def _frame(table):
    """Rows as a frame in which whole numbers stay whole."""
    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)


def _visible(rows, t):
    known = (rows["recorded_at"] <= t) & (rows["occurred_at"] <= t)
    return known & (rows["superseded_at"].isna() | (rows["superseded_at"] > t))


def _in_force(cases, t):
    """The version of each case that speaks at t, by case_id: of those visible the one recorded last."""
    visible = cases[_visible(cases, t)].sort_values(["recorded_at", "occurred_at"], kind="stable")
    return visible.drop_duplicates("case_id", keep="last").set_index("case_id")


def _owners(cases, feature, case_id, t):
    """Whose facts are looked at: dict of id -> why none of them counts; empty text where they may."""

    def rows_with(name, values):
        return _frame(cases.filter(pc.is_in(cases[name], value_set=pa.array(list(values), pa.string()))))

    own = rows_with("case_id", [str(case_id)])
    if own.empty:
        raise RiskmlError(
            "the history holds no such case",
            where="case",
            mend="Give the registry's own id with the key at hand, or the pseudonym as a history names it.",
        )
    now = _in_force(own, t)
    person_id = f"{scope_of(feature)}_id"
    if feature.table in ("aggressors", "victims"):
        person = None if now.empty else now[person_id].iloc[0]
        reason = "case_not_known" if now.empty else "another_person"
        return {p: "" if p == person else reason for p in own[person_id].dropna().unique()}
    if now.empty:
        return {case_id: "case_not_known"}
    if feature.over == "case":
        return {case_id: ""}
    person = now[person_id].iloc[0]
    if pd.isna(person):
        return {case_id: "person_not_known"}
    ever_his = rows_with(person_id, [person])["case_id"].dropna().unique()
    whose = _in_force(rows_with("case_id", ever_his), t)[person_id].to_dict()

    def reason_of(case):
        if case not in whose:
            return "other_case_not_known"
        return "" if whose[case] == person else "another_person"

    return {case: reason_of(case) for case in ever_his}


def _reasons(facts, feature, of_owner, meets, t):
    """The first reason of each fact, or empty text: array of str."""
    found = {
        "condition_not_met": ~np.asarray(meets, bool),
        "undated": facts["occurred_at"].isna() | facts["recorded_at"].isna(),
        **{reason: of_owner == reason for reason in _OF_OWNERS},
        "not_yet_recorded": facts["recorded_at"] > t,
        "not_yet_occurred": facts["occurred_at"] > t,
        "superseded": facts["superseded_at"] <= t,
        "too_recent": facts["too_recent"],
        "outside_window": ~facts["in_window"],
    }
    if feature.aggregate in _STANDING:
        found |= {"expired": facts["expires_at"] <= t, "ended": facts["ended_at"] <= t}
    if feature.aggregate in ("days_to_expiry", "days_since_expiry"):
        found["no_expiry"] = facts["expires_at"].isna()
    if feature.aggregate == "days_since_expiry":
        found["not_yet_expired"] = facts["expires_at"] > t
        found["ended_before_expiry"] = facts["ended_at"] < facts["expires_at"]
    if feature.column:
        found["value_unknown"] = _values(facts, feature).isna()
    masks = [np.asarray(mask, bool) for mask in found.values()]
    return np.select(masks, list(found), default="").astype(object)


def _values(facts, feature):
    """What is aggregated: words in order as their ranks, as the highest of them is sought."""
    values = facts[feature.column]
    if feature.aggregate == "max" and feature.reads.ordered:
        return values.map({word: rank for rank, word in enumerate(feature.reads.values)}).astype("Float64")
    return values


def _decides(facts, feature):
    """Which of the counted facts the number is taken from: Series of bool."""
    counted = facts[facts["counted"]].sort_values(["occurred_at", "recorded_at"], kind="stable")
    if counted.empty or feature.aggregate not in _OF_ONE:
        return facts["counted"]
    if feature.aggregate in _LAST:
        deciding = counted.index[-1:]
    elif feature.aggregate == "days_since_first":
        deciding = counted.index[:1]
    elif feature.aggregate in _EPISODES:
        deciding = _episode(counted["occurred_at"], _EPISODES[feature.aggregate])
    else:
        ends = feature.aggregate in ENDING_AGGREGATES
        values = counted["expires_at"] if ends else _values(counted, feature)
        best = values.min() if feature.aggregate == "days_to_expiry" else values.max()
        deciding = counted.index[values == best]
    return pd.Series(facts.index.isin(deciding), facts.index)


def _episode(occurred, which):
    """Position of the fact that begins an episode, counted from the latest; empty where there are fewer."""
    for _ in range(which - 1):
        occurred = occurred[occurred <= occurred.iloc[-1] - _DAY]
        if occurred.empty:
            break
    return occurred.index[-1:]
