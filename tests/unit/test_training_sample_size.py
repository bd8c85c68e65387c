"""Flexible learners are refused for want of people, and the reader is told the numbers."""

import numpy as np
import pytest

from riskml.training.sample_size import (
    development_verdict,
    evaluation_verdict,
    refused,
    sample_size_report,
)
from riskml.validation.sample_size import development_sample_size


def _rows(people, events, each=1):
    outcome = np.repeat(np.arange(people) < events, each).astype(float)
    return outcome, np.repeat(np.arange(people), each)


def test_rows_of_one_person_count_once():
    once = development_verdict(20, *_rows(1000, 300))
    assert (once.had, once.had_events) == (1000, 300)
    weekly = development_verdict(20, *_rows(1000, 300, each=52))
    assert (weekly.had, weekly.had_events, weekly.n) == (1000, 300, once.n)


def test_it_is_the_criteria_of_the_paper_with_the_share_at_hand():
    verdict = development_verdict(20, *_rows(1000, 300))
    assert verdict.n == development_sample_size(20, 0.3, c_statistic=0.70).n
    assert verdict.met is (verdict.n <= 1000)


@pytest.mark.parametrize(("people", "met"), [(800, False), (4000, True)])
def test_the_verdict_turns_with_the_people(people, met):
    assert development_verdict(20, *_rows(people, people // 3)).met is met


def test_people_who_all_have_an_event_at_some_time_are_still_counted():
    outcome, person = np.tile([1.0, 0.0, 0.0], 5000), np.repeat(np.arange(5000), 3)
    verdict = development_verdict(20, outcome, person)
    assert verdict.had_events == 5000
    assert verdict.met


def test_the_refusal_says_what_was_needed_and_what_was_there():
    verdict = development_verdict(50, *_rows(1000, 300))
    for words in refused(verdict).values():
        assert f"{verdict.n:,}" in words
        assert "1,000" in words
        assert "300" in words
        assert "50" in words


def test_the_report_is_plain_and_speaks_both_languages():
    rows = _rows(1000, 300)
    report = sample_size_report(development_verdict(50, *rows), evaluation_verdict(*rows), ["lightgbm"])
    assert report["refused"] == ["lightgbm"]
    assert report["development"]["parameters"] == 50
    assert report["development"]["met"] is False
    for part in ("development", "evaluation"):
        assert (report[part]["people"], report[part]["events"]) == (1000, 300)
        assert set(report[part]["words"]) == {"es", "en"}
        assert report[part]["needed"] == max(c["n"] for c in report[part]["criteria"])
