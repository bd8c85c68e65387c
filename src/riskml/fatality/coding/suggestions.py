"""What narratives suggest for the factor sheet, with the words that say so: never a code.

A suggestion is read by a person who decides. It enters the workbook on a sheet of its own, which loading
ignores. Quotes are masked as those of a history: words of the rules alone, and no name of the registry.
"""

from collections import defaultdict

import pandas as pd
from sqlalchemy import bindparam, text

from riskml.fatality.coding.form_words import value_words
from riskml.fatality.coding.linking import registry_ids
from riskml.fatality.form import ABSENT, PRESENT, UNKNOWN
from riskml.messages import message
from riskml.narratives.stated import StatedFactors
from riskml.progress import progress
from riskml.registry.database import reading
from riskml.registry.masking import NameMask, QuoteMask, masked_categories
from riskml.registry.reading import personal_entries

__all__ = ["COLUMNS", "suggested", "suggestion_sheet", "suggestions_for"]

COLUMNS = (
    "review_id",
    "factor",
    "suggested_state",
    "quote",
    "recorded_on",
    "occurred_on",
    "suggested_known",
)
_STATES = {"present": PRESENT, "denied": ABSENT}
_DAYS = ("recorded_on", "occurred_on", "event_on")
_AT_ONCE = 500


def suggested(texts, rules, *, mask=None, language="es"):
    """Factors that narratives state, as suggestions for coding.

    What a narrative states is read as a history reads it: of the present, said by whom one may believe it;
    a denial is suggested as absent. Of several narratives of a review that state the same factor alike the
    one recorded first is quoted: since then it could have been known.

    Parameters
    ----------
    texts : DataFrame    review_id and narrative; recorded_on, occurred_on and event_on (days) where known
    rules : Rules        of `features/narratives.yml`
    mask : callable or None    str -> str: masks further words of a quote, such as a registry's names
    language : str       of the progress bar

    Returns
    -------
    DataFrame of COLUMNS
        one row for each review, factor and suggested_state ("present", "absent"), so that a factor both said
        and denied has two; quote (masked); recorded_on and occurred_on (NaT where not known);
        suggested_known ("before": recorded before the day of the event, "after", "unknown": not dated).
        Sorted by review, factor and day. Never the factor sheet: whoever codes decides
    """
    texts = texts.reset_index(drop=True)
    days = {name: _days(texts, name) for name in _DAYS}
    mask = mask or (lambda quote: quote)
    rows = _stated(texts["narrative"], rules, language) if len(texts) else []
    place, factors, states, quotes = zip(*rows, strict=True) if rows else ((),) * 4
    place = pd.Index(place, dtype=int)
    of_text = {name: values.reindex(place).to_numpy() for name, values in days.items()}
    found = pd.DataFrame(
        {
            "review_id": texts["review_id"].reindex(place).to_numpy(object),
            "factor": pd.Series(factors, dtype=object),
            "suggested_state": pd.Series([_STATES[state] for state in states], dtype=object),
            "quote": pd.Series([mask(quote) for quote in quotes], dtype=object),
            "recorded_on": of_text["recorded_on"],
            "occurred_on": of_text["occurred_on"],
            "suggested_known": _known(of_text["recorded_on"], of_text["event_on"]),
        }
    )
    order = ["review_id", "factor", "recorded_on", "occurred_on"]
    found = found.sort_values(order, kind="stable", na_position="last")
    return found.drop_duplicates(["review_id", "factor", "suggested_state"], ignore_index=True)


def _stated(narratives, rules, language):
    """What each narrative states: list of (place, factor, state, quote)."""
    texts, rows, first = [None if pd.isna(value) else value for value in narratives], [], 0
    with (
        progress(message("fatality_coders.suggesting", language), len(texts)) as advance,
        StatedFactors(rules) as read,
    ):
        for part in read(texts, advance):
            rows += [(first + i, *said) for i, found in enumerate(part) for said in found]
            first += len(part)
    return rows


def _days(texts, name):
    given = texts[name] if name in texts.columns else pd.Series(pd.NaT, texts.index)
    return pd.to_datetime(given, format="ISO8601").astype("datetime64[us]").dt.normalize()


def _known(recorded, event):
    """Whether what was recorded on a day was known before the event: Series of str."""
    recorded, event = pd.Series(recorded), pd.Series(event)
    known = pd.Series(UNKNOWN, recorded.index, dtype=object)
    known[recorded < event] = "before"
    known[recorded >= event] = "after"
    return known


def suggestions_for(cases, engine, rules, *, key=None, language="es"):
    """What the registry's narratives of some cases suggest; no narrative of another case is read.

    Narratives that were corrected are left out. The names that stand in the registry are read to be masked.

    Parameters
    ----------
    cases : DataFrame    review_id, case_id (the registry's own id, or a pseudonym where `key` is given) and
        event_on; rows without case_id have no suggestions
    engine : Engine      of the registry
    rules : Rules
    key : Key or None    of the pseudonyms
    language : str       of the progress bar

    Returns
    -------
    DataFrame    of `suggested`

    Raises
    ------
    RiskmlError    the registry cannot be read
    """
    named = cases[cases["case_id"].notna()]
    given = named["case_id"].astype(str).str.strip()
    with reading(engine) as connection:
        own = registry_ids(connection, key, set(given))
        narratives = _narratives(connection, sorted(set(own.values())))
        texts = [
            (case.review_id, case.event_on, *narrative)
            for case, value in zip(named.itertuples(), given, strict=True)
            for narrative in narratives.get(own.get(value), ())
        ]
        mask = _name_mask(connection, rules) if texts else None
    columns = ["review_id", "event_on", "narrative", "occurred_on", "recorded_on"]
    return suggested(pd.DataFrame(texts, columns=columns), rules, mask=mask, language=language)


def _narratives(connection, own):
    """Narratives that stand, of some cases: dict of own id -> list of (text, occurred, recorded)."""
    question = text(
        "SELECT CAST(case_id AS TEXT), narrative, occurred_at, recorded_at FROM incidents "
        "WHERE superseded_at IS NULL AND narrative IS NOT NULL AND CAST(case_id AS TEXT) IN :own "
        "ORDER BY recorded_at, incident_id"
    ).bindparams(bindparam("own", expanding=True))
    found = defaultdict(list)
    for start in range(0, len(own), _AT_ONCE):
        for case, narrative, *moments in connection.execute(question, {"own": own[start : start + _AT_ONCE]}):
            found[case].append((narrative, *map(pd.to_datetime, moments)))
    return found


def _name_mask(connection, rules):
    """What masks the names that stand in this registry, as in the quotes of a history: NameMask."""
    words = QuoteMask.of(rules.factors)
    shown = StatedFactors(rules).may_show
    _, names = masked_categories({}, personal_entries(connection), words.words, shown)
    return NameMask(words.pairs, names)


def suggestion_sheet(suggestions, vocabulary, language="es"):
    """Suggestions as the workbook shows them, in words: DataFrame for `write_workbook(suggestions=...)`.

    Parameters
    ----------
    suggestions : DataFrame    of `suggested`
    vocabulary : FactorVocabulary
    language : "es" or "en"
    """
    shown = suggestions[list(COLUMNS)].astype(object)
    shown["factor"] = [
        vocabulary[code].label[language] if code in vocabulary else code for code in shown["factor"]
    ]
    for name in ("suggested_state", "suggested_known"):
        shown[name] = [value_words(code, language) for code in shown[name]]
    shown = shown.where(suggestions[list(COLUMNS)].notna(), None)
    return shown.rename(columns={n: message(f"fatality_coders.suggestion_{n}", language) for n in COLUMNS})
