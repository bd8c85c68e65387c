"""A simulated registry written to a database block by block, with its truth in Parquet files beside it."""

from riskml.messages import check_language, message
from riskml.progress import progress
from riskml.registry.database import connect
from riskml.registry.database import write_registry as write_chunks
from riskml.simulation.people import PERSONAL_COLUMNS
from riskml.simulation.settings import SimulationSettings
from riskml.simulation.simulate import BLOCK, SimulationPlan, simulated_blocks
from riskml.simulation.truth import Truth, TruthWriter

__all__ = ["EXTRA_COLUMNS", "write_registry"]

EXTRA_COLUMNS = {"aggressors": PERSONAL_COLUMNS, "victims": PERSONAL_COLUMNS}


def write_registry(
    engine,
    cases=3500,
    *,
    seed=0,
    start="2023-01-02",
    end="2026-11-02",
    intervention="2025-02-01",
    signal=1.0,
    recording="realistic",
    settings=None,
    truth_folder=None,
    replace=False,
    language="es",
):
    """Simulate a registry into a database, in one transaction and bounded memory; marked synthetic.

    The rows are those of `simulate` with the same arguments.

    Parameters
    ----------
    engine : Engine, or the URL of one; a SQLite file is made where there is none
    cases, seed, start, end, intervention, signal, recording, settings : see `simulate`
    truth_folder : path or None    where the truth is written; None: it is not kept
    replace : bool         whether a synthetic registry that is already there may be replaced; a real one
        never is
    language : "es" or "en"    of the progress bar

    Returns
    -------
    (dict of table name -> rows written, Truth or None)    the truth reads its files when it is first asked

    Raises
    ------
    RiskmlError    an argument out of its range, tables that are already there, or the database refused
    """
    check_language(language)
    plan = SimulationPlan(
        cases, seed, start, end, intervention, signal, recording, settings or SimulationSettings()
    )
    engine = connect(engine, create=True)
    writer = TruthWriter(truth_folder, plan.about) if truth_folder is not None else None

    def chunks(advance):
        for tables, states, events in simulated_blocks(plan):
            yield from tables.items()
            if writer is not None:
                writer.add(states, events)
            advance()

    try:
        with progress(message("simulation.writing", language), -(-plan.cases // BLOCK)) as advance:
            written = write_chunks(
                engine, chunks(advance), note=plan.note, seed=plan.seed, extra=EXTRA_COLUMNS, replace=replace
            )
    finally:
        if writer is not None:
            writer.close()
    return written, Truth.read(truth_folder) if writer is not None else None
