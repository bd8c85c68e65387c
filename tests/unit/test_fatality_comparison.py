"""Reviewed cases beside the living: who is compared with whom, what is read, and what may change nothing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from lethal_history import DAY, END, lethal_tables
from riskml.errors import RiskmlError
from riskml.fatality.comparison.compared_states import exposures
from riskml.fatality.comparison.comparison import compare
from riskml.fatality.comparison.exact_conditional import exact_conditional, tables_of_sets
from riskml.fatality.comparison.risk_sets import RECORD_LENGTHS, matched_sets
from riskml.fatality.comparison.shrinkage import posterior_odds
from riskml.fatality.reviews import Reviews
from riskml.features.catalogue import load_catalogue
from riskml.features.review_items import load_review_items
from riskml.messages import LANGUAGES
from riskml.models.lethal import fit_lethal
from riskml.models.priors import load_priors
from riskml.registry.history import History

ROOT = Path(__file__).parents[2]
CATALOGUE = load_catalogue(ROOT / "features")
ITEMS = load_review_items(ROOT / "features" / "factors.yml", CATALOGUE)
PRIORS = load_priors("lethal")


def _reviews(tables, factors=(), **changed):
    """Reviews of the registry's outcomes; `changed` gives a column of the cases anew."""
    events = tables["outcomes"].sort_values("occurred_at").drop_duplicates("case_id").reset_index(drop=True)
    cases = pd.DataFrame(
        {
            "review_id": [f"R{i}" for i in range(len(events))],
            "case_id": events["case_id"],
            "kind": events["kind"],
            "event_on": events["occurred_at"].dt.normalize(),
            "relationship": "partner",
            "status": "closed",
        }
    ).assign(**changed)
    return Reviews.of({"cases": cases, "factors": pd.DataFrame(list(factors))})


def _compare(tables, reviews=None, **settings):
    reviews = _reviews(tables) if reviews is None else reviews
    return compare(reviews, History.of(tables), CATALOGUE, ITEMS, **settings)


def _text(document):
    return json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _places(tables, seed=0):
    rng = np.random.default_rng(seed)
    n = len(tables["cases"])
    towns = rng.choice(["m1", "m2", "m3"], n, p=[0.6, 0.37, 0.03])
    return tables | {
        "cases": tables["cases"].assign(
            municipality=towns,
            locality=np.where(towns == "m1", "urban", "rural"),
            relationship=rng.choice(["partner", "ex-partner", "son", "father"], n, p=[0.35, 0.35, 0.2, 0.1]),
        )
    }


@pytest.fixture(scope="module")
def tables():
    return lethal_tables(240, 14)


@pytest.fixture(scope="module")
def document(tables):
    return _compare(tables)


@pytest.fixture(scope="module")
def mixed():
    """A registry of partners and others in three places, its sets, and their comparison."""
    tables = _places(lethal_tables(300, 30))
    return tables, matched_sets(_reviews(tables), History.of(tables)), _compare(tables)


def _row(document, factor):
    return next(row for row in document["rows"] if row["factor"] == factor)


# ------------------------------------------------------------------ who is compared with whom


def test_controls_are_other_people_at_risk_that_day_who_are_alike():
    tables = _places(lethal_tables(500, 40))
    history, reviews = History.of(tables), _reviews(tables)
    sets = matched_sets(reviews, history, controls=4)
    cases = tables["cases"].set_index("case_id")
    events = tables["outcomes"].groupby("case_id")["occurred_at"].min().dt.normalize()
    on = reviews.cases.set_index("case_id")["event_on"]
    partners = ("partner", "ex-partner")
    steps = set()
    for number in range(sets.cases):
        members = sets.cohort[sets.sets == number]
        case, controls = members["case_id"].iloc[0], members["case_id"].iloc[1:]
        day = members["as_of"].iloc[0]
        step = sets.step[number]
        steps.add(step)
        assert sets.outcome[sets.sets == number].tolist() == [1] + [0] * len(controls)
        assert (members["as_of"] == day).all()
        assert day == on[case] - DAY
        assert set(controls) <= set(history.open_cases(day)["case_id"])
        assert case not in set(controls)
        assert len(set(controls)) == len(controls) <= 4
        assert (events.reindex(controls).fillna(END) > on[case]).all()
        one, others = cases.loc[case], cases.loc[controls]
        assert (others["relationship"].isin(partners) == (one["relationship"] in partners)).all()
        if step in ("municipality", "locality", "anywhere") and one["relationship"] not in partners:
            assert (others["relationship"] == one["relationship"]).all()
        if step in ("municipality", "locality"):
            assert (others[step] == one[step]).all()
        length = [
            np.searchsorted(RECORD_LENGTHS, (day - c).days, "right")
            for c in members.merge(cases["occurred_at"], left_on="case_id", right_index=True, how="left")[
                "occurred_at"
            ]
        ]
        assert len(set(length)) == 1
    assert {"municipality", "locality"} <= steps
    assert sets.cases + sum(sets.excluded.values()) == len(reviews) == sets.reviewed


