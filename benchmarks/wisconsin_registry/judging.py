"""Candidates learnt on some people and judged on others: in folds, at a later date, or from another folder."""

import numpy as np

from riskml.models.encoding import Encoding, columns_of
from riskml.models.splits import WINDOWS, grouped_folds, split_by_person
from riskml.training.learn import calibrated, learn_candidates

__all__ = ["Learnt", "cross_fitted", "learn"]


class Learnt:
    """The candidates of one model file, learnt and calibrated on some people.

    Parameters
    ----------
    encoding : Encoding
    candidates : dict of name -> Candidate
    """

    def __init__(self, encoding, candidates):
        self._encoding, self._candidates = encoding, candidates

    def risks(self, matrix):
        """Calibrated risks of other assessments: dict of candidate -> float array, shape (n,)."""
        design = self._encoding.design(matrix)
        return {name: candidate.risk(design) for name, candidate in self._candidates.items()}


def learn(data, spec, catalogue, rows, *, seed):
    """Learn, tune and calibrate every candidate on some rows, as `riskml.training.train` does with its windows.

    Parameters
    ----------
    data : TrainingData
    spec : ModelFile
    catalogue : Catalogue
    rows : int array    positions of the assessments to learn from: divided by person into train, tune and calibrate
    seed : int

    Returns
    -------
    Learnt
    """
    # Three windows are asked of a function that makes four: the fourth is joined to the first.
    shares = dict(spec.split.shares, evaluate=spec.split.shares["train"] / 2, train=spec.split.shares["train"] / 2)
    inside = split_by_person(data.aggressor[rows], data.outcome[rows], shares=shares, seed=seed).rows
    windows = {name: rows[inside[name]] for name in WINDOWS}
    windows["train"] = np.sort(np.concatenate([windows["train"], windows.pop("evaluate")]))
    refit = np.sort(np.concatenate([windows["train"], windows["tune"]]))
    columns = columns_of(catalogue, spec.features.chosen(catalogue))
    encoding = Encoding.fit(data.matrix.iloc[windows["train"]], columns)
    design, at = encoding.design(data.matrix), windows["calibrate"]
    candidates = learn_candidates(
        design, data.outcome, (windows["train"], windows["tune"], refit), spec, encoding, seed=seed
    )
    kept = {
        c.name: calibrated(
            c, design[at], data.outcome[at], data.aggressor[at], kinds=spec.calibrators, seed=seed
        )
        for c in candidates
    }
    return Learnt(encoding, kept)


def cross_fitted(data, spec, catalogue, *, folds, seed):
    """Risks of every person from candidates that were learnt, tuned and calibrated on other people.

    Parameters
    ----------
    data : TrainingData    its own split is not used
    spec, catalogue
    folds : int
    seed : int

    Returns
    -------
    risks : dict of candidate -> float array, shape (n,)
    optimism : float or None    AUC of LightGBM on the people it learnt from minus that on others, mean over folds
    """
    fold = grouped_folds(data.aggressor, data.outcome, folds=folds, seed=seed)
    risks, apparent = {}, []
    for k in np.unique(fold):
        inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        learnt = learn(data, spec, catalogue, inside, seed=seed + int(k))
        for name, risk in learnt.risks(data.matrix.iloc[outside]).items():
            risks.setdefault(name, np.full(len(fold), np.nan))[outside] = risk
        apparent.append(learnt.risks(data.matrix.iloc[inside])["lightgbm"])
    return risks, fold, apparent
