"""What happens to the pairs: violent events one after another, and what is reported and done about each.

Pairs run side by side. In each round every pair that is still running draws its next event; what follows
from the
event (new factors, a record, a level, measures, a visit, custody) is decided there and then, and the hazard
until the next event follows from it. At the intervention's start all pairs stop for a moment.
"""

from dataclasses import dataclass

import numpy as np

from riskml.simulation.hazard import NEVER, Pairs, in_seconds, next_event
from riskml.simulation.log import Log
from riskml.simulation.population import CODES, frailty_classes
from riskml.simulation.recording import Recorder
from riskml.simulation.responses import Responder
from riskml.simulation.settings import FACTORS
from riskml.simulation.severity import draw_severity

__all__ = ["World", "run_process"]

_SEVERE = 4
_ALARM_CODES = ("death_threat", "stalking", "suicidality", "victim_fear", "escalation_reported")
# Acts that show at an event of this severity, and how often. The prevalences after severe events are apart.
_ACTS = {
    3: {"weapon_threat": 0.25, "death_threat": 0.30, "confinement": 0.10},
    1: {"death_threat": 0.08, "stalking": 0.06},
}


@dataclass
class World:
    """One block while it runs: the moving parts of the pairs and what was noted of them.

    Attributes
    ----------
    pairs : Pairs                 what decides the hazard
    factors : bool, (n, 25)       true now
    now : float, (n,)             up to when the pair has been simulated
    base : float, (n,)            log hazard without the factors
    log : Log                     events, mentions, responses, ... and the truth's states
    """

    pairs: Pairs
    factors: np.ndarray
    now: np.ndarray
    base: np.ndarray
    log: Log


_LASTING = np.array([f.hazard if f.code != "separation" else 0.0 for f in FACTORS])
_SEVERITY = np.array([f.severity for f in FACTORS])
_USUAL = np.array([f.usual for f in FACTORS])


def _constant(base, factors, settings, signal):
    """Log rate of pairs from their base and factors, capped: array of float."""
    ceiling = np.log(settings.highest_multiplier)
    effect = base + (factors - _USUAL) @ _LASTING
    level = (1.0 - signal) * np.log(settings.null_rate) + signal * np.log(settings.base_rate)
    return level + signal * np.minimum(effect, ceiling)


def _begin(population, settings, signal, rng):
    """The pairs before their first event."""
    n = len(population)
    _, means = frailty_classes(settings)
    relation = np.asarray(settings.relationship_effect)[population.relationship]
    birth = population.aggressor_birth[population.aggressor]
    base = np.log(means)[population.frailty] + relation + settings.age_effect * (birth - 1989.0)
    apart = CODES.index("separation")
    # A couple that is apart when its case opens separated within the half year before.
    since = in_seconds(population.opening - rng.random(n) * 180.0)
    blank = np.full(n, -NEVER)
    pairs = Pairs(
        constant=np.zeros(n),
        clock=population.opening.copy(),
        separated=np.where(population.factors[:, apart], since, NEVER),
        visit_before=blank.copy(),
        visit_last=blank.copy(),
        protection_from=blank.copy(),
        protection_until=blank.copy(),
        precautionary_from=blank.copy(),
        precautionary_until=blank.copy(),
        custody_from=blank.copy(),
        custody_until=blank.copy(),
        exit=population.exit.copy(),
        severity=np.zeros(n),
        alarm_until=blank.copy(),
        path=population.path.astype(float),
        events=np.zeros(n),
        reporting=np.where(population.rural, settings.reported_rural, 0.0),
        withdrawn=np.full(n, NEVER),
    )
    world = World(pairs, population.factors.copy(), population.opening.copy(), base, Log())
    _refresh(world, population, np.arange(n), settings, signal)
    return world


def _refresh(world, population, rows, settings, signal):
    """Bring the hazard in line with the factors of now, the severity with those of the beginning.

    Factors that come with events do not raise later severity: pairs seen often would ramp up, and they do
    not [S:18].
    """
    world.pairs.constant[rows] = _constant(world.base[rows], world.factors[rows], settings, signal)
    shift = (population.factors[rows] - _USUAL) @ _SEVERITY
    world.pairs.severity[rows] = population.severity[rows] + signal * shift


