"""What the registry knew, on its index day, of each item of the review in each member of a matched set."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.fatality.findings.item_counts import YEARS_APART, YOUNG
from riskml.features.catalogue import Catalogue
from riskml.features.definitions import Feature
from riskml.features.factor_states import in_scope, state_codes
from riskml.features.matrix import build_features
from riskml.models.relative_risk import combined_states
from riskml.vocabulary import PARTNER_RELATIONSHIPS, duration

__all__ = ["EVER", "Exposure", "exposures", "known_states"]

EVER = "ever"
_SINCE = "days_since_"


@dataclass(frozen=True)
class Exposure:
    """One item or factor, in three states, in every member of the sets.

    Attributes
    ----------
    name : str                 code of the factor, of the priors' factor, or `item_<number>` where an item is
        made of several
    item : int or None         its number among the items
    label : dict               in Spanish and English
    codes : tuple of str       factors of the vocabulary that it is made of; empty where it follows from facts
    response : bool            it says what institutions did: an exposure, not a risk of the person
    state : float array, (n,)  1 present, 0 denied, NaN unknown
    applicable : bool array, (n,)    whether it is asked of such a relationship at all
    """

    name: str
    item: int | None
    label: dict
    codes: tuple
    response: bool
    state: np.ndarray
    applicable: np.ndarray

    @property
    def known(self):
        """Present against denied, of those of whom it is known: float array, NaN for everybody else."""
        return np.where(self.applicable, self.state, np.nan)

    @property
    def recorded(self):
        """Recorded as present against not so recorded: float array. It does not say that it was absent."""
        return np.where(self.applicable, (self.state == 1).astype(float), np.nan)

    def counts(self, which):
        """present, denied and unknown of some members, and those to whom it does not apply: dict of int."""
        state, asked = self.state[which], self.applicable[which]
        return {
            "present": int((asked & (state == 1)).sum()),
            "denied": int((asked & (state == 0)).sum()),
            "unknown": int((asked & np.isnan(state)).sum()),
            "not_applicable": int((~asked).sum()),
        }


def known_states(history, cohort, catalogue, codes, columns=(), *, lookback=EVER):
    """States of factors as the registry had them, and other columns beside them.

    Parameters
    ----------
    history : History
    cohort : DataFrame of case_id, as_of
    catalogue : Catalogue
    codes : sequence of str      of `state_codes`
    columns : sequence of str    further columns, whatever the lookback
    lookback : "ever", or a length such as "365d": what was last said longer ago than that is unknown

    Returns
    -------
    DataFrame    one row for each row of the cohort, a column for each code and each further column

    Raises
    ------
    RiskmlError    a lookback that is no length
    """
    if lookback == EVER:
        return build_features(history, cohort, catalogue.part(*codes, *columns))
    try:
        longest = duration(lookback)
    except RiskmlError:
        longest = 0
    if not longest:
        raise RiskmlError(f'"{lookback}" is no lookback', where="lookback", mend="Write ever, or 365d.")
    states = [catalogue.feature(code) for code in codes]
    since = [
        Feature.model_validate(
            {
                "name": f"{_SINCE}{feature.name}_state",
                "dimension": feature.dimension,
                "table": feature.table,
                "aggregate": "days_since",
                "over": feature.over,
                "where": feature.where,
            }
        )
        for feature in states
    ]
    read = catalogue.part(*codes, *columns)
    frame = build_features(history, cohort, Catalogue((*read.features, *since), catalogue.factors))
    days = longest / duration("1d")
    for feature, age in zip(states, since, strict=True):
        recent = frame[age.name] < days
        frame[feature.name] = frame[feature.name].where(recent)
    return frame.drop(columns=[age.name for age in since])


def _young_couple(frame, year):
    """Both of them of an age in YOUNG, by their years of birth: present, denied where one of them is not."""
    low, high = YOUNG
    return _all_of(
        [
            _between(year - frame[column].to_numpy(float), low, high)
            for column in ("aggressor_birth_year", "victim_birth_year")
        ]
    )


def _age_gap(frame, year):
    return _between(frame["age_difference"].to_numpy(float), YEARS_APART, np.inf)


def _between(values, low, high):
    return np.where(np.isnan(values), np.nan, (values >= low) & (values <= high))


def _all_of(parts):
    parts = np.array(parts)
    unknown = np.isnan(parts).any(axis=0)
    return np.where((parts == 0).any(axis=0), 0.0, np.where(unknown, np.nan, 1.0))


# Items that follow from facts of the case: the features that keep them, and what makes them present. They
# speak of couples only.
_RULES = {
    ("aggressor_birth_year", "victim_birth_year"): _young_couple,
    ("age_difference",): _age_gap,
}


def exposures(history, sets, catalogue, items, priors, *, lookback=EVER):
    """Every item of the review, and every factor of the priors that is none of them, in three states.

    Parameters
    ----------
    history : History
    sets : MatchedSets
    catalogue : Catalogue
    items : sequence of ReviewItem
    priors : PriorFile
    lookback : as `known_states`

    Returns
    -------
    found : list of Exposure      items in order, then the priors' factors
    frame : DataFrame             states of the factors, `relationship` among them: what they were made of
    not_read : list of (name, label)    items that the catalogue does not hold: not compared
    """
    readable = state_codes(catalogue)
    columns = {name for item in items if item.features in _RULES for name in item.features}
    columns &= {feature.name for feature in catalogue.features}
    asked = dict.fromkeys(code for item in items for code in item.factors)
    codes = [code for code in dict.fromkeys([*asked, *priors.codes]) if code in readable]
    frame = known_states(history, sets.cohort, catalogue, codes, sorted(columns), lookback=lookback)
    year = frame.index.get_level_values("as_of").year.to_numpy()
    frame["relationship"] = pd.Series(sets.relationship, index=frame.index, dtype=object)
    found, not_read = [], []
    for item in items:
        made = _of_item(item, frame, year, readable, catalogue.factors)
        if made is None:
            not_read.append((f"item_{item.number}", item.concept))
        else:
            found.append(made)
    of_items = {frozenset(e.codes) for e in found}
    for name in priors.factors:
        how, of_name = priors.definition(name)
        if frozenset(of_name) not in of_items or (how == "all" and len(of_name) > 1):
            label = priors.label_of(name, catalogue.factors)
            if set(of_name) & set(readable):
                found.append(_made(name, None, label, how, of_name, frame, catalogue.factors))
            else:
                not_read.append((name, label))
    return found, frame, not_read


def _of_item(item, frame, year, readable, factors):
    name = item.factors[0] if len(item.factors) == 1 else f"item_{item.number}"
    if item.factors:
        # A factor that cannot be read is unknown: without it nobody is known to be without the item.
        if not set(item.factors) & set(readable):
            return None
        return _made(name, item.number, item.concept, "any", item.factors, frame, factors)
    rule = _RULES.get(item.features)
    if rule is None or not set(item.features) <= set(frame.columns):
        return None
    couples = _asked(frame, PARTNER_RELATIONSHIPS)
    return Exposure(name, item.number, item.concept, (), False, rule(frame, year), couples)


def _made(name, number, label, how, codes, frame, factors):
    state = combined_states(frame, {name: (how, codes)})[0][:, 0]
    scopes = [factors[code].relationships for code in codes]
    scope = () if not all(scopes) else tuple(dict.fromkeys(word for of_code in scopes for word in of_code))
    response = all(factors[code].dimension == "response" for code in codes)
    return Exposure(name, number, dict(label), tuple(codes), response, state, _asked(frame, scope))


def _asked(frame, relationships):
    """Whether an item speaks of each row's relationship; one that nobody recorded may be of those."""
    return in_scope(frame, relationships).to_numpy(bool, na_value=True)
