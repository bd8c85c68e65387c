"""Scale: weekly assessments of a simulated registry's open cases, written part by part, and what that costs.

    python benchmarks/scale.py --cases 100000
    python benchmarks/scale.py --cases 1000000 --data BIG_FOLDER --json
    python benchmarks/scale.py --cases 100000 --engine embedded spark

A synthetic history is made on disk (once, where --data names a folder that is kept): the simulator's tables
with pseudonyms of the usual length and without free text, as `riskml history` would leave them. Each engine
then runs `riskml.write_features` in a process of its own, whose memory is that of all its processes together,
Java's included, looked at four times a second. With two engines, or with --whole (the matrix in memory, for
sizes that it fits), every cell of what they wrote is compared.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from riskml.engines.folder import MANIFEST
from riskml.features.catalogue import load_catalogue
from riskml.registry.contract import TABLES, Kind
from riskml.registry.history import ARROW_TYPES, History
from riskml.registry.pseudonyms import Key
from riskml.simulation.simulate import SimulationPlan, simulated_blocks

CATALOGUE = Path(__file__).parents[1] / "features"
PACKAGES = ("riskml", "duckdb", "numba", "numpy", "pandas", "pyarrow", "pyspark")
KEY = Key("5c" * 32)  # of nobody: the registry is synthetic


# The history


def write_history(folder, cases, seed):
    """Simulate a registry block by block into a folder of Parquet files: rows by table."""
    making = folder.with_name(folder.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    schemas = {
        name: pa.schema([(c.name, ARROW_TYPES[c.kind]) for c in table.history_columns])
        for name, table in TABLES.items()
    }
    writers = {
        name: pq.ParquetWriter(making / f"{name}.parquet", schema, compression="zstd")
        for name, schema in schemas.items()
    }
    rows = dict.fromkeys(TABLES, 0)
    for tables, _, _ in simulated_blocks(SimulationPlan(cases, seed)):
        for name, frame in tables.items():
            table = pa.Table.from_pandas(frame[schemas[name].names], preserve_index=False)
            table = pseudonymous(table.cast(schemas[name], safe=False), name)
            writers[name].write_table(table)
            rows[name] += table.num_rows
    for writer in writers.values():
        writer.close()
    manifest = {"rows": rows, "synthetic": f"riskml.simulate(cases={cases}, seed={seed})"}
    (making / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    making.rename(folder)
    return rows


def pseudonymous(table, name):
    """The table with its ids as a history holds them."""
    for place, column in enumerate(TABLES[name].history_columns):
        if column.kind in (Kind.ID, Kind.PERSON):
            ids = KEY.pseudonyms(column.name, table[column.name])
            table = table.set_column(place, column.name, ids)
    return table


# One engine, in a process of its own


def run(arguments):
    """Write the matrix with one engine, and print what it took."""
    import riskml

    cohort = {"every": arguments.every}
    start, used = time.perf_counter(), cpu_seconds()
    written = riskml.write_features(
        arguments.history,
        cohort,
        load_catalogue(arguments.catalogue),
        arguments.out,
        engine=arguments.run,
        parts=arguments.parts,
    )
    found = {"seconds": time.perf_counter() - start, "rows": written.rows, "parts": written.parts}
    found["bytes"] = sum(file["bytes"] for file in written.manifest["files"])
    found["columns"] = len(written.manifest["columns"])
    found["largest_component"] = written.manifest["largest_component"]
    found["cpu_seconds"] = cpu_seconds() - used if arguments.run == "embedded" else None
    print(json.dumps(found))


def cpu_seconds():
    """What this process has used of the processors, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_of(root):
    """Resident memory of a process and all below it, in bytes."""
    parents, resident = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                lines = (entry / "status").read_text().splitlines()
            except OSError:
                continue
            said = dict(line.split(":", 1) for line in lines if ":" in line)
            parents[int(entry.name)] = int(said["PPid"])
            resident[int(entry.name)] = int(said.get("VmRSS", "0 kB").split()[0]) * 1024
    found, seen = 0, {root}
    grown = True
    while grown:
        below = {pid for pid, parent in parents.items() if parent in seen and pid not in seen}
        seen |= below
        grown = bool(below)
    for pid in seen:
        found += resident.get(pid, 0)
    return found


