"""`riskml review` from the terminal: docs/review.md command by command, and what a mistake is told."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

import riskml as public
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
    challenger = Model(
        **vars(champion) | {"calibrator": Calibrator("sigmoid", {"slope": 0.6, "intercept": 1.0})}
    )
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


def test_from_its_first_review_on_only_an_approved_version_writes(workspace):
    ws = public.open_workspace(workspace)
    score = ("score", "--as-of", AS_OF, "-w", workspace)
    assert riskml(*score).code == 0
    assert riskml("review", "open", "repeat", "--as", "FGJ-01", "-w", workspace).code == 0
    before = state_of(workspace)
    refused = riskml(*score)
    assert refused.code == 2
    assert "still under review" in refused.err
    assert "registry.db" in before
    assert state_of(workspace)["registry.db"] == before["registry.db"]
    assert riskml(*score, "--dry-run").code == 0
    assert riskml(*score, "--model", "escalation").code == 0
    for code, role in (("FGJ-07", "prosecutor"), ("SSP-02", "police")):
        said = riskml("review", "approve", "repeat", "--as", code, "--role", role, *EVERY, "-w", workspace)
        assert said.code == 0, said.err
    approved = ws.trained("repeat")
    newer = Model(**vars(approved) | {"calibrator": Calibrator("sigmoid", {"slope": 0.6, "intercept": 1.0})})
    ws.keep(newer)
    assert ws.trained("repeat").version == newer.version
    written = riskml(*score)
    assert written.code == 0, written.err
    engine = ws.connect()
    with engine.connect() as connection:
        runs = pd.read_sql("SELECT * FROM riskml_runs", connection).astype(str).to_numpy().ravel()
    assert any(approved.version in value for value in runs)
    assert not any(newer.version in value for value in runs)
    refused = riskml(*score, "--model", f"repeat@{newer.version}")
    assert refused.code == 2
    assert "has not been reviewed" in refused.err


def test_nobody_is_in_the_store(workspace):
    """Reviews bring no case and no account's name to MLflow."""
    assert riskml("review", "open", "repeat", "--as", "FGJ-01", "-w", workspace).code == 0
    for code, role in (("FGJ-07", "prosecutor"), ("SSP-02", "police")):
        said = riskml("review", "approve", "repeat", "--as", code, "--role", role, *EVERY, "-w", workspace)
        assert said.code == 0, said.err
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
    riskml("review", "open", "repeat", "--as", "FGJ-01", "-w", workspace)
    assert riskml("review", "verify", "repeat", "-w", workspace).code == 0
    for path in (workspace / "mlartifacts").rglob("checklist.yml"):
        path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    said = riskml("review", "verify", "repeat", "-w", workspace, "--language", "en")
    assert said.code == 2
    assert "file checklist.yml was changed" in said.out
