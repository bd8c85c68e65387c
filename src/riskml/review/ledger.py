"""The chain of a model's statements in MLflow: read, and lengthened by one, however many write at once.

A statement is a run: what was said stands in its parameters, which MLflow does not let anybody overwrite, its
hash and the one before it in tags, its words in the description. MLflow has no lock, so a statement is first
claimed: whoever then sees another claim of the same number takes the own one back. The later of two sees the
earlier one, so that two are never recorded.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.review.rules import replay_faults
from riskml.review.statements import BEGINNING, Statement, chain_faults, statement_hash
from riskml.review.store import experiment_of, mlflow_at

__all__ = ["CHAMPION", "HEAD", "Entry", "Ledger", "head_mark", "open_ledger"]

CHAMPION = "champion"
HEAD = "riskml.review.head"
PARENT, DESCRIPTION, RUN_NAME = "mlflow.parentRunId", "mlflow.note.content", "mlflow.runName"
SOURCE, SOURCE_NAME = "mlflow.source.name", "riskml review"

_MODEL, _NUMBER = "riskml.review.model", "riskml.review.number"
_PREVIOUS, _HASH, _STAGE = "riskml.review.previous", "riskml.review.hash", "riskml.review.stage"
TAGS = {PARENT, DESCRIPTION, RUN_NAME, SOURCE, _MODEL, _NUMBER, _PREVIOUS, _HASH, _STAGE}
_KIND = {"riskml.kind": "review"}
_ATTEMPTS = 6
_PAGE = 1000


def head_mark(statement):
    """A statement's number and hash, as they are kept and read aloud: str."""
    return f"{statement.number}:{statement.hash}"


@dataclass(frozen=True)
class Entry:
    """A statement as MLflow holds it.

    Attributes
    ----------
    run_id : str
    statement : Statement
    recorded : bool    False: claimed, by somebody who writes now or was interrupted
    name : str         of the run
    tags : dict        all tags of the run
    """

    run_id: str
    statement: Statement
    recorded: bool
    name: str
    tags: dict


def _entry(run):
    tags = run.data.tags
    number = tags.get(_NUMBER, "")
    statement = Statement(
        int(number) if number.isascii() and number.isdigit() else 0,
        tags.get(_PREVIOUS, ""),
        dict(run.data.params),
        tags.get(_HASH, ""),
    )
    recorded = tags.get(_STAGE) == "recorded"
    return Entry(run.info.run_id, statement, recorded, run.info.run_name, tags)


