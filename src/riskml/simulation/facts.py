"""The rows of the other tables: factors, measures, proceedings, responses, levels and outcomes."""

import numpy as np
import pandas as pd

from riskml.simulation.cases import opening_times
from riskml.simulation.clock import words
from riskml.simulation.hazard import NEVER, in_seconds
from riskml.simulation.phrases import ACTS, evidence_of
from riskml.simulation.population import CODES
from riskml.vocabulary import LEVELS, MEASURE_KINDS, OUTCOME_KINDS, SOURCES, STAGES, STATES

__all__ = ["factor_rows", "level_rows", "measure_rows", "outcome_rows", "proceeding_rows", "response_rows"]

_ANTECEDENT = "prior_violence_others"
_FILE = SOURCES.index("investigation_file")
_RESULTS = {
    "visit": (("localizado", 0.62), ("no localizado", 0.28), ("se negó", 0.10)),
    "deterrent_message": (("entregado", 0.85), ("no entregado", 0.15)),
    "referral_aggressor": (("aceptó", 0.35), ("no acudió", 0.65)),
    "referral_victim": (("aceptó", 0.55), ("no acudió", 0.45)),
    "var_activation": (("puesto a disposición", 0.90), ("no localizado", 0.10)),
    "surveillance": (("sin novedad", 0.90), ("con novedad", 0.10)),
}


def _mentions(log, rows, complete, rng):
    """One row per factor named in a record.

    DataFrame; a second record repeats most of what the first said.
    """
    mention = pd.DataFrame(log.topic("mentions", "event", "factor", "state"))
    rank = np.flatnonzero(np.isnan(rows.superseded))
    record = pd.DataFrame({"event": rows.event[rank], "row": rank})
    joined = mention.merge(record, on="event", how="inner")
    row = joined["row"].to_numpy()
    repeated = rows.primary[row] | (rng.random(len(joined)) < 0.6)
    joined = joined[repeated].reset_index(drop=True)
    row = joined["row"].to_numpy()
    return pd.DataFrame(
        {
            "case": rows.case[row],
            "incident": rows.incident[row],
            "factor": joined["factor"].to_numpy().astype(int),
            "state": joined["state"].to_numpy().astype(int),
            "source": rows.source[row],
            "event": joined["event"].to_numpy(),
            "occurred": rows.occurred[row],
            "recorded": rows.known[row],
        }
    )


def _antecedents(population, rows, opened, settings, calendar, complete, rng):
    """Earlier violence against others: one row each, dated before the case, found at its opening or later.

    They are the aggressor's, and stand in the first of his cases.
    """
    n = len(population)
    order = np.lexsort((opened, population.aggressor))
    first = order[np.unique(population.aggressor[order], return_index=True)[1]]
    antecedents = np.zeros(n, int)
    antecedents[first] = population.frailty[first]
    case = np.repeat(np.arange(n), antecedents)
    before = 60.0 + rng.exponential(1200.0, len(case))
    occurred = in_seconds(population.opening[case] - before)
    found = rng.random(len(case))
    recorded = opened[case]
    if not complete:
        late = in_seconds(recorded + rng.uniform(10.0, 300.0, len(case)))
        recorded = np.where(found < settings.antecedents_found, recorded, late)
        kept = (found < 1.3 * settings.antecedents_found) & calendar.known(recorded)
        case, occurred, recorded = case[kept], occurred[kept], recorded[kept]
    none = np.isin(np.arange(n), first) & (population.frailty == 0)
    denied = none & (complete | (rng.random(n) < settings.denial))
    none = np.flatnonzero(denied)
    frame = pd.DataFrame(
        {
            "case": np.concatenate([case, none]),
            "incident": -1,
            "factor": len(CODES),
            "state": np.repeat([1, 0], [len(case), len(none)]),
            "source": _FILE,
            "event": -1,
            "occurred": np.concatenate([occurred, opened[none]]),
            "recorded": np.concatenate([recorded, opened[none]]),
        }
    )
    return frame


def _factor_faults(frame, settings, calendar, rng):
    """Rows that turn out wrong and are replaced, and rows without a date."""
    n = len(frame)
    noticed = in_seconds(frame["recorded"].to_numpy() + 0.5 + rng.exponential(settings.correction_delay, n))
    wrong = (rng.random(n) < settings.factor_corrected) & calendar.known(noticed)
    after = frame[wrong].assign(recorded=noticed[wrong])
    frame = frame.assign(
        state=np.where(wrong, 1 - frame["state"], frame["state"]),
        superseded=np.where(wrong, noticed, np.nan),
        occurred=np.where(rng.random(n) < settings.missing_occurred, np.nan, frame["occurred"]),
    )
    return pd.concat([frame, after.assign(superseded=np.nan, told=False)], ignore_index=True)


