"""Part by part is the same as at once, and a folder is there whole or not at all."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import riskml
from random_histories import random_cohort, random_history, union
from riskml.engines import local, session, writing
from riskml.engines.folder import MANIFEST, WriteTask
from riskml.engines.parts import links_of, parts_of
from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.registry.history import History
from unit.test_sweep_against_the_definition import _catalogue as every_aggregate

WORKSPACE = load_catalogue(Path(__file__).parents[2] / "features")
CATALOGUES = {"workspace": WORKSPACE, "every aggregate": every_aggregate()}
CODES = sorted(factor.code for factor in WORKSPACE.factors)
seeds = st.integers(0, 2**32)


def stored(tables, folder, row_group=3):
    """The tables as a folder of Parquet files with many row groups."""
    folder.mkdir()
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=row_group)
    return folder


def read(folder):
    return pd.read_parquet(folder).set_index(["case_id", "as_of"]).sort_index(kind="stable")


def same(found, expected):
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "matrix"


# The numbers


@pytest.mark.parametrize("name", CATALOGUES)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=seeds, parts=st.integers(2, 5))
def test_part_by_part_is_the_same_as_at_once(name, seed, parts, tmp_path_factory):
    """A part costs what its conditions cost, however small it is: many small histories stand in one."""
    catalogue, folder = CATALOGUES[name], tmp_path_factory.mktemp("parts")
    several = range(seed, seed + 12)
    tables, cohort = union([random_history(s, CODES) for s in several], [random_cohort(s) for s in several])
    expected = build_features(tables, cohort, catalogue).sort_index(kind="stable")
    riskml.write_features(stored(tables, folder / "history"), cohort, catalogue, folder / "m", parts=parts)
    same(read(folder / "m"), expected)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=seeds, parts=st.integers(1, 9), over=st.sampled_from(["case", "aggressor", "victim"]))
def test_a_history_in_memory_is_cut_as_one_on_disk(seed, parts, over, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    few = load_catalogue(_few(folder, over))
    tables, cohort = union([random_history(s, CODES) for s in (seed, seed + 1)], [random_cohort(seed)] * 2)
    expected = build_features(tables, cohort, few).sort_index(kind="stable")
    riskml.write_features(tables, cohort, few, folder / "of_tables", parts=parts)
    same(read(folder / "of_tables"), expected)
    riskml.write_features(stored(tables, folder / "history"), cohort, few, folder / "of_files", parts=parts)
    same(read(folder / "of_files"), expected)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=seeds,
    rule=st.fixed_dictionaries(
        {"every": st.sampled_from(["1d", "3d", "12h", None]), "at_contacts": st.booleans()},
        optional={"start": st.just("2024-03-01"), "end": st.just("2024-03-05 12:00")},
    ),
)
def test_a_rule_makes_the_assessments_of_the_whole_history(seed, rule, tmp_path_factory):
    if rule["every"] is None:
        rule["at_contacts"] = True
    rule.setdefault("end", "2024-03-20")  # a far record would ask for every day until the year 9999
    tables, _ = union([random_history(s, CODES) for s in (seed, seed + 1, seed + 2)], [random_cohort(0)])
    tables["cases"] = pa.concat_tables([tables["cases"], _one_case(tables["cases"].schema)])
    tables["cases"] = tables["cases"].filter(pa.compute.field("occurred_at") > pd.Timestamp("2000-01-01"))
    folder = tmp_path_factory.mktemp("rule")
    few = riskml.load_catalogue(_few(folder))
    cohort = riskml.assessments(tables, **rule)
    written = riskml.write_features(tables, rule, few, folder / "matrix", parts=4)
    assert written.rows == len(cohort)
    if len(cohort):
        same(read(folder / "matrix"), build_features(tables, cohort, few).sort_index(kind="stable"))


def _one_case(schema):
    """One sound case, so that there is something to assess."""
    when = pd.Timestamp("2024-03-02 10:00")
    known = {
        "case_id": "1:A",
        "aggressor_id": "1:p",
        "victim_id": "1:v",
        "occurred_at": when,
        "recorded_at": when,
    }
    return pa.table({f.name: pa.array([known.get(f.name)], f.type) for f in schema})


def _few(folder, over="case"):
    """A small catalogue's folder."""
    made = folder / "features"
    made.mkdir(exist_ok=True)
    (made / "acts.yml").write_text(
        "dimension: acts\ntable: incidents\nfeatures:\n"
        "  incidents: {aggregate: count, windows: [3d, ever]}\n"
        f"  of_all: {{aggregate: count, over: {over}}}\n"
        "  worst: {aggregate: max, column: severity}\n",
        encoding="utf-8",
    )
    return made


