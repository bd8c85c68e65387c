"""Reviews in MLflow: what is recorded, what then may be used, and that no change goes unseen."""

import contextlib
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewed_models import NOW, REASONS, keep_report, register, reviewed_settings, small_model
from riskml.errors import RiskmlError
from riskml.reporting.places import report_folder
from riskml.review.approval import champion_version, require_approved
from riskml.review.decisions import approve, approve_synthetic, open_review, reject
from riskml.review.index import keep_index
from riskml.review.ledger import CHAMPION, HEAD, Ledger, open_ledger
from riskml.review.reports import kept_report
from riskml.review.tracking import mlflow_at
from riskml.review.verification import verify
from workspaces import copy_of

TODAY = NOW.date()
POLICE = {"person": "SSP-02", "role": "police", "reasons": REASONS, "now": NOW}
PROSECUTOR = {"person": "FGJ-07", "role": "prosecutor", "reasons": REASONS, "now": NOW}
STOP = {
    "person": "SSA-1",
    "role": "health",
    "reasons": {"use": "Falta decir quién lo usará y cuándo."},
    "now": NOW,
}


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """A workspace with two versions registered and nothing said of them. Not to be changed."""
    folder = tmp_path_factory.mktemp("registered")
    workspace = reviewed_settings(folder)
    for seed in (0, 1):
        register(workspace, small_model(seed=seed))
    return workspace


@pytest.fixture(scope="module")
def approved(registered, tmp_path_factory):
    """A workspace whose first version is approved: an opening with a report and two approvals."""
    workspace = _copy(registered, tmp_path_factory.mktemp("approved") / "padron")
    model = small_model()
    keep_report(workspace, model)
    open_review(workspace, model, person="FGJ-01", report=kept_report(workspace, model), now=NOW)
    approve(workspace, model, **POLICE)
    approve(workspace, model, **PROSECUTOR)
    return workspace


def _copy(workspace, folder):
    copy_of(workspace.folder, folder)
    return replace(workspace, folder=folder, mlflow_uri=f"sqlite:///{folder}/mlflow.db")


@pytest.fixture
def fresh(registered, tmp_path):
    return _copy(registered, tmp_path / "padron")


@pytest.fixture
def own(approved, tmp_path):
    return _copy(approved, tmp_path / "padron")


def _alias(workspace):
    with mlflow_at(workspace) as mlflow:
        return mlflow.MlflowClient().get_registered_model("trial").aliases.get(CHAMPION)


@contextlib.contextmanager
def database(workspace):
    """The store's own tables, behind MLflow's back."""
    with contextlib.closing(sqlite3.connect(workspace.folder / "mlflow.db")) as connection:
        yield connection
        connection.commit()


def _statement_runs(workspace):
    with open_ledger(workspace, "trial") as ledger:
        return [entry.run_id for entry in ledger.entries()]


# -- what is recorded ------------------------------------------------------------------------------------


def test_two_people_with_different_roles_make_a_version_the_champion(fresh):
    model = small_model()
    refused = pytest.raises(RiskmlError, match="has not been reviewed")
    with refused as error:
        require_approved(fresh, model, TODAY)
    assert f"riskml review open trial@{model.version}" in str(error.value)
    assert "--dry-run" in str(error.value)
    open_review(fresh, model, person="FGJ-01", now=NOW)
    approve(fresh, model, **POLICE)
    assert _alias(fresh) is None
    assert champion_version(fresh, "trial") is None
    with pytest.raises(RiskmlError, match="still under review"):
        require_approved(fresh, model, TODAY)
    last = approve(fresh, model, **PROSECUTOR).statement
    assert (last.number, last.expires_on) == (3, date(2027, 11, 2))
    assert str(_alias(fresh)) == "1"
    assert champion_version(fresh, "trial") == model.version
    require_approved(fresh, [model], TODAY)
    found = verify(fresh, "trial")
    assert (found.intact, len(found.statements), found.notes) == (True, 3, [])


def test_an_approval_ends_on_its_day(approved):
    require_approved(approved, small_model(), date(2027, 11, 1))
    with pytest.raises(RiskmlError, match="was approved until 2027-11-02") as error:
        require_approved(approved, small_model(), date(2027, 11, 2))
    assert "a new review" in error.value.mend


