"""Real court records through riskml: from filings to judged models.

Maps a folder of Wisconsin court records (cases.parquet, charges.parquet, docket.parquet) to the registry
contract, takes a history of it, and trains and judges the models of `wisconsin_registry/models` on it.

    python benchmarks/wisconsin.py --data DIR
    python benchmarks/wisconsin.py --data DIR --json
    python benchmarks/wisconsin.py --data DIR --page docs/evaluation.md    # and put the figures into the page
    python benchmarks/wisconsin.py --data OTHER --train DIR    # learnt on DIR, judged on the people of OTHER

Not prospective: people are split, not time. What is predicted are filings, not violence. See
docs/evaluation.md.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from marked_page import rewrite
from wisconsin_registry.coverage import COVERAGE_END, LATER_END, LATER_INDEX, at_the_edges, by_quarter
from wisconsin_registry.judging import MAIN, cross_fit, groups_table, learn, table_of
from wisconsin_registry.page import figures
from wisconsin_registry.printing import readable
from wisconsin_registry.records import read_records
from wisconsin_registry.registry import take
from wisconsin_registry.statutes import read_charges

from riskml.errors import RiskmlError
from riskml.features.catalogue import load_catalogue
from riskml.features.matrix import build_features
from riskml.models.spec import load_model_file
from riskml.outcomes.cohort import assessments
from riskml.outcomes.labels import label_outcomes
from riskml.progress import progress
from riskml.registry.pseudonyms import Key
from riskml.training.data import people_of, training_data
from riskml.training.report import libraries
from riskml.training.train import train
from riskml.training.yardsticks import yardsticks
from riskml.validation.intervals import exact_interval

HERE = Path(__file__).resolve().parent
MODELS = HERE / "wisconsin_registry" / "models"
FEATURES = HERE.parent / "features"
NAMES = ("domestic_180d", "violent_felony_180d", "domestic_365d", "violent_felony_365d")
SHORT = "180d"  # the horizon that fits into the filings of 2022
LIMITS = (
    "Not prospective: people are split, not time; one index date for everyone.",
    "Filings are predicted, not violence: what is not reported or not charged is not seen.",
    "Another country and another kind of registry: nothing here says how a model does in Zacatecas.",
)


class Source:
    """One folder of records with the histories taken of it.

    Parameters
    ----------
    records : Records
    key : Key
    catalogue : Catalogue
    folder : path    where registries and histories may be written
    """

    def __init__(self, records, key, catalogue, folder):
        self.records, self._key, self._catalogue, self._folder = records, key, catalogue, Path(folder)
        self._taken = {}

    def history(self, until):
        """The registry as it stood at the end of a day: History."""
        if until not in self._taken:
            self._taken[until] = take(
                self.records, self._folder, key=self._key, catalogue=self._catalogue, until=until
            )
        return self._taken[until]

    def names(self, aggressors):
        """The records' person ids behind pseudonyms: array of str."""
        ids = self.records.cases["person_id"].unique()
        return (
            pd.Series(ids, index=[self._key.pseudonym("aggressor_id", i) for i in ids])
            .reindex(aggressors)
            .to_numpy()
        )

    def people(self):
        """What audits need of each person: DataFrame by person_id of group, sex, born."""
        first = self.records.cases.sort_values("filing_date").groupby("person_id")
        people = first[["group", "sex", "birth_year_bin"]].first()
        born = pd.cut(people["birth_year_bin"], [0, 1975, 1985, 1990, 3000], right=False, labels=False)
        born = born.map(dict(enumerate(("before 1975", "1975-84", "1985-89", "1990 or later"))))
        return pd.DataFrame(
            {
                "group": people["group"].fillna("unknown"),
                "sex": people["sex"].fillna("unknown"),
                "born": born.fillna("unknown"),
            }
        ).astype(str)


def _cohort(history, spec):
    """Size, events and index date of a cohort; and who is in it."""
    index = pd.Timestamp(spec.split.index_date)
    cohort = assessments(history, every="1d", start=index, end=index)
    labels = label_outcomes(history, cohort, spec.outcome, known_at=COVERAGE_END)
    people = people_of(history, cohort)["aggressor_id"].to_numpy(dtype=object).astype(str)
    n, events = len(labels), int(labels["outcome"].sum())
    low, high = exact_interval(events, n)
    return people, {
        "index_date": f"{index:%Y-%m-%d}",
        "followed_until": f"{index + pd.Timedelta(spec.outcome.horizon_us, 'us'):%Y-%m-%d}",
        "people": n,
        "events": events,
        "share": events / n,
        "share_low": low,
        "share_high": high,
        "exits_before_an_event": {
            str(k): int(v) for k, v in labels["exit"].value_counts().items() if k != "none"
        },
    }


