"""Missed opportunities: how and by which institution, counted by case; and where recommendations stand."""

import pandas as pd

from riskml.fatality.findings.prevalence import share
from riskml.fatality.form import ACTIONS_MISSED, INSTITUTIONS

__all__ = ["missed_matrix", "recommendations"]

_OPEN = ("open", "in_progress")


def missed_matrix(reviews):
    """In how many cases each institution missed an opportunity in each way: dict.

    Returns
    -------
    dict
        how, institutions   the rows and columns; institutions that missed nothing are left out
        matrix              cases, one list for each way
        cases_with_any      `share` of cases; by_how: how, and the same for each way
    """
    rows, total = reviews.missed, len(reviews)
    cells = rows.drop_duplicates(["review_id", "how", "institution"]).groupby(["how", "institution"]).size()
    seen = [code for code in INSTITUTIONS if code in set(rows["institution"])]
    by_how = rows.groupby("how")["review_id"].nunique()
    return {
        "how": list(ACTIONS_MISSED),
        "institutions": seen,
        "matrix": [[int(cells.get((how, code), 0)) for code in seen] for how in ACTIONS_MISSED],
        "cases_with_any": share(rows["review_id"].nunique(), total),
        "by_how": [{"how": how} | share(by_how.get(how, 0), total) for how in ACTIONS_MISSED],
    }


def recommendations(reviews, as_of):
    """Recommendations by addressee and progress; their words only where the team cleared them: list of dict.

    Parameters
    ----------
    reviews : Reviews
    as_of : Timestamp    the day on which a deadline counts as over

    Returns
    -------
    list of dict    addressee, progress, deadline_on (ISO date or None), overdue, n, recommendation (None
        where it is not cleared)
    """
    rows = reviews.recommendations
    cleared = rows["recommendation"].where(rows["publish"] == "yes", None)
    keys = ["addressee", "progress", "deadline_on", "recommendation"]
    counts = rows.assign(recommendation=cleared).groupby(keys, dropna=False, sort=False).size()
    found = []
    for (addressee, progress, deadline, words), n in counts.items():
        dated = pd.notna(deadline)
        found.append(
            {
                "addressee": addressee,
                "progress": progress,
                "deadline_on": deadline.date().isoformat() if dated else None,
                "overdue": bool(dated and deadline < as_of and progress in _OPEN),
                "n": int(n),
                "recommendation": words if isinstance(words, str) else None,
            }
        )
    return sorted(found, key=lambda row: (not row["overdue"], row["deadline_on"] or "9999"))
