"""Reviewed cases and the registry: the form's own ids become pseudonyms, and what does not fit is said.

The check happens on the registry's side of the connection. No id of the registry stands in a message: a
review is named by its own key, and the row by its place.
"""

import re
from collections import defaultdict

import pandas as pd
from sqlalchemy import bindparam, text

from riskml.fatality.form import UNKNOWN
from riskml.messages import message
from riskml.registry.database import reading
from riskml.registry.reading import case_ids, own_case_ids

__all__ = ["PROBLEM", "WARNING", "link", "registry_ids"]

PROBLEM, WARNING = "problem", "warning"
_COLUMNS = ("review_id", "row", "column", "severity", "code", "es", "en")
_AT_ONCE = 500  # ids in one question: databases take no more than some thousands
_PSEUDONYM = re.compile(r"[0-9a-f]{32}")


def link(cases, engine, key):
    """Replace the registry's ids in the form by their pseudonyms, and compare what both say of each case.

    `case_id` may hold the registry's own id, or the pseudonym that a case view or `candidates` shows. A row
    whose id the registry does not have stays, unlinked.

    Parameters
    ----------
    cases : DataFrame    the form's sheet of cases, or that of `Reviews`; ids as text
    engine : Engine      of the registry
    key : Key            of the pseudonyms

    Returns
    -------
    (DataFrame, DataFrame)
        the cases with pseudonyms, None where there is none; and what was found: review_id, row (place in
        `cases`, from 0), column, severity (PROBLEM: not linked; WARNING: linked, to be looked at), code
        (unknown_id; linked_twice: another review names the same case; before_opened: the event lies before
        the case was opened; relationship_differs; outcome_differs: `outcomes` holds another day or kind of
        the case and not this one), es and en (the sentence)

    Raises
    ------
    RiskmlError    the registry cannot be read
    """
    given = [_given(value) for value in cases["case_id"]]
    with reading(engine) as connection:
        own = registry_ids(connection, key, {value for value in given if value})
        registered = _registered(connection, set(own.values()))
        outcomes = _outcomes(connection, set(own.values()))
    pseudonyms, found, seen = [], [], defaultdict(int)
    for value in given:
        seen[own.get(value)] += 1
    for row, (value, case) in enumerate(zip(given, cases.itertuples(), strict=True)):
        registry_id = own.get(value)
        linked = registry_id is not None
        pseudonyms.append(key.pseudonym("case_id", registry_id) if linked else None)
        if value and not linked:
            found.append((case.review_id, row, "case_id", PROBLEM, "unknown_id"))
        if linked and seen[registry_id] > 1:
            found.append((case.review_id, row, "case_id", WARNING, "linked_twice"))
        if linked:
            found += [
                (case.review_id, row, column, WARNING, code)
                for column, code in _differences(case, registered.get(registry_id), outcomes[registry_id])
            ]
    words = [
        (*entry, *(message(f"fatality_coders.{entry[-1]}", language) for language in ("es", "en")))
        for entry in found
    ]
    linked = cases.assign(case_id=pd.Series(pseudonyms, index=cases.index, dtype=object))
    return linked, pd.DataFrame(words, columns=list(_COLUMNS))


def _given(value):
    """What the form holds in place of an id, without blanks around it; None where it is empty."""
    return None if value is None or pd.isna(value) else str(value).strip() or None


def registry_ids(connection, key, given):
    """The registry's own ids behind what a form holds: own ids themselves, or pseudonyms.

    Parameters
    ----------
    connection : Connection within `reading(engine)`
    key : Key or None    None: pseudonyms are not looked for
    given : set of str   without blanks around them

    Returns
    -------
    dict of what is given -> str, as the registry writes it    without those that it does not have
    """
    own = {}
    for texts in case_ids(connection):
        own.update((held.strip(), held) for held in texts.to_pylist() if held.strip() in given)
    pseudonyms = {value for value in given if value not in own and _PSEUDONYM.fullmatch(value)}
    return own | (own_case_ids(connection, key, pseudonyms) if key and pseudonyms else {})


def _rows_of(connection, table, columns, own):
    """Standing rows of some cases, the case first: yields tuples."""
    question = text(
        f"SELECT CAST(case_id AS TEXT), {columns} FROM {table} "
        "WHERE superseded_at IS NULL AND CAST(case_id AS TEXT) IN :own ORDER BY recorded_at"
    ).bindparams(bindparam("own", expanding=True))
    own = sorted(own)
    for start in range(0, len(own), _AT_ONCE):
        yield from connection.execute(question, {"own": own[start : start + _AT_ONCE]})


def _registered(connection, own):
    """When each case was opened, and its relationship as recorded last: dict of id -> (Timestamp, str)."""
    found = {}
    for case, opened, relationship in _rows_of(connection, "cases", "occurred_at, relationship", own):
        earlier, former = found.get(case, (pd.NaT, None))
        opened = min((t for t in (pd.to_datetime(opened), earlier) if pd.notna(t)), default=pd.NaT)
        found[case] = (opened, relationship or former)
    return found


def _outcomes(connection, own):
    """What `outcomes` holds of each case: dict of id -> set of (kind, day)."""
    found = defaultdict(set)
    for case, kind, occurred in _rows_of(connection, "outcomes", "kind, occurred_at", own):
        found[case].add((kind, pd.to_datetime(occurred).normalize()))
    return found


def _differences(case, registered, outcomes):
    """In what a row of the form and the registry's case differ: yields (column, code)."""
    opened, relationship = registered or (pd.NaT, None)
    day = pd.to_datetime(case.event_on)
    if pd.notna(opened) and pd.notna(day) and day.normalize() < opened.normalize():
        yield "event_on", "before_opened"
    coded = _given(case.relationship)
    if relationship and coded not in (None, UNKNOWN, relationship):
        yield "relationship", "relationship_differs"
    if outcomes and (case.kind, day) not in outcomes:
        yield "event_on", "outcome_differs"