def test_another_version_is_not_approved_by_it(approved):
    with pytest.raises(RiskmlError, match="has not been reviewed"):
        require_approved(approved, small_model(seed=1), TODAY)


def test_one_rejection_stops_a_version_and_takes_the_alias_away(own):
    model = small_model()
    reject(own, model, **STOP)
    assert _alias(own) is None
    with pytest.raises(RiskmlError, match=r"was rejected \(statement 4\)"):
        require_approved(own, model, TODAY)
    with pytest.raises(RiskmlError, match="stopped by a rejection"):
        approve(own, model, **POLICE)
    open_review(own, model, person="FGJ-01", now=NOW)
    approve(own, model, **POLICE)
    approve(own, model, **PROSECUTOR)
    require_approved(own, model, TODAY)
    assert verify(own, "trial").intact


def test_what_is_not_allowed_is_not_recorded(own):
    second = small_model(seed=1)
    open_review(own, second, person="FGJ-01", trained_by="FGJ-02", now=NOW)
    for said, what in (
        (PROSECUTOR | {"person": "FGJ-02"}, "trained this model"),
        (PROSECUTOR | {"role": "judge"}, 'unknown role "judge"'),
        (PROSECUTOR | {"person": "Ana Pérez"}, "not a reviewer's code"),
        (PROSECUTOR | {"reasons": {"use": "Se entiende."}}, "no reason is given on"),
        (PROSECUTOR | {"reasons": REASONS | {"use": "Llamar a alguien@ejemplo.mx"}}, "looks like"),
        (PROSECUTOR | {"synthetic": True}, "never mixed"),
    ):
        with pytest.raises(RiskmlError, match=what):
            approve(own, second, **said)
    assert len(verify(own, "trial").statements) == 4


def test_a_version_that_was_not_logged_is_not_reviewed(own):
    with pytest.raises(RiskmlError, match="is not registered in MLflow"):
        open_review(own, small_model(seed=9), person="FGJ-01", now=NOW)


def test_the_training_run_says_who_trained(tmp_path_factory, registered):
    workspace = _copy(registered, tmp_path_factory.mktemp("trained") / "padron")
    model = small_model(seed=2)
    register(workspace, model, trained_by="MOD-3")
    with pytest.raises(RiskmlError, match="MOD-3 trained"):
        open_review(workspace, model, person="FGJ-01", trained_by="FGJ-01", now=NOW)
    opened = open_review(workspace, model, person="FGJ-01", now=NOW)
    assert opened.statement.content["trained_by"] == "MOD-3"


def test_all_who_trained_a_version_are_kept_from_approving_it(tmp_path_factory, registered):
    """The same history and seed give the same version: training it again without a code hides nobody."""
    workspace = _copy(registered, tmp_path_factory.mktemp("again") / "padron")
    model = small_model(seed=2)
    for code in ("MOD-3", "MOD-4", "-"):
        register(workspace, model, trained_by=code)
    opened = open_review(workspace, model, person="FGJ-01", now=NOW)
    assert opened.statement.content["trained_by"] == "MOD-3, MOD-4"
    for code in ("MOD-3", "MOD-4"):
        with pytest.raises(RiskmlError, match=f"{code} trained this model"):
            approve(workspace, model, **PROSECUTOR | {"person": code})
    approve(workspace, model, **PROSECUTOR)


def test_who_trained_what_a_version_was_recalibrated_from_may_not_approve_it_either(fresh):
    base, moved = small_model(seed=2), small_model(seed=3)
    register(fresh, base, trained_by="MOD-3")
    register(fresh, moved, trained_by="MOD-4", base=base.version)
    opened = open_review(fresh, moved, person="FGJ-01", now=NOW)
    assert opened.statement.content["trained_by"] == "MOD-4, MOD-3"
    with pytest.raises(RiskmlError, match="MOD-3 trained this model"):
        approve(fresh, moved, **PROSECUTOR | {"person": "MOD-3"})


