"""A workbook filled in by hand with many kinds of mistakes: each named with its cell, nothing lost."""

from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from riskml.fatality.coding.form_words import heading, sheet_title
from riskml.fatality.coding.reading import read_form, read_forms
from riskml.fatality.coding.rejected import write_rejected
from riskml.fatality.coding.workbook import write_workbook
from riskml.fatality.form import SHEETS
from riskml.vocabulary import load_factors

TODAY = date(2026, 11, 22)
FIRST = 3  # below the headings and the example

FACTORS = Path(__file__).parents[2] / "features" / "factors.yml"


@pytest.fixture(scope="module")
def vocabulary():
    return load_factors(FACTORS)


def column(sheet, name):
    return list(SHEETS[sheet].names).index(name) + 1


def letter(sheet, name):
    return "ABCDEFGHIJKLMNOP"[column(sheet, name) - 1]


def case(review, **other):
    sound = {"kind": "Feminicidio", "event_on": datetime(2024, 5, 17), "status": "Cerrado"}
    return {"review_id": review} | sound | other


def factor(review, code, **other):
    sound = {"coder": "REV-01", "state": "Presente", "known": "Antes del hecho"}
    return {"review_id": review, "factor": code} | sound | other


# What a team might type, row by row: (sheet, row, column that is wrong, kind of mistake, the row corrected).
SOUND = {
    "cases": [
        case("R001"),
        case("r002", event_on="17/05/2024"),
        case("R003 ", event_on="2024-05-17", kind="femicide"),
    ],
    "people": [{"review_id": "R001", "role": "VICTIMA", "age": "31 a 40", "sex": "mujer"}],
    "contacts": [{"review_id": "R001", "contact_on": date(2024, 5, 17), "institution": "fiscalia"}],
    "factors": [factor("R001", "strangulation"), factor("R002", "Celos intensos", known_on="03/04/2024")],
    "missed": [
        {"review_id": "R001", "institution": "Servicios de salud", "how": "Se registro y NO se valoro"}
    ],
    "recommendations": [{"recommendation": "Preguntar siempre", "addressee": "911", "publish": "si"}],
}
SOUND["recommendations"][0]["addressee"] = "Emergencias 911"

