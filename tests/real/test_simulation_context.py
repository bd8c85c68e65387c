"""The 911 calls that the simulator's seasons are taken from, held against the public series."""

import os
from pathlib import Path

import pandas as pd
import pytest

from riskml.simulation.inflow import seasonal_index
from riskml.simulation.settings import SimulationSettings

DATA = Path(os.environ.get("RISKML_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
FILE = DATA / "context" / "violencia_familiar_llamadas_911.csv"
pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="the public 911 series is not here (RISKML_REAL_DATA)"
)


@pytest.fixture(scope="module")
def zacatecas():
    calls = pd.read_csv(FILE)
    calls = calls[calls["entidad"] == "Zacatecas"].assign(fecha=lambda d: pd.to_datetime(d["fecha"]))
    return calls.set_index("fecha")["vio_fam_911_mensual"].sort_index()


def test_the_typed_figures_are_those_of_the_series(zacatecas):
    settings = SimulationSettings()
    assert tuple(zacatecas[zacatecas.index.year == 2019]) == settings.calls_2019
    assert tuple(zacatecas[zacatecas.index.year == 2020]) == settings.calls_2020


def test_the_two_months_left_out_are_one_fault_of_accounting(zacatecas):
    rest = zacatecas[zacatecas.index.year == 2019].drop(pd.to_datetime(["2019-06-30", "2019-09-30"]))
    june, september = zacatecas["2019-06-30"], zacatecas["2019-09-30"]
    assert june > 2 * rest.max()
    assert september < rest.min()


def test_the_season_is_that_of_the_series(zacatecas):
    index = seasonal_index(SimulationSettings())
    assert index.mean() == pytest.approx(1.0)
    assert 0.7 < index.min() < index.max() < 1.4
    winter, late_spring = index[[0, 1, 10]].mean(), index[[3, 4]].mean()
    assert late_spring > winter
