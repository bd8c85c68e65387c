"""The truth behind a simulated registry: each pair's hazard at each time, and the best prediction that
follows.

It is kept beside the registry and never in it: nothing that builds features, trains or scores may import
this.
"""

import json
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from riskml.errors import RiskmlError
from riskml.simulation.escalation import Past, escalation_share
from riskml.simulation.hazard import Pairs, clock_integral, clock_rate, log_modifier
from riskml.simulation.recording import log_reporting
from riskml.simulation.settings import SimulationSettings
from riskml.simulation.severity import severity_probabilities

__all__ = ["Truth", "TruthWriter"]

_STEPS = 24  # pieces into which a horizon is cut, shorter at its beginning
_CHUNK = 50_000
_FUTURES = 200_000  # simulated at a time
_TELLING = 180.0  # days within which an unreported event may still come out
_STATES, _EVENTS, _ABOUT = "states.parquet", "events.parquet", "truth.json"


def _fixed_settings(values):
    """Settings read back from JSON: lists become tuples again."""

    def frozen(value):
        return tuple(frozen(v) for v in value) if isinstance(value, list) else value

    return SimulationSettings(**{name: frozen(value) for name, value in values.items()})


class TruthWriter:
    """Writes a truth to a folder, block by block, in bounded memory.

    Parameters
    ----------
    folder : path    made if need be; a truth that is there is replaced
    about : dict     what `Truth` needs besides its rows
    """

    def __init__(self, folder, about):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._about, self._writers = about, {}

    def add(self, states, events):
        """Write one block: DataFrames of `Truth`."""
        for name, rows in ((_STATES, states), (_EVENTS, events)):
            table = pa.Table.from_pandas(rows, preserve_index=False)
            if name not in self._writers:
                self._writers[name] = pq.ParquetWriter(self.folder / name, table.schema, compression="zstd")
            self._writers[name].write_table(table)

    def close(self):
        """Finish the files."""
        for writer in self._writers.values():
            writer.close()
        (self.folder / _ABOUT).write_text(json.dumps(self._about, indent=1), encoding="utf-8")