class Ledger:
    """The statements on the versions of one registered model. Made by `open_ledger`.

    Attributes
    ----------
    mlflow : module      with the workspace's store
    client : MlflowClient
    settings : Settings
    name : str           of the model
    """

    def __init__(self, mlflow, settings, name):
        self.mlflow, self.settings, self.name = mlflow, settings, name
        self.client = mlflow.MlflowClient()

    def entries(self):
        """Every statement and claim that MLflow shows, by number: list of Entry."""
        found = [_entry(run) for run in self._runs()]
        return sorted(found, key=lambda e: (e.statement.number, not e.recorded, e.run_id))

    def statements(self):
        """The recorded statements, in order: list of Statement.

        Raises
        ------
        RiskmlError    the chain is broken, its end was cut off, or it holds what the rules do not allow
        """
        statements = [entry.statement for entry in self.entries() if entry.recorded]
        whole = not chain_faults(statements) and not replay_faults(statements)
        if not whole or not self.head_agrees(statements, behind=1):
            raise RiskmlError(
                f'the statements on model "{self.name}" were changed after they were made',
                where="MLflow",
                mend=f"`riskml review verify {self.name}` says which. Nothing is recorded on such a chain "
                "and no version counts as approved by it.",
            )
        return statements

    def head(self):
        """Number and hash of the last statement as the registered model keeps them, "3:ab..."; "" without."""
        models = self.client.search_registered_models(f"name = '{self.name}'")
        return models[0].tags.get(HEAD, "") if models else ""

    def head_agrees(self, statements, *, behind=0):
        """Whether the kept head is the last statement, or one that many before it (an interrupted writer)."""
        marks = ["", *map(head_mark, statements)]
        return self.head() in marks[-1 - behind :]

    def keep_head(self, statements):
        """Keep number and hash of the last statement with the registered model; never of an earlier one."""
        if not statements:
            return
        kept = self.head().partition(":")[0]
        last = statements[-1]
        if not kept.isdigit() or int(kept) < last.number:
            self.client.set_registered_model_tag(self.name, HEAD, head_mark(last))

    def withdrawn(self):
        """Numbers of statements whose runs were deleted in MLflow and can be restored there: set of int."""
        from mlflow.entities import ViewType

        return {_entry(run).statement.number for run in self._runs(ViewType.DELETED_ONLY)}

    def _runs(self, view=None):
        from mlflow.entities import ViewType

        experiments = self.client.search_experiments(filter_string="tags.`riskml.kind` = 'review'")
        token = None
        while experiments:
            page = self.client.search_runs(
                [e.experiment_id for e in experiments],
                f"tags.`{_MODEL}` = '{self.name}'",
                run_view_type=view or ViewType.ACTIVE_ONLY,
                max_results=_PAGE,
                page_token=token,
            )
            yield from (run for run in page if _NUMBER in run.data.tags)
            token = page.token
            if not token:
                break

    def _experiment(self):
        """The experiment of the workspace's reviews, made by whoever comes first."""
        from mlflow.exceptions import MlflowException

        name = f"{self.settings.mlflow_experiment} review"
        tags = _KIND | {DESCRIPTION: message("review.experiment", self.settings.language)}
        try:
            return experiment_of(self.mlflow, self.settings, name, tags=tags)
        except MlflowException:  # somebody else has made it in between
            return experiment_of(self.mlflow, self.settings, name, tags=tags)

    def append(self, say, *, attach=None, link=None):
        """Record one statement after all others.

        Parameters
        ----------
        say : callable    `say(statements)` gives (content, title, description, parent): what is said after
            those statements, dict of str -> str; the run's name; its text; run id of the review's opening or
            None. It raises RiskmlError where they do not allow it. It is asked again where another statement
            came in between.
        attach : callable or None    `attach(client, run_id)` puts the files into the run
        link : str or None           MLflow's id of the logged model that the run is on

        Returns
        -------
        Entry

        Raises
        ------
        RiskmlError    as `say`; a broken chain; others write at the same time
        """
        for attempt in range(_ATTEMPTS):
            statements = self.statements()
            content, title, description, parent = say(statements)
            number = len(statements) + 1
            if any(e.statement.number == number for e in self.entries()):
                self._wait(attempt, number, content)
                continue
            self.keep_head(statements)
            entry = self._claim(number, statements, content, title, description, parent, attach, link)
            rivals = [e for e in self.entries() if e.statement.number == number and e.run_id != entry.run_id]
            if rivals:
                self.client.delete_run(entry.run_id)
                self._wait(attempt, number, content)
                continue
            self.client.set_terminated(entry.run_id)
            self.client.set_tag(entry.run_id, _STAGE, "recorded")
            self.keep_head([*statements, entry.statement])
            return entry
        raise RiskmlError(
            f"another statement (number {number}) is being recorded at this moment, or was interrupted",
            where=f'MLflow, model "{self.name}"',
            mend="Nothing of yours was recorded. Try again in a minute; if nobody else is writing, "
            f"`riskml review verify {self.name}` names the interrupted run, which can be deleted in MLflow.",
        )

    def _wait(self, attempt, number, content):
        # Writers that met wait for different times, which follow from what each of them says.
        share = int(statement_hash(number, str(attempt), content)[:4], 16) / 0xFFFF
        time.sleep((0.1 + share) * 0.2 * 2**attempt)

    def _claim(self, number, statements, content, title, description, parent, attach, link):
        previous = statements[-1].hash if statements else BEGINNING
        digest = statement_hash(number, previous, content)
        tags = {_MODEL: self.name, DESCRIPTION: description, SOURCE: SOURCE_NAME}
        if parent:
            tags[PARENT] = parent
        run = self.client.create_run(self._experiment(), tags=tags, run_name=title)
        run_id = run.info.run_id
        if attach is not None:
            attach(self.client, run_id)
        if link:
            from mlflow.entities import LoggedModelInput

            self.client.log_inputs(run_id, models=[LoggedModelInput(link)])
        entities = self.mlflow.entities
        chain = {_NUMBER: str(number), _PREVIOUS: previous, _HASH: digest, _STAGE: "claimed"}
        self.client.log_batch(
            run_id,
            params=[entities.Param(key, value) for key, value in content.items()],
            tags=[entities.RunTag(key, value) for key, value in chain.items()],
        )
        return Entry(run_id, Statement(number, previous, content, digest), False, title, tags | chain)


@contextmanager
def open_ledger(settings, name):
    """The chain of a model's statements, with MLflow set to the workspace's store while the block runs.

    Parameters
    ----------
    settings : Settings
    name : str    of the model

    Yields
    ------
    Ledger

    Raises
    ------
    RiskmlError    the store cannot be reached
    """
    with mlflow_at(settings) as mlflow:
        yield Ledger(mlflow, settings, name)
