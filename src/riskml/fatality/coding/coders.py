"""Two coders of the same cases: what stands of their codings, and how far they agree.

Where coders differ nothing is chosen for them: the state is unknown until the team has adjudicated it, and a
day, an institution, or a "known before" stands only where every coder's coding bears it out.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from riskml.errors import RiskmlError
from riskml.fatality.form import PRESENT, SHEETS, STATES_CODED, UNKNOWN
from riskml.fatality.reviews import typed_sheet
from riskml.messages import LANGUAGES, in_every_language
from riskml.models.bundle import plain
from riskml.validation.bootstrap import percentile_interval
from riskml.validation.forecast import NotEstimable
from riskml.validation.intervals import exact_interval
from riskml.validation.shares import clustered_share

__all__ = ["DIFFERING", "agreement", "cohen_kappa", "disagreements", "joined"]

DIFFERING = ("state", "known", "known_on", "known_by")
KEY = ["review_id", "factor"]
_FEWEST = 10  # cases; below it a kappa says nothing that the counts do not say better
_REPLICATES = 1000
_ALIKE = 0.8  # share of one state above which kappa falls however well coders agree
_BIASED = 0.05


def joined(sheets, adjudicated=None, *, seed=0):
    """One row for each factor of each case, of all its coders, and how far they agree.

    The rule, wherever coders of a row differ and nobody has adjudicated it:

    - state: unknown, with agreed "no"; then nothing is said of when and by whom it was known;
    - known_on: the latest day, and only where every coder gives one; an earlier day is never made up;
    - known: "before" where every coder gives a day before the event, otherwise unknown;
    - known_by: empty;
    - evidence: what each coder wrote, side by side.

    What one coder alone has coded stands as coded. An adjudicated row stands instead of the coders'; what it
    leaves empty of known, known_on and known_by follows the rule, but for a day that contradicts the `known`
    that was decided.

    Parameters
    ----------
    sheets : dict of sheet -> DataFrame    in the form's columns and codes: cases and factors are read
    adjudicated : DataFrame or None        of `read_adjudication`: review_id, factor, state, and known,
        known_on, known_by or missing
    seed : int                             of the intervals' bootstrap

    Returns
    -------
    (DataFrame, list of dict)    the factors as `Reviews` holds them, sorted by review and factor whatever the
        order of the rows; and `agreement`

    Raises
    ------
    RiskmlError    a coder has the same factor of a case twice, or an adjudicated row that nobody coded
    """
    coding = _coding(sheets["factors"])
    repeated = coding.duplicated([*KEY, "coder"])
    if repeated.any():
        first = coding[repeated].iloc[0]
        raise RiskmlError(
            f"{int(repeated.sum())} codings stand twice",
            where=f"factors, review {first['review_id']}, factor {first['factor']}",
            mend="Keep one row for each case, coder and factor.",
        )
    if not len(coding):
        return typed_sheet("factors", []), []
    cases = sheets["cases"]
    events = pd.Series(pd.to_datetime(cases["event_on"]).to_numpy(), cases["review_id"].to_numpy())
    rows = _joined(coding, events[~events.index.duplicated()])
    if adjudicated is not None and len(adjudicated):
        _decide(rows, adjudicated)
    undecided = rows["agreed"] == "no"
    rows.loc[undecided, "state"] = rows.loc[undecided, "known"] = UNKNOWN
    rows.loc[undecided, "known_on"] = pd.NaT
    rows.loc[undecided, "known_by"] = None
    return typed_sheet("factors", rows.reset_index()), agreement(coding, seed=seed)


def disagreements(coding):
    """The rows on which coders differ, and in what.

    Parameters
    ----------
    coding : DataFrame    the form's factor sheet: a row for each review, coder and factor

    Returns
    -------
    Series of tuple, index (review_id, factor), sorted    of DIFFERING, at least one. Where every coder says
        unknown, when and by whom it was known is no difference
    """
    rows = _coding(coding)
    differing = rows.groupby(KEY)[list(DIFFERING)].nunique(dropna=False) > 1
    nothing = (rows["state"] == UNKNOWN).groupby([rows[k] for k in KEY]).all()
    differing = differing[differing.any(axis=1) & ~nothing]
    named = [tuple(n for n, d in zip(DIFFERING, row, strict=True) if d) for row in differing.to_numpy()]
    return pd.Series(named, index=differing.index, dtype=object)


def _coding(frame):
    """The factor sheet with every column of the form, days as days, `known` never empty; sorted."""
    frame = pd.DataFrame(frame).reindex(columns=list(SHEETS["factors"].names)).astype(object)
    frame = frame.where(frame.notna(), None)
    frame["known"] = frame["known"].where(frame["known"].notna(), UNKNOWN)
    frame["known_on"] = pd.to_datetime(frame["known_on"]).astype("datetime64[us]")
    return frame.sort_values([*KEY, "coder"], kind="stable", ignore_index=True)


def _joined(coding, events):
    """The rule of `joined` but for states that differ: DataFrame, index (review_id, factor)."""
    groups = coding.groupby(KEY)
    coders = groups.size()
    one = groups[list(DIFFERING)].nunique(dropna=False) == 1
    first = coding.drop_duplicates(KEY).set_index(KEY)
    event = pd.Series(coders.index.get_level_values("review_id").map(events), coders.index)
    dated = groups["known_on"].count() == coders
    latest = groups["known_on"].max()
    before = pd.Series(np.where(dated & (latest < event), "before", UNKNOWN), coders.index, dtype=object)
    return pd.DataFrame(
        {
            "state": first["state"],
            "evidence": _evidence(coding).reindex(coders.index),
            "known_on": latest.where(dated),
            "known_by": first["known_by"].where(one["known_by"]),
            "known": first["known"].where(one["known"], before),
            "coders": coders,
            "agreed": one["state"].map({True: "yes", False: "no"}),
            "event_on": event,
        }
    )


def _evidence(coding):
    """What the coders of each row wrote, each text once: Series, index (review_id, factor)."""
    written = coding[coding["evidence"].notna()].drop_duplicates([*KEY, "evidence"])
    several = written.duplicated(KEY, keep=False)
    joined_texts = written[several].groupby(KEY)["evidence"].agg(" | ".join)
    return pd.concat([written[~several].set_index(KEY)["evidence"], joined_texts.astype(object)])


def _decide(rows, adjudicated):
    """Put what the team has adjudicated in the place of the coders' codings."""
    decided = adjudicated.reindex(columns=[*KEY, *DIFFERING]).drop_duplicates().set_index(KEY)
    _refuse(decided.index[decided.index.duplicated()], "rows adjudicated in two ways", "Keep one of them.")
    _refuse(
        decided.index.difference(rows.index),
        "adjudicated rows that no coder has coded",
        "Load the workbook that the adjudication sheet was made of, or take those rows out.",
    )
    has = rows.index.isin(decided.index)
    decided = decided.reindex(rows.index)
    day = pd.to_datetime(decided["known_on"]).astype("datetime64[us]")
    said = decided["known"].notna()
    # The coders' day stands where it agrees with what was decided of `known`.
    agrees = (decided["known"] == "before") & (rows["known_on"] < rows["event_on"])
    agrees |= (decided["known"] == "after") & (rows["known_on"] >= rows["event_on"])
    rows["known_on"] = day.where(day.notna(), rows["known_on"].where(~said | agrees))
    for name in ("state", "known", "known_by"):
        rows[name] = decided[name].where(decided[name].notna(), rows[name])
    rows["agreed"] = rows["agreed"].where(~has, "yes")


