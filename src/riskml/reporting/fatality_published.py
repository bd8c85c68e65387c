"""The comparison with the living, the patterns and the replay as they may be published."""

from collections import Counter

from riskml.reporting.document import part
from riskml.reporting.fatality_disclosure import HIDDEN, SMALLEST, is_open, parts_of, single

__all__ = ["comparison_published", "mattered", "patterns_published", "replay_published"]

_STATES = ("present", "denied", "unknown", "not_applicable")
_OF_POWER = ("cases", "controls", "prevalence", "smallest_odds_ratio", "rows", "words")
_FROM_DATA = ("recorded", "known", "mantel_haenszel", "posterior", "moved", "from_data", "q")


def comparison_published(document, prevalence=()):
    """Odds ratios of the factors whose counts, of cases and of controls, are all printed.

    Odds ratios are no counts, but few cases can be read off them. q-values stand only where all rows do: each
    hangs on all p-values. The joint model stands on sets of its own, and is not published. `prevalence` is as
    `patterns_published` takes it, for the same reason.
    """
    if document["cases"] < SMALLEST:
        return {"missing": {}}
    factors = {row["factor"]: row for row in prevalence}
    rows = [_compared(row, factors) for row in document["rows"]]
    if not all(row["open"] for row in rows):
        rows = [row | {"q": None} for row in rows]
    power = {key: document["power"].get(key) for key in _OF_POWER}
    sizes = {key: document[key] for key in ("sets", "cases", "controls")}
    return {"power": power, **sizes, "rows": rows}


def _compared(row, factors):
    made = {key: row[key] for key in ("factor", "item", "label", "prior") if key in row}
    for group in ("cases", "controls"):
        counts = [row[group].get(state, 0) for state in _STATES]
        made[group] = dict(zip(_STATES, parts_of(counts, sum(counts)), strict=True))
    telling = _bounds_before(factors.get(row.get("factor")), row["cases"]["present"])
    made["open"] = is_open(*made["cases"].values(), *made["controls"].values()) and not telling
    return made | {key: row.get(key) if made["open"] else None for key in _FROM_DATA}


def _caught(found):
    """n of so many with its interval, or a mark; None where there is none. So many may be too few to say."""
    if not isinstance(found, dict) or found.get("n") is None:
        return None
    n = single(found["n"], found["of"])
    keep = is_open(n)
    of = HIDDEN if 0 < found["of"] < SMALLEST else found["of"]
    return {"n": n, "of": of} | {key: found.get(key) if keep else None for key in ("share", "low", "high")}


def _kept_back(found):
    """A count that is not printed, of so many; None where there is none."""
    caught = _caught(found)
    return None if caught is None else {"n": HIDDEN, "of": caught["of"]}


def _living(found):
    """Living cases that a pattern would flag; a week's only where the weeks counted hold enough of them."""
    if not part(found):
        return {"missing": {}}
    flagged, of = found["flagged"], found["of"]
    made = {"flagged": single(flagged, of), "of": of, "weeks": found.get("weeks")}
    made |= {key: found.get(key) if is_open(made["flagged"]) else None for key in ("low", "high")}
    undetermined = found.get("undetermined")
    made["undetermined"] = None if undetermined is None else single(undetermined, of)
    weekly = (found.get("per_week") or 0) * (found.get("weeks") or 0)
    keep = is_open(made["flagged"]) and (weekly == 0 or round(weekly) >= SMALLEST)
    return made | {
        key: found.get(key) if keep else None for key in ("per_week", "per_week_low", "per_week_high")
    }


def patterns_published(document, prevalence=()):
    """Patterns with what they caught; how many cases defined the critical level is a fact of the review.

    Parameters
    ----------
    document : dict             the team's own patterns
    prevalence : list of dict   the factors as they are published: what a pattern catches may not say in how
        many cases one of its factors was known before, where that is suppressed
    """
    factors = {row["factor"]: row for row in prevalence}
    rows = [_pattern(row, _tells(row, factors)) for row in document["rows"]]
    kept = {row["id"] for row in rows if row["caught"] and is_open(row["caught"]["n"])}
    chosen = part(document, "selected") or {}
    return {
        "format": document["format"],
        "reviews": str(document.get("reviews") or "")[:8],
        "history": str(document.get("history") or "")[:8],
        "as_of": str(document.get("as_of") or "")[:7],
        **{
            key: document.get(key)
            for key in ("synthetic", "cases", "cap", "searched", "kept", "prespecified")
        },
        "patterns_version": document.get("patterns_version"),
        "selected": {key: _caught(chosen.get(key)) for key in ("caught", "left_out")},
        "rows": rows,
        "tradeoff": _tradeoff(part(document, "tradeoff") or (), kept),
    }


