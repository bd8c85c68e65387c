"""What is done about a case.

The analyst's level, visits, measures, custody, proceedings, and the intervention.
"""

import numpy as np

from riskml.simulation.hazard import in_seconds
from riskml.simulation.population import CODES

__all__ = ["LEVEL_WEIGHTS", "Responder"]

# What analysts make of an observed factor [A]: lethality signs weigh more than repetition signs.
_WEIGHTS = {
    "strangulation": 1.0,
    "weapon_threat": 0.7,
    "weapon_used": 0.9,
    "death_threat": 0.6,
    "firearm_access": 0.7,
    "control": 0.3,
    "jealousy": 0.2,
    "methamphetamine": 0.4,
    "alcohol": 0.1,
    "separation": 0.4,
    "suicidality": 0.5,
    "pregnancy": 0.5,
    "forced_sex": 0.7,
    "stalking": 0.4,
    "victim_fear": 0.4,
    "breach": 0.6,
    "prior_other_victim": 0.4,
    "children_threatened": 0.5,
    "escalation_reported": 0.4,
}
LEVEL_WEIGHTS = np.array([_WEIGHTS.get(code, 0.0) for code in CODES])
_STAGES = {"file_opened": 0, "charged": 1, "detained": 2, "released": 3, "withdrawn": 4, "convicted": 5}
_WEEK, _REVIEW_HOUR = 7.0, 10.0 / 24.0
_CRITICAL = 3
_FIRST_ROUND_DAYS = 120.0


