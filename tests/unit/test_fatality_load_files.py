"""Several files of one review, files that do not read, and forms written as text."""

import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from riskml.errors import RiskmlError
from riskml.fatality.coding.reading import read_form, read_forms
from riskml.fatality.coding.rejected import write_rejected
from riskml.fatality.coding.workbook import write_workbook
from riskml.fatality.form import SHEETS
from riskml.vocabulary import load_factors

TODAY = date(2026, 11, 22)
CASE = {"review_id": "R1", "kind": "femicide", "event_on": pd.Timestamp("2024-05-17"), "status": "closed"}
CONTACT = {"review_id": "R1", "contact_on": pd.Timestamp("2024-03-02"), "institution": "health"}

FACTORS = Path(__file__).parents[2] / "features" / "factors.yml"


@pytest.fixture(scope="module")
def vocabulary():
    return load_factors(FACTORS)


@pytest.fixture
def form(tmp_path, vocabulary):
    """Writes a filled form and gives its path."""

    def written(name, **rows):
        sheets = {n: pd.DataFrame(r, columns=list(SHEETS[n].names), dtype=object) for n, r in rows.items()}
        return write_workbook(tmp_path / name, vocabulary, sheets={"factors": pd.DataFrame()} | sheets)

    return written


def coding(coder, state, **other):
    return {
        "review_id": "R1",
        "coder": coder,
        "factor": "jealousy",
        "state": state,
        "known": "before",
    } | other


def read(paths, vocabulary):
    return read_forms(paths, vocabulary, today=TODAY)


def names(loaded):
    return sorted(p.name for p in loaded.problems)


# -- several files ---------------------------------------------------------------------------------------


def test_two_coders_files_join_and_what_both_say_alike_counts_once(form, vocabulary):
    first = form("1.xlsx", cases=[CASE], contacts=[CONTACT], factors=[coding("REV-01", "present")])
    more = CASE | {"municipality": "Jerez"}
    second = form("2.xlsx", cases=[more], contacts=[CONTACT], factors=[coding("REV-02", "absent")])
    loaded = read([first, second], vocabulary)
    assert names(loaded) == []
    assert (loaded.filled, loaded.accepted, loaded.twice) == (6, 4, 2)
    assert loaded.sheets["cases"].loc[0, "municipality"] == "Jerez", "what one leaves empty the other says"
    assert loaded.sheets["factors"]["state"].tolist() == ["present", "absent"]
    again = read([second, first], vocabulary)
    assert again.sheets["cases"].equals(loaded.sheets["cases"]), "whatever the order of the files"


def test_what_two_files_say_otherwise_of_a_case_is_refused_on_both_sides(form, vocabulary):
    first = form("1.xlsx", cases=[CASE], contacts=[CONTACT])
    second = form("2.xlsx", cases=[CASE | {"event_on": pd.Timestamp("2024-05-18")}])
    loaded = read([first, second], vocabulary)
    assert names(loaded) == ["case_rejected", "files_differ", "files_differ"]
    assert {(p.file, p.place) for p in loaded.problems if p.name == "files_differ"} == {
        ("1.xlsx", "D3"),
        ("2.xlsx", "D3"),
    }
    assert loaded.accepted == 0


def test_a_case_that_one_file_says_is_on_trial_is_not_reviewed(form, vocabulary):
    first = form("1.xlsx", cases=[CASE])
    second = form("2.xlsx", cases=[CASE | {"status": "on_trial"}])
    for paths in ([first, second], [second, first]):
        loaded = read(paths, vocabulary)
        assert (loaded.accepted, names(loaded)) == (0, ["files_differ", "not_closed"])


def test_a_file_of_factors_alone_finds_its_cases_in_another(form, vocabulary):
    cases = form("cases.xlsx", cases=[CASE])
    factors = form("factors.xlsx", factors=[coding("REV-01", "present")])
    assert names(read([factors], vocabulary)) == ["no_case"]
    assert read([factors, cases], vocabulary).accepted == 2


def test_one_contact_told_apart_by_two_files_is_said(form, vocabulary):
    first = form("1.xlsx", cases=[CASE], contacts=[CONTACT])
    second = form("2.xlsx", contacts=[CONTACT | {"action": "Se le orientó"}])
    loaded = read([first, second], vocabulary)
    assert loaded.accepted == 3
    assert [n.name for n in loaded.notices] == ["contact_twice"]


def test_two_contacts_of_one_file_that_look_alike_are_two_and_it_is_said(form, vocabulary):
    loaded = read([form("1.xlsx", cases=[CASE], contacts=[CONTACT, CONTACT])], vocabulary)
    assert loaded.accepted == 3
    assert [(n.name, n.place) for n in loaded.notices] == [("row_alike", "A4")]


