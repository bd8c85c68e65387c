"""A workspace: the agency's decisions as files, and what the commands produce beside them.

`riskml.toml` and its folders are read by `riskml.settings`; this page is what users hold: one object from
which a history is taken, a catalogue and a model file are read, and a trained model is found again.
"""

import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path

from riskml.errors import RiskmlError
from riskml.kept import begun_with, kept, latest, point_latest
from riskml.settings import Settings, load_settings
from riskml.vocabulary import did_you_mean

__all__ = ["ModelPlan", "Workspace", "init_workspace", "open_workspace", "train"]

# What a workspace produces, and the forms of a review as people fill them in.
_NEVER_COMMITTED = (
    "registry.db*",
    "histories/",
    "reviews/",
    "bundles/",
    "reports/out/",
    "mlflow.db*",
    "mlruns/",
    "mlartifacts/",
    "truth/",
    "*.key",
    "*.xlsx",
    "/review.yml",
)
_COPIED = ("features", "models", "notebooks", "reports", "riskml.toml")


@dataclass(frozen=True)
class ModelPlan:
    """A model file with the catalogue and settings of its workspace: what training needs but a history."""

    spec: object
    catalogue: object
    settings: Settings

    @property
    def name(self):
        """The model's name, str."""
        return self.spec.name


def _intact(folder):
    """Whether a bundle stands there that reads: a damaged one is replaced when its model is trained again."""
    from riskml.models.bundle import Model

    try:
        Model.load(folder)
    except RiskmlError:
        return False
    return True


class Workspace:
    """The object that notebooks and commands work with.

    Attributes
    ----------
    settings : Settings    folders and `riskml.toml`
    """

    def __init__(self, settings):
        self.settings = settings

    def __repr__(self):
        return f"Workspace({str(self.settings.folder)!r})"

    @cached_property
    def catalogue(self):
        """The feature definitions under `features/`: Catalogue."""
        from riskml.features.catalogue import load_catalogue

        return load_catalogue(self.settings.features)

    @cached_property
    def key(self):
        """The key of the pseudonyms, from RISKML_KEY or the key file."""
        from riskml.registry.pseudonyms import load_key

        return load_key(self.settings.key_file)

    def ensure_key(self):
        """The key; where there is none, a new one is made in the key file."""
        from riskml.registry.pseudonyms import KEY_VARIABLE, make_key

        if not os.environ.get(KEY_VARIABLE) and not self.settings.key_file.exists():
            make_key(self.settings.key_file)
        return self.key

    def connect(self):
        """Connect to the registry: sqlalchemy.Engine."""
        from riskml.registry.database import connect

        return connect(self.settings.registry_url)

    @cached_property
    def levels(self):
        """How levels are suggested: the rules of `models/levels.yml`, LevelRules; riskml's own without it."""
        from riskml.models.levels import default_levels, load_levels

        path = self.settings.models / "levels.yml"
        return load_levels(path, catalogue=self.catalogue) if path.is_file() else default_levels()

    def check_key(self, history=None):
        """Raise where the workspace's key is not the one that a history was taken with.

        Histories of two keys cannot be joined. None: the latest history, if there is one that reads.
        """
        from riskml.registry.pseudonyms import KEY_VARIABLE

        if history is None:
            try:
                history = self.history()
            except RiskmlError:
                return
        taken_with = history.manifest.get("key_fingerprint")
        if taken_with and taken_with != self.key.fingerprint:
            raise RiskmlError(
                f"wrong key: history {history.hash[:12]} was taken with key {taken_with}, "
                f"this is key {self.key.fingerprint}",
                where=KEY_VARIABLE if os.environ.get(KEY_VARIABLE) else str(self.settings.key_file),
                mend="Put back the key that the history was taken with. To begin anew with another key, move "
                f"{self.settings.histories} away.",
            )

    def narratives(self):
        """What reads incidents' narratives for a history: StatedFactors; None without `narratives.yml`."""
        from riskml.narratives.rules import NARRATIVES_FILE, load_rules
        from riskml.narratives.stated import StatedFactors

        if not (self.settings.features / NARRATIVES_FILE).is_file():
            return None
        return StatedFactors(load_rules(self.settings.features, self.catalogue.factors))

    def take_history(self, *, set_aside=False):
        """Copy the registry to a history under `histories/`, pseudonymised, named by its content hash.

        Where `features/narratives.yml` stands, the incidents' narratives are read by its rules: what they
        state enters as factors with a masked quote, the text itself does not.

        Parameters
        ----------
        set_aside : bool    keep rows that break the contract apart, with their reasons; False: stop at them

        Returns
        -------
        History

        Raises
        ------
        RiskmlError    missing tables or columns (all at once), rows that break the contract, no cases, no key
            or another key than the latest history's
        """
        from riskml.registry.take import take_history

        self.check_key()
        history = take_history(
            self.connect(),
            self.settings.histories,
            key=self.key,
            factors=self.catalogue.factors,
            timezone=self.settings.timezone,
            set_aside=set_aside,
            read=self.narratives(),
        )
        point_latest(self.settings.histories, history.hash)
        return history

    def history(self, content_hash=None):
        """A history taken before: the latest, or the one whose content hash begins so."""
        from riskml.registry.history import History

        folder = self.settings.histories
        if content_hash is None:
            content_hash = latest(folder)
            if content_hash is None:
                raise RiskmlError(
                    "no history yet", where=str(folder), mend="`riskml history` takes one from the registry."
                )
        found = begun_with(folder, content_hash)
        if len(found) != 1:
            raise RiskmlError(
                f'{"no" if not found else "more than one"} history "{content_hash}"',
                where=str(folder),
                mend=f"There are: {', '.join(path.name[:12] for path in kept(folder)) or 'none'}.",
            )
        return History.read(found[0])

    def reviews(self, content_hash=None):
        """Coded fatality reviews that were loaded: the latest, or those whose content hash begins so."""
        from riskml.fatality.reviews import kept_reviews

        return kept_reviews(self.settings.reviews, content_hash)

    @property
    def model_names(self):
        """Names of the model files under `models/`: tuple of str."""
        from riskml.models.spec import model_names

        return model_names(self.settings.models)

    def model(self, name):
        """A model file with the workspace's catalogue, ready to be trained: ModelPlan."""
        from riskml.models.spec import load_model_file

        if name not in self.model_names:
            raise RiskmlError(
                f'no model file "{name}"',
                where=str(self.settings.models),
                mend=f"{did_you_mean(name, self.model_names)} Known: {', '.join(self.model_names)}.".strip(),
            )
        return ModelPlan(load_model_file(self.settings.models / f"{name}.yml"), self.catalogue, self.settings)

    @property
    def trained_names(self):
        """Names of the models that have been trained here: tuple of str."""
        return tuple(path.name for path in kept(self.settings.bundles) if latest(path) is not None)

    def trained(self, name, version=None):
        """A trained model: the latest of its name, or the one whose version begins so.

        Returns
        -------
        Model    read from `bundles/<name>/<version>`; nothing in it executes when it is read
        """
        from riskml.models.bundle import Model

        folder = self.settings.bundles / name
        if version is None:
            version = latest(folder)
            if version is None:
                raise RiskmlError(
                    f'model "{name}" has not been trained here',
                    where=str(self.settings.bundles),
                    mend=f"{did_you_mean(name, self.trained_names)} `riskml train {name}` trains it.".strip(),
                )
        found = begun_with(folder, version)
        if len(found) != 1:
            raise RiskmlError(
                f'{"no" if not found else "more than one"} version "{version}" of model "{name}"',
                where=str(folder),
                mend="Give more of the version, or train the model again.",
            )
        return Model.load(found[0])

    def keep(self, model):
        """Save a trained model under `bundles/` and make it the latest of its name: path of its folder."""
        folder = self.settings.bundles / model.name
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / model.version
        if not _intact(target):
            if target.is_dir():
                shutil.rmtree(target)
            model.save(target)
        point_latest(folder, model.version)
        return target


