"""Scoring: every open case, only what was visible, its own catalogue, cautions that say what is not known."""

import copy
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import riskml
from hand_cases import cut_at
from riskml.errors import RiskmlError
from riskml.explain.alterations import Copy, copied_matrix
from riskml.explain.dimensions import DIMENSIONS, by_dimension
from riskml.explain.figures import beeswarm, waterfall, waterfall_bars
from riskml.explain.similar_cases import similar_cases, similar_lines
from riskml.features.catalogue import Catalogue
from riskml.features.matrix import build_features
from riskml.models.profiles import risk_profiles
from riskml.registry.history import History
from riskml.scoring.batch import opinion_rows, run_id_of, score_batch
from riskml.scoring.score import score
from riskml.vocabulary import ABSTAINED, LEVELS
from small_opinion import AS_OF, small_registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return small_registry(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def opinion(registry):
    return score(registry.models, registry.history, AS_OF)


def test_every_open_case_has_one_opinion(registry, opinion):
    assert sorted(opinion.cases.index) == sorted(registry.history.open_cases(AS_OF)["case_id"])
    assert set(opinion.cases["suggested_level"]) <= {*LEVELS, ABSTAINED}
    assert opinion.cases["rank"].tolist() == list(range(1, len(opinion.cases) + 1))
    places = {"critical": 0, "high": 1, ABSTAINED: 2, "medium": 3, "low": 4}
    order = opinion.cases["suggested_level"].map(places)
    assert order.is_monotonic_increasing
    assert list(opinion.matrix.index.get_level_values("case_id")) == list(opinion.cases.index)


def test_risks_are_the_models_own_with_what_they_rest_on(registry, opinion):
    for model in registry.models:
        risk = model.predict(opinion.matrix)
        np.testing.assert_allclose(opinion.cases[f"{model.name}_risk"], risk)
        similar = model.interval(risk=risk)
        assert opinion.cases[f"{model.name}_n"].tolist() == similar["size"].tolist()
        assert (opinion.cases[f"{model.name}_low"] <= opinion.cases[f"{model.name}_high"]).all()


def test_nothing_recorded_later_changes_an_opinion(registry):
    day = pd.Timestamp("2026-03-02")
    whole = score(registry.models, registry.history, day)
    then = score(registry.models, cut_at(registry.history, day), day)
    pd.testing.assert_frame_equal(whole.cases, then.cases)
    pd.testing.assert_frame_equal(whole.reasons, then.reasons)


def test_reasons_add_up_to_the_log_odds(opinion):
    for model, explained in opinion.shap.items():
        total = explained.values.sum(axis=1) + explained.base
        np.testing.assert_allclose(total, opinion.models[model].margin(opinion.matrix), atol=1e-9)
    assert set(opinion.reasons["model"]) == set(opinion.models)
    assert set(opinion.reasons["case_id"]) <= set(opinion.cases.index)


def test_one_model_alone_leaves_the_other_rules_out_and_says_so(registry):
    alone = score(registry.models[0], registry.history, AS_OF)
    codes = {c.code for c in alone.cautions[alone.cases.index[0]]}
    assert "rule_left_out" in codes
    assert "escalation_risk" not in alone.cases


def test_cautions_say_what_is_not_known(registry, opinion):
    words = {c.code: c for found in opinion.cautions.values() for c in found}
    assert "no_patterns" in words
    assert "sin registros nuevos no significa sin violencia" in words["quiet"].text("es")
    assert "no new records does not mean no violence" in words["quiet"].text("en")
    known = (
        opinion.matrix[[c for c in ("strangulation", "alcohol") if c in opinion.matrix]].notna().any(axis=1)
    )
    assert known.any()
    for language in ("es", "en"):
        for caution in words.values():
            assert caution.text(language)


def test_silence_lowers_no_level_and_is_named(opinion):
    rank = {level: k for k, level in enumerate(LEVELS)}
    for case, row in opinion.cases.iterrows():
        then, today = rank[row["level_before_silence"]], rank[row["level_today"]]
        named = any(c.code == "level_held" for c in opinion.cautions[case])
        assert named == (then > today) == (case in opinion.held)
        if row["suggested_level"] != ABSTAINED:
            assert rank[row["suggested_level"]] == max(then, today)
    assert opinion.held
    assert f"{len(opinion.held)} casos" in opinion.text() or len(opinion.held) == 1


def test_a_first_and_only_record_can_be_critical(registry):
    told = AS_OF - pd.Timedelta(days=2)
    clock = {"occurred_at": [told], "recorded_at": [told]}
    tables = {name: table.to_pandas() for name, table in registry.history.tables.items()}
    rows = {
        "cases": {"case_id": "new", "aggressor_id": "new", "victim_id": "new", "relationship": "partner"},
        "incidents": {"case_id": "new", "incident_id": "new", "source": "911", "severity": 4},
    }
    for name, row in rows.items():
        tables[name] = pd.concat([tables[name], pd.DataFrame({**row, **clock})], ignore_index=True)
    acts = ["strangulation", "death_threat", "weapon_used"]
    said = {"case_id": "new", "factor": acts, "state": "present", "source": "911"}
    said |= {name: moments * 3 for name, moments in clock.items()}
    tables["factors"] = pd.concat([tables["factors"], pd.DataFrame(said)], ignore_index=True)
    for name, frame in tables.items():
        for column in frame.columns.intersection(["closed_at", "superseded_at"]):
            tables[name][column] = pd.to_datetime(frame[column])
    opinion = score(registry.models, tables, AS_OF)
    assert opinion.cases.loc["new", "suggested_level"] == "critical"
    assert "single_record" in {c.code for c in opinion.cautions["new"]}


def test_a_model_of_another_catalogue_is_refused(registry):
    fewer = Catalogue(registry.catalogue.features[1:], registry.catalogue.factors)
    with pytest.raises(RiskmlError, match=r'model "repeat" .* another catalogue: removed since: ') as error:
        score(registry.models, registry.history, AS_OF, catalogue=fewer)
    assert "riskml train repeat" in str(error.value)
    other = copy.copy(registry.models[1])
    other.catalogue = fewer
    with pytest.raises(RiskmlError, match='model "escalation"'):
        score([registry.models[0], other], registry.history, AS_OF)
    other.catalogue = None
    with pytest.raises(RiskmlError, match="it has no catalogue"):
        score(other, registry.history, AS_OF)


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        ("2020-01-01", "no case is open on 2020-01-01"),
        ("yesterday morning", "is not a moment"),
        ("2026-01-05T00:00:00+02:00", "is not a moment"),
        (None, "is not a moment"),
    ],
)
def test_a_moment_without_cases_or_sense_is_refused(registry, as_of, message):
    with pytest.raises(RiskmlError, match=message):
        score(registry.models, registry.history, as_of)


