"""What stood on record before the event: earlier reports, measures in force; by year, relationship, kind."""

import numpy as np

from riskml.fatality.findings.prevalence import counted
from riskml.fatality.form import UNKNOWN as UNKNOWN_CODE
from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN

__all__ = ["EARLIER", "earlier", "years"]

EARLIER = ("earlier_report", "measure_in_force", "living_together", "children_present", "homicide_suicide")
_NAMES = ("yes", "no", "unknown")


def years(reviews):
    """The year of each event, str: Series in the order of the cases."""
    return reviews.cases["event_on"].dt.strftime("%Y")


def earlier(reviews):
    """Answers about each case, with bounds for what nobody knows: list of dict.

    Parameters
    ----------
    reviews : Reviews

    Returns
    -------
    list of dict    field; yes, no, unknown and the rest of `counted`; by: the same for each group of cases,
        with by ("year", "relationship" or "kind") and group
    """
    groupings = {
        "year": years(reviews),
        "relationship": reviews.cases["relationship"].fillna(UNKNOWN_CODE),
        "kind": reviews.cases["kind"],
    }
    rows = []
    for field in EARLIER:
        states = reviews.cases[field].map({"yes": PRESENT, "no": DENIED}).fillna(UNKNOWN).to_numpy(np.int8)
        groups = [
            {"by": by, "group": group} | counted(states[(values == group).to_numpy()], _NAMES)
            for by, values in groupings.items()
            for group in sorted(values.unique())
        ]
        rows.append({"field": field} | counted(states, _NAMES) | {"by": groups})
    return rows
