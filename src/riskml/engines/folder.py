"""A folder of Parquet files, one for each part, that is there whole or not at all."""

import json
import os
import shutil
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from riskml.errors import RiskmlError

__all__ = ["MANIFEST", "WriteTask", "Written", "finished", "staged"]

MANIFEST = "_manifest.json"  # readers of Parquet folders pass over names that begin so
_ROW_GROUP = 131_072
RECEIPT = pa.schema([("file", pa.string()), ("rows", pa.int64()), ("bytes", pa.int64())])


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    folder : Path
    manifest : dict    what was built, of which history and with what; the files and their rows
    """

    folder: Path
    manifest: dict = field(repr=False)

    @property
    def rows(self):
        """Number of assessments, int."""
        return self.manifest["rows"]

    @property
    def parts(self):
        """Number of files, int."""
        return len(self.manifest["files"])


@dataclass(frozen=True)
class WriteTask:
    """Another task's table written to a file of its own; gives the receipt.

    A part that is worked on twice (a lost worker) gives two files, and the one without a receipt goes.

    Attributes
    ----------
    task : callable of the part's tables -> pyarrow.Table, with a `schema`
    folder : str    that every worker reaches under this name
    """

    task: object
    folder: str

    schema = RECEIPT

    def __call__(self, tables):
        """Work on one part and write it: pyarrow.Table of one receipt, or of none where it has no rows."""
        table = self.task(tables)
        if not table.num_rows:
            return RECEIPT.empty_table()
        name = f"part-{uuid.uuid4().hex}.parquet"
        path = Path(self.folder) / name
        numbers = [f.name for f in table.schema if pa.types.is_floating(f.type)]
        others = [f.name for f in table.schema if f.name not in numbers]
        pq.write_table(
            table,
            path,
            row_group_size=_ROW_GROUP,
            compression="zstd",
            compression_level=1,
            use_dictionary=others,
            use_byte_stream_split=numbers,
        )
        receipt = [[name], [table.num_rows], [path.stat().st_size]]
        return pa.table([pa.array(v, f.type) for v, f in zip(receipt, RECEIPT, strict=True)], schema=RECEIPT)


@contextmanager
def staged(folder):
    """A new folder beside the one that is wanted, which takes its name when the block ends well.

    Parameters
    ----------
    folder : path    nothing stands there, or a folder that riskml wrote, which is replaced at the end

    Yields
    ------
    Path    of the folder to write into; its name begins with a dot, and it goes when the block fails

    Raises
    ------
    RiskmlError    something else stands there, or nothing can be written there
    """
    folder = Path(folder).absolute()
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise RiskmlError(
            "there is something that riskml did not write",
            where=str(folder),
            mend="Name a folder that does not exist; nothing was written.",
        )
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise RiskmlError(
            f"cannot be written ({error.strerror})",
            where=str(folder),
            mend="Check that the folder above it exists, its permissions, and the disk's space.",
        ) from None
    try:
        yield made
        made.chmod(0o755)
        _take_place(made, folder)
    except OSError as error:
        raise RiskmlError(
            f"cannot be written ({error.strerror or type(error).__name__})",
            where=str(folder),
            mend="Nothing was changed. Check the disk's space and the folder's permissions.",
        ) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _take_place(made, folder):
    if folder.exists():
        aside = made.with_name(made.name + ".old")
        folder.rename(aside)
        made.rename(folder)
        shutil.rmtree(aside)
    else:
        made.rename(folder)


def finished(folder, staging, receipts, about):
    """Keep the files with a receipt, under plain names, and write the manifest last.

    Parameters
    ----------
    folder : path          the final one
    staging : Path         of `staged`
    receipts : iterable of (part, pyarrow.Table of receipts)
    about : dict           what else the manifest says

    Returns
    -------
    Written
    """
    kept = []
    for part, receipt in sorted(receipts, key=lambda pair: pair[0]):
        for line in receipt.to_pylist():
            name = f"part-{part:05d}.parquet"
            os.replace(staging / line["file"], staging / name)
            kept.append({**line, "file": name})
    for path in staging.iterdir():
        if path.name not in {line["file"] for line in kept}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    manifest = {**about, "rows": sum(line["rows"] for line in kept), "files": kept}
    with open(staging / MANIFEST, "w", encoding="utf-8", newline="\n") as file:
        json.dump(manifest, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    return Written(Path(folder).absolute(), manifest)
