"""The commands that write folders: the matrix and the risks, part by part, and nothing to the registry."""

import json

import pandas as pd

import riskml as public
from workspaces import AS_OF, riskml, rows_of


def test_features_build_writes_a_folder_of_what_the_library_builds(demo_workspace, tmp_path):
    said = riskml("features", "build", "--every", "180d", "--out", tmp_path / "matrix", "-w", demo_workspace)
    assert said.code == 0, said.err
    workspace = public.open_workspace(demo_workspace)
    history = workspace.history()
    matrix = public.build_features(history, public.assessments(history, every="180d"), workspace.catalogue)
    found = pd.read_parquet(tmp_path / "matrix").set_index(["case_id", "as_of"]).sort_index()
    pd.testing.assert_frame_equal(found, matrix.sort_index(), check_exact=True)
    assert f"{len(matrix):,}" in said.out
    manifest = json.loads((tmp_path / "matrix" / "_manifest.json").read_text(encoding="utf-8"))
    assert manifest["history"] == history.hash
    assert manifest["catalogue"] == workspace.catalogue.hash

    said = riskml("features", "build", "--as-of", AS_OF, "--out", tmp_path / "now", "-w", demo_workspace)
    assert said.code == 0, said.err
    assert set(pd.read_parquet(tmp_path / "now")["as_of"]) == {pd.Timestamp(AS_OF)}


def test_score_writes_risks_to_a_folder_and_nothing_to_the_registry(demo_workspace, tmp_path):
    before = rows_of(demo_workspace, "riskml_runs")
    workspace = public.open_workspace(demo_workspace)
    history = workspace.history()
    taken = ("--history", history.hash, "-w", demo_workspace)
    said = riskml("score", "--as-of", AS_OF, "--out", tmp_path / "risks", *taken)
    assert said.code == 0, said.err
    found = pd.read_parquet(tmp_path / "risks").set_index("case_id").sort_index()
    models = [workspace.trained(name) for name in workspace.trained_names]
    expected = public.score(models, history, AS_OF).cases.sort_index()
    for model in models:
        risk = f"{model.name}_risk"
        pd.testing.assert_series_equal(found[risk], expected[risk], check_exact=False, rtol=1e-12)
    assert f"{len(expected):,}" in said.out
    assert rows_of(demo_workspace, "riskml_runs") == before

    said = riskml("score", "--as-of", "1999-01-01", "--out", tmp_path / "none", *taken)
    assert said.code == 2
    assert "no case is open on 1999-01-01" in said.err
    assert not (tmp_path / "none").exists()


def test_a_folder_of_someone_else_is_not_touched(demo_workspace, tmp_path):
    (tmp_path / "thesis.txt").write_text("not to be lost")
    for command in (("features", "build"), ("score", "--as-of", AS_OF)):
        said = riskml(*command, "--out", tmp_path, "-w", demo_workspace)
        assert said.code == 2
        assert "riskml did not write" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
