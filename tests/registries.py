"""Small registries for tests: rows of the contract with people's names beside them."""

import pandas as pd

from riskml.registry.contract import TABLES
from riskml.registry.database import create_tables, insert_rows, writing
from riskml.registry.pseudonyms import Key
from riskml.vocabulary import Factor, FactorVocabulary

__all__ = ["EXTRA", "FACTORS", "KEY", "PERSONAL", "ZONE", "fill", "registry_rows"]

KEY = Key("3f1c9a" * 8)
ZONE = "America/Mexico_City"
EXTRA = {"aggressors": ("name", "phone", "address"), "victims": ("nombre", "apellido_paterno", "telefono")}
FACTORS = FactorVocabulary(
    {
        "strangulation": Factor(
            "strangulation",
            {"es": "Estrangulamiento", "en": "Strangulation"},
            "acts",
            ("la tomó del cuello", "la ahorcó"),
        ),
        "weapon_used": Factor(
            "weapon_used", {"es": "Uso de arma", "en": "Weapon used"}, "acts", ("con un arma",)
        ),
    }
)
# Whatever of these stands in a history is a leak.
PERSONAL = (
    "Ramiro Escobedo Luján",
    "Escobedo",
    "4925551234",
    "492 555 1234",
    "Privada Zaragoza 118",
    "Zaragoza 118",
    "Leticia",
    "Quintanar",
    "ramiro@example.org",
)


def _clock(occurred, recorded, superseded=None):
    return {"occurred_at": occurred, "recorded_at": recorded, "superseded_at": superseded}


def registry_rows(cases=4):
    """Rows of every table, by table: dict of list of dict. Times are text, as SQLite holds them."""
    opened = _clock("2025-01-05 08:00:00", "2025-01-06 09:30:00.250000")
    ids = range(1, cases + 1)
    rows = {name: [] for name in TABLES}
    rows["aggressors"] = [
        {
            "aggressor_id": str(i),
            "birth_year": 1980 + i,
            "sex": "male",
            "occupation": "albañil",
            "name": "Ramiro Escobedo Luján" if i == 1 else f"Persona{i} Apellido{i}",
            "phone": "4925551234",
            "address": "Privada Zaragoza 118, Centro",
            **opened,
        }
        for i in ids
    ]
    rows["victims"] = [
        {
            "victim_id": str(i),
            "birth_year": 1990,
            "sex": "female",
            "nombre": "Leticia",
            "apellido_paterno": "Quintanar",
            "telefono": "492 555 1234",
            **opened,
        }
        for i in ids
    ]
    rows["cases"] = [
        {
            "case_id": str(i),
            "aggressor_id": str(i),
            "victim_id": str(i),
            "relationship": "ex-partner",
            "municipality": "Guadalupe",
            "locality": "urban",
            "closed_at": None,
            **opened,
        }
        for i in ids
    ]
    for i in ids:
        case = {"case_id": str(i)}
        rows["incidents"] += [
            {
                "incident_id": f"{i}-{k}",
                **case,
                "source": "911",
                "institution": "Policía Estatal",
                "severity": k,
                "narrative": "Ramiro Escobedo Luján, 4925551234, GOLPEA A Leticia Quintanar",
                **_clock(f"2025-0{k}-10 22:15:00", f"2025-0{k}-11 07:00:00"),
            }
            for k in (2, 3)
        ]
        rows["factors"].append(
            {
                **case,
                "incident_id": f"{i}-2",
                "factor": "strangulation",
                "state": "present",
                "source": "police_report",
                "evidence": "Ramiro LA TOMÓ DEL CUELLO en Privada Zaragoza 118, tel. 4925551234",
                **_clock("2025-02-10 22:15:00", "2025-02-20 00:00:00"),
            }
        )
        rows["measures"].append(
            {
                "measure_id": f"M{i}",
                **case,
                "kind": "protection",
                "expires_at": "2025-05-01 00:00:00",
                "ended_at": None,
                **_clock("2025-03-01 00:00:00", "2025-03-02 00:00:00"),
            }
        )
        rows["proceedings"].append({**case, "stage": "file_opened", **opened})
        rows["responses"].append({**case, "kind": "visit", "result": "localizada", **opened})
        rows["levels"].append(
            {**case, "level": "high", "analyst": "Leticia Quintanar", "basis": "llamó", **opened}
        )
    rows["outcomes"].append({"case_id": "1", "kind": "attempted_femicide", "review_id": "R1", **opened})
    return rows


def fill(engine, rows, *, extra=EXTRA):
    """Make the tables and write rows into them, in the order in which they stand."""
    with writing(engine) as connection:
        create_tables(connection, extra=extra)
        for name, entries in rows.items():
            if entries:
                insert_rows(connection, name, pd.DataFrame(entries, dtype=object))
    return engine
