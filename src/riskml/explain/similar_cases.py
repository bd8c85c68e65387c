"""What became of similar earlier cases: n of N with the outcome, by risk and by profile.

Scoring and explaining read no outcomes: what is told here was counted in training, on people and times that
the model was not learnt from, and is kept in its bundle as groups.
"""

import pandas as pd

from riskml.explain.dimensions import by_dimension
from riskml.explain.frequency import is_lethal, natural_frequency
from riskml.messages import message
from riskml.models.profiles import nearest_profile

__all__ = ["COLUMNS", "similar_cases", "similar_lines"]

COLUMNS = ("model", "by", "events", "n", "people", "low", "high", "raised", "lowered")
APART = 0.1  # log-odds from the average: nearer, a dimension is not worth a word


def similar_cases(model, risk, values):
    """Groups of earlier assessments that are similar to a case.

    Parameters
    ----------
    model : Model
    risk : float        the case's calibrated risk
    values : DataFrame, 1 row    its SHAP values

    Returns
    -------
    DataFrame of COLUMNS    by "risk", and by "profile" where the bundle keeps profiles: events of n
        assessments of so many people, exact 95 % interval of the share (clustered by person); raised and
        lowered: the dimensions by which the group of that profile departs from the average. Empty for a
        lethal outcome: no frequency of it is shown for one case
    """
    if is_lethal(model):
        return pd.DataFrame(columns=list(COLUMNS))
    group = model.interval(risk=[risk]).iloc[0]
    counts = ("events", "people", "low", "high")
    rows = [{"model": model.name, "by": "risk", "n": group["size"], **{k: group[k] for k in counts}}]
    profile = nearest_profile(model.reference.get("profiles"), by_dimension(values, model.catalogue).iloc[0])
    if profile:
        apart = {d: profile["centre"][d] - profile["mean"][d] for d in profile["centre"]}
        ordered = sorted(apart, key=lambda d: -abs(apart[d]))
        directions = {
            "raised": tuple(d for d in ordered if apart[d] >= APART),
            "lowered": tuple(d for d in ordered if apart[d] <= -APART),
        }
        own = {"n": profile["size"], **{k: profile[k] for k in counts}, **directions}
        rows.append({"model": model.name, "by": "profile", **own})
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"events": int, "n": int, "people": int})


def similar_lines(found, models, language="es"):
    """Similar earlier cases in sentences: list of str.

    Parameters
    ----------
    found : DataFrame of COLUMNS, of all models
    models : dict of name -> (label, Model)
    language : str
    """
    lines = []
    for name, (label, model) in models.items():
        if is_lethal(model):
            lines.append(message("explain.similar_lethal", language, label=label))
        for row in found[found["model"] == name].itertuples():
            low, high, base = natural_frequency(row.low, row.high)
            said = {
                "label": label,
                "events": f"{row.events:,}",
                "n": f"{row.n:,}",
                "people": f"{row.people:,}",
                "low": low,
                "high": high,
                "base": f"{base:,}",
            }
            if row.by == "profile":
                said["profile"] = _profile_words(row, language)
            lines.append(message(f"explain.similar_by_{row.by}", language, **said))
    return [*lines, message("explain.similar_caution", language)]


def _profile_words(row, language):
    words = [
        message(f"explain.profile_{way}", language, dimension=message(f"reasons.dimension_{d}", language))
        for way, dimensions in (("up", row.raised), ("down", row.lowered))
        for d in dimensions
    ]
    return "; ".join(words) or message("explain.profile_flat", language)
