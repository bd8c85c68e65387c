"""The report of `riskml demo`: the week's list, one explained case, and how well each model does."""

from riskml.explain.case import because_words
from riskml.explain.frequency import frequency_words, is_lethal, relative_words, risk_words
from riskml.explain.reasons import EXPOSURE, LOWERS, RAISES, SHOWN_UNDER
from riskml.messages import message
from riskml.reporting.model_section import model_section
from riskml.reporting.render import render, write_report

__all__ = ["demo_report"]

LISTED = 15
REASONS_LISTED = 2
_BARS = {RAISES: "up", LOWERS: "down", EXPOSURE: "apart"}
_DIMENSIONS = ("aggressor", "victim", "acts", "response")


def _frequencies(cases, model, language):
    """What became of similar cases, as a natural frequency with its interval: dict of case_id -> str."""
    name = model.name
    if is_lethal(model):
        usual = model.reference.get("mean_risk")
        return {case: relative_words(risk, usual, language) for case, risk in cases[f"{name}_risk"].items()}
    intervals = cases[[f"{name}_low", f"{name}_high"]].itertuples()
    return {row[0]: frequency_words(row[1], row[2], language) for row in intervals}


def _week(opinion, language):
    listed = opinion.cases.head(LISTED)
    words = [_frequencies(listed, model, language) for model in opinion.models.values()]
    reasons = opinion.reasons
    raising = reasons[(reasons["direction"] == RAISES) & reasons["case_id"].isin(listed.index)]
    # The strongest reason of each model first, so that neither clock hides the other.
    said = raising.sort_values(["rank", "contribution"], ascending=[True, False]).groupby(
        "case_id", sort=False
    )
    sentences = {case: list(dict.fromkeys(rows[f"text_{language}"]))[:REASONS_LISTED] for case, rows in said}
    return [
        {
            "case": case[:12],
            "level": level,
            "level_label": message(f"levels.level_{level}", language),
            "frequencies": [by_case[case] for by_case in words],
            "reasons": sentences.get(case, []),
        }
        for case, level in listed["suggested_level"].items()
    ]


def _bars(rows, largest, language):
    bars = []
    for row in rows.itertuples():
        width = 50 * abs(row.contribution) / largest
        bars.append(
            {
                "text": getattr(row, f"text_{language}"),
                "kind": _BARS[row.direction],
                "left": round(50 if row.contribution > 0 else 50 - width, 1),
                "width": round(width, 1),
            }
        )
    return bars


def _explained(opinion, case, questions, language):
    reasons = opinion.reasons[opinion.reasons["case_id"] == case]
    level = opinion.cases.loc[case, "suggested_level"]
    models = []
    for name, model in opinion.models.items():
        own = reasons[reasons["model"] == name]
        own = own.assign(shown=own["dimension"].map(SHOWN_UNDER))
        largest = own["contribution"].abs().max() if len(own) else 1.0
        models.append(
            {
                "label": model.card["label"][language],
                "frequency": risk_words(model, opinion.cases.loc[case], language),
                "groups": [
                    {
                        "label": message(f"reasons.dimension_{dimension}", language),
                        "bars": _bars(own[own["shown"] == dimension], largest, language),
                    }
                    for dimension in _DIMENSIONS
                    if (own["shown"] == dimension).any()
                ],
            }
        )
    return {
        "id": case[:12],
        "level": level,
        "level_label": message(f"levels.level_{level}", language),
        "because": because_words(opinion, case, language),
        "models": models,
        "questions": questions,
        "cautions": [caution.text(language) for caution in opinion.cautions[case]],
    }


def demo_report(
    path, templates, *, opinion, case, questions, counts, images, truths, commands, language="es"
):
    """Render the demo's report.

    Parameters
    ----------
    path : path              where the page is written, in one step
    templates : path         the workspace's `reports/`
    opinion : Opinion        second opinions on the open cases
    case : str               the case that is explained, a pseudonym
    questions : list of str  its next best questions
    counts : list of (message name, number)    shown at the top
    images : dict of model name -> {"calibration", "importance": Markup}
    truths : dict of model name -> {"auc", "low", "high"}    of the best possible predictor
    commands : list of (message name, command)    what to try next
    language : "es" or "en"

    Returns
    -------
    Path
    """
    levels = [
        {"code": level, "label": message(f"levels.level_{level}", language), "count": f"{count:,}"}
        for level, count in opinion.level_counts().items()
    ]
    html = render(
        templates,
        "demo.html.j2",
        language,
        as_of=f"{opinion.as_of:%Y-%m-%d}",
        cards=[{"value": f"{n:,}", "label": message(f"reports.{name}", language)} for name, n in counts],
        levels=levels,
        week=_week(opinion, language),
        case=_explained(opinion, case, questions, language),
        models=[
            model_section(model, images[name], language, truth=truths.get(name))
            for name, model in opinion.models.items()
        ],
        limits=[
            message(f"reports.limit_{name}", language) for name in ("level", "silence", "lethal", "elsewhere")
        ],
        next_steps=[
            {"words": message(f"reports.{name}", language), "command": command} for name, command in commands
        ],
        history_hash=opinion.history_hash[:12],
        versions=", ".join(f"{name} {version}" for name, version in opinion.versions.items()),
    )
    return write_report(path, html)
