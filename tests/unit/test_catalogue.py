"""The catalogue: what it reads, what it refuses and in which words, and what its hash depends on."""

import json
from pathlib import Path

import pytest
import yaml

from riskml.errors import RiskmlError
from riskml.features.catalogue import Catalogue, Feature, load_catalogue
from riskml.features.definitions import window_microseconds

WORKSPACE = Path(__file__).parents[2] / "features"
DAY = 24 * 3_600_000_000

DESIGN = """
dimension: acts
table: incidents
features:
  incidents:            {aggregate: count, windows: [30d, 90d, 365d, ever], label: {es: Incidentes, en: Incidents}, direction: increasing}
  days_since_incident:  {aggregate: days_since, label: {es: Días desde el último incidente, en: Days since last incident}, direction: decreasing}
"""  # noqa: E501
FACTORS = """
weapon_used: {label: {es: Uso de arma, en: Weapon used}, dimension: acts}
strangulation: {label: {es: Estrangulamiento, en: Strangulation}, dimension: acts}
"""


@pytest.fixture
def folder(tmp_path):
    """Writes a folder of feature files: name of the file -> text."""

    def write(**files):
        features = tmp_path / "features"
        features.mkdir(exist_ok=True)
        for name, text in files.items():
            (features / f"{name}.yml").write_text(text, encoding="utf-8")
        return features

    return write


def _features(*lines, table="incidents", dimension="acts"):
    return "\n".join(
        [f"dimension: {dimension}", f"table: {table}", "features:", *(f"  {line}" for line in lines)]
    )


def _refusal(folder, *lines, table="incidents", dimension="acts"):
    with pytest.raises(RiskmlError) as error:
        load_catalogue(folder(acts=_features(*lines, table=table, dimension=dimension), factors=FACTORS))
    return str(error.value)


def test_the_form_of_the_design_is_read(folder):
    catalogue = load_catalogue(folder(acts=DESIGN))
    assert [column.name for column in catalogue.columns] == [
        "incidents_30d",
        "incidents_90d",
        "incidents_365d",
        "incidents_ever",
        "days_since_incident",
    ]
    assert [column.window_us for column in catalogue.columns] == [30 * DAY, 90 * DAY, 365 * DAY, None, None]
    column = catalogue.column("incidents_90d")
    assert (column.direction, column.dimension, column.kind, column.values) == (
        "increasing",
        "acts",
        "number",
        None,
    )
    assert column.label("es") == "Incidentes (90 días)"
    assert column.label("en") == "Incidents (90 days)"
    assert catalogue.column("incidents_ever").label("es") == "Incidentes (en todo el historial)"
    assert catalogue.column("days_since_incident").label("es") == "Días desde el último incidente"


def test_a_file_may_hold_several_blocks_as_documents_or_as_a_list(folder):
    measures = "dimension: response\ntable: measures\nfeatures:\n  in_force: {aggregate: in_force}\n"
    documents = load_catalogue(folder(acts=f"{DESIGN}---\n{measures}"))
    listed = "\n".join(f"- {json.dumps(block)}" for block in _blocks(DESIGN, measures))
    assert [c.name for c in load_catalogue(folder(acts=listed)).columns] == [
        c.name for c in documents.columns
    ]
    assert documents.feature("in_force").exposure
    assert not documents.feature("incidents").exposure


def _blocks(*texts):
    return [yaml.safe_load(text) for text in texts]


def test_an_aggregate_with_windows_looks_at_the_whole_record_unless_said(folder):
    catalogue = load_catalogue(folder(acts=_features("incidents: {aggregate: count}")))
    assert [column.name for column in catalogue.columns] == ["incidents_ever"]


def test_words_stand_where_a_category_is_and_ordered_ones_in_their_order(folder):
    text = "\n---\n".join(
        [
            _features("weapon: {aggregate: latest, column: state}", table="factors"),
            _features("job: {aggregate: latest, column: occupation}", table="aggressors"),
            _features("born: {aggregate: latest, column: birth_year}", table="aggressors"),
        ]
    )
    weapon, job, born = load_catalogue(folder(acts=text)).columns
    assert (weapon.kind, weapon.values) == ("category", ("denied", "present"))
    assert (job.kind, job.values) == ("category", None)
    assert (born.kind, born.values) == ("number", None)


