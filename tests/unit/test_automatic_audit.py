"""The leakage audit that a training runs by itself where its AUC is above 0.80."""

from pathlib import Path

from riskml.features.catalogue import load_catalogue
from riskml.models.spec import ModelFile
from riskml.registry.history import History
from riskml.training.train import train
from training_history import small_history

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "features")
TRIAL = {
    "name": "trial",
    "label": {"es": "Prueba", "en": "Trial"},
    "outcome": {"event": "incident", "horizon": "90d", "reporting_lag": "30d"},
    "features": {"include": ["incidents_*", "days_since_incident"]},
    "learners": {"main": "elastic_net"},
    "bootstrap": 20,
}


def _report(signal):
    history = History.of(small_history(400, seed=3, signal=signal))
    return train(ModelFile.of(TRIAL), history, catalogue=CATALOGUE).report


def test_an_auc_that_is_too_good_is_audited_without_being_asked():
    report = _report(2.5)
    row = next(row for row in report["comparison"] if row["candidate"] == report["chosen"])
    assert row["auc"] > 0.80
    checks = {check["code"]: check for check in report["leakage_audit"]["checks"]}
    assert {"auc", "single_features", "shuffled_labels", "future_shift"} <= set(checks)
    assert checks["shuffled_labels"]["verdict"] == "pass"  # the registry is honest: the people do differ
    told = {note["code"] for note in report["notes"]}
    assert "leakage" in told
    assert "leakage_concern" in told or "leakage_fail" in told  # the count of incidents alone says as much


def test_an_ordinary_auc_asks_for_no_audit():
    report = _report(1.0)
    assert "leakage_audit" not in report
    assert "leakage" not in {note["code"] for note in report["notes"]}
