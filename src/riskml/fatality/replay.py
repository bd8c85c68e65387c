"""Reviewed cases replayed: what patterns and versions would have said at each past contact, and what was said.

At each contact only what was recorded by then is read, on both clocks; nothing recorded later changes what is
said there. A version that learnt from data of that time says nothing honest of it, and each row says so.
"""

import numpy as np
import pandas as pd

from riskml.fatality.contacts import critical_by_analyst, in_history, reviewed_contacts
from riskml.fatality.prevalence import share, spread
from riskml.fatality.replayed_levels import learnt_until, opinions_of, suggested_levels, version_name
from riskml.fatality.replayed_patterns import (
    AFTER,
    BEFORE,
    KNOWLEDGE,
    UNSAID,
    form_states,
    judged_patterns,
    said_present,
    would_match,
)
from riskml.fatality.replayed_rules import (
    ALL,
    HONEST,
    ReplayedRule,
    any_rule,
    days_lost,
    first_days,
    table_rows,
)
from riskml.features.matrix import build_features
from riskml.features.surroundings import case_surroundings
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import plain
from riskml.models.critical import MATCHED, UNDETERMINED
from riskml.models.lethal_bundle import LethalBundle
from riskml.progress import progress
from riskml.registry.history import History
from riskml.vocabulary import LEVELS

__all__ = ["FORMAT", "replay"]

FORMAT = "riskml fatality replay 1"
_STATES = {MATCHED: "matched", UNDETERMINED: "undetermined"}
_LEARNT_LISTS = {BEFORE: "unknown_that_mattered", AFTER: "known_only_after", UNSAID: "known_unsaid"}
_NOTES = ("recorded", "learnt", "circular", "proposed", "closed", "form_only", "after_only", "event_no_proof")
_STEPS = 4  # beside those of the levels


