"""What of a review's documents may be published: small counts suppressed, dates as intervals, no single case.

A published document has the keys of the team's own. A count that is suppressed is a mark of
`fatality_disclosure`; shares, intervals and odds ratios stand only where every count behind them does.
"""

from riskml.errors import RiskmlError
from riskml.reporting.document import part
from riskml.reporting.fatality_disclosure import HIDDEN, SMALLEST, covered, is_open, parts_of, single
from riskml.reporting.fatality_grouped import answers_by_group, merged_bands, merged_groups
from riskml.reporting.fatality_published import comparison_published, patterns_published, replay_published

__all__ = ["published"]

_DERIVED = ("share", "low", "high", "bound_low", "bound_high", "bound_low_low", "bound_high_high")
# Quartiles of few cases are single cases' values. [A]
_FEWEST_FOR_QUARTILES = 2 * SMALLEST


def published(documents):
    """The documents of a review as they may leave the team.

    Left out: review ids, single cases, the 41 items (sums of factors that are printed), sentences that hold
    counts. What is not estimable says so without the reason, which may hold a count too.

    Parameters
    ----------
    documents : dict    findings, patterns, replay: dict of their format, or None

    Returns
    -------
    dict    the same keys

    Raises
    ------
    RiskmlError    fewer reviewed cases than SMALLEST: whatever is said of them is said of somebody
    """
    findings, patterns, replay = (documents.get(name) for name in ("findings", "patterns", "replay"))
    reviewed = [part(findings, "reviews", "n"), part(patterns, "cases"), len(part(replay, "cases") or ())]
    cases = next((n for n in reviewed if n), 0)
    if cases < SMALLEST:
        raise RiskmlError(
            f"too few reviewed cases to publish anything: a published count stands for {SMALLEST} or more",
            where="riskml fatality report",
            mend="`riskml fatality report --internal` writes the page for the team alone.",
        )
    shown = findings and _findings(findings, cases)
    factors = part(shown, "prevalence") or ()
    return {
        "findings": shown,
        "patterns": patterns and patterns_published(patterns, factors),
        "replay": replay and replay_published(replay),
    }


def _if_there(document, name, publish, *rest):
    """A part as it may be published; {"missing": {}} where there is none."""
    found = part(document, name)
    return {"missing": {}} if found is None else publish(found, *rest)


def _findings(document, cases):
    rows = [_prevalence(row) for row in part(document, "prevalence") or ()]
    contact = _if_there(document, "last_contact", _last_contact, cases)
    return {
        "format": document["format"],
        "as_of": str(document.get("as_of") or "")[:7],
        "reviews": _reviews(document["reviews"]),
        "prevalence": rows,
        "counts": _if_there(document, "counts", _items_per_case, cases),
        "after_only": _after_only(rows),
        "earlier": _if_there(document, "earlier", lambda found: [_answers(row) for row in found]),
        "last_contact": contact,
        "institutions": _if_there(document, "institutions", lambda found: [_knew(row) for row in found]),
        "timeline": _if_there(document, "timeline", _timeline, cases, part(contact, "with_contact", "n")),
        "cooccurrence": _if_there(document, "cooccurrence", _pairs, rows),
        "missed": _if_there(document, "missed", _missed, cases),
        "recommendations": [_advice(row) for row in part(document, "recommendations") or ()],
        "comparison": _if_there(document, "comparison", comparison_published, rows),
    }


def _reviews(about):
    return {
        "hash": about["hash"][:8],
        "n": about["n"],
        "kinds": [
            {"kind": name, "n": n} for name, n in merged_groups([(r["kind"], r["n"]) for r in about["kinds"]])
        ],
        "first": about["first"][:4],
        "last": about["last"][:4],
        "linked": single(about["linked"], about["n"]),
        "coders": about["coders"],
        "synthetic": about["synthetic"],
    }


def share_published(found):
    """n of so many: the exact interval only where n is printed."""
    n = single(found["n"], found["of"])
    keep = is_open(n)
    return {"n": n, "of": found["of"]} | {
        key: found.get(key) if keep else None for key in ("share", "low", "high")
    }


def _derived(row, keep):
    return {key: row.get(key) if keep else None for key in _DERIVED}


def _prevalence(row):
    """One factor: its three states add up to all cases; its presence is split by when it was known."""
    total = row["n"]
    states = parts_of([row["present"], row["absent"], row["unknown"]], total)
    split = [row["before"]["present"], row["after_only"], row["undated"]]
    split = parts_of(split, row["present"]) if is_open(states[0]) else [HIDDEN] * len(split)
    return {
        **{key: row[key] for key in ("factor", "label", "dimension")},
        **dict(zip(("present", "absent", "unknown"), states, strict=True)),
        "n": total,
        "known": total - states[2] if is_open(states[2]) else None,
        **_derived(row, is_open(*states)),
        "before": {"present": split[0], "n": total},
        "after_only": split[1],
        "undated": split[2],
    }


def _after_only(rows):
    """Of published factors: those of which it is printed in how many cases they came to light afterwards."""
    told = [row for row in rows if is_open(row["after_only"], row["present"]) and row["after_only"]]
    told.sort(key=lambda row: -row["after_only"])
    return [
        {key: row[key] for key in ("factor", "label")} | {"n": row["after_only"], "of": row["present"]}
        for row in told
    ]


def _items_per_case(found, cases):
    """Items per case, at least and at most; cases that surely had many, could have, and had not, add up."""
    many = found["seven_or_more"]
    surely, undecided = many["n"], many["undecided"]
    printed = parts_of([surely, undecided, cases - surely - undecided], cases)
    made = _quartiles(found, cases) | {"of": found["of"], "most": _quartiles(found["most"], cases)}
    made["seven_or_more"] = {"n": printed[0], "undecided": printed[1], "of": cases}
    if part(found, "before"):
        made["before"] = _items_per_case(found["before"], cases)
    return made


