"""Factors: present, denied, or not mentioned; silence is never a denial."""


def test_a_factor_is_present_denied_or_missing(spec):
    spec.history("""
        cases
        case | occurred_at
        A    | 2025-01-01
        B    | 2025-01-01
        C    | 2025-01-01

        factors
        case | factor        | state   | occurred_at
        A    | strangulation | present | 2025-02-01
        B    | strangulation | denied  | 2025-02-01
        C    | alcohol       | present | 2025-02-01
    """)
    spec.feature("strangulation").of("A").at("2025-03-01").is_("present")
    spec.feature("strangulation").of("B").at("2025-03-01").is_("denied")
    spec.feature("strangulation").of("C").at(
        "2025-03-01"
    ).is_missing()  # nobody asked, or nobody wrote it down


def test_the_last_word_on_a_factor_is_its_state(spec):
    spec.history("""
        factors
        case | factor        | state   | occurred_at
        A    | strangulation | denied  | 2025-02-01
        A    | strangulation | present | 2025-02-15
    """)
    spec.feature("strangulation").at("2025-02-10").is_("denied")
    spec.feature("strangulation").at("2025-02-20").is_("present")


def test_once_present_in_the_window_outranks_a_later_denial(spec):
    """`max` follows the order of the states: denied is 0, present is 1."""
    spec.history("""
        factors
        case | factor        | state   | occurred_at
        A    | strangulation | present | 2025-02-01
        A    | strangulation | denied  | 2025-02-15
    """)
    spec.feature("strangulation").at("2025-03-01").is_("denied")
    spec.feature("strangulation_ever_90d").at("2025-03-01").is_(1)
    spec.feature("strangulation_ever_90d").at("2025-05-10").is_(0)  # only the denial is left in the window
    spec.feature("strangulation_ever_90d").at("2025-06-01").is_missing()


def test_a_factor_denied_by_mistake_and_corrected(spec):
    spec.history("""
        factors
        case | factor        | state   | occurred_at | recorded_at | superseded_at
        A    | strangulation | denied  | 2025-02-01  | 2025-02-01  | 2025-02-10
        A    | strangulation | present | 2025-02-01  | 2025-02-10  | -
    """)
    spec.feature("strangulation").at("2025-02-09").is_("denied")
    spec.feature("strangulation").at("2025-02-10").is_("present")


def test_a_factor_learnt_weeks_later_dates_from_when_it_was_true(spec):
    spec.history("""
        factors
        case | factor        | state   | occurred_at | recorded_at
        A    | strangulation | present | 2025-02-01  | 2025-02-20
    """)
    spec.feature("strangulation").at("2025-02-19").is_missing()
    spec.feature("strangulation").at("2025-02-20").is_("present")


def test_factors_are_counted_once_each_and_denied_ones_not_at_all(spec):
    spec.history("""
        factors
        case | factor        | state   | occurred_at
        A    | strangulation | present | 2025-02-01
        A    | strangulation | present | 2025-02-15
        A    | jealousy      | present | 2025-02-15
        A    | alcohol       | denied  | 2025-02-15
    """)
    spec.feature("factors_present_ever").at("2025-02-10").is_(1)
    spec.feature("factors_present_ever").at("2025-03-01").is_(2)
