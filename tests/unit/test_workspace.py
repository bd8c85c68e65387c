"""A workspace finds what was taken and trained in it, keeps what is new in one step, and starts complete."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from riskml.errors import RiskmlError
from riskml.registry.pseudonyms import Key, make_key
from riskml.workspace import Workspace, init_workspace, open_workspace

REPOSITORY = Path(__file__).parents[2]
LETTERS = "abcdef0123456789" * 4


@pytest.fixture
def workspace(tmp_path):
    return init_workspace(tmp_path / "padron")


def a_history(workspace, name, *, key=None):
    """A history of one empty table, under a name of ours."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = workspace.settings.histories / name
    folder.mkdir(parents=True)
    columns = {"case_id": [], "aggressor_id": [], "victim_id": []}
    text = pa.table({name: pa.array([], pa.string()) for name in columns})
    for time in ("occurred_at", "recorded_at", "superseded_at", "closed_at"):
        text = text.append_column(time, pa.array([], pa.timestamp("us")))
    pq.write_table(text, folder / "cases.parquet")
    manifest = {"hash": name, "rows": {"cases": 0}}
    if key is not None:
        manifest["key_fingerprint"] = key.fingerprint
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (workspace.settings.histories / "latest").write_text(name + "\n")
    return folder


def test_a_new_workspace_is_complete(workspace):
    folder = workspace.settings.folder
    for name in ("features", "models", "reports", "notebooks"):
        original = {p.name: p.read_bytes() for p in (REPOSITORY / name).iterdir() if p.is_file()}
        assert {p.name: p.read_bytes() for p in (folder / name).iterdir() if p.is_file()} == original
    assert (folder / "riskml.toml").read_bytes() == (REPOSITORY / "riskml.toml").read_bytes()
    assert workspace.model_names == ("escalation", "lethal", "repeat", "repeat_30d", "severe_harm")
    assert workspace.levels.models == {"escalation", "repeat", "severe_harm"}
    assert len(workspace.catalogue.columns) >= 60
    assert workspace.key.fingerprint


def test_what_a_workspace_produces_is_not_offered_to_git(workspace):
    ignored = (workspace.settings.folder / ".gitignore").read_text().split()
    for name in ("registry.db*", "histories/", "bundles/", "reports/out/", "mlflow.db*", "truth/", "*.key"):
        assert name in ignored
    for name in ("reviews/", "*.xlsx", "/review.yml"):
        assert name in ignored, "what was coded of a case"
    of_repository = (REPOSITORY / ".gitignore").read_text().split("\n")
    assert {name.strip("/") for name in ignored} <= {name.strip("/") for name in of_repository}


def test_a_workspace_is_not_made_over_anything(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RiskmlError, match="not an empty folder"):
        init_workspace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_latest_history_is_the_one_that_was_taken_last(workspace):
    with pytest.raises(RiskmlError, match="no history yet"):
        workspace.history()
    a_history(workspace, "aa" + LETTERS)
    a_history(workspace, "ab" + LETTERS)
    assert workspace.history().hash == "ab" + LETTERS
    assert workspace.history("aa").hash == "aa" + LETTERS
    assert workspace.history("aa" + LETTERS).hash == "aa" + LETTERS


def test_a_beginning_that_names_several_or_none_lists_what_there_is(workspace):
    a_history(workspace, "aa" + LETTERS)
    a_history(workspace, "ab" + LETTERS)
    (workspace.settings.histories / ".taking-1-2-x").mkdir()
    for given, words in (("a", "more than one history"), ("b", "no history"), ("*", "no history")):
        with pytest.raises(RiskmlError, match=words) as error:
            workspace.history(given)
        assert "aaabcdef0123" in error.value.mend
        assert ".taking" not in error.value.mend


def test_a_key_is_held_against_the_latest_history(workspace):
    a_history(workspace, "aa" + LETTERS, key=workspace.key)
    Workspace(workspace.settings).check_key()
    a_history(workspace, "ab" + LETTERS, key=Key("another" * 8))
    with pytest.raises(RiskmlError, match="wrong key"):
        Workspace(workspace.settings).check_key()
    (workspace.settings.histories / ("ab" + LETTERS) / "manifest.json").write_text("{")
    Workspace(workspace.settings).check_key()  # a damaged history stops nobody from taking a new one


