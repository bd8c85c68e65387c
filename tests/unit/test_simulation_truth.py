"""The truth is held against slow and obvious versions of itself, and against what then happened."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.registry.pseudonyms import Key
from riskml.simulation.escalation import Past
from riskml.simulation.hazard import NEVER, Pairs, clock_integral, clock_rate, log_modifier, next_event
from riskml.simulation.settings import SimulationSettings
from riskml.simulation.simulate import simulate
from riskml.simulation.truth import Truth

SETTINGS = SimulationSettings()


class _Fixed:
    """A generator whose exponential draws are given."""

    def __init__(self, draw):
        self.draw = draw

    def standard_exponential(self, size):
        return np.full(size, self.draw)


def _pair(**values):
    blank = dict.fromkeys(Pairs.__dataclass_fields__, 0.0)
    blank |= {name: -NEVER for name in blank if name.endswith(("_from", "_until", "_before", "_last"))}
    blank |= {"separated": NEVER, "exit": NEVER, "withdrawn": NEVER, "constant": -5.0}
    return Pairs(**{name: np.array([float(value)]) for name, value in (blank | values).items()})


def _rate(pairs, when, signal):
    """The hazard, from its definition, at one moment."""
    if when >= pairs.exit[0]:
        return 0.0
    log = pairs.constant[0] + log_modifier(pairs, np.array([[when]]), SETTINGS, signal)[0, 0]
    return float(np.exp(log) * clock_rate(np.array([when - pairs.clock[0]]), SETTINGS, signal)[0])


@given(days=st.floats(0.0, 2000.0), signal=st.floats(0.0, 1.5))
@settings(max_examples=60, deadline=None)
def test_the_clocks_integral_is_the_integral_of_its_rate(days, signal):
    fine = np.linspace(0.0, days, 20_001)
    middle = (fine[1:] + fine[:-1]) / 2.0
    slow = float((clock_rate(middle, SETTINGS, signal) * np.diff(fine)).sum())
    assert float(clock_integral(days, SETTINGS, signal)) == pytest.approx(
        slow, rel=1e-3, abs=2e-1 * days / 20_000 + 1e-9
    )


@given(
    draw=st.floats(0.01, 3.0),
    now=st.floats(0.0, 50.0),
    visit=st.floats(0.0, 120.0),
    custody=st.tuples(st.floats(0.0, 150.0), st.floats(1.0, 200.0)),
    separated=st.floats(0.0, 100.0),
    leaves=st.floats(100.0, 900.0),
    signal=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=15, deadline=None)
def test_the_next_event_is_where_the_integrated_hazard_reaches_the_draw(
    draw, now, visit, custody, separated, leaves, signal
):
    pairs = _pair(
        visit_last=visit,
        custody_from=custody[0],
        custody_until=sum(custody),
        separated=separated,
        exit=leaves,
        constant=-3.5,
    )
    when = next_event(pairs, np.array([now]), 800.0, SETTINGS, signal, _Fixed(draw))[0]
    fine = np.linspace(now, min(leaves, 800.0), 8001)
    middle = (fine[1:] + fine[:-1]) / 2.0
    mass = np.cumsum([_rate(pairs, m, signal) for m in middle]) * np.diff(fine)[0]
    if when == NEVER:
        assert mass[-1] < draw + 0.02
    else:
        assert mass[max(0, np.searchsorted(fine, when) - 1)] == pytest.approx(draw, abs=0.03)


def _cohort(simulation, every, last):
    """Every case at common dates after its first event, whether open or not."""
    first = simulation.truth.events.groupby("case_id")["occurred_at"].min()
    dates = pd.date_range(simulation.plan.start + pd.Timedelta(days=100), last, freq=every).as_unit("us")
    rows = pd.MultiIndex.from_product([first.index, dates], names=["case_id", "as_of"]).to_frame(index=False)
    return rows[rows["as_of"] > first.reindex(rows["case_id"]).to_numpy()].reset_index(drop=True)


def _happened(events, cohort, days):
    events = events.sort_values("occurred_at")[["case_id", "occurred_at"]]
    rows = cohort.assign(row=range(len(cohort))).sort_values("as_of")
    joined = pd.merge_asof(
        rows,
        events,
        left_on="as_of",
        right_on="occurred_at",
        by="case_id",
        direction="forward",
        allow_exact_matches=False,
    )
    within = joined["occurred_at"] - joined["as_of"] <= pd.Timedelta(days=days)
    return within.to_numpy()[np.argsort(joined["row"].to_numpy())]


@pytest.fixture(scope="module")
def world():
    return simulate(4000, seed=11)


@pytest.mark.parametrize("recorded", [False, True])
def test_risk_agrees_with_what_then_happened(world, recorded):
    cohort = _cohort(world, "70D", "2026-07-01")
    risk = world.truth.risk(cohort, 90, recorded=recorded)
    events = world.truth.events
    happened = _happened(events[events["reported"]] if recorded else events, cohort, 90)
    assert happened.mean() == pytest.approx(risk.mean(), rel=0.05)
    bands = pd.qcut(risk, 8, duplicates="drop")
    table = (
        pd.DataFrame({"risk": risk, "happened": happened}).groupby(bands, observed=True).agg(["mean", "size"])
    )
    spread = 5 * np.sqrt(table[("risk", "mean")] / table[("risk", "size")]) + 0.015
    assert (abs(table[("risk", "mean")] - table[("happened", "mean")]) < spread).all()


def test_risk_over_a_short_time_is_the_hazard(world):
    cohort = _cohort(world, "200D", "2026-07-01")
    hazard = world.truth.hazard(cohort)
    risk = world.truth.risk(cohort, 0.01, recorded=False)
    calm = (hazard > 0) & (hazard < 0.05)
    np.testing.assert_allclose(risk[calm], hazard[calm] * 0.01, rtol=0.02)


def test_risk_grows_with_the_horizon_and_is_a_probability(world):
    cohort = _cohort(world, "300D", "2026-07-01")
    short, long = world.truth.risk(cohort, 30), world.truth.risk(cohort, 180)
    assert (long >= short - 1e-12).all()
    assert short.min() >= 0.0
    assert long.max() <= 1.0


def test_recorded_risk_is_no_more_than_the_risk_of_violence(world):
    cohort = _cohort(world, "300D", "2026-07-01")
    assert (world.truth.risk(cohort, 90) <= world.truth.risk(cohort, 90, recorded=False) + 1e-9).all()


def test_without_signal_every_pair_has_the_same_constant_hazard():
    flat = simulate(300, signal=0.0)
    cohort = _cohort(flat, "90D", "2026-07-01")
    hazard = flat.truth.hazard(cohort)
    # A pair within a day of its last event, or one ended by a death, is the only exception.
    usual = hazard > 0
    assert usual.mean() > 0.98
    np.testing.assert_allclose(hazard[usual], SETTINGS.null_rate)


def test_escalation_agrees_with_the_labels_definition_where_everything_is_recorded():
    from riskml.outcomes.labels import label_outcomes
    from riskml.registry.history import History

    seen = simulate(1500, seed=2, recording="complete")
    cohort = _cohort(seen, "150D", "2026-05-01")
    labels = label_outcomes(
        History.of(dict(seen.tables)),
        cohort,
        {"event": "escalation", "horizon": "90d", "reporting_lag": "1d"},
    )
    happened = labels["outcome"].to_numpy()
    risk = seen.truth.escalation_risk(cohort, 90, draws=40, seed=1)
    known = ~np.isnan(happened)
    assert risk[known].mean() == pytest.approx(happened[known].mean(), rel=0.15)


def test_the_same_seed_gives_the_same_escalation_risk(world):
    cohort = _cohort(world, "400D", "2026-01-01").head(50)
    one, other = (world.truth.escalation_risk(cohort, 90, draws=10, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_the_past_of_an_assessment_is_what_was_reported_before_it():
    past = Past.of(
        np.array([0, 0, 1, 2]),
        np.array([100.0, 5.0, 500.0, 1.0]),
        np.array([0, 0, 1, 1, 0]),
        np.array([10.0, 90.0, 100.0, 480.0, 101.0]),
        np.array([1, 3, 5, 2, 4]),
    )
    np.testing.assert_array_equal(past.last, [3, np.nan, 2, np.nan])
    np.testing.assert_array_equal(past.before, [1, np.nan, 5, np.nan])
    np.testing.assert_array_equal(past.highest, [3, 0, 2, 0])  # the 5 is more than a year back


def test_a_truth_can_be_written_and_read(world, tmp_path):
    world.truth.write(tmp_path)
    again = Truth.read(tmp_path)
    cohort = _cohort(world, "400D", "2026-01-01")
    np.testing.assert_array_equal(again.risk(cohort, 90), world.truth.risk(cohort, 90))
    assert again.settings == world.truth.settings
    few = cohort["case_id"].unique()[:20]
    part = cohort[cohort["case_id"].isin(few)]
    np.testing.assert_array_equal(Truth.read(tmp_path, few).risk(part, 90), world.truth.risk(part, 90))


def test_a_truth_answers_for_the_pseudonyms_of_a_history(world):
    key = Key("0123456789abcdef0123456789abcdef")
    cohort = _cohort(world, "400D", "2026-01-01").head(30)
    hidden = cohort.assign(case_id=[key.pseudonym("case_id", c) for c in cohort["case_id"]])
    np.testing.assert_array_equal(world.truth.for_history(key).risk(hidden, 90), world.truth.risk(cohort, 90))


def test_an_unknown_case_is_an_error_that_says_how_to_mend_it(world):
    cohort = pd.DataFrame({"case_id": ["nobody"], "as_of": pd.to_datetime(["2025-01-01"])})
    with pytest.raises(RiskmlError, match="for_history"):
        world.truth.risk(cohort, 90)
    with pytest.raises(RiskmlError, match="no truth here"):
        Truth.read("nowhere")


def test_before_its_first_event_a_pair_has_no_risk_to_tell(world):
    case = world.truth.events["case_id"].iloc[0]
    cohort = pd.DataFrame({"case_id": [case], "as_of": pd.to_datetime(["2022-01-01"])})
    assert np.isnan(world.truth.risk(cohort, 90)).all()
