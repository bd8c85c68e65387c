"""The pairs before anything is recorded: who they are to each other, their factors, frailty and severity."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from riskml.simulation.hazard import NEVER, in_seconds
from riskml.simulation.inflow import opening_days
from riskml.simulation.settings import FACTORS

__all__ = ["CODES", "Population", "draw_population", "frailty_classes"]

CODES = tuple(f.code for f in FACTORS)
# What is true of the man, and so of each of his cases; the rest is true of the pair.
_OF_THE_AGGRESSOR = (
    "firearm_access",
    "alcohol",
    "drugs",
    "methamphetamine",
    "suicidality",
    "prior_other_victim",
    "unemployed",
)


@dataclass(frozen=True)
class Population:
    """The pairs of one block; arrays of length n unless said otherwise.

    Attributes
    ----------
    aggressor, victim : position of the person within the block
    aggressors, victims : int, how many there are
    relationship : index into the settings' relationships
    aggressor_birth, victim_birth : year of birth
    aggressor_female, victim_female : bool
    rural : bool;  municipality : index into the settings' municipalities
    frailty : class 0-9, shown as that many antecedents
    path : index of the severity path;  severity : location of the pair's severity
    opening : day of the first event;  first_severity : its severity
    exit : day on which the pair leaves;  exit_kind : 0 migration, 1 death, 2 relation ended
    factors : bool, shape (n, 25)    true at the first event
    """

    aggressor: np.ndarray
    victim: np.ndarray
    aggressors: int
    victims: int
    relationship: np.ndarray
    aggressor_birth: np.ndarray
    victim_birth: np.ndarray
    aggressor_female: np.ndarray
    victim_female: np.ndarray
    rural: np.ndarray
    municipality: np.ndarray
    frailty: np.ndarray
    path: np.ndarray
    severity: np.ndarray
    opening: np.ndarray
    exit: np.ndarray
    exit_kind: np.ndarray
    factors: np.ndarray

    def __len__(self):
        return len(self.aggressor)


def frailty_classes(settings):
    """The ten classes of the gamma frailty: (probabilities, means), arrays of shape (10,), overall mean 1."""
    edges = np.asarray(settings.frailty_quantiles)
    shape = 1.0 / settings.frailty_variance
    cuts = stats.gamma.ppf(edges, shape, scale=settings.frailty_variance)
    # The mean of a gamma within two cuts, from the distribution with one more degree of shape.
    mass = np.diff(stats.gamma.cdf(cuts, shape + 1.0, scale=settings.frailty_variance))
    return np.diff(edges), mass / np.diff(edges)


def _weighted(rng, count, shares):
    return rng.choice(len(shares), size=count, p=np.asarray(shares) / np.sum(shares))


def _aggressors(count, settings, rng):
    """Which aggressor each case belongs to.

    Positions, shape (count,); cases of one aggressor are scattered.
    """
    per = 1 + _weighted(rng, count, settings.pairs_per_aggressor)
    owner = np.repeat(np.arange(count), per)[:count]
    return rng.permutation(owner)


def _exits(opening, settings, signal, rng):
    """When and how each pair leaves; never without signal, so that follow-up says nothing."""
    rates = np.array([settings.migration, settings.death, settings.relation_ended]) * min(signal, 1.0)
    draws = rng.standard_exponential((len(opening), 3))
    if not rates.any():
        return np.full(len(opening), NEVER), np.zeros(len(opening), np.int8)
    with np.errstate(divide="ignore"):
        after = draws / rates * 365.25
    kind = after.argmin(axis=1)
    return in_seconds(opening + after.min(axis=1)), kind.astype(np.int8)


def draw_population(count, start, end, settings, signal, rng):
    """Draw the pairs of one block.

    Parameters
    ----------
    count : int               number of cases
    start, end : Timestamp    of the simulated registry
    signal : float            0: frailty and exits have no bearing

    Returns
    -------
    Population
    """
    names = [name for name, _ in settings.relationships]
    aggressor = _aggressors(count, settings, rng)
    aggressors = int(aggressor.max()) + 1
    # Cases are in the order of their first event; an aggressor's later cases follow his earlier ones.
    opening = in_seconds(opening_days(count, start, end - pd.Timedelta(hours=2), settings, rng))
    relationship = _weighted(rng, count, [share for _, share in settings.relationships])
    couple = np.isin(relationship, [names.index("partner"), names.index("ex-partner")])
    victim = np.arange(count)
    again = np.flatnonzero(rng.random(count) < settings.repeated_victims)
    again = again[again > 0]
    victim[again] = (rng.random(len(again)) * again).astype(int)
    shared = victim[victim]
    victim, first_case = np.unique(shared, return_inverse=True)[1], shared

    age = np.clip(rng.gamma(9.0, 4.1, aggressors), 16.0, 85.0)
    birth = (start.year + 2 - age).astype(int)
    victim_age = np.clip(rng.gamma(8.0, 4.4, count), 15.0, 88.0)
    near = birth[aggressor] + np.rint(rng.normal(2.0, 5.0, count))
    victim_birth = np.where(couple, near, (start.year + 2 - victim_age)).astype(int)
    victim_birth = np.where(relationship == names.index("son"), birth[aggressor] - 25, victim_birth)
    victim_birth = np.clip(victim_birth, 1930, 2010)[first_case]

    aggressor_female = rng.random(aggressors) < 0.06
    victim_female = rng.random(count) < np.where(couple, 0.97, 0.75)
    probabilities, _ = frailty_classes(settings)
    frailty = _weighted(rng, aggressors, probabilities)

    usual = np.array([f.usual for f in FACTORS])
    draws = rng.random((count, len(FACTORS)))
    first = np.unique(aggressor, return_index=True)[1]
    for code in _OF_THE_AGGRESSOR:
        column = CODES.index(code)
        draws[:, column] = draws[first[aggressor], column]
    factors = draws < usual
    partner_only = np.array([f.partner_only for f in FACTORS])
    factors[:, partner_only] &= couple[:, None]
    later_case = np.ones(count, bool)
    later_case[first] = False
    factors[:, CODES.index("prior_other_victim")] |= later_case
    factors[:, CODES.index("drugs")] |= factors[:, CODES.index("methamphetamine")]

    exit, exit_kind = _exits(opening, settings, signal, rng)
    return Population(
        aggressor=aggressor,
        victim=victim,
        aggressors=aggressors,
        victims=int(victim.max()) + 1,
        relationship=relationship,
        aggressor_birth=birth,
        victim_birth=victim_birth,
        aggressor_female=aggressor_female,
        victim_female=victim_female[first_case],
        rural=rng.random(count) < settings.rural,
        municipality=_weighted(rng, count, [share for _, share in settings.municipalities]),
        frailty=frailty[aggressor],
        path=_weighted(rng, count, settings.path_shares),
        severity=rng.normal(0.0, settings.severity_spread, count),
        opening=opening,
        exit=exit,
        exit_kind=exit_kind,
        factors=factors,
    )
