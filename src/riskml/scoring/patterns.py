"""The approved critical patterns of each case: those that match, and those that hang on one answer."""

import numpy as np

from riskml.models.critical import MATCHED

__all__ = ["case_patterns"]


def case_patterns(patterns, matrix):
    """What the approved critical patterns say of each case.

    Parameters
    ----------
    patterns : CriticalPatterns
    matrix : DataFrame, n rows, index (case_id, as_of)

    Returns
    -------
    dict of case_id -> list of dict
        pattern (its id), version (of the file), label (language -> words), state ("matched", "undetermined")
        and deciding: the factors that nobody mentioned of which any one, were it present, would make it match
        (empty where it does). Undetermined patterns that need more than one answer are not listed
    """
    ids = matrix.index.get_level_values("case_id").to_numpy()
    found = {case: [] for case in ids}
    if not patterns.approved:
        return found
    states, deciding = patterns.states(matrix), patterns.deciding(matrix)
    for name, pattern in patterns.approved.items():
        about = {"pattern": name, "version": patterns.version, "label": dict(pattern.label)}
        for row in np.flatnonzero(states[name] == MATCHED):
            found[ids[row]].append({**about, "state": "matched", "deciding": []})
        for row, codes in enumerate(deciding[name]):
            if codes:
                found[ids[row]].append({**about, "state": "undetermined", "deciding": list(codes)})
    return found