def factor_rows(population, log, rows, ids, settings, calendar, complete, rng):
    """Factors as the records name them, and antecedents.

    A separation is dated when the couple separated, everything else when the incident happened.

    Returns
    -------
    (DataFrame in the contract's columns, (incident numbers, quotes, whether of a grave act): what
    narratives are made of)
    """
    opened = opening_times(rows, len(population))
    events = log.topic("events")
    frame = _mentions(log, rows, complete, rng)
    separated = events["separated"][frame["event"]]
    dated = (frame["factor"] == CODES.index("separation")) & (frame["state"] == 1) & (separated < NEVER)
    frame["occurred"] = np.where(dated, separated, frame["occurred"])
    antecedents = _antecedents(population, rows, opened, settings, calendar, complete, rng)
    frame = pd.concat([frame, antecedents], ignore_index=True).assign(superseded=np.nan, told=True)
    if not complete:
        frame = _factor_faults(frame, settings, calendar, rng)
    codes = (*CODES, _ANTECEDENT)
    evidence = evidence_of(codes, frame["factor"].to_numpy(), frame["state"].to_numpy(), rng)
    incident = frame["incident"].to_numpy()
    told = frame["told"].to_numpy() & (incident >= 0)
    table = pd.DataFrame(
        {
            "case_id": ids.cases[frame["case"].to_numpy()],
            "incident_id": np.where(incident >= 0, ids.incidents[incident], None),
            "factor": words(codes, frame["factor"]),
            "state": words(STATES, frame["state"]),
            "source": words(SOURCES, frame["source"]),
            "evidence": evidence,
            "occurred_at": calendar.times(frame["occurred"]),
            "recorded_at": calendar.times(frame["recorded"]),
            "superseded_at": calendar.times(frame["superseded"]),
        }
    )
    acts = np.isin(words(codes, frame["factor"]).astype(str), ACTS) & (frame["state"] == 1).to_numpy()
    return table, (incident[told], evidence[told], acts[told])


def _recorded(time, mean, complete, rng):
    """When the registry learns of what an institution did: at once, or days later."""
    return time if complete else in_seconds(time + rng.exponential(mean, len(time)))


def _times(frame, calendar, occurred, recorded):
    """Add the two clocks, and leave out what the registry does not know yet."""
    frame["occurred_at"], frame["recorded_at"] = calendar.times(occurred), calendar.times(recorded)
    frame["superseded_at"] = calendar.times(np.full(len(frame), np.nan))
    return frame[calendar.known(recorded)].reset_index(drop=True)


def measure_rows(log, ids, number, calendar, complete, rng):
    """Measures and custody. A custody's end is known beforehand only under complete recording."""
    made = log.topic("measures", "case", "kind", "time", "expires", "ended")
    case, kind = made["case"].astype(int), made["kind"].astype(int)
    custody = kind == MEASURE_KINDS.index("custody")
    expires, ended = made["expires"], made["ended"]
    if not complete:
        ended = np.where(custody, expires, ended)
        expires = np.where(custody, np.nan, expires)
    frame = pd.DataFrame(
        {
            "measure_id": number(len(case)),
            "case_id": ids.cases[case],
            "kind": words(MEASURE_KINDS, kind),
            "expires_at": calendar.times(expires),
            "ended_at": calendar.times(np.where(calendar.known(ended), ended, np.nan)),
        }
    )
    return _times(frame, calendar, made["time"], _recorded(made["time"], 2.0, complete, rng))


def proceeding_rows(log, ids, calendar, complete, rng):
    """Stages reached by a case's proceedings."""
    made = log.topic("proceedings", "case", "stage", "time")
    frame = pd.DataFrame(
        {"case_id": ids.cases[made["case"].astype(int)], "stage": words(STAGES, made["stage"].astype(int))}
    )
    return _times(frame, calendar, made["time"], _recorded(made["time"], 8.0, complete, rng))


def response_rows(log, ids, calendar, complete, rng):
    """What was done about a case, and what came of it."""
    made = log.topic("responses", "case", "kind", "time", "result")
    kind, draw = made["kind"].astype(object), made["result"]
    result = np.full(len(kind), None, dtype=object)
    for name, outcomes in _RESULTS.items():
        edges = np.cumsum([share for _, share in outcomes])
        chosen = kind == name
        position = np.minimum(np.searchsorted(edges, draw[chosen], side="right"), len(outcomes) - 1)
        result[chosen] = words([word for word, _ in outcomes], position)
    frame = pd.DataFrame({"case_id": ids.cases[made["case"].astype(int)], "kind": kind, "result": result})
    return _times(frame, calendar, made["time"], _recorded(made["time"], 1.5, complete, rng))


def level_rows(log, ids, calendar):
    """The analysts' levels, entered when they are assigned."""
    made = log.topic("levels", "case", "time", "level", "analyst", "copied")
    level = made["level"].astype(int)
    copied = made["copied"].astype(bool)
    frame = pd.DataFrame(
        {
            "case_id": ids.cases[made["case"].astype(int)],
            "level": words(LEVELS, level),
            "analyst": np.char.mod("SIM-ANALISTA-%02d", made["analyst"].astype(int) + 1).astype(object),
            "basis": words(
                ("SIN CAMBIOS RESPECTO A LA REVISIÓN ANTERIOR", "REVISIÓN SEMANAL"), np.where(copied, 0, 1)
            ),
        }
    )
    return _times(frame, calendar, made["time"], made["time"])


def outcome_rows(log, ids, number, calendar, complete, rng):
    """Femicides and attempts, confirmed by a review months later."""
    made = log.topic("outcomes", "case", "time", "kind")
    case = made["case"].astype(int)
    recorded = (
        made["time"] if complete else in_seconds(made["time"] + 20.0 + rng.exponential(60.0, len(case)))
    )
    frame = pd.DataFrame(
        {
            "case_id": ids.cases[case],
            "kind": words(OUTCOME_KINDS, made["kind"].astype(int)),
            "review_id": number(len(case)),
        }
    )
    return _times(frame, calendar, made["time"], recorded)