def test_no_model_and_two_of_one_name_are_refused(registry):
    with pytest.raises(RiskmlError, match="no model to score with"):
        score([], registry.history, AS_OF)
    with pytest.raises(RiskmlError, match="two models of one name"):
        score([registry.models[0], registry.models[0]], registry.history, AS_OF)


def test_outcomes_are_never_read(registry):
    tables = {name: table for name, table in registry.history.tables.items() if name != "outcomes"}
    without = score(registry.models, History(tables, registry.history.manifest), AS_OF)
    assert len(without.cases)


def test_copies_of_cases_have_the_features_of_the_cases(registry, opinion):
    ids = list(opinion.cases.index[:40])
    copied = copied_matrix(registry.history, [Copy(case, AS_OF) for case in ids], registry.catalogue)
    expected = opinion.matrix.loc[ids].reset_index(drop=True)
    pd.testing.assert_frame_equal(copied.reset_index(drop=True), expected)


def test_the_run_id_names_all_that_decides_the_content(registry, opinion):
    again = score(registry.models, registry.history, AS_OF)
    assert run_id_of(opinion, "es") == run_id_of(again, "es")
    others = {
        run_id_of(opinion, "en"),
        run_id_of(score(registry.models[0], registry.history, AS_OF), "es"),
        run_id_of(score(registry.models, registry.history, AS_OF + pd.Timedelta(days=7)), "es"),
    }
    assert len(others | {run_id_of(opinion, "es")}) == 4


