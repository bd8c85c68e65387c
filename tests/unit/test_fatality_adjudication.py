"""The adjudication sheet: what coders differ in goes out, what the team decides comes back, cell by cell."""

from datetime import date, datetime

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook

from registries import FACTORS
from riskml.errors import RiskmlError
from riskml.fatality.coding.adjudication import (
    ADJUDICATED,
    is_adjudication,
    read_adjudication,
    write_adjudication,
)
from riskml.fatality.coding.coders import joined

BEFORE = pd.Timestamp("2025-01-15")
TODAY = date(2026, 1, 5)


def coding(*rows):
    names = ("review_id", "coder", "factor", "state", "known", "known_on", "known_by", "evidence")
    return pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows], columns=list(names))


CODED = coding(
    ("R1", "REV-2", "strangulation", "absent", "after", None, None, "=1+1"),
    ("R1", "REV-1", "strangulation", "present", "before", BEFORE, "health", "nota médica"),
    ("R1", "REV-1", "weapon_used", "present", "before", BEFORE, "health"),
    ("R1", "REV-2", "weapon_used", "present", "before", None, "health"),
    ("R2", "REV-1", "weapon_used", "absent"),
    ("R2", "REV-2", "weapon_used", "absent"),
)
# On the sheet: A review, B factor, D state, E known, F known on, G known by, H who adjudicated.


@pytest.fixture(params=["es", "en"])
def language(request):
    return request.param


def written(folder, language="es", **cells):
    """A sheet of CODED with cells filled in."""
    path = write_adjudication(folder / "adjudication.xlsx", CODED, FACTORS, language=language)
    book = load_workbook(path)
    sheet = book.worksheets[1]
    for cell, value in cells.items():
        sheet[cell] = value
    book.save(path)
    return path


def read(path):
    return read_adjudication(path, FACTORS, today=TODAY)


def test_only_what_differs_goes_out_with_both_codings(tmp_path):
    sheet = load_workbook(written(tmp_path)).worksheets[1]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[:3] for row in rows] == [
        ["R1", "Estrangulamiento", "estado, si se sabía antes, desde cuándo, quién lo sabía"],
        ["R1", "Uso de arma", "desde cuándo"],
    ]
    assert rows[0][8:14] == [
        "REV-1",
        "Presente",
        "Antes del hecho",
        BEFORE,
        "Servicios de salud",
        "nota médica",
    ]
    assert rows[0][14:16] == ["REV-2", "Ausente"]
    assert (sheet["T2"].value, sheet["T2"].data_type) == ("=1+1", "s"), "a coder's text is no formula"
    assert {str(check.sqref) for check in sheet.data_validations.dataValidation} == {
        "D2:D3",
        "E2:E3",
        "F2:F3",
        "G2:G3",
    }


def test_coders_who_agree_need_no_sheet(tmp_path):
    agreed = CODED[CODED["review_id"] == "R2"]
    assert write_adjudication(tmp_path / "adjudication.xlsx", agreed, FACTORS) is None
    assert not list(tmp_path.iterdir())


def test_what_is_left_empty_stays_undecided(tmp_path, language):
    rows, problems = read(written(tmp_path, language))
    assert (len(rows), problems) == (0, [])
    assert tuple(rows.columns) == ADJUDICATED
    cases = pd.DataFrame([{"review_id": r, "event_on": pd.Timestamp("2025-06-10")} for r in ("R1", "R2")])
    factors, _ = joined({"cases": cases, "factors": CODED}, rows)
    assert factors["agreed"].tolist() == ["no", "yes", "yes"]


