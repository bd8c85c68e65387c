"""Reasons read as sentences: values and what they were, three states kept apart, silence never a denial."""

import math

import numpy as np
import pandas as pd
import pytest

from riskml.explain.frequency import frequency_words, natural_frequency, relative_words
from riskml.explain.reasons import COLUMNS, EXPOSURE, LOWERS, RAISES, reasons_of
from riskml.explain.wording import day_words, fact_words, is_silent, value_words
from riskml.features.catalogue import Catalogue
from riskml.features.definitions import Feature

NOTHING = math.nan


def feature(name, aggregate="count", table="incidents", **more):
    words = dict.fromkeys(("es", "en"), name.replace("_", " ").capitalize())
    return Feature(
        name=name if name.isidentifier() else "x",
        dimension="acts",
        table=table,
        aggregate=aggregate,
        label=words,
        **more,
    )


INCIDENTS = feature("incidentes", windows=("90d", "72h", "ever"))
SINCE = Feature(
    name="days_since_incident",
    dimension="acts",
    table="incidents",
    aggregate="days_since",
    label={"es": "Días desde el último incidente", "en": "Days since the last incident"},
)
STATE = Feature(
    name="weapon",
    dimension="acts",
    table="factors",
    aggregate="latest",
    column="state",
    where="\"factor\" = 'weapon_used'",
    label={"es": "Uso de arma", "en": "Weapon used"},
)
VISITS = Feature(
    name="visits",
    dimension="response",
    table="responses",
    aggregate="count",
    windows=("90d",),
    label={"es": "Visitas", "en": "Visits"},
)
BEFORE = feature("incidentes", windows=("365d-730d", "72h-30d", "365d-ever"))
THIRD = SINCE.model_copy(
    update={
        "name": "days_since_third",
        "aggregate": "days_since_third",
        "label": {
            "es": "Días desde el antepenúltimo incidente",
            "en": "Days since the last incident but two",
        },
    }
)
EXPIRED = feature("Vencimiento de la última medida", "days_since_expiry", "measures")
LAG = feature("retraso_del_registro", "mean", column="recording_lag", windows=("90d",))
PATTERN = feature("Separación con control", "formula", "", formula="\"a\" = 'present' AND \"b\" = 'present'")
RATIO = feature("Incidentes frente al año anterior", "formula", "", formula='("a_365d" / "a_365d_730d")')
RELATIONSHIP = Feature(
    name="relationship",
    dimension="relationship",
    table="cases",
    aggregate="latest",
    column="relationship",
    label={"es": "Relación con la víctima", "en": "Relationship with the victim"},
)


