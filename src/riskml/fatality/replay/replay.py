"""Reviewed cases replayed: what patterns and versions would have said at each past contact.

At each contact only what was recorded by then is read, on both clocks; nothing recorded later changes what is
said there. A version that learnt from data of that time says nothing honest of it, and each row says so.
"""

import numpy as np
import pandas as pd

from riskml.explain.wording import factor_label
from riskml.fatality.findings.prevalence import share, spread
from riskml.fatality.replay.contacts import critical_by_analyst, in_history, reviewed_contacts
from riskml.fatality.replay.replayed_cases import SaidThen, case_rows, iso
from riskml.fatality.replay.replayed_levels import learnt_until, opinions_of, suggested_levels, version_name
from riskml.fatality.replay.replayed_patterns import (
    AFTER,
    BEFORE,
    KNOWLEDGE,
    UNSAID,
    form_states,
    judged_patterns,
    said_present,
    would_match,
)
from riskml.fatality.replay.replayed_rules import (
    ALL,
    HONEST,
    ReplayedRule,
    any_rule,
    first_days,
    table_rows,
)
from riskml.features.matrix import build_features
from riskml.features.surroundings import case_surroundings
from riskml.messages import LANGUAGES, in_every_language, message
from riskml.models.bundle import plain
from riskml.models.critical import MATCHED
from riskml.models.lethal_bundle import LethalBundle
from riskml.progress import progress
from riskml.registry.contract import TABLES
from riskml.registry.history import History
from riskml.vocabulary import LEVELS

__all__ = ["FORMAT", "replay"]

FORMAT = "riskml fatality replay 1"
_NOTES = ("recorded", "learnt", "circular", "proposed", "closed", "form_only", "after_only", "event_no_proof")
_STEPS = 4  # beside those of the levels


def replay(reviews, history, models, rules, catalogue, *, defining=None, language=None):
    """Replay reviewed cases at every past contact: plain JSON, with review ids and no other.

    Parameters
    ----------
    reviews : Reviews
    history : History, folder, dict of tables, or None    in which the linked cases stand; None: there is none
    models : list of Model or LethalBundle    every version that was kept; of a name, today's last. Versions
        trained on a frame have no catalogue and are named as not applicable
    rules : LevelRules         of the workspace, with its critical patterns
    catalogue : Catalogue      of the workspace: the patterns read its columns
    defining : dict of content hash of reviews -> set of review_id, or None    whose cases a pattern names
        in `defined_in`; reviews that are not there count as these: every case is then one that defined it
    language : str or None     of the progress bar

    Returns
    -------
    dict
        reviews, history, patterns_version, versions, patterns, factors (labels by code), cases (each with its
        contacts), table, words, notes. A case whose case_id does not stand in the history is judged on what
        the form dates, by patterns alone

    Raises
    ------
    RiskmlError    the history lacks what a catalogue reads
    """
    language = language or LANGUAGES[0]
    usable = [m for m in models if m.catalogue is not None]
    relatives = [m for m in usable if isinstance(m, LethalBundle)]
    opinions = opinions_of([m for m in usable if m not in relatives], catalogue)
    judged = judged_patterns(rules.patterns, catalogue)
    steps = _STEPS + len(opinions) + len({m.catalogue.hash for m in usable})
    with progress(message("fatality_replay.progress", language), total=steps) as step:
        history = _no_history() if history is None else History.of(history)
        around = case_surroundings(history, reviews.linked["case_id"])
        contacts = reviewed_contacts(reviews, around)
        step()
        levels, relative = _levels(around, contacts, opinions, relatives, rules, step)
        step()
        matrix = _pattern_matrix(around, contacts, reviews, judged, catalogue)
        states, deciding = judged.states(matrix), judged.deciding(matrix)
        step()
        mattered = _mattered(judged, matrix, contacts, reviews)
        step()
    critical = critical_by_analyst(reviews, around)
    linked = in_history(reviews, around)
    patterns = rules.patterns.patterns
    every = [
        *_version_rules(reviews, linked, contacts, opinions, levels),
        *_pattern_rules(reviews, contacts, patterns, states, defining or {}),
    ]
    learnt = {asked.name: _learnt(asked, contacts) for asked in opinions}
    said = SaidThen(contacts, learnt, levels, relative, rules.patterns, states, deciding, mattered)
    critical_day = _critical_days(reviews, critical)
    return plain(
        {
            "format": FORMAT,
            "reviews": {"hash": reviews.hash, "n": len(reviews), "synthetic": _synthetic(reviews)},
            "history": {
                "hash": history.hash,
                "observed_until": iso(history.observed_until),
                "synthetic": bool(history.manifest.get("synthetic", False)),
            },
            "patterns_version": rules.patterns.version,
            "versions": _versions(models, opinions),
            "patterns": [
                {"pattern": name, "status": patterns[name].status, "label": pattern.label}
                for name, pattern in judged.patterns.items()
            ],
            "factors": {
                code: {language: factor_label(catalogue, code, language) for language in LANGUAGES}
                for name in judged.patterns
                for code in judged.factors_read(name)
            },
            "cases": case_rows(reviews, linked, contacts, every, critical, critical_day, said),
            "table": _table(every, contacts, critical_day),
            "words": _words("summary", count=len(reviews), linked=int(linked.sum())),
            "notes": _notes(reviews, linked, history),
        }
    )