def test_a_history_on_disk_is_read_in_pieces_in_its_order(tmp_path):
    tables = random_history(5, CODES, most=50)
    held, kept = History.of(tables), History.of(stored(tables, tmp_path / "history", row_group=4))
    for name, table in tables.items():
        for history in (held, kept):
            assert history.row_count(name) == table.num_rows
            assert history.heads().table(name).schema == table.schema
            columns = table.column_names[::2]
            pieces = [history.piece(name, cut, columns) for cut in history.cuts(name, 10)]
            assert len(pieces) >= table.num_rows // 13
            if pieces:
                assert pa.concat_tables(pieces).equals(table.select(columns))
    assert not kept.tables._read, "nothing was read whole"
    assert kept.observed_until == held.observed_until


# Parts


def _tied(cases=40, shared="unknown"):
    """Cases that share one victim id; the first two share their aggressor."""
    when = pd.Timestamp("2024-01-01")
    clock = {"occurred_at": when, "recorded_at": when}
    ids = [f"c{i}" for i in range(cases)]
    aggressors = [f"a{max(i, 1)}" for i in range(cases)]
    return {
        "cases": pd.DataFrame({"case_id": ids, "aggressor_id": aggressors, "victim_id": shared, **clock}),
        "incidents": pd.DataFrame(
            {"incident_id": ids, "case_id": ids, "severity": 3, "source": "911", **clock}
        ),
    }


def _parts(tables, catalogue, number):
    history = History.of(tables)
    return parts_of(
        history, links_of(catalogue), lambda ids, cases, codes: np.ones(len(ids)), lambda total: number
    )


def test_cases_are_tied_by_what_the_catalogue_reads_and_by_nothing_else(tmp_path):
    own = load_catalogue(_few(tmp_path))
    assert links_of(own) == ()
    assert (_parts(_tied(), own, 40).number, _parts(_tied(), own, 40).largest) == (40, 1)
    of_aggressor = load_catalogue(_few(tmp_path, over="aggressor"))
    assert links_of(of_aggressor) == ("aggressor",)
    # Two components of the same weight may share a part: 39 components, and no more than 40 parts.
    assert (_parts(_tied(), of_aggressor, 40).number, _parts(_tied(), of_aggressor, 40).largest) == (38, 2)
    of_victim = load_catalogue(_few(tmp_path, over="victim"))
    assert links_of(of_victim) == ("victim",)
    found = _parts(_tied(), of_victim, 40)
    assert (found.number, found.largest, found.largest_share) == (1, 40, 1.0)


def test_parts_are_of_about_equal_work(tmp_path):
    found = _parts(_tied(1000), load_catalogue(_few(tmp_path)), 7)
    sizes = np.bincount(found.case_part)
    assert len(sizes) == 7
    assert sizes.max() - sizes.min() <= 2