def test_what_the_team_decided_comes_back_in_either_language(tmp_path, language):
    words = {
        "es": ("Presente", "Antes del hecho", "Servicios de salud"),
        "en": ("PRESENT", "before", "health"),
    }
    state, known, by = words[language]
    path = written(
        tmp_path, language, D2=state, E2=known, F2="01/02/2025", G2=by, H2="rev-03", D3="absent", H3="REV-03"
    )
    rows, problems = read(path)
    assert problems == []
    assert rows.to_dict("records") == [
        {
            "review_id": "R1",
            "factor": "strangulation",
            "state": "present",
            "known": "before",
            "known_on": pd.Timestamp("2025-02-01"),
            "known_by": "health",
            "adjudicated_by": "REV-03",
        },
        {
            "review_id": "R1",
            "factor": "weapon_used",
            "state": "absent",
            "known": None,
            "known_on": pd.NaT,
            "known_by": None,
            "adjudicated_by": "REV-03",
        },
    ]
    again = write_adjudication(tmp_path / "again.xlsx", CODED, FACTORS, language=language, adjudicated=rows)
    pd.testing.assert_frame_equal(read(again)[0], rows)
    cases = pd.DataFrame([{"review_id": r, "event_on": pd.Timestamp("2025-06-10")} for r in ("R1", "R2")])
    factors, _ = joined({"cases": cases, "factors": CODED}, rows)
    assert factors["state"].tolist() == ["present", "absent", "absent"]
    assert set(factors["agreed"]) == {"yes"}


# What is written into the row of the review R10, R11, ...: column -> value, the column at fault, the mistake.
MISTAKES = (
    ({"D": "Presente"}, "H", "missing"),
    ({"H": "REV-03"}, "D", "missing"),
    ({"D": "Presnte", "H": "REV-03"}, "D", "value_near"),
    ({"D": "=A1", "H": "REV-03"}, "D", "formula"),
    ({"D": "Presente", "H": "María Pérez"}, "H", "coder"),
    ({"D": "Presente", "F": "02/13/2025", "H": "REV-03"}, "F", "date_month_first"),
    ({"D": "Presente", "F": datetime(2027, 1, 1), "H": "REV-03"}, "F", "future"),
    ({"D": "Presente", "G": "la tía", "H": "REV-03"}, "G", "value_unknown"),
    ({"D": "Presente", "B": "Estrangulacion", "H": "REV-03"}, "B", "factor_near"),
    ({"D": "Presente", "A": None, "H": "REV-03"}, "A", "missing"),
)


def test_mistakes_are_named_with_their_cells_and_the_other_rows_count(tmp_path):
    coded = coding(
        *(
            (f"R{10 + number}", coder, "strangulation", state)
            for number in range(len(MISTAKES) + 1)
            for coder, state in (("REV-1", "present"), ("REV-2", "absent"))
        )
    )
    path = write_adjudication(tmp_path / "adjudication.xlsx", coded, FACTORS)
    book = load_workbook(path)
    for row, (cells, _, _) in enumerate((*MISTAKES, ({"D": "absent", "H": "REV-03"}, "", "")), start=2):
        for column, value in cells.items():
            book.worksheets[1][f"{column}{row}"] = value
    book.save(path)
    rows, problems = read(path)
    wanted = [(f"{column}{row}", name) for row, (_, column, name) in enumerate(MISTAKES, start=2)]
    assert [(problem.place, problem.name) for problem in problems] == wanted
    assert all("Adjudicación" in problem.words("es") for problem in problems)
    assert all(problem.reason("es") != problem.reason("en") for problem in problems)
    assert rows["review_id"].tolist() == ["R20"]


def test_a_row_that_stands_twice_counts_once(tmp_path):
    path = written(tmp_path, B3="Estrangulamiento", D2="present", H2="REV-03", D3="absent", H3="REV-03")
    rows, problems = read(path)
    assert [(p.place, p.name, p.fields) for p in problems] == [("B3", "repeated", {"place": "B2"})]
    assert rows["state"].tolist() == ["present"]


def test_a_file_without_the_sheet_or_its_columns_is_one_message(tmp_path):
    book = Workbook()
    book.active.append(["x"])
    book.save(tmp_path / "other.xlsx")
    assert not is_adjudication(tmp_path / "other.xlsx")
    assert is_adjudication(written(tmp_path))
    with pytest.raises(RiskmlError, match="no adjudication sheet"):
        read(tmp_path / "other.xlsx")
    with pytest.raises(RiskmlError, match='columns are missing: "Estado acordado *"'.replace("*", r"\*")):
        read(written(tmp_path, D1="Estado"))
