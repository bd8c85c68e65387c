"""The leakage audit: controls that an honest model must pass, run wherever the AUC is too good."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import t as student

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.models.bundle import plain
from riskml.progress import progress
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.discrimination import auc
from riskml.validation.forecast import NotEstimable
from riskml.validation.leakage import LEAKAGE_AUC
from riskml.validation.multiplicity import multiplicity_note
from riskml.validation.single_features import clustered_auc, single_feature_aucs
from riskml.validation.verdict import Check, every_language, worst

__all__ = [
    "LeakageAudit",
    "future_shift_control",
    "leakage_audit",
    "shifted_cohort",
    "shuffled_label_control",
    "shuffled_labels",
    "single_feature_control",
]

HONEST_AUC = 0.76  # EVIDENCE 3.1: upper end of honest prospective AUC on police records
AT_HALF = 0.005  # what prints as 0.50
NEAR_HALF = 0.02  # [A]: a shuffled AUC this near 0.5 is a concern at most
FEWEST_PEOPLE = 10  # [A]: with an event, behind a feature that is judged alone


def shuffled_labels(y, rng, *, people=None):
    """The outcomes in another order, so that features tell nothing of them.

    Parameters
    ----------
    y : array, shape (n,)
    rng : numpy.random.Generator
    people : array of labels, shape (n,), or None    None: each row gets the outcome of another; given: each
        person gets all outcomes of another, repeated or cut to his own number of rows

    Returns
    -------
    array, shape (n,)
    """
    y = np.asarray(y)
    if people is None:
        return y[rng.permutation(len(y))]
    code = pd.factorize(pd.Series(people).array)[0]
    order, size = np.argsort(code, kind="stable"), np.bincount(code)
    begin, giver = np.cumsum(size) - size, rng.permutation(len(size))
    place = np.arange(len(y)) - np.repeat(begin, size)
    shuffled = np.empty_like(y)
    shuffled[order] = y[order[np.repeat(begin[giver], size) + place % np.repeat(size[giver], size)]]
    return shuffled


def _three(values):
    return dict(zip(("estimate", "low", "high"), map(float, values), strict=True))


def _shown(values):
    return {name: f"{value:.2f}" for name, value in zip(("auc", "low", "high"), values, strict=True)}


def shuffled_label_control(learn, y, held_out, *, people=None, shuffles=10, seed, level=0.95, language="es"):
    """Learn from shuffled outcomes: what is then predicted better than by chance comes from a leak.

    All outcomes are shuffled, also those of the rows that judge; the whole recipe learns from them anew. The
    mean AUC over shuffles must not differ from 0.5. With `people` whole persons swap outcomes: an AUC above
    0.5 then also says that persons are recognised between training and held-out rows.

    Parameters
    ----------
    learn : callable `learn(y, seed) -> risk`    repeats the recipe with these outcomes, shape (n,), and
        predicts the held-out rows, shape (m,)
    y : array of {0, 1}, shape (n,)              outcomes of all rows
    held_out : array of int, shape (m,)          positions of the rows that judge
    people : array of labels, shape (n,), or None
    shuffles : int >= 2
    seed : int
    level : float                                of the interval of the mean, by Student's t
    language : str                               of the progress bar

    Returns
    -------
    Check    pass: the interval holds 0.5; concern: it does not, by 0.02 at most (with persons: by any
        amount); fail: by more. figures: auc (estimate, low, high), shuffles

    Raises
    ------
    RiskmlError     fewer than two shuffles
    NotEstimable    a held-out window of one class
    """
    y, held_out = np.asarray(y, float), np.asarray(held_out)
    if shuffles < 2:
        raise RiskmlError("an interval needs at least two shuffles", where="shuffles")
    found = []
    with progress(message("validation.shuffling", language), total=shuffles) as advance:
        for stream in np.random.SeedSequence(seed).spawn(shuffles):
            rng = np.random.default_rng(stream)
            labels = shuffled_labels(y, rng, people=people)
            risk = learn(labels, int(rng.integers(0, 2**31 - 1)))
            found.append(auc(labels[held_out], risk))
            advance()
    mean, reach = np.mean(found), student.ppf((1 + level) / 2, shuffles - 1) * np.std(found, ddof=1)
    reach = reach / np.sqrt(shuffles)
    interval = mean, mean - reach, mean + reach
    # Recipes that learn nothing predict the same for all: AUCs of exactly 0.5, whose interval has no width.
    off = not interval[1] <= 0.5 <= interval[2] and abs(mean - 0.5) > AT_HALF
    verdict = "pass"
    if off:
        verdict = "concern" if abs(mean - 0.5) <= NEAR_HALF or people is not None else "fail"
    code = "shuffled_labels" if people is None else "shuffled_people"
    words = every_language(f"{code}_{'off' if off else 'pass'}", **_shown(interval), shuffles=shuffles)
    return Check(code, verdict, words, {"auc": _three(interval), "shuffles": shuffles})


def shifted_cohort(cohort, days):
    """The same assessments some days later (or earlier, below 0): for features read later, and for labels of
    the past.

    Parameters
    ----------
    cohort : DataFrame of case_id, as_of
    days : number

    Returns
    -------
    DataFrame of case_id, as_of, in the same order
    """
    return cohort.assign(as_of=cohort["as_of"] + pd.Timedelta(days=days).as_unit("us"))


def future_shift_control(y, p, people, *, later, past=None, replicates=200, seed, level=0.95, language="es"):
    """What the AUC becomes when the model may look into the future, and when it is asked about the past.

    Features read some days after the assessment hold part of what is to be predicted: the AUC must rise. If
    it does not, the honest features may hold it already. Asked whether an event happened before the
    assessment, the model looks at what its features hold: that must not be harder than the future.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome strictly after each assessment
    p : array of float in [0, 1], shape (n,)   risk by features read at the assessment
    people : array of labels, shape (n,)
    later : dict of days > 0 -> array of float, shape (n,)    risk of the same model by features read so many
        days later (`build_features(history, shifted_cohort(cohort, days), catalogue)`)
    past : array of {0, 1, NaN}, shape (n,), or None    whether an event happened in the horizon before each
        assessment (`label_outcomes(history, shifted_cohort(cohort, -horizon), definition)`); NaN: left out
    replicates, seed, level, language          of the bootstrap over aggressors

    Returns
    -------
    Check    pass: the AUC rises with the furthest shift (the interval of the paired difference lies above
        0), and the past is not harder than the future; fail: it does not rise and is above 0.80, or the
        future is easier than the past; concern: it does not rise. figures: auc by shift, rise, past

    Raises
    ------
    RiskmlError     no shift, or one that is not later
    NotEstimable    (a ValueError) one class only
    """
    if not later or min(later) <= 0:
        raise RiskmlError("give the risk for at least one shift above 0 days", where="later")
    named = {"0": np.asarray(p, float)} | {
        f"{days:g}": np.asarray(later[days], float) for days in sorted(later)
    }
    judged = cluster_bootstrap(
        {"auc": auc}, y, named, people, replicates=replicates, seed=seed, level=level, language=language
    )
    furthest = list(named)[-1]
    rise = judged.difference(furthest, "0", "auc")
    figures = {
        "auc": {
            name: _three((judged.estimates.loc[name, "auc"], *judged.interval(name, "auc"))) for name in named
        },
        "rise": _three(rise) | {"days": float(furthest)},
    }
    honest, leaked = judged.estimates.loc["0", "auc"], judged.estimates.loc[furthest, "auc"]
    reverse = past is not None and _past_is_harder(figures, y, p, people, past, honest, level)
    rises = rise[1] > 0
    verdict = "pass" if rises else ("fail" if honest > LEAKAGE_AUC else "concern")
    verdict = "fail" if reverse else verdict
    key = "future_shift_reverse" if reverse else f"future_shift_{'pass' if rises else 'flat'}"
    words = every_language(key, honest=f"{honest:.2f}", later=f"{leaked:.2f}", days=furthest)
    return Check("future_shift", verdict, words, figures)


def _past_is_harder(figures, y, p, people, past, honest, level):
    """Whether the model ranks the past clearly worse than the future; figures gain `past`."""
    past, people = np.asarray(past, float), np.asarray(people)
    known = ~np.isnan(past)
    try:
        interval = clustered_auc(past[known], np.asarray(p)[known], people[known], level=level)
    except NotEstimable:
        figures["past"] = None
        return False
    figures["past"] = _three(interval)
    return interval[2] < clustered_auc(y, p, people, level=level)[1]


def single_feature_control(design, y, people, *, level=0.95, shown=20):
    """Whether a feature alone ranks the outcome better than whole honest models do.

    Parameters
    ----------
    design, y, people, level    as `single_feature_aucs`
    shown : int                 features in the figures

    Returns
    -------
    Check    fail: a feature's AUC, or its reverse, is above 0.80 with its whole interval; concern: above
        0.76; figures: features (strongest first), compared, few_people (features left out because fewer than
        10 people with an event have them: among hundreds some then rank their few at the top by chance),
        multiplicity. Where all have fewer, all are looked at and none fails

    Raises
    ------
    RiskmlError    as `single_feature_aucs`; no column varies
    """
    listed = single_feature_aucs(design, y, people, level=level)
    known = listed[listed["strength"].notna()]
    if known.empty:
        raise RiskmlError("no column varies", where="design")
    enough = known["people_with_event"] >= FEWEST_PEOPLE
    known = known[enough] if enough.any() else known
    surest = np.maximum(known["low"], 1 - known["high"])
    first = known.iloc[0]
    named = every_language(f"feature_{first['part']}", column=first["column"])
    key, verdict = "single_feature_pass", "pass"
    if enough.any() and (surest > LEAKAGE_AUC).any():
        key, verdict = "single_feature_fail", "fail"
    elif first["strength"] > HONEST_AUC:
        key, verdict = "single_feature_concern", "concern"
    interval = (first["low"], first["high"]) if first["auc"] >= 0.5 else (1 - first["high"], 1 - first["low"])
    shown_as = _shown((first["strength"], *interval))
    words = {
        language: message(f"validation.{key}", language, feature=name, compared=len(known), **shown_as)
        for language, name in named.items()
    }
    figures = {
        "features": known.head(shown).drop(columns="reason").to_dict(orient="records"),
        "compared": len(known),
        "few_people": int((~enough).sum()),
        "multiplicity": multiplicity_note(known["p_value"], level=level),
    }
    return Check("single_features", verdict, words, figures)


@dataclass(frozen=True)
class LeakageAudit:
    """The AUC that was reached, whether it asked for an audit, and what the audit found.

    Attributes
    ----------
    auc : dict                 estimate, low, high
    ran : bool                 False: at or below 0.80, and nobody asked for it
    checks : tuple of Check    `auc` first
    """

    auc: dict
    ran: bool
    checks: tuple = field(default_factory=tuple)

    @property
    def verdict(self):
        """The worst of the checks': str."""
        return worst(self.checks)

    def document(self):
        """Plain JSON: verdict, auc, ran, checks, and what an audit cannot tell."""
        return plain(
            {
                "verdict": self.verdict,
                "auc": self.auc,
                "ran": self.ran,
                "checks": [check.document() for check in self.checks],
                "words": every_language("leakage_audit_limits"),
            }
        )