def _new_factors(world, population, rows, when, severity, couple, settings, rng):
    """Turn on what an event brings with it; returns nothing."""
    factors = world.factors[rows]
    n = len(rows)
    severe = severity >= _SEVERE
    onset = np.array([(f.severe - f.usual) / (1.0 - f.usual) for f in FACTORS])
    onset *= settings.onset_when_severe
    chance = np.where(severe[:, None], onset, settings.new_factor_at_event * (_USUAL > 0.05))
    for level, acts in _ACTS.items():
        for code, share in acts.items():
            column = CODES.index(code)
            chance[:, column] = np.where(
                severity == level, np.maximum(chance[:, column], share), chance[:, column]
            )
    apart, breach = CODES.index("separation"), CODES.index("breach")
    chance[:, apart] = np.where(severe, 0.15, settings.separates_at_event)
    pairs = world.pairs
    protected = (pairs.protection_from[rows] <= when) & (when < pairs.protection_until[rows])
    chance[:, breach] = np.where(protected, 1.0, 0.0)
    partner_only = np.array([f.partner_only for f in FACTORS])
    chance[:, partner_only] *= couple[rows][:, None]
    begins = rng.random(rows.shape[0]) < settings.alarm_at_event
    pairs.alarm_until[rows] = np.where(begins, when + settings.alarm_days, pairs.alarm_until[rows])
    for code in _ALARM_CODES:
        chance[:, CODES.index(code)] = np.where(begins, 0.5, chance[:, CODES.index(code)])
    new = (rng.random((n, len(FACTORS))) < chance) & ~factors
    pairs.separated[rows] = np.where(new[:, apart], when, pairs.separated[rows])
    world.factors[rows] = factors | new


def _lethal(world, rows, when, severity, female, settings, rng):
    """Draw deaths and attempts among severe events; a death ends the pair. Returns the severities."""
    draw = rng.random(len(rows))
    severe = (severity >= _SEVERE) & female[rows]
    killed = severe & (draw < settings.death_given_severe)
    attempted = severe & ~killed & (draw < settings.death_given_severe + settings.attempt_given_severe)
    world.pairs.exit[rows] = np.where(killed, when, world.pairs.exit[rows])
    for kind, chosen in ((0, killed), (1, attempted)):
        world.log.add("outcomes", case=rows[chosen], time=when[chosen], kind=np.full(chosen.sum(), kind))
    return np.where(killed, 6, np.where(attempted, 5, severity))


def _happen(world, population, rows, when, first, streams, parts, settings, signal):
    """One event of each of these pairs, with all that follows from it."""
    recorder, responder, couple = parts
    pairs = world.pairs
    severity = draw_severity(pairs.take(rows), when, settings, signal, streams["process"])
    severity = _lethal(world, rows, when, severity, population.victim_female, settings, streams["process"])
    _new_factors(world, population, rows, when, severity, couple, settings, streams["process"])
    pairs.events[rows] += 1.0
    pairs.clock[rows] = when
    _refresh(world, population, rows, settings, signal)
    event = world.log.size("events") + np.arange(len(rows))
    reported = recorder.report(pairs.take(rows), when, severity, first)
    separated = pairs.separated[rows]
    note = recorder.note(world.log, event, rows, when, severity, world.factors[rows], separated, reported)
    world.now[rows] = when
    known = np.flatnonzero(reported)
    responder.respond(world, rows[known], when[known], severity[known], note[known], recorder)
    world.log.state(pairs, rows, when)


def run_process(population, start, end, intervention, settings, signal, complete, streams):
    """Simulate the pairs of one block from their first event to the registry's last day.

    Parameters
    ----------
    population : Population
    start, end, intervention : Timestamp
    signal : float
    complete : bool      every event is reported, and every factor recorded as it becomes true
    streams : dict of str -> numpy.random.Generator    one per part of the simulator, so that one part's draws
        do not move another's

    Returns
    -------
    Log
    """
    day = np.timedelta64(1, "D")
    length = float((end - start) / day)
    turn = float((intervention - start) / day)
    names = [name for name, _ in settings.relationships]
    couple = np.isin(population.relationship, [names.index("partner"), names.index("ex-partner")])
    world = _begin(population, settings, signal, streams["process"])
    recorder = Recorder(len(population), start, length, settings, signal, complete, streams["recording"])
    responder = Responder(population, turn, length, settings, signal, streams["responses"])
    parts = (recorder, responder, couple)

    opened = np.zeros(len(population), bool)
    for until in (min(max(turn, 0.0), length), length):
        new = np.flatnonzero(~opened & (population.opening < until))
        opened[new] = True
        if len(new):
            _happen(world, population, new, population.opening[new], True, streams, parts, settings, signal)
        running = np.flatnonzero(opened & (world.now < until) & (world.pairs.exit > world.now))
        while len(running):
            taken = world.pairs.take(running)
            when = next_event(taken, world.now[running], until, settings, signal, streams["process"])
            happens = when < NEVER
            running, when = running[happens], when[happens]
            if len(running):
                _happen(world, population, running, when, False, streams, parts, settings, signal)
        if until < length:
            world.now[opened] = np.maximum(world.now[opened], until)
            responder.first_round(world, np.flatnonzero(opened), until)
    return world.log
