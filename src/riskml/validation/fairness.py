"""Fairness: who is missed, and whose risk is misjudged, group by group; and what recording can hide."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES
from riskml.models.bundle import plain
from riskml.models.riskgroups import clustered_interval
from riskml.validation.forecast import Forecast, NotEstimable
from riskml.validation.multiplicity import two_sided_p
from riskml.validation.shares import clustered_share, share_difference
from riskml.validation.subgroups import (
    CALIBRATION,
    Minimum,
    Subgroups,
    blank_row,
    checked_groups,
    group_counts,
    group_estimates,
)
from riskml.validation.verdict import every_language

__all__ = [
    "Fairness",
    "fairness_audit",
    "false_negative_rates",
    "flagged_by_capacity",
    "flagged_by_threshold",
    "missed_if_recorded",
    "recording_sensitivity",
]

RECORDED = (1.0, 0.9, 0.75, 0.5, 0.25)  # shares of a group's events that might have been recorded


def flagged_by_threshold(p, threshold):
    """Whether each assessment is attended to when everyone at or above a risk is: array of {0, 1}, (n,)."""
    if not 0 < threshold < 1:
        raise RiskmlError(f"a threshold is a risk between 0 and 1, not {threshold}", where="threshold")
    return (np.asarray(p, float) >= threshold).astype(float)


def flagged_by_capacity(p, capacity, *, as_of=None):
    """Whether each assessment is attended to when the `capacity` highest risks of each week are.

    Parameters
    ----------
    p : array of float in [0, 1], shape (n,)    predicted risk
    capacity : number > 0                       cases a week
    as_of : array of datetime64 or of labels of weeks, shape (n,), or None    None: all in one list

    Returns
    -------
    array of float in [0, 1], shape (n,)    places left for a tie are shared among those who tie
    """
    p = np.asarray(p, float)
    if not capacity > 0:
        raise RiskmlError(
            f"capacity must be a number of cases a week above 0, not {capacity}", where="capacity"
        )
    order, ties, week = Forecast(np.zeros(len(p)), p).by_week(as_of)
    size = np.diff(np.append(ties, len(p)))
    before = np.cumsum(size) - size
    before = before - before[np.searchsorted(week, week, side="left")]
    flagged = np.empty(len(p))
    flagged[order] = np.repeat(np.clip((capacity - before) / size, 0, 1), size)
    return flagged


def _checked(y, flagged, people):
    y, flagged, people = np.asarray(y, float), np.asarray(flagged, float), np.asarray(people)
    if not (y.shape == flagged.shape == people.shape):
        raise RiskmlError(
            f"{len(y)} outcomes, {len(flagged)} flags and {len(people)} people do not pair", where="flagged"
        )
    if not ((flagged >= 0) & (flagged <= 1)).all():
        raise RiskmlError("flags must lie between 0 and 1, none missing", where="flagged")
    if not np.isin(y, (0, 1)).all():
        raise RiskmlError(
            "outcomes must be 0 or 1", where="y", mend="Leave censored assessments (NaN) out beforehand."
        )
    return y, flagged, people


def _missed(y, flagged, people, rows, level):
    events = rows[y[rows] > 0]
    return clustered_share(1 - flagged[events], people[events], level=level)


def false_negative_rates(y, flagged, people, groups, *, minimum=None, index=None, level=0.95):
    """Share of each group's events that the operating point missed, and how it differs from the rest.

    The intervals are exact, with each person counted once (`clustered_share`); those of differences join
    them (`share_difference`). Nothing is drawn at random.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)                  outcome within the horizon
    flagged : array of float in [0, 1], shape (n,)   whether the assessment was attended to at the operating
        point: of `flagged_by_threshold` or `flagged_by_capacity`
    people : array of labels, shape (n,)             the aggressor of each assessment
    groups : DataFrame, n rows                       one column for each grouping
    minimum, index                                   as `group_estimates`
    level : float

    Returns
    -------
    Subgroups    of the metric `false_negative_rate`: estimate = missed events / events

    Raises
    ------
    RiskmlError    lengths that differ, flags outside [0, 1], groups of other assessments
    """
    y, flagged, people = _checked(y, flagged, people)
    minimum, rows = minimum or Minimum(), []
    for grouping, labels in checked_groups(groups, len(y), index).items():
        for group in np.unique(labels):
            inside, outside = np.flatnonzero(labels == group), np.flatnonzero(labels != group)
            counts = group_counts(y[inside], people[inside])
            row = blank_row(grouping, group, counts, "false_negative_rate")
            rows.append(row)
            try:
                minimum.check(counts)
                own = _missed(y, flagged, people, inside, level)
            except NotEstimable as reason:
                row["reason"] = reason
                continue
            row |= {"estimate": own.share, "low": own.low, "high": own.high}
            try:
                rest = _missed(y, flagged, people, outside, level)
            except NotEstimable as reason:
                row["difference_reason"] = reason
                continue
            difference, low, high = share_difference(own, rest)
            row |= {"difference": difference, "difference_low": low, "difference_high": high}
            row["p_value"] = two_sided_p(difference, low, high, level=level)
    return Subgroups(tuple(rows), level)


def missed_if_recorded(missed, events, flagged_without, unflagged_without, recorded):
    """Bounds of the share of events missed, if only a share of the group's events was recorded.

    An event that nobody recorded stands in the data as an assessment without event. Where such events lie
    is not known: at best all were attended to, at worst none was.

    Parameters
    ----------
    missed, events : number                          recorded events missed, of all recorded
    flagged_without, unflagged_without : number      assessments without a recorded event, attended to and not
    recorded : float in (0, 1]                       share of the group's events that was recorded

    Returns
    -------
    (low, high) : floats in [0, 1]

    Raises
    ------
    NotEstimable    (a ValueError) more unrecorded events than assessments to hold them
    """
    hidden = events / recorded - events
    if hidden > flagged_without + unflagged_without + 1e-9:
        raise NotEstimable("recorded_too_low", recorded=f"{recorded:.0%}")
    everyone = events + hidden
    low = missed + max(0.0, hidden - flagged_without)
    high = missed + min(hidden, unflagged_without)
    return low / everyone, high / everyone


def _sensitivity_rows(y, flagged, people, inside, recorded, level):
    """What the false-negative rate could be at each recorded share: list of dict."""
    own = _missed(y, flagged, people, inside, level)
    without = inside[y[inside] == 0]
    attended = float(flagged[without].sum())
    figures, effect = [], own.total / own.effective
    for share in recorded:
        row = {"recorded": share, "events": own.total, "missed": own.n}
        try:
            low, high = missed_if_recorded(own.n, own.total, attended, len(without) - attended, share)
        except NotEstimable as reason:
            figures.append(row | dict.fromkeys(("lowest", "highest", "low", "high"), np.nan))
            figures[-1]["reason"] = reason
            continue
        # Recorded events are all that was seen: the sample does not grow with the others.
        bounds = [clustered_interval(bound * own.total, own.total, effect, level) for bound in (low, high)]
        row |= {"lowest": low, "highest": high, "low": bounds[0][0], "high": bounds[1][1], "reason": None}
        figures.append(row)
    return figures


def _explaining_share(y, flagged, people, inside, outside, level):
    """The largest recorded share at which the group's rate could equal the rest's; NaN if none could."""
    own, rest = (_missed(y, flagged, people, rows, level) for rows in (inside, outside))
    if own.share == rest.share:
        return 1.0
    without = inside[y[inside] == 0]
    attended = float(flagged[without].sum())
    # Missed more rarely than the rest: as if all unrecorded events had been missed; else as if none had.
    if own.share < rest.share:
        recorded, room = (1 - rest.share) / (1 - own.share), len(without) - attended
    else:
        recorded, room = rest.share / own.share, attended
    if recorded == 0 or own.total / recorded - own.total > room:
        return float("nan")
    return recorded


def recording_sensitivity(
    y, flagged, people, groups, *, recorded=RECORDED, minimum=None, index=None, level=0.95
):
    """How the share of events missed could look if a group's events were not all recorded.

    Where trust in the police is low or the road is long, fewer events are reported. The rates of
    `false_negative_rates` are of recorded events alone; here are the lowest and highest rates among all
    events, recorded or not, that the data do not exclude. Nothing is assumed about where unrecorded events
    lie, nor about the rest's recording, which is taken as it is.

    Parameters
    ----------
    y, flagged, people, groups, minimum, index, level    as `false_negative_rates`
    recorded : tuple of float in (0, 1]    shares of the group's events that might have been recorded

    Returns
    -------
    DataFrame of grouping, group, recorded, events, missed (both as recorded), lowest, highest (the bounds),
        low, high (interval around both bounds), explains (largest recorded share at which the group could
        be missed as often as the rest is; NaN where not even the least would do), reason (NotEstimable or
        None); groups below the minimum have one row with their reason alone
    """
    y, flagged, people = _checked(y, flagged, people)
    if not all(0 < share <= 1 for share in recorded):
        raise RiskmlError("recorded shares lie above 0 and at most at 1", where="recorded")
    minimum, rows = minimum or Minimum(), []
    for grouping, labels in checked_groups(groups, len(y), index).items():
        for group in np.unique(labels):
            inside, outside = np.flatnonzero(labels == group), np.flatnonzero(labels != group)
            named = {"grouping": grouping, "group": group}
            try:
                minimum.check(group_counts(y[inside], people[inside]))
                figures = _sensitivity_rows(y, flagged, people, inside, recorded, level)
            except NotEstimable as reason:
                rows.append(named | {"reason": reason})
                continue
            try:
                explains = _explaining_share(y, flagged, people, inside, outside, level)
            except NotEstimable:
                explains = np.nan
            rows += [named | figure | {"explains": explains} for figure in figures]
    columns = ("recorded", "events", "missed", "lowest", "highest", "low", "high", "explains", "reason")
    return pd.DataFrame(rows, columns=["grouping", "group", *columns])


@dataclass(frozen=True)
class Fairness:
    """A fairness audit: figures by group, sensitivity to recording, and what they cannot tell.

    Attributes
    ----------
    subgroups : Subgroups        false_negative_rate, observed_expected, calibration_intercept,
        calibration_slope, ici
    recording : DataFrame        of `recording_sensitivity`
    cautions : tuple of dict     language -> str, to be printed with the figures
    """

    subgroups: Subgroups
    recording: pd.DataFrame
    cautions: tuple

    def table(self, language="es"):
        """As `Subgroups.table`."""
        return self.subgroups.table(language)

    def document(self):
        """Plain JSON: groups, recording (reasons in every language), multiplicity, cautions."""
        recording = self.recording.to_dict(orient="records")
        for row in recording:
            reason = row.pop("reason")
            known = isinstance(reason, NotEstimable)
            row["not_estimable"] = {lang: reason.words(lang) for lang in LANGUAGES} if known else None
        return plain({**self.subgroups.document(), "recording": recording, "cautions": list(self.cautions)})


def fairness_audit(
    y,
    p,
    people,
    groups,
    *,
    flagged,
    recorded=RECORDED,
    minimum=None,
    index=None,
    replicates=200,
    seed,
    level=0.95,
    language="es",
):
    """False-negative rate, calibration in the large, slope and ICI of each group, against the rest.

    Its calibration figures are those of `calibration_by_group`: for the same groupings one of them is enough.

    Parameters
    ----------
    y : array of {0, 1}, shape (n,)            outcome within the horizon, fully followed-up assessments
    p : array of float in [0, 1], shape (n,)   predicted risk
    people : array of labels, shape (n,)       the aggressor of each assessment
    groups : DataFrame, n rows                 one column for each grouping, audit-only ones too: a frame of
        its own (`audit_groups`), never columns of the matrix
    flagged : array of float in [0, 1], shape (n,)    the operating point, of `flagged_by_threshold` or
        `flagged_by_capacity`
    recorded : tuple of float                  of `recording_sensitivity`
    minimum, index, replicates, seed, level, language    as `group_estimates`

    Returns
    -------
    Fairness

    Raises
    ------
    RiskmlError    as `group_estimates` and `false_negative_rates`
    """
    shared = {"minimum": minimum, "index": index, "level": level}
    missed = false_negative_rates(y, flagged, people, groups, **shared)
    calibrated = group_estimates(
        CALIBRATION, y, p, people, groups, replicates=replicates, seed=seed, language=language, **shared
    )
    order = [str(name) for name in groups.columns]
    merged = sorted(
        (*missed.rows, *calibrated.rows), key=lambda row: (order.index(row["grouping"]), row["group"])
    )
    return Fairness(
        replace(calibrated, rows=tuple(merged)),
        recording_sensitivity(y, flagged, people, groups, recorded=recorded, **shared),
        tuple(
            every_language(f"fairness_{name}") for name in ("recording", "selective", "groups", "response")
        ),
    )
