"""Which readings become factor rows of a history."""

import pytest

from riskml.narratives.reading import starting_reader
from riskml.narratives.stated import StatedFactors, stated
from riskml.registry.masking import MASK, NameMask


def states(text):
    reader = starting_reader()
    return {m.factor: m.state for m in stated(reader.mentions(text), reader.rules)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LA AMENAZO DE MUERTE", {"death_threat": "present"}),
        ("REFIERE VECINA QUE LA AMENAZO DE MUERTE", {"death_threat": "present"}),
        ("EN OCASIONES ANTERIORES LA AMENAZO DE MUERTE", {}),
        ("LO DENUNCIO EN DOS OCASIONES ANTERIORES", {"prior_complaint": "present"}),
        ("LA VICTIMA NIEGA AMENAZAS DE MUERTE", {"death_threat": "denied"}),
        ("SE NIEGAN AMENAZAS DE MUERTE", {"death_threat": "denied"}),
        ("EL DETENIDO NIEGA HABERLA AMENAZADO DE MUERTE", {}),
        ("LA VECINA REFIERE QUE NO LA AMENAZO DE MUERTE", {}),
        ("LA VICTIMA EN ESTADO DE EBRIEDAD", {"victim_substance_use": "present"}),
        ("EL DETENIDO REFIERE QUE ELLA ESTABA EBRIA", {}),
        ("SE DESCONOCE SI TIENE ARMA DE FUEGO", {}),
    ],
)
def test_what_a_narrative_states(text, expected):
    assert states(text) == expected


def test_a_denial_beside_a_mention_of_the_past_states_nothing():
    assert states("EN OCASIONES ANTERIORES LA AMENAZO DE MUERTE. HOY NO LA AMENAZO DE MUERTE.") == {}


def test_each_factor_is_stated_once():
    text = "LA AMENAZO DE MUERTE. LE DIJO TE VOY A MATAR. LA VICTIMA REFIERE QUE LA AMENAZO DE MUERTE."
    assert states(text) == {"death_threat": "present"}


def test_texts_are_read_in_parts_and_told(monkeypatch):
    monkeypatch.setattr("riskml.narratives.crew._PART", 2)
    rules, told = starting_reader().rules, []
    with StatedFactors(rules) as read:
        parts = list(read(["LA AMENAZO DE MUERTE", None, "", "SIN NOVEDAD", "NIEGA DROGAS"], told.append))
    assert told == [2, 2, 1]
    assert [len(found) for part in parts for found in part] == [1, 0, 0, 0, 1]
    assert parts[2] == [[("drugs", "denied", "NIEGA DROGAS")]]


def test_a_name_is_masked_unless_it_stands_where_the_vocabulary_has_it():
    mask = NameMask({("arma", "blanca"), ("del", "cuello")}, ["blanca", "cuello", "martillo", "la"])
    assert mask("LA HIRIO CON ARMA BLANCA") == "LA HIRIO CON ARMA BLANCA"
    assert mask("BLANCA DIJO") == f"{MASK} DIJO"
    assert mask("LA TOMO DEL CUELLO") == "LA TOMO DEL CUELLO"
    assert mask(f"GOLPEO {MASK} MARTILLO") == f"GOLPEO {MASK}"