@pytest.mark.parametrize(
    ("column", "value", "earlier", "spanish"),
    [
        (INCIDENTS.columns[0], 3.0, 1.0, "3 incidentes en 90 días; hace 90 días: 1"),
        (INCIDENTS.columns[0], 1.0, 0.0, "Incidentes en 90 días: 1; hace 90 días: 0"),
        (INCIDENTS.columns[1], 2.0, 2.0, "2 incidentes en 72 horas; igual que hace 90 días"),
        (
            INCIDENTS.columns[2],
            0.0,
            0.0,
            "Incidentes en todo el historial: sin registros; igual que hace 90 días",
        ),
        (SINCE.columns[0], 12.9, 40.0, "Desde el último incidente: 12 días; hace 90 días: 40 días"),
        (
            SINCE.columns[0],
            0.4,
            NOTHING,
            "Desde el último incidente: menos de un día; hace 90 días: no consta",
        ),
        (SINCE.columns[0], 900.0, 900.5, "Desde el último incidente: unos 2 años"),
        (STATE.columns[0], "present", NOTHING, "Uso de arma: presente; hace 90 días: no mencionado"),
        (STATE.columns[0], "denied", "present", "Uso de arma: negado; hace 90 días: presente"),
        (STATE.columns[0], NOTHING, NOTHING, "Uso de arma: no mencionado"),
        (BEFORE.columns[0], 3.0, 2.0, "3 incidentes entre 365 y 730 días antes; hace 90 días: 2"),
        (BEFORE.columns[1], 1.0, 1.0, "Incidentes entre 72 horas y 30 días antes: 1; igual que hace 90 días"),
        (BEFORE.columns[2], 4.0, 4.0, "4 incidentes hace más de 365 días; igual que hace 90 días"),
        (THIRD.columns[0], 12.0, 40.0, "Desde el antepenúltimo incidente: 12 días; hace 90 días: 40 días"),
        (
            EXPIRED.columns[0],
            3.5,
            NOTHING,
            "Vencimiento de la última medida: 3 días; hace 90 días: no consta",
        ),
        (LAG.columns[0], 2.4, 2.4, "Retraso del registro en 90 días: 2 días; igual que hace 90 días"),
        (PATTERN.columns[0], 1.0, NOTHING, "Separación con control: sí; hace 90 días: no consta"),
        (
            PATTERN.columns[0],
            0.0,
            0.0,
            "Separación con control: no, según lo que consta; igual que hace 90 días",
        ),
        (RATIO.columns[0], 1.5, 3.0, "Incidentes frente al año anterior: 1.50; hace 90 días: 3"),
        (RATIO.columns[0], NOTHING, NOTHING, "Incidentes frente al año anterior: no consta"),
        (RELATIONSHIP.columns[0], "ex-partner", "partner", "Relación con la víctima: expareja"),
        (RELATIONSHIP.columns[0], "compadre", None, "Relación con la víctima: compadre"),
    ],
)
def test_a_value_and_what_it_was(column, value, earlier, spanish):
    assert fact_words(column, value, earlier, compare=True) == spanish


def test_in_english():
    said = fact_words(INCIDENTS.columns[0], 3.0, 1.0, compare=True, language="en")
    assert said == "3 incidentes in 90 days; 90 days ago: 1"
    said = fact_words(SINCE.columns[0], 1.2, 40.0, compare=True, language="en")
    assert said == "Since the last incident: 1 day; 90 days ago: 40 days"
    said = fact_words(BEFORE.columns[0], 3.0, 2.0, compare=True, language="en")
    assert said == "3 incidentes 365 to 730 days before; 90 days ago: 2"
    assert value_words(PATTERN.columns[0], 0.0, "en") == "not as far as is on record"


def test_nothing_is_said_of_a_time_before_the_case_was_registered():
    assert fact_words(INCIDENTS.columns[0], 3.0, 0.0, compare=False) == "3 incidentes en 90 días"


def test_not_mentioned_is_never_worded_as_denied():
    for language, denied in (("es", "negado"), ("en", "denied")):
        for missing in (NOTHING, None, np.nan):
            said = fact_words(STATE.columns[0], missing, missing, compare=True, language=language)
            assert denied not in said
    assert value_words(STATE.columns[0], "denied") == "negado"


def test_what_is_silent():
    assert is_silent(STATE.columns[0], NOTHING)
    # A pattern that does not hold may be one that nobody recorded; that it holds is something.
    assert [is_silent(PATTERN.columns[0], value) for value in (NOTHING, 0.0, 1.0)] == [True, True, False]
    assert is_silent(INCIDENTS.columns[0], 0.0)
    assert not is_silent(STATE.columns[0], "denied")
    assert not is_silent(INCIDENTS.columns[0], 1.0)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.2, "menos de un día"),
        (1.0, "1 día"),
        (59.9, "59 días"),
        (61, "unos 2 meses"),
        (1100, "unos 3 años"),
    ],
)
def test_days_in_plain_words(days, words):
    assert day_words(days) == words


# ------------------------------------------------------------------------------------------- choosing reasons

CATALOGUE = Catalogue((INCIDENTS, SINCE, STATE, VISITS, RELATIONSHIP))
NAMES = [c.name for c in CATALOGUE.columns]


