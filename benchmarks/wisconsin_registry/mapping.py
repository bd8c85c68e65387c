"""Court records mapped to the registry contract."""

import numpy as np
import pandas as pd

from riskml.registry.contract import TABLES
from wisconsin_registry.statutes import docket_rules, read_charges, read_dispositions

__all__ = ["BIRTH_BIN_YEARS", "map_records"]

BIRTH_BIN_YEARS = 5
DOMESTIC, OTHER = "domestic", "other"
# Source of an incident: a violent felony is told from the rest by it.
FELONY_FILE, MISDEMEANOUR_FILE = "investigation_file", "police_report"
EVENT = ["registry_case", "case_id", "offense_date"]


def _clocked(frame, occurred, recorded):
    """The two clocks of the contract: what happened when, and when the court's file shows it first."""
    return frame.assign(occurred_at=frame[occurred], recorded_at=frame[recorded], superseded_at=pd.NaT)


def _first(values):
    """The first that is known, None where none is."""
    known = values.dropna()
    return known.iloc[0] if len(known) else None


def _charges_of_events(records):
    """Charges with what they say, and the registry case and event that each belongs to.

    A court file and an offence date make one event. It is a domestic one when any of its charges is tagged
    domestic abuse: what else is charged of that moment was done in it.
    """
    charges = records.charges.join(read_charges(records.charges))
    tagged = charges.groupby(["case_id", "offense_date"], dropna=False)["domestic_abuse"].transform("any")
    charges["kind"] = np.where(tagged, DOMESTIC, OTHER)
    # A charge without offence date belongs to no event, but the file's tag says what the file is about.
    charges["registry_case"] = charges["person_id"] + "-" + charges["kind"]
    return charges


def _people(records):
    """One aggressor each, known from his first filing."""
    cases = records.cases.sort_values(["filing_date", "case_id"], na_position="last")
    groups = cases.groupby("person_id", sort=True)
    people = pd.DataFrame(
        {
            "first": groups["filing_date"].min(),
            "birth_year": groups["birth_year_bin"].first() + BIRTH_BIN_YEARS // 2,
            "sex": groups["sex"].agg(_first),
            "region": groups["region"].first(),
        }
    ).reset_index(names="aggressor_id")
    people["sex"] = people["sex"].map({"Male": "male", "Female": "female"})
    return people


def _registry_cases(charges, people):
    """One case per person for domestic abuse, opened at its first filing, and one, never open, for other
    violence.

    The records name no victims: all domestic charges of a person are taken as one pair with one unknown
    victim. Other violence is a second pair with another unknown victim, closed when it is opened, so that it
    is read with the person (`over: aggressor`) and never assessed.
    """
    cases = charges[(charges["kind"] == DOMESTIC) | charges["violent"]]
    cases = (
        cases.groupby(["registry_case", "person_id", "kind"], as_index=False)["filing_date"].min()
    ).merge(people, left_on="person_id", right_on="aggressor_id")
    cases = cases.assign(
        case_id=cases["registry_case"],
        victim_id=cases["registry_case"] + "-victim",
        relationship=cases["kind"].map({DOMESTIC: None, OTHER: "other"}),
        municipality="region " + cases["region"].astype(str),
        locality=None,
        closed_at=cases["filing_date"].where(cases["kind"] == OTHER),
    )
    return _clocked(cases, "filing_date", "filing_date")


def _incidents(charges):
    """One incident per court file and offence date, as grave as its gravest violent or domestic charge."""
    counted = charges[charges["domestic_abuse"] | charges["violent"]]
    events = counted.groupby(EVENT, dropna=False, as_index=False).agg(
        severity=("level", "max"),
        felony=("violent_felony", "any"),
        filing_date=("filing_date", "first"),
    )
    return _clocked(
        events.assign(
            incident_id=_event_id(events),
            case_id=events["registry_case"],
            source=np.where(events["felony"], FELONY_FILE, MISDEMEANOUR_FILE),
            institution="court",
            narrative=None,
        ),
        "offense_date",
        "filing_date",
    )


def _event_id(events):
    return events["case_id"] + "-" + events["offense_date"].dt.strftime("%Y%m%d").fillna("undated")


