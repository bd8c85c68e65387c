"""The notebooks run from the first cell to the last in a workspace in which the demo has run."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [
    # Jupyter's client leaves its sockets and loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
FIRST = Path(__file__).parents[2] / "notebooks" / "first_look.ipynb"
HEAVY = {"train_and_validate", "fatality_review"}  # trains, refits and backtests; fills in, compares, replays
DRAWN = {"train_and_validate": 8, "explain": 3, "fatality_review": 6}  # figures, at least


def _marked(path):
    return pytest.param(path, marks=[pytest.mark.slow] if path.stem in HEAVY else [], id=path.stem)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {"first_look", "features", "explain", *HEAVY}


@pytest.mark.parametrize("name", ["first_look", "explain", "train_and_validate", "fatality_review"])
def test_a_notebook_that_shows_opinions_says_who_assigns_the_level(name):
    notebook = nbformat.read(FIRST.with_stem(name), as_version=4)
    words = " ".join("".join(cell.source for cell in notebook.cells).replace("*", "").split())
    assert "no asigna niveles" in words


def test_a_notebook_is_kept_without_what_it_printed(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_a_notebook_speaks_spanish(notebook):
    words = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown").lower()
    spanish = len(re.findall(r"\b(el|la|los|que|de|una|cada|caso)\b", words))
    english = len(re.findall(r"\b(the|of|and|which|every|case)\b", words))
    assert spanish > 20 * max(english, 1)


def test_the_first_notebook_reaches_for_the_public_face_only():
    """An analyst meets `import riskml` and nothing below it."""
    notebook = nbformat.read(FIRST, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert not re.search(r"(from|import) riskml\.", code)


def test_nothing_of_a_case_leaves_a_notebook(notebook):
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert not re.search(r"\bopen\(|to_csv|to_excel", code)


@pytest.mark.parametrize("path", [_marked(path) for path in NOTEBOOKS])
def test_a_notebook_runs_from_first_to_last_cell(path, workspace, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(workspace / "jupyter"))
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": workspace / "notebooks"}},
    )
    client.execute()
    shown, drawn = 0, 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", f"no warning in front of analysts: {output.text[:500]}"
            shown += output.output_type in ("execute_result", "display_data", "stream")
            drawn += "image/png" in output.get("data", {})
    assert shown >= 7
    assert drawn >= DRAWN.get(path.stem, 0)
    seen = "\n".join(str(output) for cell in notebook.cells for output in cell.get("outputs", []))
    if "riskml.explain(" in "".join(cell.source for cell in notebook.cells):
        assert "Segunda opinión" in seen
    assert "suggested_level" not in seen, "column names that analysts read are Spanish"
