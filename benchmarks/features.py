"""Features side by side, in one run: riskml, a two-clock join written by hand for DuckDB, and featuretools.

Every contender runs in a process of its own on the same files: it reads its input, warms up, and is then
timed over the whole call, from tables in memory to the finished matrix, ids and all; the best of the repeats
counts. Peak memory is the process's resident high-water mark during the timed calls.

- riskml and DuckDB: facts recorded late, facts superseded, five windows, 25 columns; every cell is compared.
- riskml at twice the assessments: how the time grows.
- riskml and featuretools: the part that featuretools can express, which is one clock, no corrections, count,
  sum and max in one training window, at many distinct cut-off times. Every cell is compared.

featuretools does not run on pandas 3. Make it an environment of its own and name its interpreter:

    python3.11 -m venv ft && ft/bin/pip install -r benchmarks/requirements-featuretools.txt
    python benchmarks/features.py --featuretools-python ft/bin/python

Without it that part is left out, and the output says so.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

DAY = 86_400_000_000  # microseconds
START = np.datetime64("2021-01-01", "us").astype(np.int64)
YEARS = 4
WINDOWS = {"30d": 30, "90d": 90, "180d": 180, "365d": 365, "ever": None}
CATALOGUE = """
dimension: acts
table: incidents
features:
  number: {{aggregate: count, windows: {windows}}}
  severity_sum: {{aggregate: sum, column: severity, windows: {windows}}}
  severity_mean: {{aggregate: mean, column: severity, windows: {windows}}}
  severity_max: {{aggregate: max, column: severity, windows: {windows}}}
  some: {{aggregate: any, windows: {windows}}}
"""
CUT_OFF_CATALOGUE = """
dimension: acts
table: incidents
features:
  number: {aggregate: count, windows: 90d}
  severity_sum: {aggregate: sum, column: severity, windows: 90d}
  severity_max: {aggregate: max, column: severity, windows: 90d}
