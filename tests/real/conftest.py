"""Real data stands beside the project, never in it: tests that need it are skipped where it is absent."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.insert(0, str(BENCHMARKS))


def _data(name):
    given = os.environ.get("RISKML_REAL_DATA")
    folder = (Path(given) if given else ROOT.parent / "shared" / "data") / name
    if not folder.is_dir():
        place = "RISKML_REAL_DATA" if given else "../shared/data"
        pytest.skip(f"no real data: there is no {name} in {place}; set RISKML_REAL_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def wisconsin():
    """Folder of the Wisconsin court records."""
    return _data("wisconsin")
