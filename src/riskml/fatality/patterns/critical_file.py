"""`models/critical.yml` written as a new version: in one step, checked, with the former version kept."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import yaml
from pydantic import ValidationError

from riskml.errors import RiskmlError
from riskml.models.critical import CriticalFile, load_critical, read_critical
from riskml.parts import problem_words

__all__ = ["VERSIONS", "kept_versions", "read_document", "written"]

VERSIONS = "critical_versions"  # folder beside the file, with every former version as it was
_LINES = ("evidence", "approved_by")  # of a pattern: a line for each entry


def read_document(path):
    """The file as plain values, and the bytes that they were read from: dict, bytes.

    Raises
    ------
    RiskmlError    no file, or what `load_critical` raises
    """
    path = Path(path)
    if not path.is_file():
        raise RiskmlError(
            "there is no file of critical patterns",
            where=str(path),
            mend="`riskml init` makes a workspace with one.",
        )
    content = path.read_bytes()
    return _plain(read_critical(path)), content


def _plain(file):
    document = file.model_dump(mode="json", exclude_none=True)
    for pattern in document["patterns"].values():
        for name in [name for name, value in pattern.items() if value == []]:
            del pattern[name]
    return document


def written(path, document, change, *, read, catalogue):
    """Write the next version of the file.

    Parameters
    ----------
    path : path of `models/critical.yml`
    document : dict          as `read_document` gave it, with patterns changed
    change : dict            of the change log: date, by, change
    read : bytes             what the document was read from
    catalogue : Catalogue    the patterns have to load with it

    Returns
    -------
    CriticalPatterns    as they stand now

    Raises
    ------
    RiskmlError    the file would not load, or somebody changed it in the meantime; it is as it was then

    Notes
    -----
    The new file is written and loaded beside the old one and takes its place in one step. The comments at the
    head stay; the former version is kept whole under `critical_versions/`.
    """
    path = Path(path)
    version = document["version"] + 1
    document = document | {
        "version": version,
        "changes": [*document.get("changes", []), {"version": version, **change}],
    }
    try:
        document = _plain(CriticalFile.model_validate(document))
    except ValidationError as error:
        raise RiskmlError(
            problem_words(error.errors()[0])[1], where=f"{path.parent.name}/{path.name}"
        ) from None
    aside = Path(tempfile.mkdtemp(prefix=".", dir=path.parent))
    try:
        new = aside / path.name
        new.write_text(_head(read) + _text(document), encoding="utf-8")
        shutil.copymode(path, new)
        patterns = load_critical(new, catalogue=catalogue)
        if path.read_bytes() != read:
            raise RiskmlError(
                "the file was changed by somebody else meanwhile; nothing was written",
                where=f"{path.parent.name}/{path.name}",
                mend="Give the command again: it reads the file as it is now.",
            )
        _keep(path, version - 1, read)
        os.replace(new, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return patterns


def kept_versions(path):
    """Former versions of the file that were kept, by name: list of Path."""
    return sorted((Path(path).parent / VERSIONS).glob("*.yml"), key=lambda p: int(p.name.split("-")[0]))


def _keep(path, version, content):
    folder = path.parent / VERSIONS
    folder.mkdir(exist_ok=True)
    kept = folder / f"{version}-{hashlib.sha256(content).hexdigest()[:12]}.yml"
    if kept.is_file():
        return
    handle, partial = tempfile.mkstemp(prefix=".", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(partial, kept)
    finally:
        Path(partial).unlink(missing_ok=True)


def _head(content):
    """The comments at the head of a file, with the empty lines among them: str."""
    lines = content.decode("utf-8").splitlines()
    end = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    return "".join(f"{line}\n" for line in lines[:end])


def _flow(value):
    """A value on one line of YAML: str."""
    listed = yaml.safe_dump(
        [value], default_flow_style=True, allow_unicode=True, sort_keys=False, width=float("inf")
    )
    return listed.strip()[1:-1]


def _text(document):
    lines = [f"version: {document['version']}", "", "patterns:" if document["patterns"] else "patterns: {}"]
    for name, pattern in document["patterns"].items():
        lines.append(f"  {_flow(name)}:")
        for key, value in pattern.items():
            if key in _LINES:
                lines += [f"    {key}:", *(f"      - {_flow(entry)}" for entry in value)]
            else:
                lines.append(f"    {key}: {_flow(value)}")
    lines += ["", "changes:", *(f"  - {_flow(entry)}" for entry in document["changes"])]
    return "\n".join(lines) + "\n"
