"""Settings of boosted trees, searched in the tune window alone: a declared grid, then Optuna from there."""

import logging

import numpy as np

from riskml.models.trees import boost, tune_trees

__all__ = ["search_trees"]


def _space():
    """What is searched: within the bounds of a model file, rates and sizes on a log scale."""
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        "num_leaves": IntDistribution(2, 16, log=True),
        "learning_rate": FloatDistribution(0.02, 0.2, log=True),
        "min_people_in_leaf": IntDistribution(5, 60, log=True),
        "feature_fraction": FloatDistribution(0.2, 1.0),
        "lambda_l2": FloatDistribution(0.1, 50.0, log=True),
    }


def _within(settings, space):
    return set(settings) == set(space) and all(
        known.low <= settings[name] <= known.high for name, known in space.items()
    )


def _searched(tuned, grid, number, seed):
    """So many further settings, suggested by a seeded TPE that has seen the grid: list of dict."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        space, found = _space(), []
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        for row in grid:
            if _within(row["settings"], space):
                study.add_trial(
                    optuna.trial.create_trial(
                        params=row["settings"], distributions=space, value=row["log_loss"]
                    )
                )
        for _ in range(number):
            trial = study.ask(space)
            found += tuned([trial.params])
            study.tell(trial, found[-1]["log_loss"])
    finally:
        optuna.logging.set_verbosity(level)
    return found


def _gain(outcome, margins, others, people):
    """Mean fall in log loss from `others` to `margins`, and its standard error over people."""
    fall = np.logaddexp(0, others) - np.logaddexp(0, margins) - outcome * (others - margins)
    _, member = np.unique(people, return_inverse=True)
    return fall.mean(), np.sqrt((np.bincount(member, fall - fall.mean()) ** 2).sum()) / len(fall)


def search_trees(design, outcome, rows, people, grid, *, trials=0, rounds=800, early_stopping=True, **shared):
    """Settings tuned in the tune window: the best of the grid, unless a searched one is clearly better.

    With few events the lowest loss of many trials is mostly luck. A setting that Optuna found takes the place
    of the grid's best only where it lowers the log loss by more than one standard error of the paired
    difference over people.

    Parameters
    ----------
    design : float array, shape (n, p)
    outcome : array of {0, 1}, shape (n,)
    rows : (train, tune)       positions
    people : array, shape (n,)
    grid : sequence of dict    settings declared beforehand
    trials : int               further settings that Optuna may try; 0: none
    rounds, early_stopping, shared : as of `tune_trees`

    Returns
    -------
    list of dict    settings, rounds, log_loss, chosen; in the order in which they were tried
    """
    train, tune = rows

    def tuned(settings):
        return tune_trees(
            design[train],
            outcome[train],
            design[tune],
            outcome[tune],
            settings,
            rounds=rounds,
            early_stopping=early_stopping,
            **shared,
        )

    table = tuned(grid)
    chosen = min(table, key=lambda row: row["log_loss"])
    found = _searched(tuned, table, trials, shared.get("seed", 0)) if trials else []
    if found:
        best = min(found, key=lambda row: row["log_loss"])
        margins = [
            boost(design[train], outcome[train], row["settings"], row["rounds"], **shared)
            for row in (best, chosen)
        ]
        margins = [trees.margin(design[tune]) for trees in margins]
        gain, error = _gain(outcome[tune], *margins, np.asarray(people)[tune])
        if gain > error:
            chosen = best
    return [dict(row, chosen=row is chosen) for row in (*table, *found)]
