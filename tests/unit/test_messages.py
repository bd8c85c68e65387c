"""Every sentence that analysts read exists in Spanish and in English and asks for the same things in both."""

import re
from string import Formatter

import pytest

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, all_messages, check_language, message


def _texts(entry):
    return list(entry.values()) if isinstance(entry, dict) else [entry]


def _fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


ROOMS = sorted({key.split(".")[0] for key in all_messages()})


def _of(room):
    return {key: entry for key, entry in all_messages().items() if key.startswith(f"{room}.")}


def _fault(entry):
    """What is wrong with an entry's languages and fields; None where nothing is."""
    if set(entry) != set(LANGUAGES):
        return "es and en, nothing else"
    fields = {}
    for language, words in entry.items():
        if isinstance(words, dict) and set(words) != {"one", "other"}:
            return f"{language}: one and other, nothing else"
        texts = _texts(words)
        if not all(isinstance(text, str) and text.strip() for text in texts):
            return f"{language}: no words"
        fields[language] = set().union(*(_fields(text) for text in texts))
    if fields["es"] != fields["en"]:
        return "the languages ask for different things"
    split = any(isinstance(words, dict) for words in entry.values())
    return "one and other are chosen by count" if split and "count" not in fields["es"] else None


@pytest.mark.parametrize("room", ROOMS)
def test_a_message_speaks_both_languages_with_the_same_fields(room):
    faults = {key: _fault(entry) for key, entry in _of(room).items()}
    assert not {key: fault for key, fault in faults.items() if fault}


def test_a_message_that_says_different_things_would_be_found():
    assert _fault({"es": "{a}", "en": "{a}"}) is None
    assert _fault({"es": "{a}", "en": "{b}"})
    assert _fault({"es": "x"})
    assert _fault({"es": " ", "en": "x"})
    assert _fault({"es": {"one": "x", "other": "x"}, "en": "x"})


@pytest.mark.parametrize("room", ROOMS)
def test_spanish_questions_and_exclamations_open_as_they_close(room):
    texts = {key: _texts(entry["es"]) for key, entry in _of(room).items()}
    pairs = (("?", "¿"), ("!", "¡"))
    assert not [k for k, said in texts.items() for t in said for a, b in pairs if t.count(a) != t.count(b)]


@pytest.mark.parametrize("room", ROOMS)
def test_no_word_that_needs_an_accent_goes_without(room):
    bare = r"\b(dias|ultim[oa]|victimas?|segun|tambien|numero|calibracion|opinion|informacion|analisis)\b"
    plain = {
        key: [re.sub(r"\{[^}]*\}", "", t) for t in _texts(entry["es"])] for key, entry in _of(room).items()
    }
    assert not [key for key, said in plain.items() for t in said if re.search(bare, t, re.IGNORECASE)]


def test_number_decides_between_one_and_other():
    assert message("features.days", "es", count=1) == "1 día"
    assert message("features.days", "es", count=30) == "30 días"
    assert message("features.days", "en", count=1) == "1 day"


def test_an_unknown_language_is_refused():
    with pytest.raises(RiskmlError, match='unknown language "fr"'):
        check_language("fr")
