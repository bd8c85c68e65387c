"""Catalogue, responses: what each definition of `features/response.yml` gives on a small registry."""


def test_measures_and_their_clocks(spec):
    """A protection measure lasts 60 days and may be extended by 30; custody has an end of its own."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        measures
        case | kind          | occurred_at | expires_at
        A    | protection    | 2025-03-01  | 2025-04-30
        A    | protection    | 2025-04-30  | 2025-05-30
        A    | precautionary | 2025-05-10  | 2025-08-10
        A    | custody       | 2025-05-20  | 2025-06-20
    """)
    spec.feature("measures_in_force").at("2025-03-10").is_(1)
    spec.feature("protection_in_force").at("2025-04-30").is_(1)  # renewed on the day
    spec.feature("protection_in_force").at("2025-06-01").is_(0)
    spec.feature("precautionary_in_force").at("2025-06-01").is_(1)
    spec.feature("custody_in_force").at("2025-06-01").is_(1)
    spec.feature("custody_in_force").at("2025-06-20").is_(0)
    spec.feature("days_to_expiry").at("2025-05-20").is_(10)
    spec.feature("days_to_expiry").at("2025-06-01").is_(70)  # custody is another clock
    spec.feature("days_to_custody_end").at("2025-06-01").is_(19)
    spec.feature("measures_365d").at("2025-06-01").is_(4)
    spec.feature("protection_measures_90d").at("2025-05-05").is_(2)  # one measure and its extension
    spec.feature("days_since_measure").at("2025-06-01").is_(12)


def test_a_measure_that_expired_and_was_not_renewed(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-02-25
        A    | 2025-05-20
        B    | 2025-05-20
        C    | 2025-05-20

        measures
        case | kind       | occurred_at | expires_at | ended_at
        A    | protection | 2025-03-01  | 2025-04-30 | -
        B    | protection | 2025-03-01  | 2025-04-30 | -
        B    | protection | 2025-04-29  | 2025-06-30 | -
        C    | protection | 2025-03-01  | 2025-04-30 | 2025-04-15
    """)
    spec.feature("days_since_expiry").of("A").at("2025-05-10").is_(10)
    spec.feature("days_since_expiry").of("C").at("2025-05-10").is_missing()  # it was ended before
    spec.feature("expired_without_renewal").of("A").at("2025-04-29").is_(0)
    spec.feature("expired_without_renewal").of("A").at("2025-05-10").is_(1)
    spec.feature("expired_without_renewal").of("B").at("2025-05-10").is_(0)
    spec.feature("incident_since_lapse").of("A").at("2025-05-10").is_(0)
    spec.feature("incident_since_lapse").of("A").at("2025-06-01").is_(1)
    spec.feature("incident_since_lapse").of("B").at("2025-06-01").is_(0)  # another measure was in force
    spec.feature("incident_since_lapse").of("C").at("2025-06-01").is_missing()


def test_custody_in_another_case(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        measures
        case | kind    | occurred_at | expires_at
        B    | custody | 2025-05-20  | -
    """)
    spec.feature("aggressor_custody_in_force").of("A").at("2025-06-01").is_(1)
    spec.feature("custody_in_force").of("A").at("2025-06-01").is_(0)