def replay(reviews, history, models, rules, catalogue, *, defining=None, language=None):
    """Replay reviewed cases at every past contact: plain JSON, with review ids and no other.

    Parameters
    ----------
    reviews : Reviews
    history : History, folder, or dict of tables    in which the linked cases stand
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
        reviews, history, patterns_version, versions, patterns, cases (each with its contacts), table, words,
        notes. A case whose case_id does not stand in the history is judged on what the form dates, by
        patterns alone

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
        history = History.of(history)
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
    every = _rules(
        reviews, linked, contacts, opinions, levels, rules.patterns, judged, states, defining or {}
    )
    said = _Said(contacts, opinions, levels, relative, rules.patterns, states, deciding, mattered)
    return plain(
        {
            "format": FORMAT,
            "reviews": {"hash": reviews.hash, "n": len(reviews), "synthetic": _synthetic(reviews)},
            "history": {
                "hash": history.hash,
                "observed_until": _iso(history.observed_until),
                "synthetic": bool(history.manifest.get("synthetic", False)),
            },
            "patterns_version": rules.patterns.version,
            "versions": _versions(models, opinions),
            "patterns": [
                {"pattern": name, "status": rules.patterns.patterns[name].status, "label": pattern.label}
                for name, pattern in judged.patterns.items()
            ],
            "cases": _cases(reviews, linked, contacts, every, critical, said),
            "table": _table(reviews, every, contacts, critical),
            "words": _words("summary", count=len(reviews), linked=int(linked.sum())),
            "notes": [_words(f"note_{name}") for name in _notes(reviews, history)],
        }
    )


def _words(name, **fields):
    return {language: message(f"fatality_replay.{name}", language, **fields) for language in LANGUAGES}


def _iso(moment):
    return None if moment is None or pd.isna(moment) else pd.Timestamp(moment).isoformat(timespec="seconds")


def _or_none(value):
    return None if pd.isna(value) else value


def _synthetic(reviews):
    return bool(reviews.about.get("synthetic", False))


def _notes(reviews, history):
    made_up = _synthetic(reviews) or history.manifest.get("synthetic")
    return (*(("synthetic",) if made_up else ()), *_NOTES)


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
    known = {c.name for c in catalogue.columns}
    read = sorted(judged.columns_read() & known)
    part = catalogue.part(*dict.fromkeys([*read, *(["relationship"] if "relationship" in known else [])]))
    inside = (contacts["standing"] != "not_in_history").to_numpy()
    cohort = contacts.loc[inside, ["case_id", "at"]].rename(columns={"at": "as_of"})
    recorded = build_features(around, cohort, part).set_axis(np.flatnonzero(inside))
    codes = [c for name in judged.approved for c in judged.factors_read(name)]
    told = form_states(contacts[~inside], reviews, list(dict.fromkeys(codes)))
    frames = [f for f in (recorded, told.set_axis(np.flatnonzero(~inside))) if len(f)]
    return pd.concat(frames).sort_index() if frames else recorded


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


def _rules(reviews, linked, contacts, opinions, levels, patterns, judged, states, defining):
    """Every version and pattern at every contact: list of ReplayedRule."""
    standing = contacts["standing"].to_numpy()
    event = reviews.cases["event_on"].to_numpy()
    found = []
    for asked in opinions:
        honest = ~_learnt(asked, contacts)
        later = event > np.datetime64(asked.until) if asked.until is not None else np.zeros(len(event), bool)
        at_open, fired = standing == "open", levels[asked.name] == LEVELS[-1]
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
    told = np.isin(standing, ("open", "not_in_history"))
    everyone = np.ones(len(reviews), bool)
    for name in judged.patterns:
        other = ~_defined(patterns.patterns[name], reviews, defining)
        apart, fired = other[contacts["review"].to_numpy(int)], told & (states[name] == MATCHED)
        status = patterns.patterns[name].status
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


class _Said:
    """What was said at one contact, as it stands in the document."""

    def __init__(self, contacts, opinions, levels, relative, patterns, states, deciding, mattered):
        self.contacts, self.levels, self.relative = contacts, levels, relative
        self.patterns, self.states, self.deciding = patterns, states, deciding
        self.learnt = {o.name: _learnt(o, contacts) for o in opinions}
        self.mattered = {}
        for one, knowledge in mattered:
            self.mattered.setdefault(one.row, []).append((one, knowledge))

    def at(self, row):
        """One contact: dict."""
        contact = self.contacts.iloc[row]
        asked = {name: values[row] for name, values in self.levels.items() if values[row] is not None}
        learnt = [name for name in asked if self.learnt[name][row]]
        patterns = [self._pattern(name, row) for name in self.states]
        return {
            "at": _iso(contact["at"]),
            "day": contact["day"],
            "source": contact["source"],
            "institution": _or_none(contact["institution"]),
            "records": list(contact["records"]),
            "standing": contact["standing"],
            "analyst_level": _or_none(contact["analyst_level"]),
            "level_then": _or_none(contact["level_then"]),
            "suggested": asked,
            "risks": {name: frame.iloc[row].to_dict() for name, frame in self.relative.items()},
            "patterns": patterns,
            "unknown_decides": list(dict.fromkeys(c for p in patterns for c in p["deciding"])),
            "would_have_matched": [
                {"pattern": one.pattern, "factors": list(one.factors), "known": knowledge}
                for one, knowledge in self.mattered.get(row, ())
            ],
            "learnt_from_it": bool(learnt),
            "learnt_by": learnt,
        }

    def _pattern(self, name, row):
        return {
            "pattern": name,
            "status": self.patterns.patterns[name].status,
            "state": _STATES.get(self.states[name][row], "not_matched"),
            "deciding": list(self.deciding[name][row]),
        }


def _cases(reviews, linked, contacts, every, critical, said):
    """Each reviewed case with its contacts: list of dict."""
    review, day = contacts["review"].to_numpy(int), contacts["day"].to_numpy(int)
    rows = [np.flatnonzero(review == k) for k in range(len(reviews))]
    critical_day = _critical_days(reviews, critical)
    known = _known_to(reviews)
    found = []
    for place, case in enumerate(reviews.cases.itertuples()):
        own = rows[place]
        fired = [_first(rule, own, contacts, said) for rule in every if rule.fired[ALL][own].any()]
        in_effect = sorted(
            (f for f in fired if f["status"] != "proposed"), key=lambda f: (f["at"], f["kind"] != "pattern")
        )
        first = in_effect[0] if in_effect else None
        lost = days_lost(np.array([first["day"]], float), critical_day[[place]])[0] if first else None
        found.append(
            {
                "review_id": case.review_id,
                "kind": case.kind,
                "event_on": f"{case.event_on:%Y-%m-%d}",
                "linked": bool(linked[place]),
                "defined_critical": case.defined_critical == "yes",
                "contacts": [said.at(row) for row in own],
                "fired": fired,
                "first_fired": first,
                "first_critical_by_analyst": _critical(critical.iloc[place], critical_day[place]),
                "days_lost": lost,
                "days_lost_to": _lost_to(first, critical_day[place]),
                **_lists(own, case, said, known, day),
            }
        )
    return found


def _critical_days(reviews, critical):
    """Days before the event of the analysts' critical level: float array, NaN where there was none."""
    on = critical["at"].dt.normalize().to_numpy()
    days = (reviews.cases["event_on"].to_numpy() - on) / np.timedelta64(1, "D")
    return np.where(np.isnat(on), np.nan, days)


