"""One block of the registry's tables from one block of the simulated world."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.simulation.cases import case_versions, opening_times
from riskml.simulation.clock import identifiers, words
from riskml.simulation.facts import (
    factor_rows,
    level_rows,
    measure_rows,
    outcome_rows,
    proceeding_rows,
    response_rows,
)
from riskml.simulation.incidents import INSTITUTIONS, incident_rows
from riskml.simulation.narratives import incident_narratives
from riskml.simulation.people import person_rows, swapped_person_rows
from riskml.simulation.population import CODES
from riskml.vocabulary import LOCALITIES, SOURCES

__all__ = ["Identifiers", "block_tables"]

_STRIDE = 10_000_000  # numbers that a block may use for its own incidents and measures


@dataclass(frozen=True)
class Identifiers:
    """The ids of one block: arrays of str by position."""

    cases: np.ndarray
    aggressors: np.ndarray
    victims: np.ndarray
    incidents: np.ndarray


def _numbered(letter, block):
    """Ids of this block's rows of one kind: callable of how many -> array of str."""
    return lambda count: identifiers(letter, block * _STRIDE + np.arange(count), 12)


def _identifiers(population, block, block_size, incidents):
    offset = block * block_size
    return Identifiers(
        cases=identifiers("C", offset + np.arange(len(population))),
        aggressors=identifiers("A", offset + np.arange(population.aggressors)),
        victims=identifiers("V", offset + np.arange(population.victims)),
        incidents=_numbered("I", block)(incidents),
    )


def _incident_table(rows, names, population, quoted, ids, settings, calendar, complete, rng):
    relationship = words([name for name, _ in settings.relationships], population.relationship[rows.case])
    count = len(ids.incidents)
    first = np.zeros(count, int)
    first[rows.incident[::-1]] = np.arange(len(rows))[::-1]
    person = [names[a] for a in population.aggressor[rows.case[first]]]
    texts = incident_narratives(
        rows.source[first], rows.severity[first], relationship[first], person, quoted, count, rng
    )
    texts = np.array(texts, dtype=object)
    if not complete and count:
        pasted = rng.random(count) < settings.pasted_narrative
        texts[pasted] = texts[rng.integers(0, count, pasted.sum())]
    return pd.DataFrame(
        {
            "incident_id": ids.incidents[rows.incident],
            "case_id": ids.cases[rows.case],
            "source": words(SOURCES, rows.source),
            "institution": words(INSTITUTIONS, rows.source),
            "severity": rows.severity.astype("int64"),
            "narrative": texts[rows.incident],
            "occurred_at": calendar.times(rows.occurred),
            "recorded_at": calendar.times(rows.recorded),
            "superseded_at": calendar.times(rows.superseded),
        }
    )


def _case_table(versions, population, ids, offset, settings, calendar, rng):
    """The cases, and the positions of those whose roles stood swapped."""
    case = versions["case"].to_numpy()
    roles = (versions["wrong"] == "roles").to_numpy()
    place = population.municipality[case]
    elsewhere = (place + rng.integers(1, len(settings.municipalities), len(case))) % len(
        settings.municipalities
    )
    place = np.where(versions["wrong"] == "municipality", elsewhere, place)
    number = offset + case[roles]
    aggressor, victim = ids.aggressors[population.aggressor[case]], ids.victims[population.victim[case]]
    # The other role's table holds them meanwhile: the victim as an aggressor, the aggressor as a victim.
    aggressor[roles], victim[roles] = identifiers("AX", number), identifiers("VX", number)
    frame = pd.DataFrame(
        {
            "case_id": ids.cases[case],
            "aggressor_id": aggressor,
            "victim_id": victim,
            "relationship": words(
                [name for name, _ in settings.relationships], population.relationship[case]
            ),
            "municipality": words([name for name, _ in settings.municipalities], place),
            "locality": words(LOCALITIES, population.rural[case].astype(int)),
            "closed_at": calendar.times(versions["closed"]),
            "occurred_at": calendar.times(versions["opened"]),
            "recorded_at": calendar.times(versions["recorded"]),
            "superseded_at": calendar.times(versions["superseded"]),
        }
    )
    return frame, number, versions["opened"].to_numpy()[roles]


def block_tables(population, log, block, block_size, settings, calendar, signal, complete, streams):
    """The ten tables of one block.

    Parameters
    ----------
    population : Population;  log : Log
    block, block_size : int    the block's number and how many cases each block but the last has: what ids
        follow from

    Returns
    -------
    (dict of table name -> DataFrame in the contract's columns and the personal ones, case ids by position)
    """
    recording = streams["recording"]
    rows = incident_rows(log.topic("events"), settings, calendar, complete, recording)
    ids = _identifiers(population, block, block_size, int(rows.incident.max()) + 1)
    opened = opening_times(rows, len(population))
    lethal = log.topic("outcomes", "case", "time", "kind")
    versions = case_versions(population, rows, lethal, settings, calendar, signal, complete, recording)
    factors, quoted = factor_rows(population, log, rows, ids, settings, calendar, complete, recording)

    since = np.full(population.aggressors, np.inf)
    np.minimum.at(since, population.aggressor, opened)
    idle = np.zeros(population.aggressors, bool)
    idle[population.aggressor] = population.factors[:, CODES.index("unemployed")]
    aggressors, names = person_rows(
        "aggressor", ids.aggressors, since, population.aggressor_birth, population.aggressor_female,
        settings, calendar, complete, streams["people"], unemployed=idle,
    )  # fmt: skip
    met = np.full(population.victims, np.inf)
    np.minimum.at(met, population.victim, opened)
    first = np.unique(population.victim, return_index=True)[1]
    victims, _ = person_rows(
        "victim", ids.victims, met, population.victim_birth[first], population.victim_female[first],
        settings, calendar, complete, streams["people"],
    )  # fmt: skip
    cases, swapped, swapped_at = _case_table(
        versions, population, ids, block * block_size, settings, calendar, recording
    )
    if len(swapped):
        aggressors = pd.concat([aggressors, swapped_person_rows("aggressor", swapped, swapped_at, calendar)])
        victims = pd.concat([victims, swapped_person_rows("victim", swapped, swapped_at, calendar)])
    incidents = _incident_table(
        rows, names, population, quoted, ids, settings, calendar, complete, streams["narratives"]
    )
    tables = {
        "aggressors": aggressors.reset_index(drop=True),
        "victims": victims.reset_index(drop=True),
        "cases": cases,
        "incidents": incidents,
        "factors": factors,
        "measures": measure_rows(log, ids, _numbered("M", block), calendar, complete, recording),
        "proceedings": proceeding_rows(log, ids, calendar, complete, recording),
        "responses": response_rows(log, ids, calendar, complete, recording),
        "levels": level_rows(log, ids, calendar),
        "outcomes": outcome_rows(log, ids, _numbered("R", block), calendar, complete, recording),
    }
    return tables, ids.cases
