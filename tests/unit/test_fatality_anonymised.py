"""What is published of a review gives no suppressed count back, and no person."""

import json
import re
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from fatality_documents import (
    ANSWERS,
    SECRET,
    STATES,
    comparison,
    document,
    patterns,
    random_reviews,
    replay,
)
from riskml.errors import RiskmlError
from riskml.reporting.fatality_anonymised import published
from riskml.reporting.fatality_disclosure import BELOW, HIDDEN, SMALLEST, covered, is_open, parts_of, single
from riskml.reporting.fatality_grouped import OTHERS, merged_bands, merged_groups
from riskml.reporting.fatality_review import fatality_review

TEMPLATES = Path(__file__).parents[2] / "reports"


class Attack:
    """All that is printed, as whole numbers between bounds and sums of them."""

    def __init__(self):
        self.low, self.high, self.truth, self.rows, self.implied = [], [], [], [], set()

    def implied_count(self, truth, of):
        """A count that is printed nowhere: to be had from large ones it may be, to be small it may not."""
        place = self.count(HIDDEN, truth, of)
        self.implied.add(place)
        return place

    def count(self, printed, truth, of):
        """One count: its place."""
        if isinstance(printed, int):
            assert printed == truth
            low, high = printed, printed
        elif printed["mark"] == "below":
            low, high = 1, SMALLEST - 1
        elif printed["mark"] == "near_all":
            low, high = of - SMALLEST + 1, of - 1
        else:
            low, high = 0, of
        assert low <= truth <= high
        self.low.append(low)
        self.high.append(high)
        self.truth.append(truth)
        return len(self.low) - 1

    def between(self, weights, low, high=None):
        """A sum of counts that everybody can bound."""
        total = sum(weight * self.truth[place] for place, weight in weights)
        high = low if high is None else high
        assert low <= total <= high
        self.rows.append((weights, low, high))

    def adds_up(self, places, total):
        self.between([(place, 1) for place in places], total)

    def covers(self, total, parts):
        """The total holds each of its parts, and no more than all of them."""
        for part in parts:
            self.between([(total, 1), (part, -1)], 0, 10**6)
        self.between([(total, 1), *((part, -1) for part in parts)], -(10**6), 0)

    def pinned(self):
        """Counts that are not printed and can have one value only: list of places."""
        matrix = np.zeros((len(self.rows), len(self.low)))
        for line, (weights, _, _) in enumerate(self.rows):
            for place, weight in weights:
                matrix[line, place] += weight
        limits = LinearConstraint(matrix, [r[1] for r in self.rows], [r[2] for r in self.rows])

        def solve(weights):
            found = milp(weights, constraints=limits, integrality=1, bounds=Bounds(self.low, self.high))
            assert found.success, "what is printed contradicts itself"
            return np.round(found.x)

        rng = np.random.default_rng(0)
        seen = [np.array(self.truth), *(solve(rng.normal(size=len(self.low))) for _ in range(6))]
        left = [p for p in np.flatnonzero(np.ptp(seen, axis=0) == 0) if self.low[p] != self.high[p]]
        one = np.eye(len(self.low))
        fixed = [p for p in left if solve(one[p])[p] == solve(-one[p])[p]]
        return [p for p in fixed if p not in self.implied or 0 < self.truth[p] < SMALLEST]


def attack(shown, truth):
    """The arithmetic of one published document."""
    found = Attack()
    cases = truth["reviews"]["n"]
    for row, own in zip(shown["prevalence"], truth["prevalence"], strict=True):
        states = [found.count(row[name], own[name], cases) for name in STATES]
        found.adds_up(states, cases)
        split = [(row["before"]["present"], own["before"]["present"])]
        split += [(row[name], own[name]) for name in ("after_only", "undated")]
        places = [found.count(*pair, cases) for pair in split]
        found.between([(states[0], 1), *((place, -1) for place in places)], 0)
    for row, own in zip(shown["earlier"], truth["earlier"], strict=True):
        totals = {name: found.count(row[name], own[name], cases) for name in ANSWERS}
        found.adds_up(totals.values(), cases)
        for by in {group["by"] for group in row["by"]}:
            groups = [group for group in row["by"] if group["by"] == by]
            assert sum(group["n"] for group in groups) == cases
            own_by = [group for group in own["by"] if group["by"] == by]
            columns = defaultdict(list)
            for group in groups:
                members = [g for g in own_by if _inside(g["group"], group["group"], by, groups)]
                for name in ANSWERS:
                    value = sum(g[name] for g in members)
                    columns[name].append(found.count(group[name], value, group["n"]))
            for places in zip(*columns.values(), strict=True):
                found.adds_up(places, sum(found.truth[place] for place in places))
            for name, places in columns.items():
                found.between([(totals[name], 1), *((place, -1) for place in places)], 0)
    _attack_contacts(found, shown, truth, cases)
    _attack_missed(found, shown, truth, cases)
    for own, row in (
        (truth["counts"], shown["counts"]),
        (truth["counts"]["before"], shown["counts"]["before"]),
    ):
        real = own["seven_or_more"]
        printed = row["seven_or_more"]
        places = [found.count(printed[name], real[name], cases) for name in ("n", "undecided")]
        places.append(found.implied_count(cases - real["n"] - real["undecided"], cases))
        found.adds_up(places, cases)
    return found


