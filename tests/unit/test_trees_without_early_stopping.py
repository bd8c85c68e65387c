"""Where events are few the number of trees is fixed beforehand, not chosen by the tune window's noise."""

import numpy as np

from riskml.models.spec import LightGBMPart
from riskml.models.trees import tune_trees

GRID = ({"num_leaves": 2, "learning_rate": 0.1}, {"num_leaves": 4, "learning_rate": 0.1})


def _tuned(**how):
    rng = np.random.default_rng(0)
    design = rng.normal(size=(400, 5))
    outcome = (rng.random(400) < 0.2).astype(float)  # nothing to learn: early stopping stops at once
    return tune_trees(design[:200], outcome[:200], design[200:], outcome[200:], GRID, rounds=60, **how)


def test_every_setting_gets_all_its_rounds():
    assert [row["rounds"] for row in _tuned(early_stopping=False)] == [60, 60]
    assert max(row["rounds"] for row in _tuned()) < 60


def test_the_loss_is_that_of_all_rounds():
    stopped, full = _tuned(), _tuned(early_stopping=False)
    assert all(a["log_loss"] < b["log_loss"] for a, b in zip(stopped, full, strict=True))


def test_a_model_file_stops_early_unless_it_says_so():
    assert LightGBMPart().early_stopping
    assert not LightGBMPart.model_validate({"early_stopping": False, "rounds": 50}).early_stopping
