"""Catalogue, responses: what each definition of `features/response.yml` gives on a small registry."""


def test_measures_and_their_clocks(spec):
    """A protection measure lasts 60 days and may be extended by 30; custody has an end of its own.

    Case B is another case of the same aggressor.
    """
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        measures
        case | kind          | occurred_at | expires_at
        A    | protection    | 2025-03-01  | 2025-04-30
        A    | protection    | 2025-04-30  | 2025-05-30
        A    | precautionary | 2025-05-10  | 2025-08-10
        A    | custody       | 2025-05-20  | 2025-06-20
        B    | protection    | 2025-05-25  | 2025-06-05
        B    | precautionary | 2025-05-25  | 2025-08-30
        B    | custody       | 2025-05-25  | 2025-06-05
    """)
    spec.feature("measures_in_force").of("A").at("2025-03-10").is_(1)
    spec.feature("measures_in_force").of("B").at("2025-05-20").is_(0)
    spec.feature("protection_in_force").of("A").at("2025-04-30").is_(1)  # renewed on the day
    spec.feature("protection_in_force").of("A").at("2025-06-01").is_(0)
    spec.feature("precautionary_in_force").of("A").at("2025-05-05").is_(0)
    spec.feature("precautionary_in_force").of("A").at("2025-06-01").is_(1)
    spec.feature("precautionary_in_force").of("A").at("2025-08-20").is_(0)
    spec.feature("custody_in_force").of("A").at("2025-06-01").is_(1)
    spec.feature("custody_in_force").of("A").at("2025-06-20").is_(0)
    spec.feature("days_to_expiry").of("A").at("2025-05-20").is_(10)
    spec.feature("days_to_expiry").of("A").at("2025-06-01").is_(70)  # custody is another clock
    spec.feature("days_to_custody_end").of("A").at("2025-05-22").is_(29)
    spec.feature("days_to_custody_end").of("A").at("2025-06-01").is_(19)
    spec.feature("measures_365d").of("A").at("2025-06-01").is_(4)
    spec.feature("protection_measures_90d").of("A").at("2025-05-25").is_(2)  # one measure and its extension
    spec.feature("days_since_measure").of("A").at("2025-06-01").is_(12)


def test_a_measure_that_expired_and_was_not_renewed(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Bruno     | 2025-01-01
        C    | Juan      | 2025-01-01

        incidents
        case | occurred_at
        A    | 2025-02-25
        A    | 2025-05-20
        B    | 2025-05-20
        C    | 2025-05-20

        measures
        case | kind          | occurred_at | expires_at | ended_at
        A    | protection    | 2025-03-01  | 2025-04-30 | -
        A    | custody       | 2025-03-01  | 2025-05-05 | -
        B    | protection    | 2025-03-01  | 2025-04-20 | -
        B    | precautionary | 2025-03-01  | 2025-04-30 | -
        B    | protection    | 2025-04-19  | 2025-06-30 | -
        C    | protection    | 2025-03-01  | 2025-05-30 | 2025-04-15
        C    | precautionary | 2025-03-01  | 2025-06-10 | -
    """)
    spec.feature("days_since_expiry").of("A").at("2025-05-10").is_(10)  # the end of custody is no expiry
    spec.feature("days_since_expiry").of("A").at("2025-06-11").is_(42)
    spec.feature("days_since_expiry").of("B").at("2025-05-10").is_(10)
    spec.feature("days_since_expiry").of("C").at("2025-06-01").is_missing()  # it was ended before
    spec.feature("expired_without_renewal").of("A").at("2025-04-29").is_(0)
    spec.feature("expired_without_renewal").of("A").at("2025-05-10").is_(1)
    spec.feature("expired_without_renewal").of("B").at("2025-05-10").is_(0)
    spec.feature("incident_since_lapse").of("A").at("2025-05-10").is_(0)
    spec.feature("incident_since_lapse").of("A").at("2025-06-01").is_(1)
    spec.feature("incident_since_lapse").of("B").at("2025-06-01").is_(0)  # another measure was in force


