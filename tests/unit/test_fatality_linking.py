"""Reviewed cases and the registry: ids become pseudonyms, what does not fit is said without them."""

import pandas as pd
import pytest

from registries import KEY, fill, registry_rows
from riskml.fatality.coding.candidates import candidates
from riskml.fatality.coding.linking import PROBLEM, link
from riskml.fatality.reviews import Reviews
from riskml.registry.contract import TABLES
from riskml.registry.database import connect
from riskml.registry.history import History

PSEUDONYM = {str(i): KEY.pseudonym("case_id", str(i)) for i in range(1, 5)}


@pytest.fixture
def registry(tmp_path):
    return fill(connect(f"sqlite:///{tmp_path}/registry.db", create=True), registry_rows())


def case(review, own, **columns):
    row = {"review_id": review, "case_id": own, "kind": "femicide", "event_on": pd.Timestamp("2025-05-04")}
    return row | {"relationship": "ex-partner", "municipality": "Guadalupe", "status": "closed"} | columns


def linked(registry, *rows):
    cases, found = link(pd.DataFrame(list(rows)), registry, KEY)
    return cases["case_id"].tolist(), found


def test_the_registrys_ids_become_pseudonyms_and_pseudonyms_stay(registry):
    ids, found = linked(registry, case("R1", " 2 "), case("R2", PSEUDONYM["3"]), case("R3", None))
    assert ids == [PSEUDONYM["2"], PSEUDONYM["3"], None]
    assert found.empty


def test_an_unknown_id_leaves_the_row_unlinked_and_no_id_is_repeated_or_suggested(registry):
    ids, found = linked(registry, case("R1", "20"), case("R2", "f" * 32), case("R3", "2"))
    assert ids == [None, None, PSEUDONYM["2"]]
    assert found[["review_id", "row", "column", "severity", "code"]].to_numpy().tolist() == [
        ["R1", 0, "case_id", PROBLEM, "unknown_id"],
        ["R2", 1, "case_id", PROBLEM, "unknown_id"],
    ]
    said = " ".join([*found["es"], *found["en"]])
    assert not any(character.isdigit() for character in said)
    assert "f" * 32 not in said


@pytest.mark.parametrize(
    ("own", "columns", "code"),
    [
        ("2", {"event_on": pd.Timestamp("2025-01-04")}, "before_opened"),
        ("2", {"event_on": pd.Timestamp("2025-01-05")}, None),  # the case may be opened on the day itself
        ("2", {"relationship": "son"}, "relationship_differs"),
        ("2", {"relationship": "unknown"}, None),
        ("2", {"relationship": None}, None),
        ("1", {"event_on": pd.Timestamp("2025-01-06"), "kind": "attempted_femicide"}, "outcome_differs"),
        ("1", {"event_on": pd.Timestamp("2025-01-05"), "kind": "femicide"}, "outcome_differs"),
        ("1", {"event_on": pd.Timestamp("2025-01-05"), "kind": "attempted_femicide"}, None),
    ],
)
def test_what_the_form_and_the_registry_say_differently_is_a_warning(registry, own, columns, code):
    ids, found = linked(registry, case("R1", own, **columns))
    assert ids == [PSEUDONYM[own]]
    assert found["code"].tolist() == ([code] if code else [])
    assert (found["severity"] == "warning").all()


def test_two_reviews_of_one_case_are_said(registry):
    ids, found = linked(registry, case("R1", "2"), case("R2", PSEUDONYM["2"]), case("R3", "3"))
    assert ids[0] == ids[1]
    assert found[["review_id", "code"]].to_numpy().tolist() == [
        ["R1", "linked_twice"],
        ["R2", "linked_twice"],
    ]


def test_what_was_corrected_in_the_registry_is_not_compared(tmp_path):
    rows = registry_rows()
    rows["cases"][1]["superseded_at"] = "2025-02-01 00:00:00"
    rows["cases"].append(rows["cases"][1] | {"superseded_at": None, "relationship": "son"})
    registry = fill(connect(f"sqlite:///{tmp_path}/registry.db", create=True), rows)
    assert linked(registry, case("R1", "2", relationship="son"))[1].empty
    assert linked(registry, case("R1", "2"))[1]["code"].tolist() == ["relationship_differs"]


