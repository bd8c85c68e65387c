"""The lethal model: priors that their tags allow, three states, a table side by side, no probability."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.models.lethal import LethalModel, fit_lethal
from riskml.models.priors import load_priors
from riskml.models.relative_risk import RelativeRisk, combined_states
from riskml.models.spec import load_model_file, model_names
from riskml.vocabulary import PARTNER_RELATIONSHIPS, load_factors

ROOT = Path(__file__).parents[2]
FILE = ROOT / "models" / "priors" / "lethal.yml"
WORDS = np.array(["denied", "present", None], dtype=object)
PRIORS = load_priors("lethal")
CODES = PRIORS.codes


def _review(cases=12, controls=60, seed=0, unknown=0.3):
    """Factor frames of cases and controls, and outcomes: the odds of each code tilted by 3 among cases."""
    rng = np.random.default_rng(seed)
    y = np.repeat([1.0, 0.0], [cases, controls])
    x = rng.random((len(y), len(CODES))) < np.where(y[:, None] == 1, 0.43, 0.2)
    states = np.where(rng.random(x.shape) < unknown, 2, x)
    frame = pd.DataFrame(WORDS[states], columns=list(CODES)).assign(relationship="partner")
    return frame, y


@pytest.fixture(scope="module")
def model():
    frame, y = _review()
    return fit_lethal(frame, y, base_rate=0.0005)


def _one(**states):
    return pd.DataFrame([{**dict.fromkeys(CODES), "relationship": "partner", **states}])


# ------------------------------------------------------------------ the file of priors


def test_the_draft_names_pre_specified_factors_that_the_vocabulary_has():
    vocabulary = load_factors(ROOT / "features" / "factors.yml")
    priors = load_priors(FILE, factors=vocabulary)
    assert len(priors.factors) == 10
    assert priors.relationships == PARTNER_RELATIONSHIPS
    assert priors.outcome.event == ("lethal",)
    assert priors.outcome.horizon == "365d"
    assert (priors.sd == 0.5).all()
    spec = load_model_file(ROOT / "models" / "lethal.yml")
    assert "lethal" in model_names(ROOT / "models")
    assert spec.priors == priors
    assert spec.outcome.horizon == "365d"


def test_each_figure_of_the_draft_is_one_of_the_vocabulary_with_the_same_tag():
    """No figure is invented, and none is upgraded: every tag stands with a finding on that factor."""
    vocabulary = load_factors(ROOT / "features" / "factors.yml")
    for name, prior in PRIORS.factors.items():
        tags = {finding.tag for code in PRIORS.definition(name)[1] for finding in vocabulary[code].evidence}
        assert prior.tag in tags, name
        assert prior.tag != "M?", name


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('tag: "S:4"', 'tag: "M?"', r"firearm_access: a figure tagged M\? was not checked: only with p"),
        ('tag: "S:4"', 'tag: "M?"\n    prior_only: true', r"only with an sd of 1 or more"),
        ('tag: "S:4"', 'tag: "M?"\n    prior_only: true\n    sd: 0.5', r"only with an sd of 1 or more"),
        ('tag: "S:4"', 'tag: "S:4"\n    prior_only: true', r"prior_only is said of figures tagged M\?"),
        ('tag: "S:4"', "tag: A", "assumed for simulations: it is no prior"),
        ('tag: "S:4"', "tag: seen", 'unknown tag "seen"'),
        ("odds_ratio: 5.38", "odds_ratio: 0", "firearm_access.odds_ratio: Input should be greater than 0"),
        ("odds_ratio: 5.38", "odd_ratio: 5.38", 'unknown key "odd_ratio". Did you mean "odds_ratio"'),
        ("event: lethal", "event: letal", 'Did you mean "lethal"'),
        ("all_of: [separation, control]", "all_of: [separation]", "at least 2 items"),
        ("label: {es: Consumo de drogas ilícitas", "study: {es: Consumo de drogas ilícitas", "stands twice"),
    ],
)  # fmt: skip
def test_a_prior_that_its_tag_does_not_allow_is_refused_with_its_line(tmp_path, old, new, what):
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "lethal.yml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RiskmlError, match=what) as caught:
        load_priors(path)
    assert "lethal.yml, line" in str(caught.value)


def test_a_factor_made_of_several_needs_a_label(tmp_path):
    lines = FILE.read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "lethal.yml"
    path.write_text("".join(line for line in lines if "Separación de una pareja" not in line), "utf-8")
    with pytest.raises(RiskmlError, match=r"separation_from_control: .* needs a label of its own"):
        load_priors(path)


def test_an_unchecked_figure_with_a_wide_prior_is_taken_and_said(tmp_path):
    text = FILE.read_text(encoding="utf-8")
    path = tmp_path / "lethal.yml"
    path.write_text(
        text.replace('tag: "S:4"', 'tag: "M?"\n    prior_only: true\n    sd: 1.2', 1), encoding="utf-8"
    )
    frame, y = _review()
    model = fit_lethal(frame, y, load_priors(path), base_rate=0.0005)
    assert model.table().loc["firearm_access", "prior_only"]
    assert any("sin verificar: solo punto de partida" in line for line in model.words("es"))
    assert any("not checked: a starting value only" in line for line in model.words("en"))


@pytest.mark.parametrize(
    ("code", "what"), [("strangulatoin", 'Did you mean "strangulation"'), ("prior_arrest", "an exposure")]
)
def test_unknown_factors_and_responses_are_refused(tmp_path, code, what):
    path = tmp_path / "lethal.yml"
    path.write_text(FILE.read_text(encoding="utf-8").replace("\n  strangulation:", f"\n  {code}:"), "utf-8")
    with pytest.raises(RiskmlError, match=what):
        load_priors(path, factors=load_factors(ROOT / "features" / "factors.yml"))


# ------------------------------------------------------------------ three states


def test_factors_made_of_several_are_present_denied_or_unknown():
    frame = pd.DataFrame(
        {
            "a": ["present", "present", "present", "denied", "denied", None],
            "b": ["present", "denied", None, "denied", None, None],
        }
    )
    x, _ = combined_states(frame, {"any": ("any", ("a", "b")), "all": ("all", ("a", "b"))})
    nan = np.nan
    np.testing.assert_array_equal(x[:, 0], [1, 1, 1, 0, nan, nan])
    np.testing.assert_array_equal(x[:, 1], [1, 0, nan, 0, 0, nan])


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0, 1, 2]), min_size=len(CODES), max_size=len(CODES)), st.data())
def test_an_unknown_factor_lies_between_its_answers_and_silence_never_lowers_the_risk(model, states, data):
    known = dict(zip(CODES, WORDS[states], strict=True))
    code = data.draw(st.sampled_from(CODES))
    frame = pd.concat([_one(**{**known, code: state}) for state in WORDS], ignore_index=True)
    denied, present, unknown = (row for _, row in model.relative.score(frame).iterrows())
    order = (present, unknown, denied) if code == "never_cohabited" else (denied, unknown, present)
    for value in ("relative", "low", "high"):
        found = [row[value] for row in order]
        assert found[0] <= found[1] * 1.02
        assert found[1] <= found[2] * 1.02
    assert unknown["least"] == pytest.approx(min(denied["least"], present["least"]))
    assert unknown["most"] == pytest.approx(max(denied["most"], present["most"]))
    for row in order:
        assert row["least"] <= row["relative"] <= row["most"]
        assert row["low"] <= row["relative"] <= row["high"]


def test_unknown_factors_widen_the_interval(model):
    known = model.relative.score(_one(**dict.fromkeys(CODES, "denied"))).iloc[0]
    unknown = model.relative.score(_one()).iloc[0]
    assert unknown["high"] / unknown["low"] > 3 * known["high"] / known["low"]
    assert known["least"] == known["most"] == pytest.approx(known["relative"])


def test_the_average_of_the_reference_is_one():
    frame, y = _review(cases=20, controls=200)
    registry, _ = _review(cases=5, controls=3000, seed=3)
    model = fit_lethal(frame, y, reference=registry)
    assert model.relative.score(registry)["relative"].mean() == pytest.approx(1)
    assert model.population_intercept is None  # nobody said what the base rate is
    weighted = fit_lethal(frame, y, base_rate=0.001)
    back = np.where(y == 1, 0.001 / (20 / 220), 0.999 / (200 / 220))
    assert np.average(weighted.relative.score(frame)["relative"], weights=back) == pytest.approx(1)


def test_intervals_of_the_relative_risk_cover_the_truth():
    rng, inside, half_known = np.random.default_rng(5), [], []
    registry, _ = _review(cases=1, controls=500, seed=6, unknown=0.0)
    probe, _ = _review(cases=1, controls=29, seed=7, unknown=0.0)
    definitions = {name: PRIORS.definition(name) for name in PRIORS.factors}
    everybody, probed = (combined_states(frame, definitions)[0] for frame in (registry, probe))
    for _ in range(40):
        b = rng.normal(PRIORS.mean, PRIORS.sd)
        odds = np.exp(everybody @ b)
        cases = registry.iloc[rng.choice(len(odds), 20, p=odds / odds.sum())]
        controls = registry.iloc[rng.choice(len(odds), 80)]
        review = pd.concat([cases, controls], ignore_index=True)
        model = fit_lethal(review, np.repeat([1, 0], [20, 80]), PRIORS, reference=registry)
        truth = np.exp(probed @ b) / odds.mean()
        hidden = probe.mask(rng.random(probe.shape) < 0.5).assign(relationship="partner")
        for shown, hits in ((probe, inside), (hidden, half_known)):
            result = model.relative.score(shown)
            hits.append((result["low"] <= truth) & (truth <= result["high"]))
    assert 0.9 <= np.mean(inside) <= 0.99
    assert 0.9 <= np.mean(half_known) <= 0.99


# ------------------------------------------------------------------ what is shown


def test_prior_data_and_posterior_stand_side_by_side_with_how_far_each_moved(model):
    table = model.table()
    assert table.index.tolist() == list(PRIORS.factors)
    assert table.loc["strangulation", "prior"] == pytest.approx(6.7)
    assert table.loc["strangulation", "prior_low"] == pytest.approx(6.7 * np.exp(-1.96 * 0.5), rel=1e-3)
    assert table.loc["strangulation", "share"] == 0.10
    assert table.loc["strangulation", "share_from"] == "S:1"
    assert table.loc["weapon_threat", "share_from"] == "controls"
    moved = (np.log(table["posterior"]) - np.log(table["prior"])) / 0.5
    assert table["moved"].to_numpy() == pytest.approx(moved.to_numpy())
    assert table["from_data"].between(0, 1).all()
    frame, y = _review()
    assert table.loc["strangulation", "cases_known"] == frame["strangulation"][y == 1].notna().sum()
    assert table.loc["strangulation", "cases_present"] == (frame["strangulation"][y == 1] == "present").sum()
    more = fit_lethal(*_review(cases=300, controls=1500), base_rate=0.0005).table()
    assert (more["from_data"] > table["from_data"]).all()


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_words_give_numbers_limits_and_doubts(model, language):
    lines = model.words(language, factors=load_factors(ROOT / "features" / "factors.yml"))
    assert len(lines) == 2 + len(PRIORS.factors)
    assert "12" in lines[0]
    assert "60" in lines[0]
    assert lines[1] == PRIORS.limits[language]
    doubt = {"es": "de memoria, por verificar", "en": "from memory, to be verified"}[language]
    assert [doubt in line for line in lines[2:]] == [p.tag == "M" for p in PRIORS.factors.values()]
    assert "[S:1]" in lines[2]


def test_what_the_data_cannot_tell_is_said(model):
    frame, y = _review()
    bare = fit_lethal(frame.assign(stepchild=None), y, base_rate=0.0005)
    row = bare.table().loc["stepchild"]
    assert np.isnan(row["data"])
    assert row["posterior"] == pytest.approx(2.23, rel=0.02)
    assert sum("no estimable" in line for line in bare.words("es")) == 1


def test_the_relative_risk_is_said_in_multiples_with_its_interval(model):
    frame = pd.concat([
        _one(**dict.fromkeys(CODES, "denied")),
        _one(**dict.fromkeys(CODES, "present")),
        _one(strangulation="present"),
        _one(strangulation="present", relationship="son"),
    ], ignore_index=True)  # fmt: skip
    rows = [row for _, row in model.relative.score(frame).iterrows()]
    words = [model.relative.words(row) for row in rows]
    assert words[0] == "menos de 0.1 veces el promedio del padrón"
    assert words[1] == "más de 20 veces el promedio del padrón"
    assert "faltan por saber 9 factores: según cuáles sean las respuestas, de" in words[2]
    assert words[2].endswith("a más de 20")
    assert "9 factors are unknown" in model.relative.words(rows[2], "en")
    assert words[3] == "no aplica a esta relación"
    assert np.isnan(rows[3]["relative"])
    pattern = model.relative.pattern(frame)
    assert pattern.loc[2, "strangulation"] == "present"
    assert pattern.loc[2, "separation_from_control"] == "unknown"
    assert pattern.loc[0, "separation_from_control"] == "denied"


def test_nobodys_probability_can_be_had_of_what_scoring_holds(model):
    for holder in (LethalModel, RelativeRisk):
        names = [name for name in dir(holder) if not name.startswith("_")]
        assert not [name for name in names if "predict" in name or "proba" in name]
    document = json.loads(json.dumps(model.relative.to_document(), sort_keys=True))
    assert set(document) == {
        "definitions", "relationships", "average", "coefficients", "covariance", "shares", "centre",
    }  # fmt: skip
    again = RelativeRisk.from_document(document)
    frame, _ = _review(seed=9)
    pd.testing.assert_frame_equal(again.score(frame), model.relative.score(frame))
    # Another base rate with the same standing among cases: the risk of each stays what it was to the others.
    _, y = _review()
    other = fit_lethal(_review()[0], y, base_rate=0.00005)
    ratio = other.relative.score(frame)["relative"] / model.relative.score(frame)["relative"]
    assert np.ptp(ratio) < 1e-9


def test_leaving_one_out_ranks_cases_above_controls_without_their_own_help(model):
    left_out = model.leave_one_out()
    assert left_out["outcome"].sum() == 12
    cases, controls = (left_out.loc[left_out["outcome"] == v, "log_relative"] for v in (1, 0))
    assert cases.mean() > controls.mean()
    apparent = np.log(model.relative.score(_review()[0])["relative"])
    assert cases.mean() < apparent[:12].mean()


def test_risk_sets_are_taken_with_a_reference():
    frame, y = _review(cases=15, controls=75, unknown=0.2)
    sets = np.append(np.arange(15), np.repeat(np.arange(15), 5))
    model = fit_lethal(frame, y, reference=frame[y == 0], sets=sets)
    assert model.population_intercept is None
    assert len(model.leave_one_out()) == 90
    assert model.table()["posterior"].between(0.01, 100).all()


def test_a_long_frame_of_factors_is_read_too(model):
    long = pd.DataFrame(
        {"case_id": ["A", "A"], "factor": ["strangulation", "stepchild"], "state": ["present", "denied"]}
    ).assign(relationship="partner")
    wide = model.relative.score(_one(strangulation="present", stepchild="denied"))
    assert model.relative.score(long)["relative"].tolist() == pytest.approx(wide["relative"].tolist())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"base_rate": None}, "what risk is relative to is not given"),
        ({"base_rate": 1.0}, "base_rate must lie between 0 and 1"),
        ({"frame": _review()[0].assign(relationship="son")}, "72 of 72 rows are of other relationships"),
        ({"frame": _review()[0].assign(strangulation="yes")}, "neither present nor denied"),
        ({"frame": pd.DataFrame({"x": [1]})}, "none of the factors is a column"),
        ({"outcome": np.zeros(72)}, "both must be there"),
        ({"priors": "letal"}, 'Did you mean "lethal"'),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, what):
    frame, y = _review()
    given = {"frame": frame, "outcome": y, "base_rate": 0.0005, **change}
    with pytest.raises(RiskmlError, match=what):
        fit_lethal(**given)
