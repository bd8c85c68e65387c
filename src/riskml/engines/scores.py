"""Second opinions and risks by whichever engine. No label code is reached."""

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from riskml.engines.building import builder
from riskml.engines.moments import OpenCases
from riskml.engines.tasks import arrow_table, as_text, catalogue_of, matrix_of
from riskml.engines.work import check_engine
from riskml.engines.writing import write_parts
from riskml.models.bundle import Model
from riskml.models.lethal_bundle import LethalBundle
from riskml.registry.history import History
from riskml.scoring import score as one_machine
from riskml.scoring.relative import RELATIVE, relative_columns
from riskml.vocabulary import moment_of

__all__ = ["ScoreTask", "score", "write_scores"]


def score(model, history, as_of, *, levels=None, catalogue=None, engine="embedded"):
    """Second opinions on all cases that are visible and open at a moment.

    Parameters
    ----------
    model : Model, or list of Model    trained with one catalogue
    history : History, folder of Parquet files, or dict of tables
    as_of : date, datetime or str      the moment of assessment, in the registry's local time
    levels : LevelRules or None        how levels are suggested; None: the rules that riskml is shipped with
    catalogue : Catalogue or None      the workspace's: a model that was trained with another is refused
    engine : "embedded" or "spark"     where the features are computed; the opinion is the same

    Returns
    -------
    Opinion

    Raises
    ------
    RiskmlError    no open case at that moment, not a moment, two models of one name, a model without
        catalogue, or trained with another catalogue than the workspace's or the other models'; an unknown
        engine, or Spark or its Java is not there

    Notes
    -----
    Only what was visible at `as_of` is read, on both clocks; outcomes are never read.
    """
    build = builder(engine)
    return one_machine.score(model, history, as_of, levels=levels, catalogue=catalogue, build=build)


def write_scores(models, history, as_of, folder, *, engine="embedded", parts=None, catalogue=None):
    """Write the risks of all open cases to a folder of Parquet files, predicted part by part.

    For registries whose matrix no memory holds: neither levels nor reasons, which `score` gives. What is
    written is there whole or not at all.

    Parameters
    ----------
    models : Model, or list of Model    trained with one catalogue
    history : History, folder of Parquet files, or dict of tables
    as_of : date, datetime or str       the moment of assessment, in the registry's local time
    folder : path
    engine : "embedded" or "spark"      where it is computed
    parts : int or None                 how many files; None: as memory asks
    catalogue : Catalogue or None       the workspace's: a model that was trained with another is refused

    Returns
    -------
    Written    one row per case: case_id, as_of, and for each model <model>_margin (log-odds before
        calibration) and <model>_risk (calibrated); of a lethal model <model>_relative, <model>_low,
        <model>_high (times the registry's average) and <model>_unknown (factors), and no risk

    Raises
    ------
    RiskmlError    as `score`
    """
    check_engine(engine)
    models = one_machine.named_models(models)
    one_machine.check_catalogues(models, catalogue)
    history, moment = History.of(history), moment_of(as_of)
    catalogue = next(iter(models.values())).catalogue
    task = ScoreTask(as_text(catalogue), OpenCases(moment), _as_files(models))
    about = {
        "what": "scores",
        "as_of": str(moment),
        "models": {name: model.version for name, model in models.items()},
        "catalogue": catalogue.hash,
        "history": history.hash,
        "columns": [f.name for f in task.schema][2:],
    }
    return write_parts(
        history,
        OpenCases(moment),
        catalogue,
        task,
        folder,
        engine=engine,
        parts=parts,
        about=about,
        if_empty=lambda: one_machine.no_open_case(history, moment),
    )


def _as_files(models):
    """Bundles as their files, which travel to other processes: nothing in them executes when it is read."""
    with tempfile.TemporaryDirectory() as folder:
        saved = [model.save(Path(folder) / name) for name, model in models.items()]
        return tuple(
            (bundle.name, tuple((p.name, p.read_text(encoding="utf-8")) for p in sorted(bundle.iterdir())))
            for bundle in saved
        )


@lru_cache(maxsize=2)
def _models_of(bundles):
    """The models of `_as_files`, read once in each process: dict of name -> Model."""
    found = {}
    for name, files in bundles:
        with tempfile.TemporaryDirectory() as folder:
            for file, text in files:
                (Path(folder) / file).write_text(text, encoding="utf-8", newline="\n")
            found[name] = Model.load(folder)
    return found


@dataclass(frozen=True)
class ScoreTask:
    """The risks of the open cases of a part, as an Arrow table.

    Attributes
    ----------
    catalogue : str      of `as_text`
    cohort : OpenCases
    bundles : tuple      of `_as_files`
    """

    catalogue: str
    cohort: OpenCases
    bundles: tuple

    @property
    def schema(self):
        """The schema of what it gives: pyarrow.Schema."""
        numbers = [
            f"{name}_{what}"
            for name, model in _models_of(self.bundles).items()
            for what in (RELATIVE if isinstance(model, LethalBundle) else ("margin", "risk"))
        ]
        fields = [("case_id", pa.string()), ("as_of", pa.timestamp("us"))]
        return pa.schema([*fields, *((name, pa.float64()) for name in numbers)])

    def __call__(self, tables):
        """The risks of one part: pyarrow.Table."""
        frame, matrix, _ = matrix_of(tables, self.cohort, catalogue_of(self.catalogue))
        columns = {"case_id": frame["case_id"], "as_of": frame["as_of"]}
        for name, model in _models_of(self.bundles).items():
            if isinstance(model, LethalBundle):
                columns |= relative_columns({name: model}, matrix)
                continue
            margin = model.margin(matrix)
            columns |= {f"{name}_margin": margin, f"{name}_risk": model.calibrator.risk(margin)}
        return arrow_table(columns, self.schema)