def _factors(charges, docket, incidents):
    """Factors named by charges, by other filings and by the docket; all speak in the domestic case."""
    charges = charges.assign(
        domestic_case=charges["person_id"] + "-" + DOMESTIC, incident_id=_event_id(charges)
    )
    named = charges.explode("factors").dropna(subset="factors").rename(columns={"factors": "factor"})
    other = charges[charges["kind"] == OTHER]
    against_others = other[other["violent"]].assign(factor="prior_violence_others")
    domestic_files = set(charges.loc[charges["kind"] == DOMESTIC, "case_id"])
    record = (
        other[~other["case_id"].isin(domestic_files)]
        .drop_duplicates("case_id")
        .assign(factor="criminal_record")
    )
    factors = pd.concat([named, against_others, record])
    factors = factors.drop_duplicates(["domestic_case", "case_id", "offense_date", "factor"])
    factors["source"] = np.where(factors["case_type"] == "CF", FELONY_FILE, MISDEMEANOUR_FILE)
    factors["incident_id"] = factors["incident_id"].where(
        factors["incident_id"].isin(incidents["incident_id"])
    )
    factors = _clocked(factors, "offense_date", "filing_date")

    broken = docket[docket["factors"].notna()].explode("factors").rename(columns={"factors": "factor"})
    broken = broken.drop_duplicates(["person_id", "case_id", "date", "factor"])
    broken = broken.assign(
        domestic_case=broken["person_id"] + "-" + DOMESTIC, source="precautionary_measure", incident_id=None
    )
    factors = pd.concat([factors, _clocked(broken, "date", "known_on")], ignore_index=True)
    return factors.assign(case_id=factors["domestic_case"], state="present", evidence=None)


def _docket(records, domestic_files):
    """Docket events of meaning, with the day on which each could first be known.

    Some are dated before the filing (bonds signed at arrest): the court has no file to show them in before it
    is filed, so they are recorded then.
    """
    rules = pd.DataFrame.from_dict(docket_rules(), orient="index").reindex(
        columns=["measure", "ends", "stage", "factors"]
    )
    docket = records.docket.merge(rules, left_on="event", right_index=True)
    known = docket[["date", "filing_date"]].max(axis=1, skipna=False)
    return docket.assign(
        known_on=known,
        domestic=docket["case_id"].isin(domestic_files),
        registry_case=docket["person_id"] + "-" + DOMESTIC,
    ).sort_values(["case_id", "date"], kind="stable")


def _file_ends(charges):
    """When each court file's last charge was disposed of; missing while one is not."""
    done = charges.groupby("case_id")["disposition_date"].agg(["max", "count", "size"])
    return done["max"].where(done["count"] == done["size"])


def _first_after(ends, starts):
    """For each start the same file's first end on or after it: Series of timestamps, index of `starts`."""
    starts = starts.dropna(subset="date").sort_values("date", kind="stable")
    ends = ends.dropna(subset="date").sort_values("date", kind="stable")
    if not len(starts) or not len(ends):
        return pd.Series(pd.NaT, index=starts.index, dtype="datetime64[us]")
    found = pd.merge_asof(
        starts[["case_id", "date"]].reset_index(names="row"),
        ends[["case_id", "date"]].assign(ended=ends["date"]),
        on="date",
        by="case_id",
        direction="forward",
    )
    return found.set_index("row")["ended"]


def _measures(docket, ends):
    """No-contact provisions (protection), bonds (precautionary) and custody in domestic files.

    In force until cancelled or until the file's last charge is disposed of. Custody is derived: from a cash
    bond that is set until it is posted, where that is not on the same day.
    """
    docket = docket[docket["domestic"]]
    begun = docket[docket["measure"].notna()]
    measures = begun.drop_duplicates(["case_id", "measure"]).rename(columns={"measure": "kind"})
    for kind in ("protection", "precautionary"):
        mine = measures["kind"] == kind
        measures.loc[mine, "cancelled"] = _first_after(docket[docket["ends"] == kind], measures[mine])
    cash = begun[begun["event"] == "Cash bond set"].drop_duplicates("case_id")
    cash = cash.assign(kind="custody", cancelled=_first_after(docket[docket["stage"] == "released"], cash))
    cash["cancelled"] = cash["cancelled"].astype("datetime64[us]")
    disposed = cash["case_id"].map(ends)
    held = cash[(cash["cancelled"].isna() | (cash["cancelled"] > cash["date"])) & ~(disposed <= cash["date"])]
    measures = pd.concat([measures, held], ignore_index=True)
    measures["cancelled"] = measures["cancelled"].astype("datetime64[us]")
    ended = pd.DataFrame({"cancelled": measures["cancelled"], "disposed": measures["case_id"].map(ends)}).min(
        axis=1
    )
    measures = measures.assign(
        measure_id=measures["case_id"] + "-" + measures["kind"],
        case_id=measures["registry_case"],
        expires_at=pd.NaT,
        ended_at=ended.where(ended >= measures["date"], measures["date"].where(ended.notna())),
    )
    return _clocked(measures, "date", "known_on")


