"""Scores of an instrument from what the registry knows: bounds wherever items are unobserved."""

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN, factor_states, in_scope, is_long, widened
from riskml.instruments.definition import Instrument, load_instrument
from riskml.messages import check_language, message
from riskml.vocabulary import did_you_mean

__all__ = ["in_words", "score"]


def score(frame, instrument):
    """The proxy score of each assessment: from what is known to be present to what is not known to be absent.

    An item is present, denied or unobserved. `low` counts the unobserved ones as absent and `high` as
    present, so that the score after asking lies between them whatever the answers are. Outside the
    instrument's scope (a partner scale on a son and his mother) there is no score; where the relationship is
    not known there are bounds, for the case that it applies.

    Parameters
    ----------
    frame : DataFrame    a matrix of `riskml.build_features` (or any frame with a column for each factor, in
        the words `present` and `denied`, missing where nobody mentioned it, and `relationship`); or a long
        frame of factors with `case_id`, `factor`, `state` and, where there are several, `as_of`, in which a
        factor that is present anywhere outranks one that is denied
    instrument : Instrument, path of its file, or name of one that riskml is shipped with

    Returns
    -------
    DataFrame, one row for each row of the frame (for each assessment of a long one), index as there
        low, high : float         bounds of the score; missing where the instrument does not apply
        observed, unobserved : int    scored items that are known, and that are not
        applicable : boolean      missing where the relationship is not known
        band_low, band_high : str    published category at both bounds; missing where it does not apply
        present_low, present_high : int    bounds of the number of items present, one point each; what
            takes points away is left out

    Raises
    ------
    RiskmlError    none of the factors that the instrument reads is in the frame; a state that is neither
        present nor denied; a column that should be a number and is none
    """
    instrument = instrument if isinstance(instrument, Instrument) else load_instrument(instrument)
    if not isinstance(frame, pd.DataFrame):
        raise RiskmlError(f"a frame is expected, not {type(frame).__name__}", where="frame")
    if is_long(frame):
        frame = widened(frame)
    else:
        _check_factors(frame, instrument)
    states = _item_states(frame, instrument)
    present, unobserved = states == PRESENT, states == UNKNOWN
    points = np.array([item.points for item in instrument.scored.values()])
    gains = np.maximum(points, 0), np.minimum(points, 0)
    low = present @ points + unobserved @ gains[1]
    high = present @ points + unobserved @ gains[0]
    applicable = in_scope(frame, instrument.relationships)
    outside = (~applicable).to_numpy(bool, na_value=False)
    result = pd.DataFrame(
        {
            "low": np.where(outside, np.nan, low),
            "high": np.where(outside, np.nan, high),
            "observed": (~unobserved).sum(axis=1),
            "unobserved": unobserved.sum(axis=1),
            "applicable": applicable,
            "band_low": _bands(low, present, instrument, outside),
            "band_high": _bands(high, present | unobserved, instrument, outside),
            "present_low": (present & (points > 0)).sum(axis=1),
            "present_high": ((present | unobserved) & (points > 0)).sum(axis=1),
        },
        index=frame.index,
    )
    return result.astype({"band_low": "str", "band_high": "str"})


def _check_factors(frame, instrument):
    if not set(instrument.factors) & set(frame.columns):
        near = " ".join(filter(None, (did_you_mean(code, frame.columns) for code in instrument.factors)))
        raise RiskmlError(
            f"none of the factors that {instrument.label['en']} reads is a column",
            where="frame",
            mend=near or "A factor's column has its code as name, such as strangulation.",
        )


def _item_states(frame, instrument):
    """State of each scored item: int8 array, shape (rows, items)."""
    states = factor_states(frame, instrument.factors)
    factors = dict(zip(instrument.factors, states.T, strict=True))
    states = [_item_state(frame, item, factors) for item in instrument.scored.values()]
    return np.column_stack(states)


def _item_state(frame, item, factors):
    sure, possible = np.zeros(len(frame), int), np.zeros(len(frame), int)
    for group in item.factor_groups:
        of_group = np.max([factors[code] for code in group], axis=0)  # present outranks the others
        unheard = np.any([factors[code] == UNKNOWN for code in group], axis=0)
        sure += of_group == PRESENT
        possible += (of_group == PRESENT) | unheard
    for source in item.columns:
        shown = _at_least(frame, source)
        sure, possible = sure + shown, possible + shown
    state = np.full(len(frame), UNKNOWN, np.int8)
    if item.factor_groups:  # only a person's words deny: a column that is silent or small does not
        state[possible < item.at_least] = DENIED
    state[sure >= item.at_least] = PRESENT
    return state


def _at_least(frame, source):
    if source.column not in frame.columns:
        return np.zeros(len(frame), int)
    values = frame[source.column]
    if not pd.api.types.is_numeric_dtype(values):
        raise RiskmlError(f'column "{source.column}" holds words, not numbers', where="frame")
    return values.ge(source.at_least).fillna(False).to_numpy(int)


def _bands(scores, present, instrument, outside):
    """Name of the highest band that a score, or the items present, reach."""
    names = np.full(len(scores), instrument.bands[0].name, dtype=object)
    places = {name: i for i, name in enumerate(instrument.scored)}
    for band in instrument.bands[1:]:
        met = np.zeros(len(scores), bool) if band.from_score is None else scores >= band.from_score
        for rule in band.when:
            met |= present[:, [places[item] for item in rule.items]].sum(axis=1) >= rule.at_least
        names[met] = band.name
    return np.where(outside, None, names)


def in_words(row, instrument, language="es"):
    """One row of `score` as an analyst reads it: the proxy's name, bounds, what is unobserved, the bands.

    Parameters
    ----------
    row : Series or mapping    a row of what `score` gave
    instrument : Instrument, path or name
    language : str             es or en

    Returns
    -------
    str
    """
    instrument = instrument if isinstance(instrument, Instrument) else load_instrument(instrument)
    check_language(language)
    name = instrument.label[language]
    if row["applicable"] is not pd.NA and not row["applicable"]:
        return message("instruments.not_applicable", language, name=name)
    labels = {band.name: band.label[language] for band in instrument.bands}
    bands = list(dict.fromkeys([labels[row["band_low"]], labels[row["band_high"]]]))
    bounds = f"{row['low']:g}"
    if row["low"] != row["high"]:
        bounds = message("instruments.between", language, low=bounds, high=f"{row['high']:g}")
    words = message(
        "instruments.score",
        language,
        name=name,
        bounds=bounds,
        most=instrument.range[1],
        bands=message("instruments.to", language).join(bands),
        unobserved=int(row["unobserved"]),
        items=int(row["observed"] + row["unobserved"]),
    )
    if row["applicable"] is pd.NA:
        words += message("instruments.relationship_unknown", language)
    return words
