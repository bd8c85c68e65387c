"""A lethal model from a history: who is a case, who a control, what is known when, what the bundle holds."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lethal_history import DAY, END, START, lethal_tables, true_log_odds
from random_histories import random_history
from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.bundle import Model
from riskml.models.lethal import fit_lethal, priors_alone
from riskml.models.lethal_bundle import LethalBundle
from riskml.models.lethal_spec import load_lethal_file
from riskml.models.priors import load_priors
from riskml.models.reviewed_cases import Review
from riskml.outcomes.timeline import moment_us
from riskml.registry.history import History
from riskml.training.lethal import train_lethal
from riskml.training.lethal_competition import compete
from riskml.training.lethal_report import concordance
from riskml.training.lethal_sets import AtRisk, risk_sets

ROOT = Path(__file__).parents[2]
FILE = ROOT / "models" / "lethal.yml"
SPEC = load_lethal_file(FILE)
CATALOGUE = load_catalogue(ROOT / "features")
PRIORS = load_priors("lethal")


def _spec(**parts):
    """The model file with some parts changed: `sampling={"controls": 3}`."""
    changed = {
        name: getattr(SPEC.file, name).model_copy(update=value) if isinstance(value, dict) else value
        for name, value in parts.items()
    }
    return replace(SPEC, file=SPEC.file.model_copy(update=changed))


def _train(tables, spec=SPEC, seed=0):
    return train_lethal(spec, History.of(tables), catalogue=CATALOGUE, seed=seed)


def _sets(tables, spec=SPEC, seed=0):
    history = History.of(tables)
    ids = pd.Index(sorted(history.table("cases")["case_id"].to_pandas().dropna().unique()))
    return risk_sets(spec, history, ids, AtRisk(history, ids), seed=seed)


@pytest.fixture(scope="module")
def bundle():
    return _train(lethal_tables(150, 12))


# ------------------------------------------------------------------ the model file


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("priors: lethal", "priors: letal", 'no priors "letal" in priors/\nDid you mean "lethal"'),
        ("event: lethal", "event: incident", "a lethal model is of the event lethal"),
        ("horizon: 365d", "horizon: 90d", "outcome.horizon is 90d, that of the priors 365d"),
        ("[30d, 180d, 365d, 730d]", "[30d, 30d]", "record_lengths must grow"),
        ("[30d, 180d, 365d, 730d]", "[0d]", "must be longer than 0"),
        ("length_of_record]", "age]", '"age" is not known here'),
        ("minimum_cases", "minimum_case", 'unknown key "minimum_case". Did you mean "minimum_cases"'),
        ("controls: 10", "controls: 0", "sampling.controls: Input should be greater than or equal to 1"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_what_is_wrong(tmp_path, old, new, what):
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    folder = tmp_path / "models"
    (folder / "priors").mkdir(parents=True)
    (folder / "priors" / "lethal.yml").write_bytes((FILE.parent / "priors" / "lethal.yml").read_bytes())
    (folder / "lethal.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RiskmlError) as caught:
        load_lethal_file(folder / "lethal.yml")
    assert what in str(caught.value)
    assert "models/lethal.yml" in str(caught.value)


def test_the_priors_are_those_of_the_workspace(tmp_path):
    (tmp_path / "priors").mkdir()
    text = (FILE.parent / "priors" / "lethal.yml").read_text(encoding="utf-8")
    (tmp_path / "priors" / "lethal.yml").write_text(text.replace("6.70", "6.10"), encoding="utf-8")
    (tmp_path / "lethal.yml").write_bytes(FILE.read_bytes())
    priors = load_lethal_file(tmp_path / "lethal.yml").priors
    assert priors.factors["strangulation"].odds_ratio == 6.1


def test_a_factor_that_the_catalogue_does_not_read_is_refused():
    part = CATALOGUE.part("relationship", *(code for code in PRIORS.codes if code != "strangulation"))
    with pytest.raises(RiskmlError, match="no column with the state of: strangulation"):
        train_lethal(SPEC, lethal_tables(60, 2), catalogue=part)


# ------------------------------------------------------------------ who is a case, who a control


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(0, 70))
def test_who_is_at_risk_is_who_is_open(seed, half_days):
    tables = random_history(seed, CATALOGUE.factors.codes)
    history = History.of({**tables, "cases": tables["cases"].filter(pc.is_valid(tables["cases"]["case_id"]))})
    ids = pd.Index(sorted(history.table("cases")["case_id"].to_pandas().dropna().unique()))
    moment = pd.Timestamp("2024-02-20") + half_days * pd.Timedelta(hours=12)
    code, _ = AtRisk(history, ids).at(moment_us(moment))
    assert ids[code].tolist() == history.open_cases(moment)["case_id"].tolist()


def test_controls_are_at_risk_on_the_day_before_and_alike():
    tables = lethal_tables(200, 20)
    sets = _sets(tables)
    assert sets.cases == 20
    events = tables["outcomes"].set_index("case_id")["occurred_at"]
    opened = tables["cases"].set_index("case_id")["occurred_at"]
    ends = np.array(SPEC.file.sampling.band_ends)
    became_cases = set()
    for number in range(sets.cases):
        members = sets.cohort[sets.sets == number]
        case, controls = members.iloc[0], members.iloc[1:]
        assert 1 <= len(controls) <= 10
        day = events[case["case_id"]].normalize() - DAY
        assert (members["as_of"] == day).all()
        assert case["case_id"] not in set(controls["case_id"])
        later = controls["case_id"].map(events)
        assert (later.isna() | (later > events[case["case_id"]])).all()
        became_cases |= set(controls["case_id"][later.notna()])
        length = (day - members["case_id"].map(opened)) // pd.Timedelta(microseconds=1)
        assert len(set(np.searchsorted(ends, length, side="right"))) == 1
    assert became_cases, "a relationship may be a control before it becomes a case"
    again, other = _sets(tables), _sets(tables, seed=1)
    pd.testing.assert_frame_equal(again.cohort, sets.cohort)
    assert not other.cohort.equals(sets.cohort)


def test_each_lethal_event_that_cannot_be_learnt_from_is_counted():
    tables = lethal_tables(80, 8)
    events, cases = tables["outcomes"], tables["cases"]
    who = events["case_id"].tolist()
    again = events.iloc[[0]].assign(occurred_at=END - 200 * DAY, recorded_at=END - 100 * DAY)
    events.loc[events["case_id"] == who[1], "occurred_at"] = END - 20 * DAY
    events.loc[events["case_id"] == who[1], "recorded_at"] = END - 10 * DAY
    cases.loc[cases["case_id"] == who[2], ["occurred_at", "recorded_at"]] = END - 30 * DAY
    cases.loc[cases["case_id"] == who[3], "relationship"] = "son"
    cases.loc[cases["case_id"] == who[4], "closed_at"] = START + 300 * DAY
    tables["outcomes"] = pd.concat([events, again], ignore_index=True)
    sets = _sets(tables)
    assert sets.events == 9
    assert sets.excluded == {
        "later_event": 1, "too_recent": 1, "first_record": 2, "other_relationship": 1, "no_control": 0,
    }  # fmt: skip
    assert sets.cases == 4
    assert "son" not in set(cases.set_index("case_id").loc[sets.cohort["case_id"], "relationship"])
    report = _train(tables).report
    assert {row["reason"]: (row["events"], row["of"]) for row in report["exclusions"]} == {
        reason: (count, 9) for reason, count in sets.excluded.items()
    }


def test_nobody_of_the_case_and_nobody_dead_is_a_control():
    tables = lethal_tables(40, 1)
    case = tables["outcomes"].loc[0, "case_id"]
    happened = tables["outcomes"].loc[0, "occurred_at"]
    cases, incidents = tables["cases"], tables["incidents"]
    own = cases.set_index("case_id").loc[case]
    others = [name for name in cases["case_id"] if name != case]
    cases.loc[cases["case_id"] == others[0], "aggressor_id"] = own["aggressor_id"]
    cases.loc[cases["case_id"] == others[1], "victim_id"] = own["victim_id"]
    incidents.loc[incidents["case_id"] == others[2], "severity"] = 6
    spec = _spec(sampling={"controls": 100, "matched_on": ()})
    sets = _sets(tables, spec)
    assert set(sets.cohort["case_id"]) == {case, *others[3:]}
    # Who died later was at risk on the day.
    incidents.loc[incidents["case_id"] == others[2], "occurred_at"] = happened + DAY
    assert others[2] in set(_sets(tables, spec).cohort["case_id"])


def test_what_became_known_with_the_event_or_after_it_changes_nothing():
    tables = lethal_tables(120, 8)
    events = tables["outcomes"]
    # Their files are closed, so that they are no part of the registry's average either.
    closed = events.set_index("case_id")["occurred_at"] + 10 * DAY
    tables["cases"]["closed_at"] = tables["cases"]["case_id"].map(closed)
    before = _train(tables)
    late = []
    for event in events.itertuples():
        day = event.occurred_at.normalize()
        for occurred, recorded in (
            (day - DAY, day + 5 * DAY),  # it had happened, and was found by the investigation
            (day + pd.Timedelta(hours=1), day + pd.Timedelta(hours=1)),  # of the event itself
            (day - pd.Timedelta(hours=20), day - pd.Timedelta(hours=20)),  # after the index moment
        ):
            late += [
                {
                    "case_id": event.case_id,
                    "incident_id": None,
                    "factor": code,
                    "state": "present",
                    "source": "file",
                    "occurred_at": occurred,
                    "recorded_at": recorded,
                    "superseded_at": pd.NaT,
                }
                for code in PRIORS.codes
            ]
    facts = tables["factors"]
    known = _train({**tables, "factors": pd.concat([facts, pd.DataFrame(late)], ignore_index=True)})
    assert known.relative.to_document() == before.relative.to_document()
    assert known.report == before.report
    # And the same facts in time do change it.
    early = pd.DataFrame(late).assign(occurred_at=START + 210 * DAY, recorded_at=START + 211 * DAY)
    told = _train({**tables, "factors": pd.concat([facts, early], ignore_index=True)})
    assert told.report["table"] != before.report["table"]


# ------------------------------------------------------------------ priors and data


def _drawn(cases, controls, *, times, seed=0):
    """Factors of risk sets drawn with the priors' log-odds so many times as strong."""
    rng = np.random.default_rng(seed)
    b, size = times * PRIORS.mean, 6000
    x = rng.random((size, len(b))) < 0.25
    odds = np.exp(x @ b)
    chosen = [rng.choice(size, cases, p=odds / odds.sum()), rng.choice(size, cases * controls)]
    rows = x[np.concatenate(chosen)]
    frame = {}
    for place, name in enumerate(PRIORS.factors):
        how, codes = PRIORS.definition(name)
        for code in codes:
            state = rows[:, place] if code == codes[0] else np.full(len(rows), how == "all")
            frame[code] = np.where(state, "present", "denied")
    sets = np.append(np.arange(cases), np.repeat(np.arange(cases), controls))
    return pd.DataFrame(frame).assign(relationship="partner"), sets


