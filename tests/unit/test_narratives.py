"""What narratives say: present, denied, of whom, by whom; and what a quote may show."""

import re
import time
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

import riskml
from riskml.errors import RiskmlError
from riskml.narratives.reading import COLUMNS, Reader, read_narrative, read_narratives, starting_reader
from riskml.simulation.phrases import DENIED, PRESENT


def examples(name):
    """Narratives written for these tests, as officers type or the press writes, and what comes of them.

    After `=>`: `factor` present, `-factor` denied, `!factor` not present, `!-factor` not denied;
    `@victim` and the like: who reports it.
    """
    text = (Path(__file__).parent / "narratives" / f"{name}.txt").read_text(encoding="utf-8")
    return [line.rsplit(" => ", 1) for line in text.strip().splitlines()]


DENIALS = examples("denials")
EXAMPLES = examples("police") + examples("press") + DENIALS


def wrong(found, expected):
    """What of the expectations does not hold."""
    for word in expected.split():
        what, _, speaker = word.partition("@")
        absent, code = what.startswith("!"), what.lstrip("!")
        state, code = ("denied" if code.startswith("-") else "present"), code.lstrip("-")
        holds = found.state.get(code) == state
        if speaker:
            holds = holds and found.reported_by[code] == speaker
        if holds == absent:
            yield word


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_a_narrative_says_what_it_says(text, expected):
    found = read_narrative(text).set_index("factor")
    assert not list(wrong(found, expected)), found.to_string()


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_capitals_without_accents_say_the_same(text, expected):
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).upper()
    expected = " ".join(word.partition("@")[0] for word in expected.split())
    found = read_narrative(bare).set_index("factor")
    assert not [w for w in wrong(found, expected) if w.startswith(("-", "!"))], found.to_string()


def test_no_denial_is_read_as_present():
    denied = [(text, word[1:]) for text, words in DENIALS for word in words.split() if word[0] == "-"]
    assert len(denied) >= 150
    found = read_narratives([text for text, _ in denied], processes=1)
    present = set(found[found.state == "present"].set_index("factor", append=True).index)
    assert not [case for i, case in enumerate(denied) if (i, case[1]) in present]


def test_the_public_face_reads_a_denial():
    found = riskml.read_narrative("NIEGA CONSUMO DE ALCOHOL")
    assert list(found.columns) == list(COLUMNS)
    assert found[["factor", "state", "quote"]].to_numpy().tolist() == [
        ["alcohol", "denied", "NIEGA CONSUMO DE ALCOHOL"]
    ]


@pytest.mark.parametrize("text", ["", "   ", "SIN NOVEDAD", "\n\n", "🙂", "...", None, float("nan"), pd.NA])
def test_silence_says_nothing(text):
    assert read_narrative(text).empty


def test_what_is_no_text_is_refused():
    with pytest.raises(RiskmlError, match="a narrative is a text"):
        read_narrative(["la amenazó"])