def frames(n=2):
    index = pd.MultiIndex.from_tuples(
        [(f"c{i}", pd.Timestamp("2026-01-05")) for i in range(n)], names=["case_id", "as_of"]
    )
    matrix = pd.DataFrame(
        {
            "incidentes_90d": [3.0, 0.0],
            "incidentes_72h": [1.0, 0.0],
            "incidentes_ever": [5.0, 0.0],
            "days_since_incident": [2.0, 400.0],
            "weapon": ["present", NOTHING],
            "visits_90d": [2.0, 0.0],
            "relationship": ["partner", "son"],
        },
        index=index,
    )
    values = pd.DataFrame(
        [[0.5, -0.1, 0.3, 0.2, 0.1, -0.4, 0.01], [-0.3, 0.0, -0.2, -0.6, -0.2, 0.05, 0.3]],
        index=index,
        columns=NAMES,
    )
    return matrix, values


def reasons():
    matrix, values = frames()
    return reasons_of("repeat", CATALOGUE, values, matrix, matrix, np.array([True, False]))


def test_the_windows_of_a_feature_are_one_reason_and_the_strongest_speaks():
    found = reasons()
    assert list(found.columns) == list(COLUMNS)
    first = found[(found["case_id"] == "c0") & (found["direction"] == RAISES)].iloc[0]
    assert first["feature"] == "incidentes_90d"
    assert first["contribution"] == pytest.approx(0.5 - 0.1 + 0.3)
    assert first["text_es"] == "3 incidentes en 90 días; igual que hace 90 días"
    assert first["rank"] == 1


def test_directions_are_apart_and_small_parts_are_left_out():
    found = reasons()
    raising = found[(found["case_id"] == "c0") & (found["direction"] == RAISES)]
    assert raising["feature"].tolist() == [
        "incidentes_90d",
        "days_since_incident",
        "weapon",
    ]  # 0.01 is not worth it
    lowering = found[(found["case_id"] == "c1") & (found["direction"] == LOWERS)]
    assert lowering["feature"].tolist() == ["days_since_incident", "incidentes_90d", "weapon"]


def test_what_institutions_did_is_an_exposure_and_no_risk_of_the_person():
    found = reasons()
    done = found[found["feature"] == "visits_90d"]
    assert set(done["direction"]) == {EXPOSURE}
    assert set(done["dimension"]) == {"response"}


def test_a_risk_lowered_by_silence_is_marked_so():
    found = reasons()
    lowering = found[(found["case_id"] == "c1") & (found["direction"] == LOWERS)]
    assert lowering["silent"].all()  # 400 days without an incident, none in 90 days, weapon not mentioned
    assert not found.loc[found["case_id"] == "c0", "silent"].any()


# ------------------------------------------------------------------------------------------------ frequencies


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.08, 0.14, (8, 14, 100)),
        (0.083, 0.131, (8, 14, 100)),
        (0.0, 0.007, (0, 7, 1000)),
        (0.0002, 0.0009, (2, 9, 10000)),
        (0.0, 0.0, (0, 0, 10000)),
        (1.0, 1.0, (100, 100, 100)),
        (0.29, 0.57, (29, 57, 100)),
    ],
)
def test_natural_frequencies_round_outwards(low, high, expected):
    assert natural_frequency(low, high) == expected


def test_frequencies_in_words():
    assert frequency_words(0.08, 0.14) == "de 8 a 14 de cada 100"
    assert frequency_words(0.08, 0.14, "en") == "8 to 14 of 100"
    assert frequency_words(0.001, 0.004, "es") == "de 1 a 4 de cada 1,000"


def test_relative_to_the_registry():
    assert relative_words(0.2, 0.1) == "Es 2.0 veces el promedio del padrón."
    assert relative_words(0.1, 0.1) == "Es como el promedio del padrón."
    assert relative_words(0.02, 0.1) == "Es el 20 % del promedio del padrón."
    assert relative_words(0.02, None) == ""
