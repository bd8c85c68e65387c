"""Aggregates: what each of them says, and what it says of nothing."""


def test_over_nothing_counts_are_zero_and_values_are_missing(spec):
    spec.history("""
        cases
        case | occurred_at
        A    | 2025-01-01
    """)
    spec.feature("incidents_30d").at("2025-03-01").is_(0)
    spec.feature("any_incident_30d").at("2025-03-01").is_(0)
    spec.feature("sources_90d").at("2025-03-01").is_(0)
    spec.feature("severity_total_90d").at("2025-03-01").is_(0)
    spec.feature("measure_in_force").at("2025-03-01").is_(0)
    spec.feature("severity_mean_90d").at("2025-03-01").is_missing()
    spec.feature("severity_highest_90d").at("2025-03-01").is_missing()
    spec.feature("severity_latest").at("2025-03-01").is_missing()
    spec.feature("days_since_incident").at("2025-03-01").is_missing()
    spec.feature("days_to_expiry").at("2025-03-01").is_missing()


def test_total_mean_and_highest_of_a_column(spec):
    spec.history("""
        incidents
        case | occurred_at | severity
        A    | 2025-02-01  | 1
        A    | 2025-02-10  | 4
        A    | 2025-02-20  | 1
    """)
    spec.feature("severity_total_90d").at("2025-03-01").is_(6)
    spec.feature("severity_mean_90d").at("2025-03-01").is_(2)
    spec.feature("severity_highest_90d").at("2025-03-01").is_(4)
    spec.feature("severity_latest").at("2025-03-01").is_(1)


def test_an_unknown_value_is_left_out_and_not_taken_for_zero(spec):
    spec.history("""
        incidents
        case | occurred_at | severity
        A    | 2025-02-01  | 3
        A    | 2025-02-10  | -
    """)
    spec.feature("incidents_90d").at("2025-03-01").is_(2)
    spec.feature("severity_mean_90d").at("2025-03-01").is_(3)
    spec.feature("severity_latest").at("2025-03-01").is_(3)  # the last one that is known


def test_the_highest_falls_when_the_worst_incident_leaves_the_window(spec):
    spec.history("""
        incidents
        case | occurred_at | severity
        A    | 2025-01-01  | 5
        A    | 2025-03-01  | 2
    """)
    spec.feature("severity_highest_90d").at("2025-03-15").is_(5)
    spec.feature("severity_highest_90d").at("2025-04-15").is_(2)
    spec.feature("severity_highest_ever").at("2025-04-15").is_(5)


def test_any_says_whether_and_not_how_many(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-03-01
        A    | 2025-03-02
    """)
    spec.feature("any_incident_30d").at("2025-03-05").is_(1)
    spec.feature("any_incident_30d").at("2025-04-15").is_(0)
    spec.feature("any_incident_ever").at("2025-04-15").is_(1)


def test_distinct_counts_each_word_once(spec):
    spec.history("""
        incidents
        case | occurred_at | source
        A    | 2025-03-01  | 911
        A    | 2025-03-02  | 911
        A    | 2025-03-03  | banevim
    """)
    spec.feature("sources_90d").at("2025-03-02").is_(1)
    spec.feature("sources_90d").at("2025-03-05").is_(2)


def test_days_since_keeps_the_fraction_of_a_day(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-03-01 06:00
    """)
    spec.feature("days_since_incident").at("2025-03-03 18:00").is_(2.5)


def test_of_two_facts_at_one_instant_the_one_recorded_last_is_the_latest(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at | severity
        A    | 2025-03-01  | 2025-03-03  | 4
        A    | 2025-03-01  | 2025-03-02  | 1
    """)
    spec.feature("severity_latest").at("2025-03-02").is_(1)
    spec.feature("severity_latest").at("2025-03-03").is_(4)


def test_a_condition_chooses_the_facts(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at | severity | source
        A    | 2025-02-01  | 2025-02-01  | 4        | police_report
        A    | 2025-02-20  | 2025-02-28  | -        | 911
    """)
    spec.feature("days_since_severe").at("2025-03-01").is_(28)  # an unknown severity is not severe
    spec.feature("calls_911_90d").at("2025-03-01").is_(1)
    spec.feature("recorded_late_ever").at("2025-03-01").is_(1)
