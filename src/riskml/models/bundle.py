"""A trained model as a folder of text and JSON: nothing in it executes when it is read."""

import copy
import hashlib
import json
import os
import shutil
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np

from riskml.errors import RiskmlError
from riskml.features.catalogue import Catalogue
from riskml.models.calibration import Calibrator
from riskml.models.encoding import Encoding
from riskml.models.estimators import learner_document, learner_of
from riskml.models.riskgroups import frequency_of

__all__ = ["FORMAT", "Model"]

FORMAT = "riskml bundle 1"
MAIN = "bundle.json"
CATALOGUE = "catalogue.json"
REPORT = "report.json"
LARGEST_FILE = 200_000_000
RETRAIN = "The bundle is damaged, incomplete or foreign: copy it again, or train the model again."


def _json(document):
    """Canonical JSON text: the same content always gives the same bytes."""
    return (
        json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        + "\n"
    )


def _digest(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class Model:
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
        other = copy.copy(self)
        other.__dict__.pop("_files", None)
        other.thresholds = dict(thresholds)
        return other

    @cached_property
    def _files(self):
        """File name -> text, the main file last."""
        learner, files = learner_document(self.learner)
        files[REPORT] = _json(self.report)
        if self.catalogue is not None:
            files[CATALOGUE] = _json(self.catalogue.to_document())
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
            "files": {name: _digest(text) for name, text in sorted(files.items())},
        }
        # The version names the content, so that a change anywhere in the bundle is a change of this digest.
        main["content"] = _digest(_json(main))
        return {**files, MAIN: _json(main)}

    @property
    def digests(self):
        """sha256 of each of the bundle's files: dict of file name -> 64 hexadecimal digits."""
        return {name: _digest(text) for name, text in sorted(self._files.items())}

    @property
    def version(self):
        """First 16 hexadecimal digits of the content's hash, str."""
        return json.loads(self._files[MAIN])["content"][:16]

    def save(self, folder):
        """Write the bundle; whoever looks sees all of it or none.

        Parameters
        ----------
        folder : path    of the bundle itself; an earlier bundle there is replaced

        Returns
        -------
        Path of the folder

        Raises
        ------
        RiskmlError    the folder cannot be written, or holds something that is no bundle
        """
        folder = Path(folder)
        if (
            folder.exists()
            and not (folder / MAIN).is_file()
            and (not folder.is_dir() or any(folder.iterdir()))
        ):
            raise RiskmlError(
                "holds something that is no bundle", where=str(folder), mend="Name another folder."
            )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        except OSError as error:
            raise _unwritable(folder, error) from None
        try:
            for name, text in self._files.items():
                with open(made / name, "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
            made.chmod(0o755)
            if folder.exists():
                aside = made.with_name(made.name + ".old")
                folder.rename(aside)
                made.rename(folder)
                shutil.rmtree(aside)
            else:
                made.rename(folder)
        except OSError as error:
            shutil.rmtree(made, ignore_errors=True)
            raise _unwritable(folder, error) from None
        return folder

    @classmethod
    def load(cls, folder):
        """Read a bundle, each file checked against its hash.

        Parameters
        ----------
        folder : path of a bundle

        Returns
        -------
        Model    whose predictions are those of the model that was saved

        Raises
        ------
        RiskmlError    no bundle there, a file missing, changed or foreign, or a format of another version
        """
        folder = Path(folder)
        if not (folder / MAIN).is_file():
            raise RiskmlError("no bundle here", where=str(folder), mend="`riskml train NAME` makes one.")
        main = _parsed(_read(folder, MAIN), folder / MAIN)
        if main.get("format") != FORMAT:
            raise RiskmlError(
                f'format "{str(main.get("format"))[:40]}" instead of "{FORMAT}"',
                where=str(folder / MAIN),
                mend="Load it with the version of riskml that trained it, or train the model again.",
            )
        content = main.pop("content", None)
        if _digest(_json(main)) != content:
            raise RiskmlError("changed after it was written", where=str(folder / MAIN), mend=RETRAIN)
        foreign = sorted({f.name for f in folder.iterdir()} - {MAIN, *main["files"]})
        if foreign:
            raise RiskmlError(
                f"holds files that are not part of the bundle: {', '.join(foreign)[:200]}",
                where=str(folder),
                mend="Remove them; a bundle holds what its bundle.json lists and nothing else.",
            )
        files = {}
        for name, digest in main["files"].items():
            if not (folder / name).is_file() or Path(name).name != name:
                raise RiskmlError(f"{name} is missing", where=str(folder), mend=RETRAIN)
            files[name] = _read(folder, name)
            if _digest(files[name]) != digest:
                raise RiskmlError("changed after it was written", where=str(folder / name), mend=RETRAIN)
        return cls._of(main, files, folder)

    @classmethod
    def _of(cls, main, files, folder):
        try:
            encoding = Encoding.from_document(main["encoding"])
            return cls(
                main["name"],
                learner_of(main["learner"], files, len(encoding.columns)),
                encoding,
                Calibrator.from_document(main["calibrator"]),
                catalogue=(
                    Catalogue.from_document(_parsed(files[CATALOGUE], folder / CATALOGUE))
                    if CATALOGUE in files
                    else None
                ),
                risk_groups=main["risk_groups"],
                reference=main["reference"],
                thresholds=main["thresholds"],
                card=main["card"],
                report=_parsed(files[REPORT], folder / REPORT),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise RiskmlError(
                f"not a bundle that riskml wrote ({type(error).__name__}: {error})",
                where=str(folder),
                mend=RETRAIN,
            ) from None


def _unwritable(folder, error):
    return RiskmlError(
        f"cannot be written ({error.strerror or type(error).__name__})",
        where=str(folder),
        mend="Nothing was changed. Check the disk's space and the folder's permissions.",
    )


def _read(folder, name):
    path = folder / name
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise RiskmlError("too large for a bundle", where=str(path), mend=RETRAIN)
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise RiskmlError(f"cannot be read ({error.strerror})", where=str(path), mend=RETRAIN) from None
    except UnicodeDecodeError:
        raise RiskmlError("not text", where=str(path), mend=RETRAIN) from None


def _parsed(text, path):
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise RiskmlError("not valid JSON", where=str(path), mend=RETRAIN) from None
    if not isinstance(document, dict):
        raise RiskmlError("not a bundle that riskml wrote", where=str(path), mend=RETRAIN)
    return document


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
