"""Learners side by side, in one run: riskml.train_frame against what one would otherwise reach for.

    python3.11 -m venv ebm && ebm/bin/pip install -r benchmarks/requirements-learners.txt
    PYTHONPATH=ebm/lib/python3.11/site-packages python benchmarks/learners.py --records DIR --fatalities FILE
    python benchmarks/learners.py --tables credit rare --seeds 1     # simulated tables alone, without an EBM

Every contender is fitted with its defaults to the same rows of the same table and judged on the same people,
none of whom it has seen: seven in ten people are learnt from. Differences are riskml's figure minus the
other's on the same people, with 95% intervals by bootstrap over people. A table counts as lost where the
whole interval against the best of the others is on the wrong side.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd
from learners_tables import SIMULATED, Table, fatalities_table, records_tables, simulated
from lightgbm import LGBMClassifier
from marked_page import rewrite
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import riskml
from riskml.errors import RiskmlError
from riskml.models.encoding import Encoding, infer_columns
from riskml.models.splits import grouped_folds
from riskml.progress import progress
from riskml.training.sample_size import development_verdict
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.metrics import METRICS

OURS = "riskml"
JUDGED = ("log_loss", "ici", "brier", "auc", "calibration_slope")
COUNTED = ("log_loss", "ici")
LARGE = 15_000  # rows: tables with more are divided once, whatever the number of repetitions
FOLDS, HELD = 10, 3  # people are dealt into tenths; three of them judge
PACKAGES = ("riskml", "lightgbm", "scikit-learn", "interpret-core", "numpy", "pandas")
MATRICES = ("domestic_365d",)


def _ours(frame, outcome, person, new, seed):
    model = riskml.train_frame(frame, outcome, person, seed=seed, replicates=2, language="en")
    return model.predict(new)


def _boosted(frame, outcome, person, new, seed):
    learner = CalibratedClassifierCV(LGBMClassifier(verbosity=-1, n_jobs=1, random_state=seed))
    return learner.fit(frame, outcome).predict_proba(new)[:, 1]


def _logistic(frame, outcome, person, new, seed):
    known = frame.columns[frame.notna().any()]
    prepared = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
    )
    learner = make_pipeline(prepared, LogisticRegression(max_iter=2000))
    return learner.fit(frame[known], outcome).predict_proba(new[known])[:, 1]


def _additive(frame, outcome, person, new, seed):
    from interpret.glassbox import ExplainableBoostingClassifier

    learner = ExplainableBoostingClassifier(random_state=seed, n_jobs=1)
    frame, new = (x.astype(dict.fromkeys(x.select_dtypes("category"), object)) for x in (frame, new))
    return learner.fit(frame, outcome).predict_proba(new)[:, 1]


CONTENDERS = {
    OURS: _ours,
    "calibrated LightGBM": _boosted,
    "EBM": _additive,
    "logistic regression": _logistic,
}


def held_out(table, seed):
    """Which rows judge: bool array, shape (n,)."""
    return grouped_folds(table.person, table.outcome, folds=FOLDS, seed=1000 + seed) < HELD


def predicted(contender, table, held, seed):
    """Risks of the people held out, and the seconds of processor time it took."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries compared, about levels without a row
        risk = CONTENDERS[contender](
            table.frame[~held].reset_index(drop=True),
            table.outcome[~held],
            table.person[~held],
            table.frame[held].reset_index(drop=True),
            seed,
        )
    return np.clip(risk, 1e-6, 1 - 1e-6), time.process_time() - started


def kept(folder, contender, table, held, seed):
    """As `predicted`, read from a folder where an earlier run left it."""
    if folder is None:
        return predicted(contender, table, held, seed)
    path = folder / f"{table.name}-{seed}-{contender.replace(' ', '-')}.npz"
    if not path.exists():
        risk, seconds = predicted(contender, table, held, seed)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, risk=risk, seconds=seconds)
    with np.load(path) as found:
        return found["risk"], float(found["seconds"])


