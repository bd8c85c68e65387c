"""Figures of each group beside those of the rest, with intervals, or why a group is too small for them."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import plain
from riskml.progress import progress
from riskml.validation.bootstrap import cluster_weights, percentile_interval
from riskml.validation.calibration import (
    calibration_intercept,
    calibration_slope,
    integrated_calibration_index,
    observed_expected,
)
from riskml.validation.forecast import Forecast, NotEstimable, logit
from riskml.validation.group_names import group_name, grouping_name, metric_name
from riskml.validation.metrics import on_totals
from riskml.validation.multiplicity import false_discovery_rates, multiplicity_note, two_sided_p

__all__ = [
    "CALIBRATION",
    "Counts",
    "Minimum",
    "Subgroups",
    "blank_row",
    "calibration_by_group",
    "checked_groups",
    "group_counts",
    "group_estimates",
]

UNKNOWN = "unknown"
_DECIMALS = 2
CALIBRATION = {
    "observed_expected": observed_expected,
    "calibration_intercept": calibration_intercept,
    "calibration_slope": calibration_slope,
    "ici": integrated_calibration_index,
}
_CURVES = ("calibration_slope", "ici")  # they need more events than calibration in the large does


@dataclass(frozen=True)
class Minimum:
    """Below these numbers a group's figures are not estimable. Proposals ([A]), to be set by the Task Force.

    Attributes
    ----------
    people : int          aggressors in the group
    events : int          aggressors with an event in it
    curve_events : int    the same, for slope and ICI: EVIDENCE 5.4 asks for 100 events behind a calibration
        curve, the traditional rule [M]
    """

    people: int = 50
    events: int = 10
    curve_events: int = 100

    def check(self, counts, *, curve=False):
        """Raise NotEstimable, with the numbers, where `counts` (of `group_counts`) are below the minimum."""
        if counts.people < self.people:
            raise NotEstimable("few_people", people=counts.people, minimum=self.people)
        wanted = self.curve_events if curve else self.events
        if counts.people_with_event < wanted:
            raise NotEstimable("few_events", events=counts.people_with_event, minimum=wanted)


@dataclass(frozen=True)
class Counts:
    """What a group rests on: assessments, aggressors, events, aggressors with an event."""

    n: int
    people: int
    events: int
    people_with_event: int


def group_counts(y, people):
    """The counts of a group's rows: Counts."""
    y, people = np.asarray(y), np.asarray(people)
    return Counts(len(y), len(np.unique(people)), int(y.sum()), len(np.unique(people[y > 0])))


@dataclass(frozen=True)
class Subgroups:
    """Figures of groups, row by row.

    Attributes
    ----------
    rows : tuple of dict    grouping, group, counts (Counts), metric, estimate, low, high, difference,
        difference_low, difference_high, p_value (NaN where there is none), reason, difference_reason
        (NotEstimable or None)
    level : float           of the intervals
    """

    rows: tuple = field(default_factory=tuple)
    level: float = 0.95

    def __add__(self, other):
        return replace(self, rows=self.rows + other.rows)

    @property
    def p_values(self):
        """Of each difference to the rest: array, NaN where there is none."""
        return np.array([row["p_value"] for row in self.rows], float)

    def table(self, language="es"):
        """One row for each group and metric.

        Returns
        -------
        DataFrame of grouping, group, n, people, events, people_with_event, metric, estimate, low, high,
        difference (to the rest), difference_low, difference_high, p_value, q_value (over all rows of this
        table), not_estimable (why, empty where there is an estimate), and grouping_name, group_name,
        metric_name in words
        """
        rates, records = false_discovery_rates(self.p_values), []
        for row, q in zip(self.rows, rates, strict=True):
            reason = row["reason"] or row["difference_reason"]
            records.append(
                {
                    "grouping": row["grouping"],
                    "group": row["group"],
                    **vars(row["counts"]),
                    **{k: v for k, v in row.items() if k not in _NOT_SHOWN},
                    "q_value": q,
                    "not_estimable": reason.words(language) if reason else "",
                    **_names(row, language),
                }
            )
        return pd.DataFrame.from_records(records)

    def note(self):
        """How many comparisons were made and how many differ by chance: dict of language -> str."""
        return multiplicity_note(self.p_values, level=self.level)

    def document(self):
        """Plain JSON: rows as in `table`, names and reasons in every language, and the multiplicity note."""
        rows = self.table().to_dict(orient="records")
        for row, own in zip(rows, self.rows, strict=True):
            reason = own["reason"] or own["difference_reason"]
            row["not_estimable"] = {lang: reason.words(lang) for lang in LANGUAGES} if reason else None
            names = {lang: _names(own, lang) for lang in LANGUAGES}
            row |= {key: {lang: names[lang][key] for lang in LANGUAGES} for key in names["es"]}
        return plain({"rows": rows, "level": self.level, "multiplicity": self.note()})


