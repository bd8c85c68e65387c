"""Sentences of a validation document, in every language."""

from riskml.messages import LANGUAGES, in_every_language
from riskml.validation.forecast import NotEstimable

__all__ = ["in_words", "missing"]


def in_words(key, **fields):
    """A message of `validated` in every language: dict of language -> str."""
    return in_every_language(f"validated.{key}", **fields)


def missing(reason, **fields):
    """A part of the document that cannot be given: {"missing": words by language}.

    Parameters
    ----------
    reason : NotEstimable, or name of a message of `validated`
    fields : what stands in the message's braces
    """
    if isinstance(reason, NotEstimable):
        return {"missing": {language: reason.words(language) for language in LANGUAGES}}
    return {"missing": in_words(reason, **fields)}