def _critical(row, day):
    return None if np.isnan(day) else {"at": _iso(row["at"]), "day": int(day), "source": row["source"]}


def _lost_to(first, critical_day):
    if first is None:
        return None
    if np.isnan(critical_day):
        return "event"
    return "analyst_critical" if critical_day < first["day"] else "analyst_first"


def _first(rule, own, contacts, said):
    """The first contact at which a rule fired in a case, and the first honest one: dict."""
    row = own[rule.fired[ALL][own]][0]
    honest = own[rule.fired[HONEST][own]]
    return {
        "rule": rule.name,
        "kind": rule.kind,
        "status": rule.status,
        "at": _iso(contacts["at"].iloc[row]),
        "day": contacts["day"].iloc[row],
        "honest": bool(len(honest) and honest[0] == row),
        "first_honest_day": contacts["day"].iloc[honest[0]] if len(honest) else None,
    }


def _known_to(reviews):
    """To whom and since when each factor was known: dict of (review_id, factor) -> (known_by, known_on)."""
    rows = reviews.factors
    pairs = zip(rows["known_by"], rows["known_on"], strict=True)
    return dict(zip(zip(rows["review_id"], rows["factor"], strict=True), pairs, strict=True))


def _lists(own, case, said, known, day):
    """What was not on record and would have mattered, by what the review says of it: dict of lists."""
    found = {name: {} for name in _LEARNT_LISTS.values()}
    for row in own:
        for one, knowledge in said.mattered.get(row, ()):
            into = found[_LEARNT_LISTS[knowledge]]
            for factor in one.factors:
                by, on = known.get((case.review_id, factor), (None, pd.NaT))
                entry = into.setdefault(
                    factor,
                    {
                        "factor": factor,
                        "known_to": _or_none(by),
                        "known_on_day": None if pd.isna(on) else (case.event_on - on).days,
                        "first_day": int(day[row]),
                        "contacts": [],
                        "patterns": [],
                        "together_with": [],
                    },
                )
                entry["contacts"].append(row)
                entry["patterns"].append(one.pattern)
                entry["together_with"] += [c for c in one.factors if c != factor]
    for entries in found.values():
        for entry in entries.values():
            entry["contacts"] = len(set(entry["contacts"]))
            for name in ("patterns", "together_with"):
                entry[name] = sorted(set(entry[name]))
    return {name: list(entries.values()) for name, entries in found.items()}


def _table(reviews, every, contacts, critical):
    """The table over all cases: list of dict of `replayed_rules.table_rows`, the analysts' levels last."""
    joined = any_rule([rule for rule in every if rule.effect])
    critical_day = _critical_days(reviews, critical)
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
            "learnt_until": _iso(asked.until),
        }
        for asked in opinions
    ]
    for model in models:
        own = {
            "name": version_name(model),
            "models": [{"model": model.name, "version": model.version}],
        }
        if isinstance(model, LethalBundle):
            found.append({**own, "kind": "relative", "learnt_until": _iso(learnt_until(model))})
        elif model.catalogue is None:
            found.append({**own, "kind": "not_applicable", "learnt_until": None})
            found[-1]["missing"] = _words("no_catalogue")
    return found
