"""From the simulation's days to the registry's times, and from positions to ids that look synthetic."""

import numpy as np
import pandas as pd

__all__ = ["Calendar", "identifiers", "words"]

_DAY_SECONDS = 86_400.0


class Calendar:
    """Turns days since the start into naive times of the registry.

    Parameters
    ----------
    start, end : Timestamp    first moment, and the last one of which the registry knows
    """

    def __init__(self, start, end):
        self.start, self.end = start, end
        self.length = (end - start) / pd.Timedelta(days=1)

    def times(self, days):
        """Array of datetime64[us], whole seconds; NaN days, and days past any calendar, become NaT."""
        days = np.asarray(days, float)
        known = np.isfinite(days) & (np.abs(days) < 1e6)
        seconds = np.rint(np.where(known, days, 0.0) * _DAY_SECONDS).astype("int64")
        times = self.start.as_unit("s").to_datetime64() + seconds.astype("timedelta64[s]")
        return np.where(known, times, np.datetime64("NaT")).astype("datetime64[us]")

    def known(self, days):
        """Whether a time has come by the registry's last moment: array of bool; NaN has not."""
        return np.nan_to_num(np.asarray(days, float), nan=np.inf) <= self.length


def identifiers(letter, numbers, width=8):
    """Ids such as SIM-C00000012: array of str. Every id of a synthetic registry begins with SIM."""
    return np.char.mod(f"SIM-{letter}%0{width}d", np.asarray(numbers, np.int64)).astype(object)


def words(vocabulary, codes):
    """Words by their positions: array of object; None where the position is negative."""
    table = np.array([*vocabulary, None], dtype=object)
    return table[np.where(np.asarray(codes) < 0, len(vocabulary), codes).astype(int)]
