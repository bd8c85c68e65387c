"""What the README promises works: every command in it is run, in the order given, on a small registry."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest

import riskml as public
from workspaces import CASES, copy_of, quicken, riskml

REPOSITORY = Path(__file__).parents[2]
READMES = ("README.md", "README.es.md")


def blocks(readme, language):
    """The code blocks of one language: list of str."""
    text = (REPOSITORY / readme).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(readme):
    """Every command line of the shell blocks, without its comment, in the order given."""
    lines = "\n".join(blocks(readme, "sh")).splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


def inline_commands(readme):
    """Commands that stand within sentences."""
    text = (REPOSITORY / readme).read_text(encoding="utf-8")
    return re.findall(r"`((?:riskml|make|mlflow) [^`]+)`", text)


def dates(readme):
    return sorted(set(re.findall(r"--as-of (\d{4}-\d\d-\d\d)|as_of=\"(\d{4}-\d\d-\d\d)\"", _text(readme))))


def _text(readme):
    return (REPOSITORY / readme).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A new workspace, in which the README's commands are run one after the other."""
    folder = tmp_path_factory.mktemp("readme") / "padron"
    assert riskml("init", folder).code == 0
    quicken(folder)
    return folder


def _open_case(folder, as_of):
    """The registry's own id of a case that is open then."""
    import contextlib
    import sqlite3

    workspace = public.open_workspace(folder)
    pseudonyms = set(workspace.history().open_cases(as_of)["case_id"])
    with contextlib.closing(sqlite3.connect(folder / "registry.db")) as connection:
        for (case,) in connection.execute("SELECT case_id FROM cases"):
            if workspace.key.pseudonym("case_id", case) in pseudonyms:
                return case
    raise AssertionError(f"no case is open on {as_of}")


def _filled_in(line, folder):
    """The arguments of a riskml command, with a small number of cases and a case that exists."""
    arguments = shlex.split(line)[1:]
    if "--cases" in arguments:
        arguments[arguments.index("--cases") + 1] = str(CASES)
    if arguments[0] == "report":
        arguments += ["--refits", "20"]
    if "CASE" in arguments:
        as_of = arguments[arguments.index("--as-of") + 1]
        arguments[arguments.index("CASE")] = _open_case(folder, as_of)
    return arguments


def test_the_commands_of_the_readme_work_in_their_order(registry, monkeypatch):
    lines = [line for line in commands("README.md") if line.startswith("riskml ")]
    named = {"simulate", "history", "train", "report", "review", "score", "explain"}
    assert {line.split()[1] for line in lines} >= named
    monkeypatch.chdir(registry)
    for line in lines:
        said = riskml(*_filled_in(line, registry))
        # Before `simulate` there is no registry, which is what `riskml doctor` says.
        expected = 2 if line == lines[0] and line.startswith("riskml doctor") else 0
        assert said.code == expected, (line, said.out, said.err)
        assert "Traceback" not in said.err
    assert (registry / "matrix.parquet").is_file()


def test_the_commands_of_the_spanish_readme_work_in_their_order(workspace, monkeypatch):
    lines = [line for line in commands("README.es.md") if line.startswith("riskml ")]
    assert lines
    monkeypatch.chdir(workspace)
    for line in lines:
        said = riskml(*_filled_in(line, workspace))
        assert said.code == 0, (line, said.out, said.err)


def test_the_python_of_the_readme_runs(workspace, monkeypatch):
    (block,) = blocks("README.md", "python")
    tree = ast.parse(block)
    assert isinstance(tree.body[-1], ast.Expr), "it ends with the explanation that a notebook shows"
    tree.body[-1] = ast.Assign([ast.Name("explained", ast.Store())], tree.body[-1].value)
    monkeypatch.chdir(workspace)
    names = {}
    exec(compile(ast.fix_missing_locations(tree), "README.md", "exec"), names)
    assert "Segunda opinión" in names["explained"].text
    assert len(names["matrix"]) == len(names["cohort"])


