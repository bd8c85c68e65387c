"""Tables for benchmarks/learners.py: real court and fatality records, and look-alikes of public tables.

A look-alike is drawn from a generator that is stated here; what public tables of recidivism have in common is
in it: columns of every kind, ages with a bent effect, counts with long tails, categories of many levels,
values missing for a reason, an outcome that no model foresees well.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

__all__ = ["SIMULATED", "Table", "fatalities_table", "records_tables", "simulated"]


@dataclass(frozen=True)
class Table:
    """Rows of people with an outcome.

    Attributes
    ----------
    name, about : str
    frame : DataFrame, shape (n, columns)    numbers and categoricals, with missing values
    outcome : array of {0, 1}, shape (n,)
    person : array, shape (n,)
    """

    name: str
    about: str
    frame: pd.DataFrame
    outcome: np.ndarray
    person: np.ndarray


@dataclass(frozen=True)
class Shape:
    """What a simulated table is made of.

    `bent` is the strength of what is not linear, `pairs` the number of columns that work together in twos;
    `spread` the standard deviation of true log-odds, which sets how well anyone can foresee.
    """

    about: str
    rows: int
    numbers: int
    counts: int
    flags: int
    categories: tuple
    share: float
    spread: float
    bent: float = 0.5
    pairs: int = 2
    missing: float = 0.1
    each: int = 1


SIMULATED = {
    "two_years": Shape("as COMPAS: 7,000 x 10", 7000, 2, 4, 2, (2, 20), 0.45, 0.9),
    "parole": Shape(
        "as NIJ's challenge: 18,000 x 50", 18000, 12, 12, 16, (2, 2, 3, 3, 4, 4, 7, 8, 12, 25), 0.58, 0.9
    ),
    "prison": Shape(
        "as Iowa's: 26,000 x 12, categories", 26000, 0, 1, 2, (2, 5, 6, 8, 9, 10, 12, 20, 26), 0.33, 0.6
    ),
    "release": Shape("as North Carolina 1978: 9,000 x 9", 9000, 2, 3, 4, (), 0.37, 0.65, missing=0.0),
    "credit": Shape(
        "as small credit tables: 1,000 x 20",
        1000,
        3,
        4,
        4,
        (3, 4, 4, 5, 5, 5, 4, 3, 10),
        0.3,
        1.2,
        pairs=0,
        missing=0.0,
    ),
    "rare": Shape("3% with the event: 10,000 x 15", 10000, 4, 6, 3, (5, 10), 0.03, 1.0),
    "repeated": Shape("1,500 people with 4 rows each, x 14", 6000, 4, 5, 3, (4, 8), 0.25, 1.0, each=4),
    "straight": Shape(
        "linear truth: 3,000 x 12", 3000, 6, 0, 6, (), 0.3, 1.0, bent=0.0, pairs=0, missing=0.0
    ),
    "woven": Shape("half of it in pairs: 6,000 x 12", 6000, 6, 2, 2, (4, 6), 0.35, 1.0, bent=0.6, pairs=6),
}


def _bend(rng, x, bent):
    """A number's effect: a line, and a decline that flattens, a threshold or a hump beside it."""
    z = (x - x.mean()) / (x.std() + 1e-9)
    shape = rng.integers(3)
    curve = (np.exp(-z), np.tanh(3 * (z - rng.normal(0, 0.5))), -np.square(z - rng.normal(0, 0.5)))[shape]
    curve = np.clip(curve, *np.quantile(curve, (0.005, 0.995)))
    curve = (curve - curve.mean()) / (curve.std() + 1e-9)
    return (1 - bent) * z + bent * curve * rng.choice([-1, 1])


def simulated(name, seed):
    """A look-alike of a public table: Table."""
    shape, rng = SIMULATED[name], np.random.default_rng([seed, sorted(SIMULATED).index(name)])
    people = shape.rows // shape.each
    base = rng.normal(size=people)  # what people have in common from row to row and column to column
    common = np.repeat(base, shape.each)
    n, columns, effects = len(common), {}, []

    def noise():
        own = 0.7 * np.repeat(rng.normal(size=people), shape.each) + 0.7 * rng.normal(size=n)
        return 0.4 * common + 0.9 * own

    for i in range(shape.numbers):
        x = (
            np.round(18 + 12 * np.exp(0.55 * noise()), 0)
            if i == 0
            else np.round(noise() * 10, rng.integers(0, 3))
        )
        columns["age" if i == 0 else f"number_{i}"] = x
        effects.append(_bend(rng, x, shape.bent) * (1.5 if i == 0 else rng.exponential(0.6)))
    for i in range(shape.counts):
        x = rng.poisson(np.exp(rng.normal(0, 0.7) + 0.9 * noise())).clip(0, 40).astype(float)
        columns[f"count_{i}"] = x
        effects.append(_bend(rng, np.log1p(x), shape.bent / 2) * rng.exponential(0.8))
    for i in range(shape.flags):
        x = (noise() > rng.normal(0.5, 0.7)).astype(float)
        columns[f"flag_{i}"] = x
        effects.append((x - x.mean()) * rng.normal(0, 0.7))
    for i, levels in enumerate(shape.categories):
        weights = 1 / np.arange(1, levels + 1) ** rng.uniform(0.4, 1.3)
        code = np.searchsorted(np.cumsum(weights / weights.sum())[:-1], expit(1.6 * noise()))
        columns[f"category_{i}"] = pd.Categorical.from_codes(code, [f"level_{k:02d}" for k in range(levels)])
        effects.append(rng.normal(0, 0.5, levels)[code])
    numeric = [c for c in columns if not c.startswith("category")]
    total = np.sum(effects, axis=0)
    for _ in range(shape.pairs):
        first, second = rng.choice(numeric, 2, replace=False)
        a, b = (columns[c] > np.median(columns[c]) for c in (first, second))
        total = total + (a ^ b) * rng.choice([-1, 1]) * total.std() * 1.2 / np.sqrt(shape.pairs)
    total = (total - total.mean()) / total.std() * shape.spread
    if shape.each > 1:
        total = total + 0.6 * np.repeat(rng.normal(size=people), shape.each)
    shift = brentq(lambda c: expit(total + c).mean() - shape.share, -15, 15)
    outcome = (rng.random(n) < expit(total + shift)).astype(float)
    frame = pd.DataFrame(columns)
    for name_ in numeric[: int(len(numeric) * 0.6)]:
        # More often missing where the number is high: not at random.
        high = frame[name_].rank(pct=True).to_numpy()
        frame.loc[rng.random(n) < 2 * shape.missing * high * rng.random(), name_] = np.nan
    return Table(name, shape.about, frame, outcome, np.repeat(np.arange(people), shape.each))


