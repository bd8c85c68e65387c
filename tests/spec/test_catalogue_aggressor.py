"""Catalogue, aggressor: what each definition of `features/aggressor.yml` gives on a small registry."""


def test_all_of_an_aggressor_s_cases(spec):
    """What his other victims reported counts, and is told apart from what this one did."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | victim | occurred_at | recorded_at
        A    | Juan      | Ana    | 2025-01-01  | 2025-01-01
        A    | Juan      | Ana    | 2025-01-01  | 2025-02-01
        B    | Juan      | Berta  | 2024-01-01  | 2024-01-01
        C    | Carlos    | Carla  | 2025-01-01  | 2025-01-01
        C    | Carlos    | Carla  | 2024-12-01  | 2025-02-01

        incidents
        case | occurred_at | severity | source
        A    | 2025-02-01  | 2        | 911
        A    | 2025-05-02  | 3        | 911
        B    | 2024-02-01  | 5        | 911
        B    | 2024-09-01  | 3        | 911
        B    | 2025-05-22  | 1        | 911
        B    | 2025-05-22  | 1        | police_report
        C    | 2025-05-02  | 2        | 911
    """)
    spec.feature("aggressor_incidents_90d").of("A").at("2025-06-01").is_(3)
    spec.feature("aggressor_incidents_ever").of("A").at("2025-06-01").is_(6)
    spec.feature("aggressor_incident_days_365d").of("A").at("2025-06-01").is_(4)
    spec.feature("aggressor_severe_incidents_365d").of("A").at("2025-06-01").is_(2)
    spec.feature("aggressor_severity_highest_ever").of("A").at("2025-06-01").is_(5)
    spec.feature("days_since_aggressor_incident").of("A").at("2025-06-01").is_(10)
    spec.feature("aggressor_cases_ever").of("A").at("2025-06-01").is_(2)
    spec.feature("aggressor_victims_ever").of("A").at("2025-06-01").is_(2)
    spec.feature("days_since_aggressor_first_case").of("A").at("2025-06-01").is_(517)
    spec.feature("other_case_incidents").of("A").at("2025-06-01").is_(4)
    spec.feature("other_case_incidents").of("B").at("2025-06-01").is_(2)
    spec.feature("other_case_incidents").of("C").at("2025-06-01").is_(0)
    spec.feature("other_case_severe_incidents").of("A").at("2025-06-01").is_(2)
    spec.feature("other_case_severe_incidents").of("B").at("2025-06-01").is_(1)
    spec.feature("other_case_more_recent").of("A").at("2025-06-01").is_(1)
    spec.feature("other_case_more_recent").of("B").at("2025-06-01").is_(0)
    spec.feature("earlier_case").of("A").at("2025-06-01").is_(1)
    spec.feature("earlier_case").of("B").at("2025-06-01").is_(0)
    spec.feature("earlier_case").of("C").at("2025-06-01").is_(0)  # its own date was corrected, no more


def test_a_case_that_the_registry_does_not_know_yet(spec):
    """Nothing is known of its aggressor either: never less than nothing."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-04-01
        B    | Juan      | 2024-01-01

        incidents
        case | occurred_at | severity
        B    | 2024-02-01  | 4
    """)
    spec.feature("other_case_incidents").of("A").at("2025-03-31").is_(0)
    spec.feature("other_case_severe_incidents").of("A").at("2025-03-31").is_(0)
    spec.feature("other_case_incidents").of("A").at("2025-04-01").is_(1)
    spec.feature("other_case_more_recent").of("A").at("2025-04-01").is_(1)  # no incident of its own yet


