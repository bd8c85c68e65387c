"""Masks stand in the order of the rows, however many and however they are stored."""

import numpy as np
import pyarrow as pa

from riskml.features.conditions import condition_masks


def test_masks_keep_the_order_of_a_long_table_in_pieces():
    severity = np.arange(400_000) % 7
    table = pa.concat_tables([pa.table({"severity": piece}) for piece in np.array_split(severity, 3)])
    for _ in range(5):
        np.testing.assert_array_equal(condition_masks(table, ["severity >= 3"])[0], severity >= 3)


def test_masks_keep_the_order_of_a_table_in_small_uneven_pieces():
    rng = np.random.default_rng(0)
    codes = np.array([f"factor_{i}" for i in range(40)])
    pieces = [rng.integers(0, 40, n) for n in (70, 70, 1, 70, 1, 0, 3, 70, 1)]
    table = pa.concat_tables([pa.table({"factor": codes[piece]}) for piece in pieces])
    seen = codes[np.concatenate(pieces)]
    # Many conditions at once: with few, the pieces happen to come back in order.
    for mask, code in zip(condition_masks(table, [f"factor = '{c}'" for c in codes]), codes, strict=True):
        np.testing.assert_array_equal(mask, seen == code)
