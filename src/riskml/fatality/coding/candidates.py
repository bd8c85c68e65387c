"""Which cases of the registry a reviewed case may be: a list for the team to look at, never a link."""

import numpy as np
import pandas as pd

from riskml.fatality.form import UNKNOWN
from riskml.messages import LANGUAGES, message
from riskml.progress import progress
from riskml.registry.masking import plain_words
from riskml.vocabulary import PARTNER_RELATIONSHIPS

__all__ = ["candidates"]

_GRAVE = 5  # severity: life-threatening
_FACTS = ("relationship", "municipality", "victim_age", "aggressor_age")
_ALIKE = 3  # of _FACTS, where no grave record lies near the day
_YEARS = 1  # ages in files are often a year off
_DAY = np.timedelta64(1, "D")


def candidates(reviews, history, *, days=7, most=5, language="es"):
    """Cases of a history that the reviews without a link may be, with why.

    A case is shown where an outcome, or an incident of severity 5 or more, lies within so many days of the
    event; or where three of relationship, municipality and both ages (to a year) agree and none differs. A
    team that recognises its case writes the pseudonym into the form's column of registry ids.

    Parameters
    ----------
    reviews : Reviews    those without `case_id` are looked for
    history : History    all that stands in it, whenever it was recorded: this is no comparison
    days : int           to either side of the event
    most : int           for each review
    language : str       of the progress bar

    Returns
    -------
    DataFrame    review_id, rank (1 first), case_id (pseudonym), days (from the event to the nearest outcome
        or grave incident, NaN where none is near), agrees and differs (tuples of "day" and of relationship,
        municipality, victim_age, aggressor_age; what one side does not know is in neither), es and en (why);
        the review's cases by how much agrees less what differs, then by days
    """
    wanted = reviews.cases[reviews.cases["case_id"].isna()]
    held = _held(history)
    ages = {role: _ages(reviews.people, role) for role in ("victim", "aggressor")}
    found = []
    with progress(message("fatality_coders.looking", language), len(wanted)) as advance:
        for case in wanted.itertuples():
            found += _of_case(case, ages, held, days, most)
            advance()
    columns = ("review_id", "rank", "case_id", "days", "agrees", "differs", *LANGUAGES)
    return pd.DataFrame(found, columns=list(columns)).astype({"days": float})


def _standing(history, name, columns):
    """Rows of a table that no correction replaced, the one recorded last of each id at its end."""
    table = history.table(name).select([*columns, "recorded_at", "superseded_at"]).to_pandas()
    return table[table["superseded_at"].isna()].sort_values("recorded_at", kind="stable")


def _held(history):
    """What a history holds of every case: dict of arrays, and the days of its gravest records."""
    cases = _standing(
        history, "cases", ["case_id", "aggressor_id", "victim_id", "relationship", "municipality"]
    ).drop_duplicates("case_id", keep="last")
    born = {}
    for role in ("victim", "aggressor"):
        people = _standing(history, f"{role}s", [f"{role}_id", "birth_year"])
        people = people.drop_duplicates(f"{role}_id", keep="last").set_index(f"{role}_id")
        born[role] = cases[f"{role}_id"].map(people["birth_year"]).to_numpy(float)
    incidents = _standing(history, "incidents", ["case_id", "severity", "occurred_at"])
    grave = pd.concat(
        [
            incidents[incidents["severity"] >= _GRAVE][["case_id", "occurred_at"]],
            _standing(history, "outcomes", ["case_id", "occurred_at"])[["case_id", "occurred_at"]],
        ]
    )
    place = pd.Index(cases["case_id"]).get_indexer(grave["case_id"])
    known = place >= 0
    return {
        "case_id": cases["case_id"].to_numpy(object),
        "relationship": _Categories(cases["relationship"]),
        "municipality": _Categories(_plain(cases["municipality"])),
        "born": born,
        "grave": place[known],
        "grave_on": grave["occurred_at"].to_numpy("datetime64[D]")[known],
    }