def test_ten_cases_stay_near_the_priors_and_three_hundred_follow_the_data():
    for cases, near, far in ((10, 0.55, None), (300, None, 0.75)):
        frame, sets = _drawn(cases, 5, times=0.3)
        model = fit_lethal(frame, np.arange(len(sets)) < cases, PRIORS, reference=frame, sets=sets)
        # 1: at the priors; 0: at the truth, which is 0.3 of them.
        left = ((model.fit.coefficients / PRIORS.mean) - 0.3) / 0.7
        share = np.average(left, weights=np.abs(PRIORS.mean))
        table = model.table()
        if near:
            assert share > near
            assert table["from_data"].median() < 0.4
        if far:
            assert share < 1 - far
            assert table["from_data"].median() > 0.8
            assert (np.abs(table["moved"]) > 1).mean() > 0.5


def test_few_reviewed_cases_hardly_move_the_priors_and_the_report_says_so(bundle):
    report = bundle.report
    assert (report["cases"], report["events"]) == (12, 12)
    assert report["controls"] == 120
    assert report["matching"]["full_sets"] == 12
    for row in report["table"]:
        assert row["prior_low"] < row["posterior"] < row["prior_high"]
        assert 0 <= row["from_data"] < 0.5
        assert row["cases_known"] <= 12
        assert row["controls_known"] <= 120
    assert [row["factor"] for row in report["table"]] == list(PRIORS.factors)
    assert {note["code"] for note in report["notes"]} == {
        "few_cases", "before_the_event", "reviewed_themselves",
    }  # fmt: skip
    left_out = report["leave_one_out"]
    assert left_out["auc_low"] <= left_out["auc"] <= left_out["auc_high"]
    assert left_out["among_top_low"] <= left_out["among_top"] / left_out["sets"] <= left_out["among_top_high"]
    assert "12 casos" in report["competition"]["refused"]["es"]
    assert not report["sample_size"]["flexible"]


