"""Folders that hold finished things by name, and a file that says which was made last."""

import os
import tempfile

__all__ = ["begun_with", "kept", "latest", "point_latest"]

_LATEST = "latest"


def point_latest(folder, name):
    """Make `folder/latest` name what was made last, in one step: a reader sees the old or the new."""
    handle, path = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(name + "\n")
    os.replace(path, folder / _LATEST)


def latest(folder):
    """The name of what was made last in a folder: str, or None where nothing was."""
    pointer = folder / _LATEST
    return pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else None


def kept(folder):
    """The finished folders below one, by name; those that begin with a dot are still being written."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def begun_with(folder, name):
    """The finished folders whose name begins so, of which an empty one is none: list of Path."""
    return [path for path in kept(folder) if name and path.name.startswith(name)]
