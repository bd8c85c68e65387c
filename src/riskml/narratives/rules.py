"""The rules of `features/narratives.yml`: read, checked, and made ready for the matcher."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from riskml.documents import Document, read_documents
from riskml.errors import RiskmlError
from riskml.narratives.patterns import PatternError, parse_pattern
from riskml.narratives.spelling import Spelling, folded
from riskml.registry.content import combined_hash
from riskml.vocabulary import did_you_mean, load_factors

__all__ = ["NARRATIVES_FILE", "Rule", "Rules", "load_rules", "starting_rules"]

NARRATIVES_FILE = "narratives.yml"
PERSONS = ("victim", "aggressor", "third_party", "officer")
CUES = ("denies", "not", "not_a_denial", "unsure", "after", "listed", "stops", "past")
_REACHING = ("denies", "not", "unsure", "after")
_KEYS = ("words", "shorthand", "not_typos", "persons", "saying", "context", "factors")
_FACTOR_KEYS = ("present", "implied", "denied", "not", "victim", "phrases", "lasting")
_WORDINGS = ("present", "implied", "denied", "not")


@dataclass(frozen=True)
class Rule:
    """One wording and what it stands for.

    Attributes
    ----------
    kind : str       "factor", "cue", "person" or "saying"
    name : str       the factor's code, the cue or the person
    wording : str    for a factor: "present", "implied", "denied" or "not"
    pattern : Pattern
    """

    kind: str
    name: str
    wording: str
    pattern: object


@dataclass(frozen=True)
class Rules:
    """All rules of a workspace.

    Attributes
    ----------
    rules : tuple of Rule
    reach : dict               cue -> how many words it reaches
    of_victim : dict           factor -> the factor that it is when said of the victim
    lasting : frozenset of str  factors that go on once they are there: never of the past
    spelling : Spelling
    factors : FactorVocabulary
    words : frozenset of str   what rules and phrases are written with: what a quote may show
    stems : tuple of str
    hash : str                 of what the rules say, whatever their comments
    """

    rules: tuple
    reach: dict
    of_victim: dict
    lasting: frozenset
    spelling: Spelling
    factors: object
    words: frozenset
    stems: tuple
    hash: str


class _Reader:
    """Collects the rules of one file, and what is wrong with it, with its lines."""

    def __init__(self, document, name, factors):
        self.document, self.name, self.factors = document, name, factors
        self.value = document.value if isinstance(document.value, dict) else {}
        self.problems = [f'{name}, line {line}: "{key}" stands twice' for line, key in document.repeated]
        self.rules, self.lists = [], {}

    def problem(self, path, what):
        self.problems.append(f"{self.name}, line {self.document.line(*path)}: {what}".strip())

    def words(self, path, value):
        """A list of words, or an empty one and a problem."""
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self.problem(path, f'"{path[-1]}" is a list of words; put "no" and numbers in quotation marks')
            return []
        return value

    def mapping(self, path, value):
        if not isinstance(value, dict):
            self.problem(path, f'"{path[-1]}" is a mapping')
            return {}
        return value

    def known(self, path, keys, known):
        for key in keys:
            if key not in known:
                self.problem((*path, key), f'unknown key "{key}". {did_you_mean(key, known)}')

    def patterns(self, path, value, kind, name, wording=""):
        for position, text in enumerate(self.words(path, value)):
            try:
                pattern = parse_pattern(_bare(text), self.lists, _bare)
            except PatternError as error:
                self.problem((*path, position), f'"{text}": {error}')
            else:
                self.rules.append(Rule(kind, name, wording, pattern))

    def read(self):
        self.known((), self.value, _KEYS)
        for name, entries in self.mapping(("words",), self.value.get("words") or {}).items():
            self.lists[name] = self.words(("words", name), entries)
        self.persons()
        reach = self.cues()
        of_victim, lasting = self.factor_rules()
        return reach, of_victim, frozenset(lasting)

    def persons(self):
        persons = self.mapping(("persons",), self.value.get("persons") or {})
        self.known(("persons",), persons, PERSONS)
        for person, entries in persons.items():
            self.patterns(("persons", person), entries, "person", person)
        self.patterns(("saying",), self.value.get("saying") or [], "saying", "saying")

    def cues(self):
        cues = self.mapping(("context",), self.value.get("context") or {})
        self.known(("context",), cues, CUES)
        reach = {}
        for cue, entry in cues.items():
            path = ("context", cue)
            if cue in _REACHING:
                entry = self.mapping(path, entry)
                reach[cue] = entry.get("reach")
                if not isinstance(reach[cue], int) or isinstance(reach[cue], bool) or reach[cue] < 1:
                    self.problem((*path, "reach"), "reach is a number of words")
                self.patterns((*path, "patterns"), entry.get("patterns"), "cue", cue)
            else:
                self.patterns(path, entry, "cue", cue)
        for cue in _REACHING:
            reach.setdefault(cue, 1)
        return reach

    def factor_rules(self):
        entries = self.mapping(("factors",), self.value.get("factors") or {})
        of_victim, lasting = {}, []
        for code, entry in entries.items():
            path = ("factors", code)
            if code not in self.factors:
                near = did_you_mean(code, self.factors.codes)
                self.problem(path, f'no factor "{code}" in factors.yml. {near}')
                continue
            entry = self.mapping(path, entry)
            self.known(path, entry, _FACTOR_KEYS)
            for wording in _WORDINGS:
                self.patterns((*path, wording), entry.get(wording) or [], "factor", code, wording)
            if entry.get("lasting") is True:
                lasting.append(code)
            if (other := entry.get("victim")) is not None:
                of_victim[code] = other
                if other not in self.factors:
                    self.problem(
                        (*path, "victim"), f'no factor "{other}". {did_you_mean(other, self.factors.codes)}'
                    )
        for factor in self.factors:
            entry = entries.get(factor.code)
            if isinstance(entry, dict) and entry.get("phrases") is False:
                continue
            for phrase in factor.phrases:
                pattern = parse_pattern(_plain_phrase(phrase), {}, _bare)
                self.rules.append(Rule("factor", factor.code, "present", pattern))
        return of_victim, lasting


def _bare(text):
    return folded(text)[0]


def _plain_phrase(phrase):
    """A phrase of the vocabulary as a pattern: its words and nothing that a pattern would read as a sign."""
    return " ".join("".join(c if c.isalnum() else " " for c in _bare(phrase)).split()) or "sin"


def load_rules(folder, factors=None):
    """Read `narratives.yml` and the phrases of `factors.yml`.

    Parameters
    ----------
    folder : path of the folder that holds both
    factors : FactorVocabulary or None    None: read from the folder

    Returns
    -------
    Rules

    Raises
    ------
    RiskmlError    a file is missing or does not read; or, all in one message with their lines: unknown
                   factors, keys and word lists, patterns that cannot be read
    """
    folder = Path(folder)
    factors = load_factors(folder / "factors.yml") if factors is None else factors
    path = folder / NARRATIVES_FILE
    if not path.is_file():
        raise RiskmlError("no such file", where=str(path), mend="`riskml init DIR` makes starting rules.")
    documents = read_documents(path)
    reader = _Reader(documents[0] if documents else Document({}), f"{folder.name}/{NARRATIVES_FILE}", factors)
    reach, of_victim, lasting = reader.read()
    value = reader.value
    shorthand = reader.mapping(("shorthand",), value.get("shorthand") or {})
    not_typos = reader.words(("not_typos",), value.get("not_typos") or [])
    if len(reader.problems) == 1:
        where, _, what = reader.problems[0].partition(": ")
        raise RiskmlError(what, where=where)
    if reader.problems:
        raise RiskmlError(f"{len(reader.problems)} problems in the rules\n" + "\n".join(reader.problems))
    words, stems = _vocabulary(reader.rules)
    said = {"rules": value, "phrases": {f.code: [f.dimension, *f.phrases] for f in factors}}
    spelling = Spelling(
        words,
        stems,
        {_bare(str(short)): _bare(str(meant)) for short, meant in shorthand.items()},
        [_bare(word) for word in not_typos],
    )
    shown, shown_stems = _vocabulary(rule for rule in reader.rules if rule.kind != "person")
    return Rules(
        tuple(reader.rules),
        reach,
        of_victim,
        lasting,
        spelling,
        factors,
        shown,
        shown_stems,
        combined_hash(said),
    )


def _vocabulary(rules):
    words, stems = set(), set()
    for rule in rules:
        for variant in rule.pattern.variants:
            for element in variant:
                words |= element.words
                stems.update(element.stems)
    return frozenset(words), tuple(sorted(stems))


@cache
def starting_rules():
    """The rules that riskml comes with: in the installed package, or in the checkout it is run from."""
    packaged = files("riskml") / "_workspace" / "features"
    return load_rules(packaged if packaged.is_dir() else Path(__file__).parents[3] / "features")
