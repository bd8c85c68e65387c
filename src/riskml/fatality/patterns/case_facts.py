"""What was known of each reviewed case before its event: by review and registry, and since when."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.fatality.form import ABSENT
from riskml.fatality.form import PRESENT as CODED_PRESENT
from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN, factor_states
from riskml.features.matrix import build_features
from riskml.outcomes.facts import facts_of
from riskml.outcomes.timeline import FOREVER
from riskml.vocabulary import RELATIONSHIPS, STATES

__all__ = ["CaseFacts", "RegistryPart", "case_facts", "record_moments"]

_WORDS = np.array([*STATES, None], dtype=object)  # by state; unknown is the last
_NEVER = np.datetime64("9999-12-31", "D")


class RegistryPart:
    """A history with the part of its catalogue that patterns read.

    Parameters
    ----------
    history : History
    read : Catalogue
    codes : sequence of str    factors whose states are read

    Attributes
    ----------
    ids : pandas.Index         the history's case ids, sorted
    first : int64 array        when each case first shows, microseconds; FOREVER: never
    """

    def __init__(self, history, read, codes):
        self.history, self.read, self.codes = history, read, tuple(codes)
        ids = history.table("cases", ("case_id",))["case_id"].to_pandas().dropna()
        self.ids = pd.Index(sorted(ids.unique()))
        shown = facts_of(history, "cases", self.ids)
        self.first = np.full(len(self.ids), FOREVER)
        np.minimum.at(self.first, shown.code, shown.start)

    def frame(self, case_ids, moments):
        """The features of cases at moments: DataFrame, in that order, index 0 to n - 1."""
        cohort = pd.DataFrame({"case_id": case_ids, "as_of": moments.astype("datetime64[us]")})
        return build_features(self.history, cohort, self.read).reset_index(drop=True)


def record_moments(part):
    """When something that the patterns read came to show, or ceased to.

    Parameters
    ----------
    part : RegistryPart

    Returns
    -------
    code : int array      cases, as positions in `part.ids`
    time : int64 array    microseconds, on the visible timeline; each moment of a case once, ascending
    """
    codes, times = [], []
    for name in part.read.tables_read:
        if "case_id" not in part.history.table(name).column_names:
            continue  # of persons: they say who somebody is, not what happened
        facts = facts_of(part.history, name, part.ids)
        ended = facts.end < FOREVER
        codes += [facts.code, facts.code[ended]]
        times += [facts.start, facts.end[ended]]
    code, time = np.concatenate(codes), np.concatenate(times)
    order = np.lexsort((time, code))
    code, time = code[order], time[order]
    new = np.ones(len(code), bool)
    new[1:] = (code[1:] != code[:-1]) | (time[1:] != time[:-1])
    return code[new], time[new]


@dataclass(frozen=True)
class CaseFacts:
    """Features of reviewed cases as known before their events: at the last, and day by day.

    Attributes
    ----------
    cases : DataFrame           rows of `Reviews.cases`
    before : DataFrame          one row per case: what review and registry said, where present outranks denied
    form, registry : DataFrame  the same of each alone; missing where the registry did not show the case
    in_registry : bool array    whether the registry showed the case before the event
    case : int array            of each row of `by_day`, the case it is of, ascending
    day : datetime64[D] array   of each row of `by_day`: a day on which something became known, ascending
    by_day : DataFrame          what was known by the end of that day
    """

    cases: pd.DataFrame
    before: pd.DataFrame
    form: pd.DataFrame
    registry: pd.DataFrame
    in_registry: np.ndarray
    case: np.ndarray
    day: np.ndarray
    by_day: pd.DataFrame

    @property
    def event(self):
        """Day of each case's event: datetime64[D] array."""
        return self.cases["event_on"].to_numpy("datetime64[D]")

    @property
    def first(self):
        """Rows of `by_day` that are the first of their case: int array."""
        return np.flatnonzero(np.diff(self.case, prepend=-1) > 0)