def judged(table, held, risks, *, replicates, seed):
    """Figures of every contender, and riskml's differences to each and to the best: dict."""
    metrics = {name: METRICS[name].function for name in JUDGED}
    found = cluster_bootstrap(
        metrics,
        table.outcome[held],
        risks,
        table.person[held],
        replicates=replicates,
        seed=seed,
        language="en",
    )
    others, result = [name for name in risks if name != OURS], {"estimates": {}, "against": {}}
    for name in risks:
        result["estimates"][name] = {m: float(found.estimates.loc[name, m]) for m in JUDGED}
    for metric in COUNTED:
        rows = {other: found.difference(OURS, other, metric) for other in others}
        rows["best"] = rows[min(others, key=lambda other: found.estimates.loc[other, metric])]
        result["against"][metric] = {
            other: {
                "difference": row[0],
                "low": row[1],
                "high": row[2],
                "better": bool(row[0] < 0),
                "lost": bool(row[1] > 0),
            }
            for other, row in rows.items()
        }
    return result


def _enough(table, held):
    """Whether riskml has people enough for its flexible learner, bool."""
    frame, outcome = table.frame[~held], table.outcome[~held]
    columns = Encoding.fit(frame, infer_columns(frame)).columns
    return development_verdict(len(columns), outcome, table.person[~held]).met


def _matrices(records, names):
    """Feature matrices of the shipped catalogue, of the court records' registry: list of Table."""
    if not names:
        return []
    from wisconsin import FEATURES, MODELS, Source
    from wisconsin_registry.coverage import COVERAGE_END

    from riskml.features.catalogue import load_catalogue
    from riskml.models.spec import load_model_file
    from riskml.registry.pseudonyms import Key
    from riskml.training.data import training_data

    catalogue, tables = load_catalogue(FEATURES), []
    with tempfile.TemporaryDirectory() as folder:
        # One key for every run: rows are sorted by pseudonym. None outlives it, so it need not be secret.
        history = Source(records, Key("0" * 64), catalogue, folder).history(COVERAGE_END)
        for name in names:
            data = training_data(load_model_file(MODELS / f"{name}.yml"), history, catalogue, seed=0)
            frame = data.matrix.reset_index(drop=True)
            words = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c])]
            frame = frame.astype(dict.fromkeys(words, "category"))
            about = "matrix of the catalogue, a later domestic filing"
            tables.append(Table(name, about, frame, data.outcome.astype(float), data.aggressor))
    return tables


def tables_of(options, seed):
    """The tables of one repetition; real ones are the same each time and are divided anew: list of Table."""
    wanted, found = options.tables, []
    if options.records:
        from wisconsin_registry.records import read_records

        records = read_records(options.records)
        found += records_tables(records)
        found += _matrices(records, [n for n in MATRICES if n in (wanted or ())])
    if options.fatalities:
        found.append(fatalities_table(options.fatalities))
    found += [simulated(name, seed) for name in SIMULATED if not wanted or name in wanted]
    return [table for table in found if not wanted or table.name in wanted]


def _contenders():
    """Those that are installed."""
    try:
        version("interpret-core")
    except PackageNotFoundError:
        print("interpret-core is not installed: no EBM in this run", file=sys.stderr)
        return [name for name in CONTENDERS if name != "EBM"]
    return list(CONTENDERS)


def run(options):
    """Everything that is printed: dict, plain JSON."""
    names, results = _contenders(), []
    for seed in range(options.seeds):
        tables = [t for t in tables_of(options, seed) if seed == 0 or len(t.frame) <= LARGE]
        with progress(f"learners, repetition {seed + 1}", len(tables) * len(names)) as step:
            for table in tables:
                held, risks, seconds = held_out(table, seed), {}, {}
                for name in names:
                    risks[name], seconds[name] = kept(options.keep, name, table, held, seed)
                    step()
                results.append(
                    {
                        "table": table.name,
                        "about": table.about,
                        "seed": seed,
                        "rows": len(table.frame),
                        "columns": table.frame.shape[1],
                        "people": len(np.unique(table.person)),
                        "events": int(table.outcome.sum()),
                        "trees": _enough(table, held),
                        "seconds": seconds,
                        **judged(table, held, risks, replicates=options.replicates, seed=seed),
                    }
                )
    return {
        "versions": {name: version(name) for name in PACKAGES if name != "interpret-core" or "EBM" in names},
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "contenders": names,
        "seeds": options.seeds,
        "results": results,
    }


