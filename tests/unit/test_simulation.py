"""What a simulated registry promises: one seed, the contract's form, visible marks, and no truth inside."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.registry.contract import TABLES, Kind
from riskml.registry.history import History
from riskml.simulation import simulate as module
from riskml.simulation.pages import factors_table, rendered, settings_table
from riskml.simulation.people import MARK
from riskml.simulation.phrases import DENIED
from riskml.simulation.population import CODES
from riskml.simulation.settings import FACTORS, described_settings
from riskml.simulation.simulate import simulate


@pytest.fixture(scope="module")
def realistic():
    return simulate(1200, seed=3)


@pytest.fixture(scope="module")
def complete():
    return simulate(600, seed=3, recording="complete")


def _same(left, right):
    for name in TABLES:
        pd.testing.assert_frame_equal(left.tables[name], right.tables[name])
    pd.testing.assert_frame_equal(left.truth.states, right.truth.states)
    pd.testing.assert_frame_equal(left.truth.events, right.truth.events)


def test_the_same_seed_gives_the_same_registry_and_the_same_truth():
    _same(simulate(150, seed=5), simulate(150, seed=5))


def test_another_seed_gives_another_registry():
    one, other = simulate(150, seed=5).tables["incidents"], simulate(150, seed=6).tables["incidents"]
    assert len(one) != len(other) or not one["occurred_at"].equals(other["occurred_at"])


def test_a_block_does_not_depend_on_the_blocks_before_it(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 100)
    blocks = list(module.simulated_blocks(module.SimulationPlan(250, seed=5)))
    longer = list(module.simulated_blocks(module.SimulationPlan(300, seed=5)))
    for (tables, states, events), (other, other_states, other_events) in zip(
        blocks[:2], longer[:2], strict=True
    ):
        for name in TABLES:
            pd.testing.assert_frame_equal(tables[name], other[name])
        pd.testing.assert_frame_equal(states, other_states)
        pd.testing.assert_frame_equal(events, other_events)


def test_ids_never_repeat_across_blocks(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 100)
    tables = simulate(250, seed=5).tables
    assert tables["cases"]["case_id"].nunique() == 250
    events = tables["incidents"].drop_duplicates("incident_id")
    assert events.groupby("incident_id")["case_id"].nunique().max() == 1
    assert tables["measures"]["measure_id"].is_unique


def test_every_asked_for_case_is_there(realistic):
    assert realistic.tables["cases"]["case_id"].nunique() == 1200


@pytest.mark.parametrize("name", list(TABLES))
def test_the_tables_hold_the_contracts_columns_and_values(realistic, name):
    rows, table = realistic.tables[name], TABLES[name]
    assert set(table.names) <= set(rows.columns)
    for column in table.columns:
        values = rows[column.name].dropna()
        if column.kind is Kind.TIME:
            assert str(rows[column.name].dtype) == "datetime64[us]"
        if column.values:
            assert set(values) <= set(column.values)
        if column.minimum is not None:
            assert values.between(column.minimum, column.maximum).all()


def test_nothing_is_recorded_after_the_registrys_last_moment(realistic):
    for rows in realistic.tables.values():
        assert rows["recorded_at"].max() <= realistic.plan.end
        for column in ("superseded_at", "ended_at", "closed_at"):
            if column in rows:
                assert not (rows[column] > realistic.plan.end).any()


def test_a_history_can_be_made_of_it(realistic):
    history = History.of(dict(realistic.tables))
    assert len(history.open_cases(realistic.plan.end)) > 0
    assert "narrative" not in history.table("incidents").column_names


def test_names_and_narratives_carry_a_visible_mark(realistic):
    for name in ("aggressors", "victims"):
        assert realistic.tables[name]["name"].str.endswith(MARK).all()
    assert realistic.tables["incidents"]["narrative"].str.endswith(MARK).all()
    assert realistic.tables["cases"]["case_id"].str.startswith("SIM-").all()


def test_the_truth_is_not_in_the_tables(realistic):
    known = {name: set(table.names) for name, table in TABLES.items()}
    extra = {name: set(rows.columns) - known[name] for name, rows in realistic.tables.items()}
    personal = {"name", "phone", "address"}
    assert extra == {name: personal if name in ("aggressors", "victims") else set() for name in TABLES}


def test_factor_codes_are_those_of_the_workspace():
    from riskml.vocabulary import load_factors

    file = Path(__file__).parents[2] / "features" / "factors.yml"
    assert {*CODES, "prior_violence_others"} <= set(load_factors(file).codes)


def test_every_setting_has_a_tag_and_a_reason():
    for name, _, tag, why in described_settings():
        assert why, name
        assert tag.split(":")[0].split(",")[0] in {"S", "M", "D", "A", "seed"}, name
    assert {f.tag for f in FACTORS} <= {"A", "S:1"}


def test_a_narrative_never_denies_what_its_factor_rows_say_is_present(realistic):
    factors = realistic.tables["factors"]
    first = factors[factors["superseded_at"].isna() & (factors["state"] == "present")]
    first = first[~first["incident_id"].isna()]
    said = realistic.tables["incidents"].drop_duplicates("incident_id").set_index("incident_id")["narrative"]
    joined = first.assign(text=said.reindex(first["incident_id"]).to_numpy())
    # A row that replaced a wrong one contradicts the old narrative on purpose, and so does a pasted one.
    contradicted = [
        any(q in text for q in DENIED[code])
        for code, text in zip(joined["factor"], joined["text"], strict=True)
    ]
    assert np.mean(contradicted) < 0.05


def test_evidence_is_quoted_in_the_narrative(realistic):
    factors, incidents = realistic.tables["factors"], realistic.tables["incidents"]
    said = incidents.drop_duplicates("incident_id").set_index("incident_id")["narrative"]
    rows = factors[~factors["incident_id"].isna()].head(2000)
    found = [
        quote in said[incident] for quote, incident in zip(rows["evidence"], rows["incident_id"], strict=True)
    ]
    assert np.mean(found) > 0.90  # typos, pasted narratives and corrections take the rest


def test_a_corrected_row_is_followed_by_the_one_that_replaced_it(realistic):
    incidents = realistic.tables["incidents"]
    wrong = incidents[incidents["superseded_at"].notna()]
    assert len(wrong)
    right = incidents[incidents["superseded_at"].isna()]
    pairs = wrong.merge(right, on="incident_id", suffixes=("", "_right"))
    assert len(pairs) == len(wrong)
    assert (pairs["superseded_at"] == pairs["recorded_at_right"]).all()
    assert (pairs["severity"] != pairs["severity_right"]).all()


def test_one_version_of_a_case_stands_at_any_time(realistic):
    cases = realistic.tables["cases"].sort_values(["case_id", "recorded_at"], kind="stable")
    following = cases.groupby("case_id")["recorded_at"].shift(-1)
    assert (cases["superseded_at"].isna() == following.isna()).all()
    assert (cases["superseded_at"].dropna() == following.dropna()).all()
    assert not (cases["closed_at"] < cases["recorded_at"]).any()


def test_the_registry_has_its_faults(realistic):
    tables = realistic.tables
    incidents = tables["incidents"]
    assert incidents["occurred_at"].isna().any()
    assert (incidents["recorded_at"] < incidents["occurred_at"]).any()
    assert incidents["narrative"].duplicated().any()
    assert tables["aggressors"]["birth_year"].isna().any()
    standing = tables["cases"].drop_duplicates("case_id", keep="last").set_index("case_id")
    replaced = tables["cases"][tables["cases"]["superseded_at"].notna()]
    assert (
        replaced["municipality"].to_numpy()
        != standing["municipality"].reindex(replaced["case_id"]).to_numpy()
    ).any()
    assert (
        replaced["aggressor_id"].to_numpy()
        != standing["aggressor_id"].reindex(replaced["case_id"]).to_numpy()
    ).any()


def test_complete_recording_is_at_once_and_without_faults(complete):
    for name, rows in complete.tables.items():
        assert rows["superseded_at"].isna().all(), name
        assert rows["occurred_at"].notna().all(), name
        assert (rows["recorded_at"] >= rows["occurred_at"]).all(), name
    incidents = complete.tables["incidents"]
    assert (incidents["recorded_at"] == incidents["occurred_at"]).all()
    assert len(incidents) == len(complete.truth.events)


def test_complete_recording_names_every_factor_of_every_case(complete):
    factors = complete.tables["factors"]
    named = factors[factors["factor"] != "prior_violence_others"].groupby("case_id")["factor"].nunique()
    assert (named == len(CODES)).all()
    assert len(named) == 600


def test_without_signal_no_case_is_closed():
    cases = simulate(200, signal=0.0).tables["cases"]
    assert cases["closed_at"].isna().all()


def test_the_intervention_multiplies_visits(realistic):
    visits = realistic.tables["responses"].query("kind == 'visit'")["occurred_at"]
    incidents = realistic.tables["incidents"]["recorded_at"]
    turn = realistic.plan.intervention
    before = (visits < turn).sum() / (incidents < turn).sum()
    after = (visits >= turn).sum() / (incidents >= turn).sum()
    assert after > 2 * before


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"cases": 0}, "cases"),
        ({"cases": 2.5}, "cases"),
        ({"cases": 10, "seed": -1}, "seed"),
        ({"cases": 10, "signal": 2.0}, "signal"),
        ({"cases": 10, "recording": "compete"}, "complete"),
        ({"cases": 10, "start": "yesterday-ish"}, "start"),
        ({"cases": 10, "start": "2026-10-30"}, "28 days"),
        ({"cases": 10, "language": "fr"}, "language"),
    ],
)
def test_bad_arguments_are_one_readable_error(arguments, where):
    with pytest.raises(RiskmlError, match=where):
        simulate(**arguments)


def test_the_page_shows_the_settings_as_they_are():
    page = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text(encoding="utf-8")
    fresh = rendered(page, settings=settings_table(), factors=factors_table())
    assert page == fresh, "render it again: python -m riskml.simulation.pages docs/simulation.md"
