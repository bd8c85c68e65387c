"""Tables of critical patterns that the commands print."""

from rich import box
from rich.table import Table
from rich.text import Text

from riskml.cli.fatality_tables import percent_span
from riskml.messages import message
from riskml.validation.intervals import share_in_words

__all__ = ["print_criteria", "print_evidence", "print_proposals"]


def _words(key, language, **fields):
    return message(f"fatality_criteria.{key}", language, **fields)


def _print(console, words, style=""):
    console.print(Text(words, style), soft_wrap=True)


def _table(title, headings, language):
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        # An id is never cut, so that it can be copied.
        words = _words(f"heading_{heading}", language)
        table.add_column(words, min_width=0 if place else 24, overflow="fold")
    return table


def _share(part, language):
    return share_in_words(part["n"], part["of"], language=language)


def print_proposals(console, found, language):
    """Print the rows of a proposal, what the set comes to, and how they were made."""
    title = _words("proposed_title", language, kept=found["kept"], prespecified=found["prespecified"])
    headings = ("pattern", "caught", "left_out", "days", "first", "living", "weekly")
    table = _table(title, headings, language)
    for row in found["rows"]:
        table.add_row(*map(Text, _cells(row, language)), end_section=True)
    console.print(table)
    chosen = found["selected"]
    if chosen["patterns"]:
        last = found["tradeoff"][-1]
        weekly = "-" if last["per_week"] is None else f"{last['per_week']:.1f}"
        fields = {"flagged": last["flagged"], "living": last["living_of"], "per_week": weekly}
        fields |= {name: _share(chosen[name], language) for name in ("caught", "left_out")}
        _print(console, _words("set_together", language, count=len(chosen["patterns"]), **fields), "bold")
    else:
        _print(console, _words("no_set", language))
    for words in found["words"]:
        _print(console, f"- {words[language]}")


def _narrow(part):
    """n/N with its interval below it: a cell of a narrow column."""
    if part["low"] is None:
        return f"{part['n']}/{part['of']}"
    return f"{part['n']}/{part['of']}\n{percent_span(part['low'], part['high'])}"


def _cells(row, language):
    living, days = row["living"], row["days_before"]
    status = _words(f"status_{row['status']}", language)
    caught = f"{_narrow(row['caught'])}\n({row['caught_registry']['n']}/{row['caught_registry']['of']})"
    if row["defined"]["n"]:
        caught += "\n" + _words("defined_apart", language, **row["defined"])
    flagged = _narrow({**living, "n": living["flagged"]})
    undetermined = _words("undetermined", language, count=living["undetermined"])
    weekly = "-"
    if living["per_week"] is not None:
        weekly = f"{living['per_week']:.1f}\n({living['per_week_low']:.1f}-{living['per_week_high']:.1f})"
    return (
        f"{row['id']}\n{row['label'][language]} [{status}]",
        caught,
        _narrow(row["left_out"]),
        "-" if days["median"] is None else f"{days['median']:.0f}\n({days['n']}/{row['caught']['n']})",
        f"{row['first_record']['n']}/{row['first_record']['of']}",
        f"{flagged}\n{undetermined}",
        weekly,
    )


def print_evidence(console, name, pattern, language):
    """Print what is behind a pattern: cases that did not define it, and findings with their tags."""
    _print(console, _words("evidence_shown", language, name=name))
    for words in _evidence(pattern, language):
        _print(console, f"- {words}")


def _evidence(pattern, language):
    said = [f"{e.study}: {e.effect} [{e.tag}]" for e in pattern.evidence]
    if pattern.cases is not None:
        share = share_in_words(pattern.cases.caught, pattern.cases.of, language=language)
        said.insert(0, _words("counted_cases", language, share=share))
    return said


def print_criteria(console, file, language):
    """Print the file of critical patterns: where each stands, what is behind it, who decided, all changes."""
    title = _words("shown_title", language, version=file.version)
    table = _table(title, ("pattern", "status", "cases", "approvals"), language)
    for name, pattern in file.patterns.items():
        decided = [f"{a.role} {a.by} {a.date}" for a in pattern.approved_by]
        if pattern.rejected_by is not None:
            decided.append(f"{pattern.rejected_by.role} {pattern.rejected_by.by} {pattern.rejected_by.date}")
        cases = "-"
        if pattern.cases is not None:
            cases = share_in_words(pattern.cases.caught, pattern.cases.of, language=language)
        status = _words(f"status_{pattern.status}", language)
        table.add_row(*map(Text, (name, status, cases, "\n".join(decided) or "-")), end_section=True)
    if file.patterns:
        console.print(table)
    else:
        _print(console, _words("no_patterns", language))
    for name, pattern in file.patterns.items():
        _print(console, f"{name}: {pattern.label[language]}", "bold")
        for words in _evidence(pattern, language):
            _print(console, f"- {words}")
        if pattern.reasons:
            _print(console, f"  {pattern.reasons}")
    _print(console, _words("changes_title", language), "bold")
    for change in file.changes:
        by = f" {change.by}" if change.by else ""
        _print(console, f"{change.version}. {change.date}{by}: {change.change}")
