"""Formulas: what may be written, what is refused, what is missing, and that an edited matrix is followed."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.features.catalogue import Catalogue, load_catalogue
from riskml.features.formulas import says_whether, with_formulas

FACTORS = "strangulation: {label: {es: Estrangulamiento, en: Strangulation}, dimension: acts}\n"
COLUMNS = """
dimension: acts
table: incidents
features:
  incidents: {aggregate: count, windows: [90d, 90d-365d]}
  days: {aggregate: days_since}
  source: {aggregate: latest, column: source}
---
dimension: acts
table: factors
features:
  strangulation: {aggregate: latest, column: state, where: factor = 'strangulation'}
  last_factor: {aggregate: latest, column: factor}
---
dimension: relationship
table: cases
features:
  relationship: {aggregate: latest, column: relationship}
---
dimension: acts
features:
"""
NAN = float("nan")


def catalogue(**formulas):
    """The columns above and some formulas over them."""
    lines = "".join(f'  {name}: {{formula: "{text}"}}\n' for name, text in formulas.items())
    with TemporaryDirectory() as folder:
        (Path(folder) / "acts.yml").write_text(COLUMNS + lines, encoding="utf-8")
        (Path(folder) / "factors.yml").write_text(FACTORS, encoding="utf-8")
        return load_catalogue(folder)


one = cache(lambda text: catalogue(f=text))

MATRIX = pd.DataFrame(
    {
        "incidents_90d": [0.0, 2.0, 3.0, 1.0],
        "incidents_90d_365d": [0.0, 4.0, 0.0, 2.0],
        "days": [NAN, 1.5, 80.0, 90.0],
        "source": pd.array([None, "911", "banevim", "911"], dtype="str"),
        "strangulation": pd.array([None, "present", "denied", "present"], dtype="str"),
        "last_factor": pd.array([None, "strangulation", "strangulation", None], dtype="str"),
        "relationship": pd.array(["partner", None, "son", "partner"], dtype="str"),
    }
)


def value(text):
    """What a formula gives on the four rows."""
    return with_formulas(MATRIX, one(text))["f"].tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("incidents_90d + incidents_90d_365d", [0, 6, 3, 3]),
        ("incidents_90d / incidents_90d_365d", [None, 0.5, None, 0.5]),  # nothing divided by nothing, too
        ("1 / 2 * incidents_90d", [0, 1, 1.5, 0.5]),  # whole numbers are not cut off
        ("-incidents_90d - -1", [1, -1, -2, 0]),
        ("incidents_90d > incidents_90d_365d", [0, 0, 1, 0]),
        ("days < 2", [None, 1, 0, 0]),
        ("strangulation = 'present'", [None, 1, 0, 1]),
        ("strangulation = 'present' and days < 2", [None, 1, 0, 0]),
        ("strangulation = 'present' or days > 85", [None, 1, 0, 1]),
        ("strangulation = 'present' and incidents_90d = 5", [0, 0, 0, 0]),  # false whatever the unknown is
        ("not strangulation = 'present'", [None, 0, 1, 0]),
        ("strangulation is null", [1, 0, 0, 0]),
        ("strangulation is not null and relationship in ('partner', 'son')", [0, None, 1, 1]),
        ("strangulation <> last_factor", [None, 1, 1, None]),
        ("days between 1 and 80", [None, 1, 1, 0]),
        ("coalesce(strangulation = 'present', false)", [0, 1, 0, 1]),
        ("coalesce(days, 365)", [365, 1.5, 80, 90]),
        ("coalesce(strangulation, last_factor, 'none') = 'none'", [1, 0, 0, 0]),
        ("greatest(days, 10)", [10, 10, 80, 90]),
        ("least(days, 10, incidents_90d)", [0, 1.5, 3, 1]),
        ("abs(days - 80)", [None, 78.5, 0, 10]),
        ("case when days < 2 then 3 when strangulation = 'denied' then 2 else 1 end", [1, 3, 2, 1]),
        ("case when days < 2 then 3 end", [None, 3, None, None]),
        (
            "case when incidents_90d > 0 then 1 else 0 end + case when days > 85 then 1 else 0 end",
            [0, 1, 1, 2],
        ),
        (" + ".join(["days"] * 150), [None, 225, 12_000, 13_500]),
        (" and ".join(["days > 1"] * 100), [None, 1, 1, 1]),
        ("8 / 2 / 2 - 1 - incidents_90d - 1", [0, -2, -3, -1]),  # from the left
        ("8 / (2 * incidents_90d) - (1 - incidents_90d)", [None, 3, 10 / 3, 4]),
        (" * ".join(["days", *["999999999"] * 36]), [None] * 4),  # no finite number is missing
    ],
)
def test_a_formula_gives_what_it_says(text, expected):
    missing = [NAN if number is None else number for number in expected]
    assert value(text) == pytest.approx(missing, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("incidents_9d > 1", 'unknown column "incidents_9d" of the matrix\nDid you mean "incidents_90d"'),
        ("incidents > 1", "Its columns: incidents_90d, incidents_90d_365d."),
        ("strangulation = 'presnt'", 'unknown strangulation "presnt"\nDid you mean "present"?'),
        ("last_factor = 'strangulatoin'", 'Did you mean "strangulation"?'),
        ("strangulation > 'denied'", "words have no order in a formula"),
        ("strangulation = 1", "Quote it"),
        ("days = 'many'", "Write a number"),
        ("strangulation + 1", "strangulation is no number"),
        ("(days < 2) + 1", "case when ... then 1 else 0 end"),
        ("strangulation", "strangulation is a word"),
        ("days and incidents_90d > 1", "neither true nor false"),
        ("case when days < 2 then 1 else strangulation end", "gives now a number now a word"),
        ("coalesce(days, strangulation)", "gives now a number now a word"),
        ("case when days < 2 then 1 else null end", "Leave `else` out"),
        ("case days when 2 then 1 end", "may not hold"),
        ("days = null", "is null"),
        ("1 + 1", "reads no column"),
        ("g > 1", '"g" is a formula itself'),
        ("f > 1", '"f" is a formula itself'),
        ("days % 2", "may not hold"),
        ("sqrt(days)", "the function"),
        ("sum(days)", "the function"),
        ("days::text = '1'", "may not hold"),
        ("days > (select 1)", "a query inside it"),
        ("days > (select max(days) from matrix)", "a query inside it"),
        ("days > getenv('HOME')", "may not hold"),
        ("matrix.days > 1", "may not hold"),
        ("days > 1 -- x", "a comment inside a formula"),
        ("days > 1; select 1", "not a formula"),
        ("days >", "not a formula"),
        ("days in (select 1)", "may not hold"),
        ("row_number() over () > days", "may not hold"),
        ("days > now()", "may not hold"),
        ("case when " * 60 + "days > 1" + " then 1 end = 1" * 60, ""),
        (" and ".join(["days > 1"] * 300), "too long or too deep"),
        ("abs(" * 41 + "days" + ")" * 41, "too long or too deep"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text, says):
    with pytest.raises(RiskmlError) as error:
        catalogue(g="days + 1", f=text)
    assert 'acts.yml, line 23, feature "f": ' in str(error.value)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("features: {f: {aggregate: count}}", "the block has no table"),
        (
            "features: {a: {formula: days + 1}, f: {aggregate: count}}",
            "a block without `table:` holds formulas",
        ),
        (
            "table: incidents\nfeatures: {f: {formula: days + 1}}",
            "a formula stands in a block without `table:`",
        ),
        ("features: {f: {formula: days + 1, windows: [30d]}}", 'unknown key "windows"\nKeys: formula, label'),
        ("features: {f: {formula: coalesce(days, 1)}}", "needs quotes around it"),
        ("features: {f: {formula: 3}}", "formula:"),
        ("features: {f: {formula: ''}}", "the formula is empty"),
        ("features: {f: {formula: days + 1, evidence: hearsay}}", "has no provenance tag"),
    ],
)
def test_a_block_of_formulas_says_what_is_wrong_with_it(tmp_path, block, says):
    text = COLUMNS.rpartition("---")[0] + f"---\ndimension: acts\n{block}\n"
    (tmp_path / "acts.yml").write_text(text, encoding="utf-8")
    with pytest.raises(RiskmlError) as error:
        load_catalogue(tmp_path)
    assert says in str(error.value)


def test_a_formula_over_what_is_unsound_itself_adds_no_second_fault(tmp_path):
    text = (
        COLUMNS.replace("aggregate: days_since}", "aggregate: days_sinse}") + '  f: {formula: "days > 1"}\n'
    )
    (tmp_path / "acts.yml").write_text(text, encoding="utf-8")
    with pytest.raises(RiskmlError) as error:
        load_catalogue(tmp_path)
    assert 'unknown aggregate "days_sinse"' in str(error.value)
    assert "of the matrix" not in str(error.value)


def test_the_columns_that_a_formula_gives():
    (column,) = one("strangulation = 'present' and days < 2").feature("f").columns
    assert (column.name, column.kind, column.window, column.values) == ("f", "number", None, None)


def test_a_formula_decides_the_hash_and_a_document_gives_it_again():
    first, same, other = (one(text) for text in ("days < 2", " (days  <2)", "days < 3"))
    assert first.hash == same.hash != other.hash
    assert first.feature("f").formula == '("days" < 2)'
    document = first.to_document()
    assert Catalogue.from_document(document).hash == first.hash
    for formula, says in (
        ("days < 3", "changed after"),
        ("days < (select 1)", "not sound"),
        ("x < 1", "sound"),
    ):
        document["features"][-1]["formula"] = formula
        with pytest.raises(RiskmlError, match=says):
            Catalogue.from_document(document)


def test_a_part_of_a_catalogue_holds_what_its_formulas_name():
    whole = catalogue(f="days < 2 and incidents_90d > 1", g="days > 1")
    assert [f.name for f in whole.part("f").features] == ["incidents", "days", "f"]
    assert [f.name for f in whole.part("incidents_90d").features] == ["incidents"]
    assert set(whole.part("f").tables_read) == {"cases", "incidents"}
    with pytest.raises(RiskmlError, match="Did you mean"):
        whole.part("incidents_9d")


def test_formulas_follow_an_edited_matrix_and_stand_in_the_catalogues_order():
    whole = catalogue(f="incidents_90d + 1", g="days < 2")
    matrix = with_formulas(MATRIX, whole)
    assert list(matrix.columns) == [column.name for column in whole.columns]
    edited = matrix.assign(incidents_90d=10.0, days=1.0, note="kept")
    followed = with_formulas(edited, whole)
    assert followed["f"].tolist() == [11.0] * 4
    assert followed["g"].tolist() == [1.0] * 4
    assert followed["note"].tolist() == ["kept"] * 4
    assert edited["f"].tolist() == matrix["f"].tolist()  # what was given is as it was
    assert with_formulas(matrix.head(0), whole).shape == (0, len(whole.columns))
    with pytest.raises(RiskmlError, match="columns that are not there: days"):
        with_formulas(matrix.drop(columns="days"), whole)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("days < 2", True),
        ("strangulation is null or days > 1", True),
        ("case when days < 2 then 1 else 0 end", True),
        ("coalesce(days < 2, false)", True),
        ("case when days < 2 then 2 else 0 end", False),
        ("incidents_90d / incidents_90d_365d", False),
        ("coalesce(days, 0)", False),
    ],
)
def test_formulas_that_answer_yes_or_no_are_told_from_numbers(text, expected):
    assert says_whether(one(text).feature("f")) is expected


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 400), st.integers(0, 10**6))
def test_every_row_keeps_its_place_in_however_many_pieces(rows, seed):
    from riskml.features import formulas

    rng = np.random.default_rng(seed)
    days = np.where(rng.random(rows) < 0.2, NAN, rng.integers(0, 50, rows).astype(float))
    matrix = pd.concat([MATRIX.iloc[[0]]] * rows, ignore_index=True).assign(days=days)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formulas, "_SLICE", 37)
        found = with_formulas(matrix, one("days * 2 + 1"))["f"]
    np.testing.assert_array_equal(found, days * 2 + 1)
