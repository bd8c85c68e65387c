"""The tables that riskml writes to the registry, beside the registry's own, which it never touches.

Four of scoring, made together by the first run, and one of the fatality review, made when it is first needed.
"""

from sqlalchemy import Column, DateTime, Float, Index, Integer, MetaData, Table, Text

__all__ = ["DECISIONS", "OPINIONS", "OUTCOMES_STAGING", "REASONS", "REVIEWED", "RUNS", "WRITTEN"]

WRITTEN = MetaData()
REVIEWED = MetaData()


def _column(name, kind, comment, *, null=False, key=False):
    return Column(name, kind(), comment=comment, nullable=null, primary_key=key)


_RUN = "the run"
_CASE = "the case, by the registry's own id"

RUNS = Table(
    "riskml_runs",
    WRITTEN,
    _column("run_id", Text, "identifies the run", key=True),
    _column("as_of", DateTime, "the moment that was judged"),
    _column("created_at", DateTime, "when the run was made"),
    _column("models", Text, "JSON: model -> version"),
    _column("history_hash", Text, "content hash of the history that was read"),
    _column("key_fingerprint", Text, "fingerprint of the key of its pseudonyms"),
    _column("language", Text, "language of the run's cautions: es or en"),
    _column("opinions", Integer, "second opinions of the run"),
    _column("reasons", Integer, "reasons of the run"),
    _column("content_hash", Text, "hash of the run's opinions and reasons"),
    comment="one row per run of batch scoring",
)

OPINIONS = Table(
    "riskml_second_opinions",
    WRITTEN,
    _column("run_id", Text, _RUN, key=True),
    _column("case_id", Text, _CASE, key=True),
    _column(
        "suggested_level",
        Text,
        "suggested level: low, medium, high, critical; insufficient_data: too little is known; null: none",
        null=True,
    ),
    _column("risks", Text, "JSON: model -> {risk, low, high, n, events}, within the model's horizon"),
    _column("patterns", Text, "JSON: approved critical patterns that match, or that hang on one answer"),
    _column("cautions", Text, "JSON: what has to be known when this opinion is read"),
    comment="one row per case and run: a second opinion; it never assigns a level",
)

REASONS = Table(
    "riskml_reasons",
    WRITTEN,
    _column("run_id", Text, _RUN),
    _column("case_id", Text, _CASE),
    _column("model", Text, "the model whose risk is explained"),
    _column("dimension", Text, "aggressor, victim, acts, relationship or response"),
    _column("direction", Text, "whether it raises or lowers the risk"),
    _column("rank", Integer, "order within the case and model, 1 first"),
    _column("text_es", Text, "the reason in Spanish"),
    _column("text_en", Text, "the reason in English"),
    _column("feature", Text, "column of the catalogue"),
    _column("value", Text, "JSON: the case's own value", null=True),
    _column("contribution", Float, "in log-odds"),
    Index("riskml_reasons_run_case", "run_id", "case_id"),
    comment="one row per reason of a second opinion",
)

DECISIONS = Table(
    "riskml_decisions",
    WRITTEN,
    _column("decision_id", Text, "identifies the decision", key=True),
    _column("case_id", Text, _CASE),
    _column("run_id", Text, "the run whose second opinion was shown; null: none", null=True),
    _column("analyst", Text, "who decided"),
    _column("own_level", Text, "the analyst's level before any second opinion was shown"),
    _column("own_level_at", DateTime, "when it was given"),
    _column("shown_at", DateTime, "when the second opinion was shown; null: it was not", null=True),
    _column("final_level", Text, "the level decided, after it was shown"),
    _column("decided_at", DateTime, "when it was decided"),
    _column("reason", Text, "why, in the analyst's words", null=True),
    comment="one row per decision of an analyst: their own level first, then the second opinion",
)

OUTCOMES_STAGING = Table(
    "riskml_outcomes_staging",
    REVIEWED,
    _column("review_id", Text, "the review that confirmed the outcome", key=True),
    _column("version", Integer, "1 first; a corrected review stages the next", key=True),
    _column("case_id", Text, _CASE),
    _column("kind", Text, "what happened: femicide or attempted_femicide"),
    _column("occurred_at", DateTime, "the day on which it happened, at 00:00: the hour is not coded"),
    _column("staged_at", DateTime, "when riskml staged it"),
    _column("reviews_hash", Text, "content hash of the coded reviews"),
    _column(
        "superseded_at",
        DateTime,
        "when a later version or a withdrawal replaced it before it was accepted; null: it stands",
        null=True,
    ),
    _column(
        "accepted_at",
        DateTime,
        "when the owner of the registry took it into outcomes; null: not yet. riskml never fills it in",
        null=True,
    ),
    _column(
        "refused_at",
        DateTime,
        "when the owner of the registry refused it; null: not. riskml never fills it in",
        null=True,
    ),
    comment="one row per confirmed outcome of a fatality review, for the owner of the registry to accept",
)
