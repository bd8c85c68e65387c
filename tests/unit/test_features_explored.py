"""The catalogue explored: how a feature is distributed, what sets two catalogues apart, and the commands."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from registries import fill
from riskml.features.catalogue import Catalogue, load_catalogue
from riskml.features.differences import catalogue_differences
from riskml.features.distribution import feature_distribution, named_factors
from riskml.registry.contract import TABLES
from riskml.registry.database import connect
from riskml.workspace import init_workspace
from workspaces import riskml

FILE = """
dimension: acts
table: {table}
features:
  {features}
"""
FACTORS = """
strangulation:
  label: {es: Estrangulamiento, en: Strangulation}
  dimension: acts
  evidence:
    - {study: Glass, effect: "OR 6.70", tag: "S:1"}
    - {study: Spencer, effect: "OR 7.23", tag: "M?", prior_only: true}
"""


def catalogue(folder, *features, table="incidents"):
    folder.mkdir(exist_ok=True)
    text = FILE.format(table=table, features="\n  ".join(features))
    (folder / "acts.yml").write_text(text, encoding="utf-8")
    (folder / "factors.yml").write_text(FACTORS, encoding="utf-8")
    return load_catalogue(folder)


def at(day):
    return pd.Timestamp(day)


def rows(case_id, *days, **columns):
    return [{"case_id": case_id, "occurred_at": at(d), "recorded_at": at(d), **columns} for d in days]


CASES = [row for c in "ABCD" for row in rows(c, "2024-01-01", aggressor_id=c, victim_id=c)]


def frames(**tables):
    known = {"cases": pd.DataFrame(CASES)}
    for name, given in tables.items():
        known[name] = pd.DataFrame(given)
        for column in TABLES[name].history_columns:
            if column.name not in known[name] and not column.nullable:
                known[name][column.name] = "x"
    return known


COHORT = pd.DataFrame({"case_id": list("ABCD"), "as_of": [at("2024-06-01")] * 4})


# Distribution


def test_a_distribution_counts_values_zeros_and_silence(tmp_path):
    known = catalogue(tmp_path, "calls: {aggregate: count, where: source = '911', windows: [30d, ever]}")
    history = frames(
        incidents=rows("A", "2024-05-20", "2024-02-01", "2024-02-02", source="911")
        + rows("B", "2024-02-01", source="banevim")
    )
    spread = feature_distribution(history, COHORT, known, "calls")
    assert spread.loc["calls_ever", ["assessments", "unknown", "missing", "zero"]].tolist() == [4, 2, 0, 3]
    assert spread.loc["calls_ever", ["mean", "minimum", "p50", "maximum"]].tolist() == [0.75, 0, 0, 3]
    assert spread.loc["calls_30d", "frequent"] == {0.0: 3, 1.0: 1}


def test_a_factor_is_unknown_only_where_nobody_mentioned_it(tmp_path):
    known = catalogue(
        tmp_path,
        "strangled: {aggregate: any, where: factor = 'strangulation' and state = 'present'}",
        "said: {aggregate: latest, column: state, where: factor = 'strangulation'}",
        table="factors",
    )
    assert named_factors(known.feature("strangled"), known.factors) == ("strangulation",)
    history = frames(
        factors=rows("A", "2024-02-01", factor="strangulation", state="present")
        + rows("B", "2024-02-01", factor="strangulation", state="denied")
        + rows("C", "2024-02-01", factor="alcohol", state="present")
    )
    spread = feature_distribution(history, COHORT, known, "strangled")
    assert spread.loc["strangled_ever", ["unknown", "missing", "zero"]].tolist() == [2, 0, 3]
    spread = feature_distribution(history, COHORT, known, "said")
    assert spread.loc["said", ["unknown", "missing"]].tolist() == [2, 2]
    assert spread.loc["said", "frequent"] == {"present": 1, "denied": 1}
    assert pd.isna(spread.loc["said", "mean"])


# Differences


def test_what_changes_the_numbers_stands_apart_from_what_is_only_worded_anew(tmp_path):
    first = catalogue(
        tmp_path / "a",
        "calls: {aggregate: count, windows: [30d, ever]}",
        "grave: {aggregate: any, where: severity >= 4}",
        "old: {aggregate: days_since, where: severity >= 5}",
        "gone: {aggregate: sum, column: severity}",
    )
    second = catalogue(
        tmp_path / "b",
        "grave: {aggregate: any, where: severity   >=   4, label: {es: Grave, en: Grave}, evidence: 'S:1 X'}",
        "calls: {aggregate: count, windows: [90d, ever]}",
        "new: {aggregate: days_since, where: severity >= 5}",
        "come: {aggregate: mean, column: severity}",
    )
    found = catalogue_differences(first, second)
    assert [f.name for f in found.added] == ["come"]
    assert [f.name for f in found.removed] == ["gone"]
    assert found.renamed == (("old", "new"),)
    assert [(c.feature, c.what, c.after) for c in found.changed] == [("calls", "windows", ["90d", "ever"])]
    reworded = {(c.feature, c.what) for c in found.reworded}
    assert {("grave", "label"), ("grave", "evidence")} <= reworded
    assert {feature for feature, _ in reworded} == {"grave", "new"}


def test_catalogues_that_say_the_same_do_not_differ(tmp_path):
    first = catalogue(tmp_path / "a", "a: {aggregate: count}", "b: {aggregate: any}")
    second = catalogue(tmp_path / "b", "b: {aggregate: any}  # the same", "a: {aggregate: count}")
    assert not catalogue_differences(first, second)
    assert first.hash == second.hash
    own = load_catalogue(Path(__file__).parents[2] / "features")
    assert not catalogue_differences(Catalogue.from_document(own.to_document()), own)


# Commands


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace with a handmade registry of one aggressor with two cases, and its history."""
    folder = tmp_path_factory.mktemp("explored") / "padron"
    ws = init_workspace(folder)
    engine = connect(ws.settings.registry_url, create=True)
    case = {"aggressor_id": "P1", "relationship": "partner", "locality": "urban", "municipality": "Jerez"}
    incident = {"source": "911", "institution": "police", "severity": 3}
    tables = {
        "aggressors": [{"aggressor_id": "P1", **clock("2025-01-01")}],
        "victims": [{"victim_id": f"V{k}", **clock("2025-01-01")} for k in "12"],
        "cases": [case | {"case_id": f"C{k}", "victim_id": f"V{k}", **clock("2025-01-01")} for k in "12"],
        "incidents": [
            incident | {"incident_id": "I1", "case_id": "C1", **clock("2025-01-10")},
            incident | {"incident_id": "I2", "case_id": "C1", **clock("2025-02-10", "2025-03-20")},
            incident | {"incident_id": "I3", "case_id": "C2", **clock("2025-02-20")},
        ],
        "factors": [
            {"case_id": "C1", "factor": "strangulation", "state": "denied", "source": "911"}
            | clock("2025-01-10")
        ],
    }
    fill(engine, tables, extra={})
    engine.dispose()
    result = riskml("history", "-w", folder)
    assert result.code == 0, result.err
    return ws