WRONG = [
    ("cases", case("Juan Perez"), "review_id", "review_id", {"review_id": "R010"}),
    ("cases", case(None), "review_id", "missing", {"review_id": "R011"}),
    ("cases", case("4921234567"), "review_id", "review_id", {"review_id": "R012"}),
    ("cases", case("R013", kind="Femincidio"), "kind", "value_near", {"kind": "Feminicidio"}),
    ("cases", case("R014", kind="robo"), "kind", "value_unknown", {"kind": "Feminicidio"}),
    ("cases", case("R015", kind=None), "kind", "missing", {"kind": "Feminicidio"}),
    ("cases", case("R016", event_on="17/05/24"), "event_on", "date_short_year", {"event_on": "17/05/2024"}),
    (
        "cases",
        case("R017", event_on="05/17/2024"),
        "event_on",
        "date_month_first",
        {"event_on": "17/05/2024"},
    ),
    ("cases", case("R018", event_on="31/02/2024"), "event_on", "date_impossible", {"event_on": "28/02/2024"}),
    ("cases", case("R019", event_on="mayo de 2024"), "event_on", "date", {"event_on": "01/05/2024"}),
    ("cases", case("R020", event_on=45429), "event_on", "date_number", {"event_on": "17/05/2024"}),
    ("cases", case("R021", event_on=date(2031, 1, 1)), "event_on", "future", {"event_on": "01/01/2021"}),
    ("cases", case("R022", event_on=date(1902, 1, 1)), "event_on", "too_early", {"event_on": "01/01/2002"}),
    ("cases", case("R023", status="En juicio"), "status", "not_closed", {"status": "Cerrado"}),
    ("cases", case("R024", case_id="Juana P"), "case_id", "registry_id", {"case_id": None}),
    (
        "cases",
        case("R025", municipality="Calle Hidalgo 23"),
        "municipality",
        "personal_data",
        {"municipality": "Jerez"},
    ),
    ("cases", case("R026", method="=A1"), "method", "formula", {"method": "Golpes"}),
    (
        "cases",
        case("R027", children_present="tal vez"),
        "children_present",
        "value_unknown",
        {"children_present": "Sí"},
    ),
    ("people", {"review_id": "R001", "role": "Agresor", "age": 140}, "age", "age_range", {"age": 40}),
    (
        "people",
        {"review_id": "R001", "role": "Agresor", "age": "40-31"},
        "age",
        "age_order",
        {"age": "31-40"},
    ),
    ("people", {"review_id": "R001", "role": "Agresor", "age": "adulto"}, "age", "age", {"age": None}),
    (
        "people",
        {"review_id": "R001", "role": "Agresor", "age": date(2026, 12, 10)},
        "age",
        "age_as_date",
        {"age": "10-12"},
    ),
    (
        "people",
        {"review_id": "R001", "role": "Testigo", "occupation": "Lic. Ana Ruiz"},
        "occupation",
        "personal_data",
        {"occupation": "abogada"},
    ),
    ("people", {"review_id": "R003", "role": "Víctima", "age": 31}, "role", "victim_second", {}),
    (
        "people",
        {"review_id": "R003", "role": "Víctima", "age": 8},
        "role",
        "victim_second",
        {"role": "Otra víctima"},
    ),
    (
        "people",
        {"review_id": "R001", "role": "Víctima", "age": "31-40", "sex": "Mujer"},
        "role",
        "repeated",
        None,
    ),
    ("people", {"review_id": "R0O1", "role": "Testigo"}, "review_id", "no_case_near", {"review_id": "R001"}),
    ("people", {"review_id": "Z999", "role": "Testigo"}, "review_id", "no_case", {"review_id": "R001"}),
    (
        "contacts",
        {"review_id": "R001", "contact_on": date(2024, 6, 1), "institution": "Refugio"},
        "contact_on",
        "after_event",
        {"contact_on": date(2024, 4, 1)},
    ),
    (
        "contacts",
        {
            "review_id": "R001",
            "contact_on": date(2024, 1, 1),
            "institution": "Refugio",
            "known_factors": "celos intensos, qwzx",
        },
        "known_factors",
        "factors_near",
        {"known_factors": "celos intensos; alcohol"},
    ),
    (
        "contacts",
        {"review_id": "R001", "contact_on": "#N/A", "institution": "Refugio"},
        "contact_on",
        "error_value",
        {"contact_on": date(2024, 1, 2)},
    ),
    (
        "contacts",
        {"review_id": "R023", "contact_on": date(2024, 1, 1), "institution": "Refugio"},
        "review_id",
        "case_rejected",
        {},
    ),
    ("factors", factor("R001", "jealousy", coder="Juan Pérez"), "coder", "coder", {"coder": "REV-02"}),
    (
        "factors",
        factor("R001", "strangulacion"),
        "factor",
        "factor_near",
        {"factor": "strangulation", "coder": "REV-02"},
    ),
    ("factors", factor("R001", "qwzx"), "factor", "factor_unknown", {"factor": "stalking"}),
    (
        "factors",
        factor("R001", "alcohol", known_on=date(2024, 8, 1)),
        "known_on",
        "before_but_later",
        {"known": "Solo después del hecho"},
    ),
    (
        "factors",
        factor("R001", "drugs", known="solo despues del hecho", known_on=date(2024, 1, 1)),
        "known_on",
        "after_but_earlier",
        {"known": "Antes del hecho"},
    ),
    ("factors", factor("R002", "Celos intensos", known_on="03/04/2024"), "factor", "repeated", None),
    ("factors", factor("R002", "death_threat"), "factor", "repeated_differs", {}),
    ("factors", factor("R002", "death_threat", state="Ausente"), "factor", "repeated_differs", None),
    ("factors", factor("R002", "unemployed", evidence="x" * 4001), "evidence", "too_long", {"evidence": "x"}),
    (
        "factors",
        {"review_id": "EJEMPLO", "coder": "REV-01", "factor": "stalking", "state": "Ausente"},
        "review_id",
        "example_filled",
        {"review_id": "R002"},
    ),
    (
        "missed",
        {"review_id": "R001", "institution": "Refugio", "how": "nada", "missed_on": date(2024, 1, 1)},
        "how",
        "value_unknown",
        {"how": "No hubo contacto"},
    ),
    (
        "missed",
        {
            "review_id": "R001",
            "institution": "Refugio",
            "how": "No hubo contacto",
            "missed_on": date(2025, 1, 1),
        },
        "missed_on",
        "after_event",
        {"missed_on": None},
    ),
    (
        "recommendations",
        {"recommendation": "Avisar", "addressee": "Fiscalía", "deadline_on": date(2098, 1, 1)},
        "deadline_on",
        "too_late",
        {"deadline_on": date(2027, 1, 1)},
    ),
    (
        "recommendations",
        {
            "review_id": "R001",
            "recommendation": "Avisar",
            "addressee": "Fiscalía",
            "deadline_on": date(2023, 1, 1),
        },
        "deadline_on",
        "deadline_before_event",
        {"deadline_on": date(2027, 1, 1)},
    ),
]


