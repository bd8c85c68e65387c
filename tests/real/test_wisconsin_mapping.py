"""Court records as a registry, on a handful of made-up people: what happened when, and who could know it."""

import pandas as pd
import pytest
from wisconsin_registry.mapping import map_records
from wisconsin_registry.records import read_records
from wisconsin_registry.statutes import read_charges

from riskml.errors import RiskmlError
from riskml.outcomes.cohort import assessments
from riskml.outcomes.labels import label_outcomes
from riskml.registry.history import History

BATTERY, DISORDERLY, STRANGULATION = "940.19(1)", "947.01(1)", "940.235(1)"
DOMESTIC = {"event": "incident", "horizon": "180d", "reporting_lag": "0d"}
VIOLENT = {**DOMESTIC, "over": "aggressor", "sources": "investigation_file"}


def _case(case, person, filed, kind="CM"):
    return {
        "case_id": case,
        "person_id": person,
        "region": 1,
        "case_type": kind,
        "filing_date": filed,
        "sex": "Male",
        "group": "group_1",
        "birth_year_bin": 1980,
    }


def _charge(case, offence, statute=BATTERY, *, penalty="Misd. A", domestic=True, disposed=None, **more):
    return {
        "case_id": case,
        "charge_no": 1,
        "description": more.get("description", "made up"),
        "statute": statute,
        "severity": penalty,
        "offense_date": offence,
        "disposition": "Guilty Due to Guilty Plea" if disposed else None,
        "disposition_date": disposed,
        "domestic_abuse": domestic,
        "attempt": more.get("attempt", False),
        "weapon": more.get("weapon", False),
    }


def _docket(case, day, event):
    return {"case_id": case, "date": day, "event": event}


@pytest.fixture
def registry(tmp_path):
    """A function that maps made-up records and gives the registry's tables."""

    def mapped(cases, charges, docket=(), until=None):
        pd.DataFrame(cases).to_parquet(tmp_path / "cases.parquet")
        pd.DataFrame(charges).to_parquet(tmp_path / "charges.parquet")
        pd.DataFrame(docket, columns=["case_id", "date", "event"]).to_parquet(tmp_path / "docket.parquet")
        return map_records(read_records(tmp_path), until=until)

    return mapped


def _outcome(tables, day, definition):
    history = History.of(tables)
    cohort = assessments(history, every="1d", start=day, end=day)
    labels = label_outcomes(history, cohort, definition, known_at="2016-12-31")
    return dict(zip(cohort["case_id"], labels["outcome"], strict=True))


def test_an_offence_is_recorded_when_it_is_filed(registry):
    incidents = registry([_case("a", "p", "2015-03-20")], [_charge("a", "2015-03-01")])["incidents"]
    assert incidents["occurred_at"].tolist() == [pd.Timestamp("2015-03-01")]
    assert incidents["recorded_at"].tolist() == [pd.Timestamp("2015-03-20")]


def test_one_case_for_each_person_opened_at_the_first_domestic_filing(registry):
    tables = registry(
        [_case("a", "p", "2015-01-20"), _case("b", "p", "2015-03-20"), _case("c", "p", "2015-05-20")],
        [
            _charge("a", "2015-01-01", "943.50(1m)(b)", domestic=False),
            _charge("b", "2015-03-01"),
            _charge("c", "2015-05-01"),
        ],
    )
    assert tables["cases"]["case_id"].tolist() == ["p-domestic"]
    assert tables["cases"]["occurred_at"].tolist() == [pd.Timestamp("2015-03-20")]
    assert tables["cases"]["victim_id"].nunique() == 1
    assert len(tables["incidents"]) == 2
    assert tables["factors"].set_index("factor").loc["criminal_record", "recorded_at"] == pd.Timestamp(
        "2015-01-20"
    )


def test_charges_of_one_file_and_day_are_one_incident_as_grave_as_the_gravest(registry):
    tables = registry(
        [_case("a", "p", "2015-03-20", "CF")],
        [
            _charge("a", "2015-03-01", DISORDERLY, penalty="Misd. B"),
            _charge("a", "2015-03-01", STRANGULATION, penalty="Felony H", domestic=False),
            _charge("a", "2015-02-01", DISORDERLY, penalty="Misd. B"),
        ],
    )
    found = tables["incidents"].sort_values("occurred_at")
    assert found["severity"].tolist() == [0, 4]
    assert found["source"].tolist() == ["police_report", "investigation_file"]
    assert "strangulation" in set(tables["factors"]["factor"])


def test_violence_against_others_is_read_with_the_person_and_never_assessed(registry):
    tables = registry(
        [_case("a", "p", "2015-03-20"), _case("b", "p", "2015-04-20", "CF")],
        [
            _charge("a", "2015-03-01"),
            _charge("b", "2015-04-01", "940.19(2)", penalty="Felony I", domestic=False),
        ],
    )
    assert set(tables["cases"]["case_id"]) == {"p-domestic", "p-other"}
    cohort = assessments(History.of(tables), every="1d", start="2015-05-01", end="2015-05-01")
    assert cohort["case_id"].tolist() == ["p-domestic"]
    assert "prior_violence_others" in set(tables["factors"]["factor"])


def test_a_new_filing_for_an_offence_before_the_index_date_is_no_event(registry):
    cases = [_case("a", "p", "2015-03-20"), _case("b", "p", "2015-08-01"), _case("c", "q", "2015-03-20")]
    charges = [_charge("a", "2015-03-01"), _charge("b", "2015-03-01"), _charge("c", "2015-03-01")]
    assert set(_outcome(registry(cases, charges), "2015-06-01", DOMESTIC).values()) == {0.0}
    again = [*charges, _charge("b", "2015-07-15")]
    assert _outcome(registry(cases, again), "2015-06-01", DOMESTIC) == {"p-domestic": 1.0, "q-domestic": 0.0}