def test_who_he_is(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01

        aggressors
        aggressor | occurred_at | birth_year | occupation
        Juan      | 2025-01-01  | 1985       | jornalero
        Juan      | 2025-03-01  | 1986       | albañil
    """)
    spec.feature("aggressor_birth_year").at("2025-06-01").is_(1986)  # corrected
    spec.feature("aggressor_occupation").at("2025-02-01").is_("jornalero")


def test_the_aggressor_s_factors_come_from_all_of_his_cases(spec):
    """What belongs to the person is taken from every case of his; what belongs to the pair, from this one."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        factors
        case | factor                      | state   | occurred_at
        B    | firearm_access              | present | 2025-05-01
        B    | alcohol                     | denied  | 2025-05-01
        B    | drugs                       | present | 2025-05-01
        B    | methamphetamine             | denied  | 2025-05-01
        B    | suicidality                 | present | 2025-05-01
        B    | suicide_attempt             | denied  | 2025-05-01
        B    | unemployed                  | present | 2025-05-01
        B    | prior_other_victim          | denied  | 2025-05-01
        B    | prior_violence_others       | present | 2025-05-01
        B    | criminal_record             | denied  | 2025-05-01
        B    | prior_imprisonment          | present | 2025-05-01
        B    | conditional_release_failure | denied  | 2025-05-01
        B    | organised_crime_link        | present | 2025-05-01
        B    | police_or_military          | denied  | 2025-05-01
        B    | psychiatric_problem         | present | 2025-05-01
        B    | depression                  | denied  | 2025-05-01
        B    | depression_diagnosed        | present | 2025-05-01
        B    | misogynistic_attitudes      | denied  | 2025-05-01
        B    | anger                       | present | 2025-05-01
        B    | life_stress                 | denied  | 2025-05-01
        B    | childhood_violence          | present | 2025-05-01
        B    | family_suicide              | denied  | 2025-05-01
        A    | jealousy                    | present | 2025-05-01
        B    | jealousy                    | denied  | 2025-05-10
        A    | control                     | denied  | 2025-05-01
        B    | control                     | present | 2025-05-10
        A    | stalking                    | present | 2025-05-01
        B    | stalking                    | denied  | 2025-05-10
        A    | minimisation                | denied  | 2025-05-01
        B    | minimisation                | present | 2025-05-10
        A    | breach                      | present | 2025-05-01
        B    | breach                      | denied  | 2025-05-10
        B    | drugs                       | present | 2025-05-02
        A    | separation                  | denied  | 2025-05-20
        A    | separation                  | denied  | 2025-06-20
        A    | new_partner                 | present | 2025-06-21
    """)
    spec.feature("firearm_access").of("A").at("2025-06-01").is_("present")
    spec.feature("alcohol").of("A").at("2025-07-01").is_("denied")
    spec.feature("drugs").of("A").at("2025-06-01").is_("present")
    spec.feature("methamphetamine").of("A").at("2025-07-01").is_("denied")
    spec.feature("suicidality").of("A").at("2025-06-01").is_("present")
    spec.feature("suicide_attempt").of("A").at("2025-07-01").is_("denied")
    spec.feature("unemployed").of("A").at("2025-06-01").is_("present")
    spec.feature("prior_other_victim").of("A").at("2025-07-01").is_("denied")
    spec.feature("prior_violence_others").of("A").at("2025-06-01").is_("present")
    spec.feature("criminal_record").of("A").at("2025-07-01").is_("denied")
    spec.feature("prior_imprisonment").of("A").at("2025-06-01").is_("present")
    spec.feature("conditional_release_failure").of("A").at("2025-07-01").is_("denied")
    spec.feature("organised_crime_link").of("A").at("2025-06-01").is_("present")
    spec.feature("police_or_military").of("A").at("2025-07-01").is_("denied")
    spec.feature("psychiatric_problem").of("A").at("2025-06-01").is_("present")
    spec.feature("depression").of("A").at("2025-07-01").is_("denied")
    spec.feature("depression_diagnosed").of("A").at("2025-06-01").is_("present")
    spec.feature("misogynistic_attitudes").of("A").at("2025-07-01").is_("denied")
    spec.feature("anger").of("A").at("2025-06-01").is_("present")
    spec.feature("life_stress").of("A").at("2025-07-01").is_("denied")
    spec.feature("childhood_violence").of("A").at("2025-06-01").is_("present")
    spec.feature("family_suicide").of("A").at("2025-07-01").is_("denied")
    spec.feature("jealousy").of("A").at("2025-06-01").is_("present")
    spec.feature("control").of("A").at("2025-07-01").is_("denied")
    spec.feature("stalking").of("A").at("2025-06-01").is_("present")
    spec.feature("minimisation").of("A").at("2025-07-01").is_("denied")
    spec.feature("breach").of("A").at("2025-06-01").is_("present")
    spec.feature("aggressor_factors_present_ever").of("A").at("2025-06-01").is_(16)  # each once


def test_how_often_and_how_long_ago(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2024-01-01
        B    | Juan      | 2024-01-01

        factors
        case | factor                | state   | occurred_at
        A    | breach                | present | 2025-03-13
        B    | breach                | present | 2025-05-22
        B    | breach                | denied  | 2025-05-27
        A    | stalking              | present | 2025-03-02
        A    | stalking              | present | 2025-05-02
        B    | stalking              | present | 2025-05-22
        B    | suicidality           | present | 2025-02-22
        B    | suicidality           | present | 2025-04-22
        B    | alcohol               | present | 2024-05-02
        B    | drugs                 | present | 2025-03-03
        B    | methamphetamine       | present | 2025-05-02
        B    | methamphetamine       | present | 2025-05-12
        B    | prior_violence_others | present | 2024-05-02
        A    | prior_violence_others | present | 2025-05-02
        A    | strangulation         | present | 2025-05-02
        B    | strangulation         | present | 2025-05-02
        B    | weapon_used           | present | 2024-05-02
        B    | weapon_threat         | present | 2024-05-02
        B    | death_threat          | present | 2024-05-02
        B    | forced_sex            | present | 2024-05-02
        A    | confinement           | present | 2025-05-02
        A    | jealousy              | present | 2025-05-30
    """)
    spec.feature("breaches_90d").of("A").at("2025-06-01").is_(2)
    spec.feature("breaches_ever").of("B").at("2025-06-01").is_(2)
    spec.feature("days_since_breach").of("A").at("2025-06-01").is_(10)
    spec.feature("days_since_stalking").of("A").at("2025-06-01").is_(30)
    spec.feature("days_since_suicidality").of("A").at("2025-06-01").is_(40)
    spec.feature("days_since_substances").of("A").at("2024-06-01").is_(30)  # alcohol
    spec.feature("days_since_substances").of("A").at("2025-03-13").is_(10)  # drugs
    spec.feature("days_since_substances").of("A").at("2025-06-01").is_(20)  # methamphetamine
    spec.feature("substances_ever").of("A").at("2025-06-01").is_(3)
    spec.feature("prior_violence_others_records_ever").of("A").at("2025-06-01").is_(2)
    spec.feature("aggressor_grave_acts_ever").of("A").at("2025-06-01").is_(6)


def test_alcohol_or_drugs(spec):
    """One item of many instruments: present where any is, denied only where all three are."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        factors
        case | factor          | state   | occurred_at
        A    | alcohol         | denied  | 2025-05-01
        A    | methamphetamine | present | 2025-05-10
        B    | alcohol         | denied  | 2025-05-01
        B    | drugs           | denied  | 2025-05-01
        B    | methamphetamine | denied  | 2025-05-01
        C    | alcohol         | present | 2025-05-01
    """)
    spec.feature("substance_use").of("A").at("2025-05-05").is_missing()
    spec.feature("substance_use").of("A").at("2025-06-01").is_(1)
    spec.feature("substance_use").of("B").at("2025-06-01").is_(0)
    spec.feature("substance_use").of("C").at("2025-06-01").is_(1)
