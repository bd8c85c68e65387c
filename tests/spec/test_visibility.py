"""When a fact is known: both clocks have to have struck."""


def test_a_call_recorded_late_is_not_known_before_it_is_recorded(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at | severity
        A    | 2025-03-01  | 2025-03-20  | 4
    """)
    spec.feature("incidents_30d").at("2025-03-10").is_(0)  # it happened, nobody had told the registry
    spec.feature("incidents_30d").at("2025-03-25").is_(1)
    spec.feature("incidents_30d").at("2025-04-01").is_(0)  # 31 days after it happened


def test_a_fact_that_is_recorded_after_it_left_its_window_never_enters_it(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at
        A    | 2025-01-01  | 2025-03-15
    """)
    spec.feature("incidents_30d").at("2025-03-15").is_(0)
    spec.feature("incidents_90d").at("2025-03-15").is_(1)
    spec.feature("incidents_ever").at("2025-03-15").is_(1)


def test_a_late_record_counts_its_days_from_when_it_happened(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at
        A    | 2025-03-01  | 2025-03-20
    """)
    spec.feature("days_since_incident").at("2025-03-19").is_missing()
    spec.feature("days_since_incident").at("2025-03-20").is_(19)


def test_a_fact_recorded_before_it_occurred_is_known_from_when_it_occurred(spec):
    """The clock of one of the two is wrong: the later of both counts."""
    spec.history("""
        incidents
        case | occurred_at | recorded_at
        A    | 2025-03-10  | 2025-03-01
    """)
    spec.feature("incidents_30d").at("2025-03-05").is_(0)
    spec.feature("incidents_30d").at("2025-03-10").is_(1)
    spec.feature("days_since_incident").at("2025-03-12").is_(2)


def test_a_fact_without_one_of_its_times_is_never_known(spec):
    spec.history("""
        incidents
        case | occurred_at | recorded_at
        A    | -           | 2025-03-01
        A    | 2025-03-01  | -
    """)
    spec.feature("incidents_ever").at("2025-12-31").is_(0)


def test_nothing_is_known_of_a_case_before_the_case_itself_is(spec):
    spec.history("""
        cases
        case | occurred_at | recorded_at
        A    | 2025-03-01  | 2025-03-10

        incidents
        case | occurred_at | recorded_at
        A    | 2025-03-01  | 2025-03-01
    """)
    spec.feature("incidents_ever").at("2025-03-05").is_(0)
    spec.feature("incidents_ever").at("2025-03-10").is_(1)
    spec.feature("case_age").at("2025-03-05").is_missing()
    spec.feature("case_age").at("2025-03-10").is_(9)


def test_a_case_known_only_by_a_measure_has_no_incidents(spec):
    spec.history("""
        measures
        case | occurred_at | expires_at
        A    | 2025-03-01  | 2025-04-30
    """)
    spec.feature("incidents_ever").at("2025-03-10").is_(0)
    spec.feature("days_since_incident").at("2025-03-10").is_missing()
    spec.feature("measure_in_force").at("2025-03-10").is_(1)


def test_what_the_registry_learns_later_changes_no_earlier_assessment(spec):
    """A registry cut off on 10 March says the same about 10 March as the one of today."""
    spec.history("""
        incidents
        case | occurred_at | recorded_at
        A    | 2025-03-01  | 2025-03-02
    """)
    spec.feature("incidents_30d").at("2025-03-10").is_(1)
    spec.feature("days_since_incident").at("2025-03-10").is_(9)
    spec.history("""
        incidents
        case | occurred_at | recorded_at | superseded_at
        A    | 2025-03-01  | 2025-03-02  | 2025-03-11
        A    | 2025-03-05  | 2025-03-11  | -
        A    | 2025-03-12  | 2025-03-12  | -
    """)
    spec.feature("incidents_30d").at("2025-03-10").is_(1)
    spec.feature("days_since_incident").at("2025-03-10").is_(9)
