"""Masks stand in the order of the rows, however many and however they are stored."""

import numpy as np
import pyarrow as pa

from riskml.features.conditions import condition_masks


def test_masks_keep_the_order_of_a_long_table_in_pieces():
    severity = np.arange(400_000) % 7
    table = pa.concat_tables([pa.table({"severity": piece}) for piece in np.array_split(severity, 3)])
    for _ in range(5):
        np.testing.assert_array_equal(condition_masks(table, ["severity >= 3"])[0], severity >= 3)
