"""The 41 items of fatality reviews: each is kept under a code, or where the facts of a case say it."""

from pathlib import Path

import pytest

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.review_items import REVIEW_ITEMS, load_review_items

FEATURES = Path(__file__).parents[2] / "features"
# The reviews' own order (Ontario DVDRC, 2016 and later) against ours: who changes a line means to.
KEPT_UNDER = {
    1: "childhood_violence",
    2: "family_suicide",
    5: "common_law_union",
    6: "separation",
    7: "new_partner",
    8: "custody_dispute",
    9: "stepchild",
    10: "unemployed",
    11: "alcohol drugs methamphetamine",
    12: "depression",
    13: "depression_diagnosed",
    14: "psychiatric_problem",
    15: "suicidality",
    16: "suicide_attempt",
    17: "stalking",
    18: "breach conditional_release_failure",
    19: "jealousy",
    20: "misogynistic_attitudes",
    21: "property_damage",
    22: "prior_violence_others",
    23: "prior_other_victim",
    24: "prior_violence",
    25: "death_threat",
    26: "weapon_threat",
    27: "weapon_used",
    28: "isolating_behaviour",
    29: "control",
    30: "confinement",
    31: "forced_sex",
    32: "strangulation",
    33: "animal_cruelty",
    34: "assault_in_pregnancy",
    35: "escalation_reported",
    36: "children_threatened",
    37: "minimisation",
    38: "firearm_access",
    39: "access_after_assessment",
    40: "victim_fear",
    41: "economic_dependence emotional_dependence isolation remote_home disability_or_illness "
    "lives_with_his_family victim_substance_use victim_suicidality victim_minor victim_elderly",
}
KEPT_IN_FACTS = {3: ("aggressor_birth_year", "victim_birth_year"), 4: ("age_difference",)}


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(FEATURES)


@pytest.fixture
def items(catalogue):
    return {item.number: item for item in load_review_items(FEATURES / "factors.yml", catalogue)}


def test_every_item_is_kept_where_it_is_meant_to_be(items):
    assert list(items) == list(range(1, REVIEW_ITEMS + 1))
    assert {n: " ".join(item.factors) for n, item in items.items() if item.factors} == KEPT_UNDER
    assert {n: item.features for n, item in items.items() if item.features} == KEPT_IN_FACTS
    assert not set(KEPT_UNDER) & set(KEPT_IN_FACTS)


def test_no_factor_answers_for_two_items(items):
    codes = [code for item in items.values() for code in item.factors]
    assert len(set(codes)) == len(codes)


def test_what_a_review_counts_once(items):
    assert (items[12].counts_with, items[13].counts_with) == ((13,), (12,))
    assert (items[15].counts_with, items[16].counts_with) == ((16,), (15,))
    assert items[32].counts_with == ()


def test_local_and_literature_factors_exist_beside_the_items(catalogue):
    local = "methamphetamine organised_crime_link announced_intention police_or_military vicarious_violence"
    literature = """
        psychological_violence anger life_stress relationship_conflict prior_imprisonment
        conditional_release_failure criminal_record prior_complaint complaint_withdrawn
        multiple_victims minor_children returned_to_aggressor prior_arrest prior_measure
    """
    assert not [c for c in (local + literature).split() if c not in catalogue.factors]


def test_nothing_stands_for_origin_or_language(catalogue):
    words = (
        "migrant",
        "indígena",
        "indigenous",
        "extranjer",
        "foreign",
        "lengua",
        "language",
        "nacionalidad",
    )
    said = [
        (factor.code, word)
        for factor in catalogue.factors
        for word in words
        for text in (factor.code, *factor.label.values(), *factor.phrases)
        if word in text.lower()
    ]
    assert not said


def test_every_factor_is_read_in_three_states(catalogue):
    """By a feature of its own name, over this case or over all cases of the person that it belongs to."""
    for code in catalogue.factors.codes:
        if code == "complaint_withdrawn":  # an event rather than a state: whether it ever happened, and when
            continue
        feature = catalogue.feature(code)
        assert (feature.aggregate, feature.table, feature.column) == ("latest", "factors", "state"), code
        assert feature.where.count("'") == 2, code
        assert f"'{code}'" in feature.where, code
        assert feature.label == catalogue.factors[code].label, code


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("  40: ", "  42: "), "item 40 is left out"),
        (("[childhood_violence]", "[childhod_violence]"), 'unknown factor "childhod_violence". Did you mean'),
        (("[age_difference]", "[age_diference]"), 'unknown feature "age_diference". Did you mean'),
        (("factors: [control]", "features: []"), "kept in `factors` or in `features`"),
        (("concept: {es: Celos, en: Sexual jealousy}", "concept: {es: Celos}"), "in es and in en"),
    ],
)
def test_a_fault_is_named(tmp_path, catalogue, change, says):
    text = (FEATURES / "factors.yml").read_text(encoding="utf-8")
    assert text.count(change[0]) == 1
    path = tmp_path / "factors.yml"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(RiskmlError) as error:
        load_review_items(path, catalogue)
    assert says in str(error.value)


def test_a_vocabulary_without_the_items_has_none(tmp_path, catalogue):
    path = tmp_path / "factors.yml"
    path.write_text("strangulation: {label: {es: a, en: b}, dimension: acts}\n", encoding="utf-8")
    assert load_review_items(path, catalogue) == ()