def _refuse(places, what, mend):
    if len(places):
        review, factor = places[0]
        raise RiskmlError(f"{len(places)} {what}", where=f"review {review}, factor {factor}", mend=mend)


def cohen_kappa(table):
    """Agreement of two coders beyond what their margins alone would give (Cohen's kappa, unweighted).

    1 is full agreement, 0 what two who only know how often each state is given would reach.

    Parameters
    ----------
    table : array of counts, shape (..., k, k)    cases by the state of the first coder and of the second

    Returns
    -------
    array of float, shape (...)    NaN where both give one and the same state throughout, or there is no case:
        kappa is then undefined

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20:37.
    """
    table = np.asarray(table, float)
    total = table.sum(axis=(-2, -1))
    expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1)
    observed = np.trace(table, axis1=-2, axis2=-1) * total
    room = total**2 - expected
    return np.divide(observed - expected, room, out=np.full(room.shape, np.nan), where=room > 0)


def agreement(coding, *, seed=0):
    """How far coders agree on the state of each factor: present, absent or unknown.

    Exact agreement comes with its exact interval, kappa with the percentile interval of a bootstrap over
    cases; where coders never differ the bootstrap has no width, and the lower bound of kappa is that of the
    exact agreement's interval, at the same margins. Kappa is not estimable with fewer than 10 cases that both
    coded, or where a coder gives one state to all of them.

    Parameters
    ----------
    coding : DataFrame    the form's factor sheet: a row for each review, coder and factor
    seed : int

    Returns
    -------
    list of dict    plain JSON; for each pair of coders with a case in common, first over all factors pooled
        (`factor` None: rare factors beside frequent ones raise it), then factor by factor:
        factor, first, second (the coders' codes), n (codings of both), cases, exact {n, total, share, low,
        high}, kappa {estimate, low, high} or {missing: {es, en}}, present_first, present_second (how often
        each gives present), notes (list of {es, en}: where kappa misleads)
    """
    rows = _coding(coding)
    rows = rows.assign(state=pd.Index(STATES_CODED).get_indexer(rows["state"]))
    rows, found = rows[rows["state"] >= 0], []
    for first, second in combinations(sorted(rows["coder"].dropna().unique()), 2):
        ours = (rows.loc[rows["coder"] == coder, [*KEY, "state"]] for coder in (first, second))
        both = pd.merge(*ours, on=KEY, suffixes=("_first", "_second"))
        if not len(both):
            continue
        named = {"first": first, "second": second}
        found.append({"factor": None, **named, **_row(both, seed)})
        found += [{"factor": code, **named, **_row(pairs, seed)} for code, pairs in both.groupby("factor")]
    return plain(found)


