"""The pieces of a validation on one simulated registry: groups, origins, leakage, refits and lead time."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from riskml.features.catalogue import Catalogue
from riskml.features.definitions import Feature
from riskml.features.matrix import build_features
from riskml.outcomes.cohort import assessments
from riskml.outcomes.definition import OutcomeDefinition
from riskml.outcomes.labels import label_outcomes
from riskml.registry.history import History
from riskml.simulation.simulate import simulate
from riskml.training.data import people_of
from riskml.validation.audit_groups import audit_groups
from riskml.validation.backtest import labels_as_known, rolling_origins
from riskml.validation.fairness import fairness_audit, flagged_by_capacity
from riskml.validation.heterogeneity import over_origins
from riskml.validation.lead_time import lead_times
from riskml.validation.leakage_audit import leakage_audit, shifted_cohort
from riskml.validation.logistic import fit_logistic
from riskml.validation.metrics import METRICS
from riskml.validation.stability import stability
from riskml.validation.subgroups import Minimum

OUTCOME = OutcomeDefinition(event="incident", horizon="90d", reporting_lag="30d")
GAP = np.timedelta64(OUTCOME.horizon_us + OUTCOME.reporting_lag_us, "us")
CATALOGUE = Catalogue(
    tuple(
        Feature(
            name=name,
            dimension="acts",
            table="incidents",
            aggregate=aggregate,
            windows=windows,
            label={"es": name, "en": name},
        )
        for name, aggregate, windows in (
            ("incidents", "count", ("90d", "ever")),
            ("days_since", "days_since", ()),
        )
    )
)


class _Rows:
    """Followed-up assessments of a simulated registry with two features and a plain logistic regression."""

    def __init__(self):
        self.history = History.of(dict(simulate(700, seed=11).tables))
        cohort = assessments(self.history, every="28d")
        labels = label_outcomes(self.history, cohort, OUTCOME)["outcome"].to_numpy()
        self.cohort = cohort[~np.isnan(labels)].reset_index(drop=True)
        self.outcome = labels[~np.isnan(labels)]
        self.people = people_of(self.history, self.cohort)["aggressor_id"].to_numpy(dtype=object).astype(str)
        self.as_of = self.cohort["as_of"].to_numpy()

    def design(self, cohort):
        matrix = build_features(self.history, cohort, CATALOGUE)
        recent = np.log1p(matrix[["incidents_90d", "incidents_ever"]].to_numpy(float))
        days = np.log1p(matrix["days_since"].fillna(3650).to_numpy(float))
        return np.column_stack([np.ones(len(cohort)), recent, days])

    def label(self, rows, known_at):
        found = label_outcomes(self.history, self.cohort.iloc[rows], OUTCOME, known_at=pd.Timestamp(known_at))
        return found["outcome"].to_numpy()


@pytest.fixture(scope="module")
def rows():
    return _Rows()


@pytest.fixture(scope="module")
def design(rows):
    return rows.design(rows.cohort)


@pytest.fixture(scope="module")
def origins(rows):
    return rolling_origins(rows.as_of, shares={"develop": 0.7, "evaluate": 0.3}, gap=GAP, least=0.4)


def _fit(design, outcome, rows):
    return fit_logistic(design[rows], np.ones(len(rows)), outcome[rows])


def test_a_backtest_learns_from_what_was_known_and_is_summed_up(rows, design, origins):
    judged = {}
    for origin in origins:
        known = labels_as_known(rows.label, origin, rows.outcome)
        fitted = _fit(design, known, origin.split.refit)
        later = origin.split.rows["evaluate"]
        risk = expit(design[later] @ fitted)
        judged[str(np.datetime64(origin.at, "D"))] = (rows.outcome[later], risk, rows.people[later])
    found = over_origins({"auc": METRICS["auc"].function}, judged, replicates=40, seed=0)
    assert len(found.by_origin) == 4
    assert 0.55 < found.overall.loc["auc", "low"] < found.overall.loc["auc", "high"] < 0.85
    json.dumps(found.document())


@pytest.fixture(scope="module")
def last(rows, design, origins):
    """The last origin's model on its evaluation rows: positions, risk."""
    split = origins[-1].split
    later = split.rows["evaluate"]
    return later, expit(design[later] @ _fit(design, rows.outcome, split.refit))