def test_one_victim_in_two_files_is_one_and_says_what_either_knew(form, vocabulary):
    person = {"review_id": "R1", "role": "victim"}
    first = form("1.xlsx", cases=[CASE], people=[person | {"age": "31-40"}])
    second = form("2.xlsx", people=[person | {"sex": "female"}])
    loaded = read([first, second], vocabulary)
    assert (loaded.accepted, loaded.twice) == (2, 1)
    (victim,) = loaded.sheets["people"].to_dict("records")
    assert (victim["age"], victim["sex"]) == ("31-40", "female")
    other = form("3.xlsx", people=[person | {"age": "18"}])
    assert names(read([first, other], vocabulary)) == ["files_differ", "files_differ"]


def test_a_second_aggressor_and_an_unknown_that_somebody_knew_are_said(form, vocabulary):
    person = {"review_id": "R1", "role": "aggressor"}
    unknown = coding("REV-01", "unknown", known="before")
    loaded = read(
        [
            form(
                "1.xlsx",
                cases=[CASE],
                people=[person | {"age": "30"}, person | {"age": "50"}],
                factors=[unknown],
            )
        ],
        vocabulary,
    )
    assert loaded.accepted == 4
    assert {(n.name, n.place) for n in loaded.notices} == {
        ("aggressor_second", "B4"),
        ("unknown_yet_known", "H3"),
    }


def test_a_finding_of_the_day_itself_is_said_not_to_count_as_known_before(form, vocabulary):
    row = coding("REV-01", "present", known_on=pd.Timestamp("2024-05-17"))
    loaded = read([form("1.xlsx", cases=[CASE], factors=[row])], vocabulary)
    assert loaded.accepted == 2
    assert [(n.name, n.place) for n in loaded.notices] == [("known_that_day", "F3")]


def test_a_sheet_of_the_teams_own_is_left_out_and_said(form, vocabulary):
    path = form("1.xlsx", cases=[CASE], contacts=[CONTACT])
    book = load_workbook(path)
    book.create_sheet("Contactos útiles").append(["Fiscalía", "extensión 12"])
    book.copy_worksheet(book["Contactos"]).title = "Hoja1"
    book.save(path)
    loaded = read([path], vocabulary)
    assert [(p.sheet, p.name) for p in loaded.problems] == [("Hoja1", "sheet_near")] * 2, (
        "headed as Contactos"
    )
    del book["Hoja1"]
    book.save(path)
    loaded = read([path], vocabulary)
    assert loaded.accepted == loaded.filled == 2
    assert [(n.sheet, n.name) for n in loaded.notices] == [("Contactos útiles", "sheet_left_out")]


# -- rejected rows ---------------------------------------------------------------------------------------


def test_rejected_rows_never_replace_a_file_and_need_the_one_they_came_from(form, vocabulary, tmp_path):
    wrong = CASE | {"review_id": "R2", "status": "on_trial"}
    path = form("casos.xlsx", cases=[CASE, wrong], contacts=[CONTACT | {"review_id": "R2"}])
    loaded = read([path], vocabulary)
    first = write_rejected(tmp_path, loaded, vocabulary)
    assert write_rejected(tmp_path, loaded, vocabulary) == first, "the same rows are not written twice"
    corrected = load_workbook(first)
    corrected["Casos"]["N2"] = "Cerrado"
    corrected.save(first)
    content = first.read_bytes()
    assert write_rejected(tmp_path, loaded, vocabulary).name == "rejected-2.xlsx"
    assert first.read_bytes() == content

    assert read([first], vocabulary).accepted == 3, "the contact is accepted with its case"
    other = form("casos.xlsx", cases=[CASE])
    with pytest.raises(RiskmlError, match=r"casos\.xlsx was changed since"):
        read([first], vocabulary)
    other.unlink()
    with pytest.raises(RiskmlError, match=r"riskml fatality load casos\.xlsx rejected\.xlsx"):
        read([first], vocabulary)


def test_rejected_rows_that_are_corrected_wrongly_are_rejected_again(form, vocabulary, tmp_path):
    path = form("casos.xlsx", cases=[CASE, CASE | {"review_id": "R2", "status": "on_trial"}])
    first = write_rejected(tmp_path, read([path], vocabulary), vocabulary)
    book = load_workbook(first)
    book["Casos"]["N2"] = "Serrado"
    book.save(first)
    loaded = read([path, first], vocabulary)
    assert [(p.file, p.name) for p in loaded.problems] == [("rejected.xlsx", "value_near")]
    second = write_rejected(tmp_path, loaded, vocabulary)
    book = load_workbook(second)
    book["Casos"]["N2"] = "Cerrado"
    book.save(second)
    assert read([second], vocabulary).accepted == 2, "each finds the file that it came from"