def _names(row, language):
    return {
        "grouping_name": grouping_name(row["grouping"], language),
        "group_name": group_name(row["grouping"], row["group"], language),
        "metric_name": metric_name(row["metric"], language),
    }


_NOT_SHOWN = ("grouping", "group", "counts", "reason", "difference_reason")


def checked_groups(groups, n, index=None):
    """The groupings as columns of text, or one message that says why they do not fit the assessments.

    Parameters
    ----------
    groups : DataFrame, n rows    one column for each grouping, formed apart from the matrix
    n : int                       assessments
    index : Index or None         the assessments' own; a frame in another order is refused

    Returns
    -------
    dict of grouping -> array of str, shape (n,)    missing values are the group "unknown"
    """
    if not isinstance(groups, pd.DataFrame) or not len(groups.columns):
        raise RiskmlError(
            "groups must be a frame with a column for each grouping",
            where="groups",
            mend="riskml.validation.audit_groups.audit_groups(history, cohort) makes one.",
        )
    if len(groups) != n:
        raise RiskmlError(f"{len(groups)} rows do not pair with {n} assessments", where="groups")
    if index is not None and not groups.index.equals(index):
        raise RiskmlError(
            "groups are of other assessments, or in another order",
            where="groups",
            mend="Give the groups of these assessments, in their order.",
        )
    columns = {}
    for name in groups.columns:
        values = groups[name].astype(object)
        columns[str(name)] = values.where(values.notna(), UNKNOWN).astype(str).to_numpy(dtype=object)
    return columns


class _Side:
    """The rows of a group, or the rest, sorted once for any weights.

    Draws read predictions to a hundredth of log-odds, far finer than any interval: so few distinct ones are
    an order of magnitude faster to fit. Estimates read them as they are.
    """

    def __init__(self, y, p, rows):
        self.rows, self.own, self.drawn = rows, None, None
        if len(rows):
            self.own = Forecast(y[rows], p[rows])
            self.drawn = Forecast(y[rows], expit(np.round(logit(p[rows]), _DECIMALS)))

    def totals(self, weights):
        """Its totals for weights of all assessments, or None where nobody is left."""
        if self.drawn is None or not weights[self.rows].any():
            return None
        return self.drawn.at(weights[self.rows])

    def estimate(self, kernel):
        """A figure of all its rows."""
        if self.own is None:
            raise NotEstimable("nobody")
        return kernel(self.own.at())


def _or_nan(kernel, totals):
    try:
        return np.nan if totals is None else kernel(totals)
    except NotEstimable:
        return np.nan


def blank_row(grouping, group, counts, metric):
    """A row of `Subgroups` without figures: dict."""
    return {
        "grouping": grouping,
        "group": group,
        "counts": counts,
        "metric": metric,
        **dict.fromkeys(("estimate", "low", "high"), np.nan),
        **dict.fromkeys(("difference", "difference_low", "difference_high", "p_value"), np.nan),
        "reason": None,
        "difference_reason": None,
    }


def _filled(row, kernel, sides, values, level):
    """A row with its estimate and difference, from replicates of shape (replicates, 2)."""
    try:
        row["estimate"] = sides[0].estimate(kernel)
        row["low"], row["high"] = percentile_interval(values[:, 0], level=level)
    except NotEstimable as reason:
        return row | {"reason": reason}
    try:
        difference = row["estimate"] - sides[1].estimate(kernel)
        low, high = percentile_interval(values[:, 0] - values[:, 1], level=level)
    except NotEstimable as reason:
        return row | {"difference_reason": reason}
    return row | {
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "p_value": two_sided_p(difference, low, high, level=level),
    }


