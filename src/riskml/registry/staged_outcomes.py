"""Outcomes that fatality reviews confirm, staged for the owner of the registry to accept.

`outcomes` is the registry's own and is never written here. All that is staged at once stands in one
transaction, or nothing does. The registry's own ids are found again by hashing them on its side of the
connection.
"""

from collections import Counter, defaultdict

import pandas as pd
from sqlalchemy import inspect, select, text, update

from riskml.errors import RiskmlError
from riskml.registry.contract import TABLES
from riskml.registry.database import reading, writing
from riskml.registry.reading import own_case_ids
from riskml.registry.written import OUTCOMES_STAGING as STAGING
from riskml.registry.written import REVIEWED
from riskml.vocabulary import OUTCOME_KINDS, moment_of

__all__ = ["COUNTS", "acceptance", "is_waiting", "refusal", "stage_outcomes", "staged_outcomes"]

# What becomes of each review that is to be staged.
COUNTS = (
    "staged",
    "corrected",
    "unchanged",
    "already_held",
    "refused",
    "repeated",
    "withdrawn",
    "withdrawn_after_acceptance",
    "not_linked",
    "other_kind",
)
_DECIDED = ("superseded_at", "accepted_at", "refused_at")  # all null: the row waits for the owner
_UNDECIDED = " AND ".join(f"{moment} IS NULL" for moment in _DECIDED)
_LOCK = 7_214_955_012  # any number but that of runs: those who stage to one PostgreSQL wait for each other


def stage_outcomes(engine, reviews, key, *, now):
    """Stage the confirmed outcomes of linked reviews.

    A review that stands staged as it is stays so; a corrected one stages its next version and supersedes the
    former, which is kept. Rows that the owner accepted or refused are never touched: a correction of such a
    review is staged beside them, and what was refused is not staged again. A review that no longer is a
    linked femicide or attempt supersedes its row that waits. Reviews that are not given are left alone:
    workbooks may be loaded one by one.

    Parameters
    ----------
    engine : Engine      of the registry
    reviews : Reviews    `cases` (review_id, case_id as pseudonyms, kind, event_on), `hash`, `about`
    key : Key            of the pseudonyms
    now : datetime       naive, in the registry's local time

    Returns
    -------
    dict    of COUNTS -> reviews: staged (new), corrected (a further version), unchanged, already_held (in
        `outcomes`: the same case, kind and day, not superseded), refused (by the owner), repeated
        (another review of these, or one that stands staged, says the same), withdrawn (its row was
        superseded, nothing new), withdrawn_after_acceptance (the review says no more what was accepted, and
        nothing takes its place: the owner has to supersede it), not_linked, other_kind (no outcome of the
        registry's); what is withdrawn may be one of the last two as well

    Raises
    ------
    RiskmlError    wrong key, cases that the registry does not have, or the database refused. Nothing was
        written.
    """
    made_with = reviews.about.get("key_fingerprint")
    if made_with and made_with != key.fingerprint:
        raise RiskmlError(
            f"wrong key: the reviews were loaded with key {made_with}, this is key {key.fingerprint}",
            where="key of the pseudonyms",
            mend="Set RISKML_KEY or the key file to the key that they were loaded with.",
        )
    now = pd.Timestamp(now).to_pydatetime()
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        REVIEWED.create_all(connection)
        wanted, counts = _wanted(connection, reviews.cases, key)
        versions = _versions(connection)
        stale = [
            row for review, outcome in wanted.items() for row in versions[review] if _is_stale(row, outcome)
        ]
        _supersede(connection, stale, now)
        held = _held(connection)
        said = {
            _said(row): review
            for review, rows in versions.items()
            for row in _standing(rows)
            if row not in stale
        }
        for review, outcome in wanted.items():
            what = _what_becomes(review, outcome, versions[review], held, said)
            counts[what] += 1
            if what in ("staged", "corrected"):
                said[outcome] = review
                version = max((row["version"] for row in versions[review]), default=0) + 1
                _stage(connection, review, version, outcome, reviews.hash, now)
    return {name: counts[name] for name in COUNTS}


def _wanted(connection, cases, key):
    """What each review says of its case: dict of review -> (own id, kind, day) or None; and counts."""
    linked = cases["case_id"].notna()
    outcome = cases["kind"].isin(OUTCOME_KINDS)
    own = own_case_ids(connection, key, set(cases.loc[linked & outcome, "case_id"]))
    unknown = set(cases.loc[linked & outcome, "case_id"]) - set(own)
    if unknown:
        raise RiskmlError(
            f"{len(unknown)} linked cases of these reviews are not in this registry",
            where="registry",
            mend="They were linked to another registry, or deleted: load the workbook again.",
        )
    wanted = {
        row.review_id: (own[row.case_id], row.kind, row.event_on.normalize().to_pydatetime())
        if stages
        else None
        for row, stages in zip(cases.itertuples(), linked & outcome, strict=True)
    }
    counts = Counter(not_linked=int((~linked & outcome).sum()), other_kind=int((~outcome).sum()))
    return wanted, counts


