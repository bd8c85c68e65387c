"""A model's recipe with its settings held: learnt again on other rows without tuning anew.

For questions that need hundreds of models: what other people, shuffled outcomes or fewer columns would have
given. Penalties, sizes of trees, the mixture's weight and the kind of calibrator are the model's own.
"""

from dataclasses import dataclass

import numpy as np

from riskml.models.calibration import Calibrator, fit_calibrator
from riskml.models.estimators import one_number
from riskml.models.linear import elastic_net_path
from riskml.models.splits import grouped_folds
from riskml.models.trees import PATIENCE, boost, staged
from riskml.training.learn import Inputs
from riskml.validation.forecast import NotEstimable
from riskml.validation.recalibration import Recalibration

__all__ = ["HeldRecipe", "LearningRows", "held_recipe", "learning_rows"]

FOLDS = 5
_OF_DESIGN = ("elastic_net", "by_relationship", "lightgbm", "blend")


@dataclass(frozen=True)
class LearningRows:
    """Rows that a recipe may learn from, thinned, and what it reads of them.

    Attributes
    ----------
    rows : int array, shape (n,)     positions among all of a model's rows
    read : float array, shape (n, p)    what the chosen candidate reads
    outcome : array of {0, 1}, shape (n,)
    people : array of str, shape (n,)    aggressors
    group : array of int, shape (n,)     people who share an aggressor or a victim
    first, refit, calibrate : bool arrays, shape (n,)    which are of the first window, which learn and which
        calibrate; all the same where cross-fitted
    """

    rows: np.ndarray
    read: np.ndarray
    outcome: np.ndarray
    people: np.ndarray
    group: np.ndarray
    first: np.ndarray
    refit: np.ndarray
    calibrate: np.ndarray


def learning_rows(found, rows, *, keep=None):
    """What the chosen candidate of a model reads of some of the rows that it was learnt from.

    Parameters
    ----------
    found : Rebuilt
    rows : int array              positions, ascending, of refit and calibrate rows
    keep : int array or None      design columns that are read; None: all
    """
    data = found.data
    return LearningRows(
        rows,
        reading(found, rows, keep=keep),
        data.outcome[rows],
        data.aggressor[rows],
        data.group[rows],
        np.isin(rows, data.split.first),
        np.isin(rows, data.split.refit),
        np.isin(rows, data.split.calibrate),
    )


def reading(found, rows, *, keep=None):
    """What the chosen candidate reads of some rows: float array, shape (rows, p)."""
    matrix = found.data.matrix.iloc[rows]
    design = found.model.encoding.design(matrix)
    design = design if keep is None else design[:, keep]
    numbers = {name: values[rows] for name, values in found.data.yardsticks.items()}
    return Inputs(design, numbers).of(found.chosen, np.arange(len(rows)))