def test_a_window_with_a_near_end_names_and_words_its_column(folder):
    text = _features(
        "x: {aggregate: count, windows: [30d-90d, 72h-30d, 365d-ever], label: {es: Hechos, en: Facts}}"
    )
    columns = load_catalogue(folder(acts=text)).columns
    assert [(c.name, c.near_us, c.window_us) for c in columns] == [
        ("x_30d_90d", 30 * DAY, 90 * DAY),
        ("x_72h_30d", 3 * DAY, 30 * DAY),
        ("x_365d_ever", 365 * DAY, None),
    ]
    assert [c.label("es") for c in columns] == [
        "Hechos (entre 30 y 90 días antes)",
        "Hechos (entre 72 horas y 30 días antes)",
        "Hechos (hace más de 365 días)",
    ]
    assert columns[2].label("en") == "Facts (more than 365 days ago)"


def test_windows_are_lengths_of_time():
    assert window_microseconds("72h") == 3 * DAY
    assert window_microseconds("ever") is None
    for wrong in ("30", "0d", "-3d", "3 d", "1y", "", "999999d", "1.5d"):
        with pytest.raises(RiskmlError, match="is not a window"):
            window_microseconds(wrong)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x: {aggregate: cuont}", 'unknown aggregate "cuont"\nDid you mean "count"?'),
        ("x: {windows: [30d]}", "aggregate is missing"),
        ("x: {aggregate: count, windows: [30]}", "windows"),
        ("x: {aggregate: count, windows: [1y]}", '"1y" is not a window\nWrite it in days or hours'),
        ("x: {aggregate: count, windows: [30d, 30d]}", 'window "30d" stands twice'),
        ("x: {aggregate: days_since, windows: [30d]}", "days_since has no windows"),
        ("x: {aggregate: days_since_third, windows: [30d]}", "days_since_third has no windows"),
        ("x: {aggregate: days_since_first, column: severity}", "days_since_first takes no column"),
        ("x: {aggregate: days_since_expiry}", "for the table measures alone"),
        (
            "x: {aggregate: count, windows: [90d-30d]}",
            "ends before it begins\nWrite the near end first: 30d-90d",
        ),
        ("x: {aggregate: count, windows: [30d-30d]}", "ends before it begins"),
        ("x: {aggregate: count, windows: [0d-30d]}", '"0d-30d" is not a window'),
        ("x: {aggregate: count, windows: [ever-30d]}", '"ever-30d" is not a window'),
        ("x: {aggregate: count, windows: [30d-60d-90d]}", "is not a window"),
        ("x: {aggregate: sum, column: occurred_on}", "occurred_on is for distinct alone"),
        ("x: {aggregate: latest, column: occurred_on}", "occurred_on is for distinct alone"),
        ("x: {aggregate: distinct, column: recording_lag}", "recording_lag is for sum, mean, max and latest"),
        ("x: {aggregate: sum, column: recording_lagg}", 'Did you mean "recording_lag" or'),
        ("x: {aggregate: count, where: recording_lag > 7}", "recorded_at - occurred_at > interval"),
        ("x: {aggregate: formula}", "needs a formula"),
        ("x: {aggregate: sum}", "sum needs a column"),
        ("x: {aggregate: count, column: severity}", "count takes no column"),
        ("x: {aggregate: sum, column: source}", 'sum cannot read column "source"'),
        ("x: {aggregate: max, column: source}", "max needs a number or words with an order"),
        ("x: {aggregate: latest, column: occurred_at}", "for a time use days_since"),
        ("x: {aggregate: latest, column: incident_id}", "keyed hashes"),
        ("x: {aggregate: latest, column: narrative}", "free text"),
        ("x: {aggregate: max, column: superseded_at}", "leak the future"),
        ("x: {aggregate: sum, column: sevrity}", 'Did you mean "severity"?'),
        ("x: {aggregate: distinct, column: ethnicity}", "for audits only"),
        ("x: {aggregate: in_force}", "for the table measures alone"),
        ("x: {aggregate: days_to_expiry}", "for the table measures alone"),
        ("x: {aggregate: count, over: agressor}", 'unknown over "agressor"\nDid you mean "aggressor"?'),
        ("x: {aggregate: count, direction: up}", 'unknown direction "up"'),
        ("x: {aggregate: count, lable: {es: a, en: b}}", 'unknown key "lable"\nDid you mean "label"?'),
        ("x: {aggregate: count, label: {es: a}}", "label needs words in es and in en"),
        ("x: {aggregate: count, label: Incidentes}", "label needs words in es and in en"),
        ("x: {aggregate: count, label: {es: a, en: ''}}", "label needs words in es and in en"),
        ("x: {aggregate: count, where: severity > 9}", "severity never is 9"),
        ("x: {aggregate: count, where: 3}", "where:"),
        ("x: {aggregate: count, evidence: trust me}", "has no provenance tag"),
        ("x: {aggregate: count, exposure: perhaps}", "exposure:"),
        ("x-y: {aggregate: count}", '"x-y" cannot name a column'),
        ("x: count", "a feature is a mapping"),
    ],
)
def test_a_fault_is_named_with_file_line_feature_and_how_to_mend_it(folder, line, says):
    text = _refusal(folder, line)
    name = line.partition(":")[0]
    assert text.startswith(f'features/acts.yml, line 4, feature "{name}": ')
    assert says in text


