"""Parts of a validation document: what is there, and why something is not."""

from riskml.messages import message

__all__ = ["missing_words", "part"]


def _is_missing(value):
    return isinstance(value, dict) and "missing" in value


def part(document, *path):
    """What stands at a path of keys, or None where it is missing, empty, or was not estimable.

    Parameters
    ----------
    document : dict    a validation document, a training report, or a part of one
    path : str         keys from the outside in
    """
    found = document
    for key in path:
        if not isinstance(found, dict) or _is_missing(found):
            return None
        found = found.get(key)
    if _is_missing(found) or found in (None, {}, [], ""):
        return None
    return found


def missing_words(document, *path, language="es"):
    """Why nothing stands at a path: the document's own reason, or that the part was not computed.

    Parameters
    ----------
    document : dict
    path : str
    language : str

    Returns
    -------
    str
    """
    found = document
    for key in path:
        if _is_missing(found):
            break
        found = found.get(key) if isinstance(found, dict) else None
    if _is_missing(found):
        return found["missing"][language]
    return message("model_review.not_in_document", language)