def _replicated(sides, kernels, people, replicates, seed, language):
    """Figures of each pair of sides on the same draws: list of arrays, (replicates, metrics asked, 2)."""
    values = [np.full((replicates, len(names), 2), np.nan) for names in kernels]
    if not sides:
        return values
    with progress(message("validation.bootstrap", language), total=replicates) as advance:
        for replicate, weights in enumerate(cluster_weights(people, replicates, seed=seed)):
            for pair, asked, own in zip(sides, kernels, values, strict=True):
                for place, side in enumerate(pair):
                    totals = side.totals(weights)
                    own[replicate, :, place] = [_or_nan(kernel, totals) for kernel in asked.values()]
            advance()
    return values


def group_estimates(
    metrics,
    y,
    p,
    people,
    groups,
    *,
    minimum=None,
    index=None,
    replicates=200,
    seed,
    level=0.95,
    language="es",
):
    """Metrics of each group of each grouping, and how they differ from those of everyone else.

    Aggressors are drawn with replacement, each with all his assessments; a group and the rest are judged on
    the same draws, so that a person who stands in both is counted as one.

    Parameters
    ----------
    metrics : dict of name -> callable `function(y, p, *, weights=None)`
    y : array of {0, 1}, shape (n,)            outcome within the horizon, fully followed-up assessments
    p : array of float in [0, 1], shape (n,)   predicted risk
    people : array of labels, shape (n,)       the aggressor of each assessment
    groups : DataFrame, n rows                 one column for each grouping
    minimum : Minimum or None                  None: the default one
    index : Index or None                      of the assessments, to check the groups' order
    replicates, seed, level                    of the bootstrap
    language : str                             of the progress bar

    Returns
    -------
    Subgroups

    Raises
    ------
    RiskmlError    groups of other assessments, outcomes that are not 0 or 1, fewer than two people
    """
    y, p, people = np.asarray(y, float), np.asarray(p, float), np.asarray(people)
    minimum = minimum or Minimum()
    Forecast(y, p)  # what is no forecast is refused as a whole, not group by group
    kernels = {name: on_totals(function) for name, function in metrics.items()}
    rows, sides, asked = [], [], []
    for grouping, labels in checked_groups(groups, len(y), index).items():
        for group in np.unique(labels):
            inside, outside = np.flatnonzero(labels == group), np.flatnonzero(labels != group)
            counts, places = group_counts(y[inside], people[inside]), {}
            for metric in kernels:
                rows.append(blank_row(grouping, group, counts, metric))
                try:
                    minimum.check(counts, curve=metric in _CURVES)
                    places[metric] = len(rows) - 1
                except NotEstimable as reason:
                    rows[-1]["reason"] = reason
            if places:
                sides.append((_Side(y, p, inside), _Side(y, p, outside)))
                asked.append(places)
    wanted = [{metric: kernels[metric] for metric in places} for places in asked]
    values = _replicated(sides, wanted, people, replicates, seed, language)
    for pair, places, own in zip(sides, asked, values, strict=True):
        for position, (metric, place) in enumerate(places.items()):
            rows[place] = _filled(rows[place], kernels[metric], pair, own[:, position], level)
    return Subgroups(tuple(rows), level)


def calibration_by_group(
    y,
    p,
    people,
    groups,
    *,
    minimum=None,
    index=None,
    replicates=200,
    seed,
    level=0.95,
    language="es",
):
    """Calibration of each group: observed by expected, intercept, slope and ICI, with intervals.

    Meant for year, municipality group, source and relationship; each group's figures stand beside how they
    differ from the rest. Parameters, errors and result as `group_estimates`; slope and ICI need
    `minimum.curve_events` aggressors with an event.
    """
    return group_estimates(
        CALIBRATION,
        y,
        p,
        people,
        groups,
        minimum=minimum,
        index=index,
        replicates=replicates,
        seed=seed,
        level=level,
        language=language,
    )
