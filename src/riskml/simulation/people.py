"""Names, phones, addresses and particulars of people who do not exist; each name carries a visible mark."""

import numpy as np
import pandas as pd
from faker.providers.address.es_MX import Provider as Address
from faker.providers.person.es_MX import Provider as Person

from riskml.simulation.clock import identifiers, words
from riskml.simulation.hazard import in_seconds

__all__ = ["MARK", "PERSONAL_COLUMNS", "full_names", "person_rows"]

MARK = "[SINTÉTICO]"
PERSONAL_COLUMNS = ("name", "phone", "address")

_OCCUPATIONS = (
    "albañil", "comerciante", "chofer", "empleado", "jornalero", "mecánico", "minero", "obrero", "estudiante",
    "agricultor", "guardia de seguridad", "policía", "ayudante general", "taxista", "pensionado",
)  # fmt: skip
_UNEMPLOYED = "desempleado"
_STREETS = ("Calle", "Avenida", "Callejón", "Privada", "Calzada", "Andador")
_PLACES = (
    "Centro",
    "Lomas del Valle",
    "La Pinta",
    "Tierra y Libertad",
    "El Mirador",
    "Las Palmas",
    "San Isidro",
    "Los Olivos",
)  # invented in this combination
_UNACCENTED = str.maketrans("ÁÉÍÓÚÜáéíóúü", "AEIOUUaeiouu")


def _variants(names, rng):
    """The same names as different clerks write them: capitals, no accents, M. and Ma. for María."""
    draw = rng.random(len(names))
    out = []
    for name, way in zip(names, draw, strict=True):
        if way < 0.35:
            name = name.upper()
        if way < 0.25 or way > 0.85:
            name = name.translate(_UNACCENTED)
        if 0.5 < way < 0.6:
            name = name.replace("María ", "Ma. ")
        out.append(name)
    return out


def full_names(female, rng):
    """Given name, sometimes two, and both surnames, from the lists of Faker (es_MX): list of str.

    Parameters
    ----------
    female : array of bool, shape (n,)
    """
    n = len(female)
    women, men = np.array(Person.first_names_female, object), np.array(Person.first_names_male, object)
    surnames = np.array(Person.last_names, object)

    def given():
        return np.where(female, women[rng.integers(0, len(women), n)], men[rng.integers(0, len(men), n)])

    first, second, two = given(), given(), rng.random(n) < 0.45
    paternal, maternal = (
        surnames[rng.integers(0, len(surnames), n)],
        surnames[rng.integers(0, len(surnames), n)],
    )
    parts = zip(first, second, two, paternal, maternal, strict=True)
    return _variants([f"{a} {b} {p} {m}" if both else f"{a} {p} {m}" for a, b, both, p, m in parts], rng)


def _phones(count, rng):
    """Numbers of the area whose local part begins with 000, which is given to nobody."""
    return np.char.mod("492000%04d", rng.integers(0, 10_000, count)).astype(object)


def _addresses(count, rng):
    prefix = np.array(_STREETS, object)[rng.integers(0, len(_STREETS), count)]
    street = np.array(Person.last_names, object)[rng.integers(0, len(Person.last_names), count)]
    city = np.array(Address.city_prefixes, object)[rng.integers(0, len(Address.city_prefixes), count)]
    place = np.array(_PLACES, object)[rng.integers(0, len(_PLACES), count)]
    number = rng.integers(1, 990, count)
    rows = zip(prefix, street, city, number, place, strict=True)
    return [f"{p} {s} {c} {k}, Col. {q} {MARK}" for p, s, c, k, q in rows]


def _occupations(unemployed, rng):
    chosen = np.array(_OCCUPATIONS, object)[rng.integers(0, len(_OCCUPATIONS), len(unemployed))]
    return np.where(unemployed, _UNEMPLOYED, chosen)


def person_rows(kind, ids, since, birth, female, settings, calendar, complete, rng, unemployed=None):
    """Every version of what is known of the people of a block.

    Parameters
    ----------
    kind : "aggressor" or "victim"
    ids : array of str, shape (n,)
    since : array of float, shape (n,)       when the registry first saw them, days
    birth, female : arrays, shape (n,)
    unemployed : array of bool, shape (n,)   aggressors only

    Returns
    -------
    (DataFrame of the table with name, phone and address, list of the names)
    """
    n = len(ids)
    names = full_names(female, rng)
    unknown = np.zeros(n, bool) if complete else rng.random(n) < settings.unknown_birth_year
    frame = pd.DataFrame({f"{kind}_id": ids})
    frame["birth_year"] = pd.array(np.where(unknown, 0, birth), dtype="Int64")
    frame.loc[unknown, "birth_year"] = pd.NA
    frame["sex"] = words(("female", "male"), np.where(female, 0, 1))
    if kind == "aggressor":
        frame["occupation"] = _occupations(unemployed, rng)
    frame["occurred_at"] = calendar.times(since)
    frame["recorded_at"] = calendar.times(since)
    frame["superseded_at"] = calendar.times(np.full(n, np.nan))
    frame["name"] = [f"{name} {MARK}" for name in names]
    frame["phone"] = _phones(n, rng)
    frame["address"] = _addresses(n, rng)
    if complete:
        return frame, names
    noticed = in_seconds(since + 0.5 + rng.exponential(settings.correction_delay, n))
    wrong = (rng.random(n) < settings.person_corrected) & calendar.known(noticed) & ~unknown
    before = frame[wrong].copy()
    before["birth_year"] = before["birth_year"] + rng.choice((-10, -1, 1, 10), wrong.sum())
    before["superseded_at"] = calendar.times(noticed)[wrong]
    after = frame.copy()
    after["recorded_at"] = np.where(wrong, calendar.times(noticed), after["recorded_at"].to_numpy())
    return pd.concat([before, after], ignore_index=True), names


def swapped_person_rows(kind, numbers, opened, calendar):
    """People entered in the wrong table while roles stood swapped: rows without particulars."""
    letter = "A" if kind == "aggressor" else "V"
    n = len(numbers)
    frame = pd.DataFrame({f"{kind}_id": identifiers(f"{letter}X", numbers)})
    frame["occurred_at"] = calendar.times(opened)
    frame["recorded_at"] = calendar.times(opened)
    frame["name"] = [f"ROL POR VERIFICAR {MARK}"] * n
    return frame
