"""Calibrators: increasing maps from log-odds to risk, so that ranking is kept; chosen by Brier score."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from riskml.errors import RiskmlError
from riskml.models.likelihood import logit
from riskml.models.splits import grouped_folds

__all__ = ["CALIBRATORS", "Calibrator", "choose_calibrator", "fit_calibrator"]

CALIBRATORS = ("none", "sigmoid", "beta", "isotonic")  # from simple to flexible
SMALLEST = 1e-6
FOLDS = 5
SMALLEST_SLOPE = 1e-6


def _intercept_only(margin, outcome):
    """The shift of log-odds that makes the mean risk equal the share of events."""
    wanted, shift = np.clip(outcome.mean(), SMALLEST, 1 - SMALLEST), 0.0
    for _ in range(50):
        risk = expit(margin + shift)
        step = (wanted - risk.mean()) / max(np.mean(risk * (1 - risk)), 1e-9)
        shift += np.clip(step, -2.0, 2.0)
        if abs(step) < 1e-10:
            break
    return float(shift)


@dataclass(frozen=True)
class Calibrator:
    """An increasing map from log-odds to risk.

    Attributes
    ----------
    kind : str          "none", "sigmoid", "beta" or "isotonic"
    parameters : dict   plain numbers; what they mean depends on the kind
    """

    kind: str = "none"
    parameters: dict = None

    def risk(self, margin):
        """Calibrated risk, float array in (0, 1): increasing in the log-odds, never exactly 0 or 1.

        Parameters
        ----------
        margin : float array, shape (n,)    log-odds of the learner
        """
        margin = np.asarray(margin, dtype=float)
        p = self.parameters or {}
        if self.kind == "none":
            risk = expit(margin)
        elif self.kind == "sigmoid":
            risk = expit(p["slope"] * margin + p["intercept"])
        elif self.kind == "beta":
            lower, upper = -np.logaddexp(0, -margin), np.logaddexp(0, margin)
            risk = expit(p["a"] * lower + p["b"] * upper + p["c"])
        else:
            knots, values = np.array(p["margin"]), np.array(p["risk"])
            # The slight slope in log-odds keeps the ranking where isotonic regression is flat.
            risk = expit(logit(np.interp(margin, knots, values)) + SMALLEST_SLOPE * margin)
        return np.clip(risk, SMALLEST, 1 - SMALLEST)

    def to_document(self):
        """Plain JSON."""
        return {"kind": self.kind, "parameters": self.parameters or {}}

    @classmethod
    def from_document(cls, document):
        """The calibrator that `to_document` stored."""
        if document["kind"] not in CALIBRATORS:
            raise RiskmlError(
                f'unknown calibrator "{document["kind"]}"',
                where="bundle.json",
                mend="Load it with the version that trained it.",
            )
        return cls(document["kind"], dict(document["parameters"]))


def _newton(outcome, columns, start):
    """The unbounded maximum by Newton's steps, or None where they do not settle."""
    coefficients = start.copy()
    for _ in range(30):
        risk = expit(columns @ coefficients)
        weights = risk * (1 - risk)
        try:
            step = np.linalg.solve((columns * weights[:, None]).T @ columns, columns.T @ (outcome - risk))
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(step).all() or np.abs(step).max() > 20:
            return None
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-8:
            return coefficients
    return None


def _likelihood(outcome, columns, start, bounds):
    """Logistic regression on a few columns with bounds on its coefficients, by maximum likelihood."""
    found = _newton(outcome, columns, start)
    if found is not None and all(
        low is None or value > low for value, (low, _) in zip(found, bounds, strict=True)
    ):
        return found

    def loss(coefficients):
        margin = columns @ coefficients
        gradient = columns.T @ (expit(margin) - outcome) / len(outcome)
        return np.mean(np.logaddexp(0, margin) - outcome * margin), gradient

    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}).x


def _centred_isotonic(margin, outcome):
    """Isotonic regression with each flat stretch drawn together to its centre: knots and values.

    Oron & Flournoy (2017), Statistics in Biopharmaceutical Research 9:258: less biased than the steps, and
    increasing between the knots.
    """
    from sklearn.isotonic import isotonic_regression

    knots, place, size = np.unique(margin, return_inverse=True, return_counts=True)
    events = np.bincount(place, weights=outcome)
    fitted = isotonic_regression(events / size, sample_weight=size)
    block = np.concatenate([[0], np.cumsum(np.diff(fitted) > 1e-12)])
    weight = np.bincount(block, weights=size)
    centre = np.bincount(block, weights=knots * size) / weight
    # Half an event is added to both sides: a stretch without events does not claim a risk of exactly 0.
    value = (np.bincount(block, weights=events) + 0.5) / (weight + 1.0)
    return centre, np.maximum.accumulate(value)


