"""The simulator measured: time and memory by size, and a trained model against the best possible predictor.

    python benchmarks/simulation.py                       # sizes 3,500 and 100,000; models at 3,500 cases
    python benchmarks/simulation.py --sizes 1000000 --cases 20000 --json

- Sizes: each is written to a SQLite file in a process of its own; peak memory is its resident high-water
  mark.
- Models: `models/repeat.yml` is trained by the public functions on three registries: complete recording,
  realistic recording, and no signal. The model's AUC stands beside the truth's on the same assessments.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
REGISTRIES = {
    "complete": {"recording": "complete"},
    "realistic": {},
    "no signal": {"signal": 0.0},
}


def write(cases, seed):
    """Write one registry and say what it took; meant for a process of its own. Returns dict."""
    from riskml.simulation.writing import write_registry

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        written, _ = write_registry(
            f"sqlite:///{folder}/registry.db", cases, seed=seed, truth_folder=Path(folder) / "truth"
        )
        seconds = time.perf_counter() - began
        megabytes = os.path.getsize(Path(folder) / "registry.db") / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "cases": cases,
        "rows": sum(written.values()),
        "seconds": round(seconds, 1),
        "peak_mb": round(peak),
        "database_mb": round(megabytes),
    }


def sizes(wanted, seed):
    """One record per size, each from a fresh process."""
    for cases in wanted:
        command = [sys.executable, __file__, "--write", str(cases), "--seed", str(seed)]
        yield json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _judged(history, spec, model, truth):
    """Outcome and the truth's risk on the assessments that the model was judged on."""
    from riskml.outcomes.cohort import assessments
    from riskml.outcomes.labels import label_outcomes

    window = next(w for w in model.report["split"]["windows"] if w["window"] == "evaluate")
    cohort = assessments(history, every=spec.cohort.every, at_contacts=spec.cohort.at_contacts)
    last = pd.Timestamp(window["last"]) + pd.Timedelta(days=1)
    cohort = cohort[(cohort["as_of"] >= pd.Timestamp(window["first"])) & (cohort["as_of"] < last)]
    outcome = label_outcomes(history, cohort, spec.outcome)["outcome"].to_numpy()
    known = ~np.isnan(outcome)
    return outcome[known], truth.risk(cohort[known].reset_index(drop=True), spec.outcome.horizon_us / 86.4e9)


def models(cases, seed):
    """One record per registry: the truth's AUC, the model's with its interval, ratio and calibration."""
    from riskml.features.catalogue import load_catalogue
    from riskml.models.spec import load_model_file
    from riskml.registry.history import History
    from riskml.simulation.simulate import simulate
    from riskml.training.train import train
    from riskml.validation.metrics import auc

    spec, catalogue = load_model_file(ROOT / "models" / "repeat.yml"), load_catalogue(ROOT / "features")
    for name, arguments in REGISTRIES.items():
        simulation = simulate(cases, seed=seed, **arguments)
        history = History.of(dict(simulation.tables))
        began = time.perf_counter()
        model = train(spec, history, catalogue=catalogue, seed=seed)
        seconds = time.perf_counter() - began
        outcome, risk = _judged(history, spec, model, simulation.truth)
        report = model.report
        row = next(r for r in report["comparison"] if r["candidate"] == report["chosen"])
        best = float(auc(outcome, risk)) if arguments.get("signal") != 0.0 else 0.5
        yield {
            "registry": name,
            "cases": cases,
            "assessments": int(row["n"]),
            "events": int(row["events"]),
            "truth_auc": round(best, 4),
            "model": report["chosen"],
            "model_auc": round(row["auc"], 4),
            "auc_low": round(row["auc_low"], 4),
            "auc_high": round(row["auc_high"], 4),
            "ratio": round(row["auc"] / best, 4),
            "ici": round(row["ici"], 4),
            "slope": round(row["calibration_slope"], 3) if row["calibration_slope"] is not None else None,
            "training_seconds": round(seconds, 1),
        }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=[3500, 100_000], help="cases to write")
    parser.add_argument(
        "--cases", type=int, default=3500, help="cases of the registries to train on; 0: none"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        print(json.dumps(write(options.write, options.seed)))
        return
    found = {"sizes": list(sizes(options.sizes, options.seed))}
    if options.cases:
        found["models"] = list(models(options.cases, options.seed))
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for title, rows in found.items():
        print(f"\n{title}\n{pd.DataFrame(rows).to_string(index=False)}")


if __name__ == "__main__":
    main()