@dataclass(frozen=True)
class HeldRecipe:
    """How the chosen candidate of a model is learnt, with its settings fixed.

    Attributes
    ----------
    name : str                    the candidate
    linear : tuple of (l1_ratio, strength, curves)    of the elastic net; two of them where partners are apart
    trees : dict or None          settings and rounds of LightGBM
    weight : float                of the trees in a blend
    kind : str                    of the calibrator
    cross_fitted : bool
    directions : tuple            monotone direction of each column read; empty: none
    strata : int array or None    columns that indicate a partner, where partners are apart
    moved : Recalibration or None    of a recalibrated version: the step behind its calibrator, held too
    """

    name: str
    linear: tuple
    trees: dict | None
    weight: float
    kind: str
    cross_fitted: bool
    directions: tuple
    strata: np.ndarray | None
    moved: Recalibration | None = None

    def fit(self, learning, drawn, seed, *, outcome=None):
        """Learn from drawn rows.

        Parameters
        ----------
        learning : LearningRows
        drawn : int array     positions among its rows, with repetitions
        seed : int
        outcome : array of {0, 1}, shape (n,), or None    in place of the rows' own

        Returns
        -------
        callable `predict(read) -> risk`

        Raises
        ------
        NotEstimable    (a ValueError) a window of one class
        """
        outcome = learning.outcome if outcome is None else outcome
        inside, at = drawn[learning.refit[drawn]], drawn[learning.calibrate[drawn]]
        for rows in (inside, at):
            events = int(outcome[rows].sum())
            if events in (0, len(rows)):
                raise NotEstimable("one_class", events=events, count=len(rows))
        read, label = learning.read[inside], outcome[inside]
        if self.cross_fitted:
            margin, held = self._cross_fitted(read, label, learning.group[inside], seed)
            calibrator = Calibrator() if held is None else fit_calibrator(self.kind, held, label)
        else:
            first = drawn[learning.first[drawn]]
            per_person = len(first) / max(len(np.unique(learning.people[first])), 1)
            margin = self._margin(read, label, seed, per_person)
            calibrator = fit_calibrator(self.kind, margin(learning.read[at]), outcome[at])
        if self.moved is not None:
            return lambda cases: self.moved.risk(calibrator.risk(margin(cases)))
        return lambda cases: calibrator.risk(margin(cases))

    def _cross_fitted(self, read, label, group, seed):
        """Log-odds of the whole, and of each row by models without its people (None: not asked)."""
        fold = grouped_folds(group, label, folds=FOLDS, seed=seed)
        per_person = len(label) / len(np.unique(group))
        trees = []
        held = None if self.kind == "none" else np.zeros(len(label))
        for k in np.unique(fold):
            inside, apart = fold != k, fold == k
            if self.trees:
                trees.append(self._stopped_trees(read, label, inside, seed, per_person))
            if held is not None and self.weight < 1:
                line = self._linear(read[inside], label[inside])
                held[apart] += (1 - self.weight) * line(read[apart])
            if held is not None and self.trees:
                held[apart] += self.weight * trees[-1](read[apart])
        whole = None if self.weight == 1 else self._linear(read, label)

        def margin(cases):
            found = np.zeros(len(cases))
            if trees:
                found += self.weight * np.mean([booster(cases) for booster in trees], axis=0)
            return found if whole is None else found + (1 - self.weight) * whole(cases)

        return margin, held

    def _stopped_trees(self, read, label, inside, seed, per_person):
        """Log-odds of one fold's booster: stopped early on the people left out, or at the rounds chosen."""
        rounds, apart = self.trees["rounds"], ~inside
        booster, _ = staged(
            read[inside],
            label[inside],
            read[apart],
            label[apart],
            self.trees["settings"],
            rounds + PATIENCE,
            directions=self.directions,
            seed=seed,
            rows_per_person=per_person,
        )
        return lambda cases: booster.predict(cases, raw_score=True, num_iteration=rounds, num_threads=1)

    def _margin(self, read, label, seed, per_person):
        """Log-odds as a function of what is read, learnt in one window."""
        if not self.trees:
            return self._linear(read, label)
        settings, rounds = self.trees["settings"], self.trees["rounds"]
        shared = {"directions": self.directions, "seed": seed, "rows_per_person": per_person}
        return boost(read, label, settings, rounds, **shared).margin

    def _linear(self, read, label):
        """Log-odds of the regression as a function of what is read."""
        if self.name not in _OF_DESIGN:
            return one_number(read, label).margin
        if self.strata is None:
            return _penalised(read, label, *self.linear[0], self.directions)
        member = _member(read, self.strata)
        parts = []
        for inside, settings in zip((member, ~member), self.linear, strict=True):
            events = int(label[inside].sum())
            if events in (0, int(inside.sum())):
                raise NotEstimable("one_class", events=events, count=int(inside.sum()))
            parts.append(_penalised(read[inside], label[inside], *settings, self.directions))
        return lambda cases: np.where(_member(cases, self.strata), parts[0](cases), parts[1](cases))


def _member(read, columns):
    return (read[:, columns] == 1).any(axis=1)


def _penalised(read, label, l1_ratio, strength, curves, directions):
    shared = {"l1_ratio": l1_ratio, "curves": curves, "directions": directions}
    return elastic_net_path(read, label, strengths=[strength], **shared)[0][1].margin


def held_recipe(found, *, keep=None):
    """The recipe of a model's chosen candidate, with the settings that its report states.

    Parameters
    ----------
    found : Rebuilt
    keep : int array or None    design columns that are read; None: all

    Returns
    -------
    HeldRecipe
    """
    name, report, encoding = found.chosen, found.model.report, found.model.encoding
    columns = np.arange(len(encoding.columns)) if keep is None else np.asarray(keep)
    tuning = {of: [row for row in rows if row["chosen"]] for of, rows in report["tuning"].items()}
    penalised = () if name == "lightgbm" else tuning.get("elastic_net" if name == "blend" else name, ())
    linear = tuple((row["l1_ratio"], row["strength"], row.get("curves", False)) for row in penalised)
    weight, trees = 0.0, None
    if name in ("lightgbm", "blend"):
        kind = found.model.learner.kind
        weight = {"trees": 1.0, "linear": 0.0}.get(kind, getattr(found.model.learner, "weight", 0.0))
        trees = tuning["lightgbm"][0] if weight > 0 else None
    monotone = found.spec.learners.monotone
    strata = None
    if name == "by_relationship":
        strata = np.flatnonzero(np.isin(columns, found.model.learner.columns))
    step = found.model.card.get("recalibration")
    return HeldRecipe(
        name,
        linear,
        trees,
        weight,
        next(row["kind"] for row in report["calibrators"][name] if row["chosen"]),
        found.data.split.cross_fitted,
        tuple(encoding.directions[i] for i in columns) if monotone else (),
        strata,
        None if step is None else Recalibration.from_document(step),
    )
