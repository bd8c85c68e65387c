"""When institutions were in contact with a case and when they knew: days before the event."""

import numpy as np
import pandas as pd

from riskml.fatality.findings.prevalence import share, spread
from riskml.fatality.form import COMMUNITY, INSTITUTIONS, KNOWN_BY, PRESENT

__all__ = ["BANDS", "dated_contacts", "institutions_that_knew", "last_contact", "timeline"]

# The last day of each band, in days before the event.
_LAST_DAYS = (1, 7, 30, 90, 365)
BANDS = ("0-1", "2-7", "8-30", "31-90", "91-365", "over_365")
_DAY = pd.Timedelta(days=1)


def _with_days(rows, cases, day):
    """Rows of a sheet with `days`: how many before the event; negative after it, NaN where not dated."""
    event = rows["review_id"].map(cases.set_index("review_id")["event_on"])
    return rows.assign(days=(event - rows[day]) / _DAY)


def dated_contacts(reviews):
    """The contacts before the day of the event, with their days before it and band: DataFrame.

    What is dated on the day itself may be the event's own call: it is no earlier contact.
    """
    rows = _with_days(reviews.contacts, reviews.cases, "contact_on")
    rows = rows[rows["days"] > 0].reset_index(drop=True)
    return rows.assign(band=np.array(BANDS)[np.searchsorted(_LAST_DAYS, rows["days"])])


def last_contact(reviews):
    """How long before the event the last contact with an institution was: dict.

    Returns
    -------
    dict
        with_contact      `share` of cases with a contact before the day of the event
        on_the_day, after contacts of the log that are dated so, which count for nothing here
        days              `spread` of days from the last contact to the event
        bands             band, n: every case once; "none" where there was no contact
        by_institution    institution, `share` of cases with a contact whose last was with it (two on one day
            count for both), median_days
    """
    total = len(reviews)
    every = _with_days(reviews.contacts, reviews.cases, "contact_on")["days"]
    rows = dated_contacts(reviews)
    last = rows[rows["days"] == rows.groupby("review_id")["days"].transform("min")]
    last = last.drop_duplicates(["review_id", "institution"])
    cases = last.drop_duplicates("review_id")
    bands = cases["band"].value_counts()
    by_institution = [
        {"institution": code}
        | share(len(own), len(cases))
        | {"median_days": float(own["days"].median()) if len(own) else None}
        for code in INSTITUTIONS
        for own in [last[last["institution"] == code]]
    ]
    return {
        "with_contact": share(len(cases), total),
        "on_the_day": int((every == 0).sum()),
        "after": int((every < 0).sum()),
        "days": spread(cases["days"]),
        "bands": [{"band": band, "n": int(bands.get(band, 0))} for band in BANDS]
        + [{"band": "none", "n": total - len(cases)}],
        "by_institution": [row for row in by_institution if row["n"]],
    }


def timeline(reviews):
    """Cases with a contact of an institution in a band of days before the event: list of dict.

    Returns
    -------
    list of dict    institution, band, n; every band of each institution that was ever in contact
    """
    rows = dated_contacts(reviews).drop_duplicates(["review_id", "institution", "band"])
    counts = rows.groupby(["institution", "band"]).size()
    seen = set(rows["institution"])
    return [
        {"institution": code, "band": band, "n": int(counts.get((code, band), 0))}
        for code in INSTITUTIONS
        if code in seen
        for band in BANDS
    ]


def _known_factors(reviews):
    """Factors that somebody knew of a case: DataFrame of review_id, by, factor, days (NaN: undated), before.

    From the contact log (known factors at a contact) and from the factor sheet (present, known by).
    """
    contacts = _with_days(reviews.contacts, reviews.cases, "contact_on")
    contacts = contacts[contacts["known_factors"].notna() & (contacts["days"] != 0)]
    told = contacts.assign(factor=contacts["known_factors"].str.split(";")).explode("factor")
    told = told.assign(factor=told["factor"].str.strip(), by=told["institution"], before=told["days"] > 0)
    coded = _with_days(reviews.factors, reviews.cases, "known_on")
    coded = coded.assign(before=coded.index.isin(reviews.known_before().index), by=coded["known_by"])
    # What nobody said the time of is neither before nor after.
    dated = coded["before"] | (coded["known"] == "after") | coded["known_on"].notna()
    coded = coded[(coded["state"] == PRESENT) & coded["by"].notna() & dated]
    columns = ["review_id", "by", "factor", "days", "before"]
    told = told[told["factor"].fillna("") != ""]
    return pd.concat([told[columns], coded[columns]], ignore_index=True)


def institutions_that_knew(reviews):
    """Who knew of a factor before the event, of how many, and how long before: list of dict.

    An institution knew where a contact before the day of the event lists a factor, or where the factor sheet
    says that it knew of one before. Family, neighbours and others of the community stand below institutions.

    Returns
    -------
    list of dict
        institution, community (bool), knew (n), of, share, low, high
        factors_median    factors known before, per case in which it knew
        days_median       days from first knowing to the event, of the cases where that is dated
        after_only        cases in which it learnt of factors only after the event
    """
    facts, total = _known_factors(reviews), len(reviews)
    rows = []
    for code in KNOWN_BY:
        own = facts[facts["by"] == code]
        before = own[own["before"]]
        per_case = before.groupby("review_id")
        factors, days = per_case["factor"].nunique(), per_case["days"].max().dropna()
        figures = share(len(factors), total)
        rows.append(
            {
                "institution": code,
                "community": code in COMMUNITY,
                "knew": figures.pop("n"),
                **figures,
                "factors_median": float(factors.median()) if len(factors) else None,
                "days_median": float(days.median()) if len(days) else None,
                "after_only": len(set(own["review_id"]) - set(before["review_id"])),
            }
        )
    return rows
