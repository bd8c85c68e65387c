from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.models.spec import ModelFile
from riskml.models.splits import WINDOWS
from riskml.outcomes.labels import label_outcomes
from riskml.registry.history import History
from riskml.training.data import people_of, training_data
from training_history import small_history

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "features")
TRIAL = {
    "name": "trial",
    "label": {"es": "Prueba", "en": "Trial"},
    "outcome": {"event": "incident", "horizon": "90d", "reporting_lag": "30d"},
    "features": {"include": ["incidents_*", "days_since_incident"]},
}


@pytest.fixture(scope="module")
def history():
    return History.of(small_history(250, seed=3))


@pytest.fixture(scope="module")
def data(history):
    return training_data(ModelFile.of(TRIAL), history, CATALOGUE)


def test_windows_hold_only_what_was_known_when_the_next_began(history, data):
    cohort = data.matrix.index.to_frame(index=False)
    spec = ModelFile.of(TRIAL)
    for window, following in (("tune", "calibrate"), ("calibrate", "evaluate")):
        rows = data.split.refit if window == "tune" else data.split.rows[window]
        begins = data.as_of[data.split.rows[following]].min()
        cut = {
            name: table.filter((pd.Series(table["recorded_at"].to_pandas()) <= begins).to_numpy())
            for name, table in history.tables.items()
        }
        known = label_outcomes(History.of(cut), cohort.iloc[rows], spec.outcome, known_at=begins)
        np.testing.assert_array_equal(data.outcome[rows], known["outcome"].to_numpy())


def test_a_develop_window_holds_only_what_was_known_when_the_evaluate_window_began(history):
    spec = ModelFile.of(TRIAL | {"split": {"shares": {"develop": 0.6, "evaluate": 0.4}}})
    data = training_data(spec, history, CATALOGUE)
    rows, begins = data.split.rows["develop"], data.as_of[data.split.rows["evaluate"]].min()
    known = label_outcomes(
        history, data.matrix.index.to_frame(index=False).iloc[rows], spec.outcome, known_at=begins
    )
    np.testing.assert_array_equal(data.outcome[rows], known["outcome"].to_numpy())
    assert len(np.unique(data.group)) <= len(np.unique(data.aggressor))


def test_labels_of_the_last_window_use_all_that_is_known(history, data):
    rows = data.split.rows["evaluate"]
    cohort = data.matrix.index.to_frame(index=False).iloc[rows]
    labels = label_outcomes(history, cohort, ModelFile.of(TRIAL).outcome)
    np.testing.assert_array_equal(data.outcome[rows], labels["outcome"].to_numpy())


def test_censored_assessments_are_counted_and_left_out(history, data):
    assert data.counts["assessments"] == data.counts["followed_up"] + data.counts["censored"]
    assert data.counts["censored"] > 0
    assert len(data.outcome) == data.counts["followed_up"]
    assert data.as_of.max() + np.timedelta64(120, "D") <= history.observed_until.to_datetime64()


def test_by_person_each_person_is_assessed_once(history):
    spec = ModelFile.of(
        TRIAL
        | {
            "split": {"by": "person", "index_date": "random"},
            "minimum": {"events_to_learn": 5, "events_to_judge": 1},
        }
    )
    data = training_data(spec, history, CATALOGUE, seed=2)
    seen = [set(data.aggressor[data.split.rows[name]]) for name in WINDOWS]
    assert sum(len(s) for s in seen) == len(set.union(*seen)) == len(data.outcome)
    assert not data.split.prospective
    dated = ModelFile.of(
        TRIAL | {"split": {"by": "person", "index_date": "2024-03-05"}, "minimum": spec.minimum}
    )
    assert set(training_data(dated, history, CATALOGUE).as_of) == {np.datetime64("2024-03-05", "us")}


def test_a_person_is_the_one_of_the_version_in_force():
    cases = pd.DataFrame(
        {
            "case_id": ["c", "c"],
            "aggressor_id": ["wrong", "right"],
            "victim_id": ["v", "v"],
            "occurred_at": pd.to_datetime(["2024-01-01", "2024-01-01"]),
            "recorded_at": pd.to_datetime(["2024-01-02", "2024-06-01"]),
            "superseded_at": pd.to_datetime(["2024-06-01", None]),
        }
    )
    cohort = pd.DataFrame(
        {"case_id": ["c", "c", "c"], "as_of": pd.to_datetime(["2024-07-01", "2024-02-01", "2024-06-01"])}
    )
    found = people_of(History.of({"cases": cases}), cohort)
    assert found["aggressor_id"].tolist() == ["right", "wrong", "right"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"minimum": {"events_to_learn": 100_000}}, "too few assessments with the outcome"),
        ({"outcome": TRIAL["outcome"] | {"horizon": "700d"}}, "by: person"),
        ({"outcome": TRIAL["outcome"] | {"horizon": "3000d"}}, "followed up"),
        ({"outcome": TRIAL["outcome"] | {"event": "lethal"}}, "one class only"),
        ({"features": {"include": ["incidnts"]}}, "matches"),
    ],
)
def test_what_cannot_be_trained_says_so(history, change, words):
    from riskml.training.train import train

    with pytest.raises(RiskmlError, match=words):
        train(TRIAL | change, history, catalogue=CATALOGUE)


def test_an_empty_history_says_so():
    tables = {name: table.head(0) for name, table in small_history(5).items()}
    with pytest.raises(RiskmlError, match="no case is ever visible"):
        training_data(ModelFile.of(TRIAL), History.of(tables), CATALOGUE)
