"""The replay of reviewed cases: what scoring would have said then, nothing learnt later, days counted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_cases import LEVELS_FILE, HandModel, catalogue, cut_at, history, rules
from lethal_history import END, lethal_tables
from riskml.fatality.replay.contacts import critical_by_analyst, reviewed_contacts
from riskml.fatality.replay.replay import replay
from riskml.fatality.replay.replayed_levels import learnt_until
from riskml.fatality.replay.replayed_patterns import judged_patterns, would_match
from riskml.fatality.replay.replayed_rules import days_lost
from riskml.fatality.reviews import Reviews
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.critical import CriticalPattern, CriticalPatterns
from riskml.models.lethal_spec import load_lethal_file
from riskml.registry.history import History
from riskml.scoring.score import score
from riskml.training.lethal import train_lethal
from small_opinion import FEATURES

MODELS = FEATURES.parent / "models"

PATTERNS = """
version: 3
patterns:
  both:
    label: {es: Estrangulamiento y amenaza de muerte, en: Strangulation and threat to kill}
    when: {all_of: [strangulation, death_threat]}
    status: approved
    evidence: [{study: Glass et al. 2008, effect: strangulation OR 6.70, tag: "S:1"}]
    approved_by:
      - {role: prosecutor, by: FGJ-07, date: 2027-03-01}
      - {role: police, by: SSP-02, date: 2027-03-02}
    reasons: Counted by the review.
  leaving:
    label: {es: Celos durante una separación, en: Jealousy during a separation}
    when: {all_of: [jealousy, separation]}
    relationships: [partner, ex-partner]
    status: proposed
changes:
  - {version: 3, date: 2027-03-02, change: Two patterns.}