@pytest.mark.parametrize("damage", ["gone", "half", "another"])
def test_a_report_that_is_not_of_this_version_is_not_attached(tmp_path, damage):
    workspace, model, other = reviewed_settings(tmp_path / "w"), small_model(), small_model(seed=1)
    if damage != "gone":
        validation, *pages = keep_report(workspace, model)
        if damage == "half":
            pages[0].unlink()
        else:
            validation.write_bytes(keep_report(workspace, other)[0].read_bytes())
    with pytest.raises(RiskmlError) as error:
        kept_report(workspace, model)
    assert f"`riskml report trial@{model.version}` makes it" in error.value.mend


def test_the_demonstrations_reviewers_are_marked_and_review_nothing_real(fresh):
    model = small_model()
    last = approve_synthetic(fresh, model, now=NOW)
    assert last.statement.synthetic
    assert "Sintética" in last.tags["mlflow.note.content"]
    require_approved(fresh, model, TODAY)
    assert approve_synthetic(fresh, model, now=NOW) is None, "again changes nothing"
    second = small_model(seed=1)
    open_review(fresh, second, person="SIN-0", now=NOW, synthetic=True)
    approve(fresh, second, **POLICE | {"person": "SIN-1", "synthetic": True})
    assert approve_synthetic(fresh, second, now=NOW).statement.expires_on, "one that was interrupted is ended"
    assert verify(fresh, "trial").intact
    real = small_model(seed=1, synthetic=False)
    with pytest.raises(RiskmlError, match="only models of a synthetic registry"):
        approve_synthetic(fresh, real, now=NOW)


def test_synthetic_approvals_let_no_real_model_write(fresh, monkeypatch):
    real = small_model(seed=4, synthetic=False)
    register(fresh, real)
    monkeypatch.setattr("riskml.review.decisions._check_synthetic", lambda model, synthetic: None)
    approve_synthetic(fresh, real, now=NOW)
    with pytest.raises(RiskmlError, match="synthetic reviewers only"):
        require_approved(fresh, real, TODAY)


# -- what MLflow shows -----------------------------------------------------------------------------------


def test_a_review_reads_in_mlflow(approved):
    with open_ledger(approved, "trial") as ledger:
        entries, client = ledger.entries(), ledger.client
        runs = [client.get_run(entry.run_id) for entry in entries]
        files = {a.path for a in client.list_artifacts(runs[0].info.run_id)}
        version = client.get_model_version("trial", "1")
        experiment = client.get_experiment(runs[0].info.experiment_id)
        head = client.get_registered_model("trial").tags[HEAD]
    assert experiment.name == "riskml review"
    assert "Cada corrida es una declaración" in experiment.tags["mlflow.note.content"]
    assert files == {"report.json", "checklist.yml", "review.es.html", "card.es.html", "validation.json"}
    opening, *approvals = runs
    assert opening.info.run_name.startswith("1. Revisión de trial")
    assert {run.data.tags["mlflow.parentRunId"] for run in approvals} == {opening.info.run_id}
    assert runs[1].info.run_name.startswith("2. Aprueba Policía estatal")
    assert "hasta el 2027-11-02" in runs[2].data.tags["mlflow.note.content"]
    assert all(text in runs[2].data.tags["mlflow.note.content"] for text in REASONS.values())
    assert runs[2].data.params["reason/data"] == REASONS["data"]
    for run in runs:
        assert [found.model_id for found in run.inputs.model_inputs] == [version.source.split("/")[-1]]
        assert run.info.user_id == "unknown"
    assert version.tags["riskml.review.status"] == "approved"
    assert version.tags["riskml.review.expires_on"] == "2027-11-02"
    assert head == f"3:{entries[-1].statement.hash}"


def test_no_name_of_an_account_and_no_place_of_a_file_is_kept(approved):
    """MLflow fills in both by itself where it is let."""
    with database(approved) as connection:
        runs = "SELECT run_uuid FROM params"
        tags = dict(connection.execute(f"SELECT key, value FROM tags WHERE run_uuid IN ({runs})").fetchall())
    assert "mlflow.user" not in tags
    assert tags["mlflow.source.name"] == "riskml review"
    assert not any(str(approved.folder) in value for value in tags.values())


