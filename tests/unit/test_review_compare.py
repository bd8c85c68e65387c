"""Champion and challenger on the same cases: each says what scoring would say, and nothing else differs."""

import io
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import spearmanr

from riskml.cli.comparing import print_comparison
from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.messages import message
from riskml.models.bundle import Model
from riskml.models.calibration import Calibrator
from riskml.models.levels import load_levels
from riskml.review.compare import compare_versions
from riskml.scoring.score import score
from riskml.validation.agreement import weighted_kappa
from riskml.validation.forecast import NotEstimable
from riskml.vocabulary import ABSTAINED, LEVELS
from small_opinion import AS_OF, FEATURES, LEVELS_FILE, small_registry


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
    both = found.changed[found.changed["change"].notna()]
    for _, row in both.iterrows():
        steps = LEVELS.index(row["challenger_level"]) - LEVELS.index(row["champion_level"])
        assert row["change"] == steps
    assert both["change"].is_monotonic_decreasing
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


def test_a_side_that_abstains_counts_as_a_change_and_has_no_step(registry, levels):
    """With few known factors and thresholds that everybody just misses, one answer could lift a level."""
    champion, repeat = registry.models[1], registry.models[0]
    cautious = replace(levels, abstention=levels.abstention.model_copy(update={"fewer_known_than": 9}))
    found = compare_versions(
        champion,
        _recalibrated(champion, 0.4, 1.5),
        registry.history,
        AS_OF,
        levels=cautious,
        catalogue=registry.catalogue,
        others=[repeat],
        replicates=20,
    )
    assert not found.by_rules_alone
    abstains = (found.cases[["champion_level", "challenger_level"]] == ABSTAINED).any(axis=1)
    assert 0 < abstains.sum() < len(found.cases)
    assert found.cases.loc[abstains, "change"].isna().all()
    assert found.cases.loc[~abstains, "change"].notna().all()
    assert found.flows.to_numpy().sum() == len(found.cases)
    assert len(found.changed) == len(found.cases) - np.trace(found.flows.to_numpy())
    for language in ("es", "en"):
        with io.StringIO() as out:
            print_comparison(Console(file=out, width=140), found, language)
            assert message("levels.level_insufficient_data", language) in out.getvalue()


def test_versions_of_other_catalogues_are_compared_by_the_rules_alone(registry, levels, tmp_path):
    """The same features under another label: another catalogue, the same numbers."""
    champion = registry.models[1]
    document = registry.catalogue.to_document()
    shutil.copytree(FEATURES, tmp_path / "features")
    acts = tmp_path / "features" / "acts.yml"
    text = acts.read_text(encoding="utf-8")
    acts.write_text(text.replace("windows: [30d, 90d", "windows: [31d, 30d, 90d", 1), encoding="utf-8")
    other = load_catalogue(tmp_path / "features")
    assert other.to_document() != document
    parts = {name: value for name, value in vars(champion).items() if not name.startswith("_")}
    challenger = _recalibrated(Model(**parts | {"catalogue": other}), 0.5, 0.4)
    found = compare_versions(
        champion,
        challenger,
        registry.history,
        AS_OF,
        levels=levels,
        catalogue=registry.catalogue,
        replicates=20,
    )
    assert found.by_rules_alone
    assert not (found.cases[["champion_level", "challenger_level"]] == ABSTAINED).any().any()
    matrix = build_features(registry.history, registry.history.open_cases(AS_OF), registry.catalogue)
    expected = champion.predict(matrix)[
        matrix.index.get_level_values("case_id").get_indexer(found.cases.index)
    ]
    np.testing.assert_allclose(found.cases["champion_risk"], expected, rtol=1e-12)


def test_a_model_that_gives_no_risk_is_not_compared(registry, levels):
    """A lethal model knows relative risk and pattern, and sets no level."""
    first, second = (SimpleNamespace(name="lethal", version=v, catalogue=registry.catalogue) for v in "ab")
    with pytest.raises(RiskmlError, match="gives relative risk and pattern"):
        compare_versions(first, second, registry.history, AS_OF, levels=levels, catalogue=registry.catalogue)
