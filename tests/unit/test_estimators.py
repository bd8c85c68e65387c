import json

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from riskml.errors import RiskmlError
from riskml.models.estimators import Blend, ByStratum, OneColumn, learner_document, learner_of, one_number
from riskml.models.linear import LinearModel, Preparation, elastic_net_path
from riskml.models.trees import BoostedTrees, averaged_trees, boost, staged, tune_trees

SETTINGS = {"num_leaves": 8, "learning_rate": 0.1, "min_people_in_leaf": 20}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    design = rng.normal(size=(1500, 5))
    design[:, 1] = rng.poisson(1.0, 1500)
    outcome = (rng.random(1500) < expit(-1.2 + design[:, 0] + 0.4 * design[:, 1])).astype(float)
    design[rng.random(1500) < 0.2, 2] = np.nan
    return design, outcome


def test_the_elastic_net_is_that_of_scikit_learn(data):
    design, outcome = data
    for strength, model in elastic_net_path(design, outcome, l1_ratio=0.5)[3:9:2]:
        prepared = model.preparation.transform(design)
        reference = LogisticRegression(
            solver="saga", l1_ratio=0.5, C=1 / (strength * len(outcome)), max_iter=20_000, tol=1e-8
        ).fit(prepared, outcome)
        np.testing.assert_allclose(model.coefficients, reference.coef_[0], atol=5e-4)
        np.testing.assert_allclose(model.intercept, reference.intercept_[0], atol=5e-4)


def test_a_linear_model_imputes_what_is_missing_and_stops_at_the_training_range(data):
    design, outcome = data
    model = elastic_net_path(design, outcome)[-1][1]
    row = np.nanmedian(design, axis=0)[None, :]
    beyond = row.copy()
    beyond[0, 0] = 1e9
    highest = row.copy()
    highest[0, 0] = design[:, 0].max()
    assert model.margin(beyond) == model.margin(highest)
    assert np.isfinite(model.margin(np.full((1, 5), np.nan))).all()


def one_of(design, outcome, column):
    """A regression on one column of a design, as one on the whole of it."""
    return OneColumn(column, one_number(design[:, [column]], outcome))


def test_a_regression_on_one_number_reads_it_from_among_others(data):
    design, outcome = data
    for column in range(design.shape[1]):
        alone = one_number(design[:, [column]], outcome)
        among = one_of(design, outcome, column)
        np.testing.assert_array_equal(among.margin(design), alone.margin(design[:, [column]]))


def test_a_stratum_has_a_model_of_its_own(data):
    design, outcome = data
    design = design.copy()
    design[:, 3] = np.arange(len(design)) % 3 == 0
    inside, outside = (elastic_net_path(design, y, strengths=[0.01])[0][1] for y in (outcome, 1 - outcome))
    margin = ByStratum(np.array([3]), inside, outside).margin(design)
    np.testing.assert_array_equal(margin[::3], inside.margin(design[::3]))
    np.testing.assert_array_equal(margin[1::3], outside.margin(design[1::3]))


def test_steps_shaped_by_a_sample_of_rows_end_where_those_of_all_rows_end(data, monkeypatch):
    design, outcome = data
    rare = np.zeros(len(design))
    rare[[3, 701, 1102]] = 1.0  # in none of the sampled rows
    design = np.column_stack([design, rare])
    wanted = elastic_net_path(design, outcome, l1_ratio=0.5, tolerance=1e-10)
    monkeypatch.setattr("riskml.models.linear.CURVED_ROWS", 300)
    assert not rare[::5].any()
    for (_, one), (_, other) in zip(
        wanted, elastic_net_path(design, outcome, l1_ratio=0.5, tolerance=1e-10), strict=True
    ):
        np.testing.assert_allclose(other.coefficients, one.coefficients, atol=1e-3)