def test_matching_is_relaxed_step_by_step_and_counted():
    tables = lethal_tables(60, 3)
    case = tables["outcomes"]["case_id"].iloc[0]
    alone = tables["cases"]["case_id"] == case
    where = {"municipality": np.where(alone, "far", "m1"), "locality": np.where(alone, "rural", "urban")}
    moved = tables | {"cases": tables["cases"].assign(**where)}
    sets = matched_sets(_reviews(moved), History.of(moved))
    assert sorted(sets.step) == ["anywhere", "municipality", "municipality"]
    son = moved | {"cases": moved["cases"].assign(relationship=np.where(alone, "son", "father"))}
    found = _compare(son, _reviews(son, case_id=[case, None, None], event_on=pd.Timestamp("2024-01-01")))
    relaxed = {step["step"]: step["sets"] for step in found["matching"]["relaxed"]}
    assert relaxed == dict.fromkeys(relaxed, 0) | {"relationship_group": 1}
    assert found["joint"]["missing"]["es"].startswith("No estimable")
    # A record of three days: nobody else of its own length.
    event = tables["outcomes"]["occurred_at"].iloc[0]
    late = moved["cases"]["occurred_at"].where(~alone, event - 3 * DAY)
    newer = moved | {"cases": moved["cases"].assign(occurred_at=late, recorded_at=late)}
    sets = matched_sets(_reviews(newer), History.of(newer))
    assert sets.step[list(sets.cohort["case_id"][sets.outcome == 1]).index(case)] == "any_length"


def test_who_cannot_be_compared_is_counted_for_the_first_reason_that_holds(tables):
    first = tables["cases"].set_index("case_id")["occurred_at"]
    reviews = _reviews(tables)
    cases = reviews.cases.copy()
    cases.loc[0, "case_id"] = None
    cases.loc[1, "kind"] = "child_death"
    cases.loc[2, "status"] = "on_trial"
    cases.loc[3, "case_id"] = "nobody"
    cases.loc[4, "event_on"] = END + 30 * DAY
    cases.loc[5, "event_on"] = first[cases.loc[5, "case_id"]].normalize() + DAY / 2
    cases.loc[7, ["case_id", "event_on"]] = [cases.loc[6, "case_id"], cases.loc[6, "event_on"] + 90 * DAY]
    closed = tables["cases"].assign(
        closed_at=tables["cases"]["closed_at"].where(
            tables["cases"]["case_id"] != cases.loc[8, "case_id"], cases.loc[8, "event_on"] - 5 * DAY
        )
    )
    found = _compare(tables | {"cases": closed}, Reviews.of({"cases": cases}))
    counted = {row["reason"]: row["n"] for row in found["excluded"]}
    expected = ("unlinked", "other_kind", "on_trial", "not_in_history", "outside_history", "first_record")
    assert counted == dict.fromkeys((*expected, "later_event", "not_open"), 1) | {"no_control": 0}
    assert {row["of"] for row in found["excluded"]} == {14}
    assert found["cases"] == 6
    assert all(set(row["words"]) == set(LANGUAGES) for row in found["excluded"])


def test_a_second_event_that_the_registry_knew_of_is_left_out_and_one_it_learnt_later_is_not(tables):
    outcomes = tables["outcomes"]
    event = outcomes.loc[0, "occurred_at"]
    earlier = outcomes.iloc[[0]].assign(occurred_at=event - 30 * DAY, review_id="other")
    for recorded, left_out in ((event - 20 * DAY, 1), (event + 20 * DAY, 0)):
        more = pd.concat([outcomes, earlier.assign(recorded_at=recorded)], ignore_index=True)
        sets = matched_sets(_reviews(tables), History.of(tables | {"outcomes": more}))
        assert sets.excluded["later_event"] == left_out


