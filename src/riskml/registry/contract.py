"""The registry contract: the ten tables that riskml reads. Those that it writes are in `written.py`.

Everything that must agree with the registry follows from this page: the SQLAlchemy tables, the validation of
rows, the layout of a history, the simulator and `docs/registry.md`. Times are naive, in the registry's local
timezone.
"""

from dataclasses import dataclass
from enum import Enum

from riskml import vocabulary as v

__all__ = ["CONTRACT_VERSION", "TABLES", "Column", "Kind", "Table"]

CONTRACT_VERSION = "1"


class Kind(Enum):
    """What a column holds, and with it what becomes of it in a history."""

    ID = "id"  # keyed hash in a history
    PERSON = "person"  # a member of staff: keyed hash in a history
    CODE = "code"  # one of a closed set of words
    CATEGORY = "category"  # short open vocabulary; masked where it looks like personal data
    INTEGER = "integer"
    TIME = "time"
    QUOTE = "quote"  # quoted words: only words of the vocabulary survive in a history
    TEXT = "text"  # free text: never enters a history


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, whether null is allowed, and its closed set of values where it has one."""

    name: str
    kind: Kind
    description: str
    nullable: bool = False
    values: tuple = ()
    minimum: int | None = None
    maximum: int | None = None
    ordered: bool = False  # `values` stand in ascending order
    revealed_later: bool = False  # may be filled in after the row was recorded: no condition may read it

    @property
    def in_history(self):
        """Whether the column enters a history: free text never does."""
        return self.kind is not Kind.TEXT


@dataclass(frozen=True)
class Table:
    """One table: what a row is, what identifies it, and whose facts they are."""

    name: str
    description: str
    entity: str  # the id that a fact of this table belongs to: case_id, aggressor_id or victim_id
    columns: tuple

    def __getitem__(self, name):
        return next(c for c in self.columns if c.name == name)

    @property
    def names(self):
        """The columns' names, in the contract's order: tuple of str."""
        return tuple(c.name for c in self.columns)

    @property
    def history_columns(self):
        """The columns that enter a history: tuple of Column."""
        return tuple(c for c in self.columns if c.in_history)


def _clock(occurred="when it happened"):
    return (
        Column("occurred_at", Kind.TIME, occurred),
        Column("recorded_at", Kind.TIME, "when the registry learnt it"),
        Column(
            "superseded_at",
            Kind.TIME,
            "when a correction replaced this row; null: it stands",
            nullable=True,
            revealed_later=True,
        ),
    )


_CASE = Column("case_id", Kind.ID, "the case")

_TABLES = (
    Table(
        "aggressors",
        "one row per version of what is known of an aggressor",
        "aggressor_id",
        (
            Column("aggressor_id", Kind.ID, "the aggressor"),
            Column("birth_year", Kind.INTEGER, "year of birth", nullable=True, minimum=1850, maximum=2100),
            Column("sex", Kind.CODE, "sex as registered", nullable=True, values=v.SEXES),
            Column("occupation", Kind.CATEGORY, "occupation", nullable=True),
            *_clock("when this became true of the person, or the registration"),
        ),
    ),
    Table(
        "victims",
        "one row per version of what is known of a victim",
        "victim_id",
        (
            Column("victim_id", Kind.ID, "the victim"),
            Column("birth_year", Kind.INTEGER, "year of birth", nullable=True, minimum=1850, maximum=2100),
            Column("sex", Kind.CODE, "sex as registered (audits only)", nullable=True, values=v.SEXES),
            *_clock("when this became true of the person, or the registration"),
        ),
    ),
    Table(
        "cases",
        "one aggressor-victim pair",
        "case_id",
        (
            _CASE,
            Column("aggressor_id", Kind.ID, "its aggressor"),
            Column("victim_id", Kind.ID, "its victim"),
            Column("relationship", Kind.CATEGORY, "who the aggressor is to the victim", nullable=True),
            Column("municipality", Kind.CATEGORY, "municipality (audits only)", nullable=True),
            Column("locality", Kind.CODE, "kind of locality", nullable=True, values=v.LOCALITIES),
            Column(
                "closed_at",
                Kind.TIME,
                "when the case was closed; null: open",
                nullable=True,
                revealed_later=True,
            ),
            *_clock("when the case was opened"),
        ),
    ),
    Table(
        "incidents",
        "one violent event of a case",
        "case_id",
        (
            Column("incident_id", Kind.ID, "the incident"),
            _CASE,
            Column("source", Kind.CODE, "where it came from", values=v.SOURCES),
            Column("institution", Kind.CATEGORY, "institution that recorded it", nullable=True),
            Column("severity", Kind.INTEGER, "ordinal severity, 0-6", nullable=True, minimum=0, maximum=6),
            Column("narrative", Kind.TEXT, "free text of the record", nullable=True),
            *_clock(),
        ),
    ),
    Table(
        "factors",
        "one coded risk factor, present or denied; not mentioned is no row, never `denied`",
        "case_id",
        (
            _CASE,
            Column("incident_id", Kind.ID, "the incident it was learnt from", nullable=True),
            Column("factor", Kind.CATEGORY, "code of features/factors.yml"),
            Column("state", Kind.CODE, "present or denied", values=v.STATES, ordered=True),
            Column("source", Kind.CODE, "where it came from", values=v.SOURCES),
            Column("evidence", Kind.QUOTE, "quoted words", nullable=True),
            *_clock(),
        ),
    ),
    Table(
        "measures",
        "one measure of protection, precaution or custody",
        "case_id",
        (
            Column("measure_id", Kind.ID, "the measure"),
            _CASE,
            Column("kind", Kind.CODE, "kind of measure", values=v.MEASURE_KINDS),
            Column("expires_at", Kind.TIME, "when it expires as granted; null: no end", nullable=True),
            Column(
                "ended_at",
                Kind.TIME,
                "when it ended before its expiry; null: it did not",
                nullable=True,
                revealed_later=True,
            ),
            *_clock("when it was granted"),
        ),
    ),
    Table(
        "proceedings",
        "one stage reached by a case's proceedings",
        "case_id",
        (_CASE, Column("stage", Kind.CODE, "stage reached", values=v.STAGES), *_clock()),
    ),
    Table(
        "responses",
        "one thing that was done about a case",
        "case_id",
        (
            _CASE,
            Column("kind", Kind.CODE, "kind of response", values=v.RESPONSE_KINDS),
            Column("result", Kind.CATEGORY, "what came of it", nullable=True),
            *_clock(),
        ),
    ),
    Table(
        "levels",
        "one level assigned by an analyst",
        "case_id",
        (
            _CASE,
            Column("level", Kind.CODE, "level assigned", values=v.LEVELS, ordered=True),
            Column("analyst", Kind.PERSON, "who assigned it", nullable=True),
            Column("basis", Kind.TEXT, "why, in the analyst's words", nullable=True),
            *_clock("when it was assigned"),
        ),
    ),
    Table(
        "outcomes",
        "one femicide or attempted femicide confirmed by a fatality review",
        "case_id",
        (
            _CASE,
            Column("kind", Kind.CODE, "what happened", values=v.OUTCOME_KINDS),
            Column("review_id", Kind.ID, "the review that confirmed it", nullable=True),
            *_clock(),
        ),
    ),
)

TABLES = {table.name: table for table in _TABLES}