def test_a_key_is_made_once(workspace):
    made = workspace.key.fingerprint
    assert workspace.ensure_key().fingerprint == made
    workspace.settings.key_file.unlink()
    assert Workspace(workspace.settings).ensure_key().fingerprint != made


def test_a_key_of_the_environment_is_left_alone(workspace, monkeypatch):
    workspace.settings.key_file.unlink()
    monkeypatch.setenv("RISKML_KEY", "k" * 40)
    assert workspace.ensure_key().fingerprint == Key("k" * 40).fingerprint
    assert not workspace.settings.key_file.exists()


def test_names_of_models_are_suggested(workspace):
    with pytest.raises(RiskmlError, match='Did you mean "escalation"'):
        workspace.model("escalaton")
    assert workspace.model("escalation").name == "escalation"
    with pytest.raises(RiskmlError, match="riskml train repeat"):
        workspace.trained("repeat")


class _Model:
    """What `keep` asks of a model."""

    name, version = "repeat", "0123456789abcdef"

    def __init__(self, fails=False):
        self.fails, self.saved = fails, 0

    def save(self, folder):
        self.saved += 1
        if self.fails:
            raise RiskmlError("cannot be written", where=str(folder), mend="Make room.")
        folder.mkdir()
        (folder / "bundle.json").write_text("{}")
        return folder


def test_a_model_that_cannot_be_saved_leaves_the_latest_as_it_was(workspace):
    workspace.keep(_Model())
    pointer = workspace.settings.bundles / "repeat" / "latest"
    pointer.write_text("before\n")
    failing = _Model(fails=True)
    failing.version = "another"
    with pytest.raises(RiskmlError, match="cannot be written"):
        workspace.keep(failing)
    assert pointer.read_text() == "before\n"


def test_a_bundle_that_does_not_read_is_saved_again(workspace):
    model = _Model()
    folder = workspace.keep(model)
    (folder / "bundle.json").unlink()
    (folder / "model.txt").write_text("half a mod")
    workspace.keep(model)
    assert model.saved == 2
    assert {path.name for path in folder.iterdir()} == {"bundle.json"}
    assert workspace.trained_names == ("repeat",)


def test_a_folder_without_settings_is_no_workspace(tmp_path):
    with pytest.raises(RiskmlError, match=r"no riskml\.toml here"):
        open_workspace(tmp_path)


def test_the_levels_of_a_workspace_are_its_own(workspace):
    path = workspace.settings.models / "levels.yml"
    before = workspace.levels.hash
    path.write_text(path.read_text(encoding="utf-8").replace("share: 0.10", "share: 0.12"), encoding="utf-8")
    assert open_workspace(workspace.settings.folder).levels.hash != before
    path.unlink()
    assert open_workspace(workspace.settings.folder).levels.hash == before, "riskml's own"


def _files_below(folder):
    """Relative paths of a folder's files, without what was rendered or left behind there."""
    made = {"out", ".ipynb_checkpoints"}
    return {
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and not made & set(path.relative_to(folder).parts)
    }


def test_a_workspace_is_made_from_the_installed_wheel(tmp_path):
    """What `pip install` gives holds everything that `riskml init` needs."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(installed)
    assert not [name for name in names if name.endswith((".key", ".db", ".pyc", ".parquet"))]
    assert not [name for name in names if "/reports/out/" in name or ".ipynb_checkpoints" in name]
    assert [name for name in names if name.endswith("licenses/LICENSE")]

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-P", "-m", "riskml", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=False,
        )

    made = run("init", "padron")
    assert made.returncode == 0, made.stderr
    where = run("--debug", "features", "list", "--workspace", "padron")
    assert where.returncode == 0, where.stderr
    for name in ("features", "models", "reports", "notebooks"):
        assert _files_below(tmp_path / "padron" / name) == _files_below(REPOSITORY / name)
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", "import riskml; print(riskml.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(installed) in loaded.stdout, "the wheel's code, not the checkout's"


def test_a_key_file_elsewhere_is_found(workspace, tmp_path):
    elsewhere = tmp_path / "keys"
    elsewhere.mkdir()
    key = make_key(elsewhere / "registry.key")
    (workspace.settings.folder / "riskml.toml").write_text(f'key_file = "{elsewhere}/registry.key"\n')
    assert open_workspace(workspace.settings.folder).key.fingerprint == key.fingerprint