def test_a_case_of_a_review_is_no_control_after_its_event(tables):
    """A review's event counts although the registry's outcomes do not hold it."""
    bare = tables | {"outcomes": tables["outcomes"].iloc[:0]}
    reviews = _reviews(tables)
    on = reviews.cases.set_index("case_id")["event_on"]
    sets = matched_sets(reviews, History.of(bare), controls=100)
    assert sets.cases == 14
    controls = sets.cohort[sets.outcome == 0]
    assert (on.reindex(controls["case_id"]).fillna(END).to_numpy() > controls["as_of"] + DAY).all()
    assert controls["case_id"].isin(on.index).any()  # who becomes a case later may be one before


def test_one_more_reviewed_case_leaves_the_controls_of_the_others_as_they_were(tables):
    reviews, history = _reviews(tables), History.of(tables)
    # The registry knows of its event either way, so that it is at risk for the same time.
    fewer = Reviews.of({"cases": reviews.cases.drop(index=4)})
    sets = [matched_sets(some, history) for some in (reviews, fewer)]
    members = [
        {tuple(one["case_id"]) for _, one in found.cohort.groupby(found.sets, sort=False)} for found in sets
    ]
    assert len(members[0] - members[1]) == 1
    assert members[1] < members[0]


def test_with_nobody_to_compare_it_says_so(tables):
    found = _compare(tables, _reviews(tables, case_id=None))
    assert found["missing"]["es"].startswith("No estimable: ninguno de los 14")
    assert found["excluded"][0]["n"] == 14
    assert "rows" not in found
    assert "power" not in found


def test_no_control_asked_for_is_refused(tables):
    with pytest.raises(RiskmlError, match="0 controls for each case"):
        _compare(tables, controls=0)


# ------------------------------------------------------------------ what is read


def test_what_came_to_light_after_the_event_changes_nothing_but_its_own_list(tables, document):
    known = [
        {"factor": code, "state": state, "known": "after", "known_on": None, "review_id": f"R{i}"}
        for i in range(14)
        for code, state in (
            ("strangulation", "present"),
            ("weapon_threat", "absent"),
            ("jealousy", "present"),
        )
    ]
    late = pd.Timestamp("2025-06-01")
    known += [
        {"factor": "control", "state": "present", "known": "before", "known_on": late, "review_id": "R0"}
    ]
    found = _compare(tables, _reviews(tables, known))
    assert document["after_only_left_out"] == []
    listed = [(row["factor"], row["n"], row["of"]) for row in found["after_only_left_out"]]
    assert sorted(listed) == [("control", 1, 14), ("jealousy", 14, 14), ("strangulation", 14, 14)]
    assert _text(found | {"after_only_left_out": []}) == _text(document)


def test_what_the_registry_recorded_after_the_index_day_changes_nothing(tables, document):
    reviews = _reviews(tables)
    on = reviews.cases.set_index("case_id")["event_on"]
    template = tables["factors"].iloc[[0]]
    rows = [
        # It happened long before; the registry learnt of it on the day of the event, or on the day before,
        # after the midnight at which the index day begins.
        template.assign(
            case_id=case, factor=code, state="present", occurred_at=day - 200 * DAY, recorded_at=day - after
        )
        for case, day in on.items()
        for code, after in (("strangulation", 0 * DAY), ("stalking", DAY / 2), ("firearm_access", -9 * DAY))
    ]
    more = pd.concat([tables["factors"], *rows], ignore_index=True)
    assert _text(_compare(tables | {"factors": more}, reviews)) == _text(document)
    sooner = more.assign(
        recorded_at=more["recorded_at"].where(more["factor"] != "stalking", more["recorded_at"] - DAY)
    )
    assert _text(_compare(tables | {"factors": sooner}, reviews)) != _text(document)


def test_unknown_is_never_denied():
    tables = lethal_tables(120, 10, unknown=0.0)
    rows = tables["factors"]
    gone = (rows["factor"] == "strangulation") & (rows["state"] == "denied")
    row = _row(_compare(tables | {"factors": rows[~gone]}), "strangulation")
    assert row["cases"]["denied"] == row["controls"]["denied"] == 0
    assert row["cases"]["unknown"] > 0
    assert row["known"]["missing"]["es"].startswith("No estimable")
    assert row["recorded"]["informative"] > 0
    # Nothing known: the prior stands as it was published.
    assert row["from_data"] == pytest.approx(0, abs=1e-6)
    assert row["posterior"]["odds_ratio"] == pytest.approx(6.7, rel=1e-3)
    assert row["posterior"]["sets"] == 0


