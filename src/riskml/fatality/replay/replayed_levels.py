"""What versions of models would have suggested at past moments, by the rules that scoring goes by.

A level of the replay at a moment is the level that `riskml.scoring.score` gives the case on a history taken
at that moment: the rules on what was recorded, silence held, and no level where too little is known.
Many moments of many cases are judged together, on the surroundings of those cases alone.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskml.features.matrix import build_features
from riskml.models.lethal_bundle import LethalBundle
from riskml.scoring.abstention import lifting_answers
from riskml.scoring.relative import RELATIVE, relative_columns
from riskml.scoring.silence import before_silence, higher_level, records_of
from riskml.vocabulary import ABSTAINED, duration

__all__ = ["Opinions", "learnt_until", "opinions_of", "suggested_levels", "version_name"]

_DAY = duration("1d")


def version_name(model):
    """A version as people write it: NAME@VERSION, str."""
    return f"{model.name}@{model.version}"


def learnt_until(model):
    """Until when the data reach that a version learnt from: what it says of earlier moments proves nothing.

    Of a model of windows, the last assessment that it was learnt, tuned or calibrated on, and on top of it
    the follow-up of that assessment (horizon and reporting lag). Its thresholds rest on how its risks were
    spread in the window that judged it, which no outcome entered. Of a lethal one, the end of its history.

    Returns
    -------
    Timestamp, or None    the bundle does not say: then nothing that it says of the past is honest
    """
    if isinstance(model, LethalBundle):
        observed = (model.card.get("history") or {}).get("observed_until")
        return pd.Timestamp(observed) if observed else None
    split = model.report.get("split") or {}
    ends = [w["last"] for w in split.get("windows", ()) if w["window"] != "evaluate" and w.get("last")]
    if not ends:
        return None
    outcome = model.card.get("outcome") or {}
    after = [outcome[name] for name in ("horizon", "reporting_lag") if outcome.get(name)]
    follow_up = sum(duration(text) for text in after) / _DAY
    gap = split.get("gap_days") or follow_up
    return max(map(pd.Timestamp, ends)) + pd.Timedelta(days=float(gap))


@dataclass(frozen=True)
class Opinions:
    """Versions that are asked together for one level.

    Attributes
    ----------
    name : str                  of its versions, joined by " + "
    models : dict of name -> Model
    until : Timestamp or None   the latest `learnt_until` of them; None: one of them does not say
    """

    name: str
    models: dict
    until: pd.Timestamp | None

    @classmethod
    def of(cls, models):
        """Some models of different names, asked together."""
        ends = [learnt_until(m) for m in models]
        until = None if None in ends else max(ends)
        return cls(" + ".join(map(version_name, models)), {m.name: m for m in models}, until)

    @property
    def catalogue(self):
        """The catalogue that they were trained with."""
        return next(iter(self.models.values())).catalogue


def opinions_of(models, catalogue):
    """Every version alone, and the last given of each name together, as scoring would ask them.

    Parameters
    ----------
    models : list of Model    of a name, the one that counts today last; each with its catalogue
    catalogue : Catalogue     the workspace's: versions that were trained with it may be asked together

    Returns
    -------
    list of Opinions    those together first, where there are two or more
    """
    alone = [Opinions.of([model]) for model in models]
    latest = {model.name: model for model in models}
    together = [m for m in latest.values() if m.catalogue.hash == catalogue.hash]
    return [Opinions.of(together), *alone] if len(together) > 1 else alone


def suggested_levels(history, cohort, opinions, relatives, rules, *, step=lambda: None):
    """The levels that versions would have suggested at past moments.

    Parameters
    ----------
    history : History          the surroundings of the cases: `riskml.features.surroundings`
    cohort : DataFrame of case_id, as_of    moments at which the case was visible and open, each once
    opinions : list of Opinions
    relatives : list of LethalBundle
    rules : LevelRules
    step : callable            called after each of `opinions` and each catalogue

    Returns
    -------
    levels : dict of name of opinion -> str array, shape (n,)    of LEVELS, or "insufficient_data"
    relative : dict of version name -> DataFrame of RELATIVE, n rows    times the registry's average
    """
    levels = {o.name: np.empty(0, dtype=str) for o in opinions}
    if not len(cohort):
        empty = pd.DataFrame(columns=list(RELATIVE), dtype=float)
        return levels, {version_name(m): empty for m in relatives}
    cohort = cohort[["case_id", "as_of"]].reset_index(drop=True)
    records = records_of(history, cohort["case_id"].unique(), cohort["as_of"].max())
    both = pd.concat([cohort, records], ignore_index=True)
    relative = {}
    catalogues = {m.catalogue.hash: m.catalogue for m in [*opinions, *relatives]}
    for content, catalogue in catalogues.items():
        matrix = build_features(history, both, catalogue)
        step()
        of_today = matrix.iloc[: len(cohort)]
        for model in [m for m in relatives if m.catalogue.hash == content]:
            columns = relative_columns({"": model}, of_today)
            relative[version_name(model)] = pd.DataFrame({what: columns[f"_{what}"] for what in RELATIVE})
        for asked in [o for o in opinions if o.catalogue.hash == content]:
            levels[asked.name] = _suggested(history, cohort, records, matrix, asked, rules.on(catalogue))
            step()
    return levels, relative


def _suggested(history, cohort, records, matrix, asked, rules):
    """The level at each moment, as `score` comes to it: str array, shape (moments,)."""
    thresholds = rules.thresholds(asked.models)

    def judge(features):
        """The level that the rules give each row of some features."""
        risks = {name: model.predict(features) for name, model in asked.models.items()}
        return rules.suggest(risks, thresholds, features)[0]

    every = judge(matrix)
    today, then = every[: len(cohort)], every[len(cohort) :]
    judged = records.assign(level=then)
    before, _ = before_silence(history, cohort, today, judged, judge, asked.catalogue)
    reached = higher_level(today, before["level"])
    moments = matrix.iloc[: len(cohort)]
    found = lifting_answers(history, moments, reached, asked.models, rules, asked.catalogue, judge)
    return np.where(np.isin(np.arange(len(cohort)), found["row"].to_numpy(int)), ABSTAINED, reached)
