"""Scoring side by side, in one run: features, prediction and SHAP values against shap.TreeExplainer.

    python benchmarks/scoring.py
    python benchmarks/scoring.py --rows 20000 200000 --json

A synthetic registry is simulated and assessed at so many moments; a LightGBM model with the shape of a
bundle's (shallow trees, the shipped catalogue's columns) is fitted on a sample. Every contender explains the
same design with the same booster and all processors, is warmed up on a few rows, and is then timed over the
whole call, from the booster to the finished array; the best of the repeats counts. What the first call costs
(compiling, importing) is told apart. SHAP values are compared cell by cell with those of shap.TreeExplainer.
"""

import argparse
import json
import os
import platform
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from riskml.explain.shap_values import tree_shap
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.encoding import Encoding, columns_of
from riskml.registry.history import History
from riskml.simulation.simulate import simulate

CATALOGUE = Path(__file__).parents[1] / "features"
WARM_UP = 1_500
PACKAGES = ("riskml", "shap", "lightgbm", "woodelf-explainer", "numba", "numpy", "pandas")


def history_of(cases, seed):
    """A synthetic history, without what a history does not hold."""
    return History.of(simulate(cases, seed=seed).tables)


def cohort_of(history, rows, seed):
    """So many assessments of the history's cases, at moments spread over its time."""
    rng = np.random.default_rng(seed)
    cases = history.table("cases").column("case_id").unique().to_numpy(zero_copy_only=False)
    until = history.observed_until
    days = pd.date_range(until - pd.Timedelta(days=720), until, freq="D").to_numpy()
    return pd.DataFrame({"case_id": rng.choice(cases, rows), "as_of": rng.choice(days, rows)})


def booster_of(design, trees, depth, seed):
    """A booster whose trees have the shape of a bundle's."""
    rng = np.random.default_rng(seed)
    known = np.nan_to_num((design - np.nanmean(design, axis=0)) / (np.nanstd(design, axis=0) + 1e-9))
    score = known @ rng.normal(0, 0.3, design.shape[1]) + rng.normal(0, 1, len(design))
    outcome = (score > np.quantile(score, 0.85)).astype(float)
    settings = {
        "objective": "binary",
        "verbosity": -1,
        "max_depth": depth,
        "num_leaves": 2**depth - 1,
        "learning_rate": 0.05,
        "seed": seed,
    }
    data = lgb.Dataset(design, outcome, params={"verbosity": -1})
    # Through its text, as a bundle keeps it; it then predicts with all processors.
    return lgb.Booster(model_str=lgb.train(settings, data, trees).model_to_string())


def timed(call, repeats):
    """Best of the repeats, in seconds, and what the call gave."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - start)
    return best, result


def contenders(booster):
    """Name -> function of a design that gives its SHAP values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated colour maps, and an announcement on every call
        import shap
        from woodelf import WoodelfExplainer

    def of_shap(design):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return shap.TreeExplainer(booster).shap_values(design)

    def of_woodelf(design):
        return WoodelfExplainer(booster).shap_values(pd.DataFrame(design), verbose=False)

    return {
        "riskml": lambda design: tree_shap(booster, design)[0],
        "shap.TreeExplainer": of_shap,
        "woodelf-explainer": of_woodelf,
    }


def measured(history, catalogue, rows, options):
    """One size: seconds and rows a second of each step, ratios, and the largest difference."""
    cohort = cohort_of(history, rows, options.seed)
    build_features(history, cohort.head(WARM_UP), catalogue)
    features, matrix = timed(lambda: build_features(history, cohort, catalogue), options.repeats)
    sample = matrix.sample(min(rows, 20_000), random_state=options.seed)
    encoding = Encoding.fit(sample, columns_of(catalogue))
    booster = booster_of(encoding.design(sample), options.trees, options.depth, options.seed)
    encode, design = timed(lambda: encoding.design(matrix), options.repeats)
    predict, margin = timed(lambda: booster.predict(design, raw_score=True), options.repeats)
    seconds, first, values = {}, {}, {}
    for name, explain in contenders(booster).items():
        first[name], _ = timed(lambda explain=explain: explain(design[:WARM_UP]), 1)
        seconds[name], values[name] = timed(lambda explain=explain: explain(design), options.repeats)
    exact = values["shap.TreeExplainer"]
    base = tree_shap(booster, design[:1])[1]
    return {
        "rows": rows,
        "columns": matrix.shape[1],
        "design_columns": design.shape[1],
        "trees": booster.num_trees(),
        "depth": options.depth,
        "seconds": {"features": features, "design": encode, "prediction": predict, "shap": seconds},
        "rows_per_second": {
            "features": rows / features,
            "design": rows / encode,
            "prediction": rows / predict,
            "shap": {name: rows / spent for name, spent in seconds.items()},
        },
        "first_call_seconds": first,
        "times_faster_than_shap": {
            name: seconds["shap.TreeExplainer"] / spent for name, spent in seconds.items()
        },
        "largest_difference_from_shap": {
            name: float(np.abs(found - exact).max()) for name, found in values.items()
        },
        "largest_gap_of_the_sum": float(np.abs(values["riskml"].sum(axis=1) + base - margin).max()),
    }


def shown(result):
    """A result in lines that a person reads."""
    speed = result["rows_per_second"]
    shape = f"{result['columns']} columns, {result['trees']} trees of depth {result['depth']}"
    lines = [
        f"{result['rows']:,} rows, {shape}",
        f"  features    {speed['features']:>12,.0f} rows/s",
        f"  design      {speed['design']:>12,.0f} rows/s",
        f"  prediction  {speed['prediction']:>12,.0f} rows/s",
    ]
    for name, rate in speed["shap"].items():
        lines.append(
            f"  SHAP        {rate:>12,.0f} rows/s  {name:<19} "
            f"{result['times_faster_than_shap'][name]:6.1f} x, "
            f"differs by at most {result['largest_difference_from_shap'][name]:.1e}, "
            f"first call {result['first_call_seconds'][name]:.1f} s"
        )
    return "\n".join(lines)


def main():
    """Read the arguments, measure each size, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument(
        "--cases", type=int, default=2_000, help="simulated cases that the rows are assessments of"
    )
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    options = parser.parse_args()
    history, catalogue = history_of(options.cases, options.seed), load_catalogue(CATALOGUE)
    about = {
        "versions": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
    }
    results = []
    for rows in options.rows:
        results.append(measured(history, catalogue, rows, options))
        if not options.json:
            print(shown(results[-1]), flush=True)
    if options.json:
        print(json.dumps({**about, "results": results}, indent=2))
    else:
        print(", ".join(f"{name} {number}" for name, number in about["versions"].items()))


if __name__ == "__main__":
    main()
