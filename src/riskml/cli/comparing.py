"""What `riskml review compare` prints."""

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from riskml.messages import message
from riskml.review.compare import SUGGESTED
from riskml.validation.forecast import NotEstimable

__all__ = ["print_comparison"]

_SHOWN = 30  # cases that change level, in the terminal; --out has all of them


def _say(name, language, **fields):
    return message(f"review.{name}", language, **fields)


def _level(name, language):
    return message(f"levels.level_{name}", language)


def _figure(value, digits, language):
    if isinstance(value, NotEstimable):
        return value.words(language)
    estimate, low, high = value
    return f"{estimate:.{digits}f} ({low:.{digits}f} – {high:.{digits}f})"


def _flows(found, language):
    table = Table(title=_say("flows", language), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(_say("champion", language))
    for level in reversed(SUGGESTED):
        table.add_column(_level(level, language), justify="right")
    for level in reversed(SUGGESTED):
        row = found.flows.loc[level]
        table.add_row(_level(level, language), *(f"{row[to]:,}" for to in reversed(SUGGESTED)))
    return table


def _judged(found, language):
    table = Table(title=_say("judged", language), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold")
    for side in found.versions:
        table.add_column(_say(side, language), no_wrap=True)
    for metric, row in found.judged.iterrows():
        cells = []
        for side in found.versions:
            value, low, high = (row[side][part] for part in ("value", "low", "high"))
            around = "" if np.isnan(low) else f" ({low:.3f} – {high:.3f})"
            cells.append("-" if np.isnan(value) else f"{value:.3f}{around}")
        table.add_row(metric, *cells)
    return table


def _changes(changed, language):
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(_say("case", language), no_wrap=True)
    for side in ("champion", "challenger"):
        table.add_column(_say(side, language), no_wrap=True)
        table.add_column(_say("rank", language), justify="right")
    for case, row in changed.iterrows():
        cells = [str(case)]
        for side in ("champion", "challenger"):
            cells += [_level(row[f"{side}_level"], language), f"{row[f'{side}_rank']:,}"]
        table.add_row(*map(Text, cells))
    return table


def print_comparison(console, found, language):
    """Print a Comparison: agreement, levels, the reports' figures, and the cases that change level."""

    def put(text, style=None):
        console.print(Text(text, style or ""), soft_wrap=True)

    put(
        _say(
            "compared",
            language,
            model=found.name,
            date=f"{found.as_of:%Y-%m-%d}",
            count=len(found.cases),
            history=found.history_hash[:12] or "-",
            **found.versions,
        ),
        "bold",
    )
    for name, digits in (("kappa", 2), ("rank_correlation", 2), ("difference", 4)):
        put(f"{_say(name, language)}: {_figure(found.figures[name], digits, language)}")
    common, k = found.capacity
    put(_say("in_common", language, common=common, k=k))
    console.print(_flows(found, language))
    if found.by_rules_alone:
        put(_say("by_rules_alone", language), "dim")
    if not found.judged.empty:
        console.print(_judged(found, language))
        for side, w in found.windows.items():
            if w:
                share = f"{w['events']:,}/{w['assessments']:,}"
                put(_say("window", language, side=_say(side, language), share=share, **w))
        put(_say("own_windows", language), "dim")
    changed = found.changed
    put(_say("change_level", language, count=len(changed), total=len(found.cases)), "bold")
    if len(changed):
        console.print(_changes(changed.head(_SHOWN), language))
    if len(changed) > _SHOWN:
        put(_say("more_changes", language, count=len(changed) - _SHOWN), "dim")