class Truth:
    """What is true of a simulated registry.

    Attributes
    ----------
    states : DataFrame    one row per pair and change: `case_id`, `since` (datetime64[us], when it happened)
        and what
        decides the hazard from then on until the next row (`riskml.simulation.hazard.Pairs`, days since
        `start`)
    events : DataFrame    every violent event: case_id, occurred_at, severity, reported (bool)
    start, end : Timestamp;  signal : float;  recording : str;  settings : SimulationSettings
    """

    def __init__(self, states, events, *, start, end, signal, recording, settings):
        self.start, self.end, self.signal = pd.Timestamp(start), pd.Timestamp(end), float(signal)
        self.recording, self.settings = recording, settings
        self._rows = lambda: (states, events)

    @cached_property
    def _loaded(self):
        states, events = self._rows()
        states = states.sort_values(["case_id", "since"], kind="stable").reset_index(drop=True)
        return states, events.reset_index(drop=True)

    @property
    def states(self):
        """The pairs' states, DataFrame."""
        return self._loaded[0]

    @property
    def events(self):
        """Every violent event, DataFrame."""
        return self._loaded[1]

    @cached_property
    def _ids(self):
        return pd.Index(self.states["case_id"].unique())

    @cached_property
    def _keys(self):
        return self._key(self._ids.get_indexer(self.states["case_id"]), self.states["since"].to_numpy())

    def _key(self, code, when):
        """Case and second in one whole number that sorts by case and then by time."""
        seconds = when.astype("datetime64[us]").astype(np.int64) // 1_000_000
        origin = int(self.start.timestamp()) - 2**28
        return np.asarray(code, np.int64) * 2**31 + np.clip(seconds - origin, 0, 2**31 - 1)

    @classmethod
    def read(cls, folder, case_ids=None):
        """Read what a `TruthWriter` wrote; its rows when they are first needed.

        Parameters
        ----------
        folder : path
        case_ids : list of str or None    the cases to read, by the registry's ids; None: all of them

        Returns
        -------
        Truth

        Raises
        ------
        RiskmlError    there is no truth
        """
        folder = Path(folder)
        if not (folder / _ABOUT).is_file():
            raise RiskmlError(
                "no truth here",
                where=str(folder),
                mend="It is written when a registry is simulated, and only then.",
            )
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        about["settings"] = _fixed_settings(about["settings"])
        chosen = None if case_ids is None else [("case_id", "in", list(case_ids))]
        truth = cls(None, None, **about)
        truth._rows = lambda: tuple(
            pd.read_parquet(folder / name, filters=chosen) for name in (_STATES, _EVENTS)
        )
        return truth

    @property
    def about(self):
        """What a `TruthWriter` needs to know: dict."""
        return {
            "start": str(self.start),
            "end": str(self.end),
            "signal": self.signal,
            "recording": self.recording,
            "settings": asdict(self.settings),
        }

    def write(self, folder):
        """Write the truth to a folder, from which `Truth.read` reads it."""
        writer = TruthWriter(folder, self.about)
        writer.add(self.states, self.events)
        writer.close()

    def for_history(self, key):
        """The same truth under the pseudonyms of histories taken with a key.

        Parameters
        ----------
        key : riskml.registry.pseudonyms.Key
        """
        names = dict(
            zip(
                self._ids,
                key.pseudonyms("case_id", pa.array(self._ids, pa.string())).to_pylist(),
                strict=True,
            )
        )
        states = self.states.assign(case_id=self.states["case_id"].map(names))
        events = self.events.assign(case_id=self.events["case_id"].map(names))
        about = {**self.about, "settings": self.settings}
        return Truth(states, events, **about)

    def _positions(self, cohort):
        """Position of the state in force at each assessment; -1 before the pair's first event."""
        missing = {"case_id", "as_of"} - set(cohort.columns)
        if missing:
            raise RiskmlError(f"missing columns: {', '.join(sorted(missing))}", where="cohort")
        code = self._ids.get_indexer(cohort["case_id"])
        if (code < 0).any():
            raise RiskmlError(
                f"{(code < 0).sum()} assessments are of cases that this truth does not know",
                where="cohort.case_id",
                mend="Ids of a history need `truth.for_history(key)` with the key that the history "
                "was taken with.",
            )
        position = np.searchsorted(self._keys, self._key(code, cohort["as_of"].to_numpy()), side="right") - 1
        there = position >= 0
        return np.where(there & (self._keys[position] >> 31 == code), position, -1)

    def _evaluated(self, cohort, function, chunk=_CHUNK):
        """`function(pairs, now, rows)` of the assessments whose pair has begun; NaN for the others."""
        position = self._positions(cohort)
        now = self._days(cohort["as_of"])
        columns = {f.name: self.states[f.name].to_numpy() for f in fields(Pairs)}
        out = np.full(len(cohort), np.nan)
        begun = np.flatnonzero(position >= 0)
        for first in range(0, len(begun), chunk):
            rows = begun[first : first + chunk]
            pairs = Pairs(**{name: values[position[rows]].astype(float) for name, values in columns.items()})
            out[rows] = function(pairs, now[rows], rows)
        return out

    def reporting(self, pairs, when):
        """Probability that an event at `when` is reported, over its possible severities.

        Array, shape (n,).
        """
        if self.recording == "complete":
            return np.ones(len(when))
        settings, signal = self.settings, self.signal
        by_severity = np.asarray(settings.reported_by_severity)
        scaled = by_severity[2] * (by_severity[:6] / by_severity[2]) ** signal
        ratio = np.exp(log_reporting(pairs, when, settings, signal))
        chances = np.minimum(scaled * ratio[:, None], 0.98)
        return (severity_probabilities(pairs, when, settings, signal) * chances).sum(axis=1)

    def hazard(self, cohort, *, recorded=False):
        """Rate of a new violent event at each assessment.

        Parameters
        ----------
        cohort : DataFrame of case_id, as_of    as_of on the registry's clock
        recorded : bool    the rate of events that will be reported, instead of all

        Returns
        -------
        array of float, shape (n,), per day; 0 once the pair has left, NaN before its first event
        """

        def rate(pairs, now, rows):
            log = pairs.constant + log_modifier(pairs, now[:, None], self.settings, self.signal)[:, 0]
            rates = np.exp(log) * clock_rate(now - pairs.clock, self.settings, self.signal)
            if recorded:
                rates = rates * self.reporting(pairs, now)
            return np.where(now < pairs.exit, rates, 0.0)

        return self._evaluated(cohort, rate)

    def risk(self, cohort, horizon_days=90.0, *, recorded=True):
        """Probability of a new event within the horizon, given everything that is true at the assessment.

        No model can do better: it knows frailty, factors nobody recorded, events nobody reported, and pairs
        that
        have left unnoticed. What the future holds it does not know: an exit counts with its rate, a state
        stays as it is until its planned end, and a visit or custody that was already decided takes place.

        Parameters
        ----------
        cohort : DataFrame of case_id, as_of
        horizon_days : float
        recorded : bool    an event that will be reported (the outcome a registry shows), or any

        Returns
        -------
        array of float in [0, 1], shape (n,); NaN before the pair's first event
        """
        return self._evaluated(
            cohort, lambda pairs, now, rows: self._risk(pairs, now, float(horizon_days), recorded)
        )

    @property
    def exit_rate(self):
        """Rate at which pairs leave for good, per day, float."""
        settings = self.settings
        yearly = settings.migration + settings.death + settings.relation_ended
        return yearly * min(self.signal, 1.0) / 365.25

    def escalation_risk(self, cohort, horizon_days=90.0, *, draws=100, seed=0):
        """Probability that an escalation (EVIDENCE 5.6) is reported within the horizon, by Monte Carlo.

        Parameters
        ----------
        cohort : DataFrame of case_id, as_of
        horizon_days : float
        draws : int    simulated futures per assessment; the standard error of p is sqrt(p (1 - p) / draws)
        seed : int

        Returns
        -------
        array of float in [0, 1], shape (n,); NaN before the pair's first event
        """
        reported = self.events[self.events["reported"]]
        event_code = self._ids.get_indexer(reported["case_id"])
        event_time = self._days(reported["occurred_at"])
        severity = reported["severity"].to_numpy()
        code = self._ids.get_indexer(cohort["case_id"])
        past = Past.of(code, self._days(cohort["as_of"]), event_code, event_time, severity)
        rng = np.random.default_rng(seed)

        def share(pairs, now, rows):
            then = Past(**{name: values[rows] for name, values in past.__dict__.items()})
            complete = self.recording == "complete"
            return escalation_share(
                pairs,
                now,
                then,
                float(horizon_days),
                self.settings,
                self.signal,
                complete,
                self.exit_rate,
                draws,
                rng,
            )

        return self._evaluated(cohort, share, chunk=max(1, _FUTURES // draws))

    def _days(self, times):
        """Times as days since the start, array of float."""
        return ((pd.DatetimeIndex(times) - self.start) / pd.Timedelta(days=1)).to_numpy()

    def _risk(self, pairs, now, horizon, recorded):
        recorded = recorded and self.recording != "complete"
        course = _Course(self, pairs, now, horizon, recorded)
        if recorded and self.settings.told_late:
            # An unreported event may come out when a later one is reported.
            later = _Course(self, pairs, now, _TELLING, True).after()[:, 0]
            course.reported += (1.0 - course.reported) * self.settings.told_late * later[:, None]
        return np.where(now < pairs.exit, course.risk(), 0.0)


class _Course:
    """The next events of pairs within a horizon, on a grid: a renewal equation solved backwards.

    An unreported event sets the clock back and leaves the rest of the state as it was.
    """

    def __init__(self, truth, pairs, now, horizon, recorded):
        self._truth, self._pairs, self._now = truth, pairs, now
        self._settings, self._signal = truth.settings, truth.signal
        self.grid = horizon * (np.arange(_STEPS + 1) / _STEPS) ** 1.5
        self.middle = (self.grid[1:] + self.grid[:-1]) / 2.0
        log = log_modifier(pairs, now[:, None] + self.middle, self._settings, self._signal)
        self._rate = np.exp(pairs.constant[:, None] + log)
        self.reported = np.ones_like(self._rate)
        if recorded:
            self.reported = np.stack([truth.reporting(pairs, now + step) for step in self.middle], axis=1)

    def _first_event(self, clock, since):
        """Probability that the first event from grid point `since` on falls into each later piece."""
        mass = np.cumsum(self._rate[:, since:] * np.diff(clock, axis=-1), axis=1)
        still = np.exp(-mass)
        fresh = np.concatenate([np.ones((len(still), 1)), still[:, :-1]], axis=1) - still
        return fresh * np.exp(-self._truth.exit_rate * (self.middle[since:] - self.grid[since]))

    def after(self):
        """Probability of a reported event within the horizon after an event at each grid point."""
        after = np.zeros((len(self._now), _STEPS + 1))
        if (self.reported == 1.0).all():
            return after  # not needed: the first event is the one that counts
        for j in range(_STEPS - 1, -1, -1):
            clock = clock_integral(self.grid[j:] - self.grid[j], self._settings, self._signal)[None, :]
            halfway = (after[:, j + 1 : -1] + after[:, j + 2 :]) / 2.0
            later = np.concatenate([after[:, j + 1 : j + 2], halfway], axis=1)
            share = self.reported[:, j:] + (1.0 - self.reported[:, j:]) * later
            after[:, j] = (self._first_event(clock, j) * share).sum(axis=1)
        return after

    def risk(self):
        """Probability of a reported event within the horizon: array, shape (n,)."""
        age = self._now[:, None] + self.grid - self._pairs.clock[:, None]
        after = self.after()
        share = self.reported + (1.0 - self.reported) * (after[:, :-1] + after[:, 1:]) / 2.0
        clock = clock_integral(age, self._settings, self._signal)
        return (self._first_event(clock, 0) * share).sum(axis=1)
