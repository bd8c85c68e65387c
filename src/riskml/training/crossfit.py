"""Learning without spending rows on windows: cross-fitting by person, for frames of a few thousand rows.

Each choice (penalty, size of trees, mixture, calibrator) is made on predictions for people that the model
behind them has not seen.
"""

from dataclasses import dataclass

import numpy as np

from riskml.models.calibration import choose_calibrator
from riskml.models.estimators import Blend, one_number
from riskml.models.likelihood import log_loss
from riskml.models.linear import elastic_net_path, penalties, prepare
from riskml.models.splits import grouped_folds
from riskml.models.trees import averaged_trees, staged

__all__ = ["GRID", "CrossFitted", "cross_fit"]

FOLDS = 5
MOST_ROUNDS = 1000
WEIGHTS = np.linspace(0, 1, 11)
L1_RATIOS = (0.1, 0.9)
_SAMPLED = {"feature_fraction": 0.6, "bagging_fraction": 0.8}
# Thresholds drawn at random smooth the steps of few rows, as does averaging over the folds' boosters.
_DRAWN = {"extra_trees": True, "min_people_in_leaf": 10, "lambda_l2": 1.0, **_SAMPLED}
_SOUGHT = {"min_people_in_leaf": 20, "lambda_l2": 10.0, **_SAMPLED}
# Declared before any data are seen; chosen among by cross-fitted log loss (benchmarks/learners.py).
GRID = (
    {"num_leaves": 2, "learning_rate": 0.1, **_DRAWN},
    {"num_leaves": 3, "learning_rate": 0.1, **_DRAWN},
    {"num_leaves": 6, "learning_rate": 0.08, **_DRAWN},
    {"num_leaves": 4, "learning_rate": 0.04, **_SOUGHT},
    {"num_leaves": 8, "learning_rate": 0.04, **_SOUGHT},
    {"num_leaves": 15, "learning_rate": 0.03, **_SOUGHT},
)


@dataclass(frozen=True)
class CrossFitted:
    """What cross-fitting chose, and what it predicts for people that were held out.

    Attributes
    ----------
    learners : dict of candidate -> learner, from simple to flexible
        the trees are the mean of the folds' trees; the regression is fitted to all rows
    fitted : dict of candidate -> Calibrator
    risks : dict of candidate -> float array, (n,)    cross-fitted and cross-calibrated
    tuning : dict of candidate -> list of dict
    calibrators : dict of candidate -> list of dict
    weight : float    of the trees in the mixture
    """

    learners: dict
    fitted: dict
    risks: dict
    tuning: dict
    calibrators: dict
    weight: float

    def predict(self, design):
        """Calibrated risks: dict of candidate -> float array, shape (n,)."""
        return {
            name: self.fitted[name].risk(learner.margin(design)) for name, learner in self.learners.items()
        }


def _simple(values, outcome, fold):
    """Cross-fitted log-odds of a regression on one number, and the regression of all rows."""
    margin = np.empty(len(outcome))
    for k in np.unique(fold):
        margin[fold == k] = one_number(values[fold != k], outcome[fold != k]).margin(values[fold == k])
    return margin, one_number(values, outcome)


def _linear(design, outcome, fold, l1_ratios, curves, directions):
    """Cross-fitted log-odds under the best penalty, the tuning, and the model of all rows."""
    tuning, margins, every = [], [], {}
    for curve in curves:
        kind = {"curves": curve, "directions": directions}
        every[curve] = prepare(design, **kind)
        tried = [
            (ratio, strength)
            for ratio in l1_ratios
            for strength in penalties(every[curve][1], outcome, ratio)
        ]
        margin = np.empty((len(tried), len(outcome)))
        for k in np.unique(fold):
            inside = fold != k
            prepared = prepare(design[inside], **kind)
            held = prepared[0].transform(design[~inside])
            for ratio in l1_ratios:
                places = [i for i, (other, _) in enumerate(tried) if other == ratio]
                path = elastic_net_path(
                    design[inside],
                    outcome[inside],
                    strengths=[tried[i][1] for i in places],
                    l1_ratio=ratio,
                    prepared=prepared,
                    **kind,
                )
                for place, (_, model) in zip(places, path, strict=True):
                    margin[place, ~inside] = model.margin_of(held)
        for (ratio, strength), row in zip(tried, margin, strict=True):
            loss = log_loss(outcome, row)
            tuning.append({"l1_ratio": ratio, "curves": curve, "strength": float(strength), "log_loss": loss})
            margins.append(row)
    best = int(np.argmin([row["log_loss"] for row in tuning]))
    chosen = tuning[best]
    prepared, ratio = every[chosen["curves"]], chosen["l1_ratio"]
    wanted = penalties(prepared[1], outcome, ratio)
    path = elastic_net_path(
        design,
        outcome,
        strengths=wanted[wanted >= chosen["strength"]],
        l1_ratio=ratio,
        curves=chosen["curves"],
        directions=directions,
        prepared=prepared,
    )
    return margins[best], [dict(row, chosen=row is chosen) for row in tuning], path[-1][1]


