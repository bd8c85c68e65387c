"""Open a review, approve, reject: each records a statement, and lets MLflow show where the version stands."""

import calendar
import hashlib
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.review.checklist import load_checklist
from riskml.review.index import keep_index
from riskml.review.ledger import open_ledger
from riskml.review.rules import TRAINERS, check_may_decide, check_may_open, completes, standing
from riskml.review.shown import description_of, text_digest, title_of
from riskml.review.statements import check_code, check_text
from riskml.review.store import registered_version, registered_versions

__all__ = ["approve", "approve_synthetic", "months_later", "open_review", "reject"]

CHECKLIST, REPORT = "checklist.yml", "report.json"


def months_later(day, months):
    """The same day of a later month, or that month's last day: date."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def open_review(settings, model, *, person, trained_by=None, report=None, now=None, synthetic=False):
    """Open a review of a model version and attach what reviewers read.

    Attached are the bundle's own `report.json`, the checklist, and `report` where one is given; the statement
    holds the sha256 of each.

    Parameters
    ----------
    settings : Settings
    model : Model              trained in the workspace and logged in MLflow
    person : str               code of who opens it
    trained_by : str or None   code of who trained it; None: as its training run says, or else `person`
    report : path, list of path or None    the model review report and what belongs to it, as
        `riskml.review.reports.kept_report` finds them
    now : datetime or None     with a timezone; None: the clock
    synthetic : bool           said by nobody; only on a synthetic registry

    Returns
    -------
    Entry    of the review's first statement, whose run holds the attached files

    Raises
    ------
    RiskmlError    the version is not registered in MLflow, or a review of it is open
    """
    check_code(person, where="--as")
    checklist, language = load_checklist(settings.models), settings.language
    _check_synthetic(model, synthetic)
    with tempfile.TemporaryDirectory() as scratch, open_ledger(settings, model.name) as ledger:
        registered = registered_version(ledger.client, model.name, model.version)
        trainer = _trainer(ledger.client, model, trained_by) or person
        for code in trainer.split(TRAINERS):
            check_code(code, where="--trained-by")
        files = _attached(Path(scratch), model, checklist, report)
        content = {
            "kind": "open",
            "model": model.name,
            "version": model.version,
            "mlflow_version": str(registered.version),
            "training_run": registered.run_id or "-",
            "person": person,
            "trained_by": trainer,
            "said_at": _said_at(now),
            "synthetic": str(synthetic).lower(),
            "months": str(checklist.months),
            "approvals": str(checklist.approvals),
            **{f"bundle/{name}": digest for name, digest in model.digests.items()},
            **{f"attached/{path.name}": _file_digest(path) for path in files},
        }

        def say(statements):
            check_may_open(statements, model.version)
            number = len(statements) + 1
            return _shown(number, content | {"review": str(number)}, checklist, language, None)

        def attach(client, run_id):
            for path in files:
                client.log_artifact(run_id, str(path))

        entry = ledger.append(say, attach=attach, link=_logged_model(registered))
        keep_index(ledger)
        return entry


def approve(settings, model, *, person, role, reasons, now=None, synthetic=False):
    """Approve a model version; the last approval needed makes it the champion until its expiry date.

    Parameters
    ----------
    settings : Settings
    model : Model
    person : str    code of who approves, not who trained it
    role : str      of the checklist, another than that of the approvals before
    reasons : dict of section -> str    on every section of the checklist
    now, synthetic    as `open_review`

    Returns
    -------
    Entry

    Raises
    ------
    RiskmlError    no review is open, a person or role who may not approve, a section without a reason
    """
    return _decide(settings, model, "approve", person, role, reasons, now, synthetic)


def reject(settings, model, *, person, role, reasons, now=None, synthetic=False):
    """Reject a model version, or withdraw its approval: it writes nothing until another review approves it.

    Parameters, Returns, Raises
    ---------------------------
    As `approve`; a reason on one section is enough, and who trained the model may reject it too.
    """
    return _decide(settings, model, "reject", person, role, reasons, now, synthetic)


def approve_synthetic(settings, model, *, now=None):
    """What a demonstration on a simulated registry records: an opening and approvals of nobody, marked.

    Parameters
    ----------
    settings : Settings
    model : Model    trained on a synthetic history
    now : datetime or None

    Returns
    -------
    Entry or None    the last statement; None where the version is approved already

    Raises
    ------
    RiskmlError    the model was trained on a registry that is not synthetic
    """
    _check_synthetic(model, True)
    checklist = load_checklist(settings.models)
    reason = message("review.synthetic_reason", settings.language)
    reasons = dict.fromkeys(checklist.sections, reason)
    with open_ledger(settings, model.name) as ledger:
        now_stands = standing(ledger.statements(), model.version)
    if now_stands.in_force(_today(settings, now)):
        return None
    done = set()
    if now_stands.status == "open":
        done = {statement.person for statement in now_stands.approvals}
    else:
        open_review(settings, model, person="SIN-0", now=now, synthetic=True)
    for place, role in enumerate(list(checklist.roles)[: checklist.approvals], start=1):
        if f"SIN-{place}" in done:
            continue
        last = approve(
            settings,
            model,
            person=f"SIN-{place}",
            role=role,
            reasons=reasons,
            now=now,
            synthetic=True,
        )
    return last


def _decide(settings, model, kind, person, role, reasons, now, synthetic):
    checklist, language = load_checklist(settings.models), settings.language
    check_code(person, where="--as")
    checklist.check_role(role)
    reasons = checklist.check_reasons(reasons, every=kind == "approve")
    for name, text in reasons.items():
        check_text(text, where=f"reasons, {name}")
    if kind == "approve":
        _check_synthetic(model, synthetic)
    with open_ledger(settings, model.name) as ledger:
        content = {
            "kind": kind,
            "model": model.name,
            "version": model.version,
            "person": person,
            "role": role,
            "said_at": _said_at(now),
            "synthetic": str(synthetic).lower(),
            **{f"reason/{name}": text for name, text in reasons.items()},
        }

        def say(statements):
            check_may_decide(statements, model.version, kind, person, role, synthetic=synthetic)
            opening = standing(statements, model.version).opening
            _check_reviewed(opening, model)
            said = content | {
                "review": str(opening.number),
                "mlflow_version": opening.content.get("mlflow_version", ""),
            }
            if kind == "approve" and completes(statements, model.version):
                today = _today(settings, now)
                months = int(opening.content["months"])
                said |= {
                    "approved_on": today.isoformat(),
                    "expires_on": months_later(today, months).isoformat(),
                }
            entries = {e.statement.number: e.run_id for e in ledger.entries() if e.recorded}
            return _shown(len(statements) + 1, said, checklist, language, entries[opening.number])

        registered = registered_version(ledger.client, model.name, model.version)
        entry = ledger.append(say, link=_logged_model(registered))
        keep_index(ledger)
        return entry


def _shown(number, content, checklist, language, parent):
    title = title_of(number, content, checklist, language)
    description = description_of(content, checklist, language)
    content = content | {"title": title, "description": text_digest(description)}
    return content, title, description, parent


def _check_reviewed(opening, model):
    if opening.bundle != model.digests:
        raise RiskmlError(
            f"version {model.version} is not the bundle that the review was opened on",
            where=f"bundles/{model.name}",
            mend="`riskml review verify` says which file differs; `riskml train` makes the bundle again.",
        )


def _check_synthetic(model, synthetic):
    if synthetic and not model.card.get("history", {}).get("synthetic"):
        raise RiskmlError(
            "synthetic reviewers review only models of a synthetic registry",
            where=f'model "{model.name}" {model.version}',
            mend="Two people have to approve it: `riskml review open`.",
        )


def _logged_model(registered):
    """MLflow's id of the logged model behind a registered version, str or None."""
    scheme, _, tail = (registered.source or "").rpartition("/")
    return tail if scheme == "models:" and tail.startswith("m-") else None


