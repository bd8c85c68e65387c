"""Whether anything of a model's review was changed since: statements, files, bundles, registry."""

import hashlib
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.progress import progress
from riskml.reporting.places import report_folder
from riskml.review.index import champion_statement, expected_tags
from riskml.review.ledger import (
    CHAMPION,
    DESCRIPTION,
    PARENT,
    RUN_NAME,
    SOURCE,
    SOURCE_NAME,
    TAGS,
    open_ledger,
)
from riskml.review.rules import replay_faults
from riskml.review.shown import text_digest
from riskml.review.statements import chain_faults
from riskml.review.store import ARTIFACTS

__all__ = ["Finding", "Verification", "verify"]

_SHORTEST_HEAD = 8


@dataclass(frozen=True)
class Finding:
    """One thing that does not agree: its code (`review.fault_<code>`) and what stands in its sentence."""

    code: str
    fields: dict = field(default_factory=dict, hash=False)

    def text(self, language="es"):
        """The sentence, str."""
        words = dict(self.fields)
        if "where" in words:
            words["where"] = message(f"review.place_{words['where']}", language)
        for name in ("found", "expected"):
            if words.get(name) == "":
                words[name] = message("review.nobody", language)
        return message(f"review.{self.code}", language, **words)


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes
    ----------
    model : str
    statements : list of Statement    that are recorded, in order
    findings : list of Finding        empty: nothing was changed
    notes : list of Finding           what could not be checked, and what is half written
    """

    model: str
    statements: list
    findings: list
    notes: list

    @property
    def intact(self):
        """Whether nothing was changed: bool."""
        return not self.findings

    def text(self, language="es"):
        """The result in a few lines, str."""
        if not self.statements and self.intact:
            return message("review.no_statements", language, model=self.model)
        name, count = ("whole", len(self.statements)) if self.intact else ("not_whole", len(self.findings))
        lines = [message(f"review.{name}", language, count=count, model=self.model)]
        lines += [f"- {finding.text(language)}" for finding in self.findings]
        lines += [finding.text(language) for finding in self.notes]
        return "\n".join(lines)


def verify(settings, name, *, head=None):
    """Compare everything that was recorded on a model's versions with what stands there now.

    Parameters
    ----------
    settings : Settings
    name : str            of the model
    head : str or None    "3:ab12..." or a hash or its beginning, as written down outside MLflow: it is looked
        for in the chain, so that statements cut off at the end are found even where their index was cut too

    Returns
    -------
    Verification

    Raises
    ------
    RiskmlError    MLflow cannot be reached, or `head` is too short to tell anything
    """
    language = settings.language
    with progress(message("review.checking", language)), open_ledger(settings, name) as ledger:
        entries = ledger.entries()
        recorded = [entry for entry in entries if entry.recorded]
        statements = [entry.statement for entry in recorded]
        findings = _chain(ledger, statements)
        findings += _head(ledger, statements, head)
        findings += [
            Finding("fault_not_allowed", {"number": number, "why": why})
            for number, why in replay_faults(statements)
        ]
        runs = {e.statement.number: e.run_id for e in reversed(recorded)}
        notes = []
        for entry in recorded:
            findings += _shown(entry, runs, name)
            findings += _files(ledger, entry)
        for statement in _last_openings(statements):
            found, remarks = _bundle(ledger, statement)
            findings, notes = findings + found + _reports(settings, statement), notes + remarks
        findings += _registry(ledger, statements)
        notes += [
            Finding("note_claim", {"run": e.run_id, "number": e.statement.number})
            for e in entries
            if not e.recorded
        ]
    return Verification(name, statements, findings, notes)


def _chain(ledger, statements):
    faults = chain_faults(statements)
    deleted = ledger.withdrawn() if any(fault == "missing" for _, fault in faults) else set()
    return [
        Finding(
            "fault_missing_deleted" if fault == "missing" and number in deleted else f"fault_{fault}",
            {"number": number},
        )
        for number, fault in faults
    ]


def _head(ledger, statements, given):
    found = []
    if not ledger.head_agrees(statements):
        behind = ledger.head_agrees(statements, behind=1)
        found.append(Finding("fault_head_behind" if behind else "fault_head", {"model": ledger.name}))
    if given is not None:
        number, _, digest = given.strip().lower().rpartition(":")
        if len(digest) < _SHORTEST_HEAD or (number and not number.isdigit()):
            raise RiskmlError(
                f"{len(digest)} characters of a hash tell too little",
                where="--head",
                mend="Give at least 8, as they stand in the minutes: 3:ab12cd34.",
            )
        known = [s for s in statements if not number or s.number == int(number)]
        if not any(s.hash.startswith(digest) for s in known):
            found.append(Finding("fault_head_given", {"head": given.strip()[:80]}))
    return found


def _shown(entry, runs, name):
    """What MLflow shows of a run beside its parameters: title, text, place below its review, model."""
    statement, tags = entry.statement, entry.tags
    parent = None if statement.kind == "open" else runs.get(statement.review)
    differing = [
        label
        for label, same in (
            ("title", tags.get(RUN_NAME) == entry.name == statement.content.get("title")),
            ("source", tags.get(SOURCE) == SOURCE_NAME),
            ("tags", tags.keys() <= TAGS),
            ("description", text_digest(tags.get(DESCRIPTION, "")) == statement.content.get("description")),
            ("parent", tags.get(PARENT) == parent),
            ("model", statement.model == name),
        )
        if not same
    ]
    return [Finding("fault_shown", {"number": statement.number, "field": label}) for label in differing]


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _below(folder):
    """sha256 of every file below a folder: dict of path within it -> str."""
    return {
        path.relative_to(folder).as_posix(): _digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _own_copy(ledger, tail):
    """A local store's folder of artifacts in this workspace, which may have been copied or moved here."""
    if not ledger.settings.mlflow_uri.startswith("sqlite:"):
        return None
    folder = Path(ledger.settings.folder) / ARTIFACTS / tail
    return folder if folder.is_dir() else None


