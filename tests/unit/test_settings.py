"""Settings are read as they are written, relative to the workspace; what is not known is refused by name."""

import pytest

from riskml.errors import RiskmlError
from riskml.settings import load_settings


@pytest.fixture
def settings(tmp_path):
    """Settings of a text: callable."""

    def load(text):
        (tmp_path / "riskml.toml").write_text(text, encoding="utf-8")
        return load_settings(tmp_path)

    return load


def test_an_empty_file_is_a_workspace_with_what_is_usual(settings, tmp_path):
    found = settings("")
    assert found.folder == tmp_path
    assert (found.language, found.timezone, found.engine) == ("es", "America/Mexico_City", "embedded")
    assert found.registry_url == f"sqlite:///{tmp_path}/registry.db"
    assert found.mlflow_uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert found.key_file == tmp_path / "riskml.key"


def test_paths_start_at_the_workspace_whatever_the_current_folder(settings, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    found = settings('key_file = "keys/a.key"\n[registry]\nurl = "sqlite:///data/r.db"')
    assert found.registry_url == f"sqlite:///{tmp_path}/data/r.db"
    assert found.key_file == tmp_path / "keys" / "a.key"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/registry.db",
        "sqlite:///:memory:",
        "postgresql+psycopg://user@host:5433/registry",
    ],
)
def test_a_url_that_says_where_it_is_stays_as_it_is(settings, url):
    assert settings(f'[registry]\nurl = "{url}"').registry_url == url


def test_the_environment_takes_the_place_of_the_url(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("RISKML_REGISTRY_URL", "postgresql+psycopg://user:secret@host/registry")
    assert settings("").registry_url == "postgresql+psycopg://user:secret@host/registry"
    monkeypatch.setenv("RISKML_REGISTRY_URL", "sqlite:///other.db")
    assert settings("").registry_url == f"sqlite:///{tmp_path}/other.db"
    monkeypatch.setenv("RISKML_REGISTRY_URL", "")
    assert settings("").registry_url == f"sqlite:///{tmp_path}/registry.db"


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ('langauge = "es"', 'unknown setting "langauge"', '"language"'),
        ('[registry]\nuri = "x"', 'unknown setting "registry.uri"', "registry.url"),
        ('[mlfow]\nuri = "x"', 'unknown setting "mlfow.uri"', '"mlflow.uri"'),
        ('[registry.more]\nurl = "x"', 'unknown setting "registry.more"', "registry.url"),
        ('language = "fr"', 'unknown language "fr"', '"es"'),
        ('timezone = "Mexico_City"', 'unknown timezone "Mexico_City"', "America/Mexico_City"),
        ('engine = "duckdb"', 'unknown engine "duckdb"', '"embedded"'),
        ("language = 1", 'setting "language" is not text', "quotes"),
        ("language = es", "not valid TOML", "quotes"),
    ],
)
def test_what_is_not_known_is_refused_with_a_suggestion(settings, text, what, mend):
    with pytest.raises(RiskmlError) as error:
        settings(text)
    assert what in error.value.what
    assert mend in error.value.mend
    assert error.value.where


def test_a_message_never_shows_a_url(settings):
    with pytest.raises(RiskmlError) as error:
        settings('[registry]\nurl = "postgresql://u:s3cret@h/r"\nport = "1"')
    assert "s3cret" not in str(error.value)


def test_without_a_file_there_is_no_workspace(tmp_path):
    with pytest.raises(RiskmlError, match="riskml init"):
        load_settings(tmp_path / "nowhere")