# -- any change is found ---------------------------------------------------------------------------------


def _stored(workspace):
    """Every piece of text that the statements are stored in: list of (table, column, run, key)."""
    runs = _statement_runs(workspace)
    marks = ", ".join("?" * len(runs))
    with database(workspace) as connection:
        pieces = [("runs", "name", run, None) for run in runs]
        for table in ("params", "tags"):
            rows = connection.execute(f"SELECT run_uuid, key FROM {table} WHERE run_uuid IN ({marks})", runs)
            pieces += [(table, column, *row) for row in rows.fetchall() for column in ("key", "value")]
    return sorted(pieces, key=str)


def _where(piece):
    table, _, run, key = piece
    return ("run_uuid = ?", (run,)) if table == "runs" else ("run_uuid = ? AND key = ?", (run, key))


@given(st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_byte_changed_in_any_statement_is_found(approved, data):
    table, column, run, key = piece = data.draw(st.sampled_from(_stored(approved)))
    condition, values = _where(piece)
    with database(approved) as connection:
        old = connection.execute(f"SELECT {column} FROM {table} WHERE {condition}", values).fetchone()[0]
        place = data.draw(st.integers(0, len(old) - 1))
        new = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != old[place]))
        changed = old[:place] + new + old[place + 1 :]
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {condition}", (changed, *values))
    try:
        found = verify(approved, "trial")
        assert not found.intact, (table, column, key, changed)
        assert found.text("es").splitlines()[1].startswith("- ")
    finally:
        after = (run,) if key is None else (run, changed if column == "key" else key)
        with database(approved) as connection:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {condition}", (old, *after))
    assert verify(approved, "trial").intact


def _kept_files(workspace):
    """Files that a review rests on: attached ones, and the version's bundle in both places."""
    roots = [workspace.folder / "mlartifacts" / _statement_runs(workspace)[0]]
    roots += [workspace.bundles / "trial" / small_model().version]
    roots += [report_folder(workspace, "trial", small_model().version)]
    with mlflow_at(workspace) as mlflow:
        source = mlflow.MlflowClient().get_model_version("trial", "1").source
    roots.append(workspace.folder / "mlartifacts" / "models" / source.split("/")[-1] / "artifacts" / "data")
    files = [path for root in roots for path in sorted(root.rglob("*")) if path.is_file()]
    assert {"review.es.html", "validation.json", "report.json", "checklist.yml"} <= {p.name for p in files}
    assert len(files) >= 5 + 2 * 2 + 3
    return files


