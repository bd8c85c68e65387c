"""The tables that `riskml fatality analyse` prints."""

from math import ceil, floor

from rich.table import Table
from rich.text import Text

from riskml.messages import message

__all__ = ["percent_span", "print_findings"]

_SHOWN = 20  # factors in the terminal; the document has them all
_EXACT = 1e-9  # what is whole but for the machine's rounding stays whole
_WORDS = 20  # characters that the words of a table have at least


def _t(name, language, **fields):
    return message(f"fatality_findings.{name}", language, **fields)


def _code(code, language):
    return message(f"fatality_form.value_{code}", language)


def _line(console, words, style=None):
    console.print(words, markup=False, highlight=False, style=style)


def _table(title, headings, language, *, widest=8):
    """An empty table for a terminal of 80 columns: words in its first column, figures in the others."""
    table = Table(title=_t(title, language), title_justify="left")
    for place, heading in enumerate(headings):
        if place:
            table.add_column(_t(heading, language), justify="right", max_width=widest, overflow="fold")
        else:
            table.add_column(_t(heading, language), min_width=_WORDS)
    return table


def percent_span(low, high):
    """An interval in whole per cent, rounded outwards: what may be less than all is not printed as 100."""
    return f"{floor(100 * low + _EXACT)}-{ceil(100 * high - _EXACT)} %"


def _known(row, language, name="present"):
    """n/N of the known and its exact interval: two cells."""
    if row["share"] is None:
        return f"0/{row['known']}", _t("not_estimable", language)
    interval = _t("only_present", language) if row["only_present"] else percent_span(row["low"], row["high"])
    return f"{row[name]}/{row['known']}", interval


def _of(row, name="n"):
    """n/N and its interval, as one cell."""
    return f"{row[name]}/{row['of']} ({percent_span(row['low'], row['high'])})"


def _prevalence(found, language):
    headings = ("factor", "of_known", "interval", "unknown", "bounds", "before")
    table = _table("prevalence", headings, language)
    known = [row for row in found["prevalence"] if row["known"]]
    for row in sorted(known, key=lambda row: -row["present"])[:_SHOWN]:
        before = row["before"]
        table.add_row(
            row["label"][language],
            *_known(row, language),
            str(row["unknown"]),
            percent_span(row["bound_low"], row["bound_high"]),
            f"{before['present']}/{before['n']}",
        )
    return table


def _earlier(found, language):
    table = _table("earlier", ("on_record", "of_known", "interval", "unknown", "bounds"), language, widest=10)
    for row in found["earlier"]:
        table.add_row(
            message(f"fatality_form.cases_{row['field']}", language),
            *_known(row, language, "yes"),
            str(row["unknown"]),
            percent_span(row["bound_low"], row["bound_high"]),
        )
    return table


def _institutions(found, language):
    table = _table("institutions", ("who", "knew", "interval", "days", "after"), language)
    for row in found["institutions"]:
        if row["knew"] or row["after_only"]:
            days = "-" if row["days_median"] is None else f"{row['days_median']:.0f}"
            table.add_row(
                _code(row["institution"], language),
                f"{row['knew']}/{row['of']}",
                percent_span(row["low"], row["high"]),
                days,
                str(row["after_only"]),
            )
    return table


def _missed(found, language):
    table = _table("missed", ("how", "cases", "interval"), language)
    for row in found["missed"]["by_how"]:
        table.add_row(
            _code(row["how"], language), f"{row['n']}/{row['of']}", percent_span(row["low"], row["high"])
        )
    return table


def _ratio(figures, language):
    """An odds ratio with its interval; infinite ends are said, not left out."""
    if "missing" in figures or figures.get("low") is figures.get("high") is None:
        return _t("not_estimable", language)
    value, low, high = (
        "∞" if figures.get(name) is None else f"{figures[name]:.2g}" for name in ("odds_ratio", "low", "high")
    )
    return f"{value} ({low}-{high})"


def _comparison(rows, language):
    """What was on record: one reading from counts to q, so that no row mixes two."""
    table = _table(
        "compared", ("factor", "reviewed", "living", "exact", "drawn_together", "q"), language, widest=12
    )
    for row in rows:
        counts = []
        for group in ("cases", "controls"):
            total = row[group]["present"] + row[group]["denied"] + row[group]["unknown"]
            counts.append(f"{row[group]['present']}/{total}")
        recorded = row["recorded"]
        table.add_row(
            row["label"][language],
            *counts,
            _ratio(recorded, language),
            _ratio(recorded["posterior"], language),
            "-" if recorded["q"] is None else f"{recorded['q']:.2f}",
        )
    return table


def _published(rows, language):
    """The factors of which studies speak, among those of whom they are known: prior, data, posterior."""
    headings = ("factor", "reviewed", "living", "prior", "data", "posterior")
    table = _table("published", headings, language, widest=12)
    for row in rows:
        counts = (f"{row[group]['present']}/{row[group]['known']}" for group in ("cases", "controls"))
        prior, data, posterior = (_ratio(row[name], language) for name in ("prior", "data", "posterior"))
        table.add_row(Text(row["label"][language]), *counts, Text(f"{prior} [{row['tag']}]"), data, posterior)
    return table


def _items(counts, language):
    if "missing" in counts:
        return counts["missing"][language]
    medians = {"least": f"{counts['median']:g}", "most": f"{counts['most']['median']:g}"}
    many = {key: counts["seven_or_more"][key] for key in ("n", "of", "undecided")}
    return _t("items", language, **medians, **many)


def _days(found, language):
    last = found["last_contact"]
    if "missing" in last:
        return last["missing"][language]
    days = last["days"]
    words = _t("last_contact", language, share=_of(last["with_contact"]))
    if days["median"] is None:
        return words
    span = _t("no_interval", language)
    if days["median_low"] is not None:
        span = f"{days['median_low']:.0f}-{days['median_high']:.0f}"
    return f"{words} {_t('days_before', language, median=round(days['median']), span=span)}"


def print_findings(console, found, language):
    """Print what was found: what can be shown first, then counts, then the comparison.

    Parameters
    ----------
    console : rich.console.Console
    found : dict    of `fatality.findings.findings.findings`
    language : str
    """
    compared = found["comparison"]
    _line(console, found["words"][language], "bold")
    if found["reviews"]["synthetic"]:
        _line(console, _t("note_synthetic", language))
    if compared.get("power"):
        _line(console, compared["power"]["words"][language], "bold")
    table = _prevalence(found, language)
    if table.row_count:
        console.print(table)
        _line(console, _t("shown", language, shown=table.row_count, of=len(found["prevalence"])))
    _line(console, _items(found["counts"], language))
    late = found["after_only"]
    if late:
        _line(console, _t("after_only", language, count=len(late), n=sum(row["n"] for row in late)))
    console.print(_earlier(found, language))
    _line(console, _days(found, language))
    for name, make in (("institutions", _institutions), ("missed", _missed)):
        part = found[name]
        if "missing" in part:
            _line(console, part["missing"][language])
        else:
            console.print(make(found, language))
    rows = [row for row in compared.get("rows", []) if "missing" not in row["recorded"]]
    if rows:
        console.print(_comparison(rows, language))
        _line(console, _t("compared_shown", language, shown=len(rows), of=len(compared["rows"])))
        if "rows" in compared["joint"]:
            console.print(_published(compared["joint"]["rows"], language))
    for words in compared.get("words", [])[1:]:
        _line(console, words[language])
    if "missing" in compared:
        _line(console, compared["missing"][language])
    _line(console, _t("note_selected", language))
