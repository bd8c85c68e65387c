"""How long a country's fatality review takes: findings, patterns, replay and report, command by command.

    python benchmarks/fatality.py
    python benchmarks/fatality.py --cases 100000 --reviews 1000 --json

A synthetic registry is simulated; its lethal events, and as many of its gravest incidents as are wanted
beside them, are taken as reviewed. The models that are replayed are trained on a small registry of their own.
Simulating, taking the history and training are told apart and are no part of the sum: what counts is the work
from coded reviews to the report, each command in a process of its own as its user runs it.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from riskml.fatality.coding.coders import joined
from riskml.fatality.reviews import Reviews
from riskml.fatality.simulated import simulated_sheets
from riskml.workspace import init_workspace, open_workspace, train

COMMANDS = (
    ("fatality", "analyse"),
    ("fatality", "criteria", "propose"),
    ("fatality", "replay"),
    ("fatality", "report"),
)
PACKAGES = ("riskml", "numpy", "pandas", "scipy", "duckdb", "numba")
TRAINED_ON = 3_500  # cases
MODELS = ("repeat", "escalation")
GRAVE = 4  # severity from which an incident may stand for an attempt


def run(folder, *arguments):
    """Seconds that a command took in a workspace."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "riskml", *arguments], cwd=folder, check=True, stdout=subprocess.PIPE
    )
    return time.perf_counter() - start


def prepared(folder, cases, seed):
    """A workspace with a synthetic registry's history and models of a smaller one: Workspace."""
    workspace = init_workspace(folder)
    run(folder, "simulate", "--cases", str(TRAINED_ON), "--seed", str(seed + 1))
    small = workspace.take_history()
    for name in MODELS:
        train(workspace.model(name), small, log=False)
    run(folder, "simulate", "--cases", str(cases), "--seed", str(seed))
    run(folder, "history")
    return open_workspace(folder)


def reviewed(history, codes, wanted, seed):
    """Reviews of the registry's lethal events and of so many grave incidents that there are enough."""
    tables = {name: history.table(name).to_pandas() for name in history.tables}
    grave = tables["incidents"]
    grave = grave[(grave["severity"] >= GRAVE) & grave["superseded_at"].isna()]
    grave = grave.sample(frac=1.0, random_state=np.random.default_rng(seed)).drop_duplicates("case_id")
    lethal = tables["outcomes"]
    grave = grave[~grave["case_id"].isin(lethal["case_id"])].head(
        max(0, wanted - lethal["case_id"].nunique())
    )
    attempts = pd.DataFrame(
        {
            "case_id": grave["case_id"],
            "kind": "attempted_femicide",
            "occurred_at": grave["occurred_at"],
            "recorded_at": grave["recorded_at"],
            "superseded_at": pd.NaT,
        }
    )
    lethal = lethal[lethal["superseded_at"].isna()].drop_duplicates("case_id")
    tables["outcomes"] = pd.concat([lethal, attempts], ignore_index=True).head(wanted)
    sheets = simulated_sheets(tables, codes, seed=seed)
    factors, agreement = joined(sheets)
    ages = pd.to_numeric(sheets["people"]["age"], errors="coerce")
    people = sheets["people"].assign(age_low=ages, age_high=ages)
    about = {"synthetic": True, "agreement": agreement}
    return Reviews.of({**sheets, "factors": factors, "people": people}, about)


def measured(options):
    """What the run came to: dict."""
    with tempfile.TemporaryDirectory() as parent:
        start = time.perf_counter()
        workspace = prepared(Path(parent) / "ws", options.cases, options.seed)
        history = workspace.history()
        reviews = reviewed(history, workspace.catalogue.factors.codes, options.reviews, options.seed)
        reviews.save(workspace.settings.reviews)
        seconds = {"prepared": time.perf_counter() - start}
        for command in COMMANDS:
            seconds[" ".join(command)] = run(workspace.settings.folder, *command)
        return {
            "cases": history.row_count("cases"),
            "facts": sum(history.row_count(name) for name in history.tables),
            "reviews": len(reviews),
            "contacts": len(reviews.contacts),
            "seconds": seconds,
            "in_all": sum(seconds.values()) - seconds["prepared"],
            "peak_gib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20,
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "versions": {name: version(name) for name in PACKAGES},
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--reviews", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    found = measured(parser.parse_args())
    if parser.parse_args().json:
        print(json.dumps(found, indent=1))
        return
    print(f"{found['reviews']:,} reviews, {found['cases']:,} rows of cases, {found['facts']:,} facts")
    for name, seconds in found["seconds"].items():
        print(f"{name:<28} {seconds:8.1f} s")
    print(f"{'from reviews to the report':<28} {found['in_all']:8.1f} s, peak {found['peak_gib']:.2f} GiB")
    print(", ".join(f"{name} {number}" for name, number in found["versions"].items()))


if __name__ == "__main__":
    main()
