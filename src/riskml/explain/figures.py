"""Figures of explanations by dimension: the waterfall of one case, the beeswarm of all open cases.

Drawn on figures of their own, without a screen and without any state that a notebook shares.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from riskml.errors import RiskmlError
from riskml.explain.dimensions import DIMENSIONS
from riskml.explain.reasons import SHOWN_UNDER, SMALLEST
from riskml.explain.shap_values import shap_values
from riskml.explain.wording import value_words
from riskml.messages import check_language, message
from riskml.vocabulary import STATES, did_you_mean

__all__ = ["Bar", "beeswarm", "waterfall", "waterfall_bars", "waterfall_figure"]

UP, DOWN, QUIET, MISSING = "#b4551a", "#1f4e79", "#6b7280", "#b8bec6"
LOW_TO_HIGH = LinearSegmentedColormap.from_list("low_to_high", ["#2f6db3", "#8e6ba8", "#c0392b"])
COLUMNS_EACH = 4  # columns shown of each dimension of a waterfall
COLUMNS_OF_ALL = 5  # and of a beeswarm
TIMES = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16)  # marks of the scale of risks, in times the registry's average
POINTS = 3_000  # cases that a beeswarm draws


@dataclass(frozen=True)
class Bar:
    """One bar of a waterfall.

    Attributes
    ----------
    dimension : str
    label : str            column and value in words, or how many further columns are summed
    value : float          log-odds that it adds
    """

    dimension: str
    label: str
    value: float


def _model(opinion, name):
    if name not in opinion.models:
        mend = did_you_mean(name, opinion.models) or f"Scored: {', '.join(opinion.models)}."
        raise RiskmlError(f'model "{name}" was not scored', where="model", mend=mend)
    return opinion.models[name]


def _label(model, language):
    return (model.card.get("label") or {}).get(language, model.name)


def _shown(words, longest=72):
    """Words as a figure can hold them: one line, the value at its end kept; no sign read as mathematics."""
    words = " ".join(words.split())
    if len(words) > longest:
        label, colon, value = words.rpartition(": ") if ": " in words else (words, "", "")
        words = f"{label[: max(longest - len(colon + value) - 1, 20)]}…{colon}{value}"
    return words.replace("$", r"\$")


def waterfall_bars(values, row, catalogue, language="es"):
    """The bars of a case: of each dimension its largest columns, and the rest of it in one.

    Parameters
    ----------
    values : Series     SHAP values by column, log-odds
    row : Series        the case's features
    catalogue : Catalogue
    language : str

    Returns
    -------
    list of Bar    they add up to the sum of `values`; dimensions in order of DIMENSIONS
    """
    bars = []
    for dimension in DIMENSIONS:
        own = values[[SHOWN_UNDER[catalogue.column(name).dimension] == dimension for name in values.index]]
        own = own[own != 0].sort_values(key=np.abs, ascending=False, kind="stable")
        large = own[own.abs() >= SMALLEST].head(COLUMNS_EACH)
        for name, value in large.items():
            column = catalogue.column(name)
            words = f"{column.label(language)}: {value_words(column, row[name], language)}"
            bars.append(Bar(dimension, words, float(value)))
        rest = own.iloc[len(large) :]
        if len(rest):
            label = message("explain.others", language, count=len(rest))
            bars.append(Bar(dimension, label, float(rest.sum())))
    return bars


def waterfall(opinion, case_id, model, language="es"):
    """From the starting point to a case's risk, column by column and dimension by dimension.

    Parameters
    ----------
    opinion : Opinion
    case_id : str       a case of it
    model : str         name of a model that was scored
    language : "es" or "en"

    Returns
    -------
    matplotlib Figure    the lower axis in log-odds before calibration; the upper one the calibrated risk in
        times the registry's average, so that no one's probability is shown

    Raises
    ------
    RiskmlError    an unknown case, model or language
    """
    check_language(language)
    of = _model(opinion, model)
    if case_id not in opinion.cases.index:
        raise RiskmlError(
            f'case "{case_id}" is not open on {opinion.as_of:%Y-%m-%d}',
            where="case_id",
            mend="Take one of `opinion.cases.index`.",
        )
    place = opinion.cases.index.get_loc(case_id)
    matrix = opinion.matrix.iloc[[place]]
    explained = shap_values(of, matrix)
    bars = waterfall_bars(explained.values.iloc[0], matrix.iloc[0], of.catalogue, language)
    return waterfall_figure(of, bars, explained.base, language)


def waterfall_figure(model, bars, base, language="es"):
    """The figure of a waterfall.

    Parameters
    ----------
    model : Model
    bars : list of Bar    of `waterfall_bars`
    base : float          log-odds of the starting point
    language : str

    Returns
    -------
    matplotlib Figure
    """
    lines, total = [], base
    for dimension in dict.fromkeys(bar.dimension for bar in bars):
        own = [bar for bar in bars if bar.dimension == dimension]
        heading = message(f"reasons.dimension_{dimension}", language)
        lines.append((f"{heading} ({sum(bar.value for bar in own):+.2f})", None, total))
        for bar in own:
            lines.append((_shown(bar.label), bar.value, total))
            total += bar.value
    figure = Figure(figsize=(9.0, 1.6 + 0.27 * (len(lines) + 2)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    title = message("explain.waterfall_title", language, label=_shown(_label(model, language)))
    figure.suptitle(title, fontsize=11)
    names = [
        message("explain.start", language),
        *(line[0] for line in lines),
        message("explain.end", language),
    ]
    heights = np.arange(len(names))[::-1]
    axes.axvline(base, color=MISSING, linewidth=1, linestyle="--")
    axes.plot([base], [heights[0]], "o", color=QUIET, markersize=5)
    axes.plot([total], [heights[-1]], "o", color=UP if total > base else DOWN, markersize=7)
    for (_, value, start), height in zip(lines, heights[1:-1], strict=True):
        if value is None:
            continue
        axes.barh(height, value, left=start, height=0.62, color=UP if value > 0 else DOWN)
        axes.text(start + max(value, 0), height, f" {value:+.2f}", va="center", fontsize=7.5, color=QUIET)
    axes.set_yticks(heights, names, fontsize=8)
    for label, line in zip(axes.get_yticklabels()[1:-1], lines, strict=True):
        label.set_fontweight("bold" if line[1] is None else "normal")
    axes.use_sticky_edges = False
    axes.margins(x=0.12)
    axes.set_xlabel(message("explain.axis_log_odds", language), fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    _relative_axis(axes, model, language)
    return figure


def _relative_axis(axes, model, language):
    """The upper axis: calibrated risk in times the registry's average, where that is known."""
    usual = model.reference.get("mean_risk")
    if not usual:
        return
    margins = np.linspace(*axes.get_xlim(), 2_001)
    risk = model.calibrator.risk(margins)
    marks = [(margins[np.searchsorted(risk, t * usual)], t) for t in TIMES if risk[0] < t * usual < risk[-1]]
    upper = axes.secondary_xaxis("top")
    upper.set_xticks([at for at, _ in marks], [f"{t:g}x" for _, t in marks], fontsize=8)
    upper.set_xlabel(message("explain.axis_relative", language), fontsize=8)


