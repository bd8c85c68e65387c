"""Whatever stands in a form: reading never stumbles, no row is lost, and what was rejected comes back."""

import tempfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from riskml.fatality.coding.form_words import heading, sheet_title
from riskml.fatality.coding.reading import read_form, read_forms
from riskml.fatality.coding.rejected import write_rejected
from riskml.fatality.form import SHEETS
from riskml.vocabulary import Factor, FactorVocabulary

TODAY = date(2026, 11, 22)
VOCABULARY = FactorVocabulary(
    {code: Factor(code, {"es": code, "en": code}, "acts") for code in ("jealousy", "strangulation")}
)
SOUND = {
    "id": ["R1", "R2", "r1 ", "EJEMPLO", 7],
    "code": [
        "yes",
        "No",
        "Sí",
        "femicide",
        "Cerrado",
        "closed",
        "court",
        "present",
        "No se valoró",
        "victim",
    ],
    "date": [date(2024, 5, 17), datetime(2024, 3, 2, 10), "17/05/2024", "2024-05-18", "1/2/24"],
    "factor": ["jealousy", "Strangulation", "celos"],
    "factors": ["jealousy; strangulation", "jealousy"],
    "age": [30, "31-40", "40-31", 7.0],
    "person": ["REV-01", "rev-02", "Ana"],
    "text": ["algo", "=1+1", "-x", "492 123 45 67", "Ana Ruiz dijo"],
    "category": ["Jerez", "calle Hidalgo 3"],
}
ODD = [
    None,
    None,
    None,
    "",
    " ",
    "=A1",
    "#N/A",
    True,
    3.5,
    -1,
    10**12,
    time(10, 30),
    timedelta(days=3),
    "x" * 90,
    "ñ;",
]
HEADINGS = [None, "Motivo", "Celda", "Nota del equipo", "=A1", 5, date(2024, 1, 1), "Estado del cazo"]


def cells(name):
    """A row of a sheet: what fits, mostly, and what does not."""
    fits = [st.sampled_from(SOUND[field.kind] + list(field.values[:2])) for field in SHEETS[name].fields]
    return st.tuples(*(st.one_of(fit, fit, st.sampled_from(ODD)) for fit in fits), st.sampled_from(ODD))


@st.composite
def workbooks(draw):
    """A workbook of some of the form's sheets, with headings in any state and rows of anything."""
    book = Workbook()
    book.remove(book.active)
    for name in draw(st.lists(st.sampled_from(list(SHEETS)), min_size=1, unique=True)):
        title = draw(st.sampled_from([sheet_title(name, "es"), sheet_title(name, "en"), name]))
        sheet = book.create_sheet(title)
        headings = [heading(name, field, "es") for field in SHEETS[name].fields]
        if draw(st.booleans()):
            headings[draw(st.integers(0, len(headings) - 1))] = draw(
                st.sampled_from([*HEADINGS, headings[-1]])
            )
        sheet.append([*headings, draw(st.sampled_from(HEADINGS))])
        for row in draw(st.lists(cells(name), max_size=4)):
            sheet.append(row)
    return book


@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
@given(workbooks())
def test_whatever_is_written_is_accepted_or_rejected_and_never_lost(book):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "form.xlsx"
        book.save(path)
        loaded = read_form(path, VOCABULARY, today=TODAY)
        assert loaded.accepted + len(loaded.rejected) + loaded.twice == loaded.filled
        assert all(row.problems for row in loaded.rejected)
        for language in ("es", "en"):
            assert all(p.place and p.words(language) for p in loaded.problems + loaded.notices)
        rejected = write_rejected(folder, loaded, VOCABULARY)
        assert (rejected is None) == (not loaded.rejected)
        if rejected is not None:
            again = read_forms([path, rejected], VOCABULARY, today=TODAY)
            assert again.filled + again.waiting == loaded.filled + loaded.waiting
            # What is written as text again is no formula any more; nothing that was sound is refused now.
            assert len(again.rejected) <= len(loaded.rejected)
