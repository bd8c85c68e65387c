"""Partners and the rest: learnt together, or each from their own people; the better is kept."""

import numpy as np

from riskml.messages import in_every_language
from riskml.models.calibration import choose_calibrator
from riskml.models.estimators import ByStratum
from riskml.models.likelihood import logit
from riskml.models.linear import LinearModel
from riskml.training.crossfit import cross_fit
from riskml.training.learn import Candidate, calibrated, elastic_net
from riskml.vocabulary import PARTNER_RELATIONSHIPS

__all__ = ["BY_RELATIONSHIP", "Strata", "by_relationship", "strata_of"]

BY_RELATIONSHIP = "by_relationship"
STRATA = ("partner", "other")
# Recalibrations that are straight in log-odds: they go into the coefficients, so that one calibrator follows.
_STRAIGHT = ("none", "sigmoid")


class Strata:
    """Which assessments are of partners and former partners, as far as the design says.

    Attributes
    ----------
    columns : int array        design columns that indicate a partner
    member : bool array, (n,)  True: partner or former partner; False: another relationship, or not known
    """

    def __init__(self, columns, member):
        self.columns, self.member = columns, member

    def rows(self, stratum, rows):
        """The positions among `rows` that are of one of STRATA."""
        return rows[self.member[rows] == (stratum == "partner")]

    def counts(self, data):
        """Assessments, aggressors and events of each stratum in each window: list of dict."""
        found = []
        for stratum in STRATA:
            for window, inside in data.split.rows.items():
                rows = self.rows(stratum, inside)
                found.append(
                    {
                        "stratum": stratum,
                        "label": words(f"stratum_{stratum}"),
                        "window": window,
                        "assessments": len(rows),
                        "aggressors": len(np.unique(data.aggressor[rows])),
                        "events": int(data.outcome[rows].sum()),
                    }
                )
        return found


def words(key, **fields):
    """A message of this page in every language: dict of language -> str."""
    return in_every_language(f"training.{key}", **fields)


def strata_of(encoding, design):
    """The strata of a design, or None where it does not tell partners apart.

    Parameters
    ----------
    encoding : Encoding    of the design
    design : float array, shape (n, p)
    """
    columns = [
        position
        for position, column in enumerate(encoding.columns)
        if column.source == "relationship" and column.rule == "is" and column.value in PARTNER_RELATIONSHIPS
    ]
    if not columns:
        return None
    member = (design[:, columns] == 1).any(axis=1)
    return Strata(np.array(columns), member) if 0 < member.sum() < len(member) else None


def by_relationship(data, inputs, spec, encoding, strata, *, seed=0):
    """The penalised regression learnt apart for partners and for the rest, as one candidate.

    Parameters
    ----------
    data : TrainingData
    inputs : Inputs
    spec : ModelFile
    encoding : Encoding    of the design
    strata : Strata
    seed : int

    Returns
    -------
    Candidate, calibrated; or None where a window holds too few events of a stratum (`minimum:` of the model
    file): one model with the relationship among its columns is then all that can be learnt
    """
    if not _enough(data, spec, strata):
        return None
    learn = _cross_fitted if data.split.cross_fitted else _in_windows
    directions = encoding.directions if spec.learners.monotone else ()
    return learn(data, inputs, spec, directions, strata, seed)


def _enough(data, spec, strata):
    """Whether each stratum has the events that a model of its own needs in every window."""
    for stratum in STRATA:
        if data.outcome[strata.rows(stratum, data.split.refit)].sum() < spec.minimum.events_to_learn:
            return False
        for rows in data.split.rows.values():
            outcome = data.outcome[strata.rows(stratum, rows)]
            if outcome.sum() < spec.minimum.events_to_judge or outcome.sum() == len(outcome):
                return False
    return True


def _in_windows(data, inputs, spec, directions, strata, seed):
    windows = data.split.rows
    parts = [
        elastic_net(
            inputs.design,
            data.outcome,
            tuple(
                strata.rows(stratum, rows) for rows in (windows["train"], windows["tune"], data.split.refit)
            ),
            spec.learners.elastic_net,
            directions,
        )
        for stratum in STRATA
    ]
    learner = ByStratum(strata.columns, *(part.learner for part in parts))
    candidate = Candidate(BY_RELATIONSHIP, learner, tuning=_tuning(parts))
    return calibrated(
        candidate,
        inputs,
        data.outcome,
        windows["calibrate"],
        data.aggressor,
        kinds=spec.calibrators,
        seed=seed,
    )


def _cross_fitted(data, inputs, spec, directions, strata, seed):
    develop = data.split.rows["develop"]
    margin = np.empty(len(data.outcome))
    learners, parts = [], []
    for stratum in STRATA:
        rows = strata.rows(stratum, develop)
        fitted = cross_fit(
            inputs.design[rows],
            data.outcome[rows],
            data.group[rows],
            seed=seed,
            l1_ratios=spec.learners.elastic_net.l1_ratio,
            directions=directions,
            kinds=_STRAIGHT,
            flexible=False,
        )
        learners.append(_moved(fitted.learners["elastic_net"], fitted.fitted["elastic_net"]))
        parts.append(Candidate("elastic_net", learners[-1], tuning=fitted.tuning["elastic_net"]))
        margin[rows] = logit(fitted.risks["elastic_net"])
    calibrator, table, risk = choose_calibrator(
        margin[develop],
        data.outcome[develop],
        data.group[develop],
        kinds=spec.calibrators,
        seed=seed + 1,
        cautious=True,
    )
    learner = ByStratum(strata.columns, *learners)
    return Candidate(BY_RELATIONSHIP, learner, calibrator, _tuning(parts), table, risk)


def _moved(model, calibrator):
    """A regression with a straight recalibration of its log-odds taken into it: LinearModel."""
    if calibrator.kind == "none":
        return model
    slope, intercept = calibrator.parameters["slope"], calibrator.parameters["intercept"]
    return LinearModel(
        model.preparation, slope * model.intercept + intercept, slope * np.asarray(model.coefficients)
    )


def _tuning(parts):
    """The tuning of both parts in one table, each row with its stratum."""
    return [
        {"stratum": stratum, **row}
        for stratum, part in zip(STRATA, parts, strict=True)
        for row in part.tuning
    ]