def test_the_example_of_the_house_style(folder):
    text = _refusal(folder, "a: {aggregate: any}", "weapon_used: {aggregate: any, where: wepon_used = 1}")
    assert text.startswith(
        'features/acts.yml, line 5, feature "weapon_used": unknown column "wepon_used" of table incidents\n'
    )
    assert "(table: factors, where: factor = 'weapon_used')" in text


@pytest.mark.parametrize(
    ("table", "line", "says"),
    [
        ("victims", "x: {aggregate: latest, column: sex}", "for audits only"),
        ("victims", "x: {aggregate: count, where: sex = 'female'}", "for audits only"),
        ("cases", "x: {aggregate: latest, column: municipality}", "for audits only"),
        ("cases", "x: {aggregate: count, where: municipality = 'Fresnillo'}", "for audits only"),
        ("cases", "x: {aggregate: count, where: closed_at is null}", "leak the future"),
        ("aggressors", "x: {aggregate: latest, column: birth_year, over: victim}", "holds facts of a person"),
        ("victims", "x: {aggregate: latest, column: birth_year, over: aggressor}", "holds facts of a person"),
        ("factors", "x: {aggregate: any, where: factor = 'stragulation'}", 'Did you mean "strangulation"?'),
        ("factors", "x: {aggregate: distinct, column: evidence}", "quoted words"),
        ("levels", "x: {aggregate: distinct, column: analyst}", "member of staff"),
        ("levels", "x: {aggregate: latest, column: basis}", "free text"),
    ],
)
def test_each_table_refuses_what_may_not_be_a_predictor(folder, table, line, says):
    assert says in _refusal(folder, line, table=table)


def test_an_unknown_table_or_dimension_is_named_where_it_stands(folder):
    text = _refusal(folder, "x: {aggregate: count}", table="incidnets")
    assert (
        text == 'features/acts.yml, line 2, feature "x": unknown table "incidnets"\nDid you mean "incidents"?'
    )
    text = _refusal(folder, "x: {aggregate: count}", dimension="act")
    assert text == 'features/acts.yml, line 1, feature "x": unknown dimension "act"\nDid you mean "acts"?'


def test_what_was_done_is_an_exposure_and_cannot_be_called_otherwise(folder):
    text = _refusal(folder, "x: {aggregate: count, exposure: false}", table="responses", dimension="response")
    assert "is an exposure" in text


def test_all_problems_of_a_folder_come_at_once(folder):
    acts = _features("a: {aggregate: cuont}", "b: {aggregate: sum}", "b: {aggregate: count}")
    victim = _features("a: {aggregate: count, where: sevrity > 1}", "incidents: {aggregate: count}")
    extra = _features(
        "incidents: {aggregate: any}", "i_30d: {aggregate: days_since}", "i: {aggregate: any, windows: [30d]}"
    )
    with pytest.raises(RiskmlError) as error:
        load_catalogue(folder(acts=acts, victim=victim, extra=extra, broken="a: [", empty=""))
    text = str(error.value)
    for expected in (
        'features/acts.yml, line 4, feature "a": unknown aggregate',
        'features/acts.yml, line 6: "b" stands twice',
        'features/victim.yml, line 4, feature "a": unknown column "sevrity"',
        'feature "incidents": the name stands already at features/extra.yml, line 4',
        'its column "i_30d" is also one of feature',
        "features/broken.yml, line 1: not valid YAML",
    ):
        assert expected in text
    assert text.splitlines()[0].endswith("problems in the catalogue")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dimension: acts\ntable: incidents\n", "a block needs dimension, table and features"),
        ("table: incidents\nfeatures: {x: {aggregate: count}}\n", "the block has no dimension"),
        (
            "dimension: acts\ntable: incidents\nfeature: {}\nfeatures: {x: {aggregate: count}}\n",
            'unknown key "feature"',
        ),
        ("- 3\n", "a block needs dimension, table and features"),
        ("just words", "a block needs dimension, table and features"),
        ("a: &x [1]\nb: *x\n", "anchors and aliases"),
        ("a: !!python/object/apply:os.system ['true']\n", "a block needs"),
        ("a: !!python/name:os.system\n", "not valid YAML"),
        ("a: {b: }}\n", "not valid YAML"),
    ],
)
def test_a_file_of_another_form_is_refused(folder, text, says):
    with pytest.raises(RiskmlError, match=r"acts\.yml") as error:
        load_catalogue(folder(acts=text))
    assert says in str(error.value)


