"""`riskml review` from the terminal: docs/review.md command by command, and what a mistake is told."""

import re
import shlex
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import riskml as public
from reviewed_models import keep_report
from riskml.models.bundle import Model
from riskml.models.calibration import Calibrator
from riskml.review.approval import champion_version, require_approved
from riskml.review.checklist import SECTIONS
from workspaces import AS_OF, riskml, state_of

PAGE = Path(__file__).parents[2] / "docs" / "review.md"
REASON = "Se revisó esta sección con el informe a la vista."
EVERY = [part for name in SECTIONS for part in ("--reason", f"{name}={REASON}")]


def _commands():
    """The page's commands, in order: list of list of str."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines() if line.strip()]


def test_the_pages_commands_do_what_it_says(workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    first = public.open_workspace(workspace).trained("repeat")
    settings = public.open_workspace(workspace).settings
    ran = []
    for command in _commands():
        command = [first.version if part == "CHAMPION" else part for part in command]
        target = Path(command.pop()) if ">" in command else None
        if target:
            command.remove(">")
        if command[0] == "report":  # takes minutes: test_report_command.py runs it
            keep_report(settings, first)
            continue
        said = riskml(*command)
        assert said.code == 0, (command, said.err)
        if target:
            target.write_text(said.out.replace(">-\n  \n", f">-\n  {REASON}\n"), encoding="utf-8")
        if command[:2] == ["review", "show"]:
            assert champion_version(settings, "repeat") == first.version
            require_approved(settings, first)
            assert "versión en uso" in said.out
            assert said.out.count(REASON) == 2 * len(SECTIONS)
        if command[:2] == ["review", "verify"]:
            assert "completas y sin cambios" in said.out
        ran.append(" ".join(command[:2]))
    for name in ("open", "form", "approve", "show", "verify", "reject", "compare"):
        assert f"review {name}" in ran
    assert champion_version(settings, "repeat") is None, "the page rejects it"
    with pytest.raises(public.RiskmlError, match="was rejected"):
        require_approved(settings, first)


def test_compare_shows_both_versions_on_the_same_cases(workspace):
    ws = public.open_workspace(workspace)
    champion = ws.trained("repeat")
    challenger = _recalibrated(champion)
    ws.keep(challenger)
    before = state_of(workspace / "mlartifacts")
    said = riskml(
        *("review", "compare", "repeat", "--champion", champion.version, "--as-of", AS_OF),
        *("--out", workspace / "cases.csv", "-w", workspace, "--language", "en"),
    )
    assert said.code == 0, said.err
    assert champion.version in said.out
    assert challenger.version in said.out
    assert state_of(workspace / "mlartifacts") == before
    cases = pd.read_csv(workspace / "cases.csv", index_col="case_id")
    history = ws.history()
    assert set(cases.index) == set(history.open_cases(AS_OF)["case_id"])
    for side, model in (("champion", champion), ("challenger", challenger)):
        others = [ws.trained("escalation")]
        opinion = public.score([model, *others], history, AS_OF, levels=ws.levels, catalogue=ws.catalogue)
        expected = opinion.cases.reindex(cases.index)
        assert (cases[f"{side}_level"] == expected["suggested_level"]).all()
        assert (cases[f"{side}_risk"] - expected["repeat_risk"]).abs().max() < 1e-12
    moved = int((cases["champion_level"] != cases["challenger_level"]).sum())
    assert f"{moved}/{len(cases)} cases change level" in said.out
    assert re.search(r"kappa, 95 % interval\): \d\.\d\d \(\d\.\d\d – \d\.\d\d\)", said.out)
    shown = set(re.findall(r"^ ([0-9a-f]{32}) ", said.out, re.MULTILINE))
    assert shown <= set(cases.index[cases["change"] != 0])
    assert len(shown) == min(30, moved) > 0


def _approve(workspace, version):
    """Two people approve; what their statements say."""
    for code, role in (("FGJ-07", "prosecutor"), ("SSP-02", "police")):
        said = riskml("review", "approve", version, "--as", code, "--role", role, *EVERY, "-w", workspace)
        assert said.code == 0, said.err


def _recalibrated(model):
    parts = {name: value for name, value in vars(model).items() if not name.startswith("_")}
    return Model(**parts | {"calibrator": Calibrator("sigmoid", {"slope": 0.6, "intercept": 1.0})})


def _refused(workspace, *arguments):
    """The message of a scoring run that has to be refused, with the registry as it was."""
    before = (workspace / "registry.db").read_bytes()
    said = riskml("score", "--as-of", AS_OF, *arguments, "-w", workspace)
    assert said.code == 2, said.out
    assert (workspace / "registry.db").read_bytes() == before
    return said.err


def test_a_version_that_nobody_reviewed_writes_nothing(workspace, tmp_path):
    (workspace / "mlflow.db").unlink()
    for options in ((), ("--model", "repeat"), ("--out", tmp_path / "risks")):
        said = _refused(workspace, *options)
        assert "has not been reviewed" in said
        assert "--dry-run" in said
    assert not (tmp_path / "risks").exists()
    assert "dry run" in _refused(workspace, "--dry-run", "--out", tmp_path / "risks")
    taken = ("--history", public.open_workspace(workspace).history().hash)
    shown = riskml("score", "--as-of", AS_OF, "--dry-run", *taken, "-w", workspace)
    assert shown.code == 0, shown.err
    assert "no se escribió nada" in shown.out


def test_only_an_approved_version_writes(workspace, monkeypatch):
    """Rejected, under review, approved, replaced by one that is not, expired."""
    ws = public.open_workspace(workspace)
    reviewed = ws.trained("repeat")
    stop = ("review", "reject", "repeat", "--as", "SSA-3", "--role", "health", "--reason", f"use={REASON}")
    assert riskml(*stop, "-w", workspace).code == 0
    assert "was rejected" in _refused(workspace)
    keep_report(ws.settings, reviewed)
    assert riskml("review", "open", "repeat", "--as", "FGJ-01", "-w", workspace).code == 0
    assert "still under review" in _refused(workspace)
    _approve(workspace, "repeat")
    newer = _recalibrated(reviewed)
    ws.keep(newer)
    assert ws.trained("repeat").version == newer.version
    assert "has not been reviewed" in _refused(workspace, "--model", f"repeat@{newer.version}")
    written = riskml("score", "--as-of", AS_OF, "--history", ws.history().hash, "-w", workspace)
    assert written.code == 0, written.err
    with ws.connect().connect() as connection:
        runs = pd.read_sql("SELECT * FROM riskml_runs", connection).astype(str).to_numpy().ravel()
    assert any(reviewed.version in value for value in runs)
    assert not any(newer.version in value for value in runs)

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=400)

    monkeypatch.setattr("riskml.settings.datetime", Later)
    assert "was approved until" in _refused(workspace)


def test_who_trains_is_a_code_too(demo_workspace):
    before = state_of(demo_workspace / "bundles")
    said = riskml("train", "repeat", "--as", "Ana", "-w", demo_workspace)
    assert said.code == 2
    assert "never a personal name" in said.err
    assert state_of(demo_workspace / "bundles") == before


def test_nobody_is_in_the_store(workspace):
    """Reviews bring no case and no account's name to MLflow."""
    ws = public.open_workspace(workspace)
    keep_report(ws.settings, ws.trained("repeat"))
    assert riskml("review", "open", "repeat", "--as", "FGJ-01", "-w", workspace).code == 0
    _approve(workspace, "repeat")
    stored = (workspace / "mlflow.db").read_bytes()
    cases = public.open_workspace(workspace).history().table("cases").to_pandas()
    for column in ("case_id", "aggressor_id", "victim_id"):
        assert not any(f'"{value}"'.encode() in stored for value in cases[column])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["open", "repeat", "--as", "Ana"], "never a personal name"),
        (["open", "repeet", "--as", "FGJ-01"], 'Did you mean "repeat"'),
        (["open", "repeat@ffff", "--as", "FGJ-01"], 'no version "ffff"'),
        (["open", "repeat", "--as", "FGJ-01", "--report", "no.html"], "no such report"),
        (["open", "repeat", "--as", "FGJ-01"], "`riskml report repeat@"),
        (["approve", "repeat", "--as", "FGJ-07", "--role", "police", "--reason", "use"], "SECTION=TEXT"),
        (["approve", "repeat", "--as", "F-7", "--role", "police", "--reasons", "no.yml"], "cannot be read"),
        (["show", "repeet"], 'Did you mean "repeat"'),
        (["verify", "repeet"], 'Did you mean "repeat"'),
        (["compare", "repeat", "--champion", "ffff"], 'no version "ffff"'),
        (["verify", "repeat", "--head", "3:ab"], "tell too little"),
    ],
)
def test_a_mistake_is_one_message_and_changes_nothing(demo_workspace, arguments, said):
    before = state_of(demo_workspace / "mlartifacts")
    done = riskml("review", *arguments, "-w", demo_workspace)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert state_of(demo_workspace / "mlartifacts") == before


def test_verify_ends_with_2_where_something_was_changed(workspace):
    ws = public.open_workspace(workspace)
    keep_report(ws.settings, ws.trained("repeat"))
    riskml("review", "open", "repeat", "--as", "FGJ-01", "-w", workspace)
    assert riskml("review", "verify", "repeat", "-w", workspace).code == 0
    for path in (workspace / "mlartifacts").rglob("checklist.yml"):
        path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    said = riskml("review", "verify", "repeat", "-w", workspace, "--language", "en")
    assert said.code == 2
    assert "file checklist.yml was changed" in said.out
    for path in (workspace / "mlartifacts").rglob("review.es.html"):
        path.write_bytes(path.read_bytes()[:-1])
    said = riskml("review", "verify", "repeat", "-w", workspace, "--language", "en")
    assert "file review.es.html was changed" in said.out