def _held(connection):
    """What `outcomes` holds: set of (own id, kind, day)."""
    columns = "CAST(case_id AS TEXT), kind, occurred_at"
    rows = connection.execute(
        text(f"SELECT {columns} FROM outcomes WHERE superseded_at IS NULL AND occurred_at IS NOT NULL")
    )
    return {(case, kind, pd.Timestamp(when).normalize().to_pydatetime()) for case, kind, when in rows}


def _versions(connection):
    """All that was ever staged, by review in the order of versions: dict of review -> list of mapping."""
    versions = defaultdict(list)
    for row in connection.execute(select(STAGING).order_by(STAGING.c.version)).mappings():
        versions[row["review_id"]].append(row)
    return versions


def _said(row):
    return row["case_id"], row["kind"], row["occurred_at"]


def _waits(row):
    """Whether nobody has accepted, refused or superseded a row."""
    return all(row[moment] is None for moment in _DECIDED)


def _is_stale(row, outcome):
    """Whether a row waits for the owner although its review says something else, or nothing, now."""
    return _waits(row) and _said(row) != outcome


def _standing(own):
    """Of a review's rows, the one that waits and the one that was accepted last: list."""
    accepted = [row for row in own if row["accepted_at"] is not None]
    return [row for row in own if _waits(row)] + accepted[-1:]


def _what_becomes(review, outcome, own, held, said):
    """Of COUNTS, what becomes of a review's outcome; None where it has none and never had: str."""
    standing = _standing(own)
    accepted = any(row["accepted_at"] is not None for row in standing)
    if any(_said(row) == outcome for row in standing):
        return "unchanged"
    if any(row["refused_at"] is not None and _said(row) == outcome for row in own):
        return "refused"
    if accepted and (outcome is None or outcome in held):
        return "withdrawn_after_acceptance"
    if outcome is None:
        return "withdrawn" if standing else None
    if outcome in held:
        return "already_held"
    if said.get(outcome, review) != review:
        return "repeated"
    return "corrected" if own else "staged"


def _supersede(connection, rows, now):
    """Mark rows that nobody decided on, even in the meantime, as replaced."""
    undecided = [STAGING.c[moment].is_(None) for moment in _DECIDED]
    for row in rows:
        one = (STAGING.c.review_id == row["review_id"]) & (STAGING.c.version == row["version"])
        connection.execute(update(STAGING).where(one, *undecided).values(superseded_at=now))


def _stage(connection, review, version, outcome, reviews_hash, now):
    case, kind, day = outcome
    connection.execute(
        STAGING.insert().values(
            review_id=review,
            version=version,
            case_id=case,
            kind=kind,
            occurred_at=day,
            staged_at=now,
            reviews_hash=reviews_hash,
        )
    )


def staged_outcomes(engine):
    """All that was ever staged: DataFrame of riskml_outcomes_staging, by review and version; may be empty."""
    names = [column.name for column in STAGING.columns]
    with reading(engine) as connection:
        if not inspect(connection).has_table(STAGING.name):
            return pd.DataFrame(columns=names)
        ordered = select(STAGING).order_by(STAGING.c.review_id, STAGING.c.version)
        return pd.DataFrame(connection.execute(ordered).all(), columns=names)


def is_waiting(rows):
    """Of `staged_outcomes`, which rows wait for the owner: bool Series."""
    return rows[list(_DECIDED)].isna().all(axis=1)


def _quoted(now):
    return f"'{moment_of(now, 'now'):%Y-%m-%d %H:%M:%S.%f}'"


def refusal(now, review_id):
    """The statement with which the owner of the registry refuses one row that waits: str.

    Parameters
    ----------
    now : datetime or str    the moment of the refusal, in the registry's local time
    review_id : str          the review whose row is refused
    """
    named = review_id.replace("'", "''")
    return f"""UPDATE {STAGING.name} SET refused_at = {_quoted(now)}
 WHERE review_id = '{named}' AND {_UNDECIDED};"""


def acceptance(now):
    """The statements with which the owner of the registry accepts what stands staged: str, one transaction.

    Parameters
    ----------
    now : datetime or str    the moment of acceptance, in the registry's local time
    """
    moment = _quoted(now)
    columns = ", ".join(TABLES["outcomes"].names)
    return f"""BEGIN;
UPDATE {STAGING.name} SET accepted_at = {moment}
 WHERE {_UNDECIDED};
UPDATE outcomes SET superseded_at = {moment}
 WHERE superseded_at IS NULL AND EXISTS (
   SELECT 1 FROM {STAGING.name} AS former
     JOIN {STAGING.name} AS latter
       ON latter.review_id = former.review_id AND latter.version > former.version
    WHERE latter.accepted_at = {moment} AND former.accepted_at IS NOT NULL
      AND former.review_id = outcomes.review_id AND former.case_id = outcomes.case_id
      AND former.kind = outcomes.kind AND former.occurred_at = outcomes.occurred_at);
INSERT INTO outcomes ({columns})
SELECT case_id, kind, review_id, occurred_at, {moment}, NULL
  FROM {STAGING.name} WHERE accepted_at = {moment};
COMMIT;"""
