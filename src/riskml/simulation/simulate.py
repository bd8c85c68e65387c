"""A simulated registry in memory: its tables and the truth behind them."""

from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.messages import check_language, message
from riskml.progress import progress
from riskml.simulation.clock import Calendar
from riskml.simulation.population import draw_population
from riskml.simulation.process import run_process
from riskml.simulation.settings import SimulationSettings
from riskml.simulation.tables import block_tables
from riskml.simulation.truth import Truth
from riskml.vocabulary import did_you_mean

__all__ = ["BLOCK", "RECORDINGS", "Simulation", "SimulationPlan", "simulate", "simulated_blocks"]

BLOCK = 10_000  # cases that are simulated at a time, each block from its own seed
RECORDINGS = ("realistic", "complete")
_STREAMS = ("people", "process", "recording", "responses", "narratives")
_HIGHEST_SIGNAL = 1.5


def _moment(value, name):
    try:
        moment = pd.Timestamp(value)
    except (TypeError, ValueError):
        moment = pd.NaT
    if moment is pd.NaT or moment.tzinfo is not None:
        raise RiskmlError(f'"{value}" is not a date', where=name, mend="Write it like 2025-02-01.")
    return moment.floor("s")


@dataclass(frozen=True)
class SimulationPlan:
    """What is to be simulated, checked.

    Attributes
    ----------
    cases : int;  seed : int;  start, end, intervention : Timestamp, registry time
    signal : float in [0, 1.5];  recording : "realistic" or "complete";  settings : SimulationSettings
    """

    cases: int
    seed: int = 0
    start: pd.Timestamp = "2023-01-02"
    end: pd.Timestamp = "2026-11-02"
    intervention: pd.Timestamp = "2025-02-01"
    signal: float = 1.0
    recording: str = "realistic"
    settings: SimulationSettings = field(default_factory=SimulationSettings)

    def __post_init__(self):
        for name in ("start", "end", "intervention"):
            object.__setattr__(self, name, _moment(getattr(self, name), name))
        for name, least in (("cases", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise RiskmlError(f"{value!r} is not a whole number of at least {least}", where=name)
        if self.end - self.start < pd.Timedelta(days=28):
            raise RiskmlError("the registry has to cover at least 28 days", where="start, end")
        if self.recording not in RECORDINGS:
            raise RiskmlError(
                f'unknown recording "{self.recording}"',
                where="recording",
                mend=did_you_mean(self.recording, RECORDINGS) or f"Known: {', '.join(RECORDINGS)}.",
            )
        if not 0.0 <= self.signal <= _HIGHEST_SIGNAL:
            raise RiskmlError(f"{self.signal} is not between 0 and {_HIGHEST_SIGNAL}", where="signal")

    @property
    def complete(self):
        """Whether every driver of the hazard is recorded at once, bool."""
        return self.recording == "complete"

    @property
    def note(self):
        """What marks the registry as synthetic, str."""
        return (
            f"riskml.simulate(cases={self.cases}, seed={self.seed}, start={self.start}, end={self.end}, "
            f"intervention={self.intervention}, signal={self.signal}, recording={self.recording})"
        )

    @property
    def about(self):
        """What the truth needs to know besides its rows: dict."""
        return {
            "start": str(self.start),
            "end": str(self.end),
            "signal": float(self.signal),
            "recording": self.recording,
            "settings": asdict(self.settings),
        }


@dataclass(frozen=True)
class Simulation:
    """A simulated registry.

    Attributes
    ----------
    tables : dict of table name -> DataFrame    the contract's columns; aggressors and victims also hold
        name, phone and address, incidents a narrative
    truth : Truth          never part of the registry
    plan : SimulationPlan
    """

    tables: dict
    truth: Truth
    plan: SimulationPlan


def _truth_rows(log, case_ids, calendar):
    """One block's part of the truth: (states, events), DataFrames."""
    made = log.topic("states")
    states = {"case_id": case_ids[made["case"]], "since": calendar.times(made["time"])}
    states |= {name: values for name, values in made.items() if name not in ("case", "time")}
    events = log.topic("events")
    events = {
        "case_id": case_ids[events["case"]],
        "occurred_at": calendar.times(events["time"]),
        "severity": events["severity"].astype("int8"),
        "reported": ~np.isnan(events["recorded"]),
    }
    return pd.DataFrame(states), pd.DataFrame(events)


def simulated_blocks(plan):
    """The registry and its truth, block by block, in bounded memory.

    A block's content follows from the seed and the block's number alone, not from what was made before it.

    Yields
    ------
    (dict of table name -> DataFrame, states, events)    the last two belong to the truth
    """
    calendar = Calendar(plan.start, plan.end)
    for block, first in enumerate(range(0, plan.cases, BLOCK)):
        count = min(BLOCK, plan.cases - first)
        seeds = np.random.SeedSequence([plan.seed, block]).spawn(len(_STREAMS))
        streams = dict(zip(_STREAMS, (np.random.default_rng(s) for s in seeds), strict=True))
        population = draw_population(
            count, plan.start, plan.end, plan.settings, plan.signal, streams["people"]
        )
        log = run_process(
            population,
            plan.start,
            plan.end,
            plan.intervention,
            plan.settings,
            plan.signal,
            plan.complete,
            streams,
        )
        tables, case_ids = block_tables(
            population, log, block, BLOCK, plan.settings, calendar, plan.signal, plan.complete, streams
        )
        yield tables, *_truth_rows(log, case_ids, calendar)


def simulate(
    cases=3500,
    *,
    seed=0,
    start="2023-01-02",
    end="2026-11-02",
    intervention="2025-02-01",
    signal=1.0,
    recording="realistic",
    settings=None,
    language="es",
):
    """Simulate a registry and the truth behind it. Everything in it is synthetic and says so.

    Parameters
    ----------
    cases : int             aggressor-victim pairs
    seed : int              the same seed gives the same registry
    start, end : date       first and last day of the registry, registry time
    intervention : date     from when on the strategy's visits and custody take place
    signal : float in [0, 1.5]    scales every effect on violence and on reporting, on the log scale; 0: the
        hazard is constant and the same for all, so that nothing recorded predicts a new incident
    recording : "realistic" or "complete"    complete: every violent event and every driver of the hazard is
        recorded at once, which is the upper bound of what can be known
    settings : SimulationSettings or None    the simulated world; None: as documented
    language : "es" or "en"    of the progress bar; narratives are Spanish

    Returns
    -------
    Simulation    `.tables`, `.truth`

    Raises
    ------
    RiskmlError    an argument out of its range
    """
    check_language(language)
    plan = SimulationPlan(
        cases, seed, start, end, intervention, signal, recording, settings or SimulationSettings()
    )
    parts, states, events = {}, [], []
    with progress(message("simulation.simulating", language), -(-plan.cases // BLOCK)) as advance:
        for tables, block_states, block_events in simulated_blocks(plan):
            for name, rows in tables.items():
                parts.setdefault(name, []).append(rows)
            states.append(block_states)
            events.append(block_events)
            advance()
    tables = {name: pd.concat(rows, ignore_index=True) for name, rows in parts.items()}
    about = {**plan.about, "settings": plan.settings}
    truth = Truth(pd.concat(states), pd.concat(events), **about)
    return Simulation(tables, truth, plan)