def fill(path, vocabulary):
    """A template filled in as somebody would, and where each wrong row came to stand."""
    write_workbook(path, vocabulary)
    book = load_workbook(path)
    places, next_row = [], {}
    for name, rows in SOUND.items():
        sheet = book[sheet_title(name, "es")]
        for number, row in enumerate(rows, start=FIRST):
            put(sheet, name, number, row)
        next_row[name] = FIRST + len(rows) + 1  # an empty row between
    for name, row, at, kind, _ in WRONG:
        number = next_row[name]
        next_row[name] += 1
        put(book[sheet_title(name, "es")], name, number, row)
        places.append((name, f"{letter(name, at)}{number}", kind))
    more_mistakes(book, next_row)
    book.save(path)
    return places


def put(sheet, name, number, row):
    for key, value in row.items():
        sheet.cell(number, column(name, key), value)


def more_mistakes(book, next_row):
    """What goes wrong with sheets and columns."""
    contacts = book["Contactos"]
    number = next_row["contacts"]
    put(
        contacts,
        "contacts",
        number,
        {"review_id": "R001", "contact_on": date(2024, 1, 3), "institution": "Refugio"},
    )
    contacts.cell(number, 12, "fuera de las columnas")  # no heading above it
    put(contacts, "contacts", number + 1, {"review_id": "R001", "contact_on": date(2024, 1, 4)})
    put(contacts, "contacts", number + 1, {"institution": "Refugio"})
    contacts.merge_cells(start_row=number + 1, end_row=number + 2, start_column=1, end_column=1)
    contacts.cell(number + 3, 5, "   ")  # blanks are nothing
    contacts.cell(1, 7, "Que se hiso")  # the heading of a column, misspelt
    put(contacts, "contacts", number + 4, {"review_id": "R001", "contact_on": date(2024, 1, 5)})
    put(contacts, "contacts", number + 4, {"institution": "Refugio", "action": "Se le orientó"})
    missed = book["Oportunidades"]
    missed.cell(1, 6, "Nota")  # a column twice
    put(missed, "missed", next_row["missed"], {"review_id": "R001", "institution": "Refugio"})
    put(missed, "missed", next_row["missed"], {"how": "No hubo contacto"})
    missed.cell(next_row["missed"], 6, "otra")
    book["Casos"].cell(1, 17, "Observaciones del equipo")  # a column of the team's own
    book["Casos"].cell(FIRST, 17, "se queda aquí")
    other = book.create_sheet("Factor")  # a sheet of nearly the right title
    other.append([heading("factors", f, "es") for f in SHEETS["factors"].fields])
    other.append(["R003", "REV-01", "Celos intensos", "Presente"])
    evidence = "Llamó al 492 123 4567 y a ana@correo.mx; vive en calle Hidalgo 23"
    put(book["Factores"], "factors", next_row["factors"], factor("R003", "stalking", evidence=evidence))
    put(
        book["Factores"],
        "factors",
        next_row["factors"] + 1,
        {"review_id": "R003", "factor": "Celos intensos"},
    )