def _trees(design, outcome, fold, grid, shared):
    """Cross-fitted log-odds of the best setting, the tuning, and the mean of its boosters."""
    folds, tuning, kept = np.unique(fold), [], None
    for settings in grid:
        boosters, losses = [], np.full((len(folds), MOST_ROUNDS), np.nan)
        for position, k in enumerate(folds):
            held = fold == k
            booster, curve = staged(
                design[~held],
                outcome[~held],
                design[held],
                outcome[held],
                settings,
                MOST_ROUNDS,
                **shared,
            )
            boosters.append(booster)
            # A booster that stopped has not improved since its best tree: it counts on as it ended.
            losses[position] = np.append(curve, np.full(MOST_ROUNDS - len(curve), curve[-1])) * held.sum()
        mean = losses.sum(axis=0) / len(outcome)
        rounds = int(mean.argmin()) + 1
        tuning.append({"settings": dict(settings), "rounds": rounds, "log_loss": float(mean[rounds - 1])})
        if kept is None or tuning[-1]["log_loss"] < tuning[kept[0]]["log_loss"]:
            kept = len(tuning) - 1, boosters
    best, boosters = kept
    rounds, margin = tuning[best]["rounds"], np.empty(len(outcome))
    for k, booster in zip(folds, boosters, strict=True):
        margin[fold == k] = booster.predict(design[fold == k], raw_score=True, num_iteration=rounds)
    learner = averaged_trees(boosters, rounds, design.shape[1])
    return margin, [dict(row, chosen=row is tuning[best]) for row in tuning], learner


def cross_fit(
    design,
    outcome,
    groups,
    *,
    seed=0,
    grid=GRID,
    l1_ratios=L1_RATIOS,
    curves=(False,),
    directions=(),
    baselines=None,
    kinds=("none", "sigmoid", "beta", "isotonic"),
    flexible=True,
    step=lambda: None,
):
    """Plain baselines, elastic-net logistic regression, LightGBM and their mixture, cross-fitted by person.

    Parameters
    ----------
    design : float array, shape (n, p)
    outcome : array of {0, 1}, shape (n,)
    groups : array, shape (n,)    people, kept whole
    seed : int
    grid : sequence of dict       LightGBM settings to choose among
    l1_ratios : sequence of float mixtures of the two penalties to choose among
    curves : sequence of bool     whether columns may bend in the regression: what to choose among
    directions : sequence of {-1, 0, 1}    monotone direction of each design column; empty: none
    baselines : dict of candidate -> float array (n, 1), or None    regressions on one number each
    kinds : iterable of str       calibrators to choose among
    flexible : bool               False: without LightGBM, and so without a mixture
    step : callable               called after each of three parts

    Returns
    -------
    CrossFitted
    """
    fold = grouped_folds(groups, outcome, folds=FOLDS, seed=seed)
    nothing = np.empty((len(outcome), 0))
    margins, learners = {}, {}
    for name, values in {"base_rate": nothing, **(baselines or {})}.items():
        margins[name], learners[name] = _simple(values, outcome, fold)
    linear_margin, linear_tuning, linear = _linear(design, outcome, fold, l1_ratios, curves, directions)
    step()
    margins["elastic_net"], learners["elastic_net"] = linear_margin, linear
    tuning, weight = {"elastic_net": linear_tuning}, 0.0
    if flexible:
        rows_per_person = len(outcome) / len(np.unique(groups))
        shared = {"seed": seed, "rows_per_person": rows_per_person, "directions": directions}
        tree_margin, tuning["lightgbm"], trees = _trees(design, outcome, fold, grid, shared)
        mixed = [log_loss(outcome, w * tree_margin + (1 - w) * linear_margin) for w in WEIGHTS]
        weight = float(WEIGHTS[int(np.argmin(mixed))])
        margins |= {
            "lightgbm": tree_margin,
            "blend": weight * tree_margin + (1 - weight) * linear_margin,
        }
        learners |= {
            "lightgbm": trees,
            "blend": {0.0: linear, 1.0: trees}.get(weight) or Blend(trees, linear, weight),
        }
    step()
    risks, tables, calibrators = {}, {}, {}
    for name, margin in margins.items():
        calibrators[name], tables[name], risks[name] = choose_calibrator(
            margin,
            outcome,
            groups,
            kinds=("none",) if name == "base_rate" else kinds,
            seed=seed + 1,
            cautious=True,
        )
    step()
    return CrossFitted(learners, calibrators, risks, tuning, tables, weight)
