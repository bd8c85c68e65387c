import hashlib
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.models import bundle_files
from riskml.models.bundle import Model
from riskml.models.bundle_files import json_text
from riskml.models.calibration import fit_calibrator
from riskml.models.encoding import Encoding, infer_columns
from riskml.models.estimators import Blend
from riskml.models.linear import elastic_net_path
from riskml.models.riskgroups import clustered_interval, frequency_of, risk_groups
from riskml.models.trees import boost


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"count": rng.poisson(1, 1200).astype(float), "where": rng.choice(["u", "r"], 1200)})
    frame.loc[::9, "count"] = np.nan
    return frame


@pytest.fixture(scope="module")
def model(matrix):
    rng = np.random.default_rng(1)
    outcome = (rng.random(1200) < 0.1 + 0.1 * matrix["count"].fillna(0).clip(0, 4)).astype(float)
    encoding = Encoding.fit(matrix, infer_columns(matrix))
    design = encoding.design(matrix)
    trees = boost(design, outcome, {"num_leaves": 4, "learning_rate": 0.1}, 20)
    learner = Blend(trees, elastic_net_path(design, outcome)[-1][1], 0.5)
    calibrator = fit_calibrator("sigmoid", learner.margin(design), outcome)
    risk = calibrator.risk(learner.margin(design))
    return Model(
        "trial",
        learner,
        encoding,
        calibrator,
        risk_groups=risk_groups(risk, outcome, np.arange(1200) // 3),
        reference={"mean_risk": float(risk.mean())},
        card={"label": {"es": "Prueba", "en": "Trial"}},
        report={"notes": []},
    )


def test_what_is_loaded_predicts_what_was_saved(model, matrix, tmp_path):
    folder = model.save(tmp_path / "trial" / model.version)
    again = Model.load(folder)
    np.testing.assert_array_equal(again.predict(matrix), model.predict(matrix))
    np.testing.assert_array_equal(again.margin(matrix), model.margin(matrix))
    pd.testing.assert_frame_equal(again.interval(matrix), model.interval(matrix))
    assert again.version == model.version == folder.name
    assert again.report == model.report
    assert again.card == model.card
    assert sorted(os.listdir(folder)) == ["bundle.json", "model.txt", "report.json"]
    assert os.listdir(folder.parent) == [folder.name]  # nothing half-made is left beside it


def test_the_version_names_the_content(model):
    assert model.with_thresholds({"high": 0.2}).version != model.version
    assert model.with_thresholds(model.thresholds).version == model.version


def test_the_catalogue_travels_with_the_model(model, tmp_path):
    catalogue = load_catalogue(os.path.join(os.path.dirname(__file__), "../../features"))
    whole = Model("trial", model.learner, model.encoding, model.calibrator, catalogue=catalogue)
    assert Model.load(whole.save(tmp_path / "b")).catalogue.hash == catalogue.hash


@pytest.mark.parametrize("name", ["bundle.json", "model.txt", "report.json"])
def test_one_changed_byte_is_found_wherever_it_is(model, tmp_path, name):
    folder = model.save(tmp_path / "b")
    text = (folder / name).read_bytes()
    for position in np.linspace(0, len(text) - 2, 15).astype(int):
        changed = bytearray(text)
        changed[position] = ord("7") if text[position] != ord("7") else ord("3")
        (folder / name).write_bytes(bytes(changed))
        with pytest.raises(RiskmlError):
            Model.load(folder)


def damage(folder, kind):
    if kind == "missing":
        (folder / "model.txt").unlink()
    elif kind == "foreign":
        (folder / "model.pkl").write_bytes(b"\x80\x04.")
    elif kind == "binary":
        (folder / "bundle.json").write_bytes(b"\xff\xfe\x00")
    elif kind == "empty":
        (folder / "bundle.json").write_text("")
    elif kind == "list":
        (folder / "bundle.json").write_text("[]")
    elif kind == "format":
        main = json.loads((folder / "bundle.json").read_text())
        (folder / "bundle.json").write_text(json.dumps(main | {"format": "riskml bundle 99"}))
    elif kind == "nothing":
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "model.txt is missing"),
        ("foreign", "not part of the bundle: model.pkl"),
        ("binary", "not text"),
        ("empty", "not valid JSON"),
        ("list", "not a bundle"),
        ("format", 'format "riskml bundle 99"'),
        ("nothing", "no bundle here"),
    ],
)
def test_a_damaged_bundle_is_refused_in_one_message(model, tmp_path, kind, words):
    folder = model.save(tmp_path / "b")
    damage(folder, kind)
    with pytest.raises(RiskmlError, match=words) as error:
        Model.load(folder)
    assert error.value.mend


