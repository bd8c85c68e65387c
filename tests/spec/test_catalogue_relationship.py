"""Catalogue, relationship: what each definition of `features/relationship.yml` gives on a small registry."""


def test_who_they_are_to_each_other(spec):
    """Partner scales do not speak of a son and his mother."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | victim | relationship | occurred_at
        A    | Juan      | Ana    | ex-partner   | 2025-02-21
        D    | Juan      | Dora   | brother      | 2025-03-21
        B    | Bruno     | Berta  | son          | 2025-02-21
        C    | Carlos    | Carla  | -            | 2025-02-21

        aggressors
        aggressor | occurred_at | birth_year
        Juan      | 2025-02-21  | 1990
        Bruno     | 2025-02-21  | 1990

        victims
        victim | occurred_at | birth_year
        Ana    | 2025-02-21  | 2001
        Berta  | 2025-02-21  | 1960
    """)
    spec.feature("relationship").of("A").at("2025-06-01").is_("ex-partner")
    spec.feature("case_age").of("A").at("2025-06-01").is_(100)
    spec.feature("partner_case").of("A").at("2025-06-01").is_(1)
    spec.feature("partner_case").of("B").at("2025-06-01").is_(0)
    spec.feature("partner_case").of("C").at("2025-06-01").is_missing()
    spec.feature("age_difference").of("A").at("2025-06-01").is_(11)
    spec.feature("age_difference").of("B").at("2025-06-01").is_(30)
    spec.feature("age_difference").of("C").at("2025-06-01").is_missing()


def test_what_is_known_of_the_relationship(spec):
    """Another case of the same aggressor says the opposite of each: it is another relationship."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        factors
        case | factor                | state   | occurred_at
        A    | separation            | present | 2025-05-01
        B    | separation            | denied  | 2025-05-10
        A    | new_partner           | denied  | 2025-05-01
        B    | new_partner           | present | 2025-05-10
        A    | stepchild             | present | 2025-05-01
        B    | stepchild             | denied  | 2025-05-10
        A    | never_cohabited       | denied  | 2025-05-01
        B    | never_cohabited       | present | 2025-05-10
        A    | custody_dispute       | present | 2025-05-01
        B    | custody_dispute       | denied  | 2025-05-10
        A    | common_law_union      | denied  | 2025-05-01
        B    | common_law_union      | present | 2025-05-10
        A    | relationship_conflict | present | 2025-05-01
        B    | relationship_conflict | denied  | 2025-05-10
        A    | returned_to_aggressor | denied  | 2025-05-01
        B    | returned_to_aggressor | present | 2025-05-10
        A    | jealousy              | denied  | 2025-05-20
        A    | jealousy              | present | 2025-06-20
    """)
    spec.feature("separation").of("A").at("2025-06-01").is_("present")
    spec.feature("new_partner").of("A").at("2025-07-01").is_("denied")
    spec.feature("stepchild").of("A").at("2025-06-01").is_("present")
    spec.feature("never_cohabited").of("A").at("2025-07-01").is_("denied")
    spec.feature("custody_dispute").of("A").at("2025-06-01").is_("present")
    spec.feature("common_law_union").of("A").at("2025-07-01").is_("denied")
    spec.feature("relationship_conflict").of("A").at("2025-06-01").is_("present")
    spec.feature("returned_to_aggressor").of("A").at("2025-07-01").is_("denied")


def test_how_long_ago_things_changed_between_them(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        factors
        case | factor                | state   | occurred_at
        A    | separation            | present | 2025-02-02
        A    | separation            | present | 2025-05-02
        A    | new_partner           | present | 2025-02-12
        A    | new_partner           | present | 2025-05-12
        A    | returned_to_aggressor | present | 2025-02-22
        A    | returned_to_aggressor | present | 2025-05-22
        A    | jealousy              | present | 2025-05-25
        B    | separation            | present | 2025-05-30
        B    | new_partner           | present | 2025-05-30
        B    | returned_to_aggressor | present | 2025-05-30
    """)
    spec.feature("days_since_separation").of("A").at("2025-06-01").is_(30)
    spec.feature("days_since_new_partner").of("A").at("2025-06-01").is_(20)
    spec.feature("days_since_returned").of("A").at("2025-06-01").is_(10)
    spec.feature("returned_after_separation").of("A").at("2025-06-01").is_(1)


def test_separation_from_a_controlling_aggressor(spec):
    """1 where both are present, 0 where one of them is denied, missing where that is not known."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        factors
        case | factor      | state   | occurred_at
        A    | control     | present | 2025-01-10
        A    | separation  | present | 2025-02-10
        A    | new_partner | present | 2025-03-10
        B    | control     | present | 2025-01-10
        B    | separation  | denied  | 2025-02-10
    """)
    spec.feature("separation_and_control").of("A").at("2025-02-01").is_missing()
    spec.feature("separation_and_control").of("A").at("2025-03-01").is_(1)
    spec.feature("separation_and_control").of("B").at("2025-03-01").is_(0)
    spec.feature("separation_and_new_partner").of("A").at("2025-04-01").is_(1)
    spec.feature("separation_and_new_partner").of("B").at("2025-04-01").is_(0)  # whoever else there is


def test_what_came_after_the_separation(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        factors
        case | factor                | state   | occurred_at
        A    | separation            | present | 2025-03-01
        A    | returned_to_aggressor | present | 2025-05-12
        B    | separation            | present | 2025-03-01
        B    | returned_to_aggressor | present | 2025-03-01

        incidents
        case | occurred_at
        A    | 2025-02-01
        A    | 2025-04-01
        B    | 2025-03-01
    """)
    spec.feature("incident_since_separation").of("B").at("2025-03-15").is_(0)  # at the same moment
    spec.feature("returned_after_separation").of("B").at("2025-03-15").is_(0)
    spec.feature("incident_since_separation").of("A").at("2025-03-15").is_(0)
    spec.feature("incident_since_separation").of("A").at("2025-04-01").is_(1)
    spec.feature("incident_since_separation").of("A").at("2025-04-15").is_(1)
    spec.feature("returned_after_separation").of("A").at("2025-04-15").is_missing()
    spec.feature("returned_after_separation").of("A").at("2025-06-01").is_(1)
