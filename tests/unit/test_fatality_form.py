"""The form comes back as it was written: as a workbook or a text, in both languages, by label or by code."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from riskml.fatality.coding.form_page import form_page
from riskml.fatality.coding.form_words import choices, factor_choices, headings, sheet_titles, value_words
from riskml.fatality.coding.personal import masked_text
from riskml.fatality.coding.reading import read_form
from riskml.fatality.coding.workbook import write_workbook
from riskml.fatality.coding.yaml_form import write_form
from riskml.fatality.form import SHEETS
from riskml.fatality.simulated import simulated_sheets
from riskml.messages import LANGUAGES, message
from riskml.vocabulary import load_factors

TODAY = date(2030, 1, 1)

FACTORS = Path(__file__).parents[2] / "features" / "factors.yml"


@pytest.fixture(scope="module")
def vocabulary():
    return load_factors(FACTORS)


def sheets_of(**rows):
    return {
        name: pd.DataFrame(rows.get(name, []), columns=list(SHEETS[name].names), dtype=object)
        for name in SHEETS
    }


CASE = {"review_id": "R1", "kind": "femicide", "event_on": pd.Timestamp("2024-05-17"), "status": "closed"}


def filled(sheets):
    """Rows as reading gives them back: what is empty stands for what the form says."""
    made = {}
    for name, frame in sheets.items():
        frame = frame.astype(object).where(frame.notna(), None).replace({"": None})
        for field in SHEETS[name].fields:
            if field.missing is not None:
                frame[field.name] = [field.missing if v is None else v for v in frame[field.name]]
            if field.kind == "date":
                frame[field.name] = pd.to_datetime(frame[field.name]).astype("datetime64[us]")
        made[name] = frame.reset_index(drop=True)
    return made


def every_code():
    """A few reviews in which every code of the form stands at least once."""
    rows = {name: [] for name in SHEETS}
    for i in range(11):
        for name, sheet in SHEETS.items():
            row = {"review_id": f"R{i:02d}"}
            for field in sheet.fields:
                if field.kind == "code":
                    row[field.name] = field.values[i % len(field.values)]
                elif field.kind == "date":
                    row[field.name] = pd.Timestamp("2024-05-01") - pd.Timedelta(days=i)
            rows[name].append(row)
    for i in range(11):
        rows["cases"][i] |= {
            "status": "closed",
            "event_on": pd.Timestamp("2024-05-17"),
            "case_id": f"C-{i:06d}",
        }
        rows["people"][i] |= {"age": ["", "7", "31-40"][i % 3], "occupation": "comerciante"}
        rows["contacts"][i] |= {"known_factors": "jealousy; stalking", "what_was_known": "=no es fórmula"}
        rows["factors"][i] |= {
            "coder": "REV-01",
            "factor": "jealousy",
            "evidence": "-1o+1@ riesgo"[: i % 6 + 1],
        }
        rows["factors"][i] |= {"known": ["before", "unknown"][i % 2]}
        deadline = pd.Timestamp("2024-06-01") + pd.Timedelta(days=i)
        rows["recommendations"][i] |= {"recommendation": "Avisar el mismo día", "deadline_on": deadline}
    return sheets_of(**rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_is_read_back_the_same(tmp_path, vocabulary, language):
    sheets = every_code()
    path = write_workbook(tmp_path / "form.xlsx", vocabulary, language=language, sheets=sheets)
    loaded = read_form(path, vocabulary, today=TODAY)
    assert [p.words("es") for p in loaded.problems] == []
    for name, frame in filled(sheets).items():
        pd.testing.assert_frame_equal(loaded.sheets[name], frame, check_dtype=False)


def test_simulated_reviews_come_back_the_same(tmp_path, vocabulary, simulated):
    path = write_workbook(tmp_path / "form.xlsx", vocabulary, sheets=simulated)
    loaded = read_form(path, vocabulary, today=TODAY)
    assert loaded.filled == loaded.accepted == sum(map(len, simulated.values()))
    for name, frame in filled(simulated).items():
        pd.testing.assert_frame_equal(loaded.sheets[name], frame, check_dtype=False)


@pytest.fixture(scope="module")
def simulated(vocabulary):
    """Reviews of two events of a registry written by hand."""
    day = pd.Timestamp
    clock = {"superseded_at": pd.NaT}
    cases = [
        {"case_id": f"C{i}", "aggressor_id": f"A{i}", "victim_id": f"V{i}", "relationship": "ex-partner"}
        | {"municipality": "Jerez", "recorded_at": day("2024-01-02"), **clock}
        for i in (1, 2)
    ]
    happened = {"occurred_at": day("2024-03-01 10:00"), "recorded_at": day("2024-03-01 11:00"), **clock}
    columns = {"levels": ["level"], "responses": ["kind"], "measures": ["kind", "expires_at", "ended_at"]}
    tables = {
        "outcomes": [
            {"case_id": f"C{i}", "kind": "femicide", "occurred_at": day(f"2025-0{i}-09 22:00"), **clock}
            for i in (1, 2)
        ],
        "cases": cases,
        "incidents": [{"case_id": "C1", "source": "911", **happened}],
        "factors": [{"case_id": "C1", "factor": "jealousy", "state": "present", "source": "911", **happened}],
        "aggressors": [{"aggressor_id": f"A{i}", "birth_year": 1990.0, "sex": "male"} for i in (1, 2)],
        "victims": [{"victim_id": f"V{i}", "birth_year": 1992.0, "sex": "female"} for i in (1, 2)],
    }
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    empty = {n: pd.DataFrame(columns=["case_id", "recorded_at", *c]) for n, c in columns.items()}
    return simulated_sheets(frames | empty, vocabulary.codes[:8])


def test_every_way_to_write_an_answer_means_one_thing(vocabulary):
    """Spanish, English and codes never mean two different things in one column."""
    for sheet in SHEETS.values():
        assert len(headings(sheet.name)) >= len(sheet.fields)
        assert set(headings(sheet.name).values()) == set(sheet.names)
        for field in sheet.fields:
            for language in LANGUAGES:
                said = [value_words(code, language) for code in field.values]
                assert len(set(said)) == len(said)
            assert set(choices(field).values()) == set(field.values)
    assert set(sheet_titles().values()) == set(SHEETS)
    assert set(factor_choices(vocabulary).values()) == set(vocabulary.codes)


def test_each_column_of_codes_offers_its_words(tmp_path, vocabulary):
    book = load_workbook(write_workbook(tmp_path / "form.xlsx", vocabulary))
    lists = book["Listas"]
    assert lists.sheet_state == "hidden"
    for name, sheet in SHEETS.items():
        shown = book[message(f"fatality_form.sheet_{name}", "es")]
        assert shown.freeze_panes == "B2"
        offered = {}
        for check in shown.data_validations.dataValidation:
            if check.type == "list":
                title, _, cells = check.formula1.partition("!")
                assert title == "'Listas'"
                words = [row[0].value for row in lists[cells.replace("$", "")]]
                offered[str(check.sqref).split("2:")[0]] = words
        for position, field in enumerate(sheet.fields):
            letter = "ABCDEFGHIJKLMNOP"[position]
            assert shown[f"{letter}1"].comment.text == message(
                f"fatality_form.{name}_{field.name}_help", "es"
            )
            if field.kind == "code":
                assert offered[letter] == [value_words(code, "es") for code in field.values]
            elif field.kind in ("factor", "factors"):
                assert offered[letter] == [f.label["es"] for f in vocabulary]
            else:
                assert letter not in offered


def test_an_empty_form_holds_nothing_and_its_examples_are_left_out(tmp_path, vocabulary):
    for language in LANGUAGES:
        written = [
            write_workbook(tmp_path / "form.xlsx", vocabulary, language=language),
            write_form(tmp_path / "form.yml", vocabulary, language=language),
        ]
        for path in written:
            loaded = read_form(path, vocabulary, today=TODAY)
            assert (loaded.filled, loaded.accepted, loaded.rejected) == (0, 0, []), path


def test_free_text_is_never_a_formula(tmp_path, vocabulary):
    texts = ["=1+1", "+52", "-2", "@aqui", '=HYPERLINK("http://x","y")']
    notes = [{"review_id": "R1", "institution": "court", "how": "no_action", "note": text} for text in texts]
    path = write_workbook(tmp_path / "form.xlsx", vocabulary, sheets=sheets_of(cases=[CASE], missed=notes))
    cells = [row[4] for row in load_workbook(path)["Oportunidades"].iter_rows(min_row=3)]
    assert [cell.value for cell in cells] == texts
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in cells)


def test_cases_without_factors_get_a_row_for_each_that_waits_to_be_coded(tmp_path, vocabulary):
    path = write_workbook(tmp_path / "form.xlsx", vocabulary, sheets={"cases": pd.DataFrame([CASE])})
    loaded = read_form(path, vocabulary, today=TODAY)
    assert (loaded.waiting, loaded.filled, loaded.accepted) == (len(vocabulary), 1, 1)
    assert not len(loaded.sheets["factors"]), "what nobody coded is not absent"


def test_the_same_content_gives_the_same_file(tmp_path, vocabulary):
    first, second = (write_workbook(tmp_path / f"{i}.xlsx", vocabulary, sheets=every_code()) for i in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_an_interrupted_write_leaves_what_was_there(tmp_path, vocabulary, monkeypatch):
    path = write_workbook(tmp_path / "form.xlsx", vocabulary)
    before = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("riskml.fatality.coding.workbook.os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_workbook(path, vocabulary, sheets=every_code())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Llamó al 492 123 45 67 el 05/03/2024", "Llamó al […] el 05/03/2024"),
        ("escribió a ana.ruiz@correo.mx", "escribió a […]"),
        ("CURP RUAA850101MZSRRN09", "CURP […]"),
        ("vive en calle Hidalgo 23", "vive en […]"),
        ("la señora Ana Ruiz lo dijo", "la señora […] lo dijo"),
        ("el C. JUAN PEREZ huyó", "el C. […] huyó"),
        ("Entrevista a Ana Ruiz", "Entrevista a […]"),
        ("carpeta 12345/2024", "carpeta […]/2024"),
        ("la golpeó en la calle; 3 veces en 2023", None),
        ("El Ministerio Público y la Policía Estatal", None),
        ("Medida del 2024-01-05 al 2024-03-05", None),
    ],
)
def test_personal_data_that_can_be_told_by_their_shape_are_masked(text, masked):
    assert masked_text(text)[0] == (masked or text)
    assert bool(masked_text(text)[1]) == bool(masked)


def test_the_page_on_the_form_is_fresh():
    page = Path(__file__).parents[2] / "docs" / "fatality_form.md"
    if not page.is_file():
        pytest.skip("no docs beside these tests")
    assert page.read_text(encoding="utf-8") == form_page(), "run: make docs"