class _Categories:
    """A column of short words, asked again and again which rows hold one of them."""

    def __init__(self, values):
        self._codes, words = pd.factorize(pd.Series(values, dtype=object))
        self._words = pd.Index(words)

    def compare(self, word, alike=()):
        """1 where a row holds the word, -1 where another, 0 where none or one that is alike: int8 array."""
        answer = np.full(len(self._words) + 1, -1, np.int8)
        answer[-1] = 0  # the place of a missing value, whose code is -1
        answer[:-1][self._words.isin(alike)] = 0
        answer[:-1][self._words == word] = 1
        return answer[self._codes]


def _plain(values):
    """Names of places without case and accents, None where there is none: Series."""
    names = {value: " ".join(plain_words(value)) or None for value in values.dropna().unique()}
    return values.map(names)


def _ages(people, role):
    """Age of the first person of a role in each review: DataFrame of age_low, age_high, index review_id."""
    of_role = people[people["role"] == role].drop_duplicates("review_id")
    return of_role.set_index("review_id")[["age_low", "age_high"]]


def _of_case(case, ages, held, days, most):
    """Rows of `candidates` for one review."""
    event = np.datetime64(case.event_on, "D")
    apart = np.full(len(held["case_id"]), np.inf)
    np.minimum.at(apart, held["grave"], np.abs((held["grave_on"] - event) / _DAY))
    near = apart <= days
    facts = np.zeros((len(apart), len(_FACTS)), np.int8)
    facts[:, 0] = _same_relationship(case.relationship, held["relationship"])
    facts[:, 1] = _same_place(case.municipality, held["municipality"])
    for column, role in enumerate(("victim", "aggressor"), start=2):
        facts[:, column] = _same_age(case, ages[role], held["born"][role])
    agree, differ = (facts == 1).sum(axis=1), (facts == -1).sum(axis=1)
    fits = np.flatnonzero(near | ((agree >= _ALIKE) & (differ == 0)))
    order = np.lexsort((held["case_id"][fits].astype(str), apart[fits], -(near + agree - differ)[fits]))
    rows = []
    for rank, place in enumerate(fits[order][:most], start=1):
        agrees = (("day",) if near[place] else ()) + _named(facts[place] == 1)
        differs = _named(facts[place] == -1)
        distance = apart[place] if near[place] else np.nan
        words = [_why(agrees, differs, distance, language) for language in LANGUAGES]
        rows.append((case.review_id, rank, held["case_id"][place], distance, agrees, differs, *words))
    return rows


def _named(which):
    return tuple(name for name, holds in zip(_FACTS, which, strict=True) if holds)


def _why(agrees, differs, distance, language):
    """A candidate's reasons as one sentence."""

    def words(name):
        count = {"count": int(distance)} if name == "day" else {}
        return message(f"fatality_coders.fits_{name}", language, **count)

    said = [message("fatality_coders.fits", language, what=", ".join(words(name) for name in agrees))]
    if differs:
        what = ", ".join(words(name) for name in differs)
        said.append(message("fatality_coders.fits_not", language, what=what))
    return " ".join(said)


def _same_relationship(coded, held):
    """1 the same, -1 another, 0 not known, or partner and ex-partner: the registry may not have heard yet."""
    if coded is None or coded == UNKNOWN:
        return 0
    return held.compare(coded, PARTNER_RELATIONSHIPS if coded in PARTNER_RELATIONSHIPS else ())


def _same_place(coded, held):
    name = " ".join(plain_words(coded)) if coded else ""
    return held.compare(name) if name else 0


def _same_age(case, ages, born):
    """1 where the age on the day lies in the form's span, to a year; -1 where not; 0 not known."""
    if case.review_id not in ages.index or pd.isna(ages.at[case.review_id, "age_low"]):
        return 0
    low, high = ages.loc[case.review_id]
    turned = case.event_on.year - born  # the age on the day is this or a year less
    inside = (turned >= low - _YEARS) & (turned - 1 <= high + _YEARS)
    return np.where(np.isnan(born), 0, np.where(inside, 1, -1))