def _quartiles(found, cases):
    enough = cases >= _FEWEST_FOR_QUARTILES
    return {"median": found["median"]} | {key: found[key] if enough else None for key in ("q1", "q3")}


def _answers(row):
    """One question: yes, no and unknown add up to all cases. By groups only where all three are printed."""
    states = parts_of([row["yes"], row["no"], row["unknown"]], row["n"])
    keep = is_open(*states)
    return {
        "field": row["field"],
        **dict(zip(("yes", "no", "unknown"), states, strict=True)),
        "n": row["n"],
        "known": row["n"] - states[2] if is_open(states[2]) else None,
        **_derived(row, keep),
        "by": answers_by_group(row["by"]) if keep else [],
    }


def _last_contact(found, cases):
    n = found["with_contact"]["n"]
    with_contact, without = parts_of([n, cases - n], cases)
    keep = is_open(with_contact)
    days = found["days"] if keep and n >= SMALLEST else {}
    shown = ("median", "q1", "q3", "median_low", "median_high") if n >= _FEWEST_FOR_QUARTILES else ("median",)
    share = {key: found["with_contact"][key] if keep else None for key in ("share", "low", "high")}
    return {
        "with_contact": {"n": with_contact, "of": cases} | share,
        "days": {key: days.get(key) for key in shown} | {"n": with_contact},
        "bands": merged_bands(found["bands"], apart=is_open(without)) if keep or is_open(without) else [],
        "by_institution": _listed(found["by_institution"], n) if keep else [],
    }


def _listed(rows, total):
    """Institutions of the last contact: those of few cases are not listed, as are those of none.

    Every case with a contact has one: where the listed ones leave many to the others, one more is left out.
    """
    listed = sorted((row for row in rows if row["n"] >= SMALLEST), key=lambda row: -row["n"])
    left = total - sum(row["n"] for row in listed)
    if listed and len(listed) < len(rows) and left > (len(rows) - len(listed)) * (SMALLEST - 1) // 2:
        listed = listed[:-1]
    return [
        {"institution": row["institution"], "median_days": row["median_days"], **share_published(row)}
        for row in listed
    ]


def _knew(row):
    shared = share_published(row | {"n": row["knew"]})
    knew = shared.pop("n")
    return {
        "institution": row["institution"],
        "community": row.get("community", False),
        "knew": knew,
        **shared,
        "factors_median": row["factors_median"] if is_open(knew) and knew else None,
    }


def _timeline(rows, cases, with_contact):
    """Cells of institutions and days; none where the cases with any contact would tell the small ones."""
    printed = [row | {"n": single(row["n"], cases)} for row in rows]
    marked = sum(not is_open(row["n"]) for row in printed)
    kept = sum(row["n"] for row in printed if is_open(row["n"]))
    if marked and is_open(with_contact) and with_contact - kept > marked * (SMALLEST - 1) // 2:
        return {"missing": {}}
    return printed


def _missed(found, cases):
    """Cells, ways and all cases: each way covers its cells, all cases cover the ways."""
    matrix, ways = [], []
    for cells, way in zip(found["matrix"], found["by_how"], strict=True):
        printed, total = covered(cells, way["n"], cases)
        matrix.append(printed)
        keep = {key: way[key] if is_open(total) else None for key in ("share", "low", "high")}
        ways.append({"how": way["how"], "n": total, "of": cases} | keep)
    whole = found["cases_with_any"]
    marked = [way["n"] for way in ways if not is_open(way["n"])]
    left = whole["n"] - sum(way["n"] for way in ways if is_open(way["n"]))
    n = single(whole["n"], cases)
    if marked and (HIDDEN in marked or not is_open(n) or left > len(marked) * (SMALLEST - 1) // 2):
        n = HIDDEN
    keep = {key: whole[key] if is_open(n) else None for key in ("share", "low", "high")}
    return {
        "how": found["how"],
        "institutions": found["institutions"],
        "matrix": matrix,
        "cases_with_any": {"n": n, "of": cases} | keep,
        "by_how": ways,
    }


def _pairs(rows, factors):
    """Pairs whose cells, and what is left of either factor beside them, are all large enough or none."""
    known = {row["factor"]: row for row in factors if is_open(row["present"], row["absent"], row["unknown"])}
    kept = []
    for row in rows:
        a, b = known.get(row["a"]), known.get(row["b"])
        if a is None or b is None:
            continue
        both, a_only, b_only, neither = (row[key] for key in ("both", "a_only", "b_only", "neither"))
        beside = (
            a["present"] - both - a_only,
            a["absent"] - b_only - neither,
            b["present"] - both - b_only,
            b["absent"] - a_only - neither,
        )
        cells = (both, a_only, b_only, neither)
        if min(cells) >= SMALLEST and all(n == 0 or n >= SMALLEST for n in beside):
            names = ("a", "b", "both", "a_only", "b_only", "neither", "of", "odds_ratio", "low", "high")
            kept.append({key: row[key] for key in names})
    return kept


def _advice(row):
    """A recommendation: its words only where the team cleared them, its deadline as a quarter of a year."""
    deadline = row.get("deadline_on")
    quarter = f"{deadline[:4]}-T{(int(deadline[5:7]) + 2) // 3}" if deadline else None
    keep = ("addressee", "progress", "overdue", "n", "recommendation")
    return {key: row.get(key) for key in keep} | {"deadline_on": quarter}
