"""SHAP values equal shap.TreeExplainer's, add up to the log-odds, and stand on the matrix's own columns."""

import warnings
from types import SimpleNamespace

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.explain import shap_values as module
from riskml.explain.shap_values import shap_values, tree_shap
from riskml.explain.tree_tables import TreeTables
from riskml.models.encoding import Encoding, SourceColumn
from riskml.models.estimators import Blend
from riskml.models.linear import elastic_net_path
from riskml.models.trees import BoostedTrees


def rows(n, seed=0, columns=6, missing=0.3):
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n, columns)).round(1)
    design[rng.random(design.shape) < missing] = np.nan
    design[:, -1] = 7.0
    return design


def outcome_of(design, seed=1):
    rng = np.random.default_rng(seed)
    known = np.nan_to_num(design)
    return (known[:, 0] + known[:, 1] * known[:, 2] + rng.normal(size=len(design)) > 0.5).astype(float)


def boosted(design, outcome, rounds=20, **settings):
    settings = {"objective": "binary", "verbosity": -1, "max_depth": 4, "num_threads": 2, **settings}
    return lgb.train(settings, lgb.Dataset(design, outcome, params={"verbosity": -1}), rounds)


def reference(booster, design):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of shap: deprecated colour maps, and an old change of its output
        import shap

        return shap.TreeExplainer(booster).shap_values(design)


TREES = {
    "missing values": {"design": {}, "settings": {}},
    "missing only when scoring": {"design": {"missing": 0.0}, "settings": {}},
    "missing values ignored": {"design": {}, "settings": {"use_missing": False}},
    "stumps": {"design": {}, "settings": {"num_leaves": 2}},
    "one tree": {"design": {}, "settings": {}, "rounds": 1},
    "depth six": {"design": {}, "settings": {"max_depth": 6, "num_leaves": 63}},
    "unbalanced": {"design": {}, "settings": {"max_depth": 9, "num_leaves": 12, "min_data_in_leaf": 5}},
    "one feature": {"design": {"columns": 2}, "settings": {}},
    "monotone": {"design": {}, "settings": {"monotone_constraints": [1, 0, 0, -1, 0, 0]}},
    "zero is missing": {"design": {}, "settings": {"zero_as_missing": True}},
    "deep": {"design": {}, "settings": {"max_depth": -1, "num_leaves": 200, "min_data_in_leaf": 2}},
}


@pytest.mark.parametrize("case", TREES.values(), ids=TREES)
def test_many_rows_equal_shap_tree_explainer(case):
    train = rows(1500, **case["design"])
    booster = boosted(train, outcome_of(rows(1500)), case.get("rounds", 20), **case["settings"])
    design = rows(1200, seed=3, columns=train.shape[1])
    design[:40] = 0.0
    values, base = tree_shap(booster, design)
    np.testing.assert_allclose(values, reference(booster, design), atol=1e-10)
    np.testing.assert_allclose(values.sum(axis=1) + base, booster.predict(design, raw_score=True), atol=1e-10)


def test_few_rows_equal_many_rows():
    booster = boosted(rows(1500), outcome_of(rows(1500)))
    design = rows(1200, seed=3)
    many, base = tree_shap(booster, design)
    few, few_base = tree_shap(booster, design[:30])
    np.testing.assert_allclose(few, many[:30], atol=1e-10)
    assert few_base == pytest.approx(base)


def test_trees_without_a_split_explain_nothing():
    constant = boosted(rows(1500), outcome_of(rows(1500)), 3, min_data_in_leaf=5000)
    values, base = tree_shap(constant, rows(1200))
    assert not values.any()
    assert base == pytest.approx(constant.predict(rows(1), raw_score=True)[0])


def test_a_booster_without_trees_explains_nothing():
    empty = lgb.Booster(
        {"objective": "binary", "verbosity": -1}, lgb.Dataset(rows(100), outcome_of(rows(100)))
    )
    values, base = tree_shap(empty, rows(1200))
    assert values.shape == (1200, 6)
    assert not values.any()
    assert base == 0.0