def _inside(name, group, by, groups):
    if by == "year":
        first, _, last = group.partition("\N{EN DASH}")
        return first <= name <= (last or first)
    return name == group or (group == OTHERS and name not in {g["group"] for g in groups})


def _attack_contacts(found, shown, truth, cases):
    contact, own = shown["last_contact"], truth["last_contact"]
    n = own["with_contact"]["n"]
    whole = found.count(contact["with_contact"]["n"], n, cases)
    none = found.implied_count(cases - n, cases)
    found.adds_up([whole, none], cases)
    counts = {row["band"]: row["n"] for row in own["bands"]}
    for row in contact["bands"]:
        assert row["n"] == sum(counts[band] for band in row["bands"])
        if row["bands"] == ["none"]:
            found.between([(none, 1)], row["n"])
        elif "none" in row["bands"]:
            found.between([(none, 1)], 0, row["n"])
    last = {row["institution"]: row["n"] for row in own["by_institution"]}
    listed = {row["institution"]: row["n"] for row in contact["by_institution"]}
    if listed:
        places = [found.count(listed.get(name, HIDDEN), value, n) for name, value in last.items()]
        found.covers(whole, places)
    if isinstance(shown["timeline"], list):
        pairs = zip(shown["timeline"], truth["timeline"], strict=True)
        found.covers(whole, [found.count(row["n"], real["n"], cases) for row, real in pairs])


def _attack_missed(found, shown, truth, cases):
    if "missing" in shown["missed"]:
        return
    ways = []
    for row, way, real_row, real in zip(
        shown["missed"]["matrix"],
        shown["missed"]["by_how"],
        truth["missed"]["matrix"],
        truth["missed"]["by_how"],
        strict=True,
    ):
        total = found.count(way["n"], real["n"], cases)
        found.covers(total, [found.count(*pair, cases) for pair in zip(row, real_row, strict=True)])
        ways.append(total)
    whole = shown["missed"]["cases_with_any"]["n"]
    found.covers(found.count(whole, truth["missed"]["cases_with_any"]["n"], cases), ways)


def _derived(row):
    return [row.get(key) for key in ("share", "low", "high", "bound_low", "bound_high", "odds_ratio")]


def no_interval_beside_a_mark(value):
    """An exact interval is as good as the count itself."""
    if isinstance(value, dict):
        counts = [value[name] for name in (*STATES, *ANSWERS, "n", "knew") if value.get(name) is not None]
        assert is_open(*counts) or _derived(value) == [None] * 6, value
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        no_interval_beside_a_mark(each)


def try_to_reidentify(seed):
    truth = document(seed)
    shown = published({"findings": truth, "patterns": None, "replay": None})["findings"]
    assert attack(shown, truth).pinned() == []
    no_interval_beside_a_mark(shown)


# Without shrinking: a document of another seed is no simpler one.
SEARCH = {"phases": (Phase.explicit, Phase.reuse, Phase.generate)}


@settings(max_examples=5, **SEARCH)
@given(st.integers(0, 10**6))
def test_no_arithmetic_on_what_is_printed_gives_a_suppressed_count_back(seed):
    try_to_reidentify(seed)


@pytest.mark.slow
@settings(max_examples=300, **SEARCH)
@given(st.integers(0, 10**9))
def test_no_arithmetic_gives_one_back_in_many_more_documents(seed):
    try_to_reidentify(seed)


def test_the_attack_finds_a_count_that_subtraction_gives_back():
    """Or the tests above would pass whatever is printed."""
    truth = document(3)
    careless = published({"findings": truth, "patterns": None, "replay": None})["findings"]
    row, own = careless["prevalence"][0], truth["prevalence"][0]
    row |= {"present": BELOW if 0 < own["present"] < SMALLEST else HIDDEN}
    row |= {name: own[name] for name in ("absent", "unknown")}
    assert attack(careless, truth).pinned()


