"""What a model has to beat: single numbers that an analyst could read without any model."""

import numpy as np

from riskml.features.catalogue import Catalogue
from riskml.features.definitions import Feature
from riskml.features.matrix import build_features
from riskml.instruments import load_instrument, score
from riskml.vocabulary import LEVELS

__all__ = ["analyst_level", "yardsticks"]

# Of no workspace's catalogue, which may not hold it: a model that read the level would repeat it.
_LEVEL = Feature(
    name="analyst_level",
    dimension="response",
    table="levels",
    aggregate="latest",
    column="level",
    label={"es": "Nivel asignado por el analista", "en": "Level assigned by the analyst"},
)


def analyst_level(history, cohort):
    """The level that stood in the registry at each assessment: float array, 0 low to 3 critical, NaN: none.

    Parameters
    ----------
    history : whatever `History.of` takes
    cohort : DataFrame of case_id, as_of    on the visible timeline
    """
    found = build_features(history, cohort, Catalogue((_LEVEL,)))["analyst_level"]
    return found.map({level: float(rank) for rank, level in enumerate(LEVELS)}).to_numpy(dtype=float)


def yardsticks(history, cohort, matrix, spec):
    """The plain baselines that these assessments allow, from simple to informed.

    A proxy instrument is taken by the points that are known: what nobody mentioned is not counted, and an
    assessment outside its scope has no score.

    Parameters
    ----------
    history : History
    cohort : DataFrame of case_id, as_of
    matrix : DataFrame    features of the cohort
    spec : ModelFile      names the columns behind the first two, and the instruments

    Returns
    -------
    dict of candidate -> float array, shape (n,)    left out is a column that the matrix lacks, a level that
        nobody assigned, an instrument of which no item was ever observed
    """
    columns = {"incidents": spec.baselines.incidents, "days_since": spec.baselines.days_since}
    found = {
        name: matrix[column].to_numpy(dtype=float)
        for name, column in columns.items()
        if column in matrix.columns
    }
    if "levels" in history.tables and "level" in history.tables["levels"].column_names:
        level = analyst_level(history, cohort)
        if not np.isnan(level).all():
            found["analyst_level"] = level
    for name in spec.baselines.instruments:
        instrument = load_instrument(name)
        if set(instrument.factors) & set(matrix.columns):
            scored = score(matrix, instrument)
            if scored["observed"].any():
                found[name] = scored["low"].to_numpy(dtype=float)
    return found
