"""The pages of docs/ that follow from the catalogue and from the spec tests are as these are now."""

import re
from pathlib import Path

import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.docs import catalogue_page
from riskml.features.review_items import load_review_items
from riskml.features.spec_page import spec_page
from riskml.vocabulary import DIMENSIONS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page():
    catalogue = load_catalogue(ROOT / "features")
    return catalogue_page(catalogue, load_review_items(ROOT / "features" / "factors.yml", catalogue))


def test_the_page_on_the_catalogue_is_fresh(page):
    written = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert written == page, "render it again: python -m riskml.features.docs features docs/catalogue.md"


def test_the_page_on_the_spec_is_fresh():
    written = (ROOT / "docs" / "spec.md").read_text(encoding="utf-8")
    page = spec_page(ROOT / "tests" / "spec")
    assert written == page, "render it again: python -m riskml.features.spec_page tests/spec docs/spec.md"


def test_every_feature_and_factor_is_on_the_page(page):
    catalogue = load_catalogue(ROOT / "features")
    assert all(f"| `{feature.name}` | {feature.label['es']} |" in page for feature in catalogue.features)
    assert all(f"(`{factor.code}`)" in page for factor in catalogue.factors)


def test_an_unchecked_figure_is_never_shown_as_a_fact(page):
    unchecked = [line for line in page.splitlines() if line.startswith("- Evidence [M?]")]
    assert unchecked
    assert all(line.endswith("Not checked: a starting value, not a fact.") for line in unchecked)


def test_every_expectation_of_the_spec_tests_is_on_the_page():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "spec").glob("test_*.py")]
    expected = sum(source.count(".is_(") + source.count(".is_missing()") for source in sources)
    page = spec_page(ROOT / "tests" / "spec")
    shown = [line for line in page.splitlines() if line.startswith("| `") and "| **" in line]
    assert len(shown) == expected


def test_every_dimension_links_to_its_examples(page):
    headings = {
        re.sub(r"[^a-z ]", "", line[3:].lower()).replace(" ", "-")
        for line in spec_page(ROOT / "tests" / "spec").splitlines()
        if line.startswith("## ")
    }
    linked = re.findall(r"\(spec\.md#([a-z-]+)\)", page)
    assert len(linked) == len(DIMENSIONS)
    assert set(linked) <= headings


def test_formulas_are_told_in_words(page):
    row = next(line for line in page.splitlines() if line.startswith("| `separation_and_control` |"))
    assert "«Recent or pending separation» is present and «Controlling behaviour» is present" in row
    row = next(line for line in page.splitlines() if line.startswith("| `days_unanswered` |"))
    assert not re.search(r"CASE|WHEN|NULL|\bdays_since", row)


def test_the_review_items_are_on_the_page(page):
    rows = [line for line in page.splitlines() if re.match(r"\| [0-9]+ \| ", line)]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 42))
    assert "| features `age_difference` |" in page


def test_a_folder_without_spec_tests_is_refused(tmp_path):
    with pytest.raises(RiskmlError, match="no spec tests here"):
        spec_page(tmp_path)
