"""The workspace's own catalogue: some of its features at work."""


def test_a_firearm_known_from_another_case_of_the_aggressor(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        factors
        case | factor         | state   | occurred_at
        B    | firearm_access | present | 2025-01-10
        B    | jealousy       | present | 2025-01-10
    """)
    spec.feature("firearm_access").of("A").at("2025-02-01").is_("present")
    spec.feature("jealousy").of("A").at("2025-02-01").is_missing()  # jealousy belongs to the pair


def test_breaches_and_the_clock_of_the_protection_measure(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        measures
        case | kind       | occurred_at | expires_at
        A    | protection | 2025-01-01  | 2025-03-02

        factors
        case | factor | state   | occurred_at
        A    | breach | present | 2025-01-20
        A    | breach | present | 2025-02-10
    """)
    spec.feature("breaches_90d").at("2025-02-20").is_(2)
    spec.feature("days_since_breach").at("2025-02-20").is_(10)
    spec.feature("days_to_expiry").at("2025-02-20").is_(10)
    spec.feature("protection_in_force").at("2025-03-02").is_(0)


def test_the_first_record_of_a_case(spec):
    """Most deadly cases had no earlier contact: one record has to be enough to say what is known."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | occurred_at      | relationship
        A    | 2025-02-01 22:00 | ex-partner

        incidents
        case | occurred_at      | severity
        A    | 2025-02-01 22:00 | 4

        factors
        case | factor        | state   | occurred_at
        A    | strangulation | present | 2025-02-01 22:00
    """)
    spec.feature("incidents_ever").at("2025-02-01 22:00").is_(1)
    spec.feature("very_severe_incident_ever").at("2025-02-01 22:00").is_(1)
    spec.feature("strangulation").at("2025-02-01 22:00").is_("present")
    spec.feature("firearm_access").at("2025-02-01 22:00").is_missing()
    spec.feature("relationship").at("2025-02-01 22:00").is_("ex-partner")
