"""Conditions: what an analyst may write, what is refused, and that only the written form is evaluated."""

from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskml.errors import RiskmlError
from riskml.features import masks
from riskml.features.conditions import parse_condition
from riskml.features.masks import condition_masks
from riskml.registry.contract import TABLES, Kind

FACTORS = ("strangulation", "weapon_threat", "weapon_used")


def _times(*days):
    return pa.array([None if d is None else np.datetime64(d, "us") for d in days], pa.timestamp("us"))


INCIDENTS = pa.table(
    {
        "incident_id": ["1", "2", None, "4"],
        "source": ["911", "banevim", None, "police_report"],
        "severity": pa.array([0, 3, None, 5], pa.int64()),
        "occurred_at": _times("2025-01-01", "2025-02-01", "2025-03-01", None),
        "recorded_at": _times("2025-01-02", "2025-03-01", "2025-03-01", "2025-04-01"),
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("severity >= 3", [0, 1, 0, 1]),
        ("severity <> 3", [1, 0, 0, 1]),
        ("severity between 1 and 4", [0, 1, 0, 0]),
        ("not severity = 3", [1, 0, 0, 1]),  # what is unknown is neither
        ("severity is null", [0, 0, 1, 0]),
        ("severity is not null and source = '911'", [1, 0, 0, 0]),
        ("source in ('911', 'banevim')", [1, 1, 0, 0]),
        ("source not in ('911', 'banevim')", [0, 0, 0, 1]),
        ("source = '911' or severity > 4", [1, 0, 0, 1]),
        ("(source = '911' or severity >= 3) and severity < 4", [1, 1, 0, 0]),
        ("source = '911' or severity >= 3 and severity < 4", [1, 1, 0, 0]),
        ("recorded_at - occurred_at > interval '7 days'", [0, 1, 0, 0]),
        ("recorded_at > occurred_at + interval 24 hours", [0, 1, 0, 0]),
        ("occurred_at >= '2025-02-01'", [0, 1, 1, 0]),
        ("occurred_at < timestamp '2025-02-01 00:00:01'", [1, 1, 0, 0]),
        ("'2025-02-01' <= occurred_at", [0, 1, 1, 0]),
        ("incident_id is null", [0, 0, 1, 0]),
        ("severity + 1 >= 4", [0, 1, 0, 1]),
        ('"severity" >= 3', [0, 1, 0, 1]),
        ("severity\n  >= 3", [0, 1, 0, 1]),
    ],
)
def test_a_condition_selects_the_rows_it_says(text, expected):
    condition = parse_condition(text, "incidents", FACTORS)
    (mask,) = condition_masks(INCIDENTS, [condition.sql])
    assert mask.dtype == bool
    assert mask.tolist() == [bool(e) for e in expected]


