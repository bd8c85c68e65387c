"""The rows that a model was made of and judged on, rebuilt from what the model says of itself."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.models.encoding import Encoding, columns_of
from riskml.models.spec import ModelFile
from riskml.registry.history import History
from riskml.training.data import TrainingData, training_data
from riskml.training.learn import Inputs

__all__ = ["Rebuilt", "encoded", "rebuilt", "rows_of", "thinned"]

BLOCK = 28  # days
TOLERANCE = 1e-6
RETRAIN = "Train the model again on this history, or give the history that it was trained on."


@dataclass(frozen=True)
class Rebuilt:
    """A model beside the assessments that it was learnt from and judged on.

    Attributes
    ----------
    model : Model
    spec : ModelFile
    history : History
    data : TrainingData      outcomes to learn from as known when the next window began; those of the evaluate
        window as known at the end of observation
    seed : int               of validation; the model's own is in its card
    language : str           of progress bars
    """

    model: object
    spec: ModelFile
    history: History
    data: TrainingData
    seed: int
    language: str

    @property
    def chosen(self):
        """The candidate that the bundle holds, str."""
        return self.model.report["chosen"]

    @property
    def later(self):
        """Positions of the rows that judge: int array."""
        return self.data.split.rows["evaluate"]

    @cached_property
    def risk(self):
        """Calibrated risk of the rows that judge, by the bundle itself: float array."""
        return self.model.predict(self.data.matrix.iloc[self.later])

    @cached_property
    def cohort(self):
        """All rows' case_id and as_of: DataFrame."""
        return self.data.matrix.index.to_frame(index=False)

    @property
    def judged(self):
        """Outcome, risk and aggressor of the rows that judge: three arrays."""
        return self.data.outcome[self.later], self.risk, self.data.aggressor[self.later]

    @cached_property
    def seen(self):
        """Aggressors that the model was learnt or calibrated on: array of str."""
        rows = np.union1d(self.data.split.refit, self.data.split.calibrate)
        return np.unique(self.data.aggressor[rows])


def rebuilt(model, history, *, seed=0, language="es", step=lambda: None):
    """Rebuild a model's rows, and check that they are those that it reports on.

    Parameters
    ----------
    model : Model        of `riskml.training.train.train`
    history : History, or what `History.of` takes    the one that it was trained on
    seed : int           of validation
    language : str
    step : callable      called after each of four steps

    Returns
    -------
    Rebuilt

    Raises
    ------
    RiskmlError    a model of a frame, without a catalogue; another history; a bundle that predicts otherwise
        than its report says
    """
    history = History.of(history)
    stated = (model.card.get("history") or {}).get("hash")
    if model.catalogue is None or "model" not in model.report or stated is None:
        raise RiskmlError(
            f'model "{model.name}" does not say how it was made from a history',
            where="validate",
            mend="Only models of `riskml train` can be validated here; a model of a frame is judged by "
            "`riskml.comparison_table` on rows of its own.",
        )
    if history.hash != stated:
        raise RiskmlError(
            f'model "{model.name}" was trained on history {stated[:12]}, not on {history.hash[:12]}',
            where="history",
            mend=RETRAIN,
        )
    spec = ModelFile.of(model.report["model"])
    data = training_data(spec, history, model.catalogue, seed=model.card["seed"], step=step)
    found = Rebuilt(model, spec, history, data, seed, language)
    _check_predictions(found)
    return found


def _check_predictions(found):
    """The bundle keeps how its risks were spread over the rows that judged it: they must be spread alike.

    A recalibrated one keeps how they are spread over the window that moved them: there is nothing to compare.
    """
    if "recalibration" in found.model.card:
        return
    stated = found.model.reference
    quantiles = np.asarray(stated["quantiles"], float)
    again = np.quantile(found.risk, np.linspace(0, 1, len(quantiles)))
    if len(found.risk) != stated["size"] or np.abs(again - quantiles).max() > TOLERANCE:
        raise RiskmlError(
            f'model "{found.model.name}" predicts otherwise on its evaluation window than it did in training',
            where="validate",
            mend="The features or their catalogue are computed otherwise now than then. " + RETRAIN,
        )


def thinned(cohort, rows, *, days=BLOCK, most=None):
    """At most one assessment of each case in each block of days: its first one there.

    Assessments a week apart say nearly the same; every case and every person stays.

    Parameters
    ----------
    cohort : DataFrame of case_id, as_of    of all rows
    rows : int array     positions to choose among
    days : int           length of a block, counted from the cohort's first assessment
    most : int or None   so many rows at most: blocks of two, three, ... times as many days until they are few
        enough, or as long as the whole cohort

    Returns
    -------
    (rows, days) : int array, int    positions kept, ascending; length of the blocks
    """
    case = pd.factorize(cohort["case_id"])[0][rows]
    time = cohort["as_of"].to_numpy().astype("datetime64[us]")
    since = (time - time.min()) / np.timedelta64(1, "D") if len(time) else np.zeros(0)
    order = np.argsort(time[rows], kind="stable")
    length = days
    while True:
        block = (since[rows] // length).astype(np.int64)
        keyed = pd.DataFrame({"case": case, "block": block}).iloc[order]
        kept = np.sort(rows[order[~keyed.duplicated().to_numpy()]])
        if most is None or len(kept) <= most or length > since.max(initial=0):
            return kept, length
        length += days


def rows_of(data, rows, outcome, split):
    """The training data of some rows, with outcomes and windows of their own.

    Parameters
    ----------
    data : TrainingData
    rows : int array           positions kept
    outcome : float array      of the rows kept
    split : Split or None      of positions among the rows kept; None: there are none yet

    Returns
    -------
    TrainingData
    """
    return replace(
        data,
        matrix=data.matrix.iloc[rows],
        yardsticks={name: values[rows] for name, values in data.yardsticks.items()},
        outcome=outcome,
        as_of=data.as_of[rows],
        aggressor=data.aggressor[rows],
        group=data.group[rows],
        exit=data.exit[rows],
        split=split,
    )


def encoded(data, spec, catalogue, *, names=None):
    """Encoding of the first window, and what candidates read: (Encoding, Inputs).

    Parameters
    ----------
    data : TrainingData
    spec : ModelFile
    catalogue : Catalogue
    names : tuple of str or None    columns to learn from; None: those that the model file chooses
    """
    names = spec.features.chosen(catalogue) if names is None else names
    encoding = Encoding.fit(data.matrix.iloc[data.split.first], columns_of(catalogue, names))
    return encoding, Inputs(encoding.design(data.matrix), data.yardsticks)
