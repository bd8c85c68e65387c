"""Matrices by whichever engine: in memory, or as a folder of Parquet files that no memory has to hold."""

from collections.abc import Mapping

from riskml.engines.building import builder
from riskml.engines.dates import CohortRule, rule_of
from riskml.engines.moments import GivenCohort, OpenCases
from riskml.engines.tasks import MatrixTask, as_text
from riskml.engines.work import check_engine
from riskml.engines.writing import write_parts
from riskml.registry.history import History
from riskml.vocabulary import moment_of

__all__ = ["build_features", "write_features"]


def build_features(history, cohort, catalogue, *, engine="embedded"):
    """The features of each assessment, as they could be known at its time.

    A fact counts from the moment at which it has both happened and been recorded until it is superseded, and
    in a window until that long after it happened; docs/spec.md shows every rule by example. An assessment of
    a case that is not (not yet, or no longer) in the registry at its time sees nothing: counts are 0, the
    rest is missing.

    Parameters
    ----------
    history : History, folder of Parquet files, or dict of table name -> pyarrow.Table or pandas.DataFrame
    cohort : DataFrame    assessments: `case_id`, `as_of` (naive times on the registry's clock); in any order,
        with or without duplicates; other columns are ignored
    catalogue : Catalogue
    engine : "embedded" or "spark"    where it is computed; the numbers are the same to the last bit.
        docs/scale.md says when which one is worth it

    Returns
    -------
    DataFrame, shape (assessments, columns)
        index (`case_id`, `as_of`) in the cohort's order; columns in the catalogue's order: float64, and str
        for the latest of a word; missing is NaN

    Raises
    ------
    RiskmlError    the history lacks tables or columns that the catalogue reads (all are named); the cohort
                   lacks a column, a case or a time, its times have a timezone, or it is of another history
                   altogether; an unknown engine, or Spark or its Java is not there
    """
    return builder(engine)(history, cohort, catalogue)


def write_features(history, cohort, catalogue, folder, *, engine="embedded", parts=None):
    """Write the features of each assessment to a folder of Parquet files, part by part.

    The matrix is never held: memory is bounded by the size of a part. What is written is there whole or not
    at all; an earlier folder of the same name is replaced at the end.

    Parameters
    ----------
    history : History, folder of Parquet files, or dict of table name -> pyarrow.Table or pandas.DataFrame
    cohort : DataFrame with `case_id` and `as_of`; a mapping of the arguments of `riskml.assessments`, such as
        {"every": "7d"}; or {"as_of": moment}: all cases open then. By a rule each part makes its own
        assessments, which then need not be held either
    catalogue : Catalogue
    folder : path
    engine : "embedded" or "spark"    where it is computed; the numbers are the same to the last bit
    parts : int or None    how many files; None: as memory asks

    Returns
    -------
    Written    `.folder`, `.rows`, `.parts`, and `.manifest`: the hashes of the catalogue and of the history,
        files and rows. Read it with `pandas.read_parquet(folder)`, `pyarrow.dataset.dataset(folder)` or
        DuckDB's `FROM 'folder/*.parquet'`. Missing is null; columns: case_id, as_of, and the catalogue's

    Raises
    ------
    RiskmlError    as `build_features` and `riskml.assessments`; the folder holds something else
    """
    check_engine(engine)
    history = History.of(history)
    cohort, said = _cohort_of(cohort, history)
    about = {
        "what": "features",
        "catalogue": catalogue.hash,
        "history": history.hash,
        "cohort": said,
        "columns": [c.name for c in catalogue.columns],
    }
    made = None if isinstance(cohort, GivenCohort) else cohort
    task = MatrixTask(as_text(catalogue), made)
    return write_parts(history, cohort, catalogue, task, folder, engine=engine, parts=parts, about=about)


def _cohort_of(given, history):
    """A cohort that the parts take, and what the manifest says of it."""
    if isinstance(given, Mapping) and set(given) == {"as_of"}:
        moment = moment_of(given["as_of"])
        return OpenCases(moment), {"as_of": str(moment)}
    if isinstance(given, Mapping | CohortRule):
        rule = rule_of(given).resolved(history)
        said = {"every": rule.every, "start": str(rule.first), "end": str(rule.end)}
        return rule, {**said, "at_contacts": rule.at_contacts}
    return GivenCohort.of(given, history), {"given": len(given)}
