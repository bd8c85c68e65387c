"""Reviews through a real MLflow server over HTTP, with several reviewers in processes of their own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from reviewed_models import NOW, REASONS, keep_report, register, reviewed_settings, small_model
from riskml.errors import RiskmlError
from riskml.review.approval import champion_version, require_approved
from riskml.review.decisions import approve, open_review, reject
from riskml.review.ledger import open_ledger
from riskml.review.reports import kept_report
from riskml.review.tracking import log_validation
from riskml.review.verification import verify

pytestmark = pytest.mark.slow

START = 120  # seconds


def _free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """URL of a server with a store and artifacts of its own."""
    folder, port = tmp_path_factory.mktemp("server"), _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "2", "--backend-store-uri", f"sqlite:///{folder}/store.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_for(url, process, folder / "log")
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _wait_for(url, process, log):
    until = time.monotonic() + START
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{url}/health", timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"no answer: {log.read_text()}")


def test_a_validation_and_its_report_are_logged_and_reviewed_over_http(server, tmp_path):
    workspace, model = reviewed_settings(tmp_path / "w", uri=server), small_model("validated_by_http")
    register(workspace, model)
    files = keep_report(workspace, model)
    window = {"window": "evaluate", "first": "2026-01-01", "last": "2026-06-30"}
    size = {"assessments": 90, "people": 40, "events": 9}
    validation = {"backtest": {"origins": [{"origin": "2026-01-01", **window, **size}]}}
    logged = log_validation(model, validation, workspace, files=files)
    opened = open_review(workspace, model, person="FGJ-01", report=kept_report(workspace, model), now=NOW)
    with open_ledger(workspace, model.name) as ledger:
        client = ledger.client
        kept = {a.path for a in client.list_artifacts(logged["run_id"])}
        experiment = client.get_run(logged["run_id"]).info.experiment_id
        below = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{logged['run_id']}'")
        attached = {a.path for a in client.list_artifacts(opened.run_id)}
    names = {path.name for path in files}
    assert kept == names
    assert [run.info.run_name for run in below] == ["Origen 1: 2026-01-01"]
    assert below[0].data.metrics["window/evaluate/events"] == 9
    assert attached == names | {"report.json", "checklist.yml"}
    assert verify(workspace, model.name).intact
    path = tmp_path / "review.es.html"
    path.write_text("<h1>Otro</h1>", encoding="utf-8")
    with open_ledger(workspace, model.name) as ledger:
        ledger.client.log_artifact(opened.run_id, str(path))
    assert "file review.es.html was changed" in verify(workspace, model.name).text("en")


def test_a_version_is_reviewed_approved_and_verified_over_http(server, tmp_path):
    workspace, model = reviewed_settings(tmp_path / "w", uri=server), small_model("by_http")
    register(workspace, model)
    open_review(workspace, model, person="FGJ-01", now=NOW)
    approve(workspace, model, person="SSP-02", role="police", reasons=REASONS, now=NOW)
    with pytest.raises(RiskmlError, match="still under review"):
        require_approved(workspace, model, NOW.date())
    approve(workspace, model, person="FGJ-07", role="prosecutor", reasons=REASONS, now=NOW)
    require_approved(workspace, model, NOW.date())
    assert champion_version(workspace, model.name) == model.version
    found = verify(workspace, model.name)
    assert (found.intact, found.notes) == (True, []), found.text("en")
    assert not (workspace.folder / "mlflow.db").exists()
    with open_ledger(workspace, model.name) as ledger:
        opening = ledger.entries()[0]
        (tmp_path / "report.json").write_text("{}")
        ledger.client.log_artifact(opening.run_id, str(tmp_path / "report.json"))
        ledger.client.set_tag(opening.run_id, "mlflow.note.content", "Otra cosa")
    said = verify(workspace, model.name).text("en")
    assert "file report.json was changed" in said
    assert "(description)" in said


REVIEWER = """
import sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from reviewed_models import NOW, REASONS, reviewed_settings, small_model
from riskml.errors import RiskmlError
from riskml.review.decisions import approve
person, role = sys.argv[1:]
workspace = reviewed_settings(Path({folder!r}), uri={uri!r})
model = small_model("at_once")
print("ready", flush=True)
sys.stdin.readline()
try:
    print(approve(workspace, model, person=person, role=role, reasons=REASONS, now=NOW).statement.number)
except RiskmlError as error:
    print(error.what)
"""


def test_reviewers_at_once_on_a_server_do_not_fork_the_chain(server, tmp_path):
    folder = tmp_path / "w"
    workspace, model = reviewed_settings(folder, uri=server), small_model("at_once")
    register(workspace, model)
    open_review(workspace, model, person="FGJ-01", now=NOW)
    script = REVIEWER.format(tests=os.path.dirname(os.path.dirname(__file__)), folder=str(folder), uri=server)
    people = [("SSP-02", "police"), ("FGJ-07", "prosecutor"), ("SSP-03", "police")]
    reviewers = [
        subprocess.Popen(
            [sys.executable, "-c", script, *who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for who in people
    ]
    for reviewer in reviewers:
        assert reviewer.stdout.readline() == "ready\n"
    for reviewer in reviewers:
        reviewer.stdin.write("go\n")
        reviewer.stdin.flush()
    said = [reviewer.communicate(timeout=120)[0].strip() for reviewer in reviewers]
    assert not any("http" in words for words in said), "MLflow's own lines stay out of ours"
    found = verify(workspace, model.name)
    assert found.intact, found.text("en")
    recorded = [s for s in found.statements if s.kind == "approve"]
    assert sorted(int(words) for words in said if words.isdigit()) == [s.number for s in recorded]
    assert len({s.role for s in recorded}) == len(recorded)
    # Whoever was not recorded was told why.
    told = [words for words in said if not words.isdigit()]
    assert all("already" in words or "being recorded" in words for words in told), told
    reject(workspace, model, person="SSA-1", role="health", reasons={"use": REASONS["use"]}, now=NOW)
    assert champion_version(workspace, model.name) is None
