"""Scopes: this case, all cases of its aggressor, all cases of its victim."""


def test_over_aggressor_takes_in_his_other_cases(spec):
    spec.history("""
        cases
        case | aggressor | victim | occurred_at
        A    | Juan      | Ana    | 2025-01-01
        B    | Juan      | Berta  | 2025-01-01
        C    | Luis      | Ana    | 2025-01-01

        incidents
        case | occurred_at
        A    | 2025-02-01
        B    | 2025-02-10
        C    | 2025-02-20
    """)
    spec.feature("incidents_ever").of("A").at("2025-03-01").is_(1)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-03-01").is_(2)
    spec.feature("aggressor_victims_ever").of("A").at("2025-03-01").is_(2)
    spec.feature("victim_incidents_ever").of("A").at("2025-03-01").is_(2)
    spec.feature("victim_incidents_ever").of("B").at("2025-03-01").is_(1)


def test_his_other_case_counts_only_once_the_registry_knows_it(spec):
    spec.history("""
        cases
        case | aggressor | occurred_at | recorded_at
        A    | Juan      | 2025-01-01  | 2025-01-01
        B    | Juan      | 2025-01-15  | 2025-03-01

        incidents
        case | occurred_at | recorded_at
        B    | 2025-01-15  | 2025-01-15
    """)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-02-28").is_(0)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-03-01").is_(1)
    spec.feature("aggressor_incidents_90d").of("A").at("2025-04-20").is_(0)


def test_nothing_is_known_before_the_assessed_case_itself_is(spec):
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-03-01
        B    | Juan      | 2025-01-01

        incidents
        case | occurred_at
        B    | 2025-02-01
    """)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-02-15").is_(0)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-03-01").is_(1)
    spec.feature("aggressor_incidents_ever").of("B").at("2025-02-15").is_(1)


def test_a_case_given_to_the_wrong_aggressor_moves_when_that_is_corrected(spec):
    spec.history("""
        cases
        case | aggressor | occurred_at | recorded_at | superseded_at
        A    | Juan      | 2025-01-01  | 2025-01-01  | -
        B    | Luis      | 2025-01-01  | 2025-01-01  | 2025-03-01
        B    | Juan      | 2025-01-01  | 2025-03-01  | -

        incidents
        case | occurred_at
        B    | 2025-02-01
    """)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-02-28").is_(0)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-03-01").is_(1)
    spec.feature("incidents_ever").of("B").at("2025-03-01").is_(1)


def test_an_aggressor_who_is_a_victim_elsewhere_is_two_different_persons_to_the_features(spec):
    spec.history("""
        cases
        case | aggressor | victim | occurred_at
        A    | Juan      | Ana    | 2025-01-01
        B    | Pedro     | Juan   | 2025-01-01

        incidents
        case | occurred_at
        A    | 2025-02-01
        B    | 2025-02-01
    """)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-03-01").is_(1)
    spec.feature("victim_incidents_ever").of("B").at("2025-03-01").is_(1)


def test_what_is_known_of_the_person_is_read_through_the_case(spec):
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01

        aggressors
        aggressor | birth_year | occupation | occurred_at | recorded_at | superseded_at
        Juan      | 1985       | albañil    | 2025-01-01  | 2025-01-05  | 2025-02-01
        Juan      | 1986       | albañil    | 2025-01-01  | 2025-02-01  | -
        Luis      | 1990       | policía    | 2025-01-01  | 2025-01-01  | -
    """)
    spec.feature("occupation").at("2025-01-04").is_missing()
    spec.feature("occupation").at("2025-01-05").is_("albañil")
    spec.feature("birth_year").at("2025-01-31").is_(1985)
    spec.feature("birth_year").at("2025-02-01").is_(1986)
