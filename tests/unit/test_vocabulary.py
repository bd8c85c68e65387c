"""The vocabulary of factors and the words around it: what is read, what is refused, what comes near."""

import json
from pathlib import Path

import pytest

from riskml.errors import RiskmlError
from riskml.vocabulary import FactorVocabulary, did_you_mean, duration, load_factors

OK = "label: {es: a, en: b}, dimension: acts"
WORKSPACE = Path(__file__).parents[2] / "features" / "factors.yml"
SOUND = """
strangulation:
  label: {es: Estrangulamiento, en: Strangulation}
  dimension: acts
  relationships: [partner]
  recorded_in: [narrative]
  phrases: [la ahorcó]
  evidence:
    - {study: Glass et al. 2008, effect: OR 6.70, tag: "S:1"}
"""


@pytest.fixture
def factors(tmp_path):
    def write(text):
        path = tmp_path / "features" / "factors.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_factor_is_read_with_all_its_parts(factors):
    vocabulary = load_factors(factors(SOUND))
    factor = vocabulary["strangulation"]
    assert vocabulary.codes == ("strangulation",)
    assert "strangulation" in vocabulary
    assert len(vocabulary) == 1
    assert factor.label == {"es": "Estrangulamiento", "en": "Strangulation"}
    assert (factor.dimension, factor.relationships, factor.phrases) == ("acts", ("partner",), ("la ahorcó",))
    assert (factor.evidence[0].study, factor.evidence[0].tag) == ("Glass et al. 2008", "S:1")


def test_a_vocabulary_survives_a_bundle():
    vocabulary = load_factors(WORKSPACE)
    assert FactorVocabulary.from_document(json.loads(json.dumps(vocabulary.to_document()))) == vocabulary


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "x: {label: {es: a, en: b}, dimension: act}",
            'line 1, factor "x": unknown dimension "act". Did you mean "acts"?',
        ),
        ("x: {label: {es: a}, dimension: acts}", "label needs words in es and in en"),
        ("x: {dimension: acts}", "label needs words in es and in en"),
        ("x: {OK, phrase: [c]}", 'unknown key "phrase". Did you mean "phrases"?'),
        ("X-1: {OK}", "lower-case letters"),
        ("x: 3", "a factor is a mapping"),
        ("x: {OK, phrases: [c, c]}", '"c" stands twice'),
        ("x: {OK, phrases: c}", "phrases is a list of words"),
        ("x: {OK, relationships: [partnr]}", 'Did you mean "partner"'),
        ("x: {OK, evidence: [{study: s}]}", "a finding has study, effect, tag"),
        ("x: {OK, evidence: [{study: s, effect: e, tag: S}]}", 'unknown tag "S"'),
        ('x: {OK, evidence: [{study: s, effect: e, tag: "M?"}]}', "prior_only: true"),
        ("ethnicity: {label: {es: a, en: b}, dimension: victim}", "for audits only"),
        ("x: {OK}\nx: {OK}", 'line 2: "x" stands twice'),
        ("- x", "factors are a mapping of codes"),
        ("x: [", "not valid YAML"),
    ],
)
def test_a_fault_is_named_with_its_line(factors, text, says):
    with pytest.raises(RiskmlError, match=r"factors\.yml") as error:
        load_factors(factors(text.replace("OK", OK)))
    assert says in str(error.value)


def test_all_faults_come_at_once(factors):
    with pytest.raises(RiskmlError) as error:
        load_factors(factors("a: {dimension: acts}\nb: {label: {es: a, en: b}, dimension: act}\n"))
    assert str(error.value).splitlines() == [
        "2 problems in the factors",
        'features/factors.yml, line 1, factor "a": label needs words in es and in en',
        'features/factors.yml, line 2, factor "b": unknown dimension "act". Did you mean "acts"?',
    ]


def test_a_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(RiskmlError, match="no such file"):
        load_factors(tmp_path / "factors.yml")


def test_an_empty_file_is_an_empty_vocabulary(factors):
    assert len(load_factors(factors(""))) == 0


def test_no_phrase_speaks_for_two_factors():
    """One phrase, one factor: an extraction that finds it may not have to guess."""
    seen = {}
    for factor in load_factors(WORKSPACE):
        for phrase in factor.phrases:
            assert seen.setdefault(phrase, factor.code) == factor.code, phrase


def test_every_factor_has_phrases_and_a_place_where_it_is_recorded():
    for factor in load_factors(WORKSPACE):
        assert factor.phrases, factor.code
        assert factor.recorded_in, factor.code


def test_the_nearest_words_come_as_a_sentence():
    assert did_you_mean("wepon_used", ["weapon_used", "severity"]) == 'Did you mean "weapon_used"?'
    assert did_you_mean("zzz", ["weapon_used"]) == ""
    assert did_you_mean(None, ["weapon_used"]) == ""


def test_lengths_of_time():
    assert duration("90d") == 90 * 24 * 3_600_000_000
    for wrong in ("90", "d", "1w", "-1d", "40000d", ""):
        with pytest.raises(RiskmlError, match="not a length of time"):
            duration(wrong)
