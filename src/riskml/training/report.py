"""What one training run shows to people: plain JSON, every estimate with its interval."""

import platform
from importlib.metadata import version

import numpy as np
import pandas as pd

from riskml.instruments import instrument_names, load_instrument
from riskml.messages import LANGUAGES, in_every_language, message
from riskml.models.bundle import plain
from riskml.models.riskgroups import clustered_interval, design_effect
from riskml.validation.bootstrap import cluster_bootstrap
from riskml.validation.calibration_curve import calibration_curve, calibration_groups
from riskml.validation.comparison import compare
from riskml.validation.forecast import NotEstimable
from riskml.validation.leakage import leakage_flag
from riskml.validation.metrics import METRICS

__all__ = [
    "candidate_label",
    "comparison_report",
    "importance",
    "libraries",
    "note",
    "ranking_curves",
    "refused_row",
    "split_report",
    "words",
]

FEW_EVENTS = 100  # EVIDENCE 5.5: events that a calibration curve needs, traditional rule [M]
SLOPE = (0.8, 1.2)
# By which candidates are told apart: Brier scores of rare events hardly differ, and where events are few log
# losses alone do not tell one that ranks from one that does not.
SCORES = ("log_loss", "auc")
SAMPLE = 2000
CURVE_POINTS = 200
_LIBRARIES = ("riskml", "lightgbm", "scikit-learn", "numpy", "pandas", "scipy", "duckdb", "pyarrow")


def words(key, **fields):
    """A message in every language: dict of language -> str."""
    return in_every_language(f"training.{key}", **fields)


def note(code, **fields):
    """A remark that a reader must see: its code and its words in every language."""
    return {"code": code, **words(code, **fields)}


def refused_row(like, name, why):
    """A candidate that was not learnt, as a row of the comparison: no figures, and the reason.

    Parameters
    ----------
    like : dict    a row of the comparison
    name : str     of the candidate
    why : dict of language -> str
    """
    blank = dict.fromkeys(like, None)
    return blank | {"candidate": name, "label": candidate_label(name), "not_estimable": "", "refused": why}


def candidate_label(name):
    """What a candidate is called: dict of language -> str."""
    if name in instrument_names():
        label = load_instrument(name).label
        return {lang: message("training.candidate_instrument", lang, name=label[lang]) for lang in LANGUAGES}
    return words(f"candidate_{name}")


