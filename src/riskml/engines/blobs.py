"""Rows as bytes: how they wait on disk and travel between processes, exactly as they are."""

import pyarrow as pa

__all__ = ["packed", "unpacked"]

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def packed(table):
    """A table as bytes of an Arrow stream, compressed."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def unpacked(data):
    """The table of `packed`: pyarrow.Table."""
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all()