def leakage_audit(
    y,
    p,
    people,
    *,
    design=None,
    learn=None,
    later=None,
    always=False,
    shuffles=10,
    replicates=200,
    seed,
    level=0.95,
    language="es",
):
    """The audit, run when the AUC is above 0.80 or when asked for; what costs time is only then computed.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome of the evaluation rows
    p : array of float in [0, 1], shape (n,)   predicted risk
    people : array of labels, shape (n,)       the aggressor of each row
    design : callable `design() -> DataFrame of numbers`, or None    of `single_feature_control`
    learn : callable `learn() -> dict` of the arguments learn, y, held_out (and people) of
        `shuffled_label_control`, or None
    later : callable `later() -> dict` of the arguments later (and past) of `future_shift_control`, or None
    always : bool                              run it whatever the AUC
    shuffles, replicates, seed, level, language

    Returns
    -------
    LeakageAudit    a control that was not given is not among the checks

    Raises
    ------
    NotEstimable    (a ValueError) one class only
    """
    interval = clustered_auc(y, p, people, level=level)
    high = interval[0] > LEAKAGE_AUC
    words = every_language(f"auc_{'high' if high else 'honest'}", **_shown(interval))
    checks = [Check("auc", "concern" if high else "pass", words, {"auc": _three(interval)})]
    if not (high or always):
        return LeakageAudit(_three(interval), False, tuple(checks))
    if design is not None:
        checks.append(single_feature_control(design(), y, people, level=level))
    if learn is not None:
        checks.append(
            shuffled_label_control(shuffles=shuffles, seed=seed, level=level, language=language, **learn())
        )
    if later is not None:
        shared = {"replicates": replicates, "seed": seed, "level": level, "language": language}
        checks.append(future_shift_control(y, p, people, **shared, **later()))
    return LeakageAudit(_three(interval), True, tuple(checks))