def _bounds_before(factor, n):
    """Whether n cases known before to have a factor would bound a suppressed count of those that were.

    Of a factor that is present in p cases and came to light afterwards in a few, p less a few knew.
    """
    if factor is None or is_open(factor["before"]["present"]):
        return False
    return is_open(factor["present"]) and n > factor["present"] - SMALLEST


def _tells(row, factors):
    """Whether what a pattern of factors that go together catches bounds a suppressed count of one of them.

    The cases of a pattern of one factor are those in which it was known before; those of several are some of
    these.
    """
    named, caught = (row.get("when") or {}).get("all_of") or (), part(row, "caught", "n") or 0
    own = [factors[code] for code in named if isinstance(code, str) and code in factors]
    if len(named) == 1:
        return any(not is_open(factor["before"]["present"]) for factor in own)
    return any(_bounds_before(factor, caught) for factor in own)


def _pattern(row, tells):
    days, defined = row.get("days_before") or {}, part(row, "defined")
    enough = (days.get("n") or 0) >= SMALLEST and not tells
    names = ("id", "origin", "status", "label", "when", "factors", "relationships")
    counts = ("caught", "caught_registry", "left_out", "first_record")
    return {
        **{key: row.get(key) for key in names},
        **{key: _kept_back(row.get(key)) if tells else _caught(row.get(key)) for key in counts},
        "defined": {"n": defined["n"]} if isinstance(defined, dict) else {"n": defined or 0},
        "days_before": {"median": days.get("median") if enough else None},
        "living": _living(row.get("living")),
    }


def _tradeoff(rows, kept):
    """Growing sets of patterns, of those that are printed; a step that would add a few cases is left out."""
    made, before = [], {"caught": 0, "flagged": 0}
    for row in rows:
        steps = [row[key] - before[key] for key in before]
        marks = single(row["caught"], row["of"]), single(row["flagged"], row["living_of"])
        wide = all(step == 0 or step >= SMALLEST for step in steps)
        if wide and set(row["patterns"]) <= kept and is_open(*marks):
            names = ("patterns", "caught", "of", "flagged", "living_of", "per_week")
            made.append({key: row.get(key) for key in names})
            before = {key: row[key] for key in before}
    return made


def replay_published(document):
    """The table over all cases, and factors not on record that would have mattered in enough of them."""
    cases = len(document["cases"])
    return {
        "format": document["format"],
        "reviews": {
            "hash": document["reviews"]["hash"][:8],
            "n": cases,
            "synthetic": document["reviews"].get("synthetic", False),
        },
        "versions": [
            {"name": row["name"], "kind": row["kind"], "learnt_until": str(row["learnt_until"] or "")[:7]}
            for row in document["versions"]
        ],
        "patterns": document.get("patterns") or [],
        "table": [_replayed(row) for row in document["table"]],
        "mattered": [
            row | {"n": single(row["n"], cases)} for row in mattered(document) if row["n"] >= SMALLEST
        ],
    }


def _replayed(row):
    fired = single(row["fired"]["n"], row["fired"]["of"]) if row["fired"]["of"] else 0
    made = {key: row.get(key) for key in ("rule", "kind", "status", "group")}
    made |= {key: _caught(row[key]) for key in ("with_contact", "fired", "first_contact")}
    for key in ("days_before", "days_lost"):
        enough = is_open(fired) and row[key]["n"] >= SMALLEST
        made[key] = {"median": row[key]["median"] if enough else None}
    return made


def mattered(document):
    """Factors that somebody knew before and no record held, by the cases in which they would have mattered.

    Parameters
    ----------
    document : dict    the team's own replay

    Returns
    -------
    list of dict    factor, n, of; the most first
    """
    cases = part(document, "cases") or ()
    counts = Counter(
        code for case in cases for code in {row["factor"] for row in case["unknown_that_mattered"]}
    )
    return [{"factor": code, "n": n, "of": len(cases)} for code, n in counts.most_common()]
