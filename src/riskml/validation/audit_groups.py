"""Groups for audits, formed from a history as each assessment could know them; never predictors.

The frame that comes out stands apart from the matrix: municipality, the victim's sex and the like are for
audits only, and a catalogue that used them as predictors would be refused.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.outcomes.timeline import microseconds
from riskml.registry.contract import TABLES
from riskml.registry.history import History
from riskml.vocabulary import PARTNER_RELATIONSHIPS, did_you_mean

__all__ = ["AGE_BANDS", "GROUPINGS", "age_band", "audit_groups", "facts_in_force", "join_small"]

AGE_BANDS = (25, 35, 45, 60)  # first year of each band but the youngest
UNKNOWN, JOINED, NOBODY = "unknown", "joined", "none_recorded"
GROUPINGS = (
    "year",
    "municipality",
    "locality",
    "age_band",
    "aggressor_sex",
    "victim_sex",
    "victim_age_band",
    "relationship",
    "partner",
    "source",
)
_CHUNK = 2_000_000  # pairs of assessment and fact looked at together


def _columns(table, names):
    return {name: table[name].to_pandas().to_numpy(dtype=object) for name in names}


def facts_in_force(history, table, ids, as_of, columns, *, by="recorded_at"):
    """The fact of one table that speaks at each moment, for each entity, on the visible timeline.

    A fact is visible when it has happened and been recorded and is not superseded. Of several visible ones
    the latest recorded speaks (`by="recorded_at"`, then the latest to happen: versions of a case or a person)
    or the latest to have happened (`by="occurred_at"`, then the latest recorded: incidents); among equals the
    later row of the table.

    Parameters
    ----------
    history : History
    table : str                            whose rows are facts of `ids`
    ids : array of str, shape (n,)         case, aggressor or victim of each assessment; missing: nobody's
    as_of : array of datetime64, shape (n,)
    columns : names of the columns to bring along
    by : "recorded_at" or "occurred_at"

    Returns
    -------
    DataFrame, n rows, of the columns; missing where nothing is visible. `found` (bool) says where there is
    """
    entity = TABLES[table].entity
    rows = history.table(table, (entity, *columns))
    clock = {name: microseconds(rows[name]) for name in ("occurred_at", "recorded_at")}
    occurred, recorded = clock["occurred_at"].values, clock["recorded_at"].values
    start, end = np.maximum(occurred, recorded), microseconds(rows["superseded_at"]).or_forever()
    code, names = pd.factorize(rows[entity].to_pandas())
    usable = clock["occurred_at"].known & clock["recorded_at"].known & (code >= 0) & (start < end)
    first, then = (recorded, occurred) if by == "recorded_at" else (occurred, recorded)
    order = np.lexsort((np.arange(len(code)), then, first, code))
    order = order[usable[order]]  # within an entity the later place outranks
    begins = np.searchsorted(code[order], np.arange(len(names) + 1))
    asked = pd.Index(names).get_indexer(pd.Index(pd.Series(ids, dtype=object)))
    count = np.where(asked >= 0, np.diff(begins)[asked], 0) if len(names) else np.zeros(len(asked), int)
    when = np.asarray(as_of).astype("datetime64[us]").astype(np.int64)
    speaks = np.full(len(asked), -1)
    for low, high in _chunks(count):
        own = np.repeat(np.arange(low, high), count[low:high])
        if not len(own):
            continue
        offset = np.arange(len(own)) - np.repeat(
            np.cumsum(count[low:high]) - count[low:high], count[low:high]
        )
        place = begins[asked[own]] + offset
        fact = order[place]
        visible = (start[fact] <= when[own]) & (when[own] < end[fact])
        np.maximum.at(speaks, own[visible], place[visible])
    found = speaks >= 0
    row = order[speaks[found]] if len(order) else np.array([], int)
    frame = pd.DataFrame(index=np.arange(len(asked)))
    for name, values in _columns(rows, columns).items():
        column = np.full(len(asked), None, dtype=object)
        column[found] = values[row]
        frame[name] = pd.Series(column, dtype=object)
    frame["found"] = found
    return frame


def _chunks(count):
    """Stretches of assessments with at most `_CHUNK` pairs, or one assessment alone."""
    through, low = np.cumsum(count), 0
    while low < len(count):
        before = through[low - 1] if low else 0
        high = max(int(np.searchsorted(through, before + _CHUNK, side="right")), low + 1)
        yield low, high
        low = high


def age_band(birth_year, as_of, *, bands=AGE_BANDS):
    """The age band of a person at each moment, told from the year of birth: up to a year too old.

    Parameters
    ----------
    birth_year : array of numbers, shape (n,)    missing: not known
    as_of : array of datetime64, shape (n,)
    bands : tuple of int                         first year of each band but the youngest

    Returns
    -------
    array of str, shape (n,)    such as "<25", "25-34", "60+", "unknown"
    """
    born = pd.to_numeric(pd.Series(birth_year), errors="coerce").to_numpy(float)
    year = pd.DatetimeIndex(np.asarray(as_of)).year.to_numpy()
    names = [f"<{bands[0]}"]
    names += [f"{low}-{high - 1}" for low, high in pairwise(bands)]
    names.append(f"{bands[-1]}+")
    age = year - born
    known = np.isfinite(age) & (age >= 0)
    band = np.full(len(age), UNKNOWN, dtype=object)
    band[known] = np.array(names, dtype=object)[np.searchsorted(bands, age[known], side="right")]
    return band


def join_small(labels, people, *, minimum=50):
    """Groups with the small ones joined into one, so that no figure stands on a few people.

    Joined by the number of people alone: outcomes are not looked at. Where the joined group is itself below
    the minimum, the smallest of the others is joined to it.

    Parameters
    ----------
    labels : array of str, shape (n,)    missing: "unknown", which is never joined
    people : array, shape (n,)           the aggressor of each assessment
    minimum : int                        aggressors

    Returns
    -------
    array of str, shape (n,)    those joined are "joined"
    """
    labels = pd.Series(labels, dtype=object)
    labels = labels.where(labels.notna(), UNKNOWN).astype(str).to_numpy(dtype=object)
    frame = pd.DataFrame({"label": labels, "person": np.asarray(people)})
    named = frame[frame["label"] != UNKNOWN]
    size = named.groupby("label")["person"].nunique().sort_values(kind="stable")
    joined = list(size.index[size < minimum])
    if joined and named[named["label"].isin(joined)]["person"].nunique() < minimum:
        joined += list(size.index[size >= minimum][:1])
    return np.where(np.isin(labels.astype(str), np.array(joined, dtype=str)), JOINED, labels).astype(object)


def _years(as_of):
    return pd.DatetimeIndex(as_of).year.astype(str).to_numpy(dtype=object)


def _known(values):
    values = pd.Series(values, dtype=object)
    return values.where(values.notna(), UNKNOWN).astype(str).to_numpy(dtype=object)


def _partner(relationship):
    partner = np.isin(relationship.astype(str), PARTNER_RELATIONSHIPS)
    return np.where(relationship == UNKNOWN, UNKNOWN, np.where(partner, "partner", "non-partner")).astype(
        object
    )


def audit_groups(history, cohort, *, groupings=GROUPINGS, minimum_people=50):
    """The groups of each assessment, as the registry showed them at its moment.

    Parameters
    ----------
    history : History, or what `History.of` takes
    cohort : DataFrame of case_id, as_of
    groupings : names of GROUPINGS
        year (of the assessment), municipality (small ones joined), locality, age_band and aggressor_sex (of
        the aggressor), victim_age_band and victim_sex, relationship, partner (partner, non-partner), source
        (of the latest incident to have happened; "none_recorded" where none is visible)
    minimum_people : int    aggressors below which a municipality is joined with others

    Returns
    -------
    DataFrame, index (case_id, as_of) in the cohort's order, a column of str for each grouping; what is not
    known is "unknown". For audits: no column of it may enter a matrix

    Raises
    ------
    RiskmlError    an unknown grouping; the history lacks a table that a grouping reads
    """
    history = History.of(history)
    for name in groupings:
        if name not in GROUPINGS:
            raise RiskmlError(
                f'unknown grouping "{name}"',
                where="groupings",
                mend=did_you_mean(name, GROUPINGS) or f"Known: {', '.join(GROUPINGS)}.",
            )
    as_of = pd.Series(cohort["as_of"]).to_numpy()
    case_id = pd.Series(cohort["case_id"]).to_numpy(dtype=object)
    wanted = ("aggressor_id", "victim_id", "relationship", "municipality", "locality")
    case = facts_in_force(history, "cases", case_id, as_of, wanted)
    columns = {}
    if "year" in groupings:
        columns["year"] = _years(as_of)
    if "municipality" in groupings:
        columns["municipality"] = join_small(
            case["municipality"], _known(case["aggressor_id"]), minimum=minimum_people
        )
    if "locality" in groupings:
        columns["locality"] = _known(case["locality"])
    for table, person, age, sex in (
        ("aggressors", "aggressor_id", "age_band", "aggressor_sex"),
        ("victims", "victim_id", "victim_age_band", "victim_sex"),
    ):
        if age in groupings or sex in groupings:
            facts = facts_in_force(history, table, case[person], as_of, ("birth_year", "sex"))
            columns[age] = age_band(facts["birth_year"], as_of)
            columns[sex] = _known(facts["sex"])
    columns["relationship"] = _known(case["relationship"])
    columns["partner"] = _partner(columns["relationship"])
    if "source" in groupings:
        latest = facts_in_force(history, "incidents", case_id, as_of, ("source",), by="occurred_at")
        columns["source"] = np.where(latest["found"], _known(latest["source"]), NOBODY)
    index = pd.MultiIndex.from_arrays([case_id, as_of], names=["case_id", "as_of"])
    return pd.DataFrame({name: columns[name] for name in groupings}, index=index).astype(object)