def _row(pairs, seed):
    """What `agreement` says of some codings that two coders share: dict."""
    k = len(STATES_CODED)
    case, cases = pd.factorize(pairs["review_id"])
    cell = pairs["state_first"].to_numpy() * k + pairs["state_second"].to_numpy()
    by_case = np.bincount(case * k * k + cell, minlength=len(cases) * k * k).reshape(-1, k, k)
    table = by_case.sum(axis=0)
    exact = _exact(pairs["state_first"] == pairs["state_second"], pairs["review_id"].to_numpy(), len(cases))
    kappa = _kappa(by_case, exact, seed)
    present = STATES_CODED.index(PRESENT)
    return {
        "n": len(pairs),
        "cases": len(cases),
        "exact": {"n": int(table.trace()), "total": len(pairs), **exact},
        "kappa": kappa,
        "present_first": int(table[present].sum()),
        "present_second": int(table[:, present].sum()),
        "notes": list(_notes(table, exact["share"], kappa.get("estimate"))),
    }


def _exact(same, case, cases):
    """The share of codings that agree: dict of share, low, high; each case counts once where it has many."""
    if cases < len(same):
        found = clustered_share(same, case)
        return {"share": found.share, "low": found.low, "high": found.high}
    low, high = exact_interval(int(same.sum()), len(same))
    return {"share": float(same.mean()), "low": low, "high": high}


def _kappa(by_case, exact, seed):
    """Kappa with its interval, or why there is none: dict."""
    table, cases = by_case.sum(axis=0), len(by_case)
    if cases < _FEWEST:
        return {"missing": _words("few_cases", count=cases, fewest=_FEWEST)}
    if (table.sum(axis=0) > 0).sum() == 1 or (table.sum(axis=1) > 0).sum() == 1:
        return {"missing": _words("one_state")}
    estimate = float(cohen_kappa(table))
    if exact["share"] == 1:
        margins = table.sum(axis=1) / table.sum()
        expected = float((margins**2).sum())
        return {"estimate": estimate, "low": (exact["low"] - expected) / (1 - expected), "high": 1.0}
    # Cases drawn with replacement; those that say the same are drawn together.
    kinds, held = np.unique(by_case, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(cases, held / cases, size=_REPLICATES)
    try:
        low, high = percentile_interval(cohen_kappa(np.tensordot(drawn, kinds, axes=1)))
    except NotEstimable as reason:
        return {"missing": {language: reason.words(language) for language in LANGUAGES}}
    return {"estimate": estimate, "low": low, "high": high}


def _notes(table, exact, kappa):
    """Where kappa says less, or more, than it seems: {es, en} each."""
    held = (table.sum(axis=0) + table.sum(axis=1)) / (2 * table.sum())
    if kappa is not None and held.max() >= _ALIKE and exact - kappa > 1 - _ALIKE:
        yield _words("prevalence_note")
    present = STATES_CODED.index(PRESENT)
    alone = [int(table[present].sum() - table[present, present])]
    alone.append(int(table[:, present].sum() - table[present, present]))
    if sum(alone) and binomtest(alone[0], sum(alone)).pvalue < _BIASED:
        yield _words("bias_note", first=alone[0], second=alone[1])


def _words(name, **fields):
    return in_every_language(f"fatality_coders.{name}", **fields)
