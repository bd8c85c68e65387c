"""When the records are complete, and what an outcome loses at the edges of that time."""

import pandas as pd

__all__ = [
    "COVERAGE_END",
    "FELONIES_FROM",
    "LATER_END",
    "LATER_INDEX",
    "MISDEMEANOURS_FROM",
    "at_the_edges",
    "by_quarter",
]

# The records hold felonies filed in 2014, 2015 and 2022 and misdemeanours filed in 2015 and 2022, some of
# 2016, and none of 2017-21. All dates of one person are moved together by up to 10 days, so that covered time
# begins 10 days later and ends 10 days earlier for whoever was moved the other way.
FELONIES_FROM = pd.Timestamp("2014-01-11")
MISDEMEANOURS_FROM = pd.Timestamp("2015-01-11")
COVERAGE_END = pd.Timestamp("2015-12-21")
# A second time, seven years later: filings of 2022 end on about 4 November.
LATER_INDEX = pd.Timestamp("2022-04-25")
LATER_END = pd.Timestamp("2022-10-25")


def by_quarter(records):
    """Court files by quarter of filing and kind: list of dict, quarters without any left out."""
    domestic = records.charges.groupby("case_id")["domestic_abuse"].any()
    files = records.cases.dropna(subset="filing_date")
    table = pd.DataFrame(
        {
            "quarter": files["filing_date"].dt.to_period("Q").astype(str),
            "kind": files["case_type"].map({"CF": "felony", "CM": "misdemeanour"}).fillna("other")
            + files["case_id"].map(domestic).fillna(False).map({True: "_domestic", False: "_other"}),
        }
    )
    counts = table.value_counts().unstack(fill_value=0).sort_index()
    return [{"quarter": quarter, **{k: int(v) for k, v in row.items()}} for quarter, row in counts.iterrows()]


def at_the_edges(charges, index, horizon_end):
    """What the outcome does not count although it was filed, in people of the cohort.

    Parameters
    ----------
    charges : DataFrame    charges of the outcome's kind, of people in the cohort
    index, horizon_end : timestamps

    Returns
    -------
    dict of str -> int
        filed_later_for_an_earlier_offence: people with such a charge filed within the horizon for an offence
            up to the index date: no new violence, and by itself no event
        offence_within_filed_after_coverage: people with an offence within the horizon that was filed after
            the coverage's end, as far as the records show: at least so many events are lost to late filing
        uncovered_misdemeanour_days: days of the follow-up without misdemeanours, at most
    """
    old = charges[
        (charges["offense_date"] <= index)
        & (charges["filing_date"] > index)
        & (charges["filing_date"] <= horizon_end)
    ]
    within = (charges["offense_date"] > index) & (charges["offense_date"] <= horizon_end)
    late = charges[within & (charges["filing_date"] > COVERAGE_END)]
    return {
        "filed_later_for_an_earlier_offence": int(old["person_id"].nunique()),
        "offence_within_filed_after_coverage": int(late["person_id"].nunique()),
        "uncovered_misdemeanour_days": max(0, (MISDEMEANOURS_FROM - index).days),
    }
