"""One feature as the agency writes it, and the columns of the matrix that it gives."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    field_validator,
    model_validator,
)

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, check_language, message
from riskml.registry.contract import TABLES, Kind
from riskml.vocabulary import DIMENSIONS, duration

__all__ = [
    "AGGREGATES",
    "COLUMN_AGGREGATES",
    "OVER",
    "WINDOWED_AGGREGATES",
    "Feature",
    "FeatureColumn",
    "window_microseconds",
]

WINDOWED_AGGREGATES = ("count", "any", "sum", "mean", "max", "distinct")
AGGREGATES = (*WINDOWED_AGGREGATES, "days_since", "latest", "in_force", "days_to_expiry")
COLUMN_AGGREGATES = ("sum", "mean", "max", "distinct", "latest")
OVER = ("case", "aggressor", "victim")


def window_microseconds(window):
    """Length of a window such as "30d" or "72h" in microseconds, int; None for "ever".

    Raises
    ------
    RiskmlError    not a whole number of days or hours, nor "ever"
    """
    if window == "ever":
        return None
    try:
        length = duration(window)
    except RiskmlError:
        length = 0
    if not length:
        raise RiskmlError(f'"{window}" is not a window', mend="Write it in days or hours: 30d, 72h; or ever.")
    return length


def _listed(value):
    return (value,) if isinstance(value, str) else value


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Feature(BaseModel):
    """One feature of the catalogue: what is aggregated, over whose facts, in which windows, and why.

    `where` is in the canonical form of `conditions.parse_condition` once a catalogue holds the feature.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    dimension: Literal[DIMENSIONS]
    table: str
    aggregate: Literal[AGGREGATES]
    column: str | None = None
    windows: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    over: Literal[OVER] = "case"
    where: str | None = None
    label: dict[Literal[LANGUAGES], Words]
    direction: Literal["increasing", "decreasing"] | None = None
    evidence: Words | tuple[Words, ...] = "none"
    exposure: bool = False  # what was done about the case: never a risk of the person
    file: str = ""
    line: int = 0

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, values):
        values = dict(values)
        if not values.get("windows") and values.get("aggregate") in WINDOWED_AGGREGATES:
            values["windows"] = ("ever",)
        if "label" not in values and isinstance(values.get("name"), str):
            values["label"] = dict.fromkeys(LANGUAGES, values["name"].replace("_", " "))
        if "exposure" not in values:
            values["exposure"] = values.get("dimension") == "response"
        return values

    @field_validator("label")
    @classmethod
    def _both_languages(cls, label):
        if set(label) != set(LANGUAGES):
            raise ValueError("words in every language are needed")
        return label

    @cached_property
    def columns(self):
        """The columns that the feature gives, in the order of its windows: tuple of FeatureColumn."""
        if self.aggregate not in WINDOWED_AGGREGATES:
            return (FeatureColumn(self.name, self, None, None),)
        return tuple(
            FeatureColumn(f"{self.name}_{window}", self, window, window_microseconds(window))
            for window in self.windows
        )

    @property
    def reads(self):
        """The contract's column that is aggregated, or None where facts themselves are."""
        return TABLES[self.table][self.column] if self.column else None

    def definition(self):
        """What decides the feature's numbers and its constraint: dict, JSON-able; no labels, no evidence."""
        return self.model_dump(mode="json", exclude={"label", "evidence", "file", "line"})


@dataclass(frozen=True)
class FeatureColumn:
    """One column of the matrix.

    Attributes
    ----------
    name : str                 `<feature>_<window>`, or `<feature>` where the aggregate has no window
    feature : Feature          its definition
    window : str or None       "30d", "72h", "ever"; None where the aggregate has no window
    window_us : int or None    length of the window in microseconds; None for "ever" and where there is none
    """

    name: str
    feature: Feature
    window: str | None
    window_us: int | None

    @property
    def direction(self):
        """Direction of the monotone constraint: "increasing", "decreasing" or None."""
        return self.feature.direction

    @property
    def dimension(self):
        """The dimension under which reasons show it."""
        return self.feature.dimension

    @property
    def exposure(self):
        """Whether it says what was done about the case, never a risk of the person."""
        return self.feature.exposure

    @property
    def kind(self):
        """ "category" where the column holds words (`latest` of a word), otherwise "number"."""
        reads = self.feature.reads
        words = self.feature.aggregate == "latest" and reads.kind in (Kind.CODE, Kind.CATEGORY)
        return "category" if words else "number"

    @property
    def values(self):
        """The words of a category in ascending order, tuple of str, or None where they have no order."""
        reads = self.feature.reads
        return reads.values if self.kind == "category" and reads.ordered else None

    def label(self, language="es"):
        """The column's words for analysts: "Incidentes (90 días)"."""
        words = self.feature.label[check_language(language)]
        if self.window is None:
            return words
        if self.window == "ever":
            return message("features.label_ever", language, label=words)
        unit = "hours" if self.window.endswith("h") else "days"
        return message(f"features.label_{unit}", language, label=words, count=int(self.window[:-1]))