def test_a_giant_component_is_right_and_told(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(writing, "PART_BYTES", 100)
    catalogue = load_catalogue(_few(tmp_path, over="victim"))
    cohort = pd.DataFrame({"case_id": [f"c{i}" for i in range(40)], "as_of": pd.Timestamp("2024-02-01")})
    with pytest.warns(UserWarning, match=r"40 cases hang together .* \(100% of the work\)"):
        written = riskml.write_features(_tied(), cohort, catalogue, folder, parts=10)
    assert written.manifest["largest_component"] == {"cases": 40, "share_of_work": 1.0}
    assert (written.parts, set(read(folder)["of_all_ever"])) == (1, {40.0})


# The folder


@pytest.fixture
def small(tmp_path):
    """A history, a cohort and a catalogue."""
    catalogue = load_catalogue(_few(tmp_path, over="aggressor"))
    cohort = pd.DataFrame({"case_id": [f"c{i}" for i in range(40)], "as_of": pd.Timestamp("2024-02-01")})
    return _tied(), cohort, catalogue


def test_a_folder_reads_in_one_line_by_what_analysts_hold(small, folder):
    written = riskml.write_features(*small, folder, parts=5)
    expected = build_features(*small).reset_index()
    assert (written.rows, written.parts) == (40, 5)
    by_duckdb = duckdb.sql(f"FROM '{folder}/*.parquet'").df()
    by_arrow = ds.dataset(folder).to_table().to_pandas()
    for found in (pd.read_parquet(folder), by_duckdb, by_arrow):
        assert list(found.columns) == list(expected.columns)
        assert len(found) == 40
        assert set(found["of_all_ever"]) == set(expected["of_all_ever"])


def test_the_manifest_says_what_was_built_of_what(small, folder):
    written = riskml.write_features(*small, folder, parts=5)
    said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert said == written.manifest
    assert said["catalogue"] == small[2].hash
    assert said["columns"] == [c.name for c in small[2].columns]
    assert sum(f["rows"] for f in said["files"]) == said["rows"] == 40
    assert {f["file"] for f in said["files"]} == {p.name for p in folder.iterdir()} - {MANIFEST}
    assert all(f["bytes"] == (folder / f["file"]).stat().st_size for f in said["files"])


def test_what_fails_in_between_leaves_nothing_and_keeps_what_was_there(small, folder, monkeypatch):
    riskml.write_features(*small, folder, parts=5)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    done = []

    def failing(self, tables, whole=WriteTask.__call__):
        done.append(1)
        if len(done) == 3:
            raise OSError(28, "No space left on device")
        return whole(self, tables)

    monkeypatch.setattr(WriteTask, "__call__", failing)
    for name in ("matrix", "another"):
        done.clear()
        with pytest.raises(RiskmlError, match="No space left on device"):
            riskml.write_features(*small, folder.with_name(name), parts=5)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert {p.name for p in folder.parent.iterdir()} == {"features", "matrix"}


KILLED = """
import os, signal, sys, pandas as pd, riskml
from riskml.engines import folder
whole, done = folder.WriteTask.__call__, []
def dying(self, tables):
    done.append(1)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, tables)
folder.WriteTask.__call__ = dying
history, features, out = sys.argv[1:]
riskml.write_features(history, {"as_of": "2024-02-01"}, riskml.load_catalogue(features), out, parts=5)
"""


def test_what_is_killed_in_between_leaves_nothing_that_looks_finished(tmp_path, folder):
    tables = {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in _tied().items()}
    history, features = stored(tables, tmp_path / "history"), _few(tmp_path)
    command = [sys.executable, "-c", KILLED, str(history), str(features), str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = {path.name for path in tmp_path.iterdir()} - {"history", "features"}
    assert left.startswith(".matrix.")
    assert not (tmp_path / left / MANIFEST).exists()
    written = riskml.write_features(history, {"as_of": "2024-02-01"}, load_catalogue(features), folder)
    assert written.rows == 40


def test_an_earlier_folder_is_replaced_and_anything_else_is_not(small, folder):
    riskml.write_features(*small, folder, parts=5)
    riskml.write_features(*small, folder, parts=2)
    assert len(list(folder.glob("*.parquet"))) == 2
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "thesis.txt").write_text("not to be lost")
    with pytest.raises(RiskmlError, match="riskml did not write"):
        riskml.write_features(*small, folder)
    assert [p.name for p in folder.iterdir()] == ["thesis.txt"]
    with pytest.raises(RiskmlError, match="cannot be written"):
        riskml.write_features(*small, folder / "thesis.txt" / "matrix")


def test_no_assessment_at_all_is_a_folder_without_files(small, folder):
    nobody = small[1].head(0)
    written = riskml.write_features(small[0], nobody, small[2], folder)
    assert (written.rows, written.parts) == (0, 0)


# What is refused


@pytest.mark.parametrize(
    ("cohort", "said"),
    [
        ({"evry": "7d"}, 'Did you mean "every"'),
        ({"every": "often"}, "often"),
        ({"every": None}, "no assessment is asked for"),
        ({"as_of": "someday"}, "someday"),
        ({"every": "7d", "start": "2024-01-01T00:00Z"}, "start"),
    ],
)
def test_a_cohort_that_is_none_is_refused_before_anything_is_written(small, folder, cohort, said):
    with pytest.raises(RiskmlError, match=said):
        riskml.write_features(small[0], cohort, small[2], folder)
    assert not folder.exists()


def test_an_unknown_engine_is_refused(small, folder):
    for call in (
        lambda: riskml.build_features(*small, engine="sparc"),
        lambda: riskml.write_features(*small, folder, engine="sparc"),
        lambda: riskml.score([], small[0], "2024-02-01", engine="sparc"),
    ):
        with pytest.raises(RiskmlError, match='unknown engine "sparc"'):
            call()
    assert not folder.exists()


def test_a_history_that_lacks_what_the_catalogue_reads_is_told_at_once(small, folder):
    with pytest.raises(RiskmlError, match="table incidents"):
        riskml.write_features({"cases": small[0]["cases"]}, small[1], small[2], folder)
    strangers = small[1].assign(case_id=[f"z{i}" for i in range(40)])
    with pytest.raises(RiskmlError, match="none of its 40 cases"):
        riskml.write_features(small[0], strangers, small[2], folder)
    with pytest.raises(RiskmlError, match="0 parts"):
        riskml.write_features(*small, folder, parts=0)
    assert not folder.exists()


def test_without_pyspark_or_java_the_message_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(RiskmlError, match="pyspark is not installed") as told:
        session.spark_session()
    assert "riskml[spark]" in told.value.mend
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert session.java_version() is None
    with pytest.raises(RiskmlError, match="needs Java, and there is none") as told:
        session._usable_java()
    assert "openjdk-17-jre-headless" in told.value.mend


@pytest.mark.parametrize(("said", "number"), [("1.8.0_402", 8), ("11.0.2", 11), ("17.0.15", 17), ("21", 21)])
def test_the_version_of_java_is_read(monkeypatch, tmp_path, said, number):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{said}\" 2025-04-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert session.java_version() == number
    if number < session.OLDEST_JAVA:
        with pytest.raises(RiskmlError, match=f"this is Java {number}"):
            session._usable_java()


def test_memory_is_that_of_a_part_and_not_of_the_matrix(small, folder, monkeypatch):
    """Of the rows that wait on disk, only those of the parts in work are held."""
    held, most = set(), []
    tables = local._Spilled.tables

    def watched(self, part):
        held.add(part)
        most.append(len(held))
        return tables(self, part)

    def written(self, tables, whole=WriteTask.__call__):
        found = whole(self, tables)
        held.pop()
        return found

    monkeypatch.setattr(local._Spilled, "tables", watched)
    monkeypatch.setattr(WriteTask, "__call__", written)
    riskml.write_features(*small, folder, parts=20)
    assert max(most) <= local._AT_ONCE
