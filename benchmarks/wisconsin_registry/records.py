"""The three Parquet files as they are: read, checked, their days parsed and their faults counted."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from riskml.errors import RiskmlError

__all__ = ["Records", "read_records"]

FILES = {
    "cases": {"case_id", "person_id", "region", "case_type", "filing_date", "sex", "group", "birth_year_bin"},
    "charges": {
        "case_id",
        "charge_no",
        "description",
        "statute",
        "severity",
        "offense_date",
        "disposition",
        "disposition_date",
        "domestic_abuse",
        "attempt",
        "weapon",
    },
    "docket": {"case_id", "date", "event"},
}
DAYS = {"cases": ("filing_date",), "charges": ("offense_date", "disposition_date"), "docket": ("date",)}


@dataclass(frozen=True)
class Records:
    """The court records of some people.

    Attributes
    ----------
    cases : DataFrame      one row per court case, `filing_date` as a timestamp
    charges : DataFrame    one row per charge, with its court case's `person_id`, `case_type` and
        `filing_date`
    docket : DataFrame     one row per docket event, likewise
    faults : dict of str -> int    how many rows have which fault
    """

    cases: pd.DataFrame
    charges: pd.DataFrame
    docket: pd.DataFrame
    faults: dict


def _read(folder, name):
    path = folder / f"{name}.parquet"
    try:
        frame = pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowInvalid) as error:
        raise RiskmlError(
            f"not readable as Parquet ({type(error).__name__})",
            where=str(path),
            mend="Give a folder of cases.parquet, charges.parquet and docket.parquet.",
        ) from None
    missing = sorted(FILES[name] - set(frame.columns))
    if missing:
        raise RiskmlError(f"missing columns: {', '.join(missing)}", where=str(path), mend="Add them.")
    for day in DAYS[name]:
        # Days stand as dates, as text or as times, whichever wrote the file.
        frame[day] = pd.to_datetime(frame[day].astype("str"), format="ISO8601", errors="coerce").astype(
            "datetime64[us]"
        )
    return frame


def read_records(folder):
    """Read a folder of court records.

    A day that is missing or cannot be read stays missing: the fact is never visible in a history, neither as
    a feature nor as an outcome, and is counted among the faults. A charge filed before its offence date (a
    wrong date) is visible from the later of the two.

    Parameters
    ----------
    folder : path of a folder of cases.parquet, charges.parquet and docket.parquet

    Returns
    -------
    Records

    Raises
    ------
    RiskmlError    a file is missing or not Parquet, or lacks columns
    """
    cases, charges, docket = (_read(Path(folder), name) for name in FILES)
    if not len(cases) or not len(charges):
        raise RiskmlError(
            "no court cases or no charges", where=str(folder), mend="Give a folder that holds some."
        )
    known = cases[["case_id", "person_id", "case_type", "filing_date"]].drop_duplicates("case_id")
    repeated = len(cases) - len(known)
    read = {"charges": len(charges), "docket": len(docket)}
    charges, docket = (
        frame.drop(columns=["person_id", "case_type", "filing_date"], errors="ignore").merge(
            known, on="case_id"
        )
        for frame in (charges, docket)
    )
    lag = (charges["filing_date"] - charges["offense_date"]).dt.days
    docket_lag = (docket["date"] - docket["filing_date"]).dt.days
    faults = {
        "court cases with the same id as another": repeated,
        "court cases without filing date": int(cases["filing_date"].isna().sum()),
        "charges without a court case": read["charges"] - len(charges),
        "charges without offence date": int(charges["offense_date"].isna().sum()),
        "charges filed before their offence date": int((lag < 0).sum()),
        "charges filed more than a year after the offence": int((lag > 365).sum()),
        "charges disposed of without a date": int(
            (charges["disposition"].notna() & charges["disposition_date"].isna()).sum()
        ),
        "charges disposed of before they were filed": int(
            (charges["disposition_date"] < charges["filing_date"]).sum()
        ),
        "docket events without a court case": read["docket"] - len(docket),
        "docket events without date": int(docket["date"].isna().sum()),
        "docket events dated before the filing": int((docket_lag < 0).sum()),
        "docket events dated more than 90 days before the filing": int((docket_lag < -90).sum()),
    }
    cases = cases.drop_duplicates("case_id").reset_index(drop=True)
    return Records(cases, charges, docket, faults)
