"""Catalogue, victim: what each definition of `features/victim.yml` gives on a small registry."""


def test_all_that_a_victim_suffered(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | victim | occurred_at | recorded_at | locality
        A    | Juan      | Ana    | 2025-01-01  | 2025-01-01  | rural
        B    | Bruno     | Ana    | 2023-01-01  | 2023-01-01  | urban
        B    | Bruno     | Ana    | 2023-01-01  | 2023-06-01  | urban
        C    | Juan      | Carla  | 2025-03-01  | 2025-03-01  | urban

        victims
        victim | occurred_at | birth_year
        Ana    | 2023-01-01  | 1995

        incidents
        case | occurred_at | severity
        A    | 2025-03-01  | 2
        B    | 2023-02-01  | 4
        B    | 2025-05-22  | 2
    """)
    spec.feature("victim_incidents_365d").of("A").at("2025-06-01").is_(2)
    spec.feature("victim_incidents_ever").of("A").at("2025-06-01").is_(3)
    spec.feature("days_since_victim_incident").of("A").at("2025-06-01").is_(10)
    spec.feature("victim_aggressors_ever").of("A").at("2025-06-01").is_(2)
    spec.feature("other_aggressor_incidents").of("A").at("2025-06-01").is_(2)
    spec.feature("other_aggressor_incidents").of("B").at("2025-06-01").is_(1)
    spec.feature("locality").of("A").at("2025-06-01").is_("rural")
    spec.feature("victim_birth_year").of("A").at("2025-06-01").is_(1995)


def test_vulnerabilities_present_denied_and_unknown(spec):
    """What belongs to her is taken from every case of hers; what belongs to the pair, from this one.

    Case C is another victim's of the same aggressor.
    """
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | victim | occurred_at
        A    | Juan      | Ana    | 2025-01-01
        B    | Bruno     | Ana    | 2025-01-01
        C    | Juan      | Carla  | 2025-01-01

        factors
        case | factor                | state   | occurred_at
        A    | victim_fear           | present | 2025-05-02
        C    | victim_fear           | denied  | 2025-05-10
        A    | economic_dependence   | denied  | 2025-05-02
        C    | economic_dependence   | present | 2025-05-10
        A    | emotional_dependence  | present | 2025-05-02
        C    | emotional_dependence  | denied  | 2025-05-10
        A    | isolation             | denied  | 2025-05-02
        C    | isolation             | present | 2025-05-10
        A    | remote_home           | present | 2025-05-02
        C    | remote_home           | denied  | 2025-05-10
        A    | disability_or_illness | denied  | 2025-05-02
        C    | disability_or_illness | present | 2025-05-10
        A    | lives_with_his_family | present | 2025-05-02
        C    | lives_with_his_family | denied  | 2025-05-10
        A    | prior_complaint       | denied  | 2025-05-02
        C    | prior_complaint       | present | 2025-05-10
        B    | pregnancy             | present | 2025-05-02
        B    | minor_children        | denied  | 2025-05-02
        B    | victim_substance_use  | present | 2025-05-02
        B    | victim_suicidality    | denied  | 2025-05-02
        B    | victim_elderly        | present | 2025-05-02
        B    | victim_minor          | denied  | 2025-05-02
        B    | pregnancy             | present | 2025-05-12
        A    | jealousy              | denied  | 2025-05-20
        A    | jealousy              | present | 2025-06-20
    """)
    spec.feature("victim_fear").of("A").at("2025-06-01").is_("present")
    spec.feature("economic_dependence").of("A").at("2025-07-01").is_("denied")
    spec.feature("emotional_dependence").of("A").at("2025-06-01").is_("present")
    spec.feature("isolation").of("A").at("2025-07-01").is_("denied")
    spec.feature("remote_home").of("A").at("2025-06-01").is_("present")
    spec.feature("disability_or_illness").of("A").at("2025-07-01").is_("denied")
    spec.feature("lives_with_his_family").of("A").at("2025-06-01").is_("present")
    spec.feature("prior_complaint").of("A").at("2025-07-01").is_("denied")
    spec.feature("pregnancy").of("A").at("2025-06-01").is_("present")
    spec.feature("minor_children").of("A").at("2025-07-01").is_("denied")
    spec.feature("victim_substance_use").of("A").at("2025-06-01").is_("present")
    spec.feature("victim_suicidality").of("A").at("2025-07-01").is_("denied")
    spec.feature("victim_elderly").of("A").at("2025-06-01").is_("present")
    spec.feature("victim_minor").of("A").at("2025-07-01").is_("denied")
    spec.feature("victim_fear").of("B").at("2025-06-01").is_missing()  # it is the other one whom she fears
    spec.feature("days_since_pregnancy").of("A").at("2025-06-01").is_(20)


def test_how_many_vulnerabilities(spec):
    """Those recorded in this case, each once."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        C    | Juan      | 2025-01-01

        factors
        case | factor                | state   | occurred_at
        A    | victim_fear           | present | 2025-05-02
        A    | victim_fear           | present | 2025-05-12
        A    | pregnancy             | present | 2025-05-02
        A    | economic_dependence   | present | 2025-05-02
        A    | emotional_dependence  | present | 2025-05-02
        A    | isolation             | present | 2025-05-02
        A    | remote_home           | present | 2025-05-02
        A    | disability_or_illness | present | 2025-05-02
        A    | lives_with_his_family | present | 2025-05-02
        A    | victim_substance_use  | present | 2025-05-02
        A    | victim_suicidality    | present | 2025-05-02
        A    | victim_elderly        | present | 2025-05-02
        C    | victim_minor          | present | 2025-05-02
        C    | victim_fear           | denied  | 2025-05-02
    """)
    spec.feature("vulnerabilities_ever").of("A").at("2025-06-01").is_(11)
    spec.feature("vulnerabilities_ever").of("C").at("2025-06-01").is_(1)


def test_a_complaint_withdrawn(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2023-01-01
        B    | Bruno     | 2023-01-01
        C    | Juan      | 2023-01-01

        factors
        case | factor              | state   | occurred_at
        A    | complaint_withdrawn | present | 2025-04-12
        A    | complaint_withdrawn | present | 2025-05-12
        A    | complaint_withdrawn | denied  | 2025-05-22
        B    | complaint_withdrawn | present | 2024-05-12
        C    | complaint_withdrawn | present | 2025-05-30
        C    | complaint_withdrawn | present | 2023-05-30
        B    | victim_fear         | present | 2025-05-30
    """)
    spec.feature("complaint_withdrawn_365d").of("A").at("2025-06-01").is_(1)  # whether, not how often
    spec.feature("complaint_withdrawn_365d").of("B").at("2025-06-01").is_(0)
    spec.feature("complaint_withdrawn_ever").of("B").at("2025-06-01").is_(1)
    spec.feature("complaint_withdrawn_ever").of("A").at("2025-01-01").is_(0)  # of case C nothing is read
    spec.feature("days_since_complaint_withdrawn").of("A").at("2025-06-01").is_(20)
    spec.feature("days_since_complaint_withdrawn").of("B").at("2025-06-01").is_(385)