def _no_history():
    """A history in which no case stands, for a review without a registry."""
    return History.of({"cases": pd.DataFrame(columns=[c.name for c in TABLES["cases"].history_columns])})


def _words(name, **fields):
    return in_every_language(f"fatality_replay.{name}", **fields)


def _synthetic(reviews):
    return bool(reviews.about.get("synthetic", False))


def _notes(reviews, linked, history):
    """What has to be known to read the document: list of dict of language -> str."""
    made_up = _synthetic(reviews) or history.manifest.get("synthetic")
    lost = int((reviews.cases["case_id"].notna().to_numpy() & ~linked).sum())
    found = [_words("note_synthetic")] if made_up else []
    found += [_words("note_not_found", count=lost)] if lost else []
    return found + [_words(f"note_{name}") for name in _NOTES]


def _levels(around, contacts, opinions, relatives, rules, step):
    """What versions said at each contact: dicts of name -> array or frame, a row for each contact."""
    at_open = (contacts["standing"] == "open").to_numpy()
    moments = contacts.loc[at_open, ["case_id", "at"]].rename(columns={"at": "as_of"})
    cohort = moments.drop_duplicates(ignore_index=True)
    levels, relative = suggested_levels(around, cohort, opinions, relatives, rules, step=step)
    place = np.full(len(contacts), -1)
    place[at_open] = pd.MultiIndex.from_frame(cohort).get_indexer(pd.MultiIndex.from_frame(moments))
    spread_out = {}
    for name, found in levels.items():
        values = np.full(len(contacts), None, dtype=object)
        values[at_open] = found[place[at_open]]
        spread_out[name] = values
    return spread_out, {name: frame.reindex(place).reset_index(drop=True) for name, frame in relative.items()}


def _pattern_matrix(around, contacts, reviews, judged, catalogue):
    """What was on record at each contact of what patterns read: DataFrame, a row for each contact."""
    inside = (contacts["standing"] != "not_in_history").to_numpy()
    codes = [c for name in judged.approved for c in judged.factors_read(name)]
    told = form_states(contacts[~inside], reviews, list(dict.fromkeys(codes)))
    told = told.set_axis(np.flatnonzero(~inside))
    if not inside.any():
        return told
    known = {c.name for c in catalogue.columns}
    part = catalogue.part(*sorted((judged.columns_read() | {"relationship"}) & known))
    cohort = contacts.loc[inside, ["case_id", "at"]].rename(columns={"at": "as_of"})
    recorded = build_features(around, cohort, part).set_axis(np.flatnonzero(inside))
    return pd.concat([recorded, told]).sort_index() if len(told) else recorded


def _mattered(judged, matrix, contacts, reviews):
    """What was not on record and would have made a pattern match: list of (Mattered, knowledge)."""
    codes = list(dict.fromkeys(c for name in judged.approved for c in judged.factors_read(name)))
    said = said_present(contacts, reviews, codes)
    told = contacts["standing"].isin(("open", "not_in_history")).to_numpy()
    together = np.logical_or.reduce([said[k] for k in KNOWLEDGE]) & told[:, None]
    place = {code: k for k, code in enumerate(codes)}
    found = []
    for one in would_match(judged, matrix, together, codes):
        held = {k: [said[k][one.row, place[c]] for c in one.factors] for k in KNOWLEDGE}
        knowledge = BEFORE if all(held[BEFORE]) else AFTER if any(held[AFTER]) else UNSAID
        found.append((one, knowledge))
    return found