def test_both_readings_are_the_exact_analysis_of_what_was_recorded_and_of_what_is_known(tables, document):
    history = History.of(tables)
    sets = matched_sets(_reviews(tables), history)
    found, _, _ = exposures(history, sets, CATALOGUE, ITEMS, PRIORS)
    strangulation = next(one for one in found if one.name == "strangulation")
    rows = tables["factors"][tables["factors"]["factor"] == "strangulation"].set_index("case_id")["state"]
    state = rows.reindex(sets.cohort["case_id"])
    assert np.array_equal(strangulation.state, state.map({"present": 1.0, "denied": 0.0}), equal_nan=True)
    row = _row(document, "strangulation")
    for name, exposed in (("recorded", (state == "present") * 1.0), ("known", strangulation.state)):
        exact = exact_conditional(tables_of_sets(np.asarray(exposed, float), sets.outcome, sets.sets))
        expected = [exact.estimate, *exact.interval(), *exact.interval(mid_p=True)]
        shown = [row[name][key] for key in ("odds_ratio", "low", "high", "mid_low", "mid_high")]
        assert shown == pytest.approx([None if np.isinf(x) else x for x in expected])
        assert row[name]["informative"] == exact.informative


def test_a_factor_is_asked_of_those_of_whom_it_speaks(mixed):
    tables, sets, document = mixed
    found, _, _ = exposures(History.of(tables), sets, CATALOGUE, ITEMS, PRIORS)
    jealousy = next(one for one in found if one.name == "jealousy")
    assert np.array_equal(jealousy.applicable, np.isin(sets.relationship, ["partner", "ex-partner"]))
    assert np.isnan(jealousy.recorded[~jealousy.applicable]).all()
    row = _row(document, "jealousy")
    assert row["cases"]["not_applicable"] > 0
    assert sum(row["cases"].values()) == sets.cases


@pytest.mark.parametrize(
    ("his", "hers", "young", "gap"),
    [
        (2001, 2003, 1, 0),
        (1990, 2003, 0, 1),
        (1990, None, 0, None),
        (2001, None, None, None),
        (None, None, None, None),
        (1999, 2008, 1, 1),
    ],
)
def test_items_that_follow_from_ages_have_three_states(tables, his, hers, young, gap):
    clock = {key: pd.Timestamp("2022-01-01") for key in ("occurred_at", "recorded_at")}
    people = {
        "aggressors": pd.DataFrame(
            [
                {"aggressor_id": a, "birth_year": his, "sex": "male", "occupation": None, **clock}
                for a in tables["cases"]["aggressor_id"]
            ]
        ),
        "victims": pd.DataFrame(
            [
                {"victim_id": v, "birth_year": hers, "sex": "female", **clock}
                for v in tables["cases"]["victim_id"]
            ]
        ),
    }
    people = {name: frame.assign(superseded_at=pd.NaT) for name, frame in people.items()}
    history = History.of(tables | people)
    sets = matched_sets(_reviews(tables), history)
    in_2023 = sets.cohort["as_of"].dt.year.to_numpy() == 2023
    found, _, _ = exposures(history, sets, CATALOGUE, ITEMS[2:4], PRIORS)
    for name, expected in (("item_3", young), ("item_4", gap)):
        state = next(one for one in found if one.name == name).state[in_2023]
        assert len(state)
        assert np.array_equal(state, np.full(len(state), np.nan if expected is None else expected), True)


def test_a_lookback_leaves_unknown_what_was_last_said_before_it(tables):
    recent = _compare(tables, lookback="30d")
    assert all(row["cases"]["present"] + row["cases"]["denied"] == 0 for row in recent["rows"])
    assert any("30d" in note["es"] for note in recent["notes"])
    history = History.of(tables)
    sets = matched_sets(_reviews(tables), history)
    days = (sets.cohort["as_of"].min() - tables["factors"]["occurred_at"].min()).days
    found, _, _ = exposures(history, sets, CATALOGUE, ITEMS, PRIORS, lookback=f"{days}d")
    whole, _, _ = exposures(history, sets, CATALOGUE, ITEMS, PRIORS)
    said = tables["factors"].drop_duplicates("case_id").set_index("case_id")["occurred_at"]
    recent = sets.cohort["as_of"].to_numpy() - said.reindex(sets.cohort["case_id"]).to_numpy()
    inside = recent < np.timedelta64(days, "D")
    for part, all_of_it in zip(found, whole, strict=True):
        if part.codes:
            assert np.array_equal(part.state, np.where(inside, all_of_it.state, np.nan), equal_nan=True)
    with pytest.raises(RiskmlError, match='"soon" is no lookback'):
        _compare(tables, lookback="soon")


