"""Coded reviews: what counts as known before, three states, and that what is kept is what was loaded."""

import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from riskml.errors import RiskmlError
from riskml.fatality.form import KNOWN, SHEETS, STATES_CODED
from riskml.fatality.reviews import Reviews, kept_reviews
from riskml.fatality.simulated import lethal_tables, simulated_sheets
from riskml.registry.database import connect
from riskml.simulation.writing import write_registry

CODES = ("strangulation", "firearm_access", "separation")


def reviews_of(*factors, cases=("R1",)):
    """Reviews of events on 2025-06-10 whose factor rows are (review, factor, state, known, known_on)."""
    names = ("review_id", "factor", "state", "known", "known_on")
    return Reviews.of(
        {
            "cases": [
                {"review_id": r, "kind": "femicide", "event_on": "2025-06-10", "status": "closed"}
                for r in cases
            ],
            "factors": [dict(zip(names, row, strict=True)) for row in factors],
        }
    )


@pytest.mark.parametrize(
    ("known", "known_on", "before"),
    [
        ("before", "2025-06-09", True),
        ("before", None, True),
        ("before", "2025-06-10", False),  # the day itself is too late to have been acted on
        ("unknown", "2025-06-09", True),
        ("unknown", None, False),
        ("after", None, False),
        ("after", "2025-06-09", False),
    ],
)
def test_what_counts_as_known_before_the_event(known, known_on, before):
    reviews = reviews_of(("R1", "strangulation", "present", known, known_on))
    assert bool(reviews.states(CODES, known="before")[0, 0] == 1) is before
    assert reviews.states(CODES)[0, 0] == 1


def test_what_nobody_coded_is_unknown_and_never_absent():
    reviews = reviews_of(
        ("R1", "strangulation", "absent", "before", None),
        ("R1", "separation", "unknown", "unknown", None),
    )
    assert reviews.states(CODES).tolist() == [[0, -1, -1]]


def test_by_a_day_only_what_is_dated_until_then_is_known():
    reviews = reviews_of(
        ("R1", "strangulation", "present", "before", "2025-05-01"),
        ("R1", "firearm_access", "present", "before", "2025-05-03"),
        ("R1", "separation", "present", "before", None),
        ("R2", "strangulation", "present", "before", "2025-05-01"),
        cases=("R1", "R2"),
    )
    days = pd.Series({"R1": pd.Timestamp("2025-05-02"), "R2": pd.Timestamp("2025-04-30")})
    assert reviews.states(CODES, known="before", by=days).tolist() == [[1, -1, -1], [-1, -1, -1]]


def test_reviews_are_read_back_as_they_were_kept(tmp_path):
    first = reviews_of(("R1", "strangulation", "present", "before", "2025-05-01"))
    second = reviews_of(("R1", "strangulation", "absent", "before", "2025-05-01"))
    first.save(tmp_path)
    folder = second.save(tmp_path)
    assert kept_reviews(tmp_path).hash == second.hash != first.hash
    assert kept_reviews(tmp_path, first.hash[:10]).states(CODES)[0, 0] == 1
    for name in SHEETS:
        pd.testing.assert_frame_equal(kept_reviews(tmp_path).sheet(name), second.sheet(name))
    assert folder.stat().st_mode & 0o077 == 0, "others on the machine do not read reviews"


def test_reviews_that_were_changed_or_are_not_there_are_refused(tmp_path):
    with pytest.raises(RiskmlError, match="no reviews yet"):
        kept_reviews(tmp_path)
    folder = reviews_of(("R1", "strangulation", "present", "before", None)).save(tmp_path)
    with pytest.raises(RiskmlError, match='no reviews "abc"'):
        kept_reviews(tmp_path, "abc")
    frame = pd.read_parquet(folder / "factors.parquet")
    frame.assign(state="absent").to_parquet(folder / "factors.parquet", index=False)
    with pytest.raises(RiskmlError, match="changed since they were loaded"):
        kept_reviews(tmp_path)
    (folder / "cases.parquet").unlink()
    with pytest.raises(RiskmlError, match="do not read"):
        kept_reviews(tmp_path)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """A small synthetic registry with its lethal tables."""
    url = f"sqlite:///{tmp_path_factory.mktemp('registry') / 'registry.db'}"
    write_registry(url, 900, seed=2)
    return connect(url)


def test_a_simulated_review_codes_every_lethal_event_of_a_synthetic_registry(synthetic):
    tables = lethal_tables(synthetic)
    sheets = simulated_sheets(tables, CODES, seed=3)
    cases, factors = sheets["cases"], sheets["factors"].merge(sheets["cases"], on="review_id")
    assert len(cases) == tables["outcomes"]["case_id"].nunique() > 0
    assert len(factors) == 2 * len(CODES) * len(cases)
    assert set(factors["state"]) <= set(STATES_CODED)
    assert set(factors["known"]) <= set(KNOWN)
    dated = factors[factors["known_on"].notna()]
    early = pd.to_datetime(dated["known_on"]) < pd.to_datetime(dated["event_on"])
    assert (early == (dated["known"] == "before")).all()
    contacts = sheets["contacts"].merge(cases, on="review_id")
    assert (pd.to_datetime(contacts["contact_on"]) <= pd.to_datetime(contacts["event_on"])).all()
    again = simulated_sheets(tables, CODES, seed=3)
    assert all(again[name].equals(sheets[name]) for name in SHEETS)
    assert not simulated_sheets(tables, CODES, seed=4)["factors"].equals(sheets["factors"])


def test_nothing_is_made_up_about_a_real_registry(synthetic, tmp_path):
    path = tmp_path / "real.db"
    with closing(sqlite3.connect(synthetic.url.database)) as source, closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
        mark = [n for (n,) in copy.execute("SELECT name FROM sqlite_master") if n.endswith("synthetic")]
        assert len(mark) == 1
        copy.execute(f"DROP TABLE {mark[0]}")
        copy.commit()
    with pytest.raises(RiskmlError, match="not synthetic"):
        lethal_tables(connect(f"sqlite:///{path}"))


def test_states_take_a_present_of_several_rows():
    reviews = reviews_of(
        ("R1", "strangulation", "absent", "before", "2025-01-01"),
        ("R1", "strangulation", "present", "before", "2025-02-01"),
    )
    assert np.array_equal(reviews.states(CODES), [[1, -1, -1]])
