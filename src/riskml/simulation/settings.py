"""Every figure of the simulator in one place, each with the tag that says how far it can be trusted.

Tags: [S:n] seen in source n of the evidence file, [D] derived from tagged figures, [M] from memory, to be
verified, [A] an assumption of the simulator without a source, [seed] the project's founding document. What
the simulator makes is synthetic, whatever the tag.
"""

from dataclasses import dataclass, field, fields

__all__ = ["FACTORS", "FactorSetting", "SimulationSettings", "described_settings"]


def _set(value, tag, why):
    return field(default=value, metadata={"tag": tag, "why": why})


@dataclass(frozen=True)
class FactorSetting:
    """One risk factor of the simulated world.

    Attributes
    ----------
    code : str        code of features/factors.yml
    hazard : float    log hazard ratio of a new violent event while present; size [A], sign as in the evidence
    severity : float  shift of the severity's latent normal while present [A]
    usual, severe : float    prevalence in truth without and with a severe event
    mention : float   factor on the source's probability of recording it when true
    partner_only : bool      absent from family cases other than couples
    tag : str         provenance of the prevalences
    """

    code: str
    hazard: float
    severity: float
    usual: float
    severe: float
    mention: float = 1.0
    partner_only: bool = False
    tag: str = "A"


FACTORS = (
    FactorSetting("strangulation", 0.35, 0.30, 0.08, 0.40, 0.6, tag="S:1"),
    FactorSetting("weapon_threat", 0.30, 0.20, 0.10, 0.40),
    FactorSetting("weapon_used", 0.20, 0.20, 0.04, 0.25),
    FactorSetting("death_threat", 0.25, 0.15, 0.25, 0.65),
    FactorSetting("firearm_access", 0.10, 0.20, 0.04, 0.12, 0.6),
    FactorSetting("jealousy", 0.15, 0.05, 0.45, 0.75, partner_only=True),
    FactorSetting("control", 0.15, 0.10, 0.40, 0.70, 0.7, partner_only=True),
    FactorSetting("alcohol", 0.20, 0.00, 0.45, 0.50),
    FactorSetting("drugs", 0.20, 0.05, 0.28, 0.42),
    FactorSetting("methamphetamine", 0.35, 0.10, 0.22, 0.40, 0.8),
    FactorSetting("separation", 0.50, 0.15, 0.15, 0.40, partner_only=True),
    FactorSetting("suicidality", 0.15, 0.20, 0.05, 0.20, 0.7),
    FactorSetting("pregnancy", 0.15, 0.05, 0.05, 0.08, partner_only=True),
    FactorSetting("forced_sex", 0.15, 0.20, 0.06, 0.22, 0.3, partner_only=True),
    FactorSetting("prior_other_victim", 0.30, 0.05, 0.12, 0.25, 0.6),
    FactorSetting("stalking", 0.25, 0.05, 0.15, 0.40),
    FactorSetting("unemployed", 0.20, 0.05, 0.25, 0.35),
    FactorSetting("confinement", 0.10, 0.15, 0.06, 0.18),
    FactorSetting("escalation_reported", 0.15, 0.10, 0.15, 0.35),
    FactorSetting("victim_fear", 0.20, 0.10, 0.30, 0.60),
    FactorSetting("children_threatened", 0.10, 0.05, 0.06, 0.15),
    FactorSetting("stepchild", 0.10, 0.05, 0.12, 0.20, partner_only=True),
    FactorSetting("breach", 0.30, 0.05, 0.02, 0.08),
    FactorSetting("economic_dependence", 0.10, 0.00, 0.35, 0.40),
    FactorSetting("isolation", 0.05, 0.05, 0.18, 0.25, 0.7),
)


