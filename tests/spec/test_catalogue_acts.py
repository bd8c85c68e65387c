"""Catalogue, violent acts: what each definition of `features/acts.yml` gives on a small registry."""


def test_incidents_by_window_source_and_severity(spec):
    """Case B is another case of the same aggressor: nothing of it is counted here."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2023-01-01
        B    | Juan      | 2023-01-01

        incidents
        case | occurred_at | severity | source                | institution
        A    | 2023-10-01  | 5        | 911                   | C5
        A    | 2024-08-10  | 2        | 911                   | C5
        A    | 2024-12-01  | -        | banevim               | BANEVIM
        A    | 2024-12-05  | -        | banevim               | BANEVIM
        A    | 2025-01-15  | 1        | protection_measure    | Fiscalía
        A    | 2025-01-20  | 1        | protection_measure    | Fiscalía
        A    | 2025-02-15  | 0        | precautionary_measure | UMECA
        A    | 2025-02-20  | 0        | precautionary_measure | UMECA
        A    | 2025-04-20  | 3        | 911                   | C5
        A    | 2025-04-20  | 3        | police_report         | Policía Estatal
        A    | 2025-05-01  | 4        | police_report         | Policía Estatal
        A    | 2025-06-02  | 2        | investigation_file    | Fiscalía
        A    | 2025-06-11  | 2        | investigation_file    | Fiscalía
        B    | 2023-02-01  | 2        | investigation_file    | Fiscalía
        B    | 2024-12-10  | -        | banevim               | BANEVIM
        B    | 2025-01-25  | 1        | protection_measure    | Fiscalía
        B    | 2025-02-25  | 1        | precautionary_measure | UMECA
        B    | 2025-06-25  | 6        | police_report         | DIF
        B    | 2025-06-26  | 6        | 911                   | DIF
    """)
    spec.feature("incidents_30d").of("A").at("2025-07-01").is_(2)
    spec.feature("incidents_90d").of("A").at("2025-07-01").is_(5)
    spec.feature("incidents_365d").of("A").at("2025-07-01").is_(12)
    spec.feature("incidents_ever").of("A").at("2025-07-01").is_(13)
    spec.feature("incident_days_90d").of("A").at("2025-07-01").is_(4)  # two sources on the 20th of April
    spec.feature("incident_days_365d").of("A").at("2025-07-01").is_(11)
    spec.feature("incident_days_365d_730d").of("A").at("2025-07-01").is_(1)  # the year before
    spec.feature("repeated_records").of("A").at("2025-07-01").is_(1)
    spec.feature("days_since_incident").of("A").at("2025-07-01").is_(20)
    spec.feature("days_since_first_incident").of("A").at("2025-07-01").is_(639)
    spec.feature("calls_911_90d").of("A").at("2025-07-01").is_(1)
    spec.feature("calls_911_365d").of("A").at("2025-07-01").is_(2)
    spec.feature("police_reports_365d").of("A").at("2025-07-01").is_(2)
    spec.feature("days_since_police_contact").of("A").at("2024-09-01").is_(22)  # a call
    spec.feature("days_since_police_contact").of("A").at("2025-07-01").is_(
        61
    )  # a report; June's file is none
    spec.feature("investigation_files_ever").of("A").at("2025-07-01").is_(2)
    spec.feature("banevim_records_ever").of("A").at("2025-07-01").is_(2)
    spec.feature("protection_measure_records_ever").of("A").at("2025-07-01").is_(2)
    spec.feature("precautionary_measure_records_ever").of("A").at("2025-07-01").is_(2)
    spec.feature("sources_365d").of("A").at("2025-07-01").is_(6)
    spec.feature("sources_ever").of("A").at("2023-12-01").is_(1)
    spec.feature("institutions_365d").of("A").at("2025-07-01").is_(5)  # the prosecutor's office once
    spec.feature("severe_incidents_90d").of("A").at("2025-07-01").is_(3)
    spec.feature("severe_incidents_ever").of("A").at("2025-07-01").is_(4)
    spec.feature("days_since_severe_incident").of("A").at("2025-04-25").is_(5)  # level 3 is enough
    spec.feature("days_since_severe_incident").of("A").at("2025-07-01").is_(61)
    spec.feature("very_severe_incident_ever").of("A").at("2025-07-01").is_(1)
    spec.feature("very_severe_incident_ever").of("B").at("2023-12-01").is_(0)
    spec.feature("severity_total_365d").of("A").at("2025-07-01").is_(18)
    spec.feature("severity_total_ever").of("A").at("2025-07-01").is_(23)
    spec.feature("severity_average_ever").of("A").at("2024-09-01").is_(3.5)
    spec.feature("severity_highest_365d").of("A").at("2025-07-01").is_(4)
    spec.feature("severity_highest_365d_730d").of("A").at("2025-07-01").is_(5)
    spec.feature("severity_latest").of("A").at("2025-07-01").is_(2)
    spec.feature("incidents_of_unknown_severity_ever").of("A").at("2025-07-01").is_(2)


