"""The agency's files as pydantic reads them: every problem with its line, key and the nearest known word."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)

from riskml.documents import read_documents
from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES
from riskml.vocabulary import RELATIONSHIPS, did_you_mean

__all__ = ["Line", "Part", "Relationship", "Words", "known_word", "problem_words", "read_part"]


def known_word(word, known):
    """The word; ValueError with the nearest known one where it is none of them."""
    if word not in known:
        near = did_you_mean(word, known) or f"Known: {', '.join(known)}."
        raise ValueError(f'"{word}" is not known here. {near}')
    return word


def _both_languages(words):
    """The words; ValueError unless they are said in Spanish and in English."""
    if not isinstance(words, dict) or set(words) != set(LANGUAGES):
        raise ValueError("needs words in es and in en")
    if not all(isinstance(text, str) and text.strip() for text in words.values()):
        raise ValueError("needs words in es and in en, neither empty")
    return {language: words[language].strip() for language in LANGUAGES}


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Words = Annotated[dict[str, str], BeforeValidator(_both_languages)]
Relationship = Annotated[str, AfterValidator(lambda word: known_word(word, RELATIONSHIPS))]


class Part(BaseModel):
    """A mapping of a file: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values):
        if not isinstance(values, dict):
            raise ValueError(f"a mapping with keys of: {', '.join(cls.model_fields)}")
        for key in values:
            if key not in cls.model_fields:
                near = did_you_mean(key, cls.model_fields) or f"Known: {', '.join(cls.model_fields)}."
                raise ValueError(f'unknown key "{key}". {near}')
        return values


def read_part(part, path, **given):
    """Read a file that holds one mapping.

    Parameters
    ----------
    part : class of Part
    path : path of a YAML file
    given : values beside those of the file, such as its name

    Returns
    -------
    an object of the class

    Raises
    ------
    RiskmlError    not readable, not one mapping, a key twice; or every problem in one message, each with its
        line and key
    """
    where = f"{path.parent.name}/{path.name}"
    documents = read_documents(path)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise RiskmlError(f"the file is one mapping: {', '.join(part.model_fields)}", where=where)
    document = documents[0]
    if document.repeated:
        line, key = document.repeated[0]
        raise RiskmlError(f'"{key}" stands twice', where=f"{where}, line {line}", mend="Keep one of them.")
    try:
        return part.model_validate({**document.value, **given})
    except ValidationError as error:
        found = map(problem_words, error.errors())
        problems = [(document.line(*path), words) for path, words in found]
    if len(problems) == 1:
        line, words = problems[0]
        raise RiskmlError(words, where=f"{where}, line {line}")
    lines = "\n".join(f"{where}, line {line}: {words}" for line, words in problems)
    raise RiskmlError(f"{len(problems)} problems\n{lines}", where=where)


def problem_words(problem):
    """A pydantic problem as (path of its keys, words that name the key): tuple, str."""
    path = tuple(part for part in problem["loc"] if part != "[key]")
    words = problem["msg"].removeprefix("Value error, ").replace("\n", " ")
    if problem["type"] == "missing":
        words = "is missing"
    elif problem["type"] == "literal_error":
        known = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        near = did_you_mean(problem["input"], known) or f"Known: {', '.join(known)}."
        words = f'"{problem["input"]}" is not known here. {near}'
    key = ".".join(str(part) for part in path)
    return path, f"{key}: {words}" if key else words
