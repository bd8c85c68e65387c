"""What has to be known when a second opinion is read: of the run, and of each case."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from riskml.explain.wording import code_words, factor_label
from riskml.messages import LANGUAGES, message
from riskml.vocabulary import LEVELS

__all__ = [
    "MOST_QUESTIONS",
    "Caution",
    "case_cautions",
    "known_factors",
    "last_recorded",
    "run_cautions",
    "state_columns",
]

MOST_QUESTIONS = 3
_DRIFT = 1.5  # times the mean risk of the assessments that the model was judged on, or less than 1 / of it
_RECORDS = (
    "cases",
    "incidents",
    "factors",
    "proceedings",
)  # what tells of the case, not what was done about it


@dataclass(frozen=True)
class Caution:
    """One caution: its code, and what stands in its sentence."""

    code: str
    fields: dict = field(default_factory=dict, hash=False)

    def text(self, language="es"):
        """The sentence, str."""
        words = {
            name: f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value
            for name, value in self.fields.items()
        }
        if "level" in words:
            words["level"] = message(f"levels.level_{words['level']}", language).lower()
        if "relationship" in words:
            words["relationship"] = code_words(words["relationship"], language)
        for name in ("factors", "pattern"):
            if name in words:
                words[name] = ", ".join(label[language] for label in words[name])
        if "rule" in words:
            kind, name = words["rule"]
            words["rule"] = message(f"scoring.rule_of_{kind}", language, **{kind: name})
        return message(f"scoring.{self.code}", language, **words)


def state_columns(catalogue):
    """The columns that say of one factor whether it is present or denied: tuple of FeatureColumn."""
    return tuple(
        c
        for c in catalogue.columns
        if c.feature.table == "factors" and c.feature.column == "state" and c.feature.aggregate == "latest"
    )


def known_factors(catalogue, matrix):
    """How many factors are known (present or denied) of each case, int array; and of how many."""
    names = [c.name for c in state_columns(catalogue)]
    return matrix[names].notna().sum(axis=1).to_numpy(), len(names)


def last_recorded(history, cases, as_of):
    """When something was last recorded of each case; what was done about it does not count.

    Parameters
    ----------
    history : History
    cases : array of case_id
    as_of : Timestamp    later records do not count

    Returns
    -------
    datetime64 array, shape (cases,)    on the visible timeline
    """
    latest = pd.Series(np.datetime64("NaT", "us"), index=pd.Index(cases, name="case_id"))
    for name in _RECORDS:
        if name not in history.tables:
            continue
        facts = history.table(name).select(["case_id", "occurred_at", "recorded_at"]).to_pandas()
        visible = facts[["occurred_at", "recorded_at"]].max(axis=1, skipna=False)
        seen = visible[visible <= as_of].groupby(facts["case_id"]).max()
        latest = pd.concat([latest, seen.reindex(latest.index)], axis=1).max(axis=1)
    return latest.to_numpy(dtype="datetime64[us]")


def run_cautions(models, history, as_of, left_out, risks, *, approved, limits):
    """The cautions that hold for every case of a run: list of Caution.

    Parameters
    ----------
    models : dict of name -> Model
    history : History
    as_of : Timestamp
    left_out : list of LevelRule     rules that could not be judged
    risks : dict of model -> float array
    approved : bool                  whether any critical pattern is approved
    limits : CautionLimits
    """
    found = [Caution("synthetic")] if history.manifest.get("synthetic") else []
    found += [] if approved else [Caution("no_patterns")]
    until = history.observed_until
    days = (as_of - until).days if until is not pd.NaT else 0
    if days > limits.stale_days:
        found.append(Caution("stale_history", {"date": until, "count": days}))
    for name, model in models.items():
        codes = {note.get("code") for note in model.report.get("notes", ())}
        if "not_prospective" in codes:
            found.append(Caution("not_prospective", {"model": name}))
        trained_until = _last_learnt(model)
        if trained_until is not None and as_of < trained_until:
            found.append(Caution("later_knowledge", {"model": name}))
        usual = model.reference.get("mean_risk")
        if usual and len(risks[name]):
            times = float(np.mean(risks[name])) / usual
            if not 1 / _DRIFT <= times <= _DRIFT:
                found.append(Caution("drift", {"model": name, "times": f"{times:.1f}"}))
    named = dict.fromkeys(_left_out(rule, models) for rule in left_out)
    return found + [Caution("rule_left_out", {"rule": rule}) for rule in named]


def _left_out(rule, models):
    """What a rule that could not be judged lacks, and whose it is."""
    if rule.kind == "pattern":
        return "pattern", rule.pattern
    if rule.model is None:
        return "column", rule.column
    return ("capacity" if rule.model in models else "model"), rule.model


def _last_learnt(model):
    """The last assessment that the model was learnt or calibrated on: Timestamp, or None."""
    windows = model.report.get("split", {}).get("windows", ())
    ends = [pd.Timestamp(w["last"]) for w in windows if w["window"] != "evaluate" and w.get("last")]
    return max(ends) if ends else None


def case_cautions(models, catalogue, matrix, recorded, levels, as_of, *, questions=(), patterns=None, limits):
    """The cautions of each case: list, in the matrix's order, of lists of Caution.

    Parameters
    ----------
    models : dict of name -> Model
    catalogue : Catalogue
    matrix : DataFrame, n rows
    recorded : datetime64 array, (n,)    of `last_recorded`
    levels : DataFrame, n rows           of `before_silence`, and `today`: the level by the rules
    as_of : Timestamp
    questions : DataFrame or ()          of `deciding_questions`: of the cases without a level
    patterns : dict or None              of `case_patterns`
    limits : CautionLimits
    """
    found = [[] for _ in range(len(matrix))]
    ids = matrix.index.get_level_values("case_id")
    for case, asked in questions.groupby("case_id", sort=False) if len(questions) else ():
        labels = [_factor_label(catalogue, code) for code in asked["factor"].head(MOST_QUESTIONS)]
        fields = {"factors": labels, "level": asked["level_if_present"].iloc[0]}
        found[ids.get_loc(case)].append(Caution("insufficient_data", fields))
    for row, case in enumerate(ids) if patterns else ():
        for pattern in patterns[case]:
            if pattern["state"] == "undetermined":
                labels = [_factor_label(catalogue, code) for code in pattern["deciding"]]
                fields = {"pattern": [pattern["label"]], "factors": labels}
                found[row].append(Caution("pattern_undetermined", fields))
    known, total = known_factors(catalogue, matrix)
    if total:
        for row in np.flatnonzero(known < limits.few_known_factors):
            found[row].append(Caution("few_known_factors", {"count": int(known[row]), "total": total}))
    if "incidents_ever" in matrix.columns:
        for row in np.flatnonzero(matrix["incidents_ever"].to_numpy() == 1):
            found[row].append(Caution("single_record"))
    _relationships(models, matrix, found)
    quiet = (np.datetime64(as_of) - recorded) // np.timedelta64(1, "D")
    today, held = (levels[side].map(LEVELS.index).to_numpy() for side in ("today", "level"))
    for row in np.flatnonzero(quiet > limits.quiet_days):
        found[row].append(Caution("quiet", {"count": int(quiet[row])}))
    for row in np.flatnonzero(held > today):
        fields = {"date": levels["at"].iloc[row], "level": LEVELS[held[row]]}
        found[row].append(Caution("level_held", fields))
    return found


def _factor_label(catalogue, code):
    """A factor's words: dict of language -> str."""
    return {language: factor_label(catalogue, code, language) for language in LANGUAGES}


def _relationships(models, matrix, found):
    """Add what is to be said of relationships that a model hardly knows, or that nobody recorded."""
    if "relationship" not in matrix.columns:
        return
    values = matrix["relationship"]
    for row in np.flatnonzero(values.isna().to_numpy()):
        found[row].append(Caution("relationship_unknown"))
    for name, model in models.items():
        frequent = {c.value for c in model.encoding.columns if c.source == "relationship" and c.rule == "is"}
        if not frequent:
            continue
        unseen = values.notna() & ~values.isin(frequent)
        for row in np.flatnonzero(unseen.to_numpy()):
            words = {"relationship": values.iloc[row], "model": name}
            found[row].append(Caution("relationship_unseen", words))
