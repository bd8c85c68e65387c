"""What must hold of a feature beyond its form: it reads the contract rightly and nothing that it may not."""

import re

from riskml.errors import RiskmlError
from riskml.features.conditions import parse_condition
from riskml.features.definitions import (
    COLUMN_AGGREGATES,
    ENDING_AGGREGATES,
    WINDOWED_AGGREGATES,
    window_bounds,
)
from riskml.features.formulas import parse_formula
from riskml.features.predictors import column_refusal, read_column
from riskml.registry.contract import TABLES, Kind
from riskml.vocabulary import did_you_mean

__all__ = ["feature_problems", "formula_problems"]

EVIDENCE = r"none|factors|(S:[0-9]+b?|M\??|D|A)( .+)?"

_PERSON_SCOPES = {"aggressors": ("case", "aggressor"), "victims": ("case", "victim")}


def feature_problems(feature, factors):
    """What is wrong with a feature, all of it.

    Parameters
    ----------
    feature : Feature
    factors : FactorVocabulary

    Returns
    -------
    list of (key, what, mend)    key: the key of the definition at fault; empty where the feature is sound
    """
    if feature.is_formula:
        return [*_computed(feature), *_evidence(feature), *_exposure(feature)]
    if feature.table not in TABLES:
        mend = did_you_mean(feature.table, TABLES) or f"Tables: {', '.join(TABLES)}."
        return [("table", f'unknown table "{feature.table}"', mend)]
    problems = [*_windows(feature), *_over(feature), *_measures(feature), *_column(feature, factors)]
    if feature.formula is not None:
        problems.append(("formula", "a formula reads no table", "Leave `aggregate` and `table` out."))
    if feature.where is not None:
        try:
            parse_condition(feature.where, feature.table, factors)
        except RiskmlError as error:
            problems.append(("where", error.what, error.mend))
    return [*problems, *_evidence(feature), *_exposure(feature)]


def formula_problems(feature, columns, factors):
    """What is wrong with the formula of a feature, once the columns that it may name are known.

    Parameters
    ----------
    feature : Feature
    columns : dict of name -> FeatureColumn    those of the catalogue that are no formulas
    factors : FactorVocabulary

    Returns
    -------
    list of (key, what, mend)
    """
    if feature.formula is None:
        return []  # told by `feature_problems`
    try:
        parse_formula(feature.formula, columns, factors)
    except RiskmlError as error:
        return [("formula", error.what, error.mend)]
    return []


def _computed(feature):
    """What a formula may not have."""
    if feature.formula is None:
        yield "aggregate", "a formula feature needs a formula", "Write it like {formula: a_90d / a_365d}."
        return
    given = {
        "table": feature.table,
        "column": feature.column,
        "windows": feature.windows,
        "where": feature.where,
        "over": "" if feature.over == "case" else feature.over,
    }
    for key, value in given.items():
        if value:
            yield key, f"a formula has no {key}", f"Leave `{key}` out: the columns that it names have theirs."


def _evidence(feature):
    for evidence in [feature.evidence] if isinstance(feature.evidence, str) else feature.evidence:
        if not re.fullmatch(EVIDENCE, evidence):
            mend = 'Write a tag and the study, "S:15 Turner 2022"; or factors; or none.'
            yield "evidence", f'evidence "{evidence}" has no provenance tag', mend


def _exposure(feature):
    if feature.dimension == "response" and not feature.exposure:
        mend = "Leave `exposure` out, or choose a dimension."
        yield "exposure", "what was done about a case is an exposure", mend


def _windows(feature):
    if feature.windows and feature.aggregate not in WINDOWED_AGGREGATES:
        mend = f"Leave `windows` out; windows are for {', '.join(WINDOWED_AGGREGATES)}."
        yield "windows", f"{feature.aggregate} has no windows", mend
    for position, window in enumerate(feature.windows):
        try:
            window_bounds(window)
        except RiskmlError as error:
            yield "windows", error.what, error.mend
        if window in feature.windows[:position]:
            yield "windows", f'window "{window}" stands twice', ""


def _over(feature):
    scopes = _PERSON_SCOPES.get(feature.table)
    if scopes and feature.over not in scopes:
        mend = f"Use over: {' or over: '.join(scopes)}."
        yield (
            "over",
            f"table {feature.table} holds facts of a person, not of every case of the {feature.over}",
            mend,
        )


def _measures(feature):
    if feature.aggregate in ENDING_AGGREGATES and feature.table != "measures":
        yield "aggregate", f"{feature.aggregate} is for the table measures alone, not {feature.table}", ""


def _column(feature, factors):
    aggregate, column = feature.aggregate, feature.column
    if aggregate not in COLUMN_AGGREGATES:
        if column is not None:
            mend = f"Leave `column` out; a column is for {', '.join(COLUMN_AGGREGATES)}."
            yield "column", f"{aggregate} takes no column", mend
        return
    if column is None:
        yield "aggregate", f"{aggregate} needs a column", "Add `column:`."
        return
    refusal = column_refusal(feature.table, column, factors.codes)
    if refusal:
        yield "column", *refusal
        return
    known = read_column(feature.table, column)
    suits = _suits(aggregate, known)
    if suits:
        yield "column", f'{aggregate} cannot read column "{column}", which holds {_holds(known)}', suits


def _suits(aggregate, column):
    """How to mend an aggregate that cannot read a column; empty where it can."""
    if column.name == "occurred_on":
        return "" if aggregate == "distinct" else "occurred_on is for distinct alone: it counts days."
    if column.name == "recording_lag" and aggregate == "distinct":
        return "recording_lag is for sum, mean, max and latest."
    if aggregate in ("sum", "mean"):
        return "" if column.kind is Kind.INTEGER else f"{aggregate} needs a number."
    if aggregate == "max":
        return (
            ""
            if column.kind is Kind.INTEGER or column.ordered
            else "max needs a number or words with an order."
        )
    if aggregate == "latest":
        fits = column.kind in (Kind.INTEGER, Kind.CODE, Kind.CATEGORY)
        return "" if fits else "latest needs a number or a word; for a time use days_since."
    fits = column.kind in (Kind.INTEGER, Kind.CODE, Kind.CATEGORY, Kind.ID)
    return "" if fits else "distinct needs words, numbers or the ids of cases and persons."


def _holds(column):
    return {
        Kind.ID: "keyed hashes",
        Kind.PERSON: "the keyed hash of a member of staff",
        Kind.QUOTE: "quoted words",
        Kind.TIME: "times",
        Kind.INTEGER: "numbers",
    }.get(column.kind, "words with an order" if column.ordered else "words without an order")
