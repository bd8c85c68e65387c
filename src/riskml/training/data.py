"""The rows of one training run: assessments with their people, features and outcomes, in windows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.features.matrix import build_features
from riskml.models.splits import (
    Split,
    connected_people,
    one_assessment_each,
    split_by_person,
    split_by_time,
)
from riskml.outcomes.cohort import assessments
from riskml.outcomes.labels import check_two_classes, label_outcomes
from riskml.registry.history import History
from riskml.training.yardsticks import yardsticks

__all__ = ["TrainingData", "people_of", "training_data"]

_ONE_ROW = ("first", "last", "random")


@dataclass(frozen=True)
class TrainingData:
    """Fully followed-up assessments, row by row alike.

    Attributes
    ----------
    matrix : DataFrame                   features as of each assessment, on the visible timeline
    yardsticks : dict of candidate -> float array    what the plain baselines read, on the same timeline
    outcome : float array of {0, 1}      strictly after the assessment, as known when the next window begins
    as_of : datetime64 array
    aggressor : array of str             whose assessment it is: the unit of every bootstrap
    group : array of int                 people who share an aggressor or a victim, directly or through others
    exit : array of str                  first competing exit before any event: none, custody, death, closed
    split : Split
    counts : dict                        assessments in the cohort, censored, followed up
    """

    matrix: pd.DataFrame
    yardsticks: dict
    outcome: np.ndarray
    as_of: np.ndarray
    aggressor: np.ndarray
    group: np.ndarray
    exit: np.ndarray
    split: Split
    counts: dict


def people_of(history, cohort):
    """Aggressor and victim of each assessment, by the version of its case that was in force.

    Parameters
    ----------
    history : History
    cohort : DataFrame of case_id, as_of, each case visible at its as_of

    Returns
    -------
    DataFrame of aggressor_id, victim_id, in the cohort's order
    """
    columns = ["case_id", "aggressor_id", "victim_id", "occurred_at", "recorded_at", "superseded_at"]
    versions = history.table("cases").select(columns).to_pandas()
    versions["rank"] = np.arange(len(versions))
    rows = pd.DataFrame(
        {
            "row": np.arange(len(cohort)),
            "case_id": cohort["case_id"].to_numpy(),
            "as_of": cohort["as_of"].to_numpy(),
        }
    )
    pairs = rows.merge(versions, on="case_id")
    visible = (pairs[["occurred_at", "recorded_at"]].max(axis=1, skipna=False) <= pairs["as_of"]) & (
        pairs["superseded_at"].isna() | (pairs["superseded_at"] > pairs["as_of"])
    )
    pairs = pairs[visible].sort_values(["row", "recorded_at", "occurred_at", "rank"])
    current = pairs.drop_duplicates("row", keep="last").set_index("row")
    return current.reindex(np.arange(len(cohort)))[["aggressor_id", "victim_id"]].reset_index(drop=True)


def _cohort(spec, history):
    part, index_date = spec.cohort, spec.split.index_date
    if spec.split.by == "person" and index_date not in _ONE_ROW:
        return assessments(history, every="1d", start=index_date, end=index_date)
    return assessments(
        history, every=part.every, at_contacts=part.at_contacts, start=part.start, end=part.end
    )


def _labels_as_known(history, cohort, definition, split, outcome):
    """Labels as known when the next window began: nothing later enters what is learnt from them."""
    outcome = outcome.copy()
    if not split.prospective:
        return outcome
    pairs = [(split.refit, "evaluate" if split.cross_fitted else "calibrate")]
    if not split.cross_fitted:
        pairs.append((split.rows["calibrate"], "evaluate"))
    for rows, following in pairs:
        known = label_outcomes(
            history, cohort.iloc[rows], definition, known_at=pd.Timestamp(split.bounds[following][0])
        )["outcome"].to_numpy()
        outcome[rows] = np.where(np.isnan(known), outcome[rows], known)
    return outcome


def _check_events(spec, split, outcome):
    minimum = spec.minimum
    where = f"models/{spec.name}.yml"
    windows = tuple(split.rows)
    for name in windows:
        check_two_classes(outcome[split.rows[name]], where=f"{where}, window {name}")
    learnt = int(outcome[split.refit].sum())
    judged = {name: int(outcome[split.rows[name]].sum()) for name in windows}
    few = [f"{judged[name]} in {name}" for name in windows[1:] if judged[name] < minimum.events_to_judge]
    if learnt < minimum.events_to_learn or few:
        also = f", {', '.join(few)} (at least {minimum.events_to_judge} each)" if few else ""
        raise RiskmlError(
            "too few assessments with the outcome: "
            f"{learnt} to learn from (at least {minimum.events_to_learn}){also}",
            where=where,
            mend="Take a longer history, a longer horizon or a more frequent outcome; `minimum:` sets them.",
        )


def training_data(spec, history, catalogue, *, seed=0, step=lambda: None):
    """Cohort, outcomes, windows and features of one training run.

    Parameters
    ----------
    spec : ModelFile
    history : History
    catalogue : Catalogue
    seed : int
    step : callable    called after each of four steps

    Returns
    -------
    TrainingData

    Raises
    ------
    RiskmlError    an empty history, too short a time, one class only, too few events
    """
    history = History.of(history)
    where = f"models/{spec.name}.yml"
    cohort = _cohort(spec, history)
    step()
    labels = label_outcomes(history, cohort, spec.outcome)
    outcome = labels["outcome"].to_numpy(dtype=float)
    check_two_classes(outcome, where=where)
    followed = np.flatnonzero(~np.isnan(outcome))
    counts = {
        "assessments": len(cohort),
        "censored": len(cohort) - len(followed),
        "followed_up": len(followed),
    }
    people = people_of(history, cohort.iloc[followed])
    step()
    as_of = cohort["as_of"].to_numpy()[followed]
    if spec.split.by == "person":
        groups = connected_people(people["aggressor_id"], people["victim_id"])
        kept = one_assessment_each(as_of, groups, index_date=spec.split.index_date, seed=seed)
        counts["one_for_each_person"] = len(kept)
        followed, people, as_of = followed[kept], people.iloc[kept], as_of[kept]
        split = split_by_person(groups[kept], outcome[followed], shares=spec.split.shares, seed=seed)
    else:
        gap = np.timedelta64(spec.outcome.horizon_us + spec.outcome.reporting_lag_us, "us")
        split = split_by_time(as_of, shares=spec.split.shares, gap=gap)
    cohort = cohort.iloc[followed].reset_index(drop=True)
    outcome = _labels_as_known(history, cohort, spec.outcome, split, outcome[followed])
    _check_events(spec, split, outcome)
    step()
    matrix = build_features(history, cohort, catalogue)
    step()
    return TrainingData(
        matrix,
        yardsticks(history, cohort, matrix, spec),
        outcome,
        as_of,
        people["aggressor_id"].to_numpy(dtype=object).astype(str),
        connected_people(people["aggressor_id"], people["victim_id"]),
        labels["exit"].to_numpy(dtype=object)[followed].astype(str),
        split,
        counts,
    )
