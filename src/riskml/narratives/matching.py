"""Where rules match in a text: spaCy's blank Spanish tokeniser and its matcher, no trained model."""

from dataclasses import dataclass
from functools import reduce
from operator import or_

import spacy
from spacy.attrs import NORM
from spacy.matcher import Matcher
from spacy.tokens import Doc

from riskml.narratives.spelling import folded

__all__ = ["Finder", "Match", "Text"]

_MOST_KNOWN = 100_000  # words remembered
_ENDS = (".", "..", "...", "…", "?", "!", ";")

# Too frequent to tell where a rule might match.
_COMMON_TEXT = """
a al ante con contra de del desde el ella en entre es esta este fue ha habia han la las le les lo los mas me
no o para pero por que se si sin sobre su sus te tiene un una y ya era sido haber ser . , :
"""
_COMMON = frozenset(_COMMON_TEXT.split())


@dataclass(frozen=True)
class Match:
    """A rule that matched: tokens `start` to `end` (exclusive)."""

    start: int
    end: int
    rule: object

    @property
    def length(self):
        """How many tokens, int."""
        return self.end - self.start

    def overlaps(self, other):
        """Whether both share a token."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Text:
    """A text in tokens: the words that are meant, and where each stands in the original."""

    original: str
    words: tuple
    starts: tuple
    ends: tuple
    sentence: tuple  # number of the sentence of each token


class _Places:
    """Which places of the rules a word can fill, as bits of an int: what is not filled need not be tried."""

    def __init__(self):
        self._bits, self._by_word, self._by_stem, self._known = {}, {}, {}, {}
        self._stems = ()

    def bit(self, element):
        """The bit of a place, int."""
        key = (element.words, element.stems)
        if key not in self._bits:
            bit = self._bits[key] = 1 << len(self._bits)
            for word in element.words:
                self._by_word[word] = self._by_word.get(word, 0) | bit
            for stem in element.stems:
                self._by_stem[stem] = self._by_stem.get(stem, 0) | bit
            self._stems = tuple(self._by_stem)
        return self._bits[key]

    def of_word(self, word):
        """The bits of all places that a word can fill, int."""
        known = self._known.get(word)
        if known is None:
            known = self._by_word.get(word, 0)
            if word.startswith(self._stems):
                for length in range(1, len(word) + 1):
                    known |= self._by_stem.get(word[:length], 0)
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            self._known[word] = known
        return known


class _Wording:
    """One rule ready to be tried: the bits that each of its variants needs, and spaCy's matcher."""

    def __init__(self, rule, places, vocabulary):
        self.rule = rule
        variants = rule.pattern.variants
        self.reach = rule.pattern.longest
        self.single = all(len(variant) == 1 for variant in variants)
        needed = set()
        for variant in variants:
            bits = 0
            for element in variant:
                if not element.gap and not element.optional:
                    bits |= places.bit(element)
            needed.add(bits)
        self.needed = tuple(needed)
        self.anchors = 0
        for element in rule.pattern.anchors(_COMMON):
            self.anchors |= places.bit(element)
        self.matcher = None
        if not self.single:
            self.matcher = Matcher(vocabulary)
            self.matcher.add("rule", rule.pattern.tokens())

    def windows(self, positions, filled, anywhere):
        """Stretches of a text in which the rule may match: lists of left, right."""
        windows = []
        wanted = [needed for needed in self.needed if anywhere & needed == needed]
        for position in positions if wanted else ():
            left, right = max(0, position - self.reach), min(len(filled), position + self.reach)
            bits = 0
            for place in filled[left:right]:
                bits |= place
            if not any(bits & needed == needed for needed in wanted):
                continue
            if windows and left <= windows[-1][1]:
                windows[-1][1] = right
            else:
                windows.append([left, right])
        return windows

    def matches(self, document, positions, filled, anywhere):
        """The shortest matches around some positions, none overlapping; for what is none, all of them."""
        if self.single:
            return [Match(p, p + 1, self.rule) for p in positions]
        windows, spans = self.windows(positions, filled, anywhere), set()
        if not windows:
            return ()
        for left, right in windows:
            spans.update((left + s, left + e) for _, s, e in self.matcher(document[left:right]))
        if self.rule.wording == "not":  # what is none covers as far as it reaches
            return [Match(start, end, self.rule) for start, end in spans]
        chosen = []
        for start, end in sorted(spans, key=lambda s: (s[1] - s[0], s[0])):
            if not any(start < e and s < end for s, e in chosen):
                chosen.append((start, end))
        return [Match(start, end, self.rule) for start, end in chosen]


class Finder:
    """Finds every rule of a set in texts.

    A rule is tried only where the words that it cannot do without stand close together: a thousand rules cost
    little.

    Parameters
    ----------
    rules : Rules
    """

    def __init__(self, rules):
        self.nlp = spacy.blank("es")
        self.nlp.vocab.lex_attr_getters[NORM] = rules.spelling
        for lexeme in self.nlp.vocab:
            lexeme.norm_ = rules.spelling(lexeme.orth_)
        self._places = _Places()
        self._wordings = [_Wording(rule, self._places, self.nlp.vocab) for rule in rules.rules]
        self._called = {}  # word -> wordings that it calls for

    def _calls(self, word):
        known = self._called.get(word)
        if known is None:
            bits = self._places.of_word(word)
            known = tuple(w for w in self._wordings if w.anchors & bits) if bits else ()
            if len(self._called) > _MOST_KNOWN:
                self._called.clear()
            self._called[word] = known
        return known

    def __call__(self, original):
        """Find the rules in one text.

        Parameters
        ----------
        original : str

        Returns
        -------
        Text, list of Match
        """
        plain, places = folded(original)
        made = self.nlp.make_doc(plain)
        tokens = [token for token in made if not token.is_space]
        places = places or range(len(plain))
        typed = [token.text for token in tokens]
        starts = tuple(places[token.idx] for token in tokens)
        ends = tuple(places[token.idx + len(word) - 1] + 1 for token, word in zip(tokens, typed, strict=True))
        document = made if len(tokens) == len(made) else Doc(self.nlp.vocab, words=typed)
        words = tuple(token.norm_ for token in document)
        text = Text(original, words, starts, ends, _sentences(typed, words))
        filled = [self._places.of_word(word) for word in words]
        anywhere = reduce(or_, filled, 0)
        called = {}
        for position, word in enumerate(words):
            for wording in self._calls(word):
                called.setdefault(wording, []).append(position)
        found = []
        for wording, positions in called.items():
            if not any(anywhere & needed == needed for needed in wording.needed):
                continue
            found += wording.matches(document, positions, filled, anywhere)
        return text, found


def _sentences(typed, words):
    """Number of the sentence of each token. The full stop of an abbreviation ends none."""
    number, numbers = 0, []
    for position, word in enumerate(words):
        numbers.append(number)
        if word in _ENDS and not (word == "." and position and typed[position - 1] != words[position - 1]):
            number += 1
    return tuple(numbers)
