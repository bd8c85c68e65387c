"""From filled forms to coded reviews: coders joined, cases linked to the registry, outcomes staged."""

from dataclasses import dataclass, field

import pandas as pd

from riskml.errors import RiskmlError
from riskml.fatality.coding.coders import disagreements, joined
from riskml.fatality.coding.linking import PROBLEM, link
from riskml.fatality.reviews import Reviews
from riskml.registry.database import is_synthetic, reading

__all__ = ["LoadedReviews", "ages", "load_reviews"]


@dataclass(frozen=True)
class LoadedReviews:
    """Coded reviews and what was found on the way.

    Attributes
    ----------
    reviews : Reviews
    agreement : list of dict      of `coders.agreement`
    undecided : int               factor rows on whose state coders differ and nobody has decided
    to_adjudicate : int           those, and the rows on which they differ in when or by whom it was known
    findings : DataFrame          of `linking.link`: what does not fit the registry; empty without one
    """

    reviews: Reviews
    agreement: list
    undecided: int
    to_adjudicate: int = 0
    findings: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def unlinked(self):
        """How many cases name an id that the registry does not have, int."""
        return int((self.findings["severity"] == PROBLEM).sum()) if len(self.findings) else 0


def load_reviews(sheets, *, adjudicated=None, engine=None, key=None, about=None, seed=0):
    """Make reviews of accepted rows.

    Parameters
    ----------
    sheets : dict of sheet -> DataFrame       of `read_forms` or `read_mapped`
    adjudicated : DataFrame or None           of `read_adjudication`
    engine, key : Engine and Key, or None     the registry that cases name their ids of, and the key of the
        pseudonyms; None: no case is linked, and no id of the registry is kept
    about : dict or None                      what else is said of the reviews, such as the files' names
    seed : int                                of the intervals of the coders' agreement

    Returns
    -------
    LoadedReviews

    Raises
    ------
    RiskmlError    no case was accepted, an adjudicated row that nobody coded, or the registry cannot be read
    """
    cases = sheets["cases"]
    if not len(cases):
        raise RiskmlError(
            "no case was accepted, so there is nothing to keep",
            where="cases",
            mend="Correct what is named above, and load it again.",
        )
    factors, agreed = joined(sheets, adjudicated, seed=seed)
    said = {"coders": _coders(sheets["factors"]), "agreement": agreed, "synthetic": False} | (about or {})
    if adjudicated is not None and len(adjudicated):
        by = adjudicated.get("adjudicated_by", pd.Series(dtype=object)).dropna()
        said["adjudicated"] = {"rows": len(adjudicated), "by": sorted(by.unique().tolist())}
    findings = pd.DataFrame()
    if engine is None:
        cases = cases.assign(case_id=None)
    else:
        cases, findings = link(cases, engine, key)
        with reading(engine) as connection:
            said["synthetic"] = is_synthetic(connection)
        said["key_fingerprint"] = key.fingerprint
    people = sheets["people"].assign(**ages(sheets["people"]["age"]))
    reviews = Reviews.of(sheets | {"cases": cases, "people": people, "factors": factors}, about=said)
    undecided = int((factors["agreed"] == "no").sum())
    differing = disagreements(sheets["factors"]).index
    if adjudicated is not None:
        differing = differing.difference(pd.MultiIndex.from_frame(adjudicated[["review_id", "factor"]]))
    return LoadedReviews(reviews, agreed, undecided, len(differing), findings)


def _coders(factors):
    return sorted(factors["coder"].dropna().unique().tolist())


def ages(written):
    """Ages as the form holds them ("45", "31-40", empty) as two columns: dict of age_low, age_high, in years.

    Parameters
    ----------
    written : Series of str or None
    """
    spans = written.astype("string").str.extract(r"^(\d+)(?:-(\d+))?$")
    low = pd.to_numeric(spans[0]).astype(float)
    return {"age_low": low, "age_high": pd.to_numeric(spans[1]).astype(float).fillna(low)}
