"""Batch scoring: a run's second opinions and reasons written beside the registry, all of them or none."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from riskml.errors import RiskmlError
from riskml.features.matrix import build_features
from riskml.messages import check_language, message
from riskml.models.levels import load_levels
from riskml.progress import progress
from riskml.registry.opinions import Run, write_run
from riskml.scoring.opinion import Opinion
from riskml.scoring.score import score

__all__ = ["BatchResult", "opinion_rows", "run_id_of", "score_batch"]


@dataclass(frozen=True, eq=False)
class BatchResult:
    """What a batch did.

    Attributes
    ----------
    run_id : str
    opinion : Opinion
    written : bool    False: a dry run, or this very run was there already
    dry_run : bool
    """

    run_id: str
    opinion: Opinion
    written: bool
    dry_run: bool

    def text(self, language="es"):
        """What was done, in a few lines."""
        counts = {"count": len(self.opinion.cases), "reasons": len(self.opinion.reasons)}
        outcome = "dry_run" if self.dry_run else "written" if self.written else "already_written"
        said = message(f"scoring.{outcome}", language, run=self.run_id, **counts)
        names = ", ".join(self.opinion.relatives)
        beside = [message("lethal.not_written", language, models=names)] if names else []
        return "\n".join([self.opinion.text(language), said, *beside])


def run_id_of(opinion, language):
    """Identifies a run: the same models, history, rules, moment and language always give the same.

    Returns
    -------
    str    the day, and 16 hexadecimal digits
    """
    about = [
        opinion.as_of.isoformat(),
        opinion.history_hash,
        sorted(opinion.versions.items()),
        opinion.rules.hash,
        opinion.catalogue.hash,
        language,
    ]
    return f"{opinion.as_of:%Y%m%d}-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]}"


def opinion_rows(opinion, language):
    """The second opinions as they are written: DataFrame, one row per case, in order of rank."""
    names = {"risk": "risk", "low": "low", "high": "high", "n": "n", "events": "events"}
    columns = {
        model: [opinion.cases[f"{model}_{column}"].to_list() for column in names] for model in opinion.models
    }
    ids = opinion.cases.index.to_list()
    return pd.DataFrame(
        {
            "case_id": ids,
            "suggested_level": opinion.cases["suggested_level"].to_list(),
            "risks": [
                {
                    model: {name: values[k][row] for k, name in enumerate(names)}
                    for model, values in columns.items()
                }
                for row in range(len(ids))
            ],
            "patterns": [opinion.patterns[case] for case in ids],
            "cautions": [
                [{"code": c.code, "text": c.text(language)} for c in opinion.cautions[case]] for case in ids
            ],
        }
    )


def score_batch(
    engine,
    models,
    history,
    as_of,
    *,
    key,
    permit,
    settings=None,
    language=None,
    dry_run=False,
    build=build_features,
):
    """Score all open cases and write the run, its second opinions and their reasons in one transaction.

    The same run again changes nothing. Killed at any moment it leaves the registry as it was, or with the
    whole run. Only riskml's own tables are written.

    Parameters
    ----------
    engine : Engine          of the registry
    models : list of Model
    history : History        taken from that registry
    as_of : date or str      the moment of assessment, in the registry's local time
    key : Key                of the history's pseudonyms
    permit : callable        `permit(models)` raises where one of them may not write, as
        `riskml.review.approval.require_approved` of a workspace does; it is asked before anything is computed
        and again before anything is written, never of a dry run
    settings : Settings or None    of the workspace: its catalogue, `models/levels.yml`, language and timezone
    language : "es", "en" or None  of the cautions; None: the workspace's
    dry_run : bool           score, write nothing
    build : callable         what builds features of (history, cohort, catalogue)

    Returns
    -------
    BatchResult

    Raises
    ------
    RiskmlError    as `permit`, `score` and `write_run`; a history that was not taken from a registry. Nothing
    was written.
    """
    language = check_language(language or (settings.language if settings else "es"))
    catalogue, levels = _of_workspace(settings)
    if not dry_run:
        permit(models)
    with progress(message("scoring.scoring", language)):
        opinion = score(models, history, as_of, levels=levels, catalogue=catalogue, build=build)
    if not opinion.history_hash:
        raise RiskmlError(
            "this history was not taken from a registry: there is nowhere to write its second opinions",
            where="history",
            mend="`riskml history` takes one; `riskml.score` gives second opinions without writing them.",
        )
    with progress(message("scoring.explaining", language)):
        reasons = opinion.reasons
    run_id = run_id_of(opinion, language)
    if dry_run:
        return BatchResult(run_id, opinion, False, True)
    permit(models)  # computing takes minutes, in which an approval may be withdrawn
    timezone = ZoneInfo(settings.timezone) if settings else None
    run = Run(
        run_id=run_id,
        as_of=opinion.as_of.to_pydatetime(),
        models=opinion.versions,
        history_hash=opinion.history_hash,
        key_fingerprint=opinion.history.manifest.get("key_fingerprint", ""),
        language=language,
        created_at=datetime.now(timezone).replace(tzinfo=None, microsecond=0),
    )
    written = write_run(engine, run, opinion_rows(opinion, language), reasons, key=key)
    return BatchResult(run_id, opinion, written, False)


def _of_workspace(settings):
    """The catalogue and the rules of the levels of a workspace; (None, None) without one."""
    if settings is None:
        return None, None
    from riskml.features.catalogue import load_catalogue

    catalogue = load_catalogue(settings.features)
    path = settings.models / "levels.yml"
    return catalogue, load_levels(path, catalogue=catalogue) if path.is_file() else None