def test_no_folder_and_an_empty_folder_say_so(tmp_path):
    with pytest.raises(RiskmlError, match="no feature files here"):
        load_catalogue(tmp_path / "nowhere")
    with pytest.raises(RiskmlError, match="no feature files here"):
        load_catalogue(tmp_path)


def test_a_file_that_is_not_utf8_is_refused(folder):
    features = folder(acts=DESIGN)
    (features / "acts.yml").write_bytes("label: Días".encode("latin-1"))
    with pytest.raises(RiskmlError, match="not UTF-8"):
        load_catalogue(features)


def test_the_hash_depends_on_what_decides_the_numbers_alone(folder):
    first = load_catalogue(folder(acts=DESIGN)).hash
    words = DESIGN.replace("Incidentes", "Hechos") + "# a comment\n"
    assert load_catalogue(folder(acts=words)).hash == first
    turned = _features(*reversed([line.strip() for line in DESIGN.strip().splitlines()[3:]]))
    assert load_catalogue(folder(acts=turned)).hash == first
    for change in (
        ("365d", "180d"),
        ("aggregate: count", "aggregate: any"),
        ("direction: increasing", "over: victim"),
    ):
        assert load_catalogue(folder(acts=DESIGN.replace(*change))).hash != first


def test_conditions_that_say_the_same_hash_the_same(folder):
    once = load_catalogue(folder(acts=_features("x: {aggregate: count, where: severity >= 3}")))
    again = load_catalogue(folder(acts=_features("x: {aggregate: count, where: ' (severity  >=  3)'}")))
    assert once.hash == again.hash
    assert once.feature("x").where == '("severity" >= 3)'


def test_a_document_gives_the_same_catalogue():
    catalogue = load_catalogue(WORKSPACE)
    document = json.loads(json.dumps(catalogue.to_document()))
    again = Catalogue.from_document(document)
    assert again.hash == catalogue.hash
    assert [c.name for c in again.columns] == [c.name for c in catalogue.columns]
    assert again.factors == catalogue.factors
    assert again.tables_read == catalogue.tables_read
    assert [c.label("es") for c in again.columns] == [c.label("es") for c in catalogue.columns]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"where": "severity > (select 1)"}, "not sound"),
        ({"where": "severity > 1"}, "changed after it was written"),
        ({"aggregate": "exec"}, "not one that riskml wrote"),
        ({"column": "narrative", "aggregate": "latest", "windows": []}, "not sound"),
    ],
)
def test_a_tampered_document_is_refused(folder, change, says):
    document = load_catalogue(folder(acts=DESIGN)).to_document()
    document["features"][0].update(change)
    with pytest.raises(RiskmlError, match=says):
        Catalogue.from_document(document)


@pytest.mark.parametrize(
    "document", [{}, None, {"hash": "", "features": [3], "factors": []}, {"features": []}]
)
def test_what_is_no_catalogue_is_refused(document):
    with pytest.raises(RiskmlError, match="not one that riskml wrote"):
        Catalogue.from_document(document)


def test_what_a_history_has_to_hold(folder):
    text = _features("x: {aggregate: sum, column: severity, where: source = '911'}")
    read = load_catalogue(folder(acts=text)).tables_read
    clock = {"occurred_at", "recorded_at", "superseded_at"}
    assert read == {
        "cases": {"case_id", "aggressor_id", "victim_id"} | clock,
        "incidents": {"case_id", "severity", "source"} | clock,
    }


def test_a_name_that_is_not_there_gets_the_nearest_one(folder):
    catalogue = load_catalogue(folder(acts=DESIGN))
    with pytest.raises(RiskmlError, match='Did you mean "incidents_30d"'):
        catalogue.column("incident_30d")
    with pytest.raises(RiskmlError, match='unknown feature "incident"'):
        catalogue.feature("incident")


def test_a_feature_cannot_be_changed(folder):
    feature = load_catalogue(folder(acts=DESIGN)).feature("incidents")
    assert isinstance(feature, Feature)
    with pytest.raises(ValueError, match="frozen"):
        feature.aggregate = "any"