def test_custody_in_another_case(spec):
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        measures
        case | kind       | occurred_at | expires_at
        A    | protection | 2025-05-01  | -
        B    | custody    | 2025-05-20  | -
    """)
    spec.feature("aggressor_custody_in_force").of("A").at("2025-05-10").is_(0)
    spec.feature("aggressor_custody_in_force").of("A").at("2025-06-01").is_(1)
    spec.feature("custody_in_force").of("A").at("2025-06-01").is_(0)


def test_stages_of_the_proceedings(spec):
    """Case B is another case of the same aggressor: only his detentions and convictions count in both."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2023-01-01
        B    | Juan      | 2023-01-01

        proceedings
        case | stage       | occurred_at
        A    | file_opened | 2024-05-01
        A    | detained    | 2024-05-02
        A    | released    | 2024-05-12
        A    | withdrawn   | 2024-06-12
        A    | file_opened | 2025-03-01
        A    | detained    | 2025-03-23
        A    | detained    | 2025-04-02
        A    | released    | 2025-04-12
        A    | charged     | 2025-04-22
        A    | charged     | 2025-04-23
        A    | withdrawn   | 2025-05-12
        A    | withdrawn   | 2025-05-22
        A    | closed      | 2025-05-30
        B    | detained    | 2023-05-01
        B    | convicted   | 2023-09-01
        B    | convicted   | 2023-10-01
        B    | detained    | 2025-05-25
        B    | released    | 2025-05-26
        B    | withdrawn   | 2025-05-27
    """)
    spec.feature("detained_90d").of("A").at("2025-03-15").is_(0)
    spec.feature("detained_90d").of("A").at("2025-06-01").is_(1)
    spec.feature("detained_365d").of("B").at("2025-04-10").is_(0)
    spec.feature("detained_365d").of("A").at("2025-08-01").is_(1)
    spec.feature("days_since_detained").of("A").at("2025-06-01").is_(60)
    spec.feature("aggressor_detentions_ever").of("A").at("2025-06-01").is_(5)
    spec.feature("aggressor_convictions_ever").of("A").at("2025-06-01").is_(2)
    spec.feature("days_since_released").of("A").at("2025-06-01").is_(50)
    spec.feature("charged_ever").of("A").at("2025-04-01").is_(0)
    spec.feature("charged_ever").of("A").at("2025-06-01").is_(1)
    spec.feature("charged_ever").of("B").at("2025-06-01").is_(0)
    spec.feature("withdrawals_365d").of("A").at("2025-06-01").is_(3)
    spec.feature("days_since_withdrawn").of("A").at("2025-06-01").is_(10)
    spec.feature("files_opened_ever").of("A").at("2025-06-01").is_(2)
    spec.feature("files_opened_ever").of("B").at("2025-06-01").is_(0)
    spec.feature("file_without_charge").of("A").at("2025-04-21").is_(1)
    spec.feature("file_without_charge").of("A").at("2025-06-01").is_(0)
    spec.feature("file_without_charge").of("B").at("2025-06-01").is_(0)  # no file in this case


def test_what_was_done(spec):
    """Case B is another case of the same aggressor: what was done about it answers nothing here."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        responses
        case | kind               | result               | occurred_at
        A    | visit              | localizado           | 2025-03-13
        A    | visit              | no localizado        | 2025-05-12
        A    | deterrent_message  | no entregado         | 2025-05-02
        A    | deterrent_message  | entregado            | 2025-04-22
        A    | referral_victim    | no acudió            | 2025-04-02
        A    | referral_victim    | no acudió            | 2025-04-12
        A    | referral_aggressor | aceptó               | 2025-03-23
        A    | referral_aggressor | se negó              | 2025-04-02
        A    | var_activation     | no localizado        | 2025-05-12
        A    | var_activation     | no localizado        | 2025-05-22
        A    | surveillance       | -                    | 2025-05-17
        A    | surveillance       | -                    | 2025-05-27
        A    | visit              | -                    | 2025-05-12
        B    | visit              | localizado           | 2025-05-30
        B    | deterrent_message  | no entregado         | 2025-05-30
        B    | referral_victim    | aceptó               | 2025-05-30
        B    | referral_aggressor | aceptó               | 2025-05-30
        B    | var_activation     | puesto a disposición | 2025-05-30
        B    | surveillance       | sin novedad          | 2025-05-30
    """)
    spec.feature("responses_30d").of("A").at("2025-06-01").is_(6)
    spec.feature("responses_90d").of("A").at("2025-06-01").is_(13)
    spec.feature("visits_30d").of("A").at("2025-06-01").is_(2)
    spec.feature("visits_90d").of("A").at("2025-06-01").is_(3)
    spec.feature("deterrent_messages_90d").of("A").at("2025-06-01").is_(2)
    spec.feature("victim_referred_ever").of("A").at("2025-04-01").is_(0)
    spec.feature("victim_referred_ever").of("A").at("2025-06-01").is_(1)
    spec.feature("aggressor_referred_ever").of("A").at("2025-03-20").is_(0)
    spec.feature("aggressor_referred_ever").of("A").at("2025-06-01").is_(1)
    spec.feature("var_activated_90d").of("A").at("2025-05-10").is_(0)
    spec.feature("var_activated_90d").of("A").at("2025-06-01").is_(1)
    spec.feature("surveillance_90d").of("A").at("2025-05-15").is_(0)
    spec.feature("surveillance_90d").of("A").at("2025-06-01").is_(1)
    spec.feature("surveillance_90d").of("A").at("2025-08-26").is_(0)  # of the other case it is not over
    spec.feature("days_since_visit").of("A").at("2025-06-01").is_(20)
    spec.feature("days_since_deterrent_message").of("A").at("2025-06-01").is_(30)
    spec.feature("days_since_victim_referred").of("A").at("2025-06-01").is_(50)
    spec.feature("days_since_aggressor_referred").of("A").at("2025-06-01").is_(60)
    spec.feature("days_since_var").of("A").at("2025-06-01").is_(10)
    spec.feature("days_since_surveillance").of("A").at("2025-05-24").is_(7)
    spec.feature("days_since_surveillance").of("A").at("2025-06-01").is_(5)
    spec.feature("days_since_response").of("A").at("2025-06-01").is_(5)
    spec.feature("responses_not_delivered_90d").of("A").at("2025-06-01").is_(7)
    spec.feature("victim_referred_ever").of("B").at("2025-05-29").is_(0)
    spec.feature("aggressor_referred_ever").of("B").at("2025-05-29").is_(0)
    spec.feature("var_activated_90d").of("B").at("2025-05-29").is_(0)


def test_the_last_response_that_reached_somebody(spec):
    """What counts as delivered is the agency's own words in `result`."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        cases
        case | aggressor | occurred_at
        A    | Juan      | 2025-01-01
        B    | Juan      | 2025-01-01

        responses
        case | kind               | result               | occurred_at
        A    | visit              | localizado           | 2025-01-11
        A    | visit              | no localizado        | 2025-01-16
        A    | deterrent_message  | entregado            | 2025-02-11
        A    | referral_aggressor | aceptó               | 2025-03-11
        A    | var_activation     | puesto a disposición | 2025-04-11
        A    | surveillance       | sin novedad          | 2025-05-11
        A    | surveillance       | con novedad          | 2025-06-11
        A    | visit              | -                    | 2025-06-21
        B    | visit              | localizado           | 2025-06-25
    """)
    spec.feature("days_since_delivered_response").of("A").at("2025-01-21").is_(10)
    spec.feature("days_since_delivered_response").of("A").at("2025-02-21").is_(10)
    spec.feature("days_since_delivered_response").of("A").at("2025-03-21").is_(10)
    spec.feature("days_since_delivered_response").of("A").at("2025-04-21").is_(10)
    spec.feature("days_since_delivered_response").of("A").at("2025-05-21").is_(10)
    spec.feature("days_since_delivered_response").of("A").at("2025-07-01").is_(20)


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
        B    | prior_measure           | present | 2025-05-10
        A    | access_after_assessment | present | 2025-05-01
        A    | jealousy                | denied  | 2025-05-20
        A    | jealousy                | present | 2025-06-20
    """)
    spec.feature("prior_arrest").of("A").at("2025-06-01").is_("present")  # of the person: from any case
    spec.feature("prior_measure").of("A").at("2025-07-01").is_("denied")
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


