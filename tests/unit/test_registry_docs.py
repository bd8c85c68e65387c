from pathlib import Path

import pytest

from riskml.registry.contract import TABLES
from riskml.registry.docs import registry_page
from riskml.registry.written import REVIEWED, WRITTEN

PAGE = Path(__file__).parents[2] / "docs" / "registry.md"


def test_the_page_is_fresh():
    if not PAGE.is_file():
        pytest.skip("no docs beside these tests")
    written = PAGE.read_text(encoding="utf-8")
    assert written == registry_page(), "run: python -m riskml.registry.docs docs/registry.md"


def test_the_page_names_every_column():
    page = registry_page()
    for table in [*TABLES.values(), *WRITTEN.tables.values(), *REVIEWED.tables.values()]:
        assert f"\n### {table.name}\n" in page
        for column in table.columns:
            assert f"| {column.name} |" in page