def fit_calibrator(kind, margin, outcome):
    """One calibrator, fitted by maximum likelihood (isotonic: least squares).

    Parameters
    ----------
    kind : str                              one of CALIBRATORS
    margin : float array, shape (n,)        log-odds of rows that the learner has not seen
    outcome : array of {0, 1}, shape (n,)

    Returns
    -------
    Calibrator
    """
    margin, outcome = np.asarray(margin, dtype=float), np.asarray(outcome, dtype=float)
    if kind == "none":
        return Calibrator("none", {})
    if np.ptp(margin) < 1e-12:  # one risk for everyone: only its height can be right or wrong
        return Calibrator("sigmoid", {"slope": 1.0, "intercept": _intercept_only(margin, outcome)})
    if kind == "sigmoid":
        slope, intercept = _likelihood(
            outcome,
            np.column_stack([margin, np.ones_like(margin)]),
            np.array([1.0, 0.0]),
            [(SMALLEST_SLOPE, None), (None, None)],
        )
        return Calibrator("sigmoid", {"slope": float(slope), "intercept": float(intercept)})
    if kind == "beta":
        columns = np.column_stack([-np.logaddexp(0, -margin), np.logaddexp(0, margin), np.ones_like(margin)])
        a, b, c = _likelihood(
            outcome,
            columns,
            np.array([1.0, 1.0, 0.0]),
            [(SMALLEST_SLOPE, None), (SMALLEST_SLOPE, None), (None, None)],
        )
        return Calibrator("beta", {"a": float(a), "b": float(b), "c": float(c)})
    if kind == "isotonic":
        knots, values = _centred_isotonic(margin, outcome)
        return Calibrator("isotonic", {"margin": knots.tolist(), "risk": values.tolist()})
    raise ValueError(f"unknown calibrator {kind}")


def choose_calibrator(margin, outcome, groups, *, kinds=CALIBRATORS, seed=0, folds=FOLDS, cautious=False):
    """The calibrator with the lowest Brier score, each judged on people it was not fitted on.

    Parameters
    ----------
    margin : float array, shape (n,)        log-odds of rows that the learner has not seen
    outcome : array of {0, 1}, shape (n,)
    groups : array, shape (n,)              people: kept whole in the cross-validation
    kinds : iterable of str                 which to try; the simpler wins a tie
    cautious : bool    take a calibrator other than the simplest only when its gain in Brier score is larger
        than the gain's standard error over people: for log-odds that are cross-fitted

    Returns
    -------
    chosen : Calibrator                     fitted on all the rows
    table : list of dict                    kind, brier (cross-validated), log_loss, chosen
    risk : float array, shape (n,)          the chosen kind's cross-validated risk
    """
    margin, outcome = np.asarray(margin, dtype=float), np.asarray(outcome, dtype=float)
    fold = grouped_folds(groups, outcome, folds=folds, seed=seed)
    table, risks = [], []
    for kind in sorted(kinds, key=CALIBRATORS.index):
        risk = np.empty(len(margin))
        for k in np.unique(fold):
            inside = fold != k
            risk[~inside] = fit_calibrator(kind, margin[inside], outcome[inside]).risk(margin[~inside])
        risks.append(risk)
        table.append(
            {
                "kind": kind,
                "brier": float(np.mean((risk - outcome) ** 2)),
                "log_loss": float(-np.mean(outcome * np.log(risk) + (1 - outcome) * np.log1p(-risk))),
            }
        )
    best = int(np.argmin([row["brier"] for row in table]))
    if cautious and best:
        gain = (risks[0] - outcome) ** 2 - (risks[best] - outcome) ** 2
        by_person = np.bincount(np.unique(groups, return_inverse=True)[1], weights=gain - gain.mean())
        if gain.sum() <= np.sqrt(np.square(by_person).sum()):
            best = 0
    for position, row in enumerate(table):
        row["chosen"] = position == best
    return fit_calibrator(table[best]["kind"], margin, outcome), table, risks[best]