def test_stages_of_the_proceedings(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2023-01-01
        B    | Juan      | 2023-01-01

        proceedings
        case | stage       | occurred_at
        B    | detained    | 2023-05-01
        B    | convicted   | 2023-09-01
        A    | file_opened | 2025-03-01
        A    | detained    | 2025-04-02
        A    | released    | 2025-04-12
        A    | charged     | 2025-04-22
        A    | withdrawn   | 2025-05-22
    """)
    spec.feature("detained_90d").of("A").at("2025-06-01").is_(1)
    spec.feature("detained_365d").of("A").at("2025-08-01").is_(1)
    spec.feature("days_since_detained").of("A").at("2025-06-01").is_(60)
    spec.feature("aggressor_detentions_ever").of("A").at("2025-06-01").is_(2)
    spec.feature("aggressor_convictions_ever").of("A").at("2025-06-01").is_(1)
    spec.feature("days_since_released").of("A").at("2025-06-01").is_(50)
    spec.feature("charged_ever").of("A").at("2025-06-01").is_(1)
    spec.feature("withdrawals_365d").of("A").at("2025-06-01").is_(1)
    spec.feature("days_since_withdrawn").of("A").at("2025-06-01").is_(10)
    spec.feature("files_opened_ever").of("A").at("2025-06-01").is_(1)
    spec.feature("file_without_charge").of("A").at("2025-04-21").is_(1)
    spec.feature("file_without_charge").of("A").at("2025-06-01").is_(0)
    spec.feature("file_without_charge").of("B").at("2025-06-01").is_(0)  # no file in this case


def test_what_was_done(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        responses
        case | kind               | result         | occurred_at
        A    | visit              | localizado     | 2025-03-13
        A    | visit              | no localizado  | 2025-05-12
        A    | deterrent_message  | entregado      | 2025-04-22
        A    | deterrent_message  | no entregado   | 2025-05-02
        A    | referral_victim    | no acudió      | 2025-04-12
        A    | referral_aggressor | aceptó         | 2025-04-02
        A    | var_activation     | no localizado  | 2025-05-22
        A    | surveillance       | -              | 2025-05-27
    """)
    spec.feature("responses_30d").at("2025-06-01").is_(3)
    spec.feature("responses_90d").at("2025-06-01").is_(8)
    spec.feature("visits_30d").at("2025-06-01").is_(1)
    spec.feature("visits_90d").at("2025-06-01").is_(2)
    spec.feature("deterrent_messages_90d").at("2025-06-01").is_(2)
    spec.feature("victim_referred_ever").at("2025-06-01").is_(1)
    spec.feature("aggressor_referred_ever").at("2025-04-05").is_(1)
    spec.feature("var_activated_90d").at("2025-06-01").is_(1)
    spec.feature("surveillance_90d").at("2025-06-01").is_(1)
    spec.feature("days_since_visit").at("2025-06-01").is_(20)
    spec.feature("days_since_deterrent_message").at("2025-06-01").is_(30)
    spec.feature("days_since_victim_referred").at("2025-06-01").is_(50)
    spec.feature("days_since_aggressor_referred").at("2025-06-01").is_(60)
    spec.feature("days_since_var").at("2025-06-01").is_(10)
    spec.feature("days_since_surveillance").at("2025-06-01").is_(5)
    spec.feature("days_since_response").at("2025-06-01").is_(5)
    spec.feature("responses_not_delivered_90d").at("2025-06-01").is_(4)
    spec.feature("days_since_delivered_response").at("2025-06-01").is_(40)  # the message of 22 April


def test_what_the_record_says_of_earlier_responses(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        factors
        case | factor                  | state   | occurred_at
        B    | prior_arrest            | present | 2025-05-01
        A    | prior_measure           | denied  | 2025-05-01
        A    | access_after_assessment | present | 2025-05-01
    """)
    spec.feature("prior_arrest").of("A").at("2025-06-01").is_("present")  # of the person: from any case
    spec.feature("prior_measure").of("A").at("2025-06-01").is_("denied")
    spec.feature("access_after_assessment").of("A").at("2025-06-01").is_("present")
    spec.feature("access_after_assessment").of("B").at("2025-06-01").is_missing()


def test_violence_after_each_kind_of_response(spec):
    """1 where an incident happened since, 0 where none did, missing where there was no such response."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        incidents
        case | occurred_at
        A    | 2025-04-01
        A    | 2025-05-22

        responses
        case | kind               | occurred_at
        A    | visit              | 2025-05-02
        A    | deterrent_message  | 2025-05-12
        A    | referral_victim    | 2025-05-02
        A    | referral_aggressor | 2025-05-02
        A    | surveillance       | 2025-05-02
        A    | var_activation     | 2025-05-02
        A    | visit              | 2025-05-25

        measures
        case | kind       | occurred_at | expires_at
        A    | protection | 2025-04-22  | 2025-06-21

        proceedings
        case | stage     | occurred_at
        A    | detained  | 2025-04-12
        A    | released  | 2025-04-14
        A    | withdrawn | 2025-05-02
    """)
    spec.feature("incident_since_visit").at("2025-05-01").is_missing()  # no visit yet
    spec.feature("incident_since_visit").at("2025-05-21").is_(0)
    spec.feature("incident_since_visit").at("2025-05-22").is_(1)
    spec.feature("incident_since_visit").at("2025-05-25").is_(0)  # visited again
    spec.feature("incident_since_deterrent_message").at("2025-06-01").is_(1)
    spec.feature("incident_since_measure").at("2025-06-01").is_(1)
    spec.feature("incident_since_detention").at("2025-06-01").is_(1)
    spec.feature("incident_since_release").at("2025-06-01").is_(1)
    spec.feature("incident_since_withdrawal").at("2025-06-01").is_(1)
    spec.feature("incident_since_victim_referral").at("2025-06-01").is_(1)
    spec.feature("incident_since_aggressor_referral").at("2025-06-01").is_(1)
    spec.feature("incident_since_var").at("2025-06-01").is_(1)
    spec.feature("incident_since_surveillance").at("2025-06-01").is_(1)
    spec.feature("incident_since_surveillance").at("2025-05-21").is_(0)
    spec.feature("days_from_visit_to_incident").at("2025-05-24").is_(20)
    spec.feature("days_from_visit_to_incident").at("2025-06-01").is_missing()
    spec.feature("days_from_deterrent_message_to_incident").at("2025-06-01").is_(10)
    spec.feature("days_from_measure_to_incident").at("2025-06-01").is_(30)
    spec.feature("days_from_detention_to_incident").at("2025-06-01").is_(40)


def test_a_breach_of_the_measure_in_this_case(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        measures
        case | kind       | occurred_at | expires_at
        A    | protection | 2025-05-01  | 2025-06-30
        B    | protection | 2025-05-01  | 2025-06-30

        factors
        case | factor | state   | occurred_at
        B    | breach | present | 2025-05-22
        A    | breach | present | 2025-04-22
    """)
    spec.feature("days_since_case_breach").of("A").at("2025-06-01").is_(40)
    spec.feature("breach_since_measure").of("A").at("2025-06-01").is_(0)  # it was of an earlier one
    spec.feature("breach_since_measure").of("B").at("2025-06-01").is_(1)