def test_groups_of_the_history_are_audited_apart_from_the_matrix(rows, last):
    later, risk = last
    cohort = rows.cohort.iloc[later]
    groups = audit_groups(rows.history, cohort, minimum_people=30)
    assert "municipality" in groups
    sizes = pd.Series(rows.people[later]).groupby(groups["municipality"].to_numpy()).nunique()
    assert sizes.drop("unknown", errors="ignore").min() >= 30
    found = fairness_audit(
        rows.outcome[later],
        risk,
        rows.people[later],
        groups,
        flagged=flagged_by_capacity(risk, 40, as_of=cohort["as_of"].to_numpy()),
        index=pd.MultiIndex.from_frame(cohort[["case_id", "as_of"]]),
        minimum=Minimum(people=20, events=5, curve_events=60),
        replicates=20,
        seed=0,
    )
    table = found.table("es")
    shown = table[table["not_estimable"] == ""]
    assert len(shown) > 20
    assert (shown["low"] <= shown["high"]).all()
    json.dumps(found.document())


def test_reading_later_raises_the_auc_and_the_past_is_easier_than_the_future(rows, last):
    later, risk = last
    cohort, outcome = rows.cohort.iloc[later].reset_index(drop=True), rows.outcome[later]
    fitted = _fit(rows.design(rows.cohort), rows.outcome, np.setdiff1d(np.arange(len(rows.outcome)), later))

    def read_later():
        shifted = {days: expit(rows.design(shifted_cohort(cohort, days)) @ fitted) for days in (30, 90)}
        past = label_outcomes(rows.history, shifted_cohort(cohort, -90), OUTCOME)["outcome"].to_numpy()
        return {"later": shifted, "past": past}

    audit = leakage_audit(
        outcome,
        risk,
        rows.people[later],
        design=lambda: pd.DataFrame(rows.design(cohort)[:, 1:], columns=["recent", "ever", "days"]),
        later=read_later,
        always=True,
        replicates=30,
        seed=0,
    )
    verdicts = {check.code: check for check in audit.checks}
    shift = verdicts["future_shift"]
    assert shift.verdict == "pass"
    assert shift.figures["auc"]["90"]["low"] > shift.figures["auc"]["0"]["high"]
    assert shift.figures["past"]["estimate"] > shift.figures["auc"]["0"]["estimate"]
    assert verdicts["auc"].verdict == "pass"


def test_refits_move_a_risk_little_where_people_are_many(rows, design, origins, last):
    later, risk = last
    refit_rows = origins[-1].split.refit

    def refit(drawn, seed):
        fitted = _fit(design, rows.outcome, refit_rows[drawn])
        return lambda cases: expit(cases @ fitted)

    highest = np.quantile(risk, 0.9)
    found = stability(
        refit,
        design[later],
        risk,
        rows.people[later],
        train_people=rows.people[refit_rows],
        suggest=lambda p: np.where(p >= highest, "high", "low"),
        replicates=30,
        seed=0,
    )
    summary = found.summary()
    assert 0 < summary.loc["mean_absolute_instability", "estimate"] < 0.05
    assert found.cases()["flip_chance"].max() > 0.1


def test_lead_time_of_weekly_lists_rises_with_their_length(rows, design, origins):
    history, split = rows.history, origins[-1].split
    start = pd.Timestamp(origins[-1].at).normalize()
    weekly = assessments(history, every="7d", start=start)
    fitted = _fit(design, rows.outcome, split.refit)
    scored = weekly.assign(risk=expit(rows.design(weekly) @ fitted))
    incidents = history.table("incidents").to_pandas()
    later = incidents[incidents["occurred_at"] > start].drop_duplicates(["case_id", "occurred_at"])
    events = later[["case_id"]].assign(
        event_at=later["occurred_at"].astype("datetime64[us]"), person=later["case_id"]
    )
    shares = []
    for capacity in (5, 40, len(weekly)):
        found = lead_times(scored, events, capacity=capacity, lookback="180d", seed=0)
        summary = found.summary(replicates=20, seed=0)
        assert found.events["status"].eq("never_assessed").sum() == summary.loc["never_assessed", "n"]
        shares.append(summary.loc["listed", "estimate"])
    assert shares == sorted(shares)
    assert summary.loc["never_listed", "n"] == 0  # with room for all
    assert shares[0] < shares[2]
