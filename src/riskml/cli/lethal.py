"""What `riskml train lethal` prints: prior, data and posterior side by side, and what they rest on."""

from rich.table import Table
from rich.text import Text

from riskml.messages import message
from riskml.training.lethal_report import rate_interval
from riskml.validation.intervals import share_in_words
from riskml.vocabulary import duration

__all__ = ["print_lethal"]

_HEADINGS = ("factor", "prior", "present", "data", "posterior", "moved")


def print_lethal(console, bundle, folder, language):
    """Print what the training of a lethal model found.

    Parameters
    ----------
    console : rich.console.Console
    bundle : LethalBundle
    folder : path      where it is kept
    language : str
    """

    def line(words):
        console.print(words, markup=False, highlight=False)

    def say(name, **fields):
        line(message(f"lethal.printed_{name}", language, **fields))

    card, report = bundle.card, bundle.report
    console.print(card["label"][language], style="bold", markup=False)
    line(card["estimand"][language])
    say("cases", events=report["events"], cases=report["cases"], controls=report["controls"])
    for row in report["exclusions"]:
        if row["events"]:
            say("excluded", count=row["events"], total=row["of"], reason=row["words"][language])
    line(report["matching"]["words"][language])
    say("exits", days=duration(card["horizon"]) // duration("1d"), **report["exits"])
    say("registry", **_registry(report["registry"]))
    console.print(_table(report["table"], language))
    say("legend")
    _ranking(report["leave_one_out"], say, language)
    competition = report["competition"]
    line((competition.get("refused") or competition.get("words"))[language])
    for note in report["notes"]:
        line(f"- {note[language]}")
    line(card["limits"][language])
    line(message("cli.model_kept", language, name=bundle.name, version=bundle.version, folder=folder))


def _registry(registry):
    events, years = registry["events"], registry["relationship_years"]
    low, high = rate_interval(events, years) if years else (0.0, 0.0)
    return {
        "open": f"{registry['open_now']:,}",
        "events": events,
        "years": f"{years:,.0f}",
        "rate": f"{1e4 * events / years:.1f}" if years else "-",
        "low": f"{1e4 * low:.1f}",
        "high": f"{1e4 * high:.1f}",
    }


def _ranking(left_out, say, language):
    if "missing" in left_out:
        say("no_ranking", reason=left_out["missing"][language])
        return
    auc = f"{left_out['auc']:.2f}"
    if left_out["auc_low"] is None:
        auc += f" ({left_out['auc_missing'][language]})"
    else:
        auc += f" ({left_out['auc_low']:.2f}-{left_out['auc_high']:.2f})"
    say("ranking", top=share_in_words(left_out["among_top"], left_out["sets"], language=language), auc=auc)


def _table(rows, language):
    table = Table(title=message("lethal.printed_table", language), title_justify="left")
    for place, name in enumerate(_HEADINGS):
        heading = message(f"lethal.heading_{name}", language)
        table.add_column(heading, min_width=0 if place else 20, justify="right" if place else "left")
    for row in rows:
        cells = (
            row["label"][language],
            f"{_ratio(row, 'prior', language)}\n[{row['tag']}]{_doubt(row, language)}",
            f"{row['cases_present']}/{row['cases_known']}\n{row['controls_present']}/{row['controls_known']}",
            _ratio(row, "data", language),
            _ratio(row, "posterior", language),
            f"{row['moved']:+.1f}\n{100 * row['from_data']:.0f} %",
        )
        table.add_row(*map(Text, cells), end_section=True)
    return table


def _doubt(row, language):
    return f" {message('lethal.unchecked', language)}" if row["prior_only"] else ""


def _ratio(row, name, language):
    if row[name] is None:
        return message("lethal.cannot_tell", language)
    return f"{_plain(row[name])}\n{_plain(row[f'{name}_low'])}–{_plain(row[f'{name}_high'])}"


def _plain(ratio):
    """An odds ratio to two digits or so."""
    if ratio > 1000 or ratio < 0.01:
        return ">1000" if ratio > 1 else "<0.01"
    return f"{ratio:.{2 if ratio < 1 else 1 if ratio < 10 else 0}f}"
