"""A model file: what is predicted for whom, and how it is split, learnt and calibrated."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from riskml.documents import read_documents
from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES
from riskml.models.calibration import CALIBRATORS
from riskml.models.lethal_spec import KIND, load_lethal_file
from riskml.models.splits import CROSS_FITTED, WINDOWS
from riskml.outcomes.definition import OutcomeDefinition, Words
from riskml.parts import Part, problem_words
from riskml.vocabulary import did_you_mean, duration

__all__ = ["DEFAULT_GRID", "ModelFile", "load_model_file", "model_names"]

NOT_MODELS = ("critical", "levels", "review")  # files of models/ that say how models are used

# Declared before any data are seen; chosen among in the tune window alone.
DEFAULT_GRID = (
    {
        "num_leaves": 4,
        "learning_rate": 0.1,
        "min_people_in_leaf": 30,
        "feature_fraction": 0.5,
        "lambda_l2": 5.0,
    },
    {
        "num_leaves": 8,
        "learning_rate": 0.06,
        "min_people_in_leaf": 30,
        "feature_fraction": 0.4,
        "lambda_l2": 10.0,
    },
    {
        "num_leaves": 15,
        "learning_rate": 0.05,
        "min_people_in_leaf": 10,
        "feature_fraction": 0.5,
        "lambda_l2": 10.0,
    },
)
_LIGHTGBM_KEYS = {
    "num_leaves": (2, 16),
    "max_depth": (1, 5),
    "learning_rate": (0.001, 0.5),
    "min_people_in_leaf": (1, 100_000),
    "feature_fraction": (0.01, 1.0),
    "bagging_fraction": (0.01, 1.0),
    "lambda_l1": (0.0, 1e6),
    "lambda_l2": (0.0, 1e6),
    "min_gain_to_split": (0.0, 1e6),
    "path_smooth": (0.0, 1e6),
}


def _moment(value):
    return None if value is None else str(value)


def _length(value):
    duration(value)
    return str(value)


def _listed(value):
    return (value,) if isinstance(value, str | float | int) else value


Moment = Annotated[str | None, BeforeValidator(_moment)]
Length = Annotated[str, BeforeValidator(_length)]
Positive = Annotated[int, Field(ge=1, strict=True)]


class CohortPart(Part):
    """Whose assessments, and when: on common dates, at each new contact, or both."""

    every: Length | None = "28d"
    at_contacts: bool = False
    start: Moment = None
    end: Moment = None

    @model_validator(mode="after")
    def _asks_for_something(self):
        if self.every is None and not self.at_contacts:
            raise ValueError("nobody is assessed: give every: 28d, at_contacts: true, or both")
        return self


class SplitPart(Part):
    """How assessments are divided: into train, tune, calibrate and evaluate, or into develop and evaluate.

    In the develop window five folds of people take the place of the three windows: what a model is tuned and
    calibrated on are people whom it has not seen. Long horizons need it, because each window but the first
    costs a gap of horizon plus reporting lag.
    """

    by: Literal["time", "person"] = "time"
    shares: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=lambda: dict(zip(WINDOWS, (0.4, 0.2, 0.2, 0.2), strict=True))
    )
    index_date: Moment = None

    @model_validator(mode="after")
    def _coherent(self):
        for name in self.shares:
            if name not in (*WINDOWS, *CROSS_FITTED):
                near = did_you_mean(name, (*WINDOWS, *CROSS_FITTED))
                raise ValueError(f'unknown window "{name}". {near}'.strip())
        if set(self.shares) not in (set(WINDOWS), set(CROSS_FITTED)):
            raise ValueError(f"shares needs all of {', '.join(WINDOWS)}; or {' and '.join(CROSS_FITTED)}")
        if self.by == "time" and self.index_date is not None:
            raise ValueError("index_date belongs to by: person")
        if self.by == "person" and self.index_date is None:
            raise ValueError("by: person needs index_date: first, last, random, or a date such as 2015-06-01")
        return self


class FeaturesPart(Part):
    """Which columns of the catalogue are predictors: names or patterns such as `incidents_*`."""

    include: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ("*",)
    exclude: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    exposures: bool = True  # whether columns that say what was done about the case are predictors too

    def chosen(self, catalogue):
        """Names of the chosen columns, in the catalogue's order: tuple of str.

        Raises
        ------
        RiskmlError    a pattern that no column has, or nothing chosen
        """
        names = [c.name for c in catalogue.columns]
        for pattern in (*self.include, *self.exclude):
            if not any(fnmatchcase(name, pattern) for name in names):
                raise RiskmlError(
                    f'no column of the catalogue matches "{pattern}"',
                    where="features",
                    mend=did_you_mean(pattern, names),
                )
        chosen = tuple(
            c.name
            for c in catalogue.columns
            if any(fnmatchcase(c.name, p) for p in self.include)
            and not any(fnmatchcase(c.name, p) for p in self.exclude)
            and (self.exposures or not c.exposure)
        )
        if not chosen:
            raise RiskmlError("no column is left", where="features", mend="Widen include, or narrow exclude.")
        return chosen


def _grid(value):
    for settings in value:
        if not isinstance(settings, dict):
            raise ValueError("each setting is a mapping such as {num_leaves: 8, learning_rate: 0.05}")
        for key, number in settings.items():
            if key not in _LIGHTGBM_KEYS:
                near = did_you_mean(key, _LIGHTGBM_KEYS)
                raise ValueError(
                    f'unknown key "{key}". {near or "Known: " + ", ".join(_LIGHTGBM_KEYS) + "."}'
                )
            low, high = _LIGHTGBM_KEYS[key]
            if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
                raise ValueError(f"{key} must be a number from {low} to {high}")
    return tuple(dict(s) for s in value)


Grid = tuple[dict[str, int | float], ...]


class LightGBMPart(Part):
    """Settings among which the tune window chooses; trees at most, or trees each where nothing stops early.

    `trials` further settings are searched by Optuna from the grid's on; one of them is taken only where it is
    better by more than a standard error.

    Early stopping needs events: with some 70 of them in the tune window its noise chose worse numbers of
    trees than a number fixed beforehand (docs/evaluation.md).
    """

    grid: Annotated[Grid, BeforeValidator(_grid), Field(min_length=1)] = DEFAULT_GRID
    rounds: Positive = 800
    trials: Annotated[int, Field(ge=0, le=1000, strict=True)] = 12
    early_stopping: bool = True


class ElasticNetPart(Part):
    """Mixtures of the two penalties among which the tune window chooses, with a strength along a path."""

    l1_ratio: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], BeforeValidator(_listed)] = (
        0.1,
        0.9,
    )


class LearnersPart(Part):
    """What is learnt, and which the bundle holds; `blend`, a mixture, needs a develop window.

    `simplest` leaves the choice to the window in which calibrators are chosen: of the learners that the
    sample size allows, the simplest whose score does not differ from the best one's.
    """

    main: Literal["simplest", "lightgbm", "elastic_net", "blend"] = "simplest"
    monotone: bool = True  # whether the catalogue's directions bind the learners
    lightgbm: LightGBMPart = LightGBMPart()
    elastic_net: ElasticNetPart = ElasticNetPart()


class BaselinesPart(Part):
    """The columns behind the two plain baselines, and the proxy instruments to beat."""

    incidents: str = "incidents_90d"
    days_since: str = "days_since_incident"
    instruments: Annotated[tuple[str, ...], BeforeValidator(_listed)] = (
        "proxy_epv_r",
        "proxy_lethality_screen",
    )


class SampleSizePart(Part):
    """Riley's criteria, computed before anything is learnt; below them LightGBM is refused.

    The anticipated c-statistic is that of published models, not that of the data at hand (EVIDENCE 3.1:
    honest AUC of police-recorded repeat violence 0.65-0.76; EVIDENCE 5.5).
    """

    c_statistic: Annotated[float, Field(gt=0.5, lt=1)] = 0.70
    shrinkage: Annotated[float, Field(gt=0.5, lt=1)] = 0.9


class MinimumPart(Part):
    """Below these numbers of assessments with the outcome nothing is trained."""

    events_to_learn: Positive = 50
    events_to_judge: Positive = 10


def _calibrator(value):
    if value not in CALIBRATORS:
        raise ValueError(f'"{value}" is not a calibrator. {did_you_mean(value, CALIBRATORS)}'.strip())
    return value


class ModelFile(Part):
    """What one file under `models/` says.

    Attributes
    ----------
    name : str                    the file's name without .yml
    label, exclusions, limits : dict    title, who is left out, and what it must not be used for, in Spanish
        and English
    outcome : OutcomeDefinition   event, horizon, reporting lag, competing exits, estimand
    cohort, split, features, learners, baselines, sample_size, minimum : parts of the file
    calibrators : tuple of str    among which the calibrate window chooses by Brier score
    capacity : int                cases that can be visited in a week
    bootstrap : int               replicates behind each interval
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: dict[Literal[LANGUAGES], Words]
    outcome: OutcomeDefinition
    cohort: CohortPart = CohortPart()
    split: SplitPart = SplitPart()
    features: FeaturesPart = FeaturesPart()
    learners: LearnersPart = LearnersPart()
    baselines: BaselinesPart = BaselinesPart()
    calibrators: Annotated[
        tuple[Annotated[str, BeforeValidator(_calibrator)], ...],
        BeforeValidator(_listed),
        Field(min_length=1),
    ] = CALIBRATORS
    sample_size: SampleSizePart = SampleSizePart()
    capacity: Positive = 40
    bootstrap: Annotated[int, Field(ge=20, le=10_000, strict=True)] = 200
    minimum: MinimumPart = MinimumPart()
    exclusions: dict[Literal[LANGUAGES], Words] | None = None
    limits: dict[Literal[LANGUAGES], Words] | None = None

    @model_validator(mode="after")
    def _both_languages(self):
        for key in ("label", "exclusions", "limits"):
            words = getattr(self, key)
            if words is not None and set(words) != set(LANGUAGES):
                raise ValueError(f"{key} needs both es and en")
        if self.learners.main == "blend" and set(self.split.shares) != set(CROSS_FITTED):
            raise ValueError("learners: {main: blend} needs split: {shares: {develop: 0.7, evaluate: 0.3}}")
        return self

    @classmethod
    def of(cls, source, *, where="model", lines=None):
        """A model file of what it holds.

        Parameters
        ----------
        source : ModelFile or dict
        where : str                how errors name it
        lines : callable or None   from a path of keys to a line, for errors

        Raises
        ------
        RiskmlError    every problem in one message, each with its key and, where known, its line
        """
        if isinstance(source, ModelFile):
            return source
        try:
            return cls.model_validate(source)
        except ValidationError as error:
            problems = [_problem(problem, lines) for problem in error.errors()]
            raise RiskmlError("; ".join(problems), where=where) from None

    def to_document(self):
        """The file's content as plain JSON."""
        return self.model_dump(mode="json")


