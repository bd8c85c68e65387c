"""How a feature is distributed over assessments of a history, and how often the record says nothing."""

import re

import numpy as np
import pandas as pd

from riskml.features.catalogue import Catalogue
from riskml.features.conditions import parse_condition
from riskml.features.definitions import Feature
from riskml.features.matrix import build_features

__all__ = ["feature_distribution", "named_factors"]

_QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
_FEW = 8  # different values that are listed with their counts
_SILENCE = "facts_on_record"


def named_factors(feature, factors):
    """The codes of the vocabulary that a feature's condition names: tuple of str; empty for other tables."""
    if feature.table != "factors" or not feature.where:
        return ()
    return tuple(code for code in re.findall(r"'([^']*)'", feature.where) if code in factors)


def feature_distribution(history, cohort, catalogue, name):
    """The columns of one feature over the assessments of a cohort.

    Parameters
    ----------
    history : whatever `build_features` takes
    cohort : DataFrame    assessments: `case_id`, `as_of`
    catalogue : Catalogue
    name : str            of a feature

    Returns
    -------
    DataFrame, a row for each column of the feature
        assessments    how many
        unknown        of them, those for which the record says nothing: none of the factors that the
                       condition names is mentioned (present or denied); for other tables, no visible fact
                       of the table in the feature's scope; of a formula, those that come out missing
        missing        of them, those with no value
        zero           of them, those with the value 0
        mean, minimum, p05, p25, p50, p75, p95, maximum    of the values that are there; NaN for words
        frequent       dict of value -> how many, the most frequent first; of numbers only where they are few

    Raises
    ------
    RiskmlError    no such feature, or what `build_features` raises
    """
    feature = catalogue.feature(name)
    if feature.is_formula:
        matrix = build_features(history, cohort, catalogue.part(name))
        unknown = int(matrix[name].isna().sum())
    else:
        facts = _facts_on_record(feature, catalogue.factors)
        matrix = build_features(history, cohort, Catalogue((feature, facts), catalogue.factors))
        unknown = int((matrix[facts.columns[0].name] == 0).sum())
    rows = {column.name: _summary(matrix[column.name], unknown) for column in feature.columns}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("column")


def _facts_on_record(feature, factors):
    """How many facts the record holds of what a feature speaks of, whatever they say: Feature."""
    codes = named_factors(feature, factors)
    where = None
    if codes:
        listed = ", ".join(f"'{code}'" for code in dict.fromkeys(codes))
        where = parse_condition(f"factor in ({listed})", "factors", factors).sql
    return Feature(
        name=_SILENCE,
        dimension=feature.dimension,
        table=feature.table,
        aggregate="count",
        over=feature.over,
        where=where,
    )


def _summary(values, unknown):
    known = values.dropna()
    row = {"assessments": len(values), "unknown": unknown, "missing": len(values) - len(known)}
    words = not pd.api.types.is_numeric_dtype(values)
    row["zero"] = 0 if words else int((known == 0).sum())
    numbers = pd.Series(dtype="float64") if words else known
    row |= {"mean": numbers.mean(), "minimum": numbers.min()}
    row |= {q: numbers.quantile(at) if len(numbers) else np.nan for q, at in _QUANTILES.items()}
    row["maximum"] = numbers.max()
    counts = known.value_counts()
    few = words or len(counts) <= _FEW
    row["frequent"] = {value: int(n) for value, n in counts.head(_FEW).items()} if few else {}
    return row
