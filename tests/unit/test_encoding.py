import json

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.models.encoding import Encoding, SourceColumn, infer_columns


@pytest.fixture
def matrix():
    return pd.DataFrame(
        {
            "count": [0.0, 1.0, np.nan, 3.0] * 15,
            "level": ["low", "critical", None, "high"] * 15,
            "relationship": ["partner"] * 30 + ["son"] * 25 + ["rare"] * 3 + [None] * 2,
            "same": 1.0,
        }
    )


COLUMNS = (
    SourceColumn("count", "number", (), "increasing"),
    SourceColumn("level", "ordered", ("low", "medium", "high", "critical"), "increasing"),
    SourceColumn("relationship", "category"),
    SourceColumn("same", "number"),
)


def test_numbers_stay_codes_become_ranks_and_categories_indicators(matrix):
    encoding = Encoding.fit(matrix, COLUMNS)
    design = encoding.design(matrix)
    assert encoding.names == (
        "count",
        "level",
        "relationship=partner",
        "relationship=son",
        "relationship:other",
        "relationship:missing",
    )
    assert encoding.constant == ("same",)
    np.testing.assert_array_equal(design[:4, 0], [0, 1, np.nan, 3])
    np.testing.assert_array_equal(design[:4, 1], [0, 3, np.nan, 2])
    assert design[:, 2:].sum(axis=1).tolist() == [1.0] * 60
    assert design[:, 4].sum() == 3
    assert design[:, 5].sum() == 2
    assert encoding.directions == (1, 1, 0, 0, 0, 0)


def test_every_design_column_knows_its_feature(matrix):
    encoding = Encoding.fit(matrix, COLUMNS)
    values = np.arange(6, dtype=float)
    summed = np.zeros(4)
    np.add.at(summed, encoding.source_positions, values)
    assert summed.tolist() == [0, 1, 2 + 3 + 4 + 5, 0]


def test_a_category_unseen_in_training_counts_as_other(matrix):
    encoding = Encoding.fit(matrix, COLUMNS)
    new = matrix.head(1).assign(relationship="neighbour")
    assert encoding.design(new)[0, 2:].tolist() == [0, 0, 1, 0]


def test_it_survives_json(matrix):
    encoding = Encoding.fit(matrix, COLUMNS)
    again = Encoding.from_document(json.loads(json.dumps(encoding.to_document())))
    assert again == encoding
    np.testing.assert_array_equal(again.design(matrix), encoding.design(matrix))


def test_the_order_and_further_columns_of_a_matrix_do_not_matter(matrix):
    encoding = Encoding.fit(matrix, COLUMNS)
    shuffled = matrix.assign(extra="x")[["extra", "same", "relationship", "level", "count"]]
    np.testing.assert_array_equal(encoding.design(shuffled), encoding.design(matrix))


def test_missing_columns_are_all_named(matrix):
    encoding = Encoding.fit(matrix, COLUMNS)
    with pytest.raises(RiskmlError, match="missing columns: count, level"):
        encoding.design(matrix[["relationship", "same"]])


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("count", "many", "trained on numbers"),
        ("count", np.inf, "infinite"),
        ("level", "extreme", "1 values outside"),
        ("relationship", 3.5, "trained on categories"),
    ],
)
def test_other_types_are_refused(matrix, column, values, words):
    encoding = Encoding.fit(matrix, COLUMNS)
    new = matrix.head(1).copy()
    new[column] = pd.Series([values])
    with pytest.raises(RiskmlError, match=words):
        encoding.design(new)


def test_anyones_frame_is_read_by_its_types():
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "flag": [True, False],
            "nullable": pd.array([1, None], dtype="Int64"),
            "word": ["a", "b"],
            "unordered": pd.Categorical([1, 2]),
            "ranked": pd.Categorical(["lo", "hi"], categories=["lo", "hi"], ordered=True),
        }
    )
    kinds = {c.name: c.kind for c in infer_columns(frame)}
    assert kinds == {
        "n": "number",
        "flag": "number",
        "nullable": "number",
        "word": "category",
        "unordered": "category",
        "ranked": "ordered",
    }
    design = Encoding.fit(frame, infer_columns(frame), minimum_cases=1).design(frame)
    assert design.shape == (2, 8)
    with pytest.raises(RiskmlError, match="Turn times into a number"):
        infer_columns(pd.DataFrame({"when": pd.to_datetime(["2020-01-01"])}))
    with pytest.raises(RiskmlError, match="twice"):
        infer_columns(pd.DataFrame([[1, 2]], columns=["a", "a"]))
