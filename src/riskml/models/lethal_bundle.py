"""A lethal model as a folder of JSON: relative risk and pattern; nothing in it gives a probability."""

from functools import cached_property

import numpy as np

from riskml.errors import RiskmlError
from riskml.features.catalogue import Catalogue
from riskml.models.bundle_files import (
    CATALOGUE,
    REPORT,
    RETRAIN,
    Bundle,
    json_text,
    parsed,
    sealed,
    unreadable,
)
from riskml.models.relative_risk import RelativeRisk

__all__ = ["LethalBundle"]


class LethalBundle(Bundle):
    """What is kept, scored and reviewed of a lethal model. It has no `predict`: it knows no probability.

    Parameters
    ----------
    name : str                name of the model file
    relative : RelativeRisk   risk relative to the registry's average; without intercept and base rate
    labels : dict             factor -> what it is called in each language
    catalogue : Catalogue     the feature definitions that its factors were read with
    card : dict               label, outcome, estimand, limits, history and catalogue hashes, seed, libraries
    report : dict             what was found and shown to people: prior, data and posterior side by side

    Attributes
    ----------
    version : str    first 16 hexadecimal digits of the content's hash: equal content, equal version
    """

    FORMAT = "riskml lethal bundle 1"

    def __init__(self, name, relative, labels, *, catalogue, card=None, report=None):
        self.name, self.relative, self.labels, self.catalogue = name, relative, dict(labels), catalogue
        self.card, self.report = dict(card or {}), dict(report or {})

    def __repr__(self):
        return f"LethalBundle({self.name!r}, version={self.version!r})"

    @property
    def columns(self):
        """The matrix columns that it reads: tuple of str."""
        codes = (code for _, of_factor in self.relative.definitions.values() for code in of_factor)
        return (*dict.fromkeys(codes), "relationship")

    def score(self, matrix):
        """Risk relative to the registry's average of each assessment.

        Parameters
        ----------
        matrix : DataFrame    of `build_features`, or any that `riskml.instruments.score` takes

        Returns
        -------
        DataFrame    as `RelativeRisk.score`: relative, low, high, least, most, present, denied, unknown,
            applicable

        Raises
        ------
        RiskmlError    the matrix lacks a factor that it reads, or holds a state that is none
        """
        missing = [name for name in self.columns if name not in matrix.columns]
        if missing:
            raise RiskmlError(
                f"the matrix lacks columns: {', '.join(missing)}",
                where=f'model "{self.name}"',
                mend="Build it with the catalogue that the model was trained with.",
            )
        return self.relative.score(matrix)

    def pattern(self, matrix):
        """Which factors make up each assessment's relative risk: DataFrame of present, denied, unknown."""
        return self.relative.pattern(matrix)

    @cached_property
    def _files(self):
        """File name -> text, the main file last."""
        files = {REPORT: json_text(self.report), CATALOGUE: json_text(self.catalogue.to_document())}
        main = {
            "format": self.FORMAT,
            "name": self.name,
            "relative": self.relative.to_document(),
            "labels": self.labels,
            "card": self.card,
        }
        return sealed(main, files)

    @classmethod
    def of_files(cls, main, files, folder):
        """The bundle of what `read_bundle` read; RiskmlError where that is none."""
        try:
            relative = RelativeRisk.from_document(main["relative"])
            _check(relative, main["labels"], folder)
            return cls(
                main["name"],
                relative,
                main["labels"],
                catalogue=Catalogue.from_document(parsed(files[CATALOGUE], folder / CATALOGUE)),
                card=main["card"],
                report=parsed(files[REPORT], folder / REPORT),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, RiskmlError):
                raise
            raise unreadable(error, folder) from None


def _check(relative, labels, folder):
    """Numbers that pair with the factors and can be computed with."""
    p = len(relative.definitions)
    shapes = {
        "coefficients": (p,),
        "covariance": (p, p),
        "shares": (p,),
        "centre": (p,),
    }
    good = set(labels) == set(relative.definitions) and np.isfinite(relative.average)
    for name, shape in shapes.items():
        values = getattr(relative, name)
        good = good and values.shape == shape and bool(np.isfinite(values).all())
    good = good and bool(((relative.shares > 0) & (relative.shares < 1)).all())
    if not good or np.linalg.eigvalsh(relative.covariance).min() <= 0:
        raise RiskmlError("its numbers do not pair with its factors", where=str(folder), mend=RETRAIN)