def _edges(source, aggressors, spec):
    """What was filed in the follow-up and is no event, and what was filed too late."""
    charges = source.records.charges
    violent = charges.join(read_charges(charges))
    kind = violent["domestic_abuse"] if "domestic" in spec.name else violent["violent"] & violent["felony"]
    mine = charges["person_id"].isin(set(source.names(aggressors)))
    index = pd.Timestamp(spec.split.index_date)
    return at_the_edges(charges[kind & mine], index, index + pd.Timedelta(spec.outcome.horizon_us, "us"))


def _own_split(model):
    """The model file's own run, as `riskml train` reports it."""
    report = model.report
    return {
        "prospective": report["split"]["prospective"],
        "windows": [
            {k: w[k] for k in ("window", "assessments", "events")} for w in report["split"]["windows"]
        ],
        "comparison": [{k: v for k, v in row.items() if k != "label"} for row in report["comparison"]],
        "simplest_not_worse": report["simplest_not_worse"],
        "importance": [{k: row[k] for k in ("column", "mean_abs_shap")} for row in report["importance"][:10]],
        "notes": [note["en"] for note in report["notes"]],
        "version": model.version,
    }


def _later(source, spec, learnt, catalogue, known, options):
    """The same candidates, seven years later, on people whose first domestic filing came in 2022."""
    history = source.history(LATER_END)
    cohort = assessments(history, every="1d", start=LATER_INDEX, end=LATER_INDEX)
    people = people_of(history, cohort)["aggressor_id"].to_numpy(dtype=object).astype(str)
    cases = history.table("cases").select(["case_id", "occurred_at"]).to_pandas().set_index("case_id")
    opened = cases["occurred_at"].reindex(cohort["case_id"]).to_numpy()
    new = (opened >= np.datetime64("2021-12-01")) & ~np.isin(people, known)
    cohort, people = cohort[new].reset_index(drop=True), people[new]
    outcome = label_outcomes(history, cohort, spec.outcome)["outcome"].to_numpy()
    followed = ~np.isnan(outcome)
    cohort, people, outcome = cohort[followed], people[followed], outcome[followed]
    matrix = build_features(history, cohort, catalogue)
    risks = learnt.risks(matrix, yardsticks(history, cohort, matrix, spec))
    return {
        "index_date": f"{LATER_INDEX:%Y-%m-%d}",
        **_judged(outcome, risks, people, cohort["as_of"].to_numpy(), spec, options),
    }


def _judged(outcome, risks, people, as_of, spec, options, repeats=1):
    return table_of(
        outcome,
        risks,
        people,
        as_of=as_of,
        capacity=spec.capacity * repeats,  # the list of each repeat has as many places
        replicates=spec.bootstrap,
        seed=options.seed,
    )


def _attempt(action):
    """What an action gives, or in words why there is nothing to give."""
    try:
        return action()
    except RiskmlError as error:
        return {"not_estimable": str(error)}


def question(name, source, catalogue, options, trained_on=None):
    """One model file on one folder of records: cohort, tables and audits as plain JSON.

    Parameters
    ----------
    name : str               of a model file
    source : Source          whose people are judged
    catalogue : Catalogue
    options : namespace of seed, folds
    trained_on : Source or None    whose people are learnt from; None: those of `source`, in folds

    Returns
    -------
    dict
    """
    spec = load_model_file(MODELS / f"{name}.yml")
    aggressors, cohort = _cohort(source.history(COVERAGE_END), spec)
    found = {"label": spec.label["en"], "cohort": cohort, "edges": _edges(source, aggressors, spec)}
    return found | _attempt(lambda: _tables(spec, source, catalogue, options, trained_on))


