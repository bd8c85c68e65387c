"""The `spec` fixture: a history in text, and what a feature is at a moment."""

from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from spec.tables import history_of

SPEC_CATALOGUE = Path(__file__).parent / "features"
WORKSPACE_CATALOGUE = Path(__file__).parents[2] / "features"


@cache
def _catalogue(folder):
    return load_catalogue(folder)


class Expectation:
    """One feature of one case, read at one moment."""

    def __init__(self, spec, name, case=None, as_of=None):
        self._spec, self._name, self._case, self._as_of = spec, name, case, as_of

    def of(self, case):
        """Of this case; the first one of the example unless said."""
        return Expectation(self._spec, self._name, case, self._as_of)

    def at(self, as_of):
        """As of this moment."""
        return Expectation(self._spec, self._name, self._case, as_of)

    @property
    def value(self):
        """What the matrix holds."""
        cohort = pd.DataFrame(
            {"case_id": [self._case or self._spec.first_case], "as_of": [pd.Timestamp(self._as_of)]}
        )
        catalogue = self._spec.catalogue
        return build_features(self._spec.tables, cohort, catalogue.part(self._name))[self._name].iloc[0]

    def is_(self, expected):
        """The feature is exactly this."""
        assert self.value == expected

    def is_missing(self):
        """Nothing is known: neither 0 nor any other value."""
        assert pd.isna(self.value)


class Spec:
    """What a spec test speaks to."""

    def __init__(self):
        self.tables = None
        self.catalogue = _catalogue(SPEC_CATALOGUE)

    def history(self, text):
        """What the registry holds, as tables in text."""
        self.tables = history_of(text)

    def with_the_workspace_catalogue(self):
        """Read features of the workspace's own catalogue instead of the small one of these tests."""
        self.catalogue = _catalogue(WORKSPACE_CATALOGUE)

    @property
    def first_case(self):
        """The case that the example speaks of first."""
        return self.tables["cases"]["case_id"][0].as_py()

    def feature(self, name):
        """A column of the matrix."""
        return Expectation(self, name)


@pytest.fixture
def spec():
    return Spec()
