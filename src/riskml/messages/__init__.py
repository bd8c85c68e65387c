"""The one catalogue of what analysts read: every sentence in Spanish and in English, side by side.

The files under `messages/catalogue/` are one catalogue, a file for each room of the house; a key is
`<file>.<name>`. Each entry is `{es: ..., en: ...}` with named fields in braces (`{count}`); an entry may be
split by number (`{es: {one: ..., other: ...}, en: {...}}`), chosen by the field `count`.
"""

from functools import cache
from importlib.resources import files

import yaml

from riskml.documents import COMPILED
from riskml.errors import RiskmlError

__all__ = ["LANGUAGES", "all_messages", "check_language", "in_every_language", "message"]

LANGUAGES = ("es", "en")


@cache
def all_messages():
    """Every message by its key: dict of `<file>.<name>` -> {language: text or {one, other}}."""
    catalogue = {}
    folder = files("riskml.messages") / "catalogue"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yml"):
            room = file.name.removesuffix(".yml")
            for name, entry in (yaml.load(file.read_text(encoding="utf-8"), COMPILED) or {}).items():
                catalogue[f"{room}.{name}"] = entry
    return catalogue


def check_language(language):
    """Return the language, or raise RiskmlError when the catalogue does not speak it."""
    if language not in LANGUAGES:
        raise RiskmlError(
            f'unknown language "{language}"', where="language", mend='Use "es" (Spanish) or "en" (English).'
        )
    return language


def message(key, language="es", **fields):
    """One sentence of the catalogue, filled in.

    Parameters
    ----------
    key : str         `<file>.<name>`
    language : str    "es" or "en"
    fields            what stands in the braces; `count` also chooses between one and other

    Returns
    -------
    str

    Raises
    ------
    RiskmlError    unknown language
    KeyError       no such message: a defect of the program, not of its input
    """
    text = all_messages()[key][check_language(language)]
    if isinstance(text, dict):
        text = text["one" if fields.get("count") == 1 else "other"]
    return text.format(**fields)


def in_every_language(key, /, **fields):
    """One sentence of the catalogue, filled in, in every language: dict of language -> str."""
    return {language: message(key, language, **fields) for language in LANGUAGES}
