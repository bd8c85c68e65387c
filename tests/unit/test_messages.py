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


@pytest.mark.parametrize("key", sorted(all_messages()))
def test_a_message_speaks_both_languages_with_the_same_fields(key):
    entry = all_messages()[key]
    assert set(entry) == set(LANGUAGES), "es and en, nothing else"
    fields = {}
    for language, words in entry.items():
        if isinstance(words, dict):
            assert set(words) == {"one", "other"}, language
        texts = _texts(words)
        assert all(isinstance(text, str) and text.strip() for text in texts), language
        fields[language] = set().union(*(_fields(text) for text in texts))
    assert fields["es"] == fields["en"]
    split = {language for language, words in entry.items() if isinstance(words, dict)}
    assert not split or "count" in fields["es"], "one and other are chosen by count"


@pytest.mark.parametrize("key", sorted(all_messages()))
def test_spanish_questions_and_exclamations_open_as_they_close(key):
    for text in _texts(all_messages()[key]["es"]):
        assert text.count("?") == text.count("¿")
        assert text.count("!") == text.count("¡")


@pytest.mark.parametrize("key", sorted(all_messages()))
def test_no_word_that_needs_an_accent_goes_without(key):
    bare = r"\b(dias|ultim[oa]|victimas?|segun|tambien|numero|calibracion|opinion|informacion|analisis)\b"
    for text in _texts(all_messages()[key]["es"]):
        text = re.sub(r"\{[^}]*\}", "", text)
        assert not re.search(bare, text, re.IGNORECASE), text


def test_number_decides_between_one_and_other():
    assert message("features.days", "es", count=1) == "1 día"
    assert message("features.days", "es", count=30) == "30 días"
    assert message("features.days", "en", count=1) == "1 day"


def test_an_unknown_language_is_refused():
    with pytest.raises(RiskmlError, match='unknown language "fr"'):
        check_language("fr")
