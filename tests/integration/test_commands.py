"""Each command does what it says: what it wrote is read back, what it printed is what a user needs."""

import re
import stat
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import typer

import riskml as public
from riskml.cli.app import app
from riskml.registry.contract import TABLES
from workspaces import AS_OF, CASES, copy_of, riskml, rows_of, state_of


def _commands(group=None, path=()):
    """Every command with its path: list of tuple of str."""
    group = group or typer.main.get_command(app)
    found = []
    for name, command in sorted(group.commands.items()):
        deeper = hasattr(command, "commands")
        found += _commands(command, (*path, name)) if deeper else [(*path, name)]
    return found


class _Page(HTMLParser):
    """What a page loads, its tags, and the text that a reader sees."""

    def __init__(self, html):
        super().__init__()
        self.loads, self.tags, self.words = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href", "action", "srcset")]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


# -- help ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_the_help_of_a_command_says_what_it_does_with_an_example(command):
    said = riskml(*command, "--help")
    assert said.code == 0
    assert f"Example: riskml {' '.join(command)}" in " ".join(said.out.split())


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_the_example_of_the_help_is_a_command_that_parses(command):
    docstring = typer.main.get_command(app)
    for name in command:
        docstring = docstring.commands[name]
    example = re.search(r"Example: riskml (.+)", docstring.help)[1].split()
    assert tuple(example[: len(command)]) == command
    docstring.make_context("riskml", example[len(command) :])


def test_without_a_command_the_commands_are_listed():
    said = riskml("--help")
    assert said.code == 0
    for command in _commands():
        assert command[0] in said.out
    assert "analysts assign the level" in " ".join(said.out.split())


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["score"], ["demo", "--cases", "many"], ["train", "--no-such-option"]]
)
def test_a_command_that_does_not_parse_ends_with_2(arguments):
    said = riskml(*arguments)
    assert (said.code, said.out) == (2, "")
    assert "Usage:" in said.err
    assert "Traceback" not in said.err


def test_the_installed_command_and_the_module_are_the_same_command():
    script = Path(sys.executable).with_name("riskml")
    for command in ([str(script)], [sys.executable, "-m", "riskml"]):
        done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "demo" in done.stdout


# -- init, doctor ----------------------------------------------------------------------------------------


def test_init_makes_a_workspace_with_a_key_of_its_own(tmp_path):
    said = [riskml("init", tmp_path / name) for name in "ab"]
    assert [s.code for s in said] == [0, 0]
    for name in "ab":
        folder = tmp_path / name
        assert {path.name for path in folder.iterdir()} == {
            *("features", "models", "notebooks", "reports", "riskml.toml", "riskml.key", ".gitignore")
        }
        assert stat.S_IMODE((folder / "riskml.key").stat().st_mode) == 0o600
        assert public.open_workspace(folder).model_names == (
            "escalation",
            "lethal",
            "repeat",
            "repeat_30d",
            "severe_harm",
        )
    assert (tmp_path / "a" / "riskml.key").read_text() != (tmp_path / "b" / "riskml.key").read_text()
    assert "*.key" in (tmp_path / "a" / ".gitignore").read_text()
    assert "riskml doctor" in said[0].out


def test_doctor_says_what_a_new_workspace_lacks_and_how_to_mend_it(tmp_path):
    riskml("init", tmp_path / "padron")
    said = riskml("doctor", "--workspace", tmp_path / "padron")
    assert said.code == 2
    wrong = [line for line in said.out.splitlines() if line.startswith("to mend")]
    assert len(wrong) == 1
    assert "registry" in wrong[0]
    assert "riskml simulate" in said.out


def test_doctor_finds_nothing_to_mend_in_a_complete_workspace(demo_workspace):
    said = riskml("doctor", "--workspace", demo_workspace)
    assert said.code == 0, said.out
    assert {line.split()[0] for line in said.out.splitlines()} == {"ok"}
    for name in ("packages", "LightGBM", "catalogue", "models", "key", "registry"):
        assert f" {name}: " in said.out


def test_doctor_makes_a_key_where_there_is_none(workspace):
    (workspace / "riskml.key").unlink()
    assert riskml("doctor", "--workspace", workspace).code == 2
    assert riskml("doctor", "--make-key", "--workspace", workspace).code == 0


def test_doctor_shows_no_password(workspace, monkeypatch):
    monkeypatch.setenv("RISKML_REGISTRY_URL", "postgresql+psycopg://user:s3cret@127.0.0.1:9/registry")
    said = riskml("doctor", "--workspace", workspace)
    assert said.code == 2
    assert "s3cret" not in said.out + said.err


