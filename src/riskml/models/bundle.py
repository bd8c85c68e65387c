"""A trained model as a folder of text and JSON: nothing in it executes when it is read."""

import copy
from functools import cached_property
from pathlib import Path

import numpy as np

from riskml.errors import RiskmlError
from riskml.features.catalogue import Catalogue
from riskml.models.bundle_files import (
    CATALOGUE,
    REPORT,
    Bundle,
    json_text,
    parsed,
    read_bundle,
    sealed,
    unreadable,
)
from riskml.models.calibration import Calibrator
from riskml.models.encoding import Encoding
from riskml.models.estimators import learner_document, learner_of
from riskml.models.lethal_bundle import LethalBundle
from riskml.models.riskgroups import frequency_of

__all__ = ["FORMAT", "Model"]

FORMAT = "riskml bundle 1"


class Model(Bundle):
    """A learner with the encoding before it and the calibrator behind it, and what a reader must know of it.

    Parameters
    ----------
    name : str                     name of the model file
    learner : BoostedTrees, LinearModel or Blend
    encoding : Encoding            from matrix to design
    calibrator : Calibrator        from log-odds to risk
    catalogue : Catalogue or None  the feature definitions; None: trained on a frame of unknown origin
    risk_groups : list of dict     what became of similar cases, of `risk_groups`
    reference : dict               mean_risk and quantiles of calibrated risk in the last window
    thresholds : dict              level -> smallest risk, where levels have been set
    card : dict                    label, outcome, estimand, history and catalogue hashes, seed, libraries
    report : dict                  what was measured and shown to people

    Attributes
    ----------
    version : str    first 16 hexadecimal digits of the content's hash: equal content, equal version
    """

    def __init__(
        self,
        name,
        learner,
        encoding,
        calibrator,
        *,
        catalogue=None,
        risk_groups=(),
        reference=None,
        thresholds=None,
        card=None,
        report=None,
    ):
        self.name, self.learner, self.encoding, self.calibrator = name, learner, encoding, calibrator
        self.catalogue = catalogue
        self.risk_groups = list(risk_groups)
        self.reference, self.thresholds = dict(reference or {}), dict(thresholds or {})
        self.card, self.report = dict(card or {}), dict(report or {})

    def __repr__(self):
        return f"Model({self.name!r}, version={self.version!r})"

    @property
    def columns(self):
        """The matrix columns that it reads: tuple of str."""
        return self.encoding.source_names

    def design(self, matrix):
        """The numeric design of a matrix: float64 array, shape (n, design columns); see `encoding.names`."""
        return self.encoding.design(matrix)

    def margin(self, matrix):
        """Log-odds before calibration, on the scale that SHAP values add up to.

        Parameters
        ----------
        matrix : DataFrame, one row per assessment    of `build_features`

        Returns
        -------
        float array, shape (n,)

        Raises
        ------
        RiskmlError    the matrix lacks columns or holds other types than the training matrix
        """
        return self.learner.margin(self.design(matrix))

    def predict(self, matrix):
        """Calibrated risk of the outcome within the horizon, under the response usually given.

        Parameters
        ----------
        matrix : DataFrame, one row per assessment    of `build_features`

        Returns
        -------
        float array in (0, 1), shape (n,)

        Raises
        ------
        RiskmlError    the matrix lacks columns or holds other types than the training matrix
        """
        return self.calibrator.risk(self.margin(matrix))

    def interval(self, matrix=None, *, risk=None):
        """What became of similar cases, as a natural frequency with its interval.

        Parameters
        ----------
        matrix : DataFrame            or
        risk : float array, (n,)      calibrated risks that have been predicted already

        Returns
        -------
        DataFrame, one row per assessment
            low, high: 95 % interval of the share of similar cases with the outcome ("8 to 14 of 100 similar
            cases"), exact and clustered by person; events, size, people: on which it rests
        """
        if not self.risk_groups:
            raise RiskmlError("this model keeps no groups of similar cases", mend="Train it again.")
        risk = self.predict(matrix) if risk is None else risk
        return frequency_of(self.risk_groups, risk, None if matrix is None else matrix.index)

    def with_thresholds(self, thresholds):
        """The same model with thresholds of levels: a new version."""
        return self._with(thresholds=dict(thresholds))

    def with_report(self, report):
        """The same model with another report of what was measured: a new version."""
        return self._with(report=dict(report))

    def _with(self, **changed):
        other = copy.copy(self)
        other.__dict__.pop("_files", None)
        other.__dict__ |= changed
        return other

    @cached_property
    def _files(self):
        """File name -> text, the main file last."""
        learner, files = learner_document(self.learner)
        files[REPORT] = json_text(self.report)
        if self.catalogue is not None:
            files[CATALOGUE] = json_text(self.catalogue.to_document())
        main = {
            "format": FORMAT,
            "name": self.name,
            "learner": learner,
            "encoding": self.encoding.to_document(),
            "calibrator": self.calibrator.to_document(),
            "risk_groups": self.risk_groups,
            "reference": self.reference,
            "thresholds": self.thresholds,
            "card": self.card,
        }
        return sealed(main, files)

    @classmethod
    def load(cls, folder):
        """Read a bundle, each file checked against its hash.

        Parameters
        ----------
        folder : path of a bundle

        Returns
        -------
        Model    whose predictions are those of the model that was saved; a LethalBundle of a lethal one

        Raises
        ------
        RiskmlError    no bundle there, a file missing, changed or foreign, or a format of another version
        """
        main, files = read_bundle(folder, (FORMAT, LethalBundle.FORMAT))
        made_by = LethalBundle if main["format"] == LethalBundle.FORMAT else cls
        return made_by.of_files(main, files, Path(folder))

    @classmethod
    def of_files(cls, main, files, folder):
        """The model of what `read_bundle` read."""
        try:
            encoding = Encoding.from_document(main["encoding"])
            return cls(
                main["name"],
                learner_of(main["learner"], files, len(encoding.columns)),
                encoding,
                Calibrator.from_document(main["calibrator"]),
                catalogue=(
                    Catalogue.from_document(parsed(files[CATALOGUE], folder / CATALOGUE))
                    if CATALOGUE in files
                    else None
                ),
                risk_groups=main["risk_groups"],
                reference=main["reference"],
                thresholds=main["thresholds"],
                card=main["card"],
                report=parsed(files[REPORT], folder / REPORT),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise unreadable(error, folder) from None


def plain(value):
    """A value with numpy's numbers and arrays as Python's, and not-a-number as None: ready for JSON."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