def beeswarm(opinion, model, language="es", *, seed=0):
    """What moves the risk of the open cases: a point for each case, by column and dimension.

    Parameters
    ----------
    opinion : Opinion
    model : str       name of a model that was scored
    language : "es" or "en"
    seed : int        of which cases are drawn where there are more than 3,000

    Returns
    -------
    matplotlib Figure    of each dimension the columns that move the risk most; colour from a low value to a
        high one among the cases (of factors: denied, present), grey where it is not on record

    Raises
    ------
    RiskmlError    an unknown model or language
    """
    check_language(language)
    of = _model(opinion, model)
    values, matrix = opinion.shap[model].values, opinion.matrix
    if len(values) > POINTS:
        drawn = np.sort(np.random.default_rng(seed).choice(len(values), POINTS, replace=False))
        values, matrix = values.iloc[drawn], matrix.iloc[drawn]
    lines = _swarm_lines(values, of.catalogue, language)
    figure = Figure(figsize=(9.0, 1.6 + 0.34 * len(lines)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    title = message("explain.beeswarm_title", language, label=_shown(_label(of, language)))
    figure.suptitle(title, fontsize=11)
    axes.axvline(0, color=MISSING, linewidth=1)
    heights = np.arange(len(lines))[::-1]
    for (_, name), height in zip(lines, heights, strict=True):
        if name is not None:
            _swarm(axes, height, values[name].to_numpy(), _ranks(of.catalogue.column(name), matrix[name]))
    axes.set_yticks(heights, [words for words, _ in lines], fontsize=8)
    for label, line in zip(axes.get_yticklabels(), lines, strict=True):
        label.set_fontweight("bold" if line[1] is None else "normal")
    axes.set_ylim(-0.8, len(lines) - 0.2)
    axes.set_xlabel(message("explain.axis_contribution", language), fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    for key, colour in (("low", LOW_TO_HIGH(0.0)), ("high", LOW_TO_HIGH(1.0)), ("missing", MISSING)):
        axes.plot([], [], "o", color=colour, markersize=4, label=message(f"explain.value_{key}", language))
    figure.legend(loc="outside lower right", ncols=3, fontsize=7.5, frameon=False)
    return figure


def _swarm_lines(values, catalogue, language):
    """Headings and columns from top to bottom: list of (words, name of the column or None)."""
    size, lines = values.abs().mean(), []
    for dimension in DIMENSIONS:
        own = size[[SHOWN_UNDER[catalogue.column(name).dimension] == dimension for name in size.index]]
        own = own[own > 0].sort_values(ascending=False, kind="stable").head(COLUMNS_OF_ALL)
        if len(own):
            lines.append((message(f"reasons.dimension_{dimension}", language), None))
            lines += [(_shown(catalogue.column(name).label(language)), name) for name in own.index]
    return lines


def _ranks(column, series):
    """Where each value stands among the cases, from 0 to 1; NaN where it is not on record.

    Of a factor, denied is low and present is high; other words have no order and stand in the middle.
    """
    if column.kind != "number":
        places = {state: float(k) for k, state in enumerate(STATES)}
        words = series.astype(object)
        return np.where(words.isna(), np.nan, words.map(places).fillna(0.5).to_numpy(dtype=float))
    numbers = series.to_numpy(dtype=float, na_value=np.nan)
    distinct = np.unique(numbers[~np.isnan(numbers)])
    if len(distinct) < 2:
        return np.where(np.isnan(numbers), np.nan, 0.5)
    return np.interp(numbers, distinct, np.linspace(0, 1, len(distinct)))


def _swarm(axes, height, values, ranks):
    """Points of one column, moved up and down where they would hide each other."""
    bins = np.round((values - values.min()) / max(np.ptp(values), 1e-12) * 60).astype(int)
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(bins[order]) != 0))
    place = np.arange(len(bins)) - np.repeat(starts, np.diff(np.append(starts, len(bins))))
    offsets = np.empty(len(bins))
    offsets[order] = (place + 1) // 2 * np.where(place % 2, 1, -1)
    most = max(np.abs(offsets).max(), 1)
    spread = offsets / most * min(0.36, 0.03 * most)
    missing = np.isnan(ranks)
    axes.scatter(values[missing], height + spread[missing], s=5, color=MISSING, linewidths=0)
    axes.scatter(
        values[~missing], height + spread[~missing], s=5, c=LOW_TO_HIGH(ranks[~missing]), linewidths=0
    )
