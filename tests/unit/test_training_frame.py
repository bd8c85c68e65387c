import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import riskml
from riskml.errors import RiskmlError
from riskml.models.bundle import Model


def people(n=900, seed=0, groups=450):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "priors": rng.poisson(1.5, n),
            "age": rng.uniform(18, 70, n),
            "degree": rng.choice(["F", "M"], n),
            "flag": rng.random(n) < 0.3,
            "level": pd.Categorical(rng.choice(["low", "high"], n), ["low", "high"], ordered=True),
        }
    )
    frame.loc[rng.random(n) < 0.1, "age"] = np.nan
    margin = (
        -1.5 + 0.5 * frame["priors"] - 0.03 * (frame["age"].fillna(40) - 40) + 0.5 * (frame["degree"] == "F")
    )
    return frame, (rng.random(n) < expit(margin)).astype(int), rng.integers(0, groups, n), margin


@pytest.fixture(scope="module")
def trained():
    frame, outcome, person, _ = people(groups=5000)
    return riskml.train_frame(frame, outcome, person, replicates=40)


def test_risks_of_new_people_are_calibrated_and_rank(trained):
    frame, outcome, _, margin = people(4000, seed=9)
    risk = trained.predict(frame)
    assert risk.shape == (4000,)
    assert abs(risk.mean() - outcome.mean()) < 0.04
    assert np.corrcoef(risk, expit(margin))[0, 1] > 0.9
    best = np.mean((expit(margin) - outcome) ** 2)
    assert np.mean((risk - outcome) ** 2) < best + 0.006


def test_the_report_sets_candidates_side_by_side(trained):
    table = pd.DataFrame(trained.report["comparison"]).set_index("candidate")
    assert list(table.index) == ["base_rate", "elastic_net", "lightgbm", "blend"]
    assert (table["auc_low"] <= table["auc"]).all()
    assert (table["auc"] <= table["auc_high"]).all()
    assert table.loc["base_rate", "auc"] < 0.55 < table.loc["blend", "auc_low"]
    assert {entry["code"] for entry in trained.report["notes"]} >= {"not_prospective", "recipe_reported"}
    assert all(entry["es"] and entry["en"] for entry in trained.report["notes"])
    assert trained.report["importance"][0]["column"] == "priors"


def test_the_same_seed_gives_the_same_version(trained):
    frame, outcome, person, _ = people(groups=5000)
    assert riskml.train_frame(frame, outcome, person, replicates=40).version == trained.version


def test_too_few_people_are_given_the_penalised_regression_alone():
    frame, outcome, person, _ = people(
        groups=300
    )  # 900 rows of some 285 people: rows do not make up for them
    model = riskml.train_frame(frame, outcome, person, replicates=20)
    assert model.learner.kind == "linear"
    assert model.report["chosen"] == "elastic_net"
    asked = model.report["sample_size"]
    assert asked["refused"] == ["lightgbm", "blend"]
    assert not asked["development"]["met"]
    assert asked["development"]["people"] == len(np.unique(person)) < asked["development"]["needed"]
    rows = {row["candidate"]: row for row in model.report["comparison"]}
    for name in ("lightgbm", "blend"):
        assert rows[name]["brier"] is None
        assert f"{asked['development']['needed']:,}" in rows[name]["refused"]["es"]
    assert "refused" not in rows["elastic_net"]


def test_an_effect_that_bends_is_followed_without_trees():
    frame, _, person, _ = people(1500, seed=3, groups=300)
    age = frame["age"].fillna(40).to_numpy()
    truth = expit(1.5 - 3.0 * np.minimum(np.abs(age - 30) / 10, 1.5))  # highest at 30, lower on both sides
    outcome = (np.random.default_rng(8).random(1500) < truth).astype(int)
    model = riskml.train_frame(frame, outcome, person, replicates=20)
    assert model.learner.kind == "linear"
    assert [row["curves"] for row in model.report["tuning"]["elastic_net"] if row["chosen"]] == [True]
    assert np.corrcoef(model.predict(frame), truth)[0, 1] > 0.95


def test_it_is_saved_and_loaded_like_any_model(trained, tmp_path):
    frame = people(50, seed=2)[0]
    again = Model.load(trained.save(tmp_path / "frame"))
    np.testing.assert_array_equal(again.predict(frame), trained.predict(frame))


def test_time_makes_the_latest_rows_the_judge():
    frame, outcome, person, _ = people(1000, seed=4)
    when = pd.date_range("2024-01-01", periods=1000, freq="12h")
    model = riskml.train_frame(frame, outcome, person, time=when, capacity=5, replicates=30)
    row = model.report["comparison"][0]
    assert row["n"] == 200
    assert model.report["split"]["prospective"]
    assert 0 < row["recall_at_capacity"] < 1
    assert "later_rows" in {entry["code"] for entry in model.report["notes"]}
    assert model.report["unseen_aggressors"]["assessments"] < 200


def test_column_names_need_not_be_words():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 3))
    outcome = (values[:, 0] + rng.normal(size=400) > 0).astype(int)
    model = riskml.train_frame(pd.DataFrame(values), outcome, replicates=20)
    assert model.predict(pd.DataFrame(values)).shape == (400,)


def test_noise_is_not_mistaken_for_signal():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(rng.normal(size=(800, 8)), columns=list("abcdefgh"))
    outcome = (rng.random(800) < 0.25).astype(int)
    risk = riskml.train_frame(frame, outcome, replicates=20).predict(
        pd.DataFrame(rng.normal(size=(2000, 8)), columns=list("abcdefgh"))
    )
    assert np.abs(risk - 0.25).mean() < 0.06


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.zeros(900)}, "one class only"),
        ({"y": np.full(900, 2)}, "other than 0 and 1"),
        ({"y": np.ones(5)}, "5 values for 900 rows"),
        ({"y": np.repeat([1, 0], [7, 893])}, "7 rows of the rarer class"),
        ({"y": np.append(np.nan, np.ones(899))}, "1 values are missing"),
        ({"groups": np.zeros(900)}, "one group only"),
        ({"groups": np.append(np.nan, np.ones(899))}, "missing"),
        ({"time": ["never"] * 900}, "does not read as times"),
        ({"X": np.zeros((900, 2))}, "instead of a DataFrame"),
        ({"X": pd.DataFrame({"same": np.ones(900)})}, "no column varies"),
        ({"X": pd.DataFrame({"when": pd.date_range("2020-01-01", periods=900)})}, "Turn times into a number"),
        ({"X": pd.DataFrame(index=range(900))}, "no rows, or no columns"),
    ],
)
def test_bad_input_is_one_message(change, words):
    frame, outcome, person, _ = people()
    given = {"X": frame, "y": outcome, "groups": person} | change
    with pytest.raises(RiskmlError, match=words):
        riskml.train_frame(**given)
