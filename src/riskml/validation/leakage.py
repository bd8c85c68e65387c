"""The first sign of leakage: discrimination that honest, prospective models do not reach."""

from riskml.messages import message

__all__ = ["LEAKAGE_AUC", "leakage_flag"]

# EVIDENCE 3.1, reading: prospective AUC for police-recorded recidivism is 0.65-0.76; above this, audit for
# leakage.
LEAKAGE_AUC = 0.80


def leakage_flag(auc_interval, *, language="es"):
    """The sentence that a report carries when an AUC is too good to be taken at its word.

    Parameters
    ----------
    auc_interval : (estimate, low, high) of floats    AUC on later assessments, with its interval
    language : str

    Returns
    -------
    str    empty when the estimate is 0.80 or below
    """
    estimate, low, high = auc_interval
    if not estimate > LEAKAGE_AUC:
        return ""
    return message(
        "validation.leakage_flag", language, auc=f"{estimate:.2f}", low=f"{low:.2f}", high=f"{high:.2f}"
    )
