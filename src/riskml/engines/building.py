"""Matrices in memory by whichever engine."""

import numpy as np
import pandas as pd

from riskml.engines.moments import ROW, GivenCohort
from riskml.engines.tasks import MatrixTask, as_text
from riskml.engines.work import Work, check_engine
from riskml.features import matrix as one_part
from riskml.registry.history import History

__all__ = ["builder"]


def builder(engine):
    """What builds features in one engine: callable of (history, cohort, catalogue) -> DataFrame."""
    return _on_spark if check_engine(engine) == "spark" else one_part.build_features


def _on_spark(history, cohort, catalogue):
    from riskml.engines.spark import spark_session, work_on_spark

    spark = spark_session()
    history = History.of(history)
    given = GivenCohort.of(cohort, history)
    work = Work.of(history, given, catalogue, least=2 * spark.sparkContext.defaultParallelism)
    task = MatrixTask(as_text(catalogue), rows=True)
    tables = [table for _, table in work_on_spark(spark, work, task)]
    return _frame(given.assessments, catalogue, tables)


def _frame(assessments, catalogue, tables):
    """Matrices of parts as one frame in the cohort's order."""
    columns = {}
    for column in catalogue.columns:
        number = column.kind == "number"
        columns[column.name] = np.full(len(assessments), np.nan, float if number else object)
    for table in tables:
        rows = table[ROW].to_numpy()
        for name, values in columns.items():
            values[rows] = table[name].to_numpy()
    for column in catalogue.columns:
        if column.kind == "category":
            columns[column.name] = pd.array(columns[column.name], dtype="str")
    return pd.DataFrame(columns, index=assessments.index, copy=False)
