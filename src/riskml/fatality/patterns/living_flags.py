"""What a pattern would ask of the unit: living cases that it flags today, and new ones each week."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from riskml.fatality.patterns.case_facts import record_moments
from riskml.outcomes.facts import current_cases
from riskml.outcomes.timeline import FOREVER, microseconds, moment_us
from riskml.vocabulary import duration

__all__ = ["WEEKS", "Living", "living_cases", "poisson_interval"]

WEEKS = 26  # behind the number of newly flagged cases a week
_WEEK = duration("7d")


def poisson_interval(n, *, level=0.95):
    """Exact interval of the expected count where n were counted: (low, high).

    References
    ----------
    Garwood (1936), Biometrika 28:437.
    """
    tail = (1 - level) / 2
    low = chi2.ppf(tail, 2 * n) / 2 if n else 0.0
    return float(low), float(chi2.ppf(1 - tail, 2 * n + 2) / 2)


@dataclass(frozen=True)
class Living:
    """Living cases at a moment, and those of which something was recorded in the weeks before it.

    Attributes
    ----------
    today : DataFrame       features of the cases that are open at the moment
    start : DataFrame       of the cases of which something was recorded since, at the beginning of the weeks
    moves : DataFrame       of the same at every record since, while they were open
    owner : int array       of each row of `moves`, the row of `start` that is of the same case
    weeks : int             that were looked back on; 0 where the history is younger than a week
    """

    today: pd.DataFrame
    start: pd.DataFrame
    moves: pd.DataFrame
    owner: np.ndarray
    weeks: int

    def newly(self, at_start, at_moves):
        """Newly flagged cases a week: dict of per_week, per_week_low, per_week_high, newly, weeks.

        Newly flagged is a case that was not flagged when the weeks began, and then was at a record. Counted
        once each; the interval is exact for a count.

        Parameters
        ----------
        at_start, at_moves : bool arrays    who is flagged in the rows of `start` and of `moves`
        """
        if not self.weeks:
            return {"per_week": None, "per_week_low": None, "per_week_high": None, "newly": None, "weeks": 0}
        flagged = np.zeros(len(self.start), bool)
        flagged[self.owner[at_moves]] = True
        count = int((flagged & ~at_start).sum())
        low, high = poisson_interval(count)
        rates = {"per_week": count, "per_week_low": low, "per_week_high": high}
        return {k: v / self.weeks for k, v in rates.items()} | {"newly": count, "weeks": self.weeks}


def living_cases(part, as_of, *, without=()):
    """The living cases of a registry at a moment.

    Parameters
    ----------
    part : RegistryPart
    as_of : Timestamp
    without : collection of case_id    reviewed cases: they are not among the living, open or not

    Returns
    -------
    Living
    """
    moment = moment_us(as_of)
    cohort = part.history.open_cases(as_of)
    cohort = cohort[~cohort["case_id"].isin(list(without))]
    shown = part.first[part.first <= moment]
    weeks = int(min(WEEKS, (moment - shown.min()) // _WEEK)) if len(shown) else 0
    start = moment - weeks * _WEEK
    code, time = record_moments(part)
    closed = _closed(part, moment)
    reviewed = part.ids.isin(list(without))
    of = (time > start) & (time <= moment) & (time < closed[code]) & ~reviewed[code]
    code, time = code[of], time[of]
    moved, owner = np.unique(code, return_inverse=True)
    ids = part.ids.to_numpy(object)
    frame = part.frame(
        np.concatenate([cohort["case_id"].to_numpy(object), ids[moved], ids[code]]),
        np.concatenate([np.full(len(cohort), moment), np.full(len(moved), start), time]).view(
            "datetime64[us]"
        ),
    )
    cuts = np.cumsum([len(cohort), len(moved), len(code)])
    today, began, moves = (
        frame.iloc[a:b].reset_index(drop=True) for a, b in zip((0, *cuts[:-1]), cuts, strict=True)
    )
    return Living(today, began, moves, owner, weeks)


def _closed(part, moment):
    """When each case was closed, as known at a moment: int64 array, microseconds; FOREVER: it was not."""
    table = part.history.table("cases", ("closed_at",))
    code, row = current_cases(part.history, part.ids, moment)
    closed = np.full(len(part.ids), FOREVER)
    closed[code] = microseconds(table["closed_at"]).or_forever()[row]
    return closed
