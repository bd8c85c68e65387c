"""Boosted trees by LightGBM: shallow, monotone where the catalogue says so, read from checked text only."""

import lightgbm as lgb
import numpy as np
from scipy.special import expit

from riskml.errors import RiskmlError

__all__ = ["BoostedTrees", "averaged_trees", "boost", "check_model_text", "staged", "tune_trees"]

MANY_CELLS = 4_000_000
FIXED = {
    "objective": "binary",
    "metric": "binary_logloss",
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "feature_pre_filter": False,
    "max_bin": 127,
    "max_depth": 4,
    "bagging_freq": 1,
    "monotone_constraints_method": "intermediate",
}
PATIENCE = 40
_LISTS = {  # name in the text format -> how many entries a tree of L leaves has
    "split_feature": -1,
    "threshold": -1,
    "decision_type": -1,
    "left_child": -1,
    "right_child": -1,
    "leaf_value": 0,
}


def _threads(design):
    """Threads worth their while: on small designs two wait for each other longer than one works."""
    return 2 if design.size > MANY_CELLS else 1


class BoostedTrees:
    """A LightGBM model of one outcome.

    Parameters
    ----------
    text : str      LightGBM's own text format: data, nothing that executes
    columns : int   how many columns its design has

    Raises
    ------
    RiskmlError    not such a text, another number of columns, or a tree whose structure does not hold
    """

    kind = "trees"

    def __init__(self, text, columns, where="model.txt"):
        check_model_text(text, columns, where)
        self.text, self.columns = text, columns
        try:
            self.booster = lgb.Booster(model_str=text)
        except lgb.basic.LightGBMError as error:
            raise RiskmlError(
                f"LightGBM does not read it ({error})", where=where, mend="Train the model again."
            ) from None

    def margin(self, design):
        """Log-odds, float array, shape (n,)."""
        if len(design) == 0:
            return np.zeros(0)
        return np.asarray(
            self.booster.predict(design, raw_score=True, num_threads=_threads(design)), dtype=float
        )

    def predict(self, design):
        """Risk before calibration, float array, shape (n,)."""
        return expit(self.margin(design))

    def contributions(self, design):
        """Exact TreeSHAP values in log-odds, path-dependent, by LightGBM itself.

        Returns
        -------
        values : float array, shape (n, design columns)
        base : float    values summed over a row plus this are the log-odds
        """
        if len(design) == 0:
            return np.zeros(design.shape), 0.0
        parts = self.booster.predict(design, pred_contrib=True, num_threads=_threads(design))
        return parts[:, :-1], float(parts[0, -1])


def _tree_blocks(text):
    body = text.split("\nend of trees", 1)[0]
    for block in body.split("\nTree=")[1:]:
        yield dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)


def check_model_text(text, columns, where="model.txt"):
    """Refuse a text that is not a binary LightGBM model of so many columns, or whose trees are not trees.

    LightGBM's reader trusts what it reads. Every split must name a column that exists and every child must
    come after its parent, so that no path leaves the arrays or runs in a circle.
    """
    mend = "The bundle is damaged or foreign: train the model again, or copy the bundle again."
    head = dict(line.split("=", 1) for line in text.split("\n\n", 1)[0].splitlines() if "=" in line)
    if not text.startswith("tree\n") or "\nend of trees" not in text or head.get("version") != "v4":
        raise RiskmlError("not a LightGBM model in text format, version v4", where=where, mend=mend)
    if head.get("num_class") != "1" or not head.get("objective", "").startswith("binary"):
        raise RiskmlError("not a model of a binary outcome", where=where, mend=mend)
    if head.get("max_feature_idx") != str(columns - 1):
        raise RiskmlError(f"not a model of {columns} design columns", where=where, mend=mend)
    count = 0
    for number, tree in enumerate(_tree_blocks(text)):
        count += 1
        try:
            leaves = int(tree["num_leaves"])
            parts = {name: tree[name].split() for name in _LISTS}
            if tree.get("num_cat", "0") != "0" or tree.get("is_linear", "0") != "0":
                raise ValueError
            if leaves == 1:
                if len(parts["leaf_value"]) != 1:
                    raise ValueError
                continue
            if any(len(parts[name]) != leaves + shorter for name, shorter in _LISTS.items()):
                raise ValueError
            split = np.array(parts["split_feature"], dtype=int)
            children = np.array([parts["left_child"], parts["right_child"]], dtype=int)
            inner = np.arange(leaves - 1)
            ends = np.sort(np.concatenate([children[children >= 0], -children[children < 0] + leaves - 2]))
            sound = (
                (split >= 0).all()
                and (split < columns).all()
                and ((children > inner) | (children < 0)).all()
                and np.array_equal(ends, np.arange(1, 2 * leaves - 1))
                and np.isfinite(np.array(parts["leaf_value"], dtype=float)).all()
            )
            if not sound:
                raise ValueError
        except (KeyError, ValueError):
            raise RiskmlError(f"tree {number} is not a tree", where=where, mend=mend) from None
    if not count or len(head.get("tree_sizes", "").split()) != count:
        raise RiskmlError("its number of trees does not agree with its heading", where=where, mend=mend)


