"""One case explained: the reasons in words, the numbers behind them, and what would change them."""

import base64
import io
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

import pandas as pd

from riskml.errors import RiskmlError
from riskml.explain.frequency import risk_words
from riskml.explain.reasons import EXPOSURE, LOWERS, RAISES, SHOWN_UNDER, reasons_of
from riskml.explain.relative_words import relative_sections
from riskml.explain.shap_values import shap_values
from riskml.explain.similar_cases import similar_cases, similar_lines
from riskml.explain.what_if import what_would_change
from riskml.explain.wording import EARLIER_DAYS, factor_label, value_words
from riskml.features.matrix import build_features
from riskml.features.surroundings import case_surroundings
from riskml.messages import check_language, message
from riskml.vocabulary import ABSTAINED, LEVELS

__all__ = ["CaseExplanation", "because_words", "explain"]

_MOST_QUESTIONS = 3
_MOST_CHANGES = 5
_ORDER = ("acts", "aggressor", "victim")


@dataclass(frozen=True, eq=False)
class CaseExplanation:
    """A second opinion on one case, explained. Printed, it is a page; in a notebook, a small report.

    Attributes
    ----------
    case_id : str
    as_of : Timestamp
    language : str
    sections : tuple of (heading, lines)    the explanation in words; a line may be a list of lines below it
    reasons : DataFrame      see `riskml.explain.reasons.reasons_of`
    shap : DataFrame         model, feature, label, dimension, value, contribution (log-odds), largest first
    questions : DataFrame    see `riskml.explain.what_if.what_would_change`
    changes : DataFrame      see `riskml.explain.what_if.what_would_change`
    cautions : tuple of str
    smallest : DataFrame     see `riskml.explain.smallest_change.smallest_changes`
    similar : DataFrame      see `riskml.explain.similar_cases.similar_cases`
    drawn : dict             model -> what its waterfall is drawn from
    """

    case_id: str
    as_of: pd.Timestamp
    language: str
    sections: tuple
    reasons: pd.DataFrame
    shap: pd.DataFrame
    questions: pd.DataFrame
    changes: pd.DataFrame
    cautions: tuple
    smallest: pd.DataFrame
    similar: pd.DataFrame
    drawn: dict = field(repr=False)

    @cached_property
    def figures(self):
        """The waterfall of each model, by dimension: dict of name -> matplotlib Figure, drawn when asked."""
        from riskml.explain.figures import waterfall_bars, waterfall_figure

        figures = {}
        for name, (model, explained, row) in self.drawn.items():
            bars = waterfall_bars(explained.values.iloc[0], row, model.catalogue, self.language)
            figures[name] = waterfall_figure(model, bars, explained.base, self.language)
        return figures

    @property
    def text(self):
        """The explanation as plain text."""
        parts = []
        for heading, lines in self.sections:
            parts.append(heading)
            for line in lines:
                if isinstance(line, str):
                    parts.append(f"  {line}")
                else:
                    parts.append(f"  {line[0]}")
                    parts += [f"    - {item}" for item in line[1]]
            parts.append("")
        return "\n".join(parts).rstrip()

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        html = []
        for level, (heading, lines) in enumerate(self.sections):
            tag = "h3" if level == 0 else "h4"
            html.append(f"<{tag}>{escape(heading)}</{tag}>")
            for line in lines:
                if isinstance(line, str):
                    html.append(f"<p>{escape(line)}</p>")
                else:
                    items = "".join(f"<li>{escape(item)}</li>" for item in line[1])
                    html.append(f"<p><b>{escape(line[0])}</b></p><ul>{items}</ul>")
        html += [self._image(figure) for figure in self.figures.values()]
        return f'<div class="riskml-explanation">{"".join(html)}</div>'

    def _image(self, figure):
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=90)
        data = base64.b64encode(drawn.getvalue()).decode("ascii")
        alt = escape(message("explain.figure_alt", self.language), quote=True)
        return f'<img src="data:image/png;base64,{data}" alt="{alt}" style="max-width: 100%">'


def because_words(opinion, case_id, language="es"):
    """Why a level is suggested, or none, in words: the rule that is met, silence, or what is unknown."""
    row = opinion.cases.loc[case_id]
    if row["suggested_level"] == ABSTAINED:
        asked = opinion.questions[opinion.questions["case_id"] == case_id].iloc[0]
        return message(
            "levels.because_abstained",
            language,
            reached=_level_words(_reached(opinion, case_id), language),
            factor=factor_label(opinion.catalogue, asked["factor"], language),
            level=_level_words(asked["level_if_present"], language),
        )
    if LEVELS.index(row["level_before_silence"]) > LEVELS.index(row["level_today"]):
        return message("levels.because_held", language, date=f"{row['before_silence_at']:%Y-%m-%d}")
    return _rule_words(opinion, case_id, opinion.because[case_id], language)


