"""The review form: its sheets, columns and words. Workbook, YAML form, checks, documents follow from here.

Three states: a factor is present, absent or unknown; what nobody found out is unknown and never absent. Each
factor says when it became known, to whom, and whether that was before the event: the files of a femicide are
searched as no living case is, and what came to light only afterwards is never compared with the living.
"""

from dataclasses import dataclass

from riskml.vocabulary import LEVELS, OUTCOME_KINDS, RELATIONSHIPS, SEXES

__all__ = [
    "ABSENT",
    "ACTIONS_MISSED",
    "ANSWERS",
    "COMMUNITY",
    "INSTITUTIONS",
    "KINDS",
    "KNOWN_BY",
    "PRESENT",
    "SHEETS",
    "STATES_CODED",
    "UNKNOWN",
    "Field",
    "Sheet",
]

PRESENT, ABSENT, UNKNOWN = STATES_CODED = ("present", "absent", "unknown")
ANSWERS = ("yes", "no", "unknown")
KINDS = (*OUTCOME_KINDS, "victim_suicide", "child_death", "other_death")
METHODS = ("firearm", "blade", "strangulation", "beating", "burning", "other", "unknown")
PLACES = (
    "shared_home",
    "victims_home",
    "aggressors_home",
    "family_home",
    "workplace",
    "public_space",
    "other",
    "unknown",
)
STATUSES = ("closed", "on_trial", "under_investigation")
QUALITIES = ("complete", "partial", "poor")
ROLES = ("victim", "aggressor", "child", "other_victim", "witness")
INSTITUTIONS = (
    "emergency_911",
    "municipal_police",
    "state_police",
    "prosecutor",
    "court",
    "womens_secretariat",
    "health",
    "social_services",
    "shelter",
    "school",
    "other_institution",
)
COMMUNITY = ("family", "neighbours", "employer", "social_media")
KNOWN_BY = (*INSTITUTIONS, *COMMUNITY)
KNOWN = ("before", "after", "unknown")
LEVELS_THEN = (*LEVELS, "not_assessed", "unknown")
# How an opportunity was missed, from what never reached the registry to what was not carried through.
ACTIONS_MISSED = (
    "not_recorded",
    "not_linked",
    "not_graded",
    "graded_low",
    "no_action",
    "not_completed",
    "no_contact",
)
PROGRESS = ("open", "in_progress", "done", "rejected")


@dataclass(frozen=True)
class Field:
    """One column of a sheet.

    Attributes
    ----------
    name : str           as the frames of `Reviews` call it; its words are `fatality_form.<sheet>_<name>`
    kind : str           "code" (one of `values`), "factor" (a code of the vocabulary), "factors" (several,
        divided by ;), "date", "age" (years, or a span such as 31-40), "id", "person" (a coder's code), "text"
        (free text: masked, never published unless cleared), "category" (a short open word)
    required : bool
    values : tuple       of "code"; each value's words are `fatality_form.value_<value>`
    missing : str or None    what an empty cell stands for
    """

    name: str
    kind: str
    required: bool = False
    values: tuple = ()
    missing: str | None = None


@dataclass(frozen=True)
class Sheet:
    """One sheet: what a row is, its columns, and what may not stand twice.

    Attributes
    ----------
    name : str               as `Reviews` calls the frame; its title is `fatality_form.sheet_<name>`
    fields : tuple of Field
    key : tuple of str       columns that identify a row; empty: nothing does
    """

    name: str
    fields: tuple
    key: tuple = ()

    def __getitem__(self, name):
        return next(f for f in self.fields if f.name == name)

    @property
    def names(self):
        """The columns' names, in order: tuple of str."""
        return tuple(f.name for f in self.fields)


def _answer(name):
    return Field(name, "code", values=ANSWERS, missing=UNKNOWN)


_REVIEW = Field("review_id", "id", required=True)

SHEETS = {
    sheet.name: sheet
    for sheet in (
        Sheet(
            "cases",
            (
                _REVIEW,
                Field("case_id", "id"),
                Field("kind", "code", required=True, values=KINDS),
                Field("event_on", "date", required=True),
                Field("relationship", "code", values=(*RELATIONSHIPS, UNKNOWN), missing=UNKNOWN),
                Field("municipality", "category"),
                Field("method", "code", values=METHODS, missing=UNKNOWN),
                Field("place", "code", values=PLACES, missing=UNKNOWN),
                _answer("children_present"),
                _answer("homicide_suicide"),
                _answer("living_together"),
                _answer("earlier_report"),
                _answer("measure_in_force"),
                Field("status", "code", required=True, values=STATUSES),
                Field("defined_critical", "code", values=("yes", "no"), missing="no"),
                Field("quality", "code", values=QUALITIES, missing="partial"),
            ),
            key=("review_id",),
        ),
        Sheet(
            "people",
            (
                _REVIEW,
                Field("role", "code", required=True, values=ROLES),
                Field("age", "age"),
                Field("sex", "code", values=(*SEXES, UNKNOWN), missing=UNKNOWN),
                Field("occupation", "category"),
            ),
        ),
        Sheet(
            "contacts",
            (
                _REVIEW,
                Field("contact_on", "date", required=True),
                Field("institution", "code", required=True, values=INSTITUTIONS),
                Field("known_factors", "factors"),
                Field("what_was_known", "text"),
                Field("level_then", "code", values=LEVELS_THEN, missing=UNKNOWN),
                Field("action", "text"),
                Field("next_step_not_done", "text"),
            ),
        ),
        Sheet(
            "factors",
            (
                _REVIEW,
                Field("coder", "person", required=True),
                Field("factor", "factor", required=True),
                Field("state", "code", required=True, values=STATES_CODED),
                Field("evidence", "text"),
                Field("known_on", "date"),
                Field("known_by", "code", values=KNOWN_BY),
                Field("known", "code", values=KNOWN, missing=UNKNOWN),
            ),
            key=("review_id", "coder", "factor"),
        ),
        Sheet(
            "missed",
            (
                _REVIEW,
                Field("missed_on", "date"),
                Field("institution", "code", required=True, values=INSTITUTIONS),
                Field("how", "code", required=True, values=ACTIONS_MISSED),
                Field("note", "text"),
            ),
        ),
        Sheet(
            "recommendations",
            (
                Field("review_id", "id"),
                Field("recommendation", "text", required=True),
                Field("addressee", "code", required=True, values=INSTITUTIONS),
                Field("deadline_on", "date"),
                Field("progress", "code", values=PROGRESS, missing="open"),
                Field("publish", "code", values=("yes", "no"), missing="no"),
            ),
        ),
    )
}