def _table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |"]
    return [*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows), ""]


def counts(results, real=None):
    """How often riskml is better, and not worse beyond the interval: dict of metric -> other -> counts."""
    kept = [r for r in results if real is None or (r["table"] not in SIMULATED) == real]
    return {
        metric: {
            other: {
                "n": len(kept),
                "not_worse": sum(not r["against"][metric][other]["lost"] for r in kept),
                "better": sum(r["against"][metric][other]["better"] for r in kept),
            }
            for other in (kept[0]["against"][metric] if kept else ())
        }
        for metric in COUNTED
    }


def readable(found):
    """The figures as Markdown: str."""
    results, lines = found["results"], []
    versions = ", ".join(f"{name} {v}" for name, v in found["versions"].items())
    lines += [f"Python {found['python']}, {versions}; {found['processors']} processors.", ""]
    for real, title in ((True, "Real tables"), (False, "Simulated look-alikes")):
        summed = counts(results, real)
        if not summed["log_loss"]:
            continue
        rows = [
            [
                {"log_loss": "log loss", "ici": "ICI"}[metric],
                "best of the others" if other == "best" else other,
                f"{c['not_worse']}/{c['n']}",
                f"{c['better']}/{c['n']}",
            ]
            for metric, against in summed.items()
            for other, c in against.items()
        ]
        lines += [f"### {title}", ""]
        lines += _table(["riskml's", "against", "not worse beyond the interval", "better"], rows)
    lines += ["### Table by table", ""]
    lines += [
        f"Means over {found['seeds']} divisions of people, one where a table has over {LARGE:,} rows. "
        "Seconds are of processor time, measured while other programs ran.",
        "",
    ]
    header = [
        "table",
        "rows x columns",
        "events",
        "contender",
        "log loss",
        "ICI",
        "Brier",
        "AUC",
        "slope",
        "seconds",
    ]
    rows, names = [], list(dict.fromkeys(r["table"] for r in results))
    for table in names:
        same = [r for r in results if r["table"] == table]
        for position, name in enumerate(found["contenders"]):
            mean = {m: np.nanmean([r["estimates"][name][m] for r in same]) for m in JUDGED}
            head = [table, f"{same[0]['rows']:,} x {same[0]['columns']}", f"{same[0]['events']:,}"]
            rows.append(
                [*(["", "", ""] if position else head), name]
                + [f"{mean[m]:.{d}f}" for m, d in zip(JUDGED, (4, 4, 4, 3, 2), strict=True)]
                + [f"{np.mean([r['seconds'][name] for r in same]):.0f}"]
            )
    lines += _table(header, rows)
    lines += ["Differences to the best of the others, in each division:", ""]
    header = ["table", "trees", "log loss", "ICI"]
    rows = []
    for result in sorted(results, key=lambda r: names.index(r["table"])):
        best = [result["against"][metric]["best"] for metric in COUNTED]
        cells = (f"{b['difference']:+.4f} ({b['low']:+.4f} to {b['high']:+.4f})" for b in best)
        rows.append([result["table"], "learnt" if result["trees"] else "refused", *cells])
    return "\n".join(lines + _table(header, rows))


def _options(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--records", type=Path, help="folder of Wisconsin court records")
    parser.add_argument("--fatalities", type=Path, help="table of women killed in Spain, CSV")
    parser.add_argument("--tables", nargs="+", help="only these; when left out all but the matrix")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions")
    parser.add_argument("--replicates", type=int, default=500, help="of the bootstrap")
    parser.add_argument(
        "--keep", type=Path, help="folder of predictions: what an earlier run left there is not done again"
    )
    parser.add_argument("--page", type=Path, help="page whose figures are to be replaced by these")
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    return parser.parse_args(arguments)


def main(arguments=None):
    """Run and print; the exit code, 2 on bad input."""
    options = _options(arguments)
    try:
        found = run(options)
        if options.page:
            rewrite(options.page, Path(__file__).name, readable(found))
    except RiskmlError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(found, indent=1) if options.json else readable(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
