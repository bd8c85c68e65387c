"""From trained models and a history to second opinions on every open case. No label code is reached."""

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.features.matrix import build_features
from riskml.models.levels import default_levels
from riskml.registry.history import History
from riskml.scoring.abstention import deciding_questions
from riskml.scoring.cautions import case_cautions, last_recorded, run_cautions
from riskml.scoring.opinion import Opinion
from riskml.scoring.patterns import case_patterns
from riskml.scoring.relative import parted, relative_columns
from riskml.scoring.silence import before_silence, higher_level, records_of
from riskml.vocabulary import ABSTAINED, LEVELS, moment_of

__all__ = ["check_catalogues", "named_models", "no_open_case", "score"]

_AT_ONCE = 1_000_000  # assessments whose features are in memory at a time


def score(model, history, as_of, *, levels=None, catalogue=None, build=build_features):
    """Second opinions on all cases that are visible and open at a moment.

    Parameters
    ----------
    model : Model, or list of Model    trained with one catalogue; a LethalBundle may stand beside them: its
        relative risk suggests no level and orders nothing
    history : History, folder of Parquet files, or dict of tables
    as_of : date, datetime or str      the moment of assessment, in the registry's local time
    levels : LevelRules or None        how levels are suggested; None: the rules that riskml is shipped with
    catalogue : Catalogue or None      the workspace's: a model that was trained with another is refused
    build : callable                   what builds features of (history, cohort, catalogue)

    Returns
    -------
    Opinion

    Raises
    ------
    RiskmlError    no open case at that moment, not a moment, two models of one name, a model without
    catalogue,
        or trained with another catalogue than the workspace's or the other models'

    Notes
    -----
    Only what was visible at `as_of` is read, on both clocks; outcomes are never read.
    """
    every = named_models(model)
    models, relatives = parted(every)
    history, moment = History.of(history), moment_of(as_of)
    check_catalogues(every, catalogue)
    catalogue = next(iter(models.values())).catalogue
    rules = (default_levels() if levels is None else levels).on(catalogue)
    cohort = history.open_cases(moment)
    if not len(cohort):
        raise no_open_case(history, moment)
    ids = cohort["case_id"].to_numpy()
    records = records_of(history, ids, moment)
    # One pass for the assessments and for the days on which something was recorded, where memory holds it.
    both = pd.concat([cohort, records], ignore_index=True)
    first = build(history, both.iloc[: max(len(ids), _AT_ONCE)], catalogue)
    matrix = first.iloc[: len(ids)]
    thresholds = rules.thresholds(models)

    def judge(features):
        """The level that the rules give each row of some features."""
        return rules.suggest({name: m.predict(features) for name, m in models.items()}, thresholds, features)[
            0
        ]

    risks = {name: m.predict(matrix) for name, m in models.items()}
    today, rule = rules.suggest(risks, thresholds, matrix)
    recorded = last_recorded(history, ids, moment)
    pieces = [both.iloc[start : start + _AT_ONCE] for start in range(len(first), len(both), _AT_ONCE)]
    then = [judge(first.iloc[len(ids) :]), *(judge(build(history, piece, catalogue)) for piece in pieces)]
    records["level"] = np.concatenate(then)
    before, stood = before_silence(history, cohort, today, records, judge, catalogue)
    reached = higher_level(today, before["level"])
    questions = deciding_questions(history, matrix, reached, models, rules, catalogue, judge)
    level = np.where(np.isin(ids, questions["case_id"].to_numpy()), ABSTAINED, reached)
    levels = {
        "suggested_level": level,
        "level_today": today,
        "level_before_silence": before["level"].to_numpy(),
        "before_silence_at": before["at"].to_numpy(),
        "recorded_at": recorded,
    }
    cases = _cases(ids, models, risks, levels).assign(**relative_columns(relatives, matrix))
    order = _order(cases, models, rules)
    patterns = case_patterns(rules.patterns, matrix)
    general = run_cautions(
        models,
        history,
        moment,
        rules.left_out(thresholds, matrix.columns),
        risks,
        approved=bool(rules.patterns.approved),
        limits=rules.cautions,
    )
    own = case_cautions(
        models,
        catalogue,
        matrix,
        recorded,
        before.assign(today=today),
        moment,
        questions=questions,
        patterns=patterns,
        limits=rules.cautions,
    )
    ranked = cases.iloc[order].assign(rank=np.arange(1, len(cases) + 1))
    return Opinion(
        moment,
        history,
        models,
        rules,
        ranked[["rank", *(c for c in ranked.columns if c != "rank")]],
        dict(zip(ids, rule, strict=True)),
        matrix.iloc[order],
        patterns,
        {case: found + general for case, found in zip(ids, own, strict=True)},
        questions,
        stood,
        relatives,
    )