STRUCTURE = [
    ("Contactos", "no_heading"),
    ("Contactos", "merged"),
    ("Contactos", "column_near"),
    ("Oportunidades", "column_twice"),
    ("Factor", "sheet_near"),
]


def test_each_mistake_is_named_with_its_cell_and_nothing_is_lost(tmp_path, vocabulary):
    path = tmp_path / "casos.xlsx"
    places = fill(path, vocabulary)
    before = path.read_bytes()
    loaded = read_form(path, vocabulary, today=TODAY)

    named = {(p.sheet, p.place, p.name) for p in loaded.problems}
    expected = {(sheet_title(name, "es"), place, kind) for name, place, kind in places}
    assert expected <= named, expected - named
    structure = {(sheet, name) for sheet, _, name in named - expected}
    assert structure == set(STRUCTURE)
    kinds = {p.name for p in loaded.problems}
    assert len(kinds) >= 30, "at least thirty kinds"
    for problem in loaded.problems:
        assert problem.words("es") != problem.words("en")

    # Sound rows: 9 of SOUND, and the one whose evidence was masked. The example rows are nobody's.
    filled_in = sum(map(len, SOUND.values())) + len(WRONG) + 6
    assert loaded.filled == filled_in
    assert loaded.accepted + len(loaded.rejected) + loaded.twice == filled_in
    assert loaded.accepted == sum(map(len, SOUND.values())) + 1
    assert loaded.waiting == 1, "a factor row that nobody has coded yet"
    assert {n.name for n in loaded.notices} == {"masked", "column_left_out"}
    text = loaded.sheets["factors"]["evidence"].dropna().iloc[-1]
    assert not any(part in text for part in ("492", "@", "Hidalgo"))
    assert path.read_bytes() == before

    said = " ".join(p.words("es") for p in loaded.problems)
    assert not any(part in said for part in ("Juan", "4921234567", "Hidalgo")), "it repeats a name"


def test_rejected_rows_corrected_load_again_with_the_file_they_came_from(tmp_path, vocabulary):
    path = tmp_path / "casos.xlsx"
    fill(path, vocabulary)
    loaded = read_form(path, vocabulary, today=TODAY)
    kept = write_rejected(tmp_path, loaded, vocabulary)
    assert kept.name == "rejected.xlsx"

    again = read_form(kept, vocabulary, today=TODAY)
    assert len(again.rejected) == len(loaded.rejected) - 1, (
        "still wrong, but what was merged stands apart now"
    )
    assert again.filled == loaded.filled

    correct(kept)
    clean = read_forms([path, kept], vocabulary, today=TODAY)
    assert [p.words("es") for p in clean.problems] == []
    deleted = sum(mended is None for *_, mended in WRONG)
    assert clean.accepted == loaded.filled - deleted
    alone = read_form(kept, vocabulary, today=TODAY)  # the file that it came from stands beside it
    assert {n: f.to_dict() for n, f in alone.sheets.items()} == {
        n: f.to_dict() for n, f in clean.sheets.items()
    }


def correct(path):
    """Mend every rejected row as a person would, in the order in which they stand."""
    book = load_workbook(path)
    for name in SHEETS:
        sheet = book[sheet_title(name, "es")]
        headings = [cell.value for cell in sheet[1]]
        for number, mended in reversed(list(enumerate([w[4] for w in WRONG if w[0] == name], start=2))):
            if mended is None:
                sheet.delete_rows(number)
                continue
            for key, value in mended.items():
                words = heading(name, SHEETS[name][key], "es")
                cell = sheet.cell(number, headings.index(words) + 1)
                cell.value = value
    contacts, missed = book["Contactos"], book["Oportunidades"]
    headings = [cell.value for cell in contacts[1]]
    contacts.cell(1, headings.index("Que se hiso") + 1, "Qué se hizo")
    for row in contacts.iter_rows(min_row=2):
        for cell in row:
            if cell.value == "fuera de las columnas":
                cell.value = None
    for row in missed.iter_rows(min_row=2):
        for cell in row:
            if cell.value == "otra":
                cell.value = None
    rows = list(book["Factor"].iter_rows(min_row=2, max_col=8, values_only=True))
    for row in rows:
        book["Factores"].append(row)
    del book["Factor"]
    book.save(path)
