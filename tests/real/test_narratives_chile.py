"""Narrative reading against annotations by hand of real Spanish texts: 282 femicides in Chile, keyed by case.

The rules were written with the part `development` in sight. `first_held_out` was read once by the first rules
and looked at afterwards; `held_out` was annotated and read once after the rules had been widened.
docs/narratives.md gives the figures of those single readings.
"""

import os
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from riskml.narratives.reading import read_narratives
from riskml.validation.intervals import exact_interval

HERE = Path(__file__).parent
DATA = Path(os.environ.get("RISKML_REAL_DATA", HERE.parents[2] / "shared" / "data"))
TEXTS = DATA / "fatalities" / "chile_2010_2024.csv"
COLUMNS = [
    "antecedentes_sobre_el_hecho",
    "antecedentes_relacion_victima_femicida",
    "antecedentes_al_hecho",
    "informacion_sobre_el_hecho",
]
FACTORS = [
    "strangulation",
    "weapon_used",
    "weapon_threat",
    "firearm_access",
    "death_threat",
    "separation",
    "suicidality",
    "victim_suicidality",
    "prior_complaint",
    "prior_measure",
    "alcohol",
    "drugs",
    "victim_substance_use",
    "children_present",
]
FLOORS = {"development": (0.93, 0.93), "first_held_out": (0.90, 0.88), "held_out": (0.90, 0.85)}

pytestmark = pytest.mark.skipif(not TEXTS.is_file(), reason=f"no real data: {TEXTS} is absent")


def narrative(row):
    """A case's text columns as one text."""
    return " ".join(str(row[c]).strip().rstrip(".") + "." for c in COLUMNS if pd.notna(row[c]))


@pytest.fixture(scope="module")
def cases():
    return pd.read_csv(HERE / "annotations" / "chile_cases.csv").set_index("caso")


@pytest.fixture(scope="module")
def judged(cases):
    """One row per case and factor: what is true and what was read ("present", "denied" or nothing)."""
    texts = pd.read_csv(TEXTS).set_index("caso").loc[cases.index].apply(narrative, axis=1)
    truth = pd.read_csv(HERE / "annotations" / "chile_factors.csv").set_index(["caso", "factor"]).state
    read = read_narratives(texts).reset_index().set_index(["caso", "factor"]).state
    index = pd.MultiIndex.from_product([cases.index, FACTORS], names=["caso", "factor"])
    frame = pd.DataFrame({"true": truth.reindex(index), "read": read.reindex(index)})
    return frame.fillna("").join(cases, on="caso")


def shares(frame):
    """Precision and recall of "present" as (right, all)."""
    right = int(((frame.true == "present") & (frame.read == "present")).sum())
    return (right, int((frame.read == "present").sum())), (right, int((frame.true == "present").sum()))


def shown(name, right, count):
    if not count:
        return f"{name} 0/0"
    low, high = exact_interval(right, count)
    return f"{name} {right}/{count} ({low:.2f}-{high:.2f})"


def test_the_annotations_hold_codes_and_no_text(cases):
    factors = pd.read_csv(HERE / "annotations" / "chile_factors.csv")
    assert list(factors.columns) == ["caso", "factor", "state"]
    assert set(factors.factor) <= set(FACTORS)
    assert set(factors.state) <= {"present", "denied"}
    assert set(factors.caso) <= set(cases.index)
    assert cases.part.value_counts().to_dict() == {"development": 124, "held_out": 96, "first_held_out": 62}


@pytest.mark.parametrize("part", sorted(FLOORS))
def test_precision_and_recall(judged, part):
    frame = judged[judged.part == part]
    for factor, group in frame.groupby("factor", sort=False):
        precision, recall = shares(group)
        print(f"{factor:22} {shown('precision', *precision):36} {shown('recall', *recall)}")
    precision, recall = shares(frame)
    print(f"{part:22} {shown('precision', *precision):36} {shown('recall', *recall)}")
    floor_precision, floor_recall = FLOORS[part]
    assert precision[0] / precision[1] >= floor_precision
    assert recall[0] / recall[1] >= floor_recall


def test_no_denial_is_read_as_present(judged):
    denied = judged[judged.true == "denied"]
    print(Counter(denied.read))
    assert not (denied.read == "present").any()


def test_the_errors_that_remain_are_shown_by_kind(judged):
    wrong = judged[(judged.true != judged.read) & ((judged.true == "present") | (judged.read == "present"))]
    kinds = wrong.assign(kind=wrong.read.map({"present": "read and not said"}).fillna("said and not read"))
    print(kinds.groupby(["part", "kind", "factor"]).size().to_string())
    assert len(wrong) <= 50