@pytest.mark.parametrize("readme", READMES)
def test_every_command_within_a_sentence_exists(readme):
    for line in inline_commands(readme):
        words = shlex.split(line)
        if words[0] == "riskml":
            names = [word for word in words[1:3] if re.fullmatch("[a-z]+", word)]
            names = names if names[:1] in (["features"], ["narratives"]) else names[:1]
            assert riskml(*names, "--help").code == 0, line


@pytest.mark.parametrize("readme", READMES)
def test_every_make_target_exists_and_would_run(readme):
    lines = [*commands(readme), *inline_commands(readme)]
    targets = {line.split()[1] for line in lines if line.startswith("make ")}
    assert targets >= {"demo", "test", "lab"}
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for target in sorted(targets):
        done = subprocess.run(
            ["make", "--dry-run", target], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (target, done.stderr)


def test_make_runs_the_commands_that_are_installed():
    """What the targets call stands beside this interpreter, or is installed by the target itself."""
    called = set(re.findall(r"\$\(BIN\)/(\S+)", (REPOSITORY / "Makefile").read_text(encoding="utf-8")))
    assert called >= {"riskml", "python", "ruff"}
    lab = {"jupyter"}
    missing = {name for name in called - lab if not Path(sys.executable).with_name(name).exists()}
    assert not missing
    modules = set(re.findall(r"python -m (riskml\S*)", (REPOSITORY / "Makefile").read_text(encoding="utf-8")))
    for module in modules:
        path = REPOSITORY / "src" / Path(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def test_mlflow_is_there_to_be_looked_at():
    """`mlflow ui` serves until it is stopped: only that it is there, with the option of the README."""
    assert Path(sys.executable).with_name("mlflow").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.cli import cli
    command = cli.get_command(None, "ui")
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--backend-store-uri" in options


@pytest.mark.parametrize("readme", READMES)
def test_every_link_leads_to_a_file(readme):
    links = re.findall(r"\]\(([^)\s]+)\)", _text(readme))
    assert links
    for link in links:
        assert "://" not in link, "the page reads without a network"
        assert (REPOSITORY / link.split("#")[0]).exists(), link


@pytest.mark.parametrize("readme", READMES)
def test_every_room_that_is_named_is_there(readme):
    for path in re.findall(
        r"`((?:features|models|reports|notebooks|docs|benchmarks|src)/[\w./]*)`", _text(readme)
    ):
        if not path.startswith("reports/out"):
            assert (REPOSITORY / path).exists(), path


@pytest.mark.parametrize("readme", READMES)
def test_the_dates_lie_inside_the_simulated_period(readme, demo_workspace):
    history = public.open_workspace(demo_workspace).history()
    found = [next(filter(None, pair)) for pair in dates(readme)]
    assert found
    for date in found:
        assert pd.Timestamp(date) <= history.observed_until
        assert len(history.open_cases(date))


def test_both_readmes_say_what_it_must_not_be_used_for():
    assert "What it must not be used for" in _text("README.md")
    assert "Para qué no debe usarse" in _text("README.es.md")
    assert "](README.es.md)" in _text("README.md")
    assert "](README.md)" in _text("README.es.md")


def test_the_repository_is_a_workspace(tmp_path):
    """What a clone holds opens as it is: catalogue, model files and templates."""
    folder = copy_of(REPOSITORY / "features", tmp_path / "features").parent
    for name in ("models", "reports"):
        copy_of(REPOSITORY / name, folder / name)
    shutil.copy(REPOSITORY / "riskml.toml", folder)
    workspace = public.open_workspace(folder)
    assert workspace.model_names == ("escalation", "lethal", "repeat", "repeat_30d", "severe_harm")
    assert len(workspace.catalogue.columns) >= 60
    assert workspace.levels.models <= set(workspace.model_names)
