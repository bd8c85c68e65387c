"""What `riskml fatality load` says: what was rejected, how coders agree, what was linked and staged."""

from functools import partial

from rich.table import Table

from riskml.cli.options import console, say
from riskml.messages import message

__all__ = ["print_loaded", "print_mapped", "print_problems", "print_read"]

_SHOWN = 10

_say = partial(say, room="fatality_load")


def print_problems(problems, language):
    """The first mistakes, each with its cell, and how many more there are."""
    _print_first([problem.words(language) for problem in problems], language)


def _print_first(lines, language):
    for line in lines[:_SHOWN]:
        console.print(f"- {line}", markup=False, highlight=False)
    if len(lines) > _SHOWN:
        _say("and_more", language, count=len(lines) - _SHOWN)


def print_read(loaded, rejected, language):
    """What was accepted and rejected of filled forms.

    Parameters
    ----------
    loaded : Loaded
    rejected : Path or None    where the rejected rows are
    language : "es" or "en"
    """
    cases = len(loaded.sheets["cases"])
    _say("accepted", language, style="bold", accepted=loaded.accepted, filled=loaded.filled, cases=cases)
    for name in ("twice", "waiting"):
        if getattr(loaded, name):
            _say(name, language, count=getattr(loaded, name))
    if rejected is not None:
        _say(
            "rejected",
            language,
            style="bold red",
            count=len(loaded.rejected),
            filled=loaded.filled,
            path=rejected,
        )
        # Rows that wait for their case need no mending of their own: they come last.
        own = [p for p in loaded.problems if p.name != "case_rejected"]
        print_problems(own + [p for p in loaded.problems if p.name == "case_rejected"], language)
        files = " ".join(str(path) for path in (*(form.path for form in loaded.forms), rejected))
        _say("rejected_next", language, files=files)
    print_problems(loaded.notices, language)


def print_mapped(path, sheets, rejected, kept, language):
    """What was accepted and rejected of another register's table."""
    wrong = rejected[rejected["why"] == "rejected"]
    cases = len(sheets["cases"])
    filled = len(rejected) + sheets["cases"]["source_row"].nunique()
    accepted = filled - len(rejected)
    _say("accepted", language, style="bold", accepted=accepted, filled=filled, cases=cases)
    if len(rejected) > len(wrong):
        _say("mapped_left_out", language, count=len(rejected) - len(wrong))
    if len(wrong):
        _say("rejected", language, style="bold red", count=len(wrong), filled=filled, path=kept)
        lines = [
            message("fatality_load.mapped_where", language, file=path.name, row=row.row, reasons=row.reasons)
            for row in wrong.itertuples()
        ]
        _print_first(lines, language)
        _say("mapped_next", language)


def print_loaded(made, vocabulary, language, *, asked, adjudication, staged):
    """How coders agree, what was linked, what was staged.

    Parameters
    ----------
    made : LoadedReviews
    vocabulary : FactorVocabulary
    language : "es" or "en"
    asked : bool                   whether any case names an id of the registry
    adjudication : Path or None    where the team decides
    staged : dict or None          of `stage_outcomes`
    """
    _print_agreement(made.agreement, vocabulary, language)
    if not made.agreement and made.reviews.about["coders"] and "mapping" not in made.reviews.about:
        _say("one_coder", language)
    if made.undecided:
        _say("undecided", language, style="bold", count=made.undecided, path=adjudication)
    if made.to_adjudicate > made.undecided:
        count = made.to_adjudicate - made.undecided
        say("undecided_when", language, room="fatality_coders", count=count, path=adjudication)
    if staged is None:
        _say("not_linked" if asked else "no_ids", language)
        return
    _say("linked", language, linked=len(made.reviews.linked), cases=len(made.reviews))
    lines = [
        message("fatality_load.link_finding", language, review=row["review_id"], words=row[language])
        for row in made.findings.to_dict("records")
    ]
    _print_first(lines, language)
    held = staged["already_held"] + staged["repeated"]
    counts = {"new": staged["staged"], "corrected": staged["corrected"], "unchanged": staged["unchanged"]}
    _say("staged", language, held=held, **counts)
    if staged["refused"]:
        _say("refused", language, count=staged["refused"])
    withdrawn, accepted = staged["withdrawn"], staged["withdrawn_after_acceptance"]
    if withdrawn + accepted:
        _say("withdrawn", language, style="bold", count=withdrawn + accepted, accepted=accepted)


def _print_agreement(rows, vocabulary, language):
    """A table for each pair of coders: all factors together, then those on which they ever differ."""
    pairs = dict.fromkeys((row["first"], row["second"]) for row in rows)
    for first, second in pairs:
        of_pair = [row for row in rows if (row["first"], row["second"]) == (first, second)]
        cases = next(row["cases"] for row in of_pair if row["factor"] is None)
        table = Table(
            title=message("fatality_load.agreement_title", language, first=first, second=second, cases=cases)
        )
        for name in ("factor", "exact", "kappa"):
            table.add_column(message(f"fatality_load.agreement_{name}", language))
        differing = [row for row in of_pair if row["exact"]["n"] < row["exact"]["total"]]
        differing.sort(key=lambda row: row["exact"]["n"] / row["exact"]["total"])
        overall = [row for row in of_pair if row["factor"] is None]
        for row in overall + [row for row in differing if row["factor"] is not None]:
            table.add_row(
                _factor(row["factor"], vocabulary, language), _share(row["exact"]), _kappa(row, language)
            )
        console.print(table)
        notes = [
            f"{_factor(row['factor'], vocabulary, language)}: {note[language]}"
            for row in overall + [row for row in differing if row["factor"] is not None]
            for note in row["notes"]
        ]
        _print_first(notes, language)
        alike = sum(row["factor"] is not None for row in of_pair) - sum(
            row["factor"] is not None for row in differing
        )
        if alike:
            _say("agreement_rest", language, count=alike)


def _factor(code, vocabulary, language):
    if code is None:
        return message("fatality_load.agreement_all", language)
    return vocabulary[code].label[language] if code in vocabulary else code


def _share(exact):
    low, high = (f"{100 * exact[name]:.0f}" for name in ("low", "high"))
    return f"{exact['n']}/{exact['total']} ({low}-{high} %)"


def _kappa(row, language):
    kappa = row["kappa"]
    if "missing" in kappa:
        return kappa["missing"][language]
    return f"{kappa['estimate']:.2f} ({kappa['low']:.2f} - {kappa['high']:.2f})"
