"""The catalogue: the agency's feature definitions, read from files and checked against the contract."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from riskml.documents import read_documents
from riskml.errors import RiskmlError
from riskml.features.checks import feature_problems, formula_problems
from riskml.features.conditions import parse_condition
from riskml.features.definitions import ENDING_AGGREGATES, Feature, FeatureColumn
from riskml.features.formulas import formula_columns, parse_formula
from riskml.features.predictors import DERIVED
from riskml.registry.contract import TABLES
from riskml.vocabulary import FactorVocabulary, did_you_mean, load_factors

__all__ = ["Catalogue", "Feature", "FeatureColumn", "load_catalogue"]

FACTORS_FILE = "factors.yml"
NARRATIVES_FILE = "narratives.yml"  # rules for reading narratives: no features
_BLOCK_KEYS = ("dimension", "table", "features")
_ENTRY_KEYS = (
    "aggregate",
    "column",
    "windows",
    "over",
    "where",
    "label",
    "direction",
    "evidence",
    "exposure",
)
_FORMULA_KEYS = ("formula", "label", "direction", "evidence", "exposure")


@dataclass(frozen=True)
class Catalogue:
    """The features of a workspace, in the order of the matrix.

    Attributes
    ----------
    features : tuple of Feature
    factors : FactorVocabulary    the codes that their conditions may name
    """

    features: tuple
    factors: FactorVocabulary = field(default_factory=FactorVocabulary)

    @cached_property
    def columns(self):
        """The columns of the matrix, in order: tuple of FeatureColumn."""
        return tuple(column for feature in self.features for column in feature.columns)

    @cached_property
    def hash(self):
        """Content hash of what decides the numbers, 64 hexadecimal digits.

        The order of files and features, comments, labels and evidence do not change it.
        """
        definitions = sorted((f.definition() for f in self.features), key=lambda d: d["name"])
        return hashlib.sha256(json.dumps(definitions, sort_keys=True).encode()).hexdigest()

    @cached_property
    def tables_read(self):
        """What a history has to hold: dict of table name -> set of its columns."""
        read = defaultdict(set)
        read["cases"] |= {
            "case_id",
            "aggressor_id",
            "victim_id",
            "occurred_at",
            "recorded_at",
            "superseded_at",
        }
        for feature in self.features:
            if feature.is_formula:
                continue  # its columns are those of other features
            columns = read[feature.table]
            columns |= {TABLES[feature.table].entity, "occurred_at", "recorded_at", "superseded_at"}
            if feature.column and feature.column not in DERIVED:
                columns.add(feature.column)
            if feature.where:
                columns.update(parse_condition(feature.where, feature.table, self.factors).columns)
            if feature.aggregate in ENDING_AGGREGATES:
                columns |= {"expires_at", "ended_at"}
        return dict(read)

    @cached_property
    def _by_name(self):
        return {"column": {c.name: c for c in self.columns}, "feature": {f.name: f for f in self.features}}

    def column(self, name):
        """The column of that name; RiskmlError with the nearest name where there is none."""
        return self._named("column", name)

    def feature(self, name):
        """The feature of that name; RiskmlError with the nearest name where there is none."""
        return self._named("feature", name)

    def _named(self, what, name):
        known = self._by_name[what]
        if name not in known:
            raise RiskmlError(f'unknown {what} "{name}"', where="catalogue", mend=did_you_mean(name, known))
        return known[name]

    def part(self, *names):
        """The catalogue of some features or columns alone, with the features that their formulas name.

        Parameters
        ----------
        names : str    of features or of columns

        Returns
        -------
        Catalogue    its features in this catalogue's order

        Raises
        ------
        RiskmlError    no such feature or column
        """
        known = self._by_name["feature"]
        wanted = [known[name] if name in known else self.column(name).feature for name in names]
        named = [name for f in wanted if f.is_formula for name in formula_columns(f)]
        kept = {f.name for f in wanted} | {self.column(name).feature.name for name in named}
        return Catalogue(tuple(f for f in self.features if f.name in kept), self.factors)

    def to_document(self):
        """The catalogue as plain values for a bundle: dict, JSON-able; `from_document` reads it."""
        features = [f.model_dump(mode="json", exclude={"file", "line"}) for f in self.features]
        return {"hash": self.hash, "features": features, "factors": self.factors.to_document()}

    @classmethod
    def from_document(cls, document):
        """A catalogue of what `to_document` gave, checked again: its conditions will be evaluated.

        Raises
        ------
        RiskmlError    a definition is not sound, or the document's hash is not that of its definitions
        """
        try:
            factors = FactorVocabulary.from_document(document["factors"])
            features = tuple(Feature.model_validate(entry) for entry in document["features"])
            stated = document["hash"]
        except (ValidationError, KeyError, TypeError, AttributeError):
            raise RiskmlError(
                "the catalogue is not one that riskml wrote", mend="Train the model again."
            ) from None
        problems = [p for f in features for p in feature_problems(f, factors)]
        if not problems:
            known = _columns(features)
            problems = [p for f in features if f.is_formula for p in formula_problems(f, known, factors)]
        if problems:
            raise RiskmlError(f"the catalogue is not sound: {problems[0][1]}", mend=problems[0][2])
        catalogue = cls(_canonical(features, factors), factors)
        if catalogue.hash != stated:
            raise RiskmlError("the catalogue was changed after it was written", mend="Train the model again.")
        return catalogue


def load_catalogue(folder):
    """Read a folder of feature files (`*.yml`) and, where it is there, `factors.yml`.

    A file holds one or several blocks `{dimension, table, features: {name: definition}}`, as YAML documents
    or as a list.

    Parameters
    ----------
    folder : path of a folder

    Returns
    -------
    Catalogue    features in the order of the files' names, then as they stand

    Raises
    ------
    RiskmlError    every problem of the folder at once, each with file, line, feature and how to mend it
    """
    folder = Path(folder)
    others = (FACTORS_FILE, NARRATIVES_FILE)
    files = [f for f in sorted(folder.glob("*.yml")) if f.name not in others] if folder.is_dir() else []
    if not files:
        raise RiskmlError(
            "no feature files here",
            where=str(folder),
            mend="`riskml init DIR` makes a workspace with a catalogue.",
        )
    factors_file = folder / FACTORS_FILE
    factors = load_factors(factors_file) if factors_file.is_file() else FactorVocabulary()
    problems, features, unsound = [], [], set()
    for file in files:
        features += _file_features(file, factors, problems, unsound)
    _check_names(features, problems)
    _check_formulas(features, factors, problems, unsound)
    if problems:
        _raise(problems)
    return Catalogue(_canonical(features, factors), factors)


def _raise(problems):
    if len(problems) == 1:
        where, what, mend = problems[0]
        raise RiskmlError(what, where=where, mend=mend)
    listed = "\n".join(f"{where}: {what}" + (f"\n  {mend}" if mend else "") for where, what, mend in problems)
    raise RiskmlError(f"{len(problems)} problems in the catalogue\n{listed}")


def _columns(features):
    """The columns of features by their names: dict."""
    return {column.name: column for feature in features for column in feature.columns}


def _canonical(features, factors):
    """The features with their conditions and formulas in canonical form: tuple."""
    columns = _columns(features)

    def forms(feature):
        if feature.is_formula:
            return {"formula": parse_formula(feature.formula, columns, factors).sql}
        if feature.where is not None:
            return {"where": parse_condition(feature.where, feature.table, factors).sql}
        return {}

    # Built anew: a copy would keep columns that speak of the feature as it was written.
    return tuple(Feature.model_validate(feature.model_dump() | forms(feature)) for feature in features)


def _file_features(file, factors, problems, unsound):
    """The features of one file that have the right form; what is wrong is added to `problems`."""
    name = f"{file.parent.name}/{file.name}"
    try:
        documents = read_documents(file)
    except RiskmlError as error:
        problems.append((error.where.replace(str(file), name), error.what, error.mend))
        return []
    features = []
    for document in documents:
        problems += [(f"{name}, line {line}", f'"{key}" stands twice', "") for line, key in document.repeated]
        blocks = document.value if isinstance(document.value, list) else [document.value]
        for position, block in enumerate(blocks):
            path = (position,) if isinstance(document.value, list) else ()
            features += _block_features(block, path, document, name, factors, problems, unsound)
    return features


def _block_features(block, path, document, file, factors, problems, unsound):
    where = f"{file}, line {document.line(*path)}"
    if not isinstance(block, dict) or not isinstance(block.get("features"), dict):
        problems.append(
            (where, "a block needs dimension, table and features", "features: {name: {aggregate: ...}}")
        )
        return []
    for key in block:
        if key not in _BLOCK_KEYS:
            place = f"{file}, line {document.line(*path, key)}"
            problems.append((place, f'unknown key "{key}"', did_you_mean(key, _BLOCK_KEYS)))
    entries = block["features"].values()
    formulas = [entry for entry in entries if isinstance(entry, dict) and "formula" in entry]
    missing = [key for key in _BLOCK_KEYS if key not in block and not (key == "table" and formulas)]
    if missing:
        problems.append((where, f"the block has no {' and no '.join(missing)}", ""))
        return []
    found = []
    for name, entry in block["features"].items():
        at = (*path, "features", name)

        def report(key, what, mend, at=at, name=name):
            own = key in ("dimension", "table") and (*path, key) in document.lines
            line = document.line(*path, key) if own else document.line(*at, key)
            problems.append((f'{file}, line {line}, feature "{name}"', what, mend))

        if not isinstance(entry, dict):
            report("", "a feature is a mapping", "Write it like {aggregate: count, windows: [30d]}.")
            continue
        if "formula" in entry and "table" in block:
            report("formula", "a formula stands in a block without `table:`", "Give it a block of its own.")
            continue
        if "table" not in block and "formula" not in entry:
            mend = "Write a `formula:`, or move it to a block of its table."
            report("", "a block without `table:` holds formulas alone", mend)
            continue
        given = {"name": name, "dimension": block["dimension"], "table": block.get("table", ""), **entry}
        before = len(problems)
        feature = _feature(given, entry, report, file, document.line(*at))
        if feature is not None:
            for problem in feature_problems(feature, factors):
                report(*problem)
            found.append(feature)
        if len(problems) > before:
            unsound.add(name)
    return found


def _feature(given, entry, report, file, line):
    """The feature as written, or None after reporting what is wrong with its form."""
    keys = _FORMULA_KEYS if "formula" in entry else _ENTRY_KEYS
    unknown = [key for key in entry if key not in keys]
    for key in unknown:
        quotes = "A text with a comma in it needs quotes around it." if entry[key] is None else ""
        mend = did_you_mean(key, keys) or quotes or f"Keys: {', '.join(keys)}."
        report(key, f'unknown key "{key}"', mend)
    try:
        feature = Feature.model_validate(
            {k: v for k, v in given.items() if k not in unknown} | {"file": file, "line": line}
        )
    except ValidationError as error:
        for problem in error.errors():
            report(*_form_problem(problem))
        return None
    return feature


def _form_problem(problem):
    """One problem that pydantic found, as (key, what, mend)."""
    key = str(problem["loc"][0]) if problem["loc"] else ""
    given = problem["input"]
    if key == "label":
        return key, "label needs words in es and in en", "label: {es: Incidentes, en: Incidents}"
    if problem["type"] == "missing":
        return key, f"{key} is missing", f"Add `{key}:`."
    if problem["type"] == "literal_error":
        expected = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return (
            key,
            f'unknown {key} "{given}"',
            did_you_mean(given, expected) or f"Known: {', '.join(expected)}.",
        )
    if key == "name":
        return (
            key,
            f'"{given}" cannot name a column',
            "Use letters, digits and underscores, beginning with a letter.",
        )
    return key, f"{key}: {problem['msg'][0].lower()}{problem['msg'][1:]}", ""


def _check_names(features, problems):
    """Report names of features and of columns that stand twice in the folder."""
    seen = {}
    for feature in features:
        here = f"{feature.file}, line {feature.line}"
        where = f'{here}, feature "{feature.name}"'
        if feature.name in seen:
            problems.append((where, f"the name stands already at {seen[feature.name]}", "Names are unique."))
            continue
        seen[feature.name] = here
    columns = {}
    for feature in features:
        for name in dict.fromkeys(feature.column_names):
            first = columns.setdefault(name, feature)
            if first.name != feature.name:
                where = f'{feature.file}, line {feature.line}, feature "{feature.name}"'
                what = f'its column "{name}" is also one of feature "{first.name}"'
                problems.append((where, what, "Rename one of them."))


def _check_formulas(features, factors, problems, unsound):
    """Report what is wrong with formulas; not where it names what is unsound itself."""
    sound = [feature for feature in features if feature.name not in unsound]
    columns = _columns(sound)
    for feature in sound:
        if not feature.is_formula:
            continue
        if unsound and any(name.startswith(tuple(unsound)) for name in _named(feature)):
            continue
        for _, what, mend in formula_problems(feature, columns, factors):
            where = f'{feature.file}, line {feature.line}, feature "{feature.name}"'
            problems.append((where, what, mend))


def _named(feature):
    """The columns that a formula names, as far as it reads at all."""
    try:
        return formula_columns(feature)
    except RiskmlError:  # told as a problem of the formula
        return ()