def clock(occurred, recorded=None):
    return {"occurred_at": at(occurred), "recorded_at": at(recorded or occurred)}


def ask(workspace, *arguments):
    return riskml("features", *arguments, "-w", workspace.settings.folder)


def test_show_says_what_a_feature_is_how_sure_the_evidence_is_and_how_it_is_distributed(workspace):
    shown = ask(workspace, "show", "strangulation")
    assert shown.code == 0, shown.err
    assert "Intento de estrangulamiento" in shown.out
    assert "[S:1] Glass" in shown.out
    assert "[M?]" in shown.out
    assert "no un hecho" in " ".join(shown.out.split())
    assert "1 (50%)" in shown.out
    assert "negado: 1" in shown.out


def test_show_takes_a_column_and_speaks_english(workspace):
    shown = ask(workspace, "show", "incidents_90d", "--as-of", "2025-03-01", "--language", "en")
    assert shown.code == 0, shown.err
    assert "how many there are" in shown.out
    assert "cases open on 2025-03-01" in shown.out


def test_show_works_before_there_is_a_history(tmp_path):
    ws = init_workspace(tmp_path / "new")
    shown = ask(ws, "show", "incidents")
    assert shown.code == 0, shown.err
    assert "Sin historial" in shown.out


def test_why_traces_a_number_to_its_facts_with_both_dates(workspace):
    asked = ask(workspace, "why", "C1", "--as-of", "2025-03-01", "--feature", "incidents_90d")
    assert asked.code == 0, asked.err
    assert "Valor: 1" in asked.out
    assert "Hechos que cuentan: 1 de 2" in asked.out
    assert "2025-02-10 00:00" in asked.out
    assert "2025-03-20 00:00" in asked.out
    assert "aún no se" in asked.out
    later = ask(workspace, "why", "C1", "--as-of", "2025-03-20", "--feature", "incidents_90d")
    assert "Valor: 2" in later.out


