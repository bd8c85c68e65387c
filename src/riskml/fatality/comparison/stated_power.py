"""What so many cases can show, stated before any result, and of how many of them anything is known."""

import numpy as np

from riskml.fatality.comparison.comparison_words import said
from riskml.fatality.comparison.power import PLANNED_PREVALENCE, fisher_power, smallest_odds_ratio

__all__ = ["recorded_shares", "stated_power"]

_SHOWN = (1.5, 2, 3, 4, 5, 7, 10)  # odds ratios whose power is stated
_PREVALENCES = (0.05, 0.10, 0.25, 0.50)


def stated_power(sets, found):
    """What so many cases and controls can show, whatever is found; and those of whom factors are known.

    Parameters
    ----------
    sets : MatchedSets
    found : list of Exposure

    Returns
    -------
    dict    cases, controls, controls_per_case, prevalence, alpha, smallest_odds_ratio (80 % power; None where
        there is none), words, rows, by_prevalence, and known: the same of the median factor of which anything
        is known of a case and of a control
    """
    cases, controls = sets.cases, int(sets.controls.sum())
    known = [tuple(row["present"] + row["denied"] for row in pair) for pair in _counted(sets, found)]
    known = [pair for pair in known if all(pair)] or [(0, 0)]
    few, fewer = (int(np.median(of_group)) for of_group in zip(*known, strict=True))
    return {
        "cases": cases,
        "controls": controls,
        "controls_per_case": controls / cases,
        "prevalence": PLANNED_PREVALENCE,
        "alpha": 0.05,
        **_least(cases, controls, "power"),
        "rows": [
            {"odds_ratio": ratio, "power": fisher_power(cases, controls, PLANNED_PREVALENCE, ratio)}
            for ratio in _SHOWN
        ],
        "by_prevalence": [
            {"prevalence": share, "smallest_odds_ratio": smallest_odds_ratio(cases, controls, share)}
            for share in _PREVALENCES
        ],
        "known": {"cases": few, "controls": fewer, **_least(few, fewer, "power_known")},
    }


def _least(cases, controls, key):
    """The smallest odds ratio that so many show with 80 % power, or None, and words for it: dict."""
    least = smallest_odds_ratio(cases, controls, PLANNED_PREVALENCE) if cases and controls else None
    fields = {"count": cases, "controls": controls, "share": f"{100 * PLANNED_PREVALENCE:.0f}"}
    if least is None:
        return {"smallest_odds_ratio": None, "words": said(f"{key}_none", **fields)}
    return {"smallest_odds_ratio": least, "words": said(key, least=_plain(least), **fields)}


def _counted(sets, found):
    """Counts of cases and of controls by state, for each factor: list of pairs of dict."""
    return [tuple(one.counts(sets.outcome == y) for y in (1, 0)) for one in found]


def recorded_shares(sets, found):
    """Of how many pairs of person and factor anything is known, of cases and of controls: dict, with words.

    What is asked more often is recorded more often: where more is known of cases than of controls, being on
    record goes with being a case, whatever the factor.
    """
    shares = {}
    for place, group in enumerate(("cases", "controls")):
        counts = [pair[place] for pair in _counted(sets, found)]
        known = sum(row["present"] + row["denied"] for row in counts)
        of = known + sum(row["unknown"] for row in counts)
        shares[group] = {"known": known, "of": of, "share": known / of if of else None}
    fields = {
        group: f"{row['known']:,}/{row['of']:,} ({100 * (row['share'] or 0):.0f} %)"
        for group, row in shares.items()
    }
    return shares | {"words": said("recording", **fields)}


def _plain(ratio):
    """An odds ratio to one digit or so."""
    return f"{ratio:.{0 if ratio >= 10 else 1}f}"
