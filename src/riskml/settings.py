"""A workspace's folders and its `riskml.toml`: the few things that an agency's installation sets."""

import os
import re
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from riskml.errors import RiskmlError
from riskml.messages import check_language
from riskml.vocabulary import did_you_mean

__all__ = ["ENGINES", "Settings", "load_settings"]

ENGINES = ("embedded", "spark")  # where features and risks are computed

_KNOWN = {
    "registry": {"url"},
    "mlflow": {"uri", "experiment"},
    "": {"language", "timezone", "engine", "key_file"},
}


@dataclass(frozen=True)
class Settings:
    """Where a workspace's things are. Relative paths and SQLite URLs start at the workspace's folder."""

    folder: Path
    registry_url: str = "sqlite:///registry.db"
    mlflow_uri: str = "sqlite:///mlflow.db"
    mlflow_experiment: str = "riskml"
    language: str = "es"
    timezone: str = "America/Mexico_City"
    engine: str = "embedded"
    key_file: Path = field(default=Path("riskml.key"))

    def now(self):
        """This moment on the registry's clocks: datetime, naive, in its local time."""
        return datetime.now(ZoneInfo(self.timezone)).replace(tzinfo=None)

    @property
    def features(self):
        """The catalogue's folder."""
        return self.folder / "features"

    @property
    def models(self):
        """The folder of the model files."""
        return self.folder / "models"

    @property
    def reports(self):
        """The folder of the report templates; what is rendered goes to `out` below it."""
        return self.folder / "reports"

    @property
    def histories(self):
        """The folder of the histories, one below it for each content hash."""
        return self.folder / "histories"

    @property
    def bundles(self):
        """The folder of the trained models, `<name>/<version>` below it."""
        return self.folder / "bundles"

    @property
    def reviews(self):
        """The folder of the coded fatality reviews, one below it for each content hash."""
        return self.folder / "reviews"


def _anchored(url, folder):
    """A SQLite URL with its relative path made absolute within the workspace; any other URL unchanged."""
    match = re.fullmatch(r"sqlite:///(?!/)(?!:memory:)(.+)", url)
    return f"sqlite:///{(folder / match[1]).resolve()}" if match else url


def load_settings(folder="."):
    """Read a workspace's `riskml.toml`.

    The environment variable RISKML_REGISTRY_URL takes the place of the registry's URL, so that a password
    need not stand in a file.

    Parameters
    ----------
    folder : path of a folder that holds `riskml.toml`

    Returns
    -------
    Settings

    Raises
    ------
    RiskmlError    no `riskml.toml` there, not TOML, or an unknown key, language, timezone or engine
    """
    folder = Path(folder).resolve()
    path = folder / "riskml.toml"
    if not path.is_file():
        raise RiskmlError(
            "no riskml.toml here",
            where=str(folder),
            mend="`riskml init DIR` makes a workspace; then work inside it.",
        )
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = error if isinstance(error, tomllib.TOMLDecodeError) else "not UTF-8 text"
        raise RiskmlError(
            f"not valid TOML: {reason}",
            where=str(path),
            mend='Write text in quotes, as in: language = "es".',
        ) from None

    flat = {}
    for key, value in document.items():
        section, entries = (key, value) if isinstance(value, dict) else ("", {key: value})
        for name, entry in entries.items():
            known = _KNOWN.get(section, set())
            if name not in known:
                words = sorted({f"{s}.{k}".lstrip(".") for s, ks in _KNOWN.items() for k in ks})
                full = f"{section}.{name}".lstrip(".")
                raise RiskmlError(
                    f'unknown setting "{full}"',
                    where=str(path),
                    mend=f"{did_you_mean(full, words)} Known: {', '.join(words)}.".strip(),
                )
            if not isinstance(entry, str):
                full = f"{section}.{name}".lstrip(".")
                raise RiskmlError(
                    f'setting "{full}" is not text',
                    where=str(path),
                    mend=f'Write it in quotes: {name} = "...".',
                )
            flat[(section, name)] = entry

    timezone = flat.get(("", "timezone"), Settings.timezone)
    if timezone not in available_timezones():
        raise RiskmlError(
            f'unknown timezone "{timezone}"',
            where=str(path),
            mend=did_you_mean(timezone, available_timezones()) or "Use a name such as America/Mexico_City.",
        )
    ZoneInfo(timezone)
    engine = flat.get(("", "engine"), "embedded")
    if engine not in ENGINES:
        near = did_you_mean(engine, ENGINES)
        raise RiskmlError(
            f'unknown engine "{engine}"', where=str(path), mend=near or 'Use "embedded" or "spark".'
        )
    return Settings(
        folder=folder,
        registry_url=_anchored(
            os.environ.get("RISKML_REGISTRY_URL") or flat.get(("registry", "url"), Settings.registry_url),
            folder,
        ),
        mlflow_uri=_anchored(flat.get(("mlflow", "uri"), Settings.mlflow_uri), folder),
        mlflow_experiment=flat.get(("mlflow", "experiment"), Settings.mlflow_experiment),
        language=check_language(flat.get(("", "language"), "es")),
        timezone=timezone,
        engine=engine,
        key_file=folder / flat.get(("", "key_file"), "riskml.key"),
    )