def _rule_words(opinion, case_id, rule, language):
    if rule is None:
        return message("levels.because_none", language)
    if rule.kind == "pattern":
        matched = [p["label"][language] for p in opinion.patterns[case_id] if p["state"] == "matched"]
        return message("levels.because_pattern", language, patterns=", ".join(matched))
    if rule.model:
        label = _model_label(opinion.models[rule.model], language)
        if rule.kind == "share":
            return message("levels.because_model", language, label=label, share=f"{100 * rule.share:g}")
        size = f"{getattr(rule, rule.kind):g}"
        key = "because_per_week" if rule.kind == "per_week" else "because_visits"
        return message(f"levels.{key}", language, label=label, count=size)
    column = opinion.catalogue.column(rule.column)
    place = opinion.cases.index.get_loc(case_id)
    value = value_words(column, opinion.matrix[rule.column].iloc[place], language)
    return message(
        "levels.because_column",
        language,
        label=column.label(language),
        value=value,
        at_least=f"{rule.at_least:g}",
    )


def _reached(opinion, case_id):
    """The level that a case reaches on what is recorded, silence held: that suggested, if one is."""
    row = opinion.cases.loc[case_id]
    return max(row["level_today"], row["level_before_silence"], key=LEVELS.index)


def _level_words(level, language):
    return message(f"levels.level_{level}", language).lower()


def _level_line(opinion, case_id, language):
    level = message(f"levels.level_{opinion.cases.loc[case_id, 'suggested_level']}", language)
    said = message("reasons.suggested_level", language, level=level)
    return f"{said} ({because_words(opinion, case_id, language)})"


def _model_label(model, language):
    return (model.card.get("label") or {}).get(language, model.name)


def _effect_words(times, language):
    if 0.95 < times < 1.05:
        return message("reasons.effect_none", language)
    if times >= 1:
        return message("reasons.effect_up", language, times=f"{times:.1f}")
    return message("reasons.effect_down", language, share=f"{100 * times:.0f}")


def _registered(history, case_id, moment):
    """Whether a case was in the registry at a moment."""
    cases = history.table("cases").select(["case_id", "occurred_at", "recorded_at"]).to_pandas()
    visible = cases[["occurred_at", "recorded_at"]].max(axis=1, skipna=False) <= moment
    return bool((visible & (cases["case_id"] == case_id)).any())


def _grouped(reasons, text):
    """Reasons under their three dimensions: [(dimension, [sentences])]."""
    shown = reasons["dimension"].map(SHOWN_UNDER)
    groups = [(dimension, reasons.loc[shown == dimension, text].to_list()) for dimension in _ORDER]
    return [(dimension, lines) for dimension, lines in groups if lines]


def _reason_sections(reasons, models, language):
    """What raises and what lowers each model's risk, by dimension; what was done about it, apart."""
    text, sections = f"text_{language}", []
    for name, model in models.items():
        own = reasons[reasons["model"] == name]
        label = _model_label(model, language)
        for direction in (RAISES, LOWERS):
            known = own[(own["direction"] == direction) & ~((direction == LOWERS) & own["silent"])]
            lines = [
                (message(f"reasons.dimension_{dimension}", language), found)
                for dimension, found in _grouped(known, text)
            ]
            silent = own.loc[(own["direction"] == LOWERS) & own["silent"], text].to_list()
            if direction == LOWERS and silent:
                lines.append((message("reasons.silence", language), silent))
            if lines:
                sections.append((f"{label}: {message(f'reasons.{direction}', language).lower()}", lines))
        done = own[own["direction"] == EXPOSURE]
        if len(done):
            goes = {up: message(f"reasons.exposure_{up}", language) for up in ("up", "down")}
            effects = [
                f"{sentence} ({goes['up' if part > 0 else 'down']})"
                for sentence, part in zip(done[text], done["contribution"], strict=True)
            ]
            heading = f"{label}: {message('reasons.exposure_heading', language).lower()}"
            sections.append((heading, effects))
    return sections


def _question_lines(questions, models, now, language):
    if not len(questions):
        return [message("reasons.questions_none", language)]
    several, lines = len(models) > 1, []
    for question in questions.head(_MOST_QUESTIONS).itertuples():
        line = message(
            "reasons.question",
            language,
            label=question.label,
            present=_effect_words(question.present, language),
            denied=_effect_words(question.denied, language),
        )
        line = f"{line} ({_model_label(models[question.model], language)})" if several else line
        for answer, level in (("present", question.level_if_present), ("denied", question.level_if_denied)):
            if level != now:
                said = message(f"reasons.level_if_{answer}", language, level=_level_words(level, language))
                line = f"{line} {said}"
        lines.append(line)
    return lines


