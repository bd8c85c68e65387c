"""Corrections: a row stands until the moment at which another one replaced it."""


def test_a_corrected_incident_counts_as_first_written_until_it_is_corrected(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at | superseded_at | severity
        A    | 2025-03-01  | 2025-03-01  | 2025-03-10    | 1
        A    | 2025-03-01  | 2025-03-10  | -             | 4
    """)
    spec.feature("severity_highest_90d").at("2025-03-09").is_(1)  # what the analyst could read that day
    spec.feature("severity_highest_90d").at("2025-03-10").is_(4)
    spec.feature("incidents_90d").at("2025-03-09").is_(1)
    spec.feature("incidents_90d").at("2025-03-10").is_(1)  # one replaced by the other, never both


def test_a_withdrawn_record_disappears_when_it_is_withdrawn_and_not_before(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at | superseded_at
        A    | 2025-03-01  | 2025-03-01  | 2025-03-10
    """)
    spec.feature("incidents_ever").at("2025-03-09 23:59").is_(1)
    spec.feature("incidents_ever").at("2025-03-10").is_(0)
    spec.feature("days_since_incident").at("2025-03-10").is_missing()


def test_the_earlier_incident_speaks_again_when_the_last_one_is_withdrawn(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at | superseded_at | severity
        A    | 2025-03-01  | 2025-03-01  | -             | 2
        A    | 2025-03-05  | 2025-03-05  | 2025-03-08    | 5
    """)
    spec.feature("days_since_incident").at("2025-03-07").is_(2)
    spec.feature("days_since_incident").at("2025-03-09").is_(8)
    spec.feature("severity_latest").at("2025-03-07").is_(5)
    spec.feature("severity_latest").at("2025-03-09").is_(2)


def test_a_correction_of_the_date_moves_the_incident_in_its_windows(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at | superseded_at
        A    | 2025-03-20  | 2025-03-21  | 2025-03-25
        A    | 2025-02-20  | 2025-03-25  | -
    """)
    spec.feature("incidents_30d").at("2025-03-24").is_(1)
    spec.feature("incidents_30d").at("2025-03-25").is_(0)  # it had been 33 days before
    spec.feature("days_since_incident").at("2025-03-25").is_(33)


def test_a_row_that_was_replaced_before_it_was_recorded_is_never_known(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at | superseded_at
        A    | 2025-03-01  | 2025-03-10  | 2025-03-05
    """)
    spec.feature("incidents_ever").at("2025-03-07").is_(0)
    spec.feature("incidents_ever").at("2025-03-12").is_(0)


def test_a_corrected_relationship_is_read_as_it_stood(spec):
    spec.history("""
        cases
        case | relationship | occurred_at | recorded_at | superseded_at
        A    | partner      | 2025-01-01  | 2025-01-01  | 2025-02-01
        A    | ex-partner   | 2025-01-01  | 2025-02-01  | -
    """)
    spec.feature("relationship").at("2025-01-31").is_("partner")
    spec.feature("relationship").at("2025-02-01").is_("ex-partner")


def test_a_case_that_was_withdrawn_takes_its_facts_with_it(spec):
    spec.history("""
        cases
        case | occurred_at | recorded_at | superseded_at
        A    | 2025-01-01  | 2025-01-01  | 2025-03-01

        incidents
        case | occurred_at
        A    | 2025-02-01
    """)
    spec.feature("incidents_ever").at("2025-02-28").is_(1)
    spec.feature("incidents_ever").at("2025-03-01").is_(0)