@dataclass(frozen=True)
class SimulationSettings:
    """The simulated world. Rates are per day or year as their names say; times in days."""

    # People and pairs
    pairs_per_aggressor: tuple = _set(
        (0.925, 0.065, 0.010), "A", "aggressors with 1, 2 and 3 victims: 6-10% serial (EVIDENCE 4.4)"
    )
    repeated_victims: float = _set(0.02, "A", "cases whose victim is already the victim of another case")
    relationships: tuple = _set(
        (
            ("partner", 0.50),
            ("ex-partner", 0.25),
            ("son", 0.08),
            ("brother", 0.06),
            ("father", 0.06),
            ("in-law", 0.05),
        ),
        "A",
        "relation mix of EVIDENCE 4.4; other family split by us",
    )
    relationship_effect: tuple = _set(
        (0.0, 0.10, 0.05, -0.25, -0.25, -0.25), "A", "log hazard ratio, in the order of `relationships`"
    )
    age_effect: float = _set(
        0.015, "M", "log hazard ratio per year of later birth: young age raises risk [M], size [A]"
    )
    municipalities: tuple = _set(
        (
            ("Guadalupe", 0.42),
            ("Zacatecas", 0.33),
            ("Fresnillo", 0.13),
            ("Morelos", 0.05),
            ("Vetagrande", 0.04),
            ("Trancoso", 0.03),
        ),
        "A",
        "pilot area around Zacatecas-Guadalupe",
    )
    rural: float = _set(
        0.22, "A", "cases in rural localities; statewide over 40% live in localities under 2,500 (seed)"
    )

    # Inflow
    calls_2019: tuple = _set(
        (333, 321, 405, 404, 454, 1139, 456, 483, 185, 378, 394, 479),
        "S",
        "911 family-violence calls in Zacatecas by month, 2019 (public monthly series, SESNSP/CNI)",
    )
    calls_2020: tuple = _set(
        (384, 359, 535, 486, 548, 592, 448, 429, 466, 491), "S", "the same, January to October 2020"
    )
    calls_left_out: tuple = _set(
        (("2019", 6), ("2019", 9)),
        "D",
        "June (1,139) and September 2019 (185) offset each other: an accounting fault, left out "
        "of the seasonal index",
    )
    pilot_share: float = _set(
        1 / 3, "seed", "Zacatecas-Guadalupe metropolitan area, close to one third of the state"
    )
    linked_share: float = _set(
        0.48, "A", "calls of the pilot area that reach an identified pair in the registry"
    )
    yearly_inflow: tuple = _set(
        ((2023, 1.00), (2024, 1.10), (2025, 0.92), (2026, 0.88)),
        "S:71",
        "more files in 2024 than in 2025; relative sizes [A]",
    )

    # Violence
    weibull_shape: float = _set(0.48, "S:49,D", "fit to 8.1% at 90 d and 14.3% at 320 d")
    clock_offset: float = _set(
        4.0, "A", "days added to the clock, so that the hazard after an event is finite"
    )
    same_event: float = _set(1.0, "A", "acts within a day are one event: no second one starts sooner")
    base_rate: float = _set(
        0.0027,
        "A",
        "violent events per day at 90 days on the clock, all effects 0; tuned to 22-28% "
        "recorded recurrence in 12 months [S:21, S:18]",
    )
    null_rate: float = _set(
        0.0022, "A", "violent events per day when signal = 0: about the same recorded recurrence"
    )
    frailty_variance: float = _set(
        1.5, "S:18,S:49", "gamma variance that leaves about 75% without repeat; EVIDENCE 4.4"
    )
    frailty_quantiles: tuple = _set(
        (0.0, 0.35, 0.55, 0.68, 0.78, 0.85, 0.90, 0.94, 0.97, 0.99, 1.0),
        "A",
        "edges of the ten frailty classes; class j shows as j antecedents of violence against others",
    )
    highest_multiplier: float = _set(5.0, "A", "no pair's hazard exceeds the average by more")
    separation_decay: tuple = _set(
        ((90.0, 1.0), (180.0, 0.5)),
        "A",
        "share of the separation effect until that many days after it; none later",
    )
    separates_at_event: float = _set(0.06, "A", "couples that separate at a violent event")
    onset_when_severe: float = _set(
        0.75, "A", "share of the gap between the two prevalences that a severe event closes"
    )
    new_factor_at_event: float = _set(0.008, "A", "factors that appear at a violent event that is not severe")

    # Severity
    severity_cuts: tuple = _set(
        (-0.95, 0.20, 1.35, 2.62, 3.58),
        "A",
        "cuts of the latent normal: severity 0-5; tuned to 3-5% severe events per pair and year",
    )
    opening_shift: float = _set(
        0.24,
        "A",
        "shift of a case's first event: tuned to 40-55% of severe events at the first or second "
        "contact [S:17, S:18]",
    )
    severity_spread: float = _set(0.55, "A", "standard deviation between pairs")
    path_shares: tuple = _set(
        (0.60, 0.20, 0.12, 0.08), "S:18,S:26", "flat, decreasing, fluctuating, escalating"
    )
    path_step: tuple = _set(
        (0.0, -0.18, 0.0, 0.22), "A", "shift of the latent normal with each event of a path, up to five"
    )
    fluctuation: float = _set(0.9, "A", "further standard deviation of fluctuating paths")
    alarm_shift: float = _set(0.7, "A", "shift while a pattern of alarm is on")
    alarm_days: float = _set(
        60.0, "A", "a pattern shows up to this many days before the severe event (EVIDENCE 4.4)"
    )
    alarm_at_event: float = _set(0.04, "A", "events that switch the pattern on")
    death_given_severe: float = _set(
        0.010, "D", "completed femicide per severe event: 2-10 per 10,000 pairs and year"
    )
    attempt_given_severe: float = _set(0.030, "A", "attempt to completed about 3:1 (EVIDENCE 4.4)")

    # Reporting and recording
    reported_by_severity: tuple = _set(
        (0.22, 0.25, 0.30, 0.45, 0.70, 0.80, 1.0),
        "S:82,A",
        "13.1% complain; 0.12-0.30 for low, 0.7 for severe, higher here as the pair is known to the police",
    )
    reported_rural: float = _set(-0.25, "A", "log ratio of reporting in rural localities")
    reported_withdrawn: float = _set(-0.30, "A", "log ratio after the victim withdrew")
    visit_reporting: float = _set(
        1.10, "seed", "reporting ratio in the first 30 days after a visit (EVIDENCE 4.4)"
    )
    visit_reporting_days: float = _set(30.0, "A", "how long that lasts")
    source_shares: tuple = _set(
        (0.46, 0.22, 0.06, 0.17, 0.03, 0.06), "A", "first source of an incident, in the vocabulary's order"
    )
    source_mention: tuple = _set(
        (0.35, 0.55, 0.70, 0.80, 0.80, 0.75), "A", "probability that a source records a true factor"
    )
    denial: float = _set(0.20, "A", "true negatives that are recorded as denied")
    antecedents_found: float = _set(0.06, "A", "antecedents that a search at the opening of a case brings up")
    new_form: str = _set("2024-07-01", "A", "a new form: factors are recorded more often from then on")
    new_form_mention: float = _set(1.15, "A", "by this factor")
    fast_lag: tuple = _set((0.12, 1.6), "A", "911: median days and log spread of the recording lag")
    slow_lag: tuple = _set(
        (2.2, 1.75), "A", "other sources; all sources together: median 1 day, 95th percentile 45 days"
    )
    longest_lag: float = _set(400.0, "A", "no record comes later")
    duplicates: float = _set(0.30, "A", "incidents with a second row from another source (25-35%)")
    told_late: float = _set(0.04, "A", "unreported events that come out at the next reported one")
    severity_corrected: float = _set(0.03, "A", "incidents whose severity is corrected later")
    factor_corrected: float = _set(0.015, "A", "factor rows that turn out wrong and are replaced")
    roles_swapped: float = _set(0.01, "A", "cases first recorded with aggressor and victim swapped")
    municipality_corrected: float = _set(0.015, "A", "cases first recorded in the wrong municipality")
    person_corrected: float = _set(0.03, "A", "people whose particulars are corrected later")
    correction_delay: float = _set(25.0, "A", "mean days until a correction")
    unknown_birth_year: float = _set(0.12, "A", "people whose year of birth is missing")
    missing_occurred: float = _set(0.003, "A", "incident and factor rows without occurred_at")
    recorded_before: float = _set(0.005, "A", "incident rows recorded before they occurred")
    pasted_narrative: float = _set(0.02, "A", "narratives pasted from another report")
    quiet_closing: tuple = _set(
        (365.0, 730.0), "A", "a case is closed after a quiet time drawn between these days"
    )

    # Exits, per year
    migration: float = _set(0.05, "A", "to the US or another state")
    death: float = _set(0.005, "A", "of the aggressor or the victim, homicide background")
    relation_ended: float = _set(0.10, "A", "relation truly ended")
    exit_recorded: tuple = _set(
        (0.10, 0.60, 0.15), "A", "exits that reach the registry: migration, death, ended relation"
    )

    # Responses
    visit_violence: float = _set(0.80, "seed", "hazard ratio of violence after a visit (OFDVI about 16-20%)")
    visit_days: float = _set(90.0, "A", "how long a visit works")
    visit_before: float = _set(0.10, "A", "visit after a recorded incident, before the intervention")
    visit_by_level: tuple = _set(
        (0.35, 0.55, 0.75, 0.80), "A", "the same from the intervention on: low, medium, high, critical"
    )
    visit_delay: float = _set(4.0, "A", "mean days from the record to the visit")
    first_round: float = _set(0.45, "A", "open cases visited within four months of the intervention's start")
    protection_by_severity: tuple = _set(
        (0.02, 0.05, 0.10, 0.25, 0.45, 0.55, 0.0), "A", "protection measure after a recorded incident"
    )
    protection_days: tuple = _set(
        (60.0, 90.0), "M", "CNPP 137 and 139: 60 days, extendable by 30 (to be verified)"
    )
    protection_extended: float = _set(0.35, "A", "measures of 90 days")
    protection_violence: float = _set(0.85, "A", "hazard ratio while in force")
    precautionary_by_severity: tuple = _set(
        (0.0, 0.01, 0.02, 0.07, 0.15, 0.25, 0.0), "A", "precautionary measure after a recorded incident"
    )
    precautionary_days: float = _set(180.0, "A", "its length")
    precautionary_violence: float = _set(0.75, "A", "hazard ratio while in force")
    ended_early: float = _set(0.10, "A", "measures lifted before their expiry")
    detained_by_severity: tuple = _set(
        (0.003, 0.006, 0.013, 0.04, 0.15, 0.30, 0.6), "A", "custody after a recorded incident: 2-4% a year"
    )
    detained_briefly: float = _set(0.5, "M", "released after the 48 hours of the constitutional term")
    custody_days: tuple = _set((270.0, 0.5), "A", "otherwise: median days and log spread")
    custody_violence: float = _set(0.03, "A", "hazard ratio in custody")
    var_critical: float = _set(0.15, "A", "critical cases with VAR activated, from the intervention on")
    var_custody: float = _set(0.90, "A", "of those, custody within days (EVIDENCE 4.4)")
    withdrawn: float = _set(
        0.12, "M", "victims who withdraw after a recorded incident: perdón and desistimiento are common"
    )

    # Analysts
    analysts: int = _set(8, "A", "analysts of the unit")
    analyst_spread: float = _set(0.30, "A", "standard deviation of their habits")
    analyst_noise: float = _set(0.65, "A", "standard deviation of one assignment")
    analyst_drift: float = _set(0.10, "A", "rise of all analysts per year")
    copied_forward: float = _set(0.30, "A", "assignments that repeat the last level")
    level_cuts: tuple = _set((1.6, 3.1, 5.4), "A", "cuts of the ordinal probit: medium, high, critical")


def described_settings(settings=None):
    """Each setting as (name, value, tag, reason), in the file's order.

    List of tuples, for the documentation.
    """
    settings = settings or SimulationSettings()
    return [
        (f.name, getattr(settings, f.name), f.metadata["tag"], f.metadata["why"]) for f in fields(settings)
    ]