def test_rows_hold_no_text_but_cautions(opinion):
    rows = opinion_rows(opinion, "es")
    assert rows["case_id"].tolist() == opinion.cases.index.tolist()
    assert set(rows["risks"].iloc[0]) == {"repeat", "escalation"}
    assert set(rows["risks"].iloc[0]["repeat"]) == {"risk", "low", "high", "n", "events"}
    assert rows["patterns"].tolist() == [[]] * len(rows)


def test_a_history_from_nowhere_is_not_written(registry):
    with pytest.raises(RiskmlError, match="not taken from a registry"):
        score_batch(
            None, registry.models, dict(registry.history.tables), AS_OF, key=None, permit=lambda models: None
        )


# ---------------------------------------------------------------------------------------------- explanations


def test_an_explanation_speaks_both_languages_and_shows_no_ones_probability(opinion):
    case = opinion.cases.index[0]
    for language, words in (("es", "casos parecidos"), ("en", "similar cases")):
        explained = riskml.explain(opinion, case, language)
        assert words in explained.text
        assert f"{opinion.cases.loc[case, 'repeat_risk']:.2f}" not in explained.text
        assert opinion.models["repeat"].version in explained.text
        assert (explained.shap.groupby("model")["contribution"].count() > 10).all()


def test_the_explanation_of_one_case_is_that_of_the_batch(opinion):
    for case in opinion.cases.index[:3]:
        own = riskml.explain(opinion, case).reasons
        batch = opinion.reasons[opinion.reasons["case_id"] == case]
        assert sorted(own["text_es"]) == sorted(batch["text_es"])


@pytest.fixture(scope="module")
def asked(opinion):
    """An explanation with questions, and the features of its case."""
    explained = (riskml.explain(opinion, case) for case in opinion.cases.index[::-1])
    found = next(e for e in explained if len(e.questions))
    return found, opinion.matrix.loc[found.case_id].iloc[0]


def test_a_question_is_about_what_nobody_mentioned(registry, asked):
    explained, values = asked
    for question in explained.questions.itertuples():
        column = next(
            c.name
            for c in registry.catalogue.columns
            if c.name == question.factor or f"'{question.factor}'" in (c.feature.where or "")
        )
        assert not isinstance(values[column], str)
        assert question.label in explained.text or question.Index >= 3


def test_the_answer_to_a_question_is_what_the_model_says_of_it(registry, opinion, asked):
    case, question = asked[0].case_id, asked[0].questions.iloc[0]
    tables = {name: table.to_pandas() for name, table in registry.history.tables.items()}
    row = {
        "case_id": case,
        "factor": question["factor"],
        "state": "present",
        "source": "police_report",
        "occurred_at": AS_OF,
        "recorded_at": AS_OF,
    }
    told = pd.concat([tables["factors"], pd.DataFrame([row])], ignore_index=True)
    told["superseded_at"] = pd.to_datetime(told["superseded_at"])
    cohort = pd.DataFrame({"case_id": [case], "as_of": [AS_OF]})
    matrix = build_features(tables | {"factors": told}, cohort, registry.catalogue)
    model = opinion.models[question["model"]]
    before = opinion.cases.loc[case, f"{question['model']}_risk"]
    assert model.predict(matrix)[0] / before == pytest.approx(question["present"])


def test_a_page_in_a_notebook_is_escaped(registry):
    hostile = copy.copy(registry.models[0])
    hostile.card = {**hostile.card, "label": {"es": "<script>alert(1)</script>", "en": "x"}}
    opinion = score(hostile, registry.history, AS_OF)
    html = riskml.explain(opinion, opinion.cases.index[0])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_lethal_model_shows_a_relative_risk_only(registry):
    lethal = copy.copy(registry.models[0])
    lethal.card = {**lethal.card, "outcome": {"event": ["lethal"]}}
    opinion = score(lethal, registry.history, AS_OF)
    text = riskml.explain(opinion, opinion.cases.index[0]).text
    assert "casos parecidos" not in text
    assert "promedio del padrón" in text