def _files(ledger, entry):
    """The files of a run against those that its statement names."""
    expected, number = entry.statement.attached, entry.statement.number
    own = _own_copy(ledger, f"{entry.run_id}/artifacts")
    if own is not None:
        present = _below(own)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            if expected or ledger.client.list_artifacts(entry.run_id):
                with suppress(ledger.mlflow.exceptions.MlflowException, OSError):
                    ledger.mlflow.artifacts.download_artifacts(run_id=entry.run_id, dst_path=scratch)
            present = _below(Path(scratch))
    return [
        Finding(f"fault_artifact_{fault}", {"number": number, "file": file})
        for file, fault in _differences(expected, present)
    ]


def _differences(expected, present):
    for file in sorted(expected | present):
        if file not in present:
            yield file, "missing"
        elif file not in expected:
            yield file, "added"
        elif expected[file] != present[file]:
            yield file, "changed"


def _last_openings(statements):
    """The opening that speaks of each version's files: the latest of each."""
    return list({s.version: s for s in statements if s.kind == "open"}.values())


def _bundle(ledger, opening):
    """A version's files in the workspace and in MLflow against those reviewed: (findings, notes)."""
    findings, notes, version = [], [], opening.version
    local = ledger.settings.bundles / ledger.name / version
    if local.is_dir():
        findings += _compared(opening, _below(local), "workspace")
    else:
        notes.append(Finding("note_no_local", {"version": version}))
    registered = _registered_files(ledger, opening)
    if registered is not None:
        findings += _compared(opening, registered, "registry")
    elif local.is_dir():
        notes.append(Finding("note_no_registered", {"version": version}))
    else:
        findings.append(
            Finding("fault_bundle_missing", {"version": version, "file": "bundle.json", "where": "registry"})
        )
    return findings, notes


def _reports(settings, opening):
    """The version's pages under `reports/out`, where people open them, against those that were attached."""
    folder = report_folder(settings, opening.model, opening.version)
    return [
        Finding("fault_report_changed", {"version": opening.version, "file": file})
        for file, digest in sorted(opening.attached.items())
        if (folder / file).is_file() and _digest(folder / file) != digest
    ]


def _compared(opening, present, where):
    return [
        Finding(
            "fault_bundle_missing" if fault == "missing" else "fault_bundle_changed",
            {"version": opening.version, "file": file, "where": where},
        )
        for file, fault in _differences(opening.bundle, present)
    ]


def _registered_files(ledger, opening):
    """The bundle's files in the registered version: dict, or None where they cannot be reached from here."""
    number = opening.content.get("mlflow_version", "")
    with tempfile.TemporaryDirectory() as scratch:
        folder = None
        with suppress(ledger.mlflow.exceptions.MlflowException, OSError):
            source = ledger.client.get_model_version_download_uri(ledger.name, number)
            tail = source.partition(f"/{ARTIFACTS}/")[2]
            folder = _own_copy(ledger, tail) if tail else None
            if folder is None:
                ledger.mlflow.artifacts.download_artifacts(
                    artifact_uri=f"models:/{ledger.name}/{number}", dst_path=scratch
                )
                folder = Path(scratch)
        if folder is None:
            return None
        parts = [path for path in sorted(folder.rglob("*")) if path.name in opening.bundle]
        return _below(parts[0].parent) if parts else {}


def _registry(ledger, statements):
    """Alias and tags of the registered model against the statements."""
    if not statements:
        return []
    client, name = ledger.client, ledger.name
    found = []
    for (version, number), tags in expected_tags(statements).items():
        shown = {}
        with suppress(ledger.mlflow.exceptions.MlflowException):
            shown = client.get_model_version(name, number).tags
        for key, value in tags.items():
            if shown.get(key) != value:
                found.append(Finding("fault_version_tag", {"version": version, "field": key}))
    aliases = {}
    with suppress(ledger.mlflow.exceptions.MlflowException):
        aliases = client.get_registered_model(name).aliases
    champion = champion_statement(statements)
    expected = champion.content.get("mlflow_version", "") if champion else ""
    if str(aliases.get(CHAMPION, "")) != expected:
        found.append(Finding("fault_alias", {"found": str(aliases.get(CHAMPION, "")), "expected": expected}))
    return found
