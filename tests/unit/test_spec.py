from pathlib import Path

import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.messages import LANGUAGES
from riskml.models.spec import ModelFile, load_model_file, model_names

ROOT = Path(__file__).parents[2]
LEAST = """
label: {es: Prueba, en: Trial}
outcome: {event: incident, horizon: 90d}
"""


def write(tmp_path, text):
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    path = folder / "trial.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_workspace_states_its_models():
    assert {"repeat", "escalation"} <= set(model_names(ROOT / "models"))
    assert not {"levels", "critical"} & set(model_names(ROOT / "models"))
    for name in ("repeat", "escalation"):
        spec = load_model_file(ROOT / "models" / f"{name}.yml")
        assert spec.name == name
        assert spec.outcome.horizon == "90d"
        assert spec.outcome.reporting_lag_us > 0
        assert set(spec.outcome.competing_exits) == {"death", "custody", "closed"}
        assert all(spec.outcome.estimand[language] and spec.limits[language] for language in LANGUAGES)


def test_label_and_outcome_are_enough(tmp_path):
    spec = load_model_file(write(tmp_path, LEAST))
    assert spec.name == "trial"
    assert spec.split.by == "time"
    assert spec.learners.main == "simplest"
    assert spec.sample_size.shrinkage == 0.9
    assert spec.calibrators == ("none", "sigmoid", "beta", "isotonic")
    assert ModelFile.of(spec.to_document()) == spec


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LEAST + "splt: {by: time}\n", 'unknown key "splt". Did you mean "split"?'),
        (
            LEAST + "split:\n  by: persn\n",
            'line 5, split.by: "persn" is not known here. Did you mean "person"?',
        ),
        (LEAST + "split: {by: person}\n", "needs index_date"),
        (LEAST + "split: {by: time, index_date: first}\n", "index_date belongs to by: person"),
        (LEAST + "split: {shares: {train: 1, tun: 1}}\n", 'Did you mean "tune"'),
        (LEAST + "split: {shares: {train: 1, tune: -1, calibrate: 1, evaluate: 1}}\n", "greater than 0"),
        (LEAST + "calibrators: [isotonik]\n", 'Did you mean "isotonic"?'),
        (LEAST + "learners: {lightgbm: {grid: [{num_leafs: 3}]}}\n", 'Did you mean "num_leaves"?'),
        (LEAST + "learners: {lightgbm: {grid: [{num_leaves: 900}]}}\n", "from 2 to 16"),
        (LEAST + "cohort: {every: null}\n", "nobody is assessed"),
        (LEAST + "cohort: {every: monthly}\n", "not a length of time"),
        (LEAST + "capacity: 0\n", "line 4, capacity"),
        (LEAST + "name: other\n", "is not the file's"),
        (LEAST + "capacity: 3\ncapacity: 4\n", "stands twice"),
        ("label: {es: a, en: b}\n", "outcome: is missing"),
        ("label: {es: a}\noutcome: {event: incident, horizon: 90d}\n", "label needs both es and en"),
        ("label: {es: a, en: b}\noutcome: {event: incdent, horizon: 90d}\n", 'Did you mean "incident"'),
        ("- a list\n", "one mapping"),
        ("label: [\n", "not valid YAML"),
    ],
)
def test_mistakes_are_named_with_file_key_and_remedy(tmp_path, text, words):
    with pytest.raises(RiskmlError) as error:
        load_model_file(write(tmp_path, text))
    assert "trial.yml" in str(error.value)
    assert words in str(error.value)


def test_features_are_chosen_by_name_and_pattern():
    catalogue = load_catalogue(ROOT / "features")
    base = {
        "name": "trial",
        "label": {"es": "a", "en": "b"},
        "outcome": {"event": "incident", "horizon": "90d"},
    }

    def chosen(**features):
        return ModelFile.of(base | {"features": features}).features.chosen(catalogue)

    everything = chosen()
    assert everything == tuple(c.name for c in catalogue.columns)
    assert chosen(include="incidents_*", exclude=["incidents_ever"]) == tuple(
        name for name in everything if name.startswith("incidents_") and name != "incidents_ever"
    )
    without = chosen(exposures=False)
    assert without == tuple(c.name for c in catalogue.columns if not c.exposure)
    assert len(without) < len(everything)
    with pytest.raises(RiskmlError, match='matches "incidnts_90d"'):
        chosen(include=["incidnts_90d"])
    with pytest.raises(RiskmlError, match="no column is left"):
        chosen(exclude="*")
