"""Figures of a page stand between marks that name the script: a run replaces them, and nothing else."""

import argparse
import json
import sys
import time
from pathlib import Path

from riskml.errors import RiskmlError

__all__ = ["held", "rewrite", "rewritten", "run_replicates"]

_END = "<!-- end of figures -->"


def _begin(script):
    return f"<!-- figures: benchmarks/{script} --page -->"


def _parted(text, script):
    """What stands before a script's figures, they themselves, and what stands after: three str."""
    before, begin, rest = text.partition(_begin(script))
    figures, end, after = rest.partition(_END)
    if not begin or not end:
        raise RiskmlError("no place for the figures", mend=f"Mark it with {_begin(script)} and {_END}.")
    return before, figures.strip("\n"), after


def held(text, script):
    """The figures of a script that a page holds: str.

    Raises
    ------
    RiskmlError    the page has no place for them
    """
    return _parted(text, script)[1]


def rewritten(text, script, figures):
    """The page with these figures of a script in the place of those that it held: str.

    Raises
    ------
    RiskmlError    the page has no place for them
    """
    before, _, after = _parted(text, script)
    figures = figures.strip("\n")
    return f"{before}{_begin(script)}\n\n{figures}\n\n{_END}{after}"


def rewrite(path, script, figures):
    """Replace the figures of a script in a page by those of a run.

    Raises
    ------
    RiskmlError    there is no such page, or it has no place for them; it is left as it was
    """
    if not path.is_file():
        raise RiskmlError("no such page", where=str(path), mend="Give the page that holds the figures.")
    path.write_text(rewritten(path.read_text(encoding="utf-8"), script, figures), encoding="utf-8")


def run_replicates(file, words, results, page):
    """The command of a simulation: run it, print it as Markdown or JSON, and put it into its page.

    Parameters
    ----------
    file : str           the script
    words : str          what it measures
    results : callable   of the number of replicates and the seed: what JSON holds
    page : callable      of the results: Markdown
    """
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument("--replicates", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--page", type=Path, help="write the section into this page")
    asked = parser.parse_args()
    start = time.perf_counter()
    found = results(asked.replicates, asked.seed)
    if asked.page:
        rewrite(asked.page, Path(file).name, page(found))
    print(json.dumps(found, indent=1) if asked.json else page(found))
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