def measured(engine, history, out, arguments):
    """Run one engine and watch its memory: what it printed, and the peak."""
    command = [sys.executable, __file__, "--run", engine, "--history", str(history), "--out", str(out)]
    command += ["--every", arguments.every, "--catalogue", str(arguments.catalogue)]
    command += ["--parts", str(arguments.parts)] if arguments.parts else []
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak, over = [0], threading.Event()

    def watch():
        while not over.wait(0.25):
            peak[0] = max(peak[0], memory_of(child.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    said = child.communicate()[0]
    over.set()
    watcher.join()
    if child.returncode:
        raise SystemExit(f"engine {engine} failed")
    found = json.loads(said.strip().splitlines()[-1])
    found["peak_rss_bytes"] = peak[0]
    found["seconds_per_million"] = found["seconds"] / found["rows"] * 1e6
    return found


# Comparing


def differences(first, second):
    """Cells that differ between two folders of the same parts."""
    names = [[f["file"] for f in json.loads((d / MANIFEST).read_text())["files"]] for d in (first, second)]
    if names[0] != names[1]:
        raise SystemExit("the engines wrote other parts: give --parts")
    count = 0
    for name in names[0]:
        a, b = (pq.read_table(folder / name) for folder in (first, second))
        count += 0 if a.equals(b) else unequal(a, b)
    return count


def unequal(a, b):
    """Cells that differ between two tables; all of them where the rows are others."""
    import pyarrow.compute as pc

    if a.num_rows != b.num_rows or a.schema.names != b.schema.names:
        return a.num_rows * a.num_columns
    same = [
        pc.or_(
            pc.fill_null(pc.equal(x, y), False), pc.and_(pc.is_null(x), pc.is_null(y))
        )  # no cell is not-a-number: missing is null
        for x, y in zip(a.columns, b.columns, strict=True)
    ]
    return sum(len(column) - pc.sum(column).as_py() for column in same)


def whole(history, arguments, out):
    """The matrix in memory, written part by part as the engines did, for comparison."""
    import pandas as pd

    import riskml

    catalogue = load_catalogue(arguments.catalogue)
    cohort = riskml.assessments(history, every=arguments.every)
    matrix = riskml.build_features(history, cohort, catalogue).sort_index()
    found = pd.read_parquet(out).set_index(["case_id", "as_of"]).sort_index()
    pd.testing.assert_frame_equal(found, matrix, check_exact=True)
    return len(matrix)


# The run


def about():
    """Versions and machine: dict."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = {"python": platform.python_version(), "processors": len(os.sched_getaffinity(0))}
    return {"versions": found, **machine, "memory_gib": round(memory, 1)}


def cpu_of(run_):
    """The processors' time for a million assessments, in words; of Spark's many processes it is not kept."""
    used = run_["cpu_seconds"]
    return "" if used is None else f"{used / run_['rows'] * 1e6:.2f} s of processors, "


def shown(found):
    """The findings as lines of text."""
    rows = sum(found["history"].values())
    yield f"{found['cases']:,} cases, {rows:,} rows in {found['history_bytes'] / 1e6:,.0f} MB of Parquet"
    for engine, run_ in found["engines"].items():
        yield (
            f"  {engine:<9} {run_['rows']:,} assessments x {run_['columns']} columns in "
            f"{run_['seconds'] / 60:.1f} minutes, peak RSS {run_['peak_rss_bytes'] / 2**30:.2f} GiB"
        )
        yield (
            f"  {'':<9} {run_['seconds_per_million']:.2f} s per million assessments, "
            f"{cpu_of(run_)}{run_['bytes'] / 1e6:,.0f} MB in {run_['parts']} files; "
            f"largest component {run_['largest_component']['cases']} cases"
        )
    if "cells_that_differ" in found:
        yield f"  cells that differ between the engines: {found['cells_that_differ']}"
    if "equal_to_the_whole" in found:
        yield f"  equal to the matrix in memory: {found['equal_to_the_whole']:,} assessments"
    told = ", ".join(f"{name} {number}" for name, number in found["versions"].items() if number)
    yield f"{told}; Python {found['python']}, {found['processors']} processors, {found['memory_gib']} GiB"


def arguments_given():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--every", default="7d", help="step of the assessments")
    parser.add_argument("--engine", nargs="+", choices=("embedded", "spark"), default=["embedded"])
    parser.add_argument("--parts", type=int, help="files; needed to compare engines. Default: as memory asks")
    parser.add_argument("--data", type=Path, help="folder that keeps the history and what is written")
    parser.add_argument("--catalogue", type=Path, default=CATALOGUE)
    parser.add_argument("--whole", action="store_true", help="compare with the matrix in memory as well")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    for name in ("--run", "--history", "--out"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    return parser.parse_args()


def against_each_other(folder, arguments):
    """Make the history, run the engines, and compare."""
    history = folder / f"history-{arguments.cases}-{arguments.seed}"
    found = {"cases": arguments.cases, "every": arguments.every, "seed": arguments.seed}
    if not history.is_dir():
        start = time.perf_counter()
        write_history(history, arguments.cases, arguments.seed)
        found["history_seconds"] = time.perf_counter() - start
    found["history"] = History.read(history).manifest["rows"]
    found["history_bytes"] = sum(path.stat().st_size for path in history.iterdir())
    outs = {engine: folder / f"matrix-{engine}" for engine in arguments.engine}
    found["engines"] = {e: measured(e, history, out, arguments) for e, out in outs.items()}
    if len(outs) > 1:
        found["cells_that_differ"] = differences(*outs.values())
    if arguments.whole:
        found["equal_to_the_whole"] = whole(history, arguments, next(iter(outs.values())))
    return found


def main():
    arguments = arguments_given()
    if arguments.run:
        return run(arguments)
    if len(arguments.engine) > 1 and not arguments.parts:
        arguments.parts = max(8, arguments.cases // 4_000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.data or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = about() | against_each_other(folder, arguments)
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(shown(found)))
    return 1 if found.get("cells_that_differ") else 0


if __name__ == "__main__":
    sys.exit(main())