# ------------------------------------------------------------------ what is said


def test_power_comes_first_and_says_what_so_few_can_show(document):
    assert list(document)[:2] == ["format", "power"]
    power = document["power"]
    assert (power["cases"], power["controls"], power["controls_per_case"]) == (14, 70, 5.0)
    assert "only odds ratios above about 7.2 can be shown" in power["words"]["en"]
    assert "razones de momios mayores que alrededor de 7.2" in power["words"]["es"]
    assert document["words"][0] == power["words"]
    assert [row["power"] for row in power["rows"]] == sorted(row["power"] for row in power["rows"])


def test_power_says_what_is_left_among_those_of_whom_a_factor_is_known():
    """Every item is known of the same half of everybody: by what they were asked, not by how it ended."""
    tables = lethal_tables(200, 20, unknown=0.0)
    asked = np.arange(200) % 2 == 0
    rows = [
        {"case_id": f"c{i}", "incident_id": None, "factor": code, "state": "denied", "source": "911"}
        for i in np.flatnonzero(asked)
        for code in CATALOGUE.factors.codes
    ]
    clock = {key: tables["factors"]["recorded_at"].min() for key in ("occurred_at", "recorded_at")}
    found = _compare(tables | {"factors": pd.DataFrame(rows).assign(**clock, superseded_at=pd.NaT)})
    known = found["power"]["known"]
    strangulation = _row(found, "strangulation")
    assert known["cases"] == strangulation["cases"]["denied"] < found["cases"]
    assert known["controls"] == strangulation["controls"]["denied"] < found["controls"]
    assert known["smallest_odds_ratio"] > found["power"]["smallest_odds_ratio"]
    for group in ("cases", "controls"):
        counts = [row[group] for row in found["rows"]]
        assert found["recording"][group]["known"] == sum(row["present"] + row["denied"] for row in counts)
        assert found["recording"][group]["of"] == sum(
            row["present"] + row["denied"] + row["unknown"] for row in counts
        )


def test_recording_more_of_cases_moves_the_recorded_reading_and_not_the_known_one():
    effects = dict.fromkeys(PRIORS.factors, 0.0)
    tables = lethal_tables(600, 60, log_odds=effects, unknown=0.0)
    rng, rows = np.random.default_rng(0), tables["factors"]
    ended = rows["case_id"].isin(tables["outcomes"]["case_id"])
    # Half as often unknown of those who will be cases: more contacts, more questions.
    kept = rows[rng.random(len(rows)) > np.where(ended, 0.3, 0.6)]
    found = _compare(tables | {"factors": kept})
    shares = [found["recording"][group]["share"] for group in ("cases", "controls")]
    assert shares[0] > 1.4 * shares[1]
    compared = [row for row in found["rows"] if row["prior"] and row["known"]["informative"]]
    assert len(compared) >= 8
    middle = {
        name: np.median([np.log(row[name]["odds_ratio"]) for row in compared])
        for name in ("recorded", "known")
    }
    assert abs(middle["known"]) < 0.2
    assert middle["recorded"] > 0.5


def test_all_41_items_are_there_and_the_priors_factors_beside_them(document):
    assert [row["item"] for row in document["rows"] if row["item"]] == list(range(1, 42))
    rest = [row["factor"] for row in document["rows"] if not row["item"]]
    assert rest == ["separation_from_control", "illicit_drugs", "never_cohabited"]
    published = {row["factor"]: row["prior"] for row in document["rows"] if row["prior"]}
    assert set(published) == set(PRIORS.factors)
    for name, prior in published.items():
        mean, sd = np.log(PRIORS.factors[name].odds_ratio), PRIORS.factors[name].sd or PRIORS.prior_sd
        assert prior["odds_ratio"] == pytest.approx(PRIORS.factors[name].odds_ratio)
        assert prior["tag"] == PRIORS.factors[name].tag
        assert prior["high"] == pytest.approx(np.exp(mean + norm.ppf(0.975) * sd))
    assert [row["factor"] for row in document["rows"] if row["response"]] == ["access_after_assessment"]


