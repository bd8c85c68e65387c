"""YAML files read with the line of every value, so that an error can say where it is."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from riskml.errors import RiskmlError

__all__ = ["COMPILED", "Document", "read_documents"]

# PyYAML's safe loader, compiled where PyYAML has it: every command waits for the agency's files.
COMPILED = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 100  # nesting beyond which the compiled loader, which may crash, is not tried


@dataclass(frozen=True)
class Document:
    """One YAML document.

    Attributes
    ----------
    value : object        what `yaml.safe_load` gives
    lines : dict          path (tuple of keys and positions) -> line in the file, counted from 1
    repeated : tuple      (line, key) of every key that stands twice in one mapping
    """

    value: object
    lines: dict = field(default_factory=dict)
    repeated: tuple = ()

    def line(self, *path):
        """Line of a value, or of the nearest thing around it, int."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Walk:
    """Turns composed nodes into plain values and notes the lines on the way."""

    def __init__(self, loader):
        self.loader, self.lines, self.repeated, self.seen = loader, {}, [], set()

    def value(self, node, path=()):
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self.loader.construct_object(node)
        if id(node) in self.seen:  # an alias: what it repeats has to stand where it is used
            raise yaml.YAMLError(
                f"line {node.start_mark.line + 1}: anchors and aliases are not used here; write it out"
            )
        self.seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        mapping = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.YAMLError(f"line {line}: a key has to be a word")
            if key in mapping:
                self.repeated.append((line, key))
            self.lines[(*path, key)] = line
            mapping[key] = self.value(value_node, (*path, key))
        return mapping


def read_documents(path):
    """Read every document of a YAML file. Keys are read as text.

    Parameters
    ----------
    path : path of a YAML file

    Returns
    -------
    list of Document

    Raises
    ------
    RiskmlError    the file cannot be read, is not YAML in UTF-8, or uses anchors or tags
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise RiskmlError(f"cannot be read: {reason}", where=str(path)) from None
    try:
        if not _nests_deeply(text):
            return _documents(COMPILED, text)
    except (yaml.YAMLError, ValueError):
        pass  # the other loader says what is wrong, and where, in one wording on every machine
    try:
        return _documents(yaml.SafeLoader, text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise RiskmlError(
            f"not valid YAML: {getattr(error, 'problem', None) or error}", where=where
        ) from None


def _nests_deeply(text):
    """Whether a text may hold one thing inside another many times over; too often rather than too seldom."""
    depth, deepest = 0, 0
    for mark in re.findall(r"[\[{\]}]", text):
        depth = max(0, depth + (1 if mark in "[{" else -1))
        deepest = max(deepest, depth)
    widest = max((len(found[0]) for found in re.finditer(r"^[ \-?:]+", text, re.MULTILINE)), default=0)
    return max(deepest, widest) > _DEEPEST


def _documents(kind, text):
    loader, documents = kind(text), []
    try:
        while loader.check_node():
            walk = _Walk(loader)
            value = walk.value(loader.get_node())
            documents.append(Document(value, walk.lines, tuple(walk.repeated)))
    finally:
        loader.dispose()
    return documents