def test_intervals_that_shorten(spec):
    """One event that several sources record within a day is one episode: its copies shorten no interval."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        incidents
        case | occurred_at      | source
        A    | 2025-01-01 00:00 | 911
        A    | 2025-03-02 00:00 | 911
        A    | 2025-03-31 20:00 | 911
        A    | 2025-04-01 00:00 | police_report
        B    | 2025-03-16 00:00 | 911
    """)
    spec.feature("days_since_second_incident").of("A").at("2025-04-11").is_(40)  # 2 March
    spec.feature("days_since_third_incident").of("A").at("2025-04-11").is_(100)
    spec.feature("last_interval").of("A").at("2025-04-11").is_(30)
    spec.feature("last_interval").of("B").at("2025-04-11").is_missing()
    spec.feature("interval_ratio").of("A").at("2025-04-11").is_(0.5)  # 30 days after 60
    spec.feature("interval_ratio").of("A").at("2025-03-11").is_missing()  # there was one interval only
    spec.feature("silence_ratio").of("A").at("2025-03-17").is_(0.25)  # 15 days without incidents, after 60


def test_a_year_against_the_year_before(spec):
    """Escalation is weaker than folklore, so none of this has a direction: the data decide."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        incidents
        case | occurred_at | severity
        A    | 2023-10-01  | 2
        A    | 2024-10-01  | 1
        A    | 2025-05-20  | 3
        A    | 2025-06-01  | 4
        B    | 2025-06-01  | 4
    """)
    spec.feature("severity_rise").of("A").at("2025-07-01").is_(2)  # 4 against 2
    spec.feature("severity_rise").of("B").at("2025-07-01").is_missing()  # nothing is known of the year before
    spec.feature("frequency_change").of("A").at("2025-07-01").is_(2)  # 3 days against 1
    spec.feature("severity_latest_against_average").of("A").at("2025-07-01").is_(1.5)
    spec.feature("incident_pace").of("A").at("2025-07-01").is_((2 / 90) / (3 / 365))
    spec.feature("incident_pace").of("A").at("2024-12-20").is_(365 / 90)  # one in the year, and that recently


def test_the_first_record(spec):
    """More than half of the deadly cases had no earlier contact: one record has to be enough."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        incidents
        case | occurred_at      | severity | source
        A    | 2025-06-01 20:00 | 3        | 911
        A    | 2025-06-02 09:00 | 3        | investigation_file
        B    | 2025-06-01 20:00 | 2        | 911
        C    | 2025-01-01 20:00 | 4        | 911
        C    | 2025-06-01 20:00 | 4        | 911

        factors
        case | factor        | state   | occurred_at
        A    | strangulation | present | 2025-06-01 20:00
        C    | strangulation | present | 2025-06-01 20:00

        measures
        case | occurred_at
        D    | 2025-06-01
    """)
    spec.feature("first_record").of("A").at("2025-06-10").is_(1)  # call and file of one episode
    spec.feature("first_record").of("C").at("2025-06-10").is_(0)
    spec.feature("first_record").of("D").at("2025-06-10").is_missing()  # known by a measure alone
    spec.feature("first_record_grave").of("A").at("2025-06-10").is_(1)
    spec.feature("first_record_grave").of("B").at("2025-06-10").is_(0)
    spec.feature("first_record_grave").of("D").at("2025-06-10").is_missing()
    spec.feature("first_record_grave").of("C").at("2025-06-10").is_(0)  # grave, but not the first
    spec.feature("very_severe_incident_ever").of("A").at("2025-06-10").is_(0)  # level 3


