"""Instruments as proxies: bounds from three states, scope, bands, and files that say what is wrong."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskml.instruments
from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.instruments import in_words, instrument_names, load_instrument, score
from riskml.instruments.docs import instruments_page
from riskml.vocabulary import PARTNER_RELATIONSHIPS, load_factors

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "models" / "instruments"
NAMES = ("proxy_danger_assessment", "proxy_epv_r", "proxy_lethality_screen", "proxy_odara")
STATES = ("present", "denied", None)


def _frame(*rows):
    return pd.DataFrame([{"relationship": "partner", **row} for row in rows]).reset_index(drop=True)


def _one(instrument, **states):
    return score(_frame({"strangulation": None, "alcohol": None, **states}), instrument).iloc[0]


def _complete(instrument, state):
    return dict.fromkeys(load_instrument(instrument).factors, state)


# ------------------------------------------------------------------ examples to read


def test_what_nobody_mentioned_widens_the_score_and_what_was_denied_narrows_it():
    nothing = _one("proxy_epv_r")
    assert (nothing["low"], nothing["high"], nothing["observed"], nothing["unobserved"]) == (0, 47, 0, 19)
    assert (nothing["band_low"], nothing["band_high"]) == ("low", "high")
    threat = _one("proxy_epv_r", death_threat="present")  # 3 points
    assert (threat["low"], threat["high"], threat["unobserved"]) == (3, 47, 18)
    denied = _one("proxy_epv_r", death_threat="denied")
    assert (denied["low"], denied["high"], denied["unobserved"]) == (0, 44, 18)


def test_the_bands_of_epv_r_change_at_10_and_at_24():
    jealous = {"jealousy": "present", "death_threat": "present", "weapon_threat": "present"}  # 3 + 3 + 3
    assert _one("proxy_epv_r", **jealous)["band_low"] == "low"
    assert _one("proxy_epv_r", **jealous, separation="present")["band_low"] == "moderate"  # 10
    more = {**jealous, "alcohol": "present", "victim_fear": "present", "minimisation": "present"}
    most = {**more, "prior_violence_others": "present", "forced_sex": "present"}  # 18 + 3 + 2
    assert (_one("proxy_epv_r", **most)["low"], _one("proxy_epv_r", **most)["band_low"]) == (23, "moderate")
    assert _one("proxy_epv_r", **most, separation="present")["band_low"] == "high"  # 24


def test_an_item_with_several_factors_is_denied_only_where_all_of_them_are():
    assert _one("proxy_epv_r", jealousy="denied")["observed"] == 0
    assert _one("proxy_epv_r", jealousy="denied", control="denied")["observed"] == 1
    assert _one("proxy_epv_r", jealousy="denied", control="present")["low"] == 3


def test_odara_asks_for_two_signs_of_substance_abuse():
    assert _one("proxy_odara", alcohol="present")["low"] == 0
    assert _one("proxy_odara", drugs="present", methamphetamine="present")["low"] == 0  # one and the same
    assert _one("proxy_odara", alcohol="present", methamphetamine="present")["low"] == 1
    assert _one("proxy_odara", alcohol="denied")["high"] == 12  # two signs are out of reach


def test_the_lethality_screen_has_two_ways_to_trigger():
    assert _one("proxy_lethality_screen", victim_fear="present")["band_low"] == "high_danger"
    three = {"firearm_access": "present", "strangulation": "present", "jealousy": "present"}
    assert _one("proxy_lethality_screen", **three)["band_low"] == "not_triggered"
    assert _one("proxy_lethality_screen", **three, unemployed="present")["band_low"] == "high_danger"
    quiet = _one("proxy_lethality_screen", **_complete("proxy_lethality_screen", "denied"))
    assert (quiet["band_high"], quiet["high"]) == ("not_triggered", 0)


def test_the_danger_assessment_weighs_a_gun_and_takes_points_where_they_never_lived_together():
    assert _one("proxy_danger_assessment")["low"] == -3
    known = _one("proxy_danger_assessment", never_cohabited="denied", firearm_access="present")
    assert (known["low"], known["present_low"]) == (5, 1)
    never = _one("proxy_danger_assessment", never_cohabited="present")
    assert (never["high"], never["present_low"]) == (34, 0)


def test_a_column_shows_an_item_present_and_never_denies_it():
    frame = _frame({"breach": None, "breaches_ever": 2.0}, {"breach": None, "breaches_ever": 0.0})
    result = score(frame, "proxy_epv_r")
    assert result["low"].tolist() == [2, 0]
    assert result["high"].tolist() == [47, 47]
    assert result["observed"].tolist() == [1, 0]
    said = score(_frame({"breach": "denied", "stalking": "denied", "breaches_ever": 1.0}), "proxy_epv_r")
    assert said["low"].tolist() == [2]  # a breach on record outranks the denial


@pytest.mark.parametrize("name", NAMES)
def test_a_partner_scale_does_not_speak_of_a_son_and_his_mother(name):
    frame = _frame(
        {"strangulation": "present"},
        {"strangulation": "present", "relationship": "son"},
        {"strangulation": "present", "relationship": None},
        {"strangulation": "present", "relationship": "ex-partner"},
    )
    if name == "proxy_odara":
        frame = frame.rename(columns={"strangulation": "confinement"})
    result = score(frame, name)
    assert result["applicable"].tolist() == [True, False, pd.NA, True]
    assert result.loc[1, ["low", "high", "band_low", "band_high"]].isna().all()
    assert result.loc[[0, 2, 3], ["low", "high", "band_low", "band_high"]].notna().all(axis=None)


def test_a_frame_without_the_relationship_leaves_open_whether_it_applies():
    result = score(pd.DataFrame({"strangulation": ["present"]}), "proxy_epv_r")
    assert result["applicable"].isna().all()
    assert result["low"].tolist() == [2]


def test_the_index_of_a_matrix_is_kept():
    index = pd.MultiIndex.from_tuples(
        [("B", pd.Timestamp("2025-01-01")), ("A", pd.Timestamp("2025-01-01"))], names=["case_id", "as_of"]
    )
    frame = pd.DataFrame({"strangulation": ["present", "denied"]}, index=index, dtype="category")
    result = score(frame, "proxy_epv_r")
    assert result.index.equals(index)
    assert result.columns[:7].tolist() == [
        "low", "high", "observed", "unobserved", "applicable", "band_low", "band_high",
    ]  # fmt: skip


def test_a_long_frame_of_factors_is_read_too():
    long = pd.DataFrame(
        [
            ("A", "death_threat", "present", "partner"),
            ("B", "death_threat", "denied", "son"),
            ("A", "death_threat", "denied", "partner"),  # present outranks it
            ("A", "jealousy", None, "partner"),
        ],
        columns=["case_id", "factor", "state", "relationship"],
    )
    result = score(long, "proxy_epv_r")
    assert result.index.tolist() == ["A", "B"]
    assert result["low"].tolist()[:1] == [3]
    assert result["applicable"].tolist() == [True, False]
    for_nobody = score(long[long["factor"] == "no_such"], "proxy_epv_r")
    assert len(for_nobody) == 0


def test_a_narrative_is_scored_as_it_was_read():
    found = riskml.read_narrative("LA TOMO DEL CUELLO Y LA AMENAZO CON UN CUCHILLO. NIEGA CONSUMO DE DROGAS")
    result = score(found.assign(case_id="A"), "proxy_lethality_screen")
    assert result["band_low"].tolist() == ["high_danger"]


# ------------------------------------------------------------------ properties


def _answers(instrument):
    return st.fixed_dictionaries({code: st.sampled_from(STATES) for code in instrument.factors})


def _bounds(instrument, *rows):
    """Bounds of the score and of the place of its band, a row for each."""
    result = score(_frame(*rows), instrument)
    order = [band.name for band in instrument.bands]
    bands = [[order.index(name) for name in result[column]] for column in ("band_low", "band_high")]
    return list(zip(result["low"], result["high"], *bands, strict=True))


def _protective(instrument):
    losing = (item for item in instrument.scored.values() if item.points < 0)
    return {code for item in losing for group in item.factor_groups for code in group}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(data=st.data())
def test_bounds_contain_every_completion_and_are_reached(name, data):
    instrument = load_instrument(name)
    known = data.draw(_answers(instrument))
    answers = st.sampled_from(["present", "denied"])
    filled = [{code: state or data.draw(answers) for code, state in known.items()} for _ in range(3)]
    protective = _protective(instrument)
    worst = {c: s or ("denied" if c in protective else "present") for c, s in known.items()}
    best = {c: s or ("present" if c in protective else "denied") for c, s in known.items()}
    (low, high, band_low, band_high), at_worst, at_best, *answered = _bounds(
        instrument, known, worst, best, *filled
    )
    for row in answered:
        assert low <= row[0] <= row[1] <= high
        assert band_low <= row[2] <= row[3] <= band_high
    silent = sum(item.points for item in instrument.scored.values() if not item.factor_groups)
    assert (at_worst[1], at_best[0]) == (high, low)
    assert at_worst[0] == high - silent  # what no factor speaks of stays open


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(data=st.data())
def test_a_factor_that_turns_out_present_never_lowers_a_score(name, data):
    instrument = load_instrument(name)
    states = data.draw(_answers(instrument))
    code = data.draw(st.sampled_from(instrument.factors))
    absent, unknown, present = _bounds(
        instrument, *({**states, code: s} for s in ("denied", None, "present"))
    )
    if code in _protective(instrument):
        absent, present = present, absent
    assert all(a <= p for a, p in zip(absent, present, strict=True))
    assert (unknown[0], unknown[1]) == (absent[0], present[1])


@settings(max_examples=25)
@given(st.data())
def test_neither_the_order_of_rows_nor_of_columns_matters(data):
    instrument = load_instrument("proxy_danger_assessment")
    rows = data.draw(st.lists(_answers(instrument), min_size=1, max_size=6))
    frame = _frame(*rows)
    order = data.draw(st.permutations(range(len(rows))))
    columns = data.draw(st.permutations(list(frame.columns)))
    shuffled = score(frame.iloc[list(order)][columns], instrument)
    pd.testing.assert_frame_equal(shuffled.sort_index(), score(frame, instrument))


@settings(max_examples=50)
@given(st.lists(st.sampled_from(STATES), min_size=20, max_size=20))
def test_the_score_equals_a_slow_count(states):
    instrument = load_instrument("proxy_odara")
    answers = dict(zip(instrument.factors, states, strict=False))
    low = high = 0
    for item in instrument.scored.values():
        said = sum(any(answers.get(c) == "present" for c in group) for group in item.factor_groups)
        may = sum(any(answers.get(c) != "denied" for c in group) for group in item.factor_groups)
        low += said >= item.at_least and bool(item.factor_groups)
        high += may >= item.at_least or not item.factor_groups
    assert _bounds(instrument, answers)[0][:2] == (low, high)


# ------------------------------------------------------------------ words and pages


def test_the_words_name_the_proxy_the_bounds_and_what_is_unobserved():
    frame = _frame({"death_threat": "present"}, {"death_threat": "present", "relationship": "son"},
                   {"death_threat": "present", "relationship": None})  # fmt: skip
    rows = [row for _, row in score(frame, "proxy_epv_r").iterrows()]
    assert in_words(rows[0], "proxy_epv_r") == (
        "proxy-EPV-R: de 3 a 47 puntos de 47 (bajo a alto); sin observar: 18 de 19 reactivos"
    )
    assert in_words(rows[0], "proxy_epv_r", "en") == (
        "proxy-EPV-R: 3 to 47 points of 47 (low to high); unobserved: 18 of 19 items"
    )
    assert in_words(rows[1], "proxy_epv_r") == "proxy-EPV-R: no aplica a esta relación"
    assert in_words(rows[2], "proxy_epv_r").endswith("falta registrar la relación: puede que no aplique")


def test_the_page_is_fresh():
    written = (ROOT / "docs" / "instruments.md").read_text(encoding="utf-8")
    assert written == instruments_page(FOLDER), (
        "render it again: python -m riskml.instruments.docs models/instruments docs/instruments.md"
    )


def test_every_shipped_instrument_is_a_proxy_for_partners_and_keeps_its_tags():
    assert instrument_names() == NAMES
    catalogue = load_catalogue(ROOT / "features")
    columns = {column.name: column for column in catalogue.columns}
    for name in NAMES:
        instrument = load_instrument(name, factors=load_factors(ROOT / "features" / "factors.yml"))
        assert instrument.relationships == PARTNER_RELATIONSHIPS
        assert all(words.startswith("proxy-") for words in instrument.label.values())
        assert all(columns[column].kind == "number" for column in instrument.columns)
        for code in instrument.factors:  # a matrix names a factor's state by the factor's code
            if code in columns:
                assert columns[code].feature.column == "state"
    assert load_instrument("proxy_epv_r").range == (0, 47)  # 48 less the item on origin
    assert len(load_instrument("proxy_odara").scored) == 13
    assert len(load_instrument("proxy_lethality_screen").scored) == 11
    danger = load_instrument("proxy_danger_assessment")
    assert sum(item.points > 0 for item in danger.scored.values()) == 19


# ------------------------------------------------------------------ bad input


def _written(tmp_path, change):
    text = (FOLDER / "proxy_odara.yml").read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    path = tmp_path / "proxy_odara.yml"
    path.write_text(changed, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("tag: M\n", 'tag: "M?"\n', r"line \d+: .*tag: a figure tagged M\? was not checked"),
        ("tag: M\n", "tag: X\n", 'unknown tag "X"'),
        ("citation:", "citaton:", r'unknown key "citaton". Did you mean "citation"'),
        ("[partner, ex-partner]", "[partner, expartner]", 'relationships.1: "expartner" is not known'),
        ('es: "proxy-ODARA"', 'es: "ODARA"', "its name begins with proxy-"),
        ("from_score: 7", "from_score: 5", "from the lowest cut to the highest"),
        ("sources: [alcohol, [drugs", "sources: [alcohol, {column: x, at_leas: 1}, [drugs", "a column is w"),
        ("at_least: 2\n    note", "at_least: 9\n    note", "can never be met"),
        ("    sources: [confinement]\n", "", "that nothing speaks of needs a note"),
        ("points: 1", "", ""),
    ],
)  # fmt: skip
def test_a_file_says_where_it_is_wrong(tmp_path, old, new, what):
    if not what:
        old, new, what = "items:\n", "items:\n  confinement: {}\n", 'line .*"confinement" stands twice'
    path = _written(tmp_path, lambda text: text.replace(old, new, 1))
    with pytest.raises(RiskmlError, match=what) as caught:
        load_instrument(path)
    assert "proxy_odara.yml, line" in str(caught.value)


def test_a_factor_that_the_vocabulary_lacks_is_named(tmp_path):
    path = _written(tmp_path, lambda text: text.replace("sources: [confinement]", "sources: [confinment]"))
    with pytest.raises(RiskmlError, match='unknown factor "confinment"') as caught:
        load_instrument(path, factors=load_factors(ROOT / "features" / "factors.yml"))
    assert 'Did you mean "confinement"' in str(caught.value)


def test_an_unknown_instrument_gets_the_nearest_name():
    with pytest.raises(RiskmlError, match='Did you mean "proxy_epv_r"'):
        load_instrument("epv_r")


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (pd.DataFrame({"strangulatoin": ["present"]}), 'Did you mean "strangulatoin"'),
        (pd.DataFrame({"strangulation": ["yes"]}), "neither present nor denied"),
        (pd.DataFrame({"strangulation": [1.0]}), "neither present nor denied"),
        (pd.DataFrame({"factor": ["x"], "state": ["yes"], "case_id": ["A"]}), "neither present nor denied"),
        (pd.DataFrame({"factor": ["x"], "state": ["present"]}), "missing column: case_id"),
        (pd.DataFrame({"breach": ["denied"], "breaches_ever": ["2"]}), "holds words, not numbers"),
        ([], "a frame is expected, not list"),
    ],
)
def test_a_frame_that_cannot_be_scored_is_refused(frame, what):
    with pytest.raises(RiskmlError, match=what):
        score(frame, "proxy_epv_r")


def test_a_large_matrix_is_scored_at_once():
    rng = np.random.default_rng(0)
    instrument = load_instrument("proxy_danger_assessment")
    states = np.array(["present", "denied", None], dtype=object)
    frame = pd.DataFrame({code: states[rng.integers(3, size=50_000)] for code in instrument.factors})
    assert len(score(frame.assign(relationship="partner"), instrument)) == 50_000