def test_a_violent_felony_against_others_counts_for_the_violent_outcome_alone(registry):
    tables = registry(
        [_case("a", "p", "2015-03-20"), _case("b", "p", "2015-07-20", "CF"), _case("c", "p", "2015-08-20")],
        [
            _charge("a", "2015-03-01"),
            _charge("b", "2015-07-01", "940.19(2)", penalty="Felony I", domestic=False),
            _charge("c", "2015-08-01", "943.50(1m)(b)", domestic=False),
        ],
    )
    assert _outcome(tables, "2015-06-01", DOMESTIC) == {"p-domestic": 0.0}
    assert _outcome(tables, "2015-06-01", VIOLENT) == {"p-domestic": 1.0}


def test_a_filing_before_its_offence_is_visible_from_the_later_day(registry):
    tables = registry(
        [_case("a", "p", "2015-03-20")], [_charge("a", "2015-08-01"), _charge("a", "2015-03-01")]
    )
    history = History.of(tables)
    cohort = assessments(history, at_contacts=True, every=None, end="2015-12-31")
    assert set(cohort["as_of"]) == {pd.Timestamp("2015-03-20"), pd.Timestamp("2015-08-01")}


def test_a_row_without_a_day_is_never_visible_and_is_counted(registry, tmp_path):
    tables = registry(
        [_case("a", "p", "2015-03-20"), _case("b", "q", None)],
        [_charge("a", "2015-03-01"), _charge("a", None), _charge("b", "2015-03-01")],
    )
    faults = read_records(tmp_path).faults
    assert faults["charges without offence date"] == 1
    assert faults["court cases without filing date"] == 1
    cohort = assessments(History.of(tables), every="1d", start="2015-06-01", end="2015-06-01")
    assert cohort["case_id"].tolist() == ["p-domestic"]
    assert _outcome(tables, "2015-06-01", DOMESTIC) == {"p-domestic": 0.0}


def test_a_bond_ends_with_the_last_disposition_and_custody_with_the_posting(registry):
    tables = registry(
        [_case("a", "p", "2015-03-20")],
        [_charge("a", "2015-03-01", disposed="2015-06-01")],
        [
            _docket("a", "2015-03-21", "Cash bond set"),
            _docket("a", "2015-04-01", "Cash bond posted"),
            _docket("a", "2015-03-21", "No Contact Provision Ordered"),
            _docket("a", "2015-05-01", "No Contact Provision Canceled"),
            _docket("a", "2015-03-10", "Signature bond signed"),
        ],
    )
    measures = tables["measures"].set_index("kind")
    assert measures["ended_at"].to_dict() == {
        "precautionary": pd.Timestamp("2015-06-01"),
        "protection": pd.Timestamp("2015-05-01"),
        "custody": pd.Timestamp("2015-04-01"),
    }
    # Signed at arrest, ten days before there was a file that could show it.
    assert measures.loc["precautionary", "occurred_at"] == pd.Timestamp("2015-03-10")
    assert measures.loc["precautionary", "recorded_at"] == pd.Timestamp("2015-03-20")


def test_the_registry_as_of_a_day_knows_nothing_later(registry):
    cases = [_case("a", "p", "2015-03-20"), _case("b", "p", "2015-09-01"), _case("c", "q", "2015-09-01")]
    charges = [
        _charge("a", "2015-03-01", disposed="2015-07-01"),
        _charge("b", "2015-05-01"),
        _charge("c", "2015-05-01"),
    ]
    docket = [_docket("a", "2015-03-21", "Signature bond set")]
    tables = registry(cases, charges, docket, until="2015-06-01")
    assert tables["cases"]["case_id"].tolist() == ["p-domestic"]
    assert tables["aggressors"]["aggressor_id"].tolist() == ["p"]
    assert len(tables["incidents"]) == 1
    assert tables["measures"]["ended_at"].isna().all()
    assert set(tables["proceedings"]["stage"]) == {"file_opened"}


@pytest.mark.parametrize(
    ("statute", "penalty", "more", "severity", "violent"),
    [
        (DISORDERLY, "Misd. B", {}, 0, False),
        ("32.03/947.01(1)", "Forf. U", {}, 0, False),
        (BATTERY, "Misd. A", {}, 3, True),
        ("940.19(2)", "Felony I", {}, 4, True),
        ("940.195(1)", "Misd. A", {}, 4, True),  # not the same statute as 940.19
        (DISORDERLY, "Misd. B", {"weapon": True}, 3, False),
        (BATTERY, "Misd. A", {"weapon": True}, 4, True),
        ("940.01(1)(a)", "Felony A", {}, 6, True),
        ("940.01(1)(a)", "Felony A", {"attempt": True}, 5, True),
        ("999.99", "Felony G", {}, 3, False),
        ("999.99", None, {}, 1, False),
    ],
)
def test_severity_comes_from_statute_class_weapon_and_attempt(statute, penalty, more, severity, violent):
    found = read_charges(pd.DataFrame([_charge("a", "2015-03-01", statute, penalty=penalty, **more)])).iloc[0]
    assert (found["level"], found["violent"]) == (severity, violent)


def test_missing_columns_are_listed_at_once(tmp_path):
    pd.DataFrame({"case_id": ["a"]}).to_parquet(tmp_path / "cases.parquet")
    with pytest.raises(RiskmlError, match="birth_year_bin, case_type, filing_date"):
        read_records(tmp_path)
