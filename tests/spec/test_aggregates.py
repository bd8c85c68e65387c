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


def test_days_since_the_first_do_not_change_when_more_happens(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at
        A    | 2025-02-01  | 2025-02-01
        A    | 2025-01-22  | 2025-03-01
        A    | 2025-02-20  | 2025-02-20
    """)
    spec.feature("days_since_first").at("2025-02-11").is_(10)
    spec.feature("days_since_first").at("2025-02-21").is_(20)
    spec.feature("days_since_first").at("2025-03-03").is_(40)  # an earlier one came to light
    spec.feature("days_since_first").at("2025-01-31").is_missing()


def test_the_second_and_third_are_the_last_but_one_and_the_last_but_two(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-01-01
        A    | 2025-01-11
        A    | 2025-01-31
    """)
    spec.feature("days_since_incident").at("2025-02-10").is_(10)
    spec.feature("days_since_second").at("2025-02-10").is_(30)
    spec.feature("days_since_third").at("2025-02-10").is_(40)
    spec.feature("days_since_second").at("2025-01-20").is_(19)
    spec.feature("days_since_third").at("2025-01-20").is_missing()


def test_one_event_that_several_sources_recorded_is_one_episode(spec):
    spec.history("""
        incidents
        case | occurred_at      | source
        A    | 2025-01-01 10:00 | 911
        A    | 2025-01-11 21:00 | 911
        A    | 2025-01-11 22:00 | police_report
        A    | 2025-01-12 20:59 | investigation_file
    """)
    spec.feature("days_since_incident").at("2025-01-13 20:59").is_(1)
    spec.feature("days_since_second").at("2025-01-13 10:00").is_(
        12
    )  # 21:00 is within 24 hours of the last one
    spec.feature("days_since_third").at("2025-01-13 20:59").is_missing()


def test_a_day_apart_to_the_second_is_another_episode(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-01-10 12:00
        A    | 2025-01-11 12:00
        A    | 2025-01-12 11:59
    """)
    spec.feature("days_since_second").at("2025-01-11 12:00").is_(1)
    spec.feature("days_since_second").at("2025-01-12 12:00").is_(
        2
    )  # counted back from the last one: 10 January


def test_how_late_the_registry_learnt_of_things_counts_whole_days(spec):
    spec.history("""
        incidents
        case | occurred_at      | recorded_at
        A    | 2025-02-01 20:00 | 2025-02-02 08:00
        A    | 2025-02-01 20:00 | 2025-02-12 19:59
        A    | 2025-02-20       | 2025-02-18
    """)
    spec.feature("recording_lag_mean_90d").at("2025-02-05").is_(0)  # 12 hours are no day
    spec.feature("recording_lag_mean_90d").at("2025-02-15").is_(5)
    spec.feature("recording_lag_longest_ever").at("2025-03-01").is_(10)
    spec.feature("recording_lag_mean_90d").at("2025-03-01").is_(10 / 3)  # recorded beforehand: no delay


def test_days_on_which_something_happened_are_counted_once_each(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-02-01 00:00
        A    | 2025-02-01 23:59
        A    | 2025-02-02 00:00
    """)
    spec.feature("incidents_90d").at("2025-02-10").is_(3)
    spec.feature("days_with_incidents_90d").at("2025-02-10").is_(2)
    spec.feature("days_with_incidents_90d").at("2025-02-01 12:00").is_(1)


def test_a_formula_is_computed_from_other_columns(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-01-20
        A    | 2025-03-01
        A    | 2025-03-10
    """)
    spec.feature("share_recent").at("2025-03-15").is_(2 / 3)
    spec.feature("share_recent").at("2025-01-01").is_missing()  # nothing of nothing is no share
    spec.feature("more_often").at("2025-03-15").is_(1)
    spec.feature("more_often").at("2025-05-01").is_(0)


def test_a_formula_does_not_take_what_is_unknown_for_false(spec):
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-03-01

        factors
        case | factor        | state   | occurred_at
        A    | strangulation | present | 2025-03-10
        B    | strangulation | denied  | 2025-03-10
    """)
    spec.feature("strangled_lately").of("A").at("2025-03-05").is_missing()  # recent, but not mentioned
    spec.feature("strangled_lately").of("A").at("2025-03-10").is_(1)
    spec.feature("strangled_lately").of("A").at("2025-04-05").is_(0)
    spec.feature("strangled_lately").of("B").at("2025-03-10").is_(0)  # denied: whatever the rest is
