"""Champion and challenger on the same cases: each says what scoring would say, and nothing else differs."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from riskml.errors import RiskmlError
from riskml.models.bundle import Model
from riskml.models.calibration import Calibrator
from riskml.models.levels import load_levels
from riskml.review.compare import compare_versions
from riskml.scoring.score import score
from riskml.validation.agreement import weighted_kappa
from riskml.validation.forecast import NotEstimable
from riskml.vocabulary import LEVELS
from small_opinion import AS_OF, LEVELS_FILE, small_registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return small_registry(tmp_path_factory.mktemp("registry"))


def _recalibrated(model, slope, intercept):
    parts = {name: value for name, value in vars(model).items() if not name.startswith("_")}
    return Model(**parts | {"calibrator": Calibrator("sigmoid", {"slope": slope, "intercept": intercept})})


@pytest.fixture(scope="module")
def levels():
    return load_levels(LEVELS_FILE)


@pytest.fixture(scope="module")
def compared(registry, levels):
    repeat, escalation = registry.models
    challenger = _recalibrated(escalation, 0.5, 0.4)
    found = compare_versions(
        escalation,
        challenger,
        registry.history,
        AS_OF,
        levels=levels,
        catalogue=registry.catalogue,
        others=[repeat],
        replicates=50,
    )
    return found, escalation, challenger


def test_each_side_is_what_scoring_suggests(compared, registry, levels):
    found, *sides = compared
    for side, model in zip(("champion", "challenger"), sides, strict=True):
        opinion = score([registry.models[0], model], registry.history, AS_OF, levels=levels)
        expected = opinion.cases.reindex(found.cases.index)
        np.testing.assert_allclose(found.cases[f"{side}_risk"], expected["escalation_risk"], rtol=1e-12)
        assert (found.cases[f"{side}_level"] == expected["suggested_level"]).all()


def test_the_figures_are_those_of_the_definitions(compared):
    found = compared[0]
    cases = found.cases
    expected = spearmanr(cases["champion_risk"], cases["challenger_risk"]).statistic
    estimate, low, high = found.figures["rank_correlation"]
    assert estimate == pytest.approx(expected)
    assert low <= estimate <= high
    estimate, low, high = found.figures["difference"]
    assert estimate == pytest.approx((cases["challenger_risk"] - cases["champion_risk"]).mean())
    assert low < estimate < high
    people = np.arange(len(cases))
    kappa, *_ = weighted_kappa(cases["champion_level"], cases["challenger_level"], people, seed=0)
    assert found.figures["kappa"][0] == pytest.approx(kappa)
    assert found.figures["kappa"][1] <= kappa <= found.figures["kappa"][2]


def test_who_changes_level_adds_up(compared):
    found = compared[0]
    assert len(found.changed) > 0
    assert (found.changed["champion_level"] != found.changed["challenger_level"]).all()
    assert found.flows.to_numpy().sum() == len(found.cases)
    assert len(found.cases) - np.trace(found.flows.to_numpy()) == len(found.changed)
    for _, row in found.changed.iterrows():
        steps = LEVELS.index(row["challenger_level"]) - LEVELS.index(row["champion_level"])
        assert row["change"] == steps
    assert found.changed["change"].is_monotonic_decreasing
    common, k = found.capacity
    assert 0 < common <= k <= len(found.cases)


def test_a_version_is_not_compared_with_itself(compared, registry, levels):
    _, champion, _ = compared
    with pytest.raises(RiskmlError, match="cannot be compared with itself"):
        compare_versions(
            champion, champion, registry.history, AS_OF, levels=levels, catalogue=registry.catalogue
        )


def test_where_everybody_has_one_level_kappa_says_why_it_is_not_estimable(registry, levels):
    """Without the other models and with the same order of risks nothing but the risks differs."""
    repeat = registry.models[0]
    low = _recalibrated(repeat, 1e-6, -9.0)
    found = compare_versions(
        low,
        _recalibrated(repeat, 1e-6, -9.5),
        registry.history,
        AS_OF,
        levels=type(levels)({level: [] for level in levels.rules}),
        catalogue=registry.catalogue,
        replicates=20,
    )
    assert isinstance(found.figures["kappa"], NotEstimable)
    assert found.changed.empty