def no_open_case(history, moment):
    """What is said where no case is open at a moment: RiskmlError, to be raised."""
    return RiskmlError(
        f"no case is open on {moment:%Y-%m-%d}",
        where="as_of",
        mend=f"The history was observed until {history.observed_until:%Y-%m-%d}: choose a day within it."
        if history.observed_until is not pd.NaT
        else "The history is empty.",
    )


def named_models(model):
    """One model or several by name: dict of name -> Model; RiskmlError for none, or two of one name."""
    models = list(model) if isinstance(model, list | tuple) else [model]
    named = {m.name: m for m in models}
    if not models:
        raise RiskmlError("no model to score with", where="model", mend="`riskml train repeat` trains one.")
    if len(named) < len(models):
        raise RiskmlError("two models of one name", where="model", mend="Give one version of each model.")
    return named


def check_catalogues(models, catalogue=None):
    """Refuse models whose features are not those of the workspace, or of each other.

    Parameters
    ----------
    models : dict of name -> Model
    catalogue : Catalogue or None    the workspace's; None: the models' own have to agree

    Raises
    ------
    RiskmlError    names the features that differ
    """
    for name, model in models.items():
        if model.catalogue is None:
            raise RiskmlError(
                f'model "{name}" was trained on a frame, not on a history: it has no catalogue',
                where="model",
                mend="Use its predict on such a frame, or train a model file with `riskml train`.",
            )
        catalogue = catalogue or model.catalogue
        if model.catalogue.hash != catalogue.hash:
            raise RiskmlError(
                f'model "{name}" ({model.version}) was trained with another catalogue: '
                f"{_difference(model.catalogue, catalogue)}",
                where="features/",
                mend=f"Train it again with `riskml train {name}`, or restore its definitions.",
            )


def _difference(trained, current):
    """Which features differ between two catalogues, in words."""
    old, new = ({f.name: f.definition() for f in c.features} for c in (trained, current))
    parts = {
        "removed since": [name for name in old if name not in new],
        "added since": [name for name in new if name not in old],
        "changed since": [name for name in old if name in new and old[name] != new[name]],
    }
    said = []
    for words, names in parts.items():
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            said.append(f"{words}: {', '.join(names[:5])}{more}")
    return "; ".join(said)


def _cases(ids, models, risks, columns):
    """One row per case, in the cohort's order: the columns that are given, and each model's."""
    for name, model in models.items():
        similar = model.interval(risk=risks[name]).reset_index(drop=True)
        columns |= {
            f"{name}_risk": risks[name],
            f"{name}_low": similar["low"].to_numpy(),
            f"{name}_high": similar["high"].to_numpy(),
            f"{name}_n": similar["size"].to_numpy(),
            f"{name}_events": similar["events"].to_numpy(),
            f"{name}_standing": _standing(model, risks[name]),
        }
    return pd.DataFrame(columns, index=pd.Index(ids, name="case_id"))


def _standing(model, risk):
    """Share of the assessments that the model was judged on whose risk is lower."""
    quantiles = np.asarray(model.reference.get("quantiles") or [0.0, 1.0], dtype=float)
    return np.interp(risk, quantiles, np.linspace(0, 1, len(quantiles)))


def _order(cases, models, rules):
    """Positions from the highest level to the lowest, and within a level by the highest standing.

    Cases without a level stand right below those whose level stands whatever is unknown: an answer could lift
    them there.
    """
    places = dict(zip(LEVELS, range(len(LEVELS)), strict=True))
    places[ABSTAINED] = places[rules.abstention.stands_from] - 0.5
    level = cases["suggested_level"].map(places).to_numpy(dtype=float)
    standing = cases[[f"{name}_standing" for name in models]].to_numpy()
    # The models are not averaged: the one by which the case stands highest decides, then the other.
    keys = np.sort(standing, axis=1)
    return np.lexsort((cases.index.to_numpy().astype(str), *(-keys).T, -level))
