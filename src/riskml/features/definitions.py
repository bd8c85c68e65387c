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
from riskml.features.predictors import read_column
from riskml.messages import LANGUAGES, check_language, message
from riskml.registry.contract import Kind
from riskml.vocabulary import DIMENSIONS, duration

__all__ = [
    "AGGREGATES",
    "COLUMN_AGGREGATES",
    "ENDING_AGGREGATES",
    "FORMULA",
    "OVER",
    "WINDOWED_AGGREGATES",
    "Feature",
    "FeatureColumn",
    "window_bounds",
    "window_microseconds",
    "window_words",
]

WINDOWED_AGGREGATES = ("count", "any", "sum", "mean", "max", "distinct")
ENDING_AGGREGATES = ("in_force", "days_to_expiry", "days_since_expiry")  # of measures, which end
AGGREGATES = (
    *WINDOWED_AGGREGATES,
    "days_since",
    "days_since_first",
    "days_since_second",
    "days_since_third",
    "latest",
    *ENDING_AGGREGATES,
)
COLUMN_AGGREGATES = ("sum", "mean", "max", "distinct", "latest")
FORMULA = "formula"  # stands for the aggregate where a feature is computed from other columns
OVER = ("case", "aggressor", "victim")


def window_bounds(window):
    """How far back a window begins and ends.

    Parameters
    ----------
    window : str    "30d", "72h", "ever"; or with a near end: "365d-730d", "365d-ever"

    Returns
    -------
    near : int           microseconds before the assessment up to which it reaches; 0: up to the assessment
    far : int or None    microseconds before the assessment from which on it reaches; None: no far end

    Raises
    ------
    RiskmlError    no whole numbers of days or hours, or the near end is not nearer than the far one
    """
    near, dash, far = window.rpartition("-")
    bounds = _length(near, window) if dash else 0, None if far == "ever" else _length(far, window)
    if bounds[1] is not None and bounds[0] >= bounds[1]:
        raise RiskmlError(
            f'window "{window}" ends before it begins', mend=f"Write the near end first: {far}-{near}."
        )
    return bounds


def _length(text, window):
    try:
        length = duration(text)
    except RiskmlError:
        length = 0
    if not length:
        raise RiskmlError(
            f'"{window}" is not a window',
            mend="Write it in days or hours: 30d, 72h; with a near end: 30d-90d; or ever.",
        )
    return length


def window_microseconds(window):
    """How far back a window such as "30d" or "30d-90d" reaches in microseconds, int; None for "ever".

    Raises
    ------
    RiskmlError    as of `window_bounds`
    """
    return window_bounds(window)[1]


def _listed(value):
    return (value,) if isinstance(value, str) else value


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Feature(BaseModel):
    """One feature of the catalogue: what is aggregated, over whose facts, in which windows, and why.

    `where` and `formula` are in the canonical form of `conditions.parse_condition` and
    `formulas.parse_formula` once a catalogue holds the feature. A formula is computed from other columns of
    the matrix: it has no table, and its aggregate is FORMULA.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    dimension: Literal[DIMENSIONS]
    table: str = ""
    aggregate: Literal[(*AGGREGATES, FORMULA)]
    column: str | None = None
    windows: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    over: Literal[OVER] = "case"
    where: str | None = None
    formula: str | None = None
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
        if values.get("formula") is not None:
            values.setdefault("aggregate", FORMULA)
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
            FeatureColumn(name, self, window, *reversed(window_bounds(window)))
            for name, window in zip(self.column_names, self.windows, strict=True)
        )

    @property
    def column_names(self):
        """The names of its columns: tuple of str; also where its windows are not sound."""
        if self.aggregate not in WINDOWED_AGGREGATES:
            return (self.name,)
        return tuple(f"{self.name}_{window.replace('-', '_')}" for window in self.windows)

    @property
    def is_formula(self):
        """Whether it is computed from other columns of the matrix, not from facts."""
        return self.aggregate == FORMULA

    @property
    def reads(self):
        """The column that is aggregated, of the contract or derived; None where facts themselves are."""
        return read_column(self.table, self.column) if self.column else None

    def definition(self):
        """What decides the feature's numbers and its constraint: dict, JSON-able; no labels, no evidence."""
        apart = {"label", "evidence", "file", "line"} | ({"formula"} if self.formula is None else set())
        return self.model_dump(mode="json", exclude=apart)


@dataclass(frozen=True)
class FeatureColumn:
    """One column of the matrix.

    Attributes
    ----------
    name : str                 `<feature>_<window>`, or `<feature>` where the aggregate has no window
    feature : Feature          its definition
    window : str or None       "30d", "72h", "ever", "30d-90d"; None where the aggregate has no window
    window_us : int or None    how far back it reaches, in microseconds; None: no far end, or no window
    near_us : int              up to how long before the assessment; 0: up to the assessment
    """

    name: str
    feature: Feature
    window: str | None
    window_us: int | None
    near_us: int = 0

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
        return message("features.label", language, label=words, window=window_words(self.window, language))


def window_words(window, language="es"):
    """A window in words: "90 días", "entre 365 y 730 días antes", "hace más de 365 días"; None for "ever"."""
    near, _, far = window.rpartition("-")
    if near and far == "ever":
        return message("features.window_beyond", language, near=_length_words(near, language))
    if near:
        nearer = near[:-1] if near[-1] == far[-1] else _length_words(near, language)
        further = _length_words(far, language)
        return message("features.window_between", language, near=nearer, far=further)
    return None if far == "ever" else _length_words(far, language)


def _length_words(length, language):
    unit = "hours" if length.endswith("h") else "days"
    return message(f"features.{unit}", language, count=int(length[:-1]))