def _proceedings(charges, docket):
    """Stages reached by domestic files: opened at the filing, then as the docket and the dispositions say."""
    files = charges[charges["kind"] == DOMESTIC].drop_duplicates("case_id")
    opened = files.assign(stage="file_opened", date=files["filing_date"], known_on=files["filing_date"])
    disposed = charges[charges["case_id"].isin(set(files["case_id"]))].assign(
        stage=lambda c: read_dispositions(c["disposition"]), date=lambda c: c["disposition_date"]
    )
    disposed = disposed.dropna(subset=["stage"]).assign(known_on=disposed["date"])
    noted = docket[docket["domestic"] & docket["stage"].notna()]
    stages = pd.concat([opened, noted, disposed], ignore_index=True)
    stages = stages.drop_duplicates(["case_id", "stage", "date"])
    return _clocked(stages.assign(case_id=stages["person_id"] + "-" + DOMESTIC), "date", "known_on")


def _as_of(tables, until):
    """What the registry showed at the end of a day.

    Later rows are gone, later endings are not known yet, and nothing is known of people without a case then.
    """
    seen = {}
    for name, rows in tables.items():
        known = rows[["occurred_at", "recorded_at"]].max(axis=1, skipna=False)
        rows = rows[~(known > until)]
        for later in ("ended_at", "closed_at"):
            if later in rows:
                rows = rows.assign(**{later: rows[later].where(rows[later] <= until)})
        seen[name] = rows
    cases = seen["cases"]
    seen["cases"] = cases[
        cases["aggressor_id"].isin(set(cases.loc[cases["kind"] == DOMESTIC, "aggressor_id"]))
    ]
    for name, rows in seen.items():
        entity = TABLES[name].entity
        seen[name] = rows[rows[entity].isin(set(seen["cases"][entity]))]
    return seen


def map_records(records, *, until=None):
    """The registry's tables.

    Clocks: an offence happened on its offence date and is recorded at its filing; docket events and
    dispositions are recorded on their day, or at the filing where they are dated before it. Days carry no
    hour: all times are midnights. Rows without a day keep a missing time, with which nothing is visible.
    Region stands in `municipality` and enters no model; the records' `group` is not mapped at all.

    Parameters
    ----------
    records : Records
    until : timestamp or None    last day that the registry shows: rows recorded or occurring later are left
        out, and endings that came later are not known; None: all

    Returns
    -------
    dict of table name -> DataFrame, in the contract's columns
    """
    charges = _charges_of_events(records)
    charges["violent_felony"] = charges["violent"] & charges["felony"]
    charges = charges[charges["person_id"].isin(set(charges.loc[charges["kind"] == DOMESTIC, "person_id"]))]
    people = _people(records)
    people = people[people["aggressor_id"].isin(set(charges["person_id"]))]
    docket = _docket(records, set(charges.loc[charges["kind"] == DOMESTIC, "case_id"]))
    docket = docket[docket["person_id"].isin(set(people["aggressor_id"]))]
    cases, incidents = _registry_cases(charges, people), _incidents(charges)
    aggressors = _clocked(people.assign(occupation=None), "first", "first")
    victims = cases[["victim_id", "occurred_at", "recorded_at", "superseded_at"]].assign(
        birth_year=None, sex=None
    )
    tables = {
        "aggressors": aggressors,
        "victims": victims,
        "cases": cases,
        "incidents": incidents,
        "factors": _factors(charges, docket, incidents),
        "measures": _measures(docket, _file_ends(charges)),
        "proceedings": _proceedings(charges, docket),
    }
    if until is not None:
        tables = _as_of(tables, pd.Timestamp(until))
    return _in_contract(tables)


def _in_contract(tables):
    """Every table of the contract in its columns; those that these records do not fill are empty.

    Rows of factors and proceedings carry no id: what two files say alike of the same day is said once.
    """
    filled = {}
    for name, table in TABLES.items():
        columns = list(table.names)
        if name in tables:
            filled[name] = tables[name].reindex(columns=columns).drop_duplicates().reset_index(drop=True)
        else:
            filled[name] = pd.DataFrame({column: pd.Series(dtype=object) for column in columns})
    return filled