"""


# What the contenders are given


def write_registry(folder, people, facts, seed, *, one_clock=False):
    """Cases and incidents, as Parquet in the layout of a history: `facts` incidents a person, on average."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    ids = pa.array([rng.bytes(16).hex() for _ in range(people)])  # as long as pseudonyms are
    n = people * facts

    def moments(values, known=None):
        return pa.array(values, mask=None if known is None else ~known).cast(pa.timestamp("us"))

    occurred = START - 365 * DAY + rng.integers(0, (YEARS + 1) * 365 * DAY, n)
    lag = np.where(rng.random(n) < 0.3, rng.integers(0, 60 * DAY, n), rng.integers(0, DAY // 24, n))
    recorded = occurred if one_clock else occurred + lag
    superseded = recorded + rng.integers(0, 365 * DAY, n)
    corrected = np.zeros(n, bool) if one_clock else rng.random(n) < 0.02
    sources = pa.array(["911", "police_report", "protection_measure", "investigation_file", "banevim"])
    incidents = {
        "incident_id": pa.array(np.arange(n)).cast(pa.string()),
        "case_id": ids.take(pa.array(rng.integers(0, people, n))),
        "source": sources.take(pa.array(rng.integers(0, len(sources), n))),
        "severity": pa.array(rng.integers(0, 7, n)),
        "occurred_at": moments(occurred),
        "recorded_at": moments(recorded),
        "superseded_at": moments(superseded, corrected),
    }
    opened = moments(np.full(people, START - 400 * DAY))
    cases = dict.fromkeys(("case_id", "aggressor_id", "victim_id"), ids)
    cases |= dict.fromkeys(("occurred_at", "recorded_at"), opened)
    pq.write_table(pa.table(cases), folder / "cases.parquet")
    pq.write_table(pa.table(incidents), folder / "incidents.parquet")
    return ids


def write_cohort(folder, name, ids, assessments):
    """The same evenly spaced assessments of every person, person by person."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    moments = START + np.arange(assessments) * (YEARS * 365 * DAY // assessments)
    cohort = {
        "case_id": ids.take(pa.array(np.repeat(np.arange(len(ids)), assessments))),
        "as_of": pa.array(np.tile(moments, len(ids))).cast(pa.timestamp("us")),
    }
    pq.write_table(pa.table(cohort), folder / name)


def write_cut_offs(folder, ids, cut_offs, people_each, seed):
    """Distinct cut-off times, some people at each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    moments = START + np.arange(cut_offs) * (YEARS * 365 * DAY // cut_offs)
    who = np.concatenate([rng.choice(len(ids), people_each, replace=False) for _ in range(cut_offs)])
    when = np.repeat(moments, people_each)
    cohort = {"case_id": ids.take(pa.array(who)), "as_of": pa.array(when).cast(pa.timestamp("us"))}
    pq.write_table(pa.table(cohort), folder / "cohort.parquet")
    incidents = pq.read_table(folder / "incidents.parquet", columns=["case_id", "severity", "occurred_at"])
    position = {case: k for k, case in enumerate(ids.to_pylist())}
    np.savez(  # plain arrays: the environment of featuretools has no Arrow
        folder / "cut_offs.npz",
        people=np.arange(len(ids)),
        incident_person=np.array([position[case] for case in incidents["case_id"].to_pylist()]),
        incident_severity=incidents["severity"].to_numpy(),
        incident_time=incidents["occurred_at"].to_numpy().astype("datetime64[us]").astype(np.int64),
        who=who,
        when=when,
    )


# The contenders: each gives a function to be timed, which returns the columns as float64


def riskml(folder, cohort, catalogue):
    import pyarrow.parquet as pq

    import riskml as package

    with tempfile.TemporaryDirectory() as features:
        (Path(features) / "acts.yml").write_text(catalogue, encoding="utf-8")
        columns = package.load_catalogue(features)
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in ("cases", "incidents")}
    assessments = pq.read_table(folder / cohort).to_pandas()
    package.build_features(tables, assessments.head(100), columns)  # compiles, or loads what was compiled
    return lambda: package.build_features(tables, assessments, columns), lambda frame: frame.to_numpy().T


def duckdb_join(folder, cohort, catalogue):
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

    connection = duckdb.connect()
    assessments = pq.read_table(folder / cohort)
    assessments = assessments.append_column("row_number", pa.array(np.arange(assessments.num_rows)))
    connection.register("assessments", assessments)
    for name in ("cases", "incidents"):
        connection.register(name, pq.read_table(folder / f"{name}.parquet"))
    filters = {
        w: f" FILTER (i.occurred_at > a.as_of - INTERVAL {d} DAY)" if d else "" for w, d in WINDOWS.items()
    }
    columns = [f"count(i.case_id){f} AS number_{w}" for w, f in filters.items()]
    columns += [f"coalesce(sum(i.severity){f}, 0) AS severity_sum_{w}" for w, f in filters.items()]
    columns += [f"avg(i.severity){f} AS severity_mean_{w}" for w, f in filters.items()]
    columns += [f"max(i.severity){f} AS severity_max_{w}" for w, f in filters.items()]
    columns += [f"(count(i.case_id){f} > 0)::INTEGER AS some_{w}" for w, f in filters.items()]
    query = f"""
        SELECT a.row_number, {", ".join(columns)}
        FROM assessments a
        LEFT JOIN cases c ON c.case_id = a.case_id AND greatest(c.recorded_at, c.occurred_at) <= a.as_of
        LEFT JOIN incidents i ON i.case_id = c.case_id
            AND greatest(i.recorded_at, i.occurred_at) <= a.as_of
            AND (i.superseded_at IS NULL OR i.superseded_at > a.as_of)
        GROUP BY a.row_number
    """

    def cells(table):
        order = np.argsort(table["row_number"].to_numpy())
        names = table.column_names[1:]
        return np.array([table[name].cast(pa.float64()).to_numpy()[order] for name in names])

    connection.sql("SELECT count(*) FROM incidents").fetchall()
    return lambda: connection.sql(query).to_arrow_table(), cells


def featuretools(folder, cohort, catalogue):
    import warnings

    import featuretools as ft
    import pandas as pd

    warnings.simplefilter("ignore")
    given = np.load(folder / "cut_offs.npz")
    incidents = pd.DataFrame(
        {
            "incident": np.arange(len(given["incident_time"])),
            "case": given["incident_person"],
            "severity": given["incident_severity"],
            "occurred_at": given["incident_time"].astype("datetime64[us]").astype("datetime64[ns]"),
        }
    )
    registry = ft.EntitySet("registry")
    people = pd.DataFrame({"case": given["people"]})
    registry.add_dataframe(dataframe_name="cases", dataframe=people, index="case")
    registry.add_dataframe(
        dataframe_name="incidents", dataframe=incidents, index="incident", time_index="occurred_at"
    )
    registry.add_relationship("cases", "case", "incidents", "case")
    when = given["when"].astype("datetime64[us]").astype("datetime64[ns]")
    cut_offs = pd.DataFrame({"case": given["who"], "time": when})

    def call():
        return ft.dfs(
            entityset=registry,
            target_dataframe_name="cases",
            cutoff_time=cut_offs,
            cutoff_time_in_index=True,
            training_window="90 days",
            agg_primitives=["count", "sum", "max"],
            trans_primitives=[],
            max_depth=1,
        )[0]

    def cells(frame):
        frame = frame.reindex(pd.MultiIndex.from_frame(cut_offs))
        names = ["COUNT(incidents)", "SUM(incidents.severity)", "MAX(incidents.severity)"]
        return frame[names].to_numpy(dtype="float64", na_value=np.nan).T

    return call, cells


CONTENDERS = {"riskml": riskml, "duckdb": duckdb_join, "featuretools": featuretools}


# Measuring one of them, in its own process


def resident(field):
    """Resident memory of this process in bytes: "VmRSS" now, "VmHWM" at its highest; None where unknown."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(field))


def measure(arguments):
    """Run one contender and write what was measured as JSON, and its cells where asked to."""
    folder = Path(arguments.data)
    catalogue = CUT_OFF_CATALOGUE if arguments.cut_off_catalogue else CATALOGUE.format(windows=[*WINDOWS])
    call, cells = CONTENDERS[arguments.contender](folder, arguments.cohort, catalogue)
    before = resident("VmRSS")
    if before is not None:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the high-water mark starts again
    seconds, result = [], None
    for _ in range(arguments.repeats):
        result = None
        begun = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - begun)
    peak = resident("VmHWM")
    size = None
    if arguments.cells:
        values = cells(result)
        size = values.nbytes
        np.save(arguments.cells, values)
    memory = {"rss_before": before, "rss_peak": peak, "cells_bytes": size}
    print(json.dumps({"seconds": min(seconds), "all_seconds": seconds} | memory))


def measured(contender, data, *, cohort="cohort.parquet", cells=None, repeats=1, cut_offs=False, python=None):
    """What a contender took, in a process of its own: dict."""
    command = [
        python or sys.executable,
        __file__,
        "--contender",
        contender,
        "--data",
        str(data),
        "--cohort",
        cohort,
    ]
    command += ["--repeats", str(repeats)]
    command += ["--cells", str(cells)] if cells else []
    command += ["--cut-off-catalogue"] if cut_offs else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{contender} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def differences(one, other):
    """How many cells differ in any digit; two missing ones agree."""
    a, b = np.load(one, mmap_mode="r"), np.load(other, mmap_mode="r")
    if a.shape != b.shape:
        raise SystemExit(f"shapes differ: {a.shape} and {b.shape}")
    return int(
        sum(np.count_nonzero(~((x == y) | (np.isnan(x) & np.isnan(y)))) for x, y in zip(a, b, strict=True))
    )


# The run


def against_duckdb(folder, arguments):
    ids = write_registry(folder, arguments.people, arguments.facts, arguments.seed)
    write_cohort(folder, "cohort.parquet", ids, arguments.assessments)
    write_cohort(folder, "twice.parquet", ids, 2 * arguments.assessments)
    duck = measured("duckdb", folder, cells=folder / "duckdb.npy", repeats=arguments.repeats)
    ours = measured("riskml", folder, cells=folder / "riskml.npy", repeats=arguments.repeats)
    different = differences(folder / "riskml.npy", folder / "duckdb.npy")
    twice = measured("riskml", folder, cohort="twice.parquet", repeats=arguments.repeats)
    rows = arguments.people * arguments.assessments
    found = {
        "people": arguments.people,
        "facts_each": arguments.facts,
        "assessments_each": arguments.assessments,
        "rows": rows,
        "columns": 25,
        "riskml_seconds": ours["seconds"],
        "duckdb_seconds": duck["seconds"],
        "times_faster": duck["seconds"] / ours["seconds"],
        "cells_that_differ": different,
        "seconds_at_twice_the_assessments": twice["seconds"],
        "longer_for_twice": twice["seconds"] / ours["seconds"],
        "riskml": ours,
        "duckdb": duck,
    }
    if ours["rss_peak"] is not None:
        found["peak_memory_over_result"] = ours["rss_peak"] / ours["cells_bytes"]
        found["peak_memory_added_over_result"] = (ours["rss_peak"] - ours["rss_before"]) / ours["cells_bytes"]
    return found


def against_featuretools(folder, arguments):
    ids = write_registry(folder, arguments.cut_off_people, arguments.facts, arguments.seed, one_clock=True)
    write_cut_offs(folder, ids, arguments.cut_offs, arguments.people_each, arguments.seed)
    theirs = measured("featuretools", folder, cells=folder / "ft.npy", python=arguments.featuretools_python)
    ours = measured("riskml", folder, cells=folder / "riskml.npy", repeats=arguments.repeats, cut_offs=True)
    return {
        "people": arguments.cut_off_people,
        "facts_each": arguments.facts,
        "cut_offs": arguments.cut_offs,
        "rows": arguments.cut_offs * arguments.people_each,
        "columns": 3,
        "riskml_seconds": ours["seconds"],
        "featuretools_seconds": theirs["seconds"],
        "times_faster": theirs["seconds"] / ours["seconds"],
        "cells_that_differ": differences(folder / "riskml.npy", folder / "ft.npy"),
    }


def versions(python):
    """Versions of everything that was measured: dict."""
    found = {name: version(name) for name in ("riskml", "duckdb", "numpy", "numba", "pandas", "pyarrow")}
    if python:
        ask = "import featuretools, pandas; print(featuretools.__version__, pandas.__version__)"
        command = [python, "-W", "ignore", "-c", ask]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise SystemExit(f"{python} has no featuretools:\n{answer.stderr[-500:]}")
        found["featuretools"], found["pandas of featuretools"] = answer.stdout.split()
    return found | {"python": platform.python_version(), "processors": os.cpu_count()}


def report(found):
    """The findings as lines of text."""
    duck = found["two_clocks"]
    size = f"{duck['people']:,} people x {duck['facts_each']} facts x {duck['assessments_each']} assessments"
    yield f"{size} = {duck['rows']:,} rows x {duck['columns']} columns"
    yield f"  riskml        {duck['riskml_seconds']:8.2f} s"
    yield f"  DuckDB join   {duck['duckdb_seconds']:8.2f} s    {duck['times_faster']:.1f} times as long"
    yield f"  cells that differ: {duck['cells_that_differ']}"
    yield f"  twice the assessments: {duck['longer_for_twice']:.2f} times as long"
    if "peak_memory_over_result" in duck:
        yield f"  peak memory of the whole process: {duck['peak_memory_over_result']:.2f} times the result"
    cut = found["cut_offs"]
    if "skipped" in cut:
        yield f"featuretools: left out, {cut['skipped']}"
    else:
        yield f"{cut['rows']:,} rows at {cut['cut_offs']:,} distinct cut-offs, one clock"
        yield f"  riskml        {cut['riskml_seconds']:8.3f} s"
        longer = f"{cut['times_faster']:.0f} times as long"
        yield f"  featuretools  {cut['featuretools_seconds']:8.2f} s    {longer}"
        yield f"  cells that differ: {cut['cells_that_differ']}"
    yield "versions: " + ", ".join(f"{name} {number}" for name, number in found["versions"].items())


def arguments_given():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--facts", type=int, default=50, help="facts of a person")
    parser.add_argument("--assessments", type=int, default=48, help="assessments of a person")
    parser.add_argument("--cut-offs", type=int, default=1_000, help="distinct cut-off times for featuretools")
    parser.add_argument("--cut-off-people", type=int, default=2_000)
    parser.add_argument("--people-each", type=int, default=10, help="people at each cut-off time")
    parser.add_argument("--featuretools-python", help="interpreter of an environment with featuretools")
    parser.add_argument("--repeats", type=int, default=2, help="the best one counts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    for name in ("--contender", "--data", "--cells"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--cohort", default="cohort.parquet", help=argparse.SUPPRESS)
    parser.add_argument("--cut-off-catalogue", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = arguments_given()
    if arguments.contender:
        return measure(arguments)
    found = {"versions": versions(arguments.featuretools_python)}
    with tempfile.TemporaryDirectory() as folder:
        found["two_clocks"] = against_duckdb(Path(folder), arguments)
    if arguments.featuretools_python:
        with tempfile.TemporaryDirectory() as folder:
            found["cut_offs"] = against_featuretools(Path(folder), arguments)
    else:
        found["cut_offs"] = {"skipped": "--featuretools-python names no environment that has it (see --help)"}
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(report(found)))
    wrong = found["two_clocks"]["cells_that_differ"] + found["cut_offs"].get("cells_that_differ", 0)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
