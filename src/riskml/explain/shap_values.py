"""Exact SHAP values of a model in log-odds, for each column of the catalogue."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.explain.tree_tables import MOST_DEPTH, TreeTables

__all__ = ["TOLERANCE", "ShapValues", "shap_values", "tree_shap"]

TOLERANCE = 1e-5  # of the sum of a row's values, in log-odds
FEW_ROWS = 1_000  # below, LightGBM's own TreeSHAP is done before the tables are made
_ZERO_IS_MISSING, _CATEGORICAL = 1, 1  # in LightGBM's decision_type: bits 2-3, bit 0


@dataclass(frozen=True)
class ShapValues:
    """How much each column moved a model's log-odds, before calibration.

    Attributes
    ----------
    values : DataFrame    index of the matrix, one column for each matrix column that the model reads
    base : float          log-odds before anything is known; a row's values plus this are its margin
    margin : float array, shape (n,)
    """

    values: pd.DataFrame
    base: float
    margin: np.ndarray


def _depth(structure):
    """Depth of one tree of LightGBM's `dump_model`."""
    if "left_child" not in structure:
        return 0
    return 1 + max(_depth(structure["left_child"]), _depth(structure["right_child"]))


def _tabulates(booster):
    """Whether the tables can hold the booster: numeric splits, zero a number like others, shallow trees."""
    text = booster.model_to_string()
    kinds = {int(k) for line in re.findall(r"^decision_type=(.*)$", text, re.M) for k in line.split()}
    if any(kind & _CATEGORICAL or (kind >> 2) & 3 == _ZERO_IS_MISSING for kind in kinds):
        return False
    if re.search(r"^is_linear=1$", text, re.M):
        return False
    return all(_depth(t["tree_structure"]) <= MOST_DEPTH for t in booster.dump_model()["tree_info"])


def tree_shap(booster, design, *, threads=None):
    """Path-dependent TreeSHAP of a LightGBM booster, as `shap.TreeExplainer(booster)` would give it.

    Many rows are read from tables (`riskml.explain.tree_tables`); few rows, and boosters whose trees the
    tables do not hold, are left to LightGBM's own implementation. Both are exact, in double precision.

    Parameters
    ----------
    booster : lightgbm.Booster    of one output, in log-odds
    design : float array, shape (n, columns)    NaN is missing
    threads : int or None         None: one for each processor

    Returns
    -------
    values : float array, shape (n, columns)
    base : float    a row's values plus this are its raw score

    References
    ----------
    Lundberg et al. (2020), Nature Machine Intelligence 2:56. Nadel & Wettenstein (2026), AAAI 40(29):24476.
    """
    design = np.asarray(design, dtype=np.float64)
    if booster.num_trees() == 0 or len(design) == 0:
        return np.zeros(design.shape), 0.0
    few = len(design) < FEW_ROWS or not _tabulates(booster)
    parts = booster.predict(design if few else design[:1], pred_contrib=True)
    base = float(parts[0, -1])
    return (parts[:, :-1] if few else TreeTables(booster, design.shape[1]).values(design, threads)), base


def _contributions(learner, design):
    """SHAP values on the design's columns, and the base, of any learner that a bundle can hold."""
    if learner.kind == "trees":
        return tree_shap(learner.booster, design)
    if learner.kind == "blend":
        (trees, base), (linear, intercept) = (
            tree_shap(learner.trees.booster, design),
            learner.linear.contributions(design),
        )
        share = learner.weight
        return share * trees + (1 - share) * linear, share * base + (1 - share) * intercept
    return learner.contributions(design)


def shap_values(model, matrix, *, margin=None):
    """Exact SHAP values of a model in log-odds, summed back to the columns of the matrix.

    Parameters
    ----------
    model : Model
    matrix : DataFrame, one row per assessment    of `build_features`
    margin : float array, shape (n,), or None     the model's log-odds where they are at hand; None: computed

    Returns
    -------
    ShapValues

    Raises
    ------
    ArithmeticError    the values do not add up to the model's log-odds within TOLERANCE: they explain nothing
    """
    design = model.design(matrix)
    margin = model.learner.margin(design) if margin is None else np.asarray(margin, dtype=float)
    parts, base = _contributions(model.learner, design)
    gap = np.abs(parts.sum(axis=1) + base - margin)
    # `not (gap <= ...)` so that a value that is not a number fails too.
    if len(gap) and not (gap <= TOLERANCE * np.maximum(1.0, np.abs(margin))).all():
        raise ArithmeticError(f"SHAP values miss the log-odds of model {model.name} by {gap.max():.3g}")
    columns = np.zeros((len(model.columns), len(design)))
    for position, part in zip(model.encoding.source_positions, parts.T, strict=True):
        columns[position] += part
    return ShapValues(
        pd.DataFrame(columns.T, index=matrix.index, columns=list(model.columns)), float(base), margin
    )