def test_similar_cases_are_told_as_n_of_N_with_their_interval(opinion):
    model, case = opinion.models["repeat"], opinion.cases.index[0]
    values = opinion.shap["repeat"].values.iloc[[0]]
    kept, rng = model.reference, np.random.default_rng(0)
    parts = pd.DataFrame({d: rng.normal(0, 1, 600) for d in DIMENSIONS})
    outcome = (rng.random(600) < 0.2).astype(float)
    model.reference = {**kept, "profiles": risk_profiles(parts, outcome, np.arange(600))}
    try:
        found = similar_cases(model, opinion.cases.loc[case, "repeat_risk"], values)
    finally:
        model.reference = kept
    assert found["by"].tolist() == ["risk", "profile"]
    row = opinion.cases.loc[case]
    assert found.loc[0, ["events", "n"]].tolist() == [row["repeat_events"], row["repeat_n"]]
    lines = similar_lines(found, {"repeat": ("Reincidencia", model)})
    assert f"{row['repeat_events']:,} de {row['repeat_n']:,} valoraciones" in lines[0]
    assert "por perfil" in lines[1]
    lethal = SimpleNamespace(card={"outcome": {"event": ["lethal"]}})
    assert similar_cases(lethal, 0.5, values).empty
    assert "no se muestran" in similar_lines(found.iloc[:0], {"lethal": ("Letal", lethal)})[0]


# -------------------------------------------------------------------------------------------------- figures


def test_the_bars_of_a_waterfall_add_up_by_dimension_and_in_all(opinion):
    for name, explained in opinion.shap.items():
        values, row = explained.values.iloc[0], opinion.matrix.iloc[0]
        bars = waterfall_bars(values, row, opinion.catalogue)
        sums = by_dimension(explained.values.iloc[[0]], opinion.catalogue).iloc[0]
        assert sum(bar.value for bar in bars) == pytest.approx(values.sum())
        for dimension in DIMENSIONS:
            own = sum(bar.value for bar in bars if bar.dimension == dimension)
            assert own == pytest.approx(sums[dimension], abs=1e-9), name


def test_figures_are_drawn_in_both_languages_and_show_no_ones_probability(opinion):
    case = opinion.cases.index[0]
    for language, words in (("es", "veces el promedio"), ("en", "times the registry's average")):
        figure = waterfall(opinion, case, "repeat", language)
        axes = figure.axes[0]
        assert words in axes.child_axes[0].get_xlabel()
        assert f"{opinion.cases.loc[case, 'repeat_risk']:.2f}" not in "".join(
            text.get_text() for text in axes.texts
        )
        drawn = beeswarm(opinion, "escalation", language)
        assert len(drawn.axes[0].get_yticklabels()) > 5
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_what_was_not_scored_is_refused(opinion):
    with pytest.raises(RiskmlError, match='model "repet" was not scored\nDid you mean "repeat"'):
        waterfall(opinion, opinion.cases.index[0], "repet")
    with pytest.raises(RiskmlError, match="is not open"):
        waterfall(opinion, "C1", "repeat")


def test_an_explanation_holds_all_of_it(opinion):
    case = opinion.cases.index[0]
    explained = riskml.explain(opinion, case)
    assert set(explained.figures) == {"repeat", "escalation"}
    html = explained._repr_html_()
    assert html.count('<img src="data:image/png;base64,') == 2
    for heading in ("El menor cambio registrado", "Casos anteriores parecidos", "Qué preguntar primero"):
        assert heading in explained.text
        assert heading in html
    assert "no una promesa de efecto" in explained.text or explained.smallest.empty
    assert set(explained.similar["model"]) == {"repeat", "escalation"}


def test_a_case_that_is_not_there_is_refused(opinion):
    with pytest.raises(RiskmlError, match='case "C1" is not open'):
        riskml.explain(opinion, "C1")
    with pytest.raises(RiskmlError, match='unknown language "fr"'):
        riskml.explain(opinion, opinion.cases.index[0], "fr")


def test_the_package_is_the_function_whichever_was_imported_first():
    import riskml.explain as package
    from riskml.explain.case import explain

    assert callable(package)
    assert explain.__name__ == "explain"
