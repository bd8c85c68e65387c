"""Calibration and fairness of each group at the unit's operating point, from one audit."""

from dataclasses import replace

import pandas as pd

from riskml.training.validation_words import in_words
from riskml.validation.audit_groups import GROUPINGS, audit_groups
from riskml.validation.fairness import fairness_audit, flagged_by_capacity
from riskml.validation.subgroups import CALIBRATION

__all__ = ["audited"]

_CALIBRATED = ("year", "municipality", "source", "relationship", "partner")  # of a validation's calibration

_TABLE = {
    "age_band": "aggressors",
    "aggressor_sex": "aggressors",
    "victim_sex": "victims",
    "victim_age_band": "victims",
    "source": "incidents",
}  # what a grouping reads beside the cases


def audited(found, *, replicates):
    """The fairness audit of a model, and the part of it that speaks of calibration by group.

    Both are of one computation: the groupings of calibration are among those of fairness.

    Parameters
    ----------
    found : Rebuilt
    replicates : int    of the bootstrap over aggressors

    Returns
    -------
    (by_group, fairness) : two dicts    as `Subgroups.document` and `Fairness.document`; fairness with
        operating_point {kind, capacity, listed, assessments, words} and left_out
        (groupings whose table the history lacks)
    """
    outcome, risk, people = found.judged
    cohort = found.cohort.iloc[found.later]
    groupings = [name for name in GROUPINGS if _TABLE.get(name, "cases") in found.history.tables]
    flagged = flagged_by_capacity(risk, found.spec.capacity, as_of=cohort["as_of"].to_numpy())
    audit = fairness_audit(
        outcome,
        risk,
        people,
        audit_groups(found.history, cohort, groupings=groupings),
        flagged=flagged,
        index=pd.MultiIndex.from_frame(cohort[["case_id", "as_of"]]),
        replicates=replicates,
        seed=found.seed,
        language=found.language,
    )
    rows = tuple(
        row for row in audit.subgroups.rows if row["grouping"] in _CALIBRATED and row["metric"] in CALIBRATION
    )
    point = {
        "kind": "capacity",
        "capacity": found.spec.capacity,
        "listed": float(flagged.sum()),
        "assessments": len(flagged),
        "words": in_words("operating_point", capacity=found.spec.capacity),
    }
    by_group = replace(audit.subgroups, rows=rows).document()
    left_out = [name for name in GROUPINGS if name not in groupings]
    return by_group, {**audit.document(), "operating_point": point, "left_out": left_out}