# -- simulate, history, features -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "padron"
    riskml("init", folder)
    said = riskml("simulate", "--cases", 60, "--seed", 5, "--truth", folder / "truth", "-w", folder)
    assert said.code == 0, said.err
    return folder, said


def test_simulate_fills_a_registry_marked_synthetic_and_prints_its_sizes(simulated):
    folder, said = simulated
    printed = dict(re.findall(r"│ (\w+) +│ +([\d,]+) │", said.out))
    assert set(printed) == set(TABLES)
    for table in TABLES:
        assert int(printed[table].replace(",", "")) == len(rows_of(folder, table))
    assert rows_of(folder, "riskml_synthetic")
    assert list((folder / "truth").rglob("*.parquet"))


def test_simulate_with_the_same_seed_writes_the_same_registry(simulated, tmp_path):
    folder, _ = simulated
    riskml("init", tmp_path / "again")
    riskml("simulate", "--cases", 60, "--seed", 5, "-w", tmp_path / "again")
    assert not (tmp_path / "again" / "truth").exists()
    for table in TABLES:
        assert rows_of(folder, table) == rows_of(tmp_path / "again", table)


def test_history_is_named_by_its_content_and_taken_again_changes_nothing(simulated):
    folder, _ = simulated
    said = riskml("history", "-w", folder)
    assert said.code == 0, said.err
    taken = Path(said.out.split("En ")[-1].replace("\n", ""))
    printed = dict(re.findall(r"│ (\w+) +│ +([\d,]+) │", said.out))
    for table in TABLES:
        assert int(printed[table].replace(",", "")) == pq.read_metadata(taken / f"{table}.parquet").num_rows
    before = state_of(folder)
    again = riskml("history", "-w", folder)
    assert again.out == said.out
    assert state_of(folder) == before
    assert (folder / "histories" / "latest").read_text().strip() == taken.name


def test_a_history_that_is_being_taken_is_none_yet(simulated):
    folder, _ = simulated
    riskml("history", "-w", folder)
    (folder / "histories" / ".taking-0000-1-x").mkdir(exist_ok=True)
    workspace = public.open_workspace(folder)
    assert workspace.history(workspace.history().hash[:8]).hash == workspace.history().hash
    with pytest.raises(public.RiskmlError) as error:
        workspace.history("f00")
    assert ".taking" not in str(error.value)


@pytest.mark.parametrize("language", ["es", "en"])
def test_features_list_names_every_column_whole(simulated, language):
    folder, _ = simulated
    said = riskml("features", "list", "--language", language, "-w", folder)
    assert said.code == 0, said.err
    catalogue = public.open_workspace(folder).catalogue
    lines = [line.strip() for line in said.out.splitlines() if line.startswith("    ")]
    listed = ", ".join(line.rstrip(",") for line in lines).split(", ")
    assert sorted(listed) == sorted(column.name for column in catalogue.columns)
    assert max(len(line) for line in said.out.splitlines() if line.startswith("    ")) <= 80
    assert ("Incidentes" if language == "es" else "Incidents") in said.out


def test_features_build_writes_the_matrix_that_the_library_builds(simulated, tmp_path):
    folder, _ = simulated
    riskml("history", "-w", folder)
    said = riskml("features", "build", "--every", "90d", "--out", tmp_path / "m.parquet", "-w", folder)
    assert said.code == 0, said.err
    written = pd.read_parquet(tmp_path / "m.parquet").set_index(["case_id", "as_of"])
    workspace = public.open_workspace(folder)
    history = workspace.history()
    matrix = public.build_features(history, public.assessments(history, every="90d"), workspace.catalogue)
    pd.testing.assert_frame_equal(written, matrix, check_dtype=False)
    assert f"{len(matrix):,}" in said.out

    said = riskml("features", "build", "--as-of", AS_OF, "--out", tmp_path / "one.parquet", "-w", folder)
    assert said.code == 0, said.err
    assert set(pd.read_parquet(tmp_path / "one.parquet")["as_of"]) == {pd.Timestamp(AS_OF)}
    assert {path.name for path in tmp_path.iterdir()} == {"m.parquet", "one.parquet"}


# -- train, score, explain -------------------------------------------------------------------------------


