import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries import FACTORS
from riskml.registry.masking import MASK, QuoteMask, mask_values, masked_categories, plain_words
from riskml.vocabulary import Factor

QUOTE = QuoteMask.of(FACTORS)


@pytest.mark.parametrize(
    ("quote", "kept"),
    [
        ("LA TOMÓ DEL CUELLO", "LA TOMÓ DEL CUELLO"),
        ("la tomo del cuello", "la tomo del cuello"),
        ("Ramiro la tomó del cuello", f"{MASK} la tomó del cuello"),
        ("con un arma a Leticia Quintanar, tel. 492 555 1234", f"con un arma a {MASK}"),
        ("calle Zaragoza 118", MASK),
        ("no 4925551234", f"no {MASK}"),
        ("ｒａｍｉｒｏ", MASK),
        ("", ""),
    ],
)
def test_only_words_of_the_vocabulary_survive_in_a_quote(quote, kept):
    assert QUOTE(quote) == kept


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["arma", "ARMÁ", "Leticia", "4", "de", "_", "ﬁ"])).map(" ".join)
)
def test_whatever_a_quote_says_no_other_word_and_no_digit_survives(quote):
    for word in QUOTE(quote).replace(MASK, " ").split():
        assert plain_words(word)[0] in QUOTE.words
        assert not any(c.isdigit() for c in word)


def test_a_word_of_the_vocabulary_that_is_somebodys_name_stays_only_where_the_vocabulary_has_it():
    factors = [
        Factor("weapon_used", {"es": "Uso de arma", "en": ""}, "acts", ("con arma blanca", "le dio luz"))
    ]
    _, names = masked_categories({}, [("name", "Blanca Luz Ríos")], QuoteMask.of(factors).words)
    assert names == {"blanca", "luz"}
    quote = QuoteMask.of(factors, names)
    assert quote("la amenaza con ARMA BLANCA") == f"la {MASK} con ARMA BLANCA"
    assert quote("Blanca refiere que le dio") == f"{MASK} refiere que le dio"
    assert quote("Blanca Luz") == MASK


def masked(value, entries=(), *, column="occupation", rows=1):
    unfit, _ = masked_categories({("aggressors", column): {value: rows}}, entries)
    return value in unfit[("aggressors", column)]


@pytest.mark.parametrize(
    "value",
    [
        "tel 4925551234",
        "492-555-12-34",
        "(492) 555 1234",
        "a@b.mx",
        "www.example.org",
        "uno dos " * 10,
        "x" * 200,
    ],
)
def test_a_category_that_looks_personal_is_masked(value):
    assert masked(value)


@pytest.mark.parametrize(
    "value", ["albañil", "Secundaria 12", "Fiscalía General de Justicia del Estado", "C5 - 911"]
)
def test_a_category_stays(value):
    assert not masked(value, [("name", "Ramiro Escobedo Luján"), ("address", "Centro 12")])


@pytest.mark.parametrize(
    "value",
    [
        "Ramiro Escobedo Luján",
        "RAMIRO ESCOBEDO LUJAN",
        "vecino de Ramiro Escobedo",
        "taller Escobedo Luján",
        "taller Escobedo",
        "vive en Privada Zaragoza 118",
        "Zaragoza 118",
    ],
)
def test_a_name_or_address_of_the_registry_is_masked_in_a_category(value):
    assert masked(value, [("name", "Ramiro Escobedo Luján"), ("address", "Privada Zaragoza 118, Centro")])


def test_a_place_that_bears_a_name_stays_a_place():
    people = [("name", "Juan Aldama Ríos"), ("name", "Guadalupe"), ("name", "Luis Moya")]
    for place in ("Juan Aldama", "Guadalupe", "Luis Moya", "General Enrique Estrada"):
        assert not masked(place, people, column="municipality")
    assert masked("Juan Aldama Ríos", people, column="municipality")


def test_a_frequent_office_stays_though_a_surname_stands_in_it():
    people = [("name", "Sofía Cruz Ibarra")]
    assert not masked("Cruz Roja", people, rows=500)
    assert masked("Cruz Roja", people, rows=2)


def test_each_distinct_value_is_masked_once_and_changes_are_counted():
    seen = []
    values, changed = mask_values(
        pa.array(["a", "b", None, "a"]), lambda v: seen.append(v) or v.replace("a", MASK)
    )
    assert values.to_pylist() == [MASK, "b", None, MASK]
    assert changed == 2
    assert sorted(seen) == ["a", "b"]