@given(st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_byte_changed_in_any_report_or_bundle_is_found(approved, data):
    path = data.draw(st.sampled_from(_kept_files(approved)))
    old = path.read_bytes()
    place, by = data.draw(st.integers(0, len(old) - 1)), data.draw(st.integers(1, 255))
    path.write_bytes(old[:place] + bytes([old[place] ^ by]) + old[place + 1 :])
    try:
        found = verify(approved, "trial")
        assert any(path.name in finding.text("en") for finding in found.findings)
    finally:
        path.write_bytes(old)
    assert verify(approved, "trial").intact


def test_a_file_taken_away_or_added_is_found(own):
    for path in _kept_files(own):
        if path.is_relative_to(own.reports):
            continue  # what was attached counts: reports/out may be emptied
        old = path.read_bytes()
        path.unlink()
        said = verify(own, "trial").text("en")
        assert f"{path.name} is missing" in said or f"{path.name} (" in said, path
        path.write_bytes(old)
    added = own.folder / "mlartifacts" / _statement_runs(own)[1] / "artifacts" / "nota.txt"
    added.parent.mkdir(parents=True)
    added.write_text("Lo que nadie firmó")
    assert "nota.txt was added later" in verify(own, "trial").text("en")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_statement_deleted_anywhere_is_found_and_nothing_is_approved_by_the_rest(own, number):
    with mlflow_at(own) as mlflow:
        mlflow.MlflowClient().delete_run(_statement_runs(own)[number - 1])
    said = verify(own, "trial").text("en")
    assert (f"statement {number}: its run was deleted" if number < 3 else "removed from the end") in said
    for action in (
        lambda: require_approved(own, small_model(), TODAY),
        lambda: open_review(own, small_model(seed=1), person="FGJ-01", now=NOW),
        lambda: champion_version(own, "trial"),
    ):
        with pytest.raises(RiskmlError, match="were changed after they were made"):
            action()


def test_a_rejection_removed_with_its_index_is_found_by_what_the_minutes_hold(own):
    """Whoever may write everywhere can cut the end off and mend the index: what is kept outside tells."""
    model = small_model()
    before = verify(own, "trial").statements[-1]
    rejection = reject(own, model, **STOP)
    minutes = f"{rejection.statement.number}:{rejection.statement.hash[:12]}"
    assert verify(own, "trial", head=minutes).intact
    with mlflow_at(own) as mlflow:
        client = mlflow.MlflowClient()
        client.delete_run(rejection.run_id)
        client.set_registered_model_tag("trial", HEAD, f"{before.number}:{before.hash}")
    with open_ledger(own, "trial") as ledger:
        keep_index(ledger)
    assert verify(own, "trial").intact
    assert not verify(own, "trial", head=minutes).intact
    assert verify(own, "trial", head=f"3:{before.hash[:12]}").intact
    with pytest.raises(RiskmlError, match="tell too little"):
        verify(own, "trial", head="3:ab")


def test_an_alias_or_a_tag_moved_by_hand_is_found_and_changes_nothing(own):
    with mlflow_at(own) as mlflow:
        client = mlflow.MlflowClient()
        client.set_registered_model_alias("trial", CHAMPION, "2")
        client.set_model_version_tag("trial", "2", "riskml.review.status", "approved")
        client.set_model_version_tag("trial", "1", "riskml.review.expires_on", "2099-01-01")
    said = verify(own, "trial").text("en")
    assert "is on version 2 of MLflow and the review says 1" in said
    assert "riskml.review.expires_on" in said
    assert champion_version(own, "trial") == small_model().version
    with pytest.raises(RiskmlError, match="has not been reviewed"):
        require_approved(own, small_model(seed=1), TODAY)
    with open_ledger(own, "trial") as ledger:
        keep_index(ledger)
    assert verify(own, "trial").intact


def test_a_statement_forged_with_a_right_hash_is_found_by_the_rules(own):
    """Who can write to MLflow can make hashes: a second approval by the same role is still not allowed."""
    second = small_model(seed=1)
    opening = open_review(own, second, person="FGJ-01", now=NOW)
    with open_ledger(own, "trial") as ledger:
        content = {
            "kind": "approve",
            "model": "trial",
            "version": second.version,
            "review": str(opening.statement.number),
            "person": "FGJ-01",
            "role": "prosecutor",
            "expires_on": "2099-01-01",
        }
        ledger.append(lambda statements: (content, "5", "Aprobada", opening.run_id))
    assert "the rules did not allow it (FGJ-01 trained this model" in verify(own, "trial").text("en")
    with pytest.raises(RiskmlError, match="were changed after they were made"):
        require_approved(own, second, TODAY)


def test_a_workspace_that_was_moved_verifies_its_own_copy(approved, tmp_path):
    moved = _copy(approved, tmp_path / "moved")
    assert verify(moved, "trial").intact
    run = _statement_runs(moved)[0]
    attached = moved.folder / "mlartifacts" / run / "artifacts" / "report.json"
    attached.write_bytes(attached.read_bytes() + b" ")
    assert not verify(moved, "trial").intact
    assert verify(approved, "trial").intact
    shutil.rmtree(moved.bundles)
    said = verify(moved, "trial").text("en")
    assert "its folder is not in this workspace" in said


# -- two at once -----------------------------------------------------------------------------------------


def test_four_writers_at_once_do_not_fork_the_chain(fresh):
    def says(person):
        def opening(statements):
            number = str(len(statements) + 1)
            content = {"kind": "open", "model": "trial", "version": person, "review": number}
            return content, person, person, None

        try:
            return ledger.append(opening).statement
        except RiskmlError:
            return None  # told that nothing of theirs was recorded

    with open_ledger(fresh, "trial") as ledger, ThreadPoolExecutor(4) as pool:
        said = [s for s in pool.map(says, ["A-1", "B-2", "C-3", "D-4"]) if s]
        entries, statements = ledger.entries(), ledger.statements()
    assert said
    assert sorted(s.number for s in said) == [s.number for s in statements]
    assert [e.statement.number for e in entries] == list(range(1, len(said) + 1)), "no claim is left"


def test_a_statement_that_came_in_between_is_followed_not_overwritten(fresh, monkeypatch):
    """The other one records after the first has read the chain, and before it has claimed its number."""
    model = small_model()
    open_review(fresh, model, person="FGJ-01", now=NOW)
    claim, done = Ledger._claim, []

    def late(self, *arguments):
        if not done:
            done.append(True)
            approve(fresh, model, **PROSECUTOR)
        return claim(self, *arguments)

    monkeypatch.setattr(Ledger, "_claim", late)
    entry = approve(fresh, model, **POLICE)
    found = verify(fresh, "trial")
    assert found.intact
    assert [s.person for s in found.statements] == ["FGJ-01", "FGJ-07", "SSP-02"]
    assert entry.statement.number == 3
    require_approved(fresh, model, TODAY)


def test_a_rejection_that_came_in_between_stops_the_approval(fresh, monkeypatch):
    model = small_model()
    open_review(fresh, model, person="FGJ-01", now=NOW)
    claim, done = Ledger._claim, []

    def late(self, *arguments):
        if not done:
            done.append(True)
            reject(fresh, model, **STOP)
        return claim(self, *arguments)

    monkeypatch.setattr(Ledger, "_claim", late)
    with pytest.raises(RiskmlError, match="stopped by a rejection"):
        approve(fresh, model, **POLICE)
    assert [s.kind for s in verify(fresh, "trial").statements] == ["open", "reject"]


def test_a_writer_interrupted_halfway_leaves_nothing_recorded_and_is_named(own, monkeypatch):
    model = small_model()
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_claim", _interrupted(Ledger._claim))
        with pytest.raises(KeyboardInterrupt):
            reject(own, model, **STOP)
    found = verify(own, "trial")
    assert found.intact
    assert len(found.statements) == 3
    run = _statement_runs(own)[-1]
    assert run in found.text("en")
    require_approved(own, model, TODAY)
    monkeypatch.setattr("riskml.review.ledger.time.sleep", lambda seconds: None)
    with pytest.raises(RiskmlError, match="is being recorded at this moment, or was interrupted"):
        reject(own, model, **STOP)
    with mlflow_at(own) as mlflow:
        mlflow.MlflowClient().delete_run(run)
    reject(own, model, **STOP)
    assert verify(own, "trial").intact


def _interrupted(claim):
    def halfway(self, *arguments):
        claim(self, *arguments)
        raise KeyboardInterrupt

    return halfway


def test_a_writer_interrupted_before_the_index_is_mended_by_the_next(own, monkeypatch):
    model = small_model()
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "keep_head", lambda *a: None)
        patch.setattr("riskml.review.decisions.keep_index", lambda ledger: None)
        reject(own, model, **STOP)
    said = verify(own, "trial").text("en")
    assert "riskml review verify trial --index" in said
    with pytest.raises(RiskmlError, match="was rejected"):
        require_approved(own, model, TODAY)
    with open_ledger(own, "trial") as ledger:
        keep_index(ledger)
    assert verify(own, "trial").intact
    assert _alias(own) is None


def test_a_store_that_does_not_answer_approves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    workspace = reviewed_settings(tmp_path / "w", uri="http://127.0.0.1:9")
    with pytest.raises(RiskmlError, match="MLflow"):
        require_approved(workspace, small_model(), TODAY)


def test_asking_makes_no_store_where_there_is_none(tmp_path):
    workspace = reviewed_settings(tmp_path / "w")
    with pytest.raises(RiskmlError, match="has not been reviewed"):
        require_approved(workspace, small_model(), TODAY)
    assert champion_version(workspace, "trial") is None
    assert not (workspace.folder / "mlflow.db").exists()
