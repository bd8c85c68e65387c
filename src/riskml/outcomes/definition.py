"""What a model predicts, as the agency writes it under `outcome:` in a model file."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, check_language, message
from riskml.vocabulary import SEVERITY, SOURCES, did_you_mean, duration

__all__ = ["EVENTS", "EXITS", "OutcomeDefinition"]

EVENTS = ("incident", "escalation", "severe_incident", "lethal")
SCOPES = ("case", "aggressor")
EXITS = ("death", "custody", "closed")  # in order: of two at the same moment the first is named

_TOP_SEVERITY = max(SEVERITY)


def _length(value):
    duration(value)
    return value


def _listed(value):
    return (value,) if isinstance(value, str) else value


def _one_of(known, value):
    if value not in known:
        raise ValueError(
            f'"{value}" is not known here. {did_you_mean(value, known) or "Known: " + ", ".join(known) + "."}'
        )
    return value


Length = Annotated[str, BeforeValidator(_length)]
Event = Annotated[str, BeforeValidator(lambda value: _one_of(EVENTS, value))]
Exit = Annotated[str, BeforeValidator(lambda value: _one_of(EXITS, value))]
Source = Annotated[str, BeforeValidator(lambda value: _one_of(SOURCES, value))]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class OutcomeDefinition(BaseModel):
    """What counts as an event, within which time, and what else may end an assessment's follow-up.

    Attributes
    ----------
    event : tuple of str
        one or more of EVENTS, any of which makes the outcome: `incident` any new incident; `severe_incident`
        one of at least `minimum_severity`; `escalation` an incident that EVIDENCE 5.6 calls an escalation;
        `lethal` a femicide or attempted femicide of the table `outcomes`
    horizon : str              length of the time after the assessment in which an event counts, such as "90d"
    reporting_lag : str        time after the horizon that late reports are waited for
    same_event_within : str    an incident at most this long after one that the registry already showed at the
        assessment is the same event reported again, and no new one
    minimum_severity : int or None    for `severe_incident` alone
    over : str                 whose events: of the assessed `case`, or of all cases of its `aggressor`
    sources : tuple of str     sources whose incidents may be events; empty: all
    competing_exits : tuple of str    exits that are reported, of EXITS
    estimand : dict or None    what the risk means, in Spanish and English; None: the risk under the response
        usually given, with exits counted as follow-up without event
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Annotated[tuple[Event, ...], BeforeValidator(_listed), Field(min_length=1)]
    horizon: Length
    reporting_lag: Length = "45d"
    same_event_within: Length = "24h"
    minimum_severity: Annotated[int, Field(ge=0, le=_TOP_SEVERITY, strict=True)] | None = None
    over: Annotated[str, BeforeValidator(lambda value: _one_of(SCOPES, value))] = "case"
    sources: Annotated[tuple[Source, ...], BeforeValidator(_listed)] = ()
    competing_exits: Annotated[tuple[Exit, ...], BeforeValidator(_listed)] = EXITS
    estimand: dict[Literal[LANGUAGES], Words] | None = None

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values):
        if not isinstance(values, dict):
            raise ValueError("an outcome is a list of keys and values: event, horizon, ...")
        for key in values:
            if key not in cls.model_fields:
                known = tuple(cls.model_fields)
                raise ValueError(
                    f'unknown key "{key}". {did_you_mean(key, known) or "Known: " + ", ".join(known) + "."}'
                )
        return values

    @model_validator(mode="after")
    def _coherent(self):
        severe = "severe_incident" in self.event
        if severe and self.minimum_severity is None:
            raise ValueError("severe_incident needs minimum_severity, 0 to 6")
        if not severe and self.minimum_severity is not None:
            raise ValueError("minimum_severity belongs to the event severe_incident alone")
        if self.sources and self.event == ("lethal",):
            raise ValueError("sources belongs to incidents; lethal events come from the table outcomes")
        if not self.horizon_us:
            raise ValueError("horizon must be longer than 0")
        if self.estimand is not None and set(self.estimand) != set(LANGUAGES):
            raise ValueError("estimand needs both es and en")
        return self

    @classmethod
    def of(cls, source, *, where="outcome"):
        """A definition of whatever states one.

        Parameters
        ----------
        source : OutcomeDefinition, or dict as under `outcome:` in a model file
        where : str    file and key, for the error

        Returns
        -------
        OutcomeDefinition

        Raises
        ------
        RiskmlError    an unknown key, event, exit or source, a time that is none, keys that do not go
            together; all in one message
        """
        if isinstance(source, OutcomeDefinition):
            return source
        try:
            return cls.model_validate(source)
        except ValidationError as error:
            raise RiskmlError("; ".join(_problems(error)), where=where) from None

    @property
    def horizon_us(self):
        """The horizon in microseconds, int."""
        return duration(self.horizon)

    @property
    def reporting_lag_us(self):
        """The reporting lag in microseconds, int."""
        return duration(self.reporting_lag)

    @property
    def same_event_us(self):
        """`same_event_within` in microseconds, int."""
        return duration(self.same_event_within)

    def estimand_text(self, language="es"):
        """What the predicted risk means, in words, str."""
        if self.estimand is not None:
            return self.estimand[check_language(language)]
        return message("outcomes.estimand_usual_response", language)


def _problems(error):
    """Each problem of a pydantic error as `key: what is wrong`."""
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"] if isinstance(part, str))
        words = problem["msg"].removeprefix("Value error, ").replace("\n", " ")
        yield f"{key}: {words}" if key else words