def test_how_soon_the_registry_learns(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        incidents
        case | occurred_at      | recorded_at
        A    | 2025-05-01 22:00 | 2025-05-02 03:00
        A    | 2025-05-10       | 2025-05-30
        A    | 2025-05-12       | 2025-05-22
        B    | 2025-05-01       | 2025-05-31
    """)
    spec.feature("recording_lag_average_365d").of("A").at("2025-06-01").is_(10)  # whole days: 0, 20, 10
    spec.feature("incidents_recorded_late_365d").of("A").at("2025-06-01").is_(2)


def test_acts_present_denied_and_unknown(spec):
    """Another case of the same aggressor says the opposite of each; case C mentions nothing.

    Not mentioned is never denied.
    """
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01
        C    | Carlos    | 2025-01-01

        factors
        case | factor                 | state   | occurred_at
        A    | strangulation          | present | 2025-05-01
        A    | weapon_threat          | denied  | 2025-05-01
        A    | weapon_used            | present | 2025-05-01
        A    | death_threat           | denied  | 2025-05-01
        A    | forced_sex             | present | 2025-05-01
        A    | confinement            | denied  | 2025-05-01
        A    | assault_in_pregnancy   | present | 2025-05-01
        A    | escalation_reported    | denied  | 2025-05-01
        A    | children_threatened    | present | 2025-05-01
        A    | children_present       | denied  | 2025-05-01
        A    | vicarious_violence     | present | 2025-05-01
        A    | multiple_victims       | denied  | 2025-05-01
        A    | prior_violence         | present | 2025-05-01
        A    | psychological_violence | denied  | 2025-05-01
        A    | economic_violence      | present | 2025-05-01
        A    | property_damage        | denied  | 2025-05-01
        A    | isolating_behaviour    | present | 2025-05-01
        A    | animal_cruelty         | denied  | 2025-05-01
        A    | announced_intention    | present | 2025-05-01
        B    | strangulation          | denied  | 2025-05-10
        B    | weapon_threat          | present | 2025-05-10
        B    | weapon_used            | denied  | 2025-05-10
        B    | death_threat           | present | 2025-05-10
        B    | forced_sex             | denied  | 2025-05-10
        B    | confinement            | present | 2025-05-10
        B    | assault_in_pregnancy   | denied  | 2025-05-10
        B    | escalation_reported    | present | 2025-05-10
        B    | children_threatened    | denied  | 2025-05-10
        B    | children_present       | present | 2025-05-10
        B    | vicarious_violence     | denied  | 2025-05-10
        B    | multiple_victims       | present | 2025-05-10
        B    | prior_violence         | denied  | 2025-05-10
        B    | psychological_violence | present | 2025-05-10
        B    | economic_violence      | denied  | 2025-05-10
        B    | property_damage        | present | 2025-05-10
        B    | isolating_behaviour    | denied  | 2025-05-10
        B    | animal_cruelty         | present | 2025-05-10
        B    | announced_intention    | denied  | 2025-05-10
        A    | strangulation          | present | 2025-05-02
        A    | weapon_threat          | denied  | 2025-05-02
        A    | stalking               | present | 2025-05-02
        A    | jealousy               | denied  | 2025-05-20
        A    | jealousy               | present | 2025-06-20
    """)
    spec.feature("strangulation").of("A").at("2025-06-01").is_("present")
    spec.feature("weapon_threat").of("A").at("2025-07-01").is_("denied")
    spec.feature("weapon_used").of("A").at("2025-06-01").is_("present")
    spec.feature("death_threat").of("A").at("2025-07-01").is_("denied")
    spec.feature("forced_sex").of("A").at("2025-06-01").is_("present")
    spec.feature("confinement").of("A").at("2025-07-01").is_("denied")
    spec.feature("assault_in_pregnancy").of("A").at("2025-06-01").is_("present")
    spec.feature("escalation_reported").of("A").at("2025-07-01").is_("denied")
    spec.feature("children_threatened").of("A").at("2025-06-01").is_("present")
    spec.feature("children_present").of("A").at("2025-07-01").is_("denied")
    spec.feature("vicarious_violence").of("A").at("2025-06-01").is_("present")
    spec.feature("multiple_victims").of("A").at("2025-07-01").is_("denied")
    spec.feature("prior_violence").of("A").at("2025-06-01").is_("present")
    spec.feature("psychological_violence").of("A").at("2025-07-01").is_("denied")
    spec.feature("economic_violence").of("A").at("2025-06-01").is_("present")
    spec.feature("property_damage").of("A").at("2025-07-01").is_("denied")
    spec.feature("isolating_behaviour").of("A").at("2025-06-01").is_("present")
    spec.feature("animal_cruelty").of("A").at("2025-07-01").is_("denied")
    spec.feature("announced_intention").of("A").at("2025-06-01").is_("present")
    spec.feature("strangulation").of("C").at("2025-06-01").is_missing()
    spec.feature("factors_present_90d").of("A").at("2025-06-01").is_(11)  # each once
    spec.feature("factors_denied_ever").of("A").at("2025-06-01").is_(10)


