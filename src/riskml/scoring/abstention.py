"""Abstention: no level is suggested where too little is known and one answer could lift it.

A case abstains when the level that it reaches on what is recorded lies below `stands_from` and either fewer
factors than `fewer_known_than` are known of it and one factor that nobody mentioned would lift its level were
it present, or an approved critical pattern hangs on one such factor, which would then lift it. A level from
`stands_from` up that recorded facts reach stands: what is unknown can only lift it. What is denied is known.

Only cases that may abstain are computed again, so that scoring stays quick on many cases.
"""

import numpy as np
import pandas as pd

from riskml.explain.alterations import Copy, copied_matrices, factor_answer
from riskml.explain.what_if import askable, unmentioned
from riskml.scoring.cautions import known_factors
from riskml.scoring.silence import level_ranks
from riskml.vocabulary import LEVELS

__all__ = ["QUESTIONS", "deciding_questions", "lifting_answers"]

QUESTIONS = ("case_id", "factor", "level_if_present", "model", "times")


def _candidates(level, matrix, rules, catalogue):
    """Rows that may abstain, and of which: few factors known, or the codes that patterns hang on."""
    stands = LEVELS.index(rules.abstention.stands_from)
    known, _ = known_factors(catalogue, matrix)
    few = known < rules.abstention.fewer_known_than
    hanging = [set() for _ in range(len(matrix))]
    for codes_of in rules.patterns.deciding(matrix).values() if rules.patterns.approved else ():
        for row, codes in enumerate(codes_of):
            hanging[row] |= set(codes)
    below = level_ranks(level) < stands
    return few & below, [codes if inside else set() for codes, inside in zip(hanging, below, strict=True)]


def deciding_questions(history, matrix, level, models, rules, catalogue, judge):
    """The questions for which cases abstain: unknown factors that would lift their level were they present.

    Parameters
    ----------
    history : History
    matrix : DataFrame, n rows, index (case_id, as_of)    the cases' features
    level : str array, shape (n,)    that each case reaches on what is recorded, silence held
    models : dict of name -> Model
    rules : LevelRules               with its patterns on the catalogue
    catalogue : Catalogue
    judge : callable                 matrix -> level of each row, str array

    Returns
    -------
    DataFrame of QUESTIONS, one row per question: case_id; factor; level_if_present; the model that it moves
        most, and by how many times its risk; each case's own in one block, first those that lift the level
        most, then by risk. A case that is not there does not abstain
    """
    found = lifting_answers(history, matrix, level, models, rules, catalogue, judge)
    return found[list(QUESTIONS)]


def lifting_answers(history, matrix, level, models, rules, catalogue, judge):
    """As `deciding_questions`, of assessments at any moments: with `row`, the place in the matrix."""
    few, hanging = _candidates(level, matrix, rules, catalogue)
    asked, rows, codes = askable(catalogue, models, rules), [], []
    for row in np.flatnonzero(few | np.array([bool(c) for c in hanging], bool)):
        unknown = unmentioned(matrix.iloc[row], asked, catalogue)
        wanted = [c for c in unknown if few[row] or c in hanging[row]]
        rows += [row] * len(wanted)
        codes += wanted
    if not rows:
        return pd.DataFrame(columns=[*QUESTIONS, "row"])
    rows, ids = np.array(rows), matrix.index.get_level_values("case_id").to_numpy()
    as_of = matrix.index.get_level_values("as_of")
    copies = [
        Copy(ids[row], as_of[row], (factor_answer(code, "present"),))
        for row, code in zip(rows, codes, strict=True)
    ]
    found = [
        _answers(altered, matrix.iloc[rows[part]], models).assign(level_if_present=judge(altered))
        for part, altered in copied_matrices(history, copies, catalogue)
    ]
    answers = pd.concat(found, ignore_index=True).assign(case_id=ids[rows], factor=codes, row=rows)
    answers["rank"] = level_ranks(answers["level_if_present"])
    lifting = answers[answers["rank"].to_numpy() > level_ranks(level)[rows]]
    ordered = lifting.sort_values(["row", "rank", "times"], ascending=[True, False, False], kind="stable")
    return ordered.reset_index(drop=True)[[*QUESTIONS, "row"]]


def _answers(altered, now, models):
    """The model whose risk each answer raises most, and how many times: DataFrame of model, times."""
    names = np.array(list(models), dtype=object)
    times = np.column_stack([models[n].predict(altered) / models[n].predict(now) for n in names])
    most = times.argmax(axis=1)
    return pd.DataFrame({"model": names[most], "times": times[np.arange(len(times)), most]})
