"""The Spark session that work runs in: the one that is there, or one on this machine."""

import os
import re
import shutil
import subprocess
import sys
import warnings
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from riskml.errors import RiskmlError

__all__ = ["java_version", "quiet_about_pandas", "spark_session", "spark_versions"]

OLDEST_JAVA = 17
_WHERE = 'engine "spark"'
_EXTRA = '`pip install riskml[spark]` installs it; engine = "embedded" needs neither.'
_JAVA = (
    "Install Java 17, such as Debian's openjdk-17-jre-headless, or point JAVA_HOME to it; "
    'engine = "embedded" needs none.'
)

# Of a session on this machine. Memory is the JVM's, which only passes rows on.
_LOCAL = {
    "spark.driver.memory": "2g",
    "spark.driver.maxResultSize": "0",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def java_version():
    """The version of the Java that Spark would start: int, or None where there is none that runs."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        return None
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)(?:\.(\d+))?', said.stderr + said.stdout)
    if said.returncode or not found:
        return None
    first, second = int(found[1]), int(found[2] or 0)
    return second if first == 1 else first  # Java 8 calls itself 1.8


def spark_session():
    """The active Spark session, or a new one: of `spark-submit`, or on this machine with all its processors.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    RiskmlError    pyspark is not installed, no Java that Spark runs on, or Spark does not start
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise _no_pyspark() from None
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ  # spark-submit has started Java and knows the master
    if not submitted:
        _usable_java()
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    building = SparkSession.builder.appName("riskml")
    if not submitted:
        building = building.master("local[*]")
        for name, value in _LOCAL.items():
            building = building.config(name, value)
    try:
        with quiet_about_pandas():
            return building.getOrCreate()
    except Exception as error:
        raise RiskmlError(
            f"Spark does not start ({str(error).strip().splitlines()[0][:200]})",
            where=_WHERE,
            mend=_JAVA,
        ) from None


@contextmanager
def quiet_about_pandas():
    """Without Spark's announcement on each call that it does not know pandas 3 throughout.

    What riskml has of Spark is rows of bytes; no frame of pandas passes through it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def spark_versions():
    """What Spark runs with here: str; nothing is started.

    Raises
    ------
    RiskmlError    pyspark is not installed, or no Java that it runs on
    """
    try:
        spark = version("pyspark")
    except PackageNotFoundError:
        raise _no_pyspark() from None
    return f"pyspark {spark}, Java {_usable_java()}"


def _no_pyspark():
    return RiskmlError("pyspark is not installed", where=_WHERE, mend=_EXTRA)


def _usable_java():
    found = java_version()
    if found is None:
        raise RiskmlError("Spark needs Java, and there is none", where=_WHERE, mend=_JAVA)
    if found < OLDEST_JAVA:
        raise RiskmlError(
            f"Spark needs Java {OLDEST_JAVA} or later; this is Java {found}", where=_WHERE, mend=_JAVA
        )
    return found
