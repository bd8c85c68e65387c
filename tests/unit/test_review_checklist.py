"""The checklist that the Task Force edits: what it asks for, and what is said where it does not read."""

import shutil
from pathlib import Path

import pytest

from riskml.errors import RiskmlError
from riskml.models.spec import model_names
from riskml.review.checklist import SECTIONS, load_checklist, read_reasons

MODELS = Path(__file__).parents[2] / "models"
REASON = "Se revisó con el informe a la vista."


@pytest.fixture
def checklist():
    return load_checklist(MODELS)


@pytest.fixture
def edited(tmp_path):
    """The shipped checklist with one passage replaced: callable."""

    def edit(old, new):
        text = (MODELS / "review.yml").read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "review.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
        return tmp_path

    return edit


def test_the_shipped_checklist_asks_on_six_sections_in_two_languages(checklist):
    assert tuple(checklist.sections) == SECTIONS
    assert checklist.months == 12
    assert checklist.approvals == 2
    assert len(checklist.roles) >= 4
    for section in checklist.sections.values():
        for question in section.questions:
            assert question.es.startswith("¿")
            assert question.es.count("¿") == question.es.count("?")
            assert question.en.endswith("?")


def test_a_workspace_without_a_checklist_has_the_shipped_one(checklist, tmp_path):
    assert load_checklist(tmp_path).hash == checklist.hash


def test_it_is_not_taken_for_a_model(tmp_path):
    shutil.copy(MODELS / "review.yml", tmp_path)
    assert model_names(tmp_path) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("months: 12", "months: 0", "months"),
        ("approvals: 2", "approvals: 1", "approvals"),
        ("approvals: 2", "approvals: 5", "4 roles for 5 approvals"),
        ("months: 12", "moths: 12", "moths"),
        ("  use:", "  usage:", "usage"),
        ("es: Uso, en: Use", "es: Uso", "sections, use, label"),
        ("months: 12", "months: 12\nmonths: 6", '"months" stands twice'),
        ("  police:", "  State Police:", "roles"),
    ],
)
def test_what_does_not_read_is_told_with_its_place(edited, old, new, said):
    with pytest.raises(RiskmlError) as error:
        load_checklist(edited(old, new))
    assert said in str(error.value)
    assert "review.yml, line " in error.value.where


def test_the_hash_is_that_of_the_very_text(edited, checklist):
    assert load_checklist(edited("# What reviewers", "# What the reviewers")).hash != checklist.hash


def test_an_approval_needs_a_reason_on_every_section(checklist):
    reasons = dict.fromkeys(SECTIONS, REASON)
    assert checklist.check_reasons(reasons, every=True) == reasons
    with pytest.raises(RiskmlError, match="no reason is given on: fairness, use"):
        checklist.check_reasons(dict.fromkeys(SECTIONS[:4], REASON) | {"use": "  "}, every=True)


def test_a_rejection_needs_a_reason_on_one(checklist):
    assert checklist.check_reasons({"use": f"  {REASON}\n "}, every=False) == {"use": REASON}
    with pytest.raises(RiskmlError, match="no reason is given"):
        checklist.check_reasons({}, every=False)


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ({"uses": REASON}, 'Did you mean "use"'),
        ({"use": "ok"}, "a reason of 2 characters"),
        ({"use": "x" * 3001}, "a reason of 3001 characters"),
    ],
)
def test_other_reasons_are_refused(checklist, reasons, said):
    with pytest.raises(RiskmlError) as error:
        checklist.check_reasons(reasons, every=False)
    assert said in str(error.value)


def test_an_unknown_role_is_told_with_those_known(checklist):
    with pytest.raises(RiskmlError, match='Did you mean "prosecutor"'):
        checklist.check_role("prosecutors")


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_form_reads_back_as_it_is_filled_in(checklist, tmp_path, language):
    form = checklist.form(language)
    for section in checklist.sections.values():
        assert all(f"# {'  ' + question[language]}" in form for question in section.questions)
    (tmp_path / "empty.yml").write_text(form, encoding="utf-8")
    assert read_reasons(tmp_path / "empty.yml") == dict.fromkeys(SECTIONS, "")
    filled = form.replace(">-\n  \n", f">-\n  {REASON}\n  «Sí: basta», # con reservas.\n")
    (tmp_path / "filled.yml").write_text(filled, encoding="utf-8")
    read = read_reasons(tmp_path / "filled.yml")
    assert set(checklist.check_reasons(read, every=True).values()) == {
        f"{REASON} «Sí: basta», # con reservas."
    }


@pytest.mark.parametrize("text", ["", "- data", "data: 3", "data: {a: b}"])
def test_a_file_that_is_no_form_is_told(tmp_path, text):
    (tmp_path / "reasons.yml").write_text(text)
    with pytest.raises(RiskmlError, match="riskml review form"):
        read_reasons(tmp_path / "reasons.yml")
