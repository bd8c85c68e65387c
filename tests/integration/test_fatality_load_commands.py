"""`riskml fatality template` and `load` as a team uses them, with a registry of a few cases and without."""

import json
import sqlite3
from contextlib import closing

import pandas as pd
import pytest
from openpyxl import load_workbook

from registries import PERSONAL
from riskml.fatality.coding.form_words import sheet_title
from riskml.fatality.coding.workbook import write_workbook
from riskml.fatality.form import SHEETS
from riskml.registry.database import connect, mark_synthetic, writing
from riskml.vocabulary import load_factors
from riskml.workspace import open_workspace
from workspaces import riskml, rows_of, state_of


@pytest.fixture
def small(small):
    """With the key that its cases are linked by."""
    open_workspace(small).ensure_key()
    return small


def case(number, **other):
    own = {"review_id": f"R{number}", "case_id": str(number), "relationship": "ex-partner"}
    happened = {"kind": "femicide", "event_on": pd.Timestamp("2025-07-01"), "status": "closed"}
    return own | happened | other


def coding(coder, state, number=1, factor="strangulation"):
    row = {"review_id": f"R{number}", "coder": coder, "factor": factor, "state": state}
    return row | {"known": "before", "known_on": pd.Timestamp("2025-03-01")}


@pytest.fixture
def form(tmp_path, new):
    """Writes a filled form beside the workspace and gives its path."""
    vocabulary = load_factors(new / "features" / "factors.yml")

    def written(name, **rows):
        sheets = {n: pd.DataFrame(r, columns=list(SHEETS[n].names), dtype=object) for n, r in rows.items()}
        return write_workbook(tmp_path / name, vocabulary, sheets={"factors": pd.DataFrame()} | sheets)

    return written


def load(folder, *arguments):
    return riskml("fatality", "load", *arguments, "--workspace", folder)


def kept(folder):
    return open_workspace(folder).reviews()


def test_the_form_is_written_once_and_never_over_one_that_is_filled_in(new, tmp_path):
    asked = ("fatality", "template", "--out", tmp_path / "coding", "--workspace", new)
    said = riskml(*asked)
    assert said.code == 0, said.err
    assert "review.xlsx" in said.out
    assert "review.yml" in said.out
    assert riskml(*asked).code == 0, "an untouched form is the same form"
    book = load_workbook(tmp_path / "coding" / "review.xlsx")
    assert book.sheetnames[1:7] == [sheet_title(name, "es") for name in SHEETS]
    book["Casos"]["A3"] = "R001"
    book.save(tmp_path / "coding" / "review.xlsx")
    before = state_of(tmp_path / "coding")
    refused = riskml(*asked, "--language", "en")
    assert refused.code == 2
    assert "may have been filled in" in refused.err
    assert state_of(tmp_path / "coding") == before, "and nothing is left lying about"


def test_a_folder_that_takes_no_file_is_said(new, tmp_path):
    (tmp_path / "file").write_text("")
    said = riskml("fatality", "template", "--out", tmp_path / "file" / "below", "--workspace", new)
    assert said.code == 2
    assert "cannot write here" in said.err


def test_an_empty_form_is_said_to_be_empty(new, tmp_path):
    riskml("fatality", "template", "--out", tmp_path, "--workspace", new)
    said = load(new, tmp_path / "review.xlsx")
    assert said.code == 2
    assert "nothing is filled in" in said.err
    assert not (new / "reviews").exists()


def test_a_team_without_a_registry_loads_what_it_coded(new, form):
    path = form("casos.xlsx", cases=[case(1, case_id=None)], factors=[coding("REV-01", "present")])
    said = load(new, path)
    assert said.code == 0, said.err
    assert "Aceptados: 2 de 2" in said.out
    assert "Ningún caso lleva clave del padrón" in said.out
    reviews = kept(new)
    assert reviews.about["files"] == ["casos.xlsx"], "the name, and no folder"
    assert reviews.about["coders"] == ["REV-01"]
    assert str(path.parent) not in json.dumps(reviews.about)


def test_a_registry_that_is_named_and_not_there_is_an_error_unless_waived(new, form):
    path = form("casos.xlsx", cases=[case(1)], people=[{"review_id": "R1", "role": "victim", "age": "31-40"}])
    said = load(new, path)
    assert said.code == 2
    assert "--unlinked" in said.err, "a team without the registry is told how to go on"
    assert not (new / "reviews").exists()
    assert load(new, path, "--unlinked").code == 0
    reviews = kept(new)
    assert reviews.cases["case_id"].tolist() == [None], "no id of the registry is kept"
    assert reviews.people[["age_low", "age_high"]].to_numpy().tolist() == [[31.0, 40.0]]


