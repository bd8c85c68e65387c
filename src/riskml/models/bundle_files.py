"""A bundle as files: canonical JSON and text, each with its hash, written whole and read back unchanged."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from riskml.errors import RiskmlError

__all__ = [
    "CATALOGUE",
    "MAIN",
    "REPORT",
    "RETRAIN",
    "Bundle",
    "json_text",
    "parsed",
    "read_bundle",
    "sealed",
    "unreadable",
]

MAIN = "bundle.json"
CATALOGUE = "catalogue.json"
REPORT = "report.json"
LARGEST_FILE = 200_000_000
RETRAIN = "The bundle is damaged, incomplete or foreign: copy it again, or train the model again."


def json_text(document):
    """Canonical JSON text: the same content always gives the same bytes."""
    return (
        json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        + "\n"
    )


def _digest(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sealed(main, files):
    """A bundle's files with the main one last, which holds the hash of each other and of itself.

    Parameters
    ----------
    main : dict                    what the bundle's main file says
    files : dict of name -> text   the others

    Returns
    -------
    dict of name -> text
    """
    main = {**main, "files": {name: _digest(text) for name, text in sorted(files.items())}}
    # The version names the content, so that a change anywhere in the bundle is a change of this digest.
    main["content"] = _digest(json_text(main))
    return {**files, MAIN: json_text(main)}


class Bundle:
    """What every bundle has: a version that names its content, and its files, given by `_files`."""

    @property
    def digests(self):
        """sha256 of each of the bundle's files: dict of file name -> 64 hexadecimal digits."""
        return {name: _digest(text) for name, text in sorted(self._files.items())}

    @property
    def version(self):
        """First 16 hexadecimal digits of the content's hash, str."""
        return json.loads(self._files[MAIN])["content"][:16]

    def save(self, folder):
        """Write the bundle; whoever looks sees all of it or none.

        Parameters
        ----------
        folder : path    of the bundle itself; an earlier bundle there is replaced

        Returns
        -------
        Path of the folder

        Raises
        ------
        RiskmlError    the folder cannot be written, or holds something that is no bundle
        """
        folder = Path(folder)
        if (
            folder.exists()
            and not (folder / MAIN).is_file()
            and (not folder.is_dir() or any(folder.iterdir()))
        ):
            raise RiskmlError(
                "holds something that is no bundle", where=str(folder), mend="Name another folder."
            )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        except OSError as error:
            raise _unwritable(folder, error) from None
        try:
            for name, text in self._files.items():
                with open(made / name, "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
            made.chmod(0o755)
            if folder.exists():
                aside = made.with_name(made.name + ".old")
                folder.rename(aside)
                made.rename(folder)
                shutil.rmtree(aside)
            else:
                made.rename(folder)
        except OSError as error:
            shutil.rmtree(made, ignore_errors=True)
            raise _unwritable(folder, error) from None
        return folder


def read_bundle(folder, formats):
    """Read a bundle's files, each checked against its hash; nothing in them executes.

    Parameters
    ----------
    folder : path of a bundle
    formats : tuple of str    formats that this version of riskml reads

    Returns
    -------
    main : dict                    of the main file
    files : dict of name -> text   the others

    Raises
    ------
    RiskmlError    no bundle there, a file missing, changed or foreign, or a format of another version
    """
    folder = Path(folder)
    if not (folder / MAIN).is_file():
        raise RiskmlError("no bundle here", where=str(folder), mend="`riskml train NAME` makes one.")
    main = parsed(_read(folder, MAIN), folder / MAIN)
    if main.get("format") not in formats:
        raise RiskmlError(
            f'format "{str(main.get("format"))[:40]}" instead of "{formats[0]}"',
            where=str(folder / MAIN),
            mend="Load it with the version of riskml that trained it, or train the model again.",
        )
    content = main.pop("content", None)
    if _digest(json_text(main)) != content:
        raise RiskmlError("changed after it was written", where=str(folder / MAIN), mend=RETRAIN)
    foreign = sorted({f.name for f in folder.iterdir()} - {MAIN, *main["files"]})
    if foreign:
        raise RiskmlError(
            f"holds files that are not part of the bundle: {', '.join(foreign)[:200]}",
            where=str(folder),
            mend="Remove them; a bundle holds what its bundle.json lists and nothing else.",
        )
    files = {}
    for name, digest in main["files"].items():
        if not (folder / name).is_file() or Path(name).name != name:
            raise RiskmlError(f"{name} is missing", where=str(folder), mend=RETRAIN)
        files[name] = _read(folder, name)
        if _digest(files[name]) != digest:
            raise RiskmlError("changed after it was written", where=str(folder / name), mend=RETRAIN)
    return main, files


def unreadable(error, folder):
    """What is said of files that are sound and hold no bundle: RiskmlError, to be raised."""
    return RiskmlError(
        f"not a bundle that riskml wrote ({type(error).__name__}: {error})", where=str(folder), mend=RETRAIN
    )


def _unwritable(folder, error):
    return RiskmlError(
        f"cannot be written ({error.strerror or type(error).__name__})",
        where=str(folder),
        mend="Nothing was changed. Check the disk's space and the folder's permissions.",
    )


def _read(folder, name):
    path = folder / name
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise RiskmlError("too large for a bundle", where=str(path), mend=RETRAIN)
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise RiskmlError(f"cannot be read ({error.strerror})", where=str(path), mend=RETRAIN) from None
    except UnicodeDecodeError:
        raise RiskmlError("not text", where=str(path), mend=RETRAIN) from None


def parsed(text, path):
    """A bundle's JSON text as a dict; RiskmlError where it is none."""
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise RiskmlError("not valid JSON", where=str(path), mend=RETRAIN) from None
    if not isinstance(document, dict):
        raise RiskmlError("not a bundle that riskml wrote", where=str(path), mend=RETRAIN)
    return document
