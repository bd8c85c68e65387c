"""Reasons of a second opinion: the features that moved a model's log-odds most, as sentences."""

import numpy as np
import pandas as pd

from riskml.explain.wording import fact_words, is_silent
from riskml.messages import LANGUAGES

__all__ = ["COLUMNS", "EXPOSURE", "LOWERS", "RAISES", "SHOWN_UNDER", "reasons_of"]

RAISES, LOWERS, EXPOSURE = "raises", "lowers", "exposure"
MOST = {RAISES: 5, LOWERS: 3, EXPOSURE: 2}
SMALLEST = 0.02  # log-odds: below, a reason is not worth an analyst's time
# The three dimensions that analysts weigh; the relationship is shown under the victim's vulnerability.
SHOWN_UNDER = {
    "acts": "acts",
    "aggressor": "aggressor",
    "victim": "victim",
    "relationship": "victim",
    "response": "response",
}
COLUMNS = (
    "case_id",
    "model",
    "dimension",
    "direction",
    "rank",
    "text_es",
    "text_en",
    "feature",
    "value",
    "earlier",
    "contribution",
    "silent",
)


def _by_feature(values, catalogue):
    """SHAP values summed over the windows of each feature, and the column that speaks for each of them.

    Returns
    -------
    features : list of Feature
    summed : float array, shape (n, features)
    speaking : int array, shape (n, features)    position of the column that moves the log-odds most that way
    """
    columns = [catalogue.column(name) for name in values.columns]
    features = list({column.feature.name: column.feature for column in columns}.values())
    parts = values.to_numpy()
    summed = np.empty((len(parts), len(features)))
    speaking = np.empty((len(parts), len(features)), dtype=int)
    for k, feature in enumerate(features):
        own = np.array([i for i, column in enumerate(columns) if column.feature.name == feature.name])
        summed[:, k] = parts[:, own].sum(axis=1)
        speaking[:, k] = own[np.argmax(parts[:, own] * np.sign(summed[:, [k]]), axis=1)]
    return features, summed, speaking


def _is_elapsed(column):
    """Whether a column only tells how long nothing was recorded: lower risk from it is silence, too."""
    return column.feature.aggregate in ("days_since", "days_since_second", "days_since_third")


def _ranked(summed, wanted, most):
    """Positions (row, feature, rank) of the largest of `wanted` in each row, without those under SMALLEST."""
    size = np.where(wanted, np.abs(summed), 0.0)
    most = min(most, size.shape[1])
    order = np.argsort(-size, axis=1, kind="stable")[:, :most]
    rows = np.repeat(np.arange(len(size)), most)
    ranks = np.tile(np.arange(1, most + 1), len(size))
    found = order.ravel()
    kept = size[rows, found] >= SMALLEST
    return rows[kept], found[kept], ranks[kept]


def reasons_of(name, catalogue, values, matrix, earlier, registered):
    """The reasons of every case for one model.

    The windows of a feature are one reason: their SHAP values are added, and the window that says most
    speaks. What institutions did is an exposure: it is kept apart and is never a risk of the person.

    Parameters
    ----------
    name : str              the model
    catalogue : Catalogue
    values : DataFrame      SHAP values, one row per case, columns of the catalogue
    matrix : DataFrame      the cases' own values, in the same order
    earlier : DataFrame     their values EARLIER_DAYS before, in the same order
    registered : bool array, shape (n,)    whether each case was in the registry then

    Returns
    -------
    DataFrame    COLUMNS: case_id; model; dimension; direction "raises", "lowers" or "exposure"; rank within
        case, model and direction, 1 first; text_es, text_en; feature (the column that speaks); value and
        earlier; contribution in log-odds; silent (nothing was recorded: no proof of anything)
    """
    features, summed, speaking = _by_feature(values, catalogue)
    exposure = np.array([f.exposure or f.dimension == "response" for f in features], dtype=bool)
    wanted = {
        RAISES: (summed > 0) & ~exposure,
        LOWERS: (summed < 0) & ~exposure,
        EXPOSURE: np.broadcast_to(exposure, summed.shape),
    }
    cases = matrix.index.get_level_values("case_id").to_numpy()
    columns = [catalogue.column(column) for column in values.columns]
    now = [matrix[column.name].to_list() for column in columns]
    then = [earlier[column.name].to_list() for column in columns]
    known, found = {}, []
    for direction, mask in wanted.items():
        for row, k, rank in zip(*_ranked(summed, mask, MOST[direction]), strict=True):
            at = speaking[row, k]
            fact = (at, now[at][row], then[at][row], bool(registered[row]))
            key = tuple(None if f != f else f for f in fact)
            if key not in known:
                known[key] = [
                    fact_words(columns[at], fact[1], fact[2], compare=fact[3], language=language)
                    for language in LANGUAGES
                ]
            dimension = features[k].dimension
            found.append(
                (
                    cases[row],
                    name,
                    dimension,
                    direction,
                    int(rank),
                    *known[key],
                    columns[at].name,
                    *fact[1:3],
                    float(summed[row, k]),
                    is_silent(columns[at], fact[1]) or (direction == LOWERS and _is_elapsed(columns[at])),
                )
            )
    frame = pd.DataFrame(found, columns=list(COLUMNS)).astype({"value": object, "earlier": object})
    order = pd.Categorical(frame["direction"], [RAISES, LOWERS, EXPOSURE], ordered=True)
    return (
        frame.assign(_order=order.codes)
        .sort_values(["case_id", "_order", "rank"], kind="stable", ignore_index=True)
        .drop(columns="_order")
    )