def test_a_bundle_that_lies_about_its_hashes_still_runs_no_path_outside(model, tmp_path):
    folder = model.save(tmp_path / "b")
    main = json.loads((folder / "bundle.json").read_text())
    main.pop("content")
    main["files"]["../outside.txt"] = "0"
    main["content"] = hashlib.sha256(json_text(main).encode()).hexdigest()
    (folder / "bundle.json").write_text(json_text(main))
    with pytest.raises(RiskmlError):
        Model.load(folder)


def test_saving_replaces_a_bundle_and_nothing_else(model, tmp_path):
    folder = model.save(tmp_path / "b")
    other = model.with_thresholds({"high": 0.3})
    assert Model.load(other.save(folder)).version == other.version
    busy = tmp_path / "notes"
    busy.mkdir()
    (busy / "letter.txt").write_text("x")
    with pytest.raises(RiskmlError, match="no bundle"):
        model.save(busy)
    assert (busy / "letter.txt").read_text() == "x"


def test_a_disk_that_cannot_be_written_is_one_message(model, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(bundle_files.tempfile, "mkdtemp", refuse)
    with pytest.raises(RiskmlError, match="cannot be written") as error:
        model.save(tmp_path / "b")
    assert "Nothing was changed" in error.value.mend
    assert not list(tmp_path.iterdir())


def test_a_failure_half_way_leaves_the_old_bundle(model, tmp_path, monkeypatch):
    folder = model.save(tmp_path / "b")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_files.os, "fsync", full)
    with pytest.raises(RiskmlError, match="No space left"):
        model.with_thresholds({"high": 0.1}).save(folder)
    assert Model.load(folder).version == model.version
    assert list(tmp_path.iterdir()) == [folder]


def test_a_matrix_of_other_columns_is_refused(model, matrix):
    with pytest.raises(RiskmlError, match="missing columns: where"):
        model.predict(matrix[["count"]])
    with pytest.raises(RiskmlError, match="trained on numbers"):
        model.predict(matrix.assign(count="many"))


def test_an_empty_matrix_gives_no_risks(model, matrix):
    assert model.predict(matrix.head(0)).shape == (0,)
    assert model.interval(matrix.head(0)).shape == (0, 5)


def test_groups_of_similar_cases_cover_the_line_and_count_everyone():
    rng = np.random.default_rng(5)
    risk = rng.beta(1, 8, 5000)
    outcome = (rng.random(5000) < risk).astype(float)
    groups = risk_groups(risk, outcome, np.arange(5000))
    assert sum(g["size"] for g in groups) == 5000
    assert sum(g["events"] for g in groups) == outcome.sum()
    assert min(g["size"] for g in groups) >= 100
    assert [g["from"] for g in groups] == sorted(g["from"] for g in groups)
    inside = [g["low"] <= g["mean_risk"] <= g["high"] for g in groups]
    assert np.mean(inside) >= 0.8
    found = frequency_of(groups, np.array([0.0, risk.max(), 1.0]))
    assert found["events"].tolist() == [groups[0]["events"], groups[-1]["events"], groups[-1]["events"]]


def test_repeated_assessments_of_one_person_widen_the_interval():
    risk = np.full(400, 0.2)
    outcome = np.repeat([1.0, 0.0] * 10, 20)
    alone = risk_groups(risk, outcome, np.arange(400))[0]
    repeated = risk_groups(risk, outcome, np.repeat(np.arange(20), 20))[0]
    assert repeated["high"] - repeated["low"] > 3 * (alone["high"] - alone["low"])


def test_the_interval_is_exact_without_clusters():
    # EVIDENCE 6.5: 8/12 -> 34.9-90.1 %, 0/12 -> 0-26.5 %, 12/12 -> 73.5-100 %
    assert clustered_interval(8, 12) == pytest.approx((0.349, 0.901), abs=5e-4)
    assert clustered_interval(0, 12) == pytest.approx((0.0, 0.265), abs=5e-4)
    assert clustered_interval(12, 12) == pytest.approx((0.735, 1.0), abs=5e-4)
