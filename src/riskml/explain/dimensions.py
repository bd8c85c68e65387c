"""SHAP values by the dimensions that analysts weigh."""

import numpy as np
import pandas as pd

from riskml.explain.reasons import SHOWN_UNDER
from riskml.explain.shap_values import shap_values

__all__ = ["DIMENSIONS", "by_dimension", "dimension_parts"]

DIMENSIONS = tuple(dict.fromkeys(SHOWN_UNDER.values()))


def by_dimension(values, catalogue):
    """SHAP values summed over the columns of each dimension.

    Parameters
    ----------
    values : DataFrame    SHAP values in log-odds, columns of the catalogue
    catalogue : Catalogue

    Returns
    -------
    DataFrame, columns DIMENSIONS; 0 where the model reads nothing of a dimension
    """
    shown = np.array([SHOWN_UNDER[catalogue.column(name).dimension] for name in values.columns])
    parts = values.to_numpy()
    sums = {d: parts[:, shown == d].sum(axis=1) for d in DIMENSIONS}
    return pd.DataFrame(sums, index=values.index)


def dimension_parts(model, matrix):
    """What each dimension adds to a model's log-odds: DataFrame, columns DIMENSIONS, rows of the matrix.

    Parameters
    ----------
    model : Model    with its catalogue
    matrix : DataFrame, one row per assessment    of `build_features`
    """
    return by_dimension(shap_values(model, matrix).values, model.catalogue)