def test_nobody_reviewed_leaves_the_priors_alone_and_says_so(tmp_path):
    tables = lethal_tables(80, 2)
    tables["outcomes"] = tables["outcomes"].iloc[:0]
    bundle = _train(tables)
    assert bundle.relative.coefficients == pytest.approx(PRIORS.mean)
    assert np.sqrt(np.diag(bundle.relative.covariance)) == pytest.approx(PRIORS.sd)
    assert "0 casos revisados" in bundle.report["words"]["es"][0]
    assert "0 reviewed cases" in bundle.report["words"]["en"][0]
    assert bundle.report["notes"][0]["code"] == "priors_alone"
    assert "missing" in bundle.report["leave_one_out"]
    for row in bundle.report["table"]:
        assert row["data"] is None
        assert row["posterior"] == pytest.approx(row["prior"])
        assert (row["moved"], row["from_data"]) == (0, 0)
    assert Model.load(bundle.save(tmp_path / "b")).version == bundle.version
    # Asked for more than there are, the same.
    few = _train(lethal_tables(80, 2), _spec(minimum_cases=3))
    assert few.relative.coefficients == pytest.approx(PRIORS.mean)
    assert few.report["notes"][0] == next(n for n in few.report["notes"] if n["code"] == "priors_alone")


def test_the_registrys_average_is_one_and_its_shares_are_used():
    tables = lethal_tables(150, 6)
    history = History.of(tables)
    bundle = train_lethal(SPEC, history, catalogue=CATALOGUE)
    matrix = build_features(history, history.open_cases(history.observed_until), CATALOGUE)
    assert bundle.score(matrix)["relative"].mean() == pytest.approx(1)
    alone = priors_alone(PRIORS, matrix)
    assert bundle.relative.shares == pytest.approx(alone.relative.shares)
    shares = [row["share_from"] for row in bundle.report["table"]]
    assert set(shares) == {"S:1", "registry"}