@pytest.mark.parametrize("missing", [False, True])
def test_columns_that_bend_are_explained_and_stored_as_they_predict(data, missing):
    design, outcome = data
    design = design if missing else np.nan_to_num(design)
    model = elastic_net_path(design, outcome, curves=True)[-1][1]
    assert len(model.preparation.bent) > 10
    values, base = model.contributions(design)
    assert values.shape == design.shape
    np.testing.assert_allclose(values.sum(axis=1) + base, model.margin(design), atol=1e-9)
    again = LinearModel.from_document(json.loads(json.dumps(model.to_document())))
    np.testing.assert_array_equal(again.margin(design), model.margin(design))


def test_a_column_bends_at_quantiles_of_its_logarithm_and_a_flag_does_not():
    rng = np.random.default_rng(5)
    design = np.column_stack([rng.exponential(10, 500), rng.integers(0, 2, 500), rng.normal(size=500)])
    prepared = Preparation.fit(design, curves=True)
    assert set(prepared.bent) == {0, 2}
    np.testing.assert_allclose(
        prepared.knots[prepared.bent == 0], np.log1p(np.quantile(design[:, 0], [0.1, 0.3, 0.5, 0.7, 0.9]))
    )
    assert len(Preparation.fit(design).bent) == 0


def make(kind, design, outcome):
    trees = boost(design, outcome, SETTINGS, 30)
    linear = elastic_net_path(design, outcome)[-1][1]
    return {
        "trees": lambda: trees,
        "linear": lambda: linear,
        "blend": lambda: Blend(trees, linear, 0.3),
        "by_stratum": lambda: ByStratum(np.array([3]), linear, linear),
        "one_column": lambda: one_of(design, outcome, 1),
        "nothing": lambda: one_number(np.empty((len(outcome), 0)), outcome),
        "one_number": lambda: one_number(design[:, [1]], outcome),
    }[kind]()


@pytest.mark.parametrize(
    "kind", ["trees", "linear", "blend", "by_stratum", "one_column", "nothing", "one_number"]
)
def test_learners_survive_storage_and_their_contributions_add_up(data, kind):
    design, outcome = data
    learner = make(kind, design, outcome)
    design = {"nothing": design[:, :0], "one_number": design[:, [1]]}.get(kind, design)
    document, files = learner_document(learner)
    again = learner_of(json.loads(json.dumps(document)), files, design.shape[1])
    np.testing.assert_array_equal(again.margin(design), learner.margin(design))
    values, base = learner.contributions(design)
    np.testing.assert_allclose(values.sum(axis=1) + base, learner.margin(design), atol=1e-9)
    np.testing.assert_allclose(learner.predict(design), expit(learner.margin(design)))


def test_coefficients_with_directions_are_the_bounded_optimum(data):
    """Where every column has a direction the penalised loss is smooth: a general solver finds the minimum."""
    design, outcome = data
    design, directions = np.nan_to_num(design), (1, -1, 1, -1, 1)
    strength, model = elastic_net_path(design, outcome, directions=directions, tolerance=1e-10)[8]
    prepared, signs = model.preparation.transform(design), np.array(directions)

    def loss(b):
        margin = b[0] + prepared @ b[1:]
        penalty = strength * 0.5 * (np.sum(signs * b[1:]) + 0.5 * np.sum(b[1:] ** 2))
        return np.mean(np.logaddexp(0, margin) - outcome * margin) + penalty

    bounds = [(None, None), *((0, None) if sign > 0 else (None, 0) for sign in directions)]
    best = minimize(
        loss, np.zeros(6), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9}
    )
    np.testing.assert_allclose(model.coefficients, best.x[1:], atol=2e-5)
    assert (model.coefficients == 0).any()


DIRECTIONS = (1, 1, 0, 0, -1)


