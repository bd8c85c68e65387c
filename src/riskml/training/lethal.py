"""From the reviewed lethal events of a history to a lethal bundle: relative risk, pattern and report."""

import pandas as pd

from riskml.errors import RiskmlError
from riskml.features.matrix import build_features
from riskml.messages import LANGUAGES, message
from riskml.models.bundle import plain
from riskml.models.lethal import fit_lethal, priors_alone
from riskml.models.lethal_bundle import LethalBundle
from riskml.progress import progress
from riskml.registry.history import History
from riskml.training.lethal_competition import competition_report
from riskml.training.lethal_report import lethal_report
from riskml.training.lethal_sets import AtRisk, risk_sets
from riskml.training.report import libraries
from riskml.vocabulary import did_you_mean

__all__ = ["train_lethal"]

STEPS = 5


def train_lethal(spec, history, *, catalogue, seed=0, language="es"):
    """Learn a lethal model from the reviewed cases of a history.

    Parameters
    ----------
    spec : LethalSpec     of `models/lethal.yml`
    history : History, or what `History.of` takes
    catalogue : Catalogue
    seed : int            of controls, intervals and folds: the same inputs and seed give the same version
    language : str        of the progress bar

    Returns
    -------
    LethalBundle
        `.report` holds what was found, plain JSON: cases, controls, matching, exclusions (n/N), registry,
        exits, table (prior, data and posterior), leave_one_out, sample_size, competition, notes, words

    Raises
    ------
    RiskmlError    no case is open at the end of the history to which the priors apply; a factor of the priors
        that is no column of the catalogue, or a response

    Notes
    -----
    Factors are read on the visible timeline on the day before the event, of case and controls alike: what
    became known by the event, or after it, changes nothing. The registry's average is that of the
    relationships open at the end of the history, not of the sets: with it the base rate, which drawing
    controls took away, is restored, and it stands in no file that is scored.
    """
    history = History.of(history)
    check_factors(spec.priors, catalogue)
    with progress(message("training.training", language, name=spec.label[language]), total=STEPS) as step:
        ids = pd.Index(sorted(history.table("cases")["case_id"].to_pandas().dropna().unique()))
        at_risk = AtRisk(history, ids)
        sets = risk_sets(spec, history, ids, at_risk, seed=seed)
        step()
        read = catalogue.part(*spec.priors.codes, "relationship")
        reference = _reference(spec, history, read)
        step()
        if sets.cases < spec.file.minimum_cases:
            model = priors_alone(spec.priors, reference)
        else:
            frame = build_features(history, sets.cohort, read)
            model = fit_lethal(
                frame,
                sets.outcome,
                spec.priors,
                reference=reference,
                sets=sets.sets,
                shares_from="registry",
            )
        step()
        report = lethal_report(spec, history, at_risk, sets, model, reference, catalogue, seed=seed)
        step()
        report["competition"] = competition_report(spec, model, sets, report["sample_size"], seed=seed)
        step()
    labels = {name: spec.priors.label_of(name, catalogue.factors) for name in spec.priors.factors}
    return LethalBundle(
        spec.name,
        model.relative,
        plain(labels),
        catalogue=catalogue,
        card=plain(_card(spec, history, catalogue, seed)),
        report=plain(report),
    )


def check_factors(priors, catalogue):
    """Raise RiskmlError unless every factor that the priors name can be read with a catalogue."""
    states = {
        c.name
        for c in catalogue.columns
        if c.feature.table == "factors" and c.feature.column == "state" and not c.exposure
    }
    missing = [code for code in priors.codes if code not in states]
    if missing:
        raise RiskmlError(
            f"the catalogue has no column with the state of: {', '.join(missing)}",
            where=f"models/priors/{priors.name}.yml",
            mend=did_you_mean(missing[0], states) or "Add a feature with the factor's state to features/.",
        )
    if "relationship" not in {c.name for c in catalogue.columns}:
        raise RiskmlError("the catalogue has no column relationship", where="features/")


def _reference(spec, history, read):
    """Factors of the relationships open at the end of the history to which the priors apply."""
    cohort = history.open_cases(history.observed_until)
    frame = build_features(history, cohort, read)
    allowed = spec.priors.relationships
    if allowed:
        frame = frame[frame["relationship"].isin(allowed)]
    if not len(frame):
        raise RiskmlError(
            f"no relationship is open at the end of the history to which the priors apply: "
            f"{', '.join(allowed) or 'all'}",
            where=f"models/{spec.name}.yml",
            mend="Check the relationships of the registry, or take the history again.",
        )
    return frame


def _card(spec, history, catalogue, seed):
    return {
        "kind": spec.file.kind,
        "label": dict(spec.label),
        "limits": dict(spec.limits),
        "exclusions": dict(spec.file.exclusions),
        "outcome": spec.outcome.model_dump(mode="json"),
        "estimand": {language: spec.outcome.estimand_text(language) for language in LANGUAGES},
        "horizon": spec.outcome.horizon,
        "priors": spec.file.priors,
        "relationships": list(spec.priors.relationships),
        "history": {
            "hash": history.hash,
            "synthetic": bool(history.manifest.get("synthetic", False)),
            "observed_until": f"{history.observed_until:%Y-%m-%d}",
        },
        "catalogue": catalogue.hash,
        "seed": seed,
        "libraries": libraries(),
    }