def test_an_incident_without_a_response(spec):
    """A response, a measure or a detention answers an incident; what was done before it does not."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        incidents
        case | occurred_at | severity
        A    | 2025-05-20  | 4
        B    | 2025-05-20  | 4
        C    | 2025-05-20  | 1

        responses
        case | kind  | occurred_at
        A    | visit | 2025-05-10
        C    | visit | 2025-05-10

        measures
        case | occurred_at
        B    | 2025-05-21
    """)
    spec.feature("days_unanswered").of("A").at("2025-06-01").is_(12)
    spec.feature("days_unanswered").of("B").at("2025-06-01").is_(0)
    spec.feature("days_unanswered").of("A").at("2025-05-15").is_missing()  # nothing to answer yet
    spec.feature("severe_incident_unanswered").of("A").at("2025-05-23").is_(0)  # 72 hours are not over
    spec.feature("severe_incident_unanswered").of("A").at("2025-05-24").is_(1)
    spec.feature("severe_incident_unanswered").of("B").at("2025-06-01").is_(0)
    spec.feature("severe_incident_unanswered").of("C").at("2025-06-01").is_(0)


def test_var_without_a_detention(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        responses
        case | kind           | occurred_at
        A    | var_activation | 2025-05-20
        B    | var_activation | 2025-05-20
        C    | visit          | 2025-05-20

        proceedings
        case | stage    | occurred_at
        A    | detained | 2025-01-20
        B    | detained | 2025-05-21
    """)
    spec.feature("var_without_detention").of("A").at("2025-05-23").is_(0)  # 72 hours are not over
    spec.feature("var_without_detention").of("A").at("2025-05-24").is_(1)
    spec.feature("var_without_detention").of("B").at("2025-05-24").is_(0)
    spec.feature("var_without_detention").of("C").at("2025-05-24").is_missing()


def test_a_complaint_withdrawn_after_a_severe_incident(spec):
    """Whether the proceedings or the record's factors say it."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        incidents
        case | occurred_at | severity
        A    | 2025-05-01  | 4
        B    | 2025-05-01  | 4
        C    | 2025-05-01  | 4

        proceedings
        case | stage     | occurred_at
        A    | withdrawn | 2025-05-12
        B    | withdrawn | 2024-05-12

        factors
        case | factor              | state   | occurred_at
        C    | complaint_withdrawn | present | 2025-05-12
    """)
    spec.feature("withdrawn_after_severe_incident").of("A").at("2025-06-01").is_(1)
    spec.feature("withdrawn_after_severe_incident").of("B").at("2025-06-01").is_(0)  # it was before
    spec.feature("withdrawn_after_severe_incident").of("C").at("2025-06-01").is_(1)