def test_what_happens_at_the_same_moment_is_not_after(spec):
    """A registry that keeps days alone: what was done that day was done because of it."""
    spec.with_the_workspace_catalogue()
    spec.history("""
        incidents
        case | occurred_at | severity
        A    | 2025-05-22  | 4

        responses
        case | kind               | occurred_at
        A    | visit              | 2025-05-22
        A    | deterrent_message  | 2025-05-22
        A    | referral_victim    | 2025-05-22
        A    | referral_aggressor | 2025-05-22
        A    | surveillance       | 2025-05-22
        A    | var_activation     | 2025-05-22

        measures
        case | kind       | occurred_at | expires_at
        A    | protection | 2025-03-22  | 2025-05-22
        A    | custody    | 2025-05-22  | -

        proceedings
        case | stage     | occurred_at
        A    | detained  | 2025-05-22
        A    | released  | 2025-05-22
        A    | withdrawn | 2025-05-22

        factors
        case | factor | state   | occurred_at
        A    | breach | present | 2025-05-22
    """)
    spec.feature("incident_since_visit").at("2025-06-01").is_(0)
    spec.feature("incident_since_deterrent_message").at("2025-06-01").is_(0)
    spec.feature("incident_since_measure").at("2025-06-01").is_(0)
    spec.feature("incident_since_lapse").at("2025-06-01").is_(0)
    spec.feature("incident_since_detention").at("2025-06-01").is_(0)
    spec.feature("incident_since_release").at("2025-06-01").is_(0)
    spec.feature("incident_since_withdrawal").at("2025-06-01").is_(0)
    spec.feature("incident_since_victim_referral").at("2025-06-01").is_(0)
    spec.feature("incident_since_aggressor_referral").at("2025-06-01").is_(0)
    spec.feature("incident_since_var").at("2025-06-01").is_(0)
    spec.feature("incident_since_surveillance").at("2025-06-01").is_(0)
    spec.feature("days_from_visit_to_incident").at("2025-06-01").is_missing()
    spec.feature("days_from_deterrent_message_to_incident").at("2025-06-01").is_missing()
    spec.feature("days_from_measure_to_incident").at("2025-06-01").is_missing()
    spec.feature("days_from_detention_to_incident").at("2025-06-01").is_missing()
    spec.feature("breach_since_measure").at("2025-06-01").is_(0)
    spec.feature("days_unanswered").at("2025-06-01").is_(0)
    spec.feature("severe_incident_unanswered").at("2025-06-01").is_(0)
    spec.feature("var_without_detention").at("2025-06-01").is_(0)
    spec.feature("withdrawn_after_severe_incident").at("2025-06-01").is_(1)


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
        case | factor  | state   | occurred_at
        B    | breach  | present | 2025-05-22
        A    | breach  | present | 2025-03-22
        A    | breach  | present | 2025-04-22
        A    | alcohol | present | 2025-05-22
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