def test_both_drunk_is_said_of_both():
    found = read_narrative("AMBOS EN ESTADO DE EBRIEDAD").set_index("factor")
    assert found.about.to_dict() == {"alcohol": "aggressor", "victim_substance_use": "victim"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # what follows a denial, and what only looks like one
        ("No solo la golpeó sino que la amenazó de muerte", "death_threat"),
        ("No dejaba de amenazarla de muerte", "death_threat"),
        ("No se marchó sin antes amenazarla de muerte", "death_threat"),
        ("No la ahorcó, la apuñaló", "-strangulation weapon_used"),
        ("NO PRESENTA LESIONES, LA AMENAZO DE MUERTE", "death_threat"),
        ("SI NO REGRESA CON EL SE VA A MATAR", "suicidality"),
        # a gap of a wording does not reach into a denial of something else
        ("LA QUIERE MATAR, NO CUENTA CON ARMA DE FUEGO", "!weapon_used !-weapon_used -firearm_access"),
        # what says a thing without naming it: not shooting does not mean having no gun
        ("NO LE DISPARO", "-weapon_used !-firearm_access"),
        # a verb of saying that is denied itself
        ("La autopsia no reveló asfixia", "-strangulation"),
        ("NO MANIFIESTA AMENAZAS DE MUERTE", "-death_threat"),
        # written answers, also some words after what is asked
        ("¿CUENTA CON ARMA DE FUEGO? NO", "-firearm_access"),
        ("¿CUENTA CON ARMA DE FUEGO? SI", "firearm_access"),
        ("IDEAS SUICIDAS: NEGADAS", "-suicidality"),
        # a question without its answer, and what is left open
        ("¿CUENTA CON ARMA DE FUEGO?", "!firearm_access !-firearm_access"),
        ("Se desconoce si los hijos se encontraban en la casa", "!children_present !-children_present"),
        ("Los hijos, no se ha precisado si se encontraban en casa", "!children_present !-children_present"),
    ],
)
def test_a_denial_reaches_as_far_as_it_should(text, expected):
    found = read_narrative(text).set_index("factor")
    assert not list(wrong(found, expected)), found.to_string()


def test_present_outranks_denied():
    text = "EL DETENIDO NIEGA CONSUMO DE ALCOHOL. LA VICTIMA SEÑALA QUE LLEGO EN ESTADO DE EBRIEDAD."
    found = read_narrative(text).set_index("factor")
    assert found.state["alcohol"] == "present"


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("REFIERE VECINA QUE LA AMENAZO DE MUERTE", "third_party"),
        ("LA VICTIMA REFIERE QUE LA AMENAZO DE MUERTE", "victim"),
        ("EL DETENIDO NIEGA HABERLA AMENAZADO DE MUERTE", "aggressor"),
        ("LOS OFICIALES OBSERVAN QUE LA AMENAZA DE MUERTE", "officer"),
    ],
)
def test_who_reports_it(text, speaker):
    assert read_narrative(text).set_index("factor").reported_by["death_threat"] == speaker


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Le dijeron que la había amenazado de muerte", "current"),
        ("LA HABIA AMENAZADO DE MUERTE ANTES", "past"),
        ("EN OCASIONES ANTERIORES LA AMENAZO DE MUERTE", "past"),
        ("YA LA HABIA AMENAZADO DE MUERTE", "past"),
        ("LA AMENAZA DE MUERTE", "current"),
    ],
)
def test_past_or_current(text, when):
    assert read_narrative(text).set_index("factor").when["death_threat"] == when


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("LA AMENASO DE MUERTE", "death_threat"),
        ("LA ESTRANGLO", "strangulation"),
        ("LA  TOMO   DEL\nCUELLO", "strangulation"),
        ("EN ESTADO DE EVRIEDAD", "alcohol"),
        ("LA ACUCHIYO", "weapon_used"),
        ("AMENAZAA DE MUERTE", "death_threat"),
        ("LO DENUNCIO EN 2019, DENUNICA PREVIA", "prior_complaint"),
    ],
)
def test_slips_of_the_hand_are_read(text, factor):
    assert read_narrative(text).set_index("factor").state[factor] == "present"


@pytest.mark.parametrize("text", ["EL COCINERO LLEGO", "MANTIENEN CAUTELA", "LA ENTIERRA"])
def test_other_words_are_no_slips(text):
    assert read_narrative(text).empty


def test_decomposed_accents_keep_their_places():
    text = unicodedata.normalize("NFD", "Según él, la amenazó de muerte")
    row = read_narrative(text).set_index("factor").loc["death_threat"]
    assert unicodedata.normalize("NFC", text[row.start : row.end]) == "la amenazó de muerte"


