"""The second opinions of one moment: what scoring gives, and what explanations and reports read."""

from dataclasses import dataclass, field
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd

from riskml.explain.reasons import COLUMNS, reasons_of
from riskml.explain.shap_values import shap_values
from riskml.explain.wording import EARLIER_DAYS
from riskml.features.matrix import build_features
from riskml.messages import message
from riskml.models.levels import LevelRules
from riskml.registry.history import History
from riskml.scoring.abstention import QUESTIONS
from riskml.scoring.silence import STOOD
from riskml.vocabulary import ABSTAINED, LEVELS

__all__ = ["Opinion"]


@dataclass(frozen=True, eq=False)
class Opinion:
    """Second opinions on all open cases at one moment. It suggests; analysts assign.

    Attributes
    ----------
    as_of : Timestamp          the moment that is judged, on the registry's visible timeline
    history : History          what was read
    models : dict of name -> Model
    rules : LevelRules         how the levels are suggested
    cases : DataFrame, index case_id, in order of rank
        rank (1 first); suggested_level (of LEVELS, or "insufficient_data"); level_today (by the rules on what
        is recorded, before silence and what is unknown are judged); level_before_silence (which the passing
        of days cannot lower: see `riskml.scoring.silence`) and before_silence_at (the record that it goes
        back to); recorded_at (of the last record); and for each model <model>_risk
        (calibrated), <model>_low, <model>_high (95 % interval of the share of
        similar cases with the outcome), <model>_n, <model>_events (on which it rests), <model>_standing
        (share of the assessments that the model was judged on with a lower risk); for each lethal model
        <model>_relative, <model>_low, <model>_high (times the registry's average; missing where it does not
        apply) and <model>_unknown (its factors that nobody mentioned)
    because : dict of case_id -> LevelRule or None    the rule that the level of today comes from
    matrix : DataFrame, index (case_id, as_of), in the order of `cases`    the features
    patterns : dict of case_id -> list    approved critical patterns that match, or hang on one answer: see
        `riskml.scoring.patterns`; empty until some are approved
    cautions : dict of case_id -> list of Caution
    questions : DataFrame      of the cases without a level, what would settle it: see
        `riskml.scoring.abstention`; `explain` gives any case's questions
    stood : DataFrame          the latest record at which each case had each level: case_id, level, at
    relatives : dict of name -> LethalBundle    what gives relative risk beside them, and no level
    """

    as_of: pd.Timestamp
    history: History
    models: dict
    rules: LevelRules
    cases: pd.DataFrame
    because: dict
    matrix: pd.DataFrame
    patterns: dict
    cautions: dict
    questions: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(QUESTIONS)))
    stood: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(STOOD)))
    relatives: dict = field(default_factory=dict)

    @property
    def history_hash(self):
        """Content hash of the history, str."""
        return self.history.hash

    @property
    def catalogue(self):
        """The catalogue that all models were trained with."""
        return next(iter(self.models.values())).catalogue

    @property
    def versions(self):
        """Version of each model that predicts a risk: dict of name -> str."""
        return {name: model.version for name, model in self.models.items()}

    @cached_property
    def shap(self):
        """SHAP values of each model: dict of name -> ShapValues, rows in the order of `cases`."""
        return {name: shap_values(model, self.matrix) for name, model in self.models.items()}

    @cached_property
    def earlier(self):
        """The features EARLIER_DAYS before the assessment, rows in the order of `cases`."""
        then = self.as_of - pd.Timedelta(days=EARLIER_DAYS)
        cohort = pd.DataFrame({"case_id": self.cases.index.to_numpy(), "as_of": then})
        return build_features(self.history, cohort, self.catalogue)

    @cached_property
    def registered_earlier(self):
        """Whether each case was in the registry then: bool array, in the order of `cases`."""
        cases = self.history.table("cases").select(["case_id", "occurred_at", "recorded_at"]).to_pandas()
        first = (
            cases[["occurred_at", "recorded_at"]].max(axis=1, skipna=False).groupby(cases["case_id"]).min()
        )
        then = self.as_of - pd.Timedelta(days=EARLIER_DAYS)
        return (first.reindex(self.cases.index) <= then).to_numpy()

    @cached_property
    def reasons(self):
        """The reasons of every case and model: DataFrame, see `riskml.explain.reasons.reasons_of`."""
        found = [
            reasons_of(
                name, self.catalogue, explained.values, self.matrix, self.earlier, self.registered_earlier
            )
            for name, explained in self.shap.items()
        ]
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS))

    def level_counts(self):
        """How many cases each level is suggested for: dict of level -> int, from critical to low; then of how
        many too little is known, under "insufficient_data"."""
        counts = self.cases["suggested_level"].value_counts()
        return {level: int(counts.get(level, 0)) for level in (*reversed(LEVELS), ABSTAINED)}

    @property
    def held(self):
        """The cases whose level is held against silence: list of case_id."""
        today, then = (self.cases[name].map(LEVELS.index) for name in ("level_today", "level_before_silence"))
        return self.cases.index[then > today].to_list()

    def text(self, language="es"):
        """A few lines: how many cases, which levels, which models."""
        counts = ", ".join(
            f"{message(f'levels.level_{level}', language).lower()} {count:,}"
            for level, count in self.level_counts().items()
        )
        versions = self.versions | {name: model.version for name, model in self.relatives.items()}
        models = ", ".join(f"{name} {version}" for name, version in versions.items())
        held = [message("scoring.held", language, count=len(self.held))] if self.held else []
        return "\n".join(
            [
                message("scoring.as_of_text", language, date=f"{self.as_of:%Y-%m-%d}", count=len(self.cases)),
                message("scoring.level_counts", language, counts=counts),
                *held,
                message(
                    "scoring.models_text", language, models=models, history=self.history_hash[:12] or "-"
                ),
            ]
        )

    def __repr__(self):
        return f"Opinion(as_of={self.as_of:%Y-%m-%d}, cases={len(self.cases)}, models={list(self.models)})"

    def _repr_html_(self):
        shown = self.cases.head(20).select_dtypes(exclude=[np.datetime64])
        return f"<p>{escape(self.text())}</p>{shown.to_html(float_format='{:.3f}'.format)}"