def test_no_relationship_to_which_the_priors_apply_is_said():
    tables = lethal_tables(30, 2)
    tables["cases"]["relationship"] = "son"
    with pytest.raises(RiskmlError, match="no relationship is open at the end"):
        _train(tables)


# ------------------------------------------------------------------ the bundle


def test_a_bundle_that_was_read_back_says_the_same(bundle, tmp_path):
    again = Model.load(bundle.save(tmp_path / "lethal"))
    assert isinstance(again, LethalBundle)
    assert (again.version, again.digests) == (bundle.version, bundle.digests)
    history = History.of(lethal_tables(60, 2, seed=5))
    matrix = build_features(history, history.open_cases("2024-06-03"), CATALOGUE)
    pd.testing.assert_frame_equal(again.score(matrix), bundle.score(matrix))
    pd.testing.assert_frame_equal(again.pattern(matrix), bundle.pattern(matrix))
    assert set(again.columns) <= set(matrix.columns)
    with pytest.raises(RiskmlError, match="the matrix lacks columns: strangulation"):
        again.score(matrix.drop(columns="strangulation"))


@pytest.mark.parametrize("name", ["bundle.json", "report.json", "catalogue.json"])
def test_a_byte_changed_anywhere_is_refused(bundle, tmp_path, name):
    folder = bundle.save(tmp_path / "lethal")
    data = bytearray((folder / name).read_bytes())
    place = len(data) // 2
    data[place] = data[place] ^ 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(RiskmlError):
        Model.load(folder)


