"""Windows: how far back a feature looks, and to whose instant it belongs."""


def test_each_window_counts_what_happened_within_it(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-01-15
        A    | 2025-03-01
        A    | 2025-03-30
    """)
    spec.feature("incidents_72h").at("2025-04-01").is_(1)
    spec.feature("incidents_30d").at("2025-04-01").is_(1)
    spec.feature("incidents_90d").at("2025-04-01").is_(3)
    spec.feature("incidents_ever").at("2025-04-01").is_(3)
    spec.feature("incidents_90d").at("2025-06-15").is_(1)


def test_a_window_is_open_at_its_far_end_and_closed_at_the_assessment(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-03-01 10:00
    """)
    spec.feature("incidents_30d").at("2025-03-01 09:59:59").is_(0)
    spec.feature("incidents_30d").at("2025-03-01 10:00").is_(1)  # the very instant: already a feature
    spec.feature("incidents_30d").at("2025-03-31 09:59:59").is_(1)
    spec.feature("incidents_30d").at("2025-03-31 10:00").is_(0)  # 30 days to the second: no longer


def test_a_microsecond_is_enough(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-03-01 10:00:00.000001
    """)
    spec.feature("incidents_30d").at("2025-03-01 10:00").is_(0)
    spec.feature("incidents_30d").at("2025-03-31 10:00").is_(1)


def test_a_window_of_days_is_that_many_times_24_hours_in_a_leap_year_too(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2024-02-29 12:00
    """)
    spec.feature("incidents_30d").at("2024-03-30 11:59").is_(1)
    spec.feature("incidents_30d").at("2024-03-30 12:00").is_(0)


def test_ever_has_no_far_end(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at
        A    | 1900-01-01  | 2025-03-01
    """)
    spec.feature("incidents_ever").at("2025-03-01").is_(1)
    spec.feature("incidents_90d").at("2025-03-01").is_(0)


def test_a_window_with_a_near_end_looks_at_what_came_before(spec):
    spec.history("""
        incidents
        case | occurred_at | severity | source
        A    | 2025-01-15  | 5        | 911
        A    | 2025-02-20  | 3        | 911
        A    | 2025-03-01  | 1        | banevim
        A    | 2025-03-30  | 2        | 911
    """)
    spec.feature("earlier_incidents_30d_90d").at("2025-04-01").is_(3)
    spec.feature("earlier_incidents_72h_30d").at("2025-04-01").is_(0)
    spec.feature("earlier_incidents_90d_ever").at("2025-05-01").is_(1)
    spec.feature("earlier_severity_highest_30d_90d").at("2025-04-01").is_(5)
    spec.feature("earlier_severity_highest_30d_90d").at("2025-05-01").is_(3)  # the first is over 90 days old
    spec.feature("earlier_sources_30d_90d").at("2025-04-01").is_(2)


def test_a_fact_leaves_one_window_at_the_instant_at_which_it_enters_the_next(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-03-01 10:00
    """)
    spec.feature("incidents_30d").at("2025-03-31 09:59:59").is_(1)
    spec.feature("earlier_incidents_30d_90d").at("2025-03-31 09:59:59").is_(0)
    spec.feature("incidents_30d").at("2025-03-31 10:00").is_(0)
    spec.feature("earlier_incidents_30d_90d").at("2025-03-31 10:00").is_(1)
    spec.feature("earlier_incidents_30d_90d").at("2025-05-30 10:00").is_(0)  # 90 days to the second
    spec.feature("earlier_incidents_90d_ever").at("2025-05-30 10:00").is_(1)


def test_what_is_recorded_late_enters_the_window_that_it_has_grown_into(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at
        A    | 2025-03-01  | 2025-04-10
    """)
    spec.feature("earlier_incidents_30d_90d").at("2025-04-09").is_(0)  # nobody had told the registry
    spec.feature("earlier_incidents_30d_90d").at("2025-04-10").is_(1)
    spec.feature("incidents_30d").at("2025-04-10").is_(0)


def test_two_facts_at_the_same_instant_are_two_facts(spec):
    spec.history("""
        incidents
        case | occurred_at      | source
        A    | 2025-03-01 10:00 | 911
        A    | 2025-03-01 10:00 | police_report
    """)
    spec.feature("incidents_30d").at("2025-03-01 10:00").is_(2)
    spec.feature("sources_90d").at("2025-03-01 10:00").is_(2)
    spec.feature("calls_911_90d").at("2025-03-01 10:00").is_(1)