def open_workspace(folder="."):
    """Open a workspace.

    Parameters
    ----------
    folder : path of a folder that holds `riskml.toml`

    Returns
    -------
    Workspace

    Raises
    ------
    RiskmlError    no workspace there, or settings that do not read
    """
    return Workspace(load_settings(folder))


def _starting_workspace():
    """What a new workspace starts from: in the installed package, or in the checkout it is run from."""
    packaged = files("riskml") / "_workspace"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


def init_workspace(folder):
    """Make a workspace with the starting catalogue, model files, reports and notebooks, and a new key.

    Parameters
    ----------
    folder : path of a folder that does not exist or is empty

    Returns
    -------
    Workspace

    Raises
    ------
    RiskmlError    the folder holds something, or cannot be written
    """
    from riskml.registry.pseudonyms import make_key

    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RiskmlError(
            "not an empty folder", where=str(folder), mend="Name a new folder; nothing was written."
        )
    with as_file(_starting_workspace()) as start:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _COPIED:
            source = start / name
            if source.is_dir():
                shutil.copytree(
                    source, folder / name, ignore=shutil.ignore_patterns("out", ".*", "__pycache__")
                )
            else:
                shutil.copy(source, folder / name)
    (folder / ".gitignore").write_text("\n".join(_NEVER_COMMITTED) + "\n", encoding="utf-8")
    workspace = open_workspace(folder)
    make_key(workspace.settings.key_file)
    return workspace


def train(plan, history, *, seed=0, log=True, trainer=None):
    """Train, calibrate, validate and keep a model.

    Parameters
    ----------
    plan : ModelPlan      `workspace.model(name)`
    history : History     or whatever `History.of` takes
    seed : int            of every random choice
    log : bool            also log the run and register the version in MLflow
    trainer : str or None    code of who trains, such as FGJ-01, never a name: who may not approve the version

    Returns
    -------
    Model, or LethalBundle of a file of `kind: lethal`    saved under `bundles/<name>/<version>`; `.report`
        holds what was measured

    Raises
    ------
    RiskmlError    too short a history, an outcome with one class, what the catalogue reads is not there, or a
        trainer that is no code

    Notes
    -----
    Features are read on the visible timeline up to each assessment; labels strictly after it.
    """
    from riskml.models.lethal_spec import LethalSpec
    from riskml.review.statements import check_code
    from riskml.training.lethal import train_lethal
    from riskml.training.train import train as train_windows

    if trainer is not None:
        check_code(trainer, where="--as")
    lethal = isinstance(plan.spec, LethalSpec)
    train_model = train_lethal if lethal else train_windows
    model = train_model(plan.spec, history, catalogue=plan.catalogue, seed=seed)
    Workspace(plan.settings).keep(model)
    if log:
        from riskml.review.lethal_tracking import log_lethal
        from riskml.review.tracking import log_training

        (log_lethal if lethal else log_training)(model, plan.settings, trainer=trainer)
    return model