def _keys(document):
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            yield from _keys(value)
    elif isinstance(document, list):
        for value in document:
            yield from _keys(value)


def test_nothing_in_the_files_gives_anybodys_probability(bundle, tmp_path):
    folder = bundle.save(tmp_path / "lethal")
    main = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    assert set(main) == {"format", "name", "relative", "labels", "card", "files", "content"}
    assert set(main["relative"]) == {
        "definitions", "relationships", "average", "coefficients", "covariance", "shares", "centre",
    }  # fmt: skip
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    for key in (*_keys(main), *_keys(report)):
        assert key == "riskml" or not any(w in key for w in ("probab", "base_rate", "intercept", "risk")), key
    assert not [name for name in dir(bundle) if "predict" in name or "proba" in name]


def test_numbers_that_do_not_pair_with_the_factors_are_refused(bundle, tmp_path):
    bad = LethalBundle(
        "lethal",
        replace(bundle.relative, coefficients=bundle.relative.coefficients[:-1]),
        bundle.labels,
        catalogue=bundle.catalogue,
    )
    with pytest.raises(RiskmlError, match="do not pair with its factors"):
        Model.load(bad.save(tmp_path / "lethal"))


# ------------------------------------------------------------------ LightGBM beside it


def test_concordance_counts_the_controls_below_the_case():
    margin = np.array([2.0, 1.0, 3.0, 0.0, 0.0, -1.0])
    outcome = np.array([1, 0, 0, 1, 0, 0])
    sets = np.array([0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(concordance(margin, outcome, sets), [0.5, 0.75])


def _large(together, seed=0, cases=500):
    """Review of many sets; `together`: two factors raise the odds only where both are present."""
    rng = np.random.default_rng(seed)
    x = (rng.random((20_000, 4)) < 0.35).astype(float)
    margin = 3.5 * x[:, 0] * x[:, 1] if together else x @ np.array([1.0, 0.8, 0.6, 0.4])
    odds = np.exp(margin)
    rows = np.append(rng.choice(len(x), cases, p=odds / odds.sum()), rng.choice(len(x), cases * 4))
    sets = np.append(np.arange(cases), np.repeat(np.arange(cases), 4))
    return Review.of(x[rows], np.arange(len(rows)) < cases, sets=sets), rows


@pytest.mark.parametrize(
    ("together", "expected"), [(True, {"lightgbm"}), (False, {"regression", "no_difference"})]
)
def test_lightgbm_wins_where_factors_combine_and_not_where_they_add_up(together, expected):
    review, people = _large(together)
    priors = np.array([0.5, 0.5, 0.5, 0.5]), np.full(4, 0.5)
    found = compete(review, priors, people[: review.sets.max() + 1], people, replicates=200)
    assert found["verdict"] in expected
    assert [row["name"] for row in found["candidates"]] == ["regression", "lightgbm"]
    for row in found["candidates"]:
        assert row["low"] <= row["auc"] <= row["high"]
    assert found["difference"]["low"] <= found["difference"]["log_score"] <= found["difference"]["high"]


@pytest.mark.slow
def test_with_enough_cases_lightgbm_competes_on_the_same_rows():
    easily_met = {"c_statistic": 0.95, "share_with_event": 0.3, "events_per_factor": 10, "shrinkage": 0.7}
    tables = lethal_tables(480, 144, log_odds=true_log_odds(0.5))
    report = _train(tables, _spec(sample_size=easily_met, sampling={"controls": 3}, bootstrap=50)).report
    assert report["sample_size"]["flexible"]
    assert len(report["competition"]["candidates"]) == 2
    assert report["competition"]["words"]["es"]
