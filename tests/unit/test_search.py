import numpy as np
import pytest

from riskml.models.search import _gain, search_trees
from riskml.models.spec import DEFAULT_GRID


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    n = 3000
    design = rng.normal(size=(n, 6))
    people = np.arange(n) // 3
    outcome = (rng.random(n) < 1 / (1 + np.exp(2 - design[:, 0] - design[:, 1] * design[:, 2]))).astype(float)
    return design, outcome, (np.arange(0, 1800), np.arange(1800, n)), people


def test_the_grid_comes_first_and_one_setting_is_chosen(data):
    found = search_trees(*data, DEFAULT_GRID, trials=3, rounds=60)
    assert [row["settings"] for row in found[: len(DEFAULT_GRID)]] == [dict(s) for s in DEFAULT_GRID]
    assert len(found) == len(DEFAULT_GRID) + 3
    assert sum(row["chosen"] for row in found) == 1


def test_the_same_seed_searches_the_same_settings(data):
    one, again = (search_trees(*data, DEFAULT_GRID, trials=3, rounds=40, seed=5) for _ in range(2))
    other = search_trees(*data, DEFAULT_GRID, trials=3, rounds=40, seed=6)
    assert one == again
    assert [row["settings"] for row in one[3:]] != [row["settings"] for row in other[3:]]


def test_without_trials_the_best_of_the_grid_is_taken(data):
    found = search_trees(*data, DEFAULT_GRID, rounds=60)
    assert min(found, key=lambda row: row["log_loss"])["chosen"]


def test_a_searched_setting_must_be_better_by_more_than_its_noise(data):
    poor = ({"num_leaves": 2, "learning_rate": 0.001, "min_people_in_leaf": 60, "lambda_l2": 50.0},)
    found = search_trees(*data, poor, trials=6, rounds=60)
    assert not found[0]["chosen"]
    rng = np.random.default_rng(0)
    shuffled = (data[0], rng.permutation(data[1]), *data[2:])
    chosen = [search_trees(*shuffled, DEFAULT_GRID, trials=4, rounds=60, seed=s) for s in range(3)]
    assert sum(row["chosen"] for rows in chosen for row in rows[: len(DEFAULT_GRID)]) >= 2


def test_the_gain_is_the_fall_in_log_loss_with_its_error_over_people():
    rng = np.random.default_rng(1)
    y = (rng.random(400) < 0.3).astype(float)
    a, b = rng.normal(size=400), rng.normal(size=400)
    people = np.arange(400)
    loss = [np.log1p(np.exp(m)) - y * m for m in (a, b)]
    gain, error = _gain(y, a, b, people)
    assert gain == pytest.approx((loss[1] - loss[0]).mean())
    assert error == pytest.approx((loss[1] - loss[0]).std() / 20, rel=1e-9)
    twice = _gain(np.tile(y, 2), np.tile(a, 2), np.tile(b, 2), np.tile(people, 2))
    assert twice == pytest.approx((gain, error))  # a row said twice says nothing new
