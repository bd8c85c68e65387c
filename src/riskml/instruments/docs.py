"""`docs/instruments.md`, by `python -m riskml.instruments.docs models/instruments docs/instruments.md`."""

import sys
from pathlib import Path

from riskml.instruments.definition import ColumnAtLeast, instrument_names, load_instrument

__all__ = ["instruments_page"]

_INTRODUCTION = """# Instruments, as proxies

Rendered from the files of `models/instruments/`; edit those, then render this page again (`make docs`).

Published instruments are baselines that every model is compared with. They are made for a professional who
interviews the victim; a registry has records. So what `riskml.instruments.score` gives is a **proxy**, is
always named so, and is never published as the official score:

- each item is a paraphrased concept beside the factors that speak of it; no form's wording is here;
- an item is present, denied, or **unobserved**, and unobserved is not absent: the score is a pair of bounds,
  `low` with every unobserved item absent and `high` with every one present, each with its published band, and
  the number of items unobserved stands beside them;
- outside its scope an instrument is **not applicable**: partner scales lose their validity on a son and his
  mother (ODARA: c-index .69 within its inclusion criteria, .56-.57 outside them [S:27]). Where the
  relationship is not recorded, the bounds hold for the case that it applies. The sex of the two is for audits
  only and is not checked, although these scales were made for men who assault women;
- a column can show an item to be present; a column that is silent denies nothing;
- published figures are those of the instrument as its authors use it. They say nothing of the proxy, and no
  probability follows from its score.

Tags: S:n seen in source n of the project's list of sources (mostly abstracts), M from memory and to be
verified, D derived. What is tagged M? (from memory, unsure) may stand behind no item, point or cut: a file
that tries is refused.
"""


def instruments_page(folder):
    """The page on a folder of instruments, in Markdown.

    Parameters
    ----------
    folder : path of `models/instruments`

    Returns
    -------
    str
    """
    names = instrument_names(folder)
    return _INTRODUCTION + "".join(_section(load_instrument(Path(folder) / f"{name}.yml")) for name in names)


def _section(instrument):
    low, high = instrument.range
    scope = ", ".join(instrument.relationships) or "every relationship"
    lines = [
        f"\n## {instrument.label['en']} (`{instrument.name}`)\n",
        f"{instrument.about['en']}. / {instrument.about['es']}.\n",
        f"- Cite: {instrument.citation}.",
        f"- Licence: {instrument.licence['en']}",
        f"- Scope: {scope} [{instrument.scope_tag}]; anybody else: not applicable.",
        f"- Score: {low} to {high}, over {len(instrument.scored)} scored items.",
        f"- Bands [{instrument.bands_tag}]: {'; '.join(_band(band) for band in instrument.bands)}.",
    ]
    lines += [f"- Published [{f.tag}]: {f.study}: {f.figure}." for f in instrument.figures]
    lines += [
        "\n| item | Spanish | English | points | from | tags (item, points) | the proxy |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_row(name, item) for name, item in instrument.items.items()]
    return "\n".join(lines) + "\n"


def _band(band):
    name = f"*{band.label['en']}* / *{band.label['es']}*"
    if band.from_score is not None:
        return f"{name} from {band.from_score}"
    if band.when:
        rules = (f"at least {rule.at_least} of {', '.join(rule.items)}" for rule in band.when)
        return f"{name} where {' or '.join(rules)}"
    return f"{name} below"


def _row(name, item):
    if item.left_out is not None:
        sources, points, remark = "", "not scored", item.left_out["en"]
    else:
        sources = ", ".join(_source(source) for source in item.sources) or "nothing: never observed"
        points, remark = str(item.points), item.note["en"] if item.note else ""
    if item.at_least > 1:
        sources = f"at least {item.at_least} of: {sources}"
    cells = (
        f"`{name}`",
        item.label["es"],
        item.label["en"],
        points,
        sources,
        f"{item.tag}, {item.points_tag}",
        remark,
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _source(source):
    if isinstance(source, ColumnAtLeast):
        return f"column `{source.column}` from {source.at_least:g}"
    return " = ".join(f"`{code}`" for code in source)


if __name__ == "__main__":
    folder, target = sys.argv[1:]
    Path(target).write_text(instruments_page(folder), encoding="utf-8")
