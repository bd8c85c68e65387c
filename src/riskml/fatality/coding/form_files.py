"""Files that people fill in: written without ever replacing one of theirs."""

import os
import tempfile
from pathlib import Path

from riskml.errors import RiskmlError

__all__ = ["place_beside", "write_new"]


def write_new(path, write):
    """Write a file, unless another stands there; what is there already to the byte is left as it is.

    Parameters
    ----------
    path : path
    write : callable    path -> path that was written

    Returns
    -------
    Path

    Raises
    ------
    RiskmlError    somebody's file stands there
    """
    path = Path(path)
    made = _made(write, path.with_name(f".{os.getpid()}-{path.name}"))
    try:
        try:
            _claim(made, path)
        except FileExistsError:
            if path.read_bytes() != made.read_bytes():
                raise RiskmlError(
                    "a file stands here that may have been filled in",
                    where=str(path),
                    mend="Name another folder with --out, or move the file away.",
                ) from None
    finally:
        made.unlink()
    return path


def place_beside(folder, name, write):
    """Write a workbook under the first free name, readable by its owner alone; a file that is there stays.

    Parameters
    ----------
    folder : path
    name : str           `rejected` gives rejected.xlsx, rejected-2.xlsx and so on
    write : callable     path -> path that was written, or None where there was nothing to write

    Returns
    -------
    Path or None    a file that holds the very same already is not written again
    """
    folder = Path(folder)
    made = _made(write, folder / f".{name}-{os.getpid()}.xlsx")
    if made is None:
        return None
    try:
        os.chmod(made, 0o600)
        content, number = made.read_bytes(), 1
        while True:
            target = folder / (f"{name}.xlsx" if number == 1 else f"{name}-{number}.xlsx")
            if target.exists() and target.read_bytes() == content:
                return target
            try:
                _claim(made, target)
            except FileExistsError:
                number += 1
                continue
            return target
    finally:
        made.unlink()


def _made(write, path):
    """What was written, or an error where the folder does not take it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass  # told before a workbook is begun, which could not be put away unfinished
        return write(path)
    except OSError as error:
        raise RiskmlError(
            f"cannot write here: {error.strerror or type(error).__name__}",
            where=str(path.parent),
            mend="Use a folder that you may write to.",
        ) from None


def _claim(made, target):
    """Put a file at a place where none stands, or raise FileExistsError."""
    try:
        os.link(made, target)
    except FileExistsError:
        raise
    except OSError:  # a folder whose file system has no links, such as a shared drive
        with open(target, "xb") as file:
            file.write(made.read_bytes())