def _version_rules(reviews, linked, contacts, opinions, levels):
    """Every version, and those asked together, at every contact: list of ReplayedRule."""
    event = reviews.cases["event_on"].to_numpy()
    found = []
    for asked in opinions:
        honest = ~_learnt(asked, contacts)
        later = event > np.datetime64(asked.until) if asked.until is not None else np.zeros(len(event), bool)
        at_open, fired = (contacts["standing"] == "open").to_numpy(), levels[asked.name] == LEVELS[-1]
        found.append(
            ReplayedRule(
                asked.name,
                "together" if len(asked.models) > 1 else "version",
                None,
                True,
                {ALL: linked, HONEST: linked & later},
                {ALL: at_open, HONEST: at_open & honest},
                {ALL: fired, HONEST: fired & honest},
            )
        )
    return found


def _pattern_rules(reviews, contacts, patterns, states, defining):
    """Every pattern that is not rejected at every contact: list of ReplayedRule."""
    found, told = [], contacts["standing"].isin(("open", "not_in_history")).to_numpy()
    everyone = np.ones(len(reviews), bool)
    for name in states:
        other = ~_defined(patterns[name], reviews, defining)
        apart, fired = other[contacts["review"].to_numpy(int)], told & (states[name] == MATCHED)
        status = patterns[name].status
        found.append(
            ReplayedRule(
                name,
                "pattern",
                status,
                status == "approved",
                {ALL: everyone, HONEST: other},
                {ALL: told, HONEST: told & apart},
                {ALL: fired, HONEST: fired & apart},
            )
        )
    return found


def _learnt(asked, contacts):
    """At which contacts versions were asked of a time that they learnt from: bool array."""
    if asked.until is None:
        return np.ones(len(contacts), bool)
    return (contacts["at"] <= asked.until).to_numpy()


def _defined(pattern, reviews, defining):
    """Which reviewed cases defined a pattern, or the critical level itself: bool array."""
    helped = (reviews.cases["defined_critical"] == "yes").to_numpy()
    for content in pattern.defined_in:
        ids = defining.get(content, set(reviews.cases["review_id"]))
        helped = helped | reviews.cases["review_id"].isin(ids).to_numpy()
    return helped


def _critical_days(reviews, critical):
    """Days before the event of the analysts' critical level: float array, NaN where there was none."""
    on = critical["at"].dt.normalize().to_numpy()
    days = (reviews.cases["event_on"].to_numpy() - on) / np.timedelta64(1, "D")
    return np.where(np.isnat(on), np.nan, days)


def _table(every, contacts, critical_day):
    """The table over all cases: list of dict of `replayed_rules.table_rows`, the analysts' levels last."""
    joined = any_rule([rule for rule in every if rule.effect])
    rows = table_rows([*([joined] if joined else []), *every], contacts, critical_day)
    for row in rows:
        if not row["fired"]["of"]:
            row["missing"] = _words("no_case_all" if row["group"] == ALL else "no_case_honest")
    return [*rows, _analyst_row(contacts, critical_day)]


def _analyst_row(contacts, critical_day):
    """When the analysts gave the critical level, beside the rules: dict as of `table_rows`."""
    given = ~np.isnan(critical_day)
    review, day = contacts["review"].to_numpy(int), contacts["day"].to_numpy(int)
    met = first_days(review, day, np.ones(len(review), bool), len(given))
    return {
        "rule": "analyst",
        "kind": "analyst",
        "status": None,
        "group": ALL,
        "with_contact": share((~np.isnan(met)).sum(), len(met)),
        "fired": share(given.sum(), len(given)),
        "first_contact": share((given & (critical_day >= met)).sum(), (~np.isnan(met)).sum()),
        "days_before": spread(critical_day[given]),
        "days_lost": spread([]),
    }


def _versions(models, opinions):
    """The versions that were replayed, and those that could not be: list of dict."""
    found = [
        {
            "name": asked.name,
            "kind": "together" if len(asked.models) > 1 else "version",
            "models": [{"model": m.name, "version": m.version} for m in asked.models.values()],
            "learnt_until": iso(asked.until),
        }
        for asked in opinions
    ]
    for model in models:
        own = {
            "name": version_name(model),
            "models": [{"model": model.name, "version": model.version}],
        }
        if isinstance(model, LethalBundle):
            found.append({**own, "kind": "relative", "learnt_until": iso(learnt_until(model))})
        elif model.catalogue is None:
            found.append({**own, "kind": "not_applicable", "learnt_until": None})
            found[-1]["missing"] = _words("no_catalogue")
    return found