def test_two_coders_are_joined_adjudicated_linked_and_staged(small, form, tmp_path):
    cases = [case(1), case(2), case(3, case_id="nowhere")]
    first = form("c1.xlsx", cases=cases, factors=[coding("REV-01", "present"), coding("REV-01", "absent", 2)])
    second = form("c2.xlsx", factors=[coding("REV-02", "absent"), coding("REV-02", "absent", 2)])
    held = rows_of(small, "outcomes")
    said = load(small, first, second)
    assert said.code == 0, said.err
    assert "1/2" in said.out, "coders agree on one of two"
    assert "Vinculados al padrón: 2 de 3 casos" in said.out
    assert "R3: El padrón no tiene un caso con esta clave" in said.out
    assert "nowhere" not in said.out
    assert len(rows_of(small, "riskml_outcomes_staging")) == 2
    assert rows_of(small, "outcomes") == held, "only its owner writes there"
    reviews = kept(small)
    assert reviews.about["key_fingerprint"] == open_workspace(small).key.fingerprint
    assert reviews.about["synthetic"] is False
    assert "1" not in reviews.cases["case_id"].tolist()
    factors = reviews.factors.set_index("review_id")
    assert factors.loc["R1", ["state", "agreed"]].tolist() == ["unknown", "no"]
    assert factors.loc["R2", ["state", "agreed"]].tolist() == ["absent", "yes"]

    book = load_workbook(tmp_path / "adjudication.xlsx")
    sheet = book["Adjudicación"]
    decided = {"Estado acordado *": "Presente"}
    for column, words in enumerate([cell.value for cell in sheet[1]], start=1):
        if words and words.startswith("Estado acordado"):
            sheet.cell(2, column, decided["Estado acordado *"])
        if words and words.endswith("*") and not words.startswith(("Clave", "Factor", "Estado")):
            sheet.cell(2, column, "REV-03")
    book.save(tmp_path / "adjudication.xlsx")
    said = load(small, first, second, tmp_path / "adjudication.xlsx")
    assert said.code == 0, said.err
    assert kept(small).factors["state"].tolist() == ["present", "absent"]
    assert len(rows_of(small, "riskml_outcomes_staging")) == 2, "staged once"
    assert not (tmp_path / "adjudication-2.xlsx").exists()


def test_rejected_rows_are_said_loudly_and_the_rest_is_kept(small, form, tmp_path):
    path = form(
        "casos.xlsx", cases=[case(1), case(2, status="on_trial")], factors=[coding("REV-01", "present", 2)]
    )
    said = load(small, path, "--language", "en")
    assert said.code == 0, said.err
    assert "REJECTED: 2 of 3 rows" in said.out
    assert "cell N4" in said.out
    assert "not reviewed while on trial" in said.out
    assert f"riskml fatality load {path} {tmp_path / 'rejected.xlsx'}" in said.out
    assert len(kept(small)) == 1
    book = load_workbook(tmp_path / "rejected.xlsx")
    book["Cases"]["N2"] = "Closed"
    book.save(tmp_path / "rejected.xlsx")
    said = load(small, path, tmp_path / "rejected.xlsx", "--language", "en")
    assert said.code == 0, said.err
    assert "REJECTED" not in said.out
    assert len(kept(small)) == 2


def test_where_nothing_is_accepted_nothing_is_kept_but_the_rejected_rows(small, form, tmp_path):
    said = load(small, form("casos.xlsx", cases=[case(1, status="on_trial")]))
    assert said.code == 2
    assert "RECHAZADOS: 1 de 1" in said.out
    assert "no case was accepted" in said.err
    assert (tmp_path / "rejected.xlsx").is_file()
    assert not (small / "reviews").exists()


@pytest.mark.slow
def test_narratives_suggest_with_their_words_masked_and_code_nothing(small, form, tmp_path):
    with closing(sqlite3.connect(small / "registry.db")) as registry, registry:
        registry.execute("UPDATE incidents SET narrative = narrative || '. LA TOMÓ DEL CUELLO'")
    out = tmp_path / "coding"
    asked = ("--cases", form("casos.xlsx", cases=[case(1)]), "--out", out, "--workspace", small)
    said = riskml("fatality", "template", *asked)
    assert said.code == 0, said.err
    book = load_workbook(out / "review.xlsx")
    shown = json.dumps([[str(cell.value) for cell in row] for row in book["Sugerencias"]], ensure_ascii=False)
    assert "Presente" in shown
    assert not any(personal in shown for personal in PERSONAL)
    load(small, out / "review.xlsx")
    assert not len(kept(small).factors), "what narratives suggest is nobody's coding"


def test_another_registers_table_loads_through_its_mapping(new, tmp_path):
    (tmp_path / "deaths.csv").write_text("id,when,kin\n1,2020-01-02,Ex\n2,2020-02-30,Ex\n3,2020-03-01,?\n")
    (tmp_path / "deaths.yml").write_text(
        "source: {es: Registro, en: Register}\n"
        "review_id: {prefix: X-, column: id}\n"
        "event_on: {column: when}\n"
        "cases:\n"
        "  kind: {constant: femicide}\n"
        "  status: {constant: closed}\n"
        "  relationship: {column: kin, values: {Ex: ex-partner}}\n"
    )
    said = load(new, tmp_path / "deaths.csv", "--mapping", tmp_path / "deaths.yml")
    assert said.code == 0, said.err
    assert "RECHAZADOS: 2 de 3" in said.out
    assert len(kept(new)) == 1
    assert kept(new).about["source"]["en"] == "Register"
    rejected = pd.read_excel(tmp_path / "rejected.xlsx", dtype=str)
    assert rejected["id"].tolist() == ["2", "3"]
    assert rejected["Motivo"].notna().all()


def test_a_synthetic_registry_fills_the_form_in_and_a_real_one_never_does(small, tmp_path):
    asked = ("fatality", "template", "--simulated", "--out", tmp_path / "try", "--workspace", small)
    refused = riskml(*asked)
    assert refused.code == 2
    assert "not synthetic" in refused.err
    assert not (tmp_path / "try").exists()
    engine = connect(f"sqlite:///{small}/registry.db")
    with writing(engine) as connection:
        mark_synthetic(connection, "made up")
    engine.dispose()
    assert riskml(*asked).code == 0
    said = load(small, tmp_path / "try" / "review.xlsx")
    assert said.code == 0, said.err
    assert "RECHAZADOS" not in said.out
    assert kept(small).about["synthetic"] is True
    assert kept(small).about["coders"] == ["REV-01", "REV-02"]