def test_knowing_the_rules_gives_no_part_back_either():
    """Every table of so many cases that prints the same: more than one value of each count that is hidden."""
    for total, size in product((5, 6, 9, 13, 16, 21), (2, 3)):
        tables = [
            (*values, total - sum(values))
            for values in product(range(total + 1), repeat=size - 1)
            if sum(values) <= total
        ]
        alike = defaultdict(list)
        for values in tables:
            alike[json.dumps(parts_of(values, total))].append(values)
        for printed, group in alike.items():
            for place, mark in enumerate(json.loads(printed)):
                assert isinstance(mark, int) or len({values[place] for values in group}) > 1, (printed, group)


def test_small_parts_and_what_would_give_them_back_are_suppressed():
    assert parts_of([10, 0, 10], 20) == [10, 0, 10]
    assert parts_of([3, 10, 7], 20) == [BELOW, 10, HIDDEN]
    assert parts_of([1, 1, 18], 20) == [BELOW, BELOW, HIDDEN]
    assert parts_of([1, 5, 0], 6) == [HIDDEN] * 3
    assert [single(n, 20) for n in (0, 4, 5, 15, 20)] == [0, BELOW, 5, 15, 20]
    assert single(17, 20) == {"mark": "near_all", "than": 15}
    assert [single(n, of) for of in range(1, SMALLEST) for n in range(of + 1)] == [HIDDEN] * 14
    assert covered([6, 4], 10, 40) == ([6, BELOW], HIDDEN), "10 would say that they do not overlap and 4 is 4"
    assert covered([6, 4], 7, 40) == ([6, BELOW], 7)


def test_of_a_group_of_few_neither_the_count_nor_its_size_is_said():
    found = replay()
    rows = [
        row | {name: {"n": n, "of": of, "share": n / of, "low": 0.0, "high": 1.0}}
        for row in found["table"][:1]
        for name in ("fired", "first_contact")
        for n, of in ((0, 1), (1, 1), (2, 4))
    ]
    shown = published({"findings": document(1), "patterns": None, "replay": found | {"table": rows}})
    for told, row in zip(rows, shown["replay"]["table"], strict=True):
        for name in ("fired", "first_contact"):
            few = told[name]["of"] < SMALLEST
            assert (row[name]["of"] == HIDDEN) is few
            assert not few or (row[name]["n"] == HIDDEN and row[name]["low"] is None)


def test_rare_groups_are_put_together_until_they_are_enough():
    assert merged_groups([("a", 12), ("b", 2), ("c", 3)]) == [("a", 12), (OTHERS, 5)]
    assert merged_groups([("a", 12), ("b", 6), ("c", 1)]) == [("a", 12), (OTHERS, 7)]
    bands = [{"band": name, "n": n} for name, n in (("0-1", 1), ("2-7", 5), ("8-30", 2), ("none", 9))]
    assert merged_bands(bands, apart=True) == [
        {"bands": ["0-1", "2-7", "8-30"], "n": 8},
        {"bands": ["none"], "n": 9},
    ]


def test_fewer_cases_than_a_count_may_stand_for_are_not_published_at_all():
    few = document(1)
    few["reviews"]["n"] = SMALLEST - 1
    with pytest.raises(RiskmlError, match="too few reviewed cases") as error:
        fatality_review({"findings": few, "patterns": None, "replay": None}, TEMPLATES)
    assert "--internal" in str(error.value)


def poisoned(value):
    """A document with what must not leave the team in every one of its parts."""
    if isinstance(value, dict):
        made = {key: poisoned(each) for key, each in value.items()}
        return made | {"review_id": "R0042", "case_id": "c" * 30, "note": SECRET, "at": "2024-03-05"}
    return [poisoned(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("language", ["es", "en"])
def test_nothing_of_a_person_stands_on_the_published_page(language):
    coded, truth = random_reviews(11), document(11)
    truth["comparison"] = comparison()
    whole = {"findings": truth, "patterns": patterns(), "replay": replay()}
    html = fatality_review(poisoned(whole), TEMPLATES, language=language)
    shown = re.sub(r"data:image/png;base64,[^\"]*", "", html)
    for secret in (SECRET, "Tepechitlán", "ccccc", coded.hash[:12], coded.cases["case_id"][0]):
        assert secret not in shown
    assert not re.search(r"\bR\d{4}\b", shown)
    assert not re.search(r"\d{4}-\d{2}-\d{2}", shown), "an exact date"
    assert "Pregunte por asfixia" in shown, "what the team cleared is quoted"