def test_conditions_on_factors_and_on_every_kind_of_measure():
    assert parse_condition("factor = 'weapon_used' and state = 'present'", "factors", FACTORS).columns == (
        "factor",
        "state",
    )
    assert parse_condition(
        "kind in ('protection', 'custody') and expires_at is null", "measures"
    ).columns == (
        "expires_at",
        "kind",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        # another table, file or function
        ("severity > (select max(severity) from incidents)", "a query inside it"),
        ("severity in (select 1)", "may not hold"),
        ("exists (select 1)", "a query inside it"),
        ("severity in (1, (select 2))", "a query inside it"),
        ("read_csv('/etc/passwd') = 1", "function"),
        ("getenv('HOME') = source", "function"),
        ("lower(source) = '911'", "function"),
        ("severity > random()", "function"),
        ("@severity = 1", "function"),
        ("case when 1 = 1 then true end", "may not hold"),
        ("levels.level = 'high'", "may not hold"),
        ("main.levels.level = 'high'", "may not hold"),
        ("severity in unnest([1])", "may not hold"),
        # more than one statement, and tricks with what is not read
        ("severity > 1; drop table incidents", "not a condition"),
        ("severity > 1) or (1 = 1", "not a condition"),
        ("severity > 1 union select 1", "not a condition"),
        ("severity > 1 order by 1", "not a condition"),
        ("select 1", "not a condition"),
        ("severity > 1 -- and source = '911'", "comment"),
        ("severity /* x */ > 1", "comment"),
        ("/* x */ severity > 1", "comment"),
        ("severity > ?", "may not hold"),
        ("severity > $1", "may not hold"),
        ("severity > {{x}}", ""),
        ("severity[1] > 1", "may not hold"),
        ("severity::text = '1'", "may not hold"),
        ("cast(severity as varchar) = '1'", "may not hold"),
        ("severity > 1\x00", "cannot be printed"),
        ("severity > 1e300", "too long"),
        ("severity > 99999999999999999999", "too long"),
        ("(" * 300 + "severity > 1" + ")" * 300, "too long or too deep"),
        ("severity > 1 and " * 500 + "severity > 1", "too long or too deep"),
        ("not " * 400 + "severity > 1", ""),
        # what is not a condition at all
        ("", "empty"),
        ("   ", "empty"),
        (None, "empty"),
        (3, "empty"),
        ("1 = 1", "reads no column"),
        ("severity", "neither true nor false"),
        ("severity >", "not a condition"),
        ("severity > 1 and source", "neither true nor false"),
        ("(severity > 1) = (severity > 2)", "true or false and cannot be compared"),
        ("severity is true", "after `is`"),
        ("severity is distinct from 3", "may not hold"),
        ("source like '9%'", "may not hold"),
        # values that cannot be
        ("source = 'polise_report'", 'unknown source "polise_report"'),
        ("severity = 7", "severity never is 7"),
        ("severity = 'three'", "without quotes"),
        ("source = 911", "Quote it: '911'"),
        ('source = "911"', "single quotes: '911'"),
        ("source > '911'", "words have no order"),
        ("source between '911' and 'banevim'", "words have no order"),
        ("severity = null", "is null"),
        ("occurred_at > '2025-02-30'", "is not a date"),
        ("occurred_at > '2025-02-01T00:00+06:00'", "timezone"),
        ("occurred_at > 2025", "cannot be compared"),
        ("occurred_at - interval '1 month' > recorded_at", "minutes, hours, days or weeks"),
        ("incident_id = '7'", "keyed hashes"),
        ("severity in ()", ""),
        ("severity + occurred_at > 3", "cannot be computed"),
        # columns that may not be read
        ("sevrity > 2", 'Did you mean "severity"?'),
        ("wepon_used = 1", 'the factor "weapon_used"'),
        ("narrative = 'x'", "free text"),
        ("superseded_at is null", "leak the future"),
        ("ethnicity = 'x'", "audits only"),
        ("neighbourhood = 'x'", "audits only"),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(text, says):
    with pytest.raises(RiskmlError) as error:
        parse_condition(text, "incidents", FACTORS)
    assert says.lower() in str(error.value).lower()
    assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("table", "text", "says"),
    [
        ("factors", "factor = 'wepon_used'", 'unknown factor "wepon_used"\nDid you mean "weapon_used"'),
        ("factors", "factor in ('strangulation', 'stragulation')", 'unknown factor "stragulation"'),
        ("factors", "state = 'sometimes'", 'unknown state "sometimes"\nKnown: denied, present.'),
        ("factors", "evidence = 'la ahorcó'", "keyed hashes"),
        ("measures", "kind = 'protecton'", 'Did you mean "protection"'),
        ("measures", "ended_at is null", "leak the future"),
        ("cases", "closed_at is null", "leak the future"),
        ("cases", "municipality = 'Fresnillo'", "audits only"),
        ("victims", "sex = 'female'", "audits only"),
        ("levels", "level > 'medium'", "words have no order"),
        ("levels", "basis = 'x'", "free text"),
    ],
)
def test_each_table_refuses_what_it_must(table, text, says):
    with pytest.raises(RiskmlError) as error:
        parse_condition(text, table, FACTORS)
    assert says in str(error.value)


def test_an_open_vocabulary_of_factors_takes_any_code():
    assert parse_condition("factor = 'local_code'", "factors").columns == ("factor",)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table.name, column.name)
        for table in TABLES.values()
        for column in table.history_columns
        if not column.revealed_later
    ],
)
def test_every_column_of_the_contract_can_be_asked_for_null(table, column):
    refused = {("victims", "sex"), ("cases", "municipality")}
    if (table, column) in refused:
        with pytest.raises(RiskmlError, match="audits only"):
            parse_condition(f"{column} is null", table)
    else:
        assert parse_condition(f"{column} is null", table).sql == f'("{column}" IS NULL)'


def test_every_closed_word_of_the_contract_can_be_compared():
    for table in TABLES.values():
        for column in table.columns:
            if column.kind is Kind.CODE and (table.name, column.name) != ("victims", "sex"):
                for value in column.values:
                    parse_condition(f"{column.name} = '{value}'", table.name)


def test_the_canonical_form_reads_as_itself():
    for text in ["severity >= 3 and not source in ('911')", "recorded_at - occurred_at > interval '7 days'"]:
        once = parse_condition(text, "incidents").sql
        assert parse_condition(once, "incidents").sql == once


def test_a_quote_inside_a_word_stays_inside_it():
    sql = parse_condition("occupation = 'a'' or 1 = 1 --'", "aggressors").sql
    assert sql == "(\"occupation\" = 'a'' or 1 = 1 --')"
    table = pa.table({"occupation": ["a' or 1 = 1 --", "b"]})
    assert condition_masks(table, [sql])[0].tolist() == [True, False]


def test_masks_are_read_against_the_list_again():
    with pytest.raises(RiskmlError, match="query"):
        condition_masks(INCIDENTS, ["severity > (select 1)"])
    with pytest.raises(RiskmlError, match='unknown column "sevrity"'):
        condition_masks(INCIDENTS, ["sevrity > 1"])


