"""The content hash: what a table says, whatever file holds it and however its rows were cut into batches."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ContentHash", "combined_hash"]

_DECIMALS = 9


class ContentHash:
    """The running hash of a table whose rows arrive in order, in batches of any size.

    Each column is hashed on its own: which values are null, the lengths of its texts, and the values.

    Parameters
    ----------
    schema : pyarrow.Schema    of strings, integers, timestamps in microseconds, and floats (to nine decimals)
    """

    def __init__(self, schema):
        self._streams = {f.name: (str(f.type), [hashlib.sha256() for _ in range(3)]) for f in schema}
        self.rows = 0

    def update(self, batch):
        """Take in a pyarrow.RecordBatch."""
        self.rows += batch.num_rows
        for name, (_, (nulls, lengths, values)) in self._streams.items():
            column = batch.column(name)
            nulls.update(column.is_null().cast(pa.uint8()).to_numpy(zero_copy_only=False).tobytes())
            if pa.types.is_string(column.type):
                column = pc.fill_null(column, "")
                lengths.update(
                    pc.binary_length(column).to_numpy(zero_copy_only=False).astype("<i4").tobytes()
                )
                values.update(_text_bytes(column))
            elif pa.types.is_floating(column.type):
                # What differs by the order of a sum is not a difference.
                rounded = np.round(pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False), _DECIMALS) + 0.0
                values.update(rounded.astype("<f8").tobytes())
            else:
                whole = pc.fill_null(column.cast(pa.int64()), 0)
                values.update(whole.to_numpy(zero_copy_only=False).astype("<i8").tobytes())

    def summary(self):
        """What identifies the content: dict of rows and, by column, type and digest."""
        columns = {
            name: [kind, hashlib.sha256(b"".join(s.digest() for s in streams)).hexdigest()]
            for name, (kind, streams) in self._streams.items()
        }
        return {"rows": self.rows, "columns": columns}


def _text_bytes(column):
    """The bytes of an Arrow string array without nulls, end to end."""
    _, offsets, data = column.buffers()
    if data is None or not len(column):
        return b""
    ends = np.frombuffer(offsets, "<i4")
    return memoryview(data)[ends[column.offset] : ends[column.offset + len(column)]]


def combined_hash(document):
    """Hash of a JSON document, whatever the order of its keys: 64 hexadecimal characters."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