def test_no_rows():
    booster = boosted(rows(500), outcome_of(rows(500)))
    values, _ = tree_shap(booster, np.zeros((0, 6)))
    assert values.shape == (0, 6)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000), depth=st.integers(1, 7), leaves=st.integers(2, 40), threads=st.integers(1, 3)
)
def test_tables_equal_lightgbm_on_random_trees(seed, depth, leaves, threads):
    train = rows(400, seed)
    booster = boosted(
        train, outcome_of(train, seed), 4, max_depth=depth, num_leaves=leaves, min_data_in_leaf=3
    )
    design = rows(300, seed + 1)
    values = TreeTables(booster, design.shape[1]).values(design, threads)
    np.testing.assert_allclose(values, booster.predict(design, pred_contrib=True)[:, :-1], atol=1e-10)


def test_the_woodelf_package_agrees_in_its_own_precision():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from woodelf import WoodelfExplainer

    booster = boosted(rows(1500), outcome_of(rows(1500)))
    design = rows(1200, seed=3)
    theirs = WoodelfExplainer(booster).shap_values(pd.DataFrame(design), verbose=False)
    np.testing.assert_allclose(tree_shap(booster, design)[0], theirs, atol=1e-5)


# ---------------------------------------------------------------------------------------- whole models


def matrix(n=1200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "incidents_90d": rng.poisson(1.0, n).astype(float),
            "days_since_incident": np.where(rng.random(n) < 0.2, np.nan, rng.exponential(100, n)),
            "relationship": rng.choice(["partner", "ex-partner", "son"], n),
        },
        index=pd.MultiIndex.from_product([[f"c{i}" for i in range(n)], [pd.Timestamp("2026-01-05")]]),
    )


COLUMNS = (
    SourceColumn("incidents_90d", "number", (), "increasing"),
    SourceColumn("days_since_incident", "number"),
    SourceColumn("relationship", "category"),
)


def model_of(kind, frame):
    encoding = Encoding.fit(frame, COLUMNS)
    design = encoding.design(frame)
    outcome = ((frame["incidents_90d"] + (frame["relationship"] == "partner")).to_numpy() > 1.5).astype(float)
    outcome[::7] = 1 - outcome[::7]
    trees = BoostedTrees(boosted(design, outcome, num_leaves=8).model_to_string(), design.shape[1])
    linear = elastic_net_path(design, outcome, strengths=[0.01])[0][1]
    learner = {"trees": trees, "linear": linear, "blend": Blend(trees, linear, 0.7)}[kind]
    return SimpleNamespace(
        name="double",
        learner=learner,
        encoding=encoding,
        columns=encoding.source_names,
        design=encoding.design,
    )


@pytest.mark.parametrize("kind", ["trees", "linear", "blend"])
def test_values_stand_on_the_matrix_columns_and_add_up(kind):
    frame = matrix()
    model = model_of(kind, frame)
    explained = shap_values(model, frame)
    assert list(explained.values.columns) == [c.name for c in COLUMNS]
    assert explained.values.index.equals(frame.index)
    np.testing.assert_allclose(
        explained.values.sum(axis=1) + explained.base, model.learner.margin(model.design(frame)), atol=1e-9
    )
    assert (explained.values["relationship"] != 0).any()


def test_values_that_do_not_add_up_are_refused(monkeypatch):
    frame = matrix()
    model = model_of("trees", frame)
    honest = module.tree_shap

    def wrong(booster, design):
        values, base = honest(booster, design)
        return values + 1e-4, base

    monkeypatch.setattr(module, "tree_shap", wrong)
    with pytest.raises(ArithmeticError, match="miss the log-odds"):
        shap_values(model, frame)
    monkeypatch.setattr(module, "tree_shap", lambda booster, design: (np.full(design.shape, np.nan), 0.0))
    with pytest.raises(ArithmeticError):
        shap_values(model, frame)