def test_many_masks_come_in_order_and_no_rows_give_no_rows():
    conditions = [f"severity = {i}" for i in range(7)]
    masks = condition_masks(INCIDENTS, conditions)
    assert [int(mask.sum()) for mask in masks] == [1, 0, 0, 1, 0, 1, 0]
    assert all(len(mask) == 0 for mask in condition_masks(INCIDENTS.slice(0, 0), conditions))
    assert condition_masks(INCIDENTS, []) == []


def test_masks_keep_the_order_of_the_rows_of_a_table_in_many_pieces():
    severity = np.random.default_rng(0).integers(0, 7, 300_000)
    pieces = pa.concat_tables(
        [pa.table({"severity": severity[i : i + 1_000]}) for i in range(0, 300_000, 1_000)]
    )
    (mask,) = condition_masks(pieces, ["severity >= 3"])
    assert np.array_equal(mask, severity >= 3)


_ATOMS = st.one_of(
    st.builds("severity {} {}".format, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), st.integers(0, 6)),
    st.builds("source = '{}'".format, st.sampled_from(["911", "banevim", "police_report"])),
    st.builds("severity between {} and {}".format, st.integers(0, 6), st.integers(0, 6)),
    st.sampled_from(["severity is null", "source is not null", "source in ('911', 'banevim')"]),
)
_CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(_CONDITIONS)
def test_the_written_form_means_what_the_text_means_to_duckdb(text):
    """Precedence and nulls: DuckDB's own reading of the text is the obvious version."""
    connection = duckdb.connect()
    connection.register("facts", INCIDENTS)
    obvious = connection.sql(f"select coalesce({text}, false) from facts").fetchall()
    (mask,) = condition_masks(INCIDENTS, [parse_condition(text, "incidents").sql])
    assert mask.tolist() == [row[0] for row in obvious]


_TABLES = st.lists(
    st.fixed_dictionaries(
        {
            "severity": st.sampled_from([None, 0, 3, 6]),
            "source": st.sampled_from([None, "911", "banevim", "police_report"]),
            "occurred_at": st.sampled_from([None, datetime(2025, 1, 1), datetime(2025, 3, 1)]),
            "recorded_at": st.just(datetime(2025, 3, 2)),
        }
    ),
    max_size=20,
)
_SCHEMA = INCIDENTS.drop_columns("incident_id").schema
_LATE = "recorded_at - occurred_at > interval '7 days'"


@settings(max_examples=40, deadline=None)
@given(
    rows=_TABLES, texts=st.lists(st.one_of(_CONDITIONS, st.just(_LATE)), max_size=5), bound=st.integers(2, 60)
)
def test_answers_by_combination_are_the_answers_by_row(rows, texts, bound):
    """Few or many combinations at once, more conditions than a word of marks has bits."""
    table = pa.Table.from_pylist(rows, schema=_SCHEMA)
    conditions = [parse_condition(text, "incidents").sql for text in texts]
    conditions += [f'("severity" = {k % 7})' for k in range(70)]
    by_row = condition_masks(table, conditions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masks, "_SMALL", -1)
        patch.setattr(masks, "_COMBINATIONS", bound)
        patch.setattr(masks, "_SLICE", 3)
        by_combination = condition_masks(table, conditions)
    assert [mask.tolist() for mask in by_combination] == [mask.tolist() for mask in by_row]


def test_a_column_of_many_values_is_read_by_row():
    ids = pa.array([f"i{k}" if k % 3 else None for k in range(5_000)])
    table = pa.table({"incident_id": ids, "severity": np.arange(5_000) % 7})
    both = condition_masks(table, ["incident_id is null and severity = 3", "severity = 3"])
    severe = np.arange(5_000) % 7 == 3
    np.testing.assert_array_equal(both, [severe & (np.arange(5_000) % 3 == 0), severe])


def test_what_passes_when_it_is_read_passes_when_it_is_evaluated():
    for n in (21, 35):
        text = " or ".join(f"severity = {k % 7}" for k in range(n))
        (mask,) = condition_masks(INCIDENTS, [parse_condition(text, "incidents").sql])
        assert mask.tolist() == [True, True, False, True]
    with pytest.raises(RiskmlError, match="too long or too deep"):
        parse_condition(" or ".join(["severity = 1"] * 60), "incidents")


def test_the_two_clocks_columns_are_not_for_conditions():
    with pytest.raises(RiskmlError, match="recorded_at - occurred_at > interval"):
        parse_condition("recording_lag > 7", "incidents")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="severitysource 019'\"();-/*<>=,.[]{}$@:andornotisull\n", max_size=60))
def test_whatever_is_typed_is_either_safe_or_refused(text):
    try:
        condition = parse_condition(text, "incidents")
    except RiskmlError:
        return
    condition_masks(INCIDENTS.append_column("institution", pa.nulls(4, pa.string())), [condition.sql])