def libraries():
    """Versions of what computed the numbers: dict of name -> version."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _date(moment):
    return str(np.datetime64(moment, "D"))


def split_report(data):
    """The windows with their sizes, events and competing exits, as n/N.

    Parameters
    ----------
    data : TrainingData
    """
    rows = []
    for name, inside in data.split.rows.items():
        outcome, people, as_of = data.outcome[inside], data.aggressor[inside], data.as_of[inside]
        low, high = clustered_interval(int(outcome.sum()), len(inside), design_effect(outcome, people))
        exits = pd.Series(data.exit[inside]).value_counts()
        rows.append(
            {
                "window": name,
                "label": words(f"window_{name}"),
                "first": _date(as_of.min()),
                "last": _date(as_of.max()),
                "assessments": len(inside),
                "aggressors": len(np.unique(people)),
                "events": int(outcome.sum()),
                "share": outcome.mean(),
                "low": low,
                "high": high,
                "exits": {kind: int(exits.get(kind, 0)) for kind in ("custody", "death", "closed")},
            }
        )
    gap = data.split.gap
    return plain(
        {
            "prospective": data.split.prospective,
            "gap_days": None if gap is None else float(gap / np.timedelta64(1, "D")),
            "refitted_on": len(data.split.refit),
            "cohort": data.counts,
            "windows": rows,
        }
    )


def ranking_curves(outcome, risk, points=CURVE_POINTS):
    """Points of the ROC and precision-recall curves, thinned for figures.

    Returns
    -------
    dict    roc: false_positive_rate, true_positive_rate; precision_recall: recall, precision
    """
    order = np.argsort(-risk, kind="stable")
    sorted_risk = risk[order]
    ends = np.flatnonzero(np.append(np.diff(sorted_risk) != 0, True))
    found = np.cumsum(outcome[order])[ends]
    flagged = ends + 1
    picked = np.unique(np.linspace(0, len(ends) - 1, points).astype(int))
    found, flagged = found[picked], flagged[picked]
    recall = found / outcome.sum()
    return plain(
        {
            "roc": {
                "false_positive_rate": [0.0, *((flagged - found) / (1 - outcome).sum())],
                "true_positive_rate": [0.0, *recall],
            },
            "precision_recall": {"recall": recall, "precision": found / flagged},
        }
    )


def importance(learner, encoding, design, catalogue=None, *, seed=0):
    """Mean absolute SHAP value of each matrix column, on a sample of rows, largest first.

    Parameters
    ----------
    learner : has `contributions(design)`
    encoding : Encoding
    design : float array, shape (n, p)
    catalogue : Catalogue or None    gives labels, dimensions and exposures
    seed : int

    Returns
    -------
    list of dict    column, mean_abs_shap (log-odds), label, dimension, exposure, direction
    """
    if len(design) > SAMPLE:
        rows = np.random.default_rng(seed).choice(len(design), SAMPLE, replace=False)
        design = design[np.sort(rows)]
    values, _ = learner.contributions(design)
    summed = np.zeros((len(design), len(encoding.sources)))
    for position, source in enumerate(encoding.source_positions):
        summed[:, source] += values[:, position]
    size = np.abs(summed).mean(axis=0)
    listed, used = [], set(encoding.source_positions.tolist())
    for position in np.argsort(-size, kind="stable"):
        if position not in used:  # constant in the training rows
            continue
        source = encoding.sources[position]
        entry = {"column": source.name, "mean_abs_shap": size[position], "direction": source.direction}
        if catalogue is not None:
            column = catalogue.column(source.name)
            entry["label"] = {language: column.label(language) for language in LANGUAGES}
            entry |= {"dimension": column.dimension, "exposure": column.exposure}
        listed.append(entry)
    return plain(listed)


def _records(frame):
    return plain(frame.reset_index().to_dict(orient="records"))


def _auc_on(rows, outcome, risk, people, replicates, seed, language):
    """AUC with its interval on some rows, or why there is none."""
    counts = {
        "assessments": len(rows),
        "aggressors": len(np.unique(people[rows])),
        "events": int(outcome[rows].sum()),
    }
    if counts["aggressors"] < 2:
        return counts | {"auc": None, "low": None, "high": None}
    judged = cluster_bootstrap(
        {"auc": METRICS["auc"].function},
        outcome[rows],
        {"chosen": risk[rows]},
        people[rows],
        replicates=replicates,
        seed=seed,
        language=language,
    )
    try:
        low, high = judged.interval("chosen", "auc")
    except NotEstimable:
        return counts | {"auc": None, "low": None, "high": None}
    return plain(counts | {"auc": judged.estimates.loc["chosen", "auc"], "low": low, "high": high})


def comparison_report(
    outcome, risks, people, *, chosen, as_of=None, capacity=None, replicates, seed, unseen=None, language="es"
):
    """All candidates on the same rows with intervals, curves of the chosen one, what a reader must notice.

    Parameters
    ----------
    outcome : array of {0, 1}, shape (n,)
    risks : dict of candidate -> float array, (n,)    calibrated risks, from simple to flexible
    people : array, shape (n,)                        the unit of the bootstrap
    chosen : str                                      the candidate that the bundle holds
    as_of : datetime64 array or None
    capacity : int or None                            cases a week
    replicates, seed : int
    unseen : bool array or None                       rows of aggressors that no earlier window held
    language : str                                    of progress bars

    Returns
    -------
    (report, notes) : dict, list of dict
    """
    risk = risks[chosen]
    judged = compare(
        outcome,
        risks,
        people,
        as_of=as_of,
        capacity=capacity,
        replicates=replicates,
        seed=seed,
        language=language,
    )
    records = _records(judged.table(language))
    for record in records:
        record["label"] = candidate_label(record["candidate"])
    simplest = judged.simplest(list(risks), metric=SCORES)
    report = {
        "comparison": records,
        "chosen": chosen,
        "simplest_not_worse": simplest,
        "calibration_groups": _records(calibration_groups(outcome, risk)),
        "calibration_curve": [],
        **ranking_curves(outcome, risk),
    }
    if np.ptp(risk) > 0:
        try:
            curve = calibration_curve(outcome, risk, people, replicates=replicates, seed=seed)
            report["calibration_curve"] = _records(curve.reset_index(drop=True))
        except NotEstimable as reason:
            report["calibration_curve_missing"] = {lang: reason.words(lang) for lang in LANGUAGES}
    if unseen is not None:
        report["unseen_aggressors"] = _auc_on(
            np.flatnonzero(unseen), outcome, risk, people, replicates, seed, language
        )
    return report, _notes(next(r for r in records if r["candidate"] == chosen), simplest, chosen)


def _notes(row, simplest, chosen):
    notes = []
    if row["events"] < FEW_EVENTS:
        notes.append(note("few_events", events=row["events"]))
    if simplest != chosen:
        pair = {name: candidate_label(value) for name, value in (("simple", simplest), ("chosen", chosen))}
        filled = {
            lang: message("training.simpler_not_worse", lang, **{k: v[lang] for k, v in pair.items()})
            for lang in LANGUAGES
        }
        notes.append({"code": "simpler_not_worse", **filled})
    if row["auc_low"] is not None:
        interval = (row["auc"], row["auc_low"], row["auc_high"])
        flag = {lang: leakage_flag(interval, language=lang) for lang in LANGUAGES}
        if all(flag.values()):
            notes.append({"code": "leakage", **flag})
    slope = row.get("calibration_slope")
    if slope is not None and not SLOPE[0] <= slope <= SLOPE[1]:
        shown = {
            k: "-" if v is None else f"{v:.2f}"
            for k, v in (
                ("slope", slope),
                ("low", row["calibration_slope_low"]),
                ("high", row["calibration_slope_high"]),
            )
        }
        sense = "sense_extreme" if slope < 1 else "sense_timid"
        notes.append(
            {
                "code": "slope_off",
                **{
                    lang: message(
                        "training.slope_off", lang, sense=message(f"training.{sense}", lang), **shown
                    )
                    for lang in LANGUAGES
                },
            }
        )
    return notes