def _tables(spec, source, catalogue, options, trained_on):
    """Every table of one question; each that cannot be estimated says why."""
    data = training_data(spec, source.history(COVERAGE_END), catalogue, seed=options.seed)
    found = {}

    def own_split():
        model = train(
            spec, source.history(COVERAGE_END), catalogue=catalogue, seed=options.seed, language="en"
        )
        return _own_split(model)

    def folds():
        with progress(f"{spec.name}: folds", options.repeats * options.folds) as step:
            judged = cross_fit(
                data,
                spec,
                catalogue,
                folds=options.folds,
                repeats=options.repeats,
                seed=options.seed,
                step=step,
            )
        outcome, aggressor, as_of = (
            column[judged.rows] for column in (data.outcome, data.aggressor, data.as_of)
        )
        people = source.people().reindex(source.names(aggressor))
        audits = {
            by: groups_table(
                outcome,
                judged.risks[MAIN],
                aggressor,
                people[by].to_numpy(),
                replicates=spec.bootstrap,
                seed=options.seed,
            )
            for by in people.columns
        }
        return {
            "folds": options.folds,
            "repeats": options.repeats,
            "optimism": {
                "apparent_auc": judged.apparent_auc,
                "judged_auc": judged.judged_auc,
                "optimism": judged.optimism,
            },
            **_judged(outcome, judged.risks, aggressor, as_of, spec, options, options.repeats),
            "audits": audits,
        }

    def held_out():
        theirs = training_data(spec, trained_on.history(COVERAGE_END), catalogue, seed=options.seed)
        learnt = learn(theirs, spec, catalogue, np.arange(len(theirs.outcome)), seed=options.seed)
        new = ~np.isin(source.names(data.aggressor), trained_on.names(theirs.aggressor))
        risks = {n: risk[new] for n, risk in learnt.risks(data.matrix, data.yardsticks).items()}
        return {
            "learnt_from": {"people": len(theirs.outcome), "events": int(theirs.outcome.sum())},
            "left_out_because_learnt_from": int((~new).sum()),
            **_judged(data.outcome[new], risks, data.aggressor[new], data.as_of[new], spec, options),
        }

    def later():
        everyone = np.arange(len(data.outcome))
        learnt = learn(data, spec, catalogue, everyone, seed=options.seed)
        return _later(source, spec, learnt, catalogue, data.aggressor, options)

    found["cross_fitted"] = _attempt(folds)
    found["own_split"] = _attempt(own_split)
    if trained_on is not None:
        found["held_out"] = _attempt(held_out)
    if spec.outcome.horizon == SHORT:
        found["seven_years_later"] = _attempt(later)
    return found


def run(options):
    """Everything that is printed: dict, plain JSON."""
    started = time.perf_counter()
    catalogue = load_catalogue(options.features)
    records = read_records(options.data)
    with tempfile.TemporaryDirectory() as folder:
        # No pseudonym outlives the run, so this key need not be secret. It has to be the same each time: rows
        # are sorted by pseudonym, and people fall into the folds in that order.
        key = Key(hashlib.sha256(f"wisconsin {options.seed}".encode()).hexdigest())
        source = Source(records, key, catalogue, Path(folder) / "judged")
        trained_on = None
        if options.train:
            trained_on = Source(read_records(options.train), key, catalogue, Path(folder) / "learnt")
        history = source.history(COVERAGE_END)
        questions = {}
        for name in options.models or NAMES:
            questions[name] = _attempt(
                lambda name=name: question(name, source, catalogue, options, trained_on)
            )
        return {
            "limits": LIMITS,
            "seed": options.seed,
            "libraries": libraries(),
            "catalogue": {"hash": catalogue.hash, "columns": len(catalogue.columns)},
            "records": {
                "people": int(records.cases["person_id"].nunique()),
                "court_files": len(records.cases),
                "charges": len(records.charges),
                "docket_events": len(records.docket),
            },
            "faults": records.faults,
            "coverage": {"end": f"{COVERAGE_END:%Y-%m-%d}", "filings": by_quarter(records)},
            "registry": {"rows": history.manifest["rows"], "faults": history.manifest["faults"]},
            "questions": questions,
            "seconds": round(time.perf_counter() - started, 1),
        }


def _options(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the records whose people are judged"
    )
    parser.add_argument("--train", type=Path, help="folder of other records, to learn from")
    parser.add_argument("--features", type=Path, default=FEATURES, help="folder of the catalogue")
    parser.add_argument("--models", nargs="+", choices=NAMES, help="only these; all when left out")
    parser.add_argument("--folds", type=int, default=10, help="people are judged in so many folds")
    parser.add_argument("--repeats", type=int, default=2, help="how often the folds are drawn anew")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, help="page whose figures are to be replaced by these")
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    return parser.parse_args(arguments)


def main(arguments=None):
    """Run and print; the exit code, 2 on bad input."""
    options = _options(arguments)
    try:
        results = run(options)
        if options.page:
            rewrite(options.page, Path(__file__).name, figures(results))
    except RiskmlError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(results, indent=1) if options.json else readable(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