# -- files that do not read ------------------------------------------------------------------------------


def test_what_is_no_form_is_said_in_one_message(tmp_path, vocabulary):
    empty, text, old, archive, other = (tmp_path / f"{name}.xlsx" for name in "abcde")
    empty.write_bytes(b"")
    text.write_text("review_id,kind\nR1,femicide\n")
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("hello.txt", "hello")
    book = load_workbook(write_workbook(other, vocabulary))
    for name in [name for name in book.sheetnames if name != "Instrucciones"]:
        del book[name]
    book.save(other)
    for path, words in [
        (empty, "empty"),
        (text, "not an .xlsx"),
        (old, "password"),
        (archive, "not an .xlsx"),
        (other, "no sheet of the review form"),
        (tmp_path / "gone.xlsx", "cannot be read"),
    ]:
        with pytest.raises(RiskmlError, match=words) as refused:
            read_form(path, vocabulary)
        assert path.name in str(refused.value)
        assert len(str(refused.value).splitlines()) == 2, "what and where, and how to mend it"


# -- a form written as text ------------------------------------------------------------------------------

TEXT = """\
Casos:
- Clave de revisión: R001
  Tipo de hecho: Feminicidio
  Fecha del hecho: 17/05/2024
  Estado del caso: Cerrado
  Denuncia o reporte anterior: no
- Clave de revisión: 0012
  Tipo de hecho: Femincidio
  Fecha del hecho: 2024-02-30
  Estado del caso: Cerrado
  Denuncia anterior: sí
Personas: []
Factores:
- {review_id: R001, coder: REV-01, factor: jealousy, state: present, known_on: 2024-03-01}
- {review_id: "0012", coder: Ana, factor: jealousy, state: absent}
Contactos:
- Clave de revisión: R001
  Fecha del contacto: 02/03/2024
  Institución: Servicios de salud
  Factores conocidos: [Celos intensos, stalking]
"""


def test_mistakes_in_a_text_are_named_with_their_line(tmp_path, vocabulary):
    path = tmp_path / "casos.yml"
    path.write_text(TEXT, encoding="utf-8")
    loaded = read_form(path, vocabulary, today=TODAY)
    assert {(p.name, p.place) for p in loaded.problems} == {
        ("value_near", "8"),
        ("date_impossible", "9"),
        ("column_near", "11"),
        ("coder", "15"),
        ("case_rejected", "15"),
    }
    assert loaded.sheets["cases"]["earlier_report"].tolist() == ["no"]
    assert loaded.sheets["contacts"]["known_factors"].tolist() == ["jealousy; stalking"]
    assert "línea 8" in loaded.problems[0].words("es")

    rejected = write_rejected(tmp_path, loaded, vocabulary)
    book = load_workbook(rejected)
    cases = {cell.value: cell.column for cell in book["Casos"][1]}
    assert names(read([rejected], vocabulary)) == names(loaded), "as they stand they are still wrong"
    assert book["Casos"].cell(2, cases["Clave de revisión *"]).value == "0012", "as it was written"
    book["Casos"].cell(2, cases["Tipo de hecho *"]).value = "Feminicidio"
    book["Casos"].cell(2, cases["Fecha del hecho *"]).value = "2024-02-28"
    book["Casos"].cell(2, cases["Denuncia anterior"]).value = None
    book["Casos"].cell(2, cases["Denuncia o reporte anterior"]).value = "sí"
    book["Factores"]["B2"] = "REV-01"
    book.save(rejected)
    clean = read([path, rejected], vocabulary)
    assert names(clean) == []
    assert clean.sheets["cases"]["earlier_report"].tolist() == ["no", "yes"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("Casos: [", "not valid YAML"),
        ("- R001", "not a list of sheets"),
        ("Casos:\n- R001", "line 2"),
        ("Casos:\n- {kind: {a: b}}", "line 2"),
        ("Casos:\n- &a {review_id: R1}\n- *a", "line 2"),
        ("Otra:\n- {a: b}", "no sheet of the review form"),
    ],
)
def test_a_text_that_is_no_form_is_said_with_its_line(tmp_path, vocabulary, text, words):
    path = tmp_path / "casos.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RiskmlError, match=words):
        read_form(path, vocabulary)
