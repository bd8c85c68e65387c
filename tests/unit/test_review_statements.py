"""A chain of statements shows any change: of a character, of the order, of a statement left out."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.review.statements import (
    BEGINNING,
    Statement,
    chain_faults,
    check_code,
    check_text,
    statement_hash,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
CONTENT = st.dictionaries(TEXT, TEXT, max_size=4)


def chain_of(contents):
    """A whole chain that says these: list of Statement."""
    made, previous = [], BEGINNING
    for number, content in enumerate(contents, start=1):
        digest = statement_hash(number, previous, content)
        made.append(Statement(number, previous, content, digest))
        previous = digest
    return made


@given(st.lists(CONTENT, max_size=6), st.randoms())
def test_a_whole_chain_has_no_fault_in_whatever_order_it_is_read(contents, random):
    chain = chain_of(contents)
    random.shuffle(chain)
    assert chain_faults(chain) == []


def _another(draw, text):
    """The text with one character put in, taken out, or replaced by another."""
    place = draw(st.integers(0, len(text)))
    how = draw(st.sampled_from(["in", "out", "other"] if place < len(text) else ["in"]))
    if how == "out":
        return text[:place] + text[place + 1 :]
    new = draw(st.characters(codec="utf-8").filter(lambda c: how == "in" or c != text[place]))
    return text[:place] + new + text[place + (how == "other") :]


@given(st.data(), st.lists(CONTENT, min_size=1, max_size=5))
def test_any_change_of_one_character_is_found(data, contents):
    chain = chain_of(contents)
    place = data.draw(st.integers(0, len(chain) - 1))
    statement = chain[place]
    parts = ["hash", "previous", "number"] + (["key", "value"] if statement.content else [])
    part = data.draw(st.sampled_from(parts))
    if part in ("hash", "previous"):
        changed = {part: _another(data.draw, getattr(statement, part))}
    elif part == "number":
        changed = {"number": data.draw(st.integers(0, 9).filter(lambda n: n != statement.number))}
    else:
        content = dict(statement.content)
        key = data.draw(st.sampled_from(sorted(content)))
        if part == "key":
            content[_another(data.draw, key)] = content.pop(key)
        else:
            content[key] = _another(data.draw, content[key])
        changed = {"content": content}
    after = dataclasses.replace(statement, **changed)
    if after.content == statement.content and part == "key":
        return  # the new key stood there already with the same text, and the old one is gone: no such content
    assert chain_faults([*chain[:place], after, *chain[place + 1 :]])


@given(st.data(), st.lists(CONTENT, min_size=2, max_size=6))
def test_a_statement_left_out_before_the_end_is_found_and_so_are_two_that_change_places(data, contents):
    chain = chain_of(contents)
    place = data.draw(st.integers(0, len(chain) - 2))
    assert (place + 1, "missing") in chain_faults(chain[:place] + chain[place + 1 :])
    one, two = chain[place], chain[place + 1]
    swapped = [dataclasses.replace(one, number=two.number), dataclasses.replace(two, number=one.number)]
    assert chain_faults(chain[:place] + swapped + chain[place + 2 :])


def test_the_end_cut_off_is_not_seen_in_the_chain_itself():
    """Why the head is kept apart, and noted in the minutes."""
    chain = chain_of([{"a": "1"}, {"a": "2"}])
    assert chain_faults(chain[:-1]) == []


def test_two_of_one_number_are_a_fork():
    chain = chain_of([{"a": "1"}, {"a": "2"}])
    rival = Statement(2, chain[0].hash, {"a": "3"}, statement_hash(2, chain[0].hash, {"a": "3"}))
    assert chain_faults([*chain, rival]) == [(2, "forked")]


def test_the_hash_is_the_one_that_is_documented():
    """sha256 of canonical JSON: sorted keys, no spaces, UTF-8. Held here so that old chains stay readable."""
    import hashlib

    text = '{"content":{"año":"ñ","b":"\\n"},"number":1,"previous":"' + BEGINNING + '"}'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert statement_hash(1, BEGINNING, {"b": "\n", "año": "ñ"}) == expected


@pytest.mark.parametrize("code", ["FGJ-07", "A1", "SIN-0", "SSP-ZAC-12"])
def test_codes(code):
    assert check_code(code, where="--as") == code


@pytest.mark.parametrize(
    "name", ["", "Ana Pérez", "ANA", "fgj-07", "FGJ-07 ", "07", "-A1", "A--1", "A1" * 11]
)
def test_what_may_be_a_name_is_no_code(name):
    with pytest.raises(RiskmlError, match="never a personal name") as error:
        check_code(name, where="--as")
    assert name not in error.value.what or not name


@pytest.mark.parametrize(
    "text",
    [
        "Escribir a alguien@fiscalia.example.",
        "Llamar al 4921234567.",
        "Llamar al 492 123 4567.",
        "El caso 523e775d2e54f52c6710d7ea6907b7e2 baja.",
    ],
)
def test_a_reason_speaks_of_no_person_and_no_case(text):
    with pytest.raises(RiskmlError, match="looks like") as error:
        check_text(text, where="reasons, data")
    assert not any(word in str(error.value) for word in text.split() if len(word) > 9)


@pytest.mark.parametrize(
    "text", ["AUC 0.78 (0.73-0.82), 210/2,450, del 2026-01-01 al 2026-06-18", "versión 8cc19b2fbc57f1b8"]
)
def test_a_reason_may_hold_figures_dates_and_versions(text):
    assert check_text(text, where="reasons, data") == text
