"""What the comparison with the living says beside its figures: the sum of it, and what to know first."""

import numpy as np
from scipy.stats import norm

from riskml.fatality.comparison.compared_states import EVER
from riskml.fatality.comparison.shrinkage import COMMON_SCALE, FEW_SETS
from riskml.messages import in_every_language
from riskml.models.priors import UNCHECKED
from riskml.validation.multiplicity import multiplicity_note

__all__ = ["comparison_notes", "comparison_summary", "said"]


def said(key, **fields):
    """A message of `fatality_comparison` in every language: dict of language -> str."""
    return in_every_language(f"fatality_comparison.{key}", **fields)


def comparison_summary(rows):
    """How many factors are told from no effect, in each way: words by language."""
    exact = sum(row["known"].get("p", 1.0) < 0.05 for row in rows)
    standing = sum(row["q"] < 0.05 for row in rows)
    apart = [row for row in rows if row["posterior"]["low"] > 1 or row["posterior"]["high"] < 1]
    alone = sum(row["prior"] is None for row in apart)
    return said(
        "summary", factors=len(rows), exact=exact, standing=standing, posterior=len(apart), alone=alone
    )


def comparison_notes(rows, shrinkage, lookback, synthetic):
    """What a reader has to know before looking at any figure: list of words by language."""
    notes = [said("note_synthetic")] if synthetic else []
    notes.append(said("note_registry"))
    notes.append(said("note_ever") if lookback == EVER else said("note_lookback", lookback=lookback))
    notes += [said("note_readings"), said("note_rates"), said("note_p")]
    p = [row["known"].get("mid_p", np.nan) for row in rows]
    if not np.isnan(p).all():
        notes.append(multiplicity_note(p))
    common = shrinkage["known"]
    widest = f"{np.exp(norm.ppf(0.975) * common['sd']):.1f}"
    scale = {"sd": f"{common['sd']:.2f}", "scale": f"{COMMON_SCALE:g}"}
    notes.append(said("note_shrinkage", ratio=widest, factors=common["factors"], **scale))
    if shrinkage["floor"] is not None and common["sd"] == shrinkage["floor"]:
        notes.append(said("note_floor", floor=f"{shrinkage['floor']:.1f}", least=FEW_SETS))
    published = [row["from_data"] for row in rows if row["prior"]]
    if published:
        notes.append(said("note_published", share=f"{100 * np.median(published):.0f}"))
    if any(row["prior"] and row["prior"]["tag"] == "M" for row in rows):
        notes.append(said("note_memory"))
    if any(row["prior"] and row["prior"]["starting_value"] for row in rows):
        notes.append(said("note_starting", tag=UNCHECKED))
    if any(row["response"] for row in rows):
        notes.append(said("note_response"))
    notes.append(said("note_not_causes"))
    return notes