def case_facts(reviews, cases, part):
    """What was known of reviewed cases before their events.

    Parameters
    ----------
    reviews : Reviews
    cases : DataFrame       rows of `reviews.cases`
    part : RegistryPart

    Returns
    -------
    CaseFacts

    Notes
    -----
    Of the form counts what was known before the event; of the registry, for cases that are linked, what it
    showed at the first midnight of the day before the event, as in the training of a lethal model. What
    became known by the event, or after it, changes nothing. A factor that nobody dated counts for `before`
    and on no day.
    """
    cases = cases.reset_index(drop=True)
    event = cases["event_on"].to_numpy("datetime64[D]")
    place = part.ids.get_indexer(cases["case_id"])
    index = (event - 1).astype("datetime64[us]")  # the last midnight that is surely before the event
    present, absent = _dated(reviews, cases, part.codes)
    case, day = _days(reviews, cases, part, place, (present, absent))
    owner = np.concatenate([np.arange(len(cases)), case])
    moment = np.concatenate([index, np.minimum((day + 1).astype("datetime64[us]"), index[case])])
    registry = _registry(part, cases, place, owner, moment)
    by_form = np.full((len(day), len(part.codes)), UNKNOWN, np.int8)
    by_form[absent[case] <= day[:, None]] = DENIED
    by_form[present[case] <= day[:, None]] = PRESENT
    coded = reviews.states(part.codes, known="before")
    coded = coded[pd.Index(reviews.cases["review_id"]).get_indexer(cases["review_id"])]
    form = _framed(np.concatenate([coded, by_form]), part.codes)
    both = _framed(
        np.maximum(factor_states(form, part.codes), factor_states(registry, part.codes)), part.codes
    )
    others = [name for name in registry.columns if name not in both.columns]
    both = pd.concat([both, registry[others]], axis=1)
    said = cases["relationship"].where(cases["relationship"].isin(RELATIONSHIPS)).to_numpy(object)[owner]
    if "relationship" in registry:
        said = np.where(pd.isna(said), registry["relationship"].to_numpy(object), said)
    form, both, registry = (frame.assign(relationship=said) for frame in (form, both, registry))
    n = len(cases)
    seen = (place >= 0) & (np.append(part.first, FOREVER)[place] <= index.astype(np.int64))
    by_day = both.iloc[n:].reset_index(drop=True)
    return CaseFacts(cases, both.iloc[:n], form.iloc[:n], registry.iloc[:n], seen, case, day, by_day)


def _dated(reviews, cases, codes):
    """First day on which the form dates each factor as present, and as absent: two datetime64[D] arrays."""
    rows = reviews.known_before()
    rows = rows[rows["known_on"].notna()]
    row = pd.Index(cases["review_id"]).get_indexer(rows["review_id"])
    column = pd.Index(list(codes)).get_indexer(rows["factor"])
    day = rows["known_on"].to_numpy("datetime64[D]")
    found = []
    for state in (CODED_PRESENT, ABSENT):
        first = np.full((len(cases), len(codes)), _NEVER)
        here = (row >= 0) & (column >= 0) & (rows["state"] == state).to_numpy()
        np.minimum.at(first, (row[here], column[here]), day[here])
        found.append(first)
    return found


def _days(reviews, cases, part, place, dated):
    """Days before the event on which something became known of each case: case and day, each ascending."""
    event = cases["event_on"].to_numpy("datetime64[D]")
    code, time = record_moments(part)
    owner = pd.Series(np.arange(len(cases))[place >= 0], index=place[place >= 0])
    case = owner.reindex(code).fillna(-1).to_numpy(int)
    found = [(case[case >= 0], time[case >= 0].astype("datetime64[us]").astype("datetime64[D]"))]
    contacts = reviews.contacts
    of = pd.Index(cases["review_id"]).get_indexer(contacts["review_id"])
    found.append((of[of >= 0], contacts["contact_on"].to_numpy("datetime64[D]")[of >= 0]))
    found += [(np.nonzero(first < _NEVER)[0], first[first < _NEVER]) for first in dated]
    days = pd.DataFrame(
        {
            "case": np.concatenate([case for case, _ in found]),
            "day": np.concatenate([day for _, day in found]).astype("datetime64[s]"),
        }
    )
    days = days[days["day"].to_numpy("datetime64[D]") < event[days["case"]]]
    days = days.drop_duplicates().sort_values(["case", "day"])
    return days["case"].to_numpy(int), days["day"].to_numpy("datetime64[D]")


def _registry(part, cases, place, owner, moment):
    """What the registry showed of each row's case; missing where it did not show the case by then."""
    first = np.append(part.first, FOREVER)[place]
    shown = np.flatnonzero(first[owner] <= moment.astype(np.int64))
    if not len(shown):
        return pd.DataFrame(index=range(len(owner)))
    frame = part.frame(cases["case_id"].to_numpy(object)[owner[shown]], moment[shown])
    return frame.set_axis(shown, axis=0).reindex(range(len(owner)))


def _framed(states, codes):
    """States of factors as the columns of a matrix: DataFrame."""
    return pd.DataFrame({code: _WORDS[states[:, place]] for place, code in enumerate(codes)}, dtype=object)