@pytest.mark.parametrize(
    "secret",
    [
        "JUAN PEREZ LOPEZ",
        "Tomás Rondón",
        "492 123 4567",
        "ZFG-12-34",
        "Hidalgo 12",
        "correo@ejemplo.mx",
        "PELJ800101HZSRPN01",
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        "LA AMENAZO {} DE MUERTE CON UN CUCHILLO",
        "{} LA TOMO {} DEL CUELLO",
        "NIEGA {} CONSUMO DE ALCOHOL {}",
        "GOLPEO A {} CON UN BAT",
    ],
)
def test_a_quote_shows_nothing_personal(secret, frame):
    quotes = " ".join(read_narrative(frame.format(*[secret] * frame.count("{}"))).quote).casefold()
    for part in re.findall(r"\w+", secret.casefold()):
        assert not re.search(rf"\b{part}\b", quotes), quotes


def test_a_quote_is_short():
    text = "NIEGA " + "CONSUMO DE ALCOHOL, TABACO, " * 3 + "Y DROGAS; LA AMENAZO CON UN CUCHILLO DE MUERTE"
    assert read_narrative(text).quote.str.split().str.len().max() <= 12


def test_many_narratives_keep_the_index_and_agree_with_one():
    texts = pd.Series(
        ["LA AMENAZO DE MUERTE", None, "SIN NOVEDAD", "NIEGA CONSUMO DE DROGAS"], index=[7, 8, 9, 7]
    )
    many = read_narratives(texts)
    assert many.index.tolist() == [7, 7]
    assert many.index.name == "text"
    alone = pd.concat([read_narrative(t) for t in texts])
    pd.testing.assert_frame_equal(many.reset_index(drop=True), alone.reset_index(drop=True))
    assert read_narratives([]).empty


def test_the_reader_tells_apart_what_the_simulator_writes():
    reader = starting_reader()
    missed, inverted, total = [], [], 0
    for state, phrases in (("present", PRESENT), ("denied", DENIED)):
        for factor, wordings in phrases.items():
            for wording in wordings:
                total += 1
                found = {m.factor: m.state for m in reader.mentions(f"LA FEM REFIERE Q {wording}.")}
                if factor not in found:
                    missed.append((factor, state, wording))
                elif found[factor] != state:
                    inverted.append((factor, state, wording))
    assert not inverted
    assert len(missed) <= 0.05 * total, missed


def test_what_has_been_seen_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("riskml.narratives.reading._MOST_WORDS", 1)
    reader = Reader(starting_reader().rules)
    before = reader.finder
    assert read_narratives(["LA AMENAZO DE MUERTE"], reader=reader).factor.tolist() == ["death_threat"]
    assert reader.finder is not before


@pytest.mark.parametrize("end", [". ", "\n", " ", ""])
def test_a_narrative_as_long_as_a_book_is_read(end):
    text = ("RECORRIDO DE RUTINA" + end) * 70_000 + " LA AMENAZO DE MUERTE"
    assert len(text) > 1_000_000
    (row,) = read_narrative(text).itertuples()
    assert (row.factor, text[row.start : row.end]) == ("death_threat", "LA AMENAZO DE MUERTE")


def test_a_separation_lasts():
    found = read_narrative("Se habían separado hace meses").set_index("factor")
    assert found.when["separation"] == "current"


def test_many_are_read_by_several_processes_as_by_one(monkeypatch):
    texts = pd.Series([text for text, _ in EXAMPLES[:60]], index=range(100, 160))
    alone = read_narratives(texts, processes=1)
    monkeypatch.setattr("riskml.narratives.crew._FEW", 10)
    monkeypatch.setattr("riskml.narratives.crew._PART", 7)
    pd.testing.assert_frame_equal(read_narratives(texts, processes=2), alone)


def test_twenty_thousand_narratives_a_minute_on_two_cores():
    texts = [text for text, _ in EXAMPLES] * 4
    starting_reader()
    before = time.process_time()
    read_narratives(texts, processes=1)
    a_minute = len(texts) / (time.process_time() - before) * 60
    assert a_minute > 10_000  # of one core