def test_how_long_ago_the_gravest_acts_were(spec):
    """Case B is another case of the same aggressor, and more recent."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        factors
        case | factor              | state   | occurred_at
        A    | strangulation       | present | 2025-01-01
        A    | strangulation       | present | 2025-01-31
        A    | death_threat        | present | 2025-03-02
        A    | children_threatened | present | 2025-03-15
        A    | weapon_used         | present | 2025-04-01
        A    | announced_intention | present | 2025-04-02
        A    | weapon_threat       | present | 2025-04-11
        A    | forced_sex          | present | 2025-04-16
        A    | confinement         | present | 2025-04-21
        A    | death_threat        | present | 2025-04-26
        A    | weapon_used         | present | 2025-04-26
        A    | children_threatened | present | 2025-05-01
        A    | announced_intention | present | 2025-05-11
        A    | strangulation       | denied  | 2025-05-21
        A    | jealousy            | present | 2025-05-26
        B    | strangulation       | present | 2025-05-27
        B    | death_threat        | present | 2025-05-27
        B    | weapon_used         | present | 2025-05-27
        B    | children_threatened | present | 2025-05-27
        B    | announced_intention | present | 2025-05-27
    """)
    spec.feature("days_since_strangulation").of("A").at("2025-05-31").is_(120)  # a denial does not renew it
    spec.feature("days_since_death_threat").of("A").at("2025-05-31").is_(35)
    spec.feature("days_since_weapon").of("A").at("2025-04-06").is_(5)  # used
    spec.feature("days_since_weapon").of("A").at("2025-04-12").is_(1)  # shown
    spec.feature("days_since_weapon").of("A").at("2025-05-31").is_(35)
    spec.feature("days_since_grave_act").of("A").at("2025-02-10").is_(10)  # strangled
    spec.feature("days_since_grave_act").of("A").at("2025-03-12").is_(10)  # threatened with death
    spec.feature("days_since_grave_act").of("A").at("2025-04-06").is_(5)  # attacked with a weapon
    spec.feature("days_since_grave_act").of("A").at("2025-04-12").is_(1)  # threatened with one
    spec.feature("days_since_grave_act").of("A").at("2025-04-18").is_(2)  # forced
    spec.feature("days_since_grave_act").of("A").at("2025-04-23").is_(2)  # locked up
    spec.feature("days_since_grave_act").of("A").at("2025-05-31").is_(35)
    spec.feature("days_since_children_threatened").of("A").at("2025-05-31").is_(30)
    spec.feature("days_since_announced_intention").of("A").at("2025-05-31").is_(20)
    spec.feature("days_since_factor").of("A").at("2025-05-31").is_(5)
    spec.feature("grave_acts_90d").of("A").at("2025-05-31").is_(5)  # the strangulation is older
    spec.feature("grave_acts_ever").of("A").at("2025-05-31").is_(6)
    spec.feature("grave_act_days_365d").of("A").at("2025-05-31").is_(8)


def test_acts_that_the_literature_names_together(spec):
    """1 where both are present, 0 where one of them is denied, missing where that is not known."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        factors
        case | factor              | state   | occurred_at
        A    | death_threat        | present | 2025-05-01
        A    | firearm_access      | present | 2025-05-10
        A    | weapon_threat       | present | 2025-05-10
        A    | children_threatened | present | 2025-05-01
        A    | announced_intention | present | 2025-05-01
        A    | suicidality         | present | 2025-05-10
        B    | death_threat        | present | 2025-05-01
        B    | firearm_access      | denied  | 2025-05-10
        B    | weapon_threat       | denied  | 2025-05-10
        B    | weapon_used         | denied  | 2025-05-10
        B    | children_threatened | denied  | 2025-05-01
        B    | announced_intention | denied  | 2025-05-01
    """)
    spec.feature("threat_and_firearm").of("A").at("2025-06-01").is_(1)
    spec.feature("threat_and_firearm").of("B").at("2025-06-01").is_(0)
    spec.feature("threat_and_firearm").of("B").at("2025-05-05").is_missing()  # nobody had said yet
    spec.feature("threat_and_weapon").of("A").at("2025-06-01").is_(1)
    spec.feature("threat_and_weapon").of("B").at("2025-06-01").is_(0)
    spec.feature("children_threatened_and_suicidality").of("A").at("2025-06-01").is_(1)
    spec.feature("children_threatened_and_suicidality").of("A").at("2025-05-05").is_missing()
    spec.feature("children_threatened_and_suicidality").of("B").at("2025-06-01").is_(0)
    spec.feature("announced_and_suicidality").of("A").at("2025-06-01").is_(1)
    spec.feature("announced_and_suicidality").of("B").at("2025-06-01").is_(0)


def test_how_much_of_the_high_risk_is_unknown(spec):
    """Twelve factors, fixed beforehand; a denial is knowledge, too."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        factors
        case | factor          | state   | occurred_at
        A    | strangulation   | denied  | 2025-05-01
        A    | death_threat    | present | 2025-05-01
        A    | methamphetamine | present | 2025-05-01
        A    | property_damage | present | 2025-05-01

        incidents
        case | occurred_at
        B    | 2025-05-01
    """)
    spec.feature("high_risk_unknown_share").of("A").at("2025-06-01").is_(0.75)
    spec.feature("high_risk_unknown_share").of("B").at("2025-06-01").is_(1)