"""
EVENT = pd.Timestamp("2026-03-01")
TRAINED_UNTIL = "2025-12-01"
CODES = ("strangulation", "death_threat", "alcohol", "jealousy", "separation")


@pytest.fixture(scope="module")
def small():
    return catalogue()


@pytest.fixture(scope="module")
def levels(small, tmp_path_factory):
    return rules(tmp_path_factory.mktemp("levels"), LEVELS_FILE, PATTERNS, of=small)


def a_model(small, name="harm", last=TRAINED_UNTIL, **weights):
    """A model that adds a weight for each factor present and for numbers of columns, trained until `last`."""
    weights = weights or {"incidents_30d": 2.0, "strangulation": 1.5, "protection_in_force": -1.5}

    def margin(matrix):
        total = np.full(len(matrix), -3.0)
        for column, weight in weights.items():
            values = matrix[column]
            number = small.column(column).kind == "number"
            total = total + weight * (
                values.to_numpy(float) if number else (values == "present").to_numpy(float)
            )
        return total

    model = HandModel(name, small, margin, tuple(weights))
    model.report = (
        {"split": {"gap_days": 30.0, "windows": [{"window": "train", "last": last}]}} if last else {}
    )
    return model


def a_review(contacts=(), factors=(), *, case_id="A", event=EVENT, **more):
    """One reviewed case; `factors` are (code, known, known_on, known_by[, state])."""
    rows = [
        {
            "review_id": "R1",
            "factor": f,
            "state": (*rest, "present")[0],
            "known": known,
            "known_on": on,
            "known_by": by,
        }
        for f, known, on, by, *rest in factors
    ]
    log = [{"review_id": "R1", "institution": "health", **entry} for entry in contacts]
    case = {
        "review_id": "R1",
        "case_id": case_id,
        "kind": "femicide",
        "event_on": event,
        "relationship": "partner",
    }
    case |= {"status": "closed", "defined_critical": "no"} | more
    return Reviews.of({"cases": [case], "contacts": log, "factors": rows})


def replayed(facts, small, levels, review=None, models=None):
    models = [a_model(small)] if models is None else models
    return replay(review or a_review(), facts, models, levels, small)


def with_levels(facts, *given):
    """A history with levels that analysts gave: (case, day, level[, superseded])."""
    rows = [
        {
            "case_id": c,
            "level": level,
            "occurred_at": on,
            "recorded_at": on,
            "superseded_at": (*rest, None)[0],
        }
        for c, on, level, *rest in given
    ]
    frame = pd.DataFrame(rows)
    for column in ("occurred_at", "recorded_at", "superseded_at"):
        frame[column] = pd.to_datetime(frame[column])
    return History.of({**facts.tables, "levels": frame})


# -------------------------------------------------------------------------------- which moments are contacts


def test_contacts_are_days_of_the_registry_and_of_the_log_before_the_event(small):
    facts = history(
        incidents=[("A", "2026-02-10 08:00"), ("A", "2026-02-10 17:30"), ("A", "2026-03-01 00:00")],
        factors=[("A", "2026-02-12 09:00", {"factor": "alcohol"})],
    )
    log = [
        {"contact_on": "2026-02-10", "level_then": "medium"},
        {"contact_on": "2026-02-10", "level_then": "high"},
        {"contact_on": "2026-02-10", "institution": "court"},
        {"contact_on": "2026-03-01"},
    ]
    found = reviewed_contacts(a_review(log), facts)
    rows = found.query("day < 100")[["at", "source", "day"]].astype({"at": str}).to_numpy().tolist()
    assert rows == [
        ["2026-02-10 17:30:00.000000", "registry", 19],
        ["2026-02-10 23:59:59.999999", "form", 19],
        ["2026-02-10 23:59:59.999999", "form", 19],
        ["2026-02-12 09:00:00.000000", "registry", 17],
    ]
    of_form = found[found["source"] == "form"].set_index("institution")
    assert of_form.loc["health", "level_then"] == "high", "of two notes of one institution, the highest"
    assert found["records"].iloc[1] == ("911",)


def test_a_closed_case_and_one_that_is_not_there_yet_get_no_opinion(small, levels):
    closed = {"closed_at": pd.Timestamp("2026-02-01")}
    facts = history(
        cases=[("A", "2026-01-05", closed)],
        incidents=[("A", "2026-01-03"), ("A", "2026-01-10"), ("A", "2026-02-10")],
    )
    contacts = replayed(facts, small, levels)["cases"][0]["contacts"]
    assert [c["standing"] for c in contacts] == ["not_visible", "open", "open", "closed"]
    assert [bool(c["suggested"]) for c in contacts] == [False, True, True, False]


def test_a_fact_recorded_after_it_happened_is_a_contact_when_it_is_recorded(small):
    late = {"recorded_at": pd.Timestamp("2026-02-20")}
    facts = history(cases=[("A", "2026-02-01")], incidents=[("A", "2026-01-10", late)])
    assert reviewed_contacts(a_review(), facts)["day"].tolist() == [28, 9]


# --------------------------------------------------------------------------------- what was said at a moment


START = pd.Timestamp("2025-01-10")


def some_facts(rng, cases=3, days=400, most=9):
    """Random rows for `history`: incidents, factors, measures, corrections, late records."""
    rows = {"incidents": [], "factors": [], "measures": []}
    for k, case in enumerate([f"C{k}" for k in range(cases)]):
        for code in CODES[1:4] if k % 2 else ():  # of every other case enough is known for a level
            clock = {"occurred_at": START, "recorded_at": START}
            rows["factors"].append((case, START, {"factor": code, "state": "denied", **clock}))
        for _ in range(int(rng.integers(2, most))):
            done = START + pd.Timedelta(hours=int(rng.integers(0, days * 24)))
            known = done + pd.Timedelta(days=int(rng.choice([0, 0, 3, 40])))
            told = {"occurred_at": done, "recorded_at": known}
            name = str(rng.choice(["incidents", "factors", "factors", "measures"]))
            if name == "factors":
                told |= {
                    "factor": str(rng.choice(CODES)),
                    "state": str(rng.choice(["present", "present", "denied"])),
                }
            if rng.random() < 0.15:
                told["superseded_at"] = known + pd.Timedelta(days=int(rng.integers(1, 60)))
            if name == "measures":
                told["expires_at"] = done + pd.Timedelta(days=90)
            rows[name].append((case, done, told))
    return rows


def reviews_of(cases, event):
    rows = [
        {
            "review_id": f"R{k}",
            "case_id": case,
            "kind": "femicide",
            "event_on": event,
            "relationship": "partner",
            "status": "closed",
            "defined_critical": "no",
        }
        for k, case in enumerate(cases)
    ]
    log = [
        {"review_id": "R0", "contact_on": event - pd.Timedelta(days=d), "institution": "health"}
        for d in (9, 200)
    ]
    return Reviews.of({"cases": rows, "contacts": log})


def equals_scoring(seed, small, levels, *, cases, most, alone, step=1):
    """Compare contacts of a random history, one in so many, with scoring: the levels compared, list."""
    rng = np.random.default_rng(seed)
    facts, ids = history(**some_facts(rng, cases=cases, most=most)), [f"C{k}" for k in range(cases)]
    reviews = reviews_of(ids, START + pd.Timedelta(days=300))
    models = [
        a_model(small, incidents_90d=1.5, strangulation=1.5, protection_in_force=-1.5),
        a_model(small, "repeat", alcohol=1.0, death_threat=2.5, incidents_90d=0.4),
    ]
    document = replay(reviews, facts, models, levels, small)
    asked = {"harm@by-hand + repeat@by-hand": models}
    asked |= {f"{m.name}@by-hand": [m] for m in models if alone}
    said = []
    for case, own in zip(ids, document["cases"], strict=True):
        for contact in own["contacts"][::step]:
            if contact["standing"] != "open":
                continue
            moment = exact_moment(contact)
            known = cut_at(facts, moment)
            for name, of in asked.items():
                wanted = score(of, known, moment, levels=levels).cases.loc[case, "suggested_level"]
                assert contact["suggested"][name] == wanted, (name, case, moment)
                said.append(wanted)
    return said


def exact_moment(contact):
    at = pd.Timestamp(contact["at"])
    return at + pd.Timedelta(seconds=1, microseconds=-1) if contact["source"] == "form" else at


def test_the_level_at_a_contact_is_what_scoring_gave_on_the_history_of_that_moment(small, levels):
    said = equals_scoring(8, small, levels, cases=2, most=9, alone=False, step=3)
    assert {"critical", "low", "insufficient_data"} <= set(said), "the cases are too tame to prove anything"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 14))
def test_the_level_is_that_of_scoring_on_many_histories(seed, small, levels):
    assert equals_scoring(seed, small, levels, cases=3, most=10, alone=True)


def test_silence_is_held_at_a_contact_as_scoring_holds_it(small, levels):
    facts = history(
        incidents=[("A", "2025-06-01"), ("A", "2025-06-02")],
        factors=[("A", "2026-02-01", {"factor": "alcohol"})],
    )
    contacts = replayed(facts, small, levels)["cases"][0]["contacts"]
    assert [list(c["suggested"].values()) for c in contacts][-2:] == [["critical"], ["critical"]]


@pytest.mark.parametrize("examples", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_nothing_recorded_after_a_contact_changes_what_is_said_there(small, levels, examples):
    @settings(max_examples=examples, deadline=None)
    @given(seed=st.integers(0, 10_000), later=st.integers(0, 10_000))
    def holds(seed, later):
        says_the_same(small, levels, seed, later)

    holds()


def says_the_same(small, levels, seed, later):
    rng, more = np.random.default_rng(seed), np.random.default_rng(later)
    moment, event = START + pd.Timedelta(days=200), START + pd.Timedelta(days=300)
    before = some_facts(rng, cases=2, days=200, most=5)
    before = {n: [r for r in rows if r[2]["recorded_at"] <= moment] for n, rows in before.items()}
    reviews, models = reviews_of(["C0", "C1"], event), [a_model(small, last="2025-01-11")]
    known = sorted({case for rows in before.values() for case, *_ in rows} | {"C0", "C1"})
    cases = [(case, START) for case in known]
    first = replay(reviews, history(cases=cases, **before), models, levels, small)
    after = some_facts(more, cases=2, days=200, most=8)
    for rows in after.values():  # back-dated as they are, and recorded only later
        for row in rows:
            row[2]["recorded_at"] = moment + pd.Timedelta(hours=int(more.integers(1, 90 * 24)))
            row[2].pop("superseded_at", None)
    together = {n: [*corrected(rows, moment, more), *after[n]] for n, rows in before.items()}
    second = replay(reviews, history(cases=cases, **together), models, levels, small)
    for old, new in zip(first["cases"], second["cases"], strict=True):
        assert said_by(old, moment) == said_by(new, moment)
        assert len(new["contacts"]) >= len(old["contacts"])


def corrected(rows, moment, rng):
    """The same rows, some of them corrected after a moment."""
    made = []
    for case, done, told in rows:
        if told.get("superseded_at") is None and rng.random() < 0.5:
            told = told | {"superseded_at": moment + pd.Timedelta(days=int(rng.integers(1, 60)))}
        made.append((case, done, told))
    return made


def said_by(case, moment):
    return [c for c in case["contacts"] if pd.Timestamp(c["at"]) <= moment]


# -------------------------------------------------------------- what fired first, and how many days were lost


def strangled(day, *codes, case="A"):
    return [(case, day, {"factor": code}) for code in codes]


def two_contacts(**more):
    return history(
        incidents=[("A", "2026-01-01"), ("A", "2026-02-01")],
        factors=[*strangled("2026-01-01", "strangulation"), *strangled("2026-02-01", "death_threat")],
        **more,
    )


def test_days_are_lost_from_the_first_day_a_rule_fired_to_the_event(small, levels):
    case = replayed(two_contacts(), small, levels, models=[])["cases"][0]
    assert (case["first_fired"]["rule"], case["first_fired"]["day"]) == ("both", 28)
    assert (case["days_lost"], case["days_lost_to"]) == (28, "event")
    assert case["first_critical_by_analyst"] is None


@pytest.mark.parametrize(
    ("given", "day", "lost", "to"),
    [
        ([("A", "2026-02-20", "critical")], 9, 19, "analyst_critical"),
        ([("A", "2026-01-15", "critical")], 45, 0, "analyst_first"),
        ([("A", "2026-01-15", "critical", "2026-01-10")], None, 28, "event"),
        ([("A", "2026-01-15", "high"), ("A", "2026-03-02", "critical")], None, 28, "event"),
        ([("A", "2026-01-15", "critical", "2026-01-20")], 45, 0, "analyst_first"),
    ],
)
def test_days_are_lost_to_the_analysts_critical_level_where_there_was_one(
    small, levels, given, day, lost, to
):
    case = replayed(with_levels(two_contacts(), *given), small, levels, models=[])["cases"][0]
    assert (case["first_critical_by_analyst"] or {}).get("day") == day
    assert (case["days_lost"], case["days_lost_to"]) == (lost, to)


def test_the_analysts_level_is_the_latest_that_was_visible_then(small, levels):
    facts = with_levels(
        two_contacts(), ("A", "2025-12-30", "high", "2026-01-20"), ("A", "2026-02-10", "critical")
    )
    contacts = replayed(facts, small, levels, models=[])["cases"][0]["contacts"]
    assert [c["analyst_level"] for c in contacts][-2:] == ["high", None]


def test_the_forms_critical_level_counts_from_its_day(small):
    review = a_review([{"contact_on": "2026-02-01", "level_then": "critical"}])
    found = critical_by_analyst(review, with_levels(two_contacts(), ("A", "2026-02-10", "critical")))
    assert found["at"].tolist() == [pd.Timestamp("2026-02-01")]
    assert found["source"].tolist() == ["form"]


def test_nothing_is_lost_where_nothing_fired():
    lost = days_lost(np.array([10.0, np.nan, 5.0, 7.0]), np.array([4.0, 4.0, 9.0, np.nan]))
    np.testing.assert_array_equal(lost, [6.0, np.nan, 0.0, 7.0])


def test_a_proposed_pattern_is_shown_and_is_no_rule_that_fired(small, levels):
    facts = history(
        incidents=[("A", "2026-01-01")], factors=strangled("2026-01-01", "jealousy", "separation")
    )
    document = replayed(facts, small, levels, models=[])
    case = document["cases"][0]
    assert [f["rule"] for f in case["fired"]] == ["leaving"]
    assert case["first_fired"] is None
    rows = {(r["rule"], r["group"]): r["fired"] for r in document["table"]}
    assert (rows["leaving", "all"]["n"], rows["any", "all"]["n"], rows["any", "all"]["of"]) == (1, 0, 1)


# ------------------------------------------------------------------------------------ who learnt from what


def test_a_version_is_honest_only_after_its_data_and_their_follow_up_end(small, levels):
    assert learnt_until(a_model(small)) == pd.Timestamp("2025-12-31")
    facts = history(incidents=[("A", "2025-12-31"), ("A", "2026-01-01")])
    document = replayed(facts, small, levels, models=[a_model(small, incidents_30d=6.0)])
    contacts = document["cases"][0]["contacts"]
    assert [c["learnt_from_it"] for c in contacts[-2:]] == [True, False]
    rows = {r["group"]: r for r in document["table"] if r["rule"] == "harm@by-hand"}
    assert (rows["all"]["days_before"]["median"], rows["honest"]["days_before"]["median"]) == (60, 59)
    assert rows["honest"]["first_contact"]["of"] == 0, "it learnt from the first contact"
    fired = document["cases"][0]["first_fired"]
    assert (fired["day"], fired["honest"], fired["first_honest_day"]) == (60, False, 59)


def test_a_version_that_does_not_say_until_when_it_learnt_is_honest_of_nothing(small, levels):
    document = replayed(
        history(incidents=[("A", "2026-02-01")]), small, levels, models=[a_model(small, last=None)]
    )
    assert all(c["learnt_from_it"] for c in document["cases"][0]["contacts"])
    honest = next(r for r in document["table"] if (r["kind"], r["group"]) == ("version", "honest"))
    assert honest["fired"]["of"] == 0
    assert honest["missing"]["es"]


def test_two_versions_of_a_name_are_asked_apart_and_the_last_one_together(small, levels):
    old, new, other = a_model(small), a_model(small, incidents_30d=9.0), a_model(small, "repeat", alcohol=1.0)
    old.version = "older"
    document = replayed(history(incidents=[("A", "2026-02-01")]), small, levels, models=[old, new, other])
    names = [v["name"] for v in document["versions"]]
    assert names == ["harm@by-hand + repeat@by-hand", "harm@older", "harm@by-hand", "repeat@by-hand"]
    said = document["cases"][0]["contacts"][-1]["suggested"]
    assert (said["harm@older"], said["harm@by-hand"]) == ("high", "critical")


def test_a_pattern_is_not_counted_on_the_cases_that_defined_it(small, levels):
    review = a_review(defined_critical="yes")
    rows = {
        (r["rule"], r["group"]): r["fired"]
        for r in replayed(two_contacts(), small, levels, review, models=[])["table"]
    }
    assert rows["both", "all"]["n"] == 1
    assert (rows["both", "honest"]["n"], rows["both", "honest"]["of"]) == (0, 0)
    pattern = levels.patterns.patterns["both"].model_copy(update={"defined_in": ("abc",)})
    found_in = levels.patterns.patterns | {"both": pattern}
    changed = levels.__class__(**{**vars(levels), "patterns": type(levels.patterns)(3, found_in)})
    for defining, of in ((None, 0), ({"abc": {"R9"}}, 1), ({"abc": {"R1"}}, 0)):
        document = replay(a_review(), two_contacts(), [], changed, small, defining=defining)
        honest = next(r for r in document["table"] if (r["rule"], r["group"]) == ("both", "honest"))
        assert honest["fired"]["of"] == of, defining


# -------------------------------------------------------------- what was unknown and would have mattered


def mattering(small, levels, *factors, facts=None):
    facts = facts or history(
        incidents=[("A", "2026-01-01")], factors=strangled("2026-01-01", "strangulation")
    )
    return replayed(facts, small, levels, a_review((), factors), models=[])["cases"][0]


def test_what_somebody_knew_and_nobody_recorded_is_named_with_who_knew_it(small, levels):
    case = mattering(small, levels, ("death_threat", "before", "2025-12-20", "family"))
    (entry,) = case["unknown_that_mattered"]
    assert (entry["factor"], entry["known_to"], entry["known_on_day"]) == ("death_threat", "family", 71)
    assert (entry["patterns"], entry["first_day"]) == (["both"], 59)
    assert case["contacts"][-1]["unknown_decides"] == ["death_threat"]


def test_what_came_to_be_known_only_after_the_event_is_apart(small, levels):
    case = mattering(small, levels, ("death_threat", "after", "2026-04-01", "prosecutor"))
    assert case["unknown_that_mattered"] == []
    assert [e["factor"] for e in case["known_only_after"]] == ["death_threat"]
    dated_after = mattering(small, levels, ("death_threat", "before", "2026-04-01", "prosecutor"))
    assert dated_after["unknown_that_mattered"] == [], "the date says otherwise"


def test_what_somebody_learnt_after_the_contact_did_not_matter_there(small, levels):
    case = mattering(small, levels, ("death_threat", "before", "2026-02-15", "family"))
    assert case["unknown_that_mattered"] == case["known_only_after"] == case["known_unsaid"] == []


def test_two_unrecorded_factors_matter_together_and_one_to_spare_does_not(small, levels):
    facts = history(incidents=[("A", "2026-01-01")], factors=strangled("2026-01-01", "alcohol"))
    told = [
        (code, "before", "2025-12-20", "family") for code in ("strangulation", "death_threat", "jealousy")
    ]
    case = mattering(small, levels, *told, facts=facts)
    assert [e["factor"] for e in case["unknown_that_mattered"]] == ["strangulation", "death_threat"]
    assert case["unknown_that_mattered"][0]["together_with"] == ["death_threat"]


def test_only_the_smallest_sets_of_factors_are_named():
    when = {"all_of": ["separation", {"any_of": ["strangulation", "death_threat"]}]}
    pattern = CriticalPattern(label={"es": "x", "en": "x"}, when=when)
    judged = judged_patterns(CriticalPatterns(1, {"leaving": pattern}), catalogue())
    matrix = pd.DataFrame({code: [None, "denied", None] for code in CODES}, dtype=object)
    matrix.loc[2, "strangulation"] = "present"
    said = np.array([[code != "alcohol" for code in CODES]] * 3)
    found = [(one.row, one.factors) for one in would_match(judged, matrix, said, list(CODES))]
    assert sorted(found) == [
        (0, ("separation", "death_threat")),
        (0, ("separation", "strangulation")),
        (2, ("separation",)),
    ]


def test_a_pattern_that_needs_one_thing_known_after_the_event_could_not_have_matched(small, levels):
    facts = history(incidents=[("A", "2026-01-01")])
    told = [
        ("strangulation", "before", "2025-12-20", "family"),
        ("death_threat", "after", "2026-04-01", "prosecutor"),
    ]
    case = mattering(small, levels, *told, facts=facts)
    assert case["unknown_that_mattered"] == []
    assert {e["factor"] for e in case["known_only_after"]} == {"strangulation", "death_threat"}


# ------------------------------------------------------------------------------------- without a registry


def test_a_case_outside_the_registry_is_judged_by_patterns_on_what_the_form_dates(small, levels):
    log = [
        {"contact_on": "2026-01-01", "known_factors": "strangulation; alcohol"},
        {"contact_on": "2026-02-01", "level_then": "low"},
    ]
    told = [
        ("death_threat", "before", "2026-01-20", "health"),
        ("jealousy", "after", "2026-03-20", "prosecutor"),
    ]
    document = replay(a_review(log, told, case_id=None), None, [a_model(small)], levels, small)
    case = document["cases"][0]
    assert not case["linked"]
    assert [c["suggested"] for c in case["contacts"]] == [{}, {}]
    states = [{p["pattern"]: p["state"] for p in c["patterns"]} for c in case["contacts"]]
    assert [s["both"] for s in states] == ["undetermined", "matched"]
    assert {s["leaving"] for s in states} == {"undetermined"}
    assert (case["first_fired"]["day"], case["days_lost"]) == (28, 28)
    version = next(r for r in document["table"] if (r["kind"], r["group"]) == ("version", "all"))
    assert version["fired"]["of"] == 0
    assert "missing" in version


def test_a_linked_case_that_the_history_does_not_hold_is_said(small, levels):
    document = replayed(two_contacts(), small, levels, a_review(case_id="of another key"), models=[])
    assert not document["cases"][0]["linked"]
    assert any("con otra clave" in note["es"] for note in document["notes"])
    told = replayed(two_contacts(), small, levels, models=[])["notes"]
    assert not any("con otra clave" in note["es"] for note in told)


def test_a_review_without_any_contact_stays_in_the_count(small, levels):
    reviews = Reviews.of(
        {
            "cases": [
                {
                    "review_id": f"R{k}",
                    "case_id": case,
                    "kind": "femicide",
                    "event_on": EVENT,
                    "status": "closed",
                }
                for k, case in enumerate(["A", None])
            ]
        }
    )
    document = replayed(two_contacts(), small, levels, reviews, models=[])
    row = next(r for r in document["table"] if (r["rule"], r["group"]) == ("both", "all"))
    assert (row["fired"]["n"], row["fired"]["of"]) == (1, 2)
    assert (row["first_contact"]["n"], row["first_contact"]["of"]) == (0, 1)
    assert row["fired"]["low"] == pytest.approx(0.0126, abs=1e-4)


# ------------------------------------------------------------------------------------------- lethal versions


@pytest.mark.slow
def test_a_lethal_version_gives_relative_risk_at_each_contact_and_no_level(small, levels):
    tables = lethal_tables(80, 6)
    spec, full = load_lethal_file(MODELS / "lethal.yml"), load_catalogue(FEATURES)
    bundle = train_lethal(spec, History.of(tables), catalogue=full)
    outcome = tables["outcomes"].iloc[0]
    reviews = a_review(case_id=outcome["case_id"], event=outcome["occurred_at"].normalize())
    document = replay(reviews, tables, [bundle], levels, bundle.catalogue)
    (version,) = document["versions"]
    assert (version["kind"], version["learnt_until"][:10]) == ("relative", f"{END:%Y-%m-%d}")
    contacts = document["cases"][0]["contacts"]
    name = f"{bundle.name}@{bundle.version}"
    for contact in contacts:
        assert contact["suggested"] == {}
        moment = pd.DataFrame({"case_id": [outcome["case_id"]], "as_of": [pd.Timestamp(contact["at"])]})
        known = cut_at(History.of(tables), moment["as_of"][0])
        wanted = bundle.score(build_features(known, moment, full))
        said = contact["risks"][name]
        assert set(said) == {"relative", "low", "high", "unknown"}
        assert said["relative"] == pytest.approx(wanted["relative"].iloc[0])
    assert len(contacts) == 2
    assert not [r for r in document["table"] if r["rule"] == name], "it fires nothing"