class Responder:
    """Decides what follows from a reported event and notes it.

    Attributes
    ----------
    level : int8, (n,)    last level assigned, -1 before the first
    """

    def __init__(self, population, turn, length, settings, signal, rng):
        self.level = np.full(len(population), -1, np.int8)
        self._turn, self._length = turn, length
        self._settings, self._signal, self._rng = settings, signal, rng
        self._analyst = rng.integers(0, settings.analysts, len(population))
        self._habit = rng.normal(0.0, settings.analyst_spread, settings.analysts)

    def respond(self, world, rows, when, severity, recorded, recorder):
        """Levels, measures, visits, custody and proceedings after the reported events of these pairs."""
        if not len(rows):
            return
        level = self._assign(world.log, rows, severity, recorded, recorder)
        active = recorded >= self._turn
        self._measures(world, rows, when, severity, recorded)
        self._visit(world, rows, when, level, recorded, active)
        self._custody(world, rows, when, severity, level, recorded, active)
        self._proceed(world, rows, severity, recorded)

    def _assign(self, log, rows, severity, recorded, recorder):
        """The analyst's level at the next weekly review: an ordinal probit on what the registry shows."""
        settings, rng = self._settings, self._rng
        score = np.maximum(recorder.observed[rows], 0) @ LEVEL_WEIGHTS
        score += 0.25 * recorder.worst[rows] + 0.15 * np.minimum(recorder.incidents[rows] - 1, 6)
        score += self._habit[self._analyst[rows]] + settings.analyst_drift * recorded / 365.25
        score += rng.normal(0.0, settings.analyst_noise, len(rows))
        level = np.searchsorted(settings.level_cuts, score, side="right")
        copied = (rng.random(len(rows)) < settings.copied_forward) & (self.level[rows] >= 0) & (severity < 4)
        level = np.where(copied, self.level[rows], level)
        self.level[rows] = level
        review = np.ceil(recorded / _WEEK) * _WEEK + _REVIEW_HOUR
        log.add("levels", case=rows, time=review, level=level, analyst=self._analyst[rows], copied=copied)
        return level

    def _measures(self, world, rows, when, severity, recorded):
        settings, rng, pairs = self._settings, self._rng, world.pairs
        long = rng.random(len(rows)) < settings.protection_extended
        lengths = {
            "protection": np.where(long, settings.protection_days[1], settings.protection_days[0]),
            "precautionary": np.full(len(rows), settings.precautionary_days),
        }
        delays = {"protection": (0.5, 5.0), "precautionary": (2.0, 15.0)}
        for kind, (name, length) in enumerate(lengths.items()):
            chance = np.asarray(getattr(settings, f"{name}_by_severity"))[severity]
            granted = in_seconds(recorded + rng.uniform(*delays[name], len(rows)))
            lifted = rng.random(len(rows)) < settings.ended_early
            share = rng.uniform(0.2, 0.9, len(rows))
            chosen = rng.random(len(rows)) < chance
            at, expires = rows[chosen], granted + length
            ended = np.where(lifted, in_seconds(granted + share * length), np.nan)[chosen]
            granted, expires = granted[chosen], expires[chosen]
            world.log.add(
                "measures", case=at, kind=np.full(len(at), kind), time=granted, expires=expires, ended=ended
            )
            since, until = getattr(pairs, f"{name}_from"), getattr(pairs, f"{name}_until")
            over = np.where(np.isnan(ended), expires, ended)
            # What is still running or ahead when the new one is granted runs on with it.
            running = until[at] >= np.minimum(granted, when[chosen])
            since[at] = np.where(running, np.minimum(since[at], granted), granted)
            until[at] = np.where(running, np.maximum(until[at], over), over)

    def _visit(self, world, rows, when, level, recorded, active):
        settings, rng, pairs = self._settings, self._rng, world.pairs
        chance = np.where(active, np.asarray(settings.visit_by_level)[level], settings.visit_before)
        visit = in_seconds(recorded + 0.25 + rng.exponential(settings.visit_delay, len(rows)))
        # A visit that is still ahead serves the new incident too.
        chosen = (rng.random(len(rows)) < chance) & (pairs.visit_last[rows] <= when)
        self._note_visits(world, rows[chosen], visit[chosen], level[chosen] == _CRITICAL)
        for kind, share in (("referral_victim", 0.22), ("referral_aggressor", 0.08)):
            referred = rng.random(len(rows)) < share
            time = in_seconds(recorded + rng.exponential(6.0, len(rows)))
            self._note(world, kind, rows[referred], time[referred])

    def _note_visits(self, world, rows, visit, critical):
        pairs = world.pairs
        pairs.visit_before[rows] = pairs.visit_last[rows]
        pairs.visit_last[rows] = visit
        self._note(world, "visit", rows, visit)
        warned = self._rng.random(len(rows)) < np.where(visit >= self._turn, 0.6, 0.1)
        self._note(world, "deterrent_message", rows[warned], visit[warned])
        self._note(world, "surveillance", rows[critical], visit[critical])

    def _note(self, world, kind, rows, time):
        result = self._rng.random(len(rows))
        world.log.add("responses", case=rows, kind=np.full(len(rows), kind, "U18"), time=time, result=result)

    def _custody(self, world, rows, when, severity, level, recorded, active):
        settings, rng, pairs = self._settings, self._rng, world.pairs
        free = pairs.custody_until[rows] <= when
        activated = active & (level == _CRITICAL) & (rng.random(len(rows)) < settings.var_critical) & free
        self._note(world, "var_activation", rows[activated], in_seconds(recorded[activated] + 0.5))
        chance = np.where(
            activated, settings.var_custody, np.asarray(settings.detained_by_severity)[severity]
        )
        chosen = free & (rng.random(len(rows)) < chance)
        median, spread = settings.custody_days
        long = median * np.exp(spread * rng.standard_normal(len(rows)))
        brief = ~activated & (rng.random(len(rows)) < settings.detained_briefly)
        days = np.where(brief, 2.0, np.clip(long, 20.0, 730.0))
        begins = in_seconds(recorded + rng.uniform(0.1, 3.0, len(rows)))
        at, begins, ends = rows[chosen], begins[chosen], in_seconds(begins + days)[chosen]
        pairs.custody_from[at], pairs.custody_until[at] = begins, ends
        world.log.add(
            "measures",
            case=at,
            kind=np.full(len(at), 2),
            time=begins,
            expires=ends,
            ended=np.full(len(at), np.nan),
        )
        self._stage(world, "detained", at, begins)
        self._stage(world, "released", at, ends)

    def _proceed(self, world, rows, severity, recorded):
        settings, rng = self._settings, self._rng
        n = len(rows)
        opened = rng.random(n) < 0.18 + 0.12 * np.minimum(severity, 4)
        time = in_seconds(recorded + rng.exponential(2.0, n))
        self._stage(world, "file_opened", rows[opened], time[opened])
        charged = opened & (rng.random(n) < 0.06 + 0.05 * severity)
        charge = in_seconds(time + 15.0 + rng.exponential(50.0, n))
        self._stage(world, "charged", rows[charged], charge[charged])
        convicted = charged & (rng.random(n) < 0.25)
        self._stage(
            world,
            "convicted",
            rows[convicted],
            in_seconds(charge + 90.0 + rng.exponential(150.0, n))[convicted],
        )
        withdrawn = opened & ~convicted & (rng.random(n) < settings.withdrawn)
        leaves = in_seconds(time + 3.0 + rng.exponential(25.0, n))
        self._stage(world, "withdrawn", rows[withdrawn], leaves[withdrawn])
        world.pairs.withdrawn[rows] = np.where(
            withdrawn, np.minimum(world.pairs.withdrawn[rows], leaves), world.pairs.withdrawn[rows]
        )

    def _stage(self, world, stage, rows, time):
        world.log.add("proceedings", case=rows, stage=np.full(len(rows), _STAGES[stage]), time=time)

    def first_round(self, world, rows, turn):
        """The intervention's first months: cases with a level above low are visited, wherever they stand."""
        pairs = world.pairs
        there = (pairs.exit[rows] > turn) & (self.level[rows] > 0) & (pairs.visit_last[rows] <= turn)
        chosen = rows[there & (self._rng.random(len(rows)) < self._settings.first_round)]
        visit = in_seconds(turn + self._rng.uniform(0.5, _FIRST_ROUND_DAYS, len(chosen)))
        self._note_visits(world, chosen, visit, self.level[chosen] == _CRITICAL)
        world.log.state(pairs, chosen, np.full(len(chosen), turn))
