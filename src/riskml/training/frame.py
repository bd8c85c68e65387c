"""The same training on anyone's feature frame: numbers, categories, an outcome of 0 and 1."""

import hashlib

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.models.bundle import Model, plain
from riskml.models.encoding import Encoding, infer_columns
from riskml.models.riskgroups import risk_groups
from riskml.outcomes.labels import check_two_classes
from riskml.training.crossfit import cross_fit
from riskml.training.report import comparison_report, importance, libraries, note, refused_row
from riskml.training.sample_size import (
    development_verdict,
    evaluation_verdict,
    refused,
    sample_size_report,
)
from riskml.training.train import reference_of

__all__ = ["train_frame"]

LATER = 0.2  # share of the latest rows that judge, where time is given
FEWEST_EVENTS = 20
FLEXIBLE = ("lightgbm", "blend")
# Averaging the folds' models draws risks together: a slope is always fitted, more only where it is better.
CALIBRATORS = ("sigmoid", "beta", "isotonic")


def _array(values, n, name):
    values = pd.Series(values).reset_index(drop=True)
    if len(values) != n:
        raise RiskmlError(
            f"{len(values)} values for {n} rows of X", where=name, mend="Give one value for each row."
        )
    if values.isna().any():
        raise RiskmlError(
            f"{int(values.isna().sum())} values are missing", where=name, mend="Fill or drop them."
        )
    return values


def _outcome(y, n):
    values = _array(y, n, "y")
    try:
        outcome = values.astype(float).to_numpy()
    except (TypeError, ValueError):
        outcome = np.array([np.nan])
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise RiskmlError(
            "values other than 0 and 1", where="y", mend="Give 1 for rows with the outcome, 0 without."
        )
    check_two_classes(outcome, where="y")
    fewest = int(min(outcome.sum(), n - outcome.sum()))
    if fewest < FEWEST_EVENTS:
        raise RiskmlError(
            f"{fewest} rows of the rarer class: too few to learn from (at least {FEWEST_EVENTS})",
            where="y",
            mend="Gather more rows.",
        )
    return outcome


def _moments(time, n):
    values = _array(time, n, "time")
    if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)):
        try:
            values = pd.to_datetime(values)
        except (TypeError, ValueError):
            raise RiskmlError(
                "does not read as times", where="time", mend="Give datetimes or numbers."
            ) from None
    return values.rank(method="min").to_numpy()


def _check_frame(X):
    if not isinstance(X, pd.DataFrame):
        raise RiskmlError(
            f"{type(X).__name__} instead of a DataFrame", where="X", mend="Give a pandas DataFrame."
        )
    if not len(X) or not len(X.columns):
        raise RiskmlError("no rows, or no columns", where="X", mend="Give at least one feature and its rows.")
    return X.rename(columns=str)


def _fingerprint(X, outcome):
    """Content hash of a frame and its outcome, so that a report says what it rests on."""
    digest = hashlib.sha256(repr([(name, str(dtype)) for name, dtype in X.dtypes.items()]).encode())
    digest.update(pd.util.hash_pandas_object(X.reset_index(drop=True), index=False).to_numpy().tobytes())
    digest.update(outcome.tobytes())
    return digest.hexdigest()