def _parameters(design, settings, seed, directions, rows_per_person):
    parameters = dict(FIXED, seed=seed, num_threads=_threads(design))
    settings = dict(settings)
    # Assessments of one person repeat each other: a leaf is counted in people, not in rows.
    people = settings.pop("min_people_in_leaf", 20)
    parameters["min_data_in_leaf"] = max(5, round(people * rows_per_person))
    parameters.update(settings)
    if any(directions):
        parameters["monotone_constraints"] = list(directions)
    else:
        parameters.pop("monotone_constraints_method")
    return parameters


def _dataset(design, outcome, seed, reference=None):
    return lgb.Dataset(
        design,
        np.asarray(outcome, dtype=float),
        reference=reference,
        params={name: FIXED[name] for name in ("max_bin", "feature_pre_filter", "verbosity")}
        | {"num_threads": _threads(design), "data_random_seed": seed},
        free_raw_data=True,
    )


def boost(design, outcome, settings, rounds, *, directions=(), seed=0, rows_per_person=1.0):
    """A LightGBM model with so many trees.

    Parameters
    ----------
    design : float array, shape (n, p)     may hold NaN
    outcome : array of {0, 1}, shape (n,)
    settings : dict                        LightGBM parameters, and `min_people_in_leaf`
    rounds : int                           number of trees
    directions : sequence of {-1, 0, 1}    monotone direction of each column
    seed : int
    rows_per_person : float                mean number of rows of one person

    Returns
    -------
    BoostedTrees
    """
    parameters = _parameters(design, settings, seed, directions, rows_per_person)
    booster = lgb.train(parameters, _dataset(design, outcome, seed), num_boost_round=max(int(rounds), 1))
    return BoostedTrees(booster.model_to_string(), design.shape[1])


def tune_trees(
    design,
    outcome,
    tune_design,
    tune_outcome,
    grid,
    *,
    directions=(),
    seed=0,
    rows_per_person=1.0,
    rounds=800,
    early_stopping=True,
):
    """Log loss in the tune window for each setting of a grid, each stopped early or given all its rounds.

    Parameters
    ----------
    design, outcome : training rows
    tune_design, tune_outcome : rows of the tune window
    grid : list of dict        settings declared beforehand
    rounds : int               most trees, or the number of trees where nothing stops early
    early_stopping : bool

    Returns
    -------
    list of dict: settings, rounds, log_loss; in the grid's order
    """
    training = _dataset(design, outcome, seed)
    tuning = _dataset(tune_design, tune_outcome, seed, training)
    callbacks = [lgb.early_stopping(PATIENCE, verbose=False)] if early_stopping else []
    results = []
    for settings in grid:
        booster = lgb.train(
            _parameters(design, settings, seed, directions, rows_per_person),
            training,
            num_boost_round=rounds,
            valid_sets=[tuning],
            valid_names=["tune"],
            callbacks=callbacks,
        )
        results.append(
            {
                "settings": dict(settings),
                "rounds": int(booster.best_iteration or rounds),
                "log_loss": float(booster.best_score["tune"]["binary_logloss"]),
            }
        )
    return results


def staged(design, outcome, held_design, held_outcome, settings, rounds, **shared):
    """A booster stopped early on held-out rows, with its log loss there after each tree.

    Parameters
    ----------
    design, outcome : training rows
    held_design, held_outcome : held-out rows
    settings, rounds, shared : as of `boost`

    Returns
    -------
    (booster, losses) : lightgbm.Booster, float array with one entry per tree
    """
    seed = shared.get("seed", 0)
    training = _dataset(design, outcome, seed)
    losses = {}
    booster = lgb.train(
        _parameters(design, settings, seed, shared.get("directions", ()), shared.get("rows_per_person", 1.0)),
        training,
        num_boost_round=rounds,
        valid_sets=[_dataset(held_design, held_outcome, seed, training)],
        valid_names=["held"],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False), lgb.record_evaluation(losses)],
    )
    return booster, np.array(losses["held"]["binary_logloss"])


def averaged_trees(boosters, rounds, columns):
    """One model whose log-odds are the mean of several boosters' log-odds.

    Parameters
    ----------
    boosters : list of lightgbm.Booster
    rounds : int     trees taken of each
    columns : int    design columns

    Returns
    -------
    BoostedTrees
    """
    texts = [booster.model_to_string(num_iteration=rounds) for booster in boosters]
    head, tail = texts[0].split("\n\nTree=0\n", 1)[0], texts[0].split("\nend of trees", 1)[1]
    blocks = []
    for text in texts:
        for block in text.split("\nend of trees", 1)[0].split("\nTree=")[1:]:
            lines = [_scaled(line, len(texts)) for line in block.strip("\n").splitlines()[1:]]
            blocks.append(f"Tree={len(blocks)}\n" + "\n".join(lines) + "\n\n\n")
    sizes = " ".join(str(len(block)) for block in blocks)
    lines = [f"tree_sizes={sizes}" if line.startswith("tree_sizes=") else line for line in head.splitlines()]
    return BoostedTrees("\n".join(lines) + "\n\n" + "".join(blocks) + "end of trees" + tail, columns)


def _scaled(line, count):
    name, _, values = line.partition("=")
    if name in ("leaf_value", "internal_value"):
        return f"{name}=" + " ".join(repr(float(value) / count) for value in values.split())
    return line
