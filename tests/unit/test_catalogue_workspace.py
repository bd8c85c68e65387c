"""The catalogue: wide enough, said in both languages, tagged, and within its limits."""

from pathlib import Path

import pytest

from riskml.features.catalogue import load_catalogue
from riskml.vocabulary import AUDIT_ONLY, DIMENSIONS, PARTNER_RELATIONSHIPS

WORKSPACE = Path(__file__).parents[2] / "features"


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(WORKSPACE)


def test_it_is_as_wide_as_it_should_be_over_all_dimensions(catalogue):
    assert len(catalogue.features) >= 60
    assert len(catalogue.columns) >= 150
    assert {column.dimension for column in catalogue.columns} == set(DIMENSIONS)


def test_every_aggregate_and_scope_is_in_use(catalogue):
    assert {f.aggregate for f in catalogue.features} == {
        "count",
        "sum",
        "mean",
        "max",
        "any",
        "distinct",
        "days_since",
        "days_since_first",
        "days_since_second",
        "days_since_third",
        "days_since_expiry",
        "latest",
        "in_force",
        "days_to_expiry",
        "formula",
    }
    assert {f.over for f in catalogue.features} == {"case", "aggressor", "victim"}


def test_every_label_is_written_out_and_unlike_the_others(catalogue):
    for language in ("es", "en"):
        labels = [feature.label[language] for feature in catalogue.features]
        assert len(set(labels)) == len(labels)
        assert all(label[0].isupper() or label[0].isdigit() for label in labels)
        assert not [f.name for f in catalogue.features if f.label[language] == f.name.replace("_", " ")]


def test_responses_are_exposures_without_direction(catalogue):
    done = [f for f in catalogue.features if f.table in ("measures", "proceedings", "responses")]
    assert all(f.exposure and f.direction is None for f in done)
    response = [f for f in catalogue.features if f.dimension == "response"]
    assert all(f.exposure and f.direction is None for f in response)
    assert not [f.name for f in catalogue.features if f.exposure and f.dimension != "response"]


def test_neither_the_analysts_level_nor_the_outcome_is_read(catalogue):
    assert not set(catalogue.tables_read) & {"levels", "outcomes"}


def test_nothing_for_audits_only_is_read(catalogue):
    read = {(table, column) for table, columns in catalogue.tables_read.items() for column in columns}
    assert not read & AUDIT_ONLY
    assert not [f.code for f in catalogue.factors if ("*", f.code) in AUDIT_ONLY]


def test_a_direction_rests_on_evidence(catalogue):
    """A monotone constraint without a finding behind it would be an opinion."""
    without = [f.name for f in catalogue.features if f.direction and f.evidence == "none"]
    assert not without


def test_the_evidence_of_factors_is_that_of_factors_that_have_some(catalogue):
    for feature in catalogue.features:
        if feature.evidence == "factors":
            named = [f for f in catalogue.factors if f"'{f.code}'" in feature.where]
            assert named, feature.name
            assert any(factor.evidence for factor in named), feature.name


def test_a_direction_never_rests_on_unchecked_figures_alone(catalogue):
    for feature in catalogue.features:
        if feature.direction and feature.evidence == "factors":
            tags = {e.tag for f in catalogue.factors if f"'{f.code}'" in feature.where for e in f.evidence}
            assert tags - {"M?"}, feature.name


def test_the_simulator_s_and_the_literature_s_factors_exist(catalogue):
    needed = """
        strangulation weapon_threat weapon_used death_threat firearm_access jealousy control
        alcohol drugs methamphetamine separation suicidality pregnancy forced_sex
        prior_other_victim prior_violence_others stalking unemployed confinement
        escalation_reported victim_fear children_threatened stepchild breach economic_dependence
        isolation new_partner assault_in_pregnancy prior_arrest never_cohabited prior_violence
        psychiatric_problem announced_intention organised_crime_link police_or_military
        vicarious_violence complaint_withdrawn children_present multiple_victims remote_home
    """
    assert not [code for code in needed.split() if code not in catalogue.factors]


def test_partner_factors_do_not_speak_of_other_relationships(catalogue):
    for code in ("jealousy", "separation", "new_partner", "stepchild", "never_cohabited"):
        assert catalogue.factors[code].relationships == PARTNER_RELATIONSHIPS


def test_an_earlier_arrest_is_an_exposure(catalogue):
    assert catalogue.factors["prior_arrest"].dimension == "response"
