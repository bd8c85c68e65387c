"""Rules that an analyst writes: what they mean, and what is said when they do not read."""

import shutil
from pathlib import Path

import pytest
import yaml

from riskml.errors import RiskmlError
from riskml.narratives.patterns import PatternError, parse_pattern
from riskml.narratives.reading import Reader, read_narrative
from riskml.narratives.rules import load_rules, starting_rules
from riskml.narratives.spelling import Spelling, folded

FEATURES = Path(__file__).parents[2] / "features"


@pytest.fixture
def folder(tmp_path):
    shutil.copy(FEATURES / "factors.yml", tmp_path)
    shutil.copy(FEATURES / "narratives.yml", tmp_path)
    return tmp_path


def write(folder, text):
    (folder / "narratives.yml").write_text(text, encoding="utf-8")
    return folder


def test_an_analyst_adds_a_wording(folder):
    path = folder / "narratives.yml"
    text = path.read_text(encoding="utf-8").replace(
        "      - acogot*\n", "      - acogot*\n      - le hizo la campana .. <cord>\n"
    )
    path.write_text(text, encoding="utf-8")
    sentence = "LE HIZO LA CAMPANA CON UNA SOGA"
    assert "strangulation" not in set(read_narrative(sentence).factor)
    found = read_narrative(sentence, reader=Reader(load_rules(folder))).set_index("factor")
    assert found.rule["strangulation"] == "le hizo la campana .. <cord>"


def test_the_documents_example_of_an_added_wording_works(folder):
    page = (FEATURES.parent / "docs" / "narratives.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n# to be added\n")[1].split("```")[0]
    added = yaml.safe_load(example)["strangulation"]
    path = folder / "narratives.yml"
    text = path.read_text(encoding="utf-8")
    head, kept = text.split("  strangulation:\n", 1)
    for key, wordings in added.items():
        lines = "".join(f"      - {wording}\n" for wording in wordings)
        kept = kept.replace(f"    {key}:\n", f"    {key}:\n{lines}", 1)
    path.write_text(f"{head}  strangulation:\n{kept}", encoding="utf-8")
    reader = Reader(load_rules(folder))
    assert "strangulation" not in set(read_narrative("Le hizo la campana con una soga").factor)
    assert set(read_narrative("Le hizo la campana con una soga", reader=reader).factor) == {"strangulation"}
    assert read_narrative("Sonó la campana de la iglesia", reader=reader).empty


def test_a_factor_that_lasts_is_never_of_the_past(folder):
    write(folder, "context: {past: [antes]}\nfactors: {separation: {present: [separad*], lasting: true}}\n")
    reader = Reader(load_rules(folder))
    assert read_narrative("ESTABAN SEPARADOS ANTES", reader=reader).when.tolist() == ["current"]


def test_comments_do_not_change_the_hash_and_wordings_do(folder):
    rules = load_rules(folder)
    path = folder / "narratives.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"# another comment\n{text}", encoding="utf-8")
    assert load_rules(folder).hash == rules.hash
    path.write_text(text.replace("- estrangul*", "- estrangula*", 1), encoding="utf-8")
    assert load_rules(folder).hash != rules.hash


def test_the_phrases_of_the_vocabulary_are_rules_too(folder):
    rules = load_rules(write(folder, "factors: {}\n"))
    found = read_narrative("ANDA CON LA MAÑA", reader=Reader(rules))
    assert found.factor.tolist() == ["organised_crime_link"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "factors: {strangulatio: {present: [ahorc*]}}",
            'no factor "strangulatio" in factors.yml. Did you mean "strangulation"',
        ),
        ("factors:\n  alcohol:\n    presnt: [ebri*]", 'line 3: unknown key "presnt". Did you mean "present"'),
        ("factors:\n  alcohol:\n    present:\n      - <drinks>", 'line 4: "<drinks>": no word list "drinks"'),
        ("factors: {alcohol: {present: ['.. ..']}}", "needs a word that may not be absent"),
        ("factors: {alcohol: {present: ['a..9b$']}}", "is no word"),
        ("factors: {alcohol: {present: [no, si]}}", 'put "no" and numbers in quotation marks'),
        ("factors: {alcohol: {victim: nobody}}", 'no factor "nobody"'),
        ("context: {denies: {reach: far, patterns: [niega]}}", "reach is a number of words"),
        ("persons: {neighbour: [vecina]}", 'unknown key "neighbour"'),
        ("words: [a]", '"words" is a mapping'),
        ("saying: dice", '"saying" is a list of words'),
    ],
)
def test_what_does_not_read_is_said_with_its_line(folder, text, what):
    with pytest.raises(RiskmlError) as error:
        load_rules(write(folder, text))
    assert what in str(error.value)
    assert "narratives.yml, line" in str(error.value)


def test_all_problems_are_told_at_once(folder):
    with pytest.raises(RiskmlError, match="2 problems"):
        load_rules(write(folder, "factors:\n  alcohl: {}\n  drogs: {}\n"))


def test_a_missing_file_is_said(tmp_path):
    shutil.copy(FEATURES / "factors.yml", tmp_path)
    with pytest.raises(RiskmlError, match="no such file"):
        load_rules(tmp_path)


def test_every_rule_that_riskml_comes_with_speaks_of_a_known_factor():
    rules = starting_rules()
    assert {r.name for r in rules.rules if r.kind == "factor"} <= set(rules.factors.codes)


def test_too_many_variants_are_refused():
    lists = {"many": [f"a{i} b" for i in range(100)]}
    with pytest.raises(PatternError, match="variants"):
        parse_pattern("<many> <many>", lists, lambda text: text)


def test_folding_keeps_every_place():
    text = "Ñandú «AMENAZÓ» C/ARMA\nex-pareja"
    plain, places = folded(text)
    assert places is None
    assert len(plain) == len(text)
    assert plain == 'nandu "amenazo" c arma ex pareja'


def test_spelling_mends_slips_and_leaves_other_words():
    spelling = Spelling(["domicilio", "personal"], ["estrangul", "cocain"], {"q": "que"}, ["cocin"])
    said = [spelling(w) for w in ("domicilo", "estragulo", "q", "persona", "cocinero", "dom")]
    assert said == ["domicilio", "estrangulo", "que", "persona", "cocinero", "dom"]
