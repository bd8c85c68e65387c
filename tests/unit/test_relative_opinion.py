"""A lethal model beside the others in a second opinion: shown as relative risk, and moving nothing."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest

from riskml.engines.scores import write_scores
from riskml.errors import RiskmlError
from riskml.explain.case import explain
from riskml.explain.relative_words import relative_section
from riskml.models.lethal_spec import load_lethal_file
from riskml.models.levels import load_levels
from riskml.scoring.batch import opinion_rows, run_id_of
from riskml.scoring.score import score
from riskml.training.lethal import train_lethal
from small_opinion import AS_OF, LEVELS_FILE, small_registry

ROOT = Path(__file__).parents[2]
COLUMNS = ["lethal_relative", "lethal_low", "lethal_high", "lethal_unknown"]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return small_registry(tmp_path_factory.mktemp("registry"), cases=60)


@pytest.fixture(scope="module")
def lethal(registry):
    spec = load_lethal_file(ROOT / "models" / "lethal.yml")
    return train_lethal(spec, registry.history, catalogue=registry.catalogue)


@pytest.fixture(scope="module")
def opinion(registry, lethal):
    return score([*registry.models, lethal], registry.history, AS_OF)


@pytest.fixture(scope="module")
def without(registry):
    return score(registry.models, registry.history, AS_OF)


def test_it_changes_neither_level_nor_order_nor_what_is_written(opinion, without):
    pd.testing.assert_frame_equal(opinion.cases.drop(columns=COLUMNS), without.cases)
    pd.testing.assert_frame_equal(opinion_rows(opinion, "es"), opinion_rows(without, "es"))
    assert run_id_of(opinion, "es") == run_id_of(without, "es")
    assert not [column for column in opinion.cases if column in ("lethal_risk", "lethal_standing")]


def test_each_case_has_its_multiple_of_the_average_with_its_interval(opinion, lethal):
    cases = opinion.cases
    relationship = opinion.matrix["relationship"].to_numpy()
    applies = np.isin(relationship.astype(str), ("partner", "ex-partner"))
    assert 0 < applies.sum() < len(cases)
    assert (cases["lethal_relative"].notna() == applies).all()
    inside = cases[applies]
    assert (inside["lethal_low"] <= inside["lethal_relative"]).all()
    assert (inside["lethal_relative"] <= inside["lethal_high"]).all()
    np.testing.assert_array_equal(
        cases["lethal_relative"], lethal.score(opinion.matrix)["relative"].to_numpy()
    )
    assert "lethal " + lethal.version in opinion.text()


def _row(opinion, case):
    return opinion.matrix.iloc[[opinion.cases.index.get_loc(case)]]


@pytest.mark.parametrize(
    ("language", "average"), [("es", "el promedio del padrón"), ("en", "registry's average")]
)
def test_a_case_is_told_its_multiple_and_its_pattern_and_no_probability(opinion, lethal, language, average):
    applies = opinion.cases["lethal_relative"].notna()
    for case in opinion.cases.index[applies][:10]:
        heading, lines = relative_section(lethal, _row(opinion, case), language)
        assert lethal.card["label"][language] in heading
        assert lethal.version in heading
        assert average in lines[0]
        said = [line for line in lines if not isinstance(line, str)]
        listed = [factor for _, factors in said for factor in factors]
        assert len(listed) == len(lethal.relative.definitions)
        numbers = [int(re.search(r"\((\d+) factor", about)[1]) for about, _ in said]
        assert numbers == [len(factors) for _, factors in said]
        text = " ".join([*(line if isinstance(line, str) else line[0] for line in lines), *listed])
        assert not re.search(r"%|\bde cada\b|\bout of\b|\bper 1", text)
    outside = opinion.cases.index[~applies][0]
    lines = relative_section(lethal, _row(opinion, outside), language)[1]
    assert lines in (["No aplica a esta relación."], ["Not applicable to this relationship."])


def test_the_explanation_of_a_case_holds_it(opinion, lethal):
    case = opinion.cases.index[opinion.cases["lethal_relative"].notna()][0]
    assert relative_section(lethal, _row(opinion, case), "es") in explain(opinion, case, "es").sections


def test_a_lethal_model_alone_suggests_no_level(registry, lethal):
    with pytest.raises(RiskmlError, match="lethal gives relative risk and suggests no level"):
        score(lethal, registry.history, AS_OF)


@pytest.mark.slow
def test_a_rule_on_a_lethal_model_is_left_out_and_said(registry, lethal, without, tmp_path):
    text = LEVELS_FILE.read_text(encoding="utf-8")
    assert "critical:\n" in text
    path = tmp_path / "levels.yml"
    path.write_text(text.replace("critical:\n", "critical:\n  - {model: lethal, share: 0.001}\n", 1), "utf-8")
    opinion = score([*registry.models, lethal], registry.history, AS_OF, levels=load_levels(path))
    assert opinion.cases["suggested_level"].to_dict() == without.cases["suggested_level"].to_dict()
    first = opinion.cases.index[0]
    assert any("lethal" in caution.text("es") for caution in opinion.cautions[first])


@pytest.mark.slow
def test_files_of_risks_hold_it_as_relative_risk(registry, lethal, opinion, tmp_path):
    models = [registry.models[0], lethal]
    written = write_scores(models, registry.history, AS_OF, tmp_path / "risks", parts=2)
    frame = ds.dataset(written.folder, format="parquet", exclude_invalid_files=True).to_table().to_pandas()
    assert list(frame)[2:] == ["repeat_margin", "repeat_risk", *COLUMNS]
    found = frame.set_index("case_id")[COLUMNS].loc[opinion.cases.index]
    pd.testing.assert_frame_equal(
        found, opinion.cases[COLUMNS].astype(float), check_names=False, check_dtype=False
    )


def test_the_same_history_and_seed_give_the_same_version(registry, lethal):
    spec = load_lethal_file(ROOT / "models" / "lethal.yml")
    again = train_lethal(spec, registry.history, catalogue=registry.catalogue)
    assert again.version == lethal.version
