"""The tables of `docs/simulation.md`, rendered by `python -m riskml.simulation.pages docs/simulation.md`."""

import re
import sys
from pathlib import Path

from riskml.simulation.margins import margins
from riskml.simulation.settings import FACTORS, described_settings
from riskml.simulation.simulate import simulate

__all__ = ["PAGE_CASES", "PAGE_SEED", "factors_table", "margins_table", "rendered", "settings_table"]

PAGE_CASES, PAGE_SEED = 10_000, 1  # of the margins on the page
_ONLY_COMPLETE = ["strangulation_not_severe", "strangulation_severe"]


def _row(cells):
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def _table(head, rows):
    return "\n".join([_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)])


def _shown(value, between=", "):
    """A setting as a reader wants it: fractions and lists short."""
    if isinstance(value, tuple):
        return between.join(_shown(item, "/") for item in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def settings_table():
    """Every setting with its value, tag and reason, str of Markdown."""
    rows = ((f"`{name}`", _shown(value), f"[{tag}]", why) for name, value, tag, why in described_settings())
    return _table(("setting", "value", "tag", "why"), rows)


def factors_table():
    """Every factor of the simulated world, str of Markdown."""
    rows = []
    for f in FACTORS:
        effects = (f"{f.hazard:+.2f}", f"{f.severity:+.2f}", f"{f.mention:g}")
        rows.append((f"`{f.code}`", f"{f.usual:.0%}", f"{f.severe:.0%}", f"[{f.tag}]", *effects))
    head = ("factor", "usual", "severe", "tag", "log hazard [A]", "severity [A]", "mention [A]")
    return _table(head, rows)


def margins_table(frame):
    """Margins beside their anchors, str of Markdown.

    Parameters
    ----------
    frame : DataFrame of `riskml.simulation.margins.margins`; a margin without a value is left out
    """
    rows = (
        (f"`{name}`", f"{row['value']:.3g}", row["anchor"], f"[{row['tag']}]")
        for name, row in frame[frame["value"].notna()].iterrows()
    )
    return _table(("margin", "simulated", "anchor", "tag"), rows)


def page_margins():
    """The margins that the page shows: those of a complete registry where only it can tell. DataFrame."""
    shown = margins(simulate(PAGE_CASES, seed=PAGE_SEED))
    complete = margins(simulate(PAGE_CASES, seed=PAGE_SEED, recording="complete"))
    shown.loc[_ONLY_COMPLETE, "value"] = complete.loc[_ONLY_COMPLETE, "value"]
    return shown


def rendered(page, **tables):
    """The page with the text between `<!-- name -->` and `<!-- /name -->` replaced, str.

    Parameters
    ----------
    page : str
    tables : name -> str of Markdown
    """
    for name, table in tables.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        page = between.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", page)
    return page


if __name__ == "__main__":
    file = Path(sys.argv[1])
    text = file.read_text(encoding="utf-8")
    tables = {
        "settings": settings_table(),
        "factors": factors_table(),
        "margins": margins_table(page_margins()),
    }
    file.write_text(rendered(text, **tables), encoding="utf-8")
