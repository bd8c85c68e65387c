"""`riskml doctor`: what this installation and this workspace lack, and how to mend it."""

import os
import platform
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from riskml.errors import RiskmlError
from riskml.settings import load_settings
from riskml.workspace import Workspace

__all__ = ["Finding", "findings"]

_PACKAGES = (
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "numba",
    "scikit-learn",
    "lightgbm",
    "shap",
    "mlflow",
    "sqlalchemy",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is as it should be, what was seen, and how to mend it."""

    name: str
    good: bool
    seen: str
    mend: str = ""


def _checked(name, check, mend=""):
    try:
        return Finding(name, True, check())
    except RiskmlError as error:
        return Finding(
            name, False, f"{error.where}: {error.what}" if error.where else error.what, error.mend or mend
        )
    except Exception as error:
        # Names of errors only: a driver's text may hold a password or a row.
        return Finding(name, False, type(error).__name__, mend)


def _python():
    return f"Python {platform.python_version()}"


def _packages():
    missing = []
    seen = []
    for name in _PACKAGES:
        try:
            seen.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        raise RiskmlError(f"not installed: {', '.join(missing)}", mend="make demo installs them into .venv.")
    return ", ".join(seen)


def _lightgbm():
    import lightgbm

    return f"loads ({lightgbm.__version__})"


def _writable(folder):
    with tempfile.NamedTemporaryFile(dir=folder):
        return str(folder)


def _registry(workspace):
    from riskml.registry.database import check_registry

    engine = workspace.connect()
    check_registry(engine)
    return engine.url.render_as_string(hide_password=True)


def _key(workspace):
    source = "RISKML_KEY" if os.environ.get("RISKML_KEY") else workspace.settings.key_file.name
    return f"from {source}" if workspace.key is not None else ""


def _catalogue(workspace):
    return f"{len(workspace.catalogue.columns)} columns, {len(workspace.catalogue.factors)} factors"


def _models(workspace):
    names = workspace.model_names
    for name in names:
        workspace.model(name)
    return ", ".join(names)


def _engine(settings):
    if settings.engine == "spark":
        from riskml.engines.session import spark_versions

        return f"spark ({spark_versions()})"
    return settings.engine


def findings(folder="."):
    """Look at the installation and at one workspace.

    Parameters
    ----------
    folder : path of the workspace

    Returns
    -------
    list of Finding, in the order in which they should be mended
    """
    seen = [
        _checked("Python", _python),
        _checked("packages", _packages),
        _checked("LightGBM", _lightgbm, "Install the OpenMP runtime (Debian: libgomp1)."),
    ]
    settings = None

    def read_settings():
        nonlocal settings
        settings = load_settings(folder)
        return str(settings.folder / "riskml.toml")

    seen.append(_checked("workspace", read_settings))
    if settings is None:
        return seen
    workspace = Workspace(settings)
    return [
        *seen,
        _checked("disk", lambda: _writable(settings.folder), "Give this user the right to write there."),
        _checked("engine", lambda: _engine(settings)),
        _checked("catalogue", lambda: _catalogue(workspace)),
        _checked("models", lambda: _models(workspace)),
        _checked("key", lambda: _key(workspace)),
        _checked(
            "registry",
            lambda: _registry(workspace),
            "Check the URL in riskml.toml and that the server answers.",
        ),
    ]
