"""Log-odds and the log loss on them: what learners and calibrators minimise."""

import numpy as np

__all__ = ["log_loss", "logit"]

SMALLEST = 1e-12


def logit(risk):
    """Log-odds of a risk; 0 and 1 stop just short of infinity."""
    risk = np.clip(np.asarray(risk, dtype=float), SMALLEST, 1 - SMALLEST)
    return np.log(risk) - np.log1p(-risk)


def log_loss(outcome, margin):
    """Mean negative log-likelihood of an outcome under log-odds.

    Parameters
    ----------
    outcome : array of {0, 1}, shape (n,)
    margin : float array, shape (n,)    log-odds

    Returns
    -------
    float    lower is better
    """
    return float(np.mean(np.logaddexp(0.0, margin) - outcome * margin))
