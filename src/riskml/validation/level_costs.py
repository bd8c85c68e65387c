"""What the threshold of a level costs: visits a week, events found and events missed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, in_every_language
from riskml.models.bundle import plain
from riskml.validation.forecast import Forecast, NotEstimable, weeks
from riskml.validation.shares import clustered_share
from riskml.vocabulary import LEVELS

__all__ = ["LevelCosts", "level_costs"]


@dataclass(frozen=True)
class LevelCosts:
    """What each level's threshold of one model costs on the assessments that it was judged on.

    Attributes
    ----------
    table : DataFrame, index level, from critical down; each row counts all at or above its threshold
        threshold (calibrated risk); flagged, assessments, share, share_low, share_high; weeks (with a list);
        visits_per_week (mean of the weekly lists: one visit to each case on it), busiest_week,
        people_per_week (aggressors behind those visits); caught, missed, events; recall, recall_low,
        recall_high; precision, precision_low, precision_high; visits_per_event; net_benefit,
        net_benefit_low, net_benefit_high (at the threshold itself). NaN where `reasons` says why
    reasons : dict of (level, figure) -> NotEstimable    figure: recall, precision, net_benefit
    level : float    of the intervals
    """

    table: pd.DataFrame
    reasons: dict
    level: float

    def document(self):
        """Plain JSON: a row for each level with its name and what cannot be estimated, and how to read it."""
        rows = []
        for name, row in self.table.iterrows():
            missing = {
                figure: {language: reason.words(language) for language in LANGUAGES}
                for (of, figure), reason in self.reasons.items()
                if of == name
            }
            label = in_every_language(f"levels.level_{name}")
            rows.append({"level": name, "label": label, **row.to_dict(), "not_estimable": missing})
        words = in_every_language("levels.costs")
        return plain({"confidence": self.level, "rows": rows, "words": words})


def level_costs(y, risk, people, thresholds, *, as_of=None, level=0.95):
    """What it costs to attend to all cases at or above each level's threshold of one model.

    The thresholds come from the rules of `models/levels.yml`: `rules.level_thresholds(model)` gives them by
    level, and `rules.thresholds({model.name: model})` by rule. Each row counts all that reach its threshold,
    the higher levels' cases among them. A level may also be reached by another model or by recorded facts:
    those visits come on top.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)               outcome within the horizon
    risk : array of float in [0, 1], shape (n,)   calibrated risk, of the window that judges
    people : array of labels, shape (n,)          the aggressor of each assessment
    thresholds : dict of level -> float           the smallest risk that reaches it; infinite: nobody does
    as_of : array of datetime64, shape (n,), or None    each week from Monday has its own list; None: all one
    level : float                                 of the intervals

    Returns
    -------
    LevelCosts    shares with exact intervals that take each aggressor once; net benefit with a normal one

    Raises
    ------
    RiskmlError     lengths that differ, an unknown level, an outcome other than 0 and 1
    NotEstimable    there is no assessment

    References
    ----------
    Vickers & Elkin (2006), Medical Decision Making 26:565 (net benefit). Korn & Graubard (1998), Survey
    Methodology 24:193 (shares).
    """
    forecast, people = Forecast(y, risk), np.asarray(people)
    if people.shape != forecast.y.shape:
        raise RiskmlError(f"{len(people)} people do not pair with {len(forecast.y)} rows", where="people")
    unknown = sorted(set(thresholds) - set(LEVELS))
    if unknown:
        raise RiskmlError(f'unknown level "{unknown[0]}"', where="thresholds", mend=f"Known: {LEVELS}.")
    week = np.zeros(len(people), int) if as_of is None else weeks(as_of, len(people))
    rows, reasons = {}, {}
    for name in sorted(thresholds, key=LEVELS.index, reverse=True):
        rows[name], missing = _row(forecast, people, week, float(thresholds[name]), level)
        reasons |= {(name, figure): reason for figure, reason in missing.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("level")
    return LevelCosts(table, reasons, level)


def _row(forecast, people, week, threshold, level):
    y, flagged = forecast.y, forecast.p >= threshold
    of_all = clustered_share(flagged, people, level=level)
    count, lists = int(flagged.sum()), len(np.unique(week))
    caught, events = int(y[flagged].sum()), int(y.sum())
    visited = pd.DataFrame({"week": week[flagged], "person": people[flagged]}).drop_duplicates()
    row = {
        "threshold": threshold,
        "flagged": count,
        "assessments": len(y),
        **_interval("share", of_all),
        "weeks": lists,
        "visits_per_week": count / lists,
        "busiest_week": int(np.unique(week[flagged], return_counts=True)[1].max(initial=0)),
        "people_per_week": len(visited) / lists,
        "caught": caught,
        "missed": events - caught,
        "events": events,
        "visits_per_event": count / caught if caught else np.nan,
    }
    missing, estimates = {}, {"recall": (flagged, y == 1), "precision": (y, flagged)}
    for figure, (values, inside) in estimates.items():
        if inside.any():
            row |= _interval(figure, clustered_share(values[inside], people[inside], level=level))
        else:
            missing[figure] = NotEstimable("no_event" if figure == "recall" else "nobody")
            row |= dict.fromkeys((figure, f"{figure}_low", f"{figure}_high"), np.nan)
    try:
        benefit = _net_benefit(y, flagged, people, threshold, level)
    except NotEstimable as reason:
        missing["net_benefit"], benefit = reason, (np.nan,) * 3
    names = ("net_benefit", "net_benefit_low", "net_benefit_high")
    return row | dict(zip(names, benefit, strict=True)), missing


def _interval(figure, share):
    return {figure: share.share, f"{figure}_low": share.low, f"{figure}_high": share.high}


def _net_benefit(y, flagged, people, threshold, level):
    """Net benefit at the threshold, with an interval from the aggressors' own contributions."""
    if not 0 < threshold < 1 or not flagged.any():
        raise NotEstimable("nobody")
    worth = np.where(y == 1, 1.0, -threshold / (1 - threshold)) * flagged
    estimate = worth.mean()
    _, member = np.unique(people, return_inverse=True)
    totals = np.bincount(member, weights=worth - estimate)
    persons = len(totals)
    if persons < 2:
        raise NotEstimable("few_people", people=persons, minimum=2)
    error = np.sqrt(np.square(totals).sum() * persons / (persons - 1)) / len(y)
    around = float(student.ppf((1 + level) / 2, persons - 1) * error)
    return float(estimate), float(estimate - around), float(estimate + around)
