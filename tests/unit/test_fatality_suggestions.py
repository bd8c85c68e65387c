"""Narratives suggest, with masked words and days; people code."""

import pandas as pd
import pytest

from registries import EXTRA, KEY, fill, registry_rows
from riskml.fatality.coding.reading import read_form
from riskml.fatality.coding.suggestions import COLUMNS, suggested, suggestion_sheet, suggestions_for
from riskml.fatality.coding.workbook import write_workbook
from riskml.narratives.rules import starting_rules
from riskml.registry.database import connect
from riskml.registry.masking import MASK

RULES = starting_rules()
EVENT = pd.Timestamp("2025-05-04")
THREAT, DENIAL = "LA AMENAZO DE MUERTE", "LA VICTIMA NIEGA AMENAZAS DE MUERTE"


def texts(*rows, reviews=None):
    """Texts of review R1, or of those named, with its event: (narrative, recorded_on, occurred_on)."""
    columns = ["narrative", "recorded_on", "occurred_on"]
    return pd.DataFrame(rows, columns=columns).assign(review_id=reviews or "R1", event_on=EVENT)


def said(frame):
    """(factor, state, known, day recorded) of each suggestion."""
    days = [None if pd.isna(day) else str(day.date()) for day in frame["recorded_on"]]
    return list(zip(frame["factor"], frame["suggested_state"], frame["suggested_known"], days, strict=True))


def test_a_suggestion_says_whether_it_was_on_record_before_the_day_of_the_event():
    days = ("2025-05-03", "2025-05-04 10:00", "2025-05-05", None)
    given = texts(*((THREAT, day, "2025-05-01") for day in days), reviews=["R1", "R2", "R3", "R4"])
    found = suggested(given, RULES)
    assert tuple(found.columns) == COLUMNS
    assert found["suggested_known"].tolist() == ["before", "after", "after", "unknown"]
    assert said(found)[1] == ("death_threat", "present", "after", "2025-05-04")
    assert set(found["quote"]) == {THREAT}
    assert set(found["occurred_on"]) == {pd.Timestamp("2025-05-01")}


def test_of_the_same_thing_said_twice_the_first_record_is_quoted_and_a_denial_stands_beside_it():
    found = suggested(
        texts(
            (THREAT, "2025-06-01", "2025-06-01"),
            (THREAT, "2025-03-02", "2025-03-01"),
            (DENIAL, "2025-01-02", "2025-01-01"),
            (None, "2025-01-02", "2025-01-01"),
            ("SIN NOVEDAD", None, None),
        ),
        RULES,
    )
    assert said(found) == [
        ("death_threat", "absent", "before", "2025-01-02"),
        ("death_threat", "present", "before", "2025-03-02"),
    ]


def test_a_text_that_the_team_has_needs_no_days():
    found = suggested(pd.DataFrame({"review_id": ["R7"], "narrative": [THREAT]}), RULES)
    assert said(found) == [("death_threat", "present", "unknown", None)]
    assert suggested(pd.DataFrame({"review_id": [], "narrative": []}), RULES).empty


@pytest.fixture
def registry(tmp_path):
    rows = registry_rows()
    told = "Ramiro Escobedo Luján AMENAZO DE MUERTE A Leticia, LA ESTRANGULO Y TIENE ARMA BLANCA, 4925551234"
    for incident in rows["incidents"]:
        incident["narrative"] = told if incident["case_id"] == "2" else "NIEGA CONSUMO DE ALCOHOL"
    first = next(incident for incident in rows["incidents"] if incident["case_id"] == "2")
    rows["incidents"].append(
        first | {"incident_id": "2-9", "narrative": "CONSUME CRISTAL", "superseded_at": "2025-04-01"}
    )
    rows["victims"][3]["nombre"] = "Estrangulo"  # whoever it is, she is not to be read out of a quote
    return fill(connect(f"sqlite:///{tmp_path}/registry.db", create=True), rows, extra=EXTRA)


def test_the_registrys_narratives_of_these_cases_alone_are_read_and_its_names_masked(registry):
    ids = ["2", KEY.pseudonym("case_id", "2"), None, "99"]
    cases = pd.DataFrame({"review_id": ["R1", "R2", "R3", "R4"], "case_id": ids, "event_on": EVENT})
    found = suggestions_for(cases, registry, RULES, key=KEY)
    assert found["review_id"].value_counts().to_dict() == {"R1": len(found) / 2, "R2": len(found) / 2}
    own = found[found["review_id"] == "R1"].set_index("factor")
    assert "alcohol" not in own.index, "another case's narrative"
    assert "methamphetamine" not in own.index, "a narrative that was corrected"
    assert set(own["suggested_known"]) == {"before"}
    assert set(own["recorded_on"]) == {pd.Timestamp("2025-02-11")}
    assert own.loc["death_threat", "quote"] == "AMENAZO DE MUERTE"
    assert own.loc["strangulation", "quote"] == MASK
    quotes = " ".join(found["quote"])
    assert not any(word in quotes for word in ("Ramiro", "Escobedo", "Leticia", "4925551234"))


def test_a_suggestion_never_becomes_a_code(tmp_path):
    cases = pd.DataFrame([{"review_id": "R1", "kind": "femicide", "event_on": EVENT, "status": "closed"}])
    coded = {"review_id": "R1", "coder": "REV-1", "factor": "alcohol", "state": "absent", "known": "unknown"}
    sheets = {"cases": cases, "factors": pd.DataFrame([coded])}
    found = suggested(texts((THREAT, "2025-03-02", "2025-03-01")), RULES)
    for language in ("es", "en"):
        shown = suggestion_sheet(found, RULES.factors, language)
        path = write_workbook(
            tmp_path / f"{language}.xlsx", RULES.factors, language=language, sheets=sheets, suggestions=shown
        )
        loaded = read_form(path, RULES.factors)
        assert loaded.sheets["factors"]["factor"].tolist() == ["alcohol"]
        assert not loaded.problems
    assert shown["Suggested state (whoever codes decides)"].tolist() == ["Present"]
