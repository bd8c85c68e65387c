"""Whether there are people enough for a flexible learner, asked before it is learnt; and for the verdict."""

from math import ceil

import numpy as np

from riskml.messages import LANGUAGES, in_every_language
from riskml.models.bundle import plain
from riskml.validation.sample_size import development_sample_size, evaluation_sample_size

__all__ = ["development_verdict", "evaluation_verdict", "refused", "sample_size_report"]

C_STATISTIC = 0.70  # EVIDENCE 3.1: records of the police tell repeat violence apart with 0.65 to 0.76
SHRINKAGE = 0.9
MOST_REPEATED = 0.5


def _counts(outcome, people):
    """People, people with the event at any assessment, and the share to plan with.

    Assessments of one person are one person. Where nearly everyone has an event at some time, the share of
    people with one says nothing of how well rows are told apart: half, the most informative share, stands in.
    """
    outcome = np.asarray(outcome, dtype=float)
    names, member = np.unique(np.asarray(people), return_inverse=True)
    had = int((np.bincount(member, weights=outcome) > 0).sum())
    return len(names), had, min(had / len(names), max(float(outcome.mean()), MOST_REPEATED))


def development_verdict(parameters, outcome, people, *, c_statistic=C_STATISTIC, shrinkage=SHRINKAGE):
    """Whether the people at hand are enough to learn a model of so many parameters without penalty.

    Parameters
    ----------
    parameters : int                     design columns: every one is looked at
    outcome : array of {0, 1}, shape (n,)   of the rows to learn from, both classes
    people : array, shape (n,)           whose rows they are: each counts once
    c_statistic : float                  anticipated AUC
    shrinkage : float                    least shrinkage expected

    Returns
    -------
    SampleSize    with its verdict: `.met`, `.n` needed, `.had`, `.had_events`, `.words(language)`

    References
    ----------
    Riley et al. (2020), BMJ 368:m441.
    """
    size, events, prevalence = _counts(outcome, people)
    needed = development_sample_size(
        max(int(parameters), 1), prevalence, c_statistic=c_statistic, shrinkage=shrinkage
    )
    return needed.verdict(size, events)


def evaluation_verdict(outcome, people, *, c_statistic=C_STATISTIC):
    """Whether the people at hand are enough to judge a model by.

    Parameters
    ----------
    outcome : array of {0, 1}, shape (n,)   of the rows that judge, both classes
    people : array, shape (n,)
    c_statistic : float                  anticipated AUC

    Returns
    -------
    SampleSize    with its verdict

    References
    ----------
    Riley et al. (2021), Statistics in Medicine 40:4230.
    """
    size, events, prevalence = _counts(outcome, people)
    return evaluation_sample_size(prevalence, c_statistic=c_statistic).verdict(size, events)


def refused(development):
    """Why a flexible learner is not learnt, with the numbers: dict of language -> str."""
    fields = {
        "parameters": f"{development.parameters:,}",
        "needed": f"{development.n:,}",
        "needed_events": f"{ceil(development.events - 1e-9):,}",
        "people": f"{development.had:,}",
        "events": f"{development.had_events:,}",
    }
    return in_every_language("learners.refused", **fields)


def _document(verdict):
    """One verdict as plain JSON."""
    lines = {language: verdict.words(language) for language in LANGUAGES}
    document = {
        "needed": verdict.n,
        "needed_events": ceil(verdict.events - 1e-9),
        "people": verdict.had,
        "events": verdict.had_events,
        "met": verdict.met,
        "criteria": [{"name": c.name, "n": c.n, "target": c.target, "met": c.met} for c in verdict.criteria],
        "words": {language: said[0] for language, said in lines.items()},
        "details": {language: list(said[1:]) for language, said in lines.items()},
    }
    if verdict.parameters is not None:
        document |= {"parameters": verdict.parameters, "shrinkage": verdict.shrinkage}
    return document


def sample_size_report(development, evaluation=None, refused=()):
    """What the sample-size criteria asked for and what followed: plain JSON.

    Parameters
    ----------
    development, evaluation : SampleSize after their verdicts; None: not asked
    refused : iterable of str    candidates that were not learnt for want of people

    Returns
    -------
    dict    development, evaluation: needed, needed_events, people, events, met, criteria, words and details
        by language, and of a development parameters and shrinkage; refused: list of str
    """
    return plain(
        {
            "development": _document(development),
            "evaluation": None if evaluation is None else _document(evaluation),
            "refused": list(refused),
        }
    )
