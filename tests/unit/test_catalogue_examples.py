"""Every definition of the catalogue is shown at work in tests/spec, with a value that only it would give."""

import ast
from pathlib import Path

import pytest

from riskml.features.catalogue import load_catalogue

ROOT = Path(__file__).parents[2]
NOTHING = (0, 0.0, None)  # what a definition that reads nothing gives, too


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(ROOT / "features")


def examples():
    """What the spec tests of the workspace's catalogue expect: (column, value); value None for missing."""
    found = []
    for path in sorted((ROOT / "tests" / "spec").glob("test_*catalogue*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("is_", "is_missing")):
                continue
            value = ast.unparse(node.args[0]) if node.args else "None"
            while getattr(node.func, "attr", "") != "feature":
                node = node.func.value
            found.append((node.args[0].value, eval(value)))  # noqa: S307 - our own tests' literals
    return found


def test_every_definition_has_an_example(catalogue):
    shown = {catalogue.column(name).feature.name for name, value in examples() if value not in NOTHING}
    assert [f.name for f in catalogue.features if f.name not in shown] == []


def test_three_states_are_shown_for_every_pattern_of_two_factors(catalogue):
    """Present, denied and unknown: a pattern that took silence for a denial would be wrong."""
    patterns = [
        f.name
        for f in catalogue.features
        if f.is_formula and "= 'present'" in f.formula and "_and_" in f.name
    ]
    values = {name: {value for shown, value in examples() if shown == name} for name in patterns}
    assert len(patterns) >= 5
    assert not [name for name, given in values.items() if not {0, 1} <= given]
    assert sum(None in given for given in values.values()) >= 3


def test_examples_name_columns_of_the_catalogue(catalogue):
    names = {column.name for column in catalogue.columns}
    assert not sorted({name for name, _ in examples()} - names)