@pytest.mark.parametrize(
    "learn",
    [
        lambda design, outcome: boost(design, outcome, SETTINGS, 60, directions=DIRECTIONS),
        lambda design, outcome: elastic_net_path(design, outcome, directions=DIRECTIONS)[-1][1],
        lambda design, outcome: elastic_net_path(design, outcome, directions=DIRECTIONS, curves=True)[-1][1],
    ],
    ids=["trees", "linear", "curves"],
)
def test_monotone_directions_hold_everywhere(data, learn):
    design, outcome = data
    model = learn(design, 1 - outcome)
    rng = np.random.default_rng(1)
    low = design[rng.integers(0, 1500, 3000)]
    for column, sign in ((0, 1), (1, 1), (4, -1)):
        high = low.copy()
        high[:, column] += rng.exponential(1.0, 3000)
        assert (sign * (model.margin(high) - model.margin(low)) >= -1e-9).all()


def test_the_same_seed_gives_the_same_trees(data):
    design, outcome = data
    settings = SETTINGS | {"feature_fraction": 0.5, "bagging_fraction": 0.7}
    first, second = (boost(design, outcome, settings, 20, seed=4).text for _ in range(2))
    assert first == second
    assert first != boost(design, outcome, settings, 20, seed=5).text


def test_tuning_stops_early_and_names_the_log_loss(data):
    design, outcome = data
    results = tune_trees(design[:1000], outcome[:1000], design[1000:], outcome[1000:], [SETTINGS, SETTINGS])
    assert results[0] == results[1]
    assert 1 <= results[0]["rounds"] < 200
    margin = boost(design[:1000], outcome[:1000], SETTINGS, results[0]["rounds"]).margin(design[1000:])
    held = outcome[1000:]
    assert results[0]["log_loss"] == pytest.approx(np.mean(np.logaddexp(0, margin) - held * margin), abs=1e-9)


def test_averaged_trees_are_the_mean_of_their_log_odds(data):
    design, outcome = data
    boosters = [
        staged(design[i::2], outcome[i::2], design[1 - i :: 2], outcome[1 - i :: 2], SETTINGS, 50)[0]
        for i in range(2)
    ]
    rounds = min(b.current_iteration() for b in boosters)
    mean = np.mean([b.predict(design, raw_score=True, num_iteration=rounds) for b in boosters], axis=0)
    np.testing.assert_allclose(averaged_trees(boosters, rounds, 5).margin(design), mean, atol=1e-12)


def test_nothing_to_split_on_gives_the_base_rate():
    outcome = np.repeat([1.0, 0.0], [10, 90])
    model = boost(np.zeros((100, 2)), outcome, SETTINGS, 10)
    np.testing.assert_allclose(model.predict(np.ones((3, 2))), 0.1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tree\n", "#!/bin/sh\n"),
        ("objective=binary", "objective=regression"),
        ("max_feature_idx=4", "max_feature_idx=9"),
        ("left_child=", "left_child=7 "),
        ("split_feature=", "split_feature=99 "),
        ("num_leaves=", "num_leaves=1"),
        ("\nend of trees", "\n"),
        ("num_cat=0", "num_cat=3"),
    ],
)
def test_a_text_that_is_no_sound_model_is_refused(data, old, new):
    design, outcome = data
    text = boost(design, outcome, SETTINGS, 3).text
    assert old in text
    with pytest.raises(RiskmlError):
        BoostedTrees(text.replace(old, new, 1), 5)


def test_children_that_run_in_a_circle_are_refused(data):
    design, outcome = data
    text = boost(design, outcome, SETTINGS, 1).text
    line = next(line for line in text.splitlines() if line.startswith("left_child="))
    circle = "left_child=" + " ".join(["0"] * len(line.split("=")[1].split()))
    with pytest.raises(RiskmlError, match="tree 0"):
        BoostedTrees(text.replace(line, circle), 5)


def test_an_unknown_kind_of_learner_is_refused():
    with pytest.raises(RiskmlError, match="unknown kind of learner"):
        learner_of({"kind": "pickle"}, {}, 3)
    assert LinearModel.kind == "linear"