def _change_lines(changes, models, now, language):
    lines = []
    for change in changes.to_dict(orient="records"):
        effects = [
            _effect_words(change[name], language)
            if len(models) == 1
            else f"{_model_label(model, language)}, {_effect_words(change[name], language)}"
            for name, model in models.items()
        ]
        line = message("reasons.change", language, change=change["change"], effect="; ".join(effects))
        if change["level_then"] != now:
            level = _level_words(change["level_then"], language)
            line = f"{line} {message('reasons.level_then', language, level=level)}"
        lines.append(line)
    return lines


def _smallest_lines(smallest, language):
    lines = [
        message(
            "explain.smallest_line",
            language,
            change=change.change,
            level=_level_words(change.level_then, language),
        )
        for change in smallest.head(_MOST_CHANGES).itertuples()
    ]
    if not lines:
        return [message("explain.smallest_none", language)]
    return [*lines, message("explain.smallest_caution", language)]


def _shap_frame(explained, row, catalogue, language):
    """Every column's part of every model's log-odds, the largest first."""
    frames = []
    for name, values in explained.items():
        part = values.values.iloc[0]
        columns = [catalogue.column(column) for column in part.index]
        frames.append(
            pd.DataFrame(
                {
                    "model": name,
                    "feature": part.index,
                    "label": [column.label(language) for column in columns],
                    "dimension": [column.dimension for column in columns],
                    "value": [row[column.name].iloc[0] for column in columns],
                    "contribution": part.to_numpy(),
                }
            ).astype({"value": object})
        )
    frame = pd.concat(frames, ignore_index=True)
    order = frame["contribution"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].sort_values("model", kind="stable", ignore_index=True)


def explain(opinion, case_id, language="es"):
    """Explain the second opinion on one case.

    Parameters
    ----------
    opinion : Opinion    of `riskml.score`
    case_id : str        a case of it, by its pseudonym
    language : "es" or "en"

    Returns
    -------
    CaseExplanation    `.text` in words; `.reasons`, `.shap`, `.questions`, `.changes`, `.smallest` and
        `.similar` as frames; `.figures`

    Raises
    ------
    RiskmlError    the case is not open at the opinion's moment, or the language is not spoken

    Notes
    -----
    No one's probability of being killed is shown: risks are frequencies among similar cases, with their
    interval. What was not mentioned is unknown, not denied, and silence lowers no level.
    """
    check_language(language)
    if case_id not in opinion.cases.index:
        raise RiskmlError(
            f'case "{case_id}" is not open on {opinion.as_of:%Y-%m-%d}',
            where="case_id",
            mend="Take one of `opinion.cases.index`; cases stand there under their pseudonyms.",
        )
    models, catalogue = opinion.models, opinion.catalogue
    place = opinion.cases.index.get_loc(case_id)
    matrix = opinion.matrix.iloc[[place]]
    around = case_surroundings(opinion.history, case_id)
    then = opinion.as_of - pd.Timedelta(days=EARLIER_DAYS)
    earlier = build_features(around, pd.DataFrame({"case_id": [case_id], "as_of": [then]}), catalogue)
    registered = _registered(around, case_id, then)
    explained = {name: shap_values(model, matrix) for name, model in models.items()}
    reasons = pd.concat(
        [
            reasons_of(name, catalogue, values.values, matrix, earlier, [registered])
            for name, values in explained.items()
        ],
        ignore_index=True,
    )
    stood = opinion.stood[opinion.stood["case_id"] == case_id]
    questions, changes, smallest = what_would_change(
        around, matrix.iloc[0], opinion.as_of, models, opinion.rules, stood, language
    )
    cautions = tuple(caution.text(language) for caution in opinion.cautions[case_id])
    row, reached = opinion.cases.loc[case_id], _reached(opinion, case_id)
    head = [
        _level_line(opinion, case_id, language),
        *(risk_words(model, row, language) for model in models.values()),
        message("reasons.second_opinion_only", language),
    ]
    similar = pd.concat(
        [similar_cases(model, row[f"{name}_risk"], explained[name].values) for name, model in models.items()],
        ignore_index=True,
    )
    labelled = {name: (_model_label(model, language), model) for name, model in models.items()}
    title = message("reasons.title", language, case=case_id, date=f"{opinion.as_of:%Y-%m-%d}")
    sections = (
        (title, head),
        *_reason_sections(reasons, models, language),
        *relative_sections(opinion.relatives, matrix, language),
        (
            message("reasons.questions_heading", language),
            _question_lines(questions, models, reached, language),
        ),
        (message("reasons.changes_heading", language), _change_lines(changes, models, reached, language)),
        (message("explain.smallest_heading", language), _smallest_lines(smallest, language)),
        (message("explain.similar_heading", language), similar_lines(similar, labelled, language)),
        (message("reasons.cautions_heading", language), list(cautions)),
    )
    return CaseExplanation(
        case_id,
        opinion.as_of,
        language,
        sections,
        reasons,
        _shap_frame(explained, matrix, catalogue, language),
        questions,
        changes,
        cautions,
        smallest,
        similar,
        {name: (model, explained[name], matrix.iloc[0]) for name, model in models.items()},
    )