def test_a_formula_is_shown_and_traced_to_the_facts_behind_each_of_its_columns(workspace, tmp_path):
    folder = tmp_path / "padron"
    shutil.copytree(workspace.settings.folder, folder)
    formula = "incidents_90d > 0 and strangulation = 'denied'"
    entry = f'{{formula: "{formula}", label: {{es: Ambos, en: Both}}}}'
    text = f"dimension: acts\nfeatures:\n  both_known: {entry}\n"
    (folder / "features" / "zz.yml").write_text(text, encoding="utf-8")
    shown = riskml("features", "show", "both_known", "-w", folder)
    assert shown.code == 0, shown.err
    assert "una fórmula sobre otras columnas" in shown.out
    assert "la fórmula no tiene valor" in shown.out
    arguments = ("why", "C1", "--as-of", "2025-03-01", "--feature", "both_known")
    asked = riskml("features", *arguments, "-w", folder)
    assert asked.code == 0, asked.err
    assert "Valor: 1" in asked.out
    assert "Ambos: sí" in asked.out
    assert "Incidentes (90 días) (incidents_90d)" in asked.out
    assert "Hechos que cuentan: 1 de 2" in asked.out
    assert "(strangulation)" in asked.out
    assert "negado" in asked.out


def test_why_takes_a_pseudonym_or_what_it_prints_of_one(workspace):
    name = workspace.key.pseudonym("case_id", "C2")
    for given in (name, name[:12]):
        asked = ask(workspace, "why", given, "--as-of", "2025-03-01", "--feature", "days_since_incident")
        assert asked.code == 0, asked.err
        assert "Valor: 9" in asked.out


def test_why_leaves_out_what_the_condition_leaves_out_unless_asked(workspace):
    arguments = ("why", "C1", "--as-of", "2025-03-01", "--feature", "weapon_used")
    asked = ask(workspace, *arguments)
    assert "Valor: no consta" in asked.out
    assert "Otro hecho no cumple la condición" in asked.out
    assert "Hechos que cuentan: 0 de 1" in ask(workspace, *arguments, "--all").out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("why", "C99", "--as-of", "2025-03-01", "--feature", "incidents_90d"), "no such case"),
        (("why", "C1", "--as-of", "soon", "--feature", "incidents_90d"), "not a moment"),
        (("why", "C1", "--as-of", "2025-03-01", "--feature", "incidents"), "several columns"),
        (("why", "C1", "--as-of", "2025-03-01", "--feature", "incidentes_90d"), "Did you mean"),
        (("show", "incidenst"), 'Did you mean "incidents"'),
        (("show", "incidents", "--as-of", "2025-03-01", "--every", "28d"), "Give one of them"),
        (("diff", "no_such_model", "no_such_model"), "neither a folder nor a model"),
    ],
)
def test_what_cannot_be_answered_is_one_message_and_exit_code_2(workspace, arguments, what):
    asked = ask(workspace, *arguments)
    assert asked.code == 2
    assert what in asked.err
    assert "C99" not in asked.err


def test_diff_prints_each_kind_under_its_heading(workspace, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    catalogue(first, "calls: {aggregate: count}", "gone: {aggregate: any}")
    catalogue(second, "calls: {aggregate: count, over: aggressor}", "come: {aggregate: days_since}")
    printed = ask(workspace, "diff", first, second)
    assert printed.code == 0, printed.err
    for line in ("Agregadas (1)", "+ come", "Quitadas (1)", "- gone", "calls, over: case -> aggressor"):
        assert line in printed.out
    assert "dicen lo mismo" in ask(workspace, "diff", first, first).out
    own = workspace.settings.folder
    assert "dicen lo mismo" in ask(workspace, "diff", own, workspace.settings.features).out
