"""Another register's table through a mapping: every row is a case or stands apart with its reasons."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.fatality.coding.mapping import about_mapping, mapped_narratives, read_mapped
from riskml.fatality.form import SHEETS
from riskml.vocabulary import Factor, FactorVocabulary

VOCABULARY = FactorVocabulary({"separation": Factor("separation", {"es": "x", "en": "x"}, "relationship")})
HEADER = ["id", "when", "kin", "complaint", "age", "story", "place", "category"]
MAPPING = """
source: {es: Registro, en: Register}
review_id: {prefix: X-, column: id}
event_on: {column: when}
only:
  - {column: category, values: [Intimate], why: {es: No es íntimo, en: Not intimate}}
cases:
  kind: {constant: femicide}
  status: {constant: closed}
  relationship: {column: kin, values: {Husband: partner, Ex: ex-partner}, unknown: [Not said]}
  earlier_report: {column: complaint, values: {"Yes": "yes", "No": "no"}, unknown: ["", Unknown]}
people:
  - {role: victim, sex: {constant: female}, age: {column: age, values: {young: 15-24}, unknown: [""]}}
factors:
  - {factor: separation, column: kin, values: {Ex: present}, unknown: [Husband, Not said], known: before}
narratives: [story]
left_out: {place: not compared}
"""
GOOD = ["1", "2024-02-29", "Husband", "No", "40", "Contó algo.", "there", "Intimate"]
DIFFERENT = dict(zip(HEADER, GOOD, strict=True))


@pytest.fixture
def read(tmp_path):
    """A function: rows (what differs from a good one) -> sheets, rejected."""

    def mapped(*rows, text=MAPPING, header=HEADER, function=read_mapped):
        frame = pd.DataFrame([DIFFERENT | {"id": str(n)} | row for n, row in enumerate(rows, start=1)])
        frame.reindex(columns=header).to_csv(tmp_path / "table.csv", index=False)
        (tmp_path / "map.yml").write_text(text, encoding="utf-8")
        return function(tmp_path / "table.csv", tmp_path / "map.yml", VOCABULARY)

    return mapped


def test_a_row_becomes_a_case_in_the_forms_words(read):
    sheets, rejected = read({}, {"kin": "Ex", "complaint": "Unknown", "age": "young"})
    assert not len(rejected)
    cases = sheets["cases"]
    assert set(SHEETS["cases"].names) <= set(cases.columns)
    assert cases["review_id"].tolist() == ["X-1", "X-2"]
    assert cases["event_on"].tolist() == [pd.Timestamp("2024-02-29")] * 2
    assert cases["relationship"].tolist() == ["partner", "ex-partner"]
    assert cases["earlier_report"].tolist() == ["no", "unknown"]
    assert cases["event_precision"].tolist() == ["day", "day"]
    assert cases["measure_in_force"].tolist() == ["unknown", "unknown"], "the table does not speak of it"
    assert sheets["people"]["age"].tolist() == ["40", "15-24"]
    factors = sheets["factors"]
    assert factors["state"].tolist() == ["unknown", "present"]
    assert factors["known"].tolist() == ["before", "before"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"kin": "Spouse"}, ["kin", "Spouse"]),
        ({"kin": ""}, ["kin"]),
        ({"complaint": "perhaps"}, ["complaint", "perhaps"]),
        ({"when": "29/02/2024"}, ["when", "29/02/2024"]),
        ({"when": "2023-02-29"}, ["when", "2023-02-29"]),
        ({"age": "forty"}, ["age", "forty"]),
        ({"age": "400"}, ["age", "400"]),
        ({"id": ""}, ["id"]),
        ({"id": "1"}, ["X-1"]),
        ({"kin": "Spouse", "age": "-1"}, ["Spouse", "-1"]),
    ],
)
def test_what_the_mapping_does_not_name_rejects_the_row_with_every_reason(read, wrong, named):
    sheets, rejected = read({}, wrong)
    assert len(sheets["cases"]) == 1
    row = rejected.iloc[0]
    assert (row["row"], row["why"]) == (3, "rejected")
    assert all(word in row["reasons"] for word in named)
    assert row["story"] == GOOD[5], "the row is kept as it was"


def test_capitals_and_outer_spaces_are_no_other_value(read):
    sheets, rejected = read({"kin": " HUSBAND ", "age": "40.0"})
    assert not len(rejected)
    assert (sheets["cases"]["relationship"][0], sheets["people"]["age"][0]) == ("partner", "40")


def test_a_filter_leaves_rows_out_and_says_why(read):
    sheets, rejected = read({}, {"category": "Other", "kin": "Spouse"})
    assert len(sheets["cases"]) == 1
    assert rejected[["why", "reasons"]].values.tolist() == [["left_out", "No es íntimo"]]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "kin": st.sampled_from(["Husband", "Ex", "Not said", "Spouse", ""]),
                "complaint": st.sampled_from(["Yes", "No", "Unknown", "", "n/a"]),
                "category": st.sampled_from(["Intimate", "Other"]),
                "when": st.sampled_from(["2024-01-01", "2024-13-01"]),
            }
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=15, deadline=None)
def test_every_row_is_somewhere_and_only_named_values_are_unknown(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("mapped")
    frame = pd.DataFrame([DIFFERENT | {"id": str(n)} | row for n, row in enumerate(rows)])
    frame.to_csv(folder / "table.csv", index=False)
    (folder / "map.yml").write_text(MAPPING, encoding="utf-8")
    sheets, rejected = read_mapped(folder / "table.csv", folder / "map.yml")
    cases = sheets["cases"]
    assert sorted([*cases["source_row"], *rejected["row"]]) == list(range(2, len(rows) + 2))
    for case in cases.itertuples():
        source = rows[case.source_row - 2]
        said = {"Yes": "yes", "No": "no", "Unknown": "unknown", "": "unknown"}
        assert case.earlier_report == said[source["complaint"]]
        assert source["category"] == "Intimate"
    good = [
        r["category"] == "Intimate"
        and r["kin"] not in ("Spouse", "")
        and r["complaint"] != "n/a"
        and r["when"] == "2024-01-01"
        for r in rows
    ]
    assert len(cases) == sum(good)


def test_a_month_is_not_taken_for_a_day(read):
    months = "[ene, feb, mar, abr, may, jun, jul, ago, sep, oct, nov, dic]"
    text = MAPPING.replace("{column: when}", f"{{year: when, month: place, months: {months}}}")
    text = text.replace("left_out: {place: not compared}", "")
    sheets, rejected = read({"when": "2024", "place": "Feb"}, {"when": "2024", "place": "febr"}, text=text)
    assert sheets["cases"]["event_on"].tolist() == [pd.Timestamp("2024-02-01")]
    assert sheets["cases"]["event_precision"].tolist() == ["month"]
    assert rejected["row"].tolist() == [3]


def test_a_row_for_two_victims_is_two_cases(read):
    text = MAPPING.replace("left_out: {place: not compared}", "cases_per_row: place")
    sheets, rejected = read({"place": "2"}, {"place": "1"}, {"place": "many"}, text=text)
    assert sheets["cases"]["review_id"].tolist() == ["X-1", "X-1-2", "X-2"]
    assert len(sheets["people"]) == 3
    assert rejected["row"].tolist() == [4]


def test_narratives_are_handed_over_for_suggestions_and_become_no_code(read):
    sheets, _ = read({}, {"story": ""}, {"kin": "Spouse"}, {"category": "Other"})
    assert "Contó" not in str({name: frame.to_dict() for name, frame in sheets.items()})
    texts = read({}, {"story": ""}, {"kin": "Spouse"}, {"category": "Other"}, function=mapped_narratives)
    assert texts.values.tolist() == [["X-1", "Contó algo."]]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "Husband: partner",
            "Husband: partnr",
            r'line 10.*"partnr" is not known here. Did you mean "partner"',
        ),
        ("cases:", "case:", 'unknown key "case". Did you mean "cases"'),
        ("  status: {constant: closed}\n", "", "cases.status is missing"),
        ("{constant: femicide}", "{constant: femicide, column: kin}", "`column` or `constant`"),
        ("column: complaint", "column: complant", 'no column "complant". Did you mean "complaint"'),
        ("left_out: {place: not compared}", "", 'column "place" of the table is not spoken of'),
        ("factor: separation", "factor: separatoin", 'Did you mean "separation"'),
        ("young: 15-24", "young: teens", '"teens" is no age'),
        ("{Husband: partner,", "{Husband: partner, husband: partner,", "stands twice"),
        ("{column: when}", "{year: when}", "`column`, or `year` and `month`"),
        ("earlier_report:", "earlier_reports:", 'Did you mean "earlier_report"'),
    ],
)
def test_a_mapping_that_does_not_fit_says_where_and_how_to_mend(read, old, new, words):
    assert old in MAPPING
    with pytest.raises(RiskmlError, match=words) as error:
        read({}, text=MAPPING.replace(old, new, 1))
    assert "map.yml" in str(error.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b'id,"unclosed\n'])
def test_a_table_that_does_not_read_is_said(tmp_path, content):
    (tmp_path / "table.csv").write_bytes(content)
    (tmp_path / "map.yml").write_text(MAPPING, encoding="utf-8")
    with pytest.raises(RiskmlError):
        read_mapped(tmp_path / "table.csv", tmp_path / "map.yml")


def test_columns_that_stand_twice_are_refused(tmp_path):
    (tmp_path / "table.csv").write_text("id,id\n1,2\n", encoding="utf-8")
    (tmp_path / "map.yml").write_text(MAPPING, encoding="utf-8")
    with pytest.raises(RiskmlError, match="columns stand twice: id"):
        read_mapped(tmp_path / "table.csv", tmp_path / "map.yml")


def test_a_mapping_says_what_reviews_keep_of_their_source(tmp_path):
    (tmp_path / "map.yml").write_text(MAPPING, encoding="utf-8")
    about = about_mapping(tmp_path / "map.yml")
    assert about["source"]["en"] == "Register"
    assert (about["event_on_precision"], about["left_out"]) == ("day", {"place": "not compared"})
    assert about["only"][0]["en"] == "Not intimate"