def test_train_says_what_it_measured_and_mends_a_damaged_bundle(workspace):
    """The demo's history and seed give the demo's model; its bundle is whole again, and the latest."""
    kept = workspace / "bundles" / "repeat"
    version = public.open_workspace(workspace).trained("repeat").version
    (kept / version / "bundle.json").unlink()
    (kept / "latest").write_text("another")
    said = riskml("train", "repeat", "-w", workspace)
    assert said.code == 0, said.err
    assert {path.name for path in kept.iterdir()} == {version, "latest"}
    model = public.open_workspace(workspace).trained("repeat")
    assert model.version == version
    words = " ".join(said.out.split())
    assert version in words
    assert model.card["estimand"]["es"] in words
    for row in model.report["comparison"]:
        if row.get("refused"):
            assert row["refused"]["es"] in words
            continue
        assert f"{row['auc']:.3f}" in words
        assert f"{row['auc_low']:.3f}–{row['auc_high']:.3f}" in words
    for window in model.report["split"]["windows"]:
        assert window["first"] in words
        assert "/".join(f"{window['exits'][k]:,}" for k in ("custody", "death", "closed")) in words
    for note in model.report["notes"]:
        assert note["es"] in words


def test_the_second_opinions_of_the_open_cases_stand_in_the_registry(workspace):
    own = {table: rows_of(workspace, table) for table in TABLES}
    said = riskml("score", "--as-of", AS_OF, "-w", workspace)
    assert said.code == 0, said.err
    history = public.open_workspace(workspace).history()
    open_cases = len(history.open_cases(AS_OF))
    runs = [run for run in rows_of(workspace, "riskml_runs") if run[0].startswith("20261026-")]
    assert len(runs) == 1
    opinions = [row for row in rows_of(workspace, "riskml_second_opinions") if row[0] == runs[0][0]]
    assert len(opinions) == open_cases
    assert f"{open_cases} casos abiertos" in said.out
    reasons = [row for row in rows_of(workspace, "riskml_reasons") if row[0] == runs[0][0]]
    assert {row[1] for row in reasons} <= {row[1] for row in opinions}
    assert {row[1] for row in opinions} <= {row[0] for row in _column(workspace, "cases", "case_id")}
    assert own == {table: rows_of(workspace, table) for table in TABLES}, "the registry's own tables"


def _column(folder, table, column):
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(folder / "registry.db")) as connection:
        return connection.execute(f"SELECT {column} FROM {table}").fetchall()


def test_the_same_run_again_changes_nothing(workspace):
    assert riskml("score", "--as-of", AS_OF, "-w", workspace).code == 0
    before = state_of(workspace)
    again = riskml("score", "--as-of", AS_OF, "-w", workspace)
    assert again.code == 0
    assert "no se cambió nada" in again.out
    assert state_of(workspace) == before


def test_a_dry_run_shows_the_same_and_writes_nothing(workspace):
    before = state_of(workspace)
    said = riskml("score", "--as-of", "2026-10-20", "--dry-run", "-w", workspace)
    assert said.code == 0, said.err
    assert "casos abiertos" in said.out
    assert state_of(workspace) == before


def test_one_model_alone_is_scored_when_asked(workspace):
    said = riskml("score", "--as-of", AS_OF, "--model", "repeat", "-w", workspace)
    assert said.code == 0, said.err
    assert "repeat" in said.out
    assert "escalation" not in said.out


def test_a_case_is_explained_by_its_own_id_and_by_its_pseudonym(demo_workspace):
    workspace = public.open_workspace(demo_workspace)
    open_now = set(workspace.history().open_cases(AS_OF)["case_id"])
    own = next(
        case
        for (case,) in _column(demo_workspace, "cases", "case_id")
        if workspace.key.pseudonym("case_id", case) in open_now
    )
    pseudonym = workspace.key.pseudonym("case_id", own)
    said = [
        riskml("explain", case, "--as-of", AS_OF, "--language", language, "-w", demo_workspace)
        for case in (own, pseudonym)
        for language in ("es", "en")
    ]
    assert [s.code for s in said] == [0] * 4, said[0].err
    assert said[0].out == said[2].out
    assert said[1].out == said[3].out
    assert "Segunda opinión" in said[0].out
    assert "Second opinion" in said[1].out


