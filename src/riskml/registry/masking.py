"""What of the registry's words may enter a history.

Quoted words: only words of the vocabulary and Spanish function words survive. Short open categories: a value
is masked as a whole where it looks personal, or holds a name or an address that stands in the registry's own
columns of names and addresses. Those columns are read for that and for nothing else.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import pyarrow as pa
from sqlalchemy import inspect

from riskml.registry.contract import TABLES, Kind

__all__ = [
    "MASK",
    "NameMask",
    "PersonalData",
    "QuoteMask",
    "mask_values",
    "masked_categories",
    "open_categories",
    "personal_columns",
    "plain_words",
]

MASK = "[…]"

# Articles, prepositions, conjunctions, pronouns, auxiliaries and negations: a closed list, so that a quote
# stays readable. None of them is a name.
_FUNCTION_TEXT = """
a al ante bajo con contra de del desde durante e el ella ellas ellos en entre era es esa ese eso esta este
esto fue ha haber habia han hasta hay la las le les lo los mas me mi mis muy ni no nos nunca o para pero por
porque que quien se segun ser si siempre sin sobre son su sus te tiene tu tus u un una unas unos y ya yo
afirma afirmo dice dijo manifesto manifiesta menciona menciono nego niega niegan refiere refirio senala senalo
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_TEXT.split())
# Words that stand within names and values alike and identify nobody.
_PARTICLES = frozenset(
    ("de", "del", "la", "las", "los", "el", "y", "e", "da", "do", "van", "von", "san", "santa")
)

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_ACCENT = re.compile(r"[\u0300-\u036f]")
_MANY_DIGITS = re.compile(r"\d(?:[\s().\-/]*\d){4,}")
_WEB = re.compile(r"@|https?:|www\.", re.IGNORECASE)
_LONGEST, _MOST_WORDS = 120, 18  # a longer value is a sentence, not a category
_COMMON = (
    10  # rows; a value as frequent as that names a place or an office, though a word of it may be a surname
)
_SHORTEST_NAME = 3

_NAME_TEXT = (
    "name names surname surnames nombre nombres apellido apellidos paterno materno alias apodo apodos"
)
_ADDRESS_TEXT = "address addresses street domicilio direccion calle colonia"
_OTHER_TEXT = "phone phones telephone mobile telefono telefonos tel celular email mail correo curp rfc"
_PERSONAL = {
    "name": frozenset(_NAME_TEXT.split()),
    "address": frozenset(_ADDRESS_TEXT.split()),
    "other": frozenset(_OTHER_TEXT.split()),
}


def plain_words(text):
    """The words of a text without case and accents: list of str.

    >>> plain_words("La GOLPEÓ, dijo")
    ['la', 'golpeo', 'dijo']
    """
    if not text.isascii():
        text = _ACCENT.sub("", unicodedata.normalize("NFKD", text))
    return _WORD.findall(text.casefold())


@dataclass(frozen=True)
class QuoteMask:
    """The words that a quote may keep.

    Parameters
    ----------
    words : frozenset of str     of the vocabulary and the function words, without case and accents
    pairs : frozenset of (str, str)    words that stand side by side in the vocabulary
    names : frozenset of str     those of `words` that are somebody's name in this registry: such a word stays
        beside the word that it goes with in the vocabulary ("arma blanca"), and is masked elsewhere
    """

    words: frozenset = _FUNCTION_WORDS
    pairs: frozenset = frozenset()
    names: frozenset = frozenset()

    @classmethod
    def of(cls, factors, names=()):
        """The words of a vocabulary's Spanish labels and phrases, with the function words.

        Parameters
        ----------
        factors : FactorVocabulary or None
        names : iterable of str    words of the names that stand in the registry
        """
        texts = [str(t) for factor in factors or () for t in (factor.label.get("es", ""), *factor.phrases)]
        phrases = [plain_words(text) for text in texts]
        known = {word for phrase in phrases for word in phrase if word.isalpha()}
        pairs = frozenset(pair for phrase in phrases for pair in pairwise(phrase))
        return cls(frozenset(known) | _FUNCTION_WORDS, pairs, (frozenset(names) & known) - _FUNCTION_WORDS)

    def keeps(self, plain, i):
        """Whether the word at a place stays.

        Parameters
        ----------
        plain : list of str    the quote's words without case and accents
        i : int
        """
        word = plain[i]
        if word not in self.names:
            return word in self.words
        beside = {(plain[i - 1], word)} if i else set()
        beside |= {(word, plain[i + 1])} if i + 1 < len(plain) else set()
        return bool(beside & self.pairs)

    def __call__(self, quote):
        """The quote with every other word, every number and every sign between them masked.

        >>> QuoteMask()("no es él, es Juan")
        'no es él es […]'
        """
        written = _WORD.findall(quote)
        plain = [_plain_word(word) for word in written]
        kept = []
        for i in range(len(plain)):
            if self.keeps(plain, i):
                kept.append(written[i])
            elif not kept or kept[-1] is not MASK:
                kept.append(MASK)
        return " ".join(kept)


class _EveryWord:
    """Stands for the words of a quote that shows known words only."""

    def __contains__(self, word):
        return bool(word)


