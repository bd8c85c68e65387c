"""What one pattern comes to: cases caught and since when, living cases flagged, new ones each week."""

import numpy as np

from riskml.models.critical import MATCHED, UNDETERMINED
from riskml.validation.intervals import exact_interval

__all__ = ["Flags", "codes_of", "pattern_row", "share", "tradeoff"]


def share(n, total):
    """n of N with its exact interval: dict of n, of, low, high (None where N is 0)."""
    low, high = exact_interval(int(n), int(total)) if total else (None, None)
    return {"n": int(n), "of": int(total), "low": low, "high": high}


def codes_of(pattern):
    """Factors whose states a pattern names, in its order: list of str."""
    return [text for kind, text in pattern.when.leaves() if kind == "factor"]


class Flags:
    """Which living cases patterns flag, today and at every record of the weeks before."""

    def __init__(self, judged, living):
        self.living = living
        self.states = {
            name: tuple(judged.state(name, frame) for frame in (living.today, living.start, living.moves))
            for name in judged.patterns
        }

    def of(self, names):
        """What several patterns flag together: dict of flagged, of, low, high, undetermined, per_week, ..."""
        today, start, moves = (
            np.max([self.states[name][place] for name in names], axis=0) for place in range(3)
        )
        flagged = share((today == MATCHED).sum(), len(today))
        return {
            "flagged": flagged.pop("n"),
            **flagged,
            "undetermined": int((today == UNDETERMINED).sum()),
            **self.living.newly(start == MATCHED, moves == MATCHED),
        }


def pattern_row(name, origin, judged, facts, flags, status, excluded):
    pattern, counted = judged.patterns[name], ~excluded
    state = judged.state(name, facts.before)
    caught = (state == MATCHED) & counted
    of_cases = share(caught.sum(), counted.sum())
    by_day = judged.state(name, facts.by_day) == MATCHED
    first = facts.first
    first = first[counted[facts.case[first]]]
    by_registry = (judged.state(name, facts.registry) == MATCHED) & counted & facts.in_registry
    return {
        "id": name,
        "origin": origin,
        "status": status,
        "label": dict(pattern.label),
        "when": pattern.when.model_dump(exclude_none=True),
        "factors": list(dict.fromkeys(codes_of(pattern))),
        "relationships": list(pattern.relationships),
        "caught": {**of_cases, "undetermined": int(((state == UNDETERMINED) & counted).sum())},
        "caught_form": share(((judged.state(name, facts.form) == MATCHED) & counted).sum(), counted.sum()),
        "caught_registry": share(by_registry.sum(), (counted & facts.in_registry).sum()),
        "left_out": dict(of_cases),
        "defined": {"n": int(excluded.sum()), "caught": int(((state == MATCHED) & excluded).sum())},
        "days_before": _days_before(facts, by_day, caught),
        "first_record": share(by_day[first].sum(), len(first)),
        "living": flags.of([name]),
    }


def _days_before(facts, by_day, caught):
    """Days from the first on which a pattern held until the event, of the cases that it catches."""
    held = np.flatnonzero(by_day & caught[facts.case])
    case, place = np.unique(facts.case[held], return_index=True)
    days = (facts.event[case] - facts.day[held[place]]).astype(int)
    q1, median, q3 = np.percentile(days, [25, 50, 75]) if len(days) else (None, None, None)
    return {"median": median, "q1": q1, "q3": q3, "n": len(days), "undated": int(caught.sum() - len(days))}


def tradeoff(selected, judged, facts, flags):
    """The set grown by one pattern at a time: cases caught, living flagged, new ones a week."""
    points = []
    for size in range(1, len(selected) + 1):
        names = selected[:size]
        states = [judged.state(name, facts.before) for name in names]
        of_living = flags.of(names)
        points.append(
            {
                "patterns": names,
                "caught": int((np.max(states, axis=0) == MATCHED).sum()),
                "of": len(facts.cases),
                "flagged": of_living["flagged"],
                "living_of": of_living["of"],
                "per_week": of_living["per_week"],
            }
        )
    return points
