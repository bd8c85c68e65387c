"""Apache Spark gives what one machine gives, to the last bit: matrices, risks, opinions.

The Java machine starts once, for the first of these tests; where pyspark or Java is missing they say so.
"""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import riskml
from random_histories import random_cohort, random_history, union
from riskml.engines.session import quiet_about_pandas, spark_session, spark_versions
from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from small_opinion import AS_OF, small_registry
from unit.test_sweep_against_the_definition import _catalogue as every_aggregate
from workspaces import copy_of
from workspaces import riskml as command

WORKSPACE = load_catalogue(Path(__file__).parents[2] / "features")
CODES = sorted(factor.code for factor in WORKSPACE.factors)

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # Spark's own sockets
]


@pytest.fixture(scope="session")
def spark():
    """A session of the user's own, in a timezone with summer time: nothing may depend on it."""
    try:
        spark_versions()
    except RiskmlError as reason:
        pytest.skip(f"{reason.what}: {reason.mend}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", "America/Mexico_City")  # of the Java machine and of the workers
        session = spark_session()
    before = session.conf.get("spark.sql.session.timeZone")
    session.conf.set("spark.sql.session.timeZone", "America/Mexico_City")
    yield session
    session.conf.set("spark.sql.session.timeZone", before)


@pytest.fixture(scope="module")
def many():
    """Many small random histories and their assessments, as one."""
    seeds = range(7_000, 7_040)
    return union([random_history(s, CODES) for s in seeds], [random_cohort(s) for s in seeds])


@pytest.fixture(scope="module")
def on_disk(many, tmp_path_factory):
    """The same history as a folder of Parquet files with several row groups."""
    folder = tmp_path_factory.mktemp("history")
    for name, table in many[0].items():
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=max(1, table.num_rows // 3))
    return folder


def same(found, expected):
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize("catalogue", [WORKSPACE, every_aggregate()], ids=["workspace", "every aggregate"])
def test_a_matrix_is_the_same(spark, many, on_disk, catalogue):
    tables, cohort = many
    expected = build_features(tables, cohort, catalogue)
    same(riskml.build_features(on_disk, cohort, catalogue, engine="spark"), expected)


def test_a_history_in_memory_gives_the_same(spark, many):
    tables, cohort = many
    few = _few()
    same(riskml.build_features(tables, cohort, few, engine="spark"), build_features(tables, cohort, few))


def test_assessments_of_anyone_and_of_no_one(spark, many):
    """What a frame may hold: other types of times and ids, no rows, cases that nobody knows."""
    tables, cohort = many
    few = _few()
    for given in (
        cohort.head(0),
        cohort[cohort["case_id"].str.endswith("Z")].head(15),
        cohort.head(30).astype({"case_id": "category", "as_of": "datetime64[us]"}).assign(more=1),
        cohort.head(30).assign(as_of=pd.Timestamp("2024-03-01 07:15:00.123456789")),
    ):
        found = riskml.build_features(tables, given, few, engine="spark")
        same(found, build_features(tables, given, few))


def _few():
    """A few features of the workspace over different tables and scopes."""
    from riskml.features.catalogue import Catalogue

    chosen = [f for f in WORKSPACE.features if not getattr(f, "is_formula", False)]
    return Catalogue(tuple(chosen[::9]), WORKSPACE.factors)


def test_folders_are_the_same_file_by_file(spark, on_disk, tmp_path):
    rule = {"every": "2d", "end": "2024-03-20", "at_contacts": True}
    few = _few()
    for engine in ("embedded", "spark"):
        riskml.write_features(on_disk, rule, few, tmp_path / engine, engine=engine, parts=4)
    names = sorted(path.name for path in (tmp_path / "embedded").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "spark").iterdir())
    assert sum(name.endswith(".parquet") for name in names) == 4
    for name in names:
        if name.endswith(".parquet"):
            found, expected = (pq.read_table(tmp_path / e / name) for e in ("spark", "embedded"))
            assert found.num_rows
            assert found.equals(expected)
    said = [json.loads((tmp_path / e / "_manifest.json").read_text()) for e in ("embedded", "spark")]
    assert [d.pop("engine") for d in said] == ["embedded", "spark"]
    for files in (d.pop("files") for d in said):
        assert sum(f["rows"] for f in files) == said[0]["rows"]
    assert said[0] == said[1]


def test_spark_reads_what_riskml_writes(spark, on_disk, tmp_path):
    few = _few()
    written = riskml.write_features(on_disk, {"as_of": "2024-03-05"}, few, tmp_path / "matrix")
    expected = pd.read_parquet(tmp_path / "matrix")
    assert written.rows == len(expected) > 0
    with quiet_about_pandas():
        read = spark.read.parquet(str(tmp_path / "matrix"))
        for column in expected.columns[2:]:
            known = read.dropna(subset=[column]).count()
            assert known == expected[column].notna().sum(), column


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return small_registry(tmp_path_factory.mktemp("registry"))


def test_an_opinion_is_the_same(spark, registry):
    one = riskml.score(registry.models, registry.history, AS_OF)
    other = riskml.score(registry.models, registry.history, AS_OF, engine="spark")
    same(other.cases, one.cases)
    same(other.matrix, one.matrix)
    assert other.cautions == one.cautions


def test_risks_are_predicted_in_the_workers(spark, registry, tmp_path):
    expected = riskml.score(registry.models, registry.history, AS_OF)
    for engine in ("embedded", "spark"):
        riskml.write_scores(
            registry.models, registry.history, AS_OF, tmp_path / engine, engine=engine, parts=3
        )
        found = pd.read_parquet(tmp_path / engine).set_index("case_id").sort_index()
        assert set(found["as_of"]) == {AS_OF}
        for model in registry.models:
            risk = expected.cases[f"{model.name}_risk"].sort_index()
            margin = pd.Series(model.margin(expected.matrix), expected.matrix.index.droplevel("as_of"))
            pd.testing.assert_series_equal(found[f"{model.name}_risk"], risk, rtol=1e-12)
            pd.testing.assert_series_equal(
                found[f"{model.name}_margin"], margin.sort_index(), check_names=False, rtol=1e-12
            )


def test_what_fails_in_a_worker_is_told_and_leaves_nothing(spark, many, tmp_path):
    tables, cohort = many
    far = pa.array([2**61] * tables["incidents"].num_rows, pa.timestamp("us"))
    place = tables["incidents"].column_names.index("occurred_at")
    broken = {**tables, "incidents": tables["incidents"].set_column(place, "occurred_at", far)}
    with pytest.raises(RiskmlError, match="times beyond the year 36000"):
        riskml.write_features(broken, cohort, _few(), tmp_path / "matrix", engine="spark")
    assert not list(tmp_path.iterdir())


def test_the_commands_follow_the_workspace(spark, demo_workspace, tmp_path):
    folder = copy_of(demo_workspace, tmp_path / "padron")
    settings = folder / "riskml.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace('"embedded"', '"spark"', 1), encoding="utf-8"
    )
    assert riskml.open_workspace(folder).settings.engine == "spark"
    said = command("features", "build", "--every", "365d", "--out", tmp_path / "matrix", "-w", folder)
    assert said.code == 0, said.err
    assert json.loads((tmp_path / "matrix" / "_manifest.json").read_text())["engine"] == "spark"
    assert "spark (pyspark" in command("doctor", "-w", folder).out
