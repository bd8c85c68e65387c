"""One reviewed case in the document of a replay: its contacts, what fired first, what was not on record."""

import numpy as np
import pandas as pd

from riskml.fatality.replay.replayed_patterns import AFTER, BEFORE, UNSAID
from riskml.fatality.replay.replayed_rules import ALL, HONEST, days_lost
from riskml.models.critical import MATCHED, UNDETERMINED

__all__ = ["SaidThen", "case_rows", "iso"]

_STATES = {MATCHED: "matched", UNDETERMINED: "undetermined"}
_LISTS = {BEFORE: "unknown_that_mattered", AFTER: "known_only_after", UNSAID: "known_unsaid"}


def iso(moment):
    """A moment as documents hold it: str, or None."""
    return None if moment is None or pd.isna(moment) else pd.Timestamp(moment).isoformat(timespec="seconds")


def _or_none(value):
    return None if pd.isna(value) else value


class SaidThen:
    """What was said at each contact, as it stands in the document.

    Parameters
    ----------
    contacts : DataFrame of `contacts.CONTACTS`, n rows
    learnt : dict of name -> bool array, shape (n,)    where versions were asked of a time they learnt from
    levels : dict of name -> object array, shape (n,)  None where no opinion would have been given
    relative : dict of version name -> DataFrame, n rows
    patterns : CriticalPatterns                 with their statuses
    states, deciding : dict of pattern -> n     of `judged_patterns`
    mattered : list of (Mattered, knowledge)
    """

    def __init__(self, contacts, learnt, levels, relative, patterns, states, deciding, mattered):
        self.contacts, self.levels, self.relative = contacts, levels, relative
        self.patterns, self.states, self.deciding = patterns, states, deciding
        self.learnt, self.mattered = learnt, {}
        for one, knowledge in mattered:
            self.mattered.setdefault(one.row, []).append((one, knowledge))

    def at(self, row):
        """One contact: dict."""
        contact = self.contacts.iloc[row]
        asked = {name: values[row] for name, values in self.levels.items() if values[row] is not None}
        learnt = [name for name in asked if self.learnt[name][row]]
        patterns = [self._pattern(name, row) for name in self.states]
        return {
            "at": iso(contact["at"]),
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


def case_rows(reviews, linked, contacts, every, critical, critical_day, said):
    """Each reviewed case with its contacts.

    Parameters
    ----------
    reviews : Reviews
    linked : bool array, shape (cases,)    whether it stands in the history
    contacts : DataFrame of `contacts.CONTACTS`
    every : list of ReplayedRule
    critical : DataFrame of `contacts.critical_by_analyst`
    critical_day : float array, shape (cases,)    days before the event; NaN
    said : SaidThen

    Returns
    -------
    list of dict
    """
    review, day = contacts["review"].to_numpy(int), contacts["day"].to_numpy(int)
    rows = [np.flatnonzero(review == k) for k in range(len(reviews))]
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


def _critical(row, day):
    return None if np.isnan(day) else {"at": iso(row["at"]), "day": int(day), "source": row["source"]}


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
        "at": iso(contacts["at"].iloc[row]),
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
    found = {name: {} for name in _LISTS.values()}
    for row in own:
        for one, knowledge in said.mattered.get(row, ()):
            into = found[_LISTS[knowledge]]
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
