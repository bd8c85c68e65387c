"""YAML files read with the line of every value, so that an error can say where it is."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from riskml.errors import RiskmlError

__all__ = ["Document", "read_documents"]


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
    loader, documents = yaml.SafeLoader(text), []
    try:
        while loader.check_node():
            walk = _Walk(loader)
            value = walk.value(loader.get_node())
            documents.append(Document(value, walk.lines, tuple(walk.repeated)))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise RiskmlError(
            f"not valid YAML: {getattr(error, 'problem', None) or error}", where=where
        ) from None
    finally:
        loader.dispose()
    return documents