def test_an_explanation_suggests_the_level_that_scoring_writes(workspace):
    """Both follow the workspace's own rules of the levels."""
    levels = workspace / "models" / "levels.yml"
    text = levels.read_text(encoding="utf-8")
    levels.write_text(
        "critical:\n  - {column: incidents_ever, at_least: 0}\notherwise: low\n"
        + text[text.index("cautions:") :]
    )
    assert riskml("score", "--as-of", AS_OF, "-w", workspace).code == 0
    case = public.open_workspace(workspace).history().open_cases(AS_OF)["case_id"].iloc[0]
    said = riskml("explain", case, "--as-of", AS_OF, "-w", workspace)
    assert "crítico" in said.out.lower()


# -- the demo --------------------------------------------------------------------------------------------


def test_the_demo_says_what_it_did_and_what_to_try_next(demo):
    folder, said = demo
    assert "Segundas opiniones" in said.out
    assert str(folder / "reports" / "out" / "demo.html") in said.out.replace("\n", "")
    assert said.err == ""
    for command in ("riskml explain", "riskml features list", "mlflow ui"):
        assert command in said.out


def _page(folder):
    return _Page((folder / "reports" / "out" / "demo.html").read_text(encoding="utf-8"))


def test_the_report_is_one_file_that_loads_nothing(demo_workspace):
    page = _page(demo_workspace)
    assert page.loads
    assert all(address.startswith("data:image/png;base64,") for address in page.loads)
    assert not {"script", "link", "iframe", "object", "form", "base"} & set(page.tags)
    html = (demo_workspace / "reports" / "out" / "demo.html").read_text(encoding="utf-8")
    assert not re.search(r"@import|url\(|http-equiv", html)


def test_the_report_shows_the_figures_that_were_measured(demo_workspace):
    page = _page(demo_workspace)
    workspace = public.open_workspace(demo_workspace)
    for name in workspace.trained_names:
        model = workspace.trained(name)
        assert model.version in page.text
        assert model.card["estimand"]["es"] in page.text
        for row in model.report["comparison"]:
            assert row.get("refused") or f"{row['auc']:.3f}" in page.text
    assert workspace.history().hash[:12] in page.text
    assert "simulad" in page.text.lower() or "sintétic" in page.text.lower()
    assert "probabilidad de feminicidio" in page.text


def test_the_report_holds_nobody_by_name(demo_workspace):
    page = _page(demo_workspace)
    for table in ("aggressors", "victims"):
        columns = [c[1] for c in _pragma(demo_workspace, table)]
        personal = [c for c in columns if c not in TABLES[table].names]
        assert personal
        for column in personal:
            values = {value for (value,) in _column(demo_workspace, table, column) if value}
            words = {v for v in values if len(str(v)) > 9 and str(v) in page.text}
            assert not words, column
    for (case,) in _column(demo_workspace, "cases", "case_id"):
        assert case not in page.text


def _pragma(folder, table):
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(folder / "registry.db")) as connection:
        return connection.execute(f"PRAGMA table_info({table})").fetchall()


def test_the_report_in_english_is_english_throughout(workspace, monkeypatch):
    """The demo again, with the models that it trained: the same synthetic registry replaces itself."""
    trained = public.open_workspace(workspace).trained
    monkeypatch.setattr("riskml.cli.demo.train", lambda plan, history, seed: trained(plan.name))
    said = riskml("demo", "--cases", CASES, "--language", "en", "-w", workspace)
    assert said.code == 0, said.err
    assert "second opinions" in said.out.lower()
    page = _page(workspace)
    assert "Second opinion" in page.text
    assert "probability of femicide" in page.text
    for spanish in ("de cada 100", "Segunda", "agresor ", "valoraciones", "Precauciones"):
        assert spanish not in page.text


def test_every_training_is_logged_with_its_history_and_no_case(demo_workspace):
    """What MLflow keeps names the history and the catalogue, and holds no pseudonym."""
    workspace = public.open_workspace(demo_workspace)
    kept = [path for path in (demo_workspace / "mlartifacts").rglob("*") if path.is_file()]
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in kept)
    assert workspace.history().hash in text
    cases = pq.read_table(workspace.history().folder / "cases.parquet", columns=["case_id"])
    assert not [case for case in cases["case_id"].to_pylist() if case in text]
    assert not [path for path in kept if path.suffix in (".pkl", ".pickle", ".joblib")]


def test_a_copied_workspace_works_where_it_is(workspace, tmp_path):
    """Nothing in a workspace points back to the folder that it was made in."""
    elsewhere = copy_of(workspace, tmp_path / "elsewhere")
    said = riskml("score", "--as-of", AS_OF, "--dry-run", "-w", elsewhere)
    assert said.code == 0, said.err
