"""The rows of `cases`: opened with the first record, corrected, closed, opened again."""

import numpy as np
import pandas as pd

from riskml.simulation.hazard import in_seconds

__all__ = ["case_versions", "opening_times"]


def opening_times(rows, count):
    """When each case was opened: with the first record of one of its incidents.

    Array of float, shape (count,).
    """
    opened = np.full(count, np.inf)
    np.minimum.at(opened, rows.case, rows.known)
    return opened


def _quiet_spells(rows, opened, settings, calendar, rng):
    """Closings after a long silence.

    DataFrame of case, closed, again (when a new record opens it, or NaN).
    """
    order = np.lexsort((rows.known, rows.case))
    case, known = rows.case[order], rows.known[order]
    last = np.append(case[1:] != case[:-1], True)
    following = np.where(last, np.inf, np.append(known[1:], np.inf))
    closed = in_seconds(known + rng.uniform(*settings.quiet_closing, len(case)))
    quiet = (closed < following) & calendar.known(closed)
    again = np.where(following < np.inf, following, np.nan)[quiet]
    return pd.DataFrame({"case": case[quiet], "closed": closed[quiet], "again": again})


def _exit_closings(population, lethal, settings, calendar, complete, rng):
    """When the registry learns that a pair has left: array of float, NaN where it does not."""
    n = len(population)
    known = rng.random(n) < np.asarray(settings.exit_recorded)[population.exit_kind]
    delay = 5.0 + rng.exponential(60.0, n)
    closed = population.exit if complete else np.where(known, in_seconds(population.exit + delay), np.nan)
    killed = lethal["case"][lethal["kind"] == 0].astype(int)
    when = lethal["time"][lethal["kind"] == 0]
    closed = closed.copy()
    closed[killed] = when if complete else in_seconds(when + rng.uniform(2.0, 30.0, len(when)))
    return np.where(calendar.known(closed), closed, np.nan)


def case_versions(population, rows, lethal, settings, calendar, signal, complete, rng):
    """Every version of every case of a block.

    Without signal no case is ever closed, so that follow-up says nothing; with complete recording a case is
    closed the moment its pair leaves, and for no other reason.

    Returns
    -------
    DataFrame of case, opened, recorded, superseded, closed (days), wrong ("", "roles", "municipality")
    """
    n = len(population)
    opened = opening_times(rows, n)
    plain = pd.DataFrame(
        {
            "case": np.arange(n),
            "opened": opened,
            "recorded": opened,
            "superseded": np.nan,
            "closed": np.nan,
            "wrong": "",
        }
    )
    if signal == 0 and not complete:
        return _corrected(plain, settings, calendar, rng)
    left = _exit_closings(population, lethal, settings, calendar, complete, rng)
    if complete:
        return plain.assign(closed=np.where(left > opened, left, np.nan))
    spells = _quiet_spells(rows, opened, settings, calendar, rng)
    return _corrected(_with_spells(plain, spells, left), settings, calendar, rng)


def _with_spells(plain, spells, left):
    """Versions closed after silence and opened again by a new record; the exit closes the last one."""
    again = spells[spells["again"].notna()]
    later = pd.DataFrame(
        {
            "case": again["case"],
            "opened": plain["opened"].to_numpy()[again["case"]],
            "recorded": again["again"],
            "superseded": np.nan,
            "closed": np.nan,
            "wrong": "",
        }
    )
    versions = (
        pd.concat([plain, later]).sort_values(["case", "recorded"], kind="stable").reset_index(drop=True)
    )
    following = versions.groupby("case")["recorded"].shift(-1)
    versions["superseded"] = following
    # The spell that belongs to a version is the first closing at or after its record.
    spells = spells.sort_values("closed", kind="stable")
    matched = (
        pd.merge_asof(
            versions.reset_index().sort_values("recorded", kind="stable"),
            spells[["case", "closed"]].rename(columns={"closed": "spell"}),
            left_on="recorded",
            right_on="spell",
            by="case",
            direction="forward",
        )
        .set_index("index")
        .sort_index()
    )
    exit = left[versions["case"]]
    quiet = np.where(following.isna() | (matched["spell"] < following), matched["spell"], np.nan)
    gone = np.where(following.isna() & (exit > versions["recorded"]), exit, np.nan)
    versions["closed"] = np.fmin(quiet, gone)
    return versions


def _corrected(versions, settings, calendar, rng):
    """Some cases first stand with the roles swapped or in the wrong municipality, until that is noticed."""
    first = (versions["case"] != versions["case"].shift()).to_numpy()
    n = len(versions)
    draw = rng.random(n)
    wrong = np.where(
        draw < settings.roles_swapped,
        "roles",
        np.where(draw < settings.roles_swapped + settings.municipality_corrected, "municipality", ""),
    )
    noticed = in_seconds(versions["recorded"] + 0.5 + rng.exponential(settings.correction_delay, n))
    until = np.fmin(versions["superseded"], versions["closed"]).fillna(np.inf)
    chosen = first & (wrong != "") & calendar.known(noticed) & (noticed < until)
    before = versions[chosen].assign(superseded=noticed[chosen], closed=np.nan, wrong=wrong[chosen])
    after = versions.assign(recorded=np.where(chosen, noticed, versions["recorded"]))
    return pd.concat([before, after]).sort_values(["case", "recorded"], kind="stable").reset_index(drop=True)
