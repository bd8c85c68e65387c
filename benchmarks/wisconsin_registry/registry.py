"""From court records to a history, by the same steps as any registry: written to a database, then taken."""

from pathlib import Path

from riskml.registry.database import connect, write_registry
from riskml.registry.take import take_history
from wisconsin_registry.mapping import map_records

__all__ = ["TIMEZONE", "take"]

TIMEZONE = "America/Chicago"


def take(records, folder, *, key, catalogue, until):
    """Write the registry as it stood at the end of a day to SQLite, and take a history of it.

    Parameters
    ----------
    records : Records
    folder : path of a folder that may be written to
    key : Key           of the pseudonyms
    catalogue : Catalogue    whose factors the registry may hold
    until : timestamp    last day that the registry shows

    Returns
    -------
    History
    """
    folder = Path(folder) / f"{until:%Y%m%d}"
    folder.mkdir(parents=True)
    engine = connect(f"sqlite:///{folder / 'registry.db'}", create=True)
    try:
        write_registry(engine, map_records(records, until=until).items())
        # Rows without a day break the contract; they are kept apart and counted instead of stopping
        # everything.
        return take_history(
            engine,
            folder / "histories",
            key=key,
            factors=catalogue.factors,
            timezone=TIMEZONE,
            set_aside=True,
            language="en",
        )
    finally:
        engine.dispose()