def history(*cases, incidents=(), outcomes=()):
    """A history of cases (id, relationship, municipality, aggressor's and victim's year of birth)."""
    clock = {"occurred_at": pd.Timestamp("2025-01-05"), "recorded_at": pd.Timestamp("2025-01-05")}
    rows = {name: [] for name in ("cases", "aggressors", "victims", "incidents", "outcomes")}
    for name, relationship, municipality, aggressor, victim in cases:
        rows["cases"].append(
            {
                "case_id": name,
                "aggressor_id": f"a{name}",
                "victim_id": f"v{name}",
                "relationship": relationship,
                "municipality": municipality,
                **clock,
            }
        )
        rows["aggressors"].append({"aggressor_id": f"a{name}", "birth_year": aggressor, **clock})
        rows["victims"].append({"victim_id": f"v{name}", "birth_year": victim, **clock})
    for number, (name, severity, day) in enumerate(incidents):
        own = {"incident_id": str(number), "case_id": name, "source": "911", "severity": severity}
        rows["incidents"].append(own | clock | {"occurred_at": pd.Timestamp(day)})
    for name, kind, day in outcomes:
        rows["outcomes"].append({"case_id": name, "kind": kind, **clock, "occurred_at": pd.Timestamp(day)})
    for name, entries in rows.items():
        for entry in entries:
            entry["superseded_at"] = pd.NaT
        wanted = [c.name for c in TABLES[name].history_columns]
        rows[name] = pd.DataFrame(entries, columns=wanted)
        for column in [c for c in wanted if c.endswith("_at")]:
            rows[name][column] = pd.to_datetime(rows[name][column]).astype("datetime64[us]")
    return History.of(rows)


def found(of, *, ages=(("victim", 30, 30), ("aggressor", 41, 50)), **columns):
    """Candidates of one review of 2025-05-04, as (case, agrees, differs)."""
    people = [
        {"review_id": "R1", "role": role, "age_low": low, "age_high": high, "sex": "unknown"}
        for role, low, high in ages
    ]
    rows = candidates(Reviews.of({"cases": [case("R1", None, **columns)], "people": people}), of)
    return list(zip(rows["case_id"], rows["agrees"], rows["differs"], strict=True))


ALIKE = ("relationship", "municipality", "victim_age", "aggressor_age")


def test_a_grave_record_near_the_day_makes_a_candidate_and_what_agrees_puts_it_first():
    of = history(
        ("A", "son", "Jerez", 1960, 1930),
        ("B", "ex-partner", "GUADALUPE", 1980, 1995),
        ("C", "ex-partner", "Guadalupe", 1980, 1960),
        ("D", "son", "Jerez", 1960, 1930),
        incidents=[("A", 5, "2025-05-11"), ("D", 4, "2025-05-04"), ("D", 6, "2025-05-12")],
        outcomes=[("B", "femicide", "2025-05-03")],
    )
    assert found(of) == [("B", ("day", *ALIKE), ()), ("A", ("day",), ALIKE)]


def test_without_a_record_near_the_day_three_facts_have_to_agree_and_none_to_differ():
    of = history(
        ("A", "ex-partner", "Guadalupe", 1980, None),
        ("B", "ex-partner", "Guadalupe", 1960, 1995),
        ("C", None, "Guadalupe", None, 1995),
    )
    assert found(of) == [("A", ("relationship", "municipality", "aggressor_age"), ())]
    assert found(of, ages=()) == []


@pytest.mark.parametrize(("born", "fits"), [(1992, False), (1993, True), (1996, True), (1997, False)])
def test_ages_agree_to_a_year(born, fits):
    of = history(("A", "ex-partner", "Guadalupe", None, born))
    assert bool(found(of)) is fits


def test_partner_and_former_partner_neither_agree_nor_differ():
    of = history(("A", "partner", "Guadalupe", 1980, 1995))
    assert found(of) == [("A", ("municipality", "victim_age", "aggressor_age"), ())]


def test_candidates_say_why_are_few_and_are_never_linked():
    of = history(*((f"c{i}", "ex-partner", "Guadalupe", 1980, 1995) for i in range(9)))
    reviews = Reviews.of(
        {
            "cases": [case("R1", None), case("R2", "c1")],
            "people": [{"review_id": "R1", "role": "victim", "age_low": 30, "age_high": 30}],
        }
    )
    rows = candidates(reviews, of)
    assert rows["rank"].tolist() == [1, 2, 3, 4, 5]
    assert set(rows["review_id"]) == {"R1"}
    assert rows["es"][0] == "Coincide: relación, municipio, edad de la víctima."
    assert rows["en"][0] == "Agrees: relationship, municipality, victim's age."
    assert reviews.cases["case_id"].tolist() == [None, "c1"]