def _problem(problem, lines):
    path, words = problem_words(problem)
    return f"line {lines(*path)}, {words}" if lines and path else words


def load_model_file(path):
    """Read a file of `models/`.

    Parameters
    ----------
    path : path of `<name>.yml`

    Returns
    -------
    ModelFile, or LethalSpec of a file that says `kind: lethal`

    Raises
    ------
    RiskmlError    not readable, not YAML, unknown keys, wrong values: each with line, key and how to mend it
    """
    path = Path(path)
    where = f"{path.parent.name}/{path.name}"
    documents = read_documents(path)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise RiskmlError("a model file is one mapping: label, outcome, ...", where=where)
    document = documents[0]
    if document.value.get("kind") == KIND:
        return load_lethal_file(path)
    if document.repeated:
        line, key = document.repeated[0]
        raise RiskmlError(f'"{key}" stands twice', where=f"{where}, line {line}", mend="Keep one of them.")
    values = {"name": path.stem, **document.value}
    if values["name"] != path.stem:
        raise RiskmlError(
            f'name "{values["name"]}" is not the file\'s',
            where=where,
            mend=f"Leave it out, or write {path.stem}.",
        )
    return ModelFile.of(values, where=where, lines=document.line)


def model_names(folder):
    """Names of the model files in a folder, sorted: tuple of str."""
    return tuple(sorted(path.stem for path in Path(folder).glob("*.yml") if path.stem not in NOT_MODELS))