def _trainer(client, model, stated):
    """Who trained it, and what it was recalibrated from, as the training runs say; str or None."""
    codes, version, known = {}, model.version, set()
    while version and version not in known:
        known.add(version)
        try:
            every = registered_versions(client, model.name, version)
        except RiskmlError:  # what it was recalibrated from was logged elsewhere
            break
        tags = [client.get_run(one.run_id).data.tags for one in every if one.run_id]
        codes |= dict.fromkeys(found.get("riskml.trained_by", "-").strip("-") for found in tags)
        version = next((found["riskml.base"] for found in tags if "riskml.base" in found), None)
    logged = TRAINERS.join(code for code in codes if code)
    if logged and stated and logged != stated:
        raise RiskmlError(
            f"the training run says that {logged} trained this version",
            where="--trained-by",
            mend="Leave the option out.",
        )
    return logged or stated


def _attached(folder, model, checklist, report):
    """The files that a review holds, in a scratch folder: list of Path."""
    (folder / CHECKLIST).write_text(checklist.text, encoding="utf-8", newline="\n")
    saved = model.save(folder / "bundle")
    shutil.move(saved / REPORT, folder / REPORT)
    files = [folder / CHECKLIST, folder / REPORT]
    given = [] if report is None else [report] if isinstance(report, str | Path) else report
    for path in map(Path, given):
        if not path.is_file() or path.name in {other.name for other in files}:
            raise RiskmlError(
                "no such report, or one whose name another attached file has",
                where=str(path),
                mend="Name a file, other than report.json and checklist.yml.",
            )
        files.append(path)
    return files


def _file_digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _said_at(now):
    moment = datetime.now(UTC) if now is None else now.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _today(settings, now):
    zone = ZoneInfo(settings.timezone)
    return (datetime.now(zone) if now is None else now.astimezone(zone)).date()