def train_frame(
    X,
    y,
    groups=None,
    time=None,
    *,
    seed=0,
    capacity=None,
    replicates=200,
    name="frame",
    language="es",
):
    """Train, calibrate and validate on a feature frame.

    Learnt is a mixture of LightGBM and of elastic-net logistic regression whose columns may bend; penalty,
    trees, mixture and calibrator are chosen by five-fold cross-fitting that keeps groups whole: no rows are
    spent on windows. Where Riley's criteria ask for more people than there are, LightGBM is refused before it
    is learnt, and the regression stands alone.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)    numbers, booleans, categories; missing values allowed; no times
    y : array of {0, 1}, shape (n,)
    groups : array, shape (n,), or None    persons: kept together; None: each row its own
    time : array, shape (n,), or None      when each row stands: the latest fifth judges the same recipe
        fitted to the rows before it; None: cross-fitted predictions judge
    seed : int           the same inputs and seed give the same version
    capacity : int or None    cases a week, for recall in the weekly list (with `time` as dates: by week)
    replicates : int     behind each interval
    name : str           of the model
    language : str       of progress bars and of what cannot be estimated

    Returns
    -------
    Model    `.predict(X_new)` calibrated risk, shape (n,); `.report` what was measured, as of `train`, with
        `sample_size` and, in the comparison, a row without figures for each learner that was refused

    Raises
    ------
    RiskmlError    y not 0 and 1, one class only, fewer than 20 rows of the rarer class, lengths that differ,
        a column of times, missing groups
    """
    X = _check_frame(X)
    n = len(X)
    outcome = _outcome(y, n)
    people = np.arange(n) if groups is None else pd.factorize(_array(groups, n, "groups"))[0]
    if len(np.unique(people)) < 2:
        raise RiskmlError("one group only", where="groups", mend="Give one label for each person.")
    encoding = Encoding.fit(X, infer_columns(X))
    if not encoding.columns:
        raise RiskmlError("no column varies", where="X", mend="Give columns with at least two values.")
    design = encoding.design(X, where="X")
    development = development_verdict(design.shape[1], outcome, people)
    recipe = {
        "curves": (False, True),
        "kinds": CALIBRATORS,
        "flexible": development.met,
        "seed": seed,
    }
    fitted = cross_fit(design, outcome, people, **recipe)
    chosen = "blend" if development.met else "elastic_net"
    left_out = () if development.met else FLEXIBLE
    if time is None:
        judged, rows, notes = fitted.risks, np.arange(n), [note("not_prospective"), note("recipe_reported")]
        unseen = None
    else:
        judged, rows, unseen = _later(design, outcome, people, _moments(time, n), recipe)
        notes = [note("later_rows", share=round(100 * len(rows) / n))]
    report, found = comparison_report(
        outcome[rows],
        judged,
        people[rows],
        chosen=chosen,
        as_of=pd.to_datetime(pd.Series(time)).to_numpy()[rows] if _dates(time) else None,
        capacity=capacity,
        replicates=replicates,
        seed=seed,
        unseen=unseen,
        language=language,
    )
    report["comparison"] += [
        refused_row(report["comparison"][0], name, refused(development)) for name in left_out
    ]
    report |= {
        "sample_size": sample_size_report(
            development, evaluation_verdict(outcome[rows], people[rows]), left_out
        ),
        "model": {"name": name, "rows": n, "groups": len(np.unique(people)), "events": int(outcome.sum())},
        "split": {"by": "person" if time is None else "time", "prospective": time is not None, "windows": []},
        "tuning": plain(fitted.tuning),
        "calibrators": plain(fitted.calibrators),
        "weight_of_trees": fitted.weight,
        "importance": importance(fitted.learners[chosen], encoding, design, seed=seed),
        "constant_columns": list(encoding.constant),
        "notes": notes + found,
    }
    return Model(
        name,
        fitted.learners[chosen],
        encoding,
        fitted.fitted[chosen],
        risk_groups=plain(risk_groups(fitted.risks[chosen], outcome, people)),
        reference=reference_of(fitted.risks[chosen]),
        card={"seed": seed, "frame": _fingerprint(X, outcome), "libraries": libraries()},
        report=report,
    )


def _dates(time):
    return time is not None and pd.api.types.is_datetime64_any_dtype(pd.Series(time))


def _later(design, outcome, people, rank, recipe):
    """The recipe fitted to the earlier rows, on the latest fifth: risks, rows, which people are unseen."""
    border = np.quantile(rank, 1 - LATER)
    later = np.flatnonzero(rank > border)
    before = np.flatnonzero(rank <= border)
    for rows, what in ((before, "earlier rows"), (later, "latest rows")):
        if not len(rows) or not 0 < outcome[rows].sum() < len(rows):
            raise RiskmlError(
                f"the {what} have one class only",
                where="time",
                mend="Leave time out: groups are then judged by cross-fitting.",
            )
    fitted = cross_fit(design[before], outcome[before], people[before], **recipe)
    return fitted.predict(design[later]), later, ~np.isin(people[later], people[before])
