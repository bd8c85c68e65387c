"""Measures: in force between grant and end, as far as the registry could know."""


def test_a_measure_is_in_force_until_it_expires(spec):
    spec.history("""
        measures
        case | occurred_at | expires_at
        A    | 2025-03-01  | 2025-04-30
    """)
    spec.feature("measure_in_force").at("2025-02-28").is_(0)
    spec.feature("measure_in_force").at("2025-03-01").is_(1)
    spec.feature("measure_in_force").at("2025-04-29 23:59").is_(1)
    spec.feature("measure_in_force").at("2025-04-30").is_(0)  # at the instant of its expiry it is over


def test_a_measure_that_ends_early_is_in_force_until_then(spec):
    spec.history("""
        measures
        case | occurred_at | expires_at | ended_at
        A    | 2025-03-01  | 2025-04-30 | 2025-03-15
    """)
    spec.feature("measure_in_force").at("2025-03-14").is_(1)  # nobody knew yet that it would end
    spec.feature("measure_in_force").at("2025-03-15").is_(0)
    spec.feature("days_to_expiry").at("2025-03-14").is_(47)
    spec.feature("days_to_expiry").at("2025-03-15").is_missing()


def test_a_measure_without_expiry_stays_in_force(spec):
    spec.history("""
        measures
        case | kind    | occurred_at | expires_at
        A    | custody | 2025-03-01  | -
    """)
    spec.feature("measure_in_force").at("2035-01-01").is_(1)
    spec.feature("custody_in_force").at("2035-01-01").is_(1)
    spec.feature("days_to_expiry").at("2035-01-01").is_missing()


def test_a_measure_recorded_late_is_not_in_force_before_the_registry_knows(spec):
    spec.history("""
        measures
        case | occurred_at | recorded_at | expires_at
        A    | 2025-03-01  | 2025-03-20  | 2025-04-30
        B    | 2025-03-01  | 2025-05-20  | 2025-04-30
    """)
    spec.feature("measure_in_force").of("A").at("2025-03-10").is_(0)
    spec.feature("measure_in_force").of("A").at("2025-03-20").is_(1)
    spec.feature("measure_in_force").of("B").at("2025-05-20").is_(0)  # over before anybody recorded it
    spec.feature("measures_90d").of("B").at("2025-05-20").is_(1)


def test_days_to_expiry_looks_at_the_measure_that_ends_first(spec):
    spec.history("""
        measures
        case | occurred_at | expires_at
        A    | 2025-03-01  | 2025-03-31
        A    | 2025-03-10  | 2025-05-09
    """)
    spec.feature("days_to_expiry").at("2025-03-11").is_(20)
    spec.feature("days_to_expiry").at("2025-03-31").is_(39)  # the first is over, the second counts
    spec.feature("days_to_expiry").at("2025-05-09").is_missing()


def test_days_since_expiry_count_from_the_measure_that_expired_last(spec):
    spec.history("""
        measures
        case | occurred_at | expires_at
        A    | 2025-01-01  | 2025-03-02
        A    | 2025-02-01  | 2025-04-02
    """)
    spec.feature("days_since_expiry").at("2025-03-01").is_missing()
    spec.feature("days_since_expiry").at("2025-03-02").is_(0)  # at the instant of its expiry
    spec.feature("days_since_expiry").at("2025-03-12").is_(10)
    spec.feature("days_since_expiry").at("2025-04-12").is_(10)


def test_a_measure_that_was_ended_did_not_expire(spec):
    spec.history("""
        measures
        case | occurred_at | expires_at | ended_at
        A    | 2025-01-01  | 2025-03-02 | 2025-02-01
        B    | 2025-01-01  | 2025-03-02 | 2025-03-02
        C    | 2025-01-01  | -          | -
    """)
    spec.feature("days_since_expiry").of("A").at("2025-03-12").is_missing()
    spec.feature("days_since_expiry").of("B").at("2025-03-12").is_(10)  # ended at its expiry: it ran out
    spec.feature("days_since_expiry").of("C").at("2025-03-12").is_missing()


def test_an_expiry_that_the_registry_learnt_of_late_counts_from_the_expiry(spec):
    spec.history("""
        measures
        case | occurred_at | recorded_at | expires_at
        A    | 2025-01-01  | 2025-03-12  | 2025-03-02
    """)
    spec.feature("days_since_expiry").at("2025-03-11").is_missing()
    spec.feature("days_since_expiry").at("2025-03-12").is_(10)


def test_a_renewed_measure_leaves_no_gap(spec):
    spec.history("""
        measures
        case | occurred_at | expires_at
        A    | 2025-03-01  | 2025-04-30
        A    | 2025-04-30  | 2025-05-30
    """)
    spec.feature("measure_in_force").at("2025-04-30").is_(1)
    spec.feature("days_to_expiry").at("2025-04-30").is_(30)
    spec.feature("measures_90d").at("2025-04-30").is_(2)


def test_a_protection_measure_is_not_custody(spec):
    spec.history("""
        measures
        case | kind       | occurred_at | expires_at
        A    | protection | 2025-03-01  | 2025-04-30
    """)
    spec.feature("measure_in_force").at("2025-03-10").is_(1)
    spec.feature("custody_in_force").at("2025-03-10").is_(0)


def test_a_release_is_a_stage_of_the_proceedings(spec):
    spec.history("""
        proceedings
        case | stage    | occurred_at | recorded_at
        A    | detained | 2025-03-01  | 2025-03-01
        A    | released | 2025-03-03  | 2025-03-05
    """)
    spec.feature("days_since_release").at("2025-03-04").is_missing()
    spec.feature("days_since_release").at("2025-03-05").is_(2)
