"""The parts of a validation document: each against a slow version of itself."""

from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.spec import ModelFile, load_model_file
from riskml.outcomes.cohort import assessments
from riskml.outcomes.definition import OutcomeDefinition
from riskml.outcomes.labels import label_outcomes
from riskml.registry.history import History
from riskml.simulation.simulate import simulate
from riskml.training.backtested import days_needed, origins_of
from riskml.training.held_recipe import held_recipe, learning_rows, reading
from riskml.training.rebuilt import encoded, rebuilt, thinned
from riskml.training.recalibrated import recalibrate_model
from riskml.training.strata import by_relationship, strata_of
from riskml.training.train import train
from riskml.training.treatment import at_reference
from riskml.training.usefulness import outcome_events, thresholds_of
from riskml.validation.leakage_audit import single_feature_control

ROOT = Path(__file__).parents[2]
DAY = np.timedelta64(1, "D")


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 120)), min_size=1, max_size=40, unique=True),
    st.integers(1, 12) | st.none(),
)
@settings(max_examples=60)
def test_a_case_counts_once_in_each_block_of_days(given_rows, most):
    cohort = pd.DataFrame(given_rows, columns=["case_id", "day"])
    start = np.datetime64("2024-03-01", "us")
    cohort["as_of"] = start + cohort["day"].to_numpy() * DAY
    rows = np.arange(len(cohort))[::2]
    kept, days = thinned(cohort, rows, most=most)
    first = {}
    origin = cohort["day"].min()
    for row in sorted(rows, key=lambda r: cohort.loc[r, "day"]):
        first.setdefault((cohort.loc[row, "case_id"], (cohort.loc[row, "day"] - origin) // days), row)
    assert sorted(first.values()) == list(kept)
    assert set(cohort.loc[kept, "case_id"]) == set(cohort.loc[rows, "case_id"])
    assert days % 28 == 0
    if most is not None and days > 28:
        shorter, _ = thinned(cohort, rows, days=days - 28)
        assert len(shorter) > most


@pytest.mark.parametrize(("gap", "windows", "origins"), [(135, 1, 4), (410, 1, 5), (60, 1, 4)])
def test_so_many_days_are_needed_and_no_fewer(gap, windows, origins):
    needed = days_needed(gap, windows, 1.0, origins)
    shares = {"develop": 0.7, "evaluate": 0.3}
    for days, room in ((needed, True), (needed - 2, False)):
        as_of = np.datetime64("2020-01-01", "us") + np.arange(days + 1) * DAY
        places, fallback = origins_of(as_of, shares, gap * DAY, origins)
        assert bool(places) == room
        assert fallback != room


def test_fewer_windows_are_learnt_from_before_a_backtest_is_given_up():
    shares = {"train": 0.4, "tune": 0.2, "calibrate": 0.2, "evaluate": 0.2}
    for days, windows in ((1500, 4), (700, 2), (200, None)):
        as_of = np.datetime64("2020-01-01", "us") + np.arange(days) * DAY
        places, fallback = origins_of(as_of, shares, 135 * DAY, 4)
        assert ({len(place.split.rows) for place in places} or {None}) == {windows}
        assert fallback == (windows != 4)
    with pytest.raises(RiskmlError, match="at least 4"):
        origins_of(as_of, shares, 135 * DAY, 3)


@given(st.floats(0.001, 0.6))
def test_thresholds_lie_around_the_base_rate(prevalence):
    found = thresholds_of(prevalence)
    assert (np.diff(found) >= 0).all()
    assert 0 < found[0] < prevalence < found[-1] <= 0.9


@pytest.fixture(scope="module")
def history():
    return History(History.of(dict(simulate(600, seed=8).tables)).tables, {"hash": "c" * 64})


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(ROOT / "features")


@pytest.mark.parametrize("event", ["incident", "escalation", "severe_incident"])
def test_events_of_a_window_are_those_that_labels_count(history, event):
    severity = {"minimum_severity": 4} if event == "severe_incident" else {}
    definition = OutcomeDefinition(event=event, horizon="90d", reporting_lag="30d", **severity)
    start, end = pd.Timestamp("2025-01-06"), pd.Timestamp("2025-06-02")
    events = outcome_events(history, definition, start, end)
    weekly = assessments(history, every="7d", start=start, end=end)
    labelled = label_outcomes(history, weekly, definition).reset_index()
    labelled = labelled[labelled["event_at"].notna() & (labelled["event_at"] <= end)]
    told = set(zip(labelled["case_id"], labelled["event_at"], strict=True))
    found = set(zip(events["case_id"], events["event_at"], strict=True))
    assert len(told) >= 5
    near = pd.Timedelta(days=1)  # reports of one event, of which labels may know the second one first
    assert not [(c, at) for c, at in told if not any(o == c and abs(at - t) <= near for o, t in found)]
    # A label tells the first event alone; what none tells followed another one, or no assessment.
    lists = weekly.groupby("case_id")["as_of"].apply(list).to_dict()
    for case, at in found - told:
        before = [moment for moment in lists.get(case, ()) if at - pd.Timedelta(days=7) <= moment < at]
        assert all(any(o == case and moment < t < at for o, t in found) for moment in before)


def _without_responses(history, catalogue):
    """The same history in which nobody did anything, and no factor says that somebody did."""
    exposed = {f.where for f in catalogue.features if f.exposure and f.table == "factors"}
    codes = {code for code in catalogue.factors.codes if any(f"'{code}'" in (w or "") for w in exposed)}
    tables = {}
    for name in history.tables:
        frame = history.table(name).to_pandas()
        if name in ("measures", "proceedings", "responses"):
            frame = frame.iloc[:0]
        if name == "factors":
            frame = frame[~frame["factor"].isin(codes)]
        tables[name] = frame
    return History.of(tables)


def test_responses_at_their_reference_are_a_registry_in_which_none_was_recorded(history, catalogue):
    cohort = assessments(history, every="91d", start="2025-01-06")
    found = at_reference(build_features(history, cohort, catalogue), catalogue)
    wanted = build_features(_without_responses(history, catalogue), cohort, catalogue)
    exposed = [c.name for c in catalogue.columns if c.exposure]
    assert len(exposed) > 40
    pd.testing.assert_frame_equal(found[exposed], wanted[exposed])


COLUMNS = ["incidents_90d", "days_since_incident"]


def _spec(main, name="repeat", columns=COLUMNS):
    document = load_model_file(ROOT / "models" / f"{name}.yml").to_document()
    document |= {"bootstrap": 20, "minimum": {"events_to_learn": 10, "events_to_judge": 5}}
    document |= {"baselines": {"instruments": []}, "calibrators": ["sigmoid"]}
    document["features"] |= {"include": list(columns)}
    document["sample_size"] = {"c_statistic": 0.95, "shrinkage": 0.6}
    grid = [{"num_leaves": 4, "learning_rate": 0.1}]
    trees = {"trials": 0, "grid": grid, "rounds": 30}
    document["learners"] = {"main": main, "lightgbm": trees, "elastic_net": {"l1_ratio": [0.5]}}
    return ModelFile.of(document)


@pytest.mark.parametrize(
    ("main", "name"),
    [
        ("elastic_net", "repeat"),
        ("lightgbm", "repeat"),
        pytest.param("blend", "severe_harm", marks=pytest.mark.slow),
    ],
)
def test_a_recipe_held_on_its_own_rows_gives_its_own_model(history, catalogue, main, name):
    model = train(_spec(main, name), history, catalogue=catalogue.part(*COLUMNS), seed=5)
    found = rebuilt(model, history)
    assert found.chosen == main
    every = np.union1d(found.data.split.refit, found.data.split.calibrate)
    learning = learning_rows(found, every)
    recipe = held_recipe(found)
    again = recipe.fit(learning, np.arange(len(every)), 5)(reading(found, found.later))
    assert np.abs(again - found.risk).max() < 2e-3
    drawn = np.random.default_rng(1).integers(0, len(every), len(every))
    other = recipe.fit(learning, drawn, 5)(reading(found, found.later))
    assert np.abs(other - found.risk).max() > 2e-3


def test_the_step_of_a_recalibrated_version_is_held_too(history, catalogue):
    model = train(_spec("elastic_net"), history, catalogue=catalogue.part(*COLUMNS), seed=5)
    found = rebuilt(recalibrate_model(model, history, kind="intercept"), history)
    every = np.union1d(found.data.split.refit, found.data.split.calibrate)
    again = held_recipe(found).fit(learning_rows(found, every), np.arange(len(every)), 5)
    assert np.abs(again(reading(found, found.later)) - found.risk).max() < 2e-3
    own = model.predict(found.data.matrix.iloc[found.later])
    assert np.abs(own - found.risk).max() > 2e-3


def test_partners_and_the_rest_are_held_apart(history, catalogue):
    spec = _spec("elastic_net", columns=[*COLUMNS, "relationship"])
    part = catalogue.part(*COLUMNS, "relationship")
    found = rebuilt(train(spec, history, catalogue=part, seed=5), history)
    encoding, inputs = encoded(found.data, spec, part)
    assert encoding == found.model.encoding
    strata = strata_of(encoding, inputs.design)
    apart = by_relationship(found.data, inputs, spec, encoding, strata, seed=5)
    model = copy(found.model)
    model.learner, model.calibrator = apart.learner, apart.calibrator
    tuning, calibrators = {apart.name: apart.tuning}, {apart.name: apart.calibrators}
    model.report = model.report | {"chosen": apart.name, "tuning": tuning, "calibrators": calibrators}
    found = replace(found, model=model)
    every = np.union1d(found.data.split.refit, found.data.split.calibrate)
    again = held_recipe(found).fit(learning_rows(found, every), np.arange(len(every)), 5)
    assert np.abs(again(reading(found, found.later)) - apart.risk(inputs, found.later)).max() < 2e-3


def test_a_feature_that_few_people_have_does_not_fail_the_audit_alone():
    rng = np.random.default_rng(0)
    people, outcome = np.arange(400), (np.arange(400) % 8 == 0).astype(float)
    rare = np.full(400, np.nan)
    rare[:60] = outcome[:60] + rng.normal(0, 0.1, 60)  # knows the answer of 8 people with an event
    design = pd.DataFrame({"rare": rare, "noise": rng.normal(size=400)})
    check = single_feature_control(design, outcome, people)
    assert check.verdict == "pass"
    assert check.figures["few_people"] == 1
    design["rare"] = np.where(np.arange(400) < 320, outcome + rng.normal(0, 0.1, 400), np.nan)
    assert single_feature_control(design, outcome, people).verdict == "fail"
    assert single_feature_control(design.iloc[:60][["rare"]], outcome[:60], people[:60]).verdict == "concern"
