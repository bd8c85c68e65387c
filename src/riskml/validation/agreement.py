"""Agreement of the analyst's level with the suggested one, and what kinds of disagreement there are."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import plain
from riskml.validation.bootstrap import cluster_weights, percentile_interval
from riskml.validation.forecast import NotEstimable
from riskml.validation.shares import clustered_share
from riskml.validation.verdict import every_language
from riskml.vocabulary import ABSTAINED, LEVELS, did_you_mean

__all__ = [
    "ABSTAINED",
    "KINDS",
    "Agreement",
    "agreement",
    "confusion_matrix",
    "disagreement_kinds",
    "weighted_kappa",
]

# From agreement to the gravest disagreement: being critical is what changes most for the victim.
KINDS = (
    "same",
    "tool_one_higher",
    "tool_one_lower",
    "tool_far_higher",
    "tool_far_lower",
    "critical_for_tool_alone",
    "critical_for_analyst_alone",
    "tool_abstained",
    "no_analyst_level",
)
_DISAGREEING = KINDS[1:7]


def _ranks(levels, order, where):
    """The rank of each level; -1 where there is none, -2 where the tool abstained."""
    levels = pd.Series(levels, dtype=object)
    missing = levels.isna().to_numpy()
    ranks = pd.Index(order).get_indexer(pd.Index(levels.where(~missing, order[0]).astype(str)))
    abstained = (levels == ABSTAINED).to_numpy()
    unknown = (ranks < 0) & ~missing & ~abstained
    if unknown.any():
        word = str(levels[unknown].iloc[0])
        raise RiskmlError(
            f'unknown level "{word[:40]}"', where=where, mend=did_you_mean(word, order) or f"Known: {order}."
        )
    return np.where(missing, -1, np.where(abstained, -2, ranks))


def _pairs(analyst, suggested, levels):
    analyst, suggested = (
        _ranks(values, levels, where) for values, where in ((analyst, "analyst"), (suggested, "suggested"))
    )
    if len(analyst) != len(suggested):
        raise RiskmlError(f"{len(analyst)} levels do not pair with {len(suggested)}", where="suggested")
    return analyst, suggested


def _table(analyst, suggested, k, weights=None):
    both = (analyst >= 0) & (suggested >= 0)
    weights = None if weights is None else weights[both]
    return np.bincount(analyst[both] * k + suggested[both], weights=weights, minlength=k * k).reshape(k, k)


def _kappa(table):
    total = table.sum()
    if not total:
        raise NotEstimable("nobody")
    shares = table / total
    rank = np.arange(len(table))
    distance = (rank[:, None] - rank) ** 2
    expected = (distance * np.outer(shares.sum(axis=1), shares.sum(axis=0))).sum()
    if not expected > 0:
        raise NotEstimable("one_level")
    return float(1 - (distance * shares).sum() / expected)


def weighted_kappa(analyst, suggested, people, *, levels=LEVELS, replicates=200, seed, level=0.95):
    """Quadratic-weighted kappa of two orderings, with its interval: (estimate, low, high).

    1 is full agreement, 0 what two who know only how often each level is given would reach; a disagreement
    by two levels weighs four times one by one. Cases without a level of both are left out.

    Parameters
    ----------
    analyst, suggested : arrays of str, shape (n,)    of `levels`; missing or "insufficient_data": none
    people : array of labels, shape (n,)              the aggressor of each case
    levels : tuple of str                             in ascending order
    replicates, seed, level                           of the bootstrap over aggressors

    Raises
    ------
    NotEstimable    (a ValueError) no case has both levels, all have the same one level, or too many draws do
    RiskmlError     an unknown level, lengths that differ

    References
    ----------
    Cohen (1968), Psychological Bulletin 70:213.
    """
    analyst, suggested = _pairs(analyst, suggested, levels)
    estimate, values = _kappa(_table(analyst, suggested, len(levels))), []
    for weights in cluster_weights(people, replicates, seed=seed):
        try:
            values.append(_kappa(_table(analyst, suggested, len(levels), weights)))
        except NotEstimable:
            values.append(np.nan)
    return estimate, *percentile_interval(values, level=level)


def confusion_matrix(analyst, suggested, *, levels=LEVELS):
    """Cases by the analyst's level (rows) and the suggested one (columns), as numbers.

    Returns
    -------
    DataFrame, index `levels` and "no_analyst_level", columns `levels` and "insufficient_data"
    """
    analyst, suggested = _pairs(analyst, suggested, levels)
    k = len(levels)
    row, column = np.where(analyst < 0, k, analyst), np.where(suggested < 0, k, suggested)
    table = np.bincount(row * (k + 1) + column, minlength=(k + 1) ** 2).reshape(k + 1, k + 1)
    return pd.DataFrame(
        table,
        index=pd.Index([*levels, "no_analyst_level"], name="analyst"),
        columns=pd.Index([*levels, ABSTAINED], name="suggested"),
    )


def disagreement_kinds(analyst, suggested, *, levels=LEVELS):
    """The kind of agreement or disagreement of each case: array of KINDS, shape (n,).

    The first that holds, from the last of KINDS back: no level of the analyst; the tool abstained; critical
    for one alone; two or more levels apart; one level apart; the same.
    """
    analyst, suggested = _pairs(analyst, suggested, levels)
    top, apart = len(levels) - 1, suggested - analyst
    conditions = (
        (analyst < 0, "no_analyst_level"),
        (suggested < 0, "tool_abstained"),
        ((analyst == top) & (apart < 0), "critical_for_analyst_alone"),
        ((suggested == top) & (apart > 0), "critical_for_tool_alone"),
        (apart <= -2, "tool_far_lower"),
        (apart >= 2, "tool_far_higher"),
        (apart == -1, "tool_one_lower"),
        (apart == 1, "tool_one_higher"),
    )
    return np.select(*zip(*conditions, strict=True), default="same").astype(object)


@dataclass(frozen=True)
class Agreement:
    """How the analyst's level and the suggested one agree.

    Attributes
    ----------
    kappa : (estimate, low, high), or None     quadratic-weighted
    kappa_reason : NotEstimable or None
    exact : Share or None                      same level, of the cases with both
    matrix : DataFrame                         of `confusion_matrix`
    kinds : DataFrame    index KINDS: n, total, share, low, high; events, followed, event_share, event_low,
        event_high (later outcome of its cases, where known); one column `<cause>` and `<cause>_of` for each
        cause, counted among its cases
    """

    kappa: tuple | None
    kappa_reason: NotEstimable | None
    exact: object
    matrix: pd.DataFrame
    kinds: pd.DataFrame

    def table(self, language="es"):
        """The kinds with their names and what to look at: DataFrame, index KINDS."""
        named = self.kinds.copy()
        named.insert(0, "what", [message(f"validation.agreement_{kind}", language) for kind in named.index])
        named.insert(
            1, "look_at", [message(f"validation.agreement_{kind}_look", language) for kind in named.index]
        )
        return named

    def document(self):
        """Plain JSON: kappa with interval, matrix, kinds with words, what they cannot tell."""
        kinds = []
        for kind, row in self.kinds.iterrows():
            words = every_language(f"agreement_{kind}"), every_language(f"agreement_{kind}_look")
            kinds.append({"kind": kind, "what": words[0], "look_at": words[1], **row.to_dict()})
        kappa = dict(zip(("estimate", "low", "high"), self.kappa or (None,) * 3, strict=True))
        reason = self.kappa_reason
        kappa["not_estimable"] = {lang: reason.words(lang) for lang in LANGUAGES} if reason else None
        return plain(
            {
                "kappa": kappa,
                "exact": None if self.exact is None else self.exact.row(),
                "matrix": self.matrix.reset_index().to_dict(orient="records"),
                "kinds": kinds,
                "words": every_language("agreement_caution"),
            }
        )


def _kind_row(inside, people, outcome, causes, level):
    share = clustered_share(inside, people, level=level)
    row = share.row()
    row["n"] = int(row["n"])
    row |= {"events": 0, "followed": 0, "event_share": np.nan, "event_low": np.nan, "event_high": np.nan}
    if outcome is not None:
        known = inside & ~np.isnan(outcome)
        row["followed"] = int(known.sum())
        if known.any():
            later = clustered_share(outcome[known], people[known], level=level)
            row |= {"events": int(later.n), "event_share": later.share}
            row |= {"event_low": later.low, "event_high": later.high}
    for name, held in causes.items():
        row |= {name: int((held & inside).sum()), f"{name}_of": int(inside.sum())}
    return row


def agreement(
    analyst,
    suggested,
    people,
    *,
    outcome=None,
    causes=None,
    levels=LEVELS,
    replicates=200,
    seed,
    level=0.95,
):
    """Kappa, confusion matrix and kinds of disagreement of the analyst's and the suggested levels.

    The analyst's level is the one given before the suggestion was shown; else agreement says how far the
    suggestion was followed, not whether two judgements agree.

    Parameters
    ----------
    analyst, suggested, people, levels, replicates, seed, level    as `weighted_kappa`
    outcome : array of {0, 1, NaN}, shape (n,), or None    later outcome, NaN where not followed up
    causes : DataFrame of bool, n rows, or None    what may lie behind a disagreement, such as facts recorded
        since the analyst's level, few known factors, a rule on recorded facts; counted, not tested

    Returns
    -------
    Agreement

    Raises
    ------
    RiskmlError     an unknown level, lengths that differ, outcomes other than 0, 1 and NaN
    NotEstimable    there is no case
    """
    ranks, people = _pairs(analyst, suggested, levels), np.asarray(people)
    kinds = disagreement_kinds(analyst, suggested, levels=levels)
    if outcome is not None:
        outcome = np.asarray(outcome, float)
        if outcome.shape != kinds.shape or not np.isin(outcome[~np.isnan(outcome)], (0, 1)).all():
            raise RiskmlError("outcomes must be 0, 1 or NaN, one for each case", where="outcome")
    held = {} if causes is None else {str(name): np.asarray(causes[name], bool) for name in causes}
    if any(len(values) != len(kinds) for values in held.values()):
        raise RiskmlError(f"causes need {len(kinds)} rows", where="causes")
    try:
        kappa, why = (
            weighted_kappa(
                analyst, suggested, people, levels=levels, replicates=replicates, seed=seed, level=level
            ),
            None,
        )
    except NotEstimable as reason:
        kappa, why = None, reason
    both = (ranks[0] >= 0) & (ranks[1] >= 0)
    exact = clustered_share(kinds[both] == "same", people[both], level=level) if both.any() else None
    rows = {kind: _kind_row(kinds == kind, people, outcome, held, level) for kind in KINDS}
    return Agreement(
        kappa,
        why,
        exact,
        confusion_matrix(analyst, suggested, levels=levels),
        pd.DataFrame.from_dict(rows, orient="index").rename_axis("kind"),
    )