class NameMask:
    """Masks the names of a registry in quotes that already show nothing but known words.

    Parameters
    ----------
    pairs : frozenset of (str, str)    as of QuoteMask: beside its fellow a word that is a name stays
    names : iterable of str            names that stand in this registry, without case and accents
    """

    def __init__(self, pairs=frozenset(), names=()):
        self._mask = QuoteMask(_EveryWord(), pairs, frozenset(names) - _FUNCTION_WORDS)

    def __call__(self, quote):
        """The quote without names; what was masked in it before stays so.

        >>> NameMask(names=["martillo"])("la golpeo […] martillo")
        'la golpeo […]'
        """
        written = quote.split()
        plain = [_plain_word(word) for word in written]
        kept = []
        for i, word in enumerate(written):
            if word == MASK or not self._mask.keeps(plain, i):
                if not kept or kept[-1] != MASK:
                    kept.append(MASK)
            else:
                kept.append(word)
        return " ".join(kept)


@lru_cache(maxsize=100_000)
def _plain_word(word):
    """One word without case and accents; empty where it falls into several: remembered, for quotes repeat."""
    words = plain_words(word)
    return words[0] if len(words) == 1 else ""


def mask_values(values, mask):
    """A column with each distinct value masked once.

    Parameters
    ----------
    values : pyarrow.StringArray, shape (n,)
    mask : callable    str -> str

    Returns
    -------
    pyarrow.Array of string, shape (n,), and the number of rows whose value changed
    """
    coded = values.dictionary_encode()
    before = coded.dictionary.to_pylist()
    after = [mask(value) for value in before]
    changed = pa.array([a != b for a, b in zip(after, before, strict=True)], pa.bool_()).take(coded.indices)
    return pa.array(after, pa.string()).take(coded.indices), changed.true_count


def personal_columns(connection, table):
    """The registry's own columns of names, phones and addresses in a table: dict of column -> kind.

    They are known by their names, in English or Spanish (`phone`, `apellido_paterno`); the contract's columns
    are never among them.
    """
    found = {}
    for column in inspect(connection).get_columns(table):
        name = column["name"]
        if name in TABLES[table].names:
            continue
        words = set(plain_words(name.replace("_", " ")))
        for kind, known in _PERSONAL.items():
            if words & known:
                found[name] = kind
                break
    return found


def _telling(text):
    """The words of a text that may tell one person from another."""
    return [w for w in plain_words(text) if w not in _PARTICLES]


def _runs(words):
    """Every run of consecutive words, as text."""
    return {
        " ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(len(words), i + 12) + 1)
    }


@dataclass
class PersonalData:
    """What the registry's names and addresses have in common with the values that are to be judged.

    Only that is kept: the sets stay as small as the values are few.

    Parameters
    ----------
    candidates : set of str    every run of words of every value
    shown : callable           str -> whether a quote may show a word: then it is held against the names too
    """

    candidates: set
    shown: object = field(default=lambda _: False)
    whole: set = field(default_factory=set)  # whole names and addresses
    pairs: set = field(
        default_factory=set
    )  # two words running of a name, or a word and a number of an address
    words: set = field(default_factory=set)  # single words of names

    def add(self, kind, text):
        """Take in one person's name, address, or other personal entry."""
        words = _telling(text)
        entry = " ".join(words)
        if (len(words) > 1 or kind == "other") and entry in self.candidates:
            self.whole.add(entry)
        for first, second in pairwise(words):
            telling = kind == "name" or any(c.isdigit() for c in first + second)
            pair = f"{first} {second}"
            if telling and pair in self.candidates:
                self.pairs.add(pair)
        if kind == "name":
            self.words.update(
                w for w in words if len(w) >= _SHORTEST_NAME and (w in self.candidates or self.shown(w))
            )

    def stands_in(self, value, rows, *, place=False):
        """Whether a value holds somebody's name or address.

        Parameters
        ----------
        value : str
        rows : int      how many rows hold the value
        place : bool    whether the column names places, many of which bear a person's name: only a whole
            name of three words or more, or a whole address, counts there
        """
        words = _telling(value)
        runs = _runs(words)
        if place:
            return any(run.count(" ") >= 2 for run in runs & self.whole)
        if runs & self.whole or runs & self.pairs:
            return True
        return len(words) > 1 and rows < _COMMON and any(w in self.words for w in words)


def _looks_personal(value):
    """Whether a value holds a run of five digits or more, an address of the net, or a whole sentence."""
    return bool(
        _MANY_DIGITS.search(value)
        or _WEB.search(value)
        or len(value) > _LONGEST
        or len(value.split()) > _MOST_WORDS
    )


def masked_categories(counts, entries, words=(), shown=None):
    """The values of the open categories that may not enter a history.

    Parameters
    ----------
    counts : dict of (table, column) -> dict of value -> rows
    entries : iterable of (kind, text)    the registry's own names, addresses and other personal entries
    words : iterable of str               further words that are to be held against the names
    shown : callable or None              str -> whether a quote of a narrative may show a word

    Returns
    -------
    dict of (table, column) -> set of values, and the set of those of `words`, and of the words that may be
    shown, that are part of a name
    """
    words = frozenset(words)
    runs = {run for values in counts.values() for value in values for run in _runs(_telling(value))}
    shown = shown or (lambda _: False)
    personal = PersonalData(runs | words, shown)
    for kind, text in entries:
        personal.add(kind, text)
    masked = {
        (table, column): {
            value
            for value, rows in values.items()
            if _looks_personal(value) or personal.stands_in(value, rows, place=column == "municipality")
        }
        for (table, column), values in counts.items()
    }
    return masked, {word for word in personal.words if word in words or shown(word)}


def open_categories():
    """The contract's open categories, without the factor codes: list of (table, column)."""
    return [
        (table.name, column.name)
        for table in TABLES.values()
        for column in table.columns
        if column.kind is Kind.CATEGORY and column.name != "factor"
    ]
