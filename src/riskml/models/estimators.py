"""The learners that a bundle can hold, and the plain baselines that every model has to beat."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from riskml.errors import RiskmlError
from riskml.models.linear import LinearModel, constant_model, elastic_net_path
from riskml.models.trees import BoostedTrees

__all__ = ["Blend", "ByStratum", "OneColumn", "learner_document", "learner_of", "one_number"]

TREES_FILE = "model.txt"


@dataclass(frozen=True)
class Blend:
    """Log-odds of boosted trees and of a logistic regression, mixed.

    Attributes
    ----------
    trees : BoostedTrees
    linear : LinearModel
    weight : float in [0, 1]    of the trees
    """

    trees: BoostedTrees
    linear: LinearModel
    weight: float

    kind = "blend"

    def margin(self, design):
        """Log-odds, float array, shape (n,)."""
        return self.weight * self.trees.margin(design) + (1 - self.weight) * self.linear.margin(design)

    def predict(self, design):
        """Risk before calibration, float array, shape (n,)."""
        return expit(self.margin(design))

    def contributions(self, design):
        """SHAP values of the two parts, mixed as their log-odds are: values (n, columns) and base."""
        first, second = self.trees.contributions(design), self.linear.contributions(design)
        return (
            self.weight * first[0] + (1 - self.weight) * second[0],
            self.weight * first[1] + (1 - self.weight) * second[1],
        )


@dataclass(frozen=True)
class OneColumn:
    """A regression on one column of a design that holds others too: a plain baseline in a bundle.

    Attributes
    ----------
    position : int           of the column
    linear : LinearModel     of `one_number`
    """

    position: int
    linear: LinearModel

    kind = "one_column"

    def margin(self, design):
        """Log-odds, float array, shape (n,)."""
        return self.linear.margin(design[:, [self.position]])

    def predict(self, design):
        """Risk before calibration, float array, shape (n,)."""
        return expit(self.margin(design))

    def contributions(self, design):
        """SHAP values, of which one column alone is not zero, and base, as `LinearModel.contributions`."""
        own, base = self.linear.contributions(design[:, [self.position]])
        values = np.zeros(design.shape)
        values[:, self.position] = own[:, 0]
        return values, base


@dataclass(frozen=True)
class ByStratum:
    """Two logistic regressions: one for a stratum such as partners and former partners, one for the rest.

    Attributes
    ----------
    columns : int array      design columns of which one is 1 for whoever is in the stratum
    inside, outside : LinearModel
    """

    columns: np.ndarray
    inside: LinearModel
    outside: LinearModel

    kind = "by_stratum"

    def member(self, design):
        """Who is in the stratum, bool array (n,); one whose stratum is not known counts with the rest."""
        return (design[:, self.columns] == 1).any(axis=1)

    def margin(self, design):
        """Log-odds, float array, shape (n,)."""
        return np.where(self.member(design), self.inside.margin(design), self.outside.margin(design))

    def predict(self, design):
        """Risk before calibration, float array, shape (n,)."""
        return expit(self.margin(design))

    def contributions(self, design):
        """Each part's SHAP values for its own rows; what lies between both bases is the stratum's.

        Returns
        -------
        values : float array, shape (n, columns)
        base : float    half-way between the two intercepts
        """
        member = self.member(design)
        inside, outside = self.inside.contributions(design), self.outside.contributions(design)
        values = np.where(member[:, None], inside[0], outside[0])
        base = (inside[1] + outside[1]) / 2
        values[:, self.columns[0]] += np.where(member, inside[1], outside[1]) - base
        return values, base


def one_number(values, outcome):
    """A plain baseline: a logistic regression on one number, or the outcome's share for everyone.

    Parameters
    ----------
    values : float array, shape (n, 1) or (n, 0)    NaN: not known, which has a coefficient of its own
    outcome : array of {0, 1}, shape (n,)

    Returns
    -------
    LinearModel
    """
    known = values[~np.isnan(values)]
    if not known.size or (known.size == values.size and not np.ptp(known)):
        return constant_model(outcome)
    return elastic_net_path(values, outcome, strengths=[1e-5], l1_ratio=0.5)[0][1]


def learner_document(learner):
    """A learner as plain JSON and text files.

    Returns
    -------
    document : dict
    files : dict of file name -> text
    """
    if learner.kind == "trees":
        return {"kind": "trees"}, {TREES_FILE: learner.text}
    if learner.kind == "linear":
        return {"kind": "linear", "linear": learner.to_document()}, {}
    if learner.kind == "one_column":
        return {
            "kind": "one_column",
            "position": int(learner.position),
            "linear": learner.linear.to_document(),
        }, {}
    if learner.kind == "by_stratum":
        parts = {"inside": learner.inside.to_document(), "outside": learner.outside.to_document()}
        return {"kind": "by_stratum", "columns": [int(c) for c in learner.columns], **parts}, {}
    return (
        {"kind": "blend", "weight": float(learner.weight), "linear": learner.linear.to_document()},
        {TREES_FILE: learner.trees.text},
    )


def learner_of(document, files, columns):
    """The learner that `learner_document` stored; columns is the number of design columns.

    Raises
    ------
    RiskmlError    an unknown kind of learner, or a text that is not a model of these columns
    """
    kind = document.get("kind")
    if kind == "linear":
        return LinearModel.from_document(document["linear"])
    if kind == "one_column":
        return OneColumn(int(document["position"]), LinearModel.from_document(document["linear"]))
    if kind == "by_stratum":
        parts = (LinearModel.from_document(document[name]) for name in ("inside", "outside"))
        return ByStratum(np.array(document["columns"], dtype=int), *parts)
    if kind in ("trees", "blend") and TREES_FILE in files:
        trees = BoostedTrees(files[TREES_FILE], columns, TREES_FILE)
        if kind == "trees":
            return trees
        return Blend(trees, LinearModel.from_document(document["linear"]), float(document["weight"]))
    raise RiskmlError(
        f'unknown kind of learner "{kind}"',
        where="bundle.json",
        mend="Load it with the version that trained it.",
    )