def test_published_figures_are_joined_with_the_relationships_of_which_they_speak(mixed):
    tables, sets, document = mixed
    found, _, _ = exposures(History.of(tables), sets, CATALOGUE, ITEMS, PRIORS)
    state = next(one for one in found if one.name == "weapon_threat").known
    couples = np.isin(sets.relationship, ["partner", "ex-partner"])
    assert not couples.all()
    exact = exact_conditional(tables_of_sets(np.where(couples, state, np.nan), sets.outcome, sets.sets))
    expected = posterior_odds(exact, np.log(4.08), 0.5)
    row = _row(document, "weapon_threat")
    assert row["posterior"] == pytest.approx(
        {
            "odds_ratio": expected.odds_ratio,
            "low": expected.low,
            "high": expected.high,
            "sets": exact.informative,
        }
    )
    assert (row["moved"], row["from_data"]) == pytest.approx((expected.moved, expected.from_data))
    assert row["posterior"]["sets"] < row["known"]["informative"]


def test_a_starting_value_is_said_to_be_one(tables, document):
    unchecked = PRIORS.factors["strangulation"].model_copy(
        update={"tag": "M?", "prior_only": True, "sd": 1.0}
    )
    priors = PRIORS.model_copy(update={"factors": PRIORS.factors | {"strangulation": unchecked}})
    found = _compare(tables, priors=priors)
    assert _row(found, "strangulation")["prior"]["starting_value"]
    assert any("M?" in note["es"] for note in found["notes"])
    assert not any("M?" in note["es"] for note in document["notes"])


def test_many_factors_share_one_rate_of_false_findings(document):
    for name in ("recorded", "known"):
        p = np.array([row[name].get("mid_p", np.nan) for row in document["rows"]])
        q = np.array([np.nan if row[name]["q"] is None else row[name]["q"] for row in document["rows"]])
        kept = ~np.isnan(p)
        order = np.argsort(p[kept])
        steps = p[kept][order] * kept.sum() / np.arange(1, kept.sum() + 1)
        by_hand = np.minimum.accumulate(steps[::-1])[::-1]
        assert q[kept][order] == pytest.approx(np.minimum(by_hand, 1))
        assert np.isnan(q[~kept]).all()
    assert all(row["q"] == row["known"]["q"] for row in document["rows"])


def test_an_odds_ratio_without_bound_says_above_which():
    document = _compare(lethal_tables(120, 4))
    rows = [row[name] for row in document["rows"] for name in ("recorded", "known") if row[name].get("bound")]
    assert rows
    for row in rows:
        word, end = {"above": ("above", row["low"]), "below": ("below", row["high"])}[row["bound"]]
        assert f"{word} {end:.{2 if end < 1 else 1}f}" in row["words"]["en"]
        assert (row["high"] is None) == (row["bound"] == "above")


def test_the_joint_model_is_the_lethal_model_of_these_sets(tables, document):
    history = History.of(tables)
    sets = matched_sets(_reviews(tables), history)
    _, frame, _ = exposures(history, sets, CATALOGUE, ITEMS, PRIORS)
    table = fit_lethal(frame, sets.outcome, PRIORS, reference=frame, sets=sets.sets).table()
    for row in document["joint"]["rows"]:
        expected = table.loc[row["factor"]]
        for name in ("prior", "data", "posterior"):
            shown = [row[name][key] for key in ("odds_ratio", "low", "high")]
            values = [expected[name], expected[f"{name}_low"], expected[f"{name}_high"]]
            assert shown == pytest.approx([None if np.isnan(x) else x for x in values], rel=1e-6)
        assert row["moved"] == pytest.approx(expected["moved"])
        assert row["from_data"] == pytest.approx(expected["from_data"])
        assert row["cases"] == {"present": expected["cases_present"], "known": expected["cases_known"]}


def test_the_same_seed_gives_the_same_document_and_no_case_is_named(tables, document):
    assert _text(_compare(tables)) == _text(document)
    reviews, history = _reviews(tables), History.of(tables)
    drawn = [matched_sets(reviews, history, seed=seed).cohort["case_id"].tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    text = _text(document)
    for name in ("cases", "aggressors", "victims"):
        assert not any(f'"{key}"' in text for key in tables["cases"][f"{name[:-1]}_id"])


def test_a_strong_factor_is_found_and_the_rest_is_not_taken_for_one():
    effects = dict.fromkeys(PRIORS.factors, 0.0) | {"strangulation": np.log(8.0)}
    tables = lethal_tables(900, 60, log_odds=effects, unknown=0.1)
    found = _compare(tables)
    row = _row(found, "strangulation")
    assert row["known"]["low"] > 1
    assert row["q"] < 0.01
    assert row["posterior"]["low"] < 8 < row["posterior"]["high"]
    assert sum(other["q"] < 0.05 for other in found["rows"] if other["q"] is not None) == 1