def _case_frame(records):
    """One row for each court case, of what is known when it is filed: DataFrame by case_id."""
    cases = records.cases.sort_values(["person_id", "filing_date", "case_id"]).set_index("case_id")
    charges = records.charges[records.charges["case_id"].isin(cases.index)]
    of_case = charges.groupby("case_id")
    before = cases.groupby("person_id")
    felony = charges["severity"].astype(str).str.startswith("Felony").groupby(charges["case_id"]).sum()
    number = of_case.size().reindex(cases.index)
    lag = (cases["filing_date"] - of_case["offense_date"].min().reindex(cases.index)).dt.days
    earlier = number.groupby(cases["person_id"]).cumsum() - number
    frame = pd.DataFrame(
        {
            "born": cases["birth_year_bin"].astype(float),
            "sex": cases["sex"],
            "region": cases["region"].astype(str),
            "case_type": cases["case_type"],
            "class": cases["class"],
            "worst": of_case["severity"].first().reindex(cases.index),
            "charges": number.astype(float),
            "felonies": felony.reindex(cases.index).astype(float),
            "domestic": of_case["domestic_abuse"].sum().reindex(cases.index).astype(float),
            "weapon": of_case["weapon"].max().reindex(cases.index).astype(float),
            "attempt": of_case["attempt"].max().reindex(cases.index).astype(float),
            "days_to_filing": lag.clip(-30, 2000).astype(float),
            "month": cases["filing_date"].dt.month.astype(float),
            "year": cases["filing_date"].dt.year.astype(float),
            "cases_before": before.cumcount().astype(float),
            "charges_before": earlier.astype(float),
            "days_since_case": before["filing_date"].diff().dt.days.astype(float),
        },
        index=cases.index,
    )
    for column in ("sex", "region", "case_type", "class", "worst"):
        frame[column] = frame[column].astype(object).where(frame[column].notna(), None).astype("category")
    return cases, frame


def records_tables(records):
    """Three outcomes of court cases, of what is known when a case is filed: list of Table."""
    cases, frame = _case_frame(records)
    person = cases["person_id"].to_numpy()
    docket = records.docket

    def happened(pattern):
        return np.isin(cases.index, docket.loc[docket["event"].str.contains(pattern, case=False), "case_id"])

    following = cases.groupby("person_id")["filing_date"].shift(-1) - cases["filing_date"]
    year = cases["filing_date"].dt.year.to_numpy()
    # A whole year of filings follows the cases of 2014 and of the first half of 2015 only.
    followed = (cases["filing_date"] < "2015-07-01").to_numpy() & (year >= 2014)
    made = [
        (
            "new_case_180d",
            "another case filed within 180 days",
            (following.dt.days <= 180).to_numpy(),
            followed,
        ),
        (
            "revocation",
            "revocation proceedings in the case",
            happened("revocation"),
            np.ones(len(cases), bool),
        ),
        ("bond_forfeited", "a bond forfeited", happened("forfeit"), np.ones(len(cases), bool)),
    ]
    return [
        Table(name, about, frame[rows].reset_index(drop=True), found[rows].astype(float), person[rows])
        for name, about, found, rows in made
    ]


def fatalities_table(path):
    """Whether a victim had reported the abuse earlier (Spain, 2003-2017): Table of some 700 rows."""
    raw = pd.read_csv(path)
    raw = raw[raw["Previous Abuse Report"].isin(["Yes", "No"])].reset_index(drop=True)
    frame = raw[["Autonomous Community", "Relation", "Victim Age", "Agressor Age", "Living Together"]]
    frame = frame.astype("category").assign(Year=raw["Year"].astype(float))
    outcome = (raw["Previous Abuse Report"] == "Yes").to_numpy(float)
    return Table("earlier_report", "an earlier report of a woman killed", frame, outcome, np.arange(len(raw)))
