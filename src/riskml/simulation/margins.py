"""What a simulated registry shows at its margins, beside the anchors that it was tuned to."""

import numpy as np
import pandas as pd

from riskml.simulation.inflow import expected_monthly_calls
from riskml.simulation.population import CODES

__all__ = ["HARM", "margins"]

# Days of harm by severity 0-6, to see how far harm is concentrated [A]; true weights are a lawyer's work.
HARM = (1, 2, 10, 30, 365, 1825, 5475)
_SEVERE = 4
_YEAR = 365.25
_DEFAULT_CASES = 3500

# Margin -> lowest, highest, tag, what the anchor says.
_ANCHORS = {
    "recurrence_30d": (0.049, 0.084, "S:49,D", "4.9% (VioGén) to 8.4% (same shape at 25% a year)"),
    "recurrence_90d": (0.081, 0.137, "S:49,D", "8.1% to 13.7%, likewise"),
    "recurrence_12_months": (0.22, 0.28, "S:21,S:18", "22-28% any contact"),
    "repeats_by_month_3_of_320_days": (0.565, 0.565, "S:49", "56.5% of the repeats within 320 days"),
    "no_repeat": (0.75, 0.77, "S:18,S:65", "75-77% of pairs or perpetrators"),
    "severe_per_pair_year": (0.03, 0.05, "A", "3-5%"),
    "severe_on_first_or_second_contact": (0.40, 0.55, "S:17,S:18", "40-55%"),
    "harm_of_top_2_percent": (0.80, 0.80, "S:18", "under 2% of pairs give 80% (other weights)"),
    "femicides_per_10000_pair_years": (2.0, 10.0, "D", "2-10"),
    "attempts_per_femicide": (3.0, 3.0, "A", "about 3"),
    "strangulation_not_severe": (0.08, 0.10, "S:1", "10% of abused controls"),
    "strangulation_severe": (0.40, 0.45, "S:1", "43-45% of attempted and completed femicides"),
    "serial_aggressors": (0.06, 0.10, "A", "6-10%"),
    "custody_per_pair_year": (0.04, 0.04, "A", "4% a year"),
    "low_severity_reported": (0.12, 0.30, "S:82,A", "13.1% complain; 0.12-0.30"),
    "lag_median_days": (1.0, 1.0, "A", "1 day"),
    "lag_95_percent_days": (45.0, 45.0, "A", "45 days"),
    "second_rows_per_event": (0.25, 0.35, "A", "25-35%"),
    "calls_911_per_month": (
        None,
        None,
        "D",
        "Zacatecas 2019-20 x pilot share x linked share, for 3,500 cases",
    ),
}


def _reported(truth):
    """Reported events with their rank within the case and the days since its first: DataFrame."""
    events = truth.events[truth.events["reported"]].sort_values(["case_id", "occurred_at"], kind="stable")
    first = events.groupby("case_id")["occurred_at"].transform("min")
    return events.assign(
        days=(events["occurred_at"] - first) / pd.Timedelta(days=1),
        followed=(truth.end - first) / pd.Timedelta(days=1),
        rank=events.groupby("case_id").cumcount(),
    )


def _recurrence(events):
    """Share with a second reported event within so many days, among cases followed that long: callable."""
    firsts = events[events["rank"] == 0].set_index("case_id")["followed"]
    second = events[events["rank"] == 1].set_index("case_id")["days"].reindex(firsts.index)

    def within(days, followed=None):
        enough = firsts >= (followed or days)
        return float((second[enough] <= days).mean())

    return within


def _concentration(events, share=0.02):
    harm = events.assign(harm=np.asarray(HARM)[events["severity"]]).groupby("case_id")["harm"].sum()
    harm = harm.sort_values(ascending=False)
    return float(harm.iloc[: max(1, int(len(harm) * share))].sum() / harm.sum())


def _strangulation(simulation, events):
    """Share of cases, without and with a severe event, in which strangulation is true at some time.

    Read from the registry under complete recording; NaN otherwise, where it is recorded in part.
    """
    if not simulation.plan.complete:
        return np.nan, np.nan
    factors = simulation.tables["factors"]
    present = factors[(factors["factor"] == CODES[0]) & (factors["state"] == "present")]["case_id"].unique()
    worst = events.groupby("case_id")["severity"].max()
    has = pd.Series(worst.index.isin(present), index=worst.index)
    return float(has[worst < _SEVERE].mean()), float(has[worst >= _SEVERE].mean())


def _recording(simulation):
    """Median and 95th percentile of the lag in days; second rows per event; denied per factor row."""
    incidents = simulation.tables["incidents"]
    standing = incidents[incidents["superseded_at"].isna()]
    lag = (incidents["recorded_at"] - incidents["occurred_at"]) / pd.Timedelta(days=1)
    lag = lag[lag >= 0]
    events = simulation.truth.events["reported"].sum()
    return float(lag.median()), float(lag.quantile(0.95)), float(len(standing) / events - 1.0)


def margins(simulation):
    """Margins of a simulated registry beside their anchors.

    Parameters
    ----------
    simulation : Simulation

    Returns
    -------
    DataFrame, index name of the margin, of value, low, high (the anchor, or a range around it), tag, anchor
    (words)
    """
    truth, tables, settings = simulation.truth, simulation.tables, simulation.plan.settings
    events = _reported(truth)
    within = _recurrence(events)
    firsts = events[events["rank"] == 0]
    years = firsts["followed"].sum() / _YEAR
    severe = events[events["severity"] >= _SEVERE]
    outcomes = tables["outcomes"]["kind"].value_counts()
    femicides, attempts = outcomes.get("femicide", 0), outcomes.get("attempted_femicide", 0)
    victims = tables["cases"].groupby("aggressor_id")["victim_id"].nunique()
    median, late, twice = _recording(simulation)
    usual, grave = _strangulation(simulation, events)
    months = (truth.end - truth.start) / pd.Timedelta(days=_YEAR / 12)
    calls = (tables["incidents"]["source"] == "911").sum() / months
    scale = _DEFAULT_CASES / simulation.plan.cases
    custody = (tables["measures"]["kind"] == "custody").sum() / years
    # A case's first event is always reported: it is what opened the case.
    later = truth.events[truth.events.groupby("case_id").cumcount() > 0]
    values = {
        "recurrence_30d": within(30),
        "recurrence_90d": within(90),
        "recurrence_12_months": within(365),
        "repeats_by_month_3_of_320_days": within(90, 320) / within(320),
        "no_repeat": (events.groupby("case_id").size() == 1).mean(),
        "severe_per_pair_year": len(severe) / years,
        "severe_on_first_or_second_contact": (severe["rank"] < 2).mean(),
        "harm_of_top_2_percent": _concentration(events),
        "femicides_per_10000_pair_years": 1e4 * femicides / years,
        "attempts_per_femicide": attempts / femicides if femicides else np.nan,
        "strangulation_not_severe": usual,
        "strangulation_severe": grave,
        "serial_aggressors": (victims > 1).mean(),
        "custody_per_pair_year": custody,
        "low_severity_reported": later[later["severity"] <= 2]["reported"].mean(),
        "lag_median_days": median,
        "lag_95_percent_days": late,
        "second_rows_per_event": twice,
        "calls_911_per_month": calls * scale,
    }
    frame = pd.DataFrame.from_dict(_ANCHORS, orient="index", columns=["low", "high", "tag", "anchor"])
    frame.loc["calls_911_per_month", ["low", "high"]] = expected_monthly_calls(settings)
    frame.insert(0, "value", pd.Series(values, dtype=float))
    return frame.rename_axis("margin")
