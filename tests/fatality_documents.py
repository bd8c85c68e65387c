"""Documents of a fatality review for tests of its page: findings of made-up reviews, the others by hand."""

from collections import defaultdict

import numpy as np
import pandas as pd

from riskml.fatality.findings.findings import findings
from riskml.fatality.form import ACTIONS_MISSED, INSTITUTIONS, KINDS
from riskml.fatality.reviews import Reviews
from riskml.features.review_items import ReviewItem
from riskml.vocabulary import Factor, FactorVocabulary

__all__ = ["ANSWERS", "SECRET", "STATES", "comparison", "document", "patterns", "random_reviews", "replay"]

CODES = ("strangulation", "separation", "jealousy")
WORDS = {"es": "x", "en": "x"}
VOCABULARY = FactorVocabulary({code: Factor(code, {"es": code, "en": code}, "acts") for code in CODES})
ITEMS = tuple(ReviewItem(n, WORDS, (code,)) for n, code in enumerate(CODES, start=1))
SECRET = "Calle Once 11"
STATES = ("present", "absent", "unknown")
ANSWERS = ("yes", "no", "unknown")
FEWEST = 5  # cases that may be published at all


def random_reviews(seed):
    """Reviews of 5 to 45 made-up cases, of shares that differ from one to the next."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(FEWEST, 46))
    ids = [f"R{n:04d}" for n in range(size)]
    events = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 2200, size), unit="D")
    cases = {"review_id": ids, "kind": rng.choice(KINDS[:3], size, p=rng.dirichlet((3, 2, 1)))}
    cases |= {"event_on": events, "relationship": rng.choice(["partner", "ex-partner", "son"], size)}
    cases |= {"municipality": "Tepechitlán", "case_id": [f"c{n:030d}" for n in range(size)]}
    for field in ("earlier_report", "measure_in_force", "living_together"):
        cases[field] = rng.choice(ANSWERS, size, p=rng.dirichlet((1, 1, 1)))
    sheets = defaultdict(list)
    for name, event in zip(ids, events, strict=True):
        for code in CODES:
            state = rng.choice(STATES, p=rng.dirichlet((2, 1, 1)))
            known = rng.choice(["before", "after", "unknown"])
            row = {"review_id": name, "factor": code, "state": state, "known": known, "evidence": SECRET}
            by = rng.choice(["prosecutor", "family"])
            sheets["factors"].append(row | {"known_by": by, "coders": 1, "agreed": "yes"})
        for _ in range(rng.integers(0, 3)):
            day = event - pd.Timedelta(days=int(rng.integers(1, 500)))
            row = {"review_id": name, "contact_on": day, "institution": rng.choice(INSTITUTIONS[:4])}
            sheets["contacts"].append(row | {"known_factors": "jealousy", "action": SECRET})
        for _ in range(rng.integers(0, 3)):
            how = rng.choice(ACTIONS_MISSED[:4])
            row = {"review_id": name, "institution": rng.choice(INSTITUTIONS[:4]), "how": how, "note": SECRET}
            sheets["missed"].append(row)
    advice = {"addressee": "court", "deadline_on": events.max(), "progress": "open"}
    sheets["recommendations"] = [
        advice | {"recommendation": SECRET, "publish": "no"},
        advice | {"recommendation": "Pregunte por asfixia", "publish": "yes"},
    ]
    frames = {name: pd.DataFrame(rows) for name, rows in sheets.items()}
    return Reviews.of({"cases": pd.DataFrame(cases), **frames})


def document(seed):
    """The findings of random reviews."""
    return findings(random_reviews(seed), VOCABULARY, ITEMS, as_of="2026-01-01")


def words(text):
    """The same words in both languages, told apart."""
    return {"es": f"{text} (es)", "en": f"{text} (en)"}


def odds(ratio):
    """An odds ratio with a wide interval."""
    return {"odds_ratio": ratio, "low": ratio / 3, "high": ratio * 3}


def compared(factor, cases, controls):
    """One row of a comparison; counts are present, denied and unknown."""
    names = ("present", "denied", "unknown")
    return {
        "factor": factor,
        "item": None,
        "label": words(factor),
        "cases": dict(zip(names, cases, strict=True)) | {"not_applicable": 0},
        "controls": dict(zip(names, controls, strict=True)) | {"not_applicable": 0},
        "recorded": odds(4.0) | {"informative": 9},
        "known": odds(3.0) | {"informative": 7},
        "mantel_haenszel": odds(3.1),
        "prior": odds(6.7) | {"tag": "S:1", "study": "Glass et al. 2008"},
        "posterior": odds(5.5),
        "moved": -0.2,
        "from_data": 0.3,
        "q": 0.04,
    }


def comparison():
    """A comparison of 20 cases with 100 controls; of the second factor two cases have it."""
    rows = [compared("strangulation", (8, 7, 5), (10, 60, 30)), compared("jealousy", (2, 10, 8), (9, 50, 41))]
    joint = {key: rows[0][key] for key in ("factor", "label", "prior", "posterior", "moved", "from_data")}
    joint |= {"tag": "S:1", "data": odds(3.0), "cases": {"present": 8, "known": 15}}
    return {
        "power": {
            "cases": 20,
            "controls": 100,
            "prevalence": 0.1,
            "smallest_odds_ratio": 5.9,
            "rows": [{"odds_ratio": ratio, "power": ratio / 10} for ratio in (2, 4, 7)],
            "words": words("only odds ratios above about 5.9"),
        },
        "matching": {"matched_on": ["day"], "controls": 100, "words": words("matched")},
        "sets": 20,
        "cases": 20,
        "controls": 100,
        "excluded": [{"reason": "first_record", "n": 3, "of": 23, "words": words("no record at all")}],
        "rows": rows,
        "joint": {"rows": [joint | {"controls": {"present": 10, "known": 70}}]},
    }


def pattern(name, caught, *, origin="searched", flagged=120, weekly=2.0):
    """One pattern that catches so many of 23 cases."""
    share = {"n": caught, "of": 23, "low": 0.1, "high": 0.6}
    return {
        "id": name,
        "origin": origin,
        "status": "proposed" if origin == "prespecified" else "new",
        "label": words(name),
        "when": {"all_of": [name]},
        "factors": [name],
        "relationships": [],
        "caught": share | {"undetermined": 2},
        "caught_registry": share,
        "left_out": share | {"n": max(caught - 1, 0)},
        "defined": {"n": 2, "caught": 1},
        "days_before": {"median": 101.5, "q1": 50, "q3": 200, "n": caught, "undated": 0},
        "first_record": share | {"n": 0},
        "living": {
            "flagged": flagged,
            "of": 3900,
            "low": 0.01,
            "high": 0.05,
            "undetermined": 900,
            "per_week": weekly,
            "per_week_low": weekly / 2,
            "per_week_high": weekly * 2,
            "weeks": 26,
        },
    }


def patterns():
    """Three patterns: one catches many, one three cases, one asks for next to no work."""
    rows = [
        pattern("separation", 12, origin="prespecified", flagged=900, weekly=9.0),
        pattern("jealousy", 3),
        pattern("strangulation", 8, flagged=2, weekly=0.04),
    ]
    return {
        "format": "riskml fatality patterns 1",
        "reviews": "a" * 64,
        "history": "b" * 64,
        "synthetic": True,
        "as_of": "2026-11-02T00:00",
        "cases": 23,
        "cap": 5000,
        "searched": 4321,
        "kept": 2,
        "prespecified": 1,
        "patterns_version": 1,
        "selected": {
            "patterns": ["separation", "strangulation"],
            "caught": {"n": 14, "of": 23, "low": 0.4, "high": 0.8},
            "left_out": {"n": 6, "of": 23, "low": 0.1, "high": 0.5},
        },
        "words": [words("said of the search")],
        "rows": rows,
        "tradeoff": [
            {
                "patterns": ["separation"],
                "caught": 12,
                "of": 23,
                "flagged": 900,
                "living_of": 3900,
                "per_week": 9.0,
            },
            {
                "patterns": ["separation", "strangulation"],
                "caught": 14,
                "of": 23,
                "flagged": 902,
                "living_of": 3900,
                "per_week": 9.1,
            },
        ],
    }


def contact(day, analyst, suggested, state):
    """One contact, so many days before the event; the version had seen that time where it is long ago."""
    rule = "repeat@0123456789abcdef"
    return {
        "at": "2025-01-05T10:00:00",
        "day": day,
        "source": "registry",
        "institution": None,
        "standing": "open",
        "analyst_level": analyst,
        "level_then": None,
        "suggested": {rule: suggested},
        "patterns": [{"pattern": "separation", "status": "approved", "state": state, "deciding": []}],
        "learnt_from_it": day > 100,
        "learnt_by": [rule] if day > 100 else [],
    }


def replay():
    """Two cases: one with three contacts, one with none."""
    spread = {"n": 6, "median": 41.0, "q1": 1, "q3": 90, "median_low": None, "median_high": None}
    share = {"n": 6, "of": 23, "share": 0.26, "low": 0.1, "high": 0.5}
    row = {"rule": "separation", "kind": "pattern", "status": "approved", "group": "all", "fired": share}
    row |= {"with_contact": share, "first_contact": share, "days_before": spread, "days_lost": spread}
    few = row | {
        "rule": "jealousy",
        "fired": share | {"n": 2},
        "days_before": spread | {"n": 2, "median": 77.0},
    }
    contacts = [
        contact(400, "low", "low", "undetermined"),
        contact(90, "medium", "critical", "matched"),
        contact(3, "critical", "critical", "matched"),
    ]
    case = {"kind": "femicide", "event_on": "2025-04-05", "linked": True, "unknown_that_mattered": []}
    mattered = {"factor": "separation", "known_to": "family", "known_on_day": 30}
    return {
        "format": "riskml fatality replay 1",
        "reviews": {"hash": "a" * 64, "n": 23, "synthetic": True},
        "versions": [
            {"name": "repeat@0123456789abcdef", "kind": "version", "learnt_until": "2024-12-31T00:00:00"}
        ],
        "patterns": [{"pattern": "separation", "status": "approved", "label": words("Separation $x_1$")}],
        "cases": [
            case | {"review_id": "R0007", "contacts": contacts, "days_lost": 87},
            case
            | {"review_id": "R0008", "contacts": [], "days_lost": None, "unknown_that_mattered": [mattered]},
        ],
        "table": [row, few],
    }
