"""Pages whose figures a benchmark wrote: what stands between its marks changes, nothing else."""

import importlib.util
import re
from pathlib import Path

import pytest

from riskml.errors import RiskmlError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages():
    spec = importlib.util.spec_from_file_location("marked_page", ROOT / "benchmarks" / "marked_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def marked(script, figures):
    return f"<!-- figures: benchmarks/{script} --page -->\n{figures}\n<!-- end of figures -->\n"


def test_what_stands_outside_a_scripts_marks_stays(pages, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n" + marked("one.py", "old") + "between\n" + marked("two.py", "kept") + "after\n")
    pages.rewrite(page, "one.py", "new")
    once = page.read_text()
    assert pages.held(once, "one.py") == "new"
    assert once.startswith("before\n")
    assert once.endswith("between\n" + marked("two.py", "kept") + "after\n")
    pages.rewrite(page, "one.py", "new")
    assert page.read_text() == once


@pytest.mark.parametrize("text", ["no marks", "<!-- figures: benchmarks/one.py --page -->\nno end"])
def test_a_page_without_its_marks_is_left_as_it_is(pages, tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(RiskmlError, match="no place for the figures"):
        pages.rewrite(page, "one.py", "new")
    assert page.read_text() == text
    with pytest.raises(RiskmlError, match="no such page"):
        pages.rewrite(tmp_path / "other.md", "one.py", "new")


def test_every_page_names_scripts_that_are_there(pages):
    found = {}
    for page in (ROOT / "docs").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for script in re.findall(r"<!-- figures: benchmarks/(\S+) --page -->", text):
            assert (ROOT / "benchmarks" / script).is_file(), script
            found[script] = pages.held(text, script)
    assert len(found) >= 4
    assert all(found.values())
