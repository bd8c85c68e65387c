"""The house is in order: what is tracked belongs to the project alone, and its public face works."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import riskml

REPOSITORY = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def _tracked():
    """Every file of the repository: by git where this is a clone, by looking where it is not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0 and listed.stdout:
        return [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in REPOSITORY.rglob("*") if path.is_file() and ".venv" not in path.parts]


def _texts():
    for path in _tracked():
        if path.is_file() and path.suffix not in (".png", ".parquet"):
            yield path, path.read_text(encoding="utf-8")


def test_no_file_names_a_place_of_one_machine():
    pattern = re.compile(r"/(home|Users|root|work)/[a-z]|/tmp/[a-z]|[A-Z]:\\\\Users")
    found = [
        f"{path.relative_to(REPOSITORY)}: {match[0]}"
        for path, text in _texts()
        if path != Path(__file__)
        for match in [pattern.search(text)]
        if match
    ]
    assert not found


def test_requirements_name_packages_and_versions_and_nothing_else():
    for path in REPOSITORY.rglob("requirements*.txt"):
        if ".venv" in path.parts:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(
                r"#.*|--requirement \S+\.txt|[A-Za-z0-9._-]+(\[[a-z,]+\])?==[\w.!+]+( ;.*)?|", line
            ), line
    assert not re.search(r"(https?|file)://(?!keepachangelog|semver)", str(PYPROJECT))


def test_every_dependency_is_pinned():
    def name_of(line):
        return re.split(r"[\[=<>~! ;]", line)[0].lower().replace("_", "-")

    def pinned(file):
        lines = (REPOSITORY / file).read_text(encoding="utf-8").splitlines()
        return {name_of(line) for line in lines if line and not line.startswith(("#", "-"))}

    core = pinned("requirements.txt")
    extras = pinned("requirements-lab.txt") | pinned("requirements-spark.txt")
    project = PYPROJECT["project"]
    assert {name_of(line) for line in project["dependencies"]} <= core
    assert {name_of(line) for line in PYPROJECT["dependency-groups"]["dev"]} <= core
    assert {name_of(line) for line in PYPROJECT["build-system"]["requires"]} <= core
    for extra, lines in project["optional-dependencies"].items():
        assert {name_of(line) for line in lines} <= core | extras, extra


def test_what_is_imported_is_declared():
    """No module leans on a package that only happens to be installed."""
    declared = {re.split(r"[\[<>=~! ]", line)[0].lower() for line in PYPROJECT["project"]["dependencies"]}
    declared |= {
        re.split(r"[\[<>=~! ]", line)[0].lower()
        for lines in PYPROJECT["project"]["optional-dependencies"].values()
        for line in lines
    }
    packages = {"sklearn": "scikit-learn", "yaml": "pyyaml", "woodelf": "woodelf-explainer"}
    # They come with a declared package, which cannot do without them.
    carried = {"scipy": "scikit-learn", "markupsafe": "jinja2", "click": "typer"}
    missing = set()
    for path in (REPOSITORY / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in (name.split(".")[0] for name in names):
                package = packages.get(name, name).lower()
                known = {package, carried.get(package, package)} & declared
                if name != "riskml" and name not in sys.stdlib_module_names and not known:
                    missing.add(f"{path.name}: {name}")
    assert not missing


def test_nothing_that_a_workspace_produces_is_tracked():
    names = [str(path.relative_to(REPOSITORY)) for path in _tracked()]
    unwanted = re.compile(r"\.(key|db|db-\w+|parquet|pkl|pickle)$|^(histories|bundles|mlruns|reports/out)/")
    assert not [name for name in names if unwanted.search(name) and not name.startswith("tests/")]


def test_no_pickle_is_read_or_written():
    """Bundles come from other machines: nothing of them may execute when it is read."""
    pattern = re.compile(r"\b(import|from) (pickle|joblib|dill|cloudpickle)\b|read_pickle|allow_pickle=True")
    found = [path.name for path in (REPOSITORY / "src").rglob("*.py") if pattern.search(path.read_text())]
    assert not found


def test_the_changelog_tells_what_is_unreleased():
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text
    section = text.split("## [Unreleased]")[1].split("\n## ")[0]
    assert re.search(r"^- ", section, re.MULTILINE)


def test_the_version_is_one():
    assert riskml.__version__ == PYPROJECT["project"]["version"]


def test_every_template_of_a_workspace_goes_into_the_wheel():
    from riskml import workspace

    included = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {source.split("/")[0] for source in included} == set(workspace._COPIED)
    # The templates one by one: `reports/out` holds what was rendered here.
    assert {s for s in included if s.startswith("reports")} == {
        f"reports/{path.name}" for path in (REPOSITORY / "reports").glob("*.j2")
    }
    assert all(target == f"riskml/_workspace/{source}" for source, target in included.items())


def test_the_rooms_have_their_lines_in_two_languages():
    for path in (REPOSITORY / "src" / "riskml" / "messages" / "catalogue").glob("*.yml"):
        keys = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert all(isinstance(key, str) for key in keys), (
            f"{path.name}: a key that YAML takes for a truth value"
        )


@pytest.mark.parametrize("name", riskml.__all__)
def test_what_is_public_is_there_and_says_what_it_does(name):
    thing = getattr(riskml, name)
    assert inspect.getdoc(thing), name
    if inspect.isfunction(thing):
        assert {"Parameters", "Returns"} <= set(inspect.getdoc(thing).split()), name
    assert name in dir(riskml)


def test_what_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        _ = riskml.no_such_thing


def test_everything_public_loads_without_a_warning():
    script = "import riskml\nfor name in riskml.__all__:\n    getattr(riskml, name)\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_help_needs_none_of_the_heavy_libraries():
    script = (
        "import sys, riskml.cli.app\n"
        "print([n for n in ('lightgbm', 'mlflow', 'numba', 'sklearn', 'pandas', 'shap') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
