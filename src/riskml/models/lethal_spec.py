"""The model file of a lethal model: whose cases, which controls beside them, which priors, and its limits."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from riskml.errors import RiskmlError
from riskml.models.priors import PriorFile, load_priors
from riskml.outcomes.definition import OutcomeDefinition
from riskml.parts import Line, Part, Words, read_part
from riskml.vocabulary import did_you_mean, duration

__all__ = ["KIND", "LethalFile", "LethalSpec", "MatchedOn", "load_lethal_file"]

KIND = "lethal"  # `kind:` of such a file
MatchedOn = Literal["relationship_group", "length_of_record"]


def _outcome(value):
    try:
        return OutcomeDefinition.of(value)
    except RiskmlError as error:
        raise ValueError(error.what) from None


def _length(value):
    if not duration(value):
        raise ValueError("a length of record must be longer than 0")
    return str(value)


Length = Annotated[str, BeforeValidator(_length)]
Share = Annotated[float, Field(gt=0, lt=1)]


class SamplingPart(Part):
    """Risk sets: how many controls stand beside each case, and in what they are like it.

    `relationship_group` tells partners and former partners from everybody else; matching on each word apart
    would take away what separation does. `length_of_record` is the time that a relationship had been in the
    registry, in bands: who was in it longer had more said of them.
    """

    controls: Annotated[int, Field(ge=1, le=100, strict=True)] = 10
    matched_on: tuple[MatchedOn, ...] = ("relationship_group", "length_of_record")
    record_lengths: tuple[Length, ...] = ("30d", "180d", "365d", "730d")

    @model_validator(mode="after")
    def _growing(self):
        ends = [duration(length) for length in self.record_lengths]
        if any(first >= second for first, second in pairwise(ends)):
            raise ValueError("record_lengths must grow")
        return self

    @property
    def band_ends(self):
        """Ends of the bands of the length of record, microseconds: list of int."""
        return [duration(length) for length in self.record_lengths]


class LethalSampleSize(Part):
    """What a flexible learner needs before it is tried: Riley's criteria, and events for each factor."""

    c_statistic: Annotated[float, Field(gt=0.5, lt=1)] = 0.80
    shrinkage: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    share_with_event: Share = 0.0005
    events_per_factor: Annotated[int, Field(ge=1, strict=True)] = 100


class LethalFile(Part):
    """What a file of `kind: lethal` under `models/` says.

    Attributes
    ----------
    name : str                    the file's name without .yml
    label, exclusions, limits : dict    in Spanish and English
    priors : str                  a file of `models/priors/`
    outcome : OutcomeDefinition   the estimand in both languages among it
    sampling, sample_size : parts of the file
    minimum_cases : int           with fewer reviewed cases the priors stand alone
    bootstrap : int               replicates behind an interval
    """

    kind: Literal["lethal"]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    label: Words
    priors: Line
    outcome: Annotated[Any, BeforeValidator(_outcome)]
    exclusions: Words
    sampling: SamplingPart = SamplingPart()
    minimum_cases: Annotated[int, Field(ge=1, strict=True)] = 1
    sample_size: LethalSampleSize = LethalSampleSize()
    bootstrap: Annotated[int, Field(ge=20, le=10_000, strict=True)] = 500
    limits: Words

    @model_validator(mode="after")
    def _lethal_alone(self):
        if self.outcome.event != ("lethal",) or self.outcome.over != "case":
            raise ValueError("a lethal model is of the event lethal, over the case")
        if self.outcome.estimand is None:
            raise ValueError("outcome needs an estimand in es and in en")
        return self


@dataclass(frozen=True)
class LethalSpec:
    """A lethal model file with the priors that it names."""

    file: LethalFile
    priors: PriorFile

    @property
    def name(self):
        """The model's name, str."""
        return self.file.name

    @property
    def label(self):
        """Its title in each language, dict."""
        return self.file.label

    @property
    def outcome(self):
        """What is predicted: OutcomeDefinition."""
        return self.file.outcome

    @property
    def limits(self):
        """What it must not be used for, in each language, dict."""
        return self.file.limits

    def to_document(self):
        """The file's content as plain JSON; the priors stand in the report's table."""
        return self.file.model_dump(mode="json")


def load_lethal_file(path, *, factors=None):
    """Read a lethal model file, and the priors that it names from the folder `priors` beside it.

    Parameters
    ----------
    path : path of `<name>.yml`
    factors : FactorVocabulary or None    to check the codes that the priors name

    Returns
    -------
    LethalSpec

    Raises
    ------
    RiskmlError    file, line and key: unknown keys, wrong values, priors that are not there or that are of
        another outcome
    """
    path = Path(path)
    where = f"{path.parent.name}/{path.name}"
    file = read_part(LethalFile, path, name=path.stem)
    folder = path.parent / "priors"
    known = sorted(found.stem for found in folder.glob("*.yml"))
    if file.priors not in known:
        near = did_you_mean(file.priors, known) or f"There are: {', '.join(known) or 'none'}."
        raise RiskmlError(f'no priors "{file.priors}" in {folder.name}/', where=where, mend=near)
    priors = load_priors(folder / f"{file.priors}.yml", factors=factors)
    for key in ("event", "horizon", "over"):
        ours, theirs = getattr(file.outcome, key), getattr(priors.outcome, key)
        if ours != theirs:
            raise RiskmlError(
                f"outcome.{key} is {ours}, that of the priors {theirs}",
                where=where,
                mend=f"Let models/priors/{file.priors}.yml and this file speak of the same outcome.",
            )
    return LethalSpec(file, priors)
