"""Masks stand in the order of the rows, however many and however they are stored."""

import numpy as np
import pyarrow as pa

from riskml.features.masks import condition_masks


def test_masks_keep_the_order_of_a_long_table_in_pieces():
    severity = np.arange(400_000) % 7
    table = pa.concat_tables([pa.table({"severity": piece}) for piece in np.array_split(severity, 3)])
    for _ in range(5):
        np.testing.assert_array_equal(condition_masks(table, ["severity >= 3"])[0], severity >= 3)


def test_masks_keep_the_order_of_the_rows_when_a_condition_lists_many_codes():
    """A long IN list becomes a join in the database, and a join gives rows back in an order of its own."""
    rng = np.random.default_rng(0)
    codes = np.array([f"factor_{i}" for i in range(40)])
    pieces = [rng.integers(0, 40, n) for n in (70, 70, 1, 70, 1)]
    table = pa.concat_tables([pa.table({"factor": codes[piece]}) for piece in pieces])
    listed = codes[:8]
    (mask,) = condition_masks(table, [f"factor in ({', '.join(repr(str(c)) for c in listed)})"])
    np.testing.assert_array_equal(mask, np.isin(codes[np.concatenate(pieces)], listed))
